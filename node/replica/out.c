/* Obligations: what a step wants done, in order.  Frames lie in one buffer until the step is over. */
#include "node/replica/core.h"

#include "proto/msg/frame.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES_MAX 320

void hs_rep_fail(struct hs_replica *r, enum hs_err err)
{
    if (r->err == HS_OK)
        r->err = err;
}

enum hs_err hs_rep_read(struct hs_replica *r, enum hs_err err)
{
    enum hs_err_class class = hs_err_class(err);
    if (class == HS_CLASS_OPERATOR || class == HS_CLASS_RETRY)
        hs_rep_fail(r, err);
    return err;
}

struct hs_replica_update *hs_rep_update(struct hs_replica *r, enum hs_replica_update_type type)
{
    if (r->update_count == r->update_room) {
        size_t room = r->update_room == 0 ? 64 : r->update_room * 2;
        struct hs_replica_update *updates = realloc(r->updates, room * sizeof *updates);
        if (updates == NULL) {
            hs_rep_fail(r, HS_ENOMEM);
            return NULL;
        }
        r->updates = updates;
        r->update_room = room;
    }
    struct hs_replica_update *update = &r->updates[r->update_count++];
    *update = (struct hs_replica_update){.type = type};
    return update;
}

/* ---- frames ---- */

/* PROTOCOL.md, "Session": sequence numbers from 1 in each direction. */
static void put_header(struct rep_session *s, Hallsync__PeerType type)
{
    struct hs_buf *frames = &s->r->frames;
    hs_buf_put_u8(frames, HS_FRAME_VERSION);
    hs_buf_put_u8(frames, (uint8_t)type);
    hs_buf_put_u32(frames, ++s->sequence_out);
}

/* The frame is what was put since @from; the buffer may still move, so its place is noted by size only and set in the
 * end. */
static void push_frame(struct rep_session *s, size_t from)
{
    struct hs_replica *r = s->r;
    struct hs_replica_update *update = r->frames.err == HS_OK ? hs_rep_update(r, HS_REPLICA_SEND) : NULL;
    if (update == NULL) {
        hs_rep_fail(r, HS_ENOMEM);
        return;
    }
    update->peer = s->peer;
    update->frame = HS_BYTES(NULL, r->frames.size - from);
    s->sent_bytes += update->frame.size;
}

void hs_rep_send(struct rep_session *s, Hallsync__PeerType type, const ProtobufCMessage *body)
{
    if (s->state == REP_ENDED)
        return;
    size_t from = s->r->frames.size;
    put_header(s, type);
    hs_msg_pack(body, &s->r->frames);
    push_frame(s, from);
}

void hs_rep_send_bytes(struct rep_session *s, Hallsync__PeerType type, struct hs_bytes body)
{
    if (s->state == REP_ENDED)
        return;
    size_t from = s->r->frames.size;
    put_header(s, type);
    hs_buf_put_bytes(&s->r->frames, body);
    push_frame(s, from);
}

/* ---- notices ---- */

const char *hs_rep_text(struct hs_replica *r, const char *format, ...)
{
    char text[TEXT_BYTES_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *copy = hs_arena_text(&r->texts, HS_BYTES(text, strlen(text)));
    if (copy == NULL)
        hs_rep_fail(r, HS_ENOMEM);
    return copy == NULL ? "" : copy;
}

void hs_rep_notice(struct hs_replica *r, enum hs_replica_notice notice, hs_peer peer, enum hs_err err, const char *text)
{
    struct hs_replica_update *update = hs_rep_update(r, HS_REPLICA_NOTICE);
    if (update == NULL)
        return;
    update->notice = notice;
    update->peer = peer;
    update->err = err;
    update->text = text;
}

void hs_rep_notice_stream(struct rep_session *s, enum hs_replica_notice notice, const struct hs_stream *stream,
                          enum hs_err err, const char *text)
{
    struct hs_replica *r = s->r;
    size_t before = r->update_count;
    hs_rep_notice(r, notice, s->peer, err, text);
    if (r->update_count > before)
        r->updates[before].stream = *stream;
}

/* ---- what goes to the store ---- */

void hs_replica_store_free(struct hs_replica_store *store)
{
    if (store == NULL)
        return;
    hs_arena_fini(&store->arena);
    free(store);
}

struct hs_replica_store *hs_rep_store_new(struct hs_replica *r, enum hs_replica_store_type type)
{
    struct hs_replica_store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        hs_rep_fail(r, HS_ENOMEM);
        return NULL;
    }
    store->type = type;
    hs_arena_init(&store->arena, 0);
    return store;
}

struct hs_bytes hs_rep_store_copy(struct hs_replica *r, struct hs_replica_store *store, struct hs_bytes bytes)
{
    struct hs_bytes copy = hs_arena_copy(&store->arena, bytes);
    if (copy.size != bytes.size)
        hs_rep_fail(r, HS_ENOMEM);
    return copy;
}

struct rep_pending *hs_rep_store_give(struct hs_replica *r, struct hs_replica_store *store)
{
    struct rep_pending *pending = r->err == HS_OK ? calloc(1, sizeof *pending) : NULL;
    struct hs_replica_update *update = pending == NULL ? NULL : hs_rep_update(r, HS_REPLICA_STORE);
    if (update == NULL) {
        hs_replica_store_free(store);
        free(pending);
        hs_rep_fail(r, HS_ENOMEM);
        return NULL;
    }
    store->token = ++r->token;
    update->store = store;
    update->token = store->token;
    *pending = (struct rep_pending){.token = store->token, .type = store->type};
    TAILQ_INSERT_TAIL(&r->pending, pending, order);
    return pending;
}

struct rep_pending *hs_rep_store_take(struct rep_session *s, struct hs_replica_store *store)
{
    struct rep_pending *pending = hs_rep_store_give(s->r, store);
    if (pending == NULL)
        return NULL;
    pending->peer = s->peer;
    s->stores++;
    return pending;
}
