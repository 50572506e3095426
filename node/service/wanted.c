#include "node/service/wanted.h"

#include <string.h>

static bool is_named(const Hallsync__WatchRequest *request, uint32_t kind)
{
    for (size_t i = 0; i < request->n_kinds; i++) {
        if (request->kinds[i] == kind)
            return true;
    }
    return request->n_kinds == 0;
}

static enum hs_err check_districts(struct hs_call *call, const Hallsync__WatchRequest *request)
{
    if (request->n_districts > HS_SCOPE_MAX)
        return hs_fail(HS_ETOOBIG, &call->why, "districts: %zu, at most %d", request->n_districts, HS_SCOPE_MAX);
    for (size_t i = 0; i < request->n_districts; i++) {
        if (!hs_partition_valid(request->districts[i]))
            return hs_fail(HS_EVALUE, &call->why, "districts: %u is no district", (unsigned)request->districts[i]);
    }
    return HS_OK;
}

/* ---- fields ---- */

static struct hs_where_asked *take_asked(struct hs_call *call, const Hallsync__WatchRequest *request)
{
    struct hs_where_asked *asked = hs_arena_array(&call->arena, request->n_where, sizeof *asked);
    for (size_t i = 0; i < request->n_where && asked != NULL; i++) {
        const Hallsync__WatchWhere *where = request->where[i];
        asked[i] = (struct hs_where_asked){where->field, (const char *const *)where->values, where->n_values};
    }
    return asked;
}

/* Kinds that were not named, and have no such field, are not told of. */
static enum hs_err make_wheres(struct hs_call *call, struct hs_wanted *wanted)
{
    const Hallsync__WatchRequest *request = wanted->request;
    enum hs_err first = HS_OK;
    struct hs_why why = {""};
    size_t made = 0;
    if (request->n_where > HS_WHERE_FIELDS_MAX)
        return hs_fail(HS_ETOOBIG, &call->why, "where: %zu fields, at most %d", request->n_where, HS_WHERE_FIELDS_MAX);
    struct hs_where_asked *asked = take_asked(call, request);
    wanted->wheres = hs_arena_array(&call->arena, HS_KIND_COUNT, sizeof *wanted->wheres);
    if (asked == NULL || wanted->wheres == NULL)
        return HS_ENOMEM;
    for (size_t i = 0; i < HS_KIND_COUNT; i++) {
        struct hs_where *where = &wanted->wheres[i];
        enum hs_err err = !wanted->kinds[i] ? HS_OK
                                            : hs_where_make(&HS_KINDS[i], &hallsync__record__descriptor, asked,
                                                            request->n_where, &call->arena, where, &call->why);
        if (err == HS_ENOMEM || (err != HS_OK && request->n_kinds > 0))
            return err;
        if (err != HS_OK && (first == HS_OK || first == HS_EFIELD)) {
            first = err;
            why = call->why;
        }
        wanted->kinds[i] = wanted->kinds[i] && err == HS_OK;
        made += wanted->kinds[i];
        wanted->follows = wanted->follows || (wanted->kinds[i] && where->derived);
    }
    call->why = made == 0 ? why : (struct hs_why){""};
    return made == 0 ? first : HS_OK;
}

/* ---- the whole ---- */

enum hs_err hs_wanted_make(struct hs_call *call, struct hs_wanted *wanted)
{
    const Hallsync__WatchRequest *request = call->request->watch;
    *wanted = (struct hs_wanted){.request = request};
    wanted->kinds = hs_arena_array(&call->arena, HS_KIND_COUNT, sizeof *wanted->kinds);
    if (wanted->kinds == NULL)
        return HS_ENOMEM;
    for (size_t i = 0; i < HS_KIND_COUNT; i++)
        wanted->kinds[i] = is_named(request, HS_KINDS[i].number);
    enum hs_err err = check_districts(call, request);
    return err == HS_OK && request->n_where > 0 ? make_wheres(call, wanted) : err;
}

static bool wants_district(const Hallsync__WatchRequest *request, hs_partition partition)
{
    for (size_t i = 0; i < request->n_districts; i++) {
        if (request->districts[i] == partition)
            return true;
    }
    return request->n_districts == 0;
}

bool hs_wanted_name(const struct hs_wanted *wanted, const struct hs_record_name *name)
{
    const struct hs_kind *kind = hs_kind_by_number(name->kind);
    bool of_kind = kind != NULL ? wanted->kinds[kind - HS_KINDS]
                                : wanted->request->n_where == 0 && is_named(wanted->request, name->kind);
    return of_kind && wants_district(wanted->request, name->partition);
}

enum hs_err hs_wanted_fits(const struct hs_wanted *wanted, const Hallsync__Record *record, bool *fits)
{
    const struct hs_kind *kind = hs_kind_by_number(record->kind);
    *fits = true;
    if (wanted->wheres == NULL || kind == NULL)
        return HS_OK;
    return hs_where_fits(&wanted->wheres[kind - HS_KINDS], kind, HS_BYTES(record->record.data, record->record.len),
                         &record->base, fits);
}

bool hs_wanted_follows(const struct hs_wanted *wanted, uint16_t kind)
{
    const struct hs_kind *known = hs_kind_by_number(kind);
    return wanted->follows && known != NULL && wanted->kinds[known - HS_KINDS] &&
           wanted->wheres[known - HS_KINDS].derived;
}
