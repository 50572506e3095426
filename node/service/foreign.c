#include "node/service/foreign.h"

#include "storage/model/record.h"

#include <stdlib.h>
#include <string.h>

/* ---- one answer ---- */

static bool copy_record(struct hs_arena *arena, const struct hs_asked *from, struct hs_asked *to)
{
    *to = *from;
    to->stored.name.id = hs_arena_copy(arena, from->stored.name.id);
    to->stored.state = hs_arena_copy(arena, from->stored.state);
    return to->stored.name.id.data != NULL && to->stored.state.size == from->stored.state.size;
}

static bool copy_answer(struct hs_foreign *foreign, const struct hs_answer *answer)
{
    struct hs_asked *records = hs_arena_array(&foreign->arena, answer->count, sizeof *records);
    foreign->node = hs_arena_text(&foreign->arena, HS_BYTES(answer->node, strlen(answer->node)));
    if (records == NULL || foreign->node == NULL)
        return false;
    for (size_t i = 0; i < answer->count; i++) {
        if (!copy_record(&foreign->arena, &answer->records[i], &records[i]))
            return false;
    }
    foreign->records = records;
    foreign->count = answer->count;
    foreign->last = answer->last;
    foreign->cut = answer->cut;
    foreign->as_of_ms = answer->as_of_ms;
    return true;
}

struct hs_foreign *hs_foreign_new(uint64_t token, enum hs_err err, const struct hs_answer *answer)
{
    struct hs_foreign *foreign = calloc(1, sizeof *foreign);
    if (foreign == NULL)
        return NULL;
    foreign->token = token;
    foreign->err = err;
    hs_arena_init(&foreign->arena, 0);
    if (err == HS_OK && !copy_answer(foreign, answer)) {
        hs_foreign_free(foreign);
        return NULL;
    }
    return foreign;
}

void hs_foreign_free(struct hs_foreign *foreign)
{
    if (foreign == NULL)
        return;
    hs_arena_fini(&foreign->arena);
    free(foreign);
}

enum hs_err hs_foreign_check(const struct hs_foreign *foreign)
{
    struct hs_arena arena;
    struct hs_record record;
    enum hs_err err = HS_OK;
    hs_arena_init(&arena, 0);
    for (size_t i = 0; i < foreign->count && err == HS_OK; i++) {
        hs_arena_reset(&arena);
        err = hs_record_decode(foreign->records[i].stored.state, &arena, &record);
    }
    hs_arena_fini(&arena);
    return err;
}

const struct hs_asked *hs_foreign_record(const struct hs_foreign *foreign, uint16_t kind, struct hs_bytes id)
{
    for (size_t i = 0; foreign != NULL && i < foreign->count; i++) {
        const struct hs_record_name *name = &foreign->records[i].stored.name;
        if (name->kind == kind && hs_bytes_equal(name->id, id))
            return &foreign->records[i];
    }
    return NULL;
}

/* ---- the memory ---- */

static bool same_question(const struct hs_ask *a, const struct hs_ask *b)
{
    return a->kind == b->kind && a->index == b->index && hs_bytes_equal(a->key, b->key) &&
           hs_bytes_equal(a->after, b->after);
}

static struct hs_foreign *take_out(struct hs_foreign_cache *cache, struct hs_foreign **link)
{
    struct hs_foreign *foreign = *link;
    *link = foreign->next;
    cache->records -= foreign->count;
    cache->bytes -= foreign->arena.total;
    return foreign;
}

static void put_in(struct hs_foreign_cache *cache, struct hs_foreign *foreign)
{
    foreign->next = cache->first;
    cache->first = foreign;
    cache->records += foreign->count;
    cache->bytes += foreign->arena.total;
}

static void drop_last(struct hs_foreign_cache *cache)
{
    struct hs_foreign **link = &cache->first;
    while ((*link)->next != NULL)
        link = &(*link)->next;
    hs_foreign_free(take_out(cache, link));
}

void hs_foreign_keep(struct hs_foreign_cache *cache, const struct hs_ask *ask, struct hs_foreign *foreign)
{
    if (foreign == NULL)
        return;
    foreign->ask = *ask;
    foreign->ask.key = hs_arena_copy(&foreign->arena, ask->key);
    foreign->ask.after = hs_arena_copy(&foreign->arena, ask->after);
    bool whole = foreign->ask.key.size == ask->key.size && foreign->ask.after.size == ask->after.size;
    bool fits = foreign->count <= HS_FOREIGN_RECORDS_MAX && foreign->arena.total <= HS_FOREIGN_BYTES_MAX;
    if (foreign->err != HS_OK || foreign->count == 0 || !whole || !fits) {
        hs_foreign_free(foreign);
        return;
    }
    for (struct hs_foreign **link = &cache->first; *link != NULL; link = &(*link)->next) {
        if (!same_question(&(*link)->ask, ask))
            continue;
        hs_foreign_free(take_out(cache, link));
        break;
    }
    put_in(cache, foreign);
    while (cache->records > HS_FOREIGN_RECORDS_MAX || cache->bytes > HS_FOREIGN_BYTES_MAX)
        drop_last(cache);
}

static bool tells_of(const struct hs_foreign *foreign, const struct hs_ask *ask)
{
    if (same_question(&foreign->ask, ask))
        return true;
    const struct hs_asked *record = ask->index == 0 ? hs_foreign_record(foreign, ask->kind, ask->key) : NULL;
    return record != NULL && !record->beside; /* what goes with one that is beside is not all there */
}

const struct hs_foreign *hs_foreign_find(struct hs_foreign_cache *cache, const struct hs_ask *ask)
{
    for (struct hs_foreign **link = &cache->first; *link != NULL; link = &(*link)->next) {
        if (!tells_of(*link, ask))
            continue;
        put_in(cache, take_out(cache, link));
        return cache->first;
    }
    return NULL;
}

void hs_foreign_forget(struct hs_foreign_cache *cache)
{
    while (cache->first != NULL)
        hs_foreign_free(take_out(cache, &cache->first));
}
