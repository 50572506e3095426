/* Only what happens inside the replica's own calls counts: the worlds of tests/lib share this program with it.  Its
 * source can fail as well: as LMDB would. */
#include "tests/fault/fault_replica.h"

#include "tests/fault/fault.h"
#include "tests/lib/replica_world_source.h"

#include <errno.h>
#include <zstd.h>

/* ---- steps ---- */

#define DEAD_MAX 16

static const struct hs_replica *dead[DEAD_MAX];
static size_t dead_count;
static enum hs_err last_error;

bool fault_replica_is_dead(const struct hs_replica *replica)
{
    for (size_t i = 0; i < dead_count; i++) {
        if (dead[i] == replica)
            return true;
    }
    return false;
}

enum hs_err fault_replica_error(void)
{
    return last_error;
}

void fault_replica_forget(void)
{
    dead_count = 0;
    last_error = HS_OK;
}

/* A replica that has failed gets no event any more, as its process would have ended.  By FAULT_SYSTEM it ends before it
 * has seen the event: somebody has killed it. */
enum hs_err __real_hs_replica_step(struct hs_replica *replica, const struct hs_replica_event *event,
                                   struct hs_replica_updates *updates);
enum hs_err __wrap_hs_replica_step(struct hs_replica *replica, const struct hs_replica_event *event,
                                   struct hs_replica_updates *updates);
enum hs_err __wrap_hs_replica_step(struct hs_replica *replica, const struct hs_replica_event *event,
                                   struct hs_replica_updates *updates)
{
    enum hs_err err = HS_OK;
    if (!fault_replica_is_dead(replica)) {
        fault_resume();
        err = fault_due(FAULT_SYSTEM, "hs_replica_step") ? HS_ESTOPPING
                                                         : __real_hs_replica_step(replica, event, updates);
        fault_pause();
        if (err == HS_OK)
            return HS_OK;
        assert_true(dead_count < DEAD_MAX);
        dead[dead_count++] = replica;
        last_error = err;
    }
    *updates = (struct hs_replica_updates){.wake_at_ms = UINT64_MAX};
    return HS_OK;
}

/* ---- the source ---- */

static struct hs_replica_source real;

static enum hs_err fails(const char *function)
{
    enum fault_kind kind = fault_kind();
    if (kind == FAULT_DB_IO && fault_due(kind, function))
        return HS_EIO;
    if (kind == FAULT_DB_MEMORY && fault_due(kind, function))
        return HS_ENOMEM;
    return HS_OK;
}

#define SOURCE(name, parameters, arguments)        \
    static enum hs_err name parameters             \
    {                                              \
        enum hs_err err = fails("source: " #name); \
        if (err != HS_OK)                          \
            return err;                            \
        fault_pause();                             \
        err = real.name arguments;                 \
        fault_resume();                            \
        return err;                                \
    }

/* The visitors are the replica's own code. */
#define VISITOR(type, name, parameters, arguments)  \
    struct name {                                   \
        type visit;                                 \
        void *ctx;                                  \
    };                                              \
    static enum hs_err name parameters              \
    {                                               \
        struct name *visitor = ctx;                 \
        fault_resume();                             \
        enum hs_err err = visitor->visit arguments; \
        fault_pause();                              \
        return err;                                 \
    }
#define VISITED(visitor)       \
    visitor, &(struct visitor) \
    {                          \
        visit, visit_ctx       \
    }

VISITOR(hs_visit_head, visit_head, (void *ctx, const struct hs_head *head), (visitor->ctx, head))
VISITOR(hs_visit_receipt, visit_receipt, (void *ctx, const struct hs_receipt *receipt), (visitor->ctx, receipt))
VISITOR(hs_visit_loose, visit_loose, (void *ctx, const struct hs_loose *loose), (visitor->ctx, loose))
VISITOR(hs_visit_digest, visit_digest, (void *ctx, const struct hs_digest *digest), (visitor->ctx, digest))
VISITOR(hs_visit_compared, visit_compared, (void *ctx, const struct hs_compared *compared), (visitor->ctx, compared))
VISITOR(hs_visit_healed, visit_healed, (void *ctx, const struct hs_healed *row), (visitor->ctx, row))
VISITOR(hs_visit_fork, visit_fork, (void *ctx, const struct hs_stream *stream, uint64_t n, struct hs_bytes proof),
        (visitor->ctx, stream, n, proof))
VISITOR(hs_visit_peer_store, visit_peer_store, (void *ctx, const struct hs_peer_store *row), (visitor->ctx, row))

VISITOR(hs_visit_bytes, visit_bytes, (void *ctx, struct hs_bytes key, struct hs_bytes value),
        (visitor->ctx, key, value))

SOURCE(cut,
       (void *ctx, const struct hs_stream *stream, uint64_t first, struct hs_buf *body, struct hs_segment *segment),
       (ctx, stream, first, body, segment))
SOURCE(origin, (void *ctx, uint64_t id, struct hs_buf *certificate, struct hs_buf *opening),
       (ctx, id, certificate, opening))
SOURCE(hash_at, (void *ctx, const struct hs_stream *stream, uint64_t n, struct hs_hash *hash), (ctx, stream, n, hash))
SOURCE(checkpoint, (void *ctx, const struct hs_stream *stream, uint64_t n, struct hs_checkpoint *out),
       (ctx, stream, n, out))
SOURCE(whole_from, (void *ctx, const struct hs_stream *stream, uint64_t *n), (ctx, stream, n))
SOURCE(receipts, (void *ctx, const struct hs_stream *stream, hs_visit_receipt visit, void *visit_ctx),
       (ctx, stream, VISITED(visit_receipt)))
SOURCE(certificate, (void *ctx, const struct hs_key *key, struct hs_buf *out), (ctx, key, out))
SOURCE(heads, (void *ctx, hs_visit_head visit, void *visit_ctx), (ctx, VISITED(visit_head)))
SOURCE(forks, (void *ctx, hs_visit_fork visit, void *visit_ctx), (ctx, VISITED(visit_fork)))
SOURCE(loose, (void *ctx, const struct hs_stream *stream, hs_visit_loose visit, void *visit_ctx),
       (ctx, stream, VISITED(visit_loose)))
SOURCE(revocations, (void *ctx, hs_visit_bytes visit, void *visit_ctx), (ctx, VISITED(visit_bytes)))
SOURCE(releases, (void *ctx, hs_visit_bytes visit, void *visit_ctx), (ctx, VISITED(visit_bytes)))
SOURCE(peer_stores, (void *ctx, hs_visit_peer_store visit, void *visit_ctx), (ctx, VISITED(visit_peer_store)))
SOURCE(store_counts, (void *ctx, const struct hs_key *key, uint64_t id, bool *counts), (ctx, key, id, counts))
SOURCE(healed, (void *ctx, hs_visit_healed visit, void *visit_ctx), (ctx, VISITED(visit_healed)))
SOURCE(limit, (void *ctx, const struct hs_stream *stream, uint64_t *n), (ctx, stream, n))
SOURCE(digests, (void *ctx, hs_visit_digest visit, void *visit_ctx), (ctx, VISITED(visit_digest)))
SOURCE(digest_level,
       (void *ctx, hs_partition partition, uint16_t kind, int branch, hs_visit_digest visit, void *visit_ctx),
       (ctx, partition, kind, branch, VISITED(visit_digest)))
SOURCE(digest_leaf,
       (void *ctx, hs_partition partition, uint16_t kind, uint32_t leaf, struct hs_bytes after, hs_visit_compared visit,
        void *visit_ctx),
       (ctx, partition, kind, leaf, after, VISITED(visit_compared)))

struct hs_replica_source __real_world_source(struct world_node *node);
struct hs_replica_source __wrap_world_source(struct world_node *node);
struct hs_replica_source __wrap_world_source(struct world_node *node)
{
    real = __real_world_source(node);
    struct hs_replica_source source = real;
    source.cut = cut;
    source.origin = origin;
    source.hash_at = hash_at;
    source.checkpoint = checkpoint;
    source.whole_from = whole_from;
    source.receipts = receipts;
    source.certificate = certificate;
    source.heads = heads;
    source.forks = forks;
    source.loose = loose;
    source.revocations = revocations;
    source.releases = releases;
    source.healed = healed;
    source.limit = limit;
    source.peer_stores = peer_stores;
    source.store_counts = store_counts;
    source.digests = digests;
    source.digest_level = digest_level;
    source.digest_leaf = digest_leaf;
    return source;
}

/* ---- compression ---- */

#define NO_MEMORY ((size_t)-64) /* ZSTD_error_memory_allocation, as a result */

ZSTD_CCtx *__real_ZSTD_createCCtx(void);
ZSTD_CCtx *__wrap_ZSTD_createCCtx(void);
ZSTD_CCtx *__wrap_ZSTD_createCCtx(void)
{
    return fault_due(FAULT_MEMORY, "ZSTD_createCCtx") ? NULL : __real_ZSTD_createCCtx();
}

ZSTD_DCtx *__real_ZSTD_createDCtx(void);
ZSTD_DCtx *__wrap_ZSTD_createDCtx(void);
ZSTD_DCtx *__wrap_ZSTD_createDCtx(void)
{
    return fault_due(FAULT_MEMORY, "ZSTD_createDCtx") ? NULL : __real_ZSTD_createDCtx();
}

size_t __real_ZSTD_compressCCtx(ZSTD_CCtx *ctx, void *to, size_t room, const void *from, size_t size, int level);
size_t __wrap_ZSTD_compressCCtx(ZSTD_CCtx *ctx, void *to, size_t room, const void *from, size_t size, int level);
size_t __wrap_ZSTD_compressCCtx(ZSTD_CCtx *ctx, void *to, size_t room, const void *from, size_t size, int level)
{
    if (fault_due(FAULT_MEMORY, "ZSTD_compressCCtx"))
        return NO_MEMORY;
    return __real_ZSTD_compressCCtx(ctx, to, room, from, size, level);
}

size_t __real_ZSTD_decompressDCtx(ZSTD_DCtx *ctx, void *to, size_t room, const void *from, size_t size);
size_t __wrap_ZSTD_decompressDCtx(ZSTD_DCtx *ctx, void *to, size_t room, const void *from, size_t size);
size_t __wrap_ZSTD_decompressDCtx(ZSTD_DCtx *ctx, void *to, size_t room, const void *from, size_t size)
{
    if (fault_due(FAULT_MEMORY, "ZSTD_decompressDCtx"))
        return NO_MEMORY;
    return __real_ZSTD_decompressDCtx(ctx, to, room, from, size);
}
