/* model.h -- what StatusReply says, declared once: each field of its messages with unit, help and the metric that it
 * is. From these rows come the metrics, the help of the command line and the page, and docs/metrics.md; model_test
 * holds them against the descriptors both ways.  Pure; any thread. */
#ifndef HS_STATUS_MODEL_H
#define HS_STATUS_MODEL_H

#include <stddef.h>

enum hs_figure_type {
    HS_FIGURE_TEXT, /* words, also of a list */
    HS_FIGURE_NAME, /* a number that names something: a position, an id */
    HS_FIGURE_GAUGE,
    HS_FIGURE_COUNTER, /* since the process or the session started */
    HS_FIGURE_TIME,    /* of day: milliseconds since 1970 */
    HS_FIGURE_FLAG,    /* metric: 1 or 0; of a text: 1 if there is one */
    HS_FIGURE_LEVEL,   /* text of a closed list; metric: its place there */
    HS_FIGURE_LIST,    /* several messages; metric: how many */
    HS_FIGURE_PART,    /* messages whose own figures are metrics: their names begin with this one's */
};

struct hs_figure {
    const char *message; /* without the package: "PeerStatus" */
    const char *field;
    enum hs_figure_type type;
    const char *unit;          /* "bytes", "milliseconds"...; "": none */
    const char *en, *zh;       /* one sentence */
    const char *metric;        /* without what the message's own part begins with; NULL: none */
    const char *const *levels; /* HS_FIGURE_LEVEL: ends with NULL; what is not among them, or absent, is the first */
};

const struct hs_figure *hs_figures(size_t *count);
/* NULL: there is none. */
const struct hs_figure *hs_figure_find(const char *message, const char *field);
const char *hs_figure_type_text(enum hs_figure_type type); /* "gauge" */

/* StatusReply.counters and .histograms are told by name; these are the names. */
struct hs_counted {
    const char *name;         /* as the node says it */
    const char *metric;       /* "requests_total" */
    enum hs_figure_type type; /* gauge or counter */
    const char *unit, *en, *zh;
};
const struct hs_counted *hs_counted(size_t *count);
const struct hs_counted *hs_counted_find(const char *name);

struct hs_spread {
    const char *name, *metric; /* "commit", "commit_seconds" */
    const char *unit, *en, *zh;
};
const struct hs_spread *hs_spreads(size_t *count);

/* What a figure of that unit is multiplied by in a metric, which has Prometheus' base units: 0.001 of milliseconds. */
double hs_unit_scale(const char *unit);

#endif
