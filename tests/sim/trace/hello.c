/* Sections 8.1 and 8.2: the course of a session, and its greeting. */
#include "tests/sim/trace/trace.h"

static const hs_partition GULOU[] = {3201};

/* ---- course ---- */

static void the_course(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub"), *gulou = world_hall(t->w, "gulou", GULOU, 1);
    t->hidden = 0;
    t->hides_arrivals = true;
    world_start(hub);
    world_start(gulou);
    trace_write(hub, HS_PARTITION_REGION, HS_LANE_BULK, 1);
    trace_write(gulou, 3201, HS_LANE_MONEY, 2);
    trace_tell(t, "Gulou dials the hub.");
    world_call(gulou, hub);
    trace_run(t, 900);
    trace_tell(t, "A second later both have compared their records; and every two seconds they show that they live.");
    trace_run(t, 1200);
    trace_tell(t, "A payment, at any time, and the question whether all is there.");
    trace_write(gulou, 3201, HS_LANE_MONEY, 1);
    world_probe(gulou, 1);
    trace_run(t, 100);
}

static void greet(struct trace *t, struct puppet *p, struct world_node *self, struct world_node *hub)
{
    trace_puppet_calls(p, self, hub);
    t->is_quiet = true;
    trace_say_hello(t, p);
    trace_run(t, 100);
    trace_zero(t);
}

static void out_of_place(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub"), *mallory = world_hall(t->w, "mallory", GULOU, 1);
    Hallsync__PeerFrontier nothing = HALLSYNC__PEER_FRONTIER__INIT;
    struct puppet p;
    world_start(hub);
    trace_tell(t, "Something else before Hello:");
    trace_puppet_calls(&p, mallory, hub);
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_FRONTIER, &nothing.base);
    t->hidden |= TRACE_TYPE(HELLO);
    trace_run(t, 100);
    puppet_fini(&p);
    t->hidden &= ~TRACE_TYPE(HELLO);
    trace_tell(t, "A Hello in a live session:");
    greet(t, &p, mallory, hub);
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_HELLO, &puppet_hello(&p)->base);
    trace_run(t, 100);
    puppet_fini(&p);
    trace_tell(t, "A message that there is not; and one that may only come before a session:");
    greet(t, &p, mallory, hub);
    trace_say(t, &p, 99, &nothing.base);
    trace_run(t, 100);
    puppet_fini(&p);
    greet(t, &p, mallory, hub);
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_JOIN, &nothing.base);
    trace_run(t, 100);
    puppet_fini(&p);
}

static void nothing_is_remembered(struct trace *t)
{
    struct trace_pair pair = trace_pair(t);
    t->hidden &= ~TRACE_GREETING;
    trace_tell(t, "The line breaks while a payment is on its way.");
    struct hs_stream stream = trace_write(pair.hall, 3201, HS_LANE_MONEY, 1);
    trace_run(t, 5);
    trace_cut(t, pair.link);
    trace_run(t, 5);
    trace_tell(t, "A new session: gulou names what it holds, the hub says where it is, and it goes on from there.");
    pair.link = world_call(pair.hall, pair.hub);
    trace_run(t, 48);
    trace_cut(t, pair.link);
    trace_tell(t, "It broke again, and this time the hub's answer was lost: the payment is there.");
    trace_holds(t, pair.hub, &stream);
    trace_run(t, 12);
    trace_tell(t, "Nothing is sent twice; the receipt comes now.");
    world_call(pair.hall, pair.hub);
    trace_run(t, 100);
}

static void refused_by_the_other(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub"), *gulou = world_hall(t->w, "gulou", GULOU, 1);
    struct puppet p;
    world_start(gulou);
    trace_puppet_called(&p, hub, gulou);
    trace_run(t, 10);
    Hallsync__PeerRefuse refuse = HALLSYNC__PEER_REFUSE__INIT;
    refuse.error = (char *)"refused";
    refuse.text = (char *)"closed for today";
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_REFUSE, &refuse.base);
    trace_run(t, 100);
    puppet_fini(&p);
}

/* ---- greeting ---- */

static void no_common_version(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub"), *mallory = world_hall(t->w, "newer", GULOU, 1);
    struct puppet p;
    world_start(hub);
    trace_puppet_calls(&p, mallory, hub);
    Hallsync__PeerHello *hello = puppet_hello(&p);
    hello->version_min = 2;
    hello->version_max = 3;
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_HELLO, &hello->base);
    trace_run(t, 100);
    puppet_fini(&p);
}

static void with_faults(struct trace *t, struct world_node *self, struct world_node *hub, unsigned faults)
{
    struct puppet p;
    trace_puppet_calls(&p, self, hub);
    Hallsync__PeerHello *hello = puppet_hello(&p);
    if (faults >= 4)
        hello->version_min = hello->version_max = 2;
    if (faults >= 3)
        hello->credit = HS_CREDIT_BYTES_MIN - 1;
    if (faults >= 2)
        hello->certificate->node->signature.data[5] ^= 1;
    if (faults >= 1)
        p.link->key.bytes[0] ^= 1;
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_HELLO, &hello->base);
    trace_run(t, 100);
    puppet_fini(&p);
}

static void in_this_order(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub"), *mallory = world_hall(t->w, "mallory", GULOU, 1);
    world_start(hub);
    t->shows_sizes = true;
    t->hides_arrivals = true;
    trace_tell(t, "Another version, too little credit, a forged certificate, another connection's key:");
    with_faults(t, mallory, hub, 4);
    trace_tell(t, "The same without the first fault, without the second, without the third:");
    with_faults(t, mallory, hub, 3);
    with_faults(t, mallory, hub, 2);
    with_faults(t, mallory, hub, 1);
}

static void its_own_key(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub");
    world_start(hub);
    trace_tell(t, "An address list is wrong, and a hub has dialled itself.");
    world_call(hub, hub);
    trace_run(t, 100);
}

static void not_a_hub(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub"), *gulou = world_hall(t->w, "gulou", GULOU, 1);
    struct world_node *xuanwu = world_hall(t->w, "xuanwu", GULOU, 1);
    world_start(hub);
    world_start(gulou);
    world_start(xuanwu);
    t->hides_arrivals = true;
    trace_tell(t, "A hall dials a hall:");
    world_call(gulou, xuanwu);
    trace_run(t, 100);
    trace_tell(t, "A hub dials a hall:");
    world_call(hub, gulou);
    trace_run(t, 100);
}

static void heads_in_hello(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub"), *gulou = world_hall(t->w, "gulou", GULOU, 1);
    world_start(hub);
    world_start(gulou);
    t->is_quiet = true;
    trace_write(hub, 3201, HS_LANE_BULK, 1);
    trace_write(gulou, 3201, HS_LANE_MONEY, 2);
    struct world_link *link = world_call(gulou, hub);
    trace_run(t, 100);
    world_cut(link);
    trace_write(gulou, 3201, HS_LANE_MONEY, 1);
    trace_write(gulou, 3201, HS_LANE_WORK, 1);
    trace_zero(t);
    t->hides_arrivals = true;
    trace_tell(t, "The hub has payments 1 and 2 of gulou.  Since then gulou wrote a third one and a ticket.");
    world_call(gulou, hub);
    trace_run(t, 20);
    trace_tell(t, "That was one round trip, and gulou sends; the hub named no streams of its own in Hello.");
    trace_run(t, 100);
}

static void a_listener_names_heads(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub"), *gulou = world_hall(t->w, "gulou", GULOU, 1);
    struct puppet p;
    t->is_quiet = true;
    struct hs_stream stream = trace_write(hub, 3202, HS_LANE_BULK, 1);
    trace_zero(t);
    world_start(gulou);
    trace_puppet_called(&p, hub, gulou);
    trace_run(t, 10);
    Hallsync__PeerHello *hello = puppet_hello(&p);
    Hallsync__StreamHead *head = puppet_head(&p, &stream, 1, world_store_find(&hub->store, &stream)->ops[0].hash.bytes);
    hello->n_heads = 1;
    hello->heads = &head;
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_HELLO, &hello->base);
    trace_run(t, 100);
    puppet_fini(&p);
}

static void a_clone(struct trace *t)
{
    struct trace_pair pair = trace_pair(t);
    struct world_node *twin = world_hall(t->w, "gulou", GULOU, 1); /* the same name, so the same keys */
    t->hidden |= TRACE_TYPE(FRONTIER);
    t->hides_arrivals = true;
    twin->processes = 100;
    world_start(twin);
    trace_tell(t, "Somebody starts a copy of gulou's machine.");
    world_call(twin, pair.hub);
    trace_run(t, 100);
    trace_tell(t, "Both may write, each under an origin of its own; nothing is lost and nothing counts twice.");
    trace_write(pair.hall, 3201, HS_LANE_MONEY, 1);
    trace_write(twin, 3201, HS_LANE_MONEY, 1);
    trace_run(t, 100);
}

static void the_same_process(struct trace *t)
{
    struct trace_pair pair = trace_pair(t);
    t->hidden |= TRACE_TYPE(FRONTIER);
    t->hides_arrivals = true;
    trace_tell(t, "Gulou gave up its connection and dials anew; the hub does not know yet that the old one is gone.");
    world_call(pair.hall, pair.hub);
    trace_run(t, 100);
}

static void twins(struct trace *t)
{
    struct world_node *east = world_hub(t->w, "east"), *west = world_hub(t->w, "west");
    world_start(east);
    world_start(west);
    t->hidden |= TRACE_TYPE(FRONTIER);
    t->hides_arrivals = true;
    trace_tell(t, "East's node key is the lower one.");
    world_call(west, east);
    trace_run(t, 50);
    world_call(east, west);
    trace_run(t, 100);
}

static void without_districts(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub"), *mallory = world_hub(t->w, "mallory");
    struct puppet p;
    world_start(hub);
    for (unsigned fault = 0; fault < 2; fault++) {
        uint32_t backwards[] = {3202, 3201};
        trace_puppet_calls(&p, mallory, hub);
        Hallsync__PeerHello *hello = puppet_hello(&p);
        hello->everything = false;
        hello->districts = backwards;
        hello->n_districts = fault * 2;
        trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_HELLO, &hello->base);
        trace_run(t, 100);
        puppet_fini(&p);
    }
}

static void strangers(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub"), *gulou = world_hall(t->w, "gulou", GULOU, 1);
    struct world_node *stranger = world_hall(t->w, "stranger", GULOU, 1);
    world_start(hub);
    world_start(gulou);
    t->is_quiet = true;
    for (unsigned i = 0; i < 32; i++) {
        world_dial(stranger, hub);
        trace_run(t, 10);
    }
    trace_zero(t);
    trace_tell(t, "32 connections stand that have not said who they are.  One more comes, and then gulou.");
    world_dial(stranger, hub);
    trace_run(t, 20);
    t->hidden |= TRACE_TYPE(FRONTIER);
    world_call(gulou, hub);
    trace_run(t, 30);
}

/* ---- */

const struct trace_scenario TRACE_HELLO[] = {
    {"session",
     "A session from its beginning: who are you, what do you hold, here is what you lack, are we equal.",
     {"hello = C:HELLO S:HELLO",
      "C sends its Hello as its first frame; S answers with its own when the first frame has come, whatever that says. "
      "Both MUST send:",
      "Then both send their frontier, but with a witness (8.13)."},
     the_course},
    {"session-out-of-place",
     "Who says something out of place is not answered.",
     {"While it is greeted only `PeerHello` and `PeerRefuse` may come; while it is live anything but `PeerHello`.",
      "A receiver MUST end the session, without an answer, at a message out of place, of a type that it does not know, "
      "or that breaks a rule of this section whose breach has no other consequence named; it SHOULD tell its operator "
      "why.",
      "A new message type does, or a number in `features` of both sides, for an unknown type ends the session."},
     out_of_place},
    {"session-resumed",
     "After a break both begin with what they hold.",
     {"Ending a session means closing the connection; whatever was not stored is sent again in the next one. Nothing "
      "about a peer is remembered from one session to the next."},
     nothing_is_remembered},
    {"session-refused",
     "Who is refused hears why.",
     {"`PeerRefuse` says why a node will not have the session:", "Its sender closes the connection behind it; its "
                                                                 "receiver closes too,"},
     refused_by_the_other},
    {"hello-version",
     "Two nodes without a common version part, and say so.",
     {"*version*, if the ranges do not overlap (the highest common version is spoken);"},
     no_common_version},
    {"hello-checks",
     "Of several faults the first in order is named.",
     {"The receiver checks in this order and refuses with:", "*bad-certificate* or *other-region*, by section 5.1;",
      "*malformed*, if a limit is broken or S names heads;",
      "| credit of a session | at least 131,072 bytes | session ends |"},
     in_this_order},
    {"hello-own-key",
     "Nobody talks to himself.",
     {"*refused*, if the node key is its own (a hub that is its own upstream),"},
     its_own_key},
    {"hello-not-a-hub",
     "Halls dial hubs and witnesses; nobody dials a hall.",
     {"*not-a-hub*, if C may not dial S: halls and hubs dial hubs, halls dial witnesses, witnesses dial hubs, and "
      "nothing else;"},
     not_a_hub},
    {"hello-heads",
     "What was written before the session flows after one round trip.",
     {"C SHOULD name in `heads` its streams of its current origin, so that what was written there flows at once,",
      "S MUST NOT name any, for it does not know yet what the other may see.",
      "Each head of Hello is taken as in 8.4. S answers those of streams that it may take with one announcement (8.4), "
      "and sends the receipts that it has of these streams (8.9)."},
     heads_in_hello},
    {"hello-listener-heads",
     "A listener that names streams in its Hello is refused.",
     {"S MUST NOT name any"},
     a_listener_names_heads},
    {"hello-clone",
     "Two processes under one key are found.",
     {"With another `process_id` both stand: two processes run under one key, and the operator MUST be told."},
     a_clone},
    {"hello-same-process",
     "A process that connects anew has one session.",
     {"A second session of the same node key with the same `process_id` ends the first if both were dialled from the "
      "same end."},
     the_same_process},
    {"hello-twins",
     "Of two hubs that dial each other one connection stays.",
     {"Of two that were dialled from opposite ends the one that the lower node key has dialled stays, and the other "
      "one ends, unless nothing has come over the first for more than one and a half times the interval of "
      "heartbeats."},
     twins},
    {"hello-districts",
     "A greeting names what its sender holds.",
     {"its scope: `everything`, or its `districts`, ascending, at least one (of a hall and a witness those of its "
      "certificate count at most; fewer narrow it);",
      "*malformed*, if it names neither `everything` nor districts;"},
     without_districts},
    {"hello-strangers",
     "Strangers get few places, and cannot keep out who shows a certificate.",
     {"it MUST limit connections whose key has not shown a certificate yet."},
     strangers},
    {0},
};
