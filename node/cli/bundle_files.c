/* A bundle as files: each holds whole parts, one behind the other. */
#include "node/cli/bundle.h"
#include "node/cli/progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- reading ---- */

enum hs_err cli_bundle_in_open(struct cli_bundle_in *in, struct cli *cli, const char *path)
{
    struct hs_why why = {""};
    struct stat about;
    *in = (struct cli_bundle_in){.cli = cli, .path = path, .bytes = malloc(HS_BUNDLE_PART_MAX)};
    enum hs_err err = in->bytes == NULL ? HS_ENOMEM : hs_sealed_in_open(path, &in->in, &why);
    if (err == HS_OK)
        in->source = hs_sealed_in_source(in->in);
    in->bytes_all = stat(path, &about) == 0 ? (uint64_t)about.st_size : 0;
    return err == HS_OK ? HS_OK : cli_fail(cli, err, &why);
}

void cli_bundle_in_close(struct cli_bundle_in *in)
{
    cli_progress_end();
    hs_sealed_in_close(in->in);
    free(in->bytes);
}

static enum hs_err read_more(struct cli_bundle_in *in)
{
    size_t got = 1;
    enum hs_err err = HS_OK;
    memmove(in->bytes, in->bytes + in->used, in->have - in->used);
    in->have -= in->used;
    in->used = 0;
    while (err == HS_OK && got > 0 && in->have < HS_BUNDLE_PART_MAX) {
        err = in->source.read(in->source.ctx, in->bytes + in->have, HS_BUNDLE_PART_MAX - in->have, &got);
        in->have += err == HS_OK ? got : 0;
    }
    in->at_end = in->have < HS_BUNDLE_PART_MAX;
    return err == HS_OK ? HS_OK : cli_bad(&in->cli->bad, err, NULL, "%s: %s", in->path, hs_err_text(err));
}

/* Something large of another purpose is named for what it is, and not by its size. */
static enum hs_err not_a_part(struct cli_bundle_in *in, enum hs_err err)
{
    struct cli_bundle_seen seen;
    if (err == HS_ETOOBIG && cli_bundle_see(in, HS_BYTES(in->bytes, in->have), &seen) == HS_EPURPOSE)
        return HS_EPURPOSE;
    if (err == HS_ENOTSEALED && in->parts > 0)
        return cli_bad(&in->cli->bad, HS_EDAMAGED, NULL, "%s: what follows part %u is no part of a bundle", in->path,
                       in->parts);
    return cli_bad(&in->cli->bad, err, NULL, "%s: part %u: %s", in->path, in->parts + 1, hs_err_text(err));
}

enum hs_err cli_bundle_in_next(struct cli_bundle_in *in, struct hs_bytes *part)
{
    size_t size = 0;
    enum hs_err err = in->have == 0 && !in->at_end ? read_more(in) : HS_OK;
    *part = HS_BYTES_NONE;
    cli_progress_step(&(struct cli_step){
        .what = "reading the bundle", .done = in->bytes_given, .total = in->bytes_all, .unit = CLI_BYTES});
    if (err != HS_OK || (in->at_end && in->used == in->have && in->parts > 0))
        return err;
    err = hs_bundle_part_size(HS_BYTES(in->bytes + in->used, in->have - in->used), &size);
    if (err == HS_ECUTSHORT && !in->at_end && in->used > 0) {
        err = read_more(in);
        if (err == HS_OK && in->have == 0)
            return HS_OK;
        if (err == HS_OK)
            err = hs_bundle_part_size(HS_BYTES(in->bytes, in->have), &size);
    }
    if (err != HS_OK)
        return not_a_part(in, err);
    *part = HS_BYTES(in->bytes + in->used, size);
    in->used += size;
    in->bytes_given += size;
    in->parts++;
    return HS_OK;
}

static enum hs_err read_part(void *ctx, uint8_t *to, size_t size, size_t *got)
{
    struct hs_bytes *left = ctx;
    *got = left->size < size ? left->size : size;
    if (*got > 0)
        memcpy(to, left->data, *got);
    *left = HS_BYTES(left->data + *got, left->size - *got);
    return HS_OK;
}

enum hs_err cli_bundle_see(struct cli_bundle_in *in, struct hs_bytes part, struct cli_bundle_seen *seen)
{
    struct hs_sealed_opening opening = {.purpose = (enum hs_sealed_purpose)0}; /* any, of any region, without a key */
    struct hs_unsealer *unsealer = NULL;
    struct hs_why why = {""};
    enum hs_err err = hs_unsealer_open(&opening, &(struct hs_sealed_source){read_part, &part}, &unsealer, &why);
    if (err == HS_OK) {
        const struct hs_sealed_header *header = hs_unsealer_header(unsealer);
        memcpy(seen->sender, header->sender.node_id, sizeof seen->sender);
        seen->purpose = header->purpose;
        seen->made_ms = header->made_ms;
        seen->recipients = header->recipient_count;
        if (header->purpose == HS_SEALED_BACKUP)
            err = hs_fail(HS_EPURPOSE, &why, "this is a backup of %s, and no bundle", seen->sender);
    }
    if (err == HS_OK)
        err = hs_unsealer_verify(unsealer, &why);
    hs_unsealer_close(unsealer);
    return err == HS_OK ? HS_OK
                        : cli_bad(&in->cli->bad, err, NULL, "%s: %s", in->path,
                                  why.text[0] != '\0' ? why.text : hs_err_text(err));
}

/* ---- writing ---- */

static enum hs_err read_back(struct cli_bundle_out *out)
{
    struct cli_bundle_in in;
    struct cli_bundle_seen seen;
    struct hs_bytes part = {NULL, 1};
    enum hs_err err = cli_bundle_in_open(&in, out->cli, out->path);
    while (err == HS_OK && part.size > 0) {
        err = cli_bundle_in_next(&in, &part);
        if (err == HS_OK && part.size > 0)
            err = cli_bundle_see(&in, part, &seen);
    }
    cli_bundle_in_close(&in);
    return err;
}

static enum hs_err end_file(struct cli_bundle_out *out)
{
    struct hs_why why = {""};
    if (out->out == NULL)
        return HS_OK;
    enum hs_err err = hs_sealed_out_commit(out->out, &why);
    hs_sealed_out_close(out->out);
    out->out = NULL;
    if (err != HS_OK)
        return cli_fail(out->cli, err, &why);
    if (json_array_append_new(out->paths, json_string(out->path)) != 0)
        return HS_ENOMEM;
    return read_back(out);
}

static enum hs_err begin_file(struct cli_bundle_out *out)
{
    struct hs_why why = {""};
    int size = snprintf(out->path, sizeof out->path, "%s/%s-%u.hsb", out->dir, out->name, ++out->files);
    if (size < 0 || (size_t)size >= sizeof out->path)
        return cli_usage(out->cli, "--out: the path is too long");
    if (out->paths == NULL)
        out->paths = json_array();
    out->bytes = 0;
    enum hs_err err = out->paths == NULL ? HS_ENOMEM : hs_sealed_out_open(out->path, &out->out, &why);
    return err == HS_OK ? HS_OK : cli_fail(out->cli, err, &why);
}

enum hs_err cli_bundle_out_put(struct cli_bundle_out *out, struct hs_bytes part)
{
    enum hs_err err = HS_OK;
    if (out->out != NULL && out->bytes + part.size > out->size)
        err = end_file(out);
    if (err == HS_OK && out->out == NULL)
        err = begin_file(out);
    if (err != HS_OK)
        return err;
    struct hs_sealed_sink sink = hs_sealed_out_sink(out->out);
    err = sink.write(sink.ctx, part);
    out->bytes += part.size;
    return err == HS_OK ? HS_OK : cli_fail(out->cli, err, hs_sealed_out_why(out->out));
}

enum hs_err cli_bundle_out_end(struct cli_bundle_out *out)
{
    return end_file(out);
}

void cli_bundle_out_close(struct cli_bundle_out *out)
{
    hs_sealed_out_close(out->out);
    json_decref(out->paths);
}
