/* inside.h -- the store's object, shared by the files of this room. */
#ifndef HS_STORE_INSIDE_H
#define HS_STORE_INSIDE_H

#include "storage/log/log.h"
#include "storage/records/records.h"
#include "storage/store.h"

#include <pthread.h>

#define SPARE_VIEWS_MAX 16

struct hs_view {
    struct hs_store *store;
    bool writers; /* of the open group: the two below are not used */
    struct hs_txn log;
    struct hs_txn records;
    struct hs_view *next; /* spare */
};

struct hs_store {
    int lock_fd;
    struct hs_log *log;
    struct hs_records *records;
    size_t flush_ops;
    void (*flush_wanted)(void *ctx);
    void *ctx;

    /* the writer's */
    bool in_group;
    enum hs_err group_err; /* the records could not take an op of this group */
    uint64_t group_ops;    /* applied in it */
    bool group_notes;      /* what replays have found */
    bool group_heals;      /* puts into the log what had rotted */
    bool group_completes;  /* ... and what the records were made without, which do not take it */
    uint64_t unflushed;    /* applied and not committed */
    bool behind;           /* the open transaction of the records does not reflect the log: to be replayed */
    bool rotten;           /* something in the records cannot be read, or is not in them: they are to be made anew */
    unsigned made_anew;    /* so often, for that */
    struct hs_buf op;      /* being encoded */
    struct hs_view writer_view;
    struct hs_healed *found; /* what replays could not read, to be noted */
    size_t found_count;
    bool base_rotten; /* a base state could not be read: left out of the records, to be had anew */

    /* shared with readers */
    pthread_mutex_t mutex;
    pthread_cond_t changed;     /* of noted, flushed or failed; waits by CLOCK_MONOTONIC */
    struct hs_position noted;   /* the last log commit that the continuity note names: nothing later may be shown */
    struct hs_position flushed; /* the log position of the committed records */
    uint64_t floor;             /* records below it are half rebuilt: not shown */
    enum hs_err failed;         /* unusable */
    uint64_t whole_from;        /* records below it may lack operations of which the log does not say so */
    bool rot_seen;              /* a reader met something that cannot be read */
    unsigned waiting;           /* readers, for a flush */
    struct hs_view *spare;
    unsigned spare_count, view_count;
};

/* Tell readers how far the log and the records are. */
void store_publish(struct hs_store *store, const struct hs_position *noted, const struct hs_position *flushed);
/* The store is unusable from now on; answers err. */
enum hs_err store_break(struct hs_store *store, enum hs_err err);
enum hs_err store_failed(struct hs_store *store);

/* A reader cannot read something of the records: at the next flush they are made anew.  Any thread. */
void store_rot_seen(struct hs_store *store);
enum hs_err store_watched(struct hs_view *view, enum hs_err err); /* the error of a read, which is seen by this */

/* One op into the open transaction of the records; @txn: where the log is read. */
enum hs_err store_apply(struct hs_store *store, struct hs_txn *txn, const struct hs_logged *op, struct hs_dot *watched);
/* The same, but only records in the range. */
enum hs_err store_apply_in(struct hs_store *store, struct hs_txn *txn, const struct hs_logged *op,
                           const struct hs_records_range *only);
/* The same with a base state. */
enum hs_err store_join(struct hs_store *store, const struct hs_stored *came, struct hs_dot *watched);
/* Somebody named this number of an origin of this node, in this partition and lane: if it is not given out yet, the
 * origin is struck out. */
enum hs_err store_check_named(struct hs_store *store, const struct hs_stream *stream, const struct hs_dot *watched);
/* Records of a district that is not held any more go; what stays of them is what ops that stay add up to. */
enum hs_err store_evict(struct hs_store *store, struct hs_txn *txn, const struct hs_evicted *piece);
/* What is to be evicted before anything else comes.  Not inside a group. */
enum hs_err store_end_evictions(struct hs_store *store);
/* Make the records reflect the log, from their last commit on; commits them.  Not inside a group. */
enum hs_err store_catch_up(struct hs_store *store);

/* Until a commit that was seen may be shown: view.c. */
enum hs_err store_wait_for_note(struct hs_store *store, const struct hs_position *seen);
size_t store_map_bytes(size_t wanted); /* 0: the default */

/* heal.c */
enum hs_err store_rot_found(struct hs_store *store, const struct hs_stream *stream, uint64_t first, uint64_t last);
/* Records below this commit are no source for others: UINT64_MAX while what was found is not noted yet, or what has
 * come again is not in them.  Answers what was there before. */
uint64_t store_set_whole_from(struct hs_store *store, uint64_t commit);
enum hs_err store_note_found(struct hs_store *store); /* in a group */
enum hs_err store_mend_bases(struct hs_store *store); /* from the records, before they are made anew */
/* At an opening: what rotted of this node's own and is nowhere else is issued anew.  Not inside a group. */
enum hs_err store_heal_own(struct hs_store *store);

void store_free_views(struct hs_store *store);
struct hs_log_reader store_log_reader(struct hs_view *view);
struct hs_txn *store_records_txn(struct hs_view *view);

/* The data directory: dir.c. */
const char *store_network_fs(long type); /* its name, or NULL: local */
enum hs_err store_prepare_dir(const char *dir, bool create, struct hs_why *why);
enum hs_err store_lock_dir(const char *dir, int *fd, struct hs_why *why);

#endif
