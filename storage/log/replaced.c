/* replaced.c -- what is taken out of the log or overwritten there because it has rotted is kept beside it: in
 * DIR/replaced/DAY-rotten.jsonl a line for each row, with its bytes and what it was. */
#include "storage/log/inside.h"

#include "storage/model/record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void put_hex(struct hs_buf *to, const char *name, struct hs_bytes bytes)
{
    hs_buf_put_format(to, ", \"%s\": \"", name);
    for (size_t i = 0; i < bytes.size; i++)
        hs_buf_put_format(to, "%02x", bytes.data[i]);
    hs_buf_put_format(to, "\"");
}

static void put_record(struct hs_buf *to, struct hs_bytes key)
{
    struct hs_record_name name;
    char district[HS_PARTITION_TEXT_BYTES];
    if (hs_record_from_key(key, &name) == HS_OK)
        hs_buf_put_format(to, "record of kind %u, district %s", (unsigned)name.kind,
                          hs_partition_text(name.partition, district));
}

static void put_what(struct hs_buf *to, const char *name, struct hs_bytes key)
{
    hs_table table = log_table_of(name);
    char district[HS_PARTITION_TEXT_BYTES];
    struct hs_stream stream;
    if (table == LOG_TABLE_COUNT || table == LOG_BASE) /* of the records */
        put_record(to, key);
    if ((table != LOG_OP && table != LOG_RECEIPT) || key.size < HS_STREAM_KEY_BYTES + 8)
        return;
    stream = hs_stream_from_key(key.data);
    uint64_t number = hs_from_be64(key.data + HS_STREAM_KEY_BYTES);
    if (table == LOG_RECEIPT)
        hs_buf_put_format(to, "receipt of store %016" PRIx64 " for", number);
    else
        hs_buf_put_format(to, "%s %" PRIu64 " of",
                          key.data[key.size - 1] == ROW_CHECKPOINT ? "checkpoint behind operation" : "operation",
                          number);
    hs_buf_put_format(to, " origin %016" PRIx64 ", district %s, lane %s", stream.origin,
                      hs_partition_text(stream.partition, district),
                      hs_lane_valid(stream.lane) ? hs_lane_text((enum hs_lane)stream.lane) : "?");
}

static void put_line(struct hs_log *log, const char *table, struct hs_bytes key, struct hs_bytes row, struct hs_buf *to)
{
    hs_buf_put_format(to, "{\"time_ms\": %" PRIu64 ", \"table\": \"%s\", \"what\": \"", log->now_ms(log->ctx), table);
    put_what(to, table, key);
    hs_buf_put_format(to, "\"");
    put_hex(to, "key", key);
    put_hex(to, "row", row);
    hs_buf_put_format(to, "}\n");
}

static enum hs_err append(const char *path, struct hs_bytes line)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return hs_err_from_errno(errno);
    ssize_t wrote = write(fd, line.data, line.size);
    enum hs_err err = wrote == (ssize_t)line.size && fsync(fd) == 0 ? HS_OK
                      : wrote >= 0 && wrote < (ssize_t)line.size    ? HS_EFULL
                                                                    : hs_err_from_errno(errno);
    close(fd);
    return err;
}

static enum hs_err keep(struct hs_log *log, struct hs_bytes line)
{
    char dir[LOG_PATH_BYTES], path[LOG_PATH_BYTES + 32], day[16];
    time_t now = (time_t)(log->now_ms(log->ctx) / 1000);
    struct tm utc;
    const char *slash = strrchr(log->path, '/');
    int size = snprintf(dir, sizeof dir, "%.*s/replaced", slash == NULL ? 1 : (int)(slash - log->path),
                        slash == NULL ? "." : log->path);
    if (size < 0 || (size_t)size >= sizeof dir || gmtime_r(&now, &utc) == NULL)
        return HS_EINVAL;
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return hs_err_from_errno(errno);
    strftime(day, sizeof day, "%Y%m%d", &utc);
    snprintf(path, sizeof path, "%s/%s-rotten.jsonl", dir, day);
    enum hs_err err = append(path, line);
    return err == HS_OK ? log_sync_names(dir, NULL) : err;
}

enum hs_err hs_log_keep(struct hs_log *log, const char *table, struct hs_bytes key, struct hs_bytes row)
{
    struct hs_buf line = {0};
    put_line(log, table, key, row, &line);
    enum hs_err err = line.err == HS_OK ? keep(log, hs_buf_bytes(&line)) : line.err;
    hs_buf_fini(&line);
    return err;
}

void log_keep_row(struct hs_log *log, hs_table table, struct hs_bytes key)
{
    struct hs_bytes row;
    enum hs_err err = hs_txn_get(&log->txn, table, key, &row);
    if (err == HS_OK)
        err = hs_log_keep(log, log_table_name(table), key, row);
    if (err != HS_OK && err != HS_ENOTFOUND)
        log_fail(log, err);
}
