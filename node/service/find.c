/* Looking up: one record by its id, or a page of those that an index finds. */
#include "node/service/handlers.h"
#include "node/service/show.h"

#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"

#include <string.h>

#define PAGE_RECORDS_DEFAULT 100
enum { REPLY_RECORDS = 1, REPLY_NEXT = 2 };

static enum hs_err kind_of(struct hs_call *call, uint32_t number, const struct hs_kind **kind)
{
    *kind = hs_kind_by_number(number);
    return *kind != NULL ? HS_OK : hs_fail(HS_EKIND, &call->why, "there is no kind %u", (unsigned)number);
}

static enum hs_err add_record(struct hs_call *call, struct hs_view *view, const struct hs_stored *stored, bool events)
{
    struct hs_show show = {.view = view, .arena = &call->scratch, .events = events};
    Hallsync__Record *record;
    hs_arena_reset(&call->scratch);
    enum hs_err err = hs_show(&show, stored, &record);
    if (err != HS_OK)
        return err;
    hs_call_put(&call->body, REPLY_RECORDS, &record->base);
    return call->body.err;
}

enum hs_err hs_get_read(struct hs_call *call, struct hs_view *view)
{
    const Hallsync__GetRequest *get = call->request->get;
    const struct hs_kind *kind;
    struct hs_id room;
    struct hs_bytes id;
    struct hs_stored stored;
    enum hs_err err = kind_of(call, get->kind, &kind);
    if (err != HS_OK)
        return err;
    if (hs_show_id_parse(kind, get->id, &room, &id) != HS_OK)
        return hs_fail(HS_EVALUE, &call->why, "id: 1 to %d bytes of text", HS_RECORD_ID_BYTES_MAX);
    err = hs_view_find(view, kind->number, id, &stored);
    if (err == HS_ENOTFOUND)
        return hs_fail(err, &call->why, "there is no %s %s here", kind->name, get->id);
    return err == HS_OK ? add_record(call, view, &stored, true) : err;
}

/* ---- pages ---- */

struct page {
    struct hs_call *call;
    struct hs_view *view;
    uint32_t limit;
    uint32_t count;
    uint8_t last[HS_RECORD_KEY_BYTES_MAX];
    size_t last_size;
    bool full;
};

static enum hs_err take_record(void *ctx, const struct hs_stored *stored)
{
    struct page *page = ctx;
    if (page->count >= page->limit || page->call->body.size >= HS_PAGE_BYTES_SOFT) {
        page->full = true;
        return HS_EEXISTS; /* one more is there: enough to know */
    }
    page->last_size = hs_record_key(&stored->name, page->last);
    page->count++;
    return add_record(page->call, page->view, stored, false);
}

/* What the index has for keys: ids of 128 bits as such, everything else as it is written. */
static enum hs_err index_key(struct hs_call *call, const struct hs_kind *kind, const struct hs_index *index,
                             struct hs_id *room, struct hs_bytes *key)
{
    const char *text = call->request->find->key;
    const struct hs_field_rule *rule = hs_kind_rule(kind, index->field);
    bool hashed;
    if (text == NULL || text[0] == '\0')
        return hs_fail(HS_EVALUE, &call->why, "key: what %s is to be?", index->name);
    *key = HS_BYTES(text, strlen(text));
    if (rule == NULL || rule->form != HS_FORM_ID)
        return HS_OK;
    *key = HS_BYTES(room->bytes, sizeof room->bytes);
    return hs_id_from_text(text, strlen(text), room, &hashed) == HS_OK
               ? HS_OK
               : hs_fail(HS_EVALUE, &call->why, "key: an id is 1 to 64 bytes of text");
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

static enum hs_err visit(struct page *page, const struct hs_kind *kind, struct hs_bytes after)
{
    struct hs_call *call = page->call;
    const char *name = call->request->find->index;
    if (name == NULL || name[0] == '\0')
        return hs_view_all(page->view, kind->number, after, take_record, page);
    struct hs_id room;
    struct hs_bytes key;
    const struct hs_index *index = hs_kind_index(kind, name);
    if (index == NULL)
        return no_index(call, kind);
    enum hs_err err = index_key(call, kind, index, &room, &key);
    return err == HS_OK ? hs_view_index(page->view, kind->number, index->number, key, after, take_record, page) : err;
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
    struct page page = {.call = call, .view = view, .limit = page_limit(find)};
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
    return err;
}
