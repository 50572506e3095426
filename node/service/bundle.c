/* Bundles of the running node: a request is a part, so that neither the counters nor the writer ever wait for more. */
#include "node/bundle/bundle.h"
#include "node/service/handlers.h"

static enum hs_err take_keys(struct hs_call *call, struct hs_bundle_node *node)
{
    const struct hs_service_options *options = &call->desk->options;
    *node = (struct hs_bundle_node){options->store, options->signer, options->curve_secret, hs_now_ms()};
    return options->curve_secret != NULL ? HS_OK
                                         : hs_fail(HS_EINVAL, &call->why, "this service has no keys to seal with");
}

enum hs_err hs_bundle_export_read(struct hs_call *call, struct hs_view *view)
{
    struct hs_bundle_node node;
    enum hs_err err = take_keys(call, &node);
    return err == HS_OK ? hs_bundle_export(&node, view, call->request->bundle_export, &call->body, &call->why) : err;
}

enum hs_err hs_bundle_import_prepare(struct hs_call *call)
{
    const Hallsync__BundleImportRequest *request = call->request->bundle_import;
    struct hs_bundle_node node;
    struct hs_bundle *bundle = NULL;
    enum hs_err err = take_keys(call, &node);
    if (err == HS_OK)
        err = hs_bundle_open(&node, HS_BYTES(request->part.data, request->part.len), &call->arena, &bundle, &call->why);
    call->plan = bundle;
    call->job.weight = request->part.len;
    return err;
}

enum hs_err hs_bundle_import_run(struct hs_call *call, struct hs_store *store)
{
    const Hallsync__BundleImportRequest *request = call->request->bundle_import;
    hs_arena_reset(&call->scratch); /* the group may be run again */
    enum hs_err err = hs_bundle_apply(call->plan, store, request->has_show && request->show, &call->scratch,
                                      &call->body);
    call->job.torn = err != HS_OK;
    return err;
}
