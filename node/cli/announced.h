/* announced.h -- what never came, in words. */
#ifndef HS_CLI_ANNOUNCED_H
#define HS_CLI_ANNOUNCED_H

#include "proto/base/buf.h"
#include "proto/local.pb-c.h"

/* "nj-gulou announced 3 operations (2 payments, 12.00) that nobody here has: ..."; @most streams are named. */
void cli_put_announced(const Hallsync__AnnouncedStatus *row, struct hs_buf *text, size_t most);
void cli_show_announced(const Hallsync__StatusReply *status, struct hs_buf *text); /* lines of status; empties @text */

#endif
