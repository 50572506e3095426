/* top_frame.h -- a screenful of text: lines that are never wider than the terminal, with marks for what stands out.
 * Pure; what puts it on a terminal is top_screen.h. */
#ifndef HS_CLI_TOP_FRAME_H
#define HS_CLI_TOP_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOP_WIDTH_MAX  400
#define TOP_HEIGHT_MAX 400
#define TOP_LINE_BYTES (4 * TOP_WIDTH_MAX + 1)
#define TOP_SPANS_MAX  32

/* What a piece of a line means; every screen shows the difference without colours, and says it in words. */
enum top_style { TOP_PLAIN, TOP_STRONG, TOP_TITLE, TOP_CHOSEN, TOP_BAD, TOP_LATE, TOP_QUIET, TOP_STYLE_COUNT };

struct top_span {
    size_t bytes; /* so many of the line's, behind those of the span before */
    enum top_style style;
};

struct top_line {
    char text[TOP_LINE_BYTES];
    size_t bytes, width;
    struct top_span spans[TOP_SPANS_MAX];
    size_t span_count;
};

struct top_frame {
    size_t width, height; /* of the terminal */
    bool utf8;            /* else only ASCII is written */
    struct top_line *lines;
    size_t count;
};

/* Empty, for a terminal of that size, made to lie in our limits.  False: out of memory, and the frame has no lines. */
bool top_frame_begin(struct top_frame *frame, size_t width, size_t height, bool utf8);
void top_frame_fini(struct top_frame *frame);

/* The next line, empty; NULL: the frame is full. */
struct top_line *top_frame_line(struct top_frame *frame);

/* Append as much of the text as stands on the line, and on @columns of it at most; what is cut ends in a mark.  Text
 * that is no valid UTF-8, or that the terminal cannot show, becomes question marks. */
void top_put(const struct top_frame *frame, struct top_line *line, enum top_style style, size_t columns,
             const char *text);
void top_put_format(const struct top_frame *frame, struct top_line *line, enum top_style style, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void top_pad(const struct top_frame *frame, struct top_line *line, enum top_style style, size_t columns);
/* On exactly @columns, to the left or to the right. */
void top_cell(const struct top_frame *frame, struct top_line *line, enum top_style style, size_t columns, bool right,
              const char *text);

/* What has waited, one character a sample, the newest last: the height is that of the logarithm, so that the shapes of
 * small lags and large ones are both seen; of the greatest that is shown, and never of less than SPARK_LEAST. */
#define TOP_SPARK_BYTES(count) ((count)*3 + 1)
const char *top_spark(const uint32_t *lag, size_t count, bool utf8, char *text);

/* "1234567", "12.3M": at most seven columns. */
#define TOP_NUMBER_BYTES 24
const char *top_number(uint64_t value, char text[static TOP_NUMBER_BYTES]);
const char *top_rate(double per_second, char text[static TOP_NUMBER_BYTES]); /* "0.4", "38", "12.3k" */

#endif
