/* monitor.h -- what libzmq tells of a socket's connections, read from a pair socket.  Within node/link only. */
#ifndef HS_LINK_MONITOR_H
#define HS_LINK_MONITOR_H

#include "node/link/sock.h"
#include "proto/base/standing.h"

struct hs_monitor_news {
    int event; /* ZMQ_EVENT_... */
    int value; /* the connection's descriptor, an errno or a reason */
};

/* @pair out.  Before the socket connects or binds: news of it would wait for a listener, and with it an I/O thread. */
enum hs_err hs_monitor_open(struct hs_link_base *base, void *socket, int events, void **pair);
/* Before the socket is closed; null-safe. */
void hs_monitor_close(void *socket, void **pair);
bool hs_monitor_next(void *pair, struct hs_monitor_news *news);

/* "handshake-failed-auth"; and why, in words, of a failure. */
const char *hs_monitor_name(int event);
const char *hs_monitor_reason(const struct hs_monitor_news *news);       /* on the dialling side */
enum hs_reason hs_monitor_code(const struct hs_monitor_news *news);      /* the same */
const char *hs_monitor_reason_heard(const struct hs_monitor_news *news); /* of a handshake, on the listening side */
enum hs_reason hs_monitor_code_heard(const struct hs_monitor_news *news);
bool hs_monitor_is_handshake_failure(int event);

#endif
