/* record_fuzz.c -- a record's state: bytes that decode encode to the same bytes, whatever they say.  And from any such
 * state: a write applied twice is applied once, two origins' writes commute, a join takes both, with itself nothing.
 *
 *     input = two writes (fuzz_op.h) || state;  the whole input is tried as a state too */
#include "storage/model/record.h"
#include "tests/fuzz/fuzz_op.h"

struct act {
    struct hs_dot dot;
    hs_stamp stamp;
    struct hs_write write;
};

static struct hs_bytes encoded(const struct hs_record *record, struct hs_arena *arena)
{
    struct hs_buf buf = {0};
    hs_record_encode(record, &buf);
    FUZZ_CHECK(buf.err == HS_OK);
    struct hs_bytes bytes = hs_arena_copy(arena, hs_buf_bytes(&buf));
    hs_buf_fini(&buf);
    return bytes;
}

static void same(const struct hs_record *a, const struct hs_record *b, struct hs_arena *arena)
{
    FUZZ_CHECK(hs_bytes_equal(encoded(a, arena), encoded(b, arena)));
    struct hs_hash left = hs_record_inputs(a), right = hs_record_inputs(b);
    FUZZ_CHECK(hs_hash_equal(&left, &right));
}

static void look_at(const struct hs_record *record)
{
    struct hs_buf shown = {0};
    FUZZ_CHECK(hs_record_shown(record, &shown) == HS_OK);
    hs_stamp stamp = hs_record_stamp(record);
    for (size_t i = 0; i < record->field_count; i++) {
        const struct hs_field_state *field = &record->fields[i];
        const struct hs_live *live = hs_field_shown(field);
        FUZZ_CHECK(hs_record_field(record, field->number) == field);
        FUZZ_CHECK((live == NULL) == (field->live_count == 0));
        FUZZ_CHECK(live == NULL || live->stamp <= stamp);
        FUZZ_CHECK(hs_field_rivals(field) < field->live_count + (field->live_count == 0));
    }
    hs_buf_fini(&shown);
}

/* Whatever came out must be a state that decodes to itself. */
static void whole(const struct hs_record *record, struct hs_arena *arena)
{
    struct hs_record again;
    FUZZ_CHECK(hs_record_decode(encoded(record, arena), arena, &again) == HS_OK);
    same(record, &again, arena);
    look_at(record);
}

static bool decode(struct hs_bytes state, struct hs_arena *arena, struct hs_record *record)
{
    enum hs_err err = hs_record_decode(state, arena, record);
    FUZZ_CHECK(err == HS_OK || err == HS_EMALFORMED);
    if (err != HS_OK)
        return false;
    FUZZ_CHECK(hs_bytes_equal(encoded(record, arena), state));
    look_at(record);
    return true;
}

static struct hs_record apply(const struct hs_record *to, const struct act *act, struct hs_arena *arena)
{
    struct hs_record record = *to;
    struct hs_bytes before = encoded(to, arena);
    FUZZ_CHECK(hs_record_apply(&record, &act->dot, act->stamp, &act->write, arena) == HS_OK);
    FUZZ_CHECK(hs_bytes_equal(encoded(to, arena), before)); /* arrays once made are not written to */
    whole(&record, arena);
    return record;
}

static struct hs_record join(const struct hs_record *a, const struct hs_record *b, struct hs_arena *arena)
{
    struct hs_record ab, ba;
    FUZZ_CHECK(hs_record_join(a, b, arena, &ab) == HS_OK);
    FUZZ_CHECK(hs_record_join(b, a, arena, &ba) == HS_OK);
    same(&ab, &ba, arena);
    whole(&ab, arena);
    return ab;
}

static void laws(const struct hs_record *state, const struct act *a, const struct act *b, struct hs_arena *arena)
{
    struct hs_record self = join(state, state, arena);
    same(state, &self, arena);
    struct hs_record sa = apply(state, a, arena), sb = apply(state, b, arena);
    struct hs_record twice = apply(&sa, a, arena);
    same(&sa, &twice, arena);
    struct hs_record grown = join(state, &sa, arena);
    same(&grown, &sa, arena);
    if (a->dot.origin == b->dot.origin)
        return; /* of one origin there is one order */
    struct hs_record sab = apply(&sa, b, arena), sba = apply(&sb, a, arena), joined = join(&sa, &sb, arena);
    same(&sab, &sba, arena);
    same(&sab, &joined, arena);
}

static struct act read_act(struct hs_cur *in, struct hs_arena *arena)
{
    struct act act = {.dot = {1 + fuzz_u8(in) % 4, 1 + fuzz_number(in)}, .stamp = fuzz_number(in)};
    if (act.dot.n == 0)
        act.dot.n = 1;
    act.write = fuzz_write(in, arena, true);
    return act;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hs_arena arena;
    struct hs_cur in = hs_cur_of(HS_BYTES(data, size));
    struct hs_record record = {0};
    hs_arena_init(&arena, 0);
    decode(HS_BYTES(data, size), &arena, &record);
    struct act a = read_act(&in, &arena), b = read_act(&in, &arena);
    record = (struct hs_record){0};
    if (!decode(fuzz_rest(&in), &arena, &record))
        record = (struct hs_record){0};
    laws(&record, &a, &b, &arena);
    hs_arena_fini(&arena);
    return 0;
}

/* ---- seeds: a state as such, and behind two writes ---- */

#define NO_WRITES "\0\1\1\1\1\1x\0\1\2\2\1\1\1x\0"

static void put_state(fuzz_put put, const char *name, const struct hs_record *record)
{
    char file[64];
    struct hs_buf buf = {0};
    hs_record_encode(record, &buf);
    put(name, hs_buf_bytes(&buf));
    hs_buf_reset(&buf);
    hs_buf_put(&buf, NO_WRITES, sizeof NO_WRITES - 1);
    hs_record_encode(record, &buf);
    snprintf(file, sizeof file, "%s-behind-writes", name);
    put(file, hs_buf_bytes(&buf));
    hs_buf_fini(&buf);
}

void fuzz_seeds(fuzz_put put)
{
    static const struct hs_dot OVER[] = {{1, 1}, {2, 7}, {3, 1}};
    struct hs_arena arena;
    struct hs_record record = {0};
    struct hs_buf value = {0};
    hs_arena_init(&arena, 0);
    hs_tlv_put_text(&value, 2, "name");
    struct hs_field_write fields[] = {{.number = 1},
                                      {.number = 2, .value = hs_buf_bytes(&value), .over = OVER, .over_count = 3}};
    struct hs_write registers = {.kind = 1, .id = HS_BYTES("x", 1), .fields = fields, .field_count = 2};
    struct hs_write fact = {.kind = 1, .id = HS_BYTES("x", 1), .is_fact = true, .fact = HS_BYTES("paid", 4)};
    put_state(put, "empty", &record);
    hs_record_apply(&record, &(struct hs_dot){2, 3}, 5, &fact, &arena);
    put_state(put, "fact", &record);
    fact.fact = HS_BYTES("paid more", 9);
    hs_record_apply(&record, &(struct hs_dot){1, 1}, 5, &fact, &arena);
    put_state(put, "two-facts", &record);
    record = (struct hs_record){0};
    hs_record_apply(&record, &(struct hs_dot){1, 4}, 7, &registers, &arena);
    put_state(put, "covered", &record);
    hs_record_apply(&record, &(struct hs_dot){2, 9}, 6, &registers, &arena);
    hs_record_apply(&record, &(struct hs_dot){4, 1}, 8, &registers, &arena);
    put_state(put, "rivals", &record);
    hs_record_apply(&record, &(struct hs_dot){4, 2}, 8, &fact, &arena);
    put_state(put, "both", &record);
    put("writes", FUZZ_SEED("\1\2\3\1\1\1x\2\1\2\3abc\2\1\4\1\2\3\1\1\1x\1\1\1\1"));
    hs_buf_fini(&value);
    hs_arena_fini(&arena);
}
