/* audit_deeds.c -- what clients asked and were told, held against the logs.
 *
 * An answer is looked at when it comes: what it acknowledges must be in the committed log of the machine that gave it,
 * and where it says "hub" or "safe", in the logs of so many stores of hubs before.  What a log had once it must have at
 * the machine's next start (auditor.c), unless its disk was changed. */
#include "tests/sim/audit_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { REQUEST_PUT = 10, REQUEST_REVERSE = 22, PUT_RECORDS = 2, RECORD_CLEAR = 2, RECORD_SOURCE = 4 };
enum { REVERSE_PAYMENT = 1, REVERSE_ID, REVERSE_REASON, REVERSE_WINDOW, REVERSE_CLERK, REVERSE_SECOND };
enum { SLOT = 21, RATING = 25 };
enum { BOOK_KEEPING = 1000 }; /* fields from here on are not the client's */

/* ---- what must come of it ---- */

static void put_field(struct hs_buf *to, uint32_t number, struct hs_bytes bytes)
{
    hs_buf_put_varint(to, (uint64_t)number << 3 | 2);
    hs_buf_put_sized(to, bytes);
}

/* As it was asked, but that an id which is only a spelling of the number is not stored as a text. */
static struct hs_bytes fact_as_asked(struct auditor *auditor, const struct deed *deed)
{
    struct hs_cur cur = hs_cur_of(hs_buf_bytes(&deed->record));
    struct audit_tlv tlv;
    struct hs_buf fact = {0};
    uint8_t id[16];
    while (audit_tlv_next(&cur, &tlv)) {
        if (tlv.number != 1 || !audit_id(deed->id, id))
            hs_buf_put_bytes(&fact, tlv.raw);
    }
    struct hs_bytes copy = audit_copy(auditor, hs_buf_bytes(&fact));
    hs_buf_fini(&fact);
    return copy;
}

static struct hs_bytes reversal_as_asked(struct auditor *auditor, const struct deed *deed)
{
    struct hs_bytes asked = audit_tlv_find(hs_buf_bytes(&deed->request), REQUEST_REVERSE).data;
    struct hs_bytes window = audit_tlv_find(asked, REVERSE_WINDOW).raw;
    struct hs_bytes reason = audit_tlv_find(asked, REVERSE_REASON).data;
    struct hs_bytes clerk = audit_tlv_find(asked, REVERSE_CLERK).data;
    struct hs_bytes second = audit_tlv_find(asked, REVERSE_SECOND).data;
    struct hs_buf fact = {0};
    uint8_t id[16];
    if (!audit_id(deed->id, id))
        put_field(&fact, 1, audit_text(deed->id));
    audit_id(deed->other, id);
    put_field(&fact, 2, HS_BYTES(id, sizeof id));
    put_field(&fact, 3, audit_text(deed->account));
    if (reason.size != 0)
        put_field(&fact, 4, reason);
    if (window.size != 0) {
        hs_buf_put_varint(&fact, 5 << 3);
        hs_buf_put_varint(&fact, audit_tlv_find(asked, REVERSE_WINDOW).value);
    }
    if (clerk.size != 0)
        put_field(&fact, 6, clerk);
    if (second.size != 0)
        put_field(&fact, 7, second);
    struct hs_bytes copy = audit_copy(auditor, hs_buf_bytes(&fact));
    hs_buf_fini(&fact);
    return copy;
}

static bool is_import(const struct deed *deed)
{
    struct hs_bytes put = audit_tlv_find(hs_buf_bytes(&deed->request), REQUEST_PUT).data;
    return audit_tlv_find(audit_tlv_find(put, PUT_RECORDS).data, RECORD_SOURCE).data.size != 0;
}

static bool is_fact(const struct deed *deed)
{
    return deed->type == DEED_PAYMENT || deed->type == DEED_REVERSAL || deed->type == DEED_EVENT ||
           (deed->type == DEED_HALL && deed->kind != SLOT) || (deed->type == DEED_NEWER && deed->kind == 900);
}

static void take_id(struct audit_deed *audit)
{
    const struct deed *deed = audit->deed;
    bool by_number = deed->type == DEED_PAYMENT || deed->type == DEED_REVERSAL || deed->type == DEED_EVENT ||
                     deed->type == DEED_TICKET || (deed->type == DEED_HALL && deed->kind != SLOT) ||
                     (deed->type == DEED_RESOLVE && deed->kind == 6);
    audit->id_size = by_number ? 16 : strlen(deed->id);
    if (by_number)
        audit_id(deed->id, audit->id);
    else
        memcpy(audit->id, deed->id, audit->id_size);
}

static struct audit_deed *deed_of(struct auditor *auditor, const struct deed *deed)
{
    uint8_t key[8];
    hs_be64(key, deed->number);
    void **place = audit_map_at(&auditor->deeds, HS_BYTES(key, sizeof key));
    if (*place != NULL)
        return *place;
    struct audit_deed *audit = audit_new(auditor, sizeof *audit);
    *place = audit;
    audit->deed = deed;
    auditor->figures.deeds++;
    take_id(audit);
    audit->import = is_import(deed);
    if (deed->type == DEED_REVERSAL)
        audit->content = reversal_as_asked(auditor, deed);
    else if (deed->type == DEED_NEWER)
        audit->content = audit_copy(auditor, hs_buf_bytes(&deed->record));
    else
        audit->content = fact_as_asked(auditor, deed);
    return audit;
}

/* ---- is it there? ---- */

static bool has_value(const struct audit_write *write, const struct audit_tlv *asked)
{
    for (size_t i = 0; i < write->field_count; i++) {
        if (write->fields[i].number == asked->number && hs_bytes_equal(write->fields[i].value, asked->raw))
            return true;
    }
    return false;
}

static bool answers(const struct audit_op *op, const struct deed *deed)
{
    return hs_bytes_equal(op->request, HS_BYTES(deed->request_id, sizeof deed->request_id));
}

/* What the node takes from the catalogue where an opening does not say it: version, department, urgency, deadline,
 * documents, machine, results. */
static bool is_filled_in(const struct deed *deed, uint32_t number)
{
    static const uint32_t NUMBERS[] = {5, 6, 8, 11, 12, 14, 17};
    bool filled = false;
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++)
        filled = filled || NUMBERS[i] == number;
    return deed->type == DEED_TICKET && filled;
}

/* All that it wrote was asked for. */
static bool wrote_as_asked(const struct audit_deed *audit, const struct audit_write *write)
{
    struct hs_bytes put = audit_tlv_find(hs_buf_bytes(&audit->deed->request), REQUEST_PUT).data;
    struct hs_bytes clear = audit_tlv_find(audit_tlv_find(put, PUT_RECORDS).data, RECORD_CLEAR).raw;
    for (size_t i = 0; i < write->field_count; i++) {
        const struct audit_field *field = &write->fields[i];
        struct hs_bytes asked = audit_tlv_find(audit->content, field->number).raw;
        if (asked.size == 0 && is_filled_in(audit->deed, field->number))
            continue;
        if (field->number < BOOK_KEEPING && !hs_bytes_equal(field->value, asked) &&
            (field->value.size != 0 || clear.size == 0))
            return false;
    }
    return true;
}

/* A hall's day: the node has added what it knows itself. */
static bool says_all(const struct audit_deed *audit, struct hs_bytes fact)
{
    struct hs_cur cur = hs_cur_of(audit->content);
    struct audit_tlv asked, told;
    bool all = true;
    while (all && audit_tlv_next(&cur, &asked)) {
        struct hs_cur in = hs_cur_of(fact);
        bool found = false;
        while (!found && audit_tlv_next(&in, &told))
            found = hs_bytes_equal(asked.raw, told.raw);
        all = found;
    }
    return all;
}

/* The write does what was asked; @mask: at one of these machines. */
static bool does(const struct audit_deed *audit, const struct audit_write *write, uint32_t mask)
{
    const struct deed *deed = audit->deed;
    if (is_fact(deed) && deed->type == DEED_HALL)
        return audit_fact_held(write, mask) && says_all(audit, write->fact);
    if (is_fact(deed))
        return audit_fact_held(write, mask) && hs_bytes_equal(write->fact, audit->content);
    if (!audit_register_held(write, mask))
        return false;
    if (deed->type == DEED_RESOLVE)
        return answers(write->op, deed);
    if (deed->type == DEED_NEWER)
        return write->field_count == 1 && hs_bytes_equal(write->fields[0].value, audit->content);
    return (answers(write->op, deed) || audit->import) && wrote_as_asked(audit, write);
}

static const struct audit_write *find_write(const struct auditor *auditor, const struct audit_deed *audit,
                                            uint32_t mask, unsigned hub_stores)
{
    const struct audit_record *record = audit_named(auditor, audit->deed->kind, HS_BYTES(audit->id, audit->id_size));
    for (; record != NULL; record = record->same_name) {
        bool elsewhere = is_fact(audit->deed) && audit->deed->kind != RATING &&
                         record->partition != audit->deed->partition; /* one service is rated once, in any hall */
        for (const struct audit_write *write = record->writes; !elsewhere && write != NULL; write = write->next) {
            if (does(audit, write, mask) && audit_at_hubs(auditor, write->op, hub_stores))
                return write;
        }
    }
    return NULL;
}

/* Each value that was asked for has been written by somebody whose operation is held. */
static bool says_the_same(const struct auditor *auditor, const struct audit_deed *audit, uint32_t bit)
{
    struct hs_cur cur = hs_cur_of(hs_buf_bytes(&audit->deed->record));
    struct audit_tlv asked;
    while (audit_tlv_next(&cur, &asked)) {
        bool found = asked.number == 1 && audit->id_size == 16; /* the id, which a ticket need not carry */
        const struct audit_record *record = audit_named(auditor, audit->deed->kind,
                                                        HS_BYTES(audit->id, audit->id_size));
        for (; record != NULL; record = record->same_name) {
            for (const struct audit_write *write = record->writes; write != NULL && !found; write = write->next)
                found = audit_register_held(write, bit) && has_value(write, &asked);
        }
        if (!found)
            return false;
    }
    return true;
}

/* ---- told ---- */

static const char *const TYPES[] = {
    [DEED_CUSTOMER] = "customer", [DEED_BILL] = "bill",          [DEED_PAYMENT] = "payment",
    [DEED_REVERSAL] = "reversal", [DEED_TICKET] = "ticket",      [DEED_HALL] = "record of a hall's day",
    [DEED_EVENT] = "event",       [DEED_RESOLVE] = "resolution", [DEED_NEWER] = "newer record"};

static void check_level(struct auditor *auditor, const struct audit_deed *audit, const struct deed_told *told,
                        const struct audit_machine *machine)
{
    unsigned stores = told->safe > HALLSYNC__SAFETY__SAFETY_HERE ? told->safe - HALLSYNC__SAFETY__SAFETY_HERE : 0;
    bool changes = told->result == HALLSYNC__RESULT__RESULT_CREATED || told->result == HALLSYNC__RESULT__RESULT_CHANGED;
    if (!is_fact(audit->deed) && !changes)
        return; /* the level of what was there before, whoever wrote it */
    if (find_write(auditor, audit, machine->bit, stores) == NULL)
        audit_fail(auditor, AUDIT_FACTS,
                   "%s said that %s %s is at %u store(s) of hubs; the operation was never held by so many",
                   machine->sim->name, TYPES[audit->deed->type], audit->deed->id, stores);
}

static bool is_covered(struct auditor *auditor, const struct audit_deed *audit, const struct deed_told *told,
                       const struct audit_machine *machine)
{
    uint32_t seen = audit_is_sharp(machine) ? machine->bit : UINT32_MAX; /* it may have been shown by state */
    bool same = told->result == HALLSYNC__RESULT__RESULT_UNCHANGED || told->result == HALLSYNC__RESULT__RESULT_EXISTS;
    bool elsewhere = same && !audit_holds(machine, audit->deed->partition); /* a hub said so */
    return find_write(auditor, audit, machine->bit, 0) != NULL ||
           (elsewhere && find_write(auditor, audit, UINT32_MAX, 0) != NULL) ||
           (!is_fact(audit->deed) && (same || audit->import) &&
            (audit->deed->type == DEED_RESOLVE || says_the_same(auditor, audit, seen)));
}

/* What came as state counts from when its heads are looked at. */
static void look_at_heads(struct auditor *auditor, struct audit_machine *machine)
{
    struct sim_machine *current = auditor->sim->current;
    auditor->sim->current = NULL;
    if (audit_watched(machine))
        audit_heads_check(auditor, machine);
    auditor->sim->current = current;
}

static void check_done(struct auditor *auditor, struct audit_deed *audit, const struct deed_told *told,
                       struct audit_machine *machine)
{
    bool covered = is_covered(auditor, audit, told, machine);
    if (!covered) {
        look_at_heads(auditor, machine);
        covered = is_covered(auditor, audit, told, machine);
    }
    const struct audit_write *write = find_write(auditor, audit, machine->bit, 0);
    if (!covered)
        audit_fail(auditor, AUDIT_FACTS,
                   "%s acknowledged deed %" PRIu64 ", %s %s, with result %u; no operation in its committed log does it",
                   machine->sim->name, audit->deed->number, TYPES[audit->deed->type], audit->deed->id, told->result);
    if (write != NULL)
        check_level(auditor, audit, told, machine);
    if (write != NULL && (audit->deed->type == DEED_PAYMENT || audit->deed->type == DEED_REVERSAL))
        audit_receipt_told(auditor, audit, told, write->record, machine->bit);
}

void auditor_asked(struct auditor *auditor, const struct deed *deed, struct sim_machine *machine)
{
    (void)machine;
    deed_of(auditor, deed)->asked++;
}

void auditor_told(struct auditor *auditor, const struct deed_told *told)
{
    struct audit_machine *machine = audit_machine_of(auditor, told->machine);
    struct audit_deed *audit = deed_of(auditor, told->deed);
    if (told->error[0] != '\0') {
        audit->refused += hs_err_class(hs_err_by_name(told->error)) == HS_CLASS_INPUT;
        return;
    }
    auditor->figures.acknowledged += audit->done == 0;
    audit->done++;
    if (told->machine->daemon == NULL || machine->damaged)
        return;
    audit_follow(auditor, machine);
    check_done(auditor, audit, told, machine);
}

/* ---- at the end ---- */

/* Each sending was refused: nothing of it may be anywhere, unless another deed says the very same. */
static void check_refused(struct auditor *auditor, const struct audit_deed *audit)
{
    const struct audit_write *write = find_write(auditor, audit, UINT32_MAX, 0);
    if (write == NULL || audit->import || audit->deed->type == DEED_NEWER)
        return;
    for (size_t i = 0; i < auditor->deeds.count; i++) {
        const struct audit_deed *other = auditor->deeds.entries[i].value;
        if (other != audit && other->deed->kind == audit->deed->kind && hs_bytes_equal(other->content, audit->content))
            return;
    }
    audit_fail(auditor, AUDIT_FACTS, "deed %" PRIu64 ", %s %s, was refused each time it was asked, and is in %s",
               audit->deed->number, TYPES[audit->deed->type], audit->deed->id, audit_op_name(write->op));
}

/* What is acknowledged and held by nobody was lost by a disk that was changed: other losses end the run at once.  What
 * somebody holds, all hold who should (auditor_settled), and show it (audit_listing.c). */
void audit_deeds_check_end(struct auditor *auditor)
{
    auditor->figures.excused = 0;
    for (size_t i = 0; i < auditor->deeds.count; i++) {
        const struct audit_deed *audit = auditor->deeds.entries[i].value;
        if (audit->done == 0 && audit->asked > 0 && audit->asked == audit->refused)
            check_refused(auditor, audit);
        bool there = find_write(auditor, audit, UINT32_MAX, 0) != NULL ||
                     (!is_fact(audit->deed) && says_the_same(auditor, audit, UINT32_MAX));
        auditor->figures.excused += audit->done > 0 && !there;
    }
}
