/* Sections 8.5 to 8.7: openings, segments, credit. */
#include "tests/sim/trace/trace.h"

static const hs_partition GULOU[] = {3201};

/* gulou, made by hand, has greeted the hub; what it has written is not there yet. */
struct table {
    struct world_node *hub, *gulou;
    struct puppet p;
    struct hs_stream stream;
};

static void greet(struct trace *t, struct table *at)
{
    t->is_quiet = true;
    trace_puppet_calls(&at->p, at->gulou, at->hub);
    trace_say_hello(t, &at->p);
    trace_run(t, 100);
    trace_zero(t);
}

static void table(struct trace *t, struct table *at)
{
    *at = (struct table){.hub = world_hub(t->w, "hub"), .gulou = world_hall(t->w, "gulou", GULOU, 1)};
    t->is_quiet = true;
    at->stream = trace_write(at->gulou, 3201, HS_LANE_MONEY, 5);
    world_start(at->hub);
    greet(t, at);
}

static void opened(struct trace *t, struct table *at)
{
    t->is_quiet = true;
    trace_say(t, &at->p, HALLSYNC__PEER_TYPE__PEER_OPENING, &puppet_opening(&at->p, at->stream.origin)->base);
    trace_run(t, 20);
    trace_zero(t);
}

/* ---- openings ---- */

static void the_opening_goes_ahead(struct trace *t)
{
    struct trace_pair pair = trace_pair(t);
    t->hidden |= TRACE_TYPE(ACK);
    trace_tell(t, "Ahead of number 1 of each stream, and of no other.");
    trace_write(pair.hall, 3201, HS_LANE_MONEY, 1);
    trace_run(t, 50);
    trace_write(pair.hall, 3201, HS_LANE_MONEY, 1);
    trace_write(pair.hall, 3201, HS_LANE_WORK, 1);
    trace_run(t, 50);
}

static void without_an_opening(struct trace *t)
{
    struct table at;
    table(t, &at);
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_SEGMENT, &puppet_segment(&at.p, &at.stream, 1, 2)->base);
    trace_run(t, 50);
    puppet_fini(&at.p);
}

/* ---- how segments are cut ---- */

static void cut_at_checkpoints(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub"), *gulou = world_hall(t->w, "gulou", GULOU, 1);
    static uint8_t large[60000];
    world_start(hub);
    world_start(gulou);
    t->is_quiet = true;
    trace_write(gulou, 3201, HS_LANE_WORK, 5);
    trace_write(gulou, 3202, HS_LANE_WORK, 300);
    for (unsigned i = 0; i < 5; i++) {
        large[0] = (uint8_t)i;
        world_write(gulou, 3203, HS_LANE_WORK, large, 5000);
    }
    world_write(gulou, 3204, HS_LANE_WORK, large, 100);
    world_write(gulou, 3204, HS_LANE_WORK, large, sizeof large);
    world_write(gulou, 3204, HS_LANE_WORK, large, 100);
    trace_zero(t);
    t->hidden |= TRACE_GREETING | TRACE_TYPE(ACK) | TRACE_TYPE(OPENING);
    t->hides_arrivals = true;
    t->shows_sizes = true;
    trace_tell(t,
               "While the line was down gulou wrote: 5 small operations, each in a commit of its own, in 3201; 300 in "
               "3202; 5 of 5,000 bytes in 3203; one of 60,000 bytes between two small ones in 3204.");
    world_call(gulou, hub);
    trace_run(t, 100);
}

static void only_what_is_committed(struct trace *t)
{
    struct trace_pair pair = trace_pair(t);
    t->hidden |= TRACE_TYPE(ACK);
    t->hides_arrivals = true;
    trace_write(pair.hall, 3201, HS_LANE_WORK, 1);
    trace_run(t, 50);
    trace_tell(t, "2 and 3 are written, but so far the replica has heard of the commit of 2 only.");
    struct hs_stream stream = {pair.hall->store.current, 3201, HS_LANE_WORK};
    trace_cut(t, pair.link);
    trace_write(pair.hall, 3201, HS_LANE_WORK, 1);
    world_write_untold(pair.hall, 3201, HS_LANE_WORK, "three");
    t->hidden |= TRACE_GREETING;
    world_call(pair.hall, pair.hub);
    trace_run(t, 100);
    trace_holds(t, pair.hall, &stream);
    trace_holds(t, pair.hub, &stream);
}

/* ---- what a receiver does ---- */

static void not_valid(struct trace *t)
{
    struct table at;
    table(t, &at);
    static const char *const FAULTS[] = {"Its first number is 0:", "It has no operation:", "There is no lane 9:",
                                         "It would have 66,561 bytes:", "100 operations cannot have 52 bytes:"};
    for (unsigned fault = 0; fault < 5; fault++) {
        trace_tell(t, "%s", FAULTS[fault]);
        Hallsync__PeerSegment *segment = puppet_segment(&at.p, &at.stream, 1, 2);
        segment->first = fault == 0 ? 0 : 1;
        segment->count = fault == 1 ? 0 : fault == 4 ? 100 : 2;
        segment->stream->lane = fault == 2 ? 9 : 2;
        segment->raw_bytes = fault == 3 ? HS_SEGMENT_BYTES_MAX + 1 : segment->raw_bytes;
        t->is_quiet = true; /* it is no text that this would make */
        trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_SEGMENT, &segment->base);
        t->is_quiet = false;
        trace_run(t, 50);
        puppet_fini(&at.p);
        greet(t, &at);
    }
    puppet_fini(&at.p);
}

static void bodies_that_are_not_that(struct trace *t)
{
    struct table at;
    table(t, &at);
    opened(t, &at);
    trace_tell(t, "Three operations, it says, and the body has two:");
    Hallsync__PeerSegment *segment = puppet_segment(&at.p, &at.stream, 1, 2);
    segment->count = 3;
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_SEGMENT, &segment->base);
    trace_run(t, 50);
    puppet_fini(&at.p);
    greet(t, &at);
    trace_tell(t, "One byte more than it says:");
    segment = puppet_segment(&at.p, &at.stream, 1, 2);
    segment->raw_bytes--;
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_SEGMENT, &segment->base);
    trace_run(t, 50);
    puppet_fini(&at.p);
    greet(t, &at);
    trace_tell(t, "Compressed, it says, and it is not:");
    segment = puppet_segment(&at.p, &at.stream, 1, 2);
    segment->compressed = true;
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_SEGMENT, &segment->base);
    trace_run(t, 50);
    trace_holds(t, at.hub, &at.stream);
    puppet_fini(&at.p);
}

static void held_already(struct trace *t)
{
    struct table at;
    table(t, &at);
    t->shows_sizes = true;
    trace_say_segment(t, &at.p, &at.stream, 1, 3);
    trace_run(t, 50);
    trace_tell(t,
               "1 and 2 again: they are dropped, and their credit comes back.  A segment tells where its sender is at "
               "least: as if gulou had lost 3, the hub offers it.");
    trace_say_segment(t, &at.p, &at.stream, 1, 2);
    trace_run(t, 50);
    puppet_fini(&at.p);
}

static void a_gap(struct trace *t)
{
    struct table at;
    table(t, &at);
    trace_say_segment(t, &at.p, &at.stream, 1, 1);
    trace_run(t, 50);
    trace_tell(t, "2 is missing.  The hub says once where it is; 4 was on its way.");
    trace_say_segment(t, &at.p, &at.stream, 3, 3);
    trace_say_segment(t, &at.p, &at.stream, 4, 4);
    trace_run(t, 50);
    trace_say_segment(t, &at.p, &at.stream, 2, 5);
    trace_run(t, 50);
    puppet_fini(&at.p);
}

static void a_bad_chain(struct trace *t)
{
    struct table at;
    table(t, &at);
    t->is_quiet = true;
    struct hs_stream ticket = trace_write(at.gulou, 3201, HS_LANE_WORK, 1);
    struct world_node *hub2 = world_hub(t->w, "hub-2");
    world_store_fini(&hub2->store);
    world_store_copy(&at.gulou->store, &hub2->store);
    trace_say_segment(t, &at.p, &at.stream, 1, 2);
    trace_run(t, 50);
    trace_zero(t);
    trace_tell(t, "The hub holds 1 and 2.  A bit of 3 has changed on gulou's disk.");
    Hallsync__PeerSegment *segment = puppet_segment(&at.p, &at.stream, 3, 3);
    segment->body.data[4] ^= 1;
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_SEGMENT, &segment->base);
    trace_run(t, 20);
    trace_tell(t, "Nothing more of that stream is taken from gulou, not even the right bytes; other streams go on.");
    trace_say_segment(t, &at.p, &at.stream, 3, 3);
    trace_say_segment(t, &at.p, &ticket, 1, 1);
    trace_run(t, 50);
    trace_tell(t, "Hub-2 has 3 as gulou wrote it.  Then the head has moved, and gulou may go on too.");
    struct puppet q;
    trace_puppet_calls(&q, hub2, at.hub);
    t->hidden |= TRACE_GREETING;
    trace_say_hello(t, &q);
    trace_say_segment(t, &q, &at.stream, 3, 3);
    trace_run(t, 50);
    trace_say_segment(t, &at.p, &at.stream, 4, 5);
    trace_run(t, 50);
    puppet_fini(&q);
    puppet_fini(&at.p);
}

/* One operation left out, two swapped: every chain hash behind it would be another one. */
static void left_out_or_moved(struct trace *t)
{
    struct table at;
    table(t, &at);
    opened(t, &at);
    trace_tell(t, "Who relays gulou's 1 to 3 leaves out 2, and calls 3 number 2:");
    const struct world_stream *held = world_store_find(&at.gulou->store, &at.stream);
    Hallsync__PeerSegment *segment = puppet_segment(&at.p, &at.stream, 1, 2);
    struct hs_buf body = {0};
    hs_buf_put_sized(&body, hs_buf_bytes(&held->ops[0].bytes));
    hs_buf_put_sized(&body, hs_buf_bytes(&held->ops[2].bytes));
    segment->body = puppet_data(body.data, body.size);
    segment->raw_bytes = (uint32_t)body.size;
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_SEGMENT, &segment->base);
    trace_run(t, 50);
    trace_holds(t, at.hub, &at.stream);
    hs_buf_fini(&body);
    puppet_fini(&at.p);
}

static void acknowledged_when_committed(struct trace *t)
{
    struct trace_pair pair = trace_pair(t);
    trace_tell(t, "A payment, and the hub's commit a few milliseconds after it came.");
    trace_write(pair.hall, 3201, HS_LANE_MONEY, 1);
    trace_run(t, 50);
    trace_tell(t, "The hub's disk is full.  Nothing is acknowledged, the session ends.");
    pair.hub->store_fails = HS_EFULL;
    trace_write(pair.hall, 3201, HS_LANE_MONEY, 1);
    trace_run(t, 50);
    trace_tell(t, "There is room again: the payment comes once more.");
    pair.hub->store_fails = HS_OK;
    t->hidden |= TRACE_TYPE(FRONTIER);
    world_call(pair.hall, pair.hub);
    trace_run(t, 100);
}

/* ---- credit ---- */

/* Writes one large operation. */
static struct hs_stream large(struct world_node *node, enum hs_lane lane, uint8_t mark)
{
    static uint8_t op[60000];
    op[0] = mark;
    return world_write(node, 3201, lane, op, sizeof op);
}

static void say_credit(struct trace *t, struct puppet *p, uint64_t total)
{
    Hallsync__PeerAck ack = HALLSYNC__PEER_ACK__INIT;
    ack.has_credit_total = true;
    ack.credit_total = total;
    trace_say(t, p, HALLSYNC__PEER_TYPE__PEER_ACK, &ack.base);
}

/* The hub sends; gulou is made by hand and gives the least credit. */
static void receiver(struct trace *t, struct puppet *p, struct world_node **hub)
{
    struct world_node *gulou = world_hall(t->w, "gulou", GULOU, 1);
    *hub = world_hub(t->w, "hub");
    world_start(*hub);
    t->is_quiet = true;
    trace_puppet_calls(p, gulou, *hub);
    trace_say_hello(t, p);
    trace_run(t, 50);
    trace_zero(t);
    t->shows_sizes = true;
    t->hidden |= TRACE_TYPE(OPENING);
}

static void within_credit(struct trace *t)
{
    struct world_node *hub;
    struct puppet p;
    receiver(t, &p, &hub);
    trace_tell(t, "Gulou's Hello allowed 131,072 bytes.  60,003 + 256 a segment: there is room for two.");
    for (uint8_t i = 0; i < 4; i++)
        large(hub, HS_LANE_WORK, i);
    trace_run(t, 50);
    trace_tell(t, "Gulou has stored the first: 131,072 + 60,259 = 191,331.");
    say_credit(t, &p, 191331);
    trace_run(t, 50);
    trace_tell(t, "And the two others.");
    say_credit(t, &p, 311849);
    trace_run(t, 50);
    puppet_fini(&p);
}

static void more_than_credit(struct trace *t)
{
    struct table at = {.hub = world_hub(t->w, "hub"), .gulou = world_hall(t->w, "gulou", GULOU, 1)};
    t->is_quiet = true;
    at.hub->credit_bytes = HS_CREDIT_BYTES_MIN;
    world_start(at.hub);
    for (uint8_t i = 0; i < 3; i++)
        at.stream = large(at.gulou, HS_LANE_MONEY, i);
    greet(t, &at);
    opened(t, &at);
    t->shows_sizes = true;
    trace_tell(t, "The hub's Hello allowed 131,072 bytes; this would be 180,777.");
    for (uint64_t n = 1; n <= 3; n++)
        trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_SEGMENT, &puppet_segment(&at.p, &at.stream, n, n)->base);
    trace_run(t, 50);
    trace_holds(t, at.hub, &at.stream);
    puppet_fini(&at.p);
}

static void credit_that_cannot_be(struct trace *t)
{
    struct world_node *hub;
    struct puppet p;
    receiver(t, &p, &hub);
    struct hs_stream stream = large(hub, HS_LANE_WORK, 1);
    trace_run(t, 20);
    trace_tell(t, "60,259 were sent: 191,331 is the most that there can be.");
    say_credit(t, &p, 191331);
    trace_run(t, 20);
    say_credit(t, &p, 191332);
    trace_run(t, 50);
    puppet_fini(&p);
    trace_tell(t, "In the next session the same again, and then less than before.");
    t->is_quiet = true;
    trace_puppet_calls(&p, p.self, hub);
    trace_say_hello(t, &p);
    trace_run(t, 20);
    trace_zero(t);
    trace_say_head(t, &p, &stream, 0, hub);
    trace_run(t, 20);
    say_credit(t, &p, 191331);
    trace_run(t, 20);
    say_credit(t, &p, 191330);
    trace_run(t, 50);
    puppet_fini(&p);
}

/* ---- */

const struct trace_scenario TRACE_SEGMENT[] = {
    {"opening-ahead",
     "The opening of its origin goes ahead of a stream's first operation.",
     {"`PeerOpening` brings an origin's certificate and opening. A node MUST send it ahead of a segment that begins "
      "with "
      "operation 1, ahead of a loose piece that does, and ahead of a fork proof;"},
     the_opening_goes_ahead},
    {"segment-without-opening",
     "Operations of an unknown origin end the session.",
     {"or if it has no opening of the origin;"},
     without_an_opening},
    {"segment-cut",
     "Small commits travel together, large operations alone; every segment ends at a checkpoint.",
     {"It SHOULD choose the last checkpoint with which the segment has at most 256 operations and 16,384 bytes; it MAY "
      "send more if there is no checkpoint before, up to 66,560 bytes.",
      "Any holder MAY cut the same operations into other segments that end at a checkpoint,",
      "| segment | 256 operations and 16,384 bytes where checkpoints allow (8.6); 66,560 bytes always | session ends "
      "|"},
     cut_at_checkpoints},
    {"segment-committed",
     "What is not committed is not sent.",
     {"A sender begins at the operation behind what the peer holds or was sent, and ends at a checkpoint. It MUST have "
      "committed the operations."},
     only_what_is_committed},
    {"segment-invalid",
     "A segment that cannot be one ends the session.",
     {"1. ends the session if the stream, `first`, `count` or `raw_bytes` are not valid (all at least 1, count at most "
      "raw_bytes),"},
     not_valid},
    {"segment-body",
     "A body that is not what its message says ends the session.",
     {"4. ends the session if the body is not one frame of exactly raw_bytes, or not exactly count operations;"},
     bodies_that_are_not_that},
    {"segment-held",
     "What is held is dropped and acknowledged.",
     {"2. drops the segment if the stream is forked or stopped, or if it holds the last operation already (and then "
      "says "
      "so by an ack);"},
     held_already},
    {"segment-gap",
     "After a gap the sender begins anew from where the receiver is.",
     {"3. if `first` is not behind the last operation that it holds or is storing, drops it and announces where it is, "
      "once until the stream goes on; the sender begins anew from there;"},
     a_gap},
    {"segment-bad-chain",
     "What does not continue the chain stops that stream, from that peer, and nothing else.",
     {"5. computes the chain from its own h(first-1); if the checkpoint does not verify against it, the *stream* is "
      "stopped: nothing of it is taken from this peer in this session until its head has moved (others may still bring "
      "it: a liar must not hold back another's money), the operator is told, and the peer gets a dispute (9.1); the "
      "session goes on;"},
     a_bad_chain},
    {"segment-left-out",
     "Who relays operations can neither leave one out nor move it.",
     {"Hashes of operations do not travel; a receiver computes them.",
      "Because h(0) names the stream, no operation can be moved to another stream, and because each hash covers the "
      "one "
      "before, no operation can be left out or moved."},
     left_out_or_moved},
    {"segment-stored",
     "Acknowledged is what is committed.",
     {"6. stores operations and checkpoint as they are, applies them, and acknowledges after the commit.",
      "A hub signs and stores it in the transaction that commits the operations; it MUST NOT sign what it does not "
      "hold."},
     acknowledged_when_committed},
    {"credit",
     "Nobody sends more than he was allowed.",
     {"A sender MUST NOT have sent more than it was allowed. A segment costs raw_bytes + 256 (also one in a "
      "`PeerFetch`), a loose piece the bytes of its body + 256, a message of states raw_bytes + 256, one of their "
      "heads 256 and 1,024 for each head; other "
      "messages cost nothing. `PeerHello.credit` is allowed at first; `PeerAck.credit_total` is "
      "cumulative: the first credit and the cost of everything since that was stored or dropped."},
     within_credit},
    {"credit-exceeded",
     "More than was allowed ends the session.",
     {"if more was sent than the credit allowed (*credit*),"},
     more_than_credit},
    {"credit-impossible",
     "Credit neither falls nor rises above what was sent.",
     {"It MUST NOT fall, nor rise above the first credit and the cost of everything sent; a sender that sees this ends "
      "the session (*credit*)."},
     credit_that_cannot_be},
    {0},
};
