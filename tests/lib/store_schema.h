/* store_schema.h -- a store as a program of an older schema left it: only the number tells them apart so far. */
#ifndef HS_TESTS_STORE_SCHEMA_H
#define HS_TESTS_STORE_SCHEMA_H

#include "tests/lib/store_world.h"

#include "storage/log/inside.h"
#include "storage/store/inside.h"

static inline void world_put_schema(struct world_node *node, uint32_t schema)
{
    struct hs_txn txn;
    uint8_t row[4];
    hs_be32(row, schema);
    assert_int_equal(hs_txn_begin(hs_log_env(node->store->log), true, &txn), HS_OK);
    hs_txn_put(&txn, LOG_META, HS_BYTES("schema", 6), HS_BYTES(row, sizeof row));
    assert_int_equal(hs_txn_commit(&txn), HS_OK);
}

static inline uint32_t world_schema(struct world_node *node)
{
    struct hs_txn txn;
    struct hs_bytes row;
    assert_int_equal(hs_txn_begin(hs_log_env(node->store->log), false, &txn), HS_OK);
    assert_int_equal(hs_txn_get(&txn, LOG_META, HS_BYTES("schema", 6), &row), HS_OK);
    assert_int_equal(row.size, 4);
    uint32_t schema = hs_from_be32(row.data);
    hs_txn_abort(&txn);
    return schema;
}

/* A file that the last migration kept: path, and whether it is there. */
static inline bool world_kept(const struct world_node *node, const char *name, char path[static WORLD_PATH_BYTES])
{
    char folder[WORLD_PATH_BYTES], before[32];
    snprintf(before, sizeof before, "before-%u", LOG_SCHEMA);
    world_path(folder, node->dir, before);
    world_path(path, folder, name);
    return access(path, F_OK) == 0;
}

#endif
