/* Books of a day, tickets that are late, and the audit trail. */
#include "node/admin/changes.h"
#include "node/admin/handlers.h"
#include "node/json/json.h"
#include "storage/model/kinds.h"

#include <string.h>

#define TICKETS_SHOWN  500
#define TICKETS_LOOKED 5000 /* open ones, of which the late ones are picked */
#define TICKETS_PAGE   200  /* of one question: the node answers others between two */

/* ---- books ---- */

void admin_get_books(struct admin_request *request)
{
    Hallsync__BooksRequest body = HALLSYNC__BOOKS_REQUEST__INIT;
    Hallsync__Request message = HALLSYNC__REQUEST__INIT;
    const Hallsync__Reply *reply;
    const char *hall = admin_query(request, "hall");
    if (!admin_date(request, &body.date))
        return;
    body.has_date = body.date != 0;
    body.hall = (char *)(uintptr_t)(hall != NULL && hall[0] != '\0' ? hall : NULL); /* only read, as the next */
    body.after = (char *)(uintptr_t)admin_query(request, "next");
    message.body_case = HALLSYNC__REQUEST__BODY_BOOKS;
    message.books = &body;
    if (admin_call(request, &message, HALLSYNC__REPLY__BODY_BOOKS, &reply))
        admin_answer_json(request, hs_json_message(&reply->books->base));
}

/* ---- tickets ---- */

struct late {
    json_t *halls, *tickets;
    size_t looked;
    bool complete, timed_out;
};

/* Of the hall that has written it, and its district. */
static void count_hall(struct late *late, const Hallsync__Record *record, json_t *district)
{
    const char *hall = record->node != NULL ? record->node : "";
    json_t *found = NULL;
    for (size_t i = 0; i < json_array_size(late->halls) && found == NULL; i++) {
        json_t *one = json_array_get(late->halls, i);
        if (strcmp(json_string_value(json_object_get(one, "hall")), hall) == 0 &&
            json_equal(json_object_get(one, "district"), district))
            found = one;
    }
    if (found == NULL) {
        found = json_pack("{s:s, s:O, s:i}", "hall", hall, "district", district, "count", 0);
        json_array_append_new(late->halls, found);
    }
    json_object_set_new(found, "count", json_integer(json_integer_value(json_object_get(found, "count")) + 1));
    const json_t *oldest = json_object_get(found, "oldest_due_ms");
    if (oldest == NULL || record->ticket->due_ms < (uint64_t)json_integer_value(oldest))
        json_object_set_new(found, "oldest_due_ms", json_integer((json_int_t)record->ticket->due_ms));
}

/* What it is about, and nothing of the customer. */
static void add_ticket(struct late *late, const Hallsync__Record *record, int utc_offset_minutes)
{
    static const char *const KEPT[] = {"service", "state", "assignee", "department", "due_ms"};
    static const char *const CALLED[] = {"type", "state", "assignee", "department", "due_ms"};
    json_t *whole = hs_json_record(record, utc_offset_minutes);
    json_t *district = json_object_get(whole, "partition");
    json_t *ticket = json_pack("{s:s, s:s, s:O}", "id", record->id, "hall", record->node != NULL ? record->node : "",
                               "district", district);
    for (size_t i = 0; i < sizeof KEPT / sizeof *KEPT; i++) {
        if (json_object_get(whole, KEPT[i]) != NULL)
            json_object_set(ticket, CALLED[i], json_object_get(whole, KEPT[i]));
    }
    if (record->ticket->has_opened_ms)
        json_object_set_new(ticket, "opened_ms", json_integer((json_int_t)record->ticket->opened_ms));
    count_hall(late, record, district);
    if (json_array_size(late->tickets) < TICKETS_SHOWN)
        json_array_append_new(late->tickets, ticket);
    else
        json_decref(ticket);
    json_decref(whole);
}

static void take_page(struct admin_request *request, const Hallsync__RecordsReply *page, struct late *late)
{
    for (size_t i = 0; i < page->n_records; i++) {
        const Hallsync__Record *record = page->records[i];
        if (record->ticket != NULL && record->ticket->overdue)
            add_ticket(late, record, admin_conf(request)->utc_offset_minutes);
    }
    late->looked += page->n_records;
    late->complete = late->complete && (!page->has_complete || page->complete);
}

/* False: the request has been answered. */
static bool take_state(struct admin_request *request, const char *state, struct late *late)
{
    uint8_t last[ADMIN_AFTER_BYTES_MAX];
    bool more;
    Hallsync__FindRequest body = HALLSYNC__FIND_REQUEST__INIT;
    Hallsync__Request message = HALLSYNC__REQUEST__INIT;
    const Hallsync__Reply *reply;
    body.kind = HS_KIND_TICKET;
    body.index = (char *)(uintptr_t) "state"; /* only read, as the next */
    body.key = (char *)(uintptr_t)state;
    body.has_limit = body.has_here = body.here = true;
    body.limit = TICKETS_PAGE;
    message.body_case = HALLSYNC__REQUEST__BODY_FIND;
    message.find = &body;
    do {
        if (!admin_call_but(request, &message, HALLSYNC__REPLY__BODY_RECORDS, HS_ETIMEDOUT, &reply))
            return false;
        late->timed_out = reply == NULL;
        if (late->timed_out)
            return true;
        take_page(request, reply->records, late);
        more = reply->records->has_next;
        body.has_after = more && reply->records->next.len <= sizeof last;
        if (body.has_after)
            memcpy(last, reply->records->next.data, reply->records->next.len);
        body.after = (ProtobufCBinaryData){.len = reply->records->next.len, .data = last};
    } while (body.has_after && late->looked < TICKETS_LOOKED);
    late->complete = late->complete && !more;
    return true;
}

/* What could be looked at in the time that a request has. */
void admin_get_overdue(struct admin_request *request)
{
    static const char *const OPEN[] = {"open", "accepted", "assigned", "working", "waiting"};
    struct late late = {.halls = json_array(), .tickets = json_array(), .complete = true};
    bool asked = true;
    for (size_t i = 0; i < sizeof OPEN / sizeof *OPEN && asked && !late.timed_out; i++)
        asked = take_state(request, OPEN[i], &late);
    late.complete = late.complete && !late.timed_out;
    if (asked && late.timed_out && late.looked == 0)
        admin_answer_fail(request, HS_ETIMEDOUT, NULL);
    else if (asked)
        admin_answer_json(request, json_pack("{s:O, s:O, s:b}", "halls", late.halls, "tickets", late.tickets,
                                             "complete", late.complete));
    json_decref(late.halls);
    json_decref(late.tickets);
}

/* ---- the audit trail ---- */

static void put_deed(json_t *entry, const char *action)
{
    const struct hs_field_rule *rule = hs_kind_rule(hs_kind_by_number(HS_KIND_AUDIT), 6);
    for (const struct hs_choice *choice = rule->choices; choice->value != NULL; choice++) {
        if (strcmp(choice->value, action) != 0)
            continue;
        json_object_set_new(entry, "what_en", json_string(choice->en));
        json_object_set_new(entry, "what_zh", json_string(choice->zh));
    }
}

static json_t *entry_json(const Hallsync__Record *record, int utc_offset_minutes)
{
    static const char *const FROM[] = {"audit_id", "name",     "role",   "way",    "action",
                                       "of_kind",  "district", "detail", "reason", "node"};
    static const char *const CALLED[] = {"id",      "who",      "role",   "way",    "what",
                                         "of_kind", "district", "detail", "reason", "node"};
    static const char *const TARGETS[] = {"user", "record_id", "node_id"};
    json_t *whole = hs_json_record(record, utc_offset_minutes);
    json_t *entry = json_pack("{s:I}", "time_ms", (json_int_t)record->time_ms);
    for (size_t i = 0; i < sizeof FROM / sizeof *FROM; i++) {
        if (json_object_get(whole, FROM[i]) != NULL)
            json_object_set(entry, CALLED[i], json_object_get(whole, FROM[i]));
    }
    for (size_t i = 0; i < sizeof TARGETS / sizeof *TARGETS; i++) {
        if (json_object_get(whole, TARGETS[i]) != NULL && json_object_get(entry, "target") == NULL)
            json_object_set(entry, "target", json_object_get(whole, TARGETS[i]));
    }
    const char *action = json_string_value(json_object_get(whole, "action"));
    put_deed(entry, action != NULL ? action : "");
    json_decref(whole);
    return entry;
}

void admin_get_audit(struct admin_request *request)
{
    Hallsync__TrailRequest body = HALLSYNC__TRAIL_REQUEST__INIT;
    Hallsync__Request message = HALLSYNC__REQUEST__INIT;
    const Hallsync__Reply *reply;
    struct admin_after after;
    const char *name = admin_query(request, "name");
    if (!admin_after(request, &after) || !admin_date(request, &body.date))
        return;
    body.has_date = body.date != 0;
    body.name = (char *)(uintptr_t)(name != NULL && name[0] != '\0' ? name : NULL); /* only read */
    body.has_limit = true;
    body.limit = ADMIN_PAGE_ROWS;
    body.has_after = after.has;
    body.after = after.data;
    message.body_case = HALLSYNC__REQUEST__BODY_TRAIL;
    message.trail = &body;
    if (!admin_call(request, &message, HALLSYNC__REPLY__BODY_TRAIL, &reply))
        return;
    json_t *entries = json_array();
    for (size_t i = 0; i < reply->trail->n_records; i++)
        json_array_append_new(entries, entry_json(reply->trail->records[i], admin_conf(request)->utc_offset_minutes));
    json_t *answer = json_pack("{s:o}", "entries", entries);
    if (reply->trail->has_complete)
        json_object_set_new(answer, "complete", json_boolean(reply->trail->complete));
    admin_next(answer, reply->trail->has_next, &reply->trail->next);
    admin_answer_json(request, answer);
}
