/* What people decide about records that break a rule.  A decision is a fact like any other, made by a hub: who decided
 * what, why, and about which contents.  Its row stands under the record that it is about, so that wherever a record is
 * looked at the decisions about it are at hand, be they here before it.  Of those that are about what the record shows
 * the latest holds, by stamp and id, wherever they came from; where it does not know of one that says the contrary,
 * both are shown until somebody who knows both decides. */
#include "proto/base/text.h"
#include "storage/records/env.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    DECISION_LANE = 2,
    DECISION_KIND,
    DECISION_RECORD_ID,
    DECISION_VERDICT,
    DECISION_CONTENTS,
    DECISION_FLAW,
    DECISION_FOLLOWS
};

struct decided {
    struct decided *next;
    struct hs_decided row;
};

/* ---- rows ---- */

enum hs_err hs_decided_read(struct hs_bytes key, struct hs_bytes detail, struct hs_decided *decided)
{
    struct hs_cur of_key = hs_cur_of(key);
    struct hs_cur cur = hs_cur_of(detail);
    enum hs_list list;
    hs_cur_u8(&of_key);
    hs_cur_take(&of_key, hs_cur_u8(&of_key));
    hs_cur_copy(&of_key, decided->id.bytes, sizeof decided->id.bytes);
    decided->stamp = hs_cur_u64(&cur);
    uint8_t verdict = hs_cur_u8(&cur);
    decided->verdict = (enum hs_verdict)verdict;
    hs_cur_copy(&cur, decided->contents.bytes, sizeof decided->contents.bytes);
    hs_cur_copy(&cur, decided->flaw.bytes, sizeof decided->flaw.bytes);
    decided->follows = hs_cur_take(&cur, cur.left);
    bool whole = hs_cur_done(&of_key) && cur.err == HS_OK && decided->follows.size % HS_ID_BYTES == 0 &&
                 (verdict == HS_VERDICT_RELEASED || verdict == HS_VERDICT_REJECTED) &&
                 hs_list_from_key(key, &list, &decided->record) == HS_OK && list == HS_LIST_DECISION;
    return whole ? HS_OK : HS_EDAMAGED;
}

static void put_detail(const struct hs_facet *decision, struct hs_buf *detail)
{
    struct hs_hash none = {{0}};
    struct hs_bytes flaw = hs_facet_bytes(decision, DECISION_FLAW);
    struct hs_bytes follows = hs_facet_bytes(decision, DECISION_FOLLOWS);
    bool releases = hs_bytes_equal(hs_facet_bytes(decision, DECISION_VERDICT), HS_BYTES("release", 7));
    hs_buf_put_u64(detail, decision->record.variants[0].stamp);
    hs_buf_put_u8(detail, releases ? HS_VERDICT_RELEASED : HS_VERDICT_REJECTED);
    hs_buf_put_bytes(detail, hs_facet_bytes(decision, DECISION_CONTENTS));
    hs_buf_put_bytes(detail, flaw.size != 0 ? flaw : HS_BYTES(none.bytes, sizeof none.bytes));
    hs_buf_put_bytes(detail, HS_BYTES(follows.data, follows.size - follows.size % HS_ID_BYTES));
}

bool hs_decision_about(struct hs_bytes message, hs_partition partition, struct hs_record_name *record)
{
    uint64_t lane = hs_tlv_u64(message, DECISION_LANE, 0);
    uint64_t kind = hs_tlv_u64(message, DECISION_KIND, 0);
    struct hs_bytes id = hs_tlv_bytes(message, DECISION_RECORD_ID);
    size_t flaw = hs_tlv_bytes(message, DECISION_FLAW).size;
    if (lane > UINT8_MAX || !hs_lane_valid((uint8_t)lane) || kind > UINT16_MAX || kind == HS_KIND_DECISION ||
        id.size == 0 || id.size > HS_RECORD_ID_BYTES_MAX || (flaw != 0 && flaw != HS_HASH_BYTES) ||
        hs_tlv_bytes(message, DECISION_CONTENTS).size != HS_HASH_BYTES)
        return false;
    *record = (struct hs_record_name){partition, (uint8_t)lane, (uint16_t)kind, id};
    return true;
}

static bool record_of(const struct hs_facet *decision, struct hs_record_name *record)
{
    return hs_facet_counts(decision) && hs_decision_about(decision->message, decision->name.partition, record);
}

static void put_row(struct hs_derive *derive, const struct hs_facet *decision, const struct hs_record_name *record,
                    bool there)
{
    struct hs_row_key key;
    struct hs_buf detail = {0};
    hs_list_key(&key, HS_LIST_DECISION, record, decision->name.id);
    if (there)
        put_detail(decision, &detail);
    struct hs_listing listing = {.detail = hs_buf_bytes(&detail)};
    hs_derive_fail(derive, detail.err);
    derive->sink->list(derive, &key, there ? &listing : NULL);
    hs_buf_fini(&detail);
}

/* ---- which of them holds ---- */

typedef enum hs_err (*visit_row)(void *ctx, const struct hs_decided *decided);

static enum hs_err each_row(struct hs_txn *txn, const struct hs_record_name *record, visit_row visit, void *ctx)
{
    struct hs_row_key prefix;
    struct hs_scan scan;
    enum hs_err err = HS_OK;
    hs_list_key(&prefix, HS_LIST_DECISION, record, HS_BYTES_NONE);
    hs_scan_begin(&scan, txn, HS_TABLE_LIST, hs_row_key_bytes(&prefix), HS_BYTES_NONE);
    while (err == HS_OK && hs_scan_next(&scan)) {
        struct hs_decided decided;
        struct hs_cur cur = hs_cur_of(scan.value);
        hs_wide_take(&cur);
        err = hs_decided_read(scan.key, hs_cur_take(&cur, cur.left), &decided);
        if (err == HS_OK)
            err = visit(ctx, &decided);
    }
    hs_scan_end(&scan);
    return err != HS_OK ? err : txn->err;
}

struct gathering {
    struct hs_derive *derive;
    struct decided *first;
    size_t count;
};

static enum hs_err gather(void *ctx, const struct hs_decided *decided)
{
    struct gathering *gathering = ctx;
    if (gathering->count++ >= HS_FOLLOWS_MAX)
        return HS_OK; /* the first by their ids, on every node */
    struct decided *one = hs_arena_alloc(gathering->derive->arena, sizeof *one);
    if (one == NULL)
        return HS_ENOMEM;
    one->row = *decided;
    one->row.follows = hs_arena_copy(gathering->derive->arena, decided->follows);
    one->next = gathering->first;
    gathering->first = one;
    return one->row.follows.size == decided->follows.size ? HS_OK : HS_ENOMEM;
}

struct hs_hash hs_facet_contents(const struct hs_facet *facet)
{
    return hs_hash_domain("hallsync contents 1", facet->message);
}

/* Is it about what the record shows now?  What was rejected stays so when a later version finds nothing wrong with it;
 * a register record that was released stays so while others of its fields change. */
static bool is_about(const struct hs_decided *decided, const struct hs_facet *facet, const struct hs_hash *contents,
                     const struct hs_hash *flaw)
{
    bool same = hs_hash_equal(&decided->contents, contents);
    if (decided->verdict == HS_VERDICT_REJECTED)
        return same;
    bool same_flaw = facet->kind->shape == HS_SHAPE_REGISTER && facet->fault != HS_OK &&
                     hs_hash_equal(&decided->flaw, flaw);
    return (same || same_flaw) && (facet->fault == HS_OK || facet->may_release);
}

static bool is_later(const struct hs_decided *a, const struct hs_decided *b)
{
    if (a->stamp != b->stamp)
        return a->stamp > b->stamp;
    return memcmp(a->id.bytes, b->id.bytes, sizeof a->id.bytes) > 0;
}

static bool is_followed(const struct decided *first, const struct hs_id *id)
{
    for (const struct decided *one = first; one != NULL; one = one->next) {
        for (size_t at = 0; at < one->row.follows.size; at += sizeof id->bytes) {
            if (memcmp(one->row.follows.data + at, id->bytes, sizeof id->bytes) == 0)
                return true;
        }
    }
    return false;
}

static void judge(struct hs_facet *facet, const struct decided *first, const struct hs_hash *flaw)
{
    struct hs_hash contents = hs_facet_contents(facet);
    const struct hs_decided *holds = NULL;
    for (const struct decided *one = first; one != NULL; one = one->next) {
        if (is_about(&one->row, facet, &contents, flaw) && (holds == NULL || is_later(&one->row, holds)))
            holds = &one->row;
    }
    if (holds == NULL)
        return;
    facet->verdict = holds->verdict;
    facet->decision = holds->id;
    for (const struct decided *one = first; one != NULL && !facet->is_disputed; one = one->next)
        facet->is_disputed = one->row.verdict != holds->verdict && is_about(&one->row, facet, &contents, flaw) &&
                             !is_followed(first, &one->row.id);
}

/* May a person let it count?  Not where it would be counted in one district and looked for in another, nor under an id
 * that is not its own. */
static enum hs_err weigh(struct hs_facet *facet, struct hs_hash *flaw)
{
    enum hs_err err = hs_kind_flaw(facet->kind, facet->message, flaw);
    facet->may_release = err == HS_OK && facet->name.lane == facet->kind->lane && hs_facet_is_named(facet) &&
                         hs_facet_is_shaped(facet) && hs_facet_at_home(facet) && facet->kind->by != HS_BY_NODE;
    return err == HS_ENOMEM ? err : HS_OK;
}

void hs_decisions_judge(struct hs_derive *derive, struct hs_facet *facet)
{
    struct hs_hash flaw;
    struct gathering gathering = {.derive = derive};
    enum hs_err err = each_row(derive->txn, &facet->name, gather, &gathering);
    if (err == HS_OK && gathering.first != NULL)
        err = weigh(facet, &flaw);
    if (err == HS_OK && gathering.first != NULL)
        judge(facet, gathering.first, &flaw);
    hs_derive_fail(derive, err);
}

/* ---- a decision comes, or goes ---- */

static void change(struct hs_derive *derive, const struct hs_facet *decision, bool there)
{
    struct hs_record_name record;
    struct hs_facet before, after;
    if (!record_of(decision, &record))
        return;
    hs_facet_load(derive, &record, &before);
    put_row(derive, decision, &record, there);
    hs_facet_load(derive, &record, &after);
    if (before.there && *derive->err == HS_OK)
        hs_derive_change(derive, &before, &after);
}

void hs_decision_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new)
{
    change(derive, old, false);
    change(derive, new, true);
}

void hs_decision_whole(struct hs_derive *derive, const struct hs_facet *decision)
{
    struct hs_record_name record;
    if (record_of(decision, &record))
        put_row(derive, decision, &record, true);
}

/* ---- for who asks ---- */

enum hs_err hs_records_decisions(struct hs_txn *txn, const struct hs_record_name *record, hs_visit_decided visit,
                                 void *ctx)
{
    return each_row(txn, record, visit, ctx);
}

__attribute__((format(printf, 2, 4), format(printf, 3, 4))) static void tell(struct hs_standing *standing,
                                                                             const char *en, const char *zh, ...)
{
    va_list args;
    va_start(args, zh);
    vsnprintf(standing->why.text, sizeof standing->why.text, en, args);
    va_end(args);
    va_start(args, zh);
    vsnprintf(standing->why_zh.text, sizeof standing->why_zh.text, zh, args);
    va_end(args);
}

/* The fields' own sentence, with what stands in them; in Chinese which field, and the rule. */
static bool tell_field(const struct hs_facet *facet, struct hs_standing *standing)
{
    uint32_t field;
    struct hs_check complete = {.complete = true};
    enum hs_err err = hs_kind_check(facet->kind, facet->message, complete, &field, &standing->why);
    const struct hs_field_rule *rule = hs_kind_rule(facet->kind, field);
    if (err != HS_OK && rule != NULL)
        snprintf(standing->why_zh.text, sizeof standing->why_zh.text, "%s（%s）：%s", rule->zh,
                 hs_kind_field_name(facet->kind, field), hs_err_text_zh(err));
    else if (err != HS_OK)
        snprintf(standing->why_zh.text, sizeof standing->why_zh.text, "%s", hs_err_text_zh(err));
    return err != HS_OK;
}

/* What is wrong, for people: with a field, or where it lies. */
static void tell_fault(const struct hs_facet *facet, struct hs_standing *standing)
{
    char here[HS_PARTITION_TEXT_BYTES], home[HS_PARTITION_TEXT_BYTES];
    hs_partition partition;
    const struct hs_kind *kind = facet->kind;
    struct hs_bytes account = kind->home_field != 0 ? hs_facet_bytes(facet, kind->home_field) : HS_BYTES_NONE;
    if (facet->fault == HS_OK)
        return;
    if (facet->name.lane != kind->lane)
        tell(standing, "lies in lane %s; a %s belongs to lane %s", "所在通道为 %s；%s 应在通道 %s",
             hs_lane_text((enum hs_lane)facet->name.lane), kind->name, hs_lane_text(kind->lane));
    else if (tell_field(facet, standing))
        return;
    else if (!hs_facet_at_home(facet) && hs_kind_home(kind, account, &partition))
        tell(standing, "lies in district %s and belongs to %s", "所在供电区为 %s，应在 %s",
             hs_partition_text(facet->name.partition, here), hs_partition_text(partition, home));
    else
        tell(standing, "its id is not its own", "编号与内容不符");
}

enum hs_err hs_records_standing(struct hs_txn *txn, const struct hs_stored *stored, struct hs_standing *standing)
{
    struct hs_arena arena;
    struct hs_facet facet;
    enum hs_err err;
    *standing = (struct hs_standing){0};
    hs_arena_init(&arena, 0);
    struct hs_derive derive = hs_derive_reader(txn, &arena, &err);
    if (err == HS_OK)
        hs_facet_of_stored(&derive, stored, &facet);
    if (err == HS_OK && facet.kind != NULL && facet.kind->number != HS_KIND_DECISION)
        err = weigh(&facet, &standing->flaw);
    if (err == HS_OK && facet.kind != NULL) {
        standing->counts = hs_facet_counts(&facet);
        standing->fault = facet.fault;
        standing->may_release = facet.fault != HS_OK && facet.may_release;
        standing->verdict = facet.verdict;
        standing->decision = facet.decision;
        standing->is_disputed = facet.is_disputed;
        standing->contents = hs_facet_contents(&facet);
        tell_fault(&facet, standing);
    }
    hs_arena_fini(&arena);
    return err;
}
