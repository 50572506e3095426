/* fill.h -- what comes as record states instead of operations: fill.c (whom to ask, when it ends), fill_take.c (what
 * comes, checked) and supply.c (sending it).  PROTOCOL.md, "State transfer".  Inside node/replica only.
 *
 *              asked a hub             the list is whole           the last states came
 *   WAITING ---------------> HEADS --------------------> STATES ------------------------> ENDING ---> (stored: gone)
 *      ^                       |            \               |                               |
 *      |                       |             +-> REACHING   |  (money: gone when the log    |
 *      +--- not from it, not now, or the session has ended -+   has reached the heads) -----+ */
#ifndef HS_REPLICA_FILL_H
#define HS_REPLICA_FILL_H

#include "node/replica/core.h"

#define REP_FILLS_OPEN_MAX  4      /* of one lane, under way in one session */
#define REP_FILL_BOUNDS_MAX 262144 /* streams that one session may name for what it supplies: 16 bytes each */
#define REP_FILL_HEAD_COST  1024   /* credit that a head takes: with its opening and receipts it is about that */
#define REP_FILL_PARTS      15     /* heads of one message */

enum rep_fill_state { REP_FILL_WAITING, REP_FILL_HEADS, REP_FILL_STATES, REP_FILL_REACHING, REP_FILL_ENDING };

/* The highest number of an origin that may be in the states that come. */
struct rep_bound {
    uint64_t origin, n;
};

/* The order in which sessions are asked; all zero: before the first one. */
struct rep_turn {
    unsigned rank;
    hs_peer peer;
};

struct rep_fill {
    hs_partition partition;
    uint8_t lane;
    enum rep_fill_state state;
    struct rep_session *from; /* NULL: WAITING */
    struct rep_turn refused;  /* who could not supply it last: the next one is asked */
    uint64_t retry_ms;        /* nobody is asked before */
    uint32_t pause_ms;
    uint64_t moved_ms; /* something of it came last, or it was for us to go on */
    size_t stores;     /* on their way to the store */
    bool is_kept;      /* in the source's list when it was read last */
    bool is_mixed;     /* states came before those of the present session */

    uint8_t after[HS_RECORD_KEY_BYTES_MAX]; /* handed to the store up to here */
    size_t after_size;
    uint64_t records, total, since_ms;

    /* Of the session that supplies. */
    struct hs_stream last_head; /* of the list that comes */
    bool is_listing;
    struct rep_bound *bounds; /* ascending */
    size_t bound_count, bound_room;
    struct hs_buf partial; /* the beginning of a record */
};

struct rep_fill *hs_rep_fill_find(const struct hs_replica *r, hs_partition partition, uint32_t lane); /* NULL: none */
const char *hs_rep_fill_text(struct hs_replica *r, const struct rep_fill *fill); /* "people of 3201" */
bool hs_rep_may_supply_us(const struct rep_session *s); /* a hub, or a hall while this hub is being rebuilt */
/* It cannot go on from that session: another one, or later.  @why: for people. */
void hs_rep_fill_refused(struct rep_fill *fill, enum hs_err err, const char *why);
void hs_rep_fill_end(struct hs_replica *r, struct rep_fill *fill); /* its last states were handed to the store */

/* May these be sent?  HS_EFILLING: they name operations beyond our own heads.  They came as states from a hub that was
 * ahead, and the log has not followed: nobody would take them from us. */
enum hs_err hs_rep_states_check(struct hs_replica *r, const struct hs_states *states);

#endif
