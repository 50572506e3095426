/* LMDB's calls, each failing with codes that it can really give. */
#include "tests/fault/fault.h"

#include <errno.h>
#include <lmdb.h>

enum what { READING, WRITING, BEGINNING_TO_READ, BEGINNING_TO_WRITE, COMMITTING, OPENING };

/* What a failing call of this sort answers; 0: it does not fail in this way. */
static int code_of(enum fault_kind kind, enum what what)
{
    switch (kind) {
    case FAULT_DB_FULL:
        return what == WRITING ? MDB_MAP_FULL : what == COMMITTING ? ENOSPC : 0;
    case FAULT_DB_MEMORY:
        return ENOMEM;
    case FAULT_DB_IO:
        return EIO;
    case FAULT_DB_DAMAGE:
        return what == READING || what == WRITING ? MDB_CORRUPTED : 0;
    case FAULT_DB_ODD:
        return what == WRITING             ? MDB_TXN_FULL
               : what == BEGINNING_TO_READ ? MDB_READERS_FULL
               : what == READING           ? 0
                                           : MDB_PANIC;
    default:
        return 0;
    }
}

static int fails(enum what what, const char *function)
{
    int code = code_of(fault_kind(), what);
    return code != 0 && fault_due(fault_kind(), function) ? code : 0;
}

#define WRAP(what, name, parameters, arguments)            \
    int __real_##name parameters;                          \
    int __wrap_##name parameters;                          \
    int __wrap_##name parameters                           \
    {                                                      \
        int code = fails(what, #name);                     \
        return code != 0 ? code : __real_##name arguments; \
    }

WRAP(READING, mdb_get, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *data), (txn, dbi, key, data))
WRAP(READING, mdb_cursor_open, (MDB_txn * txn, MDB_dbi dbi, MDB_cursor **cursor), (txn, dbi, cursor))
WRAP(READING, mdb_cursor_get, (MDB_cursor * cursor, MDB_val *key, MDB_val *data, MDB_cursor_op op),
     (cursor, key, data, op))
WRAP(READING, mdb_stat, (MDB_txn * txn, MDB_dbi dbi, MDB_stat *stat), (txn, dbi, stat))
WRAP(WRITING, mdb_put, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *data, unsigned flags),
     (txn, dbi, key, data, flags))
WRAP(WRITING, mdb_del, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *data), (txn, dbi, key, data))
WRAP(WRITING, mdb_drop, (MDB_txn * txn, MDB_dbi dbi, int del), (txn, dbi, del))
WRAP(BEGINNING_TO_READ, mdb_txn_renew, (MDB_txn * txn), (txn))
WRAP(OPENING, mdb_dbi_open, (MDB_txn * txn, const char *name, unsigned flags, MDB_dbi *dbi), (txn, name, flags, dbi))
WRAP(OPENING, mdb_env_create, (MDB_env * *env), (env))
WRAP(OPENING, mdb_env_open, (MDB_env * env, const char *path, unsigned flags, mdb_mode_t mode),
     (env, path, flags, mode))
WRAP(OPENING, mdb_reader_check, (MDB_env * env, int *dead), (env, dead))

int __real_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **txn);
int __wrap_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **txn);
int __wrap_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **txn)
{
    int code = fails((flags & MDB_RDONLY) != 0 ? BEGINNING_TO_READ : BEGINNING_TO_WRITE, "mdb_txn_begin");
    return code != 0 ? code : __real_mdb_txn_begin(env, parent, flags, txn);
}

/* A commit frees its transaction whatever comes of it. */
int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn)
{
    enum fault_kind kind = fault_kind();
    if (kind == FAULT_DB_LATE_IO || kind == FAULT_DB_LATE_FULL) {
        int code = __real_mdb_txn_commit(txn);
        return code != 0 || !fault_due(kind, "mdb_txn_commit") ? code : kind == FAULT_DB_LATE_IO ? EIO : ENOSPC;
    }
    int code = fails(COMMITTING, "mdb_txn_commit");
    if (code == 0)
        return __real_mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return code;
}

/* A sync has one way to fail. */
int __real_mdb_env_sync(MDB_env *env, int force);
int __wrap_mdb_env_sync(MDB_env *env, int force);
int __wrap_mdb_env_sync(MDB_env *env, int force)
{
    bool due = fault_kind() == FAULT_DB_IO && fault_due(FAULT_DB_IO, "mdb_env_sync");
    return due ? EIO : __real_mdb_env_sync(env, force);
}
