/* bundle.h -- bundle export, import and show: files of parts, and the node that makes and takes them.  Inside node/cli
 * only. */
#ifndef HS_CLI_BUNDLE_H
#define HS_CLI_BUNDLE_H

#include "node/bundle/bundle.h"
#include "node/cli/cli.h"
#include "node/cli/stopped.h"
#include "proto/sealed/sealed_file.h"

#include <limits.h>
#include <stdio.h>

/* ---- bundle_way.c: the node, running or stopped ---- */

struct cli_bundle_way {
    struct cli *cli;
    struct hs_conf conf;
    struct cli_stopped stopped; /* without a store: it runs, and is asked */
    struct hs_arena answers;    /* of a stopped one's answers: the last */
};
/* The store, if nobody has it open; else the node that has. */
enum hs_err cli_bundle_way_open(struct cli_bundle_way *way, struct cli *cli);
void cli_bundle_way_close(struct cli_bundle_way *way);
/* Replies are valid until the next call.  Errors are in cli->bad. */
enum hs_err cli_bundle_ask_export(struct cli_bundle_way *way, Hallsync__BundleExportRequest *request,
                                  const Hallsync__BundleExportReply **reply);
enum hs_err cli_bundle_ask_import(struct cli_bundle_way *way, struct hs_bytes part, bool show,
                                  const Hallsync__BundleImportReply **reply);

/* ---- bundle_files.c ---- */

struct cli_bundle_in {
    struct cli *cli;
    const char *path;
    struct hs_sealed_in *in;
    struct hs_sealed_source source;
    uint8_t *bytes; /* HS_BUNDLE_PART_MAX */
    size_t have, used;
    bool at_end;
    unsigned parts;                  /* given out */
    uint64_t bytes_all, bytes_given; /* of the file; of the parts given out */
};
enum hs_err cli_bundle_in_open(struct cli_bundle_in *in, struct cli *cli, const char *path);
void cli_bundle_in_close(struct cli_bundle_in *in);
/* The next part, valid until the next call; without bytes: that was all.  How far it is is told. */
enum hs_err cli_bundle_in_next(struct cli_bundle_in *in, struct hs_bytes *part);
/* What can be seen of a part without a key: who signed it, and that it is whole.  The header is copied. */
struct cli_bundle_seen {
    char sender[HS_NODE_ID_BYTES_MAX + 1];
    enum hs_sealed_purpose purpose;
    uint64_t made_ms;
    size_t recipients;
};
enum hs_err cli_bundle_see(struct cli_bundle_in *in, struct hs_bytes part, struct cli_bundle_seen *seen);

struct cli_bundle_out {
    struct cli *cli;
    const char *dir;
    uint64_t size; /* of a file, at most */
    char name[PATH_MAX];
    char path[PATH_MAX];
    struct hs_sealed_out *out;
    uint64_t bytes; /* of this file */
    unsigned files;
    json_t *paths;
};
/* Adds a part, to a new file if it does not fit. */
enum hs_err cli_bundle_out_put(struct cli_bundle_out *out, struct hs_bytes part);
/* The last file in place, and all of them read back: signed, and whole. */
enum hs_err cli_bundle_out_end(struct cli_bundle_out *out);
void cli_bundle_out_close(struct cli_bundle_out *out);

#endif
