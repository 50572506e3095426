/* Calls that wait for something to happen: a commit, or word that all is synced. */
#include "node/service/call.h"

#include <limits.h>

/* Between two looks of the watchers at the store: each look makes the writer commit the records, which is not to happen
 * for every payment of a busy hour. */
#define WATCH_PAUSE_MS 5

static bool watches(const struct hs_call *call)
{
    return call->row->read != NULL && call->asking != HS_ASKING_NOW;
}

enum hs_err hs_park(struct hs_call *call)
{
    struct hs_desk *desk = call->desk;
    if (desk->parked_count >= HS_PARKED_MAX)
        return hs_fail(HS_EBUSY, &call->why, "%d requests wait for something to happen already", HS_PARKED_MAX);
    call->waited = true;
    call->next = desk->parked;
    desk->parked = call;
    desk->parked_count++;
    if (watches(call))
        atomic_fetch_add(&desk->watching, 1);
    return HS_OK;
}

static void unpark(struct hs_desk *desk, struct hs_call **link)
{
    struct hs_call *call = *link;
    *link = call->next;
    desk->parked_count--;
    if (watches(call))
        atomic_fetch_sub(&desk->watching, 1);
}

struct hs_call *hs_park_asking(struct hs_desk *desk, uint64_t token)
{
    for (struct hs_call **link = &desk->parked; *link != NULL; link = &(*link)->next) {
        struct hs_call *call = *link;
        if (call->asking != HS_ASKING_NOW || call->token != token)
            continue;
        unpark(desk, link);
        return call;
    }
    return NULL;
}

/* @view: NULL if there is nothing new to look at.  True: the call has its answer, call->err. */
static bool look_again(struct hs_call *call, struct hs_view *view, uint64_t now)
{
    if (view != NULL && watches(call)) {
        call->parked = false;
        call->err = call->row->read(call, view);
        if (!call->parked)
            return true;
    }
    if (now < call->deadline_tick)
        return false;
    call->err = HS_OK;
    call->row->late(call);
    return true;
}

static struct hs_view *new_view(struct hs_desk *desk, uint64_t now)
{
    struct hs_view *view = NULL;
    if (atomic_exchange(&desk->committed, false))
        desk->changed = true;
    if (!desk->changed || now < desk->watch_tick || atomic_load(&desk->watching) == 0)
        return NULL;
    desk->watch_tick = now + WATCH_PAUSE_MS;
    if (desk->watch_from == 0)
        desk->watch_from = hs_store_position(desk->options.store).commit;
    if (hs_view_open(desk->options.store, desk->watch_from, 0, &view) != HS_OK)
        return NULL; /* the flush has been asked for: they look again after the pause */
    /* What was committed while the records were brought up to date: it has been noted once, and is not in the view. */
    desk->changed = hs_view_position(view).commit < hs_store_position(desk->options.store).commit;
    desk->watch_from = 0;
    return view;
}

void hs_park_look(struct hs_desk *desk)
{
    uint64_t now = hs_tick_ms();
    struct hs_view *view = new_view(desk, now);
    struct hs_call **link = &desk->parked;
    while (*link != NULL) {
        struct hs_call *call = *link;
        if (call->asking == HS_ASKING_NOW && now >= call->deadline_tick) {
            unpark(desk, link);
            hs_ask_late(call);
            hs_request_again(call);
        } else if (call->asking != HS_ASKING_NOW && look_again(call, view, now)) {
            unpark(desk, link);
            hs_call_answer(call, call->err);
        } else {
            link = &call->next;
        }
    }
    hs_view_close(view);
}

int hs_park_timeout_ms(const struct hs_desk *desk)
{
    uint64_t until = UINT64_MAX;
    for (const struct hs_call *call = desk->parked; call != NULL; call = call->next)
        until = call->deadline_tick < until ? call->deadline_tick : until;
    if (desk->changed && desk->watch_tick < until && atomic_load(&desk->watching) > 0)
        until = desk->watch_tick;
    if (until == UINT64_MAX)
        return -1;
    uint64_t now = hs_tick_ms();
    uint64_t left = until > now ? until - now : 0;
    return left < INT_MAX ? (int)left : INT_MAX;
}

void hs_park_probed(struct hs_desk *desk, uint64_t token)
{
    for (struct hs_call **link = &desk->parked; *link != NULL; link = &(*link)->next) {
        struct hs_call *call = *link;
        if (call->token != token || watches(call))
            continue;
        unpark(desk, link);
        call->err = call->row->park(call);
        hs_call_answer(call, call->err);
        return;
    }
}

void hs_park_end(struct hs_desk *desk)
{
    while (desk->parked != NULL) {
        struct hs_call *call = desk->parked;
        bool watched = watches(call);
        unpark(desk, &desk->parked);
        if (call->asking == HS_ASKING_NOW)
            hs_ask_late(call);
        else
            call->row->late(call);
        /* Nothing new came so far: true.  It is not synced, or nowhere: not known. */
        hs_call_answer(call, watched ? HS_OK : HS_ESTOPPING);
    }
}
