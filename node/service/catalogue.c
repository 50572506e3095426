/* The catalogue of services and the calendar: what a ticket's opening takes from them, and how hubs change them. */
#include "node/service/catalogue.h"

#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"
#include "storage/model/ticket.h"
#include "storage/model/worktime.h"

#include <stdio.h>
#include <string.h>

#define HOUR_MS          3600000ULL
#define FIELDS_SHOWN_MAX 999 /* numbers above are a record's own book-keeping */

enum { TICKET_SERVICE = 2, CATALOGUE_VERSION = 9 };

/* ---- records of the region ---- */

/* What a record of the region shows; size 0: nothing, or it is parked: what broke a rule here would break it in the
 * ticket, too. */
static enum hs_err region_message(struct hs_work *work, uint16_t kind, struct hs_bytes id, struct hs_bytes *message)
{
    struct hs_record_name name = {.partition = HS_PARTITION_REGION, .lane = HS_LANE_BULK, .kind = kind, .id = id};
    struct hs_stored stored;
    struct hs_record record;
    struct hs_buf shown = {0};
    *message = HS_BYTES_NONE;
    enum hs_err err = hs_view_record(work->view, &name, &stored);
    if (err == HS_ENOTFOUND || hs_view_listed(work->view, HS_LIST_PARKED, &name))
        return HS_OK;
    if (err != HS_OK)
        return err;
    err = hs_record_decode(stored.state, work->scratch, &record);
    if (err != HS_OK)
        return err == HS_EMALFORMED ? HS_EDAMAGED : err;
    for (size_t i = 0; i < record.field_count && record.fields[i].number <= FIELDS_SHOWN_MAX; i++) {
        const struct hs_live *live = hs_field_shown(&record.fields[i]);
        if (live != NULL)
            hs_buf_put_bytes(&shown, live->value);
    }
    if (shown.size != 0)
        *message = hs_arena_copy(work->scratch, hs_buf_bytes(&shown));
    err = shown.err != HS_OK || message->size != shown.size ? HS_ENOMEM : HS_OK;
    hs_buf_fini(&shown);
    return err;
}

/* ---- services ---- */

/* A record that is none, which hubs refuse, is as good as no record. */
static enum hs_err unpack(struct hs_work *work, struct hs_bytes message, Hallsync__Catalogue **service)
{
    ProtobufCMessage *unpacked;
    *service = NULL;
    if (message.size == 0)
        return HS_OK;
    enum hs_err err = hs_msg_unpack(&hallsync__catalogue__descriptor, message, work->scratch, &unpacked);
    if (err == HS_OK)
        *service = (Hallsync__Catalogue *)unpacked;
    return err == HS_ENOMEM ? err : HS_OK;
}

static enum hs_err default_message(struct hs_work *work, const char *code, struct hs_bytes *message)
{
    const struct hs_ticket_service *service = hs_service_by_code(code, strlen(code));
    struct hs_buf buf = {0};
    *message = HS_BYTES_NONE;
    if (service == NULL)
        return HS_OK;
    hs_service_put(service, &buf);
    *message = hs_arena_copy(work->scratch, hs_buf_bytes(&buf));
    enum hs_err err = buf.err != HS_OK || message->size != buf.size ? HS_ENOMEM : HS_OK;
    hs_buf_fini(&buf);
    return err;
}

/* What the region has not said. */
static void complete(Hallsync__Catalogue *service, const Hallsync__Catalogue *otherwise)
{
    service->machine = service->machine != NULL ? service->machine : otherwise->machine;
    service->urgent = service->urgent != NULL ? service->urgent : otherwise->urgent;
    service->department = service->department != NULL ? service->department : otherwise->department;
    if (!service->has_deadline_hours && service->has_deadline_days) {
        service->deadline_hours = service->deadline_days * HS_WORKDAY_HOURS;
        service->has_deadline_hours = service->deadline_days <= HS_WORKTIME_HOURS_MAX / HS_WORKDAY_HOURS;
    }
    if (!service->has_deadline_hours) {
        service->has_deadline_hours = otherwise->has_deadline_hours;
        service->deadline_hours = otherwise->deadline_hours;
    }
}

enum hs_err hs_catalogue_offer(struct hs_work *work, const char *code, const Hallsync__Catalogue **offer)
{
    static const Hallsync__Catalogue NOTHING = HALLSYNC__CATALOGUE__INIT;
    Hallsync__Catalogue *own = NULL;
    Hallsync__Catalogue *otherwise = NULL;
    struct hs_bytes message;
    enum hs_err err = region_message(work, HS_KIND_CATALOGUE, HS_BYTES(code, strlen(code)), &message);
    if (err == HS_OK)
        err = unpack(work, message, &own);
    if (err == HS_OK)
        err = default_message(work, code, &message);
    if (err == HS_OK)
        err = unpack(work, message, &otherwise);
    if (err != HS_OK)
        return err;
    if (own != NULL)
        complete(own, otherwise != NULL ? otherwise : &NOTHING);
    *offer = own != NULL ? own : otherwise;
    return *offer != NULL ? HS_OK : HS_ENOTFOUND;
}

/* ---- deadlines ---- */

static bool hour_of(const char *text, uint16_t *minutes)
{
    return text != NULL && hs_hour_parse(text, strlen(text), minutes);
}

static enum hs_err calendar_day(void *ctx, uint32_t date, struct hs_workday *day)
{
    struct hs_work *work = ctx;
    char id[16];
    struct hs_bytes message;
    ProtobufCMessage *unpacked;
    int size = snprintf(id, sizeof id, "%04u-%02u-%02u", date / 10000, date / 100 % 100, date % 100);
    enum hs_err err = region_message(work, HS_KIND_CALENDAR, HS_BYTES(id, (size_t)size), &message);
    if (err != HS_OK || message.size == 0)
        return err;
    err = hs_msg_unpack(&hallsync__calendar__descriptor, message, work->scratch, &unpacked);
    if (err != HS_OK)
        return err == HS_ENOMEM ? err : HS_OK; /* parked: no day of the calendar */
    const Hallsync__Calendar *said = (const Hallsync__Calendar *)unpacked;
    bool works = said->working == NULL || strcmp(said->working, "no") != 0;
    *day = (struct hs_workday){0};
    if (!works)
        return HS_OK;
    if (!hour_of(said->begins, &day->from))
        day->from = HS_WORKDAY_FROM;
    if (!hour_of(said->ends, &day->to))
        day->to = HS_WORKDAY_TO;
    return HS_OK;
}

enum hs_err hs_catalogue_deadline(struct hs_work *work, uint32_t hours, bool by_the_clock, uint64_t *due_ms)
{
    struct hs_worktime time = {
        .utc_offset_minutes = work->desk->options.utc_offset_minutes, .day = calendar_day, .ctx = work};
    *due_ms = work->now_ms + hours * HOUR_MS;
    return by_the_clock ? HS_OK : hs_worktime_due(&time, work->now_ms, hours * HOUR_MS, due_ms);
}

/* ---- what an opening takes over ---- */

static bool is(const char *text, const char *expected)
{
    return text != NULL && strcmp(text, expected) == 0;
}

static void fill_lines(Hallsync__Ticket *ticket, const Hallsync__Catalogue *offer)
{
    if (ticket->n_documents == 0) {
        ticket->documents = offer->documents_list;
        ticket->n_documents = offer->n_documents_list;
    }
    if (ticket->n_results == 0) {
        ticket->results = offer->results;
        ticket->n_results = offer->n_results;
    }
}

enum hs_err hs_catalogue_fill(struct hs_work *work, Hallsync__Ticket *ticket)
{
    static char urgent[] = "urgent";
    static char normal[] = "normal";
    const Hallsync__Catalogue *offer;
    enum hs_err err = hs_catalogue_offer(work, ticket->service, &offer);
    if (err == HS_ENOTFOUND)
        return hs_refuse(&work->refusal, HS_ESERVICE, TICKET_SERVICE,
                         "service: '%s' is not in the catalogue of services", ticket->service);
    if (err == HS_OK && is(offer->active, "no"))
        return hs_refuse(&work->refusal, HS_ESERVICE, TICKET_SERVICE, "service: '%s' is not offered any more",
                         ticket->service);
    if (err != HS_OK)
        return err;
    fill_lines(ticket, offer);
    if (!ticket->has_catalogue_version)
        ticket->catalogue_version = offer->has_version ? offer->version : 0;
    ticket->has_catalogue_version = true;
    ticket->machine = ticket->machine != NULL ? ticket->machine : offer->machine;
    ticket->department = ticket->department != NULL ? ticket->department : offer->department;
    if (ticket->urgency == NULL)
        ticket->urgency = is(offer->urgent, "yes") ? urgent : normal;
    if (ticket->has_due_ms || !offer->has_deadline_hours)
        return HS_OK;
    err = hs_catalogue_deadline(work, offer->deadline_hours, is(offer->urgent, "yes"), &ticket->due_ms);
    ticket->has_due_ms = err == HS_OK;
    return err == HS_EOVERFLOW ? HS_OK : err; /* by this calendar it is never late */
}

/* ---- changing it ---- */

static uint32_t version_of(const struct hs_target *target)
{
    const struct hs_field_state *field = hs_record_field(&target->record, CATALOGUE_VERSION);
    const struct hs_live *shown = field != NULL ? hs_field_shown(field) : NULL;
    return shown != NULL ? (uint32_t)hs_tlv_u64(shown->value, CATALOGUE_VERSION, 0) : 0;
}

/* @item with the next version among its fields. */
static enum hs_err with_version(struct hs_work *work, const struct hs_item *item, uint32_t version,
                                struct hs_item *versioned)
{
    struct hs_given *given = hs_arena_array(work->scratch, item->given_count + 1, sizeof *given);
    struct hs_buf value = {0};
    size_t before = 0;
    hs_tlv_put_u64(&value, CATALOGUE_VERSION, version);
    struct hs_bytes copy = hs_arena_copy(work->scratch, hs_buf_bytes(&value));
    hs_buf_fini(&value);
    if (given == NULL || copy.data == NULL)
        return HS_ENOMEM;
    while (before < item->given_count && item->given[before].number < CATALOGUE_VERSION)
        before++;
    if (before < item->given_count && item->given[before].number == CATALOGUE_VERSION)
        return hs_refuse(&work->refusal, HS_EREQUIRED, CATALOGUE_VERSION, "version: cannot be cleared");
    memcpy(given, item->given, before * sizeof *given);
    given[before] = (struct hs_given){
        .number = CATALOGUE_VERSION, .value = copy, .rule = hs_kind_rule(item->kind, CATALOGUE_VERSION)};
    memcpy(given + before + 1, item->given + before, (item->given_count - before) * sizeof *given);
    *versioned = *item;
    versioned->given = given;
    versioned->given_count = item->given_count + 1;
    return HS_OK;
}

/* Each change of a service makes its next version, which the tickets opened from then on name.  An import brings its
 * own. */
enum hs_err hs_catalogue_write(struct hs_work *work, const struct hs_item *item)
{
    const Hallsync__Catalogue *given = (const Hallsync__Catalogue *)item->parsed;
    struct hs_target target;
    struct hs_plan plan;
    struct hs_item versioned;
    if (item->put->source != NULL || hs_register_repeated(work, item))
        return item->put->source != NULL ? hs_register_write(work, item) : HS_OK;
    enum hs_err err = hs_register_find(work, item, &target);
    if (err == HS_OK)
        err = hs_register_plan(work, item, &target, &plan);
    if (err != HS_OK)
        return err;
    uint32_t version = version_of(&target);
    if (plan.seen_changes == 0)
        return hs_register_write(work, item);
    if (given->has_version && given->version <= version)
        return hs_refuse(&work->refusal, HS_EVALUE, CATALOGUE_VERSION, "version: the service is at %u already",
                         (unsigned)version);
    if (given->has_version)
        return hs_register_write(work, item);
    err = with_version(work, item, version + 1, &versioned);
    return err == HS_OK ? hs_register_write(work, &versioned) : err;
}
