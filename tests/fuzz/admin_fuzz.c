/* admin_fuzz.c -- what comes to the console from outside: paths, Host, Origin, cookies, passwords in headers, lists in
 * headers, where it listens; and the users' file. */
#include "node/admin/inside.h"
#include "tests/fuzz/fuzz.h"

static void users(struct hs_bytes bytes)
{
    static struct hs_users read, again;
    struct hs_buf text = {0};
    struct hs_why why;
    if (hs_users_parse(bytes, &read, &why) != HS_OK)
        return;
    FUZZ_CHECK(read.count <= HS_USERS_MAX);
    for (size_t i = 0; i < read.count; i++) {
        FUZZ_CHECK(hs_user_name_valid(read.list[i].name));
        FUZZ_CHECK(read.list[i].role > HS_USER_NOBODY && read.list[i].role <= HS_USER_ADMINISTRATOR);
        FUZZ_CHECK(hs_users_find(&read, read.list[i].name) == &read.list[i]);
    }
    hs_users_write(&read, &text);
    FUZZ_CHECK(text.err == HS_OK && hs_users_parse(hs_buf_bytes(&text), &again, &why) == HS_OK);
    FUZZ_CHECK(again.count == read.count && memcmp(again.list, read.list, read.count * sizeof *read.list) == 0);
    FUZZ_CHECK(read.count == 0 || hs_bytes_equal(hs_buf_bytes(&text), bytes)); /* there is one form */
    hs_buf_fini(&text);
}

static void path(const char *text)
{
    struct admin_match match;
    admin_match(ADMIN_ROUTES, ADMIN_ROUTE_COUNT, "GET", text, &match);
    const struct admin_page *page = admin_page_find(text);
    FUZZ_CHECK(page == NULL || strcmp(page->path, text) == 0 || strcmp(text, "/") == 0);
    FUZZ_CHECK(match.route == NULL || match.allow == NULL);
    for (size_t i = 0; match.route != NULL && i < ADMIN_ARGS_MAX && match.args[i] != NULL; i++)
        FUZZ_CHECK(match.args[i][0] != '\0' && match.args[i][0] != '/' && strstr(text, match.args[i]) != NULL);
}

/* A name of somebody else's is never taken for this machine's. */
static void host(const char *text)
{
    char name[] = "console.example";
    char *const names[] = {name};
    size_t size = strlen(text);
    if (admin_host_right(text, NULL, 0)) {
        bool digits = strspn(text, "0123456789abcdefABCDEF.:[]") == size;
        FUZZ_CHECK(digits || strncasecmp(text, "localhost", 9) == 0);
        FUZZ_CHECK(admin_host_right(text, names, 1));
    }
    if (size > 9 && strncasecmp(text, "localhost", 9) == 0 && text[9] != ':')
        FUZZ_CHECK(!admin_host_right(text, names, 1));
    FUZZ_CHECK(!admin_origin_right(text, "127.0.0.1:1", true) || strcasecmp(text, "https://127.0.0.1:1") == 0);
    struct admin_listen listen;
    if (admin_listen_parse(text, &listen) == HS_OK)
        FUZZ_CHECK(admin_host_right(text, NULL, 0));
}

static void cookie(const char *text)
{
    char value[20];
    if (!admin_cookie(text, "hallsync", value, sizeof value))
        return;
    FUZZ_CHECK(strlen(value) < sizeof value && strchr(value, ';') == NULL);
    const char *at = strstr(text, "hallsync=");
    FUZZ_CHECK(at != NULL && strstr(at, value) != NULL);
}

static void basic(const char *text)
{
    struct admin_basic found;
    if (!admin_basic(text, &found))
        return;
    FUZZ_CHECK(hs_user_name_valid(found.name));
    FUZZ_CHECK(strlen(found.password) <= HS_USER_PASSWORD_BYTES_MAX);
}

static void lists(const char *text)
{
    bool gzip = admin_takes_gzip(text);
    FUZZ_CHECK(!gzip || strcasestr(text, "gzip") != NULL);
    bool named = admin_tag_matches(text, "\"ab\"");
    FUZZ_CHECK(!named || strstr(text, "\"ab\"") != NULL);
    FUZZ_CHECK(admin_same(text, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hs_cur in = hs_cur_of(HS_BYTES(data, size));
    struct hs_arena arena;
    hs_arena_init(&arena, 0);
    uint8_t which = fuzz_u8(&in);
    struct hs_bytes bytes = fuzz_rest(&in);
    if (which == 'u') {
        users(bytes);
    } else {
        const char *text = fuzz_text(&arena, bytes);
        path(text);
        host(text);
        cookie(text);
        basic(text);
        lists(text);
    }
    hs_arena_fini(&arena);
    return 0;
}

void fuzz_seeds(fuzz_put put)
{
    put("users", FUZZ_SEED("uhallsync-users 1\n"
                           "li administrator $argon2id$v=19$m=65536,t=2,p=1$bm9ib2R5IGtub3dzIGl0Lg$bm9ib2R5\n"
                           "wang.wu-2 viewer $argon2id$v=19$m=65536,t=2,p=1$bm9ib2R5IGtub3dzIGl0Lg$bm9ib2R5\n"));
    put("path", FUZZ_SEED("p/api/node/nj-gulou"));
    put("page", FUZZ_SEED("p/index.html"));
    put("host", FUZZ_SEED("hconsole.example:7480"));
    put("localhost", FUZZ_SEED("hlocalhost:7480"));
    put("v4", FUZZ_SEED("h127.0.0.1:7480"));
    put("v6", FUZZ_SEED("h[::1]:7480"));
    put("origin", FUZZ_SEED("hhttps://127.0.0.1:1"));
    put("cookie", FUZZ_SEED("ca=b; hallsync=BMjWsVrpgLfUfh8V ;c"));
    put("basic", FUZZ_SEED("bBasic bGk6eDp5IHo="));
    put("encodings", FUZZ_SEED("ldeflate, gzip;q=1.0, *;q=0.5"));
    put("tags", FUZZ_SEED("l\"x\", W/\"ab\" , \"y\""));
}
