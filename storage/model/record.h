/* record.h -- a record's state and how it merges.  Pure: no I/O, no policy, no knowledge of kinds.
 *
 * A record has a fact part (variants of immutable bytes, set union) and a register part (fields merged one by one, a
 * write naming the dots that it overwrites); one of them is normally empty, and merging is total when a strange writer
 * fills both.
 * Apply and join commute, associate and are idempotent in any mixture: replicas with the same ops hold equal states,
 * byte for byte.  The stored form is canonical and is what is hashed.  PROTOCOL.md, "Records"; the same merge as an
 * executable model is compared with this one by tests/property/model_compare.py.
 *
 * Memory: everything in a struct hs_record lives in the arena given or is a view into the bytes decoded or applied.
 * Arrays once made are not written to again: a copy of the struct taken before a step is the state before it. */
#ifndef HS_MODEL_RECORD_H
#define HS_MODEL_RECORD_H

#include "proto/base/arena.h"
#include "proto/base/hash.h"
#include "proto/msg/op.h"

/* One content of a fact, with the lowest (stamp, dot) under which it ever came. */
struct hs_variant {
    struct hs_hash hash; /* BLAKE2b("hallsync fact 1", bytes) */
    struct hs_bytes bytes;
    hs_stamp stamp;
    struct hs_dot dot;
};

/* One live value of a field. */
struct hs_live {
    struct hs_dot dot;
    hs_stamp stamp;
    struct hs_bytes value; /* raw occurrences, tags included; size 0: a clear */
};

struct hs_field_state {
    uint32_t number;
    struct hs_live *live; /* ascending by (dot, value) */
    size_t live_count;
    struct hs_dot *covered; /* named as overwritten, not applied yet; ascending */
    size_t covered_count;
};

struct hs_record {
    struct hs_variant *variants; /* ascending by hash: the first one counts */
    size_t variant_count;
    struct hs_dot *applied; /* per origin the highest number applied to this record's registers; ascending by origin */
    size_t applied_count;
    struct hs_field_state *fields; /* ascending by number; a field without live and covered dots is not there */
    size_t field_count;
};

/* Apply one write of the op named @dot.  A write that was applied before changes nothing.  Grows @record in @arena.
 * HS_ENOMEM: the record is unusable afterwards. */
enum hs_err hs_record_apply(struct hs_record *record, const struct hs_dot *dot, hs_stamp stamp,
                            const struct hs_write *write, struct hs_arena *arena);

/* The least state that holds both. */
enum hs_err hs_record_join(const struct hs_record *a, const struct hs_record *b, struct hs_arena *arena,
                           struct hs_record *out);

/* The canonical form: stored, hashed, sent.  PROTOCOL.md, "Canonical form of a record". */
void hs_record_encode(const struct hs_record *record, struct hs_buf *buf);
/* HS_EMALFORMED if the bytes are not exactly what hs_record_encode makes. */
enum hs_err hs_record_decode(struct hs_bytes state, struct hs_arena *arena, struct hs_record *record);
/* BLAKE2b("hallsync record 1", record key || state): the record's hash in digests, and its checksum in the store. */
struct hs_hash hs_record_hash(const struct hs_record_name *name, struct hs_bytes state);
/* Which of the 4096 leaves of digests it is counted in: the first 12 bits of BLAKE2b("hallsync leaf 1", record key). */
uint32_t hs_record_leaf(const struct hs_record_name *name);
/* Hash of what went into it: applied numbers, and the variants' hashes with their stamps and dots (which a second
 * arrival may lower).  Unequal: lag.  Equal with unequal record hash: damage. */
struct hs_hash hs_record_inputs(const struct hs_record *record);

/* What is shown: of a fact the counting variant's bytes (whatever registers a strange writer put beside it); of a
 * register record each field's value with the highest stamp (ties: the greater bytes, then the greater dot),
 * concatenated in ascending order: a message of the kind. */
enum hs_err hs_record_shown(const struct hs_record *record, struct hs_buf *buf);
const struct hs_field_state *hs_record_field(const struct hs_record *record, uint32_t number); /* NULL: none */
const struct hs_live *hs_field_shown(const struct hs_field_state *field);                      /* NULL: no live value */
/* Live values that differ in bytes from the shown one: 0 for no conflict. */
size_t hs_field_rivals(const struct hs_field_state *field);
/* Highest stamp of all variants or live values; 0 for none. */
hs_stamp hs_record_stamp(const struct hs_record *record);

#endif
