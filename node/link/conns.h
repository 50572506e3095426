/* conns.h -- the tcp connections below the listening socket, by descriptor.  Within node/link only.
 *
 * libzmq closes a connection of a ROUTER only when the other end does.  But it tells the descriptor of each that comes
 * and goes, and of each frame (ZMQ_SRCFD): so one that is not wanted any more is shut down below libzmq, which then
 * finds it at its end. */
#ifndef HS_LINK_CONNS_H
#define HS_LINK_CONNS_H

#include "node/link/link.h"

#define HS_CONN_TEXT_BYTES 64

struct hs_conn {
    bool open;
    hs_peer peer;                    /* whose frames came through it; 0: none came yet */
    uint64_t due_ms;                 /* to be shut down then; UINT64_MAX: not */
    char remote[HS_CONN_TEXT_BYTES]; /* tcp://ip:port of the other end */
};

struct hs_conns {
    struct hs_conn *items; /* by descriptor */
    size_t room;
    uint64_t due_ms; /* none is due before */
};

void hs_conns_fini(struct hs_conns *conns);
struct hs_conn *hs_conns_find(struct hs_conns *conns, int descriptor); /* an open one; NULL */
/* It has come; NULL: out of memory.  Due when no frame has come by then. */
struct hs_conn *hs_conns_open(struct hs_conns *conns, int descriptor, uint64_t due_ms);
void hs_conns_close(struct hs_conn *conn); /* it has gone */
void hs_conns_set_due(struct hs_conns *conns, struct hs_conn *conn, uint64_t due_ms);
void hs_conns_sweep(struct hs_conns *conns, uint64_t now_ms); /* shut down those that are due */

#endif
