/* handlers.h -- what each request of local.proto does; rows of the table in request.c.  Inside node/service/ only. */
#ifndef HS_SERVICE_HANDLERS_H
#define HS_SERVICE_HANDLERS_H

#include "node/service/call.h"

/* put.c, payment.c, resolve.c, enroll.c: writes. */
enum hs_err hs_put_prepare(struct hs_call *call);
enum hs_err hs_put_run(struct hs_call *call, struct hs_store *store);
enum hs_err hs_reverse_prepare(struct hs_call *call);
enum hs_err hs_resolve_prepare(struct hs_call *call);
enum hs_err hs_decide_prepare(struct hs_call *call); /* decide.c */
enum hs_err hs_audit_prepare(struct hs_call *call);  /* audit.c */
enum hs_err hs_enroll_prepare(struct hs_call *call);
enum hs_err hs_enroll_run(struct hs_call *call, struct hs_store *store);
enum hs_err hs_scope_prepare(struct hs_call *call); /* scope.c */
enum hs_err hs_scope_run(struct hs_call *call, struct hs_store *store);
enum hs_err hs_revoke_prepare(struct hs_call *call); /* revoke.c */
enum hs_err hs_revoke_run(struct hs_call *call, struct hs_store *store);
enum hs_err hs_release_prepare(struct hs_call *call);
enum hs_err hs_release_run(struct hs_call *call, struct hs_store *store);
enum hs_err hs_bundle_import_prepare(struct hs_call *call); /* bundle.c */
enum hs_err hs_bundle_import_run(struct hs_call *call, struct hs_store *store);

/* find.c, totals.c, conflicts.c, status.c, enroll.c: reads. */
enum hs_err hs_get_read(struct hs_call *call, struct hs_view *view);
enum hs_err hs_find_read(struct hs_call *call, struct hs_view *view);
enum hs_err hs_reminders_read(struct hs_call *call, struct hs_view *view); /* reminders.c */
enum hs_err hs_totals_read(struct hs_call *call, struct hs_view *view);
enum hs_err hs_queue_figures_read(struct hs_call *call, struct hs_view *view); /* queue_figures.c */
enum hs_err hs_digest_read(struct hs_call *call, struct hs_view *view);
enum hs_err hs_conflicts_read(struct hs_call *call, struct hs_view *view);
enum hs_err hs_backup_read(struct hs_call *call, struct hs_view *view);
enum hs_err hs_status_read(struct hs_call *call, struct hs_view *view);
enum hs_err hs_compare_read(struct hs_call *call, struct hs_view *view);
/* healed.c: operations that rotted; those that wait as problems, in sentences. */
void hs_healed_problems(struct hs_call *call, struct hs_view *view, Hallsync__StatusReply *status);
enum hs_err hs_verify_read(struct hs_call *call, struct hs_view *view);
enum hs_err hs_nodes_read(struct hs_call *call, struct hs_view *view);
enum hs_err hs_bundle_export_read(struct hs_call *call, struct hs_view *view); /* bundle.c */
enum hs_err hs_lives_read(struct hs_call *call, struct hs_view *view);         /* lives.c */
enum hs_err hs_differ_read(struct hs_call *call, struct hs_view *view);        /* differ.c */

/* counter.c: may this be asked at a counter's socket?  HS_EOPERATOR. */
enum hs_err hs_counter_check(struct hs_call *call);
enum hs_err hs_books_read(struct hs_call *call, struct hs_view *view);      /* books.c */
enum hs_err hs_day_report_read(struct hs_call *call, struct hs_view *view); /* day_report.c */
enum hs_err hs_arrears_read(struct hs_call *call, struct hs_view *view);    /* arrears.c */
enum hs_err hs_trail_read(struct hs_call *call, struct hs_view *view);      /* trail.c */

/* waiting.c: a hall's own operations that no hub has signed for, by lane, in the call's scratch. */
void hs_waiting_add(struct hs_call *call, struct hs_view *view, Hallsync__StatusReply *status);
/* enroll.c: districts of a request, valid ones.  HS_EVALUE, HS_ENOMEM. */
enum hs_err hs_districts_take(struct hs_call *call, const uint32_t *from, size_t count, hs_partition **districts);
/* Append a node that has joined, by its certificate, to call->body. */
enum hs_err hs_node_put(struct hs_call *call, struct hs_view *view, struct hs_bytes node_key,
                        struct hs_bytes certificate);

/* watch.c, wait.c: what may take its time. */
enum hs_err hs_watch_read(struct hs_call *call, struct hs_view *view);
void hs_watch_late(struct hs_call *call);
enum hs_err hs_wait_park(struct hs_call *call);
void hs_wait_late(struct hs_call *call);

#endif
