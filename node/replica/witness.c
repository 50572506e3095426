/* Sessions with a witness.  PROTOCOL.md, "Witness": nothing is compared.  Who dials names in its Hello what may be
 * unsafe (a hall its own streams, a witness those that no hub has signed for); who listens answers with an
 * announcement, and the other goes on from there.  A hall takes back from its witness what nobody else has, after a
 * disk was lost; a witness hands it to a hub itself if it dials one. */
#include "node/replica/fill.h"

#include <string.h>

#define DUE_MS 10000 /* so long a hall may need to hand in by itself what a witness has got too */

/* ---- the beginning ---- */

/* Heads by themselves, each of a stream that no two hubs have signed for, as far as the hall may have it. */
static void announce_tail(struct rep_session *s)
{
    struct hs_replica *r = s->r;
    struct hs_stream names[64];
    size_t count = 0;
    for (size_t i = 0; i < r->frontier.count; i++) {
        const struct rep_partition *partition = r->frontier.partitions[i];
        for (size_t k = 0; k < partition->count; k++) {
            const struct rep_member *member = partition->members[k];
            for (size_t m = 0; m < member->count && r->err == HS_OK; m++) {
                const struct rep_stream *stream = member->streams[m];
                if (stream->n == 0 || stream->fork != NULL || !hs_rep_may_send(s, stream) ||
                    hs_rep_signed_by_hubs(r, stream, 2) >= stream->n)
                    continue;
                names[count++] = stream->name;
                if (count == sizeof names / sizeof *names) {
                    hs_rep_announce(s, names, count);
                    count = 0;
                }
            }
        }
    }
    if (count > 0)
        hs_rep_announce(s, names, count);
}

/* Who listens knows where the other is; who has dialled waits for the announcement. */
void hs_rep_witness_start(struct rep_session *s)
{
    s->heads_due = s->r->commit;
    s->heads_due_ms = s->r->now_ms + DUE_MS;
    if (s->outbound)
        return;
    s->exchange.begun = true;
    if (s->relation == REP_HALL_WITNESS)
        announce_tail(s);
}

/* ---- a base: where a witness's copy begins ---- */

/* What two hubs have signed for needs no third store; of the rest it gets all that the log still has. */
static uint64_t base_of(struct hs_replica *r, const struct rep_stream *stream)
{
    uint64_t n = hs_rep_signed_by_hubs(r, stream, 2), from = 0;
    enum hs_err err = hs_rep_read(r, r->source.whole_from(r->source.ctx, &stream->name, &from));
    return err == HS_OK && from > n ? from : n;
}

static void send_base(struct rep_session *s, struct rep_stream *stream)
{
    struct hs_replica *r = s->r;
    struct hs_checkpoint checkpoint;
    uint64_t n = base_of(r, stream);
    if (n == 0 || hs_rep_read(r, hs_rep_checkpoint(r, stream, n, &checkpoint)) != HS_OK ||
        !hs_rep_opening_send(s, stream->name.origin))
        return;
    Hallsync__PeerBase message = HALLSYNC__PEER_BASE__INIT;
    Hallsync__SignedHead head = HALLSYNC__SIGNED_HEAD__INIT;
    Hallsync__StreamName name;
    hs_rep_stream_write(&stream->name, &name);
    head.stream = &name;
    head.n = checkpoint.n;
    head.hash = hs_rep_data(checkpoint.hash.bytes, sizeof checkpoint.hash.bytes);
    head.signature = hs_rep_data(checkpoint.signature.bytes, sizeof checkpoint.signature.bytes);
    message.head = &head;
    hs_rep_send(s, HALLSYNC__PEER_TYPE__PEER_BASE, &message.base);
    hs_rep_lag_rewind(s, &stream->name, checkpoint.n);
}

static enum hs_err read_base(const Hallsync__PeerBase *message, struct hs_signed_head *head)
{
    const Hallsync__SignedHead *from = message->head;
    if (!hs_rep_stream_read(from->stream, &head->stream) || from->n == 0 || from->hash.len != HS_HASH_BYTES ||
        from->signature.len != HS_SIGNATURE_BYTES)
        return HS_EMALFORMED;
    head->n = from->n;
    memcpy(head->hash.bytes, from->hash.data, HS_HASH_BYTES);
    memcpy(head->signature.bytes, from->signature.data, HS_SIGNATURE_BYTES);
    return HS_OK;
}

static enum hs_err check_base(struct rep_session *s, const struct hs_signed_head *head, const struct rep_origin *origin)
{
    if (s->relation != REP_HALL_WITNESS || s->outbound || origin == NULL)
        return HS_EMALFORMED;
    if (!hs_rep_may_take(s, &head->stream))
        return HS_ESCOPE;
    return hs_checkpoint_verify(&head->stream, head->n, &head->hash, &origin->node->key, &head->signature);
}

static void store_base(struct rep_session *s, struct rep_stream *stream, const struct hs_signed_head *head)
{
    struct hs_replica *r = s->r;
    struct hs_replica_store *store = hs_rep_store_new(r, HS_STORE_BASE);
    if (store == NULL)
        return;
    store->head = *head;
    store->stream = head->stream;
    hs_rep_expect(r, stream, head->n, &head->hash);
    struct rep_pending *pending = hs_rep_store_take(s, store);
    if (pending != NULL)
        pending->stream = stream;
}

/* PROTOCOL.md, "Witness": only where nothing is held yet. */
void hs_rep_base_received(struct rep_session *s, const ProtobufCMessage *message)
{
    struct hs_signed_head head;
    enum hs_err err = read_base((const Hallsync__PeerBase *)message, &head);
    struct rep_origin *origin = err == HS_OK ? hs_rep_origin_find(&s->r->frontier, head.stream.origin) : NULL;
    if (err == HS_OK)
        err = check_base(s, &head, origin);
    if (err != HS_OK) {
        hs_rep_session_end(s, err, "a beginning of a stream that is none");
        return;
    }
    struct rep_stream *stream = hs_rep_stream_get(s->r, &head.stream, origin);
    if (stream == NULL || stream->fork != NULL)
        return;
    if (stream->n > 0 || stream->incoming != NULL) {
        hs_rep_announce(s, &head.stream, 1);
        return;
    }
    hs_rep_lag_learn(s, &head.stream, head.n);
    store_base(s, stream, &head);
}

/* ---- the announcement ---- */

/* Something is here that this hall lost with its disk, or never had: it says from where on it wants it. */
static bool is_wanted(const struct rep_session *s, const struct hs_stream *name)
{
    const struct rep_lag *lag = hs_rep_lag_find(s, name);
    const struct rep_stream *stream = hs_rep_stream_find(&s->r->frontier, name);
    uint64_t held = stream == NULL ? 0 : stream->n;
    bool filling = name->lane != HS_LANE_MONEY && hs_rep_fill_find(s->r, name->partition, name->lane) != NULL;
    return lag != NULL && lag->peer_n > held && !filling && (stream == NULL || stream->fork == NULL) &&
           hs_rep_may_take(s, name) && !hs_rep_is_striking(s->r, name->origin);
}

static void ask_now(struct rep_session *s, struct rep_lag *lag, void *ctx)
{
    const struct hs_stream *like = ctx;
    if (lag->name.partition == like->partition && lag->name.lane == like->lane && is_wanted(s, &lag->name))
        hs_rep_announce(s, &lag->name, 1);
}

void hs_rep_witness_filled(struct rep_session *s, hs_partition partition, uint8_t lane)
{
    struct hs_stream like = {.partition = partition, .lane = lane};
    if (s->relation == REP_HALL_WITNESS && s->outbound)
        hs_rep_lags_visit(s, ask_now, &like);
}

/* It holds nothing of one of our streams: give it a beginning. */
static bool begins(const struct rep_session *s, const struct rep_stream *stream)
{
    const struct rep_lag *lag = hs_rep_lag_find(s, &stream->name);
    return lag != NULL && lag->peer_n == 0 && stream->fork == NULL && hs_rep_may_send(s, stream);
}

/* What was written while the greetings were on their way is in none: the witness says if it holds more than nothing. */
static void begin_unnamed(struct rep_session *s)
{
    struct hs_replica *r = s->r;
    for (const struct rep_member *member = r->node->members; member != NULL; member = member->of_node) {
        for (size_t i = 0; i < member->count; i++) {
            const struct rep_stream *stream = member->streams[i];
            if (stream->changed > s->hello_commit && hs_rep_lag_find(s, &stream->name) == NULL)
                hs_rep_lag_learn(s, &stream->name, 0);
        }
    }
}

/* Ahead of a beginning: a witness that holds as much as it had signed for does not learn that it was set back. */
static void tell_receipts(struct rep_session *s, const struct hs_stream *names, size_t count)
{
    for (size_t i = 0; i < count && s->state == REP_LIVE && s->r->err == HS_OK; i++) {
        const struct rep_stream *stream = hs_rep_stream_find(&s->r->frontier, &names[i]);
        if (stream != NULL && stream->member->node == s->r->node)
            hs_rep_receipts_tell(s, &names[i]);
    }
    hs_rep_ack_send(s);
}

void hs_rep_witness_announced(struct rep_session *s, const struct hs_stream *names, size_t count)
{
    struct hs_replica *r = s->r;
    struct hs_stream wanted[64];
    size_t wanted_count = 0;
    bool begins_now = !s->exchange.begun && s->relation == REP_HALL_WITNESS;
    s->exchange.begun = true;
    if (s->relation == REP_HALL_WITNESS && s->outbound)
        tell_receipts(s, names, count);
    for (size_t i = 0; i < count && s->state == REP_LIVE && r->err == HS_OK; i++) {
        struct rep_stream *stream = hs_rep_stream_find(&r->frontier, &names[i]);
        if (stream != NULL && s->relation == REP_HALL_WITNESS && s->outbound && begins(s, stream))
            send_base(s, stream);
        if (!s->outbound || s->relation != REP_HALL_WITNESS || !is_wanted(s, &names[i]))
            continue;
        wanted[wanted_count++] = names[i];
        if (wanted_count == sizeof wanted / sizeof *wanted) {
            hs_rep_announce(s, wanted, wanted_count);
            wanted_count = 0;
        }
    }
    if (wanted_count > 0)
        hs_rep_announce(s, wanted, wanted_count);
    if (begins_now)
        begin_unnamed(s);
    hs_rep_session_dirty(s);
}

/* ---- from a witness to a hub ---- */

/* What moved a while ago and no hub has signed for: its hall may be cut off. */
void hs_rep_witness_beat(struct rep_session *s, struct hs_buf *body, uint32_t field)
{
    struct hs_replica *r = s->r;
    size_t count = 0;
    if (s->relation != REP_WITNESS_HUB || r->now_ms < s->heads_due_ms)
        return;
    for (size_t i = 0; i < r->frontier.count; i++) {
        const struct rep_partition *partition = r->frontier.partitions[i];
        for (size_t k = 0; k < partition->count; k++) {
            const struct rep_member *member = partition->members[k];
            for (size_t m = 0; m < member->count && count < HS_LIST_ITEMS_MAX; m++) {
                const struct rep_stream *stream = member->streams[m];
                if (stream->changed <= s->heads_told || stream->changed > s->heads_due || stream->fork != NULL ||
                    hs_rep_signed_by_hubs(r, stream, 1) >= stream->n)
                    continue;
                struct hs_head head = {stream->name, stream->n, stream->hash};
                hs_rep_put_head(r, body, field, &head);
                count++;
            }
        }
    }
    s->heads_told = s->heads_due;
    s->heads_due = r->commit;
    s->heads_due_ms = r->now_ms + DUE_MS;
}

static bool is_behind(const struct rep_session *s, const struct hs_stream *name)
{
    const struct rep_lag *lag = hs_rep_lag_find(s, name);
    const struct rep_stream *stream = hs_rep_stream_find(&s->r->frontier, name);
    return lag != NULL && lag->peer_n > (stream == NULL ? 0 : stream->n);
}

/* What waits for a release is no lag; but it is to be shown. */
static bool is_revoked(const struct rep_session *s, const struct hs_stream *name)
{
    const struct rep_origin *origin = hs_rep_origin_find(&s->r->frontier, name->origin);
    return origin != NULL && origin->node->is_revoked;
}

/* The hub's answer: from here on, please. */
void hs_rep_witness_heard(struct rep_session *s, const struct hs_stream *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if ((is_behind(s, &names[i]) || is_revoked(s, &names[i])) && hs_rep_may_take(s, &names[i]))
            hs_rep_announce(s, &names[i], 1);
    }
}
