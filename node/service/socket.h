/* socket.h -- the ROUTER socket of the local API: whole messages in and out, and whom they are from.  One thread at a
 * time. */
#ifndef HS_SERVICE_SOCKET_H
#define HS_SERVICE_SOCKET_H

#include "proto/base/buf.h"

#include <sys/un.h>

#define HS_ROUTE_BYTES_MAX 255 /* ZeroMQ's limit of a routing id */

/* The way back to a client. */
struct hs_route {
    uint8_t bytes[HS_ROUTE_BYTES_MAX];
    uint8_t size;
    bool delimited; /* a REQ client: an empty part stands before the message */
    bool counter;   /* came in at the counters' socket */
};

struct hs_socket {
    void *context;
    void *router;
    struct sockaddr_un address; /* of the file that is ours to remove; empty path: none */
};

/* Listen at ipc://PATH, mode 0660.  The socket file of a node that is gone is removed.  HS_EINUSE: a live one listens
 * there. HS_EADDRESS, HS_EPERM, HS_EIO, HS_ENOMEM. */
enum hs_err hs_socket_open(const char *endpoint, struct hs_socket *sock, struct hs_why *why);
/* Removes the socket file; what was sent and not read yet is waited for so long at most.  A zeroed socket is fine. */
void hs_socket_close(struct hs_socket *sock, int linger_ms);

/* Wait until a message at either socket (@other may be a zeroed one), or @wake to be readable; answers whether @wake
 * is.
 */
bool hs_socket_wait(struct hs_socket *sock, struct hs_socket *other, int wake, int timeout_ms);
/* The next message; @body is replaced.  HS_ENOTFOUND: none waits.  HS_EMALFORMED: more parts than one; @route is set.
 * HS_ENOMEM. */
enum hs_err hs_socket_receive(struct hs_socket *sock, struct hs_route *route, struct hs_buf *body);
/* A client that is gone, or does not read what it asked for, loses the message. */
void hs_socket_send(struct hs_socket *sock, const struct hs_route *route, struct hs_bytes body);

#endif
