/* audit_money.c -- the ledger: what the payments and reversals that a machine holds add up to. */
#include "tests/sim/audit_inside.h"

#include "proto/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAYMENT = 3, ENTRY = 4, REVERSAL = 5, TICKET = 6, EVENT = 7, DECISION = 1003 };
enum { DECISION_KIND = 3, DECISION_RECORD = 4 };
enum { LANE_WORK = 1, LANE_MONEY = 2, EVENT_TICKET = 2 };
enum { PAYMENT_ACCOUNT = 2, PAYMENT_AMOUNT = 3, PAYMENT_BILL = 4, PAYMENT_PARTS = 8, REVERSAL_PAYMENT = 2 };
enum { PART_BILL = 1, PART_AMOUNT = 2 };
enum { ENTRY_FACT_KIND = 4, ENTRY_FACT_ID = 5, ENTRY_FACT_PARTITION = 6 };

/* ---- what belongs together ---- */

static void add_to(struct auditor *auditor, struct audit_list **list, struct audit_record *record)
{
    while (*list != NULL && (*list)->record != record)
        list = &(*list)->next;
    if (*list != NULL)
        return;
    *list = audit_new(auditor, sizeof **list);
    (*list)->record = record;
}

/* The record of that name, though nobody may have written it yet. */
static struct audit_record *named_by(struct auditor *auditor, hs_partition partition, uint64_t kind, struct hs_bytes id)
{
    struct hs_stream stream = {.partition = partition, .lane = kind == TICKET ? LANE_WORK : LANE_MONEY};
    if (id.size != HS_ID_BYTES || kind == 0 || kind > UINT16_MAX)
        return NULL;
    return audit_record(auditor, &stream, (uint16_t)kind, id);
}

void audit_link(struct auditor *auditor, struct audit_write *write)
{
    struct audit_record *record = write->record, *target = NULL;
    if (record->kind == REVERSAL) {
        struct hs_bytes id = audit_tlv_find(write->fact, REVERSAL_PAYMENT).data;
        target = named_by(auditor, record->partition, PAYMENT, id);
        if (target != NULL)
            add_to(auditor, &target->reversals, record);
    } else if (record->kind == EVENT) {
        target = named_by(auditor, record->partition, TICKET, audit_tlv_find(write->fact, EVENT_TICKET).data);
        if (target != NULL)
            add_to(auditor, &target->events, record);
    } else if (record->kind == DECISION) {
        target = named_by(auditor, record->partition, audit_tlv_find(write->fact, DECISION_KIND).value,
                          audit_tlv_find(write->fact, DECISION_RECORD).data);
        if (target != NULL && target->kind == PAYMENT)
            add_to(auditor, &target->decisions, record);
    } else if (record->kind == ENTRY) {
        uint64_t partition = audit_tlv_find(write->fact, ENTRY_FACT_PARTITION).value;
        if (hs_partition_valid((uint32_t)partition))
            target = named_by(auditor, (hs_partition)partition, audit_tlv_find(write->fact, ENTRY_FACT_KIND).value,
                              audit_tlv_find(write->fact, ENTRY_FACT_ID).data);
        if (target != NULL)
            add_to(auditor, &target->entries, record);
    }
}

struct audit_record *audit_payment_named(const struct auditor *auditor, const struct audit_record *reversal,
                                         struct hs_bytes fact)
{
    struct audit_record *payment = audit_named(auditor, PAYMENT, audit_tlv_find(fact, REVERSAL_PAYMENT).data);
    while (payment != NULL && payment->partition != reversal->partition)
        payment = payment->same_name;
    return payment;
}

struct audit_record *audit_reversed(const struct auditor *auditor, const struct audit_record *reversal, uint32_t bit)
{
    const struct audit_write *variant = audit_variant(reversal, bit);
    return variant != NULL ? audit_payment_named(auditor, reversal, variant->fact) : NULL;
}

/* The payment that a decision is about. */
static struct audit_record *decided(const struct auditor *auditor, const struct audit_record *decision,
                                    struct hs_bytes fact)
{
    struct audit_record *payment = NULL;
    if (audit_tlv_find(fact, DECISION_KIND).value == PAYMENT)
        payment = audit_named(auditor, PAYMENT, audit_tlv_find(fact, DECISION_RECORD).data);
    while (payment != NULL && payment->partition != decision->partition)
        payment = payment->same_name;
    return payment;
}

static size_t add_group(struct audit_record **list, size_t count, size_t room, struct audit_record *payment)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i] == payment)
            return count;
    }
    if (payment == NULL || count == room)
        return count;
    list[count] = payment;
    return count + 1;
}

size_t audit_groups_of(struct auditor *auditor, const struct audit_op *op, struct audit_record **list, size_t room)
{
    size_t count = 0;
    for (size_t i = 0; i < op->write_count; i++) {
        struct audit_record *record = op->writes[i].record;
        if (record->kind == PAYMENT)
            count = add_group(list, count, room, record);
        if (record->kind == DECISION)
            count = add_group(list, count, room, decided(auditor, record, op->writes[i].fact));
        for (const struct audit_write *write = record->writes; record->kind == REVERSAL && write != NULL;
             write = write->next)
            count = add_group(list, count, room, audit_payment_named(auditor, record, write->fact));
    }
    return count;
}

/* Of two contents of an entry, which only a fork makes, one counts, and it may be about another fact. */
const struct audit_write *audit_entered(const struct audit_record *entry, const struct audit_record *fact, uint32_t bit)
{
    const struct audit_write *variant = audit_variant(entry, bit);
    bool same = variant != NULL && audit_tlv_find(variant->fact, ENTRY_FACT_KIND).value == fact->kind &&
                audit_tlv_find(variant->fact, ENTRY_FACT_PARTITION).value == fact->partition &&
                hs_bytes_equal(audit_tlv_find(variant->fact, ENTRY_FACT_ID).data, fact->id);
    return same ? variant : NULL;
}

/* ---- sums ---- */

static int64_t amount_of(const struct audit_write *payment)
{
    return (int64_t)audit_tlv_find(payment->fact, PAYMENT_AMOUNT).value;
}

/* Of a reversal: is it about this payment, as the machine sees it? */
static bool reverses(const struct audit_record *reversal, const struct audit_record *payment, uint32_t bit)
{
    const struct audit_write *variant = audit_variant(reversal, bit);
    return variant != NULL && reversal->partition == payment->partition &&
           hs_bytes_equal(audit_tlv_find(variant->fact, REVERSAL_PAYMENT).data, payment->id);
}

struct audit_totals audit_group(const struct audit_record *payment, uint32_t bit)
{
    const struct audit_write *variant = audit_variant(payment, bit);
    struct audit_totals totals = {0};
    if (variant == NULL || !audit_verdict(payment, bit).counts)
        return totals;
    int64_t amount = amount_of(variant);
    totals.count = 1;
    totals.fen = amount;
    for (const struct audit_list *at = payment->reversals; at != NULL; at = at->next) {
        if (!reverses(at->record, payment, bit))
            continue;
        totals.reversed_count++;
        totals.reversed_fen += amount;
    }
    return totals;
}

static void add_sums(struct audit_map *sums, struct hs_bytes key, const struct audit_totals *more)
{
    struct audit_totals **at = (struct audit_totals **)audit_map_at(sums, key);
    if (*at == NULL)
        *at = calloc(1, sizeof **at);
    if (*at == NULL)
        abort();
    (*at)->count += more->count;
    (*at)->fen += more->fen;
    (*at)->reversed_count += more->reversed_count;
    (*at)->reversed_fen += more->reversed_fen;
}

static void free_sums(struct audit_map *sums)
{
    for (size_t i = 0; i < sums->count; i++)
        free(sums->entries[i].value);
    audit_map_fini(sums);
}

static void add_part(struct audit_map *sums, const struct audit_write *payment, const struct audit_totals *group,
                     struct hs_bytes bill, int64_t fen)
{
    struct hs_buf key = {0};
    struct audit_totals part = {.count = group->count,
                                .fen = (int64_t)group->count * fen,
                                .reversed_count = group->reversed_count,
                                .reversed_fen = (int64_t)group->reversed_count * fen};
    hs_buf_put_bytes(&key, audit_tlv_find(payment->fact, PAYMENT_ACCOUNT).data);
    hs_buf_put_bytes(&key, bill);
    add_sums(sums, hs_buf_bytes(&key), &part);
    hs_buf_fini(&key);
}

/* Parts that are more than their payment come from nobody here. */
void audit_bills_paid(struct auditor *auditor, uint32_t bit, struct audit_map *sums)
{
    for (size_t i = 0; i < auditor->records.count; i++) {
        const struct audit_record *record = auditor->records.entries[i].value;
        const struct audit_write *variant = record->kind == PAYMENT ? audit_variant(record, bit) : NULL;
        if (variant == NULL)
            continue;
        struct audit_totals group = audit_group(record, bit);
        struct hs_cur cur = hs_cur_of(variant->fact);
        struct audit_tlv tlv;
        while (audit_tlv_next(&cur, &tlv)) {
            if (tlv.number == PAYMENT_BILL)
                add_part(sums, variant, &group, tlv.data, amount_of(variant));
            if (tlv.number == PAYMENT_PARTS)
                add_part(sums, variant, &group, audit_tlv_find(tlv.data, PART_BILL).data,
                         (int64_t)audit_tlv_find(tlv.data, PART_AMOUNT).value);
        }
    }
}

void audit_bills_free(struct audit_map *sums)
{
    free_sums(sums);
}

/* ---- after each step ---- */

static void compare(struct auditor *auditor, const struct audit_machine *machine, const char *of,
                    const struct audit_totals *expected, const struct audit_totals *found)
{
    if (expected->count == found->count && expected->fen == found->fen &&
        expected->reversed_count == found->reversed_count && expected->reversed_fen == found->reversed_fen)
        return;
    audit_fail(auditor, AUDIT_MONEY,
               "%s, %s: its operations make %" PRIu64 " payments of %" PRId64 " fen, %" PRIu64 " reversals of %" PRId64
               " fen; it says %" PRIu64 ", %" PRId64 ", %" PRIu64 ", %" PRId64,
               machine->sim->name, of, expected->count, expected->fen, expected->reversed_count, expected->reversed_fen,
               found->count, found->fen, found->reversed_count, found->reversed_fen);
}

static struct audit_totals totals_of(const struct hs_totals *totals)
{
    return (struct audit_totals){.count = totals->count,
                                 .fen = totals->sum_fen,
                                 .reversed_count = totals->reversed_count,
                                 .reversed_fen = totals->reversed_fen};
}

/* The committed records reflect an older commit than the log's last one: they are compared with what was held then. */
void audit_money_turn(struct auditor *auditor, struct audit_machine *machine)
{
    struct hs_store *store = hs_daemon_store(machine->sim->daemon);
    struct hs_view *view;
    struct hs_totals found;
    if (store->flushed.commit == machine->records_seen || store->failed != HS_OK ||
        store->flushed.commit < store->floor)
        return;
    machine->records_seen = store->flushed.commit;
    if (hs_view_open(store, 0, 0, &view) != HS_OK)
        return;
    uint64_t commit = hs_view_position(view).commit;
    enum hs_err err = hs_view_totals(view, &(struct hs_totals_filter){0}, &found);
    hs_view_close(view);
    if (commit > machine->seen.commit)
        audit_fail(auditor, AUDIT_FRONTIER, "%s: its records reflect commit %" PRIu64 ", its log ends at %" PRIu64,
                   machine->sim->name, commit, machine->seen.commit);
    if (err != HS_OK)
        audit_fail(auditor, AUDIT_DAMAGE, "%s: its totals cannot be read: %s", machine->sim->name, hs_err_name(err));
    struct audit_totals totals = totals_of(&found);
    compare(auditor, machine, "all payments", &machine->history[commit], &totals);
}

/* ---- in full ---- */

static bool ask_totals(struct auditor *auditor, struct audit_machine *machine, char *account, uint32_t date,
                       struct audit_totals *found)
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    Hallsync__TotalsRequest body = HALLSYNC__TOTALS_REQUEST__INIT;
    body.account = account;
    body.has_date = date != 0;
    body.date = date;
    request.body_case = HALLSYNC__REQUEST__BODY_TOTALS;
    request.totals = &body;
    uint64_t gained = machine->gained;
    Hallsync__Reply *reply = audit_ask(auditor, machine, &request);
    bool sure = reply != NULL && reply->body_case == HALLSYNC__REPLY__BODY_TOTALS && machine->gained == gained;
    if (sure) {
        const Hallsync__TotalsReply *totals = reply->totals;
        *found = (struct audit_totals){totals->count, totals->reversed_count, totals->sum_fen, totals->reversed_fen};
    }
    if (reply != NULL)
        hallsync__reply__free_unpacked(reply, NULL);
    return sure;
}

static uint32_t date_of(const struct audit_machine *machine, const struct audit_write *write)
{
    return hs_date_of(hs_stamp_ms(write->op->stamp), machine->sim->conf.utc_offset_minutes);
}

static void add_day(struct audit_map *days, uint32_t date, const struct audit_totals *more)
{
    uint8_t key[4];
    hs_be32(key, date);
    add_sums(days, HS_BYTES(key, sizeof key), more);
}

/* A reversal is money out of the drawer of its own day. */
static void gather(struct auditor *auditor, const struct audit_machine *machine, struct audit_map *accounts,
                   struct audit_map *days)
{
    uint32_t bit = machine->bit;
    for (size_t i = 0; i < auditor->records.count; i++) {
        const struct audit_record *record = auditor->records.entries[i].value;
        const struct audit_write *variant = record->kind == PAYMENT ? audit_variant(record, bit) : NULL;
        if (variant == NULL || !audit_verdict(record, bit).counts)
            continue;
        struct audit_totals group = audit_group(record, bit);
        add_sums(accounts, audit_tlv_find(variant->fact, PAYMENT_ACCOUNT).data, &group);
        add_day(days, date_of(machine, variant), &(struct audit_totals){.count = 1, .fen = group.fen});
        for (const struct audit_list *at = record->reversals; at != NULL; at = at->next) {
            if (reverses(at->record, record, bit))
                add_day(days, date_of(machine, audit_variant(at->record, bit)),
                        &(struct audit_totals){.reversed_count = 1, .reversed_fen = group.fen});
        }
    }
}

static void check_accounts(struct auditor *auditor, struct audit_machine *machine, const struct audit_map *accounts)
{
    struct audit_totals found;
    for (size_t i = 0; i < accounts->count; i++) {
        const struct audit_entry *entry = &accounts->entries[i];
        char account[HS_ACCOUNT_DIGITS + 1] = "";
        if (entry->key.size == HS_ACCOUNT_DIGITS)
            memcpy(account, entry->key.data, HS_ACCOUNT_DIGITS);
        if (account[0] != '\0' && ask_totals(auditor, machine, account, 0, &found))
            compare(auditor, machine, account, entry->value, &found);
    }
}

static void check_days(struct auditor *auditor, struct audit_machine *machine, const struct audit_map *days)
{
    struct audit_totals found;
    char of[16];
    for (size_t i = 0; i < days->count; i++) {
        uint32_t date = hs_from_be32(days->entries[i].key.data);
        snprintf(of, sizeof of, "%" PRIu32, date);
        if (hs_date_valid(date) && ask_totals(auditor, machine, NULL, date, &found))
            compare(auditor, machine, of, days->entries[i].value, &found);
    }
}

void audit_money_check(struct auditor *auditor, struct audit_machine *machine, bool whole)
{
    struct audit_map accounts = {0}, days = {0};
    struct audit_totals found, expected = machine->totals;
    if (ask_totals(auditor, machine, NULL, 0, &found))
        compare(auditor, machine, "all payments", &expected, &found);
    if (whole && audit_watched(machine)) {
        uint64_t gained = machine->gained;
        gather(auditor, machine, &accounts, &days);
        if (machine->gained == gained)
            check_accounts(auditor, machine, &accounts);
        if (machine->gained == gained)
            check_days(auditor, machine, &days);
    }
    free_sums(&accounts);
    free_sums(&days);
}
