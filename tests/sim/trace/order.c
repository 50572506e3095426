/* Section 8.8: what goes first. */
#include "tests/sim/trace/trace.h"

static const hs_partition GULOU[] = {3201};

/* @size bytes that cannot be compressed. */
static void write_random(struct world_node *node, enum hs_lane lane, size_t size)
{
    uint8_t op[16384];
    assert_in_range(size, 8, sizeof op);
    for (size_t i = 0; i + 8 <= size; i += 8)
        hs_be64(op + i, world_random(node->world));
    world_write(node, 3201, lane, op, size);
}

static void an_urgent_order_passes(struct trace *t)
{
    struct trace_pair pair = trace_pair(t);
    t->hidden |= TRACE_TYPE(OPENING) | TRACE_TYPE(ACK);
    t->shows_sizes = true;
    t->w->line_bytes_per_s = 8000;
    trace_tell(t, "A line of 64 kbit/s, and 80,000 bytes of bills for the hall.");
    t->is_quiet = true;
    for (unsigned i = 0; i < 10; i++)
        write_random(pair.hub, HS_LANE_BULK, 8000);
    t->is_quiet = false;
    trace_run(t, 1000);
    trace_tell(t, "Two segments of 8 kB are on the line, and ten seconds of bills wait.  Now a ticket is moved on and "
                  "somebody pays: work goes at once, money as soon as there is room, both ahead of all that waits.");
    trace_write(pair.hub, 3201, HS_LANE_WORK, 1);
    trace_write(pair.hub, 3201, HS_LANE_MONEY, 1);
    trace_run(t, 5000);
}

static void say_credit(struct trace *t, struct puppet *p, uint64_t total)
{
    Hallsync__PeerAck ack = HALLSYNC__PEER_ACK__INIT;
    ack.has_credit_total = true;
    ack.credit_total = total;
    trace_say(t, p, HALLSYNC__PEER_TYPE__PEER_ACK, &ack.base);
}

static void write_large(struct world_node *node, hs_partition partition, enum hs_lane lane)
{
    static uint8_t op[48000];
    op[0]++;
    world_write(node, partition, lane, op, sizeof op);
}

/* Credit for two segments at a time, so that the order shows. */
static void lanes_in_order(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub"), *hub2 = world_hub(t->w, "hub-2");
    struct puppet p;
    world_start(hub);
    t->is_quiet = true;
    trace_puppet_calls(&p, hub2, hub);
    trace_say_hello(t, &p);
    trace_run(t, 50);
    write_large(hub, 3200, HS_LANE_WORK);
    write_large(hub, 3200, HS_LANE_WORK);
    trace_run(t, 1);
    write_large(hub, 3201, HS_LANE_BULK);
    trace_run(t, 1);
    for (enum hs_lane lane = HS_LANE_PEOPLE; lane >= HS_LANE_WORK; lane--) {
        write_large(hub, 3201, lane);
        write_large(hub, 3201, lane);
        write_large(hub, 3202, lane);
        write_large(hub, 3202, lane);
    }
    trace_run(t, 100);
    trace_zero(t);
    t->hidden |= TRACE_TYPE(OPENING) | TRACE_TYPE(ACK);
    t->hides_arrivals = true;
    trace_tell(
        t, "Hub-2 gives credit for two large segments at a time; two have gone.  What waits was written in the order "
           "bulk, people, money, work, the last three for two districts each, two operations for each.  The "
           "eighth turn is that of the bills.");
    for (uint64_t i = 1; i <= 7; i++) {
        say_credit(t, &p, HS_CREDIT_BYTES_MIN + 2 * i * 48259);
        trace_run(t, 20);
    }
    puppet_fini(&p);
}

static void one_segment_on_its_way(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub"), *gulou = world_hall(t->w, "gulou", GULOU, 1);
    struct puppet p;
    world_start(hub);
    t->is_quiet = true;
    trace_puppet_calls(&p, gulou, hub);
    trace_say_hello(t, &p);
    trace_run(t, 50);
    trace_zero(t);
    t->hidden |= TRACE_TYPE(OPENING);
    t->hides_arrivals = true;
    t->shows_sizes = true;
    trace_tell(t, "Of bills one segment goes out, though credit would allow many; of tickets all go.");
    for (unsigned i = 0; i < 3; i++)
        write_random(hub, HS_LANE_BULK, 10000);
    for (unsigned i = 0; i < 3; i++)
        write_random(hub, HS_LANE_WORK, 10000);
    trace_run(t, 1000);
    trace_tell(
        t, "All comes back, a second later: about 40,000 bytes a second.  So much of the bills may be on its way now.");
    say_credit(t, &p, HS_CREDIT_BYTES_MIN + 4 * (10002 + 256));
    trace_run(t, 50);
    puppet_fini(&p);
}

static void forwarded_when_committed(struct trace *t)
{
    struct trace_pair pair = trace_pair(t);
    struct world_node *xuanwu = world_hall(t->w, "xuanwu", GULOU, 1);
    t->is_quiet = true;
    world_start(xuanwu);
    world_call(xuanwu, pair.hub);
    trace_run(t, 100);
    trace_zero(t);
    t->hidden |= TRACE_TYPE(OPENING);
    trace_tell(t, "Xuanwu serves the same district.");
    trace_write(pair.hall, 3201, HS_LANE_MONEY, 1);
    trace_run(t, 50);
    trace_tell(t, "What the hub cannot store it does not pass on.");
    pair.hub->store_fails = HS_EIO;
    trace_write(pair.hall, 3201, HS_LANE_MONEY, 1);
    trace_run(t, 50);
}

static void little_room(struct trace *t)
{
    struct trace_pair pair = trace_pair(t);
    t->hidden |= TRACE_TYPE(OPENING) | TRACE_TYPE(ACK);
    t->hidden &= ~TRACE_TYPE(HEARTBEAT);
    t->hides_arrivals = true;
    trace_tell(t, "The disk of gulou is nearly full.");
    world_hold(pair.hall, 1U << HS_LANE_PEOPLE | 1U << HS_LANE_BULK);
    trace_run(t, 30);
    t->hidden |= TRACE_TYPE(HEARTBEAT);
    trace_tell(t, "Customers wait at the hub; a payment and a ticket go.");
    trace_write(pair.hub, 3201, HS_LANE_PEOPLE, 2);
    trace_write(pair.hub, 3201, HS_LANE_MONEY, 1);
    trace_write(pair.hub, 3201, HS_LANE_WORK, 1);
    trace_run(t, 100);
    t->hidden &= ~TRACE_TYPE(HEARTBEAT);
    trace_tell(t, "There is room again.");
    world_hold(pair.hall, 0);
    trace_run(t, 100);
    trace_fact(t, world_same(pair.hub, pair.hall), "Both hold the same.");
}

static void little_room_unheard(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub"), *gulou = world_hall(t->w, "gulou", GULOU, 1);
    struct puppet p;
    t->is_quiet = true;
    world_start(gulou);
    trace_puppet_called(&p, hub, gulou);
    trace_say_hello(t, &p);
    trace_run(t, 50);
    trace_zero(t);
    t->hidden |= TRACE_TYPE(OPENING);
    t->hides_arrivals = true;
    struct hs_stream people = trace_write(hub, 3201, HS_LANE_PEOPLE, 2);
    struct hs_stream money = trace_write(hub, 3201, HS_LANE_MONEY, 1);
    trace_tell(t,
               "The hub is of the version before, and does not know of held lanes: it sends customers and a payment.");
    world_hold(gulou, 1U << HS_LANE_PEOPLE);
    trace_say_segment(t, &p, &people, 1, 2);
    trace_say_segment(t, &p, &money, 1, 1);
    trace_run(t, 50);
    trace_tell(t, "There is room again: gulou says where it is, and the hub sends the customers once more.");
    world_hold(gulou, 0);
    trace_run(t, 20);
    trace_say_segment(t, &p, &people, 1, 2);
    trace_run(t, 50);
    puppet_fini(&p);
}

const struct trace_scenario TRACE_ORDER[] = {
    {"order-urgent",
     "An urgent operation passes a backlog on a slow line.",
     {"so an urgent operation passes a backlog on a slow line."},
     an_urgent_order_passes},
    {"order-lanes",
     "Work before money before people before bulk; and nothing waits for ever.",
     {"A sender SHOULD take lanes in strict order, work before money before people before bulk, streams of one lane in "
      "turn, and give every eighth turn to what has waited longest."},
     lanes_in_order},
    {"order-window",
     "What is not urgent leaves the line free.",
     {"Of lanes other than work it SHOULD have no more on its way than one segment, or what fills the line for a "
      "quarter "
      "of a second and a round trip, by the measured rate at which credit comes back;"},
     one_segment_on_its_way},
    {"order-forwarded",
     "What a node passes on is on its own disk.",
     {"A node MUST forward only what it has committed."},
     forwarded_when_committed},
    {"order-held",
     "Who has little room left takes work and money, and lets the rest wait.",
     {"A node that has little room left names in `PeerHeartbeat.held_lanes` the lanes of which it takes nothing now, "
      "bits 2^lane, of people and bulk only; other bits mean nothing, and 0 that all go again.",
      "Until then its peer SHOULD NOT send it segments or states of these lanes.", "Work and money are never held."},
     little_room},
    {"order-held-unheard",
     "Who does not know of held lanes sends in vain, and then again.",
     {"A segment that comes all the same is dropped, and when the lane goes again its stream is announced (8.4)."},
     little_room_unheard},
    {0},
};
