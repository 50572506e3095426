/* buf.h -- growing byte buffer and reading cursor, both with a sticky error: after the first failure every call is a
 * no-op, so callers do many steps and test once.  Numbers are big-endian unless the name says varint (protobuf's). */
#ifndef HS_BASE_BUF_H
#define HS_BASE_BUF_H

#include "proto/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes. */
struct hs_bytes {
    const uint8_t *data;
    size_t size;
};
#define HS_BYTES(pointer, length) ((struct hs_bytes){(const uint8_t *)(pointer), (length)})
#define HS_BYTES_NONE             ((struct hs_bytes){NULL, 0})

bool hs_bytes_equal(struct hs_bytes a, struct hs_bytes b);
int hs_bytes_compare(struct hs_bytes a, struct hs_bytes b); /* memcmp order, shorter first */

/* Growing buffer; zero-initialise.  hs_buf_fini(NULL's data) is fine. */
struct hs_buf {
    uint8_t *data;
    size_t size;
    size_t room;
    enum hs_err err; /* HS_ENOMEM or HS_ETOOBIG once failed */
};

void hs_buf_fini(struct hs_buf *buf);
void hs_buf_reset(struct hs_buf *buf);                   /* size 0, no error, memory kept */
struct hs_bytes hs_buf_bytes(const struct hs_buf *buf);  /* valid until the next change of the buffer */
uint8_t *hs_buf_extend(struct hs_buf *buf, size_t size); /* room for size more bytes, counted; NULL after an error */
void hs_buf_put(struct hs_buf *buf, const void *data, size_t size);
void hs_buf_put_bytes(struct hs_buf *buf, struct hs_bytes bytes);
void hs_buf_put_u8(struct hs_buf *buf, uint8_t value);
void hs_buf_put_u16(struct hs_buf *buf, uint16_t value);
void hs_buf_put_u32(struct hs_buf *buf, uint32_t value);
void hs_buf_put_u64(struct hs_buf *buf, uint64_t value);
void hs_buf_put_varint(struct hs_buf *buf, uint64_t value);
void hs_buf_put_sized(struct hs_buf *buf, struct hs_bytes bytes); /* varint length, then the bytes */
void hs_buf_put_format(struct hs_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Reading cursor over borrowed bytes.  After a failure err is HS_EMALFORMED, left is 0 and every read yields zeros. */
struct hs_cur {
    const uint8_t *at;
    size_t left;
    enum hs_err err;
};

struct hs_cur hs_cur_of(struct hs_bytes bytes);
bool hs_cur_done(const struct hs_cur *cur); /* everything read and no error */
void hs_cur_fail(struct hs_cur *cur);
struct hs_bytes hs_cur_take(struct hs_cur *cur, size_t size); /* view into the source */
void hs_cur_copy(struct hs_cur *cur, void *to, size_t size);
uint8_t hs_cur_u8(struct hs_cur *cur);
uint16_t hs_cur_u16(struct hs_cur *cur);
uint32_t hs_cur_u32(struct hs_cur *cur);
uint64_t hs_cur_u64(struct hs_cur *cur);
uint64_t hs_cur_varint(struct hs_cur *cur);       /* minimal form only, else malformed */
struct hs_bytes hs_cur_sized(struct hs_cur *cur); /* varint length, then the bytes */

/* Big-endian integers in raw memory: keys whose byte order is their numeric order. */
void hs_be16(uint8_t to[static 2], uint16_t value);
void hs_be32(uint8_t to[static 4], uint32_t value);
void hs_be64(uint8_t to[static 8], uint64_t value);
uint16_t hs_from_be16(const uint8_t from[static 2]);
uint32_t hs_from_be32(const uint8_t from[static 4]);
uint64_t hs_from_be64(const uint8_t from[static 8]);

#endif
