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
 * back. */
#include "storage/model/ticket.h"

#include "proto/msg/tlv.h"

#include <stdlib.h>
#include <string.h>

#define TO(state)       (1U << HS_TICKET_##state)
#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

enum { FIELD_STATE = 3, FIELD_ASSIGNEE = 4 }; /* of TicketEvent */

struct hs_machine {
    const char *name;
    uint16_t next[HS_TICKET_STATE_COUNT];
};

_Static_assert(HS_TICKET_STATE_COUNT <= 16, "the states fit the machines' masks");

static const struct hs_machine GENERAL = {
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

static const struct hs_machine QUICK = {
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

static const struct hs_machine COMPLAINT = {
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

/* Codes are frozen: tickets carry them. */
const struct hs_ticket_service HS_SERVICES[] = {
    {"outage-report", "Outage report", "停电报修", &GENERAL, true},
    {"reconnection", "Reconnection after arrears", "欠费复电", &QUICK, true},
    {"new-connection", "New connection", "业扩新装", &GENERAL, false},
    {"capacity-change", "Change of capacity", "增容减容", &GENERAL, false},
    {"name-change", "Change of title holder", "更名过户", &GENERAL, false},
    {"tariff-change", "Change of tariff", "改类", &GENERAL, false},
    {"meter-check", "Meter check", "电能表校验", &GENERAL, false},
    {"missing-documents", "Documents to be handed in later", "缺件补交", &GENERAL, false},
    {"complaint", "Complaint", "投诉", &COMPLAINT, false},
    {"report", "Report of a breach", "举报", &COMPLAINT, false},
    {"suggestion", "Suggestion", "意见建议", &COMPLAINT, false},
    {"bill-query", "Question about a bill", "电费查询", &QUICK, false},
    {"consultation", "Consultation", "业务咨询", &QUICK, false},
};
const size_t HS_SERVICE_COUNT = COUNT_OF(HS_SERVICES);

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

const struct hs_ticket_service *hs_service_by_code(const char *code, size_t size)
{
    for (size_t i = 0; i < HS_SERVICE_COUNT; i++) {
        if (text_is(HS_SERVICES[i].code, code, size))
            return &HS_SERVICES[i];
    }
    return NULL;
}

const char *hs_machine_name(const struct hs_machine *machine)
{
    return machine->name;
}

bool hs_ticket_move(const struct hs_ticket_service *service, enum hs_ticket_state from, enum hs_ticket_state to)
{
    const struct hs_machine *machine = service != NULL ? service->machine : &GENERAL;
    return (machine->next[from] >> to & 1) != 0;
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
    struct hs_bytes assignee;
};

/* What an event asks for.  A state that this version does not know makes it unreadable: who could judge its move? */
static struct asked read_event(struct hs_bytes message)
{
    struct asked asked = {.readable = true};
    struct hs_bytes state = HS_BYTES_NONE;
    struct hs_cur cur = hs_cur_of(message);
    struct hs_tlv tlv;
    while (hs_tlv_next(&cur, &tlv)) {
        if (tlv.number == FIELD_STATE)
            state = tlv.bytes;
        else if (tlv.number == FIELD_ASSIGNEE)
            asked.assignee = tlv.bytes;
    }
    asked.has_move = state.size != 0;
    if (asked.has_move)
        asked.readable = hs_ticket_state_parse((const char *)state.data, state.size, &asked.move);
    asked.readable = asked.readable && cur.err == HS_OK;
    return asked;
}

/* A note fits everywhere; who names an assignee without a move needs a ticket that somebody can work on. */
static bool event_fits(const struct hs_ticket_service *service, enum hs_ticket_state from, const struct asked *asked)
{
    if (!asked->readable)
        return false;
    if (asked->has_move)
        return hs_ticket_move(service, from, asked->move);
    return asked->assignee.size == 0 || (from != HS_TICKET_NONE && from != HS_TICKET_ARCHIVED);
}

static void take_event(struct hs_ticket_fold *fold, const struct hs_ticket_event *event, const struct asked *asked)
{
    if (fold->state == HS_TICKET_NONE && asked->has_move)
        fold->opened = event->stamp;
    if (asked->has_move)
        fold->state = asked->move;
    if (asked->assignee.size != 0)
        fold->assignee = asked->assignee;
    fold->changed = event->stamp;
}

void hs_ticket_fold_on(const struct hs_ticket_service *service, struct hs_ticket_event *event,
                       struct hs_ticket_fold *fold)
{
    struct asked asked = read_event(event->message);
    event->fits = event_fits(service, fold->state, &asked);
    if (event->fits)
        take_event(fold, event, &asked);
    else
        fold->misfits++;
}

void hs_ticket_fold(const struct hs_ticket_service *service, struct hs_ticket_event *events, size_t count,
                    struct hs_ticket_fold *fold)
{
    *fold = (struct hs_ticket_fold){.state = HS_TICKET_NONE};
    if (count > 1)
        qsort(events, count, sizeof *events, event_compare);
    for (size_t i = 0; i < count; i++)
        hs_ticket_fold_on(service, &events[i], fold);
}
