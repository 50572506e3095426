/* close.h -- cash books: the numbers of their entries, what a close says of them, whether another node's books agree
 * with it, and what a window is doing.  Pure.
 *
 * A *close* names ranges of a book's numbers, each with the sum of its amounts and a hash over numbers and contents.
 * Who holds the same entries comes to the same lines, in whatever order they came; an entry that no close names yet
 * belongs to the next one. */
#ifndef HS_MODEL_CLOSE_H
#define HS_MODEL_CLOSE_H

#include "proto/base/hash.h"
#include "proto/base/names.h"

/* ---- numbers: "nj-chengbei-20261121-03-K7Q2ZD-000017" ---- */

struct hs_number {
    struct hs_bytes series; /* all before the last hyphen; views into the text */
    struct hs_bytes node;
    uint32_t date; /* 20261121 */
    uint32_t window;
    uint64_t counter;
};
bool hs_number_parse(struct hs_bytes text, struct hs_number *number); /* false: it is none */
/* The text of a counter of @series.  False: it would be longer than a record's id, or the series is no text. */
bool hs_number_text(struct hs_bytes series, uint64_t counter, char text[static HS_RECORD_ID_BYTES_MAX + 1]);

#define HS_DAY_TEXT_BYTES 11
const char *hs_day_text(uint32_t date, char text[static HS_DAY_TEXT_BYTES]); /* "2026-11-21" */
bool hs_day_parse(struct hs_bytes text, uint32_t *date);
uint32_t hs_day_after(uint32_t date); /* of a valid one */

/* ---- what a close says ---- */

#define HS_CLOSE_LINES_MAX        240 /* they fit a record, however long the node's id is */
#define HS_CLOSE_LINE_ENTRIES_MAX 100 /* so few that a person can go through those that do not agree */

struct hs_book_entry {
    struct hs_number number;
    int64_t amount_fen;
    bool in_cash;            /* it was money in the drawer, and no cheque, card or slip */
    bool has_others;         /* another content came under the same number: one of them counts */
    struct hs_hash hash;     /* of the content that counts */
    struct hs_bytes message; /* that content; of an entry that was read from a store */
};
void hs_book_sort(struct hs_book_entry *entries, size_t count); /* by series, then counter */

struct hs_close_line {
    struct hs_bytes series;
    uint64_t first, last;
    int64_t sum_fen;
    struct hs_hash hash;
};
struct hs_close_sums {
    uint64_t count;
    int64_t sum_fen;
    int64_t cash_fen;    /* of these, in cash */
    struct hs_hash hash; /* over the lines' hashes */
};
/* Lines over @entries, which are sorted and name no number twice: as many as there is @room for, and as sums of records
 * allow: HS_AMOUNT_FEN_MAX.  @sums of the entries in them; answers how many lines, and how many entries are in them. */
size_t hs_close_lines(const struct hs_book_entry *entries, size_t count, struct hs_close_line *lines, size_t room,
                      struct hs_close_sums *sums, size_t *taken);
bool hs_close_covers(const struct hs_close_line *lines, size_t count, const struct hs_number *number);
/* Appends the lines as fields @field of a Close message; and back: HS_EMALFORMED, HS_ETOOBIG: more than @room. */
void hs_close_put_lines(const struct hs_close_line *lines, size_t count, uint32_t field, struct hs_buf *to);
enum hs_err hs_close_take_lines(struct hs_bytes message, uint32_t field, struct hs_close_line *lines, size_t room,
                                size_t *count);

/* ---- do the books agree? ---- */

enum hs_books {
    HS_BOOKS_UNANSWERED,
    HS_BOOKS_AGREES,
    HS_BOOKS_WAITING, /* numbers are not here yet */
    HS_BOOKS_DIFFERS, /* all are here, and not as the close says */
};
const char *hs_books_text(enum hs_books books); /* "unanswered", "agrees", "waiting", "differs" */
bool hs_books_parse(struct hs_bytes text, enum hs_books *books);
/* Of several answers or closes: what a person has to know of all of them. */
enum hs_books hs_books_worse(enum hs_books a, enum hs_books b);

#define HS_CLOSE_NAMED_MAX 100
struct hs_close_named { /* numbers that are missing, or not as the close says */
    struct hs_bytes series;
    uint64_t first, last;
    bool missing;
    struct hs_hash hash; /* unless missing: of the content that counts here, or over all of a range */
};
struct hs_close_judged {
    enum hs_books books;
    struct hs_close_sums here; /* of those that are here */
    struct hs_close_named named[HS_CLOSE_NAMED_MAX];
    size_t named_count;
    uint64_t more; /* such ranges that found no room */
};
/* Whose lines they are, and what the close says that they come to. */
struct hs_close_claim {
    struct hs_bytes node;
    uint32_t date;
    bool has_window; /* else of all windows */
    uint32_t window;
    struct hs_close_sums sums;
};
/* The entry of that number as it counts here.  HS_ENOTFOUND: it is not here, or does not count. */
typedef enum hs_err (*hs_book_look)(void *ctx, struct hs_bytes series, uint64_t counter, struct hs_book_entry *entry);
/* HS_OK, or what @look failed with. */
enum hs_err hs_close_judge(const struct hs_close_claim *claim, const struct hs_close_line *lines, size_t count,
                           hs_book_look look, void *ctx, struct hs_close_judged *judged);
/* Of an answer that stands: has something come, or changed, of what it names?  As hs_close_judge. */
enum hs_err hs_close_stale(const struct hs_close_named *named, size_t count, hs_book_look look, void *ctx, bool *stale);

/* ---- windows ---- */

enum hs_window_state { HS_WINDOW_CLOSED, HS_WINDOW_OPEN, HS_WINDOW_PAUSED };
enum hs_window_move { HS_WINDOW_DO_OPEN, HS_WINDOW_DO_CLOSE, HS_WINDOW_DO_PAUSE, HS_WINDOW_DO_RESUME };
const char *hs_window_state_text(enum hs_window_state state); /* "closed", "open", "paused" */
bool hs_window_move_parse(struct hs_bytes text, enum hs_window_move *move);
/* Closing what is closed is possible: a window may have taken money that nobody had opened. */
bool hs_window_moves(enum hs_window_state from, enum hs_window_move move, enum hs_window_state *to);

#endif
