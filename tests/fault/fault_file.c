/* The file system, as our own objects call it. */
#include "tests/fault/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

/* @grows: it makes a file, or makes one longer. */
static bool fails(bool grows, const char *function)
{
    enum fault_kind kind = fault_kind();
    if (kind == FAULT_FILE_FULL && grows && fault_due(kind, function)) {
        errno = ENOSPC;
        return true;
    }
    if (kind == FAULT_FILE_IO && fault_due(kind, function)) {
        errno = EIO;
        return true;
    }
    return false;
}

static size_t some_of(size_t size, const char *function)
{
    return fault_kind() == FAULT_FILE_SHORT && size > 1 && fault_due(FAULT_FILE_SHORT, function) ? size / 2 : size;
}

#define WRAP(grows, result, failed, name, parameters, arguments)       \
    result __real_##name parameters;                                   \
    result __wrap_##name parameters;                                   \
    result __wrap_##name parameters                                    \
    {                                                                  \
        return fails(grows, #name) ? failed : __real_##name arguments; \
    }

WRAP(true, int, -1, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP(true, int, -1, link, (const char *from, const char *to), (from, to))
WRAP(true, int, -1, rename, (const char *from, const char *to), (from, to))
WRAP(true, int, -1, mkostemp, (char *path, int flags), (path, flags))
WRAP(true, int, -1, fsync, (int fd), (fd))
WRAP(true, int, -1, fallocate, (int fd, int mode, off_t offset, off_t size), (fd, mode, offset, size))
WRAP(false, int, -1, ftruncate, (int fd, off_t size), (fd, size))
WRAP(false, int, -1, flock, (int fd, int operation), (fd, operation))
WRAP(false, int, -1, fstat, (int fd, struct stat *status), (fd, status))
WRAP(false, int, -1, stat, (const char *path, struct stat *status), (path, status))
WRAP(false, int, -1, lstat, (const char *path, struct stat *status), (path, status))
WRAP(false, int, -1, statfs, (const char *path, struct statfs *fs), (path, fs))
WRAP(false, int, -1, fstatfs, (int fd, struct statfs *fs), (fd, fs))
WRAP(false, int, -1, statvfs, (const char *path, struct statvfs *fs), (path, fs))
WRAP(false, int, -1, chmod, (const char *path, mode_t mode), (path, mode))
WRAP(false, int, -1, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(false, int, -1, access, (const char *path, int mode), (path, mode))
WRAP(false, int, -1, unlink, (const char *path), (path))

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode)
{
    return fails(mode[0] != 'r', "fopen") ? NULL : __real_fopen(path, mode);
}

int __wrap_posix_fallocate(int fd, off_t offset, off_t size);
int __real_posix_fallocate(int fd, off_t offset, off_t size);
int __wrap_posix_fallocate(int fd, off_t offset, off_t size)
{
    return fails(true, "posix_fallocate") ? errno : __real_posix_fallocate(fd, offset, size);
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if (fails((flags & O_CREAT) != 0, "open"))
        return -1;
    if ((flags & O_CREAT) != 0) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    return __real_open(path, flags, mode);
}

/* ---- bytes ---- */

#define WRAP_BYTES(grows, name, parameters, arguments) \
    ssize_t __real_##name parameters;                  \
    ssize_t __wrap_##name parameters;                  \
    ssize_t __wrap_##name parameters                   \
    {                                                  \
        if (fails(grows, #name))                       \
            return -1;                                 \
        size = some_of(size, #name);                   \
        return __real_##name arguments;                \
    }

WRAP_BYTES(true, pwrite, (int fd, const void *bytes, size_t size, off_t at), (fd, bytes, size, at))
WRAP_BYTES(true, write, (int fd, const void *bytes, size_t size), (fd, bytes, size))
WRAP_BYTES(false, pread, (int fd, void *bytes, size_t size, off_t at), (fd, bytes, size, at))
WRAP_BYTES(false, read, (int fd, void *bytes, size_t size), (fd, bytes, size))
