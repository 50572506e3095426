/* Register records: which fields are written, and what each of them overwrites.  A write names the values that its
 * author saw, or else those that live when it is first done; anything newer than that stays beside it. */
#include "node/service/audit.h"
#include "node/service/put.h"

#include "proto/msg/op.h"
#include "proto/msg/tlv.h"

#include <assert.h>
#include <string.h>

/* ---- the record as it stands ---- */

static enum hs_err find(struct hs_work *work, const struct hs_item *item, struct hs_stored *stored)
{
    const struct hs_kind *kind = item->kind;
    struct hs_record_name name = {.lane = (uint8_t)kind->lane, .kind = kind->number, .id = item->id};
    if (item->partition != NULL)
        name.partition = *item->partition;
    else if (!hs_kind_found_in(kind, NULL, item->id, &name.partition))
        return hs_view_find(work->view, kind->number, item->id, stored);
    return hs_view_record(work->view, &name, stored);
}

static bool has_values(const struct hs_record *record)
{
    for (size_t i = 0; i < record->field_count; i++) {
        if (record->fields[i].live_count > 0)
            return true;
    }
    return false;
}

enum hs_err hs_register_find(struct hs_work *work, const struct hs_item *item, struct hs_target *target)
{
    struct hs_stored stored;
    *target = (struct hs_target){0};
    enum hs_err err = find(work, item, &stored);
    if (err == HS_OK) {
        target->partition = stored.name.partition;
        err = hs_record_decode(stored.state, work->scratch, &target->record);
        err = err == HS_EMALFORMED ? HS_EDAMAGED : err;
    } else if (err == HS_ENOTFOUND) {
        err = hs_item_home(work, item, &target->partition);
    }
    target->is_new = err == HS_OK && !has_values(&target->record);
    if (target->is_new && item->incomplete != NULL) {
        work->refusal = *item->incomplete;
        err = item->incomplete->err;
    }
    return err;
}

Hallsync__Safety hs_record_safety(const struct hs_look *look, const struct hs_record_name *name,
                                  const struct hs_record *record)
{
    Hallsync__Safety least = HALLSYNC__SAFETY__SAFETY_SAFE;
    struct hs_dot last = {0};
    for (size_t i = 0; i < record->field_count; i++) {
        const struct hs_field_state *field = &record->fields[i];
        for (size_t j = 0; j < field->live_count; j++) {
            if (hs_dot_compare(&field->live[j].dot, &last) == 0)
                continue; /* most fields come from one op */
            last = field->live[j].dot;
            Hallsync__Safety safe = (Hallsync__Safety)hs_look_safety(look, name, &last);
            least = safe < least ? safe : least;
        }
    }
    return least;
}

/* ---- the plan ---- */

static bool dot_is_new(const struct hs_dot *dots, size_t count, const struct hs_dot *dot)
{
    return count == 0 || hs_dot_compare(&dots[count - 1], dot) != 0;
}

enum hs_err hs_plan_begin(struct hs_arena *arena, size_t room, struct hs_plan *plan)
{
    *plan = (struct hs_plan){.arena = arena, .room = room};
    plan->writes = hs_arena_array(arena, room, sizeof *plan->writes);
    return plan->writes != NULL ? HS_OK : HS_ENOMEM;
}

enum hs_err hs_plan_add(struct hs_plan *plan, uint32_t number, struct hs_bytes value,
                        const struct hs_field_state *field, hs_takes_live takes, void *ctx)
{
    size_t most = field != NULL ? field->live_count : 0;
    struct hs_dot *dots = hs_arena_array(plan->arena, most, sizeof *dots);
    size_t count = 0;
    if (dots == NULL)
        return HS_ENOMEM;
    for (size_t i = 0; i < most && count < HS_FIELD_OVER_MAX; i++) {
        const struct hs_live *live = &field->live[i];
        if (takes != NULL && !takes(ctx, live))
            continue;
        plan->above = live->stamp > plan->above ? live->stamp : plan->above;
        if (dot_is_new(dots, count, &live->dot))
            dots[count++] = live->dot;
    }
    assert(plan->count < plan->room);
    plan->writes[plan->count++] = (struct hs_field_write){
        .number = number, .value = value, .over = dots, .over_count = count};
    return HS_OK;
}

/* What the user was shown of this field; NULL if the client did not say. */
static const Hallsync__FieldDots *seen_of(const struct hs_item *item, uint32_t number)
{
    for (size_t i = 0; i < item->put->n_seen; i++) {
        if (item->put->seen[i]->field == number)
            return item->put->seen[i];
    }
    return NULL;
}

/* Only live values are named: a dot that is not here (yet) would name what its author cannot have seen at this node. */
static bool was_seen(void *ctx, const struct hs_live *live)
{
    const Hallsync__FieldDots *seen = ctx;
    for (size_t i = 0; i < seen->n_dots; i++) {
        if (seen->dots[i]->origin == live->dot.origin && seen->dots[i]->n == live->dot.n)
            return true;
    }
    return false;
}

/* A record stays where it is: a value that belongs elsewhere would part them. */
static enum hs_err check_home(struct hs_work *work, const struct hs_item *item, const struct hs_target *target,
                              const struct hs_given *given)
{
    hs_partition home;
    char text[HS_PARTITION_TEXT_BYTES];
    const char *field = hs_kind_field_name(item->kind, given->number);
    bool moves = given->number == item->kind->home_field && given->value.size != 0 &&
                 hs_kind_home(item->kind, hs_tlv_bytes(given->value, given->number), &home) &&
                 home != target->partition;
    if (!moves)
        return HS_OK;
    return hs_refuse(&work->refusal, HS_EFIXED, given->number, "%s: this %s is of %s, and stays there", field,
                     item->kind->name, hs_partition_text(target->partition, text));
}

static enum hs_err plan_given(struct hs_work *work, const struct hs_item *item, const struct hs_target *target,
                              const struct hs_given *given, struct hs_plan *plan)
{
    const struct hs_field_state *field = hs_record_field(&target->record, given->number);
    const struct hs_live *shown = field != NULL ? hs_field_shown(field) : NULL;
    bool same = shown != NULL ? hs_bytes_equal(shown->value, given->value) : given->value.size == 0;
    if (same && (shown == NULL || hs_field_rivals(field) == 0))
        return HS_OK;
    if (!same && shown != NULL && shown->value.size != 0 && given->rule->policy == HS_POLICY_FIXED)
        return hs_refuse(&work->refusal, HS_EFIXED, given->number, "%s: cannot be changed once it is set",
                         hs_kind_field_name(item->kind, given->number));
    enum hs_err err = check_home(work, item, target, given);
    if (err != HS_OK)
        return err;
    const Hallsync__FieldDots *seen = seen_of(item, given->number);
    plan->seen_changes++;
    return hs_plan_add(plan, given->number, given->value, field, seen != NULL ? was_seen : NULL,
                       (void *)(uintptr_t)seen);
}

/* A field that is fixed has no history between imports: it is written once. */
static enum hs_err plan_import(struct hs_work *work, const struct hs_item *item, const struct hs_target *target,
                               struct hs_plan *plan)
{
    struct hs_import *import;
    enum hs_err err = hs_import_load(item, &target->record, work->scratch, &import);
    for (size_t i = 0; i < item->given_count && err == HS_OK; i++) {
        const struct hs_given *given = &item->given[i];
        if (given->rule->policy == HS_POLICY_FIXED)
            err = plan_given(work, item, target, given, plan);
        else
            err = hs_import_plan(import, given, &target->record, plan);
    }
    return err == HS_OK ? hs_import_remember(import, &target->record, plan) : err;
}

/* What its author will see of the record is bounded; what else lives in it is not his doing. */
static enum hs_err check_size(struct hs_work *work, const struct hs_target *target, const struct hs_plan *plan)
{
    size_t size = 0;
    for (size_t i = 0; i < plan->count; i++)
        size += plan->writes[i].value.size;
    for (size_t i = 0; i < target->record.field_count; i++) {
        const struct hs_live *shown = hs_field_shown(&target->record.fields[i]);
        size += shown != NULL ? shown->value.size : 0;
    }
    if (plan->count == 0 || size <= HS_RECORD_BYTES_MAX)
        return HS_OK;
    return hs_refuse(&work->refusal, HS_ETOOBIG, 0, "%zu bytes with what is there already; a record has at most %d",
                     size, HS_RECORD_BYTES_MAX);
}

enum hs_err hs_register_plan(struct hs_work *work, const struct hs_item *item, const struct hs_target *target,
                             struct hs_plan *plan)
{
    enum hs_err err = hs_plan_begin(work->scratch, item->given_count + 1, plan); /* one for what an import remembers */
    if (err == HS_OK && item->put->source != NULL)
        err = plan_import(work, item, target, plan);
    for (size_t i = 0; i < item->given_count && err == HS_OK && item->put->source == NULL; i++)
        err = plan_given(work, item, target, &item->given[i], plan);
    return err == HS_OK ? check_size(work, target, plan) : err;
}

/* ---- requests done before ---- */

/* The op must have written this very record: an id that a client used for two requests hides nothing. */
static bool wrote(const struct hs_op *op, const struct hs_item *item)
{
    for (size_t i = 0; i < op->write_count; i++) {
        if (op->writes[i].kind == item->kind->number && hs_bytes_equal(op->writes[i].id, item->id))
            return true;
    }
    return false;
}

bool hs_register_repeated(struct hs_work *work, const struct hs_item *item)
{
    struct hs_stream stream;
    uint64_t n;
    struct hs_bytes bytes;
    struct hs_op op;
    bool found = item->request.size != 0 && hs_view_request(work->view, item->request, &stream, &n) == HS_OK &&
                 hs_view_op(work->view, &stream, n, &bytes) == HS_OK &&
                 hs_op_decode(bytes, work->scratch, &op) == HS_OK && wrote(&op, item);
    if (found) {
        work->out.result = HALLSYNC__RESULT__RESULT_UNCHANGED;
        work->out.safe = (Hallsync__Safety)hs_view_safety(work->view, &stream, n);
    }
    return found;
}

/* ---- the write ---- */

enum hs_err hs_register_commit(struct hs_work *work, const struct hs_item *item, const struct hs_target *target,
                               const struct hs_plan *plan)
{
    struct hs_write write = {
        .kind = item->kind->number, .id = item->id, .fields = plan->writes, .field_count = plan->count};
    struct hs_draft draft = {.partition = target->partition,
                             .lane = item->kind->lane,
                             .above = plan->above,
                             .writes = &write,
                             .write_count = 1,
                             .request = item->request};
    struct hs_dot dot;
    hs_stamp stamp;
    work->out.safe = hs_safety_here(work->desk);
    return hs_store_write(work->store, &draft, &dot, &stamp);
}

enum hs_err hs_register_tell(struct hs_work *work, const struct hs_item *item, const struct hs_target *target,
                             const struct hs_plan *plan, const char *action)
{
    struct hs_buf fields = {0};
    for (size_t i = 0; i < plan->count; i++) {
        const char *name = hs_kind_field_name(item->kind, plan->writes[i].number);
        if (name != NULL) /* else the record's own book-keeping */
            hs_buf_put_format(&fields, "%s%s", fields.size == 0 ? "" : ",", name);
    }
    struct hs_audited what = {.action = action,
                              .partition = target->partition,
                              .kind = item->kind,
                              .record_id = item->id_text,
                              .detail = hs_arena_text(work->scratch, hs_buf_bytes(&fields))};
    enum hs_err err = what.detail != NULL ? fields.err : HS_ENOMEM;
    hs_buf_fini(&fields);
    return err == HS_OK ? hs_audit_write(work->call, work->store, &what) : err;
}

/* What is said to the whole region is told of, too: who has said it, and why. */
static enum hs_err commit_told(struct hs_work *work, const struct hs_item *item, const struct hs_target *target,
                               const struct hs_plan *plan)
{
    bool is_told = item->kind->by == HS_BY_HUBS && (target->is_new || plan->seen_changes != 0);
    enum hs_err err = hs_register_commit(work, item, target, plan);
    return err == HS_OK && is_told ? hs_register_tell(work, item, target, plan, "publish") : err;
}

enum hs_err hs_register_write(struct hs_work *work, const struct hs_item *item)
{
    struct hs_target target;
    struct hs_plan plan;
    if (hs_register_repeated(work, item))
        return HS_OK;
    enum hs_err err = hs_register_find(work, item, &target);
    if (err == HS_OK)
        err = hs_register_plan(work, item, &target, &plan);
    if (err != HS_OK)
        return err;
    work->out.result = target.is_new            ? HALLSYNC__RESULT__RESULT_CREATED
                       : plan.seen_changes == 0 ? HALLSYNC__RESULT__RESULT_UNCHANGED
                                                : HALLSYNC__RESULT__RESULT_CHANGED;
    if (plan.count > 0)
        return commit_told(work, item, &target, &plan);
    struct hs_record_name name = {.partition = target.partition, .lane = (uint8_t)item->kind->lane};
    work->out.safe = hs_record_safety(&work->look, &name, &target.record);
    return HS_OK;
}
