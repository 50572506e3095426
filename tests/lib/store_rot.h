/* store_rot.h -- rot, for the tests: a byte of the log of a store that is closed. */
#ifndef HS_TESTS_STORE_ROT_H
#define HS_TESTS_STORE_ROT_H

#include "tests/lib/store_world.h"

#include "storage/log/inside.h"

/* Byte @at of a row of the stream: ROW_OP or ROW_CHECKPOINT of number @n. */
static inline void world_turn(const struct world_node *node, const struct hs_stream *stream, uint64_t n, uint8_t row,
                              size_t at)
{
    char path[WORLD_PATH_BYTES];
    struct hs_env *env = NULL;
    struct hs_txn txn;
    uint8_t key[OP_KEY_BYTES], value[4096];
    struct hs_bytes held;
    world_path(path, node->dir, "log");
    assert_int_equal(hs_log_inspect(path, WORLD_MAP_BYTES, &env, NULL), HS_OK);
    assert_int_equal(hs_txn_begin(env, true, &txn), HS_OK);
    log_op_key(stream, n, row, key);
    assert_int_equal(hs_txn_get(&txn, LOG_OP, HS_BYTES(key, sizeof key), &held), HS_OK);
    assert_true(held.size <= sizeof value && at < held.size);
    memcpy(value, held.data, held.size);
    value[at] ^= 0x5a;
    hs_txn_put(&txn, LOG_OP, HS_BYTES(key, sizeof key), HS_BYTES(value, held.size));
    assert_int_equal(hs_txn_commit(&txn), HS_OK);
    hs_env_close(env);
}

#endif
