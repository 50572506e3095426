/* cause.h -- why a node is behind, as JSON: for the command line and the console.  Pure. */
#ifndef HS_JSON_CAUSE_H
#define HS_JSON_CAUSE_H

#include "node/status/why.h"

#include <jansson.h>

/* {"node_id", "code", "behind", "en", "zh", "evidence": [{"name", "en", "zh", "numbers", "text"}], "next": {"en", "zh",
 * "command"}}; owned by the caller, NULL: out of memory.  @node_id: of whom it is asked. */
json_t *hs_json_cause(const char *node_id, const struct hs_cause *cause, int utc_offset_minutes);
/* All causes that there are: {"link-down": {"sort", "en", "zh", "next_en", "next_zh", "command"}...}. */
json_t *hs_json_causes(void);

#endif
