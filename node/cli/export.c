/* export: what has changed since the last time, for another system.
 *
 * 1. the cursor says how far it has come; 2. the files of this run are written beside; 3. the run's number is taken out
 * of the cursor, for good; 4. files and manifest are synced, and the run's directory gets its name; 5. the caller is
 * told;
 * 6. the cursor moves on.  Cut before 4, nothing was exported; cut behind it, the same comes once more in a run of
 * another number.  Nothing is ever left out. */
#include "node/cli/export.h"
#include "node/cli/feed.h"
#include "node/cli/forms.h"
#include "node/cli/pages.h"
#include "node/cli/progress.h"
#include "node/json/json.h"
#include "node/cli/table.h"
#include "proto/base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct export
{
    struct cli *cli;
    struct cli_feed feed;
    char cursor_path[CLI_PATH_BYTES];
    struct cli_cursor cursor;
    uint64_t last; /* number in the directory */
    struct cli_run run;
    bool whole;            /* everything is exported, not only what has changed */
    struct hs_where where; /* of the kind that is being listed */
    struct hs_arena arena;
};

/* ---- what is asked for ---- */

static void put_asked(const struct cli_feed *feed, struct hs_buf *text)
{
    for (size_t i = 0; i < feed->body.n_kinds; i++)
        hs_buf_put_format(text, "kind %u\n", (unsigned)feed->kinds[i]);
    for (size_t i = 0; i < feed->body.n_districts; i++)
        hs_buf_put_format(text, "district %u\n", (unsigned)feed->districts[i]);
    for (size_t i = 0; i < feed->body.n_where; i++) {
        for (size_t v = 0; v < feed->where[i].n_values; v++)
            hs_buf_put_format(text, "%s=%s\n", feed->where[i].field, feed->where[i].values[v]);
    }
    hs_buf_put_u8(text, 0);
}

/* What was left out by the question before would never come by another one. */
static enum hs_err take_cursor(struct export *export)
{
    struct cli *cli = export->cli;
    struct hs_buf asked = {0};
    put_asked(&export->feed, &asked);
    enum hs_err err = asked.err == HS_OK ? cli_cursor_read(cli, export->cursor_path, &export->cursor) : asked.err;
    bool other = err == HS_OK && export->cursor.asked != NULL && strcmp(export->cursor.asked, (char *)asked.data) != 0;
    if (other)
        err = cli_usage(cli, "%s: is of an export of other kinds, districts or fields: take another --cursor",
                        export->cursor_path);
    if (err == HS_OK && export->cursor.asked == NULL) {
        export->cursor.asked = strdup((char *)asked.data);
        err = export->cursor.asked != NULL ? HS_OK : HS_ENOMEM;
    }
    hs_buf_fini(&asked);
    if (err != HS_OK || export->cursor.place[0] == '\0')
        return err;
    if (cli_place_parse(export->cursor.place, &export->feed.from) != HS_OK)
        return cli_bad(&cli->bad, HS_EVALUE, NULL, "%s: is no cursor of an export", export->cursor_path);
    export->feed.body.from = &export->feed.from;
    return HS_OK;
}

static enum hs_err take_options(struct export *export)
{
    struct cli *cli = export->cli;
    const char *dir = cli->options[CLI_OUT];
    const char *cursor = cli->options[CLI_CURSOR];
    if (dir == NULL)
        return cli_usage(cli, "--out DIR: where do the files go?");
    enum hs_err err = cli_run_open(&export->run, cli, dir, &export->last);
    int size = snprintf(export->cursor_path, CLI_PATH_BYTES, "%s%s", cursor != NULL ? cursor : dir,
                        cursor != NULL ? "" : "/cursor");
    if (err == HS_OK && size >= CLI_PATH_BYTES)
        err = cli_usage(cli, "--cursor: the path is too long");
    return err == HS_OK ? take_cursor(export) : err;
}

/* ---- records ---- */

static enum hs_err add(struct export *export, const Hallsync__Record *record)
{
    struct cli_run *run = &export->run;
    enum hs_err err = HS_OK;
    if (run->number == 0) {
        uint64_t last = export->last > export->cursor.run ? export->last : export->cursor.run;
        err = cli_run_begin(run, last + 1);
    }
    return err == HS_OK ? cli_run_add(run, record) : err;
}

static bool wants_district(const struct cli_feed *feed, uint32_t district)
{
    bool wanted = feed->body.n_districts == 0;
    for (size_t i = 0; i < feed->body.n_districts; i++)
        wanted = wanted || feed->districts[i] == district;
    return wanted;
}

static enum hs_err list_record(void *ctx, const Hallsync__Record *record)
{
    struct export *export = ctx;
    bool fits = wants_district(&export->feed, record->partition);
    enum hs_err err = HS_OK;
    if (fits)
        err = hs_where_fits(&export->where, hs_kind_by_number(record->kind),
                            HS_BYTES(record->record.data, record->record.len), &record->base, &fits);
    return err == HS_OK && fits ? add(export, record) : err;
}

/* Those of one kind, which the node takes to have the fields, as it has answered to the same question. */
static enum hs_err list_kind(struct export *export, const struct hs_kind *kind)
{
    const Hallsync__WatchRequest *asked = &export->feed.body;
    struct hs_where_asked fields[HS_WHERE_FIELDS_MAX];
    struct hs_why why = {""};
    bool wanted = asked->n_kinds == 0;
    for (size_t i = 0; i < asked->n_kinds; i++)
        wanted = wanted || asked->kinds[i] == kind->number;
    if (!wanted)
        return HS_OK;
    for (size_t i = 0; i < asked->n_where; i++)
        fields[i] = (struct hs_where_asked){asked->where[i]->field, (const char *const *)asked->where[i]->values,
                                            asked->where[i]->n_values};
    enum hs_err err = hs_where_make(kind, &hallsync__record__descriptor, fields, asked->n_where, &export->arena,
                                    &export->where, &why);
    if (err == HS_ENOMEM || (err != HS_OK && asked->n_kinds > 0))
        return cli_fail(export->cli, err, &why);
    if (err != HS_OK)
        return HS_OK; /* a kind without such a field */
    err = cli_find(export->cli, &(struct cli_find){.kind = kind->number}, list_record, export);
    if (err != HS_EKIND || asked->n_kinds > 0)
        return err;
    export->cli->bad = (struct cli_bad){0}; /* an older node, which has none of it */
    return HS_OK;
}

static enum hs_err list_all(struct export *export)
{
    enum hs_err err = HS_OK;
    export->whole = true;
    for (size_t i = 0; i < HS_KIND_COUNT && err == HS_OK; i++)
        err = list_kind(export, &HS_KINDS[i]);
    return err;
}

/* ---- the feed ---- */

static enum hs_err take_answer(struct export *export, const Hallsync__WatchReply *reply)
{
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < reply->n_records && err == HS_OK; i++)
        err = add(export, reply->records[i]);
    cli_feed_pass(&export->feed, reply);
    return err;
}

/* The first answer.  Without a place, or where the node does not know it any more: everything, and from here on. */
static enum hs_err first_answer(struct export *export, uint64_t *until)
{
    const Hallsync__Reply *reply;
    struct cli *cli = export->cli;
    enum hs_err err = cli_feed_next(&export->feed, &reply);
    if (err == HS_ERESET) {
        fprintf(stderr, "hallsync: the node was restored or rebuilt: everything is exported once more\n");
        cli->bad = (struct cli_bad){0};
        export->feed.body.from = NULL;
        err = cli_feed_next(&export->feed, &reply);
    }
    if (err != HS_OK)
        return err;
    bool all = export->feed.body.from == NULL;
    *until = reply->position != NULL ? reply->position->commit : 0;
    err = take_answer(export, reply->watch);
    return err == HS_OK && all ? list_all(export) : err;
}

static const char *rows_of(const struct export *export, char text[static 32])
{
    snprintf(text, 32, "%" PRIu64 " rows", (uint64_t) export->run.rows);
    return text;
}

/* Up to where the node was at the beginning: what comes meanwhile is the next run's, or there would be no end. */
static enum hs_err follow(struct export *export)
{
    char text[32];
    uint64_t until = 0;
    const Hallsync__Position *from = &export->feed.from;
    cli_progress_step(&(struct cli_step){.what = "reading what has changed"});
    enum hs_err err = first_answer(export, &until);
    uint64_t first = from->commit;
    bool moves = true;
    while (err == HS_OK && moves && (from->commit < until || from->has_ops)) {
        const Hallsync__Reply *reply;
        Hallsync__Position before = *from;
        cli_progress_step(&(struct cli_step){.what = "reading what has changed",
                                             .done = from->commit - first,
                                             .total = until - first,
                                             .note = rows_of(export, text)});
        err = cli_feed_next(&export->feed, &reply);
        if (err == HS_OK)
            err = take_answer(export, reply->watch);
        moves = from->commit != before.commit || from->ops != before.ops;
    }
    cli_progress_end();
    return err;
}

/* ---- the end ---- */

static json_t *manifest(const struct export *export, const char *place)
{
    char made[HS_TIME_TEXT_BYTES];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    return json_pack("{sI ss sb ss ss}", "run", (json_int_t) export->cursor.run, "made",
                     hs_time_text(ms, export->cli->utc_offset_minutes, made), "whole", export->whole, "from",
                     export->cursor.place, "to", place);
}

/* Its number first, for good: another run will not have it, though this one may be cut. */
static enum hs_err publish(struct export *export, const char *place)
{
    export->cursor.run = export->run.number;
    enum hs_err err = cli_cursor_write(export->cli, export->cursor_path, &export->cursor);
    return err == HS_OK ? cli_run_publish(&export->run, manifest(export, place)) : err;
}

static enum hs_err tell(const struct export *export)
{
    static const struct cli_column COLUMNS[] = {
        {"run", "run", CLI_FORM_NUMBER},
        {"rows", "rows", CLI_FORM_NUMBER},
        {"dir", "in", CLI_FORM_TEXT},
        {"whole", "everything", CLI_FORM_TEXT},
    };
    const struct cli_run *run = &export->run;
    json_t *object = json_pack("{sI}", "rows", (json_int_t)run->rows);
    if (run->rows > 0) {
        json_object_set_new(object, "run", json_integer((json_int_t) export->cursor.run));
        json_object_set_new(object, "dir", hs_json_text(HS_BYTES(run->path, strlen(run->path))));
        json_object_set_new(object, "whole", json_boolean(export->whole));
    }
    enum hs_err err = cli_card(export->cli, COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, object);
    if (err == HS_OK && (fflush(stdout) != 0 || ferror(stdout)))
        err = cli_bad(&export->cli->bad, HS_EIO, NULL, "standard output: %s", strerror(errno));
    return err;
}

/* Who was not told hears of it again. */
static enum hs_err finish(struct export *export)
{
    char place[CLI_PLACE_BYTES];
    cli_place_text(&export->feed.from, place);
    enum hs_err err = export->run.rows > 0 ? publish(export, place) : HS_OK;
    if (err == HS_OK)
        err = tell(export);
    if (err != HS_OK || strcmp(place, export->cursor.place) == 0)
        return err;
    snprintf(export->cursor.place, sizeof export->cursor.place, "%s", place);
    return cli_cursor_write(export->cli, export->cursor_path, &export->cursor);
}

enum hs_err cli_run_changes(struct cli *cli)
{
    struct export *export = calloc(1, sizeof *export);
    if (export == NULL)
        return HS_ENOMEM;
    export->cli = cli;
    export->run.lock = -1;
    export->run.cli = cli;
    hs_arena_init(&export->arena, 0);
    enum hs_err err = cli_feed_take(&export->feed, cli);
    if (err == HS_OK)
        err = take_options(export);
    if (err == HS_OK)
        err = follow(export);
    if (err == HS_OK)
        err = finish(export);
    cli_run_close(&export->run);
    hs_arena_fini(&export->arena);
    free(export->cursor.asked);
    free(export);
    return err;
}
