/* answerer.h -- a hub holds the closes of halls against the cash entries that it has itself, and answers each with a
 * signed fact: the books agree, or it waits for numbers, or they differ by some.  Looked at again when what it waits
 * for may have come. */
#ifndef HS_DAEMON_ANSWERER_H
#define HS_DAEMON_ANSWERER_H

#include "node/writer/writer.h"
#include "storage/books.h"

struct hs_answerer {
    struct hs_chore chore; /* first; given to the writer */
    const struct hs_certificate *own;
    struct hs_arena arena, entry_arena; /* of a run */
    struct hs_close_judged judged;
    struct hs_close_named named[HS_CLOSE_NAMED_MAX];
    size_t behind; /* so many unsettled closes have been looked at in this round */
    bool more;     /* and there are more */
};
void hs_answerer_init(struct hs_answerer *answerer, const struct hs_store *store); /* of a node that is no hub: rests */
/* Writer's thread, after each commit: it looks again soon if money came. */
void hs_answerer_committed(struct hs_answerer *answerer, const struct hs_commit *commit);
void hs_answerer_fini(struct hs_answerer *answerer); /* the writer has stopped */

#endif
