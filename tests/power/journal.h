/* journal.h -- one file of everything that several processes did to the files below one directory, and of what clients
 * were told, in one order.  Mapped and shared; made in a tmpfs, because it is itself never to be lost.
 *
 * A process writes an entry with the journal locked.  One that is killed with the lock leaves no half entry: the end is
 * moved last. */
#ifndef HS_TESTS_POWER_JOURNAL_H
#define HS_TESTS_POWER_JOURNAL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum journal_sort {
    JOURNAL_ROOT = 1,   /* the directory itself: file */
    JOURNAL_MKDIR,      /* path, file */
    JOURNAL_CREATE,     /* path, file: a new, empty file */
    JOURNAL_BASE,       /* path, file, data: what is in it, seen by a process that begins to write to it */
    JOURNAL_WRITE,      /* file, at, data */
    JOURNAL_SIZE,       /* file, at: cut or extended to this size */
    JOURNAL_SYNC_BEGIN, /* file (or directory) */
    JOURNAL_SYNC_END,   /* file: what was written before the last begin is on disk */
    JOURNAL_RANGE_END,  /* file, at, size: this write, by a synchronous descriptor, is on disk */
    JOURNAL_RENAME,     /* path NUL path */
    JOURNAL_LINK,       /* path NUL path */
    JOURNAL_UNLINK,     /* path */
    JOURNAL_RMDIR,      /* path */
    JOURNAL_MARK,       /* data: what a client did or was told (mark.h), or a text of the test's */
};

/* The path and the data follow; each entry begins at a multiple of eight.  Paths are relative to the directory. */
struct journal_entry {
    uint32_t sort;
    uint32_t path_bytes;
    uint64_t file; /* inode */
    uint64_t at;
    uint64_t size;       /* of the data */
    uint64_t data_bytes; /* that follow: 0 if they are all zeros */
};

struct journal;

/* NULL, and errno. @room: the most it can hold; only what is written takes memory. */
struct journal *journal_make(const char *path, size_t room);
struct journal *journal_open(const char *path);
void journal_close(struct journal *journal);

void journal_lock(struct journal *journal);
void journal_unlock(struct journal *journal);
/* With the lock held.  @data may be NULL.  The process ends if there is no room: half a recording proves nothing. */
void journal_put(struct journal *journal, const struct journal_entry *entry, const char *path, const struct iovec *data,
                 size_t data_count);

/* The entry behind @last, the first for NULL; NULL at the end. */
const struct journal_entry *journal_next(const struct journal *journal, const struct journal_entry *last);
const char *journal_path(const struct journal_entry *entry);
const uint8_t *journal_data(const struct journal_entry *entry); /* NULL: zeros */

#endif
