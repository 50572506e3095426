/* book.h -- the writes of a small world, and what sets of them must add up to.
 *
 * A book is all writes to one record, in the order in which they were made.  A replica is the set of those that it
 * holds: bit i for the i-th.  What a set must show is said by oracle.c in terms of sets, names and true causality (what
 * an author held when he wrote); it shares no code with storage/model.  lab.c makes the real states, by every order of
 * the writes and by every join, and holds them against each other and against that. */
#ifndef HS_TESTS_EXHAUSTIVE_BOOK_H
#define HS_TESTS_EXHAUSTIVE_BOOK_H

#include "storage/model/record.h"

#define WRITES_MAX 5
#define SETS_MAX   (1U << WRITES_MAX)
#define FIELDS     2 /* numbers 1 and 2 */
#define OVER_MAX   (2 * WRITES_MAX + 2)

struct book_write {
    uint8_t label; /* of its origin; labels are ordered as the origins are */
    uint8_t n;
    uint8_t stamp;
    char letter;          /* what kind of write, a row of BOOK_LETTERS */
    uint8_t seen;         /* the set that its author held */
    uint8_t over[FIELDS]; /* the set that it names as overwritten */
    uint8_t unused;
};

struct book {
    uint8_t count;
    struct book_write writes[WRITES_MAX];
};

/* What the author of a write does.  Honest writes overwrite what is live where they are made, or nothing. */
struct book_letter {
    char letter;
    uint8_t fields; /* set of the fields written */
    bool clear;
    bool same;        /* the value is that of every such write */
    bool over_seen;   /* names the live values that its author has */
    bool over_unseen; /* a lie: names the last write of every other origin, seen or not */
    bool over_coming; /* a lie: names the next write of every other origin, and its own and its own next */
    const char *fact; /* the bytes, or NULL: registers */
    bool old_clock;   /* stamp 1, whatever was seen */
    const char *prose;
};
extern const struct book_letter BOOK_LETTERS[];
const struct book_letter *book_letter(char letter); /* NULL: none */

struct book_dot {
    uint8_t label;
    uint8_t n;
};
/* The dots named in a field by write @i, ascending, each once; returns how many. */
size_t book_over(const struct book *book, size_t i, unsigned field, struct book_dot over[static OVER_MAX]);
/* "v1", "v2"... */
const char *book_name(size_t i);
/* "{v1, v3}" */
#define SET_TEXT_BYTES (4 * WRITES_MAX + 3)
const char *book_set(unsigned set, char text[static SET_TEXT_BYTES]);

/* ---- the laboratory ---- */

#define FLAW_BYTES 1024

struct lab_state {
    bool made;
    struct hs_record record;
    struct hs_bytes bytes; /* canonical */
};

struct lab {
    struct book book; /* the one under test */
    bool loaded;
    struct hs_arena ops;    /* as long as the book */
    struct hs_arena states; /* as well */
    struct hs_arena bench;  /* as long as one check */
    struct hs_buf buf;
    struct {
        struct hs_dot dot;
        hs_stamp stamp;
        struct hs_write write;
    } written[WRITES_MAX];
    struct lab_state state[SETS_MAX]; /* made in the order of the book */
    char flaw[FLAW_BYTES];            /* what the last failed check found */
};

void lab_init(struct lab *lab);
void lab_fini(struct lab *lab);
void lab_load(struct lab *lab, const struct book *book);
const struct lab_state *lab_state(struct lab *lab, unsigned set);
uint64_t lab_origin(uint8_t label);
/* Which writes' values are live in the field. */
unsigned lab_live(struct lab *lab, unsigned set, unsigned field);

/* Does the state of the set say what it must, and survive being stored? */
bool lab_check_set(struct lab *lab, unsigned set);
/* Does @to come to the state of both, by @from's writes in every order, twice, and by joining, either way? */
bool lab_check_pair(struct lab *lab, unsigned from, unsigned to);
bool lab_flaw(struct lab *lab, const char *format, ...) __attribute__((format(printf, 2, 3))); /* false */

/* oracle.c */
bool oracle_check(struct lab *lab, unsigned set);

#endif
