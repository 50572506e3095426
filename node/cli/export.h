/* export.h -- a run of an export: a directory of files, one for each kind, that is there whole or not at all. */
#ifndef HS_CLI_EXPORT_H
#define HS_CLI_EXPORT_H

#include "node/cli/cli.h"
#include "proto/base/buf.h"
#include "storage/model/kinds.h"

#include <stdio.h>

#define CLI_PATH_BYTES 4096
#define CLI_RUN_BYTES  24 /* "000017" */

struct cli_run_file {
    const struct hs_kind *kind; /* NULL: of kinds that this program does not know */
    char name[64];
    FILE *file; /* NULL: there are no rows */
    uint64_t rows;
    int64_t sum_fen; /* of amount_fen in all rows */
};

struct cli_run {
    struct cli *cli;
    const char *dir; /* in which the runs lie */
    int lock;        /* of it; -1: none */
    uint64_t number; /* 0: not begun */
    char part[CLI_PATH_BYTES];
    char path[CLI_PATH_BYTES];
    struct cli_run_file *files; /* HS_KIND_COUNT and one more */
    uint64_t rows;
    struct hs_buf line;
};

/* Take @dir for this process alone, and remove what a run that was cut left there.  @last out: the highest number in
 * it.  HS_ELOCKED, HS_EIO, HS_ENOMEM; usage. */
enum hs_err cli_run_open(struct cli_run *run, struct cli *cli, const char *dir, uint64_t *last);
/* What was not published is removed. */
void cli_run_close(struct cli_run *run);

enum hs_err cli_run_begin(struct cli_run *run, uint64_t number);
enum hs_err cli_run_add(struct cli_run *run, const Hallsync__Record *record);
/* @manifest gets "files", and is written beside them; all is synced, and then the directory gets its name.  Takes it.
 */
enum hs_err cli_run_publish(struct cli_run *run, json_t *manifest);

/* export_cursor.c: how far it has come.  The file is replaced whole, and synced. */
struct cli_cursor {
    uint64_t run;    /* the last number that was given away */
    char place[128]; /* in the change feed; "": nothing was exported yet */
    char *asked;     /* owned: for what; NULL: there is no file */
};
enum hs_err cli_cursor_read(struct cli *cli, const char *path, struct cli_cursor *cursor);
enum hs_err cli_cursor_write(struct cli *cli, const char *path, const struct cli_cursor *cursor);

#endif
