/* show.h -- messages of the local protocol as JSON objects.  Keys are the field names of the .proto files.  Pure.
 * Functions that return a json_t * return it owned; NULL means out of memory. */
#ifndef HS_CLI_SHOW_H
#define HS_CLI_SHOW_H

#include "proto/base/buf.h"
#include "proto/local.pb-c.h"

#include <jansson.h>

/* Every field that is set: enums by name in small letters, fixed64 (tags, origins, store ids) and bytes in hex, the
 * fields partition, districts, home, scope and kind as names, 64-bit integers as numbers. */
json_t *cli_show_message(const ProtobufCMessage *message);

/* A record as users see it: the fields of its kind, its id under the name of the kind's id field, and what the node
 * knows of it. */
json_t *cli_show_record(const Hallsync__Record *record, int utc_offset_minutes);
/* Only what an import of the same record would read. */
json_t *cli_show_content(const Hallsync__Record *record);

/* What became of one record of a PutRequest: {"id","result","safe","receipt"} or {"error","text","field","id"}. */
json_t *cli_show_result(const Hallsync__PutResult *result);

/* Text that may be no valid UTF-8 as a JSON string, what is not valid as '?'. */
json_t *cli_json_text(struct hs_bytes text);

const char *cli_safety_name(Hallsync__Safety safety); /* "here", "hub", "safe" */
#define CLI_KIND_NAME_BYTES 24
const char *cli_kind_name(uint32_t kind, char text[static CLI_KIND_NAME_BYTES]); /* "payment"; unknown: "kind-12" */

#endif
