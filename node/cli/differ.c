#include "node/cli/differ.h"

#include "node/json/json.h"
#include "node/cli/table.h"
#include "proto/base/names.h"
#include "proto/base/text.h"

#include <stdio.h>
#include <string.h>

#define INDENT      10 /* of what stands below the line of the record */
#define WHERE_BYTES (HS_NODE_ID_BYTES_MAX + 8)

/* What is shown, and of what. */
struct differ {
    struct cli *cli;
    const Hallsync__PeerStatus *peer;
    const Hallsync__DifferStatus *record;
    const Hallsync__DifferReply *reply;
    char district[HS_PARTITION_TEXT_BYTES], kind[HS_JSON_KIND_BYTES], id[2 * HS_RECORD_ID_BYTES_MAX + 1];
};

static enum hs_err ask(struct differ *differ)
{
    Hallsync__DifferRequest body = HALLSYNC__DIFFER_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    const Hallsync__Reply *reply;
    body.node_id = differ->peer->node_id;
    body.key = differ->record->key;
    request.body_case = HALLSYNC__REQUEST__BODY_DIFFER;
    request.differ = &body;
    enum hs_err err = cli_call(differ->cli, &request, HALLSYNC__REPLY__BODY_DIFFER, &reply);
    if (err == HS_OK)
        differ->reply = reply->differ;
    return err;
}

/* ---- for programs ---- */

static json_t *text_json(const char *text)
{
    return text != NULL ? hs_json_text(HS_BYTES(text, strlen(text))) : json_null();
}

/* A record's fields, and who wrote it last and when; null: it could not be had. */
static json_t *version_json(const struct cli *cli, const Hallsync__Record *record)
{
    char time[HS_TIME_TEXT_BYTES];
    json_t *object = record != NULL ? hs_json_content(record) : json_null();
    if (record == NULL || object == NULL)
        return object;
    if (record->has_time_ms)
        json_object_set_new(object, "time", json_string(hs_time_text(record->time_ms, cli->utc_offset_minutes, time)));
    if (record->node != NULL)
        json_object_set_new(object, "node", json_string(record->node));
    return object;
}

static json_t *fields_json(const Hallsync__DifferReply *reply)
{
    json_t *list = json_array();
    for (size_t i = 0; i < reply->n_fields; i++) {
        const Hallsync__DifferField *field = reply->fields[i];
        json_array_append_new(list, json_pack("{ss so so}", "field", field->name, "here", text_json(field->here),
                                              "there", text_json(field->there)));
    }
    return list;
}

static json_t *differ_json(const struct differ *differ)
{
    const Hallsync__DifferReply *reply = differ->reply;
    return json_pack("{ss ss ss ss ss ss so so so so so so}", "differs_from", differ->peer->node_id, "partition",
                     differ->district, "kind", differ->kind, "record_id", differ->id, "here_hash", differ->record->here,
                     "there_hash", differ->record->there, "here", version_json(differ->cli, reply->here), "there",
                     version_json(differ->cli, reply->there), "here_error", text_json(reply->here_error), "there_error",
                     text_json(reply->there_error), "now", text_json(reply->now), "fields", fields_json(reply));
}

/* ---- in words ---- */

static const char *why_not(const char *error)
{
    static const struct {
        enum hs_err err;
        const char *text;
    } TEXTS[] = {
        {HS_ENOTFOUND, "not told: there is no such record any more"},
        {HS_EDAMAGED, "not told: the record cannot be read there, its checksum does not hold"},
        {HS_ETOOBIG, "not told: the record is too large to be sent"},
        {HS_EVERSION, "not told: the program there is older and tells no records"},
        {HS_EUNREACHABLE, "not told: the node is not connected any more"},
        {HS_ENOLINK, "not told: the node has not answered in time"},
        {HS_ENOTHERE, "not told: the district is not held by both any more"},
    };
    enum hs_err err = hs_err_by_name(error);
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        if (TEXTS[i].err == err)
            return TEXTS[i].text;
    }
    return hs_err_text(err);
}

static void show_version(const char *where, const char *text)
{
    char title[WHERE_BYTES + INDENT];
    snprintf(title, sizeof title, "%*s%-*s ", INDENT, "", 8, where);
    cli_line(title, text, strlen(title));
}

static void show_words(const struct differ *differ)
{
    const Hallsync__DifferReply *reply = differ->reply;
    const char *there = differ->peer->node_id;
    const Hallsync__Record *record = reply->here != NULL ? reply->here : reply->there;
    printf("DAMAGED   %s %s of district %s: the same operations here and at %s, and not the same content\n",
           differ->kind, record != NULL ? record->id : differ->id, differ->district, there);
    if (reply->here_error != NULL)
        show_version("here", why_not(reply->here_error));
    if (reply->there_error != NULL)
        show_version(there, why_not(reply->there_error));
    for (size_t i = 0; i < reply->n_fields; i++) {
        const Hallsync__DifferField *field = reply->fields[i];
        printf("%*s%s\n", INDENT - 2, "", field->name);
        show_version("here", field->here != NULL ? field->here : "(nothing)");
        show_version(there, field->there != NULL ? field->there : "(nothing)");
    }
    if (reply->now != NULL && strcmp(reply->now, "damage") != 0)
        printf("%*smeanwhile %s: ask again\n", INDENT - 2, "",
               strcmp(reply->now, "equal") == 0 ? "both have the same" : "one of them has more operations");
}

enum hs_err cli_show_differ(struct cli *cli, const Hallsync__PeerStatus *peer, const Hallsync__DifferStatus *record)
{
    struct differ differ = {.cli = cli, .peer = peer, .record = record};
    enum hs_err err = ask(&differ);
    if (err != HS_OK)
        return err;
    hs_partition_text((hs_partition)record->partition, differ.district);
    hs_json_kind((uint16_t)record->kind, differ.kind);
    if (record->record_id.len <= HS_RECORD_ID_BYTES_MAX)
        hs_text_to_hex(HS_BYTES(record->record_id.data, record->record_id.len), differ.id);
    if (cli->json)
        return cli_json_line(differ_json(&differ));
    show_words(&differ);
    return HS_OK;
}
