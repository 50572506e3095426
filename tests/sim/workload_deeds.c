/* workload_deeds.c -- who, what, how much: all by chance. */
#include "tests/sim/workload_inside.h"

#include "storage/model/kinds.h"

#include <inttypes.h>
#include <stdio.h>

#define NOTE_BYTES          2048
#define TEXT(array, number) array[(number) % (sizeof(array) / sizeof *(array))]

static uint64_t below(struct workload *workload, uint64_t bound)
{
    return sim_below(&workload->random, bound);
}

/* ---- whom it concerns ---- */

static bool holds(const struct sim_machine *machine, hs_partition partition)
{
    return hs_certificate_scope(&machine->certificate, partition);
}

static hs_partition district_for(struct workload *workload, const struct sim_machine *machine)
{
    bool foreign = sim_chance(&workload->random, workload->knobs.foreign);
    for (unsigned i = 0; i < 16; i++) {
        hs_partition district = workload->districts[below(workload, workload->district_count)];
        if (holds(machine, district) != foreign)
            return district;
    }
    return workload->districts[0];
}

static void draw_account(struct workload *workload, const struct sim_machine *machine,
                         char account[static HS_ACCOUNT_DIGITS + 1])
{
    unsigned number = (unsigned)below(workload, workload->knobs.accounts) + 1;
    snprintf(account, HS_ACCOUNT_DIGITS + 1, "%04u%06u", (unsigned)district_for(workload, machine) % 10000,
             number % 1000000);
}

/* An id of 128 bits, or now and then a text, which stands for one. */
static void draw_id(struct workload *workload, char id[static DEED_ID_BYTES])
{
    if (sim_chance(&workload->random, workload->knobs.text_ids))
        snprintf(id, DEED_ID_BYTES, "K-%" PRIu64, below(workload, 1000000000000));
    else
        snprintf(id, DEED_ID_BYTES, "%016" PRIx64 "%016" PRIx64, sim_draw(&workload->random),
                 sim_draw(&workload->random));
}

/* What a clerk writes: some of it, of the length that this day has. */
static const char *draw_note(struct workload *workload, char note[static NOTE_BYTES])
{
    unsigned size = 1 + (unsigned)below(workload, workload->knobs.note_bytes);
    for (unsigned at = 0; at < size; at += 16)
        snprintf(note + at, NOTE_BYTES - at, "%016" PRIx64, sim_draw(&workload->random));
    note[size] = '\0';
    return note;
}

/* ---- customers ---- */

static const char *const NAMES[] = {"Wang Fang", "Li Wei", "Zhang Min", "Liu Yang", "王秀英", "陈静"};
static const char *const STATUS[] = {"on", "off", "closed"};

static struct deed *write_customer(struct workload *workload, const char *account, bool all, struct deed_fields fields)
{
    char name[40], phone[40], remark[NOTE_BYTES];
    uint64_t which = all ? 7 : 1 + below(workload, 7);
    bool remarks = below(workload, 3) == 0;
    snprintf(name, sizeof name, "%s %u", TEXT(NAMES, below(workload, 6)), (unsigned)below(workload, 100));
    snprintf(phone, sizeof phone, "139%08u", (unsigned)below(workload, 100000000));
    fields.name = which & 1 ? name : NULL;
    fields.phone = which & 2 ? phone : NULL;
    fields.remark = remarks ? draw_note(workload, remark) : NULL;
    fields.supply_status = which & 4 ? TEXT(STATUS, below(workload, 3)) : NULL;
    return deed_customer(&workload->random, account, &fields);
}

static struct deed *new_customer(struct workload *workload, struct sim_machine *machine, const char *source)
{
    char account[HS_ACCOUNT_DIGITS + 1];
    draw_account(workload, machine, account);
    return write_customer(workload, account, true, (struct deed_fields){.source = source});
}

static struct deed *edit_customer(struct workload *workload, const Hallsync__Reply *shown)
{
    const struct deed *known = pool_any(workload, &workload->customers);
    if (shown != NULL && shown->body_case == HALLSYNC__REPLY__BODY_RECORDS && shown->records->n_records == 1) {
        const Hallsync__Record *record = shown->records->records[0];
        return write_customer(workload, record->id, false, (struct deed_fields){.shown = record});
    }
    return known == NULL ? NULL : write_customer(workload, known->account, false, (struct deed_fields){0});
}

/* ---- bills and payments ---- */

static struct deed *make_bill(struct workload *workload, struct sim_machine *machine)
{
    char id[DEED_ID_BYTES], account[HS_ACCOUNT_DIGITS + 1], period[8];
    unsigned month = 1 + (unsigned)below(workload, 12);
    draw_account(workload, machine, account);
    snprintf(period, sizeof period, "2026-%02u", month);
    snprintf(id, sizeof id, "B-%s-%02u", account, month);
    return deed_bill(&workload->random, id, account, period, 100 + (int64_t)below(workload, 30000));
}

static uint32_t draw_window(struct workload *workload)
{
    return 1 + (uint32_t)below(workload, 3);
}

/* The bill, one that nobody has made, and a rest. */
static struct deed *pay_parts(struct workload *workload, const char *id, const struct deed *bill, uint32_t window)
{
    char unmade[DEED_ID_BYTES];
    snprintf(unmade, sizeof unmade, "B-%s-99", bill->account);
    const char *const bills[2] = {bill->id, unmade};
    const int64_t parts[2] = {bill->amount_fen, 1 + (int64_t)below(workload, 50)};
    int64_t rest = (int64_t)below(workload, 3) * 10;
    return deed_payment_parts(&workload->random, id, bill->account, parts[0] + parts[1] + rest, bills, parts, window);
}

/* Few cards and counters: halls that do not hear of each other do the same ones. */
static struct deed *top_up(struct workload *workload, struct sim_machine *machine, const char *id, uint32_t window)
{
    char account[HS_ACCOUNT_DIGITS + 1], card[16];
    draw_account(workload, machine, account);
    snprintf(card, sizeof card, "E-%u", (unsigned)below(workload, 2));
    return deed_topup(&workload->random, id, account, 5000 + (int64_t)below(workload, 50), card,
                      1 + (uint32_t)below(workload, 6), window);
}

static struct deed *pay(struct workload *workload, struct sim_machine *machine)
{
    const struct deed *bill = below(workload, 3) == 0 ? NULL : pool_any(workload, &workload->bills);
    char id[DEED_ID_BYTES], account[HS_ACCOUNT_DIGITS + 1];
    uint32_t window = draw_window(workload);
    draw_id(workload, id);
    if (bill != NULL && below(workload, 4) == 0)
        return pay_parts(workload, id, bill, window);
    if (bill == NULL && below(workload, 3) == 0)
        return top_up(workload, machine, id, window);
    if (bill != NULL) {
        int64_t amount = below(workload, 3) == 0 ? 1 + bill->amount_fen / 2 : bill->amount_fen;
        return deed_payment(&workload->random, id, bill->account, amount, bill->id, window);
    }
    draw_account(workload, machine, account);
    return deed_payment(&workload->random, id, account, 100 + (int64_t)below(workload, 50000), "", window);
}

static struct deed *pay_twice(struct workload *workload)
{
    const struct deed *first = pool_any(workload, &workload->payments);
    char id[DEED_ID_BYTES];
    if (first == NULL)
        return NULL;
    draw_id(workload, id);
    return deed_payment(&workload->random, id, first->account, first->amount_fen, first->other, draw_window(workload));
}

static struct deed *same_id(struct workload *workload)
{
    const struct deed *first = pool_any(workload, &workload->payments);
    if (first == NULL)
        return NULL;
    int64_t amount = first->amount_fen + 1 + (int64_t)below(workload, 100);
    return deed_payment(&workload->random, first->id, first->account, amount, first->other, draw_window(workload));
}

static struct deed *reverse(struct workload *workload)
{
    const struct deed *payment = pool_any(workload, &workload->payments);
    char id[DEED_ID_BYTES];
    if (payment == NULL)
        return NULL;
    draw_id(workload, id);
    return deed_reversal(&workload->random, id, payment, draw_window(workload));
}

/* ---- tickets ---- */

static const char *const SERVICES[] = {"outage-report", "reconnection", "name-change"};
static const char *const STATES[] = {"accepted", "assigned", "working",     "waiting",
                                     "resolved", "working",  "called_back", "archived"};

static struct deed *open_ticket(struct workload *workload, struct sim_machine *machine)
{
    char id[DEED_ID_BYTES], account[HS_ACCOUNT_DIGITS + 1];
    draw_id(workload, id);
    draw_account(workload, machine, account);
    return deed_ticket(&workload->random, id, account, TEXT(SERVICES, below(workload, 3)));
}

static struct deed *move_ticket(struct workload *workload)
{
    const struct deed *ticket = pool_any(workload, &workload->tickets);
    char id[DEED_ID_BYTES];
    if (ticket == NULL)
        return NULL;
    draw_id(workload, id);
    const char *state = TEXT(STATES, below(workload, 8));
    bool only_note = below(workload, 4) == 0, assigns = below(workload, 3) == 0;
    char note[NOTE_BYTES];
    draw_note(workload, note);
    return deed_event(&workload->random, id, ticket, only_note ? NULL : state, only_note || assigns ? note : NULL,
                      assigns ? "team-3" : NULL);
}

/* ---- conflicts, and what a newer version knows ---- */

static struct deed *resolve(struct workload *workload, const Hallsync__Reply *shown)
{
    if (shown == NULL || shown->body_case != HALLSYNC__REPLY__BODY_CONFLICTS || shown->conflicts->n_conflicts == 0)
        return NULL;
    size_t chosen = (size_t)below(workload, shown->conflicts->n_conflicts);
    return deed_resolve(&workload->random, shown->conflicts->conflicts[chosen]);
}

static struct deed *newer(struct workload *workload, struct sim_machine *machine)
{
    static const uint16_t KINDS[] = {HS_KIND_CUSTOMER, DEED_NEWER_FACT, DEED_NEWER_REGISTER};
    char id[DEED_ID_BYTES], account[HS_ACCOUNT_DIGITS + 1];
    uint16_t kind = TEXT(KINDS, below(workload, 3));
    uint8_t value = (uint8_t)(1 + below(workload, 100));
    draw_account(workload, machine, account);
    if (kind == HS_KIND_CUSTOMER)
        snprintf(id, sizeof id, "%s", account);
    else
        snprintf(id, sizeof id, "newer-%u", (unsigned)below(workload, kind == DEED_NEWER_FACT ? 1000000 : 5));
    return deed_newer(&workload->random, kind, id, account, value);
}

/* ---- choosing ---- */

bool workload_look(struct workload *workload, struct sim_machine *machine, enum workload_action action,
                   const uint8_t id[static 16], struct hs_buf *to)
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    Hallsync__GetRequest get = HALLSYNC__GET_REQUEST__INIT;
    Hallsync__ConflictsRequest conflicts = HALLSYNC__CONFLICTS_REQUEST__INIT;
    char type[] = "field", account[HS_ACCOUNT_DIGITS + 1];
    if (action == WORKLOAD_RESOLVE) {
        conflicts.type = type;
        conflicts.has_limit = true;
        conflicts.limit = 5;
        request.body_case = HALLSYNC__REQUEST__BODY_CONFLICTS;
        request.conflicts = &conflicts;
    } else if (action == WORKLOAD_EDIT_CUSTOMER && sim_chance(&workload->random, workload->knobs.seen)) {
        draw_account(workload, machine, account);
        get.kind = HS_KIND_CUSTOMER;
        get.id = account;
        request.body_case = HALLSYNC__REQUEST__BODY_GET;
        request.get = &get;
    } else {
        return false;
    }
    deed_look(id, &request, to);
    return true;
}

struct deed *workload_make(struct workload *workload, struct sim_machine *machine, enum workload_action action,
                           const Hallsync__Reply *shown)
{
    switch (action) {
    case WORKLOAD_NEW_CUSTOMER:
        return new_customer(workload, machine, NULL);
    case WORKLOAD_EDIT_CUSTOMER:
        return edit_customer(workload, shown);
    case WORKLOAD_IMPORT:
        return new_customer(workload, machine, "marketing");
    case WORKLOAD_BILL:
        return make_bill(workload, machine);
    case WORKLOAD_PAY:
        return pay(workload, machine);
    case WORKLOAD_PAY_TWICE:
        return pay_twice(workload);
    case WORKLOAD_SAME_ID:
        return same_id(workload);
    case WORKLOAD_REVERSE:
        return reverse(workload);
    case WORKLOAD_OPEN_TICKET:
        return open_ticket(workload, machine);
    case WORKLOAD_MOVE_TICKET:
        return move_ticket(workload);
    case WORKLOAD_RESOLVE:
        return resolve(workload, shown);
    case WORKLOAD_NEWER:
        return newer(workload, machine);
    case WORKLOAD_ACTION_COUNT:
        break;
    }
    return NULL;
}
