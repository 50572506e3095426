/* sealed_property_test.c -- sealed files with random items: what was put in comes out, in pieces of any size; a file of
 * which a byte is another, or that is cut anywhere, is refused; so is one put together from two.
 *
 * HS_SEED=N repeats a run. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/base/limits.h"
#include "tests/lib/sealed_world.h"

#define DEFAULT_SEED 20261122
#define ROUNDS       60

static struct sealed_world world;
static uint64_t prng_state;

/* splitmix64 */
static uint64_t random_u64(void)
{
    uint64_t z = prng_state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static size_t random_below(size_t bound)
{
    return (size_t)(random_u64() % bound);
}

/* Bytes that compress, and such that do not. */
static void put_random(struct hs_buf *buf, size_t size)
{
    bool packs = random_below(2) == 0;
    uint8_t *at = size == 0 ? NULL : hs_buf_extend(buf, size);
    for (size_t i = 0; at != NULL && i < size; i++)
        at[i] = packs ? (uint8_t)(i / 7) : (uint8_t)random_u64();
}

/* A file, and what it says in sealed_read_all's words. */
static void make(size_t items, size_t bytes_max, struct hs_buf *file, struct hs_buf *said)
{
    struct hs_sealed_draft draft = sealed_draft(&world, HS_SEALED_BUNDLE, 1 + random_below(3));
    struct hs_sealed_sink sink = sealed_sink(file);
    struct hs_sealer *sealer;
    struct hs_buf item = {0};
    assert_int_equal(hs_sealer_open(&draft, &sink, &sealer, NULL), HS_OK);
    for (size_t i = 0; i < items; i++) {
        uint8_t type = (uint8_t)(1 + random_below(255));
        hs_buf_reset(&item);
        put_random(&item, random_below(random_below(6) == 0 ? bytes_max : 60));
        assert_int_equal(hs_sealer_put(sealer, type, hs_buf_bytes(&item)), HS_OK);
        hs_buf_put_format(said, "%u:", type);
        hs_buf_put_bytes(said, hs_buf_bytes(&item));
        hs_buf_put(said, ";", 1);
    }
    hs_buf_reset(&item);
    put_random(&item, random_below(random_below(4) == 0 ? bytes_max : 100));
    assert_int_equal(hs_sealer_finish(sealer, hs_buf_bytes(&item)), HS_OK);
    hs_buf_put(said, "|", 1);
    hs_buf_put_bytes(said, hs_buf_bytes(&item));
    hs_sealer_close(sealer);
    hs_buf_fini(&item);
}

static enum hs_err read_it(struct hs_bytes file)
{
    struct hs_sealed_opening opening = sealed_opening(&world, 0);
    struct hs_buf said = {0};
    enum hs_err err = sealed_read_all(&opening, file, &said, NULL);
    hs_buf_fini(&said);
    return err;
}

static void test_what_goes_in_comes_out(void **state)
{
    (void)state;
    struct hs_sealed_opening opening = sealed_opening(&world, 0);
    for (int round = 0; round < ROUNDS; round++) {
        struct hs_buf file = {0}, said = {0}, read = {0};
        make(random_below(200), 300000, &file, &said);
        assert_int_equal(sealed_read_all(&opening, hs_buf_bytes(&file), &read, NULL), HS_OK);
        assert_int_equal(read.size, said.size);
        assert_memory_equal(read.data, said.data, said.size);
        hs_buf_fini(&file);
        hs_buf_fini(&said);
        hs_buf_fini(&read);
    }
}

/* Items that end where a block does, or one byte before or behind. */
static void test_ends_of_blocks(void **state)
{
    (void)state;
    struct hs_sealed_opening opening = sealed_opening(&world, 0);
    static uint8_t bytes[2 * HS_SEALED_BLOCK_BYTES + 8];
    for (size_t blocks = 1; blocks <= 2; blocks++) {
        for (size_t size = blocks * HS_SEALED_BLOCK_BYTES - 8; size <= blocks * HS_SEALED_BLOCK_BYTES + 2; size++) {
            struct hs_sealed_draft draft = sealed_draft(&world, HS_SEALED_BACKUP, 1);
            struct hs_buf file = {0}, read = {0};
            struct hs_sealed_sink sink = sealed_sink(&file);
            struct hs_sealer *sealer;
            assert_int_equal(hs_sealer_open(&draft, &sink, &sealer, NULL), HS_OK);
            assert_int_equal(hs_sealer_put(sealer, 1, HS_BYTES(bytes, size)), HS_OK);
            assert_int_equal(hs_sealer_put(sealer, 2, HS_BYTES("x", 1)), HS_OK);
            assert_int_equal(hs_sealer_finish(sealer, HS_BYTES(bytes, size)), HS_OK);
            hs_sealer_close(sealer);
            assert_int_equal(sealed_read_all(&opening, hs_buf_bytes(&file), &read, NULL), HS_OK);
            assert_int_equal(read.size, 2 + size + 1 + 4 + 1 + size);
            hs_buf_fini(&file);
            hs_buf_fini(&read);
        }
    }
}

static void test_every_flipped_byte_is_refused(void **state)
{
    (void)state;
    struct hs_buf file = {0}, said = {0};
    make(20, 200, &file, &said);
    for (size_t i = 0; i < file.size; i++) {
        uint8_t flip = (uint8_t)(1 + random_below(255));
        file.data[i] ^= flip;
        assert_int_not_equal(read_it(hs_buf_bytes(&file)), HS_OK);
        file.data[i] ^= flip;
    }
    assert_int_equal(read_it(hs_buf_bytes(&file)), HS_OK);
    hs_buf_fini(&file);
    hs_buf_fini(&said);
}

static void test_every_cut_is_refused(void **state)
{
    (void)state;
    struct hs_buf file = {0}, said = {0};
    make(20, 200, &file, &said);
    for (size_t size = 1; size < file.size; size++)
        assert_string_equal(hs_err_name(read_it(HS_BYTES(file.data, size))), "cut-short");
    hs_buf_fini(&file);
    hs_buf_fini(&said);
}

/* Of two files of the same sender for the same recipients: the beginning of one and the rest of the other, cut at every
 * place. */
static void test_parts_of_two_files_are_refused(void **state)
{
    (void)state;
    struct hs_buf file[2] = {{0}}, said = {0};
    make(20, 200, &file[0], &said);
    make(20, 200, &file[1], &said);
    for (size_t cut = 1; cut < file[0].size && cut < file[1].size; cut++) {
        struct hs_buf both = {0};
        hs_buf_put(&both, file[0].data, cut);
        hs_buf_put(&both, file[1].data + cut, file[1].size - cut);
        bool same = both.size == file[1].size && memcmp(both.data, file[1].data, both.size) == 0;
        assert_true(same || read_it(hs_buf_bytes(&both)) != HS_OK);
        hs_buf_fini(&both);
    }
    hs_buf_fini(&file[0]);
    hs_buf_fini(&file[1]);
    hs_buf_fini(&said);
}

static int begin(void **state)
{
    (void)state;
    const char *seed = getenv("HS_SEED");
    prng_state = seed != NULL ? strtoull(seed, NULL, 10) : DEFAULT_SEED;
    print_message("HS_SEED=%llu\n", (unsigned long long)prng_state);
    sealed_world_init(&world);
    return 0;
}

static int end(void **state)
{
    (void)state;
    sealed_world_fini(&world);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_goes_in_comes_out),         cmocka_unit_test(test_ends_of_blocks),
        cmocka_unit_test(test_every_flipped_byte_is_refused),  cmocka_unit_test(test_every_cut_is_refused),
        cmocka_unit_test(test_parts_of_two_files_are_refused),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
