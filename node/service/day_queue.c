/* Who came to a hall on a day: its queue, how long they waited, and who had an appointment. */
#include "node/service/day_report.h"
#include "node/service/queues.h"
#include "node/service/slots.h"

#include <stdlib.h>
#include <string.h>

#define TICKETS_MAX 20000 /* that are looked at, as by the queue's figures */
#define SLOTS_MAX   1000

/* ---- the queue ---- */

struct waits {
    struct hs_day_report *report;
    uint64_t *list;
    size_t count;
};

static void add_one(void *ctx, struct hs_queued *queued)
{
    struct waits *waits = ctx;
    Hallsync__DayReportReply *reply = &waits->report->reply;
    enum hs_queue_state state = queued->fold.state;
    reply->queue_printed++;
    reply->queue_served += state == HS_QUEUE_SERVED;
    reply->queue_skipped += state == HS_QUEUE_SKIPPED;
    reply->queue_left += state == HS_QUEUE_LEFT;
    reply->queue_waiting += state == HS_QUEUE_WAITING || state == HS_QUEUE_CALLED || state == HS_QUEUE_SERVING;
    if (queued->fold.first_called == 0)
        return;
    uint64_t taken = hs_stamp_ms(queued->taken), called = hs_stamp_ms(queued->fold.first_called);
    waits->list[waits->count++] = called > taken ? called - taken : 0;
}

static int compare_waits(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* So many of a hundred waited no longer. */
static uint64_t longest_of(const struct waits *waits, size_t percent)
{
    return waits->list[(waits->count * percent + 99) / 100 - 1];
}

static void show_waits(struct waits *waits)
{
    Hallsync__DayReportReply *reply = &waits->report->reply;
    uint64_t sum = 0;
    if (waits->count == 0)
        return;
    qsort(waits->list, waits->count, sizeof *waits->list, compare_waits);
    for (size_t i = 0; i < waits->count; i++)
        sum += waits->list[i];
    reply->has_wait_ms = reply->has_wait_median_ms = reply->has_wait_90_ms = reply->has_wait_most_ms = true;
    reply->wait_ms = sum / waits->count;
    reply->wait_median_ms = longest_of(waits, 50);
    reply->wait_90_ms = longest_of(waits, 90);
    reply->wait_most_ms = longest_of(waits, 100);
}

enum hs_err hs_day_queue(struct hs_day_report *report)
{
    char text[HS_DATE_TEXT_BYTES];
    const char *date = hs_queue_date(report->date, text);
    struct hs_look look = {.desk = report->call->desk, .view = report->view};
    struct waits waits = {.report = report, .list = hs_arena_array(report->arena, TICKETS_MAX, sizeof *waits.list)};
    struct hs_queue_wanted wanted = {.index = "date",
                                     .value = HS_BYTES(date, strlen(date)),
                                     .then = report->hall,
                                     .hall = report->hall,
                                     .most = TICKETS_MAX};
    if (waits.list == NULL)
        return HS_ENOMEM;
    enum hs_err err = hs_queued_visit(&look, &wanted, report->one, add_one, &waits);
    report->cut = report->cut || err == HS_EEXISTS;
    if (err != HS_OK && err != HS_EEXISTS)
        return err;
    show_waits(&waits);
    return HS_OK;
}

/* ---- appointments ---- */

struct slots {
    struct hs_day_report *report;
    size_t count;
};

static enum hs_err take_slot(void *ctx, const struct hs_stored *stored)
{
    struct slots *slots = ctx;
    struct hs_day_report *report = slots->report;
    Hallsync__DayReportReply *reply = &report->reply;
    struct hs_look look = {.desk = report->call->desk, .view = report->view, .arena = report->one};
    struct hs_slot slot;
    if (stored->name.partition != report->home)
        return HS_OK;
    report->cut = report->cut || slots->count == SLOTS_MAX;
    if (slots->count == SLOTS_MAX)
        return HS_EEXISTS;
    slots->count++;
    hs_arena_reset(report->one);
    enum hs_err err = hs_slot_load(&look, stored->name.partition, stored->name.id, report->one, &slot);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err;
    reply->appointments_booked += slot.taken;
    for (size_t i = 0; i < slot.asked.booking_count; i++) {
        enum hs_booking_state state = slot.asked.bookings[i].state;
        reply->appointments_kept += state == HS_BOOKING_KEPT;
        reply->appointments_missed += state == HS_BOOKING_MISSED;
        reply->appointments_cancelled += state == HS_BOOKING_CANCELLED;
    }
    return HS_OK;
}

enum hs_err hs_day_bookings(struct hs_day_report *report)
{
    char text[HS_DATE_TEXT_BYTES];
    const char *date = hs_queue_date(report->date, text);
    struct slots slots = {.report = report};
    struct hs_buf key = {0};
    uint8_t index = hs_kind_index(hs_kind_by_number(HS_KIND_SLOT), "hall")->number;
    hs_index_pair(&key, report->hall, HS_BYTES(date, strlen(date)));
    enum hs_err err = key.err;
    if (err == HS_OK)
        err = hs_view_index(report->view, HS_KIND_SLOT, index, hs_buf_bytes(&key), HS_BYTES_NONE, take_slot, &slots);
    hs_buf_fini(&key);
    return err == HS_EEXISTS ? HS_OK : err;
}
