/* nodes.c -- who can open a bundle, and who wrote what is in it. */
#include "node/bundle/inside.h"

#include "proto/msg/tlv.h"

#include <string.h>

enum { CERTIFICATE_NODE = 2, SIGNED_BODY = 1, NODE_ID = 1, NODE_ROLE = 2, ORIGIN_NODE_KEY = 2 };

bool bundle_opening_key(struct hs_bytes opening, struct hs_key *key)
{
    struct hs_bytes named = hs_tlv_bytes(hs_tlv_bytes(opening, SIGNED_BODY), ORIGIN_NODE_KEY);
    if (named.size != sizeof key->bytes)
        return false;
    memcpy(key->bytes, named.data, named.size);
    return true;
}

enum hs_err bundle_writer(struct hs_view *view, uint64_t origin, struct hs_key *key)
{
    struct hs_bytes certificate, opening;
    enum hs_err err = hs_view_origin(view, origin, &certificate, &opening);
    if (err == HS_OK && !bundle_opening_key(opening, key))
        err = HS_EDAMAGED;
    return err;
}

bool bundle_stream_read(const Hallsync__StreamName *from, struct hs_stream *to)
{
    *to = (struct hs_stream){from->origin, (hs_partition)from->partition, (uint8_t)from->lane};
    return from->origin != 0 && hs_partition_valid(from->partition) && hs_lane_valid(from->lane);
}

struct finding {
    const struct hs_certificate *own;
    struct hs_view *view;
    const char *node_id;
    struct bundle_receivers *to;
    bool found, revoked;
};

/* Looked at before it is verified: of a region's many certificates few are wanted. */
static bool is_wanted(const struct finding *finding, struct hs_bytes certificate, bool *named)
{
    struct hs_bytes body = hs_tlv_bytes(hs_tlv_bytes(certificate, CERTIFICATE_NODE), SIGNED_BODY);
    struct hs_bytes id = hs_tlv_bytes(body, NODE_ID);
    *named = id.size == strlen(finding->node_id) && memcmp(id.data, finding->node_id, id.size) == 0;
    return *named || hs_tlv_u64(body, NODE_ROLE, 0) == HS_ROLE_HUB;
}

/* Verified; HS_EREVOKED: its key is out of service. */
static enum hs_err read_certificate(const struct finding *finding, struct hs_bytes encoded, struct hs_certificate *to)
{
    struct hs_bytes revocation;
    enum hs_err err = hs_certificate_verify(encoded, &finding->own->root_key, to);
    if (err != HS_OK)
        return err == HS_ENOMEM ? err : HS_EDAMAGED;
    err = hs_view_revocation(finding->view, &to->node_key, &revocation);
    return err == HS_OK ? HS_EREVOKED : err == HS_ENOTFOUND ? HS_OK : err;
}

static enum hs_err find_named(void *ctx, struct hs_bytes key, struct hs_bytes encoded)
{
    struct finding *finding = ctx;
    struct bundle_receivers *to = finding->to;
    struct hs_certificate certificate;
    bool named;
    (void)key;
    if (!is_wanted(finding, encoded, &named) || !named || to->key_count == HS_SEALED_RECIPIENTS_MAX)
        return HS_OK;
    enum hs_err err = read_certificate(finding, encoded, &certificate);
    finding->revoked = finding->revoked || err == HS_EREVOKED;
    if (err != HS_OK)
        return err == HS_EREVOKED ? HS_OK : err;
    to->keys[to->key_count++] = certificate.node_key;
    if (!finding->found || certificate.issued_ms > to->node.issued_ms)
        to->node = certificate;
    finding->found = true;
    return HS_OK;
}

/* A hall's bundle can be opened by every hub: the one that it was made for may be gone when the stick comes. */
static enum hs_err add_curve(void *ctx, struct hs_bytes key, struct hs_bytes encoded)
{
    struct finding *finding = ctx;
    struct bundle_receivers *to = finding->to;
    struct hs_certificate certificate;
    bool named;
    (void)key;
    if (!is_wanted(finding, encoded, &named) || (!named && to->node.role != HS_ROLE_HUB) ||
        to->curve_count == HS_SEALED_RECIPIENTS_MAX)
        return HS_OK;
    enum hs_err err = read_certificate(finding, encoded, &certificate);
    if (err != HS_OK)
        return err == HS_EREVOKED ? HS_OK : err;
    if (!hs_key_equal(&certificate.node_key, &finding->own->node_key))
        to->curve[to->curve_count++] = certificate.curve_key;
    return HS_OK;
}

static enum hs_err check_roles(const struct hs_certificate *own, const struct hs_certificate *receiver,
                               struct hs_why *why)
{
    const char *id = receiver->node_id;
    if (strcmp(id, own->node_id) == 0)
        return hs_fail(HS_EINVAL, why, "%s is this node itself", id);
    if (own->role == HS_ROLE_WITNESS || receiver->role == HS_ROLE_WITNESS)
        return hs_fail(HS_EINVAL, why, "%s is a witness: bundles go from halls to hubs and back",
                       own->role == HS_ROLE_WITNESS ? own->node_id : id);
    if (receiver->role == HS_ROLE_HALL && own->role != HS_ROLE_HUB)
        return hs_fail(HS_ENOTHUB, why, "%s is a hall, and so is this node: a hall's bundle is for a hub", id);
    return HS_OK;
}

enum hs_err bundle_receivers_find(const struct hs_bundle_node *node, struct hs_view *view, const char *node_id,
                                  struct bundle_receivers *to, struct hs_why *why)
{
    struct finding finding = {.own = hs_store_certificate(node->store), .view = view, .node_id = node_id, .to = to};
    *to = (struct bundle_receivers){.key_count = 0};
    enum hs_err err = hs_view_certificates(view, find_named, &finding);
    if (err == HS_OK && !finding.found && finding.revoked)
        return hs_fail(HS_EREVOKED, why, "%s has been revoked: nothing is sealed to it any more", node_id);
    if (err == HS_OK && !finding.found)
        return hs_fail(HS_ENOTFOUND, why, "no node %s is known here, so nothing can be sealed to it", node_id);
    if (err == HS_OK)
        err = check_roles(finding.own, &to->node, why);
    return err == HS_OK ? hs_view_certificates(view, add_curve, &finding) : err;
}
