/* The region, a peer of it, and how that peer stood: answered from what this program holds. */
#include "node/admin/handlers.h"
#include "node/admin/inside.h"
#include "node/admin/text.h"
#include "node/json/cause.h"
#include "node/json/json.h"
#include "proto/base/thread.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void answer_no_status(struct admin_request *request)
{
    request->answer.retry_after_s = 1;
    admin_answer_error(request, 503, "node-gone", "the node has not answered yet", "节点尚未应答");
}

void admin_get_overview(struct admin_request *request)
{
    struct hs_buf gzip = {0};
    size_t size = 0;
    enum hs_err err = admin_overview_put(request->admin->overview, hs_now_ms(), &gzip, &size);
    if (err == HS_OK) {
        request->answer.keep = true;
        request->answer.unpacked = size;
        admin_answer_text(request, "application/json", &gzip);
        return;
    }
    hs_buf_fini(&gzip);
    if (err == HS_ENOTHERE)
        answer_no_status(request);
    else
        admin_answer_fail(request, err, NULL);
}

/* ---- one node ---- */

/* By its id, or its address as long as that is all that is known; of two the one that is connected. */
static const Hallsync__PeerStatus *find_peer(const Hallsync__StatusReply *reply, const char *node_id)
{
    const Hallsync__PeerStatus *found = NULL;
    for (size_t i = 0; i < reply->n_peers; i++) {
        const Hallsync__PeerStatus *peer = reply->peers[i];
        const char *id = peer->node_id[0] == '\0' && peer->address != NULL ? peer->address : peer->node_id;
        if (strcmp(id, node_id) == 0 && (found == NULL || strcmp(peer->state, "live") == 0))
            found = peer;
    }
    return found;
}

static json_t *past_of(struct admin_request *request, const char *node_id)
{
    struct hs_buf text = {0};
    admin_overview_put_past(request->admin->overview, node_id, &text);
    json_t *past = text.err == HS_OK ? json_loadb((const char *)text.data, text.size, 0, NULL) : NULL;
    hs_buf_fini(&text);
    return past;
}

static void answer_node(struct admin_request *request, const struct admin_status *status, const char *node_id)
{
    const Hallsync__PeerStatus *peer = find_peer(status->reply, node_id);
    struct hs_cause cause;
    bool own = strcmp(status->reply->node_id, node_id) == 0;
    if (peer == NULL && !own) {
        admin_answer_error(request, 404, "not-found", "no node of that name is known here", "此处没有该名称的节点");
        return;
    }
    if (peer != NULL)
        hs_why_peer(status->reply, peer, &cause);
    else
        hs_why_node(status->reply, &cause);
    json_t *answer = json_pack(
        "{sI sI so so}", "now_ms", (json_int_t)hs_now_ms(), "as_of_ms", (json_int_t)status->time_ms, "why",
        hs_json_cause(node_id, &cause, request->admin->conf->utc_offset_minutes), "events", past_of(request, node_id));
    if (answer != NULL && peer != NULL)
        json_object_set_new(answer, "peer", hs_json_message(&peer->base));
    admin_answer_json(request, answer);
}

void admin_get_node(struct admin_request *request)
{
    const struct admin_status *status = admin_status_hold(request->admin);
    if (status == NULL)
        answer_no_status(request);
    else
        answer_node(request, status, admin_arg(request, 0));
    admin_status_release(status);
}

/* ---- samples ---- */

static void put_list(struct hs_buf *to, const char *name, const float *values, size_t count)
{
    hs_buf_put_format(to, ",\"%s\":[", name);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            hs_buf_put_u8(to, ',');
        admin_put_real(to, true, (double)values[i]);
    }
    hs_buf_put_u8(to, ']');
}

/* Both directions; in the place of the first one. */
static void add_lags(struct hs_series *series)
{
    float *out = series->values[HS_MEASURE_LAG_OUT_OPS];
    const float *in = series->values[HS_MEASURE_LAG_IN_OPS];
    for (size_t i = 0; i < series->count; i++)
        out[i] = isnan(out[i]) ? in[i] : isnan(in[i]) ? out[i] : out[i] + in[i];
}

static void put_series(struct hs_buf *to, struct hs_series *series)
{
    hs_buf_put_format(to, "{\"from_ms\":%llu,\"step_ms\":%llu", (unsigned long long)series->from_ms,
                      (unsigned long long)series->step_ms);
    for (enum hs_measure measure = HS_MEASURE_LINK; measure < HS_MEASURE_COUNT; measure++)
        put_list(to, hs_measure_name(measure), series->values[measure], series->count);
    add_lags(series);
    put_list(to, "lag_ops", series->values[HS_MEASURE_LAG_OUT_OPS], series->count);
    hs_buf_put_u8(to, '}');
}

void admin_get_samples(struct admin_request *request)
{
    const char *node = admin_query(request, "node"), *text = admin_query(request, "span");
    enum hs_span span = HS_SPAN_HOUR;
    struct hs_buf answer = {0};
    if (node == NULL || (text != NULL && !hs_span_parse(text, &span))) {
        admin_answer_error(request, 400, "invalid", "samples are asked for with node and span: hour, day or month",
                           "请给出 node 和 span（hour、day 或 month）");
        return;
    }
    struct hs_samples *samples = request->admin->samples;
    struct hs_series *series = malloc(sizeof *series);
    enum hs_err err = series == NULL    ? HS_ENOMEM
                      : samples == NULL ? HS_ENOTFOUND
                                        : hs_samples_read(samples, node, span, hs_now_ms(), series);
    if (err == HS_OK) {
        put_series(&answer, series);
        admin_answer_text(request, "application/json", &answer);
    } else if (err == HS_ENOTFOUND) {
        admin_answer_error(request, 404, "not-found", "there are no samples of that node", "没有该节点的采样");
    } else {
        admin_answer_fail(request, err, NULL);
    }
    free(series);
}
