#include "proto/base/names.h"

#include "proto/base/text.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define DISTRICT_MAX        9999
#define ID_SOURCE_BYTES_MAX 64
#define UUID_TEXT_SIZE      36
#define STAMP_COUNTER_BITS  16
#define STAMP_MS_MAX        (((uint64_t)1 << 47) - 1)
#define RECORD_PREFIX_BYTES (HS_RECORD_KEY_BYTES_MAX - HS_RECORD_ID_BYTES_MAX)

static const char ID_DOMAIN[] = "hallsync id 1"; /* hashed with its zero */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_small_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* The number that the first four characters spell; false if one of them, a zero included, is no digit. */
static bool read_district(const char *text, hs_partition *partition)
{
    hs_partition value = 0;
    for (size_t i = 0; i < HS_DISTRICT_DIGITS; i++) {
        if (!is_digit(text[i]))
            return false;
        value = (hs_partition)(value * 10 + (text[i] - '0'));
    }
    *partition = value;
    return true;
}

bool hs_partition_valid(uint32_t value)
{
    return value <= DISTRICT_MAX || value == HS_PARTITION_REGION;
}

const char *hs_partition_text(hs_partition partition, char text[static HS_PARTITION_TEXT_BYTES])
{
    if (partition == HS_PARTITION_REGION)
        snprintf(text, HS_PARTITION_TEXT_BYTES, "region");
    else
        snprintf(text, HS_PARTITION_TEXT_BYTES, "%04u", (unsigned)partition);
    return text;
}

enum hs_err hs_partition_parse(const char *text, hs_partition *partition)
{
    if (strcmp(text, "region") == 0) {
        *partition = HS_PARTITION_REGION;
        return HS_OK;
    }
    hs_partition value;
    if (!read_district(text, &value) || text[HS_DISTRICT_DIGITS] != '\0')
        return HS_EVALUE;
    *partition = value;
    return HS_OK;
}

bool hs_account_valid(const char *text, size_t size)
{
    if (size != HS_ACCOUNT_DIGITS)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (!is_digit(text[i]))
            return false;
    }
    return true;
}

hs_partition hs_account_partition(const char *account)
{
    hs_partition partition = 0;
    bool valid = read_district(account, &partition);
    assert(valid);
    return partition;
}

bool hs_lane_valid(uint32_t value)
{
    return value >= HS_LANE_WORK && value <= HS_LANE_BULK;
}

const char *hs_lane_text(enum hs_lane lane)
{
    static const char *const TEXTS[HS_LANE_COUNT] = {
        [HS_LANE_WORK] = "work", [HS_LANE_MONEY] = "money", [HS_LANE_PEOPLE] = "people", [HS_LANE_BULK] = "bulk"};
    assert(hs_lane_valid(lane));
    return TEXTS[lane];
}

enum hs_err hs_lane_parse(const char *text, uint8_t *lane)
{
    for (uint8_t one = HS_LANE_WORK; one < HS_LANE_COUNT; one++) {
        if (strcmp(hs_lane_text((enum hs_lane)one), text) != 0)
            continue;
        *lane = one;
        return HS_OK;
    }
    return HS_EVALUE;
}

void hs_stream_key(const struct hs_stream *stream, uint8_t key[static HS_STREAM_KEY_BYTES])
{
    hs_be16(key, stream->partition);
    hs_be64(key + 2, stream->origin);
    key[10] = stream->lane;
}

struct hs_stream hs_stream_from_key(const uint8_t key[static HS_STREAM_KEY_BYTES])
{
    return (struct hs_stream){.partition = hs_from_be16(key), .origin = hs_from_be64(key + 2), .lane = key[10]};
}

bool hs_stream_equal(const struct hs_stream *a, const struct hs_stream *b)
{
    return hs_stream_compare(a, b) == 0;
}

int hs_stream_compare(const struct hs_stream *a, const struct hs_stream *b)
{
    int order = compare_u64(a->partition, b->partition);
    if (order == 0)
        order = compare_u64(a->origin, b->origin);
    if (order == 0)
        order = compare_u64(a->lane, b->lane);
    return order;
}

int hs_dot_compare(const struct hs_dot *a, const struct hs_dot *b)
{
    int order = compare_u64(a->origin, b->origin);
    return order != 0 ? order : compare_u64(a->n, b->n);
}

hs_stamp hs_stamp_next(hs_stamp last, hs_stamp above, uint64_t now_ms)
{
    hs_stamp known = last > above ? last : above;
    hs_stamp next = known < HS_STAMP_MAX ? known + 1 : HS_STAMP_MAX;
    hs_stamp now = (now_ms < STAMP_MS_MAX ? now_ms : STAMP_MS_MAX) << STAMP_COUNTER_BITS;
    return now > next ? now : next;
}

uint64_t hs_stamp_ms(hs_stamp stamp)
{
    return stamp >> STAMP_COUNTER_BITS;
}

/* The 32 digits of a UUID in its form 8-4-4-4-12; false if the hyphens are elsewhere. */
static bool uuid_digits(const char *text, size_t size, char digits[static 2 * HS_ID_BYTES])
{
    if (size != UUID_TEXT_SIZE)
        return false;
    size_t used = 0;
    for (size_t i = 0; i < size; i++) {
        bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        if (hyphen != (text[i] == '-'))
            return false;
        if (!hyphen)
            digits[used++] = text[i];
    }
    return true;
}

static bool read_id(const char *text, size_t size, struct hs_id *id)
{
    char digits[2 * HS_ID_BYTES];
    if (uuid_digits(text, size, digits))
        return hs_text_from_hex(digits, sizeof digits, id->bytes, sizeof id->bytes) == HS_OK;
    return hs_text_from_hex(text, size, id->bytes, sizeof id->bytes) == HS_OK;
}

static void hash_id(const char *text, size_t size, struct hs_id *id)
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof id->bytes);
    crypto_generichash_update(&state, (const uint8_t *)ID_DOMAIN, sizeof ID_DOMAIN);
    crypto_generichash_update(&state, (const uint8_t *)text, size);
    crypto_generichash_final(&state, id->bytes, sizeof id->bytes);
}

enum hs_err hs_id_from_text(const char *text, size_t size, struct hs_id *id, bool *hashed)
{
    if (size == 0 || size > ID_SOURCE_BYTES_MAX)
        return HS_EVALUE;
    *hashed = !read_id(text, size, id);
    if (*hashed)
        hash_id(text, size, id);
    return HS_OK;
}

const char *hs_id_text(const struct hs_id *id, char text[static HS_ID_TEXT_BYTES])
{
    hs_text_to_hex(HS_BYTES(id->bytes, sizeof id->bytes), text);
    return text;
}

size_t hs_record_key(const struct hs_record_name *name, uint8_t key[static HS_RECORD_KEY_BYTES_MAX])
{
    assert(name->id.size > 0);
    assert(name->id.size <= HS_RECORD_ID_BYTES_MAX);
    hs_be16(key, name->partition);
    key[2] = name->lane;
    hs_be16(key + 3, name->kind);
    memcpy(key + RECORD_PREFIX_BYTES, name->id.data, name->id.size);
    return RECORD_PREFIX_BYTES + name->id.size;
}

enum hs_err hs_record_from_key(struct hs_bytes key, struct hs_record_name *name)
{
    if (key.size <= RECORD_PREFIX_BYTES || key.size > HS_RECORD_KEY_BYTES_MAX)
        return HS_EMALFORMED;
    struct hs_cur cur = hs_cur_of(key);
    struct hs_record_name read = {.partition = hs_cur_u16(&cur)};
    read.lane = hs_cur_u8(&cur);
    read.kind = hs_cur_u16(&cur);
    read.id = hs_cur_take(&cur, cur.left);
    if (!hs_partition_valid(read.partition) || !hs_lane_valid(read.lane))
        return HS_EMALFORMED;
    *name = read;
    return HS_OK;
}

bool hs_node_id_valid(const char *text)
{
    if (!is_small_letter(text[0]))
        return false;
    size_t size = 1;
    while (is_small_letter(text[size]) || is_digit(text[size]) || text[size] == '-') {
        if (++size > HS_NODE_ID_BYTES_MAX)
            return false;
    }
    return text[size] == '\0';
}
