/* top_fetch.h -- asking the node again and again on a thread of its own, so that keys are answered whatever the node
 * does. */
#ifndef HS_CLI_TOP_FETCH_H
#define HS_CLI_TOP_FETCH_H

#include "node/cli/cli.h"

struct top_fetch;

/* Ask for the status of the node of @cli, borrowed, all @interval_ms.  NULL: out of memory, or of threads. */
struct top_fetch *top_fetch_start(const struct cli *cli, uint64_t interval_ms);
/* Readable when there is something to take. */
int top_fetch_fd(const struct top_fetch *fetch);
/* What has come since: an answer, owned by the caller, or NULL and the sentence why there was none.  False: nothing. */
#define TOP_FETCH_TEXT_BYTES 512
bool top_fetch_take(struct top_fetch *fetch, Hallsync__Reply **reply, char text[static TOP_FETCH_TEXT_BYTES]);
/* Waits a little for a question that is under way; one that a silent node does not answer ends with the program. */
void top_fetch_end(struct top_fetch *fetch);

#endif
