#include "node/samples/file.h"

#include "proto/base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC       "hssample"
#define MAGIC_BYTES 8
#define VERSION     1

#define HEAD_BYTES  4096
#define PLACE_BYTES 64
#define SUM_BYTES   8
#define BLOCKS_AT   (HEAD_BYTES + HS_SAMPLES_PEERS_MAX * PLACE_BYTES)

#define SAMPLE_ROWS 360
#define MINUTE_ROWS 1440
#define HOUR_ROWS   720
#define BLOCK_BYTES ((SAMPLE_ROWS + MINUTE_ROWS + HOUR_ROWS) * ROW_BYTES)

const struct tier_size TIERS[TIER_COUNT] = {
    [TIER_SAMPLE] = {HS_SAMPLES_EVERY_MS, SAMPLE_ROWS},
    [TIER_MINUTE] = {60 * 1000, MINUTE_ROWS},
    [TIER_HOUR] = {3600 * 1000, HOUR_ROWS},
};

_Static_assert(HS_SAMPLES_PEERS_MAX % BLOCK_PEERS == 0, "places are whole blocks");
_Static_assert(BLOCKS_AT + (uint64_t)BLOCKS_MAX * BLOCK_BYTES <= HS_SAMPLES_BYTES_MAX, "what is promised of the file");
_Static_assert(HS_NODE_ID_BYTES_MAX + 16 + SUM_BYTES <= PLACE_BYTES, "a place holds an id, two times, a checksum");

/* ---- bytes ---- */

static enum hs_err write_at(int fd, const uint8_t *data, size_t size, uint64_t at)
{
    while (size > 0) {
        ssize_t done = pwrite(fd, data, size, (off_t)at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done == 0 ? HS_EIO : hs_err_from_errno(errno);
        data += done;
        size -= (size_t)done;
        at += (uint64_t)done;
    }
    return HS_OK;
}

/* False: it cannot be read, or the file ends before. */
static bool read_at(int fd, uint8_t *data, size_t size, uint64_t at)
{
    while (size > 0) {
        ssize_t done = pread(fd, data, size, (off_t)at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        data += done;
        size -= (size_t)done;
        at += (uint64_t)done;
    }
    return true;
}

static void sum_of(struct hs_bytes bytes, uint8_t to[static SUM_BYTES])
{
    struct hs_hash hash = hs_hash_of(bytes);
    memcpy(to, hash.bytes, SUM_BYTES);
}

/* ---- the head ---- */

static void make_head(uint8_t head[static HEAD_BYTES])
{
    static const uint32_t LAYOUT[] = {VERSION,     HS_SAMPLES_PEERS_MAX, BLOCK_PEERS, SAMPLE_BYTES,
                                      SAMPLE_ROWS, MINUTE_ROWS,          HOUR_ROWS};
    enum { NUMBERS = sizeof LAYOUT / sizeof *LAYOUT, SUM_AT = MAGIC_BYTES + 4 * NUMBERS };
    memset(head, 0, HEAD_BYTES);
    memcpy(head, MAGIC, MAGIC_BYTES);
    for (size_t i = 0; i < NUMBERS; i++)
        hs_be32(head + MAGIC_BYTES + 4 * i, LAYOUT[i]);
    sum_of(HS_BYTES(head, SUM_AT), head + SUM_AT);
}

static enum file_state look_at(int fd, uint64_t size)
{
    uint8_t wanted[HEAD_BYTES], found[HEAD_BYTES];
    make_head(wanted);
    if (size == 0)
        return FILE_NEW;
    bool is_known = size <= HS_SAMPLES_BYTES_MAX && read_at(fd, found, sizeof found, 0) &&
                    memcmp(found, wanted, sizeof wanted) == 0;
    return is_known ? FILE_KNOWN : FILE_STRANGE;
}

static enum hs_err refusal(int error)
{
    switch (error) {
    case EISDIR:
    case ELOOP:
        return HS_EINVAL;
    case EROFS: /* so a disk is mounted that has failed: not what somebody has set up wrong */
        return HS_EIO;
    default:
        return hs_err_from_errno(error);
    }
}

enum hs_err file_open(const char *path, int *out, enum file_state *state, struct hs_why *why)
{
    struct stat status;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return hs_fail(refusal(errno), why, "cannot open %.200s: %s", path, strerror(errno));
    enum hs_err err = HS_OK;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        err = hs_fail(HS_ELOCKED, why, "%.200s is in use: is another hallsync-admin running?", path);
    else if (fstat(fd, &status) != 0)
        err = hs_fail(hs_err_from_errno(errno), why, "cannot look at %.200s: %s", path, strerror(errno));
    else if (!S_ISREG(status.st_mode))
        err = hs_fail(HS_EINVAL, why, "%.200s is not a file: move it away", path);
    if (err != HS_OK) {
        close(fd);
        return err;
    }
    *state = look_at(fd, (uint64_t)status.st_size);
    *out = fd;
    return HS_OK;
}

enum hs_err file_begin(int fd)
{
    uint8_t head[HEAD_BYTES];
    make_head(head);
    if (ftruncate(fd, 0) != 0)
        return hs_err_from_errno(errno);
    return write_at(fd, head, sizeof head, 0);
}

/* ---- places ---- */

#define ID_ROOM  (PLACE_BYTES - 16 - SUM_BYTES)
#define TIMES_AT ID_ROOM
#define SUM_AT   (PLACE_BYTES - SUM_BYTES)

static bool decode_place(const uint8_t bytes[static PLACE_BYTES], struct place *place)
{
    uint8_t sum[SUM_BYTES];
    *place = (struct place){0};
    sum_of(HS_BYTES(bytes, SUM_AT), sum);
    if (memcmp(sum, bytes + SUM_AT, SUM_BYTES) != 0 || bytes[HS_NODE_ID_BYTES_MAX] != 0)
        return false;
    memcpy(place->node_id, bytes, HS_NODE_ID_BYTES_MAX);
    place->first_ms = hs_from_be64(bytes + TIMES_AT);
    place->last_ms = hs_from_be64(bytes + TIMES_AT + 8);
    return place->node_id[0] != '\0';
}

void file_read_places(int fd, struct place places[static HS_SAMPLES_PEERS_MAX])
{
    uint8_t bytes[PLACE_BYTES];
    for (size_t i = 0; i < HS_SAMPLES_PEERS_MAX; i++) {
        if (!read_at(fd, bytes, sizeof bytes, HEAD_BYTES + i * PLACE_BYTES) || !decode_place(bytes, &places[i]))
            places[i] = (struct place){0};
    }
}

enum hs_err file_write_place(int fd, size_t at, const struct place *place)
{
    uint8_t bytes[PLACE_BYTES] = {0};
    memcpy(bytes, place->node_id, strlen(place->node_id));
    hs_be64(bytes + TIMES_AT, place->first_ms);
    hs_be64(bytes + TIMES_AT + 8, place->last_ms);
    sum_of(HS_BYTES(bytes, SUM_AT), bytes + SUM_AT);
    return write_at(fd, bytes, sizeof bytes, HEAD_BYTES + at * PLACE_BYTES);
}

/* ---- rows ---- */

static uint64_t row_at(size_t block, enum tier tier, uint64_t time_ms)
{
    uint64_t row = time_ms / TIERS[tier].step_ms % TIERS[tier].rows;
    for (enum tier before = TIER_SAMPLE; before < tier; before++)
        row += TIERS[before].rows;
    return BLOCKS_AT + (uint64_t)block * BLOCK_BYTES + row * ROW_BYTES;
}

/* Of the time as well, so that a row is not taken for one of another hour. */
static void sum_row(const struct row *row, uint8_t to[static SUM_BYTES])
{
    uint8_t bytes[ROW_BYTES - SUM_BYTES];
    memcpy(bytes, row->bytes, 8);
    memcpy(bytes + 8, row->bytes + ROW_HEAD_BYTES, BLOCK_PEERS * SAMPLE_BYTES);
    sum_of(HS_BYTES(bytes, sizeof bytes), to);
}

bool file_read_row(int fd, size_t block, enum tier tier, uint64_t time_ms, struct row *row)
{
    uint8_t sum[SUM_BYTES];
    if (!read_at(fd, row->bytes, ROW_BYTES, row_at(block, tier, time_ms)) || hs_from_be64(row->bytes) != time_ms)
        return false;
    sum_row(row, sum);
    return memcmp(sum, row->bytes + 8, SUM_BYTES) == 0;
}

enum hs_err file_write_row(int fd, size_t block, enum tier tier, uint64_t time_ms, struct row *row)
{
    hs_be64(row->bytes, time_ms);
    sum_row(row, row->bytes + 8);
    return write_at(fd, row->bytes, ROW_BYTES, row_at(block, tier, time_ms));
}

uint64_t file_last_ms(int fd, size_t block, uint64_t now_ms)
{
    uint64_t step_ms = TIERS[TIER_SAMPLE].step_ms, last_ms = 0;
    uint8_t head[ROW_HEAD_BYTES];
    struct row row;
    for (uint64_t i = 0; i < TIERS[TIER_SAMPLE].rows; i++) {
        if (!read_at(fd, head, sizeof head, row_at(block, TIER_SAMPLE, i * step_ms)))
            continue;
        uint64_t time_ms = hs_from_be64(head);
        bool is_later = time_ms > last_ms && time_ms <= now_ms && time_ms % step_ms == 0;
        if (is_later && file_read_row(fd, block, TIER_SAMPLE, time_ms, &row))
            last_ms = time_ms;
    }
    return last_ms;
}
