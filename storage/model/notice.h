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
/* Is it about this account (ten digits)?  Of its district, or of the region; and one of the beginnings that it names is
 * the account's.  One that names none is about all of them; beginnings that are no digits are nobody's. */
bool hs_notice_concerns(struct hs_bytes message, const char *account);

#endif
