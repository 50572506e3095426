/* recorder.c -- a library to preload: notes every change of the files below $HS_RECORD_DIR in the journal
 * $HS_RECORD_FILE (journal.h), of all threads and processes in one order, and lets it happen.
 *
 * A write is noted and done in one step under the journal's lock.  A sync is noted when it begins and when it ends:
 * what was written before it began is on disk once it has ended.  A write through a synchronous descriptor (LMDB's of
 * its meta pages) is noted before it is done, and noted again once it is on disk.
 *
 * $HS_RECORD_DIE=N: the process kills itself after its N-th write through a synchronous descriptor, before it can know
 * that it is on disk; $HS_RECORD_DIE_NAME=N: after its N-th new, moved or removed name.
 *
 * Calls that are not here (stores into a map, sync_file_range, fallocate, dup, writing through stdio) are not recorded:
 * whoever replays the journal compares what it adds up to with the files. */
#include "tests/power/journal.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES_MAX 4096 /* descriptors */
#define SEEN_MAX  256
#define BOTH      8192 /* two paths */

static struct journal *journal;
static char root[4096];
static size_t root_bytes;
static unsigned long synced, die_synced; /* writes, and the one to die after: 0 for never */
static unsigned long named, die_named;
static const char *own; /* the journal: it may lie there too */

/* Of a descriptor: the inode, 0 for one that is none of ours.  Written with the lock held. */
static struct {
    uint64_t file;
    bool synchronous;
} files[FILES_MAX];
static uint64_t seen[SEEN_MAX]; /* what this process has created or begun to write to */
static size_t seen_count;

static unsigned long number_of(const char *name)
{
    const char *text = getenv(name);
    return text == NULL ? 0 : strtoul(text, NULL, 10);
}

__attribute__((constructor)) static void begin(void)
{
    const char *dir = getenv("HS_RECORD_DIR");
    const char *file = getenv("HS_RECORD_FILE");
    if (dir == NULL || file == NULL)
        return;
    root_bytes = (size_t)snprintf(root, sizeof root, "%s/", dir);
    journal = root_bytes < sizeof root ? journal_open(file) : NULL;
    if (journal == NULL) {
        fprintf(stderr, "the recorder cannot open %s: %s\n", file, strerror(errno));
        abort();
    }
    own = file;
    die_synced = number_of("HS_RECORD_DIE");
    die_named = number_of("HS_RECORD_DIE_NAME");
}

/* The path as it is noted, empty for the directory itself; NULL: not below it. */
static const char *inside(const char *path)
{
    if (journal == NULL || path == NULL || strncmp(path, root, root_bytes - 1) != 0 || strcmp(path, own) == 0)
        return NULL;
    path += root_bytes - 1;
    return path[0] == '/' ? path + 1 : path[0] == '\0' ? path : NULL;
}

static uint64_t file_of(int fd)
{
    return fd >= 0 && fd < FILES_MAX ? __atomic_load_n(&files[fd].file, __ATOMIC_RELAXED) : 0;
}

static void note(enum journal_sort sort, uint64_t file, uint64_t at, uint64_t size)
{
    struct journal_entry entry = {.sort = sort, .file = file, .at = at, .size = size};
    journal_put(journal, &entry, NULL, NULL, 0);
}

/* With the lock held: nobody comes in between. */
static void count_name(void)
{
    if (++named == die_named)
        kill(getpid(), SIGKILL);
}

static void note_path(enum journal_sort sort, const char *path, uint64_t file)
{
    struct journal_entry entry = {.sort = sort, .path_bytes = (uint32_t)strlen(path) + 1, .file = file};
    journal_put(journal, &entry, path, NULL, 0);
    count_name();
}

static void note_both(enum journal_sort sort, const char *from, const char *to)
{
    char both[BOTH];
    int size = snprintf(both, sizeof both, "%s%c%s", from, '\0', to) + 1;
    struct journal_entry entry = {.sort = sort, .path_bytes = (uint32_t)size};
    journal_put(journal, &entry, both, NULL, 0);
    count_name();
}

/* ---- opening and closing ---- */

static bool was_seen(uint64_t file)
{
    for (size_t i = 0; i < seen_count; i++) {
        if (seen[i] == file)
            return true;
    }
    return false;
}

static void see(uint64_t file)
{
    if (!was_seen(file) && seen_count < SEEN_MAX)
        seen[seen_count++] = file;
}

/* A process killed between the two halves of a step may have done what the journal has not, or not what it has. */
static void note_base(int fd, const char *path, const struct stat *status)
{
    size_t size = (size_t)status->st_size;
    uint8_t *bytes = malloc(size + 1);
    size_t done = 0;
    int reading = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0); /* fd may be for writing only */
    for (ssize_t got = 1; bytes != NULL && got > 0 && done<size; done += got> 0 ? (size_t)got : 0)
        got = pread(reading, bytes + done, size - done, (off_t)done);
    if (done != size)
        abort();
    syscall(SYS_close, reading);
    (void)fd;
    const char *name = inside(path);
    struct journal_entry entry = {
        .sort = JOURNAL_BASE, .path_bytes = (uint32_t)strlen(name) + 1, .file = (uint64_t)status->st_ino};
    struct iovec data = {bytes, size};
    journal_put(journal, &entry, name, &data, 1);
    free(bytes);
}

/* With the lock held. */
static void enter(int fd, const char *path, int flags, bool made)
{
    struct stat status;
    if (fd < 0)
        return;
    if (fd >= FILES_MAX || fstat(fd, &status) != 0)
        abort();
    uint64_t file = (uint64_t)status.st_ino;
    bool writes = (flags & O_ACCMODE) != O_RDONLY;
    if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode))
        return;
    if (made)
        note_path(JOURNAL_CREATE, inside(path), file);
    else if (writes && !was_seen(file))
        note_base(fd, path, &status);
    if (writes)
        see(file);
    if (!made && writes && (flags & O_TRUNC) != 0)
        note(JOURNAL_SIZE, file, 0, 0);
    files[fd].synchronous = (flags & O_DSYNC) != 0;
    __atomic_store_n(&files[fd].file, file, __ATOMIC_RELAXED);
}

static int do_open(const char *path, int flags, mode_t mode)
{
    if (inside(path) == NULL)
        return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    struct stat before;
    journal_lock(journal);
    bool made = (flags & O_CREAT) != 0 && lstat(path, &before) != 0;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    int error = errno;
    enter(fd, path, flags, made);
    journal_unlock(journal);
    errno = error;
    return fd;
}

#define MODE_OF(flags, mode)                                      \
    do {                                                          \
        va_list list;                                             \
        va_start(list, flags);                                    \
        mode = ((flags)&O_CREAT) != 0 ? va_arg(list, mode_t) : 0; \
        va_end(list);                                             \
    } while (0)

int open(const char *path, int flags, ...)
{
    mode_t mode;
    MODE_OF(flags, mode);
    return do_open(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    mode_t mode;
    MODE_OF(flags, mode);
    return do_open(path, flags, mode);
}

int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
    return do_open(path, flags, 0);
}

int __open64_2(const char *path, int flags);
int __open64_2(const char *path, int flags)
{
    return do_open(path, flags, 0);
}

int mkostemp(char *template, int flags)
{
    int (*real)(char *, int) = (int (*)(char *, int))dlsym(RTLD_NEXT, "mkostemp");
    if (inside(template) == NULL)
        return real(template, flags);
    journal_lock(journal);
    int fd = real(template, flags);
    enter(fd, template, O_RDWR, true);
    journal_unlock(journal);
    return fd;
}

int close(int fd)
{
    if (file_of(fd) != 0)
        __atomic_store_n(&files[fd].file, 0, __ATOMIC_RELAXED);
    return (int)syscall(SYS_close, fd);
}

/* ---- writing ---- */

static ssize_t do_write(int fd, const struct iovec *data, int count, off_t at)
{
    return at < 0 ? syscall(SYS_writev, fd, data, (long)count)
                  : syscall(SYS_pwritev, fd, data, (long)count, (long)at, 0L);
}

static void note_write(int fd, const struct iovec *data, int count, off_t at)
{
    struct journal_entry entry = {.sort = JOURNAL_WRITE, .file = file_of(fd), .at = (uint64_t)at};
    journal_put(journal, &entry, NULL, data, (size_t)count);
}

static ssize_t write_synced(int fd, const struct iovec *data, int count, off_t at)
{
    uint64_t bytes = 0;
    for (int i = 0; i < count; i++)
        bytes += data[i].iov_len;
    journal_lock(journal);
    off_t place = at < 0 ? lseek(fd, 0, SEEK_CUR) : at;
    note_write(fd, data, count, place);
    journal_unlock(journal);
    ssize_t done = do_write(fd, data, count, at);
    if (done < 0 || (uint64_t)done != bytes)
        abort(); /* noted, and not done: no recording of a failing disk */
    if (__atomic_add_fetch(&synced, 1, __ATOMIC_RELAXED) == die_synced)
        kill(getpid(), SIGKILL);
    journal_lock(journal);
    note(JOURNAL_RANGE_END, file_of(fd), (uint64_t)place, bytes);
    journal_unlock(journal);
    return done;
}

static ssize_t put(int fd, const struct iovec *data, int count, off_t at)
{
    if (file_of(fd) == 0)
        return do_write(fd, data, count, at);
    if (files[fd].synchronous)
        return write_synced(fd, data, count, at);
    journal_lock(journal);
    off_t place = at < 0 ? lseek(fd, 0, SEEK_CUR) : at;
    ssize_t done = do_write(fd, data, count, at);
    int error = errno;
    if (done > 0) {
        struct iovec cut[64];
        size_t left = (size_t)done;
        int parts = 0;
        for (; parts < count && parts < 64 && left > 0; parts++) {
            cut[parts] = data[parts];
            if (cut[parts].iov_len > left)
                cut[parts].iov_len = left;
            left -= cut[parts].iov_len;
        }
        if (left > 0)
            abort(); /* LMDB writes at most 64 pieces at once */
        note_write(fd, cut, parts, place);
    }
    journal_unlock(journal);
    errno = error;
    return done;
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    struct iovec data = {(void *)(uintptr_t)bytes, size};
    return file_of(fd) == 0 ? syscall(SYS_write, fd, bytes, size) : put(fd, &data, 1, -1);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    struct iovec data = {(void *)(uintptr_t)bytes, size};
    return put(fd, &data, 1, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t at)
{
    return pwrite(fd, bytes, size, at);
}

ssize_t writev(int fd, const struct iovec *data, int count)
{
    return put(fd, data, count, -1);
}

ssize_t pwritev(int fd, const struct iovec *data, int count, off_t at)
{
    return put(fd, data, count, at);
}

ssize_t pwritev64(int fd, const struct iovec *data, int count, off_t at)
{
    return put(fd, data, count, at);
}

int ftruncate(int fd, off_t size)
{
    if (file_of(fd) == 0)
        return (int)syscall(SYS_ftruncate, fd, size);
    journal_lock(journal);
    int failed = (int)syscall(SYS_ftruncate, fd, size);
    if (failed == 0)
        note(JOURNAL_SIZE, file_of(fd), (uint64_t)size, 0);
    journal_unlock(journal);
    return failed;
}

int ftruncate64(int fd, off_t size)
{
    return ftruncate(fd, size);
}

/* ---- syncing ---- */

static int do_sync(long call, int fd)
{
    uint64_t file = file_of(fd);
    if (file == 0)
        return (int)syscall(call, fd);
    journal_lock(journal);
    note(JOURNAL_SYNC_BEGIN, file, 0, 0);
    journal_unlock(journal);
    int failed = (int)syscall(call, fd);
    int error = errno;
    if (failed == 0) {
        journal_lock(journal);
        note(JOURNAL_SYNC_END, file, 0, 0);
        journal_unlock(journal);
    }
    errno = error;
    return failed;
}

int fsync(int fd)
{
    return do_sync(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return do_sync(SYS_fdatasync, fd);
}

/* ---- names ---- */

static int two_names(long call, enum journal_sort sort, const char *from, const char *to)
{
    if (inside(from) == NULL || inside(to) == NULL)
        return (int)syscall(call, from, to);
    journal_lock(journal);
    int failed = (int)syscall(call, from, to);
    int error = errno;
    if (failed == 0)
        note_both(sort, inside(from), inside(to));
    journal_unlock(journal);
    errno = error;
    return failed;
}

static int one_name(long call, enum journal_sort sort, const char *path)
{
    if (inside(path) == NULL)
        return (int)syscall(call, path);
    journal_lock(journal);
    int failed = (int)syscall(call, path);
    int error = errno;
    if (failed == 0)
        note_path(sort, inside(path), 0);
    journal_unlock(journal);
    errno = error;
    return failed;
}

int rename(const char *from, const char *to)
{
    return two_names(SYS_rename, JOURNAL_RENAME, from, to);
}

int link(const char *from, const char *to)
{
    return two_names(SYS_link, JOURNAL_LINK, from, to);
}

int unlink(const char *path)
{
    return one_name(SYS_unlink, JOURNAL_UNLINK, path);
}

int rmdir(const char *path)
{
    return one_name(SYS_rmdir, JOURNAL_RMDIR, path);
}

int mkdir(const char *path, mode_t mode)
{
    if (inside(path) == NULL)
        return (int)syscall(SYS_mkdir, path, mode);
    struct stat status;
    journal_lock(journal);
    int failed = (int)syscall(SYS_mkdir, path, mode);
    int error = errno;
    if (failed == 0 && stat(path, &status) == 0)
        note_path(JOURNAL_MKDIR, inside(path), (uint64_t)status.st_ino);
    journal_unlock(journal);
    errno = error;
    return failed;
}
