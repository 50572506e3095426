/* conflicts.h -- the names of conflicts.  Inside node/service/ only. */
#ifndef HS_SERVICE_CONFLICTS_H
#define HS_SERVICE_CONFLICTS_H

#include "node/status/conflict_types.h"
#include "proto/base/arena.h"
#include "storage/store.h"

/* A conflict's id: "field:3201:1:33323031...", that is type, district, kind and record id in hex; behind another colon
 * what tells apart two of the same: the account of a bill, the lane of an op, a decision. */
#define HS_CONFLICT_EXTRA_BYTES 40
struct hs_conflict_name {
    enum hs_list list;
    struct hs_record_name record; /* its id in id_room, when parsed; lane only where it is an op's */
    uint8_t id_room[HS_RECORD_ID_BYTES_MAX];
    char extra[HS_CONFLICT_EXTRA_BYTES]; /* empty: none */
};

/* "overpaid" -> list; false: no such type. */
bool hs_conflict_list_of(const char *type, size_t size, enum hs_list *list);
/* What such a conflict is called, and how it ends; of a list that this version does not know all of it is empty. */
const struct hs_conflict_type_row *hs_conflict_row(enum hs_list list);

void hs_conflict_name_of(const struct hs_listed *listed, struct hs_conflict_name *name); /* borrows the record's id */
char *hs_conflict_id(struct hs_arena *arena, const struct hs_conflict_name *name);       /* NULL: out of memory */
enum hs_err hs_conflict_parse(const char *id, struct hs_conflict_name *name);            /* HS_EVALUE */
bool hs_conflict_same(const struct hs_conflict_name *a, const struct hs_conflict_name *b);

#endif
