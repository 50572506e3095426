#include "node/status/conflict_types.h"

#include <assert.h>

static const struct hs_conflict_type_row ROWS[] = {
#define X(id, name, en, zh, advice_en, advice_zh) [HS_CONFLICT_##id] = {name, en, zh, advice_en, advice_zh},
    HS_CONFLICT_TYPES(X)
#undef X
};

const struct hs_conflict_type_row *hs_conflict_type_row(enum hs_conflict_type type)
{
    assert((unsigned)type < HS_CONFLICT_TYPE_COUNT);
    return &ROWS[type];
}
