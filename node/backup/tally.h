/* tally.h -- what goes through a backup, counted and hashed: once while it is written, again while it is read, and the
 * two must agree.  Inside node/backup/ only. */
#ifndef HS_BACKUP_TALLY_H
#define HS_BACKUP_TALLY_H

#include "proto/sealed.pb-c.h"
#include "proto/sealed/sealed.h"
#include "storage/store.h"

#include <sodium.h>

/* Items of a backup.  A row is of the table named last. */
enum { BACKUP_TABLE = 1, BACKUP_ROW = 2, BACKUP_FILE = 3 };

#define BACKUP_TABLES_MAX     32
#define BACKUP_TABLE_NAME_MAX 32
#define BACKUP_FILE_BYTES_MAX (256 * 1024)
#define BACKUP_FILE_NAME_MAX  64
#define BACKUP_CONFIG_NAME    "hallsync.yaml"
extern const char *const BACKUP_FILES[]; /* what of a data directory goes in, if it is there; NULL at the end */

struct backup_tally {
    struct {
        char name[BACKUP_TABLE_NAME_MAX + 1];
        uint64_t rows;
    } tables[BACKUP_TABLES_MAX];
    size_t table_count;
    uint64_t rows, streams;
    struct hs_head head; /* of the stream that the last checkpoints were of; n 0: none */
    crypto_generichash_state items, frontier;
};
void backup_tally_begin(struct backup_tally *tally);

/* An item taken apart. */
struct backup_item {
    uint8_t type;
    const char *table;          /* of a row; the tally's */
    struct hs_bytes key, value; /* of a row; of a file: its name, its content */
};
/* HS_EDAMAGED: not an item of a backup, or not in its place. */
enum hs_err backup_tally_item(struct backup_tally *tally, const struct hs_sealed_item *item, struct backup_item *out);

/* Put what was counted into the manifest; what it points to lives in the arena. */
enum hs_err backup_tally_tell(struct backup_tally *tally, struct hs_arena *arena, Hallsync__BackupManifest *manifest);
/* Is it what the manifest says?  HS_EDAMAGED, with what differs. */
enum hs_err backup_tally_check(struct backup_tally *tally, const Hallsync__BackupManifest *manifest,
                               struct hs_why *why);

#endif
