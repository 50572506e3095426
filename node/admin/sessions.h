/* sessions.h -- who is logged in: in memory, by the hash of a random text that only the browser keeps.  Any thread. */
#ifndef HS_ADMIN_SESSIONS_H
#define HS_ADMIN_SESSIONS_H

#include "node/users/users.h"

#include <stdint.h>

#define ADMIN_SESSIONS_MAX         256
#define ADMIN_SESSIONS_OF_USER_MAX 8
#define ADMIN_SESSION_TEXT_BYTES   44 /* 32 random bytes in base64 without padding, and a zero */
#define ADMIN_CSRF_TEXT_BYTES      44

struct admin_sessions;

struct admin_session {
    char user[HS_USER_NAME_BYTES];
    enum hs_user_role role;
    char csrf[ADMIN_CSRF_TEXT_BYTES];
};

/* Times in milliseconds of a monotonic clock, given by the caller. */
enum hs_err admin_sessions_new(uint64_t idle_ms, uint64_t whole_ms, struct admin_sessions **sessions);
void admin_sessions_free(struct admin_sessions *sessions); /* NULL is fine */

/* A new session of @user, its text for the cookie.  Where he, or all together, have too many, the one that was idle for
 * longest ends. */
void admin_sessions_begin(struct admin_sessions *sessions, const struct hs_user *user, uint64_t now_ms,
                          char text[static ADMIN_SESSION_TEXT_BYTES], struct admin_session *session);
/* False: there is none of this text (any more).  @used: somebody works in it; false: only a page that watches. */
bool admin_sessions_find(struct admin_sessions *sessions, const char *text, uint64_t now_ms, bool used,
                         struct admin_session *session);
void admin_sessions_end(struct admin_sessions *sessions, const char *text);
/* End those of users who are gone or whose role or password has changed. */
void admin_sessions_follow(struct admin_sessions *sessions, struct hs_users *users);

#endif
