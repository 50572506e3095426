/* Sections 5 and 7.2: who is let in, whose openings are taken, which frames are none. */
#include "tests/sim/trace/trace.h"

#include <sodium.h>

static const hs_partition GULOU[] = {3201};

/* A hub, and mallory, who has the certificate of a hall and makes his messages by hand. */
struct table {
    struct world_node *hub, *mallory;
    struct puppet p;
};

static void table(struct trace *t, struct table *to)
{
    to->hub = world_hub(t->w, "hub");
    to->mallory = world_hall(t->w, "mallory", GULOU, 1);
    world_start(to->hub);
}

static void meet(struct trace *t, struct table *to)
{
    trace_puppet_calls(&to->p, to->mallory, to->hub);
    t->is_quiet = true;
    trace_say_hello(t, &to->p);
    trace_run(t, 100);
    trace_zero(t);
}

static void part(struct trace *t, struct table *to)
{
    trace_run(t, 100);
    puppet_fini(&to->p);
}

/* ---- certificates ---- */

static void a_forged_certificate(struct trace *t)
{
    struct table at;
    table(t, &at);
    trace_puppet_calls(&at.p, at.mallory, at.hub);
    Hallsync__PeerHello *hello = puppet_hello(&at.p);
    hello->certificate->node->signature.data[5] ^= 1;
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_HELLO, &hello->base);
    part(t, &at);
}

/* The same node, certified in a region with another root. */
static Hallsync__Certificate *of_another_region(struct puppet *p)
{
    struct hs_secret root, issuer;
    struct hs_key root_key, issuer_key;
    struct hs_hash seed = hs_hash_domain("another region", HS_BYTES("root", 4));
    int failed = crypto_sign_seed_keypair(root_key.bytes, root.bytes, seed.bytes);
    seed.bytes[0] ^= 1;
    failed |= crypto_sign_seed_keypair(issuer_key.bytes, issuer.bytes, seed.bytes);
    assert_int_equal(failed, 0);
    struct hs_issuer_draft draft = {"another region", "hub-9", issuer_key, 1};
    struct hs_buf signed_issuer = {0}, bytes = {0};
    assert_int_equal(hs_issuer_sign(&draft, &root, &signed_issuer), HS_OK);
    assert_int_equal(hs_certificate_sign(&p->self->certificate, hs_buf_bytes(&signed_issuer), &issuer, &bytes), HS_OK);
    ProtobufCMessage *certificate;
    assert_int_equal(hs_msg_unpack(&hallsync__certificate__descriptor, hs_arena_copy(&p->arena, hs_buf_bytes(&bytes)),
                                   &p->arena, &certificate),
                     HS_OK);
    hs_buf_fini(&signed_issuer);
    hs_buf_fini(&bytes);
    return (Hallsync__Certificate *)certificate;
}

static void another_region(struct trace *t)
{
    struct table at;
    table(t, &at);
    trace_puppet_calls(&at.p, at.mallory, at.hub);
    Hallsync__PeerHello *hello = puppet_hello(&at.p);
    hello->certificate = of_another_region(&at.p);
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_HELLO, &hello->base);
    part(t, &at);
}

static Hallsync__Certificate *certificate_of(struct puppet *p, const struct world_node *node)
{
    ProtobufCMessage *certificate;
    assert_int_equal(hs_msg_unpack(&hallsync__certificate__descriptor, hs_buf_bytes(&node->certificate_bytes),
                                   &p->arena, &certificate),
                     HS_OK);
    return (Hallsync__Certificate *)certificate;
}

static void a_stolen_certificate(struct trace *t)
{
    struct table at;
    table(t, &at);
    struct world_node *gulou = world_hall(t->w, "gulou", GULOU, 1);
    trace_puppet_calls(&at.p, at.mallory, at.hub);
    Hallsync__PeerHello *hello = puppet_hello(&at.p);
    hello->certificate = certificate_of(&at.p, gulou);
    trace_tell(t, "Certificates are no secret.  Mallory shows gulou's, over a connection with a curve key of his own.");
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_HELLO, &hello->base);
    part(t, &at);
}

static bool same_origin(const struct world_node *a, const struct world_node *b, uint64_t id)
{
    const struct world_origin *first = world_store_origin(&a->store, id), *second = world_store_origin(&b->store, id);
    return first != NULL && second != NULL &&
           hs_bytes_equal(hs_buf_bytes(&first->certificate), hs_buf_bytes(&second->certificate)) &&
           hs_bytes_equal(hs_buf_bytes(&first->opening), hs_buf_bytes(&second->opening));
}

static void forwarded_byte_for_byte(struct trace *t)
{
    struct trace_pair pair = trace_pair(t);
    struct world_node *hub2 = world_hub(t->w, "hub-2");
    t->hidden |= TRACE_GREETING | TRACE_TYPE(ACK);
    struct hs_stream stream = trace_write(pair.hall, 3201, HS_LANE_MONEY, 2);
    trace_run(t, 50);
    trace_tell(t, "Gulou goes home.  Another hub hears of its payments from the first hub alone.");
    world_stop(pair.hall);
    world_start(hub2);
    world_call(hub2, pair.hub);
    trace_run(t, 200);
    trace_fact(t, same_origin(pair.hall, hub2, stream.origin),
               "hub-2 has gulou's opening and certificate byte for byte");
    const struct world_stream *there = world_store_find(&hub2->store, &stream);
    const struct world_stream *here = world_store_find(&pair.hall->store, &stream);
    trace_fact(t,
               there != NULL && memcmp(&there->checkpoints[0].signature, &here->checkpoints[1].signature,
                                       sizeof here->checkpoints[1].signature) == 0,
               "and the checkpoint of 2 that gulou signed");
}

/* ---- openings ---- */

static void openings_that_do_not_hold(struct trace *t)
{
    struct table at;
    table(t, &at);
    struct world_node *gulou = world_hall(t->w, "gulou", GULOU, 1);
    struct hs_stream stream = trace_write(at.mallory, 3201, HS_LANE_MONEY, 1);
    trace_tell(t, "With the certificate of somebody else:");
    meet(t, &at);
    Hallsync__PeerOpening *opening = puppet_opening(&at.p, stream.origin);
    opening->certificate = certificate_of(&at.p, gulou);
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_OPENING, &opening->base);
    part(t, &at);
    trace_tell(t, "With a signature that does not hold:");
    meet(t, &at);
    opening = puppet_opening(&at.p, stream.origin);
    opening->origin->signature.data[9] ^= 1;
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_OPENING, &opening->base);
    part(t, &at);
    trace_tell(t, "With a certificate that does not hold:");
    meet(t, &at);
    opening = puppet_opening(&at.p, stream.origin);
    opening->certificate->issuer->signature.data[9] ^= 1;
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_OPENING, &opening->base);
    part(t, &at);
}

/* From now on the node writes under that origin. */
static void open_as(struct world_node *node, uint64_t origin, uint64_t follows)
{
    struct hs_opening opening = {origin, node->certificate.node_key, follows, 1};
    struct hs_signer signer = hs_signer_of(&node->secret);
    struct hs_buf encoded = {0};
    assert_int_equal(hs_opening_sign(&opening, &signer, &encoded), HS_OK);
    world_store_put_origin(&node->store, origin, hs_buf_bytes(&node->certificate_bytes), hs_buf_bytes(&encoded));
    node->store.current = origin;
    hs_buf_fini(&encoded);
}

static void follows_limits_nothing(struct trace *t)
{
    struct table at;
    table(t, &at);
    open_as(at.mallory, 77, 12345);
    struct hs_stream stream = trace_write(at.mallory, 3201, HS_LANE_MONEY, 1);
    meet(t, &at);
    t->hidden |= TRACE_TYPE(ACK);
    trace_tell(t, "Nobody has heard of the origin that this one says it follows, and nobody minds.");
    trace_say_segment(t, &at.p, &stream, 1, 1);
    trace_run(t, 50);
    trace_holds(t, at.hub, &stream);
    part(t, &at);
}

static void the_first_opening_stands(struct trace *t)
{
    struct trace_pair pair = trace_pair(t);
    struct table at = {.hub = pair.hub, .mallory = world_hall(t->w, "mallory", GULOU, 1)};
    t->is_quiet = true;
    struct hs_stream stream = trace_write(pair.hall, 3201, HS_LANE_MONEY, 1);
    trace_run(t, 50);
    trace_put_stream(t, &stream); /* gulou's name for the number */
    open_as(at.mallory, stream.origin, 0);
    struct hs_stream stolen = trace_write(at.mallory, 3201, HS_LANE_WORK, 1);
    meet(t, &at);
    trace_zero(t);
    t->hidden |= TRACE_TYPE(ACK);
    trace_tell(t, "Gulou has written under its origin.  Mallory opens one of his own with the same number.");
    trace_say_segment(t, &at.p, &stolen, 1, 1);
    part(t, &at);
    trace_tell(t, "What he signs there is judged by gulou's key: it does not hold, and somebody is told.");
    trace_holds(t, pair.hub, &stream);
    trace_holds(t, pair.hub, &stolen);
}

/* ---- frames ---- */

static void say_frame(struct trace *t, struct table *at, struct hs_bytes frame, const char *what)
{
    meet(t, at);
    trace_say_raw(t, &at->p, frame, what);
    part(t, at);
}

static void frames_that_are_none(struct trace *t)
{
    static const uint8_t SHORT[] = {1, 7, 0, 0, 0};
    static const uint8_t OTHER[] = {2, 7, 0, 0, 0, 3, 8, 1};
    static const uint8_t LOST[] = {1, 7, 0, 0, 0, 4, 8, 1};
    static const uint8_t AGAIN[] = {1, 7, 0, 0, 0, 2, 8, 1};
    static const uint8_t CUT[] = {1, 7, 0, 0, 0, 3, 8};
    static uint8_t huge[HS_MESSAGE_BYTES_MAX + 1] = {1, 7, 0, 0, 0, 3};
    struct table at;
    table(t, &at);
    t->hidden |= TRACE_TYPE(HELLO);
    trace_tell(t, "Mallory has said two things, so 3 is the number of his next frame.  Each time anew:");
    say_frame(t, &at, HS_BYTES(SHORT, sizeof SHORT), "a frame of 5 bytes");
    say_frame(t, &at, HS_BYTES(huge, sizeof huge), "a frame of 131,073 bytes");
    say_frame(t, &at, HS_BYTES(OTHER, sizeof OTHER), "a frame of version 2");
    say_frame(t, &at, HS_BYTES(LOST, sizeof LOST), "frame 4: one was lost");
    say_frame(t, &at, HS_BYTES(AGAIN, sizeof AGAIN), "frame 2: that number was there");
    say_frame(t, &at, HS_BYTES(CUT, sizeof CUT), "frame 3, whose message is cut");
}

/* ---- */

const struct trace_scenario TRACE_TRUST[] = {
    {"certificate-forged",
     "A certificate that the region's issuer has not signed opens no session.",
     {"A verifier knows its region's root key. It MUST refuse a certificate unless all of these hold:"},
     a_forged_certificate},
    {"certificate-other-region",
     "A certificate of another region is told apart from a forged one.",
     {"`IssuerBody.root_key` is the region's root key (else: *other-region*), the issuer's signature holds under it,"},
     another_region},
    {"certificate-stolen",
     "A certificate is worth nothing without the curve key that it names.",
     {"*bad-certificate*, if the certificate's curve key is not the one that CURVE has proven;"},
     a_stolen_certificate},
    {"certificate-forwarded",
     "What one node signed reaches the others as it was signed, whoever carries it.",
     {"Bodies and signatures MUST be kept and forwarded byte for byte.",
      "every holder of an operation holds its opening.",
      "Checkpoints and operations are kept and forwarded byte for byte."},
     forwarded_byte_for_byte},
    {"opening-refused",
     "An opening must be signed by the node whose certificate comes with it.",
     {"A verifier MUST refuse it if the signature does not hold, the origin is 0, it has unknown fields outside the "
      "body, or `node_key` is not that of the certificate that comes with it.",
      "The receiver checks both by sections 5.1 and 5.2, that the certificate's node key is the opening's, and stores "
      "them; if they do not hold, the session ends."},
     openings_that_do_not_hold},
    {"opening-follows",
     "Which origin an origin follows is a note for people.",
     {"`follows` is information and MUST NOT limit anything."},
     follows_limits_nothing},
    {"opening-first-stands",
     "Nobody takes over the number of an origin that is known.",
     {"The first opening of an origin that a node has stored stands; later ones are dropped.",
      "An opening of an origin that it knows already is dropped."},
     the_first_opening_stands},
    {"frames",
     "A frame that is not the next one, or none at all, ends the session.",
     {"A receiver MUST end the session at a frame that is shorter than its header, over the limit, of another version, "
      "out of sequence, or whose body is malformed.",
      "| message between nodes | 131,072 bytes | session ends |"},
     frames_that_are_none},
    {0},
};
