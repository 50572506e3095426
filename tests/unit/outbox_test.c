/* outbox_test.c -- the outbox of libhallsync: its file, and what it does with a node that is played here. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "node/client/hallsync.h"
#include "node/client/outbox_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#define S(literal) ((char[]){literal}) /* protobuf-c's members know no const */
#define WRITES_MAX 64
#define ENDLESS_MS 60000

/* ---- a node ---- */

/* Keeps writes by their request's id, as the service does by that of the record. */
struct node {
    void *context;
    char dir[64], endpoint[96], file[96];
    pthread_t thread;
    atomic_bool stop;
    pthread_mutex_t lock;
    /* with the lock */
    uint8_t ids[WRITES_MAX][16];
    size_t count;
    Hallsync__Safety level; /* of whatever it holds */
    const char *refuses;    /* the error of whatever it does not hold */
    const char *stops;      /* the error of any request */
    bool silent;
    size_t requests;
    Hallsync__Request *last;
    uint64_t commit, tag;
};

static void say(void *router, const void *identity, size_t size, const Hallsync__Reply *reply)
{
    uint8_t bytes[512];
    zmq_send(router, identity, size, ZMQ_SNDMORE);
    zmq_send(router, bytes, hallsync__reply__pack(reply, bytes), 0);
}

static bool has(const struct node *node, const uint8_t *id)
{
    for (size_t i = 0; i < node->count; i++) {
        if (memcmp(node->ids[i], id, 16) == 0)
            return true;
    }
    return false;
}

static void judge(struct node *node, const Hallsync__Request *request, Hallsync__PutResult *result)
{
    bool held = has(node, request->id.data);
    result->has_safe = result->has_result = true;
    result->safe = held ? node->level : HALLSYNC__SAFETY__SAFETY_HERE;
    result->result = held ? HALLSYNC__RESULT__RESULT_EXISTS : HALLSYNC__RESULT__RESULT_CREATED;
    if (!held && node->refuses != NULL) {
        result->error = (char *)(uintptr_t)node->refuses;
        return;
    }
    if (held)
        return;
    memcpy(node->ids[node->count++], request->id.data, 16);
    node->commit++;
}

static void answer(struct node *node, void *router, const void *identity, size_t size)
{
    Hallsync__PutResult result = HALLSYNC__PUT_RESULT__INIT;
    Hallsync__PutResult *results[] = {&result};
    Hallsync__PutReply put = HALLSYNC__PUT_REPLY__INIT;
    Hallsync__Position position = HALLSYNC__POSITION__INIT;
    Hallsync__Reply reply = HALLSYNC__REPLY__INIT;
    reply.id = node->last->id;
    if (node->stops != NULL) {
        reply.error = (char *)(uintptr_t)node->stops;
        say(router, identity, size, &reply);
        return;
    }
    put.n_results = 1;
    put.results = results;
    reply.body_case = HALLSYNC__REPLY__BODY_PUT;
    reply.put = &put;
    judge(node, node->last, &result);
    position.commit = node->commit;
    position.tag = node->tag;
    reply.position = &position;
    say(router, identity, size, &reply);
}

static void *run_node(void *ctx)
{
    struct node *node = ctx;
    void *router = zmq_socket(node->context, ZMQ_ROUTER);
    int wait_ms = 20, linger_ms = 0;
    zmq_setsockopt(router, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms);
    zmq_setsockopt(router, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    if (zmq_bind(router, node->endpoint) != 0)
        abort();
    while (!atomic_load(&node->stop)) {
        uint8_t identity[64];
        int size = zmq_recv(router, identity, sizeof identity, 0);
        if (size < 0)
            continue;
        zmq_msg_t message;
        zmq_msg_init(&message);
        zmq_msg_recv(&message, router, 0);
        pthread_mutex_lock(&node->lock);
        if (node->last != NULL)
            hallsync__request__free_unpacked(node->last, NULL);
        node->last = hallsync__request__unpack(NULL, zmq_msg_size(&message), zmq_msg_data(&message));
        node->requests++;
        if (!node->silent)
            answer(node, router, identity, (size_t)size);
        pthread_mutex_unlock(&node->lock);
        zmq_msg_close(&message);
    }
    zmq_close(router);
    return NULL;
}

static int set_up(void **state)
{
    struct node *node = calloc(1, sizeof *node);
    assert_non_null(node);
    assert_true(sodium_init() >= 0);
    snprintf(node->dir, sizeof node->dir, "/tmp/hallsync-outbox-XXXXXX");
    assert_non_null(mkdtemp(node->dir));
    snprintf(node->endpoint, sizeof node->endpoint, "ipc://%s/s", node->dir);
    snprintf(node->file, sizeof node->file, "%s/outbox", node->dir);
    node->level = HALLSYNC__SAFETY__SAFETY_HERE;
    node->commit = 100;
    node->tag = 7;
    node->context = zmq_ctx_new();
    pthread_mutex_init(&node->lock, NULL);
    assert_int_equal(pthread_create(&node->thread, NULL, run_node, node), 0);
    *state = node;
    return 0;
}

static int tear_down(void **state)
{
    struct node *node = *state;
    char path[128];
    atomic_store(&node->stop, true);
    pthread_join(node->thread, NULL);
    zmq_ctx_term(node->context);
    if (node->last != NULL)
        hallsync__request__free_unpacked(node->last, NULL);
    pthread_mutex_destroy(&node->lock);
    unlink(node->file);
    snprintf(path, sizeof path, "%s/s", node->dir);
    unlink(path);
    assert_int_equal(rmdir(node->dir), 0);
    free(node);
    return 0;
}

#define WITH(node, what)                     \
    do {                                     \
        pthread_mutex_lock(&(node)->lock);   \
        what;                                \
        pthread_mutex_unlock(&(node)->lock); \
    } while (0)

/* ---- a counter ---- */

struct counter {
    struct hallsync *client;
    struct hallsync_outbox *outbox;
};

static struct counter open_counter(const struct node *node)
{
    struct counter counter = {.client = hallsync_open(node->endpoint)};
    assert_non_null(counter.client);
    hallsync_set_timeout(counter.client, ENDLESS_MS);
    assert_int_equal(hallsync_outbox_open(counter.client, node->file, &counter.outbox), HALLSYNC_OK);
    return counter;
}

static void close_counter(struct counter *counter)
{
    hallsync_outbox_close(counter->outbox);
    hallsync_close(counter->client);
}

static struct hallsync_outbox_state state_of(const struct counter *counter)
{
    struct hallsync_outbox_state state;
    hallsync_outbox_state(counter->outbox, &state);
    return state;
}

static enum hallsync_status pay(struct counter *counter, const char *id)
{
    const Hallsync__PutResult *result;
    Hallsync__Payment payment = HALLSYNC__PAYMENT__INIT;
    payment.payment_id = (char *)(uintptr_t)id;
    payment.account = S("3201000001");
    payment.has_amount_fen = true;
    payment.amount_fen = 100;
    return hallsync_outbox_put(counter->outbox, HALLSYNC_KIND_PAYMENT, &payment.base, &result);
}

/* A whole round, however long it is put off: the outbox is opened anew, as by a program's next start. */
static void round_of(struct node *node, struct counter *counter)
{
    close_counter(counter);
    *counter = open_counter(node);
    assert_int_equal(hallsync_outbox_work(counter->outbox, WRITES_MAX), HALLSYNC_OK);
}

/* ---- with a node ---- */

static void what_a_hub_has_is_taken_out(void **state)
{
    struct node *node = *state;
    struct counter counter = open_counter(node);
    assert_int_equal(pay(&counter, "P-1"), HALLSYNC_OK);
    assert_int_equal(pay(&counter, "P-2"), HALLSYNC_OK);
    assert_int_equal(state_of(&counter).waiting, 2);
    assert_int_equal(state_of(&counter).unanswered, 0);
    assert_true(state_of(&counter).oldest_ms > 0);
    assert_int_equal(hallsync_outbox_work(counter.outbox, WRITES_MAX), HALLSYNC_OK);
    assert_int_equal(state_of(&counter).waiting, 2); /* here only */
    WITH(node, node->level = HALLSYNC__SAFETY__SAFETY_HUB);
    round_of(node, &counter);
    assert_int_equal(state_of(&counter).waiting, 0);
    assert_int_equal(state_of(&counter).again, 0);
    assert_int_equal(node->count, 2);
    close_counter(&counter);
}

static void what_the_node_has_lost_is_done_anew(void **state)
{
    struct node *node = *state;
    struct counter counter = open_counter(node);
    for (int i = 0; i < 5; i++)
        assert_int_equal(pay(&counter, (char[]){'P', (char)('0' + i), '\0'}), HALLSYNC_OK);
    WITH(node, node->count = 2; node->commit -= 3; node->tag++); /* an older copy */
    round_of(node, &counter);
    assert_int_equal(state_of(&counter).again, 3);
    assert_int_equal(state_of(&counter).waiting, 5);
    assert_int_equal(node->count, 5);
    close_counter(&counter);
}

static void positions_are_shown_and_outlive_the_program(void **state)
{
    struct node *node = *state;
    struct counter counter = open_counter(node);
    assert_int_equal(pay(&counter, "P-1"), HALLSYNC_OK);
    WITH(node, assert_null(node->last->seen)); /* nothing was told before */
    assert_int_equal(pay(&counter, "P-2"), HALLSYNC_OK);
    WITH(node, assert_int_equal(node->last->seen->commit, 101); assert_int_equal(node->last->seen->tag, 7));
    close_counter(&counter);
    counter = open_counter(node);
    WITH(node, node->commit = 50); /* an older copy */
    assert_int_equal(pay(&counter, "P-3"), HALLSYNC_OK);
    WITH(node, assert_int_equal(node->last->seen->commit, 102); assert_int_equal(node->last->seen->tag, 7));
    assert_int_equal(pay(&counter, "P-4"), HALLSYNC_OK);
    WITH(node, assert_int_equal(node->last->seen->commit, 51)); /* the proof is given once */
    close_counter(&counter);
}

static void no_answer_is_asked_for_again(void **state)
{
    struct node *node = *state;
    struct counter counter = open_counter(node);
    WITH(node, node->silent = true);
    hallsync_set_timeout(counter.client, 50);
    assert_int_equal(pay(&counter, "P-1"), HALLSYNC_TIMEOUT);
    assert_int_equal(state_of(&counter).unanswered, 1);
    assert_int_equal(hallsync_outbox_work(counter.outbox, 1), HALLSYNC_TIMEOUT);
    assert_int_equal(state_of(&counter).waiting, 1);
    WITH(node, node->silent = false);
    round_of(node, &counter);
    assert_int_equal(state_of(&counter).unanswered, 0);
    assert_int_equal(state_of(&counter).again, 0); /* nobody had said that it was done */
    assert_int_equal(node->count, 1);
    close_counter(&counter);
}

static void what_is_refused_is_not_kept(void **state)
{
    struct node *node = *state;
    struct counter counter = open_counter(node);
    WITH(node, node->refuses = "unknown-account");
    assert_int_equal(pay(&counter, "P-1"), HALLSYNC_REFUSED);
    assert_int_equal(strncmp(hallsync_error(counter.client), "unknown-account", 15), 0);
    WITH(node, node->stops = "disk-full");
    assert_int_equal(pay(&counter, "P-2"), HALLSYNC_REFUSED);
    assert_int_equal(state_of(&counter).waiting, 0);
    close_counter(&counter);
}

static int take_item(void *ctx, const struct hallsync_outbox_item *item)
{
    struct hallsync_outbox_item *copy = ctx;
    static uint8_t id[16];
    *copy = *item;
    memcpy(id, item->request->id.data, sizeof id);
    copy->refused = item->refused != NULL ? "yes" : NULL;
    copy->request = (const Hallsync__Request *)(const void *)id; /* only its id is of use here */
    return 0;
}

static void what_was_done_once_waits_until_it_can_be_done_anew(void **state)
{
    struct node *node = *state;
    struct counter counter = open_counter(node);
    struct hallsync_outbox_item item;
    assert_int_equal(pay(&counter, "P-1"), HALLSYNC_OK);
    WITH(node, node->count = 0; node->refuses = "unknown-account"); /* made anew, and not filled yet */
    round_of(node, &counter);
    assert_int_equal(state_of(&counter).refused, 1);
    assert_int_equal(hallsync_outbox_each(counter.outbox, take_item, &item), 0);
    assert_true(item.answered);
    assert_string_equal(item.refused, "yes");
    WITH(node, node->refuses = NULL);
    round_of(node, &counter);
    assert_int_equal(state_of(&counter).again, 1);
    assert_int_equal(state_of(&counter).refused, 0);
    assert_int_equal(hallsync_outbox_forget(counter.outbox, (const uint8_t *)"no such request."), HALLSYNC_REFUSED);
    assert_int_equal(hallsync_outbox_each(counter.outbox, take_item, &item), 0);
    assert_int_equal(hallsync_outbox_forget(counter.outbox, (const uint8_t *)item.request), HALLSYNC_OK);
    assert_int_equal(state_of(&counter).waiting, 0);
    close_counter(&counter);
}

static void a_node_that_is_busy_stops_the_round(void **state)
{
    struct node *node = *state;
    struct counter counter = open_counter(node);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pay(&counter, (char[]){'P', (char)('0' + i), '\0'}), HALLSYNC_OK);
    WITH(node, node->stops = "busy"; node->requests = 0);
    assert_int_equal(hallsync_outbox_work(counter.outbox, WRITES_MAX), HALLSYNC_REFUSED);
    WITH(node, assert_int_equal(node->requests, 1));
    close_counter(&counter);
}

/* A name is changed; the node loses that; sent anew it names no value as overwritten. */
static void a_change_done_anew_overwrites_nothing(void **state)
{
    struct node *node = *state;
    struct counter counter = open_counter(node);
    const Hallsync__PutResult *result;
    Hallsync__Customer customer = HALLSYNC__CUSTOMER__INIT;
    customer.account = S("3201000001");
    customer.name = S("Zhang San");
    assert_int_equal(hallsync_outbox_put(counter.outbox, HALLSYNC_KIND_CUSTOMER, &customer.base, &result), HALLSYNC_OK);
    WITH(node, assert_int_equal(node->last->put->records[0]->n_seen, 0));
    WITH(node, node->count = 0);
    round_of(node, &counter);
    Hallsync__PutRecord *record = node->last->put->records[0];
    assert_int_equal(record->n_seen, 2);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(record->seen[i]->n_dots, 0);
    assert_true(record->seen[0]->field != record->seen[1]->field);
    assert_int_equal(state_of(&counter).again, 1);
    close_counter(&counter);
}

static void only_single_writes_are_kept(void **state)
{
    struct node *node = *state;
    struct counter counter = open_counter(node);
    const Hallsync__Reply *reply;
    uint8_t id[16];
    Hallsync__GetRequest get = HALLSYNC__GET_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    get.id = S("P-1");
    request.body_case = HALLSYNC__REQUEST__BODY_GET;
    request.get = &get;
    errno = 0;
    assert_int_equal(hallsync_outbox_call(counter.outbox, &request, id, &reply), HALLSYNC_SYSTEM);
    assert_int_equal(errno, EINVAL);
    Hallsync__PutRequest put = HALLSYNC__PUT_REQUEST__INIT; /* without a record */
    request.body_case = HALLSYNC__REQUEST__BODY_PUT;
    request.put = &put;
    assert_int_equal(hallsync_outbox_call(counter.outbox, &request, id, &reply), HALLSYNC_SYSTEM);

    Hallsync__ReverseRequest reverse = HALLSYNC__REVERSE_REQUEST__INIT;
    reverse.payment_id = S("P-1");
    request.body_case = HALLSYNC__REQUEST__BODY_REVERSE;
    request.reverse = &reverse;
    assert_int_equal(hallsync_outbox_call(counter.outbox, &request, id, &reply), HALLSYNC_OK);
    request.id = (ProtobufCBinaryData){.len = sizeof id, .data = id}; /* the same once more */
    assert_int_equal(hallsync_outbox_call(counter.outbox, &request, id, &reply), HALLSYNC_OK);
    assert_int_equal(state_of(&counter).waiting, 1);
    close_counter(&counter);
}

static void one_process_has_it(void **state)
{
    struct node *node = *state;
    struct counter counter = open_counter(node);
    struct hallsync_outbox *second;
    errno = 0;
    assert_int_equal(hallsync_outbox_open(counter.client, node->file, &second), HALLSYNC_SYSTEM);
    assert_int_equal(errno, EWOULDBLOCK);
    assert_null(second);
    assert_int_equal(hallsync_outbox_open(counter.client, node->dir, &second), HALLSYNC_SYSTEM);
    struct stat stat_of;
    assert_int_equal(stat(node->file, &stat_of), 0);
    assert_int_equal(stat_of.st_mode & 0777, 0600);
    close_counter(&counter);
    hallsync_outbox_close(NULL);
}

/* ---- the file ---- */

static int make_dir_like(void **state, const char *name)
{
    char *dir = strdup(name);
    assert_true(sodium_init() >= 0);
    assert_non_null(mkdtemp(dir));
    *state = dir;
    return 0;
}

static int make_dir(void **state)
{
    return make_dir_like(state, "/tmp/hallsync-outbox-XXXXXX");
}

/* Where a sync costs nothing. */
static int make_dir_in_memory(void **state)
{
    return make_dir_like(state, "/dev/shm/hallsync-outbox-XXXXXX");
}

static int remove_dir(void **state)
{
    char path[128];
    snprintf(path, sizeof path, "%s/box", (char *)*state);
    unlink(path);
    assert_int_equal(rmdir(*state), 0);
    free(*state);
    return 0;
}

static const char *path_of(void **state)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/box", (char *)*state);
    return path;
}

static void id_of(uint64_t number, uint8_t id[16])
{
    memset(id, (int)number + 1, 16);
}

static void add(struct hs_box *box, uint64_t number)
{
    uint8_t id[16], request[64];
    id_of(number, id);
    memset(request, (int)number, sizeof request);
    assert_int_equal(hs_box_add(box, 1000 + number, id, request, 1 + number % sizeof request), 0);
}

static size_t read_file(const char *path, uint8_t *bytes, size_t room)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, room, file);
    fclose(file);
    return size;
}

static void write_file(const char *path, const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static bool is_entry(const struct hs_box_entry *entry, uint64_t number)
{
    uint8_t id[16];
    id_of(number, id);
    bool same = memcmp(entry->id, id, sizeof id) == 0 && entry->time_ms == 1000 + number &&
                entry->size == 1 + number % 64;
    for (size_t i = 0; i < entry->size && same; i++)
        same = entry->request[i] == (uint8_t)number;
    return same;
}

/* Seven requests, of which the first and the fourth are done, the second and the fifth answered. */
static size_t make_file(const char *path, uint8_t *bytes, size_t room, uint64_t ends[static 8])
{
    struct hs_box box;
    assert_int_equal(hs_box_open(&box, path), 0);
    for (uint64_t i = 0; i < 7; i++) {
        add(&box, i);
        ends[i] = box.size;
        if (i == 4)
            assert_int_equal(hs_box_done(&box, 0), 0); /* of the first one */
    }
    assert_int_equal(hs_box_answered(&box, 0, &(struct hs_box_position){41, 9, 3}), 0);
    assert_int_equal(hs_box_answered(&box, 3, &(struct hs_box_position){42, 8, 2}), 0);
    assert_int_equal(hs_box_done(&box, 2), 0);
    ends[7] = box.size;
    hs_box_close(&box);
    return read_file(path, bytes, room);
}

static const uint64_t LEFT[] = {1, 2, 4, 5, 6};

static void what_is_written_is_read(void **state)
{
    uint8_t bytes[4096];
    uint64_t ends[8];
    struct hs_box box;
    make_file(path_of(state), bytes, sizeof bytes, ends);
    assert_int_equal(hs_box_open(&box, path_of(state)), 0);
    assert_int_equal(box.count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_true(is_entry(&box.entries[i], LEFT[i]));
        assert_int_equal(box.entries[i].answered, LEFT[i] == 1 || LEFT[i] == 4);
    }
    assert_int_equal(box.told.commit, 42);
    assert_int_equal(box.told.tag, 8);
    assert_int_equal(box.told.store, 2);
    assert_int_equal(box.passed_over, 0);
    hs_box_close(&box);
}

static bool holds(const struct hs_box *box, uint64_t number)
{
    for (size_t i = 0; i < box->count; i++) {
        if (is_entry(&box->entries[i], number))
            return true;
    }
    return false;
}

/* Whatever stands before the cut is there, and it is written on from there. */
static void every_cut_loses_only_what_is_behind_it(void **state)
{
    uint8_t bytes[4096];
    uint64_t ends[8];
    size_t size = make_file(path_of(state), bytes, sizeof bytes, ends);
    for (size_t cut = 0; cut < size; cut++) {
        struct hs_box box;
        write_file(path_of(state), bytes, cut);
        assert_int_equal(hs_box_open(&box, path_of(state)), 0);
        assert_int_equal(box.passed_over, 0);
        for (uint64_t i = 0; i < 7; i++)
            assert_true(i == 0 || i == 3 || holds(&box, i) == (ends[i] <= cut)); /* 0 and 3 are done further on */
        if (cut % 16 == 0) {
            add(&box, 50);
            hs_box_close(&box);
            assert_int_equal(hs_box_open(&box, path_of(state)), 0);
            assert_true(holds(&box, 50));
        }
        hs_box_close(&box);
    }
}

/* A flipped byte costs the row that it is in, and says so if it was not the last one. */
static void every_flipped_byte_costs_one_row(void **state)
{
    uint8_t bytes[4096];
    uint64_t ends[8];
    size_t size = make_file(path_of(state), bytes, sizeof bytes, ends);
    for (size_t at = 0; at < size; at++) {
        struct hs_box box;
        bytes[at] ^= 0x55;
        write_file(path_of(state), bytes, size);
        bytes[at] ^= 0x55;
        errno = 0;
        int opened = hs_box_open(&box, path_of(state));
        assert_int_equal(opened, at < 64 ? -1 : 0); /* the header says whose rows these are */
        if (opened != 0) {
            assert_int_equal(errno, EPROTO);
            continue;
        }
        unsigned missing = 0;
        for (size_t i = 0; i < 5; i++)
            missing += !holds(&box, LEFT[i]);
        assert_true(missing <= 1);
        assert_true(missing == 0 || box.passed_over > 0);
        hs_box_close(&box);
    }
}

static void a_file_that_was_never_synced_is_begun_anew(void **state)
{
    static const uint8_t zeros[4096];
    struct hs_box box;
    write_file(path_of(state), zeros, sizeof zeros);
    assert_int_equal(hs_box_open(&box, path_of(state)), 0);
    add(&box, 1);
    hs_box_close(&box);
    assert_int_equal(hs_box_open(&box, path_of(state)), 0);
    assert_int_equal(box.count, 1);
    hs_box_close(&box);
    write_file(path_of(state), (const uint8_t *)"something else, of somebody else's", 34);
    assert_int_equal(hs_box_open(&box, path_of(state)), -1);
    assert_int_equal(errno, EPROTO);
}

static void the_file_does_not_grow_for_ever(void **state)
{
    static const uint8_t request[8192];
    uint8_t id[16];
    struct hs_box box;
    struct stat stat_of;
    assert_int_equal(hs_box_open(&box, path_of(state)), 0);
    add(&box, 7);
    assert_int_equal(hs_box_answered(&box, 0, &(struct hs_box_position){5, 6, 7}), 0);
    for (uint64_t i = 0; i < 100; i++) {
        id_of(i, id);
        assert_int_equal(hs_box_add(&box, i, id, request, sizeof request), 0);
        assert_int_equal(hs_box_answered(&box, 1, &(struct hs_box_position){100 + i, i, 7}), 0);
        assert_int_equal(hs_box_done(&box, 1), 0);
    }
    assert_int_equal(stat(path_of(state), &stat_of), 0);
    assert_true(stat_of.st_size < 300 * 1024);
    hs_box_close(&box);
    assert_int_equal(hs_box_open(&box, path_of(state)), 0);
    assert_int_equal(box.count, 1);
    assert_true(is_entry(&box.entries[0], 7) && box.entries[0].answered);
    assert_int_equal(box.told.commit, 199);
    hs_box_close(&box);
}

/* A long outage: the same few are asked for again and again, and each answer names a newer position. */
static void answers_do_not_make_it_grow_for_ever(void **state)
{
    struct hs_box box;
    struct stat stat_of;
    assert_int_equal(hs_box_open(&box, path_of(state)), 0);
    for (uint64_t i = 0; i < 3; i++)
        add(&box, i);
    for (uint64_t i = 0; i < 30000; i++)
        assert_int_equal(hs_box_answered(&box, i % 3, &(struct hs_box_position){1 + i, 6, 7}), 0);
    assert_int_equal(stat(path_of(state), &stat_of), 0);
    assert_true(stat_of.st_size < 300 * 1024);
    hs_box_close(&box);
    assert_int_equal(hs_box_open(&box, path_of(state)), 0);
    assert_int_equal(box.count, 3);
    for (uint64_t i = 0; i < 3; i++)
        assert_true(is_entry(&box.entries[i], i) && box.entries[i].answered);
    assert_int_equal(box.told.commit, 30000);
    hs_box_close(&box);
}

/* What its rows take besides the requests is of use too: a file of many small ones is not written anew for each. */
static void a_full_one_is_not_made_anew_for_each(void **state)
{
    static const struct hs_box_position told = {1, 2, 3};
    struct hs_box box;
    struct stat before, after;
    assert_int_equal(hs_box_open(&box, path_of(state)), 0);
    for (uint64_t i = 0; i < 3000; i++)
        add(&box, i % 50);
    for (size_t i = 0; i < 3000; i++)
        assert_int_equal(hs_box_answered(&box, i, &told), 0);
    assert_int_equal(stat(path_of(state), &before), 0);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(hs_box_done(&box, 0), 0);
    assert_int_equal(stat(path_of(state), &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    while (box.count > 0)
        assert_int_equal(hs_box_done(&box, box.count - 1), 0);
    assert_int_equal(stat(path_of(state), &after), 0);
    assert_true(after.st_size < 300 * 1024);
    hs_box_close(&box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_a_hub_has_is_taken_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_the_node_has_lost_is_done_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(positions_are_shown_and_outlive_the_program, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_answer_is_asked_for_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_refused_is_not_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_done_once_waits_until_it_can_be_done_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_node_that_is_busy_stops_the_round, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_change_done_anew_overwrites_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_single_writes_are_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_process_has_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_written_is_read, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(every_cut_loses_only_what_is_behind_it, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(every_flipped_byte_costs_one_row, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_file_that_was_never_synced_is_begun_anew, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(the_file_does_not_grow_for_ever, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(answers_do_not_make_it_grow_for_ever, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_full_one_is_not_made_anew_for_each, make_dir_in_memory, remove_dir),
    };
    return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
