/* socket.c -- node/service/socket.h for clients of the simulator: their requests come when they are due, answers go to
 * the world's hook.  A route is the client's number. */
#include "tests/sim/inside.h"

#include "node/service/socket.h"

#include <stdlib.h>
#include <string.h>

struct request {
    struct request *next;
    uint64_t at_ms, client;
    struct hs_buf bytes;
};

struct sim_socket {
    struct sim_machine *machine;
    struct request *requests; /* by time */
    struct hs_buf *listener;  /* who asked from outside; NULL: nobody */
};

/* ---- the service's side ---- */

enum hs_err hs_socket_open(const char *endpoint, struct hs_socket *sock, struct hs_why *why)
{
    struct sim_socket *made = calloc(1, sizeof *made);
    (void)endpoint;
    (void)why;
    if (made == NULL)
        return HS_ENOMEM;
    made->machine = sim_world->current;
    made->machine->socket = made;
    *sock = (struct hs_socket){.router = made};
    return HS_OK;
}

static void free_request(struct request *request)
{
    hs_buf_fini(&request->bytes);
    free(request);
}

void hs_socket_close(struct hs_socket *sock, int linger_ms)
{
    struct sim_socket *own = sock->router;
    (void)linger_ms;
    if (own == NULL)
        return;
    while (own->requests != NULL) {
        struct request *request = own->requests;
        own->requests = request->next;
        free_request(request);
    }
    own->machine->socket = NULL;
    free(own);
    sock->router = NULL;
}

bool hs_socket_wait(struct hs_socket *sock, struct hs_socket *other, int wake, int timeout_ms)
{
    (void)sock;
    (void)other;
    (void)wake;
    (void)timeout_ms;
    return false; /* a turn looks at everything anyway */
}

enum hs_err hs_socket_receive(struct hs_socket *sock, struct hs_route *route, struct hs_buf *body)
{
    struct sim_socket *own = sock->router;
    struct request *request = own->requests;
    if (request == NULL || request->at_ms > own->machine->sim->now_ms)
        return HS_ENOTFOUND;
    own->requests = request->next;
    *route = (struct hs_route){.size = sizeof request->client};
    memcpy(route->bytes, &request->client, sizeof request->client);
    hs_buf_reset(body);
    hs_buf_put_bytes(body, hs_buf_bytes(&request->bytes));
    free_request(request);
    return body->err;
}

void hs_socket_send(struct hs_socket *sock, const struct hs_route *route, struct hs_bytes body)
{
    struct sim_socket *own = sock->router;
    struct sim *sim = own->machine->sim;
    uint64_t client;
    memcpy(&client, route->bytes, sizeof client);
    if (client == SIM_CLIENT_NOBODY) {
        if (own->listener != NULL)
            hs_buf_put_bytes(own->listener, body);
        return;
    }
    if (!sim_effect(own->machine))
        return;
    sim_mix(sim, HS_BYTES(&body.size, sizeof body.size)); /* not the text: it may name our temporary folder */
    if (!sim_chance(&sim->network, sim->options.answer_lost) && sim->hooks.answered != NULL)
        sim->hooks.answered(sim->hooks.ctx, own->machine, client, body);
}

/* ---- the world's side ---- */

uint64_t sim_socket_due_ms(const struct sim_socket *socket)
{
    return socket->requests != NULL ? socket->requests->at_ms : UINT64_MAX;
}

void sim_socket_put(struct sim_socket *socket, uint64_t at_ms, uint64_t client, struct hs_bytes bytes)
{
    struct request *request = calloc(1, sizeof *request);
    struct request **at = &socket->requests;
    if (request != NULL)
        hs_buf_put_bytes(&request->bytes, bytes);
    if (request == NULL || request->bytes.err != HS_OK)
        sim_fail(socket->machine->sim, "out of memory");
    while (*at != NULL && (*at)->at_ms <= at_ms)
        at = &(*at)->next;
    request->at_ms = at_ms;
    request->client = client;
    request->next = *at;
    *at = request;
}

void sim_socket_listen_in(struct sim_socket *socket, struct hs_buf *reply)
{
    socket->listener = reply;
}
