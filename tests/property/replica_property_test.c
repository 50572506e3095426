/* replica_property_test.c -- random schedules: writes, losses, doubles, swaps, flipped bits, cuts, restarts, failing
 * stores, older copies of stores coming back.  After each step: nobody holds what is outside his scope, no credit is
 * overdrawn, no session grows, and no frame names anything that its receiver may not have.  After healing: whatever any
 * store still had is everywhere it belongs, frontiers and digests are equal.
 *
 * HS_SEED=n runs one world; HS_WORLDS=n that many, from HS_SEED or 1 on. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "storage/model/record.h"
#include "tests/lib/replica_watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS             400
#define SESSION_BYTES_MAX (96 * 1024)
#define DIALS_MAX         8

static const hs_partition PLACES[] = {3201, 3202, 3203, HS_PARTITION_REGION};

/* ---- shapes of worlds ---- */

struct shape {
    const char *name;
    size_t hubs, halls;
    unsigned dials[DIALS_MAX][2]; /* who dials whom: hubs first, then halls, then witnesses */
    size_t dial_count;
    size_t witnesses;
    bool is_tiered; /* the first hub has everything, the others a part each; so have the halls */
};
static const struct shape SHAPES[] = {
    {"hall-hub", 1, 1, {{1, 0}}, 1, 0, false},
    {"hall-hub-hall", 1, 2, {{1, 0}, {2, 0}}, 2, 0, false},
    {"hub-hub", 2, 0, {{1, 0}}, 1, 0, false},
    {"hall-hub-hub-hall", 2, 2, {{1, 0}, {2, 0}, {3, 1}}, 3, 0, false},
    {"hall with two hubs", 2, 1, {{2, 0}, {2, 1}, {0, 1}}, 3, 0, false},
    {"hubs that dial each other", 2, 2, {{0, 1}, {1, 0}, {2, 0}, {3, 1}}, 4, 0, false},
    {"three tiers", 3, 2, {{1, 0}, {2, 0}, {3, 1}, {4, 2}}, 4, 0, true},
    {"three tiers, twin cities", 4, 2, {{1, 0}, {2, 0}, {3, 2}, {4, 1}, {5, 3}}, 5, 0, true},
    {"hall and witness", 1, 1, {{1, 0}, {1, 2}}, 2, 1, false},
    {"witness with a line of its own", 2, 1, {{2, 0}, {2, 3}, {3, 0}, {1, 0}}, 4, 1, false},
};

static const hs_partition CITY_1[] = {3201}, CITY_2[] = {3202, 3203};

struct run {
    struct world *w;
    const struct shape *shape;
    struct world_link *links[DIALS_MAX];
    struct world_store copies[WORLD_NODES_MAX];
    bool copied[WORLD_NODES_MAX];
    bool forks;  /* stores may come back with their memory */
    bool flips;  /* bits flip on the way */
    bool states; /* hubs prune, halls are made anew; no store comes back */
    uint64_t written;
    struct world_watched watched;
};

static size_t below(struct run *run, size_t count)
{
    return (size_t)(world_random(run->w) % count);
}

static struct world_node *any_node(struct run *run)
{
    return run->w->nodes[below(run, run->w->node_count)];
}

/* ---- actions ---- */

static void redial(struct run *run, size_t i)
{
    struct world_link *link = run->links[i];
    struct world_node *from = run->w->nodes[run->shape->dials[i][0]], *to = run->w->nodes[run->shape->dials[i][1]];
    if (link != NULL && link->up[0] && link->up[1])
        return;
    if (link != NULL)
        world_cut(link);
    run->links[i] = world_dial(from, to);
}

static void act_write(struct run *run)
{
    struct world_node *node = run->w->nodes[below(run, run->shape->hubs + run->shape->halls)];
    char text[600];
    int size = snprintf(text, sizeof text, "op %" PRIu64 " of %s ", ++run->written, node->certificate.node_id);
    size_t more = below(run, 20) == 0 ? 500 : below(run, 40);
    memset(text + size, 'x', more);
    hs_partition place = PLACES[below(run, sizeof PLACES / sizeof *PLACES)];
    world_write(node, place, (enum hs_lane)(1 + below(run, 4)), text, (size_t)size + more);
}

static void act_deliver(struct run *run)
{
    struct world_link *link = run->links[below(run, run->shape->dial_count)];
    if (link != NULL)
        world_deliver(link, (int)below(run, 2));
}

static void act_store(struct run *run)
{
    world_store_next(any_node(run), 1 + below(run, 4));
}

static void act_fault(struct run *run)
{
    size_t dial = below(run, run->shape->dial_count);
    struct world_link *link = run->links[dial];
    int to = (int)below(run, 2);
    if (link == NULL)
        return;
    switch (below(run, 4)) {
    case 0:
        world_lose(link, to);
        break;
    case 1:
        world_double(link, to);
        break;
    case 2:
        world_swap(link, to);
        break;
    default:
        world_cut(link);
        break;
    }
}

static void act_flip(struct run *run)
{
    struct world_link *link = run->links[below(run, run->shape->dial_count)];
    if (run->flips && link != NULL)
        world_flip(link, (int)below(run, 2));
}

static void act_fail_store(struct run *run)
{
    struct world_node *node = any_node(run);
    node->store_fails = HS_EFULL;
    world_store_next(node, 2);
    node->store_fails = HS_OK;
}

static void act_restart(struct run *run)
{
    struct world_node *node = any_node(run);
    world_stop(node);
    if (below(run, 2) == 0)
        node->store.current = 0; /* continuity not proven */
    world_start(node);
}

static size_t index_of(const struct run *run, const struct world_node *node)
{
    size_t i = 0;
    while (run->w->nodes[i] != node)
        i++;
    return i;
}

static void act_copy(struct run *run)
{
    struct world_node *node = any_node(run);
    size_t i = index_of(run, node);
    world_store_fini(&run->copies[i]);
    world_store_copy(&node->store, &run->copies[i]);
    run->copied[i] = true;
}

/* An older copy comes back: with a fresh origin, or, if forks are allowed, going on in its old one. */
static void act_put_back(struct run *run)
{
    struct world_node *node = any_node(run);
    size_t i = index_of(run, node);
    if (!run->copied[i] || run->states)
        return;
    uint64_t commit = node->store.commit;
    world_stop(node);
    world_store_fini(&node->store);
    world_store_copy(&run->copies[i], &node->store);
    node->store.commit = commit;
    if (!run->forks || below(run, 3) > 0)
        node->store.current = 0;
    world_start(node);
}

/* A hub forgets what it holds of a stream, up to some checkpoint. */
static void act_prune(struct run *run)
{
    struct world_node *hub = run->w->nodes[below(run, run->shape->hubs)];
    if (!run->states || hub->store.stream_count == 0)
        return;
    const struct world_stream *stream = &hub->store.streams[below(run, hub->store.stream_count)];
    if (stream->name.lane == HS_LANE_MONEY || stream->checkpoint_count == 0 ||
        world_store_forked(&hub->store, &stream->name) || !world_in_scope(hub, stream->name.partition))
        return; /* what only passes through here has no states */
    world_prune(hub, &stream->name, stream->checkpoints[below(run, stream->checkpoint_count)].n);
}

/* A hall loses its disk; its certificate is put onto a new one, whose store wants to be filled. */
static void act_rebuild(struct run *run)
{
    if (!run->states || run->shape->halls == 0)
        return;
    struct world_node *hall = run->w->nodes[run->shape->hubs + below(run, run->shape->halls)];
    world_lose_disk(hall);
    world_fill_scope(hall);
    world_start(hall);
}

/* A hub's records are behind its log for a while. */
static void act_late(struct run *run)
{
    struct world_node *hub = run->w->nodes[below(run, run->shape->hubs)];
    if (run->states)
        hub->records_late = below(run, 3);
}

static void act_time(struct run *run)
{
    run->w->now_ms += below(run, 300);
    for (size_t i = 0; i < run->w->node_count; i++) {
        if (run->w->nodes[i]->wake_ms <= run->w->now_ms)
            world_tick(run->w->nodes[i]);
    }
}

static void act_redial(struct run *run)
{
    redial(run, below(run, run->shape->dial_count));
}

static const struct {
    void (*act)(struct run *run);
    unsigned weight;
} ACTIONS[] = {{act_write, 20},  {act_deliver, 60}, {act_store, 20},  {act_fault, 2},    {act_fail_store, 1},
               {act_restart, 1}, {act_flip, 3},     {act_copy, 2},    {act_put_back, 1}, {act_time, 10},
               {act_redial, 4},  {act_prune, 3},    {act_rebuild, 1}, {act_late, 2}};

static void act(struct run *run)
{
    unsigned total = 0;
    for (size_t i = 0; i < sizeof ACTIONS / sizeof *ACTIONS; i++)
        total += ACTIONS[i].weight;
    unsigned pick = (unsigned)below(run, total);
    size_t at = 0;
    for (; pick >= ACTIONS[at].weight; at++)
        pick -= ACTIONS[at].weight;
    ACTIONS[at].act(run);
}

/* ---- what must always hold ---- */

static bool is_own(const struct world_node *node, uint64_t origin)
{
    const struct world_origin *found = world_store_origin(&node->store, origin);
    struct hs_certificate writer;
    return found != NULL &&
           hs_certificate_verify(hs_buf_bytes(&found->certificate), &node->world->root_key, &writer) == HS_OK &&
           hs_key_equal(&writer.node_key, &node->certificate.node_key);
}

/* Hubs and witnesses hold besides what nodes wrote that are at home with them. */
static bool is_from_below(const struct world_node *node, uint64_t origin)
{
    const struct world_node *writer = world_writer(node->world, origin);
    hs_partition home = writer == NULL ? HS_PARTITION_REGION : writer->certificate.home;
    if (node->certificate.role == HS_ROLE_WITNESS)
        return hs_certificate_names(&node->certificate, home);
    return node->certificate.role == HS_ROLE_HUB && home != HS_PARTITION_REGION && world_in_scope(node, home);
}

static bool in_scope(const struct world_node *node)
{
    for (size_t i = 0; i < node->store.stream_count; i++) {
        const struct hs_stream *name = &node->store.streams[i].name;
        if (!world_in_scope(node, name->partition) && !is_own(node, name->origin) && !is_from_below(node, name->origin))
            return false;
    }
    return true;
}

static bool notices_fit(const struct run *run, const struct world_node *node)
{
    for (size_t i = 0; i < node->notice_count; i++) {
        const struct world_notice *notice = &node->notices[i];
        bool odd = notice->type == HS_NOTICE_DAMAGE || notice->err == HS_ECREDIT || notice->err == HS_ESCOPE ||
                   notice->err == HS_ESIGNATURE || notice->err == HS_ECERT || notice->type == HS_NOTICE_REFUSED;
        bool forked = notice->type == HS_NOTICE_FORK || notice->type == HS_NOTICE_STREAM_STOPPED ||
                      notice->type == HS_NOTICE_NAMED_BEYOND;
        bool stopped = notice->type == HS_NOTICE_STREAM_STOPPED;
        bool told = run->flips &&
                    notice->type != HS_NOTICE_FORK; /* anything may be said of garbled messages but this */
        if (!told && ((odd && !stopped) || (forked && !run->forks))) {
            print_error("%s: notice %d %s: %s\n", node->certificate.node_id, notice->type, hs_err_name(notice->err),
                        notice->text);
            return false;
        }
    }
    return true;
}

static bool sessions_fit(const struct world_node *node)
{
    struct hs_peer_status all[16];
    size_t count = node->replica == NULL ? 0 : hs_replica_peers(node->replica, all, 16);
    for (size_t i = 0; i < count; i++) {
        if (all[i].memory_bytes > SESSION_BYTES_MAX)
            return false;
    }
    return true;
}

static bool holds(struct run *run)
{
    bool good = true;
    for (size_t i = 0; i < run->w->node_count; i++) {
        struct world_node *node = run->w->nodes[i];
        good &= notices_fit(run, node) && sessions_fit(node);
        node->notice_count = 0;
    }
    if (run->watched.bad > 0)
        print_error("%s\n", run->watched.first);
    return good && run->watched.bad == 0;
}

/* ---- what must hold in the end ---- */

static bool has_record(const struct world_node *node, hs_partition partition, struct hs_bytes state)
{
    struct hs_record record;
    struct hs_arena arena;
    hs_arena_init(&arena, 0);
    bool has = hs_record_decode(state, &arena, &record) == HS_OK && record.variant_count == 1 &&
               world_store_has(&node->store, partition, record.variants[0].bytes);
    hs_arena_fini(&arena);
    return has;
}

static bool has_all_of(const struct world_node *node, const struct world_store *had)
{
    for (size_t i = 0; i < had->stream_count; i++) {
        const struct world_stream *stream = &had->streams[i];
        if (!world_in_scope(node, stream->name.partition))
            continue;
        for (size_t n = stream->base; n < stream->count; n++) {
            if (!world_store_has(&node->store, stream->name.partition, hs_buf_bytes(&stream->ops[n].bytes)))
                return false;
        }
    }
    for (size_t i = 0; i < had->state_count; i++) {
        hs_partition partition = hs_from_be16(had->states[i].key.data);
        struct hs_bytes state = hs_buf_bytes(&had->states[i].state);
        if (world_in_scope(node, partition) && !has_record(node, partition, state))
            return false;
    }
    return true;
}

static void heal(struct run *run)
{
    for (size_t i = 0; i < run->w->node_count; i++)
        run->w->nodes[i]->store_fails = HS_OK;
    for (size_t i = 0; i < run->w->node_count; i++)
        run->w->nodes[i]->records_late = 0;
    for (size_t i = 0; run->flips && i < run->w->node_count; i++) { /* streams that were stopped go on */
        world_stop(run->w->nodes[i]);
        world_start(run->w->nodes[i]);
    }
    unsigned rounds = run->states ? 10 : 3; /* pauses between fills take up to half a minute */
    for (unsigned round = 0; round < rounds; round++) {
        for (size_t i = 0; i < run->shape->dial_count; i++)
            redial(run, i);
        world_advance(run->w, 9000);
    }
}

/* A witness without a line to a hub gives its halls back what is of their districts; what they wrote for others stays
 * there if they lose it. */
static bool keeps_back(const struct run *run, size_t k)
{
    bool is_witness = run->w->nodes[k]->certificate.role == HS_ROLE_WITNESS;
    bool dials = false;
    for (size_t i = 0; i < run->shape->dial_count; i++)
        dials |= run->shape->dials[i][0] == k;
    return is_witness && !dials;
}

/* A witness may lack what it need not have. */
static bool agree(const struct world_node *a, const struct world_node *b)
{
    bool witness = a->certificate.role == HS_ROLE_WITNESS || b->certificate.role == HS_ROLE_WITNESS;
    return witness || world_same(a, b);
}

static bool healed(struct run *run, const struct world_store *had)
{
    bool good = true;
    struct world *w = run->w;
    for (size_t i = 0; i < w->node_count && good; i++) {
        for (size_t k = 0; k < w->node_count && good; k++)
            good = (keeps_back(run, k) || has_all_of(w->nodes[i], &had[k])) && agree(w->nodes[i], w->nodes[k]);
        good = good && in_scope(w->nodes[i]) && w->nodes[i]->store.fill_count == 0;
        if (!good)
            print_error("%s lacks something or holds too much\n", w->nodes[i]->certificate.node_id);
    }
    return good;
}

/* Everybody finds the digests of the common view equal. */
static bool compared(struct run *run)
{
    size_t expected = 0, equal = 0;
    for (size_t i = 0; i < run->w->node_count; i++)
        run->w->nodes[i]->notice_count = 0;
    for (size_t i = 0; i < run->w->node_count; i++)
        world_compare(run->w->nodes[i]);
    world_advance(run->w, 3000);
    for (size_t i = 0; i < run->shape->dial_count; i++) {
        const struct world_link *link = run->links[i];
        bool compares = link->end[0]->certificate.role != HS_ROLE_WITNESS &&
                        link->end[1]->certificate.role != HS_ROLE_WITNESS;
        expected += compares && world_live(link) ? 2 : 0;
    }
    if (expected == 0)
        return false;
    for (size_t i = 0; i < run->w->node_count; i++)
        equal += world_notices(run->w->nodes[i], HS_NOTICE_EQUAL);
    return equal >= expected;
}

/* ---- runs ---- */

static void build_hubs(struct run *run)
{
    char id[16];
    for (size_t i = 0; i < run->shape->hubs; i++) {
        bool city = run->shape->is_tiered && i > 0;
        snprintf(id, sizeof id, "hub-%u", (unsigned)(i + 1) & 7);
        struct world_node *hub = world_hub_at(run->w, id, i == 1 ? 3201 : 3202);
        if (city)
            world_narrow(hub, i == 1 ? CITY_1 : CITY_2, i == 1 ? 1 : 2);
    }
}

static void build(struct run *run)
{
    static const hs_partition DISTRICTS[][2] = {{3201, 3202}, {3202, 3203}};
    char id[16];
    build_hubs(run);
    for (size_t i = 0; i < run->shape->halls; i++) {
        snprintf(id, sizeof id, "hall-%u", (unsigned)(i + 1) & 7);
        if (run->shape->is_tiered)
            world_hall(run->w, id, i == 0 ? CITY_1 : CITY_2, i == 0 ? 1 : 2);
        else
            world_hall(run->w, id, DISTRICTS[i], 2);
    }
    for (size_t i = 0; i < run->shape->witnesses; i++)
        world_witness(run->w, "witness", DISTRICTS[0], 2);
    for (size_t i = 0; i < run->w->node_count; i++) {
        run->w->nodes[i]->credit_bytes = HS_CREDIT_BYTES_MIN;
        world_start(run->w->nodes[i]);
    }
    world_look_at(run->w, &run->watched);
}

static bool run_world(uint64_t seed, bool forks, bool flips, bool states)
{
    const struct shape *shape = &SHAPES[seed % (sizeof SHAPES / sizeof *SHAPES)];
    struct run run = {.w = world_new(seed), .shape = shape, .forks = forks, .flips = flips, .states = states};
    struct world_store had[WORLD_NODES_MAX];
    bool good = true;
    build(&run);
    for (unsigned i = 0; i < STEPS && good; i++) {
        act(&run);
        good = holds(&run);
    }
    for (size_t i = 0; i < run.w->node_count; i++)
        world_store_copy(&run.w->nodes[i]->store, &had[i]);
    heal(&run);
    good = good && holds(&run) && healed(&run, had) && compared(&run);
    if (!good)
        print_error("HS_SEED=%" PRIu64 " (%s%s%s)\n", seed, shape->name, forks ? ", forks" : "",
                    flips    ? ", flips"
                    : states ? ", states"
                             : "");
    for (size_t i = 0; i < run.w->node_count; i++) {
        world_store_fini(&had[i]);
        world_store_fini(&run.copies[i]);
    }
    world_free(run.w);
    return good;
}

static uint64_t from_env(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static void run_worlds(bool forks, bool flips, bool states, uint64_t count)
{
    uint64_t first = from_env("HS_SEED", 1);
    uint64_t worlds = from_env("HS_WORLDS", getenv("HS_SEED") == NULL ? count : 1);
    for (uint64_t seed = first; seed < first + worlds; seed++)
        assert_true(run_world(seed, forks, flips, states));
}

static void random_schedules_converge(void **state)
{
    (void)state;
    run_worlds(false, false, false, 120);
}

static void random_schedules_with_forks_keep_all_facts(void **state)
{
    (void)state;
    run_worlds(true, false, false, 80);
}

static void garbled_messages_do_no_lasting_harm(void **state)
{
    (void)state;
    run_worlds(false, true, false, 60);
}

static void logs_that_are_pruned_and_halls_made_anew_converge(void **state)
{
    (void)state;
    run_worlds(false, false, true, 120);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_schedules_converge),
        cmocka_unit_test(random_schedules_with_forks_keep_all_facts),
        cmocka_unit_test(garbled_messages_do_no_lasting_harm),
        cmocka_unit_test(logs_that_are_pruned_and_halls_made_anew_converge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
