#include "node/service/look.h"
#include "node/service/settled.h"

#include "proto/msg/tlv.h"

#include <stdlib.h>
#include <string.h>

enum { PAYMENT_ACCOUNT = 2, SETTLEMENT_ACCOUNT = 2 };
enum { BILL_ACCOUNT = 2 };

/* ---- one record ---- */

static enum hs_err decode(struct hs_bytes state, struct hs_arena *arena, struct hs_record *record)
{
    enum hs_err err = hs_record_decode(state, arena, record);
    return err == HS_EMALFORMED ? HS_EDAMAGED : err;
}

static enum hs_err join(struct hs_bytes a, struct hs_bytes b, struct hs_arena *arena, struct hs_bytes *state)
{
    struct hs_record one, other, both;
    struct hs_buf buf = {0};
    enum hs_err err = decode(a, arena, &one);
    if (err == HS_OK)
        err = decode(b, arena, &other);
    if (err == HS_OK)
        err = hs_record_join(&one, &other, arena, &both);
    if (err != HS_OK)
        return err;
    hs_record_encode(&both, &buf);
    err = buf.err;
    *state = hs_arena_copy(arena, hs_buf_bytes(&buf));
    if (err == HS_OK && state->size != buf.size)
        err = HS_ENOMEM;
    hs_buf_fini(&buf);
    return err;
}

/* As the hub had it, with what this node wrote to it. */
static enum hs_err joined(const struct hs_look *look, const struct hs_asked *asked, struct hs_stored *stored)
{
    struct hs_stored own;
    enum hs_err err = hs_view_record(look->view, &asked->stored.name, &own);
    *stored = asked->stored;
    if (err == HS_ENOTFOUND)
        return HS_OK;
    return err == HS_OK ? join(own.state, asked->stored.state, look->arena, &stored->state) : err;
}

enum hs_err hs_look_find(const struct hs_look *look, uint16_t kind, struct hs_bytes id, struct hs_stored *stored)
{
    const struct hs_asked *asked = hs_foreign_record(look->foreign, kind, id);
    return asked != NULL ? joined(look, asked, stored) : hs_view_find(look->view, kind, id, stored);
}

/* ---- by index ---- */

struct found {
    const struct hs_look *look;
    struct hs_stored *list;
    size_t count, room;
};

static bool add(struct found *found, const struct hs_stored *stored)
{
    if (found->count == found->room) {
        size_t room = found->room == 0 ? 16 : 2 * found->room;
        struct hs_stored *list = hs_arena_array(found->look->arena, room, sizeof *list);
        if (list == NULL)
            return false;
        if (found->count > 0)
            memcpy(list, found->list, found->count * sizeof *list);
        found->list = list;
        found->room = room;
    }
    found->list[found->count++] = *stored;
    return true;
}

/* One of this node's store that the hub has not told of. */
static enum hs_err add_own(void *ctx, const struct hs_stored *stored)
{
    struct found *found = ctx;
    struct hs_stored copy = *stored;
    if (hs_foreign_record(found->look->foreign, stored->name.kind, stored->name.id) != NULL)
        return HS_OK;
    copy.name.id = hs_arena_copy(found->look->arena, stored->name.id); /* the scan's key goes on */
    if (copy.name.id.data == NULL || !add(found, &copy))
        return HS_ENOMEM;
    return found->count > HS_PAGE_RECORDS_MAX ? HS_EEXISTS : HS_OK; /* nobody shows more at once */
}

struct sought {
    struct hs_bytes key;
    bool found;
};

static void compare_key(void *ctx, struct hs_bytes key)
{
    struct sought *sought = ctx;
    sought->found = sought->found || hs_bytes_equal(sought->key, key);
}

/* Would the store's index find the record under this key? */
static enum hs_err shows(const struct hs_look *look, const struct hs_stored *stored, const struct hs_index *index,
                         struct hs_bytes key, bool *does)
{
    struct hs_record record;
    struct sought sought = {.key = key};
    struct hs_buf shown = {0};
    uint8_t number = index->number;
    enum hs_err err = decode(stored->state, look->arena, &record);
    if (err == HS_OK)
        err = hs_record_shown(&record, &shown);
    const struct hs_kind *kind = hs_kind_by_number(stored->name.kind);
    for (; err == HS_OK && index < kind->indexes + kind->index_count && index->number == number; index++)
        err = hs_index_keys(index, hs_buf_bytes(&shown), compare_key, &sought);
    *does = err == HS_OK && sought.found;
    hs_buf_fini(&shown);
    return err;
}

static bool is_behind(const struct hs_record_name *name, struct hs_bytes after)
{
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    return after.size == 0 || hs_bytes_compare(HS_BYTES(key, hs_record_key(name, key)), after) > 0;
}

static enum hs_err add_foreign(struct found *found, const struct hs_ask *ask, const struct hs_index *index)
{
    const struct hs_foreign *foreign = found->look->foreign;
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < foreign->count && err == HS_OK; i++) {
        struct hs_stored stored;
        bool does = false;
        if (foreign->records[i].stored.name.kind != ask->kind ||
            !is_behind(&foreign->records[i].stored.name, ask->after))
            continue;
        err = joined(found->look, &foreign->records[i], &stored);
        if (err == HS_OK)
            err = shows(found->look, &stored, index, ask->key, &does);
        if (err == HS_OK && does && !add(found, &stored))
            err = HS_ENOMEM;
    }
    return err;
}

static int compare_stored(const void *a, const void *b)
{
    uint8_t one[HS_RECORD_KEY_BYTES_MAX], other[HS_RECORD_KEY_BYTES_MAX];
    size_t one_size = hs_record_key(&((const struct hs_stored *)a)->name, one);
    size_t other_size = hs_record_key(&((const struct hs_stored *)b)->name, other);
    return hs_bytes_compare(HS_BYTES(one, one_size), HS_BYTES(other, other_size));
}

static const struct hs_index *index_of(const struct hs_kind *kind, uint8_t number)
{
    for (size_t i = 0; i < kind->index_count; i++) {
        if (kind->indexes[i].number == number)
            return &kind->indexes[i];
    }
    return NULL;
}

enum hs_err hs_look_index(const struct hs_look *look, const struct hs_ask *ask, hs_visit_record visit, void *ctx)
{
    struct found found = {.look = look};
    const struct hs_index *index = index_of(hs_kind_by_number(ask->kind), ask->index);
    if (look->foreign == NULL)
        return hs_view_index(look->view, ask->kind, ask->index, ask->key, ask->after, visit, ctx);
    enum hs_err err = hs_view_index(look->view, ask->kind, ask->index, ask->key, ask->after, add_own, &found);
    if (err == HS_OK || err == HS_EEXISTS)
        err = add_foreign(&found, ask, index);
    if (err != HS_OK || found.count == 0)
        return err;
    qsort(found.list, found.count, sizeof *found.list, compare_stored);
    for (size_t i = 0; i < found.count && err == HS_OK; i++)
        err = visit(ctx, &found.list[i]);
    return err;
}

/* ---- money of a bill ---- */

struct billing {
    const struct hs_look *look;
    struct hs_bytes account;
    struct hs_bytes bill_id;
    struct hs_bill_sums *sums;
    hs_partition partition; /* of the payment whose reversals are being counted */
    int64_t amount_fen;
};

enum hs_err hs_look_message(const struct hs_look *look, const struct hs_stored *stored, struct hs_bytes *message)
{
    struct hs_record record;
    struct hs_buf shown = {0};
    enum hs_err err = decode(stored->state, look->arena, &record);
    if (err == HS_OK)
        err = hs_record_shown(&record, &shown);
    *message = err == HS_OK ? hs_arena_copy(look->arena, hs_buf_bytes(&shown)) : HS_BYTES_NONE;
    if (err == HS_OK && message->size != shown.size)
        err = HS_ENOMEM;
    hs_buf_fini(&shown);
    return err;
}

static enum hs_err take_reversal(void *ctx, const struct hs_stored *stored)
{
    struct billing *billing = ctx;
    if (stored->name.partition == billing->partition)
        billing->sums->paid_fen -= billing->amount_fen;
    return HS_OK;
}

static enum hs_err take_payment(void *ctx, const struct hs_stored *stored)
{
    struct billing *billing = ctx;
    struct hs_bytes message;
    enum hs_err err = hs_look_message(billing->look, stored, &message);
    if (err != HS_OK || !hs_bytes_equal(hs_tlv_bytes(message, PAYMENT_ACCOUNT), billing->account))
        return err;
    billing->partition = stored->name.partition;
    billing->amount_fen = hs_payment_gives(message, billing->bill_id);
    billing->sums->paid_fen += billing->amount_fen;
    struct hs_ask reversals = {.kind = HS_KIND_REVERSAL, .key = stored->name.id};
    reversals.index = hs_kind_index(hs_kind_by_number(HS_KIND_REVERSAL), "payment_id")->number;
    return hs_look_index(billing->look, &reversals, take_reversal, billing);
}

static enum hs_err take_settled(void *ctx, const struct hs_record_name *name, const struct hs_variant *settlement)
{
    const struct billing *billing = ctx;
    (void)name;
    if (!hs_bytes_equal(hs_tlv_bytes(settlement->bytes, SETTLEMENT_ACCOUNT), billing->account))
        return HS_OK;
    int64_t gives = hs_settlement_gives(settlement->bytes, billing->bill_id);
    billing->sums->paid_fen += gives;
    billing->sums->settled_fen -= gives;
    return HS_OK;
}

enum hs_err hs_look_bill(const struct hs_look *look, const char *account, struct hs_bytes bill_id,
                         struct hs_bill_sums *sums)
{
    struct billing billing = {
        .look = look, .account = HS_BYTES(account, strlen(account)), .bill_id = bill_id, .sums = sums};
    struct hs_stored stored;
    struct hs_bytes message = HS_BYTES_NONE;
    if (look->foreign == NULL)
        return hs_view_bill(look->view, account, bill_id, sums);
    *sums = (struct hs_bill_sums){0};
    enum hs_err err = hs_look_find(look, HS_KIND_BILL, bill_id, &stored);
    if (err == HS_OK)
        err = hs_look_message(look, &stored, &message);
    if (err != HS_OK && err != HS_ENOTFOUND)
        return err;
    sums->known = err == HS_OK && hs_bytes_equal(hs_tlv_bytes(message, BILL_ACCOUNT), billing.account);
    sums->amount_fen = sums->known ? hs_bill_most(message) : 0;
    struct hs_ask payments = {.kind = HS_KIND_PAYMENT, .key = bill_id};
    payments.index = hs_kind_index(hs_kind_by_number(HS_KIND_PAYMENT), "bill_id")->number;
    err = hs_look_index(look, &payments, take_payment, &billing);
    return err == HS_OK ? hs_look_settled(look, "bill_id", bill_id, take_settled, &billing) : err;
}

/* ---- safety ---- */

static bool has_dot(const struct hs_record *record, const struct hs_dot *dot)
{
    bool has = false;
    for (size_t i = 0; i < record->variant_count && !has; i++)
        has = hs_dot_compare(&record->variants[i].dot, dot) == 0;
    for (size_t i = 0; i < record->applied_count && !has; i++)
        has = record->applied[i].origin == dot->origin && record->applied[i].n >= dot->n;
    return has;
}

enum hs_safety hs_look_safety(const struct hs_look *look, const struct hs_record_name *name, const struct hs_dot *dot)
{
    struct hs_stream stream = {.origin = dot->origin, .partition = name->partition, .lane = name->lane};
    enum hs_safety here = hs_view_safety(look->view, &stream, dot->n);
    const struct hs_asked *asked = hs_foreign_record(look->foreign, name->kind, name->id);
    struct hs_record record;
    bool there = asked != NULL && hs_record_decode(asked->stored.state, look->arena, &record) == HS_OK &&
                 has_dot(&record, dot);
    return there && here < HS_SAFETY_HUB ? HS_SAFETY_HUB : here;
}
