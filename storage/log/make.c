/* make.c -- a new log is made beside its place, and put there when it is whole and on disk: a power cut in between
 * leaves no log or all of it, never one that can neither be opened nor be made again. */
#include "storage/log/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum hs_err path_in(char to[static LOG_PATH_BYTES], const char *dir, const char *name, struct hs_why *why)
{
    int size = snprintf(to, LOG_PATH_BYTES, "%s%s", dir, name);
    if (size < 0 || size >= LOG_PATH_BYTES)
        return hs_fail(HS_EINVAL, why, "the path %.64s... is too long: choose a shorter one", dir);
    return HS_OK;
}

static enum hs_err remove_file(const char *dir, const char *name, struct hs_why *why)
{
    char path[LOG_PATH_BYTES];
    enum hs_err err = path_in(path, dir, name, why);
    if (err != HS_OK || unlink(path) == 0 || errno == ENOENT || errno == ENOTDIR)
        return err;
    return hs_fail(hs_err_from_errno(errno), why, "cannot remove %s: %s", path, strerror(errno));
}

enum hs_err log_make_beside(const char *path, char beside[static LOG_PATH_BYTES], struct hs_why *why)
{
    char data[LOG_PATH_BYTES];
    struct stat status;
    beside[0] = '\0';
    enum hs_err err = path_in(data, path, "/data.mdb", why);
    if (err != HS_OK || lstat(data, &status) == 0)
        return err; /* what is there says itself whether it is a log */
    err = path_in(beside, path, ".new", why);
    if (err == HS_OK)
        err = remove_file(beside, "/data.mdb", why);
    return err == HS_OK ? remove_file(beside, "/lock.mdb", why) : err;
}

/* Its names are on disk then.  A file system that cannot sync directories keeps their order itself. */
static enum hs_err sync_dir(const char *path, struct hs_why *why)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = fd < 0 || (fsync(fd) != 0 && errno != EINVAL) ? errno : 0;
    if (fd >= 0)
        close(fd);
    return error == 0 ? HS_OK : hs_fail(hs_err_from_errno(error), why, "cannot sync %s: %s", path, strerror(error));
}

enum hs_err log_sync_names(const char *dir, struct hs_why *why)
{
    char parent[LOG_PATH_BYTES];
    enum hs_err err = sync_dir(dir, why);
    if (err == HS_OK)
        err = path_in(parent, dir, "/..", why);
    return err == HS_OK ? sync_dir(parent, why) : err;
}

enum hs_err log_put_in_place(const char *beside, const char *path, struct hs_why *why)
{
    char parent[LOG_PATH_BYTES];
    enum hs_err err = sync_dir(beside, why);
    if (err == HS_OK)
        err = remove_file(path, "/lock.mdb", why);
    if (err == HS_OK && rename(beside, path) != 0)
        err = hs_fail(hs_err_from_errno(errno), why, "cannot put %s in its place: %s", beside, strerror(errno));
    if (err == HS_OK)
        err = path_in(parent, path, "/..", why);
    if (err == HS_OK)
        err = sync_dir(parent, why);
    if (err == HS_OK)
        err = path_in(parent, path, "/../..", why);
    if (err != HS_OK)
        return err;
    err = sync_dir(parent, why);
    return err == HS_EPERM ? HS_OK : err; /* somebody else made the data directory there, long ago */
}
