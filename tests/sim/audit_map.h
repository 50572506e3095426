/* audit_map.h -- a map from bytes to pointers that remembers in which order the keys came: whoever walks it does so the
 * same way in each run. */
#ifndef HS_SIM_AUDIT_MAP_H
#define HS_SIM_AUDIT_MAP_H

#include "proto/base/buf.h"

struct audit_entry {
    struct hs_bytes key; /* the map's own copy */
    void *value;
};

/* Zero-initialise. */
struct audit_map {
    struct audit_entry *entries; /* in the order in which they came */
    size_t count, room;
    uint32_t *slots; /* index of an entry and 1; 0: free */
    size_t slot_count;
};

void *audit_map_get(const struct audit_map *map, struct hs_bytes key); /* NULL: not there */
/* The place of the key's value, made with NULL if it was not there; valid until the next key is made.  Memory that
 * cannot be had ends the process. */
void **audit_map_at(struct audit_map *map, struct hs_bytes key);
void audit_map_fini(struct audit_map *map); /* the values are the caller's */

#endif
