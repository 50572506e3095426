#include "storage/model/worktime.h"

#include "proto/base/text.h"

#define MINUTE_MS   60000LL
#define DAY_MINUTES 1440
#define DAY_MS      (DAY_MINUTES * MINUTE_MS)

enum { SATURDAY = 5 }; /* days since Monday */

struct hs_workday hs_workday_usual(uint64_t day)
{
    struct hs_workday none = {0};
    struct hs_workday usual = {.from = HS_WORKDAY_FROM, .to = HS_WORKDAY_TO};
    return (day + 3) % 7 >= SATURDAY ? none : usual; /* the first of 1970 was a Thursday */
}

bool hs_hour_parse(const char *text, size_t size, uint16_t *minutes)
{
    if (size != 5 || text[2] != ':')
        return false;
    for (size_t i = 0; i < size; i++) {
        if (i != 2 && (text[i] < '0' || text[i] > '9'))
            return false;
    }
    unsigned hour = (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0');
    unsigned minute = (unsigned)(text[3] - '0') * 10 + (unsigned)(text[4] - '0');
    *minutes = (uint16_t)(hour * 60 + minute);
    return minute < 60 && *minutes <= DAY_MINUTES;
}

/* A span of work, in ms of UTC; from >= to: none. */
struct span {
    int64_t from, to;
};

static enum hs_err span_of(const struct hs_worktime *time, int64_t day, struct span *span)
{
    struct hs_workday work = hs_workday_usual((uint64_t)day);
    enum hs_err err = HS_OK;
    if (time->day != NULL)
        err = time->day(time->ctx, hs_date_of((uint64_t)(day * DAY_MS), 0), &work);
    if (work.to > DAY_MINUTES)
        work.to = DAY_MINUTES;
    int64_t midnight = day * DAY_MS - time->utc_offset_minutes * MINUTE_MS;
    *span = (struct span){midnight + work.from * MINUTE_MS, midnight + work.to * MINUTE_MS};
    return err;
}

/* Times before the first of 1970 are none of ours: an offset to the west may still lead there. */
static int64_t local_day(const struct hs_worktime *time, uint64_t ms)
{
    int64_t local = (int64_t)ms + time->utc_offset_minutes * MINUTE_MS;
    return local < 0 ? 0 : local / DAY_MS;
}

enum hs_err hs_worktime_due(const struct hs_worktime *time, uint64_t start_ms, uint64_t work_ms, uint64_t *due_ms)
{
    int64_t first = local_day(time, start_ms);
    int64_t left = (int64_t)work_ms;
    *due_ms = start_ms;
    if (work_ms > (uint64_t)HS_WORKTIME_DAYS_MAX * DAY_MS)
        return HS_EOVERFLOW;
    for (int64_t day = first; left > 0; day++) {
        struct span span;
        enum hs_err err = day - first < HS_WORKTIME_DAYS_MAX ? span_of(time, day, &span) : HS_EOVERFLOW;
        if (err != HS_OK)
            return err;
        span.from = span.from < (int64_t)start_ms ? (int64_t)start_ms : span.from;
        int64_t takes = span.to - span.from < left ? span.to - span.from : left;
        if (takes <= 0)
            continue;
        left -= takes;
        *due_ms = (uint64_t)(span.from + takes);
    }
    return HS_OK;
}

enum hs_err hs_worktime_between(const struct hs_worktime *time, uint64_t from_ms, uint64_t to_ms, uint64_t *work_ms)
{
    int64_t first = local_day(time, from_ms);
    int64_t last = local_day(time, to_ms);
    *work_ms = 0;
    if (last - first >= HS_WORKTIME_DAYS_MAX)
        return HS_EOVERFLOW;
    for (int64_t day = first; day <= last; day++) {
        struct span span;
        enum hs_err err = span_of(time, day, &span);
        if (err != HS_OK)
            return err;
        span.from = span.from < (int64_t)from_ms ? (int64_t)from_ms : span.from;
        span.to = span.to > (int64_t)to_ms ? (int64_t)to_ms : span.to;
        *work_ms += span.to > span.from ? (uint64_t)(span.to - span.from) : 0;
    }
    return HS_OK;
}
