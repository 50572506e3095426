/* A bundle's other end: the running node by its socket, or the store of a stopped one. */
#include "node/cli/bundle.h"
#include "proto/base/thread.h"
#include "proto/msg/frame.h"

enum hs_err cli_bundle_way_open(struct cli_bundle_way *way, struct cli *cli)
{
    struct hs_why why = {""};
    *way = (struct cli_bundle_way){.cli = cli};
    hs_arena_init(&way->answers, 0);
    enum hs_err err = cli_config_find(cli);
    if (err != HS_OK || cli->config == NULL)
        return err;
    err = hs_conf_load(cli->config, &way->conf, &why);
    if (err == HS_OK)
        err = cli_stopped_open(&way->stopped, &way->conf, &why);
    if (err == HS_OK || cli_stopped_asks(cli, err, &why))
        return HS_OK;
    return cli_fail(cli, err, &why);
}

void cli_bundle_way_close(struct cli_bundle_way *way)
{
    cli_stopped_close(&way->stopped);
    hs_conf_free(&way->conf);
    hs_arena_fini(&way->answers);
}

static struct hs_bundle_node node_of(const struct cli_bundle_way *way)
{
    return (struct hs_bundle_node){way->stopped.store, hs_signer_of(way->stopped.keys.node),
                                   way->stopped.keys.curve_secret, hs_now_ms()};
}

/* ---- a stopped one's answers ---- */

static enum hs_err export_stopped(struct cli_bundle_way *way, const Hallsync__BundleExportRequest *request,
                                  struct hs_buf *answer, struct hs_why *why)
{
    struct hs_bundle_node node = node_of(way);
    struct hs_view *view = NULL;
    enum hs_err err = hs_store_flush(way->stopped.store);
    if (err == HS_OK)
        err = hs_view_open(way->stopped.store, 0, 0, &view);
    if (err == HS_OK)
        err = hs_bundle_export(&node, view, request, answer, why);
    hs_view_close(view);
    return err;
}

static enum hs_err import_stopped(struct cli_bundle_way *way, struct hs_bytes part, bool show, struct hs_buf *answer,
                                  struct hs_why *why)
{
    struct hs_bundle_node node = node_of(way);
    struct hs_bundle *bundle;
    struct hs_commit commit;
    struct hs_arena arena;
    hs_arena_init(&arena, 0);
    enum hs_err err = hs_bundle_open(&node, part, &arena, &bundle, why);
    if (err == HS_OK)
        err = hs_store_begin(way->stopped.store);
    if (err == HS_OK) {
        err = hs_bundle_apply(bundle, way->stopped.store, show, &arena, answer);
        if (err == HS_OK)
            err = hs_store_commit(way->stopped.store, &commit);
        else
            hs_store_abort(way->stopped.store);
    }
    hs_arena_fini(&arena);
    return err;
}

static enum hs_err unpack(struct cli_bundle_way *way, const ProtobufCMessageDescriptor *descriptor,
                          struct hs_buf *answer, const void **reply)
{
    ProtobufCMessage *message;
    *reply = NULL;
    hs_arena_reset(&way->answers);
    struct hs_bytes bytes = hs_arena_copy(&way->answers, hs_buf_bytes(answer));
    enum hs_err err = bytes.data == NULL ? HS_ENOMEM : hs_msg_unpack(descriptor, bytes, &way->answers, &message);
    if (err == HS_OK)
        *reply = message;
    return err;
}

/* ---- either ---- */

enum hs_err cli_bundle_ask_export(struct cli_bundle_way *way, Hallsync__BundleExportRequest *request,
                                  const Hallsync__BundleExportReply **to)
{
    struct hs_why why = {""};
    struct hs_buf answer = {0};
    if (way->stopped.store != NULL) {
        enum hs_err err = export_stopped(way, request, &answer, &why);
        if (err == HS_OK)
            err = unpack(way, &hallsync__bundle_export_reply__descriptor, &answer, (const void **)to);
        hs_buf_fini(&answer);
        return err == HS_OK ? HS_OK : cli_fail(way->cli, err, &why);
    }
    Hallsync__Request asked = HALLSYNC__REQUEST__INIT;
    const Hallsync__Reply *reply;
    asked.body_case = HALLSYNC__REQUEST__BODY_BUNDLE_EXPORT;
    asked.bundle_export = request;
    enum hs_err err = cli_call(way->cli, &asked, HALLSYNC__REPLY__BODY_BUNDLE_EXPORT, &reply);
    if (err == HS_OK)
        *to = reply->bundle_export;
    return err;
}

enum hs_err cli_bundle_ask_import(struct cli_bundle_way *way, struct hs_bytes part, bool show,
                                  const Hallsync__BundleImportReply **to)
{
    struct hs_why why = {""};
    struct hs_buf answer = {0};
    if (way->stopped.store != NULL) {
        enum hs_err err = import_stopped(way, part, show, &answer, &why);
        if (err == HS_OK)
            err = unpack(way, &hallsync__bundle_import_reply__descriptor, &answer, (const void **)to);
        hs_buf_fini(&answer);
        return err == HS_OK ? HS_OK : cli_fail(way->cli, err, &why);
    }
    Hallsync__Request asked = HALLSYNC__REQUEST__INIT;
    Hallsync__BundleImportRequest body = HALLSYNC__BUNDLE_IMPORT_REQUEST__INIT;
    const Hallsync__Reply *reply;
    body.part = (ProtobufCBinaryData){part.size, (uint8_t *)(uintptr_t)part.data}; /* only read */
    body.has_show = body.show = show;
    asked.body_case = HALLSYNC__REQUEST__BODY_BUNDLE_IMPORT;
    asked.bundle_import = &body;
    enum hs_err err = cli_call(way->cli, &asked, HALLSYNC__REPLY__BODY_BUNDLE_IMPORT, &reply);
    if (err == HS_OK)
        *to = reply->bundle_import;
    return err;
}
