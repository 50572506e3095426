/* day_books.h -- a hall's cash books of a day, as the answers to requests say them.  Inside node/service/ only. */
#ifndef HS_SERVICE_DAY_BOOKS_H
#define HS_SERVICE_DAY_BOOKS_H

#include "node/service/call.h"
#include "storage/books.h"

#define HS_BOOK_WINDOWS_MAX 256 /* of a hall */

struct hs_day_books {
    struct hs_call *call;
    struct hs_view *view;
    struct hs_arena *arena; /* of one hall */
    struct hs_hall_day day;
    struct hs_book book;
    struct hs_closed *closes;
    bool whole; /* one hall, with all that stands behind its line */
};
/* Closes and entries of books->day. */
enum hs_err hs_day_books_read(struct hs_day_books *books);
/* What the book of the hall, or of a window, says; all in the arena. */
enum hs_err hs_day_books_fill(const struct hs_day_books *books, bool has_window, uint32_t window, Hallsync__Book *book);
/* Windows that have entries or closes, ascending, after those that are there already. */
void hs_day_books_windows(const struct hs_day_books *books, uint32_t windows[static HS_BOOK_WINDOWS_MAX],
                          size_t *count);
void hs_window_add(uint32_t windows[static HS_BOOK_WINDOWS_MAX], size_t *count, uint32_t window);

/* ---- which halls ---- */

struct hs_hall {
    char id[HS_NODE_ID_BYTES_MAX + 1];
    hs_partition home;
};
struct hs_halls {
    struct hs_arena *arena;
    struct hs_hall *list;
    size_t count, room;
};
/* Of all certificates, sorted: one that was made anew is there several times. */
enum hs_err hs_halls_read(struct hs_view *view, struct hs_halls *halls);
int hs_hall_compare(const void *a, const void *b);

#endif
