/* A password in each request, for programs that keep no session: Prometheus.  One that was right is remembered for a
 * while, by a hash that is worth nothing to anybody, so that a request does not cost what a verification does. */
#include "node/admin/inside.h"

#include "node/log/log.h"
#include "proto/base/thread.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define PLACES     16
#define KEEP_MS    (10 * 60 * 1000ULL)
#define HASH_BYTES 16

struct place {
    uint8_t hash[HASH_BYTES]; /* of name, password and the user's line in the file, as it was */
    uint64_t since_ms;        /* 0: free */
};

struct admin_basics {
    pthread_mutex_t lock;
    uint8_t key[crypto_generichash_KEYBYTES];
    struct place list[PLACES];
};

enum hs_err admin_basics_new(struct admin_basics **made)
{
    struct admin_basics *basics = calloc(1, sizeof *basics);
    if (basics == NULL)
        return HS_ENOMEM;
    pthread_mutex_init(&basics->lock, NULL);
    randombytes_buf(basics->key, sizeof basics->key);
    *made = basics;
    return HS_OK;
}

void admin_basics_free(struct admin_basics *basics)
{
    if (basics == NULL)
        return;
    pthread_mutex_destroy(&basics->lock);
    sodium_memzero(basics, sizeof *basics);
    free(basics);
}

static void hash_of(const struct admin_basics *basics, const struct hs_user *user, const char *password,
                    uint8_t hash[static HASH_BYTES])
{
    crypto_generichash_state state;
    const unsigned char role = (unsigned char)user->role;
    crypto_generichash_init(&state, basics->key, sizeof basics->key, HASH_BYTES);
    crypto_generichash_update(&state, &role, sizeof role);
    crypto_generichash_update(&state, (const unsigned char *)user->name, sizeof user->name);
    crypto_generichash_update(&state, (const unsigned char *)user->hash, sizeof user->hash);
    crypto_generichash_update(&state, (const unsigned char *)password, strlen(password));
    crypto_generichash_final(&state, hash, HASH_BYTES);
}

static bool remembered(struct admin_basics *basics, const struct hs_user *user, const char *password, uint64_t now_ms)
{
    uint8_t hash[HASH_BYTES];
    bool found = false;
    hash_of(basics, user, password, hash);
    pthread_mutex_lock(&basics->lock);
    for (size_t i = 0; i < PLACES; i++) {
        const struct place *place = &basics->list[i];
        bool same = sodium_memcmp(place->hash, hash, sizeof hash) == 0;
        found = found || (same && place->since_ms != 0 && now_ms - place->since_ms < KEEP_MS);
    }
    pthread_mutex_unlock(&basics->lock);
    return found;
}

static void remember(struct admin_basics *basics, const struct hs_user *user, const char *password, uint64_t now_ms)
{
    pthread_mutex_lock(&basics->lock);
    struct place *oldest = &basics->list[0];
    for (size_t i = 1; i < PLACES; i++) {
        if (basics->list[i].since_ms < oldest->since_ms)
            oldest = &basics->list[i];
    }
    hash_of(basics, user, password, oldest->hash);
    oldest->since_ms = now_ms;
    pthread_mutex_unlock(&basics->lock);
}

static void let_in(struct admin_request *request, const struct hs_user *user)
{
    memcpy(request->who.name, user->name, sizeof request->who.name);
    request->who.role = user->role;
}

static void deny(struct admin_request *request)
{
    request->answer.ask_basic = true;
    admin_answer_error(request, 401, "denied", "name and password, please", "请输入用户名和密码");
}

bool admin_gate_basic(struct admin_request *request, const struct admin_asked *asked)
{
    struct admin *admin = request->admin;
    struct hs_user user;
    if (admin->listen.loopback && asked->forwarded == NULL)
        return true; /* whoever is on this machine; a proxy's clients are not */
    if (asked->authorization == NULL || !admin_basic(asked->authorization, &request->basic)) {
        deny(request);
        return false;
    }
    /* Who has to wait is not told whether he has guessed right, either. */
    if (admin_guard_wait(admin->guard, request->address, request->basic.name, hs_tick_ms()) == 0 &&
        admin_userfile_find(admin->users, request->basic.name, &user) &&
        remembered(admin->basics, &user, request->basic.password, hs_tick_ms())) {
        let_in(request, &user);
        return true;
    }
    request->verify = true;
    return true;
}

bool admin_basic_verified(struct admin_request *request)
{
    struct admin *admin = request->admin;
    const struct admin_basic *basic = &request->basic;
    struct hs_user user;
    uint64_t wait_ms = admin_guard_try(admin->guard, request->address, basic->name, hs_tick_ms());
    if (wait_ms != 0) {
        admin_answer_too_often(request, wait_ms);
        return false;
    }
    enum hs_err err = admin_user_verify(request, basic->name, basic->password, &user);
    if (err != HS_OK && err != HS_EPERM) {
        admin_answer_fail(request, err, NULL);
        return false;
    }
    if (err != HS_OK) {
        HS_LOG(ADMIN_LOGIN_DENIED, HS_WORD("user", basic->name), HS_WORD("address", request->address));
        deny(request);
        return false;
    }
    admin_guard_right(admin->guard, request->address, basic->name, hs_tick_ms());
    remember(admin->basics, &user, basic->password, hs_tick_ms());
    let_in(request, &user);
    return true;
}
