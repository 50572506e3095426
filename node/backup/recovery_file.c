/* recovery_file.c -- the secret of a recovery key: one line of hex, as the keys of a node are. */
#include "node/backup/inside.h"
#include "node/link/keys.h"
#include "proto/base/text.h"
#include "proto/sealed/recovery.h"

#include <string.h>

#define LINE_BYTES (2 * HS_SEALED_KEY_BYTES + 1)

enum hs_err hs_recovery_make(const char *path, struct hs_key *key, struct hs_why *why)
{
    uint8_t secret[HS_SEALED_KEY_BYTES];
    char line[LINE_BYTES + 1];
    if (sodium_init() < 0)
        return hs_fail(HS_EIO, why, "libsodium finds no source of randomness");
    randombytes_buf(secret, sizeof secret);
    enum hs_err err = hs_recovery_public(secret, key);
    hs_text_to_hex(HS_BYTES(secret, sizeof secret), line);
    line[LINE_BYTES - 1] = '\n';
    if (err == HS_OK)
        err = hs_file_create(path, HS_BYTES(line, LINE_BYTES), 0600, why);
    if (err == HS_EEXISTS)
        hs_fail(err, why, "%s is there already, and may open backups that were made: name another file", path);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(line, sizeof line);
    return err;
}

enum hs_err hs_recovery_read(const char *path, uint8_t secret[static HS_SEALED_KEY_BYTES], struct hs_why *why)
{
    struct hs_buf content = {0};
    enum hs_err err = hs_file_read_secret(path, LINE_BYTES, &content, why);
    if (err == HS_ETOOBIG ||
        (err == HS_OK && (content.size < LINE_BYTES - 1 || hs_text_from_hex((const char *)content.data, LINE_BYTES - 1,
                                                                            secret, HS_SEALED_KEY_BYTES) != HS_OK)))
        err = hs_fail(HS_EVALUE, why, "%s is not the secret of a recovery key: one line of %d hexadecimal digits", path,
                      LINE_BYTES - 1);
    backup_wipe(&content);
    return err;
}
