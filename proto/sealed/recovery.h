/* recovery.h -- recovery keys: X25519 pairs that backups are sealed to.  The public part is a line of text for a
 * configuration file, the secret a file that is kept away from the machine.  Pure. */
#ifndef HS_SEALED_RECOVERY_H
#define HS_SEALED_RECOVERY_H

#include "proto/sealed/sealed.h"

#define HS_RECOVERY_TEXT_BYTES 56 /* "hsr1-" and 48 characters, with its zero; some to spare */

/* The pair of a secret that somebody has drawn (or read again).  HS_EINVAL: no key. */
enum hs_err hs_recovery_public(const uint8_t secret[static HS_SEALED_KEY_BYTES], struct hs_key *key);
const char *hs_recovery_text(const struct hs_key *key, char text[static HS_RECOVERY_TEXT_BYTES]);
/* With its checksum, so that a slip of the hand is told here and not at the restore.  HS_EVALUE. */
enum hs_err hs_recovery_parse(const char *text, struct hs_key *key);

#endif
