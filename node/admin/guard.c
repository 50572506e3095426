/* Tables of fixed size, by hash, each slot for whoever came last of those who share it and waits for nothing: a flood
 * of addresses costs no memory, and takes nobody's delay away. */
#include "node/admin/guard.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WAYS       8 /* slots that one may lie in */
#define SETS       512
#define KNOWN      256
#define NAME_BYTES 16
#define V6_BYTES   8 /* of an address, that tell one subscriber from the next */
#define FIRST_MS   1000
#define DOUBLINGS  20

struct slot {
    uint8_t name[NAME_BYTES];
    bool used;
    unsigned failures;
    uint64_t last_ms, until_ms;
};

struct admin_guard {
    pthread_mutex_t lock;
    uint8_t key[crypto_generichash_KEYBYTES]; /* so that nobody chooses who shares a slot */
    struct slot slots[SETS][WAYS];
    struct slot known[KNOWN]; /* address and name of who has logged in: strangers take no place here */
};

enum kind { ADDRESS, NAME, PAIR };

enum hs_err admin_guard_new(struct admin_guard **made)
{
    struct admin_guard *guard = calloc(1, sizeof *guard);
    if (guard == NULL)
        return HS_ENOMEM;
    pthread_mutex_init(&guard->lock, NULL);
    randombytes_buf(guard->key, sizeof guard->key);
    *made = guard;
    return HS_OK;
}

void admin_guard_free(struct admin_guard *guard)
{
    if (guard == NULL)
        return;
    pthread_mutex_destroy(&guard->lock);
    free(guard);
}

static void add_address(crypto_generichash_state *state, const char *address)
{
    uint8_t v6[sizeof(struct in6_addr)];
    if (inet_pton(AF_INET6, address, v6) == 1)
        crypto_generichash_update(state, v6, V6_BYTES);
    else
        crypto_generichash_update(state, (const unsigned char *)address, strlen(address) + 1);
}

static void name_of(const struct admin_guard *guard, enum kind kind, const char *address, const char *name,
                    uint8_t hash[static NAME_BYTES])
{
    crypto_generichash_state state;
    const unsigned char tag = (unsigned char)kind;
    crypto_generichash_init(&state, guard->key, sizeof guard->key, NAME_BYTES);
    crypto_generichash_update(&state, &tag, 1);
    if (kind != NAME)
        add_address(&state, address);
    if (kind != ADDRESS)
        crypto_generichash_update(&state, (const unsigned char *)name, strlen(name) + 1);
    crypto_generichash_final(&state, hash, NAME_BYTES);
}

static bool worth_less(const struct slot *a, const struct slot *b)
{
    if (a->used != b->used)
        return !a->used;
    return a->until_ms != b->until_ms ? a->until_ms < b->until_ms : a->last_ms < b->last_ms;
}

/* NULL: it has none.  @least out: the slot of who loses least by giving way. */
static struct slot *find_slot(struct admin_guard *guard, const uint8_t hash[static NAME_BYTES], struct slot **least)
{
    struct slot *set = guard->slots[(hash[0] | (size_t)hash[1] << 8) % SETS];
    *least = &set[0];
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].used && memcmp(set[i].name, hash, NAME_BYTES) == 0)
            return &set[i];
        if (worth_less(&set[i], *least))
            *least = &set[i];
    }
    return NULL;
}

/* Its own, from now on. */
static struct slot *slot_of(struct admin_guard *guard, enum kind kind, const char *address, const char *name,
                            uint64_t now_ms)
{
    uint8_t hash[NAME_BYTES];
    struct slot *least;
    name_of(guard, kind, address, name, hash);
    struct slot *slot = find_slot(guard, hash, &least);
    if (slot != NULL)
        return slot;
    *least = (struct slot){.used = true, .last_ms = now_ms};
    memcpy(least->name, hash, sizeof hash);
    return least;
}

static void count(struct slot *slot, uint64_t most_ms, uint64_t now_ms)
{
    if (now_ms > slot->last_ms + ADMIN_GUARD_FORGET_MS)
        slot->failures = 0;
    slot->failures++;
    slot->last_ms = now_ms;
    if (slot->failures <= ADMIN_GUARD_FREE_TRIES)
        return;
    unsigned doublings = slot->failures - ADMIN_GUARD_FREE_TRIES - 1;
    uint64_t delay = (uint64_t)FIRST_MS << (doublings < DOUBLINGS ? doublings : DOUBLINGS);
    slot->until_ms = now_ms + (delay < most_ms ? delay : most_ms);
}

/* All who are on the machine itself share an address, and whoever is there is no stranger to it. */
static bool is_here(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

/* NULL: he has never logged in from here. */
static struct slot *find_known(struct admin_guard *guard, const char *address, const char *name)
{
    uint8_t hash[NAME_BYTES];
    name_of(guard, PAIR, address, name, hash);
    for (size_t i = 0; i < KNOWN; i++) {
        if (guard->known[i].used && memcmp(guard->known[i].name, hash, sizeof hash) == 0)
            return &guard->known[i];
    }
    return NULL;
}

/* In the place of who has not logged in for longest, if there is no other. */
static void keep_known(struct admin_guard *guard, const char *address, const char *name, uint64_t now_ms)
{
    struct slot *slot = find_known(guard, address, name);
    for (size_t i = 0; i < KNOWN && slot == NULL; i++) {
        if (!guard->known[i].used)
            slot = &guard->known[i];
    }
    if (slot == NULL) {
        slot = &guard->known[0];
        for (size_t i = 1; i < KNOWN; i++)
            slot = guard->known[i].last_ms < slot->last_ms ? &guard->known[i] : slot;
    }
    *slot = (struct slot){.used = true, .last_ms = now_ms};
    name_of(guard, PAIR, address, name, slot->name);
}

/* ---- trying ---- */

static uint64_t left(const struct slot *slot, uint64_t now_ms)
{
    return slot != NULL && slot->until_ms > now_ms ? slot->until_ms - now_ms : 0;
}

static uint64_t left_of(struct admin_guard *guard, enum kind kind, const char *address, const char *name,
                        uint64_t now_ms)
{
    uint8_t hash[NAME_BYTES];
    struct slot *least;
    name_of(guard, kind, address, name, hash);
    return left(find_slot(guard, hash, &least), now_ms);
}

/* Who has logged in from here under this name before waits for the failures of just that; whoever has not, for those of
 * the address under any name, and of the name from anywhere. */
static uint64_t wait_of(struct admin_guard *guard, const char *address, const char *name, uint64_t now_ms)
{
    const struct slot *known = find_known(guard, address, name);
    if (known != NULL)
        return left(known, now_ms);
    uint64_t of_address = left_of(guard, ADDRESS, address, name, now_ms);
    uint64_t of_name = is_here(address) ? 0 : left_of(guard, NAME, address, name, now_ms);
    return of_address > of_name ? of_address : of_name;
}

static void count_try(struct admin_guard *guard, const char *address, const char *name, uint64_t now_ms)
{
    struct slot *known = find_known(guard, address, name);
    bool here = is_here(address);
    if (known != NULL) {
        count(known, ADMIN_GUARD_NAME_MS_MAX, now_ms);
        return;
    }
    count(slot_of(guard, ADDRESS, address, name, now_ms), here ? ADMIN_GUARD_NAME_MS_MAX : ADMIN_GUARD_ADDRESS_MS_MAX,
          now_ms);
    if (!here)
        count(slot_of(guard, NAME, address, name, now_ms), ADMIN_GUARD_NAME_MS_MAX, now_ms);
}

uint64_t admin_guard_try(struct admin_guard *guard, const char *address, const char *name, uint64_t now_ms)
{
    pthread_mutex_lock(&guard->lock);
    uint64_t wait = wait_of(guard, address, name, now_ms);
    if (wait == 0)
        count_try(guard, address, name, now_ms);
    pthread_mutex_unlock(&guard->lock);
    return wait;
}

uint64_t admin_guard_wait(struct admin_guard *guard, const char *address, const char *name, uint64_t now_ms)
{
    pthread_mutex_lock(&guard->lock);
    uint64_t wait = wait_of(guard, address, name, now_ms);
    pthread_mutex_unlock(&guard->lock);
    return wait;
}

static void forgive(struct slot *slot)
{
    slot->failures = 0;
    slot->until_ms = 0;
}

void admin_guard_right(struct admin_guard *guard, const char *address, const char *name, uint64_t now_ms)
{
    pthread_mutex_lock(&guard->lock);
    forgive(slot_of(guard, ADDRESS, address, name, now_ms));
    forgive(slot_of(guard, NAME, address, name, now_ms));
    keep_known(guard, address, name, now_ms);
    pthread_mutex_unlock(&guard->lock);
}
