#include "node/cli/top_frame.h"

#include "node/cli/forms.h"
#include "node/cli/top_model.h"
#include "proto/base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT_BYTES 1024
#define WIDTH_MIN    20
#define HEIGHT_MIN   6

static size_t within(size_t value, size_t least, size_t most)
{
    return value < least ? least : value > most ? most : value;
}

bool top_frame_begin(struct top_frame *frame, size_t width, size_t height, bool utf8)
{
    width = within(width, 1, TOP_WIDTH_MAX);
    height = within(height, 1, TOP_HEIGHT_MAX);
    if (frame->lines == NULL || height != frame->height) {
        free(frame->lines);
        frame->lines = calloc(height, sizeof *frame->lines);
    }
    frame->width = width;
    frame->height = frame->lines != NULL ? height : 0;
    frame->utf8 = utf8;
    frame->count = 0;
    return frame->lines != NULL;
}

void top_frame_fini(struct top_frame *frame)
{
    free(frame->lines);
    *frame = (struct top_frame){0};
}

struct top_line *top_frame_line(struct top_frame *frame)
{
    if (frame->count == frame->height)
        return NULL;
    struct top_line *line = &frame->lines[frame->count++];
    line->bytes = line->width = line->span_count = 0;
    line->text[0] = '\0';
    return line;
}

/* ---- pieces ---- */

static void note_span(struct top_line *line, enum top_style style, size_t bytes)
{
    struct top_span *last = line->span_count > 0 ? &line->spans[line->span_count - 1] : NULL;
    if (last != NULL && (last->style == style || line->span_count == TOP_SPANS_MAX))
        last->bytes += bytes;
    else
        line->spans[line->span_count++] = (struct top_span){bytes, style};
}

/* The width is that of the bytes, which fit: see TOP_LINE_BYTES. */
static void put_bytes(struct top_line *line, enum top_style style, const char *bytes, size_t size, size_t width)
{
    if (size == 0 || line->bytes + size >= sizeof line->text)
        return;
    memcpy(line->text + line->bytes, bytes, size);
    line->bytes += size;
    line->text[line->bytes] = '\0';
    line->width += width;
    note_span(line, style, size);
}

/* As it can be shown: one line, in the terminal's characters. */
static void make_plain(const char *text, bool utf8, char *to, size_t room)
{
    bool valid = hs_text_valid(HS_BYTES(text, strlen(text)));
    size_t used = 0;
    while (*text != '\0' && used + 5 < room) {
        size_t size = 1;
        while (valid && ((uint8_t)text[size] & 0xc0) == 0x80)
            size++;
        bool ascii = (uint8_t)*text >= 0x20 && (uint8_t)*text < 0x7f;
        if (ascii || (valid && utf8 && (uint8_t)*text >= 0x80)) {
            memcpy(to + used, text, size);
            used += size;
        } else {
            to[used++] = *text == '\n' || *text == '\t' ? ' ' : '?';
        }
        text += size;
    }
    to[used] = '\0';
}

void top_put(const struct top_frame *frame, struct top_line *line, enum top_style style, size_t columns,
             const char *text)
{
    char plain[TOP_LINE_BYTES];
    size_t left = line != NULL && frame->width > line->width ? frame->width - line->width : 0;
    size_t width;
    columns = columns < left ? columns : left;
    if (columns == 0)
        return;
    make_plain(text, frame->utf8, plain, sizeof plain);
    size_t bytes = cli_fit(plain, columns, &width);
    if (plain[bytes] == '\0') {
        put_bytes(line, style, plain, bytes, width);
        return;
    }
    const char *mark = frame->utf8 ? "\u2026" : "~";
    bytes = cli_fit(plain, columns - 1, &width);
    put_bytes(line, style, plain, bytes, width);
    put_bytes(line, style, mark, strlen(mark), 1);
}

void top_put_format(const struct top_frame *frame, struct top_line *line, enum top_style style, const char *format, ...)
{
    char text[FORMAT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    top_put(frame, line, style, SIZE_MAX, text);
}

void top_pad(const struct top_frame *frame, struct top_line *line, enum top_style style, size_t columns)
{
    char spaces[TOP_WIDTH_MAX + 1];
    columns = within(columns, 0, TOP_WIDTH_MAX);
    memset(spaces, ' ', columns);
    spaces[columns] = '\0';
    if (line != NULL && columns > frame->width - line->width)
        spaces[frame->width - line->width] = '\0';
    top_put(frame, line, style, columns, spaces);
}

void top_cell(const struct top_frame *frame, struct top_line *line, enum top_style style, size_t columns, bool right,
              const char *text)
{
    if (line == NULL)
        return;
    struct top_line alone = {0};
    top_put(frame, &alone, style, columns, text);
    size_t space = columns > alone.width ? columns - alone.width : 0;
    if (right)
        top_pad(frame, line, style, space);
    top_put(frame, line, style, columns, text);
    if (!right)
        top_pad(frame, line, style, space);
}

/* ---- sparks ---- */

#define SPARK_LEAST 16

static unsigned bits_of(uint32_t value)
{
    unsigned bits = 0;
    for (; value != 0; value >>= 1)
        bits++;
    return bits;
}

/* Eight heights; the lowest is nothing at all. */
static unsigned height_of(uint32_t lag, uint32_t most)
{
    unsigned all = bits_of(most > SPARK_LEAST ? most : SPARK_LEAST);
    return lag == 0 ? 0 : 1 + (bits_of(lag) * 6 + all / 2) / all;
}

const char *top_spark(const uint32_t *lag, size_t count, bool utf8, char *text)
{
    static const char *const BLOCKS[] = {"\u2581", "\u2582", "\u2583", "\u2584",
                                         "\u2585", "\u2586", "\u2587", "\u2588"};
    static const char *const ASCII[] = {"_", ".", ":", "-", "=", "+", "*", "#"};
    const char *const *heights = utf8 ? BLOCKS : ASCII;
    uint32_t most = 0;
    char *at = text;
    for (size_t i = 0; i < count; i++)
        most = lag[i] <= TOP_LAG_MAX && lag[i] > most ? lag[i] : most;
    for (size_t i = 0; i < count; i++) {
        const char *one = lag[i] == TOP_NOT_SEEN  ? " "
                          : lag[i] == TOP_NO_LINK ? (utf8 ? "\u00b7" : "x")
                                                  : heights[height_of(lag[i], most)];
        at = stpcpy(at, one);
    }
    *at = '\0';
    return text;
}

/* ---- numbers ---- */

static const char *shorten(double value, char text[static TOP_NUMBER_BYTES])
{
    static const char UNITS[] = "kMGTPE";
    size_t unit = 0;
    for (value /= 1000; value >= 999.95 && UNITS[unit + 1] != '\0'; unit++)
        value /= 1000;
    snprintf(text, TOP_NUMBER_BYTES, "%.1f%c", value, UNITS[unit]);
    return text;
}

const char *top_number(uint64_t value, char text[static TOP_NUMBER_BYTES])
{
    if (value >= 10000000)
        return shorten((double)value, text);
    snprintf(text, TOP_NUMBER_BYTES, "%" PRIu64, value);
    return text;
}

const char *top_rate(double per_second, char text[static TOP_NUMBER_BYTES])
{
    if (!(per_second < 1e18)) /* not a number, too */
        snprintf(text, TOP_NUMBER_BYTES, "?");
    else if (per_second >= 9999.5)
        return shorten(per_second, text);
    else
        snprintf(text, TOP_NUMBER_BYTES, "%.*f", per_second < 9.95 ? 1 : 0, per_second > 0 ? per_second : 0.0);
    return text;
}
