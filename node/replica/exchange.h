/* exchange.h -- frontiers compared: exchange.c (what is offered, answered, awaited), tree.c (what lies below a place)
 * and announce.c (heads by themselves).  Inside node/replica only. */
#ifndef HS_REPLICA_EXCHANGE_H
#define HS_REPLICA_EXCHANGE_H

#include "node/replica/core.h"

#define REP_ITEMS_MAX 32 /* of a list; a longer one is told as buckets */
#define REP_BUCKETS   16

enum { REP_PARTITIONS = 0, REP_NODES = 1, REP_STREAMS = 2 };

/* ---- tree.c ---- */

/* A partition, a node of one, or a stream of one of these. */
struct rep_item {
    uint8_t name[HS_NODE_HASH_BYTES]; /* partition be16, node name, origin be64 */
    struct rep_partition *partition;
    struct rep_member *member; /* of a node */
    struct rep_stream *stream; /* of a stream */
};
/* Walks what lies below a place and the view shows, ascending. */
struct rep_below {
    struct rep_session *s;
    const struct rep_place *place;
    struct rep_partition *partition;
    struct rep_member *member;
    size_t at, end;
};
/* Those of its items, by the next digit. */
struct rep_buckets {
    uint16_t present;
    uint8_t hashes[REP_BUCKETS][REP_SHORT_HASH_BYTES];
};

size_t rep_name_size(uint8_t level);                                    /* of an item, in lists */
size_t rep_digits(uint8_t level);                                       /* of its name */
bool rep_place_has(const struct rep_place *place, const uint8_t *name); /* begins with its prefix */
struct rep_place rep_place_bucket(const struct rep_place *place, unsigned digit);
struct rep_place rep_place_item(const struct rep_place *place, const uint8_t *name); /* of levels 0 and 1: its list */

void rep_below(struct rep_session *s, const struct rep_place *place, struct rep_below *below);
bool rep_below_next(struct rep_below *below, struct rep_item *item);
size_t rep_below_count(struct rep_session *s, const struct rep_place *place, size_t max); /* at most @max */
bool rep_below_find(struct rep_session *s, const struct rep_place *place, const uint8_t *name, struct rep_item *item);
/* Of an item of levels 0 and 1. */
void rep_item_hash(struct rep_session *s, const struct rep_item *item, uint8_t hash[static REP_SHORT_HASH_BYTES]);
void rep_buckets_make(struct rep_session *s, const struct rep_place *place, struct rep_buckets *to);

/* ---- exchange.c ---- */

/* With others, at the end of the step. */
void rep_tell_head(struct rep_session *s, const struct hs_head *head);

/* ---- announce.c ---- */

/* A head that a list or an announcement named; @rewinds: it is no further. */
void rep_head_take(struct rep_session *s, const struct hs_stream *name, const Hallsync__StreamHead *head, bool rewinds);
enum hs_err rep_announced(struct rep_session *s, const Hallsync__PeerFrontier *message);
/* The peer holds nothing of what is below: it is told what there is. */
void rep_peer_lacks(struct rep_session *s, const struct rep_place *place);
void rep_peer_lacks_stream(struct rep_session *s, struct rep_stream *stream);

#endif
