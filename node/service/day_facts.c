/* What a hall's people did on a day besides money: found by who wrote it and when.  And the tickets that are late. */
#include "node/service/day_report.h"
#include "node/service/put.h"
#include "node/service/show.h"
#include "node/service/tickets.h"

#include "proto/msg/tlv.h"
#include "storage/model/reminder.h"

#include <string.h>

#define FACTS_MAX   100000 /* of a kind and day, that are looked at */
#define TICKETS_MAX 10000  /* open ones of a district, that are looked at */
#define SCORES      5

enum { REPRINT_REPLACED = 5, EVENT_TICKET = 2, EVENT_STATE = 3, REMINDER_RESULT = 6, RATING_SCORE = 4, RATING_WINDOW };

struct facts {
    struct hs_day_report *report;
    enum hs_err (*take)(struct hs_day_report *report, const struct hs_stored *stored, struct hs_bytes message);
    size_t count;
};

static bool is(struct hs_bytes text, const char *other)
{
    return hs_bytes_equal(text, HS_BYTES(other, strlen(other)));
}

/* ---- each kind ---- */

static enum hs_err take_reprint(struct hs_day_report *report, const struct hs_stored *stored, struct hs_bytes message)
{
    (void)stored;
    report->reply.reprints++;
    report->reply.replaced += is(hs_tlv_bytes(message, REPRINT_REPLACED), "yes");
    return HS_OK;
}

/* The first event of a ticket has an id of its own; that it was resolved counts only where it could be. */
static enum hs_err take_event(struct hs_day_report *report, const struct hs_stored *stored, struct hs_bytes message)
{
    struct hs_bytes state = hs_tlv_bytes(message, EVENT_STATE);
    struct hs_id opening;
    hs_id_made("hallsync opening 1", hs_tlv_bytes(message, EVENT_TICKET), &opening);
    if (hs_bytes_equal(HS_BYTES(opening.bytes, sizeof opening.bytes), stored->name.id))
        report->reply.tickets_opened++;
    else if (is(state, hs_ticket_state_text(HS_TICKET_RESOLVED)) &&
             !hs_view_listed(report->view, HS_LIST_EVENT, &stored->name))
        report->reply.tickets_resolved++;
    return HS_OK;
}

static enum hs_err take_reminder(struct hs_day_report *report, const struct hs_stored *stored, struct hs_bytes message)
{
    struct hs_bytes result = hs_tlv_bytes(message, REMINDER_RESULT);
    (void)stored;
    report->reply.reminders_told += is(result, "told");
    report->reply.reminders_absent += is(result, "absent");
    report->reply.reminders_wrong += is(result, "wrong_number");
    return HS_OK;
}

static enum hs_err take_rating(struct hs_day_report *report, const struct hs_stored *stored, struct hs_bytes message)
{
    Hallsync__DayReportReply *reply = &report->reply;
    uint64_t score = hs_tlv_u64(message, RATING_SCORE, 0);
    struct hs_tlv number;
    (void)stored;
    if (score == 0 || score > SCORES)
        return HS_OK;
    reply->ratings++;
    reply->rating_sum += score;
    reply->scores[score - 1]++;
    if (!hs_tlv_find(message, RATING_WINDOW, &number))
        return HS_OK;
    Hallsync__DayWindow *window = hs_day_window(report, (uint32_t)number.value);
    if (window == NULL)
        return report->cut ? HS_OK : HS_ENOMEM;
    window->ratings++;
    window->rating_sum += score;
    return HS_OK;
}

/* ---- all of a day ---- */

static enum hs_err take_fact(void *ctx, const struct hs_stored *stored)
{
    struct facts *facts = ctx;
    const struct hs_variant *variant;
    if (facts->count == FACTS_MAX) {
        facts->report->cut = true;
        return HS_EEXISTS;
    }
    facts->count++;
    hs_arena_reset(facts->report->one);
    enum hs_err err = hs_fact_variant(stored, facts->report->one, &variant);
    if (err != HS_OK || !hs_day_is_today(facts->report, variant->stamp))
        return err == HS_ENOTFOUND ? HS_OK : err;
    return facts->take(facts->report, stored, variant->bytes);
}

/* A local day lies in two days of UTC, or in one. */
static void utc_days(const struct hs_day_report *report, uint32_t days[static 2])
{
    int offset = report->call->desk->options.utc_offset_minutes;
    days[0] = offset > 0 ? hs_date_before(report->date, 1) : report->date;
    days[1] = offset < 0 ? hs_day_after(report->date) : report->date;
}

static enum hs_err take_all(struct hs_day_report *report, uint16_t kind, struct facts *facts)
{
    uint8_t index = hs_kind_index(hs_kind_by_number(kind), HS_WRITTEN)->number;
    enum hs_err err = HS_OK;
    uint32_t days[2];
    utc_days(report, days);
    for (size_t i = 0; i < report->origin_count && err == HS_OK; i++) {
        for (size_t day = 0; day < (days[0] == days[1] ? 1 : 2) && err == HS_OK; day++) {
            char key[HS_WRITTEN_BYTES];
            hs_written_text(report->origins[i], days[day], key);
            err = hs_view_index(report->view, kind, index, HS_BYTES(key, HS_WRITTEN_BYTES - 1), HS_BYTES_NONE,
                                take_fact, facts);
        }
    }
    return err == HS_EEXISTS ? HS_OK : err;
}

enum hs_err hs_day_facts(struct hs_day_report *report)
{
    static const struct {
        uint16_t kind;
        enum hs_err (*take)(struct hs_day_report *report, const struct hs_stored *stored, struct hs_bytes message);
    } KINDS[] = {{HS_KIND_REPRINT, take_reprint},
                 {HS_KIND_TICKET_EVENT, take_event},
                 {HS_KIND_REMINDER, take_reminder},
                 {HS_KIND_RATING, take_rating}};
    enum hs_err err = HS_OK;
    report->reply.n_scores = SCORES;
    report->reply.scores = hs_arena_array(report->arena, SCORES, sizeof *report->reply.scores);
    if (report->reply.scores == NULL)
        return HS_ENOMEM;
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS && err == HS_OK; i++) {
        struct facts facts = {.report = report, .take = KINDS[i].take};
        err = take_all(report, KINDS[i].kind, &facts);
    }
    return err;
}

/* ---- tickets that are late ---- */

struct late {
    struct hs_day_report *report;
    size_t count;
};

/* HS_EEXISTS: the district's are over, or too many. */
static enum hs_err take_ticket(void *ctx, const struct hs_stored *stored)
{
    struct late *late = ctx;
    struct hs_day_report *report = late->report;
    struct hs_look look = {.desk = report->call->desk, .view = report->view, .arena = report->one};
    struct hs_show show = {.look = look, .arena = report->one};
    struct hs_bytes head;
    Hallsync__TicketState *state;
    if (stored->name.partition != report->home)
        return HS_EEXISTS;
    if (late->count == TICKETS_MAX) {
        report->cut = true;
        return HS_EEXISTS;
    }
    late->count++;
    hs_arena_reset(report->one);
    enum hs_err err = hs_look_message(&look, stored, &head);
    if (err == HS_OK)
        err = hs_show_ticket(&show, &stored->name, head, &state);
    if (err == HS_OK)
        report->reply.tickets_overdue += state->has_overdue && state->overdue;
    return err;
}

enum hs_err hs_day_overdue(struct hs_day_report *report)
{
    uint8_t index = hs_kind_index(hs_kind_by_number(HS_KIND_TICKET), "state")->number;
    struct late late = {.report = report};
    /* One before the first ticket of the district. */
    struct hs_record_name first = {report->home, HS_LANE_WORK, HS_KIND_TICKET, HS_BYTES("\0", 1)};
    uint8_t after[HS_RECORD_KEY_BYTES_MAX];
    size_t size = hs_record_key(&first, after);
    enum hs_err err = HS_OK;
    for (enum hs_ticket_state state = HS_TICKET_OPEN; state < HS_TICKET_STATE_COUNT && err == HS_OK; state++) {
        const char *text = hs_ticket_state_text(state);
        if (!hs_ticket_is_open(state))
            continue;
        err = hs_view_index(report->view, HS_KIND_TICKET, index, HS_BYTES(text, strlen(text)), HS_BYTES(after, size),
                            take_ticket, &late);
        err = err == HS_EEXISTS ? HS_OK : err;
    }
    return err;
}
