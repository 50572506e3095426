/* The gate: each request passes it before its handler sees it. */
#include "node/admin/handlers.h"
#include "node/admin/inside.h"

#include "proto/base/thread.h"

#include <string.h>

static bool foreign(struct admin_request *request, const char *text_en, const char *text_zh)
{
    admin_answer_error(request, 403, "foreign-origin", text_en, text_zh);
    return false;
}

bool admin_gate_origin(struct admin_request *request, const struct admin_asked *asked, bool changes)
{
    const struct admin *admin = request->admin;
    const struct hs_conf_admin *conf = &admin->conf->admin;
    if (asked->host == NULL || !admin_host_right(asked->host, conf->names, conf->names_count)) {
        admin_answer_error(request, 421, "foreign-name",
                           "this is not the name of this machine: name it in admin.names, or use its address",
                           "域名不属于本机：请在 admin.names 中列出，或使用 IP 地址");
        return false;
    }
    if (asked->origin != NULL && !admin_origin_right(asked->origin, asked->host, admin->tls))
        return foreign(request, "the request comes from another page", "请求来自其他网页");
    if (changes && asked->fetch_site != NULL && strcmp(asked->fetch_site, "same-origin") != 0 &&
        strcmp(asked->fetch_site, "none") != 0)
        return foreign(request, "the request comes from another page", "请求来自其他网页");
    /* A form of a foreign page can send text, but not this type without asking first. */
    if (changes && (asked->content_type == NULL || strncmp(asked->content_type, "application/json", 16) != 0)) {
        admin_answer_error(request, 415, "not-json", "send application/json", "请使用 application/json");
        return false;
    }
    return true;
}

static bool find_session(struct admin_request *request, const struct admin_asked *asked, struct admin_session *session)
{
    struct admin *admin = request->admin;
    request->session[0] = '\0';
    if (asked->cookie == NULL ||
        !admin_cookie(asked->cookie, ADMIN_COOKIE(admin->tls), request->session, sizeof request->session) ||
        !admin_sessions_find(admin->sessions, request->session, hs_tick_ms(), true, session)) {
        request->session[0] = '\0';
        return false;
    }
    return true;
}

bool admin_gate_role(struct admin_request *request, const struct admin_asked *asked)
{
    struct admin_session session = {.role = HS_USER_NOBODY};
    bool changes = strcmp(request->route->method, "GET") != 0;
    if (request->route->run == admin_get_metrics) /* for programs, which keep no session */
        return admin_gate_basic(request, asked);
    bool found = find_session(request, asked, &session);
    if (!found && request->route->role != HS_USER_NOBODY) {
        if (admin_userfile_count(request->admin->users) == 0)
            admin_answer_no_users(request);
        else
            admin_answer_error(request, 401, "no-session", "log in first", "请先登录");
        return false;
    }
    memcpy(request->who.name, session.user, sizeof request->who.name);
    request->who.role = session.role;
    memcpy(request->csrf, session.csrf, sizeof request->csrf);
    if (request->route->role == HS_USER_NOBODY)
        return true;
    if (changes && (asked->csrf == NULL || !admin_same(asked->csrf, session.csrf))) {
        admin_answer_error(request, 403, "no-token", "the header X-CSRF-Token is missing or not this session's",
                           "缺少 X-CSRF-Token，或与当前会话不符");
        return false;
    }
    if (session.role < request->route->role) {
        admin_answer_error(request, 403, "not-allowed", "your role may not do this", "您的角色无权执行此操作");
        return false;
    }
    return true;
}
