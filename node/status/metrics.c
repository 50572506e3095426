#include "node/status/metrics.h"

#include "node/status/model.h"
#include "proto/base/arena.h"
#include "proto/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX       "hallsync_"
#define PREFIX_BYTES 64

/* A message with the labels that its figures have: all of one sort are told together, metric by metric. */
struct instance {
    const ProtobufCMessage *message;
    const char *labels; /* "peer=\"...\",lane=\"...\""; "": none */
};

struct instances {
    struct instance *list;
    size_t count;
};

struct metrics {
    struct hs_arena arena;
    struct hs_buf *out;
    struct hs_buf text; /* labels being made */
    size_t left_out;
    bool failed;
};

/* ---- text ---- */

/* As the format wants it; what is no text at all is left out, for one bad label spoils the whole answer. */
static void put_label(struct hs_buf *out, const char *name, const char *value)
{
    hs_buf_put_format(out, "%s%s=\"", out->size == 0 ? "" : ",", name);
    if (!hs_text_valid(HS_BYTES(value, strlen(value))))
        value = "?";
    for (; *value != '\0'; value++) {
        if (*value == '\\' || *value == '"')
            hs_buf_put_u8(out, '\\');
        if (*value == '\n')
            hs_buf_put_format(out, "\\n");
        else
            hs_buf_put_u8(out, (uint8_t)*value);
    }
    hs_buf_put_u8(out, '"');
}

static const char *take_labels(struct metrics *metrics)
{
    char *text = hs_arena_text(&metrics->arena, hs_buf_bytes(&metrics->text));
    metrics->failed = metrics->failed || text == NULL || metrics->text.err != HS_OK;
    hs_buf_reset(&metrics->text);
    return text;
}

static void put_head(struct metrics *metrics, const char *prefix, const char *name, const char *type, const char *help)
{
    hs_buf_put_format(metrics->out, "# HELP " PREFIX "%s%s ", prefix, name);
    for (; *help != '\0'; help++)
        hs_buf_put_format(metrics->out, *help == '\\' ? "\\\\" : "%c", *help);
    hs_buf_put_format(metrics->out, "\n# TYPE " PREFIX "%s%s %s\n", prefix, name, type);
}

static void put_name(struct metrics *metrics, const char *prefix, const char *name, const char *labels)
{
    hs_buf_put_format(metrics->out, PREFIX "%s%s", prefix, name);
    if (labels[0] != '\0')
        hs_buf_put_format(metrics->out, "{%s}", labels);
    hs_buf_put_u8(metrics->out, ' ');
}

/* ---- values ---- */

struct value {
    bool is_set, is_whole, is_negative;
    uint64_t whole;
    double real;
};

static struct value whole(uint64_t number)
{
    return (struct value){.is_set = true, .is_whole = true, .whole = number};
}

static struct value signed_whole(int64_t number)
{
    struct value value = whole(number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
    value.is_negative = number < 0;
    return value;
}

static struct value number_of(const ProtobufCFieldDescriptor *field, const char *at)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_BOOL:
        return whole(*(const protobuf_c_boolean *)at != 0);
    case PROTOBUF_C_TYPE_UINT32:
        return whole(*(const uint32_t *)at);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
        return signed_whole(*(const int64_t *)at);
    case PROTOBUF_C_TYPE_DOUBLE:
        return (struct value){.is_set = true, .real = *(const double *)at};
    default: /* UINT64, FIXED64: rows fit their fields (status_model_test) */
        return whole(*(const uint64_t *)at);
    }
}

static size_t place_of(const struct hs_figure *figure, const char *text)
{
    for (size_t i = 0; text != NULL && figure->levels[i] != NULL; i++) {
        if (strcmp(figure->levels[i], text) == 0)
            return i;
    }
    return 0;
}

/* A text that is not there says something of the node itself; what another one did not say is not known. */
static struct value value_of(const struct hs_figure *figure, const struct instance *instance)
{
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(
        instance->message->descriptor, figure->field);
    const char *base = (const char *)instance->message;
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return whole(*(const size_t *)(base + field->quantifier_offset));
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        const char *text = *(char *const *)(base + field->offset);
        if (text == NULL && instance->labels[0] != '\0')
            return (struct value){0};
        return whole(figure->levels != NULL ? place_of(figure, text) : text != NULL);
    }
    if (field->label == PROTOBUF_C_LABEL_OPTIONAL && !*(const protobuf_c_boolean *)(base + field->quantifier_offset))
        return (struct value){0};
    return number_of(field, base + field->offset);
}

/* Whole numbers as they are; a time of day has 13 digits, and three of them behind the point. */
static void put_value(struct metrics *metrics, const struct value *value, double scale)
{
    if (value->is_whole && scale == 1)
        hs_buf_put_format(metrics->out, "%s%" PRIu64 "\n", value->is_negative ? "-" : "", value->whole);
    else if (value->is_whole)
        hs_buf_put_format(metrics->out, "%.15g\n", (value->is_negative ? -scale : scale) * (double)value->whole);
    else
        hs_buf_put_format(metrics->out, "%.9g\n", value->real * scale);
}

static void put_figure(struct metrics *metrics, const char *prefix, const struct hs_figure *figure,
                       const struct instances *instances)
{
    double scale = hs_unit_scale(figure->unit);
    bool headed = false;
    for (size_t i = 0; i < instances->count; i++) {
        struct value value = value_of(figure, &instances->list[i]);
        if (!value.is_set)
            continue;
        if (!headed)
            put_head(metrics, prefix, figure->metric, figure->type == HS_FIGURE_COUNTER ? "counter" : "gauge",
                     figure->en);
        headed = true;
        put_name(metrics, prefix, figure->metric, instances->list[i].labels);
        put_value(metrics, &value, scale);
    }
}

/* ---- parts ---- */

struct label {
    const char *part, *name, *field; /* field of the part's message that is its value */
};

static const struct label LABELS[] = {
    {"peers", "peer", "node_id"},
    {"lanes", "lane", "lane"},
    {"waiting", "lane", "lane"},
};

static const struct label *label_of(const char *part)
{
    for (size_t i = 0; i < sizeof LABELS / sizeof *LABELS; i++) {
        if (strcmp(LABELS[i].part, part) == 0)
            return &LABELS[i];
    }
    return NULL;
}

static const char *labels_of(struct metrics *metrics, const struct label *label, const char *above,
                             const ProtobufCMessage *message)
{
    if (label == NULL)
        return above;
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(message->descriptor,
                                                                                            label->field);
    hs_buf_put_format(&metrics->text, "%s", above);
    put_label(&metrics->text, label->name, *(char *const *)((const char *)message + field->offset));
    return take_labels(metrics);
}

static int compare_labels(const void *a, const void *b)
{
    return strcmp(((const struct instance *)a)->labels, ((const struct instance *)b)->labels);
}

/* One series for each set of labels: of two that have the same, the first one counts. */
static void drop_twins(struct instances *instances)
{
    size_t count = 0;
    for (size_t i = 0; i < instances->count; i++) {
        if (count == 0 || compare_labels(&instances->list[count - 1], &instances->list[i]) != 0)
            instances->list[count++] = instances->list[i];
    }
    instances->count = count;
}

static void add_instance(struct metrics *metrics, struct instances *to, const struct label *label, const char *above,
                         const ProtobufCMessage *message)
{
    const char *labels = labels_of(metrics, label, above, message);
    if (labels != NULL)
        to->list[to->count++] = (struct instance){message, labels};
}

/* What the messages @of have in that field; its list ends with the arena. */
static struct instances parts_of(struct metrics *metrics, const struct hs_figure *figure, const struct instances *of)
{
    struct instances parts = {0};
    size_t room = 0;
    if (of->count == 0)
        return parts;
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(
        of->list[0].message->descriptor, figure->field);
    bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
    for (size_t i = 0; i < of->count; i++)
        room += repeated ? *(const size_t *)((const char *)of->list[i].message + field->quantifier_offset) : 1;
    parts.list = hs_arena_array(&metrics->arena, room + 1, sizeof *parts.list);
    metrics->failed = metrics->failed || parts.list == NULL;
    for (size_t i = 0; i < of->count && parts.list != NULL; i++) {
        const char *base = (const char *)of->list[i].message;
        void *const *at = (void *const *)(base + field->offset);
        size_t count = repeated ? *(const size_t *)(base + field->quantifier_offset) : *at != NULL;
        ProtobufCMessage *const *list = repeated ? *(ProtobufCMessage *const *const *)at : NULL;
        for (size_t k = 0; k < count; k++)
            add_instance(metrics, &parts, label_of(figure->field), of->list[i].labels,
                         repeated ? list[k] : (const ProtobufCMessage *)*at);
    }
    return parts;
}

static int by_label_then_live(const void *a, const void *b)
{
    int order = compare_labels(a, b);
    const Hallsync__PeerStatus *left = (const Hallsync__PeerStatus *)((const struct instance *)a)->message;
    const Hallsync__PeerStatus *right = (const Hallsync__PeerStatus *)((const struct instance *)b)->message;
    if (order != 0)
        return order;
    return (strcmp(right->state, "live") == 0) - (strcmp(left->state, "live") == 0);
}

/* An upstream that nobody has answered at has no name yet, and a revoked key is nobody's. */
static bool is_told(const Hallsync__PeerStatus *peer)
{
    bool revoked = peer->reason != NULL && strcmp(peer->reason, "revoked") == 0;
    return peer->node_id[0] != '\0' && !(revoked && strcmp(peer->state, "away") == 0);
}

/* A node that was made anew is known by two keys. */
static void choose_peers(struct metrics *metrics, struct instances *peers)
{
    size_t named = 0;
    for (size_t i = 0; i < peers->count; i++) {
        if (is_told((const Hallsync__PeerStatus *)peers->list[i].message))
            peers->list[named++] = peers->list[i];
    }
    peers->count = named;
    if (named > 1)
        qsort(peers->list, named, sizeof *peers->list, by_label_then_live);
    drop_twins(peers);
    if (peers->count > HS_METRICS_PEERS_MAX) {
        metrics->left_out = peers->count - HS_METRICS_PEERS_MAX;
        peers->count = HS_METRICS_PEERS_MAX;
    }
}

static void put_peer_infos(struct metrics *metrics, const struct instances *peers)
{
    if (peers->count != 0)
        put_head(metrics, "", "peer_info", "gauge", "role and version of a peer");
    for (size_t i = 0; i < peers->count; i++) {
        const Hallsync__PeerStatus *peer = (const Hallsync__PeerStatus *)peers->list[i].message;
        hs_buf_put_format(&metrics->text, "%s", peers->list[i].labels);
        put_label(&metrics->text, "role", peer->role);
        put_label(&metrics->text, "version", peer->version != NULL ? peer->version : "");
        const char *labels = take_labels(metrics);
        if (labels == NULL)
            return;
        put_name(metrics, "", "peer_info", labels);
        hs_buf_put_format(metrics->out, "1\n");
    }
}

static void put_left_out(struct metrics *metrics)
{
    put_head(metrics, "", "peers_left_out", "gauge", "peers beyond those that the metrics have");
    put_name(metrics, "", "peers_left_out", "");
    hs_buf_put_format(metrics->out, "%zu\n", metrics->left_out);
}

static void put_messages(struct metrics *metrics, const char *prefix, const struct instances *instances);

static void put_part(struct metrics *metrics, const char *prefix, const struct hs_figure *figure,
                     const struct instances *of)
{
    char longer[PREFIX_BYTES];
    struct instances parts = parts_of(metrics, figure, of);
    bool peers = strcmp(figure->field, "peers") == 0;
    snprintf(longer, sizeof longer, "%s%s", prefix, figure->metric);
    if (peers) {
        choose_peers(metrics, &parts);
        put_peer_infos(metrics, &parts);
        put_left_out(metrics);
    }
    if (parts.count != 0)
        put_messages(metrics, longer, &parts);
}

static void put_messages(struct metrics *metrics, const char *prefix, const struct instances *instances)
{
    const char *message = instances->list[0].message->descriptor->short_name;
    size_t count;
    const struct hs_figure *figures = hs_figures(&count);
    for (size_t i = 0; i < count && !metrics->failed; i++) {
        if (figures[i].metric == NULL || strcmp(figures[i].message, message) != 0)
            continue;
        if (figures[i].type == HS_FIGURE_PART)
            put_part(metrics, prefix, &figures[i], instances);
        else
            put_figure(metrics, prefix, &figures[i], instances);
    }
}

/* ---- what is told by name ---- */

static void put_counter(struct metrics *metrics, const Hallsync__StatusReply *status, const struct hs_counted *row)
{
    for (size_t i = 0; i < status->n_counters; i++) {
        if (strcmp(status->counters[i]->name, row->name) != 0)
            continue;
        put_head(metrics, "", row->metric, hs_figure_type_text(row->type), row->en);
        put_name(metrics, "", row->metric, "");
        hs_buf_put_format(metrics->out, "%" PRIu64 "\n", status->counters[i]->value);
        return;
    }
}

static void put_buckets(struct metrics *metrics, const struct hs_spread *row, const Hallsync__Histogram *histogram)
{
    uint64_t count = 0;
    if (histogram->kind != NULL)
        put_label(&metrics->text, "kind", histogram->kind);
    const char *labels = take_labels(metrics);
    for (size_t i = 0; i < histogram->n_counts && labels != NULL; i++) {
        count += histogram->counts[i];
        hs_buf_put_format(metrics->out, PREFIX "%s_bucket{%s%sle=\"", row->metric, labels,
                          labels[0] != '\0' ? "," : "");
        if (i < histogram->n_bounds)
            hs_buf_put_format(metrics->out, "%.9g\"} %" PRIu64 "\n", histogram->bounds[i], count);
        else
            hs_buf_put_format(metrics->out, "+Inf\"} %" PRIu64 "\n", count);
    }
    if (labels == NULL)
        return;
    put_name(metrics, row->metric, "_sum", labels);
    hs_buf_put_format(metrics->out, "%.9g\n", histogram->sum);
    put_name(metrics, row->metric, "_count", labels);
    hs_buf_put_format(metrics->out, "%" PRIu64 "\n", count);
}

static void put_histogram(struct metrics *metrics, const Hallsync__StatusReply *status, const struct hs_spread *row)
{
    bool headed = false;
    for (size_t i = 0; i < status->n_histograms; i++) {
        const Hallsync__Histogram *histogram = status->histograms[i];
        if (strcmp(histogram->name, row->name) != 0 || histogram->n_counts != histogram->n_bounds + 1)
            continue;
        if (!headed)
            put_head(metrics, "", row->metric, "histogram", row->en);
        headed = true;
        put_buckets(metrics, row, histogram);
    }
}

static void put_named(struct metrics *metrics, const Hallsync__StatusReply *status)
{
    size_t count;
    const struct hs_counted *counted = hs_counted(&count);
    for (size_t i = 0; i < count; i++)
        put_counter(metrics, status, &counted[i]);
    const struct hs_spread *spreads = hs_spreads(&count);
    for (size_t i = 0; i < count; i++)
        put_histogram(metrics, status, &spreads[i]);
}

static void put_info(struct metrics *metrics, const Hallsync__StatusReply *status)
{
    put_label(&metrics->text, "node", status->node_id);
    put_label(&metrics->text, "role", status->role);
    put_label(&metrics->text, "region", status->region);
    put_label(&metrics->text, "version", status->version);
    const char *labels = take_labels(metrics);
    put_head(metrics, "", "info", "gauge", "the node, its role, its region and the version of its software");
    if (labels == NULL)
        return;
    put_name(metrics, "", "info", labels);
    hs_buf_put_format(metrics->out, "1\n");
}

enum hs_err hs_metrics_put(const Hallsync__StatusReply *status, struct hs_buf *out)
{
    struct metrics metrics = {.out = out};
    struct instance node = {&status->base, ""};
    hs_arena_init(&metrics.arena, 0);
    put_info(&metrics, status);
    put_messages(&metrics, "", &(struct instances){&node, 1});
    put_named(&metrics, status);
    hs_arena_fini(&metrics.arena);
    hs_buf_fini(&metrics.text);
    return metrics.failed ? HS_ENOMEM : out->err;
}
