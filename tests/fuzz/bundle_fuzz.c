/* bundle_fuzz.c -- parts of bundles as a certified hall may make them: items of any type, sound ones and bytes that are
 * none, sealed and signed.  A part is refused whole, or taken item by item, in a group of a hub's store that is given
 * up at the end; the same part again then changes nothing.  Besides: requests for a bundle with any cursor and any
 * heads, and the form of parts by itself.  PROTOCOL.md, 15.2.
 *
 *     input = what u8; 0: bytes of a file; 1: from u64, size u8, after, heads; else items: type u8, how u8, ... */
#include "node/bundle/bundle.h"
#include "proto/bundle.pb-c.h"
#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"
#include "proto/peer.pb-c.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_region.h"

#define ITEMS_MAX 12
#define ORIGIN    4711

static struct fuzz_region region;
static struct fuzz_node hub, hall;
static struct hs_store *store;
static struct hs_buf opening;
static uint8_t curve[HS_SEALED_KEY_BYTES];
static struct hs_key hub_curve;

static void set_up(void)
{
    struct hs_commit commit;
    if (store != NULL)
        return;
    fuzz_region_make(&region);
    fuzz_node_make(&region, "hub-1", 3, HS_ROLE_HUB, &hub);
    memset(curve, 0x42, sizeof curve);
    FUZZ_CHECK(crypto_scalarmult_base(hub_curve.bytes, curve) == 0);
    hub.certificate.curve_key = hub_curve;
    hs_buf_reset(&hub.encoded);
    FUZZ_CHECK(hs_certificate_sign(&hub.certificate, hs_buf_bytes(&region.issuer_signed), &region.issuer,
                                   &hub.encoded) == HS_OK);
    fuzz_node_make(&region, "hall-1", 4, HS_ROLE_HALL, &hall);
    struct hs_opening opened = {.origin = ORIGIN, .node_key = hall.certificate.node_key, .opened_ms = 1};
    struct hs_signer signer = hs_signer_of(&hall.secret);
    FUZZ_CHECK(hs_opening_sign(&opened, &signer, &opening) == HS_OK);
    store = fuzz_store_make(&hub);
    FUZZ_CHECK(hs_store_begin(store) == HS_OK);
    FUZZ_CHECK(hs_store_put_certificate(store, hs_buf_bytes(&hall.encoded)) == HS_OK);
    FUZZ_CHECK(hs_store_commit(store, &commit) == HS_OK);
}

/* ---- items ---- */

static void put_stream(struct hs_buf *to, uint32_t field, const struct hs_stream *stream)
{
    struct hs_buf name = {0};
    hs_tlv_put_fixed64(&name, 1, stream->origin);
    hs_tlv_put_u64(&name, 2, stream->partition);
    hs_tlv_put_u64(&name, 3, stream->lane);
    hs_tlv_put_bytes(to, field, hs_buf_bytes(&name));
    hs_buf_fini(&name);
}

static void put_opening(struct hs_buf *to)
{
    hs_tlv_put_bytes(to, 1, hs_buf_bytes(&hall.encoded));
    hs_tlv_put_bytes(to, 2, hs_buf_bytes(&opening));
}

static void put_head(struct hs_cur *in, struct hs_buf *to)
{
    struct hs_buf head = {0};
    struct hs_stream stream = {ORIGIN, fuzz_u8(in) & 1 ? 3201 : 3202, (uint8_t)(fuzz_u8(in) % 6)};
    put_stream(&head, 1, &stream);
    hs_tlv_put_u64(&head, 2, fuzz_number(in));
    hs_tlv_put_bytes(&head, 3, HS_BYTES("12345678", 8));
    hs_tlv_put_bytes(to, 2, hs_buf_bytes(&head));
    hs_buf_fini(&head);
}

/* Operations that are none are void, and as good as any for a chain; what is wrong with it, the input says. */
static void put_piece(struct hs_cur *in, struct hs_buf *to)
{
    uint8_t how = fuzz_u8(in);
    struct hs_stream stream = {ORIGIN, how & 1 ? 3201 : HS_PARTITION_REGION, HS_LANE_MONEY};
    struct hs_hash start = hs_chain_start(&stream), end;
    struct hs_signature signature;
    struct hs_buf body = {0};
    uint64_t first = 1 + fuzz_u8(in) % 4, count = 1 + fuzz_u8(in) % 4;
    for (uint64_t n = 1; n < first; n++)
        start = hs_chain_next(&start, HS_BYTES("op", 2));
    end = start;
    for (uint64_t i = 0; i < count; i++) {
        struct hs_bytes op = how & 2 ? fuzz_bytes(in, fuzz_u8(in) % 16) : HS_BYTES("op", 2);
        end = hs_chain_next(&end, op);
        hs_buf_put_sized(&body, op);
    }
    struct hs_signer signer = hs_signer_of(&hall.secret);
    FUZZ_CHECK(hs_checkpoint_sign(&stream, first + count - 1 + (how & 4 ? 1 : 0), &end, &signer, &signature) == HS_OK);
    if (how & 8)
        start.bytes[0] ^= 1;
    put_stream(to, 1, &stream);
    hs_tlv_put_u64(to, 2, how & 16 ? fuzz_number(in) : first);
    hs_tlv_put_bytes(to, 3, HS_BYTES(start.bytes, sizeof start.bytes));
    hs_tlv_put_u64(to, 4, how & 32 ? fuzz_number(in) : count);
    hs_tlv_put_bytes(to, 5, HS_BYTES(signature.bytes, sizeof signature.bytes));
    hs_tlv_put_bytes(to, 6, hs_buf_bytes(&body));
    hs_buf_fini(&body);
}

static void put_receipt(struct hs_cur *in, struct hs_buf *to)
{
    uint8_t how = fuzz_u8(in);
    struct hs_stream stream = {ORIGIN, how & 1 ? 3201 : 3202, HS_LANE_MONEY};
    struct hs_receipt receipt = {.store_id = 1 + how / 64, .stream = stream, .n = fuzz_number(in), .time_ms = 1};
    struct hs_signer signer = hs_signer_of(how & 2 ? &hall.secret : &hub.secret);
    receipt.hash = hs_chain_start(&stream);
    receipt.hub_key = how & 2 ? hall.certificate.node_key : hub.certificate.node_key;
    FUZZ_CHECK(hs_receipt_sign(&receipt, &signer) == HS_OK);
    put_stream(to, 1, &stream);
    hs_tlv_put_u64(to, 2, receipt.n);
    hs_tlv_put_bytes(to, 3, HS_BYTES(receipt.hash.bytes, sizeof receipt.hash.bytes));
    hs_tlv_put_fixed64(to, 4, receipt.store_id);
    hs_tlv_put_u64(to, 5, how & 4 ? 2 : receipt.time_ms);
    hs_tlv_put_bytes(to, 6, HS_BYTES(receipt.signature.bytes, sizeof receipt.signature.bytes));
    hs_tlv_put_bytes(to, 7, hs_buf_bytes(how & 8 ? &hall.encoded : &hub.encoded));
}

static uint8_t put_item(struct hs_cur *in, struct hs_buf *to)
{
    uint8_t type = 1 + fuzz_u8(in) % 8, how = fuzz_u8(in);
    hs_buf_reset(to);
    if (how & 1)
        hs_buf_put_bytes(to, fuzz_bytes(in, fuzz_u8(in)));
    else if (type == HALLSYNC__BUNDLE_ITEM__BUNDLE_HEADS)
        for (unsigned i = fuzz_u8(in) % 4; i > 0; i--)
            put_head(in, to);
    else if (type == HALLSYNC__BUNDLE_ITEM__BUNDLE_RECEIPT)
        put_receipt(in, to);
    else if (type == HALLSYNC__BUNDLE_ITEM__BUNDLE_OPENING)
        put_opening(to);
    else if (type == HALLSYNC__BUNDLE_ITEM__BUNDLE_PIECE)
        put_piece(in, to);
    if ((how & 2) != 0 && to->size > 0)
        to->data[fuzz_u8(in) % to->size] ^= (uint8_t)(1 + fuzz_u8(in) % 255);
    return type;
}

/* ---- parts ---- */

static enum hs_err write_bytes(void *ctx, struct hs_bytes bytes)
{
    hs_buf_put_bytes(ctx, bytes);
    return ((struct hs_buf *)ctx)->err;
}

static void make_part(struct hs_cur *in, uint8_t what, struct hs_buf *part)
{
    struct hs_why why;
    struct hs_sealer *sealer;
    struct hs_buf item = {0};
    Hallsync__BundleManifest manifest = HALLSYNC__BUNDLE_MANIFEST__INIT;
    struct hs_sealed_draft draft = {.purpose = HS_SEALED_BUNDLE,
                                    .root_key = region.root_key,
                                    .certificate = hs_buf_bytes(&hall.encoded),
                                    .signer = hs_signer_of(&hall.secret),
                                    .recipients = &hub_curve,
                                    .recipient_count = 1};
    FUZZ_CHECK(hs_sealer_open(&draft, &(struct hs_sealed_sink){write_bytes, part}, &sealer, &why) == HS_OK);
    for (unsigned i = 0; i < ITEMS_MAX && in->left > 0; i++) {
        uint8_t type = put_item(in, &item);
        FUZZ_CHECK(hs_sealer_put(sealer, type, hs_buf_bytes(&item)) == HS_OK);
    }
    hs_buf_reset(&item);
    manifest.receiver = hub.certificate.node_id;
    manifest.part = 1;
    hs_msg_pack(&manifest.base, &item);
    FUZZ_CHECK(hs_sealer_finish(sealer, what == 0xff ? hs_buf_bytes(&opening) : hs_buf_bytes(&item)) == HS_OK);
    hs_sealer_close(sealer);
    hs_buf_fini(&item);
}

/* What is new the first time is held the second time; the rest is left both times. */
static void take_twice(const struct hs_bundle *bundle, struct hs_arena *arena)
{
    Hallsync__BundleImportReply *told[2];
    FUZZ_CHECK(hs_store_begin(store) == HS_OK);
    for (int i = 0; i < 2; i++) {
        struct hs_buf reply = {0};
        FUZZ_CHECK(hs_bundle_apply(bundle, store, false, arena, &reply) == HS_OK);
        told[i] = hallsync__bundle_import_reply__unpack(NULL, reply.size, reply.data);
        FUZZ_CHECK(told[i] != NULL);
        hs_buf_fini(&reply);
    }
    FUZZ_CHECK(told[0]->operations == told[1]->operations && told[0]->outside == told[1]->outside);
    FUZZ_CHECK(told[0]->taken + told[0]->held + told[0]->outside <= told[0]->operations);
    FUZZ_CHECK(told[1]->receipts_taken == 0 && told[1]->revocations == 0);
    for (int i = 0; i < 2; i++)
        hallsync__bundle_import_reply__free_unpacked(told[i], NULL);
    hs_store_abort(store);
}

static void take_part(struct hs_bytes part)
{
    struct hs_bundle_node node = {store, hs_signer_of(&hub.secret), curve, FUZZ_NOW_MS};
    struct hs_bundle *bundle = NULL;
    struct hs_arena arena;
    struct hs_why why = {""};
    size_t size;
    FUZZ_CHECK(hs_bundle_part_size(part, &size) == HS_OK && size == part.size);
    hs_arena_init(&arena, 0);
    enum hs_err err = hs_bundle_open(&node, part, &arena, &bundle, &why);
    FUZZ_CHECK(err == HS_OK || err == HS_EMALFORMED);
    FUZZ_CHECK(err == HS_OK || why.text[0] != '\0');
    if (err == HS_OK)
        take_twice(bundle, &arena);
    hs_arena_fini(&arena);
}

/* ---- requests ---- */

static void ask_for_part(struct hs_cur *in)
{
    struct hs_bundle_node node = {store, hs_signer_of(&hub.secret), curve, FUZZ_NOW_MS};
    Hallsync__BundleExportRequest request = HALLSYNC__BUNDLE_EXPORT_REQUEST__INIT;
    struct hs_view *view = NULL;
    struct hs_buf reply = {0};
    struct hs_why why = {""};
    request.receiver = hall.certificate.node_id;
    request.has_from = true;
    request.from = fuzz_number(in);
    struct hs_bytes after = fuzz_bytes(in, fuzz_u8(in)), heads = fuzz_rest(in);
    request.has_after = request.has_heads = true;
    request.after = (ProtobufCBinaryData){after.size, (uint8_t *)(uintptr_t)after.data};
    request.heads = (ProtobufCBinaryData){heads.size, (uint8_t *)(uintptr_t)heads.data};
    FUZZ_CHECK(hs_view_open(store, 0, 0, &view) == HS_OK);
    enum hs_err err = hs_bundle_export(&node, view, &request, &reply, &why);
    FUZZ_CHECK(err == HS_OK || err == HS_EINVAL);
    hs_view_close(view);
    hs_buf_fini(&reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hs_cur in = hs_cur_of(HS_BYTES(data, size));
    struct hs_buf part = {0};
    size_t found;
    set_up();
    uint8_t what = fuzz_u8(&in);
    if (what == 0) {
        struct hs_bytes file = fuzz_rest(&in);
        FUZZ_CHECK(hs_bundle_part_size(file, &found) != HS_OK || found <= file.size);
    } else if (what == 1) {
        ask_for_part(&in);
    } else {
        make_part(&in, what, &part);
        take_part(hs_buf_bytes(&part));
    }
    hs_buf_fini(&part);
    return 0;
}

void fuzz_seeds(fuzz_put put)
{
    put("file", FUZZ_SEED("\0hallsync sealed 1\n\0\0\0\0"));
    put("request", FUZZ_SEED("\1\0\0"));
    put("request-after", FUZZ_SEED("\1\1\30\0\0\0\2\4\14\201\0\0\0\0\0\0\22\147\2\0\0\0\0\0\0\0\3"));
    put("opening-and-piece", FUZZ_SEED("\2\4\0\5\0\1\0\1"));
    put("piece-without-opening", FUZZ_SEED("\2\5\0\1\0\1"));
    put("gap", FUZZ_SEED("\2\4\0\5\0\1\2\1"));
    put("receipt", FUZZ_SEED("\2\3\0\1\5"));
    put("heads", FUZZ_SEED("\2\2\0\2\1\2\7\0\2\7"));
    put("revocation", FUZZ_SEED("\2\0\1\5abcde\1\1\3xyz"));
    put("manifest", FUZZ_SEED("\377\4\0"));
    put("signature", FUZZ_SEED("\2\4\0\5\0\5\0\1"));
    put("start", FUZZ_SEED("\2\4\0\5\0\11\0\1"));
}
