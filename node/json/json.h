/* json.h -- messages of the local protocol as JSON objects.  Keys are the field names of the .proto files.  Pure.
 * Functions that return a json_t * return it owned; NULL means out of memory. */
#ifndef HS_JSON_H
#define HS_JSON_H

#include "proto/base/buf.h"
#include "proto/local.pb-c.h"

#include <jansson.h>

#define HS_JSON_REAL_DIGITS 9 /* of numbers that are not whole */

/* Every field that is set: enums by name in small letters, fixed64 (tags, origins, store ids) and bytes in hex, the
 * fields partition, districts, home, scope and kind as names, 64-bit integers as numbers. */
json_t *hs_json_message(const ProtobufCMessage *message);

/* A record as users see it: the fields of its kind, its id under the name of the kind's id field, and what the node
 * knows of it. */
json_t *hs_json_record(const Hallsync__Record *record, int utc_offset_minutes);
/* Only what an import of the same record would read. */
json_t *hs_json_content(const Hallsync__Record *record);

/* What became of one record of a PutRequest: {"id","result","safe","receipt"} or {"error","text","field","id"}. */
json_t *hs_json_result(const Hallsync__PutResult *result);

/* Text that may be no valid UTF-8 as a JSON string, what is not valid as '?'. */
json_t *hs_json_text(struct hs_bytes text);

const char *hs_json_safety(Hallsync__Safety safety); /* "here", "hub", "safe" */
#define HS_JSON_KIND_BYTES 24
const char *hs_json_kind(uint32_t kind, char text[static HS_JSON_KIND_BYTES]); /* "payment"; unknown: "kind-12" */

#endif
