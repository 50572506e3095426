/* What a hall did on a business day, on one page: its parts are day_money.c, day_facts.c and day_queue.c. */
#include "node/service/day_report.h"
#include "node/service/handlers.h"
#include "node/service/queues.h"

#include "proto/base/text.h"
#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"

#include <stdlib.h>
#include <string.h>

#define ORIGINS_MAX 65536 /* lives of one node: five years of daily boots are 2,000 */
#define KEYS_MAX    1024  /* times that it was made anew */

enum { CERTIFICATE_NODE = 2, SIGNED_BODY = 1, NODE_ID = 1, NODE_HOME = 5 }; /* fields of keys.proto */

/* ---- the hall: its home and its origins ---- */

struct hall {
    struct hs_day_report *report;
    struct hs_key *keys;
    size_t count;
};

static enum hs_err take_certificate(void *ctx, struct hs_bytes key, struct hs_bytes value)
{
    struct hall *hall = ctx;
    struct hs_bytes body = hs_tlv_bytes(hs_tlv_bytes(value, CERTIFICATE_NODE), SIGNED_BODY);
    if (!hs_bytes_equal(hs_tlv_bytes(body, NODE_ID), hall->report->hall) || key.size != sizeof hall->keys->bytes)
        return HS_OK;
    if (hall->count == KEYS_MAX) {
        hall->report->cut = true;
        return HS_OK;
    }
    memcpy(hall->keys[hall->count++].bytes, key.data, key.size);
    hall->report->home = (hs_partition)hs_tlv_u64(body, NODE_HOME, HS_PARTITION_REGION);
    return HS_OK;
}

static bool has_key(const struct hall *hall, const struct hs_key *key)
{
    for (size_t i = 0; i < hall->count; i++) {
        if (memcmp(hall->keys[i].bytes, key->bytes, sizeof key->bytes) == 0)
            return true;
    }
    return false;
}

static enum hs_err take_origin(void *ctx, uint64_t origin, const struct hs_key *node_key)
{
    struct hall *hall = ctx;
    struct hs_day_report *report = hall->report;
    if (!has_key(hall, node_key))
        return HS_OK;
    if (report->origin_count == report->origin_room) {
        size_t room = report->origin_room == 0 ? 16 : 2 * report->origin_room;
        uint64_t *list = room <= ORIGINS_MAX ? hs_arena_array(report->arena, room, sizeof *list) : NULL;
        if (list == NULL)
            return HS_ENOMEM;
        if (report->origin_count > 0)
            memcpy(list, report->origins, report->origin_count * sizeof *list);
        report->origins = list;
        report->origin_room = room;
    }
    report->origins[report->origin_count++] = origin;
    return HS_OK;
}

static enum hs_err find_hall(struct hs_day_report *report)
{
    struct hall hall = {.report = report, .keys = hs_arena_array(report->arena, KEYS_MAX, sizeof *hall.keys)};
    if (hall.keys == NULL)
        return HS_ENOMEM;
    enum hs_err err = hs_view_certificates(report->view, take_certificate, &hall);
    if (err == HS_OK && hall.count == 0)
        return hs_fail(HS_ENOTFOUND, &report->call->why, "hall: no node %.*s is known here", (int)report->hall.size,
                       (const char *)report->hall.data);
    return err == HS_OK ? hs_view_origins(report->view, take_origin, &hall) : err;
}

/* ---- windows ---- */

Hallsync__DayWindow *hs_day_window(struct hs_day_report *report, uint32_t number)
{
    static char none[] = "open"; /* as a book that nobody has closed */
    for (size_t i = 0; i < report->reply.n_windows; i++) {
        if (report->windows[i]->window == number)
            return report->windows[i];
    }
    if (report->reply.n_windows == HS_BOOK_WINDOWS_MAX) {
        report->cut = true;
        return NULL;
    }
    Hallsync__DayWindow *window = hs_arena_alloc(report->arena, sizeof *window);
    if (window == NULL)
        return NULL;
    hallsync__day_window__init(window);
    window->window = number;
    window->books = none;
    report->windows[report->reply.n_windows++] = window;
    return window;
}

static int compare_windows(const void *a, const void *b)
{
    uint32_t left = (*(Hallsync__DayWindow *const *)a)->window, right = (*(Hallsync__DayWindow *const *)b)->window;
    return (left > right) - (left < right);
}

/* ---- the request ---- */

bool hs_day_is_today(const struct hs_day_report *report, hs_stamp stamp)
{
    return hs_date_of(hs_stamp_ms(stamp), report->call->desk->options.utc_offset_minutes) == report->date;
}

static bool is_whole(const struct hs_day_report *report)
{
    return !report->cut && hs_whole(report->call->desk, report->view, report->home) &&
           !hs_still_coming(report->view, HS_LANE_MONEY) && !hs_still_coming(report->view, HS_LANE_WORK) &&
           !hs_still_coming(report->view, HS_LANE_PEOPLE);
}

static enum hs_err fill(struct hs_day_report *report)
{
    enum hs_err (*const PARTS[])(struct hs_day_report *) = {find_hall,      hs_day_money, hs_day_facts,
                                                            hs_day_overdue, hs_day_queue, hs_day_bookings};
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS && err == HS_OK; i++)
        err = PARTS[i](report);
    return err;
}

static enum hs_err answer(struct hs_day_report *report)
{
    char text[HS_DATE_TEXT_BYTES];
    enum hs_err err = fill(report);
    if (err != HS_OK)
        return err;
    Hallsync__DayReportReply *reply = &report->reply;
    reply->date = (char *)(uintptr_t)hs_queue_date(report->date, text);
    reply->hall = hs_arena_text(report->arena, report->hall);
    if (reply->hall == NULL)
        return HS_ENOMEM;
    reply->has_complete = !is_whole(report);
    reply->windows = report->windows;
    if (reply->n_windows > 1)
        qsort(report->windows, reply->n_windows, sizeof(Hallsync__DayWindow *), compare_windows);
    hs_msg_pack(&reply->base, &report->call->body);
    return report->call->body.err;
}

enum hs_err hs_day_report_read(struct hs_call *call, struct hs_view *view)
{
    const Hallsync__DayReportRequest *asked = call->request->day_report;
    const char *hall = asked->hall != NULL ? asked->hall : hs_store_certificate(call->desk->options.store)->node_id;
    uint32_t today = hs_date_of(hs_now_ms(), call->desk->options.utc_offset_minutes);
    struct hs_arena one;
    if (asked->has_date && !hs_date_valid(asked->date))
        return hs_fail(HS_EVALUE, &call->why, "date: %u is not a day like 20261121", (unsigned)asked->date);
    if (!hs_node_id_valid(hall))
        return hs_fail(HS_EVALUE, &call->why, "hall: '%s' is not a node's id", hall);
    hs_arena_reset(&call->scratch);
    struct hs_day_report *report = hs_arena_alloc(&call->scratch, sizeof *report);
    if (report == NULL)
        return HS_ENOMEM;
    hs_arena_init(&one, 0);
    *report = (struct hs_day_report){.call = call,
                                     .view = view,
                                     .arena = &call->scratch,
                                     .one = &one,
                                     .hall = HS_BYTES(hall, strlen(hall)),
                                     .date = asked->has_date ? asked->date : today,
                                     .reply = HALLSYNC__DAY_REPORT_REPLY__INIT};
    enum hs_err err = answer(report);
    hs_arena_fini(&one);
    return err;
}
