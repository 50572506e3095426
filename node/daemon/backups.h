/* backups.h -- the node's backups: a thread of its own makes them when asked to, keeps the newest, and looks from time
 * to time whether they are still there.  Reads the store from one moment, writes it through the writer. */
#ifndef HS_DAEMON_BACKUPS_H
#define HS_DAEMON_BACKUPS_H

#include "node/conf/conf.h"
#include "node/writer/writer.h"
#include "storage/store.h"

struct hs_backups;

struct hs_backups_options {
    const struct hs_conf *conf; /* borrowed, like all of these */
    struct hs_store *store;
    struct hs_writer *writer;
    struct hs_signer signer;
};
enum hs_err hs_backups_new(const struct hs_backups_options *options, struct hs_backups **backups); /* HS_ENOMEM */
enum hs_err hs_backups_start(struct hs_backups *backups);                                          /* its thread */
/* Before the writer is stopped: one under way is given up.  NULL is fine. */
void hs_backups_stop(struct hs_backups *backups);
void hs_backups_free(struct hs_backups *backups);

/* Append a packed BackupReply; begin one if @start.  HS_EINVAL: there are no recipients.  Any thread. */
enum hs_err hs_backups_ask(struct hs_backups *backups, bool start, struct hs_buf *reply, struct hs_why *why);
/* Append StatusReply.backup. */
void hs_backups_status(struct hs_backups *backups, struct hs_buf *partial);

#endif
