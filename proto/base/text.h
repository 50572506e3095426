/* text.h -- checks and conversions of text that comes from outside. */
#ifndef HS_BASE_TEXT_H
#define HS_BASE_TEXT_H

#include "proto/base/buf.h"
#include "proto/base/err.h"

/* Valid UTF-8 (RFC 3629: no overlong forms, surrogates or values above U+10FFFF) without NUL, DEL or
 * C0/C1 controls other than tab and line feed. */
bool hs_text_valid(struct hs_bytes text);

/* Whole decimal number, optional '-', nothing else.  HS_EVALUE, HS_EOVERFLOW; *value untouched on failure. */
enum hs_err hs_text_to_i64(const char *text, size_t size, int64_t *value);

/* Lower- or upper-case hex of exactly @size bytes; HS_EVALUE. */
enum hs_err hs_text_from_hex(const char *text, size_t text_size, uint8_t *to, size_t size);
void hs_text_to_hex(struct hs_bytes bytes, char *to); /* writes 2 * size digits and a zero */

/* A day in a fixed offset from UTC (minutes east, less than a day either way): 20261121.  And the local time as text,
 * 2026-11-21T08:30:05.123+08:00.  Times that would be later than the year 9999 count as its last millisecond. */
uint32_t hs_date_of(uint64_t utc_ms, int offset_minutes);
#define HS_TIME_TEXT_BYTES 32
const char *hs_time_text(uint64_t utc_ms, int offset_minutes, char text[static HS_TIME_TEXT_BYTES]); /* RFC 3339 */
bool hs_date_valid(uint32_t date); /* a day of the Gregorian calendar, written with eight digits */
/* Days from the first of March of the year 0 to a valid date: of two dates the difference is what counts. */
uint32_t hs_date_days(uint32_t date);

#endif
