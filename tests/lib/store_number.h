/* store_number.h -- numbers of receipts, drawn and taken in the open group of a store. */
#ifndef HS_TESTS_STORE_NUMBER_H
#define HS_TESTS_STORE_NUMBER_H

#include "tests/lib/store_world.h"

#include "proto/msg/tlv.h"

static inline void world_take_number(struct world_node *node, const char *number, uint64_t fact)
{
    struct hs_buf entry = {0};
    hs_tlv_put_text(&entry, 1, number);
    hs_tlv_put_u64(&entry, 2, node->region->now_ms);
    hs_tlv_put_s64(&entry, 3, 100);
    hs_tlv_put_u64(&entry, 4, HS_KIND_PAYMENT);
    struct hs_id id = world_fact_id(node, fact);
    hs_tlv_put_bytes(&entry, 5, HS_BYTES(id.bytes, sizeof id.bytes));
    hs_tlv_put_u64(&entry, 6, 3201);
    struct hs_write write = {.kind = HS_KIND_CASH_ENTRY,
                             .id = HS_BYTES(number, strlen(number)),
                             .is_fact = true,
                             .fact = hs_buf_bytes(&entry)};
    struct hs_draft draft = {.partition = 3201, .lane = HS_LANE_MONEY, .writes = &write, .write_count = 1};
    struct hs_dot dot;
    hs_stamp stamp;
    assert_int_equal(hs_store_write(node->store, &draft, &dot, &stamp), HS_OK);
    hs_buf_fini(&entry);
}

/* Draw a number and take it; answers its counter and leaves the series. */
static inline uint64_t world_next_number(struct world_node *node, uint32_t window,
                                         char series[static HS_NUMBER_BYTES_MAX])
{
    assert_int_equal(hs_store_number(node->store, 20261121, window, series), HS_OK);
    world_take_number(node, series, ++node->made);
    char *counter = strrchr(series, '-');
    *counter++ = '\0';
    assert_true(strlen(counter) >= 6);
    return strtoull(counter, NULL, 10);
}

#endif
