#include "node/service/conflicts.h"

#include "proto/base/text.h"

#include <stdio.h>
#include <string.h>

#define ID_TEXT_BYTES (16 + HS_PARTITION_TEXT_BYTES + 8 + 2 * HS_RECORD_ID_BYTES_MAX + HS_CONFLICT_EXTRA_BYTES + 8)
#define PARTS         5 /* of an id, the last one optional */

static const enum hs_list LISTS[] = {
#define X(id, ...) [HS_CONFLICT_##id] = HS_LIST_##id,
    HS_CONFLICT_TYPES(X)
#undef X
};

bool hs_conflict_list_of(const char *type, size_t size, enum hs_list *list)
{
    for (size_t i = 0; i < HS_CONFLICT_TYPE_COUNT; i++) {
        const char *name = hs_conflict_type_row((enum hs_conflict_type)i)->name;
        if (strlen(name) == size && memcmp(name, type, size) == 0) {
            *list = LISTS[i];
            return true;
        }
    }
    return false;
}

const struct hs_conflict_type_row *hs_conflict_row(enum hs_list list)
{
    static const struct hs_conflict_type_row NONE = {"", "", "", "", ""};
    for (size_t i = 0; i < HS_CONFLICT_TYPE_COUNT; i++) {
        if (LISTS[i] == list)
            return hs_conflict_type_row((enum hs_conflict_type)i);
    }
    return &NONE;
}

void hs_conflict_name_of(const struct hs_listed *listed, struct hs_conflict_name *name)
{
    *name = (struct hs_conflict_name){.list = listed->list, .record = listed->name};
    bool of_bill = listed->list == HS_LIST_OVERPAID || listed->list == HS_LIST_NO_BILL;
    if (of_bill && listed->detail.size < sizeof name->extra)
        memcpy(name->extra, listed->detail.data, listed->detail.size);
    else if (listed->list == HS_LIST_DECISION && listed->key.size > HS_ID_BYTES)
        hs_text_to_hex(HS_BYTES(listed->key.data + listed->key.size - HS_ID_BYTES, HS_ID_BYTES), name->extra);
    else if (listed->list == HS_LIST_VOID && hs_lane_valid(listed->name.lane))
        snprintf(name->extra, sizeof name->extra, "%s", hs_lane_text((enum hs_lane)listed->name.lane));
}

char *hs_conflict_id(struct hs_arena *arena, const struct hs_conflict_name *name)
{
    char partition[HS_PARTITION_TEXT_BYTES];
    char hex[2 * HS_RECORD_ID_BYTES_MAX + 1];
    char text[ID_TEXT_BYTES];
    hs_text_to_hex(name->record.id, hex);
    int size = snprintf(text, sizeof text, "%s:%s:%u:%s%s%s", hs_conflict_row(name->list)->name,
                        hs_partition_text(name->record.partition, partition), (unsigned)name->record.kind, hex,
                        name->extra[0] != '\0' ? ":" : "", name->extra);
    return hs_arena_text(arena, HS_BYTES(text, size));
}

/* ---- reading one ---- */

static size_t split(const char *id, struct hs_bytes parts[static PARTS])
{
    size_t count = 0;
    const char *at = id;
    while (count < PARTS) {
        const char *end = strchr(at, ':');
        parts[count++] = HS_BYTES(at, end != NULL ? (size_t)(end - at) : strlen(at));
        if (end == NULL)
            return count;
        at = end + 1;
    }
    return 0; /* more than there may be */
}

static bool read_partition(struct hs_bytes part, hs_partition *partition)
{
    char text[HS_PARTITION_TEXT_BYTES] = "";
    if (part.size >= sizeof text)
        return false;
    memcpy(text, part.data, part.size);
    return hs_partition_parse(text, partition) == HS_OK;
}

static bool read_record(const struct hs_bytes *parts, struct hs_conflict_name *name)
{
    int64_t kind;
    size_t size = parts[3].size / 2;
    if (!read_partition(parts[1], &name->record.partition) ||
        hs_text_to_i64((const char *)parts[2].data, parts[2].size, &kind) != HS_OK || kind < 0 || kind > UINT16_MAX)
        return false;
    if (size == 0 || size > sizeof name->id_room ||
        hs_text_from_hex((const char *)parts[3].data, parts[3].size, name->id_room, size) != HS_OK)
        return false;
    name->record.kind = (uint16_t)kind;
    name->record.id = HS_BYTES(name->id_room, size);
    return true;
}

enum hs_err hs_conflict_parse(const char *id, struct hs_conflict_name *name)
{
    struct hs_bytes parts[PARTS] = {{0}};
    size_t count = split(id, parts);
    *name = (struct hs_conflict_name){0};
    if (count < PARTS - 1 || !hs_conflict_list_of((const char *)parts[0].data, parts[0].size, &name->list) ||
        !read_record(parts, name) || parts[4].size >= sizeof name->extra)
        return HS_EVALUE;
    if (count == PARTS)
        memcpy(name->extra, parts[4].data, parts[4].size);
    return HS_OK;
}

bool hs_conflict_same(const struct hs_conflict_name *a, const struct hs_conflict_name *b)
{
    return a->list == b->list && a->record.partition == b->record.partition && a->record.kind == b->record.kind &&
           hs_bytes_equal(a->record.id, b->record.id) && strcmp(a->extra, b->extra) == 0;
}
