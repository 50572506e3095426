#include "node/service/conflicts.h"

#include "proto/base/text.h"

#include <stdio.h>
#include <string.h>

#define ID_TEXT_BYTES (16 + HS_PARTITION_TEXT_BYTES + 8 + 2 * HS_RECORD_ID_BYTES_MAX + HS_CONFLICT_EXTRA_BYTES + 8)
#define PARTS         5 /* of an id, the last one optional */

static const struct {
    enum hs_list list;
    const char *type;
    const char *advice;
} TYPES[] = {
    {HS_LIST_FIELD, "field", "choose the values that are to stand"},
    {HS_LIST_FACT, "fact",
     "one id has two contents, and the same one counts everywhere: enter the other under a new id if it is true"},
    {HS_LIST_OVERPAID, "overpaid",
     "reverse a payment that is one too many, or settle it at the district's owner; it ends by itself"},
    {HS_LIST_OVER_REVERSED, "over-reversed",
     "money came out twice: settle it with the customer, or enter the payment anew"},
    {HS_LIST_DOUBLE_ENTRY, "double-entry", "one payment has two receipts: withdraw a slip; nothing is counted twice"},
    {HS_LIST_NO_BILL, "no-bill",
     "import the bill, or reverse the payment and enter it for the right one; it ends by itself"},
    {HS_LIST_TOPUP_TWICE, "topup-twice",
     "a card takes one purchase under a counter: reverse the payment that did not reach the card; it ends by itself"},
    {HS_LIST_NOT_OWNER, "not-owner",
     "the money counts as not given back: where it was, get it back, or let the district's owner settle it"},
    {HS_LIST_SETTLED_TWICE, "settled-twice",
     "two settled the same money apart from each other, and the other one counts: get this money back"},
    {HS_LIST_EVENT, "event",
     "the ticket went another way: enter the move again from where it is now, if it is still wanted"},
    {HS_LIST_PARKED, "parked",
     "put the record with right values, or upgrade this node if a newer one wrote it; or decide: release, or reject"},
    {HS_LIST_VOID, "void", "the operation was not allowed to its writer: look at that node's certificate"},
    {HS_LIST_FORK, "fork", "a node's key or memory was in use twice: find out where, and enrol the node anew"},
    {HS_LIST_DECISION, "decided", "to decide otherwise: release, or reject"},
    {HS_LIST_STOPPED, "stopped", "the list says what to do about this one; it ends by itself when the stream goes on"},
};

bool hs_conflict_type(const char *type, size_t size, enum hs_list *list)
{
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        if (strlen(TYPES[i].type) == size && memcmp(TYPES[i].type, type, size) == 0) {
            *list = TYPES[i].list;
            return true;
        }
    }
    return false;
}

const char *hs_conflict_type_text(enum hs_list list)
{
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        if (TYPES[i].list == list)
            return TYPES[i].type;
    }
    return "";
}

const char *hs_conflict_advice(enum hs_list list)
{
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        if (TYPES[i].list == list)
            return TYPES[i].advice;
    }
    return "";
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
    int size = snprintf(text, sizeof text, "%s:%s:%u:%s%s%s", hs_conflict_type_text(name->list),
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
    if (count < PARTS - 1 || !hs_conflict_type((const char *)parts[0].data, parts[0].size, &name->list) ||
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
