#include "tests/sim/audit_map.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 64

static uint64_t hash_of(struct hs_bytes key) /* FNV-1a, its high bits mixed in */
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < key.size; i++)
        hash = (hash ^ key.data[i]) * 0x100000001b3;
    return hash ^ hash >> 29;
}

/* The slot of the key, or the free one where it would be. */
static size_t slot_of(const struct audit_map *map, struct hs_bytes key)
{
    size_t at = hash_of(key) & (map->slot_count - 1);
    while (map->slots[at] != 0 && !hs_bytes_equal(map->entries[map->slots[at] - 1].key, key))
        at = (at + 1) & (map->slot_count - 1);
    return at;
}

void *audit_map_get(const struct audit_map *map, struct hs_bytes key)
{
    if (map->slot_count == 0)
        return NULL;
    size_t at = slot_of(map, key);
    return map->slots[at] != 0 ? map->entries[map->slots[at] - 1].value : NULL;
}

static void grow(struct audit_map *map)
{
    map->room = map->room == 0 ? SLOTS_MIN / 2 : 2 * map->room;
    map->slot_count = 2 * map->room;
    map->entries = realloc(map->entries, map->room * sizeof *map->entries);
    free(map->slots);
    map->slots = calloc(map->slot_count, sizeof *map->slots);
    if (map->entries == NULL || map->slots == NULL)
        abort();
    for (size_t i = 0; i < map->count; i++)
        map->slots[slot_of(map, map->entries[i].key)] = (uint32_t)i + 1;
}

void **audit_map_at(struct audit_map *map, struct hs_bytes key)
{
    if (map->count == map->room)
        grow(map);
    size_t at = slot_of(map, key);
    if (map->slots[at] == 0) {
        uint8_t *copy = malloc(key.size + 1);
        if (copy == NULL)
            abort();
        if (key.size != 0)
            memcpy(copy, key.data, key.size);
        map->entries[map->count++] = (struct audit_entry){.key = HS_BYTES(copy, key.size)};
        map->slots[at] = (uint32_t)map->count;
    }
    return &map->entries[map->slots[at] - 1].value;
}

void audit_map_fini(struct audit_map *map)
{
    for (size_t i = 0; i < map->count; i++)
        free((void *)(uintptr_t)map->entries[i].key.data);
    free(map->entries);
    free(map->slots);
    *map = (struct audit_map){0};
}
