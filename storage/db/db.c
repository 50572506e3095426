#include "storage/db/db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define TABLES_MAX  32
#define READERS_MAX 512
#define LOCK_BYTES  (48 << 10)          /* more than LMDB needs for so many readers */
#define FULL_BYTES  ((uint64_t)1 << 20) /* a disk with less than that free is full */

struct hs_env {
    MDB_env *handle;
    MDB_dbi tables[TABLES_MAX];
    size_t ahead_bytes;
    uint64_t ahead_end; /* the file is written up to here */
};

enum hs_err hs_err_from_lmdb(int code)
{
    switch (code) {
    case MDB_SUCCESS:
        return HS_OK;
    case MDB_NOTFOUND:
        return HS_ENOTFOUND;
    case MDB_KEYEXIST:
        return HS_EEXISTS;
    case MDB_MAP_FULL:
        return HS_EFULL;
    case MDB_READERS_FULL:
        return HS_EBUSY;
    case MDB_PANIC:
        return HS_EIO;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_PAGE_FULL:   /* of LMDB's own reckoning */
    case MDB_MAP_RESIZED: /* more pages than any map of ours has */
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_CURSOR_FULL:  /* a tree that is deeper than any */
    case MDB_INCOMPATIBLE: /* a table that is not of the sort that it was made */
    case MDB_BAD_TXN:      /* not after an error of ours, which sticks: looking for the table was the error */
        return HS_EDAMAGED;
    default: /* LMDB's other codes are negative: a call that hallsync should not have made */
        return code < 0 ? HS_EINTERNAL : hs_err_from_errno(code);
    }
}

/* ---- environments ---- */

static enum hs_err make_folder(const struct hs_env_options *options, struct hs_why *why)
{
    char file[4096];
    int size = snprintf(file, sizeof file, "%s/data.mdb", options->path);
    if (size < 0 || (size_t)size >= sizeof file)
        return hs_fail(HS_EINVAL, why, "the path %.64s... is too long: choose a shorter one", options->path);
    if (!options->create) {
        struct stat status;
        if (stat(file, &status) == 0)
            return HS_OK;
        enum hs_err err = errno == ENOENT || errno == ENOTDIR ? HS_ENOSTORE : hs_err_from_errno(errno);
        return hs_fail(err, why, "cannot open %s: %s", file, strerror(errno));
    }
    if (mkdir(options->path, 0700) != 0 && errno != EEXIST)
        return hs_fail(hs_err_from_errno(errno), why, "cannot make the folder %s: %s", options->path, strerror(errno));
    return HS_OK;
}

/* Opens what is there.  One that is not is new, unless there are others that nobody knows: then its name has rotted,
 * and an empty one in its place would hide what it holds. */
static int find_tables(struct hs_env *env, const struct hs_env_options *options, MDB_txn *txn, bool *all)
{
    MDB_stat stat;
    size_t found = 0;
    int code = mdb_env_stat(env->handle, &stat);
    for (unsigned i = 0; i < options->table_count && code == MDB_SUCCESS; i++) {
        code = mdb_dbi_open(txn, options->tables[i], 0, &env->tables[i]);
        found += code == MDB_SUCCESS;
        if (code == MDB_NOTFOUND)
            code = MDB_SUCCESS;
    }
    *all = found == options->table_count;
    return code == MDB_SUCCESS && !*all && stat.ms_entries > found ? MDB_CORRUPTED : code;
}

/* Handles live as long as the environment once the transaction that opened them is committed; when no table is new,
 * that commit writes nothing. */
static int open_tables(struct hs_env *env, const struct hs_env_options *options)
{
    MDB_txn *txn = NULL;
    bool all = false;
    int code = mdb_txn_begin(env->handle, NULL, 0, &txn);
    if (code != MDB_SUCCESS)
        return code;
    code = find_tables(env, options, txn, &all);
    for (unsigned i = 0; i < options->table_count && code == MDB_SUCCESS && !all; i++)
        code = mdb_dbi_open(txn, options->tables[i], MDB_CREATE, &env->tables[i]);
    if (code == MDB_SUCCESS)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return code;
}

/* LMDB maps its lock file and writes to it: a page without a block is SIGBUS where the disk is full.  (This is before
 * LMDB has it open: whoever closes the file gives up the locks that this process has on it.) */
static enum hs_err back_lock(const struct hs_env_options *options, struct hs_why *why)
{
    char file[4096];
    snprintf(file, sizeof file, "%s/lock.mdb", options->path); /* no longer than data.mdb, which was looked at */
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int error = fd < 0 || (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, LOCK_BYTES) != 0 && errno != EOPNOTSUPP) ? errno : 0;
    if (fd >= 0)
        close(fd);
    return error == 0 ? HS_OK : hs_fail(hs_err_from_errno(error), why, "cannot make %s: %s", file, strerror(error));
}

/* LMDB maps up to the last page that a meta page names, one of the first two: where no machine could map so much, that
 * number has rotted, and not memory is short. */
#define META_LAST_PAGE_AT 136 /* behind the head of the page, magic, version, an address, a size and two tables */
#define ADDRESS_BITS      47

static bool maps_too_much(const struct hs_env_options *options)
{
    char file[4096];
    uint64_t last = 0, most = 0, page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    snprintf(file, sizeof file, "%s/data.mdb", options->path);
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    for (uint64_t page = 0; page < 2 && fd >= 0; page++) {
        if (pread(fd, &last, sizeof last, (off_t)(page * page_bytes + META_LAST_PAGE_AT)) == (ssize_t)sizeof last)
            most = last > most ? last : most;
    }
    if (fd >= 0)
        close(fd);
    return most >= ((uint64_t)1 << ADDRESS_BITS) / page_bytes;
}

static int open_handle(struct hs_env *env, const struct hs_env_options *options)
{
    int code = mdb_env_create(&env->handle);
    if (code == MDB_SUCCESS)
        code = mdb_env_set_maxdbs(env->handle, options->table_count);
    if (code == MDB_SUCCESS)
        code = mdb_env_set_mapsize(env->handle, options->map_bytes);
    if (code == MDB_SUCCESS)
        code = mdb_env_set_maxreaders(env->handle, READERS_MAX);
    /* No flag that weakens a commit: what mdb_txn_commit() has returned is on disk.  Readers belong to their objects,
     * not to threads. */
    if (code == MDB_SUCCESS)
        code = mdb_env_open(env->handle, options->path, MDB_NOTLS, 0600);
    return code == ENOMEM && maps_too_much(options) ? MDB_CORRUPTED : code;
}

/* Beyond the end of a file that was cut off, the map is SIGBUS: zeros in its place are no page, which LMDB tells as
 * damage.  (The last pages of a whole file may be missing too, free ones, which nobody reads.) */
static int reach_end(struct hs_env *env)
{
    struct stat status;
    off_t used = (off_t)hs_env_used_bytes(env);
    if (fstat(hs_env_fd(env), &status) != 0)
        return errno;
    return status.st_size >= used || ftruncate(hs_env_fd(env), used) == 0 ? MDB_SUCCESS : errno;
}

enum hs_err hs_env_open(const struct hs_env_options *options, struct hs_env **out, struct hs_why *why)
{
    assert(options->table_count >= 1);
    assert(options->table_count <= TABLES_MAX);
    enum hs_err err = make_folder(options, why);
    if (err == HS_OK)
        err = back_lock(options, why);
    if (err != HS_OK)
        return err;
    struct hs_env *env = calloc(1, sizeof *env);
    if (env == NULL)
        return hs_fail(HS_ENOMEM, why, "cannot open %s: out of memory", options->path);
    env->ahead_bytes = options->ahead_bytes;
    int code = open_handle(env, options);
    if (code == MDB_SUCCESS)
        code = reach_end(env);
    if (code == MDB_SUCCESS) {
        int dead = 0; /* readers of a killed process would pin their pages for ever */
        code = mdb_reader_check(env->handle, &dead);
    }
    if (code == MDB_SUCCESS)
        code = open_tables(env, options);
    if (code != MDB_SUCCESS) {
        hs_env_close(env);
        return hs_fail(hs_err_from_lmdb(code), why, "cannot open the database in %s: %s", options->path,
                       mdb_strerror(code));
    }
    *out = env;
    return HS_OK;
}

void hs_env_close(struct hs_env *env)
{
    if (env == NULL)
        return;
    if (env->handle != NULL)
        mdb_env_close(env->handle);
    free(env);
}

const char *hs_env_path(struct hs_env *env)
{
    const char *path = NULL;
    int code = mdb_env_get_path(env->handle, &path);
    assert(code == MDB_SUCCESS);
    return path;
}

uint64_t hs_env_used_bytes(struct hs_env *env)
{
    MDB_envinfo info;
    MDB_stat stat;
    int code = mdb_env_info(env->handle, &info);
    assert(code == MDB_SUCCESS);
    code = mdb_env_stat(env->handle, &stat);
    assert(code == MDB_SUCCESS);
    return ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
}

/* LMDB keeps the pages that were given back as a table, the first: of each transaction how many, and which. */
static uint64_t given_back(struct hs_env *env)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    uint64_t pages = 0;
    int code = mdb_txn_begin(env->handle, NULL, MDB_RDONLY, &txn);
    if (code == MDB_SUCCESS)
        code = mdb_cursor_open(txn, 0, &cursor);
    while (code == MDB_SUCCESS) {
        size_t count = 0;
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        if (code == MDB_SUCCESS && value.mv_size >= sizeof count)
            memcpy(&count, value.mv_data, sizeof count);
        pages += count;
    }
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    if (txn != NULL)
        mdb_txn_abort(txn);
    return pages;
}

uint64_t hs_env_left_bytes(struct hs_env *env)
{
    MDB_envinfo info;
    MDB_stat stat;
    int code = mdb_env_info(env->handle, &info);
    assert(code == MDB_SUCCESS);
    code = mdb_env_stat(env->handle, &stat);
    assert(code == MDB_SUCCESS);
    uint64_t used = ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
    uint64_t left = used < info.me_mapsize ? info.me_mapsize - used : 0;
    return left > info.me_mapsize / 8 ? left : left + given_back(env) * stat.ms_psize;
}

int hs_env_fd(struct hs_env *env)
{
    mdb_filehandle_t fd = -1;
    int code = mdb_env_get_fd(env->handle, &fd);
    assert(code == MDB_SUCCESS);
    return fd;
}

enum hs_err hs_env_sync(struct hs_env *env)
{
    return hs_err_from_lmdb(mdb_env_sync(env->handle, 1));
}

/* A line of LMDB's list: "pid thread snapshot", the last a dash where nothing is read; the first line is a heading. */
static int take_reader(const char *line, void *ctx)
{
    struct hs_reader *oldest = ctx;
    char *at, *end;
    long pid = strtol(line, &at, 10);
    size_t thread = strtoul(at, &at, 16);
    uint64_t snapshot = strtoull(at, &end, 10);
    bool reads = pid > 0 && end != at;
    if (reads && (oldest->pid == 0 || snapshot < oldest->snapshot))
        *oldest = (struct hs_reader){.pid = (int)pid, .thread = thread, .snapshot = snapshot};
    return 0;
}

enum hs_err hs_env_readers(struct hs_env *env, struct hs_reader *oldest)
{
    *oldest = (struct hs_reader){0};
    enum hs_err err = hs_env_check_readers(env);
    if (err == HS_OK && mdb_reader_list(env->handle, take_reader, oldest) < 0)
        err = HS_EIO;
    MDB_envinfo info;
    if (err == HS_OK)
        err = hs_err_from_lmdb(mdb_env_info(env->handle, &info));
    if (err == HS_OK)
        oldest->pins = oldest->pid != 0 && oldest->snapshot < info.me_last_txnid;
    return err;
}

enum hs_err hs_env_check_readers(struct hs_env *env)
{
    int dead = 0;
    return hs_err_from_lmdb(mdb_reader_check(env->handle, &dead));
}

/* ---- transactions ---- */

enum hs_err hs_txn_begin(struct hs_env *env, bool writes, struct hs_txn *txn)
{
    *txn = (struct hs_txn){.env = env, .tables = env->tables, .writes = writes};
    unsigned flags = writes ? 0 : MDB_RDONLY;
    int code = mdb_txn_begin(env->handle, NULL, flags, &txn->handle);
    if (code == MDB_READERS_FULL && hs_env_check_readers(env) == HS_OK)
        code = mdb_txn_begin(env->handle, NULL, flags, &txn->handle);
    txn->err = hs_err_from_lmdb(code);
    if (txn->err != HS_OK)
        txn->handle = NULL;
    return txn->err;
}

/* Best effort: on a full disk LMDB finds its own way to say so. */
static void write_ahead(struct hs_env *env)
{
    static const uint8_t zeros[4096];
    uint64_t used = hs_env_used_bytes(env);
    if (used + env->ahead_bytes / 8 < env->ahead_end)
        return;
    struct stat status;
    int fd = hs_env_fd(env);
    if (fstat(fd, &status) != 0)
        return;
    uint64_t at = (uint64_t)status.st_size > used ? (uint64_t)status.st_size : used;
    env->ahead_end = used + env->ahead_bytes; /* also after a failure: it is not tried again at every commit */
    for (; at < env->ahead_end; at += sizeof zeros) {
        if (pwrite(fd, zeros, sizeof zeros, (off_t)at) != (ssize_t)sizeof zeros)
            return;
    }
}

/* What a transaction may change. */
#define TXN_BYTES_MAX ((uint64_t)1 << 30)

/* Where no file may be larger: the process's limit, or that of the file systems that allow least. */
static uint64_t file_bytes_max(void)
{
    struct rlimit limit;
    uint64_t least = UINT32_MAX;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < least ? limit.rlim_cur : least;
}

/* With room for more than one transaction nothing was full: what LMDB asked for, or where it wrote, was a number of
 * pages that has rotted. */
static int is_full(struct hs_env *env, int code)
{
    MDB_envinfo info;
    if ((code != MDB_MAP_FULL && code != EFBIG) || mdb_env_info(env->handle, &info) != MDB_SUCCESS)
        return code;
    uint64_t room = code == EFBIG ? file_bytes_max() : info.me_mapsize;
    return room > hs_env_used_bytes(env) + TXN_BYTES_MAX ? MDB_CORRUPTED : code;
}

/* Where the last write before a disk is full comes back short, LMDB says EIO. */
static enum hs_err commit_error(struct hs_env *env, int code)
{
    struct statvfs disk;
    if (code == EIO && fstatvfs(hs_env_fd(env), &disk) == 0 && (uint64_t)disk.f_bavail * disk.f_frsize < FULL_BYTES)
        return HS_EFULL;
    return hs_err_from_lmdb(is_full(env, code));
}

enum hs_err hs_txn_commit(struct hs_txn *txn)
{
    assert(txn->handle != NULL || txn->err != HS_OK);
    enum hs_err err = txn->err;
    if (err == HS_OK) {
        err = commit_error(txn->env, mdb_txn_commit(txn->handle));
        txn->handle = NULL;
        if (err == HS_OK && txn->writes && txn->env->ahead_bytes > 0)
            write_ahead(txn->env);
    }
    hs_txn_abort(txn);
    return err;
}

void hs_txn_abort(struct hs_txn *txn)
{
    if (txn->handle != NULL)
        mdb_txn_abort(txn->handle);
    *txn = (struct hs_txn){0};
}

void hs_txn_park(struct hs_txn *txn)
{
    assert(!txn->writes);
    mdb_txn_reset(txn->handle);
    txn->err = HS_OK;
}

enum hs_err hs_txn_renew(struct hs_txn *txn)
{
    assert(!txn->writes);
    txn->err = hs_err_from_lmdb(mdb_txn_renew(txn->handle));
    return txn->err;
}

static MDB_val val_of(struct hs_bytes bytes)
{
    /* LMDB takes a pointer to what may be written; it does not write through keys or values given to it. */
    return (MDB_val){.mv_size = bytes.size, .mv_data = (void *)(uintptr_t)bytes.data};
}

static struct hs_bytes bytes_of(const MDB_val *val)
{
    return HS_BYTES(val->mv_data, val->mv_size);
}

static void remember(struct hs_txn *txn, int code)
{
    if (code != MDB_SUCCESS && txn->err == HS_OK)
        txn->err = hs_err_from_lmdb(is_full(txn->env, code));
}

enum hs_err hs_txn_get(struct hs_txn *txn, hs_table table, struct hs_bytes key, struct hs_bytes *value)
{
    *value = HS_BYTES_NONE;
    if (txn->err != HS_OK)
        return txn->err;
    MDB_val k = val_of(key);
    MDB_val v = {0};
    int code = mdb_get(txn->handle, txn->tables[table], &k, &v);
    if (code == MDB_NOTFOUND)
        return HS_ENOTFOUND;
    remember(txn, code);
    if (txn->err == HS_OK)
        *value = bytes_of(&v);
    return txn->err;
}

static void put(struct hs_txn *txn, hs_table table, struct hs_bytes key, struct hs_bytes value, unsigned flags)
{
    if (txn->err != HS_OK)
        return;
    MDB_val k = val_of(key);
    MDB_val v = val_of(value);
    remember(txn, mdb_put(txn->handle, txn->tables[table], &k, &v, flags));
}

void hs_txn_put(struct hs_txn *txn, hs_table table, struct hs_bytes key, struct hs_bytes value)
{
    put(txn, table, key, value, 0);
}

void hs_txn_append(struct hs_txn *txn, hs_table table, struct hs_bytes key, struct hs_bytes value)
{
    put(txn, table, key, value, MDB_APPEND);
}

void *hs_txn_reserve(struct hs_txn *txn, hs_table table, struct hs_bytes key, size_t size)
{
    if (txn->err != HS_OK)
        return NULL;
    MDB_val k = val_of(key);
    MDB_val v = {.mv_size = size};
    remember(txn, mdb_put(txn->handle, txn->tables[table], &k, &v, MDB_RESERVE));
    return txn->err == HS_OK ? v.mv_data : NULL;
}

void hs_txn_delete(struct hs_txn *txn, hs_table table, struct hs_bytes key)
{
    if (txn->err != HS_OK)
        return;
    MDB_val k = val_of(key);
    int code = mdb_del(txn->handle, txn->tables[table], &k, NULL);
    if (code != MDB_NOTFOUND)
        remember(txn, code);
}

void hs_txn_empty(struct hs_txn *txn, hs_table table)
{
    if (txn->err == HS_OK)
        remember(txn, mdb_drop(txn->handle, txn->tables[table], 0));
}

uint64_t hs_txn_count(struct hs_txn *txn, hs_table table)
{
    MDB_stat stat = {0};
    if (txn->err == HS_OK)
        remember(txn, mdb_stat(txn->handle, txn->tables[table], &stat));
    return stat.ms_entries;
}

/* ---- scans ---- */

void hs_scan_begin(struct hs_scan *scan, struct hs_txn *txn, hs_table table, struct hs_bytes prefix,
                   struct hs_bytes from)
{
    scan->txn = txn;
    scan->handle = NULL;
    scan->prefix = prefix;
    scan->key = from.size == 0 ? prefix : from;
    scan->value = HS_BYTES_NONE;
    scan->started = false;
    scan->last_size = 0;
    if (txn->err == HS_OK)
        remember(txn, mdb_cursor_open(txn->handle, txn->tables[table], &scan->handle));
}

static bool has_prefix(const struct hs_scan *scan, const MDB_val *key)
{
    size_t size = scan->prefix.size;
    return key->mv_size >= size && (size == 0 || memcmp(key->mv_data, scan->prefix.data, size) == 0);
}

/* @distinct: they must not be equal either. */
static int in_order(int code, struct hs_bytes lower, struct hs_bytes upper, bool distinct)
{
    if (code != MDB_SUCCESS)
        return code;
    int order = hs_bytes_compare(lower, upper);
    return order < 0 || (order == 0 && !distinct) ? MDB_SUCCESS : MDB_CORRUPTED;
}

/* What ends a prefix may be a key of it that rotted: then more of the prefix lies behind. */
static int look_behind(const struct hs_scan *scan, const MDB_val *end, MDB_cursor_op way)
{
    MDB_val k = {0};
    MDB_val v = {0};
    int code = mdb_cursor_get(scan->handle, &k, &v, way);
    return way == MDB_NEXT ? in_order(code, bytes_of(end), bytes_of(&k), true)
                           : in_order(code, bytes_of(&k), bytes_of(end), true);
}

/* Take over what the cursor found on its @way; not found, or out of the prefix, is the end. */
static bool settle(struct hs_scan *scan, int code, const MDB_val *key, const MDB_val *value, MDB_cursor_op way)
{
    if (code == MDB_SUCCESS && key->mv_size > sizeof scan->last)
        code = MDB_CORRUPTED;
    bool found = code == MDB_SUCCESS && has_prefix(scan, key);
    if (code == MDB_SUCCESS && !found)
        code = look_behind(scan, key, way);
    if (code != MDB_NOTFOUND)
        remember(scan->txn, code);
    if (!found)
        return false;
    memcpy(scan->last, key->mv_data, key->mv_size);
    scan->last_size = key->mv_size;
    scan->key = bytes_of(key);
    scan->value = bytes_of(value);
    return true;
}

bool hs_scan_next(struct hs_scan *scan)
{
    if (scan->txn->err != HS_OK)
        return false;
    bool goes_on = scan->started;
    struct hs_bytes before = goes_on ? HS_BYTES(scan->last, scan->last_size) : scan->key;
    MDB_val k = val_of(before);
    MDB_val v = {0};
    int code = mdb_cursor_get(scan->handle, &k, &v, goes_on ? MDB_NEXT : k.mv_size == 0 ? MDB_FIRST : MDB_SET_RANGE);
    scan->started = true;
    return settle(scan, in_order(code, before, bytes_of(&k), goes_on), &k, &v, MDB_NEXT);
}

/* The least key above all that begin with @prefix; size 0: there is none. */
static size_t prefix_end(struct hs_bytes prefix, uint8_t end[static HS_DB_KEY_BYTES_MAX])
{
    size_t size = prefix.size;
    while (size > 0 && prefix.data[size - 1] == 0xff)
        size--;
    if (size > 0) {
        memcpy(end, prefix.data, size);
        end[size - 1]++;
    }
    return size;
}

bool hs_scan_last(struct hs_scan *scan, struct hs_bytes at_most)
{
    assert(at_most.size <= HS_DB_KEY_BYTES_MAX);
    assert(scan->prefix.size <= HS_DB_KEY_BYTES_MAX);
    if (scan->txn->err != HS_OK)
        return false;
    scan->started = true;
    uint8_t end[HS_DB_KEY_BYTES_MAX];
    MDB_val bound = at_most.size > 0 ? val_of(at_most) : (MDB_val){prefix_end(scan->prefix, end), end};
    MDB_val k = bound;
    MDB_val v = {0};
    int code = bound.mv_size == 0 ? MDB_NOTFOUND : mdb_cursor_get(scan->handle, &k, &v, MDB_SET_RANGE);
    if (code == MDB_NOTFOUND)
        code = mdb_cursor_get(scan->handle, &k, &v, MDB_LAST);
    else if (code == MDB_SUCCESS && (at_most.size == 0 || !hs_bytes_equal(bytes_of(&k), at_most)))
        code = mdb_cursor_get(scan->handle, &k, &v, MDB_PREV);
    if (bound.mv_size > 0)
        code = in_order(code, bytes_of(&k), bytes_of(&bound), at_most.size == 0);
    return settle(scan, code, &k, &v, MDB_PREV);
}

bool hs_scan_prev(struct hs_scan *scan)
{
    assert(scan->started);
    if (scan->txn->err != HS_OK)
        return false;
    struct hs_bytes behind = HS_BYTES(scan->last, scan->last_size);
    MDB_val k = {0};
    MDB_val v = {0};
    int code = mdb_cursor_get(scan->handle, &k, &v, MDB_PREV);
    return settle(scan, in_order(code, bytes_of(&k), behind, true), &k, &v, MDB_PREV);
}

void hs_scan_end(struct hs_scan *scan)
{
    if (scan->handle != NULL)
        mdb_cursor_close(scan->handle);
    scan->handle = NULL;
}
