/* What does the other side hold?  PROTOCOL.md, "Frontier":
 *
 * The frontier is a tree of hashes.  Who has dialled offers its list of partitions; a list of up to REP_ITEMS_MAX
 * entries is offered as it is, a longer one as up to 16 buckets.  Who gets an offer answers what of it differs, and
 * offers its own lists of just that; so the two take turns on the way down, and meet at the streams that differ.
 *
 *                    its turn has come                  the answer came
 *       WAITING ---------------------------> OFFERED ----------------------> (gone)
 *       (differs, ours to be offered)
 *                    the offer came, and was answered
 *       AWAITED ---------------------------------------> (gone)
 *       (differs, the peer's to be offered)
 *
 * What an answer leaves out is the same here and there.  What moves here while an answer is on its way is held back
 * until it has come (rep_lag.assumed), for it is about what was offered. */
#include "node/replica/exchange.h"

#include "proto/msg/tlv.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

enum { FRONTIER_PARTS = 1, FRONTIER_HEADS = 2 }; /* of PeerFrontier */
enum {
    LEVEL = 1,
    PARTITION = 2,
    NODE = 3,
    PREFIX = 4,
    REPLY = 5,
    BUCKETS = 6,
    ITEMS = 7,
    DIFFER = 8,
    LACKS = 9,
    LACKED = 10
}; /* of FrontierPart */

#define PARTS_BYTES (16 * 1024) /* of one message, about */

enum rep_list_state { REP_WAITING, REP_OFFERED, REP_AWAITED };

struct rep_list {
    struct rep_place place; /* first: the key */
    enum rep_list_state state;
    bool as_buckets; /* OFFERED so */
    uint16_t offered;
    TAILQ_ENTRY(rep_list) turn; /* WAITING */
};

/* ---- the lists ---- */

static int compare_places(const void *a, const void *b)
{
    const struct rep_place *first = a, *second = b;
    if (first->level != second->level)
        return first->level < second->level ? -1 : 1;
    if (first->partition != second->partition)
        return first->partition < second->partition ? -1 : 1;
    int order = memcmp(first->node, second->node, sizeof first->node);
    if (order != 0)
        return order;
    if (first->depth != second->depth)
        return first->depth < second->depth ? -1 : 1;
    return memcmp(first->prefix, second->prefix, sizeof first->prefix);
}

static struct rep_list *list_find(const struct rep_session *s, const struct rep_place *place)
{
    struct rep_list *const *found = tfind(place, &s->exchange.lists, compare_places);
    return found == NULL ? NULL : *found;
}

static void list_open(struct rep_session *s, const struct rep_place *place, enum rep_list_state state)
{
    struct rep_exchange *x = &s->exchange;
    if (list_find(s, place) != NULL)
        return;
    if (x->list_count >= REP_LISTS_MAX) {
        hs_rep_session_end(s, HS_EBUSY, "more than %d lists differ", REP_LISTS_MAX);
        return;
    }
    struct rep_list *list = calloc(1, sizeof *list);
    if (list != NULL)
        *list = (struct rep_list){.place = *place, .state = state};
    if (list == NULL || tsearch(list, &x->lists, compare_places) == NULL) {
        free(list);
        hs_rep_fail(s->r, HS_ENOMEM);
        return;
    }
    if (state == REP_WAITING)
        TAILQ_INSERT_TAIL(&x->waiting, list, turn);
    x->list_count++;
    if (x->depths[place->level] < place->depth)
        x->depths[place->level] = place->depth;
}

static void list_close(struct rep_session *s, struct rep_list *list)
{
    if (list->state == REP_OFFERED)
        s->exchange.offered_count--;
    tdelete(list, &s->exchange.lists, compare_places);
    s->exchange.list_count--;
    free(list);
}

void hs_rep_exchange_init(struct rep_session *s)
{
    TAILQ_INIT(&s->exchange.waiting);
}

void hs_rep_exchange_fini(struct rep_session *s)
{
    tdestroy(s->exchange.lists, free);
    s->exchange.lists = NULL;
    hs_buf_fini(&s->exchange.parts);
    hs_buf_fini(&s->exchange.heads);
}

bool hs_rep_exchange_done(const struct rep_session *s)
{
    return s->exchange.begun && s->exchange.list_count == 0;
}

uint64_t hs_rep_exchange_bytes(const struct rep_session *s)
{
    return s->exchange.list_count * sizeof(struct rep_list) + s->exchange.parts.room + s->exchange.heads.room;
}

/* The list that an item of this name is in, as far as it is known to differ; NULL: none. */
static struct rep_list *list_above(const struct rep_session *s, const struct rep_place *root, const uint8_t *name)
{
    struct rep_place place = *root;
    for (;; place.depth++) {
        memset(place.prefix, 0, sizeof place.prefix);
        for (size_t i = 0; i < place.depth; i++)
            place.prefix[i / 2] |= (uint8_t)(name[i / 2] & (i % 2 == 0 ? 0xf0 : 0x0f));
        struct rep_list *list = list_find(s, &place);
        if (list != NULL || place.depth >= s->exchange.depths[place.level])
            return list;
    }
}

/* One at a time: a list goes as soon as those below it are known. */
static struct rep_list *list_of(const struct rep_session *s, const struct rep_stream *stream)
{
    struct rep_place place = {.level = REP_PARTITIONS};
    uint8_t name[HS_NODE_HASH_BYTES] = {0};
    if (s->exchange.list_count == 0)
        return NULL;
    hs_be16(name, stream->name.partition);
    struct rep_list *list = list_above(s, &place, name);
    place = (struct rep_place){.level = REP_NODES, .partition = stream->name.partition};
    if (list == NULL)
        list = list_above(s, &place, stream->member->node->hash);
    place.level = REP_STREAMS;
    memcpy(place.node, stream->member->node->hash, sizeof place.node);
    hs_be64(name, stream->name.origin);
    return list != NULL ? list : list_above(s, &place, name);
}

bool hs_rep_exchange_open(const struct rep_session *s, const struct rep_stream *stream)
{
    return !s->exchange.begun || list_of(s, stream) != NULL;
}

bool hs_rep_exchange_offered(const struct rep_session *s, const struct rep_stream *stream)
{
    const struct rep_list *list = s->exchange.begun ? list_of(s, stream) : NULL;
    return list != NULL && list->state == REP_OFFERED;
}

/* ---- writing parts: many go in one message ---- */

static void flush(struct rep_session *s, struct hs_buf *body, size_t *count)
{
    if (body->size == 0)
        return;
    hs_rep_fail(s->r, body->err);
    hs_rep_send_bytes(s, HALLSYNC__PEER_TYPE__PEER_FRONTIER, hs_buf_bytes(body));
    hs_buf_fini(body); /* idle sessions hold nothing */
    *count = 0;
}

void hs_rep_exchange_flush(struct rep_session *s)
{
    flush(s, &s->exchange.parts, &s->exchange.part_count);
    flush(s, &s->exchange.heads, &s->exchange.head_count);
}

void rep_tell_head(struct rep_session *s, const struct hs_head *head)
{
    struct rep_exchange *x = &s->exchange;
    hs_rep_put_head(s->r, &x->heads, FRONTIER_HEADS, head);
    if (++x->head_count == HS_LIST_ITEMS_MAX)
        hs_rep_exchange_flush(s);
    hs_rep_session_dirty(s);
}

static struct hs_buf *part_begin(struct rep_session *s, const struct rep_place *place, bool reply)
{
    struct hs_buf *part = &s->r->part;
    uint8_t digits[2 * HS_NODE_HASH_BYTES];
    hs_buf_reset(part);
    hs_tlv_put_u64(part, LEVEL, place->level);
    if (place->level > REP_PARTITIONS)
        hs_tlv_put_u64(part, PARTITION, place->partition);
    if (place->level == REP_STREAMS)
        hs_tlv_put_bytes(part, NODE, HS_BYTES(place->node, sizeof place->node));
    for (size_t i = 0; i < place->depth; i++)
        digits[i] = i % 2 == 0 ? place->prefix[i / 2] >> 4 : place->prefix[i / 2] & 15;
    if (place->depth > 0)
        hs_tlv_put_bytes(part, PREFIX, HS_BYTES(digits, place->depth));
    if (reply)
        hs_tlv_put_u64(part, REPLY, true);
    return part;
}

static void part_end(struct rep_session *s)
{
    struct rep_exchange *x = &s->exchange;
    hs_rep_fail(s->r, s->r->part.err);
    hs_tlv_put_bytes(&x->parts, FRONTIER_PARTS, hs_buf_bytes(&s->r->part));
    if (++x->part_count == HS_LIST_ITEMS_MAX || x->parts.size >= PARTS_BYTES)
        hs_rep_exchange_flush(s);
    hs_rep_session_dirty(s);
}

static void put_stream(struct hs_buf *items, const struct hs_head *head)
{
    hs_buf_put_u64(items, head->stream.origin);
    hs_buf_put_u8(items, head->stream.lane);
    hs_buf_put_varint(items, head->n);
    hs_buf_put(items, head->hash.bytes, REP_SHORT_HASH_BYTES);
}

/* ---- offers, ours ---- */

static void offer_buckets(struct rep_session *s, struct rep_list *list)
{
    struct hs_buf *packed = &s->r->items;
    struct rep_buckets buckets;
    rep_buckets_make(s, &list->place, &buckets);
    hs_buf_reset(packed);
    hs_buf_put_u16(packed, buckets.present);
    for (unsigned i = 0; i < REP_BUCKETS; i++) {
        if (buckets.present & 1U << i)
            hs_buf_put(packed, buckets.hashes[i], REP_SHORT_HASH_BYTES);
    }
    hs_rep_fail(s->r, packed->err);
    hs_tlv_put_bytes(part_begin(s, &list->place, false), BUCKETS, hs_buf_bytes(packed));
    list->as_buckets = true;
    list->offered = buckets.present;
}

static void offer_items(struct rep_session *s, struct rep_list *list)
{
    struct hs_buf *packed = &s->r->items;
    uint8_t hash[REP_SHORT_HASH_BYTES];
    struct rep_below below;
    struct rep_item item;
    hs_buf_reset(packed);
    rep_below(s, &list->place, &below);
    while (rep_below_next(&below, &item)) {
        if (item.stream != NULL) {
            struct hs_head head = hs_rep_stream_head(item.stream);
            put_stream(packed, &head);
            continue;
        }
        rep_item_hash(s, &item, hash);
        hs_buf_put(packed, item.name, rep_name_size(list->place.level));
        hs_buf_put(packed, hash, sizeof hash);
    }
    hs_rep_fail(s->r, packed->err);
    hs_tlv_put_bytes(part_begin(s, &list->place, false), ITEMS, hs_buf_bytes(packed));
}

static void offer(struct rep_session *s, struct rep_list *list)
{
    bool fits = list->place.depth == rep_digits(list->place.level) ||
                rep_below_count(s, &list->place, REP_ITEMS_MAX + 1) <= REP_ITEMS_MAX;
    if (fits)
        offer_items(s, list);
    else
        offer_buckets(s, list);
    part_end(s);
    list->state = REP_OFFERED;
    s->exchange.offered_count++;
}

static void offer_waiting(struct rep_session *s)
{
    struct rep_exchange *x = &s->exchange;
    struct rep_list *list;
    while (x->offered_count < REP_LISTS_OPEN_MAX && (list = TAILQ_FIRST(&x->waiting)) != NULL) {
        TAILQ_REMOVE(&x->waiting, list, turn);
        offer(s, list);
    }
}

/* Who has dialled begins. */
void hs_rep_exchange_start(struct rep_session *s)
{
    struct rep_place root = {.level = REP_PARTITIONS};
    s->exchange.begun = true;
    list_open(s, &root, s->outbound ? REP_WAITING : REP_AWAITED);
    offer_waiting(s);
}

/* ---- offers, theirs ---- */

static enum hs_err read_buckets(const ProtobufCBinaryData *from, struct rep_buckets *to)
{
    struct hs_cur cur = hs_cur_of(HS_BYTES(from->data, from->len));
    *to = (struct rep_buckets){.present = hs_cur_u16(&cur)};
    for (unsigned i = 0; i < REP_BUCKETS; i++) {
        struct hs_bytes hash = to->present & 1U << i ? hs_cur_take(&cur, REP_SHORT_HASH_BYTES) : HS_BYTES_NONE;
        if (hash.size > 0)
            memcpy(to->hashes[i], hash.data, hash.size);
    }
    return hs_cur_done(&cur) ? HS_OK : HS_EMALFORMED;
}

static enum hs_err compare_buckets(struct rep_session *s, const struct rep_place *place,
                                   const Hallsync__FrontierPart *part)
{
    struct rep_buckets ours, theirs;
    uint32_t differ = 0, lacks = 0;
    if (place->depth >= rep_digits(place->level) || read_buckets(&part->buckets, &theirs) != HS_OK)
        return HS_EMALFORMED;
    rep_buckets_make(s, place, &ours);
    for (unsigned i = 0; i < REP_BUCKETS; i++) {
        struct rep_place child = rep_place_bucket(place, i);
        bool here = ours.present & 1U << i, there = theirs.present & 1U << i;
        if (there && !here) {
            lacks |= 1U << i;
        } else if (here && !there) {
            rep_peer_lacks(s, &child);
        } else if (here && memcmp(ours.hashes[i], theirs.hashes[i], REP_SHORT_HASH_BYTES) != 0) {
            differ |= 1U << i;
            list_open(s, &child, REP_WAITING);
        }
    }
    struct hs_buf *reply = part_begin(s, place, true);
    if (differ != 0)
        hs_tlv_put_u64(reply, DIFFER, differ);
    if (lacks != 0)
        hs_tlv_put_u64(reply, LACKS, lacks);
    part_end(s);
    return HS_OK;
}

/* Of levels 0 and 1: names with hashes, or names alone. */
struct named {
    uint8_t names[REP_ITEMS_MAX][HS_NODE_HASH_BYTES];
    uint8_t hashes[REP_ITEMS_MAX][REP_SHORT_HASH_BYTES];
    size_t count;
};

static enum hs_err read_named(const struct rep_place *place, const ProtobufCBinaryData *from, bool with_hash,
                              struct named *to)
{
    struct hs_cur cur = hs_cur_of(HS_BYTES(from->data, from->len));
    size_t size = rep_name_size(place->level);
    for (to->count = 0; cur.left > 0 && to->count < REP_ITEMS_MAX; to->count++) {
        struct hs_bytes name = hs_cur_take(&cur, size);
        struct hs_bytes hash = with_hash ? hs_cur_take(&cur, REP_SHORT_HASH_BYTES) : HS_BYTES_NONE;
        if (cur.err != HS_OK)
            return HS_EMALFORMED;
        memset(to->names[to->count], 0, sizeof to->names[to->count]);
        memcpy(to->names[to->count], name.data, size);
        if (with_hash)
            memcpy(to->hashes[to->count], hash.data, REP_SHORT_HASH_BYTES);
        bool ascends = to->count == 0 || memcmp(to->names[to->count - 1], to->names[to->count], size) < 0;
        if (!ascends || !rep_place_has(place, to->names[to->count]) ||
            (place->level == REP_PARTITIONS && !hs_partition_valid(hs_from_be16(name.data))))
            return HS_EMALFORMED;
    }
    return hs_cur_done(&cur) ? HS_OK : HS_EMALFORMED;
}

struct answer {
    struct rep_session *s;
    const struct rep_place *place;
    struct hs_buf *differ, *lacked;
};

static void compare_item(struct answer *answer, const uint8_t *name, const uint8_t *theirs, struct rep_item *item)
{
    struct rep_session *s = answer->s;
    uint8_t ours[REP_SHORT_HASH_BYTES];
    rep_item_hash(s, item, ours);
    if (memcmp(ours, theirs, REP_SHORT_HASH_BYTES) == 0)
        return;
    struct rep_place child = rep_place_item(answer->place, name);
    hs_buf_put(answer->differ, name, rep_name_size(answer->place->level));
    list_open(s, &child, REP_WAITING);
}

/* Both ascend. */
static void merge_items(struct answer *answer, const struct named *theirs)
{
    struct rep_below below;
    struct rep_item item;
    size_t size = rep_name_size(answer->place->level), at = 0;
    rep_below(answer->s, answer->place, &below);
    bool any = rep_below_next(&below, &item);
    while (any || at < theirs->count) {
        int order = !any ? 1 : at == theirs->count ? -1 : memcmp(item.name, theirs->names[at], size);
        if (order > 0) {
            hs_buf_put(answer->lacked, theirs->names[at++], size);
            continue;
        }
        if (order == 0) {
            compare_item(answer, theirs->names[at], theirs->hashes[at], &item);
            at++;
        } else {
            struct rep_place child = rep_place_item(answer->place, item.name);
            rep_peer_lacks(answer->s, &child);
        }
        any = rep_below_next(&below, &item);
    }
}

static enum hs_err compare_items(struct rep_session *s, const struct rep_place *place,
                                 const Hallsync__FrontierPart *part)
{
    struct hs_replica *r = s->r;
    struct answer answer = {s, place, &r->items, &r->lacked};
    struct named theirs;
    enum hs_err err = read_named(place, &part->items, true, &theirs);
    if (err != HS_OK)
        return err;
    hs_buf_reset(answer.differ);
    hs_buf_reset(answer.lacked);
    merge_items(&answer, &theirs);
    hs_rep_fail(r, answer.differ->err);
    hs_rep_fail(r, answer.lacked->err);
    struct hs_buf *reply = part_begin(s, place, true);
    if (answer.differ->size > 0)
        hs_tlv_put_bytes(reply, ITEMS, hs_buf_bytes(answer.differ));
    if (answer.lacked->size > 0)
        hs_tlv_put_bytes(reply, LACKED, hs_buf_bytes(answer.lacked));
    part_end(s);
    return HS_OK;
}

/* ---- streams ---- */

struct heads {
    struct hs_stream names[REP_ITEMS_MAX];
    Hallsync__StreamHead heads[REP_ITEMS_MAX];
    size_t count;
};

/* @least: numbers are at least so high. */
static enum hs_err read_heads(const struct rep_place *place, const ProtobufCBinaryData *from, uint64_t least,
                              struct heads *to)
{
    struct hs_cur cur = hs_cur_of(HS_BYTES(from->data, from->len));
    uint8_t name[HS_NODE_HASH_BYTES];
    for (to->count = 0; cur.left > 0 && to->count < REP_ITEMS_MAX; to->count++) {
        struct hs_stream *stream = &to->names[to->count];
        Hallsync__StreamHead *head = &to->heads[to->count];
        hallsync__stream_head__init(head);
        *stream = (struct hs_stream){.origin = hs_cur_u64(&cur), .partition = place->partition};
        stream->lane = hs_cur_u8(&cur);
        head->n = hs_cur_varint(&cur);
        struct hs_bytes hash = hs_cur_take(&cur, REP_SHORT_HASH_BYTES);
        head->hash = hs_rep_data(hash.data, hash.size);
        hs_be64(name, stream->origin);
        bool ascends = to->count == 0 || hs_stream_compare(&to->names[to->count - 1], stream) < 0;
        if (cur.err != HS_OK || !ascends || !hs_lane_valid(stream->lane) || head->n < least ||
            !rep_place_has(place, name))
            return HS_EMALFORMED;
    }
    return hs_cur_done(&cur) ? HS_OK : HS_EMALFORMED;
}

static bool is_peers_own(const struct rep_session *s, const struct rep_place *place)
{
    return memcmp(place->node, s->node->hash, HS_NODE_HASH_BYTES) == 0;
}

static void take_named(struct rep_session *s, const struct rep_place *place, const struct heads *theirs, size_t i)
{
    rep_head_take(s, &theirs->names[i], &theirs->heads[i], false);
    if (is_peers_own(s, place))
        hs_rep_receipts_tell(s, &theirs->names[i]);
}

/* @ours: NULL: nothing is held.  It is named back if it is not the same. */
static void compare_head(struct rep_session *s, const struct rep_stream *ours, const struct hs_stream *name,
                         const Hallsync__StreamHead *theirs)
{
    struct hs_head head = {.stream = *name, .hash = hs_chain_start(name)};
    if (ours != NULL)
        head = hs_rep_stream_head(ours);
    if (head.n != theirs->n || !hs_rep_same_hash(&theirs->hash, &head.hash))
        put_stream(&s->r->items, &head);
}

static void merge_streams(struct rep_session *s, const struct rep_place *place, const struct heads *theirs)
{
    struct rep_below below;
    struct rep_item item;
    size_t at = 0;
    rep_below(s, place, &below);
    bool any = rep_below_next(&below, &item);
    while (any || at < theirs->count) {
        int order = !any ? 1 : at == theirs->count ? -1 : hs_stream_compare(&item.stream->name, &theirs->names[at]);
        if (order >= 0) {
            compare_head(s, order == 0 ? item.stream : NULL, &theirs->names[at], &theirs->heads[at]);
            at++;
        } else {
            rep_peer_lacks_stream(s, item.stream);
        }
        if (order <= 0)
            any = rep_below_next(&below, &item);
    }
}

/* The answer first: what the heads lead to may say more of these streams. */
static enum hs_err compare_streams(struct rep_session *s, const struct rep_place *place,
                                   const Hallsync__FrontierPart *part)
{
    struct heads theirs;
    enum hs_err err = read_heads(place, &part->items, 1, &theirs);
    if (err != HS_OK)
        return err;
    hs_buf_reset(&s->r->items);
    merge_streams(s, place, &theirs);
    hs_rep_fail(s->r, s->r->items.err);
    struct hs_buf *reply = part_begin(s, place, true);
    if (s->r->items.size > 0)
        hs_tlv_put_bytes(reply, ITEMS, hs_buf_bytes(&s->r->items));
    part_end(s);
    for (size_t i = 0; i < theirs.count && s->state == REP_LIVE; i++)
        take_named(s, place, &theirs, i);
    return HS_OK;
}

static enum hs_err offer_received(struct rep_session *s, const struct rep_place *place,
                                  const Hallsync__FrontierPart *part)
{
    struct rep_list *list = list_find(s, place);
    if (list == NULL || list->state != REP_AWAITED || part->has_buckets == part->has_items || part->has_differ ||
        part->has_lacks || part->has_lacked)
        return HS_EMALFORMED;
    list_close(s, list);
    if (part->has_buckets)
        return compare_buckets(s, place, part);
    return place->level == REP_STREAMS ? compare_streams(s, place, part) : compare_items(s, place, part);
}

/* ---- answers, theirs ---- */

static enum hs_err answered_buckets(struct rep_session *s, const struct rep_place *place, uint16_t offered,
                                    const Hallsync__FrontierPart *part)
{
    uint32_t differ = part->has_differ ? part->differ : 0, lacks = part->has_lacks ? part->lacks : 0;
    if (part->has_items || part->has_lacked || ((differ | lacks) & ~(uint32_t)offered) != 0 || (differ & lacks) != 0)
        return HS_EMALFORMED;
    for (unsigned i = 0; i < REP_BUCKETS; i++) {
        struct rep_place child = rep_place_bucket(place, i);
        if (differ & 1U << i)
            list_open(s, &child, REP_AWAITED);
        else if (lacks & 1U << i)
            rep_peer_lacks(s, &child);
    }
    return HS_OK;
}

static enum hs_err answered_names(struct rep_session *s, const struct rep_place *place, const ProtobufCBinaryData *from,
                                  bool lacks)
{
    struct named names;
    struct rep_item item;
    enum hs_err err = read_named(place, from, false, &names);
    for (size_t i = 0; i < names.count && err == HS_OK; i++) {
        if (!rep_below_find(s, place, names.names[i], &item))
            return HS_EMALFORMED; /* that was not offered */
        struct rep_place child = rep_place_item(place, names.names[i]);
        if (lacks)
            rep_peer_lacks(s, &child);
        else
            list_open(s, &child, REP_AWAITED);
    }
    return err;
}

static enum hs_err answered_items(struct rep_session *s, const struct rep_place *place,
                                  const Hallsync__FrontierPart *part)
{
    if (part->has_differ || part->has_lacks)
        return HS_EMALFORMED;
    enum hs_err err = part->has_items ? answered_names(s, place, &part->items, false) : HS_OK;
    return err == HS_OK && part->has_lacked ? answered_names(s, place, &part->lacked, true) : err;
}

static enum hs_err answered_streams(struct rep_session *s, const struct rep_place *place,
                                    const Hallsync__FrontierPart *part)
{
    struct heads theirs = {.count = 0};
    if (part->has_differ || part->has_lacks || part->has_lacked)
        return HS_EMALFORMED;
    enum hs_err err = part->has_items ? read_heads(place, &part->items, 0, &theirs) : HS_OK;
    for (size_t i = 0; i < theirs.count && err == HS_OK && s->state == REP_LIVE; i++)
        take_named(s, place, &theirs, i);
    return err;
}

static enum hs_err answer_received(struct rep_session *s, const struct rep_place *place,
                                   const Hallsync__FrontierPart *part)
{
    struct rep_list *list = list_find(s, place);
    if (list == NULL || list->state != REP_OFFERED || part->has_buckets)
        return HS_EMALFORMED;
    bool as_buckets = list->as_buckets;
    uint16_t offered = list->offered;
    list_close(s, list);
    if (as_buckets)
        return answered_buckets(s, place, offered, part);
    return place->level == REP_STREAMS ? answered_streams(s, place, part) : answered_items(s, place, part);
}

/* ---- any ---- */

static enum hs_err read_place(const Hallsync__FrontierPart *part, struct rep_place *place)
{
    if (part->level > REP_STREAMS || part->has_partition != (part->level > REP_PARTITIONS) ||
        part->has_node != (part->level == REP_STREAMS))
        return HS_EMALFORMED;
    *place = (struct rep_place){.level = (uint8_t)part->level};
    if (part->has_partition && !hs_partition_valid(part->partition))
        return HS_EMALFORMED;
    place->partition = part->has_partition ? (hs_partition)part->partition : 0;
    if (part->has_node && part->node.len != sizeof place->node)
        return HS_EMALFORMED;
    if (part->has_node)
        memcpy(place->node, part->node.data, sizeof place->node);
    size_t depth = part->has_prefix ? part->prefix.len : 0;
    if (depth > rep_digits(place->level))
        return HS_EMALFORMED;
    for (size_t i = 0; i < depth; i++) {
        if (part->prefix.data[i] >= REP_BUCKETS)
            return HS_EMALFORMED;
        *place = rep_place_bucket(place, part->prefix.data[i]);
    }
    return HS_OK;
}

static enum hs_err take_part(struct rep_session *s, const Hallsync__FrontierPart *part)
{
    struct rep_place place;
    enum hs_err err = read_place(part, &place);
    if (err != HS_OK)
        return err;
    return part->has_reply && part->reply ? answer_received(s, &place, part) : offer_received(s, &place, part);
}

static enum hs_err take_parts(struct rep_session *s, const Hallsync__PeerFrontier *message)
{
    enum hs_err err = hs_rep_has_view(s) ? HS_OK : HS_EMALFORMED;
    for (size_t i = 0; i < message->n_parts && err == HS_OK && s->state == REP_LIVE && s->r->err == HS_OK; i++)
        err = take_part(s, message->parts[i]);
    if (err != HS_OK || s->state != REP_LIVE)
        return err;
    offer_waiting(s);
    hs_rep_lags_assured(s);
    hs_rep_session_dirty(s);
    return HS_OK;
}

void hs_rep_exchange_received(struct rep_session *s, const ProtobufCMessage *message)
{
    const Hallsync__PeerFrontier *frontier = (const Hallsync__PeerFrontier *)message;
    enum hs_err err = HS_EMALFORMED;
    if (frontier->n_parts > HS_LIST_ITEMS_MAX || frontier->n_heads > HS_LIST_ITEMS_MAX)
        err = HS_EMALFORMED;
    else if (frontier->n_parts == 0)
        err = rep_announced(s, frontier);
    else if (frontier->n_heads == 0)
        err = take_parts(s, frontier);
    if (err != HS_OK)
        hs_rep_session_end(s, err, "a frontier list that is none");
}
