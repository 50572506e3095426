/* Sections 5.4 and 8.3: who may have what. */
#include "tests/sim/trace/trace.h"

static const hs_partition GULOU[] = {3201};
static const hs_partition BOTH[] = {3201, 3202};

static void a_hall_gets_its_districts(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub"), *gulou = world_hall(t->w, "gulou", GULOU, 1);
    world_start(hub);
    world_start(gulou);
    trace_write(hub, 3201, HS_LANE_BULK, 1);
    trace_write(hub, 3202, HS_LANE_BULK, 1);
    trace_write(hub, HS_PARTITION_REGION, HS_LANE_BULK, 1);
    t->hides_arrivals = true;
    t->hidden = TRACE_TYPE(ACK) | TRACE_TYPE(HEARTBEAT);
    trace_tell(t, "Neither the lists of the frontier nor the digests name district 3202 to gulou.");
    world_call(gulou, hub);
    trace_run(t, 1100);
    trace_tell(t, "Nor does what is written later.");
    trace_write(hub, 3202, HS_LANE_BULK, 1);
    trace_write(hub, 3201, HS_LANE_BULK, 1);
    trace_run(t, 50);
}

static void a_hall_writes_for_any_district(struct trace *t)
{
    struct trace_pair pair = trace_pair(t);
    t->hides_arrivals = true;
    trace_tell(t, "A customer of district 3209 pays at gulou.");
    struct hs_stream stream = trace_write(pair.hall, 3209, HS_LANE_MONEY, 1);
    trace_run(t, 50);
    trace_tell(t, "The line breaks, and he pays once more.");
    trace_cut(t, pair.link);
    trace_write(pair.hall, 3209, HS_LANE_MONEY, 1);
    world_call(pair.hall, pair.hub);
    trace_run(t, 100);
    trace_tell(t, "Of district 3209 the hub shows gulou what gulou wrote there, and nothing else.");
    trace_write(pair.hub, 3209, HS_LANE_BULK, 1);
    trace_run(t, 50);
    trace_holds(t, pair.hub, &stream);
}

/* The hall's earlier life wrote for another district while the line was down. */
static void it_hands_in_what_earlier_lives_wrote(struct trace *t)
{
    struct trace_pair pair = trace_pair(t);
    t->is_quiet = true;
    trace_write(pair.hall, 3209, HS_LANE_MONEY, 2);
    trace_run(t, 100);
    world_cut(pair.link);
    trace_write(pair.hall, 3209, HS_LANE_MONEY, 1);
    trace_write(pair.hub, 3209, HS_LANE_BULK, 1);
    pair.hall->store.current = 0;
    trace_write(pair.hall, 3201, HS_LANE_MONEY, 1);
    trace_zero(t);
    t->hides_arrivals = true;
    trace_tell(
        t, "The hub has 2 of the 3 payments that gulou took for district 3209.  Gulou has begun a new origin since, "
           "so its Hello does not name them.");
    world_call(pair.hall, pair.hub);
    trace_run(t, 150);
}

static void a_narrower_greeting(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub"), *gulou = world_hall(t->w, "gulou", BOTH, 2);
    struct puppet p;
    t->is_quiet = true;
    trace_write(hub, 3201, HS_LANE_BULK, 1);
    trace_write(hub, 3202, HS_LANE_BULK, 1);
    trace_write(hub, 3203, HS_LANE_BULK, 1);
    trace_zero(t);
    world_start(hub);
    trace_tell(t, "Gulou's certificate names 3201 and 3202; today it asks for 3201 only.");
    trace_puppet_calls(&p, gulou, hub);
    Hallsync__PeerHello *hello = puppet_hello(&p);
    hello->n_districts = 1;
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_HELLO, &hello->base);
    trace_run(t, 100);
    puppet_fini(&p);
    trace_tell(t, "It asks for everything, as a hub would: it gets no more than its certificate names.");
    trace_puppet_calls(&p, gulou, hub);
    hello = puppet_hello(&p);
    hello->everything = true;
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_HELLO, &hello->base);
    trace_run(t, 100);
    puppet_fini(&p);
}

/* A hub that is a puppet, called by gulou and greeted. */
static struct world_node *puppet_hub(struct trace *t, struct puppet *p, struct world_node *hub)
{
    struct world_node *gulou = world_hall(t->w, "gulou", GULOU, 1);
    world_start(gulou);
    trace_puppet_called(p, hub, gulou);
    trace_run(t, 20);
    trace_say_hello(t, p);
    trace_run(t, 50);
    trace_zero(t);
    return gulou;
}

static void segments_outside(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub");
    struct puppet p;
    t->is_quiet = true;
    struct hs_stream inside = trace_write(hub, 3201, HS_LANE_BULK, 1);
    struct hs_stream outside = trace_write(hub, 3202, HS_LANE_BULK, 1);
    struct world_node *gulou = puppet_hub(t, &p, hub);
    trace_tell(t, "A hub gone wrong sends gulou what is not its business.");
    trace_say_segment(t, &p, &inside, 1, 1);
    trace_run(t, 20);
    trace_say_segment(t, &p, &outside, 1, 1);
    trace_run(t, 50);
    trace_holds(t, gulou, &inside);
    trace_holds(t, gulou, &outside);
    puppet_fini(&p);
}

static void questions_outside(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub"), *gulou = world_hall(t->w, "gulou", GULOU, 1);
    struct puppet p;
    t->is_quiet = true;
    trace_write(hub, 3202, HS_LANE_BULK, 1);
    world_start(hub);
    trace_puppet_calls(&p, gulou, hub);
    trace_say_hello(t, &p);
    trace_run(t, 20);
    trace_zero(t);
    t->hidden = 0;
    trace_tell(t, "Gulou asks for all digests, then for those of a district that is none of its own.");
    Hallsync__PeerCompare question = HALLSYNC__PEER_COMPARE__INIT;
    question.id = 1;
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_COMPARE, &question.base);
    trace_run(t, 20);
    question.id = 2;
    question.level = 1;
    question.has_partition = question.has_kind = true;
    question.partition = 3202;
    question.kind = 1;
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_COMPARE, &question.base);
    trace_run(t, 50);
    puppet_fini(&p);
}

static void heads_outside(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub"), *gulou = world_hall(t->w, "gulou", GULOU, 1);
    struct puppet p;
    t->is_quiet = true;
    struct hs_stream inside = trace_write(hub, 3201, HS_LANE_WORK, 1);
    struct hs_stream outside = trace_write(hub, 3202, HS_LANE_WORK, 1);
    world_start(hub);
    trace_puppet_calls(&p, gulou, hub);
    trace_say_hello(t, &p);
    trace_run(t, 20);
    trace_zero(t);
    trace_tell(t, "Gulou says that it holds nothing of two streams: one is of its district, one is not.");
    trace_say_head(t, &p, &outside, 0, hub);
    trace_say_head(t, &p, &inside, 0, hub);
    trace_run(t, 50);
    puppet_fini(&p);
}

static void a_later_certificate(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub"), *gulou = world_hall(t->w, "gulou", BOTH, 2);
    struct hs_buf later = {0};
    t->is_quiet = true;
    world_start(hub);
    world_start(gulou);
    trace_write(hub, 3201, HS_LANE_BULK, 1);
    trace_write(hub, 3202, HS_LANE_BULK, 1);
    world_certify(gulou, GULOU, 1, &later);
    world_call(gulou, hub);
    trace_run(t, 1000);
    trace_zero(t);
    t->hides_arrivals = true;
    trace_tell(t, "District 3202 is taken from gulou, and the hub hears of it: the session ends with a heartbeat.");
    world_store_put_certificate(&hub->store, &gulou->certificate.node_key, hs_buf_bytes(&later));
    hs_buf_fini(&later);
    trace_run(t, 1500);
    trace_tell(t, "Gulou has dialled before it goes by the new one.");
    world_call(gulou, hub);
    trace_run(t, 100);
}

static void two_tiers(struct trace *t)
{
    struct world_node *province = world_hub(t->w, "province"), *city = world_hub(t->w, "city");
    struct world_node *gulou = world_hall(t->w, "gulou", GULOU, 1);
    world_narrow(city, GULOU, 1);
    world_start(province);
    world_start(city);
    world_start(gulou);
    t->is_quiet = true;
    trace_write(gulou, 3209, HS_LANE_MONEY, 1);
    trace_write(province, 3201, HS_LANE_BULK, 1);
    trace_write(province, 3209, HS_LANE_BULK, 1);
    world_call(gulou, city);
    trace_run(t, 200);
    trace_zero(t);
    t->hides_arrivals = true;
    trace_tell(t, "The city hub holds district 3201, and a payment that its hall gulou took for district 3209.");
    world_call(city, province);
    trace_run(t, 150);
    trace_tell(t, "What the province writes for 3201 goes down, and what it writes for 3209 does not.");
    trace_write(province, 3201, HS_LANE_BULK, 1);
    trace_write(province, 3209, HS_LANE_BULK, 1);
    trace_run(t, 100);
}

static void outside_the_upper(struct trace *t)
{
    struct world_node *province = world_hub(t->w, "province"), *city = world_hub(t->w, "city");
    struct world_node *gulou = world_hall(t->w, "gulou", BOTH, 2);
    world_narrow(city, GULOU, 1);
    world_start(province);
    world_start(city);
    world_start(gulou);
    t->hides_arrivals = true;
    trace_tell(t, "Gulou has two districts, the city hub one of them.");
    world_call(gulou, city);
    trace_run(t, 100);
    trace_tell(t, "The province dials the city.");
    world_call(province, city);
    trace_run(t, 100);
}

static void beside(struct trace *t)
{
    struct world_node *province = world_hub(t->w, "province"), *city = world_hub(t->w, "city");
    struct world_node *other = world_hub(t->w, "other");
    world_narrow(city, GULOU, 1);
    world_narrow(other, BOTH, 2);
    world_start(province);
    world_start(city);
    world_start(other);
    t->is_quiet = true;
    world_call(city, province);
    trace_run(t, 100);
    trace_zero(t);
    t->hides_arrivals = true;
    world_call(other, province);
    trace_run(t, 100);
}

const struct trace_scenario TRACE_SCOPE[] = {
    {"scope-districts",
     "A hall hears of its own districts and of the region.",
     {"A node MUST NOT send a peer operations, heads, digests or record keys that section 8.3 does not let the peer "
      "have."},
     a_hall_gets_its_districts},
    {"scope-hand-in",
     "A hall may write for any district.",
     {"A hall may write for any district: whatever it wrote goes up to the hubs that hold its home.",
      "Only streams of which something is held are listed, only nodes that have such streams, only partitions that "
      "have "
      "such nodes, and of all these only what the common view shows.",
      "The *common view* of a session is what both compare: the partitions of C's scope and 65535 in full; and in all "
      "other partitions, if C is a hall, only the streams of C itself;",
      "but a hub sends a hall only operations of partitions that the view shows in full."},
     a_hall_writes_for_any_district},
    {"scope-own-elsewhere",
     "A hall learns what the hub lacks of its own.",
     {"A hall thus learns what the hub holds of its own streams of other districts, and hands in the rest."},
     it_hands_in_what_earlier_lives_wrote},
    {"scope-narrower",
     "A Hello may narrow what the certificate allows, and not widen it.",
     {"(of a hall and a witness those of its certificate count at most; fewer narrow it);",
      "A node *may send* what the common view shows;"},
     a_narrower_greeting},
    {"scope-segment",
     "Nobody takes what he may not have.",
     {"A node *may take* what the peer may send it; what a hall takes is of its own scope too.",
      "A segment or loose piece that the receiver may not take,"},
     segments_outside},
    {"scope-question",
     "Nobody is told digests of what he may not have.",
     {"a question about digests of a partition that the common view does not show in full, end the session "
      "(*scope*)."},
     questions_outside},
    {"scope-heads",
     "A stream outside the scope may be named; nothing comes of it.",
     {"Heads may name streams outside it; they are not answered."},
     heads_outside},
    {"scope-later",
     "Who shows an older certificate gets the later one.",
     {"or if the receiver knows a certificate of the peer's node key that was issued later and names other districts;",
      "`PeerRefuse` for an older certificate carries the later one in `certificate`; and when such a certificate comes "
      "while the session is live, the session MUST be ended in the same way."},
     a_later_certificate},
    {"scope-tiers",
     "Between two tiers the view is what the lower hub and its halls need.",
     {"if C is a hub, those of C and of every node whose home lies in C's scope, and those of S if both scopes are the "
      "same.",
      "then it is a hub of a lower tier, whose upstream is a hub with a larger scope."},
     two_tiers},
    {"scope-refused",
     "A hub that does not hold what is handed in refuses.",
     {"S MUST refuse C (*scope*, with a text that names both and the districts) in these cases; C refuses S alike, but "
      "for the last one, which only S sees:",
      "C is a hall, S a hub, and S's scope lacks C's home or a district of C's scope;",
      "both are hubs, and S's scope lacks a district of C's: so a larger hub, or one of another part, is nobody's "
      "downstream;"},
     outside_the_upper},
    {"scope-beside",
     "Two hubs below one share all of their districts or none.",
     {"both are hubs, and S has a live session with another hub below it (whose scope is smaller than its own) that "
      "shares a district with C without having the same scope."},
     beside},
    {0},
};
