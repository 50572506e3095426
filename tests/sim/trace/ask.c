/* Section 8.15: questions about records of other districts. */
#include "tests/sim/trace/trace.h"

#include <string.h>

static const hs_partition GULOU[] = {3201};

/* Kinds 3 and 5 of docs/records.md; the replica knows neither. */
#define PAYMENT  3
#define REVERSAL 5

/* ---- what hubs have ---- */

static enum hs_err visit_one(uint16_t kind, const char *id, hs_visit_asked visit, void *ctx)
{
    struct hs_asked asked = {.beside = kind != PAYMENT};
    asked.stored.name = (struct hs_record_name){3209, HS_LANE_MONEY, kind, HS_BYTES(id, strlen(id))};
    asked.stored.state = HS_BYTES("its state", 9);
    return visit(ctx, &asked);
}

static enum hs_err has_payment(struct world_node *node, const struct hs_ask *ask, hs_visit_asked visit, void *ctx)
{
    (void)node;
    (void)ask;
    enum hs_err err = visit_one(PAYMENT, "p-17", visit, ctx);
    return err == HS_OK ? visit_one(REVERSAL, "r-4", visit, ctx) : err;
}

static enum hs_err has_no_such_district(struct world_node *node, const struct hs_ask *ask, hs_visit_asked visit,
                                        void *ctx)
{
    (void)node;
    (void)ask;
    (void)visit;
    (void)ctx;
    return HS_ENOTHERE;
}

static void nobody_listens(struct world_node *node, const struct hs_replica_update *update)
{
    (void)node;
    (void)update;
}

static void ask_for(struct world_node *hall, uint64_t token)
{
    struct hs_ask ask = {.kind = PAYMENT, .key = HS_BYTES("p-17", 4)};
    hall->answered = nobody_listens;
    world_ask(hall, token, &ask);
}

/* ---- scenarios ---- */

static void asked(struct trace *t)
{
    struct trace_pair pair = trace_pair(t);
    pair.hub->ask = has_payment;
    trace_tell(t, "A clerk at gulou wants to see payment p-17, which was taken for district 3209.");
    ask_for(pair.hall, 1);
    trace_run(t, 50);
}

static void passed_on(struct trace *t)
{
    struct world_node *province = world_hub(t->w, "province"), *city = world_hub(t->w, "city");
    struct world_node *gulou = world_hall(t->w, "gulou", GULOU, 1);
    world_narrow(city, GULOU, 1);
    city->ask = has_no_such_district;
    province->ask = has_payment;
    world_start(province);
    world_start(city);
    world_start(gulou);
    t->is_quiet = true;
    struct world_link *up = world_call(city, province);
    world_call(gulou, city);
    trace_run(t, 200);
    trace_zero(t);
    t->hides_arrivals = true;
    trace_tell(t, "The city hub, which gulou asks, holds district 3201 only.");
    ask_for(gulou, 1);
    trace_run(t, 100);
    trace_tell(t, "Its line to the province breaks while another question is under way.");
    ask_for(gulou, 2);
    trace_run(t, 15);
    trace_cut(t, up);
    trace_run(t, 50);
}

static void not_answered(struct trace *t)
{
    struct trace_pair pair = trace_pair(t);
    struct puppet p;
    t->is_quiet = true;
    world_stop(pair.hub);
    t->is_quiet = false;
    t->hides_arrivals = true;
    t->hidden |= TRACE_GREETING | TRACE_TYPE(ACK);
    trace_puppet_called(&p, pair.hub, pair.hall);
    trace_say_hello(t, &p);
    trace_run(t, 30);
    trace_tell(t, "The hub takes the question, sends its heartbeats, and does not answer for five seconds.");
    ask_for(pair.hall, 1);
    Hallsync__PeerHeartbeat beat = HALLSYNC__PEER_HEARTBEAT__INIT;
    for (unsigned i = 0; i < 3; i++) {
        trace_run(t, 2000);
        trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_HEARTBEAT, &beat.base);
    }
    trace_tell(t, "Then it does, and nobody wants to know; and once more, which is an answer to nothing.");
    Hallsync__PeerAnswer answer = HALLSYNC__PEER_ANSWER__INIT;
    answer.id = 1;
    answer.last = true;
    answer.node = (char *)(uintptr_t) "hub";
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_ANSWER, &answer.base);
    trace_run(t, 30);
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_ANSWER, &answer.base);
    trace_run(t, 30);
    puppet_fini(&p);
}

static void asked_of_a_hall(struct trace *t)
{
    struct trace_pair pair = trace_pair(t);
    struct puppet p;
    t->is_quiet = true;
    world_stop(pair.hub);
    t->is_quiet = false;
    t->hides_arrivals = true;
    t->hidden |= TRACE_GREETING | TRACE_TYPE(ACK);
    trace_puppet_called(&p, pair.hub, pair.hall);
    trace_say_hello(t, &p);
    trace_run(t, 30);
    trace_tell(t, "A hub asks a hall.");
    Hallsync__PeerAsk ask = HALLSYNC__PEER_ASK__INIT;
    ask.id = 1;
    ask.kind = PAYMENT;
    ask.key = puppet_data("p-17", 4);
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_ASK, &ask.base);
    trace_run(t, 30);
    puppet_fini(&p);
}

const struct trace_scenario TRACE_ASK[] = {
    {"question",
     "A hub answers what a hall does not hold.",
     {"A hub MUST answer every question, once, with the same `id`;"},
     asked},
    {"question-passed-on",
     "A city hub asks the province, and passes the answer back.",
     {"If the question may have more to find elsewhere, it MUST pass it on to an upstream hub, with an `id` of its "
      "own, and the answer back as it came;",
      "If there is no such hub, the answer is what is held, or *no-link*;"},
     passed_on},
    {"question-not-answered",
     "Nobody waits long, and a late answer does no harm.",
     {"An asker SHOULD wait 5 seconds at most, and drops an answer that comes later.",
      "The asker ends the session if an answer's `id` is not open,"},
     not_answered},
    {"question-to-a-hall",
     "Only hubs are asked.",
     {"a question to a node that is not a hub, or by a witness, ends the session (*scope*)."},
     asked_of_a_hall},
    {0},
};
