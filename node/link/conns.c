#include "node/link/conns.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define DESCRIPTOR_MAX (1 << 20)
#define ROOM_MIN       64

/* An IPv4 address that came to a socket for both families is told as one. */
static const char *unmapped(const char *host)
{
    static const char mapped[] = "::ffff:";
    bool is_mapped = strncmp(host, mapped, sizeof mapped - 1) == 0 && strchr(host, '.') != NULL;
    return is_mapped ? host + sizeof mapped - 1 : host;
}

static void remote_text(int descriptor, char text[static HS_CONN_TEXT_BYTES])
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    char host[NI_MAXHOST];
    char port[NI_MAXSERV];
    int flags = NI_NUMERICHOST | NI_NUMERICSERV;
    text[0] = '\0';
    if (getpeername(descriptor, (struct sockaddr *)&address, &size) != 0 ||
        getnameinfo((struct sockaddr *)&address, size, host, sizeof host, port, sizeof port, flags) != 0)
        return;
    const char *plain = unmapped(host);
    snprintf(text, HS_CONN_TEXT_BYTES, strchr(plain, ':') == NULL ? "tcp://%.48s:%.5s" : "tcp://[%.46s]:%.5s", plain,
             port);
}

void hs_conns_fini(struct hs_conns *conns)
{
    free(conns->items);
    *conns = (struct hs_conns){0};
}

struct hs_conn *hs_conns_find(struct hs_conns *conns, int descriptor)
{
    if (descriptor < 0 || (size_t)descriptor >= conns->room || !conns->items[descriptor].open)
        return NULL;
    return &conns->items[descriptor];
}

static bool make_room(struct hs_conns *conns, size_t need)
{
    size_t room = conns->room == 0 ? ROOM_MIN : conns->room;
    while (room < need)
        room *= 2;
    if (room == conns->room)
        return true;
    struct hs_conn *items = realloc(conns->items, room * sizeof *items);
    if (items == NULL)
        return false;
    memset(items + conns->room, 0, (room - conns->room) * sizeof *items);
    conns->items = items;
    conns->room = room;
    return true;
}

struct hs_conn *hs_conns_open(struct hs_conns *conns, int descriptor, uint64_t due_ms)
{
    if (descriptor < 0 || descriptor > DESCRIPTOR_MAX || !make_room(conns, (size_t)descriptor + 1))
        return NULL;
    struct hs_conn *conn = &conns->items[descriptor];
    *conn = (struct hs_conn){.open = true};
    remote_text(descriptor, conn->remote);
    hs_conns_set_due(conns, conn, due_ms);
    return conn;
}

void hs_conns_close(struct hs_conn *conn)
{
    conn->open = false;
}

void hs_conns_set_due(struct hs_conns *conns, struct hs_conn *conn, uint64_t due_ms)
{
    conn->due_ms = due_ms;
    if (conns->due_ms > due_ms)
        conns->due_ms = due_ms;
}

/* The descriptor may have been closed and be another's since libzmq told of it: only if it still is that connection. */
static void shut_down(int descriptor, const struct hs_conn *conn)
{
    char remote[HS_CONN_TEXT_BYTES];
    remote_text(descriptor, remote);
    if (remote[0] != '\0' && strcmp(remote, conn->remote) == 0)
        shutdown(descriptor, SHUT_RDWR);
}

void hs_conns_sweep(struct hs_conns *conns, uint64_t now_ms)
{
    if (now_ms < conns->due_ms)
        return;
    conns->due_ms = UINT64_MAX;
    for (size_t i = 0; i < conns->room; i++) {
        struct hs_conn *conn = &conns->items[i];
        if (!conn->open)
            continue;
        if (conn->due_ms <= now_ms) {
            shut_down((int)i, conn);
            conn->due_ms = UINT64_MAX;
        }
        if (conns->due_ms > conn->due_ms)
            conns->due_ms = conn->due_ms;
    }
}
