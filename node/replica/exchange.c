/* What does the other side hold?  PROTOCOL.md, "Frontier":
 *
 * After Hello both send the list of partitions with a hash each (level 0).  Where they differ, each sends its list of
 * that partition's nodes (level 1); where those differ, its list of that node's streams with their heads (level 2).  A
 * list of level 1 or 2 that came without being asked for is answered by one's own, so both sides always see both.  An
 * equal hash says that the peer holds what is held here.  Lists go on over as many messages as they need, ascending; at
 * most REP_LISTS_OPEN_MAX are open.
 *
 * Between hub and hall the lists speak of the hall's partitions in full, and elsewhere of the hall's own streams only.
 *
 * A list of level 2 without a partition says just what it names: "this is where I am", and the sender goes on from
 * there. */
#include "node/replica/core.h"

#include "proto/msg/tlv.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

enum { LEVEL = 1, PARTITION = 2, NODE = 3, ENTRIES = 4, LAST = 5 };           /* fields of PeerFrontier */
enum { ENTRY_PARTITION = 1, ENTRY_NODE = 2, ENTRY_HASH = 3, ENTRY_HEAD = 4 }; /* fields of FrontierNode */
enum { LEVEL_PARTITIONS = 0, LEVEL_NODES = 1, LEVEL_STREAMS = 2 };

/* ---- the common view ---- */

static bool visible(const struct rep_session *s, hs_partition partition, const uint8_t node[static HS_NODE_HASH_BYTES])
{
    const struct rep_partition *held = hs_rep_partition_find(&s->r->frontier, partition);
    const struct rep_member *member = held == NULL ? NULL : hs_rep_member_find(held, node);
    if (member != NULL)
        return hs_rep_visible(s, partition, member->node);
    return hs_rep_in_view(s, partition) || s->relation == REP_HUB_HUB ||
           memcmp(s->outbound ? s->r->node->hash : s->node->hash, node, HS_NODE_HASH_BYTES) == 0;
}

/* Hash of what the view shows of a partition; false: nothing. */
static bool visible_hash(struct rep_session *s, struct rep_partition *partition,
                         uint8_t hash[static REP_SHORT_HASH_BYTES])
{
    struct hs_replica *r = s->r;
    bool any = false;
    if (hs_rep_in_view(s, partition->id)) {
        for (size_t i = 0; i < partition->count && !any; i++)
            any = partition->members[i]->held > 0;
        memcpy(hash, hs_rep_partition_hash(r, partition), REP_SHORT_HASH_BYTES);
    } else {
        struct rep_member **shown = calloc(partition->count + 1, sizeof *shown);
        size_t count = 0;
        for (size_t i = 0; shown != NULL && i < partition->count; i++) {
            if (partition->members[i]->held > 0 && hs_rep_visible(s, partition->id, partition->members[i]->node))
                shown[count++] = partition->members[i];
        }
        any = count > 0;
        hs_rep_nodes_hash(r, shown, count, hash);
        free(shown);
    }
    return any;
}

/* ---- writing a list: as many messages as it needs ---- */

struct writer {
    struct rep_session *s;
    unsigned level;
    const struct rep_list *list; /* NULL: level 0, or heads by themselves */
    size_t count;
};

static void begin_message(struct writer *w)
{
    struct hs_buf *body = &w->s->r->list;
    hs_buf_reset(body);
    w->count = 0;
    hs_tlv_put_u64(body, LEVEL, w->level);
    if (w->list == NULL)
        return;
    hs_tlv_put_u64(body, PARTITION, w->list->partition);
    if (w->list->has_node)
        hs_tlv_put_bytes(body, NODE, HS_BYTES(w->list->node, HS_NODE_HASH_BYTES));
}

static void end_message(struct writer *w, bool last)
{
    struct hs_buf *body = &w->s->r->list;
    hs_tlv_put_u64(body, LAST, last);
    hs_rep_fail(w->s->r, body->err);
    hs_rep_send_bytes(w->s, HALLSYNC__PEER_TYPE__PEER_FRONTIER, hs_buf_bytes(body));
}

/* The entry lies packed in r->entry. */
static void put_entry(struct writer *w)
{
    struct hs_replica *r = w->s->r;
    if (w->count == HS_LIST_ITEMS_MAX) {
        end_message(w, false);
        begin_message(w);
    }
    hs_rep_fail(r, r->entry.err);
    hs_tlv_put_bytes(&r->list, ENTRIES, hs_buf_bytes(&r->entry));
    hs_buf_reset(&r->entry);
    w->count++;
}

static void put_stream(struct writer *w, const struct hs_head *head)
{
    hs_rep_put_head(w->s->r, &w->s->r->entry, ENTRY_HEAD, head);
    put_entry(w);
}

static void put_streams(struct writer *w, const struct rep_member *member)
{
    for (size_t i = 0; i < member->count; i++) {
        struct hs_head head = hs_rep_stream_head(member->streams[i]);
        if (hs_rep_stream_listed(member->streams[i]))
            put_stream(w, &head);
    }
}

static void put_nodes(struct writer *w, const struct rep_partition *partition)
{
    struct hs_replica *r = w->s->r;
    for (size_t i = 0; i < partition->count; i++) {
        struct rep_member *member = partition->members[i];
        if (member->held == 0 || !visible(w->s, partition->id, member->node->hash))
            continue;
        hs_tlv_put_bytes(&r->entry, ENTRY_NODE, HS_BYTES(member->node->hash, HS_NODE_HASH_BYTES));
        hs_tlv_put_bytes(&r->entry, ENTRY_HASH, HS_BYTES(hs_rep_member_hash(r, member), REP_SHORT_HASH_BYTES));
        put_entry(w);
    }
}

static void put_partitions(struct writer *w)
{
    struct hs_replica *r = w->s->r;
    uint8_t hash[REP_SHORT_HASH_BYTES];
    for (size_t i = 0; i < r->frontier.count; i++) {
        if (!visible_hash(w->s, r->frontier.partitions[i], hash))
            continue;
        hs_tlv_put_u64(&r->entry, ENTRY_PARTITION, r->frontier.partitions[i]->id);
        hs_tlv_put_bytes(&r->entry, ENTRY_HASH, HS_BYTES(hash, sizeof hash));
        put_entry(w);
    }
}

static void send_list(struct rep_session *s, struct rep_list *list)
{
    struct writer w = {s, list->has_node ? LEVEL_STREAMS : LEVEL_NODES, list, 0};
    const struct rep_partition *partition = hs_rep_partition_find(&s->r->frontier, list->partition);
    const struct rep_member *member = partition == NULL || !list->has_node ? NULL
                                                                           : hs_rep_member_find(partition, list->node);
    begin_message(&w);
    if (member != NULL && visible(s, list->partition, list->node))
        put_streams(&w, member);
    else if (partition != NULL && !list->has_node)
        put_nodes(&w, partition);
    end_message(&w, true);
    list->sent = true;
    s->exchange.sent_count++;
}

void hs_rep_announce(struct rep_session *s, const struct hs_stream *names, size_t count)
{
    struct writer w = {s, LEVEL_STREAMS, NULL, 0};
    begin_message(&w);
    for (size_t i = 0; i < count; i++) {
        const struct rep_stream *stream = hs_rep_stream_find(&s->r->frontier, &names[i]);
        struct hs_head head = {.stream = names[i], .hash = hs_chain_start(&names[i])};
        if (stream != NULL) /* by number, also of a forked stream */
            head = (struct hs_head){stream->name, stream->n, stream->hash};
        put_stream(&w, &head);
    }
    end_message(&w, true);
}

/* ---- lists being compared ---- */

static int compare_lists(const void *a, const void *b)
{
    const struct rep_list *first = a, *second = b;
    if (first->partition != second->partition)
        return first->partition < second->partition ? -1 : 1;
    if (first->has_node != second->has_node)
        return first->has_node ? 1 : -1;
    return first->has_node ? memcmp(first->node, second->node, HS_NODE_HASH_BYTES) : 0;
}

static struct rep_list *list_find(const struct rep_session *s, hs_partition partition, const uint8_t *node)
{
    struct rep_list key = {.partition = partition, .has_node = node != NULL};
    if (node != NULL)
        memcpy(key.node, node, HS_NODE_HASH_BYTES);
    struct rep_list *const *found = tfind(&key, &s->exchange.lists, compare_lists);
    return found == NULL ? NULL : *found;
}

static struct rep_list *list_open(struct rep_session *s, hs_partition partition, const uint8_t *node)
{
    struct rep_list *list = list_find(s, partition, node);
    if (list != NULL)
        return list;
    list = calloc(1, sizeof *list);
    if (list != NULL) {
        *list = (struct rep_list){.partition = partition, .has_node = node != NULL};
        if (node != NULL)
            memcpy(list->node, node, HS_NODE_HASH_BYTES);
    }
    if (list == NULL || tsearch(list, &s->exchange.lists, compare_lists) == NULL) {
        free(list);
        hs_rep_fail(s->r, HS_ENOMEM);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&s->exchange.waiting, list, turn);
    s->exchange.list_count++;
    return list;
}

static void list_answer(struct rep_session *s, struct rep_list *list)
{
    if (list->sent)
        return;
    TAILQ_REMOVE(&s->exchange.waiting, list, turn);
    send_list(s, list);
}

static void send_waiting(struct rep_session *s)
{
    struct rep_list *list;
    while (s->exchange.sent_count < REP_LISTS_OPEN_MAX && (list = TAILQ_FIRST(&s->exchange.waiting)) != NULL)
        list_answer(s, list);
}

static void list_close(struct rep_session *s, struct rep_list *list)
{
    tdelete(list, &s->exchange.lists, compare_lists);
    s->exchange.list_count--;
    s->exchange.sent_count--; /* one that is answered was sent */
    free(list);
    send_waiting(s);
    if (hs_rep_exchange_done(s))
        hs_rep_session_dirty(s);
}

void hs_rep_exchange_init(struct rep_session *s)
{
    TAILQ_INIT(&s->exchange.waiting);
}

void hs_rep_exchange_fini(struct rep_session *s)
{
    tdestroy(s->exchange.lists, free);
    s->exchange.lists = NULL;
}

bool hs_rep_exchange_done(const struct rep_session *s)
{
    return s->exchange.root_done && s->exchange.list_count == 0;
}

bool hs_rep_exchange_open(const struct rep_session *s, const struct rep_stream *stream)
{
    const struct rep_exchange *x = &s->exchange;
    if (!x->root_done && stream->name.partition >= x->root_next)
        return true;
    if (x->list_count == 0)
        return false;
    const uint8_t *node = stream->member->node->hash;
    const struct rep_list *nodes = list_find(s, stream->name.partition, NULL);
    if (nodes != NULL && (!nodes->begun || memcmp(node, nodes->at_node, HS_NODE_HASH_BYTES) > 0))
        return true;
    const struct rep_list *streams = list_find(s, stream->name.partition, node);
    return streams != NULL && (!streams->begun || hs_stream_compare(&stream->name, &streams->at_stream) > 0);
}

void hs_rep_exchange_start(struct rep_session *s)
{
    struct writer w = {s, LEVEL_PARTITIONS, NULL, 0};
    begin_message(&w);
    put_partitions(&w);
    end_message(&w, true);
}

/* ---- level 0 ---- */

/* The peer's list has nothing between what is compared and @end: where we have something, go on. */
static void skip_partitions(struct rep_session *s, uint32_t end)
{
    const struct rep_frontier *f = &s->r->frontier;
    uint8_t hash[REP_SHORT_HASH_BYTES];
    for (size_t i = hs_rep_partition_from(f, s->exchange.root_next); i < f->count && f->partitions[i]->id < end; i++) {
        if (visible_hash(s, f->partitions[i], hash))
            list_open(s, f->partitions[i]->id, NULL);
    }
    s->exchange.root_next = end;
}

static enum hs_err take_partition(struct rep_session *s, const Hallsync__FrontierNode *entry)
{
    if (!entry->has_partition || !hs_partition_valid(entry->partition) || entry->partition < s->exchange.root_next ||
        entry->hash.len != REP_SHORT_HASH_BYTES)
        return HS_EMALFORMED;
    skip_partitions(s, entry->partition);
    struct rep_partition *partition = hs_rep_partition_find(&s->r->frontier, (hs_partition)entry->partition);
    uint8_t hash[REP_SHORT_HASH_BYTES];
    bool equal = partition != NULL && visible_hash(s, partition, hash) &&
                 memcmp(hash, entry->hash.data, REP_SHORT_HASH_BYTES) == 0;
    if (!equal)
        list_open(s, (hs_partition)entry->partition, NULL);
    s->exchange.root_next = entry->partition + 1;
    return HS_OK;
}

static enum hs_err take_partitions(struct rep_session *s, const Hallsync__PeerFrontier *message)
{
    enum hs_err err = s->exchange.root_done ? HS_EMALFORMED : HS_OK;
    for (size_t i = 0; i < message->n_entries && err == HS_OK; i++)
        err = take_partition(s, message->entries[i]);
    if (err == HS_OK && message->last) {
        skip_partitions(s, UINT32_MAX);
        s->exchange.root_done = true;
        hs_rep_session_dirty(s);
    }
    return err;
}

/* ---- level 1 ---- */

static struct hs_bytes behind_node(const struct rep_list *list)
{
    return list->begun ? HS_BYTES(list->at_node, HS_NODE_HASH_BYTES) : HS_BYTES_NONE;
}

/* Nodes of ours up to @end (NULL: all) that the peer's list has not. */
static void skip_nodes(struct rep_session *s, struct rep_list *list, const uint8_t *end)
{
    const struct rep_partition *partition = hs_rep_partition_find(&s->r->frontier, list->partition);
    if (partition == NULL)
        return;
    for (size_t i = hs_rep_member_from(partition, behind_node(list)); i < partition->count; i++) {
        const struct rep_member *member = partition->members[i];
        if (end != NULL && memcmp(member->node->hash, end, HS_NODE_HASH_BYTES) >= 0)
            return;
        if (member->held > 0 && visible(s, partition->id, member->node->hash))
            list_open(s, partition->id, member->node->hash);
    }
}

static enum hs_err take_node(struct rep_session *s, struct rep_list *list, const Hallsync__FrontierNode *entry)
{
    if (!entry->has_node || entry->node.len != HS_NODE_HASH_BYTES || entry->hash.len != REP_SHORT_HASH_BYTES ||
        (list->begun && memcmp(entry->node.data, list->at_node, HS_NODE_HASH_BYTES) <= 0))
        return HS_EMALFORMED;
    skip_nodes(s, list, entry->node.data);
    const struct rep_partition *partition = hs_rep_partition_find(&s->r->frontier, list->partition);
    struct rep_member *member = partition == NULL ? NULL : hs_rep_member_find(partition, entry->node.data);
    bool equal = member != NULL && member->held > 0 &&
                 memcmp(hs_rep_member_hash(s->r, member), entry->hash.data, REP_SHORT_HASH_BYTES) == 0;
    bool strange = member == NULL && s->exchange.list_count >= REP_STRANGE_LAGS_MAX;
    if (!equal && !strange && visible(s, list->partition, entry->node.data))
        list_open(s, list->partition, entry->node.data);
    memcpy(list->at_node, entry->node.data, HS_NODE_HASH_BYTES);
    list->begun = true;
    return HS_OK;
}

static enum hs_err take_nodes(struct rep_session *s, struct rep_list *list, const Hallsync__PeerFrontier *message)
{
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < message->n_entries && err == HS_OK; i++)
        err = take_node(s, list, message->entries[i]);
    if (err == HS_OK && message->last)
        skip_nodes(s, list, NULL);
    return err;
}

/* ---- level 2 ---- */

/* Does a head agree with what we hold?  Beyond our last number there is nothing to compare. */
static bool agrees(struct rep_session *s, const struct rep_stream *stream, uint64_t n,
                   const ProtobufCBinaryData *prefix)
{
    struct hs_hash hash = stream->hash;
    if (n == 0 || n > stream->n)
        return true;
    enum hs_err err = HS_OK;
    if (n < stream->n)
        err = s->r->source.hash_at(s->r->source.ctx, &stream->name, n, &hash);
    if (err != HS_OK && err != HS_ENOTFOUND && err != HS_EDAMAGED)
        hs_rep_fail(s->r, err);
    return err != HS_OK || hs_rep_same_hash(prefix, &hash);
}

/* PROTOCOL.md, "Forks": two hashes for one number are looked into, and nothing more is sent by number meanwhile. */
static void take_head(struct rep_session *s, const struct hs_stream *name, const Hallsync__StreamHead *head,
                      bool rewinds)
{
    struct rep_stream *stream = hs_rep_stream_find(&s->r->frontier, name);
    hs_rep_named(s, name, head->n);
    if (stream != NULL && stream->fork != NULL) {
        hs_rep_fork_named(s, stream, head);
        return;
    }
    if (stream != NULL && !agrees(s, stream, head->n, &head->hash)) {
        hs_rep_dispute_send(s, stream);
        return;
    }
    if (rewinds)
        hs_rep_lag_rewind(s, name, head->n);
    else
        hs_rep_lag_learn(s, name, head->n);
}

bool hs_rep_head_received(struct rep_session *s, const Hallsync__StreamHead *head, struct hs_stream *name)
{
    if (!hs_rep_stream_read(head->stream, name) || head->hash.len != REP_SHORT_HASH_BYTES) {
        hs_rep_session_end(s, HS_EMALFORMED, "a head that is none");
        return false;
    }
    take_head(s, name, head, false);
    return s->state == REP_LIVE;
}

/* Streams of ours up to @end (NULL: all) that the peer's list has not: it holds nothing of them. */
static void skip_streams(struct rep_session *s, const struct rep_list *list, const struct hs_stream *end)
{
    const struct rep_partition *partition = hs_rep_partition_find(&s->r->frontier, list->partition);
    const struct rep_member *member = partition == NULL ? NULL : hs_rep_member_find(partition, list->node);
    if (member == NULL)
        return;
    for (size_t i = hs_rep_stream_from(member, list->begun ? &list->at_stream : NULL); i < member->count; i++) {
        struct rep_stream *stream = member->streams[i];
        if (end != NULL && hs_stream_compare(&stream->name, end) >= 0)
            return;
        if (stream->fork != NULL)
            hs_rep_fork_named(s, stream, NULL);
        else if (stream->n > 0)
            hs_rep_lag_learn(s, &stream->name, 0);
    }
}

static enum hs_err take_stream(struct rep_session *s, struct rep_list *list, const Hallsync__FrontierNode *entry)
{
    struct hs_stream name;
    if (entry->head == NULL || !hs_rep_stream_read(entry->head->stream, &name) || name.partition != list->partition ||
        entry->head->hash.len != REP_SHORT_HASH_BYTES ||
        (list->begun && hs_stream_compare(&name, &list->at_stream) <= 0))
        return HS_EMALFORMED;
    skip_streams(s, list, &name);
    take_head(s, &name, entry->head, false);
    if (memcmp(list->node, s->node->hash, HS_NODE_HASH_BYTES) == 0)
        hs_rep_receipts_tell(s, &name);
    list->at_stream = name;
    list->begun = true;
    return HS_OK;
}

static enum hs_err take_streams(struct rep_session *s, struct rep_list *list, const Hallsync__PeerFrontier *message)
{
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < message->n_entries && err == HS_OK; i++)
        err = take_stream(s, list, message->entries[i]);
    if (err == HS_OK && message->last)
        skip_streams(s, list, NULL);
    return err;
}

/* ---- any ---- */

static enum hs_err take_list(struct rep_session *s, const Hallsync__PeerFrontier *message)
{
    bool streams = message->level == LEVEL_STREAMS;
    if (!hs_partition_valid(message->partition) || message->has_node != streams ||
        (streams && message->node.len != HS_NODE_HASH_BYTES))
        return HS_EMALFORMED;
    struct rep_list *list = list_open(s, (hs_partition)message->partition, streams ? message->node.data : NULL);
    if (list == NULL)
        return HS_OK; /* out of memory, noted */
    list_answer(s, list);
    enum hs_err err = streams ? take_streams(s, list, message) : take_nodes(s, list, message);
    if (err == HS_OK && message->last)
        list_close(s, list);
    return err;
}

static enum hs_err take_announcement(struct rep_session *s, const Hallsync__PeerFrontier *message)
{
    struct hs_stream *names = hs_arena_array(&s->r->arena, message->n_entries, sizeof *names);
    if (names == NULL)
        return HS_EMALFORMED; /* more than a message may take */
    for (size_t i = 0; i < message->n_entries; i++) {
        const Hallsync__StreamHead *head = message->entries[i]->head;
        if (head == NULL || !hs_rep_stream_read(head->stream, &names[i]) || head->hash.len != REP_SHORT_HASH_BYTES)
            return HS_EMALFORMED;
        take_head(s, &names[i], head, true);
    }
    if (!hs_rep_has_view(s))
        hs_rep_witness_announced(s, names, message->n_entries);
    return HS_OK;
}

void hs_rep_exchange_received(struct rep_session *s, const ProtobufCMessage *message)
{
    const Hallsync__PeerFrontier *frontier = (const Hallsync__PeerFrontier *)message;
    enum hs_err err = HS_EMALFORMED;
    bool announced = frontier->level == LEVEL_STREAMS && !frontier->has_partition;
    if (frontier->n_entries > HS_LIST_ITEMS_MAX || (!announced && !hs_rep_has_view(s)))
        err = HS_EMALFORMED;
    else if (frontier->level == LEVEL_PARTITIONS)
        err = take_partitions(s, frontier);
    else if (announced)
        err = take_announcement(s, frontier);
    else if (frontier->level <= LEVEL_STREAMS && frontier->has_partition)
        err = take_list(s, frontier);
    if (err != HS_OK)
        hs_rep_session_end(s, err, "a frontier list that is none");
    else
        send_waiting(s);
}
