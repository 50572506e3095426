/* One record to the node, one record from it. */
#include "node/client/hallsync.h"

#include "node/client/client.h"

#include <stdlib.h>

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

    uint8_t id[16];
    const Hallsync__Reply *reply;
    enum hallsync_status status = caller->call(caller->ctx, &request, id, &reply);
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

enum hallsync_status hallsync_get(struct hallsync *client, uint32_t kind, const char *id,
                                  const Hallsync__Record **record)
{
    *record = NULL;
    Hallsync__GetRequest get = HALLSYNC__GET_REQUEST__INIT;
    get.kind = kind;
    get.id = (char *)id; /* only read: protobuf-c's members know no const */
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_GET;
    request.get = &get;

    uint8_t request_id[16];
    const Hallsync__Reply *reply;
    enum hallsync_status status = hallsync_call(client, &request, request_id, &reply);
    if (status != HALLSYNC_OK)
        return status;
    if (reply->body_case != HALLSYNC__REPLY__BODY_RECORDS || reply->records->n_records != 1)
        return hallsync_fail(client, HALLSYNC_PROTOCOL, "the answer to a get is not one");
    *record = reply->records->records[0];
    return HALLSYNC_OK;
}
