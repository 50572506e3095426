#include "tests/exhaustive/book.h"

#include <stdio.h>

const struct book_letter BOOK_LETTERS[] = {
    {'w', 1, .over_seen = true, .prose = "a value over what it shows"},
    {'c', 1, .prose = "a value over nothing"},
    {'e', 1, .same = true, .prose = "a value that others may write too, over nothing"},
    {'x', 1, .clear = true, .over_seen = true, .prose = "a clear over what it shows"},
    {'2', 2, .over_seen = true, .prose = "a value of the second field over what it shows"},
    {'b', 3, .over_seen = true, .prose = "both fields over what it shows"},
    {'k', 1, .over_unseen = true, .prose = "a value over the last write of every other origin, seen or not"},
    {'h', 1, .over_coming = true, .prose = "a value over the writes that the others and itself have yet to make"},
    {'f', .fact = "paid 100", .prose = "the fact 'paid 100'"},
    {'o', .fact = "paid 100", .old_clock = true, .prose = "the fact 'paid 100', with a clock far behind"},
    {'g', .fact = "paid 120", .prose = "the fact 'paid 120' under the same id"},
    {0},
};

const struct book_letter *book_letter(char letter)
{
    for (const struct book_letter *row = BOOK_LETTERS; row->letter != 0; row++) {
        if (row->letter == letter)
            return row;
    }
    return NULL;
}

const char *book_name(size_t i)
{
    static const char *const NAMES[WRITES_MAX] = {"v1", "v2", "v3", "v4", "v5"};
    return NAMES[i];
}

const char *book_set(unsigned set, char text[static SET_TEXT_BYTES])
{
    size_t size = (size_t)snprintf(text, SET_TEXT_BYTES, "{");
    for (size_t i = 0; i < WRITES_MAX; i++) {
        if ((set >> i & 1) != 0)
            size += (size_t)snprintf(text + size, SET_TEXT_BYTES - size, size > 1 ? ", %s" : "%s", book_name(i));
    }
    snprintf(text + size, SET_TEXT_BYTES - size, "}");
    return text;
}

/* Into its place, unless it is there. */
static size_t add_dot(struct book_dot *dots, size_t count, uint8_t label, uint8_t n)
{
    size_t at = count;
    for (size_t i = 0; i < count; i++) {
        if (dots[i].label == label && dots[i].n == n)
            return count;
    }
    for (; at > 0 && (dots[at - 1].label > label || (dots[at - 1].label == label && dots[at - 1].n > n)); at--)
        dots[at] = dots[at - 1];
    dots[at] = (struct book_dot){label, n};
    return count + 1;
}

/* How many writes the origin has made before write @i. */
static uint8_t last_before(const struct book *book, size_t i, uint8_t label)
{
    uint8_t last = 0;
    for (size_t j = 0; j < i; j++)
        last = book->writes[j].label == label && book->writes[j].n > last ? book->writes[j].n : last;
    return last;
}

size_t book_over(const struct book *book, size_t i, unsigned field, struct book_dot over[static OVER_MAX])
{
    const struct book_write *write = &book->writes[i];
    const struct book_letter *letter = book_letter(write->letter);
    size_t count = 0;
    for (size_t j = 0; j < book->count; j++) {
        if ((write->over[field] >> j & 1) != 0)
            count = add_dot(over, count, book->writes[j].label, book->writes[j].n);
    }
    if (!letter->over_coming || (letter->fields >> field & 1) == 0)
        return count;
    for (size_t j = 0; j < i; j++) {
        uint8_t label = book->writes[j].label;
        if (label != write->label)
            count = add_dot(over, count, label, last_before(book, i, label) + 1);
    }
    count = add_dot(over, count, write->label, write->n);
    return add_dot(over, count, write->label, write->n + 1);
}
