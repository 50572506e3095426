#include "proto/base/text.h"
#include "proto/keys.pb-c.h"
#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"
#include "proto/msg/trust_signed.h"

#include <sodium.h>
#include <string.h>

#define ISSUER_DOMAIN "hallsync issuer 1"
#define NODE_DOMAIN   "hallsync node 1"

enum { CERTIFICATE_ISSUER = 1, CERTIFICATE_NODE = 2 }; /* fields of Certificate */

#define CERTIFICATE_ARENA_BYTES (64 * 1024)
#define DISTRICT_MAX            9999
#define KIND_ANY_MAX            999
#define KIND_HUB_MAX            1999

const char *hs_role_text(enum hs_role role)
{
    return role == HS_ROLE_HUB ? "hub" : role == HS_ROLE_WITNESS ? "witness" : "hall";
}

/* ---- rules, the same for who signs and who verifies ---- */

static bool region_valid(const char *region)
{
    size_t size = strnlen(region, HS_REGION_BYTES_MAX + 1);
    return size > 0 && size <= HS_REGION_BYTES_MAX && hs_text_valid(HS_BYTES(region, size));
}

bool hs_certificate_names(const struct hs_certificate *certificate, hs_partition partition)
{
    for (size_t i = 0; i < certificate->district_count; i++) {
        if (certificate->districts[i] == partition)
            return true;
    }
    return false;
}

static bool districts_ascend(const struct hs_certificate *certificate)
{
    for (size_t i = 0; i < certificate->district_count; i++) {
        if (certificate->districts[i] > DISTRICT_MAX)
            return false;
        if (i > 0 && certificate->districts[i] <= certificate->districts[i - 1])
            return false;
    }
    return true;
}

/* A hub has all districts, and names none; the home of a hall or a witness is among those that it names. */
static bool scope_valid(const struct hs_certificate *certificate)
{
    if (certificate->role == HS_ROLE_HUB)
        return certificate->district_count == 0 && hs_partition_valid(certificate->home);
    bool names_some = certificate->role == HS_ROLE_HALL || certificate->role == HS_ROLE_WITNESS;
    return names_some && certificate->district_count <= HS_SCOPE_MAX && districts_ascend(certificate) &&
           hs_certificate_names(certificate, certificate->home);
}

bool hs_certificate_allows(const struct hs_certificate *certificate, uint32_t kind, hs_partition partition)
{
    if (kind == 0 || !hs_partition_valid(partition) || certificate->role == HS_ROLE_WITNESS)
        return false;
    return kind <= KIND_ANY_MAX || (kind <= KIND_HUB_MAX && certificate->role == HS_ROLE_HUB);
}

bool hs_certificate_scope(const struct hs_certificate *certificate, hs_partition partition)
{
    if (certificate->role == HS_ROLE_WITNESS)
        return false;
    return certificate->role == HS_ROLE_HUB || partition == HS_PARTITION_REGION ||
           hs_certificate_names(certificate, partition);
}

/* ---- signing ---- */

/* protobuf-c has no const; it does not write through these while packing. */
static ProtobufCBinaryData key_data(const struct hs_key *key)
{
    return (ProtobufCBinaryData){sizeof key->bytes, (uint8_t *)key->bytes};
}

enum hs_err hs_issuer_sign(const struct hs_issuer_draft *draft, const struct hs_secret *root, struct hs_buf *issuer)
{
    struct hs_key root_key;
    enum hs_err err = hs_secret_public(root, &root_key);
    if (err != HS_OK)
        return err;
    if (!region_valid(draft->region) || !hs_node_id_valid(draft->node_id))
        return HS_EINVAL;
    Hallsync__IssuerBody body = HALLSYNC__ISSUER_BODY__INIT;
    body.region = (char *)draft->region;
    body.root_key = key_data(&root_key);
    body.issuer_key = key_data(&draft->issuer_key);
    body.node_id = (char *)draft->node_id;
    body.issued_ms = draft->issued_ms;
    struct hs_signer signer = hs_signer_of(root);
    return hs_signed_make(ISSUER_DOMAIN, &body.base, &signer, issuer);
}

static enum hs_err sign_node(const struct hs_certificate *draft, const struct hs_secret *issuer_secret,
                             struct hs_buf *node)
{
    struct hs_key issuer_key;
    enum hs_err err = hs_secret_public(issuer_secret, &issuer_key);
    if (err != HS_OK)
        return err;
    uint32_t districts[HS_SCOPE_MAX];
    for (size_t i = 0; i < draft->district_count; i++)
        districts[i] = draft->districts[i];
    Hallsync__NodeBody body = HALLSYNC__NODE_BODY__INIT;
    body.node_id = (char *)draft->node_id;
    body.role = draft->role;
    body.node_key = key_data(&draft->node_key);
    body.curve_key = key_data(&draft->curve_key);
    body.home = draft->home;
    body.districts = districts;
    body.n_districts = draft->district_count;
    body.issuer_key = key_data(&issuer_key);
    body.issued_ms = draft->issued_ms;
    struct hs_signer signer = hs_signer_of(issuer_secret);
    return hs_signed_make(NODE_DOMAIN, &body.base, &signer, node);
}

enum hs_err hs_certificate_sign(const struct hs_certificate *draft, struct hs_bytes issuer,
                                const struct hs_secret *issuer_secret, struct hs_buf *certificate)
{
    if (!hs_node_id_valid(draft->node_id) || !scope_valid(draft))
        return HS_EINVAL;
    struct hs_buf node = {0};
    enum hs_err err = sign_node(draft, issuer_secret, &node);
    if (err == HS_OK) {
        hs_tlv_put_bytes(certificate, CERTIFICATE_ISSUER, issuer);
        hs_tlv_put_bytes(certificate, CERTIFICATE_NODE, hs_buf_bytes(&node));
        err = certificate->err;
    }
    hs_buf_fini(&node);
    return err;
}

/* ---- verifying ---- */

/* A body may have fields that a later version added: they are signed.  What is around it may not: they would not be. */
static enum hs_err read_body(const Hallsync__Signed *outer, const ProtobufCMessageDescriptor *descriptor,
                             struct hs_arena *arena, ProtobufCMessage **body)
{
    if (outer->base.n_unknown_fields != 0)
        return HS_EMALFORMED;
    return hs_msg_unpack(descriptor, HS_BYTES(outer->body.data, outer->body.len), arena, body);
}

static enum hs_err check_signed(const char *domain, const Hallsync__Signed *outer, const struct hs_key *key)
{
    struct hs_signature signature;
    if (!hs_fixed_read(&outer->signature, signature.bytes, sizeof signature.bytes))
        return HS_ECERT;
    enum hs_err err = hs_signature_check(domain, HS_BYTES(outer->body.data, outer->body.len), key, &signature);
    return err == HS_ESIGNATURE ? HS_ECERT : err;
}

static bool read_key(const ProtobufCBinaryData *from, struct hs_key *key)
{
    return hs_fixed_read(from, key->bytes, sizeof key->bytes);
}

enum hs_err hs_issuer_read(const Hallsync__Signed *outer, const struct hs_key *root, struct hs_arena *arena,
                           struct hs_certificate *out)
{
    ProtobufCMessage *message;
    enum hs_err err = read_body(outer, &hallsync__issuer_body__descriptor, arena, &message);
    if (err != HS_OK)
        return err;
    const Hallsync__IssuerBody *body = (const Hallsync__IssuerBody *)message;
    if (!read_key(&body->root_key, &out->root_key) || !read_key(&body->issuer_key, &out->issuer_key))
        return HS_ECERT;
    if (!hs_key_equal(&out->root_key, root))
        return HS_EREGION;
    if (!region_valid(body->region) || !hs_node_id_valid(body->node_id))
        return HS_ECERT;
    hs_line_read(body->region, out->region, HS_REGION_BYTES_MAX);
    hs_line_read(body->node_id, out->issuer_id, HS_NODE_ID_BYTES_MAX);
    return check_signed(ISSUER_DOMAIN, outer, root);
}

static bool read_scope(const Hallsync__NodeBody *body, struct hs_certificate *out)
{
    if (body->home > UINT16_MAX || body->n_districts > HS_SCOPE_MAX)
        return false;
    out->role = (enum hs_role)body->role;
    out->home = (hs_partition)body->home;
    for (size_t i = 0; i < body->n_districts; i++) {
        if (body->districts[i] > DISTRICT_MAX)
            return false;
        out->districts[i] = (hs_partition)body->districts[i];
    }
    out->district_count = body->n_districts;
    return scope_valid(out);
}

static enum hs_err verify_node(const Hallsync__Signed *outer, struct hs_arena *arena, struct hs_certificate *out)
{
    ProtobufCMessage *message;
    enum hs_err err = read_body(outer, &hallsync__node_body__descriptor, arena, &message);
    if (err != HS_OK)
        return err;
    const Hallsync__NodeBody *body = (const Hallsync__NodeBody *)message;
    struct hs_key named_issuer;
    if (!read_key(&body->issuer_key, &named_issuer) || !hs_key_equal(&named_issuer, &out->issuer_key))
        return HS_ECERT;
    if (!read_key(&body->node_key, &out->node_key) || !read_key(&body->curve_key, &out->curve_key))
        return HS_ECERT;
    if (!hs_node_id_valid(body->node_id) || !hs_line_read(body->node_id, out->node_id, HS_NODE_ID_BYTES_MAX))
        return HS_ECERT;
    if (!read_scope(body, out))
        return HS_ECERT;
    out->issued_ms = body->issued_ms;
    return check_signed(NODE_DOMAIN, outer, &out->issuer_key);
}

enum hs_err hs_certificate_read(const Hallsync__Certificate *certificate, const struct hs_key *root,
                                struct hs_arena *arena, struct hs_certificate *out)
{
    if (certificate->base.n_unknown_fields != 0)
        return HS_EMALFORMED;
    enum hs_err err = hs_issuer_read(certificate->issuer, root, arena, out);
    return err == HS_OK ? verify_node(certificate->node, arena, out) : err;
}

static enum hs_err verify_certificate(struct hs_bytes bytes, const struct hs_key *root, struct hs_arena *arena,
                                      struct hs_certificate *out)
{
    ProtobufCMessage *message;
    enum hs_err err = hs_msg_unpack(&hallsync__certificate__descriptor, bytes, arena, &message);
    return err == HS_OK ? hs_certificate_read((const Hallsync__Certificate *)message, root, arena, out) : err;
}

enum hs_err hs_certificate_verify(struct hs_bytes certificate, const struct hs_key *root, struct hs_certificate *out)
{
    if (certificate.size > HS_CERTIFICATE_BYTES_MAX)
        return HS_EMALFORMED;
    struct hs_arena arena;
    struct hs_certificate read = {0};
    hs_arena_init(&arena, CERTIFICATE_ARENA_BYTES);
    enum hs_err err = verify_certificate(certificate, root, &arena, &read);
    if (err == HS_OK)
        *out = read;
    hs_arena_fini(&arena);
    return err == HS_EUTF8 ? HS_EMALFORMED : err;
}
