#include "node/admin/changes.h"

#include "proto/base/text.h"

#include <stdlib.h>
#include <string.h>

bool admin_change_begin(struct admin_request *request, struct admin_change *change)
{
    const char *reason = admin_input(request, "reason");
    hallsync__request__init(&change->request);
    hallsync__actor__init(&change->actor);
    change->actor.name = request->who.name;
    change->actor.role = (char *)(uintptr_t)hs_user_role_text(request->who.role); /* only read, as the next two */
    change->actor.way = (char *)(uintptr_t) "console";
    change->request.actor = &change->actor;
    change->request.reason = (char *)(uintptr_t)reason;
    if (reason != NULL && reason[strspn(reason, " \t\r\n")] != '\0')
        return true;
    admin_answer_error(request, 400, "missing-field", "reason: why is this done?  It is kept in the audit trail",
                       "请填写原因，原因将记入操作留痕");
    return false;
}

char *admin_wanted(struct admin_request *request, const char *name)
{
    struct hs_why why;
    const char *text = admin_input(request, name);
    if (text != NULL && text[0] != '\0')
        return (char *)(uintptr_t)text; /* only read */
    admin_answer_fail(request, hs_fail(HS_EREQUIRED, &why, "%s: is missing", name), &why);
    return NULL;
}

static bool district_of(const json_t *value, uint32_t *district)
{
    if (json_is_integer(value) && json_integer_value(value) >= 0 && json_integer_value(value) <= UINT16_MAX) {
        *district = (uint32_t)json_integer_value(value);
        return true;
    }
    const char *text = json_string_value(value);
    if (text == NULL || strlen(text) != 4 || strspn(text, "0123456789") != 4)
        return false;
    *district = (uint32_t)strtoul(text, NULL, 10);
    return true;
}

bool admin_districts(struct admin_request *request, uint32_t districts[static ADMIN_DISTRICTS_MAX], size_t *count)
{
    struct hs_why why;
    const json_t *list = json_object_get(request->input, "districts");
    bool right = json_is_array(list) && json_array_size(list) <= ADMIN_DISTRICTS_MAX;
    *count = 0;
    for (size_t i = 0; right && i < json_array_size(list); i++)
        right = district_of(json_array_get(list, i), &districts[(*count)++]);
    if (!right)
        admin_answer_fail(request, hs_fail(HS_EVALUE, &why, "districts: a list of four digits each"), &why);
    return right;
}

bool admin_date(struct admin_request *request, uint32_t *date)
{
    struct hs_why why;
    const char *text = admin_query(request, "date");
    size_t digits = 0;
    *date = 0;
    for (const char *at = text; at != NULL && *at != '\0' && digits < 9; at++) {
        if (*at == '-')
            continue;
        digits = *at >= '0' && *at <= '9' ? digits + 1 : 9;
        *date = *date * 10 + (uint32_t)(*at - '0');
    }
    if (text == NULL || text[0] == '\0' || digits == 8)
        return true;
    admin_answer_fail(request, hs_fail(HS_EVALUE, &why, "date: as 20261122"), &why);
    return false;
}

bool admin_after(struct admin_request *request, struct admin_after *after)
{
    struct hs_why why;
    const char *text = admin_query(request, "next");
    *after = (struct admin_after){.has = false};
    if (text == NULL || text[0] == '\0')
        return true;
    size_t size = strlen(text) / 2;
    after->has = true;
    after->data = (ProtobufCBinaryData){.len = size, .data = after->bytes};
    if (size <= sizeof after->bytes && hs_text_from_hex(text, strlen(text), after->bytes, size) == HS_OK)
        return true;
    admin_answer_fail(request, hs_fail(HS_EVALUE, &why, "next: was in no answer"), &why);
    return false;
}

void admin_next(json_t *answer, bool has, const ProtobufCBinaryData *next)
{
    char text[2 * ADMIN_AFTER_BYTES_MAX + 1];
    if (has && next->len > ADMIN_AFTER_BYTES_MAX)
        json_object_set_new(answer, "complete", json_false());
    if (!has || next->len > ADMIN_AFTER_BYTES_MAX)
        return;
    hs_text_to_hex(HS_BYTES(next->data, next->len), text);
    json_object_set_new(answer, "next", json_string(text));
}
