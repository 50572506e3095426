/* draft.h -- a record on its way to the node, put together from field=value arguments, CSV cells or a JSON object.
 * Field names are those of records.proto; the types come from its descriptors.  Pure. */
#ifndef HS_CLI_DRAFT_H
#define HS_CLI_DRAFT_H

#include "node/cli/bad.h"
#include "storage/model/kinds.h"

#include <jansson.h>

#define CLI_CLEAR_MAX 32

struct cli_draft {
    const struct hs_kind *kind;
    ProtobufCMessage *message;     /* owned */
    uint64_t given;                /* a bit for each field number met */
    uint32_t clear[CLI_CLEAR_MAX]; /* register records: fields to clear */
    size_t clear_count;
    int utc_offset_minutes; /* of times that are given as text */
};

enum hs_err cli_draft_init(struct cli_draft *draft, const struct hs_kind *kind); /* HS_ENOMEM */
void cli_draft_fini(struct cli_draft *draft);

/* One field from text; empty text clears it.  HS_EFIELD, HS_EVALUE (wrong form, or given twice), HS_EAMOUNT,
 * HS_EOVERFLOW, HS_EUTF8, HS_ETOOBIG, HS_ENOMEM; @bad names the field.  What the kind's rules say beyond types is the
 * node's to judge. */
enum hs_err cli_draft_text(struct cli_draft *draft, const char *name, struct hs_bytes text, struct cli_bad *bad);
/* The same from a JSON value; null clears. */
enum hs_err cli_draft_json(struct cli_draft *draft, const char *name, const json_t *value, struct cli_bad *bad);
/* All fields from one JSON object as text. */
enum hs_err cli_draft_line(struct cli_draft *draft, struct hs_bytes line, struct cli_bad *bad);
/* Facts and tickets need an id before they are first sent, so that they can be sent again: make one if none was given.
 * @id out: what was made, "" if there was one or the kind needs none. */
enum hs_err cli_draft_make_id(struct cli_draft *draft, char id[static HS_ID_TEXT_BYTES], struct cli_bad *bad);
/* draft_lines.c: a field of lines, from their text (hs_field_parse) and from an array of objects; the errors of the
 * above. */
enum hs_err cli_draft_lines_text(struct cli_draft *draft, const ProtobufCFieldDescriptor *field, struct hs_bytes text,
                                 struct cli_bad *bad);
enum hs_err cli_draft_lines_json(struct cli_draft *draft, const ProtobufCFieldDescriptor *field, const json_t *value,
                                 struct cli_bad *bad);
/* Append the message's bytes. */
enum hs_err cli_draft_pack(const struct cli_draft *draft, struct hs_buf *buf);

#endif
