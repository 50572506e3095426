/* peers_refused_test.c -- who knocks in vain is kept: once by key and reason, or by host, and not more than there is
 * room. */
#include "node/daemon/peers_private.h"
#include "proto/local.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int open_peers(void **state)
{
    *state = calloc(1, sizeof(struct hs_peers));
    return *state == NULL ? -1 : 0;
}

static int close_peers(void **state)
{
    free(*state);
    return 0;
}

/* As the status tells it; the caller frees. */
static Hallsync__StatusReply *told(const struct hs_peers *peers)
{
    Hallsync__StatusReply empty = HALLSYNC__STATUS_REPLY__INIT;
    struct hs_buf packed = {0};
    empty.node_id = empty.role = empty.region = empty.version = (char *)"x";
    uint8_t *room = hs_buf_extend(&packed, hallsync__status_reply__get_packed_size(&empty));
    assert_non_null(room);
    hallsync__status_reply__pack(&empty, room);
    peers_refused_put(peers, &packed);
    assert_int_equal(packed.err, HS_OK);
    Hallsync__StatusReply *status = hallsync__status_reply__unpack(NULL, packed.size, packed.data);
    assert_non_null(status);
    hs_buf_fini(&packed);
    return status;
}

static struct hs_key key_of(unsigned number)
{
    struct hs_key key = {{0}};
    key.bytes[0] = (uint8_t)number;
    key.bytes[1] = (uint8_t)(number >> 8);
    return key;
}

static void knock(struct hs_peers *peers, enum hs_reason reason, unsigned number, const char *node_id)
{
    struct hs_key key = key_of(number);
    peers_refused_note(peers, reason, &key, node_id, "tcp://192.0.2.7:5", "words");
}

static void one_key_and_reason_is_one_row(void **state)
{
    struct hs_peers *peers = *state;
    for (int i = 0; i < 3; i++)
        knock(peers, HS_REASON_REVOKED, 1, "nj-gulou");
    knock(peers, HS_REASON_VERSION, 1, "nj-gulou");
    knock(peers, HS_REASON_REVOKED, 2, NULL);
    knock(peers, HS_REASON_REVOKED, 1, "nj-gulou");
    Hallsync__StatusReply *status = told(peers);
    assert_int_equal(status->n_refused, 3);
    assert_int_equal(status->refused[0]->count, 4); /* the newest first */
    assert_string_equal(status->refused[0]->why, "revoked");
    assert_string_equal(status->refused[0]->node_id, "nj-gulou");
    assert_int_equal(strncmp(status->refused[0]->key, "0100", 4), 0);
    assert_true(status->refused[0]->last_ms > 0);
    assert_null(status->refused[1]->node_id);
    assert_string_equal(status->refused[2]->why, "version");
    hallsync__status_reply__free_unpacked(status, NULL);
}

static void without_a_key_the_host_is_one(void **state)
{
    struct hs_peers *peers = *state;
    for (int port = 1; port <= 5; port++) {
        char address[64];
        snprintf(address, sizeof address, "tcp://192.0.2.7:%d", port);
        peers_refused_note(peers, HS_REASON_WRONG_KEY, NULL, NULL, address, "words");
        snprintf(address, sizeof address, "tcp://192.0.2.70:%d", port);
        peers_refused_note(peers, HS_REASON_WRONG_KEY, NULL, NULL, address, "words");
    }
    Hallsync__StatusReply *status = told(peers);
    assert_int_equal(status->n_refused, 2);
    assert_int_equal(status->refused[1]->count, 5);
    assert_string_equal(status->refused[1]->address, "tcp://192.0.2.7:5");
    assert_null(status->refused[1]->key);
    hallsync__status_reply__free_unpacked(status, NULL);
}

static void the_oldest_goes_for_a_new_one(void **state)
{
    struct hs_peers *peers = *state;
    for (unsigned i = 0; i < REFUSED_MAX; i++)
        knock(peers, HS_REASON_CERTIFICATE, i, NULL);
    knock(peers, HS_REASON_CERTIFICATE, 0, NULL); /* is the newest now */
    knock(peers, HS_REASON_CERTIFICATE, 1000, NULL);
    Hallsync__StatusReply *status = told(peers);
    assert_int_equal(status->n_refused, REFUSED_MAX);
    assert_int_equal(strncmp(status->refused[0]->key, "e803", 4), 0);
    assert_int_equal(strncmp(status->refused[1]->key, "0000", 4), 0);
    assert_int_equal(status->refused[1]->count, 2);
    for (size_t i = 0; i < status->n_refused; i++)
        assert_int_not_equal(strncmp(status->refused[i]->key, "0100", 4), 0);
    hallsync__status_reply__free_unpacked(status, NULL);
}

/* Sessions: that a line is gone is no refusal. */
static void lines_that_end_are_not_refused(void **state)
{
    struct hs_peers *peers = *state;
    for (int reason = HS_REASON_NONE + 1; reason < HS_REASON_COUNT; reason++) {
        bool line = reason == HS_REASON_CLOSED || reason == HS_REASON_SILENT || reason == HS_REASON_REPLACED ||
                    reason == HS_REASON_TWIN;
        peers->refused_count = 0;
        struct hs_replica_update update = {
            .notice = HS_NOTICE_ENDED, .reason = (enum hs_reason)reason, .text = "words"};
        peers_refused_ended(peers, &update, "tcp://192.0.2.7:5");
        assert_int_equal(peers->refused_count, line ? 0 : 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_key_and_reason_is_one_row, open_peers, close_peers),
        cmocka_unit_test_setup_teardown(without_a_key_the_host_is_one, open_peers, close_peers),
        cmocka_unit_test_setup_teardown(the_oldest_goes_for_a_new_one, open_peers, close_peers),
        cmocka_unit_test_setup_teardown(lines_that_end_are_not_refused, open_peers, close_peers),
    };
    return cmocka_run_group_tests_name("peers_refused", tests, NULL, NULL);
}
