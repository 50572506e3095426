/* open.c -- a part that came: read to its end before anything of it counts, then taken apart. */
#include "node/bundle/open.h"

#include "proto/msg/frame.h"

#include <string.h>

struct reading {
    struct hs_bytes left;
};

static enum hs_err read_bytes(void *ctx, uint8_t *to, size_t size, size_t *got)
{
    struct reading *reading = ctx;
    *got = reading->left.size < size ? reading->left.size : size;
    if (*got > 0)
        memcpy(to, reading->left.data, *got);
    reading->left = HS_BYTES(reading->left.data + *got, reading->left.size - *got);
    return HS_OK;
}

/* ---- items ---- */

static enum hs_err unpack(const ProtobufCMessageDescriptor *descriptor, struct hs_bytes bytes, struct hs_arena *arena,
                          const void **message)
{
    ProtobufCMessage *unpacked;
    *message = NULL;
    enum hs_err err = hs_msg_unpack(descriptor, bytes, arena, &unpacked);
    if (err == HS_OK)
        *message = unpacked;
    return err == HS_OK || err == HS_ENOMEM ? err : HS_EMALFORMED;
}

static enum hs_err pack(const ProtobufCMessage *message, struct hs_arena *arena, struct hs_bytes *bytes)
{
    struct hs_buf buf = {0};
    hs_msg_pack(message, &buf);
    *bytes = hs_arena_copy(arena, hs_buf_bytes(&buf));
    enum hs_err err = buf.err != HS_OK ? buf.err : bytes->data == NULL ? HS_ENOMEM : HS_OK;
    hs_buf_fini(&buf);
    return err;
}

static enum hs_err read_opening(struct hs_bytes bytes, struct hs_arena *arena, struct bundle_item *item)
{
    const Hallsync__PeerOpening *message;
    enum hs_err err = unpack(&hallsync__peer_opening__descriptor, bytes, arena, (const void **)&message);
    if (err == HS_OK)
        err = pack(&message->certificate->base, arena, &item->certificate);
    return err == HS_OK ? pack(&message->origin->base, arena, &item->bytes) : err;
}

static enum hs_err read_receipt(struct hs_bytes bytes, struct hs_arena *arena, struct bundle_item *item)
{
    const Hallsync__Receipt *message;
    struct hs_receipt *receipt = &item->receipt;
    enum hs_err err = unpack(&hallsync__receipt__descriptor, bytes, arena, (const void **)&message);
    if (err != HS_OK)
        return err;
    if (!bundle_stream_read(message->stream, &receipt->stream) || message->n == 0 || message->hub == NULL ||
        message->hash.len != HS_HASH_BYTES || message->signature.len != HS_SIGNATURE_BYTES)
        return HS_EMALFORMED;
    receipt->store_id = message->store_id;
    receipt->n = message->n;
    receipt->time_ms = message->time_ms;
    memcpy(receipt->hash.bytes, message->hash.data, HS_HASH_BYTES);
    memcpy(receipt->signature.bytes, message->signature.data, HS_SIGNATURE_BYTES);
    return pack(&message->hub->base, arena, &item->certificate);
}

static enum hs_err read_piece(struct hs_bytes bytes, struct hs_arena *arena, struct bundle_item *item)
{
    const Hallsync__PeerLoose *message;
    struct hs_segment *segment = &item->loose.segment;
    enum hs_err err = unpack(&hallsync__peer_loose__descriptor, bytes, arena, (const void **)&message);
    if (err != HS_OK)
        return err;
    if (!bundle_stream_read(message->stream, &segment->stream) || message->first == 0 || message->count == 0 ||
        message->count > message->body.len || message->body.len > HS_SEGMENT_BYTES_MAX ||
        message->first > UINT64_MAX - message->count || message->start_hash.len != HS_HASH_BYTES ||
        message->signature.len != HS_SIGNATURE_BYTES)
        return HS_EMALFORMED;
    segment->first = message->first;
    segment->count = message->count;
    segment->body = HS_BYTES(message->body.data, message->body.len);
    memcpy(item->loose.start.bytes, message->start_hash.data, HS_HASH_BYTES);
    memcpy(segment->signature.bytes, message->signature.data, HS_SIGNATURE_BYTES);
    segment->end = item->loose.start;
    struct hs_cur cur = hs_cur_of(segment->body);
    for (uint32_t i = 0; i < segment->count && cur.err == HS_OK; i++)
        segment->end = hs_chain_next(&segment->end, hs_cur_sized(&cur));
    return hs_cur_done(&cur) ? HS_OK : HS_EMALFORMED;
}

static enum hs_err read_heads(struct hs_bytes bytes, struct hs_arena *arena, struct bundle_item *item)
{
    const Hallsync__PeerFrontier *message;
    struct hs_stream stream;
    enum hs_err err = unpack(&hallsync__peer_frontier__descriptor, bytes, arena, (const void **)&message);
    if (err != HS_OK)
        return err;
    if (message->n_heads > HS_LIST_ITEMS_MAX)
        return HS_EMALFORMED;
    for (size_t i = 0; i < message->n_heads; i++) {
        if (!bundle_stream_read(message->heads[i]->stream, &stream))
            return HS_EMALFORMED;
    }
    item->heads = message;
    item->bytes = bytes;
    return HS_OK;
}

static enum hs_err read_stores(struct hs_bytes bytes, struct hs_arena *arena, struct bundle_item *item)
{
    enum hs_err err = unpack(&hallsync__peer_stores__descriptor, bytes, arena, (const void **)&item->stores);
    if (err != HS_OK)
        return err;
    if (item->stores->n_gone > HS_LIST_ITEMS_MAX)
        return HS_EMALFORMED;
    for (size_t i = 0; i < item->stores->n_gone; i++) {
        if (item->stores->gone[i]->node_key.len != HS_KEY_BYTES)
            return HS_EMALFORMED;
    }
    return HS_OK;
}

/* The store reads and checks it. */
static enum hs_err read_row(struct hs_bytes bytes, struct hs_arena *arena, struct bundle_item *item)
{
    (void)arena;
    item->bytes = bytes;
    return bytes.size > 0 ? HS_OK : HS_EMALFORMED;
}

static const struct {
    enum hs_err (*read)(struct hs_bytes bytes, struct hs_arena *arena, struct bundle_item *item);
} ITEMS[] = {
    [HALLSYNC__BUNDLE_ITEM__BUNDLE_REVOCATION] = {read_row},  [HALLSYNC__BUNDLE_ITEM__BUNDLE_RELEASE] = {read_row},
    [HALLSYNC__BUNDLE_ITEM__BUNDLE_HEADS] = {read_heads},     [HALLSYNC__BUNDLE_ITEM__BUNDLE_RECEIPT] = {read_receipt},
    [HALLSYNC__BUNDLE_ITEM__BUNDLE_OPENING] = {read_opening}, [HALLSYNC__BUNDLE_ITEM__BUNDLE_PIECE] = {read_piece},
    [HALLSYNC__BUNDLE_ITEM__BUNDLE_STORES] = {read_stores},
};

/* One of a type that a later version knows is left out, as fields of messages are. */
static enum hs_err add_item(struct hs_bundle *bundle, const struct hs_sealed_item *item, struct hs_arena *arena)
{
    if (item->type >= sizeof ITEMS / sizeof *ITEMS || ITEMS[item->type].read == NULL)
        return HS_OK;
    struct bundle_item *to = hs_arena_alloc(arena, sizeof *to);
    struct hs_bytes bytes = hs_arena_copy(arena, item->bytes);
    if (to == NULL || (bytes.data == NULL && item->bytes.size > 0))
        return HS_ENOMEM;
    to->type = item->type;
    *bundle->end = to;
    bundle->end = &to->next;
    return ITEMS[item->type].read(bytes, arena, to);
}

/* ---- the part ---- */

/* As no session is had with such a key. */
static enum hs_err check_revoked(struct hs_store *store, const struct hs_certificate *sender, struct hs_why *why)
{
    struct hs_view *view = NULL;
    struct hs_bytes revocation;
    enum hs_err err = hs_view_open(store, 0, 0, &view);
    if (err != HS_OK)
        return err;
    err = hs_view_revocation(view, &sender->node_key, &revocation);
    hs_view_close(view);
    if (err == HS_OK)
        return hs_fail(HS_EREVOKED, why, "%s, which made this bundle, has been revoked", sender->node_id);
    return err == HS_ENOTFOUND ? HS_OK : err;
}

/* Who may bring what: a hall takes from hubs, a hub from halls and hubs. */
static enum hs_err check_header(const struct hs_bundle_node *node, const struct hs_sealed_header *header,
                                struct hs_why *why)
{
    const struct hs_certificate *own = hs_store_certificate(node->store), *sender = &header->sender;
    if (header->purpose != HS_SEALED_BUNDLE && header->purpose != HS_SEALED_RECEIPTS)
        return hs_fail(HS_EPURPOSE, why, "this is a %s of %s, and no bundle", hs_sealed_purpose_text(header->purpose),
                       sender->node_id);
    if (own->role == HS_ROLE_WITNESS)
        return hs_fail(HS_ENOTHUB, why, "this node is a witness: bundles go from halls to hubs and back");
    if (sender->role != HS_ROLE_HUB && own->role != HS_ROLE_HUB)
        return hs_fail(HS_ENOTHUB, why, "%s, which made this bundle, is no hub", sender->node_id);
    return check_revoked(node->store, sender, why);
}

/* Once through: @bundle NULL: only whether it holds. */
static enum hs_err read_items(struct hs_unsealer *unsealer, struct hs_bundle *bundle, struct hs_arena *arena,
                              struct hs_why *why)
{
    struct hs_sealed_item item = {.type = 1};
    size_t bytes = 0;
    enum hs_err err = HS_OK;
    while (err == HS_OK) {
        err = hs_unsealer_next(unsealer, &item, why);
        if (err != HS_OK || item.type == 0)
            return err;
        bytes += item.bytes.size;
        if (bytes > HS_BUNDLE_BYTES_MAX)
            return hs_fail(HS_ETOOBIG, why, "a part of a bundle holds at most %d bytes", HS_BUNDLE_BYTES_MAX);
        if (bundle != NULL)
            err = add_item(bundle, &item, arena);
    }
    return hs_fail(err, why, "the part is signed by its sender, and item %u in it is none: %s", item.type,
                   hs_err_text(err));
}

static enum hs_err take_header(struct hs_bundle *bundle, struct hs_unsealer *unsealer, struct hs_arena *arena)
{
    const void *manifest;
    struct hs_bytes bytes = hs_arena_copy(arena, hs_unsealer_manifest(unsealer));
    if (bytes.data == NULL && hs_unsealer_manifest(unsealer).size > 0)
        return HS_ENOMEM;
    enum hs_err err = unpack(&hallsync__bundle_manifest__descriptor, bytes, arena, &manifest);
    bundle->sender = hs_unsealer_header(unsealer)->sender;
    bundle->certificate = hs_arena_copy(arena, hs_unsealer_header(unsealer)->certificate);
    bundle->made_ms = hs_unsealer_header(unsealer)->made_ms;
    bundle->manifest = manifest;
    return err == HS_OK && bundle->certificate.data == NULL ? HS_ENOMEM : err;
}

static enum hs_err pass(const struct hs_bundle_node *node, struct hs_bytes part, struct hs_bundle *bundle,
                        struct hs_arena *arena, struct hs_why *why)
{
    const struct hs_certificate *own = hs_store_certificate(node->store);
    struct hs_sealed_opening opening = {
        .root_key = &own->root_key, .public_key = &own->curve_key, .secret = node->curve_secret};
    struct reading reading = {part};
    struct hs_unsealer *unsealer = NULL;
    enum hs_err err = hs_unsealer_open(&opening, &(struct hs_sealed_source){read_bytes, &reading}, &unsealer, why);
    if (err == HS_OK)
        err = check_header(node, hs_unsealer_header(unsealer), why);
    if (err == HS_OK)
        err = read_items(unsealer, bundle, arena, why);
    if (err == HS_OK && bundle != NULL) {
        err = take_header(bundle, unsealer, arena);
        if (err != HS_OK)
            hs_fail(err, why, "the part's manifest is none: %s", hs_err_text(err));
    }
    hs_unsealer_close(unsealer);
    return err;
}

enum hs_err hs_bundle_open(const struct hs_bundle_node *node, struct hs_bytes part, struct hs_arena *arena,
                           struct hs_bundle **out, struct hs_why *why)
{
    enum hs_err err = pass(node, part, NULL, arena, why);
    struct hs_bundle *bundle = err == HS_OK ? hs_arena_alloc(arena, sizeof *bundle) : NULL;
    if (err == HS_OK && bundle == NULL)
        err = HS_ENOMEM;
    if (err != HS_OK)
        return err;
    bundle->end = &bundle->items;
    err = pass(node, part, bundle, arena, why);
    *out = bundle;
    return err;
}

/* ---- parts of a file ---- */

enum hs_err hs_bundle_part_size(struct hs_bytes bytes, size_t *size)
{
    return hs_sealed_size(bytes, HS_BUNDLE_PART_MAX, size);
}
