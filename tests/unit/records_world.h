/* records_world.h -- a records environment in a folder of its own, and ops of all kinds put into it; for the tests of
 * storage/records. */
#ifndef RECORDS_WORLD_H
#define RECORDS_WORLD_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/msg/tlv.h"
#include "storage/model/kinds.h"
#include "storage/records/records.h"
#include "storage/records/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORLD_STREAMS_MAX    64
#define WORLD_OFFSET_MINUTES 480
#define WORLD_MAP_BYTES      ((size_t)1 << 30)
#define DAY_MS               86400000ULL
#define NOON_MS              1795233600000ULL /* 2026-11-21 12:00 in Shanghai */

#define TEXT(literal) HS_BYTES(literal, sizeof(literal) - 1)

/* How many rows a list has, and the last of them; its views are those of the list looked at last. */
struct listed {
    struct hs_listed row;
    uint8_t id[HS_RECORD_ID_BYTES_MAX];
    char detail[256];
    size_t count;
};

struct world {
    char dir[64];
    struct hs_records *records;
    struct {
        struct hs_stream stream;
        uint64_t n;
    } streams[WORLD_STREAMS_MAX];
    size_t stream_count;
    hs_stamp stamp; /* of the next op */
    uint64_t commit;
    const struct hs_certificate *writer; /* of the next op; NULL: a hub */
    struct listed listed;
};

static const struct hs_certificate WORLD_HUB = {.role = HS_ROLE_HUB};
static const struct hs_certificate WORLD_HALL = {.role = HS_ROLE_HALL, .districts = {3201}, .district_count = 1};

static inline struct hs_records_options world_options(const struct world *world, bool create)
{
    return (struct hs_records_options){
        .path = world->dir, .map_bytes = WORLD_MAP_BYTES, .create = create, .utc_offset_minutes = WORLD_OFFSET_MINUTES};
}

static inline void world_open(struct world *world)
{
    struct hs_why why = {{0}};
    *world = (struct world){.dir = "/tmp/hs-records-XXXXXX", .stamp = NOON_MS << 16};
    assert_non_null(mkdtemp(world->dir));
    struct hs_records_options options = world_options(world, true);
    assert_int_equal(hs_records_open(&options, &world->records, &why), HS_OK);
}

static inline void world_close(struct world *world)
{
    char path[128];
    hs_records_close(world->records);
    snprintf(path, sizeof path, "%s/data.mdb", world->dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/lock.mdb", world->dir);
    unlink(path);
    assert_int_equal(rmdir(world->dir), 0);
}

static inline struct hs_txn *world_txn(struct world *world)
{
    return hs_records_txn(world->records);
}

static inline void world_verify(struct world *world)
{
    struct hs_why why = {{0}};
    if (hs_records_verify(world_txn(world), &why) != HS_OK)
        fail_msg("verify: %s", why.text);
}

static inline void world_commit(struct world *world)
{
    struct hs_position position = {++world->commit, 7 * world->commit};
    assert_int_equal(hs_records_commit(world->records, &position), HS_OK);
}

/* ---- ops ---- */

static inline uint64_t world_next(struct world *world, struct hs_stream stream)
{
    for (size_t i = 0; i < world->stream_count; i++) {
        if (hs_stream_equal(&world->streams[i].stream, &stream))
            return ++world->streams[i].n;
    }
    assert_true(world->stream_count < WORLD_STREAMS_MAX);
    world->streams[world->stream_count].stream = stream;
    return world->streams[world->stream_count++].n = 1;
}

static inline struct hs_dot world_put_op(struct world *world, struct hs_stream stream, const struct hs_op *op)
{
    struct hs_buf bytes = {0};
    assert_int_equal(hs_op_check(op), HS_OK);
    hs_op_encode(op, &bytes);
    struct hs_records_op record = {.stream = stream,
                                   .n = world_next(world, stream),
                                   .bytes = hs_buf_bytes(&bytes),
                                   .writer = world->writer != NULL ? world->writer : &WORLD_HUB,
                                   .own = true};
    assert_int_equal(hs_records_apply(world->records, &record), HS_OK);
    hs_buf_fini(&bytes);
    return (struct hs_dot){stream.origin, record.n};
}

static inline struct hs_dot world_write(struct world *world, uint64_t origin, hs_partition partition,
                                        const struct hs_write *write)
{
    const struct hs_kind *kind = hs_kind_by_number(write->kind);
    struct hs_stream stream = {origin, partition, (uint8_t)(kind != NULL ? kind->lane : HS_LANE_WORK)};
    struct hs_op op = {.stamp = world->stamp, .writes = write, .write_count = 1};
    world->stamp += 1 << 16;
    return world_put_op(world, stream, &op);
}

static inline struct hs_dot world_fact(struct world *world, uint64_t origin, hs_partition partition, uint16_t kind,
                                       struct hs_bytes id, const struct hs_buf *message)
{
    struct hs_write write = {.kind = kind, .id = id, .is_fact = true, .fact = hs_buf_bytes(message)};
    return world_write(world, origin, partition, &write);
}

/* Text fields 1, 2, ... of a register record: NULL leaves one out, "" clears it; a text that begins with '#' is a
 * number.  All values but those of @over's field stay. */
static inline struct hs_dot world_register(struct world *world, uint64_t origin, uint16_t kind, const char *id,
                                           const char *const texts[8], const struct hs_dot *over)
{
    struct hs_buf values[8] = {{0}};
    struct hs_field_write fields[8];
    struct hs_write write = {.kind = kind, .id = HS_BYTES(id, strlen(id)), .fields = fields};
    for (uint32_t i = 0; i < 8; i++) {
        if (texts[i] == NULL)
            continue;
        if (texts[i][0] == '#')
            hs_tlv_put_u64(&values[i], i + 1, strtoull(texts[i] + 1, NULL, 10));
        else if (texts[i][0] != '\0')
            hs_tlv_put_text(&values[i], i + 1, texts[i]);
        fields[write.field_count++] = (struct hs_field_write){
            .number = i + 1, .value = hs_buf_bytes(&values[i]), .over = over, .over_count = over != NULL};
    }
    struct hs_dot dot = world_write(world, origin, 3201, &write);
    for (size_t i = 0; i < 8; i++)
        hs_buf_fini(&values[i]);
    return dot;
}

/* An id of 16 bytes that begins with @number. */
static inline struct hs_id id_of(uint64_t number)
{
    struct hs_id id = {{0}};
    hs_be64(id.bytes, number);
    return id;
}

static inline struct hs_dot put_payment(struct world *world, uint64_t origin, uint64_t number, const char *account,
                                        int64_t fen, const char *bill_id)
{
    struct hs_buf message = {0};
    struct hs_id id = id_of(number);
    hs_tlv_put_text(&message, 2, account);
    hs_tlv_put_u64(&message, 3, (uint64_t)fen);
    if (bill_id != NULL)
        hs_tlv_put_text(&message, 4, bill_id);
    hs_tlv_put_u64(&message, 6, origin); /* the window */
    struct hs_dot dot = world_fact(world, origin, hs_account_partition(account), HS_KIND_PAYMENT,
                                   HS_BYTES(id.bytes, sizeof id.bytes), &message);
    hs_buf_fini(&message);
    return dot;
}

static inline void put_reversal(struct world *world, uint64_t origin, uint64_t number, uint64_t payment,
                                hs_partition partition)
{
    struct hs_buf message = {0};
    struct hs_id id = id_of(number);
    struct hs_id payment_id = id_of(payment);
    hs_tlv_put_bytes(&message, 2, HS_BYTES(payment_id.bytes, sizeof payment_id.bytes));
    hs_tlv_put_u64(&message, 5, origin);
    world_fact(world, origin, partition, HS_KIND_REVERSAL, HS_BYTES(id.bytes, sizeof id.bytes), &message);
    hs_buf_fini(&message);
}

static inline void put_bill(struct world *world, uint64_t origin, const char *bill_id, const char *account,
                            const char *fen, const struct hs_dot *over)
{
    world_register(world, origin, HS_KIND_BILL, bill_id, (const char *const[8]){bill_id, account, NULL, fen}, over);
}

static inline void put_entry(struct world *world, uint64_t origin, hs_partition partition, const char *number,
                             uint64_t payment, int64_t fen)
{
    struct hs_buf message = {0};
    struct hs_id payment_id = id_of(payment);
    hs_tlv_put_text(&message, 1, number);
    hs_tlv_put_u64(&message, 2, NOON_MS);
    hs_tlv_put_s64(&message, 3, fen);
    hs_tlv_put_u64(&message, 4, HS_KIND_PAYMENT);
    hs_tlv_put_bytes(&message, 5, HS_BYTES(payment_id.bytes, sizeof payment_id.bytes));
    hs_tlv_put_u64(&message, 6, 3201);
    world_fact(world, origin, partition, HS_KIND_CASH_ENTRY, HS_BYTES(number, strlen(number)), &message);
    hs_buf_fini(&message);
}

static inline void put_ticket(struct world *world, uint64_t origin, uint64_t number, const char *service)
{
    struct hs_buf values[2] = {{0}};
    struct hs_id id = id_of(number);
    hs_tlv_put_text(&values[0], 2, service);
    hs_tlv_put_text(&values[1], 4, "no light");
    struct hs_field_write fields[2] = {{.number = 2, .value = hs_buf_bytes(&values[0])},
                                       {.number = 4, .value = hs_buf_bytes(&values[1])}};
    struct hs_write write = {
        .kind = HS_KIND_TICKET, .id = HS_BYTES(id.bytes, sizeof id.bytes), .fields = fields, .field_count = 2};
    world_write(world, origin, 3201, &write);
    hs_buf_fini(&values[0]);
    hs_buf_fini(&values[1]);
}

static inline void put_event(struct world *world, uint64_t origin, uint64_t number, uint64_t ticket, const char *move,
                             const char *assignee)
{
    struct hs_buf message = {0};
    struct hs_id id = id_of(number);
    struct hs_id ticket_id = id_of(ticket);
    hs_tlv_put_bytes(&message, 2, HS_BYTES(ticket_id.bytes, sizeof ticket_id.bytes));
    if (move != NULL)
        hs_tlv_put_text(&message, 3, move);
    if (assignee != NULL)
        hs_tlv_put_text(&message, 4, assignee);
    world_fact(world, origin, 3201, HS_KIND_TICKET_EVENT, HS_BYTES(id.bytes, sizeof id.bytes), &message);
    hs_buf_fini(&message);
}

/* Does the message put the record into no partition, or into this one? */
static inline bool is_at_home(const struct hs_kind *kind, hs_partition partition, struct hs_bytes message)
{
    hs_partition home;
    struct hs_bytes value = kind->home_field != 0 ? hs_tlv_bytes(message, kind->home_field) : HS_BYTES_NONE;
    return !hs_kind_home(kind, value, &home) || home == partition;
}

/* ---- looking ---- */

static inline enum hs_err count_record(void *ctx, const struct hs_stored *stored)
{
    assert_true(stored->state.size > 0);
    ++*(size_t *)ctx;
    return HS_OK;
}

static inline size_t count_index(struct world *world, uint16_t kind, const char *index, struct hs_bytes value)
{
    size_t count = 0;
    uint8_t number = hs_kind_index(hs_kind_by_number(kind), index)->number;
    assert_int_equal(hs_records_index(world_txn(world), kind, number, value, HS_BYTES_NONE, count_record, &count),
                     HS_OK);
    return count;
}

static inline enum hs_err keep_listed(void *ctx, const struct hs_listed *row)
{
    struct listed *listed = ctx;
    listed->count++;
    listed->row = *row;
    assert_true(row->detail.size < sizeof listed->detail);
    memcpy(listed->id, row->name.id.data, row->name.id.size);
    if (row->detail.size != 0)
        memcpy(listed->detail, row->detail.data, row->detail.size);
    listed->row.name.id.data = listed->id;
    listed->row.detail.data = (const uint8_t *)listed->detail;
    return HS_OK;
}

static inline struct listed look_at_list(struct world *world, enum hs_list list)
{
    memset(&world->listed, 0, sizeof world->listed);
    assert_int_equal(hs_records_list(world_txn(world), list, HS_BYTES_NONE, keep_listed, &world->listed), HS_OK);
    assert_int_equal(hs_records_list_count(world_txn(world), list), world->listed.count);
    return world->listed;
}

static inline struct hs_totals totals_of(struct world *world, const struct hs_totals_filter *filter)
{
    struct hs_totals totals;
    assert_int_equal(hs_records_totals(world_txn(world), filter, &totals), HS_OK);
    return totals;
}

static inline void expect_totals(struct hs_totals totals, uint64_t count, int64_t sum, uint64_t reversed,
                                 int64_t reversed_fen)
{
    assert_int_equal(totals.count, count);
    assert_int_equal(totals.sum_fen, sum);
    assert_int_equal(totals.reversed_count, reversed);
    assert_int_equal(totals.reversed_fen, reversed_fen);
}

static inline void put_late_fee(struct world *world, const char *bill_id, const char *date, uint64_t fen)
{
    struct hs_buf fees = {0}, fee = {0};
    hs_tlv_put_text(&fee, 1, date);
    hs_tlv_put_u64(&fee, 2, fen);
    hs_tlv_put_bytes(&fees, 7, hs_buf_bytes(&fee));
    struct hs_field_write field = {.number = 7, .value = hs_buf_bytes(&fees)};
    struct hs_write write = {
        .kind = HS_KIND_BILL, .id = HS_BYTES(bill_id, strlen(bill_id)), .fields = &field, .field_count = 1};
    world_write(world, 1, 3201, &write);
    hs_buf_fini(&fees);
    hs_buf_fini(&fee);
}

#define DAYS(count) ((hs_stamp)(count)*24 * 60 * 60 * 1000 << 16)

#endif
