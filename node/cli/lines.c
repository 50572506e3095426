/* payment add - and the like: one JSON object a line comes in, one answer a line goes out, in the same order.  What is
 * there already goes to the node together; who waits for each answer before he writes the next line gets it at once. */
#include "node/cli/input.h"
#include "node/cli/put.h"
#include "node/cli/show.h"
#include "node/cli/table.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct lines {
    struct cli *cli;
    const struct hs_kind *kind;
    struct cli_input input;
    struct cli_put put;
    json_t *refused[CLI_PUT_RECORDS_MAX]; /* what is wrong with a line; NULL: it was sent */
    uint64_t numbers[CLI_PUT_RECORDS_MAX];
    char ids[CLI_PUT_RECORDS_MAX][HS_ID_TEXT_BYTES]; /* made here */
    size_t count;
    struct hs_buf line;
    bool ended; /* the node is gone */
};

/* With the id that a line was given here: who sends it again names it. */
static json_t *error_object(const struct lines *lines, enum hs_err err, size_t i)
{
    json_t *object = cli_error_json(lines->cli, err);
    json_object_set_new(object, "line", json_integer((json_int_t)lines->numbers[i]));
    if (lines->ids[i][0] != '\0')
        json_object_set_new(object, "id", json_string(lines->ids[i]));
    return object;
}

static json_t *refuse(struct lines *lines, enum hs_err err, size_t i)
{
    json_t *object = error_object(lines, err, i);
    cli_complain(lines->cli, err);
    lines->cli->error_name[0] = '\0';
    lines->cli->status = 1;
    return object;
}

static enum hs_err read_draft(struct lines *lines, struct cli_draft *draft)
{
    struct cli_bad *bad = &lines->cli->bad;
    if (lines->line.err != HS_OK)
        return cli_bad(bad, lines->line.err, NULL, "a line has at most %d bytes", CLI_LINE_BYTES_MAX);
    enum hs_err err = cli_draft_line(draft, hs_buf_bytes(&lines->line), bad);
    if (err == HS_OK)
        err = cli_draft_make_id(draft, lines->ids[lines->count], bad);
    return err == HS_OK ? cli_put_add(&lines->put, draft, NULL) : err;
}

/* False: no more lines. */
static bool take_line(struct lines *lines)
{
    uint64_t number;
    struct cli_draft draft;
    if (!cli_input_line(&lines->input, &lines->line, &number))
        return false;
    lines->cli->bad = (struct cli_bad){0};
    lines->numbers[lines->count] = number;
    lines->ids[lines->count][0] = '\0';
    enum hs_err err = cli_draft_init(&draft, lines->kind);
    if (err == HS_OK)
        err = read_draft(lines, &draft);
    lines->refused[lines->count] = err == HS_OK ? NULL : refuse(lines, err, lines->count);
    lines->count++;
    cli_draft_fini(&draft);
    return true;
}

static bool gather(struct lines *lines)
{
    lines->count = 0;
    cli_put_reset(&lines->put);
    bool more = take_line(lines);
    while (more && lines->count < CLI_PUT_RECORDS_MAX && !cli_put_full(&lines->put) &&
           cli_input_has_line(&lines->input))
        more = take_line(lines);
    return lines->count != 0;
}

/* What the node says of each line that it was sent. */
static void answer(struct lines *lines, const Hallsync__PutReply *reply)
{
    size_t sent = 0;
    for (size_t i = 0; i < lines->count; i++) {
        json_t *object = lines->refused[i];
        if (object == NULL) {
            assert(reply != NULL);
            const Hallsync__PutResult *result = reply->results[sent++];
            enum hs_err err = cli_result_error(lines->cli, result);
            object = err == HS_OK ? cli_show_result(result) : refuse(lines, err, i);
        }
        cli_json_line(object);
    }
}

/* All that were sent met the same; one sentence is enough. */
static void answer_failed(struct lines *lines, enum hs_err err)
{
    cli_complain(lines->cli, err);
    for (size_t i = 0; i < lines->count; i++)
        cli_json_line(lines->refused[i] != NULL ? lines->refused[i] : error_object(lines, err, i));
    bool gone = hs_err_class(err) == HS_CLASS_RETRY;
    lines->cli->status = gone ? cli_exit_status(err) : 1;
    lines->ended = gone;
}

static enum hs_err send_gathered(struct lines *lines)
{
    const Hallsync__Reply *reply = NULL;
    enum hs_err err = HS_OK;
    if (lines->put.count != 0)
        err = cli_call(lines->cli, cli_put_request(&lines->put), HALLSYNC__REPLY__BODY_PUT, &reply);
    if (err == HS_OK && reply != NULL && reply->put->n_results != lines->put.count)
        err = cli_bad(&lines->cli->bad, HS_EMALFORMED, NULL, "%zu results for %zu records", reply->put->n_results,
                      lines->put.count);
    if (err == HS_OK)
        answer(lines, reply != NULL ? reply->put : NULL);
    else
        answer_failed(lines, err);
    return fflush(stdout) == 0 ? HS_OK : cli_bad(&lines->cli->bad, HS_EIO, NULL, "standard output cannot be written");
}

static enum hs_err put_all(struct lines *lines)
{
    enum hs_err err = HS_OK;
    cli_input_init(&lines->input, STDIN_FILENO);
    while (err == HS_OK && !lines->ended && gather(lines))
        err = send_gathered(lines);
    if (err == HS_OK && lines->input.error != 0)
        err = cli_bad(&lines->cli->bad, HS_EIO, NULL, "standard input: %s", strerror(lines->input.error));
    return err;
}

enum hs_err cli_put_lines(struct cli *cli)
{
    struct lines *lines = calloc(1, sizeof *lines);
    if (lines == NULL)
        return HS_ENOMEM;
    lines->cli = cli;
    lines->kind = hs_kind_by_number(cli->command->kind);
    cli->json = true; /* who writes JSON lines reads JSON lines */
    cli_put_init(&lines->put, lines->kind->number);
    enum hs_err err = put_all(lines);
    cli_put_fini(&lines->put);
    hs_buf_fini(&lines->line);
    free(lines);
    return err;
}
