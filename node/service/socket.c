#include "node/service/socket.h"

#include "proto/base/limits.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#define SCHEME               "ipc://"
#define SOCKET_MODE          (S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP)
#define RECEIVE_MESSAGES_MAX 1000 /* that wait unread, of one client */
#define SEND_MESSAGES_MAX    1000 /* answers that a client has not read */
#define LISTEN_BACKLOG       256

/* ---- the socket file ---- */

static enum hs_err path_of(const char *endpoint, struct sockaddr_un *address, struct hs_why *why)
{
    size_t scheme = strlen(SCHEME);
    if (strncmp(endpoint, SCHEME, scheme) != 0 || endpoint[scheme] != '/')
        return hs_fail(HS_EADDRESS, why, "'%s' is not of the form ipc:///path/to/socket", endpoint);
    const char *path = endpoint + scheme;
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address->sun_path)
        return hs_fail(HS_EADDRESS, why, "%s: a socket's path has less than %zu bytes", path, sizeof address->sun_path);
    memcpy(address->sun_path, path, strlen(path));
    return HS_OK;
}

static enum hs_err system_error(const struct sockaddr_un *address, struct hs_why *why)
{
    int error = errno;
    return hs_fail(hs_err_from_errno(error), why, "%s: %s", address->sun_path, strerror(error));
}

/* libzmq removes whatever lies at the path before it binds, a live node's socket too: so we look first. */
static enum hs_err remove_stale(const struct sockaddr_un *address, struct hs_why *why)
{
    struct stat found;
    if (lstat(address->sun_path, &found) != 0)
        return errno == ENOENT ? HS_OK : system_error(address, why);
    if (!S_ISSOCK(found.st_mode))
        return hs_fail(HS_EADDRESS, why, "%s: is there already and is no socket", address->sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return system_error(address, why);
    bool live = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno != ECONNREFUSED;
    close(fd);
    if (live)
        return hs_fail(HS_EINUSE, why, "%s: another node listens there", address->sun_path);
    return unlink(address->sun_path) == 0 ? HS_OK : system_error(address, why);
}

/* ---- life ---- */

static bool set_options(void *router)
{
    static const int LINGER = 0;
    static const int RECEIVE = RECEIVE_MESSAGES_MAX;
    static const int SEND = SEND_MESSAGES_MAX;
    static const int BACKLOG = LISTEN_BACKLOG;
    static const int64_t BYTES = HS_REQUEST_BYTES_MAX;
    return zmq_setsockopt(router, ZMQ_LINGER, &LINGER, sizeof LINGER) == 0 &&
           zmq_setsockopt(router, ZMQ_RCVHWM, &RECEIVE, sizeof RECEIVE) == 0 &&
           zmq_setsockopt(router, ZMQ_SNDHWM, &SEND, sizeof SEND) == 0 &&
           zmq_setsockopt(router, ZMQ_BACKLOG, &BACKLOG, sizeof BACKLOG) == 0 &&
           zmq_setsockopt(router, ZMQ_MAXMSGSIZE, &BYTES, sizeof BYTES) == 0;
}

static enum hs_err listen_at(struct hs_socket *sock, const char *endpoint, const struct sockaddr_un *address,
                             struct hs_why *why)
{
    sock->context = zmq_ctx_new();
    sock->router = sock->context != NULL ? zmq_socket(sock->context, ZMQ_ROUTER) : NULL;
    if (sock->router == NULL || !set_options(sock->router))
        return hs_fail(HS_ENOMEM, why, "%s: %s", endpoint, zmq_strerror(errno));
    if (zmq_bind(sock->router, endpoint) != 0)
        return system_error(address, why);
    sock->address = *address;
    return chmod(address->sun_path, SOCKET_MODE) == 0 ? HS_OK : system_error(address, why);
}

enum hs_err hs_socket_open(const char *endpoint, struct hs_socket *sock, struct hs_why *why)
{
    struct sockaddr_un address;
    *sock = (struct hs_socket){0};
    enum hs_err err = path_of(endpoint, &address, why);
    if (err == HS_OK)
        err = remove_stale(&address, why);
    if (err == HS_OK)
        err = listen_at(sock, endpoint, &address, why);
    if (err != HS_OK)
        hs_socket_close(sock, 0);
    return err;
}

/* The file goes first, while we still listen: afterwards there may be another's at its place. */
void hs_socket_close(struct hs_socket *sock, int linger_ms)
{
    if (sock->address.sun_path[0] != '\0')
        unlink(sock->address.sun_path);
    if (sock->router != NULL) {
        zmq_setsockopt(sock->router, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
        zmq_close(sock->router);
    }
    if (sock->context != NULL)
        zmq_ctx_term(sock->context);
    *sock = (struct hs_socket){0};
}

/* ---- messages ---- */

bool hs_socket_wait(struct hs_socket *sock, struct hs_socket *other, int wake, int timeout_ms)
{
    zmq_pollitem_t items[] = {{.fd = wake, .events = ZMQ_POLLIN},
                              {.socket = sock->router, .events = ZMQ_POLLIN},
                              {.socket = other->router, .events = ZMQ_POLLIN}};
    int ready = zmq_poll(items, other->router != NULL ? 3 : 2, timeout_ms);
    return ready > 0 && (items[0].revents & ZMQ_POLLIN) != 0;
}

/* One part of a message: the sender, then perhaps a delimiter, then the body. */
static enum hs_err take_part(zmq_msg_t *part, unsigned index, struct hs_route *route, struct hs_buf *body)
{
    size_t size = zmq_msg_size(part);
    if (index == 0) {
        route->size = (uint8_t)size; /* the socket made or checked it: at most 255 */
        memcpy(route->bytes, zmq_msg_data(part), size);
        return HS_OK;
    }
    if (index == 1 && size == 0 && zmq_msg_more(part)) {
        route->delimited = true;
        return HS_OK;
    }
    if (zmq_msg_more(part) || body->size != 0)
        return HS_EMALFORMED;
    hs_buf_put(body, zmq_msg_data(part), size);
    return body->err;
}

enum hs_err hs_socket_receive(struct hs_socket *sock, struct hs_route *route, struct hs_buf *body)
{
    enum hs_err err = HS_OK;
    bool more = true;
    route->delimited = false;
    hs_buf_reset(body);
    for (unsigned index = 0; more; index++) {
        zmq_msg_t part;
        zmq_msg_init(&part);
        if (zmq_msg_recv(&part, sock->router, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&part);
            return HS_ENOTFOUND; /* the parts of a message come all at once: this is before the first */
        }
        more = zmq_msg_more(&part);
        enum hs_err taken = take_part(&part, index, route, body);
        err = err == HS_OK ? taken : err;
        zmq_msg_close(&part);
    }
    return err;
}

void hs_socket_send(struct hs_socket *sock, const struct hs_route *route, struct hs_bytes body)
{
    const int more = ZMQ_SNDMORE | ZMQ_DONTWAIT;
    if (zmq_send(sock->router, route->bytes, route->size, more) < 0)
        return;
    bool sent = !route->delimited || zmq_send(sock->router, "", 0, more) >= 0;
    if (sent)
        sent = zmq_send(sock->router, body.data, body.size, ZMQ_DONTWAIT) >= 0;
    if (!sent) /* or the next message would be taken for the rest of this one */
        zmq_send(sock->router, "", 0, ZMQ_DONTWAIT);
}
