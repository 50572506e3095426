/* The registry as status tells it: who is enrolled, with what, and since when. */
#include "node/service/survey.h"

#include "node/service/revoke.h"
#include "proto/keys.pb-c.h"
#include "proto/msg/frame.h"

#include <stdlib.h>
#include <string.h>

struct rolling {
    const struct hs_survey *survey;
    struct hs_roll *roll;
    size_t room;
};

/* Certificates in the store have been verified when they came. */
static enum hs_err unpack_body(const ProtobufCMessageDescriptor *outer, const ProtobufCMessageDescriptor *inner,
                               struct hs_bytes encoded, struct hs_arena *arena, ProtobufCMessage **body)
{
    ProtobufCMessage *message;
    enum hs_err err = hs_msg_unpack(outer, encoded, arena, &message);
    if (err != HS_OK)
        return err;
    const Hallsync__Signed *held = outer == &hallsync__certificate__descriptor
                                       ? ((const Hallsync__Certificate *)message)->node
                                       : (const Hallsync__Signed *)message;
    return hs_msg_unpack(inner, HS_BYTES(held->body.data, held->body.len), arena, body);
}

static bool make_room(struct rolling *rolling)
{
    struct hs_roll *roll = rolling->roll;
    if (roll->count < rolling->room)
        return true;
    size_t room = rolling->room == 0 ? 128 : 2 * rolling->room;
    struct hs_enrolled *rows = hs_arena_array(&roll->arena, room, sizeof *rows);
    if (rows == NULL)
        return false;
    if (roll->count > 0)
        memcpy(rows, roll->rows, roll->count * sizeof *rows);
    roll->rows = rows;
    rolling->room = room;
    return true;
}

static enum hs_err fill_row(struct rolling *rolling, const Hallsync__NodeBody *body, struct hs_enrolled *row)
{
    struct hs_arena *arena = &rolling->roll->arena;
    hs_partition *districts = hs_arena_array(arena, body->n_districts + 1, sizeof *districts);
    struct hs_revocation revocation;
    if (districts == NULL)
        return HS_ENOMEM;
    for (size_t i = 0; i < body->n_districts; i++)
        districts[row->district_count++] = (hs_partition)body->districts[i];
    row->districts = districts;
    row->node_id = body->node_id; /* in the arena */
    row->role = (enum hs_role)body->role;
    row->issued_ms = row->key_ms = body->issued_ms;
    enum hs_err err = hs_revoked_read(rolling->survey->store, rolling->survey->view, &row->key, &revocation);
    if (err == HS_OK)
        row->revoked = hs_arena_text(arena, HS_BYTES(revocation.reason, strlen(revocation.reason)));
    return err == HS_ENOTFOUND ? HS_OK : err;
}

/* HS_EEXISTS: there are more than are looked at. */
static enum hs_err add_row(void *ctx, struct hs_bytes key, struct hs_bytes certificate)
{
    struct rolling *rolling = ctx;
    struct hs_roll *roll = rolling->roll;
    ProtobufCMessage *body;
    if (roll->count == HS_SURVEY_HALLS_MAX)
        return HS_EEXISTS;
    if (!make_room(rolling))
        return HS_ENOMEM;
    enum hs_err err = unpack_body(&hallsync__certificate__descriptor, &hallsync__node_body__descriptor, certificate,
                                  &roll->arena, &body);
    if (err != HS_OK || key.size != HS_KEY_BYTES)
        return err == HS_ENOMEM ? err : HS_OK; /* damage is told elsewhere */
    struct hs_enrolled *row = &roll->rows[roll->count];
    *row = (struct hs_enrolled){.newest = roll->count};
    memcpy(row->key.bytes, key.data, HS_KEY_BYTES);
    err = fill_row(rolling, (const Hallsync__NodeBody *)body, row);
    roll->count += err == HS_OK;
    return err;
}

/* ---- of a node that was made anew there are several ---- */

static int compare_names(const void *a, const void *b, void *ctx)
{
    const struct hs_enrolled *rows = ctx;
    const struct hs_enrolled *left = &rows[*(const size_t *)a], *right = &rows[*(const size_t *)b];
    int order = strcmp(left->node_id, right->node_id);
    return order != 0 ? order : (left->issued_ms > right->issued_ms) - (left->issued_ms < right->issued_ms);
}

static enum hs_err find_newest(struct hs_roll *roll)
{
    size_t *order = hs_arena_array(&roll->arena, roll->count + 1, sizeof *order);
    if (order == NULL)
        return HS_ENOMEM;
    for (size_t i = 0; i < roll->count; i++)
        order[i] = i;
    if (roll->count > 1)
        qsort_r(order, roll->count, sizeof *order, compare_names, roll->rows);
    for (size_t i = roll->count; i-- > 1;) { /* the last of each name is the newest */
        struct hs_enrolled *older = &roll->rows[order[i - 1]];
        const struct hs_enrolled *newer = &roll->rows[order[i]];
        if (strcmp(older->node_id, newer->node_id) == 0)
            older->newest = newer->newest;
    }
    return HS_OK;
}

/* ---- since when a key is used ---- */

struct origins {
    struct hs_arena *arena;
    uint64_t *list;
    size_t count, room;
};

static enum hs_err add_origin(void *ctx, uint64_t origin, const struct hs_key *node_key)
{
    struct origins *origins = ctx;
    (void)node_key;
    if (origins->count == origins->room) {
        size_t room = origins->room == 0 ? 256 : 2 * origins->room;
        uint64_t *list = hs_arena_array(origins->arena, room, sizeof *list);
        if (list == NULL)
            return HS_ENOMEM;
        if (origins->count > 0)
            memcpy(list, origins->list, origins->count * sizeof *list);
        origins->list = list;
        origins->room = room;
    }
    origins->list[origins->count++] = origin;
    return HS_OK;
}

static enum hs_err take_opening(const struct hs_survey *survey, uint64_t origin, struct hs_arena *arena,
                                struct hs_roll *roll)
{
    struct hs_bytes certificate, opening;
    ProtobufCMessage *message;
    struct hs_key key;
    enum hs_err err = hs_view_origin(survey->view, origin, &certificate, &opening);
    if (err == HS_OK)
        err = unpack_body(&hallsync__signed__descriptor, &hallsync__origin_body__descriptor, opening, arena, &message);
    if (err != HS_OK)
        return err == HS_ENOMEM ? err : HS_OK;
    const Hallsync__OriginBody *body = (const Hallsync__OriginBody *)message;
    if (body->node_key.len != HS_KEY_BYTES)
        return HS_OK;
    memcpy(key.bytes, body->node_key.data, HS_KEY_BYTES);
    struct hs_enrolled *row = (struct hs_enrolled *)(uintptr_t)hs_roll_find(roll, &key); /* ours to write */
    if (row != NULL && body->opened_ms < row->key_ms)
        row->key_ms = body->opened_ms;
    return HS_OK;
}

/* A certificate that was issued anew says nothing of when its key was made. */
static enum hs_err date_keys(const struct hs_survey *survey, struct hs_roll *roll)
{
    struct hs_arena listed, scratch;
    struct origins origins = {.arena = &listed};
    hs_arena_init(&listed, 0);
    hs_arena_init(&scratch, 0);
    enum hs_err err = hs_view_origins(survey->view, add_origin, &origins);
    for (size_t i = 0; i < origins.count && err == HS_OK; i++) {
        hs_arena_reset(&scratch);
        err = take_opening(survey, origins.list[i], &scratch, roll);
        if (survey->stop != NULL && atomic_load(survey->stop))
            err = HS_ESTOPPING;
    }
    hs_arena_fini(&scratch);
    hs_arena_fini(&listed);
    return err;
}

/* ---- all of it ---- */

enum hs_err hs_survey_roll(const struct hs_survey *survey, struct hs_roll *roll)
{
    struct rolling rolling = {.survey = survey, .roll = roll};
    hs_arena_init(&roll->arena, 0);
    enum hs_err err = hs_view_certificates(survey->view, add_row, &rolling);
    if (err == HS_OK || err == HS_EEXISTS)
        err = find_newest(roll);
    return err == HS_OK ? date_keys(survey, roll) : err;
}

void hs_roll_fini(struct hs_roll *roll)
{
    hs_arena_fini(&roll->arena);
    *roll = (struct hs_roll){0};
}

static int compare_keys(const void *key, const void *row)
{
    return memcmp(((const struct hs_key *)key)->bytes, ((const struct hs_enrolled *)row)->key.bytes, HS_KEY_BYTES);
}

const struct hs_enrolled *hs_roll_find(const struct hs_roll *roll, const struct hs_key *key)
{
    return roll->count == 0 ? NULL : bsearch(key, roll->rows, roll->count, sizeof *roll->rows, compare_keys);
}
