/* admin.h -- hallsync-admin: what its handlers use.  The program is a client of the node's local socket and serves what
 * it learns there over HTTP.  Threads: one of libmicrohttpd's, which only moves bytes; one that asks the node for its
 * status; and workers, on which handlers run.  A handler is one row of routes.c; it gets a request whose sender has the
 * role that the row asks for, and ends with one admin_answer_...() call. */
#ifndef HS_ADMIN_H
#define HS_ADMIN_H

#include "node/admin/access.h"
#include "node/client/hallsync.h"
#include "node/conf/conf.h"
#include "node/users/users.h"
#include "proto/base/buf.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct admin;
struct admin_request;

/* ---- routes ---- */

/* Where a handler runs: each pool has threads and a queue of its own, so what waits in one holds up nobody in another.
 */
enum admin_pool_name {
    ADMIN_MEMORY,   /* answered from what the program holds */
    ADMIN_NODE,     /* asks the node */
    ADMIN_PASSWORD, /* verifies a password: memory and time by intention, so few at a time */
    ADMIN_POOL_COUNT,
};

struct admin_route {
    const char *method;     /* "GET", "POST" */
    const char *pattern;    /* "/api/node/?": ? is one part of the path, at the end all that is left of it; at most
                             * ADMIN_ARGS_MAX of them */
    enum hs_user_role role; /* the least; HS_USER_NOBODY: no login is asked for */
    enum admin_pool_name pool;
    void (*run)(struct admin_request *request);
};
#define ADMIN_ARGS_MAX    2
#define ADMIN_QUERIES_MAX 16

extern const struct admin_route ADMIN_ROUTES[];
extern const size_t ADMIN_ROUTE_COUNT;

/* ---- a request, in the hands of one worker until its handler returns ---- */

struct admin_query {
    char *name, *value; /* decoded */
};

struct admin_who {
    char name[HS_USER_NAME_BYTES]; /* "": nobody has logged in */
    enum hs_user_role role;
};

struct admin_answer {
    unsigned status;  /* 0: none given yet */
    const char *type; /* of the content, a constant */
    struct hs_buf body;
    char cookie[200];       /* Set-Cookie; "": none */
    unsigned retry_after_s; /* 0: none */
    bool keep;              /* a browser may keep it and ask with its ETag whether it still holds */
    char tag[40];           /* that ETag, made behind the handler */
    bool gzip;              /* and whether it was compressed */
    size_t unpacked;        /* the handler gave it compressed, and it is of so many bytes; 0: it did not */
    bool ask_basic;         /* of a program: name and password in its next request */
};

struct admin_request {
    struct admin *admin;
    const struct admin_route *route;
    const char *args[ADMIN_ARGS_MAX]; /* of the pattern's ?; use admin_arg() */
    struct admin_query queries[ADMIN_QUERIES_MAX];
    size_t query_count;
    char address[48]; /* of who asks, without its port */
    char session[64]; /* the text of the session's cookie; "": none */
    char csrf[44];    /* of that session */
    struct admin_who who;
    struct hs_buf body;       /* as it came */
    struct admin_basic basic; /* of a program */
    bool verify;              /* that is still to be done */
    json_t *input;            /* of a POST: its object; else NULL */
    struct hallsync *node;    /* of the worker's, for admin_call() */
    uint64_t came_ms;         /* by hs_tick_ms(), when it was put before the workers */
    uint64_t until_ms;        /* what the node has not said by then it is not waited for */
    struct admin_answer answer;
};

const struct hs_conf *admin_conf(const struct admin_request *request);
const char *admin_arg(const struct admin_request *request, size_t i);           /* "" if there is none */
const char *admin_query(const struct admin_request *request, const char *name); /* NULL: not given */
const char *admin_input(const struct admin_request *request, const char *name); /* a text of the POST's object; NULL */

/* ---- the node ---- */

/* Ask the node; only in pool ADMIN_NODE.  @body: the reply that is expected (Hallsync__Reply__BodyCase).  True: *reply
 * is valid until the worker's next call.  False: the request has been answered with the node's error or that it is
 * gone, and the handler returns.  All calls of a request together take ADMIN_NODE_MS_MAX at most: nobody holds a worker
 * up for longer. */
bool admin_call(struct admin_request *request, const Hallsync__Request *message, int body,
                const Hallsync__Reply **reply);
/* The same; but a reply that says @but is handed back, too.  HS_ETIMEDOUT: so is that there was none in time, as
 * NULL. */
bool admin_call_but(struct admin_request *request, const Hallsync__Request *message, int body, enum hs_err but,
                    const Hallsync__Reply **reply);

/* The last status that the node gave.  Held, it stays; released, it may go. */
struct admin_status {
    const Hallsync__StatusReply *reply;
    uint64_t time_ms; /* wall clock, when it came */
};
const struct admin_status *admin_status_hold(struct admin *admin); /* NULL: the node has never answered */
void admin_status_release(const struct admin_status *status);      /* NULL is fine */
bool admin_node_answers(struct admin *admin);                      /* it did, the last time it was asked */

/* ---- answers: one for each request ---- */

/* 200 and this object or list; taken.  NULL: out of memory, answered as that. */
void admin_answer_json(struct admin_request *request, json_t *json);
void admin_answer_object(struct admin_request *request, unsigned status, json_t *json); /* the same with a status */
/* The same of text that the handler has written; taken, its error answered. */
void admin_answer_text(struct admin_request *request, const char *type, struct hs_buf *text);
/* {"error","text_en","text_zh"}. */
void admin_answer_error(struct admin_request *request, unsigned status, const char *error, const char *text_en,
                        const char *text_zh);
/* An error of ours, or of the node's: status and text follow from its class; @why may be NULL. */
void admin_answer_fail(struct admin_request *request, enum hs_err err, const struct hs_why *why);

/* ---- events: to all who watch /api/events ---- */

/* @data: one line of JSON, copied.  Any thread; never waits. */
void admin_events_post(struct admin *admin, const char *event, const char *data);
void admin_events_post_json(struct admin *admin, const char *event, json_t *data); /* taken */

#endif
