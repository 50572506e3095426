/* audit: who has decided or changed what, and why, the newest first. */
#include "node/cli/forms.h"
#include "node/cli/pages.h"
#include "node/cli/progress.h"
#include "node/cli/table.h"
#include "node/json/json.h"

#include <stdio.h>

#define PAGE_ENTRIES 500
#define AUDIT_KEEP   5

static const struct cli_column ENTRY[] = {
    {"time", "time", CLI_FORM_TEXT},       {"name", "who", CLI_FORM_TEXT},
    {"action", "what", CLI_FORM_TEXT},     {"about", "about", CLI_FORM_TEXT},
    {"reason", "reason", CLI_FORM_PROSE},  {"detail", "more", CLI_FORM_TEXT},
    {"way", "way", CLI_FORM_TEXT},         {"role", "role", CLI_FORM_TEXT},
    {"node", "written at", CLI_FORM_TEXT}, {"district", "district", CLI_FORM_TEXT},
};

struct trail {
    struct cli *cli;
    struct cli_list list;
    uint64_t shown, limit; /* limit 0: none */
    bool incomplete;
};

/* What it is about, in one word: for people, who see a table. */
static void add_about(json_t *object)
{
    static const char *const NAMES[] = {"user", "record_id", "node_id"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        json_t *value = json_object_get(object, NAMES[i]);
        if (value != NULL) {
            json_object_set(object, "about", value);
            return;
        }
    }
}

static enum hs_err add_page(struct trail *trail, const Hallsync__TrailReply *page)
{
    for (size_t i = 0; i < page->n_records && (trail->limit == 0 || trail->shown < trail->limit); i++) {
        json_t *object = hs_json_record(page->records[i], trail->cli->utc_offset_minutes);
        if (!trail->cli->json && !trail->cli->csv)
            add_about(object);
        cli_list_add(&trail->list, object);
        trail->shown++;
    }
    trail->incomplete = trail->incomplete || (page->has_complete && !page->complete);
    return trail->list.failed ? HS_ENOMEM : HS_OK;
}

static enum hs_err ask_all(struct trail *trail, Hallsync__TrailRequest *body)
{
    struct hs_buf after = {0};
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    const Hallsync__Reply *reply;
    request.body_case = HALLSYNC__REQUEST__BODY_TRAIL;
    request.trail = body;
    body->has_limit = 1;
    enum hs_err err;
    do {
        uint64_t left = trail->limit - trail->shown;
        cli_progress_step(&(struct cli_step){
            .what = "reading the audit trail", .done = trail->shown, .total = trail->limit, .unit = "entries"});
        body->limit = trail->limit != 0 && left < PAGE_ENTRIES ? (uint32_t)left : PAGE_ENTRIES;
        err = cli_call(trail->cli, &request, HALLSYNC__REPLY__BODY_TRAIL, &reply);
        if (err == HS_OK)
            err = add_page(trail, reply->trail);
        if (err != HS_OK)
            break;
        hs_buf_reset(&after);
        hs_buf_put(&after, reply->trail->next.data, reply->trail->next.len);
        body->has_after = reply->trail->has_next;
        body->after = (ProtobufCBinaryData){.len = after.size, .data = after.data};
        err = after.err;
    } while (err == HS_OK && body->has_after && (trail->limit == 0 || trail->shown < trail->limit));
    cli_progress_end();
    hs_buf_fini(&after);
    return err;
}

enum hs_err cli_run_audit(struct cli *cli)
{
    Hallsync__TrailRequest body = HALLSYNC__TRAIL_REQUEST__INIT;
    struct trail trail = {.cli = cli};
    const char *date = cli->options[CLI_DATE];
    enum hs_err err = cli_take_args(cli, 0, 0);
    if (err == HS_OK && date != NULL && cli_date_parse(date, &body.date) != HS_OK)
        return cli_usage(cli, "--date: '%s' is not a date like 2026-11-21", date);
    if (err == HS_OK)
        err = cli_limit(cli, &trail.limit);
    if (err != HS_OK)
        return err;
    body.has_date = date != NULL;
    body.name = (char *)cli->options[CLI_BY]; /* only read */
    cli_list_begin(&trail.list, cli, ENTRY, sizeof ENTRY / sizeof *ENTRY);
    trail.list.keep = AUDIT_KEEP;
    err = ask_all(&trail, &body);
    enum hs_err ended = cli_list_end(&trail.list);
    if (err == HS_OK && trail.incomplete)
        fputs("hallsync: not all is here yet: records are still coming, hallsync status shows how far they are\n",
              stderr);
    return err != HS_OK ? err : ended;
}
