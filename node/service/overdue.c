/* Tickets that are late: somebody above is told of each, once, by the node whose turn it is.  The event says nothing
 * but that, and its id follows from the ticket: two nodes that do it apart have done it once. */
#include "node/service/tended.h"
#include "node/service/tickets.h"

#include "proto/base/text.h"
#include "proto/msg/tlv.h"
#include "storage/books.h"

#include <string.h>

#define REST_MS 60000

enum { TICKET_DUE = 11 };

static enum hs_err make_event(struct hs_work *work, struct hs_bytes ticket, struct hs_id *id, struct hs_bytes *message)
{
    Hallsync__TicketEvent event = HALLSYNC__TICKET_EVENT__INIT;
    event.has_ticket_id = true;
    event.ticket_id = hs_binary(ticket);
    event.type = (char *)(uintptr_t)hs_event_type_text(HS_EVENT_ESCALATE); /* only read */
    hs_id_made("hallsync overdue 1", ticket, id);
    *message = hs_canonical(&event.base, work->scratch);
    return message->data != NULL ? HS_OK : HS_ENOMEM;
}

/* Did this node open it? */
static bool is_opener(struct hs_work *work, struct hs_bytes ticket, const struct hs_ticket_events *events)
{
    const char *own = hs_store_certificate(work->store)->node_id;
    struct hs_id opening;
    hs_ticket_opening_id(ticket, &opening);
    for (size_t i = 0; i < events->count; i++) {
        if (memcmp(events->writers[i].event.bytes, opening.bytes, sizeof opening.bytes) == 0)
            return hs_bytes_equal(hs_books_writer(work->view, events->writers[i].origin), HS_BYTES(own, strlen(own)));
    }
    return false;
}

static enum hs_err has_event(struct hs_work *work, struct hs_bytes ticket, bool *has)
{
    struct hs_id id;
    struct hs_bytes message;
    struct hs_stored stored;
    struct hs_record record;
    enum hs_err err = make_event(work, ticket, &id, &message);
    if (err == HS_OK)
        err = hs_view_find(work->view, HS_KIND_TICKET_EVENT, HS_BYTES(id.bytes, sizeof id.bytes), &stored);
    if (err == HS_OK)
        err = hs_record_decode(stored.state, work->scratch, &record);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err;
    for (size_t i = 0; i < record.variant_count && !*has; i++)
        *has = hs_bytes_equal(record.variants[i].bytes, message);
    return HS_OK;
}

/* Somebody has done it already; or this very event is there, and does not count because a stranger has put another
 * content under its id: that is for people to decide, and not to be written again and again. */
static enum hs_err was_told(struct hs_work *work, const struct hs_ticket_fold *fold, struct hs_bytes ticket, bool *told)
{
    *told = fold->escalated != 0;
    return *told ? HS_OK : has_event(work, ticket, told);
}

static enum hs_err look_at_late(struct hs_work *work, const struct hs_stored *stored, struct hs_bytes head,
                                struct hs_tended *tended, uint64_t *wait_ms)
{
    struct hs_ticket_events events;
    struct hs_ticket_fold fold;
    struct hs_record record;
    uint64_t leave_ms = 0;
    bool told = false;
    enum hs_err err = hs_ticket_gather(&work->look, &tended->name, work->scratch, &events);
    if (err == HS_OK)
        err = hs_record_decode(stored->state, work->scratch, &record);
    if (err != HS_OK)
        return err;
    struct hs_ticket_terms terms = hs_ticket_terms(head);
    hs_ticket_fold(&terms, events.list, events.count, &fold);
    uint64_t due_ms = hs_ticket_due_ms(&fold, hs_tlv_u64(head, TICKET_DUE, 0), work->now_ms);
    err = was_told(work, &fold, tended->name.id, &told);
    if (err != HS_OK || told)
        return err;
    err = hs_tend_leave(work, tended->name.partition, is_opener(work, tended->name.id, &events), &leave_ms);
    if (leave_ms == UINT64_MAX)
        return err;
    tended->above = hs_record_stamp(&record);
    tended->above = events.highest > tended->above ? events.highest : tended->above;
    *wait_ms = work->now_ms > due_ms + leave_ms ? 0 : due_ms + leave_ms - work->now_ms + 1;
    return err;
}

/* The head alone says of most that they are not late: waiting for the customer only puts it off. */
static enum hs_err look(struct hs_work *work, const struct hs_stored *stored, struct hs_tended *tended,
                        uint64_t *wait_ms)
{
    struct hs_bytes head;
    enum hs_err err = hs_look_message(&work->look, stored, &head);
    uint64_t due_ms = err == HS_OK ? hs_tlv_u64(head, TICKET_DUE, 0) : 0;
    if (due_ms == 0)
        return err;
    if (due_ms < work->now_ms)
        return look_at_late(work, stored, head, tended, wait_ms);
    *wait_ms = due_ms - work->now_ms + 1;
    return HS_OK;
}

static enum hs_err write_event(struct hs_work *work, const struct hs_tended *tended)
{
    struct hs_id id;
    struct hs_bytes message;
    struct hs_dot dot;
    hs_stamp stamp;
    enum hs_err err = make_event(work, tended->name.id, &id, &message);
    if (err != HS_OK)
        return err;
    struct hs_write write = {
        .kind = HS_KIND_TICKET_EVENT, .id = HS_BYTES(id.bytes, sizeof id.bytes), .is_fact = true, .fact = message};
    struct hs_draft draft = {.partition = tended->name.partition,
                             .lane = HS_LANE_WORK,
                             .above = tended->above,
                             .writes = &write,
                             .write_count = 1};
    return hs_store_write(work->store, &draft, &dot, &stamp);
}

static const char *const OPEN[] = {"open", "accepted", "assigned", "working", "waiting", NULL};

const struct hs_tend_task HS_TASK_OVERDUE = {.name = "overdue",
                                             .kind = HS_KIND_TICKET,
                                             .index = "state",
                                             .values = OPEN,
                                             .lanes = 1U << HS_LANE_WORK,
                                             .rest_ms = REST_MS,
                                             .look = look,
                                             .write = write_event};
