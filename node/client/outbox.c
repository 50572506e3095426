/* An outbox: writes are kept until a hub has them.  To send one again is the question and the cure in one: a node that
 * has it answers how safe it is, a node that has lost it does it anew. */
#include "node/client/hallsync.h"

#include "node/client/client.h"
#include "node/client/outbox_file.h"
#include "proto/base/limits.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAUSE_MS     1000 /* between two rounds; doubled after each that changed nothing */
#define PAUSE_MS_MAX 60000
#define REFUSED_MAX  320 /* bytes of what the node said */

_Static_assert(HALLSYNC_OUTBOX_MAX == HS_BOX_REQUESTS_MAX, "the header says how many");

struct hallsync_outbox {
    struct hallsync *client;
    struct hs_box box;
    size_t next; /* of the round: the entry that is sent next */
    bool changed;
    uint64_t pause_ms;
    uint64_t round_ms; /* when the next round begins, monotonic */
    uint64_t again, dropped, unwritten;
};

static uint64_t clock_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static enum hallsync_status system_error(struct hallsync_outbox *outbox, const char *what)
{
    int error = errno;
    enum hallsync_status status = hallsync_fail(outbox->client, HALLSYNC_SYSTEM, "%s: %s", what, strerror(error));
    errno = error;
    return status;
}

/* ---- open, close ---- */

static enum hallsync_status not_opened(struct hallsync *client, const char *path)
{
    int error = errno;
    const char *why = error == EWOULDBLOCK ? "another process has this outbox open"
                      : error == EPROTO    ? "this is not an outbox"
                                           : strerror(error);
    enum hallsync_status status = error == ENOMEM ? HALLSYNC_MEMORY : HALLSYNC_SYSTEM;
    hallsync_fail(client, status, "%s: %s", path, why);
    errno = error;
    return status;
}

enum hallsync_status hallsync_outbox_open(struct hallsync *client, const char *path, struct hallsync_outbox **outbox)
{
    struct hallsync_outbox *made = calloc(1, sizeof *made);
    *outbox = NULL;
    if (made == NULL)
        return hallsync_fail(client, HALLSYNC_MEMORY, "not enough memory");
    made->client = client;
    made->pause_ms = PAUSE_MS;
    if (hs_box_open(&made->box, path) != 0) {
        free(made);
        return not_opened(client, path);
    }
    const struct hs_box_position *told = &made->box.told;
    struct hallsync_position position = {.commit = told->commit, .tag = told->tag, .store = told->store};
    if (told->commit != 0)
        hallsync_set_position(client, &position);
    *outbox = made;
    return HALLSYNC_OK;
}

void hallsync_outbox_close(struct hallsync_outbox *outbox)
{
    if (outbox == NULL)
        return;
    hs_box_close(&outbox->box);
    free(outbox);
}

/* ---- what the node said ---- */

/* Of one write: its result, or NULL with what was said instead in @error. */
static const Hallsync__PutResult *result_of(const Hallsync__Reply *reply, const char **error, const char **text)
{
    const Hallsync__PutResult *result = NULL;
    *error = reply->error;
    *text = reply->text;
    if (reply->error != NULL)
        return NULL;
    if (reply->body_case == HALLSYNC__REPLY__BODY_PUT && reply->put->n_results == 1)
        result = reply->put->results[0];
    *error = result == NULL ? "protocol" : result->error;
    *text = result == NULL ? "the answer to a write is not one" : result->text;
    return *error == NULL ? result : NULL;
}

static bool is_at_hub(const Hallsync__PutResult *result)
{
    return result->has_safe && result->safe >= HALLSYNC__SAFETY__SAFETY_HUB;
}

/* The note may be lost: then the request is sent once more. */
static void take_out(struct hallsync_outbox *outbox, size_t at)
{
    outbox->unwritten += hs_box_done(&outbox->box, at) != 0;
    outbox->next -= outbox->next > at;
}

static void take_answer(struct hallsync_outbox *outbox, size_t at, const Hallsync__PutResult *result)
{
    struct hs_box_entry *entry = &outbox->box.entries[at];
    struct hallsync_position position = hallsync_position(outbox->client);
    struct hs_box_position told = {.commit = position.commit, .tag = position.tag, .store = position.store};
    free(entry->refused);
    entry->refused = NULL;
    if (!entry->answered || told.commit != outbox->box.told.commit || told.tag != outbox->box.told.tag)
        outbox->unwritten += hs_box_answered(&outbox->box, at, &told) != 0;
    if (is_at_hub(result))
        take_out(outbox, at);
}

static void note_refusal(struct hallsync_outbox *outbox, size_t at, const char *error, const char *text)
{
    struct hs_box_entry *entry = &outbox->box.entries[at];
    char said[REFUSED_MAX];
    snprintf(said, sizeof said, "%s: %s", error, text != NULL ? text : "refused");
    free(entry->refused);
    entry->refused = strdup(said);
    hallsync_fail(outbox->client, HALLSYNC_REFUSED, "%s", said);
}

/* ---- the first sending ---- */

static bool is_one_write(const Hallsync__Request *request)
{
    return request->body_case == HALLSYNC__REQUEST__BODY_REVERSE ||
           (request->body_case == HALLSYNC__REQUEST__BODY_PUT && request->put->n_records == 1);
}

static Hallsync__Request *unpack(const struct hs_box_entry *entry)
{
    return hallsync__request__unpack(NULL, entry->size, entry->request);
}

/* What is on the node's disk makes room for what nobody has yet. */
static bool make_room(struct hallsync_outbox *outbox)
{
    struct hs_box *box = &outbox->box;
    size_t at = 0;
    while (at < box->count && !box->entries[at].answered)
        at++;
    if (at == box->count)
        return false;
    take_out(outbox, at);
    outbox->dropped++;
    return true;
}

static enum hallsync_status keep(struct hallsync_outbox *outbox, const Hallsync__Request *request)
{
    size_t size = hallsync__request__get_packed_size(request);
    uint8_t *bytes = malloc(size + 1);
    if (bytes == NULL)
        return hallsync_fail(outbox->client, HALLSYNC_MEMORY, "not enough memory");
    hallsync__request__pack(request, bytes);
    int result;
    do {
        errno = 0;
        result = hs_box_add(&outbox->box, clock_ms(CLOCK_REALTIME), request->id.data, bytes, size);
    } while (result != 0 && errno == ENOBUFS && make_room(outbox));
    free(bytes);
    outbox->pause_ms = PAUSE_MS;
    if (outbox->round_ms > clock_ms(CLOCK_MONOTONIC) + PAUSE_MS)
        outbox->round_ms = clock_ms(CLOCK_MONOTONIC) + PAUSE_MS;
    return result == 0 ? HALLSYNC_OK : system_error(outbox, outbox->box.path);
}

/* The request as it is kept: with its id, without a position, which is told anew at each sending. */
static enum hallsync_status keep_once(struct hallsync_outbox *outbox, const Hallsync__Request *request, uint8_t id[16])
{
    bool repeated = request->id.len == HS_REQUEST_ID_BYTES;
    Hallsync__Request kept = *request;
    if (repeated)
        memmove(id, request->id.data, HS_REQUEST_ID_BYTES);
    else
        randombytes_buf(id, HS_REQUEST_ID_BYTES);
    if (repeated && hs_box_find(&outbox->box, id) < outbox->box.count)
        return HALLSYNC_OK;
    kept.version = request->version != 0 ? request->version : 1;
    kept.id = (ProtobufCBinaryData){.len = HS_REQUEST_ID_BYTES, .data = id};
    kept.seen = NULL;
    return keep(outbox, &kept);
}

enum hallsync_status hallsync_outbox_call(struct hallsync_outbox *outbox, const Hallsync__Request *request,
                                          uint8_t id[16], const Hallsync__Reply **reply)
{
    *reply = NULL;
    if (!is_one_write(request)) {
        errno = EINVAL;
        return system_error(outbox, "an outbox keeps writes of one record, and reversals");
    }
    enum hallsync_status status = keep_once(outbox, request, id);
    if (status != HALLSYNC_OK)
        return status;
    Hallsync__Request sent = *request;
    sent.id = (ProtobufCBinaryData){.len = HS_REQUEST_ID_BYTES, .data = id};
    status = hallsync_call(outbox->client, &sent, id, reply);
    if (*reply == NULL)
        return status; /* not known: kept */
    const char *error, *text;
    const Hallsync__PutResult *result = result_of(*reply, &error, &text);
    size_t at = hs_box_find(&outbox->box, id);
    if (result != NULL) {
        take_answer(outbox, at, result);
        return HALLSYNC_OK;
    }
    if (outbox->box.entries[at].answered)
        note_refusal(outbox, at, error, text); /* it was done once: kept until it can be done anew */
    else
        take_out(outbox, at);
    return hallsync_fail(outbox->client, HALLSYNC_REFUSED, "%s: %s", error, text != NULL ? text : "refused");
}

static enum hallsync_status call(void *ctx, const Hallsync__Request *request, uint8_t id[16],
                                 const Hallsync__Reply **reply)
{
    return hallsync_outbox_call(ctx, request, id, reply);
}

enum hallsync_status hallsync_outbox_put(struct hallsync_outbox *outbox, uint32_t kind, const ProtobufCMessage *record,
                                         const Hallsync__PutResult **result)
{
    struct hallsync_caller caller = {.ctx = outbox, .call = call, .client = outbox->client};
    return hallsync_put_by(&caller, kind, record, result);
}

/* ---- sent again ---- */

/* Kinds whose fields are written over. */
static bool is_register(uint32_t kind)
{
    return kind == HALLSYNC_KIND_CUSTOMER || kind == HALLSYNC_KIND_BILL || kind == HALLSYNC_KIND_TICKET ||
           kind == HALLSYNC_KIND_CATALOGUE || kind == HALLSYNC_KIND_NOTICE;
}

static bool take_varint(const ProtobufCBinaryData *bytes, size_t *at, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 64 && *at < bytes->len; shift += 7) {
        uint8_t byte = bytes->data[(*at)++];
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

/* The numbers of the fields of a record, at most @room; -1: not a message, or of more. */
static int field_numbers(const ProtobufCBinaryData *record, uint32_t *numbers, size_t room)
{
    size_t at = 0, count = 0;
    while (at < record->len) {
        uint64_t tag, size = 0;
        if (!take_varint(record, &at, &tag) || count == room)
            return -1;
        bool whole = true;
        if ((tag & 7) == 0)
            whole = take_varint(record, &at, &(uint64_t){0});
        else if ((tag & 7) == 2)
            whole = take_varint(record, &at, &size);
        else if ((tag & 7) == 1 || (tag & 7) == 5)
            size = (tag & 7) == 1 ? 8 : 4;
        else
            return -1;
        if (!whole || size > record->len - at)
            return -1;
        at += size;
        numbers[count++] = (uint32_t)(tag >> 3);
    }
    return (int)count;
}

/* A change that was done once, and may have to be done anew: what has been written since was not seen by whoever made
 * it, so it overwrites nothing. */
static bool overwrite_nothing(Hallsync__PutRecord *record, Hallsync__FieldDots *dots, Hallsync__FieldDots **list,
                              size_t room)
{
    uint32_t numbers[HS_WRITE_FIELDS_MAX];
    int count = field_numbers(&record->record, numbers, HS_WRITE_FIELDS_MAX);
    if (count < 0 || (size_t)count + record->n_clear > room)
        return false;
    for (size_t i = 0; i < (size_t)count + record->n_clear; i++) {
        hallsync__field_dots__init(&dots[i]);
        dots[i].field = i < (size_t)count ? numbers[i] : record->clear[i - (size_t)count];
        list[i] = &dots[i];
    }
    record->seen = list;
    record->n_seen = (size_t)count + record->n_clear;
    return true;
}

static enum hallsync_status send_unpacked(struct hallsync_outbox *outbox, Hallsync__Request *request, bool answered,
                                          const Hallsync__Reply **reply)
{
    Hallsync__FieldDots dots[HS_WRITE_FIELDS_MAX];
    Hallsync__FieldDots *list[HS_WRITE_FIELDS_MAX];
    Hallsync__PutRecord *record = request->body_case == HALLSYNC__REQUEST__BODY_PUT ? request->put->records[0] : NULL;
    uint8_t id[16];
    bool named = answered && record != NULL && is_register(request->put->kind) && record->n_seen == 0 &&
                 record->source == NULL;
    if (named && !overwrite_nothing(record, dots, list, HS_WRITE_FIELDS_MAX))
        return hallsync_fail(outbox->client, HALLSYNC_PROTOCOL, "a record of the outbox cannot be read");
    enum hallsync_status status = hallsync_call(outbox->client, request, id, reply);
    if (named) { /* these are not the message's to free */
        record->seen = NULL;
        record->n_seen = 0;
    }
    return status;
}

/* The entry @next, which is passed then or taken out.  Where nobody answered it stays the next one. */
static enum hallsync_status send_next(struct hallsync_outbox *outbox)
{
    size_t at = outbox->next;
    bool answered = outbox->box.entries[at].answered;
    const Hallsync__Reply *reply = NULL;
    Hallsync__Request *request = unpack(&outbox->box.entries[at]);
    if (request == NULL)
        return hallsync_fail(outbox->client, HALLSYNC_MEMORY, "not enough memory");
    enum hallsync_status status = is_one_write(request) ? send_unpacked(outbox, request, answered, &reply)
                                                        : HALLSYNC_PROTOCOL;
    hallsync__request__free_unpacked(request, NULL);
    if (reply == NULL && status != HALLSYNC_PROTOCOL)
        return status;
    outbox->next++;
    const char *error = "protocol", *text = "not a write that can be sent";
    const Hallsync__PutResult *result = reply != NULL ? result_of(reply, &error, &text) : NULL;
    if (result == NULL) {
        note_refusal(outbox, at, error, text);
        return reply != NULL && reply->error != NULL ? HALLSYNC_REFUSED : HALLSYNC_OK;
    }
    bool done_now = result->result == HALLSYNC__RESULT__RESULT_CREATED ||
                    result->result == HALLSYNC__RESULT__RESULT_CHANGED;
    outbox->again += answered && done_now;
    outbox->changed = outbox->changed || done_now || !answered || is_at_hub(result);
    take_answer(outbox, at, result);
    return HALLSYNC_OK;
}

static void end_round(struct hallsync_outbox *outbox)
{
    outbox->pause_ms = outbox->changed ? PAUSE_MS : 2 * outbox->pause_ms;
    if (outbox->pause_ms > PAUSE_MS_MAX)
        outbox->pause_ms = PAUSE_MS_MAX;
    outbox->round_ms = clock_ms(CLOCK_MONOTONIC) + outbox->pause_ms;
    outbox->changed = false;
    outbox->next = 0;
}

enum hallsync_status hallsync_outbox_work(struct hallsync_outbox *outbox, unsigned requests_max)
{
    enum hallsync_status status = HALLSYNC_OK;
    if (outbox->next == 0 && clock_ms(CLOCK_MONOTONIC) < outbox->round_ms)
        return HALLSYNC_OK;
    for (unsigned i = 0; i < requests_max && outbox->next < outbox->box.count && status == HALLSYNC_OK; i++)
        status = send_next(outbox);
    if (outbox->next >= outbox->box.count)
        end_round(outbox);
    return status;
}

/* ---- what there is ---- */

void hallsync_outbox_state(const struct hallsync_outbox *outbox, struct hallsync_outbox_state *state)
{
    const struct hs_box *box = &outbox->box;
    *state = (struct hallsync_outbox_state){.waiting = box->count,
                                            .oldest_ms = box->count > 0 ? box->entries[0].time_ms : 0,
                                            .again = outbox->again,
                                            .dropped = outbox->dropped,
                                            .passed_over = box->passed_over,
                                            .unwritten = outbox->unwritten};
    for (size_t i = 0; i < box->count; i++) {
        state->unanswered += !box->entries[i].answered;
        state->refused += box->entries[i].refused != NULL;
    }
}

int hallsync_outbox_each(const struct hallsync_outbox *outbox, hallsync_outbox_visit visit, void *ctx)
{
    int result = 0;
    for (size_t i = 0; i < outbox->box.count && result == 0; i++) {
        const struct hs_box_entry *entry = &outbox->box.entries[i];
        Hallsync__Request *request = unpack(entry);
        if (request == NULL) {
            errno = ENOMEM;
            return -1;
        }
        struct hallsync_outbox_item item = {
            .request = request, .time_ms = entry->time_ms, .answered = entry->answered, .refused = entry->refused};
        result = visit(ctx, &item);
        hallsync__request__free_unpacked(request, NULL);
    }
    return result;
}

enum hallsync_status hallsync_outbox_forget(struct hallsync_outbox *outbox, const uint8_t id[16])
{
    size_t at = hs_box_find(&outbox->box, id);
    if (at == outbox->box.count)
        return hallsync_fail(outbox->client, HALLSYNC_REFUSED, "no request of the outbox has this id");
    take_out(outbox, at);
    return HALLSYNC_OK;
}
