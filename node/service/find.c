/* Looking up: one record by its id, or a page of those that an index finds. */
#include "node/service/handlers.h"
#include "node/service/show.h"

#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"

#include <stdio.h>
#include <string.h>

#define PAGE_RECORDS_DEFAULT 100
enum { REPLY_RECORDS = 1, REPLY_NEXT = 2, REPLY_COMPLETE = 3 };

static enum hs_err kind_of(struct hs_call *call, uint32_t number, const struct hs_kind **kind)
{
    *kind = hs_kind_by_number(number);
    return *kind != NULL ? HS_OK : hs_fail(HS_EKIND, &call->why, "there is no kind %u", (unsigned)number);
}

/* What is looked for, and where. */
struct looking {
    struct hs_call *call;
    struct hs_look look;
    bool one; /* somebody is looked up, and not all are listed */
    bool here_only;
    bool elsewhere; /* not all that there is of it is here */
};

static bool may_ask(const struct looking *looking)
{
    return !looking->here_only && looking->call->desk->options.hooks.ask != NULL;
}

/* Ask a hub, where it is of use; call->parked: not yet. */
static void look_round(struct looking *looking, const struct hs_ask *ask)
{
    struct hs_call *call = looking->call;
    looking->elsewhere = hs_ask_wanted(call, looking->look.view, ask);
    if (looking->elsewhere && may_ask(looking))
        looking->look.foreign = hs_ask_foreign(call, ask);
}

static bool nobody_said(const struct looking *looking)
{
    return looking->elsewhere && looking->look.foreign == NULL && may_ask(looking);
}

static enum hs_err add_record(const struct looking *looking, const struct hs_stored *stored, bool detailed)
{
    struct hs_call *call = looking->call;
    struct hs_show show = {.look = looking->look,
                           .arena = &call->scratch,
                           .detailed = detailed,
                           .notices = looking->one,
                           .counter = call->route.counter};
    Hallsync__Record *record;
    hs_arena_reset(&call->scratch);
    show.partial = looking->elsewhere && looking->look.foreign == NULL &&
                   !hs_whole(call->desk, looking->look.view, stored->name.partition);
    enum hs_err err = hs_show(&show, stored, &record);
    if (err != HS_OK)
        return err;
    hs_call_put(&call->body, REPLY_RECORDS, &record->base);
    return call->body.err;
}

static enum hs_err not_found(const struct looking *looking, const struct hs_kind *kind, const char *id)
{
    struct hs_call *call = looking->call;
    char what[HS_RECORD_ID_BYTES_MAX + 32];
    snprintf(what, sizeof what, "the %s %s", kind->name, id);
    if (nobody_said(looking))
        return hs_ask_fail(call, what);
    if (looking->look.foreign == NULL)
        return hs_fail(HS_ENOTFOUND, &call->why, "there is no %s %s here", kind->name, id);
    return hs_fail(HS_ENOTFOUND, &call->why, "there is no %s %s, here or at %s", kind->name, id,
                   looking->look.foreign->node);
}

enum hs_err hs_get_read(struct hs_call *call, struct hs_view *view)
{
    const Hallsync__GetRequest *get = call->request->get;
    struct looking looking = {.call = call,
                              .look = {.desk = call->desk, .view = view, .arena = &call->arena},
                              .one = true,
                              .here_only = get->has_here && get->here};
    const struct hs_kind *kind;
    struct hs_id room;
    struct hs_ask ask = {0};
    struct hs_stored stored;
    enum hs_err err = kind_of(call, get->kind, &kind);
    if (err != HS_OK)
        return err;
    ask.kind = kind->number;
    if (hs_show_id_parse(kind, get->id, &room, &ask.key) != HS_OK)
        return hs_fail(HS_EVALUE, &call->why, "id: 1 to %d bytes of text", HS_RECORD_ID_BYTES_MAX);
    look_round(&looking, &ask);
    if (call->parked)
        return HS_OK;
    err = hs_look_find(&looking.look, kind->number, ask.key, &stored);
    if (err == HS_ENOTFOUND)
        return not_found(&looking, kind, get->id);
    return err == HS_OK ? add_record(&looking, &stored, true) : err;
}

/* ---- pages ---- */

struct page {
    struct looking looking;
    struct hs_bytes end; /* behind this record a hub has more to say; none: it has not */
    uint32_t limit;
    uint32_t count;
    uint8_t last[HS_RECORD_KEY_BYTES_MAX];
    size_t last_size;
    bool full;
};

static enum hs_err take_record(void *ctx, const struct hs_stored *stored)
{
    struct page *page = ctx;
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    size_t size = hs_record_key(&stored->name, key);
    if (page->end.size != 0 && hs_bytes_compare(HS_BYTES(key, size), page->end) > 0)
        return HS_OK; /* with those of the hub's that may come before it */
    if (page->count >= page->limit || page->looking.call->body.size >= HS_PAGE_BYTES_SOFT) {
        page->full = true;
        return HS_EEXISTS; /* one more is there: enough to know */
    }
    memcpy(page->last, key, size);
    page->last_size = size;
    page->count++;
    return add_record(&page->looking, stored, false);
}

static enum hs_err index_key(struct hs_call *call, const struct hs_kind *kind, const struct hs_index *index,
                             struct hs_bytes *key)
{
    const Hallsync__FindRequest *find = call->request->find;
    struct hs_buf made = {0};
    if (find->key == NULL || find->key[0] == '\0')
        return hs_fail(HS_EVALUE, &call->why, "key: what %s is to be?", index->name);
    enum hs_err err = hs_index_key_parse(kind, index, find->key, find->then, &made, &call->why);
    *key = hs_arena_copy(&call->arena, hs_buf_bytes(&made));
    if (err == HS_OK && key->data == NULL)
        err = HS_ENOMEM;
    hs_buf_fini(&made);
    return err;
}

static enum hs_err no_index(struct hs_call *call, const struct hs_kind *kind)
{
    struct hs_buf names = {0};
    for (size_t i = 0; i < kind->index_count; i++)
        hs_buf_put_format(&names, "%s%s", i == 0 ? "" : ", ", kind->indexes[i].name);
    hs_fail(HS_EINVAL, &call->why, "a %s is not found by %s; by %.*s", kind->name, call->request->find->index,
            (int)names.size, names.size > 0 ? (const char *)names.data : "");
    hs_buf_fini(&names);
    return HS_EINVAL;
}

/* The last record that the hub was asked for and has told of, if it has more. */
static struct hs_bytes end_of(struct hs_call *call, const struct hs_foreign *foreign)
{
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    const struct hs_asked *last = NULL;
    for (size_t i = 0; foreign != NULL && !foreign->last && i < foreign->count; i++)
        last = foreign->records[i].beside ? last : &foreign->records[i];
    if (last == NULL)
        return HS_BYTES_NONE;
    return hs_arena_copy(&call->arena, HS_BYTES(key, hs_record_key(&last->stored.name, key)));
}

static enum hs_err visit_index(struct page *page, const struct hs_kind *kind, const struct hs_ask *ask)
{
    struct looking *looking = &page->looking;
    struct hs_call *call = looking->call;
    look_round(looking, ask);
    if (call->parked)
        return HS_OK;
    page->end = end_of(call, looking->look.foreign);
    enum hs_err err = hs_look_index(&looking->look, ask, take_record, page);
    if (err == HS_OK && page->end.size != 0) {
        memcpy(page->last, page->end.data, page->end.size);
        page->last_size = page->end.size;
        page->full = true;
    }
    if (err == HS_OK && page->count == 0 && nobody_said(looking))
        return hs_ask_fail(call, kind->name);
    return err;
}

static enum hs_err visit(struct page *page, const struct hs_kind *kind, struct hs_bytes after)
{
    struct hs_call *call = page->looking.call;
    const char *name = call->request->find->index;
    if (name == NULL || name[0] == '\0') {
        page->looking.elsewhere = hs_still_coming(page->looking.look.view, kind->lane);
        return hs_view_all(page->looking.look.view, kind->number, after, take_record, page);
    }
    struct hs_ask ask = {.kind = kind->number, .after = after};
    const struct hs_index *index = hs_kind_index(kind, name);
    if (index == NULL)
        return no_index(call, kind);
    ask.index = index->number;
    page->looking.one = true;
    enum hs_err err = index_key(call, kind, index, &ask.key);
    if (err == HS_OK)
        err = visit_index(page, kind, &ask);
    if (index->field == 0) /* what is to be done here: no hub was asked */
        page->looking.elsewhere = hs_still_coming(page->looking.look.view, kind->lane);
    return err;
}

static enum hs_err check_after(struct hs_call *call, const struct hs_kind *kind, struct hs_bytes after)
{
    struct hs_record_name name;
    if (after.size == 0)
        return HS_OK;
    if (hs_record_from_key(after, &name) != HS_OK || name.kind != kind->number)
        return hs_fail(HS_EVALUE, &call->why, "after: was not in the answer to such a request");
    return HS_OK;
}

static uint32_t page_limit(const Hallsync__FindRequest *find)
{
    if (!find->has_limit || find->limit == 0)
        return PAGE_RECORDS_DEFAULT;
    return find->limit < HS_PAGE_RECORDS_MAX ? find->limit : HS_PAGE_RECORDS_MAX;
}

enum hs_err hs_find_read(struct hs_call *call, struct hs_view *view)
{
    const Hallsync__FindRequest *find = call->request->find;
    const struct hs_kind *kind;
    struct page page = {.looking = {.call = call,
                                    .look = {.desk = call->desk, .view = view, .arena = &call->arena},
                                    .here_only = find->has_here && find->here},
                        .limit = page_limit(find)};
    struct hs_bytes after = find->has_after ? HS_BYTES(find->after.data, find->after.len) : HS_BYTES_NONE;
    enum hs_err err = kind_of(call, find->kind, &kind);
    if (err == HS_OK)
        err = check_after(call, kind, after);
    if (err == HS_OK)
        err = visit(&page, kind, after);
    if (page.full) {
        hs_tlv_put_bytes(&call->body, REPLY_NEXT, HS_BYTES(page.last, page.last_size));
        err = HS_OK;
    }
    if (page.looking.elsewhere && page.looking.look.foreign == NULL)
        hs_tlv_put_u64(&call->body, REPLY_COMPLETE, false);
    return err;
}
