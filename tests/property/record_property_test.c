/* record_property_test.c -- random worlds: replicas that hold the same operations hold the same bytes, and what
 * they hold is what an oracle without any merge says: whatever no write names.
 *
 * HS_SEED=N HS_WORLDS=M (or M as argument) repeats a run. */
#include "tests/property/record_world.h"

#define DEFAULT_WORLDS 6000

static size_t world_count;

/* ---- comparing ---- */

static void assert_same(const struct hs_record *a, const struct hs_record *b)
{
    struct hs_buf left = {0};
    struct hs_buf right = {0};
    hs_record_encode(a, &left);
    hs_record_encode(b, &right);
    assert_int_equal(left.err, HS_OK);
    assert_int_equal(left.size, right.size);
    assert_memory_equal(left.data, right.data, left.size);
    struct hs_hash inputs_a = hs_record_inputs(a);
    struct hs_hash inputs_b = hs_record_inputs(b);
    assert_true(hs_hash_equal(&inputs_a, &inputs_b));
    hs_buf_fini(&left);
    hs_buf_fini(&right);
}

/* Decoded from its own bytes, and the same again. */
static struct hs_record recoded(struct world *world, const struct hs_record *record)
{
    struct hs_buf buf = {0};
    struct hs_record decoded;
    hs_record_encode(record, &buf);
    struct hs_bytes bytes = hs_arena_copy(&world->arena, hs_buf_bytes(&buf));
    hs_buf_fini(&buf);
    assert_int_equal(hs_record_decode(bytes, &world->arena, &decoded), HS_OK);
    assert_same(record, &decoded);
    return decoded;
}

/* ---- the oracle: no merge, only the set of acts ---- */

struct held {
    const struct act *acts[ORIGINS_MAX * ACTS_MAX];
    size_t count;
};

static struct held held_by(const struct world *world, const struct replica *replica)
{
    struct held held = {.count = 0};
    for (size_t o = 0; o < world->origin_count; o++) {
        for (size_t i = 0; i < replica->held[o]; i++)
            held.acts[held.count++] = &world->acts[o][i];
    }
    return held;
}

static const struct hs_field_write *write_to(const struct act *act, uint32_t number)
{
    for (size_t i = 0; i < act->write.field_count; i++) {
        if (act->write.fields[i].number == number)
            return &act->write.fields[i];
    }
    return NULL;
}

static bool act_names(const struct act *act, uint32_t number, const struct hs_dot *dot)
{
    const struct hs_field_write *field = write_to(act, number);
    if (dot->origin == act->dot.origin && dot->n >= act->dot.n)
        return false; /* of its own future */
    for (size_t i = 0; field != NULL && i < field->over_count; i++) {
        if (hs_dot_compare(&field->over[i], dot) == 0)
            return true;
    }
    return false;
}

static bool named(const struct held *held, uint32_t number, const struct hs_dot *dot)
{
    for (size_t i = 0; i < held->count; i++) {
        if (act_names(held->acts[i], number, dot))
            return true;
    }
    return false;
}

static uint64_t highest_applied(const struct held *held, uint64_t origin)
{
    uint64_t highest = 0;
    for (size_t i = 0; i < held->count; i++) {
        const struct act *act = held->acts[i];
        if (!act->write.is_fact && act->dot.origin == origin && act->dot.n > highest)
            highest = act->dot.n;
    }
    return highest;
}

static bool has_live(const struct hs_field_state *field, const struct act *act, struct hs_bytes value)
{
    for (size_t i = 0; field != NULL && i < field->live_count; i++) {
        const struct hs_live *live = &field->live[i];
        if (hs_dot_compare(&live->dot, &act->dot) == 0)
            return live->stamp == act->stamp && hs_bytes_equal(live->value, value);
    }
    return false;
}

static void expect_live(const struct hs_record *record, const struct held *held, uint32_t number)
{
    const struct hs_field_state *field = hs_record_field(record, number);
    size_t expected = 0;
    for (size_t i = 0; i < held->count; i++) {
        const struct hs_field_write *write = write_to(held->acts[i], number);
        if (write == NULL || named(held, number, &held->acts[i]->dot))
            continue;
        assert_true(has_live(field, held->acts[i], write->value));
        expected++;
    }
    assert_int_equal(field != NULL ? field->live_count : 0, expected);
}

static void expect_covered(const struct hs_record *record, const struct held *held, uint32_t number)
{
    const struct hs_field_state *field = hs_record_field(record, number);
    struct hs_dot expected[ORIGINS_MAX * ACTS_MAX * 4];
    size_t count = 0;
    for (size_t i = 0; i < held->count; i++) {
        const struct hs_field_write *write = write_to(held->acts[i], number);
        for (size_t j = 0; write != NULL && j < write->over_count; j++) {
            const struct hs_dot *dot = &write->over[j];
            bool is_new = dot->n > highest_applied(held, dot->origin) && act_names(held->acts[i], number, dot);
            for (size_t k = 0; k < count && is_new; k++)
                is_new = hs_dot_compare(&expected[k], dot) != 0;
            if (is_new)
                expected[count++] = *dot;
        }
    }
    assert_int_equal(field != NULL ? field->covered_count : 0, count);
    for (size_t i = 0; i < count; i++) {
        bool found = false;
        for (size_t j = 0; j < count; j++)
            found = found || hs_dot_compare(&field->covered[j], &expected[i]) == 0;
        assert_true(found);
    }
}

static bool comes_before(const struct act *a, const struct act *b)
{
    return a->stamp != b->stamp ? a->stamp < b->stamp : hs_dot_compare(&a->dot, &b->dot) < 0;
}

/* Each content once, under its lowest name. */
static void expect_variants(const struct hs_record *record, const struct held *held)
{
    size_t distinct = 0;
    for (size_t i = 0; i < held->count; i++) {
        const struct act *act = held->acts[i];
        bool lowest = act->write.is_fact;
        for (size_t j = 0; j < held->count && lowest; j++)
            lowest = !held->acts[j]->write.is_fact || !hs_bytes_equal(held->acts[j]->write.fact, act->write.fact) ||
                     !comes_before(held->acts[j], act);
        if (!lowest)
            continue;
        bool found = false;
        for (size_t j = 0; j < record->variant_count; j++) {
            const struct hs_variant *variant = &record->variants[j];
            found = found || (variant->stamp == act->stamp && hs_dot_compare(&variant->dot, &act->dot) == 0 &&
                              hs_bytes_equal(variant->bytes, act->write.fact));
        }
        assert_true(found);
        distinct++;
    }
    assert_int_equal(record->variant_count, distinct);
}

static void expect(const struct hs_record *record, const struct world *world, const struct replica *replica)
{
    struct held held = held_by(world, replica);
    size_t origins = 0;
    for (size_t i = 0; i < FIELDS; i++) {
        expect_live(record, &held, NUMBERS[i]);
        expect_covered(record, &held, NUMBERS[i]);
    }
    for (size_t o = 0; o < world->origin_count; o++)
        origins += highest_applied(&held, world->origins[o]) != 0;
    assert_int_equal(record->applied_count, origins);
    for (size_t i = 0; i < record->applied_count; i++)
        assert_int_equal(record->applied[i].n, highest_applied(&held, record->applied[i].origin));
    expect_variants(record, &held);
}

/* ---- laws ---- */

static void laws_of_join(struct world *world)
{
    const struct hs_record *a = &world->replicas[random_below(world->origin_count)].record;
    const struct hs_record *b = &world->replicas[random_below(world->origin_count)].record;
    const struct hs_record *c = &world->replicas[random_below(world->origin_count)].record;
    struct hs_record none = {0};
    struct hs_record ab = join(world, a, b);
    struct hs_record ba = join(world, b, a);
    struct hs_record bc = join(world, b, c);
    struct hs_record ab_c = join(world, &ab, c);
    struct hs_record a_bc = join(world, a, &bc);
    struct hs_record aa = join(world, a, a);
    struct hs_record ab_b = join(world, &ab, b);
    struct hs_record a_none = join(world, a, &none);
    assert_same(&ab, &ba);
    assert_same(&ab_c, &a_bc);
    assert_same(&aa, a);
    assert_same(&ab_b, &ab);
    assert_same(&a_none, a);
}

/* Whether an op comes before or after a join makes no difference. */
static void law_of_op_and_join(struct world *world)
{
    const struct replica *a = &world->replicas[random_below(world->origin_count)];
    const struct replica *b = &world->replicas[random_below(world->origin_count)];
    size_t o = random_below(world->origin_count);
    if (a->held[o] == world->act_count[o])
        return;
    const struct act *next = &world->acts[o][a->held[o]];
    struct hs_record first = a->record;
    apply(world, &first, next);
    first = join(world, &first, &b->record);
    struct hs_record last = join(world, &a->record, &b->record);
    apply(world, &last, next);
    assert_same(&first, &last);
}

/* All that is missing, origins in random turns. */
static void catch_up(struct world *world, struct replica *replica)
{
    size_t left = 0;
    for (size_t o = 0; o < world->origin_count; o++)
        left += world->act_count[o] - replica->held[o];
    while (left > 0) {
        size_t o = random_below(world->origin_count);
        if (replica->held[o] == world->act_count[o])
            continue;
        apply(world, &replica->record, seen_act(replica, &world->acts[o][replica->held[o]++]));
        left--;
    }
}

static struct hs_record joined_by_turns(struct world *world)
{
    struct hs_record all = {0};
    size_t start = random_below(world->origin_count);
    bool swap = chance(50);
    for (size_t i = 0; i < world->origin_count; i++) {
        const struct hs_record *next = &world->replicas[(start + i) % world->origin_count].record;
        all = swap ? join(world, next, &all) : join(world, &all, next);
    }
    return all;
}

static void run_honest(uint64_t seed)
{
    struct world world;
    world_init(&world, seed);
    for (size_t left = 5 + random_below(80); left > 0; left--) {
        step(&world);
        if (!chance(15))
            continue;
        const struct replica *replica = &world.replicas[random_below(world.origin_count)];
        struct hs_record decoded = recoded(&world, &replica->record);
        expect(&decoded, &world, replica);
        laws_of_join(&world);
        law_of_op_and_join(&world);
    }
    struct hs_record all = joined_by_turns(&world);
    for (size_t i = 0; i < world.origin_count; i++) {
        catch_up(&world, &world.replicas[i]);
        assert_same(&all, &world.replicas[i].record);
    }
    expect(&all, &world, &world.replicas[0]);
    world_fini(&world);
}

static void run_forked(uint64_t seed)
{
    struct world world;
    world_init(&world, seed);
    world.forked = true;
    for (size_t left = 5 + random_below(60); left > 0; left--) {
        step(&world);
        if (!chance(15))
            continue;
        recoded(&world, &world.replicas[random_below(world.origin_count)].record);
        laws_of_join(&world);
    }
    for (size_t i = 0; i < world.origin_count; i++)
        catch_up(&world, &world.replicas[i]);
    struct hs_record first = joined_by_turns(&world);
    struct hs_record second = joined_by_turns(&world);
    assert_same(&first, &second);
    recoded(&world, &first);
    world_fini(&world);
}

/* ---- tests ---- */

static void replicas_with_equal_ops_are_equal(void **state)
{
    uint64_t seed = *(const uint64_t *)*state;
    for (size_t i = 0; i < world_count; i++)
        run_honest(seed + i);
}

static void forks_join_the_same_in_every_order(void **state)
{
    uint64_t seed = *(const uint64_t *)*state;
    for (size_t i = 0; i < world_count / 2 + 1; i++)
        run_forked(seed + i);
}

int main(int argc, char **argv)
{
    uint64_t seed = number_of(getenv("HS_SEED"), DEFAULT_SEED);
    world_count = (size_t)number_of(argc > 1 ? argv[1] : getenv("HS_WORLDS"), DEFAULT_WORLDS);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(replicas_with_equal_ops_are_equal, &seed),
        cmocka_unit_test_prestate(forks_join_the_same_in_every_order, &seed),
    };
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    if (failures != 0)
        print_repeat(seed, world_count);
    return failures;
}
