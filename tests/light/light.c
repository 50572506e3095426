#include "tests/light/light.h"

#include "proto/base/text.h"
#include "proto/msg/tlv.h"
#include "storage/model/kinds.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_OWN     4096
#define CASH_WINDOWS 13
#define DAY_MS       86400000

enum { PAYMENT_ACCOUNT = 2, PAYMENT_AMOUNT = 3, PAYMENT_METHOD = 5, PAYMENT_WINDOW = 6, PAYMENT_CLERK = 7 };
enum { ENTRY_NUMBER = 1, ENTRY_TIME, ENTRY_AMOUNT, ENTRY_FACT_KIND, ENTRY_FACT_ID, ENTRY_FACT_PARTITION };

/* ---- keys ---- */

static struct hs_hash seed_of(const struct light_region *region, const char *use, const char *name)
{
    char text[160];
    int size = snprintf(text, sizeof text, "%llu %s %s", (unsigned long long)region->seed, use, name);
    return hs_hash_domain("light node", HS_BYTES(text, size));
}

static void make_keys(const struct light_region *region, const char *name, struct hs_secret *secret, struct hs_key *key)
{
    struct hs_hash seed = seed_of(region, "keys", name);
    int failed = crypto_sign_seed_keypair(key->bytes, secret->bytes, seed.bytes);
    assert(failed == 0);
}

void light_region_make(struct light_region *region, uint64_t seed)
{
    struct hs_secret root;
    struct hs_issuer_draft draft = {"light region", "hub-a", {{0}}, 1};
    *region = (struct light_region){.seed = seed};
    make_keys(region, "root", &root, &region->root_key);
    make_keys(region, "issuer", &region->issuer, &draft.issuer_key);
    enum hs_err err = hs_issuer_sign(&draft, &root, &region->issuer_signed);
    assert(err == HS_OK);
}

void light_region_fini(struct light_region *region)
{
    hs_buf_fini(&region->issuer_signed);
}

/* ---- life ---- */

void light_node_make(struct light_node *node, const struct light_region *region, const char *id,
                     const hs_partition *districts, size_t count)
{
    struct hs_certificate *draft = &node->certificate;
    struct hs_hash curve = seed_of(region, "curve", id);
    *node = (struct light_node){.region = region, .wake_ms = UINT64_MAX};
    snprintf(draft->node_id, sizeof draft->node_id, "%s", id);
    draft->role = count == 0 ? HS_ROLE_HUB : HS_ROLE_HALL;
    draft->home = count == 0 ? 0 : districts[0];
    draft->district_count = count;
    if (count > 0)
        memcpy(draft->districts, districts, count * sizeof *districts);
    make_keys(region, id, &node->secret, &draft->node_key);
    memcpy(node->curve_secret, curve.bytes, sizeof node->curve_secret);
    int failed = crypto_scalarmult_base(draft->curve_key.bytes, node->curve_secret);
    enum hs_err err = hs_certificate_sign(draft, hs_buf_bytes(&region->issuer_signed), &region->issuer,
                                          &node->certificate_bytes);
    assert(failed == 0 && err == HS_OK);
    node->random = hs_from_be64(curve.bytes) ^ hs_from_be64(draft->node_key.bytes);
    node->store_id = light_random(node);
    node->store.keep_own = KEEP_OWN;
    hs_arena_init(&node->store.arena, 0);
    light_put_certificate(&node->store, &draft->node_key, hs_buf_bytes(&node->certificate_bytes));
}

uint64_t light_random(struct light_node *node)
{
    node->random ^= node->random << 13; /* xorshift64 */
    node->random ^= node->random >> 7;
    node->random ^= node->random << 17;
    return node->random;
}

void light_node_start(struct light_node *node, uint64_t now_ms)
{
    struct hs_replica_source source = light_source(node);
    struct hs_replica_options options = {
        .certificate = hs_buf_bytes(&node->certificate_bytes),
        .root_key = node->region->root_key,
        .store_id = node->store_id,
        .heartbeat_ms = node->heartbeat_ms,
        .software = "hallsync light",
    };
    uint64_t process = ++node->processes;
    memcpy(options.process_id, &node->store_id, sizeof node->store_id);
    memcpy(options.process_id + 8, &process, sizeof process);
    node->now_ms = now_ms;
    node->wake_ms = UINT64_MAX;
    enum hs_err err = hs_replica_new(&options, &source, &node->replica);
    assert(err == HS_OK);
}

void light_node_stop(struct light_node *node)
{
    for (size_t i = 0; i < node->waiting_count; i++)
        hs_replica_store_free(node->waiting[i]);
    node->waiting_count = 0;
    hs_replica_free(node->replica);
    node->replica = NULL;
    node->wake_ms = UINT64_MAX;
}

void light_node_fini(struct light_node *node)
{
    light_node_stop(node);
    light_store_fini(&node->store);
    hs_buf_fini(&node->certificate_bytes);
    free(node->waiting);
}

/* ---- obligations ---- */

static void keep_for_commit(struct light_node *node, struct hs_replica_store *store)
{
    if (node->waiting_count == node->waiting_room) {
        node->waiting_room = node->waiting_room == 0 ? 8 : node->waiting_room * 2;
        node->waiting = realloc(node->waiting, node->waiting_room * sizeof(struct hs_replica_store *));
        assert(node->waiting != NULL);
    }
    node->waiting[node->waiting_count++] = store;
}

/* Frames and texts are good until the next step: nobody called here may step this node. */
void light_step_only(struct light_node *node, uint64_t now_ms, struct hs_replica_event event)
{
    struct hs_replica_updates updates;
    assert(!node->stepping);
    node->stepping = true;
    node->now_ms = event.now_ms = now_ms;
    enum hs_err err = hs_replica_step(node->replica, &event, &updates);
    assert(err == HS_OK);
    node->wake_ms = updates.wake_at_ms;
    for (size_t i = 0; i < updates.count; i++) {
        const struct hs_replica_update *update = &updates.items[i];
        if (update->type == HS_REPLICA_STORE)
            keep_for_commit(node, update->store);
        else if (update->type == HS_REPLICA_SEND)
            node->door.send(node->door.ctx, node, update->peer, update->frame);
        else if (update->type == HS_REPLICA_DROP)
            node->door.drop(node->door.ctx, node, update->peer);
        else if (update->type == HS_REPLICA_NOTICE)
            node->door.notice(node->door.ctx, node, update);
    }
    node->stepping = false;
}

static enum hs_err perform(struct light_node *node, const struct hs_replica_store *todo)
{
    struct hs_opening opening;
    switch (todo->type) {
    case HS_STORE_ORIGIN:
        if (hs_opening_verify(todo->opening, &opening) != HS_OK)
            return HS_ESIGNATURE;
        light_put_origin(&node->store, opening.origin, todo->certificate, todo->opening);
        return HS_OK;
    case HS_STORE_SEGMENT:
        return light_store_receive(&node->store, &todo->segment);
    case HS_STORE_RECEIPT:
        light_put_receipt(&node->store, &todo->receipt);
        light_put_certificate(&node->store, &todo->receipt.hub_key, todo->certificate);
        if (node->door.receipt != NULL)
            node->door.receipt(node->door.ctx, node, &todo->receipt);
        return HS_OK;
    case HS_STORE_ANNOUNCED:
    case HS_STORE_MEET:       /* nobody is set back here */
    case HS_STORE_REVOCATION: /* of another: the next session tells it again */
        return HS_OK;
    default: /* forks, strikes and states: no light node makes a cause for them */
        fprintf(stderr, "%s: a store of type %d\n", node->certificate.node_id, todo->type);
        abort();
    }
}

static struct hs_receipt sign_receipt(struct light_node *node, const struct hs_head *head)
{
    struct hs_receipt receipt = {.store_id = node->store_id,
                                 .stream = head->stream,
                                 .n = head->n,
                                 .hash = head->hash,
                                 .time_ms = node->clock_ms + node->now_ms,
                                 .hub_key = node->certificate.node_key};
    struct hs_signer signer = hs_signer_of(&node->secret);
    enum hs_err err = hs_receipt_sign(&receipt, &signer);
    assert(err == HS_OK);
    light_put_receipt(&node->store, &receipt);
    return receipt;
}

struct group {
    struct hs_head *heads;
    struct hs_receipt *receipts;
    size_t count;
};

static void note_head(struct group *group, const struct hs_segment *segment)
{
    size_t at = 0;
    while (at < group->count && !hs_stream_equal(&group->heads[at].stream, &segment->stream))
        at++;
    group->heads[at] = (struct hs_head){segment->stream, segment->first + segment->count - 1, segment->end};
    if (at == group->count)
        group->count++;
}

static void tell(struct light_node *node, uint64_t token, enum hs_err err, const struct hs_commit *commit)
{
    struct hs_replica_event event = {.type = HS_REPLICA_STORED, .token = token, .err = err, .commit = commit};
    light_step_only(node, node->now_ms, event);
}

/* As the daemon tells it: the commit with its heads and receipts first, then which of the stores it held. */
void light_commit(struct light_node *node, uint64_t now_ms)
{
    struct hs_replica_store **todo = node->waiting;
    size_t count = node->waiting_count;
    if (count == 0)
        return;
    node->now_ms = now_ms;
    node->waiting = NULL;
    node->waiting_count = node->waiting_room = 0;
    struct group group = {calloc(count, sizeof *group.heads), calloc(count, sizeof *group.receipts), 0};
    enum hs_err *errs = calloc(count, sizeof *errs);
    assert(group.heads != NULL && group.receipts != NULL && errs != NULL);
    for (size_t i = 0; i < count; i++) {
        errs[i] = perform(node, todo[i]);
        if (errs[i] == HS_OK && todo[i]->type == HS_STORE_SEGMENT)
            note_head(&group, &todo[i]->segment);
    }
    struct hs_commit commit = {.position = {++node->store.commit, light_random(node)}};
    commit.heads = group.heads;
    commit.head_count = group.count;
    if (node->certificate.role == HS_ROLE_HUB) {
        for (size_t i = 0; i < group.count; i++)
            group.receipts[i] = sign_receipt(node, &group.heads[i]);
        commit.receipts = group.receipts;
        commit.receipt_count = group.count;
    }
    tell(node, 0, HS_OK, &commit);
    commit = (struct hs_commit){.position = commit.position};
    for (size_t i = 0; i < count; i++) {
        tell(node, todo[i]->token, errs[i], errs[i] == HS_OK ? &commit : NULL);
        hs_replica_store_free(todo[i]);
    }
    free(todo);
    free(group.heads);
    free(group.receipts);
    free(errs);
}

void light_step(struct light_node *node, uint64_t now_ms, struct hs_replica_event event)
{
    light_step_only(node, now_ms, event);
    while (node->waiting_count > 0)
        light_commit(node, now_ms);
}

/* ---- writing ---- */

static void open_origin(struct light_node *node)
{
    struct hs_opening opening = {light_random(node), node->certificate.node_key, 0, node->clock_ms + node->now_ms};
    struct hs_signer signer = hs_signer_of(&node->secret);
    struct hs_buf encoded = {0};
    enum hs_err err = hs_opening_sign(&opening, &signer, &encoded);
    assert(err == HS_OK);
    light_put_origin(&node->store, opening.origin, hs_buf_bytes(&node->certificate_bytes), hs_buf_bytes(&encoded));
    node->store.current = opening.origin;
    hs_buf_fini(&encoded);
}

static void put_payment(struct light_node *node, int64_t amount_fen, struct hs_buf *to)
{
    char account[HS_ACCOUNT_DIGITS + 8];
    snprintf(account, sizeof account, "%04u%06u", (unsigned)node->certificate.home,
             (unsigned)(light_random(node) % 1000000));
    hs_tlv_put_text(to, PAYMENT_ACCOUNT, account);
    hs_tlv_put_u64(to, PAYMENT_AMOUNT, (uint64_t)amount_fen);
    hs_tlv_put_text(to, PAYMENT_METHOD, "cash");
    hs_tlv_put_u64(to, PAYMENT_WINDOW, node->payments % CASH_WINDOWS + 1);
    hs_tlv_put_text(to, PAYMENT_CLERK, "c01");
}

static void put_entry(const struct light_node *node, const char *number, int64_t amount_fen, struct hs_bytes id,
                      struct hs_buf *to)
{
    hs_tlv_put_text(to, ENTRY_NUMBER, number);
    hs_tlv_put_u64(to, ENTRY_TIME, node->clock_ms + node->now_ms);
    hs_tlv_put_s64(to, ENTRY_AMOUNT, amount_fen);
    hs_tlv_put_u64(to, ENTRY_FACT_KIND, HS_KIND_PAYMENT);
    hs_tlv_put_bytes(to, ENTRY_FACT_ID, id);
    hs_tlv_put_u64(to, ENTRY_FACT_PARTITION, node->certificate.home);
}

static void put_op(struct light_node *node, struct hs_buf *to)
{
    int64_t amount_fen = (int64_t)(1000 + light_random(node) % 20000);
    uint64_t parts[2] = {light_random(node), light_random(node)};
    struct hs_bytes id = HS_BYTES(parts, sizeof parts);
    char number[96];
    snprintf(number, sizeof number, "%s-20261122-%02u-K7Q2ZD-%06llu", node->certificate.node_id,
             (unsigned)(node->payments % CASH_WINDOWS + 1), (unsigned long long)++node->receipt_numbers);
    struct hs_buf payment = {0}, entry = {0};
    put_payment(node, amount_fen, &payment);
    put_entry(node, number, amount_fen, id, &entry);
    struct hs_write writes[] = {
        {.kind = HS_KIND_PAYMENT, .id = id, .is_fact = true, .fact = hs_buf_bytes(&payment)},
        {.kind = HS_KIND_CASH_ENTRY,
         .id = HS_BYTES(number, strlen(number)),
         .is_fact = true,
         .fact = hs_buf_bytes(&entry)},
    };
    node->stamp = hs_stamp_next(node->stamp, 0, node->clock_ms + node->now_ms);
    struct hs_op op = {.stamp = node->stamp, .writes = writes, .write_count = 2};
    hs_op_encode(&op, to);
    node->payments++;
    node->payments_fen += amount_fen;
    hs_buf_fini(&payment);
    hs_buf_fini(&entry);
}

struct hs_head light_pay(struct light_node *node, uint64_t now_ms, size_t count)
{
    struct hs_buf op = {0};
    struct hs_signature signature;
    struct hs_signer signer = hs_signer_of(&node->secret);
    node->now_ms = now_ms;
    if (node->store.current == 0)
        open_origin(node);
    struct hs_stream name = {node->store.current, node->certificate.home, HS_LANE_MONEY};
    struct light_stream *stream = light_stream_get(&node->store, &name);
    for (size_t i = 0; i < count; i++) {
        hs_buf_reset(&op);
        put_op(node, &op);
        light_stream_append(&node->store, stream, hs_buf_bytes(&op));
    }
    enum hs_err err = hs_checkpoint_sign(&name, stream->n, &stream->hash, &signer, &signature);
    assert(err == HS_OK && op.err == HS_OK);
    light_stream_check(&node->store, stream, &signature);
    hs_buf_fini(&op);
    struct hs_head head = {name, stream->n, stream->hash};
    struct hs_commit commit = {
        {++node->store.commit, light_random(node)}, &head, 1, NULL, 0, false, false, false, NULL};
    if (node->replica != NULL)
        light_step(node, now_ms, (struct hs_replica_event){.type = HS_REPLICA_STORED, .err = HS_OK, .commit = &commit});
    return head;
}
