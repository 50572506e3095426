#include "storage/log/continuity.h"

#include "proto/base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define MAGIC       "hsnote1\n"
#define BOOT_BYTES  36 /* a UUID as text */
#define BODY_BYTES  (8 + 8 + 8 + 8 + BOOT_BYTES + 8 + 8 + 8)
#define NOTE_BYTES  (BODY_BYTES + HS_HASH_BYTES)
#define DOUBT_BYTES 200

struct hs_note {
    int fd; /* -1: none is kept */
    uint64_t store_id;
    char boot[BOOT_BYTES];
    uint64_t device, inode; /* of the data file */
    char path[4096];
    char doubt[DOUBT_BYTES];
};

/* What a note says. */
struct content {
    uint64_t store_id;
    struct hs_position position;
    char boot[BOOT_BYTES];
    uint64_t device, inode;
    uint64_t origin;
};

static void doubt(struct hs_note *note, const char *what, const char *detail)
{
    snprintf(note->doubt, sizeof note->doubt, "%s%s%s", what, detail[0] == '\0' ? "" : ": ", detail);
}

static bool read_boot_id(char boot[static BOOT_BYTES])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t size = read(fd, boot, BOOT_BYTES);
    close(fd);
    return size == BOOT_BYTES;
}

/* A file of ours alone: somebody else's could say anything. */
static bool is_ours(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() && status.st_nlink == 1;
}

static bool is_tmpfs(int fd)
{
    struct statfs fs;
    return fstatfs(fd, &fs) == 0 && fs.f_type == TMPFS_MAGIC;
}

static int open_file(struct hs_note *note)
{
    int fd = open(note->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        doubt(note, "no continuity note can be kept", strerror(errno));
        return -1;
    }
    if (!is_tmpfs(fd))
        doubt(note, "no continuity note can be kept", "its folder is not on a tmpfs");
    else if (!is_ours(fd))
        doubt(note, "no continuity note can be kept", "the file there is not this user's");
    else if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        doubt(note, "no continuity note can be kept", "another process holds it; is a copy of this store in use?");
    else if (posix_fallocate(fd, 0, NOTE_BYTES) != 0)
        doubt(note, "no continuity note can be kept", "its tmpfs is full");
    else
        return fd;
    close(fd);
    return -1;
}

enum hs_err hs_note_open(const char *dir, uint64_t store_id, int data_fd, struct hs_note **out)
{
    struct hs_note *note = calloc(1, sizeof *note);
    if (note == NULL)
        return HS_ENOMEM;
    note->fd = -1;
    note->store_id = store_id;
    struct stat data;
    int size = snprintf(note->path, sizeof note->path, "%s/hallsync-%016llx.note", dir, (unsigned long long)store_id);
    if (size < 0 || (size_t)size >= sizeof note->path)
        doubt(note, "no continuity note can be kept", "the path of its folder is too long");
    else if (!read_boot_id(note->boot))
        doubt(note, "no continuity note can be kept", "the kernel tells no boot id");
    else if (fstat(data_fd, &data) != 0)
        doubt(note, "no continuity note can be kept", strerror(errno));
    else {
        note->device = (uint64_t)data.st_dev;
        note->inode = (uint64_t)data.st_ino;
        note->fd = open_file(note);
    }
    *out = note;
    return HS_OK;
}

void hs_note_close(struct hs_note *note)
{
    if (note == NULL)
        return;
    if (note->fd >= 0)
        close(note->fd); /* gives up the lock */
    free(note);
}

static void encode(const struct content *content, uint8_t to[static NOTE_BYTES])
{
    memcpy(to, MAGIC, 8);
    hs_be64(to + 8, content->store_id);
    hs_be64(to + 16, content->position.commit);
    hs_be64(to + 24, content->position.tag);
    memcpy(to + 32, content->boot, BOOT_BYTES);
    hs_be64(to + 32 + BOOT_BYTES, content->device);
    hs_be64(to + 40 + BOOT_BYTES, content->inode);
    hs_be64(to + 48 + BOOT_BYTES, content->origin);
    struct hs_hash checksum = hs_hash_of(HS_BYTES(to, BODY_BYTES));
    memcpy(to + BODY_BYTES, checksum.bytes, HS_HASH_BYTES);
}

static bool decode(const uint8_t from[static NOTE_BYTES], struct content *content)
{
    struct hs_hash checksum = hs_hash_of(HS_BYTES(from, BODY_BYTES));
    if (memcmp(from, MAGIC, 8) != 0 || memcmp(from + BODY_BYTES, checksum.bytes, HS_HASH_BYTES) != 0)
        return false;
    content->store_id = hs_from_be64(from + 8);
    content->position.commit = hs_from_be64(from + 16);
    content->position.tag = hs_from_be64(from + 24);
    memcpy(content->boot, from + 32, BOOT_BYTES);
    content->device = hs_from_be64(from + 32 + BOOT_BYTES);
    content->inode = hs_from_be64(from + 40 + BOOT_BYTES);
    content->origin = hs_from_be64(from + 48 + BOOT_BYTES);
    return true;
}

static bool names(const struct content *content, const struct hs_position *position)
{
    return position->commit > 0 && content->position.commit == position->commit &&
           content->position.tag == position->tag;
}

const char *hs_note_doubt(struct hs_note *note, const struct hs_note_claim *claim)
{
    uint8_t raw[NOTE_BYTES];
    struct content content;
    if (note->fd < 0)
        return note->doubt;
    if (pread(note->fd, raw, sizeof raw, 0) != (ssize_t)sizeof raw || !decode(raw, &content))
        doubt(note, "there is no continuity note", "the machine was restarted, or the store is new here");
    else if (content.store_id != note->store_id || memcmp(content.boot, note->boot, BOOT_BYTES) != 0)
        doubt(note, "the continuity note is of another start of the machine", "");
    else if (content.device != note->device || content.inode != note->inode)
        doubt(note, "the continuity note names another file", "this store is a copy or was restored");
    else if (!names(&content, &claim->last) && !names(&content, &claim->before))
        doubt(note, "the continuity note names another commit", "an older copy of the store was put back");
    else if (content.origin != claim->origin)
        doubt(note, "the continuity note names another origin", "");
    else
        return NULL;
    return note->doubt;
}

void hs_note_void(struct hs_note *note)
{
    static const uint8_t NOTHING[NOTE_BYTES];
    if (note->fd >= 0 && pwrite(note->fd, NOTHING, sizeof NOTHING, 0) != (ssize_t)sizeof NOTHING)
        hs_note_drop(note);
}

enum hs_err hs_note_write(struct hs_note *note, const struct hs_position *position, uint64_t origin)
{
    if (note->fd < 0)
        return HS_OK;
    struct content content = {note->store_id, *position, {0}, note->device, note->inode, origin};
    memcpy(content.boot, note->boot, BOOT_BYTES);
    uint8_t raw[NOTE_BYTES];
    encode(&content, raw);
    if (pwrite(note->fd, raw, sizeof raw, 0) == (ssize_t)sizeof raw)
        return HS_OK;
    hs_note_drop(note);
    return HS_EIO;
}

void hs_note_drop(struct hs_note *note)
{
    if (note->fd < 0)
        return;
    /* Emptied as well: the name may be gone already, or a second name exist. */
    if (ftruncate(note->fd, 0) != 0)
        doubt(note, "the continuity note could not be emptied", strerror(errno));
    unlink(note->path);
    close(note->fd);
    note->fd = -1;
    doubt(note, "the continuity note was given up after a failure", "");
}
