/* samples.h -- how each peer stood, in the last hour, day and month: what the console draws lines of.
 *
 * One file that never grows beyond its bound: for each peer 10 s for an hour, a minute for a day, an hour for a month,
 * 16 bytes each, in blocks of 64 peers: 42 MB for 1,000 peers, 168 MB for HS_SAMPLES_PEERS_MAX, 3 MB for a hall.  It is
 * not synced and may be lost: what of it was torn or rotted shows as a gap.  Rows lie where their time says, so nothing
 * is moved and nothing cleared; one writer's sample of 1,000 peers is 16 writes of a kilobyte.
 *
 * A file of peers, by time:
 *
 *   head      magic, version, numbers of the layout, checksum; then a table of peers: id, since when, last sample
 *   block     of 64 peers: 360 rows of 10 s, 1,440 of a minute, 720 of an hour
 *   row       its time, a checksum, 64 samples of 16 bytes
 *
 * Numbers are big-endian.  A minute is folded from its rows when the next one begins, an hour from its minutes: of what
 * waits the most, of rates and of the link the mean. */
#ifndef HS_SAMPLES_H
#define HS_SAMPLES_H

#include "proto/base/err.h"
#include "proto/base/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HS_SAMPLES_PEERS_MAX 4096
#define HS_SAMPLES_EVERY_MS  10000
#define HS_SAMPLES_BYTES_MAX ((uint64_t)169 << 20) /* of the file */

enum hs_measure {
    HS_MEASURE_LINK, /* 1: connected, 0: not; in between: for a part of the time */
    HS_MEASURE_LAG_OUT_OPS,
    HS_MEASURE_LAG_IN_OPS,
    HS_MEASURE_LAG_SECONDS, /* of the older of both directions */
    HS_MEASURE_OUT_OPS_PER_S,
    HS_MEASURE_IN_OPS_PER_S,
    HS_MEASURE_OUT_BYTES_PER_S,
    HS_MEASURE_IN_BYTES_PER_S,
    HS_MEASURE_COUNT
};
const char *hs_measure_name(enum hs_measure measure); /* "lag_out_ops"... */

struct hs_sample {
    const char *node_id;            /* borrowed; at most HS_NODE_ID_BYTES_MAX bytes, else it is left out */
    float values[HS_MEASURE_COUNT]; /* NAN: not known, as the lag of one that is away; exact up to 4,095, then 0.05 % */
};

struct hs_samples;

/* Made if it is not there.  One that is not of this program, or damaged where it counts, is made anew: then @anew is
 * set, and why says what was wrong.  HS_ELOCKED (another process has it), HS_EPERM, HS_EFULL, HS_EIO, HS_ENOMEM. */
enum hs_err hs_samples_open(const char *path, uint64_t now_ms, struct hs_samples **samples, bool *anew,
                            struct hs_why *why);
void hs_samples_close(struct hs_samples *samples); /* NULL is fine */

/* All that follows: any thread.  @now_ms is the wall clock, which may jump. */

/* How all peers stand now; within the same ten seconds the first one counts.  Those that are not among them have a gap;
 * one that has not come for a month is forgotten.  More peers than HS_SAMPLES_PEERS_MAX: the one whose samples ended
 * longest ago goes, an hour at least, and if there is none, the new one is left out.  Of two samples of one id the one
 * with a link counts. HS_EFULL, HS_EIO: some of them are not kept. */
enum hs_err hs_samples_add(struct hs_samples *samples, uint64_t now_ms, const struct hs_sample *peers, size_t count);

enum hs_span { HS_SPAN_HOUR, HS_SPAN_DAY, HS_SPAN_MONTH };
bool hs_span_parse(const char *text, enum hs_span *span); /* "hour", "day", "month" */

#define HS_SERIES_MAX 720
struct hs_series {
    uint64_t from_ms, step_ms;
    size_t count;                                  /* 360 of 10 s, 720 of two minutes, 720 of an hour */
    float values[HS_MEASURE_COUNT][HS_SERIES_MAX]; /* NAN: not sampled */
};
/* One peer's; the last of them is the step that @now_ms is in.  HS_ENOTFOUND: no samples of that id; HS_EIO. */
enum hs_err hs_samples_read(struct hs_samples *samples, const char *node_id, enum hs_span span, uint64_t now_ms,
                            struct hs_series *series);

/* What waited in the last hour, minute by minute, both directions: for the small lines of an overview.  From memory.
 * False: no samples of that id, all of them NAN. */
#define HS_SPARK_COUNT 60
bool hs_samples_spark(struct hs_samples *samples, const char *node_id, float to[static HS_SPARK_COUNT]);

#endif
