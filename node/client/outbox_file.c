#include "node/client/outbox_file.h"

#include "proto/base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC          "hallsync outbox 1\n"
#define MARK           "hsob"
#define MARK_BYTES     4
#define HEADER_BYTES   64
#define HEADER_ID      32 /* where the id stands; its check is behind it */
#define CHECK_BYTES    16
#define ROW_HEAD_BYTES (MARK_BYTES + 1 + 4)
#define POSITION_BYTES 24
#define REQUEST_HEAD   (8 + 8 + HS_BOX_ID_BYTES)
#define ROW_BYTES(n)   ((size_t)ROW_HEAD_BYTES + (n) + CHECK_BYTES)
#define ROW_BYTES_MAX  ROW_BYTES(REQUEST_HEAD + HS_REQUEST_BYTES_MAX)
#define ANEW_BYTES     (256 * 1024)     /* rows that are of no more use, before the file is made anew */
#define NUMBERS_MAX    (UINT64_MAX / 2) /* likewise: numbers begin at 1 again then, so there is always a next one */

enum { ROW_REQUEST = 1, ROW_ANSWERED = 2, ROW_DONE = 3, ROW_TOLD = 4 };

/* ---- bytes ---- */

static void put64(uint8_t *to, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        to[i] = (uint8_t)(value >> (56 - 8 * i));
}

static uint64_t get64(const uint8_t *from)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | from[i];
    return value;
}

static void check_of(const struct hs_box *box, const uint8_t *bytes, size_t size, uint8_t check[static CHECK_BYTES])
{
    crypto_generichash(check, CHECK_BYTES, bytes, size, box->id, sizeof box->id);
}

static int write_at(int fd, const uint8_t *bytes, size_t size, uint64_t at)
{
    size_t done = 0;
    while (done < size) {
        ssize_t wrote = pwrite(fd, bytes + done, size - done, (off_t)(at + done));
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0) {
            errno = wrote == 0 ? EIO : errno;
            return -1;
        }
        done += (size_t)wrote;
    }
    return 0;
}

static int read_whole(int fd, uint8_t **bytes, size_t *size)
{
    struct stat stat;
    if (fstat(fd, &stat) != 0)
        return -1;
    size_t room = (size_t)stat.st_size;
    uint8_t *data = malloc(room + 1);
    size_t done = 0;
    while (data != NULL && done < room) {
        ssize_t got = pread(fd, data + done, room - done, (off_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            free(data);
            return -1;
        }
        if (got == 0)
            break;
        done += (size_t)got;
    }
    *bytes = data;
    *size = done;
    return data != NULL ? 0 : -1;
}

/* ---- entries ---- */

/* @draft: its request is copied. */
static int add_entry(struct hs_box *box, const struct hs_box_entry *draft)
{
    if (box->count == box->room) {
        size_t room = box->room == 0 ? 64 : 2 * box->room;
        struct hs_box_entry *entries = realloc(box->entries, room * sizeof *entries);
        if (entries == NULL)
            return -1;
        box->entries = entries;
        box->room = room;
    }
    uint8_t *copy = malloc(draft->size + 1);
    if (copy == NULL)
        return -1;
    if (draft->size > 0)
        memcpy(copy, draft->request, draft->size);
    box->entries[box->count] = *draft;
    box->entries[box->count++].request = copy;
    box->bytes += draft->size;
    box->next_number = draft->number + 1;
    return 0;
}

static void remove_entry(struct hs_box *box, size_t at)
{
    box->bytes -= box->entries[at].size;
    free(box->entries[at].request);
    free(box->entries[at].refused);
    memmove(box->entries + at, box->entries + at + 1, (box->count - at - 1) * sizeof *box->entries);
    box->count--;
}

static struct hs_box_entry *find_entry(struct hs_box *box, uint64_t number)
{
    size_t low = 0, high = box->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (box->entries[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < box->count && box->entries[low].number == number ? &box->entries[low] : NULL;
}

/* ---- rows ---- */

/* The row is put together in @row, which has room for it. */
static size_t make_row(const struct hs_box *box, uint8_t type, const uint8_t *head, size_t head_size,
                       const uint8_t *rest, size_t rest_size, uint8_t *row)
{
    size_t size = head_size + rest_size;
    memcpy(row, MARK, MARK_BYTES);
    row[MARK_BYTES] = type;
    for (int i = 0; i < 4; i++)
        row[MARK_BYTES + 1 + i] = (uint8_t)(size >> (24 - 8 * i));
    memcpy(row + ROW_HEAD_BYTES, head, head_size);
    if (rest_size > 0)
        memcpy(row + ROW_HEAD_BYTES + head_size, rest, rest_size);
    check_of(box, row, ROW_HEAD_BYTES + size, row + ROW_HEAD_BYTES + size);
    return ROW_BYTES(size);
}

static int append(struct hs_box *box, const uint8_t *row, size_t size)
{
    if (write_at(box->fd, row, size, box->size) != 0)
        return -1;
    box->size += size;
    return 0;
}

static int append_small(struct hs_box *box, uint8_t type, const uint8_t *body, size_t size)
{
    uint8_t row[ROW_BYTES(8 + POSITION_BYTES)];
    return append(box, row, make_row(box, type, body, size, NULL, 0, row));
}

static int append_request(struct hs_box *box, const struct hs_box_entry *entry)
{
    uint8_t head[REQUEST_HEAD];
    uint8_t *row = malloc(ROW_BYTES(sizeof head + entry->size));
    if (row == NULL)
        return -1;
    put64(head, entry->number);
    put64(head + 8, entry->time_ms);
    memcpy(head + 16, entry->id, sizeof entry->id);
    int result = append(box, row, make_row(box, ROW_REQUEST, head, sizeof head, entry->request, entry->size, row));
    free(row);
    return result;
}

static void put_position(uint8_t *to, const struct hs_box_position *told)
{
    put64(to, told->commit);
    put64(to + 8, told->tag);
    put64(to + 16, told->store);
}

static int append_answered(struct hs_box *box, uint64_t number, const struct hs_box_position *told)
{
    uint8_t body[8 + POSITION_BYTES];
    put64(body, number);
    put_position(body + 8, told);
    return append_small(box, ROW_ANSWERED, body, sizeof body);
}

/* ---- reading ---- */

/* The row that begins at @at: its size with all; 0: there is none. */
static size_t row_at(const struct hs_box *box, const uint8_t *bytes, size_t size, size_t at, size_t *body_size)
{
    uint8_t check[CHECK_BYTES];
    const uint8_t *row = bytes + at;
    if (size - at < ROW_BYTES(0) || memcmp(row, MARK, MARK_BYTES) != 0)
        return 0;
    *body_size = (size_t)row[5] << 24 | (size_t)row[6] << 16 | (size_t)row[7] << 8 | row[8];
    size_t whole = ROW_BYTES(*body_size);
    if (whole > ROW_BYTES_MAX || whole > size - at)
        return 0;
    check_of(box, row, ROW_HEAD_BYTES + *body_size, check);
    return memcmp(check, row + ROW_HEAD_BYTES + *body_size, CHECK_BYTES) == 0 ? whole : 0;
}

static void take_position(struct hs_box *box, const uint8_t *body)
{
    if (get64(body) == 0)
        return;
    box->told = (struct hs_box_position){.commit = get64(body), .tag = get64(body + 8), .store = get64(body + 16)};
}

static int take_request(struct hs_box *box, const uint8_t *body, size_t size)
{
    struct hs_box_entry entry = {.number = get64(body), .time_ms = get64(body + 8), .size = size - REQUEST_HEAD};
    if (entry.number < box->next_number || entry.number == UINT64_MAX)
        return 0;
    memcpy(entry.id, body + 16, sizeof entry.id);
    entry.request = (uint8_t *)(uintptr_t)(body + REQUEST_HEAD); /* only read */
    return add_entry(box, &entry);
}

static int take_row(struct hs_box *box, uint8_t type, const uint8_t *body, size_t size)
{
    struct hs_box_entry *entry = size >= 8 ? find_entry(box, get64(body)) : NULL;
    if (type == ROW_REQUEST && size >= REQUEST_HEAD)
        return take_request(box, body, size);
    if (type == ROW_ANSWERED && size == 8 + POSITION_BYTES) {
        take_position(box, body + 8);
        if (entry != NULL)
            entry->answered = true;
    } else if (type == ROW_DONE && size == 8 && entry != NULL) {
        remove_entry(box, (size_t)(entry - box->entries));
    } else if (type == ROW_TOLD && size == POSITION_BYTES) {
        take_position(box, body);
    }
    return 0; /* a type that a later version writes says nothing here */
}

static int take_rows(struct hs_box *box, const uint8_t *bytes, size_t size)
{
    size_t at = HEADER_BYTES;
    box->size = HEADER_BYTES;
    while (at < size) {
        size_t body_size;
        size_t whole = row_at(box, bytes, size, at, &body_size);
        if (whole == 0) {
            at++;
            continue;
        }
        box->passed_over += at - box->size; /* before a row that can be read: not a torn end */
        if (take_row(box, bytes[at + MARK_BYTES], bytes + at + ROW_HEAD_BYTES, body_size) != 0)
            return -1;
        at += whole;
        box->size = at;
    }
    return 0;
}

/* ---- the file ---- */

static void make_header(struct hs_box *box, uint8_t header[static HEADER_BYTES])
{
    randombytes_buf(box->id, sizeof box->id);
    memset(header, 0, HEADER_BYTES);
    memcpy(header, MAGIC, sizeof MAGIC - 1);
    memcpy(header + HEADER_ID, box->id, sizeof box->id);
    check_of(box, header, HEADER_ID + HS_BOX_ID_BYTES, header + HEADER_ID + HS_BOX_ID_BYTES);
}

static int take_header(struct hs_box *box, const uint8_t *bytes, size_t size)
{
    uint8_t check[CHECK_BYTES];
    errno = EPROTO;
    if (size < HEADER_BYTES || memcmp(bytes, MAGIC, sizeof MAGIC - 1) != 0)
        return -1;
    memcpy(box->id, bytes + HEADER_ID, sizeof box->id);
    check_of(box, bytes, HEADER_ID + HS_BOX_ID_BYTES, check);
    return memcmp(check, bytes + HEADER_ID + HS_BOX_ID_BYTES, CHECK_BYTES) == 0 ? 0 : -1;
}

static int sync_dir(const char *path)
{
    char *dir = strdup(path);
    if (dir == NULL)
        return -1;
    char *slash = strrchr(dir, '/');
    if (slash != NULL)
        slash[slash == dir ? 1 : 0] = '\0';
    int fd = open(slash != NULL ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = fd >= 0 ? fsync(fd) : -1;
    if (fd >= 0)
        close(fd);
    free(dir);
    return result;
}

static int begin_file(struct hs_box *box)
{
    uint8_t header[HEADER_BYTES];
    make_header(box, header);
    box->size = HEADER_BYTES;
    if (ftruncate(box->fd, 0) != 0 || write_at(box->fd, header, sizeof header, 0) != 0)
        return -1;
    return fsync(box->fd) == 0 ? sync_dir(box->path) : -1;
}

/* What was never synced as a whole holds no request, for those are synced behind the header. */
static bool is_begun(const uint8_t *bytes, size_t size)
{
    size_t zeros = 0;
    while (zeros < size && bytes[zeros] == 0)
        zeros++;
    return zeros < size &&
           (size >= HEADER_BYTES || memcmp(bytes, MAGIC, size < sizeof MAGIC - 1 ? size : sizeof MAGIC - 1) != 0);
}

static int load(struct hs_box *box)
{
    uint8_t *bytes;
    size_t size;
    if (read_whole(box->fd, &bytes, &size) != 0)
        return -1;
    bool begun = is_begun(bytes, size);
    int result = begun ? take_header(box, bytes, size) : begin_file(box);
    if (result == 0 && begun)
        result = take_rows(box, bytes, size);
    if (result == 0 && begun && box->size < size)
        result = ftruncate(box->fd, (off_t)box->size);
    free(bytes);
    return result;
}

/* Who waited for the lock of a file that its holder has replaced meanwhile holds the lock of nothing. */
static bool is_still(int fd, const char *path)
{
    struct stat held, named;
    return fstat(fd, &held) == 0 && stat(path, &named) == 0 && held.st_dev == named.st_dev &&
           held.st_ino == named.st_ino;
}

static int open_locked(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && is_still(fd, path))
        return fd;
    int error = errno;
    close(fd);
    errno = error == 0 ? EWOULDBLOCK : error;
    return -1;
}

/* ---- made anew, without what is done ---- */

static int write_anew(struct hs_box *box)
{
    static const struct hs_box_position none;
    uint8_t position[POSITION_BYTES];
    int result = begin_file(box);
    put_position(position, &box->told);
    if (result == 0)
        result = append_small(box, ROW_TOLD, position, sizeof position);
    for (size_t i = 0; i < box->count && result == 0; i++) {
        struct hs_box_entry entry = box->entries[i];
        entry.number = i + 1;
        result = append_request(box, &entry);
        if (result == 0 && entry.answered)
            result = append_answered(box, entry.number, &none);
    }
    return result == 0 ? fsync(box->fd) : -1;
}

static void number_anew(struct hs_box *box)
{
    for (size_t i = 0; i < box->count; i++)
        box->entries[i].number = i + 1;
    box->next_number = box->count + 1;
}

/* The old file stays as it is until the new one is whole; its lock is held as well until then. */
static int make_anew(struct hs_box *box)
{
    struct hs_box anew = *box;
    size_t size = strlen(box->path) + sizeof ".new";
    char *path = malloc(size);
    if (path == NULL)
        return -1;
    snprintf(path, size, "%s.new", box->path);
    anew.fd = open_locked(path);
    int result = anew.fd >= 0 ? write_anew(&anew) : -1;
    if (result == 0)
        result = rename(path, box->path);
    if (result == 0) {
        close(box->fd);
        *box = anew;
        number_anew(box);
        result = sync_dir(box->path);
    } else if (anew.fd >= 0) {
        unlink(path);
        close(anew.fd);
    }
    free(path);
    return result;
}

/* At most what the file would have if it were made anew. */
static uint64_t useful(const struct hs_box *box)
{
    return HEADER_BYTES + ROW_BYTES(POSITION_BYTES) + box->bytes +
           box->count * (ROW_BYTES(REQUEST_HEAD) + ROW_BYTES(8 + POSITION_BYTES));
}

static int tidy(struct hs_box *box)
{
    return box->size > HEADER_BYTES + ANEW_BYTES && box->size / 2 > useful(box) ? make_anew(box) : 0;
}

/* ---- open, close ---- */

int hs_box_open(struct hs_box *box, const char *path)
{
    *box = (struct hs_box){.fd = -1, .next_number = 1};
    errno = 0;
    box->path = strdup(path);
    box->fd = box->path != NULL ? open_locked(path) : -1;
    if (box->fd >= 0 && load(box) == 0 && (box->next_number <= NUMBERS_MAX || make_anew(box) == 0))
        return 0;
    int error = errno;
    hs_box_close(box);
    errno = error;
    return -1;
}

void hs_box_close(struct hs_box *box)
{
    while (box->count > 0)
        remove_entry(box, box->count - 1);
    free(box->entries);
    free(box->path);
    if (box->fd >= 0)
        close(box->fd);
    *box = (struct hs_box){.fd = -1};
}

/* ---- changes ---- */

/* What was being written when it failed is no row; the next one goes in its place. */
static int take_back(struct hs_box *box, uint64_t size)
{
    int error = errno;
    remove_entry(box, box->count - 1);
    box->size = size;
    if (ftruncate(box->fd, (off_t)size) != 0)
        box->passed_over += 1;
    errno = error;
    return -1;
}

int hs_box_add(struct hs_box *box, uint64_t time_ms, const uint8_t id[HS_BOX_ID_BYTES], const uint8_t *request,
               size_t size)
{
    uint64_t before = box->size;
    struct hs_box_entry entry = {.number = box->next_number, .time_ms = time_ms, .size = size};
    memcpy(entry.id, id, sizeof entry.id);
    entry.request = (uint8_t *)(uintptr_t)request; /* only read */
    if (box->count >= HS_BOX_REQUESTS_MAX || box->bytes + size > HS_BOX_BYTES_MAX) {
        errno = ENOBUFS;
        return -1;
    }
    if (size > HS_REQUEST_BYTES_MAX) {
        errno = EMSGSIZE;
        return -1;
    }
    if (add_entry(box, &entry) != 0)
        return -1;
    if (append_request(box, &box->entries[box->count - 1]) != 0 || fsync(box->fd) != 0)
        return take_back(box, before);
    return 0;
}

int hs_box_answered(struct hs_box *box, size_t at, const struct hs_box_position *told)
{
    box->entries[at].answered = true;
    if (told->commit != 0)
        box->told = *told;
    return append_answered(box, box->entries[at].number, told) == 0 ? tidy(box) : -1;
}

int hs_box_done(struct hs_box *box, size_t at)
{
    uint8_t body[8];
    put64(body, box->entries[at].number);
    remove_entry(box, at);
    return append_small(box, ROW_DONE, body, sizeof body) == 0 ? tidy(box) : -1;
}

size_t hs_box_find(const struct hs_box *box, const uint8_t id[HS_BOX_ID_BYTES])
{
    for (size_t at = box->count; at-- > 0;) {
        if (memcmp(box->entries[at].id, id, HS_BOX_ID_BYTES) == 0)
            return at;
    }
    return box->count;
}
