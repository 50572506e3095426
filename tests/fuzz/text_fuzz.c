/* text_fuzz.c -- checks and conversions of the ground floor: UTF-8, numbers, hex, names, ids, dates, keys. */
#include "proto/base/hash.h"
#include "proto/base/names.h"
#include "proto/base/text.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <time.h>

/* RFC 3629 once more, the other way round: each code point is written again from what its bits say. */
static size_t write_code(uint32_t code, uint8_t to[static 4])
{
    size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t LEAD[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = size; i > 1; i--, code >>= 6)
        to[i - 1] = (uint8_t)(0x80 | (code & 0x3f));
    to[0] = (uint8_t)(LEAD[size] | code);
    return size;
}

static bool is_text(struct hs_bytes text)
{
    size_t at = 0;
    while (at < text.size) {
        uint8_t lead = text.data[at];
        size_t size = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
        if (size == 0 || size > text.size - at)
            return false;
        uint32_t code = lead & (0xffU >> (size == 1 ? 1 : size + 1));
        for (size_t i = 1; i < size; i++)
            code = code << 6 | (text.data[at + i] & 0x3f);
        uint8_t again[4];
        if (code > 0x10ffff || (code & 0xfffff800) == 0xd800 || write_code(code, again) != size ||
            memcmp(again, text.data + at, size) != 0)
            return false;
        bool control = code < 0x20 || (code > 0x7e && code < 0xa0);
        if (control && code != '\t' && code != '\n')
            return false;
        at += size;
    }
    return true;
}

static void numbers(struct hs_bytes bytes, const char *text)
{
    int64_t value = 42;
    enum hs_err err = hs_text_to_i64((const char *)bytes.data, bytes.size, &value);
    char *end;
    errno = 0;
    long long expected = strtoll(text, &end, 10);
    size_t digits = strspn(text + (text[0] == '-'), "0123456789");
    bool form = strlen(text) == bytes.size && digits > 0 && digits + (text[0] == '-') == bytes.size;
    FUZZ_CHECK(form == (err != HS_EVALUE));
    FUZZ_CHECK(!form || (err == HS_EOVERFLOW) == (errno == ERANGE));
    FUZZ_CHECK(err == HS_OK ? value == expected : value == 42);
}

static void hex(struct hs_bytes bytes)
{
    uint8_t raw[64];
    char text[2 * sizeof raw + 1];
    size_t size = bytes.size / 2 < sizeof raw ? bytes.size / 2 : sizeof raw;
    if (hs_text_from_hex((const char *)bytes.data, bytes.size, raw, size) == HS_OK) {
        hs_text_to_hex(HS_BYTES(raw, size), text);
        for (size_t i = 0; i < 2 * size; i++)
            FUZZ_CHECK(text[i] ==
                       (char)(bytes.data[i] >= 'A' && bytes.data[i] <= 'F' ? bytes.data[i] + 32 : bytes.data[i]));
    }
}

static void names(struct hs_bytes bytes, const char *text)
{
    hs_partition partition;
    char again[HS_PARTITION_TEXT_BYTES];
    if (hs_partition_parse(text, &partition) == HS_OK) {
        FUZZ_CHECK(hs_partition_valid(partition));
        FUZZ_CHECK(strcmp(hs_partition_text(partition, again), text) == 0);
    }
    if (hs_account_valid((const char *)bytes.data, bytes.size))
        FUZZ_CHECK(hs_account_partition((const char *)bytes.data) <= 9999);
    if (hs_node_id_valid(text))
        FUZZ_CHECK(strlen(text) <= HS_NODE_ID_BYTES_MAX);
    struct hs_id id = {{0}}, same = {{0}};
    char id_text[HS_ID_TEXT_BYTES];
    bool hashed, hashed_again;
    enum hs_err err = hs_id_from_text((const char *)bytes.data, bytes.size, &id, &hashed);
    FUZZ_CHECK((err == HS_OK) == (bytes.size >= 1 && bytes.size <= 64));
    if (err == HS_OK) {
        hs_id_text(&id, id_text);
        FUZZ_CHECK(hs_id_from_text(id_text, strlen(id_text), &same, &hashed_again) == HS_OK);
        FUZZ_CHECK(!hashed_again);
        FUZZ_CHECK(memcmp(&id, &same, sizeof id) == 0);
    }
}

static void keys(struct hs_bytes bytes)
{
    struct hs_record_name name;
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    if (hs_record_from_key(bytes, &name) == HS_OK) {
        FUZZ_CHECK(hs_record_key(&name, key) == bytes.size);
        FUZZ_CHECK(memcmp(key, bytes.data, bytes.size) == 0);
    }
    if (bytes.size >= HS_STREAM_KEY_BYTES) {
        struct hs_stream stream = hs_stream_from_key(bytes.data);
        hs_stream_key(&stream, key);
        FUZZ_CHECK(memcmp(key, bytes.data, HS_STREAM_KEY_BYTES) == 0);
    }
}

/* Against the C library's calendar. */
static void dates(struct hs_cur *in)
{
    char text[HS_TIME_TEXT_BYTES];
    uint64_t ms = fuzz_u64(in);
    int offset = (int)(fuzz_u16(in) % 2879) - 1439;
    uint32_t date = hs_date_of(ms, offset);
    FUZZ_CHECK(date < 19700101 || hs_date_valid(date));
    FUZZ_CHECK(strlen(hs_time_text(ms, offset, text)) == 29);
    if (ms < (uint64_t)253402300799000 - 86400000) {
        time_t local = (time_t)(((int64_t)ms + 86400000 + offset * 60000LL) / 1000 - 86400);
        struct tm tm;
        FUZZ_CHECK(gmtime_r(&local, &tm) != NULL);
        FUZZ_CHECK(date == (uint32_t)((tm.tm_year + 1900) * 10000 + (tm.tm_mon + 1) * 100 + tm.tm_mday));
    }
    uint32_t any = (uint32_t)fuzz_u64(in) % 100000000;
    struct tm tm = {
        .tm_year = (int)(any / 10000) - 1900, .tm_mon = (int)(any / 100 % 100) - 1, .tm_mday = (int)(any % 100)};
    struct tm normal = tm;
    timegm(&normal);
    bool valid = any >= 10000000 && normal.tm_year == tm.tm_year && normal.tm_mon == tm.tm_mon &&
                 normal.tm_mday == tm.tm_mday;
    FUZZ_CHECK(hs_date_valid(any) == valid);
}

static void sums(struct hs_cur *in)
{
    struct hs_hash sum = {{0}}, hash = {{0}};
    for (size_t i = 0; i < HS_HASH_BYTES; i++)
        sum.bytes[i] = fuzz_u8(in);
    for (size_t i = 0; i < HS_HASH_BYTES; i++)
        hash.bytes[i] = fuzz_u8(in);
    struct hs_hash before = sum;
    hs_sum_add(&sum, &hash);
    hs_sum_subtract(&sum, &hash);
    FUZZ_CHECK(hs_hash_equal(&sum, &before));
    hs_stamp last = fuzz_u64(in) & HS_STAMP_MAX, above = fuzz_u64(in) & HS_STAMP_MAX;
    hs_stamp next = hs_stamp_next(last, above, fuzz_u64(in));
    FUZZ_CHECK(next <= HS_STAMP_MAX);
    FUZZ_CHECK(next == HS_STAMP_MAX || (next > last && next > above));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hs_arena arena;
    struct hs_bytes bytes = HS_BYTES(data, size);
    struct hs_cur in = hs_cur_of(bytes);
    hs_arena_init(&arena, 0);
    const char *text = fuzz_text(&arena, bytes);
    FUZZ_CHECK(hs_text_valid(bytes) == is_text(bytes));
    numbers(bytes, text);
    hex(bytes);
    names(bytes, text);
    keys(bytes);
    dates(&in);
    sums(&in);
    hs_arena_fini(&arena);
    return 0;
}

void fuzz_seeds(fuzz_put put)
{
    static const char *const TEXTS[] = {"-9223372036854775808",
                                        "9223372036854775807",
                                        "9223372036854775808",
                                        "3201",
                                        "region",
                                        "3201000017",
                                        "nj-chengbei",
                                        "0123456789abcdef0123456789ABCDEF",
                                        "01234567-89ab-cdef-0123-456789abcdef",
                                        "P-2026-001",
                                        "\xe7\x94\xb5\xf0\x9f\x92\xa1\t\n",
                                        "\xed\xa0\x80",
                                        "\xc2\x9f",
                                        "\xf4\x90\x80\x80",
                                        "\xc0\x80"};
    char name[32];
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        snprintf(name, sizeof name, "text-%02zu", i);
        put(name, HS_BYTES(TEXTS[i], strlen(TEXTS[i])));
    }
    put("key", FUZZ_SEED("\x0c\x81\3\0\1"
                         "3201000017"));
    put("time", FUZZ_SEED("\0\0\1\xa1\xfb\x67\x18\0\7\xe0\0\0\0\0\1\x35\x2b\x95"));
}
