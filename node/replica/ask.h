/* ask.h -- questions about records, on their way.  Inside node/replica only. */
#ifndef HS_REPLICA_ASK_H
#define HS_REPLICA_ASK_H

#include "node/replica/core.h"

#define REP_ASKS_OPEN_MAX HS_QUESTIONS_OPEN_MAX /* of one session, in each direction */
#define REP_ASKS_MAX      1024                  /* of all that were put on, for oneself and for others */
#define REP_ASK_MS        5000
#define REP_ASK_ON_MS     4000 /* ... on behalf of somebody who waits so long himself */
#define REP_ASK_TRIES     4    /* hubs that are asked, one after the other */

/* One question that was put to a hub: ours, or another node's that we pass on. */
struct rep_ask {
    uint64_t token;            /* ours */
    struct rep_session *asker; /* another's; NULL: ours */
    uint64_t asker_id;         /* what the asker calls it */
    struct rep_session *asked;
    uint64_t id;    /* what we call it there */
    bool of_node;   /* one node's own version of one record, asked by its key in ask.after (ask_node.c) */
    bool abandoned; /* nobody waits for the answer, which is yet to come */
    uint64_t until_ms;
    struct hs_ask ask; /* in room */
    uint8_t room[HS_RECORD_ID_BYTES_MAX + HS_RECORD_KEY_BYTES_MAX];
    hs_peer tried[REP_ASK_TRIES];
    size_t tried_count;
    enum hs_err err; /* what the first of them said */
    TAILQ_ENTRY(rep_ask) order;
};

/* Put a question to a hub that knows more than we do.  @asker: NULL, ours: @token; else its @id.  False: there is no
 * such hub, or too much is open: *err says which. */
bool hs_rep_ask_put(struct hs_replica *r, const struct hs_ask *ask, struct rep_session *asker, uint64_t id,
                    enum hs_err *err);
size_t hs_rep_asks_of(const struct rep_session *asker); /* that are passed on for it */
bool hs_rep_ask_open(const struct rep_session *asker, uint64_t id);
/* The rest is what ask.c and ask_node.c share.  NULL: *err says why. */
struct rep_ask *hs_rep_ask_new(struct hs_replica *r, const struct hs_ask *from, enum hs_err *err);
void hs_rep_ask_wait(struct hs_replica *r, struct rep_ask *ask, uint64_t wait_ms); /* it has been sent */
struct rep_ask *hs_rep_ask_of(const struct rep_session *asked, uint64_t id, bool of_node);
void hs_rep_ask_tell(struct hs_replica *r, uint64_t token, enum hs_err err, const struct hs_answer *answer);
void hs_rep_ask_over(struct hs_replica *r, struct rep_ask *ask); /* frees it */
/* True: it was the answer to a question of ask_node.c, and is taken. */
bool hs_rep_ask_node_answered(struct rep_session *s, const Hallsync__PeerCompareReply *reply);
/* An answer that is none. */
void hs_rep_answer_error(struct rep_session *s, uint64_t id, enum hs_err err);

#endif
