/* record_bytes_property_test.c -- stored forms of random records with bytes changed, dropped and added: what still
 * decodes is a well-formed state, and exactly what encode makes of it.
 *
 * HS_SEED=N HS_WORLDS=M (or M as argument) repeats a run. */
#include "tests/property/record_world.h"

#define DEFAULT_WORLDS 10000
#define MUTANTS        30 /* of one record */

static size_t world_count;

static size_t mutate(uint8_t *bytes, size_t size, size_t room)
{
    size_t at = random_below(size);
    switch (random_below(4)) {
    case 0:
        bytes[at] ^= (uint8_t)(1U << random_below(8));
        return size;
    case 1:
        bytes[at] = (uint8_t)(bytes[at] + (chance(50) ? 1 : -1));
        return size;
    case 2:
        memmove(bytes + at, bytes + at + 1, size - at - 1);
        return size - 1;
    default:
        assert_true(size < room);
        memmove(bytes + at + 1, bytes + at, size - at);
        bytes[at] = (uint8_t)random_below(4);
        return size + 1;
    }
}

static uint64_t applied_number(const struct hs_record *record, uint64_t origin)
{
    for (size_t i = 0; i < record->applied_count; i++) {
        if (record->applied[i].origin == origin)
            return record->applied[i].n;
    }
    return 0;
}

static void assert_well_formed_field(const struct hs_record *record, const struct hs_field_state *field)
{
    assert_true(field->live_count + field->covered_count > 0);
    assert_true(field->number >= 1 && field->number <= HS_FIELD_NUMBER_MAX);
    for (size_t i = 0; i < field->live_count; i++) {
        const struct hs_live *live = &field->live[i];
        int order = i == 0 ? -1 : hs_dot_compare(&live[-1].dot, &live->dot);
        assert_true(live->dot.n >= 1 && live->dot.n <= applied_number(record, live->dot.origin));
        assert_true(order < 0 || (order == 0 && hs_bytes_compare(live[-1].value, live->value) < 0));
    }
    for (size_t i = 0; i < field->covered_count; i++) {
        const struct hs_dot *covered = &field->covered[i];
        assert_true(covered->n > applied_number(record, covered->origin));
        assert_true(i == 0 || hs_dot_compare(&covered[-1], covered) < 0);
    }
}

/* What merging relies on: order everywhere, and dots on the right side of the applied numbers. */
static void assert_well_formed(const struct hs_record *record)
{
    for (size_t i = 1; i < record->variant_count; i++)
        assert_true(hs_hash_compare(&record->variants[i - 1].hash, &record->variants[i].hash) < 0);
    for (size_t i = 0; i < record->variant_count; i++)
        assert_true(record->variants[i].dot.n != 0);
    for (size_t i = 1; i < record->applied_count; i++)
        assert_true(record->applied[i - 1].origin < record->applied[i].origin);
    for (size_t i = 0; i < record->field_count; i++) {
        assert_true(i == 0 || record->fields[i - 1].number < record->fields[i].number);
        assert_well_formed_field(record, &record->fields[i]);
    }
}

/* Whatever decodes is a state, and what encode makes of it. */
static void assert_canonical_or_refused(struct hs_bytes bytes, size_t *accepted)
{
    struct hs_arena arena;
    struct hs_record record;
    struct hs_buf buf = {0};
    hs_arena_init(&arena, 0);
    enum hs_err err = hs_record_decode(bytes, &arena, &record);
    if (err == HS_OK) {
        assert_well_formed(&record);
        hs_record_encode(&record, &buf);
        assert_true(hs_bytes_equal(hs_buf_bytes(&buf), bytes));
        (*accepted)++;
    } else {
        assert_int_equal(err, HS_EMALFORMED);
    }
    hs_buf_fini(&buf);
    hs_arena_fini(&arena);
}

static void break_bytes(uint64_t seed, size_t *accepted)
{
    struct world world;
    struct hs_buf buf = {0};
    world_init(&world, seed);
    world.forked = chance(20);
    for (size_t left = 3 + random_below(30); left > 0; left--)
        step(&world);
    hs_record_encode(&world.replicas[0].record, &buf);
    for (size_t left = MUTANTS; left > 0; left--) {
        size_t room = buf.size + 4;
        uint8_t *bytes = malloc(room); /* of its own, so that a read beyond it is caught */
        size_t size = buf.size;
        assert_non_null(bytes);
        memcpy(bytes, buf.data, size);
        for (size_t more = 1 + random_below(3); more > 0 && size > 1; more--)
            size = mutate(bytes, size, room);
        assert_canonical_or_refused(HS_BYTES(bytes, size), accepted);
        free(bytes);
    }
    hs_buf_fini(&buf);
    world_fini(&world);
}

static void only_canonical_bytes_decode(void **state)
{
    uint64_t seed = *(const uint64_t *)*state;
    size_t accepted = 0;
    for (size_t i = 0; i < world_count; i++)
        break_bytes(seed + i, &accepted);
    assert_true(accepted > 0 || world_count < 100); /* else the test had nothing to say */
}

int main(int argc, char **argv)
{
    uint64_t seed = number_of(getenv("HS_SEED"), DEFAULT_SEED);
    world_count = (size_t)number_of(argc > 1 ? argv[1] : getenv("HS_WORLDS"), DEFAULT_WORLDS);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(only_canonical_bytes_decode, &seed),
    };
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    if (failures != 0)
        print_repeat(seed, world_count);
    return failures;
}
