#include "node/cli/put.h"

#include "node/cli/cli.h"

#include <assert.h>
#include <string.h>

void cli_put_init(struct cli_put *put, uint32_t kind)
{
    *put = (struct cli_put){0};
    hallsync__put_request__init(&put->put);
    hallsync__request__init(&put->request);
    put->put.kind = kind;
    put->put.records = put->pointers;
    put->request.body_case = HALLSYNC__REQUEST__BODY_PUT;
    put->request.put = &put->put;
}

void cli_put_fini(struct cli_put *put)
{
    hs_buf_fini(&put->packed);
}

void cli_put_reset(struct cli_put *put)
{
    put->count = 0;
    hs_buf_reset(&put->packed);
}

bool cli_put_full(const struct cli_put *put)
{
    return put->count == CLI_PUT_RECORDS_MAX || put->packed.size > CLI_PUT_BYTES_MAX - HS_RECORD_BYTES_MAX;
}

enum hs_err cli_put_add(struct cli_put *put, const struct cli_draft *draft, const char *source)
{
    assert(put->count < CLI_PUT_RECORDS_MAX);
    Hallsync__PutRecord *record = &put->records[put->count];
    hallsync__put_record__init(record);
    put->offsets[put->count] = put->packed.size;
    enum hs_err err = cli_draft_pack(draft, &put->packed);
    if (err != HS_OK)
        return err;
    memcpy(put->clears[put->count], draft->clear, draft->clear_count * sizeof draft->clear[0]);
    record->record.len = put->packed.size - put->offsets[put->count];
    record->clear = put->clears[put->count];
    record->n_clear = draft->clear_count;
    record->source = (char *)source; /* only read: protobuf-c's members know no const */
    put->pointers[put->count++] = record;
    return HS_OK;
}

enum hs_err cli_put_add_message(struct cli_put *put, struct hs_bytes message, const char *source)
{
    assert(put->count < CLI_PUT_RECORDS_MAX);
    Hallsync__PutRecord *record = &put->records[put->count];
    hallsync__put_record__init(record);
    put->offsets[put->count] = put->packed.size;
    hs_buf_put_bytes(&put->packed, message);
    record->record.len = message.size;
    record->source = (char *)source; /* only read */
    put->pointers[put->count++] = record;
    return put->packed.err;
}

Hallsync__Request *cli_put_request(struct cli_put *put)
{
    for (size_t i = 0; i < put->count; i++)
        put->records[i].record.data = put->packed.data != NULL ? put->packed.data + put->offsets[i] : NULL;
    put->put.n_records = put->count;
    return &put->request;
}

enum hs_err cli_put_send(struct cli *cli, struct cli_put *put, const Hallsync__PutReply **reply)
{
    const Hallsync__Reply *whole;
    enum hs_err err = cli_call(cli, cli_put_request(put), HALLSYNC__REPLY__BODY_PUT, &whole);
    if (err == HS_OK && whole->put->n_results != put->count)
        err = cli_bad(&cli->bad, HS_EMALFORMED, NULL, "%zu results for %zu records", whole->put->n_results, put->count);
    if (err == HS_OK)
        *reply = whole->put;
    return err;
}
