#include "proto/base/text.h"

#include <assert.h>
#include <stdio.h>

#define MS_PER_DAY    ((int64_t)86400000)
#define MS_PER_MINUTE ((int64_t)60000)
#define LOCAL_MS_MAX  ((int64_t)253402300799999) /* 9999-12-31T23:59:59.999: later times have no four-digit year */
#define DAYS_PER_ERA  146097                     /* 400 years of the Gregorian calendar */
#define DAYS_TO_1970  719468                     /* since 0000-03-01 */

struct day {
    unsigned year;
    unsigned month;
    unsigned day;
};

/* The least code point that needs a sequence of so many bytes. */
static const uint32_t LEAST[5] = {0, 0, 0x80, 0x800, 0x10000};

/* Bytes of the sequence that @lead begins; 0 if none begins so. */
static size_t sequence_size(uint8_t lead)
{
    if (lead < 0x80)
        return 1;
    if (lead < 0xc0 || lead >= 0xf8)
        return 0;
    return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

static bool code_point_allowed(uint32_t code)
{
    if (code == '\t' || code == '\n')
        return true;
    if (code < 0x20 || (code >= 0x7f && code < 0xa0))
        return false; /* C0, DEL, C1 */
    return code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000);
}

bool hs_text_valid(struct hs_bytes text)
{
    size_t at = 0;
    while (at < text.size) {
        size_t size = sequence_size(text.data[at]);
        if (size == 0 || size > text.size - at)
            return false;
        uint32_t code = size == 1 ? text.data[at] : text.data[at] & (0x7fU >> size);
        for (size_t i = 1; i < size; i++) {
            uint8_t byte = text.data[at + i];
            if ((byte & 0xc0) != 0x80)
                return false;
            code = code << 6 | (byte & 0x3f);
        }
        if (code < LEAST[size] || !code_point_allowed(code))
            return false;
        at += size;
    }
    return true;
}

/* Accumulates below zero, where the range reaches one further. */
static enum hs_err read_negated(const char *digits, size_t size, int64_t *value)
{
    int64_t sum = 0;
    bool over = false;
    for (size_t i = 0; i < size; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return HS_EVALUE;
        over = over || __builtin_mul_overflow(sum, 10, &sum) || __builtin_sub_overflow(sum, digits[i] - '0', &sum);
    }
    *value = sum;
    return over ? HS_EOVERFLOW : HS_OK;
}

enum hs_err hs_text_to_i64(const char *text, size_t size, int64_t *value)
{
    size_t sign = size > 0 && text[0] == '-';
    if (size == sign)
        return HS_EVALUE;
    int64_t negated;
    enum hs_err err = read_negated(text + sign, size - sign, &negated);
    if (err != HS_OK)
        return err;
    if (sign == 0 && negated == INT64_MIN)
        return HS_EOVERFLOW;
    *value = sign == 0 ? -negated : negated;
    return HS_OK;
}

/* 0..15, or -1 */
static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

enum hs_err hs_text_from_hex(const char *text, size_t text_size, uint8_t *to, size_t size)
{
    if (text_size % 2 != 0 || text_size / 2 != size)
        return HS_EVALUE;
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(text[2 * i]);
        int low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return HS_EVALUE;
        to[i] = (uint8_t)(high * 16 + low);
    }
    return HS_OK;
}

void hs_text_to_hex(struct hs_bytes bytes, char *to)
{
    static const char DIGITS[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.size; i++) {
        *to++ = DIGITS[bytes.data[i] >> 4];
        *to++ = DIGITS[bytes.data[i] & 15];
    }
    *to = '\0';
}

/* Milliseconds of the local clock since its own 1970-01-01; down to a day below zero. */
static int64_t local_ms(uint64_t utc_ms, int offset_minutes)
{
    assert(offset_minutes > -24 * 60);
    assert(offset_minutes < 24 * 60);
    int64_t utc = utc_ms < (uint64_t)LOCAL_MS_MAX ? (int64_t)utc_ms : LOCAL_MS_MAX;
    int64_t local = utc + offset_minutes * MS_PER_MINUTE;
    return local < LOCAL_MS_MAX ? local : LOCAL_MS_MAX;
}

/* Gregorian date of a local time.  Years are counted from March so that the leap day is the last of its year. */
static struct day day_of(int64_t local)
{
    uint32_t days = (uint32_t)((local + MS_PER_DAY) / MS_PER_DAY - 1 + DAYS_TO_1970);
    uint32_t era = days / DAYS_PER_ERA;
    uint32_t of_era = days % DAYS_PER_ERA;
    uint32_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint32_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t month_from_march = (5 * of_year + 2) / 153;
    uint32_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    return (struct day){.year = era * 400 + year_of_era + (month <= 2),
                        .month = month,
                        .day = of_year - (153 * month_from_march + 2) / 5 + 1};
}

uint32_t hs_date_of(uint64_t utc_ms, int offset_minutes)
{
    struct day day = day_of(local_ms(utc_ms, offset_minutes));
    return day.year * 10000 + day.month * 100 + day.day;
}

const char *hs_time_text(uint64_t utc_ms, int offset_minutes, char text[static HS_TIME_TEXT_BYTES])
{
    int64_t local = local_ms(utc_ms, offset_minutes);
    struct day day = day_of(local);
    unsigned ms = (unsigned)((local + MS_PER_DAY) % MS_PER_DAY);
    unsigned offset = (unsigned)(offset_minutes < 0 ? -offset_minutes : offset_minutes);
    snprintf(text, HS_TIME_TEXT_BYTES, "%04u-%02u-%02uT%02u:%02u:%02u.%03u%c%02u:%02u", day.year % 10000,
             day.month % 100, day.day % 100, ms / 3600000, ms / 60000 % 60, ms / 1000 % 60, ms % 1000,
             offset_minutes < 0 ? '-' : '+', offset / 60 % 100, offset % 60);
    return text;
}

bool hs_date_valid(uint32_t date)
{
    static const uint8_t DAYS[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    uint32_t year = date / 10000;
    uint32_t month = date / 100 % 100;
    uint32_t day = date % 100;
    if (year < 1000 || year > 9999 || month < 1 || month > 12)
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return day >= 1 && day <= DAYS[month] + (uint32_t)(leap && month == 2);
}

uint32_t hs_date_days(uint32_t date)
{
    uint32_t month = date / 100 % 100;
    uint32_t year = date / 10000 - (month <= 2);
    uint32_t from_march = month > 2 ? month - 3 : month + 9;
    uint32_t of_year = (153 * from_march + 2) / 5 + date % 100 - 1;
    uint32_t of_era = year % 400 * 365 + year % 400 / 4 - year % 400 / 100 + of_year;
    return year / 400 * DAYS_PER_ERA + of_era;
}
