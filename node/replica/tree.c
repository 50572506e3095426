/* What the view shows of the frontier below a place, and its hashes.  PROTOCOL.md, "Frontier": the tree goes on below
 * partitions, nodes and streams wherever a list would be long, by the digits of their names. */
#include "node/replica/exchange.h"

#include <string.h>

/* ---- places ---- */

size_t rep_name_size(uint8_t level)
{
    return level == REP_PARTITIONS ? sizeof(hs_partition) : HS_NODE_HASH_BYTES;
}

size_t rep_digits(uint8_t level)
{
    return 2 * rep_name_size(level);
}

static unsigned digit_of(const uint8_t *name, size_t i)
{
    return i % 2 == 0 ? name[i / 2] >> 4 : name[i / 2] & 15;
}

bool rep_place_has(const struct rep_place *place, const uint8_t *name)
{
    for (size_t i = 0; i < place->depth; i++) {
        if (digit_of(name, i) != digit_of(place->prefix, i))
            return false;
    }
    return true;
}

struct rep_place rep_place_bucket(const struct rep_place *place, unsigned digit)
{
    struct rep_place bucket = *place;
    bucket.prefix[place->depth / 2] |= (uint8_t)(place->depth % 2 == 0 ? digit << 4 : digit);
    bucket.depth++;
    return bucket;
}

struct rep_place rep_place_item(const struct rep_place *place, const uint8_t *name)
{
    struct rep_place item = {.level = (uint8_t)(place->level + 1), .partition = place->partition};
    if (place->level == REP_PARTITIONS)
        item.partition = hs_from_be16(name);
    else
        memcpy(item.node, name, HS_NODE_HASH_BYTES);
    return item;
}

/* ---- what lies below ---- */

/* The last name that begins so. */
static void last_name(const struct rep_place *place, uint8_t name[static HS_NODE_HASH_BYTES])
{
    memcpy(name, place->prefix, HS_NODE_HASH_BYTES);
    for (size_t i = place->depth; i < 2 * HS_NODE_HASH_BYTES; i++)
        name[i / 2] |= (uint8_t)(i % 2 == 0 ? 0xf0 : 0x0f);
}

/* First index of a stream whose origin is not below @origin. */
static size_t origin_from(const struct rep_member *member, uint64_t origin)
{
    size_t low = 0, high = member->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (member->streams[middle]->name.origin < origin)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void bound_nodes(struct rep_below *b, const uint8_t *last)
{
    const uint8_t *first = b->place->prefix;
    b->at = hs_rep_member_from(b->partition, HS_BYTES(first, HS_NODE_HASH_BYTES));
    if (b->at > 0 && memcmp(b->partition->members[b->at - 1]->node->hash, first, HS_NODE_HASH_BYTES) == 0)
        b->at--;
    b->end = hs_rep_member_from(b->partition, HS_BYTES(last, HS_NODE_HASH_BYTES));
}

static void bound_streams(struct rep_below *b, const uint8_t *last)
{
    uint64_t end = hs_from_be64(last);
    b->member = hs_rep_member_find(b->partition, b->place->node);
    if (b->member == NULL || !hs_rep_visible(b->s, b->partition->id, b->member->node))
        return;
    b->at = origin_from(b->member, hs_from_be64(b->place->prefix));
    b->end = end == UINT64_MAX ? b->member->count : origin_from(b->member, end + 1);
}

void rep_below(struct rep_session *s, const struct rep_place *place, struct rep_below *below)
{
    const struct rep_frontier *f = &s->r->frontier;
    uint8_t last[HS_NODE_HASH_BYTES];
    *below = (struct rep_below){.s = s, .place = place};
    last_name(place, last);
    if (place->level == REP_PARTITIONS) {
        below->at = hs_rep_partition_from(f, hs_from_be16(place->prefix));
        below->end = hs_rep_partition_from(f, (uint32_t)hs_from_be16(last) + 1);
        return;
    }
    below->partition = hs_rep_partition_find(f, place->partition);
    if (below->partition != NULL && place->level == REP_NODES)
        bound_nodes(below, last);
    else if (below->partition != NULL)
        bound_streams(below, last);
}

static bool is_shown(const struct rep_session *s, const struct rep_member *member)
{
    return member->held > 0 && hs_rep_visible(s, member->partition->id, member->node);
}

static bool partition_is_shown(const struct rep_session *s, const struct rep_partition *partition)
{
    for (size_t i = 0; i < partition->count; i++) {
        if (is_shown(s, partition->members[i]))
            return true;
    }
    return false;
}

/* Fills the item in; false: the view does not show it. */
static bool take_item(struct rep_below *b, size_t at, struct rep_item *item)
{
    *item = (struct rep_item){.partition = b->partition, .member = b->member};
    switch (b->place->level) {
    case REP_PARTITIONS:
        item->partition = b->s->r->frontier.partitions[at];
        hs_be16(item->name, item->partition->id);
        return partition_is_shown(b->s, item->partition);
    case REP_NODES:
        item->member = b->partition->members[at];
        memcpy(item->name, item->member->node->hash, HS_NODE_HASH_BYTES);
        return is_shown(b->s, item->member);
    default:
        item->stream = b->member->streams[at];
        hs_be64(item->name, item->stream->name.origin);
        return hs_rep_stream_listed(item->stream);
    }
}

bool rep_below_next(struct rep_below *below, struct rep_item *item)
{
    while (below->at < below->end) {
        if (take_item(below, below->at++, item))
            return true;
    }
    return false;
}

size_t rep_below_count(struct rep_session *s, const struct rep_place *place, size_t max)
{
    struct rep_below below;
    struct rep_item item;
    size_t count = 0;
    rep_below(s, place, &below);
    while (count < max && rep_below_next(&below, &item))
        count++;
    return count;
}

bool rep_below_find(struct rep_session *s, const struct rep_place *place, const uint8_t *name, struct rep_item *item)
{
    struct rep_place exact = *place;
    struct rep_below below;
    size_t size = rep_name_size(place->level);
    memset(exact.prefix, 0, sizeof exact.prefix);
    memcpy(exact.prefix, name, size);
    exact.depth = (uint8_t)(2 * size);
    rep_below(s, &exact, &below);
    return rep_place_has(place, name) && rep_below_next(&below, item);
}

/* ---- hashes ---- */

static void partition_hash(struct rep_session *s, struct rep_partition *partition,
                           uint8_t hash[static REP_SHORT_HASH_BYTES])
{
    struct hs_replica *r = s->r;
    struct hs_buf *entries = &r->bucket[REP_NODES];
    if (hs_rep_in_view(s, partition->id)) {
        memcpy(hash, hs_rep_partition_hash(r, partition), REP_SHORT_HASH_BYTES);
        return;
    }
    hs_buf_reset(entries);
    for (size_t i = 0; i < partition->count; i++) {
        if (is_shown(s, partition->members[i]))
            hs_rep_put_node_entry(r, partition->members[i], entries);
    }
    hs_rep_fail(r, entries->err);
    hs_rep_short_hash(REP_NODES, hs_buf_bytes(entries), hash);
}

void rep_item_hash(struct rep_session *s, const struct rep_item *item, uint8_t hash[static REP_SHORT_HASH_BYTES])
{
    if (item->member == NULL)
        partition_hash(s, item->partition, hash);
    else
        memcpy(hash, hs_rep_member_hash(s->r, item->member), REP_SHORT_HASH_BYTES);
}

static void put_entry(struct rep_session *s, const struct rep_item *item, struct hs_buf *to)
{
    uint8_t hash[REP_SHORT_HASH_BYTES];
    if (item->stream != NULL) {
        hs_rep_put_stream_entry(item->stream, to);
    } else if (item->member != NULL) {
        hs_rep_put_node_entry(s->r, item->member, to);
    } else {
        partition_hash(s, item->partition, hash);
        hs_buf_put(to, item->name, sizeof(hs_partition));
        hs_buf_put(to, hash, sizeof hash);
    }
}

static void end_bucket(struct rep_session *s, uint8_t level, unsigned digit, struct rep_buckets *to)
{
    struct hs_buf *entries = &s->r->bucket[level];
    if (entries->size == 0)
        return;
    to->present |= (uint16_t)(1U << digit);
    hs_rep_short_hash(level, hs_buf_bytes(entries), to->hashes[digit]);
    hs_rep_fail(s->r, entries->err);
    hs_buf_reset(entries);
}

void rep_buckets_make(struct rep_session *s, const struct rep_place *place, struct rep_buckets *to)
{
    struct rep_below below;
    struct rep_item item;
    unsigned digit = 0;
    *to = (struct rep_buckets){0};
    struct hs_buf *entries = &s->r->bucket[place->level];
    hs_buf_reset(entries);
    rep_below(s, place, &below);
    while (rep_below_next(&below, &item)) {
        unsigned next = digit_of(item.name, place->depth);
        if (next != digit)
            end_bucket(s, place->level, digit, to);
        digit = next;
        put_entry(s, &item, entries);
    }
    end_bucket(s, place->level, digit, to);
}
