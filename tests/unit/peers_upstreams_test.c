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
    desk->conf = (struct hs_conf_upstream){.address = (char *)ADDRESS, .group = (char *)"hub"};
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_fails_all_night_is_told_once, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(what_fails_by_turns_is_told_once_each, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(what_fails_after_a_good_time_is_told_again, open_desk, close_desk),
    };
    return cmocka_run_group_tests_name("peers_upstreams", tests, NULL, NULL);
}
