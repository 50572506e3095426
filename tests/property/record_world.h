/* record_world.h -- small random worlds for the property tests of storage/model/record.h: origins that write one
 * record, replicas that take their operations in any order (of one origin in its own), again and again, and join their
 * states.  In some worlds writers name too little, in some they lie, in some an origin has signed two contents under
 * one number. */
#ifndef HS_TESTS_RECORD_WORLD_H
#define HS_TESTS_RECORD_WORLD_H

#include "tests/lib/random.h"

#include "proto/msg/tlv.h"
#include "storage/model/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_SEED 20261121
#define ORIGINS_MAX  5
#define ACTS_MAX     48 /* of one origin */
#define FIELDS       5
#define FACTS        3
#define OVER_MAX     128

static uint64_t world_seed; /* of the last world begun */

/* ---- worlds ---- */

static const uint32_t NUMBERS[FIELDS] = {1, 2, 99, 1000, HS_FIELD_NUMBER_MAX};

/* What one op does to the record. */
struct act {
    struct hs_dot dot;
    hs_stamp stamp;
    struct hs_write write;
    struct act *twin; /* other content under the same dot */
};

struct replica {
    struct hs_record record;
    size_t held[ORIGINS_MAX]; /* of each origin the first so many acts */
    bool sees_twins;
};

struct world {
    struct hs_arena arena;
    size_t origin_count;
    uint64_t origins[ORIGINS_MAX];
    struct act acts[ORIGINS_MAX][ACTS_MAX];
    size_t act_count[ORIGINS_MAX];
    struct replica replicas[ORIGINS_MAX];
    bool sloppy; /* names only some of what its writer saw */
    bool lying;  /* names dots that its writer cannot have seen */
    bool forked;
};

static inline void *take(struct world *world, size_t count, size_t size)
{
    void *memory = hs_arena_array(&world->arena, count, size);
    assert_non_null(memory);
    return memory;
}

static inline void world_init(struct world *world, uint64_t seed)
{
    random_state = world_seed = seed;
    memset(world, 0, sizeof *world);
    hs_arena_init(&world->arena, 0);
    world->origin_count = 2 + random_below(ORIGINS_MAX - 1);
    for (size_t i = 0; i < world->origin_count; i++) {
        world->origins[i] = chance(50) ? random_u64() : i + 1;
        world->replicas[i].sees_twins = i % 2 != 0;
    }
    world->sloppy = chance(30);
    world->lying = chance(30);
}

static inline void world_fini(struct world *world)
{
    hs_arena_fini(&world->arena);
}

/* Insert into the ascending array unless it is there. */
static inline void name_dot(struct hs_dot *over, size_t *count, struct hs_dot dot)
{
    size_t at = *count;
    for (size_t i = 0; i < *count; i++) {
        if (hs_dot_compare(&over[i], &dot) == 0)
            return;
    }
    if (*count == OVER_MAX)
        return;
    for (; at > 0 && hs_dot_compare(&over[at - 1], &dot) > 0; at--)
        over[at] = over[at - 1];
    over[at] = dot;
    (*count)++;
}

static inline void name_dots(struct world *world, const struct hs_record *seen, struct hs_field_write *field)
{
    struct hs_dot *over = take(world, OVER_MAX, sizeof *over);
    const struct hs_field_state *state = hs_record_field(seen, field->number);
    for (size_t i = 0; state != NULL && i < state->live_count; i++) {
        if (!world->sloppy || chance(60))
            name_dot(over, &field->over_count, state->live[i].dot);
    }
    for (size_t left = world->lying ? random_below(3) : 0; left > 0; left--) {
        uint64_t origin = chance(95) ? world->origins[random_below(world->origin_count)] : random_u64() % 50;
        name_dot(over, &field->over_count, (struct hs_dot){origin, 1 + random_below(40)});
    }
    field->over = over;
}

/* Few different values, so that equal bytes under several dots come up; one in eight a clear. */
static inline struct hs_bytes random_value(struct world *world, uint32_t number)
{
    if (chance(12))
        return HS_BYTES_NONE;
    struct hs_buf buf = {0};
    hs_tlv_put_u64(&buf, number, random_below(chance(50) ? 4 : 100000));
    if (chance(10))
        hs_tlv_put_text(&buf, number, "a second occurrence");
    struct hs_bytes value = hs_arena_copy(&world->arena, hs_buf_bytes(&buf));
    hs_buf_fini(&buf);
    return value;
}

static inline struct hs_write random_registers(struct world *world, const struct hs_record *seen)
{
    struct hs_write write = {.kind = 4711, .id = HS_BYTES("r", 1)};
    struct hs_field_write *fields = take(world, FIELDS, sizeof *fields);
    while (write.field_count == 0) {
        for (size_t i = 0; i < FIELDS; i++) {
            if (!chance(30))
                continue;
            struct hs_field_write *field = &fields[write.field_count++];
            field->number = NUMBERS[i];
            field->value = random_value(world, field->number);
            name_dots(world, seen, field);
        }
    }
    write.fields = fields;
    return write;
}

static inline struct hs_write random_fact(void)
{
    static const char *const CONTENTS[FACTS] = {"", "paid 100", "paid 120"};
    const char *content = CONTENTS[random_below(FACTS)];
    return (struct hs_write){
        .kind = 4711, .id = HS_BYTES("r", 1), .is_fact = true, .fact = HS_BYTES(content, strlen(content))};
}

static inline struct hs_write random_write(struct world *world, const struct hs_record *seen)
{
    return chance(20) ? random_fact() : random_registers(world, seen);
}

static inline const struct act *seen_act(const struct replica *replica, const struct act *act)
{
    return replica->sees_twins && act->twin != NULL ? act->twin : act;
}

static inline void apply(struct world *world, struct hs_record *record, const struct act *act)
{
    assert_int_equal(hs_record_apply(record, &act->dot, act->stamp, &act->write, &world->arena), HS_OK);
}

static inline struct hs_record join(struct world *world, const struct hs_record *a, const struct hs_record *b)
{
    struct hs_record out;
    assert_int_equal(hs_record_join(a, b, &world->arena, &out), HS_OK);
    return out;
}

/* ---- steps ---- */

/* A replica writes only as its own origin, and only what follows all that this origin wrote. */
static inline void step_write(struct world *world, size_t i)
{
    struct replica *replica = &world->replicas[i];
    size_t count = world->act_count[i];
    if (count == ACTS_MAX || replica->held[i] < count)
        return;
    struct act *act = &world->acts[i][count];
    act->dot.origin = world->origins[i];
    act->dot.n = (count != 0 ? act[-1].dot.n : 0) + 1 + random_below(3);
    act->stamp = chance(80) ? hs_record_stamp(&replica->record) + 1 : random_below(1000);
    act->write = random_write(world, &replica->record);
    if (world->forked && chance(50)) {
        act->twin = take(world, 1, sizeof *act->twin);
        *act->twin = *act;
        act->twin->twin = NULL;
        act->twin->stamp += random_below(2);
        act->twin->write = random_write(world, &replica->record);
    }
    world->act_count[i]++;
    replica->held[i]++;
    apply(world, &replica->record, seen_act(replica, act));
}

static inline void step_deliver(struct world *world, struct replica *replica)
{
    size_t o = random_below(world->origin_count);
    for (size_t left = chance(30) ? replica->held[o] : 0; left > 0; left--) /* again, in any order */
        apply(world, &replica->record, seen_act(replica, &world->acts[o][random_below(replica->held[o])]));
    for (size_t left = 1 + random_below(3); left > 0 && replica->held[o] < world->act_count[o]; left--)
        apply(world, &replica->record, seen_act(replica, &world->acts[o][replica->held[o]++]));
}

static inline void step_join(struct world *world, struct replica *replica)
{
    const struct replica *other = &world->replicas[random_below(world->origin_count)];
    replica->record = join(world, &replica->record, &other->record);
    for (size_t o = 0; o < world->origin_count; o++) {
        if (replica->held[o] < other->held[o])
            replica->held[o] = other->held[o];
    }
}

static inline void step(struct world *world)
{
    size_t i = random_below(world->origin_count);
    size_t what = random_below(10);
    if (what < 4)
        step_write(world, i);
    else if (what < 9)
        step_deliver(world, &world->replicas[i]);
    else
        step_join(world, &world->replicas[i]);
}

/* ---- running ---- */

/* What to type to see a failure again. */
static inline void print_repeat(uint64_t seed, size_t worlds)
{
    fprintf(stderr, "failed with HS_SEED=%llu HS_WORLDS=%zu; the last world alone: HS_SEED=%llu HS_WORLDS=1\n",
            (unsigned long long)seed, worlds, (unsigned long long)world_seed);
}

#endif
