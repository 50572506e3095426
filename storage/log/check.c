/* check.c -- the log read whole, in steps: is every row what was signed, or what its checksum says?  Each step has a
 * snapshot of its own, so that a reader that takes its time pins no pages.  What does not fit is told, and the check
 * goes on behind it. */
#include "storage/log/inside.h"

#include "storage/model/record.h"

#include <string.h>

typedef void (*check_row)(struct hs_log_check *check, const struct hs_scan *scan);

static void found(struct hs_log_check *check, const struct hs_rotten *rotten)
{
    check->figures->found++;
    if (check->err == HS_OK)
        check->err = check->visit(check->ctx, rotten);
}

static void found_in_stream(struct hs_log_check *check, enum hs_rot sort, uint64_t first, uint64_t last)
{
    bool known = check->writer_known && check->writer_origin == check->at.stream.origin;
    found(check, &(struct hs_rotten){.sort = sort,
                                     .stream = check->at.stream,
                                     .first = first,
                                     .last = last,
                                     .node = known ? check->writer.node_id : NULL});
}

/* ---- who wrote it ---- */

static enum hs_err find_writer(struct hs_log_check *check, struct hs_txn *txn, uint64_t origin)
{
    struct hs_bytes certificate, opening;
    struct hs_opening opened;
    enum hs_err err = hs_log_find_origin(txn, origin, &certificate, &opening);
    if (err == HS_OK)
        err = hs_certificate_verify(certificate, &check->root, &check->writer);
    if (err == HS_OK)
        err = hs_opening_verify(opening, &opened);
    if (err == HS_OK && (opened.origin != origin || !hs_key_equal(&opened.node_key, &check->writer.node_key)))
        err = HS_EDAMAGED;
    return err;
}

const struct hs_certificate *hs_log_check_writer(struct hs_log_check *check, struct hs_txn *txn, uint64_t origin)
{
    if (check->writer_origin != origin || origin == 0) {
        check->writer_known = find_writer(check, txn, origin) == HS_OK;
        check->writer_origin = origin;
    }
    return check->writer_known ? &check->writer : NULL;
}

/* ---- streams ---- */

/* True where nobody can say: whose origin it is is told once, as a damaged opening. */
static bool holds(struct hs_log_check *check, struct hs_txn *txn, const struct hs_hash *hash,
                  const struct log_checkpoint *row)
{
    const struct hs_certificate *writer = hs_log_check_writer(check, txn, check->at.stream.origin);
    return writer == NULL ||
           hs_checkpoint_verify(&check->at.stream, row->n, hash, &writer->node_key, &row->signature) == HS_OK;
}

static void begin_run(struct hs_log_check *check, uint64_t n, const struct hs_hash *hash)
{
    check->at.n = check->at.signed_n = n;
    check->at.hash = *hash;
    check->at.broken = false;
}

/* What came since the last sound checkpoint is not what was signed. */
static void end_broken(struct hs_log_check *check, uint64_t last)
{
    if (last > check->at.signed_n)
        found_in_stream(check, HS_ROT_OPS, check->at.signed_n + 1, last);
}

static void check_op(struct hs_log_check *check, const struct hs_scan *scan)
{
    uint64_t n = hs_from_be64(scan->key.data + HS_STREAM_KEY_BYTES);
    check->figures->ops++;
    check->at.broken = check->at.broken || n != check->at.n + 1;
    check->at.n = n;
    check->at.hash = hs_chain_next(&check->at.hash, scan->value);
}

/* A jump: what leads to it came as state. */
static void check_beginning(struct hs_log_check *check, const struct hs_scan *scan, const struct log_checkpoint *row)
{
    end_broken(check, check->at.n);
    if (!holds(check, scan->txn, &row->hash, row))
        found_in_stream(check, HS_ROT_CHECKPOINT, row->n, row->n);
    begin_run(check, row->n, &row->hash);
}

/* Either the ops rotted, or the row did; where the row has, a later one tells of the ops. */
static void check_checkpoint(struct hs_log_check *check, const struct hs_scan *scan)
{
    struct log_checkpoint row = {.n = hs_from_be64(scan->key.data + HS_STREAM_KEY_BYTES)};
    check->figures->checkpoints++;
    if (log_decode_checkpoint(scan, &row) != HS_OK) {
        found_in_stream(check, HS_ROT_CHECKPOINT, row.n, row.n);
        return;
    }
    if (row.begins) {
        check_beginning(check, scan, &row);
        return;
    }
    bool fits = !check->at.broken && row.n == check->at.n && hs_hash_equal(&row.hash, &check->at.hash);
    if (holds(check, scan->txn, &row.hash, &row)) {
        if (!fits)
            end_broken(check, row.n);
        begin_run(check, row.n, &row.hash);
        return;
    }
    found_in_stream(check, HS_ROT_CHECKPOINT, row.n, row.n);
    if (!check->at.broken && row.n == check->at.n && holds(check, scan->txn, &check->at.hash, &row))
        begin_run(check, row.n, &check->at.hash);
}

static void begin_stream(struct hs_log_check *check, const struct hs_stream *stream)
{
    struct hs_hash start = hs_chain_start(stream);
    check->figures->streams++;
    check->at.stream = *stream;
    begin_run(check, 0, &start);
}

/* The last row of a stream is a checkpoint. */
static void end_stream(struct hs_log_check *check)
{
    if (check->at.n > check->at.signed_n)
        end_broken(check, check->at.n);
    check->at.signed_n = check->at.n;
}

static void check_stream_row(struct hs_log_check *check, const struct hs_scan *scan)
{
    if (scan->key.size != OP_KEY_BYTES || scan->key.data[OP_KEY_BYTES - 1] > ROW_CHECKPOINT) {
        found(check, &(struct hs_rotten){.sort = HS_ROT_TABLE, .text = "a row of the operations has a strange key"});
        return;
    }
    struct hs_stream stream = hs_stream_from_key(scan->key.data);
    if (check->figures->streams == 0 || !hs_stream_equal(&stream, &check->at.stream)) {
        end_stream(check);
        begin_stream(check, &stream);
    }
    if (scan->key.data[OP_KEY_BYTES - 1] == ROW_CHECKPOINT)
        check_checkpoint(check, scan);
    else
        check_op(check, scan);
}

/* ---- the rest ---- */

static void check_certificate(struct hs_log_check *check, const struct hs_scan *scan)
{
    struct hs_certificate certificate;
    check->figures->certificates++;
    if (hs_certificate_verify(scan->value, &check->root, &certificate) != HS_OK ||
        !hs_bytes_equal(scan->key, HS_BYTES(certificate.node_key.bytes, HS_KEY_BYTES)))
        found(check, &(struct hs_rotten){.sort = HS_ROT_ORIGIN, .text = "a certificate does not hold any more"});
}

static void check_origin(struct hs_log_check *check, const struct hs_scan *scan)
{
    uint64_t origin = scan->key.size == 8 ? hs_from_be64(scan->key.data) : 0;
    if (hs_log_check_writer(check, scan->txn, origin) == NULL)
        found(check, &(struct hs_rotten){.sort = HS_ROT_ORIGIN,
                                         .stream = {.origin = origin},
                                         .text = "the opening of an origin does not hold any more"});
}

static void check_receipt(struct hs_log_check *check, const struct hs_scan *scan)
{
    struct hs_receipt receipt;
    check->figures->receipts++;
    if (log_decode_receipt(scan->key, scan->value, &receipt) == HS_OK && hs_receipt_verify(&receipt) == HS_OK)
        return;
    struct hs_rotten rotten = {.sort = HS_ROT_RECEIPT};
    if (scan->key.size >= HS_STREAM_KEY_BYTES)
        rotten.stream = hs_stream_from_key(scan->key.data);
    if (scan->key.size == HS_STREAM_KEY_BYTES + 8)
        rotten.store_id = hs_from_be64(scan->key.data + HS_STREAM_KEY_BYTES);
    found(check, &rotten);
}

static void check_loose(struct hs_log_check *check, const struct hs_scan *scan)
{
    struct hs_loose loose = {0};
    if (log_loose_decode(scan->key, scan->value, &loose) == HS_OK)
        return;
    found(check, &(struct hs_rotten){.sort = HS_ROT_LOOSE,
                                     .stream = loose.segment.stream,
                                     .first = loose.segment.first,
                                     .text = "loose operations of a forked stream are not what was signed"});
}

static void check_base(struct hs_log_check *check, const struct hs_scan *scan)
{
    struct hs_stored state = {0};
    check->figures->bases++;
    if (log_decode_base(scan->key, scan->value, &state) != HS_OK)
        found(check, &(struct hs_rotten){.sort = HS_ROT_BASE, .name = state.name});
    else if (check->base != NULL && check->err == HS_OK)
        check->err = check->base(check->ctx, &state);
}

static void check_commit(struct hs_log_check *check, const struct hs_scan *scan)
{
    struct hs_cur cur = hs_cur_of(scan->value);
    struct log_item item;
    enum hs_err err = scan->key.size == 8 ? HS_OK : HS_EDAMAGED;
    check->figures->commits++;
    hs_cur_take(&cur, COMMIT_HEAD_BYTES);
    while (err == HS_OK && cur.err == HS_OK && cur.left > 0)
        err = log_read_item(&cur, &item);
    if (err != HS_OK || cur.err != HS_OK)
        found(check, &(struct hs_rotten){.sort = HS_ROT_COMMITS,
                                         .first = scan->key.size == 8 ? hs_from_be64(scan->key.data) : 0,
                                         .text = "a commit's list cannot be read"});
}

/* That LMDB finds its pages is all that can be said. */
static void check_any(struct hs_log_check *check, const struct hs_scan *scan)
{
    (void)check;
    (void)scan;
}

static const struct {
    hs_table table;
    check_row row;
} PHASES[] = {
    {LOG_META, check_any},        {LOG_CERTIFICATE, check_certificate},
    {LOG_ORIGIN, check_origin},   {LOG_OP, check_stream_row},
    {LOG_RECEIPT, check_receipt}, {LOG_LOOSE, check_loose},
    {LOG_BASE, check_base},       {LOG_COMMIT, check_commit},
    {LOG_ENROLMENT, check_any},   {LOG_FORK, check_any},
    {LOG_SERIES, check_any},      {LOG_FILL, check_any},
    {LOG_FILL_HEAD, check_any},   {LOG_FOLD, check_any},
    {LOG_EVICT, check_any},       {LOG_REVOCATION, check_any},
    {LOG_RELEASE, check_any},     {LOG_PEER_STORE, check_any},
    {LOG_ANNOUNCED, check_any},   {LOG_BACKUP, check_any},
    {LOG_HEALED, check_any},
};
#define PHASE_COUNT (sizeof PHASES / sizeof *PHASES)
_Static_assert(PHASE_COUNT == LOG_TABLE_COUNT, "every table is read");

/* ---- steps ---- */

/* A stream that went meanwhile, or begins further on now: from where it begins. */
static void resume_stream(struct hs_log_check *check, struct hs_txn *txn)
{
    uint64_t beginning = 0;
    if (check->at_size == 0 || PHASES[check->phase].table != LOG_OP)
        return;
    if (hs_log_beginning(txn, &check->at.stream, &beginning) != HS_OK || beginning <= check->at.n)
        return;
    check->at.n = check->at.signed_n = beginning - 1; /* its row is a beginning, and comes next */
    check->at.broken = false;
}

/* A step ends where a run does: what is between two checkpoints is seen in one snapshot. */
static bool may_pause(const struct hs_log_check *check)
{
    return PHASES[check->phase].table != LOG_OP || check->at.n == check->at.signed_n;
}

static void next_phase(struct hs_log_check *check)
{
    if (PHASES[check->phase].table == LOG_OP)
        end_stream(check);
    check->phase++;
    check->at_size = 0;
}

static void remember(struct hs_log_check *check, struct hs_bytes key)
{
    check->at_size = key.size < sizeof check->key ? key.size : sizeof check->key;
    memcpy(check->key, key.data, check->at_size);
}

static bool read_rows(struct hs_log_check *check, struct hs_txn *txn, size_t *budget)
{
    struct hs_scan scan;
    struct hs_bytes from = HS_BYTES(check->key, check->at_size);
    bool more = true;
    hs_scan_begin(&scan, txn, PHASES[check->phase].table, HS_BYTES_NONE, from);
    while (check->err == HS_OK && (*budget > 0 || !may_pause(check)) && (more = hs_scan_next(&scan))) {
        if (check->at_size != 0 && hs_bytes_compare(scan.key, HS_BYTES(check->key, check->at_size)) <= 0)
            continue; /* where the step before ended */
        check->figures->rows++;
        *budget -= *budget > 0;
        PHASES[check->phase].row(check, &scan);
        remember(check, scan.key);
    }
    hs_scan_end(&scan);
    return more;
}

static void check_listed(struct hs_log_check *check, struct hs_txn *txn)
{
    if (check->figures->found == 0 && log_check_listed(txn) == HS_EDAMAGED)
        found(check, &(struct hs_rotten){.sort = HS_ROT_COMMITS,
                                         .text = "the operations that are held are not those that the commits list"});
}

bool hs_log_check_over(const struct hs_log_check *check)
{
    return check->phase == PHASE_COUNT;
}

uint64_t hs_log_check_rows(struct hs_txn *txn)
{
    uint64_t rows = 0;
    for (size_t i = 0; i < PHASE_COUNT; i++)
        rows += hs_txn_count(txn, PHASES[i].table);
    return rows;
}

enum hs_err hs_log_check_step(struct hs_log_check *check, struct hs_txn *txn, size_t budget)
{
    check->writer_origin = 0; /* a certificate may have come */
    resume_stream(check, txn);
    while (check->err == HS_OK && txn->err == HS_OK && budget > 0 && !hs_log_check_over(check)) {
        if (read_rows(check, txn, &budget) || txn->err != HS_OK)
            break;
        if (PHASES[check->phase].table == LOG_COMMIT)
            check_listed(check, txn);
        next_phase(check);
    }
    if (txn->err == HS_EDAMAGED && check->err == HS_OK) { /* the pages behind it cannot be found */
        found(check, &(struct hs_rotten){.sort = HS_ROT_TABLE, .text = log_table_name(PHASES[check->phase].table)});
        next_phase(check);
        return check->err;
    }
    return check->err == HS_OK ? txn->err : check->err;
}

enum hs_err hs_log_owner(struct hs_txn *txn, struct hs_key *root, enum hs_role *role)
{
    struct hs_bytes row, encoded;
    struct hs_certificate own;
    enum hs_err err = hs_txn_get(txn, LOG_META, HS_BYTES("node", 4), &row);
    if (err == HS_OK && row.size < sizeof root->bytes + HS_KEY_BYTES)
        err = HS_EDAMAGED;
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_EDAMAGED : err;
    memcpy(root->bytes, row.data, sizeof root->bytes);
    *role = HS_ROLE_HALL; /* unless it can be read */
    err = hs_txn_get(txn, LOG_CERTIFICATE, HS_BYTES(row.data + sizeof root->bytes, HS_KEY_BYTES), &encoded);
    if (err == HS_OK && hs_certificate_verify(encoded, root, &own) == HS_OK)
        *role = own.role;
    return err == HS_ENOTFOUND ? HS_OK : err;
}
