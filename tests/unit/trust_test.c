/* trust_test.c -- proto/msg/trust: what holds, and that nothing else does. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "proto/keys.pb-c.h"
#include "proto/msg/frame.h"
#include "proto/msg/trust.h"
#include "proto/msg/trust_signed.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A region: its root, one hub that issues, one hall.  Keys are those of seeds 1, 2, 3. */
struct world {
    struct hs_secret root, hub, hall;
    struct hs_key root_key, hub_key, hall_key;
    struct hs_signer hall_signer;
    struct hs_buf issuer;
    struct hs_certificate draft; /* of the hall */
    struct hs_buf certificate;
};

static void key_of_seed(uint8_t number, struct hs_secret *secret, struct hs_key *key)
{
    uint8_t seed[crypto_sign_SEEDBYTES];
    memset(seed, number, sizeof seed);
    assert_int_equal(crypto_sign_seed_keypair(key->bytes, secret->bytes, seed), 0);
}

static void world_init(struct world *world)
{
    memset(world, 0, sizeof *world);
    key_of_seed(1, &world->root, &world->root_key);
    key_of_seed(2, &world->hub, &world->hub_key);
    key_of_seed(3, &world->hall, &world->hall_key);
    world->hall_signer = hs_signer_of(&world->hall);
    struct hs_issuer_draft issuer = {"Jiangbei", "jb-hub", world->hub_key, 1000};
    assert_int_equal(hs_issuer_sign(&issuer, &world->root, &world->issuer), HS_OK);
    world->draft = (struct hs_certificate){.node_id = "jb-chengbei",
                                           .role = HS_ROLE_HALL,
                                           .node_key = world->hall_key,
                                           .home = 3202,
                                           .districts = {3201, 3202},
                                           .district_count = 2,
                                           .issued_ms = 2000};
    memset(world->draft.curve_key.bytes, 0xcc, HS_KEY_BYTES);
    assert_int_equal(hs_certificate_sign(&world->draft, hs_buf_bytes(&world->issuer), &world->hub, &world->certificate),
                     HS_OK);
}

static void world_fini(struct world *world)
{
    hs_buf_fini(&world->issuer);
    hs_buf_fini(&world->certificate);
}

static int world_setup(void **state)
{
    struct world *world = malloc(sizeof *world);
    if (world == NULL)
        return -1;
    world_init(world);
    *state = world;
    return 0;
}

static int world_teardown(void **state)
{
    world_fini(*state);
    free(*state);
    return 0;
}

static void keys_are_made_and_compared(void **state)
{
    (void)state;
    struct hs_secret secret;
    struct hs_key key, other;
    assert_int_equal(hs_secret_new(&secret, &key), HS_OK);
    assert_int_equal(hs_secret_public(&secret, &other), HS_OK);
    assert_true(hs_key_equal(&key, &other));
    assert_int_equal(hs_secret_new(&secret, &other), HS_OK);
    assert_false(hs_key_equal(&key, &other));
}

/* ---- certificates ---- */

static enum hs_err verify(const struct world *world, struct hs_certificate *out)
{
    return hs_certificate_verify(hs_buf_bytes(&world->certificate), &world->root_key, out);
}

static void a_certificate_says_what_was_signed(void **state)
{
    const struct world *world = *state;
    struct hs_certificate read;
    assert_int_equal(verify(world, &read), HS_OK);
    assert_string_equal(read.region, "Jiangbei");
    assert_string_equal(read.node_id, "jb-chengbei");
    assert_int_equal(read.role, HS_ROLE_HALL);
    assert_true(hs_key_equal(&read.root_key, &world->root_key));
    assert_true(hs_key_equal(&read.issuer_key, &world->hub_key));
    assert_true(hs_key_equal(&read.node_key, &world->hall_key));
    assert_true(hs_key_equal(&read.curve_key, &world->draft.curve_key));
    assert_int_equal(read.home, 3202);
    assert_int_equal(read.district_count, 2);
    assert_int_equal(read.districts[0], 3201);
    assert_int_equal(read.districts[1], 3202);
    assert_int_equal(read.issued_ms, 2000);
    assert_string_equal(hs_role_text(read.role), "hall");
    assert_string_equal(hs_role_text(HS_ROLE_HUB), "hub");
    assert_string_equal(hs_role_text(HS_ROLE_WITNESS), "witness");
}

static void a_certificate_with_any_bit_changed_is_refused(void **state)
{
    struct world *world = *state;
    struct hs_certificate read = {.issued_ms = 77};
    for (size_t bit = 0; bit < 8 * world->certificate.size; bit++) {
        world->certificate.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        enum hs_err err = verify(world, &read);
        if (err != HS_ECERT && err != HS_EREGION && err != HS_EMALFORMED)
            fail_msg("bit %zu: %s", bit, hs_err_name(err));
        world->certificate.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    for (size_t size = 0; size < world->certificate.size; size++)
        assert_int_equal(hs_certificate_verify(HS_BYTES(world->certificate.data, size), &world->root_key, &read),
                         HS_EMALFORMED);
    assert_int_equal(read.issued_ms, 77); /* untouched */
    assert_int_equal(verify(world, &read), HS_OK);
}

static void nothing_unsigned_rides_along(void **state)
{
    struct world *world = *state;
    struct hs_certificate read;
    hs_buf_put(&world->certificate, "\x18\x01", 2); /* field 3 of Certificate */
    assert_int_equal(verify(world, &read), HS_EMALFORMED);
}

/* However much there is to unpack in it, the verdict is the same on every node. */
static void what_is_too_large_is_malformed(void **state)
{
    (void)state;
    static uint8_t large[60000];
    struct hs_certificate certificate;
    struct hs_opening opening;
    struct hs_key root = {{0}};
    for (size_t i = 0; i + 1 < sizeof large; i += 2)
        large[i] = 0x0a; /* field 1, empty, again and again */
    assert_int_equal(hs_certificate_verify(HS_BYTES(large, sizeof large), &root, &certificate), HS_EMALFORMED);
    assert_int_equal(hs_opening_verify(HS_BYTES(large, sizeof large), &opening), HS_EMALFORMED);
}

static void a_certificate_of_another_region_is_told_apart(void **state)
{
    const struct world *world = *state;
    struct hs_certificate read;
    assert_int_equal(hs_certificate_verify(hs_buf_bytes(&world->certificate), &world->hub_key, &read), HS_EREGION);
}

static void a_node_may_not_issue(void **state)
{
    struct world *world = *state;
    struct hs_certificate read;
    struct hs_bytes issuer = hs_buf_bytes(&world->issuer);
    hs_buf_reset(&world->certificate); /* the hall signs a certificate below the hub's issuer body */
    assert_int_equal(hs_certificate_sign(&world->draft, issuer, &world->hall, &world->certificate), HS_OK);
    assert_int_equal(verify(world, &read), HS_ECERT);
}

static void only_the_root_makes_issuers(void **state)
{
    struct world *world = *state;
    struct hs_certificate read;
    struct hs_issuer_draft draft = {"Jiangbei", "jb-hub", world->hub_key, 1000};
    hs_buf_reset(&world->issuer);
    hs_buf_reset(&world->certificate);
    assert_int_equal(hs_issuer_sign(&draft, &world->hub, &world->issuer), HS_OK); /* a region of its own */
    assert_int_equal(hs_certificate_sign(&world->draft, hs_buf_bytes(&world->issuer), &world->hub, &world->certificate),
                     HS_OK);
    assert_int_equal(verify(world, &read), HS_EREGION);
    assert_int_equal(hs_certificate_verify(hs_buf_bytes(&world->certificate), &world->hub_key, &read), HS_OK);
}

static void drafts_that_make_no_sense_are_not_signed(void **state)
{
    struct world *world = *state;
    struct hs_bytes issuer = hs_buf_bytes(&world->issuer);
    struct hs_buf out = {0};
    struct hs_certificate bad[8];
    for (size_t i = 0; i < COUNT(bad); i++)
        bad[i] = world->draft;
    snprintf(bad[0].node_id, sizeof bad[0].node_id, "Chengbei");
    bad[1].role = (enum hs_role)4;
    bad[2].home = 3203; /* not one of its districts */
    bad[3].district_count = 0;
    bad[4].districts[1] = 3201; /* twice */
    bad[4].home = 3201;
    bad[5].districts[1] = HS_PARTITION_REGION;
    bad[5].home = 3201;
    bad[6].role = HS_ROLE_HUB; /* a hub names no districts */
    bad[7].district_count = HS_SCOPE_MAX + 1;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(hs_certificate_sign(&bad[i], issuer, &world->hub, &out), HS_EINVAL);
    struct hs_issuer_draft unnamed = {"", "jb-hub", world->hub_key, 1};
    assert_int_equal(hs_issuer_sign(&unnamed, &world->root, &out), HS_EINVAL);
    struct hs_issuer_draft garbled = {"Jiang\x01", "jb-hub", world->hub_key, 1};
    assert_int_equal(hs_issuer_sign(&garbled, &world->root, &out), HS_EINVAL);
    assert_int_equal(out.size, 0);
    hs_buf_fini(&out);
}

static ProtobufCBinaryData data_of(struct hs_bytes bytes)
{
    return (ProtobufCBinaryData){bytes.size, (uint8_t *)bytes.data};
}

/* The world's certificate again, with a node body that hs_certificate_sign would not make. */
static enum hs_err verify_node_body(struct world *world, const Hallsync__NodeBody *body)
{
    struct hs_buf node = {0};
    struct hs_certificate read;
    struct hs_signer signer = hs_signer_of(&world->hub);
    Hallsync__Signed issuer_signed = HALLSYNC__SIGNED__INIT;
    Hallsync__Certificate certificate = HALLSYNC__CERTIFICATE__INIT;
    Hallsync__Signed *parts[2] = {&issuer_signed, NULL};
    struct hs_arena arena;
    ProtobufCMessage *message;
    hs_arena_init(&arena, 0);
    assert_int_equal(hs_signed_make("hallsync node 1", &body->base, &signer, &node), HS_OK);
    for (size_t i = 0; i < COUNT(parts); i++) {
        struct hs_bytes bytes = hs_buf_bytes(i == 0 ? &world->issuer : &node);
        assert_int_equal(hs_msg_unpack(&hallsync__signed__descriptor, bytes, &arena, &message), HS_OK);
        parts[i] = (Hallsync__Signed *)message;
    }
    certificate.issuer = parts[0];
    certificate.node = parts[1];
    hs_buf_reset(&world->certificate);
    hs_msg_pack(&certificate.base, &world->certificate);
    enum hs_err err = verify(world, &read);
    hs_arena_fini(&arena);
    hs_buf_fini(&node);
    return err;
}

static Hallsync__NodeBody node_body(const struct world *world, uint32_t *districts)
{
    Hallsync__NodeBody body = HALLSYNC__NODE_BODY__INIT;
    body.node_id = (char *)world->draft.node_id;
    body.role = HS_ROLE_HALL;
    body.node_key = data_of(HS_BYTES(world->hall_key.bytes, HS_KEY_BYTES));
    body.curve_key = data_of(HS_BYTES(world->draft.curve_key.bytes, HS_KEY_BYTES));
    body.home = districts[0];
    body.districts = districts;
    body.n_districts = 2;
    body.issuer_key = data_of(HS_BYTES(world->hub_key.bytes, HS_KEY_BYTES));
    return body;
}

static void signed_nonsense_is_refused(void **state)
{
    struct world *world = *state;
    uint32_t districts[HS_SCOPE_MAX + 1];
    for (size_t i = 0; i < COUNT(districts); i++)
        districts[i] = 3201 + (uint32_t)i;
    Hallsync__NodeBody body = node_body(world, districts);
    assert_int_equal(verify_node_body(world, &body), HS_OK);
    body.n_districts = HS_SCOPE_MAX;
    assert_int_equal(verify_node_body(world, &body), HS_OK);
    body.role = HS_ROLE_WITNESS;
    assert_int_equal(verify_node_body(world, &body), HS_OK);
    Hallsync__NodeBody bad[10];
    for (size_t i = 0; i < COUNT(bad); i++)
        bad[i] = node_body(world, districts);
    uint32_t descending[] = {3202, 3201}, beyond[] = {3201, 10000}, wrapping[] = {3201, 0x10000 + 3202};
    bad[0].node_id = (char *)"-";
    bad[1].role = 0;
    bad[2].role = 4;
    bad[3].node_key.len--;
    bad[4].curve_key.len--;
    bad[5].home = 0x10000 + 3201;
    bad[6].districts = descending;
    bad[7].districts = beyond;
    bad[8].districts = wrapping;
    bad[9].n_districts = HS_SCOPE_MAX + 1;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(verify_node_body(world, &bad[i]), HS_ECERT);
    Hallsync__NodeBody stranger = node_body(world, districts); /* signed by the hub, but names the root */
    stranger.issuer_key = data_of(HS_BYTES(world->root_key.bytes, HS_KEY_BYTES));
    assert_int_equal(verify_node_body(world, &stranger), HS_ECERT);
    Hallsync__NodeBody garbled = node_body(world, districts);
    garbled.node_id = (char *)"jb\xff";
    assert_int_equal(verify_node_body(world, &garbled), HS_EMALFORMED);
}

static void kinds_and_scope_follow_the_role(void **state)
{
    const struct world *world = *state;
    struct hs_certificate hall = world->draft;
    struct hs_certificate hub = {.role = HS_ROLE_HUB};
    struct hs_certificate witness = world->draft;
    witness.role = HS_ROLE_WITNESS;
    static const struct {
        uint32_t kind;
        bool hall, hub;
    } RULES[] = {{0, false, false},    {1, true, true},      {999, true, true},
                 {1000, false, true},  {1999, false, true},  {2000, false, false},
                 {2999, false, false}, {3000, false, false}, {65536, false, false}};
    for (size_t i = 0; i < COUNT(RULES); i++) {
        assert_int_equal(hs_certificate_allows(&hall, RULES[i].kind, 9999), RULES[i].hall); /* any district */
        assert_int_equal(hs_certificate_allows(&hub, RULES[i].kind, HS_PARTITION_REGION), RULES[i].hub);
        assert_false(hs_certificate_allows(&witness, RULES[i].kind, 3201)); /* it writes nothing */
    }
    assert_false(hs_certificate_allows(&hub, 1, 10000));
    assert_true(hs_certificate_scope(&hall, 3201));
    assert_true(hs_certificate_scope(&hall, HS_PARTITION_REGION));
    assert_false(hs_certificate_scope(&hall, 3203));
    assert_true(hs_certificate_scope(&hub, 3203));
    assert_false(hs_certificate_scope(&witness, 3201)); /* in full nothing */
    assert_false(hs_certificate_scope(&witness, HS_PARTITION_REGION));
    assert_true(hs_certificate_names(&witness, 3201));
    assert_false(hs_certificate_names(&witness, 3203));
}

/* ---- openings ---- */

static void an_opening_says_what_was_signed(void **state)
{
    const struct world *world = *state;
    struct hs_opening opening = {.origin = 0xabc, .node_key = world->hall_key, .follows = 0xdef, .opened_ms = 9};
    struct hs_opening read = {0};
    struct hs_buf encoded = {0};
    assert_int_equal(hs_opening_sign(&opening, &world->hall_signer, &encoded), HS_OK);
    for (size_t bit = 0; bit < 8 * encoded.size; bit++) {
        encoded.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        enum hs_err err = hs_opening_verify(hs_buf_bytes(&encoded), &read);
        assert_true(err == HS_ESIGNATURE || err == HS_EMALFORMED);
        assert_int_equal(read.origin, 0);
        encoded.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_int_equal(hs_opening_verify(hs_buf_bytes(&encoded), &read), HS_OK);
    assert_int_equal(read.origin, 0xabc);
    assert_int_equal(read.follows, 0xdef);
    assert_int_equal(read.opened_ms, 9);
    assert_true(hs_key_equal(&read.node_key, &world->hall_key));
    hs_buf_reset(&encoded);
    opening.follows = 0;
    opening.node_key = world->hub_key; /* in another's name */
    assert_int_equal(hs_opening_sign(&opening, &world->hall_signer, &encoded), HS_OK);
    assert_int_equal(hs_opening_verify(hs_buf_bytes(&encoded), &read), HS_ESIGNATURE);
    opening.origin = 0;
    assert_int_equal(hs_opening_sign(&opening, &world->hall_signer, &encoded), HS_EINVAL);
    hs_buf_fini(&encoded);
}

/* ---- checkpoints, receipts, the joiner's proof ---- */

static void a_checkpoint_is_of_one_stream_number_and_hash(void **state)
{
    const struct world *world = *state;
    struct hs_stream stream = {.origin = 7, .partition = 3201, .lane = HS_LANE_MONEY}, other;
    struct hs_hash hash = hs_chain_start(&stream);
    struct hs_signature signature;
    const struct hs_key *key = &world->hall_key;
    assert_int_equal(hs_checkpoint_sign(&stream, 5, &hash, &world->hall_signer, &signature), HS_OK);
    assert_int_equal(hs_checkpoint_verify(&stream, 5, &hash, key, &signature), HS_OK);
    assert_int_equal(hs_checkpoint_verify(&stream, 6, &hash, key, &signature), HS_ESIGNATURE);
    other = stream;
    other.origin++;
    assert_int_equal(hs_checkpoint_verify(&other, 5, &hash, key, &signature), HS_ESIGNATURE);
    other = stream;
    other.partition++;
    assert_int_equal(hs_checkpoint_verify(&other, 5, &hash, key, &signature), HS_ESIGNATURE);
    other = stream;
    other.lane++;
    assert_int_equal(hs_checkpoint_verify(&other, 5, &hash, key, &signature), HS_ESIGNATURE);
    assert_int_equal(hs_checkpoint_verify(&stream, 5, &hash, &world->hub_key, &signature), HS_ESIGNATURE);
    struct hs_hash next = hs_chain_next(&hash, HS_BYTES("x", 1));
    assert_int_equal(hs_checkpoint_verify(&stream, 5, &next, key, &signature), HS_ESIGNATURE);
    signature.bytes[63] ^= 1;
    assert_int_equal(hs_checkpoint_verify(&stream, 5, &hash, key, &signature), HS_ESIGNATURE);
}

static void a_receipt_holds_in_every_part(void **state)
{
    const struct world *world = *state;
    struct hs_signer signer = hs_signer_of(&world->hub);
    struct hs_receipt good = {.store_id = 1, .stream = {2, 3201, HS_LANE_WORK}, .n = 3, .time_ms = 4};
    good.hub_key = world->hub_key;
    assert_int_equal(hs_receipt_sign(&good, &signer), HS_OK);
    assert_int_equal(hs_receipt_verify(&good), HS_OK);
    struct hs_receipt bad[9];
    for (size_t i = 0; i < COUNT(bad); i++)
        bad[i] = good;
    bad[0].store_id++;
    bad[1].stream.origin++;
    bad[2].stream.partition++;
    bad[3].stream.lane++;
    bad[4].n++;
    bad[5].hash.bytes[0]++;
    bad[6].time_ms++;
    bad[7].hub_key = world->hall_key;
    bad[8].signature.bytes[0]++;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(hs_receipt_verify(&bad[i]), HS_ESIGNATURE);
}

/* The same body under two domains: neither signature serves as the other. */
static void domains_keep_signatures_apart(void **state)
{
    const struct world *world = *state;
    struct hs_signature signature;
    struct hs_bytes body = HS_BYTES("body", 4);
    assert_int_equal(hs_signature_make("hallsync a 1", body, &world->hall_signer, &signature), HS_OK);
    assert_int_equal(hs_signature_check("hallsync a 1", body, &world->hall_key, &signature), HS_OK);
    assert_int_equal(hs_signature_check("hallsync b 1", body, &world->hall_key, &signature), HS_ESIGNATURE);
}

static enum hs_err failing_sign(void *ctx, struct hs_bytes message, struct hs_signature *signature)
{
    (void)message;
    (void)signature;
    return *(enum hs_err *)ctx;
}

static void what_the_signer_says_is_passed_on(void **state)
{
    (void)state;
    enum hs_err reason = HS_EPERM;
    struct hs_signer signer = {failing_sign, &reason};
    struct hs_receipt receipt = {.n = 1};
    struct hs_opening opening = {.origin = 1};
    struct hs_buf out = {0};
    assert_int_equal(hs_receipt_sign(&receipt, &signer), HS_EPERM);
    assert_int_equal(hs_opening_sign(&opening, &signer, &out), HS_EPERM);
    assert_int_equal(out.size, 0);
    hs_buf_fini(&out);
}

static void a_joiner_proves_his_key(void **state)
{
    const struct world *world = *state;
    uint8_t secret[HS_TOKEN_SECRET_BYTES] = {9};
    const struct hs_key *node = &world->hall_key, *curve = &world->draft.curve_key;
    struct hs_signature proof;
    assert_int_equal(hs_join_sign(secret, node, curve, &world->hall_signer, &proof), HS_OK);
    assert_int_equal(hs_join_verify(secret, node, curve, &proof), HS_OK);
    assert_int_equal(hs_join_verify(secret, node, node, &proof), HS_ESIGNATURE);
    assert_int_equal(hs_join_verify(secret, &world->hub_key, curve, &proof), HS_ESIGNATURE);
    secret[0]++;
    assert_int_equal(hs_join_verify(secret, node, curve, &proof), HS_ESIGNATURE);
}

static void a_node_has_a_short_name(void **state)
{
    const struct world *world = *state;
    uint8_t hall[HS_NODE_HASH_BYTES], hub[HS_NODE_HASH_BYTES];
    hs_node_hash(&world->hall_key, hall);
    hs_node_hash(&world->hub_key, hub);
    assert_memory_not_equal(hall, hub, sizeof hall);
}

/* ---- tokens ---- */

static struct hs_token some_token(void)
{
    struct hs_token token = {.node_id = "jb-chengbei",
                             .expires_ms = 12345,
                             .address_count = 2,
                             .region = "江北",
                             .addresses = {"tcp://10.1.2.3:7701", "tcp://hub.example:7701"}};
    memset(token.secret, 1, sizeof token.secret);
    memset(token.root_key.bytes, 2, HS_KEY_BYTES);
    memset(token.hub_curve_key.bytes, 3, HS_KEY_BYTES);
    return token;
}

static void expect_same_token(const struct hs_token *a, const struct hs_token *b)
{
    assert_string_equal(a->node_id, b->node_id);
    assert_string_equal(a->region, b->region);
    assert_memory_equal(a->secret, b->secret, sizeof a->secret);
    assert_true(hs_key_equal(&a->root_key, &b->root_key));
    assert_true(hs_key_equal(&a->hub_curve_key, &b->hub_curve_key));
    assert_true(a->expires_ms == b->expires_ms);
    assert_int_equal(a->address_count, b->address_count);
    for (size_t i = 0; i < a->address_count; i++)
        assert_string_equal(a->addresses[i], b->addresses[i]);
}

/* The token's text, zero-terminated. */
static const char *encode(const struct hs_token *token, struct hs_buf *text)
{
    hs_buf_reset(text);
    assert_int_equal(hs_token_encode(token, text), HS_OK);
    hs_buf_put_u8(text, 0);
    return (const char *)text->data;
}

static void a_token_is_read_as_written(void **state)
{
    (void)state;
    struct hs_buf text = {0};
    struct hs_token token = some_token(), read;
    assert_int_equal(hs_token_decode(encode(&token, &text), &read), HS_OK);
    expect_same_token(&token, &read);
    assert_memory_equal(text.data, "hsj1-", 5);
    token.address_count = HS_ADDRESSES_MAX;
    for (size_t i = 0; i < HS_ADDRESSES_MAX; i++)
        memset(token.addresses[i], 'a', HS_ADDRESS_BYTES_MAX);
    memset(token.node_id, 'n', HS_NODE_ID_BYTES_MAX);
    memset(token.region, 'r', HS_REGION_BYTES_MAX);
    token.expires_ms = UINT64_MAX;
    assert_int_equal(hs_token_decode(encode(&token, &text), &read), HS_OK); /* the largest */
    expect_same_token(&token, &read);
    hs_buf_fini(&text);
}

static void what_is_no_token_is_refused(void **state)
{
    (void)state;
    struct hs_buf text = {0}, longer = {0};
    struct hs_token token = some_token(), read = {.expires_ms = 77};
    encode(&token, &text);
    for (size_t size = 0; size + 1 < text.size; size++) {
        uint8_t kept = text.data[size];
        text.data[size] = 0;
        assert_int_equal(hs_token_decode((const char *)text.data, &read), HS_ETOKEN);
        text.data[size] = kept;
    }
    static const char *const TAILS[] = {" ", "\n", "=", "A", "AAAA", "!"};
    for (size_t i = 0; i < COUNT(TAILS); i++) {
        hs_buf_reset(&longer);
        hs_buf_put_format(&longer, "%s%s", (const char *)text.data, TAILS[i]);
        hs_buf_put_u8(&longer, 0);
        assert_int_equal(hs_token_decode((const char *)longer.data, &read), HS_ETOKEN);
    }
    assert_int_equal(hs_token_decode("hsj2-AAAA", &read), HS_ETOKEN);
    assert_int_equal(hs_token_decode("", &read), HS_ETOKEN);
    assert_int_equal(read.expires_ms, 77); /* untouched */
    hs_buf_fini(&text);
    hs_buf_fini(&longer);
}

static void tokens_that_make_no_sense_are_not_made(void **state)
{
    (void)state;
    struct hs_buf text = {0};
    struct hs_token bad[6];
    for (size_t i = 0; i < COUNT(bad); i++)
        bad[i] = some_token();
    bad[0].node_id[0] = '\0';
    bad[1].region[0] = '\0';
    bad[2].address_count = 0;
    bad[3].address_count = HS_ADDRESSES_MAX + 1;
    bad[4].addresses[1][0] = '\0';
    bad[5].addresses[1][0] = '\x7f';
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(hs_token_encode(&bad[i], &text), HS_EINVAL);
    assert_int_equal(text.size, 0);
}

int main(void)
{
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_made_and_compared),
        IN_WORLD(a_certificate_says_what_was_signed),
        IN_WORLD(a_certificate_with_any_bit_changed_is_refused),
        cmocka_unit_test(what_is_too_large_is_malformed),
        IN_WORLD(nothing_unsigned_rides_along),
        IN_WORLD(a_certificate_of_another_region_is_told_apart),
        IN_WORLD(a_node_may_not_issue),
        IN_WORLD(only_the_root_makes_issuers),
        IN_WORLD(drafts_that_make_no_sense_are_not_signed),
        IN_WORLD(signed_nonsense_is_refused),
        IN_WORLD(kinds_and_scope_follow_the_role),
        IN_WORLD(an_opening_says_what_was_signed),
        IN_WORLD(a_checkpoint_is_of_one_stream_number_and_hash),
        IN_WORLD(a_receipt_holds_in_every_part),
        IN_WORLD(domains_keep_signatures_apart),
        cmocka_unit_test(what_the_signer_says_is_passed_on),
        IN_WORLD(a_joiner_proves_his_key),
        IN_WORLD(a_node_has_a_short_name),
        cmocka_unit_test(a_token_is_read_as_written),
        cmocka_unit_test(what_is_no_token_is_refused),
        cmocka_unit_test(tokens_that_make_no_sense_are_not_made),
    };
    return cmocka_run_group_tests_name("trust", tests, NULL, NULL);
}
