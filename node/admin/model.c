/* /api/model: what the page need not know by itself: figures of a status, causes, types of conflicts, kinds of records,
 * each from its table. */
#include "node/admin/handlers.h"
#include "node/json/cause.h"
#include "node/status/conflict_types.h"
#include "node/status/model.h"
#include "storage/model/kinds.h"

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

/* In the order in which people choose among them: the page keeps it. */
static json_t *conflict_types(void)
{
    json_t *types = json_object();
    for (size_t i = 0; i < HS_CONFLICT_TYPE_COUNT; i++) {
        const struct hs_conflict_type_row *row = hs_conflict_type_row((enum hs_conflict_type)i);
        json_object_set_new(types, row->name, json_pack("{s:s, s:s}", "en", row->en, "zh", row->zh));
    }
    return types;
}

static json_t *kinds(void)
{
    json_t *kinds = json_object();
    for (const struct hs_kind *kind = HS_KINDS; kind < HS_KINDS + HS_KIND_COUNT; kind++) {
        json_object_set_new(kinds, kind->name, json_pack("{s:s, s:s}", "en", kind->en, "zh", kind->zh));
    }
    return kinds;
}

void admin_get_model(struct admin_request *request)
{
    size_t count;
    const struct hs_figure *figures = hs_figures(&count);
    json_t *fields = json_object();
    for (size_t i = 0; i < count; i++)
        put_figure(fields, &figures[i]);
    request->answer.keep = true;
    admin_answer_json(request, json_pack("{s:o, s:o, s:o, s:o}", "fields", fields, "causes", hs_json_causes(),
                                         "conflicts", conflict_types(), "kinds", kinds()));
}
