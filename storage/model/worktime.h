/* worktime.h -- working hours and deadlines counted in them.  Pure: what is not the usual week is asked of a calendar.
 *
 * A day has at most one span of work, in minutes of the local day; a usual day from Monday to Friday is 09:00 to 17:00,
 * eight hours, and Saturday and Sunday are none.  Times are milliseconds since 1970, UTC; the local day is the
 * region's. */
#ifndef HS_MODEL_WORKTIME_H
#define HS_MODEL_WORKTIME_H

#include "proto/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HS_WORKDAY_FROM       (9 * 60)
#define HS_WORKDAY_TO         (17 * 60)
#define HS_WORKDAY_HOURS      8
#define HS_WORKTIME_HOURS_MAX 9999 /* of a deadline */
#define HS_WORKTIME_DAYS_MAX  3660 /* that are looked at to find the end of one */

struct hs_workday {
    uint16_t from, to; /* minutes since midnight, to at most 1440; from >= to: nobody works */
};

/* What differs from the usual week: sets @day, or leaves it as it is.  @date: 20261001. */
typedef enum hs_err (*hs_workday_of)(void *ctx, uint32_t date, struct hs_workday *day);
struct hs_worktime {
    int utc_offset_minutes;
    hs_workday_of day; /* NULL: nothing differs */
    void *ctx;
};

struct hs_workday hs_workday_usual(uint64_t day); /* @day: days since 1970 */
/* "08:30": minutes since midnight, "24:00" is the last.  False: it is none. */
bool hs_hour_parse(const char *text, size_t size, uint16_t *minutes);

/* The first moment at which @work_ms of working time have gone by since @start_ms; of none that is @start_ms itself.
 * HS_EOVERFLOW: not within HS_WORKTIME_DAYS_MAX days; errors of the calendar. */
enum hs_err hs_worktime_due(const struct hs_worktime *time, uint64_t start_ms, uint64_t work_ms, uint64_t *due_ms);
/* Working time from one moment to a later one.  HS_EOVERFLOW: they are more than HS_WORKTIME_DAYS_MAX days apart. */
enum hs_err hs_worktime_between(const struct hs_worktime *time, uint64_t from_ms, uint64_t to_ms, uint64_t *work_ms);

#endif
