#include "node/link/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX      ".XXXXXX" /* of the file that a new one is written as, beside its place */
#define OTHERS_READ 0077

static enum hs_err fail(struct hs_why *why, const char *what, const char *path)
{
    int error = errno;
    return hs_fail(error == EEXIST ? HS_EEXISTS : hs_err_from_errno(error), why, "cannot %s %s: %s", what, path,
                   strerror(error));
}

static void shut(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* ---- reading ---- */

static enum hs_err read_all(int fd, const char *path, size_t size, struct hs_buf *content, struct hs_why *why)
{
    uint8_t *at = hs_buf_extend(content, size + 1);
    if (at == NULL)
        return content->err;
    at[size] = 0;
    content->size--;
    size_t done = 0;
    while (done < size) {
        ssize_t got = read(fd, at + done, size - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(why, "read", path);
        if (got == 0)
            return hs_fail(HS_EIO, why, "%s became shorter while it was read", path);
        done += (size_t)got;
    }
    return HS_OK;
}

static enum hs_err read_file(const char *path, size_t limit, mode_t refused, struct hs_buf *content, struct hs_why *why)
{
    enum hs_err err = HS_OK;
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* of a pipe that nobody writes to */
    if (fd < 0 && errno == ENOENT)
        return hs_fail(HS_ENOTFOUND, why, "there is no %s", path);
    if (fd < 0 || fstat(fd, &status) != 0)
        err = fail(why, "open", path);
    else if (!S_ISREG(status.st_mode))
        err = hs_fail(HS_EINVAL, why, "%s is not a file", path);
    else if ((status.st_mode & refused) != 0)
        err = hs_fail(HS_EPERM, why, "others can read %s: chmod 600 %s", path, path);
    else if ((uint64_t)status.st_size > limit)
        err = hs_fail(HS_ETOOBIG, why, "%s has more than %zu bytes", path, limit);
    else
        err = read_all(fd, path, (size_t)status.st_size, content, why);
    shut(fd);
    return err;
}

enum hs_err hs_file_read(const char *path, size_t limit, struct hs_buf *content, struct hs_why *why)
{
    return read_file(path, limit, 0, content, why);
}

enum hs_err hs_file_read_secret(const char *path, size_t limit, struct hs_buf *content, struct hs_why *why)
{
    return read_file(path, limit, OTHERS_READ, content, why);
}

/* ---- writing: beside its place, synced, then put there, and the directory synced ---- */

static enum hs_err write_all(int fd, const char *path, struct hs_bytes content, unsigned mode, struct hs_why *why)
{
    size_t done = 0;
    while (done < content.size) {
        ssize_t put = write(fd, content.data + done, content.size - done);
        if (put < 0 && errno != EINTR)
            return fail(why, "write", path);
        done += put > 0 ? (size_t)put : 0;
    }
    if (fchmod(fd, mode) != 0 || fsync(fd) != 0)
        return fail(why, "write", path);
    return HS_OK;
}

enum hs_err hs_file_sync_name(const char *path, struct hs_why *why)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int size = slash == NULL ? 1 : slash == path ? 1 : (int)(slash - path);
    snprintf(dir, sizeof dir, "%.*s", size, slash == NULL ? "." : path);
    enum hs_err err = HS_OK;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        err = fail(why, "sync", dir);
    shut(fd);
    return err;
}

/* Rename replaces; link does not, and the other name goes away. */
static int put_in_place(const char *from, const char *path, bool replace)
{
    if (replace)
        return rename(from, path);
    int failed = link(from, path);
    int error = errno;
    unlink(from);
    errno = error;
    return failed;
}

static enum hs_err write_file(const char *path, struct hs_bytes content, unsigned mode, bool replace,
                              struct hs_why *why)
{
    char beside[PATH_MAX];
    if (strlen(path) + sizeof SUFFIX > sizeof beside)
        return hs_fail(HS_EINVAL, why, "the path %.64s... is too long", path);
    snprintf(beside, sizeof beside, "%s" SUFFIX, path);
    int fd = mkostemp(beside, O_CLOEXEC); /* O_EXCL and mode 0600 */
    if (fd < 0)
        return fail(why, "write", path);
    enum hs_err err = write_all(fd, path, content, mode, why);
    if (err == HS_OK && put_in_place(beside, path, replace) != 0)
        err = fail(why, "write", path);
    if (err != HS_OK)
        unlink(beside);
    shut(fd);
    return err == HS_OK ? hs_file_sync_name(path, why) : err;
}

enum hs_err hs_file_write(const char *path, struct hs_bytes content, unsigned mode, struct hs_why *why)
{
    return write_file(path, content, mode, true, why);
}

enum hs_err hs_file_create(const char *path, struct hs_bytes content, unsigned mode, struct hs_why *why)
{
    return write_file(path, content, mode, false, why);
}
