/* peers_private.h -- what the files of the peers' thread share. */
#ifndef HS_DAEMON_PEERS_PRIVATE_H
#define HS_DAEMON_PEERS_PRIVATE_H

#include "node/daemon/peers.h"
#include "node/disk/disk.h"
#include "node/disk/readers.h"
#include "node/replica/replica.h"
#include "proto/base/thread.h"

#include <pthread.h>
#include <time.h>

/* What other threads say to ours: a list under the lock, taken over whole. */
enum note_type {
    NOTE_STORED,
    NOTE_PROBE,
    NOTE_PROBE_END,
    NOTE_COMPARE,
    NOTE_ASK,
    NOTE_ASK_NODE,
    NOTE_ASK_END,
    NOTE_JOINED,
    NOTE_ROT
};
struct note {
    struct note *next;
    enum note_type type;
    uint64_t token;
    enum hs_err err;
    struct hs_commit commit; /* arrays are this note's own */
    hs_peer peer;            /* JOINED: whom to answer */
    struct hs_healed rot;    /* ROT */
    struct hs_ask ask;       /* ASK: in the frame */
    size_t record_at;        /* ASK_NODE: in the frame, behind the node's id and a zero */
    struct hs_buf frame;
};

/* A connection that has come up and not been told to the replica: its first frame decides whether it is a session or a
 * join. */
struct waiting {
    hs_peer peer;
    struct hs_key curve_key;
};
#define WAITING_MAX 64

/* A node that is dialled, and what is known of it. */
enum upstream_phase {
    UPSTREAM_UNTRIED,
    UPSTREAM_DOWN,    /* err, text: why */
    UPSTREAM_LIVE,    /* there is a session, or was until now */
    UPSTREAM_REFUSED, /* a session was */
    UPSTREAM_TWIN,    /* waits: that node has dialled us, and one session is enough */
    UPSTREAM_OWN,     /* it is this node itself; never dialled */
};
#define TOLD_MAX 4
struct upstream {
    const struct hs_conf_upstream *conf;
    struct hs_key key;
    hs_peer peer; /* 0: no connection */
    enum upstream_phase phase;
    enum hs_err err;
    char text[HS_WHY_BYTES];
    char told[TOLD_MAX][HS_WHY_BYTES]; /* failures that were logged since it worked, each once: the latest of them */
    size_t told_count;                 /* of all */
    uint64_t since_ms;                 /* wall clock: in this phase */
    enum hs_role role;                 /* of its certificate; 0: not known yet */
    char node_id[HS_NODE_ID_BYTES_MAX + 1];
    uint32_t rate; /* the limit that the replica was told for this connection */
    bool mixed;    /* its group has a node of another role, which was told */
};

/* An address outside from which handshakes fail. */
struct knocker {
    char host[64];
    uint64_t count, told_ms;
};
#define KNOCKERS_MAX 16
#define KNOCK_MS     60000

/* A node that there was a session with; one that was made anew under its id has another key. */
struct seen {
    struct hs_key node_key;
    uint64_t last_ms; /* wall clock */
    bool live;        /* there is one: as published, or newer than that */
};
#define SEEN_MAX 8192

struct hs_peers {
    struct hs_peers_options options;
    struct hs_link *link;
    struct hs_replica *replica;
    struct hs_view *view; /* the replica's snapshot; closed when the thread waits */
    uint64_t wake_at_ms;
    pthread_t thread;
    bool running;
    struct waiting waiting[WAITING_MAX];
    size_t waiting_count;
    struct upstream upstreams[HS_CONF_UPSTREAMS_MAX];
    size_t upstream_count;
    struct knocker knockers[KNOCKERS_MAX];
    struct hs_disk disk;
    struct hs_readers readers;

    pthread_mutex_t lock; /* of what follows */
    bool stopping;
    uint64_t compares;         /* asked for so far */
    char clocks[HS_WHY_BYTES]; /* that differ, in words; empty: none */
    struct note *notes, **notes_end;
    struct hs_buf status; /* packed, as of published_ms */
    uint64_t published_ms, publish_every_ms, watched_ms;
    struct seen *seen; /* ascending by node key */
    size_t seen_count, seen_room;
};

/* peers_source.c */
struct hs_replica_source peers_source(struct hs_peers *peers);
void peers_close_view(struct hs_peers *peers);
/* Of a node, encoded, appended; HS_ENOTFOUND. */
enum hs_err peers_certificate(struct hs_peers *peers, const struct hs_key *node_key, struct hs_buf *certificate);

/* peers_store.c: hand what the replica wants stored to the writer; its end comes back as a note. */
enum hs_err peers_store(struct hs_peers *peers, struct hs_replica_store *store);

/* peers_notes.c */
struct note *peers_note_new(enum note_type type);
void peers_note_free(struct note *note);
void peers_note_post(struct hs_peers *peers, struct note *note);                  /* takes it */
struct note *peers_notes_take(struct hs_peers *peers);                            /* all, in order; the caller frees */
enum hs_err peers_note_commit(struct note *note, const struct hs_commit *commit); /* copies */

/* peers_room.c: how much room there is, and who keeps it from being used again. */
void peers_room_open(struct hs_peers *peers);
enum hs_err peers_room_watch(struct hs_peers *peers, uint64_t now_ms);
/* peers.c: of these lanes nothing is taken from now on: bits 1 << lane. */
enum hs_err peers_hold(struct hs_peers *peers, uint32_t lanes);

/* peers.c: what may be sent to a peer from now on, in bytes a second; 0: no limit. */
enum hs_err peers_rate(struct hs_peers *peers, hs_peer peer, uint32_t rate);

/* peers_join.c: a frame with a join request. */
void peers_join(struct hs_peers *peers, hs_peer peer, const struct hs_key *curve_key, struct hs_bytes frame);

/* peers_seen.c */
void peers_seen_live(struct hs_peers *peers,
                     const struct hs_key *key); /* a session has begun, that no picture shows yet */
/* Under the lock, for each new picture: nobody is live; then those that are. */
void peers_seen_begin(struct hs_peers *peers);
void peers_seen_note(struct hs_peers *peers, const struct hs_key *key, uint64_t wall_ms);

/* peers_clock.c; under the lock */
void peers_clock_look(struct hs_peers *peers, const struct hs_peer_status *shown, size_t count);

/* peers_status.c */
void peers_publish(struct hs_peers *peers, bool now);

/* peers_upstreams.c */
/* The configured ones; @to, @count out: those that the link shall dial.  HS_EADDRESS, HS_ECONFIG. */
enum hs_err peers_upstreams_open(struct hs_peers *peers, struct hs_link_upstream to[static HS_LINK_UPSTREAMS_MAX],
                                 size_t *count, struct hs_why *why);
struct upstream *peers_upstream_of(struct hs_peers *peers, hs_peer peer); /* NULL */
void peers_upstream_up(struct hs_peers *peers, const char *address, hs_peer peer);
void peers_upstream_failed(struct hs_peers *peers, const char *address, enum hs_err err, const char *text);
void peers_upstream_down(struct hs_peers *peers, hs_peer peer, enum hs_err err, const char *text);
void peers_upstream_live(struct hs_peers *peers, hs_peer peer, const char *node_id);
void peers_upstream_ended(struct hs_peers *peers, hs_peer peer, bool refused, enum hs_err err, const char *text);
/* Drop the connection; @err HS_EEXISTS: another session with that node stays.  No "down" follows. */
void peers_upstream_drop(struct hs_peers *peers, hs_peer peer, enum hs_err err);
void peers_upstream_meet(struct hs_peers *peers, const struct hs_certificate *certificate); /* whose key may be one's */
void peers_upstreams_seen(struct hs_peers *peers, const struct hs_peer_status *shown, size_t count);
enum hs_err peers_upstreams_watch(struct hs_peers *peers, uint64_t now_ms);        /* limits by the time of the day */
void peers_knocked(struct hs_peers *peers, const char *address, const char *text); /* from outside, in vain */

#endif
