/* Conflicts: what people must decide or know of, and their decisions. */
#include "node/admin/changes.h"
#include "node/admin/handlers.h"
#include "node/json/json.h"
#include "proto/base/limits.h"
#include "proto/base/text.h"

#include <stdlib.h>
#include <string.h>

#define CHOICES_MAX 64
#define DOTS_MAX    HS_FIELD_OVER_MAX /* of one field */
#define ID_BYTES    256

/* ---- looking ---- */

void admin_get_conflicts(struct admin_request *request)
{
    Hallsync__ConflictsRequest body = HALLSYNC__CONFLICTS_REQUEST__INIT;
    Hallsync__Request message = HALLSYNC__REQUEST__INIT;
    const Hallsync__Reply *reply;
    struct admin_after after;
    const char *type = admin_query(request, "type");
    if (!admin_after(request, &after))
        return;
    body.type = (char *)(uintptr_t)(type != NULL && type[0] != '\0' ? type : NULL); /* only read */
    body.has_limit = 1;
    body.limit = ADMIN_PAGE_ROWS;
    body.has_after = after.has;
    body.after = after.data;
    message.body_case = HALLSYNC__REQUEST__BODY_CONFLICTS;
    message.conflicts = &body;
    if (!admin_call(request, &message, HALLSYNC__REPLY__BODY_CONFLICTS, &reply))
        return;
    json_t *rows = json_array();
    for (size_t i = 0; i < reply->conflicts->n_conflicts; i++)
        json_array_append_new(rows, hs_json_message(&reply->conflicts->conflicts[i]->base));
    json_t *answer = json_pack("{s:o}", "conflicts", rows);
    admin_next(answer, reply->conflicts->has_next, &reply->conflicts->next);
    admin_answer_json(request, answer);
}

/* One of them as it stands; null: there is none of that id any more.  False: the request has been answered. */
static bool look(struct admin_request *request, const char *id, bool may_be_gone, json_t **conflict)
{
    Hallsync__ConflictsRequest body = HALLSYNC__CONFLICTS_REQUEST__INIT;
    Hallsync__Request message = HALLSYNC__REQUEST__INIT;
    const Hallsync__Reply *reply;
    body.id = (char *)(uintptr_t)id; /* only read */
    message.body_case = HALLSYNC__REQUEST__BODY_CONFLICTS;
    message.conflicts = &body;
    if (!admin_call_but(request, &message, HALLSYNC__REPLY__BODY_CONFLICTS, may_be_gone ? HS_ENOTFOUND : HS_OK, &reply))
        return false;
    bool found = reply->error == NULL && reply->conflicts->n_conflicts == 1;
    *conflict = found ? hs_json_message(&reply->conflicts->conflicts[0]->base) : json_null();
    return true;
}

void admin_post_look(struct admin_request *request)
{
    json_t *conflict;
    const char *id = admin_wanted(request, "id");
    if (id != NULL && look(request, id, false, &conflict))
        admin_answer_json(request, json_pack("{s:o}", "conflict", conflict));
}

/* ---- deciding ---- */

/* Somebody else was quicker: how it stands now. */
static void answer_meanwhile(struct admin_request *request, const char *id)
{
    json_t *conflict;
    if (!look(request, id, true, &conflict))
        return;
    admin_answer_object(request, 409,
                        json_pack("{s:s, s:s, s:s, s:o}", "error", hs_err_name(HS_EMEANWHILE), "text_en",
                                  hs_err_text(HS_EMEANWHILE), "text_zh", hs_err_text_zh(HS_EMEANWHILE), "conflict",
                                  conflict));
}

static void decide(struct admin_request *request, struct admin_change *change, const char *id)
{
    const Hallsync__Reply *reply;
    char kept[ID_BYTES];
    if (strlen(id) >= sizeof kept) {
        admin_answer_fail(request, HS_EVALUE, NULL);
        return;
    }
    memcpy(kept, id, strlen(id) + 1);
    if (!admin_call_but(request, &change->request, HALLSYNC__REPLY__BODY_PUT, HS_EMEANWHILE, &reply))
        return;
    if (reply->error != NULL)
        answer_meanwhile(request, kept);
    else if (reply->put->n_results != 1)
        admin_answer_fail(request, HS_EINTERNAL, NULL);
    else
        admin_answer_json(request, json_pack("{s:o}", "result", hs_json_result(reply->put->results[0])));
}

struct choosing {
    Hallsync__FieldChoice choices[CHOICES_MAX], *choice_pointers[CHOICES_MAX];
    Hallsync__FieldDots seen[CHOICES_MAX], *seen_pointers[CHOICES_MAX];
    Hallsync__DotName dots[CHOICES_MAX][DOTS_MAX], *dot_pointers[CHOICES_MAX][DOTS_MAX];
};

static bool is_u32(const json_t *value)
{
    return json_is_integer(value) && json_integer_value(value) >= 0 && json_integer_value(value) <= UINT32_MAX;
}

static bool take_choice(struct choosing *choosing, size_t at, const json_t *from)
{
    Hallsync__FieldChoice *choice = &choosing->choices[at];
    hallsync__field_choice__init(choice);
    choice->field = (char *)(uintptr_t)json_string_value(json_object_get(from, "field")); /* only read, as the next */
    choice->value = (char *)(uintptr_t)json_string_value(json_object_get(from, "value"));
    choosing->choice_pointers[at] = choice;
    return choice->field != NULL && choice->value != NULL;
}

static bool take_dot(Hallsync__DotName *dot, const json_t *from)
{
    uint8_t origin[8];
    const char *text = json_string_value(json_object_get(from, "origin"));
    const json_t *n = json_object_get(from, "n");
    hallsync__dot_name__init(dot);
    if (text == NULL || !json_is_integer(n) || hs_text_from_hex(text, strlen(text), origin, sizeof origin) != HS_OK)
        return false;
    for (size_t i = 0; i < sizeof origin; i++)
        dot->origin = dot->origin << 8 | origin[i];
    dot->n = (uint64_t)json_integer_value(n);
    return true;
}

static bool take_seen(struct choosing *choosing, size_t at, const json_t *from)
{
    Hallsync__FieldDots *seen = &choosing->seen[at];
    const json_t *dots = json_object_get(from, "dots");
    const json_t *field = json_object_get(from, "field");
    hallsync__field_dots__init(seen);
    bool right = is_u32(field) && json_is_array(dots) && json_array_size(dots) <= DOTS_MAX;
    seen->field = (uint32_t)json_integer_value(field);
    seen->dots = choosing->dot_pointers[at];
    for (size_t i = 0; right && i < json_array_size(dots); i++) {
        right = take_dot(&choosing->dots[at][i], json_array_get(dots, i));
        choosing->dot_pointers[at][seen->n_dots++] = &choosing->dots[at][i];
    }
    choosing->seen_pointers[at] = seen;
    return right;
}

/* What was chosen, and between what: who was shown something else by then decides nothing. */
static bool take_choices(const json_t *input, struct choosing *choosing, Hallsync__ResolveRequest *body)
{
    const json_t *choices = json_object_get(input, "choices");
    const json_t *seen = json_object_get(input, "seen");
    bool right = (choices == NULL || json_is_array(choices)) && json_array_size(choices) <= CHOICES_MAX &&
                 json_is_array(seen) && json_array_size(seen) != 0 && json_array_size(seen) <= CHOICES_MAX;
    for (size_t i = 0; right && i < json_array_size(choices); i++)
        right = take_choice(choosing, i, json_array_get(choices, i));
    for (size_t i = 0; right && i < json_array_size(seen); i++)
        right = take_seen(choosing, i, json_array_get(seen, i));
    body->choices = choosing->choice_pointers;
    body->n_choices = json_array_size(choices);
    body->seen = choosing->seen_pointers;
    body->n_seen = json_array_size(seen);
    return right;
}

void admin_post_conflict(struct admin_request *request)
{
    Hallsync__ResolveRequest body = HALLSYNC__RESOLVE_REQUEST__INIT;
    struct admin_change change;
    struct hs_why why;
    if (!admin_change_begin(request, &change) || (body.id = admin_wanted(request, "id")) == NULL)
        return;
    struct choosing *choosing = calloc(1, sizeof *choosing);
    change.request.body_case = HALLSYNC__REQUEST__BODY_RESOLVE;
    change.request.resolve = &body;
    if (choosing == NULL)
        admin_answer_fail(request, HS_ENOMEM, NULL);
    else if (!take_choices(request->input, choosing, &body))
        admin_answer_fail(request, hs_fail(HS_EVALUE, &why, "choices: field and value each; seen: field and dots each"),
                          &why);
    else
        decide(request, &change, body.id);
    free(choosing);
}

void admin_post_parked(struct admin_request *request)
{
    Hallsync__DecideRequest body = HALLSYNC__DECIDE_REQUEST__INIT;
    struct admin_change change;
    struct hs_why why;
    const json_t *seen = json_object_get(request->input, "seen");
    if (!admin_change_begin(request, &change) || (body.id = admin_wanted(request, "id")) == NULL ||
        (body.verdict = admin_wanted(request, "decision")) == NULL)
        return;
    if (!is_u32(seen)) {
        admin_answer_fail(request, hs_fail(HS_EVALUE, &why, "seen: the number of decisions that were shown"), &why);
        return;
    }
    body.name = request->who.name;
    body.reason = change.request.reason;
    body.has_seen = true;
    body.seen = (uint32_t)json_integer_value(seen);
    change.request.body_case = HALLSYNC__REQUEST__BODY_DECIDE;
    change.request.decide = &body;
    decide(request, &change, body.id);
}
