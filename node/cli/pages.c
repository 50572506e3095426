#include "node/cli/pages.h"

#include "proto/base/names.h"

#include "node/cli/forms.h"
#include "node/cli/progress.h"
#include "node/json/json.h"
#include "proto/base/buf.h"
#include "proto/base/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNTED (2 * HS_PAGE_RECORDS_MAX) /* from so many on it is worth to ask how many there are */

enum hs_err cli_limit(struct cli *cli, uint64_t *limit)
{
    const char *text = cli->options[CLI_LIMIT];
    *limit = 0;
    if (text == NULL)
        return HS_OK;
    if (cli_number_parse(text, INT64_MAX, limit) != HS_OK || *limit == 0)
        return cli_usage(cli, "--limit: '%s' is not a number above zero", text);
    return HS_OK;
}

static uint32_t page_size(uint64_t limit, uint64_t shown)
{
    uint64_t left = limit != 0 ? limit - shown : HS_PAGE_RECORDS_MAX;
    return (uint32_t)(left < HS_PAGE_RECORDS_MAX ? left : HS_PAGE_RECORDS_MAX);
}

/* Copy where the next page goes on; the reply does not outlive the next call. */
static enum hs_err keep_next(const Hallsync__RecordsReply *page, Hallsync__FindRequest *request, struct hs_buf *after)
{
    hs_buf_reset(after);
    hs_buf_put(after, page->next.data, page->next.len);
    request->has_after = page->has_next;
    request->after = (ProtobufCBinaryData){.len = after->size, .data = after->data};
    return after->err;
}

static enum hs_err visit_page(const Hallsync__RecordsReply *page, cli_visit_record visit, void *ctx)
{
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < page->n_records && err == HS_OK; i++)
        err = visit(ctx, page->records[i]);
    return err;
}

/* How many there are, by the digests; 0: not known.  Worth asking where there is more than a page or two. */
static uint64_t count_of(struct cli *cli, uint32_t kind)
{
    Hallsync__DigestRequest body = HALLSYNC__DIGEST_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    const Hallsync__Reply *reply;
    uint64_t count = 0;
    request.body_case = HALLSYNC__REQUEST__BODY_DIGEST;
    request.digest = &body;
    if (cli_call(cli, &request, HALLSYNC__REPLY__BODY_DIGEST, &reply) != HS_OK) {
        cli->bad = (struct cli_bad){0}; /* the pages themselves will tell what is wrong */
        return 0;
    }
    for (size_t i = 0; i < reply->digest->n_digests; i++)
        count += reply->digest->digests[i]->kind == kind ? reply->digest->digests[i]->count : 0;
    return count;
}

static void tell(struct cli *cli, const struct cli_find *find, uint64_t shown, uint64_t *total)
{
    char what[64], kind[HS_JSON_KIND_BYTES];
    if (shown >= COUNTED && *total == 0 && find->index == NULL && find->limit == 0)
        *total = count_of(cli, find->kind);
    snprintf(what, sizeof what, "reading: %s", hs_json_kind(find->kind, kind));
    cli_progress_step(&(struct cli_step){.what = what, .done = shown, .total = *total, .unit = "records"});
}

enum hs_err cli_find(struct cli *cli, const struct cli_find *find, cli_visit_record visit, void *ctx)
{
    struct hs_buf after = {0};
    Hallsync__FindRequest body = HALLSYNC__FIND_REQUEST__INIT;
    body.kind = find->kind;
    body.index = (char *)find->index; /* only read: protobuf-c's members know no const */
    body.key = (char *)find->key;
    body.then = (char *)find->then;
    body.has_limit = 1;
    body.has_here = body.here = find->here;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_FIND;
    request.find = &body;
    const Hallsync__Reply *reply;
    uint64_t shown = 0, total = find->limit;
    enum hs_err err;
    tell(cli, find, 0, &total);
    do {
        body.limit = page_size(find->limit, shown);
        err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_RECORDS, &reply);
        if (err == HS_OK)
            err = visit_page(reply->records, visit, ctx);
        if (err == HS_OK && find->incomplete != NULL && reply->records->has_complete && !reply->records->complete)
            *find->incomplete = true;
        if (err == HS_OK) {
            shown += reply->records->n_records;
            err = keep_next(reply->records, &body, &after);
        }
        if (err == HS_OK && body.has_after)
            tell(cli, find, shown, &total);
    } while (err == HS_OK && body.has_after && (find->limit == 0 || shown < find->limit));
    hs_buf_fini(&after);
    cli_progress_end();
    return err;
}

enum hs_err cli_get(struct cli *cli, uint32_t kind, const char *id, const Hallsync__Record **record)
{
    Hallsync__GetRequest body = HALLSYNC__GET_REQUEST__INIT;
    body.kind = kind;
    body.id = (char *)(uintptr_t)id; /* only read: protobuf-c's members know no const */
    body.has_here = body.here = cli->options[CLI_HERE] != NULL;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_GET;
    request.get = &body;
    const Hallsync__Reply *reply;
    enum hs_err err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_RECORDS, &reply);
    if (err == HS_OK && reply->records->n_records != 1)
        err = cli_bad(&cli->bad, HS_ENOTFOUND, NULL, "%s: %s", id, hs_err_text(HS_ENOTFOUND));
    if (err == HS_OK)
        *record = reply->records->records[0];
    return err;
}

enum hs_err cli_date(struct cli *cli, uint32_t *date)
{
    const char *text = cli->options[CLI_DATE];
    return text == NULL || cli_date_parse(text, date) == HS_OK
               ? HS_OK
               : cli_usage(cli, "--date: '%s' is not a date like 2026-11-21", text);
}

enum hs_err cli_district(struct cli *cli, bool *given, uint32_t *district)
{
    const char *text = cli->options[CLI_DISTRICT];
    hs_partition partition = 0;
    *given = text != NULL;
    if (text != NULL && (hs_partition_parse(text, &partition) != HS_OK || partition == HS_PARTITION_REGION))
        return cli_usage(cli, "--district: '%s' is not four digits", text);
    *district = partition;
    return HS_OK;
}
