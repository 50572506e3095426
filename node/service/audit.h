/* audit.h -- the audit trail: what a person has decided or changed, as a fact beside it.  Inside node/service/ only.
 *
 * A request says who asks (Request.actor) and why.  What is done for him is told of by hs_audit_write() in the group in
 * which it was written: both are committed, or neither is.  A request without an actor, such as an older program's,
 * leaves none. */
#ifndef HS_SERVICE_AUDIT_H
#define HS_SERVICE_AUDIT_H

#include "node/service/call.h"
#include "storage/model/kinds.h"

/* What was done, and to what; texts are borrowed.  Names and ids only: never what a record says. */
struct hs_audited {
    const char *action;         /* one of the kind's choices */
    hs_partition partition;     /* the district that it is about, or the region */
    const struct hs_kind *kind; /* of the record; NULL: it is about none */
    const char *record_id;
    const char *node_id;
    const char *user;
    const char *detail;
    const char *reason; /* that the change itself carries, where the request has none; NULL: none */
};

/* Before anything is done, on the service's thread: can it be told of?  HS_OK where nobody asks.  HS_EREQUIRED: from
 * the console without a reason. */
enum hs_err hs_audit_check(struct hs_call *call);
/* Behind a change, in its group, and only where something has changed: each call is an entry.  What fails tears the
 * job: the change is not made.  @call NULL: nobody's. */
enum hs_err hs_audit_write(struct hs_call *call, struct hs_store *store, const struct hs_audited *what);
/* Districts as a text of the call's scratch: "3201,3202".  NULL: out of memory. */
char *hs_audit_districts(struct hs_call *call, const hs_partition *districts, size_t count);

#endif
