/* peers_private.h -- what the files of the peers' thread share. */
#ifndef HS_DAEMON_PEERS_PRIVATE_H
#define HS_DAEMON_PEERS_PRIVATE_H

#include "node/daemon/pace.h"
#include "node/daemon/peers.h"
#include "node/disk/disk.h"
#include "node/disk/growth.h"
#include "node/disk/readers.h"
#include "proto/local.pb-c.h"
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
    hs_peer peer;            /* JOINED: whom to answer, as what follows */
    struct hs_key key;       /* of its link */
    enum hs_err verdict;
    char node_id[HS_NODE_ID_BYTES_MAX + 1]; /* of its token; "": of none */
    struct hs_healed rot;                   /* ROT */
    struct hs_ask ask;                      /* ASK: in the frame */
    size_t record_at;                       /* ASK_NODE: in the frame, behind the node's id and a zero */
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
/* X(id, how it stands where it has no connection) */
#define UPSTREAM_PHASES(X)                                                               \
    X(UNTRIED, CONNECTING)                                                               \
    X(DOWN, DOWN)       /* err, reason, text: why */                                     \
    X(LIVE, DOWN)       /* there is a session, or was until now */                       \
    X(REFUSED, REFUSED) /* a session was */                                              \
    X(TWIN, TWIN)       /* waits: that node has dialled us, and one session is enough */ \
    X(OWN, REFUSED)     /* it is this node itself; never dialled */
enum upstream_phase {
#define X(id, standing) UPSTREAM_##id,
    UPSTREAM_PHASES(X)
#undef X
        UPSTREAM_PHASE_COUNT
};
#define TOLD_MAX 4
struct upstream {
    const struct hs_conf_upstream *conf;
    struct hs_key key;
    hs_peer peer; /* 0: no connection */
    enum upstream_phase phase;
    enum hs_err err;
    enum hs_reason reason;
    char text[HS_WHY_BYTES];
    char told[TOLD_MAX][HS_WHY_BYTES]; /* failures that were logged since it worked, each once: the latest of them */
    size_t told_count;                 /* of all */
    uint64_t since_ms;                 /* monotonic: in this phase; 0: in none yet */
    uint64_t seen_ms;                  /* monotonic: when there last was a session; 0: never */
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

/* Who was not let in: by its key and the reason, or by its host where no key was proven. */
struct refused {
    enum hs_reason reason;
    bool has_key;
    struct hs_key key;
    char node_id[HS_NODE_ID_BYTES_MAX + 1]; /* "": nobody has shown it */
    char address[HS_ADDRESS_BYTES_MAX + 1];
    char text[HS_WHY_BYTES];
    uint64_t count, last_ms; /* monotonic */
};
#define REFUSED_MAX 64

/* A node that there was a session with; one that was made anew under its id has another key. */
struct seen {
    struct hs_key node_key;
    uint64_t last_ms;          /* monotonic */
    bool live;                 /* there is one: as published, or newer than that */
    bool shown;                /* there is one in what is published */
    struct hs_figures figures; /* as it last said */
    char version[HS_SOFTWARE_BYTES_MAX + 1];
};
#define SEEN_MAX 8192

/* How fast a session goes. */
struct paced {
    hs_peer peer;
    bool live; /* as of the last look */
    struct pace pace;
};

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
    struct refused refused[REFUSED_MAX]; /* the newest last */
    size_t refused_count;
    struct knocker knockers[KNOCKERS_MAX];
    struct hs_disk disk;
    struct hs_readers readers;
    struct hs_growth growth;
    struct hs_histogram ways[HS_LANE_COUNT]; /* from the writer's clock at another node to the commit here, by lane */
    uint64_t growth_ms;                      /* look again then; monotonic */
    struct paced *paced;                     /* ascending by peer */
    size_t paced_count, paced_room;

    pthread_mutex_t notes_lock; /* of these; the writer posts some, and waits for no picture that is being made */
    struct note *notes, **notes_end;

    pthread_mutex_t lock; /* of what follows */
    bool stopping;
    uint64_t compares;         /* asked for so far */
    char clocks[HS_WHY_BYTES]; /* that differ, in words; empty: none */
    struct hs_buf status;      /* packed, as of published_ms */
    uint64_t published_ms, publish_every_ms, watched_ms;
    char shown_upstreams[HS_CONF_UPSTREAMS_MAX][HS_NODE_ID_BYTES_MAX + 1]; /* by id, of those without a session */
    size_t shown_upstream_count;
    struct hs_figures own; /* what this node says of itself */
    bool has_own;
    struct seen *seen; /* ascending by node key */
    size_t seen_count, seen_room;
};

/* peers_source.c */
struct hs_replica_source peers_source(struct hs_peers *peers);
void peers_close_view(struct hs_peers *peers);
/* Of a node, encoded, appended; HS_ENOTFOUND. */
enum hs_err peers_certificate(struct hs_peers *peers, const struct hs_key *node_key, struct hs_buf *certificate);

uint64_t peers_store_bytes(struct hs_peers *peers); /* 0: it cannot be read now */

/* peers_store.c: hand what the replica wants stored to the writer; its end comes back as a note. */
enum hs_err peers_store(struct hs_peers *peers, struct hs_replica_store *store);
void peers_way_note(struct hs_peers *peers, const struct hs_segment *segment, uint64_t now_ms); /* it is committed */

/* peers_notes.c */
struct note *peers_note_new(enum note_type type);
void peers_note_free(struct note *note);
void peers_note_post(struct hs_peers *peers, struct note *note);                  /* takes it */
struct note *peers_notes_take(struct hs_peers *peers);                            /* all, in order; the caller frees */
enum hs_err peers_note_commit(struct note *note, const struct hs_commit *commit); /* copies */

/* peers_room.c: how much room there is, and who keeps it from being used again. */
void peers_room_open(struct hs_peers *peers);
enum hs_err peers_room_watch(struct hs_peers *peers, uint64_t now_ms);
/* So long room lasts without a link, as StatusReply.disk_days says it; false: not known. */
bool peers_disk_days(const struct hs_peers *peers, double *days);
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
void peers_seen_note(struct hs_peers *peers, const struct hs_key *key, uint64_t mono_ms);

/* peers_clock.c; under the lock */
void peers_clock_look(struct hs_peers *peers, const struct hs_peer_status *shown, size_t count);
/* A monotonic time as one of day, by the clock as it stands now: whoever sets it sets what is told of the past, too,
 * and what was first stays first.  Any thread. */
uint64_t peers_wall_ms(uint64_t mono_ms);

/* peers_pace.c */
void peers_pace_look(struct hs_peers *peers, const struct hs_peer_status *shown, size_t count, uint64_t mono_ms);
const struct pace *peers_pace_of(const struct hs_peers *peers, hs_peer peer); /* never NULL; until the next look */

/* Under the lock. */
void peers_seen_said(struct hs_peers *peers, const struct hs_key *key, const struct hs_figures *figures,
                     const char *software);

/* peers_region.c: what a peer says of itself, and how old its keys are; NULL where nobody knows.  The texts are
 * @figures' and @software's own. */
void peers_fill_said(Hallsync__PeerStatus *to, const struct hs_figures *figures, const char *software);
void peers_fill_keys(Hallsync__PeerStatus *to, const struct hs_known *known, const struct hs_key *key);
void peers_put_peer(struct hs_buf *buf, const Hallsync__PeerStatus *peer); /* of a partial StatusReply */

/* peers_status.c */
void peers_publish(struct hs_peers *peers, bool now);

/* peers_upstreams.c */
/* The configured ones; @to, @count out: those that the link shall dial.  HS_EADDRESS, HS_ECONFIG. */
enum hs_err peers_upstreams_open(struct hs_peers *peers, struct hs_link_upstream to[static HS_LINK_UPSTREAMS_MAX],
                                 size_t *count, struct hs_why *why);
struct upstream *peers_upstream_of(struct hs_peers *peers, hs_peer peer); /* NULL */
/* Of one that is connected, @live or greeting: its group, its limit, why the session before has ended. */
void peers_upstream_tell(const struct upstream *upstream, bool live, Hallsync__PeerStatus *to);
void peers_upstream_up(struct hs_peers *peers, const char *address, hs_peer peer);
void peers_upstream_failed(struct hs_peers *peers, const struct hs_link_event *event);
void peers_upstream_down(struct hs_peers *peers, hs_peer peer, enum hs_err err, enum hs_reason reason,
                         const char *text);
void peers_upstream_live(struct hs_peers *peers, hs_peer peer, const char *node_id);
/* @update: HS_NOTICE_REFUSED or HS_NOTICE_ENDED. */
void peers_upstream_ended(struct hs_peers *peers, const struct hs_replica_update *update);
/* Drop the connection; @err HS_EEXISTS: another session with that node stays.  No "down" follows. */
void peers_upstream_drop(struct hs_peers *peers, hs_peer peer, enum hs_err err);
void peers_upstream_meet(struct hs_peers *peers, const struct hs_certificate *certificate); /* whose key may be one's */
void peers_upstreams_seen(struct hs_peers *peers, const struct hs_peer_status *shown, size_t count);
enum hs_err peers_upstream_limit(struct hs_peers *peers, hs_peer peer);            /* before anything has passed */
enum hs_err peers_upstreams_watch(struct hs_peers *peers, uint64_t now_ms);        /* limits by the time of the day */
void peers_knocked(struct hs_peers *peers, const char *address, const char *text); /* from outside, in vain */

/* peers_refused.c: counted, the oldest goes for a new one.  @key, @node_id: NULL: not known. */
void peers_refused_note(struct hs_peers *peers, enum hs_reason reason, const struct hs_key *key, const char *node_id,
                        const char *address, const char *text);
void peers_refused_put(const struct hs_peers *peers, struct hs_buf *buf); /* StatusReply.refused */
/* REFUSED or ENDED: of an upstream, or of who has dialled us. */
void peers_refused_ended(struct hs_peers *peers, const struct hs_replica_update *update, const char *address);

#endif
