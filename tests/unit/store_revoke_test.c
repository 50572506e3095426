/* store_revoke_test.c -- a revoked key: what of its streams is taken, by whose word, and what its receipts are worth.
 */
#include "tests/lib/store_world.h"

#include "proto/msg/revoke.h"
#include "storage/log/inside.h"
#include "storage/store/inside.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

struct place {
    struct world_region region;
    struct world_node hall, hub, other; /* hub holds the region's issuer key */
};

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    if (place == NULL)
        return -1;
    *state = place;
    world_begin(&place->region);
    world_add(&place->region, &place->hall, "nj-hall", HS_ROLE_HALL);
    world_add(&place->region, &place->hub, "nj-hub", HS_ROLE_HUB);
    world_add(&place->region, &place->other, "nj-other", HS_ROLE_HUB);
    world_open(&place->hall, true);
    world_open(&place->hub, true);
    world_open(&place->other, true);
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    world_drop(&place->hall);
    world_drop(&place->hub);
    world_drop(&place->other);
    world_end(&place->region);
    free(place);
    return 0;
}

/* ---- signing and taking in ---- */

static struct hs_authority by_issuer(const struct place *place)
{
    return (struct hs_authority){hs_buf_bytes(&place->region.issuer_body), &place->region.issuer};
}

static struct hs_authority by_root(const struct place *place)
{
    return (struct hs_authority){HS_BYTES_NONE, &place->region.root};
}

static enum hs_err put(struct world_node *at, struct hs_bytes encoded,
                       enum hs_err (*put_row)(struct hs_store *store, struct hs_bytes encoded), bool *is_revoking)
{
    struct hs_commit commit;
    assert_int_equal(hs_store_begin(at->store), HS_OK);
    enum hs_err err = put_row(at->store, encoded);
    assert_int_equal(hs_store_commit(at->store, &commit), HS_OK);
    if (is_revoking != NULL)
        *is_revoking = commit.is_revoking;
    return err;
}

static void revoke_key(struct world_node *at, const struct world_node *node, const struct hs_authority *authority)
{
    struct hs_buf encoded = {0};
    bool is_revoking;
    assert_int_equal(hs_revocation_sign(node->options.certificate, "stolen", 5, authority, &encoded), HS_OK);
    assert_int_equal(put(at, hs_buf_bytes(&encoded), hs_store_put_revocation, &is_revoking), HS_OK);
    assert_true(is_revoking);
    assert_int_equal(put(at, hs_buf_bytes(&encoded), hs_store_put_revocation, &is_revoking), HS_OK);
    assert_false(is_revoking); /* known */
    hs_buf_fini(&encoded);
}

static void release_heads(struct world_node *at, const struct world_node *node, const struct hs_released *head,
                          const struct hs_authority *authority)
{
    struct hs_release release = {.node_key = node->draft.node_key, .time_ms = 7, .count = 1};
    struct hs_buf encoded = {0};
    snprintf(release.reason, sizeof release.reason, "counted by hand");
    snprintf(release.name, sizeof release.name, "Wang Li");
    release.heads[0] = *head;
    assert_int_equal(hs_release_sign(&release, authority, &encoded), HS_OK);
    assert_int_equal(put(at, hs_buf_bytes(&encoded), hs_store_put_release, NULL), HS_OK);
    hs_buf_fini(&encoded);
}

static struct hs_stream money_of(uint64_t origin)
{
    return (struct hs_stream){origin, 3201, HS_LANE_MONEY};
}

static enum hs_err take_next(struct world_node *from, struct world_node *to, const struct hs_stream *stream)
{
    struct hs_commit commit;
    struct hs_view *view = world_view(from);
    uint64_t first = world_head(to, stream) + 1, next;
    assert_int_equal(hs_store_begin(to->store), HS_OK);
    enum hs_err err = world_carry_segment(view, to, stream, first, &next);
    assert_int_equal(hs_store_commit(to->store, &commit), HS_OK);
    hs_view_close(view);
    return err;
}

/* The receipt that @signer's store has given goes to @to. */
struct passing {
    struct world_node *signer, *to;
};

static enum hs_err pass_receipt(void *ctx, const struct hs_receipt *receipt)
{
    const struct passing *passing = ctx;
    struct hs_commit commit;
    assert_int_equal(hs_store_begin(passing->to->store), HS_OK);
    assert_int_equal(hs_store_put_receipt(passing->to->store, receipt, passing->signer->options.certificate), HS_OK);
    assert_int_equal(hs_store_commit(passing->to->store, &commit), HS_OK);
    return HS_OK;
}

static void pass_receipts(struct world_node *signer, struct world_node *to, const struct hs_stream *stream)
{
    struct hs_view *view = world_view(signer);
    struct passing passing = {signer, to};
    assert_int_equal(hs_view_receipts(view, stream, pass_receipt, &passing), HS_OK);
    hs_view_close(view);
}

static enum hs_err limit_at(struct world_node *at, const struct hs_stream *stream, uint64_t *n)
{
    struct hs_view *view = world_view(at);
    enum hs_err err = hs_view_limit(view, stream, n);
    hs_view_close(view);
    return err;
}

static enum hs_safety safety_at(struct world_node *at, const struct hs_stream *stream, uint64_t n)
{
    struct hs_view *view = world_view(at);
    enum hs_safety safety = hs_view_safety(view, stream, n);
    hs_view_close(view);
    return safety;
}

/* ---- what is taken ---- */

static void a_stream_of_a_revoked_key_is_taken_as_far_as_a_hub_has_signed(void **state)
{
    struct place *place = *state;
    struct hs_authority issuer = by_issuer(place);
    uint64_t limit;
    struct hs_stream stream = money_of(world_group(&place->hall, 3).origin);
    assert_int_equal(take_next(&place->hall, &place->hub, &stream), HS_OK);
    assert_int_equal(limit_at(&place->other, &stream, &limit), HS_ENOTFOUND);
    revoke_key(&place->hub, &place->hall, &issuer);
    revoke_key(&place->other, &place->hall, &issuer);
    world_group(&place->hall, 2);
    assert_int_equal(take_next(&place->hall, &place->hub, &stream), HS_EREVOKED);
    assert_int_equal(world_head(&place->hub, &stream), 3);
    assert_int_equal(take_next(&place->hub, &place->other, &stream), HS_EREVOKED); /* nobody vouches for it there */
    pass_receipts(&place->hub, &place->other, &stream);
    assert_int_equal(limit_at(&place->other, &stream, &limit), HS_OK);
    assert_int_equal(limit, 3);
    assert_int_equal(take_next(&place->hub, &place->other, &stream), HS_OK);
    assert_int_equal(world_head(&place->other, &stream), 3);
    /* What was vouched for becomes as safe as anything else. */
    assert_int_equal(safety_at(&place->other, &stream, 3), HS_SAFETY_SAFE);
}

static void what_straddles_the_limit_is_not_taken(void **state)
{
    struct place *place = *state;
    struct hs_authority issuer = by_issuer(place);
    struct hs_stream stream = money_of(world_group(&place->hall, 3).origin);
    assert_int_equal(take_next(&place->hall, &place->hub, &stream), HS_OK);
    pass_receipts(&place->hub, &place->other, &stream);
    world_group(&place->hall, 2);
    revoke_key(&place->other, &place->hall, &issuer);
    assert_int_equal(take_next(&place->hall, &place->other, &stream), HS_EREVOKED); /* 1..5 in one piece */
    assert_int_equal(world_head(&place->other, &stream), 0);
}

static void a_person_releases_what_waits(void **state)
{
    struct place *place = *state;
    struct hs_authority issuer = by_issuer(place);
    struct hs_released head = {.n = 5};
    uint64_t limit;
    head.stream = money_of(world_group(&place->hall, 5).origin);
    struct hs_view *view = world_view(&place->hall);
    assert_int_equal(hs_view_hash_at(view, &head.stream, 5, &head.hash), HS_OK);
    hs_view_close(view);
    revoke_key(&place->hub, &place->hall, &issuer);
    assert_int_equal(take_next(&place->hall, &place->hub, &head.stream), HS_EREVOKED);
    release_heads(&place->hub, &place->hall, &head, &issuer);
    assert_int_equal(take_next(&place->hall, &place->hub, &head.stream), HS_OK);
    assert_int_equal(limit_at(&place->hub, &head.stream, &limit), HS_OK);
    assert_int_equal(limit, 5);
    world_group(&place->hall, 1);
    assert_int_equal(take_next(&place->hall, &place->hub, &head.stream), HS_EREVOKED);
}

static void a_release_of_another_branch_or_node_does_not_count(void **state)
{
    struct place *place = *state;
    struct hs_authority issuer = by_issuer(place);
    struct hs_released head = {.n = 2, .hash = {{1, 2, 3}}};
    uint64_t limit;
    head.stream = money_of(world_group(&place->hall, 2).origin);
    assert_int_equal(take_next(&place->hall, &place->hub, &head.stream), HS_OK);
    head.n = 1;
    release_heads(&place->hub, &place->hall, &head, &issuer);
    head.n = 9;
    release_heads(&place->hub, &place->other, &head, &issuer);
    revoke_key(&place->hub, &place->hall, &issuer);
    assert_int_equal(limit_at(&place->hub, &head.stream, &limit), HS_OK);
    assert_int_equal(limit, 2); /* its own receipt */
}

static void the_issuer_key_of_a_revoked_hub_releases_nothing(void **state)
{
    struct place *place = *state;
    struct hs_authority issuer = by_issuer(place), root = by_root(place);
    struct hs_released head = {.n = 4, .hash = {{9}}};
    uint64_t limit;
    head.stream = money_of(world_group(&place->hall, 4).origin);
    assert_int_equal(take_next(&place->hall, &place->other, &head.stream), HS_OK);
    revoke_key(&place->other, &place->hall, &issuer);
    head.n = 8;
    release_heads(&place->other, &place->hall, &head, &issuer);
    assert_int_equal(limit_at(&place->other, &head.stream, &limit), HS_OK);
    assert_int_equal(limit, 8);
    revoke_key(&place->other, &place->hub, &root);
    assert_int_equal(limit_at(&place->other, &head.stream, &limit), HS_OK);
    assert_int_equal(limit, 4);
    release_heads(&place->other, &place->hall, &head, &root);
    assert_int_equal(limit_at(&place->other, &head.stream, &limit), HS_OK);
    assert_int_equal(limit, 8);
}

/* ---- what its receipts are worth ---- */

static void receipts_of_a_revoked_hub_give_no_level(void **state)
{
    struct place *place = *state;
    struct hs_authority root = by_root(place);
    struct hs_stream stream = money_of(world_group(&place->hall, 2).origin);
    assert_int_equal(take_next(&place->hall, &place->hub, &stream), HS_OK);
    assert_int_equal(take_next(&place->hall, &place->other, &stream), HS_OK);
    pass_receipts(&place->hub, &place->hall, &stream);
    assert_int_equal(safety_at(&place->hall, &stream, 2), HS_SAFETY_HUB);
    pass_receipts(&place->other, &place->hall, &stream);
    assert_int_equal(safety_at(&place->hall, &stream, 2), HS_SAFETY_SAFE);
    revoke_key(&place->hall, &place->hub, &root);
    assert_int_equal(safety_at(&place->hall, &stream, 2), HS_SAFETY_HUB);
    revoke_key(&place->hall, &place->other, &root);
    assert_int_equal(safety_at(&place->hall, &stream, 2), HS_SAFETY_HERE);
    revoke_key(&place->hub, &place->hub, &root); /* its own store is no hub's either */
    assert_int_equal(safety_at(&place->hub, &stream, 2), HS_SAFETY_HERE);
}

static void a_revoked_hub_vouches_for_nobody(void **state)
{
    struct place *place = *state;
    struct hs_authority issuer = by_issuer(place), root = by_root(place);
    uint64_t limit;
    struct hs_stream stream = money_of(world_group(&place->hall, 2).origin);
    assert_int_equal(take_next(&place->hall, &place->hub, &stream), HS_OK);
    revoke_key(&place->other, &place->hall, &issuer);
    pass_receipts(&place->hub, &place->other, &stream);
    assert_int_equal(take_next(&place->hub, &place->other, &stream), HS_OK);
    revoke_key(&place->other, &place->hub, &root);
    /* What it had vouched for in time is held, and vouched for by who took it. */
    assert_int_equal(limit_at(&place->other, &stream, &limit), HS_OK);
    assert_int_equal(limit, 2);
}

/* Its receipts give no level any more; that it had taken the operations in good faith is as true as before. */
static void a_hub_whose_store_is_lost_has_vouched_all_the_same(void **state)
{
    struct place *place = *state;
    struct hs_authority issuer = by_issuer(place);
    struct world_node again;
    struct hs_stream stream = money_of(world_group(&place->hall, 2).origin);
    assert_int_equal(take_next(&place->hall, &place->hub, &stream), HS_OK);
    world_twin(&place->hub, &again, "again");
    world_open(&again, true);
    revoke_key(&again, &place->hall, &issuer);
    assert_int_equal(take_next(&place->hall, &again, &stream), HS_EREVOKED);
    pass_receipts(&place->hub, &again, &stream);
    assert_int_equal(take_next(&place->hall, &again, &stream), HS_OK);
    world_drop(&again);
}

static void a_node_that_is_revoked_goes_on_writing_here(void **state)
{
    struct place *place = *state;
    struct hs_authority issuer = by_issuer(place);
    struct hs_dot dot = world_group(&place->hall, 2);
    revoke_key(&place->hall, &place->hall, &issuer);
    struct hs_dot next = world_group(&place->hall, 2);
    assert_true(next.origin == dot.origin && next.n == 4);
    world_reopen(&place->hall);
    struct hs_view *view = world_view(&place->hall);
    struct hs_bytes encoded;
    assert_int_equal(hs_view_revocation(view, &place->hall.draft.node_key, &encoded), HS_OK);
    hs_view_close(view);
}

/* ---- forgeries ---- */

static void what_does_not_hold_is_not_stored(void **state)
{
    struct place *place = *state;
    struct hs_authority issuer = by_issuer(place),
                        hall = {hs_buf_bytes(&place->region.issuer_body), &place->hall.secret};
    struct hs_buf encoded = {0};
    assert_int_equal(hs_revocation_sign(place->hub.options.certificate, "mine", 5, &issuer, &encoded), HS_OK);
    assert_int_equal(put(&place->other, hs_buf_bytes(&encoded), hs_store_put_revocation, NULL), HS_ECERT);
    hs_buf_reset(&encoded);
    assert_int_equal(hs_revocation_sign(place->hall.options.certificate, "mine", 5, &hall, &encoded), HS_OK);
    assert_int_equal(put(&place->other, hs_buf_bytes(&encoded), hs_store_put_revocation, NULL), HS_ECERT);
    hs_buf_reset(&encoded);
    assert_int_equal(hs_revocation_sign(place->hall.options.certificate, "mine", 5, &issuer, &encoded), HS_OK);
    encoded.data[40] ^= 1;
    assert_int_not_equal(put(&place->other, hs_buf_bytes(&encoded), hs_store_put_revocation, NULL), HS_OK);
    hs_buf_fini(&encoded);
}

static void there_may_be_so_many_and_no_more(void **state)
{
    struct place *place = *state;
    struct hs_authority issuer = by_issuer(place);
    struct hs_commit commit;
    struct hs_buf encoded = {0};
    uint8_t key[HS_KEY_BYTES] = {0};
    assert_int_equal(hs_store_begin(place->other.store), HS_OK);
    for (uint64_t i = 0; i < HS_REVOCATIONS_MAX; i++) {
        hs_be64(key, i);
        hs_txn_put(log_change(place->other.store->log), LOG_REVOCATION, HS_BYTES(key, sizeof key), HS_BYTES(key, 1));
    }
    assert_int_equal(hs_store_commit(place->other.store, &commit), HS_OK);
    assert_int_equal(hs_revocation_sign(place->hall.options.certificate, "one more", 5, &issuer, &encoded), HS_OK);
    assert_int_equal(put(&place->other, hs_buf_bytes(&encoded), hs_store_put_revocation, NULL), HS_EFULL);
    hs_buf_fini(&encoded);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_stream_of_a_revoked_key_is_taken_as_far_as_a_hub_has_signed),
        TEST(what_straddles_the_limit_is_not_taken),
        TEST(a_person_releases_what_waits),
        TEST(a_release_of_another_branch_or_node_does_not_count),
        TEST(the_issuer_key_of_a_revoked_hub_releases_nothing),
        TEST(receipts_of_a_revoked_hub_give_no_level),
        TEST(a_revoked_hub_vouches_for_nobody),
        TEST(a_hub_whose_store_is_lost_has_vouched_all_the_same),
        TEST(a_node_that_is_revoked_goes_on_writing_here),
        TEST(what_does_not_hold_is_not_stored),
        TEST(there_may_be_so_many_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
