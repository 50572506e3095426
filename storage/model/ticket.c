/* The life of a ticket.  A machine is one row of allowed moves per state; the general one goes
 *
 *   open --> accepted --> assigned --> working --> resolved --> called_back --> archived
 *                \            \         ^  |        |   |           |            ^
 *                 \            \        |  v        |   +-----------|------------+
 *                  +------------+---> waiting      +--> working <---+     reopened
 *
 * and besides: assigned -> assigned (passed on), working -> working (progress), a step skipped from open or accepted,
 * and back from working or waiting to assigned and from assigned to accepted.  quick is for what is done within the
 * hour and needs no back office; complaint is general, but nobody files one away before the customer has been called
 * back, if he wants that; field is for what is done at the customer's place: somebody is sent, and it is not resolved
 * from afar.  What is archived comes back by an event of type reopen only. */
#include "storage/model/ticket.h"

#include "proto/msg/tlv.h"

#include <stdlib.h>
#include <string.h>

#define TO(state)       (1U << HS_TICKET_##state)
#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

enum { HEAD_SERVICE = 2, HEAD_DEPARTMENT = 6, HEAD_CONSENT = 9, HEAD_MACHINE = 14 }; /* of Ticket */
enum {
    EVENT_STATE = 3,
    EVENT_ASSIGNEE = 4,
    EVENT_TYPE = 7,
    EVENT_DEPARTMENT = 10,
    EVENT_CONSENT = 14
}; /* of TicketEvent */

struct hs_machine {
    const char *name;
    uint16_t next[HS_TICKET_STATE_COUNT];
};

_Static_assert(HS_TICKET_STATE_COUNT <= 16, "the states fit the machines' masks");

const struct hs_machine HS_MACHINE_GENERAL = {
    "general",
    {
        [HS_TICKET_NONE] = TO(OPEN),
        [HS_TICKET_OPEN] = TO(ACCEPTED) | TO(ASSIGNED),
        [HS_TICKET_ACCEPTED] = TO(ASSIGNED) | TO(WORKING) | TO(WAITING),
        [HS_TICKET_ASSIGNED] = TO(ACCEPTED) | TO(ASSIGNED) | TO(WORKING) | TO(WAITING),
        [HS_TICKET_WORKING] = TO(ASSIGNED) | TO(WORKING) | TO(WAITING) | TO(RESOLVED),
        [HS_TICKET_WAITING] = TO(ASSIGNED) | TO(WORKING) | TO(RESOLVED),
        [HS_TICKET_RESOLVED] = TO(WORKING) | TO(CALLED_BACK) | TO(ARCHIVED),
        [HS_TICKET_CALLED_BACK] = TO(WORKING) | TO(ARCHIVED),
    },
};

const struct hs_machine HS_MACHINE_QUICK = {
    "quick",
    {
        [HS_TICKET_NONE] = TO(OPEN),
        [HS_TICKET_OPEN] = TO(ACCEPTED) | TO(ASSIGNED) | TO(WORKING) | TO(RESOLVED),
        [HS_TICKET_ACCEPTED] = TO(ASSIGNED) | TO(WORKING) | TO(RESOLVED),
        [HS_TICKET_ASSIGNED] = TO(ASSIGNED) | TO(WORKING) | TO(RESOLVED),
        [HS_TICKET_WORKING] = TO(ASSIGNED) | TO(WORKING) | TO(WAITING) | TO(RESOLVED),
        [HS_TICKET_WAITING] = TO(WORKING) | TO(RESOLVED),
        [HS_TICKET_RESOLVED] = TO(WORKING) | TO(CALLED_BACK) | TO(ARCHIVED),
        [HS_TICKET_CALLED_BACK] = TO(WORKING) | TO(ARCHIVED),
    },
};

const struct hs_machine HS_MACHINE_COMPLAINT = {
    "complaint",
    {
        [HS_TICKET_NONE] = TO(OPEN),
        [HS_TICKET_OPEN] = TO(ACCEPTED) | TO(ASSIGNED),
        [HS_TICKET_ACCEPTED] = TO(ASSIGNED) | TO(WORKING) | TO(WAITING),
        [HS_TICKET_ASSIGNED] = TO(ACCEPTED) | TO(ASSIGNED) | TO(WORKING) | TO(WAITING),
        [HS_TICKET_WORKING] = TO(ASSIGNED) | TO(WORKING) | TO(WAITING) | TO(RESOLVED),
        [HS_TICKET_WAITING] = TO(ASSIGNED) | TO(WORKING) | TO(RESOLVED),
        [HS_TICKET_RESOLVED] = TO(WORKING) | TO(CALLED_BACK),
        [HS_TICKET_CALLED_BACK] = TO(WORKING) | TO(ARCHIVED),
    },
};

const struct hs_machine HS_MACHINE_FIELD = {
    "field",
    {
        [HS_TICKET_NONE] = TO(OPEN),
        [HS_TICKET_OPEN] = TO(ACCEPTED) | TO(ASSIGNED),
        [HS_TICKET_ACCEPTED] = TO(ASSIGNED) | TO(WAITING),
        [HS_TICKET_ASSIGNED] = TO(ACCEPTED) | TO(ASSIGNED) | TO(WORKING) | TO(WAITING),
        [HS_TICKET_WORKING] = TO(ASSIGNED) | TO(WORKING) | TO(WAITING) | TO(RESOLVED),
        [HS_TICKET_WAITING] = TO(ASSIGNED) | TO(WORKING),
        [HS_TICKET_RESOLVED] = TO(WORKING) | TO(CALLED_BACK) | TO(ARCHIVED),
        [HS_TICKET_CALLED_BACK] = TO(WORKING) | TO(ARCHIVED),
    },
};

static const struct hs_machine *const MACHINES[] = {&HS_MACHINE_GENERAL, &HS_MACHINE_QUICK, &HS_MACHINE_COMPLAINT,
                                                    &HS_MACHINE_FIELD};

static const char *const STATE_TEXTS[HS_TICKET_STATE_COUNT] = {
    [HS_TICKET_NONE] = "none",         [HS_TICKET_OPEN] = "open",
    [HS_TICKET_ACCEPTED] = "accepted", [HS_TICKET_ASSIGNED] = "assigned",
    [HS_TICKET_WORKING] = "working",   [HS_TICKET_WAITING] = "waiting",
    [HS_TICKET_RESOLVED] = "resolved", [HS_TICKET_CALLED_BACK] = "called_back",
    [HS_TICKET_ARCHIVED] = "archived",
};

const char *hs_ticket_state_text(enum hs_ticket_state state)
{
    return STATE_TEXTS[state];
}

static bool text_is(const char *known, const char *text, size_t size)
{
    return strlen(known) == size && memcmp(known, text, size) == 0;
}

bool hs_ticket_state_parse(const char *text, size_t size, enum hs_ticket_state *state)
{
    for (unsigned i = HS_TICKET_OPEN; i < HS_TICKET_STATE_COUNT; i++) {
        if (text_is(STATE_TEXTS[i], text, size)) {
            *state = (enum hs_ticket_state)i;
            return true;
        }
    }
    return false;
}

const char *hs_machine_name(const struct hs_machine *machine)
{
    return machine->name;
}

const struct hs_machine *hs_machine_by_name(const char *name, size_t size)
{
    for (size_t i = 0; i < COUNT_OF(MACHINES); i++) {
        if (text_is(MACHINES[i]->name, name, size))
            return MACHINES[i];
    }
    return NULL;
}

bool hs_ticket_move(const struct hs_machine *machine, enum hs_ticket_state from, enum hs_ticket_state to)
{
    const struct hs_machine *known = machine != NULL ? machine : &HS_MACHINE_GENERAL;
    return (known->next[from] >> to & 1) != 0;
}

/* ---- terms ---- */

static bool bytes_are(struct hs_bytes bytes, const char *text)
{
    return text_is(text, (const char *)bytes.data, bytes.size);
}

struct hs_ticket_terms hs_ticket_terms(struct hs_bytes ticket)
{
    struct hs_bytes machine = hs_tlv_bytes(ticket, HEAD_MACHINE);
    struct hs_ticket_terms terms = {.department = hs_tlv_bytes(ticket, HEAD_DEPARTMENT),
                                    .no_call_back = bytes_are(hs_tlv_bytes(ticket, HEAD_CONSENT), "no")};
    if (machine.size != 0) {
        terms.machine = hs_machine_by_name((const char *)machine.data, machine.size);
    } else {
        struct hs_bytes code = hs_tlv_bytes(ticket, HEAD_SERVICE);
        const struct hs_ticket_service *service = hs_service_by_code((const char *)code.data, code.size);
        terms.machine = service != NULL ? service->machine : NULL;
    }
    terms.machine = terms.machine != NULL ? terms.machine : &HS_MACHINE_GENERAL;
    return terms;
}

bool hs_ticket_terms_equal(const struct hs_ticket_terms *a, const struct hs_ticket_terms *b)
{
    return a->machine == b->machine && a->no_call_back == b->no_call_back &&
           hs_bytes_equal(a->department, b->department);
}

/* ---- events ---- */

static const char *const TYPE_TEXTS[HS_EVENT_TYPE_COUNT] = {
    [HS_EVENT_PLAIN] = "move",      [HS_EVENT_URGE] = "urge",         [HS_EVENT_TICK] = "tick",
    [HS_EVENT_PASS] = "pass",       [HS_EVENT_LINK] = "link",         [HS_EVENT_RESULT] = "result",
    [HS_EVENT_ATTACH] = "attach",   [HS_EVENT_ESCALATE] = "escalate", [HS_EVENT_RATE] = "rate",
    [HS_EVENT_CONSENT] = "consent", [HS_EVENT_REOPEN] = "reopen",     [HS_EVENT_LATER] = "note",
};

const char *hs_event_type_text(enum hs_event_type type)
{
    return TYPE_TEXTS[type];
}

enum hs_event_type hs_event_type_of(struct hs_bytes event)
{
    struct hs_bytes type = hs_tlv_bytes(event, EVENT_TYPE);
    unsigned i = 0;
    while (type.size != 0 && i < HS_EVENT_LATER && !bytes_are(type, TYPE_TEXTS[i]))
        i++;
    return (enum hs_event_type)i;
}

int hs_ticket_event_compare(const struct hs_ticket_event *a, const struct hs_ticket_event *b)
{
    if (a->stamp != b->stamp)
        return a->stamp < b->stamp ? -1 : 1;
    return memcmp(a->id.bytes, b->id.bytes, sizeof a->id.bytes);
}

static int event_compare(const void *a, const void *b)
{
    return hs_ticket_event_compare(a, b);
}

struct asked {
    bool readable;
    bool has_move;
    enum hs_ticket_state move;
    enum hs_event_type type;
    struct hs_bytes assignee, department, consent;
};

/* What an event asks for.  A state that this version does not know makes it unreadable: who could judge its move? */
static struct asked read_event(struct hs_bytes message)
{
    struct asked asked = {.readable = true};
    struct hs_bytes state = HS_BYTES_NONE;
    struct hs_cur cur = hs_cur_of(message);
    struct hs_tlv tlv;
    while (hs_tlv_next(&cur, &tlv)) {
        if (tlv.number == EVENT_STATE)
            state = tlv.bytes;
        else if (tlv.number == EVENT_ASSIGNEE)
            asked.assignee = tlv.bytes;
        else if (tlv.number == EVENT_DEPARTMENT)
            asked.department = tlv.bytes;
        else if (tlv.number == EVENT_CONSENT)
            asked.consent = tlv.bytes;
    }
    asked.has_move = state.size != 0;
    if (asked.has_move)
        asked.readable = hs_ticket_state_parse((const char *)state.data, state.size, &asked.move);
    asked.readable = asked.readable && cur.err == HS_OK;
    asked.type = hs_event_type_of(message);
    if (asked.type == HS_EVENT_REOPEN && !asked.has_move) {
        asked.has_move = true;
        asked.move = HS_TICKET_WORKING;
    }
    return asked;
}

static bool move_fits(const struct hs_ticket_terms *terms, const struct hs_ticket_fold *fold, const struct asked *asked)
{
    if (asked->type == HS_EVENT_REOPEN && fold->state == HS_TICKET_ARCHIVED)
        return asked->move == HS_TICKET_WORKING || asked->move == HS_TICKET_ASSIGNED;
    if (fold->no_call_back && fold->state == HS_TICKET_RESOLVED && asked->move == HS_TICKET_ARCHIVED)
        return true;
    return hs_ticket_move(terms->machine, fold->state, asked->move);
}

/* A note fits everywhere; who names an assignee or a department without a move needs a ticket that somebody can work
 * on. */
static bool event_fits(const struct hs_ticket_terms *terms, const struct hs_ticket_fold *fold,
                       const struct asked *asked)
{
    if (!asked->readable)
        return false;
    if (asked->has_move)
        return move_fits(terms, fold, asked);
    bool passes = asked->assignee.size != 0 || asked->department.size != 0;
    return !passes || (fold->state != HS_TICKET_NONE && fold->state != HS_TICKET_ARCHIVED);
}

bool hs_ticket_fits(const struct hs_ticket_terms *terms, const struct hs_ticket_fold *fold, struct hs_bytes event)
{
    struct asked asked = read_event(event);
    return event_fits(terms, fold, &asked);
}

static void take_move(struct hs_ticket_fold *fold, hs_stamp stamp, enum hs_ticket_state move)
{
    if (fold->state == HS_TICKET_NONE)
        fold->opened = stamp;
    if (fold->waiting_since != 0 && move != HS_TICKET_WAITING) {
        fold->waited_ms += hs_stamp_ms(stamp) - hs_stamp_ms(fold->waiting_since);
        fold->waiting_since = 0;
    }
    if (move == HS_TICKET_WAITING && fold->waiting_since == 0)
        fold->waiting_since = stamp;
    fold->state = move;
}

static void take_event(struct hs_ticket_fold *fold, const struct hs_ticket_event *event, const struct asked *asked)
{
    if (asked->has_move)
        take_move(fold, event->stamp, asked->move);
    if (asked->assignee.size != 0)
        fold->assignee = asked->assignee;
    if (asked->department.size != 0)
        fold->department = asked->department;
    if (asked->consent.size != 0)
        fold->no_call_back = bytes_are(asked->consent, "no");
    fold->urged += asked->type == HS_EVENT_URGE;
    fold->escalated += asked->type == HS_EVENT_ESCALATE;
    fold->reopened += asked->type == HS_EVENT_REOPEN;
    fold->changed = event->stamp;
}

void hs_ticket_fold_begin(const struct hs_ticket_terms *terms, struct hs_ticket_fold *fold)
{
    *fold = (struct hs_ticket_fold){.state = HS_TICKET_NONE};
    fold->department = terms->department;
    fold->no_call_back = terms->no_call_back;
}

void hs_ticket_fold_on(const struct hs_ticket_terms *terms, struct hs_ticket_event *event, struct hs_ticket_fold *fold)
{
    struct asked asked = read_event(event->message);
    event->fits = event_fits(terms, fold, &asked);
    if (event->fits)
        take_event(fold, event, &asked);
    else
        fold->misfits++;
}

void hs_ticket_fold(const struct hs_ticket_terms *terms, struct hs_ticket_event *events, size_t count,
                    struct hs_ticket_fold *fold)
{
    hs_ticket_fold_begin(terms, fold);
    if (count > 1)
        qsort(events, count, sizeof *events, event_compare);
    for (size_t i = 0; i < count; i++)
        hs_ticket_fold_on(terms, &events[i], fold);
}

/* ---- deadlines ---- */

bool hs_ticket_is_open(enum hs_ticket_state state)
{
    return state >= HS_TICKET_OPEN && state <= HS_TICKET_WAITING;
}

uint64_t hs_ticket_due_ms(const struct hs_ticket_fold *fold, uint64_t due_ms, uint64_t now_ms)
{
    uint64_t since_ms = hs_stamp_ms(fold->waiting_since);
    if (due_ms == 0)
        return 0;
    return due_ms + fold->waited_ms + (fold->waiting_since != 0 && now_ms > since_ms ? now_ms - since_ms : 0);
}
