/* begin.c -- streams that begin behind an op: what lies before came as state, or lies elsewhere.  Ops that a stream
 * jumps over stay where they are and count, until they are folded into base states.  Fold: key stream, u64 n (up to
 * which op); row u64 commit (of the jump). */
#include "storage/log/inside.h"

/* Somebody holds more of this origin than its owner: the owner was set back without knowing. */
enum hs_err log_watch_own(struct hs_log *log, const struct hs_signed_head *head, uint64_t held)
{
    if (head->stream.origin != log->life.current || head->n <= held)
        return log->txn.err;
    return hs_log_prove_older(log, "another store holds more of this origin than this one");
}

struct hs_bytes log_fold_key(const struct hs_stream *stream, uint64_t n, uint8_t key[static FOLD_KEY_BYTES])
{
    hs_stream_key(stream, key);
    hs_be64(key + HS_STREAM_KEY_BYTES, n);
    return HS_BYTES(key, FOLD_KEY_BYTES);
}

static enum hs_err find_fold(struct hs_txn *txn, const struct hs_stream *stream, bool last, uint64_t *n)
{
    uint8_t key[HS_STREAM_KEY_BYTES];
    struct hs_scan scan;
    enum hs_err err = HS_ENOTFOUND;
    hs_stream_key(stream, key);
    hs_scan_begin(&scan, txn, LOG_FOLD, HS_BYTES(key, sizeof key), HS_BYTES_NONE);
    while ((err == HS_ENOTFOUND || (err == HS_OK && last)) && hs_scan_next(&scan)) {
        err = scan.key.size == FOLD_KEY_BYTES && scan.value.size == 8 ? HS_OK : HS_EDAMAGED;
        if (err == HS_OK)
            *n = hs_from_be64(scan.key.data + HS_STREAM_KEY_BYTES);
    }
    hs_scan_end(&scan);
    return txn->err == HS_OK ? err : txn->err;
}

enum hs_err log_find_fold(struct hs_txn *txn, const struct hs_stream *stream, uint64_t *n)
{
    return find_fold(txn, stream, false, n);
}

enum hs_err hs_log_whole_from(struct hs_txn *txn, const struct hs_stream *stream, uint64_t *n)
{
    struct log_checkpoint at = {.n = 0};
    uint64_t gap = 0;
    enum hs_err err = find_fold(txn, stream, true, &gap);
    if (err == HS_ENOTFOUND)
        return hs_log_beginning(txn, stream, n);
    if (err == HS_OK)
        err = log_next_checkpoint(txn, stream, gap + 1, &at);
    *n = at.n;
    return err == HS_ENOTFOUND || (err == HS_OK && !at.begins) ? HS_EDAMAGED : err;
}

/* What is held of the stream lies before a gap from now on.  A beginning behind which no op has come is none any more.
 */
static enum hs_err leave_to_fold(struct hs_log *log, const struct log_grown *grown)
{
    struct log_checkpoint head;
    uint8_t key[FOLD_KEY_BYTES];
    uint8_t row[OP_KEY_BYTES];
    enum hs_err err = log_find_checkpoint(&log->txn, &grown->stream, grown->n, &head);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err;
    if (head.begins) {
        log_op_key(&grown->stream, head.n, ROW_CHECKPOINT, row);
        hs_txn_delete(log_change(log), LOG_OP, HS_BYTES(row, sizeof row));
    } else {
        hs_be64(row, log->position.commit + 1);
        hs_txn_put(log_change(log), LOG_FOLD, log_fold_key(&grown->stream, grown->n, key), HS_BYTES(row, 8));
    }
    return log->txn.err;
}

/* The states that came reflect the stream up to the head, and further on it comes by number. */
enum hs_err log_jump(struct hs_log *log, const struct hs_signed_head *head)
{
    uint64_t fork_at;
    struct log_grown *grown = log_touch(log, &head->stream);
    if (grown == NULL)
        return log->txn.err;
    enum hs_err err = hs_log_fork(&log->txn, &head->stream, &fork_at);
    if (err != HS_ENOTFOUND || grown->n >= head->n)
        return err == HS_ENOTFOUND ? HS_OK : err;
    err = log_watch_own(log, head, grown->n);
    if (err != HS_OK)
        return err;
    log_seal(log, grown);
    err = leave_to_fold(log, grown);
    if (err != HS_OK)
        return err;
    log_begin_behind(log, grown, head);
    grown->received = true;
    return log->txn.err;
}

enum hs_err hs_log_put_base(struct hs_log *log, const struct hs_signed_head *head)
{
    uint64_t fork_at;
    if (head->n == 0)
        return HS_EMALFORMED;
    const struct hs_certificate *writer = hs_log_writer(log, &log->txn, head->stream.origin);
    struct log_grown *grown = log_touch(log, &head->stream);
    if (grown == NULL)
        return log->txn.err;
    if (writer == NULL)
        return HS_ECERT;
    if (grown->n > 0)
        return HS_EEXISTS;
    enum hs_err err = hs_log_fork(&log->txn, &head->stream, &fork_at);
    if (err != HS_ENOTFOUND)
        return err == HS_OK ? HS_EFORK : log_fail(log, err);
    err = log_watch_own(log, head, 0);
    if (err != HS_OK)
        return err;
    log_begin_behind(log, grown, head);
    return log->txn.err;
}
