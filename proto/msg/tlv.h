/* tlv.h -- protobuf's wire format read field by field, strictly: minimal varints, no groups, numbers 1..2^29-1.
 * Used where bytes are kept as they came (records, operations) and where unpacking would cost too much. */
#ifndef HS_MSG_TLV_H
#define HS_MSG_TLV_H

#include "proto/base/buf.h"

enum hs_wire { HS_WIRE_VARINT = 0, HS_WIRE_FIXED64 = 1, HS_WIRE_BYTES = 2, HS_WIRE_FIXED32 = 5 };

struct hs_tlv {
    uint32_t number;
    enum hs_wire wire;
    uint64_t value;        /* varint, fixed32, fixed64 */
    struct hs_bytes bytes; /* length-delimited: the content */
    struct hs_bytes raw;   /* the whole field, tag included */
};

/* Read the next field; false at the end or on malformed bytes (then cur->err is HS_EMALFORMED). */
bool hs_tlv_next(struct hs_cur *cur, struct hs_tlv *tlv);

/* The last occurrence of a field, as protobuf reads singular fields; false if there is none (or the bytes are
 * malformed). */
bool hs_tlv_find(struct hs_bytes message, uint32_t number, struct hs_tlv *tlv);
uint64_t hs_tlv_u64(struct hs_bytes message, uint32_t number, uint64_t otherwise);
int64_t hs_tlv_i64(struct hs_bytes message, uint32_t number, int64_t otherwise); /* int64, not zigzag */
int64_t hs_tlv_s64(struct hs_bytes message, uint32_t number, int64_t otherwise); /* sint64: zigzag */
struct hs_bytes hs_tlv_bytes(struct hs_bytes message, uint32_t number);          /* size 0 if there is none */

/* All occurrences of a field that stand together, raw, beginning with the first one: as canonical messages have them.
 */
struct hs_bytes hs_tlv_run(struct hs_bytes message, uint32_t number);

/* Write a field. */
void hs_tlv_put_u64(struct hs_buf *buf, uint32_t number, uint64_t value);
void hs_tlv_put_s64(struct hs_buf *buf, uint32_t number, int64_t value);      /* zigzag */
void hs_tlv_put_fixed64(struct hs_buf *buf, uint32_t number, uint64_t value); /* little-endian, as protobuf */
void hs_tlv_put_bytes(struct hs_buf *buf, uint32_t number, struct hs_bytes bytes);
void hs_tlv_put_text(struct hs_buf *buf, uint32_t number, const char *text);

#endif
