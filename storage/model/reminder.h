/* reminder.h -- who is to be told of a bill today: a function of the subscription, what is owed, and what was done.
 * Pure: the same at every node that has the same records, in whatever order they came. */
#ifndef HS_MODEL_REMINDER_H
#define HS_MODEL_REMINDER_H

#include "proto/base/names.h"

enum hs_reminded { HS_REMINDED_TOLD, HS_REMINDED_ABSENT, HS_REMINDED_WRONG_NUMBER };
bool hs_reminded_parse(struct hs_bytes text, enum hs_reminded *result); /* "told", "absent", "wrong_number" */

/* A customer's wish; days are dates of the region, 20261121. */
struct hs_subscribed {
    struct hs_bytes channel;
    bool active;
    uint32_t days_before;
    hs_stamp contact_stamp; /* of the last write of the number or address that it names */
};
struct hs_owed {
    struct hs_bytes bill_id;
    int64_t due_fen;   /* still to be paid, now */
    uint32_t due_date; /* last day to pay it; 0: none is known */
};
struct hs_reminding {
    struct hs_bytes bill_id;
    struct hs_bytes channel;
    enum hs_reminded result;
    hs_stamp stamp;
    uint32_t date; /* of the stamp */
};

enum hs_reminder {
    HS_REMINDER_NOT,   /* nothing is to be done today */
    HS_REMINDER_DUE,   /* he is to be told, for the first time */
    HS_REMINDER_AGAIN, /* ... was not there on another day, or has another number by now */
    HS_REMINDER_WRONG, /* he is to be told, and the number is not his: another is to be asked for first */
};
const char *hs_reminder_text(enum hs_reminder reminder); /* "not", "due", "again", "wrong_number" */

/* From @days_before the last day to pay on, while something is owed, until he was told once of this bill by this
 * channel; who was absent is tried once a day. */
enum hs_reminder hs_reminder_of(const struct hs_subscribed *subscribed, const struct hs_owed *owed,
                                const struct hs_reminding *done, size_t count, uint32_t today);

/* "2026-11-21" -> 20261121; 0: it is no date. */
uint32_t hs_date_parse(struct hs_bytes text);
/* The day @days before this one; both are dates. */
uint32_t hs_date_before(uint32_t date, uint32_t days);

#endif
