#include "node/admin/inside.h"

#include <zlib.h>

#define LEVEL     5
#define GZIP_BITS (15 + 16)

bool admin_gzip(struct hs_buf *body)
{
    z_stream stream = {0};
    struct hs_buf packed = {0};
    if (deflateInit2(&stream, LEVEL, Z_DEFLATED, GZIP_BITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    uLong room = deflateBound(&stream, (uLong)body->size);
    stream.next_out = hs_buf_extend(&packed, room);
    stream.avail_out = (uInt)room;
    stream.next_in = body->data;
    stream.avail_in = (uInt)body->size;
    bool smaller = packed.err == HS_OK && deflate(&stream, Z_FINISH) == Z_STREAM_END && stream.total_out < body->size;
    size_t size = stream.total_out;
    deflateEnd(&stream);
    if (!smaller) {
        hs_buf_fini(&packed);
        return false;
    }
    packed.size = size;
    hs_buf_fini(body);
    *body = packed;
    return true;
}

enum hs_err admin_gunzip(struct hs_bytes packed, size_t size, struct hs_buf *body)
{
    z_stream stream = {0};
    uint8_t *to = hs_buf_extend(body, size);
    if (to == NULL || inflateInit2(&stream, GZIP_BITS) != Z_OK)
        return HS_ENOMEM;
    stream.next_in = (Bytef *)(uintptr_t)packed.data;
    stream.avail_in = (uInt)packed.size;
    stream.next_out = to;
    stream.avail_out = (uInt)size;
    int end = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    return end == Z_STREAM_END && stream.total_out == size ? HS_OK : HS_EMALFORMED;
}
