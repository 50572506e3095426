/* catalogue.h -- what the region's catalogue and calendar say of a service.  Inside node/service/ only. */
#ifndef HS_SERVICE_CATALOGUE_H
#define HS_SERVICE_CATALOGUE_H

#include "node/service/put.h"
#include "proto/records.pb-c.h"

/* The service as the region offers it; of one that its catalogue does not have, or does not say all of, by the default
 * catalogue.  Lives in the work's scratch.  HS_ENOTFOUND: neither knows it; HS_ENOMEM. */
enum hs_err hs_catalogue_offer(struct hs_work *work, const char *code, const Hallsync__Catalogue **offer);
/* When @hours from now are over: of working time by the region's calendar, or of the clock.  HS_EOVERFLOW. */
enum hs_err hs_catalogue_deadline(struct hs_work *work, uint32_t hours, bool by_the_clock, uint64_t *due_ms);
/* Version, machine, urgency, deadline, department, documents and results of a ticket about to be opened, where it names
 * none.  Texts and lines are borrowed from the offer.  HS_ESERVICE. */
enum hs_err hs_catalogue_fill(struct hs_work *work, Hallsync__Ticket *ticket);

#endif
