/* show.h -- a stored record as a user sees it.  Inside node/service/ only. */
#ifndef HS_SERVICE_SHOW_H
#define HS_SERVICE_SHOW_H

#include "node/service/look.h"
#include "proto/local.pb-c.h"

struct hs_show {
    struct hs_look look;
    struct hs_arena *arena; /* everything shown lives in it, or in the view */
    bool detailed;          /* a ticket's events, each; and whose stores hold it */
    bool notices;           /* of a customer: what he is to be told */
    bool counter;           /* asked at a counter: of a slot how many have booked it, and not who */
    bool partial;           /* of a district that is not here, and no hub has said more */
};

/* HS_EDAMAGED, HS_ENOMEM.  A record of a kind that is not known here is shown as it is. */
enum hs_err hs_show(struct hs_show *show, const struct hs_stored *stored, Hallsync__Record **record);

/* notices.c: notices that are about an account, added to its record. */
enum hs_err hs_notices_show(struct hs_show *show, const char *account, Hallsync__Record *record);

/* What people call a record: its text id, or 32 hex digits.  @message: shown bytes.  NULL: out of memory. */
char *hs_show_id(struct hs_arena *arena, const struct hs_kind *kind, struct hs_bytes id, struct hs_bytes message);
/* The id of a record from what people call it.  HS_EVALUE. */
enum hs_err hs_show_id_parse(const struct hs_kind *kind, const char *text, struct hs_id *room, struct hs_bytes *id);
/* The node that an origin is of: a view into its certificate; none if that is not here. */
struct hs_bytes hs_show_node(struct hs_view *view, uint64_t origin);
/* A value of a field as text: numbers in digits, ids in hex.  @value: the field's bytes, tag included.  NULL: out of
 * memory. */
char *hs_show_value(struct hs_arena *arena, const struct hs_kind *kind, uint32_t number, struct hs_bytes value);

/* show_ticket.c: what the fold of a ticket says; @head: its message.  Lives in the show's arena. */
enum hs_err hs_show_ticket(const struct hs_show *show, const struct hs_record_name *name, struct hs_bytes head,
                           Hallsync__TicketState **shown);

#endif
