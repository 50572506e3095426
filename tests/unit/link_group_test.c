/* link_group_test.c -- node/link: groups of upstreams, each with a connection of its own. */
#include "tests/unit/link_ends.h"

struct grouped {
    struct pair hub_keys, witness_keys, hall_keys;
    struct hs_link *hub, *other, *witness, *hall;
    struct hs_link_upstream upstreams[3]; /* group 0: hub, other; group 5: witness */
};

static void open_grouped(struct grouped *grouped)
{
    *grouped = (struct grouped){.hub_keys = new_pair(), .witness_keys = new_pair(), .hall_keys = new_pair()};
    grouped->hub = new_hub(&grouped->hub_keys, "tcp://127.0.0.1:*");
    grouped->other = new_hub(&grouped->hub_keys, "tcp://127.0.0.1:*");
    grouped->witness = new_hub(&grouped->witness_keys, "tcp://127.0.0.1:*");
    struct hs_link *ends[] = {grouped->hub, grouped->other, grouped->witness};
    for (size_t i = 0; i < COUNT(ends); i++) {
        struct hs_link_upstream *upstream = &grouped->upstreams[i];
        upstream->curve_key = i == 2 ? grouped->witness_keys.public_key : grouped->hub_keys.public_key;
        upstream->group = i == 2 ? 5 : 0;
        snprintf(upstream->address, sizeof upstream->address, "%s", hs_link_address(ends[i], 0));
    }
    grouped->hall = new_dialler(&grouped->hall_keys, grouped->upstreams, COUNT(grouped->upstreams), LONG_MS);
}

/* @peers: of the hub's group and of the witness's, as they come up. */
static void expect_both(struct grouped *grouped, hs_peer peers[static 2])
{
    peers[0] = peers[1] = 0;
    for (int i = 0; i < 2; i++) {
        struct hs_link_event up = expect(grouped->hall, HS_LINK_UP);
        bool is_witness = hs_key_equal(&up.curve_key, &grouped->witness_keys.public_key);
        assert_true(peers[is_witness] == 0);
        peers[is_witness] = up.peer;
        assert_string_equal(up.address, grouped->upstreams[is_witness ? 2 : 0].address);
        assert_string_equal(hs_link_peer_address(grouped->hall, up.peer), up.address);
    }
}

static void free_grouped(struct grouped *grouped)
{
    hs_link_free(grouped->hall);
    hs_link_free(grouped->witness);
    if (grouped->hub != NULL)
        hs_link_free(grouped->hub);
    hs_link_free(grouped->other);
}

static void of_each_group_one_is_connected(void **state)
{
    (void)state;
    struct grouped grouped;
    hs_peer peers[2];
    open_grouped(&grouped);
    expect_both(&grouped, peers);
    assert_int_equal(hs_link_send(grouped.hall, peers[0], TEXT("to the hub")), HS_OK);
    assert_int_equal(hs_link_send(grouped.hall, peers[1], TEXT("to the witness")), HS_OK);
    struct hs_link_event up = expect(grouped.hub, HS_LINK_UP);
    assert_string_equal(hs_link_peer_address(grouped.hub, up.peer), up.address);
    expect_frame(grouped.hub, up.peer, TEXT("to the hub"));
    expect_frame(grouped.witness, expect(grouped.witness, HS_LINK_UP).peer, TEXT("to the witness"));
    expect_quiet(grouped.other);
    /* one group's end is nothing to the other */
    hs_link_free(grouped.hub);
    grouped.hub = NULL;
    assert_true(expect(grouped.hall, HS_LINK_DOWN).peer == peers[0]);
    struct hs_link_event event = expect(grouped.hall, HS_LINK_UP);
    assert_string_equal(event.address, grouped.upstreams[1].address);
    assert_int_equal(hs_link_send(grouped.hall, peers[1], TEXT("still")), HS_OK);
    assert_int_equal(hs_link_send(grouped.hall, peers[0], TEXT("x")), HS_EUNREACHABLE);
    assert_string_equal(hs_link_peer_address(grouped.hall, peers[0]), "");
    hs_link_drop(grouped.hall, event.peer, true);
    assert_int_equal(hs_link_send(grouped.hall, peers[1], TEXT("and again")), HS_OK);
    assert_int_equal(expect(grouped.witness, HS_LINK_FRAME).type, HS_LINK_FRAME);
    free_grouped(&grouped);
}

static void paused_group_waits_until_it_is_resumed(void **state)
{
    (void)state;
    struct grouped grouped;
    hs_peer peers[2];
    open_grouped(&grouped);
    expect_both(&grouped, peers);
    hs_link_pause(grouped.hall, peers[0], LONG_MS);
    assert_int_equal(hs_link_send(grouped.hall, peers[0], TEXT("x")), HS_EUNREACHABLE);
    hs_link_resume(grouped.hall, &grouped.witness_keys.public_key); /* is not the one that pauses */
    expect_quiet(grouped.hall);
    hs_link_resume(grouped.hall, &grouped.hub_keys.public_key);
    struct hs_link_event up = expect(grouped.hall, HS_LINK_UP);
    assert_string_equal(up.address, grouped.upstreams[0].address);
    hs_link_pause(grouped.hall, up.peer, QUIET_MS / 4); /* or its time is over */
    assert_string_equal(expect(grouped.hall, HS_LINK_UP).address, grouped.upstreams[0].address);
    free_grouped(&grouped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_each_group_one_is_connected),
        cmocka_unit_test(paused_group_waits_until_it_is_resumed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
