/* Section 8.16: stores that are gone. */
#include "tests/sim/trace/trace.h"

static const hs_partition GULOU[] = {3201};

/* Three payments of gulou's, of which the hub's disk holds one again. */
static void the_hub_is_set_back(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub"), *gulou = world_hall(t->w, "gulou", GULOU, 1);
    struct world_store copy;
    world_start(hub);
    world_start(gulou);
    t->hides_arrivals = true;
    t->hidden |= TRACE_TYPE(FRONTIER) | TRACE_TYPE(HEARTBEAT);
    t->is_quiet = true;
    world_call(gulou, hub);
    trace_run(t, 100);
    struct hs_stream stream = trace_write(gulou, 3201, HS_LANE_MONEY, 1);
    trace_run(t, 100);
    world_store_copy(&hub->store, &copy);
    trace_write(gulou, 3201, HS_LANE_MONEY, 2);
    trace_run(t, 100);
    world_stop(hub);
    trace_run(t, 100);
    world_store_fini(&hub->store);
    hub->store = copy;
    world_start(hub);
    trace_zero(t);
    trace_tell(t, "The hub's disk was put back to when it had one payment of three.  It cannot know; gulou does.");
    world_call(gulou, hub);
    trace_run(t, 100);
    trace_holds(t, hub, &stream);
    world_stop(hub);
    trace_run(t, 100);
    world_renew(hub);
    world_start(hub);
    trace_zero(t);
    trace_tell(
        t, "It goes on as another store. Its receipts of before are worth nothing now, so gulou asks for new ones.");
    world_call(gulou, hub);
    trace_run(t, 100);
}

const struct trace_scenario TRACE_STORES[] = {
    {"stores-set-back",
     "A hub that was set back is shown its own receipts",
     {"sends S those receipts of the stream that S's own key has signed for more than S holds.",
      "A node that meets another store than before asks so, one question at a time, for all streams that it holds;"},
     the_hub_is_set_back},
    {0},
};
