/* op_property_test.c -- random operations, held against protobuf-c as a second decoder that knows nothing of ours:
 * encode and decode are inverse; both sides read the same; bytes are accepted exactly if protobuf-c reads them, packs
 * them again to the same bytes, found nothing unknown in them and the content keeps the rules.
 *
 * HS_SEED=N repeats a run. */
#include "tests/lib/random.h"

#include "proto/msg/op.h"
#include "proto/msg/tlv.h"
#include "proto/op.pb-c.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_SEED        20261121
#define ROUNDS              1500
#define BROKEN_OPS          150
#define MUTATIONS           400
#define BROKEN_OP_BYTES_MAX 1024 /* small ones are broken more often at the places that matter */

/* Small numbers mostly, now and then of any size: varints of every length. */
static uint64_t random_number(void)
{
    return random_u64() >> random_below(64);
}

/* ---- random operations that keep the rules ---- */

static struct hs_bytes random_bytes(struct hs_arena *arena, size_t size)
{
    uint8_t *bytes = hs_arena_alloc(arena, size);
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)random_u64();
    return HS_BYTES(bytes, size);
}

static void put_occurrence(struct hs_buf *buf, uint32_t number, struct hs_arena *arena)
{
    switch (random_below(3)) {
    case 0:
        hs_tlv_put_u64(buf, number, random_number());
        break;
    case 1:
        hs_tlv_put_fixed64(buf, number, random_u64());
        break;
    default:
        hs_tlv_put_bytes(buf, number, random_bytes(arena, random_below(random_below(8) == 0 ? 2000 : 20)));
    }
}

static struct hs_bytes random_value(struct hs_arena *arena, uint32_t number)
{
    if (random_below(5) == 0)
        return HS_BYTES_NONE;
    struct hs_buf buf = {0};
    for (size_t left = 1 + random_below(3); left > 0; left--)
        put_occurrence(&buf, number, arena);
    struct hs_bytes value = hs_arena_copy(arena, hs_buf_bytes(&buf));
    hs_buf_fini(&buf);
    return value;
}

static void random_over(struct hs_arena *arena, struct hs_field_write *field)
{
    field->over_count = random_below(random_below(10) == 0 ? 30 : 3);
    struct hs_dot *over = hs_arena_array(arena, field->over_count, sizeof *over);
    struct hs_dot dot = {1 + random_below(100), 1 + random_below(100)};
    for (size_t i = 0; i < field->over_count; i++) {
        over[i] = dot;
        if (random_below(2) == 0)
            dot.n += 1 + random_number() / 64;
        else
            dot = (struct hs_dot){dot.origin + 1 + random_number() / 64, 1 + random_number() / 2};
    }
    field->over = over;
}

static void random_fields(struct hs_arena *arena, struct hs_write *write)
{
    write->field_count = 1 + random_below(random_below(8) == 0 ? 40 : 4);
    struct hs_field_write *fields = hs_arena_array(arena, write->field_count, sizeof *fields);
    uint32_t number = 0;
    for (size_t i = 0; i < write->field_count; i++) {
        number += 1 + (uint32_t)random_below(random_below(8) == 0 ? 5000000 : 5);
        fields[i].number = number;
        fields[i].value = random_value(arena, number);
        random_over(arena, &fields[i]);
    }
    write->fields = fields;
}

static void random_write(struct hs_arena *arena, size_t index, struct hs_write *write)
{
    /* the index in the id keeps records apart */
    uint8_t *id = (uint8_t *)random_bytes(arena, 1 + random_below(HS_RECORD_ID_BYTES_MAX)).data;
    id[0] = (uint8_t)index;
    write->id = HS_BYTES(id, 1 + random_below(16));
    write->kind = (uint16_t)(1 + random_below(random_below(4) == 0 ? UINT16_MAX : 10));
    write->is_fact = random_below(2) == 0;
    if (write->is_fact)
        write->fact = random_bytes(arena, random_below(random_below(8) == 0 ? 3000 : 60));
    else
        random_fields(arena, write);
}

static struct hs_op random_op(struct hs_arena *arena)
{
    struct hs_op op = {.stamp = random_number() / 2};
    op.write_count = 1 + random_below(random_below(10) == 0 ? HS_OP_WRITES_MAX : 3);
    struct hs_write *writes = hs_arena_array(arena, op.write_count, sizeof *writes);
    for (size_t i = 0; i < op.write_count; i++)
        random_write(arena, i, &writes[i]);
    op.writes = writes;
    if (random_below(2) == 0)
        op.request = random_bytes(arena, HS_REQUEST_ID_BYTES);
    return op;
}

/* ---- protobuf-c's view as an op of ours; false if it has no form in ours ---- */

static struct hs_bytes bytes_of(ProtobufCBinaryData data)
{
    return HS_BYTES(data.data, data.len);
}

static bool field_of(const Hallsync__FieldWrite *from, struct hs_arena *arena, struct hs_field_write *to)
{
    if (from->base.n_unknown_fields != 0 || (from->has_value && from->value.len == 0))
        return false;
    to->number = from->number;
    to->value = from->has_value ? bytes_of(from->value) : HS_BYTES_NONE;
    struct hs_dot *over = hs_arena_array(arena, from->n_overwrites, sizeof *over);
    bool known = true;
    for (size_t i = 0; i < from->n_overwrites; i++) {
        over[i] = (struct hs_dot){from->overwrites[i]->origin, from->overwrites[i]->n};
        known = known && from->overwrites[i]->base.n_unknown_fields == 0;
    }
    to->over = over;
    to->over_count = from->n_overwrites;
    return known;
}

static bool write_of(const Hallsync__Write *from, struct hs_arena *arena, struct hs_write *to)
{
    if (from->base.n_unknown_fields != 0 || from->kind > UINT16_MAX)
        return false;
    to->kind = (uint16_t)from->kind;
    to->id = bytes_of(from->id);
    to->is_fact = from->has_fact;
    to->fact = from->has_fact ? bytes_of(from->fact) : HS_BYTES_NONE;
    struct hs_field_write *fields = hs_arena_array(arena, from->n_fields, sizeof *fields);
    for (size_t i = 0; i < from->n_fields; i++) {
        if (!field_of(from->fields[i], arena, &fields[i]))
            return false;
    }
    to->fields = fields;
    to->field_count = from->n_fields;
    return true;
}

static bool op_of(const Hallsync__Op *from, struct hs_arena *arena, struct hs_op *to)
{
    if (from->base.n_unknown_fields != 0 || (from->has_request && from->request.len == 0))
        return false;
    struct hs_write *writes = hs_arena_array(arena, from->n_writes, sizeof *writes);
    for (size_t i = 0; i < from->n_writes; i++) {
        if (!write_of(from->writes[i], arena, &writes[i]))
            return false;
    }
    *to = (struct hs_op){.stamp = from->stamp, .writes = writes, .write_count = from->n_writes};
    to->request = from->has_request ? bytes_of(from->request) : HS_BYTES_NONE;
    return true;
}

/* ---- comparison ---- */

static bool fields_equal(const struct hs_field_write *a, const struct hs_field_write *b)
{
    if (a->number != b->number || !hs_bytes_equal(a->value, b->value) || a->over_count != b->over_count)
        return false;
    for (size_t i = 0; i < a->over_count; i++) {
        if (hs_dot_compare(&a->over[i], &b->over[i]) != 0)
            return false;
    }
    return true;
}

static bool writes_equal(const struct hs_write *a, const struct hs_write *b)
{
    if (a->kind != b->kind || !hs_bytes_equal(a->id, b->id) || a->is_fact != b->is_fact ||
        !hs_bytes_equal(a->fact, b->fact) || a->field_count != b->field_count)
        return false;
    for (size_t i = 0; i < a->field_count; i++) {
        if (!fields_equal(&a->fields[i], &b->fields[i]))
            return false;
    }
    return true;
}

static bool ops_equal(const struct hs_op *a, const struct hs_op *b)
{
    if (a->stamp != b->stamp || !hs_bytes_equal(a->request, b->request) || a->write_count != b->write_count)
        return false;
    for (size_t i = 0; i < a->write_count; i++) {
        if (!writes_equal(&a->writes[i], &b->writes[i]))
            return false;
    }
    return true;
}

/* ---- the oracle ---- */

static bool packs_to(const Hallsync__Op *message, struct hs_bytes bytes)
{
    if (hallsync__op__get_packed_size(message) != bytes.size)
        return false;
    uint8_t *packed = malloc(bytes.size + 1);
    assert_non_null(packed);
    hallsync__op__pack(message, packed);
    bool same = memcmp(packed, bytes.data, bytes.size) == 0;
    free(packed);
    return same;
}

/* Would an op of exactly these bytes be good, by protobuf-c and hs_op_check alone?  The caller frees *message. */
static bool oracle(struct hs_bytes bytes, struct hs_arena *arena, Hallsync__Op **message, struct hs_op *op)
{
    *message = hallsync__op__unpack(NULL, bytes.size, bytes.data);
    return *message != NULL && packs_to(*message, bytes) && op_of(*message, arena, op) && hs_op_check(op) == HS_OK;
}

/* Whatever the bytes are: the verdict is the oracle's, the content too, and what was accepted encodes to itself.
 * Was it accepted? */
static bool judge(struct hs_bytes given)
{
    struct hs_arena arena;
    struct hs_op ours, theirs;
    Hallsync__Op *message;
    uint8_t *exact = malloc(given.size + (given.size == 0)); /* no byte behind it that a reader could take unseen */
    assert_non_null(exact);
    if (given.size > 0)
        memcpy(exact, given.data, given.size);
    struct hs_bytes bytes = HS_BYTES(exact, given.size);
    hs_arena_init(&arena, 0);
    enum hs_err err = hs_op_decode(bytes, &arena, &ours);
    bool good = oracle(bytes, &arena, &message, &theirs);
    assert_int_equal(err, good ? HS_OK : HS_EMALFORMED);
    if (good) {
        struct hs_buf again = {0};
        hs_op_encode(&ours, &again);
        assert_true(hs_bytes_equal(bytes, hs_buf_bytes(&again)));
        assert_true(ops_equal(&ours, &theirs));
        hs_buf_fini(&again);
    }
    if (message != NULL)
        hallsync__op__free_unpacked(message, NULL);
    hs_arena_fini(&arena);
    free(exact);
    return good;
}

static void encoding_and_decoding_are_inverse(void **state)
{
    (void)state;
    size_t accepted = 0;
    for (size_t round = 0; round < ROUNDS; round++) {
        struct hs_arena arena;
        struct hs_buf buf = {0};
        struct hs_op decoded;
        hs_arena_init(&arena, 0);
        struct hs_op op = random_op(&arena);
        hs_op_encode(&op, &buf);
        assert_int_equal(buf.err, HS_OK);
        bool fits = buf.size <= HS_OP_BYTES_MAX;
        enum hs_err check = hs_op_check(&op);
        assert_int_equal(check == HS_OK, hs_op_decode(hs_buf_bytes(&buf), &arena, &decoded) == HS_OK);
        assert_true(fits || check == HS_ETOOBIG);
        if (check == HS_OK) {
            assert_true(ops_equal(&op, &decoded));
            accepted++;
        }
        assert_int_equal(judge(hs_buf_bytes(&buf)), check == HS_OK);
        hs_buf_fini(&buf);
        hs_arena_fini(&arena);
    }
    assert_in_range(accepted, ROUNDS / 2, ROUNDS);
}

/* A small op's encoding; the arena is only of use while it is made. */
static void encode_small_op(struct hs_buf *buf)
{
    do {
        struct hs_arena arena;
        hs_arena_init(&arena, 0);
        struct hs_op op = random_op(&arena);
        hs_buf_reset(buf);
        hs_op_encode(&op, buf);
        hs_arena_fini(&arena);
    } while (buf->size > BROKEN_OP_BYTES_MAX);
}

static void no_truncation_is_mistaken(void **state)
{
    (void)state;
    struct hs_buf buf = {0};
    for (size_t round = 0; round < BROKEN_OPS; round++) {
        encode_small_op(&buf);
        for (size_t size = 0; size < buf.size; size++)
            judge(HS_BYTES(buf.data, size)); /* may end between two writes and be good */
    }
    hs_buf_fini(&buf);
}

/* One fault of a kind that links and disks make, or that a clever writer tries. */
static void mutate(struct hs_buf *buf)
{
    size_t at = random_below(buf->size);
    switch (random_below(5)) {
    case 0:
        buf->data[at] ^= (uint8_t)(1U << random_below(8));
        break;
    case 1:
        buf->data[at] = (uint8_t)random_u64();
        break;
    case 2: /* a little more or less: lengths, numbers */
        buf->data[at] = (uint8_t)(buf->data[at] + random_below(3) - 1);
        break;
    case 3: /* take a byte out */
        memmove(buf->data + at, buf->data + at + 1, buf->size - at - 1);
        buf->size--;
        break;
    default: /* double one */
        hs_buf_put_u8(buf, 0);
        memmove(buf->data + at + 1, buf->data + at, buf->size - at - 1);
    }
}

static void every_mutant_is_judged_rightly(void **state)
{
    (void)state;
    struct hs_buf buf = {0}, broken = {0};
    size_t accepted = 0;
    for (size_t round = 0; round < BROKEN_OPS; round++) {
        encode_small_op(&buf);
        for (size_t i = 0; i < MUTATIONS; i++) {
            hs_buf_reset(&broken);
            hs_buf_put_bytes(&broken, hs_buf_bytes(&buf));
            for (size_t faults = 1 + random_below(3); faults > 0 && broken.size > 0; faults--)
                mutate(&broken);
            accepted += judge(hs_buf_bytes(&broken));
        }
    }
    assert_in_range(accepted, 1, BROKEN_OPS * MUTATIONS - 1); /* both verdicts were met */
    hs_buf_fini(&buf);
    hs_buf_fini(&broken);
}

int main(void)
{
    random_state = number_of(getenv("HS_SEED"), DEFAULT_SEED);
    print_message("HS_SEED=%llu\n", (unsigned long long)random_state);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoding_and_decoding_are_inverse),
        cmocka_unit_test(no_truncation_is_mistaken),
        cmocka_unit_test(every_mutant_is_judged_rightly),
    };
    return cmocka_run_group_tests_name("op_property", tests, NULL, NULL);
}
