/* Bundles between stores: what a part holds, what is taken of it, and what is refused. */
#include "tests/lib/bundle_world.h"

#include "proto/bundle.pb-c.h"
#include "proto/msg/frame.h"
#include "proto/msg/revoke.h"
#include "proto/peer.pb-c.h"

struct place {
    struct world_region region;
    struct bundle_node hub, hall, other; /* other: a hall of the same district */
};

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    assert_non_null(place);
    world_begin(&place->region);
    bundle_add(&place->region, &place->hub, "nj-hub", HS_ROLE_HUB);
    bundle_add(&place->region, &place->hall, "nj-laptop", HS_ROLE_HALL);
    bundle_add(&place->region, &place->other, "nj-gulou", HS_ROLE_HALL);
    bundle_meet(&place->hub, &place->hall);
    bundle_meet(&place->hub, &place->other);
    bundle_meet(&place->hall, &place->other);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    world_drop(&place->hub.node);
    world_drop(&place->hall.node);
    world_drop(&place->other.node);
    world_end(&place->region);
    free(place);
    return 0;
}

static void hand_in(struct bundle_node *from, struct bundle_node *to, uint64_t first, struct bundle_told *told,
                    struct hs_buf *heads)
{
    struct bundle_parts parts;
    bundle_export(from, to->node.id, first, heads == NULL ? HS_BYTES_NONE : hs_buf_bytes(heads), &parts);
    bundle_take(to, &parts, told, NULL);
    bundle_parts_fini(&parts);
}

static enum hs_safety safety_of(struct bundle_node *node, struct hs_dot dot)
{
    struct hs_stream stream = {dot.origin, 3201, HS_LANE_MONEY};
    struct hs_view *view = world_view(&node->node);
    enum hs_safety safety = hs_view_safety(view, &stream, dot.n);
    hs_view_close(view);
    return safety;
}

/* ---- there and back ---- */

static void test_hall_hands_in_and_gets_receipts(void **state)
{
    struct place *place = *state;
    struct bundle_told told;
    struct bundle_parts parts;
    struct hs_buf heads = {0};
    struct hs_dot last = world_group(&place->hall.node, 5);
    world_group(&place->hub.node, 3);
    bundle_export(&place->hall, "nj-hub", 0, HS_BYTES_NONE, &parts);
    assert_int_equal(parts.count, 1);
    assert_int_equal(parts.operations, 5);
    bundle_take(&place->hub, &parts, &told, &heads);
    assert_int_equal(told.taken, 5);
    bundle_take(&place->hub, &parts, &told, NULL); /* twice */
    assert_int_equal(told.taken, 0);
    assert_int_equal(told.held, 5);
    bundle_parts_fini(&parts);
    assert_int_equal(safety_of(&place->hall, last), HS_SAFETY_HERE);
    hand_in(&place->hub, &place->hall, 0, &told, &heads); /* what the hall has said that it holds does not come */
    assert_int_equal(told.operations, 3);
    assert_int_equal(told.taken, 3);
    assert_int_equal(told.receipts_taken, 1);
    assert_int_equal(safety_of(&place->hall, last), HS_SAFETY_HUB);
    world_assert_equal(&place->hub.node, &place->hall.node);
    hand_in(&place->hall, &place->hub, 0, &told, NULL); /* everything is signed for */
    assert_int_equal(told.operations, 0);
    hs_buf_fini(&heads);
}

static void test_each_bundle_is_enough_without_those_before(void **state)
{
    struct place *place = *state;
    struct bundle_parts lost, newer;
    struct bundle_told told;
    world_group(&place->hall.node, 4);
    bundle_export(&place->hall, "nj-hub", 0, HS_BYTES_NONE, &lost);
    world_group(&place->hall.node, 4);
    bundle_export(&place->hall, "nj-hub", 0, HS_BYTES_NONE, &newer);
    bundle_take(&place->hub, &newer, &told, NULL);
    assert_int_equal(told.taken, 8);
    bundle_take(&place->hub, &lost, &told, NULL); /* it comes late */
    assert_int_equal(told.taken, 0);
    assert_int_equal(told.left, 0);
    world_assert_equal(&place->hub.node, &place->hall.node);
    bundle_parts_fini(&lost);
    bundle_parts_fini(&newer);
}

static void test_gap_is_named_and_closed(void **state)
{
    struct place *place = *state;
    struct bundle_parts tail;
    struct bundle_told told;
    for (int i = 0; i < 9; i++)
        world_group(&place->hall.node, 1);
    bundle_export(&place->hall, "nj-hub", 4, HS_BYTES_NONE, &tail);
    bundle_take(&place->hub, &tail, &told, NULL);
    assert_int_equal(told.taken, 0);
    assert_int_equal(told.left, 1);
    assert_string_equal(told.error, "gap");
    assert_int_equal(bundle_import(&place->hub, hs_buf_bytes(&tail.part[0]), &told, NULL), HS_OK);
    assert_int_equal(told.needs_first, 1);
    assert_int_equal(told.needs_last, 3);
    hand_in(&place->hall, &place->hub, 0, &told, NULL);
    assert_int_equal(told.taken, 9);
    bundle_take(&place->hub, &tail, &told, NULL);
    assert_int_equal(told.left, 0);
    assert_int_equal(told.held, 6);
    bundle_parts_fini(&tail);
}

/* More than a part holds: each is safe alone, whatever its order; what it needs is named. */
static void test_parts_in_any_order(void **state)
{
    struct place *place = *state;
    struct bundle_parts parts;
    struct bundle_told told;
    uint64_t taken = 0;
    for (int i = 0; i < 40; i++)
        world_group(&place->hall.node, 100);
    bundle_export(&place->hall, "nj-hub", 0, HS_BYTES_NONE, &parts);
    assert_true(parts.count > 2);
    assert_int_equal(parts.operations, 4000);
    for (size_t round = 0; round < parts.count; round++) {
        for (size_t i = parts.count; i > 0; i--) {
            assert_int_equal(bundle_import(&place->hub, hs_buf_bytes(&parts.part[i - 1]), &told, NULL), HS_OK);
            assert_true(told.left == 0 || strcmp(told.error, "gap") == 0);
            taken += told.taken;
        }
    }
    assert_int_equal(taken, 4000);
    world_assert_equal(&place->hub.node, &place->hall.node);
    bundle_parts_fini(&parts);
}

/* ---- parts made by hand ---- */

static enum hs_err put_bytes(void *ctx, struct hs_bytes bytes)
{
    hs_buf_put_bytes(ctx, bytes);
    return ((struct hs_buf *)ctx)->err;
}

struct made_item {
    uint8_t type;
    struct hs_bytes bytes;
};

static void make_part(struct bundle_node *from, struct bundle_node *to, const struct made_item *items, size_t count,
                      struct hs_buf *part)
{
    struct hs_why why;
    struct hs_sealer *sealer;
    struct hs_buf packed = {0};
    Hallsync__BundleManifest manifest = HALLSYNC__BUNDLE_MANIFEST__INIT;
    struct hs_sealed_draft draft = {.purpose = HS_SEALED_BUNDLE,
                                    .root_key = from->node.region->root_key,
                                    .certificate = hs_buf_bytes(&from->node.certificate),
                                    .signer = from->node.options.signer,
                                    .recipients = &to->node.draft.curve_key,
                                    .recipient_count = 1};
    assert_int_equal(hs_sealer_open(&draft, &(struct hs_sealed_sink){put_bytes, part}, &sealer, &why), HS_OK);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(hs_sealer_put(sealer, items[i].type, items[i].bytes), HS_OK);
    manifest.receiver = to->node.id;
    manifest.part = 1;
    manifest.last = true;
    hs_msg_pack(&manifest.base, &packed);
    assert_int_equal(hs_sealer_finish(sealer, hs_buf_bytes(&packed)), HS_OK);
    hs_sealer_close(sealer);
    hs_buf_fini(&packed);
}

/* ---- who may ---- */

static void test_receivers(void **state)
{
    struct place *place = *state;
    struct bundle_node witness, unknown;
    bundle_add(&place->region, &witness, "nj-witness", HS_ROLE_WITNESS);
    bundle_add(&place->region, &unknown, "nj-unknown", HS_ROLE_HALL);
    bundle_meet(&place->hall, &witness);
    struct {
        struct bundle_node *from;
        const char *receiver;
        enum hs_err err;
    } cases[] = {
        {&place->hall, "nj-gulou", HS_ENOTHUB}, {&place->hall, "nj-witness", HS_EINVAL},
        {&place->hall, "nj-laptop", HS_EINVAL}, {&place->hub, "nj-unknown", HS_ENOTFOUND},
        {&witness, "nj-laptop", HS_EINVAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Hallsync__BundleExportRequest request = HALLSYNC__BUNDLE_EXPORT_REQUEST__INIT;
        Hallsync__BundleExportReply *reply;
        struct hs_why why = {""};
        request.receiver = (char *)(uintptr_t)cases[i].receiver;
        assert_int_equal(bundle_export_part(cases[i].from, &request, &reply, &why), cases[i].err);
        assert_true(strstr(why.text, cases[i].receiver) != NULL || strstr(why.text, "witness") != NULL);
    }
    world_drop(&witness.node);
    world_drop(&unknown.node);
}

static void test_request_that_is_none(void **state)
{
    struct place *place = *state;
    static uint8_t bytes[] = {0, 0, 0, 1, 9, 1, 2, 3};
    struct hs_why why = {""};
    Hallsync__BundleExportRequest request = HALLSYNC__BUNDLE_EXPORT_REQUEST__INIT;
    Hallsync__BundleExportReply *reply;
    request.receiver = (char *)(uintptr_t) "nj-hub";
    request.has_after = true;
    request.after = (ProtobufCBinaryData){sizeof bytes, bytes};
    assert_int_equal(bundle_export_part(&place->hall, &request, &reply, &why), HS_EINVAL);
    request.has_after = false;
    request.has_heads = true;
    request.heads = (ProtobufCBinaryData){sizeof bytes, bytes};
    assert_int_equal(bundle_export_part(&place->hall, &request, &reply, &why), HS_EINVAL);
}

static void test_refusals(void **state)
{
    struct place *place = *state;
    struct world_region elsewhere;
    struct bundle_node stranger;
    struct bundle_parts parts;
    struct bundle_told told;
    world_group(&place->hall.node, 3);
    bundle_export(&place->hall, "nj-hub", 0, HS_BYTES_NONE, &parts);
    struct hs_buf *part = &parts.part[0];
    struct hs_hash before = world_heads(&place->hub.node);
    assert_int_equal(bundle_import(&place->other, hs_buf_bytes(part), &told, NULL), HS_ERECIPIENT);
    world_begin(&elsewhere);
    bundle_add(&elsewhere, &stranger, "sz-hub", HS_ROLE_HUB);
    assert_int_equal(bundle_import(&stranger, hs_buf_bytes(part), &told, NULL), HS_EREGION);
    world_drop(&stranger.node);
    world_end(&elsewhere);
    struct hs_buf from_hall = {0};
    make_part(&place->hall, &place->other, NULL, 0, &from_hall);
    assert_int_equal(bundle_import(&place->other, hs_buf_bytes(&from_hall), &told, NULL), HS_ENOTHUB);
    hs_buf_fini(&from_hall);
    for (size_t i = 0; i < part->size; i += 37) {
        part->data[i] ^= 0x10;
        enum hs_err err = bundle_import(&place->hub, hs_buf_bytes(part), &told, NULL);
        part->data[i] ^= 0x10;
        assert_true(err != HS_OK && err != HS_ENOMEM);
        assert_true(bundle_import(&place->hub, HS_BYTES(part->data, i), &told, NULL) != HS_OK);
    }
    struct hs_hash after = world_heads(&place->hub.node);
    assert_true(hs_hash_equal(&before, &after));
    bundle_take(&place->hub, &parts, &told, NULL);
    assert_int_equal(told.taken, 3);
    bundle_parts_fini(&parts);
}

/* ---- parts that a certified node could make, and no honest one does ---- */

static void test_items_that_are_none(void **state)
{
    struct place *place = *state;
    struct bundle_told told;
    for (uint8_t type = 1; type <= HALLSYNC__BUNDLE_ITEM__BUNDLE_STORES + 1; type++) {
        struct hs_buf part = {0};
        struct made_item item = {type, HS_BYTES("\xff\xff", 2)};
        make_part(&place->hall, &place->hub, &item, 1, &part);
        enum hs_err err = bundle_import(&place->hub, hs_buf_bytes(&part), &told, NULL);
        /* Rows of revocations are the store's to judge; a type that is not known is a later version's. */
        bool kept = type <= HALLSYNC__BUNDLE_ITEM__BUNDLE_RELEASE || type > HALLSYNC__BUNDLE_ITEM__BUNDLE_STORES;
        assert_int_equal(err, kept ? HS_OK : HS_EMALFORMED);
        assert_int_equal(told.revocations, 0);
        hs_buf_fini(&part);
    }
}

/* A hub's word counts, and a hall's does not; of its own stores a node believes neither. */
static void test_stores_that_are_gone(void **state)
{
    struct place *place = *state;
    struct bundle_told told;
    struct hs_key third = {{3}}, *own = &place->hall.node.draft.node_key;
    Hallsync__StoreGone gone[] = {HALLSYNC__STORE_GONE__INIT, HALLSYNC__STORE_GONE__INIT};
    Hallsync__StoreGone *list[] = {&gone[0], &gone[1]};
    Hallsync__PeerStores message = HALLSYNC__PEER_STORES__INIT;
    struct bundle_node *const senders[] = {&place->hall, &place->hub};
    struct bundle_node *const receivers[] = {&place->hub, &place->hall};
    struct hs_buf packed = {0};
    gone[0].node_key = (ProtobufCBinaryData){HS_KEY_BYTES, third.bytes};
    gone[1].node_key = (ProtobufCBinaryData){HS_KEY_BYTES, own->bytes};
    gone[0].store_id = gone[1].store_id = 1;
    message.n_gone = 2;
    message.gone = list;
    hs_msg_pack(&message.base, &packed);
    struct made_item item = {HALLSYNC__BUNDLE_ITEM__BUNDLE_STORES, hs_buf_bytes(&packed)};
    for (size_t i = 0; i < 2; i++) {
        struct hs_buf part = {0};
        bool counts = false, own_counts = false;
        make_part(senders[i], receivers[i], &item, 1, &part);
        assert_int_equal(bundle_import(receivers[i], hs_buf_bytes(&part), &told, NULL), HS_OK);
        struct hs_view *view = world_view(&receivers[i]->node);
        assert_int_equal(hs_view_store_counts(view, &third, 1, &counts), HS_OK);
        assert_int_equal(hs_view_store_counts(view, own, 1, &own_counts), HS_OK);
        hs_view_close(view);
        assert_int_equal(counts, i == 0);
        assert_true(own_counts);
        hs_buf_fini(&part);
    }
    hs_buf_fini(&packed);
}

static void test_part_that_is_too_large(void **state)
{
    struct place *place = *state;
    struct bundle_told told;
    struct hs_buf part = {0};
    uint8_t *much = calloc(1, HS_BUNDLE_BYTES_MAX + 1);
    assert_non_null(much);
    struct made_item item = {99, HS_BYTES(much, HS_BUNDLE_BYTES_MAX + 1)};
    make_part(&place->hall, &place->hub, &item, 1, &part);
    assert_int_equal(bundle_import(&place->hub, hs_buf_bytes(&part), &told, NULL), HS_ETOOBIG);
    hs_buf_fini(&part);
    free(much);
}

static enum hs_err get_bytes(void *ctx, uint8_t *to, size_t size, size_t *got)
{
    struct hs_bytes *left = ctx;
    *got = left->size < size ? left->size : size;
    memcpy(to, left->data, *got);
    *left = HS_BYTES(left->data + *got, left->size - *got);
    return HS_OK;
}

/* The last item of that type. */
static void last_item(struct bundle_node *to, struct hs_bytes part, uint8_t type, struct hs_buf *bytes)
{
    struct hs_sealed_opening opening = {
        .root_key = &to->node.region->root_key, .public_key = &to->node.draft.curve_key, .secret = to->curve};
    struct hs_unsealer *unsealer;
    struct hs_sealed_item item = {.type = 1};
    struct hs_why why;
    struct hs_bytes left = part;
    assert_int_equal(hs_unsealer_open(&opening, &(struct hs_sealed_source){get_bytes, &left}, &unsealer, &why), HS_OK);
    while (item.type != 0) {
        assert_int_equal(hs_unsealer_next(unsealer, &item, &why), HS_OK);
        if (item.type == type) {
            hs_buf_reset(bytes);
            hs_buf_put_bytes(bytes, item.bytes);
        }
    }
    hs_unsealer_close(unsealer);
}

/* An operation changed, a signature changed, an opening left out: of that stream nothing is taken, and it is said. */
static void test_pieces_that_do_not_hold(void **state)
{
    struct place *place = *state;
    struct bundle_parts parts;
    struct bundle_told told;
    struct hs_buf opening = {0}, piece = {0};
    world_group(&place->hall.node, 2);
    bundle_export(&place->hall, "nj-hub", 0, HS_BYTES_NONE, &parts);
    last_item(&place->hub, hs_buf_bytes(&parts.part[0]), HALLSYNC__BUNDLE_ITEM__BUNDLE_OPENING, &opening);
    last_item(&place->hub, hs_buf_bytes(&parts.part[0]), HALLSYNC__BUNDLE_ITEM__BUNDLE_PIECE, &piece);
    struct made_item items[] = {{HALLSYNC__BUNDLE_ITEM__BUNDLE_OPENING, hs_buf_bytes(&opening)},
                                {HALLSYNC__BUNDLE_ITEM__BUNDLE_PIECE, hs_buf_bytes(&piece)}};
    const struct {
        size_t from_end; /* byte of the piece that is changed; 0: none */
        size_t skip;     /* items */
        const char *error;
    } cases[] = {{0, 1, "bad-certificate"}, {10, 0, "bad-signature"}, {0, 0, ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hs_buf part = {0};
        uint8_t change = cases[i].from_end == 0 ? 0 : 1;
        piece.data[piece.size - cases[i].from_end - (cases[i].from_end == 0)] ^= change;
        make_part(&place->hall, &place->hub, items + cases[i].skip, 2 - cases[i].skip, &part);
        piece.data[piece.size - cases[i].from_end - (cases[i].from_end == 0)] ^= change;
        assert_int_equal(bundle_import(&place->hub, hs_buf_bytes(&part), &told, NULL), HS_OK);
        assert_string_equal(told.error, cases[i].error);
        assert_int_equal(told.taken, cases[i].error[0] == '\0' ? 2 : 0);
        hs_buf_fini(&part);
    }
    hs_buf_fini(&opening);
    hs_buf_fini(&piece);
    bundle_parts_fini(&parts);
}

/* ---- scope ---- */

static void write_for(struct bundle_node *node, hs_partition partition)
{
    struct world_fact fact = world_money(++node->node.made);
    struct hs_commit commit;
    struct hs_dot dot;
    fact.partition = partition;
    assert_int_equal(hs_store_begin(node->node.store), HS_OK);
    assert_int_equal(world_write(&node->node, &fact, &dot), HS_OK);
    assert_int_equal(hs_store_commit(node->node.store, &commit), HS_OK);
}

static void test_hall_gets_and_takes_its_districts_only(void **state)
{
    struct place *place = *state;
    struct bundle_parts parts;
    struct bundle_told told;
    struct hs_buf opening = {0}, piece = {0}, part = {0};
    write_for(&place->hub, 3202);
    bundle_export(&place->hub, "nj-laptop", 0, HS_BYTES_NONE, &parts);
    assert_int_equal(parts.operations, 0);
    bundle_parts_fini(&parts);
    write_for(&place->hall, 3202); /* a hall may write for any district, and a hub takes it */
    bundle_export(&place->hall, "nj-hub", 0, HS_BYTES_NONE, &parts);
    bundle_take(&place->hub, &parts, &told, NULL);
    assert_int_equal(told.taken, 1);
    last_item(&place->hub, hs_buf_bytes(&parts.part[0]), HALLSYNC__BUNDLE_ITEM__BUNDLE_OPENING, &opening);
    last_item(&place->hub, hs_buf_bytes(&parts.part[0]), HALLSYNC__BUNDLE_ITEM__BUNDLE_PIECE, &piece);
    struct made_item items[] = {{HALLSYNC__BUNDLE_ITEM__BUNDLE_OPENING, hs_buf_bytes(&opening)},
                                {HALLSYNC__BUNDLE_ITEM__BUNDLE_PIECE, hs_buf_bytes(&piece)}};
    make_part(&place->hub, &place->other, items, 2, &part);
    assert_int_equal(bundle_import(&place->other, hs_buf_bytes(&part), &told, NULL), HS_OK);
    assert_int_equal(told.outside, 1);
    assert_int_equal(told.taken, 0);
    hs_buf_fini(&opening);
    hs_buf_fini(&piece);
    hs_buf_fini(&part);
    bundle_parts_fini(&parts);
}

/* ---- older copies and clones ---- */

/* Set back without knowing: a receipt, and a head, for more than it holds are proof, off line, and what it had handed
 * in comes back. */
static void test_way_back_proves_a_rollback(void **state)
{
    struct place *place = *state;
    struct bundle_told told;
    struct world_node twin;
    world_group(&place->hall.node, 2);
    world_close(&place->hall.node);
    world_twin(&place->hall.node, &twin, "copy");
    world_copy_dir(place->hall.node.dir, twin.dir);
    world_open(&place->hall.node, false);
    struct hs_dot lost = world_group(&place->hall.node, 2);
    hand_in(&place->hall, &place->hub, 0, &told, NULL);
    world_close(&place->hall.node);
    world_copy_dir(twin.dir, place->hall.node.dir);
    hs_buf_fini(&twin.certificate);
    world_open(&place->hall.node, false);
    hand_in(&place->hub, &place->hall, 0, &told, NULL);
    assert_int_equal(told.left, 0);
    struct hs_stream stream = {lost.origin, 3201, HS_LANE_MONEY};
    assert_int_equal(world_head(&place->hall.node, &stream), 4);
    assert_true(world_current_origin(&place->hall.node) != lost.origin);
    assert_int_equal(safety_of(&place->hall, lost), HS_SAFETY_HUB);
    world_group(&place->hall.node, 1);
    hand_in(&place->hall, &place->hub, 0, &told, NULL);
    assert_int_equal(told.taken, 1);
    world_assert_equal(&place->hub.node, &place->hall.node);
}

/* A hub set back is shown its own receipt: it goes on as another store, and asks for what lies before. */
static void test_own_receipt_proves_a_hub_set_back(void **state)
{
    struct place *place = *state;
    struct bundle_told told;
    struct world_node twin;
    uint64_t id = hs_store_id(place->hub.node.store);
    world_close(&place->hub.node);
    world_twin(&place->hub.node, &twin, "copy");
    world_copy_dir(place->hub.node.dir, twin.dir);
    world_open(&place->hub.node, false);
    world_group(&place->hall.node, 2);
    hand_in(&place->hall, &place->hub, 0, &told, NULL);
    hand_in(&place->hub, &place->hall, 0, &told, NULL);
    assert_int_equal(told.receipts_taken, 1);
    world_group(&place->hall.node, 1);
    world_close(&place->hub.node);
    world_copy_dir(twin.dir, place->hub.node.dir);
    hs_buf_fini(&twin.certificate);
    world_open(&place->hub.node, false);
    assert_int_equal(hs_store_id(place->hub.node.store), id);
    hand_in(&place->hall, &place->hub, 0, &told, NULL);
    assert_string_equal(told.error, "gap");
    assert_int_equal(told.receipts_taken, 0);
    world_reopen(&place->hub.node);
    assert_true(hs_store_id(place->hub.node.store) != id);
    hand_in(&place->hall, &place->hub, 1, &told, NULL);
    assert_int_equal(told.taken, 3);
    world_assert_equal(&place->hub.node, &place->hall.node);
}

/* A head alone is enough: the origin ends before anything is written under a number that others know. */
static void test_head_beyond_ends_the_origin(void **state)
{
    struct place *place = *state;
    struct bundle_told told;
    struct hs_dot dot = world_group(&place->hall.node, 3);
    for (uint64_t n = 3; n <= 4; n++) {
        uint8_t hash[8] = {1};
        struct hs_buf heads = {0}, part = {0};
        Hallsync__StreamName name = HALLSYNC__STREAM_NAME__INIT;
        Hallsync__StreamHead head = HALLSYNC__STREAM_HEAD__INIT, *list[] = {&head};
        Hallsync__PeerFrontier frontier = HALLSYNC__PEER_FRONTIER__INIT;
        name.origin = dot.origin;
        name.partition = 3201;
        name.lane = HS_LANE_MONEY;
        head.stream = &name;
        head.n = n;
        head.hash = (ProtobufCBinaryData){sizeof hash, hash};
        frontier.heads = list;
        frontier.n_heads = 1;
        hs_msg_pack(&frontier.base, &heads);
        struct made_item item = {HALLSYNC__BUNDLE_ITEM__BUNDLE_HEADS, hs_buf_bytes(&heads)};
        make_part(&place->hub, &place->hall, &item, 1, &part);
        assert_int_equal(bundle_import(&place->hall, hs_buf_bytes(&part), &told, NULL), HS_OK);
        assert_true((world_current_origin(&place->hall.node) == dot.origin) == (n == 3));
        hs_buf_fini(&heads);
        hs_buf_fini(&part);
    }
}

/* Two contents under one number, each signed: the second is not taken, and named for what it is. */
static void test_branch_of_a_fork_is_left(void **state)
{
    struct place *place = *state;
    struct bundle_told told;
    struct bundle_parts one, two;
    struct hs_commit commit;
    struct hs_dot dot;
    struct hs_buf piece = {0}, part = {0};
    world_group(&place->hall.node, 1);
    struct hs_stream stream = {world_current_origin(&place->hall.node), 3201, HS_LANE_MONEY};
    struct hs_hash start = hs_chain_start(&stream), end;
    bundle_export(&place->hall, "nj-hub", 0, HS_BYTES_NONE, &one);
    bundle_take(&place->hub, &one, &told, NULL);
    assert_int_equal(hs_store_begin(place->other.node.store), HS_OK);
    struct world_fact fact = world_money(77);
    assert_int_equal(world_write(&place->other.node, &fact, &dot), HS_OK);
    assert_int_equal(hs_store_commit(place->other.node.store, &commit), HS_OK);
    /* What the other hall has written, signed by the laptop for its own number 1. */
    bundle_export(&place->other, "nj-hub", 0, HS_BYTES_NONE, &two);
    last_item(&place->hub, hs_buf_bytes(&two.part[0]), HALLSYNC__BUNDLE_ITEM__BUNDLE_PIECE, &piece);
    Hallsync__PeerLoose *loose = hallsync__peer_loose__unpack(NULL, piece.size, piece.data);
    assert_non_null(loose);
    struct hs_cur cur = hs_cur_of(HS_BYTES(loose->body.data, loose->body.len));
    end = hs_chain_next(&start, hs_cur_sized(&cur));
    struct hs_signature signature;
    assert_int_equal(hs_checkpoint_sign(&stream, 1, &end, &place->hall.node.options.signer, &signature), HS_OK);
    loose->stream->origin = stream.origin;
    memcpy(loose->start_hash.data, start.bytes, sizeof start.bytes);
    memcpy(loose->signature.data, signature.bytes, sizeof signature.bytes);
    struct hs_buf branch = {0};
    hs_msg_pack(&loose->base, &branch);
    struct made_item item = {HALLSYNC__BUNDLE_ITEM__BUNDLE_PIECE, hs_buf_bytes(&branch)};
    make_part(&place->hall, &place->hub, &item, 1, &part);
    assert_int_equal(bundle_import(&place->hub, hs_buf_bytes(&part), &told, NULL), HS_OK);
    assert_int_equal(told.left, 1);
    assert_string_equal(told.error, "fork");
    hallsync__peer_loose__free_unpacked(loose, NULL);
    hs_buf_fini(&branch);
    hs_buf_fini(&piece);
    hs_buf_fini(&part);
    bundle_parts_fini(&one);
    bundle_parts_fini(&two);
}

/* ---- revocations ---- */

static void revoke_node(struct bundle_node *at, const struct bundle_node *whom)
{
    struct hs_commit commit;
    struct hs_buf revocation = {0};
    struct hs_authority authority = {hs_buf_bytes(&at->node.region->issuer_body), &at->node.region->issuer};
    assert_int_equal(hs_revocation_sign(hs_buf_bytes(&whom->node.certificate), "stolen", 5, &authority, &revocation),
                     HS_OK);
    assert_int_equal(hs_store_begin(at->node.store), HS_OK);
    assert_int_equal(hs_store_put_revocation(at->node.store, hs_buf_bytes(&revocation)), HS_OK);
    assert_int_equal(hs_store_commit(at->node.store, &commit), HS_OK);
    hs_buf_fini(&revocation);
}

/* The revocation travels with what the hub sends; nothing is taken from that node, nothing sealed to it; and of its
 * streams others bring what a hub has signed for, and no more. */
static void test_revocations_go_first(void **state)
{
    struct place *place = *state;
    struct bundle_told told;
    struct bundle_parts parts, late;
    Hallsync__BundleExportRequest request = HALLSYNC__BUNDLE_EXPORT_REQUEST__INIT;
    Hallsync__BundleExportReply *reply;
    struct hs_why why = {""};
    world_group(&place->other.node, 3);
    hand_in(&place->other, &place->hub, 0, &told, NULL);
    world_group(&place->other.node, 2);
    bundle_export(&place->other, "nj-hub", 0, HS_BYTES_NONE, &late);
    revoke_node(&place->hub, &place->other);
    assert_int_equal(bundle_import(&place->hub, hs_buf_bytes(&late.part[0]), &told, NULL), HS_EREVOKED);
    request.receiver = (char *)(uintptr_t) "nj-gulou";
    assert_int_equal(bundle_export_part(&place->hub, &request, &reply, &why), HS_EREVOKED);
    bundle_export(&place->hub, "nj-laptop", 0, HS_BYTES_NONE, &parts);
    bundle_take(&place->hall, &parts, &told, NULL);
    assert_int_equal(told.revocations, 1);
    assert_int_equal(told.taken, 3);
    bundle_take(&place->hall, &parts, &told, NULL);
    assert_int_equal(told.revocations, 0);
    bundle_parts_fini(&parts);
    bundle_parts_fini(&late);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_hall_hands_in_and_gets_receipts),
        TEST(test_each_bundle_is_enough_without_those_before),
        TEST(test_gap_is_named_and_closed),
        TEST(test_parts_in_any_order),
        TEST(test_receivers),
        TEST(test_request_that_is_none),
        TEST(test_refusals),
        TEST(test_items_that_are_none),
        TEST(test_stores_that_are_gone),
        TEST(test_part_that_is_too_large),
        TEST(test_pieces_that_do_not_hold),
        TEST(test_hall_gets_and_takes_its_districts_only),
        TEST(test_way_back_proves_a_rollback),
        TEST(test_own_receipt_proves_a_hub_set_back),
        TEST(test_head_beyond_ends_the_origin),
        TEST(test_branch_of_a_fork_is_left),
        TEST(test_revocations_go_first),
    };
    return cmocka_run_group_tests_name("bundle", tests, NULL, NULL);
}
