/* A hall or witness gets other districts: a certificate with the same keys, issued anew, which travels as a record of
 * the region.
 */
#include "node/service/handlers.h"

#include "node/service/audit.h"
#include "node/service/put.h"
#include "node/service/revoke.h"
#include "proto/base/hash.h"
#include "proto/msg/tlv.h"

#include <stdlib.h>
#include <string.h>

#define ID_DOMAIN "hallsync reissue 1"
#define ID_BYTES  16
enum { REISSUE_NODE_ID = 2, REISSUE_CERTIFICATE = 3 };

struct scope {
    hs_partition *districts; /* ascending, each once */
    size_t count;
};

static int compare_districts(const void *a, const void *b)
{
    return *(const hs_partition *)a - *(const hs_partition *)b;
}

static void sort_out(struct scope *scope)
{
    size_t kept = 0;
    qsort(scope->districts, scope->count, sizeof *scope->districts, compare_districts);
    for (size_t i = 0; i < scope->count; i++) {
        if (kept == 0 || scope->districts[kept - 1] != scope->districts[i])
            scope->districts[kept++] = scope->districts[i];
    }
    scope->count = kept;
}

enum hs_err hs_scope_prepare(struct hs_call *call)
{
    const Hallsync__ScopeRequest *request = call->request->scope;
    struct scope *scope = hs_arena_alloc(&call->arena, sizeof *scope);
    if (scope == NULL)
        return HS_ENOMEM;
    if (call->desk->options.issuer == NULL)
        return hs_fail(HS_ENOTHUB, &call->why, "this hub has no issuing key; the one that let the node in has");
    scope->count = request->n_districts;
    if (scope->count == 0 || scope->count > HS_SCOPE_MAX)
        return hs_fail(HS_EVALUE, &call->why, "a node has 1 to %d districts", HS_SCOPE_MAX);
    enum hs_err err = hs_districts_take(call, request->districts, request->n_districts, &scope->districts);
    if (err != HS_OK)
        return err;
    sort_out(scope);
    call->plan = scope;
    call->job.weight = HS_CERTIFICATE_BYTES_MAX;
    return HS_OK;
}

/* ---- the certificate that it has ---- */

/* A node that was made anew has several keys: the one certified last is in use. */
struct latest {
    struct hs_call *call;
    bool found;
    enum hs_err bad; /* of a certificate that cannot be read */
    struct hs_certificate certificate;
};

static enum hs_err look_at(void *ctx, struct hs_bytes key, struct hs_bytes encoded)
{
    struct latest *latest = ctx;
    const struct hs_certificate *own = hs_store_certificate(latest->call->desk->options.store);
    struct hs_certificate certificate;
    (void)key;
    enum hs_err err = hs_certificate_verify(encoded, &own->root_key, &certificate);
    if (err != HS_OK) {
        latest->bad = err;
        return HS_OK;
    }
    if (strcmp(certificate.node_id, latest->call->request->scope->node_id) != 0 ||
        (latest->found && certificate.issued_ms <= latest->certificate.issued_ms))
        return HS_OK;
    latest->found = true;
    latest->certificate = certificate;
    return HS_OK;
}

static enum hs_err check_node(struct hs_call *call, const struct latest *latest, const struct scope *scope)
{
    const char *node_id = call->request->scope->node_id;
    const struct hs_certificate *certificate = &latest->certificate;
    char home[HS_PARTITION_TEXT_BYTES];
    bool stays = false;
    struct hs_revocation revocation;
    if (!latest->found)
        return hs_fail(HS_ENOTFOUND, &call->why, "node_id: no node %s has joined", node_id);
    struct hs_store *store = call->desk->options.store;
    enum hs_err err = hs_revoked_read(store, hs_store_view(store), &certificate->node_key, &revocation);
    if (err != HS_OK && err != HS_ENOTFOUND)
        return err;
    if (err == HS_OK)
        return hs_fail(HS_EREVOKED, &call->why, "node_id: the key of %s was revoked: %s", node_id, revocation.reason);
    if (certificate->role == HS_ROLE_HUB)
        return hs_fail(HS_EINVAL, &call->why,
                       "node_id: %s is a hub; what a hub holds is said by scope.districts of its "
                       "own configuration",
                       node_id);
    for (size_t i = 0; i < scope->count; i++)
        stays = stays || scope->districts[i] == certificate->home;
    return stays ? HS_OK
                 : hs_fail(HS_EVALUE, &call->why, "districts: %s, the home of %s, must stay among them",
                           hs_partition_text(certificate->home, home), node_id);
}

/* ---- the new one ---- */

static enum hs_err write_fact(struct hs_store *store, const char *node_id, struct hs_bytes certificate,
                              struct hs_buf *fact)
{
    struct hs_hash hash = hs_hash_domain(ID_DOMAIN, certificate);
    struct hs_dot dot;
    hs_stamp stamp;
    hs_tlv_put_text(fact, REISSUE_NODE_ID, node_id);
    hs_tlv_put_bytes(fact, REISSUE_CERTIFICATE, certificate);
    if (fact->err != HS_OK)
        return fact->err;
    struct hs_write write = {
        .kind = HS_KIND_REISSUE, .id = HS_BYTES(hash.bytes, ID_BYTES), .is_fact = true, .fact = hs_buf_bytes(fact)};
    struct hs_draft draft = {
        .partition = HS_PARTITION_REGION, .lane = HS_LANE_PEOPLE, .writes = &write, .write_count = 1};
    return hs_store_write(store, &draft, &dot, &stamp);
}

static enum hs_err tell(struct hs_call *call, struct hs_store *store, const struct hs_certificate *certificate)
{
    struct hs_audited what = {.action = "scope",
                              .partition = HS_PARTITION_REGION,
                              .node_id = certificate->node_id,
                              .detail = hs_audit_districts(call, certificate->districts, certificate->district_count)};
    return what.detail != NULL ? hs_audit_write(call, store, &what) : HS_ENOMEM;
}

static enum hs_err reissue(struct hs_call *call, struct hs_store *store, struct hs_certificate *certificate)
{
    const struct hs_service_options *options = &call->desk->options;
    struct hs_buf encoded = {0}, fact = {0};
    uint64_t now = hs_now_ms();
    certificate->issued_ms = now > certificate->issued_ms ? now : certificate->issued_ms + 1;
    enum hs_err err = hs_certificate_sign(certificate, options->issuer_signed, options->issuer, &encoded);
    if (err == HS_OK)
        err = encoded.err;
    if (err == HS_OK)
        err = write_fact(store, certificate->node_id, hs_buf_bytes(&encoded), &fact);
    if (err == HS_OK)
        err = hs_store_put_certificate(store, hs_buf_bytes(&encoded));
    if (err == HS_OK)
        err = tell(call, store, certificate);
    if (err == HS_OK)
        err = hs_node_put(call, hs_store_view(store), HS_BYTES(certificate->node_key.bytes, HS_KEY_BYTES),
                          hs_buf_bytes(&encoded));
    call->job.torn = err != HS_OK;
    hs_buf_fini(&encoded);
    hs_buf_fini(&fact);
    return err;
}

/* The same districts again: nothing is written. */
static enum hs_err answer_unchanged(struct hs_call *call, struct hs_view *view,
                                    const struct hs_certificate *certificate)
{
    struct hs_bytes encoded = HS_BYTES_NONE;
    enum hs_err err = hs_view_certificate(view, &certificate->node_key, &encoded);
    return err == HS_OK ? hs_node_put(call, view, HS_BYTES(certificate->node_key.bytes, HS_KEY_BYTES), encoded) : err;
}

enum hs_err hs_scope_run(struct hs_call *call, struct hs_store *store)
{
    const struct scope *scope = call->plan;
    struct latest latest = {.call = call};
    size_t size = scope->count * sizeof *scope->districts;
    struct hs_view *view = hs_store_view(store);
    enum hs_err err = hs_view_certificates(view, look_at, &latest);
    if (err == HS_OK && !latest.found && latest.bad != HS_OK)
        err = latest.bad;
    if (err == HS_OK)
        err = check_node(call, &latest, scope);
    if (err != HS_OK)
        return err;
    struct hs_certificate *certificate = &latest.certificate;
    if (certificate->district_count == scope->count && memcmp(certificate->districts, scope->districts, size) == 0)
        return answer_unchanged(call, view, certificate);
    memcpy(certificate->districts, scope->districts, size);
    certificate->district_count = scope->count;
    return reissue(call, store, certificate);
}
