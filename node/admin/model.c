/* /api/model: what the figures of a status mean, from their table. */
#include "node/admin/handlers.h"
#include "node/json/cause.h"
#include "node/status/model.h"

#include <stdio.h>

#define NAME_BYTES 128

static json_t *figure_json(const struct hs_figure *figure)
{
    json_t *json = json_pack("{s:s, s:s, s:s, s:s}", "type", hs_figure_type_text(figure->type), "unit", figure->unit,
                             "en", figure->en, "zh", figure->zh);
    if (figure->levels == NULL)
        return json;
    json_t *levels = json_array();
    for (size_t i = 0; figure->levels[i] != NULL; i++)
        json_array_append_new(levels, json_string(figure->levels[i]));
    json_object_set_new(json, "levels", levels);
    return json;
}

/* By its own name, and by its message's and its own where another message has one of the same name before it. */
static void put_figure(json_t *fields, const struct hs_figure *figure)
{
    char name[NAME_BYTES];
    json_t *json = figure_json(figure);
    snprintf(name, sizeof name, "%s.%s", figure->message, figure->field);
    json_object_set(fields, name, json);
    if (json_object_get(fields, figure->field) == NULL)
        json_object_set(fields, figure->field, json);
    json_decref(json);
}

void admin_get_model(struct admin_request *request)
{
    size_t count;
    const struct hs_figure *figures = hs_figures(&count);
    json_t *fields = json_object();
    for (size_t i = 0; i < count; i++)
        put_figure(fields, &figures[i]);
    request->answer.keep = true;
    admin_answer_json(request, json_pack("{s:o, s:o}", "fields", fields, "causes", hs_json_causes()));
}
