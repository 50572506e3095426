/* compare.h -- digests being compared: what compare.c (asking) and compare_answer.c share.  Inside node/replica only.
 */
#ifndef HS_REPLICA_COMPARE_H
#define HS_REPLICA_COMPARE_H

#include "node/replica/core.h"

#define REP_SUSPECTS_MAX 64

enum rep_compare_level { REP_COMPARE_ROOTS, REP_COMPARE_BRANCHES, REP_COMPARE_LEAVES, REP_COMPARE_RECORDS };

struct rep_question {
    uint32_t level;
    hs_partition partition;
    uint16_t kind;
    uint32_t index;         /* branch or leaf */
    uint64_t not_before_ms; /* a leaf asked again; 0: asked first */
};

struct rep_record {
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    size_t key_size;
    struct hs_hash hash, inputs;
};

/* One round. */
struct rep_compare {
    uint64_t id; /* of the last question */
    struct rep_question at;
    bool is_asking;                 /* not answered yet */
    bool is_read;                   /* our own side of it is */
    bool is_begun;                  /* theirs has begun to come */
    struct rep_question *questions; /* a stack */
    size_t question_count, question_room;
    struct hs_digest *digests; /* ours */
    size_t digest_count, digest_room, next_digest;
    struct hs_digest last_digest;
    struct rep_record *records; /* ours */
    size_t record_count, record_room, matched;
    uint8_t after[HS_RECORD_KEY_BYTES_MAX];
    size_t after_size;
    struct hs_hash suspects[REP_SUSPECTS_MAX]; /* keys of records, hashed */
    size_t suspect_count;
    bool ask_again, has_lag, has_damage;
    struct hs_differ *differs; /* damaged ones, so far; NULL: none */
    size_t differ_count;
    uint64_t token; /* of the last COMPARE when it began */
};

#endif
