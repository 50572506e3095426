/* disk.h -- a disk with a volatile cache, rebuilt from a journal step by step: what is certainly on it, and what may
 * be.
 *
 * The rules are the weakest that POSIX allows, without mercy for what file systems do beyond them:
 *   - a write is on disk once a later fsync or fdatasync of the file has ended, or its synchronous descriptor says so;
 *   - until then any block of 4096 bytes may hold any of the versions that it had since, and the file any size;
 *   - one single write may have reached the disk in part: the first so many sectors of 512 bytes;
 *   - a new, renamed or removed name is on disk once its directory was synced, and until then it may be or not,
 * whatever else is; syncing the file does not help;
 *   - a sector that was written is whole, and nothing else changes under it. */
#ifndef HS_TESTS_POWER_DISK_H
#define HS_TESTS_POWER_DISK_H

#include "tests/power/journal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct disk;

struct disk *disk_new(void);
void disk_free(struct disk *disk);

/* Take one entry of the journal in.  The data of entries must stay where they are. */
void disk_step(struct disk *disk, const struct journal_entry *entry);

/* Changes that a power cut may or may not undo: below this folder of the root (its first name).
 */
size_t disk_pending(const struct disk *disk, const char *folder);
/* Of which folder of the root the file is; NULL: none, or it is gone. */
const char *disk_folder(const struct disk *disk, uint64_t file);

/* What the power cut leaves. */
enum disk_cut {
    DISK_NONE,    /* nothing that is not certain */
    DISK_ALL,     /* everything: the machine had time, or only the process died */
    DISK_SUBSET,  /* any of the pending writes and names, the kept ones in order */
    DISK_TORN,    /* all up to one pending write, and of that the first sectors */
    DISK_REORDER, /* each block some version of its own */
    DISK_CUTS,
};
const char *disk_cut_name(enum disk_cut cut);

/* Write what is left of a folder into the directory @to, which is made.  @seed chooses where there is a choice.  Files
 * get mode 0600, directories 0700.  Returns false if the folder itself is not there. */
bool disk_image(const struct disk *disk, const char *folder, enum disk_cut cut, uint64_t seed, const char *to);
/* Is the file's content, as every process saw it, that of @path?  Says what differs. */
bool disk_same(const struct disk *disk, const char *name, const char *path);

/* splitmix64 */
uint64_t disk_random(uint64_t *state);

#endif
