/* Questions of other nodes about records that they do not hold. */
#include "proto/msg/tlv.h"
#include "storage/model/kinds.h"
#include "storage/model/record.h"
#include "storage/store/inside.h"

struct answering {
    struct hs_view *view;
    hs_visit_asked visit;
    void *ctx;
    bool for_bill; /* what goes with it are payments, with which their reversals go */
    bool by_id;
};

enum { APPOINTMENT_SLOT = 2 };

/* What is needed to show a record, beyond itself. */
static const struct {
    uint16_t kind, beside;
    const char *index;
} BESIDE[] = {
    {HS_KIND_BILL, HS_KIND_PAYMENT, "bill_id"},
    {HS_KIND_BILL, HS_KIND_SETTLEMENT, "bill_id"},
    {HS_KIND_PAYMENT, HS_KIND_REVERSAL, "payment_id"},
    {HS_KIND_PAYMENT, HS_KIND_SETTLEMENT, "facts"},
    {HS_KIND_SETTLEMENT, HS_KIND_CASH_ENTRY, "fact_id"},
    {HS_KIND_PAYMENT, HS_KIND_CASH_ENTRY, "fact_id"},
    {HS_KIND_REVERSAL, HS_KIND_CASH_ENTRY, "fact_id"},
    {HS_KIND_TICKET, HS_KIND_TICKET_EVENT, "ticket_id"},
    {HS_KIND_QUEUE_TICKET, HS_KIND_QUEUE_EVENT, "queue_id"},
    {HS_KIND_CASH_ENTRY, HS_KIND_REPRINT, "number"},
    {HS_KIND_SLOT, HS_KIND_APPOINTMENT, "slot_id"},
    {HS_KIND_APPOINTMENT, HS_KIND_APPOINTMENT_EVENT, "appointment_id"},
};

static bool is_whole(const struct answering *answering, hs_partition partition)
{
    return hs_view_whole(answering->view, partition);
}

/* A scope names at most so many districts: who holds one more holds all. */
bool hs_store_holds_all(const struct hs_store *store)
{
    bool holds = true;
    for (hs_partition district = 0; district <= HS_SCOPE_MAX && holds; district++)
        holds = hs_store_holds(store, district);
    return holds;
}

static enum hs_err visit_index(struct answering *answering, uint16_t kind, const char *index, struct hs_bytes key,
                               hs_visit_record visit)
{
    uint8_t number = hs_kind_index(hs_kind_by_number(kind), index)->number;
    return hs_view_index(answering->view, kind, number, key, HS_BYTES_NONE, visit, answering);
}

/* Of settlements only those that count: who asks has no list of the others. */
static bool is_told(struct hs_view *view, const struct hs_record_name *name)
{
    return name->kind != HS_KIND_SETTLEMENT ||
           (!hs_view_listed(view, HS_LIST_NOT_OWNER, name) && !hs_view_listed(view, HS_LIST_SETTLED_TWICE, name));
}

static enum hs_err put_beside(void *ctx, const struct hs_stored *stored)
{
    struct answering *answering = ctx;
    if (!is_told(answering->view, &stored->name))
        return HS_OK;
    struct hs_asked asked = {.stored = *stored, .beside = true};
    enum hs_err err = answering->visit(answering->ctx, &asked);
    if (err == HS_OK && answering->for_bill && stored->name.kind == HS_KIND_PAYMENT)
        err = visit_index(answering, HS_KIND_REVERSAL, "payment_id", stored->name.id, put_beside);
    if (err == HS_OK && stored->name.kind == HS_KIND_APPOINTMENT)
        err = visit_index(answering, HS_KIND_APPOINTMENT_EVENT, "appointment_id", stored->name.id, put_beside);
    return err;
}

/* Whether an appointment has a seat the whole of its slot says: of one that is asked for by its id, that comes with it.
 */
static enum hs_err put_slot_of(struct answering *answering, const struct hs_stored *appointment)
{
    struct hs_record record;
    struct hs_stored slot;
    struct hs_arena arena;
    struct hs_record_name name = {.partition = appointment->name.partition, .lane = HS_LANE_WORK, .kind = HS_KIND_SLOT};
    hs_arena_init(&arena, 0);
    enum hs_err err = hs_record_decode(appointment->state, &arena, &record);
    if (err == HS_OK && record.variant_count > 0)
        name.id = hs_tlv_bytes(record.variants[0].bytes, APPOINTMENT_SLOT);
    if (err == HS_OK)
        err = name.id.size != 0 ? hs_view_record(answering->view, &name, &slot) : HS_ENOTFOUND;
    if (err == HS_OK)
        err = put_beside(answering, &slot);
    if (err == HS_OK)
        err = visit_index(answering, HS_KIND_APPOINTMENT, "slot_id", name.id, put_beside);
    hs_arena_fini(&arena);
    return err == HS_ENOTFOUND ? HS_OK : err == HS_EMALFORMED ? HS_EDAMAGED : err;
}

static enum hs_err put_whole(struct answering *answering, const struct hs_stored *stored)
{
    struct hs_asked asked = {.stored = *stored};
    enum hs_err err = answering->visit(answering->ctx, &asked);
    answering->for_bill = stored->name.kind == HS_KIND_BILL;
    for (size_t i = 0; i < sizeof BESIDE / sizeof *BESIDE && err == HS_OK; i++) {
        if (BESIDE[i].kind == stored->name.kind)
            err = visit_index(answering, BESIDE[i].beside, BESIDE[i].index, stored->name.id, put_beside);
    }
    if (err == HS_OK && answering->by_id && stored->name.kind == HS_KIND_APPOINTMENT)
        err = put_slot_of(answering, stored);
    return err;
}

/* Of a district that is not held only a few records are here, and of these a few writes. */
static enum hs_err put_found(void *ctx, const struct hs_stored *stored)
{
    struct answering *answering = ctx;
    return is_whole(answering, stored->name.partition) ? put_whole(answering, stored) : HS_OK;
}

static bool is_behind(const struct hs_record_name *name, struct hs_bytes after)
{
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    return hs_bytes_compare(HS_BYTES(key, hs_record_key(name, key)), after) > 0;
}

static enum hs_err answer_by_id(struct answering *answering, const struct hs_kind *kind, const struct hs_ask *ask,
                                const hs_partition *home)
{
    struct hs_stored stored;
    struct hs_record_name name = {.lane = (uint8_t)kind->lane, .kind = kind->number, .id = ask->key};
    enum hs_err err;
    if (home != NULL) {
        name.partition = *home;
        err = hs_view_record(answering->view, &name, &stored);
    } else {
        err = hs_view_find(answering->view, kind->number, ask->key, &stored);
    }
    if (err == HS_OK && is_whole(answering, stored.name.partition))
        return is_behind(&stored.name, ask->after) ? put_whole(answering, &stored) : HS_OK;
    if (err != HS_OK && err != HS_ENOTFOUND)
        return err;
    return home != NULL || hs_store_holds_all(answering->view->store) ? HS_OK : HS_ENOTHERE;
}

static enum hs_err answer(struct answering *answering, const struct hs_ask *ask, const struct hs_kind *kind,
                          const struct hs_index *index)
{
    hs_partition home;
    bool at_home = hs_kind_found_in(kind, index, ask->key, &home);
    if (at_home && !is_whole(answering, home))
        return hs_store_holds(answering->view->store, home) ? HS_EFILLING : HS_ENOTHERE;
    if (index == NULL)
        return answer_by_id(answering, kind, ask, at_home ? &home : NULL);
    enum hs_err err = hs_view_index(answering->view, kind->number, index->number, ask->key, ask->after, put_found,
                                    answering);
    return err == HS_OK && !at_home && !hs_store_holds_all(answering->view->store) ? HS_ENOTHERE : err;
}

/* Behind a record of this kind, or nothing: else what an index finds and what comes behind it were two orders. */
static bool may_go_on(const struct hs_kind *kind, struct hs_bytes after)
{
    struct hs_record_name name;
    return after.size == 0 ||
           (hs_record_from_key(after, &name) == HS_OK && name.kind == kind->number && name.lane == kind->lane);
}

enum hs_err hs_view_ask(struct hs_view *view, const struct hs_ask *ask, hs_visit_asked visit, void *ctx)
{
    struct answering answering = {.view = view, .visit = visit, .ctx = ctx, .by_id = ask->index == 0};
    const struct hs_kind *kind = hs_kind_by_number(ask->kind);
    const struct hs_index *index = NULL;
    for (size_t i = 0; kind != NULL && i < kind->index_count; i++) {
        if (kind->indexes[i].number == ask->index && kind->indexes[i].field != 0)
            index = &kind->indexes[i];
    }
    if (kind == NULL || (ask->index != 0 && index == NULL) || !may_go_on(kind, ask->after))
        return HS_EINVAL;
    return answer(&answering, ask, kind, index);
}
