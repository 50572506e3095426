/* notice.h -- whom a notice concerns, and when.  Pure. */
#ifndef HS_MODEL_NOTICE_H
#define HS_MODEL_NOTICE_H

#include "proto/base/names.h"

enum hs_notice_state {
    HS_NOTICE_OVER,
    HS_NOTICE_ACTIVE,  /* from starts_ms on, or since ever, until before ends_ms, or for ever */
    HS_NOTICE_PLANNED, /* it has not begun */
};
const char *hs_notice_state_text(enum hs_notice_state state); /* "over", "active", "planned" */

/* @message: what the notice shows (records.proto, Notice). */
enum hs_notice_state hs_notice_at(struct hs_bytes message, uint64_t now_ms);
/* Notices are found by the months, in UTC, in which they are in force, so that those of years ago are not looked
 * through at each look-up.  One without an end, or of more months than HS_NOTICE_MONTHS_MAX, is in force always. */
#define HS_NOTICE_MONTHS_MAX 24
#define HS_NOTICE_ALWAYS     0  /* in place of a month */
#define HS_NOTICE_KEY_BYTES  24 /* "3201-2026-11", "region-always", with its zero */
/* Months as 202611, ascending; none: it never is.  Answers how many. */
size_t hs_notice_months(struct hs_bytes message, uint32_t months[static HS_NOTICE_MONTHS_MAX]);
uint32_t hs_notice_month_after(uint32_t month);
void hs_notice_key(hs_partition partition, uint32_t month, char key[static HS_NOTICE_KEY_BYTES]);

/* Is it about this account (ten digits)?  Of its district, or of the region; and one of the beginnings that it names is
 * the account's.  One that names none is about all of them; beginnings that are no digits are nobody's. */
bool hs_notice_concerns(struct hs_bytes message, const char *account);

#endif
