/* Sections 8.10 to 8.12: who lives, is all there, are we equal. */
#include "tests/sim/trace/trace.h"

static const hs_partition GULOU[] = {3201};

#define DIGESTS (TRACE_TYPE(COMPARE) | TRACE_TYPE(COMPARE_REPLY))
#define PROBES  (TRACE_TYPE(PROBE) | TRACE_TYPE(PROBE_REPLY))

/* ---- heartbeats ---- */

static void heartbeats(struct trace *t)
{
    struct trace_pair pair = trace_pair(t);
    t->hidden = DIGESTS | TRACE_TYPE(OPENING) | TRACE_TYPE(ACK);
    trace_run(t, 1000);
    trace_write(pair.hall, 3201, HS_LANE_MONEY, 1);
    trace_run(t, 1000);
    trace_tell(t, "The next one is two seconds later; it names no stream that has not grown.");
    trace_run(t, 2000);
}

static void clocks(struct trace *t)
{
    struct trace_pair pair = trace_pair(t);
    struct hs_peer_status status;
    t->hidden = DIGESTS;
    t->hides_arrivals = true;
    pair.hall->clock_offset_ms = -3600000;
    trace_tell(t, "Gulou's clock is an hour slow.");
    trace_run(t, 2000);
    assert_true(world_status(pair.hub, pair.link->peer[1], &status));
    trace_tell(
        t,
        "The hub takes gulou's clock to be %lld ms off, and the way there and back to be %llu ms.  It shows that; "
        "its own clock goes on as it was, and so does gulou's.",
        (long long)status.clock_offset_ms, (unsigned long long)status.round_trip_ms);
    trace_run(t, 2000);
}

static void silence(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub"), *gulou = world_hall(t->w, "gulou", GULOU, 1);
    struct puppet p;
    world_start(hub);
    trace_puppet_calls(&p, gulou, hub);
    t->hidden = DIGESTS;
    trace_say_hello(t, &p);
    trace_tell(t, "That was the last that the hub hears of gulou.");
    t->hides_arrivals = true;
    trace_run(t, 8000);
    puppet_fini(&p);
}

/* ---- probes ---- */

static void a_hall_asks(struct trace *t)
{
    struct trace_pair pair = trace_pair(t);
    t->hidden = DIGESTS | TRACE_TYPE(OPENING) | TRACE_TYPE(HEARTBEAT);
    trace_tell(t, "Both have just written something, and somebody at gulou wants to know when all is there.");
    trace_write(pair.hall, 3201, HS_LANE_MONEY, 1);
    trace_write(pair.hub, 3201, HS_LANE_BULK, 1);
    world_probe(pair.hall, 1);
    trace_run(t, 100);
}

static void a_hub_asks(struct trace *t)
{
    struct trace_pair pair = trace_pair(t);
    struct world_node *xuanwu = world_hall(t->w, "xuanwu", GULOU, 1);
    t->is_quiet = true;
    world_start(xuanwu);
    world_call(xuanwu, pair.hub);
    trace_run(t, 100);
    trace_zero(t);
    t->hidden = DIGESTS | TRACE_TYPE(OPENING) | TRACE_TYPE(HEARTBEAT);
    t->hides_arrivals = true;
    trace_write(pair.hall, 3201, HS_LANE_MONEY, 1);
    world_probe(pair.hub, 1);
    trace_run(t, 100);
}

static void two_questions(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub"), *gulou = world_hall(t->w, "gulou", GULOU, 1);
    Hallsync__PeerProbe probe = HALLSYNC__PEER_PROBE__INIT;
    struct puppet p;
    world_start(hub);
    t->hidden = DIGESTS | TRACE_TYPE(HEARTBEAT) | TRACE_TYPE(HELLO);
    trace_tell(t, "Gulou asks before it has said what it holds; the answer waits for that.");
    trace_puppet_calls(&p, gulou, hub);
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_HELLO, &puppet_hello(&p)->base);
    probe.id = 1;
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_PROBE, &probe.base);
    trace_run(t, 30);
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_FRONTIER, &puppet_nothing(&p)->base);
    trace_run(t, 30);
    puppet_fini(&p);
    trace_tell(t, "Anew; and this time it asks twice.");
    trace_puppet_calls(&p, gulou, hub);
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_HELLO, &puppet_hello(&p)->base);
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_PROBE, &probe.base);
    probe.id = 2;
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_PROBE, &probe.base);
    trace_run(t, 50);
    puppet_fini(&p);
}

/* ---- digests ---- */

static struct trace_pair equal_pair(struct trace *t)
{
    struct trace_pair pair = trace_pair(t);
    t->is_quiet = true;
    trace_write(pair.hub, 3201, HS_LANE_BULK, 3);
    trace_write(pair.hall, 3201, HS_LANE_MONEY, 2);
    trace_write(pair.hub, HS_PARTITION_REGION, HS_LANE_BULK, 1);
    trace_run(t, 200);
    world_cut(pair.link);
    pair.link = world_call(pair.hall, pair.hub);
    trace_run(t, 500);
    t->zero_ms = t->w->now_ms - 500;
    t->label_count = 0;
    t->is_quiet = false;
    t->hidden = TRACE_TYPE(HEARTBEAT);
    t->hides_arrivals = true;
    return pair;
}

static void equal_digests(struct trace *t)
{
    equal_pair(t);
    trace_tell(t, "A second after the session began, and about once a minute:");
    trace_run(t, 62000);
}

static void lag(struct trace *t)
{
    struct trace_pair pair = equal_pair(t);
    trace_tell(t, "The hub has written one more bill; its records have it, its replica has not heard of it yet.");
    world_write_untold(pair.hub, 3201, HS_LANE_BULK, "one more bill");
    trace_run(t, 1000);
}

static void damage(struct trace *t)
{
    struct trace_pair pair = equal_pair(t);
    const struct world_stream *rotten = NULL;
    for (size_t i = 0; i < pair.hall->store.stream_count && rotten == NULL; i++) {
        if (pair.hall->store.streams[i].name.lane == HS_LANE_MONEY)
            rotten = &pair.hall->store.streams[i];
    }
    assert_non_null(rotten);
    pair.hall->store.rotten = true;
    pair.hall->store.rot = hs_hash_of(hs_buf_bytes(&rotten->ops[1].bytes));
    trace_tell(
        t, "A record has rotted at gulou: the same operations went into it, and its content is another one.  Both "
           "find out, each by its own questions: records of equal inputs and unequal content in one leaf.  They ask "
           "once more a second later before they say so.");
    trace_run(t, 3000);
    trace_tell(t, "Nothing was sent, and nothing overwritten.");
}

static void pages(struct trace *t)
{
    struct trace_pair pair = trace_pair(t);
    t->is_quiet = true;
    pair.hub->one_leaf = pair.hall->one_leaf = true;
    struct hs_stream stream = trace_write(pair.hub, 3201, HS_LANE_WORK, 300);
    trace_run(t, 400);
    pair.hall->store.rotten = true;
    pair.hall->store.rot = hs_hash_of(hs_buf_bytes(&world_store_find(&pair.hub->store, &stream)->ops[7].bytes));
    trace_zero(t);
    t->hidden = TRACE_TYPE(HEARTBEAT);
    t->hides_arrivals = true;
    trace_tell(t, "300 records lie in one leaf, and one of them has rotted.  The hub is told to compare now.");
    world_compare(pair.hub);
    trace_run(t, 100);
}

/* ---- */

const struct trace_scenario TRACE_ALIVE[] = {
    {"heartbeat",
     "Each side shows that it lives, and what it has written since.",
     {"Each side sends a `PeerHeartbeat` at least every 2 seconds while the session is live,",
      "One without `echo_ms` is answered at once by one with `clock_ms` and `echo_ms` only, `echo_ms` being the "
      "`clock_ms` received;",
      "`heads` are the sender's streams of its current origin that have grown since its last heartbeat, as far as the "
      "peer may have them; they are taken as in 8.4.",
      "`payments_count` and `payments_fen` are figures of all that the sender holds,"},
     heartbeats},
    {"heartbeat-clocks",
     "Clocks are compared, and nobody sets his own by another's.",
     {"from it follow the round trip and the offset of the clocks, which are shown and MUST NOT set a clock."},
     clocks},
    {"heartbeat-silence",
     "Seven seconds of silence end a session.",
     {"and ends it when no frame at all has come for 7 seconds (*timed-out*).",
      "The end of a session is found by silence (8.10)."},
     silence},
    {"probe",
     "Is what I hold there, and what you hold here?",
     {"`PeerProbe` asks: is what I hold there, and what you hold here? It is sent when the sender's part of the "
      "frontier "
      "exchange is done, one at a time on a session that has a common view; the sender notes its heads that the peer "
      "has not acknowledged.",
      "The asker is *synced* with the peer when the peer has acknowledged the one and it has itself stored the other."},
     a_hall_asks},
    {"probe-hub",
     "A hub asks everybody who is there.",
     {"A hall does so with one hub, for its own streams; a hub with all its live peers."},
     a_hub_asks},
    {"probe-twice",
     "One question at a time, answered when both know what the other holds.",
     {"The receiver answers when its own part of the exchange is done, in one or more `PeerProbeReply` with the same "
      "id: "
      "the heads that it holds, may send, and of which the asker has not acknowledged all.",
      "A second probe before the first is answered ends the session."},
     two_questions},
    {"compare-equal",
     "Two nodes prove to each other that their records are equal.",
     {"Both sides compare their records by the digests of section 10.4, each by its own questions, one at a time: "
      "first a "
      "second after the session went live, then about once a minute, as long as the frontier exchange is done and "
      "nothing "
      "is known to lag.",
      "If nothing differed, both are equal as of then."},
     equal_digests},
    {"compare-lag",
     "What only one side has, or has more of, is on its way.",
     {"Where count or sum differ, the asker asks one level deeper. What only one side has, or has with other inputs, "
      "is "
      "*lag*: it is on its way, or a frontier exchange will find it.",
      "Digests without records are left out."},
     lag},
    {"compare-damage",
     "A record that has rotted is found and told, and no other is overwritten with it.",
     {"A record that both have with equal inputs and unequal hash is *damage* on one side, if a question repeated "
      "after at "
      "least a second finds it again (records are read a little later than they are logged). A node MUST tell its "
      "operator of damage and MUST NOT join or overwrite records because of it."},
     damage},
    {"compare-pages",
     "A leaf of many records comes in pages.",
     {"An answer of level 3 is one message; if `last` is false, the asker asks again behind its last key."},
     pages},
    {0},
};
