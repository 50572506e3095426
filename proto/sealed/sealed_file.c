#include "proto/sealed/sealed_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".part"

struct hs_sealed_out {
    char path[PATH_MAX], part[PATH_MAX];
    int fd;
    bool placed;
    struct hs_why why;
};

struct hs_sealed_in {
    int fd;
    uint64_t size, done;
};

static enum hs_err fail(struct hs_why *why, const char *what, const char *path)
{
    int error = errno;
    enum hs_err err = error == EEXIST ? HS_EEXISTS : error == EWOULDBLOCK ? HS_ELOCKED : hs_err_from_errno(error);
    return hs_fail(err, why, "cannot %s %s: %s", what, path,
                   err == HS_ELOCKED ? "another process is writing it" : strerror(error));
}

/* ---- writing ---- */

/* Another process may have put the file in place between opening and locking: what is open is whole then, and not to be
 * written over. */
static bool is_still_part(const struct hs_sealed_out *out)
{
    struct stat opened, named;
    return fstat(out->fd, &opened) == 0 && stat(out->part, &named) == 0 && opened.st_dev == named.st_dev &&
           opened.st_ino == named.st_ino;
}

static enum hs_err open_part(struct hs_sealed_out *out, struct hs_why *why)
{
    out->fd = open(out->part, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600);
    if (out->fd < 0)
        return fail(why, "write", out->part);
    if (flock(out->fd, LOCK_EX | LOCK_NB) != 0)
        return fail(why, "write", out->part);
    if (!is_still_part(out))
        return hs_fail(HS_ELOCKED, why, "another process has written %s just now", out->path);
    return ftruncate(out->fd, 0) == 0 ? HS_OK : fail(why, "write", out->part);
}

enum hs_err hs_sealed_out_open(const char *path, struct hs_sealed_out **out, struct hs_why *why)
{
    *out = NULL;
    if (strlen(path) + sizeof SUFFIX > PATH_MAX)
        return hs_fail(HS_EINVAL, why, "the path %.64s... is too long", path);
    if (access(path, F_OK) == 0)
        return hs_fail(HS_EEXISTS, why, "%s is there already: take another name, or remove it", path);
    struct hs_sealed_out *made = calloc(1, sizeof *made);
    if (made == NULL)
        return hs_fail(HS_ENOMEM, why, "no memory to write %s", path);
    snprintf(made->path, sizeof made->path, "%s", path);
    snprintf(made->part, sizeof made->part, "%.*s" SUFFIX, (int)(PATH_MAX - sizeof SUFFIX), path);
    enum hs_err err = open_part(made, why);
    if (err != HS_OK) {
        if (made->fd >= 0)
            close(made->fd);
        free(made);
        return err;
    }
    *out = made;
    return HS_OK;
}

static enum hs_err write_part(void *ctx, struct hs_bytes bytes)
{
    struct hs_sealed_out *out = ctx;
    size_t done = 0;
    while (done < bytes.size) {
        ssize_t put = write(out->fd, bytes.data + done, bytes.size - done);
        if (put < 0 && errno != EINTR)
            return fail(&out->why, "write", out->part);
        done += put > 0 ? (size_t)put : 0;
    }
    return HS_OK;
}

struct hs_sealed_sink hs_sealed_out_sink(struct hs_sealed_out *out)
{
    return (struct hs_sealed_sink){.write = write_part, .ctx = out};
}

const struct hs_why *hs_sealed_out_why(const struct hs_sealed_out *out)
{
    return &out->why;
}

/* Not over another file; where the file system cannot promise that, the check at the opening has to do. */
static int place(const struct hs_sealed_out *out)
{
    int failed = renameat2(AT_FDCWD, out->part, AT_FDCWD, out->path, RENAME_NOREPLACE);
    return failed != 0 && errno == EINVAL ? rename(out->part, out->path) : failed;
}

static enum hs_err sync_name(const struct hs_sealed_out *out, struct hs_why *why)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(out->path, '/');
    int size = slash == NULL || slash == out->path ? 1 : (int)(slash - out->path);
    snprintf(dir, sizeof dir, "%.*s", size, slash == NULL ? "." : out->path);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum hs_err err = fd < 0 || fsync(fd) != 0 ? fail(why, "sync", dir) : HS_OK;
    if (fd >= 0)
        close(fd);
    return err;
}

enum hs_err hs_sealed_out_commit(struct hs_sealed_out *out, struct hs_why *why)
{
    if (fsync(out->fd) != 0)
        return fail(why, "sync", out->part);
    posix_fadvise(out->fd, 0, 0, POSIX_FADV_DONTNEED); /* a wish */
    if (place(out) != 0)
        return fail(why, "write", out->path);
    out->placed = true;
    return sync_name(out, why);
}

void hs_sealed_out_close(struct hs_sealed_out *out)
{
    if (out == NULL)
        return;
    if (!out->placed)
        unlink(out->part);
    close(out->fd);
    free(out);
}

/* ---- reading ---- */

enum hs_err hs_sealed_in_open(const char *path, struct hs_sealed_in **in, struct hs_why *why)
{
    *in = NULL;
    struct stat status = {0};
    enum hs_err err = HS_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* of a pipe that nobody writes to */
    if (fd < 0 && errno == ENOENT)
        return hs_fail(HS_ENOTFOUND, why, "there is no %s", path);
    if (fd < 0 || fstat(fd, &status) != 0)
        err = fail(why, "open", path);
    else if (!S_ISREG(status.st_mode))
        err = hs_fail(HS_EINVAL, why, "%s is not a file", path);
    struct hs_sealed_in *made = err == HS_OK ? calloc(1, sizeof *made) : NULL;
    if (made == NULL) {
        if (fd >= 0)
            close(fd);
        return err == HS_OK ? hs_fail(HS_ENOMEM, why, "no memory to read %s", path) : err;
    }
    made->fd = fd;
    made->size = (uint64_t)status.st_size;
    *in = made;
    return HS_OK;
}

static enum hs_err read_part(void *ctx, uint8_t *to, size_t size, size_t *got)
{
    struct hs_sealed_in *in = ctx;
    ssize_t done;
    do
        done = pread(in->fd, to, size, (off_t)in->done);
    while (done < 0 && errno == EINTR);
    if (done < 0)
        return hs_err_from_errno(errno);
    *got = (size_t)done;
    in->done += *got;
    return HS_OK;
}

struct hs_sealed_source hs_sealed_in_source(struct hs_sealed_in *in)
{
    in->done = 0;
    return (struct hs_sealed_source){.read = read_part, .ctx = in};
}

uint64_t hs_sealed_in_size(const struct hs_sealed_in *in)
{
    return in->size;
}

uint64_t hs_sealed_in_done(const struct hs_sealed_in *in)
{
    return in->done;
}

void hs_sealed_in_close(struct hs_sealed_in *in)
{
    if (in == NULL)
        return;
    close(in->fd);
    free(in);
}
