/* where.h -- which records somebody wants to hear of: fields, and the values that they are to show.  Made from the
 * table of kinds, so that each kind has it by itself.  Pure. */
#ifndef HS_MODEL_WHERE_H
#define HS_MODEL_WHERE_H

#include "proto/base/arena.h"
#include "storage/model/kinds.h"

#define HS_WHERE_FIELDS_MAX 16
#define HS_WHERE_VALUES_MAX 64 /* of one field */

struct hs_where_asked {
    const char *field;         /* "period"; of lines "parts.bill_id"; of what the node derives "state" */
    const char *const *values; /* one of these, as people write them; "": there is none */
    size_t count;
};

struct hs_where_term {
    struct hs_index at;                      /* the field, as an index over it would name it */
    const ProtobufCFieldDescriptor *derived; /* of the fold; NULL: a field of the message */
    const struct hs_bytes *keys;             /* of which it has to show one; of no bytes: there is none */
    size_t count;
};
struct hs_where {
    const struct hs_where_term *terms;
    size_t count;
    bool derived; /* one of them is of what the node derives: other records decide, too, whether one fits */
};

/* What is asked of records of @kind; lives in @arena.  @record: descriptor of the message that shows records (Record of
 * local.proto).  HS_EFIELD: the kind has no such field; HS_EVALUE and what hs_kind_check() says of a value that no
 * record can have, HS_ETOOBIG, with a sentence; HS_ENOMEM. */
enum hs_err hs_where_make(const struct hs_kind *kind, const ProtobufCMessageDescriptor *record,
                          const struct hs_where_asked *asked, size_t count, struct hs_arena *arena,
                          struct hs_where *where, struct hs_why *why);

/* Does a record fit that shows @message, all in all as @record?  HS_ENOMEM. */
enum hs_err hs_where_fits(const struct hs_where *where, const struct hs_kind *kind, struct hs_bytes message,
                          const ProtobufCMessage *record, bool *fits);

/* The message that holds what the node derives; NULL: nothing. */
const ProtobufCMessageDescriptor *hs_kind_fold(const struct hs_kind *kind, const ProtobufCMessageDescriptor *record);
const ProtobufCMessage *hs_kind_folded(const struct hs_kind *kind, const ProtobufCMessage *record);

#endif
