/* Section 8.4: what do you hold? */
#include "tests/sim/trace/trace.h"

#include "tests/lib/replica_world_source.h"

static const hs_partition GULOU[] = {3201};

/* Two hubs that hold the same of three districts, and then one more payment at the first. */
struct hubs {
    struct world_node *hub, *hub2;
    struct world_link *link;
};

static struct hubs hubs(struct trace *t)
{
    struct hubs two = {.hub = world_hub(t->w, "hub"), .hub2 = world_hub(t->w, "hub-2")};
    t->is_quiet = true;
    world_start(two.hub);
    world_start(two.hub2);
    for (hs_partition district = 3201; district <= 3203; district++) {
        trace_write(two.hub, district, HS_LANE_BULK, 1);
        trace_write(two.hub2, district, HS_LANE_BULK, 1);
    }
    two.link = world_call(two.hub2, two.hub);
    trace_run(t, 500);
    world_cut(two.link);
    two.hub->store.current = two.hub2->store.current = 0; /* streams of theirs are no longer named in Hello */
    trace_zero(t);
    t->hidden |= TRACE_TYPE(HELLO);
    t->hides_arrivals = true;
    return two;
}

static void equal_frontiers(struct trace *t)
{
    struct hubs two = hubs(t);
    trace_tell(t, "Equal letters are equal hashes.");
    world_call(two.hub2, two.hub);
    trace_run(t, 100);
}

static void one_difference(struct trace *t)
{
    struct hubs two = hubs(t);
    trace_write(two.hub, 3202, HS_LANE_MONEY, 1);
    world_call(two.hub2, two.hub);
    trace_run(t, 100);
}

static void a_long_list(struct trace *t)
{
    struct hubs two = hubs(t);
    t->is_quiet = true;
    for (hs_partition district = 3100; district <= 3300; district++) {
        two.hub->store.current = 0;
        struct hs_stream stream = trace_write(two.hub, district, HS_LANE_BULK, 1);
        world_import(two.hub2, two.hub, &stream);
    }
    two.hub->store.current = 0;
    trace_write(two.hub, 3205, HS_LANE_MONEY, 1);
    two.hub->store.current = 0;
    trace_zero(t);
    trace_tell(t,
               "Both hold something of districts 3100 to 3300 (0c1c to 0ce4), the hub a payment more of 3205 (0c85).");
    world_call(two.hub2, two.hub);
    trace_run(t, 150);
}

static void a_list_unasked(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub"), *gulou = world_hall(t->w, "gulou", GULOU, 1);
    struct puppet p;
    t->is_quiet = true;
    trace_write(hub, 3201, HS_LANE_WORK, 2);
    world_start(hub);
    trace_puppet_calls(&p, gulou, hub);
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_HELLO, &puppet_hello(&p)->base);
    trace_run(t, 50);
    trace_zero(t);
    trace_tell(t, "Gulou begins with what the hub wrote in its district, and nobody has said that it differs.");
    Hallsync__FrontierPart *part = puppet_items(puppet_part(&p, 2, 3201, hub), NULL, 0);
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_FRONTIER, &puppet_frontier(&p, part)->base);
    trace_run(t, 50);
    puppet_fini(&p);
}

/* ---- heads ---- */

/* The hub, and gulou as a puppet that was greeted before the hub wrote 3 operations. */
static struct hs_stream sent_three(struct trace *t, struct puppet *p, struct world_node **hub)
{
    *hub = world_hub(t->w, "hub");
    struct world_node *gulou = world_hall(t->w, "gulou", GULOU, 1);
    world_start(*hub);
    trace_puppet_calls(p, gulou, *hub);
    t->is_quiet = true;
    trace_say_hello(t, p);
    trace_run(t, 50);
    trace_zero(t);
    struct hs_stream stream = trace_write(*hub, 3201, HS_LANE_WORK, 3);
    trace_run(t, 20);
    return stream;
}

static void an_announcement_moves_back(struct trace *t)
{
    struct world_node *hub;
    struct puppet p;
    struct hs_stream stream = sent_three(t, &p, &hub);
    trace_tell(t, "Gulou's disk failed behind operation 1.  A head in a heartbeat says so; that moves nothing back.");
    Hallsync__PeerHeartbeat beat = HALLSYNC__PEER_HEARTBEAT__INIT;
    Hallsync__StreamHead *head = puppet_head(&p, &stream, 1, world_store_find(&hub->store, &stream)->ops[0].hash.bytes);
    beat.heads = &head;
    beat.n_heads = 1;
    beat.has_echo_ms = true;
    beat.clock_ms = beat.echo_ms = WORLD_CLOCK_MS + t->w->now_ms;
    t->hidden = TRACE_TIMERS & ~TRACE_TYPE(HEARTBEAT);
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_HEARTBEAT, &beat.base);
    trace_run(t, 20);
    t->hidden = TRACE_TIMERS;
    trace_tell(t, "An announcement does.");
    trace_say_head(t, &p, &stream, 1, hub);
    trace_run(t, 50);
    puppet_fini(&p);
}

static void a_head_above(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub"), *hub2 = world_hub(t->w, "hub-2");
    struct puppet p;
    t->is_quiet = true;
    struct hs_stream stream = trace_write(hub2, 3201, HS_LANE_WORK, 3);
    world_start(hub);
    trace_puppet_calls(&p, hub2, hub);
    trace_say_hello(t, &p);
    trace_run(t, 50);
    trace_zero(t);
    trace_tell(t, "Hub-2 says that it holds more than the hub does.  The hub just waits for it.");
    trace_say_head(t, &p, &stream, 2, hub2);
    trace_run(t, 50);
    trace_say_segment(t, &p, &stream, 1, 3);
    trace_run(t, 50);
    puppet_fini(&p);
}

static void what_a_list_leaves_out(struct trace *t)
{
    struct trace_pair pair = trace_pair(t);
    t->is_quiet = true;
    struct hs_stream kept = trace_write(pair.hall, 3201, HS_LANE_MONEY, 2);
    trace_run(t, 100);
    world_cut(pair.link);
    pair.hall->store.current = 0;
    struct hs_stream lost = trace_write(pair.hall, 3201, HS_LANE_MONEY, 1);
    pair.hall->store.current = 0;
    world_stop(pair.hall);
    world_start(pair.hall);
    trace_zero(t);
    t->hides_arrivals = true;
    t->hidden |= TRACE_TYPE(HELLO);
    trace_tell(
        t, "The hub knows gulou's first origin; of its second one it has never heard.  Gulou hears in the hub's list "
           "that this one is missing there, and the hub sends the receipts that it has of what gulou's list names.");
    world_call(pair.hall, pair.hub);
    trace_run(t, 100);
    trace_holds(t, pair.hub, &kept);
    trace_holds(t, pair.hub, &lost);
}

static void lists_ascend(struct trace *t)
{
    static const uint8_t ROOTS[] = {0x0c, 0x82, 1, 2, 3, 4, 5, 6, 7, 8, 0x0c, 0x81, 1, 2, 3, 4, 5, 6, 7, 8};
    struct world_node *hub = world_hub(t->w, "hub"), *gulou = world_hall(t->w, "gulou", GULOU, 1);
    struct puppet p;
    world_start(hub);
    t->hidden |= TRACE_TYPE(HELLO);
    trace_puppet_calls(&p, gulou, hub);
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_HELLO, &puppet_hello(&p)->base);
    Hallsync__FrontierPart *part = puppet_items(puppet_part(&p, 0, 0, NULL), ROOTS, sizeof ROOTS);
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_FRONTIER, &puppet_frontier(&p, part)->base);
    trace_run(t, 50);
    puppet_fini(&p);
}

static void nothing_here(struct trace *t)
{
    struct hubs two = hubs(t);
    t->is_quiet = true;
    world_stop(two.hub2);
    world_store_fini(&two.hub2->store);
    world_start(two.hub2);
    trace_zero(t);
    t->is_quiet = false;
    trace_tell(t, "Hub-2 has lost its disk.");
    world_call(two.hub2, two.hub);
    trace_run(t, 40);
}

/* ---- */

const struct trace_scenario TRACE_FRONTIER[] = {
    {"frontier-equal",
     "Equal frontiers are found equal by one list.",
     {"When the session is live, C *offers* the list of level 0.",
      "What an answer does not name is the same on both sides, as of the offer."},
     equal_frontiers},
    {"frontier-descent",
     "One difference is found by going down to it.",
     {"A list may be offered only by C at the beginning, and then by who has answered, of what its answer said "
      "differs.",
      "to items of levels 0 and 1: `items`, the names (without hashes) of those that both have with unequal hashes,",
      "to items of level 2: `items`, its own heads of the streams in which they are not the same, n being 0 and the "
      "hash that of h(0) where it holds nothing.",
      "A head (stream, n, hash) says that its sender holds the stream up to n. Its receiver goes on from there: what "
      "it holds beyond n it sends (8.6), if it may."},
     one_difference},
    {"frontier-long",
     "A long list is told as buckets.",
     {"A longer one MUST be told as *buckets*, for each next digit the list that begins with it:",
      "to buckets: `differ`, a bit for each that both have with unequal hashes, and `lacks`, for each that only the "
      "sender has; it then offers its own lists of those that differ;"},
     a_long_list},
    {"frontier-nothing",
     "Of what somebody lacks he hears how much it is.",
     {"What the other side lacks is told it as an announcement, so that it knows what is to come:",
      "A stream that the peer lacks stands at 0."},
     nothing_here},
    {"frontier-unasked",
     "Lists come in their turn.",
     {"A list or an answer out of its turn, of more than 32 items, not ascending, outside its prefix, or that names "
      "what was not offered ends the session."},
     a_list_unasked},
    {"frontier-left-out",
     "What a list does not name is not there.",
     {"When a list of level 2 of the peer's own node, or an answer to one, names a stream, the receiver sends the "
      "receipts that it has of it."},
     what_a_list_leaves_out},
    {"frontier-ascends",
     "A list out of order ends the session.",
     {"A list or an answer out of its turn, of more than 32 items, not ascending,"},
     lists_ascend},
    {"announcement",
     "\"This is where I am.\"",
     {"An *announcement* is a `PeerFrontier` without parts; `heads`, in any order. It says just where its sender is in "
      "the streams named: n may be 0, and `hash` is then of h(0).",
      "An announcement moves the starting point back as well, and lifts a dispute (9.1); other heads move it only "
      "forward."},
     an_announcement_moves_back},
    {"head-above",
     "A head above what is held is no news yet.",
     {"A head above what is held says nothing yet."},
     a_head_above},
    {0},
};
