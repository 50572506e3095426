/* op.h -- operations: the frozen envelope of op.proto, encoded and decoded canonically.  PROTOCOL.md, "Operations".
 *
 * Encoding an op and decoding it gives the same op; decoding bytes and encoding the result gives the same bytes, or the
 * bytes were malformed.  Pure. */
#ifndef HS_MSG_OP_H
#define HS_MSG_OP_H

#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/base/names.h"

struct hs_field_write {
    uint32_t number;           /* 1..HS_FIELD_NUMBER_MAX */
    struct hs_bytes value;     /* all occurrences, tags included, in order; size 0: a clear */
    const struct hs_dot *over; /* dots that this write names as overwritten, ascending */
    size_t over_count;
};

struct hs_write {
    uint16_t kind;
    struct hs_bytes id;
    bool is_fact;
    struct hs_bytes fact;                /* of facts; may be empty */
    const struct hs_field_write *fields; /* of register records, ascending numbers */
    size_t field_count;
};

struct hs_op {
    hs_stamp stamp;
    const struct hs_write *writes;
    size_t write_count;
    struct hs_bytes request; /* 16 bytes or none */
};

/* Append the encoding.  Limits are the caller's duty (hs_op_check); buf carries HS_ENOMEM. */
void hs_op_encode(const struct hs_op *op, struct hs_buf *buf);

/* Decode; everything in *op is a view into @bytes or lives in @arena.
 * HS_EMALFORMED: not canonical, or over a limit, or a record written twice: the op is void. HS_ENOMEM. */
enum hs_err hs_op_decode(struct hs_bytes bytes, struct hs_arena *arena, struct hs_op *op);

/* Would the encoding be accepted by hs_op_decode?  HS_ETOOBIG (a limit), HS_EINVAL (order, doubles). */
enum hs_err hs_op_check(const struct hs_op *op);

#endif
