/* replica_revoke_property_test.c -- random schedules in which a hall's key is revoked.  Once both hubs know, they take
 * nothing of it that no hub had; what a hub had comes to all; what a witness has besides waits for a release, and after
 * it is everywhere.
 *
 * HS_SEED=n runs one world; HS_WORLDS=n that many, from HS_SEED or 1 on. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/lib/replica_watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { HUB_1, HUB_2, THIEF, HALL, WITNESS, NODES };
enum { STEPS = 300, STREAMS_MAX = 64, WAITING_MAX = 64 };

static const unsigned DIALS[][2] = {{THIEF, HUB_1}, {THIEF, WITNESS}, {HUB_1, HUB_2}, {HALL, HUB_2}, {WITNESS, HUB_1}};
#define DIAL_COUNT (sizeof DIALS / sizeof *DIALS)

struct most {
    struct hs_stream stream;
    uint64_t n;
};

struct run {
    struct world *w;
    struct world_link *links[DIAL_COUNT];
    uint64_t written;
    unsigned revoked_at; /* step */
    bool known;          /* to both hubs: from then on ... */
    struct most had[STREAMS_MAX];
    size_t had_count; /* ... no hub has more of it than one of them had */
};

static size_t below(struct run *run, size_t count)
{
    return (size_t)(world_random(run->w) % count);
}

static struct world_node *any_node(struct run *run)
{
    return run->w->nodes[below(run, NODES)];
}

/* ---- the revoked key ---- */

static bool knows(const struct world_node *node, const struct world_node *revoked)
{
    for (size_t i = 0; i < node->store.trust_count; i++) {
        const struct world_trust *trust = &node->store.trusts[i];
        if (!trust->is_release && hs_key_equal(&trust->key, &revoked->certificate.node_key))
            return true;
    }
    return false;
}

static bool is_thiefs(const struct run *run, const struct hs_stream *stream)
{
    return world_writer(run->w, stream->origin) == run->w->nodes[THIEF];
}

static uint64_t *had_of(struct run *run, const struct hs_stream *stream)
{
    size_t i = 0;
    while (i < run->had_count && !hs_stream_equal(&run->had[i].stream, stream))
        i++;
    assert_true(i < STREAMS_MAX);
    if (i == run->had_count)
        run->had[run->had_count++] = (struct most){*stream, 0};
    return &run->had[i].n;
}

/* What both hubs have when the later one of them has heard. */
static void note_what_hubs_have(struct run *run)
{
    const struct world_node *thief = run->w->nodes[THIEF];
    if (run->known || !knows(run->w->nodes[HUB_1], thief) || !knows(run->w->nodes[HUB_2], thief))
        return;
    run->known = true;
    for (size_t h = HUB_1; h <= HUB_2; h++) {
        const struct world_store *store = &run->w->nodes[h]->store;
        for (size_t i = 0; i < store->stream_count; i++) {
            uint64_t *most = is_thiefs(run, &store->streams[i].name) ? had_of(run, &store->streams[i].name) : NULL;
            if (most != NULL && *most < store->streams[i].count)
                *most = store->streams[i].count;
        }
    }
}

static bool hubs_take_no_more(struct run *run)
{
    for (size_t h = HUB_1; run->known && h <= HUB_2; h++) {
        const struct world_store *store = &run->w->nodes[h]->store;
        for (size_t i = 0; i < store->stream_count; i++) {
            const struct world_stream *stream = &store->streams[i];
            if (is_thiefs(run, &stream->name) && stream->count > *had_of(run, &stream->name)) {
                print_error("%s took operation %zu of a revoked key\n", run->w->nodes[h]->certificate.node_id,
                            stream->count);
                return false;
            }
        }
    }
    return true;
}

/* ---- actions ---- */

static void redial(struct run *run, size_t i)
{
    struct world_link *link = run->links[i];
    if (link != NULL && link->up[0] && link->up[1])
        return;
    if (link != NULL)
        world_cut(link);
    run->links[i] = world_dial(run->w->nodes[DIALS[i][0]], run->w->nodes[DIALS[i][1]]);
}

static void write_some(struct run *run)
{
    struct world_node *node = run->w->nodes[below(run, 3) == 0 ? below(run, WITNESS) : THIEF];
    char text[64];
    snprintf(text, sizeof text, "op %" PRIu64, ++run->written);
    world_write_text(node, 3201, (enum hs_lane)(1 + below(run, 4)), text);
}

static void let_time_pass(struct run *run)
{
    run->w->now_ms += below(run, 300);
    for (size_t i = 0; i < run->w->node_count; i++) {
        if (run->w->nodes[i]->wake_ms <= run->w->now_ms)
            world_tick(run->w->nodes[i]);
    }
}

static void restart(struct world_node *node)
{
    world_stop(node);
    world_start(node);
}

static void act(struct run *run)
{
    struct world_link *link = run->links[below(run, DIAL_COUNT)];
    size_t pick = below(run, 100);
    if (pick < 20)
        write_some(run);
    else if (pick < 62 && link != NULL)
        world_deliver(link, (int)below(run, 2));
    else if (pick < 80)
        world_store_next(any_node(run), 1 + below(run, 4));
    else if (pick < 82 && link != NULL)
        world_cut(link);
    else if (pick < 83)
        restart(any_node(run));
    else if (pick < 90)
        let_time_pass(run);
    else
        redial(run, below(run, DIAL_COUNT));
}

/* ---- in the end ---- */

static void heal(struct run *run)
{
    for (unsigned round = 0; round < 5; round++) {
        for (size_t i = 0; i < DIAL_COUNT; i++)
            redial(run, i);
        world_advance(run->w, 9000);
        note_what_hubs_have(run);
    }
}

static bool agree(const struct run *run)
{
    bool good = world_same(run->w->nodes[HUB_1], run->w->nodes[HUB_2]) &&
                world_same(run->w->nodes[HUB_1], run->w->nodes[HALL]);
    for (size_t i = 0; i < NODES; i++)
        good = good && knows(run->w->nodes[i], run->w->nodes[THIEF]);
    if (!good)
        print_error("not everywhere the same, or not known to all\n");
    return good;
}

static bool hubs_have_what_one_had(struct run *run)
{
    for (size_t i = 0; i < run->had_count; i++) {
        if (world_head(run->w->nodes[HUB_1], &run->had[i].stream) != run->had[i].n) {
            print_error("hub-1 has %" PRIu64 " of %" PRIu64 " that a hub had\n",
                        world_head(run->w->nodes[HUB_1], &run->had[i].stream), run->had[i].n);
            return false;
        }
    }
    return run->known;
}

/* Of the witness: what it has of the revoked key and hub-1 has not. */
static bool shows_what_waits(struct run *run, const struct hs_waiting *waiting, size_t count)
{
    const struct world_store *store = &run->w->nodes[WITNESS]->store;
    size_t expected = 0;
    for (size_t i = 0; i < store->stream_count; i++) {
        const struct world_stream *stream = &store->streams[i];
        expected += is_thiefs(run, &stream->name) && stream->count > world_head(run->w->nodes[HUB_1], &stream->name);
    }
    for (size_t i = 0; i < count; i++) {
        if (waiting[i].n != world_head(run->w->nodes[WITNESS], &waiting[i].stream) ||
            waiting[i].behind != world_head(run->w->nodes[HUB_1], &waiting[i].stream))
            expected = SIZE_MAX;
    }
    if (expected != count)
        print_error("%zu streams wait, %zu are shown\n", expected, count);
    return expected == count;
}

static bool is_released(struct run *run)
{
    struct hs_waiting waiting[WAITING_MAX], left[1];
    struct world_node *hub = run->w->nodes[HUB_1];
    size_t count = hs_replica_waiting(hub->replica, waiting, WAITING_MAX);
    if (!shows_what_waits(run, waiting, count))
        return false;
    if (count == 0)
        return true;
    world_release(hub, waiting, count);
    heal(run);
    for (size_t i = 0; i < count; i++) {
        if (world_head(hub, &waiting[i].stream) != waiting[i].n) {
            print_error("what is released does not come\n");
            return false;
        }
    }
    return hs_replica_waiting(hub->replica, left, 1) == 0 && agree(run);
}

/* ---- runs ---- */

static void build(struct run *run)
{
    static const hs_partition DISTRICT[] = {3201};
    world_hub(run->w, "hub-1");
    world_hub(run->w, "hub-2");
    world_hall(run->w, "thief", DISTRICT, 1);
    world_hall(run->w, "hall", DISTRICT, 1);
    world_witness(run->w, "witness", DISTRICT, 1);
    for (size_t i = 0; i < NODES; i++)
        world_start(run->w->nodes[i]);
    run->revoked_at = 50 + (unsigned)below(run, 200);
}

static bool run_world(uint64_t seed, size_t *released)
{
    struct run run = {.w = world_new(seed)};
    bool good = true;
    build(&run);
    for (unsigned i = 0; i < STEPS && good; i++) {
        if (i == run.revoked_at)
            world_revoke(run.w->nodes[below(&run, 2)], run.w->nodes[THIEF], below(&run, 2) == 0);
        act(&run);
        note_what_hubs_have(&run);
        good = hubs_take_no_more(&run);
    }
    heal(&run);
    good = good && agree(&run) && hubs_take_no_more(&run) && hubs_have_what_one_had(&run);
    *released += good && hs_replica_waiting(run.w->nodes[HUB_1]->replica, &(struct hs_waiting){0}, 1) > 0;
    good = good && is_released(&run);
    if (!good)
        print_error("HS_SEED=%" PRIu64 "\n", seed);
    world_free(run.w);
    return good;
}

static uint64_t from_env(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static void a_revoked_key_counts_for_what_hubs_had(void **state)
{
    uint64_t first = from_env("HS_SEED", 1);
    uint64_t worlds = from_env("HS_WORLDS", getenv("HS_SEED") == NULL ? 100 : 1);
    size_t released = 0;
    (void)state;
    for (uint64_t seed = first; seed < first + worlds; seed++)
        assert_true(run_world(seed, &released));
    assert_true(worlds < 100 || released > 10); /* it happens at all */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_revoked_key_counts_for_what_hubs_had)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
