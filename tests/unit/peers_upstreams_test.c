/* peers_upstreams_test.c -- what is logged of nodes that are dialled in vain. */
#include "node/daemon/peers_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ADDRESS "tcp://192.0.2.1:7400"

struct desk {
    struct hs_peers peers;
    struct hs_conf_upstream conf;
    FILE *log;
    int errors; /* standard error, while the log has its place */
};

static int open_desk(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);
    if (desk == NULL)
        return -1;
    desk->conf = (struct hs_conf_upstream){
        .address = (char *)ADDRESS, .group = (char *)"hub", .limited_hours = (char *)""};
    desk->peers.upstreams[0].conf = &desk->conf;
    desk->peers.upstream_count = 1;
    desk->log = tmpfile();
    desk->errors = dup(STDERR_FILENO);
    *state = desk;
    return desk->log == NULL || dup2(fileno(desk->log), STDERR_FILENO) < 0;
}

static int close_desk(void **state)
{
    struct desk *desk = *state;
    dup2(desk->errors, STDERR_FILENO);
    close(desk->errors);
    fclose(desk->log);
    free(desk);
    return 0;
}

static unsigned logged(struct desk *desk)
{
    char line[1024];
    unsigned count = 0;
    rewind(desk->log);
    while (fgets(line, sizeof line, desk->log) != NULL)
        count += strstr(line, "event=upstream-failed") != NULL;
    return count;
}

static void fails(struct desk *desk, enum hs_err err, const char *text)
{
    struct hs_link_event event = {.address = ADDRESS, .err = err, .reason = HS_REASON_UNREACHABLE, .text = text};
    peers_upstream_failed(&desk->peers, &event);
}

static void what_fails_all_night_is_told_once(void **state)
{
    struct desk *desk = *state;
    for (int i = 0; i < 100; i++)
        fails(desk, HS_EUNREACHABLE, "cannot connect");
    assert_int_equal(logged(desk), 1);
}

/* A bad line fails now so, now so. */
static void what_fails_by_turns_is_told_once_each(void **state)
{
    static const char *const TEXTS[] = {"cannot connect", "no answer", "the other end closed the connection"};
    struct desk *desk = *state;
    for (size_t i = 0; i < 100; i++)
        fails(desk, HS_EUNREACHABLE, TEXTS[i % 3]);
    assert_int_equal(logged(desk), 3);
    fails(desk, HS_EREFUSED, "its key is another one");
    assert_int_equal(logged(desk), 4);
}

/* After a session that lasted it is news again. */
static void what_fails_after_a_good_time_is_told_again(void **state)
{
    struct desk *desk = *state;
    struct hs_peer_status shown = {.peer = 7, .live = true};
    fails(desk, HS_EUNREACHABLE, "cannot connect");
    peers_upstream_up(&desk->peers, ADDRESS, 7);
    peers_upstream_live(&desk->peers, 7, "nj-hub");
    shown.live_since_ms = hs_link_now_ms(); /* the other end may just be about to refuse */
    peers_upstreams_seen(&desk->peers, &shown, 1);
    fails(desk, HS_EUNREACHABLE, "cannot connect");
    assert_int_equal(logged(desk), 1);
    peers_upstream_up(&desk->peers, ADDRESS, 7);
    peers_upstream_live(&desk->peers, 7, "nj-hub");
    shown.live_since_ms = 0;
    peers_upstreams_seen(&desk->peers, &shown, 1);
    fails(desk, HS_EUNREACHABLE, "cannot connect");
    assert_int_equal(logged(desk), 2);
}

/* ---- while the next session is greeted ---- */

static const char *greeted(struct desk *desk, enum hs_err err, enum hs_reason reason, bool refused)
{
    static Hallsync__PeerStatus told;
    struct hs_replica_update update = {.notice = refused ? HS_NOTICE_REFUSED : HS_NOTICE_ENDED,
                                       .peer = 7,
                                       .err = err,
                                       .reason = reason,
                                       .text = "words"};
    peers_upstream_up(&desk->peers, ADDRESS, 7);
    peers_upstream_ended(&desk->peers, &update);
    peers_upstream_up(&desk->peers, ADDRESS, 8);
    hallsync__peer_status__init(&told);
    peers_upstream_tell(&desk->peers.upstreams[0], false, &told);
    assert_string_equal(told.group, "hub");
    assert_true(told.has_since_ms == (told.reason != NULL));
    assert_true(told.reason == NULL || strcmp(told.why, "words") == 0);
    return told.reason;
}

/* Who is refused each time, or hears nothing each time, is not told to wait for some seconds in between. */
static void why_the_one_before_ended_holds_until_the_next_is_let_in(void **state)
{
    struct desk *desk = *state;
    Hallsync__PeerStatus told = HALLSYNC__PEER_STATUS__INIT;
    assert_string_equal(greeted(desk, HS_EREVOKED, HS_REASON_REVOKED, true), "revoked");
    assert_string_equal(greeted(desk, HS_ETIMEDOUT, HS_REASON_SILENT, false), "silent");
    assert_string_equal(greeted(desk, HS_EMALFORMED, HS_REASON_PROTOCOL, false), "protocol");
    assert_null(greeted(desk, HS_EUNREACHABLE, HS_REASON_CLOSED, false)); /* there is a line again */
    fails(desk, HS_EUNREACHABLE, "cannot connect");
    peers_upstream_up(&desk->peers, ADDRESS, 9);
    peers_upstream_tell(&desk->peers.upstreams[0], false, &told);
    assert_null(told.reason);
    assert_string_equal(greeted(desk, HS_EREVOKED, HS_REASON_REVOKED, true), "revoked");
    hallsync__peer_status__init(&told);
    peers_upstream_live(&desk->peers, 8, "nj-hub");
    peers_upstream_tell(&desk->peers.upstreams[0], true, &told);
    assert_null(told.reason);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_fails_all_night_is_told_once, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(what_fails_by_turns_is_told_once_each, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(what_fails_after_a_good_time_is_told_again, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(why_the_one_before_ended_holds_until_the_next_is_let_in, open_desk, close_desk),
    };
    return cmocka_run_group_tests_name("peers_upstreams", tests, NULL, NULL);
}
