/* What this node holds, as STORED told it: partition -> node -> stream, each level sorted, with hashes made when they
 * are asked for.  PROTOCOL.md, "Frontier": a subtree's hash is the first 8 bytes of BLAKE2b-256 over what its list
 * would say. */
#include "node/replica/core.h"

#include <assert.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more pointer at @at in an array of pointers; NULL: no memory. */
static void *array_insert(void *array, size_t *count, size_t *room, size_t at, void *item)
{
    void **items = array;
    if (*count == *room) {
        size_t wanted = *room == 0 ? 4 : *room * 2;
        items = realloc(items, wanted * sizeof *items);
        if (items == NULL)
            return NULL;
        *room = wanted;
    }
    memmove(items + at + 1, items + at, (*count - at) * sizeof *items);
    items[at] = item;
    ++*count;
    return items;
}

/* ---- nodes and origins ---- */

static int compare_nodes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct hs_key)); /* the key comes first in both */
}

static int compare_origins(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;
    return (first > second) - (first < second);
}

/* Put a new item into a tree; frees it and fails if there is no memory. */
static void *tree_add(struct hs_replica *r, void **tree, void *item, int (*compare)(const void *, const void *))
{
    if (item != NULL && tsearch(item, tree, compare) != NULL)
        return item;
    free(item);
    hs_rep_fail(r, HS_ENOMEM);
    return NULL;
}

struct rep_node *hs_rep_node_get(struct hs_replica *r, const struct hs_key *key)
{
    struct rep_node *const *found = tfind(key, &r->frontier.nodes, compare_nodes);
    if (found != NULL)
        return *found;
    struct rep_node *node = calloc(1, sizeof *node);
    if (node != NULL) {
        node->key = *key;
        hs_node_hash(key, node->hash);
    }
    return tree_add(r, &r->frontier.nodes, node, compare_nodes);
}

struct rep_origin *hs_rep_origin_find(const struct rep_frontier *frontier, uint64_t id)
{
    struct rep_origin *const *found = tfind(&id, &frontier->origins, compare_origins);
    return found == NULL ? NULL : *found;
}

struct rep_origin *hs_rep_origin_add(struct hs_replica *r, uint64_t id, const struct hs_key *node_key)
{
    struct rep_node *node = hs_rep_node_get(r, node_key);
    if (node == NULL)
        return NULL;
    struct rep_origin *origin = calloc(1, sizeof *origin);
    if (origin != NULL)
        *origin = (struct rep_origin){.id = id, .node = node};
    return tree_add(r, &r->frontier.origins, origin, compare_origins);
}

/* ---- the three levels ---- */

size_t hs_rep_partition_from(const struct rep_frontier *frontier, uint32_t id)
{
    size_t low = 0, high = frontier->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (frontier->partitions[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct rep_partition *hs_rep_partition_find(const struct rep_frontier *frontier, hs_partition id)
{
    size_t at = hs_rep_partition_from(frontier, id);
    return at < frontier->count && frontier->partitions[at]->id == id ? frontier->partitions[at] : NULL;
}

size_t hs_rep_member_from(const struct rep_partition *partition, struct hs_bytes node)
{
    size_t low = 0, high = node.size == 0 ? 0 : partition->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(partition->members[middle]->node->hash, node.data, HS_NODE_HASH_BYTES) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct rep_member *hs_rep_member_find(const struct rep_partition *partition,
                                      const uint8_t node[static HS_NODE_HASH_BYTES])
{
    size_t behind = hs_rep_member_from(partition, HS_BYTES(node, HS_NODE_HASH_BYTES));
    struct rep_member *member = behind == 0 ? NULL : partition->members[behind - 1];
    return member != NULL && memcmp(member->node->hash, node, HS_NODE_HASH_BYTES) == 0 ? member : NULL;
}

size_t hs_rep_stream_from(const struct rep_member *member, const struct hs_stream *name)
{
    size_t low = 0, high = name == NULL ? 0 : member->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (hs_stream_compare(&member->streams[middle]->name, name) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct rep_stream *hs_rep_stream_find(const struct rep_frontier *frontier, const struct hs_stream *name)
{
    const struct rep_origin *origin = hs_rep_origin_find(frontier, name->origin);
    const struct rep_partition *partition = origin == NULL ? NULL : hs_rep_partition_find(frontier, name->partition);
    const struct rep_member *member = partition == NULL ? NULL : hs_rep_member_find(partition, origin->node->hash);
    size_t behind = member == NULL ? 0 : hs_rep_stream_from(member, name);
    struct rep_stream *stream = behind == 0 ? NULL : member->streams[behind - 1];
    return stream != NULL && hs_stream_equal(&stream->name, name) ? stream : NULL;
}

/* ---- growing ---- */

/* A partition that is new here is in the scope of sessions that are live already. */
static bool watch_by_all(struct hs_replica *r, struct rep_partition *partition)
{
    for (size_t i = 0; i < r->session_count; i++) {
        struct rep_session *s = r->sessions[i];
        if (s->state == REP_LIVE && !hs_rep_watch(s, partition))
            return false;
    }
    return true;
}

static void partition_free(struct rep_partition *partition);

static struct rep_partition *partition_get(struct hs_replica *r, hs_partition id)
{
    struct rep_frontier *f = &r->frontier;
    struct rep_partition *partition = hs_rep_partition_find(f, id);
    if (partition != NULL)
        return partition;
    partition = calloc(1, sizeof *partition);
    if (partition == NULL)
        return NULL;
    *partition = (struct rep_partition){.id = id, .dirty = true};
    void *grown = watch_by_all(r, partition)
                      ? array_insert(f->partitions, &f->count, &f->room, hs_rep_partition_from(f, id), partition)
                      : NULL;
    if (grown == NULL) {
        partition_free(partition);
        return NULL;
    }
    f->partitions = grown;
    return partition;
}

static struct rep_member *member_get(struct rep_partition *partition, struct rep_node *node)
{
    struct rep_member *member = hs_rep_member_find(partition, node->hash);
    if (member != NULL)
        return member;
    member = calloc(1, sizeof *member);
    if (member == NULL)
        return NULL;
    *member = (struct rep_member){.partition = partition, .node = node, .of_node = node->members, .dirty = true};
    size_t at = hs_rep_member_from(partition, HS_BYTES(node->hash, sizeof node->hash));
    void *grown = array_insert(partition->members, &partition->count, &partition->room, at, member);
    if (grown == NULL) {
        free(member);
        return NULL;
    }
    partition->members = grown;
    node->members = member;
    return member;
}

static struct rep_stream *stream_add(struct rep_member *member, const struct hs_stream *name, struct rep_origin *origin)
{
    struct rep_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return NULL;
    *stream = (struct rep_stream){.name = *name, .hash = hs_chain_start(name), .member = member, .origin = origin};
    size_t at = hs_rep_stream_from(member, name);
    void *grown = array_insert(member->streams, &member->count, &member->room, at, stream);
    if (grown == NULL) {
        free(stream);
        return NULL;
    }
    member->streams = grown;
    return stream;
}

struct rep_stream *hs_rep_stream_get(struct hs_replica *r, const struct hs_stream *name, struct rep_origin *origin)
{
    struct rep_stream *stream = hs_rep_stream_find(&r->frontier, name);
    if (stream != NULL)
        return stream;
    struct rep_partition *partition = partition_get(r, name->partition);
    struct rep_member *member = partition == NULL ? NULL : member_get(partition, origin->node);
    stream = member == NULL ? NULL : stream_add(member, name, origin);
    if (stream == NULL)
        hs_rep_fail(r, HS_ENOMEM);
    return stream;
}

bool hs_rep_stream_listed(const struct rep_stream *stream)
{
    return stream->n > 0 || stream->fork != NULL;
}

void hs_rep_stream_touch(struct rep_stream *stream)
{
    stream->member->dirty = true;
    stream->member->partition->dirty = true;
}

void hs_rep_stream_advance(struct rep_stream *stream, uint64_t n, const struct hs_hash *hash)
{
    assert(n > stream->n);
    if (!hs_rep_stream_listed(stream))
        stream->member->held++;
    stream->n = n;
    stream->hash = *hash;
    stream->damaged = false;
    hs_rep_stream_touch(stream);
}

/* ---- hashes ---- */

void hs_rep_short_hash(uint8_t level, struct hs_bytes entries, uint8_t hash[static REP_SHORT_HASH_BYTES])
{
    static const char *const DOMAINS[] = {"hallsync frontier partitions 1", "hallsync frontier nodes 1",
                                          "hallsync frontier streams 1"};
    struct hs_hash whole = hs_hash_domain(DOMAINS[level], entries);
    memcpy(hash, whole.bytes, REP_SHORT_HASH_BYTES);
}

/* Stream key, n as u64, first 8 bytes of h(n). */
void hs_rep_put_stream_entry(const struct rep_stream *stream, struct hs_buf *to)
{
    struct hs_head head = hs_rep_stream_head(stream);
    uint8_t *key = hs_buf_extend(to, HS_STREAM_KEY_BYTES);
    if (key != NULL)
        hs_stream_key(&stream->name, key);
    hs_buf_put_u64(to, head.n);
    hs_buf_put(to, head.hash.bytes, REP_SHORT_HASH_BYTES);
}

/* Of all listed streams, ascending. */
const uint8_t *hs_rep_member_hash(struct hs_replica *r, struct rep_member *member)
{
    if (!member->dirty)
        return member->hash;
    hs_buf_reset(&r->hashing);
    for (size_t i = 0; i < member->count; i++) {
        if (hs_rep_stream_listed(member->streams[i]))
            hs_rep_put_stream_entry(member->streams[i], &r->hashing);
    }
    hs_rep_fail(r, r->hashing.err);
    hs_rep_short_hash(2, hs_buf_bytes(&r->hashing), member->hash);
    member->dirty = false;
    return member->hash;
}

/* Node name, hash of its streams. */
void hs_rep_put_node_entry(struct hs_replica *r, struct rep_member *member, struct hs_buf *to)
{
    hs_buf_put(to, member->node->hash, HS_NODE_HASH_BYTES);
    hs_buf_put(to, hs_rep_member_hash(r, member), REP_SHORT_HASH_BYTES);
}

/* Of all nodes with listed streams, ascending. */
const uint8_t *hs_rep_partition_hash(struct hs_replica *r, struct rep_partition *partition)
{
    struct hs_buf *entries = &r->bucket[1];
    if (!partition->dirty)
        return partition->hash;
    hs_buf_reset(entries);
    for (size_t i = 0; i < partition->count; i++) {
        if (partition->members[i]->held > 0)
            hs_rep_put_node_entry(r, partition->members[i], entries);
    }
    hs_rep_fail(r, entries->err);
    hs_rep_short_hash(1, hs_buf_bytes(entries), partition->hash);
    partition->dirty = false;
    return partition->hash;
}

/* ---- who hears of a partition ---- */

bool hs_rep_partition_watch(struct rep_partition *partition, struct rep_session *session)
{
    void *grown = array_insert(partition->sessions, &partition->session_count, &partition->session_room,
                               partition->session_count, session);
    if (grown != NULL)
        partition->sessions = grown;
    return grown != NULL;
}

void hs_rep_partition_unwatch(struct rep_partition *partition, const struct rep_session *session)
{
    size_t kept = 0;
    for (size_t i = 0; i < partition->session_count; i++) {
        if (partition->sessions[i] != session)
            partition->sessions[kept++] = partition->sessions[i];
    }
    partition->session_count = kept;
}

/* ---- the end ---- */

static void member_free(struct rep_member *member)
{
    for (size_t i = 0; i < member->count; i++) {
        hs_rep_fork_free(member->streams[i]->fork);
        free(member->streams[i]->incoming);
        free(member->streams[i]);
    }
    free(member->streams);
    free(member);
}

static void partition_free(struct rep_partition *partition)
{
    for (size_t i = 0; i < partition->count; i++)
        member_free(partition->members[i]);
    free(partition->members);
    free(partition->sessions);
    free(partition);
}

void hs_rep_frontier_fini(struct rep_frontier *frontier)
{
    for (size_t i = 0; i < frontier->count; i++)
        partition_free(frontier->partitions[i]);
    free(frontier->partitions);
    tdestroy(frontier->origins, free);
    tdestroy(frontier->nodes, free);
    *frontier = (struct rep_frontier){0};
}
