#include "node/admin/sessions.h"

#include "proto/base/thread.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define RANDOM_BYTES 32
#define MARK_BYTES   16

_Static_assert(ADMIN_SESSION_TEXT_BYTES ==
                   sodium_base64_ENCODED_LEN(RANDOM_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING),
               "a session's text is 32 random bytes");
_Static_assert(ADMIN_CSRF_TEXT_BYTES == ADMIN_SESSION_TEXT_BYTES, "and so is what forms carry");

struct entry {
    bool open;
    uint8_t name[MARK_BYTES]; /* of the session: a hash of its text */
    uint8_t mark[MARK_BYTES]; /* of what the user was when it began */
    struct admin_session session;
    uint64_t begun_ms, used_ms;
};

struct admin_sessions {
    pthread_mutex_t lock;
    uint64_t idle_ms, whole_ms;
    struct entry list[ADMIN_SESSIONS_MAX];
};

enum hs_err admin_sessions_new(uint64_t idle_ms, uint64_t whole_ms, struct admin_sessions **made)
{
    struct admin_sessions *sessions = calloc(1, sizeof *sessions);
    if (sessions == NULL)
        return HS_ENOMEM;
    pthread_mutex_init(&sessions->lock, NULL);
    sessions->idle_ms = idle_ms;
    sessions->whole_ms = whole_ms;
    *made = sessions;
    return HS_OK;
}

void admin_sessions_free(struct admin_sessions *sessions)
{
    if (sessions == NULL)
        return;
    pthread_mutex_destroy(&sessions->lock);
    sodium_memzero(sessions, sizeof *sessions);
    free(sessions);
}

static void name_of(const char *text, uint8_t name[static MARK_BYTES])
{
    crypto_generichash(name, MARK_BYTES, (const unsigned char *)text, strlen(text), NULL, 0);
}

static void mark_of(const struct hs_user *user, uint8_t mark[static MARK_BYTES])
{
    crypto_generichash_state state;
    const unsigned char role = (unsigned char)user->role;
    crypto_generichash_init(&state, NULL, 0, MARK_BYTES);
    crypto_generichash_update(&state, &role, sizeof role);
    crypto_generichash_update(&state, (const unsigned char *)user->name, sizeof user->name);
    crypto_generichash_update(&state, (const unsigned char *)user->hash, sizeof user->hash);
    crypto_generichash_final(&state, mark, MARK_BYTES);
}

static void random_text(char text[static ADMIN_SESSION_TEXT_BYTES])
{
    uint8_t raw[RANDOM_BYTES];
    randombytes_buf(raw, sizeof raw);
    sodium_bin2base64(text, ADMIN_SESSION_TEXT_BYTES, raw, sizeof raw, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(raw, sizeof raw);
}

/* Another thread may have used it behind the moment at which the caller read the clock. */
static uint64_t since(uint64_t now_ms, uint64_t then_ms)
{
    return now_ms > then_ms ? now_ms - then_ms : 0;
}

static bool over(const struct admin_sessions *sessions, const struct entry *entry, uint64_t now_ms)
{
    return since(now_ms, entry->used_ms) >= sessions->idle_ms || since(now_ms, entry->begun_ms) >= sessions->whole_ms;
}

static void shut(struct entry *entry)
{
    sodium_memzero(entry, sizeof *entry);
}

/* A free place; else that of the one that was idle for longest, among the user's own if he has too many. */
static struct entry *place_for(struct admin_sessions *sessions, const char *user, uint64_t now_ms)
{
    struct entry *unused = NULL, *oldest = NULL, *own = NULL;
    unsigned owned = 0;
    for (size_t i = 0; i < ADMIN_SESSIONS_MAX; i++) {
        struct entry *entry = &sessions->list[i];
        if (entry->open && over(sessions, entry, now_ms))
            shut(entry);
        if (!entry->open) {
            unused = entry;
            continue;
        }
        if (oldest == NULL || entry->used_ms < oldest->used_ms)
            oldest = entry;
        if (strcmp(entry->session.user, user) != 0)
            continue;
        owned++;
        if (own == NULL || entry->used_ms < own->used_ms)
            own = entry;
    }
    if (owned >= ADMIN_SESSIONS_OF_USER_MAX)
        return own;
    return unused != NULL ? unused : oldest;
}

void admin_sessions_begin(struct admin_sessions *sessions, const struct hs_user *user, uint64_t now_ms,
                          char text[static ADMIN_SESSION_TEXT_BYTES], struct admin_session *session)
{
    pthread_mutex_lock(&sessions->lock);
    struct entry *entry = place_for(sessions, user->name, now_ms);
    *entry = (struct entry){.open = true, .begun_ms = now_ms, .used_ms = now_ms, .session.role = user->role};
    memcpy(entry->session.user, user->name, sizeof entry->session.user);
    random_text(text);
    random_text(entry->session.csrf);
    name_of(text, entry->name);
    mark_of(user, entry->mark);
    *session = entry->session;
    pthread_mutex_unlock(&sessions->lock);
}

/* All entries are looked at, and compared in constant time: how long it takes says nothing about what fits. */
static struct entry *find(struct admin_sessions *sessions, const char *text)
{
    uint8_t name[MARK_BYTES];
    struct entry *found = NULL;
    name_of(text, name);
    for (size_t i = 0; i < ADMIN_SESSIONS_MAX; i++) {
        struct entry *entry = &sessions->list[i];
        if (sodium_memcmp(entry->name, name, sizeof name) == 0 && entry->open)
            found = entry;
    }
    return found;
}

bool admin_sessions_find(struct admin_sessions *sessions, const char *text, uint64_t now_ms, bool used,
                         struct admin_session *session)
{
    pthread_mutex_lock(&sessions->lock);
    struct entry *entry = find(sessions, text);
    if (entry != NULL && over(sessions, entry, now_ms)) {
        shut(entry);
        entry = NULL;
    }
    if (entry != NULL) {
        *session = entry->session;
        if (used)
            entry->used_ms = now_ms;
    }
    pthread_mutex_unlock(&sessions->lock);
    return entry != NULL;
}

void admin_sessions_end(struct admin_sessions *sessions, const char *text)
{
    pthread_mutex_lock(&sessions->lock);
    struct entry *entry = find(sessions, text);
    if (entry != NULL)
        shut(entry);
    pthread_mutex_unlock(&sessions->lock);
}

void admin_sessions_follow(struct admin_sessions *sessions, struct hs_users *users)
{
    uint8_t mark[MARK_BYTES];
    pthread_mutex_lock(&sessions->lock);
    for (size_t i = 0; i < ADMIN_SESSIONS_MAX; i++) {
        struct entry *entry = &sessions->list[i];
        const struct hs_user *user = entry->open ? hs_users_find(users, entry->session.user) : NULL;
        if (user != NULL)
            mark_of(user, mark);
        if (entry->open && (user == NULL || memcmp(mark, entry->mark, sizeof mark) != 0))
            shut(entry);
    }
    pthread_mutex_unlock(&sessions->lock);
}
