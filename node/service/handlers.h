/* handlers.h -- what each request of local.proto does; rows of the table in request.c.  Inside node/service/ only. */
#ifndef HS_SERVICE_HANDLERS_H
#define HS_SERVICE_HANDLERS_H

#include "node/service/call.h"

/* put.c, payment.c, resolve.c, enroll.c: writes. */
enum hs_err hs_put_prepare(struct hs_call *call);
enum hs_err hs_put_run(struct hs_call *call, struct hs_store *store);
enum hs_err hs_reverse_prepare(struct hs_call *call);
enum hs_err hs_resolve_prepare(struct hs_call *call);
enum hs_err hs_enroll_prepare(struct hs_call *call);
enum hs_err hs_enroll_run(struct hs_call *call, struct hs_store *store);

/* find.c, totals.c, conflicts.c, status.c, enroll.c: reads. */
enum hs_err hs_get_read(struct hs_call *call, struct hs_view *view);
enum hs_err hs_find_read(struct hs_call *call, struct hs_view *view);
enum hs_err hs_totals_read(struct hs_call *call, struct hs_view *view);
enum hs_err hs_digest_read(struct hs_call *call, struct hs_view *view);
enum hs_err hs_conflicts_read(struct hs_call *call, struct hs_view *view);
enum hs_err hs_status_read(struct hs_call *call, struct hs_view *view);
enum hs_err hs_nodes_read(struct hs_call *call, struct hs_view *view);

/* watch.c, wait.c: what may take its time. */
enum hs_err hs_watch_read(struct hs_call *call, struct hs_view *view);
void hs_watch_late(struct hs_call *call);
enum hs_err hs_wait_park(struct hs_call *call);
void hs_wait_late(struct hs_call *call);

#endif
