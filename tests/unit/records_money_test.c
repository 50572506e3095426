/* records_money_test.c -- storage/records: payments, reversals, bills and cash entries, whatever comes first; their
 * numbers; and that damage to any sum is seen. */
#include "tests/unit/records_world.h"

static struct hs_totals all_totals(struct world *world)
{
    return totals_of(world, &(struct hs_totals_filter){0});
}

static struct hs_bill_sums bill_sums(struct world *world, const char *account, struct hs_bytes bill_id)
{
    struct hs_bill_sums sums;
    assert_int_equal(hs_records_bill(world_txn(world), account, bill_id, &sums), HS_OK);
    return sums;
}

static void reversals_wait_for_their_payment(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct world world;
        world_open(&world);
        if (!late)
            put_payment(&world, 1, 1, "3201000001", 100, "B1");
        put_reversal(&world, 2, 50, 1, 3201);
        put_reversal(&world, 2, 51, 1, 3301); /* another partition: another payment */
        if (late) {
            expect_totals(all_totals(&world), 0, 0, 0, 0);
            world_verify(&world);
            put_payment(&world, 1, 1, "3201000001", 100, "B1");
        }
        expect_totals(all_totals(&world), 1, 100, 1, 100);
        assert_int_equal(bill_sums(&world, "3201000001", TEXT("B1")).paid_fen, 0);
        assert_int_equal(look_at_list(&world, HS_LIST_NO_BILL).count, 0);
        assert_int_equal(look_at_list(&world, HS_LIST_OVER_REVERSED).count, 0);
        world_verify(&world);
        world_close(&world);
    }
}

static void reversing_twice_is_listed(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    put_reversal(&world, 2, 50, 1, 3201);
    put_reversal(&world, 3, 51, 1, 3201);
    assert_int_equal(look_at_list(&world, HS_LIST_OVER_REVERSED).count, 0);
    put_payment(&world, 1, 1, "3201000001", 100, "B1");
    struct listed over = look_at_list(&world, HS_LIST_OVER_REVERSED);
    struct hs_id id = id_of(1);
    assert_int_equal(over.count, 1);
    assert_int_equal(over.row.amount_fen, 100);
    assert_int_equal(over.row.name.kind, HS_KIND_PAYMENT);
    assert_true(hs_bytes_equal(over.row.name.id, HS_BYTES(id.bytes, sizeof id.bytes)));
    put_reversal(&world, 4, 52, 1, 3201);
    assert_int_equal(look_at_list(&world, HS_LIST_OVER_REVERSED).row.amount_fen, 200);
    assert_int_equal(look_at_list(&world, HS_LIST_NO_BILL).row.amount_fen, -200);
    expect_totals(all_totals(&world), 1, 100, 3, 300);
    world_verify(&world);
    world_close(&world);
}

static void bills_and_payments_meet(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    put_payment(&world, 1, 1, "3201000001", 100, "B1");
    struct listed row = look_at_list(&world, HS_LIST_NO_BILL);
    assert_int_equal(row.count, 1);
    assert_int_equal(row.row.amount_fen, 100);
    assert_int_equal(row.row.name.kind, HS_KIND_BILL);
    assert_int_equal(row.row.name.lane, HS_LANE_BULK);
    assert_true(hs_bytes_equal(row.row.name.id, TEXT("B1")));
    assert_string_equal(row.detail, "3201000001");
    assert_false(bill_sums(&world, "3201000001", TEXT("B1")).known);
    put_bill(&world, 1, "B1", "3201000001", "#100", NULL);
    assert_int_equal(look_at_list(&world, HS_LIST_NO_BILL).count, 0);
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).count, 0);
    assert_true(bill_sums(&world, "3201000001", TEXT("B1")).known);
    put_payment(&world, 2, 2, "3201000001", 70, "B1");
    put_payment(&world, 2, 3, "3201000001", 5, "B11"); /* an id that begins alike */
    row = look_at_list(&world, HS_LIST_OVERPAID);
    assert_int_equal(row.count, 1);
    assert_int_equal(row.row.amount_fen, 70);
    assert_string_equal(row.detail, "3201000001");
    struct hs_bill_sums sums = bill_sums(&world, "3201000001", TEXT("B1"));
    assert_int_equal(sums.amount_fen, 100);
    assert_int_equal(sums.paid_fen, 170);
    put_reversal(&world, 2, 50, 1, 3201);
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).count, 0);
    assert_int_equal(bill_sums(&world, "3201000001", TEXT("B1")).paid_fen, 70);
    world_verify(&world);
    world_close(&world);
}

static void a_bill_of_another_account_is_none(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    struct hs_dot dot = world_register(&world, 1, HS_KIND_BILL, "B1",
                                       (const char *const[8]){"B1", "3201000001", NULL, "#100"}, NULL);
    put_payment(&world, 1, 1, "3201000001", 30, "B1");
    put_payment(&world, 1, 2, "3201000002", 40, "B1");
    struct listed row = look_at_list(&world, HS_LIST_NO_BILL);
    assert_int_equal(row.count, 1);
    assert_string_equal(row.detail, "3201000002");
    world_register(&world, 1, HS_KIND_BILL, "B1", (const char *const[8]){NULL, "3201000002"}, &dot);
    row = look_at_list(&world, HS_LIST_NO_BILL);
    assert_int_equal(row.count, 1);
    assert_string_equal(row.detail, "3201000001");
    assert_int_equal(row.row.amount_fen, 30);
    assert_false(bill_sums(&world, "3201000001", TEXT("B1")).known);
    world_register(&world, 1, HS_KIND_BILL, "B1", (const char *const[8]){NULL, NULL, NULL, "#20"}, &dot);
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).row.amount_fen, 20);
    world_verify(&world);
    world_close(&world);
}

static void of_two_contents_the_lower_hash_counts(void **state)
{
    (void)state;
    struct hs_totals totals[2];
    for (int turn = 0; turn < 2; turn++) {
        struct world world;
        world_open(&world);
        put_reversal(&world, 2, 50, 1, 3201);
        put_payment(&world, 1, 1, turn ? "3201000002" : "3201000001", turn ? 900 : 100, "B1");
        assert_int_equal(look_at_list(&world, HS_LIST_FACT).count, 0);
        world.stamp -= 1 << 16;
        put_payment(&world, 1, 1, turn ? "3201000001" : "3201000002", turn ? 100 : 900, "B1");
        assert_int_equal(look_at_list(&world, HS_LIST_FACT).count, 1);
        totals[turn] = all_totals(&world);
        struct hs_totals accounts[2];
        accounts[0] = totals_of(&world, &(struct hs_totals_filter){.account = "3201000001"});
        accounts[1] = totals_of(&world, &(struct hs_totals_filter){.account = "3201000002"});
        assert_int_equal(accounts[0].sum_fen + accounts[1].sum_fen, totals[turn].sum_fen);
        assert_int_equal(accounts[0].count + accounts[1].count, 1);
        assert_int_equal(count_index(&world, HS_KIND_PAYMENT, "bill_id", TEXT("B1")), 1);
        world_verify(&world);
        world_close(&world);
    }
    assert_memory_equal(&totals[0], &totals[1], sizeof totals[0]);
    assert_int_equal(totals[0].reversed_fen, totals[0].sum_fen);
}

static void two_entries_for_one_payment_are_listed(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    put_entry(&world, 1, 3201, "nj-a-20261121-03-K7Q2ZD-000017", 1, 100);
    put_entry(&world, 1, 3201, "nj-a-20261121-03-K7Q2ZD-000017", 1, 100);
    put_entry(&world, 1, 3201, "nj-a-20261121-03-K7Q2ZD-000018", 2, 100);
    assert_int_equal(look_at_list(&world, HS_LIST_DOUBLE_ENTRY).count, 0);
    put_entry(&world, 2, 3301, "nj-b-20261121-01-AAAAAA-000001", 1, 90); /* another hall, another district */
    struct listed row = look_at_list(&world, HS_LIST_DOUBLE_ENTRY);
    struct hs_id id = id_of(1);
    assert_int_equal(row.count, 1);
    assert_int_equal(row.row.amount_fen, 90);
    assert_int_equal(row.row.name.partition, 3201);
    assert_int_equal(row.row.name.kind, HS_KIND_PAYMENT);
    assert_true(hs_bytes_equal(row.row.name.id, HS_BYTES(id.bytes, sizeof id.bytes)));
    assert_string_equal(row.detail, "\x1enj-a-20261121-03-K7Q2ZD-000017\x1enj-b-20261121-01-AAAAAA-000001");
    world_verify(&world);
    put_entry(&world, 3, 3301, "nj-b-20261121-01-AAAAAA-000001", 7, 90); /* a second content of that number */
    assert_true(look_at_list(&world, HS_LIST_DOUBLE_ENTRY).count <= 1);
    world_verify(&world);
    world_close(&world);
}

static void totals_can_be_narrowed(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    put_payment(&world, 1, 1, "3201000001", 1, NULL);
    put_payment(&world, 2, 2, "3201000001", 10, NULL);
    put_payment(&world, 2, 3, "3201000002", 100, NULL);
    world.stamp = (NOON_MS + DAY_MS / 2 - 1) << 16; /* 23:59:59.999 */
    put_payment(&world, 1, 4, "3201000001", 1000, NULL);
    put_reversal(&world, 2, 50, 2, 3201); /* and that is the next day */
    put_payment(&world, 1, 5, "3301000001", 10000, NULL);
    expect_totals(all_totals(&world), 5, 11111, 1, 10);
    expect_totals(totals_of(&world, &(struct hs_totals_filter){.date = 20261121}), 4, 1111, 0, 0);
    expect_totals(totals_of(&world, &(struct hs_totals_filter){.date = 20261122}), 1, 10000, 1, 10);
    expect_totals(totals_of(&world, &(struct hs_totals_filter){.date = 20261123}), 0, 0, 0, 0);
    expect_totals(totals_of(&world, &(struct hs_totals_filter){.has_window = true, .window = 2}), 2, 110, 1, 10);
    expect_totals(totals_of(&world, &(struct hs_totals_filter){.has_window = true}), 0, 0, 0, 0);
    uint64_t origins[2] = {1, 9};
    expect_totals(totals_of(&world, &(struct hs_totals_filter){.origins = origins, .origin_count = 2}), 3, 11001, 0, 0);
    expect_totals(totals_of(&world, &(struct hs_totals_filter){.origins = origins}), 0, 0, 0, 0);
    expect_totals(totals_of(&world, &(struct hs_totals_filter){.account = "3201000001"}), 3, 1011, 1, 10);
    expect_totals(totals_of(&world, &(struct hs_totals_filter){.account = "3201000001", .origins = origins}), 3, 1011,
                  1, 10);
    expect_totals(totals_of(&world, &(struct hs_totals_filter){.account = "3201000001", .date = 20261121}), 3, 1011, 0,
                  0);
    expect_totals(totals_of(&world,
                            &(struct hs_totals_filter){
                                .account = "3201000001", .date = 20261122, .has_window = true, .window = 2}),
                  0, 0, 1, 10);
    struct hs_totals totals;
    assert_int_equal(hs_records_totals(world_txn(&world), &(struct hs_totals_filter){.account = "32"}, &totals),
                     HS_EACCOUNT);
    world_verify(&world);
    world_close(&world);
}

static void sums_do_not_overflow_unseen(void **state)
{
    (void)state;
    struct world world;
    struct hs_totals totals;
    struct hs_sums read;
    struct hs_row_key key;
    struct hs_buf value = {0};
    struct hs_sums sums = {.of[HS_PAIR_PAID] = {1, (hs_wide)INT64_MAX + 1},
                           .of[HS_PAIR_REVERSED] = {0, -((hs_wide)7 << 100)}};
    world_open(&world);
    hs_sums_put(&value, &sums);
    assert_int_equal(hs_sums_read(hs_buf_bytes(&value), &read), HS_OK);
    assert_memory_equal(&read, &sums, sizeof read);
    hs_day_key(&key, &HS_DAY_TOTAL);
    hs_txn_put(world_txn(&world), HS_TABLE_DAY, hs_row_key_bytes(&key), hs_buf_bytes(&value));
    assert_int_equal(hs_records_totals(world_txn(&world), &(struct hs_totals_filter){0}, &totals), HS_EOVERFLOW);
    hs_buf_fini(&value);
    world_close(&world);
}

static void a_bill_can_be_asked_for_with_anything(void **state)
{
    (void)state;
    struct world world;
    struct hs_bill_sums sums;
    static const uint8_t LONG[HS_RECORD_ID_BYTES_MAX + 1];
    world_open(&world);
    assert_int_equal(hs_records_bill(world_txn(&world), "x", TEXT("B1"), &sums), HS_EACCOUNT);
    assert_int_equal(hs_records_bill(world_txn(&world), "3201000001", HS_BYTES_NONE, &sums), HS_OK);
    assert_int_equal(hs_records_bill(world_txn(&world), "3201000001", HS_BYTES(LONG, sizeof LONG), &sums), HS_OK);
    assert_false(sums.known);
    world_close(&world);
}

/* ---- what the writer remembers ---- */

static void requests_and_numbers_are_remembered(void **state)
{
    (void)state;
    struct world world;
    struct hs_stream stream;
    uint64_t n = 0;
    world_open(&world);
    struct hs_txn *txn = world_txn(&world);
    struct hs_write write = {.kind = 77, .id = TEXT("x"), .is_fact = true, .fact = TEXT("y")};
    struct hs_op op = {.stamp = 1, .writes = &write, .write_count = 1, .request = TEXT("0123456789abcdef")};
    world_put_op(&world, (struct hs_stream){4, 3201, HS_LANE_WORK}, &op);
    assert_int_equal(hs_records_request(txn, TEXT("0123456789abcdef"), &stream, &n), HS_OK);
    assert_true(stream.origin == 4 && stream.partition == 3201 && stream.lane == HS_LANE_WORK);
    assert_int_equal(n, 1);
    assert_int_equal(hs_records_request(txn, TEXT("0123456789abcdeX"), &stream, &n), HS_ENOTFOUND);
    assert_int_equal(hs_records_request(txn, TEXT("short"), &stream, &n), HS_ENOTFOUND);
    put_entry(&world, 1, 3201, "nj-a-20261121-03-K7Q2ZD-000017", 1, 5);
    put_entry(&world, 1, 3201, "nj-a-20261121-03-K7Q2ZD-000016", 2, 5);
    put_entry(&world, 1, 3201, "no counter", 3, 5);
    assert_int_equal(hs_records_counter(txn, "nj-a-20261121-03-K7Q2ZD"), 17);
    assert_int_equal(hs_records_counter(txn, "nj-a-20261121-04-K7Q2ZD"), 0);
    assert_int_equal(hs_txn_count(txn, HS_TABLE_NUMBER), 1);
    world_close(&world);
}

/* ---- damage ---- */

/* Change one byte of one row, in a transaction that is given up afterwards; the verification must see it. */
static void expect_seen(struct world *world, hs_table table, struct hs_bytes prefix)
{
    struct hs_scan scan;
    struct hs_why why;
    uint8_t key[512];
    uint8_t value[512];
    struct hs_txn *txn = world_txn(world);
    hs_scan_begin(&scan, txn, table, prefix, HS_BYTES_NONE);
    assert_true(hs_scan_next(&scan));
    size_t key_size = scan.key.size;
    size_t value_size = scan.value.size;
    memcpy(key, scan.key.data, key_size);
    memcpy(value, scan.value.data, value_size);
    hs_scan_end(&scan);
    hs_txn_delete(txn, table, HS_BYTES(key, key_size));
    assert_int_equal(hs_records_verify(txn, &why), HS_EDAMAGED);
    if (value_size != 0)
        value[table == HS_TABLE_META ? 0 : value_size - 1] ^= 2; /* of a count the sum beside it has no meaning */
    else
        key[key_size - 1] ^= 2;
    hs_txn_put(txn, table, HS_BYTES(key, key_size), HS_BYTES(value, value_size));
    assert_int_equal(hs_records_verify(txn, &why), HS_EDAMAGED);
    assert_int_equal(hs_records_abort(world->records), HS_OK);
    world_verify(world);
}

static void damage_is_seen(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    put_payment(&world, 1, 1, "3201000001", 100, "B1");
    put_payment(&world, 1, 2, "3201000001", 100, NULL);
    world_commit(&world);
    expect_seen(&world, HS_TABLE_STATE, HS_BYTES_NONE);
    expect_seen(&world, HS_TABLE_INDEX, TEXT("\x02")); /* bill_id index */
    expect_seen(&world, HS_TABLE_INDEX,
                TEXT("\x0a"
                     "3201000001\0\0\x01")); /* sums of the account */
    expect_seen(&world, HS_TABLE_INDEX,
                TEXT("\x0a"
                     "3201000001\0\0\x02")); /* sums of the bill */
    expect_seen(&world, HS_TABLE_DAY, HS_BYTES_NONE);
    expect_seen(&world, HS_TABLE_ROOT, HS_BYTES_NONE);
    expect_seen(&world, HS_TABLE_LEAF, HS_BYTES_NONE);
    expect_seen(&world, HS_TABLE_LIST, HS_BYTES_NONE);
    expect_seen(&world, HS_TABLE_META, TEXT("list"));
    struct hs_id id = id_of(1);
    struct hs_record_name name = {3201, HS_LANE_MONEY, HS_KIND_PAYMENT, HS_BYTES(id.bytes, sizeof id.bytes)};
    struct hs_stored stored;
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    struct hs_bytes row = HS_BYTES(key, hs_record_key(&name, key));
    hs_txn_put(world_txn(&world), HS_TABLE_STATE, row, TEXT("0123456789abcdef0123456789abcdefstate"));
    assert_int_equal(hs_records_get(world_txn(&world), &name, &stored), HS_EDAMAGED);
    size_t count = 0;
    assert_int_equal(hs_records_all(world_txn(&world), HS_KIND_PAYMENT, HS_BYTES_NONE, count_record, &count),
                     HS_EDAMAGED);
    world_close(&world);
}

/* The same payment, byte for byte, put into a district that is not its account's: one payment and no second one. */
static void what_lies_in_the_wrong_district_does_not_count(void **state)
{
    (void)state;
    struct world world;
    struct hs_buf message = {0};
    struct hs_id id = id_of(1);
    struct hs_totals totals;
    struct hs_bill_sums sums;
    world_open(&world);
    put_bill(&world, 1, "b1", "3201000001", "#100", NULL);
    put_payment(&world, 1, 1, "3201000001", 100, "b1");
    hs_tlv_put_text(&message, 2, "3201000001");
    hs_tlv_put_u64(&message, 3, 100);
    hs_tlv_put_text(&message, 4, "b1");
    hs_tlv_put_u64(&message, 6, 1);
    world_fact(&world, 9, 1000, HS_KIND_PAYMENT, HS_BYTES(id.bytes, sizeof id.bytes), &message);
    hs_buf_fini(&message);
    assert_int_equal(hs_records_totals(world_txn(&world), &(struct hs_totals_filter){0}, &totals), HS_OK);
    assert_int_equal(totals.sum_fen, 100);
    assert_int_equal(hs_records_totals(world_txn(&world), &(struct hs_totals_filter){.account = "3201000001"}, &totals),
                     HS_OK);
    assert_int_equal(totals.sum_fen, 100);
    assert_int_equal(hs_records_bill(world_txn(&world), "3201000001", TEXT("b1"), &sums), HS_OK);
    assert_int_equal(sums.paid_fen, 100);
    struct listed parked = look_at_list(&world, HS_LIST_PARKED);
    assert_int_equal(parked.count, 1);
    assert_int_equal(parked.row.name.partition, 1000);
    struct hs_stored found; /* by its id the true one is found, though it lies behind */
    assert_int_equal(hs_records_find(world_txn(&world), HS_KIND_PAYMENT, HS_BYTES(id.bytes, sizeof id.bytes), &found),
                     HS_OK);
    assert_int_equal(found.name.partition, 3201);
    world_verify(&world);
    world_close(&world);
}

/* ---- parts, late fees and top-ups ---- */

/* @parts: "B1:200 B2:300"; NULL: none.  @card: with counter 7. */
static void put_paid(struct world *world, uint64_t number, const char *account, int64_t fen, const char *parts,
                     const char *card)
{
    struct hs_buf message = {0};
    struct hs_id id = id_of(number);
    hs_tlv_put_text(&message, 2, account);
    hs_tlv_put_u64(&message, 3, (uint64_t)fen);
    while (parts != NULL && *parts != '\0') {
        struct hs_buf part = {0};
        size_t size = strcspn(parts, ":");
        char *end;
        assert_true(parts[size] == ':');
        hs_tlv_put_bytes(&part, 1, HS_BYTES(parts, size));
        hs_tlv_put_u64(&part, 2, strtoull(parts + size + 1, &end, 10));
        assert_true(*end == ' ' || *end == '\0');
        parts = end + (*end == ' ');
        hs_tlv_put_bytes(&message, 8, hs_buf_bytes(&part));
        hs_buf_fini(&part);
    }
    if (card != NULL) {
        hs_tlv_put_text(&message, 14, card);
        hs_tlv_put_u64(&message, 15, 7);
    }
    world_fact(world, 1, hs_account_partition(account), HS_KIND_PAYMENT, HS_BYTES(id.bytes, sizeof id.bytes), &message);
    hs_buf_fini(&message);
}

static void one_payment_pays_several_bills(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    put_bill(&world, 1, "B1", "3201000001", "#200", NULL);
    put_bill(&world, 1, "B2", "3201000001", "#100", NULL);
    put_paid(&world, 1, "3201000001", 1000, "B1:200 B2:300", NULL);
    assert_int_equal(bill_sums(&world, "3201000001", TEXT("B1")).paid_fen, 200);
    assert_int_equal(bill_sums(&world, "3201000001", TEXT("B2")).paid_fen, 300);
    expect_totals(all_totals(&world), 1, 1000, 0, 0);
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).row.amount_fen, 200);
    assert_int_equal(count_index(&world, HS_KIND_PAYMENT, "bill_id", TEXT("B1")), 1);
    assert_int_equal(count_index(&world, HS_KIND_PAYMENT, "bill_id", TEXT("B2")), 1);
    world_verify(&world);
    put_reversal(&world, 2, 50, 1, 3201);
    assert_int_equal(bill_sums(&world, "3201000001", TEXT("B2")).paid_fen, 0);
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).count, 0);
    world_verify(&world);
    world_close(&world);
}

/* Beyond those late fees that it owes: none of a day behind that on which it was paid off. */
static void a_bill_is_overpaid_beyond_its_late_fees(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    put_bill(&world, 1, "B1", "3201000001", "#200", NULL);
    put_payment(&world, 1, 1, "3201000001", 230, "B1");
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).row.amount_fen, 30);
    put_late_fee(&world, "B1", "2000-01-01", 20);
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).row.amount_fen, 10);
    world_verify(&world);
    put_late_fee(&world, "B1", "2000-01-01", 40);
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).count, 0);
    world_verify(&world);
    put_late_fee(&world, "B1", "2199-12-01", 40);
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).row.amount_fen, 30);
    world_verify(&world);
    put_payment(&world, 2, 2, "3201000001", 5, "B1");
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).row.amount_fen, 35);
    put_payment(&world, 2, 3, "3201000002", 1000, "B1"); /* of another account: it pays nothing of this one's */
    put_reversal(&world, 2, 50, 1, 3201);                /* what is left pays not all of it, and the fee will come */
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).count, 0);
    world_verify(&world);
    put_payment(&world, 1, 4, "3201000001", 196, "B1");
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).row.amount_fen, 1);
    world_verify(&world);
    world_close(&world);
}

/* It was paid off in time by what was taken back since, or by what is another account's: so it was not. */
static void late_fees_count_by_what_pays_the_bill(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    put_bill(&world, 1, "B1", "3201000001", "#200", NULL);
    put_late_fee(&world, "B1", "2026-11-22", 20);
    put_payment(&world, 1, 1, "3201000001", 200, "B1");
    put_payment(&world, 1, 2, "3201000002", 200, "B1");
    world.stamp += DAYS(2);
    put_payment(&world, 1, 3, "3201000001", 205, "B1");
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).row.amount_fen, 205);
    world_verify(&world);
    put_reversal(&world, 2, 50, 1, 3201);
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).count, 0); /* of 220 */
    world_verify(&world);
    put_payment(&world, 1, 4, "3201000001", 16, "B1");
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).row.amount_fen, 1);
    world_verify(&world);
    world_close(&world);
}

/* Before the bill, and by more than are looked at. */
static void late_fees_count_in_any_order_and_bounded(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    for (uint64_t number = 1; number <= 64; number++)
        put_payment(&world, 1, number, "3201000001", 10, "B1");
    put_bill(&world, 1, "B1", "3201000001", "#200", NULL);
    put_late_fee(&world, "B1", "2199-12-01", 600);
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).row.amount_fen, 440);
    world_verify(&world);
    put_payment(&world, 1, 65, "3201000001", 10, "B1");
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).count, 0);
    world_verify(&world);
    world_close(&world);
}

/* What pays nothing of it bounds the look as well: payments of another account that name the bill. */
static void strangers_who_name_a_bill_bound_the_look(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    put_bill(&world, 1, "B1", "3201000001", "#200", NULL);
    put_late_fee(&world, "B1", "2199-12-01", 600);
    put_payment(&world, 1, 1, "3201000001", 640, "B1");
    for (uint64_t number = 2; number <= 64; number++)
        put_payment(&world, 1, number, "3201000002", 10, "B1");
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).row.amount_fen, 440);
    world_verify(&world);
    put_paid(&world, 65, "3201000002", 10, "B2:10 B1:10", NULL); /* nothing is left for it, and it names it */
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).count, 0);
    world_verify(&world);
    world.stamp = NOON_MS << 16;
    put_payment(&world, 1, 65, "3201000002", 10, "B2"); /* written first, so this is what counts */
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).row.amount_fen, 440);
    world_verify(&world);
    world_close(&world);
}

static void a_cancelled_bill_is_overpaid_by_all(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    put_bill(&world, 1, "B1", "3201000001", "#200", NULL);
    put_late_fee(&world, "B1", "2026-12-01", 20);
    put_payment(&world, 1, 1, "3201000001", 230, "B1");
    world_register(&world, 1, HS_KIND_BILL, "B1",
                   (const char *const[8]){NULL, NULL, NULL, NULL, NULL, NULL, NULL, "cancelled"}, NULL);
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).row.amount_fen, 230);
    assert_true(bill_sums(&world, "3201000001", TEXT("B1")).known);
    world_verify(&world);
    world_close(&world);
}

static void a_card_topped_up_twice_is_listed_until_one_is_taken_back(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    put_paid(&world, 1, "3201000001", 500, NULL, "C1");
    put_paid(&world, 2, "3201000001", 500, NULL, "C2");
    assert_int_equal(look_at_list(&world, HS_LIST_TOPUP_TWICE).count, 0);
    put_paid(&world, 3, "3301000001", 700, NULL, "C1"); /* at another hall, under a wrong account */
    struct listed twice = look_at_list(&world, HS_LIST_TOPUP_TWICE);
    assert_int_equal(twice.count, 2);
    assert_int_equal(twice.row.amount_fen, 700);
    assert_string_equal(twice.detail, "C1");
    world_verify(&world);
    put_reversal(&world, 2, 50, 1, 3201);
    assert_int_equal(look_at_list(&world, HS_LIST_TOPUP_TWICE).count, 0);
    world_verify(&world);
    put_paid(&world, 4, "3201000002", 700, NULL, "C1");
    assert_int_equal(look_at_list(&world, HS_LIST_TOPUP_TWICE).count, 2); /* but not the one that was taken back */
    world_verify(&world);
    world_close(&world);
}

/* ---- bills that are not paid off ---- */

struct unpaid {
    char text[256]; /* "3201000001 B1, ..." */
    size_t most;
};

static enum hs_err take_unpaid(void *ctx, struct hs_bytes account, const struct hs_record_name *bill)
{
    struct unpaid *unpaid = ctx;
    size_t used = strlen(unpaid->text);
    if (unpaid->most-- == 0)
        return HS_EEXISTS;
    assert_int_equal(bill->kind, HS_KIND_BILL);
    assert_int_equal(bill->lane, HS_LANE_BULK);
    snprintf(unpaid->text + used, sizeof unpaid->text - used, "%.*s %.*s, ", (int)account.size,
             (const char *)account.data, (int)bill->id.size, (const char *)bill->id.data);
    return HS_OK;
}

static enum hs_err scan_unpaid(struct world *world, struct hs_unpaid_scan *scan, size_t most, const char *wanted)
{
    struct unpaid unpaid = {.most = most};
    enum hs_err err = hs_records_unpaid(world_txn(world), scan, take_unpaid, &unpaid);
    assert_string_equal(unpaid.text, wanted);
    return err;
}

static void open_with_bills(struct world *world)
{
    world_open(world);
    put_bill(world, 1, "B1", "3201000001", "#100", NULL);
    put_bill(world, 1, "B2", "3201000001", "#100", NULL);
    put_bill(world, 1, "B3", "3201000002", "#100", NULL);
    put_bill(world, 1, "B4", "3201000009", "#100", NULL);
    put_payment(world, 1, 1, "3201000001", 100, "B1");
    put_payment(world, 1, 2, "3201000002", 120, "B3");
    put_payment(world, 1, 3, "3201000005", 50, "B9"); /* a bill that is not here */
    put_payment(world, 1, 4, "3201000009", 99, "B4");
    /* Cards whose numbers are as long as an account's. */
    world_register(world, 1, HS_KIND_CUSTOMER, "3201000003",
                   (const char *const[8]){"3201000003", "A", NULL, NULL, NULL, "3201000004"}, NULL);
    world_register(world, 1, HS_KIND_CUSTOMER, "3201000007",
                   (const char *const[8]){"3201000007", "A", NULL, NULL, NULL, "zzzzzzzzzz"}, NULL);
    world_register(world, 1, HS_KIND_CUSTOMER, "3201000008",
                   (const char *const[8]){"3201000008", "A", NULL, NULL, NULL, "2000000000"}, NULL);
}

static void what_is_not_paid_off_is_found_by_account(void **state)
{
    (void)state;
    struct world world;
    open_with_bills(&world);
    struct hs_unpaid_scan scan = {.accounts = 100};
    assert_int_equal(scan_unpaid(&world, &scan, 100, "3201000001 B2, 3201000009 B4, "), HS_OK);
    assert_true(scan.over);
    put_reversal(&world, 2, 50, 2, 3201); /* the one of B3 */
    scan = (struct hs_unpaid_scan){.accounts = 100};
    assert_int_equal(scan_unpaid(&world, &scan, 100, "3201000001 B2, 3201000002 B3, 3201000009 B4, "), HS_OK);
    scan = (struct hs_unpaid_scan){.accounts = 100, .district = "3202"};
    assert_int_equal(scan_unpaid(&world, &scan, 100, ""), HS_OK);
    scan = (struct hs_unpaid_scan){.accounts = 100, .district = "3201", .has_after = true, .after = "3201000001"};
    assert_int_equal(scan_unpaid(&world, &scan, 100, "3201000002 B3, 3201000009 B4, "), HS_OK);
    scan = (struct hs_unpaid_scan){.accounts = 100, .district = "3201", .has_after = true, .after = "1000000000"};
    assert_int_equal(scan_unpaid(&world, &scan, 1, "3201000001 B2, "), HS_EEXISTS);
    assert_string_equal(scan.after, "3201000002"); /* where it stopped */
    world_close(&world);
}

/* Sums below zero are no bills: of an account, and of a bill that is not here. */
static void what_was_taken_back_twice_is_no_bill(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    put_payment(&world, 1, 1, "3201000001", 100, NULL);
    put_payment(&world, 1, 2, "3201000002", 100, "B1");
    for (uint64_t number = 1; number <= 2; number++) {
        put_reversal(&world, 2, 10 * number, number, 3201);
        put_reversal(&world, 3, 10 * number + 1, number, 3201);
    }
    struct hs_unpaid_scan scan = {.accounts = 100};
    assert_int_equal(scan_unpaid(&world, &scan, 100, ""), HS_OK);
    assert_true(scan.over);
    world_close(&world);
}

static void a_scan_looks_at_so_many_accounts_and_goes_on(void **state)
{
    (void)state;
    struct world world;
    open_with_bills(&world);
    struct hs_unpaid_scan scan = {.accounts = 2}; /* the first is a card */
    assert_int_equal(scan_unpaid(&world, &scan, 100, "3201000001 B2, "), HS_OK);
    assert_string_equal(scan.after, "3201000001");
    assert_int_equal(scan.accounts, 0);
    assert_false(scan.over);
    size_t steps = 1;
    struct unpaid unpaid = {.most = 100};
    for (; !scan.over; steps++) {
        scan.accounts = 1;
        assert_int_equal(hs_records_unpaid(world_txn(&world), &scan, take_unpaid, &unpaid), HS_OK);
        assert_true(steps < 20);
    }
    assert_string_equal(unpaid.text, "3201000009 B4, ");
    world_close(&world);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(what_is_not_paid_off_is_found_by_account),
        cmocka_unit_test(what_was_taken_back_twice_is_no_bill),
        cmocka_unit_test(a_scan_looks_at_so_many_accounts_and_goes_on),
        cmocka_unit_test(reversals_wait_for_their_payment),
        cmocka_unit_test(reversing_twice_is_listed),
        cmocka_unit_test(bills_and_payments_meet),
        cmocka_unit_test(a_bill_of_another_account_is_none),
        cmocka_unit_test(of_two_contents_the_lower_hash_counts),
        cmocka_unit_test(two_entries_for_one_payment_are_listed),
        cmocka_unit_test(totals_can_be_narrowed),
        cmocka_unit_test(sums_do_not_overflow_unseen),
        cmocka_unit_test(a_bill_can_be_asked_for_with_anything),
        cmocka_unit_test(requests_and_numbers_are_remembered),
        cmocka_unit_test(damage_is_seen),
        cmocka_unit_test(what_lies_in_the_wrong_district_does_not_count),
        cmocka_unit_test(one_payment_pays_several_bills),
        cmocka_unit_test(a_bill_is_overpaid_beyond_its_late_fees),
        cmocka_unit_test(late_fees_count_by_what_pays_the_bill),
        cmocka_unit_test(late_fees_count_in_any_order_and_bounded),
        cmocka_unit_test(strangers_who_name_a_bill_bound_the_look),
        cmocka_unit_test(a_cancelled_bill_is_overpaid_by_all),
        cmocka_unit_test(a_card_topped_up_twice_is_listed_until_one_is_taken_back),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
