/* The audit trail, the newest first: days one before the other, and of each the entries by their stamps. */
#include "node/service/handlers.h"
#include "node/service/put.h"
#include "node/service/show.h"
#include "proto/base/text.h"
#include "proto/msg/tlv.h"
#include "storage/model/close.h"

#include <string.h>

#define LIMIT_DEFAULT 100
#define LIMIT_MAX     500
#define DAYS_MAX      1000  /* that one request looks at */
#define ENTRIES_MAX   20000 /* ... as entries, behind which it begins no other day */
#define DAY_MS        86400000ULL
#define EPOCH         19700101 /* days are counted from it */
#define FIRST_DAY     20454    /* 2026-01-01, before there was a trail; what a clock far behind wrote its day finds */
#define DAYS_AHEAD    366      /* somebody's clock may be wrong */
enum { REPLY_RECORDS = 1, REPLY_NEXT = 2, REPLY_COMPLETE = 3 };
enum { AUDIT_NAME = 3 };
enum { INDEX_DAY = 1 };

/* An entry's place: by day, then stamp, then key; the greatest first. */
struct place {
    uint32_t day; /* since 1970, local */
    hs_stamp stamp;
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    size_t size;
};

struct trail {
    struct hs_call *call;
    struct hs_view *view;
    const char *name; /* NULL: of everybody */
    uint32_t limit;
    struct place from;   /* below this one */
    struct place *found; /* of the day, the first ones: at most limit and one more */
    size_t count, told, looked;
    uint32_t day, last_day;
};

/* ---- one day ---- */

static int compare(const struct place *a, const struct place *b)
{
    if (a->day != b->day)
        return a->day < b->day ? -1 : 1;
    if (a->stamp != b->stamp)
        return a->stamp < b->stamp ? -1 : 1;
    return hs_bytes_compare(HS_BYTES(a->key, a->size), HS_BYTES(b->key, b->size));
}

static void keep(struct trail *trail, const struct place *place)
{
    size_t room = trail->limit - trail->told + 1;
    size_t at = trail->count;
    while (at > 0 && compare(&trail->found[at - 1], place) < 0)
        at--;
    if (at == room)
        return;
    size_t moved = (trail->count < room ? trail->count : room - 1) - at;
    memmove(&trail->found[at + 1], &trail->found[at], moved * sizeof *trail->found);
    trail->found[at] = *place;
    trail->count += trail->count < room;
}

static enum hs_err look_at(void *ctx, const struct hs_stored *stored)
{
    struct trail *trail = ctx;
    const struct hs_variant *entry;
    struct place place = {.day = trail->day};
    hs_arena_reset(&trail->call->scratch);
    trail->looked++;
    enum hs_err err = hs_fact_variant(stored, &trail->call->scratch, &entry);
    if (err != HS_OK)
        return err;
    struct hs_bytes name = hs_tlv_bytes(entry->bytes, AUDIT_NAME);
    if (trail->name != NULL && !hs_bytes_equal(name, HS_BYTES(trail->name, strlen(trail->name))))
        return HS_OK;
    place.stamp = entry->stamp;
    place.size = hs_record_key(&stored->name, place.key);
    if (compare(&place, &trail->from) < 0)
        keep(trail, &place);
    return HS_OK;
}

static enum hs_err add(struct trail *trail, const struct place *place)
{
    struct hs_call *call = trail->call;
    struct hs_record_name name;
    struct hs_stored stored;
    Hallsync__Record *record;
    struct hs_show show = {.look = {.desk = call->desk, .view = trail->view, .arena = &call->scratch},
                           .arena = &call->scratch};
    hs_arena_reset(&call->scratch);
    enum hs_err err = hs_record_from_key(HS_BYTES(place->key, place->size), &name);
    if (err == HS_OK)
        err = hs_view_record(trail->view, &name, &stored);
    if (err == HS_OK)
        err = hs_show(&show, &stored, &record);
    if (err != HS_OK)
        return err;
    hs_call_put(&call->body, REPLY_RECORDS, &record->base);
    trail->told++;
    trail->from = *place;
    return call->body.err;
}

static enum hs_err add_day(struct trail *trail, bool *full)
{
    char text[HS_DAY_TEXT_BYTES];
    hs_day_text(hs_date_of(trail->day * DAY_MS, 0), text);
    trail->count = 0;
    enum hs_err err = hs_view_index(trail->view, HS_KIND_AUDIT, INDEX_DAY, HS_BYTES(text, strlen(text)), HS_BYTES_NONE,
                                    look_at, trail);
    for (size_t i = 0; i < trail->count && err == HS_OK && !*full; i++) {
        *full = trail->told == trail->limit || trail->call->body.size >= HS_PAGE_BYTES_SOFT;
        if (!*full)
            err = add(trail, &trail->found[i]);
    }
    return err;
}

/* ---- pages ---- */

static void put_next(struct trail *trail)
{
    struct hs_buf next = {0};
    hs_buf_put_u32(&next, trail->from.day);
    hs_buf_put_u64(&next, trail->from.stamp);
    hs_buf_put(&next, trail->from.key, trail->from.size);
    if (next.err != HS_OK)
        trail->call->body.err = next.err;
    hs_tlv_put_bytes(&trail->call->body, REPLY_NEXT, hs_buf_bytes(&next));
    hs_buf_fini(&next);
}

static enum hs_err take_after(struct trail *trail, struct hs_bytes after)
{
    struct hs_cur cur = hs_cur_of(after);
    trail->from.day = hs_cur_u32(&cur);
    trail->from.stamp = hs_cur_u64(&cur);
    struct hs_bytes key = hs_cur_take(&cur, cur.left);
    if (cur.err != HS_OK || key.size > sizeof trail->from.key)
        return hs_fail(HS_EVALUE, &trail->call->why, "after: was not in the answer to such a request");
    if (key.size > 0)
        memcpy(trail->from.key, key.data, key.size);
    trail->from.size = key.size;
    return HS_OK;
}

static uint32_t day_of(uint64_t ms, int utc_offset_minutes)
{
    return (uint32_t)((ms + (uint64_t)((int64_t)utc_offset_minutes * 60000)) / DAY_MS);
}

static enum hs_err take_date(struct trail *trail, uint32_t date)
{
    if (!hs_date_valid(date) || date <= EPOCH)
        return hs_fail(HS_EVALUE, &trail->call->why, "date: %u is no day as 20261122", (unsigned)date);
    trail->day = trail->last_day = hs_date_days(date) - hs_date_days(EPOCH);
    return HS_OK;
}

static enum hs_err take_request(struct trail *trail)
{
    const Hallsync__TrailRequest *request = trail->call->request->trail;
    uint32_t today = day_of(hs_now_ms(), trail->call->desk->options.utc_offset_minutes);
    trail->name = request->name;
    trail->limit = request->has_limit && request->limit != 0 ? request->limit : LIMIT_DEFAULT;
    trail->limit = trail->limit < LIMIT_MAX ? trail->limit : LIMIT_MAX;
    trail->found = hs_arena_array(&trail->call->arena, trail->limit + 1, sizeof *trail->found);
    trail->day = today + DAYS_AHEAD;
    trail->last_day = FIRST_DAY;
    trail->from = (struct place){.day = UINT32_MAX};
    if (trail->found == NULL)
        return HS_ENOMEM;
    enum hs_err err = HS_OK;
    if (request->has_date)
        err = take_date(trail, request->date);
    if (err == HS_OK && request->has_after)
        err = take_after(trail, HS_BYTES(request->after.data, request->after.len));
    if (trail->from.day < trail->day)
        trail->day = trail->from.day;
    return err;
}

enum hs_err hs_trail_read(struct hs_call *call, struct hs_view *view)
{
    struct trail trail = {.call = call, .view = view};
    bool full = false;
    enum hs_err err = take_request(&trail);
    uint32_t days = 0;
    while (err == HS_OK && trail.day >= trail.last_day && !full) {
        if (days++ == DAYS_MAX || trail.looked >= ENTRIES_MAX) {
            trail.from = (struct place){.day = trail.day, .stamp = HS_STAMP_MAX};
            full = true;
            break;
        }
        err = add_day(&trail, &full);
        trail.day--;
    }
    if (err == HS_OK && full)
        put_next(&trail);
    if (err == HS_OK && hs_still_coming(view, HS_LANE_WORK))
        hs_tlv_put_u64(&call->body, REPLY_COMPLETE, false);
    return err;
}
