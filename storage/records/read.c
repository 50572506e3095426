/* Records as they are stored: one by name, one in whatever partition, all of a kind, all of a digest's leaf. */
#include "storage/records/env.h"

#define ROOT_KEY_BYTES 4

enum hs_err hs_records_get(struct hs_txn *txn, const struct hs_record_name *name, struct hs_stored *stored)
{
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    struct hs_bytes value;
    if (name->id.size == 0 || name->id.size > HS_RECORD_ID_BYTES_MAX)
        return HS_ENOTFOUND;
    enum hs_err err = hs_txn_get(txn, HS_TABLE_STATE, HS_BYTES(key, hs_record_key(name, key)), &value);
    return err != HS_OK ? err : hs_state_read(name, value, stored);
}

/* ---- partitions that have records of a kind, as the digests' roots say ---- */

/* The first such partition that is not below @partition; HS_ENOTFOUND.  Roots are sorted by partition, then kind. */
static enum hs_err next_partition(struct hs_txn *txn, uint16_t kind, uint32_t partition, hs_partition *found)
{
    enum hs_err err = HS_ENOTFOUND;
    while (err == HS_ENOTFOUND && partition <= UINT16_MAX) {
        struct hs_row_key from;
        struct hs_scan scan;
        hs_root_key(&from, (hs_partition)partition, kind);
        hs_scan_begin(&scan, txn, HS_TABLE_ROOT, HS_BYTES_NONE, hs_row_key_bytes(&from));
        bool more = hs_scan_next(&scan) && scan.key.size == ROOT_KEY_BYTES;
        *found = more ? hs_from_be16(scan.key.data) : 0;
        uint16_t its_kind = more ? hs_from_be16(scan.key.data + 2) : 0;
        hs_scan_end(&scan);
        if (!more)
            break;
        if (its_kind == kind)
            err = HS_OK;
        else /* what comes first here may be below the kind, or the partition has none of it */
            partition = its_kind < kind ? *found : (uint32_t)*found + 1;
    }
    return txn->err != HS_OK ? txn->err : err;
}

static enum hs_err find_in(struct hs_txn *txn, struct hs_record_name *name, struct hs_stored *stored)
{
    const struct hs_kind *known = hs_kind_by_number(name->kind);
    enum hs_err err = HS_ENOTFOUND;
    for (unsigned lane = HS_LANE_WORK; lane <= HS_LANE_BULK && err == HS_ENOTFOUND; lane++) {
        name->lane = (uint8_t)lane;
        if (known == NULL || known->lane == lane)
            err = hs_records_get(txn, name, stored);
    }
    return err;
}

/* Who looks for an id must not be shown what a strange writer put under it into another district: the payment of a
 * client would be taken for one that is here already, and count nowhere. */
static enum hs_err skip_misplaced(struct hs_txn *txn, const struct hs_stored *stored)
{
    struct hs_arena arena;
    struct hs_facet facet;
    enum hs_err err;
    if (!hs_records_listed(txn, HS_LIST_PARKED, &stored->name) &&
        !hs_records_listed(txn, HS_LIST_DECISION, &stored->name))
        return HS_OK;
    hs_arena_init(&arena, 0);
    struct hs_derive derive = hs_derive_reader(txn, &arena, &err);
    if (err == HS_OK)
        hs_facet_of_stored(&derive, stored, &facet);
    if (err == HS_OK && !hs_facet_at_home(&facet))
        err = HS_ENOTFOUND;
    hs_arena_fini(&arena);
    return err;
}

enum hs_err hs_records_find(struct hs_txn *txn, uint16_t kind, struct hs_bytes id, struct hs_stored *stored)
{
    struct hs_record_name name = {.kind = kind, .id = id};
    enum hs_err err = HS_ENOTFOUND;
    for (uint32_t partition = 0; err == HS_ENOTFOUND; partition = (uint32_t)name.partition + 1) {
        enum hs_err next = next_partition(txn, kind, partition, &name.partition);
        if (next != HS_OK)
            return next;
        err = find_in(txn, &name, stored);
        if (err == HS_OK)
            err = skip_misplaced(txn, stored);
    }
    return err;
}

/* ---- all of a kind ---- */

struct walk {
    struct hs_txn *txn;
    uint16_t kind;
    struct hs_bytes after; /* record key to go on behind, or none */
    hs_visit_record visit;
    void *ctx;
};

static enum hs_err walk_lane(const struct walk *walk, hs_partition partition, enum hs_lane lane)
{
    uint8_t prefix[5];
    struct hs_scan scan;
    enum hs_err err = HS_OK;
    hs_be16(prefix, partition);
    prefix[2] = (uint8_t)lane;
    hs_be16(prefix + 3, walk->kind);
    struct hs_bytes all = HS_BYTES(prefix, sizeof prefix);
    bool goes_on = walk->after.size > all.size && hs_bytes_compare(HS_BYTES(walk->after.data, all.size), all) == 0;
    if (!goes_on && walk->after.size != 0 && hs_bytes_compare(walk->after, all) > 0)
        return HS_OK; /* it lies behind this lane */
    hs_scan_begin(&scan, walk->txn, HS_TABLE_STATE, all, goes_on ? walk->after : HS_BYTES_NONE);
    while (err == HS_OK && hs_scan_next(&scan)) {
        struct hs_record_name name;
        struct hs_stored stored;
        if (goes_on && hs_bytes_equal(scan.key, walk->after))
            continue;
        if (hs_record_from_key(scan.key, &name) != HS_OK)
            err = HS_EDAMAGED;
        if (err == HS_OK)
            err = hs_state_read(&name, scan.value, &stored);
        if (err == HS_OK)
            err = walk->visit(walk->ctx, &stored);
    }
    hs_scan_end(&scan);
    return err != HS_OK ? err : walk->txn->err;
}

/* A record may lie in another lane than its kind's, from a strange writer: it is parked, but it is there. */
static enum hs_err walk_partition(const struct walk *walk, hs_partition partition)
{
    enum hs_err err = HS_OK;
    for (unsigned lane = HS_LANE_WORK; lane <= HS_LANE_BULK && err == HS_OK; lane++)
        err = walk_lane(walk, partition, (enum hs_lane)lane);
    return err;
}

enum hs_err hs_records_walk(struct hs_txn *txn, hs_partition partition, uint16_t kind, hs_visit_record visit, void *ctx)
{
    struct walk walk = {txn, kind, HS_BYTES_NONE, visit, ctx};
    return walk_partition(&walk, partition);
}

enum hs_err hs_records_all(struct hs_txn *txn, uint16_t kind, struct hs_bytes after, hs_visit_record visit, void *ctx)
{
    struct walk walk = {txn, kind, after, visit, ctx};
    hs_partition partition = 0;
    uint32_t from = after.size < 2 ? 0 : hs_from_be16(after.data);
    enum hs_err err = next_partition(txn, kind, from, &partition);
    while (err == HS_OK) {
        err = walk_partition(&walk, partition);
        if (err == HS_OK)
            err = next_partition(txn, kind, (uint32_t)partition + 1, &partition);
    }
    return err == HS_ENOTFOUND ? HS_OK : err;
}

/* ---- the records of one leaf of a digest ---- */

struct leaf_walk {
    uint32_t leaf;
    hs_visit_record visit;
    void *ctx;
};

static enum hs_err visit_of_leaf(void *ctx, const struct hs_stored *stored)
{
    const struct leaf_walk *walk = ctx;
    return hs_record_leaf(&stored->name) == walk->leaf ? walk->visit(walk->ctx, stored) : HS_OK;
}

enum hs_err hs_records_digest_leaf(struct hs_txn *txn, hs_partition partition, uint16_t kind, uint32_t leaf,
                                   struct hs_bytes after, hs_visit_record visit, void *ctx)
{
    struct leaf_walk of_leaf = {leaf, visit, ctx};
    struct walk walk = {txn, kind, after, visit_of_leaf, &of_leaf};
    return walk_partition(&walk, partition);
}
