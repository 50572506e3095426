/* One record to the node, records from it. */
#include "node/client/hallsync.h"

#include "node/client/client.h"

#include <limits.h>
#include <stdlib.h>

#define WATCH_MS_MAX 60000
#define FOUND_MAX    1000

/* A request that is answered with the result of one write. */
static enum hallsync_status write_one(const struct hallsync_caller *caller, const Hallsync__Request *request,
                                      const Hallsync__PutResult **result)
{
    uint8_t id[16];
    const Hallsync__Reply *reply;
    *result = NULL;
    enum hallsync_status status = caller->call(caller->ctx, request, id, &reply);
    if (status != HALLSYNC_OK && (reply == NULL || reply->error != NULL))
        return status;
    if (reply->body_case != HALLSYNC__REPLY__BODY_PUT || reply->put->n_results != 1)
        return hallsync_fail(caller->client, HALLSYNC_PROTOCOL, "the answer to a put is not one");
    const Hallsync__PutResult *first = reply->put->results[0];
    *result = first;
    if (first->error == NULL)
        return HALLSYNC_OK;
    return hallsync_fail(caller->client, HALLSYNC_REFUSED, "%s: %s", first->error,
                         first->text != NULL ? first->text : "refused");
}

static enum hallsync_status put_packed(const struct hallsync_caller *caller, uint32_t kind, ProtobufCBinaryData packed,
                                       const Hallsync__PutResult **result)
{
    Hallsync__PutRecord record = HALLSYNC__PUT_RECORD__INIT;
    record.record = packed;
    Hallsync__PutRecord *records[] = {&record};
    Hallsync__PutRequest put = HALLSYNC__PUT_REQUEST__INIT;
    put.kind = kind;
    put.n_records = 1;
    put.records = records;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_PUT;
    request.put = &put;
    return write_one(caller, &request, result);
}

enum hallsync_status hallsync_put_by(const struct hallsync_caller *caller, uint32_t kind,
                                     const ProtobufCMessage *record, const Hallsync__PutResult **result)
{
    *result = NULL;
    size_t size = protobuf_c_message_get_packed_size(record);
    uint8_t *bytes = malloc(size + 1); /* a message without fields has no bytes */
    if (bytes == NULL)
        return hallsync_fail(caller->client, HALLSYNC_MEMORY, "not enough memory");
    protobuf_c_message_pack(record, bytes);
    enum hallsync_status status = put_packed(caller, kind, (ProtobufCBinaryData){.len = size, .data = bytes}, result);
    free(bytes);
    return status;
}

static enum hallsync_status call(void *ctx, const Hallsync__Request *request, uint8_t id[16],
                                 const Hallsync__Reply **reply)
{
    return hallsync_call(ctx, request, id, reply);
}

enum hallsync_status hallsync_put(struct hallsync *client, uint32_t kind, const ProtobufCMessage *record,
                                  const Hallsync__PutResult **result)
{
    struct hallsync_caller caller = {.ctx = client, .call = call, .client = client};
    return hallsync_put_by(&caller, kind, record, result);
}

enum hallsync_status hallsync_reverse(struct hallsync *client, const Hallsync__ReverseRequest *reverse,
                                      const Hallsync__PutResult **result)
{
    struct hallsync_caller caller = {.ctx = client, .call = call, .client = client};
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_REVERSE;
    request.reverse = (Hallsync__ReverseRequest *)(uintptr_t)reverse; /* only read */
    return write_one(&caller, &request, result);
}

/* ---- records from the node ---- */

static enum hallsync_status read_records(struct hallsync *client, const Hallsync__Request *request,
                                         const Hallsync__RecordsReply **records)
{
    uint8_t id[16];
    const Hallsync__Reply *reply;
    enum hallsync_status status = hallsync_call(client, request, id, &reply);
    *records = NULL;
    if (status != HALLSYNC_OK)
        return status;
    if (reply->body_case != HALLSYNC__REPLY__BODY_RECORDS)
        return hallsync_fail(client, HALLSYNC_PROTOCOL, "the answer has no records");
    *records = reply->records;
    return HALLSYNC_OK;
}

enum hallsync_status hallsync_get(struct hallsync *client, uint32_t kind, const char *id,
                                  const Hallsync__Record **record)
{
    const Hallsync__RecordsReply *records;
    Hallsync__GetRequest get = HALLSYNC__GET_REQUEST__INIT;
    get.kind = kind;
    get.id = (char *)(uintptr_t)id; /* only read: protobuf-c's members know no const */
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_GET;
    request.get = &get;
    enum hallsync_status status = read_records(client, &request, &records);
    *record = NULL;
    if (status != HALLSYNC_OK)
        return status;
    if (records->n_records != 1)
        return hallsync_fail(client, HALLSYNC_PROTOCOL, "the answer to a get is not one");
    *record = records->records[0];
    return HALLSYNC_OK;
}

enum hallsync_status hallsync_find(struct hallsync *client, uint32_t kind, const char *index, const char *key,
                                   const Hallsync__RecordsReply **found)
{
    Hallsync__FindRequest find = HALLSYNC__FIND_REQUEST__INIT;
    find.kind = kind;
    find.index = (char *)(uintptr_t)index;
    find.key = (char *)(uintptr_t)key;
    find.has_limit = 1;
    find.limit = FOUND_MAX;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_FIND;
    request.find = &find;
    return read_records(client, &request, found);
}

/* ---- changes ---- */

/* More than the longest that a node lets anybody wait is no use. */
static unsigned patience(const struct hallsync *client, const Hallsync__WatchRequest *what)
{
    unsigned timeout_ms = hallsync_timeout(client);
    unsigned wait_ms = what->has_wait_ms ? what->wait_ms : 0;
    unsigned most = wait_ms < WATCH_MS_MAX ? wait_ms : WATCH_MS_MAX;
    return timeout_ms < UINT_MAX - most ? timeout_ms + most : UINT_MAX;
}

enum hallsync_status hallsync_watch(struct hallsync *client, Hallsync__WatchRequest *what, Hallsync__Position *position,
                                    const Hallsync__WatchReply **reply)
{
    uint8_t id[16];
    const Hallsync__Reply *whole;
    unsigned timeout_ms = hallsync_timeout(client);
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_WATCH;
    request.watch = what;
    *reply = NULL;
    hallsync_set_timeout(client, patience(client, what));
    enum hallsync_status status = hallsync_call(client, &request, id, &whole);
    hallsync_set_timeout(client, timeout_ms);
    if (status != HALLSYNC_OK)
        return status;
    if (whole->body_case != HALLSYNC__REPLY__BODY_WATCH)
        return hallsync_fail(client, HALLSYNC_PROTOCOL, "the answer is none of the change feed");
    *position = *whole->watch->position; /* numbers only */
    position->base.n_unknown_fields = 0;
    position->base.unknown_fields = NULL;
    what->from = position;
    *reply = whole->watch;
    return HALLSYNC_OK;
}
