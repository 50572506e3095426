/* tickets.h -- the events of a ticket, gathered for its fold.  Inside node/service/ only; apart from put.h because the catalogue
 * of services has a struct hs_service of its own. */
#ifndef HS_SERVICE_TICKETS_H
#define HS_SERVICE_TICKETS_H

#include "storage/model/ticket.h"
#include "storage/store.h"

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

/* All events of a ticket that are here; in @arena. */
enum hs_err hs_ticket_gather(struct hs_view *view, struct hs_bytes ticket_id, struct hs_arena *arena,
                             struct hs_ticket_events *events);
/* The service that a ticket's message names; NULL: unknown here. */
const struct hs_service *hs_ticket_service(struct hs_bytes ticket);

#endif
