/* How a record takes an op and how two states of it become one.  The rules are those of docs/architecture.md,
 * "Records"; nothing here asks what a kind or a field means.
 *
 * Arrays that a record points to are never written to: every step builds new ones, so states may share them. */
#include "storage/model/record.h"

#include <assert.h>
#include <string.h>

static const struct hs_field_state NO_FIELD;
static const struct hs_field_write NO_WRITE;

/* ---- dots ---- */

/* Where @dot is or would be in the ascending @dots. */
static size_t place_of(const struct hs_dot *dots, size_t count, const struct hs_dot *dot)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (hs_dot_compare(&dots[middle], dot) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool contains(const struct hs_dot *dots, size_t count, const struct hs_dot *dot)
{
    size_t at = place_of(dots, count, dot);
    return at < count && hs_dot_compare(&dots[at], dot) == 0;
}

/* Has the record's register part taken this op, or a later one of its origin? */
static bool has(const struct hs_record *record, const struct hs_dot *dot)
{
    size_t at = place_of(record->applied, record->applied_count, &(struct hs_dot){.origin = dot->origin});
    bool known = at < record->applied_count && record->applied[at].origin == dot->origin;
    return (known ? record->applied[at].n : 0) >= dot->n;
}

static bool is_live(const struct hs_field_state *field, const struct hs_dot *dot)
{
    size_t low = 0;
    size_t high = field->live_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = hs_dot_compare(&field->live[middle].dot, dot);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* ---- facts ---- */

/* The same fact came under two names: the lower one counts, whichever came first. */
static const struct hs_variant *lower_variant(const struct hs_variant *a, const struct hs_variant *b)
{
    if (a->stamp != b->stamp)
        return a->stamp < b->stamp ? a : b;
    return hs_dot_compare(&a->dot, &b->dot) <= 0 ? a : b;
}

static enum hs_err unite_variants(const struct hs_record *a, const struct hs_record *b, struct hs_arena *arena,
                                  struct hs_record *out)
{
    struct hs_variant *variants = hs_arena_array(arena, a->variant_count + b->variant_count, sizeof *variants);
    if (variants == NULL)
        return HS_ENOMEM;
    size_t count = 0;
    size_t i = 0;
    size_t j = 0;
    while (i < a->variant_count || j < b->variant_count) {
        const struct hs_variant *left = i < a->variant_count ? &a->variants[i] : NULL;
        const struct hs_variant *right = j < b->variant_count ? &b->variants[j] : NULL;
        int order = left == NULL ? 1 : right == NULL ? -1 : hs_hash_compare(&left->hash, &right->hash);
        variants[count++] = order < 0 ? *left : order > 0 ? *right : *lower_variant(left, right);
        i += order <= 0;
        j += order >= 0;
    }
    out->variants = variants;
    out->variant_count = count;
    return HS_OK;
}

static enum hs_err apply_fact(struct hs_record *record, const struct hs_dot *dot, hs_stamp stamp, struct hs_bytes fact,
                              struct hs_arena *arena)
{
    struct hs_variant variant = {
        .hash = hs_hash_domain("hallsync fact 1", fact), .bytes = fact, .stamp = stamp, .dot = *dot};
    struct hs_record single = {.variants = &variant, .variant_count = 1};
    struct hs_record before = *record;
    return unite_variants(&before, &single, arena, record);
}

/* ---- registers: apply ---- */

struct step {
    const struct hs_record *before;
    struct hs_dot dot;
    hs_stamp stamp;
    struct hs_arena *arena;
};

/* The live values that the write does not name, and its own value unless that was named before it came. */
static enum hs_err write_live(const struct step *step, const struct hs_field_state *old,
                              const struct hs_field_write *write, struct hs_field_state *out)
{
    struct hs_live own = {.dot = step->dot, .stamp = step->stamp, .value = write->value};
    bool placed = contains(old->covered, old->covered_count, &step->dot);
    out->live = hs_arena_array(step->arena, old->live_count + 1, sizeof *out->live);
    if (out->live == NULL)
        return HS_ENOMEM;
    for (size_t i = 0; i < old->live_count; i++) {
        const struct hs_live *live = &old->live[i];
        if (!placed && hs_dot_compare(&own.dot, &live->dot) < 0) {
            out->live[out->live_count++] = own;
            placed = true;
        }
        if (!contains(write->over, write->over_count, &live->dot))
            out->live[out->live_count++] = *live;
    }
    if (!placed)
        out->live[out->live_count++] = own;
    return HS_OK;
}

/* A dot stays covered until its origin has got that far; a name of the writer's own origin is a thing of the past, or a
 * lie about its future and ignored. */
static bool stays_covered(const struct step *step, const struct hs_dot *dot, bool was_covered)
{
    if (dot->origin == step->dot.origin)
        return was_covered && dot->n > step->dot.n;
    return was_covered || !has(step->before, dot);
}

static enum hs_err write_covered(const struct step *step, const struct hs_field_state *old,
                                 const struct hs_field_write *write, struct hs_field_state *out)
{
    size_t most = old->covered_count + write->over_count;
    if (most == 0)
        return HS_OK;
    out->covered = hs_arena_array(step->arena, most, sizeof *out->covered);
    if (out->covered == NULL)
        return HS_ENOMEM;
    size_t i = 0;
    size_t j = 0;
    while (i < old->covered_count || j < write->over_count) {
        const struct hs_dot *covered = i < old->covered_count ? &old->covered[i] : NULL;
        const struct hs_dot *named = j < write->over_count ? &write->over[j] : NULL;
        int order = covered == NULL ? 1 : named == NULL ? -1 : hs_dot_compare(covered, named);
        const struct hs_dot *dot = order <= 0 ? covered : named;
        if (stays_covered(step, dot, order <= 0))
            out->covered[out->covered_count++] = *dot;
        i += order <= 0;
        j += order >= 0;
    }
    return HS_OK;
}

/* @old or @write may be missing, not both. */
static enum hs_err write_field(const struct step *step, const struct hs_field_state *old,
                               const struct hs_field_write *write, struct hs_field_state *out)
{
    *out = (struct hs_field_state){.number = old != NULL ? old->number : write->number};
    if (write == NULL) {
        out->live = old->live;
        out->live_count = old->live_count;
        return write_covered(step, old, &NO_WRITE, out);
    }
    old = old != NULL ? old : &NO_FIELD;
    enum hs_err err = write_live(step, old, write, out);
    return err != HS_OK ? err : write_covered(step, old, write, out);
}

static enum hs_err write_fields(const struct step *step, const struct hs_write *write, struct hs_record *record)
{
    const struct hs_record *before = step->before;
    size_t most = before->field_count + write->field_count;
    struct hs_field_state *fields = hs_arena_array(step->arena, most, sizeof *fields);
    enum hs_err err = fields == NULL ? HS_ENOMEM : HS_OK;
    size_t count = 0;
    size_t i = 0;
    size_t j = 0;
    while (err == HS_OK && (i < before->field_count || j < write->field_count)) {
        const struct hs_field_state *old = i < before->field_count ? &before->fields[i] : NULL;
        const struct hs_field_write *new = j < write->field_count ? &write->fields[j] : NULL;
        if (old != NULL && new != NULL && old->number < new->number)
            new = NULL;
        if (old != NULL && new != NULL && old->number > new->number)
            old = NULL;
        err = write_field(step, old, new, &fields[count]);
        count += fields[count].live_count != 0 || fields[count].covered_count != 0;
        i += old != NULL;
        j += new != NULL;
    }
    record->fields = fields;
    record->field_count = count;
    return err;
}

static enum hs_err note_applied(const struct step *step, struct hs_record *record)
{
    const struct hs_record *before = step->before;
    size_t at = place_of(before->applied, before->applied_count, &(struct hs_dot){.origin = step->dot.origin});
    bool known = at < before->applied_count && before->applied[at].origin == step->dot.origin;
    size_t count = before->applied_count + !known;
    struct hs_dot *applied = hs_arena_array(step->arena, count, sizeof *applied);
    if (applied == NULL)
        return HS_ENOMEM;
    size_t rest = before->applied_count - at - known;
    if (at != 0)
        memcpy(applied, before->applied, at * sizeof *applied);
    applied[at] = step->dot;
    if (rest != 0)
        memcpy(applied + at + 1, before->applied + at + known, rest * sizeof *applied);
    record->applied = applied;
    record->applied_count = count;
    return HS_OK;
}

enum hs_err hs_record_apply(struct hs_record *record, const struct hs_dot *dot, hs_stamp stamp,
                            const struct hs_write *write, struct hs_arena *arena)
{
    assert(dot->n != 0);
    if (write->is_fact)
        return apply_fact(record, dot, stamp, write->fact, arena);
    if (has(record, dot))
        return HS_OK;
    struct hs_record before = *record;
    struct step step = {.before = &before, .dot = *dot, .stamp = stamp, .arena = arena};
    enum hs_err err = write_fields(&step, write, record);
    return err != HS_OK ? err : note_applied(&step, record);
}

/* ---- registers: join ---- */

struct joint {
    const struct hs_record *a;
    const struct hs_record *b;
    const struct hs_record *out; /* its applied numbers are known first */
    struct hs_arena *arena;
};

static enum hs_err join_applied(const struct hs_record *a, const struct hs_record *b, struct hs_arena *arena,
                                struct hs_record *out)
{
    struct hs_dot *applied = hs_arena_array(arena, a->applied_count + b->applied_count, sizeof *applied);
    if (applied == NULL)
        return HS_ENOMEM;
    size_t count = 0;
    size_t i = 0;
    size_t j = 0;
    while (i < a->applied_count || j < b->applied_count) {
        const struct hs_dot *left = i < a->applied_count ? &a->applied[i] : NULL;
        const struct hs_dot *right = j < b->applied_count ? &b->applied[j] : NULL;
        bool take_left = right == NULL || (left != NULL && left->origin <= right->origin);
        bool take_right = left == NULL || (right != NULL && right->origin <= left->origin);
        bool left_counts = take_left && (!take_right || left->n >= right->n);
        applied[count++] = left_counts ? *left : *right;
        i += take_left;
        j += take_right;
    }
    out->applied = applied;
    out->applied_count = count;
    return HS_OK;
}

/* A value lives on if the other state has it too, or has neither met it nor been told that it is overwritten. */
static bool survives(const struct hs_dot *dot, const struct hs_field_state *theirs, const struct hs_record *other)
{
    return is_live(theirs, dot) || (!has(other, dot) && !contains(theirs->covered, theirs->covered_count, dot));
}

static int live_compare(const struct hs_live *a, const struct hs_live *b)
{
    int order = hs_dot_compare(&a->dot, &b->dot);
    return order != 0 ? order : hs_bytes_compare(a->value, b->value);
}

/* One dot with two values is a fork: both stay.  One value under one dot with two stamps, too, can only be a fork: the
 * lower stamp stays, so that the result does not depend on the order. */
static enum hs_err join_live(const struct joint *joint, const struct hs_field_state *fa,
                             const struct hs_field_state *fb, struct hs_field_state *out)
{
    out->live = hs_arena_array(joint->arena, fa->live_count + fb->live_count, sizeof *out->live);
    if (out->live == NULL)
        return HS_ENOMEM;
    size_t i = 0;
    size_t j = 0;
    while (i < fa->live_count || j < fb->live_count) {
        const struct hs_live *left = i < fa->live_count ? &fa->live[i] : NULL;
        const struct hs_live *right = j < fb->live_count ? &fb->live[j] : NULL;
        int order = left == NULL ? 1 : right == NULL ? -1 : live_compare(left, right);
        if (order == 0)
            out->live[out->live_count++] = left->stamp <= right->stamp ? *left : *right;
        else if (order < 0 && survives(&left->dot, fb, joint->b))
            out->live[out->live_count++] = *left;
        else if (order > 0 && survives(&right->dot, fa, joint->a))
            out->live[out->live_count++] = *right;
        i += order <= 0;
        j += order >= 0;
    }
    return HS_OK;
}

static enum hs_err join_covered(const struct joint *joint, const struct hs_field_state *fa,
                                const struct hs_field_state *fb, struct hs_field_state *out)
{
    size_t most = fa->covered_count + fb->covered_count;
    if (most == 0)
        return HS_OK;
    out->covered = hs_arena_array(joint->arena, most, sizeof *out->covered);
    if (out->covered == NULL)
        return HS_ENOMEM;
    size_t i = 0;
    size_t j = 0;
    while (i < fa->covered_count || j < fb->covered_count) {
        const struct hs_dot *left = i < fa->covered_count ? &fa->covered[i] : NULL;
        const struct hs_dot *right = j < fb->covered_count ? &fb->covered[j] : NULL;
        int order = left == NULL ? 1 : right == NULL ? -1 : hs_dot_compare(left, right);
        const struct hs_dot *dot = order <= 0 ? left : right;
        if (!has(joint->out, dot))
            out->covered[out->covered_count++] = *dot;
        i += order <= 0;
        j += order >= 0;
    }
    return HS_OK;
}

static enum hs_err join_field(const struct joint *joint, const struct hs_field_state *fa,
                              const struct hs_field_state *fb, struct hs_field_state *out)
{
    *out = (struct hs_field_state){.number = fa != NULL ? fa->number : fb->number};
    fa = fa != NULL ? fa : &NO_FIELD;
    fb = fb != NULL ? fb : &NO_FIELD;
    enum hs_err err = join_live(joint, fa, fb, out);
    return err != HS_OK ? err : join_covered(joint, fa, fb, out);
}

static enum hs_err join_fields(const struct joint *joint, struct hs_record *out)
{
    const struct hs_record *a = joint->a;
    const struct hs_record *b = joint->b;
    struct hs_field_state *fields = hs_arena_array(joint->arena, a->field_count + b->field_count, sizeof *fields);
    enum hs_err err = fields == NULL ? HS_ENOMEM : HS_OK;
    size_t count = 0;
    size_t i = 0;
    size_t j = 0;
    while (err == HS_OK && (i < a->field_count || j < b->field_count)) {
        const struct hs_field_state *fa = i < a->field_count ? &a->fields[i] : NULL;
        const struct hs_field_state *fb = j < b->field_count ? &b->fields[j] : NULL;
        if (fa != NULL && fb != NULL && fa->number < fb->number)
            fb = NULL;
        if (fa != NULL && fb != NULL && fa->number > fb->number)
            fa = NULL;
        err = join_field(joint, fa, fb, &fields[count]);
        count += fields[count].live_count != 0 || fields[count].covered_count != 0;
        i += fa != NULL;
        j += fb != NULL;
    }
    out->fields = fields;
    out->field_count = count;
    return err;
}

enum hs_err hs_record_join(const struct hs_record *a, const struct hs_record *b, struct hs_arena *arena,
                           struct hs_record *out)
{
    struct hs_record joined = {0};
    struct joint joint = {.a = a, .b = b, .out = &joined, .arena = arena};
    enum hs_err err = unite_variants(a, b, arena, &joined);
    if (err == HS_OK)
        err = join_applied(a, b, arena, &joined);
    if (err == HS_OK)
        err = join_fields(&joint, &joined);
    if (err == HS_OK)
        *out = joined;
    return err;
}
