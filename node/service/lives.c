/* A node that was made anew has one id and several keys: what is here of each of its lives. */
#include "node/service/lives.h"

#include "node/service/handlers.h"
#include "node/service/revoke.h"
#include "proto/base/text.h"
#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"

#include <stdlib.h>
#include <string.h>

#define LIVES_MAX   64 /* more are not shown */
#define ORIGINS_MAX 65536
#define KEY_TEXT    (2 * HS_KEY_BYTES + 1)
enum { REPLY_LIVES = 1 };
enum { CERTIFICATE_NODE = 2, SIGNED_BODY = 1, NODE_ID = 1, NODE_KEY = 3 }; /* fields of keys.proto */

/* ---- its certificates ---- */

struct search {
    const struct hs_key *root;
    const char *node_id;
    hs_visit_life visit;
    void *ctx;
};

static enum hs_err look_at(void *ctx, struct hs_bytes key, struct hs_bytes encoded)
{
    const struct search *search = ctx;
    struct hs_certificate certificate;
    (void)key;
    if (hs_certificate_verify(encoded, search->root, &certificate) != HS_OK ||
        strcmp(certificate.node_id, search->node_id) != 0)
        return HS_OK;
    return search->visit(search->ctx, &certificate);
}

enum hs_err hs_lives_of(const struct hs_store *store, struct hs_view *view, const char *node_id, hs_visit_life visit,
                        void *ctx)
{
    struct search search = {&hs_store_certificate(store)->root_key, node_id, visit, ctx};
    return hs_view_certificates(view, look_at, &search);
}

static enum hs_err is_of(void *ctx, struct hs_bytes key, struct hs_bytes encoded)
{
    const char *node_id = ctx;
    struct hs_bytes body = hs_tlv_bytes(hs_tlv_bytes(encoded, CERTIFICATE_NODE), SIGNED_BODY);
    (void)key;
    return hs_bytes_equal(hs_tlv_bytes(body, NODE_ID), HS_BYTES(node_id, strlen(node_id))) ? HS_EEXISTS : HS_OK;
}

enum hs_err hs_hall_known(struct hs_call *call, struct hs_view *view, const char *node_id)
{
    enum hs_err err = hs_view_certificates(view, is_of, (void *)(uintptr_t)node_id); /* only read */
    if (err == HS_OK)
        return hs_fail(HS_ENOTFOUND, &call->why, "hall: no node %s is known here", node_id);
    return err == HS_EEXISTS ? HS_OK : err;
}

/* ---- what is here of each ---- */

struct life {
    struct hs_key key;
    uint64_t since_ms;
    uint64_t operations, money;
    uint64_t *origins;
    size_t origin_count, origin_room;
};

struct lives {
    struct hs_call *call;
    struct hs_view *view;
    struct life *list;
    size_t count;
    uint64_t last_origin; /* side by side in each partition */
    struct life *last;
};

static enum hs_err add_life(void *ctx, const struct hs_certificate *certificate)
{
    struct lives *lives = ctx;
    if (lives->count == LIVES_MAX)
        return HS_OK;
    lives->list[lives->count++] = (struct life){.key = certificate->node_key, .since_ms = certificate->issued_ms};
    return HS_OK;
}

static int compare_lives(const void *a, const void *b)
{
    const struct life *one = a, *other = b;
    return one->since_ms < other->since_ms ? -1 : one->since_ms > other->since_ms;
}

static struct life *find_life(struct lives *lives, uint64_t origin)
{
    struct hs_bytes certificate, opening;
    if (hs_view_origin(lives->view, origin, &certificate, &opening) != HS_OK)
        return NULL;
    struct hs_bytes key = hs_tlv_bytes(hs_tlv_bytes(hs_tlv_bytes(certificate, CERTIFICATE_NODE), SIGNED_BODY),
                                       NODE_KEY);
    for (size_t i = 0; i < lives->count; i++) {
        if (hs_bytes_equal(key, HS_BYTES(lives->list[i].key.bytes, HS_KEY_BYTES)))
            return &lives->list[i];
    }
    return NULL;
}

static bool has_origin(const struct life *life, uint64_t origin)
{
    for (size_t i = 0; i < life->origin_count; i++) {
        if (life->origins[i] == origin)
            return true;
    }
    return false;
}

static enum hs_err add_origin(struct lives *lives, struct life *life, uint64_t origin)
{
    if (has_origin(life, origin))
        return HS_OK;
    if (life->origin_count == life->origin_room) {
        size_t room = life->origin_room == 0 ? 16 : 2 * life->origin_room;
        uint64_t *list = room <= ORIGINS_MAX ? hs_arena_array(&lives->call->scratch, room, sizeof *list) : NULL;
        if (list == NULL)
            return HS_ENOMEM;
        if (life->origin_count > 0)
            memcpy(list, life->origins, life->origin_count * sizeof *list);
        life->origins = list;
        life->origin_room = room;
    }
    life->origins[life->origin_count++] = origin;
    return HS_OK;
}

static enum hs_err take_head(void *ctx, const struct hs_head *head)
{
    struct lives *lives = ctx;
    if (lives->last == NULL || head->stream.origin != lives->last_origin)
        lives->last = find_life(lives, head->stream.origin);
    lives->last_origin = head->stream.origin;
    if (lives->last == NULL)
        return HS_OK;
    lives->last->operations += head->n;
    lives->last->money += head->stream.lane == HS_LANE_MONEY ? head->n : 0;
    return add_origin(lives, lives->last, head->stream.origin);
}

/* A witness has no records, and adds up no payments. */
static void add_payments(const struct lives *lives, const struct life *life, Hallsync__Life *row)
{
    struct hs_totals_filter filter = {.origins = life->origins, .origin_count = life->origin_count};
    struct hs_totals totals = {0};
    if (life->origin_count > 0 && hs_view_totals(lives->view, &filter, &totals) != HS_OK)
        return;
    row->has_payments = row->has_sum_fen = true;
    row->payments = totals.count;
    row->sum_fen = totals.sum_fen;
}

static enum hs_err put_life(const struct lives *lives, const struct life *life)
{
    const struct hs_store *store = lives->call->desk->options.store;
    char key[KEY_TEXT];
    struct hs_revocation revocation;
    Hallsync__Life row = HALLSYNC__LIFE__INIT;
    hs_text_to_hex(HS_BYTES(life->key.bytes, HS_KEY_BYTES), key);
    row.key = key;
    row.since_ms = life->since_ms;
    row.own = hs_key_equal(&life->key, &hs_store_certificate(store)->node_key);
    enum hs_err err = hs_revoked_read(store, lives->view, &life->key, &revocation);
    if (err != HS_OK && err != HS_ENOTFOUND)
        return err;
    row.revoked = err == HS_OK;
    row.origins = life->origin_count;
    row.operations = life->operations;
    row.money = life->money;
    add_payments(lives, life, &row);
    hs_call_put(&lives->call->body, REPLY_LIVES, &row.base);
    return lives->call->body.err;
}

enum hs_err hs_lives_read(struct hs_call *call, struct hs_view *view)
{
    const char *node_id = call->request->lives->node_id;
    struct lives lives = {.call = call, .view = view};
    lives.list = hs_arena_array(&call->scratch, LIVES_MAX, sizeof *lives.list);
    if (lives.list == NULL)
        return HS_ENOMEM;
    enum hs_err err = hs_lives_of(call->desk->options.store, view, node_id, add_life, &lives);
    if (err == HS_OK && lives.count == 0)
        return hs_fail(HS_ENOTFOUND, &call->why, "node_id: no node %s has joined, as far as this node knows", node_id);
    if (err == HS_OK)
        err = hs_view_heads(view, take_head, &lives);
    if (err != HS_OK)
        return err;
    qsort(lives.list, lives.count, sizeof *lives.list, compare_lives);
    for (size_t i = 0; i < lives.count && err == HS_OK; i++)
        err = put_life(&lives, &lives.list[i]);
    return err;
}
