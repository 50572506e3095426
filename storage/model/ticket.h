/* ticket.h -- services, state machines, and a ticket's state as the fold of its events.  Pure.
 *
 * A ticket's opening names its machine and the version of the catalogue that chose it; what hubs make of the catalogue
 * later changes nothing about it. */
#ifndef HS_MODEL_TICKET_H
#define HS_MODEL_TICKET_H

#include "proto/base/arena.h"
#include "proto/base/names.h"

#define HS_SERVICE_CODE_BYTES_MAX 64

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

struct hs_machine; /* the moves that a service allows */
extern const struct hs_machine HS_MACHINE_GENERAL, HS_MACHINE_QUICK, HS_MACHINE_COMPLAINT, HS_MACHINE_FIELD;
const char *hs_machine_name(const struct hs_machine *machine); /* "general", "quick", "complaint", "field" */
const struct hs_machine *hs_machine_by_name(const char *name, size_t size); /* NULL: unknown */
/* Is the move allowed?  From HS_TICKET_NONE only to HS_TICKET_OPEN.  NULL: the general machine. */
bool hs_ticket_move(const struct hs_machine *machine, enum hs_ticket_state from, enum hs_ticket_state to);

/* ---- services.c: the default catalogue ---- */

struct hs_ticket_service {
    const char *code;    /* "outage-report" */
    const char *section; /* "business" */
    const char *name_en;
    const char *name_zh;
    const char *department;
    uint32_t deadline_hours; /* of working time; of an urgent one: around the clock */
    const struct hs_machine *machine;
    bool urgent;
    const char *documents; /* names with ';' between; a '?' behind one: not in every case */
    const char *results;   /* what it cannot be resolved without: names with ';' between */
};
#define HS_SERVICES_VERSION 1 /* catalogue version of these */
extern const struct hs_ticket_service HS_SERVICES[];
extern const size_t HS_SERVICE_COUNT;
const struct hs_ticket_service *hs_service_by_code(const char *code, size_t size); /* NULL: none of these */
void hs_service_put(const struct hs_ticket_service *service, struct hs_buf *to); /* append it as a Catalogue message */
/* A code that a catalogue can have: lower-case letters, digits and '-', a letter first. */
bool hs_service_code_valid(const char *code, size_t size);

/* ---- the fold ---- */

/* What a ticket's head says about its fold; views into the head's message. */
struct hs_ticket_terms {
    const struct hs_machine *machine;
    bool no_call_back; /* the customer does not want to be called */
    struct hs_bytes department;
};
/* Of a Ticket message.  One without a machine, as older versions wrote, goes by the service that it names; general is
 * the machine of what is not known here. */
struct hs_ticket_terms hs_ticket_terms(struct hs_bytes ticket);
bool hs_ticket_terms_equal(const struct hs_ticket_terms *a, const struct hs_ticket_terms *b);

/* What an event is besides a move; numbers are in the machine only. */
enum hs_event_type {
    HS_EVENT_PLAIN,    /* a move, somebody who is to do it, or a note: as its fields say */
    HS_EVENT_URGE,     /* somebody wants it done: counted */
    HS_EVENT_TICK,     /* documents that have come in */
    HS_EVENT_PASS,     /* to a department, or to somebody */
    HS_EVENT_LINK,     /* to another district: a linked ticket is opened there */
    HS_EVENT_RESULT,   /* of a linked ticket, which is done */
    HS_EVENT_ATTACH,   /* attachments */
    HS_EVENT_ESCALATE, /* it is late, and somebody above has been told: counted */
    HS_EVENT_RATE,     /* the customer was asked to rate it */
    HS_EVENT_CONSENT,  /* may the customer be called back? */
    HS_EVENT_REOPEN,   /* it is not done after all, though it may be archived */
    HS_EVENT_LATER,    /* of a later version: a note */
    HS_EVENT_TYPE_COUNT
};
const char *hs_event_type_text(enum hs_event_type type);    /* "urge"; "move" of HS_EVENT_PLAIN */
enum hs_event_type hs_event_type_of(struct hs_bytes event); /* of a TicketEvent message */

/* One event as the fold sees it. */
struct hs_ticket_event {
    hs_stamp stamp;
    struct hs_id id;
    struct hs_bytes message; /* TicketEvent */
    bool fits;               /* out: a note, or a move that was possible when its turn came */
};

struct hs_ticket_fold {
    enum hs_ticket_state state;
    struct hs_bytes assignee;   /* view into an event; size 0: none */
    struct hs_bytes department; /* of the head, or into an event; size 0: none */
    bool no_call_back;
    hs_stamp opened;
    hs_stamp changed;
    size_t misfits;
    uint32_t urged, escalated, reopened; /* times */
    uint64_t waited_ms;                  /* for the customer, until the last event */
    hs_stamp waiting_since;              /* 0: it does not */
};

/* Of no events. */
void hs_ticket_fold_begin(const struct hs_ticket_terms *terms, struct hs_ticket_fold *fold);
/* One more event, which comes behind all those that are in; sets its fits. */
void hs_ticket_fold_on(const struct hs_ticket_terms *terms, struct hs_ticket_event *event, struct hs_ticket_fold *fold);
/* By (stamp, id). */
int hs_ticket_event_compare(const struct hs_ticket_event *a, const struct hs_ticket_event *b);

/* Sort @events by (stamp, id) and fold them; sets each event's fits.  An event without a move may still name an
 * assignee: it passes the ticket on, and fits from the opening until it is archived.  A plain note always fits, as does
 * whatever only counts or adds.  A ticket that may not be called back is archived without that. */
void hs_ticket_fold(const struct hs_ticket_terms *terms, struct hs_ticket_event *events, size_t count,
                    struct hs_ticket_fold *fold);

/* Would the event be fitting as the next one? */
bool hs_ticket_fits(const struct hs_ticket_terms *terms, const struct hs_ticket_fold *fold, struct hs_bytes event);

/* ---- deadlines ---- */

bool hs_ticket_is_open(enum hs_ticket_state state); /* something is still to be done: opened, and not resolved */
/* When it is late: the head's time, and what was spent waiting for the customer besides; 0: never.  @now_ms counts for
 * one that waits still. */
uint64_t hs_ticket_due_ms(const struct hs_ticket_fold *fold, uint64_t due_ms, uint64_t now_ms);

#endif
