/* revoke_test.c -- proto/msg/revoke: what holds, and that nothing else does. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/keys.pb-c.h"
#include "proto/msg/frame.h"
#include "proto/msg/revoke.h"
#include "proto/msg/tlv.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct region {
    struct hs_secret root, issuer, stranger;
    struct hs_key root_key, issuer_key, stranger_key;
    struct hs_buf issuer_signed, hall, hub, other_hub; /* certificates: hub holds the issuer key */
    struct hs_key hall_key, hub_key;
};

static void certify(struct region *r, const char *id, enum hs_role role, struct hs_key *key, struct hs_buf *to)
{
    struct hs_certificate draft = {.role = role, .home = 3201, .issued_ms = 2};
    struct hs_secret secret;
    snprintf(draft.node_id, sizeof draft.node_id, "%s", id);
    assert_int_equal(hs_secret_new(&secret, &draft.node_key), HS_OK);
    draft.curve_key = draft.node_key;
    draft.districts[0] = 3201;
    draft.district_count = role == HS_ROLE_HUB ? 0 : 1;
    if (key != NULL)
        *key = draft.node_key;
    assert_int_equal(hs_certificate_sign(&draft, hs_buf_bytes(&r->issuer_signed), &r->issuer, to), HS_OK);
}

static int setup(void **state)
{
    struct region *r = calloc(1, sizeof *r);
    if (r == NULL)
        return -1;
    *state = r;
    assert_int_equal(hs_secret_new(&r->root, &r->root_key), HS_OK);
    assert_int_equal(hs_secret_new(&r->issuer, &r->issuer_key), HS_OK);
    assert_int_equal(hs_secret_new(&r->stranger, &r->stranger_key), HS_OK);
    struct hs_issuer_draft draft = {"Nanjing", "nj-hub", r->issuer_key, 1};
    assert_int_equal(hs_issuer_sign(&draft, &r->root, &r->issuer_signed), HS_OK);
    certify(r, "nj-hall", HS_ROLE_HALL, &r->hall_key, &r->hall);
    certify(r, "nj-hub", HS_ROLE_HUB, &r->hub_key, &r->hub);
    certify(r, "nj-other", HS_ROLE_HUB, NULL, &r->other_hub);
    return 0;
}

static int teardown(void **state)
{
    struct region *r = *state;
    hs_buf_fini(&r->issuer_signed);
    hs_buf_fini(&r->hall);
    hs_buf_fini(&r->hub);
    hs_buf_fini(&r->other_hub);
    free(r);
    return 0;
}

static struct hs_authority by_issuer(const struct region *r)
{
    return (struct hs_authority){hs_buf_bytes(&r->issuer_signed), &r->issuer};
}

static struct hs_authority by_root(const struct region *r)
{
    return (struct hs_authority){HS_BYTES_NONE, &r->root};
}

static enum hs_err revoke_and_verify(const struct region *r, const struct hs_buf *node, struct hs_authority authority,
                                     struct hs_revocation *out)
{
    struct hs_buf encoded = {0};
    assert_int_equal(hs_revocation_sign(hs_buf_bytes(node), "stolen", 77, &authority, &encoded), HS_OK);
    enum hs_err err = hs_revocation_verify(hs_buf_bytes(&encoded), &r->root_key, out);
    hs_buf_fini(&encoded);
    return err;
}

static void a_hall_is_revoked_by_an_issuer_or_the_root(void **state)
{
    const struct region *r = *state;
    struct hs_revocation out;
    assert_int_equal(revoke_and_verify(r, &r->hall, by_issuer(r), &out), HS_OK);
    assert_true(hs_key_equal(&out.node.node_key, &r->hall_key));
    assert_string_equal(out.node.node_id, "nj-hall");
    assert_string_equal(out.reason, "stolen");
    assert_int_equal(out.time_ms, 77);
    assert_true(!out.is_by_root && !out.is_issuer && hs_key_equal(&out.signer, &r->issuer_key));
    assert_int_equal(revoke_and_verify(r, &r->hall, by_root(r), &out), HS_OK);
    assert_true(out.is_by_root && hs_key_equal(&out.signer, &r->root_key));
}

static void a_hub_is_revoked_by_the_root_alone(void **state)
{
    const struct region *r = *state;
    struct hs_revocation out;
    assert_int_equal(revoke_and_verify(r, &r->hub, by_issuer(r), &out), HS_ECERT);
    assert_int_equal(revoke_and_verify(r, &r->hub, by_root(r), &out), HS_OK);
    assert_true(out.is_issuer);
    assert_int_equal(revoke_and_verify(r, &r->other_hub, by_root(r), &out), HS_OK);
    assert_false(out.is_issuer);
}

static void what_was_forged_is_refused(void **state)
{
    const struct region *r = *state;
    struct hs_authority stranger = {hs_buf_bytes(&r->issuer_signed), &r->stranger},
                        alone = {HS_BYTES_NONE, &r->stranger};
    struct hs_authority issuer = by_issuer(r);
    struct hs_buf encoded = {0}, other = {0};
    struct hs_revocation out;
    assert_int_equal(revoke_and_verify(r, &r->hall, stranger, &out), HS_ECERT);
    assert_int_equal(revoke_and_verify(r, &r->hall, alone, &out), HS_ECERT);
    assert_int_equal(hs_revocation_sign(hs_buf_bytes(&r->hall), "stolen", 77, &issuer, &encoded), HS_OK);
    assert_int_equal(hs_revocation_verify(hs_buf_bytes(&encoded), &r->stranger_key, &out), HS_EREGION);
    /* Every byte of it is bound. */
    for (size_t i = 0; i < encoded.size; i++) {
        encoded.data[i] ^= 0x40;
        assert_int_not_equal(hs_revocation_verify(hs_buf_bytes(&encoded), &r->root_key, &out), HS_OK);
        encoded.data[i] ^= 0x40;
        assert_int_not_equal(hs_revocation_verify(HS_BYTES(encoded.data, i), &r->root_key, &out), HS_OK);
    }
    /* Its body beside another node's certificate, and something unsigned behind it. */
    hs_tlv_put_bytes(&other, 1, hs_tlv_bytes(hs_buf_bytes(&encoded), 1));
    hs_tlv_put_bytes(&other, 2, hs_buf_bytes(&r->other_hub));
    hs_tlv_put_bytes(&other, 3, hs_buf_bytes(&r->issuer_signed));
    assert_int_equal(hs_revocation_verify(hs_buf_bytes(&other), &r->root_key, &out), HS_EMALFORMED);
    hs_tlv_put_u64(&encoded, 99, 1);
    assert_int_equal(hs_revocation_verify(hs_buf_bytes(&encoded), &r->root_key, &out), HS_EMALFORMED);
    hs_buf_fini(&encoded);
    hs_buf_fini(&other);
}

static struct hs_release *release_of(const struct region *r, size_t count)
{
    struct hs_release *release = calloc(1, sizeof *release);
    assert_non_null(release);
    release->node_key = r->hall_key;
    release->time_ms = 5;
    snprintf(release->reason, sizeof release->reason, "counted");
    snprintf(release->name, sizeof release->name, "Wang Li");
    release->count = count;
    for (size_t i = 0; i < count; i++)
        release->heads[i] = (struct hs_released){{i + 1, 3201, HS_LANE_MONEY}, i + 7, {{(uint8_t)i}}};
    return release;
}

static void a_release_comes_back_as_it_was(void **state)
{
    const struct region *r = *state;
    struct hs_authority issuer = by_issuer(r);
    struct hs_release *release = release_of(r, 3), *out = calloc(1, sizeof *out);
    struct hs_buf encoded = {0};
    assert_non_null(out);
    assert_int_equal(hs_release_sign(release, &issuer, &encoded), HS_OK);
    assert_int_equal(hs_release_verify(hs_buf_bytes(&encoded), &r->root_key, out), HS_OK);
    assert_true(hs_key_equal(&out->node_key, &r->hall_key) && out->count == 3 && out->time_ms == 5);
    assert_string_equal(out->name, "Wang Li");
    assert_true(hs_stream_equal(&out->heads[2].stream, &release->heads[2].stream) && out->heads[2].n == 9);
    assert_true(hs_hash_equal(&out->heads[2].hash, &release->heads[2].hash));
    for (size_t i = 0; i < encoded.size; i++) {
        encoded.data[i] ^= 1;
        assert_int_not_equal(hs_release_verify(hs_buf_bytes(&encoded), &r->root_key, out), HS_OK);
        encoded.data[i] ^= 1;
    }
    hs_buf_fini(&encoded);
    free(release);
    free(out);
}

static void limits_are_kept(void **state)
{
    const struct region *r = *state;
    struct hs_authority issuer = by_issuer(r);
    struct hs_release *release = release_of(r, HS_RELEASE_HEADS_MAX), *out = calloc(1, sizeof *out);
    struct hs_buf encoded = {0};
    struct hs_revocation revocation;
    char reason[HS_REASON_BYTES_MAX + 2];
    assert_non_null(out);
    assert_int_equal(hs_release_sign(release, &issuer, &encoded), HS_OK); /* the largest one fits */
    assert_int_equal(hs_release_verify(hs_buf_bytes(&encoded), &r->root_key, out), HS_OK);
    hs_buf_extend(&encoded, HS_RELEASE_BYTES_MAX + 1 - encoded.size);
    assert_int_equal(hs_release_verify(hs_buf_bytes(&encoded), &r->root_key, out), HS_EMALFORMED);
    hs_buf_reset(&encoded);
    hs_buf_extend(&encoded, HS_REVOCATION_BYTES_MAX + 1);
    assert_int_equal(hs_revocation_verify(hs_buf_bytes(&encoded), &r->root_key, &revocation), HS_EMALFORMED);
    hs_buf_reset(&encoded);
    memset(reason, 'x', sizeof reason);
    reason[HS_REASON_BYTES_MAX] = '\0';
    assert_int_equal(hs_revocation_sign(hs_buf_bytes(&r->hall), reason, 1, &issuer, &encoded), HS_OK);
    reason[HS_REASON_BYTES_MAX] = 'x';
    reason[HS_REASON_BYTES_MAX + 1] = '\0';
    assert_int_equal(hs_revocation_sign(hs_buf_bytes(&r->hall), reason, 1, &issuer, &encoded), HS_EINVAL);
    assert_int_equal(hs_revocation_sign(hs_buf_bytes(&r->hall), "two\nlines", 1, &issuer, &encoded), HS_EINVAL);
    assert_int_equal(hs_revocation_sign(hs_buf_bytes(&r->hall), "a\ttab", 1, &issuer, &encoded), HS_EINVAL);
    assert_int_equal(hs_revocation_sign(hs_buf_bytes(&r->hall), "", 1, &issuer, &encoded), HS_EINVAL);
    release->count = 0;
    assert_int_equal(hs_release_sign(release, &issuer, &encoded), HS_EINVAL);
    release->count = 1;
    release->name[0] = '\0';
    assert_int_equal(hs_release_sign(release, &issuer, &encoded), HS_EINVAL);
    hs_buf_fini(&encoded);
    free(release);
    free(out);
}

static void a_head_is_taken_from_what_a_node_shows(void **state)
{
    (void)state;
    uint8_t hash[HS_HASH_BYTES] = {7};
    struct hs_released head;
    Hallsync__WithheldStatus row = HALLSYNC__WITHHELD_STATUS__INIT;
    row.origin = (char[]){"00ab000000000001"};
    row.partition = 3201;
    row.lane = (char[]){"money"};
    row.last = 9;
    row.hash = (ProtobufCBinaryData){sizeof hash, hash};
    assert_true(hs_released_of(&row, &head));
    assert_true(head.stream.origin == 0xab000000000001 && head.stream.partition == 3201 && head.n == 9);
    assert_int_equal(head.stream.lane, HS_LANE_MONEY);
    assert_memory_equal(head.hash.bytes, hash, sizeof hash);
    row.hash.len = sizeof hash - 1;
    assert_false(hs_released_of(&row, &head));
    row.hash.len = sizeof hash;
    row.lane = (char[]){"gold"};
    assert_false(hs_released_of(&row, &head));
    row.lane = (char[]){"money"};
    row.origin = (char[]){"ab"};
    assert_false(hs_released_of(&row, &head));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_hall_is_revoked_by_an_issuer_or_the_root),
        TEST(a_hub_is_revoked_by_the_root_alone),
        TEST(what_was_forged_is_refused),
        TEST(a_release_comes_back_as_it_was),
        TEST(limits_are_kept),
        cmocka_unit_test(a_head_is_taken_from_what_a_node_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
