/* env.h -- the open records environment, as the room's own files see it. */
#ifndef HS_RECORDS_ENV_H
#define HS_RECORDS_ENV_H

#include "storage/records/cache.h"
#include "storage/records/derive.h"
#include "storage/records/records.h"

struct hs_records {
    struct hs_txn txn; /* the writer's, begun when needed; first, so that hs_records_settle finds its owner by it */
    struct hs_env *env;
    struct hs_position position; /* of the last commit */
    int utc_offset_minutes;
    uint64_t rules;
    struct hs_cache cache;
    struct hs_derive derive; /* into the tables, errors into txn.err */
    struct hs_arena arena;   /* of one op */
    struct hs_buf state;     /* of the record at hand: hash, state */
    struct hs_buf sums;      /* of the account or bill at hand */
};

/* Begin the writer's transaction if none is open. */
enum hs_err hs_records_ready(struct hs_records *records);

/* Before a table of days, digests or meta is read: write the cached rows into the writer's transaction.  A snapshot
 * needs nothing. */
void hs_records_settle(struct hs_txn *txn);
extern const struct hs_derive_sink HS_TABLES_SINK; /* ctx: struct hs_records */

/* Of FORMAT.md, section 2, and of the rules in code; an older environment is replayed anew. */
#define HS_RECORDS_VERSION 3

/* What the meta table says. */
struct hs_meta {
    uint32_t version;
    struct hs_position position;
    int utc_offset_minutes;
    uint64_t rules;
};
enum hs_err hs_meta_read(struct hs_txn *txn, struct hs_meta *meta); /* HS_ENOTFOUND: a new environment; HS_EDAMAGED */
void hs_meta_write(struct hs_txn *txn, const struct hs_meta *meta);

/* A mark of everything in the tables of kinds, services and machines that derived rows depend on. */
enum hs_err hs_rules_mark(uint64_t *mark);

/* A void op in its list stands under a record key of kind 0 with origin and n for an id. */
#define HS_VOID_ID_BYTES  16
#define HS_VOID_KEY_BYTES (2 + 1 + 2 + HS_VOID_ID_BYTES)

#define HS_LIST_COUNT_KEY_BYTES 5
struct hs_bytes hs_list_count_key(enum hs_list list, uint8_t key[static HS_LIST_COUNT_KEY_BYTES]);

/* A derive context to look at single records and groups in @txn; nothing can be derived with it. */
struct hs_derive hs_derive_reader(struct hs_txn *txn, struct hs_arena *arena, enum hs_err *err);

/* digest.c: a record's hash was @old (NULL: the record is new) and is @new (NULL: it is gone). */
void hs_digest_change(struct hs_records *records, const struct hs_record_name *name, const struct hs_hash *old,
                      const struct hs_hash *new);

/* money.c: of a payment that counts, and of its reversals that do */
int64_t hs_payment_amount(const struct hs_facet *payment);
struct hs_day hs_day_of(const struct hs_facet *fact, int utc_offset_minutes);
struct hs_facet *hs_payment_reversals(struct hs_derive *derive, const struct hs_record_name *payment);
bool hs_payment_is_reversed(struct hs_derive *derive, const struct hs_record_name *payment);

/* read.c: all records of a partition and kind, in whatever lane */
enum hs_err hs_records_walk(struct hs_txn *txn, hs_partition partition, uint16_t kind, hs_visit_record visit,
                            void *ctx);

/* numbers.c: what only the node that wrote an op remembers of it */
void hs_numbers_note(struct hs_records *records, const struct hs_records_op *op, const struct hs_op *decoded);
void hs_numbers_forget(struct hs_records *records, const struct hs_records_op *op, struct hs_bytes request);

/* writers.c: nodes of the origins that wrote what only some may write */
void hs_writer_note(struct hs_records *records, const struct hs_records_op *op, const struct hs_op *decoded);
struct hs_bytes hs_writer_node(struct hs_derive *derive, uint64_t origin); /* in the arena; none: not known */

#endif
