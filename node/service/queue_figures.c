/* Waiting and serving times of a hall and day, by hour and by window. */
#include "node/service/handlers.h"
#include "node/service/lives.h"
#include "node/service/queues.h"

#include "proto/base/text.h"
#include "proto/msg/frame.h"

#include <string.h>

#define TICKETS_MAX 20000 /* that are looked at */

static Hallsync__QueueHour show_hour(const struct hs_queue_sums *sums)
{
    Hallsync__QueueHour hour = HALLSYNC__QUEUE_HOUR__INIT;
    hour.taken = sums->taken;
    hour.waiting = sums->waiting;
    hour.called = sums->called;
    hour.serving = sums->serving;
    hour.served = sums->served;
    hour.skipped = sums->skipped;
    hour.left = sums->left;
    hour.has_wait_ms = hour.has_wait_most_ms = sums->waits != 0;
    hour.wait_ms = sums->waits != 0 ? sums->wait_ms / sums->waits : 0;
    hour.wait_most_ms = sums->wait_most_ms;
    return hour;
}

static Hallsync__QueueWindow show_window(const struct hs_queue_window *window)
{
    Hallsync__QueueWindow shown = HALLSYNC__QUEUE_WINDOW__INIT;
    shown.window = window->window;
    shown.calls = window->calls;
    shown.recalls = window->recalls;
    shown.served = window->served;
    shown.skipped = window->skipped;
    shown.transferred = window->transferred;
    shown.has_serve_ms = shown.has_serve_most_ms = window->served != 0;
    shown.serve_ms = window->served != 0 ? window->serve_ms / window->served : 0;
    shown.serve_most_ms = window->serve_most_ms;
    return shown;
}

static void add_sums(struct hs_queue_sums *to, const struct hs_queue_sums *sums)
{
    to->taken += sums->taken;
    to->waiting += sums->waiting;
    to->called += sums->called;
    to->serving += sums->serving;
    to->served += sums->served;
    to->skipped += sums->skipped;
    to->left += sums->left;
    to->waits += sums->waits;
    to->wait_ms += sums->wait_ms;
    to->wait_most_ms = sums->wait_most_ms > to->wait_most_ms ? sums->wait_most_ms : to->wait_most_ms;
}

static enum hs_err put_hours(struct hs_call *call, const struct hs_queue_figures *figures,
                             Hallsync__QueueFiguresReply *reply)
{
    struct hs_queue_sums all = {0};
    Hallsync__QueueHour *hours = hs_arena_array(&call->scratch, HS_QUEUE_HOURS + 1, sizeof *hours);
    reply->hours = hs_arena_array(&call->scratch, HS_QUEUE_HOURS, sizeof *reply->hours);
    if (hours == NULL || reply->hours == NULL)
        return HS_ENOMEM;
    for (uint32_t i = 0; i < HS_QUEUE_HOURS; i++) {
        if (figures->hours[i].taken == 0)
            continue;
        hours[i] = show_hour(&figures->hours[i]);
        hours[i].has_hour = true;
        hours[i].hour = i;
        reply->hours[reply->n_hours++] = &hours[i];
        add_sums(&all, &figures->hours[i]);
    }
    hours[HS_QUEUE_HOURS] = show_hour(&all);
    reply->all = &hours[HS_QUEUE_HOURS];
    return HS_OK;
}

static enum hs_err put_windows(struct hs_call *call, const struct hs_queue_figures *figures,
                               Hallsync__QueueFiguresReply *reply)
{
    Hallsync__QueueWindow *windows = hs_arena_array(&call->scratch, figures->window_count, sizeof *windows);
    reply->windows = hs_arena_array(&call->scratch, figures->window_count, sizeof *reply->windows);
    if (windows == NULL || reply->windows == NULL)
        return HS_ENOMEM;
    for (size_t i = 0; i < figures->window_count; i++) {
        windows[i] = show_window(&figures->windows[i]);
        reply->windows[reply->n_windows++] = &windows[i];
    }
    return HS_OK;
}

struct adding {
    struct hs_queue_figures *figures;
    int utc_offset_minutes;
};

static void add_one(void *ctx, struct hs_queued *queued)
{
    struct adding *adding = ctx;
    hs_queue_figures_add(adding->figures, queued->taken, queued->events, queued->event_count,
                         adding->utc_offset_minutes);
}

static enum hs_err add_all(struct hs_call *call, struct hs_view *view, const char *date, const char *hall,
                           struct hs_queue_figures *figures)
{
    struct hs_look look = {.view = view};
    struct adding adding = {.figures = figures, .utc_offset_minutes = call->desk->options.utc_offset_minutes};
    struct hs_queue_wanted wanted = {.index = "date",
                                     .value = HS_BYTES(date, strlen(date)),
                                     .then = HS_BYTES(hall, strlen(hall)),
                                     .hall = HS_BYTES(hall, strlen(hall)),
                                     .most = TICKETS_MAX};
    struct hs_arena one;
    figures->windows = hs_arena_array(&call->scratch, HS_QUEUE_WINDOW_MAX + 1, sizeof *figures->windows);
    if (figures->windows == NULL)
        return HS_ENOMEM;
    hs_arena_init(&one, 0);
    enum hs_err err = hs_queued_visit(&look, &wanted, &one, add_one, &adding);
    hs_arena_fini(&one);
    return err;
}

enum hs_err hs_queue_figures_read(struct hs_call *call, struct hs_view *view)
{
    const Hallsync__QueueFiguresRequest *asked = call->request->queue_figures;
    const struct hs_certificate *own = hs_store_certificate(call->desk->options.store);
    const char *hall = asked->hall != NULL ? asked->hall : own->node_id;
    uint32_t date = asked->has_date ? asked->date : hs_date_of(hs_now_ms(), call->desk->options.utc_offset_minutes);
    Hallsync__QueueFiguresReply reply = HALLSYNC__QUEUE_FIGURES_REPLY__INIT;
    struct hs_queue_figures figures = {0};
    char text[HS_DATE_TEXT_BYTES];
    if (!hs_date_valid(date))
        return hs_fail(HS_EVALUE, &call->why, "date: %u is no day", (unsigned)date);
    if (!hs_node_id_valid(hall))
        return hs_fail(HS_EVALUE, &call->why, "hall: '%s' is not a node's id", hall);
    hs_arena_reset(&call->scratch);
    enum hs_err err = hs_hall_known(call, view, hall);
    if (err == HS_OK)
        err = add_all(call, view, hs_queue_date(date, text), hall, &figures);
    bool cut = err == HS_EEXISTS;
    if (err == HS_OK || cut)
        err = put_hours(call, &figures, &reply);
    if (err == HS_OK)
        err = put_windows(call, &figures, &reply);
    if (err != HS_OK)
        return err;
    reply.date = text;
    reply.hall = (char *)(uintptr_t)hall; /* only read: protobuf-c's members know no const */
    reply.has_complete = cut || hs_still_coming(view, HS_LANE_WORK);
    hs_msg_pack(&reply.base, &call->body);
    return HS_OK;
}
