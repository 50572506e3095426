/* metrics.h -- a StatusReply as Prometheus text (version 0.0.4), by the table of model.h: hallsync_..., base units,
 * labels peer, lane and kind alone.  Pure; any thread. */
#ifndef HS_STATUS_METRICS_H
#define HS_STATUS_METRICS_H

#include "proto/base/buf.h"
#include "proto/local.pb-c.h"

#define HS_METRICS_PEERS_MAX 2048 /* of more, hallsync_peers_left_out says how many */
#define HS_METRICS_TYPE      "text/plain; version=0.0.4; charset=utf-8"

/* Appends to @out.  HS_ENOMEM, and @out is as before but for what was appended. */
enum hs_err hs_metrics_put(const Hallsync__StatusReply *status, struct hs_buf *out);

#endif
