#include "node/cli/pages.h"

#include "proto/base/names.h"

#include "node/cli/forms.h"
#include "proto/base/buf.h"
#include "proto/base/limits.h"

#include <stdlib.h>
#include <string.h>

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
    uint64_t shown = 0;
    enum hs_err err;
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
    } while (err == HS_OK && body.has_after && (find->limit == 0 || shown < find->limit));
    hs_buf_fini(&after);
    return err;
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
