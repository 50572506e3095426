/* overview.h -- the region as the console shows it: one row a peer, made when a status has come; the whole of it as
 * JSON, compressed once a status; and which rows have changed, for those who watch.  Any thread. */
#ifndef HS_ADMIN_OVERVIEW_H
#define HS_ADMIN_OVERVIEW_H

#include "node/samples/samples.h"
#include "proto/base/buf.h"
#include "proto/local.pb-c.h"

struct admin_overview;

enum hs_err admin_overview_new(struct admin_overview **overview);
/* Borrowed; before that there are no small lines. */
void admin_overview_use(struct admin_overview *overview, struct hs_samples *samples);
void admin_overview_free(struct admin_overview *overview); /* NULL is fine */

/* A status has come.  Copied.  HS_ENOMEM: it is as before. */
enum hs_err admin_overview_take(struct admin_overview *overview, const Hallsync__StatusReply *reply, uint64_t now_ms);

/* What to tell those who watch, one line of JSON: rows that are better or worse, at once; rows in which only figures
 * move, each at most once in ADMIN_FIGURES_MS, and so many at a time that an hour of work in a large region does not
 * fill their lines.  HS_ENOTFOUND: nothing.  HS_ENOMEM: there was something, and they have to ask for everything. */
enum hs_err admin_overview_news(struct admin_overview *overview, struct hs_buf *event);
#define ADMIN_FIGURES_MS   5000
#define ADMIN_FIGURES_ROWS 200

/* Appended: GET /api/overview, as gzip; @size out: before that.  HS_ENOTHERE: no status has come yet.  HS_ENOMEM. */
enum hs_err admin_overview_put(struct admin_overview *overview, uint64_t now_ms, struct hs_buf *gzip, size_t *size);

/* Appended: what became of a peer as far as this program has seen it, the newest first, as a JSON list. */
void admin_overview_put_past(struct admin_overview *overview, const char *node_id, struct hs_buf *to);

#endif
