#include "node/cli/forms.h"

#include "proto/base/text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DURATION_MS_MAX ((uint64_t)1000 * 86400000)
#define TAG_DIGITS      16

const char *cli_money_text(int64_t fen, char text[static CLI_MONEY_BYTES])
{
    uint64_t left = fen < 0 ? -(uint64_t)fen : (uint64_t)fen;
    char *at = text + CLI_MONEY_BYTES - 1;
    *at = '\0';
    for (unsigned digits = 0; digits < 3 || left != 0; digits++) {
        if (digits == 2)
            *--at = '.';
        else if (digits > 2 && (digits - 2) % 3 == 0)
            *--at = ',';
        *--at = (char)('0' + left % 10);
        left /= 10;
    }
    if (fen < 0)
        *--at = '-';
    return memmove(text, at, (size_t)(text + CLI_MONEY_BYTES - at));
}

const char *cli_bytes_text(uint64_t bytes, char text[static CLI_BYTES_BYTES])
{
    return hs_size_text(bytes, text);
}

const char *cli_age_text(uint64_t seconds, char text[static CLI_AGE_BYTES])
{
    return hs_span_text(seconds, HS_ENGLISH, text);
}

enum hs_err cli_number_parse(const char *text, uint64_t most, uint64_t *value)
{
    uint64_t number = 0;
    bool over = false;
    if (*text == '\0')
        return HS_EVALUE;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return HS_EVALUE;
        uint64_t digit = (uint64_t)(*text - '0');
        over = over || digit > most || number > (most - digit) / 10;
        number = number * 10 + digit;
    }
    if (over)
        return HS_EOVERFLOW;
    *value = number;
    return HS_OK;
}

enum hs_err cli_duration_parse(const char *text, uint64_t *ms)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } UNITS[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    char digits[16];
    size_t size = strspn(text, "0123456789");
    if (size == 0 || size >= sizeof digits)
        return HS_EVALUE;
    memcpy(digits, text, size);
    digits[size] = '\0';
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++) {
        uint64_t number;
        if (strcmp(text + size, UNITS[i].unit) != 0)
            continue;
        enum hs_err err = cli_number_parse(digits, DURATION_MS_MAX / UNITS[i].ms, &number);
        if (err == HS_OK)
            *ms = number * UNITS[i].ms;
        return err;
    }
    return HS_EVALUE;
}

enum hs_err cli_date_parse(const char *text, uint32_t *date)
{
    char digits[9];
    uint64_t value;
    if (strlen(text) == 10 && text[4] == '-' && text[7] == '-')
        snprintf(digits, sizeof digits, "%.4s%.2s%.2s", text, text + 5, text + 8);
    else if (strlen(text) == 8)
        snprintf(digits, sizeof digits, "%s", text);
    else
        return HS_EVALUE;
    if (cli_number_parse(digits, UINT32_MAX, &value) != HS_OK || !hs_date_valid((uint32_t)value))
        return HS_EVALUE;
    *date = (uint32_t)value;
    return HS_OK;
}

enum hs_err cli_time_parse(const char *text, int utc_offset_minutes, uint64_t *ms)
{
    struct tm tm = {0};
    uint32_t date;
    char day[11];
    size_t size = strlen(text);
    const char *forms[] = {"%H:%M", "%H:%M:%S"};
    const char *end = NULL;
    if (size < sizeof day || (text[sizeof day - 1] != 'T' && text[sizeof day - 1] != ' '))
        return HS_EVALUE;
    memcpy(day, text, sizeof day - 1);
    day[sizeof day - 1] = '\0';
    for (size_t i = 0; i < sizeof forms / sizeof *forms && (end == NULL || *end != '\0'); i++)
        end = strptime(text + sizeof day, forms[i], &tm);
    if (end == NULL || *end != '\0' || cli_date_parse(day, &date) != HS_OK)
        return HS_EVALUE;
    tm.tm_year = (int)(date / 10000) - 1900;
    tm.tm_mon = (int)(date / 100 % 100) - 1;
    tm.tm_mday = (int)(date % 100);
    int64_t seconds = timegm(&tm) - (int64_t)utc_offset_minutes * 60;
    if (seconds < 0)
        return HS_EVALUE;
    *ms = (uint64_t)seconds * 1000;
    return HS_OK;
}

const char *cli_position_text(uint64_t commit, uint64_t tag, char text[static CLI_POSITION_BYTES])
{
    snprintf(text, CLI_POSITION_BYTES, "%" PRIu64 ":%016" PRIx64, commit, tag);
    return text;
}

enum hs_err cli_position_parse(const char *text, uint64_t *commit, uint64_t *tag)
{
    const char *colon = strchr(text, ':');
    char number[24];
    uint8_t raw[TAG_DIGITS / 2];
    if (colon == NULL || (size_t)(colon - text) >= sizeof number)
        return HS_EVALUE;
    snprintf(number, sizeof number, "%.*s", (int)(colon - text), text);
    uint64_t value;
    if (cli_number_parse(number, UINT64_MAX, &value) != HS_OK ||
        hs_text_from_hex(colon + 1, strlen(colon + 1), raw, sizeof raw) != HS_OK)
        return HS_EVALUE;
    *commit = value;
    *tag = hs_from_be64(raw);
    return HS_OK;
}

const char *cli_place_text(const Hallsync__Position *place, char text[static CLI_PLACE_BYTES])
{
    cli_position_text(place->commit, place->tag, text);
    size_t used = strlen(text);
    if (place->has_ops && place->ops != 0)
        used += (size_t)snprintf(text + used, CLI_PLACE_BYTES - used, "+%" PRIu64, place->ops);
    if (place->has_shown_commit)
        snprintf(text + used, CLI_PLACE_BYTES - used, "@%" PRIu64 ":%016" PRIx64, place->shown_commit,
                 place->shown_tag);
    return text;
}

/* COMMIT:TAG, then perhaps +OPS, then perhaps @COMMIT:TAG. */
enum hs_err cli_place_parse(const char *text, Hallsync__Position *place)
{
    char parts[CLI_PLACE_BYTES];
    hallsync__position__init(place);
    if (strlen(text) >= sizeof parts)
        return HS_EVALUE;
    snprintf(parts, sizeof parts, "%s", text);
    char *shown = strchr(parts, '@');
    if (shown != NULL)
        *shown++ = '\0';
    char *ops = strchr(parts, '+');
    if (ops != NULL)
        *ops++ = '\0';
    place->has_ops = ops != NULL;
    place->has_shown_commit = place->has_shown_tag = shown != NULL;
    if (ops != NULL && cli_number_parse(ops, UINT64_MAX, &place->ops) != HS_OK)
        return HS_EVALUE;
    if (shown != NULL && cli_position_parse(shown, &place->shown_commit, &place->shown_tag) != HS_OK)
        return HS_EVALUE;
    return cli_position_parse(parts, &place->commit, &place->tag);
}

/* Unicode's East Asian Wide and Fullwidth blocks, and the combining marks that names and addresses can hold. */
static unsigned code_width(uint32_t code)
{
    static const struct {
        uint32_t first, last;
        unsigned width;
    } RANGES[] = {
        {0x0300, 0x036f, 0}, {0x1100, 0x115f, 2}, {0x200b, 0x200f, 0},   {0x20d0, 0x20ff, 0},   {0x2e80, 0x303e, 2},
        {0x3041, 0xa4cf, 2}, {0xac00, 0xd7a3, 2}, {0xf900, 0xfaff, 2},   {0xfe00, 0xfe0f, 0},   {0xfe30, 0xfe6f, 2},
        {0xff00, 0xff60, 2}, {0xffe0, 0xffe6, 2}, {0x1f300, 0x1faff, 2}, {0x20000, 0x3fffd, 2},
    };
    for (size_t i = 0; i < sizeof RANGES / sizeof *RANGES; i++) {
        if (code >= RANGES[i].first && code <= RANGES[i].last)
            return RANGES[i].width;
    }
    return 1;
}

static uint32_t next_code(const char **text)
{
    uint8_t lead = (uint8_t) * (*text)++;
    uint32_t code = lead < 0x80 ? lead : lead < 0xe0 ? lead & 0x1f : lead < 0xf0 ? lead & 0x0f : lead & 0x07;
    while (((uint8_t) * *text & 0xc0) == 0x80)
        code = code << 6 | ((uint8_t) * (*text)++ & 0x3f);
    return code;
}

size_t cli_width(const char *text)
{
    size_t width = 0;
    while (*text != '\0')
        width += code_width(next_code(&text));
    return width;
}

size_t cli_fit(const char *text, size_t columns, size_t *width)
{
    const char *at = text;
    *width = 0;
    while (*at != '\0') {
        const char *before = at;
        unsigned more = code_width(next_code(&at));
        if (*width + more > columns)
            return (size_t)(before - text);
        *width += more;
    }
    return (size_t)(at - text);
}

size_t cli_wrap(const char *text, size_t width)
{
    const char *at = text;
    size_t used = 0;
    size_t fit = 0;
    while (*at != '\0') {
        const char *before = at;
        uint32_t code = next_code(&at);
        unsigned more = code_width(code);
        if (used + more > width && before != text)
            return fit != 0 ? fit : (size_t)(before - text);
        used += more;
        if (code == ' ' || more == 2)
            fit = (size_t)(at - text);
    }
    return (size_t)(at - text);
}
