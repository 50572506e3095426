/* alarms.h -- a thread that asks its own node for the status every few seconds, over the local socket as any program
 * does, and tells of what has changed: the log, hook.command and hook.file.  It serves nobody, so it may wait. */
#ifndef HS_DAEMON_ALARMS_H
#define HS_DAEMON_ALARMS_H

#include "node/conf/conf.h"
#include "proto/base/buf.h"

struct hs_alarmer;

enum hs_err hs_alarmer_new(const struct hs_conf *conf, struct hs_alarmer **alarmer); /* @conf is borrowed; HS_ENOMEM */
/* Its thread; the service runs already.  Where the machine has not what it takes, the node does without: it is logged.
 */
void hs_alarmer_start(struct hs_alarmer *alarmer);
/* Before the service is stopped; a hook that runs is killed.  NULL is fine. */
void hs_alarmer_stop(struct hs_alarmer *alarmer);
void hs_alarmer_free(struct hs_alarmer *alarmer);

/* Append its StatusReply.counters.  Any thread. */
void hs_alarmer_status(struct hs_alarmer *alarmer, struct hs_buf *partial);

#endif
