/* code.h -- a sample in 16 bytes.  Inside node/samples/ only. */
#ifndef HS_SAMPLES_CODE_H
#define HS_SAMPLES_CODE_H

#include "node/samples/samples.h"

#define SAMPLE_BYTES 16

/* All zeros is no sample: a file begins as one hole. */
void sample_encode(const float values[static HS_MEASURE_COUNT], uint8_t to[static SAMPLE_BYTES]);
/* False: there is none, and all values are NAN. */
bool sample_decode(const uint8_t from[static SAMPLE_BYTES], float values[static HS_MEASURE_COUNT]);

/* Several of one peer into one: what waits by its most, the rest by the mean of what is known. */
struct fold {
    float most[HS_MEASURE_COUNT];
    double sum[HS_MEASURE_COUNT];
    unsigned known[HS_MEASURE_COUNT];
};
void fold_add(struct fold *fold, const float values[static HS_MEASURE_COUNT]); /* a zeroed one is empty */
bool fold_end(const struct fold *fold, float values[static HS_MEASURE_COUNT]); /* false: it is empty */

#endif
