/* light.h -- light nodes: the real replica over a small store in memory, so that thousands of them fit in a few
 * processes.  For measuring: bench/halls.c puts them on real links, light/growth.c on virtual ones.
 *
 * A light store chains, signs and verifies as the log does.  It keeps of each stream the head and the last operations
 * only (keep_own, keep_foreign), nothing durable, and of records no more than the digests' roots.  Its operations are
 * payments with their cash entries, byte for byte as a hall writes them.  What cannot happen ends the program. */
#ifndef HS_TEST_LIGHT_H
#define HS_TEST_LIGHT_H

#include "node/replica/replica.h"

#define LIGHT_STORES 4 /* receipts of so many stores are kept of a stream */

/* ---- a store (light_store.c) ---- */

struct light_op {
    uint8_t *bytes;
    uint32_t size;
    struct hs_hash hash; /* h(n) */
};
struct light_stream {
    struct hs_stream name;
    uint64_t n, base; /* operations base + 1 to n are kept */
    struct hs_hash hash, base_hash;
    struct light_op *ops;
    struct hs_checkpoint *checkpoints; /* ascending, from base on */
    size_t op_room, checkpoint_count, checkpoint_room;
    struct hs_receipt receipts[LIGHT_STORES];
    size_t receipt_count;
    bool own;
};
struct light_origin {
    uint64_t id;
    struct hs_bytes certificate, opening; /* own memory */
};
struct light_digest {
    hs_partition partition;
    uint16_t kind;
    uint64_t count;
    struct hs_hash sum;
};
struct light_store {
    struct light_stream **streams; /* ascending */
    struct light_origin *origins;  /* ascending */
    struct light_digest *digests;  /* ascending */
    struct hs_key *keys;           /* of whom a certificate is held */
    struct hs_bytes *certificates;
    size_t stream_count, stream_room, origin_count, origin_room, digest_count, key_count;
    size_t keep_own, keep_foreign;
    bool has_digests; /* worked out; else all stores of the test answer with none */
    uint64_t current, commit;
    struct hs_arena arena;
};
void light_store_fini(struct light_store *store);
struct light_stream *light_stream_find(const struct light_store *store, const struct hs_stream *name);
struct light_stream *light_stream_get(struct light_store *store, const struct hs_stream *name);
void light_stream_append(struct light_store *store, struct light_stream *stream, struct hs_bytes op);
/* Of the last operation; lets go what is beyond what is kept. */
void light_stream_check(struct light_store *store, struct light_stream *stream, const struct hs_signature *signature);
void light_put_origin(struct light_store *store, uint64_t id, struct hs_bytes certificate, struct hs_bytes opening);
const struct light_origin *light_origin_find(const struct light_store *store, uint64_t id);
void light_put_certificate(struct light_store *store, const struct hs_key *key, struct hs_bytes certificate);
enum hs_err light_store_receive(struct light_store *store, const struct hs_segment *segment);
void light_put_receipt(struct light_store *store, const struct hs_receipt *receipt);

/* ---- nodes (light.c) ---- */

struct light_region {
    struct hs_key root_key;
    struct hs_secret issuer;
    struct hs_buf issuer_signed;
    uint64_t seed;
};
/* A region of its own, of keys made from the seed. */
void light_region_make(struct light_region *region, uint64_t seed);
void light_region_fini(struct light_region *region);

struct light_node;
/* What the replica wants done outside, and what is looked at as it goes by. */
struct light_door {
    void *ctx;
    void (*send)(void *ctx, struct light_node *node, hs_peer peer, struct hs_bytes frame);
    void (*drop)(void *ctx, struct light_node *node, hs_peer peer);
    void (*notice)(void *ctx, struct light_node *node, const struct hs_replica_update *update);
    void (*receipt)(void *ctx, struct light_node *node, const struct hs_receipt *receipt);
};

struct light_node {
    const struct light_region *region;
    struct light_door door;
    struct hs_certificate certificate;
    struct hs_buf certificate_bytes;
    struct hs_secret secret;
    uint8_t curve_secret[HS_KEY_BYTES];
    uint64_t random, store_id, processes;
    struct light_store store;
    struct hs_replica *replica; /* NULL: stopped */
    struct hs_replica_store **waiting;
    size_t waiting_count, waiting_room;
    uint64_t now_ms, wake_ms, clock_ms; /* clock: wall clock at now_ms 0 */
    uint32_t heartbeat_ms;
    hs_stamp stamp;
    uint64_t payments, receipt_numbers;
    int64_t payments_fen;
    bool stepping;
};
/* @districts: the first is home; none: a hub. */
void light_node_make(struct light_node *node, const struct light_region *region, const char *id,
                     const hs_partition *districts, size_t count);
void light_node_fini(struct light_node *node);
void light_node_start(struct light_node *node, uint64_t now_ms); /* a new process over its store */
void light_node_stop(struct light_node *node);
uint64_t light_random(struct light_node *node); /* repeatable */

/* One event, its now_ms filled in, and the commits that follow from it at once. */
void light_step(struct light_node *node, uint64_t now_ms, struct hs_replica_event event);
/* The same, but what is to be stored waits for light_commit: a store that commits in groups. */
void light_step_only(struct light_node *node, uint64_t now_ms, struct hs_replica_event event);
void light_commit(struct light_node *node, uint64_t now_ms); /* all that waits, as one commit */
/* So many payments with their cash entries as one commit; the head after it. */
struct hs_head light_pay(struct light_node *node, uint64_t now_ms, size_t count);

/* ---- what the replica reads (light_source.c) ---- */

struct hs_replica_source light_source(struct light_node *node);

#endif
