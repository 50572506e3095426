/* What only the node that wrote an op remembers of it: the request that it answered, and the cash numbers given out. */
#include "storage/records/env.h"

#include "proto/base/text.h"

#include <string.h>

#define COUNTER_BYTES 8

/* "node-date-window-SERIES-000017": the series is what stands before the last hyphen. */
static bool split_number(struct hs_bytes id, struct hs_bytes *series, uint64_t *counter)
{
    size_t at = id.size;
    while (at > 0 && id.data[at - 1] != '-')
        at--;
    int64_t value;
    if (at < 2 || hs_text_to_i64((const char *)id.data + at, id.size - at, &value) != HS_OK || value <= 0)
        return false;
    *series = HS_BYTES(id.data, at - 1);
    *counter = (uint64_t)value;
    return true;
}

static uint64_t highest(struct hs_txn *txn, struct hs_bytes series)
{
    struct hs_bytes value;
    bool known = hs_txn_get(txn, HS_TABLE_NUMBER, series, &value) == HS_OK && value.size == COUNTER_BYTES;
    return known ? hs_from_be64(value.data) : 0;
}

static void note_number(struct hs_records *records, struct hs_bytes id)
{
    struct hs_bytes series;
    uint64_t counter;
    uint8_t raw[COUNTER_BYTES];
    if (!split_number(id, &series, &counter) || counter <= highest(&records->txn, series))
        return;
    hs_be64(raw, counter);
    hs_txn_put(&records->txn, HS_TABLE_NUMBER, series, HS_BYTES(raw, sizeof raw));
}

static void note_request(struct hs_records *records, const struct hs_records_op *op, struct hs_bytes request)
{
    uint8_t raw[HS_STREAM_KEY_BYTES + 8];
    hs_stream_key(&op->stream, raw);
    hs_be64(raw + HS_STREAM_KEY_BYTES, op->n);
    hs_txn_put(&records->txn, HS_TABLE_REQUEST, request, HS_BYTES(raw, sizeof raw));
}

void hs_numbers_note(struct hs_records *records, const struct hs_records_op *op, const struct hs_op *decoded)
{
    if (decoded->request.size != 0)
        note_request(records, op, decoded->request);
    for (size_t i = 0; i < decoded->write_count; i++) {
        const struct hs_write *write = &decoded->writes[i];
        if (write->kind == HS_KIND_CASH_ENTRY && write->is_fact)
            note_number(records, write->id);
    }
}

/* A later op may have come under the same request id. */
void hs_numbers_forget(struct hs_records *records, const struct hs_records_op *op, struct hs_bytes request)
{
    struct hs_stream stream;
    uint64_t n;
    enum hs_err err = hs_records_request(&records->txn, request, &stream, &n);
    if (err == HS_OK && hs_stream_equal(&stream, &op->stream) && n == op->n)
        hs_txn_delete(&records->txn, HS_TABLE_REQUEST, request);
}

enum hs_err hs_records_request(struct hs_txn *txn, struct hs_bytes request, struct hs_stream *stream, uint64_t *n)
{
    struct hs_bytes value;
    if (request.size != HS_REQUEST_ID_BYTES)
        return HS_ENOTFOUND;
    enum hs_err err = hs_txn_get(txn, HS_TABLE_REQUEST, request, &value);
    if (err != HS_OK)
        return err;
    if (value.size != HS_STREAM_KEY_BYTES + 8)
        return HS_EDAMAGED;
    *stream = hs_stream_from_key(value.data);
    *n = hs_from_be64(value.data + HS_STREAM_KEY_BYTES);
    return HS_OK;
}

uint64_t hs_records_counter(struct hs_txn *txn, const char *series)
{
    return series[0] == '\0' ? 0 : highest(txn, HS_BYTES(series, strlen(series)));
}
