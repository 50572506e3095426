/* store_rot.h -- rot, for the tests: in the log of a store, and whether a check finds any. */
#ifndef HS_TESTS_STORE_ROT_H
#define HS_TESTS_STORE_ROT_H

#include "tests/lib/store_world.h"

#include "storage/log/inside.h"
#include "storage/store/inside.h"

/* Byte @at of a row of the log, be the store open or not. */
static inline void world_turn_row(const struct world_node *node, hs_table table, struct hs_bytes key, size_t at)
{
    char path[WORLD_PATH_BYTES];
    bool is_open = node->store != NULL;
    struct hs_env *env = is_open ? hs_log_env(node->store->log) : NULL;
    struct hs_txn txn;
    uint8_t value[4096] = {0};
    struct hs_bytes held;
    world_path(path, node->dir, "log");
    if (!is_open)
        assert_int_equal(hs_log_inspect(path, WORLD_MAP_BYTES, &env, NULL), HS_OK);
    assert_int_equal(hs_txn_begin(env, true, &txn), HS_OK);
    assert_int_equal(hs_txn_get(&txn, table, key, &held), HS_OK);
    assert_true(held.size <= sizeof value && at < held.size);
    memcpy(value, held.data, held.size);
    value[at] ^= 0x5a;
    hs_txn_put(&txn, table, key, HS_BYTES(value, held.size));
    assert_int_equal(hs_txn_commit(&txn), HS_OK);
    if (!is_open)
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

/* Byte @at of the receipt of @store_id for the stream. */
static inline void world_turn_receipt(const struct world_node *node, const struct hs_stream *stream, uint64_t store_id,
                                      size_t at)
{
    uint8_t key[HS_STREAM_KEY_BYTES + 8];
    hs_stream_key(stream, key);
    hs_be64(key + HS_STREAM_KEY_BYTES, store_id);
    world_turn_row(node, LOG_RECEIPT, HS_BYTES(key, sizeof key), at);
}

/* ---- a check ---- */

static inline enum hs_err world_tell_rotten(void *ctx, const struct hs_rotten *rotten)
{
    struct hs_buf text = {0};
    hs_rotten_text(rotten, &text);
    hs_buf_put_u8(&text, 0);
    print_message("%s\n", (const char *)text.data);
    hs_buf_fini(&text);
    ++*(size_t *)ctx;
    return HS_OK;
}

static inline void world_assert_sound(struct world_node *node)
{
    size_t found = 0;
    struct hs_check_options options = {.full = true, .visit = world_tell_rotten, .ctx = &found};
    struct hs_check *check = NULL;
    struct hs_view *view = world_view(node);
    assert_int_equal(hs_check_new(&options, &check), HS_OK);
    while (!hs_check_over(check))
        assert_int_equal(hs_check_step(check, view, 100), HS_OK);
    hs_check_free(check);
    hs_view_close(view);
    assert_int_equal(found, 0);
}

#endif
