/* Section 8.14: record states instead of operations. */
#include "tests/sim/trace/trace.h"

#include <stdio.h>

static const hs_partition GULOU[] = {3201};

#define TRACE_STATES (TRACE_TYPE(ACK) | TRACE_TYPE(FRONTIER) | TRACE_TYPE(HELLO) | TRACE_TYPE(OPENING))

/* A hub with customers and payments, and gulou, whose store has just been made. */
static struct trace_pair new_hall(struct trace *t, unsigned customers)
{
    struct trace_pair pair = {.hub = world_hub(t->w, "hub"), .hall = world_hall(t->w, "gulou", GULOU, 1)};
    t->is_quiet = true;
    world_start(pair.hub);
    trace_write(pair.hub, 3201, HS_LANE_PEOPLE, customers);
    trace_write(pair.hub, 3201, HS_LANE_MONEY, 2);
    world_store_fill_begin(&pair.hall->store, 3201, HS_LANE_PEOPLE);
    world_store_fill_begin(&pair.hall->store, 3201, HS_LANE_MONEY);
    world_start(pair.hall);
    t->hidden |= TRACE_STATES;
    trace_zero(t);
    return pair;
}

static void filled(struct trace *t)
{
    struct trace_pair pair = new_hall(t, 3);
    trace_tell(
        t, "Gulou's store is new: it wants the money and the people of 3201, and asks the hub that it has dialled.");
    world_call(pair.hall, pair.hub);
    trace_run(t, 150);
    trace_tell(t, "From here on operations go on.");
    t->hidden &= ~TRACE_TYPE(ACK);
    trace_write(pair.hub, 3201, HS_LANE_PEOPLE, 1);
    trace_run(t, 60);
    trace_fact(t, world_same(pair.hub, pair.hall) && pair.hall->store.state_count == 3,
               "Gulou holds the same, three records of it as they came.");
}

static void resumed(struct trace *t)
{
    struct trace_pair pair = new_hall(t, 300);
    t->shows_sizes = true;
    trace_tell(t, "Three hundred customers; the line is cut when some of them have come.");
    struct world_link *link = world_call(pair.hall, pair.hub);
    trace_run(t, 105);
    trace_cut(t, link);
    t->is_quiet = true;
    world_stop(pair.hall);
    world_start(pair.hall);
    t->is_quiet = false;
    trace_tell(t, "Gulou is started anew, and dials again: it goes on behind what it has.");
    world_call(pair.hall, pair.hub);
    trace_run(t, 300);
    trace_fact(t, world_same(pair.hub, pair.hall) && world_ops(pair.hall) == 302, "Gulou holds all of it.");
}

static void updated(struct trace *t)
{
    struct trace_pair pair = new_hall(t, 2);
    trace_tell(
        t, "While the hub's records are behind its log, another customer is written: they are read with it in them, "
           "and its head is told before they go.");
    pair.hub->records_late = 1;
    world_call(pair.hall, pair.hub);
    trace_run(t, 60);
    pair.hub->records_late = 0;
    trace_write(pair.hub, 3201, HS_LANE_PEOPLE, 1);
    trace_run(t, 150);
    trace_fact(t, world_same(pair.hub, pair.hall), "Gulou holds the same.");
}

static void pruned(struct trace *t)
{
    struct trace_pair pair = trace_pair(t);
    t->is_quiet = true;
    struct hs_stream customers = trace_write(pair.hub, 3201, HS_LANE_PEOPLE, 2);
    trace_run(t, 100);
    trace_cut(t, pair.link);
    trace_write(pair.hub, 3201, HS_LANE_PEOPLE, 3);
    trace_write(pair.hall, 3201, HS_LANE_PEOPLE, 1);
    world_prune(pair.hub, &customers, 4);
    t->hidden |= TRACE_STATES;
    t->hides_arrivals = true;
    trace_zero(t);
    trace_tell(t, "Gulou was away longer than the hub keeps its log: it has customers 1 and 2, the log begins with 5.");
    world_call(pair.hall, pair.hub);
    trace_run(t, 250);
    trace_fact(t, world_same(pair.hub, pair.hall),
               "Both hold the same; what gulou wrote meanwhile has come to the hub.");
}

static void lied_to(struct trace *t)
{
    struct trace_pair pair = new_hall(t, 2);
    struct puppet p;
    struct hs_buf key = {0}, state = {0}, body = {0};
    struct hs_stream customers = {pair.hub->store.current, 3201, HS_LANE_PEOPLE};
    t->is_quiet = true;
    world_stop(pair.hub);
    t->is_quiet = false;
    trace_puppet_called(&p, pair.hub, pair.hall);
    trace_say_hello(t, &p);
    trace_run(t, 30);
    trace_tell(t, "A hub shows the head of customer 1, and then a record that names operation 2 as its source.");
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_OPENING, &puppet_opening(&p, customers.origin)->base);
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_FILL_HEADS,
              &puppet_fill_heads(&p, 3201, HS_LANE_PEOPLE, puppet_signed_head(&p, &customers, 1))->base);
    trace_run(t, 30);
    world_record_of(&customers, 2, HS_BYTES("a lie", 5), &key, &state);
    hs_buf_put_sized(&body, hs_buf_bytes(&key));
    hs_buf_put_sized(&body, hs_buf_bytes(&state));
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_STATES,
              &puppet_states(&p, 3201, HS_LANE_PEOPLE, hs_buf_bytes(&body))->base);
    trace_run(t, 30);
    hs_buf_fini(&key);
    hs_buf_fini(&state);
    hs_buf_fini(&body);
    puppet_fini(&p);
}

static void not_a_hub(struct trace *t)
{
    struct trace_pair pair = new_hall(t, 2);
    struct puppet p;
    Hallsync__PeerFill fill = HALLSYNC__PEER_FILL__INIT;
    t->is_quiet = true;
    world_stop(pair.hub);
    t->is_quiet = false;
    trace_puppet_called(&p, pair.hub, pair.hall);
    trace_say_hello(t, &p);
    trace_run(t, 30);
    trace_tell(
        t, "The hub has no time now; when gulou asks again, after a second, it has.  And it asks gulou for states.");
    Hallsync__PeerFillHeads *busy = puppet_fill_heads(&p, 3201, HS_LANE_PEOPLE, NULL);
    busy->error = (char *)"busy";
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_FILL_HEADS, &busy->base);
    fill.partition = 3201;
    fill.lane = HS_LANE_BULK;
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_FILL, &fill.base);
    trace_run(t, 1500);
    puppet_fini(&p);
}

const struct trace_scenario TRACE_STATE[] = {
    {"state-transfer",
     "A new hall takes records, and money as operations.",
     {"All states that follow MUST reflect the operations up to these heads.",
      "Money is filled with its operations: of it only the heads are asked for, and it is filled when they are "
      "reached.",
      "When the last record is stored, streams whose head here is lower than the noted one *jump* to it:"},
     filled},
    {"state-resumed",
     "A filling that is cut goes on where it was.",
     {"So a filling that is cut goes on behind that key, in any session, with any hub."},
     resumed},
    {"state-updated",
     "What records hold beyond the list is told before they go.",
     {"Where a snapshot holds operations beyond the heads told so far, the hub MUST tell the new heads first, in a "
      "`PeerFillHeads` with `update`, and so also, once behind the list, the highest number on any branch of forked "
      "streams."},
     updated},
    {"state-pruned",
     "Who was away longer than the log takes records.",
     {"A node that cannot send what a peer lacks of a stream, because it is not in its log any more, sends "
      "`PeerPruned` "
      "with the head that it holds, once for a (partition, lane) that the common view shows in full, and sends nothing "
      "of that stream until the peer is filled."},
     pruned},
    {"state-beyond",
     "A record names what its writer has not signed.",
     {"records of kinds of lane money are left out. The receiver ends the session",
      "if a record names as applied, or as the source of a value or variant, an operation (origin, n) where n is above "
      "the head of that stream that this session has told and above what the receiver itself holds;"},
     lied_to},
    {"state-refused",
     "Who cannot supply says why, and is asked again.",
     {"the asker turns to the next one, and when it has asked all, waits."},
     not_a_hub},
    {0},
};
