/* export.c -- one part of a bundle: from where the one before ended, until it is large enough. */
#include "node/bundle/inside.h"

#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"

#include <stdlib.h>
#include <string.h>

enum { OPENING_CERTIFICATE = 1, OPENING_ORIGIN = 2 };
enum { STREAM_ORIGIN = 1, STREAM_PARTITION = 2, STREAM_LANE = 3 };
enum { PIECE_STREAM = 1, PIECE_FIRST = 2, PIECE_START = 3, PIECE_COUNT = 4, PIECE_SIGNATURE = 5, PIECE_BODY = 6 };
enum { HEAD_STREAM = 1, HEAD_N = 2, HEAD_HASH = 3, FRONTIER_HEADS = 2 };
enum {
    RECEIPT_STREAM = 1,
    RECEIPT_N = 2,
    RECEIPT_HASH = 3,
    RECEIPT_STORE = 4,
    RECEIPT_TIME = 5,
    RECEIPT_SIGNATURE = 6,
    RECEIPT_HUB = 7
};

#define SHORT_HASH_BYTES 8
#define CURSOR_BYTES     (4 + 1 + HS_STREAM_KEY_BYTES + 8)
#define FULL             HS_EEXISTS /* the part is: visits end with it */

/* What a bundle consists of, in this order; lanes at their own number behind it. */
enum phase {
    PHASE_REVOCATIONS = 1,
    PHASE_HEADS = 2,
    PHASE_RECEIPTS = 3,
    PHASE_LANES = 3, /* and the lane's number */
    PHASE_END = PHASE_LANES + HS_LANE_COUNT
};

struct known {
    struct hs_stream stream;
    uint64_t n;
};

struct exporting {
    const struct hs_bundle_node *node;
    struct hs_view *view;
    const struct hs_certificate *own;
    struct bundle_receivers receivers;
    uint64_t from;
    bool to_hub;
    struct known *known; /* what a hall says that it holds, ascending */
    size_t known_count, known_room;
    struct hs_stream *forked; /* ascending */
    size_t forked_count, forked_room;
    /* the next of the bundle: */
    uint32_t part;
    enum phase phase;
    struct hs_stream at;
    uint64_t n; /* 0: the stream has not been begun; of PHASE_REVOCATIONS: so many rows were in parts before */
    /* this part: */
    struct hs_sealer *sealer;
    size_t bytes;
    uint64_t *origins; /* whose openings are in it */
    size_t origin_count, origin_room;
    struct hs_buf item, inner, body;
    size_t head_count; /* in item, of PHASE_HEADS */
    uint64_t row;      /* of PHASE_REVOCATIONS */
    uint8_t row_type;
    uint64_t operations, receipts, pruned;
    uint32_t left_out;
};

/* ---- small lists ---- */

static enum hs_err grow(void **list, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return HS_OK;
    size_t more = *room == 0 ? 16 : 2 * *room;
    void *grown = reallocarray(*list, more, size);
    if (grown == NULL)
        return HS_ENOMEM;
    *list = grown;
    *room = more;
    return HS_OK;
}

static int compare_streams(const void *a, const void *b)
{
    return hs_stream_compare(a, b); /* the stream comes first in all */
}

/* ---- items ---- */

static enum hs_err put_item(struct exporting *e, uint8_t type)
{
    enum hs_err err = e->item.err;
    if (err == HS_OK)
        err = hs_sealer_put(e->sealer, type, hs_buf_bytes(&e->item));
    e->bytes += e->item.size;
    hs_buf_reset(&e->item);
    return err;
}

static void put_stream(struct exporting *e, uint32_t field, const struct hs_stream *stream)
{
    hs_buf_reset(&e->inner);
    hs_tlv_put_fixed64(&e->inner, STREAM_ORIGIN, stream->origin);
    hs_tlv_put_u64(&e->inner, STREAM_PARTITION, stream->partition);
    hs_tlv_put_u64(&e->inner, STREAM_LANE, stream->lane);
    if (e->inner.err != HS_OK)
        e->item.err = e->inner.err;
    hs_tlv_put_bytes(&e->item, field, hs_buf_bytes(&e->inner));
}

static enum hs_err put_opening(struct exporting *e, uint64_t origin)
{
    struct hs_bytes certificate, opening;
    for (size_t i = 0; i < e->origin_count; i++) {
        if (e->origins[i] == origin)
            return HS_OK;
    }
    enum hs_err err = grow((void **)&e->origins, e->origin_count, &e->origin_room, sizeof *e->origins);
    if (err == HS_OK)
        err = hs_view_origin(e->view, origin, &certificate, &opening);
    if (err != HS_OK)
        return err;
    e->origins[e->origin_count++] = origin;
    hs_tlv_put_bytes(&e->item, OPENING_CERTIFICATE, certificate);
    hs_tlv_put_bytes(&e->item, OPENING_ORIGIN, opening);
    return put_item(e, HALLSYNC__BUNDLE_ITEM__BUNDLE_OPENING);
}

static enum hs_err put_piece(struct exporting *e, const struct hs_segment *segment, const struct hs_hash *start)
{
    put_stream(e, PIECE_STREAM, &segment->stream);
    hs_tlv_put_u64(&e->item, PIECE_FIRST, segment->first);
    hs_tlv_put_bytes(&e->item, PIECE_START, HS_BYTES(start->bytes, sizeof start->bytes));
    hs_tlv_put_u64(&e->item, PIECE_COUNT, segment->count);
    hs_tlv_put_bytes(&e->item, PIECE_SIGNATURE, HS_BYTES(segment->signature.bytes, sizeof segment->signature.bytes));
    hs_tlv_put_bytes(&e->item, PIECE_BODY, segment->body);
    return put_item(e, HALLSYNC__BUNDLE_ITEM__BUNDLE_PIECE);
}

/* ---- which streams, and from where ---- */

static bool is_receivers(const struct exporting *e, const struct hs_key *key)
{
    for (size_t i = 0; i < e->receivers.key_count; i++) {
        if (hs_key_equal(&e->receivers.keys[i], key))
            return true;
    }
    return false;
}

static bool is_forked(const struct exporting *e, const struct hs_stream *stream)
{
    return e->forked_count > 0 &&
           bsearch(stream, e->forked, e->forked_count, sizeof *e->forked, compare_streams) != NULL;
}

/* PROTOCOL.md, "Scope": a hub gets whatever this node holds, a hall what is of its districts. */
static bool may_have(const struct exporting *e, const struct hs_stream *stream)
{
    return e->to_hub || hs_certificate_scope(&e->receivers.node, stream->partition);
}

struct reaching {
    const struct exporting *e;
    uint64_t n;
};

static enum hs_err note_reach(void *ctx, const struct hs_receipt *receipt)
{
    struct reaching *reaching = ctx;
    bool counts = false;
    if (receipt->n <= reaching->n || !is_receivers(reaching->e, &receipt->hub_key))
        return HS_OK;
    enum hs_err err = hs_view_store_counts(reaching->e->view, &receipt->hub_key, receipt->store_id, &counts);
    if (err == HS_OK && counts)
        reaching->n = receipt->n;
    return err;
}

/* The first operation that the receiver is not known to hold: behind its last receipt, or what it said itself.  So each
 * bundle is enough without those before it. */
static enum hs_err first_wanted(const struct exporting *e, const struct hs_stream *stream, uint64_t *first)
{
    struct reaching reaching = {e, 0};
    struct hs_key writer;
    *first = e->from;
    enum hs_err err = e->from == 0 ? bundle_writer(e->view, stream->origin, &writer) : HS_OK;
    if (err != HS_OK || e->from != 0)
        return err;
    if (e->to_hub && is_receivers(e, &writer)) {
        reaching.n = UINT64_MAX - 1; /* nobody signs for what he writes himself */
    } else if (e->to_hub) {
        err = hs_view_receipts(e->view, stream, note_reach, &reaching);
        err = err == HS_ENOTFOUND ? HS_OK : err;
    } else {
        const struct known *known = e->known_count == 0
                                        ? NULL
                                        : bsearch(stream, e->known, e->known_count, sizeof *e->known, compare_streams);
        reaching.n = known == NULL ? 0 : known->n;
    }
    *first = reaching.n + 1;
    return err;
}

/* The first that is kept at or behind @first: what lies before it has become states.  It can be cut from there on, and
 * nowhere before. */
static enum hs_err first_kept(struct exporting *e, const struct hs_stream *stream, uint64_t head, uint64_t *first)
{
    struct hs_segment segment;
    uint64_t low = *first, high = head + 1; /* pruned, kept */
    enum hs_err err = HS_OK;
    while (err == HS_OK && high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        hs_buf_reset(&e->body);
        enum hs_err cut = hs_view_cut(e->view, stream, middle, &e->body, &segment);
        if (cut == HS_EPRUNED)
            low = middle;
        else if (cut == HS_OK)
            high = middle;
        else
            err = cut;
    }
    e->pruned += high - *first;
    *first = high;
    return err;
}

/* ---- the phases ---- */

static bool is_behind(const struct exporting *e, const struct hs_stream *stream)
{
    return hs_stream_compare(stream, &e->at) < 0;
}

/* Goes on here in the next part, if this one is full. */
static enum hs_err check_room(struct exporting *e, const struct hs_stream *stream, uint64_t n)
{
    e->at = *stream;
    e->n = n;
    return e->bytes + e->item.size < HS_BUNDLE_BYTES_SOFT ? HS_OK : FULL;
}

static enum hs_err add_row(void *ctx, struct hs_bytes key, struct hs_bytes row)
{
    struct exporting *e = ctx;
    (void)key;
    if (e->row++ < e->n)
        return HS_OK;
    if (e->bytes >= HS_BUNDLE_BYTES_SOFT)
        return FULL;
    e->n = e->row;
    hs_buf_put_bytes(&e->item, row);
    return put_item(e, e->row_type);
}

/* A hub's word alone is believed: PROTOCOL.md, "Stores that are gone". */
static enum hs_err add_gone(void *ctx, const struct hs_peer_store *row)
{
    struct exporting *e = ctx;
    Hallsync__PeerStores message = HALLSYNC__PEER_STORES__INIT;
    Hallsync__StoreGone gone = HALLSYNC__STORE_GONE__INIT, *list[] = {&gone};
    if (row->state != HS_PEER_STORE_GONE || e->row++ < e->n)
        return HS_OK;
    if (e->bytes >= HS_BUNDLE_BYTES_SOFT)
        return FULL;
    e->n = e->row;
    gone.node_key = (ProtobufCBinaryData){HS_KEY_BYTES, (uint8_t *)(uintptr_t)row->node_key.bytes};
    gone.store_id = row->store_id;
    message.n_gone = 1;
    message.gone = list;
    hs_msg_pack(&message.base, &e->item);
    return put_item(e, HALLSYNC__BUNDLE_ITEM__BUNDLE_STORES);
}

/* Whoever takes the rest must know first whose word does not count any more. */
static enum hs_err put_revocations(struct exporting *e)
{
    e->row = 0;
    e->row_type = HALLSYNC__BUNDLE_ITEM__BUNDLE_REVOCATION;
    enum hs_err err = hs_view_revocations(e->view, add_row, e);
    e->row_type = HALLSYNC__BUNDLE_ITEM__BUNDLE_RELEASE;
    if (err == HS_OK)
        err = hs_view_releases(e->view, add_row, e);
    return err == HS_OK && e->own->role == HS_ROLE_HUB ? hs_view_peer_stores(e->view, add_gone, e) : err;
}

static enum hs_err end_heads(struct exporting *e)
{
    e->head_count = 0;
    return e->item.size > 0 ? put_item(e, HALLSYNC__BUNDLE_ITEM__BUNDLE_HEADS) : HS_OK;
}

static enum hs_err add_head(struct exporting *e, const struct hs_head *head)
{
    struct hs_buf *to = &e->body;
    struct hs_key writer;
    enum hs_err err = check_room(e, &head->stream, 0);
    if (err == HS_OK)
        err = bundle_writer(e->view, head->stream.origin, &writer);
    if (err != HS_OK || (!may_have(e, &head->stream) && !is_receivers(e, &writer)))
        return err;
    hs_buf_reset(to);
    hs_buf_reset(&e->inner);
    hs_tlv_put_fixed64(&e->inner, STREAM_ORIGIN, head->stream.origin);
    hs_tlv_put_u64(&e->inner, STREAM_PARTITION, head->stream.partition);
    hs_tlv_put_u64(&e->inner, STREAM_LANE, head->stream.lane);
    hs_tlv_put_bytes(to, HEAD_STREAM, hs_buf_bytes(&e->inner));
    hs_tlv_put_u64(to, HEAD_N, head->n);
    hs_tlv_put_bytes(to, HEAD_HASH, HS_BYTES(head->hash.bytes, SHORT_HASH_BYTES));
    hs_tlv_put_bytes(&e->item, FRONTIER_HEADS, hs_buf_bytes(to));
    if (e->inner.err != HS_OK || to->err != HS_OK || e->item.err != HS_OK)
        return HS_ENOMEM;
    return ++e->head_count == HS_LIST_ITEMS_MAX ? end_heads(e) : HS_OK;
}

static enum hs_err add_receipt(void *ctx, const struct hs_receipt *receipt)
{
    struct exporting *e = ctx;
    struct hs_bytes signer;
    enum hs_err err = hs_view_certificate(e->view, &receipt->hub_key, &signer);
    if (err == HS_OK && hs_receipt_verify(receipt) != HS_OK)
        err = HS_ENOTFOUND; /* it has rotted: the node's check finds it, and has it again */
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err;
    put_stream(e, RECEIPT_STREAM, &receipt->stream);
    hs_tlv_put_u64(&e->item, RECEIPT_N, receipt->n);
    hs_tlv_put_bytes(&e->item, RECEIPT_HASH, HS_BYTES(receipt->hash.bytes, sizeof receipt->hash.bytes));
    hs_tlv_put_fixed64(&e->item, RECEIPT_STORE, receipt->store_id);
    hs_tlv_put_u64(&e->item, RECEIPT_TIME, receipt->time_ms);
    hs_tlv_put_bytes(&e->item, RECEIPT_SIGNATURE, HS_BYTES(receipt->signature.bytes, sizeof receipt->signature.bytes));
    hs_tlv_put_bytes(&e->item, RECEIPT_HUB, signer);
    e->receipts++;
    return put_item(e, HALLSYNC__BUNDLE_ITEM__BUNDLE_RECEIPT);
}

/* Of a hall's own streams; and of those that go along: to a hub its own as well, which prove to it that it has held
 * what it may lack now. */
static enum hs_err add_receipts(struct exporting *e, const struct hs_head *head)
{
    struct hs_key writer;
    uint64_t first;
    enum hs_err err = check_room(e, &head->stream, 0);
    if (err == HS_OK)
        err = bundle_writer(e->view, head->stream.origin, &writer);
    if (err == HS_OK)
        err = first_wanted(e, &head->stream, &first);
    if (err != HS_OK || is_forked(e, &head->stream))
        return err;
    bool is_own = !e->to_hub && is_receivers(e, &writer);
    if (!is_own && (!may_have(e, &head->stream) || head->n < first))
        return HS_OK;
    err = hs_view_receipts(e->view, &head->stream, add_receipt, e);
    return err == HS_ENOTFOUND ? HS_OK : err;
}

/* PROTOCOL.md, "Revocations": of a revoked key the others take what a hub has signed for: what lies on both sides of
 * that goes as two, if there is a checkpoint between. */
static enum hs_err end_at_limit(struct exporting *e, struct hs_segment *segment)
{
    uint64_t limit = 0;
    struct hs_checkpoint checkpoint;
    enum hs_err err = hs_view_limit(e->view, &segment->stream, &limit);
    if (err != HS_OK || segment->first > limit || segment->first + segment->count - 1 <= limit)
        return err == HS_ENOTFOUND ? HS_OK : err;
    err = hs_view_checkpoint(e->view, &segment->stream, limit, &checkpoint);
    if (err != HS_OK || checkpoint.n < segment->first)
        return err == HS_ENOTFOUND ? HS_OK : err;
    segment->count = (uint32_t)(checkpoint.n - segment->first + 1);
    segment->end = checkpoint.hash;
    segment->signature = checkpoint.signature;
    struct hs_cur cur = hs_cur_of(segment->body);
    for (uint32_t i = 0; i < segment->count; i++)
        hs_cur_sized(&cur);
    segment->body.size -= cur.left;
    return cur.err == HS_OK ? HS_OK : HS_EDAMAGED;
}

static enum hs_err add_pieces(struct exporting *e, const struct hs_head *head, uint64_t first)
{
    struct hs_segment segment;
    struct hs_hash start;
    enum hs_err err = HS_OK;
    while (err == HS_OK && first <= head->n) {
        err = check_room(e, &head->stream, first);
        hs_buf_reset(&e->body);
        if (err == HS_OK)
            err = hs_view_cut(e->view, &head->stream, first, &e->body, &segment);
        if (err == HS_EPRUNED) {
            err = first_kept(e, &head->stream, head->n, &first);
            continue;
        }
        if (err == HS_OK)
            err = end_at_limit(e, &segment);
        if (err == HS_OK)
            err = hs_view_hash_at(e->view, &head->stream, first - 1, &start);
        if (err == HS_OK)
            err = put_opening(e, head->stream.origin);
        if (err == HS_OK)
            err = put_piece(e, &segment, &start);
        if (err == HS_OK) {
            e->operations += segment.count;
            first += segment.count;
        }
    }
    return err;
}

static enum hs_err add_stream(struct exporting *e, const struct hs_head *head)
{
    uint64_t first;
    bool goes_on = e->n != 0 && hs_stream_equal(&head->stream, &e->at);
    enum hs_err err = check_room(e, &head->stream, goes_on ? e->n : 0);
    if (err != HS_OK || !may_have(e, &head->stream))
        return err;
    err = first_wanted(e, &head->stream, &first);
    if (goes_on && e->n > first)
        first = e->n;
    if (err != HS_OK || head->n < first)
        return err;
    err = is_forked(e, &head->stream) ? HS_EFORK : add_pieces(e, head, first);
    if (err != HS_EFORK && err != HS_EDAMAGED)
        return err;
    e->left_out++; /* the others go all the same */
    hs_buf_reset(&e->item);
    return HS_OK;
}

static enum hs_err visit_head(void *ctx, const struct hs_head *head)
{
    struct exporting *e = ctx;
    if (is_behind(e, &head->stream))
        return HS_OK;
    if (e->phase == PHASE_HEADS)
        return add_head(e, head);
    if (e->phase == PHASE_RECEIPTS)
        return add_receipts(e, head);
    return head->stream.lane == e->phase - PHASE_LANES ? add_stream(e, head) : HS_OK;
}

static enum hs_err put_phases(struct exporting *e)
{
    enum hs_err err = HS_OK;
    while (err == HS_OK && e->phase < PHASE_END) {
        err = e->phase == PHASE_REVOCATIONS ? put_revocations(e) : hs_view_heads(e->view, visit_head, e);
        enum hs_err heads = e->phase == PHASE_HEADS && (err == HS_OK || err == FULL) ? end_heads(e) : HS_OK;
        if (heads != HS_OK)
            err = heads;
        if (err != HS_OK)
            break;
        e->phase++;
        e->at = (struct hs_stream){0};
        e->n = 0;
    }
    return err == FULL ? HS_OK : err;
}

/* ---- what the request says ---- */

static enum hs_err read_cursor(struct exporting *e, struct hs_bytes after)
{
    struct hs_cur cur = hs_cur_of(after);
    e->part = 1;
    e->phase = PHASE_REVOCATIONS;
    if (after.size == 0)
        return HS_OK;
    e->part = hs_cur_u32(&cur);
    e->phase = (enum phase)hs_cur_u8(&cur);
    struct hs_bytes key = hs_cur_take(&cur, HS_STREAM_KEY_BYTES);
    e->n = hs_cur_u64(&cur);
    if (!hs_cur_done(&cur) || e->phase < PHASE_REVOCATIONS || e->phase >= PHASE_END || e->part == 0)
        return HS_EINVAL;
    e->at = hs_stream_from_key(key.data);
    return HS_OK;
}

static void write_cursor(const struct exporting *e, uint8_t to[static CURSOR_BYTES])
{
    hs_be32(to, e->part + 1);
    to[4] = (uint8_t)e->phase;
    hs_stream_key(&e->at, to + 5);
    hs_be64(to + 5 + HS_STREAM_KEY_BYTES, e->n);
}

static enum hs_err read_known(struct exporting *e, struct hs_bytes heads)
{
    struct hs_cur cur = hs_cur_of(heads);
    struct hs_tlv tlv;
    enum hs_err err = HS_OK;
    while (err == HS_OK && hs_tlv_next(&cur, &tlv)) {
        if (tlv.number != FRONTIER_HEADS || tlv.wire != HS_WIRE_BYTES)
            continue;
        struct hs_bytes name = hs_tlv_bytes(tlv.bytes, HEAD_STREAM);
        struct known known = {.n = hs_tlv_u64(tlv.bytes, HEAD_N, 0)};
        struct hs_tlv origin;
        if (hs_tlv_find(name, STREAM_ORIGIN, &origin))
            known.stream.origin = origin.value;
        known.stream.partition = (hs_partition)hs_tlv_u64(name, STREAM_PARTITION, 0);
        known.stream.lane = (uint8_t)hs_tlv_u64(name, STREAM_LANE, 0);
        err = grow((void **)&e->known, e->known_count, &e->known_room, sizeof *e->known);
        if (err == HS_OK)
            e->known[e->known_count++] = known;
    }
    if (err == HS_OK && cur.err != HS_OK)
        err = HS_EINVAL;
    if (err == HS_OK && e->known_count > 1)
        qsort(e->known, e->known_count, sizeof *e->known, compare_streams);
    return err;
}

static enum hs_err note_fork(void *ctx, const struct hs_stream *stream, uint64_t n, struct hs_bytes proof)
{
    struct exporting *e = ctx;
    (void)n;
    (void)proof;
    enum hs_err err = grow((void **)&e->forked, e->forked_count, &e->forked_room, sizeof *e->forked);
    if (err == HS_OK)
        e->forked[e->forked_count++] = *stream;
    return err;
}

static enum hs_err prepare(struct exporting *e, const Hallsync__BundleExportRequest *request, struct hs_why *why)
{
    e->own = hs_store_certificate(e->node->store);
    e->from = request->has_from ? request->from : 0;
    enum hs_err err = read_cursor(e, HS_BYTES(request->after.data, request->after.len));
    if (err != HS_OK)
        return hs_fail(err, why, "after: not where a part of a bundle has ended");
    err = read_known(e, HS_BYTES(request->heads.data, request->heads.len));
    if (err == HS_EINVAL)
        return hs_fail(err, why, "heads: not what the import of a bundle has answered");
    if (err == HS_OK)
        err = bundle_receivers_find(e->node, e->view, request->receiver, &e->receivers, why);
    e->to_hub = e->receivers.node.role == HS_ROLE_HUB;
    if (err == HS_OK)
        err = hs_view_forks(e->view, note_fork, e);
    if (err == HS_OK && e->forked_count > 1)
        qsort(e->forked, e->forked_count, sizeof *e->forked, compare_streams);
    return err;
}

/* ---- the part ---- */

static enum hs_err write_part(void *ctx, struct hs_bytes bytes)
{
    struct hs_buf *part = ctx;
    hs_buf_put_bytes(part, bytes);
    return part->err;
}

static enum hs_err open_part(struct exporting *e, struct hs_buf *part, struct hs_why *why)
{
    struct hs_sealed_draft draft = {
        .purpose = e->to_hub ? HS_SEALED_BUNDLE : HS_SEALED_RECEIPTS,
        .root_key = e->own->root_key,
        .certificate = hs_store_certificate_bytes(e->node->store),
        .signer = e->node->signer,
        .recipients = e->receivers.curve,
        .recipient_count = e->receivers.curve_count,
        .made_ms = e->node->now_ms,
    };
    return hs_sealer_open(&draft, &(struct hs_sealed_sink){write_part, part}, &e->sealer, why);
}

static enum hs_err close_part(struct exporting *e)
{
    Hallsync__BundleManifest manifest = HALLSYNC__BUNDLE_MANIFEST__INIT;
    manifest.receiver = e->receivers.node.node_id;
    manifest.part = e->part;
    manifest.last = e->phase == PHASE_END;
    manifest.store_id = hs_store_id(e->node->store);
    manifest.commit = hs_view_position(e->view).commit;
    manifest.operations = e->operations;
    manifest.receipts = e->receipts;
    hs_buf_reset(&e->item);
    hs_msg_pack(&manifest.base, &e->item);
    return e->item.err == HS_OK ? hs_sealer_finish(e->sealer, hs_buf_bytes(&e->item)) : e->item.err;
}

static void answer(struct exporting *e, struct hs_buf *part, struct hs_buf *reply)
{
    Hallsync__BundleExportReply body = HALLSYNC__BUNDLE_EXPORT_REPLY__INIT;
    uint8_t next[CURSOR_BYTES];
    body.part = (ProtobufCBinaryData){part->size, part->data};
    body.operations = e->operations;
    body.receipts = e->receipts;
    body.pruned = e->pruned;
    body.left_out = e->left_out;
    body.recipients = (uint32_t)e->receivers.curve_count;
    body.has_next = e->phase != PHASE_END;
    if (body.has_next) {
        write_cursor(e, next);
        body.next = (ProtobufCBinaryData){sizeof next, next};
    }
    hs_msg_pack(&body.base, reply);
}

enum hs_err hs_bundle_export(const struct hs_bundle_node *node, struct hs_view *view,
                             const Hallsync__BundleExportRequest *request, struct hs_buf *reply, struct hs_why *why)
{
    struct exporting e = {.node = node, .view = view};
    struct hs_buf part = {0};
    enum hs_err err = prepare(&e, request, why);
    if (err == HS_OK)
        err = open_part(&e, &part, why);
    if (err == HS_OK)
        err = put_phases(&e);
    if (err == HS_OK)
        err = close_part(&e);
    if (err == HS_OK) {
        answer(&e, &part, reply);
        err = reply->err;
    }
    hs_sealer_close(e.sealer);
    hs_buf_fini(&part);
    hs_buf_fini(&e.item);
    hs_buf_fini(&e.inner);
    hs_buf_fini(&e.body);
    free(e.known);
    free(e.forked);
    free(e.origins);
    return err;
}
