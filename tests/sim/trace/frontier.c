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
    struct world_node *hub = world_hub(t->w, "hub"), *hub2 = world_hub(t->w, "hub-2");
    struct puppet p;
    t->is_quiet = true;
    for (hs_partition district = 1; district <= 1001; district++)
        trace_write(hub, district, HS_LANE_BULK, 1);
    trace_zero(t);
    world_start(hub);
    t->hidden |= TRACE_TYPE(HELLO);
    trace_tell(t, "The hub holds something of 1,001 districts.");
    trace_puppet_calls(&p, hub2, hub);
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_HELLO, &puppet_hello(&p)->base);
    trace_run(t, 50);
    puppet_fini(&p);
}

static void say_list(struct trace *t, struct puppet *p, hs_partition partition, const struct world_node *node)
{
    Hallsync__PeerFrontier list = HALLSYNC__PEER_FRONTIER__INIT;
    uint8_t name[HS_NODE_HASH_BYTES];
    list.level = node == NULL ? 1 : 2;
    list.has_partition = list.last = true;
    list.partition = partition;
    if (node != NULL)
        hs_node_hash(&node->certificate.node_key, name);
    list.has_node = node != NULL;
    list.node = puppet_data(name, sizeof name);
    trace_say(t, p, HALLSYNC__PEER_TYPE__PEER_FRONTIER, &list.base);
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
    trace_tell(t, "Gulou has an empty list of what the hub wrote in its district, and the hub had not asked.");
    say_list(t, &p, 3201, hub);
    trace_run(t, 50);
    puppet_fini(&p);
}

static void sixteen_lists(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub"), *hub2 = world_hub(t->w, "hub-2");
    Hallsync__PeerFrontier nothing = HALLSYNC__PEER_FRONTIER__INIT;
    struct puppet p;
    t->is_quiet = true;
    for (hs_partition district = 1; district <= 18; district++)
        trace_write(hub, district, HS_LANE_BULK, 1);
    world_start(hub);
    trace_puppet_calls(&p, hub2, hub);
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_HELLO, &puppet_hello(&p)->base);
    trace_run(t, 50);
    trace_zero(t);
    t->hides_arrivals = true;
    trace_tell(t, "The hub holds something of 18 districts, hub-2 holds nothing.");
    nothing.last = true;
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_FRONTIER, &nothing.base);
    trace_run(t, 50);
    trace_tell(t, "Hub-2 answers one of the 16 lists: there is room for the 17th.");
    say_list(t, &p, 1, NULL);
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
    static uint8_t hash[8];
    struct world_node *hub = world_hub(t->w, "hub"), *gulou = world_hall(t->w, "gulou", GULOU, 1);
    Hallsync__FrontierNode a = HALLSYNC__FRONTIER_NODE__INIT, b = HALLSYNC__FRONTIER_NODE__INIT, *entries[] = {&a, &b};
    Hallsync__PeerFrontier list = HALLSYNC__PEER_FRONTIER__INIT;
    struct puppet p;
    world_start(hub);
    t->hidden |= TRACE_TYPE(HELLO);
    trace_puppet_calls(&p, gulou, hub);
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_HELLO, &puppet_hello(&p)->base);
    a.has_partition = b.has_partition = a.has_hash = b.has_hash = true;
    a.hash = b.hash = puppet_data(hash, sizeof hash);
    a.partition = 3202;
    b.partition = 3201;
    list.entries = entries;
    list.n_entries = 2;
    list.last = true;
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_FRONTIER, &list.base);
    trace_run(t, 50);
    puppet_fini(&p);
}

/* ---- */

const struct trace_scenario TRACE_FRONTIER[] = {
    {"frontier-equal",
     "Equal frontiers are found equal by one list each.",
     {"*Level 0*: entries `partition` and `hash`. Each side sends its own once, when the session is live."},
     equal_frontiers},
    {"frontier-descent",
     "One difference is found by going down to it.",
     {"*Level 1*, of one `partition`: entries `node` and `hash`. *Level 2*, of one `partition` and `node`: entries "
      "`head`. A side sends its own list of a partition whose hash differs from the peer's or which only one of them "
      "lists, and of a node likewise.",
      "A head (stream, n, hash) says that its sender holds the stream up to n. Its receiver goes on from there: what "
      "it "
      "holds beyond n it sends (8.6), if it may."},
     one_difference},
    {"frontier-long",
     "A list of many entries comes in parts.",
     {"Lists ascend, and go on over as many messages as they need, of at most 1,000 entries each; `last` is true in "
      "the "
      "last."},
     a_long_list},
    {"frontier-unasked",
     "Who sends a list gets the other's.",
     {"A list of level 1 or 2 that comes unasked MUST be answered by one's own list of the same, once, so that both "
      "always see both; an empty list is sent as one message without entries."},
     a_list_unasked},
    {"frontier-sixteen",
     "Few lists are under way at a time.",
     {"A node SHOULD have at most 16 lists of its own sent whose counterparts have not come whole."},
     sixteen_lists},
    {"frontier-left-out",
     "What a list does not name is not there.",
     {"A stream that the peer's list leaves out stands at 0.",
      "When a list of level 2 of the peer's own node names a stream, the receiver sends the receipts that it has of "
      "it."},
     what_a_list_leaves_out},
    {"frontier-ascends", "A list out of order ends the session.", {"Lists ascend"}, lists_ascend},
    {"announcement",
     "\"This is where I am.\"",
     {"*Announcement*: level 2 without `partition` and `node`; entries `head`, in any order. It says just where its "
      "sender is in the streams named: n may be 0, and `hash` is then of h(0).",
      "An announcement moves the starting point back as well, and lifts a dispute (9.1); other heads move it only "
      "forward."},
     an_announcement_moves_back},
    {"head-above",
     "A head above what is held is no news yet.",
     {"A head above what is held says nothing yet."},
     a_head_above},
    {0},
};
