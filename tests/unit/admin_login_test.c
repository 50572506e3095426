/* admin_login_test.c -- sessions and delays by a clock of the test's own; and the gate, for every reason to be turned
 * away. */
#include "node/admin/handlers.h"
#include "node/admin/inside.h"
#include "proto/base/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#define MINUTE 60000ULL
#define HOUR   (60 * MINUTE)

static struct hs_user somebody(const char *name, enum hs_user_role role)
{
    struct hs_user user = {.role = role, .hash = "$argon2id$..."};
    snprintf(user.name, sizeof user.name, "%s", name);
    return user;
}

/* ---- sessions ---- */

static struct admin_sessions *sessions(void)
{
    struct admin_sessions *made;
    assert_int_equal(admin_sessions_new(30 * MINUTE, 12 * HOUR, &made), HS_OK);
    return made;
}

static void sessions_end(void **state)
{
    (void)state;
    char text[ADMIN_SESSION_TEXT_BYTES], other[ADMIN_SESSION_TEXT_BYTES];
    struct admin_session session, found;
    struct admin_sessions *all = sessions();
    struct hs_user li = somebody("li", HS_USER_OPERATOR);
    admin_sessions_begin(all, &li, HOUR, text, &session);
    admin_sessions_begin(all, &li, HOUR, other, &found);
    assert_string_not_equal(text, other);
    assert_string_not_equal(session.csrf, found.csrf);
    assert_true(admin_sessions_find(all, text, HOUR + 29 * MINUTE, true, &found));
    assert_string_equal(found.user, "li");
    assert_int_equal(found.role, HS_USER_OPERATOR);
    assert_string_equal(found.csrf, session.csrf);
    assert_false(admin_sessions_find(all, "", HOUR, true, &found));
    assert_false(admin_sessions_find(all, "x", HOUR, true, &found));
    /* A page that only watches does not keep it. */
    assert_true(admin_sessions_find(all, text, HOUR + 58 * MINUTE, false, &found));
    assert_true(admin_sessions_find(all, text, HOUR + 29 * MINUTE - 1, false, &found)); /* read before it was used */
    assert_false(admin_sessions_find(all, text, HOUR + 59 * MINUTE, false, &found));
    assert_false(admin_sessions_find(all, text, HOUR + 58 * MINUTE, true, &found)); /* over is over */
    admin_sessions_begin(all, &li, HOUR, text, &session);
    for (uint64_t now = HOUR; now < 13 * HOUR; now += 20 * MINUTE)
        assert_true(admin_sessions_find(all, text, now, true, &found));
    assert_false(admin_sessions_find(all, text, 13 * HOUR, true, &found));
    admin_sessions_begin(all, &li, HOUR, text, &session);
    admin_sessions_end(all, text);
    assert_false(admin_sessions_find(all, text, HOUR, true, &found));
    admin_sessions_free(all);
}

static void sessions_are_bounded(void **state)
{
    (void)state;
    static char texts[ADMIN_SESSIONS_MAX + 1][ADMIN_SESSION_TEXT_BYTES];
    struct admin_session session;
    struct admin_sessions *all = sessions();
    struct hs_user li = somebody("li", HS_USER_VIEWER);
    for (unsigned i = 0; i <= ADMIN_SESSIONS_OF_USER_MAX; i++)
        admin_sessions_begin(all, &li, HOUR + i, texts[i], &session);
    assert_false(admin_sessions_find(all, texts[0], HOUR, true, &session));
    for (unsigned i = 1; i <= ADMIN_SESSIONS_OF_USER_MAX; i++)
        assert_true(admin_sessions_find(all, texts[i], HOUR + i, true, &session));
    admin_sessions_free(all);
    all = sessions();
    for (unsigned i = 0; i <= ADMIN_SESSIONS_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "u%u", i);
        struct hs_user user = somebody(name, HS_USER_VIEWER);
        admin_sessions_begin(all, &user, HOUR + i, texts[i], &session);
    }
    assert_false(admin_sessions_find(all, texts[0], HOUR + ADMIN_SESSIONS_MAX, true, &session));
    assert_true(admin_sessions_find(all, texts[1], HOUR + ADMIN_SESSIONS_MAX, true, &session));
    assert_true(admin_sessions_find(all, texts[ADMIN_SESSIONS_MAX], HOUR + ADMIN_SESSIONS_MAX, true, &session));
    admin_sessions_free(all);
}

static void sessions_follow_users(void **state)
{
    (void)state;
    static struct hs_users users;
    char texts[4][ADMIN_SESSION_TEXT_BYTES];
    struct admin_session session;
    struct admin_sessions *all = sessions();
    static const char *const NAMES[] = {"stays", "role", "password", "gone"};
    for (unsigned i = 0; i < 4; i++) {
        users.list[i] = somebody(NAMES[i], HS_USER_OPERATOR);
        admin_sessions_begin(all, &users.list[i], HOUR, texts[i], &session);
    }
    users.count = 3;
    users.list[1].role = HS_USER_VIEWER;
    snprintf(users.list[2].hash, sizeof users.list[2].hash, "another");
    admin_sessions_follow(all, &users);
    assert_true(admin_sessions_find(all, texts[0], HOUR, true, &session));
    for (unsigned i = 1; i < 4; i++)
        assert_false(admin_sessions_find(all, texts[i], HOUR, true, &session));
    admin_sessions_free(all);
}

/* ---- delays ---- */

static struct admin_guard *guard(void)
{
    struct admin_guard *made;
    assert_int_equal(admin_guard_new(&made), HS_OK);
    return made;
}

static void delays_grow(void **state)
{
    (void)state;
    struct admin_guard *all = guard();
    uint64_t now = HOUR;
    for (unsigned i = 0; i <= ADMIN_GUARD_FREE_TRIES; i++)
        assert_int_equal(admin_guard_try(all, "10.0.0.1", "li", now), 0);
    for (uint64_t wait = 1000; wait < ADMIN_GUARD_ADDRESS_MS_MAX; wait *= 2) {
        assert_int_equal(admin_guard_try(all, "10.0.0.1", "somebody else", now), wait);
        now += wait;
        assert_int_equal(admin_guard_try(all, "10.0.0.1", "somebody else", now), 0);
    }
    assert_int_equal(admin_guard_try(all, "10.0.0.1", "li", now), ADMIN_GUARD_ADDRESS_MS_MAX);
    assert_int_equal(admin_guard_try(all, "10.0.0.1", "li", now + 1),
                     ADMIN_GUARD_ADDRESS_MS_MAX - 1); /* asking adds none */
    assert_int_equal(admin_guard_try(all, "10.0.0.2", "third", now), 0);
    now += ADMIN_GUARD_ADDRESS_MS_MAX + ADMIN_GUARD_FORGET_MS;
    for (unsigned i = 0; i <= ADMIN_GUARD_FREE_TRIES; i++)
        assert_int_equal(admin_guard_try(all, "10.0.0.1", "li", now), 0);
    admin_guard_free(all);
}

/* Many addresses guess at one name: it waits, but never for long, and not where he has logged in before. */
static void nobody_is_locked_out(void **state)
{
    (void)state;
    struct admin_guard *all = guard();
    char address[32];
    uint64_t now = HOUR, longest = 0;
    assert_int_equal(admin_guard_try(all, "10.0.0.1", "li", now), 0);
    admin_guard_right(all, "10.0.0.1", "li", now);
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(address, sizeof address, "192.0.%u.%u", i / 256, i % 256);
        uint64_t wait = admin_guard_try(all, address, "li", now);
        longest = wait > longest ? wait : longest;
        now += wait;
    }
    assert_in_range(longest, ADMIN_GUARD_NAME_MS_MAX / 2, ADMIN_GUARD_NAME_MS_MAX);
    assert_int_equal(admin_guard_try(all, "10.0.0.8", "li", now), 0);
    assert_in_range(admin_guard_try(all, "10.0.0.9", "li", now), 1, ADMIN_GUARD_NAME_MS_MAX);
    assert_int_equal(admin_guard_try(all, "127.0.0.1", "li", now), 0); /* who is on the machine itself */
    assert_int_equal(admin_guard_try(all, "10.0.0.1", "li", now), 0);
    /* Who guesses from his own address, or is on the machine, holds him up for half a minute at most. */
    static const char *const OWN[][2] = {{"10.0.0.1", "li"}, {"::1", "wang"}};
    for (size_t k = 0; k < sizeof OWN / sizeof *OWN; k++) {
        longest = 0;
        for (unsigned i = 0; i < 100; i++) {
            uint64_t wait = admin_guard_try(all, OWN[k][0], OWN[k][1], now);
            longest = wait > longest ? wait : longest;
            now += wait;
        }
        assert_int_equal(longest, ADMIN_GUARD_NAME_MS_MAX);
    }
    admin_guard_free(all);
}

/* Many at once are as many tries: each counts when it begins. */
static void tries_count_at_once(void **state)
{
    (void)state;
    struct admin_guard *all = guard();
    unsigned free_ones = 0;
    for (unsigned i = 0; i < 50; i++)
        free_ones += admin_guard_try(all, "10.0.0.1", "li", HOUR) == 0;
    assert_int_equal(free_ones, ADMIN_GUARD_FREE_TRIES + 1);
    admin_guard_right(all, "10.0.0.1", "li", HOUR);
    assert_int_equal(admin_guard_try(all, "10.0.0.1", "li", HOUR), 0);
    admin_guard_free(all);
}

/* Who has one address of version 6 has 2^64, and one delay. */
static void a_network_is_one_stranger(void **state)
{
    (void)state;
    struct admin_guard *all = guard();
    char address[40], name[16];
    unsigned free_ones = 0;
    for (unsigned i = 0; i < 50; i++) {
        snprintf(address, sizeof address, "2001:db8:0:1:%x::%x", i, i);
        snprintf(name, sizeof name, "u%u", i);
        free_ones += admin_guard_try(all, address, name, HOUR) == 0;
    }
    assert_int_equal(free_ones, ADMIN_GUARD_FREE_TRIES + 1);
    assert_int_not_equal(admin_guard_wait(all, "2001:db8:0:1::1", "li", HOUR), 0);
    assert_int_equal(admin_guard_wait(all, "2001:db8:0:2::1", "li", HOUR), 0); /* the neighbour */
    admin_guard_free(all);
}

/* ---- the gate ---- */

struct gate_world {
    char dir[40];
    struct hs_conf conf;
    struct admin admin;
    char text[ADMIN_SESSION_TEXT_BYTES], cookie[80], bad_csrf[ADMIN_CSRF_TEXT_BYTES];
    struct admin_session session;
};

static void nothing(struct admin_request *request)
{
    (void)request;
}

static const struct admin_route LOOK = {"GET", "/look", HS_USER_VIEWER, ADMIN_MEMORY, nothing};
static const struct admin_route DECIDE = {"POST", "/decide", HS_USER_OPERATOR, ADMIN_NODE, nothing};
static const struct admin_route ENROLL = {"POST", "/enroll", HS_USER_ADMINISTRATOR, ADMIN_NODE, nothing};
static const struct admin_route HEALTH = {"GET", "/health", HS_USER_NOBODY, ADMIN_MEMORY, nothing};

static void open_world(struct gate_world *world, enum hs_user_role role)
{
    struct hs_user user = somebody("li", role);
    *world = (struct gate_world){.dir = "/tmp/hallsync-gate.XXXXXX"};
    assert_non_null(mkdtemp(world->dir));
    world->admin.conf = &world->conf;
    world->admin.listen.loopback = true;
    assert_int_equal(admin_userfile_new(world->dir, &world->admin.users), HS_OK);
    world->admin.sessions = sessions();
    admin_sessions_begin(world->admin.sessions, &user, hs_tick_ms(), world->text, &world->session);
    snprintf(world->cookie, sizeof world->cookie, "hallsync=%s", world->text);
    memcpy(world->bad_csrf, world->session.csrf, sizeof world->bad_csrf);
    world->bad_csrf[0] = world->bad_csrf[0] == 'A' ? 'B' : 'A';
}

static void close_world(struct gate_world *world)
{
    admin_sessions_free(world->admin.sessions);
    admin_userfile_free(world->admin.users);
    rmdir(world->dir);
}

/* What it answers, "" if it lets the request through. */
static const char *gate(struct gate_world *world, const struct admin_route *route, const struct admin_asked *asked)
{
    static char text[400];
    struct admin_request request = {.admin = &world->admin, .route = route};
    bool passed = admin_gate_origin(&request, asked, strcmp(route->method, "GET") != 0) &&
                  admin_gate_role(&request, asked);
    assert_int_equal(passed, request.answer.status == 0);
    hs_buf_put_u8(&request.answer.body, 0);
    snprintf(text, sizeof text, "%s", (char *)request.answer.body.data);
    hs_buf_fini(&request.answer.body);
    if (passed && route->role != HS_USER_NOBODY)
        assert_string_equal(request.who.name, "li");
    return text;
}

static void turned_away(struct gate_world *world, const struct admin_route *route, struct admin_asked asked,
                        const char *error)
{
    char wanted[64];
    snprintf(wanted, sizeof wanted, "\"error\":\"%s\"", error);
    const char *text = gate(world, route, &asked);
    if (strstr(text, wanted) == NULL)
        fail_msg("%s: not '%s' but '%s'", route->pattern, error, text);
}

static void the_gate(void **state)
{
    (void)state;
    struct gate_world world;
    open_world(&world, HS_USER_OPERATOR);
    struct admin_asked good = {.host = "localhost:7480",
                               .cookie = world.cookie,
                               .csrf = world.session.csrf,
                               .content_type = "application/json; charset=utf-8",
                               .origin = "http://localhost:7480",
                               .fetch_site = "same-origin"};
    assert_string_equal(gate(&world, &LOOK, &good), "");
    assert_string_equal(gate(&world, &DECIDE, &good), "");
    turned_away(&world, &ENROLL, good, "not-allowed");
    struct admin_asked asked = good;
    asked.csrf = NULL;
    assert_string_equal(gate(&world, &LOOK, &asked), "");
    turned_away(&world, &DECIDE, asked, "no-token");
    asked.csrf = world.bad_csrf;
    turned_away(&world, &DECIDE, asked, "no-token");
    asked = good;
    asked.cookie = "hallsync=x";
    turned_away(&world, &LOOK, asked, "no-users");
    asked.cookie = NULL;
    turned_away(&world, &DECIDE, asked, "no-users");
    assert_string_equal(gate(&world, &HEALTH, &asked), "");
    asked = good;
    asked.host = "evil.example";
    turned_away(&world, &HEALTH, asked, "foreign-name");
    asked.host = NULL;
    turned_away(&world, &HEALTH, asked, "foreign-name");
    asked = good;
    asked.origin = "http://evil.example";
    turned_away(&world, &LOOK, asked, "foreign-origin");
    asked = good;
    asked.fetch_site = "cross-site";
    turned_away(&world, &DECIDE, asked, "foreign-origin");
    asked = good;
    asked.content_type = "text/plain";
    turned_away(&world, &DECIDE, asked, "not-json");
    asked.content_type = NULL;
    turned_away(&world, &DECIDE, asked, "not-json");
    world.admin.tls = true; /* another cookie's name, and another scheme */
    turned_away(&world, &LOOK, good, "foreign-origin");
    asked = good;
    asked.origin = "https://localhost:7480";
    turned_away(&world, &LOOK, asked, "no-users");
    close_world(&world);
}

static void a_viewer_only_looks(void **state)
{
    (void)state;
    struct gate_world world;
    open_world(&world, HS_USER_VIEWER);
    struct admin_asked good = {
        .host = "127.0.0.1", .cookie = world.cookie, .csrf = world.session.csrf, .content_type = "application/json"};
    assert_string_equal(gate(&world, &LOOK, &good), "");
    turned_away(&world, &DECIDE, good, "not-allowed");
    turned_away(&world, &ENROLL, good, "not-allowed");
    close_world(&world);
}

/* A password that was right a while ago is not verified again; but it is no way to guess without a delay. */
static void remembered_and_guessed_at(void **state)
{
    (void)state;
    static const struct admin_route METRICS = {"GET", "/metrics", HS_USER_VIEWER, ADMIN_MEMORY, admin_get_metrics};
    static const struct admin_asked ASKED = {.host = "localhost", .authorization = "Basic bGk6Y29ycmVjdCBob3JzZQ=="};
    static struct hs_users users;
    struct gate_world world;
    char path[64];
    open_world(&world, HS_USER_VIEWER);
    snprintf(path, sizeof path, "%s/users", world.dir);
    users.list[0] = somebody("li", HS_USER_VIEWER);
    users.count = 1;
    assert_int_equal(hs_user_hash("correct horse", users.list[0].hash, NULL), HS_OK);
    assert_int_equal(hs_users_save(path, &users, NULL), HS_OK);
    assert_true(admin_userfile_follow(world.admin.users, &users));
    world.admin.listen.loopback = false;
    world.admin.guard = guard();
    assert_int_equal(admin_basics_new(&world.admin.basics), HS_OK);
    struct admin_request request = {.admin = &world.admin, .route = &METRICS, .address = "10.0.0.1"};
    assert_true(admin_gate_role(&request, &ASKED) && request.verify && admin_basic_verified(&request));
    struct admin_request again = {.admin = &world.admin, .route = &METRICS, .address = "10.0.0.1"};
    assert_true(admin_gate_role(&again, &ASKED) && !again.verify);
    assert_string_equal(again.who.name, "li");
    while (admin_guard_try(world.admin.guard, "10.0.0.2", "li", hs_tick_ms()) == 0)
        continue;
    struct admin_request guess = {.admin = &world.admin, .route = &METRICS, .address = "10.0.0.2"};
    assert_true(admin_gate_role(&guess, &ASKED) && guess.verify);
    assert_false(admin_basic_verified(&guess));
    assert_int_equal(guess.answer.status, 429);
    hs_buf_fini(&guess.answer.body);
    struct admin_request known = {.admin = &world.admin, .route = &METRICS, .address = "10.0.0.1"};
    assert_true(admin_gate_role(&known, &ASKED) && !known.verify); /* from where he is known */
    admin_basics_free(world.admin.basics);
    admin_guard_free(world.admin.guard);
    unlink(path);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_end),
        cmocka_unit_test(sessions_are_bounded),
        cmocka_unit_test(sessions_follow_users),
        cmocka_unit_test(delays_grow),
        cmocka_unit_test(nobody_is_locked_out),
        cmocka_unit_test(tries_count_at_once),
        cmocka_unit_test(the_gate),
        cmocka_unit_test(a_viewer_only_looks),
        cmocka_unit_test(a_network_is_one_stranger),
        cmocka_unit_test(remembered_and_guessed_at),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
