/* users_test.c -- the users' file: what it may hold, hostile content, and passwords. */
#include "node/users/users.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#define HASH "$argon2id$v=19$m=65536,t=2,p=1$bm9ib2R5IGtub3dzIGl0Lg$bm9ib2R5IGtub3dzIGEgcGFzc3dvcmQgb2YgdGhpcyE"

static struct hs_users users;
static struct hs_why why;

static enum hs_err parse(const char *text)
{
    why = (struct hs_why){0};
    return hs_users_parse(HS_BYTES(text, strlen(text)), &users, &why);
}

static void refused(const char *text, const char *wanted)
{
    assert_int_equal(parse(text), HS_EMALFORMED);
    if (strstr(why.text, wanted) == NULL)
        fail_msg("'%s' is not in: %s", wanted, why.text);
}

static void written_and_read_again(void **state)
{
    (void)state;
    static struct hs_users again;
    struct hs_buf text = {0}, same = {0};
    assert_int_equal(parse("hallsync-users 1\nli administrator " HASH "\nwang.wu-2 viewer " HASH "\n"), HS_OK);
    assert_int_equal(users.count, 2);
    assert_int_equal(hs_users_find(&users, "li")->role, HS_USER_ADMINISTRATOR);
    assert_int_equal(hs_users_find(&users, "wang.wu-2")->role, HS_USER_VIEWER);
    assert_string_equal(hs_users_find(&users, "li")->hash, HASH);
    assert_null(hs_users_find(&users, "l"));
    assert_null(hs_users_find(&users, ""));
    hs_users_write(&users, &text);
    assert_int_equal(hs_users_parse(hs_buf_bytes(&text), &again, NULL), HS_OK);
    hs_users_write(&again, &same);
    assert_true(hs_bytes_equal(hs_buf_bytes(&text), hs_buf_bytes(&same)));
    hs_buf_fini(&text);
    hs_buf_fini(&same);
    assert_int_equal(parse(""), HS_OK);
    assert_int_equal(users.count, 0);
}

static void hostile(void **state)
{
    (void)state;
    refused("hallsync-users 2\n", "first line");
    refused("li viewer " HASH "\n", "first line");
    refused("hallsync-users 1", "cut short");
    refused("hallsync-users 1\nli viewer " HASH, "line 2 is cut short");
    refused("hallsync-users 1\n\n", "line 2");
    refused("hallsync-users 1\nli viewer\n", "line 2");
    refused("hallsync-users 1\nli king " HASH "\n", "line 2");
    refused("hallsync-users 1\nLi viewer " HASH "\n", "line 2");
    refused("hallsync-users 1\n li viewer " HASH "\n", "line 2");
    refused("hallsync-users 1\nli viewer " HASH " \n", "line 2");
    refused("hallsync-users 1\nli viewer " HASH " x\n", "line 2");
    refused("hallsync-users 1\nli viewer " HASH "\nli operator " HASH "\n", "line 3: li is there twice");
    refused("hallsync-users 1\nli-who-has-a-name-of-33-characters viewer " HASH "\n", "line 2");
}

/* What a verification would cost stands in the hash: nobody who writes the file makes it take the machine. */
static void costly_hashes(void **state)
{
    (void)state;
    static const char *const HASHES[] = {
        "$argon2id$v=19$m=262145,t=2,p=1$YWJjZGVmZ2hpamtsbW5vcA$YWJj",
        "$argon2id$v=19$m=65536,t=9,p=1$YWJjZGVm$YWJj",
        "$argon2id$v=19$m=65536,t=2,p=2$YWJjZGVm$YWJj",
        "$argon2id$v=19$m=4294967295,t=2,p=1$YWJjZGVm$YWJj",
        "$argon2id$v=19$m=-1,t=2,p=1$YWJjZGVm$YWJj",
        "$argon2i$v=19$m=65536,t=2,p=1$YWJjZGVm$YWJj",
        "$argon2id$v=19$m=65536,t=2,p=1",
        "$2b$10$abcdefghijklmnopqrstuv",
        "plain",
        "x",
    };
    char text[400];
    for (size_t i = 0; i < sizeof HASHES / sizeof *HASHES; i++) {
        snprintf(text, sizeof text, "hallsync-users 1\nli viewer %s\n", HASHES[i]);
        refused(text, "line 2");
    }
}

static void too_many(void **state)
{
    (void)state;
    struct hs_buf text = {0};
    hs_buf_put_format(&text, "hallsync-users 1\n");
    for (unsigned i = 0; i < HS_USERS_MAX; i++)
        hs_buf_put_format(&text, "u%u viewer " HASH "\n", i);
    assert_true(text.size <= HS_USERS_FILE_BYTES_MAX);
    assert_int_equal(hs_users_parse(hs_buf_bytes(&text), &users, &why), HS_OK);
    hs_buf_put_format(&text, "more viewer " HASH "\n");
    assert_int_equal(hs_users_parse(hs_buf_bytes(&text), &users, &why), HS_EMALFORMED);
    assert_non_null(strstr(why.text, "more than"));
    hs_buf_fini(&text);
}

static void the_file(void **state)
{
    (void)state;
    char dir[] = "/tmp/hallsync-users.XXXXXX", path[64];
    struct stat status;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/users", dir);
    assert_int_equal(hs_users_load(path, &users, &why), HS_OK);
    assert_int_equal(users.count, 0);
    assert_int_equal(parse("hallsync-users 1\nli viewer " HASH "\n"), HS_OK);
    assert_int_equal(hs_users_save(path, &users, &why), HS_OK);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(hs_users_load(path, &users, &why), HS_OK);
    assert_int_equal(users.count, 1);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(hs_users_load(path, &users, &why), HS_EPERM);
    assert_int_equal(users.count, 0);
    unlink(path);
    rmdir(dir);
}

static bool no_memory;

int __real_crypto_pwhash_str_verify(const char *hash, const char *password, unsigned long long size);
int __wrap_crypto_pwhash_str_verify(const char *hash, const char *password, unsigned long long size);
int __wrap_crypto_pwhash_str_verify(const char *hash, const char *password, unsigned long long size)
{
    if (!no_memory)
        return __real_crypto_pwhash_str_verify(hash, password, size);
    errno = ENOMEM; /* as of mmap(2) */
    return -1;
}

static void passwords(void **state)
{
    (void)state;
    struct hs_user user = {.name = "li"};
    char long_one[HS_USER_PASSWORD_BYTES_MAX + 2];
    memset(long_one, 'x', sizeof long_one - 1);
    long_one[sizeof long_one - 1] = '\0';
    assert_int_equal(hs_user_hash("elf bytes..", user.hash, &why), HS_EVALUE);
    assert_int_equal(hs_user_hash(long_one, user.hash, &why), HS_EVALUE);
    assert_int_equal(hs_user_hash("not \xff text at all", user.hash, &why), HS_EVALUE);
    assert_int_equal(hs_user_hash("\xe4\xb8\x80\xe4\xba\x8c\xe4\xb8\x89\xe5\x9b\x9b", user.hash, &why), HS_OK);
    assert_int_equal(hs_user_verify(&user, "\xe4\xb8\x80\xe4\xba\x8c\xe4\xb8\x89\xe5\x9b\x9b"), HS_OK);
    assert_int_equal(hs_user_verify(&user, "\xe4\xb8\x80\xe4\xba\x8c\xe4\xb8\x89"), HS_EPERM);
    assert_int_equal(hs_user_verify(&user, ""), HS_EPERM);
    assert_int_equal(hs_user_verify_nobody("anything"), HS_EPERM);
    no_memory = true; /* who is right is not told that he is wrong, and nobody is told who there is */
    assert_int_equal(hs_user_verify(&user, "\xe4\xb8\x80\xe4\xba\x8c\xe4\xb8\x89\xe5\x9b\x9b"), HS_ENOMEM);
    assert_int_equal(hs_user_verify_nobody("anything"), HS_ENOMEM);
    no_memory = false;
    struct hs_users one = {.list = {user}, .count = 1};
    one.list[0].role = HS_USER_OPERATOR;
    struct hs_buf text = {0};
    hs_users_write(&one, &text);
    assert_int_equal(hs_users_parse(hs_buf_bytes(&text), &users, &why), HS_OK); /* libsodium's own form is taken */
    hs_buf_fini(&text);
}

static void roles(void **state)
{
    (void)state;
    enum hs_user_role role = HS_USER_NOBODY;
    assert_int_equal(hs_user_role_parse("operator", &role), HS_OK);
    assert_int_equal(role, HS_USER_OPERATOR);
    assert_int_equal(hs_user_role_parse("", &role), HS_EVALUE);
    assert_int_equal(hs_user_role_parse("Operator", &role), HS_EVALUE);
    assert_true(HS_USER_NOBODY < HS_USER_VIEWER && HS_USER_VIEWER < HS_USER_OPERATOR &&
                HS_USER_OPERATOR < HS_USER_ADMINISTRATOR);
    assert_string_equal(hs_user_role_text(HS_USER_NOBODY), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_and_read_again),
        cmocka_unit_test(hostile),
        cmocka_unit_test(costly_hashes),
        cmocka_unit_test(too_many),
        cmocka_unit_test(the_file),
        cmocka_unit_test(passwords),
        cmocka_unit_test(roles),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
