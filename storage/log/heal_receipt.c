/* heal_receipt.c -- receipts that rotted.  What a receipt says is worth nothing without its signature, so it goes; this
 * node's own word is given anew, and others' waits until it comes again. */
#include "storage/log/inside.h"

#include <string.h>

static enum hs_err note(struct hs_log *log, const struct hs_healed *of, enum hs_healing state, const char *why)
{
    struct hs_healed healed = *of;
    healed.state = state;
    healed.why = why == NULL ? HS_BYTES_NONE : HS_BYTES(why, strlen(why));
    log_put_healed(log, &healed);
    return log->txn.err;
}

/* Whose store it is, as far as hubs and witnesses were met; ids are random. */
struct search {
    uint64_t store_id;
    bool gone;
};

static enum hs_err find_store(void *ctx, const struct hs_peer_store *row)
{
    struct search *search = ctx;
    search->gone = search->gone || (row->store_id == search->store_id && row->state == HS_PEER_STORE_GONE);
    return HS_OK;
}

/* What the row still says of the stream, if that fits: else the head, for the store holds all up to there. */
static enum hs_err sign_anew(struct hs_log *log, const struct hs_healed *of, const struct hs_receipt *row)
{
    struct hs_log_reader reader = hs_log_reader_of(log);
    struct hs_head head = {of->stream, row->n, row->hash};
    struct hs_hash hash;
    bool fits = row->n > 0 && hs_log_hash_at(&reader, &of->stream, row->n, &hash) == HS_OK &&
                hs_hash_equal(&hash, &row->hash);
    if (log->txn.err != HS_OK)
        return log->txn.err;
    if (of->store_id == log->store_id) {
        bool may = false;
        enum hs_err err = hs_log_head(&reader, &of->stream, &head);
        if (err == HS_OK)
            err = log_may_vouch(log, &head, &may);
        if (err == HS_OK && !may)
            err = HS_ENOTFOUND;
        if (err != HS_OK)
            return err == HS_ENOTFOUND ? note(log, of, HS_HEALING_GONE, "nothing is held of its stream any more") : err;
    } else if (!fits) {
        return note(log, of, HS_HEALING_GONE, "a receipt of this node's backups: the next backup is vouched for anew");
    }
    enum hs_err err = log_vouch(log, of->store_id, &head);
    return err == HS_OK ? note(log, of, HS_HEALING_DONE, "this node's own receipt: signed anew") : err;
}

static enum hs_err replace(struct hs_log *log, const struct hs_healed *of, const struct hs_receipt *row)
{
    struct search search = {of->store_id, false};
    bool signs = log->certificate.role != HS_ROLE_HALL;
    if (signs && (of->store_id == log->store_id || of->store_id == hs_log_backup_store(&log->txn)))
        return sign_anew(log, of, row);
    enum hs_err err = hs_log_peer_stores(&log->txn, find_store, &search);
    if (err != HS_OK && err != HS_EDAMAGED)
        return err;
    if (search.gone)
        return note(log, of, HS_HEALING_GONE, "a receipt of a store that is gone: it said nothing any more");
    return note(log, of, HS_HEALING_WAITS, NULL);
}

static bool holds(struct hs_txn *txn, const struct hs_receipt *receipt)
{
    struct hs_bytes certificate;
    return hs_receipt_verify(receipt) == HS_OK &&
           hs_log_find_certificate(txn, &receipt->hub_key, &certificate) == HS_OK;
}

enum hs_err hs_log_note_receipt(struct hs_log *log, const struct hs_stream *stream, uint64_t store_id)
{
    struct hs_healed of = {.stream = *stream, .store_id = store_id};
    struct hs_receipt receipt = {.n = 0};
    enum hs_err err = log_get_receipt(&log->txn, stream, store_id, &receipt);
    if (err == HS_ENOTFOUND || (err == HS_OK && holds(&log->txn, &receipt)))
        return log->txn.err; /* somebody was mistaken, or it is right again */
    if (log->txn.err != HS_OK)
        return log->txn.err;
    if (err != HS_OK)
        receipt.n = 0;
    log_drop_receipt(log, stream, store_id);
    return replace(log, &of, &receipt);
}

/* ---- had again, or not to be had ---- */

enum hs_err log_settle_receipt(struct hs_log *log, const struct hs_stream *stream, uint64_t store_id)
{
    struct hs_healed of = {.stream = *stream, .store_id = store_id}, held;
    enum hs_err err = log_get_healed(&log->txn, &of, &held);
    if (err != HS_OK || held.state != HS_HEALING_WAITS)
        return log->txn.err;
    return note(log, &of, HS_HEALING_DONE, NULL);
}

struct lost {
    uint64_t store_id;
    struct hs_healed of;
    bool found;
};

static enum hs_err find_lost(void *ctx, const struct hs_healed *healed)
{
    struct lost *lost = ctx;
    if (!lost->found && healed->store_id == lost->store_id && healed->state == HS_HEALING_WAITS) {
        lost->found = true;
        lost->of = *healed;
    }
    return HS_OK;
}

enum hs_err log_settle_store(struct hs_log *log, uint64_t store_id)
{
    struct lost lost = {.store_id = store_id};
    enum hs_err err;
    do {
        lost.found = false;
        err = hs_log_healed(&log->txn, find_lost, &lost);
        if ((err == HS_OK || err == HS_EDAMAGED) && lost.found)
            err = note(log, &lost.of, HS_HEALING_GONE, "a receipt of a store that is gone: it said nothing any more");
    } while (err == HS_OK && lost.found);
    return log->txn.err;
}
