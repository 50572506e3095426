/* The file: a line "hallsync-users 1", then one line a user: name, role, hash, with one space between. */
#include "node/users/users.h"

#include "node/link/keys.h"
#include "proto/base/text.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD           "hallsync-users 1"
/* What a verification may cost at most, whatever stands in the file: hashes that other versions made with more. */
#define MEMORY_KIB_MAX (256UL * 1024)
#define PASSES_MAX     8UL

_Static_assert(HS_USER_HASH_BYTES == crypto_pwhash_STRBYTES, "a hash is what libsodium writes");

/* ---- roles and names ---- */

static const char *const ROLES[] = {"",
#define X(constant, name) name,
                                    HS_USER_ROLES(X)
#undef X
};
#define ROLE_COUNT (sizeof ROLES / sizeof *ROLES)

const char *hs_user_role_text(enum hs_user_role role)
{
    return (size_t)role < ROLE_COUNT ? ROLES[role] : "";
}

enum hs_err hs_user_role_parse(const char *text, enum hs_user_role *role)
{
    for (size_t i = 1; i < ROLE_COUNT; i++) {
        if (strcmp(ROLES[i], text) == 0) {
            *role = (enum hs_user_role)i;
            return HS_OK;
        }
    }
    return HS_EVALUE;
}

bool hs_user_name_valid(const char *text)
{
    size_t size = strlen(text);
    return size >= 1 && size < HS_USER_NAME_BYTES && text[0] >= 'a' && text[0] <= 'z' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-") == size;
}

struct hs_user *hs_users_find(struct hs_users *users, const char *name)
{
    for (size_t i = 0; i < users->count; i++) {
        if (strcmp(users->list[i].name, name) == 0)
            return &users->list[i];
    }
    return NULL;
}

/* ---- the file's content ---- */

/* One word up to @end, which is stepped over; false: it is longer than fits, or empty. */
static bool take_word(struct hs_bytes *line, char end, char *to, size_t room)
{
    const uint8_t *at = memchr(line->data, end, line->size);
    size_t size = at != NULL ? (size_t)(at - line->data) : line->size;
    if (size == 0 || size >= room || memchr(line->data, '\0', size) != NULL)
        return false;
    memcpy(to, line->data, size);
    to[size] = '\0';
    line->data += size + (at != NULL);
    line->size -= size + (at != NULL);
    return true;
}

/* @prefix and a number of at most @digits digits, both stepped over; false: something else stands there. */
static bool take_number(const char **at, const char *prefix, size_t digits, unsigned long *number)
{
    size_t size = strlen(prefix);
    if (strncmp(*at, prefix, size) != 0)
        return false;
    const char *text = *at + size;
    size = strspn(text, "0123456789");
    *number = 0;
    for (size_t i = 0; i < size && size <= digits; i++)
        *number = *number * 10 + (unsigned long)(text[i] - '0');
    *at = text + size;
    return size >= 1 && size <= digits;
}

/* "$argon2id$v=19$m=65536,t=2,p=1$...": it says itself what its verification costs, so that is looked at first. */
static bool hash_fits(const char *hash)
{
    unsigned long memory, passes, lanes;
    if (strpbrk(hash, " \t") != NULL || !take_number(&hash, "$argon2id$v=19$m=", 9, &memory) ||
        !take_number(&hash, ",t=", 4, &passes) || !take_number(&hash, ",p=", 4, &lanes) || hash[0] != '$')
        return false;
    return memory >= 8 && memory <= MEMORY_KIB_MAX && passes >= 1 && passes <= PASSES_MAX && lanes == 1;
}

static bool parse_user(struct hs_bytes line, struct hs_user *user)
{
    char role[16];
    *user = (struct hs_user){.role = HS_USER_NOBODY};
    return take_word(&line, ' ', user->name, sizeof user->name) && hs_user_name_valid(user->name) &&
           take_word(&line, ' ', role, sizeof role) && hs_user_role_parse(role, &user->role) == HS_OK &&
           take_word(&line, '\n', user->hash, sizeof user->hash) && hash_fits(user->hash);
}

static enum hs_err add_user(struct hs_users *users, struct hs_bytes line, unsigned number, struct hs_why *why)
{
    struct hs_user user;
    if (!parse_user(line, &user))
        return hs_fail(HS_EMALFORMED, why, "line %u is not a name, a role and a hash", number);
    if (hs_users_find(users, user.name) != NULL)
        return hs_fail(HS_EMALFORMED, why, "line %u: %s is there twice", number, user.name);
    if (users->count == HS_USERS_MAX)
        return hs_fail(HS_EMALFORMED, why, "more than %d users", HS_USERS_MAX);
    users->list[users->count++] = user;
    return HS_OK;
}

enum hs_err hs_users_parse(struct hs_bytes text, struct hs_users *users, struct hs_why *why)
{
    enum hs_err err = HS_OK;
    users->count = 0;
    for (unsigned number = 1; text.size != 0 && err == HS_OK; number++) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        if (end == NULL)
            return hs_fail(HS_EMALFORMED, why, "line %u is cut short", number);
        struct hs_bytes line = HS_BYTES(text.data, (size_t)(end - text.data));
        text = HS_BYTES(end + 1, text.size - line.size - 1);
        if (number > 1)
            err = add_user(users, line, number, why);
        else if (!hs_bytes_equal(line, HS_BYTES(HEAD, sizeof HEAD - 1)))
            err = hs_fail(HS_EMALFORMED, why, "the first line is not '" HEAD "'");
    }
    return err;
}

void hs_users_write(const struct hs_users *users, struct hs_buf *text)
{
    hs_buf_put_format(text, HEAD "\n");
    for (size_t i = 0; i < users->count; i++) {
        const struct hs_user *user = &users->list[i];
        hs_buf_put_format(text, "%s %s %s\n", user->name, hs_user_role_text(user->role), user->hash);
    }
}

/* ---- the file ---- */

enum hs_err hs_users_load(const char *path, struct hs_users *users, struct hs_why *why)
{
    struct hs_buf text = {0};
    users->count = 0;
    enum hs_err err = hs_file_read_secret(path, HS_USERS_FILE_BYTES_MAX, &text, why);
    if (err == HS_OK)
        err = hs_users_parse(hs_buf_bytes(&text), users, why);
    if (err == HS_EMALFORMED)
        err = hs_wrap(err, why, "%s", path);
    if (text.data != NULL)
        sodium_memzero(text.data, text.size);
    hs_buf_fini(&text);
    return err == HS_ENOTFOUND ? HS_OK : err;
}

/* Root may keep the users of a program that runs as somebody else: the file is for whoever has its directory. */
static enum hs_err give_to_owner(const char *path, struct hs_why *why)
{
    struct stat dir;
    char parent[PATH_MAX];
    if (geteuid() != 0)
        return HS_OK;
    snprintf(parent, sizeof parent, "%s", path);
    if (stat(dirname(parent), &dir) != 0 || chown(path, dir.st_uid, dir.st_gid) != 0)
        return hs_fail(hs_err_from_errno(errno), why, "%s: %s", path, strerror(errno));
    return HS_OK;
}

enum hs_err hs_users_save(const char *path, const struct hs_users *users, struct hs_why *why)
{
    struct hs_buf text = {0};
    hs_users_write(users, &text);
    enum hs_err err = text.err;
    if (err == HS_OK)
        err = hs_file_write(path, hs_buf_bytes(&text), 0600, why);
    if (err == HS_OK)
        err = give_to_owner(path, why);
    hs_buf_fini(&text);
    return err;
}

/* ---- passwords ---- */

enum hs_err hs_user_hash(const char *password, char hash[static HS_USER_HASH_BYTES], struct hs_why *why)
{
    size_t size = strlen(password);
    if (size < HS_USER_PASSWORD_BYTES_MIN || size > HS_USER_PASSWORD_BYTES_MAX)
        return hs_fail(HS_EVALUE, why, "a password has %d to %d bytes", HS_USER_PASSWORD_BYTES_MIN,
                       HS_USER_PASSWORD_BYTES_MAX);
    if (!hs_text_valid(HS_BYTES(password, size)))
        return hs_fail(HS_EVALUE, why, "a password is text in UTF-8");
    if (crypto_pwhash_str_alg(hash, password, size, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                              crypto_pwhash_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return hs_fail(HS_ENOMEM, why, "not enough memory for the password's hash");
    return HS_OK;
}

enum hs_err hs_user_verify(const struct hs_user *user, const char *password)
{
    size_t size = strlen(password);
    errno = 0;
    if (crypto_pwhash_str_verify(user->hash, password, size) == 0 && size <= HS_USER_PASSWORD_BYTES_MAX)
        return HS_OK;
    return errno == ENOMEM ? HS_ENOMEM : HS_EPERM;
}

/* With interactive limits, too, of a password that nobody knows: it was never hashed. */
static const struct hs_user NOBODY = {
    .hash = "$argon2id$v=19$m=65536,t=2,p=1$bm9ib2R5IGtub3dzIGl0Lg$bm9ib2R5IGtub3dzIGEgcGFzc3dvcmQgb2YgdGhpcyE",
};

enum hs_err hs_user_verify_nobody(const char *password)
{
    return hs_user_verify(&NOBODY, password) == HS_ENOMEM ? HS_ENOMEM : HS_EPERM;
}
