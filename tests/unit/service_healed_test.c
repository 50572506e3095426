/* service_healed_test.c -- what rotted in the log, as the local API lists it. */
#include "proto/msg/frame.h"
#include "storage/log/inside.h"
#include "tests/unit/service_desk.h"

#define HEALED 150 /* more than an answer lists */

static void found_nothing(void *ctx, bool start, bool full, struct hs_buf *reply)
{
    Hallsync__VerifyReply verify = HALLSYNC__VERIFY_REPLY__INIT;
    (void)ctx;
    (void)start;
    (void)full;
    hs_msg_pack(&verify.base, reply);
}

static int open_place(void **state)
{
    struct desk *desk = make_desk(HS_ROLE_HALL);
    desk->office.options.hooks.verify = found_nothing;
    *state = desk;
    return 0;
}

/* As heal.c writes it: a receipt of the store @n, which rotted. */
static void put_row(struct hs_txn *txn, uint8_t n, enum hs_healing state)
{
    struct hs_stream stream = {n, 3201, HS_LANE_WORK};
    uint8_t key[HS_STREAM_KEY_BYTES + 16] = {0}, row[17] = {0};
    hs_stream_key(&stream, key);
    hs_be64(key + HS_STREAM_KEY_BYTES + 8, n);
    row[16] = (uint8_t)state;
    hs_txn_put(txn, LOG_HEALED, HS_BYTES(key, sizeof key), HS_BYTES(row, sizeof row));
}

/* A disk that rots has a long history: what is still to be waited for is not behind it. */
static void what_waits_is_listed_first(void **state)
{
    struct desk *desk = *state;
    char path[WORLD_PATH_BYTES];
    struct hs_env *env = NULL;
    struct hs_txn txn;
    Hallsync__VerifyRequest body = HALLSYNC__VERIFY_REQUEST__INIT;
    client_close(&desk->client);
    office_stop(&desk->office);
    world_path(path, desk->office.node.dir, "log");
    assert_int_equal(hs_log_inspect(path, WORLD_MAP_BYTES, &env, NULL), HS_OK);
    assert_int_equal(hs_txn_begin(env, true, &txn), HS_OK);
    for (uint8_t n = 1; n <= HEALED; n++)
        put_row(&txn, n, HS_HEALING_DONE);
    put_row(&txn, HEALED + 1, HS_HEALING_WAITS);
    assert_int_equal(hs_txn_commit(&txn), HS_OK);
    hs_env_close(env);
    office_start(&desk->office, false);
    client_open(&desk->client, &desk->office, ZMQ_DEALER);
    Hallsync__Request request = REQUEST(verify, VERIFY, &body);
    const Hallsync__Reply *reply = client_ask(&desk->client, &request);
    assert_null(reply->error);
    assert_true(reply->verify->n_healed > 1 && reply->verify->n_healed < HEALED);
    assert_string_equal(reply->verify->healed[0]->state, "waits");
    assert_string_equal(reply->verify->healed[1]->state, "healed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_waits_is_listed_first, open_place, close_desk),
    };
    return cmocka_run_group_tests_name("service healed", tests, NULL, NULL);
}
