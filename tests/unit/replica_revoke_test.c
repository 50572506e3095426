/* replica_revoke_test.c -- revoked keys: no session, no operations beyond what a hub has signed for; and the gate of a
 * hub that may have forgotten some. */
#include "tests/unit/replica_puppet.h"

#include "proto/msg/revoke.h"

static const hs_partition D1[] = {3201};

struct region {
    struct world *w;
    struct world_node *hub1, *hub2, *hall, *other; /* hall dials hub-1, other hub-2 */
    struct world_link *hall_link, *other_link, *hubs_link;
};

static struct region region_new(void)
{
    struct region r = {.w = world_new(1)};
    r.hub1 = world_hub(r.w, "hub-1");
    r.hub2 = world_hub(r.w, "hub-2");
    r.hall = world_hall(r.w, "hall", D1, 1);
    r.other = world_hall(r.w, "other", D1, 1);
    for (size_t i = 0; i < r.w->node_count; i++)
        world_start(r.w->nodes[i]);
    return r;
}

static void dial_hubs(struct region *r)
{
    r->hubs_link = world_dial(r->hub1, r->hub2);
}

static struct region connected(void)
{
    struct region r = region_new();
    r.hall_link = world_dial(r.hall, r.hub1);
    r.other_link = world_dial(r.other, r.hub2);
    dial_hubs(&r);
    world_settle(r.w);
    return r;
}

static bool knows(const struct world_node *node, const struct world_node *revoked)
{
    for (size_t i = 0; i < node->store.trust_count; i++) {
        const struct world_trust *trust = &node->store.trusts[i];
        if (!trust->is_release && hs_key_equal(&trust->key, &revoked->certificate.node_key))
            return true;
    }
    return false;
}

static void assert_refused(const struct world_node *node, enum hs_err err)
{
    const struct world_notice *notice = world_last_notice(node, HS_NOTICE_REFUSED);
    assert_non_null(notice);
    assert_int_equal(notice->err, err);
}

/* ---- sessions ---- */

static void a_revocation_reaches_everybody_and_ends_the_session(void **state)
{
    (void)state;
    struct region r = connected();
    assert_true(world_live(r.hall_link));
    world_revoke(r.hub2, r.hall, false);
    world_settle(r.w);
    assert_false(world_live(r.hall_link));
    assert_refused(r.hall, HS_EREVOKED);
    for (size_t i = 0; i < r.w->node_count; i++)
        assert_true(knows(r.w->nodes[i], r.hall));
    assert_int_equal(world_notices(r.hall, HS_NOTICE_OWN_REVOKED), 1);
    assert_int_equal(world_notices(r.hub1, HS_NOTICE_REVOKED), 1);
    assert_true(world_live(r.other_link));
    r.hall_link = world_dial(r.hall, r.hub1);
    world_settle(r.w);
    assert_false(world_live(r.hall_link));
    world_free(r.w);
}

static void a_revoked_hall_learns_of_it_and_tells_others(void **state)
{
    (void)state;
    struct region r = region_new();
    world_revoke(r.hub1, r.hall, false);
    world_dial(r.hall, r.hub1);
    world_settle(r.w);
    assert_true(knows(r.hall, r.hall)); /* by the refusal */
    assert_false(knows(r.hub2, r.hall));
    struct world_link *link = world_dial(r.hall, r.hub2);
    world_settle(r.w);
    assert_true(knows(r.hub2, r.hall));
    assert_false(world_live(link));
    world_free(r.w);
}

static void it_is_told_right_behind_hello(void **state)
{
    (void)state;
    struct region r = region_new();
    world_revoke(r.hub1, r.hall, false);
    dial_hubs(&r);
    world_settle(r.w);
    assert_true(knows(r.hub2, r.hall));
    world_stop(r.hub2);
    world_start(r.hub2);
    world_dial(r.other, r.hub2);
    world_settle(r.w);
    assert_true(knows(r.other, r.hall));
    world_free(r.w);
}

static void a_hub_is_revoked_by_the_root(void **state)
{
    (void)state;
    struct region r = connected();
    struct hs_stream stream = world_write_text(r.other, 3201, HS_LANE_MONEY, "paid");
    world_settle(r.w);
    world_revoke(r.hub1, r.hub2, true);
    world_settle(r.w);
    assert_false(world_live(r.hubs_link));
    assert_false(world_live(r.other_link)); /* hub-2 told it, of itself */
    assert_true(knows(r.other, r.hub2));
    /* What only hub-2 has signed for is not handed in anywhere, for other; it names it at its next hub. */
    world_write_text(r.other, 3201, HS_LANE_MONEY, "more");
    world_dial(r.other, r.hub1);
    world_settle(r.w);
    assert_int_equal(world_head(r.hub1, &stream), 2);
    world_free(r.w);
}

/* ---- operations ---- */

/* H19: hub-2 did not know yet. */
static void what_a_hub_took_in_good_faith_is_taken_by_all(void **state)
{
    (void)state;
    struct region r = region_new();
    world_dial(r.hall, r.hub2);
    struct hs_stream stream = world_write_text(r.hall, 3201, HS_LANE_MONEY, "before");
    world_settle(r.w);
    world_revoke(r.hub1, r.hall, false);
    world_write_text(r.hall, 3201, HS_LANE_MONEY, "meanwhile");
    world_settle(r.w);
    dial_hubs(&r);
    world_dial(r.other, r.hub1);
    world_settle(r.w);
    assert_int_equal(world_head(r.hub1, &stream), 2);
    assert_int_equal(world_head(r.other, &stream), 2);
    assert_true(world_same(r.hub1, r.hub2));
    assert_true(world_same(r.hub1, r.other));
    world_write_text(r.hall, 3201, HS_LANE_MONEY, "too late");
    world_settle(r.w);
    assert_int_equal(world_head(r.hub2, &stream), 2);
    world_free(r.w);
}

static void what_was_on_its_way_is_not_taken(void **state)
{
    (void)state;
    struct region r = connected();
    struct hs_stream stream = world_write_text(r.hall, 3201, HS_LANE_MONEY, "first");
    world_settle(r.w);
    world_write_text(r.hall, 3201, HS_LANE_MONEY, "second");
    while (r.hub1->store_count == 0)
        assert_true(world_deliver(r.hall_link, 1)); /* asked for, not made */
    world_revoke(r.hub1, r.hall, false);
    world_settle(r.w);
    assert_int_equal(world_head(r.hub1, &stream), 1);
    assert_int_equal(world_head(r.other, &stream), 1);
    world_free(r.w);
}

struct kept {
    struct region r;
    struct world_node *witness;
    struct hs_stream stream;
};

/* The hall has handed in one payment, and its witness keeps two more that no hub has. */
static struct kept kept(void)
{
    struct kept k = {.r = region_new()};
    k.witness = world_witness(k.r.w, "witness", D1, 1);
    world_start(k.witness);
    world_dial(k.r.hall, k.r.hub1);
    k.stream = world_write_text(k.r.hall, 3201, HS_LANE_MONEY, "first");
    world_settle(k.r.w);
    world_stop(k.r.hub1);
    world_settle(k.r.w);
    world_start(k.r.hub1);
    world_dial(k.r.hall, k.witness);
    world_settle(k.r.w); /* a checkpoint lies between the first and what follows */
    world_write_text(k.r.hall, 3201, HS_LANE_MONEY, "second");
    world_write_text(k.r.hall, 3201, HS_LANE_MONEY, "third");
    world_settle(k.r.w);
    assert_int_equal(world_head(k.witness, &k.stream), 3);
    world_stop(k.r.hall);
    world_settle(k.r.w);
    return k;
}

static void what_no_hub_has_signed_for_waits_until_it_is_released(void **state)
{
    (void)state;
    struct kept k = kept();
    struct hs_waiting waiting[4];
    struct region *r = &k.r;
    world_revoke(r->hub1, r->hall, false);
    dial_hubs(r);
    world_dial(r->other, r->hub2);
    world_dial(k.witness, r->hub1);
    world_advance(r->w, 60000);
    assert_int_equal(world_head(r->hub1, &k.stream), 1);
    assert_int_equal(hs_replica_waiting(r->hub1->replica, waiting, 4), 1);
    assert_true(hs_stream_equal(&waiting[0].stream, &k.stream));
    assert_int_equal(waiting[0].behind, 1);
    assert_int_equal(waiting[0].n, 3);
    assert_true(hs_key_equal(&waiting[0].holder, &k.witness->certificate.node_key));
    assert_true(hs_key_equal(&waiting[0].node_key, &r->hall->certificate.node_key));
    assert_int_equal(world_notices(r->hub1, HS_NOTICE_WAITING), 1);
    /* Nobody waits for it. */
    world_probe(r->hub1, 7);
    world_settle(r->w);
    assert_int_equal(world_notices(r->hub1, HS_NOTICE_PROBE_DONE), 1);
    world_release(r->hub1, waiting, 1);
    world_settle(r->w);
    assert_int_equal(world_head(r->hub1, &k.stream), 3);
    assert_int_equal(world_head(r->hub2, &k.stream), 3);
    assert_int_equal(world_head(r->other, &k.stream), 3);
    assert_int_equal(hs_replica_waiting(r->hub1->replica, waiting, 4), 0);
    world_free(r->w);
}

/* Hub-2 is new: what the region has of a revoked key comes to it from a hall, with the receipts of a hub that is gone.
 */
static void a_hall_shows_who_has_vouched_for_it(void **state)
{
    (void)state;
    struct region r = region_new();
    world_dial(r.hall, r.hub1);
    world_dial(r.other, r.hub1);
    struct hs_stream stream = world_write_text(r.hall, 3201, HS_LANE_MONEY, "paid");
    world_settle(r.w);
    assert_int_equal(world_head(r.other, &stream), 1);
    world_revoke(r.hub1, r.hall, false);
    world_settle(r.w);
    world_stop(r.hub1);
    world_settle(r.w);
    world_dial(r.other, r.hub2);
    world_settle(r.w);
    assert_int_equal(world_head(r.hub2, &stream), 1);
    world_free(r.w);
}

/* Nothing of it is stored. */
static void deliver_all(struct world_link *link)
{
    while (world_deliver(link, 0) || world_deliver(link, 1))
        ;
}

/* Other has no room for it when the hub's receipt comes, and when the key is revoked: what follows is the first that it
 * hears of the origin. */
static void a_receipt_may_be_there_long_before_the_opening(void **state)
{
    (void)state;
    struct region r = region_new();
    struct hs_waiting waiting[1];
    world_dial(r.hall, r.hub1);
    struct world_link *link = world_dial(r.other, r.hub1);
    world_settle(r.w);
    world_hold(r.other, 1U << HS_LANE_BULK);
    world_settle(r.w);
    struct hs_stream stream = world_write_text(r.hall, 3201, HS_LANE_BULK, "imported");
    world_settle(r.w);
    assert_int_equal(r.other->store.receipt_count, 1);
    world_revoke(r.hub1, r.hall, false);
    world_settle(r.w);
    assert_int_equal(r.other->store.origin_count, 0);
    world_hold(r.other, 0);
    deliver_all(link);
    assert_int_equal(hs_replica_waiting(r.other->replica, waiting, 1), 1);
    world_settle(r.w);
    assert_int_equal(world_head(r.other, &stream), 1);
    assert_int_equal(hs_replica_waiting(r.other->replica, waiting, 1), 0);
    world_free(r.w);
}

/* The revocation has come and is not stored yet when an operation follows that a hub has long signed for. */
static void what_follows_a_revocation_at_once_is_taken(void **state)
{
    (void)state;
    struct region r = region_new();
    struct hs_waiting waiting[1];
    world_dial(r.hall, r.hub1);
    struct world_link *link = world_dial(r.other, r.hub1);
    struct hs_stream stream = world_write_text(r.hall, 3201, HS_LANE_BULK, "first");
    world_settle(r.w);
    world_hold(r.other, 1U << HS_LANE_BULK);
    world_settle(r.w);
    world_write_text(r.hall, 3201, HS_LANE_BULK, "second");
    world_settle(r.w);
    world_revoke(r.hub1, r.hall, false);
    world_hold(r.other, 0);
    deliver_all(link);
    assert_int_equal(hs_replica_waiting(r.other->replica, waiting, 1), 1);
    assert_false(knows(r.other, r.hall));
    world_settle(r.w);
    assert_true(knows(r.other, r.hall));
    assert_int_equal(world_head(r.other, &stream), 2);
    assert_int_equal(hs_replica_waiting(r.other->replica, waiting, 1), 0);
    world_free(r.w);
}

/* The witness would send all that it has in one piece, of which nothing could be taken. */
static void a_sender_cuts_at_the_limit(void **state)
{
    (void)state;
    struct kept k = kept();
    struct hs_waiting waiting[2];
    struct region *r = &k.r;
    world_revoke(r->hub2, r->hall, false);
    world_dial(k.witness, r->hub2);
    world_advance(r->w, 30000);
    assert_int_equal(world_head(r->hub2, &k.stream), 1);
    assert_int_equal(hs_replica_waiting(r->hub2->replica, waiting, 2), 1);
    assert_int_equal(waiting[0].behind, 1);
    assert_int_equal(waiting[0].n, 3);
    world_free(r->w);
}

static void branches_of_a_fork_are_taken_from_hubs_alone(void **state)
{
    (void)state;
    struct region r = region_new();
    struct world_store before = {0};
    world_dial(r.hall, r.hub1);
    struct hs_stream stream = world_write_text(r.hall, 3201, HS_LANE_MONEY, "first");
    world_settle(r.w);
    world_store_copy(&r.hall->store, &before);
    world_write_text(r.hall, 3201, HS_LANE_MONEY, "second");
    world_settle(r.w);
    world_stop(r.hall); /* resumed with its memory: the same origin goes on from the first */
    world_store_fini(&r.hall->store);
    r.hall->store = before;
    world_start(r.hall);
    world_write_text(r.hall, 3201, HS_LANE_MONEY, "another second");
    world_dial(r.hall, r.hub2);
    world_settle(r.w);
    world_revoke(r.hub1, r.hall, false);
    dial_hubs(&r);
    world_dial(r.other, r.hub1);
    world_settle(r.w);
    assert_int_equal(world_notices(r.hub1, HS_NOTICE_FORK), 1);
    assert_true(world_store_has(&r.hub1->store, 3201, HS_BYTES("another second", 14)));
    assert_true(world_store_has(&r.hub2->store, 3201, HS_BYTES("second", 6)));
    assert_true(world_store_has(&r.other->store, 3201, HS_BYTES("another second", 14)));
    assert_true(world_same(r.hub1, r.hub2));
    assert_true(stream.origin != 0);
    world_free(r.w);
}

/* ---- receipts ---- */

static void what_a_revoked_hub_signs_is_not_kept(void **state)
{
    (void)state;
    struct region r = region_new();
    struct puppet p;
    struct hs_stream stream = world_write_text(r.hall, 3201, HS_LANE_MONEY, "paid");
    world_stop(r.hub1);
    puppet_dialled(&p, r.hub1, r.hall);
    puppet_greet(&p);
    world_revoke(r.hall, r.hub2, true);
    for (int revoked = 1; revoked >= 0; revoked--) {
        struct world_node *signer = revoked ? r.hub2 : r.hub1;
        struct hs_receipt receipt = {.store_id = signer->store_id,
                                     .stream = stream,
                                     .n = 1,
                                     .hash = world_store_find(&r.hall->store, &stream)->ops[0].hash,
                                     .hub_key = signer->certificate.node_key};
        struct hs_signer by = hs_signer_of(&signer->secret);
        Hallsync__Receipt message = HALLSYNC__RECEIPT__INIT, *list = &message;
        Hallsync__PeerAck ack = HALLSYNC__PEER_ACK__INIT;
        ProtobufCMessage *certificate;
        assert_int_equal(hs_receipt_sign(&receipt, &by), HS_OK);
        assert_int_equal(hs_msg_unpack(&hallsync__certificate__descriptor, hs_buf_bytes(&signer->certificate_bytes),
                                       &p.arena, &certificate),
                         HS_OK);
        message.stream = puppet_name(&p, &stream);
        message.n = 1;
        message.hash = puppet_data(receipt.hash.bytes, HS_HASH_BYTES);
        message.store_id = receipt.store_id;
        message.signature = puppet_data(receipt.signature.bytes, HS_SIGNATURE_BYTES);
        message.hub = (Hallsync__Certificate *)certificate;
        ack.receipts = &list;
        ack.n_receipts = 1;
        puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_ACK, &ack.base);
        assert_int_equal(r.hall->store_count, revoked ? 0 : 1);
    }
    puppet_fini(&p);
    world_free(r.w);
}

/* ---- the gate ---- */

static struct world_link *dial_again(struct region *r, struct world_node *from)
{
    struct world_link *link = world_dial(from, r->hub1);
    world_settle(r->w);
    return link;
}

/* H20 e: hub-1 was set back to before the revocation, and the thief comes first. */
static void a_hub_in_doubt_hears_of_revocations_first(void **state)
{
    (void)state;
    struct region r = region_new();
    world_revoke(r.other, r.hall, false);
    world_stop(r.hub1);
    r.hub1->in_doubt = true;
    world_start(r.hub1);
    struct world_link *thief = dial_again(&r, r.hall);
    assert_false(world_live(thief));
    assert_refused(r.hub1, HS_EBUSY);
    world_write_text(r.hall, 3201, HS_LANE_MONEY, "the thief's");
    world_advance(r.w, 30000);
    assert_false(world_live(dial_again(&r, r.other))); /* not yet, but it has told */
    assert_true(knows(r.hub1, r.hall));
    world_advance(r.w, 31000);
    assert_int_equal(world_notices(r.hub1, HS_NOTICE_ADMITTING), 1);
    assert_true(world_live(dial_again(&r, r.other)));
    assert_false(world_live(dial_again(&r, r.hall)));
    assert_refused(r.hub1, HS_EREVOKED);
    world_free(r.w);
}

static void another_hub_opens_the_gate_at_once(void **state)
{
    (void)state;
    struct region r = region_new();
    uint64_t opens_ms;
    world_revoke(r.hub2, r.hall, false);
    world_stop(r.hub1);
    r.hub1->in_doubt = true;
    world_start(r.hub1);
    assert_false(hs_replica_admits(r.hub1->replica, &opens_ms));
    assert_int_equal(opens_ms, UINT64_MAX);
    dial_hubs(&r);
    world_settle(r.w);
    assert_true(hs_replica_admits(r.hub1->replica, &opens_ms));
    assert_true(world_live(dial_again(&r, r.other)));
    assert_false(world_live(dial_again(&r, r.hall)));
    world_free(r.w);
}

static void halls_in_doubt_have_no_gate(void **state)
{
    (void)state;
    struct region r = region_new();
    world_stop(r.other);
    r.other->in_doubt = true;
    world_start(r.other);
    assert_true(world_live(dial_again(&r, r.other)));
    world_free(r.w);
}

/* ---- peers that break the rules ---- */

static Hallsync__Revocation *revocation_of(struct puppet *p, const struct world_node *node)
{
    struct world *w = node->world;
    struct hs_issuer_draft draft = {"test region", "hub-1", w->issuer_key, 1};
    struct hs_buf issuer = {0}, row = {0};
    ProtobufCMessage *message;
    assert_int_equal(hs_issuer_sign(&draft, &w->root, &issuer), HS_OK);
    struct hs_authority authority = {hs_buf_bytes(&issuer), &w->issuer};
    assert_int_equal(hs_revocation_sign(hs_buf_bytes(&node->certificate_bytes), "stolen", 1, &authority, &row), HS_OK);
    assert_int_equal(hs_msg_unpack(&hallsync__revocation__descriptor, hs_buf_bytes(&row), &p->arena, &message), HS_OK);
    hs_buf_fini(&issuer);
    hs_buf_fini(&row);
    return (Hallsync__Revocation *)message;
}

static void say_revocation(struct puppet *p, Hallsync__Revocation *revocation)
{
    Hallsync__PeerRevocations message = HALLSYNC__PEER_REVOCATIONS__INIT;
    message.n_revocations = revocation == NULL ? 0 : 1;
    message.revocations = &revocation;
    puppet_say(p, HALLSYNC__PEER_TYPE__PEER_REVOCATIONS, &message.base);
}

static void hello_with(struct puppet *p, uint32_t revocations)
{
    Hallsync__PeerHello *hello = puppet_hello(p);
    hello->has_revocations = true;
    hello->revocations = revocations;
    puppet_say(p, HALLSYNC__PEER_TYPE__PEER_HELLO, &hello->base);
}

static void what_was_promised_comes_first(void **state)
{
    (void)state;
    struct region r = region_new();
    struct puppet p;
    world_stop(r.hall);
    puppet_dial(&p, r.hall, r.hub1);
    hello_with(&p, 1);
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_FRONTIER, &puppet_nothing(&p)->base);
    assert_int_equal(puppet_ended(&p), HS_EMALFORMED);
    puppet_fini(&p);
    puppet_dial(&p, r.hall, r.hub1);
    hello_with(&p, 1);
    say_revocation(&p, revocation_of(&p, r.other));
    assert_true(puppet_is_live(&p));
    puppet_fini(&p);
    world_free(r.w);
}

static void a_revocation_that_does_not_hold_ends_the_session(void **state)
{
    (void)state;
    struct region r = region_new();
    struct puppet p;
    world_stop(r.hall);
    for (int i = 0; i < 3; i++) {
        puppet_dial(&p, r.hall, r.hub1);
        hello_with(&p, 0);
        Hallsync__Revocation *revocation = i == 2 ? NULL : revocation_of(&p, i == 0 ? r.hub2 : r.other);
        if (i == 1)
            revocation->body->signature.data[0] ^= 1;
        say_revocation(&p, revocation);
        assert_int_equal(puppet_ended(&p), i == 0 ? HS_ECERT : i == 1 ? HS_ESIGNATURE : HS_EMALFORMED);
        puppet_fini(&p);
    }
    assert_int_equal(r.hub1->store.trust_count, 0);
    world_free(r.w);
}

static void strangers_tell_nothing(void **state)
{
    (void)state;
    struct region r = region_new();
    struct puppet p;
    world_stop(r.hall);
    puppet_dial(&p, r.hall, r.hub1);
    say_revocation(&p, revocation_of(&p, r.other)); /* before its Hello */
    assert_int_equal(puppet_ended(&p), HS_EMALFORMED);
    assert_false(knows(r.hub1, r.other));
    puppet_fini(&p);
    world_free(r.w);
}

static void an_older_node_is_told_nothing(void **state)
{
    (void)state;
    struct region r = region_new();
    struct puppet p;
    world_revoke(r.hub1, r.other, false);
    world_stop(r.hall);
    puppet_dial(&p, r.hall, r.hub1);
    Hallsync__PeerHello *hello = puppet_hello(&p);
    hello->n_features = 0;
    hello->has_revocations = false;
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_HELLO, &hello->base);
    assert_true(puppet_is_live(&p));
    assert_int_equal(puppet_count(&p, HALLSYNC__PEER_TYPE__PEER_REVOCATIONS), 0);
    puppet_fini(&p);
    world_free(r.w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_revocation_reaches_everybody_and_ends_the_session),
        cmocka_unit_test(a_revoked_hall_learns_of_it_and_tells_others),
        cmocka_unit_test(it_is_told_right_behind_hello),
        cmocka_unit_test(a_hub_is_revoked_by_the_root),
        cmocka_unit_test(what_a_hub_took_in_good_faith_is_taken_by_all),
        cmocka_unit_test(what_was_on_its_way_is_not_taken),
        cmocka_unit_test(what_no_hub_has_signed_for_waits_until_it_is_released),
        cmocka_unit_test(a_hall_shows_who_has_vouched_for_it),
        cmocka_unit_test(a_receipt_may_be_there_long_before_the_opening),
        cmocka_unit_test(what_follows_a_revocation_at_once_is_taken),
        cmocka_unit_test(a_sender_cuts_at_the_limit),
        cmocka_unit_test(branches_of_a_fork_are_taken_from_hubs_alone),
        cmocka_unit_test(what_a_revoked_hub_signs_is_not_kept),
        cmocka_unit_test(a_hub_in_doubt_hears_of_revocations_first),
        cmocka_unit_test(another_hub_opens_the_gate_at_once),
        cmocka_unit_test(halls_in_doubt_have_no_gate),
        cmocka_unit_test(what_was_promised_comes_first),
        cmocka_unit_test(a_revocation_that_does_not_hold_ends_the_session),
        cmocka_unit_test(strangers_tell_nothing),
        cmocka_unit_test(an_older_node_is_told_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
