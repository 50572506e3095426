#include "node/admin/http.h"

#include "node/admin/conns.h"
#include "node/log/log.h"
#include "proto/base/thread.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_BYTES_MAX ((size_t)64 * 1024)
#define MEMORY_BYTES_MAX \
    ((size_t)32 * 1024) /* of a connection: its headers fit in it, or it is told that they do not */
#define SILENCE_S      20u
#define GZIP_BYTES_MIN 1024
#define TAG_BYTES      16
/* TLS 1.2 and 1.3 with forward secrecy, and nothing older. */
#define TLS_PRIORITIES                                                                           \
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-RSA:+ECDHE-ECDSA:-CIPHER-ALL:" \
    "+AES-256-GCM:+AES-128-GCM:+CHACHA20-POLY1305:%SERVER_PRECEDENCE"

struct admin_http {
    struct admin *admin;
    struct MHD_Daemon *daemon;
    struct admin_conns *conns;
};

enum step { COMING, WORKING, DONE };

/* One request, from its first header to the end of its answer. */
struct exchange {
    struct admin_http *http;
    struct MHD_Connection *connection;
    struct admin_conn *conn;
    enum step step;
    bool too_big, watch;
    bool takes_gzip;
    char *tags; /* If-None-Match */
    struct admin_match match;
    const struct admin_page *page;
    struct admin_request request;
};

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* ---- answers ---- */

static const char *const HEADERS[][2] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'none'; "
     "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
};

static bool add_headers(struct MHD_Response *response, const struct exchange *exchange)
{
    bool added = true;
    for (size_t i = 0; i < sizeof HEADERS / sizeof *HEADERS; i++)
        added = added && MHD_add_response_header(response, HEADERS[i][0], HEADERS[i][1]) == MHD_YES;
    if (exchange->http->admin->tls)
        added = added && MHD_add_response_header(response, "Strict-Transport-Security", "max-age=31536000") == MHD_YES;
    return added && MHD_add_response_header(response, "Node",
                                            admin_node_answers(exchange->http->admin) ? "answers" : "gone") == MHD_YES;
}

/* Gives the response away, whatever becomes of it. */
static enum MHD_Result queue(struct exchange *exchange, unsigned status, struct MHD_Response *response)
{
    if (response == NULL)
        return MHD_NO;
    enum MHD_Result queued = add_headers(response, exchange)
                                 ? MHD_queue_response(exchange->connection, status, response)
                                 : MHD_NO;
    MHD_destroy_response(response);
    admin_conn_now(exchange->http->conns, exchange->conn, exchange->watch ? ADMIN_CONN_WATCHES : ADMIN_CONN_ANSWERS,
                   hs_tick_ms());
    return queued;
}

static bool add_answer_headers(struct MHD_Response *response, const struct exchange *exchange, const char *tag,
                               bool gzip)
{
    const struct admin_answer *answer = &exchange->request.answer;
    char seconds[16];
    snprintf(seconds, sizeof seconds, "%u", answer->retry_after_s);
    bool added = MHD_add_response_header(response, "Content-Type", answer->type) == MHD_YES &&
                 MHD_add_response_header(response, "Vary", "Accept-Encoding, Cookie") == MHD_YES &&
                 MHD_add_response_header(response, "Cache-Control",
                                         tag[0] != '\0' ? "private, no-cache" : "no-store") == MHD_YES;
    if (added && tag[0] != '\0')
        added = MHD_add_response_header(response, "ETag", tag) == MHD_YES;
    if (added && gzip)
        added = MHD_add_response_header(response, "Content-Encoding", "gzip") == MHD_YES;
    if (added && answer->cookie[0] != '\0')
        added = MHD_add_response_header(response, "Set-Cookie", answer->cookie) == MHD_YES;
    if (added && answer->retry_after_s != 0)
        added = MHD_add_response_header(response, "Retry-After", seconds) == MHD_YES;
    if (added && answer->ask_basic)
        added = MHD_add_response_header(response, "WWW-Authenticate", "Basic realm=\"hallsync\", charset=\"UTF-8\"") ==
                MHD_YES;
    if (added && answer->status == 405 && exchange->match.allow != NULL)
        added = MHD_add_response_header(response, "Allow", exchange->match.allow) == MHD_YES;
    return added;
}

static enum MHD_Result send_bytes(struct exchange *exchange, unsigned status, struct hs_buf *body, const char *tag,
                                  bool gzip)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(body->size, body->data, MHD_RESPMEM_MUST_FREE);
    if (response == NULL)
        return MHD_NO;
    *body = (struct hs_buf){0}; /* it is the response's now */
    if (!add_answer_headers(response, exchange, tag, gzip)) {
        MHD_destroy_response(response);
        return MHD_NO;
    }
    return queue(exchange, status, response);
}

/* Made on a worker, together with the answer: it costs time. */
static void make_tag(struct exchange *exchange, char tag[static 2 * TAG_BYTES + 3])
{
    const struct admin_answer *answer = &exchange->request.answer;
    uint8_t hash[TAG_BYTES];
    tag[0] = '\0';
    if (!answer->keep || answer->status != 200)
        return;
    crypto_generichash(hash, sizeof hash, answer->body.data, answer->body.size, NULL, 0);
    tag[0] = '"';
    sodium_bin2hex(tag + 1, 2 * TAG_BYTES + 1, hash, sizeof hash);
    memcpy(tag + 1 + 2 * TAG_BYTES, "\"", 2);
}

static enum MHD_Result send_answer(struct exchange *exchange)
{
    struct admin_answer *answer = &exchange->request.answer;
    if (exchange->tags != NULL && answer->tag[0] != '\0' && admin_tag_matches(exchange->tags, answer->tag)) {
        struct hs_buf none = {0};
        return send_bytes(exchange, MHD_HTTP_NOT_MODIFIED, &none, answer->tag, false);
    }
    return send_bytes(exchange, answer->status, &answer->body, answer->tag, answer->gzip);
}

static enum MHD_Result send_page(struct exchange *exchange)
{
    const struct admin_page *page = exchange->page;
    struct admin_answer *answer = &exchange->request.answer;
    struct hs_buf body = {0};
    answer->type = page->type;
    if (exchange->tags != NULL && admin_tag_matches(exchange->tags, page->tag))
        return send_bytes(exchange, MHD_HTTP_NOT_MODIFIED, &body, page->tag, false);
    if (exchange->takes_gzip)
        hs_buf_put(&body, page->gzip, page->gzip_size);
    if (!exchange->takes_gzip && admin_gunzip(HS_BYTES(page->gzip, page->gzip_size), page->size, &body) != HS_OK)
        body.err = HS_ENOMEM;
    if (body.err != HS_OK) {
        hs_buf_fini(&body);
        return MHD_NO;
    }
    return send_bytes(exchange, MHD_HTTP_OK, &body, page->tag, exchange->takes_gzip);
}

static enum MHD_Result send_events(struct exchange *exchange)
{
    struct admin_request *request = &exchange->request;
    struct MHD_Response *response = admin_events_watch(exchange->http->admin->events, exchange->connection,
                                                       request->who.name, request->session,
                                                       header(exchange->connection, "Last-Event-ID"));
    if (response == NULL) {
        request->answer.retry_after_s = 10;
        admin_answer_error(request, 503, "busy", "too many pages watch", "打开的页面过多");
        return send_answer(exchange);
    }
    if (MHD_add_response_header(response, "Content-Type", "text/event-stream") != MHD_YES ||
        MHD_add_response_header(response, "Cache-Control", "no-store") != MHD_YES) {
        MHD_destroy_response(response);
        return MHD_NO;
    }
    exchange->watch = true;
    return queue(exchange, MHD_HTTP_OK, response);
}

/* ---- on a worker ---- */

static void parse_input(struct admin_request *request)
{
    json_error_t error;
    if (request->body.err != HS_OK) {
        admin_answer_fail(request, request->body.err, NULL);
        return;
    }
    request->input = json_loadb((const char *)request->body.data, request->body.size, JSON_REJECT_DUPLICATES, &error);
    if (request->input == NULL && admin_json_lacked())
        admin_answer_fail(request, HS_ENOMEM, NULL);
    else if (!json_is_object(request->input))
        admin_answer_error(request, 400, "invalid", "the body is not a JSON object", "请求内容不是 JSON 对象");
}

/* Whoever does not take it compressed waits for it to be unpacked. */
static void settle_packed(struct exchange *exchange)
{
    struct admin_answer *answer = &exchange->request.answer;
    struct hs_buf body = {0};
    answer->gzip = exchange->takes_gzip;
    if (answer->gzip)
        return;
    if (admin_gunzip(hs_buf_bytes(&answer->body), answer->unpacked, &body) != HS_OK) {
        hs_buf_fini(&body);
        answer->status = MHD_HTTP_SERVICE_UNAVAILABLE;
        answer->tag[0] = '\0';
    }
    hs_buf_fini(&answer->body);
    answer->body = body;
}

static void answer_busy(struct admin_request *request)
{
    request->answer.retry_after_s = 2;
    admin_answer_error(request, 503, "busy", "too much is waiting: try again", "请求过多，请稍后再试");
}

void admin_http_run(void *job, struct hallsync *node)
{
    struct exchange *exchange = job;
    struct admin_request *request = &exchange->request;
    struct admin_answer *answer = &request->answer;
    uint64_t now_ms = hs_tick_ms();
    (void)admin_json_lacked(); /* what an earlier request lacked is not this one's */
    request->node = node;
    request->until_ms = now_ms + ADMIN_NODE_MS_MAX;
    if (now_ms - request->came_ms > ADMIN_QUEUE_MS_MAX)
        answer_busy(request);
    else if (strcmp(request->route->method, "POST") == 0)
        parse_input(request);
    if (answer->status == 0 && (!request->verify || admin_basic_verified(request)))
        request->route->run(request);
    if (answer->status == 0)
        admin_answer_fail(request, HS_EINTERNAL, NULL);
    make_tag(exchange, answer->tag);
    if (answer->unpacked != 0)
        settle_packed(exchange);
    else if (exchange->takes_gzip && answer->body.size >= GZIP_BYTES_MIN)
        answer->gzip = admin_gzip(&answer->body);
    exchange->step = DONE;
    MHD_resume_connection(exchange->connection);
}

/* ---- a request put together ---- */

static char *copy_header(struct MHD_Connection *connection, const char *name)
{
    const char *value = header(connection, name);
    return value != NULL && strlen(value) <= 1024 ? strdup(value) : NULL;
}

static enum MHD_Result take_query(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct admin_request *request = ctx;
    (void)kind;
    if (request->query_count == ADMIN_QUERIES_MAX)
        return MHD_NO;
    struct admin_query *query = &request->queries[request->query_count];
    query->name = strdup(name);
    query->value = strdup(value != NULL ? value : "");
    request->query_count++; /* also when it failed: what is there is freed */
    return query->name != NULL && query->value != NULL ? MHD_YES : MHD_NO;
}

static bool take_queries(struct exchange *exchange)
{
    struct admin_request *request = &exchange->request;
    int count = MHD_get_connection_values(exchange->connection, MHD_GET_ARGUMENT_KIND, NULL, NULL);
    MHD_get_connection_values(exchange->connection, MHD_GET_ARGUMENT_KIND, take_query, request);
    if (count >= 0 && (size_t)count == request->query_count)
        return request->query_count == 0 || (request->queries[request->query_count - 1].name != NULL &&
                                             request->queries[request->query_count - 1].value != NULL);
    return false;
}

static void put_address(struct exchange *exchange)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(exchange->connection,
                                                                   MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char *text = exchange->request.address;
    if (info == NULL || info->client_addr == NULL)
        return;
    if (info->client_addr->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)info->client_addr)->sin6_addr, text,
                  sizeof exchange->request.address);
    else
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)info->client_addr)->sin_addr, text,
                  sizeof exchange->request.address);
}

static struct exchange *begin(struct admin_http *http, struct MHD_Connection *connection, const char *method,
                              const char *path)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL)
        return NULL;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    exchange->http = http;
    exchange->connection = connection;
    exchange->conn = info != NULL ? info->socket_context : NULL;
    exchange->request.admin = http->admin;
    put_address(exchange);
    const char *asked = strcmp(method, "HEAD") == 0 ? "GET" : method;
    admin_match(ADMIN_ROUTES, ADMIN_ROUTE_COUNT, asked, path, &exchange->match);
    if (strcmp(asked, "GET") == 0 && strcmp(path, ADMIN_EVENTS_PATH) == 0)
        exchange->match.route = &ADMIN_EVENTS_ROUTE;
    if (exchange->match.route == NULL && strcmp(asked, "GET") == 0)
        exchange->page = admin_page_find(path);
    exchange->request.route = exchange->match.route;
    memcpy(exchange->request.args, exchange->match.args, sizeof exchange->request.args);
    return exchange;
}

static const char *forwarded(struct MHD_Connection *connection)
{
    const char *value = header(connection, "X-Forwarded-For");
    return value != NULL ? value : header(connection, "Forwarded");
}

/* True: it may go on; false: it has been answered. */
static bool check(struct exchange *exchange)
{
    struct MHD_Connection *connection = exchange->connection;
    struct admin_request *request = &exchange->request;
    const struct admin_asked asked = {
        .host = header(connection, "Host"),
        .origin = header(connection, "Origin"),
        .fetch_site = header(connection, "Sec-Fetch-Site"),
        .cookie = header(connection, "Cookie"),
        .csrf = header(connection, "X-CSRF-Token"),
        .content_type = header(connection, "Content-Type"),
        .authorization = header(connection, "Authorization"),
        .forwarded = forwarded(connection),
    };
    const char *gzip = header(connection, "Accept-Encoding");
    exchange->takes_gzip = gzip != NULL && admin_takes_gzip(gzip);
    exchange->tags = copy_header(connection, "If-None-Match");
    const struct admin_route *route = exchange->match.route;
    bool changes = route != NULL && strcmp(route->method, "GET") != 0;
    if (!admin_gate_origin(request, &asked, changes))
        return false;
    if (exchange->page != NULL)
        return true;
    if (route == NULL && exchange->match.allow != NULL)
        admin_answer_error(request, 405, "bad-method", "not with this method", "不支持此方法");
    else if (route == NULL)
        admin_answer_error(request, 404, "not-found", "there is nothing here", "没有此页面");
    else if (!take_queries(exchange))
        admin_answer_error(request, 400, "invalid", "too many parameters", "参数过多");
    else
        return admin_gate_role(request, &asked);
    return false;
}

static bool announces_too_much(struct MHD_Connection *connection)
{
    const char *length = header(connection, "Content-Length");
    char *end;
    return length != NULL && strtoull(length, &end, 10) > BODY_BYTES_MAX;
}

static enum MHD_Result refuse_size(struct exchange *exchange)
{
    admin_answer_error(&exchange->request, 413, "too-big", "the body is over 64 KiB", "请求内容超过 64 KiB");
    return send_answer(exchange);
}

/* The body of what is refused is not kept. */
static void take_body(struct exchange *exchange, const char *bytes, size_t size)
{
    struct hs_buf *body = &exchange->request.body;
    exchange->too_big = exchange->too_big || body->size + size > BODY_BYTES_MAX;
    if (!exchange->too_big)
        hs_buf_put(body, bytes, size);
}

static enum MHD_Result dispatch(struct exchange *exchange)
{
    struct admin *admin = exchange->http->admin;
    struct admin_request *request = &exchange->request;
    if (exchange->too_big)
        return refuse_size(exchange);
    if (!check(exchange))
        return send_answer(exchange);
    if (exchange->page != NULL)
        return send_page(exchange);
    if (request->route == &ADMIN_EVENTS_ROUTE)
        return send_events(exchange);
    exchange->step = WORKING;
    request->came_ms = hs_tick_ms();
    admin_conn_now(exchange->http->conns, exchange->conn, ADMIN_CONN_WAITS, request->came_ms);
    MHD_suspend_connection(exchange->connection);
    enum admin_pool_name pool = request->verify ? ADMIN_PASSWORD : request->route->pool;
    if (admin_work_put(admin->pools[pool], exchange))
        return MHD_YES;
    answer_busy(request);
    exchange->step = DONE;
    MHD_resume_connection(exchange->connection);
    return MHD_YES;
}

/* ---- libmicrohttpd's calls ---- */

static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *bytes, size_t *size, void **state)
{
    struct exchange *exchange = *state;
    (void)version;
    if (exchange == NULL) {
        exchange = begin(ctx, connection, method, path);
        *state = exchange;
        if (exchange == NULL)
            return MHD_NO;
        return announces_too_much(connection) ? refuse_size(exchange) : MHD_YES;
    }
    if (*size != 0) {
        take_body(exchange, bytes, *size);
        *size = 0;
        return MHD_YES;
    }
    return exchange->step == DONE ? send_answer(exchange) : dispatch(exchange);
}

static void wipe(struct hs_buf *buf)
{
    if (buf->data != NULL)
        sodium_memzero(buf->data, buf->size);
    hs_buf_fini(buf);
}

static void completed(void *ctx, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
    struct exchange *exchange = *state;
    (void)ctx;
    (void)connection;
    (void)code;
    if (exchange == NULL)
        return;
    struct admin_request *request = &exchange->request;
    admin_conn_now(exchange->http->conns, exchange->conn, ADMIN_CONN_ASKS, hs_tick_ms());
    for (size_t i = 0; i < request->query_count; i++) {
        free(request->queries[i].name);
        free(request->queries[i].value);
    }
    json_decref(request->input); /* wiped by its memory */
    wipe(&request->body);
    hs_buf_fini(&request->answer.body);
    free(exchange->tags);
    sodium_memzero(exchange, sizeof *exchange);
    free(exchange);
    *state = NULL;
}

static void connection_changed(void *ctx, struct MHD_Connection *connection, void **state,
                               enum MHD_ConnectionNotificationCode code)
{
    struct admin_http *http = ctx;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        admin_conn_close(http->conns, *state);
        *state = NULL;
        return;
    }
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    *state = info != NULL ? admin_conn_open(http->conns, info->connect_fd, hs_tick_ms()) : NULL;
}

__attribute__((format(printf, 2, 0))) static void put_log(void *ctx, const char *format, va_list args)
{
    char text[256];
    (void)ctx;
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\n")] = '\0';
    HS_LOG(ADMIN_HTTP, HS_PROSE("text", text));
}

/* ---- begin and end ---- */

static struct MHD_Daemon *start(struct admin_http *http, int fd, const char *certificate, const char *key)
{
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    };
    unsigned flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME;
    if (certificate == NULL)
        tls[0] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    else
        flags |= MHD_USE_TLS;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, handle, http, MHD_OPTION_EXTERNAL_LOGGER, put_log, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)ADMIN_CONNS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        (unsigned)ADMIN_CONNS_OF_IP_MAX, MHD_OPTION_CONNECTION_TIMEOUT, SILENCE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        MEMORY_BYTES_MAX, MHD_OPTION_NOTIFY_COMPLETED, completed, http, MHD_OPTION_NOTIFY_CONNECTION,
        connection_changed, http, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}

enum hs_err admin_http_new(struct admin *admin, int fd, const char *certificate, const char *key,
                           struct admin_http **made, struct hs_why *why)
{
    struct admin_http *http = calloc(1, sizeof *http);
    if (http == NULL)
        return HS_ENOMEM;
    http->admin = admin;
    enum hs_err err = admin_conns_new(&http->conns);
    if (err == HS_OK)
        http->daemon = start(http, fd, certificate, key);
    if (err == HS_OK && http->daemon == NULL)
        err = hs_fail(HS_EIO, why, "libmicrohttpd could not be started%s",
                      certificate != NULL ? ": do admin.tls_cert and admin.tls_key belong together?" : "");
    if (err == HS_OK)
        *made = http;
    else
        admin_http_stop(http);
    return err;
}

void admin_http_tick(struct admin_http *http, uint64_t now_ms)
{
    unsigned ended = admin_conns_tick(http->conns, now_ms);
    if (ended != 0)
        HS_LOG(ADMIN_SLOW, HS_NUMBER("connections", ended));
}

void admin_http_quiesce(struct admin_http *http)
{
    MHD_quiesce_daemon(http->daemon);
}

void admin_http_stop(struct admin_http *http)
{
    if (http == NULL)
        return;
    if (http->daemon != NULL)
        MHD_stop_daemon(http->daemon);
    admin_conns_free(http->conns);
    free(http);
}
