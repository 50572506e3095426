/* random_writes.h -- parts of random writes that name one another often; all of them live in the arena. */
#ifndef HS_TESTS_RANDOM_WRITES_H
#define HS_TESTS_RANDOM_WRITES_H

#include "tests/lib/random.h"

#include "proto/msg/tlv.h"
#include "storage/model/kinds.h"

#include <string.h>

static inline void *take(struct hs_arena *arena, size_t count, size_t size)
{
    void *memory = hs_arena_array(arena, count, size);
    assert_non_null(memory);
    return memory;
}

static inline struct hs_bytes keep(struct hs_arena *arena, struct hs_buf *buf)
{
    assert_int_equal(buf->err, HS_OK);
    uint8_t *kept = take(arena, buf->size + 1, 1);
    struct hs_bytes bytes = HS_BYTES(kept, buf->size);
    if (buf->size != 0)
        memcpy(kept, buf->data, buf->size);
    hs_buf_fini(buf);
    return bytes;
}

static inline struct hs_bytes keep_text(struct hs_arena *arena, const char *text)
{
    struct hs_buf buf = {0};
    hs_buf_put(&buf, text, strlen(text));
    return keep(arena, &buf);
}

static inline struct hs_bytes small_id(struct hs_arena *arena, size_t bound)
{
    uint8_t id[HS_ID_BYTES] = {0};
    struct hs_buf buf = {0};
    id[HS_ID_BYTES - 1] = (uint8_t)random_below(bound);
    hs_buf_put(&buf, id, sizeof id);
    return keep(arena, &buf);
}

static const char *const ACCOUNTS[] = {"3201000001", "3201000002", "3201000003", "3301000001"};

static inline const char *some_account(void)
{
    return ACCOUNTS[random_below(COUNT_OF(ACCOUNTS))];
}

static inline const char *some_bill(void)
{
    return PICK("B1", "B2", "B11", "B12");
}

static inline void put_part(struct hs_buf *to, uint32_t field, const char *text, uint64_t fen)
{
    struct hs_buf part = {0};
    hs_tlv_put_text(&part, 1, text);
    hs_tlv_put_u64(&part, 2, fen);
    hs_tlv_put_bytes(to, field, hs_buf_bytes(&part));
    hs_buf_fini(&part);
}

/* In force for days, months or years, from now or soon. */
static inline void put_notice_field(struct hs_buf *to, uint32_t number)
{
    static const uint64_t NOVEMBER = 1793491200000, DAY_MS = 86400000;
    if (number == 2)
        hs_tlv_put_text(to, number, PICK("3201", "3201", "3301"));
    else if (number == 3)
        hs_tlv_put_text(to, number, PICK("fault", "planned", "planned", "never"));
    else if (number == 4)
        hs_tlv_put_text(to, number, "停电");
    else
        hs_tlv_put_u64(to, number, NOVEMBER + DAY_MS * random_below(chance(90) ? 120 : 1200));
}

/* Of a record with this id. */
static inline struct hs_bytes field_value(struct hs_arena *arena, uint16_t kind, uint32_t number, struct hs_bytes id)
{
    struct hs_buf value = {0};
    if (chance(10))
        return HS_BYTES_NONE; /* a clear */
    if (kind == HS_KIND_BILL && number == 4)
        hs_tlv_put_u64(&value, number, 50 * random_below(5));
    else if (kind == HS_KIND_BILL && number == 7)
        for (uint64_t i = 1 + random_below(3); i > 0; i--)
            put_part(&value, number, PICK("2000-01-01", "2026-11-21", "2026-12-01"), 1 + random_below(20));
    else if (kind == HS_KIND_BILL && number == 8)
        hs_tlv_put_text(&value, number, PICK("open", "cancelled", "corrected", "lost"));
    else if (kind == HS_KIND_NOTICE && number > 1)
        put_notice_field(&value, number);
    else if ((kind == HS_KIND_BILL || kind == HS_KIND_CUSTOMER || kind == HS_KIND_NOTICE) && number == 1)
        hs_tlv_put_bytes(&value, number, id);
    else if (kind != HS_KIND_CUSTOMER && number == 2)
        hs_tlv_put_text(&value, number,
                        kind == HS_KIND_BILL ? some_account() : PICK("complaint", "reconnection", "Magic"));
    else if (kind == HS_KIND_TICKET && number == 9)
        hs_tlv_put_text(&value, number, PICK("yes", "no", "no"));
    else if (kind == HS_KIND_TICKET && number == 14)
        hs_tlv_put_text(&value, number, PICK("quick", "quick", "complaint", "field", "loom"));
    else
        hs_tlv_put_text(&value, number, PICK("a", "b", "3201000001"));
    return keep(arena, &value);
}

#endif
