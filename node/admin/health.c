/* /healthz: for programs that look whether this one works; no login, and no word about the region. */
#include "node/admin/handlers.h"

void admin_get_health(struct admin_request *request)
{
    if (admin_node_answers(request->admin))
        admin_answer_json(request, json_pack("{s:s}", "state", "ok"));
    else
        admin_answer_error(request, 503, "node-gone", "the node does not answer", "节点没有应答");
}
