#include "proto/msg/revoke.h"

#include "proto/base/text.h"
#include "proto/keys.pb-c.h"
#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"
#include "proto/msg/trust_signed.h"

#include <stdio.h>
#include <string.h>

#define REVOCATION_DOMAIN "hallsync revocation 1"
#define RELEASE_DOMAIN    "hallsync release 1"

#define ARENA_BYTES (256 * 1024)

enum { REVOCATION_BODY = 1, REVOCATION_NODE = 2, REVOCATION_ISSUER = 3 }; /* fields of Revocation */
enum { RELEASE_BODY = 1, RELEASE_ISSUER = 2 };                            /* of Release */
enum { CERTIFICATE_NODE = 2, SIGNED_BODY = 1, NODE_KEY = 3 };             /* of Certificate, Signed, NodeBody */

/* ---- texts of people ---- */

/* One line: it stands in lists and logs. */
static bool line_valid(const char *text, size_t bytes_max)
{
    size_t size = strnlen(text, bytes_max + 1);
    return size > 0 && size <= bytes_max && strpbrk(text, "\t\n") == NULL && hs_text_valid(HS_BYTES(text, size));
}

/* ---- who signs ---- */

static ProtobufCBinaryData data_of(const void *data, size_t size)
{
    return (ProtobufCBinaryData){size, (uint8_t *)data}; /* protobuf-c has no const; it does not write while packing */
}

/* HS_ECERT: the issuer does not hold, or is not who the body names. */
static enum hs_err find_signer(const Hallsync__Signed *issuer, const ProtobufCBinaryData *named,
                               const struct hs_key *root, struct hs_arena *arena, struct hs_key *signer)
{
    struct hs_certificate read = {0};
    enum hs_err err = issuer == NULL ? HS_OK : hs_issuer_read(issuer, root, arena, &read);
    if (err != HS_OK)
        return err;
    *signer = issuer == NULL ? *root : read.issuer_key;
    struct hs_key key;
    bool same = hs_fixed_read(named, key.bytes, sizeof key.bytes) && hs_key_equal(&key, signer);
    return same ? HS_OK : HS_ECERT;
}

static enum hs_err check_signature(const char *domain, const Hallsync__Signed *outer, const struct hs_key *signer)
{
    struct hs_signature signature;
    if (outer->base.n_unknown_fields != 0 || !hs_fixed_read(&outer->signature, signature.bytes, sizeof signature.bytes))
        return HS_EMALFORMED;
    return hs_signature_check(domain, HS_BYTES(outer->body.data, outer->body.len), signer, &signature);
}

static enum hs_err unpack(const ProtobufCMessageDescriptor *descriptor, struct hs_bytes bytes, struct hs_arena *arena,
                          ProtobufCMessage **message)
{
    enum hs_err err = hs_msg_unpack(descriptor, bytes, arena, message);
    return err == HS_EUTF8 ? HS_EMALFORMED : err;
}

/* ---- revocations ---- */

enum hs_err hs_revocation_sign(struct hs_bytes node, const char *reason, uint64_t time_ms,
                               const struct hs_authority *authority, struct hs_buf *encoded)
{
    struct hs_key signer_key;
    enum hs_err err = hs_secret_public(authority->secret, &signer_key);
    if (err != HS_OK)
        return err;
    struct hs_bytes key = hs_tlv_bytes(hs_tlv_bytes(hs_tlv_bytes(node, CERTIFICATE_NODE), SIGNED_BODY), NODE_KEY);
    if (key.size != HS_KEY_BYTES || !line_valid(reason, HS_REASON_BYTES_MAX))
        return HS_EINVAL;
    Hallsync__RevocationBody body = HALLSYNC__REVOCATION_BODY__INIT;
    body.node_key = data_of(key.data, key.size);
    body.time_ms = time_ms;
    body.issuer_key = data_of(signer_key.bytes, sizeof signer_key.bytes);
    body.reason = (char *)reason;
    struct hs_signer signer = hs_signer_of(authority->secret);
    struct hs_buf made = {0};
    err = hs_signed_make(REVOCATION_DOMAIN, &body.base, &signer, &made);
    if (err == HS_OK) {
        hs_tlv_put_bytes(encoded, REVOCATION_BODY, hs_buf_bytes(&made));
        hs_tlv_put_bytes(encoded, REVOCATION_NODE, node);
        if (authority->issuer.size > 0)
            hs_tlv_put_bytes(encoded, REVOCATION_ISSUER, authority->issuer);
        err = encoded->err;
    }
    hs_buf_fini(&made);
    return err;
}

static enum hs_err read_revocation(const Hallsync__Revocation *message, struct hs_arena *arena,
                                   struct hs_revocation *out)
{
    ProtobufCMessage *unpacked;
    struct hs_key named;
    struct hs_bytes bytes = HS_BYTES(message->body->body.data, message->body->body.len);
    enum hs_err err = unpack(&hallsync__revocation_body__descriptor, bytes, arena, &unpacked);
    if (err != HS_OK)
        return err;
    const Hallsync__RevocationBody *body = (const Hallsync__RevocationBody *)unpacked;
    if (!hs_fixed_read(&body->node_key, named.bytes, sizeof named.bytes) || !hs_key_equal(&named, &out->node.node_key))
        return HS_EMALFORMED;
    if (body->reason != NULL && !line_valid(body->reason, HS_REASON_BYTES_MAX))
        return HS_EMALFORMED;
    snprintf(out->reason, sizeof out->reason, "%s", body->reason == NULL ? "" : body->reason);
    out->time_ms = body->time_ms;
    err = find_signer(message->issuer, &body->issuer_key, &out->node.root_key, arena, &out->signer);
    out->is_by_root = message->issuer == NULL;
    /* A hub may be in the wrong hands, and then its issuer key, too: hubs do not revoke each other. */
    if (err == HS_OK && out->node.role == HS_ROLE_HUB && !out->is_by_root)
        err = HS_ECERT;
    out->is_issuer = out->node.role == HS_ROLE_HUB && strcmp(out->node.issuer_id, out->node.node_id) == 0;
    return err == HS_OK ? check_signature(REVOCATION_DOMAIN, message->body, &out->signer) : err;
}

static enum hs_err verify_revocation(struct hs_bytes encoded, const struct hs_key *root, struct hs_arena *arena,
                                     struct hs_revocation *out)
{
    ProtobufCMessage *unpacked;
    enum hs_err err = unpack(&hallsync__revocation__descriptor, encoded, arena, &unpacked);
    if (err != HS_OK)
        return err;
    const Hallsync__Revocation *message = (const Hallsync__Revocation *)unpacked;
    if (unpacked->n_unknown_fields != 0)
        return HS_EMALFORMED;
    err = hs_certificate_read(message->node, root, arena, &out->node);
    return err == HS_OK ? read_revocation(message, arena, out) : err;
}

enum hs_err hs_revocation_verify(struct hs_bytes encoded, const struct hs_key *root, struct hs_revocation *out)
{
    struct hs_arena arena;
    struct hs_revocation read = {0};
    if (encoded.size > HS_REVOCATION_BYTES_MAX)
        return HS_EMALFORMED;
    hs_arena_init(&arena, ARENA_BYTES);
    enum hs_err err = verify_revocation(encoded, root, &arena, &read);
    if (err == HS_OK)
        *out = read;
    hs_arena_fini(&arena);
    return err == HS_EUTF8 ? HS_EMALFORMED : err;
}

/* ---- releases ---- */

static bool release_valid(const struct hs_release *release)
{
    bool valid = release->count > 0 && release->count <= HS_RELEASE_HEADS_MAX &&
                 line_valid(release->reason, HS_REASON_BYTES_MAX) && line_valid(release->name, HS_PERSON_BYTES_MAX);
    for (size_t i = 0; valid && i < release->count; i++)
        valid = release->heads[i].n > 0 && hs_lane_valid(release->heads[i].stream.lane) &&
                hs_partition_valid(release->heads[i].stream.partition);
    return valid;
}

struct packed_heads {
    Hallsync__ReleasedHead heads[HS_RELEASE_HEADS_MAX], *list[HS_RELEASE_HEADS_MAX];
    uint8_t keys[HS_RELEASE_HEADS_MAX][HS_STREAM_KEY_BYTES];
};

static void pack_heads(const struct hs_release *release, struct packed_heads *to, Hallsync__ReleaseBody *body)
{
    for (size_t i = 0; i < release->count; i++) {
        Hallsync__ReleasedHead *head = &to->heads[i];
        hallsync__released_head__init(head);
        hs_stream_key(&release->heads[i].stream, to->keys[i]);
        head->stream = data_of(to->keys[i], HS_STREAM_KEY_BYTES);
        head->n = release->heads[i].n;
        head->hash = data_of(release->heads[i].hash.bytes, HS_HASH_BYTES);
        to->list[i] = head;
    }
    body->heads = to->list;
    body->n_heads = release->count;
}

enum hs_err hs_release_sign(const struct hs_release *release, const struct hs_authority *authority,
                            struct hs_buf *encoded)
{
    struct hs_key signer_key;
    struct packed_heads heads;
    struct hs_buf made = {0};
    enum hs_err err = hs_secret_public(authority->secret, &signer_key);
    if (err != HS_OK)
        return err;
    if (!release_valid(release))
        return HS_EINVAL;
    Hallsync__ReleaseBody body = HALLSYNC__RELEASE_BODY__INIT;
    body.node_key = data_of(release->node_key.bytes, HS_KEY_BYTES);
    body.time_ms = release->time_ms;
    body.issuer_key = data_of(signer_key.bytes, sizeof signer_key.bytes);
    body.reason = (char *)release->reason;
    body.name = (char *)release->name;
    pack_heads(release, &heads, &body);
    struct hs_signer signer = hs_signer_of(authority->secret);
    err = hs_signed_make(RELEASE_DOMAIN, &body.base, &signer, &made);
    if (err == HS_OK) {
        hs_tlv_put_bytes(encoded, RELEASE_BODY, hs_buf_bytes(&made));
        if (authority->issuer.size > 0)
            hs_tlv_put_bytes(encoded, RELEASE_ISSUER, authority->issuer);
        err = encoded->err;
    }
    hs_buf_fini(&made);
    return err;
}

bool hs_released_of(const Hallsync__WithheldStatus *row, struct hs_released *head)
{
    uint8_t origin[sizeof head->stream.origin];
    *head = (struct hs_released){.stream = {.partition = (hs_partition)row->partition}, .n = row->last};
    if (hs_text_from_hex(row->origin, strlen(row->origin), origin, sizeof origin) != HS_OK ||
        hs_lane_parse(row->lane, &head->stream.lane) != HS_OK)
        return false;
    head->stream.origin = hs_from_be64(origin);
    return hs_fixed_read(&row->hash, head->hash.bytes, HS_HASH_BYTES);
}

static bool read_heads(const Hallsync__ReleaseBody *body, struct hs_release *out)
{
    if (body->n_heads > HS_RELEASE_HEADS_MAX)
        return false;
    for (size_t i = 0; i < body->n_heads; i++) {
        const Hallsync__ReleasedHead *from = body->heads[i];
        struct hs_released *head = &out->heads[i];
        if (from->stream.len != HS_STREAM_KEY_BYTES || !hs_fixed_read(&from->hash, head->hash.bytes, HS_HASH_BYTES))
            return false;
        head->stream = hs_stream_from_key(from->stream.data);
        head->n = from->n;
    }
    out->count = body->n_heads;
    return true;
}

static enum hs_err read_release(const Hallsync__Release *message, const struct hs_key *root, struct hs_arena *arena,
                                struct hs_release *out)
{
    ProtobufCMessage *unpacked;
    struct hs_bytes bytes = HS_BYTES(message->body->body.data, message->body->body.len);
    enum hs_err err = unpack(&hallsync__release_body__descriptor, bytes, arena, &unpacked);
    if (err != HS_OK)
        return err;
    const Hallsync__ReleaseBody *body = (const Hallsync__ReleaseBody *)unpacked;
    if (!hs_fixed_read(&body->node_key, out->node_key.bytes, HS_KEY_BYTES) || !read_heads(body, out) ||
        !hs_line_read(body->reason, out->reason, HS_REASON_BYTES_MAX) ||
        !hs_line_read(body->name, out->name, HS_PERSON_BYTES_MAX) || !release_valid(out))
        return HS_EMALFORMED;
    out->time_ms = body->time_ms;
    out->is_by_root = message->issuer == NULL;
    err = find_signer(message->issuer, &body->issuer_key, root, arena, &out->signer);
    return err == HS_OK ? check_signature(RELEASE_DOMAIN, message->body, &out->signer) : err;
}

enum hs_err hs_release_verify(struct hs_bytes encoded, const struct hs_key *root, struct hs_release *out)
{
    struct hs_arena arena;
    ProtobufCMessage *unpacked;
    if (encoded.size > HS_RELEASE_BYTES_MAX)
        return HS_EMALFORMED;
    *out = (struct hs_release){0};
    hs_arena_init(&arena, ARENA_BYTES);
    enum hs_err err = unpack(&hallsync__release__descriptor, encoded, &arena, &unpacked);
    if (err == HS_OK)
        err = unpacked->n_unknown_fields != 0 ? HS_EMALFORMED
                                              : read_release((const Hallsync__Release *)unpacked, root, &arena, out);
    hs_arena_fini(&arena);
    return err == HS_EUTF8 ? HS_EMALFORMED : err;
}
