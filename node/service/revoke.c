/* A key that is not its node's any more, and what it had signed that counts nevertheless: signed here with the hub's
 * issuer key, or by whoever has the region's root key and sent what it has signed. */
#include "node/service/handlers.h"

#include "node/service/audit.h"
#include "node/service/revoke.h"
#include "proto/base/text.h"
#include "proto/msg/frame.h"
#include "proto/msg/revoke.h"
#include "proto/msg/tlv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPLY_RELEASED = 1 };   /* of ReleaseReply */
enum { STATUS_WITHHELD = 51 }; /* of StatusReply */
enum { TOLD_DIGITS = 16 };     /* of a key, in the audit trail */

/* ---- which node ---- */

/* A node that was made anew has several keys. */
struct sought {
    struct hs_call *call;
    const char *node_id, *key; /* how it begins, in hex; NULL: any */
    size_t count;
    enum hs_err bad; /* of a certificate that cannot be read */
    struct hs_certificate certificate;
    struct hs_buf encoded;
};

static enum hs_err look_at(void *ctx, struct hs_bytes key, struct hs_bytes encoded)
{
    struct sought *sought = ctx;
    char hex[2 * HS_KEY_BYTES + 1];
    struct hs_certificate certificate;
    enum hs_err err = hs_certificate_verify(encoded, &hs_store_certificate(sought->call->desk->options.store)->root_key,
                                            &certificate);
    if (err != HS_OK)
        sought->bad = err;
    if (err != HS_OK || strcmp(certificate.node_id, sought->node_id) != 0)
        return HS_OK;
    hs_text_to_hex(key, hex);
    if (sought->key != NULL && strncmp(hex, sought->key, strlen(sought->key)) != 0)
        return HS_OK;
    sought->count++;
    sought->certificate = certificate;
    hs_buf_reset(&sought->encoded);
    hs_buf_put_bytes(&sought->encoded, encoded);
    return sought->encoded.err;
}

static enum hs_err find_node(struct sought *sought, struct hs_view *view)
{
    struct hs_call *call = sought->call;
    enum hs_err err = hs_view_certificates(view, look_at, sought);
    if (err == HS_OK && sought->count == 0 && sought->bad != HS_OK)
        err = sought->bad;
    if (err != HS_OK)
        return err;
    if (sought->count == 0)
        return hs_fail(HS_ENOTFOUND, &call->why, "node_id: no node %s with such a key has joined", sought->node_id);
    return sought->count == 1 ? HS_OK
                              : hs_fail(HS_EINVAL, &call->why,
                                        "key: %s was made anew and has %zu keys: which one?  node list --json names "
                                        "them, and since when; the first digits are enough",
                                        sought->node_id, sought->count);
}

static enum hs_err check_text(struct hs_call *call, const char *field, const char *text, size_t bytes_max)
{
    size_t size = text == NULL ? 0 : strlen(text);
    if (size == 0)
        return hs_fail(HS_EREQUIRED, &call->why, "%s: it is kept with the decision, and shown", field);
    return size <= bytes_max ? HS_OK : hs_fail(HS_ETOOBIG, &call->why, "%s: at most %zu bytes", field, bytes_max);
}

static enum hs_err check_issuer(struct hs_call *call)
{
    if (call->desk->options.issuer != NULL)
        return HS_OK;
    return hs_fail(HS_ENOTHUB, &call->why,
                   "this hub has no issuing key: do it at one that has, or sign it with the region's root key");
}

static struct hs_authority authority_of(const struct hs_call *call)
{
    const struct hs_service_options *options = &call->desk->options;
    return (struct hs_authority){options->issuer_signed, options->issuer};
}

/* ---- revoking ---- */

enum hs_err hs_revoke_prepare(struct hs_call *call)
{
    const Hallsync__RevokeRequest *request = call->request->revoke;
    call->job.weight = HS_REVOCATION_BYTES_MAX;
    if (request->has_revocation)
        return request->revocation.len <= HS_REVOCATION_BYTES_MAX
                   ? HS_OK
                   : hs_fail(HS_ETOOBIG, &call->why, "revocation: at most %d bytes", HS_REVOCATION_BYTES_MAX);
    enum hs_err err = check_issuer(call);
    return err == HS_OK ? check_text(call, "reason", request->reason, HS_REASON_BYTES_MAX) : err;
}

/* The node as its certificate names it; the key by its first digits: the same by which people name it. */
static enum hs_err tell(struct hs_call *call, struct hs_store *store, const char *action,
                        const struct hs_certificate *node)
{
    char hex[2 * HS_KEY_BYTES + 1];
    hs_text_to_hex(HS_BYTES(node->node_key.bytes, HS_KEY_BYTES), hex);
    hex[TOLD_DIGITS] = '\0';
    struct hs_audited what = {
        .action = action, .partition = HS_PARTITION_REGION, .node_id = node->node_id, .detail = hex};
    return hs_audit_write(call, store, &what);
}

static enum hs_err revoke_by_issuer(struct sought *sought, struct hs_store *store)
{
    struct hs_call *call = sought->call;
    struct hs_authority authority = authority_of(call);
    struct hs_buf row = {0};
    if (sought->certificate.role == HS_ROLE_HUB)
        return hs_fail(HS_EREFUSED, &call->why,
                       "node_id: %s is a hub: only the region's root key revokes a hub (--root FILE)", sought->node_id);
    enum hs_err err = hs_revocation_sign(hs_buf_bytes(&sought->encoded), call->request->revoke->reason, hs_now_ms(),
                                         &authority, &row);
    if (err == HS_EINVAL)
        hs_fail(err, &call->why, "reason: text without control characters");
    if (err == HS_OK)
        err = hs_store_put_revocation(store, hs_buf_bytes(&row));
    if (err == HS_OK)
        err = tell(call, store, "revoke", &sought->certificate);
    hs_buf_fini(&row);
    return err;
}

static enum hs_err take_revocation(struct hs_call *call, struct hs_store *store, struct hs_key *key)
{
    const Hallsync__RevokeRequest *request = call->request->revoke;
    struct hs_revocation revocation;
    struct hs_bytes row = HS_BYTES(request->revocation.data, request->revocation.len);
    enum hs_err err = hs_revocation_verify(row, &hs_store_certificate(store)->root_key, &revocation);
    if (err == HS_OK && strcmp(revocation.node.node_id, request->node_id) != 0)
        err = HS_EINVAL;
    if (err != HS_OK)
        return hs_fail(err, &call->why, "revocation: it is not one of %s by this region's root key", request->node_id);
    *key = revocation.node.node_key;
    struct hs_bytes known;
    err = hs_view_revocation(hs_store_view(store), key, &known);
    if (err != HS_ENOTFOUND)
        return err;
    err = hs_store_put_revocation(store, row);
    return err == HS_OK ? tell(call, store, "revoke", &revocation.node) : err;
}

enum hs_err hs_revoke_run(struct hs_call *call, struct hs_store *store)
{
    const Hallsync__RevokeRequest *request = call->request->revoke;
    struct sought sought = {.call = call, .node_id = request->node_id, .key = request->key};
    struct hs_view *view = hs_store_view(store);
    struct hs_bytes encoded;
    struct hs_key key;
    enum hs_err err;
    if (request->has_revocation) {
        err = take_revocation(call, store, &key);
    } else {
        err = find_node(&sought, view);
        key = sought.certificate.node_key;
        if (err == HS_OK)
            err = hs_view_revocation(view, &key, &encoded);
        if (err == HS_ENOTFOUND && sought.count == 1)
            err = revoke_by_issuer(&sought, store);
    }
    if (err == HS_OK)
        err = hs_view_certificate(view, &key, &encoded);
    if (err == HS_OK)
        err = hs_node_put(call, view, HS_BYTES(key.bytes, HS_KEY_BYTES), encoded);
    call->job.torn = call->job.torn || err == HS_ENOMEM; /* what is written goes with it */
    hs_buf_fini(&sought.encoded);
    return err;
}

enum hs_err hs_revoked_read(const struct hs_store *store, struct hs_view *view, const struct hs_key *key,
                            struct hs_revocation *revocation)
{
    struct hs_bytes row;
    enum hs_err err = hs_view_revocation(view, key, &row);
    if (err != HS_OK)
        return err;
    err = hs_revocation_verify(row, &hs_store_certificate(store)->root_key, revocation);
    if (err == HS_OK || err == HS_ENOMEM)
        return err;
    *revocation = (struct hs_revocation){.reason = "what the revocation says is damaged on this disk"};
    return HS_OK;
}

/* ---- releasing ---- */

struct releasing {
    struct hs_release release;
    size_t count; /* of all that is withheld of that key, released or not */
};

/* What the peers' thread has said last is withheld, of this node and key; the answer says it. */
static enum hs_err take_withheld(struct hs_call *call, struct hs_bytes partial, struct releasing *releasing)
{
    const Hallsync__ReleaseRequest *request = call->request->release;
    struct hs_cur cur = hs_cur_of(partial);
    struct hs_tlv tlv;
    char key[2 * HS_KEY_BYTES + 1] = "";
    while (hs_tlv_next(&cur, &tlv)) {
        ProtobufCMessage *message;
        if (tlv.number != STATUS_WITHHELD || tlv.wire != HS_WIRE_BYTES ||
            hs_msg_unpack(&hallsync__withheld_status__descriptor, tlv.bytes, &call->arena, &message) != HS_OK)
            continue;
        const Hallsync__WithheldStatus *row = (const Hallsync__WithheldStatus *)message;
        if (strcmp(row->node_id, request->node_id) != 0 || strlen(row->key) >= sizeof key ||
            (request->key != NULL && strncmp(row->key, request->key, strlen(request->key)) != 0) ||
            releasing->release.count == HS_RELEASE_HEADS_MAX)
            continue;
        if (key[0] != '\0' && strcmp(key, row->key) != 0)
            return hs_fail(HS_EINVAL, &call->why, "key: operations of several keys of %s wait: which one?",
                           request->node_id);
        snprintf(key, sizeof key, "%s", row->key);
        if (!hs_released_of(row, &releasing->release.heads[releasing->release.count]))
            continue;
        releasing->release.count++;
        hs_call_put(&call->bytes, REPLY_RELEASED, message);
    }
    if (releasing->release.count == 0)
        return hs_fail(HS_ENOTFOUND, &call->why,
                       "node_id: nothing of a revoked key of %s waits at a node that is connected to this hub",
                       request->node_id);
    return hs_text_from_hex(key, strlen(key), releasing->release.node_key.bytes, HS_KEY_BYTES);
}

static enum hs_err prepare_release(struct hs_call *call, struct releasing *releasing)
{
    const Hallsync__ReleaseRequest *request = call->request->release;
    const struct hs_service_hooks *hooks = &call->desk->options.hooks;
    struct hs_buf partial = {0};
    enum hs_err err = check_issuer(call);
    if (err == HS_OK)
        err = check_text(call, "reason", request->reason, HS_REASON_BYTES_MAX);
    if (err == HS_OK)
        err = check_text(call, "name", request->name, HS_PERSON_BYTES_MAX);
    if (err != HS_OK)
        return err;
    if (hooks->status != NULL)
        hooks->status(hooks->ctx, &partial);
    err = partial.err == HS_OK ? take_withheld(call, hs_buf_bytes(&partial), releasing) : partial.err;
    hs_buf_fini(&partial);
    snprintf(releasing->release.reason, sizeof releasing->release.reason, "%s", request->reason);
    snprintf(releasing->release.name, sizeof releasing->release.name, "%s", request->name);
    releasing->release.time_ms = hs_now_ms();
    return err;
}

enum hs_err hs_release_prepare(struct hs_call *call)
{
    const Hallsync__ReleaseRequest *request = call->request->release;
    struct releasing *releasing = hs_arena_alloc(&call->arena, sizeof *releasing);
    if (releasing == NULL)
        return HS_ENOMEM;
    *releasing = (struct releasing){0};
    call->plan = releasing;
    call->job.weight = HS_RELEASE_BYTES_MAX;
    if (!request->has_release)
        return prepare_release(call, releasing);
    return request->release.len <= HS_RELEASE_BYTES_MAX
               ? HS_OK
               : hs_fail(HS_ETOOBIG, &call->why, "release: at most %d bytes", HS_RELEASE_BYTES_MAX);
}

/* Whose key it is the store knows, whatever the request says. */
static enum hs_err find_released(struct hs_call *call, struct hs_store *store, const struct hs_release *release,
                                 struct hs_certificate *node)
{
    const char *node_id = call->request->release->node_id;
    struct hs_bytes encoded;
    enum hs_err err = hs_view_certificate(hs_store_view(store), &release->node_key, &encoded);
    if (err == HS_OK)
        err = hs_certificate_verify(encoded, &hs_store_certificate(store)->root_key, node);
    if (err == HS_ENOTFOUND || (err == HS_OK && strcmp(node->node_id, node_id) != 0))
        return hs_fail(HS_EINVAL, &call->why, "release: it is not about a key of %s", node_id);
    return err;
}

/* What has been released before, by the same signer or by the root: whatever becomes of the one now, that stands. */
struct covering {
    const struct hs_key *root;
    const struct hs_release *release;
    struct hs_release *held; /* room for one */
    bool known[HS_RELEASE_HEADS_MAX];
};

static bool has_head(const struct hs_release *release, const struct hs_released *head)
{
    for (size_t i = 0; i < release->count; i++) {
        const struct hs_released *held = &release->heads[i];
        if (hs_stream_equal(&held->stream, &head->stream) && held->n == head->n &&
            hs_hash_equal(&held->hash, &head->hash))
            return true;
    }
    return false;
}

static enum hs_err cover(void *ctx, struct hs_bytes key, struct hs_bytes encoded)
{
    struct covering *covering = ctx;
    const struct hs_release *release = covering->release;
    if (key.size < HS_KEY_BYTES || memcmp(key.data, release->node_key.bytes, HS_KEY_BYTES) != 0)
        return HS_OK;
    enum hs_err err = hs_release_verify(encoded, covering->root, covering->held);
    if (err != HS_OK)
        return err == HS_ENOMEM ? err : HS_OK; /* one that rotted releases nothing */
    if (!covering->held->is_by_root && !hs_key_equal(&covering->held->signer, &release->signer))
        return HS_OK;
    for (size_t i = 0; i < release->count; i++)
        covering->known[i] = covering->known[i] || has_head(covering->held, &release->heads[i]);
    return HS_OK;
}

static enum hs_err is_covered(struct hs_call *call, struct hs_store *store, const struct hs_release *release,
                              bool *covered)
{
    struct covering covering = {.root = &hs_store_certificate(store)->root_key,
                                .release = release,
                                .held = hs_arena_alloc(&call->scratch, sizeof *covering.held)};
    if (covering.held == NULL)
        return HS_ENOMEM;
    enum hs_err err = hs_view_releases(hs_store_view(store), cover, &covering);
    *covered = true;
    for (size_t i = 0; i < release->count; i++)
        *covered = *covered && covering.known[i];
    return err;
}

static enum hs_err put_release(struct hs_call *call, struct hs_store *store, struct hs_bytes row)
{
    struct hs_release *release = hs_arena_alloc(&call->scratch, sizeof *release);
    struct hs_certificate node;
    bool covered = false;
    if (release == NULL)
        return HS_ENOMEM;
    enum hs_err err = hs_release_verify(row, &hs_store_certificate(store)->root_key, release);
    if (hs_err_class(err) == HS_CLASS_PEER)
        return hs_fail(err, &call->why, "release: it is not one by this region's root key");
    if (err == HS_OK)
        err = find_released(call, store, release, &node);
    if (err == HS_OK)
        err = is_covered(call, store, release, &covered);
    if (err != HS_OK || covered)
        return err;
    err = hs_store_put_release(store, row);
    return err == HS_OK ? tell(call, store, "admit", &node) : err;
}

enum hs_err hs_release_run(struct hs_call *call, struct hs_store *store)
{
    const Hallsync__ReleaseRequest *request = call->request->release;
    const struct releasing *releasing = call->plan;
    struct hs_authority authority = authority_of(call);
    struct hs_buf row = {0};
    hs_buf_put_bytes(&call->body, hs_buf_bytes(&call->bytes));
    if (request->has_release)
        return put_release(call, store, HS_BYTES(request->release.data, request->release.len));
    enum hs_err err = hs_release_sign(&releasing->release, &authority, &row);
    if (err == HS_EINVAL)
        hs_fail(err, &call->why, "reason, name: text without control characters");
    if (err == HS_OK)
        err = put_release(call, store, hs_buf_bytes(&row));
    hs_buf_fini(&row);
    return err;
}
