/* node_test.c -- key files, configuration, the link's start and the client library while something fails: what is
 * written is whole or not there, a secret is never open to others, and the next try succeeds. */
#include "tests/fault/fault.h"
#include "tests/lib/store_world.h"

#include "node/client/hallsync.h"
#include "node/conf/conf.h"
#include "node/link/keys.h"
#include "node/link/link.h"

#include <pthread.h>
#include <sodium.h>
#include <zmq.h>

#define TEXT(literal) HS_BYTES(literal, sizeof(literal) - 1)
#define FILE_KINDS    (FAULT_OF_MEMORY | FAULT_BIT(FAULT_FILE_FULL) | FAULT_BIT(FAULT_FILE_IO))

struct place {
    char dir[WORLD_PATH_BYTES];
};

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    const char *tmp = getenv("TMPDIR");
    if (place == NULL)
        return -1;
    *state = place;
    world_make_dir(place->dir, tmp == NULL ? "/tmp" : tmp, "hallsync-fault-XXXXXX");
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    fault_report(NULL);
    world_remove(place->dir);
    free(place);
    return 0;
}

static void empty(const struct place *place)
{
    world_remove(place->dir);
    assert_int_equal(mkdir(place->dir, 0700), 0);
}

/* Which file it was is more than the error's own text can say. */
static void expect_told(enum hs_err err, const struct hs_why *why)
{
    bool of_files = (FAULT_OF_FILES & FAULT_BIT(fault_kind())) != 0;
    fault_assert_named(err);
    assert_true(err == HS_OK || !of_files || why->text[0] != '\0');
}

/* ---- files ---- */

static void write_once(void *ctx)
{
    const struct place *place = ctx;
    struct hs_why why = {{0}};
    struct hs_buf held = {0};
    struct stat status;
    char path[WORLD_PATH_BYTES];
    world_path(path, place->dir, "secret");
    empty(place);
    assert_int_equal(hs_file_write(path, TEXT("first"), 0600, NULL), HS_OK);
    fault_begin();
    enum hs_err err = hs_file_write(path, TEXT("second, and longer"), 0600, &why);
    fault_end();
    expect_told(err, &why);
    assert_int_equal(hs_file_read(path, 100, &held, NULL), HS_OK);
    bool second = hs_bytes_equal(hs_buf_bytes(&held), TEXT("second, and longer"));
    assert_true(second || (err != HS_OK && hs_bytes_equal(hs_buf_bytes(&held), TEXT("first"))));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    hs_buf_fini(&held);
}

static void a_file_is_the_old_one_or_the_new_one(void **state)
{
    fault_each("writing a file", FAULT_BIT(FAULT_FILE_FULL) | FAULT_BIT(FAULT_FILE_IO) | FAULT_BIT(FAULT_FILE_SHORT),
               write_once, *state);
}

/* ---- keys ---- */

static const struct hs_keys_draft HUB = {
    .region = "Jiangsu", .node_id = "hub-1", .home = 3201, .now_ms = 1800000000000};

static void assert_closed(const struct place *place)
{
    static const char *const SECRETS[] = {"root.key", "issuer.key", "node.key", "curve.key"};
    char folder[WORLD_PATH_BYTES];
    char path[WORLD_PATH_BYTES];
    struct stat status;
    struct hs_buf held = {0};
    world_path(folder, place->dir, "keys");
    for (size_t i = 0; i < sizeof SECRETS / sizeof *SECRETS; i++) {
        world_path(path, folder, SECRETS[i]);
        if (stat(path, &status) != 0)
            continue;
        assert_int_equal(status.st_mode & 0777, 0600);
        hs_buf_reset(&held);
        assert_int_equal(hs_file_read(path, 1000, &held, NULL), HS_OK);
        assert_true(held.size >= 64); /* a seed in hex: never half of it */
    }
    hs_buf_fini(&held);
}

static void make_hub_once(void *ctx)
{
    const struct place *place = ctx;
    struct hs_why why = {{0}};
    struct hs_keys keys = {0};
    empty(place);
    fault_begin();
    enum hs_err err = hs_keys_make_hub(place->dir, &HUB, &why);
    fault_end();
    expect_told(err, &why);
    assert_closed(place);
    if (err != HS_OK) {
        err = hs_keys_make_hub(place->dir, &HUB, &why);
        assert_true(err == HS_OK || err == HS_EEXISTS);
    }
    assert_int_equal(hs_keys_load(place->dir, &keys, &why), HS_OK);
    hs_keys_free(&keys);
}

static void a_hubs_keys_half_made_can_be_finished(void **state)
{
    fault_each("making a hub's keys", FILE_KINDS | FAULT_BIT(FAULT_FILE_SHORT), make_hub_once, *state);
}

/* Those of the first try are kept: a token may have been used with them. */
static void make_hall_once(void *ctx)
{
    const struct place *place = ctx;
    struct hs_why why = {{0}};
    struct hs_keys first = {0};
    struct hs_keys second = {0};
    empty(place);
    fault_begin();
    enum hs_err err = hs_keys_make_hall(place->dir, &first, &why);
    fault_end();
    expect_told(err, &why);
    assert_closed(place);
    assert_int_equal(hs_keys_make_hall(place->dir, &second, &why), HS_OK);
    assert_true(err != HS_OK || hs_key_equal(&first.node_key, &second.node_key));
    hs_keys_free(&first);
    hs_keys_free(&second);
}

static void a_halls_keys_half_made_can_be_finished(void **state)
{
    fault_each("making a hall's keys", FILE_KINDS | FAULT_BIT(FAULT_FILE_SHORT), make_hall_once, *state);
}

static void load_once(void *ctx)
{
    const struct place *place = ctx;
    struct hs_why why = {{0}};
    struct hs_keys keys = {0};
    fault_begin();
    enum hs_err err = hs_keys_load(place->dir, &keys, &why);
    fault_end();
    expect_told(err, &why);
    assert_true((keys.node != NULL) == (err == HS_OK));
    hs_keys_free(&keys);
}

static void keys_that_were_not_loaded_leave_nothing(void **state)
{
    const struct place *place = *state;
    assert_int_equal(hs_keys_make_hub(place->dir, &HUB, NULL), HS_OK);
    fault_each("loading keys", FAULT_OF_MEMORY | FAULT_BIT(FAULT_FILE_IO), load_once, *state);
}

/* ---- configuration ---- */

static void conf_once(void *ctx)
{
    const struct place *place = ctx;
    struct hs_why why = {{0}};
    struct hs_conf conf = {0};
    char path[WORLD_PATH_BYTES];
    world_path(path, place->dir, "hallsync.yaml");
    fault_begin();
    enum hs_err err = hs_conf_load(path, &conf, &why);
    fault_end();
    expect_told(err, &why);
    if (err == HS_OK) {
        assert_string_equal(conf.node.id, "nj-gulou");
        assert_string_equal(conf.listen.clients, "ipc:///var/lib/hallsync/hallsync.sock");
        assert_int_equal(conf.listen.peers_count, 2);
    }
    hs_conf_free(&conf);
}

static void a_configuration_is_whole_or_refused(void **state)
{
    const struct place *place = *state;
    char path[WORLD_PATH_BYTES];
    world_path(path, place->dir, "hallsync.yaml");
    assert_int_equal(hs_file_write(path,
                                   TEXT("node:\n  id: \"nj-gulou\"\n  role: \"hub\"\n  data: \"/var/lib/hallsync\"\n"
                                        "listen:\n  peers:\n    - \"tcp://127.0.0.1:7400\"\n"
                                        "    - \"tcp://127.0.0.1:7401\"\n"),
                                   0600, NULL),
                     HS_OK);
    fault_each("a configuration", FAULT_OF_MEMORY, conf_once, *state);
}

/* ---- the link ---- */

static void link_once(void *ctx)
{
    struct hs_link *link = NULL;
    struct hs_why why = {{0}};
    const char *address = "tcp://127.0.0.1:*";
    struct hs_link_upstream upstream = {.address = "tcp://127.0.0.1:9"};
    struct hs_link_options options = {
        .listen = &address, .listen_count = 1, .upstreams = &upstream, .upstream_count = 1};
    uint8_t secret[HS_KEY_BYTES];
    (void)ctx;
    assert_int_equal(crypto_box_keypair(options.curve_public.bytes, secret), 0);
    options.curve_secret = secret;
    fault_begin();
    enum hs_err err = hs_link_new(&options, &link, &why);
    fault_end();
    expect_told(err, &why);
    hs_link_free(link);
    link = NULL;
    assert_int_equal(hs_link_new(&options, &link, &why), HS_OK);
    hs_link_free(link);
}

static void a_link_that_was_not_made_leaves_nothing(void **state)
{
    fault_each("making a link", FAULT_OF_MEMORY | FAULT_BIT(FAULT_SYSTEM), link_once, *state);
}

/* ---- the client library ---- */

struct desk {
    void *context, *router;
    char endpoint[WORLD_PATH_BYTES + 16];
    pthread_t thread;
};

/* One answer; false: the socket was told to end. */
static bool answer_one(void *router)
{
    zmq_msg_t part[2];
    uint8_t bytes[128];
    Hallsync__Reply reply = HALLSYNC__REPLY__INIT;
    Hallsync__PutReply put = HALLSYNC__PUT_REPLY__INIT;
    Hallsync__PutResult result = HALLSYNC__PUT_RESULT__INIT;
    Hallsync__PutResult *results[] = {&result, &result};
    for (int i = 0; i < 2; i++) {
        zmq_msg_init(&part[i]);
        zmq_msg_recv(&part[i], router, 0);
    }
    Hallsync__Request *request = hallsync__request__unpack(NULL, zmq_msg_size(&part[1]), zmq_msg_data(&part[1]));
    bool more = request != NULL;
    if (more) {
        reply.id = request->id;
        reply.body_case = HALLSYNC__REPLY__BODY_PUT;
        reply.put = &put;
        put.results = results;
        put.n_results = 2;
        result.error = (char *)(uintptr_t) "disk-full";
        size_t size = hallsync__reply__pack(&reply, bytes);
        zmq_send(router, zmq_msg_data(&part[0]), zmq_msg_size(&part[0]), ZMQ_SNDMORE);
        zmq_send(router, bytes, size, 0);
        hallsync__request__free_unpacked(request, NULL);
    }
    for (int i = 0; i < 2; i++)
        zmq_msg_close(&part[i]);
    return more;
}

static void *answer_all(void *router)
{
    fault_pause(); /* only the client's calls count */
    while (answer_one(router))
        continue;
    return NULL;
}

static void call_once(void *ctx)
{
    struct desk *desk = ctx;
    Hallsync__TotalsRequest totals = HALLSYNC__TOTALS_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    const Hallsync__Reply *reply = NULL;
    uint8_t id[16];
    request.body_case = HALLSYNC__REQUEST__BODY_TOTALS;
    request.totals = &totals;
    fault_begin();
    struct hallsync *client = hallsync_open(desk->endpoint);
    enum hallsync_status status = HALLSYNC_MEMORY;
    if (client != NULL) {
        hallsync_set_timeout(client, 200);
        status = hallsync_call(client, &request, id, &reply);
    }
    fault_end();
    assert_true(fault_hit() || status == HALLSYNC_OK);
    if (fault_kind() == FAULT_MEMORY) /* also while the answer is unpacked: nobody is to blame the node for it */
        assert_true(status == HALLSYNC_OK || status == HALLSYNC_MEMORY);
    assert_true(status == HALLSYNC_OK || status == HALLSYNC_TIMEOUT || status == HALLSYNC_MEMORY ||
                status == HALLSYNC_SYSTEM);
    assert_true((reply != NULL) == (status == HALLSYNC_OK));
    if (client == NULL)
        client = hallsync_open(desk->endpoint);
    assert_non_null(client);
    assert_true(status == HALLSYNC_OK || reply == NULL);
    hallsync_set_timeout(client, 20000);
    assert_int_equal(hallsync_call(client, &request, id, &reply), HALLSYNC_OK);
    hallsync_close(client);
}

static void a_client_that_failed_can_ask_again(void **state)
{
    const struct place *place = *state;
    struct desk desk = {.context = zmq_ctx_new()};
    void *last;
    desk.router = zmq_socket(desk.context, ZMQ_ROUTER);
    snprintf(desk.endpoint, sizeof desk.endpoint, "ipc://%s/sock", place->dir);
    assert_int_equal(zmq_bind(desk.router, desk.endpoint), 0);
    assert_int_equal(pthread_create(&desk.thread, NULL, answer_all, desk.router), 0);
    fault_each_without_sampling("a call", FAULT_OF_MEMORY, call_once, &desk);
    fault_each("a call", FAULT_OF_SOCKETS, call_once, &desk);
    last = zmq_socket(desk.context, ZMQ_DEALER);
    assert_int_equal(zmq_connect(last, desk.endpoint), 0);
    assert_int_equal(zmq_send(last, "\xff", 1, 0), 1);
    pthread_join(desk.thread, NULL);
    zmq_close(last);
    zmq_close(desk.router);
    zmq_ctx_term(desk.context);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(a_file_is_the_old_one_or_the_new_one),   IN_PLACE(a_hubs_keys_half_made_can_be_finished),
        IN_PLACE(a_halls_keys_half_made_can_be_finished), IN_PLACE(keys_that_were_not_loaded_leave_nothing),
        IN_PLACE(a_configuration_is_whole_or_refused),    IN_PLACE(a_link_that_was_not_made_leaves_nothing),
        IN_PLACE(a_client_that_failed_can_ask_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
