/* A person decides: the chosen values, or the shown ones, overwrite all that live in the fields in question. */
#include "node/service/conflicts.h"
#include "node/service/handlers.h"
#include "node/service/put.h"
#include "node/service/show.h"

#include <string.h>

/* ---- the choices ---- */

/* The version of whoever cleared the field. */
static enum hs_err take_none(struct hs_call *call, const struct hs_kind *kind, const struct hs_field_rule *rule,
                             struct hs_given *given)
{
    *given = (struct hs_given){.number = rule->number, .rule = rule};
    if (rule->required)
        return hs_fail(HS_EREQUIRED, &call->why, "%s: cannot be cleared; a %s needs it",
                       hs_kind_field_name(kind, rule->number), kind->name);
    return HS_OK;
}

static enum hs_err take_choice(struct hs_call *call, const struct hs_kind *kind, const Hallsync__FieldChoice *choice,
                               struct hs_given *given)
{
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(kind->message,
                                                                                            choice->field);
    struct hs_fields fields = hs_kind_fields(kind);
    const struct hs_field_rule *rule = field != NULL ? hs_kind_rule(kind, field->id) : NULL;
    struct hs_buf value = {0};
    uint32_t wrong;
    if (rule == NULL)
        return hs_fail(HS_EFIELD, &call->why, "%s: has no field '%s'", kind->name, choice->field);
    if (choice->value[0] == '\0')
        return take_none(call, kind, rule, given);
    enum hs_err err = hs_field_parse(&fields, rule, HS_BYTES(choice->value, strlen(choice->value)), &value, &call->why);
    if (err == HS_OK)
        err = hs_kind_check(kind, hs_buf_bytes(&value), (struct hs_check){.strict = true}, &wrong, &call->why);
    *given = (struct hs_given){
        .number = field->id, .value = hs_arena_copy(&call->arena, hs_buf_bytes(&value)), .rule = rule};
    hs_buf_fini(&value);
    return err == HS_OK && given->value.data == NULL ? HS_ENOMEM : err;
}

static enum hs_err take_choices(struct hs_call *call, struct hs_item *item)
{
    const Hallsync__ResolveRequest *request = call->request->resolve;
    if (request->n_choices > item->kind->field_count)
        return hs_fail(HS_EINVAL, &call->why, "more choices than a %s has fields", item->kind->name);
    struct hs_given *given = hs_arena_array(&call->arena, request->n_choices, sizeof *given);
    if (given == NULL)
        return HS_ENOMEM;
    item->given = given;
    item->given_count = request->n_choices;
    for (size_t i = 0; i < request->n_choices; i++) {
        enum hs_err err = take_choice(call, item->kind, request->choices[i], &given[i]);
        if (err != HS_OK)
            return err;
    }
    return HS_OK;
}

/* ---- the request ---- */

static enum hs_err take_record(struct hs_call *call, struct hs_item *item)
{
    const char *id = call->request->resolve->id;
    struct hs_conflict_name name;
    if (hs_conflict_parse(id, &name) != HS_OK)
        return hs_fail(HS_EVALUE, &call->why, "id: '%s' is not a conflict's", id);
    if (name.list != HS_LIST_FIELD)
        return hs_fail(HS_EINVAL, &call->why, "a conflict of type %s is not resolved by choosing values; %s",
                       hs_conflict_row(name.list)->name, hs_conflict_row(name.list)->advice_en);
    item->kind = hs_kind_by_number(name.record.kind);
    if (item->kind == NULL)
        return hs_fail(HS_EKIND, &call->why, "this node does not know kind %u", (unsigned)name.record.kind);
    item->id = hs_arena_copy(&call->arena, name.record.id);
    hs_partition *partition = hs_arena_alloc(&call->arena, sizeof *partition);
    if (partition == NULL)
        return HS_ENOMEM;
    *partition = name.record.partition;
    item->partition = partition;
    item->id_text = hs_show_id(&call->arena, item->kind, name.record.id, HS_BYTES_NONE);
    item->request = hs_arena_copy(&call->arena, HS_BYTES(call->id, sizeof call->id));
    return item->id.data == NULL || item->id_text == NULL || item->request.data == NULL ? HS_ENOMEM : HS_OK;
}

enum hs_err hs_resolve_prepare(struct hs_call *call)
{
    Hallsync__PutRecord *put = hs_arena_alloc(&call->arena, sizeof *put);
    struct hs_item item = {.write = hs_resolve_write, .put = put, .parsed = &call->request->resolve->base};
    if (put == NULL)
        return HS_ENOMEM;
    hallsync__put_record__init(put);
    enum hs_err err = take_record(call, &item);
    if (err == HS_OK)
        err = take_choices(call, &item);
    return err == HS_OK ? hs_batch_one(call, &item) : err;
}

/* ---- the write ---- */

static const struct hs_given *choice_of(const struct hs_item *item, uint32_t number)
{
    for (size_t i = 0; i < item->given_count; i++) {
        if (item->given[i].number == number)
            return &item->given[i];
    }
    return NULL;
}

static bool in_conflict(const struct hs_item *item, const struct hs_field_state *field)
{
    const struct hs_field_rule *rule = hs_kind_rule(item->kind, field->number);
    return rule != NULL && rule->policy == HS_POLICY_REVIEW && hs_field_rivals(field) != 0;
}

static enum hs_err check_choices(struct hs_work *work, const struct hs_item *item, const struct hs_record *record)
{
    for (size_t i = 0; i < item->given_count; i++) {
        const struct hs_field_state *field = hs_record_field(record, item->given[i].number);
        if (field == NULL || !in_conflict(item, field))
            return hs_refuse(&work->refusal, HS_EINVAL, item->given[i].number, "%s: is not in conflict",
                             hs_kind_field_name(item->kind, item->given[i].number));
    }
    return HS_OK;
}

/* What is kept as it is shown is written too: a copy, since the store's bytes move under a write. */
static enum hs_err plan_field(struct hs_work *work, const struct hs_item *item, const struct hs_field_state *field,
                              struct hs_plan *plan)
{
    const struct hs_given *choice = choice_of(item, field->number);
    struct hs_bytes shown = hs_field_shown(field)->value;
    struct hs_bytes value = choice != NULL ? choice->value : hs_arena_copy(work->scratch, shown);
    if (value.data == NULL && shown.size != 0)
        return HS_ENOMEM;
    plan->seen_changes++;
    return hs_plan_add(plan, field->number, value, field, NULL, NULL);
}

static bool live_has(const struct hs_field_state *field, const Hallsync__DotName *dot)
{
    for (size_t i = 0; i < field->live_count; i++) {
        if (field->live[i].dot.origin == dot->origin && field->live[i].dot.n == dot->n)
            return true;
    }
    return false;
}

static bool seen_has(const Hallsync__FieldDots *seen, const struct hs_dot *dot)
{
    for (size_t i = 0; i < seen->n_dots; i++) {
        if (seen->dots[i]->origin == dot->origin && seen->dots[i]->n == dot->n)
            return true;
    }
    return false;
}

/* The same values, each named by the operation that wrote it. */
static bool same_values(const struct hs_field_state *field, const Hallsync__FieldDots *seen)
{
    bool same = true;
    for (size_t i = 0; i < seen->n_dots; i++)
        same = same && live_has(field, seen->dots[i]);
    for (size_t i = 0; i < field->live_count; i++)
        same = same && seen_has(seen, &field->live[i].dot);
    return same;
}

static const Hallsync__FieldDots *seen_of(const Hallsync__ResolveRequest *request, uint32_t number)
{
    for (size_t i = 0; i < request->n_seen; i++) {
        if (request->seen[i]->field == number)
            return request->seen[i];
    }
    return NULL;
}

/* Who decides chooses between what he was shown, or looks again. */
static enum hs_err check_seen(struct hs_work *work, const struct hs_item *item, const struct hs_record *record)
{
    const Hallsync__ResolveRequest *request = (const Hallsync__ResolveRequest *)item->parsed;
    size_t shown = 0;
    bool same = true;
    for (size_t i = 0; request->n_seen != 0 && i < record->field_count; i++) {
        const struct hs_field_state *field = &record->fields[i];
        const Hallsync__FieldDots *seen = seen_of(request, field->number);
        same = same && in_conflict(item, field) == (seen != NULL) && (seen == NULL || same_values(field, seen));
        shown += seen != NULL;
    }
    return same && shown == request->n_seen
               ? HS_OK
               : hs_refuse(&work->refusal, HS_EMEANWHILE, 0,
                           "somebody else has changed or decided it meanwhile: look again");
}

static enum hs_err make_plan(struct hs_work *work, const struct hs_item *item, const struct hs_record *record,
                             struct hs_plan *plan)
{
    enum hs_err err = check_seen(work, item, record);
    if (err == HS_OK)
        err = check_choices(work, item, record);
    if (err == HS_OK)
        err = hs_plan_begin(work->scratch, record->field_count, plan);
    for (size_t i = 0; i < record->field_count && err == HS_OK; i++) {
        if (in_conflict(item, &record->fields[i]))
            err = plan_field(work, item, &record->fields[i], plan);
    }
    return err;
}

enum hs_err hs_resolve_write(struct hs_work *work, const struct hs_item *item)
{
    struct hs_target target;
    struct hs_plan plan = {0};
    if (hs_register_repeated(work, item))
        return HS_OK;
    enum hs_err err = hs_register_find(work, item, &target);
    if (err == HS_OK)
        err = make_plan(work, item, &target.record, &plan);
    if (err == HS_OK && plan.count == 0)
        err = hs_refuse(&work->refusal, HS_ENOTFOUND, 0, "%s %s has no such conflict; it may have been resolved",
                        item->kind->name, item->id_text);
    if (err != HS_OK)
        return err;
    work->out.result = HALLSYNC__RESULT__RESULT_CHANGED;
    err = hs_register_commit(work, item, &target, &plan);
    return err == HS_OK ? hs_register_tell(work, item, &target, &plan, "resolve") : err;
}
