/* names.h -- the names of things: partitions, lanes, streams, dots, stamps, ids.  docs/architecture.md, "Names". */
#ifndef HS_BASE_NAMES_H
#define HS_BASE_NAMES_H

#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/base/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Partition: a district, 0..9999 (the first four digits of its account numbers), or the whole region. */
typedef uint16_t hs_partition;
#define HS_PARTITION_REGION     ((hs_partition)0xffff)
#define HS_PARTITION_TEXT_BYTES 8 /* "3201" or "region", with its zero */

#define HS_DISTRICT_DIGITS 4

bool hs_partition_valid(uint32_t value);
const char *hs_partition_text(hs_partition partition, char text[static HS_PARTITION_TEXT_BYTES]);
enum hs_err hs_partition_parse(const char *text, hs_partition *partition); /* HS_EVALUE */

/* Account number: exactly ten ASCII digits; its partition is its first four. */
#define HS_ACCOUNT_DIGITS 10
bool hs_account_valid(const char *text, size_t size);
hs_partition hs_account_partition(const char *account); /* of a valid one */

/* Lane: priority class, and part of a stream's name.  Lower goes first.  A kind's lane is frozen. */
enum hs_lane { HS_LANE_WORK = 1, HS_LANE_MONEY = 2, HS_LANE_PEOPLE = 3, HS_LANE_BULK = 4 };
#define HS_LANE_COUNT 5 /* arrays are indexed by lane, [0] unused */
bool hs_lane_valid(uint32_t value);
const char *hs_lane_text(enum hs_lane lane);                /* of a valid lane: "work", "money"... */
enum hs_err hs_lane_parse(const char *text, uint8_t *lane); /* HS_EVALUE */

/* Stream: the unit of order, scope and priority.  Its ops are numbered 1, 2, 3... without a gap. */
struct hs_stream {
    uint64_t origin;
    hs_partition partition;
    uint8_t lane; /* enum hs_lane */
};
#define HS_STREAM_KEY_BYTES 11 /* partition, origin (a node's life), lane: big-endian, so sorted in that order */
void hs_stream_key(const struct hs_stream *stream, uint8_t key[static HS_STREAM_KEY_BYTES]);
struct hs_stream hs_stream_from_key(const uint8_t key[static HS_STREAM_KEY_BYTES]);
bool hs_stream_equal(const struct hs_stream *a, const struct hs_stream *b);
int hs_stream_compare(const struct hs_stream *a, const struct hs_stream *b); /* order of the keys */

/* Dot: names an op of a record's partition and lane for ever. */
struct hs_dot {
    uint64_t origin;
    uint64_t n;
};
int hs_dot_compare(const struct hs_dot *a, const struct hs_dot *b); /* by origin, then n */

/* Stamp: hybrid logical clock, 48 bits of milliseconds since 1970 (below 2^47) and 16 of counter.
 * It chooses what is shown and orders a ticket's events; it never decides what is kept (Kulkarni et al. 2014). */
typedef uint64_t hs_stamp;
#define HS_STAMP_MAX (((uint64_t)1 << 63) - 1)
hs_stamp hs_stamp_next(hs_stamp last, hs_stamp above, uint64_t now_ms); /* > last, > above, >= now_ms, saturating */
uint64_t hs_stamp_ms(hs_stamp stamp);

/* 128-bit ids of facts and tickets.  The text of one is 32 hexadecimal digits or a UUID; any other text of 1..64 bytes
 * stands for BLAKE2b-128("hallsync id 1" NUL text), and the record then carries the text itself. */
#define HS_ID_BYTES      16
#define HS_ID_TEXT_BYTES 33
struct hs_id {
    uint8_t bytes[HS_ID_BYTES];
};
enum hs_err hs_id_from_text(const char *text, size_t size, struct hs_id *id, bool *hashed); /* HS_EVALUE */
const char *hs_id_text(const struct hs_id *id, char text[static HS_ID_TEXT_BYTES]); /* 32 lower-case hex digits */

/* Record: (partition, lane, kind, id); the first two are those of the stream that wrote it, never recomputed. */
struct hs_record_name {
    hs_partition partition;
    uint8_t lane;
    uint16_t kind;
    struct hs_bytes id; /* 1..HS_RECORD_ID_BYTES_MAX bytes, borrowed */
};
#define HS_RECORD_KEY_BYTES_MAX (2 + 1 + 2 + HS_RECORD_ID_BYTES_MAX)
/* Partition be16, lane u8, kind be16, id.  From a key: the id is a view into it; HS_EMALFORMED leaves *name alone. */
size_t hs_record_key(const struct hs_record_name *name, uint8_t key[static HS_RECORD_KEY_BYTES_MAX]);
enum hs_err hs_record_from_key(struct hs_bytes key, struct hs_record_name *name);

/* Position in a node's log: the commit's number and its random tag.  Equal numbers, unequal tags: another history. */
struct hs_position {
    uint64_t commit;
    uint64_t tag;
};

/* Node id: 1..32 of a-z 0-9 and -, beginning with a letter. */
bool hs_node_id_valid(const char *text);

#endif
