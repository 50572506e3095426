/* registry.h -- certificates that were issued anew travel as records of the region (kind reissue): here they become the
 * certificates that this node goes by. */
#ifndef HS_DAEMON_REGISTRY_H
#define HS_DAEMON_REGISTRY_H

#include "node/writer/writer.h"

struct hs_registry;

struct hs_registry_options {
    struct hs_store *store;
    struct hs_writer *writer;
    /* A later certificate of this node itself is held than the store was opened with; on the writer's thread. */
    void (*renewed)(void *ctx);
    void *ctx;
};
enum hs_err hs_registry_new(const struct hs_registry_options *options, struct hs_registry **registry); /* HS_ENOMEM */
void hs_registry_start(struct hs_registry *registry); /* looks through the records once */
/* Writer's thread, after each commit: looks again if records of the region came. */
void hs_registry_committed(struct hs_registry *registry, const struct hs_commit *commit);
void hs_registry_look(struct hs_registry *registry); /* any thread: a certificate came by another way */
void hs_registry_free(struct hs_registry *registry); /* the writer has stopped; NULL is fine */

#endif
