/* dir.c -- the data directory: whether it may be used, and by whom. */
#include "storage/store/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define PRIVATE_MODE 0700

/* Memory maps of files on these are not what LMDB needs, and their locks may keep nobody out. */
const char *store_network_fs(long type)
{
    static const struct {
        unsigned long type;
        const char *name;
    } TYPES[] = {
        {0x6969, "NFS"},      {0x517b, "SMB"},      {0xff534d42, "CIFS"},  {0xfe534d42, "SMB2"},
        {0x01021997, "9P"},   {0x65735546, "FUSE"}, {0x00c36400, "Ceph"},  {0x5346414f, "AFS"},
        {0x73757245, "Coda"}, {0x01161970, "GFS2"}, {0x7461636f, "OCFS2"},
    };
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        if (((unsigned long)type & 0xffffffff) == TYPES[i].type)
            return TYPES[i].name;
    }
    return NULL;
}

static enum hs_err check_fs(const char *dir, struct hs_why *why)
{
    struct statfs fs;
    if (statfs(dir, &fs) != 0)
        return hs_fail(hs_err_from_errno(errno), why, "cannot look at the file system of %s: %s", dir, strerror(errno));
    const char *name = store_network_fs((long)fs.f_type);
    if (name == NULL)
        return HS_OK;
    return hs_fail(HS_ENETFS, why, "%s lies on a %s file system: choose a directory on a local disk", dir, name);
}

/* What lies here is nobody else's business; folders made by hand are often open to all. */
static enum hs_err close_to_others(const char *dir, struct hs_why *why)
{
    struct stat status;
    if (stat(dir, &status) != 0)
        return hs_fail(hs_err_from_errno(errno), why, "cannot look at %s: %s", dir, strerror(errno));
    if (!S_ISDIR(status.st_mode))
        return hs_fail(HS_ENOSTORE, why, "%s is not a directory: name the data directory", dir);
    if ((status.st_mode & 07777 & ~(mode_t)PRIVATE_MODE) == 0 || chmod(dir, PRIVATE_MODE) == 0)
        return HS_OK;
    return hs_fail(HS_EPERM, why,
                   "%s is open to other users and cannot be closed (%s): make it the daemon's own, mode 0700", dir,
                   strerror(errno));
}

static enum hs_err find_store(const char *dir, struct hs_why *why)
{
    char path[4096];
    int size = snprintf(path, sizeof path, "%s/log/data.mdb", dir);
    if (size < 0 || (size_t)size >= sizeof path)
        return hs_fail(HS_EINVAL, why, "the path %.64s... is too long: choose a shorter one", dir);
    if (access(path, F_OK) == 0)
        return HS_OK;
    if (errno == ENOENT || errno == ENOTDIR)
        return hs_fail(HS_ENOSTORE, why, "there is no store in %s: make one with 'hallsync init' or 'hallsync join'",
                       dir);
    return hs_fail(hs_err_from_errno(errno), why, "cannot look into %s: %s", dir, strerror(errno));
}

enum hs_err store_prepare_dir(const char *dir, bool create, struct hs_why *why)
{
    enum hs_err err = HS_OK;
    if (!create)
        err = find_store(dir, why);
    else if (mkdir(dir, PRIVATE_MODE) != 0 && errno != EEXIST)
        err = hs_fail(hs_err_from_errno(errno), why, "cannot make the directory %s: %s", dir, strerror(errno));
    if (err == HS_OK)
        err = close_to_others(dir, why);
    return err == HS_OK ? check_fs(dir, why) : err;
}

static enum hs_err refuse_second(const char *dir, int fd, struct hs_why *why)
{
    char pid[24] = {0};
    ssize_t size = pread(fd, pid, sizeof pid - 1, 0);
    long number = size > 0 ? strtol(pid, NULL, 10) : 0;
    return hs_fail(HS_ELOCKED, why, "%s is in use by process %ld: stop it, or ask it through its socket", dir, number);
}

enum hs_err store_lock_dir(const char *dir, int *out, struct hs_why *why)
{
    char path[4096];
    char pid[24];
    snprintf(path, sizeof path, "%s/lock", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return hs_fail(hs_err_from_errno(errno), why, "cannot open %s: %s", path, strerror(errno));
    enum hs_err err = HS_OK;
    int size = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        err = errno == EWOULDBLOCK
                  ? refuse_second(dir, fd, why)
                  : hs_fail(hs_err_from_errno(errno), why, "cannot lock %s: %s", path, strerror(errno));
    else if (ftruncate(fd, 0) != 0 || (pwrite(fd, pid, (size_t)size, 0) != size && errno != ENOSPC))
        err = hs_fail(hs_err_from_errno(errno), why, "cannot write %s: %s", path, strerror(errno));
    if (err != HS_OK) {
        close(fd);
        return err;
    }
    *out = fd;
    return HS_OK;
}
