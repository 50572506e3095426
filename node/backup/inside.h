/* inside.h -- what the files of this room share. */
#ifndef HS_BACKUP_INSIDE_H
#define HS_BACKUP_INSIDE_H

#include "node/backup/backup.h"
#include "node/backup/tally.h"

#define BACKUP_ARENA_BYTES (4 * 1024 * 1024)
#define BACKUP_DIGESTS_MAX 8192
#define BACKUP_OWN_MAX     1024

/* One reading of a backup, from its beginning to its end. */
struct backup_pass {
    const struct hs_sealed_opening *opening;
    const struct hs_backup_watcher *watcher; /* NULL: none */
    const char *what;                        /* for the watcher */
    const atomic_bool *stop;                 /* NULL: never */
    /* Each item, in its order; NULL: only counted.  Nothing of it may count before the pass has ended well. */
    enum hs_err (*item)(void *ctx, const struct backup_item *item, struct hs_why *why);
    void *ctx;
};
enum hs_err backup_pass(const char *path, const struct backup_pass *pass, struct hs_backup_found *found,
                        struct hs_why *why);

void backup_wipe(struct hs_buf *buf); /* and fini */

#endif
