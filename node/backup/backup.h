/* backup.h -- backups of a node: made hot from one moment of its log, sealed to recovery keys, read back; and stores
 * made of them.  PROTOCOL.md, "Backups".
 *
 * A backup is begun where the store is written (the writer's thread, or a store that nobody else has open), and then
 * made on a thread of its own: it only reads. */
#ifndef HS_BACKUP_H
#define HS_BACKUP_H

#include "proto/sealed.pb-c.h"
#include "proto/sealed/sealed.h"
#include "storage/store.h"

#include <stdatomic.h>

#define HS_BACKUP_RECIPIENTS_MAX 8
#define HS_BACKUP_SUFFIX         ".backup"

struct hs_backup_options {
    const char *dir;        /* the data directory: its keys go in */
    const char *path;       /* of the file; "" behind a directory's slash: a name is made */
    struct hs_bytes config; /* hallsync.yaml; none: not in it */
    const struct hs_key *recipients;
    size_t recipient_count;
    struct hs_signer signer; /* with the node's key */
    int utc_offset_minutes;
    const hs_partition *districts; /* the configured scope, as hs_store_options */
    size_t district_count;
    uint64_t growth_max_bytes; /* the log may grow by so much while the snapshot is held; 0: no bound */
    uint64_t now_ms;
};

/* Make the directory that backups go to, if it is not there. */
enum hs_err hs_backup_make_dir(const char *dir, struct hs_why *why);

struct hs_backup;
/* HS_EINVAL: no recipients; HS_EEXISTS: the file is there; HS_EBUSY: the store moves, begin again; what the store or
 * the file system says.  What the options point to is copied, but for the signer's ctx. */
enum hs_err hs_backup_begin(const struct hs_backup_options *options, struct hs_store *store, struct hs_backup **backup,
                            struct hs_why *why);
/* Write it, put it in its place, read it back whole.  HS_EBUSY: given up, for the log grew too much meanwhile;
 * HS_ESTOPPING: hs_backup_stop was called; HS_EDAMAGED: what was read back is not what was written, and the file is
 * removed. */
enum hs_err hs_backup_run(struct hs_backup *backup, struct hs_why *why);
void hs_backup_stop(struct hs_backup *backup); /* any thread: run ends soon */
void hs_backup_end(struct hs_backup *backup);  /* not while it runs; NULL is fine */

/* While it runs, any thread. */
enum hs_backup_phase { HS_BACKUP_WRITING, HS_BACKUP_READING, HS_BACKUP_DONE };
struct hs_backup_progress {
    enum hs_backup_phase phase;
    uint64_t done, total; /* rows written, or bytes read back */
};
void hs_backup_progress(const struct hs_backup *backup, struct hs_backup_progress *progress);

/* Once it has run. */
const char *hs_backup_path(const struct hs_backup *backup);
uint64_t hs_backup_bytes(const struct hs_backup *backup); /* of the file */
const struct hs_hash *hs_backup_hash(const struct hs_backup *backup);
const Hallsync__BackupManifest *hs_backup_manifest(const struct hs_backup *backup);
/* Heads of all streams in it, ascending, for who vouches for them. */
const struct hs_head *hs_backup_heads(const struct hs_backup *backup, size_t *count);

/* ---- looking at one ---- */

struct hs_backup_found {
    struct hs_arena arena; /* of the manifest */
    const Hallsync__BackupManifest *manifest;
    struct hs_sealed_header header;
    struct hs_buf config; /* hallsync.yaml as it was; none: not in it */
    struct hs_hash hash;
    uint64_t bytes;
};
void hs_backup_found_fini(struct hs_backup_found *found); /* a zeroed one is fine */
/* Called now and then with how far it is; NULL: nobody wants to know. */
struct hs_backup_watcher {
    void (*told)(void *ctx, const char *what, uint64_t done, uint64_t total);
    void *ctx;
};
/* Read it whole and hold it against its manifest.  @secret: of a recovery key that it is sealed to.  As hs_unsealer_*;
 * HS_ESCHEMA: made by a newer version. */
enum hs_err hs_backup_look(const char *path, const uint8_t secret[static HS_SEALED_KEY_BYTES],
                           const struct hs_backup_watcher *watcher, struct hs_backup_found *found, struct hs_why *why);

/* ---- restoring ---- */

struct hs_restore_options {
    const char *path, *dir;
    const uint8_t *secret; /* HS_SEALED_KEY_BYTES */
    bool force;            /* what is in @dir is moved to DIR/replaced/TIME */
    uint64_t now_ms;
    size_t map_bytes;
    struct hs_backup_watcher watcher;
};
struct hs_restored {
    struct hs_backup_found found;
    uint64_t store_id;   /* of the new store */
    char replaced[4096]; /* where what was in the directory lies now; "": it was empty */
    uint64_t rows;
    uint64_t payments; /* the records' totals, replayed; equal to the manifest's */
    int64_t sum_fen;
};
void hs_restored_fini(struct hs_restored *restored);
/* The file is verified whole before anything is changed; then keys and log are put in place, and the records are
 * replayed and held against the manifest.  HS_EEXISTS: the directory is not empty; HS_ELOCKED: a node runs there; as
 * hs_backup_look and hs_load_*; HS_EDAMAGED also if what was replayed is not what was backed up. */
enum hs_err hs_restore(const struct hs_restore_options *options, struct hs_restored *restored, struct hs_why *why);

/* ---- recovery keys ---- */

/* A new pair: its secret in a new file, mode 0600.  HS_EEXISTS. */
enum hs_err hs_recovery_make(const char *path, struct hs_key *key, struct hs_why *why);
/* HS_EPERM: others can read it; HS_EVALUE: it is none.  The caller wipes @secret. */
enum hs_err hs_recovery_read(const char *path, uint8_t secret[static HS_SEALED_KEY_BYTES], struct hs_why *why);

#endif
