/* text.h -- JSON written piece by piece, where a tree of values would cost too much: the overview, samples. */
#ifndef HS_ADMIN_TEXT_H
#define HS_ADMIN_TEXT_H

#include "proto/base/buf.h"

/* In quotes, escaped; what is no valid UTF-8 as '?'.  NULL: null. */
void admin_put_text(struct hs_buf *to, const char *text);
void admin_put_u64(struct hs_buf *to, bool is_there, uint64_t value); /* not there: null */
void admin_put_s64(struct hs_buf *to, bool is_there, int64_t value);
/* Two digits behind the point below 100, none above; NAN: null. */
void admin_put_real(struct hs_buf *to, bool is_there, double value);

#endif
