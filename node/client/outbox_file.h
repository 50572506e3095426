/* outbox_file.h -- the file of an outbox: requests as they were sent, until they are taken out.  Not installed.
 *
 *     file    = header *row                     numbers are big-endian
 *     header  = "hallsync outbox 1\n" zeros(14) id(16)       64 bytes with its check: id is random, made with the file
 *     row     = "hsob" type(1) size(4) body check(16)
 *     check   = BLAKE2b-128 keyed with id, over all of the row before it
 *     request = number(8) time_ms(8) id(16) Request    type 1; numbers ascend
 *     answered = number(8) position             type 2
 *     done    = number(8)                       type 3
 *     told    = position                        type 4; what answered rows said before the file was made anew
 *     position = commit(8) tag(8) store(8)      commit 0: none was told; store 0: it was not said whose it is
 *
 * A request is synced before it is sent.  The other rows are not: what a power cut takes of them means that something
 * is sent once more.  What cannot be read is passed over up to the next row that can. */
#ifndef HS_CLIENT_OUTBOX_FILE_H
#define HS_CLIENT_OUTBOX_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HS_BOX_REQUESTS_MAX 20000
#define HS_BOX_BYTES_MAX    ((size_t)32 << 20) /* of requests that wait */
#define HS_BOX_ID_BYTES     16

struct hs_box_position {
    uint64_t commit, tag, store;
};

struct hs_box_entry {
    uint64_t number;
    uint64_t time_ms;
    uint8_t id[HS_BOX_ID_BYTES]; /* of the request */
    bool answered;
    size_t size;
    uint8_t *request; /* packed */
    char *refused;    /* what the node last said instead; NULL: nothing.  Not in the file. */
};

struct hs_box {
    int fd; /* -1: not open */
    char *path;
    uint8_t id[HS_BOX_ID_BYTES];
    uint64_t size; /* of the file, up to the last whole row */
    uint64_t next_number;
    struct hs_box_position told;  /* the newest */
    struct hs_box_entry *entries; /* ascending by number */
    size_t count, room;
    size_t bytes;         /* of requests in entries */
    uint64_t passed_over; /* bytes that could not be read, with rows behind them that could */
};

/* All return 0, or -1 with errno.  Open: EWOULDBLOCK: another process has it; EPROTO: not an outbox; else as open(2),
 * read(2).  Makes the file, for its owner alone, if it is not there. */
int hs_box_open(struct hs_box *box, const char *path);
void hs_box_close(struct hs_box *box); /* also one that is not open */
/* Append and sync a request; it is the last entry then.  ENOBUFS: the box is full.  After a failure the file is as it
 * was. */
int hs_box_add(struct hs_box *box, uint64_t time_ms, const uint8_t id[HS_BOX_ID_BYTES], const uint8_t *request,
               size_t size);
/* The place of the newest request with this id; count: there is none. */
size_t hs_box_find(const struct hs_box *box, const uint8_t id[HS_BOX_ID_BYTES]);
/* Note an answer: entry @at, and the position that was told with it. */
int hs_box_answered(struct hs_box *box, size_t at, const struct hs_box_position *told);
/* Take entry @at out.  The entry is gone even where the file could not be written: it is sent once more then. */
int hs_box_done(struct hs_box *box, size_t at);

#endif
