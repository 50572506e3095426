/* The registry: who belongs to the region. */
#include "node/admin/changes.h"
#include "node/admin/handlers.h"
#include "node/json/json.h"

static json_t *node_json(Hallsync__Node *node)
{
    node->has_certificate = false;
    return hs_json_message(&node->base);
}

void admin_get_registry(struct admin_request *request)
{
    Hallsync__NodesRequest body = HALLSYNC__NODES_REQUEST__INIT;
    Hallsync__Request message = HALLSYNC__REQUEST__INIT;
    const Hallsync__Reply *reply;
    message.body_case = HALLSYNC__REQUEST__BODY_NODES;
    message.nodes = &body;
    if (!admin_call(request, &message, HALLSYNC__REPLY__BODY_NODES, &reply))
        return;
    json_t *nodes = json_array();
    for (size_t i = 0; i < reply->nodes->n_nodes; i++)
        json_array_append_new(nodes, node_json(reply->nodes->nodes[i]));
    admin_answer_json(request, json_pack("{s:o}", "nodes", nodes));
}

/* Answered with the node as it is then. */
static void change_node(struct admin_request *request, const struct admin_change *change)
{
    const Hallsync__Reply *reply;
    if (!admin_call(request, &change->request, HALLSYNC__REPLY__BODY_NODES, &reply))
        return;
    json_t *node = reply->nodes->n_nodes == 1 ? node_json(reply->nodes->nodes[0]) : json_null();
    admin_answer_json(request, json_pack("{s:o}", "node", node));
}

void admin_post_enroll(struct admin_request *request)
{
    Hallsync__EnrollRequest body = HALLSYNC__ENROLL_REQUEST__INIT;
    uint32_t districts[ADMIN_DISTRICTS_MAX];
    struct admin_change change;
    const Hallsync__Reply *reply;
    const json_t *ttl = json_object_get(request->input, "ttl_ms");
    body.has_rebuild = body.rebuild = json_is_true(json_object_get(request->input, "rebuild"));
    if (!admin_change_begin(request, &change) || (body.node_id = admin_wanted(request, "node_id")) == NULL ||
        (!body.rebuild && !admin_districts(request, districts, &body.n_districts)))
        return;
    body.districts = districts;
    body.role = body.rebuild ? NULL : (char *)(uintptr_t)admin_input(request, "role"); /* only read */
    body.ttl_ms = json_is_integer(ttl) && json_integer_value(ttl) > 0 ? (uint64_t)json_integer_value(ttl) : 0;
    change.request.body_case = HALLSYNC__REQUEST__BODY_ENROLL;
    change.request.enroll = &body;
    if (admin_call(request, &change.request, HALLSYNC__REPLY__BODY_ENROLL, &reply))
        admin_answer_json(request, hs_json_message(&reply->enroll->base));
}

void admin_post_scope(struct admin_request *request)
{
    Hallsync__ScopeRequest body = HALLSYNC__SCOPE_REQUEST__INIT;
    uint32_t districts[ADMIN_DISTRICTS_MAX];
    struct admin_change change;
    if (!admin_change_begin(request, &change) || (body.node_id = admin_wanted(request, "node_id")) == NULL ||
        !admin_districts(request, districts, &body.n_districts))
        return;
    body.districts = districts;
    change.request.body_case = HALLSYNC__REQUEST__BODY_SCOPE;
    change.request.scope = &body;
    change_node(request, &change);
}

void admin_post_revoke(struct admin_request *request)
{
    Hallsync__RevokeRequest body = HALLSYNC__REVOKE_REQUEST__INIT;
    struct admin_change change;
    if (!admin_change_begin(request, &change) || (body.node_id = admin_wanted(request, "node_id")) == NULL)
        return;
    body.key = (char *)(uintptr_t)admin_input(request, "key"); /* only read */
    body.reason = change.request.reason;
    change.request.body_case = HALLSYNC__REQUEST__BODY_REVOKE;
    change.request.revoke = &body;
    change_node(request, &change);
}
