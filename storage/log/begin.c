/* begin.c -- streams that begin behind an op: what lies before came as state, or lies elsewhere.  Ops that a stream
 * jumps over stay where they are and count, until they are folded into base states.  Fold: key stream; row u64 n (up to
 * which op), u64 commit (of the jump). */
#include "storage/log/inside.h"

/* Somebody holds more of this origin than its owner: the owner was set back without knowing. */
void log_watch_own(struct hs_log *log, const struct hs_signed_head *head, uint64_t held)
{
    if (head->stream.origin == log->life.current && head->n > held)
        hs_log_strike(log, "another store holds more of this origin than this one");
}

enum hs_err log_find_fold(struct hs_txn *txn, const struct hs_stream *stream, uint64_t *n)
{
    uint8_t key[HS_STREAM_KEY_BYTES];
    struct hs_bytes row;
    hs_stream_key(stream, key);
    enum hs_err err = hs_txn_get(txn, LOG_FOLD, HS_BYTES(key, sizeof key), &row);
    if (err == HS_OK && row.size != 2 * 8)
        err = HS_EDAMAGED;
    if (err == HS_OK)
        *n = hs_from_be64(row.data);
    return err;
}

/* What is held of the stream lies before a gap from now on. */
static void leave_to_fold(struct hs_log *log, const struct log_grown *grown)
{
    uint8_t key[HS_STREAM_KEY_BYTES];
    uint8_t row[2 * 8];
    hs_stream_key(&grown->stream, key);
    hs_be64(row, grown->n);
    hs_be64(row + 8, log->position.commit + 1);
    hs_txn_put(log_change(log), LOG_FOLD, HS_BYTES(key, sizeof key), HS_BYTES(row, sizeof row));
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
    log_watch_own(log, head, grown->n);
    log_seal(log, grown);
    if (grown->n > 0)
        leave_to_fold(log, grown);
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
    log_watch_own(log, head, 0);
    log_begin_behind(log, grown, head);
    return log->txn.err;
}
