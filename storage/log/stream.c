/* stream.c -- ops in: this node's own, numbered here, and other nodes' segments. */
#include "storage/log/inside.h"

#include <assert.h>

static void put_op(struct hs_log *log, struct log_grown *grown, struct hs_bytes op)
{
    uint8_t key[OP_KEY_BYTES];
    grown->n++;
    grown->hash = hs_chain_next(&grown->hash, op);
    grown->bytes += log_sized_bytes(op.size);
    log_op_key(&grown->stream, grown->n, ROW_OP, key);
    hs_txn_put(log_change(log), LOG_OP, HS_BYTES(key, sizeof key), op);
}

/* Would the op make the run since the newest checkpoint longer than a segment? */
static bool closes_run(const struct log_grown *grown, struct hs_bytes op)
{
    return grown->n - grown->sealed_n >= HS_SEGMENT_OPS_MAX ||
           grown->bytes - grown->sealed_bytes + log_sized_bytes(op.size) > HS_SEGMENT_BYTES_SOFT;
}

enum hs_err hs_log_write(struct hs_log *log, hs_partition partition, uint8_t lane, struct hs_bytes op,
                         struct hs_dot *dot)
{
    struct hs_stream stream = {.partition = partition, .lane = lane};
    enum hs_err err = hs_log_origin(log, &stream.origin);
    if (err != HS_OK)
        return err;
    struct log_grown *grown = log_touch(log, &stream);
    if (grown == NULL)
        return log->txn.err;
    if (closes_run(grown, op))
        log_seal(log, grown);
    put_op(log, grown, op);
    log_list(log, &(struct log_item){.type = ITEM_OPS, .stream = stream, .first = grown->n, .count = 1});
    *dot = (struct hs_dot){stream.origin, grown->n};
    return log->txn.err;
}

/* Does the body hold exactly count ops, and do those beyond the head lead from its hash to the signed one? */
static enum hs_err check_body(const struct hs_segment *segment, const struct log_grown *grown)
{
    struct hs_cur cur = hs_cur_of(segment->body);
    struct hs_hash hash = grown->hash;
    for (uint64_t n = segment->first; cur.err == HS_OK && n < segment->first + segment->count; n++) {
        struct hs_bytes op = hs_cur_sized(&cur);
        if (cur.err == HS_OK && n > grown->n)
            hash = hs_chain_next(&hash, op);
    }
    if (!hs_cur_done(&cur))
        return HS_EMALFORMED;
    return hs_hash_equal(&hash, &segment->end) ? HS_OK : HS_ESIGNATURE;
}

/* Is there reason not to take it, all of it lying beyond the head or reaching beyond it? */
static enum hs_err check_segment(struct hs_log *log, const struct hs_segment *segment, const struct log_grown *grown)
{
    uint64_t fork_at;
    enum hs_err err = hs_log_fork(&log->txn, &segment->stream, &fork_at);
    if (err != HS_ENOTFOUND)
        return err == HS_OK ? HS_EFORK : log_fail(log, err);
    if (segment->first > grown->n + 1)
        return HS_EGAP;
    return check_body(segment, grown);
}

static void take(struct hs_log *log, struct log_grown *grown, const struct hs_segment *segment, uint64_t from)
{
    struct hs_cur cur = hs_cur_of(segment->body);
    for (uint64_t n = segment->first; n < segment->first + segment->count; n++) {
        struct hs_bytes op = hs_cur_sized(&cur);
        if (n >= from)
            put_op(log, grown, op);
    }
    log_put_checkpoint(log, grown, &segment->signature);
    grown->received = true;
    uint64_t count = segment->first + segment->count - from;
    log_list(log, &(struct log_item){.type = ITEM_OPS, .stream = segment->stream, .first = from, .count = count});
}

enum hs_err hs_log_receive(struct hs_log *log, const struct hs_segment *segment, uint64_t *from)
{
    if (segment->first == 0 || segment->count == 0 || segment->first > UINT64_MAX - segment->count)
        return HS_EMALFORMED;
    const struct hs_certificate *writer = hs_log_writer(log, &log->txn, segment->stream.origin);
    struct log_grown *grown = log_touch(log, &segment->stream);
    if (grown == NULL)
        return log->txn.err;
    if (writer == NULL)
        return HS_ECERT;
    if (segment->first + segment->count - 1 <= grown->n)
        return HS_EEXISTS;
    struct hs_log_reader reader = hs_log_reader_of(log);
    enum hs_err err = log_check_limit(&reader, &segment->stream, segment->first + segment->count - 1);
    if (err != HS_OK)
        return err;
    /* Somebody holds more of this origin than its owner: the owner was set back without knowing. */
    if (segment->stream.origin == log->life.current)
        err = hs_log_prove_older(log, "another store holds more of this origin than this one");
    if (err == HS_OK)
        err = check_segment(log, segment, grown);
    if (err != HS_OK)
        return err;
    *from = grown->n + 1;
    bool own = hs_key_equal(&writer->node_key, &log->certificate.node_key);
    take(log, grown, segment, *from);
    return own ? log_came_back(log, segment, *from) : log->txn.err;
}
