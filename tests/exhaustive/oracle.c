/* oracle.c -- what a set of writes must show, said without merging: a value is there unless a write of the set names
 * it, and nobody can have named honestly what he did not have. */
#include "tests/exhaustive/book.h"

#include <stdio.h>
#include <string.h>

static bool in(unsigned set, size_t i)
{
    return (set >> i & 1) != 0;
}

static bool is_fact(const struct book *book, size_t i)
{
    return book_letter(book->writes[i].letter)->fact != NULL;
}

static bool writes_field(const struct book *book, size_t i, unsigned field)
{
    return in(book_letter(book->writes[i].letter)->fields, field);
}

static bool is_liar(const struct book *book, size_t i)
{
    const struct book_letter *letter = book_letter(book->writes[i].letter);
    return letter->over_coming || letter->over_unseen;
}

/* ---- names ---- */

/* A name of its own origin's present or future has no meaning. */
static bool names(const struct book *book, size_t i, unsigned field, struct book_dot dot)
{
    struct book_dot over[OVER_MAX];
    size_t count = book_over(book, i, field, over);
    if (dot.label == book->writes[i].label && dot.n >= book->writes[i].n)
        return false;
    for (size_t d = 0; d < count; d++) {
        if (over[d].label == dot.label && over[d].n == dot.n)
            return true;
    }
    return false;
}

static bool named(const struct book *book, unsigned set, unsigned field, struct book_dot dot)
{
    for (size_t i = 0; i < book->count; i++) {
        if (in(set, i) && writes_field(book, i, field) && names(book, i, field, dot))
            return true;
    }
    return false;
}

static struct book_dot dot_of(const struct book *book, size_t i)
{
    return (struct book_dot){book->writes[i].label, book->writes[i].n};
}

/* The last register write of an origin; 0: none. */
static uint8_t last_of(const struct book *book, unsigned set, uint8_t label)
{
    uint8_t last = 0;
    for (size_t i = 0; i < book->count; i++) {
        const struct book_write *write = &book->writes[i];
        if (in(set, i) && !is_fact(book, i) && write->label == label && write->n > last)
            last = write->n;
    }
    return last;
}

/* ---- registers ---- */

static unsigned expected_live(const struct book *book, unsigned set, unsigned field)
{
    unsigned live = 0;
    for (size_t i = 0; i < book->count; i++) {
        if (in(set, i) && writes_field(book, i, field) && !named(book, set, field, dot_of(book, i)))
            live |= 1U << i;
    }
    return live;
}

/* A clear has no bytes, those of the same value are "v0", the others "v1"... */
static int rank_of_bytes(const struct book *book, size_t i)
{
    const struct book_letter *letter = book_letter(book->writes[i].letter);
    return letter->clear ? -1 : letter->same ? 0 : (int)i + 1;
}

/* Of two live values the one to be shown: the higher stamp, the greater bytes, the greater dot. */
static bool shows_before(const struct book *book, size_t a, size_t b)
{
    const struct book_write *left = &book->writes[a];
    const struct book_write *right = &book->writes[b];
    int order = rank_of_bytes(book, a) - rank_of_bytes(book, b);
    if (left->stamp != right->stamp)
        return left->stamp > right->stamp;
    if (order != 0)
        return order > 0;
    return left->label != right->label ? left->label > right->label : left->n > right->n;
}

static bool check_shown(struct lab *lab, unsigned set, unsigned field, const struct hs_field_state *state)
{
    char text[SET_TEXT_BYTES];
    unsigned live = expected_live(&lab->book, set, field);
    size_t best = WRITES_MAX;
    for (size_t i = 0; i < lab->book.count; i++) {
        if (in(live, i) && (best == WRITES_MAX || shows_before(&lab->book, i, best)))
            best = i;
    }
    const struct hs_live *shown = state != NULL ? hs_field_shown(state) : NULL;
    bool right = best == WRITES_MAX ? shown == NULL
                                    : shown != NULL && hs_dot_compare(&shown->dot, &lab->written[best].dot) == 0 &&
                                          shown->stamp == lab->written[best].stamp;
    return right || lab_flaw(lab, "%s shows not %s in field %u", book_set(set, text),
                             best == WRITES_MAX ? "nothing" : book_name(best), field + 1);
}

static bool check_live(struct lab *lab, unsigned set, unsigned field)
{
    char text[3][SET_TEXT_BYTES];
    const struct hs_field_state *state = hs_record_field(&lab_state(lab, set)->record, field + 1);
    unsigned expected = expected_live(&lab->book, set, field);
    unsigned live = lab_live(lab, set, field);
    size_t count = state != NULL ? state->live_count : 0;
    if (live != expected || count != (size_t)__builtin_popcount(expected))
        return lab_flaw(lab, "%s should have %s live in field %u and has %s, %zu values", book_set(set, text[0]),
                        book_set(expected, text[1]), field + 1, book_set(live, text[2]), count);
    return check_shown(lab, set, field, state);
}

static bool is_covered(const struct hs_field_state *state, struct book_dot dot)
{
    for (size_t i = 0; state != NULL && i < state->covered_count; i++) {
        if (state->covered[i].origin == lab_origin(dot.label) && state->covered[i].n == dot.n)
            return true;
    }
    return false;
}

/* What was named and has not come yet is remembered, and nothing else: no trace stays of a lie once its origin is past
 * it. */
static bool check_covered(struct lab *lab, unsigned set, unsigned field)
{
    char text[SET_TEXT_BYTES];
    const struct book *book = &lab->book;
    const struct hs_field_state *state = hs_record_field(&lab_state(lab, set)->record, field + 1);
    bool met[1 << 8][2 * WRITES_MAX] = {{false}};
    size_t expected = 0;
    for (size_t i = 0; i < book->count; i++) {
        struct book_dot over[OVER_MAX];
        size_t count = in(set, i) ? book_over(book, i, field, over) : 0;
        for (size_t d = 0; d < count; d++) {
            bool waits = over[d].n > last_of(book, set, over[d].label) && names(book, i, field, over[d]);
            if (!waits || met[over[d].label][over[d].n])
                continue;
            met[over[d].label][over[d].n] = true;
            expected++;
            if (!is_covered(state, over[d]))
                return lab_flaw(lab, "%s has forgotten that a write to come was named in field %u", book_set(set, text),
                                field + 1);
        }
    }
    size_t covered = state != NULL ? state->covered_count : 0;
    return covered == expected || lab_flaw(lab, "%s remembers %zu named writes in field %u, and %zu are to come",
                                           book_set(set, text), covered, field + 1, expected);
}

static bool check_applied(struct lab *lab, unsigned set)
{
    char text[SET_TEXT_BYTES];
    const struct hs_record *record = &lab_state(lab, set)->record;
    size_t expected = 0;
    for (size_t i = 0; i < lab->book.count; i++) {
        const struct book_write *write = &lab->book.writes[i];
        if (in(set, i) && !is_fact(&lab->book, i) && last_of(&lab->book, set, write->label) == write->n) {
            expected++;
            bool found = false;
            for (size_t a = 0; a < record->applied_count; a++)
                found = found || hs_dot_compare(&record->applied[a], &lab->written[i].dot) == 0;
            if (!found)
                return lab_flaw(lab, "%s does not know that it has applied %s", book_set(set, text), book_name(i));
        }
    }
    return record->applied_count == expected ||
           lab_flaw(lab, "%s has applied %zu origins, not %zu", book_set(set, text), record->applied_count, expected);
}

/* ---- no silent loser: by what the authors had, not by what they named ---- */

static bool wants_over(const struct book *book, size_t i, unsigned field)
{
    return writes_field(book, i, field) && book_letter(book->writes[i].letter)->over_seen;
}

static bool has_what_its_writes_saw(const struct book *book, unsigned set)
{
    for (size_t i = 0; i < book->count; i++) {
        if (in(set, i) && (book->writes[i].seen & ~set) != 0)
            return false;
    }
    return true;
}

/* A value that was written is gone only if somebody who had it wrote over the field, or lied; and it is gone then,
 * where all is known that he knew. */
static bool check_losers(struct lab *lab, unsigned set, unsigned field)
{
    char text[SET_TEXT_BYTES];
    const struct book *book = &lab->book;
    unsigned live = lab_live(lab, set, field);
    bool closed = has_what_its_writes_saw(book, set);
    for (size_t i = 0; i < book->count; i++) {
        bool overwritten = false;
        bool lied_about = false;
        if (!in(set, i) || !writes_field(book, i, field))
            continue;
        for (size_t j = 0; j < book->count; j++) {
            if (!in(set, j))
                continue;
            overwritten = overwritten || (wants_over(book, j, field) && in(book->writes[j].seen, i));
            lied_about = lied_about || (is_liar(book, j) && names(book, j, field, dot_of(book, i)));
        }
        if (!in(live, i) && !overwritten && !lied_about)
            return lab_flaw(lab, "%s has lost %s, and nobody who had it wrote over it", book_set(set, text),
                            book_name(i));
        if (in(live, i) && overwritten && closed)
            return lab_flaw(lab, "%s still has %s, which was overwritten by one who had it", book_set(set, text),
                            book_name(i));
    }
    return true;
}

/* ---- facts ---- */

static bool comes_before(const struct book_write *a, const struct book_write *b)
{
    if (a->stamp != b->stamp)
        return a->stamp < b->stamp;
    return a->label != b->label ? a->label < b->label : a->n < b->n;
}

/* The write under which this content is kept: the lowest. */
static bool is_lowest(const struct book *book, unsigned set, size_t i)
{
    for (size_t j = 0; j < book->count; j++) {
        if (in(set, j) && is_fact(book, j) && comes_before(&book->writes[j], &book->writes[i]) &&
            strcmp(book_letter(book->writes[j].letter)->fact, book_letter(book->writes[i].letter)->fact) == 0)
            return false;
    }
    return true;
}

static bool check_counting(struct lab *lab, unsigned set, struct hs_bytes lowest)
{
    char text[SET_TEXT_BYTES];
    hs_buf_reset(&lab->buf);
    if (lowest.data == NULL)
        return true;
    return (hs_record_shown(&lab_state(lab, set)->record, &lab->buf) == HS_OK &&
            hs_bytes_equal(hs_buf_bytes(&lab->buf), lowest)) ||
           lab_flaw(lab, "in %s not the fact of the lowest hash counts", book_set(set, text));
}

static bool check_facts(struct lab *lab, unsigned set)
{
    char text[SET_TEXT_BYTES];
    const struct hs_record *record = &lab_state(lab, set)->record;
    struct hs_bytes lowest = HS_BYTES_NONE;
    struct hs_hash lowest_hash = {{0}};
    size_t expected = 0;
    for (size_t i = 0; i < lab->book.count; i++) {
        if (!in(set, i) || !is_fact(&lab->book, i) || !is_lowest(&lab->book, set, i))
            continue;
        const char *fact = book_letter(lab->book.writes[i].letter)->fact;
        struct hs_bytes bytes = HS_BYTES(fact, strlen(fact));
        struct hs_hash hash = hs_hash_domain("hallsync fact 1", bytes);
        if (lowest.data == NULL || hs_hash_compare(&hash, &lowest_hash) < 0) {
            lowest = bytes;
            lowest_hash = hash;
        }
        bool found = false;
        for (size_t v = 0; v < record->variant_count; v++) {
            const struct hs_variant *variant = &record->variants[v];
            found = found || (hs_bytes_equal(variant->bytes, bytes) && variant->stamp == lab->written[i].stamp &&
                              hs_dot_compare(&variant->dot, &lab->written[i].dot) == 0);
        }
        if (!found)
            return lab_flaw(lab, "%s does not hold '%s' under its lowest name, that of %s", book_set(set, text), fact,
                            book_name(i));
        expected++;
    }
    if (record->variant_count != expected)
        return lab_flaw(lab, "%s holds %zu facts, not %zu", book_set(set, text), record->variant_count, expected);
    return check_counting(lab, set, lowest);
}

bool oracle_check(struct lab *lab, unsigned set)
{
    for (unsigned field = 0; field < FIELDS; field++) {
        if (!check_live(lab, set, field) || !check_covered(lab, set, field) || !check_losers(lab, set, field))
            return false;
    }
    return check_applied(lab, set) && check_facts(lab, set);
}
