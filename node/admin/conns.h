/* conns.h -- the open connections, and since when each is at what it does: libmicrohttpd ends those that are silent,
 * but not those that send, or read, a byte now and then.  Any thread. */
#ifndef HS_ADMIN_CONNS_H
#define HS_ADMIN_CONNS_H

#include "proto/base/err.h"

#include <stdint.h>

#define ADMIN_CONNS_MAX       128
#define ADMIN_CONNS_OF_IP_MAX 64
#define ADMIN_ASK_MS_MAX      10000 /* for a request to be here, from the connection or the last answer on */
#define ADMIN_ANSWER_MS_MAX   60000 /* for an answer to be taken, once it is there */

enum admin_conn_state {
    ADMIN_CONN_ASKS,    /* its request is coming */
    ADMIN_CONN_WAITS,   /* for its answer */
    ADMIN_CONN_ANSWERS, /* its answer is going */
    ADMIN_CONN_WATCHES, /* an endless one */
};

struct admin_conns;
struct admin_conn;
enum hs_err admin_conns_new(struct admin_conns **conns);
void admin_conns_free(struct admin_conns *conns);                                       /* NULL is fine */
struct admin_conn *admin_conn_open(struct admin_conns *conns, int fd, uint64_t now_ms); /* NULL: no room */
void admin_conn_close(struct admin_conns *conns, struct admin_conn *conn);              /* before its fd is closed */
void admin_conn_now(struct admin_conns *conns, struct admin_conn *conn, enum admin_conn_state state, uint64_t now_ms);
/* Shut the sockets of those that have taken too long: libmicrohttpd then sees their end. */
unsigned admin_conns_tick(struct admin_conns *conns, uint64_t now_ms);

#endif
