/* store_rot.h -- rot, for the tests: a byte of the log of a store that is closed. */
#ifndef HS_TESTS_STORE_ROT_H
#define HS_TESTS_STORE_ROT_H

#include "tests/lib/store_world.h"

#include "storage/log/inside.h"

static inline void world_turn_row(const struct world_node *node, hs_table table, struct hs_bytes key, size_t at)
{
    char path[WORLD_PATH_BYTES];
    struct hs_env *env = NULL;
    struct hs_txn txn;
    uint8_t value[4096];
    struct hs_bytes held;
    world_path(path, node->dir, "log");
    assert_int_equal(hs_log_inspect(path, WORLD_MAP_BYTES, &env, NULL), HS_OK);
    assert_int_equal(hs_txn_begin(env, true, &txn), HS_OK);
    assert_int_equal(hs_txn_get(&txn, table, key, &held), HS_OK);
    assert_true(held.size <= sizeof value && at < held.size);
    memcpy(value, held.data, held.size);
    value[at] ^= 0x5a;
    hs_txn_put(&txn, table, key, HS_BYTES(value, held.size));
    assert_int_equal(hs_txn_commit(&txn), HS_OK);
    hs_env_close(env);
}

/* The lowest bit of the byte @at bytes behind where @text begins, wherever it is in the file of the log. */
static inline void world_turn_file(const struct world_node *node, const char *text, size_t at)
{
    char path[WORLD_PATH_BYTES];
    static uint8_t bytes[4 << 20];
    size_t size = strlen(text), turned = 0;
    world_path(path, node->dir, "log/data.mdb");
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    size_t held = fread(bytes, 1, sizeof bytes, file);
    for (size_t i = 0; i + size + at < held; i++) {
        if (memcmp(bytes + i, text, size) != 0)
            continue;
        assert_int_equal(fseek(file, (long)(i + at), SEEK_SET), 0);
        assert_int_not_equal(fputc(bytes[i + at] ^ 1, file), EOF);
        turned++;
    }
    assert_int_equal(fclose(file), 0);
    assert_true(turned > 0);
}

/* Byte @at of a row of the stream: ROW_OP or ROW_CHECKPOINT of number @n. */
static inline void world_turn(const struct world_node *node, const struct hs_stream *stream, uint64_t n, uint8_t row,
                              size_t at)
{
    uint8_t key[OP_KEY_BYTES];
    log_op_key(stream, n, row, key);
    world_turn_row(node, LOG_OP, HS_BYTES(key, sizeof key), at);
}

#endif
