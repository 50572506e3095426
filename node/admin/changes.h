/* changes.h -- what handlers that list and change records share.  Inside node/admin/ only. */
#ifndef HS_ADMIN_CHANGES_H
#define HS_ADMIN_CHANGES_H

#include "node/admin/admin.h"

#define ADMIN_PAGE_ROWS 100

/* A request that changes something: under the name of whoever is logged in, with his reason. */
struct admin_change {
    Hallsync__Request request;
    Hallsync__Actor actor;
};
/* False: no reason was given, and that is answered.  Borrows from @request. */
bool admin_change_begin(struct admin_request *request, struct admin_change *change);
/* A text that must be in the POST's object; NULL: it is not, and that is answered. */
char *admin_wanted(struct admin_request *request, const char *name);
/* The list "districts" of the POST's object, numbers or four digits each, into @districts; at most ADMIN_DISTRICTS_MAX.
 * False: it is none, and that is answered. */
#define ADMIN_DISTRICTS_MAX 256
bool admin_districts(struct admin_request *request, uint32_t districts[static ADMIN_DISTRICTS_MAX], size_t *count);
/* A day as 20261122 or 2026-11-22; 0: none was asked for.  False: it is no day, and that is answered. */
bool admin_date(struct admin_request *request, uint32_t *date);

/* Pages: "next" of an answer is the text of what the node wants as "after". */
#define ADMIN_AFTER_BYTES_MAX 256
struct admin_after {
    uint8_t bytes[ADMIN_AFTER_BYTES_MAX];
    ProtobufCBinaryData data;
    bool has;
};
/* False: it was in no answer, and that is answered. */
bool admin_after(struct admin_request *request, struct admin_after *after);
/* One that is longer than that cannot be gone on from: then "complete" is false. */
void admin_next(json_t *answer, bool has, const ProtobufCBinaryData *next);

#endif
