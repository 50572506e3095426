#include "tests/exhaustive/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIRST_ROOM 1024

void give_up(const char *what)
{
    fprintf(stderr, "gave up: %s\n", what);
    exit(2);
}

unsigned number_of(const char *name, const char *word, unsigned most)
{
    char *end;
    unsigned long value = strtoul(word, &end, 10);
    if (*word == '\0' || *end != '\0' || value > most) {
        fprintf(stderr, "%s %s: a number from 0 to %u is wanted\n", name, word, most);
        exit(2);
    }
    return (unsigned)value;
}

double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void *grown(void *array, size_t count, size_t size)
{
    void *larger = reallocarray(array, count, size);
    if (larger == NULL)
        give_up("out of memory; ask for a smaller world");
    return larger;
}

void search_init(struct search *search, size_t key_bytes)
{
    *search = (struct search){.key_bytes = key_bytes, .room = FIRST_ROOM, .slot_count = 2 * FIRST_ROOM};
    search->keys = grown(NULL, search->room, key_bytes);
    search->came = grown(NULL, search->room, sizeof *search->came);
    search->slots = grown(NULL, search->slot_count, sizeof *search->slots);
    memset(search->slots, 0, search->slot_count * sizeof *search->slots);
}

void search_fini(struct search *search)
{
    free(search->keys);
    free(search->came);
    free(search->slots);
}

/* splitmix64 of each word */
static uint64_t mixed(const struct search *search, const uint8_t *key)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < search->key_bytes; i += 4) {
        uint32_t word;
        memcpy(&word, key + i, 4);
        hash += word + 0x9e3779b97f4a7c15;
        hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9;
        hash = (hash ^ hash >> 27) * 0x94d049bb133111eb;
    }
    return hash ^ hash >> 31;
}

/* Where the key is, or belongs. */
static size_t slot_of(const struct search *search, const uint8_t *key)
{
    size_t at = mixed(search, key) & (search->slot_count - 1);
    while (search->slots[at] != 0 &&
           memcmp(search->keys + (search->slots[at] - 1) * search->key_bytes, key, search->key_bytes) != 0)
        at = (at + 1) & (search->slot_count - 1);
    return at;
}

static void make_room(struct search *search)
{
    if (search->room > UINT32_MAX / 4)
        give_up("too many states; ask for a smaller world");
    search->room *= 2;
    search->slot_count *= 2;
    search->keys = grown(search->keys, search->room, search->key_bytes);
    search->came = grown(search->came, search->room, sizeof *search->came);
    free(search->slots);
    search->slots = grown(NULL, search->slot_count, sizeof *search->slots);
    memset(search->slots, 0, search->slot_count * sizeof *search->slots);
    for (size_t i = 0; i < search->count; i++)
        search->slots[slot_of(search, search->keys + i * search->key_bytes)] = (uint32_t)i + 1;
}

bool search_add(struct search *search, const void *key, struct search_came came, uint32_t *number)
{
    size_t at = slot_of(search, key);
    if (search->slots[at] != 0) {
        *number = search->slots[at] - 1;
        return false;
    }
    if (search->count == search->room) {
        make_room(search);
        at = slot_of(search, key);
    }
    memcpy(search->keys + search->count * search->key_bytes, key, search->key_bytes);
    search->came[search->count] = came;
    *number = (uint32_t)search->count++;
    search->slots[at] = *number + 1;
    return true;
}

const void *search_key(const struct search *search, uint32_t number)
{
    return search->keys + number * search->key_bytes;
}

size_t search_way(const struct search *search, uint32_t number, uint32_t *way, size_t most)
{
    size_t count = 0;
    for (uint32_t at = number; at != 0; at = search->came[at].from)
        count++;
    if (count > most)
        give_up("the way is too long to be told");
    for (size_t i = count; i > 0; i--) {
        way[i - 1] = number;
        number = search->came[number].from;
    }
    return count;
}
