/* queues.h -- queue tickets with what their events come to.  Inside node/service/ only. */
#ifndef HS_SERVICE_QUEUES_H
#define HS_SERVICE_QUEUES_H

#include "node/service/show.h"
#include "storage/model/queue.h"

/* A queue ticket; all of it lies in the arena that it was loaded into. */
struct hs_queued {
    struct hs_queued *next;
    struct hs_record_name name;
    struct hs_id id;
    hs_stamp taken;
    struct hs_bytes message;       /* QueueTicket */
    struct hs_queue_event *events; /* in order, but one more than HS_QUEUE_EVENTS_MAX at most */
    size_t event_count;
    hs_stamp highest; /* of ticket and events */
    struct hs_queue_fold fold;
};
/* HS_ENOTFOUND: the record is none. */
enum hs_err hs_queued_load(const struct hs_look *look, const struct hs_stored *stored, struct hs_arena *arena,
                           struct hs_queued *queued);
struct hs_bytes hs_queued_hall(const struct hs_queued *queued);
struct hs_bytes hs_queued_number(const struct hs_queued *queued);
struct hs_bytes hs_queued_group(const struct hs_queued *queued); /* where it waits: it may have been passed on */

/* Those of a hall that an index finds under two values, in no order: "state" and "number" with the date behind, "date"
 * with the hall.  HS_EEXISTS: there are more than @most, and @first has so many. */
struct hs_queue_wanted {
    const char *index;
    struct hs_bytes value, then;
    struct hs_bytes hall;
    size_t most;
};
enum hs_err hs_queued_find(const struct hs_look *look, const struct hs_queue_wanted *wanted, struct hs_arena *arena,
                           struct hs_queued **first);

/* The same, one at a time: @arena is emptied before each, so that many cost no memory. */
typedef void (*hs_visit_queued)(void *ctx, struct hs_queued *queued);
enum hs_err hs_queued_visit(const struct hs_look *look, const struct hs_queue_wanted *wanted, struct hs_arena *arena,
                            hs_visit_queued visit, void *ctx);

#define HS_DATE_TEXT_BYTES 11
const char *hs_queue_date(uint32_t date, char text[static HS_DATE_TEXT_BYTES]); /* 20261121 -> "2026-11-21" */

/* As a user sees it; @detailed: with its events.  HS_ENOMEM. */
enum hs_err hs_queued_show(const struct hs_queued *queued, struct hs_arena *arena, bool detailed,
                           Hallsync__QueueState **state);

#endif
