/* events.h -- server-sent events: a ring of what was told last, and the browsers that watch.  Who reads too slowly to
 * stay within the ring is dropped, and comes again. */
#ifndef HS_ADMIN_EVENTS_H
#define HS_ADMIN_EVENTS_H

#include "proto/base/err.h"

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADMIN_WATCHERS_MAX         64
#define ADMIN_WATCHERS_OF_USER_MAX 8
#define ADMIN_EVENTS_MAX           512
#define ADMIN_EVENTS_BYTES_MAX     ((size_t)4 * 1024 * 1024)

struct admin_events;
enum hs_err admin_events_new(struct admin_events **events);
/* All watchers' answers end, and come again later; no more are taken until it is opened again. */
void admin_events_shut(struct admin_events *events);
void admin_events_open(struct admin_events *events);
void admin_events_free(struct admin_events *events); /* when no connection is left; NULL is fine */

/* @data: one line.  Any thread. */
void admin_events_put(struct admin_events *events, const char *event, const char *data);
/* Something that had to be told was not: all who watch end, come again, and are told to ask for everything.  Any
 * thread. */
void admin_events_lost(struct admin_events *events);
/* Look whether each watcher's session still holds; those of which it does not are told so and end. */
typedef bool (*admin_session_holds)(void *ctx, const char *session);
void admin_events_check(struct admin_events *events, admin_session_holds holds, void *ctx);

/* The endless answer for this connection, from behind event @last_id (NULL: from now on).  NULL: too many watch.
 * libmicrohttpd's thread. */
struct MHD_Response *admin_events_watch(struct admin_events *events, struct MHD_Connection *connection,
                                        const char *user, const char *session, const char *last_id);

#endif
