/* Asking the node, for handlers. */
#include "node/admin/inside.h"

#include "proto/base/thread.h"

#include <stdio.h>
#include <string.h>

const struct admin_status *admin_status_hold(struct admin *admin)
{
    return admin_poll_hold(admin->poll);
}

bool admin_node_answers(struct admin *admin)
{
    return admin_poll_answers(admin->poll);
}

static void gone(struct admin_request *request)
{
    admin_answer_error(request, 503, "node-gone", "the node does not answer: is hallsyncd running?",
                       "节点没有应答：hallsyncd 是否在运行？");
}

static void refused(struct admin_request *request, const Hallsync__Reply *reply)
{
    struct hs_why why = {0};
    enum hs_err err = hs_err_by_name(reply->error);
    snprintf(why.text, sizeof why.text, "%s", reply->text != NULL ? reply->text : reply->error);
    admin_answer_fail(request, err, &why);
}

bool admin_call(struct admin_request *request, const Hallsync__Request *message, int body,
                const Hallsync__Reply **reply)
{
    return admin_call_but(request, message, body, HS_OK, reply);
}

/* Within the request's time. */
static enum hallsync_status ask(struct admin_request *request, const Hallsync__Request *message,
                                const Hallsync__Reply **reply)
{
    uint8_t id[16];
    uint64_t now_ms = hs_tick_ms();
    *reply = NULL;
    if (now_ms >= request->until_ms)
        return HALLSYNC_TIMEOUT;
    hallsync_set_timeout(request->node, (unsigned)(request->until_ms - now_ms));
    return hallsync_call(request->node, message, id, reply);
}

bool admin_call_but(struct admin_request *request, const Hallsync__Request *message, int body, enum hs_err but,
                    const Hallsync__Reply **reply)
{
    if (request->node == NULL) {
        admin_answer_fail(request, HS_ENOMEM, NULL);
        return false;
    }
    if (!admin_node_answers(request->admin)) { /* nobody waits for what is known to be gone */
        gone(request);
        return false;
    }
    enum hallsync_status status = ask(request, message, reply);
    if (status == HALLSYNC_TIMEOUT && but == HS_ETIMEDOUT)
        return true;
    if (status == HALLSYNC_OK && (body < 0 || (*reply)->body_case == (Hallsync__Reply__BodyCase)body))
        return true;
    if (status == HALLSYNC_REFUSED && but != HS_OK && strcmp((*reply)->error, hs_err_name(but)) == 0)
        return true;
    if (status == HALLSYNC_REFUSED)
        refused(request, *reply);
    else if (status == HALLSYNC_TIMEOUT || status == HALLSYNC_SYSTEM)
        gone(request);
    else if (status == HALLSYNC_MEMORY)
        admin_answer_fail(request, HS_ENOMEM, NULL);
    else
        admin_answer_fail(request, HS_EINTERNAL, NULL);
    return false;
}
