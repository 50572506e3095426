/* forms.h -- how money, durations, dates and positions look on the command line.  Pure. */
#ifndef HS_CLI_FORMS_H
#define HS_CLI_FORMS_H

#include "node/status/amount.h"
#include "proto/base/err.h"
#include "proto/local.pb-c.h"

#include <stddef.h>
#include <stdint.h>

#define CLI_MONEY_BYTES 32
const char *cli_money_text(int64_t fen, char text[static CLI_MONEY_BYTES]); /* 123456 -> "1,234.56" */

#define CLI_BYTES_BYTES HS_AMOUNT_TEXT_BYTES
const char *cli_bytes_text(uint64_t bytes, char text[static CLI_BYTES_BYTES]); /* 81914863616 -> "81.9 GB" */

#define CLI_AGE_BYTES HS_AMOUNT_TEXT_BYTES
const char *cli_age_text(uint64_t seconds, char text[static CLI_AGE_BYTES]); /* "12 s", "5 min", "3 h", "4 d" */

/* "500ms", "30s", "5m", "24h", "7d".  HS_EVALUE, HS_EOVERFLOW (more than a thousand days). */
enum hs_err cli_duration_parse(const char *text, uint64_t *ms);
/* "2026-11-21" or "20261121" -> 20261121.  HS_EVALUE. */
enum hs_err cli_date_parse(const char *text, uint32_t *date);
/* "2026-11-21T14:00", also with a space and with seconds, at that offset from UTC -> milliseconds since 1970.
 * HS_EVALUE. */
enum hs_err cli_time_parse(const char *text, int utc_offset_minutes, uint64_t *ms);
/* Decimal number up to @most, nothing else around it.  HS_EVALUE, HS_EOVERFLOW. */
enum hs_err cli_number_parse(const char *text, uint64_t most, uint64_t *value);

/* A position of the log: commit number, colon, 16 hex digits. */
#define CLI_POSITION_BYTES 40
const char *cli_position_text(uint64_t commit, uint64_t tag, char text[static CLI_POSITION_BYTES]);
enum hs_err cli_position_parse(const char *text, uint64_t *commit, uint64_t *tag); /* HS_EVALUE */

/* A place in the change feed: a position, and within a commit that is larger than one answer "+N", so many operations
 * further on. */
#define CLI_PLACE_BYTES 104
const char *cli_place_text(const Hallsync__Position *place, char text[static CLI_PLACE_BYTES]);
enum hs_err cli_place_parse(const char *text, Hallsync__Position *place); /* initialised here; HS_EVALUE */

/* Columns that valid UTF-8 takes on a terminal: Chinese characters two, combining marks none. */
size_t cli_width(const char *text);
/* How many bytes of valid UTF-8 stand on @columns, whole characters; *width: the columns that these take. */
size_t cli_fit(const char *text, size_t columns, size_t *width);
/* How many bytes of valid UTF-8 stand on a line of @width columns: up to a space or a Chinese character, where there is
 * one; at least one character. */
size_t cli_wrap(const char *text, size_t width);

#endif
