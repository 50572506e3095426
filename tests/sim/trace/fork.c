/* Section 9: two contents under one number. */
#include "tests/sim/trace/trace.h"

#include <stdio.h>

static const hs_partition GULOU[] = {3201};

/* Gulou handed in 1 to 5.  Then its machine was resumed with its memory as it was after 3, and wrote 4' and 5'. */
struct table {
    struct world_node *hub, *gulou;
    struct hs_stream stream;
    struct world_store lost; /* gulou's as it was before that */
    struct puppet p;
};

static void set_back(struct trace *t, struct table *at, unsigned again)
{
    struct trace_pair pair = trace_pair(t);
    struct world_store copy;
    *at = (struct table){.hub = pair.hub, .gulou = pair.hall};
    t->is_quiet = true;
    at->stream = trace_write(pair.hall, 3201, HS_LANE_MONEY, 3);
    world_store_copy(&pair.hall->store, &copy);
    trace_write(pair.hall, 3201, HS_LANE_MONEY, 2);
    trace_run(t, 100);
    world_stop(pair.hall);
    trace_run(t, 100);
    at->lost = pair.hall->store;
    pair.hall->store = copy;
    world_start(pair.hall);
    for (unsigned i = 0; i < again; i++) {
        char text[64];
        snprintf(text, sizeof text, "after the machine was resumed: %u", i);
        world_write_text(pair.hall, 3201, HS_LANE_MONEY, text);
    }
    trace_put_number(t, &at->stream, 0, (const uint8_t[8]){0});
    trace_run(t, 100);
    trace_zero(t);
    t->hides_arrivals = true;
}

static void clear(struct table *at)
{
    world_store_fini(&at->lost);
}

static void a_fork_is_found(struct trace *t)
{
    struct table at;
    set_back(t, &at, 2);
    trace_tell(t,
               "Gulou handed in 1 to 5.  Its machine was then resumed with its memory as it was after 3, and wrote two "
               "others: 4' and 5'.");
    trace_holds(t, at.hub, &at.stream);
    trace_holds(t, at.gulou, &at.stream);
    trace_tell(t, "They meet.");
    world_call(at.gulou, at.hub);
    trace_run(t, 300);
    trace_tell(t, "Nothing is lost: both hold both, and gulou writes under a new origin.");
    trace_holds(t, at.hub, &at.stream);
    trace_holds(t, at.gulou, &at.stream);
    t->hidden |= TRACE_TYPE(ACK);
    trace_write(at.gulou, 3201, HS_LANE_MONEY, 1);
    trace_run(t, 100);
    clear(&at);
}

static void everybody_hears(struct trace *t)
{
    struct table at;
    set_back(t, &at, 2);
    struct world_node *xuanwu = world_hall(t->w, "xuanwu", GULOU, 1), *hub2 = world_hub(t->w, "hub-2");
    t->is_quiet = true;
    world_start(xuanwu);
    world_call(xuanwu, at.hub);
    trace_run(t, 300);
    world_call(at.gulou, at.hub);
    trace_run(t, 17); /* up to gulou's Hello at the hub */
    trace_zero(t);
    t->hidden |= TRACE_TYPE(ACK) | TRACE_GREETING;
    trace_tell(t, "Xuanwu holds what the hub holds: gulou's 1 to 5.  Gulou comes with 4' and 5'.");
    trace_run(t, 200);
    trace_tell(t, "Xuanwu has both too.");
    trace_holds(t, xuanwu, &at.stream);
    trace_tell(
        t, "Hub-2 holds nothing of that stream.  In the lists it stands with the number of its operations and a hash "
           "of their set; hub-2 gets opening, proof and all pieces.");
    t->hidden &= ~TRACE_TYPE(FRONTIER);
    world_start(hub2);
    world_call(hub2, at.hub);
    trace_run(t, 200);
    trace_holds(t, hub2, &at.stream);
    clear(&at);
}

static void equal_sets(struct trace *t)
{
    struct table at;
    set_back(t, &at, 2);
    t->is_quiet = true;
    struct world_link *link = world_call(at.gulou, at.hub);
    trace_run(t, 300);
    world_cut(link);
    trace_zero(t);
    trace_holds(t, at.hub, &at.stream);
    trace_holds(t, at.gulou, &at.stream);
    trace_tell(
        t, "Each has another branch by number and the other one in pieces.  The sets are equal, so the hashes are:");
    world_call(at.gulou, at.hub);
    trace_run(t, 100);
    clear(&at);
}

/* ---- by hand: the hub is a puppet that holds 1 to 5 with a checkpoint at each ---- */

static void call(struct trace *t, struct table *at)
{
    t->is_quiet = true;
    trace_puppet_called(&at->p, at->hub, at->gulou);
    trace_run(t, 20);
    trace_say_hello(t, &at->p);
    trace_run(t, 100);
    trace_zero(t);
}

static void meet(struct trace *t, struct table *at, unsigned again)
{
    set_back(t, at, again);
    world_stop(at->hub);
    world_store_fini(&at->hub->store);
    world_store_copy(&at->lost, &at->hub->store);
    call(t, at);
}

static void part(struct table *at)
{
    puppet_fini(&at->p);
    clear(at);
}

static Hallsync__PeerLoose *piece(struct table *at, uint64_t first, uint64_t last)
{
    const struct world_stream *held = world_store_find(&at->hub->store, &at->stream);
    Hallsync__PeerLoose *loose = hs_arena_alloc(&at->p.arena, sizeof *loose);
    struct hs_hash *start = hs_arena_alloc(&at->p.arena, sizeof *start);
    struct hs_bytes body = puppet_body(&at->p, held, first, last);
    *start = first == 1 ? hs_chain_start(&at->stream) : held->ops[first - 2].hash;
    hallsync__peer_loose__init(loose);
    loose->stream = puppet_name(&at->p, &at->stream);
    loose->first = first;
    loose->start_hash = puppet_data(start->bytes, HS_HASH_BYTES);
    loose->count = (uint32_t)(last - first + 1);
    loose->signature = puppet_data(puppet_checkpoint(held, last)->signature.bytes, HS_SIGNATURE_BYTES);
    loose->body = puppet_data(body.data, body.size);
    return loose;
}

/* The hub's checkpoint of 5, and heads at the numbers given. */
static Hallsync__PeerDispute *dispute(struct table *at, const uint64_t *samples, size_t count)
{
    const struct world_stream *held = world_store_find(&at->hub->store, &at->stream);
    const struct hs_checkpoint *checkpoint = puppet_checkpoint(held, 5);
    Hallsync__PeerDispute *message = hs_arena_alloc(&at->p.arena, sizeof *message);
    hallsync__peer_dispute__init(message);
    message->stream = puppet_name(&at->p, &at->stream);
    message->n = 5;
    message->hash = puppet_data(checkpoint->hash.bytes, HS_HASH_BYTES);
    uint8_t *signature = hs_arena_alloc(&at->p.arena, HS_SIGNATURE_BYTES);
    memcpy(signature, checkpoint->signature.bytes, HS_SIGNATURE_BYTES);
    message->signature = puppet_data(signature, HS_SIGNATURE_BYTES);
    message->samples = hs_arena_array(&at->p.arena, count + 1, sizeof *message->samples);
    message->n_samples = count;
    for (size_t i = 0; i < count; i++)
        message->samples[i] = puppet_head(&at->p, &at->stream, samples[i], held->ops[samples[i] - 1].hash.bytes);
    return message;
}

static void a_dispute_is_answered(struct trace *t)
{
    static const uint64_t SAMPLES[] = {4, 3, 1};
    struct table at;
    meet(t, &at, 2);
    trace_tell(t,
               "Gulou holds 1 to 3, 4' and 5'; the hub says what it holds.  3 is the last number at which they agree.");
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_DISPUTE, &dispute(&at, SAMPLES, 3)->base);
    trace_run(t, 50);
    trace_tell(t, "From now on gulou sends nothing of it by number.");
    trace_write(at.gulou, 3201, HS_LANE_MONEY, 1);
    trace_run(t, 50);
    part(&at);
}

static void samples_that_do_not_show(struct trace *t)
{
    static const uint64_t SAMPLES[] = {3};
    struct table at;
    meet(t, &at, 1);
    trace_tell(t, "Gulou holds 1 to 3 and 4'.  The hub's samples leave out 4.");
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_DISPUTE, &dispute(&at, SAMPLES, 1)->base);
    trace_run(t, 50);
    part(&at);
}

static void disputes_that_are_none(struct trace *t)
{
    struct table at;
    meet(t, &at, 2);
    trace_tell(t, "About a stream that gulou does not know: nothing comes of it.");
    Hallsync__PeerDispute *message = dispute(&at, NULL, 0);
    message->stream->lane = HS_LANE_PEOPLE;
    t->is_quiet = true; /* nobody has signed for such a stream */
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_DISPUTE, &message->base);
    t->is_quiet = false;
    trace_run(t, 50);
    trace_tell(t, "With a checkpoint that nobody signed:");
    message = dispute(&at, NULL, 0);
    message->signature.data[0] ^= 1;
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_DISPUTE, &message->base);
    trace_run(t, 50);
    puppet_fini(&at.p);
    call(t, &at);
    trace_tell(t, "With 65 samples:");
    message = dispute(&at, NULL, 0);
    message->samples = hs_arena_array(&at.p.arena, 65, sizeof *message->samples);
    message->n_samples = 65;
    for (uint64_t i = 0; i < 65; i++)
        message->samples[i] = puppet_head(&at.p, &at.stream, 1, message->hash.data);
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_DISPUTE, &message->base);
    trace_run(t, 50);
    part(&at);
}

/* The hub sends; gulou, by hand, names another hash than the hub's own. */
static void until_an_announcement(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub"), *gulou = world_hall(t->w, "gulou", GULOU, 1);
    struct puppet p;
    world_start(hub);
    t->is_quiet = true;
    trace_puppet_calls(&p, gulou, hub);
    trace_say_hello(t, &p);
    trace_run(t, 50);
    struct hs_stream stream = trace_write(hub, 3201, HS_LANE_WORK, 2);
    world_store_fini(&gulou->store);
    world_store_copy(&hub->store, &gulou->store);
    trace_zero(t);
    t->hides_arrivals = true;
    trace_tell(t, "Something is wrong with gulou's disk: it names a hash for 2 that is not the hub's.");
    struct world_stream *held = world_store_stream(&gulou->store, &stream);
    held->ops[1].hash.bytes[0] ^= 1;
    trace_say_head(t, &p, &stream, 2, gulou);
    trace_run(t, 50);
    trace_tell(t, "The hub writes 3; it does not send it.");
    trace_write(hub, 3201, HS_LANE_WORK, 1);
    trace_run(t, 50);
    trace_tell(t, "Gulou has thrown 2 away, and says so.");
    trace_say_head(t, &p, &stream, 1, gulou);
    trace_run(t, 50);
    puppet_fini(&p);
}

/* ---- pieces ---- */

static void pieces_that_do_not_hold(struct trace *t)
{
    struct table at;
    meet(t, &at, 2);
    trace_tell(t, "A bit has changed:");
    Hallsync__PeerLoose *loose = piece(&at, 4, 5);
    loose->body.data[3] ^= 1;
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_LOOSE, &loose->base);
    trace_run(t, 50);
    puppet_fini(&at.p);
    call(t, &at);
    trace_tell(t, "Of a partition that gulou may not take, of an origin that is not its own:");
    t->is_quiet = true;
    at.hub->store.current = 0; /* it was gulou's store */
    struct hs_stream others = trace_write(at.hub, 3209, HS_LANE_MONEY, 1);
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_OPENING, &puppet_opening(&at.p, others.origin)->base);
    struct hs_stream own = at.stream;
    trace_run(t, 50);
    at.stream = others;
    trace_zero(t);
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_LOOSE, &piece(&at, 1, 1)->base);
    trace_run(t, 50);
    puppet_fini(&at.p);
    at.stream = own;
    call(t, &at);
    trace_tell(t, "Of an origin whose opening has not come:");
    t->is_quiet = true;
    at.hub->store.current = 0;
    at.stream = trace_write(at.hub, 3201, HS_LANE_MONEY, 1);
    trace_zero(t);
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_LOOSE, &piece(&at, 1, 1)->base);
    trace_run(t, 50);
    part(&at);
}

static void a_piece_that_is_held(struct trace *t)
{
    struct table at;
    meet(t, &at, 1);
    t->shows_sizes = true;
    trace_tell(t, "Gulou holds 1 to 3 and 4'.  A piece that does not differ is dropped; its credit comes back.");
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_LOOSE, &piece(&at, 1, 3)->base);
    trace_run(t, 50);
    trace_tell(t, "One that differs is the proof.");
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_LOOSE, &piece(&at, 3, 4)->base);
    trace_run(t, 50);
    trace_tell(t, "The stream is forked now: a piece is stored if something of it is new.");
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_LOOSE, &piece(&at, 4, 4)->base);
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_LOOSE, &piece(&at, 4, 5)->base);
    trace_run(t, 50);
    trace_tell(t, "By number nothing of it is taken any more.");
    t->hidden |= TRACE_TYPE(ACK);
    trace_say_segment(t, &at.p, &at.stream, 5, 5);
    trace_run(t, 50);
    trace_holds(t, at.gulou, &at.stream);
    part(&at);
}

/* ---- proofs ---- */

/* Gulou's own checkpoint of @n against a piece of the hub's. */
static Hallsync__PeerForkProof *proof(struct table *at, uint64_t n, Hallsync__PeerLoose *branch)
{
    const struct world_stream *held = world_store_find(&at->gulou->store, &at->stream);
    const struct hs_checkpoint *checkpoint = puppet_checkpoint(held, n);
    Hallsync__PeerForkProof *message = hs_arena_alloc(&at->p.arena, sizeof *message);
    hallsync__peer_fork_proof__init(message);
    message->stream = puppet_name(&at->p, &at->stream);
    message->n = n;
    message->hash = puppet_data(checkpoint->hash.bytes, HS_HASH_BYTES);
    uint8_t *signature = hs_arena_alloc(&at->p.arena, HS_SIGNATURE_BYTES);
    memcpy(signature, checkpoint->signature.bytes, HS_SIGNATURE_BYTES);
    message->signature = puppet_data(signature, HS_SIGNATURE_BYTES);
    message->branch = branch;
    return message;
}

static void proofs(struct trace *t)
{
    struct table at;
    meet(t, &at, 2);
    trace_tell(t, "The hash at 3 is the same on both: that proves nothing.");
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_FORK_PROOF, &proof(&at, 3, piece(&at, 2, 5))->base);
    trace_run(t, 50);
    puppet_fini(&at.p);
    call(t, &at);
    trace_tell(t, "One of the signatures does not hold.");
    Hallsync__PeerForkProof *forged = proof(&at, 4, piece(&at, 4, 5));
    forged->signature.data[0] ^= 1;
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_FORK_PROOF, &forged->base);
    trace_run(t, 50);
    puppet_fini(&at.p);
    call(t, &at);
    trace_tell(
        t,
        "Both are gulou's, and differ at 4.  It is kept, told to people and passed on; gulou's own current origin is "
        "struck out.");
    trace_say(t, &at.p, HALLSYNC__PEER_TYPE__PEER_FORK_PROOF, &proof(&at, 4, piece(&at, 4, 5))->base);
    trace_run(t, 50);
    trace_write(at.gulou, 3201, HS_LANE_MONEY, 1);
    trace_run(t, 50);
    part(&at);
}

static void pieces_behind_segments(struct trace *t)
{
    struct table at;
    set_back(t, &at, 2);
    struct world_node *hub2 = world_hub(t->w, "hub-2");
    t->is_quiet = true;
    world_start(hub2);
    world_call(hub2, at.hub);
    trace_run(t, 300);
    t->w->line_bytes_per_s = 8000;
    for (unsigned i = 0; i < 5; i++) {
        uint8_t bills[8000];
        for (size_t k = 0; k < sizeof bills; k += 8)
            hs_be64(bills + k, world_random(t->w));
        world_write(at.hub, 3202, HS_LANE_BULK, bills, sizeof bills);
    }
    trace_zero(t);
    t->hidden |= TRACE_GREETING | TRACE_TYPE(ACK) | TRACE_TYPE(OPENING) | TRACE_TYPE(DISPUTE);
    trace_tell(
        t, "Hub-2 holds 1 to 5 too.  It is being sent 40,000 bytes of bills over a slow line when gulou comes with 4' "
           "and 5': the proof goes at once, the piece when all bills are on their way.");
    world_call(at.gulou, at.hub);
    trace_run(t, 6000);
    clear(&at);
}

/* Gulou wrote for a district that it does not hold, was resumed, and wrote for it again. */
static void of_another_district(struct trace *t)
{
    struct trace_pair pair = trace_pair(t);
    struct world_store copy;
    t->is_quiet = true;
    struct hs_stream stream = trace_write(pair.hall, 3209, HS_LANE_MONEY, 1);
    world_store_copy(&pair.hall->store, &copy);
    trace_write(pair.hall, 3209, HS_LANE_MONEY, 1);
    trace_run(t, 100);
    world_stop(pair.hall);
    trace_run(t, 100);
    world_store_fini(&pair.hall->store);
    pair.hall->store = copy;
    world_start(pair.hall);
    world_write_text(pair.hall, 3209, HS_LANE_MONEY, "after the machine was resumed");
    trace_zero(t);
    t->hides_arrivals = true;
    t->hidden |= TRACE_TYPE(ACK) | TRACE_TYPE(FRONTIER);
    trace_tell(t, "Gulou wrote 1 and 2 for district 3209, was resumed as it was after 1, and wrote 2'.");
    world_call(pair.hall, pair.hub);
    trace_run(t, 200);
    trace_tell(
        t, "It heard of its fork.  The lost 2 it does not get back: it is not of its districts, and the hub has it.");
    trace_holds(t, pair.hub, &stream);
    trace_holds(t, pair.hall, &stream);
    trace_cut(t, &t->w->links[t->w->link_count - 1]);
    trace_tell(
        t,
        "In the next session each again hears that the other's set is not its own: gulou may not have the hub's, and "
        "what it has the hub holds.  Nothing new comes of it.");
    world_call(pair.hall, pair.hub);
    trace_run(t, 300);
}

static void samples_of_a_long_stream(struct trace *t)
{
    struct world_node *hub = world_hub(t->w, "hub"), *gulou = world_hall(t->w, "gulou", GULOU, 1);
    struct puppet p;
    t->is_quiet = true;
    struct hs_stream stream = trace_write(hub, 3201, HS_LANE_WORK, 100);
    world_start(hub);
    world_store_fini(&gulou->store);
    world_store_copy(&hub->store, &gulou->store);
    trace_puppet_calls(&p, gulou, hub);
    trace_say_hello(t, &p);
    trace_run(t, 50);
    trace_zero(t);
    trace_tell(t, "Gulou names a hash for 100 that is not the hub's.");
    world_store_stream(&gulou->store, &stream)->ops[99].hash.bytes[0] ^= 1;
    trace_say_head(t, &p, &stream, 100, gulou);
    trace_run(t, 50);
    puppet_fini(&p);
}

/* ---- rollback ---- */

static void named_beyond(struct trace *t)
{
    struct table at;
    set_back(t, &at, 0);
    trace_tell(t, "Gulou handed in 1 to 5 and was set back to 3; it has written nothing since, and does not know.");
    world_call(at.gulou, at.hub);
    trace_run(t, 200);
    trace_tell(t, "Its own 4 and 5 came back like anybody else's.  What it writes now has another origin.");
    trace_holds(t, at.gulou, &at.stream);
    trace_write(at.gulou, 3201, HS_LANE_MONEY, 1);
    clear(&at);
}

/* The hub sends 4 and 5 at once, without having been told where gulou is. */
static void not_before_it_is_struck_out(struct trace *t)
{
    struct table at;
    meet(t, &at, 0);
    trace_tell(
        t, "Gulou was set back from 5 to 3, and the hub sends 4 and 5 at once.  They are dropped, for whoever holds "
           "them under this origin must not go on writing under it.");
    trace_say_segment(t, &at.p, &at.stream, 4, 5);
    trace_run(t, 50);
    trace_tell(t, "Now that the origin is struck out gulou has said where it is.");
    trace_say_segment(t, &at.p, &at.stream, 4, 5);
    trace_run(t, 50);
    trace_holds(t, at.gulou, &at.stream);
    part(&at);
}

/* ---- */

const struct trace_scenario TRACE_FORK[] = {
    {"fork",
     "A machine that was resumed with its memory signs two contents under one number: both are kept, people are told.",
     {"A writer that goes on from an older state of its store under the same origin signs two contents for one number. "
      "Section 2 makes this an accident of machines that were resumed with their memory, or the work of a stolen key; "
      "either way both contents may hold money.",
      "and MUST NOT sign two different h(n) for one (stream, n).",
      "If the stream is of the node's own current origin, the node MUST write no more under that origin."},
     a_fork_is_found},
    {"fork-spreads",
     "The proof and both branches reach everybody who may have the stream.",
     {"A proof is kept for ever, told to people, and sent once, when it is committed, to every live peer that may be "
      "told "
      "of the stream; behind it goes a dispute, or where nothing of the stream is held an announcement, which the peer "
      "answers with the pieces that are missing.",
      "A node whose forked stream a list names otherwise, or leaves out, sends opening, proof and dispute (or "
      "announcement), and to a peer that holds nothing of it all pieces."},
     everybody_hears},
    {"fork-equal",
     "Nodes that hold the same operations of a forked stream agree.",
     {"In lists and hashes a forked stream stands with n = the number of distinct operations held on all its branches,",
      "so nodes that hold the same operations agree, whatever way those came."},
     equal_sets},
    {"fork-dispute",
     "\"This is not what I hold\": the other side sends where they part.",
     {"and finds the highest number at which the samples agree with its own chain. If there is a higher one at which "
      "they "
      "do not agree, it sends its own operations behind the common number as loose pieces, if it may;"},
     a_dispute_is_answered},
    {"fork-dispute-unclear",
     "Samples that do not show the place are answered by better ones.",
     {"if the samples do not show where the chains part, it answers with a dispute of its own."},
     samples_that_do_not_show},
    {"fork-samples",
     "A dispute names the place where chains part to within its distance from the end.",
     {"A head with n at most what is held, and another hash than one's own h(n), is a parting of ways: section 9.",
      "A node that sees that a peer's stream is not its own (a head whose hash differs, or a segment whose checkpoint "
      "does "
      "not verify), holds something of it and may tell the peer of it, sends `PeerDispute`: its newest checkpoint "
      "(`n`, "
      "`hash` whole, `signature`), and `samples`, the heads at n-1, n-2, n-4, n-8... above 0, descending, at most 64."},
     samples_of_a_long_stream},
    {"fork-own-elsewhere",
     "A hall hears that its own streams have forked, whatever they are about.",
     {"It *may tell* a peer of a stream (receipts, disputes, proofs of forks) if it may send it, or if the stream is "
      "the "
      "peer's own."},
     of_another_district},
    {"fork-dispute-refused",
     "A dispute must be signed by who wrote the stream.",
     {"The receiver ends the session if the checkpoint's signature does not hold. If it does not know the stream, or "
      "may "
      "not tell the peer of it, it drops the dispute.",
      "| samples of a dispute | 64 | session ends |"},
     disputes_that_are_none},
    {"fork-dispute-lifted",
     "A disputed stream rests until the peer says where it is.",
     {"From then on it sends nothing of the stream by number in this session until an announcement (8.4) names it."},
     until_an_announcement},
    {"fork-piece-refused",
     "A loose piece is verified by itself.",
     {"The receiver ends the session if the form or the signature do not hold, if the origin's opening has not come, "
      "or if "
      "it is none of those that the peer may tell it of."},
     pieces_that_do_not_hold},
    {"fork-piece",
     "What differs is the proof, what is new is kept, all else is dropped.",
     {"It costs credit.",
      "If the stream is not forked at the receiver and the piece differs from what it holds, it makes a fork proof; if "
      "it "
      "does not differ, it drops the piece. If the stream is forked, it stores the piece if that has an operation that "
      "it "
      "does not hold on any branch,",
      "From then on the stream is *forked* at this node: nobody takes or sends it by number."},
     a_piece_that_is_held},
    {"fork-proof",
     "A proof is believed when it proves something.",
     {"The receiver verifies both signatures and that the hashes differ; if not, the session ends.",
      "the node MUST write no more under that origin."},
     proofs},
    {"fork-last",
     "Money that is not disputed goes first.",
     {"Loose pieces go behind all segments."},
     pieces_behind_segments},
    {"rollback",
     "A node that was set back without knowing hears of it from what others hold.",
     {"A node that finds its own current origin named beyond its last number (in a head, a segment, an ack, a receipt, "
      "a "
      "dispute) has been set back without knowing, or is lied to. It MUST strike the origin out before its next write, "
      "MUST NOT take the operations named before that is stored, and MUST tell its operator who named it; then it "
      "announces where it is and takes its own lost operations like anybody else's."},
     named_beyond},
    {"rollback-segment",
     "What was lost is taken back only when nothing more is written under its origin.",
     {"MUST NOT take the operations named before that is stored,"},
     not_before_it_is_struck_out},
    {0},
};
