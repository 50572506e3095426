#include "tests/power/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC UINT64_C(0x6873706f77657231) /* "hspower1" */

struct journal {
    uint64_t magic;
    uint64_t room;
    uint64_t end;
    pthread_mutex_t mutex; /* of all processes; survives the death of one that holds it */
    uint64_t entries[];    /* places of eight bytes */
};

static size_t padded(size_t bytes)
{
    return (bytes + 7) & ~(size_t)7;
}

static int init_mutex(pthread_mutex_t *mutex)
{
    pthread_mutexattr_t attributes;
    int error = pthread_mutexattr_init(&attributes);
    if (error != 0)
        return error;
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    error = pthread_mutex_init(mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
    return error;
}

static struct journal *map(int fd, size_t room)
{
    void *at = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    return at == MAP_FAILED ? NULL : at;
}

struct journal *journal_make(const char *path, size_t room)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    struct journal *journal = fd >= 0 && ftruncate(fd, (off_t)room) == 0 ? map(fd, room) : NULL;
    if (fd >= 0)
        close(fd);
    if (journal == NULL)
        return NULL;
    errno = init_mutex(&journal->mutex);
    if (errno != 0)
        return NULL;
    journal->room = room;
    journal->end = sizeof *journal;
    journal->magic = MAGIC;
    return journal;
}

struct journal *journal_open(const char *path)
{
    struct stat status;
    struct journal *journal = NULL;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &status) == 0)
        journal = map(fd, (size_t)status.st_size);
    if (fd >= 0)
        close(fd);
    if (journal != NULL && (journal->magic != MAGIC || journal->room != (uint64_t)status.st_size)) {
        munmap(journal, (size_t)status.st_size);
        errno = EINVAL;
        return NULL;
    }
    return journal;
}

void journal_close(struct journal *journal)
{
    munmap(journal, journal->room);
}

void journal_lock(struct journal *journal)
{
    if (pthread_mutex_lock(&journal->mutex) == EOWNERDEAD)
        pthread_mutex_consistent(&journal->mutex);
}

void journal_unlock(struct journal *journal)
{
    pthread_mutex_unlock(&journal->mutex);
}

static bool all_zero(const struct iovec *data, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t *at = data[i].iov_base;
        size_t size = data[i].iov_len;
        if (size > 0 && (at[0] != 0 || memcmp(at, at + 1, size - 1) != 0))
            return false;
    }
    return true;
}

void journal_put(struct journal *journal, const struct journal_entry *entry, const char *path, const struct iovec *data,
                 size_t data_count)
{
    struct journal_entry made = *entry;
    made.size = entry->size;
    for (size_t i = 0; i < data_count; i++)
        made.size += data[i].iov_len;
    made.data_bytes = data_count == 0 || all_zero(data, data_count) ? 0 : made.size;
    size_t need = sizeof made + padded(made.path_bytes) + padded(made.data_bytes);
    if (journal->end + need > journal->room) {
        static const char text[] = "the journal of the recorder is full\n";
        ssize_t done = write(STDERR_FILENO, text, sizeof text - 1);
        (void)done;
        abort();
    }
    uint8_t *to = (uint8_t *)journal + journal->end;
    memcpy(to, &made, sizeof made);
    to += sizeof made;
    if (made.path_bytes > 0)
        memcpy(to, path, made.path_bytes);
    to += padded(made.path_bytes);
    for (size_t i = 0; i < data_count && made.data_bytes > 0; i++) {
        memcpy(to, data[i].iov_base, data[i].iov_len);
        to += data[i].iov_len;
    }
    __atomic_store_n(&journal->end, journal->end + need, __ATOMIC_RELEASE);
}

const struct journal_entry *journal_next(const struct journal *journal, const struct journal_entry *last)
{
    const uint8_t *at = last == NULL
                            ? (const uint8_t *)journal + sizeof *journal
                            : (const uint8_t *)(last + 1) + padded(last->path_bytes) + padded(last->data_bytes);
    uint64_t place = (uint64_t)(at - (const uint8_t *)journal);
    return place < __atomic_load_n(&journal->end, __ATOMIC_ACQUIRE) ? (const struct journal_entry *)(const void *)at
                                                                    : NULL;
}

const char *journal_path(const struct journal_entry *entry)
{
    return (const char *)(entry + 1);
}

const uint8_t *journal_data(const struct journal_entry *entry)
{
    return entry->data_bytes == 0 ? NULL : (const uint8_t *)(entry + 1) + padded(entry->path_bytes);
}
