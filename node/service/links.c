/* Passing a ticket on to another district: a ticket is opened there whose id is a hash of the first and of the event
 * that passes it on; when it is done, an event says so to the first. */
#include "node/service/tickets.h"

#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"

#include <assert.h>
#include <string.h>

#define ATTACHMENTS_MAX 32
#define LINE_HEAD_BYTES 4 /* tag and size of a line, at most */

enum { TICKET_LINKED_FROM = 7, TICKET_LINKED_DISTRICT = 15 };

void hs_link_id(struct hs_bytes ticket, struct hs_bytes event, struct hs_id *id)
{
    uint8_t both[2 * HS_ID_BYTES];
    assert(ticket.size == HS_ID_BYTES && event.size == HS_ID_BYTES);
    memcpy(both, ticket.data, HS_ID_BYTES);
    memcpy(both + HS_ID_BYTES, event.data, HS_ID_BYTES);
    hs_id_made("hallsync link 1", HS_BYTES(both, sizeof both), id);
}

/* ---- there ---- */

static size_t attachment_bytes(const Hallsync__Attachment *attachment)
{
    return protobuf_c_message_get_packed_size(&attachment->base) + LINE_HEAD_BYTES;
}

/* As many as the field holds, the first ones; the others stay with the first ticket. */
static void add_attachments(Hallsync__Ticket *linked, Hallsync__Attachment *const *from, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < linked->n_attachments; i++)
        bytes += attachment_bytes(linked->attachments[i]);
    for (size_t i = 0; i < count && linked->n_attachments < ATTACHMENTS_MAX; i++) {
        bytes += attachment_bytes(from[i]);
        if (bytes > HS_FIELD_BYTES_MAX)
            return;
        linked->attachments[linked->n_attachments++] = from[i];
    }
}

/* Those of the ticket, of its events, and of the one that passes it on. */
static enum hs_err join_attachments(struct hs_work *work, const struct hs_link *link, Hallsync__Ticket *linked)
{
    Hallsync__Attachment **own = linked->attachments;
    size_t count = linked->n_attachments;
    linked->attachments = hs_arena_array(work->scratch, ATTACHMENTS_MAX, sizeof(Hallsync__Attachment *));
    linked->n_attachments = 0;
    if (linked->attachments == NULL)
        return HS_ENOMEM;
    add_attachments(linked, own, count);
    for (size_t i = 0; i < link->events->count; i++) {
        ProtobufCMessage *message;
        struct hs_bytes bytes = link->events->list[i].message;
        enum hs_err err = hs_msg_unpack(&hallsync__ticket_event__descriptor, bytes, work->scratch, &message);
        if (err == HS_ENOMEM)
            return err;
        const Hallsync__TicketEvent *event = err == HS_OK ? (const Hallsync__TicketEvent *)message : NULL;
        if (event != NULL)
            add_attachments(linked, event->attachments, event->n_attachments);
    }
    add_attachments(linked, link->event->attachments, link->event->n_attachments);
    return HS_OK;
}

/* What its receiver needs: all that the first says; the account is of another district, and named so.  Fields that are
 * not known here, of imports and later versions, stay behind. */
static enum hs_err linked_head(struct hs_work *work, const struct hs_link *link, Hallsync__Ticket **linked)
{
    static char no[] = "no";
    ProtobufCMessage *message;
    char district[HS_PARTITION_TEXT_BYTES];
    enum hs_err err = hs_msg_unpack(&hallsync__ticket__descriptor, link->head, work->scratch, &message);
    if (err != HS_OK)
        return err == HS_ENOMEM ? err : HS_EDAMAGED;
    Hallsync__Ticket *ticket = (Hallsync__Ticket *)message;
    hs_partition_text(link->ticket.partition, district);
    ticket->base.n_unknown_fields = 0;
    ticket->ticket_id = NULL;
    ticket->linked_account = ticket->account != NULL ? ticket->account : ticket->linked_account;
    ticket->account = NULL;
    ticket->has_linked_from = true;
    ticket->linked_from = hs_binary(link->ticket.id);
    ticket->linked_district = hs_arena_text(work->scratch, HS_BYTES(district, strlen(district)));
    if (link->event->department != NULL)
        ticket->department = link->event->department;
    if (link->fold->no_call_back)
        ticket->customer_consent = no;
    *linked = ticket;
    return ticket->linked_district != NULL ? join_attachments(work, link, ticket) : HS_ENOMEM;
}

enum hs_err hs_link_open(struct hs_work *work, const struct hs_link *link)
{
    struct hs_id id;
    struct hs_ticket_opening opening = {.note = link->event->note, .clerk = link->event->clerk};
    Hallsync__Ticket *linked;
    enum hs_err err = linked_head(work, link, &linked);
    if (err == HS_OK)
        err = hs_partition_parse(link->event->to_district, &opening.partition);
    if (err != HS_OK)
        return err;
    hs_link_id(link->ticket.id, link->event_id, &id);
    opening.id = HS_BYTES(id.bytes, sizeof id.bytes);
    return hs_ticket_open(work, linked, &opening);
}

/* ---- and back ---- */

static enum hs_err result_event(struct hs_work *work, const struct hs_link *link, struct hs_bytes *message)
{
    char type[] = "result";
    Hallsync__TicketEvent result = HALLSYNC__TICKET_EVENT__INIT;
    result.has_ticket_id = true;
    result.ticket_id = hs_binary(hs_tlv_bytes(link->head, TICKET_LINKED_FROM));
    result.note = link->event->note;
    result.clerk = link->event->clerk;
    result.type = type;
    result.n_attachments = link->event->n_attachments;
    result.attachments = link->event->attachments;
    result.has_linked_ticket = true;
    result.linked_ticket = hs_binary(link->ticket.id);
    result.n_result = link->event->n_result;
    result.result = link->event->result;
    if (protobuf_c_message_get_packed_size(&result.base) > HS_RECORD_BYTES_MAX)
        result.n_attachments = 0; /* they are with the linked ticket */
    *message = hs_canonical(&result.base, work->scratch);
    return message->data != NULL ? HS_OK : HS_ENOMEM;
}

enum hs_err hs_link_result(struct hs_work *work, const struct hs_link *link)
{
    struct hs_bytes text = hs_tlv_bytes(link->head, TICKET_LINKED_DISTRICT);
    char district[HS_PARTITION_TEXT_BYTES] = "";
    hs_partition partition;
    struct hs_bytes message;
    struct hs_id id;
    struct hs_dot dot;
    hs_stamp stamp;
    if (hs_tlv_bytes(link->head, TICKET_LINKED_FROM).size != HS_ID_BYTES || text.size >= sizeof district)
        return HS_OK;
    memcpy(district, text.data, text.size);
    if (hs_partition_parse(district, &partition) != HS_OK || partition == HS_PARTITION_REGION)
        return HS_OK;
    enum hs_err err = result_event(work, link, &message);
    if (err != HS_OK)
        return err;
    hs_id_made("hallsync result 1", link->event_id, &id);
    struct hs_write write = {
        .kind = HS_KIND_TICKET_EVENT, .id = HS_BYTES(id.bytes, sizeof id.bytes), .is_fact = true, .fact = message};
    struct hs_draft draft = {.partition = partition, .lane = HS_LANE_WORK, .writes = &write, .write_count = 1};
    return hs_store_write(work->store, &draft, &dot, &stamp);
}
