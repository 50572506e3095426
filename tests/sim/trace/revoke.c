/* Section 5.5: keys that are not their nodes' any more. */
#include "tests/sim/trace/trace.h"

#include "proto/msg/revoke.h"

static const hs_partition GULOU[] = {3201};

struct place {
    struct world_node *hub, *other, *gulou, *counter; /* two hubs, a hall, its witness */
    struct world_link *link;
};

static struct place place(struct trace *t)
{
    struct place at = {world_hub(t->w, "hub"), world_hub(t->w, "other"), world_hall(t->w, "gulou", GULOU, 1),
                       world_witness(t->w, "counter", GULOU, 1), NULL};
    world_start(at.hub);
    world_start(at.other);
    world_start(at.gulou);
    world_start(at.counter);
    t->hides_arrivals = true;
    t->hidden |= TRACE_TYPE(FRONTIER);
    return at;
}

static void a_session_ends(struct trace *t)
{
    struct place at = place(t);
    t->is_quiet = true;
    world_call(at.gulou, at.hub);
    world_call(at.hub, at.other);
    trace_run(t, 100);
    trace_zero(t);
    trace_tell(t, "Gulou's machine was stolen.  A person revokes its key, at the other hub.");
    world_revoke(at.other, at.gulou, false);
    trace_run(t, 100);
    trace_tell(t, "It dials again.");
    world_call(at.gulou, at.hub);
    trace_run(t, 100);
}

static void a_session_begins_with_them(struct trace *t)
{
    struct place at = place(t);
    t->is_quiet = true;
    world_revoke(at.hub, at.gulou, false);
    trace_zero(t);
    trace_tell(t, "The hub knows of a key that was revoked.");
    world_call(at.hub, at.other);
    trace_run(t, 100);
}

static void the_limit(struct trace *t)
{
    struct place at = place(t);
    t->is_quiet = true;
    world_call(at.gulou, at.other);
    trace_run(t, 100);
    struct hs_stream stream = trace_write(at.gulou, 3201, HS_LANE_MONEY, 2);
    trace_run(t, 100);
    world_revoke(at.hub, at.gulou, false);
    trace_zero(t);
    trace_tell(
        t, "The hub knows that gulou's key was revoked; the other hub does not, and has taken two of its payments.");
    world_call(at.hub, at.other);
    trace_run(t, 150);
    trace_holds(t, at.hub, &stream);
}

/* The hall has handed in one payment; its witness keeps two more. */
static struct hs_stream keep_more(struct trace *t, struct place *at)
{
    t->is_quiet = true;
    struct world_link *link = world_call(at->gulou, at->hub);
    trace_run(t, 100);
    struct hs_stream stream = trace_write(at->gulou, 3201, HS_LANE_MONEY, 1);
    trace_run(t, 100);
    world_cut(link);
    world_call(at->gulou, at->counter);
    trace_write(at->gulou, 3201, HS_LANE_MONEY, 2);
    trace_run(t, 100);
    world_stop(at->gulou);
    world_revoke(at->hub, at->gulou, false);
    trace_run(t, 100);
    return stream;
}

static void what_waits(struct trace *t)
{
    struct place at = place(t);
    struct hs_waiting waiting;
    struct hs_stream stream = keep_more(t, &at);
    trace_zero(t);
    trace_tell(t, "Gulou was revoked.  Its witness has more than the hub.");
    t->hidden &= ~TRACE_TYPE(FRONTIER);
    world_call(at.counter, at.hub);
    trace_run(t, 6000);
    size_t count = hs_replica_waiting(at.hub->replica, &waiting, 1);
    assert_int_equal(count, 1);
    trace_tell(t, "A person has compared it with the receipts on paper, and releases it.");
    world_release(at.hub, &waiting, 1);
    trace_run(t, 200);
    trace_holds(t, at.hub, &stream);
}

static void the_gate(struct trace *t)
{
    struct place at = place(t);
    struct world_node *jiangning = world_hall(t->w, "jiangning", GULOU, 1);
    world_start(jiangning);
    t->is_quiet = true;
    world_revoke(jiangning, at.gulou, false);
    world_stop(at.hub);
    at.hub->in_doubt = true;
    world_start(at.hub);
    trace_zero(t);
    trace_tell(t,
               "The hub's disk is an old copy, from before gulou was revoked.  Whoever has its machine comes first.");
    world_call(at.gulou, at.hub);
    trace_run(t, 100);
    trace_tell(t, "Then comes a hall.");
    world_call(jiangning, at.hub);
    trace_run(t, 100);
    trace_tell(t, "Gulou again; and another hub.");
    world_call(at.gulou, at.hub);
    world_call(at.hub, at.other);
    trace_run(t, 100);
}

/* ---- by hand ---- */

static Hallsync__Revocation *revocation_of(struct trace *t, struct puppet *p, const struct world_node *node)
{
    struct hs_issuer_draft draft = {"test region", "hub-1", t->w->issuer_key, 1};
    struct hs_buf issuer = {0}, row = {0};
    ProtobufCMessage *message;
    assert_int_equal(hs_issuer_sign(&draft, &t->w->root, &issuer), HS_OK);
    struct hs_authority authority = {hs_buf_bytes(&issuer), &t->w->issuer};
    assert_int_equal(hs_revocation_sign(hs_buf_bytes(&node->certificate_bytes), "mine", 1, &authority, &row), HS_OK);
    assert_int_equal(hs_msg_unpack(&hallsync__revocation__descriptor, hs_buf_bytes(&row), &p->arena, &message), HS_OK);
    hs_buf_fini(&issuer);
    hs_buf_fini(&row);
    return (Hallsync__Revocation *)message;
}

static void meet(struct trace *t, struct puppet *p, struct world_node *self, struct world_node *hub, uint32_t promised)
{
    t->is_quiet = true;
    trace_puppet_calls(p, self, hub);
    Hallsync__PeerHello *hello = puppet_hello(p);
    hello->has_revocations = true;
    hello->revocations = promised;
    trace_say(t, p, HALLSYNC__PEER_TYPE__PEER_HELLO, &hello->base);
    trace_run(t, 50);
    trace_zero(t);
}

static void a_hub_revokes_a_hub(struct trace *t)
{
    struct place at = place(t);
    struct puppet p;
    Hallsync__PeerRevocations message = HALLSYNC__PEER_REVOCATIONS__INIT;
    world_stop(at.gulou);
    meet(t, &p, at.gulou, at.hub, 0);
    trace_tell(t, "Who has a hub's issuer key revokes another hub.");
    Hallsync__Revocation *revocation = revocation_of(t, &p, at.other);
    message.revocations = &revocation;
    message.n_revocations = 1;
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_REVOCATIONS, &message.base);
    trace_run(t, 100);
    puppet_fini(&p);
}

static void promised_and_not_told(struct trace *t)
{
    struct place at = place(t);
    struct puppet p;
    world_stop(at.gulou);
    meet(t, &p, at.gulou, at.hub, 1);
    trace_tell(t, "It has promised one revocation.");
    t->hidden &= ~TRACE_TYPE(FRONTIER);
    trace_say(t, &p, HALLSYNC__PEER_TYPE__PEER_FRONTIER, &puppet_nothing(&p)->base);
    trace_run(t, 100);
    puppet_fini(&p);
}

const struct trace_scenario TRACE_REVOKE[] = {
    {"revoked-session",
     "A key is revoked",
     {"Every node MUST keep each revocation that holds, for ever, and of one key one is enough.",
      "A live one MUST be ended, and a Hello with it refused, by `PeerRefuse` with *revoked* and the `revocation`.",
      "A node that gets its own and finds that it holds MUST keep it, and tell its operator;",
      "When a node has stored one that is new to it, it sends it to all live peers that know the message."},
     a_session_ends},
    {"revoked-greeting",
     "A session begins with the keys that are revoked",
     {"A session begins with what both know."},
     a_session_begins_with_them},
    {"revoked-limit",
     "What a hub has signed for is taken",
     {"Of a stream of that key a node takes no operation beyond its *limit*: the highest number that a receipt of a "
      "hub "
      "reaches which is not revoked, or a release.",
      "A hub signs receipts for what it takes,",
      "SHOULD tell the receipts that it has of the stream ahead of the first."},
     the_limit},
    {"revoked-waiting",
     "What no hub has signed for waits for a person",
     {"Who is sent what lies beyond SHOULD verify it, count it and tell its operator: it waits where it is.",
      "When the limit rises, the receiver announces (8.4) where it is.",
      "A *release* says that operations of a revoked key count though no hub has signed for them:"},
     what_waits},
    {"revoked-gate",
     "A hub that may have forgotten a revocation",
     {"Until another hub has told it all that it knows, or a minute has passed since the first other node told, it "
      "MUST "
      "refuse (*busy*) halls and witnesses once it has taken what their Hello has promised."},
     the_gate},
    {"revoked-forged",
     "Hubs do not revoke each other",
     {"and, of a hub's certificate, the root key has signed.", "So hubs cannot revoke each other.",
      "or if one does not hold."},
     a_hub_revokes_a_hub},
    {"revoked-promised",
     "Nothing counts before what was promised",
     {"A receiver MUST end the session if another message but `PeerRefuse` comes before as many have come,"},
     promised_and_not_told},
    {0},
};
