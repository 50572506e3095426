/* cli_test.c -- bills imported from a file while calls fail: what goes to the node is what stands in the file, amounts
 * above all; what is refused stands in the rejects file whole; and the import says what went wrong. */
#include "tests/fault/fault.h"
#include "tests/lib/store_world.h"

#include "node/cli/cli.h"
#include "node/cli/rows.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#define HEADER     "bill_id,account,amount_fen\n"
#define FEW        6
#define MANY       3000 /* some begin in one read and end in the next */
#define BAD_ROW    1    /* its amount is none: refused here */
#define BAD_AT_HUB 3    /* refused by the node */

struct place {
    char dir[WORLD_PATH_BYTES];
    char path[WORLD_PATH_BYTES];
    char rejects[WORLD_PATH_BYTES];
    size_t rows; /* in the file */
};

static int64_t amount_of(size_t row)
{
    return 1000000 + (int64_t)row * 7;
}

static void write_bytes(struct place *place, const char *name, const struct hs_buf *text)
{
    world_path(place->path, place->dir, name);
    int fd = open(place->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text->data, text->size), text->size);
    close(fd);
}

static void write_file(struct place *place, bool json, size_t rows, bool with_bad)
{
    struct hs_buf text = {0};
    place->rows = rows;
    hs_buf_put_format(&text, "%s", json ? "" : HEADER);
    for (size_t i = 0; i < rows; i++) {
        if (with_bad && i == BAD_ROW)
            hs_buf_put_format(&text, "B-%zu,3201000001,much\n", i);
        else if (json)
            hs_buf_put_format(&text, "{\"bill_id\":\"B-%zu\",\"account\":\"3201000001\",\"amount_fen\":%lld}\n", i,
                              (long long)amount_of(i));
        else
            hs_buf_put_format(&text, "B-%zu,3201000001,%lld\n", i, (long long)amount_of(i));
    }
    write_bytes(place, json ? "bills.jsonl" : "bills.csv", &text);
    hs_buf_fini(&text);
}

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    const char *tmp = getenv("TMPDIR");
    if (place == NULL)
        return -1;
    *state = place;
    world_make_dir(place->dir, tmp == NULL ? "/tmp" : tmp, "hallsync-fault-XXXXXX");
    world_path(place->rejects, place->dir, "rejects.csv");
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

static void assert_bill(const ProtobufCMessage *message, size_t row)
{
    const Hallsync__Bill *bill = (const Hallsync__Bill *)message;
    char id[32];
    snprintf(id, sizeof id, "B-%zu", row);
    assert_string_equal(bill->bill_id, id);
    assert_string_equal(bill->account, "3201000001");
    assert_true(bill->amount_fen == amount_of(row));
}

/* ---- rows ---- */

/* Answers how many rows were good. */
static size_t read_rows(struct cli_rows *rows)
{
    struct cli_row row;
    size_t count = 0;
    bool more = true;
    while (more) {
        struct cli_draft draft;
        more = cli_rows_next(rows, &draft, &row);
        if (more && row.err == HS_OK)
            assert_bill(draft.message, count);
        else if (more)
            fault_assert_named(row.err);
        count += more;
        cli_draft_fini(&draft);
    }
    return count;
}

static void rows_once(void *ctx)
{
    const struct place *place = ctx;
    struct cli_bad bad = {0};
    struct cli_rows *rows = calloc(1, sizeof *rows);
    int fd = open(place->path, O_RDONLY | O_CLOEXEC);
    assert_true(rows != NULL && fd >= 0);
    fault_begin();
    enum hs_err err = cli_rows_open(rows, hs_kind_by_number(HS_KIND_BILL), fd, place->path, &bad);
    size_t count = err == HS_OK ? read_rows(rows) : 0;
    fault_end();
    assert_true(err == HS_OK || fault_hit());
    if (rows->input.error == 0 && err == HS_OK)
        assert_int_equal(count, place->rows);
    cli_rows_close(rows);
    free(rows);
    close(fd);
}

static void a_row_is_whole_or_none(void **state)
{
    struct place *place = *state;
    for (int json = 0; json < 2; json++) {
        write_file(place, json == 1, FEW, false);
        fault_each("few rows", FAULT_OF_MEMORY, rows_once, place);
        write_file(place, json == 1, MANY, false);
        fault_each("many rows", FAULT_BIT(FAULT_FILE_IO) | FAULT_BIT(FAULT_FILE_SHORT), rows_once, place);
    }
}

/* What was read before a disk error is no end of the file: 1000000 fen are not 1000. */
static void an_amount_is_not_cut_by_a_read_that_fails(void **state)
{
    struct place *place = *state;
    struct hs_buf text = {0};
    hs_buf_put_format(&text, HEADER);
    while (text.size < CLI_READ_BYTES - strlen("B-0,3201000001,1000"))
        hs_buf_put_u8(&text, '\n'); /* empty lines are left out */
    hs_buf_put_format(&text, "B-0,3201000001,%lld\n", (long long)amount_of(0));
    write_bytes(place, "bills.csv", &text);
    hs_buf_fini(&text);
    place->rows = 1;
    fault_each_without_sampling("one row in two reads", FAULT_BIT(FAULT_FILE_IO), rows_once, place);
}

/* ---- the import, and a node that takes it ---- */

struct desk {
    struct place *place;
    void *context, *router;
    char endpoint[WORLD_PATH_BYTES + 16];
    pthread_t thread;
};

static void answer_put(const Hallsync__PutRequest *put, Hallsync__PutReply *reply, Hallsync__PutResult *results)
{
    for (size_t i = 0; i < put->n_records; i++) {
        const ProtobufCBinaryData *packed = &put->records[i]->record;
        Hallsync__Bill *bill = hallsync__bill__unpack(NULL, packed->len, packed->data);
        assert_non_null(bill);
        size_t row = strtoul(bill->bill_id + 2, NULL, 10);
        assert_bill(&bill->base, row);
        hallsync__put_result__init(&results[i]);
        if (row == BAD_AT_HUB)
            results[i].error = (char *)(uintptr_t) "fixed-field";
        reply->results[i] = &results[i];
        hallsync__bill__free_unpacked(bill, NULL);
    }
    reply->n_results = put->n_records;
}

/* One answer; false: it is told to end. */
static bool answer_one(void *router)
{
    zmq_msg_t part[2];
    uint8_t bytes[1024];
    Hallsync__Reply reply = HALLSYNC__REPLY__INIT;
    Hallsync__PutReply put = HALLSYNC__PUT_REPLY__INIT;
    Hallsync__PutResult results[FEW];
    Hallsync__PutResult *pointers[FEW];
    put.results = pointers;
    for (int i = 0; i < 2; i++) {
        zmq_msg_init(&part[i]);
        zmq_msg_recv(&part[i], router, 0);
    }
    Hallsync__Request *request = hallsync__request__unpack(NULL, zmq_msg_size(&part[1]), zmq_msg_data(&part[1]));
    bool more = request != NULL;
    if (more) {
        answer_put(request->put, &put, results);
        reply.id = request->id;
        reply.body_case = HALLSYNC__REPLY__BODY_PUT;
        reply.put = &put;
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
    fault_pause(); /* only the import's calls count */
    while (answer_one(router))
        continue;
    return NULL;
}

/* Rows that were refused by rule, whole, in their order; nothing that only memory or the disk was short for. */
static void assert_rejects(const struct place *place, bool all)
{
    static const char WHOLE[] = "line,field,error,text,row\n"
                                "3,amount_fen,bad-amount,amount_fen: an amount is a whole number of fen above zero,"
                                "\"B-1,3201000001,much\"\n"
                                "5,,fixed-field,this field cannot be changed once it is set,"
                                "\"B-3,3201000001,1000021\"\n";
    char held[sizeof WHOLE + 1] = "";
    FILE *file = fopen(place->rejects, "re");
    size_t size = file == NULL ? 0 : fread(held, 1, sizeof WHOLE, file);
    if (file != NULL)
        fclose(file);
    if (all)
        assert_string_equal(held, WHOLE);
    assert_memory_equal(held, WHOLE, size);
    assert_true(size == 0 || held[size - 1] == '\n');
}

static void import_once(void *ctx)
{
    struct desk *desk = ctx;
    struct place *place = desk->place;
    static const struct cli_command COMMAND = {.kind = HS_KIND_BILL};
    char *args[] = {place->path};
    struct cli cli = {.command = &COMMAND, .args = args, .arg_count = 1, .json = true, .endpoint = desk->endpoint};
    cli.options[CLI_REJECTS] = place->rejects;
    cli.options[CLI_TIMEOUT] = "5s";
    unlink(place->rejects);
    fault_begin();
    enum hs_err err = cli_run_import(&cli);
    fault_end();
    if (err == HS_EINVAL) /* the file cannot be opened: a mistake in the command, for all that is known */
        assert_non_null(strstr(cli.bad.why.text, place->path));
    else
        fault_assert_named(err);
    assert_rejects(place, err == HS_OK);
    hallsync_close(cli.client);
}

static void an_import_rejects_nothing_for_want_of_memory(void **state)
{
    struct place *place = *state;
    struct desk desk = {.place = place, .context = zmq_ctx_new()};
    write_file(place, false, FEW, true);
    desk.router = zmq_socket(desk.context, ZMQ_ROUTER);
    snprintf(desk.endpoint, sizeof desk.endpoint, "ipc://%s/sock", place->dir);
    assert_int_equal(zmq_bind(desk.router, desk.endpoint), 0);
    assert_int_equal(pthread_create(&desk.thread, NULL, answer_all, desk.router), 0);
    fault_each("an import", FAULT_OF_MEMORY | FAULT_BIT(FAULT_FILE_IO), import_once, &desk);
    void *last = zmq_socket(desk.context, ZMQ_DEALER);
    assert_int_equal(zmq_connect(last, desk.endpoint), 0);
    assert_int_equal(zmq_send(last, "\xff", 1, 0), 1);
    pthread_join(desk.thread, NULL);
    zmq_close(last);
    zmq_close(desk.router);
    zmq_ctx_term(desk.context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_row_is_whole_or_none, setup, teardown),
        cmocka_unit_test_setup_teardown(an_amount_is_not_cut_by_a_read_that_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(an_import_rejects_nothing_for_want_of_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
