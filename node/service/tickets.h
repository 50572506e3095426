/* tickets.h -- tickets: their events gathered for the fold, and how they are opened.  Inside node/service/ only. */
#ifndef HS_SERVICE_TICKETS_H
#define HS_SERVICE_TICKETS_H

#include "node/service/put.h"
#include "proto/records.pb-c.h"
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
/* A ticket about to be opened, beside what its head says. */
struct hs_ticket_opening {
    hs_partition partition;
    struct hs_bytes id;
    const char *note, *clerk; /* of the first event; NULL: none */
    struct hs_bytes request;  /* 16 bytes or none */
    hs_stamp above;
    const struct hs_field_write *fields; /* set by hs_ticket_open */
    size_t field_count;
};
/* The id of its first event. */
void hs_ticket_opening_id(struct hs_bytes ticket, struct hs_id *id);
/* Write head and first event, in the open group.  As hs_store_write; HS_ENOMEM. */
enum hs_err hs_ticket_open(struct hs_work *work, const Hallsync__Ticket *ticket, struct hs_ticket_opening *opening);

/* links.c: tickets of other districts. */
/* The ticket that the event @event opens elsewhere; a hash of both. */
void hs_link_id(struct hs_bytes ticket, struct hs_bytes event, struct hs_id *id);
struct hs_link {
    struct hs_record_name ticket;          /* that is passed on, or done */
    struct hs_bytes head;                  /* what it says */
    const struct hs_ticket_events *events; /* before this one */
    const struct hs_ticket_fold *fold;
    const Hallsync__TicketEvent *event; /* that passes it on, or resolves it */
    struct hs_bytes event_id;
};
/* Open the linked ticket in the event's to_district: it carries what its receiver needs. */
enum hs_err hs_link_open(struct hs_work *work, const struct hs_link *link);
/* The result goes back to the ticket that this one comes from, as an event; nothing where it comes from none. */
enum hs_err hs_link_result(struct hs_work *work, const struct hs_link *link);

#endif
