/* top_model.h -- what `top` knows: the newest answer of the node as rows, how far each peer lay behind in the last
 * minutes, and which rows are shown in what order.  Pure: no terminal, no clock.  One thread. */
#ifndef HS_CLI_TOP_MODEL_H
#define HS_CLI_TOP_MODEL_H

#include "node/status/why.h"
#include "proto/local.pb-c.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOP_SAMPLES    60   /* kept of each peer */
#define TOP_SAMPLE_MS  5000 /* between them: five minutes in all */
#define TOP_FILTER_MAX 64   /* bytes */
#define TOP_ERROR_MAX  256
#define TOP_KEY_BYTES  96 /* a node's id, or the address of one that has none yet */

/* A sample is operations that wait, both ways; or one of these. */
#define TOP_LAG_MAX  (UINT32_MAX - 2)
#define TOP_NO_LINK  (UINT32_MAX - 1)
#define TOP_NOT_SEEN UINT32_MAX

struct top_history {
    char key[TOP_KEY_BYTES];
    uint32_t lag[TOP_SAMPLES]; /* a ring; the greatest of each five seconds */
};

struct top_row {
    const Hallsync__PeerStatus *peer; /* of the answer held */
    char key[TOP_KEY_BYTES];
    enum hs_cause_id cause; /* why it is behind */
    bool live;
    size_t history; /* index */
};

/* X(ID, letter in the menu, name, what stands first). */
#define TOP_ORDERS(X)                                                             \
    X(WORST, 'w', "worst first", "in trouble, on its way, well; then what waits") \
    X(PEER, 'n', "peer", "a to z")                                                \
    X(STATE, 's', "state", "a to z")                                              \
    X(SINCE, 'f', "for", "what has changed last")                                 \
    X(OUT_OPS, 'o', "to send", "most")                                            \
    X(OUT_AGE, 'a', "oldest", "longest")                                          \
    X(IN_OPS, 'i', "to come", "most")                                             \
    X(RATE, 't', "rates", "fastest, both ways")                                   \
    X(CAUGHT_UP, 'c', "caught up at", "latest")                                   \
    X(EQUAL, 'e', "equal as of", "longest ago, or never")                         \
    X(LOOK, 'l', "to look at", "most conflicts and parked")                       \
    X(VERSION, 'v', "version", "a to z")

enum top_order {
#define X(id, ...) TOP_ORDER_##id,
    TOP_ORDERS(X)
#undef X
        TOP_ORDER_COUNT
};
struct top_order_name {
    char letter;
    const char *name, *first;
};
extern const struct top_order_name TOP_ORDER_NAMES[TOP_ORDER_COUNT];

struct top_model {
    Hallsync__Reply *reply; /* owned, of a status; NULL: none yet */
    struct top_row *rows;
    size_t count, room;
    uint32_t *shown; /* indices of rows, in their order */
    size_t shown_count;
    struct top_history *history; /* sorted by key */
    size_t history_count, history_room;
    uint64_t slot;             /* number of the newest sample: the tick by TOP_SAMPLE_MS */
    size_t live, behind, away; /* live ones that are behind, too; neither live nor well */
    enum top_order order;
    bool reverse, behind_only;
    char filter[TOP_FILTER_MAX];
    uint64_t answered_ms, asked_ms; /* wall clock: the newest answer; what it was asked with before, or the start */
    char error[TOP_ERROR_MAX];      /* why there was none since; "" */
};

void top_model_fini(struct top_model *model);

/* Take in an answer, owned from now on, that came at @now_ms (wall clock) and @tick_ms (monotonic).  HS_ENOMEM: the
 * model holds the one before. */
enum hs_err top_model_take(struct top_model *model, Hallsync__Reply *reply, uint64_t now_ms, uint64_t tick_ms);
/* The node did not answer: @text says why. */
void top_model_miss(struct top_model *model, const char *text);

/* Choose and order what is shown; after each of the others, and whenever order, filter or @behind_only changed. */
void top_model_arrange(struct top_model *model);

const char *top_cause(const struct top_row *row); /* its name; "": it is not behind */

/* The newest @count samples of a row into @lag, the newest last. */
void top_model_lag(const struct top_model *model, const struct top_row *row, uint32_t *lag, size_t count);

#endif
