/* Queue tickets: loaded with their events, found, and shown. */
#include "node/service/put.h"
#include "node/service/queues.h"

#include "proto/msg/tlv.h"
#include "proto/records.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TICKET_NUMBER = 2, TICKET_HALL = 4, TICKET_GROUP = 5 };
enum { EVENT_MOVE = 3, EVENT_WINDOW = 4, EVENT_CLERK = 5, EVENT_TO_WINDOW = 6, EVENT_TO_GROUP = 7, EVENT_NOTE = 10 };

const char *hs_queue_date(uint32_t date, char text[static HS_DATE_TEXT_BYTES])
{
    snprintf(text, HS_DATE_TEXT_BYTES, "%04u-%02u-%02u", date / 10000 % 10000, date / 100 % 100, date % 100);
    return text;
}

struct hs_bytes hs_queued_hall(const struct hs_queued *queued)
{
    return hs_tlv_bytes(queued->message, TICKET_HALL);
}

struct hs_bytes hs_queued_number(const struct hs_queued *queued)
{
    return hs_tlv_bytes(queued->message, TICKET_NUMBER);
}

struct hs_bytes hs_queued_group(const struct hs_queued *queued)
{
    return queued->fold.group.size != 0 ? queued->fold.group : hs_tlv_bytes(queued->message, TICKET_GROUP);
}

/* ---- one ---- */

struct gathering {
    struct hs_queued *queued;
    struct hs_arena *arena;
    struct hs_queue_event events[HS_QUEUE_EVENTS_MAX + 1]; /* most tickets have a few */
};

static enum hs_err gather_event(void *ctx, const struct hs_stored *stored)
{
    struct gathering *gathering = ctx;
    struct hs_queued *queued = gathering->queued;
    const struct hs_variant *variant;
    if (stored->name.partition != queued->name.partition || stored->name.id.size != HS_ID_BYTES)
        return HS_OK;
    enum hs_err err = hs_fact_variant(stored, gathering->arena, &variant);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err;
    struct hs_queue_event *event = &gathering->events[queued->event_count++];
    event->stamp = variant->stamp;
    memcpy(event->id.bytes, stored->name.id.data, sizeof event->id.bytes);
    event->message = hs_arena_copy(gathering->arena, variant->bytes);
    queued->highest = variant->stamp > queued->highest ? variant->stamp : queued->highest;
    if (event->message.size != variant->bytes.size)
        return HS_ENOMEM;
    return queued->event_count > HS_QUEUE_EVENTS_MAX ? HS_EEXISTS : HS_OK; /* it has left */
}

enum hs_err hs_queued_load(const struct hs_look *look, const struct hs_stored *stored, struct hs_arena *arena,
                           struct hs_queued *queued)
{
    struct gathering gathering = {.queued = queued, .arena = arena};
    const struct hs_variant *variant;
    *queued = (struct hs_queued){.name = stored->name};
    if (stored->name.id.size != HS_ID_BYTES)
        return HS_ENOTFOUND;
    enum hs_err err = hs_fact_variant(stored, arena, &variant);
    if (err != HS_OK)
        return err;
    memcpy(queued->id.bytes, stored->name.id.data, HS_ID_BYTES);
    queued->name.id = hs_arena_copy(arena, stored->name.id);
    queued->message = hs_arena_copy(arena, variant->bytes);
    queued->taken = queued->highest = variant->stamp;
    if (queued->name.id.size != HS_ID_BYTES || queued->message.size != variant->bytes.size)
        return HS_ENOMEM;
    struct hs_ask events = {.kind = HS_KIND_QUEUE_EVENT,
                            .index = hs_kind_index(hs_kind_by_number(HS_KIND_QUEUE_EVENT), "queue_id")->number,
                            .key = queued->name.id};
    err = hs_look_index(look, &events, gather_event, &gathering);
    if (err != HS_OK && err != HS_EEXISTS)
        return err;
    queued->events = hs_arena_array(arena, queued->event_count, sizeof *queued->events);
    if (queued->events == NULL)
        return HS_ENOMEM;
    if (queued->event_count > 0)
        memcpy(queued->events, gathering.events, queued->event_count * sizeof *queued->events);
    hs_queue_fold(queued->taken, queued->events, queued->event_count, &queued->fold);
    return HS_OK;
}

/* ---- several ---- */

struct finding {
    const struct hs_look *look;
    const struct hs_queue_wanted *wanted;
    struct hs_arena *arena;
    hs_visit_queued visit; /* NULL: all are kept */
    void *ctx;
    struct hs_queued *first;
    size_t count;
};

static enum hs_err find_one(void *ctx, const struct hs_stored *stored)
{
    struct finding *finding = ctx;
    if (finding->count == finding->wanted->most)
        return HS_EEXISTS;
    if (finding->visit != NULL)
        hs_arena_reset(finding->arena);
    struct hs_queued *queued = hs_arena_alloc(finding->arena, sizeof *queued);
    if (queued == NULL)
        return HS_ENOMEM;
    enum hs_err err = hs_queued_load(finding->look, stored, finding->arena, queued);
    if (err != HS_OK || !hs_bytes_equal(hs_queued_hall(queued), finding->wanted->hall))
        return err == HS_ENOTFOUND ? HS_OK : err;
    finding->count++;
    if (finding->visit != NULL) {
        finding->visit(finding->ctx, queued);
    } else {
        queued->next = finding->first;
        finding->first = queued;
    }
    return HS_OK;
}

static enum hs_err find(struct finding *finding)
{
    struct hs_buf key = {0};
    hs_index_pair(&key, finding->wanted->value, finding->wanted->then);
    struct hs_ask ask = {
        .kind = HS_KIND_QUEUE_TICKET,
        .index = hs_kind_index(hs_kind_by_number(HS_KIND_QUEUE_TICKET), finding->wanted->index)->number,
        .key = hs_buf_bytes(&key)};
    enum hs_err err = key.err == HS_OK ? hs_look_index(finding->look, &ask, find_one, finding) : key.err;
    hs_buf_fini(&key);
    return err;
}

enum hs_err hs_queued_find(const struct hs_look *look, const struct hs_queue_wanted *wanted, struct hs_arena *arena,
                           struct hs_queued **first)
{
    struct finding finding = {.look = look, .wanted = wanted, .arena = arena};
    enum hs_err err = find(&finding);
    *first = finding.first;
    return err;
}

enum hs_err hs_queued_visit(const struct hs_look *look, const struct hs_queue_wanted *wanted, struct hs_arena *arena,
                            hs_visit_queued visit, void *ctx)
{
    struct finding finding = {.look = look, .wanted = wanted, .arena = arena, .visit = visit, .ctx = ctx};
    return find(&finding);
}

/* ---- shown ---- */

static char *text_of(struct hs_arena *arena, struct hs_bytes text)
{
    return text.size != 0 ? hs_arena_text(arena, text) : NULL;
}

static Hallsync__QueueStep *show_step(const struct hs_queue_event *event, struct hs_arena *arena)
{
    const struct hs_kind *kind = hs_kind_by_number(HS_KIND_QUEUE_EVENT);
    Hallsync__QueueStep *step = hs_arena_alloc(arena, sizeof *step);
    if (step == NULL)
        return NULL;
    hallsync__queue_step__init(step);
    step->event_id = hs_show_id(arena, kind, HS_BYTES(event->id.bytes, sizeof event->id.bytes), event->message);
    step->event = text_of(arena, hs_tlv_bytes(event->message, EVENT_MOVE));
    step->window = (uint32_t)hs_tlv_u64(event->message, EVENT_WINDOW, 0);
    step->has_window = step->window != 0;
    step->clerk = text_of(arena, hs_tlv_bytes(event->message, EVENT_CLERK));
    step->to_window = (uint32_t)hs_tlv_u64(event->message, EVENT_TO_WINDOW, 0);
    step->has_to_window = step->to_window != 0;
    step->to_group = text_of(arena, hs_tlv_bytes(event->message, EVENT_TO_GROUP));
    step->note = text_of(arena, hs_tlv_bytes(event->message, EVENT_NOTE));
    step->has_time_ms = true;
    step->time_ms = hs_stamp_ms(event->stamp);
    step->has_fits = true;
    step->fits = event->fits;
    return step->event_id != NULL ? step : NULL;
}

static enum hs_err show_steps(const struct hs_queued *queued, struct hs_arena *arena, Hallsync__QueueState *state)
{
    state->events = hs_arena_array(arena, queued->event_count, sizeof *state->events);
    if (state->events == NULL)
        return HS_ENOMEM;
    for (size_t i = 0; i < queued->event_count; i++) {
        Hallsync__QueueStep *step = show_step(&queued->events[i], arena);
        if (step == NULL)
            return HS_ENOMEM;
        state->events[state->n_events++] = step;
    }
    return HS_OK;
}

static void show_times(const struct hs_queued *queued, Hallsync__QueueState *state)
{
    const struct hs_queue_fold *fold = &queued->fold;
    state->has_taken_ms = true;
    state->taken_ms = hs_stamp_ms(queued->taken);
    state->has_called_ms = fold->first_called != 0;
    state->called_ms = hs_stamp_ms(fold->first_called);
    state->has_changed_ms = true;
    state->changed_ms = hs_stamp_ms(fold->since);
    state->has_calls = true;
    state->calls = fold->calls;
    state->has_waited_ms = fold->first_called != 0;
    state->waited_ms = fold->waited_ms;
    state->has_served_ms = fold->served_ms != 0;
    state->served_ms = fold->served_ms;
}

enum hs_err hs_queued_show(const struct hs_queued *queued, struct hs_arena *arena, bool detailed,
                           Hallsync__QueueState **shown)
{
    const struct hs_kind *kind = hs_kind_by_number(HS_KIND_QUEUE_TICKET);
    Hallsync__QueueState *state = hs_arena_alloc(arena, sizeof *state);
    if (state == NULL)
        return HS_ENOMEM;
    hallsync__queue_state__init(state);
    state->queue_id = hs_show_id(arena, kind, queued->name.id, queued->message);
    state->state = (char *)(uintptr_t)hs_queue_state_text(queued->fold.state);
    state->number = text_of(arena, hs_queued_number(queued));
    state->group = text_of(arena, hs_queued_group(queued));
    state->clerk = text_of(arena, queued->fold.clerk);
    state->window = queued->fold.window;
    state->has_window = state->window != 0;
    show_times(queued, state);
    *shown = state;
    if (state->queue_id == NULL)
        return HS_ENOMEM;
    return detailed ? show_steps(queued, arena, state) : HS_OK;
}
