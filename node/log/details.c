#include "node/log/details.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CUT_BYTES 12 /* of "cut":true with its comma and the last brace */

struct line {
    char *out;
    size_t size, room;
    bool cut; /* something did not fit: nothing more is put */
};

static void put(struct line *line, const char *bytes, size_t size)
{
    line->cut = line->cut || size > line->room - line->size;
    if (line->cut)
        return;
    memcpy(line->out + line->size, bytes, size);
    line->size += size;
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

bool hs_detail_is_there(const struct hs_detail *field)
{
    return (field->form != HS_DETAIL_WORD && field->form != HS_DETAIL_PROSE) || field->of.text != NULL;
}

const char *hs_detail_text(const struct hs_detail *field, char room[static HS_DETAIL_TEXT_BYTES])
{
    switch (field->form) {
    case HS_DETAIL_WORD:
    case HS_DETAIL_PROSE:
        return field->of.text;
    case HS_DETAIL_NUMBER:
        snprintf(room, HS_DETAIL_TEXT_BYTES, "%" PRIu64, field->of.number);
        break;
    case HS_DETAIL_AMOUNT:
        snprintf(room, HS_DETAIL_TEXT_BYTES, "%" PRId64, field->of.amount);
        break;
    case HS_DETAIL_HEX:
        snprintf(room, HS_DETAIL_TEXT_BYTES, "%016" PRIx64, field->of.number);
        break;
    case HS_DETAIL_YES:
        return field->of.yes ? "yes" : "no";
    }
    return room;
}

/* ---- characters ---- */

/* Bytes of the character at @text, by RFC 3629: no overlong form, no surrogate, not beyond U+10FFFF; 0: it is none. */
static size_t character(const unsigned char *text)
{
    static const struct {
        unsigned char first, last, low, high; /* of the second byte */
        size_t size;
    } FORMS[] = {
        {0x01, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) {
        if (text[0] < FORMS[i].first || text[0] > FORMS[i].last)
            continue;
        if (FORMS[i].size > 1 && (text[1] < FORMS[i].low || text[1] > FORMS[i].high))
            return 0;
        for (size_t k = 2; k < FORMS[i].size; k++) {
            if ((text[k] & 0xc0) != 0x80)
                return 0;
        }
        return FORMS[i].size;
    }
    return 0;
}

static unsigned code_of(const unsigned char *text, size_t size)
{
    unsigned code = size < 2 ? text[0] : text[0] & (0xffU >> (size + 1));
    for (size_t i = 1; i < size; i++)
        code = code << 6 | (text[i] & 0x3fU);
    return code;
}

/* It steers a terminal or turns what stands behind it around: the log would seem to say something else. */
static bool is_steering(unsigned code)
{
    return code < ' ' || (code >= 0x7f && code < 0xa0) || code == 0x061c || code == 0x200e || code == 0x200f ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

/* ---- a line ---- */

static bool is_plain(const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        if (*at <= ' ' || *at == '"' || *at == '=' || *at == '\\' || *at >= 0x7f)
            return false;
    }
    return *text != '\0';
}

/* As much of it as fits, always with its end. */
static void put_quoted(struct line *line, const char *text)
{
    put(line, "\"", 1);
    line->room--;
    while (*text != '\0' && !line->cut) {
        size_t size = character((const unsigned char *)text);
        if (size == 0 || is_steering(code_of((const unsigned char *)text, size)))
            put(line, "?", 1);
        else if (*text == '"' || *text == '\\')
            put(line, (const char[]){'\\', *text}, 2);
        else
            put(line, text, size);
        text += size == 0 ? 1 : size;
    }
    line->room++;
    line->out[line->size++] = '"'; /* for which there is room left */
}

static void put_field(struct line *line, const struct hs_detail *field)
{
    struct line before = *line;
    char number[HS_DETAIL_TEXT_BYTES];
    const char *text = hs_detail_text(field, number);
    if (line->size > 0)
        put(line, " ", 1);
    put_text(line, field->name);
    put(line, "=", 1);
    bool is_quoted = field->form == HS_DETAIL_PROSE || !is_plain(text);
    bool is_begun = is_quoted && !line->cut && line->room - line->size >= 2;
    line->cut = line->cut || (is_quoted && !is_begun);
    if (is_begun)
        put_quoted(line, text);
    else
        put_text(line, text);
    if (line->cut && !is_begun)
        *line = (struct line){before.out, before.size, before.room, true};
}

size_t hs_details_line(char *out, size_t room, const struct hs_detail *fields, size_t count)
{
    static const char CUT[] = " cut=yes";
    struct line line = {.out = out, .room = room - sizeof CUT};
    for (size_t i = 0; i < count && !line.cut; i++) {
        if (hs_detail_is_there(&fields[i]))
            put_field(&line, &fields[i]);
    }
    bool cut = line.cut;
    line.cut = false;
    line.room = room - 1;
    if (cut)
        put_text(&line, line.size > 0 ? CUT : CUT + 1);
    out[line.size] = '\0';
    return line.size;
}

/* ---- JSON ---- */

/* As much of it as fits, always with its end. */
static void put_string(struct line *line, const char *text)
{
    char escape[8];
    put(line, "\"", 1);
    line->room--;
    while (*text != '\0' && !line->cut) {
        size_t size = character((const unsigned char *)text);
        unsigned code = code_of((const unsigned char *)text, size);
        if (size == 0)
            put_text(line, "\xef\xbf\xbd");
        else if (*text == '"' || *text == '\\') {
            escape[0] = '\\';
            escape[1] = *text;
            put(line, escape, 2);
        } else if (is_steering(code)) {
            snprintf(escape, sizeof escape, "\\u%04x", code);
            put_text(line, escape);
        } else {
            put(line, text, size);
        }
        text += size == 0 ? 1 : size;
    }
    line->room++;
}

static void put_member(struct line *line, const struct hs_detail *field)
{
    struct line before = *line;
    char number[HS_DETAIL_TEXT_BYTES];
    const char *text = hs_detail_text(field, number);
    bool is_string = field->form == HS_DETAIL_WORD || field->form == HS_DETAIL_PROSE || field->form == HS_DETAIL_HEX;
    put_text(line, line->size > 1 ? ",\"" : "\"");
    put_text(line, field->name);
    put_text(line, "\":");
    if (field->form == HS_DETAIL_YES)
        text = field->of.yes ? "true" : "false";
    bool is_begun = is_string && !line->cut && line->room - line->size >= 2;
    if (is_begun) {
        put_string(line, text);
        line->out[line->size++] = '"'; /* for which it has left room */
    } else if (is_string) {
        line->cut = true;
    } else {
        put_text(line, text);
    }
    if (line->cut && !is_begun)
        *line = (struct line){before.out, before.size, before.room, true};
}

size_t hs_details_json(char *out, size_t room, const struct hs_detail *fields, size_t count)
{
    struct line line = {.out = out, .room = room - 1 - CUT_BYTES - 1};
    put(&line, "{", 1);
    for (size_t i = 0; i < count && !line.cut; i++) {
        if (hs_detail_is_there(&fields[i]))
            put_member(&line, &fields[i]);
    }
    bool cut = line.cut;
    line.cut = false;
    line.room = room - 1;
    if (cut)
        put_text(&line, line.size > 1 ? ",\"cut\":true" : "\"cut\":true");
    put(&line, "}", 1);
    out[line.size] = '\0';
    return line.size;
}
