/* Keys of indexes: those that a record gives, and those that people ask for. */
#include "proto/base/text.h"
#include "proto/msg/tlv.h"
#include "storage/model/kinds.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A value as a key, into @number where it is no text. */
static struct hs_bytes key_of(const struct hs_tlv *tlv, uint8_t number[static 8])
{
    if (tlv->wire == HS_WIRE_BYTES)
        return tlv->bytes;
    hs_be64(number, tlv->value);
    return HS_BYTES(number, 8);
}

struct keys {
    struct hs_bytes then; /* size 0: the index has no second field */
    struct hs_buf buf;
    hs_take_key take;
    void *ctx;
};

void hs_index_pair(struct hs_buf *key, struct hs_bytes first, struct hs_bytes then)
{
    uint8_t size[2];
    hs_be16(size, (uint16_t)first.size);
    hs_buf_put_bytes(key, HS_BYTES(size, sizeof size));
    hs_buf_put_bytes(key, first);
    hs_buf_put_bytes(key, then);
}

static void give(struct keys *keys, const struct hs_tlv *tlv)
{
    uint8_t number[8];
    struct hs_bytes key = key_of(tlv, number);
    if (key.size == 0 || key.size > UINT16_MAX)
        return;
    if (keys->then.size != 0) {
        hs_buf_reset(&keys->buf);
        hs_index_pair(&keys->buf, key, keys->then);
        key = hs_buf_bytes(&keys->buf);
    }
    if (keys->buf.err == HS_OK)
        keys->take(keys->ctx, key);
}

enum hs_err hs_index_keys(const struct hs_index *index, struct hs_bytes message, hs_take_key take, void *ctx)
{
    struct keys keys = {.take = take, .ctx = ctx};
    uint8_t number[8];
    struct hs_tlv tlv;
    struct hs_tlv field;
    if (index->then != 0 && !hs_tlv_find(message, index->then, &tlv))
        return HS_OK;
    if (index->then != 0)
        keys.then = key_of(&tlv, number);
    if (index->then != 0 && keys.then.size == 0)
        return HS_OK;
    struct hs_cur cur = hs_cur_of(message);
    while (hs_tlv_next(&cur, &tlv)) {
        if (tlv.number == index->field && index->line == 0)
            give(&keys, &tlv);
        else if (tlv.number == index->field && hs_tlv_find(tlv.bytes, index->line, &field))
            give(&keys, &field);
    }
    enum hs_err err = keys.buf.err;
    hs_buf_fini(&keys.buf);
    return err;
}

void hs_written_text(uint64_t origin, uint32_t date, char text[static HS_WRITTEN_BYTES])
{
    snprintf(text, HS_WRITTEN_BYTES, "%016" PRIx64 "-%08" PRIu32, origin, date % 100000000);
}

/* ---- as people write them ---- */

static enum hs_err parse(const struct hs_fields *fields, uint32_t number, const char *text, uint8_t room[static 8],
                         struct hs_buf *buf, struct hs_bytes *key, struct hs_why *why)
{
    struct hs_tlv tlv;
    const struct hs_field_rule *rule = hs_field_rule(fields, number);
    enum hs_err err = hs_field_parse(fields, rule, HS_BYTES(text, strlen(text)), buf, why);
    if (err != HS_OK)
        return err;
    struct hs_cur cur = hs_cur_of(hs_buf_bytes(buf));
    *key = hs_tlv_next(&cur, &tlv) ? key_of(&tlv, room) : HS_BYTES_NONE;
    return HS_OK;
}

enum hs_err hs_index_key_parse(const struct hs_kind *kind, const struct hs_index *index, const char *text,
                               const char *then, struct hs_buf *key, struct hs_why *why)
{
    struct hs_fields fields = hs_kind_fields(kind);
    struct hs_buf first_buf = {0};
    struct hs_buf then_buf = {0};
    uint8_t first_room[8];
    uint8_t then_room[8];
    struct hs_bytes first = HS_BYTES(text, strlen(text));
    struct hs_bytes second = HS_BYTES_NONE;
    enum hs_err err = HS_OK;
    hs_buf_reset(key);
    if (index->then == 0 && then != NULL)
        return hs_fail(HS_EVALUE, why, "%s is looked up by itself, with no second field", index->name);
    if (index->then != 0 && (then == NULL || then[0] == '\0'))
        return hs_fail(HS_EVALUE, why, "%s is looked up together with %s", index->name,
                       hs_kind_field_name(kind, index->then));
    if (index->field != 0 && index->line != 0) {
        struct hs_fields line = hs_line_fields(&fields, hs_kind_rule(kind, index->field));
        err = parse(&line, index->line, text, first_room, &first_buf, &first, why);
    } else if (index->field != 0) {
        err = parse(&fields, index->field, text, first_room, &first_buf, &first, why);
    }
    if (err == HS_OK && index->then != 0)
        err = parse(&fields, index->then, then, then_room, &then_buf, &second, why);
    if (err == HS_OK && index->then != 0)
        hs_index_pair(key, first, second);
    else if (err == HS_OK)
        hs_buf_put_bytes(key, first);
    hs_buf_fini(&first_buf);
    hs_buf_fini(&then_buf);
    return err != HS_OK ? err : key->err;
}
