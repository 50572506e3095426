/* records_test.c -- storage/records: what follows from ops that came in this order or that. */
#include "tests/unit/records_world.h"

#include "proto/base/hash.h"
#include "proto/base/text.h"
#include "storage/model/record.h"

#include <time.h>

static struct hs_record_name name_of(hs_partition partition, uint16_t kind, struct hs_bytes id)
{
    return (struct hs_record_name){partition, (uint8_t)hs_kind_by_number(kind)->lane, kind, id};
}

static bool is_listed(struct world *world, enum hs_list list, uint16_t kind, struct hs_bytes id)
{
    struct hs_record_name name = name_of(3201, kind, id);
    return hs_records_listed(world_txn(world), list, &name);
}

/* ---- records, indexes, lists of single records ---- */

static void indexes_follow_what_is_shown(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    struct hs_dot first = world_register(&world, 1, HS_KIND_CUSTOMER, "3201000001",
                                         (const char *const[8]){"3201000001", "Li", NULL, NULL, "id-1", "card-1"},
                                         NULL);
    world_register(&world, 1, HS_KIND_CUSTOMER, "3201000002",
                   (const char *const[8]){"3201000002", "Wang", NULL, NULL, "id-2", "card-1"}, NULL);
    assert_int_equal(count_index(&world, HS_KIND_CUSTOMER, "card_no", TEXT("card-1")), 2);
    assert_int_equal(count_index(&world, HS_KIND_CUSTOMER, "identity_no", TEXT("id-1")), 1);
    assert_int_equal(count_index(&world, HS_KIND_CUSTOMER, "identity_no", TEXT("card-1")), 0);
    assert_int_equal(count_index(&world, HS_KIND_CUSTOMER, "card_no", TEXT("card")), 0);
    world_register(&world, 2, HS_KIND_CUSTOMER, "3201000001",
                   (const char *const[8]){NULL, NULL, NULL, NULL, NULL, "card-9"}, &first);
    assert_int_equal(count_index(&world, HS_KIND_CUSTOMER, "card_no", TEXT("card-1")), 1);
    assert_int_equal(count_index(&world, HS_KIND_CUSTOMER, "card_no", TEXT("card-9")), 1);
    assert_int_equal(look_at_list(&world, HS_LIST_FIELD).count, 0);
    world_verify(&world);
    world_close(&world);
}

static enum hs_err take_two(void *ctx, const struct hs_stored *stored)
{
    struct hs_row_key *last = ctx;
    if (last[1].size != 0)
        return HS_EBUSY; /* a page is full */
    struct hs_row_key *row = last[0].size != 0 ? &last[1] : &last[0];
    row->size = hs_record_key(&stored->name, row->bytes);
    return HS_OK;
}

/* By who wrote a fact, and on which day of UTC; of two contents under one id by who wrote the one that counts. */
static void facts_are_found_by_writer_and_day(void **state)
{
    (void)state;
    struct world world;
    char one[HS_WRITTEN_BYTES], other[HS_WRITTEN_BYTES], later[HS_WRITTEN_BYTES];
    uint32_t today = hs_date_of(NOON_MS, 0);
    hs_written_text(1, today, one);
    hs_written_text(2, today, other);
    hs_written_text(1, hs_date_of(NOON_MS + 86400000, 0), later);
    assert_string_equal(one + 17, "20261121");
    world_open(&world);
    put_event(&world, 1, 10, 1, "open", NULL);
    put_event(&world, 1, 11, 1, NULL, NULL);
    assert_int_equal(count_index(&world, HS_KIND_TICKET_EVENT, "written", TEXT(one)), 2);
    world.stamp += (uint64_t)86400000 << 16;
    put_event(&world, 1, 12, 1, NULL, "zhao");
    assert_int_equal(count_index(&world, HS_KIND_TICKET_EVENT, "written", TEXT(later)), 1);
    world.stamp -= (uint64_t)86400000 << 16;
    put_event(&world, 2, 10, 1, "open", "qian"); /* another content */
    put_event(&world, 2, 11, 1, NULL, "qian");
    assert_int_equal(count_index(&world, HS_KIND_TICKET_EVENT, "written", TEXT(one)) +
                         count_index(&world, HS_KIND_TICKET_EVENT, "written", TEXT(other)),
                     2);
    world_verify(&world);
    world_close(&world);
}

static void pages_go_on_behind_a_record(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    for (uint64_t i = 1; i <= 3; i++)
        put_payment(&world, 1, i, "3201000001", 100, NULL);
    put_payment(&world, 1, 9, "3301000001", 100, NULL);
    uint8_t index = hs_kind_index(hs_kind_by_number(HS_KIND_PAYMENT), "account")->number;
    for (int all = 0; all <= 1; all++) {
        struct hs_row_key page[2] = {0};
        struct hs_row_key rest[2] = {0};
        struct hs_txn *txn = world_txn(&world);
        enum hs_err err = all ? hs_records_all(txn, HS_KIND_PAYMENT, HS_BYTES_NONE, take_two, page)
                              : hs_records_index(txn, HS_KIND_PAYMENT, index, TEXT("3201000001"), HS_BYTES_NONE,
                                                 take_two, page);
        assert_int_equal(err, HS_EBUSY);
        assert_true(hs_bytes_compare(hs_row_key_bytes(&page[0]), hs_row_key_bytes(&page[1])) < 0);
        struct hs_bytes after = hs_row_key_bytes(&page[1]);
        err = all ? hs_records_all(txn, HS_KIND_PAYMENT, after, take_two, rest)
                  : hs_records_index(txn, HS_KIND_PAYMENT, index, TEXT("3201000001"), after, take_two, rest);
        assert_int_equal(err, HS_OK);
        assert_true(hs_bytes_compare(after, hs_row_key_bytes(&rest[0])) < 0);
        assert_int_equal(rest[1].size != 0, all);
    }
    assert_int_equal(hs_records_index(world_txn(&world), 77, 1, TEXT("x"), HS_BYTES_NONE, take_two, NULL), HS_EKIND);
    world_close(&world);
}

static void broken_records_are_parked_until_mended(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world_register(&world, 1, HS_KIND_CUSTOMER, "3201000001",
                   (const char *const[8]){"3201000001", NULL, NULL, NULL, NULL, "card-1"}, NULL);
    struct listed parked = look_at_list(&world, HS_LIST_PARKED);
    assert_int_equal(parked.count, 1);
    assert_string_equal(parked.detail, "missing-field");
    assert_true(hs_bytes_equal(parked.row.name.id, TEXT("3201000001")));
    assert_int_equal(count_index(&world, HS_KIND_CUSTOMER, "card_no", TEXT("card-1")), 0);
    world_verify(&world);
    world_register(&world, 2, HS_KIND_CUSTOMER, "3201000001", (const char *const[8]){NULL, "Li"}, NULL);
    assert_int_equal(look_at_list(&world, HS_LIST_PARKED).count, 0);
    assert_int_equal(count_index(&world, HS_KIND_CUSTOMER, "card_no", TEXT("card-1")), 1);
    put_payment(&world, 1, 1, "3201000001", -5, "B1");
    expect_totals(totals_of(&world, &(struct hs_totals_filter){0}), 0, 0, 0, 0);
    assert_string_equal(look_at_list(&world, HS_LIST_PARKED).detail, "bad-amount");
    put_bill(&world, 1, "B2", "3201000001", "#5", NULL);
    world_register(&world, 1, HS_KIND_BILL, "B3", (const char *const[8]){"B4", "3201000001", NULL, "#5"}, NULL);
    assert_true(is_listed(&world, HS_LIST_PARKED, HS_KIND_BILL, TEXT("B3"))); /* its id is not its own */
    assert_int_equal(count_index(&world, HS_KIND_BILL, "account", TEXT("3201000001")), 1);
    assert_int_equal(look_at_list(&world, HS_LIST_PARKED).count, 2);
    world_verify(&world);
    world_close(&world);
}

static void rival_values_are_listed_until_resolved(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    struct hs_dot dots[2];
    dots[0] = world_register(&world, 1, HS_KIND_CUSTOMER, "3201000001",
                             (const char *const[8]){"3201000001", "Li", "1", NULL, NULL, NULL, NULL, NULL}, NULL);
    dots[1] = world_register(&world, 2, HS_KIND_CUSTOMER, "3201000001", (const char *const[8]){NULL, "Wang", "2"},
                             NULL);
    struct listed rivals = look_at_list(&world, HS_LIST_FIELD);
    assert_int_equal(rivals.count, 1);
    assert_true(hs_bytes_equal(rivals.row.detail, TEXT("\x02\x03")));
    world_register(&world, 3, HS_KIND_CUSTOMER, "3201000001", (const char *const[8]){NULL, NULL, "2"}, &dots[0]);
    assert_true(hs_bytes_equal(look_at_list(&world, HS_LIST_FIELD).row.detail, TEXT("\x02")));
    world_register(&world, 3, HS_KIND_CUSTOMER, "3201000001", (const char *const[8]){NULL, "Li"}, &dots[1]);
    assert_int_equal(look_at_list(&world, HS_LIST_FIELD).count, 0);
    world_verify(&world);
    world_close(&world);
}

static void void_ops_have_no_effect_and_are_listed(void **state)
{
    (void)state;
    struct world world;
    struct hs_buf bytes = {0};
    world_open(&world);
    struct hs_write write = {.kind = 1001, .id = TEXT("x"), .is_fact = true, .fact = TEXT("y")};
    struct hs_op op = {.stamp = 1, .writes = &write, .write_count = 1, .request = TEXT("0123456789abcdef")};
    hs_op_encode(&op, &bytes);
    struct hs_records_op forbidden = {
        .stream = {5, 3201, HS_LANE_WORK}, .n = 1, .bytes = hs_buf_bytes(&bytes), .writer = &WORLD_HALL, .own = true};
    struct hs_records_op malformed = forbidden;
    struct hs_records_op unknown = forbidden;
    malformed.n = 2;
    malformed.bytes = TEXT("not an op");
    unknown.n = 3;
    unknown.writer = NULL;
    for (int again = 0; again < 2; again++) {
        assert_int_equal(hs_records_apply(world.records, &forbidden), HS_OK);
        assert_string_equal(look_at_list(&world, HS_LIST_VOID).detail, again ? "bad-certificate" : "scope");
        assert_int_equal(hs_records_apply(world.records, &malformed), HS_OK);
        assert_int_equal(hs_records_apply(world.records, &unknown), HS_OK);
    }
    struct listed listed = look_at_list(&world, HS_LIST_VOID);
    assert_int_equal(listed.count, 3);
    assert_true(hs_bytes_equal(listed.row.name.id, TEXT("\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\3")));
    assert_int_equal(listed.row.name.kind, 0);
    assert_true(hs_records_listed(world_txn(&world), HS_LIST_VOID, &listed.row.name));
    assert_int_equal(hs_txn_count(world_txn(&world), HS_TABLE_STATE), 0);
    assert_int_equal(hs_txn_count(world_txn(&world), HS_TABLE_REQUEST), 0);
    forbidden.writer = &WORLD_HUB;
    assert_int_equal(hs_records_apply(world.records, &forbidden), HS_OK);
    assert_int_equal(hs_txn_count(world_txn(&world), HS_TABLE_STATE), 1);
    world_verify(&world);
    hs_buf_fini(&bytes);
    world_close(&world);
}

static void what_is_not_known_is_kept(void **state)
{
    (void)state;
    struct world world;
    struct hs_stored stored;
    struct hs_buf value = {0};
    world_open(&world);
    hs_tlv_put_text(&value, 900, "of version 2");
    struct hs_field_write field = {.number = 900, .value = hs_buf_bytes(&value)};
    struct hs_write writes[2] = {{.kind = 77, .id = TEXT("strange"), .is_fact = true, .fact = TEXT("\xff\xff")},
                                 {.kind = 78, .id = TEXT("strange"), .fields = &field, .field_count = 1}};
    world_write(&world, 1, 3201, &writes[0]);
    world_write(&world, 1, HS_PARTITION_REGION, &writes[1]);
    world_register(&world, 1, HS_KIND_CUSTOMER, "3201000001", (const char *const[8]){"3201000001", "Li"}, NULL);
    struct hs_write more = {.kind = HS_KIND_CUSTOMER, .id = TEXT("3201000001"), .fields = &field, .field_count = 1};
    world_write(&world, 1, 3201, &more);
    assert_int_equal(look_at_list(&world, HS_LIST_PARKED).count, 0);
    assert_int_equal(hs_records_find(world_txn(&world), 77, TEXT("strange"), &stored), HS_OK);
    assert_int_equal(stored.name.partition, 3201);
    assert_int_equal(hs_records_find(world_txn(&world), 78, TEXT("strange"), &stored), HS_OK);
    assert_int_equal(stored.name.partition, HS_PARTITION_REGION);
    assert_int_equal(hs_records_find(world_txn(&world), 79, TEXT("strange"), &stored), HS_ENOTFOUND);
    assert_int_equal(hs_records_find(world_txn(&world), HS_KIND_CUSTOMER, TEXT("3201000001"), &stored), HS_OK);
    struct hs_arena arena;
    struct hs_record record;
    hs_arena_init(&arena, 0);
    assert_int_equal(hs_record_decode(stored.state, &arena, &record), HS_OK);
    assert_non_null(hs_record_field(&record, 900));
    hs_arena_fini(&arena);
    world_verify(&world);
    hs_buf_fini(&value);
    world_close(&world);
}

static void strange_writers_hide_nothing(void **state)
{
    (void)state;
    struct world world;
    struct hs_buf value = {0};
    world_open(&world);
    put_payment(&world, 1, 1, "3201000001", 100, NULL);
    world_register(&world, 1, HS_KIND_CUSTOMER, "3201000001", (const char *const[8]){"3201000001", "Li"}, NULL);
    struct hs_id id = id_of(1);
    hs_tlv_put_u64(&value, 3, 7);
    struct hs_field_write field = {.number = 3, .value = hs_buf_bytes(&value)};
    struct hs_write register_on_fact = {
        .kind = HS_KIND_PAYMENT, .id = HS_BYTES(id.bytes, sizeof id.bytes), .fields = &field, .field_count = 1};
    struct hs_write fact_on_register = {
        .kind = HS_KIND_CUSTOMER, .id = TEXT("3201000001"), .is_fact = true, .fact = TEXT("")};
    world_write(&world, 2, 3201, &register_on_fact);
    world_write(&world, 2, 3201, &fact_on_register);
    struct hs_op wrong_lane = {.stamp = 5, .writes = &fact_on_register, .write_count = 1};
    world_put_op(&world, (struct hs_stream){2, 3201, HS_LANE_MONEY}, &wrong_lane);
    expect_totals(totals_of(&world, &(struct hs_totals_filter){0}), 1, 100, 0, 0);
    struct listed parked = look_at_list(&world, HS_LIST_PARKED);
    assert_int_equal(parked.count, 1); /* the one in the wrong lane */
    assert_int_equal(parked.row.name.lane, HS_LANE_MONEY);
    assert_string_equal(parked.detail, "invalid");
    size_t customers = 0;
    assert_int_equal(hs_records_all(world_txn(&world), HS_KIND_CUSTOMER, HS_BYTES_NONE, count_record, &customers),
                     HS_OK);
    assert_int_equal(customers, 2);
    world_verify(&world);
    hs_buf_fini(&value);
    world_close(&world);
}

static void forked_streams_give_facts_only(void **state)
{
    (void)state;
    struct world world;
    struct hs_buf bytes = {0};
    struct hs_buf value = {0};
    world_open(&world);
    hs_tlv_put_text(&value, 1, "x");
    struct hs_field_write field = {.number = 1, .value = hs_buf_bytes(&value)};
    struct hs_write writes[2] = {{.kind = 77, .id = TEXT("fact"), .is_fact = true, .fact = TEXT("y")},
                                 {.kind = 78, .id = TEXT("register"), .fields = &field, .field_count = 1}};
    struct hs_op op = {.stamp = 1, .writes = writes, .write_count = 2};
    hs_op_encode(&op, &bytes);
    struct hs_records_op record = {.stream = {5, 3201, HS_LANE_WORK},
                                   .n = 9,
                                   .bytes = hs_buf_bytes(&bytes),
                                   .writer = &WORLD_HALL,
                                   .mode = HS_APPLY_FACTS};
    assert_int_equal(hs_records_apply(world.records, &record), HS_OK);
    assert_int_equal(hs_txn_count(world_txn(&world), HS_TABLE_STATE), 1);
    world_verify(&world);
    hs_buf_fini(&bytes);
    hs_buf_fini(&value);
    world_close(&world);
}

/* ---- tickets ---- */

static void tickets_are_folded_in_any_order(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct world world;
        world_open(&world);
        if (!late)
            put_ticket(&world, 1, 1, "outage-report");
        put_event(&world, 1, 10, 1, "open", NULL);
        put_event(&world, 1, 11, 1, "assigned", "zhao");
        put_event(&world, 1, 12, 1, "archived", NULL); /* not from there */
        put_event(&world, 1, 13, 1, NULL, NULL);
        put_event(&world, 1, 20, 2, "open", NULL); /* of a ticket that never comes */
        assert_int_equal(look_at_list(&world, HS_LIST_EVENT).count, late ? 0 : 1);
        world_verify(&world);
        if (late)
            put_ticket(&world, 1, 1, "outage-report");
        assert_int_equal(count_index(&world, HS_KIND_TICKET, "state", TEXT("assigned")), 1);
        assert_int_equal(count_index(&world, HS_KIND_TICKET, "state", TEXT("open")), 0);
        assert_int_equal(count_index(&world, HS_KIND_TICKET, "assignee", TEXT("zhao")), 1);
        struct listed misfit = look_at_list(&world, HS_LIST_EVENT);
        struct hs_id misfit_id = id_of(12);
        struct hs_id ticket_id = id_of(1);
        assert_int_equal(misfit.count, 1);
        assert_true(hs_bytes_equal(misfit.row.name.id, HS_BYTES(misfit_id.bytes, HS_ID_BYTES)));
        assert_true(hs_bytes_equal(misfit.row.detail, HS_BYTES(ticket_id.bytes, HS_ID_BYTES)));
        world_verify(&world);
        world_close(&world);
    }
}

static void an_event_that_comes_late_changes_what_fits(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    hs_stamp start = world.stamp;
    put_ticket(&world, 1, 1, "outage-report");
    world.stamp = start + (9 << 16);
    put_event(&world, 1, 12, 1, "working", "qian");
    put_event(&world, 1, 10, 1, "open", NULL);
    assert_int_equal(look_at_list(&world, HS_LIST_EVENT).count, 1); /* working before open */
    world.stamp = start + (1 << 16);
    put_event(&world, 2, 9, 1, "open", NULL);
    assert_int_equal(look_at_list(&world, HS_LIST_EVENT).count, 2); /* open -> working, and the second open */
    put_event(&world, 2, 11, 1, "accepted", NULL);
    assert_int_equal(look_at_list(&world, HS_LIST_EVENT).count, 1);
    assert_int_equal(count_index(&world, HS_KIND_TICKET, "assignee", TEXT("qian")), 1);
    world.stamp = start;
    put_event(&world, 3, 10, 1, "open", NULL); /* the second open again, under an earlier stamp: it is the first */
    struct listed misfit = look_at_list(&world, HS_LIST_EVENT);
    assert_int_equal(misfit.count, 1);
    assert_int_equal(misfit.row.name.id.data[7], 9);
    world_verify(&world);
    world_close(&world);
}

/* A head that comes in two parts, from two nodes: who does not want to be called is archived without that. */
static void what_the_head_says_of_calling_back_changes_what_fits(void **state)
{
    static const char *const MOVES[] = {"open", "accepted", "working", "resolved", "archived"};
    (void)state;
    struct world world;
    struct hs_buf no = {0};
    struct hs_id id = id_of(1);
    world_open(&world);
    put_ticket(&world, 1, 1, "complaint");
    for (uint64_t i = 0; i < 5; i++)
        put_event(&world, 1, 10 + i, 1, MOVES[i], NULL);
    assert_int_equal(look_at_list(&world, HS_LIST_EVENT).count, 1);
    assert_int_equal(count_index(&world, HS_KIND_TICKET, "state", TEXT("resolved")), 1);
    hs_tlv_put_text(&no, 9, "no");
    struct hs_field_write field = {.number = 9, .value = hs_buf_bytes(&no)};
    struct hs_write write = {
        .kind = HS_KIND_TICKET, .id = HS_BYTES(id.bytes, sizeof id.bytes), .fields = &field, .field_count = 1};
    world_write(&world, 2, 3201, &write);
    hs_buf_fini(&no);
    assert_int_equal(look_at_list(&world, HS_LIST_EVENT).count, 0);
    assert_int_equal(count_index(&world, HS_KIND_TICKET, "state", TEXT("archived")), 1);
    world_verify(&world);
    world_close(&world);
}

#define MANY_EVENTS 8000

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Ten thousand events on one ticket, of a bad node or a broken program, must not hold up all others: an event behind
 * the last one costs what the first ones did.  The bound is far above noise and far below folding them all each time.
 */
static void an_event_costs_the_same_however_many_there_are(void **state)
{
    static const char *const MOVES[] = {"open", "accepted", "working", "waiting", "working", NULL};
    (void)state;
    struct world world;
    double eighth[8];
    world_open(&world);
    put_ticket(&world, 1, 1, "outage-report");
    for (size_t part = 0; part < 8; part++) {
        double begun = seconds();
        for (uint64_t i = 0; i < MANY_EVENTS / 8; i++) {
            uint64_t number = part * (MANY_EVENTS / 8) + i;
            put_event(&world, 1, 100 + number, 1, number < 5 ? MOVES[number] : i % 7 == 0 ? "open" : NULL, NULL);
        }
        eighth[part] = seconds() - begun;
    }
    if (eighth[7] > 8 * eighth[0] + 0.05)
        fail_msg("the first events took %.3f s, the last %.3f s", eighth[0], eighth[7]);
    assert_int_equal(count_index(&world, HS_KIND_TICKET, "state", TEXT("working")), 1);
    world_verify(&world);
    put_ticket(&world, 1, 1, "outage-report"); /* the head again: nothing for the fold */
    put_event(&world, 2, 50, 1, "resolved", "qian");
    world.stamp = NOON_MS << 16; /* before them all */
    put_event(&world, 2, 51, 1, "archived", NULL);
    assert_int_equal(count_index(&world, HS_KIND_TICKET, "state", TEXT("resolved")), 1);
    assert_int_equal(count_index(&world, HS_KIND_TICKET, "assignee", TEXT("qian")), 1);
    world_verify(&world);
    world_close(&world);
}

static void a_parked_ticket_has_no_state(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    put_event(&world, 1, 10, 1, "open", NULL);
    put_ticket(&world, 1, 1, "Fortune telling");
    assert_string_equal(look_at_list(&world, HS_LIST_PARKED).detail, "unknown-service");
    assert_int_equal(count_index(&world, HS_KIND_TICKET, "state", TEXT("open")), 0);
    put_ticket(&world, 1, 1, "complaint"); /* a later value of its own origin, named by nobody: it shows */
    assert_int_equal(look_at_list(&world, HS_LIST_PARKED).count, 0);
    assert_int_equal(count_index(&world, HS_KIND_TICKET, "state", TEXT("open")), 1);
    world_verify(&world);
    world_close(&world);
}

/* ---- digests ---- */

struct sums {
    struct hs_hash sum;
    uint64_t count;
    size_t rows;
    uint32_t index; /* of the last */
};

static enum hs_err sum_digest(void *ctx, const struct hs_digest *digest)
{
    struct sums *sums = ctx;
    assert_true(digest->count > 0);
    assert_true(sums->rows == 0 || digest->index > sums->index || digest->kind != HS_KIND_PAYMENT);
    hs_sum_add(&sums->sum, &digest->sum);
    sums->count += digest->count;
    sums->index = digest->index;
    sums->rows++;
    return HS_OK;
}

static enum hs_err sum_record(void *ctx, const struct hs_stored *stored)
{
    struct sums *sums = ctx;
    struct hs_hash hash = hs_record_hash(&stored->name, stored->state);
    hs_sum_add(&sums->sum, &hash);
    sums->count++;
    return HS_OK;
}

static void expect_same(const struct sums *a, const struct sums *b)
{
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->sum.bytes, b->sum.bytes, HS_HASH_BYTES);
}

static void digests_are_sums_of_record_hashes(void **state)
{
    (void)state;
    struct world world;
    struct sums root = {0}, records = {0}, branches = {0}, leaves = {0}, leaf = {0}, digest = {0};
    world_open(&world);
    struct hs_txn *txn = world_txn(&world);
    for (uint64_t i = 1; i <= 300; i++)
        put_payment(&world, 1, i, "3201000001", 100, NULL);
    put_payment(&world, 2, 1, "3201000001", 200, NULL); /* a second content */
    assert_int_equal(hs_records_digests(txn, sum_digest, &root), HS_OK);
    assert_int_equal(root.rows, 1);
    assert_int_equal(root.count, 300);
    assert_int_equal(hs_records_all(txn, HS_KIND_PAYMENT, HS_BYTES_NONE, sum_record, &records), HS_OK);
    expect_same(&root, &records);
    assert_int_equal(hs_records_digest_level(txn, 3201, HS_KIND_PAYMENT, -1, sum_digest, &branches), HS_OK);
    expect_same(&root, &branches);
    assert_true(branches.rows > 40 && branches.rows <= HS_DIGEST_BRANCHES);
    for (int branch = 0; branch < HS_DIGEST_BRANCHES; branch++)
        assert_int_equal(hs_records_digest_level(txn, 3201, HS_KIND_PAYMENT, branch, sum_digest, &leaves), HS_OK);
    expect_same(&root, &leaves);
    assert_int_equal(hs_records_digest_level(txn, 3201, HS_KIND_PAYMENT, HS_DIGEST_BRANCHES, sum_digest, &leaves),
                     HS_EINVAL);
    for (uint32_t i = leaves.index / 64 * 64; i < leaves.index / 64 * 64 + 64; i++)
        assert_int_equal(hs_records_digest_leaf(txn, 3201, HS_KIND_PAYMENT, i, HS_BYTES_NONE, sum_record, &leaf),
                         HS_OK);
    assert_int_equal(hs_records_digest_level(txn, 3201, HS_KIND_PAYMENT, (int)(leaves.index / 64), sum_digest, &digest),
                     HS_OK);
    expect_same(&leaf, &digest);
    world_close(&world);
}

/* ---- the environment ---- */

static void commits_carry_the_position(void **state)
{
    (void)state;
    struct world world;
    struct hs_txn snapshot;
    struct hs_stored stored;
    struct hs_id id = id_of(1);
    struct hs_record_name name = name_of(3201, HS_KIND_PAYMENT, HS_BYTES(id.bytes, sizeof id.bytes));
    world_open(&world);
    assert_int_equal(hs_records_position(world.records).commit, 0);
    put_payment(&world, 1, 1, "3201000001", 100, "B1");
    assert_int_equal(hs_records_snapshot(world.records, &snapshot), HS_OK);
    assert_int_equal(hs_records_get(&snapshot, &name, &stored), HS_ENOTFOUND);
    world_commit(&world);
    assert_int_equal(hs_records_get(&snapshot, &name, &stored), HS_ENOTFOUND);
    hs_txn_abort(&snapshot);
    put_payment(&world, 1, 2, "3201000001", 50, "B1");
    put_payment(&world, 1, 1, "3201000001", 100, "B1"); /* the same again */
    expect_totals(totals_of(&world, &(struct hs_totals_filter){0}), 2, 150, 0, 0);
    assert_int_equal(hs_records_abort(world.records), HS_OK);
    expect_totals(totals_of(&world, &(struct hs_totals_filter){0}), 1, 100, 0, 0);
    world_verify(&world);
    assert_int_equal(hs_records_snapshot(world.records, &snapshot), HS_OK);
    assert_int_equal(hs_records_get(&snapshot, &name, &stored), HS_OK);
    assert_int_equal(hs_records_snapshot_position(&snapshot).commit, 1);
    assert_int_equal(hs_records_snapshot_position(&snapshot).tag, 7);
    hs_txn_abort(&snapshot);
    hs_records_close(world.records);
    struct hs_records_options options = world_options(&world, false);
    assert_int_equal(hs_records_open(&options, &world.records, NULL), HS_OK);
    assert_int_equal(hs_records_position(world.records).tag, 7);
    assert_int_equal(look_at_list(&world, HS_LIST_NO_BILL).count, 1);
    assert_int_equal(hs_records_empty(world.records), HS_OK);
    assert_int_equal(hs_records_position(world.records).commit, 0);
    assert_int_equal(look_at_list(&world, HS_LIST_NO_BILL).count, 0);
    world_verify(&world);
    world_close(&world);
}

static void other_rules_want_a_replay(void **state)
{
    (void)state;
    struct world world;
    struct hs_why why;
    world_open(&world);
    put_payment(&world, 1, 1, "3201000001", 100, NULL);
    world_commit(&world);
    hs_records_close(world.records);
    struct hs_records_options options = world_options(&world, false);
    options.utc_offset_minutes = 0;
    assert_int_equal(hs_records_open(&options, &world.records, &why), HS_OK);
    assert_int_equal(hs_records_position(world.records).commit, 0);
    assert_int_equal(hs_txn_count(world_txn(&world), HS_TABLE_STATE), 0);
    hs_txn_put(world_txn(&world), HS_TABLE_META, TEXT("x"), TEXT("y"));
    struct hs_bytes meta;
    assert_int_equal(hs_txn_get(world_txn(&world), HS_TABLE_META, TEXT("records"), &meta), HS_OK);
    uint8_t newer[64];
    memcpy(newer, meta.data, meta.size);
    newer[3]++;
    hs_txn_put(world_txn(&world), HS_TABLE_META, TEXT("records"), HS_BYTES(newer, meta.size));
    assert_int_equal(hs_txn_commit(world_txn(&world)), HS_OK);
    hs_records_close(world.records);
    assert_int_equal(hs_records_open(&options, &world.records, &why), HS_ESCHEMA);
    options.path = "/tmp/hs-records-none";
    assert_int_equal(hs_records_open(&options, &world.records, &why), HS_ENOSTORE);
    world.records = NULL;
    world_close(&world);
}

static void a_full_map_fails_and_an_abort_recovers(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    hs_records_close(world.records);
    struct hs_records_options options = world_options(&world, false);
    options.map_bytes = 1 << 20;
    assert_int_equal(hs_records_open(&options, &world.records, NULL), HS_OK);
    static const uint8_t FACT[30000];
    struct hs_write write = {.kind = 77, .id = TEXT("a"), .is_fact = true, .fact = HS_BYTES(FACT, sizeof FACT)};
    struct hs_op op = {.stamp = 1, .writes = &write, .write_count = 1};
    struct hs_buf bytes = {0};
    enum hs_err err = HS_OK;
    for (uint8_t id = 1; err == HS_OK && id < 100; id++) {
        struct hs_records_op record = {.stream = {1, 3201, HS_LANE_WORK}, .n = id, .writer = &WORLD_HUB};
        write.id = HS_BYTES(&id, 1);
        hs_buf_reset(&bytes);
        hs_op_encode(&op, &bytes);
        record.bytes = hs_buf_bytes(&bytes);
        err = hs_records_apply(world.records, &record);
    }
    assert_int_equal(err, HS_EFULL);
    struct hs_position position = {1, 1};
    assert_int_equal(hs_records_commit(world.records, &position), HS_EFULL);
    assert_int_equal(hs_records_position(world.records).commit, 0);
    assert_int_equal(hs_records_abort(world.records), HS_OK);
    put_payment(&world, 1, 1, "3201000001", 100, NULL);
    world_commit(&world);
    world_verify(&world);
    hs_buf_fini(&bytes);
    world_close(&world);
}

static void many_rows_are_written_before_their_commit(void **state)
{
    (void)state;
    struct world world;
    struct hs_write writes[HS_OP_WRITES_MAX];
    uint32_t ids[HS_OP_WRITES_MAX];
    world_open(&world);
    for (uint32_t i = 0; i < 900; i++) {
        for (uint32_t j = 0; j < HS_OP_WRITES_MAX; j++) {
            ids[j] = i * HS_OP_WRITES_MAX + j + 1;
            writes[j] = (struct hs_write){.kind = 77, .id = HS_BYTES(&ids[j], sizeof ids[j]), .is_fact = true};
        }
        struct hs_op op = {.stamp = 1, .writes = writes, .write_count = HS_OP_WRITES_MAX};
        world_put_op(&world, (struct hs_stream){1, (hs_partition)(i % 16), HS_LANE_WORK}, &op);
    }
    assert_true(hs_txn_count(world_txn(&world), HS_TABLE_LEAF) > 30000);
    world_verify(&world);
    world_close(&world);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(indexes_follow_what_is_shown),
        cmocka_unit_test(facts_are_found_by_writer_and_day),
        cmocka_unit_test(pages_go_on_behind_a_record),
        cmocka_unit_test(broken_records_are_parked_until_mended),
        cmocka_unit_test(rival_values_are_listed_until_resolved),
        cmocka_unit_test(void_ops_have_no_effect_and_are_listed),
        cmocka_unit_test(what_is_not_known_is_kept),
        cmocka_unit_test(strange_writers_hide_nothing),
        cmocka_unit_test(forked_streams_give_facts_only),
        cmocka_unit_test(tickets_are_folded_in_any_order),
        cmocka_unit_test(an_event_that_comes_late_changes_what_fits),
        cmocka_unit_test(what_the_head_says_of_calling_back_changes_what_fits),
        cmocka_unit_test(an_event_costs_the_same_however_many_there_are),
        cmocka_unit_test(a_parked_ticket_has_no_state),
        cmocka_unit_test(digests_are_sums_of_record_hashes),
        cmocka_unit_test(commits_carry_the_position),
        cmocka_unit_test(other_rules_want_a_replay),
        cmocka_unit_test(a_full_map_fails_and_an_abort_recovers),
        cmocka_unit_test(many_rows_are_written_before_their_commit),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
