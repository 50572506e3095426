/* Sections 12 and 13: what newer nodes say, and limits. */
#include "tests/sim/trace/trace.h"

#include "proto/msg/tlv.h"
#include "tests/lib/replica_world_source.h"

static const hs_partition GULOU[] = {3201};

#define NO_SUCH_FIELD 900
#define TOO_MANY      1001

/* The hub, and a hall that is made by hand. */
struct table {
    struct world_node *hub, *gulou;
    struct puppet p;
};

static void call(struct trace *t, struct table *at, bool says_hello)
{
    trace_puppet_calls(&at->p, at->gulou, at->hub);
    t->is_quiet = says_hello;
    if (says_hello) {
        trace_say_hello(t, &at->p);
        trace_run(t, 50);
        trace_zero(t);
    }
}

static void table(struct trace *t, struct table *at, bool says_hello)
{
    *at = (struct table){.hub = world_hub(t->w, "hub"), .gulou = world_hall(t->w, "gulou", GULOU, 1)};
    world_start(at->hub);
    call(t, at, says_hello);
}

/* ---- versions ---- */

static void say_with_more(struct trace *t, struct puppet *p, uint8_t type, const ProtobufCMessage *message,
                          const char *what)
{
    struct hs_buf frame = {0};
    hs_frame_encode(type, ++p->sequence, message, &frame);
    hs_tlv_put_bytes(&frame, NO_SUCH_FIELD, HS_BYTES("news", 4));
    trace_say_raw(t, p, hs_buf_bytes(&frame), what);
    hs_buf_fini(&frame);
}

static void unknown_fields(struct trace *t)
{
    struct table at;
    uint32_t feature = 77;
    table(t, &at, false);
    Hallsync__PeerHello *hello = puppet_hello(&at.p);
    hello->version_max = 3;
    hello->features = &feature;
    hello->n_features = 1;
    trace_tell(t, "Gulou is newer: it could speak versions 1 to 3, has a feature 77 and a field 900 in each message.");
    say_with_more(t, &at.p, HALLSYNC__PEER_TYPE__PEER_HELLO, &hello->base, "Hello, with a field 900");
    trace_run(t, 50);
    say_with_more(t, &at.p, HALLSYNC__PEER_TYPE__PEER_FRONTIER, &puppet_nothing(&at.p)->base,
                  "Frontier: nothing, with a field 900");
    trace_run(t, 50);
    Hallsync__PeerProbe probe = HALLSYNC__PEER_PROBE__INIT;
    t->hidden = TRACE_TYPE(HEARTBEAT);
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_PROBE, &probe.base);
    trace_run(t, 50);
    puppet_fini(&at.p);
}

static void unknown_operations(struct trace *t)
{
    struct trace_pair pair = trace_pair(t);
    struct world_node *hub2 = world_hub(t->w, "hub-2");
    t->is_quiet = true;
    world_start(hub2);
    world_call(hub2, pair.hub);
    trace_run(t, 200);
    trace_zero(t);
    t->hides_arrivals = true;
    t->hidden |= TRACE_TYPE(OPENING) | TRACE_TYPE(ACK);
    trace_tell(t, "To whoever carries them operations are bytes: of a kind that nobody knows yet, or none at all.");
    static const char OP[] = "\\xff this is no operation";
    struct hs_stream stream = world_write(pair.hall, 3201, HS_LANE_MONEY, OP, sizeof OP);
    trace_run(t, 200);
    const struct world_stream *there = world_store_find(&hub2->store, &stream);
    trace_fact(t, there != NULL && hs_bytes_equal(hs_buf_bytes(&there->ops[0].bytes), HS_BYTES(OP, sizeof OP)),
               "hub-2 has gulou's bytes");
}

/* ---- limits ---- */

/* One thing, 1,001 times. */
struct many {
    Hallsync__StreamName name;
    Hallsync__StreamHead head, *heads[TOO_MANY];
    Hallsync__FrontierPart part, *parts[TOO_MANY];
    Hallsync__StreamAck stored, *all[TOO_MANY];
};

static void make_many(struct many *many)
{
    static uint8_t hash[8];
    hallsync__stream_name__init(&many->name);
    hallsync__stream_head__init(&many->head);
    hallsync__frontier_part__init(&many->part);
    hallsync__stream_ack__init(&many->stored);
    many->name.origin = 1;
    many->name.partition = 3201;
    many->name.lane = HS_LANE_MONEY;
    many->head.stream = many->stored.stream = &many->name;
    many->head.hash = puppet_data(hash, sizeof hash);
    for (size_t i = 0; i < TOO_MANY; i++) {
        many->heads[i] = &many->head;
        many->parts[i] = &many->part;
        many->all[i] = &many->stored;
    }
}

static void say_and_part(struct trace *t, struct table *at, uint8_t type, const ProtobufCMessage *message)
{
    trace_say(t, &at->p, type, message);
    trace_run(t, 50);
    puppet_fini(&at->p);
}

static void long_lists(struct trace *t)
{
    static struct many many;
    struct table at;
    make_many(&many);
    trace_tell(t, "1,001 heads in an announcement, 1,001 parts of a frontier:");
    table(t, &at, true);
    Hallsync__PeerFrontier list = HALLSYNC__PEER_FRONTIER__INIT;
    list.heads = many.heads;
    list.n_heads = TOO_MANY;
    say_and_part(t, &at, HALLSYNC__PEER_TYPE__PEER_FRONTIER, &list.base);
    call(t, &at, true);
    list.n_heads = 0;
    list.parts = many.parts;
    list.n_parts = TOO_MANY;
    say_and_part(t, &at, HALLSYNC__PEER_TYPE__PEER_FRONTIER, &list.base);
    trace_tell(t, "1,001 streams in an acknowledgement:");
    call(t, &at, true);
    Hallsync__PeerAck ack = HALLSYNC__PEER_ACK__INIT;
    ack.stored = many.all;
    ack.n_stored = TOO_MANY;
    say_and_part(t, &at, HALLSYNC__PEER_TYPE__PEER_ACK, &ack.base);
    trace_tell(t, "1,001 heads in a heartbeat:");
    call(t, &at, true);
    Hallsync__PeerHeartbeat beat = HALLSYNC__PEER_HEARTBEAT__INIT;
    beat.heads = many.heads;
    beat.n_heads = TOO_MANY;
    beat.clock_ms = WORLD_CLOCK_MS + t->w->now_ms;
    t->hidden &= ~TRACE_TYPE(HEARTBEAT);
    say_and_part(t, &at, HALLSYNC__PEER_TYPE__PEER_HEARTBEAT, &beat.base);
    trace_tell(t, "1,001 heads in Hello:");
    call(t, &at, false);
    Hallsync__PeerHello *hello = puppet_hello(&at.p);
    hello->heads = many.heads;
    hello->n_heads = TOO_MANY;
    say_and_part(t, &at, HALLSYNC__PEER_TYPE__PEER_HELLO, &hello->base);
}

static void large_numbers(struct trace *t)
{
    static const uint8_t FRAME[] = {
        1, HALLSYNC__PEER_TYPE__PEER_FRONTIER, 0, 0, 0, 3, 0x0a, 6, 0x08, 0x80, 0x80, 0x80, 0x80, 0x10};
    struct table at;
    table(t, &at, true);
    trace_say_raw(t, &at.p, HS_BYTES(FRAME, sizeof FRAME), "Frontier of level 4,294,967,296, in 32 bits 0");
    trace_run(t, 50);
    puppet_fini(&at.p);
}

/* ---- */

const struct trace_scenario TRACE_VERSION[] = {
    {"version-newer",
     "A newer node's fields and features are no fault.",
     {"*Frames and messages*: `PeerHello` carries the range of versions; section 8.2 chooses. A new optional field "
      "does not "
      "need a new version: unknown ones are ignored."},
     unknown_fields},
    {"operations-unknown",
     "Nobody has to understand what he carries.",
     {"Operations that are void (section 4) are no fault of a segment.",
      "nodes that do not know them merge, keep, hash and forward them."},
     unknown_operations},
    {"limit-lists",
     "No message lists more than 1,000 things.",
     {"| list in a message between nodes | 1,000 entries; more go in further messages | session ends |"},
     long_lists},
    {"limit-numbers",
     "A number is not cut to fit.",
     {"| a number in a field of 32 bits | 2^32 - 1 | malformed |"},
     large_numbers},
    {0},
};
