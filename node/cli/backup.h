/* backup.h -- what backup and restore share. */
#ifndef HS_CLI_BACKUP_H
#define HS_CLI_BACKUP_H

#include "node/backup/backup.h"
#include "node/cli/cli.h"

/* The recovery key that --secret names; the caller wipes it. */
enum hs_err cli_backup_secret(struct cli *cli, uint8_t secret[static HS_SEALED_KEY_BYTES]);
json_t *cli_backup_json(const struct hs_backup_found *found); /* its manifest; owned, NULL: no memory */
void cli_backup_print(const struct hs_backup_found *found);
void cli_backup_told(void *progress, const char *what, uint64_t done, uint64_t total); /* a hs_backup_watcher's */

#endif
