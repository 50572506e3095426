/* base_test.c -- proto/ and the merge without memory: each step answers HS_ENOMEM or what it always answers. */
#include "tests/fault/fault.h"

#include "proto/local.pb-c.h"
#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"
#include "proto/msg/trust.h"
#include "storage/model/kinds.h"
#include "storage/model/record.h"

#include <string.h>

#define TEXT(literal) HS_BYTES(literal, sizeof(literal) - 1)
#define COUNT(array)  (sizeof(array) / sizeof *(array))

/* What a body comes to, and what it came to in its first run, without a fault. */
struct outcome {
    struct hs_buf first, now;
};

static void settle(struct outcome *outcome, enum hs_err err)
{
    fault_end();
    assert_true(err == HS_OK || err == HS_ENOMEM);
    fault_assert_named(err);
    if (outcome->first.data == NULL)
        hs_buf_put_bytes(&outcome->first, hs_buf_bytes(&outcome->now));
    if (err == HS_OK && !hs_bytes_equal(hs_buf_bytes(&outcome->first), hs_buf_bytes(&outcome->now)))
        fail_msg("said to be done, and is something else");
    hs_buf_fini(&outcome->now);
    outcome->now = (struct hs_buf){0};
}

static void run(const char *name, fault_body body)
{
    struct outcome outcome = {0};
    fault_each(name, FAULT_OF_MEMORY, body, &outcome);
    assert_true(outcome.first.size > 0);
    hs_buf_fini(&outcome.first);
}

/* ---- buffers and arenas ---- */

static void fill_buffer(void *ctx)
{
    struct outcome *outcome = ctx;
    struct hs_buf *buf = &outcome->now;
    fault_begin();
    for (uint64_t i = 0; i < 40; i++) {
        hs_buf_put_u8(buf, (uint8_t)i);
        hs_buf_put_u16(buf, (uint16_t)i);
        hs_buf_put_u32(buf, (uint32_t)i);
        hs_buf_put_u64(buf, i);
        hs_buf_put_varint(buf, i << 40);
        hs_buf_put_sized(buf, TEXT("hall"));
        hs_buf_put_format(buf, "%llu", (unsigned long long)i);
        uint8_t *at = hs_buf_extend(buf, 3);
        assert_true((at == NULL) == (buf->err != HS_OK));
        if (at != NULL)
            memset(at, 0xaa, 3);
    }
    settle(outcome, buf->err);
}

static void buffers(void **state)
{
    (void)state;
    run("a buffer", fill_buffer);
}

static void fill_arena(void *ctx)
{
    struct outcome *outcome = ctx;
    struct hs_arena arena;
    bool lost = false;
    hs_arena_init(&arena, 0);
    fault_begin();
    for (size_t i = 1; i < 20; i++) {
        const uint64_t *numbers = hs_arena_array(&arena, 100 * i, sizeof *numbers);
        struct hs_bytes copy = hs_arena_copy(&arena, TEXT("copied"));
        const char *text = hs_arena_text(&arena, copy);
        lost = lost || numbers == NULL || copy.data == NULL || text == NULL;
        if (i == 10)
            hs_arena_reset(&arena);
        if (!lost) {
            assert_true(numbers[100 * i - 1] == 0);
            assert_string_equal(text, "copied");
        }
    }
    fault_end();
    hs_buf_put_u8(&outcome->now, 1);
    hs_arena_fini(&arena);
    settle(outcome, lost ? HS_ENOMEM : HS_OK);
}

static void arenas(void **state)
{
    (void)state;
    run("an arena", fill_arena);
}

/* ---- operations ---- */

static void code_op(void *ctx)
{
    struct outcome *outcome = ctx;
    static const struct hs_dot OVER[] = {{7, 1}, {7, 2}, {9, 1}};
    const struct hs_field_write fields[] = {{3, TEXT("\x1a\x03one"), OVER, COUNT(OVER)}, {9, HS_BYTES_NONE, OVER, 1}};
    const struct hs_write writes[] = {
        {.kind = 3, .id = TEXT("0123456789abcdef"), .is_fact = true, .fact = TEXT("\x12\x02hi")},
        {.kind = 1, .id = TEXT("3201000001"), .fields = fields, .field_count = COUNT(fields)},
    };
    const struct hs_op op = {5, writes, COUNT(writes), TEXT("abcdefghijklmnop")};
    struct hs_arena arena;
    struct hs_op read;
    hs_arena_init(&arena, 0);
    struct hs_buf bytes = {0};
    fault_begin();
    hs_op_encode(&op, &bytes);
    enum hs_err err = bytes.err;
    if (err == HS_OK)
        err = hs_op_decode(hs_buf_bytes(&bytes), &arena, &read);
    if (err == HS_OK) {
        hs_op_encode(&read, &outcome->now);
        err = outcome->now.err;
    }
    fault_end();
    hs_buf_fini(&bytes);
    hs_arena_fini(&arena);
    settle(outcome, err);
}

static void operations(void **state)
{
    (void)state;
    run("an operation", code_op);
}

/* ---- messages ---- */

static void code_message(void *ctx)
{
    struct outcome *outcome = ctx;
    char path[] = "bills.csv:7";
    uint8_t content[] = "\x12\x02hi";
    Hallsync__PutRecord record = HALLSYNC__PUT_RECORD__INIT;
    Hallsync__PutRecord *records[] = {&record, &record, &record};
    Hallsync__PutRequest put = HALLSYNC__PUT_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    record.record = (ProtobufCBinaryData){4, content};
    record.source = path;
    put.records = records;
    put.n_records = COUNT(records);
    request.body_case = HALLSYNC__REQUEST__BODY_PUT;
    request.put = &put;
    struct hs_arena arena;
    struct hs_buf packed = {0};
    struct hs_frame frame;
    ProtobufCMessage *read = NULL;
    hs_arena_init(&arena, 0);
    fault_begin();
    hs_frame_encode(7, 1, &request.base, &packed);
    enum hs_err err = packed.err;
    if (err == HS_OK)
        err = hs_frame_decode(hs_buf_bytes(&packed), &frame);
    if (err == HS_OK)
        err = hs_msg_unpack(&hallsync__request__descriptor, frame.body, &arena, &read);
    if (err == HS_OK) {
        hs_msg_pack(read, &outcome->now);
        err = outcome->now.err;
    }
    fault_end();
    hs_buf_fini(&packed);
    hs_arena_fini(&arena);
    settle(outcome, err);
}

static void messages(void **state)
{
    (void)state;
    run("a message", code_message);
}

/* ---- trust ---- */

struct keys {
    struct outcome outcome;
    struct hs_secret root, issuer, node;
    struct hs_key root_key, issuer_key, node_key;
};

static enum hs_err certify(struct keys *keys, struct hs_buf *issuer, struct hs_buf *certificate)
{
    struct hs_certificate read;
    struct hs_issuer_draft issuer_draft = {"Nanjing", "nj-hub", keys->issuer_key, 1};
    struct hs_certificate draft = {
        .node_id = "nj-gulou", .role = HS_ROLE_HALL, .node_key = keys->node_key, .home = 3201};
    draft.issuer_key = keys->issuer_key;
    draft.districts[draft.district_count++] = 3201;
    enum hs_err err = hs_issuer_sign(&issuer_draft, &keys->root, issuer);
    if (err == HS_OK)
        err = hs_certificate_sign(&draft, hs_buf_bytes(issuer), &keys->issuer, certificate);
    if (err == HS_OK)
        err = hs_certificate_verify(hs_buf_bytes(certificate), &keys->root_key, &read);
    if (err == HS_OK)
        assert_string_equal(read.node_id, "nj-gulou");
    return err;
}

static enum hs_err sign_all(struct keys *keys, struct hs_buf *opening)
{
    const struct hs_signer signer = hs_signer_of(&keys->node);
    const struct hs_stream stream = {5, 3201, HS_LANE_MONEY};
    const struct hs_hash hash = hs_chain_start(&stream);
    struct hs_opening read = {5, keys->node_key, 0, 1};
    struct hs_signature signature;
    struct hs_receipt receipt = {.store_id = 1, .stream = stream, .n = 1, .hash = hash, .hub_key = keys->node_key};
    enum hs_err err = hs_opening_sign(&read, &signer, opening);
    if (err == HS_OK)
        err = hs_opening_verify(hs_buf_bytes(opening), &read);
    if (err == HS_OK)
        err = hs_checkpoint_sign(&stream, 1, &hash, &signer, &signature);
    if (err == HS_OK)
        err = hs_checkpoint_verify(&stream, 1, &hash, &keys->node_key, &signature);
    if (err == HS_OK)
        err = hs_receipt_sign(&receipt, &signer);
    if (err == HS_OK)
        err = hs_receipt_verify(&receipt);
    if (err == HS_OK)
        err = hs_join_sign(keys->node.bytes, &keys->node_key, &keys->node_key, &signer, &signature);
    return err == HS_OK ? hs_join_verify(keys->node.bytes, &keys->node_key, &keys->node_key, &signature) : err;
}

static enum hs_err code_token(struct hs_buf *text)
{
    static const struct hs_token token = {
        .node_id = "nj-gulou", .addresses = {"tcp://192.0.2.1:7400"}, .address_count = 1, .region = "Nanjing"};
    struct hs_token read;
    enum hs_err err = hs_token_encode(&token, text);
    if (err == HS_OK) {
        hs_buf_put_u8(text, 0);
        err = text->err;
    }
    if (err == HS_OK)
        err = hs_token_decode((const char *)text->data, &read);
    if (err == HS_OK)
        assert_string_equal(read.addresses[0], token.addresses[0]);
    return err;
}

static void trust_all(void *ctx)
{
    struct keys *keys = ctx;
    struct hs_buf issuer = {0};
    struct hs_buf certificate = {0};
    struct hs_buf opening = {0};
    struct hs_buf token = {0};
    fault_begin();
    enum hs_err err = certify(keys, &issuer, &certificate);
    if (err == HS_OK)
        err = sign_all(keys, &opening);
    if (err == HS_OK)
        err = code_token(&token);
    fault_end();
    hs_buf_put_bytes(&keys->outcome.now, hs_buf_bytes(&certificate));
    hs_buf_put_bytes(&keys->outcome.now, hs_buf_bytes(&opening));
    hs_buf_put_bytes(&keys->outcome.now, hs_buf_bytes(&token));
    hs_buf_fini(&issuer);
    hs_buf_fini(&certificate);
    hs_buf_fini(&opening);
    hs_buf_fini(&token);
    settle(&keys->outcome, err);
}

static void trust(void **state)
{
    (void)state;
    struct keys keys = {0};
    assert_int_equal(hs_secret_new(&keys.root, &keys.root_key), HS_OK);
    assert_int_equal(hs_secret_new(&keys.issuer, &keys.issuer_key), HS_OK);
    assert_int_equal(hs_secret_new(&keys.node, &keys.node_key), HS_OK);
    fault_each("trust", FAULT_OF_MEMORY, trust_all, &keys);
    hs_buf_fini(&keys.outcome.first);
}

/* ---- records ---- */

/* More origins than the coder has room for without asking. */
#define ORIGINS 40

static enum hs_err apply_some(struct hs_record *record, uint64_t origin, struct hs_arena *arena)
{
    const struct hs_dot over = {origin - 1, 1};
    const struct hs_field_write fields[] = {{3, TEXT("\x1a\x03one"), &over, 1}, {9, HS_BYTES_NONE, NULL, 0}};
    const struct hs_write named = {.kind = 1, .id = TEXT("3201000001"), .fields = fields, .field_count = COUNT(fields)};
    const struct hs_write fact = {.kind = 3, .id = TEXT("3201000001"), .is_fact = true, .fact = TEXT("\x12\x02hi")};
    const struct hs_dot dot = {origin, 1};
    enum hs_err err = hs_record_apply(record, &dot, origin, &named, arena);
    return err == HS_OK ? hs_record_apply(record, &dot, origin, &fact, arena) : err;
}

static enum hs_err merge(struct hs_arena *arena, struct hs_buf *state, struct hs_buf *shown)
{
    struct hs_record a = {0};
    struct hs_record b = {0};
    struct hs_record both;
    struct hs_record read;
    enum hs_err err = HS_OK;
    for (uint64_t origin = 1; err == HS_OK && origin <= ORIGINS; origin++)
        err = apply_some(origin % 2 == 0 ? &a : &b, origin, arena);
    if (err == HS_OK)
        err = hs_record_join(&a, &b, arena, &both);
    if (err != HS_OK)
        return err;
    hs_record_encode(&both, state);
    err = state->err;
    if (err == HS_OK)
        err = hs_record_decode(hs_buf_bytes(state), arena, &read);
    return err == HS_OK ? hs_record_shown(&read, shown) : err;
}

static void merge_all(void *ctx)
{
    struct outcome *outcome = ctx;
    struct hs_arena arena;
    struct hs_buf shown = {0};
    hs_arena_init(&arena, 0);
    fault_begin();
    enum hs_err err = merge(&arena, &outcome->now, &shown);
    fault_end();
    hs_buf_put_bytes(&outcome->now, hs_buf_bytes(&shown));
    hs_buf_fini(&shown);
    hs_arena_fini(&arena);
    settle(outcome, err);
}

static void records(void **state)
{
    (void)state;
    run("a record", merge_all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fault_test(buffers),  fault_test(arenas), fault_test(operations),
        fault_test(messages), fault_test(trust),  fault_test(records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
