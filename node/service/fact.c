/* Facts: those that are here already (a retry, a second import, or another content under the same id), and new ones. */
#include "node/service/put.h"

#include "proto/msg/tlv.h"

#include <string.h>

enum { ENTRY_NUMBER = 1, ENTRY_AMOUNT = 3, ENTRY_FACT_KIND = 4 };
enum { INDEX_ENTRY_FACT = 1 };       /* of cash entries */
enum { INDEX_REVERSAL_PAYMENT = 1 }; /* of reversals */

Hallsync__Safety hs_safety_of(struct hs_view *view, const struct hs_record_name *name, const struct hs_dot *dot)
{
    struct hs_stream stream = {.origin = dot->origin, .partition = name->partition, .lane = name->lane};
    return (Hallsync__Safety)hs_view_safety(view, &stream, dot->n);
}

/* A hub's own commit is at a hub. */
Hallsync__Safety hs_safety_here(const struct hs_desk *desk)
{
    bool hub = hs_store_certificate(desk->options.store)->role == HS_ROLE_HUB;
    return hub ? HALLSYNC__SAFETY__SAFETY_HUB : HALLSYNC__SAFETY__SAFETY_HERE;
}

enum hs_err hs_fact_variant(const struct hs_stored *stored, struct hs_arena *arena, const struct hs_variant **variant)
{
    struct hs_record record;
    enum hs_err err = hs_record_decode(stored->state, arena, &record);
    if (err != HS_OK)
        return err == HS_EMALFORMED ? HS_EDAMAGED : err;
    *variant = record.variants;
    return record.variant_count > 0 ? HS_OK : HS_ENOTFOUND;
}

static enum hs_err compare(struct hs_work *work, const struct hs_item *item, struct hs_bytes message,
                           const struct hs_stored *stored)
{
    struct hs_record record;
    enum hs_err err = hs_record_decode(stored->state, work->scratch, &record);
    if (err != HS_OK)
        return err == HS_EMALFORMED ? HS_EDAMAGED : err;
    for (size_t i = 0; i < record.variant_count; i++) {
        const struct hs_variant *variant = &record.variants[i];
        if (!hs_bytes_equal(variant->bytes, message))
            continue;
        work->out.result = HALLSYNC__RESULT__RESULT_EXISTS;
        work->out.safe = (Hallsync__Safety)hs_look_safety(&work->look, &stored->name, &variant->dot);
        return HS_OK;
    }
    return hs_refuse(&work->refusal, HS_EDIFFERS, 0, "another %s with other content has the id %s", item->kind->name,
                     item->id_text);
}

enum hs_err hs_fact_known(struct hs_work *work, const struct hs_item *item, struct hs_bytes message)
{
    struct hs_stored stored;
    enum hs_err err = hs_look_find(&work->look, item->kind->number, item->id, &stored);
    if (err == HS_OK)
        err = compare(work, item, message, &stored);
    else if (err != HS_ENOTFOUND)
        return err;
    if (err == HS_OK && item->kind->lane == HS_LANE_MONEY)
        err = hs_fact_receipt(&work->look, item->kind->number, item->id, work->out.receipt);
    return err;
}

enum hs_err hs_fact_put(struct hs_work *work, const struct hs_item *item, const struct hs_new_fact *fact)
{
    struct hs_dot dot;
    hs_stamp stamp;
    struct hs_write write = {.kind = item->kind->number, .id = item->id, .is_fact = true, .fact = fact->message};
    struct hs_draft draft = {.partition = fact->partition,
                             .lane = item->kind->lane,
                             .above = fact->above,
                             .writes = &write,
                             .write_count = 1};
    work->out.result = HALLSYNC__RESULT__RESULT_CREATED;
    work->out.safe = hs_safety_here(work->desk);
    return hs_store_write(work->store, &draft, &dot, &stamp);
}

enum hs_err hs_fact_write(struct hs_work *work, const struct hs_item *item)
{
    struct hs_new_fact fact = {.message = item->message};
    enum hs_err err = hs_fact_known(work, item, item->message);
    if (err != HS_ENOTFOUND)
        return err;
    err = hs_item_home(work, item, &fact.partition);
    return err == HS_OK ? hs_fact_put(work, item, &fact) : err;
}

/* ---- the cash entry of a fact ---- */

struct receipt {
    uint16_t kind;
    char *number;
    int64_t amount_fen;
};

static enum hs_err take_number(void *ctx, const struct hs_stored *stored)
{
    struct receipt *receipt = ctx;
    struct hs_arena arena;
    const struct hs_variant *entry;
    hs_arena_init(&arena, 0);
    enum hs_err err = hs_fact_variant(stored, &arena, &entry);
    if (err == HS_OK && hs_tlv_u64(entry->bytes, ENTRY_FACT_KIND, 0) == receipt->kind) {
        struct hs_bytes number = hs_tlv_bytes(entry->bytes, ENTRY_NUMBER);
        if (number.size < HS_NUMBER_BYTES_MAX) {
            memcpy(receipt->number, number.data, number.size);
            receipt->number[number.size] = '\0';
            receipt->amount_fen = hs_tlv_s64(entry->bytes, ENTRY_AMOUNT, 0);
            err = HS_EEXISTS; /* the first one by number: enough */
        }
    }
    hs_arena_fini(&arena);
    return err == HS_ENOTFOUND ? HS_OK : err;
}

static enum hs_err find_receipt(const struct hs_look *look, struct hs_bytes id, struct receipt *wanted)
{
    struct hs_ask entries = {.kind = HS_KIND_CASH_ENTRY, .index = INDEX_ENTRY_FACT, .key = id};
    wanted->number[0] = '\0';
    enum hs_err err = hs_look_index(look, &entries, take_number, wanted);
    return err == HS_EEXISTS ? HS_OK : err;
}

enum hs_err hs_fact_receipt(const struct hs_look *look, uint16_t kind, struct hs_bytes id,
                            char receipt[static HS_NUMBER_BYTES_MAX])
{
    struct receipt wanted = {.kind = kind, .number = receipt};
    return find_receipt(look, id, &wanted);
}

enum hs_err hs_fact_slip(struct hs_work *work, const struct hs_item *item, int64_t amount_fen)
{
    struct receipt wanted = {.kind = item->kind->number, .number = work->out.receipt};
    enum hs_err err = find_receipt(&work->look, item->id, &wanted);
    if (err != HS_OK || work->out.receipt[0] == '\0')
        return err == HS_OK ? HS_ENOTFOUND : err;
    if (wanted.amount_fen != amount_fen)
        return hs_refuse(&work->refusal, HS_EDIFFERS, 0, "another %s with other content has the id %s",
                         item->kind->name, item->id_text);
    return HS_OK;
}

/* ---- the reversal of a payment ---- */

struct reversals {
    hs_partition partition;
    bool found;
};

static enum hs_err look_at(void *ctx, const struct hs_stored *stored)
{
    struct reversals *reversals = ctx;
    if (stored->name.partition != reversals->partition)
        return HS_OK; /* of another district than the payment: it reverses nothing */
    reversals->found = true;
    return HS_EEXISTS;
}

enum hs_err hs_fact_reversed(const struct hs_look *look, const struct hs_record_name *payment, bool *reversed)
{
    struct reversals reversals = {.partition = payment->partition};
    struct hs_ask of_payment = {.kind = HS_KIND_REVERSAL, .index = INDEX_REVERSAL_PAYMENT, .key = payment->id};
    enum hs_err err = hs_look_index(look, &of_payment, look_at, &reversals);
    *reversed = reversals.found;
    return reversals.found ? HS_OK : err;
}
