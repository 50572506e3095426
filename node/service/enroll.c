/* Join tokens, and the nodes that have come of them. */
#include "node/service/handlers.h"

#include "node/enrol/enrol.h"
#include "node/service/audit.h"
#include "node/service/lives.h"
#include "node/service/revoke.h"
#include "proto/base/text.h"
#include "proto/keys.pb-c.h"
#include "proto/msg/frame.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define TTL_MS_MIN 1000
#define TTL_MS_MAX (366ULL * 24 * 3600 * 1000)
enum { REPLY_NODES = 1 };

#define REPLACED_MAX 16 /* keys of one node that are named */

struct enrolling {
    struct hs_hash secret_hash;
    struct hs_enrolment enrolment;
    /* of a node that is made anew */
    char *replaced[REPLACED_MAX];
    size_t replaced_count;
    bool live;
};

/* ---- the request checked ---- */

static enum hs_err take_role(struct hs_call *call, struct hs_enrol_draft *draft)
{
    static const enum hs_role roles[] = {HS_ROLE_HALL, HS_ROLE_HUB, HS_ROLE_WITNESS};
    const char *role = call->request->enroll->role;
    draft->role = HS_ROLE_HALL;
    for (size_t i = 0; role != NULL && i < sizeof roles / sizeof *roles; i++) {
        if (strcmp(role, hs_role_text(roles[i])) == 0) {
            draft->role = roles[i];
            return HS_OK;
        }
    }
    return role == NULL ? HS_OK : hs_fail(HS_EVALUE, &call->why, "role: 'hall', 'hub' or 'witness', not '%s'", role);
}

enum hs_err hs_districts_take(struct hs_call *call, const uint32_t *from, size_t count, hs_partition **districts)
{
    *districts = hs_arena_array(&call->arena, count, sizeof **districts);
    if (*districts == NULL)
        return HS_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        if (!hs_partition_valid(from[i]) || from[i] == HS_PARTITION_REGION)
            return hs_fail(HS_EVALUE, &call->why, "districts: %u is no district of four digits", (unsigned)from[i]);
        (*districts)[i] = (hs_partition)from[i];
    }
    return HS_OK;
}

static enum hs_err take_districts(struct hs_call *call, struct hs_enrol_draft *draft)
{
    const Hallsync__EnrollRequest *request = call->request->enroll;
    hs_partition *districts;
    enum hs_err err = hs_districts_take(call, request->districts, request->n_districts, &districts);
    if (err == HS_OK) {
        draft->districts = districts;
        draft->district_count = request->n_districts;
    }
    return err;
}

static enum hs_err take_asked(struct hs_call *call, struct hs_enrol_draft *draft)
{
    enum hs_err err = take_role(call, draft);
    return err == HS_OK ? take_districts(call, draft) : err;
}

static enum hs_err take_node(struct hs_call *call, struct hs_enrol_draft *draft)
{
    const Hallsync__EnrollRequest *request = call->request->enroll;
    const struct hs_certificate *own = hs_store_certificate(call->desk->options.store);
    if (strcmp(request->node_id, own->node_id) == 0)
        return hs_fail(HS_EEXISTS, &call->why, "node_id: %s is this hub itself", own->node_id);
    if (request->ttl_ms < TTL_MS_MIN || request->ttl_ms > TTL_MS_MAX)
        return hs_fail(HS_EVALUE, &call->why, "ttl: a token is good for 1 second to 366 days");
    draft->node_id = request->node_id;
    draft->now_ms = hs_now_ms();
    draft->ttl_ms = request->ttl_ms;
    return HS_OK;
}

/* ---- a node that is made anew ---- */

struct again {
    struct hs_call *call;
    struct hs_view *view;
    struct enrolling *enrolling;
    bool found;
    struct hs_certificate newest;
};

static enum hs_err take_life(void *ctx, const struct hs_certificate *certificate)
{
    struct again *again = ctx;
    struct enrolling *enrolling = again->enrolling;
    struct hs_revocation revocation;
    char hex[2 * HS_KEY_BYTES + 1];
    if (!again->found || certificate->issued_ms > again->newest.issued_ms)
        again->newest = *certificate;
    again->found = true;
    bool live = false;
    const struct hs_service_hooks *hooks = &again->call->desk->options.hooks;
    if (hooks->seen != NULL)
        hooks->seen(hooks->ctx, &certificate->node_key, &live);
    enrolling->live = enrolling->live || live;
    enum hs_err err = hs_revoked_read(again->call->desk->options.store, again->view, &certificate->node_key,
                                      &revocation);
    if (err != HS_ENOTFOUND || enrolling->replaced_count == REPLACED_MAX)
        return err == HS_ENOTFOUND ? HS_OK : err;
    hs_text_to_hex(HS_BYTES(certificate->node_key.bytes, HS_KEY_BYTES), hex);
    char *key = hs_arena_text(&again->call->arena, HS_BYTES(hex, sizeof hex - 1));
    if (key == NULL)
        return HS_ENOMEM;
    enrolling->replaced[enrolling->replaced_count++] = key;
    return HS_OK;
}

/* The home first, for that is how an enrolment has them. */
static enum hs_err take_places(struct hs_call *call, const struct hs_certificate *newest, struct hs_enrol_draft *draft)
{
    hs_partition *districts = hs_arena_array(&call->arena, newest->district_count + 1, sizeof *districts);
    if (districts == NULL)
        return HS_ENOMEM;
    districts[0] = newest->home;
    draft->districts = districts;
    draft->district_count = 1;
    for (size_t i = 0; i < newest->district_count; i++) {
        if (newest->districts[i] != newest->home)
            districts[draft->district_count++] = newest->districts[i];
    }
    draft->role = newest->role;
    return HS_OK;
}

static enum hs_err take_again(struct hs_call *call, struct enrolling *enrolling, struct hs_enrol_draft *draft)
{
    const struct hs_service_options *options = &call->desk->options;
    struct again again = {.call = call, .enrolling = enrolling};
    if (call->request->enroll->n_districts != 0 || call->request->enroll->role != NULL)
        return hs_fail(HS_EINVAL, &call->why,
                       "a node that is made anew has the role and the districts that it had; node scope changes them");
    enum hs_err err = hs_view_open(options->store, 0, 0, &again.view);
    if (err != HS_OK)
        return err;
    err = hs_lives_of(options->store, again.view, draft->node_id, take_life, &again);
    hs_view_close(again.view);
    if (err == HS_OK && !again.found)
        return hs_fail(HS_ENOTFOUND, &call->why, "node_id: no node %s has joined, as far as this hub knows",
                       draft->node_id);
    return err == HS_OK ? take_places(call, &again.newest, draft) : err;
}

/* ---- the token ---- */

static void wipe(struct hs_buf *text)
{
    if (text->data != NULL)
        sodium_memzero(text->data, text->room);
    hs_buf_fini(text);
}

/* The secret leaves in the reply; what stays here is its hash. */
static enum hs_err make_token(struct hs_call *call, const struct hs_enrol_draft *draft, struct enrolling *enrolling)
{
    const struct hs_service_options *options = &call->desk->options;
    struct hs_buf text = {0};
    Hallsync__EnrollReply reply = HALLSYNC__ENROLL_REPLY__INIT;
    if (options->peer_address_count == 0)
        return hs_fail(HS_EADDRESS, &call->why,
                       "this hub listens for peers nowhere: see listen.peers in its configuration");
    enum hs_err err = hs_enrol_token(draft, hs_store_certificate(options->store), options->peer_addresses,
                                     options->peer_address_count, &text, &enrolling->secret_hash, &enrolling->enrolment,
                                     &call->why);
    hs_buf_put_u8(&text, 0);
    if (err == HS_OK)
        err = text.err;
    if (err == HS_OK) {
        reply.token = (char *)text.data;
        reply.expires_ms = enrolling->enrolment.expires_ms;
        reply.n_replaced_keys = enrolling->replaced_count;
        reply.replaced_keys = enrolling->replaced;
        reply.has_live = reply.live = enrolling->live;
        hs_msg_pack(&reply.base, &call->bytes);
    }
    wipe(&text);
    return err;
}

enum hs_err hs_enroll_prepare(struct hs_call *call)
{
    struct hs_enrol_draft draft = {0};
    struct enrolling *enrolling = hs_arena_alloc(&call->arena, sizeof *enrolling);
    if (enrolling == NULL)
        return HS_ENOMEM;
    if (call->desk->options.issuer == NULL)
        return hs_fail(HS_ENOTHUB, &call->why, "this hub has no issuing key");
    *enrolling = (struct enrolling){0};
    enum hs_err err = take_node(call, &draft);
    if (err == HS_OK && call->request->enroll->has_rebuild && call->request->enroll->rebuild)
        err = take_again(call, enrolling, &draft);
    else if (err == HS_OK)
        err = take_asked(call, &draft);
    if (err == HS_OK)
        err = make_token(call, &draft, enrolling);
    call->plan = enrolling;
    call->job.weight = sizeof *enrolling;
    return err;
}

static enum hs_err tell(struct hs_call *call, struct hs_store *store, const struct hs_enrolment *enrolment)
{
    bool again = call->request->enroll->has_rebuild && call->request->enroll->rebuild;
    struct hs_buf text = {0};
    const char *districts = hs_audit_districts(call, enrolment->districts, enrolment->district_count);
    hs_buf_put_format(&text, "%s %s", hs_role_text(enrolment->role), districts != NULL ? districts : "");
    const char *detail = text.err == HS_OK ? hs_arena_text(&call->scratch, hs_buf_bytes(&text)) : NULL;
    hs_buf_fini(&text);
    call->job.torn = districts == NULL || detail == NULL;
    if (call->job.torn)
        return HS_ENOMEM;
    struct hs_audited what = {.action = again ? "rebuild" : "enroll",
                              .partition = HS_PARTITION_REGION,
                              .node_id = enrolment->node_id,
                              .detail = detail};
    return hs_audit_write(call, store, &what);
}

enum hs_err hs_enroll_run(struct hs_call *call, struct hs_store *store)
{
    const struct enrolling *enrolling = call->plan;
    hs_buf_put_bytes(&call->body, hs_buf_bytes(&call->bytes)); /* the answer was made with the token */
    enum hs_err err = hs_store_put_enrolment(store, &enrolling->secret_hash, &enrolling->enrolment);
    return err == HS_OK ? tell(call, store, &enrolling->enrolment) : err;
}

/* ---- the list of nodes ---- */

static void add_node(struct hs_call *call, Hallsync__Node *node, enum hs_role role, const char *state)
{
    node->role = (char *)(uintptr_t)hs_role_text(role);
    node->state = (char *)(uintptr_t)state;
    hs_call_put(&call->body, REPLY_NODES, &node->base);
}

static enum hs_err add_enrolment(void *ctx, const struct hs_enrolment *enrolment)
{
    struct hs_call *call = ctx;
    uint32_t districts[HS_SCOPE_MAX];
    Hallsync__Node node = HALLSYNC__NODE__INIT;
    if (enrolment->used)
        return HS_OK; /* its certificate is listed */
    node.node_id = (char *)(uintptr_t)enrolment->node_id;
    node.districts = districts;
    for (size_t i = 0; i < enrolment->district_count && i < HS_SCOPE_MAX; i++)
        districts[node.n_districts++] = enrolment->districts[i];
    node.has_since_ms = true;
    node.since_ms = enrolment->created_ms;
    node.has_expires_ms = true;
    node.expires_ms = enrolment->expires_ms;
    add_node(call, &node, enrolment->role, hs_now_ms() < enrolment->expires_ms ? "enrolled" : "expired");
    return call->body.err;
}

/* Certificates in the store have been verified when they came. */
static enum hs_err read_body(struct hs_bytes certificate, struct hs_arena *arena, const Hallsync__NodeBody **body)
{
    ProtobufCMessage *message;
    enum hs_err err = hs_msg_unpack(&hallsync__certificate__descriptor, certificate, arena, &message);
    if (err == HS_OK) {
        const Hallsync__Signed *node = ((const Hallsync__Certificate *)message)->node;
        err = hs_msg_unpack(&hallsync__node_body__descriptor, HS_BYTES(node->body.data, node->body.len), arena,
                            &message);
    }
    if (err == HS_OK)
        *body = (const Hallsync__NodeBody *)message;
    return err == HS_OK || err == HS_ENOMEM ? err : HS_EDAMAGED;
}

/* Whose key it is no more. */
static enum hs_err add_revocation(struct hs_call *call, struct hs_view *view, const struct hs_key *key,
                                  struct hs_revocation *revocation, Hallsync__Node *node)
{
    enum hs_err err = hs_revoked_read(call->desk->options.store, view, key, revocation);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err;
    node->reason = revocation->reason;
    node->has_revoked_ms = revocation->time_ms != 0;
    node->revoked_ms = revocation->time_ms;
    return HS_OK;
}

static bool wants_certificates(const struct hs_call *call)
{
    return call->request->body_case == HALLSYNC__REQUEST__BODY_NODES && call->request->nodes->has_certificates &&
           call->request->nodes->certificates;
}

enum hs_err hs_node_put(struct hs_call *call, struct hs_view *view, struct hs_bytes key, struct hs_bytes certificate)
{
    const struct hs_service_hooks *hooks = &call->desk->options.hooks;
    const Hallsync__NodeBody *body;
    char hex[2 * HS_KEY_BYTES + 1];
    char curve_hex[2 * HS_KEY_BYTES + 1];
    Hallsync__Node node = HALLSYNC__NODE__INIT;
    bool live = false;
    hs_arena_reset(&call->scratch);
    enum hs_err err = key.size == HS_KEY_BYTES ? read_body(certificate, &call->scratch, &body) : HS_EDAMAGED;
    if (err != HS_OK)
        return err;
    if (body->curve_key.len != HS_KEY_BYTES)
        return HS_EDAMAGED;
    hs_text_to_hex(key, hex);
    hs_text_to_hex(HS_BYTES(body->curve_key.data, body->curve_key.len), curve_hex);
    node.node_id = body->node_id;
    node.n_districts = body->n_districts;
    node.districts = body->districts;
    node.key = hex;
    node.has_since_ms = true;
    node.since_ms = body->issued_ms;
    node.curve_key = curve_hex;
    node.has_home = true;
    node.home = body->home;
    struct hs_key node_key;
    memcpy(node_key.bytes, key.data, HS_KEY_BYTES);
    node.seen_ms = hooks->seen == NULL ? 0 : hooks->seen(hooks->ctx, &node_key, &live);
    node.has_seen_ms = node.seen_ms != 0;
    node.has_live = live;
    node.live = live;
    node.has_certificate = wants_certificates(call);
    if (node.has_certificate)
        node.certificate = (ProtobufCBinaryData){certificate.size, (uint8_t *)(uintptr_t)certificate.data};
    struct hs_revocation revocation;
    err = add_revocation(call, view, &node_key, &revocation, &node);
    if (err != HS_OK)
        return err;
    add_node(call, &node, (enum hs_role)body->role, node.reason != NULL ? "revoked" : "joined");
    return call->body.err;
}

struct listing {
    struct hs_call *call;
    struct hs_view *view;
};

static enum hs_err add_certificate(void *ctx, struct hs_bytes key, struct hs_bytes certificate)
{
    const struct listing *listing = ctx;
    return hs_node_put(listing->call, listing->view, key, certificate);
}

enum hs_err hs_nodes_read(struct hs_call *call, struct hs_view *view)
{
    enum hs_err err = hs_view_enrolments(view, add_enrolment, call);
    struct listing listing = {call, view};
    return err == HS_OK ? hs_view_certificates(view, add_certificate, &listing) : err;
}
