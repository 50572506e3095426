#include "storage/log/inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLOCK_BACK_MS_MAX (3600 * 1000) /* a larger step back is a clock put right: it is followed */

#define AHEAD_BYTES ((size_t)1 << 20)

const char *const LOG_TABLES[LOG_TABLE_COUNT] = {
    [LOG_META] = "meta",
    [LOG_COMMIT] = "commit",
    [LOG_OP] = "op",
    [LOG_RECEIPT] = "receipt",
    [LOG_CERTIFICATE] = "certificate",
    [LOG_ORIGIN] = "origin",
    [LOG_ENROLMENT] = "enrolment",
    [LOG_FORK] = "fork",
    [LOG_LOOSE] = "loose",
    [LOG_SERIES] = "series",
    [LOG_BASE] = "base",
    [LOG_FILL] = "fill",
    [LOG_FILL_HEAD] = "fill_head",
    [LOG_FOLD] = "fold",
    [LOG_EVICT] = "evict",
    [LOG_REVOCATION] = "revocation",
    [LOG_RELEASE] = "release",
    [LOG_PEER_STORE] = "peer_store",
    [LOG_ANNOUNCED] = "announced",
    [LOG_BACKUP] = "backup",
    [LOG_HEALED] = "healed",
};

const char *log_table_name(hs_table table)
{
    return LOG_TABLES[table];
}

static enum hs_err open_env(const struct hs_log_options *options, struct hs_env **env, struct hs_why *why)
{
    struct hs_env_options env_options = {
        .path = options->path,
        .tables = LOG_TABLES,
        .table_count = LOG_TABLE_COUNT,
        .map_bytes = options->map_bytes,
        .ahead_bytes = AHEAD_BYTES,
        .create = options->create,
    };
    enum hs_err err = hs_env_open(&env_options, env, why);
    /* The last process may have been killed in the middle of a sync: its last commit is seen here and not on disk yet.
     * It must be there before anything of it is answered or sent. */
    if (err == HS_OK && hs_env_sync(*env) != HS_OK)
        err = hs_fail(HS_EIO, why, "cannot sync %s", options->path);
    return err;
}

enum hs_err hs_log_inspect(const char *path, size_t map_bytes, struct hs_env **env, struct hs_why *why)
{
    struct hs_env_options options = {
        .path = path, .tables = LOG_TABLES, .table_count = LOG_TABLE_COUNT, .map_bytes = map_bytes};
    struct hs_txn txn;
    struct hs_bytes row = HS_BYTES_NONE;
    enum hs_err err = hs_env_open(&options, env, why);
    if (err != HS_OK)
        return err;
    err = hs_txn_begin(*env, false, &txn);
    if (err == HS_OK)
        err = hs_txn_get(&txn, LOG_META, HS_BYTES("schema", 6), &row);
    uint32_t schema = row.size == 4 ? hs_from_be32(row.data) : 0;
    hs_txn_abort(&txn);
    if (err == HS_OK && schema > LOG_SCHEMA)
        err = hs_fail(HS_ESCHEMA, why, "%s has format %u and this program knows up to %u", path, schema, LOG_SCHEMA);
    if (err == HS_ENOTFOUND)
        err = hs_fail(HS_ENOSTORE, why, "the store in %s was never finished", path);
    if (err != HS_OK)
        hs_env_close(*env);
    return err;
}

/* Without the proof that nothing was shown beyond what the store holds, the current origin must not be written on.
 * False: there is none. */
static bool check_continuity(struct hs_log *log)
{
    struct hs_note_claim claim = {log->position, log_before_last(&log->txn), log->life.current};
    const char *doubt = hs_note_doubt(log->note, &claim);
    /* A doubt of a clock that was put right since would last until that clock's time has come. */
    if (doubt != NULL || log->doubt_ms > log->now_ms(log->ctx))
        log_doubt(log);
    if (doubt == NULL)
        return true;
    hs_note_void(log->note);
    if (log->life.current == 0)
        return false;
    log->broken = doubt;
    hs_log_strike(log, log->broken);
    return false;
}

/* It got another id at this start: was it the newest under the one before?  Then it goes on from there, and what it was
 * told since it was in doubt still holds.  @forget: nobody asks for that id again. */
static enum hs_err ask_old_note(struct hs_log *log, const struct hs_log_options *options, bool forget)
{
    struct hs_note *old;
    struct hs_note_claim claim = {0};
    enum hs_err err = hs_note_open(options->note_dir, log->renewed_from, hs_env_fd(log->env), &old);
    if (err != HS_OK)
        return err;
    if (forget) {
        hs_note_drop(old);
    } else {
        claim = (struct hs_note_claim){log->position, log_before_last(&log->txn), log->life.current};
        log->in_doubt = log->in_doubt && hs_note_doubt(old, &claim) != NULL;
    }
    hs_note_close(old);
    return HS_OK;
}

/* Everything that opening changes (a new store's rows, a newer certificate, a struck origin) is one commit, noted like
 * any other. */
static enum hs_err enter(struct hs_log *log, const struct hs_log_options *options, struct hs_why *why)
{
    enum hs_err err = hs_log_begin(log);
    if (err != HS_OK)
        return hs_wrap(err, why, "cannot begin a transaction in %s", options->path);
    err = log_enter(log, options, why);
    if (err != HS_OK)
        return err;
    err = hs_note_open(options->note_dir, log->store_id, hs_env_fd(log->env), &log->note);
    if (err != HS_OK)
        return hs_fail(err, why, "cannot open the continuity note in %s: out of memory", options->note_dir);
    log->in_doubt = true;
    if (log->renewed_from != 0)
        err = ask_old_note(log, options, false);
    if (err != HS_OK)
        return hs_fail(err, why, "cannot open the continuity note in %s: out of memory", options->note_dir);
    bool proven = check_continuity(log);
    log->in_doubt = log->in_doubt && !proven && !options->create;
    if (log->in_doubt && options->visits)
        hs_note_drop(log->note);
    struct hs_commit commit;
    err = hs_log_commit(log, &commit);
    /* On a full disk the store still opens for reading; the origin is struck out in memory, and in the first commit
     * that fits.  (Where the commit has reached the disk all the same, nobody knows what is there: not that store.  Nor
     * one that is to have another id, and has it in memory only.) */
    if (err != HS_OK && (err != HS_EFULL || options->create || log->fatal != HS_OK || log->renewed_from != 0))
        return hs_wrap(err, why, "cannot write to %s", options->path);
    /* The last process may have died between its last commit and the note of it.  This one shows that commit even if it
     * never makes one of its own: the note must not go on naming the one before.  (One that was doubted is empty,
     * and stays so until the doubt and the strike are on disk.) */
    bool stale = log->life_stale || (!proven && log->doubt_stale);
    err = stale ? HS_OK : hs_note_write(log->note, &log->position, log->life.current);
    if (err == HS_OK && log->renewed_from != 0)
        err = ask_old_note(log, options, true);
    return err == HS_OK ? HS_OK : hs_fail(err, why, "cannot write the continuity note in %s", options->note_dir);
}

static enum hs_err open_at(struct hs_log *log, const struct hs_log_options *options, struct hs_why *why)
{
    enum hs_err err = open_env(options, &log->env, why);
    return err == HS_OK ? enter(log, options, why) : err;
}

static enum hs_err make_or_open(struct hs_log *log, const struct hs_log_options *options, struct hs_why *why)
{
    char beside[LOG_PATH_BYTES] = "";
    struct hs_log_options there = *options;
    enum hs_err err = options->create ? log_make_beside(options->path, beside, why) : HS_OK;
    if (err != HS_OK)
        return err;
    if (beside[0] == '\0')
        return open_at(log, options, why);
    there.path = beside;
    err = open_at(log, &there, why);
    return err == HS_OK ? log_put_in_place(beside, options->path, why) : err;
}

enum hs_err hs_log_open(const struct hs_log_options *options, struct hs_log **out, struct hs_why *why)
{
    struct hs_log *log = calloc(1, sizeof *log);
    if (log == NULL)
        return hs_fail(HS_ENOMEM, why, "cannot open %s: out of memory", options->path);
    log->path = strdup(options->path);
    log->signer = options->signer;
    log->now_ms = options->now_ms;
    log->random = options->random;
    log->ctx = options->ctx;
    log->schema = LOG_SCHEMA; /* until another one is read */
    enum hs_err err = log->path == NULL ? hs_fail(HS_ENOMEM, why, "cannot open %s: out of memory", options->path)
                                        : make_or_open(log, options, why);
    if (err != HS_OK) {
        hs_log_close(log);
        return err;
    }
    *out = log;
    return HS_OK;
}

void hs_log_close(struct hs_log *log)
{
    if (log == NULL)
        return;
    if (log->in_group)
        hs_log_abort(log);
    log_forget_certificates(log);
    hs_note_close(log->note);
    hs_env_close(log->env);
    hs_buf_fini(&log->items);
    hs_buf_fini(&log->own);
    free(log->known);
    free(log->grown);
    free(log->heads);
    free(log->receipts);
    free(log->vouched);
    free(log->path);
    free(log);
}

uint64_t hs_log_store_id(const struct hs_log *log)
{
    return log->store_id;
}

const struct hs_certificate *hs_log_certificate(const struct hs_log *log)
{
    return &log->certificate;
}

struct hs_bytes hs_log_certificate_bytes(const struct hs_log *log)
{
    return hs_buf_bytes(&log->own);
}

uint32_t hs_log_migrated(const struct hs_log *log)
{
    return log->schema == LOG_SCHEMA ? log->migrated : 0;
}

bool hs_log_in_doubt(const struct hs_log *log)
{
    return log->in_doubt;
}

const char *hs_log_break(const struct hs_log *log)
{
    return log->broken;
}

const char *hs_log_renewed(const struct hs_log *log)
{
    return log->renewed_from == 0 ? NULL : log->renewed;
}

uint64_t hs_log_doubt_ms(const struct hs_log *log)
{
    return log->doubt_ms;
}

struct hs_position hs_log_position(const struct hs_log *log)
{
    return log->position;
}

enum hs_err hs_log_failed(const struct hs_log *log)
{
    return log->fatal;
}

struct hs_env *hs_log_env(struct hs_log *log)
{
    return log->env;
}

/* Only the own clock is carried on: a stamp from the far future that one write had to pass must not date all that this
 * node writes after it, its payments' business days among them.  Nor must a clock that stood in 2090 and was put right.
 */
hs_stamp hs_log_stamp(struct hs_log *log, hs_stamp above)
{
    uint64_t now = log->now_ms(log->ctx);
    bool set_right = hs_stamp_ms(log->stamp) > now + CLOCK_BACK_MS_MAX;
    log->stamp = hs_stamp_next(set_right ? 0 : log->stamp, 0, now);
    return above < log->stamp ? log->stamp : hs_stamp_next(log->stamp, above, 0);
}

struct hs_log_reader hs_log_reader_of(struct hs_log *log)
{
    assert(log->in_group);
    return (struct hs_log_reader){&log->txn, log};
}
