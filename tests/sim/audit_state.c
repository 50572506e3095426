/* audit_state.c -- what a machine must have of a record, computed from the operations that it holds and nothing else:
 * of a fact its contents, of registers the values that no held write has named, and the state's canonical bytes. */
#include "tests/sim/audit_inside.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_FIELDS_MAX 999 /* numbers above are book-keeping that no client sees */

enum { CUSTOMER = 1, BILL = 2, PAYMENT = 3, ENTRY = 4, REVERSAL = 5, TICKET = 6, EVENT = 7, CLOSE = 13, SLOT = 21 };
enum { SLOT_HALL = 2, SLOT_DATE = 4, SLOT_BEGINS = 5, SLOT_CAPACITY = 7 };

/* All but what only hubs write for everybody, and decisions. */
const uint16_t AUDIT_KINDS[] = {CUSTOMER, BILL, PAYMENT, ENTRY, REVERSAL, TICKET, EVENT, 8,    12, CLOSE,
                                15,       19,   20,      SLOT,  22,       23,     25,    1004, 0};

bool audit_is_looked_at(uint16_t kind)
{
    size_t at = 0;
    while (AUDIT_KINDS[at] != 0 && AUDIT_KINDS[at] != kind)
        at++;
    return AUDIT_KINDS[at] != 0;
}

bool audit_by_number(uint32_t kind)
{
    return kind != CUSTOMER && kind != BILL && kind != ENTRY && kind != CLOSE && kind != SLOT;
}

/* ---- sets ---- */

bool audit_fact_held(const struct audit_write *write, uint32_t bit)
{
    return write->is_fact && ((write->op->held | write->op->loose) & bit) != 0;
}

bool audit_register_held(const struct audit_write *write, uint32_t bit)
{
    return !write->is_fact && (write->op->held & bit) != 0;
}

bool audit_present(const struct audit_record *record, uint32_t bit)
{
    for (const struct audit_write *write = record->writes; write != NULL; write = write->next) {
        if (audit_fact_held(write, bit) || audit_register_held(write, bit))
            return true;
    }
    return false;
}

/* ---- facts ---- */

static int compare_sources(const struct audit_write *a, const struct audit_write *b)
{
    if (a->op->stamp != b->op->stamp)
        return a->op->stamp < b->op->stamp ? -1 : 1;
    if (a->op->stream->name.origin != b->op->stream->name.origin)
        return a->op->stream->name.origin < b->op->stream->name.origin ? -1 : 1;
    return (a->op->n > b->op->n) - (a->op->n < b->op->n);
}

static int compare_variants(const struct audit_write *a, const struct audit_write *b)
{
    int order = memcmp(a->fact_hash.bytes, b->fact_hash.bytes, sizeof a->fact_hash.bytes);
    return order != 0 ? order : compare_sources(a, b);
}

const struct audit_write *audit_variant(const struct audit_record *record, uint32_t bit)
{
    const struct audit_write *lowest = NULL;
    for (const struct audit_write *write = record->writes; write != NULL; write = write->next) {
        if (audit_fact_held(write, bit) && (lowest == NULL || compare_variants(write, lowest) < 0))
            lowest = write;
    }
    return lowest;
}

static bool same_content(const struct audit_write *a, const struct audit_write *b)
{
    return memcmp(a->fact_hash.bytes, b->fact_hash.bytes, sizeof a->fact_hash.bytes) == 0;
}

/* The write is the one under which its content counts. */
static bool is_source(const struct audit_record *record, const struct audit_write *write, uint32_t bit)
{
    for (const struct audit_write *other = record->writes; other != NULL; other = other->next) {
        if (other != write && audit_fact_held(other, bit) && same_content(other, write) &&
            compare_variants(other, write) < 0)
            return false;
    }
    return audit_fact_held(write, bit);
}

size_t audit_variant_count(const struct audit_record *record, uint32_t bit)
{
    size_t count = 0;
    for (const struct audit_write *write = record->writes; write != NULL; write = write->next)
        count += is_source(record, write, bit);
    return count;
}

/* ---- registers ---- */

static bool names(const struct audit_write *write, uint32_t number, uint64_t origin, uint64_t n)
{
    for (size_t i = 0; i < write->field_count; i++) {
        const struct audit_field *field = &write->fields[i];
        for (size_t j = 0; field->number == number && j < field->over_count; j++) {
            if (field->over[j].origin == origin && field->over[j].n == n)
                return true;
        }
    }
    return false;
}

/* Some held write has named it; what an author names of his own future does not count. */
static bool is_overwritten(const struct audit_write *write, uint32_t number, uint32_t bit)
{
    uint64_t origin = write->op->stream->name.origin, n = write->op->n;
    for (const struct audit_write *other = write->record->writes; other != NULL; other = other->next) {
        bool own_past = other->op->stream->name.origin == origin && other->op->n <= n;
        if (audit_register_held(other, bit) && !own_past && names(other, number, origin, n))
            return true;
    }
    return false;
}

static int compare_values(const void *left, const void *right)
{
    const struct audit_value *a = left, *b = right;
    const struct audit_op *x = a->write->op, *y = b->write->op;
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    if (x->stream->name.origin != y->stream->name.origin)
        return x->stream->name.origin < y->stream->name.origin ? -1 : 1;
    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    return hs_bytes_compare(a->value, b->value);
}

static void add_value(struct audit_values *values, const struct audit_value *value)
{
    if (values->count == values->room) {
        values->room = values->room == 0 ? 32 : 2 * values->room;
        values->list = realloc(values->list, values->room * sizeof *values->list);
        if (values->list == NULL)
            abort();
    }
    values->list[values->count++] = *value;
}

void audit_values(const struct audit_record *record, uint32_t bit, struct audit_values *values)
{
    values->count = 0;
    for (const struct audit_write *write = record->writes; write != NULL; write = write->next) {
        for (size_t i = 0; audit_register_held(write, bit) && i < write->field_count; i++) {
            const struct audit_field *field = &write->fields[i];
            if (!is_overwritten(write, field->number, bit))
                add_value(values, &(struct audit_value){field->number, write, field->value});
        }
    }
    if (values->count > 1)
        qsort(values->list, values->count, sizeof *values->list, compare_values);
}

void audit_values_fini(struct audit_values *values)
{
    free(values->list);
    *values = (struct audit_values){0};
}

/* The highest stamp shows; of two with the same the greater bytes, then the greater dot. */
const struct audit_value *audit_shown(const struct audit_values *values, uint32_t number)
{
    const struct audit_value *shown = NULL;
    for (size_t i = 0; i < values->count; i++) {
        const struct audit_value *value = &values->list[i];
        if (value->number != number)
            continue;
        int order = shown == NULL ? 1 : 0;
        if (order == 0 && value->write->op->stamp != shown->write->op->stamp)
            order = value->write->op->stamp > shown->write->op->stamp ? 1 : -1;
        if (order == 0)
            order = hs_bytes_compare(value->value, shown->value);
        if (order >= 0) /* equal ones come by ascending dot */
            shown = value;
    }
    return shown;
}

bool audit_rivals(const struct audit_values *values, uint32_t number)
{
    const struct audit_value *shown = audit_shown(values, number);
    for (size_t i = 0; i < values->count; i++) {
        if (values->list[i].number == number && !hs_bytes_equal(values->list[i].value, shown->value))
            return true;
    }
    return false;
}

/* ---- as a client sees it ---- */

static void put_shown(const struct audit_values *values, struct hs_buf *message)
{
    for (size_t i = 0; i < values->count && values->list[i].number <= MESSAGE_FIELDS_MAX; i++) {
        uint32_t number = values->list[i].number;
        if (i == 0 || values->list[i - 1].number != number)
            hs_buf_put_bytes(message, audit_shown(values, number)->value);
    }
}

/* Where the stored bytes do without the text of an id, it is put in front. */
static void put_id(const struct audit_record *record, struct hs_bytes stored, struct hs_buf *message)
{
    if (!audit_by_number(record->kind) || audit_tlv_find(stored, 1).data.size != 0)
        return;
    hs_buf_put_u8(message, 0x0a);
    hs_buf_put_varint(message, 2 * record->id.size);
    for (size_t i = 0; i < record->id.size; i++)
        hs_buf_put_format(message, "%02x", record->id.data[i]);
}

void audit_message(const struct audit_record *record, uint32_t bit, struct hs_buf *message)
{
    const struct audit_write *variant = audit_variant(record, bit);
    struct audit_values values = {0};
    struct hs_buf stored = {0};
    if (variant != NULL) {
        hs_buf_put_bytes(&stored, variant->fact);
    } else {
        audit_values(record, bit, &values);
        put_shown(&values, &stored);
    }
    put_id(record, hs_buf_bytes(&stored), message);
    hs_buf_put_bytes(message, hs_buf_bytes(&stored));
    audit_values_fini(&values);
    hs_buf_fini(&stored);
}

static struct hs_bytes shown_bytes(const struct audit_values *values, uint32_t number)
{
    const struct audit_value *shown = audit_shown(values, number);
    return shown != NULL ? audit_tlv_find(shown->value, number).data : HS_BYTES_NONE;
}

static bool is_home(const struct audit_record *record, struct hs_bytes account)
{
    return hs_account_valid((const char *)account.data, account.size) &&
           hs_account_partition((const char *)account.data) == record->partition;
}

bool audit_complete(const struct audit_record *record, uint32_t bit)
{
    struct audit_values values = {0};
    bool complete;
    if (!audit_is_looked_at(record->kind) || !audit_present(record, bit))
        return false;
    audit_values(record, bit, &values);
    struct hs_bytes id = shown_bytes(&values, 1);
    const struct audit_value *amount = audit_shown(&values, 4);
    if (record->kind == CUSTOMER)
        complete = hs_bytes_equal(id, record->id) && is_home(record, id) && shown_bytes(&values, 2).size != 0;
    else if (record->kind == BILL)
        complete = hs_bytes_equal(id, record->id) && is_home(record, shown_bytes(&values, 2)) && amount != NULL &&
                   audit_tlv_find(amount->value, 4).value != 0;
    else if (record->kind == TICKET)
        complete = shown_bytes(&values, 2).size != 0 && shown_bytes(&values, 4).size != 0;
    else if (record->kind == SLOT)
        complete = shown_bytes(&values, SLOT_HALL).size != 0 && shown_bytes(&values, SLOT_DATE).size != 0 &&
                   shown_bytes(&values, SLOT_BEGINS).size != 0 && audit_shown(&values, SLOT_CAPACITY) != NULL;
    else
        complete = true;
    audit_values_fini(&values);
    return complete;
}

/* ---- the canonical state, PROTOCOL.md 10.3 ---- */

struct source {
    uint64_t origin, n;
    hs_stamp stamp;
};
struct dot_of {
    uint32_t number;
    uint64_t origin, n;
};

struct state {
    const struct audit_record *record;
    uint32_t bit;
    struct audit_values values;
    const struct audit_write **variants; /* ascending by hash */
    size_t variant_count;
    struct hs_dot *origins; /* and the number applied of each */
    size_t origin_count;
    struct source *sources;
    size_t source_count;
    struct dot_of *covered; /* ascending by field, dot */
    size_t covered_count;
};

static void *grown(void *list, size_t count, size_t size)
{
    if ((count & (count - 1)) != 0)
        return list; /* there is room up to the next power of two */
    list = realloc(list, (count == 0 ? 1 : 2 * count) * size);
    if (list == NULL)
        abort();
    return list;
}

static uint64_t *applied_of(struct state *state, uint64_t origin)
{
    size_t at = 0;
    while (at < state->origin_count && state->origins[at].origin < origin)
        at++;
    if (at < state->origin_count && state->origins[at].origin == origin)
        return &state->origins[at].n;
    state->origins = grown(state->origins, state->origin_count, sizeof *state->origins);
    memmove(state->origins + at + 1, state->origins + at, (state->origin_count - at) * sizeof *state->origins);
    state->origins[at] = (struct hs_dot){origin, 0};
    state->origin_count++;
    return &state->origins[at].n;
}

static int compare_source(const void *left, const void *right)
{
    const struct source *a = left, *b = right;
    if (a->origin != b->origin)
        return a->origin < b->origin ? -1 : 1;
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    return (a->stamp > b->stamp) - (a->stamp < b->stamp);
}

static struct source source_of(const struct audit_write *write)
{
    return (struct source){write->op->stream->name.origin, write->op->n, write->op->stamp};
}

static void add_source(struct state *state, const struct audit_write *write)
{
    struct source source = source_of(write);
    size_t at = 0;
    while (at < state->source_count && compare_source(&state->sources[at], &source) < 0)
        at++;
    if (at < state->source_count && compare_source(&state->sources[at], &source) == 0)
        return;
    state->sources = grown(state->sources, state->source_count, sizeof *state->sources);
    memmove(state->sources + at + 1, state->sources + at, (state->source_count - at) * sizeof *state->sources);
    state->sources[at] = source;
    state->source_count++;
    applied_of(state, source.origin);
}

static int compare_variant_places(const void *left, const void *right)
{
    return compare_variants(*(const struct audit_write *const *)left, *(const struct audit_write *const *)right);
}

static void gather_facts(struct state *state)
{
    for (const struct audit_write *write = state->record->writes; write != NULL; write = write->next) {
        if (!is_source(state->record, write, state->bit))
            continue;
        state->variants = grown(state->variants, state->variant_count, sizeof *state->variants);
        state->variants[state->variant_count++] = write;
        add_source(state, write);
    }
    if (state->variant_count > 1)
        qsort(state->variants, state->variant_count, sizeof *state->variants, compare_variant_places);
}

static void gather_applied(struct state *state)
{
    for (const struct audit_write *write = state->record->writes; write != NULL; write = write->next) {
        if (!audit_register_held(write, state->bit))
            continue;
        uint64_t *applied = applied_of(state, write->op->stream->name.origin);
        if (write->op->n > *applied)
            *applied = write->op->n;
    }
}

static int compare_covered(const void *left, const void *right)
{
    const struct dot_of *a = left, *b = right;
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    if (a->origin != b->origin)
        return a->origin < b->origin ? -1 : 1;
    return (a->n > b->n) - (a->n < b->n);
}

static void add_covered(struct state *state, const struct dot_of *dot)
{
    for (size_t i = 0; i < state->covered_count; i++) {
        if (compare_covered(&state->covered[i], dot) == 0)
            return;
    }
    state->covered = grown(state->covered, state->covered_count, sizeof *state->covered);
    state->covered[state->covered_count++] = *dot;
}

/* Named by others than its own origin, and not applied yet. */
static void gather_covered(struct state *state)
{
    for (const struct audit_write *write = state->record->writes; write != NULL; write = write->next) {
        for (size_t i = 0; audit_register_held(write, state->bit) && i < write->field_count; i++) {
            const struct audit_field *field = &write->fields[i];
            for (size_t j = 0; j < field->over_count; j++) {
                const struct hs_dot *dot = &field->over[j];
                if (dot->origin != write->op->stream->name.origin && *applied_of(state, dot->origin) < dot->n)
                    add_covered(state, &(struct dot_of){field->number, dot->origin, dot->n});
            }
        }
    }
    if (state->covered_count > 1)
        qsort(state->covered, state->covered_count, sizeof *state->covered, compare_covered);
}

static bool is_used(const struct state *state, const struct hs_dot *origin)
{
    bool used = origin->n > 0;
    for (size_t i = 0; i < state->source_count && !used; i++)
        used = state->sources[i].origin == origin->origin;
    for (size_t i = 0; i < state->covered_count && !used; i++)
        used = state->covered[i].origin == origin->origin;
    return used;
}

static void drop_unused(struct state *state)
{
    size_t kept = 0;
    for (size_t i = 0; i < state->origin_count; i++) {
        if (is_used(state, &state->origins[i]))
            state->origins[kept++] = state->origins[i];
    }
    state->origin_count = kept;
}

static uint64_t origin_index(const struct state *state, uint64_t origin)
{
    size_t at = 0;
    while (state->origins[at].origin != origin)
        at++;
    return at;
}

static uint64_t source_index(const struct state *state, const struct audit_write *write)
{
    struct source source = source_of(write);
    size_t at = 0;
    while (compare_source(&state->sources[at], &source) != 0)
        at++;
    return at;
}

static void put_field(const struct state *state, uint32_t number, size_t *live, size_t *covered, struct hs_buf *to)
{
    size_t live_end = *live, covered_end = *covered;
    while (live_end < state->values.count && state->values.list[live_end].number == number)
        live_end++;
    while (covered_end < state->covered_count && state->covered[covered_end].number == number)
        covered_end++;
    hs_buf_put_varint(to, number);
    hs_buf_put_varint(to, 2 * (live_end - *live) + (covered_end > *covered));
    for (; *live < live_end; (*live)++) {
        hs_buf_put_varint(to, source_index(state, state->values.list[*live].write));
        hs_buf_put_sized(to, state->values.list[*live].value);
    }
    if (covered_end > *covered)
        hs_buf_put_varint(to, covered_end - *covered);
    for (; *covered < covered_end; (*covered)++) {
        hs_buf_put_varint(to, origin_index(state, state->covered[*covered].origin));
        hs_buf_put_varint(to, state->covered[*covered].n);
    }
}

static void put_fields(const struct state *state, struct hs_buf *to)
{
    struct hs_buf fields = {0};
    size_t live = 0, covered = 0, count = 0;
    while (live < state->values.count || covered < state->covered_count) {
        uint32_t a = live < state->values.count ? state->values.list[live].number : UINT32_MAX;
        uint32_t b = covered < state->covered_count ? state->covered[covered].number : UINT32_MAX;
        put_field(state, a < b ? a : b, &live, &covered, &fields);
        count++;
    }
    hs_buf_put_varint(to, count);
    hs_buf_put_bytes(to, hs_buf_bytes(&fields));
    hs_buf_fini(&fields);
}

static void put_state(const struct state *state, struct hs_buf *to)
{
    hs_buf_put_u8(to, 1);
    hs_buf_put_varint(to, state->origin_count);
    for (size_t i = 0; i < state->origin_count; i++) {
        hs_buf_put_u64(to, state->origins[i].origin);
        hs_buf_put_varint(to, state->origins[i].n);
    }
    hs_buf_put_varint(to, state->source_count);
    for (size_t i = 0; i < state->source_count; i++) {
        hs_buf_put_varint(to, origin_index(state, state->sources[i].origin));
        hs_buf_put_varint(to, state->sources[i].n);
        hs_buf_put_u64(to, state->sources[i].stamp);
    }
    hs_buf_put_varint(to, state->variant_count);
    for (size_t i = 0; i < state->variant_count; i++) {
        hs_buf_put_varint(to, source_index(state, state->variants[i]));
        hs_buf_put_sized(to, state->variants[i]->fact);
    }
    put_fields(state, to);
}

struct hs_hash audit_record_hash(const struct audit_record *record, uint32_t bit)
{
    static const char DOMAIN[] = "hallsync record 1"; /* with its zero */
    struct state state = {.record = record, .bit = bit};
    struct hs_buf bytes = {0};
    struct hs_hash hash;
    audit_values(record, bit, &state.values);
    gather_facts(&state);
    for (size_t i = 0; i < state.values.count; i++)
        add_source(&state, state.values.list[i].write);
    gather_applied(&state);
    gather_covered(&state);
    drop_unused(&state);
    hs_buf_put(&bytes, DOMAIN, sizeof DOMAIN);
    hs_buf_put_bytes(&bytes, record->key);
    put_state(&state, &bytes);
    crypto_generichash(hash.bytes, sizeof hash.bytes, bytes.data, bytes.size, NULL, 0);
    audit_values_fini(&state.values);
    free(state.variants);
    free(state.origins);
    free(state.sources);
    free(state.covered);
    hs_buf_fini(&bytes);
    return hash;
}
