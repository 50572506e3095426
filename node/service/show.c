#include "node/service/show.h"

#include "node/service/put.h"
#include "node/service/queues.h"
#include "node/service/slots.h"
#include "proto/base/text.h"
#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"
#include "storage/books.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FIELDS_SHOWN_MAX  999 /* numbers above are a record's own book-keeping */
#define ORIGIN_TEXT_BYTES 17
#define CHANGE_BYTES      16
enum { BILL_ACCOUNT = 2 };

/* ---- names ---- */

char *hs_show_id(struct hs_arena *arena, const struct hs_kind *kind, struct hs_bytes id, struct hs_bytes message)
{
    if (kind != NULL && kind->id_form == HS_ID_FIELD)
        return hs_arena_text(arena, id);
    struct hs_bytes text = kind != NULL ? hs_tlv_bytes(message, kind->id_field) : HS_BYTES_NONE;
    if (text.size != 0)
        return hs_arena_text(arena, text);
    char *hex = hs_arena_alloc(arena, 2 * id.size + 1);
    if (hex != NULL)
        hs_text_to_hex(id, hex);
    return hex;
}

enum hs_err hs_show_id_parse(const struct hs_kind *kind, const char *text, struct hs_id *room, struct hs_bytes *id)
{
    size_t size = strlen(text);
    bool hashed;
    *id = HS_BYTES(text, size);
    if (kind->id_form == HS_ID_FIELD)
        return size > 0 && size <= HS_RECORD_ID_BYTES_MAX ? HS_OK : HS_EVALUE;
    *id = HS_BYTES(room->bytes, sizeof room->bytes);
    return hs_id_from_text(text, size, room, &hashed);
}

struct hs_bytes hs_show_node(struct hs_view *view, uint64_t origin)
{
    return hs_books_writer(view, origin);
}

/* ---- values ---- */

static void put_hex(struct hs_bytes bytes, struct hs_buf *to)
{
    for (size_t i = 0; i < bytes.size; i++)
        hs_buf_put_format(to, "%02x", bytes.data[i]);
}

char *hs_show_value(struct hs_arena *arena, const struct hs_kind *kind, uint32_t number, struct hs_bytes value)
{
    const struct hs_field_rule *rule = kind != NULL ? hs_kind_rule(kind, number) : NULL;
    struct hs_buf text = {0};
    if (rule != NULL) {
        struct hs_fields fields = hs_kind_fields(kind);
        hs_field_text(&fields, rule, value, &text);
    } else {
        put_hex(value, &text);
    }
    char *copy = text.err == HS_OK ? hs_arena_text(arena, hs_buf_bytes(&text)) : NULL;
    hs_buf_fini(&text);
    return copy;
}

/* ---- one record being shown ---- */

struct showing {
    struct hs_show *show;
    const struct hs_kind *kind; /* NULL: not known here */
    const struct hs_record_name *name;
    const struct hs_stored *stored;
    struct hs_record state;
    struct hs_bytes message;
    struct hs_dot dot; /* of the write that is shown as its last */
    Hallsync__Record *record;
};

/* Shown values without what only the record itself reads, and with the id where the stored bytes do without. */
static void put_message(const struct showing *showing, struct hs_bytes shown, struct hs_buf *to)
{
    const struct hs_kind *kind = showing->kind;
    struct hs_cur cur = hs_cur_of(shown);
    struct hs_tlv tlv;
    if (kind != NULL && kind->id_form != HS_ID_FIELD && hs_tlv_bytes(shown, kind->id_field).size == 0)
        hs_tlv_put_text(to, kind->id_field, showing->record->id);
    if (showing->state.variant_count > 0) {
        hs_buf_put_bytes(to, shown); /* a fact is its bytes, whatever they are */
        return;
    }
    while (hs_tlv_next(&cur, &tlv)) {
        if (tlv.number <= FIELDS_SHOWN_MAX)
            hs_buf_put_bytes(to, tlv.raw);
    }
}

static enum hs_err show_message(struct showing *showing)
{
    struct hs_arena *arena = showing->show->arena;
    struct hs_buf shown = {0};
    struct hs_buf message = {0};
    enum hs_err err = hs_record_shown(&showing->state, &shown);
    showing->record->id = hs_show_id(arena, showing->kind, showing->name->id, hs_buf_bytes(&shown));
    if (err == HS_OK && showing->record->id != NULL) {
        put_message(showing, hs_buf_bytes(&shown), &message);
        err = message.err;
        showing->message = hs_arena_copy(arena, hs_buf_bytes(&message));
        showing->record->record = (ProtobufCBinaryData){.len = showing->message.size,
                                                        .data = (uint8_t *)(uintptr_t)showing->message.data};
    }
    bool copied = showing->record->id != NULL && showing->message.size == message.size;
    hs_buf_fini(&shown);
    hs_buf_fini(&message);
    return err == HS_OK && !copied ? HS_ENOMEM : err;
}

/* ---- who wrote it, when, and how safe it is ---- */

static char *origin_text(struct hs_arena *arena, uint64_t origin)
{
    char *text = hs_arena_alloc(arena, ORIGIN_TEXT_BYTES);
    if (text != NULL)
        snprintf(text, ORIGIN_TEXT_BYTES, "%016" PRIx64, origin);
    return text;
}

static enum hs_err show_writer(struct showing *showing, uint64_t origin, hs_stamp stamp)
{
    Hallsync__Record *record = showing->record;
    struct hs_bytes node = hs_show_node(showing->show->look.view, origin);
    record->has_time_ms = true;
    record->time_ms = hs_stamp_ms(stamp);
    record->origin = origin_text(showing->show->arena, origin);
    if (node.size != 0)
        record->node = hs_arena_text(showing->show->arena, node);
    return record->origin == NULL || (node.size != 0 && record->node == NULL) ? HS_ENOMEM : HS_OK;
}

static enum hs_err show_fact(struct showing *showing)
{
    const struct hs_variant *variant = &showing->state.variants[0];
    showing->record->has_safe = true;
    showing->record->safe = (Hallsync__Safety)hs_look_safety(&showing->show->look, showing->name, &variant->dot);
    showing->dot = variant->dot;
    return show_writer(showing, variant->dot.origin, variant->stamp);
}

static const struct hs_live *last_write(const struct hs_record *state)
{
    const struct hs_live *last = NULL;
    for (size_t i = 0; i < state->field_count; i++) {
        const struct hs_live *shown = hs_field_shown(&state->fields[i]);
        if (shown != NULL && (last == NULL || shown->stamp > last->stamp))
            last = shown;
    }
    return last;
}

static Hallsync__FieldDots *field_dots(struct hs_arena *arena, const struct hs_field_state *field)
{
    Hallsync__FieldDots *dots = hs_arena_alloc(arena, sizeof *dots);
    Hallsync__DotName *names = hs_arena_array(arena, field->live_count, sizeof *names);
    Hallsync__DotName **list = hs_arena_array(arena, field->live_count, sizeof *list);
    if (dots == NULL || names == NULL || list == NULL)
        return NULL;
    hallsync__field_dots__init(dots);
    dots->field = field->number;
    dots->dots = list;
    for (size_t i = 0; i < field->live_count; i++) {
        hallsync__dot_name__init(&names[i]);
        names[i].origin = field->live[i].dot.origin;
        names[i].n = field->live[i].dot.n;
        list[dots->n_dots++] = &names[i];
    }
    return dots;
}

static enum hs_err show_dots(struct showing *showing)
{
    struct hs_arena *arena = showing->show->arena;
    Hallsync__Record *record = showing->record;
    record->dots = hs_arena_array(arena, showing->state.field_count, sizeof *record->dots);
    if (record->dots == NULL)
        return HS_ENOMEM;
    for (size_t i = 0; i < showing->state.field_count; i++) {
        const struct hs_field_state *field = &showing->state.fields[i];
        if (field->live_count == 0 || field->number > FIELDS_SHOWN_MAX)
            continue;
        Hallsync__FieldDots *dots = field_dots(arena, field);
        if (dots == NULL)
            return HS_ENOMEM;
        record->dots[record->n_dots++] = dots;
    }
    return HS_OK;
}

static enum hs_err show_registers(struct showing *showing)
{
    const struct hs_live *last = last_write(&showing->state);
    enum hs_err err = show_dots(showing);
    if (err != HS_OK || last == NULL)
        return err;
    showing->record->has_safe = true;
    showing->record->safe = hs_record_safety(&showing->show->look, showing->name, &showing->state);
    showing->dot = last->dot;
    return show_writer(showing, last->dot.origin, last->stamp);
}

/* ---- what a kind has besides ---- */

static enum hs_err show_receipt(struct showing *showing)
{
    char receipt[HS_NUMBER_BYTES_MAX];
    enum hs_err err = hs_fact_receipt(&showing->show->look, showing->name->kind, showing->name->id, receipt);
    if (err != HS_OK || receipt[0] == '\0')
        return err;
    showing->record->receipt = hs_arena_text(showing->show->arena, HS_BYTES(receipt, strlen(receipt)));
    return showing->record->receipt != NULL ? HS_OK : HS_ENOMEM;
}

static enum hs_err show_payment(struct showing *showing)
{
    bool reversed = false;
    enum hs_err err = hs_fact_reversed(&showing->show->look, showing->name, &reversed);
    showing->record->has_reversed = true;
    showing->record->reversed = reversed;
    return err == HS_OK ? show_receipt(showing) : err;
}

static enum hs_err show_entry(struct showing *showing)
{
    enum hs_err err = hs_receipt_reprints(&showing->show->look, showing->name->id, &showing->record->reprints);
    showing->record->has_reprints = showing->record->reprints != 0;
    return err;
}

static const char *bill_state(const struct hs_due *due)
{
    if (due->end == HS_BILL_CANCELLED)
        return "cancelled";
    if (due->end == HS_BILL_REPLACED)
        return "corrected";
    if (due->due_fen <= 0)
        return due->due_fen < 0 ? "overpaid" : "paid";
    return due->paid_fen > 0 ? "part-paid" : "open";
}

static enum hs_err show_bill(struct showing *showing)
{
    struct hs_bytes account = hs_tlv_bytes(showing->message, BILL_ACCOUNT);
    struct hs_due due;
    if (!hs_account_valid((const char *)account.data, account.size))
        return HS_OK; /* parked: nobody can say what is due */
    Hallsync__BillState *bill = hs_arena_alloc(showing->show->arena, sizeof *bill);
    if (bill == NULL)
        return HS_ENOMEM;
    enum hs_err err = hs_look_due(&showing->show->look, showing->message, &due);
    if (err != HS_OK)
        return err;
    hallsync__bill_state__init(bill);
    bill->paid_fen = due.paid_fen;
    bill->due_fen = due.due_fen;
    bill->has_late_fen = due.asks.late_fen != 0;
    bill->late_fen = due.asks.late_fen;
    bill->has_settled_fen = due.settled_fen != 0;
    bill->settled_fen = due.settled_fen;
    bill->state = (char *)(uintptr_t)bill_state(&due);
    showing->record->bill = bill;
    return HS_OK;
}

static enum hs_err show_ticket(struct showing *showing)
{
    return hs_show_ticket(showing->show, showing->name, showing->message, &showing->record->ticket);
}

/* ---- the queue ---- */

enum { QUEUE_EVENT_TICKET = 2 };

static enum hs_err show_queued(struct showing *showing, const struct hs_stored *ticket, bool detailed)
{
    struct hs_show *show = showing->show;
    struct hs_queued *queued = hs_arena_alloc(show->arena, sizeof *queued);
    if (queued == NULL)
        return HS_ENOMEM;
    enum hs_err err = hs_queued_load(&show->look, ticket, show->arena, queued);
    if (err == HS_OK)
        err = hs_queued_show(queued, show->arena, detailed, &showing->record->queue);
    return err == HS_ENOTFOUND ? HS_OK : err;
}

static enum hs_err show_queue_ticket(struct showing *showing)
{
    return show_queued(showing, showing->stored, showing->show->detailed);
}

/* What a board needs of a change: the ticket as it is now. */
static enum hs_err show_queue_event(struct showing *showing)
{
    struct hs_stored ticket;
    struct hs_bytes id = hs_tlv_bytes(showing->message, QUEUE_EVENT_TICKET);
    enum hs_err err = id.size == HS_ID_BYTES ? hs_look_find(&showing->show->look, HS_KIND_QUEUE_TICKET, id, &ticket)
                                             : HS_ENOTFOUND;
    if (err == HS_OK)
        return show_queued(showing, &ticket, false);
    return err == HS_ENOTFOUND ? HS_OK : err;
}

/* ---- notices ---- */

static enum hs_err show_notices(struct showing *showing)
{
    struct hs_bytes account = showing->name->id;
    if (!showing->show->notices || !hs_account_valid((const char *)account.data, account.size))
        return HS_OK;
    char *text = hs_arena_text(showing->show->arena, account);
    return text != NULL ? hs_notices_show(showing->show, text, showing->record) : HS_ENOMEM;
}

/* ---- appointments ---- */

enum { APPOINTMENT_EVENT_OF = 2 };

static enum hs_err show_slot(struct showing *showing)
{
    struct hs_show *show = showing->show;
    struct hs_slot slot;
    enum hs_err err = hs_slot_load(&show->look, showing->name->partition, showing->name->id, show->arena, &slot);
    return err == HS_OK ? hs_slot_show(&slot, show->arena, show->detailed && !show->counter, &showing->record->slot)
                        : err;
}

static enum hs_err show_appointment(struct showing *showing)
{
    struct hs_show *show = showing->show;
    return hs_appointment_show(&show->look, showing->name, showing->message, show->arena,
                               &showing->record->appointment);
}

static enum hs_err show_appointment_event(struct showing *showing)
{
    struct hs_show *show = showing->show;
    struct hs_stored stored;
    const struct hs_variant *variant;
    struct hs_bytes id = hs_tlv_bytes(showing->message, APPOINTMENT_EVENT_OF);
    enum hs_err err = hs_look_find(&show->look, HS_KIND_APPOINTMENT, id, &stored);
    if (err == HS_OK)
        err = hs_fact_variant(&stored, show->arena, &variant);
    if (err == HS_OK)
        return hs_appointment_show(&show->look, &stored.name, variant->bytes, show->arena,
                                   &showing->record->appointment);
    return err == HS_ENOTFOUND ? HS_OK : err;
}

static const struct {
    uint16_t kind;
    enum hs_err (*show)(struct showing *showing);
} EXTRAS[] = {
    {HS_KIND_CUSTOMER, show_notices},          {HS_KIND_BILL, show_bill},
    {HS_KIND_PAYMENT, show_payment},           {HS_KIND_REVERSAL, show_receipt},
    {HS_KIND_SETTLEMENT, show_receipt},        {HS_KIND_TICKET, show_ticket},
    {HS_KIND_QUEUE_TICKET, show_queue_ticket}, {HS_KIND_QUEUE_EVENT, show_queue_event},
    {HS_KIND_CASH_ENTRY, show_entry},          {HS_KIND_SLOT, show_slot},
    {HS_KIND_APPOINTMENT, show_appointment},   {HS_KIND_APPOINTMENT_EVENT, show_appointment_event},
};

static enum hs_err show_extras(struct showing *showing)
{
    for (size_t i = 0; i < sizeof EXTRAS / sizeof *EXTRAS; i++) {
        if (EXTRAS[i].kind == showing->name->kind)
            return EXTRAS[i].show(showing);
    }
    return HS_OK;
}

/* ---- the rules that it breaks ---- */

static enum hs_err show_parked(struct showing *showing)
{
    struct hs_arena *arena = showing->show->arena;
    struct hs_view *view = showing->show->look.view;
    Hallsync__Record *record = showing->record;
    struct hs_standing standing;
    if (showing->kind == NULL || (!hs_view_listed(view, HS_LIST_PARKED, showing->name) &&
                                  !hs_view_listed(view, HS_LIST_DECISION, showing->name)))
        return HS_OK;
    enum hs_err err = hs_view_standing(view, showing->stored, &standing);
    if (err != HS_OK || standing.counts)
        return err;
    const char *why = standing.fault != HS_OK ? standing.why.text : "was rejected";
    record->parked = hs_arena_alloc(arena, sizeof *record->parked);
    char *text = hs_arena_text(arena, HS_BYTES(why, strlen(why)));
    if (record->parked == NULL || text == NULL)
        return HS_ENOMEM;
    record->parked[record->n_parked++] = text;
    return HS_OK;
}

/* ---- where it is ---- */

static bool is_held_by(const Hallsync__Record *record, const char *node_id)
{
    for (size_t i = 0; i < record->n_held_by; i++) {
        if (strcmp(record->held_by[i], node_id) == 0)
            return true;
    }
    return false;
}

/* One more than all that were named so far: a receipt a store, of which few are kept. */
static enum hs_err add_holder(void *ctx, const char *node_id, enum hs_role role)
{
    struct showing *showing = ctx;
    struct hs_arena *arena = showing->show->arena;
    Hallsync__Record *record = showing->record;
    (void)role;
    if (is_held_by(record, node_id))
        return HS_OK;
    char **list = hs_arena_array(arena, record->n_held_by + 1, sizeof *list);
    char *text = hs_arena_text(arena, HS_BYTES(node_id, strlen(node_id)));
    if (list == NULL || text == NULL)
        return HS_ENOMEM;
    if (record->n_held_by > 0)
        memcpy(list, record->held_by, record->n_held_by * sizeof *list);
    list[record->n_held_by++] = text;
    record->held_by = list;
    return HS_OK;
}

static enum hs_err show_holders(struct showing *showing)
{
    const struct hs_record_name *name = showing->name;
    const struct hs_foreign *foreign = showing->show->look.foreign;
    struct hs_stream stream = {.origin = showing->dot.origin, .partition = name->partition, .lane = name->lane};
    enum hs_err err = HS_OK;
    if (hs_foreign_record(foreign, name->kind, name->id) != NULL &&
        showing->record->safe != HALLSYNC__SAFETY__SAFETY_HERE)
        err = add_holder(showing, foreign->node, HS_ROLE_HUB);
    if (err == HS_OK && showing->dot.n != 0)
        err = hs_view_holders(showing->show->look.view, &stream, showing->dot.n, add_holder, showing);
    return err;
}

static enum hs_err show_source(struct showing *showing)
{
    const struct hs_show *show = showing->show;
    const struct hs_foreign *foreign = show->look.foreign;
    Hallsync__Record *record = showing->record;
    const struct hs_record_name *name = showing->name;
    /* Found by what it shows here, where it may show something else at the hub; or a bill, to which there may be
     * payments that came before it. */
    bool by_value = foreign != NULL && (foreign->ask.index != 0 || name->kind == HS_KIND_BILL);
    bool untold = by_value && showing->state.variant_count == 0 &&
                  hs_foreign_record(foreign, name->kind, name->id) == NULL;
    if (foreign != NULL && !untold) {
        record->has_as_of_ms = true;
        record->as_of_ms = foreign->as_of_ms;
        record->from = hs_arena_text(show->arena, HS_BYTES(foreign->node, strlen(foreign->node)));
    }
    record->has_complete = show->partial || untold || (foreign != NULL && foreign->cut);
    record->complete = false;
    return record->has_as_of_ms && record->from == NULL ? HS_ENOMEM : HS_OK;
}

/* ---- is it news? ---- */

/* Of what the record says; not of how safe it is, nor of who said so when. */
static enum hs_err show_change(struct showing *showing)
{
    Hallsync__Record said = *showing->record;
    struct hs_buf packed = {0};
    said.has_safe = said.has_as_of_ms = said.has_complete = false;
    said.from = NULL;
    said.n_notices = 0;
    hs_msg_pack(&said.base, &packed);
    struct hs_hash hash = hs_hash_domain("hallsync change 1", hs_buf_bytes(&packed));
    struct hs_bytes change = hs_arena_copy(showing->show->arena, HS_BYTES(hash.bytes, CHANGE_BYTES));
    enum hs_err err = packed.err;
    hs_buf_fini(&packed);
    showing->record->has_change = true;
    showing->record->change = (ProtobufCBinaryData){.len = change.size, .data = (uint8_t *)(uintptr_t)change.data};
    return err == HS_OK && change.data == NULL ? HS_ENOMEM : err;
}

enum hs_err hs_show(struct hs_show *show, const struct hs_stored *stored, Hallsync__Record **record)
{
    struct showing showing = {
        .show = show, .kind = hs_kind_by_number(stored->name.kind), .name = &stored->name, .stored = stored};
    showing.record = hs_arena_alloc(show->arena, sizeof *showing.record);
    if (showing.record == NULL)
        return HS_ENOMEM;
    enum hs_err err = hs_record_decode(stored->state, show->arena, &showing.state);
    if (err != HS_OK)
        return err == HS_EMALFORMED ? HS_EDAMAGED : err;
    hallsync__record__init(showing.record);
    showing.record->kind = stored->name.kind;
    showing.record->partition = stored->name.partition;
    err = show_message(&showing);
    if (err == HS_OK)
        err = showing.state.variant_count > 0 ? show_fact(&showing) : show_registers(&showing);
    if (err == HS_OK)
        err = show_extras(&showing);
    if (err == HS_OK)
        err = show_parked(&showing);
    if (err == HS_OK)
        err = show_source(&showing);
    if (err == HS_OK)
        err = show->detailed ? show_holders(&showing) : show_change(&showing);
    if (err == HS_OK && show->arena->failed)
        err = HS_ENOMEM; /* what may be missing is missing for want of room */
    *record = showing.record;
    return err;
}
