/* A person decides about a record that breaks a rule: it counts nevertheless, or it does not, for good.  The decision
 * is a fact of its own beside the record, made by a hub: every node comes to the same sums by it. */
#include "node/service/audit.h"
#include "node/service/conflicts.h"
#include "node/service/handlers.h"
#include "node/service/put.h"
#include "node/service/show.h"
#include "node/service/telling.h"

#include "proto/base/text.h"
#include "proto/records.pb-c.h"

#include <string.h>

/* ---- the request ---- */

static enum hs_err check_request(struct hs_call *call)
{
    const Hallsync__DecideRequest *request = call->request->decide;
    const struct hs_certificate *own = hs_store_certificate(call->desk->options.store);
    const struct hs_kind *kind = hs_kind_by_number(HS_KIND_DECISION);
    Hallsync__Decision form = HALLSYNC__DECISION__INIT;
    uint32_t field;
    if (!hs_certificate_allows(own, HS_KIND_DECISION, own->home))
        return hs_fail(HS_ENOTHUB, &call->why,
                       "what counts is decided at a hub, for all nodes: run this there; %s is a %s", own->node_id,
                       hs_role_text(own->role));
    form.verdict = request->verdict;
    form.name = request->name;
    form.reason = request->reason;
    struct hs_bytes message = hs_canonical(&form.base, &call->arena);
    if (message.data == NULL)
        return HS_ENOMEM;
    return hs_kind_check(kind, message, (struct hs_check){0}, &field, &call->why);
}

enum hs_err hs_decide_prepare(struct hs_call *call)
{
    const Hallsync__DecideRequest *request = call->request->decide;
    struct hs_conflict_name name;
    struct hs_item item = {.kind = hs_kind_by_number(HS_KIND_DECISION),
                           .write = hs_decide_write,
                           .parsed = &request->base,
                           .id_text = request->id};
    struct hs_id *id = hs_arena_alloc(&call->arena, sizeof *id);
    if (id == NULL)
        return HS_ENOMEM;
    if (hs_conflict_parse(request->id, &name) != HS_OK)
        return hs_fail(HS_EVALUE, &call->why, "id: '%s' is not a conflict's", request->id);
    if (name.list != HS_LIST_PARKED && name.list != HS_LIST_DECISION)
        return hs_fail(HS_EINVAL, &call->why, "a conflict of type %s is not released or rejected; %s",
                       hs_conflict_row(name.list)->name, hs_conflict_row(name.list)->advice_en);
    hs_id_made("hallsync decision 1", HS_BYTES(call->id, sizeof call->id), id);
    item.id = HS_BYTES(id->bytes, sizeof id->bytes);
    enum hs_err err = check_request(call);
    return err == HS_OK ? hs_batch_one(call, &item) : err;
}

/* ---- the write ---- */

struct target {
    struct hs_conflict_name name;
    struct hs_stored stored; /* a view, until something is written */
    const struct hs_kind *kind;
    struct hs_standing standing;
    struct hs_buf follows;
    hs_stamp highest; /* of the decisions so far */
    size_t count;
    const char *id_text; /* of the record */
};

/* A conflict's id does not say the lane: for the most part it is the kind's.  HS_ENOTFOUND: in none of them is a record
 * of that name that breaks a rule, or about which somebody has decided. */
static enum hs_err look_for(struct hs_work *work, struct target *target)
{
    struct hs_record_name *name = &target->name.record;
    target->kind = hs_kind_by_number(name->kind);
    for (unsigned lane = HS_LANE_WORK; target->kind != NULL && lane < HS_LANE_COUNT; lane++) {
        name->lane = (uint8_t)lane;
        enum hs_err err = hs_view_record(work->view, name, &target->stored);
        if (err == HS_OK)
            err = hs_view_standing(work->view, &target->stored, &target->standing);
        if (err != HS_ENOTFOUND &&
            (err != HS_OK || target->standing.fault != HS_OK || target->standing.verdict != HS_VERDICT_NONE))
            return err;
    }
    return HS_ENOTFOUND;
}

static enum hs_err find_target(struct hs_work *work, const struct hs_item *item, struct target *target)
{
    const Hallsync__DecideRequest *request = (const Hallsync__DecideRequest *)item->parsed;
    enum hs_err err = hs_conflict_parse(request->id, &target->name);
    if (err == HS_OK)
        err = look_for(work, target);
    if (err != HS_ENOTFOUND)
        return err;
    return hs_refuse(&work->refusal, HS_ENOTFOUND, 0,
                     "there is no such record to decide about here: it is not here, or was mended, and counts; see "
                     "hallsync conflict list");
}

static enum hs_err follow(void *ctx, const struct hs_decided *decided)
{
    struct target *target = ctx;
    target->count++;
    if (decided->stamp > target->highest)
        target->highest = decided->stamp;
    if (target->follows.size < (size_t)HS_FOLLOWS_MAX * HS_ID_BYTES)
        hs_buf_put(&target->follows, decided->id.bytes, sizeof decided->id.bytes);
    return target->follows.err;
}

static enum hs_err judge(struct hs_work *work, const struct target *target, bool releases)
{
    const struct hs_standing *standing = &target->standing;
    if (!releases || standing->fault == HS_OK || standing->may_release)
        return HS_OK;
    return hs_refuse(&work->refusal, HS_EINVAL, 0, "this %s cannot be released: %s; %s", target->kind->name,
                     standing->why.text, hs_mend_advice(target->kind)->en);
}

/* Who decides has seen what others have decided, or looks again. */
static enum hs_err check_seen(struct hs_work *work, const struct hs_item *item, const struct target *target)
{
    const Hallsync__DecideRequest *request = (const Hallsync__DecideRequest *)item->parsed;
    if (!request->has_seen || request->seen == target->count)
        return HS_OK;
    return hs_refuse(&work->refusal, HS_EMEANWHILE, 0, "somebody else has decided about it meanwhile: look again");
}

static ProtobufCBinaryData data_of(const uint8_t *bytes, size_t size)
{
    return (ProtobufCBinaryData){.len = size, .data = (uint8_t *)(uintptr_t)bytes}; /* only read */
}

static struct hs_bytes make_fact(struct hs_work *work, const struct hs_item *item, const struct target *target,
                                 bool releases)
{
    const Hallsync__DecideRequest *request = (const Hallsync__DecideRequest *)item->parsed;
    const struct hs_record_name *record = &target->name.record;
    Hallsync__Decision fact = HALLSYNC__DECISION__INIT;
    fact.has_lane = fact.has_kind = fact.has_record_id = fact.has_contents = true;
    fact.lane = record->lane;
    fact.kind = record->kind;
    fact.record_id = data_of(record->id.data, record->id.size);
    fact.verdict = request->verdict;
    fact.contents = data_of(target->standing.contents.bytes, HS_HASH_BYTES);
    fact.has_flaw = releases && target->kind->shape == HS_SHAPE_REGISTER;
    fact.flaw = data_of(target->standing.flaw.bytes, HS_HASH_BYTES);
    fact.has_follows = target->follows.size != 0;
    fact.follows = data_of(target->follows.data, target->follows.size);
    fact.name = request->name;
    fact.reason = request->reason;
    return hs_canonical(&fact.base, work->scratch);
}

static enum hs_err write_decision(struct hs_work *work, const struct hs_item *item, const struct target *target,
                                  bool releases)
{
    struct hs_bytes fact = make_fact(work, item, target, releases);
    struct hs_dot dot;
    hs_stamp stamp;
    if (fact.data == NULL)
        return HS_ENOMEM;
    struct hs_write write = {.kind = HS_KIND_DECISION, .id = item->id, .is_fact = true, .fact = fact};
    struct hs_draft draft = {.partition = target->name.record.partition,
                             .lane = HS_LANE_MONEY,
                             .above = target->highest,
                             .writes = &write,
                             .write_count = 1};
    work->out.result = HALLSYNC__RESULT__RESULT_CHANGED;
    work->out.safe = hs_safety_here(work->desk);
    struct hs_audited what = {.action = releases ? "release" : "reject",
                              .partition = draft.partition,
                              .kind = target->kind,
                              .record_id = target->id_text};
    enum hs_err err = hs_store_write(work->store, &draft, &dot, &stamp);
    return err == HS_OK ? hs_audit_write(work->call, work->store, &what) : err;
}

/* The id of a record that somebody hostile wrote can be anything, and the trail takes text within its limit. */
static bool is_tellable(const char *id)
{
    size_t size = strlen(id);
    return size != 0 && size <= HS_RECORD_ID_BYTES_MAX && hs_text_valid(HS_BYTES(id, size));
}

static const char *hex_of(struct hs_arena *arena, struct hs_bytes id)
{
    char *hex = hs_arena_alloc(arena, 2 * id.size + 1);
    if (hex != NULL)
        hs_text_to_hex(id, hex);
    return hex;
}

/* What people call it, since the store's bytes move under a write. */
static enum hs_err name_target(struct hs_work *work, struct target *target)
{
    struct hs_bytes message;
    enum hs_err err = hs_look_message(&work->look, &target->stored, &message);
    if (err != HS_OK)
        return err;
    target->id_text = hs_show_id(work->scratch, target->kind, target->name.record.id, message);
    if (target->id_text != NULL && !is_tellable(target->id_text))
        target->id_text = hex_of(work->scratch, target->name.record.id);
    return target->id_text != NULL ? HS_OK : HS_ENOMEM;
}

/* Sent again it finds the decision that it made; HS_ENOTFOUND: it is new. */
static enum hs_err find_made(struct hs_work *work, const struct hs_item *item)
{
    struct hs_stored stored;
    enum hs_err err = hs_view_find(work->view, HS_KIND_DECISION, item->id, &stored);
    work->out.result = HALLSYNC__RESULT__RESULT_EXISTS;
    work->out.safe = hs_safety_here(work->desk);
    return err;
}

enum hs_err hs_decide_write(struct hs_work *work, const struct hs_item *item)
{
    const Hallsync__DecideRequest *request = (const Hallsync__DecideRequest *)item->parsed;
    bool releases = strcmp(request->verdict, "release") == 0;
    struct target target = {.follows = {0}};
    enum hs_err err = find_made(work, item);
    if (err != HS_ENOTFOUND)
        return err;
    err = find_target(work, item, &target);
    if (err == HS_OK)
        err = judge(work, &target, releases);
    if (err == HS_OK)
        err = hs_view_decisions(work->view, &target.name.record, follow, &target);
    if (err == HS_OK)
        err = check_seen(work, item, &target);
    if (err == HS_OK)
        err = name_target(work, &target);
    bool is_so = target.standing.verdict == (releases ? HS_VERDICT_RELEASED : HS_VERDICT_REJECTED);
    if (err == HS_OK && is_so && !target.standing.is_disputed) {
        work->out.result = HALLSYNC__RESULT__RESULT_UNCHANGED;
        work->out.safe = hs_safety_here(work->desk);
    } else if (err == HS_OK) {
        err = write_decision(work, item, &target, releases);
    }
    hs_buf_fini(&target.follows);
    return err;
}
