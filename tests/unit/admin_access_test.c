/* admin_access_test.c -- what a request says of itself: cookies, Host, Origin, headers; and the routes. */
#include "node/admin/inside.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void listens(const char *text, bool v6, bool loopback, unsigned port)
{
    struct admin_listen listen;
    assert_int_equal(admin_listen_parse(text, &listen), HS_OK);
    assert_int_equal(listen.v6, v6);
    assert_int_equal(listen.loopback, loopback);
    assert_int_equal(listen.port, port);
}

static void addresses(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",
        ":7480",
        "7480",
        "localhost:7480",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1: 1",
        "1",
        "::1:1",
        "[]:1",
        "[::1]",
        "[::1]1",
        "[::1:7480",
        "[127.0.0.1]:1",
        "127.1:1",
        "127.0.0.1:1x",
        "*:7480",
    };
    listens("127.0.0.1:7480", false, true, 7480);
    listens("127.9.9.9:0", false, true, 0);
    listens("[::1]:65535", true, true, 65535);
    listens("0.0.0.0:7480", false, false, 7480);
    listens("[::]:7480", true, false, 7480);
    listens("10.0.0.1:1", false, false, 1);
    listens("[::ffff:127.0.0.1]:1", true, false, 1); /* not called the machine itself: TLS is asked for */
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct admin_listen listen;
        if (admin_listen_parse(BAD[i], &listen) != HS_EADDRESS)
            fail_msg("'%s' was taken", BAD[i]);
    }
}

static void cookie(const char *header, const char *wanted)
{
    char value[16] = "before";
    bool found = admin_cookie(header, "hallsync", value, sizeof value);
    assert_int_equal(found, wanted != NULL);
    if (wanted != NULL)
        assert_string_equal(value, wanted);
}

static void cookies(void **state)
{
    (void)state;
    cookie("hallsync=abc", "abc");
    cookie("a=b; hallsync=abc; c=d", "abc");
    cookie("a=b;hallsync=abc ;c", "abc");
    cookie("hallsync=", "");
    cookie("hallsync=a=b", "a=b");
    cookie("", NULL);
    cookie(";;; ;", NULL);
    cookie("hallsync", NULL);
    cookie("hallsyncx=abc", NULL);
    cookie("xhallsync=abc", NULL);
    cookie("Hallsync=abc", NULL);
    cookie("hallsync=abc; hallsync=abc", NULL); /* one of them is somebody else's */
    cookie("hallsync=123456789012345", "123456789012345");
    cookie("hallsync=1234567890123456", NULL);
}

static void hosts(void **state)
{
    (void)state;
    char console[] = "console.example";
    char *const names[] = {console};
    static const char *const RIGHT[] = {"127.0.0.1", "127.0.0.1:7480", "[::1]:7480",           "localhost:1",
                                        "LOCALHOST", "10.1.2.3:443",   "Console.Example:7480", "console.example"};
    static const char *const WRONG[] = {
        "",
        "evil.example",
        "evil.example:7480",
        "127.0.0.1.evil.example",
        "localhost.evil",
        "127.0.0.1:x",
        "127.0.0.1:",
        "[localhost",
        "[localhost]",
        "::1",
        "console.example.evil",
        "xconsole.example",
        "[::1]x",
        "127.0.0.1:99999",
        "127.1",
        "2130706433",
        "0x7f.1",
        " localhost",
        "localhost ",
    };
    for (size_t i = 0; i < sizeof RIGHT / sizeof *RIGHT; i++) {
        if (!admin_host_right(RIGHT[i], names, 1))
            fail_msg("'%s' was refused", RIGHT[i]);
    }
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        if (admin_host_right(WRONG[i], names, 1))
            fail_msg("'%s' was taken", WRONG[i]);
    }
}

static void origins(void **state)
{
    (void)state;
    assert_true(admin_origin_right("http://127.0.0.1:7480", "127.0.0.1:7480", false));
    assert_true(admin_origin_right("https://Console.example", "console.example", true));
    assert_false(admin_origin_right("http://console.example", "console.example", true));
    assert_false(admin_origin_right("https://console.example", "console.example", false));
    assert_false(admin_origin_right("http://127.0.0.1", "127.0.0.1:7480", false));
    assert_false(admin_origin_right("http://127.0.0.1:7480.evil", "127.0.0.1:7480", false));
    assert_false(admin_origin_right("null", "127.0.0.1:7480", false));
    assert_false(admin_origin_right("", "", false));
}

static void basics(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",
        "Basic",
        "Basic ",
        "Bearer bGk6eA==",
        "Basic bGk6eA",       /* not padded */
        "Basic bGk=",         /* no colon */
        "Basic TGk6eA==",     /* Li:x */
        "Basic bGk6eA== x",   /* something behind it */
        "Basic bGk6AHg=",     /* a zero */
        "Basic Onh4eHh4eHg=", /* no name */
    };
    struct admin_basic basic;
    assert_true(admin_basic("Basic bGk6eDp5IHo=", &basic)); /* li:x:y z */
    assert_string_equal(basic.name, "li");
    assert_string_equal(basic.password, "x:y z");
    assert_true(admin_basic("basic   bGk6", &basic));
    assert_string_equal(basic.password, "");
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        if (admin_basic(BAD[i], &basic))
            fail_msg("'%s' was taken", BAD[i]);
    }
    char long_one[1000];
    memset(long_one, 'A', sizeof long_one - 1);
    long_one[sizeof long_one - 1] = '\0';
    memcpy(long_one, "Basic ", 6);
    assert_false(admin_basic(long_one, &basic));
}

static void lists(void **state)
{
    (void)state;
    assert_true(admin_takes_gzip("gzip"));
    assert_true(admin_takes_gzip("deflate, gzip;q=1.0, *;q=0.5"));
    assert_true(admin_takes_gzip("GZIP ; q=0.001"));
    assert_false(admin_takes_gzip(""));
    assert_false(admin_takes_gzip("br, deflate"));
    assert_false(admin_takes_gzip("gzip;q=0"));
    assert_false(admin_takes_gzip("gzip; q=0.000"));
    assert_false(admin_takes_gzip("xgzip, gzipx"));
    assert_true(admin_tag_matches("\"abc\"", "\"abc\""));
    assert_true(admin_tag_matches("\"x\", W/\"abc\" , \"y\"", "\"abc\""));
    assert_false(admin_tag_matches("\"ab\"", "\"abc\""));
    assert_false(admin_tag_matches("abc", "\"abc\""));
    assert_false(admin_tag_matches("", "\"abc\""));
    assert_true(admin_same("abc", "abc"));
    assert_false(admin_same("abc", "abd"));
    assert_false(admin_same("abc", "abcd"));
    assert_false(admin_same("", "a"));
}

/* ---- routes ---- */

static void nothing(struct admin_request *request)
{
    (void)request;
}

static const struct admin_route ROUTES[] = {
    {"GET", "/api/node/?", HS_USER_VIEWER, ADMIN_MEMORY, nothing},
    {"GET", "/api/parked", HS_USER_VIEWER, ADMIN_NODE, nothing},
    {"POST", "/api/parked", HS_USER_OPERATOR, ADMIN_NODE, nothing},
    {"GET", "/a/?/b/?", HS_USER_NOBODY, ADMIN_MEMORY, nothing},
};

static struct admin_match at(const char *method, const char *path)
{
    struct admin_match match;
    admin_match(ROUTES, sizeof ROUTES / sizeof *ROUTES, method, path, &match);
    return match;
}

static void routes(void **state)
{
    (void)state;
    static const char *const NOWHERE[] = {"",
                                          "/",
                                          "/api",
                                          "/api/",
                                          "/api/node",
                                          "/api/node/",
                                          "api/parked",
                                          "/api/parked/",
                                          "/api//parked",
                                          "/api/parke",
                                          "/api/parkedx",
                                          "/a/x/b/",
                                          "/a//b/y"};
    struct admin_match match;
    admin_match(ROUTES, sizeof ROUTES / sizeof *ROUTES, "GET", "/api/node/nj-gulou", &match);
    assert_ptr_equal(match.route, &ROUTES[0]);
    assert_string_equal(match.args[0], "nj-gulou");
    admin_match(ROUTES, sizeof ROUTES / sizeof *ROUTES, "GET", "/api/node/tcp://10.0.0.1:7400", &match);
    assert_ptr_equal(match.route, &ROUTES[0]); /* of a node that has not said yet who it is */
    assert_string_equal(match.args[0], "tcp://10.0.0.1:7400");
    admin_match(ROUTES, sizeof ROUTES / sizeof *ROUTES, "GET", "/a/x/b/y", &match);
    assert_ptr_equal(match.route, &ROUTES[3]);
    assert_string_equal(match.args[0], "x");
    assert_string_equal(match.args[1], "y");
    assert_ptr_equal(at("POST", "/api/parked").route, &ROUTES[2]);
    assert_ptr_equal(at("GET", "/api/parked").route, &ROUTES[1]);
    assert_null(at("PUT", "/api/parked").route);
    assert_non_null(at("PUT", "/api/parked").allow);
    assert_null(at("get", "/api/parked").route);
    for (size_t i = 0; i < sizeof NOWHERE / sizeof *NOWHERE; i++) {
        if (at("GET", NOWHERE[i]).route != NULL || at("GET", NOWHERE[i]).allow != NULL)
            fail_msg("'%s' leads somewhere", NOWHERE[i]);
    }
    char long_one[ADMIN_PATH_BYTES_MAX + 20] = "/api/node/";
    memset(long_one + 10, 'x', sizeof long_one - 11);
    assert_null(at("GET", long_one).route);
    long_one[ADMIN_PATH_BYTES_MAX] = '\0';
    assert_ptr_equal(at("GET", long_one).route, &ROUTES[0]);
}

/* Each row of the program itself: reached under its own address; whom what changes something is for. */
static void the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADMIN_ROUTE_COUNT; i++) {
        const struct admin_route *route = &ADMIN_ROUTES[i];
        struct admin_match match;
        char path[ADMIN_PATH_BYTES_MAX];
        snprintf(path, sizeof path, "%s", route->pattern);
        for (char *mark = path; *mark != '\0'; mark++)
            *mark = *mark == '?' ? 'x' : *mark;
        admin_match(ADMIN_ROUTES, ADMIN_ROUTE_COUNT, route->method, path, &match);
        assert_ptr_equal(match.route, route);
        assert_non_null(route->run);
        bool login = strcmp(route->pattern, "/api/login") == 0, logout = strcmp(route->pattern, "/api/logout") == 0;
        bool looks = strcmp(route->pattern, "/api/conflict/look") == 0; /* by POST, for its id is a customer's */
        bool changes = strcmp(route->method, "GET") != 0 && !looks;
        bool registry = strncmp(route->pattern, "/api/registry/", 14) == 0;
        if (changes && !login && !logout && route->role != (registry ? HS_USER_ADMINISTRATOR : HS_USER_OPERATOR))
            fail_msg("%s %s: the role for it is another one", route->method, route->pattern);
        if (login)
            assert_int_equal(route->pool, ADMIN_PASSWORD);
        assert_true(strcmp(route->method, "GET") == 0 || strcmp(route->method, "POST") == 0);
        if (strncmp(route->pattern, "/api/", 5) == 0 && strcmp(route->pattern, "/api/session") != 0 && !login)
            assert_true(route->role >= HS_USER_VIEWER);
    }
}

static void pages(void **state)
{
    (void)state;
    const struct admin_page *page = admin_page_find("/");
    assert_non_null(page);
    assert_string_equal(page->path, "/index.html");
    assert_null(admin_page_find("/nothing.js"));
    size_t all = 0;
    for (size_t i = 0; i < ADMIN_PAGE_COUNT; i++) {
        struct hs_buf body = {0};
        page = &ADMIN_PAGES[i];
        assert_int_equal(admin_gunzip(HS_BYTES(page->gzip, page->gzip_size), page->size, &body), HS_OK);
        assert_int_equal(body.size, page->size);
        hs_buf_fini(&body);
        assert_int_not_equal(admin_gunzip(HS_BYTES(page->gzip, page->gzip_size - 9), page->size, &body), HS_OK);
        hs_buf_fini(&body);
        all += page->gzip_size;
    }
    assert_true(all < (size_t)200 * 1024); /* issue 7: the page loads below 200 kB */
}

static void compressed(void **state)
{
    (void)state;
    struct hs_buf body = {0}, again = {0};
    for (unsigned i = 0; i < 1000; i++)
        hs_buf_put_format(&body, "{\"node_id\":\"nj-%u\"},", i);
    size_t size = body.size;
    assert_true(admin_gzip(&body));
    assert_true(body.size < size / 4);
    assert_int_equal(admin_gunzip(hs_buf_bytes(&body), size, &again), HS_OK);
    assert_memory_equal(again.data, "{\"node_id\":\"nj-0\"}", 18);
    hs_buf_fini(&body);
    hs_buf_fini(&again);
    hs_buf_put(&body, "x", 1);
    assert_false(admin_gzip(&body));
    assert_int_equal(body.size, 1);
    hs_buf_fini(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),  cmocka_unit_test(cookies),   cmocka_unit_test(hosts),
        cmocka_unit_test(origins),    cmocka_unit_test(basics),    cmocka_unit_test(lists),
        cmocka_unit_test(routes),     cmocka_unit_test(the_table), cmocka_unit_test(pages),
        cmocka_unit_test(compressed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
