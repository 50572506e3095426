/* What clients know of this store's history.  A client that was told of a commit which this store does not have is
 * proof that the store was set back to an older copy: then numbers of the current origin may be in use elsewhere, and
 * it is struck out. */
#include "node/service/call.h"

#include <stdlib.h>

static bool same(const struct hs_position *a, const struct hs_position *b)
{
    return a->commit == b->commit && a->tag == b->tag;
}

void hs_told_note(struct hs_desk *desk, const struct hs_position *position)
{
    desk->told.told[position->commit % HS_TOLD_POSITIONS] = *position;
}

/* HS_OK: one of this store's.  HS_ERESET: not.  Else nobody can say now. */
static enum hs_err look_up(struct hs_desk *desk, const struct hs_position *seen)
{
    struct hs_position here = hs_store_position(desk->options.store);
    struct hs_view *view;
    if (seen->commit >= here.commit)
        return same(seen, &here) ? HS_OK : HS_ERESET;
    enum hs_err err = hs_view_open(desk->options.store, 0, 0, &view);
    if (err != HS_OK)
        return err;
    err = hs_view_knows(view, seen);
    hs_view_close(view);
    return err == HS_EPRUNED ? HS_OK : err; /* what is as old as that speaks neither for nor against */
}

static bool struck_before(const struct hs_told *told, const struct hs_position *seen)
{
    for (size_t i = 0; i < HS_STRUCK_POSITIONS; i++) {
        if (same(&told->struck[i], seen))
            return true;
    }
    return false;
}

static enum hs_err strike_run(struct hs_job *job, struct hs_store *store)
{
    (void)job;
    return hs_store_strike(store, "a client knows more than this store");
}

static void strike_done(struct hs_job *job, enum hs_err err, const struct hs_commit *commit)
{
    (void)err;
    (void)commit;
    free(job);
}

/* The writer takes jobs in order, so the strike is in force for whatever the client writes with this request. */
static void strike(struct hs_desk *desk, const struct hs_position *seen)
{
    struct hs_job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return; /* the client shows it again */
    job->run = strike_run;
    job->done = strike_done;
    if (hs_writer_submit(desk->options.writer, job) != HS_OK) {
        free(job);
        return;
    }
    desk->told.struck[desk->told.struck_next] = *seen;
    desk->told.struck_next = (desk->told.struck_next + 1) % HS_STRUCK_POSITIONS;
}

void hs_told_check(struct hs_desk *desk, const Hallsync__Position *seen)
{
    struct hs_position shown = {.commit = seen->commit, .tag = seen->tag};
    if (seen->has_store && seen->store != hs_store_id(desk->options.store))
        return; /* a node that was made anew or restored has another store: that it is not the old one is known */
    if (shown.commit == 0 || same(&desk->told.told[shown.commit % HS_TOLD_POSITIONS], &shown))
        return;
    if (struck_before(&desk->told, &shown))
        return;
    enum hs_err err = look_up(desk, &shown);
    if (err == HS_OK)
        hs_told_note(desk, &shown);
    else if (err == HS_ERESET)
        strike(desk, &shown);
}
