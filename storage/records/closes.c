/* A close and the answers of hubs to it are one group: from the last answer of each hub comes the row of the close's
 * index by what its books are.  Answers may come before their close: without it they give nothing. */
#include "storage/model/close.h"
#include "storage/records/derive.h"

#include <string.h>

enum { ANSWER_CLOSE = 2, ANSWER_NODE = 3, ANSWER_VERDICT = 4 };

static struct hs_facet *answers_of(struct hs_derive *derive, const struct hs_record_name *close)
{
    struct hs_wanted wanted = {
        .kind = HS_KIND_CLOSE_ANSWER, .index = "close_id", .value = close->id, .partition = close->partition};
    return hs_index_facets(derive, &wanted);
}

static bool is_later(const struct hs_facet *a, const struct hs_facet *b)
{
    hs_stamp left = a->record.variants[0].stamp, right = b->record.variants[0].stamp;
    return left != right ? left > right : hs_bytes_compare(a->name.id, b->name.id) > 0;
}

/* Answers, with @changed in place of the one of its name; it may be NULL, or not count. */
struct side {
    const struct hs_facet *answers, *changed;
};

static const struct hs_facet *first_of(const struct side *side)
{
    return side->changed != NULL && hs_facet_counts(side->changed) ? side->changed : side->answers;
}

static const struct hs_facet *next_of(const struct side *side, const struct hs_facet *at)
{
    const struct hs_facet *next = at == side->changed ? side->answers : at->next;
    while (next != NULL && side->changed != NULL && hs_bytes_equal(next->name.id, side->changed->name.id))
        next = next->next;
    return next;
}

static const struct hs_facet *begin(const struct side *side)
{
    const struct hs_facet *first = first_of(side);
    bool gone = first != NULL && first != side->changed && side->changed != NULL &&
                hs_bytes_equal(first->name.id, side->changed->name.id);
    return gone ? next_of(side, first) : first;
}

static bool is_last_of_hub(const struct side *side, const struct hs_facet *answer)
{
    for (const struct hs_facet *other = begin(side); other != NULL; other = next_of(side, other)) {
        if (other != answer &&
            hs_bytes_equal(hs_facet_bytes(other, ANSWER_NODE), hs_facet_bytes(answer, ANSWER_NODE)) &&
            is_later(other, answer))
            return false;
    }
    return true;
}

static struct hs_bytes books_of(const struct hs_facet *close, const struct side *side)
{
    enum hs_books all = HS_BOOKS_UNANSWERED, books;
    bool any = false;
    if (!hs_facet_counts(close))
        return HS_BYTES_NONE;
    for (const struct hs_facet *answer = begin(side); answer != NULL; answer = next_of(side, answer)) {
        if (!is_last_of_hub(side, answer) || !hs_books_parse(hs_facet_bytes(answer, ANSWER_VERDICT), &books))
            continue;
        all = any ? hs_books_worse(all, books) : books;
        any = true;
    }
    const char *text = hs_books_text(all);
    return HS_BYTES(text, strlen(text));
}

static void change_row(struct hs_derive *derive, const struct hs_record_name *close, struct hs_bytes old,
                       struct hs_bytes new)
{
    if (hs_bytes_equal(old, new) || *derive->err != HS_OK)
        return;
    hs_index_row(derive, "books", old, close, false);
    hs_index_row(derive, "books", new, close, true);
}

void hs_close_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new)
{
    struct side side = {.answers = answers_of(derive, &new->name)};
    change_row(derive, &new->name, books_of(old, &side), books_of(new, &side));
}

void hs_close_whole(struct hs_derive *derive, const struct hs_facet *close)
{
    struct hs_facet none = {.name = close->name};
    hs_close_change(derive, &none, close);
}

/* Of one close's group @old gives way to @new; either may be NULL: not of this close. */
static void change_answer(struct hs_derive *derive, const struct hs_facet *of, const struct hs_facet *old,
                          const struct hs_facet *new)
{
    struct hs_facet close;
    struct hs_record_name name = {of->name.partition, HS_LANE_MONEY, HS_KIND_CLOSE, hs_facet_bytes(of, ANSWER_CLOSE)};
    hs_facet_load(derive, &name, &close);
    if (!hs_facet_counts(&close))
        return;
    struct hs_facet gone = {.name = of->name};
    struct hs_facet *answers = answers_of(derive, &name);
    struct side before = {.answers = answers, .changed = old != NULL ? old : &gone};
    struct side after = {.answers = answers, .changed = new != NULL ? new : &gone};
    change_row(derive, &name, books_of(&close, &before), books_of(&close, &after));
}

void hs_answer_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new)
{
    bool had = hs_facet_counts(old), has = hs_facet_counts(new);
    bool same = had && has && hs_bytes_equal(hs_facet_bytes(old, ANSWER_CLOSE), hs_facet_bytes(new, ANSWER_CLOSE));
    if (had)
        change_answer(derive, old, old, same ? new : NULL);
    if (has && !same)
        change_answer(derive, new, NULL, new);
}
