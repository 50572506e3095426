/* router.h -- the listening half of a link: a ROUTER socket and those who connected to it.  Within node/link only. */
#ifndef HS_LINK_ROUTER_H
#define HS_LINK_ROUTER_H

#include "node/link/sock.h"

struct hs_router;

enum hs_err hs_router_new(const struct hs_link_options *options, struct hs_link_base *base, struct hs_router **router,
                          struct hs_why *why);
/* Its sockets; after zmq_ctx_shutdown the rest.  NULL is fine. */
void hs_router_close(struct hs_router *router);
void hs_router_free(struct hs_router *router);
const char *hs_router_address(const struct hs_router *router, size_t i);

/* What to poll: the ROUTER, and the news of its connections. */
void *hs_router_socket(struct hs_router *router);
void *hs_router_news_socket(struct hs_router *router);
/* Something is left to give whatever poll says. */
bool hs_router_pending(const struct hs_router *router);
uint64_t hs_router_due_ms(const struct hs_router *router); /* of the next hs_router_tick */
void hs_router_tick(struct hs_router *router, uint64_t now_ms);

/* The next event of either kind; false: none for now. */
bool hs_router_news(struct hs_router *router, struct hs_link_event *event);
bool hs_router_next(struct hs_router *router, struct hs_link_event *event);

/* HS_EUNREACHABLE also for a peer that is not one of ours. */
enum hs_err hs_router_send(struct hs_router *router, hs_peer peer, struct hs_bytes frame);
void hs_router_drop(struct hs_router *router, hs_peer peer);
void hs_router_good(struct hs_router *router, hs_peer peer);
const char *hs_router_peer_address(struct hs_router *router, hs_peer peer); /* "": gone */
void hs_router_know(struct hs_router *router, const struct hs_key *key);

#endif
