/* surveyor.h -- a thread that finds out, once a minute, what status tells and takes a while: the registry, the books of
 * yesterday, tickets that are late; and every ten seconds what this node says of itself to its hubs.  Nobody waits for
 * it. */
#ifndef HS_DAEMON_SURVEYOR_H
#define HS_DAEMON_SURVEYOR_H

#include "node/conf/conf.h"
#include "node/replica/replica.h"
#include "node/service/survey.h"

struct hs_surveyor;

struct hs_surveyor_options {
    const struct hs_conf *conf; /* borrowed */
    struct hs_store *store;
    void (*status)(void *ctx, struct hs_buf *partial);        /* what the other rooms tell */
    void (*say)(void *ctx, const struct hs_figures *figures); /* ... and what it comes to; on the thread */
    void *ctx;
};
enum hs_err hs_surveyor_new(const struct hs_surveyor_options *options, struct hs_surveyor **surveyor); /* HS_ENOMEM */
enum hs_err hs_surveyor_start(struct hs_surveyor *surveyor); /* its thread.  HS_ENOMEM */
/* Look at everything now, whatever the time; for who gives it no thread. */
enum hs_err hs_surveyor_look(struct hs_surveyor *surveyor);
void hs_surveyor_stop(struct hs_surveyor *surveyor); /* before the rooms whose status it asks for; NULL is fine */
void hs_surveyor_free(struct hs_surveyor *surveyor); /* NULL is fine */

/* Any thread. */
void hs_surveyor_status(struct hs_surveyor *surveyor, struct hs_buf *partial); /* of a StatusReply */
void hs_surveyor_want(
    struct hs_surveyor *surveyor); /* somebody is new in the registry: look again soon.  NULL is fine */
/* The registry as of the last look; NULL: none yet.  To be given back. */
struct hs_known {
    atomic_uint holders;
    struct hs_roll roll;
};
struct hs_known *hs_surveyor_known(struct hs_surveyor *surveyor);
void hs_known_release(struct hs_known *known); /* NULL is fine */

#endif
