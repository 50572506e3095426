/* lab.c -- the real states of a book's sets: made from operations that went through their encoding, in every order. */
#include "tests/exhaustive/book.h"
#include "tests/exhaustive/search.h"

#include "proto/msg/tlv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void require(bool condition, const char *what)
{
    if (!condition)
        give_up(what);
}

bool lab_flaw(struct lab *lab, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(lab->flaw, sizeof lab->flaw, format, args);
    va_end(args);
    return false;
}

void lab_init(struct lab *lab)
{
    memset(lab, 0, sizeof *lab);
    hs_arena_init(&lab->ops, 0);
    hs_arena_init(&lab->states, 0);
    hs_arena_init(&lab->bench, 0);
}

void lab_fini(struct lab *lab)
{
    hs_arena_fini(&lab->ops);
    hs_arena_fini(&lab->states);
    hs_arena_fini(&lab->bench);
    hs_buf_fini(&lab->buf);
}

/* ---- operations ---- */

/* Spread over all bits, in the order of the labels. */
uint64_t lab_origin(uint8_t label)
{
    return label * UINT64_C(0x0203040506070809);
}

static void *take(struct lab *lab, size_t count, size_t size)
{
    void *memory = hs_arena_array(&lab->ops, count, size);
    require(memory != NULL, "out of memory");
    return memory;
}

static struct hs_bytes value_of(struct lab *lab, const char *text, uint32_t number)
{
    hs_buf_reset(&lab->buf);
    hs_tlv_put_text(&lab->buf, number, text);
    return hs_arena_copy(&lab->ops, hs_buf_bytes(&lab->buf));
}

static void draft_fields(struct lab *lab, size_t i, const struct book_letter *letter, struct hs_write *draft)
{
    struct hs_field_write *fields = take(lab, FIELDS, sizeof *fields);
    for (unsigned f = 0; f < FIELDS; f++) {
        struct book_dot over[OVER_MAX];
        if ((letter->fields >> f & 1) == 0)
            continue;
        struct hs_field_write *field = &fields[draft->field_count++];
        size_t count = book_over(&lab->book, i, f, over);
        struct hs_dot *dots = take(lab, OVER_MAX, sizeof *dots);
        for (size_t d = 0; d < count; d++)
            dots[d] = (struct hs_dot){lab_origin(over[d].label), over[d].n};
        field->number = f + 1;
        field->value = letter->clear ? HS_BYTES_NONE : value_of(lab, letter->same ? "v0" : book_name(i), field->number);
        field->over = dots;
        field->over_count = count;
    }
    draft->fields = fields;
}

/* As it would be read from a segment. */
static void load_write(struct lab *lab, size_t i)
{
    const struct book_write *write = &lab->book.writes[i];
    const struct book_letter *letter = book_letter(write->letter);
    struct hs_write draft = {.kind = 4711, .id = HS_BYTES("r", 1), .is_fact = letter->fact != NULL};
    if (draft.is_fact)
        draft.fact = HS_BYTES(letter->fact, strlen(letter->fact));
    else
        draft_fields(lab, i, letter, &draft);
    struct hs_op op = {.stamp = write->stamp, .writes = &draft, .write_count = 1};
    struct hs_op decoded;
    require(hs_op_check(&op) == HS_OK, "an operation is not one");
    hs_buf_reset(&lab->buf);
    hs_op_encode(&op, &lab->buf);
    struct hs_bytes bytes = hs_arena_copy(&lab->ops, hs_buf_bytes(&lab->buf));
    require(hs_op_decode(bytes, &lab->ops, &decoded) == HS_OK, "an operation does not decode");
    lab->written[i].dot = (struct hs_dot){lab_origin(write->label), write->n};
    lab->written[i].stamp = decoded.stamp;
    lab->written[i].write = decoded.writes[0];
}

void lab_load(struct lab *lab, const struct book *book)
{
    if (lab->loaded && memcmp(&lab->book, book, sizeof *book) == 0)
        return;
    lab->book = *book;
    lab->loaded = true;
    hs_arena_reset(&lab->ops);
    hs_arena_reset(&lab->states);
    memset(lab->state, 0, sizeof lab->state);
    for (size_t i = 0; i < book->count; i++)
        load_write(lab, i);
}

/* ---- states ---- */

static struct hs_bytes encoded(struct lab *lab, const struct hs_record *record, struct hs_arena *arena)
{
    hs_buf_reset(&lab->buf);
    hs_record_encode(record, &lab->buf);
    require(lab->buf.err == HS_OK, "out of memory");
    struct hs_bytes bytes = hs_arena_copy(arena, hs_buf_bytes(&lab->buf));
    require(bytes.data != NULL, "out of memory");
    return bytes;
}

static void apply(struct lab *lab, struct hs_record *record, size_t i, struct hs_arena *arena)
{
    enum hs_err err = hs_record_apply(record, &lab->written[i].dot, lab->written[i].stamp, &lab->written[i].write,
                                      arena);
    require(err == HS_OK, "a write cannot be applied");
}

const struct lab_state *lab_state(struct lab *lab, unsigned set)
{
    struct lab_state *state = &lab->state[set];
    if (state->made)
        return state;
    for (size_t i = 0; i < lab->book.count; i++) {
        if ((set >> i & 1) != 0)
            apply(lab, &state->record, i, &lab->states);
    }
    state->bytes = encoded(lab, &state->record, &lab->states);
    state->made = true;
    return state;
}

unsigned lab_live(struct lab *lab, unsigned set, unsigned field)
{
    const struct lab_state *state = lab_state(lab, set);
    const struct hs_field_state *found = hs_record_field(&state->record, field + 1);
    unsigned live = 0;
    for (size_t l = 0; found != NULL && l < found->live_count; l++) {
        for (size_t i = 0; i < lab->book.count; i++) {
            if ((set >> i & 1) != 0 && hs_dot_compare(&lab->written[i].dot, &found->live[l].dot) == 0)
                live |= 1U << i;
        }
    }
    return live;
}

/* ---- checks ---- */

bool lab_check_set(struct lab *lab, unsigned set)
{
    char text[SET_TEXT_BYTES];
    struct hs_record decoded;
    const struct lab_state *state = lab_state(lab, set);
    hs_arena_reset(&lab->bench);
    if (hs_record_decode(state->bytes, &lab->bench, &decoded) != HS_OK)
        return lab_flaw(lab, "the stored state of %s cannot be read back", book_set(set, text));
    if (!hs_bytes_equal(encoded(lab, &decoded, &lab->bench), state->bytes))
        return lab_flaw(lab, "the state of %s changes by being stored and read", book_set(set, text));
    return oracle_check(lab, set);
}

/* What was done to come from one set to another. */
struct route {
    unsigned from, to;
    size_t order[WRITES_MAX];
    size_t count;
};

static bool differs(struct lab *lab, const struct route *route, unsigned set, const char *how)
{
    char from[SET_TEXT_BYTES];
    char to[SET_TEXT_BYTES];
    char both[SET_TEXT_BYTES];
    char order[5 * WRITES_MAX + 1] = "";
    size_t size = 0;
    for (size_t i = 0; i < route->count; i++)
        size += (size_t)snprintf(order + size, sizeof order - size, " %s", book_name(route->order[i]));
    return lab_flaw(lab,
                    "a replica that holds %s meets one that holds %s; %s%s it differs from one that took %s in the "
                    "order of writing",
                    book_set(route->to, to), book_set(route->from, from), how, order, book_set(set, both));
}

/* A write again changes nothing. */
static bool check_again(struct lab *lab, const struct route *route, const struct hs_record *record, unsigned set)
{
    struct hs_record again = *record;
    for (size_t i = lab->book.count; i > 0; i--) {
        if ((set >> (i - 1) & 1) != 0)
            apply(lab, &again, i - 1, &lab->bench);
    }
    return hs_bytes_equal(encoded(lab, &again, &lab->bench), lab_state(lab, set)->bytes) ||
           differs(lab, route, set, "after everything came a second time, behind");
}

/* Is every earlier write of its origin among @set? */
static bool is_next(const struct lab *lab, unsigned set, size_t i)
{
    for (size_t j = 0; j < lab->book.count; j++) {
        const struct book_write *other = &lab->book.writes[j];
        if (other->label == lab->book.writes[i].label && other->n < lab->book.writes[i].n && (set >> j & 1) == 0)
            return false;
    }
    return true;
}

/* From here on in every order, streams in theirs. */
static bool check_orders(struct lab *lab, struct route *route, const struct hs_record *record, unsigned set)
{
    if (!hs_bytes_equal(encoded(lab, record, &lab->bench), lab_state(lab, set)->bytes))
        return differs(lab, route, set, "having taken");
    unsigned missing = route->from & ~set;
    if (missing == 0)
        return check_again(lab, route, record, set);
    for (size_t i = 0; i < lab->book.count; i++) {
        if ((missing >> i & 1) == 0 || !is_next(lab, set, i))
            continue;
        struct hs_record next = *record;
        apply(lab, &next, i, &lab->bench);
        route->order[route->count++] = i;
        if (!check_orders(lab, route, &next, set | 1U << i))
            return false;
        route->count--;
    }
    return true;
}

static bool check_join(struct lab *lab, const struct route *route, unsigned a, unsigned b)
{
    struct hs_record joined;
    enum hs_err err = hs_record_join(&lab_state(lab, a)->record, &lab_state(lab, b)->record, &lab->bench, &joined);
    require(err == HS_OK, "out of memory");
    return hs_bytes_equal(encoded(lab, &joined, &lab->bench), lab_state(lab, a | b)->bytes) ||
           differs(lab, route, a | b, a == b ? "joined with itself" : "with both states joined");
}

/* Equal inputs and unequal states would be reported as damage (PROTOCOL.md, 8.12). */
static bool check_inputs(struct lab *lab, unsigned a, unsigned b)
{
    char text[2][SET_TEXT_BYTES];
    struct hs_hash left = hs_record_inputs(&lab_state(lab, a)->record);
    struct hs_hash right = hs_record_inputs(&lab_state(lab, b)->record);
    return !hs_hash_equal(&left, &right) || hs_bytes_equal(lab_state(lab, a)->bytes, lab_state(lab, b)->bytes) ||
           lab_flaw(lab, "%s and %s differ and have equal inputs: a false alarm of damage", book_set(a, text[0]),
                    book_set(b, text[1]));
}

bool lab_check_pair(struct lab *lab, unsigned from, unsigned to)
{
    struct route route = {.from = from, .to = to};
    hs_arena_reset(&lab->bench);
    struct hs_record record = lab_state(lab, to)->record;
    if (!check_orders(lab, &route, &record, to))
        return false;
    route.count = 0;
    return check_join(lab, &route, from, to) && check_join(lab, &route, to, from) && check_join(lab, &route, to, to) &&
           check_join(lab, &route, from | to, to) && check_inputs(lab, from, to);
}
