#include "node/backup/inside.h"
#include "proto/msg/frame.h"
#include "proto/sealed/recovery.h"
#include "proto/sealed/sealed_file.h"

#include <stdlib.h>
#include <string.h>

#define TELL_ITEMS 4096 /* so often a watcher is told */

void backup_wipe(struct hs_buf *buf)
{
    if (buf->data != NULL)
        sodium_memzero(buf->data, buf->room);
    hs_buf_fini(buf);
}

struct reading {
    const struct backup_pass *pass;
    struct hs_sealed_in *in;
    struct hs_unsealer *unsealer;
    struct backup_tally tally;
    struct hs_backup_found *found;
};

/* ---- items ---- */

static bool is_config(const struct backup_item *item)
{
    return item->type == BACKUP_FILE &&
           hs_bytes_equal(item->key, HS_BYTES(BACKUP_CONFIG_NAME, sizeof BACKUP_CONFIG_NAME - 1));
}

static enum hs_err take_item(struct reading *reading, const struct hs_sealed_item *sealed, struct hs_why *why)
{
    struct backup_item item;
    enum hs_err err = backup_tally_item(&reading->tally, sealed, &item);
    if (err != HS_OK)
        return hs_fail(err, why, "it holds something that is not of a backup: it was made wrongly");
    if (is_config(&item)) {
        hs_buf_reset(&reading->found->config);
        hs_buf_put_bytes(&reading->found->config, item.value);
        err = reading->found->config.err;
    }
    return err == HS_OK && reading->pass->item != NULL ? reading->pass->item(reading->pass->ctx, &item, why) : err;
}

static enum hs_err read_items(struct reading *reading, struct hs_why *why)
{
    const struct backup_pass *pass = reading->pass;
    struct hs_sealed_item item;
    enum hs_err err;
    uint64_t count = 0;
    do {
        err = hs_unsealer_next(reading->unsealer, &item, why);
        if (err == HS_OK && item.type != 0)
            err = take_item(reading, &item, why);
        if (pass->watcher != NULL && pass->watcher->told != NULL && count++ % TELL_ITEMS == 0)
            pass->watcher->told(pass->watcher->ctx, pass->what, hs_sealed_in_done(reading->in),
                                hs_sealed_in_size(reading->in));
        if (err == HS_OK && pass->stop != NULL && atomic_load(pass->stop))
            err = hs_fail(HS_ESTOPPING, why, "the backup was stopped");
    } while (err == HS_OK && item.type != 0);
    return err;
}

/* ---- manifest ---- */

static enum hs_err read_manifest(struct reading *reading, struct hs_why *why)
{
    struct hs_backup_found *found = reading->found;
    ProtobufCMessage *message;
    struct hs_bytes bytes = hs_unsealer_manifest(reading->unsealer);
    if (bytes.size == 0)
        return hs_fail(HS_EDAMAGED, why, "it has no manifest: it was made wrongly");
    bytes = hs_arena_copy(&found->arena, bytes);
    if (bytes.data == NULL)
        return hs_fail(HS_ENOMEM, why, "no memory for its manifest");
    enum hs_err err = hs_msg_unpack(&hallsync__backup_manifest__descriptor, bytes, &found->arena, &message);
    if (err != HS_OK)
        return hs_fail(err == HS_ENOMEM && !found->arena.over ? HS_ENOMEM : HS_EDAMAGED, why,
                       "its manifest cannot be read: it was made wrongly");
    found->manifest = (const Hallsync__BackupManifest *)message;
    if (strcmp(found->manifest->node_id, found->header.sender.node_id) != 0)
        return hs_fail(HS_EDAMAGED, why, "it is signed by %s and speaks of %s", found->header.sender.node_id,
                       found->manifest->node_id);
    if (found->manifest->schema > hs_dump_schema())
        return hs_fail(HS_ESCHEMA, why, "it has format %u, and this program knows up to %u: install hallsync %s",
                       (unsigned)found->manifest->schema, (unsigned)hs_dump_schema(), found->manifest->version);
    return backup_tally_check(&reading->tally, found->manifest, why);
}

static enum hs_err read_through(struct reading *reading, struct hs_why *why)
{
    struct hs_sealed_source source = hs_sealed_in_source(reading->in);
    enum hs_err err = hs_unsealer_open(reading->pass->opening, &source, &reading->unsealer, why);
    if (err != HS_OK)
        return err;
    reading->found->header = *hs_unsealer_header(reading->unsealer);
    reading->found->header.certificate = HS_BYTES_NONE; /* it ends with the unsealer */
    reading->found->bytes = hs_sealed_in_size(reading->in);
    err = read_items(reading, why);
    if (err == HS_OK)
        err = read_manifest(reading, why);
    if (err == HS_OK)
        reading->found->hash = *hs_unsealer_hash(reading->unsealer);
    return err;
}

enum hs_err backup_pass(const char *path, const struct backup_pass *pass, struct hs_backup_found *found,
                        struct hs_why *why)
{
    *found = (struct hs_backup_found){0};
    hs_arena_init(&found->arena, BACKUP_ARENA_BYTES);
    struct reading *reading = calloc(1, sizeof *reading);
    if (reading == NULL)
        return hs_fail(HS_ENOMEM, why, "no memory to read %s", path);
    reading->pass = pass;
    reading->found = found;
    backup_tally_begin(&reading->tally);
    enum hs_err err = hs_sealed_in_open(path, &reading->in, why);
    if (err == HS_OK) {
        err = read_through(reading, why);
        if (err != HS_OK)
            hs_wrap(err, why, "%s", path);
    }
    hs_unsealer_close(reading->unsealer);
    hs_sealed_in_close(reading->in);
    free(reading);
    return err;
}

void hs_backup_found_fini(struct hs_backup_found *found)
{
    hs_arena_fini(&found->arena);
    hs_buf_fini(&found->config);
    *found = (struct hs_backup_found){0};
}

enum hs_err hs_backup_look(const char *path, const uint8_t secret[static HS_SEALED_KEY_BYTES],
                           const struct hs_backup_watcher *watcher, struct hs_backup_found *found, struct hs_why *why)
{
    struct hs_key key;
    *found = (struct hs_backup_found){0};
    enum hs_err err = hs_recovery_public(secret, &key);
    if (err != HS_OK)
        return hs_fail(err, why, "the recovery key is no key");
    struct hs_sealed_opening opening = {.purpose = HS_SEALED_BACKUP, .public_key = &key, .secret = secret};
    struct backup_pass pass = {.opening = &opening, .watcher = watcher, .what = "verifying"};
    err = backup_pass(path, &pass, found, why);
    if (err != HS_OK)
        hs_backup_found_fini(found);
    return err;
}
