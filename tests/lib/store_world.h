/* store_world.h -- regions of real stores for the tests: keys, certificates, data directories in a temporary place, a
 * continuity note in a tmpfs of their own, a clock that only moves when told. */
#ifndef HS_TESTS_STORE_WORLD_H
#define HS_TESTS_STORE_WORLD_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "storage/model/kinds.h"
#include "storage/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORLD_PATH_BYTES    512
#define WORLD_MAP_BYTES     ((size_t)1 << 30)
#define WORLD_KIND_FACT     900 /* kinds that this version does not know: kept and merged all the same */
#define WORLD_KIND_REGISTER 901
#define WORLD_START_MS      1780000000000ULL

struct world_region {
    char base[WORLD_PATH_BYTES];  /* of the data directories */
    char notes[WORLD_PATH_BYTES]; /* a folder in /dev/shm */
    struct hs_secret root, issuer;
    struct hs_key root_key, issuer_key;
    struct hs_buf issuer_body;
    _Atomic uint64_t now_ms; /* the writer of a service under test reads it from its own thread */
};

struct world_node {
    struct world_region *region;
    char id[HS_NODE_ID_BYTES_MAX + 1];
    char dir[WORLD_PATH_BYTES];
    enum hs_role role;
    struct hs_secret secret;
    struct hs_certificate draft;
    struct hs_buf certificate;
    struct hs_store_options options;
    struct hs_store *store;
    uint64_t made; /* facts so far */
};

/* ---- files ---- */

static inline void world_path(char to[static WORLD_PATH_BYTES], const char *dir, const char *name)
{
    int size = snprintf(to, WORLD_PATH_BYTES, "%s/%s", dir, name);
    assert_true(size > 0 && size < WORLD_PATH_BYTES);
}

static inline void world_make_dir(char path[static WORLD_PATH_BYTES], const char *parent, const char *name)
{
    world_path(path, parent, name);
    assert_non_null(mkdtemp(path));
}

static inline void world_remove(const char *path)
{
    DIR *dir = opendir(path);
    if (dir != NULL) {
        for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
            char inner[WORLD_PATH_BYTES];
            if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                continue;
            world_path(inner, path, entry->d_name);
            world_remove(inner);
        }
        closedir(dir);
    }
    remove(path);
}

/* The bytes of a file put into another, which stays the same file if it is there. */
static inline void world_copy_file(const char *from, const char *to)
{
    static uint8_t bytes[1 << 16];
    int in = open(from, O_RDONLY);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(in >= 0 && out >= 0);
    for (ssize_t size = read(in, bytes, sizeof bytes); size > 0; size = read(in, bytes, sizeof bytes))
        assert_true(write(out, bytes, (size_t)size) == size);
    close(in);
    close(out);
}

/* A data directory copied: a backup, a clone, or back in place.  LMDB's lock files are not part of it. */
static inline void world_copy_dir(const char *from, const char *to)
{
    static const char *const PARTS[] = {"log", "records"};
    char source[WORLD_PATH_BYTES];
    char target[WORLD_PATH_BYTES];
    mkdir(to, 0700);
    for (size_t i = 0; i < 2; i++) {
        char part[WORLD_PATH_BYTES];
        world_path(part, to, PARTS[i]);
        mkdir(part, 0700);
        world_path(target, part, "data.mdb");
        world_path(part, from, PARTS[i]);
        world_path(source, part, "data.mdb");
        world_copy_file(source, target);
    }
}

/* ---- regions and nodes ---- */

static inline void world_begin(struct world_region *region)
{
    const char *tmp = getenv("TMPDIR");
    memset(region, 0, sizeof *region);
    world_make_dir(region->base, tmp == NULL ? "/tmp" : tmp, "hallsync-store-XXXXXX");
    world_make_dir(region->notes, "/dev/shm", "hallsync-notes-XXXXXX");
    assert_int_equal(hs_secret_new(&region->root, &region->root_key), HS_OK);
    assert_int_equal(hs_secret_new(&region->issuer, &region->issuer_key), HS_OK);
    struct hs_issuer_draft draft = {"Nanjing", "nj-hub", region->issuer_key, 1};
    assert_int_equal(hs_issuer_sign(&draft, &region->root, &region->issuer_body), HS_OK);
    region->now_ms = WORLD_START_MS;
}

static inline void world_end(struct world_region *region)
{
    world_remove(region->base);
    world_remove(region->notes);
    hs_buf_fini(&region->issuer_body);
}

static inline uint64_t world_now(void *ctx)
{
    struct world_node *node = ctx;
    return node->region->now_ms;
}

static inline void world_certify(struct world_node *node)
{
    hs_buf_reset(&node->certificate);
    assert_int_equal(hs_certificate_sign(&node->draft, hs_buf_bytes(&node->region->issuer_body), &node->region->issuer,
                                         &node->certificate),
                     HS_OK);
    node->options.certificate = hs_buf_bytes(&node->certificate);
}

static inline void world_add(struct world_region *region, struct world_node *node, const char *id, enum hs_role role)
{
    memset(node, 0, sizeof *node);
    node->region = region;
    node->role = role;
    snprintf(node->id, sizeof node->id, "%s", id);
    world_path(node->dir, region->base, id);
    node->draft = (struct hs_certificate){.role = role, .home = 3201, .issued_ms = 2, .issuer_key = region->issuer_key};
    memcpy(node->draft.node_id, node->id, sizeof node->id);
    assert_int_equal(hs_secret_new(&node->secret, &node->draft.node_key), HS_OK);
    memset(node->draft.curve_key.bytes, 0xcc, HS_KEY_BYTES);
    if (role != HS_ROLE_HUB) {
        node->draft.districts[0] = 3201;
        node->draft.district_count = 1;
    }
    node->options = (struct hs_store_options){
        .dir = node->dir,
        .signer = hs_signer_of(&node->secret),
        .map_bytes = WORLD_MAP_BYTES,
        .note_dir = region->notes,
        .utc_offset_minutes = 480,
        .now_ms = world_now,
        .ctx = node,
    };
    world_certify(node);
}

static inline void world_drop(struct world_node *node)
{
    hs_store_close(node->store);
    node->store = NULL;
    hs_buf_fini(&node->certificate);
}

static inline enum hs_err world_try_open(struct world_node *node, bool create, struct hs_why *why)
{
    node->options.create = create;
    return hs_store_open(&node->options, &node->store, why);
}

static inline void world_open(struct world_node *node, bool create)
{
    struct hs_why why = {{0}};
    enum hs_err err = world_try_open(node, create, &why);
    if (err != HS_OK)
        fail_msg("cannot open %s: %s: %s", node->dir, hs_err_name(err), why.text);
}

static inline void world_close(struct world_node *node)
{
    hs_store_close(node->store);
    node->store = NULL;
}

static inline void world_reopen(struct world_node *node)
{
    world_close(node);
    world_open(node, false);
}

/* The same node's keys with another directory: a copy of it. */
static inline void world_twin(const struct world_node *node, struct world_node *twin, const char *name)
{
    *twin = *node;
    twin->store = NULL;
    twin->certificate = (struct hs_buf){0};
    world_path(twin->dir, node->region->base, name);
    twin->options.dir = twin->dir;
    twin->options.signer = hs_signer_of(&twin->secret);
    twin->options.ctx = twin;
    world_certify(twin);
}

/* ---- groups ---- */

struct world_fact {
    hs_partition partition;
    enum hs_lane lane;
    uint16_t kind;
    uint64_t number; /* in its id, beside the node's name */
    struct hs_bytes bytes;
    struct hs_bytes request;
};

static inline struct hs_id world_fact_id(const struct world_node *node, uint64_t number)
{
    char text[HS_NODE_ID_BYTES_MAX + 32];
    struct hs_id id;
    int size = snprintf(text, sizeof text, "%s %llu", node->id, (unsigned long long)number);
    struct hs_hash hash = hs_hash_of(HS_BYTES(text, size));
    memcpy(id.bytes, hash.bytes, sizeof id.bytes);
    return id;
}

/* In an open group. */
static inline enum hs_err world_write(struct world_node *node, const struct world_fact *fact, struct hs_dot *dot)
{
    struct hs_id id = world_fact_id(node, fact->number);
    struct hs_write write = {
        .kind = fact->kind, .id = HS_BYTES(id.bytes, sizeof id.bytes), .is_fact = true, .fact = fact->bytes};
    struct hs_draft draft = {
        .partition = fact->partition, .lane = fact->lane, .writes = &write, .write_count = 1, .request = fact->request};
    hs_stamp stamp;
    return hs_store_write(node->store, &draft, dot, &stamp);
}

static inline struct world_fact world_money(uint64_t number)
{
    static const uint8_t bytes[120] = {1, 2, 3};
    return (struct world_fact){.partition = 3201,
                               .lane = HS_LANE_MONEY,
                               .kind = WORLD_KIND_FACT,
                               .number = number,
                               .bytes = HS_BYTES(bytes, 120)};
}

/* A group of its own with so many facts; the dot of the last one. */
static inline struct hs_dot world_group(struct world_node *node, size_t count)
{
    struct hs_commit commit;
    struct hs_dot dot = {0};
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    for (size_t i = 0; i < count; i++) {
        struct world_fact fact = world_money(++node->made);
        assert_int_equal(world_write(node, &fact, &dot), HS_OK);
    }
    assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
    return dot;
}

static inline struct hs_view *world_view(struct world_node *node)
{
    struct hs_view *view = NULL;
    assert_int_equal(hs_store_flush(node->store), HS_OK);
    assert_int_equal(hs_view_open(node->store, hs_store_position(node->store).commit, 0, &view), HS_OK);
    return view;
}

static inline uint64_t world_current_origin(struct world_node *node)
{
    struct hs_view *view = world_view(node);
    uint64_t origin = hs_view_current_origin(view);
    hs_view_close(view);
    return origin;
}

static inline uint64_t world_head(struct world_node *node, const struct hs_stream *stream)
{
    struct hs_view *view = world_view(node);
    struct hs_head head;
    enum hs_err err = hs_view_head(view, stream, &head);
    assert_true(err == HS_OK || err == HS_ENOTFOUND);
    hs_view_close(view);
    return err == HS_OK ? head.n : 0;
}

/* ---- fills ---- */

struct world_fills {
    size_t count;
    struct hs_fill fills[64];
};

static inline enum hs_err world_keep_fill(void *ctx, const struct hs_fill *fill)
{
    struct world_fills *fills = ctx;
    assert_true(fills->count < sizeof fills->fills / sizeof *fills->fills);
    fills->fills[fills->count++] = *fill;
    return HS_OK;
}

/* All fills under way end, as if a hub had nothing of them. */
static inline void world_fill_empty(struct world_node *node)
{
    static struct world_fills fills;
    struct hs_commit commit;
    struct hs_view *view = world_view(node);
    fills.count = 0;
    assert_int_equal(hs_view_fills(view, world_keep_fill, &fills), HS_OK);
    hs_view_close(view);
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    for (size_t i = 0; i < fills.count; i++) {
        const struct hs_fill *fill = &fills.fills[i];
        struct hs_fill_note note = {.partition = fill->partition, .lane = fill->lane, .last = true};
        assert_int_equal(hs_store_fill_note(node->store, &note), HS_OK);
        if (fill->lane != HS_LANE_MONEY)
            assert_int_equal(hs_store_fill_end(node->store, fill->partition, fill->lane), HS_OK);
    }
    assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
}

/* ---- from store to store ---- */

/* One segment from @first on, with its origin ahead of it, in the open group of @to. */
static inline enum hs_err world_carry_segment(struct hs_view *from, struct world_node *to,
                                              const struct hs_stream *stream, uint64_t first, uint64_t *next)
{
    struct hs_buf body = {0};
    struct hs_segment segment;
    struct hs_bytes certificate;
    struct hs_bytes opening;
    enum hs_err err = hs_view_cut(from, stream, first, &body, &segment);
    if (err == HS_OK) {
        assert_int_equal(hs_view_origin(from, stream->origin, &certificate, &opening), HS_OK);
        assert_int_equal(hs_store_put_origin(to->store, certificate, opening), HS_OK);
        err = hs_store_receive(to->store, &segment);
        *next = segment.first + segment.count;
    }
    hs_buf_fini(&body);
    return err;
}

struct world_carrier {
    struct hs_view *from;
    struct world_node *to;
    size_t segments;
};

static inline enum hs_err world_carry_stream(void *ctx, const struct hs_head *head)
{
    struct world_carrier *carrier = ctx;
    struct hs_commit commit;
    uint64_t next = world_head(carrier->to, &head->stream) + 1;
    while (next <= head->n) {
        assert_int_equal(hs_store_begin(carrier->to->store), HS_OK);
        assert_int_equal(world_carry_segment(carrier->from, carrier->to, &head->stream, next, &next), HS_OK);
        assert_int_equal(hs_store_commit(carrier->to->store, &commit), HS_OK);
        carrier->segments++;
    }
    return HS_OK;
}

/* Everything that @to lacks; the number of segments. */
static inline size_t world_carry(struct world_node *from, struct world_node *to)
{
    struct world_carrier carrier = {world_view(from), to, 0};
    assert_int_equal(hs_view_heads(carrier.from, world_carry_stream, &carrier), HS_OK);
    hs_view_close(carrier.from);
    return carrier.segments;
}

/* A hash over all heads, or over all digests: equal on stores that hold the same. */
static inline enum hs_err world_hash_head(void *ctx, const struct hs_head *head)
{
    uint8_t key[HS_STREAM_KEY_BYTES];
    hs_stream_key(&head->stream, key);
    hs_buf_put(ctx, key, sizeof key);
    hs_buf_put_u64(ctx, head->n);
    hs_buf_put(ctx, head->hash.bytes, HS_HASH_BYTES);
    return HS_OK;
}

static inline enum hs_err world_hash_digest(void *ctx, const struct hs_digest *digest)
{
    hs_buf_put_u16(ctx, digest->partition);
    hs_buf_put_u16(ctx, digest->kind);
    hs_buf_put_u64(ctx, digest->count);
    hs_buf_put(ctx, digest->sum.bytes, HS_HASH_BYTES);
    return HS_OK;
}

static inline struct hs_hash world_finish(struct hs_buf *buf)
{
    assert_int_equal(buf->err, HS_OK);
    struct hs_hash hash = hs_hash_of(hs_buf_bytes(buf));
    hs_buf_fini(buf);
    return hash;
}

static inline struct hs_hash world_heads(struct world_node *node)
{
    struct hs_buf buf = {0};
    struct hs_view *view = world_view(node);
    assert_int_equal(hs_view_heads(view, world_hash_head, &buf), HS_OK);
    hs_view_close(view);
    return world_finish(&buf);
}

static inline struct hs_hash world_digests(struct world_node *node)
{
    struct hs_buf buf = {0};
    struct hs_view *view = world_view(node);
    assert_int_equal(hs_view_digests(view, world_hash_digest, &buf), HS_OK);
    hs_view_close(view);
    return world_finish(&buf);
}

static inline void world_assert_equal(struct world_node *a, struct world_node *b)
{
    struct hs_hash heads[2] = {world_heads(a), world_heads(b)};
    struct hs_hash digests[2] = {world_digests(a), world_digests(b)};
    assert_true(hs_hash_equal(&heads[0], &heads[1]));
    assert_true(hs_hash_equal(&digests[0], &digests[1]));
}

/* ---- files that are lost ---- */

static inline void world_note_path(const struct world_node *node, char path[static WORLD_PATH_BYTES])
{
    char name[64];
    snprintf(name, sizeof name, "hallsync-%016llx.note", (unsigned long long)hs_store_id(node->store));
    world_path(path, node->options.note_dir, name);
}

static inline enum hs_err world_add_count(void *ctx, const struct hs_digest *digest)
{
    *(uint64_t *)ctx += digest->count;
    return HS_OK;
}

static inline uint64_t world_record_count(struct world_node *node)
{
    uint64_t count = 0;
    struct hs_view *view = world_view(node);
    assert_int_equal(hs_view_digests(view, world_add_count, &count), HS_OK);
    hs_view_close(view);
    return count;
}

/* The records, which the log makes anew. */
static inline void world_lose_records(struct world_node *node)
{
    char path[WORLD_PATH_BYTES];
    world_path(path, node->dir, "records/data.mdb");
    struct hs_hash before = world_digests(node);
    world_close(node);
    assert_int_equal(unlink(path), 0);
    world_open(node, false);
    struct hs_hash after = world_digests(node);
    assert_true(hs_hash_equal(&before, &after));
}

#endif
