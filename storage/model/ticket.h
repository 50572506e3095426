/* ticket.h -- services, the state machines that they choose, and a ticket's state as the fold of its events.  Pure. */
#ifndef HS_MODEL_TICKET_H
#define HS_MODEL_TICKET_H

#include "proto/base/arena.h"
#include "proto/base/names.h"

enum hs_ticket_state {
    HS_TICKET_NONE,
    HS_TICKET_OPEN,
    HS_TICKET_ACCEPTED,
    HS_TICKET_ASSIGNED,
    HS_TICKET_WORKING,
    HS_TICKET_WAITING, /* for the customer */
    HS_TICKET_RESOLVED,
    HS_TICKET_CALLED_BACK,
    HS_TICKET_ARCHIVED,
    HS_TICKET_STATE_COUNT
};
const char *hs_ticket_state_text(enum hs_ticket_state state); /* "open", ..., "called_back" */
bool hs_ticket_state_parse(const char *text, size_t size, enum hs_ticket_state *state);

struct hs_machine;                                             /* the moves that a service allows */
const char *hs_machine_name(const struct hs_machine *machine); /* "general", "quick", "complaint" */

struct hs_ticket_service {
    const char *code; /* "outage-report" */
    const char *name_en;
    const char *name_zh;
    const struct hs_machine *machine;
    bool urgent;
};
const struct hs_ticket_service *hs_service_by_code(const char *code, size_t size); /* NULL: unknown */
extern const struct hs_ticket_service HS_SERVICES[];
extern const size_t HS_SERVICE_COUNT;

/* Is the move allowed by the service's machine?  From HS_TICKET_NONE only to HS_TICKET_OPEN.  A service unknown here
 * (NULL) uses the general machine. */
bool hs_ticket_move(const struct hs_ticket_service *service, enum hs_ticket_state from, enum hs_ticket_state to);

/* One event as the fold sees it. */
struct hs_ticket_event {
    hs_stamp stamp;
    struct hs_id id;
    struct hs_bytes message; /* TicketEvent */
    bool fits;               /* out: a note, or a move that was possible when its turn came */
};

struct hs_ticket_fold {
    enum hs_ticket_state state;
    struct hs_bytes assignee; /* view into an event; size 0: none */
    hs_stamp opened;
    hs_stamp changed;
    size_t misfits;
};

/* Of a fold of zeros, of no events, or of any that was made: one more event, which comes behind all of those; sets its
 * fits. */
void hs_ticket_fold_on(const struct hs_ticket_service *service, struct hs_ticket_event *event,
                       struct hs_ticket_fold *fold);
/* By (stamp, id). */
int hs_ticket_event_compare(const struct hs_ticket_event *a, const struct hs_ticket_event *b);

/* Sort @events by (stamp, id) and fold them; sets each event's fits.  An event without a move may still name an
 * assignee: it passes the ticket on, and fits from the opening until it is archived.  A plain note always fits. */
void hs_ticket_fold(const struct hs_ticket_service *service, struct hs_ticket_event *events, size_t count,
                    struct hs_ticket_fold *fold);

#endif
