/* admin_test.c -- the console while calls fail: the users' file is the one before or the one behind, whole; nobody gets
 * in whom it does not name; and each request is answered. */
#include "tests/fault/fault.h"

#include "node/admin/inside.h"
#include "proto/base/thread.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HASH "$argon2id$v=19$m=65536,t=2,p=1$bm9ib2R5IGtub3dzIGl0Lg$bm9ib2R5"

static char dir[64], path[80];

static struct hs_user somebody(const char *name, enum hs_user_role role)
{
    struct hs_user user = {.role = role, .hash = HASH};
    snprintf(user.name, sizeof user.name, "%s", name);
    return user;
}

static void keep(size_t count)
{
    static struct hs_users users;
    static const char *const NAMES[] = {"li", "wang", "zhao"};
    users.count = count;
    for (size_t i = 0; i < count; i++)
        users.list[i] = somebody(NAMES[i], HS_USER_VIEWER);
    assert_int_equal(hs_users_save(path, &users, NULL), HS_OK);
}

static void save(void *ctx)
{
    (void)ctx;
    static struct hs_users users, after;
    struct hs_why why;
    unlink(path);
    keep(2);
    users.list[0] = somebody("chen", HS_USER_ADMINISTRATOR);
    users.count = 1;
    fault_begin();
    enum hs_err err = hs_users_save(path, &users, &why);
    fault_end();
    assert_int_equal(hs_users_load(path, &after, &why), HS_OK);
    bool is_new = after.count == 1 && strcmp(after.list[0].name, "chen") == 0;
    assert_true(is_new || (err != HS_OK && after.count == 2 && strcmp(after.list[0].name, "li") == 0));
}

static void users_are_the_ones_before_or_behind(void **state)
{
    (void)state;
    fault_each("users", FAULT_OF_MEMORY | FAULT_OF_FILES, save, NULL);
}

static void nothing(struct admin_request *request)
{
    (void)request;
}

/* The file of two becomes one of three while the program follows it: it has the two or the three, and says so. */
static void follow(void *ctx)
{
    (void)ctx;
    static struct hs_users users;
    struct admin_userfile *file = NULL;
    struct hs_user user;
    unlink(path);
    keep(2);
    assert_int_equal(admin_userfile_new(dir, &file), HS_OK);
    keep(3);
    fault_begin();
    bool changed = admin_userfile_follow(file, &users);
    fault_end();
    assert_int_equal(admin_userfile_count(file), changed ? 3 : 2);
    assert_int_equal(admin_userfile_find(file, "zhao", &user), changed);
    assert_int_equal(admin_userfile_follow(file, &users), !changed); /* what could not be read is tried again */
    assert_int_equal(admin_userfile_count(file), 3);
    admin_userfile_free(file);
}

static void who_is_followed_is_whole(void **state)
{
    (void)state;
    fault_each("follow", FAULT_OF_MEMORY | FAULT_OF_FILES, follow, NULL);
}

static const struct admin_route DECIDE = {"POST", "/decide", HS_USER_OPERATOR, ADMIN_NODE, nothing};

/* All parts that a request meets; without a session nobody gets through, whatever fails. */
static void ask(void *ctx)
{
    struct admin *admin = ctx;
    struct admin_request request = {.admin = admin, .route = &DECIDE};
    const struct admin_asked asked = {
        .host = "localhost", .cookie = "hallsync=x", .csrf = "", .content_type = "application/json"};
    fault_begin();
    bool passed = admin_gate_origin(&request, &asked, true) && admin_gate_role(&request, &asked);
    fault_end();
    assert_false(passed);
    assert_true(request.answer.status == 401 || request.answer.status == 503);
    hs_buf_fini(&request.answer.body);
    request = (struct admin_request){.admin = admin, .route = &DECIDE};
    fault_begin();
    json_t *json = json_pack("{s:s}", "text", "some");
    admin_answer_json(&request, json);
    bool smaller = request.answer.status == 200 && admin_gzip(&request.answer.body);
    fault_end();
    assert_true(request.answer.status == 503 || (request.answer.body.size == 15 && !smaller));
    hs_buf_fini(&request.answer.body);
}

static void each_request_is_answered(void **state)
{
    (void)state;
    static struct hs_conf conf;
    struct admin admin = {.conf = &conf};
    assert_int_equal(admin_userfile_new(dir, &admin.users), HS_OK);
    assert_int_equal(admin_sessions_new(1000, 1000, &admin.sessions), HS_OK);
    fault_each("request", FAULT_OF_MEMORY, ask, &admin);
    admin_sessions_free(admin.sessions);
    admin_userfile_free(admin.users);
}

/* An event that cannot be kept is no silence: who watches begins anew (here nobody does). */
static void tell(void *ctx)
{
    (void)ctx;
    struct admin_events *events = NULL;
    struct admin_guard *guard = NULL;
    fault_begin();
    enum hs_err err = admin_events_new(&events);
    for (unsigned i = 0; i < 3 && err == HS_OK; i++)
        admin_events_put(events, "status", "{}");
    enum hs_err second = admin_guard_new(&guard);
    fault_end();
    fault_assert_named(err != HS_OK ? err : second);
    admin_events_free(events);
    admin_guard_free(guard);
}

static void events_are_told_or_not(void **state)
{
    (void)state;
    fault_each("events", FAULT_OF_MEMORY, tell, NULL);
}

static int set_up(void **state)
{
    (void)state;
    const char *place = getenv("TMPDIR");
    snprintf(dir, sizeof dir, "%.40s/hallsync-admin.XXXXXX", place != NULL ? place : "/tmp");
    if (sodium_init() < 0 || mkdtemp(dir) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/users", dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    rmdir(dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fault_test(users_are_the_ones_before_or_behind),
        fault_test(who_is_followed_is_whole),
        fault_test(each_request_is_answered),
        fault_test(events_are_told_or_not),
    };
    return cmocka_run_group_tests_name("admin faults", tests, set_up, tear_down);
}
