/* inside.h -- what the files of node/admin share, besides what handlers use (admin.h). */
#ifndef HS_ADMIN_INSIDE_H
#define HS_ADMIN_INSIDE_H

#include "node/admin/access.h"
#include "node/admin/admin.h"
#include "node/admin/events.h"
#include "node/admin/guard.h"
#include "node/admin/overview.h"
#include "node/admin/poll.h"
#include "node/admin/sessions.h"
#include "node/admin/userfile.h"
#include "node/admin/work.h"
#include "node/status/alarms.h"

/* The prefix is a promise that browsers hold one to: set over TLS, by this host, for all of it. */
#define ADMIN_COOKIE(tls) ((tls) ? "__Host-hallsync" : "hallsync")

struct admin {
    const struct hs_conf *conf;
    struct admin_listen listen;
    bool tls;
    struct admin_userfile *users;
    struct admin_sessions *sessions;
    struct admin_guard *guard;
    struct admin_basics *basics;
    struct admin_events *events;
    struct admin_work *pools[ADMIN_POOL_COUNT];
    struct admin_poll *poll;
    _Atomic(struct hs_samples *) samples; /* NULL: they could not be opened yet; the poll's thread tries again */
    bool samples_failed;                  /* they are not kept, and that was told; the poll's thread, as the next */
    uint64_t samples_try_ms;              /* by hs_tick_ms(), when it does */
    struct admin_overview *overview;
    struct hs_alarms alarms; /* in force by the last status; the poll's thread */
    bool alarms_known;       /* there was one */
};

/* ---- time ---- */

#define ADMIN_QUEUE_MS_MAX 8000 /* that a request waits for a worker */
#define ADMIN_NODE_MS_MAX  8000 /* that a worker waits for the node, all calls of a request together */

/* ---- routes ---- */

#define ADMIN_EVENTS_PATH "/api/events"
extern const struct admin_route ADMIN_EVENTS_ROUTE; /* answered by http.c itself, as it never ends */

#define ADMIN_PATH_BYTES_MAX 256
struct admin_match {
    const struct admin_route *route;      /* NULL: there is none */
    const char *args[ADMIN_ARGS_MAX];     /* within @parts */
    char parts[ADMIN_PATH_BYTES_MAX + 1]; /* the path, cut up */
    const char *allow;                    /* no route, but with this method there is one; else NULL */
};
void admin_match(const struct admin_route *routes, size_t count, const char *method, const char *path,
                 struct admin_match *match);

/* ---- the gate: may this be done? ---- */

/* Headers as they came; NULL: not there. */
struct admin_asked {
    const char *host, *origin, *fetch_site, *cookie, *csrf, *content_type, *authorization, *forwarded;
};
/* The name that the request was sent to is ours, and no foreign page has sent it.  False: answered. */
bool admin_gate_origin(struct admin_request *request, const struct admin_asked *asked, bool changes);
/* Its sender is logged in with the role of its route, and knows the session's token if it changes anything.  False:
 * answered. */
bool admin_gate_role(struct admin_request *request, const struct admin_asked *asked);

/* The same of a program's.  request->verify: the password is still to be verified, where that may take its time. */
bool admin_gate_basic(struct admin_request *request, const struct admin_asked *asked);
bool admin_basic_verified(struct admin_request *request); /* false: answered */
struct admin_basics;                                      /* passwords that were right a short while ago */
enum hs_err admin_basics_new(struct admin_basics **basics);
void admin_basics_free(struct admin_basics *basics); /* NULL is fine */

/* Right name and password?  HS_EPERM: no, as late, whether there is such a user or not; HS_ENOMEM: nobody knows. */
enum hs_err admin_user_verify(struct admin_request *request, const char *name, const char *password,
                              struct hs_user *user);

/* ---- jansson's memory ---- */

/* What it could not get is remembered, since the tree that was to be made says nothing of a branch that it lacks; and
 * what it gives back is wiped, since passwords are read with it.  Once, before there are threads. */
void admin_json_memory(void);
bool admin_json_lacked(void); /* memory, on this thread, since it asked the last time */

/* ---- answers ---- */

void admin_answer_too_often(struct admin_request *request, uint64_t wait_ms); /* 429 */

void admin_answer_no_users(struct admin_request *request); /* 401, and how the first one is made */

/* Compressed, in the place of what was there; false: it did not get smaller, or there was no memory for it. */
bool admin_gzip(struct hs_buf *body);
/* What was @size bytes before.  HS_EMALFORMED, HS_ENOMEM. */
enum hs_err admin_gunzip(struct hs_bytes packed, size_t size, struct hs_buf *body);

/* ---- the page ---- */

struct admin_page {
    const char *path; /* "/main.js" */
    const char *type;
    const char *tag; /* with its quotes */
    const uint8_t *gzip;
    size_t gzip_size, size;
};
extern const struct admin_page ADMIN_PAGES[];
extern const size_t ADMIN_PAGE_COUNT;
const struct admin_page *admin_page_find(const char *path); /* "/" is index.html; NULL: there is none */

#endif
