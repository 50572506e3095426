/* handlers.h -- one line a handler: what the rows of routes.c name.  Each is in the file that its comment says. */
#ifndef HS_ADMIN_HANDLERS_H
#define HS_ADMIN_HANDLERS_H

#include "node/admin/admin.h"

void admin_get_session(struct admin_request *request); /* login.c */
void admin_post_login(struct admin_request *request);
void admin_post_logout(struct admin_request *request);
void admin_get_health(struct admin_request *request);   /* health.c */
void admin_get_metrics(struct admin_request *request);  /* metrics.c */
void admin_get_model(struct admin_request *request);    /* model.c */
void admin_get_overview(struct admin_request *request); /* region.c */
void admin_get_node(struct admin_request *request);
void admin_get_samples(struct admin_request *request);
void admin_get_conflicts(struct admin_request *request); /* conflicts.c */
void admin_post_look(struct admin_request *request);
void admin_post_conflict(struct admin_request *request);
void admin_post_parked(struct admin_request *request);
void admin_get_books(struct admin_request *request); /* days.c */
void admin_get_overdue(struct admin_request *request);
void admin_get_audit(struct admin_request *request);
void admin_get_registry(struct admin_request *request); /* registry.c */
void admin_post_enroll(struct admin_request *request);
void admin_post_scope(struct admin_request *request);
void admin_post_revoke(struct admin_request *request);

#endif
