/* Records of one kind, each judged and written on its own, as one job of the writer. */
#include "node/service/handlers.h"
#include "node/service/put.h"

#include "proto/msg/tlv.h"

#include <string.h>

#define ITEM_WEIGHT 256 /* what an op weighs beyond twice its record: entry, dots, request */

enum { REPLY_RESULTS = 1 };
enum {
    RESULT_ERROR = 1,
    RESULT_TEXT,
    RESULT_FIELD,
    RESULT_ID,
    RESULT_RESULT,
    RESULT_SAFE,
    RESULT_RECEIPT,
    RESULT_REPRINTS,
    RESULT_NUMBER = 30,
    RESULT_OF
};

struct batch {
    struct hs_item *items;
    size_t count;
};

/* Kinds with rules of their own; the others are written by their shape. */
static const struct {
    uint16_t kind;
    enum hs_err (*write)(struct hs_work *work, const struct hs_item *item);
} WRITES[] = {
    {HS_KIND_PAYMENT, hs_payment_write},
    {HS_KIND_REVERSAL, hs_reversal_write},
    {HS_KIND_TICKET, hs_ticket_write},
    {HS_KIND_TICKET_EVENT, hs_event_write},
    {HS_KIND_QUEUE_TICKET, hs_queue_ticket_write},
    {HS_KIND_QUEUE_EVENT, hs_queue_event_write},
    {HS_KIND_REPRINT, hs_reprint_write},
    {HS_KIND_SETTLEMENT, hs_settlement_write},
    {HS_KIND_GRANT, hs_grant_write},
    {HS_KIND_INVOICE_REQUEST, hs_invoice_write},
    {HS_KIND_TITLE_CHANGE, hs_transfer_write},
    {HS_KIND_SUBSCRIPTION, hs_subscription_write},
    {HS_KIND_REMINDER, hs_reminder_write},
    {HS_KIND_WINDOW_EVENT, hs_window_write},
    {HS_KIND_HANDING_IN, hs_handing_write},
    {HS_KIND_CATALOGUE, hs_catalogue_write},
    {HS_KIND_SLOT, hs_slot_write},
    {HS_KIND_APPOINTMENT, hs_appointment_write},
    {HS_KIND_APPOINTMENT_EVENT, hs_appointment_event_write},
};

/* ---- the answer ---- */

static void put_refusal(const struct hs_item *item, const struct hs_refusal *refusal, struct hs_buf *to)
{
    const char *text = refusal->why.text[0] != '\0' ? refusal->why.text : hs_err_text(refusal->err);
    const char *field = refusal->field != 0 ? hs_kind_field_name(item->kind, refusal->field) : NULL;
    hs_tlv_put_text(to, RESULT_ERROR, hs_err_name(refusal->err));
    hs_tlv_put_text(to, RESULT_TEXT, text);
    if (field != NULL)
        hs_tlv_put_text(to, RESULT_FIELD, field);
    if (item->id_text != NULL)
        hs_tlv_put_text(to, RESULT_ID, item->id_text);
}

static void put_outcome(const struct hs_item *item, const struct hs_outcome *out, struct hs_buf *to)
{
    hs_tlv_put_text(to, RESULT_ID, out->id[0] != '\0' ? out->id : item->id_text);
    hs_tlv_put_u64(to, RESULT_RESULT, out->result);
    hs_tlv_put_u64(to, RESULT_SAFE, out->safe);
    if (out->receipt[0] != '\0')
        hs_tlv_put_text(to, RESULT_RECEIPT, out->receipt);
    if (out->number[0] != '\0')
        hs_tlv_put_text(to, RESULT_NUMBER, out->number);
    if (out->of[0] != '\0')
        hs_tlv_put_text(to, RESULT_OF, out->of);
    if (out->reprints != 0)
        hs_tlv_put_u64(to, RESULT_REPRINTS, out->reprints);
}

/* @refusal: NULL if it was done. */
static void answer(struct hs_call *call, const struct hs_item *item, const struct hs_refusal *refusal,
                   const struct hs_outcome *out)
{
    hs_buf_reset(&call->bytes);
    if (refusal != NULL)
        put_refusal(item, refusal, &call->bytes);
    else
        put_outcome(item, out, &call->bytes);
    if (call->bytes.err != HS_OK)
        call->body.err = call->bytes.err;
    hs_tlv_put_bytes(&call->body, REPLY_RESULTS, hs_buf_bytes(&call->bytes));
}

/* ---- on the service's thread ---- */

static void choose_write(struct hs_item *common)
{
    common->write = common->kind->shape == HS_SHAPE_FACT ? hs_fact_write : hs_register_write;
    for (size_t i = 0; i < sizeof WRITES / sizeof *WRITES; i++) {
        if (WRITES[i].kind == common->kind->number)
            common->write = WRITES[i].write;
    }
}

/* What all items of the request have in common. */
static enum hs_err find_kind(struct hs_call *call, struct hs_item *common)
{
    const Hallsync__PutRequest *put = call->request->put;
    *common = (struct hs_item){.kind = hs_kind_by_number(put->kind)};
    if (common->kind == NULL)
        return hs_fail(HS_EKIND, &call->why, "there is no kind %u", (unsigned)put->kind);
    if (common->kind->by == HS_BY_NODE)
        return hs_fail(HS_EINVAL, &call->why, "a %s is made by the node, not by its clients", common->kind->name);
    choose_write(common);
    const struct hs_certificate *own = hs_store_certificate(call->desk->options.store);
    if (!hs_certificate_allows(own, put->kind, HS_PARTITION_REGION))
        return hs_fail(HS_ENOTHUB, &call->why, "a %s is not written by a %s; write it at a hub", common->kind->name,
                       hs_role_text(own->role));
    if (put->n_records == 0 || put->n_records > HS_REQUEST_RECORDS_MAX)
        return hs_fail(HS_EINVAL, &call->why, "a request writes 1 to %d records, not %zu", HS_REQUEST_RECORDS_MAX,
                       put->n_records);
    return HS_OK;
}

/* Nothing of it can be written: answered without troubling the writer. */
static enum hs_err refuse_all(struct hs_call *call, const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        answer(call, &batch->items[i], batch->items[i].refused, NULL);
    call->answered = true;
    call->why = batch->items[0].refused->why;
    return batch->items[0].refused->err;
}

static enum hs_err finish_batch(struct hs_call *call, struct batch *batch)
{
    size_t refused = 0;
    for (size_t i = 0; i < batch->count; i++) {
        refused += batch->items[i].refused != NULL;
        call->job.weight += 2 * batch->items[i].message.size + ITEM_WEIGHT;
    }
    call->plan = batch;
    call->lane = batch->items[0].kind->lane;
    return refused < batch->count ? HS_OK : refuse_all(call, batch);
}

static struct batch *new_batch(struct hs_call *call, size_t count)
{
    struct batch *batch = hs_arena_alloc(&call->arena, sizeof *batch);
    if (batch == NULL)
        return NULL;
    batch->items = hs_arena_array(&call->arena, count, sizeof *batch->items);
    batch->count = count;
    return batch->items != NULL ? batch : NULL;
}

enum hs_err hs_batch_one(struct hs_call *call, const struct hs_item *item)
{
    struct batch *batch = new_batch(call, 1);
    if (batch == NULL)
        return HS_ENOMEM;
    batch->items[0] = *item;
    return finish_batch(call, batch);
}

enum hs_err hs_put_prepare(struct hs_call *call)
{
    const Hallsync__PutRequest *put = call->request->put;
    struct hs_item common;
    enum hs_err err = find_kind(call, &common);
    if (err != HS_OK)
        return err;
    struct batch *batch = new_batch(call, put->n_records);
    if (batch == NULL)
        return HS_ENOMEM;
    for (size_t i = 0; i < batch->count && err == HS_OK; i++) {
        batch->items[i] = common;
        batch->items[i].put = put->records[i];
        err = hs_item_prepare(call, i, &batch->items[i]);
    }
    return err == HS_OK ? finish_batch(call, batch) : err;
}

/* ---- on the writer's thread ---- */

bool hs_work_wants(struct hs_work *work, uint16_t kind, struct hs_bytes id)
{
    if (work->wanted == NULL)
        return false;
    *work->wanted = (struct hs_ask){.kind = kind, .key = id};
    return true;
}

/* HS_OK and the refusal or the outcome in @work; anything else ends the group. */
static enum hs_err run_item(struct hs_work *work, const struct hs_item *item)
{
    hs_arena_reset(work->scratch);
    hs_buf_reset(work->bytes);
    work->refusal = (struct hs_refusal){0};
    work->out = (struct hs_outcome){0};
    if (item->refused != NULL) {
        work->refusal = *item->refused;
        return HS_OK;
    }
    enum hs_err err = item->write(work, item);
    bool torn = work->call->job.torn; /* it has written, and cannot be told of */
    if (err != HS_OK && (torn || !hs_refused_alone(err)))
        return err;
    work->refusal.err = err;
    return HS_OK;
}

enum hs_err hs_put_run(struct hs_call *call, struct hs_store *store)
{
    struct hs_view *view = hs_store_view(store);
    struct hs_work work = {
        .call = call,
        .desk = call->desk,
        .store = store,
        .view = view,
        .look = {.desk = call->desk, .view = view, .foreign = call->foreign, .arena = &call->scratch},
        .answered = call->foreign != NULL,
        .scratch = &call->scratch,
        .bytes = &call->bytes,
        .now_ms = hs_now_ms()};
    const struct batch *batch = call->plan;
    enum hs_err refused = HS_OK;
    size_t done = 0;
    if (call->asking == HS_ASKING_NOT)
        call->ask = (struct hs_ask){0};
    if (call->asking == HS_ASKING_NOT && batch->count == 1 && call->desk->options.hooks.ask != NULL)
        work.wanted = &call->ask;
    for (size_t i = 0; i < batch->count; i++) {
        const struct hs_item *item = &batch->items[i];
        enum hs_err err = run_item(&work, item);
        if (err != HS_OK) {
            call->job.torn = true; /* this item, or one before it, may have written */
            return err;
        }
        bool ok = work.refusal.err == HS_OK;
        done += ok;
        if (!ok && refused == HS_OK) {
            refused = work.refusal.err;
            call->why = work.refusal.why;
        }
        answer(call, item, ok ? NULL : &work.refusal, &work.out);
    }
    call->answered = true;
    return done > 0 ? HS_OK : refused;
}
