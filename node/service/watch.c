/* The change feed: the records that were written or came after a position, each once a page, as they are now.  At least
 * once: who asks from an older position is shown the same again. */
#include "node/service/handlers.h"
#include "node/service/show.h"

#include "proto/msg/frame.h"
#include "proto/msg/op.h"
#include "proto/msg/tlv.h"

#include <string.h>

#define WAIT_MS_MAX          60000
#define PAGE_RECORDS_DEFAULT 100
#define PAGE_BYTES_HARD      ((size_t)3 << 20) /* a page ends with a commit, unless that would make it larger */
#define ROUNDS_MAX           64  /* pages of nothing but unwanted kinds, before the others get their turn */
#define SLOTS_MIN            256 /* of the set of records shown */
enum { REPLY_RECORDS = 1, REPLY_POSITION = 2 };

struct watch {
    struct hs_position from;
    uint64_t ops; /* of those after it, so many have been answered: a commit may be larger than a page */
    uint32_t limit;
};

/* ---- one page ---- */

struct page {
    struct hs_call *call;
    struct hs_view *view;
    struct watch *watch;
    struct hs_arena *arena; /* of the page */
    struct hs_bytes *shown; /* open-addressed set of record keys, at most half full */
    size_t slots;
    size_t count;
    uint64_t ops; /* visited */
    bool full;
    bool at_end; /* nothing is left to tell */
};

static bool wanted(const Hallsync__WatchRequest *request, uint16_t kind)
{
    for (size_t i = 0; i < request->n_kinds; i++) {
        if (request->kinds[i] == kind)
            return true;
    }
    return request->n_kinds == 0;
}

static struct hs_bytes *slot_of(struct hs_bytes *set, size_t slots, struct hs_bytes key)
{
    struct hs_hash hash = hs_hash_of(key);
    size_t at = hs_from_be32(hash.bytes) & (slots - 1);
    while (set[at].size != 0 && !hs_bytes_equal(set[at], key))
        at = (at + 1) & (slots - 1);
    return &set[at];
}

static bool make_room(struct page *page)
{
    if (2 * page->count < page->slots)
        return true;
    size_t slots = page->slots == 0 ? SLOTS_MIN : 4 * page->slots;
    struct hs_bytes *set = hs_arena_array(page->arena, slots, sizeof *set);
    if (set == NULL)
        return false;
    for (size_t i = 0; i < page->slots; i++) {
        if (page->shown[i].size != 0)
            *slot_of(set, slots, page->shown[i]) = page->shown[i];
    }
    page->shown = set;
    page->slots = slots;
    return true;
}

/* @new out: it was not shown in this page before. */
static enum hs_err note_shown(struct page *page, struct hs_bytes key, bool *new)
{
    if (!make_room(page))
        return HS_ENOMEM;
    struct hs_bytes *slot = slot_of(page->shown, page->slots, key);
    *new = slot->size == 0;
    if (!*new)
        return HS_OK;
    *slot = hs_arena_copy(page->arena, key);
    page->count++;
    return slot->data != NULL ? HS_OK : HS_ENOMEM;
}

static enum hs_err show_record(struct page *page, const struct hs_record_name *name)
{
    uint8_t raw[HS_RECORD_KEY_BYTES_MAX];
    struct hs_stored stored;
    Hallsync__Record *record;
    struct hs_call *call = page->call;
    struct hs_show show = {.look = {.desk = call->desk, .view = page->view, .arena = &call->scratch},
                           .arena = &call->scratch};
    bool new = false;
    enum hs_err err = note_shown(page, HS_BYTES(raw, hs_record_key(name, raw)), &new);
    if (err != HS_OK || !new)
        return err;
    err = hs_view_record(page->view, name, &stored);
    if (err == HS_ENOTFOUND)
        return HS_OK; /* an op without effect */
    hs_arena_reset(&call->scratch);
    if (err == HS_OK)
        err = hs_show(&show, &stored, &record);
    if (err != HS_OK)
        return err;
    hs_call_put(&call->body, REPLY_RECORDS, &record->base);
    return call->body.err;
}

/* What was decided about has not been written, and counts, or does not any more. */
static enum hs_err show_decided(struct page *page, const struct hs_record_name *decision, struct hs_bytes fact)
{
    struct hs_record_name record;
    bool is_wanted = hs_decision_about(fact, decision->partition, &record) &&
                     wanted(page->call->request->watch, record.kind);
    return is_wanted ? show_record(page, &record) : HS_OK;
}

static enum hs_err show_writes(struct page *page, const struct hs_stream *stream, struct hs_bytes bytes)
{
    const Hallsync__WatchRequest *request = page->call->request->watch;
    struct hs_arena arena;
    struct hs_op op;
    hs_arena_init(&arena, 0);
    enum hs_err err = hs_op_decode(bytes, &arena, &op);
    for (size_t i = 0; err == HS_OK && i < op.write_count; i++) {
        struct hs_record_name name = {
            .partition = stream->partition, .lane = stream->lane, .kind = op.writes[i].kind, .id = op.writes[i].id};
        if (wanted(request, name.kind))
            err = show_record(page, &name);
        if (err == HS_OK && name.kind == HS_KIND_DECISION && op.writes[i].is_fact)
            err = show_decided(page, &name, op.writes[i].fact);
    }
    hs_arena_fini(&arena);
    return err == HS_EMALFORMED ? HS_OK : err; /* a void op changed nothing */
}

static enum hs_err show_change(struct page *page, const struct hs_change *change)
{
    if (change->n != 0)
        return show_writes(page, &change->stream, change->op);
    return wanted(page->call->request->watch, change->record.kind) ? show_record(page, &change->record) : HS_OK;
}

static enum hs_err visit_change(void *ctx, const struct hs_change *change)
{
    struct page *page = ctx;
    if (page->ops < page->watch->ops) {
        page->ops++;
        return HS_OK;
    }
    if (page->call->body.size >= PAGE_BYTES_HARD) {
        page->full = true;
        return HS_EEXISTS;
    }
    page->ops++;
    return show_change(page, change);
}

/* Go on from where the watch stands, until something is to be told, or nothing is left. */
static enum hs_err fill_page(struct page *page)
{
    struct watch *watch = page->watch;
    for (unsigned round = 0; round < ROUNDS_MAX && page->count == 0 && !page->at_end; round++) {
        struct hs_position to;
        page->ops = 0;
        enum hs_err err = hs_view_changes(page->view, &watch->from, watch->ops + watch->limit, visit_change, page, &to);
        if (page->full) {
            watch->ops = page->ops;
            return HS_OK;
        }
        if (err != HS_OK)
            return err;
        page->at_end = to.commit == watch->from.commit;
        watch->from = to;
        watch->ops = 0;
    }
    return HS_OK;
}

/* ---- the request ---- */

/* What the consumer was shown must be of this store's history, and not only the place from which he goes on. */
static enum hs_err check_shown(struct hs_view *view, const Hallsync__Position *from)
{
    struct hs_position shown = {.commit = from->shown_commit, .tag = from->shown_tag};
    enum hs_err err = from->has_shown_commit ? hs_view_knows(view, &shown) : HS_OK;
    return err == HS_EPRUNED ? HS_OK : err; /* then so is the place from which he goes on */
}

static enum hs_err begin(struct hs_call *call, struct hs_view *view)
{
    const Hallsync__WatchRequest *request = call->request->watch;
    struct watch *watch = hs_arena_alloc(&call->arena, sizeof *watch);
    if (watch == NULL)
        return HS_ENOMEM;
    watch->from = hs_view_position(view);
    if (request->from != NULL) {
        watch->from = (struct hs_position){.commit = request->from->commit, .tag = request->from->tag};
        watch->ops = request->from->ops;
    }
    watch->limit = request->has_limit && request->limit != 0 ? request->limit : PAGE_RECORDS_DEFAULT;
    if (watch->limit > HS_PAGE_RECORDS_MAX)
        watch->limit = HS_PAGE_RECORDS_MAX;
    call->deadline_tick = hs_tick_ms() + (request->wait_ms < WAIT_MS_MAX ? request->wait_ms : WAIT_MS_MAX);
    call->plan = watch;
    return request->from != NULL ? check_shown(view, request->from) : HS_OK;
}

/* @shown: what the records of the answer reflect. */
static void put_position(struct hs_call *call, const struct hs_position *shown)
{
    const struct watch *watch = call->plan;
    Hallsync__Position position = HALLSYNC__POSITION__INIT;
    position.commit = watch->from.commit;
    position.tag = watch->from.tag;
    position.has_ops = watch->ops != 0;
    position.ops = watch->ops;
    if (shown->commit != watch->from.commit) {
        position.has_shown_commit = position.has_shown_tag = true;
        position.shown_commit = shown->commit;
        position.shown_tag = shown->tag;
    }
    hs_call_put(&call->body, REPLY_POSITION, &position.base);
}

enum hs_err hs_watch_read(struct hs_call *call, struct hs_view *view)
{
    enum hs_err err = call->plan == NULL ? begin(call, view) : HS_OK;
    struct hs_arena arena;
    hs_arena_init(&arena, 0);
    struct page page = {.call = call, .view = view, .watch = call->plan, .arena = &arena};
    if (err == HS_OK)
        err = fill_page(&page);
    hs_arena_fini(&arena);
    if (err != HS_OK)
        return err;
    call->position = hs_view_position(view);
    call->parked = page.at_end && page.count == 0 && hs_tick_ms() < call->deadline_tick;
    if (!call->parked)
        put_position(call, &call->position);
    return HS_OK;
}

void hs_watch_late(struct hs_call *call)
{
    const struct watch *watch = call->plan;
    put_position(call, &watch->from); /* nothing was shown */
}
