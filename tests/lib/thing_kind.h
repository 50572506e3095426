/* thing_kind.h -- a kind that no release has, over a message that happens to have lines: TicketState of local.proto, of
 * which it has a part.  Fields: state, needed; assignee; opened_ms; up to three events of event_id, state, time_ms. */
#ifndef HS_TESTS_THING_KIND_H
#define HS_TESTS_THING_KIND_H

#include "proto/local.pb-c.h"
#include "storage/model/kinds.h"

static const struct hs_choice THING_CHOICES[] = {{"yes", "", ""}, {"no", "", ""}, {0}};
static const struct hs_field_rule THING_LINE[] = {
    {.number = 1, .form = HS_FORM_TEXT, .required = true, .most = 16},
    {.number = 2, .form = HS_FORM_CHOICE, .choices = THING_CHOICES},
    {.number = 6, .form = HS_FORM_TIME},
};
static const struct hs_field_rule THING_FIELDS[] = {
    {.number = 1, .form = HS_FORM_TEXT, .required = true, .most = 16},
    {.number = 2, .form = HS_FORM_TEXT, .most = 16},
    {.number = 3, .form = HS_FORM_TIME},
    {.number = 5, .form = HS_FORM_LINES, .most = 3, .lines = THING_LINE, .line_fields = 3},
};
static const struct hs_index THING_INDEXES[] = {
    {1, "state", 1, 0, 0},     {2, "events", 5, 1, 0}, {3, "assignee", 2, 0, 1},
    {4, "opened_ms", 3, 0, 2}, {5, "events", 5, 6, 3},
};
static const uint32_t THING_OF[] = {2, 5, 0};
static const struct hs_kind THING = {.number = 77,
                                     .name = "thing",
                                     .message = &hallsync__ticket_state__descriptor,
                                     .id_of = THING_OF,
                                     .fields = THING_FIELDS,
                                     .field_count = sizeof THING_FIELDS / sizeof *THING_FIELDS,
                                     .indexes = THING_INDEXES,
                                     .index_count = sizeof THING_INDEXES / sizeof *THING_INDEXES};
enum { THING_LINES = 5 }; /* its field of lines */

#endif
