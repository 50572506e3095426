/* continuity.h -- the continuity note: proof, kept outside the disk, that a store is where its last process left it.
 *
 * A node goes on with its last origin only if nothing that it ever showed to anybody can be missing from its store. The
 * note says how far the store was: it lies in memory (a tmpfs), so no restore of a disk brings back an older note, and
 * a reboot takes it away.  It is written after each commit, before anything of that commit leaves the process.  Where
 * no note can be kept, continuity is never proven, and every start writes under a fresh origin: safe, and a few bytes
 * dearer. */
#ifndef HS_LOG_CONTINUITY_H
#define HS_LOG_CONTINUITY_H

#include "proto/base/names.h"

struct hs_note;

/* Open and lock the note of this store id, made if absent.  @data_fd: the log's data file.  HS_ENOMEM only: anything
 * else that goes wrong makes a note that proves nothing and takes no writes. */
enum hs_err hs_note_open(const char *dir, uint64_t store_id, int data_fd, struct hs_note **note);
void hs_note_close(struct hs_note *note); /* leaves it; NULL is fine */

/* The origin is part of it: else a copy that was in use elsewhere, one commit on and under an origin of its own, could
 * be put in the place of the store and go on with that origin beside its owner. */
struct hs_note_claim {
    struct hs_position last;   /* the store's last commit */
    struct hs_position before; /* and the one before it: the process may have died between commit and note */
    uint64_t origin;           /* the current one */
};
/* NULL if the note proves that the store is where it was left; else the reason why not, for people, valid as long as
 * the note. */
const char *hs_note_doubt(struct hs_note *note, const struct hs_note_claim *claim);
/* Empty it.  A note that was doubted must go on proving nothing, whatever older state of the store is put back: what
 * the doubter shows may lie beyond that. */
void hs_note_void(struct hs_note *note);

/* HS_OK also where no note is kept.  HS_EIO: it could not be written; it is unlinked, and the process must end. */
enum hs_err hs_note_write(struct hs_note *note, const struct hs_position *position, uint64_t origin);
void hs_note_drop(struct hs_note *note); /* unlink it: nothing is proven by it any more */

#endif
