/* slots.h -- slots with all that was asked of them.  Inside node/service/ only. */
#ifndef HS_SERVICE_SLOTS_H
#define HS_SERVICE_SLOTS_H

#include "node/service/show.h"
#include "storage/model/appointment.h"

/* A slot as it is known here; all of it lies in the arena that it was loaded into. */
struct hs_slot {
    struct hs_record_name name;
    struct hs_bytes message; /* Slot, what it shows */
    struct hs_slot_asked asked;
    struct hs_bytes *messages; /* Appointment, by booking before the fold; found by id */
    struct hs_id *ids;
    uint32_t taken;
    hs_stamp highest; /* of all of these */
};
/* HS_ENOTFOUND: the slot is not here, nor with what a hub has said.  Halls of two districts may have given their slots
 * the same id: @partition says which is meant. */
#define HS_SLOT_ANYWHERE HS_PARTITION_REGION /* whichever is found first: no slot is of the region */
enum hs_err hs_slot_load(const struct hs_look *look, hs_partition partition, struct hs_bytes slot_id,
                         struct hs_arena *arena, struct hs_slot *slot);
uint32_t hs_slot_free(const struct hs_slot *slot);
const struct hs_booking *hs_slot_booking(const struct hs_slot *slot, struct hs_bytes id); /* NULL: none of it */

/* As a user sees them.  HS_ENOMEM. */
enum hs_err hs_slot_show(const struct hs_slot *slot, struct hs_arena *arena, bool detailed,
                         Hallsync__SlotState **state);
/* An appointment, by its name and message; its slot need not be here. */
enum hs_err hs_appointment_show(const struct hs_look *look, const struct hs_record_name *name, struct hs_bytes message,
                                struct hs_arena *arena, Hallsync__AppointmentState **state);

#endif
