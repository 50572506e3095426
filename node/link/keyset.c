#include "node/link/keyset.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 64

static bool is_empty(const struct hs_key *key)
{
    static const struct hs_key EMPTY;
    return memcmp(key, &EMPTY, sizeof EMPTY) == 0;
}

/* Where the key is or would be.  A public key's bytes are as good as a hash of it. */
static struct hs_key *slot_of(const struct hs_keyset *set, const struct hs_key *key)
{
    size_t at = (size_t)hs_from_be64(key->bytes) & (set->room - 1);
    while (!is_empty(&set->slots[at]) && memcmp(&set->slots[at], key, sizeof *key) != 0)
        at = (at + 1) & (set->room - 1);
    return &set->slots[at];
}

static enum hs_err grow(struct hs_keyset *set)
{
    struct hs_keyset larger = {.room = set->room == 0 ? ROOM_MIN : 2 * set->room, .count = set->count};
    larger.slots = calloc(larger.room, sizeof *larger.slots);
    if (larger.slots == NULL)
        return HS_ENOMEM;
    for (size_t i = 0; i < set->room; i++) {
        if (!is_empty(&set->slots[i]))
            *slot_of(&larger, &set->slots[i]) = set->slots[i];
    }
    free(set->slots);
    *set = larger;
    return HS_OK;
}

void hs_keyset_fini(struct hs_keyset *set)
{
    free(set->slots);
    *set = (struct hs_keyset){0};
}

bool hs_keyset_has(const struct hs_keyset *set, const struct hs_key *key)
{
    return set->room > 0 && !is_empty(key) && !is_empty(slot_of(set, key));
}

enum hs_err hs_keyset_add(struct hs_keyset *set, const struct hs_key *key)
{
    if (is_empty(key) || hs_keyset_has(set, key))
        return HS_OK;
    if (set->count >= HS_KEYSET_MAX)
        return HS_ETOOBIG;
    enum hs_err err = set->count < set->room / 2 ? HS_OK : grow(set);
    if (err == HS_OK) {
        *slot_of(set, key) = *key;
        set->count++;
    }
    return err;
}
