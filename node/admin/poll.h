/* poll.h -- the node asked for its status once a second, on a thread and over a connection of its own. */
#ifndef HS_ADMIN_POLL_H
#define HS_ADMIN_POLL_H

#include "node/admin/admin.h"

struct admin_poll;

struct admin_poll_options {
    const char *endpoint; /* borrowed */
    /* On the poll's thread: a status has come (@status, to be held by whoever keeps it), or the node did not answer
     * (NULL). */
    void (*told)(void *ctx, const struct admin_status *status);
    void *ctx;
};
enum hs_err admin_poll_new(const struct admin_poll_options *options, struct admin_poll **poll);
void admin_poll_stop(struct admin_poll *poll); /* NULL is fine */

const struct admin_status *admin_poll_hold(struct admin_poll *poll); /* NULL: none yet */
bool admin_poll_answers(struct admin_poll *poll);

#endif
