#include "node/service/call.h"

#include "proto/base/text.h"
#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define IDLE_MAX       64                  /* calls kept for the next request */
#define IDLE_BYTES_MAX ((size_t)256 << 10) /* of memory that one of them may keep */

enum { REPLY_ID = 1, REPLY_ERROR = 2, REPLY_TEXT = 3, REPLY_POSITION = 4 };
enum { POSITION_COMMIT = 1, POSITION_TAG = 2 };

/* ---- memory: a call and its rooms are used again and again ---- */

static void reset_arena(struct hs_arena *arena)
{
    if (arena->total > IDLE_BYTES_MAX)
        hs_arena_fini(arena);
    else
        hs_arena_reset(arena);
}

static void reset_buf(struct hs_buf *buf)
{
    if (buf->room > IDLE_BYTES_MAX)
        hs_buf_fini(buf);
    else
        hs_buf_reset(buf);
}

void hs_call_free(struct hs_call *call)
{
    hs_arena_fini(&call->arena);
    hs_arena_fini(&call->scratch);
    hs_buf_fini(&call->bytes);
    hs_buf_fini(&call->body);
    hs_foreign_free(call->foreign);
    free(call);
}

struct hs_call *hs_call_take(struct hs_desk *desk)
{
    struct hs_call *call = desk->idle;
    if (call != NULL) {
        desk->idle = call->next;
        desk->idle_count--;
    } else {
        call = calloc(1, sizeof *call);
        if (call == NULL)
            return NULL;
        hs_arena_init(&call->arena, HS_CALL_ARENA_BYTES_MAX);
        hs_arena_init(&call->scratch, HS_CALL_ARENA_BYTES_MAX);
    }
    call->desk = desk;
    desk->under_way++;
    return call;
}

void hs_call_drop(struct hs_call *call)
{
    if (call == NULL)
        return;
    struct hs_desk *desk = call->desk;
    desk->under_way--;
    hs_foreign_keep(&desk->cache, &call->ask, call->foreign);
    call->foreign = NULL;
    if (desk->idle_count >= IDLE_MAX) {
        hs_call_free(call);
        return;
    }
    reset_arena(&call->arena);
    reset_arena(&call->scratch);
    reset_buf(&call->bytes);
    reset_buf(&call->body);
    *call = (struct hs_call){
        .arena = call->arena, .scratch = call->scratch, .bytes = call->bytes, .body = call->body, .next = desk->idle};
    desk->idle = call;
    desk->idle_count++;
}

void hs_call_free_idle(struct hs_desk *desk)
{
    while (desk->idle != NULL) {
        struct hs_call *call = desk->idle;
        desk->idle = call->next;
        hs_call_free(call);
    }
    desk->idle_count = 0;
}

/* ---- the reply ---- */

void hs_call_put(struct hs_buf *to, uint32_t field, const ProtobufCMessage *message)
{
    hs_buf_put_varint(to, (uint64_t)field << 3 | HS_WIRE_BYTES);
    hs_buf_put_varint(to, protobuf_c_message_get_packed_size(message));
    hs_msg_pack(message, to);
}

/* A sentence that was cut may end inside a character: that is left off. */
static void put_sentence(struct hs_buf *to, const char *sentence)
{
    size_t size = strlen(sentence);
    while (size > 0 && !hs_text_valid(HS_BYTES(sentence, size)))
        size--;
    hs_tlv_put_bytes(to, REPLY_TEXT, HS_BYTES(sentence, size));
}

static void put_error(const struct hs_call *call, enum hs_err err, struct hs_buf *to)
{
    hs_tlv_put_text(to, REPLY_ERROR, hs_err_name(err));
    put_sentence(to, call->why.text[0] != '\0' ? call->why.text : hs_err_text(err));
}

static void put_position(const struct hs_call *call, struct hs_buf *to)
{
    Hallsync__Position told = HALLSYNC__POSITION__INIT;
    told.commit = call->position.commit;
    told.tag = call->position.tag;
    told.has_store = true;
    told.store = hs_store_id(call->desk->options.store);
    hs_call_put(to, REPLY_POSITION, &told.base);
}

static void pack_reply(const struct hs_call *call, enum hs_err err, struct hs_buf *to)
{
    bool as_whole = err != HS_OK && !(call->answered && call->row->each);
    hs_buf_reset(to);
    hs_tlv_put_bytes(to, REPLY_ID, HS_BYTES(call->id, call->has_id ? sizeof call->id : 0));
    if (as_whole)
        put_error(call, err, to);
    if (call->position.commit != 0)
        put_position(call, to);
    if (err == HS_OK || call->answered)
        hs_tlv_put_bytes(to, call->row->reply, hs_buf_bytes(&call->body));
}

static void wipe(struct hs_buf *buf)
{
    if (buf->data != NULL)
        sodium_memzero(buf->data, buf->room);
}

/* What only a hub does is to give out join tokens. */
static void wipe_token(struct hs_call *call)
{
    wipe(&call->bytes);
    wipe(&call->body);
    wipe(&call->desk->outgoing);
}

/* Writes of all kinds are one sort. */
static enum hs_request_sort sort_of(const struct hs_request_row *row)
{
    static const struct {
        uint32_t body;
        enum hs_request_sort sort;
    } SORTS[] = {{HALLSYNC__REQUEST__BODY_GET, HS_SORT_GET},
                 {HALLSYNC__REQUEST__BODY_FIND, HS_SORT_FIND},
                 {HALLSYNC__REQUEST__BODY_STATUS, HS_SORT_STATUS}};
    for (size_t i = 0; i < sizeof SORTS / sizeof *SORTS; i++) {
        if (SORTS[i].body == row->body)
            return SORTS[i].sort;
    }
    return row->reply == HALLSYNC__REPLY__BODY_PUT ? HS_SORT_PUT : HS_SORT_OTHER;
}

static void note_time(struct hs_call *call)
{
    if (call->row != NULL && !call->waited)
        hs_histogram_add(&call->desk->times[sort_of(call->row)], hs_tick_us() - call->begun_us);
}

void hs_call_answer(struct hs_call *call, enum hs_err err)
{
    struct hs_desk *desk = call->desk;
    struct hs_buf *out = &desk->outgoing;
    if (call->body.err != HS_OK) {
        err = call->body.err;
        call->answered = false;
    }
    pack_reply(call, err, out);
    if (out->err != HS_OK || out->size > HS_REPLY_BYTES_MAX) {
        call->answered = false;
        err = out->err != HS_OK ? out->err : HS_ETOOBIG;
        pack_reply(call, err, out);
    }
    desk->refusals += err != HS_OK;
    note_time(call);
    if (call->position.commit != 0)
        hs_told_note(desk, &call->position);
    hs_socket_send(call->route.counter ? &desk->counters : &desk->socket, &call->route, hs_buf_bytes(out));
    if (call->row != NULL && call->row->hub_only)
        wipe_token(call);
    hs_call_drop(call);
}
