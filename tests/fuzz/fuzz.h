/* fuzz.h -- what the fuzz targets share.  A target is one file with LLVMFuzzerTestOneInput, as libFuzzer calls it, and
 * fuzz_seeds, which makes its first corpus with the project's own encoders.  It is linked with libFuzzer (HS_FUZZ) or
 * with driver.c, which replays the corpus and some mutations of it in the ordinary test run.
 *
 * Inputs are read by a cursor: what is left over or missing is no fault, so that every mutation of an input is an
 * input. */
#ifndef HS_TESTS_FUZZ_H
#define HS_TESTS_FUZZ_H

#include "proto/base/arena.h"
#include "proto/base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Hands each seed to @put, which copies it; names are file names. */
typedef void (*fuzz_put)(const char *name, struct hs_bytes seed);
void fuzz_seeds(fuzz_put put);
#define FUZZ_SEED(literal) HS_BYTES(literal, sizeof(literal) - 1)

/* What must hold whatever the input is. */
#define FUZZ_CHECK(condition) ((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))
static inline void fuzz_fail(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

/* Numbers and bytes of an input; zeros and nothing when it is used up. */
static inline uint8_t fuzz_u8(struct hs_cur *in)
{
    return in->left > 0 ? hs_cur_u8(in) : 0;
}
static inline uint16_t fuzz_u16(struct hs_cur *in)
{
    uint16_t high = fuzz_u8(in);
    return (uint16_t)(high << 8 | fuzz_u8(in));
}
static inline uint64_t fuzz_u64(struct hs_cur *in)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | fuzz_u8(in);
    return value;
}
static inline struct hs_bytes fuzz_bytes(struct hs_cur *in, size_t size)
{
    return hs_cur_take(in, size < in->left ? size : in->left);
}
static inline struct hs_bytes fuzz_rest(struct hs_cur *in)
{
    return hs_cur_take(in, in->left);
}
/* Small numbers often, sometimes any of 64 bits. */
static inline uint64_t fuzz_number(struct hs_cur *in)
{
    uint8_t value = fuzz_u8(in);
    return value < 0xf8 ? value : fuzz_u64(in);
}
static inline char *fuzz_text(struct hs_arena *arena, struct hs_bytes bytes)
{
    char *text = hs_arena_text(arena, bytes);
    FUZZ_CHECK(text != NULL);
    return text;
}

#endif
