/* tend.h -- what a node does by itself, though nobody asks: tickets that are late are shown to a superior, and who was
 * cut off and owes nothing any more gets his reconnection.  Each is a chore of the writer that goes round an index a
 * piece at a time.  What is to be done follows from the records alone, so a node that starts anew, or several that do
 * it at once, do nothing twice. */
#ifndef HS_SERVICE_TEND_H
#define HS_SERVICE_TEND_H

#include "node/writer/writer.h"

struct hs_tend;
enum hs_tend_what {
    HS_TEND_OVERDUE, /* rules.escalate_overdue */
    HS_TEND_CUT_OFF, /* rules.reconnect_on_payment */
};
struct hs_tend_options {
    enum hs_tend_what what;
    bool wanted; /* else it rests */
    bool alone;  /* there is no hub to be filled by: what is held is whole */
    struct hs_store *store;
    int utc_offset_minutes;
    /* Something was done about a record (ticket or account), or why not; record "": a run has failed. */
    void (*tell)(const char *task, const char *record, enum hs_err err);
};
enum hs_err hs_tend_new(const struct hs_tend_options *options, struct hs_tend **tend); /* HS_ENOMEM */
struct hs_chore *hs_tend_chore(struct hs_tend *tend); /* to be given to the writer; it lives as long as @tend */
/* Writer's thread, after each commit: it looks again soon if something came that matters to it. */
void hs_tend_committed(struct hs_tend *tend, const struct hs_commit *commit);
void hs_tend_free(struct hs_tend *tend); /* the writer has stopped; NULL is fine */

#endif
