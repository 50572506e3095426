/* migrate.c -- a log of an older schema is brought to this program's, in place, in one commit.
 *
 * Before that, the tables of which the migration changes a row are written beside the log, whole, in the form of
 * mdb_dump: what mdb_load puts back opens with the older program again.  (The tables that are new then are unknown to
 * it, and are let be.) */
#include "storage/log/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES (LOG_PATH_BYTES + 32)

struct step {
    uint32_t to;
    hs_table changes[4];
    size_t change_count;
    const char *why;
};

/* Ascending, each from the schema before. */
static const struct step STEPS[] = {
    {.to = 2,
     .changes = {LOG_META},
     .change_count = 1,
     .why = "The older program knows nothing of revocations: it would take and pass on what a revoked node writes."},
};
_Static_assert(LOG_SCHEMA == 2, "each schema has its step");

/* ---- what is written beside the log ---- */

static enum hs_err write_all(int fd, struct hs_bytes bytes)
{
    size_t done = 0;
    while (done < bytes.size) {
        ssize_t size = write(fd, bytes.data + done, bytes.size - done);
        if (size < 0 && errno != EINTR)
            return hs_err_from_errno(errno);
        done += size > 0 ? (size_t)size : 0;
    }
    return fsync(fd) == 0 ? HS_OK : hs_err_from_errno(errno);
}

/* Whole under its name, or not there. */
static enum hs_err write_file(const char *dir, const char *name, const struct hs_buf *content, struct hs_why *why)
{
    char part[PATH_BYTES], path[PATH_BYTES];
    if (content->err != HS_OK)
        return hs_fail(content->err, why, "cannot write %s/%s: %s", dir, name, hs_err_text(content->err));
    snprintf(part, sizeof part, "%s/%s.part", dir, name);
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    enum hs_err err = fd < 0 ? hs_err_from_errno(errno) : write_all(fd, hs_buf_bytes(content));
    if (fd >= 0)
        close(fd);
    if (err == HS_OK && rename(part, path) != 0)
        err = hs_err_from_errno(errno);
    if (err == HS_OK)
        return HS_OK;
    unlink(part);
    return hs_fail(err, why, "cannot write %s: %s", path, hs_err_text(err));
}

static void put_hex_line(struct hs_buf *to, struct hs_bytes bytes)
{
    static const char DIGITS[] = "0123456789abcdef";
    hs_buf_put_u8(to, ' ');
    for (size_t i = 0; i < bytes.size; i++) {
        hs_buf_put_u8(to, (uint8_t)DIGITS[bytes.data[i] >> 4]);
        hs_buf_put_u8(to, (uint8_t)DIGITS[bytes.data[i] & 15]);
    }
    hs_buf_put_u8(to, '\n');
}

static enum hs_err write_table(struct hs_log *log, hs_table table, const char *dir, struct hs_why *why)
{
    struct hs_buf text = {0};
    struct hs_scan scan;
    const char *name = log_table_name(table);
    hs_buf_put_format(&text, "VERSION=3\nformat=bytevalue\ndatabase=%s\ntype=btree\nHEADER=END\n", name);
    hs_scan_begin(&scan, &log->txn, table, HS_BYTES_NONE, HS_BYTES_NONE);
    while (hs_scan_next(&scan)) {
        put_hex_line(&text, scan.key);
        put_hex_line(&text, scan.value);
    }
    hs_scan_end(&scan);
    hs_buf_put_format(&text, "DATA=END\n");
    enum hs_err err = log->txn.err == HS_OK
                          ? write_file(dir, name, &text, why)
                          : hs_fail(log->txn.err, why, "cannot read the table %s: %s", name, hs_err_text(log->txn.err));
    hs_buf_fini(&text);
    return err;
}

static enum hs_err write_readme(struct hs_log *log, const struct step *step, const char *dir, struct hs_why *why)
{
    struct hs_buf text = {0};
    struct hs_position last = hs_log_last(&log->txn);
    hs_buf_put_format(&text,
                      "Here is what the migration of the store from format %" PRIu32 " to %" PRIu32
                      " has changed, as it was: whole "
                      "tables of log/,\nin the form of mdb_dump.  Made at %" PRIu64
                      " ms since 1970, behind commit %" PRIu64 ".\n\n%s\n\n"
                      "To go back to the older program, with the node stopped and as the user that it runs under:\n\n",
                      step->to - 1, step->to, log->now_ms(log->ctx), last.commit, step->why);
    for (size_t i = 0; i < step->change_count; i++)
        hs_buf_put_format(&text, "    mdb_load -f before-%" PRIu32 "/%s log\n", step->to,
                          log_table_name(step->changes[i]));
    hs_buf_put_format(
        &text,
        "    rm -f records/data.mdb\n"
        "\n(mdb_load is in Debian's lmdb-utils.)  Everything written since stays; the node takes a fresh origin; "
        "the records,\nwhich it may not know, are made anew from the log.  While it runs well, nothing here is needed, "
        "and the directory may be deleted.\n");
    enum hs_err err = write_file(dir, "README", &text, why);
    hs_buf_fini(&text);
    return err;
}

static enum hs_err write_before(struct hs_log *log, const struct step *step, struct hs_why *why)
{
    char dir[LOG_PATH_BYTES];
    const char *path = hs_env_path(log->env), *slash = strrchr(path, '/');
    int size = snprintf(dir, sizeof dir, "%.*s/before-%" PRIu32, slash == NULL ? 1 : (int)(slash - path),
                        slash == NULL ? "." : path, step->to);
    if (size < 0 || (size_t)size >= sizeof dir)
        return hs_fail(HS_EINVAL, why, "the path %.64s... is too long: choose a shorter one", path);
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return hs_fail(hs_err_from_errno(errno), why, "cannot make the directory %s: %s", dir, strerror(errno));
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < step->change_count && err == HS_OK; i++)
        err = write_table(log, step->changes[i], dir, why);
    if (err == HS_OK)
        err = write_readme(log, step, dir, why);
    return err == HS_OK ? log_sync_names(dir, why) : err;
}

/* ---- the migration ---- */

enum hs_err log_migrate(struct hs_log *log, struct hs_why *why)
{
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < sizeof STEPS / sizeof *STEPS && err == HS_OK; i++) {
        if (STEPS[i].to > log->schema)
            err = write_before(log, &STEPS[i], why);
    }
    if (err != HS_OK)
        return err;
    log_put_schema(log);
    log->migrates = true;
    return log->txn.err;
}
