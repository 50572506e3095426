/* bundle show: who made a file and whether it is whole, as anybody can see; and what is in it, if it is for this node.
 */
#include "node/cli/bundle.h"
#include "node/cli/table.h"

#include <string.h>

static void set_number(json_t *object, const char *key, uint64_t value)
{
    json_object_set_new(object, key, json_integer((json_int_t)value));
}

static enum hs_err see_all(struct cli_bundle_in *in, json_t *object)
{
    struct cli_bundle_seen seen = {.recipients = 0};
    struct hs_bytes part = {NULL, 1};
    uint64_t bytes = 0;
    enum hs_err err = HS_OK;
    while (err == HS_OK) {
        err = cli_bundle_in_next(in, &part);
        if (err != HS_OK || part.size == 0)
            break;
        err = cli_bundle_see(in, part, &seen);
        bytes += part.size;
    }
    json_object_set_new(object, "purpose", json_string(hs_sealed_purpose_text(seen.purpose)));
    json_object_set_new(object, "sender", json_string(seen.sender));
    set_number(object, "made_ms", seen.made_ms);
    set_number(object, "parts", in->parts);
    set_number(object, "bytes", bytes);
    set_number(object, "recipients", seen.recipients);
    return err;
}

/* By the node that it is for, if that is this one. */
static enum hs_err look_inside(struct cli_bundle_way *way, const char *path, json_t *object)
{
    struct cli_bundle_in in;
    struct hs_bytes part = {NULL, 1};
    const Hallsync__BundleImportReply *reply = NULL;
    uint64_t operations = 0, receipts = 0;
    enum hs_err err = cli_bundle_in_open(&in, way->cli, path);
    while (err == HS_OK) {
        err = cli_bundle_in_next(&in, &part);
        if (err != HS_OK || part.size == 0)
            break;
        err = cli_bundle_ask_import(way, part, true, &reply);
        if (err != HS_OK)
            break;
        operations += reply->operations;
        receipts += reply->receipts;
        json_object_set_new(object, "receiver", json_string(reply->receiver));
        json_object_set_new(object, "last", json_boolean(reply->last));
    }
    cli_bundle_in_close(&in);
    if (err != HS_OK)
        return err;
    set_number(object, "operations", operations);
    set_number(object, "receipts", receipts);
    return HS_OK;
}

static enum hs_err inside(struct cli *cli, const char *path, json_t *object)
{
    struct cli_bundle_way way;
    enum hs_err err = cli_bundle_way_open(&way, cli);
    if (err == HS_OK)
        err = look_inside(&way, path, object);
    cli_bundle_way_close(&way);
    return err;
}

enum hs_err cli_run_bundle_show(struct cli *cli)
{
    static const struct cli_column CARD[] = {
        {"purpose", "purpose", CLI_FORM_TEXT},
        {"sender", "made by", CLI_FORM_TEXT},
        {"made_ms", "made", CLI_FORM_TIME},
        {"receiver", "for", CLI_FORM_TEXT},
        {"parts", "parts", CLI_FORM_NUMBER},
        {"bytes", "size", CLI_FORM_BYTES},
        {"recipients", "can open it", CLI_FORM_NUMBER},
        {"operations", "operations", CLI_FORM_NUMBER},
        {"receipts", "receipts", CLI_FORM_NUMBER},
        {"content", "content", CLI_FORM_TEXT},
    };
    struct cli_bundle_in in;
    enum hs_err err = cli_take_args(cli, 1, 1);
    json_t *object = err == HS_OK ? json_object() : NULL;
    if (err == HS_OK && object == NULL)
        err = HS_ENOMEM;
    if (err != HS_OK)
        return err;
    err = cli_bundle_in_open(&in, cli, cli->args[0]);
    if (err == HS_OK)
        err = see_all(&in, object);
    cli_bundle_in_close(&in);
    if (err != HS_OK) {
        json_decref(object);
        return err;
    }
    /* Whole and signed it is; a look inside is more, and only for whom it is for. */
    enum hs_err closed = inside(cli, cli->args[0], object);
    if (closed != HS_OK)
        json_object_set_new(object, "content", json_string(cli->bad.why.text));
    return cli_card(cli, CARD, sizeof CARD / sizeof *CARD, object);
}
