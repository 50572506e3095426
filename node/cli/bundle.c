/* bundle export, import, show: what a link would bring, carried by somebody. */
#include "node/cli/bundle.h"
#include "node/cli/forms.h"
#include "node/cli/progress.h"
#include "node/cli/table.h"
#include "proto/base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define SIZE_MIB_DEFAULT 64
#define SIZE_MIB_MAX     4096
#define HEADS_BYTES_MAX  (HS_REQUEST_BYTES_MAX - 4096) /* of what is answered to: more does not fit a request */

static void set_number(json_t *object, const char *key, uint64_t value)
{
    json_object_set_new(object, key, json_integer((json_int_t)value));
}

/* ---- export ---- */

struct exported {
    uint64_t parts, operations, receipts, pruned, left_out, bytes;
    uint32_t recipients;
};

/* To the millisecond: a second bundle takes no other's place. */
static void name_files(struct cli_bundle_out *out, const char *receiver)
{
    struct timespec now;
    struct tm utc;
    char when[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(when, sizeof when, "%Y%m%dT%H%M%S", &utc);
    snprintf(out->name, sizeof out->name, "to-%s-%s%03ldZ", receiver, when, now.tv_nsec / 1000000);
}

/* What is still to come is not known before it has been read. */
static void tell(const struct exported *done)
{
    char text[64];
    snprintf(text, sizeof text, "%" PRIu64 " operations", done->operations);
    cli_progress_step(
        &(struct cli_step){.what = "writing the bundle", .done = done->bytes, .unit = CLI_BYTES, .note = text});
}

static enum hs_err put_parts(struct cli_bundle_way *way, Hallsync__BundleExportRequest *request,
                             struct cli_bundle_out *out, struct exported *done)
{
    const Hallsync__BundleExportReply *reply;
    uint8_t next[256];
    bool more = true;
    enum hs_err err = HS_OK;
    while (err == HS_OK && more) {
        tell(done);
        err = cli_bundle_ask_export(way, request, &reply);
        if (err == HS_OK && (reply->part.len == 0 || (reply->has_next && reply->next.len > sizeof next)))
            err = cli_bad(&way->cli->bad, HS_EMALFORMED, NULL, "the node gave no part of a bundle");
        if (err == HS_OK)
            err = cli_bundle_out_put(out, HS_BYTES(reply->part.data, reply->part.len));
        if (err != HS_OK)
            return err;
        done->parts++;
        done->operations += reply->operations;
        done->receipts += reply->receipts;
        done->pruned += reply->pruned;
        done->left_out += reply->left_out;
        done->bytes += reply->part.len;
        done->recipients = reply->recipients;
        more = reply->has_next;
        if (more) {
            memcpy(next, reply->next.data, reply->next.len);
            request->has_after = true;
            request->after = (ProtobufCBinaryData){reply->next.len, next};
        }
    }
    return err;
}

static json_t *exported_json(const char *receiver, const struct exported *done, json_t *paths)
{
    json_t *object = json_object();
    json_object_set_new(object, "receiver", json_string(receiver));
    json_object_set(object, "files", paths);
    set_number(object, "parts", done->parts);
    set_number(object, "operations", done->operations);
    set_number(object, "receipts", done->receipts);
    set_number(object, "pruned", done->pruned);
    set_number(object, "left_out", done->left_out);
    set_number(object, "recipients", done->recipients);
    set_number(object, "bytes", done->bytes);
    return object;
}

static enum hs_err tell_exported(const struct cli *cli, const char *receiver, const struct exported *done,
                                 json_t *paths)
{
    char bytes[CLI_BYTES_BYTES];
    if (cli->json)
        return cli_json_line(exported_json(receiver, done, paths));
    for (size_t i = 0; i < json_array_size(paths); i++)
        printf("%s\n", json_string_value(json_array_get(paths, i)));
    printf("for %s: %" PRIu64 " operations, %" PRIu64 " receipts, %s, written and read back; %u node%s can open it\n",
           receiver, done->operations, done->receipts, cli_bytes_text(done->bytes, bytes), (unsigned)done->recipients,
           done->recipients == 1 ? "" : "s");
    if (done->pruned > 0)
        printf("%" PRIu64 " operations are kept here only as what they add up to: they cannot go by bundle\n",
               done->pruned);
    if (done->left_out > 0)
        printf("%" PRIu64 " streams are forked or cannot be read, and were left out: see hallsync conflict list\n",
               done->left_out);
    return HS_OK;
}

static enum hs_err check_dir(struct cli *cli, const char *option, const char *dir)
{
    struct stat status;
    if (stat(dir, &status) == 0 && S_ISDIR(status.st_mode))
        return HS_OK;
    return cli_usage(cli, "--%s: %s is no directory", option, dir);
}

static enum hs_err export_to(struct cli_bundle_way *way, Hallsync__BundleExportRequest *request, const char *dir,
                             uint64_t size_mib)
{
    struct cli_bundle_out out = {.cli = way->cli, .dir = dir, .size = size_mib << 20};
    struct exported done = {0};
    name_files(&out, request->receiver);
    enum hs_err err = put_parts(way, request, &out, &done);
    if (err == HS_OK)
        err = cli_bundle_out_end(&out);
    cli_progress_end();
    if (err == HS_OK)
        err = tell_exported(way->cli, request->receiver, &done, out.paths);
    cli_bundle_out_close(&out);
    return err;
}

static enum hs_err take_size(struct cli *cli, uint64_t *size_mib)
{
    const char *text = cli->options[CLI_SIZE];
    *size_mib = SIZE_MIB_DEFAULT;
    if (text != NULL && (cli_number_parse(text, SIZE_MIB_MAX, size_mib) != HS_OK || *size_mib == 0))
        return cli_usage(cli, "--size: '%s' is not a number of MiB from 1 to %d", text, SIZE_MIB_MAX);
    return HS_OK;
}

enum hs_err cli_run_bundle_export(struct cli *cli)
{
    Hallsync__BundleExportRequest request = HALLSYNC__BUNDLE_EXPORT_REQUEST__INIT;
    struct cli_bundle_way way;
    const char *dir = cli->options[CLI_OUT] == NULL ? "." : cli->options[CLI_OUT];
    uint64_t size_mib;
    enum hs_err err = cli_take_args(cli, 0, 0);
    if (err == HS_OK && cli->options[CLI_FOR] == NULL)
        err = cli_usage(cli, "for whom?  --for NODE: a hub, or at a hub a hall");
    if (err == HS_OK)
        err = take_size(cli, &size_mib);
    if (err == HS_OK)
        err = check_dir(cli, "out", dir);
    request.receiver = (char *)(uintptr_t)cli->options[CLI_FOR];
    request.has_from = cli->options[CLI_FROM] != NULL;
    if (err == HS_OK && request.has_from &&
        (cli_number_parse(cli->options[CLI_FROM], UINT64_MAX, &request.from) != HS_OK || request.from == 0))
        err = cli_usage(cli, "--from: '%s' is not the number of an operation, from 1 on", cli->options[CLI_FROM]);
    if (err != HS_OK)
        return err;
    err = cli_bundle_way_open(&way, cli);
    if (err == HS_OK)
        err = export_to(&way, &request, dir, size_mib);
    cli_bundle_way_close(&way);
    return err;
}

/* ---- import ---- */

/* A file, over as many passes as it takes. */
struct imported {
    const char *path;
    bool done, failed;
    char sender[HS_NODE_ID_BYTES_MAX + 1], receiver[HS_NODE_ID_BYTES_MAX + 1];
    uint64_t made_ms;
    uint64_t parts, operations, taken, outside, receipts, receipts_taken,
        revocations; /* operations: of the last pass */
    bool last;       /* the bundle's last part is in it */
    json_t *left;    /* of the last pass */
    uint64_t left_operations;
    struct hs_buf heads;
    enum hs_err err; /* why it was refused */
    struct hs_why why;
};

static enum hs_err add_left(struct imported *file, const Hallsync__BundleLeft *left)
{
    char district[HS_PARTITION_TEXT_BYTES], origin[20];
    snprintf(origin, sizeof origin, "%016" PRIx64, left->origin);
    json_t *object = json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:I}", "error", left->error, "node_id", left->node_id,
                               "district", hs_partition_text((hs_partition)left->partition, district), "lane",
                               left->lane, "origin", origin, "first", (json_int_t)left->first, "last",
                               (json_int_t)left->last);
    if (object == NULL)
        return HS_ENOMEM;
    if (left->has_needs_first) {
        set_number(object, "needs_first", left->needs_first);
        set_number(object, "needs_last", left->needs_last);
    }
    file->left_operations += left->last - left->first + 1;
    return json_array_append_new(file->left, object) == 0 ? HS_OK : HS_ENOMEM;
}

static enum hs_err add_reply(struct imported *file, const Hallsync__BundleImportReply *reply)
{
    enum hs_err err = HS_OK;
    snprintf(file->sender, sizeof file->sender, "%s", reply->sender);
    snprintf(file->receiver, sizeof file->receiver, "%s", reply->receiver);
    file->made_ms = reply->made_ms;
    file->parts++;
    file->last = reply->last;
    file->operations += reply->operations;
    file->taken += reply->taken;
    file->outside += reply->outside;
    file->receipts += reply->receipts;
    file->receipts_taken += reply->receipts_taken;
    file->revocations += reply->revocations;
    if (reply->has_heads && file->heads.size + reply->heads.len <= HEADS_BYTES_MAX)
        hs_buf_put(&file->heads, reply->heads.data, reply->heads.len);
    for (size_t i = 0; i < reply->n_left && err == HS_OK; i++)
        err = add_left(file, reply->left[i]);
    return err == HS_OK ? file->heads.err : err;
}

/* Each part counts for itself: those before one that is damaged stay. */
static enum hs_err import_parts(struct cli_bundle_way *way, struct imported *file, bool show)
{
    struct cli_bundle_in in;
    struct hs_bytes part = {NULL, 1};
    const Hallsync__BundleImportReply *reply;
    enum hs_err err = cli_bundle_in_open(&in, way->cli, file->path);
    json_decref(file->left);
    file->left = json_array();
    file->parts = file->operations = file->outside = file->receipts = file->left_operations = 0;
    hs_buf_reset(&file->heads);
    while (err == HS_OK && part.size > 0) {
        err = cli_bundle_in_next(&in, &part);
        if (err != HS_OK || part.size == 0)
            break;
        err = cli_bundle_ask_import(way, part, show, &reply);
        if (err == HS_OK)
            err = add_reply(file, reply);
        else
            cli_bad(&way->cli->bad, err, NULL, "%s: part %u: %s", file->path, in.parts,
                    strdupa(way->cli->bad.why.text));
    }
    cli_bundle_in_close(&in);
    return err;
}

static const char *result_of(const struct imported *file)
{
    if (file->failed)
        return "refused";
    if (json_array_size(file->left) > 0)
        return "incomplete";
    return file->taken > 0 || file->receipts_taken > 0 || file->revocations > 0 ? "imported" : "old";
}

static json_t *imported_json(const struct imported *file)
{
    json_t *object = json_object();
    uint64_t held = file->operations - file->taken - file->outside - file->left_operations;
    json_object_set_new(object, "file", json_string(file->path));
    json_object_set_new(object, "result", json_string(result_of(file)));
    if (file->failed) {
        json_object_set_new(object, "error", json_string(hs_err_name(file->err)));
        json_object_set_new(object, "text", json_string(file->why.text));
    }
    if (file->parts == 0)
        return object;
    json_object_set_new(object, "sender", json_string(file->sender));
    json_object_set_new(object, "receiver", json_string(file->receiver));
    set_number(object, "made_ms", file->made_ms);
    set_number(object, "parts", file->parts);
    json_object_set_new(object, "last", json_boolean(file->last));
    set_number(object, "operations", file->operations);
    set_number(object, "new", file->taken);
    set_number(object, "held", held <= file->operations ? held : 0);
    set_number(object, "outside", file->outside);
    set_number(object, "receipts", file->receipts);
    set_number(object, "receipts_new", file->receipts_taken);
    set_number(object, "revocations_new", file->revocations);
    json_object_set(object, "left", file->left);
    return object;
}

static void print_left(const json_t *left)
{
    size_t i;
    json_t *one;
    json_array_foreach(left, i, one)
    {
        const char *node = json_string_value(json_object_get(one, "node_id"));
        printf("  %s, district %s, lane %s: operations %lld-%lld not taken: ", node[0] != '\0' ? node : "unknown node",
               json_string_value(json_object_get(one, "district")), json_string_value(json_object_get(one, "lane")),
               (long long)json_integer_value(json_object_get(one, "first")),
               (long long)json_integer_value(json_object_get(one, "last")));
        if (json_object_get(one, "needs_first") != NULL)
            printf("needs %lld-%lld first\n", (long long)json_integer_value(json_object_get(one, "needs_first")),
                   (long long)json_integer_value(json_object_get(one, "needs_last")));
        else
            printf("%s\n", hs_err_text(hs_err_by_name(json_string_value(json_object_get(one, "error")))));
    }
}

static enum hs_err tell_imported(const struct cli *cli, const struct imported *file)
{
    char made[HS_TIME_TEXT_BYTES];
    if (cli->json)
        return cli_json_line(imported_json(file));
    if (file->parts == 0)
        return HS_OK;
    printf("%s: from %s, %s: %" PRIu64 " operations, %" PRIu64 " new; %" PRIu64 " receipts, %" PRIu64 " new%s\n",
           file->path, file->sender, hs_time_text(file->made_ms, cli->utc_offset_minutes, made), file->operations,
           file->taken, file->receipts, file->receipts_taken,
           strcmp(result_of(file), "old") == 0 ? ": an old one, all of it was here" : "");
    if (file->outside > 0)
        printf("  %" PRIu64 " operations are of districts that this node does not hold\n", file->outside);
    if (!file->last && !file->failed)
        printf("  this is not the end of the bundle: the file behind it is still to come\n");
    print_left(file->left);
    return HS_OK;
}

/* What one file needs may be in another: again, as long as that brings anything. */
static enum hs_err import_all(struct cli_bundle_way *way, struct imported *files, size_t count)
{
    enum hs_err first = HS_OK;
    bool moved = true;
    while (moved) {
        moved = false;
        for (size_t i = 0; i < count; i++) {
            uint64_t before = files[i].taken;
            if (files[i].done)
                continue;
            enum hs_err err = import_parts(way, &files[i], false);
            files[i].failed = err != HS_OK;
            files[i].done = err != HS_OK || json_array_size(files[i].left) == 0;
            moved = moved || files[i].taken > before;
            if (err == HS_OK)
                continue;
            files[i].err = err;
            files[i].why = way->cli->bad.why;
            cli_complain(way->cli, err);
            first = first == HS_OK ? err : first;
        }
    }
    return first;
}

/* ---- the way back ---- */

/* For each that a bundle came from, once: by the latest of them. */
static enum hs_err answer_all(struct cli_bundle_way *way, struct imported *files, size_t count, const char *dir)
{
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < count && err == HS_OK; i++) {
        bool latest = files[i].parts > 0;
        for (size_t k = 0; k < count && latest; k++)
            latest = k == i || files[k].parts == 0 || strcmp(files[k].sender, files[i].sender) != 0 ||
                     files[k].made_ms < files[i].made_ms || (files[k].made_ms == files[i].made_ms && k > i);
        if (!latest)
            continue;
        Hallsync__BundleExportRequest request = HALLSYNC__BUNDLE_EXPORT_REQUEST__INIT;
        request.receiver = files[i].sender;
        request.has_heads = files[i].heads.size > 0;
        request.heads = (ProtobufCBinaryData){files[i].heads.size, files[i].heads.data};
        err = export_to(way, &request, dir, SIZE_MIB_DEFAULT);
    }
    return err;
}

static enum hs_err import_and_answer(struct cli_bundle_way *way, struct imported *files, size_t count)
{
    struct cli *cli = way->cli;
    const char *dir = cli->options[CLI_ANSWER];
    enum hs_err err = dir == NULL ? HS_OK : check_dir(cli, "answer", dir);
    if (err != HS_OK)
        return err;
    enum hs_err first = import_all(way, files, count);
    for (size_t i = 0; i < count && err == HS_OK; i++) {
        err = tell_imported(cli, &files[i]);
        if (cli->status == 0 && json_array_size(files[i].left) > 0)
            cli->status = 1;
    }
    if (first != HS_OK)
        cli->status = cli_exit_status(first);
    return err == HS_OK && dir != NULL ? answer_all(way, files, count, dir) : err;
}

enum hs_err cli_run_bundle_import(struct cli *cli)
{
    struct cli_bundle_way way;
    enum hs_err err = cli_take_args(cli, 1, SIZE_MAX);
    if (err != HS_OK)
        return err;
    struct imported *files = calloc(cli->arg_count, sizeof *files);
    if (files == NULL)
        return HS_ENOMEM;
    for (size_t i = 0; i < cli->arg_count; i++)
        files[i].path = cli->args[i];
    err = cli_bundle_way_open(&way, cli);
    if (err == HS_OK)
        err = import_and_answer(&way, files, cli->arg_count);
    cli_bundle_way_close(&way);
    for (size_t i = 0; i < cli->arg_count; i++) {
        json_decref(files[i].left);
        hs_buf_fini(&files[i].heads);
    }
    free(files);
    return err;
}
