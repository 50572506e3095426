/* tickets.h -- the events of a ticket, gathered for its fold.  Inside node/service/ only. */
#ifndef HS_SERVICE_TICKETS_H
#define HS_SERVICE_TICKETS_H

#include "node/service/look.h"
#include "storage/model/ticket.h"

struct hs_event_writer {
    struct hs_id event;
    uint64_t origin;
};
struct hs_ticket_events {
    struct hs_ticket_event *list;
    struct hs_event_writer *writers; /* in no order: a fold sorts the list, not these */
    size_t count;
    hs_stamp highest;
};

/* All events of a ticket that are here; in @arena.  Such as lie in another district than their ticket are not its
 * events. */
enum hs_err hs_ticket_gather(const struct hs_look *look, const struct hs_record_name *ticket, struct hs_arena *arena,
                             struct hs_ticket_events *events);
/* The service that a ticket's message names; NULL: unknown here. */
const struct hs_ticket_service *hs_ticket_service(struct hs_bytes ticket);

#endif
