/* db.h -- LMDB with a sticky error.  A transaction remembers its first failure; every later call is a no-op, so callers
 * do many steps and test once at hs_txn_commit().  The only place that sees lmdb.h outside db.c is this header's users'
 * link line. */
#ifndef HS_DB_H
#define HS_DB_H

#include "proto/base/buf.h"
#include "proto/base/err.h"

#include <lmdb.h>
#include <sys/types.h>

struct hs_env;

/* A named table of an environment; opened at start, so any transaction may use it. */
typedef unsigned hs_table; /* index into the names given to hs_env_open */

struct hs_env_options {
    const char *path;          /* a directory, made if absent (0700) */
    const char *const *tables; /* names; the enum of the room that opens it indexes them */
    unsigned table_count;      /* at most 32 */
    size_t map_bytes;
    size_t ahead_bytes; /* written with zeros ahead of the used pages: then a commit does not change the file system */
    bool create;
};

/* HS_ENOSTORE, HS_EFULL, HS_EPERM, HS_EDAMAGED (not an LMDB file), HS_EIO, HS_ENOMEM. */
enum hs_err hs_env_open(const struct hs_env_options *options, struct hs_env **env, struct hs_why *why);
void hs_env_close(struct hs_env *env);          /* NULL is fine; no transaction may be open */
uint64_t hs_env_used_bytes(struct hs_env *env); /* pages in use times page size */
const char *hs_env_path(struct hs_env *env);    /* as it was given */
uint64_t hs_env_left_bytes(struct hs_env *env); /* of the map; nearly full, pages that were given back count as well */
int hs_env_fd(struct hs_env *env);
/* Who reads the oldest snapshot that anybody reads, in whatever process; those that have died are forgotten. */
struct hs_reader {
    pid_t pid; /* 0: nobody reads */
    size_t thread;
    uint64_t snapshot;
    bool pins; /* there is a newer one: what was freed since cannot be used again */
};
enum hs_err hs_env_readers(struct hs_env *env, struct hs_reader *oldest);
/* All that was ever written is on disk, also by a process that did not live to see it. */
enum hs_err hs_env_sync(struct hs_env *env);
enum hs_err hs_env_check_readers(struct hs_env *env); /* free the slots of dead processes */
/* The one translation of LMDB's codes. */
enum hs_err hs_err_from_lmdb(int code);

struct hs_txn {
    struct hs_env *env;
    MDB_txn *handle;
    MDB_dbi *tables;
    enum hs_err err; /* the first failure; HS_ENOTFOUND of a get is an answer and not remembered */
    bool writes;
};

/* Write: the one writer only.  Read: any thread; a transaction object belongs to one thread at a time (MDB_NOTLS). */
enum hs_err hs_txn_begin(struct hs_env *env, bool writes, struct hs_txn *txn);
/* Aborts and answers the sticky error if there is one; ends txn either way. */
enum hs_err hs_txn_commit(struct hs_txn *txn);
void hs_txn_abort(struct hs_txn *txn); /* a txn that is over or zeroed is fine */
/* Read transactions parked and taken up again without the cost of a new one. */
void hs_txn_park(struct hs_txn *txn);
enum hs_err hs_txn_renew(struct hs_txn *txn);

/* HS_ENOTFOUND.  Views are valid until the next write in the transaction or its end. */
enum hs_err hs_txn_get(struct hs_txn *txn, hs_table table, struct hs_bytes key, struct hs_bytes *value);
void hs_txn_put(struct hs_txn *txn, hs_table table, struct hs_bytes key, struct hs_bytes value);
/* The key must be above all others of the table: HS_EEXISTS. */
void hs_txn_append(struct hs_txn *txn, hs_table table, struct hs_bytes key, struct hs_bytes value);
/* Where to write the value, before the next call; NULL after an error. */
void *hs_txn_reserve(struct hs_txn *txn, hs_table table, struct hs_bytes key, size_t size);
void hs_txn_delete(struct hs_txn *txn, hs_table table, struct hs_bytes key); /* absent is fine */
void hs_txn_empty(struct hs_txn *txn, hs_table table);
uint64_t hs_txn_count(struct hs_txn *txn, hs_table table);

#define HS_DB_KEY_BYTES_MAX 511 /* LMDB's */

/* Cursor over ascending keys.  LMDB keeps no checksums: a key that has rotted is told by lying out of order (as
 * HS_EDAMAGED in txn->err), for where keys do not ascend a search misses what is there. */
struct hs_scan {
    struct hs_txn *txn;
    MDB_cursor *handle;
    struct hs_bytes prefix;
    struct hs_bytes key;
    struct hs_bytes value;
    bool started;
    size_t last_size;
    uint8_t last[HS_DB_KEY_BYTES_MAX]; /* the key before, for writes may move what a view shows */
};
/* Position before the first key >= @from (which begins with @prefix, or is empty: the prefix itself). @prefix is
 * borrowed until the end. */
void hs_scan_begin(struct hs_scan *scan, struct hs_txn *txn, hs_table table, struct hs_bytes prefix,
                   struct hs_bytes from);
bool hs_scan_next(struct hs_scan *scan); /* false: no more keys with the prefix, or txn->err */
/* The last key with the prefix that is <= @at_most (empty: the last of all); hs_scan_next and hs_scan_prev go on from
 * it. */
bool hs_scan_last(struct hs_scan *scan, struct hs_bytes at_most);
bool hs_scan_prev(struct hs_scan *scan); /* of a scan that stands on a key */
void hs_scan_end(struct hs_scan *scan);

#endif
