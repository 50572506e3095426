/* Sections 6.3 and 8.9: acknowledgements and receipts. */
#include "tests/sim/trace/trace.h"

static const hs_partition GULOU[] = {3201};

static void one_ack_for_many(struct trace *t)
{
    struct trace_pair pair = trace_pair(t);
    t->shows_sizes = true;
    t->hidden |= TRACE_TYPE(OPENING);
    trace_tell(t, "What one commit of the hub took in is told together.");
    trace_write(pair.hall, 3201, HS_LANE_MONEY, 2);
    trace_write(pair.hall, 3201, HS_LANE_WORK, 1);
    trace_run(t, 50);
}

static void receipts_travel(struct trace *t)
{
    struct trace_pair pair = trace_pair(t);
    struct world_node *hub2 = world_hub(t->w, "hub-2");
    t->is_quiet = true;
    world_start(hub2);
    world_call(hub2, pair.hub);
    trace_run(t, 100);
    trace_zero(t);
    t->hides_arrivals = true;
    t->hidden |= TRACE_TYPE(OPENING);
    trace_tell(t, "Gulou's payment goes to the hub and on to hub-2; the receipts of both come back to gulou.");
    trace_write(pair.hall, 3201, HS_LANE_MONEY, 1);
    trace_run(t, 100);
}

/* ---- by hand ---- */

/* The hub is made by hand; gulou holds three payments and has greeted it. */
struct table {
    struct world_node *hub, *gulou;
    struct puppet p;
    struct hs_stream stream;
};

static void call(struct trace *t, struct table *at)
{
    t->is_quiet = true;
    trace_puppet_called(&at->p, at->hub, at->gulou);
    trace_run(t, 20);
    trace_say_hello(t, &at->p);
    trace_run(t, 50);
    trace_zero(t);
}

static void table(struct trace *t, struct table *at)
{
    *at = (struct table){.hub = world_hub(t->w, "hub"), .gulou = world_hall(t->w, "gulou", GULOU, 1)};
    t->is_quiet = true;
    at->stream = trace_write(at->gulou, 3201, HS_LANE_MONEY, 3);
    world_start(at->gulou);
    call(t, at);
}

/* @signer's receipt; @hub: its certificate goes along. */
static Hallsync__Receipt *receipt(struct table *at, const struct world_node *signer, uint64_t n, bool certified)
{
    struct hs_receipt *made = hs_arena_alloc(&at->p.arena, sizeof *made);
    Hallsync__Receipt *message = hs_arena_alloc(&at->p.arena, sizeof *message);
    const struct world_stream *held = world_store_find(&at->gulou->store, &at->stream);
    *made = (struct hs_receipt){.store_id = signer->store_id,
                                .stream = at->stream,
                                .n = n,
                                .hash = held->ops[n - 1].hash,
                                .time_ms = 1,
                                .hub_key = signer->certificate.node_key};
    struct hs_signer key = hs_signer_of(&signer->secret);
    assert_int_equal(hs_receipt_sign(made, &key), HS_OK);
    hallsync__receipt__init(message);
    message->stream = puppet_name(&at->p, &at->stream);
    message->n = n;
    message->hash = puppet_data(made->hash.bytes, HS_HASH_BYTES);
    message->store_id = made->store_id;
    message->time_ms = made->time_ms;
    message->signature = puppet_data(made->signature.bytes, HS_SIGNATURE_BYTES);
    ProtobufCMessage *certificate = NULL;
    if (certified)
        assert_int_equal(hs_msg_unpack(&hallsync__certificate__descriptor, hs_buf_bytes(&signer->certificate_bytes),
                                       &at->p.arena, &certificate),
                         HS_OK);
    message->hub = (Hallsync__Certificate *)certificate;
    return message;
}

static void say_receipt(struct trace *t, struct table *at, Hallsync__Receipt *message)
{
    Hallsync__PeerAck ack = HALLSYNC__PEER_ACK__INIT;
    ack.receipts = &message;
    ack.n_receipts = 1;
    trace_say(t, &at->p, HALLSYNC__PEER_TYPE__PEER_ACK, &ack.base);
    trace_run(t, 50);
}

static void the_highest_counts(struct trace *t)
{
    struct table at;
    table(t, &at);
    t->hides_arrivals = true;
    say_receipt(t, &at, receipt(&at, at.hub, 2, false));
    trace_tell(t, "The same again, and a lower one: nothing is to be done.");
    say_receipt(t, &at, receipt(&at, at.hub, 2, false));
    say_receipt(t, &at, receipt(&at, at.hub, 1, false));
    trace_tell(t, "A higher one, and that of another store.");
    say_receipt(t, &at, receipt(&at, at.hub, 3, false));
    say_receipt(t, &at, receipt(&at, world_hub(t->w, "hub-2"), 1, true));
    puppet_fini(&at.p);
}

static void receipts_that_do_not_hold(struct trace *t)
{
    struct table at;
    table(t, &at);
    t->hides_arrivals = true;
    trace_tell(t, "With a signature that does not hold:");
    Hallsync__Receipt *forged = receipt(&at, at.hub, 2, false);
    forged->signature.data[7] ^= 1;
    say_receipt(t, &at, forged);
    puppet_fini(&at.p);
    call(t, &at);
    trace_tell(t, "Signed by a hall:");
    say_receipt(t, &at, receipt(&at, world_hall(t->w, "xuanwu", GULOU, 1), 2, true));
    puppet_fini(&at.p);
    call(t, &at);
    trace_tell(t, "Signed by another hub, whose certificate is left out:");
    say_receipt(t, &at, receipt(&at, world_hub(t->w, "hub-2"), 2, false));
    puppet_fini(&at.p);
}

const struct trace_scenario TRACE_ACK[] = {
    {"ack",
     "One message says what was stored, what may be sent, and who has signed for it.",
     {"`PeerAck` carries up to three things:", "`stored`: streams of which the peer held more, and up to where they "
                                               "are now committed here. The peer takes it as "
                                               "a head without a hash;"},
     one_ack_for_many},
    {"receipt-travels",
     "Receipts travel with the streams, to everybody who may be told of these.",
     {"A receipt is evidence for every node: receipts travel with their streams.",
      "A hub and a witness send each receipt that they sign, and a hub once each receipt of others that is new to it, "
      "to every live peer that may be told of the stream, except to the store that signed it.",
      "`hub` is the signer's certificate, and left out only by the signer itself."},
     receipts_travel},
    {"receipt-highest",
     "Of one store the highest receipt counts.",
     {"Of one (stream, store) the one with the highest n counts.",
      "The receiver of a receipt drops one that is not above what it has of that (stream, store)."},
     the_highest_counts},
    {"receipt-forged",
     "A receipt that does not hold ends the session.",
     {"Else it verifies the certificate, that it is a hub's or a witness's, and the signature, and stores both; if "
      "they do not hold, the session ends."},
     receipts_that_do_not_hold},
    {0},
};
