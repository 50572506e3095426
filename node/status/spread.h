/* spread.h -- histograms as StatusReply tells them. */
#ifndef HS_STATUS_SPREAD_H
#define HS_STATUS_SPREAD_H

#include "proto/base/buf.h"
#include "proto/base/histogram.h"

/* Append StatusReply.histograms, a partial message.  @kind: NULL: none. */
void hs_spread_put(struct hs_buf *partial, const char *name, const char *kind, const struct hs_histogram *histogram);

#endif
