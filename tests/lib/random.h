/* random.h -- repeatable randomness of a test, and how HS_SEED and HS_WORLDS choose what is run. */
#ifndef HS_TESTS_RANDOM_H
#define HS_TESTS_RANDOM_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>

static uint64_t random_state; /* the seed, at first */

/* splitmix64 (Steele, Lea, Flood 2014) */
static inline uint64_t random_u64(void)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static inline size_t random_below(size_t bound)
{
    return (size_t)(random_u64() % bound);
}

static inline bool chance(unsigned percent)
{
    return random_below(100) < percent;
}

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* One of these texts. */
#define PICK(...) ((const char *const[]){__VA_ARGS__})[random_below(COUNT_OF(((const char *const[]){__VA_ARGS__})))]

/* ---- what is run ---- */

static inline uint64_t number_of(const char *text, uint64_t otherwise)
{
    return text != NULL ? strtoull(text, NULL, 0) : otherwise;
}

/* Each world says how it alone is run again. */
static inline void run_worlds(uint64_t default_seed, uint64_t default_worlds, void (*run)(void *world), void *world)
{
    uint64_t seed = number_of(getenv("HS_SEED"), default_seed);
    uint64_t worlds = number_of(getenv("HS_WORLDS"), default_worlds);
    for (uint64_t i = 0; i < worlds; i++) {
        random_state = seed + i;
        print_message("HS_SEED=%llu HS_WORLDS=1\n", (unsigned long long)random_state);
        run(world);
    }
}

#endif
