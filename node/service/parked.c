/* Records that break a rule, and what was decided about them, in the words of those who decide: whose account, which
 * window, which hall, how much, what is wrong. */
#include "node/service/conflicts.h"
#include "node/service/put.h"
#include "node/service/show.h"
#include "node/service/telling.h"

#include "proto/base/text.h"
#include "proto/msg/tlv.h"

#include <inttypes.h>
#include <string.h>

enum { CUSTOMER_NAME = 2 };
enum { PAYMENT_AMOUNT = 3, PAYMENT_WINDOW = 6 };
enum { REVERSAL_PAYMENT = 2, REVERSAL_WINDOW = 5 };
enum { DECISION_NAME = 9, DECISION_REASON = 10 };

/* ---- whose, where, when ---- */

/* A text of the message that people can read; else none. */
static struct hs_bytes readable(struct hs_bytes message, uint32_t field)
{
    struct hs_tlv tlv;
    bool found = field != 0 && hs_tlv_find(message, field, &tlv) && tlv.wire == HS_WIRE_BYTES;
    return found && hs_text_valid(tlv.bytes) ? tlv.bytes : HS_BYTES_NONE;
}

static enum hs_err shown_of(struct hs_telling *telling, uint16_t kind, struct hs_bytes id, struct hs_bytes *message)
{
    struct hs_stored stored;
    struct hs_record record;
    struct hs_buf shown = {0};
    *message = HS_BYTES_NONE;
    enum hs_err err = hs_view_find(telling->view, kind, id, &stored);
    if (err == HS_ENOTFOUND)
        return HS_OK;
    if (err == HS_OK)
        err = hs_record_decode(stored.state, telling->arena, &record);
    if (err == HS_OK)
        err = hs_record_shown(&record, &shown);
    if (err == HS_OK)
        *message = hs_arena_copy(telling->arena, hs_buf_bytes(&shown));
    bool copied = err != HS_OK || message->size == shown.size;
    hs_buf_fini(&shown);
    return err == HS_EMALFORMED ? HS_EDAMAGED : !copied ? HS_ENOMEM : err;
}

static enum hs_err tell_account(struct hs_telling *telling, struct hs_bytes account)
{
    Hallsync__Conflict *conflict = telling->conflict;
    struct hs_bytes customer;
    if (!hs_account_valid((const char *)account.data, account.size))
        return HS_OK;
    conflict->account = hs_arena_text(telling->arena, account);
    enum hs_err err = shown_of(telling, HS_KIND_CUSTOMER, account, &customer);
    struct hs_bytes name = readable(customer, CUSTOMER_NAME);
    if (err == HS_OK && name.size != 0)
        conflict->customer = hs_arena_text(telling->arena, name);
    return err != HS_OK || conflict->account == NULL || (name.size != 0 && conflict->customer == NULL)
               ? (err != HS_OK ? err : HS_ENOMEM)
               : HS_OK;
}

/* Of a fact its writer; of a register record who wrote to it last. */
static enum hs_err tell_writer(struct hs_telling *telling)
{
    Hallsync__Conflict *conflict = telling->conflict;
    const struct hs_record *record = &telling->state;
    hs_stamp stamp = hs_record_stamp(record);
    struct hs_dot dot = {0};
    if (record->variant_count != 0) {
        stamp = record->variants[0].stamp;
        dot = record->variants[0].dot;
    }
    for (size_t i = 0; i < record->field_count && record->variant_count == 0; i++) {
        for (size_t k = 0; k < record->fields[i].live_count; k++) {
            if (record->fields[i].live[k].stamp == stamp)
                dot = record->fields[i].live[k].dot;
        }
    }
    struct hs_bytes node = hs_show_node(telling->view, dot.origin);
    if (stamp == 0 || node.size == 0)
        return HS_OK;
    conflict->has_time_ms = true;
    conflict->time_ms = hs_stamp_ms(stamp);
    conflict->node = hs_arena_text(telling->arena, node);
    return conflict->node != NULL ? HS_OK : HS_ENOMEM;
}

static void tell_window(struct hs_telling *telling, uint32_t field)
{
    struct hs_tlv tlv;
    Hallsync__Conflict *conflict = telling->conflict;
    if (!hs_tlv_find(telling->message, field, &tlv) || tlv.wire != HS_WIRE_VARINT || tlv.value > UINT32_MAX)
        return;
    conflict->has_window = true;
    conflict->window = (uint32_t)tlv.value;
}

static void tell_amount(struct hs_telling *telling)
{
    int64_t fen = hs_tlv_i64(telling->message, PAYMENT_AMOUNT, 0);
    telling->conflict->has_amount_fen = fen != 0;
    telling->conflict->amount_fen = fen;
}

enum hs_err hs_tell_business(struct hs_telling *telling)
{
    struct hs_bytes payment = HS_BYTES_NONE, message = telling->message;
    enum hs_err err = HS_OK;
    if (telling->kind == NULL || !telling->there)
        return HS_OK;
    struct hs_bytes account = readable(message,
                                       telling->kind->home_form == HS_HOME_ACCOUNT ? telling->kind->home_field : 0);
    if (telling->kind->number == HS_KIND_REVERSAL) {
        tell_window(telling, REVERSAL_WINDOW);
        struct hs_bytes id = hs_tlv_bytes(message, REVERSAL_PAYMENT);
        if (account.size == 0 && id.size == HS_ID_BYTES)
            err = shown_of(telling, HS_KIND_PAYMENT, id, &payment);
        if (payment.size != 0)
            account = readable(payment, 2);
    }
    if (telling->kind->number == HS_KIND_PAYMENT)
        tell_window(telling, PAYMENT_WINDOW);
    if (err == HS_OK)
        err = tell_account(telling, account);
    return err == HS_OK ? tell_writer(telling) : err;
}

static void put_business(struct hs_telling *telling)
{
    const Hallsync__Conflict *conflict = telling->conflict;
    struct hs_sentence *said = telling->said;
    char fen[HS_FEN_TEXT_BYTES], time[HS_TIME_TEXT_BYTES];
    if (conflict->account != NULL)
        hs_tell(said, "of account %s", "户号 %s", conflict->account);
    if (conflict->account != NULL && conflict->customer != NULL)
        hs_tell(said, " (%s)", "（%s）", conflict->customer);
    if (conflict->account != NULL)
        hs_tell(said, ", ", "，");
    if (conflict->has_amount_fen)
        hs_tell(said, "%s yuan, ", "%s 元，", hs_yuan_text(conflict->amount_fen, fen));
    if (conflict->has_window)
        hs_tell(said, "window %" PRIu32 ", ", "%" PRIu32 " 号窗口，", conflict->window);
    if (conflict->node != NULL)
        hs_tell(said, "written at %s %s, ", "由 %s 于 %s 写入，", conflict->node,
                hs_time_text(conflict->time_ms, telling->call->desk->options.utc_offset_minutes, time));
}

/* ---- decisions ---- */

struct decisions {
    struct hs_telling *telling;
    const struct hs_standing *standing;
    Hallsync__ConflictDecision **list;
    size_t count, room;
    enum hs_err err;
};

static enum hs_err count_one(void *ctx, const struct hs_decided *decided)
{
    struct decisions *decisions = ctx;
    (void)decided;
    decisions->room++;
    return HS_OK;
}

static enum hs_err put_decision(void *ctx, const struct hs_decided *decided)
{
    struct decisions *decisions = ctx;
    struct hs_telling *telling = decisions->telling;
    struct hs_arena *arena = telling->arena;
    struct hs_record_name name = {decided->record.partition, HS_LANE_MONEY, HS_KIND_DECISION,
                                  HS_BYTES(decided->id.bytes, HS_ID_BYTES)};
    struct hs_stored stored;
    const struct hs_variant *variant;
    char id[HS_ID_TEXT_BYTES];
    if (decisions->count == decisions->room || decisions->count == HS_FOLLOWS_MAX)
        return HS_OK;
    Hallsync__ConflictDecision *to = hs_arena_alloc(arena, sizeof *to);
    enum hs_err err = to != NULL ? hs_view_record(telling->view, &name, &stored) : HS_ENOMEM;
    if (err == HS_OK)
        err = hs_fact_variant(&stored, arena, &variant);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_EDAMAGED : err;
    hallsync__conflict_decision__init(to);
    hs_id_text(&decided->id, id);
    to->id = hs_arena_text(arena, HS_BYTES(id, strlen(id)));
    to->verdict = (char *)(uintptr_t)(decided->verdict == HS_VERDICT_RELEASED ? "release" : "reject");
    to->name = hs_arena_text(arena, readable(variant->bytes, DECISION_NAME));
    to->reason = hs_arena_text(arena, readable(variant->bytes, DECISION_REASON));
    to->node = hs_arena_text(arena, hs_show_node(telling->view, variant->dot.origin));
    to->time_ms = hs_stamp_ms(decided->stamp);
    to->holds = decisions->standing->verdict != HS_VERDICT_NONE &&
                memcmp(decisions->standing->decision.bytes, decided->id.bytes, HS_ID_BYTES) == 0;
    if (to->id == NULL || to->name == NULL || to->reason == NULL || to->node == NULL)
        return HS_ENOMEM;
    decisions->list[decisions->count++] = to;
    for (size_t i = decisions->count - 1; i > 0 && to->holds; i--) { /* it comes first */
        decisions->list[i] = decisions->list[i - 1];
        decisions->list[i - 1] = to;
    }
    return HS_OK;
}

static enum hs_err add_decisions(struct hs_telling *telling, const struct hs_standing *standing)
{
    struct decisions decisions = {.telling = telling, .standing = standing};
    const struct hs_record_name *record = &telling->listed->name;
    enum hs_err err = hs_view_decisions(telling->view, record, count_one, &decisions);
    if (err != HS_OK || decisions.room == 0)
        return err;
    decisions.list = hs_arena_array(telling->arena, decisions.room, sizeof *decisions.list);
    if (decisions.list == NULL)
        return HS_ENOMEM;
    err = hs_view_decisions(telling->view, record, put_decision, &decisions);
    telling->conflict->decisions = decisions.list;
    telling->conflict->n_decisions = decisions.count;
    return err;
}

const struct hs_words *hs_mend_advice(const struct hs_kind *kind)
{
    static const struct hs_words MADE = {
        "a node made it by itself: upgrade this node if a newer one wrote it, else reject it",
        "由节点自动生成：若由较新版本的节点写入，请升级本节点，否则驳回"};
    static const struct hs_words FACT = {"enter it again with right values under a new id, then reject this one",
                                         "请以新编号按正确的值重新录入，再驳回此条"};
    static const struct hs_words REGISTER = {"write right values into it, and it counts; or reject it",
                                             "写入正确的值后即计入；或者驳回"};
    if (kind == NULL || kind->by == HS_BY_NODE)
        return &MADE;
    return kind->shape == HS_SHAPE_FACT ? &FACT : &REGISTER;
}

static enum hs_err look_at(struct hs_telling *telling, struct hs_standing *standing)
{
    enum hs_err err = hs_view_standing(telling->view, &telling->stored, standing);
    Hallsync__Conflict *conflict = telling->conflict;
    if (err == HS_OK)
        err = add_decisions(telling, standing);
    conflict->reason = hs_arena_text(telling->arena, HS_BYTES(standing->why.text, strlen(standing->why.text)));
    conflict->reason_zh = hs_arena_text(telling->arena, HS_BYTES(standing->why_zh.text, strlen(standing->why_zh.text)));
    conflict->has_counts = conflict->has_may_release = true;
    conflict->counts = standing->counts;
    conflict->may_release = standing->may_release;
    if (telling->kind != NULL && telling->kind->number == HS_KIND_PAYMENT)
        tell_amount(telling);
    bool copied = conflict->reason != NULL && conflict->reason_zh != NULL;
    return err == HS_OK && !copied ? HS_ENOMEM : err;
}

static void put_verdict(struct hs_telling *telling, const Hallsync__ConflictDecision *decision)
{
    char time[HS_TIME_TEXT_BYTES];
    bool released = strcmp(decision->verdict, "release") == 0;
    hs_tell(telling->said, released ? "released by %s at %s %s: %s" : "rejected by %s at %s %s: %s",
            released ? "%s 在 %s 于 %s 放行：%s" : "%s 在 %s 于 %s 驳回：%s", decision->name, decision->node,
            hs_time_text(decision->time_ms, telling->call->desk->options.utc_offset_minutes, time), decision->reason);
}

static void put_fault(struct hs_telling *telling, const struct hs_standing *standing)
{
    const Hallsync__Conflict *conflict = telling->conflict;
    if (standing->fault == HS_OK)
        return;
    hs_tell(telling->said,
            standing->counts ? "breaks a rule and counts by a decision: " : "breaks a rule and counts nowhere: ",
            standing->counts ? "违反规则，按裁决计入：" : "违反规则，不计入：");
    hs_tell_words(telling->said, conflict->reason, conflict->reason_zh);
}

static void put_dispute(struct hs_telling *telling, bool goes_on)
{
    static const struct hs_words ADVICE = {
        "the first one holds until somebody who knows both decides: conflict release, or reject (at a hub)",
        "在有人看过全部裁决并重新裁决之前，以第一项为准；请在区域中心放行或驳回"};
    Hallsync__Conflict *conflict = telling->conflict;
    hs_tell(telling->said, goes_on ? "; decided in two ways:" : "decided in two ways:",
            goes_on ? "；有相反的裁决：" : "有相反的裁决：");
    for (size_t i = 0; i < conflict->n_decisions && i < 4; i++) {
        hs_tell(telling->said, i == 0 ? " " : "; ", i == 0 ? "" : "；");
        put_verdict(telling, conflict->decisions[i]);
    }
    hs_advise(conflict, &ADVICE);
}

enum hs_err hs_tell_parked(struct hs_telling *telling)
{
    static const struct hs_words MAY_RELEASE = {"if it is right: conflict release, and it counts; if not: conflict "
                                                "reject (at a hub); or upgrade this node, if a newer one wrote it",
                                                "若属实，请在区域中心放行，即予计入；若不属实，请在区域中心驳回；"
                                                "若由较新版本的节点写入，也可升级本节点"};
    struct hs_standing standing;
    Hallsync__Conflict *conflict = telling->conflict;
    enum hs_err err = look_at(telling, &standing);
    if (err != HS_OK)
        return err;
    put_business(telling);
    put_fault(telling, &standing);
    if (standing.is_disputed)
        put_dispute(telling, standing.fault != HS_OK);
    else
        hs_advise(conflict, standing.may_release ? &MAY_RELEASE : hs_mend_advice(telling->kind));
    return HS_OK;
}

/* A row for each decision; this one's is named by the end of its key. */
enum hs_err hs_tell_decided(struct hs_telling *telling)
{
    static const struct hs_words ADVICE = {"to decide otherwise: conflict release, or reject, with this id (at a hub)",
                                           "如需改判，请在区域中心对此项放行或驳回"};
    struct hs_standing standing = {0};
    struct hs_decided decided;
    char id[HS_ID_TEXT_BYTES];
    Hallsync__Conflict *conflict = telling->conflict;
    enum hs_err err = hs_decided_read(telling->listed->key, telling->listed->detail, &decided);
    if (err == HS_OK && telling->there)
        err = look_at(telling, &standing);
    else if (err == HS_OK)
        err = add_decisions(telling, &standing); /* the record may come yet */
    if (err != HS_OK)
        return err;
    put_business(telling);
    hs_id_text(&decided.id, id);
    for (size_t i = 0; i < conflict->n_decisions; i++) {
        if (strcmp(conflict->decisions[i]->id, id) == 0) {
            put_verdict(telling, conflict->decisions[i]);
            if (!conflict->decisions[i]->holds)
                hs_tell(telling->said, " (does not hold any more)", "（已失效）");
        }
    }
    hs_advise(conflict, &ADVICE);
    return HS_OK;
}
