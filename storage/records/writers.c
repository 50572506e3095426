/* Which node an origin is of, for the few facts that count only from the right writer.  An origin is one node's for
 * ever, so the row is made with the first such operation of it and never changed: derivation and its check find the
 * same. */
#include "storage/records/env.h"

#include <string.h>

#define WRITER_KEY_BYTES 12

static struct hs_bytes writer_key(uint64_t origin, uint8_t key[static WRITER_KEY_BYTES])
{
    memcpy(key, "node", 4);
    hs_be64(key + 4, origin);
    return HS_BYTES(key, WRITER_KEY_BYTES);
}

void hs_writer_note(struct hs_records *records, const struct hs_records_op *op, const struct hs_op *decoded)
{
    uint8_t key[WRITER_KEY_BYTES];
    const char *node = op->writer->node_id;
    bool matters = false;
    for (size_t i = 0; i < decoded->write_count; i++)
        matters = matters || decoded->writes[i].kind == HS_KIND_SETTLEMENT;
    if (matters)
        hs_txn_put(&records->txn, HS_TABLE_META, writer_key(op->stream.origin, key), HS_BYTES(node, strlen(node)));
}

struct hs_bytes hs_writer_node(struct hs_derive *derive, uint64_t origin)
{
    uint8_t key[WRITER_KEY_BYTES];
    struct hs_bytes node;
    enum hs_err err = hs_txn_get(derive->txn, HS_TABLE_META, writer_key(origin, key), &node);
    if (err == HS_ENOTFOUND)
        return HS_BYTES_NONE;
    struct hs_bytes copy = err == HS_OK ? hs_arena_copy(derive->arena, node) : HS_BYTES_NONE;
    if (err == HS_OK && copy.size != node.size)
        err = HS_ENOMEM; /* and not nobody: what it decided would count nothing */
    hs_derive_fail(derive, err);
    return copy;
}
