/* daemon.h -- a node: store, writer, peers and service, made and ended in order.
 *
 * Each of its four rooms works in turns that never wait.  hs_daemon_start gives each a thread that takes its turns;
 * the simulator (tests/sim) takes them itself, in an order of its own, on a clock and links of its own.
 *
 *   main thread      signals
 *   writer           the only one that writes the store
 *   service          the local socket; reads from views, writes through the writer
 *   peers            link and replica; reads from views, stores through the writer
 *   checker          reads the store whole from time to time, and rests most of it
 *   (ZAP handler, libzmq's own I/O threads)
 */
#ifndef HS_DAEMON_H
#define HS_DAEMON_H

#include "node/conf/conf.h"
#include "node/writer/writer.h"
#include "storage/store.h"

struct hs_daemon;

struct hs_daemon_options {
    const struct hs_conf *conf; /* borrowed for the daemon's life */
    const char *note_dir;       /* for the continuity note; NULL: as the store does */
    /* The node cannot go on: what was acknowledged does not depend on it, the next start goes on from the disk.  NULL:
     * the process ends. */
    void (*fatal)(void *ctx, enum hs_err err);
    /* The node has got a later certificate: it is to be stopped and made again, which takes it over.  On any thread.
     * NULL: it goes on with the one it has until its next start. */
    void (*restart)(void *ctx);
    void *ctx;
};
/* Everything of the data directory is opened, sockets are bound; nothing runs yet.  On failure nothing is left. */
enum hs_err hs_daemon_new(const struct hs_daemon_options *options, struct hs_daemon **daemon, struct hs_why *why);
enum hs_err hs_daemon_start(struct hs_daemon *daemon); /* the threads; HS_ENOMEM: to be stopped */
/* Requests under way are answered, what is committed is told, the records are flushed.  Within 2 s.  Frees the daemon;
 * NULL is fine. */
void hs_daemon_stop(struct hs_daemon *daemon);

/* Without threads: one turn of a room.  Answers when it wants the next one at the latest, by the monotonic clock;
 * UINT64_MAX: when there is something new. */
enum hs_daemon_room { HS_DAEMON_WRITER, HS_DAEMON_PEERS, HS_DAEMON_SERVICE, HS_DAEMON_CHECKER };
uint64_t hs_daemon_turn(struct hs_daemon *daemon, enum hs_daemon_room room);
struct hs_store *hs_daemon_store(struct hs_daemon *daemon);
struct hs_writer *hs_daemon_writer(struct hs_daemon *daemon);

#endif
