/* The change feed: the records that were written or came after a position, each once a page, as they are now.  At least
 * once: who asks from an older position is shown the same again. */
#include "node/service/handlers.h"
#include "node/service/show.h"
#include "node/service/wanted.h"

#include "proto/msg/frame.h"
#include "proto/msg/op.h"
#include "proto/msg/tlv.h"

#include <string.h>

#define WAIT_MS_MAX          60000
#define PAGE_RECORDS_DEFAULT 100
#define PAGE_BYTES_HARD      ((size_t)3 << 20) /* a page ends with a commit, unless that would make it larger */
#define SLOTS_MIN            256               /* of the set of records shown */
/* What may be gone over in vain before the others get their turn; the position goes on over it. */
#define WORK_MAX             32768
#define WORK_ROUND           16 /* a look at the log */
#define WORK_RECORD          8  /* a record looked up that does not fit */
enum { REPLY_RECORDS = 1, REPLY_POSITION = 2 };

struct watch {
    struct hs_position from;
    uint64_t ops; /* of those after it, so many have been answered: a commit may be larger than a page */
    uint32_t limit;
    struct hs_wanted wanted;
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
    size_t told;  /* records in the answer */
    size_t work;  /* done in vain */
    uint64_t ops; /* visited */
    bool full;
    bool at_end; /* nothing is left to tell */
};

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

static struct hs_show show_of(const struct page *page)
{
    struct hs_call *call = page->call;
    return (struct hs_show){.look = {.desk = call->desk, .view = page->view, .arena = &call->scratch},
                            .arena = &call->scratch};
}

static enum hs_err tell(struct page *page, const struct hs_stored *stored)
{
    struct hs_call *call = page->call;
    struct hs_show show = show_of(page);
    Hallsync__Record *record;
    bool fits = false;
    hs_arena_reset(&call->scratch);
    enum hs_err err = hs_show(&show, stored, &record);
    if (err == HS_OK)
        err = hs_wanted_fits(&page->watch->wanted, record, &fits);
    if (err != HS_OK || !fits) {
        page->work += WORK_RECORD;
        return err;
    }
    page->told++;
    hs_call_put(&call->body, REPLY_RECORDS, &record->base);
    return call->body.err;
}

static enum hs_err show_record(struct page *page, const struct hs_record_name *name)
{
    uint8_t raw[HS_RECORD_KEY_BYTES_MAX];
    struct hs_stored stored;
    bool new = false;
    if (!hs_wanted_name(&page->watch->wanted, name))
        return HS_OK;
    enum hs_err err = note_shown(page, HS_BYTES(raw, hs_record_key(name, raw)), &new);
    if (err != HS_OK || !new)
        return err;
    err = hs_view_record(page->view, name, &stored);
    if (err == HS_ENOTFOUND)
        return HS_OK; /* an op without effect */
    return err == HS_OK ? tell(page, &stored) : err;
}

/* ---- records of which others decide what the node derives ---- */

static const struct about {
    uint16_t kind;
    const char *index; /* under which it is found by what it is about */
    uint16_t of;
} ABOUT[] = {
    {HS_KIND_PAYMENT, "bill_id", HS_KIND_BILL},
    {HS_KIND_REVERSAL, "payment_id", HS_KIND_PAYMENT},
    {HS_KIND_SETTLEMENT, "bill_id", HS_KIND_BILL},
    {HS_KIND_TICKET_EVENT, "ticket_id", HS_KIND_TICKET},
    {HS_KIND_QUEUE_EVENT, "queue_id", HS_KIND_QUEUE_TICKET},
    {HS_KIND_APPOINTMENT_EVENT, "appointment_id", HS_KIND_APPOINTMENT},
    {HS_KIND_APPOINTMENT, "slot_id", HS_KIND_SLOT},
};

static const struct about *about_of(const struct page *page, uint16_t kind)
{
    for (size_t i = 0; i < sizeof ABOUT / sizeof *ABOUT && page->watch->wanted.follows; i++) {
        if (ABOUT[i].kind == kind)
            return &ABOUT[i];
    }
    return NULL;
}

static enum hs_err follow(struct page *page, const struct about *about, struct hs_bytes message);

static enum hs_err follow_stored(struct page *page, const struct hs_stored *stored)
{
    const struct about *about = about_of(page, stored->name.kind);
    struct hs_look look = {.desk = page->call->desk, .view = page->view, .arena = page->arena};
    struct hs_bytes message;
    if (about == NULL)
        return HS_OK;
    enum hs_err err = hs_look_message(&look, stored, &message);
    return err == HS_OK ? follow(page, about, message) : err;
}

static enum hs_err follow_to(struct page *page, uint16_t kind, struct hs_bytes id)
{
    struct hs_look look = {.desk = page->call->desk, .view = page->view, .arena = page->arena};
    struct hs_stored stored;
    page->work += WORK_RECORD;
    enum hs_err err = hs_look_find(&look, kind, id, &stored);
    if (err == HS_OK && hs_wanted_follows(&page->watch->wanted, kind))
        err = show_record(page, &stored.name);
    if (err == HS_OK)
        err = follow_stored(page, &stored);
    return err == HS_ENOTFOUND ? HS_OK : err;
}

static void take_id(void *ctx, struct hs_bytes id)
{
    hs_buf_put_sized(ctx, id);
}

/* From an event to what it happened to; of a reversal two steps, to the payment's bills. */
static enum hs_err follow(struct page *page, const struct about *about, struct hs_bytes message)
{
    const struct hs_kind *kind = hs_kind_by_number(about->kind);
    struct hs_buf ids = {0};
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < kind->index_count && err == HS_OK; i++) {
        if (strcmp(kind->indexes[i].name, about->index) == 0)
            err = hs_index_keys(&kind->indexes[i], message, take_id, &ids);
    }
    err = err == HS_OK ? ids.err : err;
    struct hs_cur cur = hs_cur_of(hs_buf_bytes(&ids));
    while (err == HS_OK && cur.left > 0)
        err = follow_to(page, about->of, hs_cur_sized(&cur));
    hs_buf_fini(&ids);
    return err;
}

static enum hs_err follow_name(struct page *page, const struct hs_record_name *name)
{
    struct hs_stored stored;
    enum hs_err err = about_of(page, name->kind) != NULL ? hs_view_record(page->view, name, &stored) : HS_ENOTFOUND;
    if (err == HS_OK)
        err = follow_stored(page, &stored);
    return err == HS_ENOTFOUND ? HS_OK : err;
}

/* ---- changes ---- */

static enum hs_err show_and_follow(struct page *page, const struct hs_record_name *name)
{
    enum hs_err err = show_record(page, name);
    return err == HS_OK ? follow_name(page, name) : err;
}

/* What was decided about has not been written, and counts, or does not any more. */
static enum hs_err show_decided(struct page *page, const struct hs_record_name *decision, struct hs_bytes fact)
{
    struct hs_record_name record;
    return hs_decision_about(fact, decision->partition, &record) ? show_and_follow(page, &record) : HS_OK;
}

static enum hs_err show_writes(struct page *page, const struct hs_stream *stream, struct hs_bytes bytes)
{
    struct hs_arena arena;
    struct hs_op op;
    hs_arena_init(&arena, 0);
    enum hs_err err = hs_op_decode(bytes, &arena, &op);
    for (size_t i = 0; err == HS_OK && i < op.write_count; i++) {
        struct hs_record_name name = {
            .partition = stream->partition, .lane = stream->lane, .kind = op.writes[i].kind, .id = op.writes[i].id};
        err = show_and_follow(page, &name);
        if (err == HS_OK && name.kind == HS_KIND_DECISION && op.writes[i].is_fact)
            err = show_decided(page, &name, op.writes[i].fact);
    }
    hs_arena_fini(&arena);
    return err == HS_EMALFORMED ? HS_OK : err; /* a void op changed nothing */
}

static enum hs_err show_change(struct page *page, const struct hs_change *change)
{
    return change->n != 0 ? show_writes(page, &change->stream, change->op) : show_and_follow(page, &change->record);
}

static enum hs_err visit_change(void *ctx, const struct hs_change *change)
{
    struct page *page = ctx;
    if (page->ops < page->watch->ops) {
        page->ops++;
        return HS_OK;
    }
    if (page->call->body.size >= PAGE_BYTES_HARD || page->work >= WORK_MAX) {
        page->full = true;
        return HS_EEXISTS;
    }
    size_t told = page->told;
    page->ops++;
    enum hs_err err = show_change(page, change);
    page->work += page->told == told;
    return err;
}

/* Go on from where the watch stands, until something is to be told, or nothing is left. */
static enum hs_err fill_page(struct page *page)
{
    struct watch *watch = page->watch;
    while (page->told == 0 && !page->at_end && page->work < WORK_MAX) {
        struct hs_position to;
        page->ops = 0;
        page->work += WORK_ROUND;
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
    enum hs_err err = hs_wanted_make(call, &watch->wanted);
    if (err != HS_OK)
        return err;
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
    call->parked = page.at_end && page.told == 0 && hs_tick_ms() < call->deadline_tick;
    if (!call->parked)
        put_position(call, &call->position);
    return HS_OK;
}

void hs_watch_late(struct hs_call *call)
{
    const struct watch *watch = call->plan;
    put_position(call, &watch->from); /* nothing was shown */
}
