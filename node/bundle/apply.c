/* apply.c -- a part taken in: each thing checked for itself, what is held already left alone, what does not fit listed.
 */
#include "node/bundle/open.h"

#include "proto/msg/frame.h"

#include <stdlib.h>
#include <string.h>

#define LEFT_MAX 100 /* streams that are listed; more are not */

struct applying {
    const struct hs_bundle *bundle;
    struct hs_store *store;
    struct hs_arena *arena;
    Hallsync__BundleImportReply reply;
    Hallsync__BundleLeft *left[LEFT_MAX];
    struct hs_buf heads;
};

/* What a peer, or an older copy of one, can cause: it is told, and the rest is taken. */
static bool is_answer(enum hs_err err)
{
    enum hs_err_class class = hs_err_class(err);
    return class == HS_CLASS_PEER || class == HS_CLASS_INPUT;
}

/* ---- what is left ---- */

static void name_writer(struct hs_view *view, const struct hs_key *root, const struct hs_stream *stream,
                        struct hs_certificate *writer)
{
    struct hs_bytes certificate, opening;
    if (hs_view_origin(view, stream->origin, &certificate, &opening) != HS_OK ||
        hs_certificate_verify(certificate, root, writer) != HS_OK)
        writer->node_id[0] = '\0';
}

/* One line a stream: what is behind the first is for the same reason. */
static enum hs_err leave(struct applying *a, const struct hs_segment *segment, enum hs_err why, uint64_t held)
{
    Hallsync__BundleImportReply *reply = &a->reply;
    const struct hs_stream *stream = &segment->stream;
    uint64_t last = segment->first + segment->count - 1;
    for (size_t i = 0; i < reply->n_left; i++) {
        if (a->left[i]->origin == stream->origin && a->left[i]->partition == stream->partition &&
            strcmp(a->left[i]->lane, hs_lane_text(stream->lane)) == 0) {
            a->left[i]->last = last;
            return HS_OK;
        }
    }
    if (reply->n_left == LEFT_MAX)
        return HS_OK;
    Hallsync__BundleLeft *left = hs_arena_alloc(a->arena, sizeof *left);
    struct hs_certificate *writer = hs_arena_alloc(a->arena, sizeof *writer);
    if (left == NULL || writer == NULL)
        return HS_ENOMEM;
    hallsync__bundle_left__init(left);
    name_writer(hs_store_view(a->store), &a->bundle->sender.root_key, stream, writer);
    left->error = (char *)(uintptr_t)hs_err_name(why);
    left->node_id = writer->node_id;
    left->partition = stream->partition;
    left->lane = (char *)(uintptr_t)hs_lane_text(stream->lane);
    left->origin = stream->origin;
    left->first = segment->first;
    left->last = last;
    left->has_needs_first = left->has_needs_last = why == HS_EGAP;
    left->needs_first = held + 1;
    left->needs_last = segment->first - 1;
    a->left[reply->n_left++] = left;
    return HS_OK;
}

/* ---- items ---- */

struct counting {
    uint32_t rows;
};

static enum hs_err count_row(void *ctx, struct hs_bytes key, struct hs_bytes row)
{
    (void)key;
    (void)row;
    ((struct counting *)ctx)->rows++;
    return HS_OK;
}

static enum hs_err count_rows(struct hs_view *view, uint32_t *rows)
{
    struct counting counting = {0};
    enum hs_err err = hs_view_revocations(view, count_row, &counting);
    if (err == HS_OK)
        err = hs_view_releases(view, count_row, &counting);
    *rows = counting.rows;
    return err;
}

static enum hs_err apply_revocation(struct applying *a, const struct bundle_item *item)
{
    bool is_revocation = item->type == HALLSYNC__BUNDLE_ITEM__BUNDLE_REVOCATION;
    enum hs_err err = is_revocation ? hs_store_put_revocation(a->store, item->bytes)
                                    : hs_store_put_release(a->store, item->bytes);
    return is_answer(err) ? HS_OK : err;
}

/* Of its own stores a node hears where it can be told more: in a session. */
static enum hs_err apply_stores(struct applying *a, const struct bundle_item *item)
{
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < item->stores->n_gone && err == HS_OK && a->bundle->sender.role == HS_ROLE_HUB; i++) {
        const Hallsync__StoreGone *gone = item->stores->gone[i];
        struct hs_key key;
        memcpy(key.bytes, gone->node_key.data, HS_KEY_BYTES);
        if (!hs_key_equal(&key, &hs_store_certificate(a->store)->node_key))
            err = hs_store_gone(a->store, &key, gone->store_id);
        err = err == HS_EBUSY ? HS_OK : err; /* no more of them are kept */
    }
    return err;
}

static enum hs_err apply_opening(struct applying *a, const struct bundle_item *item)
{
    enum hs_err err = hs_store_put_origin(a->store, item->certificate, item->bytes);
    return is_answer(err) ? HS_OK : err; /* its pieces will find no writer */
}

struct known {
    const struct hs_receipt *receipt;
    bool held;
};

static enum hs_err find_known(void *ctx, const struct hs_receipt *receipt)
{
    struct known *known = ctx;
    if (receipt->store_id == known->receipt->store_id && receipt->n >= known->receipt->n)
        known->held = true;
    return HS_OK;
}

static enum hs_err verify_receipt(struct applying *a, const struct bundle_item *item, struct hs_receipt *receipt)
{
    struct hs_certificate signer;
    enum hs_err err = hs_certificate_verify(item->certificate, &a->bundle->sender.root_key, &signer);
    if (err == HS_OK && signer.role == HS_ROLE_HALL)
        err = HS_ENOTHUB;
    *receipt = item->receipt;
    receipt->hub_key = signer.node_key;
    return err == HS_OK ? hs_receipt_verify(receipt) : err;
}

/* Nobody else can have signed it: this store has held more than it holds.  In the name of another of its stores it says
 * nothing of this one. */
static enum hs_err apply_own_receipt(struct applying *a, const struct hs_receipt *receipt)
{
    struct hs_head head = {.n = 0};
    enum hs_err err = hs_view_head(hs_store_view(a->store), &receipt->stream, &head);
    if (err != HS_OK && err != HS_ENOTFOUND)
        return err;
    if (receipt->store_id != hs_store_id(a->store) || receipt->n <= head.n)
        return HS_OK;
    return hs_store_strike(a->store, "a bundle has this node's own receipt for more than this store holds");
}

static enum hs_err apply_receipt(struct applying *a, const struct bundle_item *item)
{
    struct known known = {&item->receipt, false};
    struct hs_receipt receipt;
    enum hs_err err = hs_view_receipts(hs_store_view(a->store), &item->receipt.stream, find_known, &known);
    if ((err != HS_OK && err != HS_ENOTFOUND) || known.held)
        return err == HS_ENOTFOUND ? HS_OK : err;
    err = verify_receipt(a, item, &receipt);
    if (err == HS_OK && hs_key_equal(&receipt.hub_key, &hs_store_certificate(a->store)->node_key))
        return apply_own_receipt(a, &receipt);
    if (err == HS_OK)
        err = hs_store_put_receipt(a->store, &receipt, item->certificate);
    if (err == HS_OK)
        a->reply.receipts_taken++;
    return is_answer(err) ? HS_OK : err;
}

/* More of this node's current origin is named than it holds: it was set back, and must not number on there. */
static enum hs_err apply_heads(struct applying *a, const struct bundle_item *item)
{
    struct hs_view *view = hs_store_view(a->store);
    uint64_t current = hs_view_current_origin(view);
    struct hs_stream stream;
    struct hs_head head;
    hs_buf_put_bytes(&a->heads, item->bytes);
    for (size_t i = 0; i < item->heads->n_heads && current != 0; i++) {
        const Hallsync__StreamHead *named = item->heads->heads[i];
        if (!bundle_stream_read(named->stream, &stream) || stream.origin != current)
            continue;
        enum hs_err err = hs_view_head(view, &stream, &head);
        if (err != HS_OK && err != HS_ENOTFOUND)
            return err;
        if (named->n > (err == HS_OK ? head.n : 0))
            return hs_store_strike(a->store, "a bundle names more of this origin than this store holds");
    }
    return a->heads.err;
}

/* ---- pieces ---- */

/* PROTOCOL.md, "Scope": a hall takes its districts, a hub also whatever nodes wrote whose home it holds. */
static bool may_take(struct applying *a, const struct hs_stream *stream)
{
    struct hs_certificate writer;
    if (hs_store_holds(a->store, stream->partition))
        return true;
    if (hs_store_certificate(a->store)->role != HS_ROLE_HUB)
        return false;
    name_writer(hs_store_view(a->store), &a->bundle->sender.root_key, stream, &writer);
    return writer.node_id[0] != '\0' && hs_store_holds(a->store, writer.home);
}

/* Does it say the same of number @n as what is held?  What is not kept any more was the same when it was held. */
static enum hs_err check_at(struct hs_view *view, const struct hs_stream *stream, uint64_t n,
                            const struct hs_hash *theirs)
{
    struct hs_hash ours;
    enum hs_err err = hs_view_hash_at(view, stream, n, &ours);
    if (err == HS_ENOTFOUND || err == HS_EPRUNED)
        return HS_OK;
    if (err != HS_OK)
        return err;
    return hs_hash_equal(&ours, theirs) ? HS_OK : HS_EFORK;
}

/* Signed, and it continues what is held: the store checks the rest. */
static enum hs_err take_piece(struct applying *a, const struct hs_loose *piece, uint64_t held)
{
    const struct hs_segment *segment = &piece->segment;
    struct hs_view *view = hs_store_view(a->store);
    struct hs_key writer;
    enum hs_err err = bundle_writer(view, segment->stream.origin, &writer);
    if (err == HS_ENOTFOUND)
        return HS_ECERT;
    if (err == HS_OK)
        err = hs_checkpoint_verify(&segment->stream, segment->first + segment->count - 1, &segment->end, &writer,
                                   &segment->signature);
    if (err == HS_OK && segment->first <= held + 1)
        err = check_at(view, &segment->stream, segment->first - 1, &piece->start);
    if (err == HS_OK)
        err = hs_store_receive(a->store, segment);
    return err == HS_ESIGNATURE && segment->first <= held ? HS_EFORK : err; /* what overlaps is not the same */
}

static enum hs_err apply_piece(struct applying *a, const struct bundle_item *item)
{
    const struct hs_segment *segment = &item->loose.segment;
    struct hs_view *view = hs_store_view(a->store);
    uint64_t last = segment->first + segment->count - 1;
    struct hs_head head = {.n = 0};
    enum hs_err err = hs_view_head(view, &segment->stream, &head);
    if (err != HS_OK && err != HS_ENOTFOUND)
        return err;
    if (!may_take(a, &segment->stream)) {
        a->reply.outside += segment->count;
        return HS_OK;
    }
    if (last <= head.n) {
        err = check_at(view, &segment->stream, last, &segment->end);
        a->reply.held += err == HS_OK ? segment->count : 0;
    } else {
        err = segment->first > head.n + 1 ? HS_EGAP : take_piece(a, &item->loose, head.n);
        uint64_t fresh = last - (segment->first > head.n ? segment->first - 1 : head.n);
        a->reply.taken += err == HS_OK ? fresh : 0;
        a->reply.held += err == HS_OK ? segment->count - fresh : 0;
    }
    return is_answer(err) ? leave(a, segment, err, head.n) : err;
}

/* ---- all of it ---- */

static enum hs_err apply_item(struct applying *a, const struct bundle_item *item)
{
    switch (item->type) {
    case HALLSYNC__BUNDLE_ITEM__BUNDLE_REVOCATION:
    case HALLSYNC__BUNDLE_ITEM__BUNDLE_RELEASE:
        return apply_revocation(a, item);
    case HALLSYNC__BUNDLE_ITEM__BUNDLE_HEADS:
        return apply_heads(a, item);
    case HALLSYNC__BUNDLE_ITEM__BUNDLE_RECEIPT:
        return apply_receipt(a, item);
    case HALLSYNC__BUNDLE_ITEM__BUNDLE_OPENING:
        return apply_opening(a, item);
    case HALLSYNC__BUNDLE_ITEM__BUNDLE_PIECE:
        return apply_piece(a, item);
    case HALLSYNC__BUNDLE_ITEM__BUNDLE_STORES:
        return apply_stores(a, item);
    default:
        return HS_OK;
    }
}

static void describe(struct applying *a)
{
    const struct hs_bundle *bundle = a->bundle;
    Hallsync__BundleImportReply *reply = &a->reply;
    hallsync__bundle_import_reply__init(reply);
    reply->sender = (char *)(uintptr_t)bundle->sender.node_id;
    reply->role = (char *)(uintptr_t)hs_role_text(bundle->sender.role);
    reply->receiver = bundle->manifest->receiver;
    reply->made_ms = bundle->made_ms;
    reply->part = bundle->manifest->part;
    reply->last = bundle->manifest->last;
    reply->store_id = bundle->manifest->store_id;
    reply->commit = bundle->manifest->commit;
    reply->left = a->left;
    for (const struct bundle_item *item = bundle->items; item != NULL; item = item->next) {
        reply->operations += item->type == HALLSYNC__BUNDLE_ITEM__BUNDLE_PIECE ? item->loose.segment.count : 0;
        reply->receipts += item->type == HALLSYNC__BUNDLE_ITEM__BUNDLE_RECEIPT;
    }
}

/* The sender is known from now on, so that something can be sealed to it. */
static enum hs_err begin(struct applying *a, uint32_t *rows)
{
    enum hs_err err = hs_store_put_certificate(a->store, a->bundle->certificate);
    return err == HS_OK || is_answer(err) ? count_rows(hs_store_view(a->store), rows) : err;
}

enum hs_err hs_bundle_apply(const struct hs_bundle *bundle, struct hs_store *store, bool show, struct hs_arena *arena,
                            struct hs_buf *to)
{
    struct applying *a = hs_arena_alloc(arena, sizeof *a);
    uint32_t before = 0, after = 0;
    enum hs_err err = HS_OK;
    if (a == NULL)
        return HS_ENOMEM;
    *a = (struct applying){.bundle = bundle, .store = store, .arena = arena};
    describe(a);
    if (!show)
        err = begin(a, &before);
    for (const struct bundle_item *item = bundle->items; !show && item != NULL && err == HS_OK; item = item->next)
        err = apply_item(a, item);
    if (!show && err == HS_OK)
        err = count_rows(hs_store_view(store), &after);
    a->reply.has_revocations = after > before;
    a->reply.revocations = after - before;
    a->reply.has_heads = a->heads.size > 0;
    a->reply.heads = (ProtobufCBinaryData){a->heads.size, a->heads.data};
    if (err == HS_OK)
        hs_msg_pack(&a->reply.base, to);
    hs_buf_fini(&a->heads);
    return err == HS_OK ? to->err : err;
}
