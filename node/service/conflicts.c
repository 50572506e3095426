/* What people must decide or know of: the store's derived lists, in sentences. */
#include "node/service/conflicts.h"
#include "node/service/handlers.h"
#include "node/service/put.h"
#include "node/service/show.h"
#include "node/service/telling.h"

#include "proto/base/text.h"
#include "proto/msg/tlv.h"

#include <inttypes.h>
#include <string.h>

#define PAGE_DEFAULT 100
enum { REPLY_CONFLICTS = 1, REPLY_NEXT = 2 };
enum { EVENT_STATE = 3 };
enum { SETTLEMENT_ACCOUNT = 2, SETTLEMENT_BILL = 3 };

/* ---- fields and their values ---- */

static enum hs_err add_value(struct hs_telling *telling, Hallsync__ConflictField *field, const struct hs_live *live,
                             bool first)
{
    struct hs_bytes node = hs_show_node(telling->view, live->dot.origin);
    Hallsync__ConflictValue *value = hs_arena_alloc(telling->arena, sizeof *value);
    Hallsync__DotName *dot = hs_arena_alloc(telling->arena, sizeof *dot);
    if (value == NULL || dot == NULL)
        return HS_ENOMEM;
    hallsync__conflict_value__init(value);
    hallsync__dot_name__init(dot);
    dot->origin = live->dot.origin;
    dot->n = live->dot.n;
    value->text = hs_show_value(telling->arena, telling->kind, field->number, live->value);
    value->time_ms = hs_stamp_ms(live->stamp);
    value->node = hs_arena_text(telling->arena, node);
    value->dot = dot;
    if (value->text == NULL || value->node == NULL)
        return HS_ENOMEM;
    hs_tell(telling->said, first ? "'%s' (%s)" : ", '%s' (%s)", first ? "“%s”（%s）" : "、“%s”（%s）", value->text,
            value->node);
    field->values[field->n_values++] = value;
    return HS_OK;
}

/* Values stand as they are written, money in fen: the English name says so, too. */
static char *name_zh(struct hs_telling *telling, uint32_t number)
{
    const struct hs_field_rule *rule = hs_kind_rule(telling->kind, number);
    bool in_fen = rule->unit != NULL && strcmp(rule->unit, "fen") == 0;
    return hs_tell_text(telling->arena, in_fen ? "%s（分）" : "%s", rule->zh);
}

/* @values: the shown one first. */
static enum hs_err add_field(struct hs_telling *telling, uint32_t number, const struct hs_live *values, size_t count)
{
    Hallsync__Conflict *conflict = telling->conflict;
    Hallsync__ConflictField *field = hs_arena_alloc(telling->arena, sizeof *field);
    if (field == NULL)
        return HS_ENOMEM;
    hallsync__conflict_field__init(field);
    field->number = number;
    field->name = (char *)(uintptr_t)hs_kind_field_name(telling->kind, number); /* only read */
    field->name_zh = name_zh(telling, number);
    field->values = hs_arena_array(telling->arena, count, sizeof *field->values);
    if (field->values == NULL || field->name_zh == NULL)
        return HS_ENOMEM;
    hs_tell(telling->said, conflict->n_fields == 0 ? " " : "; ", conflict->n_fields == 0 ? "" : "；");
    hs_tell_words(telling->said, field->name, field->name_zh);
    hs_tell(telling->said, ": ", "：");
    for (size_t i = 0; i < count; i++) {
        enum hs_err err = add_value(telling, field, &values[i], i == 0);
        if (err != HS_OK)
            return err;
    }
    conflict->fields[conflict->n_fields++] = field;
    return HS_OK;
}

static struct hs_live *shown_first(struct hs_arena *arena, const struct hs_field_state *field)
{
    const struct hs_live *shown = hs_field_shown(field);
    struct hs_live *values = hs_arena_array(arena, field->live_count, sizeof *values);
    size_t count = 1;
    if (values == NULL)
        return NULL;
    values[0] = *shown;
    for (size_t i = 0; i < field->live_count; i++) {
        if (&field->live[i] != shown)
            values[count++] = field->live[i];
    }
    return values;
}

static enum hs_err tell_field(struct hs_telling *telling)
{
    enum hs_err err = HS_OK;
    hs_tell(telling->said, "has values written apart from each other:", "有各自独立写入的不同值，");
    for (size_t i = 0; i < telling->state.field_count && err == HS_OK; i++) {
        const struct hs_field_state *field = &telling->state.fields[i];
        const struct hs_field_rule *rule = hs_kind_rule(telling->kind, field->number);
        if (rule == NULL || rule->policy != HS_POLICY_REVIEW || hs_field_rivals(field) == 0)
            continue;
        struct hs_live *values = shown_first(telling->arena, field);
        err = values != NULL ? add_field(telling, field->number, values, field->live_count) : HS_ENOMEM;
    }
    return err;
}

/* ---- facts ---- */

/* The variants' values of a field, if they are not all the same. */
static enum hs_err compare_variants(struct hs_telling *telling, uint32_t number)
{
    size_t count = telling->state.variant_count;
    struct hs_live *values = hs_arena_array(telling->arena, count, sizeof *values);
    bool differ = false;
    if (values == NULL)
        return HS_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const struct hs_variant *variant = &telling->state.variants[i];
        values[i] = (struct hs_live){
            .dot = variant->dot, .stamp = variant->stamp, .value = hs_tlv_run(variant->bytes, number)};
        differ = differ || !hs_bytes_equal(values[i].value, values[0].value);
    }
    return differ ? add_field(telling, number, values, count) : HS_OK;
}

static enum hs_err tell_fact(struct hs_telling *telling)
{
    enum hs_err err = HS_OK;
    hs_tell(telling->said, "has %zu contents under one id, the first counts:", "同一编号有 %zu 种内容，以第一种为准：",
            telling->state.variant_count);
    for (size_t i = 0; i < telling->kind->field_count && err == HS_OK; i++)
        err = compare_variants(telling, telling->kind->fields[i].number);
    return err;
}

static enum hs_err tell_event(struct hs_telling *telling)
{
    struct hs_bytes state = hs_tlv_bytes(telling->message, EVENT_STATE);
    struct hs_id id;
    char text[HS_ID_TEXT_BYTES] = "";
    if (telling->listed->detail.size == sizeof id.bytes) {
        memcpy(id.bytes, telling->listed->detail.data, sizeof id.bytes);
        hs_id_text(&id, text);
    }
    bool of_queue = telling->kind->number == HS_KIND_QUEUE_EVENT;
    hs_tell(telling->said, "did not fit when its turn came: ticket %s, move to '%.*s'",
            of_queue ? "轮到时与状态不符：排队号 %s，转为“%.*s”" : "轮到时与状态不符：工单 %s，流转至“%.*s”", text,
            (int)state.size, state.size != 0 ? (const char *)state.data : "");
    return HS_OK;
}

/* ---- money ---- */

/* What of it was given back already, or counted elsewhere. */
static enum hs_err tell_settled(struct hs_telling *telling, struct hs_bytes account)
{
    char text[HS_ACCOUNT_DIGITS + 1] = "";
    char fen[HS_FEN_TEXT_BYTES];
    struct hs_bill_sums sums;
    if (account.size != HS_ACCOUNT_DIGITS)
        return HS_OK;
    memcpy(text, account.data, account.size);
    enum hs_err err = hs_view_bill(telling->view, text, telling->listed->name.id, &sums);
    if (err == HS_OK && sums.settled_fen != 0)
        hs_tell(telling->said, "; %s yuan were settled before", "；此前已结算 %s 元",
                hs_yuan_text(sums.settled_fen, fen));
    return err;
}

static enum hs_err tell_bill(struct hs_telling *telling)
{
    char fen[HS_FEN_TEXT_BYTES];
    struct hs_bytes account = telling->listed->detail;
    bool known = telling->listed->list == HS_LIST_OVERPAID;
    hs_tell(telling->said,
            known ? "of account %.*s: %s yuan paid too much"
                  : "of account %.*s: %s yuan paid, but there is no such bill of this account here",
            known ? "户号 %.*s，多交 %s 元" : "户号 %.*s，已交 %s 元，但此处没有该户的这张账单", (int)account.size,
            (const char *)account.data, hs_yuan_text(telling->listed->amount_fen, fen));
    return tell_settled(telling, account);
}

static enum hs_err tell_over_reversed(struct hs_telling *telling)
{
    char fen[HS_FEN_TEXT_BYTES];
    hs_tell(telling->said, "was reversed more than once: %s yuan came out too much", "冲正不止一次，多退出 %s 元",
            hs_yuan_text(telling->listed->amount_fen, fen));
    return HS_OK;
}

static enum hs_err tell_double_entry(struct hs_telling *telling)
{
    struct hs_cur cur = hs_cur_of(telling->listed->detail);
    hs_tell(telling->said, "has more than one receipt:", "凭证不止一张：");
    while (cur.left > 0) {
        struct hs_bytes number = hs_cur_sized(&cur);
        if (number.size != 0)
            hs_tell(telling->said, " %.*s", " %.*s", (int)number.size, (const char *)number.data);
    }
    return HS_OK;
}

static enum hs_err tell_topup(struct hs_telling *telling)
{
    char fen[HS_FEN_TEXT_BYTES];
    struct hs_bytes card = telling->listed->detail;
    hs_tell(telling->said, "of %s yuan tops up card %.*s under a counter for which another payment was taken, too",
            "%s 元，为购电卡 %.*s 购电；同一购电次数还收了另一笔交费", hs_yuan_text(telling->listed->amount_fen, fen),
            (int)card.size, (const char *)card.data);
    return HS_OK;
}

/* Whose account, of what amount. */
static void tell_settlement(struct hs_telling *telling)
{
    char fen[HS_FEN_TEXT_BYTES];
    struct hs_bytes account = hs_tlv_bytes(telling->message, SETTLEMENT_ACCOUNT);
    struct hs_bytes bill = hs_tlv_bytes(telling->message, SETTLEMENT_BILL);
    hs_tell(telling->said, "of %s yuan, account %.*s", "%s 元，户号 %.*s",
            hs_yuan_text(telling->listed->amount_fen, fen), (int)account.size,
            account.size != 0 ? (const char *)account.data : "");
    if (bill.size != 0)
        hs_tell(telling->said, ", bill %.*s", "，账单 %.*s", (int)bill.size, (const char *)bill.data);
}

static enum hs_err tell_not_owner(struct hs_telling *telling)
{
    struct hs_bytes node = telling->listed->detail;
    tell_settlement(telling);
    hs_tell(telling->said, ": counts nothing, for ", "：不计入，");
    if (node.size != 0)
        hs_tell(telling->said, "%.*s", "%.*s ", (int)node.size, (const char *)node.data);
    else
        hs_tell_words(telling->said, "its writer", "写入节点");
    hs_tell(telling->said, " did not own the district", "当时不负责该供电区的退费");
    return HS_OK;
}

static enum hs_err tell_settled_twice(struct hs_telling *telling)
{
    tell_settlement(telling);
    hs_tell(telling->said, ": counts nothing, for another settlement of the same money counts",
            "：不计入，以同一笔款项的另一笔结算为准");
    return HS_OK;
}

/* ---- what cannot be used ---- */

/* Whose stream it is about, in words and as fields. */
static enum hs_err tell_stream(struct hs_telling *telling, const struct hs_stream *stream)
{
    Hallsync__Conflict *conflict = telling->conflict;
    char district[HS_PARTITION_TEXT_BYTES];
    struct hs_bytes node = hs_show_node(telling->view, stream->origin);
    conflict->node = hs_arena_text(telling->arena, node);
    conflict->origin = hs_tell_text(telling->arena, "%016" PRIx64, stream->origin);
    if (conflict->node == NULL || conflict->origin == NULL)
        return HS_ENOMEM;
    if (hs_lane_valid(stream->lane))
        conflict->lane = (char *)(uintptr_t)hs_lane_text((enum hs_lane)stream->lane);
    hs_tell_lane(telling->said, stream->lane);
    hs_tell(telling->said, " of %s, district %s (origin %s): ", "，节点 %s，供电区 %s（来源 %s）：", conflict->node,
            hs_partition_text(stream->partition, district), conflict->origin);
    return HS_OK;
}

static enum hs_err tell_void(struct hs_telling *telling)
{
    const struct hs_record_name *name = &telling->listed->name;
    struct hs_cur cur = hs_cur_of(name->id);
    const char *reason = hs_arena_text(telling->arena, telling->listed->detail);
    struct hs_stream stream = {.origin = hs_cur_u64(&cur), .partition = name->partition, .lane = name->lane};
    enum hs_err err = reason != NULL ? tell_stream(telling, &stream) : HS_ENOMEM;
    if (err != HS_OK)
        return err;
    hs_tell(telling->said, "operation %" PRIu64 " has no effect: ", "第 %" PRIu64 " 条操作无效：", hs_cur_u64(&cur));
    hs_tell_words(telling->said, reason, hs_err_text_zh(hs_err_by_name(reason)));
    return HS_OK;
}

static enum hs_err tell_fork(struct hs_telling *telling)
{
    struct hs_cur cur = hs_cur_of(telling->listed->detail);
    if (telling->listed->name.id.size != HS_STREAM_KEY_BYTES)
        return HS_EDAMAGED;
    struct hs_stream stream = hs_stream_from_key(telling->listed->name.id.data);
    enum hs_err err = tell_stream(telling, &stream);
    hs_tell(telling->said, "two contents were signed for operation %" PRIu64 "; the facts of both are kept",
            "第 %" PRIu64 " 条操作签署了两种内容；两者中的单据均予保留", hs_cur_u64(&cur));
    return err;
}

/* ---- one conflict ---- */

static const struct {
    enum hs_list list;
    bool needs_record;
    enum hs_err (*tell)(struct hs_telling *telling);
} TELLERS[] = {
    {HS_LIST_FIELD, true, tell_field},
    {HS_LIST_FACT, true, tell_fact},
    {HS_LIST_OVERPAID, false, tell_bill},
    {HS_LIST_OVER_REVERSED, false, tell_over_reversed},
    {HS_LIST_DOUBLE_ENTRY, false, tell_double_entry},
    {HS_LIST_NO_BILL, false, tell_bill},
    {HS_LIST_TOPUP_TWICE, true, tell_topup},
    {HS_LIST_NOT_OWNER, true, tell_not_owner},
    {HS_LIST_SETTLED_TWICE, true, tell_settled_twice},
    {HS_LIST_EVENT, true, tell_event},
    {HS_LIST_PARKED, true, hs_tell_parked},
    {HS_LIST_VOID, false, tell_void},
    {HS_LIST_FORK, false, tell_fork},
    {HS_LIST_DECISION, false, hs_tell_decided},
};

static enum hs_err tell_by_list(struct hs_telling *telling)
{
    for (size_t i = 0; i < sizeof TELLERS / sizeof *TELLERS; i++) {
        if (TELLERS[i].list != telling->listed->list)
            continue;
        if (telling->kind != NULL) {
            hs_tell_words(telling->said, telling->kind->name, telling->kind->zh);
            hs_tell(telling->said, " %s ", " %s：", telling->conflict->record_id);
        }
        return TELLERS[i].needs_record && !telling->there ? HS_EDAMAGED : TELLERS[i].tell(telling);
    }
    return HS_OK; /* a list of a newer store: named, not explained */
}

static enum hs_err load_record(struct hs_telling *telling)
{
    struct hs_buf shown = {0};
    enum hs_err err = telling->kind != NULL ? hs_view_record(telling->view, &telling->listed->name, &telling->stored)
                                            : HS_ENOTFOUND;
    if (err == HS_ENOTFOUND)
        return HS_OK;
    if (err == HS_OK)
        err = hs_record_decode(telling->stored.state, telling->arena, &telling->state);
    if (err == HS_EMALFORMED)
        err = HS_EDAMAGED;
    if (err == HS_OK)
        err = hs_record_shown(&telling->state, &shown);
    telling->message = hs_arena_copy(telling->arena, hs_buf_bytes(&shown));
    telling->there = err == HS_OK;
    bool copied = telling->message.size == shown.size;
    hs_buf_fini(&shown);
    return err == HS_OK && !copied ? HS_ENOMEM : err;
}

static enum hs_err describe(struct hs_telling *telling)
{
    const struct hs_record_name *record = &telling->listed->name;
    Hallsync__Conflict *conflict = telling->conflict;
    const struct hs_conflict_type_row *row = hs_conflict_row(telling->listed->list);
    struct hs_conflict_name name;
    enum hs_err err = load_record(telling);
    if (err != HS_OK)
        return err;
    hs_conflict_name_of(telling->listed, &name);
    conflict->id = hs_conflict_id(telling->arena, &name);
    conflict->type = (char *)(uintptr_t)row->name; /* only read */
    conflict->kind = record->kind;
    conflict->partition = record->partition;
    conflict->record_id = hs_show_id(telling->arena, telling->kind, record->id, telling->message);
    conflict->has_amount_fen = telling->listed->amount_fen != 0;
    conflict->amount_fen = telling->listed->amount_fen;
    size_t most = telling->state.field_count + (telling->kind != NULL ? telling->kind->field_count : 0);
    conflict->fields = hs_arena_array(telling->arena, most, sizeof *conflict->fields);
    if (conflict->id == NULL || conflict->record_id == NULL || conflict->fields == NULL)
        return HS_ENOMEM;
    hs_advise(conflict, &(struct hs_words){row->advice_en, row->advice_zh});
    err = hs_tell_business(telling);
    if (err == HS_OK)
        err = tell_by_list(telling);
    conflict->text = telling->said->en.text;
    conflict->text_zh = telling->said->zh.text;
    return err;
}

/* ---- the request ---- */

struct page {
    struct hs_call *call;
    struct hs_view *view;
    const struct hs_conflict_name *only; /* NULL: all of them, without their values */
    const char *id;                      /* of the only one */
    uint32_t limit;
    uint32_t count;
    struct hs_buf last; /* key of the last one told */
    bool full;
    bool history; /* what was decided, too */
};

static enum hs_err tell_one(struct page *page, const struct hs_listed *listed)
{
    Hallsync__Conflict conflict = HALLSYNC__CONFLICT__INIT;
    struct hs_sentence said = {.en = {.is_cut = false}};
    struct hs_telling telling = {.call = page->call,
                                 .view = page->view,
                                 .arena = &page->call->scratch,
                                 .listed = listed,
                                 .kind = hs_kind_by_number(listed->name.kind),
                                 .conflict = &conflict,
                                 .said = &said};
    hs_arena_reset(&page->call->scratch);
    enum hs_err err = describe(&telling);
    if (err != HS_OK)
        return err;
    if (page->only == NULL)
        conflict.n_fields = 0;
    if (page->only == NULL && listed->list == HS_LIST_DECISION)
        conflict.n_decisions = 0;
    hs_call_put(&page->call->body, REPLY_CONFLICTS, &conflict.base);
    return page->call->body.err;
}

/* One more on the page; HS_EEXISTS: it is full. */
static enum hs_err turn(struct page *page, struct hs_bytes key)
{
    if (page->count >= page->limit || page->call->body.size >= HS_PAGE_BYTES_SOFT) {
        page->full = true;
        return HS_EEXISTS;
    }
    hs_buf_reset(&page->last);
    hs_buf_put_bytes(&page->last, key);
    page->count++;
    return HS_OK;
}

static enum hs_err visit_listed(void *ctx, const struct hs_listed *listed)
{
    struct page *page = ctx;
    struct hs_conflict_name name;
    /* The lists are defined where all of a district is held: what is missing here is elsewhere, not wrong. */
    if (!hs_store_holds(page->call->desk->options.store, listed->name.partition) ||
        (listed->list == HS_LIST_DECISION && !page->history))
        return HS_OK;
    hs_conflict_name_of(listed, &name);
    if (page->only != NULL && !hs_conflict_same(&name, page->only))
        return HS_OK;
    enum hs_err err = turn(page, listed->key);
    return err == HS_OK ? tell_one(page, listed) : err;
}

/* ---- streams that do not go on: behind all lists ---- */

static enum hs_err tell_stop(struct page *page, const struct hs_stop *stop)
{
    Hallsync__Conflict conflict = HALLSYNC__CONFLICT__INIT;
    hs_arena_reset(&page->call->scratch);
    enum hs_err err = hs_stop_tell(stop, &page->call->scratch, &conflict);
    if (err != HS_OK || (page->only != NULL && strcmp(conflict.id, page->id) != 0))
        return err;
    hs_call_put(&page->call->body, REPLY_CONFLICTS, &conflict.base);
    page->count += page->only != NULL;
    return page->call->body.err;
}

static enum hs_err list_stops(struct page *page, struct hs_bytes after)
{
    struct hs_stops stops;
    uint8_t key[3] = {HS_LIST_STOPPED};
    enum hs_err err = hs_stops_find(page->call, page->view, &stops);
    for (size_t i = 0; err == HS_OK && i < stops.count; i++) {
        hs_be16(key + 1, (uint16_t)i);
        if (after.size != 0 && hs_bytes_compare(HS_BYTES(key, sizeof key), after) <= 0)
            continue;
        if (page->only == NULL)
            err = turn(page, HS_BYTES(key, sizeof key));
        if (err == HS_OK)
            err = tell_stop(page, &stops.list[i]);
    }
    return err;
}

static enum hs_err visit_list(struct page *page, enum hs_list list, struct hs_bytes after)
{
    enum hs_err err = HS_OK;
    if (list != HS_LIST_STOPPED)
        err = hs_view_list(page->view, list, after, visit_listed, page);
    if (err == HS_OK && (list == HS_LIST_STOPPED || list == 0))
        err = list_stops(page, after);
    return err;
}

static enum hs_err show_one(struct page *page, const char *id)
{
    struct hs_conflict_name name;
    if (hs_conflict_parse(id, &name) != HS_OK)
        return hs_fail(HS_EVALUE, &page->call->why, "id: '%s' is not a conflict's", id);
    page->only = &name;
    page->id = id;
    page->history = true;
    enum hs_err err = visit_list(page, name.list, HS_BYTES_NONE);
    page->only = NULL;
    if (err == HS_OK && page->count == 0)
        return hs_fail(HS_ENOTFOUND, &page->call->why, "there is no conflict %s; it may have been resolved", id);
    return err;
}

static enum hs_err list_all(struct page *page, const Hallsync__ConflictsRequest *request)
{
    enum hs_list list = (enum hs_list)0;
    struct hs_bytes after = request->has_after ? HS_BYTES(request->after.data, request->after.len) : HS_BYTES_NONE;
    if (request->type != NULL && !hs_conflict_list_of(request->type, strlen(request->type), &list))
        return hs_fail(HS_EINVAL, &page->call->why, "type: there is no type '%s' of conflicts", request->type);
    if (after.size != 0 && list != 0 && after.data[0] != list)
        return hs_fail(HS_EVALUE, &page->call->why, "after: was not in the answer to such a request");
    page->history = list == HS_LIST_DECISION;
    return visit_list(page, list, after);
}

enum hs_err hs_conflicts_read(struct hs_call *call, struct hs_view *view)
{
    const Hallsync__ConflictsRequest *request = call->request->conflicts;
    struct page page = {.call = call, .view = view, .limit = PAGE_DEFAULT};
    if (request->has_limit && request->limit != 0)
        page.limit = request->limit < HS_PAGE_RECORDS_MAX ? request->limit : HS_PAGE_RECORDS_MAX;
    enum hs_err err = request->id != NULL ? show_one(&page, request->id) : list_all(&page, request);
    if (page.full) {
        hs_tlv_put_bytes(&call->body, REPLY_NEXT, hs_buf_bytes(&page.last));
        err = page.last.err;
    }
    hs_buf_fini(&page.last);
    return err;
}
