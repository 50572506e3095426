/* workload_hall.c -- a hall's day besides money and tickets: windows opened and closed, days closed, money handed in,
 * the queue, appointments, title holders, ratings.  All by chance, from numbers of its own: whoever does none of it
 * does as before. */
#include "tests/sim/workload_inside.h"

#include "proto/base/text.h"
#include "proto/records.pb-c.h"
#include "storage/model/kinds.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define WINDOWS              3
#define TEXT(text)           ((char *)(uintptr_t)(text)) /* not const in protobuf-c, though it only reads them */
#define AMONG(array, number) TEXT((array)[(number) % (sizeof(array) / sizeof *(array))])

static uint64_t below(struct workload *workload, uint64_t bound)
{
    return sim_below(&workload->hall, bound);
}

static const struct deed *any(struct workload *workload, const struct pool *pool)
{
    uint64_t held = pool->count < POOL_MAX ? pool->count : POOL_MAX;
    return held == 0 ? NULL : pool->deeds[below(workload, held)];
}

static char *draw_id(struct workload *workload, char id[static DEED_ID_BYTES])
{
    snprintf(id, DEED_ID_BYTES, "%016" PRIx64 "%016" PRIx64, sim_draw(&workload->hall), sim_draw(&workload->hall));
    return id;
}

static uint32_t draw_window(struct workload *workload)
{
    return 1 + (uint32_t)below(workload, WINDOWS);
}

static struct deed *make(struct workload *workload, const struct sim_machine *machine, uint16_t kind, const char *id,
                         const ProtobufCMessage *message)
{
    return deed_hall(&workload->hall, kind, id, machine->certificate.home, message);
}

static void number_of(const struct deed *deed, struct hs_id *id)
{
    bool hashed;
    if (hs_id_from_text(deed->id, strlen(deed->id), id, &hashed) != HS_OK)
        memset(id, 0, sizeof *id);
}

static ProtobufCBinaryData bytes_of(struct hs_id *id)
{
    return (ProtobufCBinaryData){.len = sizeof id->bytes, .data = id->bytes};
}

/* ---- windows and books ---- */

static struct deed *move_window(struct workload *workload, struct sim_machine *machine)
{
    static const char *const EVENTS[] = {"open", "close", "close", "pause", "resume"};
    Hallsync__WindowEvent event = HALLSYNC__WINDOW_EVENT__INIT;
    char id[DEED_ID_BYTES];
    event.event_id = draw_id(workload, id);
    event.event = AMONG(EVENTS, below(workload, 5));
    event.has_window = true;
    event.window = draw_window(workload);
    event.clerk = TEXT("c01");
    event.has_float_fen = strcmp(event.event, "open") == 0;
    event.float_fen = 100 * (int64_t)below(workload, 500);
    event.has_counted_fen = strcmp(event.event, "close") == 0;
    event.counted_fen = (int64_t)below(workload, 100000);
    event.reason = event.has_counted_fen ? TEXT("counted twice") : NULL;
    return make(workload, machine, HS_KIND_WINDOW_EVENT, id, &event.base);
}

static struct deed *close_day(struct workload *workload, struct sim_machine *machine)
{
    Hallsync__WindowEvent event = HALLSYNC__WINDOW_EVENT__INIT;
    char id[DEED_ID_BYTES];
    event.event_id = draw_id(workload, id);
    event.event = TEXT("close");
    event.clerk = TEXT("c02");
    return make(workload, machine, HS_KIND_WINDOW_EVENT, id, &event.base);
}

static struct deed *hand_in(struct workload *workload, struct sim_machine *machine)
{
    Hallsync__HandingIn handed = HALLSYNC__HANDING_IN__INIT;
    Hallsync__HandedClose close = HALLSYNC__HANDED_CLOSE__INIT;
    Hallsync__HandedClose *closes[] = {&close};
    char id[DEED_ID_BYTES];
    close.close_id = workload->closed[machine->index];
    if (close.close_id[0] == '\0')
        return NULL;
    handed.handing_in_id = draw_id(workload, id);
    handed.date = TEXT("2026-06-02");
    handed.has_amount_fen = true;
    handed.amount_fen = 1 + (int64_t)below(workload, 100000);
    handed.slip_no = TEXT("S-1");
    handed.bank = TEXT("ICBC");
    handed.clerk = TEXT("c02");
    handed.closes = closes;
    handed.n_closes = 1;
    return make(workload, machine, HS_KIND_HANDING_IN, id, &handed.base);
}

/* ---- the queue ---- */

static struct deed *draw_number(struct workload *workload, struct sim_machine *machine)
{
    static const char *const GROUPS[] = {"A", "B"};
    Hallsync__QueueTicket ticket = HALLSYNC__QUEUE_TICKET__INIT;
    char id[DEED_ID_BYTES];
    ticket.queue_id = draw_id(workload, id);
    ticket.group = AMONG(GROUPS, below(workload, 2));
    ticket.priority = below(workload, 4) == 0 ? TEXT("elderly") : NULL;
    ticket.printed_by = TEXT("machine-1");
    return make(workload, machine, HS_KIND_QUEUE_TICKET, id, &ticket.base);
}

/* Of the one that is named, or whom the node finds: the next one, or who is at the window. */
static struct deed *move_queue(struct workload *workload, struct sim_machine *machine)
{
    static const char *const EVENTS[] = {"called",  "called", "called",  "served",      "recalled",
                                         "serving", "served", "skipped", "transferred", "left"};
    const struct deed *named = below(workload, 3) == 0 ? any(workload, &workload->queued) : NULL;
    Hallsync__QueueEvent event = HALLSYNC__QUEUE_EVENT__INIT;
    char id[DEED_ID_BYTES];
    struct hs_id queue_id;
    event.event_id = draw_id(workload, id);
    event.event = AMONG(EVENTS, below(workload, 10));
    event.has_window = true;
    event.window = draw_window(workload);
    event.clerk = TEXT("c01");
    if (strcmp(event.event, "transferred") == 0 && below(workload, 2) == 0)
        event.to_group = TEXT("B");
    else if (strcmp(event.event, "transferred") == 0) {
        event.has_to_window = true;
        event.to_window = draw_window(workload);
    }
    if (named != NULL) {
        number_of(named, &queue_id);
        event.has_queue_id = true;
        event.queue_id = bytes_of(&queue_id);
    }
    return make(workload, machine, HS_KIND_QUEUE_EVENT, id, &event.base);
}

/* ---- appointments ---- */

static struct deed *offer_slot(struct workload *workload, struct sim_machine *machine)
{
    Hallsync__Slot slot = HALLSYNC__SLOT__INIT;
    char id[DEED_ID_BYTES];
    snprintf(id, sizeof id, "S-%s-%u", machine->node_id, (unsigned)below(workload, 3));
    slot.slot_id = id;
    slot.hall = machine->node_id;
    slot.date = TEXT("2026-06-09");
    slot.begins = TEXT("09:30");
    slot.has_capacity = true;
    slot.capacity = 1 + (uint32_t)below(workload, 3);
    return make(workload, machine, HS_KIND_SLOT, id, &slot.base);
}

/* Wherever the slot is. */
static struct deed *book(struct workload *workload)
{
    const struct deed *slot = any(workload, &workload->slots);
    Hallsync__Appointment asked = HALLSYNC__APPOINTMENT__INIT;
    char id[DEED_ID_BYTES];
    if (slot == NULL)
        return NULL;
    asked.appointment_id = draw_id(workload, id);
    asked.slot_id = TEXT(slot->id);
    asked.name = TEXT("Li Wei");
    return deed_hall(&workload->hall, HS_KIND_APPOINTMENT, id, slot->partition, &asked.base);
}

static struct deed *move_appointment(struct workload *workload)
{
    static const char *const EVENTS[] = {"cancelled", "kept", "missed"};
    const struct deed *asked = any(workload, &workload->appointments);
    Hallsync__AppointmentEvent event = HALLSYNC__APPOINTMENT_EVENT__INIT;
    char id[DEED_ID_BYTES];
    struct hs_id appointment_id;
    if (asked == NULL)
        return NULL;
    number_of(asked, &appointment_id);
    event.event_id = draw_id(workload, id);
    event.has_appointment_id = true;
    event.appointment_id = bytes_of(&appointment_id);
    event.event = AMONG(EVENTS, below(workload, 3));
    return deed_hall(&workload->hall, HS_KIND_APPOINTMENT_EVENT, id, asked->partition, &event.base);
}

/* ---- title holders ---- */

static struct deed *hand_on(struct workload *workload)
{
    const struct deed *customer = any(workload, &workload->customers);
    Hallsync__TitleChange change = HALLSYNC__TITLE_CHANGE__INIT;
    char id[DEED_ID_BYTES], name[32];
    if (customer == NULL)
        return NULL;
    snprintf(name, sizeof name, "Heir %u", (unsigned)below(workload, 1000000));
    change.change_id = draw_id(workload, id);
    change.account = TEXT(customer->account);
    change.name = name;
    change.clerk = TEXT("c01");
    return deed_hall(&workload->hall, HS_KIND_TITLE_CHANGE, id, customer->partition, &change.base);
}

/* ---- ratings ---- */

/* PROTOCOL.md says what their id is: a hash of what is rated. */
static void rating_id(const Hallsync__Rating *rating, char id[static DEED_ID_BYTES])
{
    static const char DOMAIN[] = "hallsync id of 1"; /* with its zero */
    struct hs_buf of = {0};
    uint8_t hash[16];
    hs_buf_put(&of, DOMAIN, sizeof DOMAIN);
    hs_buf_put_u16(&of, HS_KIND_RATING);
    hs_buf_put_varint(&of, 2 << 3 | 2);
    hs_buf_put_sized(&of, HS_BYTES(rating->of_kind, strlen(rating->of_kind)));
    hs_buf_put_varint(&of, 3 << 3 | 2);
    hs_buf_put_sized(&of, HS_BYTES(rating->of_id.data, rating->of_id.len));
    crypto_generichash(hash, sizeof hash, of.data, of.size, NULL, 0);
    hs_text_to_hex(HS_BYTES(hash, sizeof hash), id);
    hs_buf_fini(&of);
}

static struct deed *rate(struct workload *workload, struct sim_machine *machine)
{
    bool queued = below(workload, 2) == 0;
    const struct deed *rated = any(workload, queued ? &workload->queued : &workload->payments);
    Hallsync__Rating rating = HALLSYNC__RATING__INIT;
    char id[DEED_ID_BYTES];
    struct hs_id of_id;
    if (rated == NULL)
        return NULL;
    number_of(rated, &of_id);
    rating.of_kind = queued ? TEXT("queue_ticket") : TEXT("payment");
    rating.has_of_id = true;
    rating.of_id = bytes_of(&of_id);
    rating.has_score = true;
    rating.score = 1 + (uint32_t)below(workload, 5);
    rating.clerk = TEXT("c01");
    rating_id(&rating, id);
    return make(workload, machine, HS_KIND_RATING, id, &rating.base);
}

struct deed *workload_hall(struct workload *workload, struct sim_machine *machine)
{
    switch (below(workload, 17)) {
    case 0:
    case 1:
    case 2:
        return move_window(workload, machine);
    case 3:
        return close_day(workload, machine);
    case 4:
        return hand_in(workload, machine);
    case 5:
    case 6:
        return draw_number(workload, machine);
    case 7:
    case 8:
    case 9:
        return move_queue(workload, machine);
    case 10:
        return offer_slot(workload, machine);
    case 11:
    case 12:
        return book(workload);
    case 13:
        return move_appointment(workload);
    case 14:
        return hand_on(workload);
    default:
        return rate(workload, machine);
    }
}
