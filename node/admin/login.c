#include "node/admin/handlers.h"
#include "node/admin/inside.h"

#include "node/log/log.h"
#include "proto/base/thread.h"

#include <stdio.h>
#include <string.h>

static json_t *node_of(struct admin_request *request)
{
    const struct admin_status *status = admin_status_hold(request->admin);
    const struct hs_conf *conf = request->admin->conf;
    json_t *node = status != NULL ? json_pack("{s:s, s:s, s:s, s:s}", "node_id", status->reply->node_id, "role",
                                              status->reply->role, "region", status->reply->region, "version",
                                              status->reply->version)
                                  : json_pack("{s:s, s:s}", "node_id", conf->node.id, "role", conf->node.role);
    admin_status_release(status);
    return node;
}

static void answer_session(struct admin_request *request, const struct admin_session *session)
{
    admin_answer_json(request, json_pack("{s:s, s:s, s:s, s:i, s:o}", "user", session->user, "role",
                                         hs_user_role_text(session->role), "csrf", session->csrf, "utc_offset_minutes",
                                         request->admin->conf->utc_offset_minutes, "node", node_of(request)));
}

void admin_get_session(struct admin_request *request)
{
    struct admin_session session = {.role = request->who.role};
    if (session.role == HS_USER_NOBODY) { /* not an error: a page asks for it before anybody has logged in */
        bool any = admin_userfile_count(request->admin->users) != 0;
        admin_answer_json(request, json_pack("{s:n, s:b}", "user", "any_user", any));
        return;
    }
    memcpy(session.user, request->who.name, sizeof session.user);
    memcpy(session.csrf, request->csrf, sizeof session.csrf);
    answer_session(request, &session);
}

/* ---- in ---- */

static void set_cookie(struct admin_request *request, const char *value, const char *age)
{
    snprintf(request->answer.cookie, sizeof request->answer.cookie, "%s=%s; Path=/; HttpOnly; SameSite=Strict%s%s",
             ADMIN_COOKIE(request->admin->tls), value, request->admin->tls ? "; Secure" : "", age);
}

void admin_answer_too_often(struct admin_request *request, uint64_t wait_ms)
{
    char en[80], zh[80];
    unsigned seconds = (unsigned)((wait_ms + 999) / 1000);
    snprintf(en, sizeof en, "too many attempts: try again in %u s", seconds);
    snprintf(zh, sizeof zh, "尝试次数过多，请在 %u 秒后重试", seconds);
    request->answer.retry_after_s = seconds;
    admin_answer_error(request, 429, "too-often", en, zh);
}

/* The same answer, as late, whether there is such a user or not. */
enum hs_err admin_user_verify(struct admin_request *request, const char *name, const char *password,
                              struct hs_user *user)
{
    if (admin_userfile_find(request->admin->users, name, user))
        return hs_user_verify(user, password);
    return hs_user_verify_nobody(password);
}

static void deny(struct admin_request *request, const char *name)
{
    HS_LOG(ADMIN_LOGIN_DENIED, HS_WORD("user", name), HS_WORD("address", request->address));
    admin_answer_error(request, 401, "denied", "wrong user or password", "用户名或密码错误");
}

/* The file may have changed while the password was verified, and sessions follow only what changes later. */
static bool still_so(struct admin_request *request, const struct hs_user *user)
{
    struct hs_user now;
    return admin_userfile_find(request->admin->users, user->name, &now) && now.role == user->role &&
           strcmp(now.hash, user->hash) == 0;
}

static void begin_session(struct admin_request *request, const struct hs_user *user)
{
    char text[ADMIN_SESSION_TEXT_BYTES];
    struct admin_session session;
    admin_sessions_begin(request->admin->sessions, user, hs_tick_ms(), text, &session);
    if (!still_so(request, user)) {
        admin_sessions_end(request->admin->sessions, text);
        deny(request, user->name);
        return;
    }
    set_cookie(request, text, "");
    HS_LOG(ADMIN_LOGIN, HS_WORD("user", user->name), HS_WORD("role", hs_user_role_text(user->role)),
           HS_WORD("address", request->address));
    answer_session(request, &session);
}

void admin_post_login(struct admin_request *request)
{
    struct admin *admin = request->admin;
    const char *name = admin_input(request, "user");
    const char *password = admin_input(request, "password");
    struct hs_user user;
    if (name == NULL || password == NULL) {
        admin_answer_error(request, 400, "invalid", "user and password, please", "请输入用户名和密码");
        return;
    }
    if (admin_userfile_count(admin->users) == 0) {
        admin_answer_no_users(request);
        return;
    }
    if (!hs_user_name_valid(name))
        name = ""; /* all that are none share one counter */
    uint64_t wait_ms = admin_guard_try(admin->guard, request->address, name, hs_tick_ms());
    enum hs_err err = wait_ms == 0 ? admin_user_verify(request, name, password, &user) : HS_EPERM;
    if (wait_ms != 0) {
        admin_answer_too_often(request, wait_ms);
    } else if (err == HS_OK) {
        admin_guard_right(admin->guard, request->address, name, hs_tick_ms());
        begin_session(request, &user);
    } else if (err == HS_EPERM) {
        deny(request, name);
    } else {
        admin_answer_fail(request, err, NULL);
    }
}

/* ---- out ---- */

void admin_post_logout(struct admin_request *request)
{
    admin_sessions_end(request->admin->sessions, request->session);
    set_cookie(request, "", "; Max-Age=0");
    admin_answer_json(request, json_object());
}
