#include "node/admin/run.h"

#include "node/admin/http.h"
#include "node/admin/tls.h"
#include "node/admin/wire.h"
#include "node/log/log.h"
#include "proto/base/thread.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG     64
#define BEAT_TICKS  4
#define MINUTE_MS   60000ULL
#define HOUR_MS     (60 * MINUTE_MS)
#define DAY_MS      (24 * HOUR_MS)
#define EXPIRY_DAYS 21 /* before it a certificate's end is told */

struct admin_run {
    struct admin admin;
    int fd; /* listens */
    struct admin_tls tls;
    uint64_t expiry_told_ms; /* by hs_tick_ms() */
    struct admin_http *http;
    unsigned ticks;
    struct hs_users users; /* too big for a stack */
};

/* ---- where it listens ---- */

static enum hs_err check_listen(struct admin *admin, struct hs_why *why)
{
    const struct hs_conf_admin *conf = &admin->conf->admin;
    bool one = conf->tls_cert[0] != '\0', other = conf->tls_key[0] != '\0';
    if (admin_listen_parse(conf->listen, &admin->listen) != HS_OK)
        return hs_fail(HS_ECONFIG, why, "admin.listen: '%s' is not off, nor an address such as 127.0.0.1:7480",
                       conf->listen);
    if (one != other)
        return hs_fail(HS_ECONFIG, why, "admin.tls_cert and admin.tls_key: one without the other");
    admin->tls = one;
    if (!admin->tls && !admin->listen.loopback)
        return hs_fail(HS_ECONFIG, why,
                       "admin.listen: %s is reached from other machines, and passwords would go there in the clear: "
                       "name a certificate in admin.tls_cert and admin.tls_key, or listen at 127.0.0.1 and come over "
                       "ssh -L",
                       conf->listen);
    return HS_OK;
}

static socklen_t fill_address(const struct admin_listen *listen, struct sockaddr_storage *to)
{
    *to = (struct sockaddr_storage){0};
    if (listen->v6) {
        struct sockaddr_in6 *v6 = (void *)to;
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(listen->port);
        inet_pton(AF_INET6, listen->host, &v6->sin6_addr);
        return sizeof *v6;
    }
    struct sockaddr_in *v4 = (void *)to;
    v4->sin_family = AF_INET;
    v4->sin_port = htons(listen->port);
    inet_pton(AF_INET, listen->host, &v4->sin_addr);
    return sizeof *v4;
}

static unsigned port_of(int fd)
{
    struct sockaddr_storage bound = {0};
    socklen_t size = sizeof bound;
    if (getsockname(fd, (struct sockaddr *)&bound, &size) != 0)
        return 0;
    return ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&bound)->sin6_port
                                             : ((struct sockaddr_in *)(void *)&bound)->sin_port);
}

static enum hs_err open_socket(struct admin_run *run, struct hs_why *why)
{
    const struct admin_listen *listen_at = &run->admin.listen;
    struct sockaddr_storage address;
    socklen_t size = fill_address(listen_at, &address);
    const int on = 1;
    run->fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool ok = run->fd >= 0 && setsockopt(run->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0;
    if (ok && listen_at->v6)
        ok = setsockopt(run->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0;
    if (ok && bind(run->fd, (struct sockaddr *)&address, size) == 0 && listen(run->fd, BACKLOG) == 0)
        return HS_OK;
    int error = errno;
    return hs_fail(error == EADDRINUSE ? HS_EINUSE
                   : error == EACCES   ? HS_EPERM
                                       : HS_EADDRESS,
                   why, "admin.listen: %s: %s", run->admin.conf->admin.listen, strerror(error));
}

/* ---- the certificate ---- */

static void tell_expiry(struct admin_run *run)
{
    const struct admin_tls *tls = &run->tls;
    uint64_t now = hs_now_ms();
    run->expiry_told_ms = hs_tick_ms();
    if (tls->expires_ms <= now)
        HS_LOG(ADMIN_CERTIFICATE_EXPIRED, HS_PROSE("text", "browsers refuse it: put a new one in its place"));
    else if (tls->expires_ms - now < EXPIRY_DAYS * DAY_MS)
        HS_LOG(ADMIN_CERTIFICATE_EXPIRES, HS_NUMBER("days", ((tls->expires_ms - now) / DAY_MS)));
}

static enum hs_err load_tls(struct admin_run *run, struct hs_why *why)
{
    const struct hs_conf_admin *conf = &run->admin.conf->admin;
    if (!run->admin.tls)
        return HS_OK;
    enum hs_err err = admin_tls_load(conf->tls_cert, conf->tls_key, &run->tls, why);
    if (err == HS_OK)
        tell_expiry(run);
    return err;
}

/* ---- what serves: made anew with a new certificate ---- */

static enum hs_err start_pools(struct admin *admin)
{
    const char *endpoint = admin->conf->listen.clients;
    /* Two verifications at a time take 128 MiB: more wait, and more than wait are told to come again. */
    const struct admin_work_options options[ADMIN_POOL_COUNT] = {
        [ADMIN_MEMORY] = {.name = "admin-memory", .threads = 2, .queue_max = 64, .run = admin_http_run},
        [ADMIN_NODE] =
            {.name = "admin-node", .threads = 4, .queue_max = 32, .endpoint = endpoint, .run = admin_http_run},
        [ADMIN_PASSWORD] = {.name = "admin-password", .threads = 2, .queue_max = 16, .run = admin_http_run},
    };
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < ADMIN_POOL_COUNT && err == HS_OK; i++)
        err = admin_work_new(&options[i], &admin->pools[i]);
    return err;
}

static enum hs_err start_front(struct admin_run *run, struct hs_why *why)
{
    enum hs_err err = start_pools(&run->admin);
    if (err == HS_OK)
        err = admin_http_new(&run->admin, run->fd, (const char *)run->tls.certificate.data,
                             (const char *)run->tls.key.data, &run->http, why);
    return err;
}

/* Whoever waits in libmicrohttpd waits for a pool or for an event: both end first. */
static void stop_front(struct admin_run *run)
{
    struct admin *admin = &run->admin;
    if (run->http != NULL)
        admin_http_quiesce(run->http);
    if (admin->events != NULL)
        admin_events_shut(admin->events);
    for (size_t i = 0; i < ADMIN_POOL_COUNT; i++)
        admin_work_stop(admin->pools[i]);
    admin_http_stop(run->http);
    run->http = NULL;
    for (size_t i = 0; i < ADMIN_POOL_COUNT; i++) {
        admin_work_free(admin->pools[i]);
        admin->pools[i] = NULL;
    }
}

enum hs_err admin_run_reload(struct admin_run *run, const char **certificate, struct hs_why *why)
{
    *certificate = "none";
    if (!run->admin.tls)
        return HS_OK;
    enum hs_err err = load_tls(run, why);
    *certificate = err == HS_OK ? "taken" : "kept";
    if (err != HS_OK) {
        HS_LOG(ADMIN_RELOAD_FAILED, HS_PROSE("text", why->text[0] != '\0' ? why->text : hs_err_text(err)));
        return HS_OK;
    }
    stop_front(run);
    admin_events_open(run->admin.events);
    return start_front(run, why);
}

/* ---- all of it ---- */

static enum hs_err start_rest(struct admin *admin, struct hs_why *why)
{
    const struct hs_conf_admin *conf = &admin->conf->admin;
    const struct admin_poll_options poll = {
        .endpoint = admin->conf->listen.clients, .told = admin_wire_told, .ctx = admin};
    enum hs_err err = admin_userfile_new(conf->dir, &admin->users);
    if (err == HS_OK)
        err = admin_sessions_new(conf->session_minutes * MINUTE_MS, conf->session_hours * HOUR_MS, &admin->sessions);
    if (err == HS_OK)
        err = admin_guard_new(&admin->guard);
    if (err == HS_OK)
        err = admin_basics_new(&admin->basics);
    if (err == HS_OK)
        err = admin_events_new(&admin->events);
    if (err == HS_OK)
        err = admin_wire_new(admin, why);
    return err == HS_OK ? admin_poll_new(&poll, &admin->poll) : err;
}

enum hs_err admin_run_new(const struct hs_conf *conf, struct admin_run **made, struct hs_why *why)
{
    struct admin_run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return HS_ENOMEM;
    run->admin.conf = conf;
    run->fd = -1;
    enum hs_err err = check_listen(&run->admin, why);
    if (err == HS_OK)
        err = load_tls(run, why);
    if (err == HS_OK)
        err = open_socket(run, why);
    if (err == HS_OK)
        err = start_rest(&run->admin, why);
    if (err == HS_OK)
        err = start_front(run, why);
    if (err != HS_OK) {
        admin_run_free(run);
        return err;
    }
    HS_LOG(ADMIN_LISTENING, HS_WORD("address", run->admin.listen.host), HS_NUMBER("port", port_of(run->fd)),
           HS_YES("tls", run->admin.tls), HS_NUMBER("users", admin_userfile_count(run->admin.users)));
    *made = run;
    return HS_OK;
}

static bool session_holds(void *ctx, const char *text)
{
    struct admin_session session;
    return admin_sessions_find(ctx, text, hs_tick_ms(), false, &session);
}

static void beat(struct admin *admin)
{
    const struct admin_status *status = admin_status_hold(admin);
    json_t *data = json_pack("{s:I}", "now_ms", (json_int_t)hs_now_ms());
    if (status != NULL)
        json_object_set_new(data, "as_of_ms", json_integer((json_int_t)status->time_ms));
    admin_status_release(status);
    admin_events_post_json(admin, "beat", data);
}

void admin_run_tick(struct admin_run *run)
{
    struct admin *admin = &run->admin;
    if (admin_userfile_follow(admin->users, &run->users))
        admin_sessions_follow(admin->sessions, &run->users);
    admin_events_check(admin->events, session_holds, admin->sessions);
    if (run->ticks++ % BEAT_TICKS == 0)
        beat(admin);
    if (admin->tls && hs_tick_ms() - run->expiry_told_ms >= DAY_MS)
        tell_expiry(run);
    if (run->http != NULL)
        admin_http_tick(run->http, hs_tick_ms());
}

void admin_run_free(struct admin_run *run)
{
    if (run == NULL)
        return;
    struct admin *admin = &run->admin;
    stop_front(run);
    admin_poll_stop(admin->poll);
    admin_wire_free(admin);
    admin_events_free(admin->events);
    admin_guard_free(admin->guard);
    admin_basics_free(admin->basics);
    admin_sessions_free(admin->sessions);
    admin_userfile_free(admin->users);
    admin_tls_free(&run->tls);
    if (run->fd >= 0)
        close(run->fd);
    free(run);
}
