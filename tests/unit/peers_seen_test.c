/* peers_seen_test.c -- who is live, as lists of nodes tell it: never behind what is known, whatever the picture shows.
 */
#include "node/daemon/peers_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int open_peers(void **state)
{
    struct hs_peers *peers = calloc(1, sizeof *peers);
    if (peers != NULL)
        pthread_mutex_init(&peers->lock, NULL);
    *state = peers;
    return peers == NULL;
}

static int close_peers(void **state)
{
    struct hs_peers *peers = *state;
    pthread_mutex_destroy(&peers->lock);
    free(peers->seen);
    free(peers);
    return 0;
}

/* A key of its own for each text. */
static const struct hs_key *key(const char *text)
{
    static struct hs_key keys[2];
    static unsigned next;
    struct hs_key *made = &keys[next++ % 2];
    *made = (struct hs_key){0};
    memcpy(made->bytes, text, strlen(text));
    return made;
}

static bool is_live(struct hs_peers *peers, const char *text, bool seen)
{
    bool live;
    uint64_t last_ms = hs_peers_seen(peers, key(text), &live);
    assert_int_equal(last_ms != 0, seen);
    return live;
}

/* The picture is of before the session; a status and a list that are asked for now must not call that node away. */
static void a_session_newer_than_the_picture_is_live(void **state)
{
    struct hs_peers *peers = *state;
    assert_false(is_live(peers, "nj-second", false));
    peers_seen_begin(peers);
    peers_seen_note(peers, key("nj-win3"), 1000);
    peers_seen_live(peers, key("nj-second"));
    assert_true(is_live(peers, "nj-second", true));
    assert_true(is_live(peers, "nj-win3", true));
    assert_false(is_live(peers, "nj-gulou", false));
}

static bool is_shown(const struct hs_peers *peers, const char *text)
{
    for (size_t i = 0; i < peers->seen_count; i++) {
        if (hs_key_equal(&peers->seen[i].node_key, key(text)))
            return peers->seen[i].shown;
    }
    return false;
}

/* Of the picture it is still among those who are away: in one list or the other, at any moment. */
static void a_session_newer_than_the_picture_is_not_shown_yet(void **state)
{
    struct hs_peers *peers = *state;
    peers_seen_begin(peers);
    peers_seen_note(peers, key("nj-win3"), 1000);
    peers_seen_live(peers, key("nj-second"));
    peers_seen_live(peers, key("nj-win3"));
    assert_false(is_shown(peers, "nj-second"));
    assert_true(is_shown(peers, "nj-win3"));
    peers_seen_begin(peers);
    peers_seen_note(peers, key("nj-second"), 2000);
    assert_true(is_shown(peers, "nj-second"));
    assert_false(is_shown(peers, "nj-win3"));
}

static void a_picture_without_it_says_that_it_has_gone(void **state)
{
    struct hs_peers *peers = *state;
    bool live;
    peers_seen_live(peers, key("nj-second"));
    peers_seen_begin(peers);
    peers_seen_note(peers, key("nj-win3"), 1000);
    assert_false(is_live(peers, "nj-second", true));
    peers_seen_begin(peers);
    peers_seen_note(peers, key("nj-second"), 2000);
    assert_int_equal(hs_peers_seen(peers, key("nj-second"), &live), peers_wall_ms(2000));
    assert_true(live);
    assert_int_equal(hs_peers_seen(peers, key("nj-win3"), &live), peers_wall_ms(1000));
    assert_false(live);
}

/* Beyond the limit a time less is told, and nothing else changes. */
static void the_list_has_a_limit(void **state)
{
    struct hs_peers *peers = *state;
    char node_id[16];
    peers_seen_begin(peers);
    for (int i = 0; i < SEEN_MAX + 10; i++) {
        snprintf(node_id, sizeof node_id, "h%05d", (i * 7919) % (SEEN_MAX + 10));
        peers_seen_note(peers, key(node_id), 1000);
    }
    assert_int_equal(peers->seen_count, SEEN_MAX);
    for (size_t i = 1; i < peers->seen_count; i++)
        assert_true(memcmp(&peers->seen[i - 1].node_key, &peers->seen[i].node_key, HS_KEY_BYTES) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_session_newer_than_the_picture_is_live, open_peers, close_peers),
        cmocka_unit_test_setup_teardown(a_session_newer_than_the_picture_is_not_shown_yet, open_peers, close_peers),
        cmocka_unit_test_setup_teardown(a_picture_without_it_says_that_it_has_gone, open_peers, close_peers),
        cmocka_unit_test_setup_teardown(the_list_has_a_limit, open_peers, close_peers),
    };
    return cmocka_run_group_tests_name("peers_seen", tests, NULL, NULL);
}
