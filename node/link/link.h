/* link.h -- the transport between nodes: ZeroMQ ROUTER (listening) and DEALER (dialling) over tcp, CURVE
 * always, a ZAP handler.
 *
 * ZeroMQ is treated as a lossy pipe: the replica numbers its frames and finds the end of a session by its own
 * heartbeats.  A connection's number (hs_peer) is never used again; a dialled address is dialled anew, with a fresh
 * socket, after a backoff with jitter.  No plain listener can be made.  One thread owns a link (ZeroMQ sockets do not
 * cross threads); hs_link_wake is the exception.  The ZAP handler runs in a thread of its own. */
#ifndef HS_LINK_H
#define HS_LINK_H

#include "proto/base/buf.h"
#include "proto/base/limits.h"
#include "proto/base/standing.h"
#include "proto/msg/trust.h"

struct hs_link;
typedef uint64_t hs_peer; /* as in node/replica/replica.h */

#define HS_LINK_UPSTREAMS_MAX 16
#define HS_LINK_GROUPS_MAX    8

struct hs_link_upstream {
    char address[HS_ADDRESS_BYTES_MAX + 1]; /* tcp://host:port */
    struct hs_key curve_key;                /* that the other end must have */
    unsigned group;                         /* below HS_LINK_GROUPS_MAX */
};

struct hs_link_options {
    /* Addresses to bind, at most HS_ADDRESSES_MAX: tcp://host:port (host *: all; port 0 or *: any).  Hubs. */
    const char *const *listen;
    size_t listen_count;
    /* One address of each group is connected at a time, dialled in order, the next one when one fails; groups know
     * nothing of each other.  At most HS_LINK_UPSTREAMS_MAX. */
    const struct hs_link_upstream *upstreams;
    size_t upstream_count;
    struct hs_key curve_public;
    const uint8_t *curve_secret;             /* 32 bytes; borrowed for the call of hs_link_new */
    uint32_t backoff_min_ms, backoff_max_ms; /* 0: 100, 30000 */
    uint32_t connect_ms;                     /* give up a dialled connection without handshake after; 0: 3000 */
    /* Accepted connections of keys that have not shown a certificate yet, and new ones a second; 0: 32. */
    uint32_t unknown_max;
};

enum hs_link_event_type {
    HS_LINK_UP,    /* authenticated by CURVE: curve_key says who */
    HS_LINK_DOWN,  /* err and text say why */
    HS_LINK_FRAME, /* data: valid until the next call */
    HS_LINK_NOTE,  /* something for the log and the counters: text, counter */
    HS_LINK_WOKEN, /* hs_link_wake was called */
};
/* Names in link.c, shown in status. */
enum hs_link_counter {
    HS_LINK_ACCEPTED,
    HS_LINK_DIALLED,
    HS_LINK_CONNECTED,
    HS_LINK_DISCONNECTED,
    HS_LINK_HANDSHAKE_FAILED,
    HS_LINK_FRAMES_IN,
    HS_LINK_FRAMES_OUT,
    HS_LINK_BYTES_IN,
    HS_LINK_BYTES_OUT,
    HS_LINK_SEND_FAILED,
    HS_LINK_REFUSED_KEYS,
    HS_LINK_COUNTER_COUNT,
};
const char *hs_link_counter_name(enum hs_link_counter counter);

struct hs_link_event {
    enum hs_link_event_type type;
    hs_peer peer;
    bool outbound;
    struct hs_key curve_key;
    const char *address; /* of UP: as configured if dialled, else the other end's; else "" */
    struct hs_bytes data;
    enum hs_err err;
    enum hs_reason reason; /* of DOWN, and of a NOTE of what failed */
    const char *text;
};

/* HS_EADDRESS, HS_EINUSE (the text names the address), HS_EPERM, HS_ENOMEM, HS_EIO. */
enum hs_err hs_link_new(const struct hs_link_options *options, struct hs_link **link, struct hs_why *why);
void hs_link_free(struct hs_link *link); /* within 100 ms: nothing lingers */
/* The bound address number i, with the real port. */
const char *hs_link_address(const struct hs_link *link, size_t i);

/* The next event, waiting at most until the monotonic time @until_ms. HS_ETIMEDOUT: none came. */
enum hs_err hs_link_next(struct hs_link *link, uint64_t until_ms, struct hs_link_event *event);
/* Send a frame; never blocks.  HS_EUNREACHABLE: the connection is gone or full: drop it.  HS_ETOOBIG: over
 * HS_MESSAGE_BYTES_MAX. */
enum hs_err hs_link_send(struct hs_link *link, hs_peer peer, struct hs_bytes frame);
/* Forget a connection, no DOWN follows; what was sent before still goes out.  An accepted one is closed half a second
 * later, a dialled one is dialled again after a backoff (@failed: goes on to the next address, and lengthens it after
 * the last). */
void hs_link_drop(struct hs_link *link, hs_peer peer, bool failed);
/* As hs_link_drop of a dialled one whose other end has a session with this node already, which is the one that stays:
 * its group is not dialled for @ms, or until hs_link_resume for that end's key. */
void hs_link_pause(struct hs_link *link, hs_peer peer, uint32_t ms);
void hs_link_resume(struct hs_link *link, const struct hs_key *curve_key);
/* Where a connection goes: as configured if dialled, else the other end's address; "" if it is gone.  Valid until the
 * next call. */
const char *hs_link_peer_address(const struct hs_link *link, hs_peer peer);
/* The session came about: the peer showed a certificate that names its key.  A dialled one that lasts ten seconds
 * lets the backoff start anew from the minimum, of an accepted one the key is known from now on. */
void hs_link_good(struct hs_link *link, hs_peer peer);
/* A certificate held here names this key: its connections are not bounded as unknown ones are.  Told at the start, a
 * thousand halls come back to a hub at once. */
void hs_link_know(struct hs_link *link, const struct hs_key *curve_key);
void hs_link_wake(struct hs_link *link);                                          /* any thread */
uint64_t hs_link_count(const struct hs_link *link, enum hs_link_counter counter); /* any thread */
uint64_t hs_link_now_ms(void); /* the monotonic clock of all times here */

/* An address as configuration gives it: tcp://host:port, host a name, an IPv4 or a [v6] address (to listen also *).
 * HS_EADDRESS. */
enum hs_err hs_link_check_address(const char *address, struct hs_why *why);

#endif
