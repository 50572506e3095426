/* put.h -- drafts as a PutRequest.  The request borrows everything from here. */
#ifndef HS_CLI_PUT_H
#define HS_CLI_PUT_H

#include "node/cli/draft.h"
#include "proto/local.pb-c.h"

#define CLI_PUT_RECORDS_MAX 500
#define CLI_PUT_BYTES_MAX   (768 * 1024) /* packed records of one request, with room for what is around them */

struct cli_put {
    Hallsync__PutRecord records[CLI_PUT_RECORDS_MAX];
    Hallsync__PutRecord *pointers[CLI_PUT_RECORDS_MAX];
    size_t offsets[CLI_PUT_RECORDS_MAX]; /* into packed */
    uint32_t clears[CLI_PUT_RECORDS_MAX][CLI_CLEAR_MAX];
    size_t count;
    struct hs_buf packed;
    Hallsync__PutRequest put;
    Hallsync__Request request;
};

void cli_put_init(struct cli_put *put, uint32_t kind);
void cli_put_fini(struct cli_put *put);
void cli_put_reset(struct cli_put *put);
bool cli_put_full(const struct cli_put *put);

/* Add a record, copied; not when full.  @source: borrowed, NULL: none.  HS_ENOMEM. */
enum hs_err cli_put_add(struct cli_put *put, const struct cli_draft *draft, const char *source);

/* The same of a packed message. */
enum hs_err cli_put_add_message(struct cli_put *put, struct hs_bytes message, const char *source);

/* The request; valid until the next change. */
Hallsync__Request *cli_put_request(struct cli_put *put);

struct cli;
/* Ask the node to write them all: a result for each, in their order, valid until the next call. */
enum hs_err cli_put_send(struct cli *cli, struct cli_put *put, const Hallsync__PutReply **reply);

/* write.c: the command's arguments, "field=value" each; the first may be the value of @first alone. */
enum hs_err cli_take_fields(struct cli *cli, struct cli_draft *draft, const char *first);
/* One record of the command's kind from @given and the command's arguments, "field=value" each; the first may
 * be the value of @first alone.  Sent, and the answer shown. */
struct cli_given {
    const char *name, *value;
};
enum hs_err cli_write(struct cli *cli, const struct cli_given *given, size_t count, const char *first);

#endif
