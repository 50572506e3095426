/* vectors_test.c -- the wire format, byte for byte: what this build makes from fixed seeds is what vectors.txt says,
 * and is accepted.  A difference is a break with every node in the field, never a reason to write the file anew.
 *
 *   vectors_test FILE           compare
 *   vectors_test --write FILE   write it: for vectors that are new */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/base/text.h"
#include "proto/msg/frame.h"
#include "proto/msg/op.h"
#include "proto/msg/tlv.h"
#include "proto/msg/trust.h"
#include "proto/peer.pb-c.h"
#include "storage/model/record.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(literal) HS_BYTES(literal, sizeof(literal) - 1)
#define COUNT(array)  (sizeof(array) / sizeof *(array))

static const char *vectors_path;

/* ---- lines: "name: key=hex key=hex" ---- */

static void begin(struct hs_buf *out, const char *name)
{
    hs_buf_put_format(out, "%s:", name);
}

static void put_hex(struct hs_buf *out, const char *key, struct hs_bytes bytes)
{
    char *hex = malloc(2 * bytes.size + 1);
    assert_non_null(hex);
    hs_text_to_hex(bytes, hex);
    hs_buf_put_format(out, " %s=%s", key, hex);
    free(hex);
}

static void put_hash(struct hs_buf *out, const char *key, const struct hs_hash *hash)
{
    put_hex(out, key, HS_BYTES(hash->bytes, sizeof hash->bytes));
}

static void put_key(struct hs_buf *out, const char *key, const struct hs_key *public_key)
{
    put_hex(out, key, HS_BYTES(public_key->bytes, sizeof public_key->bytes));
}

static void put_signature(struct hs_buf *out, const struct hs_signature *signature)
{
    put_hex(out, "signature", HS_BYTES(signature->bytes, sizeof signature->bytes));
}

static void put_u64(struct hs_buf *out, const char *key, uint64_t value)
{
    hs_buf_put_format(out, " %s=%016llx", key, (unsigned long long)value);
}

static void end(struct hs_buf *out)
{
    hs_buf_put_u8(out, '\n');
}

static void comment(struct hs_buf *out, const char *text)
{
    hs_buf_put_format(out, "\n# %s\n", text);
}

/* ---- the actors ---- */

struct actor {
    struct hs_secret secret;
    struct hs_key key;
    struct hs_signer signer;
};

struct actors {
    struct actor root, hub, hall;
};

static void actor_init(struct actor *actor, uint8_t number, const char *name, struct hs_buf *out)
{
    uint8_t seed[crypto_sign_SEEDBYTES], node[HS_NODE_HASH_BYTES];
    memset(seed, number, sizeof seed);
    assert_int_equal(crypto_sign_seed_keypair(actor->key.bytes, actor->secret.bytes, seed), 0);
    actor->signer = hs_signer_of(&actor->secret);
    hs_node_hash(&actor->key, node);
    begin(out, name);
    put_hex(out, "seed", HS_BYTES(seed, sizeof seed));
    put_key(out, "public", &actor->key);
    put_hex(out, "node_name", HS_BYTES(node, sizeof node));
    end(out);
}

static void put_actors(struct actors *actors, struct hs_buf *out)
{
    comment(out, "Ed25519 keys of three seeds, and the 8 bytes that name a node in frontiers.");
    actor_init(&actors->root, 1, "key.root", out);
    actor_init(&actors->hub, 2, "key.hub", out);
    actor_init(&actors->hall, 3, "key.hall", out);
}

/* ---- names ---- */

static void put_record_key(struct hs_buf *out, const char *name, const struct hs_record_name *record)
{
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    size_t size = hs_record_key(record, key);
    begin(out, name);
    hs_buf_put_format(out, " partition=%04x lane=%02x kind=%04x", record->partition, record->lane, record->kind);
    put_hex(out, "id", record->id);
    put_hex(out, "key", HS_BYTES(key, size));
    end(out);
}

static void put_hashed_id(struct hs_buf *out)
{
    struct hs_id id;
    bool hashed;
    assert_int_equal(hs_id_from_text("P-2026-001", 10, &id, &hashed), HS_OK);
    assert_true(hashed);
    begin(out, "id.text");
    put_hex(out, "text", TEXT("P-2026-001"));
    put_hex(out, "id", HS_BYTES(id.bytes, sizeof id.bytes));
    end(out);
}

static void put_names(struct hs_buf *out)
{
    comment(out, "Record keys; a text that is no 128-bit id, and the id that it stands for.");
    struct hs_record_name customer = {.partition = 3201, .lane = HS_LANE_PEOPLE, .kind = 1, .id = TEXT("3201000017")};
    struct hs_record_name regional = {
        .partition = HS_PARTITION_REGION, .lane = HS_LANE_WORK, .kind = 7, .id = TEXT("0123456789abcdef")};
    put_record_key(out, "record_key.customer", &customer);
    put_record_key(out, "record_key.region", &regional);
    put_hashed_id(out);
}

/* ---- operations ---- */

static void encode_op(const struct hs_op *op, struct hs_buf *encoded)
{
    struct hs_arena arena;
    struct hs_op again;
    hs_buf_reset(encoded);
    assert_int_equal(hs_op_check(op), HS_OK);
    hs_op_encode(op, encoded);
    hs_arena_init(&arena, 0);
    assert_int_equal(hs_op_decode(hs_buf_bytes(encoded), &arena, &again), HS_OK);
    hs_arena_fini(&arena);
}

static void put_op(struct hs_buf *out, const char *name, struct hs_bytes op)
{
    begin(out, name);
    put_hex(out, "op", op);
    end(out);
}

/* Stamp 0x0192000000000001: a payment and its cash entry, as a hall writes them together. */
static void encode_payment(struct hs_buf *op)
{
    struct hs_buf payment = {0}, entry = {0};
    hs_tlv_put_text(&payment, 2, "3201000017");
    hs_tlv_put_u64(&payment, 3, 12345);
    hs_tlv_put_text(&payment, 5, "cash");
    hs_tlv_put_text(&entry, 1, "jb-chengbei-20261121-1-AAAAAA-1");
    hs_tlv_put_s64(&entry, 3, 12345);
    struct hs_write writes[] = {
        {.kind = 3, .id = TEXT("0123456789abcdef"), .is_fact = true, .fact = hs_buf_bytes(&payment)},
        {.kind = 4, .id = TEXT("jb-chengbei-20261121-1-AAAAAA-1"), .is_fact = true, .fact = hs_buf_bytes(&entry)}};
    struct hs_op built = {.stamp = 0x0192000000000001, .writes = writes, .write_count = 2};
    encode_op(&built, op);
    hs_buf_fini(&payment);
    hs_buf_fini(&entry);
}

/* A customer: a new phone that overwrites two values, the card number cleared, and the request that asked for it. */
static void encode_customer(struct hs_buf *op)
{
    struct hs_buf phone = {0};
    hs_tlv_put_text(&phone, 3, "13900000000");
    struct hs_dot over[] = {{0x1111111111111111, 4}, {0x2222222222222222, 300}};
    struct hs_field_write fields[] = {{.number = 3, .value = hs_buf_bytes(&phone), .over = over, .over_count = 2},
                                      {.number = 6}};
    struct hs_write write = {.kind = 1, .id = TEXT("3201000017"), .fields = fields, .field_count = 2};
    struct hs_op built = {
        .stamp = 0x0192000000000002, .writes = &write, .write_count = 1, .request = TEXT("request-16-bytes")};
    encode_op(&built, op);
    hs_buf_fini(&phone);
}

/* The same op once broken: one byte of it changed or more put behind it. */
static void put_void_op(struct hs_buf *out, const char *name, struct hs_bytes op)
{
    struct hs_arena arena;
    struct hs_op decoded;
    hs_arena_init(&arena, 0);
    assert_int_equal(hs_op_decode(op, &arena, &decoded), HS_EMALFORMED);
    hs_arena_fini(&arena);
    put_op(out, name, op);
}

static void put_ops(struct hs_buf *out)
{
    struct hs_buf op = {0};
    comment(out, "Operations, and bytes that are none (void).");
    encode_payment(&op);
    put_op(out, "op.payment", hs_buf_bytes(&op));
    encode_customer(&op);
    put_op(out, "op.customer", hs_buf_bytes(&op));
    put_void_op(out, "void.no_write", TEXT("\x09\1\0\0\0\0\0\0\0"));
    put_void_op(out, "void.unknown_field", TEXT("\x09\1\0\0\0\0\0\0\0\x12\x07\x08\x03\x12\x01k\x1a\0\x20\x01"));
    put_void_op(out, "void.long_varint", TEXT("\x09\1\0\0\0\0\0\0\0\x12\x08\x08\x83\0\x12\x01k\x1a\0"));
    put_void_op(out, "void.record_twice",
                TEXT("\x09\1\0\0\0\0\0\0\0\x12\x07\x08\x03\x12\x01k\x1a\0\x12\x07\x08\x03\x12\x01k\x1a\0"));
    put_void_op(out, "void.value_of_another_field",
                TEXT("\x09\1\0\0\0\0\0\0\0\x12\x0d\x08\x01\x12\x01k\x22\x06\x08\x02\x12\x02\x18\x01"));
    hs_buf_fini(&op);
}

/* ---- the chain of a stream, its checkpoint and a receipt for it ---- */

static const struct hs_stream STREAM = {.origin = 0x0123456789abcdef, .partition = 3201, .lane = HS_LANE_MONEY};

static void put_chain(struct hs_hash *hash, struct hs_buf *out)
{
    struct hs_buf op = {0};
    uint8_t key[HS_STREAM_KEY_BYTES];
    comment(out, "A stream's name and the start of its chain; then op.payment as its operation 1.");
    hs_stream_key(&STREAM, key);
    struct hs_hash start = hs_chain_start(&STREAM);
    encode_payment(&op);
    *hash = hs_chain_next(&start, hs_buf_bytes(&op));
    begin(out, "chain.start");
    hs_buf_put_format(out, " partition=%04x origin=%016llx lane=%02x", STREAM.partition,
                      (unsigned long long)STREAM.origin, STREAM.lane);
    put_hex(out, "stream", HS_BYTES(key, sizeof key));
    put_hash(out, "hash", &start);
    end(out);
    begin(out, "chain.next");
    put_hash(out, "previous", &start);
    put_hash(out, "hash", hash);
    end(out);
    hs_buf_fini(&op);
}

static enum hs_err keep_message(void *ctx, struct hs_bytes message, struct hs_signature *signature)
{
    memset(signature, 0, sizeof *signature);
    hs_buf_put_bytes(ctx, message);
    return HS_OK;
}

static void put_checkpoint(const struct actors *actors, const struct hs_hash *hash, struct hs_buf *out)
{
    struct hs_buf message = {0};
    struct hs_signer keeper = {keep_message, &message};
    struct hs_signature signature;
    comment(out, "The checkpoint of chain.next by key.hall, a receipt for it by key.hub: what is signed, and how.");
    assert_int_equal(hs_checkpoint_sign(&STREAM, 1, hash, &keeper, &signature), HS_OK);
    assert_int_equal(hs_checkpoint_sign(&STREAM, 1, hash, &actors->hall.signer, &signature), HS_OK);
    assert_int_equal(hs_checkpoint_verify(&STREAM, 1, hash, &actors->hall.key, &signature), HS_OK);
    begin(out, "checkpoint");
    put_u64(out, "n", 1);
    put_hex(out, "message", hs_buf_bytes(&message));
    put_signature(out, &signature);
    end(out);
    hs_buf_fini(&message);
}

static void put_receipt(const struct actors *actors, const struct hs_hash *hash, struct hs_buf *out)
{
    struct hs_buf message = {0};
    struct hs_signer keeper = {keep_message, &message};
    struct hs_receipt receipt = {.store_id = 0xfedcba9876543210,
                                 .stream = STREAM,
                                 .n = 1,
                                 .hash = *hash,
                                 .time_ms = 1795219200000,
                                 .hub_key = actors->hub.key};
    assert_int_equal(hs_receipt_sign(&receipt, &keeper), HS_OK);
    assert_int_equal(hs_receipt_sign(&receipt, &actors->hub.signer), HS_OK);
    assert_int_equal(hs_receipt_verify(&receipt), HS_OK);
    begin(out, "receipt");
    put_u64(out, "store_id", receipt.store_id);
    put_u64(out, "time_ms", receipt.time_ms);
    put_hex(out, "message", hs_buf_bytes(&message));
    put_signature(out, &receipt.signature);
    end(out);
    hs_buf_fini(&message);
}

/* ---- records: the states that the operations above make ---- */

/* Of the digest tree: the first 12 bits of the key's hash. */
static unsigned leaf_of(const struct hs_record_name *name)
{
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    struct hs_hash hash = hs_hash_domain("hallsync leaf 1", HS_BYTES(key, hs_record_key(name, key)));
    return hs_from_be16(hash.bytes) >> 4;
}

static void put_record(struct hs_buf *out, const char *title, const struct hs_record_name *name,
                       const struct hs_record *record)
{
    struct hs_buf state = {0};
    hs_record_encode(record, &state);
    assert_int_equal(state.err, HS_OK);
    struct hs_hash hash = hs_record_hash(name, hs_buf_bytes(&state));
    struct hs_hash inputs = hs_record_inputs(record);
    begin(out, title);
    put_hex(out, "state", hs_buf_bytes(&state));
    put_hash(out, "hash", &hash);
    put_hash(out, "inputs", &inputs);
    hs_buf_put_format(out, " leaf=%04x", leaf_of(name));
    end(out);
    hs_buf_fini(&state);
}

/* The first write of an op applied to the record so far. */
static struct hs_write apply_op(struct hs_record *record, const struct hs_dot *dot, struct hs_bytes encoded,
                                struct hs_arena *arena)
{
    struct hs_op op;
    assert_int_equal(hs_op_decode(encoded, arena, &op), HS_OK);
    assert_int_equal(hs_record_apply(record, dot, op.stamp, &op.writes[0], arena), HS_OK);
    return op.writes[0];
}

static void put_records(struct hs_buf *out)
{
    struct hs_buf op = {0};
    struct hs_arena arena;
    struct hs_record payment = {0}, customer = {0};
    hs_arena_init(&arena, 0);
    comment(out,
            "States: op.payment's payment, dot (0123456789abcdef, 1); op.customer's customer, (3333333333333333, 5).");
    encode_payment(&op);
    struct hs_write write = apply_op(&payment, &(struct hs_dot){STREAM.origin, 1}, hs_buf_bytes(&op), &arena);
    struct hs_record_name name = {3201, HS_LANE_MONEY, write.kind, write.id};
    put_record(out, "record.payment", &name, &payment);
    encode_customer(&op);
    write = apply_op(&customer, &(struct hs_dot){0x3333333333333333, 5}, hs_buf_bytes(&op), &arena);
    name = (struct hs_record_name){3201, HS_LANE_PEOPLE, write.kind, write.id};
    put_record(out, "record.customer", &name, &customer);
    hs_arena_fini(&arena);
    hs_buf_fini(&op);
}

/* ---- certificates and openings ---- */

static struct hs_key curve_key(void)
{
    struct hs_key key;
    memset(key.bytes, 4, sizeof key.bytes);
    return key;
}

static void put_certificate(const struct actors *actors, struct hs_buf *out)
{
    struct hs_buf issuer = {0}, certificate = {0};
    struct hs_issuer_draft issuer_draft = {"Jiangbei", "jb-hub", actors->hub.key, 1795219200000};
    struct hs_certificate draft = {.node_id = "jb-chengbei",
                                   .role = HS_ROLE_HALL,
                                   .node_key = actors->hall.key,
                                   .curve_key = curve_key(),
                                   .home = 3201,
                                   .districts = {3201, 3202},
                                   .district_count = 2,
                                   .issued_ms = 1795219201000};
    struct hs_certificate read;
    assert_int_equal(hs_issuer_sign(&issuer_draft, &actors->root.secret, &issuer), HS_OK);
    assert_int_equal(hs_certificate_sign(&draft, hs_buf_bytes(&issuer), &actors->hub.secret, &certificate), HS_OK);
    assert_int_equal(hs_certificate_verify(hs_buf_bytes(&certificate), &actors->root.key, &read), HS_OK);
    comment(out, "key.root signs the issuer key.hub (Signed); key.hub signs the node key.hall (Certificate).");
    begin(out, "issuer");
    put_hex(out, "signed", hs_buf_bytes(&issuer));
    end(out);
    begin(out, "certificate");
    put_hex(out, "certificate", hs_buf_bytes(&certificate));
    end(out);
    hs_buf_fini(&issuer);
    hs_buf_fini(&certificate);
}

static void put_opening(const struct actors *actors, struct hs_buf *out)
{
    struct hs_buf encoded = {0};
    struct hs_opening opening = {.origin = STREAM.origin,
                                 .node_key = actors->hall.key,
                                 .follows = 0x1111111111111111,
                                 .opened_ms = 1795219202000};
    struct hs_opening read;
    assert_int_equal(hs_opening_sign(&opening, &actors->hall.signer, &encoded), HS_OK);
    assert_int_equal(hs_opening_verify(hs_buf_bytes(&encoded), &read), HS_OK);
    comment(out, "The opening of the origin above by key.hall (Signed).");
    begin(out, "opening");
    put_u64(out, "origin", opening.origin);
    put_u64(out, "follows", opening.follows);
    put_hex(out, "signed", hs_buf_bytes(&encoded));
    end(out);
    hs_buf_fini(&encoded);
}

/* ---- joining ---- */

static void put_join(const struct actors *actors, struct hs_buf *out)
{
    struct hs_buf text = {0};
    struct hs_token token = {.node_id = "jb-chengbei",
                             .root_key = actors->root.key,
                             .hub_curve_key = curve_key(),
                             .addresses = {"tcp://192.0.2.1:7701"},
                             .address_count = 1,
                             .expires_ms = 1795305600000,
                             .region = "Jiangbei"};
    struct hs_token read;
    struct hs_key curve = curve_key();
    struct hs_signature proof;
    memset(token.secret, 5, sizeof token.secret);
    assert_int_equal(hs_token_encode(&token, &text), HS_OK);
    hs_buf_put_u8(&text, 0);
    assert_int_equal(hs_token_decode((const char *)text.data, &read), HS_OK);
    assert_int_equal(hs_join_sign(token.secret, &actors->hall.key, &curve, &actors->hall.signer, &proof), HS_OK);
    comment(out, "A join token (as text, not hex), and key.hall's proof with it.");
    begin(out, "token");
    put_hex(out, "secret", HS_BYTES(token.secret, sizeof token.secret));
    put_key(out, "curve", &curve);
    hs_buf_put_format(out, " text=%s", (const char *)text.data);
    end(out);
    begin(out, "join");
    put_signature(out, &proof);
    end(out);
    hs_buf_fini(&text);
}

/* ---- frames ---- */

static void put_frame(struct hs_buf *out, const char *name, uint8_t type, const ProtobufCMessage *body)
{
    struct hs_buf frame = {0};
    struct hs_frame read;
    hs_frame_encode(type, 7, body, &frame);
    assert_int_equal(hs_frame_decode(hs_buf_bytes(&frame), &read), HS_OK);
    begin(out, name);
    put_hex(out, "frame", hs_buf_bytes(&frame));
    end(out);
    hs_buf_fini(&frame);
}

static void put_segment(const struct actors *actors, const struct hs_hash *hash, struct hs_buf *out)
{
    struct hs_buf op = {0}, body = {0};
    struct hs_signature signature;
    Hallsync__StreamName stream = HALLSYNC__STREAM_NAME__INIT;
    Hallsync__PeerSegment segment = HALLSYNC__PEER_SEGMENT__INIT;
    encode_payment(&op);
    hs_buf_put_sized(&body, hs_buf_bytes(&op));
    assert_int_equal(hs_checkpoint_sign(&STREAM, 1, hash, &actors->hall.signer, &signature), HS_OK);
    stream.origin = STREAM.origin;
    stream.partition = STREAM.partition;
    stream.lane = STREAM.lane;
    segment.stream = &stream;
    segment.first = 1;
    segment.count = 1;
    segment.signature = (ProtobufCBinaryData){sizeof signature.bytes, signature.bytes};
    segment.raw_bytes = (uint32_t)body.size;
    segment.body = (ProtobufCBinaryData){body.size, body.data};
    put_frame(out, "frame.segment", HALLSYNC__PEER_TYPE__PEER_SEGMENT, &segment.base);
    hs_buf_fini(&op);
    hs_buf_fini(&body);
}

static void put_frames(const struct actors *actors, const struct hs_hash *hash, struct hs_buf *out)
{
    Hallsync__PeerProbe probe = HALLSYNC__PEER_PROBE__INIT;
    probe.id = 300;
    comment(out, "Frames of sequence 7: a probe, and op.payment as a segment that is not compressed.");
    put_frame(out, "frame.probe", HALLSYNC__PEER_TYPE__PEER_PROBE, &probe.base);
    put_segment(actors, hash, out);
}

static void make_vectors(struct hs_buf *out)
{
    struct actors actors;
    struct hs_hash hash;
    hs_buf_put_format(out, "# Test vectors of proto/PROTOCOL.md, made and checked by vectors_test.c.\n"
                           "# A line is \"name: key=value ...\"; values are hex, big-endian where they are numbers.\n");
    put_actors(&actors, out);
    put_names(out);
    put_ops(out);
    put_chain(&hash, out);
    put_checkpoint(&actors, &hash, out);
    put_receipt(&actors, &hash, out);
    put_records(out);
    put_certificate(&actors, out);
    put_opening(&actors, out);
    put_join(&actors, out);
    put_frames(&actors, &hash, out);
    assert_int_equal(out->err, HS_OK);
}

/* ---- the file ---- */

static void read_vectors(struct hs_buf *file)
{
    FILE *stream = fopen(vectors_path, "rb");
    if (stream == NULL)
        fail_msg("cannot read %s", vectors_path);
    size_t got;
    do {
        uint8_t *at = hs_buf_extend(file, 4096);
        assert_non_null(at);
        got = fread(at, 1, 4096, stream);
        file->size -= 4096 - got;
    } while (got > 0);
    fclose(stream);
}

static struct hs_bytes take_line(struct hs_cur *cur)
{
    const uint8_t *newline = cur->left > 0 ? memchr(cur->at, '\n', cur->left) : NULL;
    return hs_cur_take(cur, newline == NULL ? cur->left : (size_t)(newline - cur->at) + 1);
}

static void the_bytes_are_those_of_the_file(void **state)
{
    (void)state;
    struct hs_buf made = {0}, file = {0};
    make_vectors(&made);
    read_vectors(&file);
    struct hs_cur ours = hs_cur_of(hs_buf_bytes(&made)), theirs = hs_cur_of(hs_buf_bytes(&file));
    while (ours.left > 0 || theirs.left > 0) {
        struct hs_bytes a = take_line(&ours), b = take_line(&theirs);
        if (!hs_bytes_equal(a, b))
            fail_msg("made:  %.*s%s says: %.*s", (int)a.size, (const char *)a.data, vectors_path, (int)b.size,
                     (const char *)b.data);
    }
    hs_buf_fini(&made);
    hs_buf_fini(&file);
}

static void the_file_is_written(void **state)
{
    (void)state;
    struct hs_buf made = {0};
    make_vectors(&made);
    FILE *stream = fopen(vectors_path, "wb");
    if (stream == NULL)
        fail_msg("cannot write %s", vectors_path);
    assert_int_equal(fwrite(made.data, 1, made.size, stream), made.size);
    assert_int_equal(fclose(stream), 0);
    hs_buf_fini(&made);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest compare[] = {cmocka_unit_test(the_bytes_are_those_of_the_file)};
    const struct CMUnitTest write[] = {cmocka_unit_test(the_file_is_written)};
    bool writes = argc == 3 && strcmp(argv[1], "--write") == 0;
    if (argc != 2 && !writes) {
        fprintf(stderr, "usage: vectors_test FILE\n       vectors_test --write FILE\n");
        return 2;
    }
    vectors_path = argv[argc - 1];
    return writes ? cmocka_run_group_tests_name("vectors", write, NULL, NULL)
                  : cmocka_run_group_tests_name("vectors", compare, NULL, NULL);
}
