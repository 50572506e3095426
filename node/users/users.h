/* users.h -- who may log in at hallsync-admin: names, roles and hashes of passwords, in the file DATA/admin/users.
 * `hallsync user` writes it, hallsync-admin reads it; neither needs the other to run. */
#ifndef HS_USERS_H
#define HS_USERS_H

#include "proto/base/buf.h"

#include <stdbool.h>

/* X(constant, name).  Each may what those before it may. */
#define HS_USER_ROLES(X)            \
    X(HS_USER_VIEWER, "viewer")     \
    X(HS_USER_OPERATOR, "operator") \
    X(HS_USER_ADMINISTRATOR, "administrator")
enum hs_user_role {
    HS_USER_NOBODY,
#define X(constant, name) constant,
    HS_USER_ROLES(X)
#undef X
};
const char *hs_user_role_text(enum hs_user_role role);                     /* "" for nobody */
enum hs_err hs_user_role_parse(const char *text, enum hs_user_role *role); /* HS_EVALUE */

#define HS_USER_NAME_BYTES         33  /* 1..32 of a-z 0-9 . _ -, beginning with a letter, and a zero */
#define HS_USER_HASH_BYTES         128 /* as crypto_pwhash_str writes it */
#define HS_USERS_MAX               256
#define HS_USERS_FILE_BYTES_MAX    (64 * 1024)
#define HS_USER_PASSWORD_BYTES_MIN 12
#define HS_USER_PASSWORD_BYTES_MAX 256

struct hs_user {
    char name[HS_USER_NAME_BYTES];
    enum hs_user_role role;
    char hash[HS_USER_HASH_BYTES];
};
struct hs_users {
    struct hs_user list[HS_USERS_MAX];
    size_t count;
};

bool hs_user_name_valid(const char *text);
/* NULL: there is none of this name. */
struct hs_user *hs_users_find(struct hs_users *users, const char *name);

/* The content of a users file.  HS_EMALFORMED: why names the line. */
enum hs_err hs_users_parse(struct hs_bytes text, struct hs_users *users, struct hs_why *why);
void hs_users_write(const struct hs_users *users, struct hs_buf *text);

/* A file that is not there has no users.  HS_EPERM: others can read it. */
enum hs_err hs_users_load(const char *path, struct hs_users *users, struct hs_why *why);
/* In its place at once, readable for the owner of its directory alone. */
enum hs_err hs_users_save(const char *path, const struct hs_users *users, struct hs_why *why);

/* argon2id with libsodium's interactive limits: 64 MiB and about 0.1 s.  HS_EVALUE: too short or too long; HS_ENOMEM.
 */
enum hs_err hs_user_hash(const char *password, char hash[static HS_USER_HASH_BYTES], struct hs_why *why);
/* HS_OK: it is his; HS_EPERM: it is not, which costs as much; HS_ENOMEM: nobody knows.  Any thread. */
enum hs_err hs_user_verify(const struct hs_user *user, const char *password);
/* The same of a user that there is none of: never HS_OK. */
enum hs_err hs_user_verify_nobody(const char *password);

#endif
