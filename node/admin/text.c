#include "node/admin/text.h"

#include "proto/base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void put_word(struct hs_buf *to, const char *word)
{
    hs_buf_put(to, word, strlen(word));
}

static void put_escaped(struct hs_buf *to, unsigned char byte, bool is_valid)
{
    char code[8];
    if (byte == '"' || byte == '\\') {
        hs_buf_put_u8(to, '\\');
        hs_buf_put_u8(to, byte);
    } else if (byte < ' ' || byte == 0x7f) {
        snprintf(code, sizeof code, "\\u%04x", byte);
        put_word(to, code);
    } else {
        hs_buf_put_u8(to, byte >= 0x80 && !is_valid ? '?' : byte);
    }
}

void admin_put_text(struct hs_buf *to, const char *text)
{
    if (text == NULL) {
        put_word(to, "null");
        return;
    }
    size_t size = strlen(text);
    bool is_valid = hs_text_valid(HS_BYTES(text, size));
    hs_buf_put_u8(to, '"');
    for (size_t i = 0; i < size; i++)
        put_escaped(to, (unsigned char)text[i], is_valid);
    hs_buf_put_u8(to, '"');
}

/* By hand: an overview has 60,000 numbers. */
void admin_put_u64(struct hs_buf *to, bool is_there, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    if (!is_there) {
        put_word(to, "null");
        return;
    }
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    hs_buf_put(to, digits + at, sizeof digits - at);
}

void admin_put_s64(struct hs_buf *to, bool is_there, int64_t value)
{
    if (is_there && value < 0)
        hs_buf_put_u8(to, '-');
    admin_put_u64(to, is_there, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

#define REAL_MAX 1e18

void admin_put_real(struct hs_buf *to, bool is_there, double value)
{
    if (!is_there || isnan(value)) {
        put_word(to, "null");
        return;
    }
    double size = fabs(value) < REAL_MAX ? fabs(value) : REAL_MAX;
    uint64_t cents = (uint64_t)(size * 100 + 0.5);
    if (value < 0 && cents != 0)
        hs_buf_put_u8(to, '-');
    if (size >= 100 || cents % 100 == 0) {
        admin_put_u64(to, true, (uint64_t)(size + 0.5));
        return;
    }
    admin_put_u64(to, true, cents / 100);
    hs_buf_put_u8(to, '.');
    hs_buf_put_u8(to, (uint8_t)('0' + cents % 100 / 10));
    if (cents % 10 != 0)
        hs_buf_put_u8(to, (uint8_t)('0' + cents % 10));
}
