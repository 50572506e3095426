/* books.h -- the cash books of halls, read from the records: entries of a day, closes, what hubs answered, what windows
 * are doing.  What another node than the one that it names has written is left out.
 *
 * Everything that is found lives in the arena that is given.  Errors: HS_ENOMEM, and those of the view. */
#ifndef HS_BOOKS_H
#define HS_BOOKS_H

#include "storage/model/close.h"
#include "storage/store.h"

/* A hall's business day. */
struct hs_hall_day {
    hs_partition home;
    const char *node;
    uint32_t date;
};

/* Entries of the day, sorted; of all windows. */
struct hs_book {
    struct hs_book_entry *entries;
    size_t count;
};
enum hs_err hs_books_entries(struct hs_view *view, const struct hs_hall_day *day, struct hs_arena *arena,
                             struct hs_book *book);
/* One of them as it counts: a hs_book_look. */
struct hs_books_look {
    struct hs_view *view;
    hs_partition home;
    struct hs_arena *arena; /* emptied by each look */
    size_t looks;           /* so far */
};
enum hs_err hs_books_look(void *ctx, struct hs_bytes series, uint64_t counter, struct hs_book_entry *entry);

/* ---- closes ---- */

struct hs_closed {
    struct hs_closed *next;
    hs_partition home;
    struct hs_bytes id, message;
    struct hs_dot dot; /* the op by which the hall signed it */
    hs_stamp stamp;
    struct hs_bytes node;
    uint32_t date;
    bool has_window; /* else of the whole hall */
    uint32_t window;
    struct hs_close_sums sums; /* what it says of its lines */
    struct hs_close_line *lines;
    size_t line_count;
};
/* A stored close, read.  HS_ENOTFOUND: it does not count, or another node than it names has written it. */
enum hs_err hs_closed_read(struct hs_view *view, const struct hs_stored *stored, struct hs_arena *arena,
                           struct hs_closed *closed);
/* Of the day, in the order of stamp and id; NULL: none. */
enum hs_err hs_books_closes(struct hs_view *view, const struct hs_hall_day *day, struct hs_arena *arena,
                            struct hs_closed **closes);
/* Of the window, or of the hall. */
bool hs_closed_is_of(const struct hs_closed *closed, bool has_window, uint32_t window);
/* Do closes of the window, or of the hall, name the entry? */
bool hs_closed_covers(const struct hs_closed *closes, bool has_window, uint32_t window, const struct hs_number *number);
/* The first day from @date on that neither the hall nor the window has closed: the business day of what comes now. */
enum hs_err hs_books_day(struct hs_view *view, const struct hs_hall_day *from, uint32_t window, uint32_t *date);

/* ---- answers ---- */

struct hs_answered {
    struct hs_answered *next;
    struct hs_id id;
    struct hs_bytes message;
    struct hs_dot dot;
    hs_stamp stamp;
    struct hs_bytes node;
    enum hs_books books;
};
/* The last one of each hub; NULL: none. */
enum hs_err hs_books_answers(struct hs_view *view, const struct hs_closed *closed, struct hs_arena *arena,
                             struct hs_answered **answers);
/* What an answer names, at most HS_CLOSE_NAMED_MAX. */
size_t hs_answered_named(const struct hs_answered *answered, struct hs_close_named named[static HS_CLOSE_NAMED_MAX]);
/* Closes about which not every hub that has answered says `agrees`, those without an answer among them; their ids are
 * views of a moment. */
enum hs_err hs_books_unsettled(struct hs_view *view, hs_visit_record visit, void *ctx);

/* ---- windows ---- */

struct hs_window_now {
    bool known; /* it was opened that day, or anything else has happened to it */
    enum hs_window_state state;
    int64_t float_fen; /* of all openings */
};
enum hs_err hs_books_window(struct hs_view *view, const struct hs_hall_day *day, uint32_t window,
                            struct hs_arena *arena, struct hs_window_now *now);
/* The windows that are open or paused, at most @most, ascending. */
enum hs_err hs_books_open_windows(struct hs_view *view, const struct hs_hall_day *day, struct hs_arena *arena,
                                  uint32_t *windows, size_t most, size_t *count);

/* What happened to the windows that day, by window, then in its order; such as could not be when its turn came is left
 * out. */
struct hs_window_event {
    uint32_t window;
    enum hs_window_move move;
    hs_stamp stamp;
    struct hs_bytes message;    /* WindowEvent */
    enum hs_window_state state; /* afterwards */
};
typedef void (*hs_visit_window_event)(void *ctx, const struct hs_window_event *event);
enum hs_err hs_books_window_events(struct hs_view *view, const struct hs_hall_day *day, struct hs_arena *arena,
                                   hs_visit_window_event visit, void *ctx);

/* The node that has this origin; a view; no bytes: not known. */
struct hs_bytes hs_books_writer(struct hs_view *view, uint64_t origin);

#endif
