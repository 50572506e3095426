#include "node/cli/export.h"
#include "node/cli/feed.h"
#include "node/cli/record_csv.h"
#include "node/link/keys.h"
#include "proto/msg/tlv.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART     ".part"
#define DIR_MODE 0750

static enum hs_err failed(const struct cli_run *run, const char *path)
{
    int error = errno;
    return cli_bad(&run->cli->bad, hs_err_from_errno(error), NULL, "%s: %s", path, strerror(error));
}

/* ---- what lies in the directory ---- */

/* "000017" or "000017.part"; 0: something else. */
static uint64_t number_of(const char *name, bool *is_part)
{
    size_t digits = strspn(name, "0123456789");
    *is_part = strcmp(name + digits, PART) == 0;
    if (digits < 6 || digits > 15 || (name[digits] != '\0' && !*is_part))
        return 0;
    return strtoull(name, NULL, 10);
}

static enum hs_err remove_part(const struct cli_run *run, const char *path)
{
    DIR *dir = opendir(path);
    enum hs_err err = HS_OK;
    if (dir == NULL)
        return failed(run, path);
    for (const struct dirent *entry = readdir(dir); entry != NULL && err == HS_OK; entry = readdir(dir)) {
        bool is_itself = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        if (!is_itself && unlinkat(dirfd(dir), entry->d_name, 0) != 0)
            err = failed(run, path);
    }
    closedir(dir);
    return err == HS_OK && rmdir(path) != 0 ? failed(run, path) : err;
}

static enum hs_err look_through(const struct cli_run *run, uint64_t *last)
{
    DIR *dir = opendir(run->dir);
    enum hs_err err = HS_OK;
    if (dir == NULL)
        return failed(run, run->dir);
    for (const struct dirent *entry = readdir(dir); entry != NULL && err == HS_OK; entry = readdir(dir)) {
        char path[CLI_PATH_BYTES];
        bool is_part = false;
        uint64_t number = number_of(entry->d_name, &is_part);
        if (number > *last)
            *last = number;
        if (number != 0 && is_part && snprintf(path, sizeof path, "%s/%s", run->dir, entry->d_name) < CLI_PATH_BYTES)
            err = remove_part(run, path);
    }
    closedir(dir);
    return err;
}

enum hs_err cli_run_open(struct cli_run *run, struct cli *cli, const char *dir, uint64_t *last)
{
    *run = (struct cli_run){.cli = cli, .dir = dir, .lock = -1};
    *last = 0;
    run->files = calloc(HS_KIND_COUNT + 1, sizeof *run->files);
    if (run->files == NULL)
        return HS_ENOMEM;
    if (strlen(dir) + CLI_RUN_BYTES + sizeof PART > CLI_PATH_BYTES)
        return cli_usage(cli, "--out: the path %.64s... is too long", dir);
    run->lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (run->lock < 0)
        return cli_usage(cli, "--out: %s: %s", dir, strerror(errno));
    if (flock(run->lock, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? cli_bad(&cli->bad, HS_ELOCKED, NULL, "%s: another export writes there", dir)
                                    : failed(run, dir);
    return look_through(run, last);
}

/* ---- files ---- */

enum hs_err cli_run_begin(struct cli_run *run, uint64_t number)
{
    snprintf(run->part, sizeof run->part, "%.4000s/%06" PRIu64 PART, run->dir, number);
    snprintf(run->path, sizeof run->path, "%.4000s/%06" PRIu64, run->dir, number);
    if (mkdir(run->part, DIR_MODE) != 0)
        return failed(run, run->part);
    run->number = number;
    return HS_OK;
}

static enum hs_err write_line(struct cli_run *run, const struct cli_run_file *file)
{
    hs_buf_put_u8(&run->line, '\n');
    if (run->line.err == HS_OK && fwrite(run->line.data, 1, run->line.size, file->file) != run->line.size)
        return failed(run, file->name);
    return run->line.err;
}

static enum hs_err open_file(struct cli_run *run, struct cli_run_file *file, const struct hs_kind *kind)
{
    char path[CLI_PATH_BYTES + sizeof file->name];
    file->kind = kind;
    snprintf(file->name, sizeof file->name, "%s.%s", kind != NULL ? kind->name : "other",
             run->cli->json ? "jsonl" : "csv");
    snprintf(path, sizeof path, "%s/%s", run->part, file->name);
    file->file = fopen(path, "wxe");
    if (file->file == NULL)
        return failed(run, path);
    if (run->cli->json)
        return HS_OK;
    hs_buf_reset(&run->line);
    cli_csv_change_header(&run->line, kind);
    return write_line(run, file);
}

/* So that who takes the files over can see that he has all of them. */
static void add_amount(struct cli_run_file *file, const Hallsync__Record *record)
{
    const ProtobufCFieldDescriptor *field = file->kind != NULL ? protobuf_c_message_descriptor_get_field_by_name(
                                                                     file->kind->message, "amount_fen")
                                                               : NULL;
    struct hs_tlv tlv;
    if (field == NULL || !hs_tlv_find(HS_BYTES(record->record.data, record->record.len), field->id, &tlv))
        return;
    bool zigzag = field->type == PROTOBUF_C_TYPE_SINT64;
    file->sum_fen += zigzag ? (int64_t)(tlv.value >> 1) ^ -(int64_t)(tlv.value & 1) : (int64_t)tlv.value;
}

static enum hs_err put_json(struct cli_run *run, const Hallsync__Record *record)
{
    json_t *object = cli_feed_line(run->cli, record);
    char *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
    if (text != NULL)
        hs_buf_put(&run->line, text, strlen(text));
    free(text);
    json_decref(object);
    return text != NULL ? run->line.err : HS_ENOMEM;
}

enum hs_err cli_run_add(struct cli_run *run, const Hallsync__Record *record)
{
    const struct hs_kind *kind = hs_kind_by_number(record->kind);
    struct cli_run_file *file = &run->files[kind != NULL ? (size_t)(kind - HS_KINDS) : HS_KIND_COUNT];
    enum hs_err err = file->file == NULL ? open_file(run, file, kind) : HS_OK;
    hs_buf_reset(&run->line);
    if (err == HS_OK)
        err = run->cli->json ? put_json(run, record)
                             : cli_csv_change(&run->line, kind, record, run->cli->utc_offset_minutes);
    if (err == HS_OK)
        err = write_line(run, file);
    if (err == HS_OK) {
        add_amount(file, record);
        file->rows++;
        run->rows++;
    }
    return err;
}

/* ---- its end ---- */

static enum hs_err close_file(struct cli_run *run, struct cli_run_file *file, bool keep)
{
    bool bad = keep && (fflush(file->file) != 0 || fsync(fileno(file->file)) != 0);
    int error = errno;
    bad = fclose(file->file) != 0 || bad;
    file->file = NULL;
    errno = bad ? error : 0;
    return bad && keep ? failed(run, file->name) : HS_OK;
}

static json_t *list_files(const struct cli_run *run)
{
    json_t *list = json_array();
    for (size_t i = 0; i <= HS_KIND_COUNT; i++) {
        const struct cli_run_file *file = &run->files[i];
        if (file->rows > 0)
            json_array_append_new(list, json_pack("{ss ss sI sI}", "name", file->name, "kind",
                                                  file->kind != NULL ? file->kind->name : "other", "rows",
                                                  (json_int_t)file->rows, "sum_fen", (json_int_t)file->sum_fen));
    }
    return list;
}

static enum hs_err write_manifest(const struct cli_run *run, json_t *manifest)
{
    char path[CLI_PATH_BYTES + 32];
    struct hs_why why = {""};
    bool listed = json_object_set_new(manifest, "files", list_files(run)) == 0;
    char *text = listed ? json_dumps(manifest, JSON_INDENT(1)) : NULL;
    snprintf(path, sizeof path, "%s/manifest.json", run->part);
    enum hs_err err = text != NULL ? hs_file_write(path, HS_BYTES(text, strlen(text)), 0640, &why) : HS_ENOMEM;
    free(text);
    return err == HS_OK || err == HS_ENOMEM ? err : cli_fail(run->cli, err, &why);
}

enum hs_err cli_run_publish(struct cli_run *run, json_t *manifest)
{
    struct hs_why why = {""};
    enum hs_err err = HS_OK;
    for (size_t i = 0; i <= HS_KIND_COUNT; i++) {
        enum hs_err closed = run->files[i].file != NULL ? close_file(run, &run->files[i], true) : HS_OK;
        err = err != HS_OK ? err : closed;
    }
    if (err == HS_OK)
        err = write_manifest(run, manifest); /* and with it the names of the others */
    json_decref(manifest);
    if (err == HS_OK && rename(run->part, run->path) != 0)
        err = failed(run, run->path);
    if (err != HS_OK)
        return err;
    run->number = 0; /* nothing is left to be removed */
    err = hs_file_sync_name(run->path, &why);
    return err == HS_OK ? HS_OK : cli_fail(run->cli, err, &why);
}

void cli_run_close(struct cli_run *run)
{
    struct cli_bad bad = run->cli->bad; /* of what went wrong before */
    for (size_t i = 0; run->files != NULL && i <= HS_KIND_COUNT; i++) {
        if (run->files[i].file != NULL)
            close_file(run, &run->files[i], false);
    }
    if (run->number != 0)
        remove_part(run, run->part); /* else the next run does it */
    run->cli->bad = bad;
    if (run->lock >= 0)
        close(run->lock);
    hs_buf_fini(&run->line);
    free(run->files);
}
