/* day_report.h -- the parts of a hall's day report.  Inside node/service/ only. */
#ifndef HS_SERVICE_DAY_REPORT_H
#define HS_SERVICE_DAY_REPORT_H

#include "node/service/day_books.h"
#include "node/service/look.h"

struct hs_day_report {
    struct hs_call *call;
    struct hs_view *view;
    struct hs_arena *arena; /* of the report */
    struct hs_arena *one;   /* of a record at hand; emptied for each */
    struct hs_bytes hall;
    uint32_t date;
    hs_partition home;
    uint64_t *origins; /* the hall's */
    size_t origin_count, origin_room;
    bool cut; /* not all was looked at, or is here */
    Hallsync__DayReportReply reply;
    Hallsync__DayWindow *windows[HS_BOOK_WINDOWS_MAX]; /* in no order */
};
/* The row of a window, made if it is new; NULL: out of memory, or there are too many. */
Hallsync__DayWindow *hs_day_window(struct hs_day_report *report, uint32_t number);
bool hs_day_is_today(const struct hs_day_report *report, hs_stamp stamp); /* of the report's day, by the local clock */

/* Each adds its part to the reply. */
enum hs_err hs_day_money(struct hs_day_report *report);    /* day_money.c: entries, books, windows */
enum hs_err hs_day_facts(struct hs_day_report *report);    /* day_facts.c: what is found by who wrote it */
enum hs_err hs_day_overdue(struct hs_day_report *report);  /* day_facts.c: tickets that are late */
enum hs_err hs_day_queue(struct hs_day_report *report);    /* day_queue.c: who came, and how long they waited */
enum hs_err hs_day_bookings(struct hs_day_report *report); /* day_queue.c: appointments */

#endif
