#include "node/samples/code.h"

#include "proto/base/buf.h"

#include <math.h>
#include <string.h>

/* A number of sixteenths as 5 bits of exponent and 11 of its digits: exact up to 4,095. */
#define SIXTEENTHS    16.0
#define DIGITS        11
#define LEAST         (1U << DIGITS) /* of numbers with an exponent: the first digit is not written */
#define EXPONENT_MAX  31
#define NUMBER_MAX    0xfffe
#define NUMBER_NONE   0xffff
#define LINK_PER_CENT 100 /* kept as this + 1, since 0 is no sample */

static uint16_t number_of(float value)
{
    if (isnan(value))
        return NUMBER_NONE;
    double left = value > 0 ? (double)value * SIXTEENTHS : 0;
    unsigned exponent;
    if (left < LEAST)
        return (uint16_t)(left + 0.5);
    for (exponent = 1; left >= 2.0 * LEAST - 0.5; exponent++) {
        if (exponent == EXPONENT_MAX)
            return NUMBER_MAX;
        left /= 2;
    }
    unsigned number = exponent << DIGITS | ((unsigned)(left + 0.5) - LEAST);
    return number > NUMBER_MAX ? NUMBER_MAX : (uint16_t)number;
}

static float value_of(uint16_t number)
{
    unsigned exponent = number >> DIGITS, digits = number & (LEAST - 1);
    if (number == NUMBER_NONE)
        return NAN;
    if (exponent == 0)
        return (float)(digits / SIXTEENTHS);
    return (float)((double)((uint64_t)(digits + LEAST) << (exponent - 1)) / SIXTEENTHS);
}

void sample_encode(const float values[static HS_MEASURE_COUNT], uint8_t to[static SAMPLE_BYTES])
{
    float link = values[HS_MEASURE_LINK] > 0 ? values[HS_MEASURE_LINK] : 0; /* of NAN as well */
    to[0] = (uint8_t)(1 + (unsigned)((link < 1 ? link : 1) * LINK_PER_CENT + 0.5F));
    to[1] = 0;
    for (int i = HS_MEASURE_LINK + 1; i < HS_MEASURE_COUNT; i++)
        hs_be16(to + (ptrdiff_t)2 * i, number_of(values[i]));
}

bool sample_decode(const uint8_t from[static SAMPLE_BYTES], float values[static HS_MEASURE_COUNT])
{
    bool is_there = from[0] >= 1 && from[0] <= LINK_PER_CENT + 1;
    values[HS_MEASURE_LINK] = is_there ? (float)(from[0] - 1) / LINK_PER_CENT : NAN;
    for (int i = HS_MEASURE_LINK + 1; i < HS_MEASURE_COUNT; i++)
        values[i] = is_there ? value_of(hs_from_be16(from + (ptrdiff_t)2 * i)) : NAN;
    return is_there;
}

static bool by_most(int measure)
{
    return measure == HS_MEASURE_LAG_OUT_OPS || measure == HS_MEASURE_LAG_IN_OPS || measure == HS_MEASURE_LAG_SECONDS;
}

void fold_add(struct fold *fold, const float values[static HS_MEASURE_COUNT])
{
    for (int i = 0; i < HS_MEASURE_COUNT; i++) {
        if (isnan(values[i]))
            continue;
        fold->most[i] = fold->known[i] == 0 || values[i] > fold->most[i] ? values[i] : fold->most[i];
        fold->sum[i] += (double)values[i];
        fold->known[i]++;
    }
}

bool fold_end(const struct fold *fold, float values[static HS_MEASURE_COUNT])
{
    for (int i = 0; i < HS_MEASURE_COUNT; i++) {
        values[i] = fold->known[i] == 0 ? NAN : by_most(i) ? fold->most[i] : (float)(fold->sum[i] / fold->known[i]);
    }
    return fold->known[HS_MEASURE_LINK] != 0;
}
