/* The first message of both sides: who is it, what may it see, may it come in. */
#include "node/replica/fill.h"

#include "proto/msg/frame.h"

#include <stdlib.h>
#include <string.h>

/* ---- ours ---- */

/* Of the current origin's streams, so that what was written here flows at once; and of those of earlier ones that no
 * hub has signed for: the receipt may have been lost on its way before this node was struck, and nobody would ask for
 * it again.  Of a forked stream one branch never has one. */
static bool is_to_be_named(struct hs_replica *r, const struct rep_stream *stream, uint64_t current)
{
    if (stream->n == 0 || stream->name.origin == current)
        return stream->n != 0;
    return stream->fork == NULL && hs_rep_signed_by_hubs(r, stream, 1) < stream->n;
}

struct naming {
    struct hs_replica *r;
    Hallsync__StreamHead *heads, **list;
    Hallsync__StreamName *names;
    size_t count;
};

static void name_stream(struct naming *naming, const struct rep_stream *stream)
{
    if (naming->count == HS_LIST_ITEMS_MAX)
        return;
    Hallsync__StreamHead *head = &naming->heads[naming->count];
    hallsync__stream_head__init(head);
    head->stream = &naming->names[naming->count];
    hs_rep_stream_write(&stream->name, head->stream);
    head->n = stream->n;
    head->hash = hs_rep_data(stream->hash.bytes, REP_SHORT_HASH_BYTES);
    naming->list[naming->count++] = head;
}

static void name_own(struct naming *naming)
{
    struct hs_replica *r = naming->r;
    uint64_t current = r->source.current_origin(r->source.ctx);
    for (const struct rep_member *member = r->node->members; member != NULL; member = member->of_node) {
        for (size_t i = 0; i < member->count; i++) {
            if (is_to_be_named(r, member->streams[i], current))
                name_stream(naming, member->streams[i]);
        }
    }
}

/* A witness has no streams of its own: it names those that it keeps for others, first what is nowhere else, then what
 * one hub has. */
static void name_kept(struct naming *naming, const struct rep_member *member, unsigned hubs)
{
    struct hs_replica *r = naming->r;
    for (size_t i = 0; i < member->count && naming->count < HS_LIST_ITEMS_MAX; i++) {
        const struct rep_stream *stream = member->streams[i];
        bool wanted = stream->n > 0 && stream->fork == NULL && hs_rep_signed_by_hubs(r, stream, hubs + 1) < stream->n &&
                      (hubs == 0 || hs_rep_signed_by_hubs(r, stream, hubs) >= stream->n);
        if (wanted)
            name_stream(naming, stream);
    }
}

static void name_all(struct naming *naming)
{
    const struct rep_frontier *f = &naming->r->frontier;
    if (naming->r->certificate.role != HS_ROLE_WITNESS) {
        name_own(naming);
        return;
    }
    for (unsigned hubs = 0; hubs < 2; hubs++) {
        for (size_t i = 0; i < f->count; i++) {
            for (size_t k = 0; k < f->partitions[i]->count; k++)
                name_kept(naming, f->partitions[i]->members[k], hubs);
        }
    }
}

static bool put_heads(struct rep_session *s, Hallsync__PeerHello *hello)
{
    struct hs_arena *arena = &s->r->arena;
    struct naming naming = {.r = s->r};
    naming.heads = hs_arena_array(arena, HS_LIST_ITEMS_MAX, sizeof *naming.heads);
    naming.names = hs_arena_array(arena, HS_LIST_ITEMS_MAX, sizeof *naming.names);
    naming.list = hs_arena_array(arena, HS_LIST_ITEMS_MAX, sizeof *naming.list);
    if (naming.heads == NULL || naming.names == NULL || naming.list == NULL)
        return false;
    name_all(&naming);
    hello->n_heads = naming.count;
    hello->heads = naming.list;
    return true;
}

static bool put_scope(struct hs_replica *r, Hallsync__PeerHello *hello)
{
    const struct rep_scope *own = &r->scope;
    hello->everything = own->everything;
    hello->districts = hs_arena_array(&r->arena, own->count, sizeof *hello->districts);
    for (size_t i = 0; hello->districts != NULL && i < own->count; i++)
        hello->districts[i] = own->districts[i];
    hello->n_districts = own->count;
    return hello->districts != NULL;
}

static bool put_certificate(struct hs_replica *r, Hallsync__PeerHello *hello)
{
    ProtobufCMessage *certificate;
    if (hs_msg_unpack(&hallsync__certificate__descriptor, r->options.certificate, &r->arena, &certificate) != HS_OK)
        return false;
    hello->certificate = (Hallsync__Certificate *)certificate;
    return true;
}

/* What is not listed here is told when it is asked for. */
static bool put_filling(struct rep_session *s, Hallsync__PeerHello *hello)
{
    struct hs_replica *r = s->r;
    hello->filling = hs_arena_array(&r->arena, r->fill_count + 1, sizeof *hello->filling);
    for (size_t i = 0; hello->filling != NULL && i < r->fill_count && i < HS_FILLS_MAX; i++) {
        const struct rep_fill *fill = r->fills[i];
        hello->filling[hello->n_filling++] = REP_PAIR(fill->partition, fill->lane);
        hs_rep_pairs_add(r, &s->told_fills, fill->partition, fill->lane);
    }
    return hello->filling != NULL;
}

/* PROTOCOL.md, "Versions": an older node ends the session at a message that it does not know. */
static bool put_features(struct hs_replica *r, Hallsync__PeerHello *hello)
{
    hello->features = hs_arena_array(&r->arena, REP_TYPES_MAX, sizeof *hello->features);
    for (unsigned type = REP_TYPE_COMMON + 1; hello->features != NULL && type < REP_TYPES_MAX; type++) {
        if (hs_rep_knows_type(type))
            hello->features[hello->n_features++] = type;
    }
    return hello->features != NULL;
}

static void take_features(struct rep_session *s, const Hallsync__PeerHello *hello)
{
    for (size_t i = 0; i < hello->n_features; i++) {
        if (hello->features[i] < REP_TYPES_MAX)
            s->takes |= UINT64_C(1) << hello->features[i];
    }
}

bool hs_rep_takes(const struct rep_session *s, unsigned type)
{
    return type <= REP_TYPE_COMMON || (s->takes & UINT64_C(1) << type) != 0;
}

/* PROTOCOL.md, "Hello": only who dialled names heads; who was dialled does not know yet what the other may see. */
void hs_rep_hello_send(struct rep_session *s)
{
    struct hs_replica *r = s->r;
    Hallsync__PeerHello hello = HALLSYNC__PEER_HELLO__INIT;
    s->hello_commit = r->commit;
    hs_arena_reset(&r->arena);
    hello.version_min = hello.version_max = REP_VERSION;
    hello.process_id = hs_rep_data(r->options.process_id, REP_PROCESS_BYTES);
    hello.store_id = r->options.store_id;
    hello.backup_store = r->backup_store;
    hello.has_backup_store = r->backup_store != 0;
    s->backup_told = r->backup_store;
    hello.clock_ms = r->source.clock_ms(r->source.ctx);
    hello.credit = (uint32_t)s->in.first;
    hello.software = r->software;
    hello.has_rebuilding = hello.rebuilding = hs_rep_is_rebuilding(r);
    hello.has_revocations = true;
    hello.revocations = (uint32_t)r->revocations.count;
    if (put_certificate(r, &hello) && put_scope(r, &hello) && put_filling(s, &hello) && put_features(r, &hello) &&
        (!s->outbound || put_heads(s, &hello)))
        hs_rep_send(s, HALLSYNC__PEER_TYPE__PEER_HELLO, &hello.base);
    else
        hs_rep_fail(r, HS_ENOMEM);
}

/* ---- theirs ---- */

static enum hs_err check_form(const struct rep_session *s, const Hallsync__PeerHello *hello, const char **why)
{
    *why = "the greeting breaks a limit";
    if (hello->version_min > REP_VERSION || hello->version_max < REP_VERSION) {
        *why = "no common version of the protocol";
        return HS_EVERSION;
    }
    if (hello->process_id.len != REP_PROCESS_BYTES || hello->credit < HS_CREDIT_BYTES_MIN)
        return HS_EMALFORMED;
    if (hello->n_districts > HS_SCOPE_MAX || hello->n_heads > HS_LIST_ITEMS_MAX || hello->n_filling > HS_FILLS_MAX)
        return HS_EMALFORMED;
    if (hello->n_features > HS_LIST_ITEMS_MAX || (hello->has_revocations && hello->revocations > HS_REVOCATIONS_MAX))
        return HS_EMALFORMED;
    for (size_t i = 0; i < hello->n_filling; i++) {
        if (!hs_partition_valid(hello->filling[i] >> 8) || !hs_lane_valid(hello->filling[i] & 0xff))
            return HS_EMALFORMED;
    }
    *why = "only who has dialled names streams in the greeting";
    return s->outbound && hello->n_heads > 0 ? HS_EMALFORMED : HS_OK;
}

/* PROTOCOL.md, "Hello": the certificate must verify against the region's root and name the key that CURVE has proven.
 */
static enum hs_err check_certificate(struct rep_session *s, const Hallsync__PeerHello *hello, const char **why)
{
    hs_msg_pack(&hello->certificate->base, &s->certificate_bytes);
    hs_rep_fail(s->r, s->certificate_bytes.err);
    enum hs_err err = hs_certificate_verify(hs_buf_bytes(&s->certificate_bytes), &s->r->options.root_key,
                                            &s->certificate);
    *why = "the certificate does not hold";
    if (err != HS_OK)
        return err == HS_EMALFORMED ? HS_ECERT : err;
    *why = "the certificate names another key than the connection's";
    s->is_proven = hs_key_equal(&s->certificate.curve_key, &s->curve_key);
    return s->is_proven ? HS_OK : HS_ECERT;
}

static enum hs_err check_scope(struct rep_session *s, const Hallsync__PeerHello *hello, const char **why)
{
    *why = "the greeting names no districts, or what is none";
    if (!hello->everything && hello->n_districts == 0)
        return HS_EMALFORMED;
    size_t count = hello->everything ? 0 : hello->n_districts;
    return hs_rep_scope_of(&s->certificate, hello->districts, count, &s->scope) ? HS_OK : HS_EMALFORMED;
}

static enum hs_err check_node(struct rep_session *s, const char **why)
{
    bool same = hs_key_equal(&s->certificate.node_key, &s->r->certificate.node_key);
    *why = s->outbound ? "this node is its own upstream: take its address out of upstreams"
                       : "it is this node itself: its own address is among its upstreams";
    if (same)
        s->reason = HS_REASON_ITSELF;
    return same ? HS_EREFUSED : HS_OK;
}

/* Two hubs have dialled each other: the session that the lower node key has dialled stays, unless it seems to be dead.
 */
static void meet_twin(struct rep_session *s, struct rep_session *other)
{
    const struct hs_replica *r = s->r;
    bool own_is_lower = memcmp(r->certificate.node_key.bytes, s->certificate.node_key.bytes, HS_KEY_BYTES) < 0;
    bool heard = r->now_ms - other->heard_ms <= r->options.heartbeat_ms + r->options.heartbeat_ms / 2;
    bool stays = other->outbound == own_is_lower && heard;
    hs_rep_session_twin(stays ? s : other, stays ? other : s);
}

/* One process has one session: the connection that it gave up may not be known to be gone yet.  Two processes with one
 * key are two sessions and an alarm. */
static void meet_others_of_node(struct rep_session *s)
{
    struct rep_session *next;
    bool clone = false;
    for (struct rep_session *other = s->node->sessions; other != NULL && s->state != REP_ENDED; other = next) {
        next = other->of_node;
        if (memcmp(other->process_id, s->process_id, REP_PROCESS_BYTES) != 0)
            clone = true;
        else if (other->outbound != s->outbound)
            meet_twin(s, other);
        else
            hs_rep_session_end(other, HS_EEXISTS, "the same process has connected anew");
    }
    if (clone)
        hs_rep_notice(s->r, HS_NOTICE_CLONE, s->peer, HS_EEXISTS,
                      hs_rep_text(s->r, "two processes are %s", s->certificate.node_id));
}

static void join_live(struct rep_session *s)
{
    struct hs_replica *r = s->r;
    s->of_node = s->node->sessions;
    s->node->sessions = s;
    s->state = REP_LIVE;
    s->live_ms = r->now_ms;
    hs_rep_view_begin(s);
}

/* PROTOCOL.md, "State transfer": only hubs hold back operations for states: what a hall writes may be urgent. */
static void take_filling(struct rep_session *s, const Hallsync__PeerHello *hello)
{
    bool is_supplier = s->r->certificate.role == HS_ROLE_HUB;
    for (size_t i = 0; i < hello->n_filling; i++) {
        hs_partition partition = (hs_partition)(hello->filling[i] >> 8);
        uint8_t lane = (uint8_t)hello->filling[i];
        if (lane != HS_LANE_MONEY && is_supplier)
            hs_rep_pairs_add(s->r, &s->peer_fills, partition, lane);
        if (lane != HS_LANE_MONEY && s->certificate.role == HS_ROLE_HUB)
            hs_rep_pairs_add(s->r, &s->peer_lacks, partition, lane);
    }
}

/* It is shown to people and in metrics: as much as is a line of text, and no more. */
static void take_software(struct rep_session *s, const char *software)
{
    size_t size = software == NULL ? 0 : strnlen(software, sizeof s->software - 1);
    for (size_t i = 0; i < size; i++)
        s->software[i] = (char)(software[i] >= ' ' && software[i] <= '~' ? software[i] : '?');
    s->software[size] = '\0';
}

static void go_live(struct rep_session *s, const Hallsync__PeerHello *hello)
{
    struct hs_replica *r = s->r;
    s->node = hs_rep_node_get(r, &s->certificate.node_key);
    if (s->node == NULL)
        return;
    memcpy(s->process_id, hello->process_id.data, REP_PROCESS_BYTES);
    s->store_id = hello->store_id;
    s->backup_store = hello->has_backup_store ? hello->backup_store : 0;
    s->out.allowed = s->out.first = hello->credit;
    s->heads_told = s->hello_commit;
    take_software(s, hello->software);
    s->clock_offset_ms = (int64_t)(hello->clock_ms - r->source.clock_ms(r->source.ctx));
    hs_rep_node_learn(s->node, hs_buf_bytes(&s->certificate_bytes));
    s->is_rebuilding = s->certificate.role == HS_ROLE_HUB && hello->has_rebuilding && hello->rebuilding;
    take_features(s, hello);
    take_filling(s, hello);
    meet_others_of_node(s);
    if (s->state == REP_ENDED)
        return;
    join_live(s);
    hs_rep_notice(r, HS_NOTICE_LIVE, s->peer, HS_OK, hs_rep_text(r, "%s", s->certificate.node_id));
    s->revocations_due = hello->has_revocations ? hello->revocations : 0;
    hs_rep_revocations_send(s); /* before anything else */
    if (hello->has_revocations && hello->revocations == 0)
        hs_rep_gate_told(s);
}

/* The peer's own streams: it can begin to send as soon as it knows where we are.  What it may not hand in here, it does
 * not hear of either.  In a session without a common view this answer opens it, and is given whatever was named. */
static void answer_heads(struct rep_session *s, const Hallsync__PeerHello *hello)
{
    struct hs_stream *names = hs_arena_array(&s->r->arena, hello->n_heads, sizeof *names);
    if (names == NULL) {
        hs_rep_session_end(s, HS_EMALFORMED, "too many heads in the greeting");
        return;
    }
    size_t count = 0;
    for (size_t i = 0; i < hello->n_heads && s->state == REP_LIVE; i++) {
        if (hs_rep_head_received(s, hello->heads[i], &names[count]) && hs_rep_may_take(s, &names[count]))
            hs_rep_receipts_tell(s, &names[count++]);
    }
    if (count > 0 || !hs_rep_has_view(s))
        hs_rep_announce(s, names, count);
}

void hs_rep_hello_received(struct rep_session *s, const ProtobufCMessage *message)
{
    const Hallsync__PeerHello *hello = (const Hallsync__PeerHello *)message;
    const char *why;
    enum hs_err err = check_form(s, hello, &why);
    if (err == HS_OK)
        err = check_certificate(s, hello, &why);
    if (err == HS_OK && hs_rep_refuse_revoked(s))
        return;
    if (err == HS_OK)
        err = check_node(s, &why);
    if (err == HS_OK && hs_rep_reissued(s))
        return;
    if (err == HS_OK)
        err = check_scope(s, hello, &why);
    if (err == HS_OK)
        err = hs_rep_view_check(s, &why);
    if (err != HS_OK) {
        hs_rep_session_refuse(s, err, why);
        return;
    }
    if (hs_rep_gate_holds(s, hello))
        return;
    go_live(s, hello);
    if (s->r->err == HS_OK && s->state == REP_LIVE && (s->is_limit_new || s->r->held != 0))
        hs_rep_heartbeat_now(s); /* before it knows what it could send */
    if (s->r->err == HS_OK && s->state == REP_LIVE && !s->outbound)
        answer_heads(s, hello);
    if (s->r->err != HS_OK || s->state != REP_LIVE)
        return;
    if (hs_rep_has_view(s)) {
        hs_rep_exchange_start(s);
        hs_rep_compare_soon(s);
    } else {
        hs_rep_witness_start(s);
    }
    hs_rep_stores_meet(s);
    hs_rep_stores_send(s);
    hs_rep_probes_joined(s);
    hs_rep_wake(s->r, s->r->now_ms); /* it may have what rotted here */
    hs_rep_fills_soon(s->r);
    hs_rep_session_dirty(s);
}

void hs_rep_refuse_received(struct rep_session *s, const ProtobufCMessage *message)
{
    const Hallsync__PeerRefuse *refuse = (const Hallsync__PeerRefuse *)message;
    if (refuse->certificate != NULL)
        hs_rep_reissue_received(s->r, refuse->certificate);
    if (refuse->revocation != NULL)
        hs_rep_revocation_shown(s, refuse->revocation);
    if (s->state == REP_ENDED)
        return; /* it has told of itself */
    s->reason = refuse->certificate != NULL ? HS_REASON_OLDER_CERTIFICATE : s->reason;
    enum hs_err err = hs_err_by_name(refuse->error);
    const char *text = hs_rep_text(s->r, "the other side says: %s",
                                   refuse->text == NULL ? refuse->error : refuse->text);
    hs_rep_session_refused(s, err == HS_EINTERNAL || err == HS_OK ? HS_EREFUSED : err, text);
}
