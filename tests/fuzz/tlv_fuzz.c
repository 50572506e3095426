/* tlv_fuzz.c -- protobuf's wire format, field by field: what is read is what would be written, and nothing is left out;
 * and the cursor's varints and sized bytes. */
#include "proto/base/limits.h"
#include "proto/msg/tlv.h"
#include "tests/fuzz/fuzz.h"

static void rewrite(const struct hs_tlv *tlv, struct hs_buf *to)
{
    if (tlv->wire == HS_WIRE_VARINT) {
        hs_tlv_put_u64(to, tlv->number, tlv->value);
    } else if (tlv->wire == HS_WIRE_FIXED64) {
        hs_tlv_put_fixed64(to, tlv->number, tlv->value);
    } else if (tlv->wire == HS_WIRE_BYTES) {
        hs_tlv_put_bytes(to, tlv->number, tlv->bytes);
    } else {
        FUZZ_CHECK(tlv->wire == HS_WIRE_FIXED32);
        FUZZ_CHECK(tlv->value <= UINT32_MAX);
        hs_buf_put_varint(to, (uint64_t)tlv->number << 3 | HS_WIRE_FIXED32);
        for (int i = 0; i < 4; i++)
            hs_buf_put_u8(to, (uint8_t)(tlv->value >> 8 * i));
    }
}

/* The last of each number, as hs_tlv_find() must find it. */
static void find(struct hs_bytes message, const struct hs_tlv *last, bool whole)
{
    struct hs_tlv found;
    bool is_found = hs_tlv_find(message, last->number, &found);
    FUZZ_CHECK(is_found == whole);
    if (!whole)
        return;
    FUZZ_CHECK(found.raw.data == last->raw.data);
    FUZZ_CHECK(found.raw.size == last->raw.size);
    FUZZ_CHECK(hs_tlv_u64(message, last->number, 7) == (last->wire == HS_WIRE_VARINT ? last->value : 7));
    FUZZ_CHECK(hs_tlv_i64(message, last->number, -7) == (last->wire == HS_WIRE_VARINT ? (int64_t)last->value : -7));
    FUZZ_CHECK(hs_tlv_bytes(message, last->number).size == (last->wire == HS_WIRE_BYTES ? last->bytes.size : 0));
    struct hs_buf again = {0};
    int64_t zigzag = hs_tlv_s64(message, last->number, -7);
    hs_tlv_put_s64(&again, last->number, zigzag);
    FUZZ_CHECK(last->wire != HS_WIRE_VARINT || hs_bytes_equal(hs_buf_bytes(&again), last->raw));
    FUZZ_CHECK(hs_tlv_s64(hs_buf_bytes(&again), last->number, 0) == zigzag);
    hs_buf_fini(&again);
}

static void read_fields(struct hs_bytes message)
{
    struct hs_cur cur = hs_cur_of(message);
    struct hs_tlv tlv;
    struct hs_tlv last = {0};
    struct hs_buf again = {0};
    while (hs_tlv_next(&cur, &tlv)) {
        FUZZ_CHECK(tlv.number >= 1);
        FUZZ_CHECK(tlv.number <= HS_FIELD_NUMBER_MAX);
        size_t before = again.size;
        rewrite(&tlv, &again);
        FUZZ_CHECK(hs_bytes_equal(HS_BYTES(again.data + before, again.size - before), tlv.raw));
        last = tlv;
    }
    bool whole = cur.err == HS_OK;
    FUZZ_CHECK(whole || cur.err == HS_EMALFORMED);
    FUZZ_CHECK(!whole || hs_bytes_equal(hs_buf_bytes(&again), message));
    if (last.number != 0)
        find(message, &last, whole);
    hs_buf_fini(&again);
}

static void read_cursor(struct hs_bytes bytes)
{
    struct hs_cur cur = hs_cur_of(bytes);
    struct hs_buf again = {0};
    while (cur.err == HS_OK && cur.left > 0) {
        size_t used = bytes.size - cur.left;
        struct hs_cur ahead = cur;
        uint64_t value = hs_cur_varint(&ahead);
        struct hs_bytes sized = hs_cur_sized(&cur);
        FUZZ_CHECK(cur.err == HS_EMALFORMED || sized.size == value);
        if (cur.err != HS_OK)
            break;
        hs_buf_reset(&again);
        hs_buf_put_sized(&again, sized);
        FUZZ_CHECK(hs_bytes_equal(hs_buf_bytes(&again), HS_BYTES(bytes.data + used, again.size)));
    }
    FUZZ_CHECK(cur.left == 0);
    FUZZ_CHECK(cur.err == HS_OK || hs_cur_u64(&cur) == 0);
    hs_buf_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_fields(HS_BYTES(data, size));
    read_cursor(HS_BYTES(data, size));
    return 0;
}

void fuzz_seeds(fuzz_put put)
{
    struct hs_buf buf = {0};
    hs_tlv_put_u64(&buf, 1, UINT64_MAX);
    hs_tlv_put_s64(&buf, 15, -3);
    hs_tlv_put_fixed64(&buf, 16, 1);
    hs_tlv_put_text(&buf, HS_FIELD_NUMBER_MAX, "text");
    hs_buf_put(&buf, "\x2d\1\2\3\4", 5); /* fixed32 */
    put("all", hs_buf_bytes(&buf));
    hs_buf_reset(&buf);
    hs_tlv_put_u64(&buf, 1, 1);
    hs_tlv_put_u64(&buf, 1, 2);
    put("twice", hs_buf_bytes(&buf));
    put("group", FUZZ_SEED("\x0b\x08\1\x0c"));
    put("long-varint", FUZZ_SEED("\x08\x80\0"));
    put("sized", FUZZ_SEED("\3abc\0\1x"));
    hs_buf_fini(&buf);
}
