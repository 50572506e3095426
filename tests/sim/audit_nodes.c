/* audit_nodes.c -- nodes asked over their own local API: digests, as each one's operations make them, and equal ones of
 * all that hold the same. */
#include "tests/sim/audit_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES_MAX         8 /* an answer counts only if nothing came in between */
#define SESSION_BYTES_MAX ((uint64_t)300 << 10)

Hallsync__Reply *audit_ask(struct auditor *auditor, struct audit_machine *machine, Hallsync__Request *request)
{
    static uint8_t id[HS_REQUEST_ID_BYTES] = "auditor asks    ";
    struct hs_buf packed = {0}, answer = {0};
    Hallsync__Reply *reply = NULL;
    request->version = 1;
    request->id = (ProtobufCBinaryData){.len = sizeof id, .data = id};
    uint8_t *at = hs_buf_extend(&packed, protobuf_c_message_get_packed_size(&request->base));
    if (at == NULL)
        abort();
    protobuf_c_message_pack(&request->base, at);
    if (sim_ask_now(machine->sim, hs_buf_bytes(&packed), &answer))
        reply = hallsync__reply__unpack(NULL, answer.size, answer.data);
    hs_buf_fini(&packed);
    hs_buf_fini(&answer);
    if (reply != NULL && reply->error != NULL) {
        if (strcmp(reply->error, "damaged") == 0 && !machine->damaged)
            audit_fail(auditor, AUDIT_DAMAGE, "%s says that it is damaged: %s", machine->sim->name,
                       reply->text != NULL ? reply->text : "");
        if (strcmp(reply->error, "internal") == 0)
            audit_fail(auditor, AUDIT_STATE, "%s: %s", machine->sim->name, reply->text != NULL ? reply->text : "");
    }
    if (machine->sim->daemon != NULL)
        audit_follow(auditor, machine);
    return reply;
}

/* ---- digests ---- */

struct sum {
    uint64_t count;
    struct hs_hash hash;
};

static void add_hash(struct hs_hash *sum, const struct hs_hash *hash) /* modulo 2^256, little-endian */
{
    unsigned carry = 0;
    for (size_t i = 0; i < sizeof sum->bytes; i++) {
        carry += (unsigned)sum->bytes[i] + hash->bytes[i];
        sum->bytes[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

/* partition, kind -> struct sum */
static void reckon(struct auditor *auditor, const struct audit_machine *machine, struct audit_map *sums)
{
    for (size_t i = 0; i < auditor->records.count; i++) {
        const struct audit_record *record = auditor->records.entries[i].value;
        uint8_t key[4];
        if (!audit_holds(machine, record->partition) || !audit_present(record, machine->bit) ||
            audit_is_blurred(machine, record->partition, record->lane))
            continue;
        hs_be16(key, record->partition);
        hs_be16(key + 2, record->kind);
        struct sum **sum = (struct sum **)audit_map_at(sums, HS_BYTES(key, sizeof key));
        if (*sum == NULL)
            *sum = calloc(1, sizeof **sum);
        if (*sum == NULL)
            abort();
        struct hs_hash hash = audit_record_hash(record, machine->bit);
        add_hash(&(*sum)->hash, &hash);
        (*sum)->count++;
    }
}

static void free_sums(struct audit_map *sums)
{
    for (size_t i = 0; i < sums->count; i++)
        free(sums->entries[i].value);
    audit_map_fini(sums);
}

static Hallsync__Reply *ask_digests(struct auditor *auditor, struct audit_machine *machine)
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    Hallsync__DigestRequest body = HALLSYNC__DIGEST_REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_DIGEST;
    request.digest = &body;
    for (unsigned i = 0; i < TRIES_MAX; i++) {
        uint64_t gained = machine->gained;
        Hallsync__Reply *reply = audit_ask(auditor, machine, &request);
        if (reply != NULL && reply->body_case == HALLSYNC__REPLY__BODY_DIGEST && machine->gained == gained)
            return reply;
        if (reply == NULL)
            return NULL;
        hallsync__reply__free_unpacked(reply, NULL);
    }
    return NULL;
}

/* Which record it is that differs: for the text of a violation only. */
static const char *culprit(struct auditor *auditor, const struct audit_machine *machine, uint32_t partition,
                           uint32_t kind)
{
    struct hs_view *view;
    const char *text = "none that is known";
    if (hs_view_open(hs_daemon_store(machine->sim->daemon), 0, 0, &view) != HS_OK)
        return "unknown";
    for (size_t i = 0; i < auditor->records.count; i++) {
        const struct audit_record *record = auditor->records.entries[i].value;
        struct hs_record_name name = {record->partition, record->lane, record->kind, record->id};
        struct hs_stored stored;
        if (record->partition != partition || record->kind != kind)
            continue;
        bool there = hs_view_record(view, &name, &stored) == HS_OK;
        bool present = audit_present(record, machine->bit);
        struct hs_hash hash = present ? audit_record_hash(record, machine->bit) : (struct hs_hash){{0}};
        if (there != present || (there && memcmp(hash.bytes, stored.hash.bytes, sizeof hash.bytes) != 0)) {
            text = audit_name(record);
            break;
        }
    }
    hs_view_close(view);
    return text;
}

static void check_digest(struct auditor *auditor, const struct audit_machine *machine, const struct sum *sum,
                         const Hallsync__Digest *digest)
{
    static const struct sum NONE;
    sum = sum != NULL ? sum : &NONE;
    if (digest->count == sum->count && digest->digest.len == sizeof sum->hash.bytes &&
        memcmp(digest->digest.data, sum->hash.bytes, sizeof sum->hash.bytes) == 0)
        return;
    audit_fail(auditor, AUDIT_STATE,
               "%s: its operations of partition %u make %" PRIu64 " records of kind %u, it has %" PRIu64
               ", and the digests differ; a record that does: %s",
               machine->sim->name, (unsigned)digest->partition, sum->count, (unsigned)digest->kind, digest->count,
               culprit(auditor, machine, digest->partition, digest->kind));
}

static void check_missing(struct auditor *auditor, const struct audit_machine *machine, const struct audit_map *sums,
                          const Hallsync__DigestReply *reply)
{
    for (size_t i = 0; i < sums->count; i++) {
        const uint8_t *key = sums->entries[i].key.data;
        bool found = false;
        for (size_t j = 0; j < reply->n_digests && !found; j++)
            found = reply->digests[j]->partition == hs_from_be16(key) &&
                    reply->digests[j]->kind == hs_from_be16(key + 2);
        if (!found)
            audit_fail(auditor, AUDIT_STATE,
                       "%s: it says nothing of partition %u, kind %u; its operations make %" PRIu64 " records",
                       machine->sim->name, (unsigned)hs_from_be16(key), (unsigned)hs_from_be16(key + 2),
                       ((struct sum *)sums->entries[i].value)->count);
    }
}

void audit_digests_check(struct auditor *auditor, struct audit_machine *machine)
{
    struct audit_map sums = {0};
    Hallsync__Reply *reply = ask_digests(auditor, machine);
    if (reply == NULL)
        return;
    reckon(auditor, machine, &sums);
    for (size_t i = 0; i < reply->digest->n_digests; i++) {
        const Hallsync__Digest *digest = reply->digest->digests[i];
        uint8_t key[4];
        if (audit_kind_blurred(auditor, machine, (hs_partition)digest->partition, (uint16_t)digest->kind))
            continue;
        hs_be16(key, (uint16_t)digest->partition);
        hs_be16(key + 2, (uint16_t)digest->kind);
        check_digest(auditor, machine, audit_map_get(&sums, HS_BYTES(key, sizeof key)), digest);
    }
    check_missing(auditor, machine, &sums, reply->digest);
    free_sums(&sums);
    hallsync__reply__free_unpacked(reply, NULL);
}

/* ---- memory ---- */

void audit_sessions_check(struct auditor *auditor, struct audit_machine *machine)
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    Hallsync__StatusRequest body = HALLSYNC__STATUS_REQUEST__INIT;
    bool found = false;
    request.body_case = HALLSYNC__REQUEST__BODY_STATUS;
    request.status = &body;
    Hallsync__Reply *reply = audit_ask(auditor, machine, &request);
    if (reply == NULL)
        return;
    bool told = reply->body_case == HALLSYNC__REPLY__BODY_STATUS;
    for (size_t i = 0; told && i < reply->status->n_counters; i++) {
        const Hallsync__Counter *counter = reply->status->counters[i];
        if (strcmp(counter->name, "session-bytes-max") != 0)
            continue;
        found = true;
        if (counter->value >= SESSION_BYTES_MAX)
            audit_fail(auditor, AUDIT_BOUNDS, "%s: a session holds %" PRIu64 " bytes of memory", machine->sim->name,
                       (uint64_t)counter->value);
    }
    if (told && !found)
        audit_fail(auditor, AUDIT_BOUNDS, "%s does not say what memory its sessions hold", machine->sim->name);
    hallsync__reply__free_unpacked(reply, NULL);
}

/* ---- heads ---- */

struct heads {
    struct auditor *auditor;
    struct audit_machine *machine;
    struct hs_txn *txn; /* where they are read */
    size_t count;
};

static enum hs_err visit_head(void *ctx, const struct hs_head *head)
{
    struct heads *heads = ctx;
    struct audit_stream *stream = audit_stream_find(heads->auditor, &head->stream);
    uint32_t bit = heads->machine->bit;
    if (stream != NULL && head->n > stream->head[heads->machine->sim->index])
        audit_jump(heads->auditor, heads->machine, heads->txn, stream, &(struct audit_claim){head->n, &head->hash});
    uint64_t n = stream != NULL ? stream->head[heads->machine->sim->index] : 0;
    struct audit_op *op = n > 0 ? stream->ops[n - 1] : NULL;
    while (op != NULL && (op->held & bit) == 0)
        op = op->other;
    heads->count++;
    if (heads->machine->node->role == HS_ROLE_WITNESS && op == NULL && head->n == n)
        return HS_OK; /* it begins there */
    if (op == NULL || head->n != n || memcmp(op->chain.bytes, head->hash.bytes, sizeof op->chain.bytes) != 0)
        audit_fail(heads->auditor, AUDIT_FRONTIER,
                   "%s claims operations up to %" PRIu64 " of origin %016" PRIx64 " in %u lane %u; %" PRIu64
                   " have come, or the chain is another",
                   heads->machine->sim->name, head->n, head->stream.origin, (unsigned)head->stream.partition,
                   (unsigned)head->stream.lane, n);
    return HS_OK;
}

void audit_heads_check(struct auditor *auditor, struct audit_machine *machine)
{
    struct heads heads = {auditor, machine, NULL, 0};
    struct hs_view *view;
    size_t expected = 0;
    if (hs_view_open(hs_daemon_store(machine->sim->daemon), 0, 0, &view) != HS_OK)
        return;
    heads.txn = &view->log;
    enum hs_err err = hs_view_heads(view, visit_head, &heads);
    if (err == HS_OK)
        audit_sharpen(auditor, machine, view);
    hs_view_close(view);
    if (err != HS_OK)
        audit_fail(auditor, AUDIT_DAMAGE, "%s: its heads cannot be read: %s", machine->sim->name, hs_err_name(err));
    for (size_t i = 0; i < auditor->streams.count; i++)
        expected += ((struct audit_stream *)auditor->streams.entries[i].value)->head[machine->sim->index] > 0;
    if (expected != heads.count)
        audit_fail(auditor, AUDIT_FRONTIER, "%s names %zu streams and holds %zu", machine->sim->name, heads.count,
                   expected);
}

/* ---- equal ---- */

/* Registers that a forked origin has written stay as each node had them: PROTOCOL.md 9.3. */
static bool is_tainted(const struct auditor *auditor, uint32_t partition, uint32_t kind)
{
    for (size_t i = 0; i < auditor->records.count; i++) {
        const struct audit_record *record = auditor->records.entries[i].value;
        if (record->partition != partition || record->kind != kind)
            continue;
        for (const struct audit_write *write = record->writes; write != NULL; write = write->next) {
            if ((!write->is_fact && write->op->stream->forked) || !audit_counts(auditor, write->op))
                return true; /* or whoever had it before its writer was revoked has it still */
        }
    }
    return false;
}

static const Hallsync__Digest *digest_of(const Hallsync__DigestReply *reply, uint32_t partition, uint32_t kind)
{
    for (size_t i = 0; i < reply->n_digests; i++) {
        if (reply->digests[i]->partition == partition && reply->digests[i]->kind == kind)
            return reply->digests[i];
    }
    return NULL;
}

struct answer {
    struct audit_machine *machine;
    Hallsync__Reply *reply;
};

static void compare_pair(struct auditor *auditor, const struct answer *a, const struct answer *b)
{
    for (size_t i = 0; i < a->reply->digest->n_digests; i++) {
        const Hallsync__Digest *one = a->reply->digest->digests[i];
        const Hallsync__Digest *other = digest_of(b->reply->digest, one->partition, one->kind);
        if (!audit_holds(b->machine, (hs_partition)one->partition))
            continue;
        if (other != NULL && other->count == one->count && other->digest.len == one->digest.len &&
            memcmp(other->digest.data, one->digest.data, one->digest.len) == 0)
            continue;
        bool blurred = audit_kind_blurred(auditor, a->machine, (hs_partition)one->partition, (uint16_t)one->kind) ||
                       audit_kind_blurred(auditor, b->machine, (hs_partition)one->partition, (uint16_t)one->kind);
        if (!blurred && !is_tainted(auditor, one->partition, one->kind))
            audit_fail(auditor, AUDIT_EQUAL,
                       "%s and %s differ in partition %u, kind %u: %" PRIu64 " and %" PRIu64 " records",
                       a->machine->sim->name, b->machine->sim->name, (unsigned)one->partition, (unsigned)one->kind,
                       one->count, other != NULL ? other->count : 0);
    }
}

void audit_nodes_equal(struct auditor *auditor)
{
    struct answer answers[SIM_MACHINES_MAX];
    size_t count = 0;
    for (unsigned i = 0; i < auditor->sim->machine_count; i++) {
        struct audit_machine *machine = audit_machine_of(auditor, auditor->sim->machines[i]);
        if (!audit_belongs(machine))
            continue;
        answers[count] = (struct answer){machine, ask_digests(auditor, machine)};
        if (answers[count].reply == NULL)
            audit_fail(auditor, AUDIT_EQUAL, "%s does not say its digests", machine->sim->name);
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++)
            compare_pair(auditor, &answers[i], &answers[j]);
    }
    for (size_t i = 0; i < count; i++)
        hallsync__reply__free_unpacked(answers[i].reply, NULL);
}
