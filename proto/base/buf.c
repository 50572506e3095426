#include "proto/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_BYTES_MAX ((size_t)1 << 31)

bool hs_bytes_equal(struct hs_bytes a, struct hs_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

int hs_bytes_compare(struct hs_bytes a, struct hs_bytes b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    if (order != 0)
        return order;
    return (a.size > b.size) - (a.size < b.size);
}

void hs_buf_fini(struct hs_buf *buf)
{
    free(buf->data);
    *buf = (struct hs_buf){0};
}

void hs_buf_reset(struct hs_buf *buf)
{
    buf->size = 0;
    buf->err = HS_OK;
}

struct hs_bytes hs_buf_bytes(const struct hs_buf *buf)
{
    return HS_BYTES(buf->data, buf->size);
}

uint8_t *hs_buf_extend(struct hs_buf *buf, size_t size)
{
    if (buf->err != HS_OK)
        return NULL;
    if (size > BUF_BYTES_MAX - buf->size) {
        buf->err = HS_ETOOBIG;
        return NULL;
    }
    size_t need = buf->size + size;
    if (need > buf->room || buf->data == NULL) {
        size_t room = buf->room < 64 ? 64 : buf->room;
        while (room < need)
            room *= 2;
        uint8_t *data = realloc(buf->data, room);
        if (data == NULL) {
            buf->err = HS_ENOMEM;
            return NULL;
        }
        buf->data = data;
        buf->room = room;
    }
    uint8_t *at = buf->data + buf->size;
    buf->size = need;
    return at;
}

void hs_buf_put(struct hs_buf *buf, const void *data, size_t size)
{
    if (size == 0)
        return;
    uint8_t *at = hs_buf_extend(buf, size);
    if (at != NULL)
        memcpy(at, data, size);
}

void hs_buf_put_bytes(struct hs_buf *buf, struct hs_bytes bytes)
{
    hs_buf_put(buf, bytes.data, bytes.size);
}

void hs_buf_put_u8(struct hs_buf *buf, uint8_t value)
{
    hs_buf_put(buf, &value, 1);
}

void hs_buf_put_u16(struct hs_buf *buf, uint16_t value)
{
    uint8_t raw[2];
    hs_be16(raw, value);
    hs_buf_put(buf, raw, sizeof raw);
}

void hs_buf_put_u32(struct hs_buf *buf, uint32_t value)
{
    uint8_t raw[4];
    hs_be32(raw, value);
    hs_buf_put(buf, raw, sizeof raw);
}

void hs_buf_put_u64(struct hs_buf *buf, uint64_t value)
{
    uint8_t raw[8];
    hs_be64(raw, value);
    hs_buf_put(buf, raw, sizeof raw);
}

void hs_buf_put_varint(struct hs_buf *buf, uint64_t value)
{
    uint8_t raw[10];
    size_t size = 0;
    while (value >= 0x80) {
        raw[size++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    raw[size++] = (uint8_t)value;
    hs_buf_put(buf, raw, size);
}

void hs_buf_put_sized(struct hs_buf *buf, struct hs_bytes bytes)
{
    hs_buf_put_varint(buf, bytes.size);
    hs_buf_put_bytes(buf, bytes);
}

void hs_buf_put_format(struct hs_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    uint8_t *at = size < 0 ? NULL : hs_buf_extend(buf, (size_t)size + 1);
    if (at == NULL)
        return;
    va_start(args, format);
    vsnprintf((char *)at, (size_t)size + 1, format, args);
    va_end(args);
    buf->size--; /* the terminating zero is behind the text, not part of it */
}

struct hs_cur hs_cur_of(struct hs_bytes bytes)
{
    return (struct hs_cur){bytes.data, bytes.size, HS_OK};
}

bool hs_cur_done(const struct hs_cur *cur)
{
    return cur->err == HS_OK && cur->left == 0;
}

void hs_cur_fail(struct hs_cur *cur)
{
    cur->err = HS_EMALFORMED;
    cur->left = 0;
}

struct hs_bytes hs_cur_take(struct hs_cur *cur, size_t size)
{
    if (cur->err != HS_OK || size > cur->left) {
        hs_cur_fail(cur);
        return HS_BYTES_NONE;
    }
    struct hs_bytes taken = HS_BYTES(cur->at, size);
    if (size != 0)
        cur->at += size;
    cur->left -= size;
    return taken;
}

void hs_cur_copy(struct hs_cur *cur, void *to, size_t size)
{
    struct hs_bytes taken = hs_cur_take(cur, size);
    if (taken.data != NULL)
        memcpy(to, taken.data, size);
    else
        memset(to, 0, size);
}

uint8_t hs_cur_u8(struct hs_cur *cur)
{
    uint8_t value;
    hs_cur_copy(cur, &value, 1);
    return value;
}

uint16_t hs_cur_u16(struct hs_cur *cur)
{
    uint8_t raw[2];
    hs_cur_copy(cur, raw, sizeof raw);
    return hs_from_be16(raw);
}

uint32_t hs_cur_u32(struct hs_cur *cur)
{
    uint8_t raw[4];
    hs_cur_copy(cur, raw, sizeof raw);
    return hs_from_be32(raw);
}

uint64_t hs_cur_u64(struct hs_cur *cur)
{
    uint8_t raw[8];
    hs_cur_copy(cur, raw, sizeof raw);
    return hs_from_be64(raw);
}

uint64_t hs_cur_varint(struct hs_cur *cur)
{
    uint64_t value = 0;
    if (cur->err == HS_OK && cur->left > 0 && *cur->at < 0x80) { /* nearly every tag, and most sizes */
        cur->left--;
        return *cur->at++;
    }
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = hs_cur_u8(cur);
        if (cur->err != HS_OK)
            return 0;
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            if (byte == 0 && shift != 0)
                break; /* not minimal */
            return value;
        }
    }
    hs_cur_fail(cur);
    return 0;
}

struct hs_bytes hs_cur_sized(struct hs_cur *cur)
{
    uint64_t size = hs_cur_varint(cur);
    if (size > cur->left) {
        hs_cur_fail(cur);
        return HS_BYTES_NONE;
    }
    return hs_cur_take(cur, (size_t)size);
}

void hs_be16(uint8_t to[static 2], uint16_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

void hs_be32(uint8_t to[static 4], uint32_t value)
{
    hs_be16(to, (uint16_t)(value >> 16));
    hs_be16(to + 2, (uint16_t)value);
}

void hs_be64(uint8_t to[static 8], uint64_t value)
{
    hs_be32(to, (uint32_t)(value >> 32));
    hs_be32(to + 4, (uint32_t)value);
}

uint16_t hs_from_be16(const uint8_t from[static 2])
{
    return (uint16_t)(from[0] << 8 | from[1]);
}

uint32_t hs_from_be32(const uint8_t from[static 4])
{
    return (uint32_t)hs_from_be16(from) << 16 | hs_from_be16(from + 2);
}

uint64_t hs_from_be64(const uint8_t from[static 8])
{
    return (uint64_t)hs_from_be32(from) << 32 | hs_from_be32(from + 4);
}
