/* frontier.h -- what STORED told us that we hold, in memory: the tree partition -> node -> stream, each level sorted,
 * with hashes made when they are asked for.  Inside node/replica only.  Nothing in it moves or goes before the end. */
#ifndef HS_REPLICA_FRONTIER_H
#define HS_REPLICA_FRONTIER_H

#include "node/replica/bucket.h"
#include "node/replica/replica.h"

#define REP_SHORT_HASH_BYTES 8 /* of h(n) in heads, and of subtrees */

struct rep_session;

struct rep_node {
    struct hs_key key;
    uint8_t hash[HS_NODE_HASH_BYTES];
    enum hs_role role; /* 0: its certificate has not been looked at (view.c) */
    hs_partition home; /* if it has */
    bool is_revoked;
    struct rep_member *members;   /* one for each partition that it wrote to */
    struct rep_session *sessions; /* live ones of this node */
    struct rep_bucket sent;       /* under a limit that people set; whoever comes anew finds it as he left it */
};

struct rep_origin {
    uint64_t id;
    struct rep_node *node;
    bool stored; /* the store has its opening */
};

/* What was handed to the store and has not come back yet: the next segment must continue this. */
struct rep_incoming {
    uint64_t n;
    struct hs_hash hash;
    size_t stores;
    bool failed; /* one was not stored: the others will not be either */
};

struct rep_stream {
    struct hs_stream name;
    uint64_t n; /* 0: nothing held yet */
    struct hs_hash hash;
    struct rep_member *member;
    struct rep_origin *origin;
    struct rep_incoming *incoming; /* NULL: nothing on its way */
    struct rep_fork *fork;         /* NULL: not forked */
    uint64_t changed;              /* number of the commit that moved the head */
    uint64_t signed_by_hub;        /* own streams of a hall: of the commit that brought the last receipt of one */
    uint64_t signed_by_witness;
    bool damaged;         /* cannot be read: not sent until the head changes, or it is put right */
    uint64_t released_ms; /* then it was last thought to be right again */
};

/* The streams of one node in one partition. */
struct rep_member {
    struct rep_partition *partition;
    struct rep_node *node;
    struct rep_member *of_node;  /* the node's next one */
    struct rep_stream **streams; /* ascending */
    size_t count, room;
    size_t held; /* those with n > 0 or a fork: only they are in lists and hashes */
    uint8_t hash[REP_SHORT_HASH_BYTES];
    bool dirty;
};

struct rep_partition {
    hs_partition id;
    struct rep_member **members; /* ascending by node hash */
    size_t count, room;
    uint8_t hash[REP_SHORT_HASH_BYTES];
    bool dirty;
    uint64_t changed[HS_LANE_COUNT]; /* number of the commit that last moved a head of that lane */
    struct rep_session **sessions;   /* live ones whose scope has it */
    size_t session_count, session_room;
};

struct rep_frontier {
    struct rep_partition **partitions; /* ascending */
    size_t count, room;
    void *origins; /* tsearch trees */
    void *nodes;
};

void hs_rep_frontier_fini(struct rep_frontier *frontier);

/* ..._get and ..._add make what is not there; NULL: no memory, noted.  ..._find: NULL if there is none. */
struct rep_node *hs_rep_node_get(struct hs_replica *r, const struct hs_key *key);
void hs_rep_node_learn(struct rep_node *node, struct hs_bytes certificate); /* verified */
bool hs_rep_node_is_hub(struct hs_replica *r, const struct hs_key *key);    /* by the certificate in the store */
bool hs_rep_node_vouches(struct hs_replica *r, const struct hs_key *key);   /* a hub that is not revoked */
struct rep_origin *hs_rep_origin_find(const struct rep_frontier *frontier, uint64_t id);
struct rep_origin *hs_rep_origin_add(struct hs_replica *r, uint64_t id, const struct hs_key *node_key);
/* Of a stream that the store has; NULL: the source fails, noted. */
struct rep_origin *hs_rep_origin_load(struct hs_replica *r, uint64_t id);
struct rep_stream *hs_rep_stream_find(const struct rep_frontier *frontier, const struct hs_stream *name);
struct rep_stream *hs_rep_stream_get(struct hs_replica *r, const struct hs_stream *name, struct rep_origin *origin);
struct rep_partition *hs_rep_partition_find(const struct rep_frontier *frontier, hs_partition id);
struct rep_member *hs_rep_member_find(const struct rep_partition *partition,
                                      const uint8_t node[static HS_NODE_HASH_BYTES]);

void hs_rep_stream_advance(struct rep_stream *stream, uint64_t n, const struct hs_hash *hash);
void hs_rep_stream_touch(struct rep_stream *stream); /* what lists say of it has changed */
bool hs_rep_stream_listed(const struct rep_stream *stream);
/* As lists say it: of a forked stream what is held of all its branches (fork.c). */
struct hs_head hs_rep_stream_head(const struct rep_stream *stream);

/* Index of the first one at or above @id, or above @node or @name (none: of the first one). */
size_t hs_rep_partition_from(const struct rep_frontier *frontier, uint32_t id);
size_t hs_rep_member_from(const struct rep_partition *partition, struct hs_bytes node);
size_t hs_rep_stream_from(const struct rep_member *member, const struct hs_stream *name);

const uint8_t *hs_rep_member_hash(struct hs_replica *r, struct rep_member *member);
const uint8_t *hs_rep_partition_hash(struct hs_replica *r, struct rep_partition *partition);
/* Of a list's entries, by level: partitions, nodes, streams. */
void hs_rep_short_hash(uint8_t level, struct hs_bytes entries, uint8_t hash[static REP_SHORT_HASH_BYTES]);
void hs_rep_put_node_entry(struct hs_replica *r, struct rep_member *member, struct hs_buf *to);
void hs_rep_put_stream_entry(const struct rep_stream *stream, struct hs_buf *to);

bool hs_rep_partition_watch(struct rep_partition *partition, struct rep_session *session); /* false: no memory */
void hs_rep_partition_unwatch(struct rep_partition *partition, const struct rep_session *session);

#endif
