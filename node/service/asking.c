/* Asking hubs about records of districts that this node does not hold.  A call waits, parked, until the answer is here
 * or will not come; then it is taken up from its beginning, with what there is. */
#include "node/service/call.h"

#include "storage/model/kinds.h"

#define ASK_WAIT_MS 7000 /* the replica has given up before */

/* ---- is it here? ---- */

bool hs_whole(const struct hs_desk *desk, struct hs_view *view, hs_partition partition)
{
    if (desk->options.hooks.ask == NULL)
        return hs_store_holds(desk->options.store, partition);
    return hs_view_whole(view, partition);
}

struct filling {
    uint8_t lane;
    bool found;
};

static enum hs_err look_at_fill(void *ctx, const struct hs_fill *fill)
{
    struct filling *filling = ctx;
    filling->found = filling->found || fill->lane == filling->lane;
    return HS_OK;
}

bool hs_still_coming(struct hs_view *view, enum hs_lane lane)
{
    struct filling filling = {.lane = (uint8_t)lane};
    return hs_view_fills(view, look_at_fill, &filling) != HS_OK || filling.found;
}

struct search {
    const struct hs_desk *desk;
    struct hs_view *view;
    bool found; /* in a district that is here */
};

static enum hs_err look_at(void *ctx, const struct hs_stored *stored)
{
    struct search *search = ctx;
    search->found = hs_whole(search->desk, search->view, stored->name.partition);
    return search->found ? HS_EEXISTS : HS_OK;
}

/* An id or a number stands for one record, or for the records of one: found here, it is not looked for elsewhere. */
static bool found_here(const struct hs_call *call, struct hs_view *view, const struct hs_ask *ask)
{
    struct search search = {.desk = call->desk, .view = view};
    struct hs_stored stored;
    if (ask->index != 0)
        hs_view_index(view, ask->kind, ask->index, ask->key, ask->after, look_at, &search);
    else if (hs_view_find(view, ask->kind, ask->key, &stored) == HS_OK)
        look_at(&search, &stored);
    return search.found;
}

/* What a hall keeps of its own windows is asked of others only by what names a thing: window 3 is in every hall. */
static bool may_be_elsewhere(const struct hs_kind *kind, const struct hs_index *index)
{
    if (index == NULL || kind->home_form != HS_HOME_NODE)
        return true;
    const struct hs_field_rule *rule = hs_kind_rule(kind, index->field);
    return rule->form == HS_FORM_ID || rule->form == HS_FORM_ACCOUNT || rule->form == HS_FORM_NODE;
}

bool hs_ask_wanted(const struct hs_call *call, struct hs_view *view, const struct hs_ask *ask)
{
    const struct hs_kind *kind = hs_kind_by_number(ask->kind);
    const struct hs_index *index = NULL;
    hs_partition partition;
    for (size_t i = 0; i < kind->index_count && index == NULL; i++) {
        if (kind->indexes[i].number == ask->index)
            index = &kind->indexes[i];
    }
    if (index != NULL && (index->field == 0 || !may_be_elsewhere(kind, index)))
        return false; /* what is to be done here: not what the region has to do */
    if (hs_kind_found_in(kind, index, ask->key, &partition))
        return !hs_whole(call->desk, view, partition);
    return !hs_store_holds_all(call->desk->options.store) && !found_here(call, view, ask);
}

/* ---- asking ---- */

static bool copy_ask(struct hs_call *call, const struct hs_ask *ask)
{
    call->ask = *ask;
    call->ask.key = hs_arena_copy(&call->arena, ask->key);
    call->ask.after = hs_arena_copy(&call->arena, ask->after);
    return call->ask.key.size == ask->key.size && call->ask.after.size == ask->after.size;
}

/* What was asked, and with what success. */
static bool asked(struct hs_call *call, enum hs_err err)
{
    call->asking = err == HS_OK ? HS_ASKING_NOW : HS_ASKING_OVER;
    call->foreign_err = err;
    call->deadline_tick = hs_tick_ms() + ASK_WAIT_MS;
    call->parked = err == HS_OK;
    return call->parked;
}

bool hs_ask_put(struct hs_call *call)
{
    const struct hs_service_hooks *hooks = &call->desk->options.hooks;
    if (hooks->ask == NULL)
        return asked(call, HS_ENOLINK);
    call->token = ++call->desk->next_token;
    return asked(call, hooks->ask(hooks->ctx, call->token, &call->ask));
}

bool hs_ask_node(struct hs_call *call, const char *node_id, struct hs_bytes record)
{
    const struct hs_service_hooks *hooks = &call->desk->options.hooks;
    if (hooks->ask_node == NULL)
        return asked(call, HS_EUNREACHABLE);
    call->token = ++call->desk->next_token;
    return asked(call, hooks->ask_node(hooks->ctx, call->token, node_id, record));
}

const struct hs_foreign *hs_ask_foreign(struct hs_call *call, const struct hs_ask *ask)
{
    if (call->asking == HS_ASKING_NOT) {
        if (!copy_ask(call, ask)) {
            call->asking = HS_ASKING_OVER;
            call->foreign_err = HS_ENOMEM;
        } else if (hs_ask_put(call)) {
            return NULL;
        }
    }
    return call->foreign != NULL ? call->foreign : hs_foreign_find(&call->desk->cache, ask);
}

enum hs_err hs_ask_fail(struct hs_call *call, const char *what)
{
    enum hs_err err = call->foreign_err != HS_OK ? call->foreign_err : HS_ENOLINK;
    if (err == HS_ENOLINK)
        return hs_fail(err, &call->why, "%s: %s", what, hs_err_text(err));
    return hs_fail(err, &call->why, "%s is not here; a hub was to say, and: %s", what, hs_err_text(err));
}

/* ---- answers ---- */

void hs_ask_said(struct hs_desk *desk, uint64_t token, enum hs_err err, const struct hs_answer *answer)
{
    struct hs_foreign *foreign = hs_foreign_new(token, err, answer);
    if (foreign == NULL)
        return; /* the one who waits gives up by his time */
    pthread_mutex_lock(&desk->lock);
    bool open = !desk->closed;
    if (open) {
        foreign->next = desk->said;
        desk->said = foreign;
    }
    pthread_mutex_unlock(&desk->lock);
    if (open)
        hs_desk_wake(desk);
    else
        hs_foreign_free(foreign);
}

static void take(struct hs_desk *desk, struct hs_foreign *foreign)
{
    struct hs_call *call = hs_park_asking(desk, foreign->token);
    enum hs_err err = foreign->err;
    if (call != NULL && err == HS_OK)
        err = hs_foreign_check(foreign);
    if (call == NULL || err != HS_OK) {
        hs_foreign_free(foreign);
        foreign = NULL;
    }
    if (call == NULL)
        return; /* he could not wait so long */
    if (foreign != NULL)
        foreign->ask = call->ask; /* the call's own, for as long as it lasts */
    call->foreign = foreign;
    call->foreign_err = err;
    call->asking = HS_ASKING_OVER;
    hs_request_again(call);
}

void hs_ask_collect(struct hs_desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    struct hs_foreign *said = desk->said;
    desk->said = NULL;
    pthread_mutex_unlock(&desk->lock);
    while (said != NULL) {
        struct hs_foreign *foreign = said;
        said = foreign->next;
        foreign->next = NULL;
        take(desk, foreign);
    }
}

void hs_ask_late(struct hs_call *call)
{
    const struct hs_service_hooks *hooks = &call->desk->options.hooks;
    call->asking = HS_ASKING_OVER;
    call->foreign_err = HS_ENOLINK;
    hooks->ask_end(hooks->ctx, call->token);
}
