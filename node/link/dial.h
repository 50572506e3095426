/* dial.h -- the dialling half of a link: of one group of upstreams one connection at a time, to the first address that
 * answers.  Within node/link only. */
#ifndef HS_LINK_DIAL_H
#define HS_LINK_DIAL_H

#include "node/link/sock.h"

struct hs_dial;

/* Of the upstreams those of @group, at least one. */
enum hs_err hs_dial_new(const struct hs_link_options *options, unsigned group, struct hs_link_base *base,
                        struct hs_dial **dial, struct hs_why *why);
void hs_dial_free(struct hs_dial *dial); /* NULL is fine */

/* What to poll now; a NULL socket and a descriptor below zero are nothing. */
void *hs_dial_socket(struct hs_dial *dial);
void *hs_dial_news_socket(struct hs_dial *dial);
int hs_dial_fd(const struct hs_dial *dial);
bool hs_dial_pending(const struct hs_dial *dial);    /* something is left to give whatever poll says */
uint64_t hs_dial_due_ms(const struct hs_dial *dial); /* of the next hs_dial_tick */

/* The next event of each kind; false: none for now. */
bool hs_dial_tick(struct hs_dial *dial, uint64_t now_ms, struct hs_link_event *event);
bool hs_dial_news(struct hs_dial *dial, struct hs_link_event *event);
bool hs_dial_next(struct hs_dial *dial, struct hs_link_event *event);

/* HS_EUNREACHABLE also for a peer that is not the one dialled now. */
enum hs_err hs_dial_send(struct hs_dial *dial, hs_peer peer, struct hs_bytes frame);
void hs_dial_drop(struct hs_dial *dial, hs_peer peer, bool failed);
void hs_dial_good(struct hs_dial *dial, hs_peer peer);
void hs_dial_pause(struct hs_dial *dial, hs_peer peer, uint32_t ms);
void hs_dial_resume(struct hs_dial *dial, const struct hs_key *key);
const char *hs_dial_address(const struct hs_dial *dial, hs_peer peer); /* NULL: not the one dialled now */

#endif
