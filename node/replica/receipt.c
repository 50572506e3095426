/* Receipts: a hub's or a witness's signed word that its store holds a stream up to a number.  They travel with the
 * streams. */
#include "node/replica/core.h"

#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"

#include <string.h>

enum {
    RECEIPT_STREAM = 1,
    RECEIPT_N = 2,
    RECEIPT_HASH = 3,
    RECEIPT_STORE = 4,
    RECEIPT_TIME = 5,
    RECEIPT_SIGNATURE = 6,
    RECEIPT_HUB = 7
};                         /* fields of Receipt */
enum { ACK_RECEIPTS = 3 }; /* of PeerAck */

/* ---- sending ---- */

static void pack_receipt(struct hs_replica *r, const struct hs_receipt *receipt, struct hs_bytes hub)
{
    struct hs_buf *to = &r->entry;
    hs_buf_reset(to);
    hs_rep_put_stream(r, to, RECEIPT_STREAM, &receipt->stream);
    hs_tlv_put_u64(to, RECEIPT_N, receipt->n);
    hs_tlv_put_bytes(to, RECEIPT_HASH, HS_BYTES(receipt->hash.bytes, sizeof receipt->hash.bytes));
    hs_tlv_put_fixed64(to, RECEIPT_STORE, receipt->store_id);
    hs_tlv_put_u64(to, RECEIPT_TIME, receipt->time_ms);
    hs_tlv_put_bytes(to, RECEIPT_SIGNATURE, HS_BYTES(receipt->signature.bytes, sizeof receipt->signature.bytes));
    if (hub.size > 0)
        hs_tlv_put_bytes(to, RECEIPT_HUB, hub);
    hs_rep_fail(r, to->err);
}

/* Others may have brought back what an earlier life of this store has signed: that is not this one's word. */
static bool is_past(const struct hs_replica *r, const struct hs_receipt *receipt)
{
    bool is_own = hs_key_equal(&receipt->hub_key, &r->certificate.node_key);
    return is_own && receipt->store_id != r->options.store_id && receipt->store_id != r->backup_store;
}

static bool is_ahead(struct hs_replica *r, const struct hs_receipt *receipt)
{
    const struct rep_stream *stream = hs_rep_stream_find(&r->frontier, &receipt->stream);
    bool is_own = hs_key_equal(&receipt->hub_key, &r->certificate.node_key);
    return is_own && (stream == NULL || receipt->n > stream->n);
}

/* PROTOCOL.md, "Receipt": the hub's certificate goes along unless the hub sends it itself. */
static void put_receipt(struct rep_session *s, const struct hs_receipt *receipt)
{
    struct hs_replica *r = s->r;
    struct hs_buf hub = {0};
    enum hs_err err = HS_OK;
    if (is_past(r, receipt) || is_ahead(r, receipt))
        return;
    if (!hs_key_equal(&receipt->hub_key, &r->certificate.node_key))
        err = r->source.certificate(r->source.ctx, &receipt->hub_key, &hub);
    if (err == HS_OK) {
        pack_receipt(r, receipt, hs_buf_bytes(&hub));
        hs_rep_ack_part(s, ACK_RECEIPTS, hs_buf_bytes(&r->entry));
        hs_buf_reset(&r->entry);
    }
    hs_buf_fini(&hub);
}

/* As the store has it: one that has rotted would be taken for a lie, and end the session. */
void hs_rep_receipt_put(struct rep_session *s, const struct hs_receipt *receipt)
{
    struct hs_replica *r = s->r;
    if (is_past(r, receipt))
        return;
    if (hs_receipt_verify(receipt) == HS_OK)
        put_receipt(s, receipt);
    else
        hs_rep_rot_seen(r, &(struct hs_healed){.stream = receipt->stream, .store_id = receipt->store_id});
}

static enum hs_err tell_receipt(void *ctx, const struct hs_receipt *receipt)
{
    struct rep_session *s = ctx;
    if (receipt->store_id != s->store_id)
        hs_rep_receipt_put(s, receipt);
    return s->r->err;
}

void hs_rep_receipts_tell(struct rep_session *s, const struct hs_stream *name)
{
    enum hs_err err = s->r->source.receipts(s->r->source.ctx, name, tell_receipt, s);
    if (err != HS_OK && err != HS_ENOTFOUND)
        hs_rep_fail(s->r, err);
}

struct telling {
    const struct hs_receipt *receipt;
    hs_peer from; /* knows it already */
};

static void tell_one(struct rep_session *s, const struct rep_stream *stream, void *ctx)
{
    const struct telling *telling = ctx;
    bool may = stream == NULL || hs_rep_may_tell(s, stream);
    if (may && s->peer != telling->from && s->store_id != telling->receipt->store_id)
        put_receipt(s, telling->receipt); /* verified when it came, or signed just now */
}

/* A receipt may be here before anything of its stream is. */
static void tell_by_scope(struct hs_replica *r, struct telling *telling)
{
    for (size_t i = 0; i < r->session_count; i++) {
        struct rep_session *s = r->sessions[i];
        if (s->state == REP_LIVE && hs_rep_in_view(s, telling->receipt->stream.partition))
            tell_one(s, NULL, telling);
    }
}

static void tell_all(struct hs_replica *r, const struct hs_receipt *receipt, hs_peer from)
{
    const struct rep_stream *stream = hs_rep_stream_find(&r->frontier, &receipt->stream);
    struct telling telling = {receipt, from};
    if (stream != NULL)
        hs_rep_session_each(r, stream, tell_one, &telling);
    else
        tell_by_scope(r, &telling);
}

void hs_rep_receipts_committed(struct hs_replica *r, const struct hs_commit *commit)
{
    if (commit->receipt_count > 0 && r->certificate.role == HS_ROLE_HUB)
        r->backup_store = r->source.backup_store(r->source.ctx); /* some may be in its name, which is new */
    for (size_t i = 0; i < commit->receipt_count && r->err == HS_OK; i++)
        tell_all(r, &commit->receipts[i], 0);
}

/* Hubs pass on what is new to them, once; so receipts of one hub reach the halls of another.  A hall tells its witness
 * what hubs have signed of its own streams, and its hub what a witness has: with its heartbeats, the last of many. */
void hs_rep_receipt_stored(struct hs_replica *r, const struct hs_receipt *receipt, hs_peer from)
{
    if (r->certificate.role == HS_ROLE_HUB)
        tell_all(r, receipt, from);
    struct rep_stream *stream = hs_rep_stream_find(&r->frontier, &receipt->stream);
    if (stream != NULL && stream->origin->node->is_revoked)
        hs_rep_limit_moved(r, stream);
    if (r->certificate.role != HS_ROLE_HALL || stream == NULL || stream->member->node != r->node)
        return;
    if (hs_rep_node_is_hub(r, &receipt->hub_key))
        stream->signed_by_hub = r->commit;
    else
        stream->signed_by_witness = r->commit;
}

struct passing {
    struct rep_session *s;
    bool by_hubs; /* or by witnesses */
};

static enum hs_err pass_receipt(void *ctx, const struct hs_receipt *receipt)
{
    const struct passing *passing = ctx;
    struct rep_session *s = passing->s;
    if (receipt->store_id != s->store_id && hs_rep_node_is_hub(s->r, &receipt->hub_key) == passing->by_hubs)
        hs_rep_receipt_put(s, receipt);
    return s->r->err;
}

void hs_rep_receipts_pass(struct rep_session *s)
{
    struct hs_replica *r = s->r;
    struct passing passing = {s, s->relation == REP_HALL_WITNESS};
    if (r->certificate.role != HS_ROLE_HALL)
        return;
    for (const struct rep_member *member = r->node->members; member != NULL; member = member->of_node) {
        for (size_t i = 0; i < member->count && r->err == HS_OK; i++) {
            const struct rep_stream *stream = member->streams[i];
            uint64_t since = passing.by_hubs ? stream->signed_by_hub : stream->signed_by_witness;
            if (since > s->receipts_told && hs_rep_may_tell(s, stream))
                hs_rep_fail(r, r->source.receipts(r->source.ctx, &stream->name, pass_receipt, &passing));
        }
    }
    s->receipts_told = r->commit;
}

/* ---- how far ---- */

struct reaching {
    struct hs_replica *r;
    struct hs_key hub;      /* that has signed for first */
    uint64_t first, second; /* the highest, of two hubs: one and its own backups are one */
};

static enum hs_err note_reach(void *ctx, const struct hs_receipt *receipt)
{
    struct reaching *reaching = ctx;
    if (receipt->n <= reaching->second || !hs_rep_node_vouches(reaching->r, &receipt->hub_key))
        return HS_OK;
    bool counts = false;
    enum hs_err err = reaching->r->source.store_counts(reaching->r->source.ctx, &receipt->hub_key, receipt->store_id,
                                                       &counts);
    if (err != HS_OK || !counts)
        return err;
    bool same = reaching->first != 0 && hs_key_equal(&receipt->hub_key, &reaching->hub);
    bool highest = receipt->n > reaching->first;
    if (!same)
        reaching->second = highest ? reaching->first : receipt->n;
    if (highest) {
        reaching->first = receipt->n;
        reaching->hub = receipt->hub_key;
    }
    return HS_OK;
}

uint64_t hs_rep_signed_by_hubs(struct hs_replica *r, const struct rep_stream *stream, unsigned stores)
{
    struct reaching reaching = {.r = r};
    enum hs_err err = r->source.receipts(r->source.ctx, &stream->name, note_reach, &reaching);
    if (err != HS_OK && err != HS_ENOTFOUND)
        hs_rep_fail(r, err);
    return stores > 1 ? reaching.second : reaching.first;
}

/* ---- receiving ---- */

struct known {
    uint64_t store_id, n;
};

static enum hs_err find_known(void *ctx, const struct hs_receipt *receipt)
{
    struct known *known = ctx;
    if (receipt->store_id == known->store_id && receipt->n > known->n)
        known->n = receipt->n;
    return HS_OK;
}

/* Only the highest of each (stream, store) is kept. */
static bool is_new(struct hs_replica *r, const struct hs_receipt *receipt)
{
    struct known known = {receipt->store_id, 0};
    enum hs_err err = r->source.receipts(r->source.ctx, &receipt->stream, find_known, &known);
    if (err != HS_OK && err != HS_ENOTFOUND)
        hs_rep_fail(r, err);
    return receipt->n > known.n;
}

static bool read_receipt(const Hallsync__Receipt *from, struct hs_receipt *to)
{
    if (!hs_rep_stream_read(from->stream, &to->stream) || from->hash.len != HS_HASH_BYTES ||
        from->signature.len != HS_SIGNATURE_BYTES || from->n == 0)
        return false;
    to->store_id = from->store_id;
    to->n = from->n;
    to->time_ms = from->time_ms;
    memcpy(to->hash.bytes, from->hash.data, HS_HASH_BYTES);
    memcpy(to->signature.bytes, from->signature.data, HS_SIGNATURE_BYTES);
    return true;
}

/* Who signed it: a certified hub or witness.  @bytes: its certificate, packed. */
static enum hs_err find_signer(struct rep_session *s, const Hallsync__Receipt *from, struct hs_buf *bytes,
                               struct hs_key *key)
{
    struct hs_certificate hub = s->certificate;
    enum hs_err err = HS_OK;
    if (from->hub == NULL) {
        hs_buf_put_bytes(bytes, hs_buf_bytes(&s->certificate_bytes));
    } else {
        hs_msg_pack(&from->hub->base, bytes);
        err = hs_certificate_verify(hs_buf_bytes(bytes), &s->r->options.root_key, &hub);
    }
    hs_rep_fail(s->r, bytes->err);
    *key = hub.node_key;
    return err == HS_OK && hub.role == HS_ROLE_HALL ? HS_ENOTHUB : err;
}

/* Whoever has that key now may have signed it. */
static bool is_worthless(struct hs_replica *r, const struct hs_key *signer)
{
    const struct rep_node *node = hs_rep_node_get(r, signer);
    return node == NULL || node->is_revoked;
}

static void store_receipt(struct rep_session *s, const struct hs_receipt *receipt, struct hs_bytes hub)
{
    struct hs_replica_store *store = hs_rep_store_new(s->r, HS_STORE_RECEIPT);
    if (store == NULL)
        return;
    store->receipt = *receipt;
    store->stream = receipt->stream;
    store->certificate = hs_rep_store_copy(s->r, store, hub);
    struct rep_pending *pending = hs_rep_store_take(s, store);
    if (pending != NULL)
        pending->receipt = *receipt;
}

/* PROTOCOL.md, "Receipt": verified before it is stored; one that does not hold ends the session. */
void hs_rep_receipt_received(struct rep_session *s, const Hallsync__Receipt *from)
{
    struct hs_receipt receipt;
    struct hs_buf hub = {0};
    if (!read_receipt(from, &receipt)) {
        hs_rep_session_end(s, HS_EMALFORMED, "a receipt that is none");
        return;
    }
    if (!is_new(s->r, &receipt))
        return;
    enum hs_err err = find_signer(s, from, &hub, &receipt.hub_key);
    if (err == HS_OK)
        err = hs_receipt_verify(&receipt);
    if (err == HS_OK && !is_worthless(s->r, &receipt.hub_key)) {
        store_receipt(s, &receipt, hs_buf_bytes(&hub));
        hs_rep_stores_own(s, &receipt);
        hs_rep_named(s, &receipt.stream, receipt.n);
    } else if (err != HS_OK) {
        hs_rep_session_end(s, err, "a receipt that does not hold");
    }
    hs_buf_fini(&hub);
}
