/* Keys that are not their nodes' any more.  PROTOCOL.md, "Revocations":
 *
 * Whoever knows of one tells it right behind Hello and when it comes, has no session with that key, and takes of its
 * streams what a hub has signed for, or a person released, and no more.  What lies beyond is verified, counted and
 * dropped: it waits where it is.  A hub whose store may be an old copy hears revocations before it lets halls in. */
#include "node/replica/revoke.h"

#include "proto/msg/frame.h"
#include "proto/msg/op.h"
#include "proto/msg/revoke.h"
#include "proto/msg/tlv.h"
#include "storage/model/kinds.h"

#include <stdlib.h>
#include <string.h>

#define TELL_MS       5000 /* what waits is told then: a receipt or a release may be on its way */
#define MESSAGE_BYTES (HS_MESSAGE_BYTES_MAX * 3 / 4) /* a message is full then */

enum { REVOCATIONS = 1, RELEASES = 2 }; /* fields of PeerRevocations */
enum { PAYMENT_AMOUNT = 3 };            /* of Payment */

/* ---- rows that are known ---- */

static uint64_t name_of(struct hs_bytes row)
{
    struct hs_hash hash = hs_hash_of(row);
    return hs_from_be64(hash.bytes);
}

static size_t place_of(const struct rep_revocations *known, uint64_t name)
{
    size_t low = 0, high = known->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (known->names[middle] < name)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_known(const struct hs_replica *r, struct hs_bytes row)
{
    uint64_t name = name_of(row);
    size_t at = place_of(&r->revocations, name);
    return at < r->revocations.count && r->revocations.names[at] == name;
}

/* False: it was known. */
static bool know(struct hs_replica *r, struct hs_bytes row)
{
    struct rep_revocations *known = &r->revocations;
    uint64_t name = name_of(row);
    size_t at = place_of(known, name);
    if (at < known->count && known->names[at] == name)
        return false;
    if (known->count == known->room) {
        size_t room = known->room == 0 ? 8 : known->room * 2;
        uint64_t *names = realloc(known->names, room * sizeof *names);
        if (names == NULL) {
            hs_rep_fail(r, HS_ENOMEM);
            return false;
        }
        known->names = names;
        known->room = room;
    }
    memmove(known->names + at + 1, known->names + at, (known->count - at) * sizeof *known->names);
    known->names[at] = name;
    known->count++;
    return true;
}

/* ---- sending ---- */

static void flush_rows(struct rep_session *s, struct hs_buf *rows)
{
    hs_rep_fail(s->r, rows->err);
    if (rows->size > 0)
        hs_rep_send_bytes(s, HALLSYNC__PEER_TYPE__PEER_REVOCATIONS, hs_buf_bytes(rows));
    hs_buf_reset(rows);
}

struct sending {
    struct rep_session *s;
    struct hs_buf rows;
    uint32_t field;
};

static enum hs_err send_row(void *ctx, struct hs_bytes key, struct hs_bytes row)
{
    struct sending *sending = ctx;
    (void)key;
    if (sending->rows.size + row.size > MESSAGE_BYTES)
        flush_rows(sending->s, &sending->rows);
    hs_tlv_put_bytes(&sending->rows, sending->field, row);
    return sending->rows.err;
}

void hs_rep_revocations_send(struct rep_session *s)
{
    struct hs_replica *r = s->r;
    struct sending sending = {.s = s, .field = REVOCATIONS};
    if (r->revocations.count == 0 || !hs_rep_takes(s, HALLSYNC__PEER_TYPE__PEER_REVOCATIONS))
        return;
    hs_rep_fail(r, r->source.revocations(r->source.ctx, send_row, &sending));
    sending.field = RELEASES;
    hs_rep_fail(r, r->source.releases(r->source.ctx, send_row, &sending));
    flush_rows(s, &sending.rows);
    hs_buf_fini(&sending.rows);
}

static void tell_row(struct hs_replica *r, uint32_t field, struct hs_bytes row)
{
    struct hs_buf rows = {0};
    hs_tlv_put_bytes(&rows, field, row);
    hs_rep_fail(r, rows.err);
    for (size_t i = 0; i < r->session_count && r->err == HS_OK; i++) {
        struct rep_session *s = r->sessions[i];
        if (s->state == REP_LIVE && hs_rep_takes(s, HALLSYNC__PEER_TYPE__PEER_REVOCATIONS))
            hs_rep_send_bytes(s, HALLSYNC__PEER_TYPE__PEER_REVOCATIONS, hs_buf_bytes(&rows));
    }
    hs_buf_fini(&rows);
}

/* ---- no session with such a key ---- */

/* It hears why, and gets the proof: an honest node is to know what has become of its key. */
static void refuse(struct rep_session *s, struct hs_bytes row)
{
    struct hs_replica *r = s->r;
    ProtobufCMessage *revocation = NULL;
    Hallsync__PeerRefuse message = HALLSYNC__PEER_REFUSE__INIT;
    hs_arena_reset(&r->sending);
    if (row.size > 0)
        hs_msg_unpack(&hallsync__revocation__descriptor, row, &r->sending, &revocation);
    const char *text = hs_rep_text(r, "the key of %s was revoked", s->certificate.node_id);
    message.error = (char *)hs_err_name(HS_EREVOKED);
    message.text = (char *)text;
    message.revocation = (Hallsync__Revocation *)revocation;
    hs_rep_send(s, HALLSYNC__PEER_TYPE__PEER_REFUSE, &message.base);
    hs_rep_session_refused(s, HS_EREVOKED, text);
}

struct finding {
    const struct hs_key *key;
    struct hs_buf row;
};

static enum hs_err find_row(void *ctx, struct hs_bytes key, struct hs_bytes row)
{
    struct finding *finding = ctx;
    if (hs_bytes_equal(key, HS_BYTES(finding->key->bytes, HS_KEY_BYTES)))
        hs_buf_put_bytes(&finding->row, row);
    return finding->row.err;
}

bool hs_rep_refuse_revoked(struct rep_session *s)
{
    struct hs_replica *r = s->r;
    const struct rep_node *node = hs_rep_node_get(r, &s->certificate.node_key);
    struct finding finding = {.key = &s->certificate.node_key};
    if (node == NULL || !node->is_revoked)
        return false;
    hs_rep_fail(r, r->source.revocations(r->source.ctx, find_row, &finding));
    refuse(s, hs_buf_bytes(&finding.row));
    hs_buf_fini(&finding.row);
    return true;
}

static void end_sessions(struct hs_replica *r, const struct rep_node *node, struct hs_bytes row)
{
    for (size_t i = 0; i < r->session_count && r->err == HS_OK; i++) {
        struct rep_session *s = r->sessions[i];
        if (s->state == REP_LIVE && s->node == node)
            refuse(s, row);
    }
}

/* What is ready to be sent may pass a limit that there was not. */
static void forget_cuts(struct hs_replica *r)
{
    for (size_t i = 0; i < REP_CUTS; i++)
        r->cuts[i].stream = NULL;
}

/* ---- how far its streams are taken ---- */

static uint64_t limit_of(struct hs_replica *r, const struct hs_stream *name, uint64_t held)
{
    uint64_t n = 0;
    enum hs_err err = r->source.limit(r->source.ctx, name, &n);
    if (err == HS_ENOTFOUND) /* the store does not have the revocation or the opening yet: look_again */
        return held;
    return hs_rep_read(r, err) == HS_OK ? n : held;
}

uint64_t hs_rep_limit(struct hs_replica *r, const struct rep_stream *stream)
{
    return stream->origin->node->is_revoked ? limit_of(r, &stream->name, stream->n) : UINT64_MAX;
}

bool hs_rep_waits(struct hs_replica *r, const struct hs_stream *name, uint64_t n)
{
    const struct rep_origin *origin = hs_rep_origin_find(&r->frontier, name->origin);
    const struct rep_stream *stream = hs_rep_stream_find(&r->frontier, name);
    uint64_t held = stream == NULL ? 0 : stream->n;
    return origin != NULL && origin->node->is_revoked && n > held && held >= limit_of(r, name, held);
}

static void announce_one(struct rep_session *s, const struct rep_stream *stream, void *ctx)
{
    (void)ctx;
    if (hs_rep_may_take(s, &stream->name))
        hs_rep_announce(s, &stream->name, 1);
}

static void forget_waiting(struct hs_replica *r, const struct rep_stream *stream)
{
    for (size_t i = 0; i < r->waiting_count; i++) {
        if (r->waiting[i].stream == stream) {
            r->waiting[i] = r->waiting[--r->waiting_count];
            return;
        }
    }
}

/* Whoever has more sends it again from where we are. */
void hs_rep_limit_moved(struct hs_replica *r, struct rep_stream *stream)
{
    forget_cuts(r);
    if (stream->fork != NULL || stream->incoming != NULL || hs_rep_limit(r, stream) <= stream->n)
        return;
    forget_waiting(r, stream);
    hs_rep_session_each(r, stream, announce_one, NULL);
}

static bool is_receipt_coming(const struct hs_replica *r, const struct rep_stream *stream)
{
    const struct rep_pending *pending;
    TAILQ_FOREACH(pending, &r->pending, order)
    {
        if (pending->type == HS_STORE_RECEIPT && hs_stream_equal(&pending->receipt.stream, &stream->name))
            return true;
    }
    return false;
}

/* What a receipt moves that is on its way to the store is asked for when that is there, once. */
static void look_again(struct hs_replica *r, struct rep_stream *stream)
{
    if (stream->n < hs_rep_limit(r, stream) && !is_receipt_coming(r, stream))
        hs_rep_limit_moved(r, stream);
}

static void limits_moved(struct hs_replica *r, const struct rep_node *node)
{
    for (const struct rep_member *member = node->members; member != NULL; member = member->of_node) {
        for (size_t i = 0; i < member->count && r->err == HS_OK; i++)
            look_again(r, member->streams[i]);
    }
}

void hs_rep_limits_known(struct hs_replica *r, const struct rep_origin *origin)
{
    const struct rep_member *member = origin->node->is_revoked ? origin->node->members : NULL;
    for (; member != NULL; member = member->of_node) {
        struct hs_stream first = {.partition = member->partition->id, .origin = origin->id};
        size_t i = hs_rep_stream_from(member, &first);
        for (; i < member->count && member->streams[i]->name.origin == origin->id && r->err == HS_OK; i++)
            look_again(r, member->streams[i]);
    }
}

/* ---- what waits beyond it ---- */

static struct rep_waiting *find_waiting(struct hs_replica *r, const struct rep_stream *stream)
{
    for (size_t i = 0; i < r->waiting_count; i++) {
        if (r->waiting[i].stream == stream)
            return &r->waiting[i];
    }
    return NULL;
}

static struct rep_waiting *add_waiting(struct hs_replica *r)
{
    if (r->waiting_count == REP_WAITING_MAX)
        return NULL; /* they are figures, and what is not counted is still named by those that are */
    struct rep_waiting *waiting = reallocarray(r->waiting, r->waiting_count + 1, sizeof *waiting);
    if (waiting == NULL) {
        hs_rep_fail(r, HS_ENOMEM);
        return NULL;
    }
    r->waiting = waiting;
    return &r->waiting[r->waiting_count++];
}

static void count_payments(struct hs_replica *r, struct hs_bytes body, struct rep_waiting *waiting)
{
    struct hs_cur cur = hs_cur_of(body);
    struct hs_op op;
    while (cur.left > 0 && cur.err == HS_OK) {
        struct hs_bytes bytes = hs_cur_sized(&cur);
        hs_arena_reset(&r->decoding);
        if (hs_op_decode(bytes, &r->decoding, &op) != HS_OK)
            continue; /* void */
        for (size_t i = 0; i < op.write_count; i++) {
            if (op.writes[i].kind != HS_KIND_PAYMENT)
                continue;
            waiting->payments++;
            waiting->fen += (int64_t)hs_tlv_u64(op.writes[i].fact, PAYMENT_AMOUNT, 0);
        }
    }
}

uint64_t hs_rep_waiting_tick(struct hs_replica *r)
{
    uint64_t next_ms = UINT64_MAX;
    for (size_t i = 0; i < r->waiting_count; i++) {
        struct rep_waiting *waiting = &r->waiting[i];
        size_t before = r->update_count;
        if (waiting->is_told)
            continue;
        if (r->now_ms < waiting->since_ms + TELL_MS) {
            next_ms = waiting->since_ms + TELL_MS < next_ms ? waiting->since_ms + TELL_MS : next_ms;
            continue;
        }
        waiting->is_told = true;
        hs_rep_notice(r, HS_NOTICE_WAITING, 0, HS_EREVOKED,
                      hs_rep_text(r, "%llu operations of a revoked key that no hub has signed for",
                                  (unsigned long long)(waiting->n - waiting->behind)));
        if (r->update_count > before)
            r->updates[before].stream = waiting->stream->name;
    }
    return next_ms;
}

/* Signed by the key that was revoked, and by its chain what is known of it so far goes on with it. */
static bool verify(struct hs_replica *r, const struct rep_stream *stream, const struct hs_segment *segment,
                   struct hs_hash *hash)
{
    return hs_rep_chain(segment->body, segment->count, hash) == HS_OK &&
           hs_checkpoint_verify(&segment->stream, segment->first + segment->count - 1, hash, &stream->origin->node->key,
                                &segment->signature) == HS_OK &&
           r->err == HS_OK;
}

static void take_waiting(struct rep_session *s, struct rep_stream *stream, const struct hs_segment *segment)
{
    struct hs_replica *r = s->r;
    struct rep_waiting *waiting = find_waiting(r, stream);
    uint64_t n = stream->incoming != NULL ? stream->incoming->n : stream->n;
    struct hs_hash hash = stream->incoming != NULL ? stream->incoming->hash : stream->hash;
    bool goes_on = waiting != NULL && segment->first == waiting->n + 1;
    if (goes_on)
        hash = waiting->hash;
    if ((!goes_on && (waiting != NULL || segment->first != n + 1)) || !verify(r, stream, segment, &hash))
        return;
    if (waiting == NULL) {
        waiting = add_waiting(r);
        if (waiting == NULL)
            return;
        *waiting = (struct rep_waiting){.stream = stream, .behind = n, .since_ms = r->now_ms};
        hs_rep_wake(r, r->now_ms + TELL_MS);
    }
    waiting->n = segment->first + segment->count - 1;
    waiting->hash = hash;
    waiting->holder = s->certificate.node_key;
    count_payments(r, segment->body, waiting);
}

bool hs_rep_segment_waits(struct rep_session *s, struct rep_stream *stream, const Hallsync__PeerSegment *message,
                          const struct hs_segment *form)
{
    struct hs_replica *r = s->r;
    struct hs_segment segment = *form;
    uint64_t last = form->first + form->count - 1;
    if (!stream->origin->node->is_revoked || last <= stream->n || last <= hs_rep_limit(r, stream))
        return false;
    struct rep_packed packed = {HS_BYTES(message->body.data, message->body.len), message->raw_bytes,
                                message->compressed};
    hs_arena_reset(&r->walking);
    enum hs_err err = hs_rep_unpack(r, &packed, &r->walking, &segment.body);
    if (err == HS_OK)
        take_waiting(s, stream, &segment);
    else
        hs_rep_session_end(s, err, "a segment that is none");
    return true;
}

/* ---- taking them in ---- */

static void store_row(struct rep_session *s, enum hs_replica_store_type type, struct hs_bytes row)
{
    struct hs_replica_store *store = hs_rep_store_new(s->r, type);
    if (store == NULL)
        return;
    store->row = hs_rep_store_copy(s->r, store, row);
    hs_rep_store_take(s, store);
}

static void settle_one(struct rep_session *s, const struct rep_stream *stream, void *ctx)
{
    struct rep_lag *lag = hs_rep_lag_find(s, &stream->name);
    (void)ctx;
    if (lag != NULL)
        hs_rep_lag_settle(s, lag);
}

/* What waits is no lag any more. */
static void settle(struct hs_replica *r, const struct rep_node *node)
{
    for (const struct rep_member *member = node->members; member != NULL; member = member->of_node) {
        for (size_t i = 0; i < member->count && r->err == HS_OK; i++)
            hs_rep_session_each(r, member->streams[i], settle_one, NULL);
    }
}

/* From now on, and not only when it is stored. */
static void mark(struct hs_replica *r, const struct hs_revocation *revocation, struct hs_bytes row)
{
    struct rep_node *node = hs_rep_node_get(r, &revocation->node.node_key);
    if (node == NULL || node->is_revoked)
        return;
    node->is_revoked = true;
    forget_cuts(r);
    hs_rep_notice(r, node == r->node ? HS_NOTICE_OWN_REVOKED : HS_NOTICE_REVOKED, 0, HS_EREVOKED,
                  hs_rep_text(r, "%s", revocation->node.node_id)); /* why is for people who ask: people wrote it */
    end_sessions(r, node, row);
    settle(r, node);
}

static enum hs_err take_revocation(struct rep_session *s, const Hallsync__Revocation *message)
{
    struct hs_replica *r = s->r;
    struct hs_revocation revocation;
    struct hs_buf row = {0};
    hs_msg_pack(&message->base, &row);
    hs_rep_fail(r, row.err);
    enum hs_err err = row.err;
    if (err == HS_OK && !is_known(r, hs_buf_bytes(&row))) {
        err = hs_revocation_verify(hs_buf_bytes(&row), &r->options.root_key, &revocation);
        if (err == HS_OK) {
            mark(r, &revocation, hs_buf_bytes(&row));
            store_row(s, HS_STORE_REVOCATION, hs_buf_bytes(&row));
        }
    }
    hs_buf_fini(&row);
    return err;
}

static enum hs_err take_release(struct rep_session *s, const Hallsync__Release *message)
{
    struct hs_replica *r = s->r;
    struct hs_buf row = {0};
    struct hs_release *release = malloc(sizeof *release);
    hs_msg_pack(&message->base, &row);
    enum hs_err err = release == NULL ? HS_ENOMEM : row.err;
    hs_rep_fail(r, err);
    if (err == HS_OK && !is_known(r, hs_buf_bytes(&row))) {
        err = hs_release_verify(hs_buf_bytes(&row), &r->options.root_key, release);
        if (err == HS_OK)
            store_row(s, HS_STORE_RELEASE, hs_buf_bytes(&row));
    }
    free(release);
    hs_buf_fini(&row);
    return err;
}

/* By who refuses us: mostly our own.  One that does not hold changes nothing. */
void hs_rep_revocation_shown(struct rep_session *s, const Hallsync__Revocation *message)
{
    take_revocation(s, message);
}

void hs_rep_revocations_received(struct rep_session *s, const ProtobufCMessage *message)
{
    const Hallsync__PeerRevocations *told = (const Hallsync__PeerRevocations *)message;
    size_t count = told->n_revocations + told->n_releases;
    bool fits = count > 0 && count <= HS_LIST_ITEMS_MAX && (s->state == REP_LIVE || s->is_held);
    enum hs_err err = fits ? HS_OK : HS_EMALFORMED;
    for (size_t i = 0; i < told->n_revocations && err == HS_OK; i++)
        err = take_revocation(s, told->revocations[i]);
    for (size_t i = 0; i < told->n_releases && err == HS_OK; i++)
        err = take_release(s, told->releases[i]);
    if (err != HS_OK) {
        hs_rep_session_end(s, err, "a revocation or a release that does not hold");
        return;
    }
    bool owed = s->revocations_due > 0;
    s->revocations_due -= s->revocations_due < count ? s->revocations_due : (uint32_t)count;
    if (owed && s->revocations_due == 0 && s->state != REP_ENDED)
        hs_rep_gate_told(s);
}

/* ---- what the store has ---- */

struct loading {
    struct hs_replica *r;
    bool tell; /* what is new goes to the peers */
};

static enum hs_err load_revocation(void *ctx, struct hs_bytes key, struct hs_bytes row)
{
    const struct loading *loading = ctx;
    struct hs_replica *r = loading->r;
    struct hs_revocation revocation;
    (void)key;
    if (!know(r, row))
        return r->err;
    enum hs_err err = hs_revocation_verify(row, &r->options.root_key, &revocation);
    if (err != HS_OK)
        return err == HS_ENOMEM ? err : HS_EDAMAGED;
    mark(r, &revocation, row);
    const struct rep_node *node = hs_rep_node_get(r, &revocation.node.node_key);
    if (node != NULL && loading->tell) {
        tell_row(r, REVOCATIONS, row);
        limits_moved(r, node); /* what came meanwhile waits, whoever has signed for it */
    }
    return r->err;
}

static enum hs_err load_release(void *ctx, struct hs_bytes key, struct hs_bytes row)
{
    const struct loading *loading = ctx;
    struct hs_replica *r = loading->r;
    struct hs_key node_key;
    if (!know(r, row) || key.size < HS_KEY_BYTES)
        return r->err;
    memcpy(node_key.bytes, key.data, HS_KEY_BYTES);
    const struct rep_node *node = hs_rep_node_get(r, &node_key);
    if (node != NULL && loading->tell) {
        tell_row(r, RELEASES, row);
        limits_moved(r, node);
    }
    return r->err;
}

static enum hs_err load(struct hs_replica *r, bool tell)
{
    struct loading loading = {r, tell};
    enum hs_err err = r->source.revocations(r->source.ctx, load_revocation, &loading);
    return err == HS_OK ? r->source.releases(r->source.ctx, load_release, &loading) : err;
}

enum hs_err hs_rep_revocations_load(struct hs_replica *r)
{
    enum hs_err err = load(r, false);
    r->update_count = 0; /* nothing is news at a start */
    return err;
}

void hs_rep_revocations_committed(struct hs_replica *r)
{
    forget_cuts(r); /* from now on the limits are known */
    hs_rep_fail(r, load(r, true));
}

void hs_rep_revocations_fini(struct hs_replica *r)
{
    free(r->revocations.names);
    free(r->waiting);
}

/* ---- figures ---- */

size_t hs_replica_waiting(const struct hs_replica *r, struct hs_waiting *to, size_t room)
{
    size_t count = 0;
    for (; count < r->waiting_count && count < room; count++) {
        const struct rep_waiting *waiting = &r->waiting[count];
        to[count] = (struct hs_waiting){
            .stream = waiting->stream->name,
            .node_key = waiting->stream->origin->node->key,
            .holder = waiting->holder,
            .behind = waiting->behind,
            .n = waiting->n,
            .hash = waiting->hash,
            .payments = waiting->payments,
            .fen = waiting->fen,
        };
    }
    return count;
}
