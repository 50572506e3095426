/* The world: nodes that run, links and time. */
#include "tests/lib/replica_world.h"

#include "tests/lib/replica_world_source.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTLE_MAX 2000000

/* ---- the world ---- */

uint64_t world_random(struct world *w)
{
    w->random ^= w->random << 13; /* xorshift64 */
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return w->random;
}

struct world *world_new(uint64_t seed)
{
    struct world *w = calloc(1, sizeof *w);
    assert(w != NULL);
    w->seed = seed;
    w->random = seed * 0x9e3779b97f4a7c15ULL + 0x1234567;
    w->now_ms = 1000;
    world_keys("root", &w->root, &w->root_key);
    world_keys("issuer", &w->issuer, &w->issuer_key);
    return w;
}

/* ---- a node ---- */

struct world_link *world_link_of(struct world_node *node, hs_peer peer, int *end)
{
    struct world *w = node->world;
    for (size_t i = 0; i < w->link_count; i++) {
        for (*end = 0; *end < 2; ++*end) {
            if (w->links[i].end[*end] == node && w->links[i].peer[*end] == peer)
                return &w->links[i];
        }
    }
    return NULL;
}

void world_push(struct world_link *link, int to, struct hs_bytes bytes)
{
    const struct world *w = link->end[to]->world;
    struct world_frame *frame = calloc(1, sizeof *frame);
    assert(frame != NULL);
    uint64_t begins_ms = link->busy_ms[to] > w->now_ms ? link->busy_ms[to] : w->now_ms;
    uint64_t takes_ms = w->line_bytes_per_s == 0 ? 0 : bytes.size * 1000 / w->line_bytes_per_s;
    link->busy_ms[to] = begins_ms + takes_ms;
    frame->due_ms = link->busy_ms[to] + w->latency_ms;
    hs_buf_put_bytes(&frame->bytes, bytes);
    struct world_frame **at = &link->frames[to];
    while (*at != NULL)
        at = &(*at)->next;
    *at = frame;
}

static void take_send(struct world_node *node, const struct hs_replica_update *update)
{
    int end;
    struct world_link *link = world_link_of(node, update->peer, &end);
    assert(link != NULL);
    assert(update->frame.size <= HS_MESSAGE_BYTES_MAX);
    if (node->world->sent != NULL)
        node->world->sent(node->world, link, 1 - end, update->frame);
    if (link->up[1 - end])
        world_push(link, 1 - end, update->frame);
}

static void take_drop(struct world_node *node, const struct hs_replica_update *update)
{
    int end;
    struct world_link *link = world_link_of(node, update->peer, &end);
    assert(link != NULL);
    link->up[end] = false;
    link->down_ms[end] = node->world->now_ms;
    while (world_lose(link, end))
        ;
}

static void take_notice(struct world_node *node, const struct hs_replica_update *update)
{
    assert(node->notice_count < WORLD_NOTICES_MAX);
    struct world_notice *notice = &node->notices[node->notice_count++];
    *notice = (struct world_notice){update->notice, update->peer, update->err,    update->token,
                                    update->stream, "",           HS_REASON_NONE, ""};
    snprintf(notice->text, sizeof notice->text, "%s", update->text == NULL ? "" : update->text);
    bool ended = update->notice == HS_NOTICE_REFUSED || update->notice == HS_NOTICE_ENDED;
    assert(ended == (update->reason != HS_REASON_NONE));
    notice->reason = update->reason;
    snprintf(notice->node_id, sizeof notice->node_id, "%s", update->node_id == NULL ? "" : update->node_id);
}

static void take_store(struct world_node *node, struct hs_replica_store *store)
{
    node->stores = realloc(node->stores, (node->store_count + 1) * sizeof(struct hs_replica_store *));
    assert(node->stores != NULL);
    if (node->store_count == 0)
        node->asked_ms = node->world->now_ms;
    node->stores[node->store_count++] = store;
}

void world_step(struct world_node *node, struct hs_replica_event event)
{
    struct hs_replica_updates updates;
    if (node->replica == NULL)
        return;
    event.now_ms = node->world->now_ms;
    enum hs_err err = hs_replica_step(node->replica, &event, &updates);
    assert(err == HS_OK);
    node->wake_ms = updates.wake_at_ms;
    for (size_t i = 0; i < updates.count; i++) {
        const struct hs_replica_update *update = &updates.items[i];
        if (node->world->watch != NULL)
            node->world->watch->wants(node->world->watch->ctx, node, update);
        if (update->type == HS_REPLICA_STORE)
            take_store(node, update->store);
        else if (update->type == HS_REPLICA_SEND)
            take_send(node, update);
        else if (update->type == HS_REPLICA_DROP)
            take_drop(node, update);
        else if (update->type == HS_REPLICA_ANSWER)
            node->answered(node, update);
        else
            take_notice(node, update);
    }
}

enum hs_err world_try_start(struct world_node *node)
{
    assert(node->replica == NULL);
    world_have_met(node);
    struct hs_replica_options options = {
        .certificate = hs_buf_bytes(&node->certificate_bytes),
        .root_key = node->world->root_key,
        .store_id = node->store_id,
        .credit_bytes = node->credit_bytes,
        .software = "world 1",
        .districts = node->districts,
        .district_count = node->district_count,
        .in_doubt = node->in_doubt,
        .admit_after_ms = node->admit_after_ms,
    };
    hs_be64(options.process_id, ++node->processes);
    struct hs_replica_source source = world_source(node);
    options.rebuilding_until_ms = node->rebuilding_ms == 0 ? 0 : node->world->now_ms + node->rebuilding_ms;
    return hs_replica_new(&options, &source, &node->replica);
}

void world_start(struct world_node *node)
{
    enum hs_err err = world_try_start(node);
    assert(err == HS_OK);
}

void world_stop(struct world_node *node)
{
    struct world *w = node->world;
    for (size_t i = 0; i < w->link_count; i++) {
        for (int end = 0; end < 2; end++) {
            if (w->links[i].end[end] != node)
                continue;
            w->links[i].up[end] = false;
            while (world_lose(&w->links[i], end))
                ;
        }
    }
    for (size_t i = 0; i < node->store_count; i++)
        hs_replica_store_free(node->stores[i]);
    node->store_count = 0;
    node->wake_ms = UINT64_MAX;
    hs_replica_free(node->replica);
    node->replica = NULL;
}

void world_lose_disk(struct world_node *node)
{
    uint64_t commit = node->store.commit;
    world_stop(node);
    world_store_fini(&node->store);
    node->store.commit = commit;
    node->store_id = world_random(node->world);
    world_store_put_certificate(&node->store, &node->certificate.node_key, hs_buf_bytes(&node->certificate_bytes));
}

void world_free(struct world *w)
{
    hs_buf_fini(&w->issuer_signed);
    for (size_t i = 0; i < w->node_count; i++) {
        struct world_node *node = w->nodes[i];
        world_stop(node);
        world_node_fini(node);
    }
    for (size_t i = 0; i < w->link_count; i++) {
        for (int to = 0; to < 2; to++) {
            while (world_lose(&w->links[i], to))
                ;
        }
    }
    for (size_t i = 0; i < w->node_count; i++)
        free(w->nodes[i]);
    free(w);
}

/* ---- links ---- */

static struct world_link *dial(struct world_node *from, struct world_node *to, const struct hs_key *key)
{
    struct world *w = from->world;
    assert(w->link_count < WORLD_LINKS_MAX);
    struct world_link *link = &w->links[w->link_count++];
    *link = (struct world_link){
        .end = {from, to}, .peer = {++w->next_peer, 0}, .up = {true, true}, .is_unmet = true, .key = *key};
    link->peer[1] = ++w->next_peer;
    struct hs_replica_event up = {.type = HS_REPLICA_PEER_UP, .outbound = true};
    up.peer = link->peer[0];
    up.curve_key = to->certificate.curve_key;
    world_step(from, up);
    return link;
}

static void meet(struct world_link *link)
{
    if (!link->is_unmet)
        return;
    link->is_unmet = false;
    world_step(link->end[1],
               (struct hs_replica_event){.type = HS_REPLICA_PEER_UP, .peer = link->peer[1], .curve_key = link->key});
}

struct world_link *world_dial_as(struct world_node *from, struct world_node *to, const struct hs_key *key)
{
    struct world_link *link = dial(from, to, key);
    meet(link);
    return link;
}

struct world_link *world_call(struct world_node *from, struct world_node *to)
{
    return dial(from, to, &from->certificate.curve_key);
}

struct world_link *world_dial(struct world_node *from, struct world_node *to)
{
    return world_dial_as(from, to, &from->certificate.curve_key);
}

static void hang_up(struct world_link *link, int end)
{
    if (!link->up[end])
        return;
    link->up[end] = false;
    link->down_ms[end] = link->end[end]->world->now_ms;
    world_step(link->end[end], (struct hs_replica_event){.type = HS_REPLICA_PEER_DOWN, .peer = link->peer[end]});
}

void world_cut(struct world_link *link)
{
    for (int to = 0; to < 2; to++) {
        while (world_lose(link, to))
            ;
    }
    hang_up(link, 0);
    hang_up(link, 1);
}

void world_hand(struct world_node *node, hs_peer peer, struct hs_bytes frame)
{
    if (node->world->watch != NULL)
        node->world->watch->received(node->world->watch->ctx, node, peer, frame);
    world_step(node, (struct hs_replica_event){.type = HS_REPLICA_RECEIVED, .peer = peer, .frame = frame});
}

bool world_deliver(struct world_link *link, int to)
{
    struct world_frame *frame = link->frames[to];
    if (!link->up[to])
        return false;
    if (frame == NULL) {
        bool gone = !link->up[1 - to];
        if (gone)
            hang_up(link, to);
        return gone;
    }
    link->frames[to] = frame->next;
    if (to == 1)
        meet(link);
    world_hand(link->end[to], link->peer[to], hs_buf_bytes(&frame->bytes));
    hs_buf_fini(&frame->bytes);
    free(frame);
    return true;
}

bool world_lose(struct world_link *link, int to)
{
    struct world_frame *frame = link->frames[to];
    if (frame == NULL)
        return false;
    link->frames[to] = frame->next;
    link->lost[to]++;
    hs_buf_fini(&frame->bytes);
    free(frame);
    return true;
}

bool world_double(struct world_link *link, int to)
{
    struct world_frame *frame = link->frames[to];
    if (frame == NULL)
        return false;
    struct world_frame *twin = calloc(1, sizeof *twin);
    assert(twin != NULL);
    hs_buf_put_bytes(&twin->bytes, hs_buf_bytes(&frame->bytes));
    twin->next = frame->next;
    frame->next = twin;
    return true;
}

bool world_swap(struct world_link *link, int to)
{
    struct world_frame *first = link->frames[to];
    if (first == NULL || first->next == NULL)
        return false;
    struct world_frame *second = first->next;
    first->next = second->next;
    second->next = first;
    link->frames[to] = second;
    return true;
}

bool world_flip(struct world_link *link, int to)
{
    struct world_frame *frame = link->frames[to];
    if (frame == NULL)
        return false;
    uint64_t bit = world_random(link->end[to]->world) % (frame->bytes.size * 8);
    frame->bytes.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    return true;
}

size_t world_waiting(const struct world_link *link, int to)
{
    size_t count = 0;
    for (const struct world_frame *frame = link->frames[to]; frame != NULL; frame = frame->next)
        count++;
    return count;
}

bool world_live(const struct world_link *link)
{
    for (int end = 0; end < 2; end++) {
        struct hs_peer_status status;
        if (!world_status(link->end[end], link->peer[end], &status) || !status.live)
            return false;
    }
    return true;
}

/* ---- writing ---- */

static void told(struct world_node *node, uint64_t token, enum hs_err err, const struct hs_commit *commit)
{
    struct hs_replica_event event = {.type = HS_REPLICA_STORED, .token = token, .err = err, .commit = commit};
    world_step(node, event);
}

static enum hs_err world_heal(struct world_node *node, const struct hs_segment *segment)
{
    if (segment->first != node->rotten.first || !hs_stream_equal(&node->rotten.stream, &segment->stream))
        return HS_EGAP;
    node->rotten.first += segment->count;
    if (node->rotten.first > node->rotten.last)
        node->rotten = (struct hs_healed){.last = 0};
    return HS_OK;
}

static enum hs_err perform(struct world_node *node, const struct hs_replica_store *todo)
{
    struct world_store *store = &node->store;
    struct hs_opening opening;
    uint64_t limit;
    bool is_new;
    switch (todo->type) {
    case HS_STORE_ORIGIN:
        if (hs_opening_verify(todo->opening, &opening) != HS_OK)
            return HS_ESIGNATURE;
        world_store_put_origin(store, opening.origin, todo->certificate, todo->opening);
        return HS_OK;
    case HS_STORE_SEGMENT:
        if (world_limit(node, &todo->segment.stream, &limit) == HS_OK &&
            todo->segment.first + todo->segment.count - 1 > limit)
            return HS_EREVOKED;
        return world_store_receive(store, &todo->segment);
    case HS_STORE_REVOCATION:
    case HS_STORE_RELEASE:
        return world_store_put_trust(store, &node->world->root_key, todo->type == HS_STORE_RELEASE, todo->row, &is_new);
    case HS_STORE_RECEIPT:
        world_store_put_receipt(store, &todo->receipt);
        world_store_put_certificate(store, &todo->receipt.hub_key, todo->certificate);
        world_settle_receipt(node, &todo->receipt);
        return HS_OK;
    case HS_STORE_STRIKE:
        store->current = 0;
        return HS_OK;
    case HS_STORE_FORK:
        if (world_store_origin(store, todo->stream.origin) == NULL)
            return HS_ECERT; /* as the store does: nobody could say at the next start what it proves */
        world_store_put_fork(store, &todo->stream, todo->n, todo->proof);
        return HS_OK;
    case HS_STORE_ROT:
        world_note_rot(node, todo);
        return HS_OK;
    case HS_STORE_HEAL:
        return world_heal(node, &todo->segment);
    case HS_STORE_BASE:
        return world_store_put_base(store, &todo->head);
    case HS_STORE_CERTIFICATE:
        world_store_put_certificate(store, &node->certificate.node_key, todo->certificate);
        return HS_OK;
    case HS_STORE_LOOSE:
        if (!world_store_forked(store, &todo->stream))
            return HS_EINVAL;
        world_store_put_loose(store, &todo->loose);
        return HS_OK;
    case HS_STORE_FILL:
        world_store_fill_begin(store, todo->partition, todo->lane);
        return HS_OK;
    case HS_STORE_NOTE:
        world_store_fill_note(store, &todo->note);
        return HS_OK;
    case HS_STORE_STATES:
        return world_store_fill_states(store, &todo->states);
    case HS_STORE_FILLED: /* by who notes the heads */
    case HS_STORE_ANNOUNCED:
    case HS_STORE_MEET: /* by perform_of_stores() */
    case HS_STORE_GONE:
    case HS_STORE_TOLD:
    case HS_STORE_RENEW:
        return HS_OK;
    }
    return HS_EINTERNAL;
}

static void perform_of_stores(struct world_node *node, const struct hs_replica_store *todo, bool *is_new)
{
    if (todo->type == HS_STORE_MEET)
        world_store_meet(node, &todo->met, is_new);
    else if (todo->type == HS_STORE_GONE)
        world_store_gone(node, &todo->key, todo->store_id, is_new);
    else if (todo->type == HS_STORE_TOLD)
        world_store_told(&node->store, &todo->key, todo->store_id, is_new);
    else if (todo->type == HS_STORE_RENEW)
        node->renews = true;
}

struct hs_receipt world_sign_receipt(struct world_node *node, const struct hs_head *head)
{
    struct hs_receipt receipt = {.store_id = node->store_id,
                                 .stream = head->stream,
                                 .n = head->n,
                                 .hash = head->hash,
                                 .time_ms = node->world->now_ms,
                                 .hub_key = node->certificate.node_key};
    struct hs_signer signer = hs_signer_of(&node->secret);
    enum hs_err err = hs_receipt_sign(&receipt, &signer);
    assert(err == HS_OK);
    world_store_put_receipt(&node->store, &receipt);
    return receipt;
}

/* What a commit made: heads of the streams that grew, and receipts for them. */
struct making {
    struct world_node *node;
    struct hs_head *heads;
    struct hs_receipt *receipts;
    size_t count;
};

static void note_head(void *ctx, const struct hs_head *head)
{
    struct making *made = ctx;
    size_t at = 0;
    while (at < made->count && !hs_stream_equal(&made->heads[at].stream, &head->stream))
        at++;
    if (at == made->count) {
        made->count++;
        made->heads = realloc(made->heads, made->count * sizeof *made->heads);
        made->receipts = realloc(made->receipts, made->count * sizeof *made->receipts);
        assert(made->heads != NULL && made->receipts != NULL);
    }
    made->heads[at] = *head;
    if (made->node->certificate.role != HS_ROLE_HALL)
        made->receipts[at] = world_sign_receipt(made->node, head);
}

static void note_made(struct making *made, const struct hs_replica_store *todo)
{
    struct hs_head head = {todo->segment.stream, todo->segment.first + todo->segment.count - 1, todo->segment.end};
    if (todo->type == HS_STORE_BASE)
        head = (struct hs_head){todo->head.stream, todo->head.n, todo->head.hash};
    if (todo->type == HS_STORE_SEGMENT || todo->type == HS_STORE_BASE)
        note_head(made, &head);
    else if (todo->type == HS_STORE_FILLED)
        world_store_fill_end(&made->node->store, todo->partition, todo->lane, note_head, made);
}

bool world_store_next(struct world_node *node, size_t count)
{
    if (node->store_count == 0 || count == 0)
        return false;
    count = count < node->store_count ? count : node->store_count;
    struct hs_replica_store **todo = node->stores;
    size_t left = node->store_count - count;
    node->stores = calloc(left + 1, sizeof(struct hs_replica_store *));
    struct making made = {.node = node};
    enum hs_err *errs = calloc(count, sizeof *errs);
    assert(node->stores != NULL && errs != NULL);
    memcpy(node->stores, todo + count, left * sizeof(struct hs_replica_store *));
    node->store_count = left;
    node->asked_ms = node->world->now_ms; /* of what is left */
    struct hs_commit commit = {0};
    commit.position = (struct hs_position){++node->store.commit, world_random(node->world)};
    for (size_t i = 0; i < count; i++) {
        errs[i] = node->store_fails != HS_OK ? node->store_fails : perform(node, todo[i]);
        if (node->world->watch != NULL)
            node->world->watch->stored(node->world->watch->ctx, node, todo[i], errs[i]);
        if (errs[i] == HS_OK)
            note_made(&made, todo[i]);
        if (errs[i] == HS_OK)
            perform_of_stores(node, todo[i], &commit.stores);
        commit.is_revoking |= todo[i]->type == HS_STORE_REVOCATION || todo[i]->type == HS_STORE_RELEASE;
    }
    bool any = false;
    for (size_t i = 0; i < count; i++)
        any |= errs[i] == HS_OK;
    node->store.commit -= !any; /* a group that fails is no commit */
    world_store_settle_money(&node->store);
    commit.heads = made.heads;
    commit.receipts = made.receipts;
    commit.head_count = made.count;
    commit.receipt_count = node->certificate.role != HS_ROLE_HALL ? made.count : 0;
    for (size_t i = 0; i < count; i++) {
        told(node, todo[i]->token, errs[i], errs[i] == HS_OK ? &commit : NULL);
        hs_replica_store_free(todo[i]);
    }
    free(todo);
    free(made.heads);
    free(made.receipts);
    free(errs);
    return true;
}

static void open_origin(struct world_node *node)
{
    struct hs_opening opening = {world_random(node->world), node->certificate.node_key, 0, node->world->now_ms};
    struct hs_signer signer = hs_signer_of(&node->secret);
    struct hs_buf encoded = {0};
    enum hs_err err = hs_opening_sign(&opening, &signer, &encoded);
    assert(err == HS_OK);
    world_store_put_origin(&node->store, opening.origin, hs_buf_bytes(&node->certificate_bytes),
                           hs_buf_bytes(&encoded));
    node->store.current = opening.origin;
    hs_buf_fini(&encoded);
}

static struct hs_head check_stream(struct world_node *node, struct world_stream *stream)
{
    struct hs_head head = {stream->name, stream->count, stream->ops[stream->count - 1].hash};
    struct hs_signer signer = hs_signer_of(&node->secret);
    struct hs_signature signature;
    enum hs_err err = hs_checkpoint_sign(&head.stream, head.n, &head.hash, &signer, &signature);
    assert(err == HS_OK);
    world_stream_check(stream, &signature);
    return head;
}

static struct hs_head write_op(struct world_node *node, hs_partition partition, enum hs_lane lane, struct hs_bytes op)
{
    if (node->store.current == 0)
        open_origin(node);
    struct hs_stream name = {node->store.current, partition, (uint8_t)lane};
    struct world_stream *stream = world_store_stream(&node->store, &name);
    world_stream_append(stream, op);
    struct hs_head head = check_stream(node, stream);
    node->store.commit++;
    world_store_settle_money(&node->store);
    if (node->world->watch != NULL)
        node->world->watch->wrote(node->world->watch->ctx, node, &head);
    return head;
}

struct hs_stream world_write(struct world_node *node, hs_partition partition, enum hs_lane lane, const void *data,
                             size_t size)
{
    struct hs_head head = write_op(node, partition, lane, HS_BYTES(data, size));
    struct hs_commit commit = {
        {node->store.commit, world_random(node->world)}, &head, 1, NULL, 0, false, false, false, NULL};
    told(node, 0, HS_OK, &commit);
    return head.stream;
}

struct hs_stream world_write_many(struct world_node *node, hs_partition partition, enum hs_lane lane, size_t count,
                                  size_t size)
{
    uint8_t op[512];
    assert(size <= sizeof op && count > 0);
    if (node->store.current == 0)
        open_origin(node);
    struct hs_stream name = {node->store.current, partition, (uint8_t)lane};
    struct world_stream *stream = world_store_stream(&node->store, &name);
    struct hs_head head = {0};
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < size; k++)
            op[k] = (uint8_t)world_random(node->world);
        world_stream_append(stream, HS_BYTES(op, size));
        if (i + 1 == count || (i + 1) % (HS_SEGMENT_BYTES_SOFT / 512) == 0)
            head = check_stream(node, stream);
    }
    struct hs_commit commit = {
        {++node->store.commit, world_random(node->world)}, &head, 1, NULL, 0, false, false, false, NULL};
    told(node, 0, HS_OK, &commit);
    return name;
}

struct hs_stream world_write_text(struct world_node *node, hs_partition partition, enum hs_lane lane, const char *text)
{
    return world_write(node, partition, lane, text, strlen(text));
}

void world_tell_trust(struct world_node *node)
{
    struct hs_commit commit = {.position = {++node->store.commit, world_random(node->world)}, .is_revoking = true};
    if (node->replica != NULL)
        told(node, 0, HS_OK, &commit);
}

void world_write_untold(struct world_node *node, hs_partition partition, enum hs_lane lane, const char *text)
{
    write_op(node, partition, lane, HS_BYTES(text, strlen(text)));
}

void world_tell(struct world_node *node, const struct hs_stream *name)
{
    const struct world_stream *stream = world_store_find(&node->store, name);
    struct hs_head head = {*name, stream->count, stream->ops[stream->count - 1].hash};
    struct hs_commit commit = {
        {node->store.commit, world_random(node->world)}, &head, 1, NULL, 0, false, false, false, NULL};
    told(node, 0, HS_OK, &commit);
}

void world_import(struct world_node *to, const struct world_node *from, const struct hs_stream *name)
{
    const struct world_origin *origin = world_store_origin(&from->store, name->origin);
    const struct world_stream *held = world_store_find(&from->store, name);
    assert(origin != NULL && held != NULL);
    world_store_put_origin(&to->store, name->origin, hs_buf_bytes(&origin->certificate),
                           hs_buf_bytes(&origin->opening));
    struct world_stream *stream = world_store_stream(&to->store, name);
    while (stream->count < held->count)
        world_stream_append(stream, hs_buf_bytes(&held->ops[stream->count].bytes));
    world_stream_check(stream, &held->checkpoints[held->checkpoint_count - 1].signature);
    struct hs_head head = {*name, stream->count, stream->ops[stream->count - 1].hash};
    struct hs_commit commit = {
        {++to->store.commit, world_random(to->world)}, &head, 1, NULL, 0, false, false, false, NULL};
    told(to, 0, HS_OK, &commit);
}

void world_tick(struct world_node *node)
{
    world_step(node, (struct hs_replica_event){.type = HS_REPLICA_TICK});
}

/* ---- going on ---- */

static bool move_once(struct world *w)
{
    bool moved = false;
    for (size_t i = 0; i < w->link_count; i++) {
        moved |= world_deliver(&w->links[i], 0);
        moved |= world_deliver(&w->links[i], 1);
    }
    for (size_t i = 0; i < w->node_count; i++)
        moved |= !w->nodes[i]->disk_waits && world_store_next(w->nodes[i], 8);
    return moved;
}

void world_settle(struct world *w)
{
    size_t moves = 0;
    while (move_once(w))
        assert(++moves < SETTLE_MAX);
}

void world_advance(struct world *w, uint64_t ms)
{
    uint64_t end = w->now_ms + ms;
    world_settle(w);
    while (w->now_ms < end) {
        uint64_t next = end;
        for (size_t i = 0; i < w->node_count; i++)
            next = w->nodes[i]->wake_ms < next ? w->nodes[i]->wake_ms : next;
        w->now_ms = next > w->now_ms ? next : w->now_ms + 1;
        for (size_t i = 0; i < w->node_count; i++) {
            if (w->nodes[i]->wake_ms <= w->now_ms)
                world_tick(w->nodes[i]);
        }
        world_settle(w);
    }
}

/* ---- looking ---- */

size_t world_notices(const struct world_node *node, enum hs_replica_notice type)
{
    size_t count = 0;
    for (size_t i = 0; i < node->notice_count; i++)
        count += node->notices[i].type == type;
    return count;
}

const struct world_notice *world_last_notice(const struct world_node *node, enum hs_replica_notice type)
{
    for (size_t i = node->notice_count; i > 0; i--) {
        if (node->notices[i - 1].type == type)
            return &node->notices[i - 1];
    }
    return NULL;
}

bool world_status(const struct world_node *node, hs_peer peer, struct hs_peer_status *status)
{
    struct hs_peer_status all[WORLD_SESSIONS_MAX];
    size_t count = node->replica == NULL ? 0 : hs_replica_peers(node->replica, all, WORLD_SESSIONS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (all[i].peer != peer)
            continue;
        *status = all[i];
        return true;
    }
    return false;
}
