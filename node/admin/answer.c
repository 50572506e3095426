#include "node/admin/inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const struct hs_conf *admin_conf(const struct admin_request *request)
{
    return request->admin->conf;
}

const char *admin_arg(const struct admin_request *request, size_t i)
{
    return i < ADMIN_ARGS_MAX && request->args[i] != NULL ? request->args[i] : "";
}

const char *admin_query(const struct admin_request *request, const char *name)
{
    for (size_t i = 0; i < request->query_count; i++) {
        if (strcmp(request->queries[i].name, name) == 0)
            return request->queries[i].value;
    }
    return NULL;
}

const char *admin_input(const struct admin_request *request, const char *name)
{
    return json_string_value(json_object_get(request->input, name));
}

/* ---- one answer for each request ---- */

static const char OUT_OF_MEMORY[] = "{\"error\":\"out-of-memory\",\"text_en\":\"not enough memory\","
                                    "\"text_zh\":\"内存不足\"}";

static void begin(struct admin_answer *answer, unsigned status, const char *type)
{
    assert(answer->status == 0);
    answer->status = status;
    answer->type = type;
}

/* Also when memory ran out while the answer was made: what is there of it is dropped. */
static void no_memory(struct admin_answer *answer)
{
    hs_buf_fini(&answer->body);
    answer->body = (struct hs_buf){0};
    answer->status = 503;
    answer->type = "application/json";
    hs_buf_put(&answer->body, OUT_OF_MEMORY, sizeof OUT_OF_MEMORY - 1);
}

void admin_answer_text(struct admin_request *request, const char *type, struct hs_buf *text)
{
    begin(&request->answer, 200, type);
    request->answer.body = *text;
    *text = (struct hs_buf){0};
    if (request->answer.body.err != HS_OK)
        no_memory(&request->answer);
}

static int put_json(const char *bytes, size_t size, void *ctx)
{
    struct hs_buf *body = ctx;
    hs_buf_put(body, bytes, size);
    return body->err == HS_OK ? 0 : -1;
}

void admin_answer_object(struct admin_request *request, unsigned status, json_t *json)
{
    begin(&request->answer, status, "application/json");
    bool lacked = admin_json_lacked();
    if (json == NULL || lacked || json_dump_callback(json, put_json, &request->answer.body, JSON_COMPACT) != 0)
        no_memory(&request->answer);
    json_decref(json);
}

void admin_answer_json(struct admin_request *request, json_t *json)
{
    admin_answer_object(request, 200, json);
}

void admin_answer_error(struct admin_request *request, unsigned status, const char *error, const char *text_en,
                        const char *text_zh)
{
    admin_answer_object(request, status,
                        json_pack("{s:s, s:s, s:s}", "error", error, "text_en", text_en, "text_zh", text_zh));
}

/* ---- errors of ours and of the node's ---- */

static unsigned status_of(enum hs_err err)
{
    switch (err) {
    case HS_ENOTFOUND:
    case HS_ENOTHERE:
        return 404;
    case HS_EOPERATOR:
    case HS_EPERM:
        return 403;
    case HS_EEXISTS:
    case HS_EDIFFERS:
    case HS_EMEANWHILE:
    case HS_ESTATE:
        return 409;
    case HS_ETIMEDOUT:
    case HS_EUNREACHABLE:
        return 504;
    default:
        break;
    }
    switch (hs_err_class(err)) {
    case HS_CLASS_INPUT:
        return 400;
    case HS_CLASS_RETRY:
        return 503;
    default:
        return 500;
    }
}

/* The sentence is the node's, in English; in Chinese it is what the error is called. */
void admin_answer_fail(struct admin_request *request, enum hs_err err, const struct hs_why *why)
{
    const char *text = why != NULL && why->text[0] != '\0' ? why->text : hs_err_text(err);
    admin_answer_error(request, status_of(err), hs_err_name(err), text, hs_err_text_zh(err));
}

void admin_answer_no_users(struct admin_request *request)
{
    admin_answer_error(request, 401, "no-users",
                       "there is no user yet: on this machine, hallsync user add NAME --role administrator",
                       "还没有用户：请在本机执行 hallsync user add NAME --role administrator");
}
