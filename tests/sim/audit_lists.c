/* audit_lists.c -- what a node tells its people: conflicts, money that does not add up, operations without effect. Each
 * list is just what its operations make. */
#include "tests/sim/audit_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_CONFLICTS 500
#define TRIES_MAX      4
#define ID_TEXT_BYTES  256

enum { CUSTOMER = 1, BILL = 2, PAYMENT = 3, REVERSAL = 5, TICKET = 6, QUEUE_TICKET = 19, SLOT = 21 };
enum { SLOT_CAPACITY = 7 };
enum {
    BILL_ACCOUNT = 2,
    BILL_AMOUNT = 4,
    ENTRY_AMOUNT = 3,
    PAYMENT_AMOUNT = 3,
    PAYMENT_CARD = 14,
    PAYMENT_COUNTER = 15
};

struct item {
    int64_t fen;
    bool told;
};

struct lists {
    struct auditor *auditor;
    struct audit_machine *machine;
    struct audit_map expected; /* conflict id -> struct item */
};

/* ---- what is expected ---- */

struct expected {
    const char *type;
    hs_partition partition;
    uint16_t kind;
    struct hs_bytes id;
    struct hs_bytes extra; /* or none */
    int64_t fen;
};

/* "type:partition:kind:id in hex", and for some an extra. */
static void expect(struct lists *lists, const struct expected *expected)
{
    char partition[HS_PARTITION_TEXT_BYTES];
    struct hs_buf id = {0};
    if (!audit_holds(lists->machine, expected->partition))
        return; /* such lists are of what is held in full */
    hs_buf_put_format(&id, "%s:%s:%u:", expected->type, hs_partition_text(expected->partition, partition),
                      (unsigned)expected->kind);
    for (size_t i = 0; i < expected->id.size; i++)
        hs_buf_put_format(&id, "%02x", expected->id.data[i]);
    if (expected->extra.size != 0)
        hs_buf_put_format(&id, ":%.*s", (int)expected->extra.size, (const char *)expected->extra.data);
    struct item *item = audit_map_get(&lists->expected, hs_buf_bytes(&id));
    if (item == NULL) {
        item = calloc(1, sizeof *item);
        if (item == NULL)
            abort();
        *audit_map_at(&lists->expected, hs_buf_bytes(&id)) = item;
    }
    item->fen = expected->fen;
    hs_buf_fini(&id);
}

static struct expected of_record(const char *type, const struct audit_record *record, int64_t fen)
{
    return (struct expected){
        .type = type, .partition = record->partition, .kind = record->kind, .id = record->id, .fen = fen};
}

static int64_t zigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static int compare_keys(const void *left, const void *right)
{
    const struct audit_record *a = *(const struct audit_record *const *)left;
    const struct audit_record *b = *(const struct audit_record *const *)right;
    return a->partition != b->partition ? (a->partition < b->partition ? -1 : 1) : hs_bytes_compare(a->id, b->id);
}

/* Two slips for one payment: all amounts but the first entry's. */
static void expect_double_entry(struct lists *lists, const struct audit_record *fact)
{
    const struct audit_record *entries[64];
    size_t count = 0;
    int64_t fen = 0;
    for (const struct audit_list *at = fact->entries; at != NULL && count < 64; at = at->next) {
        if (audit_entered(at->record, fact, lists->machine->bit) != NULL)
            entries[count++] = at->record;
    }
    if (count < 2)
        return;
    qsort(entries, count, sizeof *entries, compare_keys);
    for (size_t i = 1; i < count; i++)
        fen += zigzag(audit_tlv_find(audit_variant(entries[i], lists->machine->bit)->fact, ENTRY_AMOUNT).value);
    struct expected expected = of_record("double-entry", fact, fen);
    expect(lists, &expected);
}

/* Taken, not taken back, and for the card and counter of the other. */
static bool is_same_topup(const struct lists *lists, const struct audit_record *record, const struct audit_write *of)
{
    uint32_t bit = lists->machine->bit;
    const struct audit_write *variant = record->kind == PAYMENT ? audit_variant(record, bit) : NULL;
    if (variant == NULL ||
        !hs_bytes_equal(audit_tlv_find(variant->fact, PAYMENT_CARD).data, audit_tlv_find(of->fact, PAYMENT_CARD).data))
        return false;
    struct audit_totals group = audit_group(record, bit);
    return group.count == 1 && group.reversed_count == 0 &&
           audit_tlv_find(variant->fact, PAYMENT_COUNTER).value == audit_tlv_find(of->fact, PAYMENT_COUNTER).value;
}

static void expect_topup(struct lists *lists, const struct audit_record *payment)
{
    const struct audit_write *variant = audit_variant(payment, lists->machine->bit);
    size_t count = 0;
    if (variant == NULL || audit_tlv_find(variant->fact, PAYMENT_CARD).data.size == 0 ||
        !is_same_topup(lists, payment, variant))
        return;
    for (size_t i = 0; i < lists->auditor->records.count && count < 2; i++)
        count += is_same_topup(lists, lists->auditor->records.entries[i].value, variant);
    struct expected expected = of_record("topup-twice", payment,
                                         (int64_t)audit_tlv_find(variant->fact, PAYMENT_AMOUNT).value);
    if (count > 1)
        expect(lists, &expected);
}

static void expect_misfit(void *ctx, const struct audit_record *event)
{
    struct expected expected = of_record("event", event, 0);
    expect(ctx, &expected);
}

static void expect_fact(struct lists *lists, const struct audit_record *record)
{
    uint32_t bit = lists->machine->bit;
    struct audit_totals group = record->kind == PAYMENT ? audit_group(record, bit) : (struct audit_totals){0};
    struct expected fact = of_record("fact", record, 0);
    struct expected over = of_record("over-reversed", record, group.reversed_fen - group.fen);
    const struct audit_write *shown = audit_variant(record, bit);
    if (record->kind == PAYMENT && shown != NULL && audit_verdict(record, bit).is_open) {
        struct expected parked = of_record("parked", record,
                                           (int64_t)audit_tlv_find(shown->fact, PAYMENT_AMOUNT).value);
        expect(lists, &parked);
    }
    if (audit_variant_count(record, bit) > 1)
        expect(lists, &fact);
    if (group.reversed_count > 1)
        expect(lists, &over);
    expect_double_entry(lists, record);
    if (record->kind == PAYMENT)
        expect_topup(lists, record);
    if (record->kind == QUEUE_TICKET && shown != NULL)
        audit_queue_fold(lists->auditor, record, bit, &(struct audit_queue){.misfit = expect_misfit, .ctx = lists});
}

/* Fields that people must look at when they were written in two places. */
static bool is_reviewed(uint16_t kind, uint32_t number)
{
    if (kind == CUSTOMER)
        return number >= 2 && number <= 15 && number != 9;
    if (kind == SLOT)
        return number == SLOT_CAPACITY;
    return kind == BILL && number >= 3 && number <= 5;
}

static void expect_events(struct lists *lists, const struct audit_record *ticket)
{
    struct audit_fold fold = {.misfit = expect_misfit, .ctx = lists};
    audit_fold(ticket, lists->machine->bit, &fold);
}

static void expect_register(struct lists *lists, const struct audit_record *record)
{
    struct audit_values values = {0};
    struct expected expected = of_record("field", record, 0);
    struct expected parked = of_record("parked", record, 0);
    bool rivals = false;
    audit_values(record, lists->machine->bit, &values);
    for (size_t i = 0; i < values.count && !rivals; i++)
        rivals = is_reviewed(record->kind, values.list[i].number) && audit_rivals(&values, values.list[i].number);
    if (rivals)
        expect(lists, &expected);
    if (!audit_complete(record, lists->machine->bit))
        expect(lists, &parked);
    else if (record->kind == TICKET)
        expect_events(lists, record);
    audit_values_fini(&values);
}

/* ---- bills ---- */

/* The bill's amount, if it is here, counts, and is this account's; else -1. */
static int64_t billed_fen(const struct lists *lists, struct hs_bytes account, struct hs_bytes id)
{
    const struct audit_record *bill = audit_named(lists->auditor, BILL, id);
    uint32_t bit = lists->machine->bit;
    int64_t fen = -1;
    for (; bill != NULL; bill = bill->same_name) {
        struct audit_values values = {0};
        if (!audit_complete(bill, bit))
            continue;
        audit_values(bill, bit, &values);
        if (hs_bytes_equal(audit_tlv_find(audit_shown(&values, BILL_ACCOUNT)->value, BILL_ACCOUNT).data, account))
            fen = (int64_t)audit_tlv_find(audit_shown(&values, BILL_AMOUNT)->value, BILL_AMOUNT).value;
        audit_values_fini(&values);
    }
    return fen;
}

static void expect_bills(struct lists *lists)
{
    struct audit_map paid = {0};
    audit_bills_paid(lists->auditor, lists->machine->bit, &paid);
    for (size_t i = 0; i < paid.count; i++) {
        const struct audit_totals *sums = paid.entries[i].value;
        struct hs_bytes key = paid.entries[i].key;
        struct hs_bytes account = HS_BYTES(key.data, HS_ACCOUNT_DIGITS);
        struct expected expected = {.partition = hs_account_partition((const char *)key.data),
                                    .kind = BILL,
                                    .id = HS_BYTES(key.data + HS_ACCOUNT_DIGITS, key.size - HS_ACCOUNT_DIGITS),
                                    .extra = account};
        int64_t fen = sums->fen - sums->reversed_fen, billed = billed_fen(lists, account, expected.id);
        expected.type = billed < 0 ? "no-bill" : "overpaid";
        expected.fen = billed < 0 ? fen : fen - billed;
        if (billed < 0 ? fen != 0 : fen > billed)
            expect(lists, &expected);
    }
    audit_bills_free(&paid);
}

/* ---- operations ---- */

static void expect_void(struct lists *lists, const struct audit_op *op)
{
    static const char *const LANES[] = {"", "work", "money", "people", "bulk"};
    const struct hs_stream *stream = &op->stream->name;
    uint8_t id[16];
    if (!op->is_void || ((op->held | op->loose) & lists->machine->bit) == 0)
        return;
    hs_be64(id, stream->origin);
    hs_be64(id + 8, op->n);
    struct expected expected = {.type = "void",
                                .partition = stream->partition,
                                .id = HS_BYTES(id, sizeof id),
                                .extra = audit_text(LANES[stream->lane])};
    expect(lists, &expected);
}

static void expect_all(struct lists *lists)
{
    for (size_t i = 0; i < lists->auditor->records.count; i++) {
        const struct audit_record *record = lists->auditor->records.entries[i].value;
        bool is_register = record->kind == CUSTOMER || record->kind == BILL || record->kind == TICKET ||
                           record->kind == SLOT;
        if (is_register && audit_present(record, lists->machine->bit))
            expect_register(lists, record);
        else if (!is_register && audit_is_looked_at(record->kind))
            expect_fact(lists, record);
    }
    expect_bills(lists);
    for (size_t i = 0; i < lists->auditor->op_count; i++)
        expect_void(lists, lists->auditor->ops[i]);
}

/* ---- what is told ---- */

static bool is_known_type(const char *type)
{
    static const char *const TYPES[] = {"field",  "fact",    "overpaid", "over-reversed", "double-entry",
                                        "parked", "no-bill", "event",    "void",          "topup-twice"};
    bool known = false;
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
        known = known || strcmp(TYPES[i], type) == 0;
    return known;
}

static enum audit_invariant invariant_of(const char *type)
{
    if (strncmp(type, "void", 4) == 0)
        return AUDIT_VERDICT;
    return strncmp(type, "field", 5) == 0 ? AUDIT_CAUSALITY : AUDIT_MONEY;
}

static void check_told(struct lists *lists, const Hallsync__Conflict *told)
{
    struct item *item = audit_map_get(&lists->expected, audit_text(told->id));
    if (!is_known_type(told->type))
        return;
    if (item == NULL)
        audit_fail(lists->auditor, invariant_of(told->type), "%s lists %s; its operations make no such thing",
                   lists->machine->sim->name, told->id);
    int64_t fen = told->has_amount_fen ? told->amount_fen : 0;
    if (item->told || item->fen != fen)
        audit_fail(lists->auditor, invariant_of(told->type),
                   "%s lists %s%s with %" PRId64 " fen; its operations make %" PRId64, lists->machine->sim->name,
                   told->id, item->told ? " twice," : "", fen, item->fen);
    item->told = true;
}

static Hallsync__Reply *ask(struct lists *lists, struct hs_bytes after)
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    Hallsync__ConflictsRequest body = HALLSYNC__CONFLICTS_REQUEST__INIT;
    body.has_limit = true;
    body.limit = PAGE_CONFLICTS;
    body.has_after = after.size != 0;
    body.after = (ProtobufCBinaryData){.len = after.size, .data = (uint8_t *)(uintptr_t)after.data};
    request.body_case = HALLSYNC__REQUEST__BODY_CONFLICTS;
    request.conflicts = &body;
    Hallsync__Reply *reply = audit_ask(lists->auditor, lists->machine, &request);
    if (reply == NULL || reply->body_case == HALLSYNC__REPLY__BODY_CONFLICTS)
        return reply;
    hallsync__reply__free_unpacked(reply, NULL);
    return NULL;
}

/* False: something came in between, or it does not answer. */
static bool compare_all(struct lists *lists)
{
    uint64_t gained = lists->machine->gained;
    struct hs_buf after = {0};
    bool more = true, good = true;
    while (more && good) {
        Hallsync__Reply *reply = ask(lists, hs_buf_bytes(&after));
        good = reply != NULL && lists->machine->gained == gained;
        for (size_t i = 0; good && i < reply->conflicts->n_conflicts; i++)
            check_told(lists, reply->conflicts->conflicts[i]);
        more = good && reply->conflicts->has_next;
        hs_buf_reset(&after);
        if (more)
            hs_buf_put(&after, reply->conflicts->next.data, reply->conflicts->next.len);
        if (reply != NULL)
            hallsync__reply__free_unpacked(reply, NULL);
    }
    hs_buf_fini(&after);
    return good;
}

static void check_untold(const struct lists *lists)
{
    for (size_t i = 0; i < lists->expected.count; i++) {
        const struct audit_entry *entry = &lists->expected.entries[i];
        const struct item *item = entry->value;
        if (!item->told)
            audit_fail(lists->auditor, invariant_of((const char *)entry->key.data),
                       "%s does not list %.*s (%" PRId64 " fen), which its operations make", lists->machine->sim->name,
                       (int)entry->key.size, (const char *)entry->key.data, item->fen);
    }
}

void audit_lists_check(struct auditor *auditor, struct audit_machine *machine)
{
    bool done = machine->node->role == HS_ROLE_WITNESS; /* it has no records */
    for (unsigned i = 0; i < TRIES_MAX && !done && audit_watched(machine) && audit_is_sharp(machine); i++) {
        struct lists lists = {.auditor = auditor, .machine = machine};
        expect_all(&lists);
        done = compare_all(&lists);
        if (done)
            check_untold(&lists);
        for (size_t j = 0; j < lists.expected.count; j++)
            free(lists.expected.entries[j].value);
        audit_map_fini(&lists.expected);
    }
}
