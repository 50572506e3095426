/* Stores of hubs and witnesses that are gone.  PROTOCOL.md, "Stores that are gone":
 *
 * A receipt says what a store held when it was signed.  A store that was set back does not hold it any more, and cannot
 * know; but it can be shown its own receipts.  It goes on under another id then, all who hear of it count receipts of
 * the old one no more, and ask for those of the new one. */
#include "node/replica/core.h"

#include "proto/msg/frame.h"

#include <stdlib.h>
#include <string.h>

#define WANTED_MAX 32 /* of a question: the next one goes out when it was answered, behind what is more urgent */

/* Streams of which the peer's receipts are to be asked for, some after the others. */
struct rep_wanted {
    struct hs_stream *names;
    size_t count, room, at;
    bool is_asked; /* up to @at */
};

/* ---- what is known of them ---- */

static int compare_rows(const struct hs_peer_store *a, const struct hs_key *key, uint64_t id)
{
    int order = memcmp(a->node_key.bytes, key->bytes, HS_KEY_BYTES);
    return order != 0 ? order : a->store_id < id ? -1 : a->store_id > id;
}

static const struct hs_peer_store *find(const struct rep_stores *stores, const struct hs_key *key, uint64_t id)
{
    size_t low = 0, high = stores->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_rows(&stores->rows[middle], key, id);
        if (order == 0)
            return &stores->rows[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool is_gone(const struct rep_stores *stores, const struct hs_key *key, uint64_t id)
{
    const struct hs_peer_store *row = find(stores, key, id);
    return row != NULL && row->state == HS_PEER_STORE_GONE;
}

static enum hs_err add_row(void *ctx, const struct hs_peer_store *row)
{
    struct rep_stores *stores = ctx;
    if (stores->count == stores->room) {
        size_t room = stores->room == 0 ? 8 : 2 * stores->room;
        struct hs_peer_store *rows = realloc(stores->rows, room * sizeof *rows);
        if (rows == NULL)
            return HS_ENOMEM;
        stores->rows = rows;
        stores->room = room;
    }
    stores->rows[stores->count++] = *row;
    return HS_OK;
}

enum hs_err hs_rep_stores_load(struct hs_replica *r)
{
    if (r->certificate.role == HS_ROLE_HUB)
        r->backup_store = r->source.backup_store(r->source.ctx);
    return r->source.peer_stores(r->source.ctx, add_row, &r->stores);
}

void hs_rep_stores_fini(struct hs_replica *r)
{
    free(r->stores.rows);
    r->stores = (struct rep_stores){0};
}

/* ---- telling it ---- */

/* Hubs tell all that they know; others only what a node should know of itself: it may be an older copy. */
static bool is_to_be_told(const struct rep_session *s, const struct hs_peer_store *gone)
{
    if (gone->state != HS_PEER_STORE_GONE)
        return false;
    return s->r->certificate.role == HS_ROLE_HUB || hs_key_equal(&gone->node_key, &s->certificate.node_key);
}

/* Those that @known (NULL: nothing) does not have. */
static void send_gone(struct rep_session *s, const struct rep_stores *known)
{
    const struct rep_stores *stores = &s->r->stores;
    Hallsync__PeerStores message = HALLSYNC__PEER_STORES__INIT;
    if (stores->count == 0 || !hs_rep_takes(s, HALLSYNC__PEER_TYPE__PEER_STORES))
        return;
    hs_arena_reset(&s->r->sending);
    size_t room = stores->count < HS_LIST_ITEMS_MAX ? stores->count : HS_LIST_ITEMS_MAX;
    Hallsync__StoreGone *items = hs_arena_array(&s->r->sending, room, sizeof *items);
    message.gone = hs_arena_array(&s->r->sending, room, sizeof *message.gone);
    if (items == NULL || message.gone == NULL) {
        hs_rep_fail(s->r, HS_ENOMEM);
        return;
    }
    for (size_t i = 0; i < stores->count; i++) {
        const struct hs_peer_store *gone = &stores->rows[i];
        if (!is_to_be_told(s, gone) || (known != NULL && is_gone(known, &gone->node_key, gone->store_id)))
            continue;
        Hallsync__StoreGone *item = &items[message.n_gone];
        hallsync__store_gone__init(item);
        item->node_key = hs_rep_data(gone->node_key.bytes, HS_KEY_BYTES);
        item->store_id = gone->store_id;
        message.gone[message.n_gone++] = item;
        if (message.n_gone == room) {
            hs_rep_send(s, HALLSYNC__PEER_TYPE__PEER_STORES, &message.base);
            message.n_gone = 0;
        }
    }
    if (message.n_gone > 0)
        hs_rep_send(s, HALLSYNC__PEER_TYPE__PEER_STORES, &message.base);
}

void hs_rep_stores_send(struct rep_session *s)
{
    send_gone(s, NULL);
}

/* ---- what a peer says of its own ---- */

/* Has it others than when it was met last? */
static bool is_known(const struct rep_session *s)
{
    const struct rep_stores *stores = &s->r->stores;
    const struct hs_key *key = &s->certificate.node_key;
    const struct hs_peer_store *row = find(stores, key, s->store_id);
    bool is_same = row != NULL && !row->is_wanted &&
                   (s->backup_store == 0 || find(stores, key, s->backup_store) != NULL);
    for (size_t i = 0; i < stores->count && is_same; i++) {
        const struct hs_peer_store *other = &stores->rows[i];
        is_same = !hs_key_equal(&other->node_key, key) || other->state == HS_PEER_STORE_GONE ||
                  other->store_id == s->store_id || other->store_id == s->backup_store;
    }
    return is_same;
}

void hs_rep_stores_meet(struct rep_session *s)
{
    struct hs_replica *r = s->r;
    if (s->certificate.role == HS_ROLE_HALL || hs_key_equal(&s->certificate.node_key, &r->certificate.node_key) ||
        is_known(s))
        return;
    struct hs_replica_store *store = hs_rep_store_new(r, HS_STORE_MEET);
    if (store == NULL)
        return;
    store->met = (struct hs_met){.certificate = hs_rep_store_copy(r, store, hs_buf_bytes(&s->certificate_bytes)),
                                 .store_id = s->store_id,
                                 .backup_store = s->backup_store};
    hs_rep_store_take(s, store);
}

/* ---- asking for its receipts ---- */

void hs_rep_wanted_fini(struct rep_session *s)
{
    if (s->wanted != NULL)
        free(s->wanted->names);
    free(s->wanted);
    s->wanted = NULL;
}

uint64_t hs_rep_wanted_bytes(const struct rep_session *s)
{
    return s->wanted == NULL ? 0 : sizeof *s->wanted + s->wanted->room * sizeof *s->wanted->names;
}

static enum hs_err want(struct rep_wanted *wanted, const struct hs_stream *name)
{
    if (wanted->count == wanted->room) {
        size_t room = wanted->room == 0 ? WANTED_MAX : 2 * wanted->room;
        struct hs_stream *names = realloc(wanted->names, room * sizeof *names);
        if (names == NULL)
            return HS_ENOMEM;
        wanted->names = names;
        wanted->room = room;
    }
    wanted->names[wanted->count++] = *name;
    return HS_OK;
}

static void want_all(struct rep_session *s)
{
    struct hs_replica *r = s->r;
    const struct rep_frontier *f = &r->frontier;
    for (size_t i = 0; i < f->count; i++) {
        for (size_t k = 0; k < f->partitions[i]->count; k++) {
            const struct rep_member *member = f->partitions[i]->members[k];
            for (size_t m = 0; m < member->count && r->err == HS_OK; m++) {
                const struct rep_stream *stream = member->streams[m];
                if (stream->n > 0 && stream->fork == NULL && hs_rep_may_tell(s, stream))
                    hs_rep_fail(r, want(s->wanted, &stream->name));
            }
        }
    }
}

static void told_all(struct rep_session *s)
{
    hs_rep_wanted_fini(s);
    struct hs_replica_store *store = hs_rep_store_new(s->r, HS_STORE_TOLD);
    if (store == NULL)
        return;
    store->key = s->certificate.node_key;
    store->store_id = s->store_id;
    hs_rep_store_give(s->r, store);
}

static void ask_next(struct rep_session *s)
{
    struct rep_wanted *wanted = s->wanted;
    Hallsync__PeerStores message = HALLSYNC__PEER_STORES__INIT;
    Hallsync__StreamName names[WANTED_MAX], *list[WANTED_MAX];
    while (wanted->at < wanted->count && message.n_wanted < WANTED_MAX) {
        list[message.n_wanted] = &names[message.n_wanted];
        hs_rep_stream_write(&wanted->names[wanted->at++], &names[message.n_wanted++]);
    }
    message.wanted = list;
    wanted->is_asked = message.n_wanted > 0;
    if (wanted->is_asked)
        hs_rep_send(s, HALLSYNC__PEER_TYPE__PEER_STORES, &message.base);
    else
        told_all(s);
}

static void begin_asking(struct rep_session *s)
{
    s->wanted = calloc(1, sizeof *s->wanted);
    if (s->wanted == NULL) {
        hs_rep_fail(s->r, HS_ENOMEM);
        return;
    }
    want_all(s);
    if (s->r->err == HS_OK)
        ask_next(s);
}

/* The store says whose are to be asked for: theirs who went on as another store, and where one is gone everybody's. */
static void ask_if_wanted(struct rep_session *s)
{
    const struct hs_peer_store *row = find(&s->r->stores, &s->certificate.node_key, s->store_id);
    if (row != NULL && row->is_wanted && s->wanted == NULL && hs_rep_takes(s, HALLSYNC__PEER_TYPE__PEER_STORES))
        begin_asking(s);
}

void hs_rep_stores_committed(struct hs_replica *r)
{
    struct rep_stores known = r->stores;
    r->stores = (struct rep_stores){0};
    hs_rep_fail(r, r->source.peer_stores(r->source.ctx, add_row, &r->stores));
    for (size_t i = 0; i < r->session_count && r->err == HS_OK; i++) {
        if (r->sessions[i]->state != REP_LIVE)
            continue;
        send_gone(r->sessions[i], &known);
        ask_if_wanted(r->sessions[i]);
    }
    free(known.rows);
}

void hs_rep_stores_stored(struct hs_replica *r, const struct rep_pending *pending)
{
    struct rep_session *s = hs_rep_session_find(r, pending->peer);
    if (s != NULL && s->state == REP_LIVE)
        ask_if_wanted(s);
}

static enum hs_err tell_own(void *ctx, const struct hs_receipt *receipt)
{
    struct rep_session *s = ctx;
    if (receipt->store_id == s->r->options.store_id)
        hs_rep_receipt_put(s, receipt);
    return s->r->err;
}

static void answer(struct rep_session *s, const Hallsync__PeerStores *message)
{
    struct hs_replica *r = s->r;
    struct hs_stream name;
    Hallsync__PeerStores reply = HALLSYNC__PEER_STORES__INIT;
    for (size_t i = 0; i < message->n_wanted && r->err == HS_OK; i++) {
        if (!hs_rep_stream_read(message->wanted[i], &name)) {
            hs_rep_session_end(s, HS_EMALFORMED, "a question for receipts of no stream");
            return;
        }
        const struct rep_stream *stream = hs_rep_stream_find(&r->frontier, &name);
        if (stream == NULL || !hs_rep_may_tell(s, stream))
            continue;
        enum hs_err err = r->source.receipts(r->source.ctx, &name, tell_own, s);
        if (err != HS_OK && err != HS_ENOTFOUND)
            hs_rep_fail(r, err);
    }
    hs_rep_ack_send(s); /* ahead of the word that they were sent */
    reply.has_told = reply.told = true;
    hs_rep_send(s, HALLSYNC__PEER_TYPE__PEER_STORES, &reply.base);
}

/* ---- what a peer says of others ---- */

/* What others say of this store itself counts from a hub, or at a start at which nobody could prove that it is the
 * newest. */
static bool is_believed(const struct rep_session *s, const struct hs_key *key, uint64_t id)
{
    const struct hs_replica *r = s->r;
    bool is_this = id == r->options.store_id && hs_key_equal(key, &r->certificate.node_key);
    return s->certificate.role == HS_ROLE_HUB || (is_this && r->options.in_doubt);
}

static void store_gone(struct rep_session *s, const struct hs_key *key, uint64_t id)
{
    struct hs_replica *r = s->r;
    struct hs_replica_store *store = is_gone(&r->stores, key, id) ? NULL : hs_rep_store_new(r, HS_STORE_GONE);
    if (store == NULL)
        return;
    store->key = *key;
    store->store_id = id;
    hs_rep_store_take(s, store);
}

void hs_rep_stores_full(struct hs_replica *r, const struct rep_session *s)
{
    if (r->is_stores_full)
        return;
    r->is_stores_full = true;
    hs_rep_notice(r, HS_NOTICE_STORES_FULL, s == NULL ? 0 : s->peer, HS_ETOOBIG,
                  hs_rep_text(r,
                              "%d stores of hubs are known, and one that %s calls gone is not kept: its receipts still "
                              "count here; some hub has named far too many: find it, and revoke its key",
                              HS_PEER_STORES_MAX, s == NULL ? "a hub" : s->certificate.node_id));
}

static void take_gone(struct rep_session *s, const Hallsync__StoreGone *message)
{
    struct hs_key key;
    memcpy(key.bytes, message->node_key.data, HS_KEY_BYTES);
    if (is_believed(s, &key, message->store_id))
        store_gone(s, &key, message->store_id);
}

bool hs_rep_stores_asks(const ProtobufCMessage *message)
{
    return ((const Hallsync__PeerStores *)message)->n_wanted > 0;
}

void hs_rep_stores_received(struct rep_session *s, const ProtobufCMessage *base)
{
    const Hallsync__PeerStores *message = (const Hallsync__PeerStores *)base;
    bool is_good = message->n_gone <= HS_LIST_ITEMS_MAX && message->n_wanted <= WANTED_MAX;
    for (size_t i = 0; i < message->n_gone && is_good; i++)
        is_good = message->gone[i]->node_key.len == HS_KEY_BYTES;
    bool is_told = message->has_told && message->told;
    if (!is_good || (is_told && (s->wanted == NULL || !s->wanted->is_asked))) {
        hs_rep_session_end(s, HS_EMALFORMED, "a message about stores that is none");
        return;
    }
    for (size_t i = 0; i < message->n_gone && s->r->err == HS_OK; i++)
        take_gone(s, message->gone[i]);
    if (message->n_wanted > 0)
        answer(s, message);
    if (is_told && s->state == REP_LIVE)
        ask_next(s);
}

/* ---- shown to be an older copy ---- */

struct showing {
    struct rep_session *s;
    uint64_t n; /* it holds no more */
};

static enum hs_err show_receipt(void *ctx, const struct hs_receipt *receipt)
{
    const struct showing *showing = ctx;
    struct rep_session *s = showing->s;
    if (receipt->n > showing->n && hs_key_equal(&receipt->hub_key, &s->certificate.node_key))
        hs_rep_receipt_put(s, receipt);
    return s->r->err;
}

void hs_rep_stores_check(struct rep_session *s, const struct rep_stream *stream, uint64_t n)
{
    struct hs_replica *r = s->r;
    struct showing showing = {s, n};
    if (s->certificate.role == HS_ROLE_HALL || stream->fork != NULL || n >= stream->n || !hs_rep_may_tell(s, stream))
        return;
    struct rep_lag *lag = hs_rep_lag_find(s, &stream->name);
    if (lag != NULL && lag->shown)
        return;
    if (lag != NULL)
        lag->shown = true;
    enum hs_err err = r->source.receipts(r->source.ctx, &stream->name, show_receipt, &showing);
    if (err != HS_OK && err != HS_ENOTFOUND)
        hs_rep_fail(r, err);
}

/* Nobody else can have signed it.  In the name of another store it is of an earlier life, or of a later one: others
 * know which. */
void hs_rep_stores_own(struct rep_session *s, const struct hs_receipt *receipt)
{
    struct hs_replica *r = s->r;
    const struct rep_stream *stream = hs_rep_stream_find(&r->frontier, &receipt->stream);
    uint64_t held = stream == NULL ? 0 : stream->n;
    if (!hs_key_equal(&receipt->hub_key, &r->certificate.node_key))
        return;
    if (receipt->store_id != r->options.store_id && receipt->store_id != r->backup_store) {
        store_gone(s, &receipt->hub_key, receipt->store_id);
        return;
    }
    if (receipt->n <= held || r->is_renewing || !hs_rep_may_take(s, &receipt->stream))
        return;
    struct hs_replica_store *store = hs_rep_store_new(r, HS_STORE_RENEW);
    if (store == NULL)
        return;
    const char *why = hs_rep_text(r,
                                  "%s has this node's own receipt for number %llu of a stream that ends at %llu here",
                                  s->certificate.node_id, (unsigned long long)receipt->n, (unsigned long long)held);
    store->why = (const char *)hs_rep_store_copy(r, store, HS_BYTES(why, strlen(why) + 1)).data;
    hs_rep_notice_stream(s, HS_NOTICE_SET_BACK, &receipt->stream, HS_ERESET, why);
    if (hs_rep_store_take(s, store) != NULL)
        r->is_renewing = true;
}
