/* chinese.h -- is this what stands on the Chinese page?  For the tests of all that is told in both languages. */
#ifndef HS_TESTS_CHINESE_H
#define HS_TESTS_CHINESE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/base/text.h"

#include <string.h>

/* So many words of small Latin letters in a row are a sentence; names, ids and two words of a program are none. */
#define LATIN_WORDS_MAX 2

static inline bool is_chinese(unsigned char byte)
{
    return byte >= 0xe4 && byte <= 0xe9; /* begins one of the unified ideographs */
}

/* Commands stay what they are: behind "hallsync " all up to the next Chinese character. */
static inline bool has_latin_sentence(const char *text)
{
    size_t words = 0;
    while (*text != '\0' && words <= LATIN_WORDS_MAX) {
        size_t letters = strspn(text, "abcdefghijklmnopqrstuvwxyz");
        if (strncmp(text, "hallsync ", 9) == 0) {
            while (*text != '\0' && (unsigned char)*text < 0x80)
                text++;
            words = 0;
        } else if (letters != 0) {
            words++;
            text += letters;
        } else {
            words = *text == ' ' ? words : 0;
            text++;
        }
    }
    return words > LATIN_WORDS_MAX;
}

static inline void assert_chinese(const char *text)
{
    bool found = false;
    assert_non_null(text);
    assert_true(hs_text_valid(HS_BYTES(text, strlen(text))));
    for (const char *at = text; *at != '\0'; at++)
        found = found || is_chinese((unsigned char)*at);
    if (!found || has_latin_sentence(text))
        fail_msg("not Chinese: %s", text);
}

#endif
