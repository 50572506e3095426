/* payment add - and the like: one JSON object a line comes in, one answer a line goes out, in the same order.  What is
 * there already goes to the node together; who waits for each answer before he writes the next line gets it at once.
 *
 * The node syncs its disk for each request, and takes those that came meanwhile together.  So several requests of
 * payments are under way at a time, each over a connection and by a thread of its own; payments do not depend on each
 * other.  Of other kinds a later line may build on an earlier one, and they go one request after the other. */
#include "node/cli/input.h"
#include "node/cli/progress.h"
#include "node/cli/put.h"
#include "node/json/json.h"
#include "node/cli/table.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UNDER_WAY_MAX 4

/* The lines of one request.  Its thread has asker, put, reply and err between start() and join(). */
struct batch {
    struct cli asker; /* its connection, and what went wrong there */
    struct cli_put put;
    const Hallsync__PutReply *reply; /* NULL: nothing was sent */
    enum hs_err err;
    pthread_t thread;
    bool threaded;
    json_t *refused[CLI_PUT_RECORDS_MAX]; /* what is wrong with a line; NULL: it was sent */
    uint64_t numbers[CLI_PUT_RECORDS_MAX];
    char ids[CLI_PUT_RECORDS_MAX][HS_ID_TEXT_BYTES]; /* made here */
    size_t count;
};

struct lines {
    struct cli *cli;
    const struct hs_kind *kind;
    struct cli_input input;
    struct hs_buf line;
    struct batch batches[UNDER_WAY_MAX]; /* a ring */
    size_t first, under_way;
    size_t most; /* at a time */
    bool ended;  /* no more lines, or the node is gone */
    uint64_t answered;
};

/* With the id that a line was given here: who sends it again names it. */
static json_t *error_object(const struct cli *cli, enum hs_err err, const struct batch *batch, size_t i)
{
    json_t *object = cli_error_json(cli, err);
    json_object_set_new(object, "line", json_integer((json_int_t)batch->numbers[i]));
    if (batch->ids[i][0] != '\0')
        json_object_set_new(object, "id", json_string(batch->ids[i]));
    return object;
}

/* @cli: has what is wrong with the line. */
static json_t *refuse(struct lines *lines, struct cli *cli, enum hs_err err, const struct batch *batch, size_t i)
{
    json_t *object = error_object(cli, err, batch, i);
    cli_complain(cli, err);
    cli->error_name[0] = '\0';
    lines->cli->status = 1;
    return object;
}

/* ---- lines to a batch ---- */

static enum hs_err read_draft(struct lines *lines, struct batch *batch, struct cli_draft *draft)
{
    struct cli_bad *bad = &lines->cli->bad;
    if (lines->line.err != HS_OK)
        return cli_bad(bad, lines->line.err, NULL, "a line has at most %d bytes", CLI_LINE_BYTES_MAX);
    enum hs_err err = cli_draft_line(draft, hs_buf_bytes(&lines->line), bad);
    if (err == HS_OK)
        err = cli_draft_make_id(draft, batch->ids[batch->count], bad);
    return err == HS_OK ? cli_put_add(&batch->put, draft, NULL) : err;
}

/* False: no more lines. */
static bool take_line(struct lines *lines, struct batch *batch)
{
    uint64_t number;
    struct cli_draft draft;
    if (!cli_input_line(&lines->input, &lines->line, &number))
        return false;
    lines->cli->bad = (struct cli_bad){0};
    batch->numbers[batch->count] = number;
    batch->ids[batch->count][0] = '\0';
    enum hs_err err = cli_draft_init(&draft, lines->kind);
    if (err == HS_OK)
        err = read_draft(lines, batch, &draft);
    batch->refused[batch->count] = err == HS_OK ? NULL : refuse(lines, lines->cli, err, batch, batch->count);
    batch->count++;
    cli_draft_fini(&draft);
    return true;
}

static bool gather(struct lines *lines, struct batch *batch)
{
    batch->count = 0;
    cli_put_reset(&batch->put);
    bool more = take_line(lines, batch);
    while (more && batch->count < CLI_PUT_RECORDS_MAX && !cli_put_full(&batch->put) &&
           cli_input_has_line(&lines->input))
        more = take_line(lines, batch);
    return batch->count != 0;
}

/* ---- a batch to the node ---- */

static void *send_batch(void *arg)
{
    struct batch *batch = arg;
    batch->err = cli_put_send(&batch->asker, &batch->put, &batch->reply);
    return NULL;
}

static void start(struct lines *lines, struct batch *batch)
{
    batch->err = HS_OK;
    batch->reply = NULL;
    batch->threaded = false;
    if (batch->put.count == 0)
        return;
    if (lines->most > 1)
        batch->threaded = pthread_create(&batch->thread, NULL, send_batch, batch) == 0;
    if (!batch->threaded)
        send_batch(batch);
}

static struct batch *join(struct lines *lines)
{
    struct batch *batch = &lines->batches[lines->first];
    if (batch->threaded)
        pthread_join(batch->thread, NULL);
    lines->first = (lines->first + 1) % UNDER_WAY_MAX;
    lines->under_way--;
    return batch;
}

/* ---- answers ---- */

/* What the node says of each line that it was sent. */
static void answer(struct lines *lines, struct batch *batch)
{
    size_t sent = 0;
    for (size_t i = 0; i < batch->count; i++) {
        json_t *object = batch->refused[i];
        if (object == NULL) {
            const Hallsync__PutResult *result = batch->reply->results[sent++];
            enum hs_err err = cli_result_error(&batch->asker, result);
            object = err == HS_OK ? hs_json_result(result) : refuse(lines, &batch->asker, err, batch, i);
        }
        cli_json_line(object);
    }
}

/* All that were sent met the same; one sentence is enough. */
static void answer_failed(struct lines *lines, struct batch *batch)
{
    cli_complain(&batch->asker, batch->err);
    for (size_t i = 0; i < batch->count; i++)
        cli_json_line(batch->refused[i] != NULL ? batch->refused[i]
                                                : error_object(&batch->asker, batch->err, batch, i));
    bool gone = hs_err_class(batch->err) == HS_CLASS_RETRY;
    lines->cli->status = gone ? cli_exit_status(batch->err) : 1;
    lines->ended = lines->ended || gone;
}

/* Who types the lines sees how far he is. */
static void tell(const struct lines *lines)
{
    if (isatty(STDIN_FILENO) != 1)
        cli_progress_step(&(struct cli_step){.what = "writing", .done = lines->answered, .unit = "lines"});
}

static enum hs_err finish(struct lines *lines)
{
    struct batch *batch = join(lines);
    lines->answered += batch->count;
    tell(lines);
    if (batch->err == HS_OK)
        answer(lines, batch);
    else
        answer_failed(lines, batch);
    return fflush(stdout) == 0 ? HS_OK : cli_bad(&lines->cli->bad, HS_EIO, NULL, "standard output cannot be written");
}

/* ---- the whole ---- */

/* Is a line to be read now, rather than an answer to be waited for? */
static bool may_read(struct lines *lines)
{
    return !lines->ended &&
           (lines->under_way == 0 || (lines->under_way < lines->most && cli_input_has_line(&lines->input)));
}

static enum hs_err put_all(struct lines *lines)
{
    enum hs_err err = HS_OK;
    cli_input_init(&lines->input, STDIN_FILENO);
    tell(lines);
    while (err == HS_OK && (!lines->ended || lines->under_way != 0)) {
        struct batch *batch = &lines->batches[(lines->first + lines->under_way) % UNDER_WAY_MAX];
        if (!may_read(lines)) {
            err = finish(lines);
        } else if (gather(lines, batch)) {
            start(lines, batch);
            lines->under_way++;
        } else {
            lines->ended = true;
        }
    }
    while (lines->under_way != 0)
        join(lines);
    cli_progress_end();
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
    lines->most = lines->kind->number == HS_KIND_PAYMENT ? UNDER_WAY_MAX : 1;
    cli->json = true; /* who writes JSON lines reads JSON lines */
    for (size_t i = 0; i < UNDER_WAY_MAX; i++) {
        lines->batches[i].asker = *cli;
        cli_put_init(&lines->batches[i].put, lines->kind->number);
    }
    enum hs_err err = put_all(lines);
    for (size_t i = 0; i < UNDER_WAY_MAX; i++) {
        hallsync_close(lines->batches[i].asker.client);
        cli_put_fini(&lines->batches[i].put);
    }
    hs_buf_fini(&lines->line);
    free(lines);
    return err;
}
