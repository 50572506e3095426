/* peers.h -- the thread that talks to other nodes: it owns the link and the replica, feeds one with what the other
 * says, hands what is to be stored to the writer, and answers join tokens.
 *
 *   link (frames) -> replica -> store jobs -> writer -> commits -> replica -> link
 */
#ifndef HS_DAEMON_PEERS_H
#define HS_DAEMON_PEERS_H

#include "node/conf/conf.h"
#include "node/daemon/surveyor.h"
#include "node/link/keys.h"
#include "node/link/link.h"
#include "node/writer/writer.h"

struct hs_peers;

struct hs_peers_options {
    const struct hs_conf *conf;
    const struct hs_keys *keys;
    struct hs_store *store;
    struct hs_writer *writer;
    void (*probed)(void *ctx, uint64_t token); /* this node and its hubs have the same; on the peers' thread */
    /* What came back on a question: hs_replica_update's err and answer; on the peers' thread, borrowed. */
    void (*answered)(void *ctx, uint64_t token, enum hs_err err, const struct hs_answer *answer);
    void (*reopen)(void *ctx);                 /* what rotted takes a new opening of the store; writer's thread */
    void (*certified)(void *ctx);              /* a later certificate of this node was stored; on the writer's thread */
    void (*fatal)(void *ctx, enum hs_err err); /* the process should end */
    struct hs_surveyor *surveyor;              /* who knows the registry; NULL: nobody */
    void *ctx;
};

/* Binds and dials; errors of hs_link_new and hs_replica_new. */
enum hs_err hs_peers_new(const struct hs_peers_options *options, struct hs_peers **peers, struct hs_why *why);
enum hs_err hs_peers_start(struct hs_peers *peers); /* its thread, which takes turns */
/* One turn, for who gives it no thread (a simulator): an event of the link if one is there, the notes of others, a tick
 * if it is time; never waits itself.  Answers when it wants the next one at the latest, by the monotonic clock. */
uint64_t hs_peers_turn(struct hs_peers *peers);
void hs_peers_stop(struct hs_peers *peers); /* ends the thread: no hook is called afterwards; the rest may be */
void hs_peers_free(struct hs_peers *peers); /* stopped before; NULL is fine */

/* Any thread. */
void hs_peers_committed(struct hs_peers *peers, const struct hs_commit *commit);
void hs_peers_probe(struct hs_peers *peers, uint64_t token);
/* Operations, a checkpoint or a receipt of this node's store that rotted: had again from a peer, or put right. */
void hs_peers_rotten(struct hs_peers *peers, const struct hs_rotten *rotten);
void hs_peers_probe_end(struct hs_peers *peers, uint64_t token);
uint64_t hs_peers_compare(struct hs_peers *peers); /* with all peers; the number that status names when it is done */
/* Ask a hub about records: answered() follows, always.  HS_ENOMEM: it does not. */
enum hs_err hs_peers_ask(struct hs_peers *peers, uint64_t token, const struct hs_ask *ask);
enum hs_err hs_peers_ask_node(struct hs_peers *peers, uint64_t token, const char *node_id, struct hs_bytes record);
void hs_peers_ask_end(struct hs_peers *peers, uint64_t token);        /* nobody waits for it any more */
void hs_peers_status(struct hs_peers *peers, struct hs_buf *partial); /* packed StatusReply: peers, counters */
/* The same, and nodes of the registry that are not connected: PeerStatus in state "away". */
void hs_peers_region(struct hs_peers *peers, struct hs_buf *partial);
/* What this node says of itself from now on. */
void hs_peers_say(struct hs_peers *peers, const struct hs_figures *figures);
void hs_peers_put_problem(struct hs_buf *partial, const char *text); /* StatusReply.problems, as partial message */
void hs_peers_put_counter(struct hs_buf *partial, const char *name, uint64_t value); /* StatusReply.counters */
/* Wall clock of the last session with it; 0: none yet.  @live out: there is one, which what hs_peers_status tells may
 * be too old to show. */
uint64_t hs_peers_seen(struct hs_peers *peers, const struct hs_key *key, bool *live);
const char *hs_peers_address(const struct hs_peers *peers, size_t i); /* bound address; NULL behind the last */

#endif
