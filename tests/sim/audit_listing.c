/* audit_listing.c -- all records of a node as its clients see them, by kind: just those that its operations make, once
 * each, with these bytes, values, sums and receipts. */
#include "tests/sim/audit_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_RECORDS 500
#define TRIES_MAX    4

enum { BILL = 2, PAYMENT = 3, REVERSAL = 5, TICKET = 6, QUEUE_TICKET = 19, SLOT = 21, APPOINTMENT = 22 };
enum { BILL_ACCOUNT = 2, BILL_AMOUNT = 4 };

struct listing {
    struct auditor *auditor;
    struct audit_machine *machine;
    struct audit_map paid; /* account, bill -> struct audit_totals */
    struct audit_map seen; /* record key */
};

_Noreturn static void wrong(const struct listing *listing, enum audit_invariant invariant,
                            const struct audit_record *record, const char *what)
{
    audit_fail(listing->auditor, invariant, "%s shows %s %s", listing->machine->sim->name, audit_name(record), what);
}

/* ---- one record ---- */

static struct audit_record *record_of(const struct auditor *auditor, const Hallsync__Record *shown)
{
    uint8_t number[16];
    struct hs_bytes id = audit_text(shown->id);
    if (audit_by_number(shown->kind)) {
        audit_id(shown->id, number);
        id = HS_BYTES(number, sizeof number);
    }
    struct audit_record *record = audit_named(auditor, (uint16_t)shown->kind, id);
    while (record != NULL && record->partition != shown->partition)
        record = record->same_name;
    return record;
}

static void check_bytes(const struct listing *listing, const struct audit_record *record, const Hallsync__Record *shown)
{
    struct hs_buf message = {0};
    bool fact = audit_variant(record, listing->machine->bit) != NULL;
    audit_message(record, listing->machine->bit, &message);
    if (!hs_bytes_equal(hs_buf_bytes(&message), HS_BYTES(shown->record.data, shown->record.len)))
        wrong(listing, fact ? AUDIT_FACTS : AUDIT_CAUSALITY, record, "with other content than its operations make");
    hs_buf_fini(&message);
}

static bool has_dot(const Hallsync__Record *shown, const struct audit_value *value)
{
    for (size_t i = 0; i < shown->n_dots; i++) {
        const Hallsync__FieldDots *field = shown->dots[i];
        for (size_t j = 0; field->field == value->number && j < field->n_dots; j++) {
            if (field->dots[j]->origin == value->write->op->stream->name.origin &&
                field->dots[j]->n == value->write->op->n)
                return true;
        }
    }
    return false;
}

/* The live values are those that nobody has overwritten: none is missing, none is left. */
static void check_dots(const struct listing *listing, const struct audit_record *record, const Hallsync__Record *shown)
{
    struct audit_values values = {0};
    size_t expected = 0, found = 0;
    audit_values(record, listing->machine->bit, &values);
    for (size_t i = 0; i < values.count; i++) {
        const struct audit_value *value = &values.list[i];
        if (value->number >= 1000)
            continue;
        expected++;
        if (!has_dot(shown, value))
            wrong(listing, AUDIT_CAUSALITY, record, "without a value that nobody has overwritten");
    }
    for (size_t i = 0; i < shown->n_dots; i++)
        found += shown->dots[i]->n_dots;
    if (found != expected)
        wrong(listing, AUDIT_CAUSALITY, record, "with a value that was overwritten");
    audit_values_fini(&values);
}

/* Every operation that it shows has been at so many stores of hubs as it says. */
static void check_level(const struct listing *listing, const struct audit_record *record, const Hallsync__Record *shown)
{
    unsigned stores = shown->has_safe ? (unsigned)shown->safe - HALLSYNC__SAFETY__SAFETY_HERE : 0;
    const struct audit_write *variant = audit_variant(record, listing->machine->bit);
    const struct audit_op *weakest = variant != NULL ? variant->op : NULL;
    struct audit_values values = {0};
    if (variant == NULL)
        audit_values(record, listing->machine->bit, &values);
    for (size_t i = 0; i < values.count; i++) {
        if (weakest == NULL || values.list[i].write->op->hub_store_count < weakest->hub_store_count)
            weakest = values.list[i].write->op;
    }
    if (weakest != NULL && !audit_at_hubs(listing->auditor, weakest, stores))
        audit_fail(listing->auditor, AUDIT_FACTS, "%s shows %s as %s; %s has been at %u store(s) of hubs",
                   listing->machine->sim->name, audit_name(record), stores == 1 ? "at a hub" : "safe",
                   audit_op_name(weakest), weakest->hub_store_count);
    audit_values_fini(&values);
}

/* ---- money ---- */

static const char *state_of(int64_t paid_fen, int64_t amount_fen)
{
    if (paid_fen >= amount_fen)
        return paid_fen > amount_fen ? "overpaid" : "paid";
    return paid_fen > 0 ? "part-paid" : "open";
}

static void check_bill(const struct listing *listing, const struct audit_record *record, const Hallsync__Record *shown)
{
    struct hs_bytes message = HS_BYTES(shown->record.data, shown->record.len);
    int64_t amount = (int64_t)audit_tlv_find(message, BILL_AMOUNT).value;
    struct hs_bytes account = audit_tlv_find(message, BILL_ACCOUNT).data;
    struct hs_buf key = {0};
    if (account.size == 0 && shown->bill == NULL)
        return; /* what named it was lost in a fork: parked, nobody can say what is due */
    hs_buf_put_bytes(&key, account);
    hs_buf_put_bytes(&key, record->id);
    const struct audit_totals *sums = audit_map_get(&listing->paid, hs_buf_bytes(&key));
    int64_t paid = sums != NULL ? sums->fen - sums->reversed_fen : 0;
    const Hallsync__BillState *bill = shown->bill;
    hs_buf_fini(&key);
    if (bill == NULL || bill->paid_fen != paid || bill->due_fen != amount - paid ||
        strcmp(bill->state, state_of(paid, amount)) != 0)
        audit_fail(listing->auditor, AUDIT_MONEY,
                   "%s shows %s as %s, %" PRId64 " fen paid; its operations make %" PRId64 " of %" PRId64,
                   listing->machine->sim->name, audit_name(record), bill != NULL ? bill->state : "nothing",
                   bill != NULL ? bill->paid_fen : 0, paid, amount);
}

static void check_receipt(const struct listing *listing, const struct audit_record *record,
                          const Hallsync__Record *shown)
{
    bool any = false, found = false;
    for (const struct audit_list *at = record->entries; at != NULL; at = at->next) {
        if (audit_entered(at->record, record, listing->machine->bit) == NULL)
            continue;
        any = true;
        found = found || (shown->receipt != NULL && hs_bytes_equal(at->record->id, audit_text(shown->receipt)));
    }
    if (any != (shown->receipt != NULL) || any != found)
        wrong(listing, AUDIT_RECEIPTS, record, "with a receipt that is not its own");
}

static void check_ticket(const struct listing *listing, const struct audit_record *record,
                         const Hallsync__Record *shown)
{
    struct audit_fold fold = {0};
    const Hallsync__TicketState *ticket = shown->ticket;
    audit_fold(record, listing->machine->bit, &fold);
    struct hs_bytes assignee = ticket != NULL && ticket->assignee != NULL ? audit_text(ticket->assignee)
                                                                          : HS_BYTES_NONE;
    if (ticket == NULL || strcmp(ticket->state, fold.state) != 0 || !hs_bytes_equal(assignee, fold.assignee))
        audit_fail(listing->auditor, AUDIT_STATE, "%s shows %s as %s; its events make it %s",
                   listing->machine->sim->name, audit_name(record), ticket != NULL ? ticket->state : "nothing",
                   fold.state);
}

static void check_queue(const struct listing *listing, const struct audit_record *record, const Hallsync__Record *shown)
{
    struct audit_queue queue = {0};
    audit_queue_fold(listing->auditor, record, listing->machine->bit, &queue);
    const char *state = shown->queue != NULL ? shown->queue->state : "nothing";
    uint32_t window = shown->queue != NULL ? shown->queue->window : 0;
    if (strcmp(state, queue.state) != 0 || window != queue.window)
        audit_fail(listing->auditor, AUDIT_STATE,
                   "%s shows %s as %s, window %u; its events make it %s, window %" PRIu64, listing->machine->sim->name,
                   audit_name(record), state, (unsigned)window, queue.state, queue.window);
}

/* Nobody has promised more seats than there are. */
static void check_slot(const struct listing *listing, const struct audit_record *record, const Hallsync__Record *shown)
{
    struct audit_slot slot = audit_slot_fold(listing->auditor, record, listing->machine->bit);
    if (shown->slot == NULL || shown->slot->booked != slot.taken || slot.taken > slot.capacity ||
        shown->slot->free != slot.capacity - slot.taken)
        audit_fail(listing->auditor, AUDIT_STATE,
                   "%s shows %s with %u seats booked and %u free; of %" PRIu64 " there are %" PRIu64 " taken",
                   listing->machine->sim->name, audit_name(record), shown->slot != NULL ? shown->slot->booked : 0,
                   shown->slot != NULL ? shown->slot->free : 0, slot.capacity, slot.taken);
}

static void check_seat(const struct listing *listing, const struct audit_record *record, const Hallsync__Record *shown)
{
    const char *state = audit_seat(listing->auditor, record, listing->machine->bit);
    const char *told = shown->appointment != NULL ? shown->appointment->state : "nothing";
    if (strcmp(state, told) != 0)
        audit_fail(listing->auditor, AUDIT_STATE, "%s shows %s as %s; what was asked of its slot makes it %s",
                   listing->machine->sim->name, audit_name(record), told, state);
}

static void check_kind(const struct listing *listing, const struct audit_record *record, const Hallsync__Record *shown)
{
    if (record->kind == BILL)
        check_bill(listing, record, shown);
    if (record->kind == TICKET)
        check_ticket(listing, record, shown);
    if (record->kind == QUEUE_TICKET)
        check_queue(listing, record, shown);
    if (record->kind == SLOT)
        check_slot(listing, record, shown);
    if (record->kind == APPOINTMENT)
        check_seat(listing, record, shown);
    if (record->kind == PAYMENT || record->kind == REVERSAL)
        check_receipt(listing, record, shown);
    if (record->kind == PAYMENT && shown->reversed != (audit_group(record, listing->machine->bit).reversed_count > 0))
        wrong(listing, AUDIT_MONEY, record, shown->reversed ? "as reversed" : "as not reversed");
}

static void check_record(struct listing *listing, const Hallsync__Record *shown)
{
    struct audit_record *record = record_of(listing->auditor, shown);
    if (record == NULL || !audit_present(record, listing->machine->bit))
        audit_fail(listing->auditor, AUDIT_FACTS, "%s shows a record of kind %u, %s in %u, that no operation made",
                   listing->machine->sim->name, (unsigned)shown->kind, shown->id, (unsigned)shown->partition);
    void **place = audit_map_at(&listing->seen, record->key);
    if (*place != NULL)
        wrong(listing, AUDIT_FACTS, record, "twice");
    *place = record;
    check_bytes(listing, record, shown);
    check_dots(listing, record, shown);
    check_level(listing, record, shown);
    check_kind(listing, record, shown);
}

/* ---- all of them ---- */

Hallsync__Reply *audit_page(struct auditor *auditor, struct audit_machine *machine, uint32_t kind,
                            struct hs_bytes after)
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    Hallsync__FindRequest find = HALLSYNC__FIND_REQUEST__INIT;
    find.has_here = find.here = true;
    find.kind = kind;
    find.has_limit = true;
    find.limit = PAGE_RECORDS;
    find.has_after = after.size != 0;
    find.after = (ProtobufCBinaryData){.len = after.size, .data = (uint8_t *)(uintptr_t)after.data};
    request.body_case = HALLSYNC__REQUEST__BODY_FIND;
    request.find = &find;
    Hallsync__Reply *reply = audit_ask(auditor, machine, &request);
    if (reply == NULL || reply->body_case == HALLSYNC__REPLY__BODY_RECORDS)
        return reply;
    hallsync__reply__free_unpacked(reply, NULL);
    return NULL;
}

/* False: something came in between, or it does not answer. */
static bool list_kind(struct listing *listing, uint32_t kind)
{
    uint64_t gained = listing->machine->gained;
    struct hs_buf after = {0};
    bool more = true, good = true;
    while (more && good) {
        Hallsync__Reply *reply = audit_page(listing->auditor, listing->machine, kind, hs_buf_bytes(&after));
        good = reply != NULL && listing->machine->gained == gained;
        for (size_t i = 0; good && i < reply->records->n_records; i++)
            check_record(listing, reply->records->records[i]);
        more = good && reply->records->has_next;
        hs_buf_reset(&after);
        if (more)
            hs_buf_put(&after, reply->records->next.data, reply->records->next.len);
        if (reply != NULL)
            hallsync__reply__free_unpacked(reply, NULL);
    }
    hs_buf_fini(&after);
    return good;
}

static void check_missing(struct listing *listing)
{
    for (size_t i = 0; i < listing->auditor->records.count; i++) {
        const struct audit_record *record = listing->auditor->records.entries[i].value;
        if (audit_complete(record, listing->machine->bit) && audit_map_get(&listing->seen, record->key) == NULL)
            audit_fail(listing->auditor, AUDIT_FACTS, "%s holds the operations of %s and does not show it",
                       listing->machine->sim->name, audit_name(record));
    }
}

static bool list_all(struct listing *listing)
{
    uint64_t gained = listing->machine->gained;
    audit_bills_paid(listing->auditor, listing->machine->bit, &listing->paid);
    for (const uint16_t *kind = AUDIT_KINDS; *kind != 0; kind++) {
        if (!list_kind(listing, *kind) || listing->machine->gained != gained)
            return false;
    }
    return true;
}

void audit_listing_check(struct auditor *auditor, struct audit_machine *machine)
{
    bool done = machine->node->role == HS_ROLE_WITNESS; /* it has no records */
    for (unsigned i = 0; i < TRIES_MAX && !done && audit_watched(machine) && audit_is_sharp(machine); i++) {
        struct listing listing = {.auditor = auditor, .machine = machine};
        done = list_all(&listing);
        if (done)
            check_missing(&listing);
        audit_bills_free(&listing.paid);
        audit_map_fini(&listing.seen);
    }
}
