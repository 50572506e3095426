/* http.h -- libmicrohttpd: connections, requests put together, answers sent.  One thread of its own moves bytes;
 * nothing on it waits or computes. */
#ifndef HS_ADMIN_HTTP_H
#define HS_ADMIN_HTTP_H

#include "node/admin/inside.h"

struct admin_http;

/* @fd: a listening socket, borrowed.  @certificate, @key: PEM texts, borrowed; NULL: no TLS. */
enum hs_err admin_http_new(struct admin *admin, int fd, const char *certificate, const char *key,
                           struct admin_http **http, struct hs_why *why);
/* End connections that have taken too long over a request.  About once a second. */
void admin_http_tick(struct admin_http *http, uint64_t now_ms);
/* No new connections, and no new work. */
void admin_http_quiesce(struct admin_http *http);
/* When pools and events have ended: nothing waits any more.  NULL is fine. */
void admin_http_stop(struct admin_http *http);

/* What a worker runs: the handler of a request (struct exchange), then its connection goes on. */
void admin_http_run(void *job, struct hallsync *node);

#endif
