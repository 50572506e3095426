/* peers_private.h -- what the files of the peers' thread share. */
#ifndef HS_DAEMON_PEERS_PRIVATE_H
#define HS_DAEMON_PEERS_PRIVATE_H

#include "node/daemon/peers.h"
#include "node/replica/replica.h"

#include <pthread.h>

#define UPSTREAMS_MAX 16

/* What other threads say to ours: a list under the lock, taken over whole. */
enum note_type { NOTE_STORED, NOTE_PROBE, NOTE_PROBE_END, NOTE_JOINED };
struct note {
    struct note *next;
    enum note_type type;
    uint64_t token;
    enum hs_err err;
    struct hs_commit commit; /* arrays are this note's own */
    hs_peer peer;            /* JOINED: whom to answer */
    struct hs_buf frame;
};

/* A connection that has come up and not been told to the replica: its first frame decides whether it is a session or a
 * join. */
struct waiting {
    hs_peer peer;
    struct hs_key curve_key;
};
#define WAITING_MAX 64

/* What is known of a dialled address while there is no session. */
struct upstream_state {
    char address[HS_ADDRESS_BYTES_MAX + 1];
    hs_peer peer; /* 0: none */
    enum hs_err err;
    char text[160];
    uint64_t since_ms; /* wall clock of the last change */
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

    pthread_mutex_t lock; /* of what follows */
    bool stopping;
    struct note *notes, **notes_end;
    struct hs_buf status; /* packed, as of published_ms */
    uint64_t published_ms;
    struct upstream_state upstreams[UPSTREAMS_MAX];
    size_t upstream_count;
};

/* peers_source.c */
struct hs_replica_source peers_source(struct hs_peers *peers);
void peers_close_view(struct hs_peers *peers);

/* peers_store.c: hand what the replica wants stored to the writer; its end comes back as a note. */
enum hs_err peers_store(struct hs_peers *peers, struct hs_replica_store *store);

/* peers_notes.c */
struct note *peers_note_new(enum note_type type);
void peers_note_free(struct note *note);
void peers_note_post(struct hs_peers *peers, struct note *note);                  /* takes it */
struct note *peers_notes_take(struct hs_peers *peers);                            /* all, in order; the caller frees */
enum hs_err peers_note_commit(struct note *note, const struct hs_commit *commit); /* copies */

/* peers_join.c: a frame with a join request. */
void peers_join(struct hs_peers *peers, hs_peer peer, const struct hs_key *curve_key, struct hs_bytes frame);

/* peers_status.c */
void peers_publish(struct hs_peers *peers, bool now);
void peers_upstream_up(struct hs_peers *peers, const char *address, hs_peer peer);
void peers_upstream_down(struct hs_peers *peers, const char *address, enum hs_err err, const char *text);
void peers_upstream_session(struct hs_peers *peers, hs_peer peer, enum hs_err err,
                            const char *text);                  /* live, refused... */
void peers_upstream_gone(struct hs_peers *peers, hs_peer peer); /* we dropped it: no "down" follows */

#endif
