/* wanted.h -- what a consumer of the change feed wants to be told of: kinds, districts, fields.  Inside node/service/
 * only. */
#ifndef HS_SERVICE_WANTED_H
#define HS_SERVICE_WANTED_H

#include "node/service/call.h"
#include "storage/model/where.h"

struct hs_wanted {
    const Hallsync__WatchRequest *request;
    bool *kinds;             /* of HS_KINDS, by their places */
    struct hs_where *wheres; /* the same; NULL: no field was asked for */
    bool follows;            /* what a record fits may be decided by others */
};

/* Of the call's request; lives in its arena.  HS_EFIELD, HS_EVALUE, HS_ETOOBIG...; HS_ENOMEM. */
enum hs_err hs_wanted_make(struct hs_call *call, struct hs_wanted *wanted);
/* May a record of this name be one?  Needs nothing read. */
bool hs_wanted_name(const struct hs_wanted *wanted, const struct hs_record_name *name);
enum hs_err hs_wanted_fits(const struct hs_wanted *wanted, const Hallsync__Record *record, bool *fits);
/* Is what the node derives of this kind asked for, so that it is told of with what it is derived from? */
bool hs_wanted_follows(const struct hs_wanted *wanted, uint16_t kind);

#endif
