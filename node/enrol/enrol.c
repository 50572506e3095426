#include "node/enrol/enrol.h"

#include "proto/msg/frame.h"
#include "proto/peer.pb-c.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRET_DOMAIN     "hallsync token 1"
#define DISTRICT_MAX      9999
#define JOIN_ARENA_BYTES  (16 * 1024)
#define REPLY_ARENA_BYTES (64 * 1024)
#define ANSWER_SEQUENCE   1 /* the first frame of this direction */

struct hs_hash hs_enrol_secret_hash(const uint8_t secret[static HS_TOKEN_SECRET_BYTES])
{
    return hs_hash_domain(SECRET_DOMAIN, HS_BYTES(secret, HS_TOKEN_SECRET_BYTES));
}

/* ---- tokens ---- */

static enum hs_err check_draft(const struct hs_enrol_draft *draft, struct hs_why *why)
{
    size_t count_max = draft->role == HS_ROLE_HUB ? 1 : HS_SCOPE_MAX;
    if (!hs_node_id_valid(draft->node_id))
        return hs_fail(HS_EVALUE, why, "a node id has 1 to %d of a-z 0-9 and -, and begins with a letter",
                       HS_NODE_ID_BYTES_MAX);
    if (draft->district_count == 0 || draft->district_count > count_max)
        return hs_fail(HS_EVALUE, why, "a %s needs 1 to %zu districts", hs_role_text(draft->role), count_max);
    for (size_t i = 0; i < draft->district_count; i++) {
        if (draft->districts[i] > DISTRICT_MAX)
            return hs_fail(HS_EVALUE, why, "a district has four digits");
    }
    return HS_OK;
}

static bool has_district(const struct hs_enrolment *enrolment, hs_partition district)
{
    for (size_t i = 0; i < enrolment->district_count; i++) {
        if (enrolment->districts[i] == district)
            return true;
    }
    return false;
}

/* In the order given, for the first is the home; once each. */
static void fill_enrolment(const struct hs_enrol_draft *draft, struct hs_enrolment *enrolment)
{
    *enrolment = (struct hs_enrolment){.role = draft->role, .created_ms = draft->now_ms};
    enrolment->expires_ms = draft->ttl_ms > UINT64_MAX - draft->now_ms ? UINT64_MAX : draft->now_ms + draft->ttl_ms;
    snprintf(enrolment->node_id, sizeof enrolment->node_id, "%s", draft->node_id);
    for (size_t i = 0; i < draft->district_count; i++) {
        if (!has_district(enrolment, draft->districts[i]))
            enrolment->districts[enrolment->district_count++] = draft->districts[i];
    }
}

static enum hs_err put_addresses(const char *const *addresses, size_t count, struct hs_token *token, struct hs_why *why)
{
    if (count == 0 || count > HS_ADDRESSES_MAX)
        return hs_fail(HS_EVALUE, why, "a token names 1 to %d addresses of the hub", HS_ADDRESSES_MAX);
    for (size_t i = 0; i < count; i++) {
        if (strlen(addresses[i]) > HS_ADDRESS_BYTES_MAX)
            return hs_fail(HS_EADDRESS, why, "an address has at most %d characters", HS_ADDRESS_BYTES_MAX);
        snprintf(token->addresses[i], sizeof token->addresses[i], "%s", addresses[i]);
    }
    token->address_count = count;
    return HS_OK;
}

enum hs_err hs_enrol_token(const struct hs_enrol_draft *draft, const struct hs_certificate *hub,
                           const char *const *addresses, size_t address_count, struct hs_buf *text,
                           struct hs_hash *secret_hash, struct hs_enrolment *enrolment, struct hs_why *why)
{
    struct hs_token token = {.root_key = hub->root_key, .hub_curve_key = hub->curve_key};
    enum hs_err err = check_draft(draft, why);
    if (err == HS_OK)
        err = put_addresses(addresses, address_count, &token, why);
    if (err != HS_OK)
        return err;
    fill_enrolment(draft, enrolment);
    snprintf(token.node_id, sizeof token.node_id, "%s", draft->node_id);
    snprintf(token.region, sizeof token.region, "%s", hub->region);
    token.expires_ms = enrolment->expires_ms;
    randombytes_buf(token.secret, sizeof token.secret);
    *secret_hash = hs_enrol_secret_hash(token.secret);
    err = hs_token_encode(&token, text);
    sodium_memzero(&token, sizeof token);
    return err;
}

/* ---- requests ---- */

static enum hs_err read_ask(const Hallsync__PeerJoin *join, const struct hs_key *link_key, struct hs_enrol_ask *ask)
{
    struct hs_signature proof;
    if (join->secret.len != HS_TOKEN_SECRET_BYTES || join->node_key.len != HS_KEY_BYTES ||
        join->curve_key.len != HS_KEY_BYTES || join->proof.len != HS_SIGNATURE_BYTES)
        return HS_EMALFORMED;
    memcpy(ask->node_key.bytes, join->node_key.data, HS_KEY_BYTES);
    memcpy(ask->curve_key.bytes, join->curve_key.data, HS_KEY_BYTES);
    memcpy(proof.bytes, join->proof.data, HS_SIGNATURE_BYTES);
    ask->secret_hash = hs_enrol_secret_hash(join->secret.data);
    if (!hs_key_equal(&ask->curve_key, link_key))
        return HS_EREFUSED;
    return hs_join_verify(join->secret.data, &ask->node_key, &ask->curve_key, &proof);
}

enum hs_err hs_enrol_read(struct hs_bytes body, const struct hs_key *link_key, struct hs_enrol_ask *ask)
{
    struct hs_arena arena;
    ProtobufCMessage *message;
    hs_arena_init(&arena, JOIN_ARENA_BYTES);
    enum hs_err err = hs_msg_unpack(&hallsync__peer_join__descriptor, body, &arena, &message);
    if (err == HS_OK) {
        const Hallsync__PeerJoin *join = (const Hallsync__PeerJoin *)message;
        err = read_ask(join, link_key, ask);
        sodium_memzero(join->secret.data, join->secret.len);
    }
    hs_arena_fini(&arena);
    return err;
}

/* Who used it may have it again even when it has expired: it was in time, only the answer was lost. */
enum hs_err hs_enrol_decide(const struct hs_enrolment *enrolment, const struct hs_enrol_ask *ask, uint64_t now_ms,
                            bool *again)
{
    *again = enrolment->used && hs_key_equal(&enrolment->used_by, &ask->node_key);
    if (*again)
        return HS_OK;
    if (enrolment->used)
        return HS_ETOKENUSED;
    return now_ms < enrolment->expires_ms ? HS_OK : HS_ETOKENEXPIRED;
}

/* ---- certificates ---- */

static int compare_districts(const void *a, const void *b)
{
    return *(const hs_partition *)a - *(const hs_partition *)b;
}

static void put_scope(const struct hs_enrolment *enrolment, struct hs_certificate *certificate)
{
    size_t size = enrolment->district_count * sizeof *enrolment->districts;
    certificate->home = enrolment->districts[0];
    if (enrolment->role == HS_ROLE_HUB)
        return; /* all districts: none is named */
    memcpy(certificate->districts, enrolment->districts, size);
    certificate->district_count = enrolment->district_count;
    qsort(certificate->districts, certificate->district_count, sizeof *certificate->districts, compare_districts);
}

enum hs_err hs_enrol_certificate(struct hs_enrolment *enrolment, const struct hs_enrol_ask *ask,
                                 const struct hs_enrol_issuer *issuer, uint64_t now_ms, struct hs_buf *certificate)
{
    struct hs_certificate draft = {.role = enrolment->role, .issued_ms = now_ms};
    if (enrolment->district_count == 0 || enrolment->district_count > HS_SCOPE_MAX)
        return HS_EINVAL;
    draft.node_key = ask->node_key;
    draft.curve_key = ask->curve_key;
    memcpy(draft.node_id, enrolment->node_id, sizeof draft.node_id);
    put_scope(enrolment, &draft);
    enum hs_err err = hs_certificate_sign(&draft, issuer->issuer_signed, issuer->secret, certificate);
    if (err == HS_OK) {
        enrolment->used = true;
        enrolment->used_by = ask->node_key;
    }
    return err;
}

/* ---- answers ---- */

static enum hs_err read_certificate(struct hs_bytes bytes, struct hs_arena *arena, Hallsync__Certificate **certificate)
{
    ProtobufCMessage *message;
    enum hs_err err = hs_msg_unpack(&hallsync__certificate__descriptor, bytes, arena, &message);
    if (err == HS_OK)
        *certificate = (Hallsync__Certificate *)message;
    return err;
}

enum hs_err hs_enrol_reply(enum hs_err err, const char *text, struct hs_bytes certificate, struct hs_bytes hub,
                           struct hs_buf *frame)
{
    struct hs_arena arena;
    Hallsync__PeerJoinReply reply = HALLSYNC__PEER_JOIN_REPLY__INIT;
    enum hs_err made = HS_OK;
    hs_arena_init(&arena, REPLY_ARENA_BYTES);
    if (err == HS_OK) {
        made = read_certificate(certificate, &arena, &reply.certificate);
        if (made == HS_OK)
            made = read_certificate(hub, &arena, &reply.hub);
    } else {
        reply.error = (char *)hs_err_name(err);
        reply.text = (char *)text;
    }
    if (made == HS_OK) {
        hs_frame_encode(HALLSYNC__PEER_TYPE__PEER_JOIN_REPLY, ANSWER_SEQUENCE, &reply.base, frame);
        made = frame->err;
    }
    hs_arena_fini(&arena);
    return made;
}
