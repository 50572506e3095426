/* Section 8.13: a small store beside the hall. */
#include "tests/sim/trace/trace.h"

static const hs_partition GULOU[] = {3201};

struct trio {
    struct world_node *hub, *gulou, *counter;
    struct world_link *to_hub, *to_counter;
};

static struct trio trio(struct trace *t)
{
    struct trio trio = {world_hub(t->w, "hub"), world_hall(t->w, "gulou", GULOU, 1),
                        world_witness(t->w, "counter", GULOU, 1), NULL, NULL};
    world_start(trio.hub);
    world_start(trio.gulou);
    world_start(trio.counter);
    return trio;
}

static void it_keeps_the_tail(struct trace *t)
{
    struct trio trio_ = trio(t);
    t->hides_arrivals = true;
    trace_tell(t,
               "The line to the hub is down.  Gulou took a payment for another district, and meets the counter's PC.");
    trace_write(trio_.gulou, 3209, HS_LANE_MONEY, 1);
    trio_.to_counter = world_call(trio_.gulou, trio_.counter);
    trace_run(t, 100);
    trace_tell(t, "It takes another one.");
    trace_write(trio_.gulou, 3209, HS_LANE_MONEY, 1);
    trace_run(t, 100);
    trace_tell(t, "The line to the hub is back.  With the next heartbeats each learns what the other has signed.");
    t->hidden |= TRACE_TYPE(FRONTIER) | TRACE_TYPE(HELLO);
    world_call(trio_.gulou, trio_.hub);
    trace_run(t, 2500);
}

static void the_disk_is_lost(struct trace *t)
{
    struct trio trio_ = trio(t);
    t->is_quiet = true;
    trio_.to_counter = world_call(trio_.gulou, trio_.counter);
    trace_run(t, 100);
    struct hs_stream stream = trace_write(trio_.gulou, 3201, HS_LANE_MONEY, 2);
    trace_run(t, 100);
    world_stop(trio_.gulou);
    trace_zero(t);
    t->hides_arrivals = true;
    struct world_node *anew = world_hall(t->w, "gulou-2", GULOU, 1);
    world_start(anew);
    trace_tell(t, "Gulou's disk died while the line was down.  The hall made in its place meets the counter's PC.");
    world_call(anew, trio_.counter);
    trace_run(t, 100);
    trace_tell(t, "And then the hub.");
    t->hidden |= TRACE_TYPE(FRONTIER) | TRACE_TYPE(HELLO);
    world_call(anew, trio_.hub);
    trace_run(t, 150);
    trace_holds(t, trio_.hub, &stream);
}

static void a_beginning(struct trace *t)
{
    struct trio trio_ = trio(t);
    struct world_node *second = world_hub(t->w, "second");
    world_start(second);
    t->is_quiet = true;
    world_call(trio_.gulou, trio_.hub);
    world_call(second, trio_.hub);
    trace_run(t, 100);
    trace_write(trio_.gulou, 3201, HS_LANE_MONEY, 3);
    trace_run(t, 200);
    world_cut(&t->w->links[0]);
    trace_write(trio_.gulou, 3201, HS_LANE_MONEY, 1);
    trace_zero(t);
    t->hides_arrivals = true;
    trace_tell(t, "Two hubs have signed for payments 1 to 3 of gulou; the fourth is nowhere else.");
    world_call(trio_.gulou, trio_.counter);
    trace_run(t, 100);
}

static void a_beginning_of_a_log(struct trace *t)
{
    struct trio trio_ = trio(t);
    t->is_quiet = true;
    world_call(trio_.gulou, trio_.hub);
    trace_run(t, 100);
    struct hs_stream stream = trace_write(trio_.gulou, 3201, HS_LANE_PEOPLE, 2);
    trace_write(trio_.gulou, 3201, HS_LANE_PEOPLE, 2);
    trace_run(t, 200);
    world_prune(trio_.gulou, &stream, 2);
    world_cut(&t->w->links[0]);
    trace_zero(t);
    t->hides_arrivals = true;
    trace_tell(t, "One hub has signed for customers 1 to 4 of gulou, which has only 3 and 4 in its log.");
    world_call(trio_.gulou, trio_.counter);
    trace_run(t, 100);
}

static Hallsync__PeerBase *base(struct puppet *p, const struct hs_stream *stream, uint64_t n)
{
    const struct world_stream *held = world_store_find(&p->self->store, stream);
    Hallsync__PeerBase *message = hs_arena_alloc(&p->arena, sizeof *message);
    Hallsync__SignedHead *head = hs_arena_alloc(&p->arena, sizeof *head);
    hallsync__peer_base__init(message);
    hallsync__signed_head__init(head);
    head->stream = puppet_name(p, stream);
    head->n = n;
    head->hash = puppet_data(held->ops[n - 1].hash.bytes, HS_HASH_BYTES);
    head->signature = puppet_data(puppet_checkpoint(held, n)->signature.bytes, HS_SIGNATURE_BYTES);
    message->head = head;
    return message;
}

/* @fault: 0 none, 1 it has come before, 2 forged, 3 another node's stream */
static void say_base(struct trace *t, struct trio *trio_, unsigned fault)
{
    struct puppet p;
    struct world_node *other = world_hall(t->w, "other", GULOU, 1);
    bool was_quiet = t->is_quiet;
    t->is_quiet = true;
    struct hs_stream own = trace_write(trio_->gulou, 3201, HS_LANE_MONEY, 2);
    struct hs_stream others = trace_write(other, 3201, HS_LANE_MONEY, 1);
    world_import(trio_->gulou, other, &others);
    const struct hs_stream *stream = fault == 3 ? &others : &own;
    t->is_quiet = was_quiet;
    trace_puppet_calls(&p, trio_->gulou, trio_->counter);
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_HELLO, &puppet_hello(&p)->base);
    trace_run(t, 20);
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_OPENING, &puppet_opening(&p, stream->origin)->base);
    Hallsync__PeerBase *message = base(&p, stream, 1);
    if (fault == 2)
        message->head->hash.data[3] ^= 1;
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_BASE, &message->base);
    trace_run(t, 20);
    if (fault == 1)
        trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_BASE, &message->base);
    if (fault < 2)
        trace_say_segment(t, &p, stream, 2, 2);
    trace_run(t, 100);
    puppet_fini(&p);
}

static void a_beginning_twice(struct trace *t)
{
    struct trio trio_ = trio(t);
    world_stop(trio_.gulou);
    t->hides_arrivals = true;
    say_base(t, &trio_, 1);
}

static void a_forged_beginning(struct trace *t)
{
    struct trio trio_ = trio(t);
    world_stop(trio_.gulou);
    t->hides_arrivals = true;
    say_base(t, &trio_, 2);
}

static void another_nodes_beginning(struct trace *t)
{
    struct trio trio_ = trio(t);
    world_stop(trio_.gulou);
    t->hides_arrivals = true;
    say_base(t, &trio_, 3);
}

static void a_list(struct trace *t)
{
    struct trio trio_ = trio(t);
    struct puppet p;
    world_stop(trio_.gulou);
    t->hides_arrivals = true;
    for (unsigned i = 0; i < 2; i++) {
        Hallsync__PeerProbe probe = HALLSYNC__PEER_PROBE__INIT;
        probe.id = 1;
        trace_puppet_calls(&p, trio_.gulou, trio_.counter);
        trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_HELLO, &puppet_hello(&p)->base);
        trace_run(t, 50);
        if (i == 0)
            trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_FRONTIER, &puppet_nothing(&p)->base);
        else
            trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_PROBE, &probe.base);
        trace_run(t, 50);
        puppet_fini(&p);
    }
}

static void it_hands_in_itself(struct trace *t)
{
    struct trio trio_ = trio(t);
    t->is_quiet = true;
    trio_.to_counter = world_call(trio_.gulou, trio_.counter);
    trace_run(t, 100);
    trace_write(trio_.gulou, 3209, HS_LANE_MONEY, 1);
    trace_run(t, 100);
    trace_zero(t);
    t->hides_arrivals = true;
    trace_tell(t, "The hall's line is down; the counter's PC has one of its own.");
    world_call(trio_.counter, trio_.hub);
    trace_run(t, 150);
    trace_tell(t, "A second payment.  The witness waits whether the hall can hand it in by itself.");
    trace_write(trio_.gulou, 3209, HS_LANE_MONEY, 1);
    trace_run(t, 50);
    t->is_quiet = true;
    trace_run(t, 22300);
    t->is_quiet = false;
    trace_tell(t, "It was not: with one of its heartbeats the witness names it.");
    t->hidden &= ~TRACE_TYPE(HEARTBEAT);
    trace_run(t, 500);
}

static void outside(struct trace *t)
{
    static const hs_partition OTHER[] = {3202};
    struct trio trio_ = trio(t);
    struct world_node *xuanwu = world_hall(t->w, "xuanwu", OTHER, 1), *city = world_hub(t->w, "city");
    world_start(xuanwu);
    world_narrow(city, OTHER, 1);
    world_start(city);
    t->hides_arrivals = true;
    trace_tell(t, "A hall of another district:");
    world_call(xuanwu, trio_.counter);
    trace_run(t, 100);
    trace_tell(t, "A hub of other districts:");
    world_call(trio_.counter, city);
    trace_run(t, 100);
}

const struct trace_scenario TRACE_WITNESS[] = {
    {"witness-tail",
     "A witness takes what its hall writes, and signs for it.",
     {"base = C:BASE",
      "C may send, and S may take, C's own streams, of all partitions and lanes. S answers Hello with an announcement "
      "of C's streams, which may be empty,",
      "Until the first announcement C sends nothing.",
      "Of its own streams a hall tells a witness what is new of hubs' receipts, and a hub what is new of witnesses', "
      "with its heartbeats, the highest of each store.",
      "With a witness there is no common view."},
     it_keeps_the_tail},
    {"witness-disk-lost",
     "What a hall lost with its disk comes back from its witness.",
     {"and with announcements of all other streams that it holds, may send, and whose head no two hubs' receipts "
      "that it has reach: it may send what lies in C's scope.",
      "Of those that S holds more of, C announces where it is, as far as it may take them, and S goes on from there:"},
     the_disk_is_lost},
    {"witness-base",
     "A witness need not hold what two hubs have.",
     {"Where S holds nothing of a stream of C, C MAY send `PeerBase`, behind the opening and ahead of segments:",
      "C SHOULD choose the highest number that receipts of two hubs' stores reach;"},
     a_beginning},
    {"witness-base-log",
     "What one hub has signed for, and the hall still has, its witness gets too.",
     {"and if its own log does not go back so far, the number behind which that is whole. C MUST NOT choose a higher "
      "one:"},
     a_beginning_of_a_log},
    {"witness-base-twice",
     "A stream begins once.",
     {"it announces where it is if it holds something of the stream; else it stores the head, and takes what follows "
      "behind it."},
     a_beginning_twice},
    {"witness-base-forged",
     "A beginning is signed.",
     {"S ends the session if it is not a witness, the checkpoint does not hold, or it may not take the stream;"},
     a_forged_beginning},
    {"witness-base-outside",
     "A hall hands its witness its own streams only.",
     {"S ends the session if it is not a witness, the checkpoint does not hold, or it may not take the stream;"},
     another_nodes_beginning},
    {"witness-nothing-compared",
     "With a witness nothing is compared.",
     {"Between a witness and others no frontiers, digests or probes are exchanged: a list, or a probe, ends the "
      "session."},
     a_list},
    {"witness-hub",
     "A witness with a line of its own hands in itself.",
     {"A witness that dials a hub names the streams whose head no two hubs' receipts reach, first those that none "
      "reaches.",
      "C may send streams of nodes whose home lies in its districts, and tells S its receipts of them; S sends no "
      "operations, and may tell C of these streams. S answers Hello with an announcement, which may be empty.",
      "C's heartbeats name, ten to thirty seconds after they moved, those of these streams whose head no hub's receipt "
      "reaches; S announces where it is in those of which it holds less. C sends S only of streams that S has "
      "announced."},
     it_hands_in_itself},
    {"witness-refused",
     "A witness serves the halls of its districts.",
     {"C is a hall, S a witness, and C's home is not one of S's districts; C is a witness, S a hub, and S's scope "
      "lacks "
      "one of C's districts;"},
     outside},
    {0},
};
