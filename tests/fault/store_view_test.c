/* store_view_test.c -- every read of a view while something fails: it answers what it always answers, or the failure;
 * never less than there is as if that were all.  What has no error to answer leaves it in the view's transaction. */
#include "tests/fault/store_place.h"

#include "storage/model/record.h"

#define READ_KINDS (FAULT_OF_MEMORY | FAULT_OF_READING)

/* ---- what is read ---- */

struct shelf {
    struct place *place;
    struct hs_stream stream; /* of the hall, also at the hub, where it is forked beside another */
    struct hs_stream forked;
    struct hs_id payment;
    struct hs_hash secret;
    struct hs_key node_key;
};

#define ACCOUNT "3201000001"
#define BILL    "bill-1"

static void put_fact(struct world_node *node, uint16_t kind, struct hs_bytes id, const struct hs_buf *message,
                     struct hs_bytes request)
{
    struct hs_write write = {.kind = kind, .id = id, .is_fact = true, .fact = hs_buf_bytes(message)};
    struct hs_draft draft = {
        .partition = 3201, .lane = HS_LANE_MONEY, .writes = &write, .write_count = 1, .request = request};
    struct hs_dot dot;
    hs_stamp stamp;
    assert_int_equal(hs_store_write(node->store, &draft, &dot, &stamp), HS_OK);
}

static void put_payment(struct shelf *shelf, uint64_t number, uint64_t fen)
{
    struct hs_buf message = {0};
    hs_be64(shelf->payment.bytes, number);
    struct hs_bytes id = HS_BYTES(shelf->payment.bytes, sizeof shelf->payment.bytes);
    hs_tlv_put_text(&message, 2, ACCOUNT);
    hs_tlv_put_u64(&message, 3, fen);
    hs_tlv_put_text(&message, 4, BILL);
    put_fact(&shelf->place->hall, HS_KIND_PAYMENT, id, &message, id);
    hs_buf_reset(&message);
    hs_tlv_put_bytes(&message, 2, id); /* a reversal of it */
    if (number == 1)
        put_fact(&shelf->place->hall, HS_KIND_REVERSAL, TEXT("0123456789abcdef"), &message, HS_BYTES_NONE);
    hs_buf_fini(&message);
}

static enum hs_err carry(struct shelf *shelf, struct hs_buf *body, struct hs_segment *segment,
                         const struct hs_stream *stream)
{
    struct hs_bytes certificate;
    struct hs_bytes opening;
    struct hs_view *view = world_view(&shelf->place->hall);
    assert_int_equal(hs_view_origin(view, stream->origin, &certificate, &opening), HS_OK);
    enum hs_err err = hs_store_put_origin(shelf->place->hub.store, certificate, opening);
    if (err == HS_OK)
        err = hs_view_cut(view, stream, 1, body, segment);
    hs_view_close(view);
    return err;
}

static void put_work(struct world_node *node)
{
    struct world_fact fact = world_money(++node->made);
    struct hs_dot dot;
    fact.lane = HS_LANE_WORK;
    assert_int_equal(world_write(node, &fact, &dot), HS_OK);
}

static void fill_hub(struct shelf *shelf)
{
    struct world_node *hub = &shelf->place->hub;
    struct hs_buf body = {0};
    struct hs_commit commit;
    struct hs_enrolment enrolment = {.node_id = "nj-east", .role = HS_ROLE_HALL};
    struct hs_loose loose;
    assert_int_equal(hs_store_begin(hub->store), HS_OK);
    put_work(hub);
    assert_int_equal(hs_store_fill_begin(hub->store, 3201, HS_LANE_WORK), HS_OK);
    assert_int_equal(carry(shelf, &body, &loose.segment, &shelf->stream), HS_OK);
    assert_int_equal(hs_store_receive(hub->store, &loose.segment), HS_OK);
    hs_buf_reset(&body);
    assert_int_equal(carry(shelf, &body, &loose.segment, &shelf->forked), HS_OK);
    loose.start = hs_chain_start(&shelf->forked);
    assert_int_equal(hs_store_put_fork(hub->store, &shelf->forked, 2, TEXT("proof")), HS_OK);
    assert_int_equal(hs_store_put_loose(hub->store, &loose), HS_OK);
    assert_int_equal(hs_store_put_enrolment(hub->store, &shelf->secret, &enrolment), HS_OK);
    assert_int_equal(hs_store_commit(hub->store, &commit), HS_OK);
    assert_true(commit.receipt_count == 1);
    struct hs_receipt receipt = commit.receipts[0];
    receipt.store_id++; /* as if of another hub */
    assert_int_equal(hs_receipt_sign(&receipt, &hub->options.signer), HS_OK);
    assert_int_equal(hs_store_begin(hub->store), HS_OK);
    assert_int_equal(hs_store_put_receipt(hub->store, &receipt, hub->options.certificate), HS_OK);
    assert_int_equal(hs_store_commit(hub->store, &commit), HS_OK);
    hs_buf_fini(&body);
}

static void fill(struct shelf *shelf, struct place *place)
{
    struct hs_commit commit;
    shelf->place = place;
    shelf->node_key = place->hall.draft.node_key;
    shelf->forked = money_of(world_group(&place->hall, 3).origin);
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    assert_int_equal(hs_store_strike(place->hall.store, "for a test"), HS_OK);
    assert_int_equal(hs_store_commit(place->hall.store, &commit), HS_OK);
    shelf->stream = money_of(world_group(&place->hall, 2).origin);
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    put_payment(shelf, 1, 300);
    put_payment(shelf, 2, 400);
    put_work(&place->hall);
    assert_int_equal(hs_store_commit(place->hall.store, &commit), HS_OK);
    fill_hub(shelf);
}

/* ---- the reads ---- */

static enum hs_err note_head(void *ctx, const struct hs_head *head)
{
    return world_hash_head(ctx, head);
}

static enum hs_err note_stored(void *ctx, const struct hs_stored *stored)
{
    hs_buf_put(ctx, stored->hash.bytes, HS_HASH_BYTES);
    hs_buf_put_bytes(ctx, stored->state);
    return HS_OK;
}

static enum hs_err note_op(void *ctx, const struct hs_change *change)
{
    hs_buf_put_u64(ctx, change->stream.origin);
    hs_buf_put_u64(ctx, change->n);
    hs_buf_put_sized(ctx, change->op);
    hs_buf_put_sized(ctx, change->record.id);
    return HS_OK;
}

static void put_hash(struct hs_buf *out, const struct hs_hash *hash)
{
    hs_buf_put(out, hash->bytes, HS_HASH_BYTES);
}

static enum hs_err sticky(const struct hs_view *view)
{
    return view->log.err != HS_OK ? view->log.err : view->records.err;
}

typedef enum hs_err (*read_one)(const struct shelf *shelf, struct hs_view *view, struct hs_buf *out);
#define READ(name) static enum hs_err name(const struct shelf *shelf, struct hs_view *view, struct hs_buf *out)

READ(heads)
{
    (void)shelf;
    return hs_view_heads(view, note_head, out);
}

READ(head)
{
    struct hs_head found;
    enum hs_err err = hs_view_head(view, &shelf->stream, &found);
    return err == HS_OK ? world_hash_head(out, &found) : err;
}

READ(op)
{
    struct hs_bytes bytes;
    enum hs_err err = hs_view_op(view, &shelf->stream, 2, &bytes);
    hs_buf_put_bytes(out, bytes);
    return err;
}

READ(cut)
{
    struct hs_buf body = {0};
    struct hs_segment segment;
    enum hs_err err = hs_view_cut(view, &shelf->stream, 1, &body, &segment);
    fault_pause();
    if (err == HS_OK) {
        put_hash(out, &segment.end);
        hs_buf_put_bytes(out, segment.body);
    }
    fault_resume();
    hs_buf_fini(&body);
    return err;
}

READ(hash_at)
{
    struct hs_hash hash = {{0}};
    enum hs_err err = hs_view_hash_at(view, &shelf->stream, 5, &hash);
    put_hash(out, &hash);
    return err;
}

READ(checkpoint)
{
    struct hs_checkpoint found = {0};
    enum hs_err err = hs_view_checkpoint(view, &shelf->stream, 5, &found);
    put_hash(out, &found.hash);
    return err;
}

READ(receipts)
{
    return hs_view_receipts(view, &shelf->stream, note_receipt, out);
}

READ(safety)
{
    hs_buf_put_u8(out, (uint8_t)hs_view_safety(view, &shelf->stream, 2));
    return sticky(view);
}

READ(origin)
{
    struct hs_bytes certificate;
    struct hs_bytes opening;
    enum hs_err err = hs_view_origin(view, shelf->stream.origin, &certificate, &opening);
    return err == HS_OK ? note_bytes(out, certificate, opening) : err;
}

READ(certificate)
{
    struct hs_bytes held;
    enum hs_err err = hs_view_certificate(view, &shelf->node_key, &held);
    hs_buf_put_bytes(out, held);
    return err;
}

READ(certificates)
{
    (void)shelf;
    return hs_view_certificates(view, note_bytes, out);
}

READ(enrolment)
{
    struct hs_enrolment held;
    enum hs_err err = hs_view_enrolment(view, &shelf->secret, &held);
    return err == HS_OK ? note_enrolment(out, &held) : err;
}

READ(enrolments)
{
    (void)shelf;
    return hs_view_enrolments(view, note_enrolment, out);
}

READ(forks)
{
    (void)shelf;
    return hs_view_forks(view, note_fork, out);
}

READ(loose)
{
    return hs_view_loose(view, &shelf->forked, note_loose, out);
}

READ(own_origins)
{
    (void)shelf;
    hs_buf_put_u64(out, hs_view_current_origin(view));
    hs_buf_put_u64(out, hs_view_own_origins(view));
    return sticky(view);
}

READ(lag)
{
    uint64_t ops;
    uint64_t bytes;
    hs_view_lag(view, &shelf->stream, 1, &ops, &bytes);
    hs_buf_put_u64(out, ops);
    hs_buf_put_u64(out, bytes);
    return sticky(view);
}

READ(record)
{
    struct hs_stored stored;
    struct hs_record_name name = {3201, HS_LANE_MONEY, HS_KIND_PAYMENT, HS_BYTES(shelf->payment.bytes, HS_ID_BYTES)};
    enum hs_err err = hs_view_record(view, &name, &stored);
    return err == HS_OK ? note_stored(out, &stored) : err;
}

READ(find)
{
    struct hs_stored stored;
    enum hs_err err = hs_view_find(view, HS_KIND_PAYMENT, HS_BYTES(shelf->payment.bytes, HS_ID_BYTES), &stored);
    return err == HS_OK ? note_stored(out, &stored) : err;
}

READ(by_index)
{
    (void)shelf;
    uint8_t index = hs_kind_index(hs_kind_by_number(HS_KIND_PAYMENT), "account")->number;
    return hs_view_index(view, HS_KIND_PAYMENT, index, TEXT(ACCOUNT), HS_BYTES_NONE, note_stored, out);
}

READ(all)
{
    (void)shelf;
    return hs_view_all(view, HS_KIND_PAYMENT, HS_BYTES_NONE, note_stored, out);
}

READ(request)
{
    struct hs_stream stream = {0};
    uint64_t n = 0;
    enum hs_err err = hs_view_request(view, HS_BYTES(shelf->payment.bytes, HS_ID_BYTES), &stream, &n);
    hs_buf_put_u64(out, stream.origin);
    hs_buf_put_u64(out, n);
    return err == HS_ENOTFOUND ? HS_OK : err; /* at the hub it is not this node's */
}

READ(changes)
{
    struct hs_position from = {0, 0};
    struct hs_position to;
    (void)shelf;
    return hs_view_changes(view, &from, 100, note_op, out, &to);
}

static void put_totals(struct hs_buf *out, const struct hs_totals *totals)
{
    hs_buf_put_u64(out, totals->count);
    hs_buf_put_u64(out, (uint64_t)totals->sum_fen);
    hs_buf_put_u64(out, totals->reversed_count);
    hs_buf_put_u64(out, (uint64_t)totals->reversed_fen);
}

READ(totals)
{
    struct hs_totals sums = {0};
    struct hs_totals_filter any = {0};
    (void)shelf;
    enum hs_err err = hs_view_totals(view, &any, &sums);
    put_totals(out, &sums);
    return err;
}

READ(totals_of_account)
{
    struct hs_totals sums = {0};
    struct hs_totals_filter filter = {.account = ACCOUNT};
    (void)shelf;
    enum hs_err err = hs_view_totals(view, &filter, &sums);
    put_totals(out, &sums);
    return err;
}

READ(totals_of_window)
{
    struct hs_totals sums = {0};
    struct hs_totals_filter filter = {.account = ACCOUNT, .has_window = true};
    (void)shelf;
    enum hs_err err = hs_view_totals(view, &filter, &sums);
    put_totals(out, &sums);
    return err;
}

READ(totals_of_origin)
{
    struct hs_totals sums = {0};
    struct hs_totals_filter filter = {.origins = &shelf->stream.origin, .origin_count = 1};
    enum hs_err err = hs_view_totals(view, &filter, &sums);
    put_totals(out, &sums);
    return err;
}

READ(bill)
{
    struct hs_bill_sums sums = {0};
    (void)shelf;
    enum hs_err err = hs_view_bill(view, ACCOUNT, TEXT(BILL), &sums);
    hs_buf_put_u8(out, sums.known);
    hs_buf_put_u64(out, (uint64_t)sums.paid_fen);
    return err;
}

READ(digests)
{
    (void)shelf;
    return hs_view_digests(view, world_hash_digest, out);
}

READ(branches)
{
    (void)shelf;
    return hs_view_digest_level(view, 3201, HS_KIND_PAYMENT, -1, world_hash_digest, out);
}

READ(leaf)
{
    struct hs_record_name name = {3201, HS_LANE_MONEY, HS_KIND_PAYMENT, HS_BYTES(shelf->payment.bytes, HS_ID_BYTES)};
    uint32_t number = hs_record_leaf(&name);
    enum hs_err err = hs_view_digest_level(view, 3201, HS_KIND_PAYMENT, (int)number / 64, world_hash_digest, out);
    return err == HS_OK ? hs_view_digest_leaf(view, 3201, HS_KIND_PAYMENT, number, HS_BYTES_NONE, note_stored, out)
                        : err;
}

READ(list)
{
    (void)shelf;
    return hs_view_list(view, 0, HS_BYTES_NONE, note_listed, out);
}

READ(list_counts)
{
    uint8_t key[HS_STREAM_KEY_BYTES];
    hs_stream_key(&shelf->forked, key);
    struct hs_record_name fork = {.id = HS_BYTES(key, sizeof key)};
    for (int number = 0; number <= HS_LIST_FORK; number++)
        hs_buf_put_u64(out, hs_view_list_count(view, (enum hs_list)number));
    hs_buf_put_u8(out, hs_view_listed(view, HS_LIST_FORK, &fork));
    return sticky(view);
}

READ(sizes)
{
    struct hs_store_sizes found;
    (void)shelf;
    hs_view_sizes(view, &found);
    hs_buf_put_u64(out, found.commit);
    hs_buf_put_u64(out, found.records_commit);
    return sticky(view);
}

READ(states)
{
    struct hs_bytes next;
    bool last = false;
    (void)shelf;
    return hs_view_states(view, 3201, HS_LANE_WORK, HS_BYTES_NONE, 1000, out, &next, &last);
}

READ(states_count)
{
    (void)shelf;
    hs_buf_put_u64(out, hs_view_states_count(view, 3201, HS_LANE_WORK));
    return sticky(view);
}

static enum hs_err note_fill(void *ctx, const struct hs_fill *one)
{
    hs_buf_put_u16(ctx, one->partition);
    hs_buf_put_u8(ctx, one->lane);
    hs_buf_put_u64(ctx, one->since_ms);
    return HS_OK;
}

READ(fills)
{
    (void)shelf;
    return hs_view_fills(view, note_fill, out);
}

READ(whole)
{
    (void)shelf;
    hs_buf_put_u8(out, hs_view_whole(view, 3201));
    return sticky(view);
}

/* ---- the body ---- */

struct reading {
    const struct shelf *shelf;
    struct world_node *node;
    read_one read;
    bool known;         /* what it answers without a fault: */
    enum hs_err answer; /* HS_OK, or that there is no such thing */
    struct hs_buf first, now;
};

static void settle(struct reading *reading, enum hs_err err)
{
    if (!reading->known) {
        reading->known = true;
        reading->answer = err;
        hs_buf_put_bytes(&reading->first, hs_buf_bytes(&reading->now));
    }
    fault_assert_named(err == reading->answer ? HS_OK : err);
    if (err == reading->answer && !hs_bytes_equal(hs_buf_bytes(&reading->first), hs_buf_bytes(&reading->now)))
        fail_msg("said to be read, and is something else");
    hs_buf_fini(&reading->now);
    reading->now = (struct hs_buf){0};
}

static void read_once(void *ctx)
{
    struct reading *reading = ctx;
    struct hs_view *view = world_view(reading->node);
    fault_begin();
    enum hs_err err = reading->read(reading->shelf, view, &reading->now);
    if (err == HS_OK)
        err = reading->now.err;
    fault_end();
    hs_view_close(view); /* at the hub all of them find something */
    assert_true(reading->node->role != HS_ROLE_HUB || fault_hit() || (err == HS_OK && reading->now.size > 0));
    settle(reading, err);
}

/* The same through the writer's own view, in a group that has written something. */
static void read_in_group_once(void *ctx)
{
    struct reading *reading = ctx;
    struct hs_store *store = reading->node->store;
    assert_int_equal(hs_store_begin(store), HS_OK);
    struct hs_view *view = hs_store_view(store);
    fault_begin();
    enum hs_err err = reading->read(reading->shelf, view, &reading->now);
    if (err == HS_OK)
        err = reading->now.err;
    if (err == HS_OK)
        err = hs_log_reader_of(store->log).txn->err;
    if (err == HS_OK)
        err = hs_records_txn(store->records)->err;
    fault_end();
    hs_store_abort(store);
    settle(reading, err);
}

static const struct {
    const char *name;
    read_one read;
    unsigned kinds; /* 0: those of reading */
} READS[] = {
    {"heads", heads, 0},
    {"head", head, 0},
    {"op", op, 0},
    {"cut", cut, READ_KINDS},
    {"hash at", hash_at, 0},
    {"checkpoint", checkpoint, 0},
    {"receipts", receipts, 0},
    {"safety", safety, 0},
    {"origin", origin, 0},
    {"certificate", certificate, 0},
    {"certificates", certificates, 0},
    {"enrolment", enrolment, 0},
    {"enrolments", enrolments, 0},
    {"forks", forks, 0},
    {"loose", loose, 0},
    {"own origins", own_origins, 0},
    {"lag", lag, 0},
    {"record", record, 0},
    {"find", find, 0},
    {"index", by_index, 0},
    {"all", all, 0},
    {"request", request, 0},
    {"changes", changes, 0},
    {"totals", totals, 0},
    {"totals of an account", totals_of_account, 0},
    {"totals of a window", totals_of_window, READ_KINDS},
    {"totals of an origin", totals_of_origin, 0},
    {"bill", bill, 0},
    {"digests", digests, 0},
    {"branches", branches, 0},
    {"leaf", leaf, 0},
    {"list", list, 0},
    {"list counts", list_counts, 0},
    {"sizes", sizes, 0},
    {"states", states, READ_KINDS},
    {"states count", states_count, 0},
    {"fills", fills, 0},
    {"whole", whole, 0},
};

static void read_all(struct place *place, bool at_hub, fault_body body)
{
    struct shelf shelf = {0};
    fill(&shelf, place);
    for (size_t i = 0; i < COUNT(READS); i++) {
        struct reading reading = {&shelf, at_hub ? &place->hub : &place->hall, READS[i].read, false, HS_OK, {0}, {0}};
        unsigned kinds = READS[i].kinds == 0 ? FAULT_OF_READING : READS[i].kinds;
        fault_each(READS[i].name, kinds, body, &reading);
        hs_buf_fini(&reading.first);
    }
}

static void a_view_tells_all_or_the_failure(void **state)
{
    read_all(*state, true, read_once);
}

static void a_halls_view_tells_all_or_the_failure(void **state)
{
    read_all(*state, false, read_once);
}

static void the_writers_view_tells_all_or_the_failure(void **state)
{
    read_all(*state, true, read_in_group_once);
}

/* ---- opening views ---- */

static void view_once(void *ctx)
{
    struct place *place = ctx;
    struct hs_store *store = place->hall.store;
    struct hs_view *views[3] = {NULL};
    enum hs_err err = HS_OK;
    world_group(&place->hall, 1);
    assert_int_equal(hs_store_flush(store), HS_OK);
    fault_begin();
    for (size_t i = 0; i < COUNT(views) && err == HS_OK; i++)
        err = hs_view_open(store, hs_store_position(store).commit, 0, &views[i]);
    fault_end();
    fault_assert_named(err);
    for (size_t i = 0; i < COUNT(views); i++)
        hs_view_close(views[i]);
    assert_int_equal(store->view_count, 0);
    store_free_views(store); /* so that the next attempt opens new ones */
    holdings(&place->hall);
}

static void a_view_that_was_not_opened_leaves_nothing(void **state)
{
    fault_each("opening views",
               FAULT_OF_MEMORY | FAULT_BIT(FAULT_DB_MEMORY) | FAULT_BIT(FAULT_DB_IO) | FAULT_BIT(FAULT_DB_ODD),
               view_once, *state);
}

static void renew_once(void *ctx)
{
    struct place *place = ctx;
    struct hs_store *store = place->hall.store;
    struct hs_view *view = world_view(&place->hall);
    hs_view_close(view);
    fault_begin();
    enum hs_err err = hs_view_open(store, 0, 0, &view);
    fault_end();
    fault_assert_named(err);
    if (err == HS_OK)
        hs_view_close(view);
    assert_int_equal(store->view_count, 0);
    holdings(&place->hall);
}

static void a_spare_view_that_fails_is_given_up(void **state)
{
    struct place *place = *state;
    world_group(&place->hall, 1);
    fault_each("taking up a spare view", FAULT_BIT(FAULT_DB_MEMORY) | FAULT_BIT(FAULT_DB_IO) | FAULT_BIT(FAULT_DB_ODD),
               renew_once, place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(a_view_tells_all_or_the_failure),           IN_PLACE(a_halls_view_tells_all_or_the_failure),
        IN_PLACE(the_writers_view_tells_all_or_the_failure), IN_PLACE(a_view_that_was_not_opened_leaves_nothing),
        IN_PLACE(a_spare_view_that_fails_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
