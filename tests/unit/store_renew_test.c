/* store_renew_test.c -- storage: receipts of stores that are gone give no level, and a store that was set back goes on
 * as another. */
#include "tests/lib/store_fill.h"
#include "tests/unit/store_place.h"

#include "storage/log/inside.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, place_end)

#define OLD 0x11
#define NEW 0x22

static int setup(void **state)
{
    struct place *place = place_begin(state);
    world_open(&place->hall, true);
    world_open(&place->hub, true);
    return 0;
}

static struct hs_stream pay(struct world_node *node)
{
    return (struct hs_stream){world_group(node, 1).origin, 3201, HS_LANE_MONEY};
}

/* @by has signed, as store @id, for what @to holds. */
static void give(struct world_node *to, const struct world_node *by, uint64_t id, const struct hs_stream *stream)
{
    struct hs_commit commit;
    struct hs_receipt receipt = {
        .store_id = id, .stream = *stream, .n = world_head(to, stream), .time_ms = 1, .hub_key = by->draft.node_key};
    struct hs_view *view = world_view(to);
    assert_int_equal(hs_view_hash_at(view, stream, receipt.n, &receipt.hash), HS_OK);
    hs_view_close(view);
    struct hs_signer signer = hs_signer_of(&by->secret);
    assert_int_equal(hs_receipt_sign(&receipt, &signer), HS_OK);
    assert_int_equal(hs_store_begin(to->store), HS_OK);
    assert_int_equal(hs_store_put_receipt(to->store, &receipt, by->options.certificate), HS_OK);
    assert_int_equal(hs_store_commit(to->store, &commit), HS_OK);
}

static enum hs_safety level(struct world_node *node, const struct hs_stream *stream)
{
    struct hs_view *view = world_view(node);
    enum hs_safety safety = hs_view_safety(view, stream, world_head(node, stream));
    hs_view_close(view);
    return safety;
}

static bool meet(struct world_node *node, const struct world_node *whom, uint64_t id, uint64_t backup)
{
    struct hs_commit commit;
    struct hs_met met = {whom->options.certificate, id, backup};
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    assert_int_equal(hs_store_meet(node->store, &met), HS_OK);
    assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
    return commit.stores;
}

static enum hs_err gone(struct world_node *node, const struct world_node *whom, uint64_t id, bool *renews)
{
    struct hs_commit commit;
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    enum hs_err err = hs_store_gone(node->store, &whom->draft.node_key, id);
    assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
    *renews = commit.renews;
    return err;
}

static bool is_wanted(struct world_node *node, const struct world_node *whom)
{
    struct hs_peer_store current;
    struct hs_view *view = world_view(node);
    assert_int_equal(hs_view_peer_store(view, &whom->draft.node_key, &current), HS_OK);
    hs_view_close(view);
    return current.is_wanted;
}

/* ---- levels ---- */

static void a_store_that_is_gone_gives_no_level(void **state)
{
    struct place *place = *state;
    struct hs_stream money = pay(&place->hall);
    assert_true(meet(&place->hall, &place->hub, OLD, 0));
    assert_false(is_wanted(&place->hall, &place->hub));
    give(&place->hall, &place->hub, OLD, &money);
    assert_int_equal(level(&place->hall, &money), HS_SAFETY_HUB);
    assert_false(meet(&place->hall, &place->hub, OLD, 0)); /* nothing new */
    assert_true(meet(&place->hall, &place->hub, NEW, 0));
    assert_true(is_wanted(&place->hall, &place->hub));
    assert_int_equal(level(&place->hall, &money), HS_SAFETY_HERE);
    give(&place->hall, &place->hub, NEW, &money);
    assert_int_equal(level(&place->hall, &money), HS_SAFETY_HUB); /* and not safe: it is one hub */
    meet(&place->hall, &place->hub, OLD, 0);                      /* what is gone never comes back */
    assert_int_equal(level(&place->hall, &money), HS_SAFETY_HERE);
}

static void backups_count_while_their_hub_names_them(void **state)
{
    struct place *place = *state;
    struct hs_stream money = pay(&place->hall);
    meet(&place->hall, &place->hub, OLD, NEW);
    give(&place->hall, &place->hub, OLD, &money);
    give(&place->hall, &place->hub, NEW, &money);
    assert_int_equal(level(&place->hall, &money), HS_SAFETY_SAFE);
    meet(&place->hall, &place->hub, OLD, 0);
    assert_int_equal(level(&place->hall, &money), HS_SAFETY_HUB);
}

/* Somebody draws ids as others breathe. */
static void so_many_are_remembered(void **state)
{
    struct place *place = *state;
    struct hs_commit commit;
    enum hs_err err = HS_OK;
    uint64_t id = 0;
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    while (err == HS_OK && id < 2 * HS_PEER_STORES_MAX)
        err = hs_store_gone(place->hall.store, &place->second_hub.draft.node_key, ++id);
    assert_int_equal(err, HS_ETOOBIG);
    assert_int_equal(hs_store_gone(place->hall.store, &place->second_hub.draft.node_key, 1), HS_OK); /* known */
    assert_int_equal(hs_store_commit(place->hall.store, &commit), HS_OK);
    assert_in_range(id, HS_PEER_STORES_MAX, HS_PEER_STORES_MAX + 1);
}

/* What nobody has met may be what it says; what a hub says of it is believed. */
static void others_may_say_that_a_store_is_gone(void **state)
{
    struct place *place = *state;
    bool renews;
    struct hs_stream money = pay(&place->hall);
    give(&place->hall, &place->second_hub, OLD, &money);
    assert_int_equal(level(&place->hall, &money), HS_SAFETY_HUB);
    assert_int_equal(gone(&place->hall, &place->second_hub, OLD, &renews), HS_OK);
    assert_false(renews);
    assert_int_equal(level(&place->hall, &money), HS_SAFETY_HERE);
    give(&place->hall, &place->second_hub, NEW, &money);
    assert_int_equal(level(&place->hall, &money), HS_SAFETY_HUB);
    assert_true(meet(&place->hall, &place->second_hub, NEW, 0));
    assert_true(is_wanted(&place->hall, &place->second_hub)); /* what others said first is no reason not to ask */
}

static void told(struct world_node *node, const struct world_node *whom, uint64_t id)
{
    struct hs_commit commit;
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    assert_int_equal(hs_store_told(node->store, &whom->draft.node_key, id), HS_OK);
    assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
}

/* What only that one had signed for they may have signed for as well; and who was never met is asked then. */
static void where_one_is_gone_the_others_are_asked(void **state)
{
    struct place *place = *state;
    struct world_node other;
    bool renews;
    meet(&place->hall, &place->hub, OLD, 0);
    assert_int_equal(gone(&place->hall, &place->second_hub, OLD, &renews), HS_OK);
    assert_true(is_wanted(&place->hall, &place->hub));
    world_reopen(&place->hall);
    assert_true(is_wanted(&place->hall, &place->hub)); /* until that was answered */
    told(&place->hall, &place->hub, OLD);
    assert_false(is_wanted(&place->hall, &place->hub));
    gone(&place->hall, &place->second_hub, OLD, &renews); /* nothing new */
    assert_false(is_wanted(&place->hall, &place->hub));
    world_add(&place->region, &other, "hub-9", HS_ROLE_HUB);
    meet(&place->hall, &other, OLD, 0);
    assert_true(is_wanted(&place->hall, &other));
    world_drop(&other);
}

static void of_an_earlier_key_of_a_node_all_is_gone(void **state)
{
    struct place *place = *state;
    struct world_node anew;
    struct hs_stream money = pay(&place->hall);
    meet(&place->hall, &place->hub, OLD, 0);
    give(&place->hall, &place->hub, OLD, &money);
    world_add(&place->region, &anew, place->hub.id, HS_ROLE_HUB);
    anew.draft.issued_ms = place->hub.draft.issued_ms + 1;
    world_certify(&anew);
    meet(&place->hall, &anew, NEW, 0);
    assert_int_equal(level(&place->hall, &money), HS_SAFETY_HERE);
    give(&place->hall, &anew, NEW, &money);
    assert_int_equal(level(&place->hall, &money), HS_SAFETY_HUB);
    meet(&place->hall, &place->hub, OLD, 0); /* who still has the old key shows that in vain */
    assert_int_equal(level(&place->hall, &money), HS_SAFETY_HUB);
    world_drop(&anew);
}

/* It has let go of what two hubs had, or begun behind it. */
static void a_witness_counts_beside_one_hub_that_ever_was(void **state)
{
    struct place *place = *state;
    struct world_node anew;
    bool renews;
    struct hs_stream money = pay(&place->hall);
    give(&place->hall, &place->hub, OLD, &money);
    give(&place->hall, &place->witness, 0x33, &money);
    assert_int_equal(level(&place->hall, &money), HS_SAFETY_SAFE);
    world_add(&place->region, &anew, place->hub.id, HS_ROLE_HUB);
    anew.draft.issued_ms = place->hub.draft.issued_ms + 1;
    world_certify(&anew);
    meet(&place->hall, &anew, 0x44, 0);
    assert_int_equal(level(&place->hall, &money), HS_SAFETY_HERE);
    give(&place->hall, &anew, 0x44, &money); /* the same hub, on another disk */
    assert_int_equal(level(&place->hall, &money), HS_SAFETY_SAFE);
    give(&place->hall, &place->second_hub, NEW, &money);
    assert_int_equal(level(&place->hall, &money), HS_SAFETY_SAFE);
    gone(&place->hall, &place->second_hub, NEW, &renews);
    assert_int_equal(level(&place->hall, &money), HS_SAFETY_HUB);
    pay(&place->hall);
    give(&place->hall, &anew, 0x44, &money);
    give(&place->hall, &place->witness, 0x33, &money);
    assert_int_equal(level(&place->hall, &money), HS_SAFETY_SAFE); /* that is at one hub only */
    world_drop(&anew);
}

/* Where a witness begins who wrote it knows, and not who has taken his place. */
static void who_takes_a_halls_place_does_not_know_where_its_witness_begins(void **state)
{
    struct place *place = *state;
    struct world_node anew;
    struct hs_commit commit;
    struct hs_dot dot;
    struct world_fact fact = world_money(1);
    fact.lane = HS_LANE_PEOPLE;
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    assert_int_equal(world_write(&place->hall, &fact, &dot), HS_OK);
    assert_int_equal(hs_store_commit(place->hall.store, &commit), HS_OK);
    struct hs_stream people = {dot.origin, 3201, HS_LANE_PEOPLE};
    world_add(&place->region, &anew, "anew", HS_ROLE_HALL);
    memcpy(anew.draft.node_id, place->hall.id, sizeof anew.draft.node_id);
    world_certify(&anew);
    world_open(&anew, true);
    world_carry(&place->hall, &anew);
    struct world_node *nodes[] = {&place->hall, &anew};
    for (size_t i = 0; i < 2; i++) {
        give(nodes[i], &place->hub, OLD, &people);
        give(nodes[i], &place->witness, NEW, &people);
    }
    assert_int_equal(level(&place->hall, &people), HS_SAFETY_SAFE);
    assert_int_equal(level(&anew, &people), HS_SAFETY_HUB);
    world_drop(&anew);
}

/* ---- a store that was set back ---- */

struct found {
    uint64_t store_id, n;
    bool is_found;
};

static enum hs_err find(void *ctx, const struct hs_receipt *receipt)
{
    struct found *found = ctx;
    if (receipt->store_id == found->store_id) {
        found->n = receipt->n;
        found->is_found = true;
    }
    return HS_OK;
}

static uint64_t signed_as(struct world_node *node, uint64_t store_id, const struct hs_stream *stream)
{
    struct found found = {.store_id = store_id};
    struct hs_view *view = world_view(node);
    assert_int_equal(hs_view_receipts(view, stream, find, &found), HS_OK);
    hs_view_close(view);
    return found.n;
}

static bool renew(struct world_node *node)
{
    struct hs_commit commit;
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    assert_int_equal(hs_store_strike(node->store, "shown to be an older copy"), HS_OK);
    assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
    return commit.renews;
}

/* Rows that cannot be read where it is looked who renews too often, and what was found before. */
static void spoil_rows(struct world_node *node)
{
    char path[WORLD_PATH_BYTES];
    struct hs_env *env = NULL;
    struct hs_txn txn;
    uint8_t key[HS_KEY_BYTES + 8] = {1}, row[3] = {7, 7, 7};
    world_path(path, node->dir, "log");
    world_close(node);
    assert_int_equal(hs_log_inspect(path, WORLD_MAP_BYTES, &env, NULL), HS_OK);
    assert_int_equal(hs_txn_begin(env, true, &txn), HS_OK);
    hs_txn_put(&txn, LOG_PEER_STORE, HS_BYTES(key, sizeof key), HS_BYTES(row, sizeof row));
    hs_txn_put(&txn, LOG_META, HS_BYTES("older", 5), HS_BYTES(row, sizeof row));
    assert_int_equal(hs_txn_commit(&txn), HS_OK);
    hs_env_close(env);
    world_open(node, false);
}

static void no_rotten_row_keeps_a_store_that_was_set_back_from_renewing(void **state)
{
    struct place *place = *state;
    struct world_node *hub = &place->hub;
    struct hs_older older;
    pay(hub);
    uint64_t old_id = hs_store_id(hub->store), origin = world_current_origin(hub);
    spoil_rows(hub);
    assert_true(renew(hub));
    struct hs_view *view = world_view(hub);
    assert_int_equal(hs_view_older(view, &older), HS_OK);
    assert_string_equal(older.why, "shown to be an older copy");
    hs_view_close(view);
    world_reopen(hub);
    assert_true(hs_store_id(hub->store) != old_id);
    pay(hub);
    assert_true(world_current_origin(hub) != origin);
}

static void count_notes(const struct place *place, unsigned wanted)
{
    unsigned count = 0;
    DIR *dir = opendir(place->region.notes);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        count += strstr(entry->d_name, ".note") != NULL;
    closedir(dir);
    assert_int_equal(count, wanted);
}

static void it_goes_on_as_another_and_signs_for_what_it_holds(void **state)
{
    struct place *place = *state;
    struct world_node *hub = &place->hub;
    struct hs_stream money = pay(&place->hall), own = pay(hub);
    world_carry(&place->hall, hub);
    uint64_t old_id = hs_store_id(hub->store), origin = world_current_origin(hub);
    assert_int_equal(signed_as(hub, old_id, &money), 1);
    assert_true(renew(hub));
    assert_false(renew(hub)); /* once is enough */
    assert_int_equal(hs_store_id(hub->store), old_id);
    count_notes(place, 2);
    world_reopen(hub);
    uint64_t id = hs_store_id(hub->store);
    assert_true(id != old_id);
    assert_string_equal(hs_store_renewed(hub->store), "shown to be an older copy");
    assert_false(hs_store_in_doubt(hub->store));                        /* it went on from where it was */
    assert_true(hs_store_doubt_ms(hub->store) == place->region.now_ms); /* but others may have more */
    assert_int_equal(signed_as(hub, id, &money), 1);
    assert_int_equal(signed_as(hub, id, &own), 0); /* its own: it counts without */
    assert_int_equal(level(hub, &money), HS_SAFETY_HUB);
    assert_true(world_current_origin(hub) != origin);
    count_notes(place, 2); /* of the hall, and its new one */
    world_reopen(hub);
    assert_null(hs_store_renewed(hub->store));
    assert_true(hs_store_id(hub->store) == id);
}

/* It may have signed for backups of which the older copy does not know. */
static void its_backups_do_not_go_on(void **state)
{
    struct place *place = *state;
    struct world_node *hub = &place->hub;
    struct hs_commit commit;
    struct hs_stream money = pay(&place->hall);
    world_carry(&place->hall, hub);
    struct hs_view *view = world_view(hub);
    struct hs_head head;
    assert_int_equal(hs_view_head(view, &money, &head), HS_OK);
    hs_view_close(view);
    assert_int_equal(hs_store_begin(hub->store), HS_OK);
    assert_int_equal(hs_store_vouch(hub->store, &head, 1), HS_OK);
    assert_int_equal(hs_store_commit(hub->store, &commit), HS_OK);
    uint64_t backups = commit.receipts[0].store_id;
    assert_int_equal(level(hub, &money), HS_SAFETY_SAFE);
    assert_true(renew(hub));
    world_reopen(hub);
    view = world_view(hub);
    uint64_t goes_on = hs_view_backup_store(view);
    hs_view_close(view);
    assert_true(goes_on == 0);
    assert_int_equal(level(hub, &money), HS_SAFETY_HUB);
    assert_int_equal(hs_store_begin(hub->store), HS_OK);
    assert_int_equal(hs_store_vouch(hub->store, &head, 1), HS_OK);
    assert_int_equal(hs_store_commit(hub->store, &commit), HS_OK);
    assert_int_equal(commit.receipt_count, 1);
    assert_true(commit.receipts[0].store_id != backups);
    assert_int_equal(level(hub, &money), HS_SAFETY_SAFE);
}

/* What the hall holds of the stream, as a beginning of the witness's copy of it. */
static void begin_behind(struct place *place, const struct hs_stream *stream)
{
    struct hs_commit commit;
    struct hs_head head;
    struct hs_view *view = world_view(&place->hall);
    struct fill_heads heads = {
        .view = view, .to = &place->witness, .partition = stream->partition, .lane = stream->lane};
    assert_int_equal(hs_store_begin(place->witness.store), HS_OK);
    assert_int_equal(hs_view_head(view, stream, &head), HS_OK);
    assert_int_equal(fill_take_head(&heads, &head), HS_OK);
    hs_view_close(view);
    assert_int_equal(hs_store_put_base(place->witness.store, &heads.heads[0]), HS_OK);
    assert_int_equal(hs_store_commit(place->witness.store, &commit), HS_OK);
    assert_int_equal(commit.receipt_count, 0);
}

static uint64_t signed_when_renewed(struct world_node *node, const struct hs_stream *stream)
{
    assert_true(renew(node));
    world_reopen(node);
    assert_non_null(hs_store_renewed(node->store));
    return signed_as(node, hs_store_id(node->store), stream);
}

/* Found by the simulator: a witness that had begun behind what one hub has, and held nothing, signed for that. */
static void a_witness_signs_for_no_beginning_that_is_elsewhere(void **state)
{
    struct place *place = *state;
    struct world_node *witness = &place->witness;
    struct hs_stream money = pay(&place->hall);
    world_open(witness, true);
    begin_behind(place, &money);
    assert_int_equal(signed_when_renewed(witness, &money), 0);
    give(witness, &place->hub, OLD, &money);
    assert_int_equal(signed_when_renewed(witness, &money), 0);
    give(witness, &place->second_hub, NEW, &money); /* what two hubs have it would have dropped */
    assert_int_equal(signed_when_renewed(witness, &money), 1);
    meet(witness, &place->second_hub, OLD, 0);
    assert_int_equal(signed_when_renewed(witness, &money), 0);
    pay(&place->hall);
    world_carry(&place->hall, witness);
    assert_int_equal(signed_as(witness, hs_store_id(witness->store), &money), 2);
    place->region.now_ms += 3600001; /* it is renewed four times an hour */
    assert_int_equal(signed_when_renewed(witness, &money), 2);
}

/* Who is told that his very store is gone has an older copy; and two processes under one key do not renew for ever. */
static void it_is_renewed_a_few_times_an_hour(void **state)
{
    struct place *place = *state;
    struct world_node *hub = &place->hub;
    bool renews = true;
    unsigned times = 0;
    while (times < 10 && gone(hub, hub, hs_store_id(hub->store), &renews) == HS_OK && renews) {
        world_reopen(hub);
        times++;
    }
    assert_int_equal(times, 4);
    assert_false(renews);
    place->region.now_ms += 3600001;
    assert_true(renew(hub));
    assert_int_equal(gone(hub, hub, OLD, &renews), HS_OK); /* one that it had: nothing to do */
    assert_false(renews);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_store_that_is_gone_gives_no_level),
        TEST(backups_count_while_their_hub_names_them),
        TEST(others_may_say_that_a_store_is_gone),
        TEST(where_one_is_gone_the_others_are_asked),
        TEST(of_an_earlier_key_of_a_node_all_is_gone),
        TEST(it_goes_on_as_another_and_signs_for_what_it_holds),
        TEST(it_is_renewed_a_few_times_an_hour),
        TEST(no_rotten_row_keeps_a_store_that_was_set_back_from_renewing),
        TEST(so_many_are_remembered),
        TEST(a_witness_signs_for_no_beginning_that_is_elsewhere),
        TEST(its_backups_do_not_go_on),
        TEST(a_witness_counts_beside_one_hub_that_ever_was),
        TEST(who_takes_a_halls_place_does_not_know_where_its_witness_begins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
