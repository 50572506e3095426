/* audit_tickets.c -- where a ticket has got to: all its events in the order of their stamps, through the tables of
 * docs/records.md. */
#include "tests/sim/audit_inside.h"

#include <stdlib.h>
#include <string.h>

enum { TICKET_SERVICE = 2, TICKET_MACHINE = 14, EVENT_STATE = 3, EVENT_ASSIGNEE = 4, EVENT_TICKET = 2 };

#define STATE_COUNT 9
static const char *const STATES[STATE_COUNT] = {"none",    "open",     "accepted",    "assigned", "working",
                                                "waiting", "resolved", "called_back", "archived"};

enum machine { GENERAL, QUICK, COMPLAINT, FIELD };

/* [machine][from]: where it may go, by the first letters of the states: o open, c accepted, s assigned, w working,
 * t waiting, r resolved, b called back, a archived. */
static const char *const MOVES[][STATE_COUNT] = {
    [GENERAL] = {"o", "cs", "swt", "cswt", "swtr", "swr", "wba", "wa", ""},
    [QUICK] = {"o", "cswr", "swr", "swr", "swtr", "wr", "wba", "wa", ""},
    [COMPLAINT] = {"o", "cs", "swt", "cswt", "swtr", "swr", "wb", "wa", ""},
    [FIELD] = {"o", "cs", "st", "cswt", "swtr", "sw", "wba", "wa", ""},
};
static const char *const MACHINES[] = {"general", "quick", "complaint", "field"};
static const char LETTERS[] = " ocswtrba";

static const struct {
    const char *code;
    enum machine machine;
} SERVICES[] = {{"reconnection", QUICK},  {"bill-query", QUICK}, {"consultation", QUICK},
                {"complaint", COMPLAINT}, {"report", COMPLAINT}, {"suggestion", COMPLAINT}}; /* all others: general */

static enum machine machine_of(const struct audit_record *ticket, uint32_t bit)
{
    struct audit_values values = {0};
    enum machine machine = GENERAL;
    audit_values(ticket, bit, &values);
    struct hs_bytes code = audit_tlv_find(audit_shown(&values, TICKET_SERVICE)->value, TICKET_SERVICE).data;
    const struct audit_value *named = audit_shown(&values, TICKET_MACHINE);
    struct hs_bytes name = named != NULL ? audit_tlv_find(named->value, TICKET_MACHINE).data : HS_BYTES_NONE;
    for (size_t i = 0; i < sizeof MACHINES / sizeof *MACHINES && name.size != 0; i++) {
        if (hs_bytes_equal(name, audit_text(MACHINES[i])))
            machine = (enum machine)i;
    }
    for (size_t i = 0; i < sizeof SERVICES / sizeof *SERVICES && name.size == 0; i++) {
        if (hs_bytes_equal(code, audit_text(SERVICES[i].code)))
            machine = SERVICES[i].machine;
    }
    audit_values_fini(&values);
    return machine;
}

static int compare_events(const void *left, const void *right)
{
    const struct audit_write *a = *(const struct audit_write *const *)left;
    const struct audit_write *b = *(const struct audit_write *const *)right;
    if (a->op->stamp != b->op->stamp)
        return a->op->stamp < b->op->stamp ? -1 : 1;
    return memcmp(a->record->id.data, b->record->id.data, a->record->id.size);
}

/* In the order of the fold; to be freed. */
static const struct audit_write **events_of(const struct audit_record *ticket, uint32_t bit, size_t *count)
{
    size_t room = 1;
    for (const struct audit_list *at = ticket->events; at != NULL; at = at->next)
        room++;
    const struct audit_write **events = calloc(room, sizeof *events);
    if (events == NULL)
        abort();
    *count = 0;
    for (const struct audit_list *at = ticket->events; at != NULL; at = at->next) {
        const struct audit_write *event = audit_variant(at->record, bit);
        if (event != NULL && hs_bytes_equal(audit_tlv_find(event->fact, EVENT_TICKET).data, ticket->id))
            events[(*count)++] = event;
    }
    if (*count > 1)
        qsort(events, *count, sizeof *events, compare_events);
    return events;
}

static unsigned state_named(struct hs_bytes text)
{
    unsigned state = STATE_COUNT - 1;
    while (state > 0 && !hs_bytes_equal(text, audit_text(STATES[state])))
        state--;
    return state;
}

static bool fits(enum machine machine, unsigned from, const struct audit_write *event)
{
    struct hs_bytes text = audit_tlv_find(event->fact, EVENT_STATE).data;
    unsigned to = state_named(text);
    if (text.size != 0)
        return to != 0 && strchr(MOVES[machine][from], LETTERS[to]) != NULL;
    return audit_tlv_find(event->fact, EVENT_ASSIGNEE).data.size == 0 || (from != 0 && from != STATE_COUNT - 1);
}

void audit_fold(const struct audit_record *ticket, uint32_t bit, struct audit_fold *fold)
{
    size_t count;
    unsigned state = 0;
    const struct audit_write **events = events_of(ticket, bit, &count);
    enum machine machine = machine_of(ticket, bit);
    fold->assignee = HS_BYTES_NONE;
    for (size_t i = 0; i < count; i++) {
        struct hs_bytes assignee = audit_tlv_find(events[i]->fact, EVENT_ASSIGNEE).data;
        if (!fits(machine, state, events[i])) {
            if (fold->misfit != NULL)
                fold->misfit(fold->ctx, events[i]->record);
            continue;
        }
        if (audit_tlv_find(events[i]->fact, EVENT_STATE).data.size != 0)
            state = state_named(audit_tlv_find(events[i]->fact, EVENT_STATE).data);
        if (assignee.size != 0)
            fold->assignee = assignee;
    }
    fold->state = STATES[state];
    free(events);
}
