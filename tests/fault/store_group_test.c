/* store_group_test.c -- a group of every sort of write while something fails: what was answered OK is there after a new
 * start, what was not is given up whole, and the store goes on, or says that it does not. */
#include "tests/fault/store_place.h"

#include "proto/msg/revoke.h"

#include <stdio.h>

#define DEED_KINDS                                                                                           \
    (FAULT_OF_MEMORY | FAULT_OF_DB | FAULT_OF_LATE | FAULT_BIT(FAULT_FILE_IO) | FAULT_BIT(FAULT_FILE_FULL) | \
     FAULT_BIT(FAULT_FILE_SHORT))

struct attempt;

/* One sort of write. */
struct deed {
    const char *name;
    void (*prepare)(struct attempt *attempt);
    enum hs_err (*perform)(struct attempt *attempt); /* in the open group; with faults */
    bool (*is_there)(struct attempt *attempt);       /* in the store, all of it */
};

struct attempt {
    const struct deed *deed;
    struct place *place;
    struct world_node *node; /* whose group it is */
    uint64_t number;         /* of this attempt: everything it writes is new */
    struct hs_buf messages[4];
    struct hs_buf body;
    struct hs_segment segment;
    struct hs_buf certificate, opening;
    struct hs_receipt receipt;
    struct hs_buf revocation, release;
    struct hs_key revoked;
    struct hs_hash secret;
    char cash_number[HS_NUMBER_BYTES_MAX];
    uint64_t origin;
    uint64_t fact;
    bool retries; /* until it is done */
};

static struct hs_bytes name_of(struct attempt *attempt, char text[static 64], const char *prefix)
{
    int size = snprintf(text, 64, "%s-%010llu", prefix, (unsigned long long)attempt->number);
    return HS_BYTES(text, (size_t)size);
}

static struct hs_id id_of(const struct attempt *attempt)
{
    struct hs_id id = {{0}};
    hs_be64(id.bytes, attempt->number);
    return id;
}

/* ---- own writes: a customer, a bill, a payment, its cash entry ---- */

static struct hs_bytes account_of(struct attempt *attempt, char text[static 64])
{
    snprintf(text, 64, "3201%06llu", (unsigned long long)attempt->number % 1000000);
    return HS_BYTES(text, 10);
}

static void prepare_own(struct attempt *attempt)
{
    char account[64];
    char bill[64];
    struct hs_id id = id_of(attempt);
    account_of(attempt, account);
    name_of(attempt, bill, "bill");
    for (size_t i = 0; i < COUNT(attempt->messages); i++)
        hs_buf_reset(&attempt->messages[i]);
    hs_tlv_put_text(&attempt->messages[0], 1, "Wang Fang"); /* a customer's name */
    hs_tlv_put_u64(&attempt->messages[1], 3, 12345);        /* a bill's amount */
    hs_tlv_put_text(&attempt->messages[2], 2, account);     /* a payment */
    hs_tlv_put_u64(&attempt->messages[2], 3, 20000);
    hs_tlv_put_text(&attempt->messages[2], 4, bill);
    hs_tlv_put_u64(&attempt->messages[2], 6, 3);
    hs_tlv_put_bytes(&attempt->messages[3], 2, HS_BYTES(id.bytes, sizeof id.bytes)); /* a cash entry */
    hs_tlv_put_s64(&attempt->messages[3], 3, 20000);
    attempt->node = &attempt->place->hall;
}

static enum hs_err write_one(struct attempt *attempt, const struct hs_write *write, enum hs_lane lane, bool request)
{
    struct hs_id id = id_of(attempt);
    struct hs_dot dot;
    hs_stamp stamp;
    struct hs_draft draft = {.partition = 3201, .lane = lane, .writes = write, .write_count = 1};
    if (request)
        draft.request = HS_BYTES(id.bytes, sizeof id.bytes);
    return hs_store_write(attempt->node->store, &draft, &dot, &stamp);
}

static enum hs_err write_register(struct attempt *attempt, uint16_t kind, struct hs_bytes id, uint32_t field, size_t at)
{
    struct hs_field_write one = {.number = field, .value = hs_buf_bytes(&attempt->messages[at])};
    struct hs_write write = {.kind = kind, .id = id, .fields = &one, .field_count = 1};
    return write_one(attempt, &write, hs_kind_by_number(kind)->lane, false);
}

static enum hs_err write_fact(struct attempt *attempt, uint16_t kind, struct hs_bytes id, size_t at, bool request)
{
    struct hs_write write = {.kind = kind, .id = id, .is_fact = true, .fact = hs_buf_bytes(&attempt->messages[at])};
    return write_one(attempt, &write, HS_LANE_MONEY, request);
}

static enum hs_err perform_own(struct attempt *attempt)
{
    char text[64];
    struct hs_id id = id_of(attempt);
    struct hs_bytes payment = HS_BYTES(id.bytes, sizeof id.bytes);
    struct hs_stored stored;
    enum hs_err err = hs_view_find(hs_store_view(attempt->node->store), HS_KIND_PAYMENT, payment, &stored);
    if (err != HS_ENOTFOUND)
        return err; /* who looks first and cannot, has written nothing */
    err = write_register(attempt, HS_KIND_CUSTOMER, account_of(attempt, text), 1, 0);
    if (err == HS_OK)
        err = write_register(attempt, HS_KIND_BILL, name_of(attempt, text, "bill"), 3, 1);
    if (err == HS_OK)
        err = write_fact(attempt, HS_KIND_PAYMENT, payment, 2, true);
    if (err == HS_OK)
        err = hs_store_number(attempt->node->store, 20261122, 3, attempt->cash_number);
    if (err != HS_OK)
        return err;
    struct hs_bytes number = HS_BYTES(attempt->cash_number, strlen(attempt->cash_number));
    return write_fact(attempt, HS_KIND_CASH_ENTRY, number, 3, false);
}

/* Money once, and the request that brought it. */
static bool is_own_there(struct attempt *attempt)
{
    char text[64];
    struct hs_id id = id_of(attempt);
    struct hs_bytes payment = HS_BYTES(id.bytes, sizeof id.bytes);
    struct hs_stream stream;
    uint64_t n;
    struct hs_totals totals;
    struct hs_totals_filter filter = {.account = (const char *)account_of(attempt, text).data};
    struct hs_view *view = world_view(attempt->node);
    assert_int_equal(hs_view_totals(view, &filter, &totals), HS_OK);
    enum hs_err err = hs_view_request(view, payment, &stream, &n);
    hs_view_close(view);
    bool there = has_record(attempt->node, 3201, HS_LANE_MONEY, HS_KIND_PAYMENT, payment);
    assert_true((err == HS_OK) == there);
    assert_true(totals.count == there && totals.sum_fen == (there ? 20000 : 0));
    uint8_t lane = (uint8_t)hs_kind_by_number(HS_KIND_CUSTOMER)->lane;
    assert_true(has_record(attempt->node, 3201, lane, HS_KIND_CUSTOMER, account_of(attempt, text)) == there);
    return there;
}

/* ---- another store's ops, with their origin ---- */

static uint64_t new_origin(struct world_node *node, size_t ops)
{
    struct hs_commit commit;
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    assert_int_equal(hs_store_strike(node->store, "for a test"), HS_OK);
    assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
    return world_group(node, ops).origin;
}

static void prepare_segment(struct attempt *attempt)
{
    struct world_node *hall = &attempt->place->hall;
    struct hs_bytes certificate;
    struct hs_bytes opening;
    attempt->node = &attempt->place->hub;
    attempt->origin = new_origin(hall, 3);
    struct hs_stream stream = money_of(attempt->origin);
    struct hs_view *view = world_view(hall);
    hs_buf_reset(&attempt->body);
    hs_buf_reset(&attempt->certificate);
    hs_buf_reset(&attempt->opening);
    assert_int_equal(hs_view_cut(view, &stream, 1, &attempt->body, &attempt->segment), HS_OK);
    assert_int_equal(hs_view_origin(view, attempt->origin, &certificate, &opening), HS_OK);
    hs_buf_put_bytes(&attempt->certificate, certificate);
    hs_buf_put_bytes(&attempt->opening, opening);
    hs_view_close(view);
}

static enum hs_err put_origin(struct attempt *attempt)
{
    return hs_store_put_origin(attempt->node->store, hs_buf_bytes(&attempt->certificate),
                               hs_buf_bytes(&attempt->opening));
}

static enum hs_err perform_segment(struct attempt *attempt)
{
    enum hs_err err = put_origin(attempt);
    return err == HS_OK ? hs_store_receive(attempt->node->store, &attempt->segment) : err;
}

/* With the hub's own word for it. */
static bool is_segment_there(struct attempt *attempt)
{
    struct hs_stream stream = money_of(attempt->origin);
    struct hs_buf receipts = {0};
    struct hs_view *view = world_view(attempt->node);
    assert_int_equal(hs_view_receipts(view, &stream, note_receipt, &receipts), HS_OK);
    hs_view_close(view);
    bool there = world_head(attempt->node, &stream) == 3;
    assert_true(there == (receipts.size > 0));
    hs_buf_fini(&receipts);
    for (uint64_t i = 0; i < 3; i++) {
        struct hs_id id = world_fact_id(&attempt->place->hall, attempt->place->hall.made - i);
        assert_true(has_record(attempt->node, 3201, HS_LANE_MONEY, WORLD_KIND_FACT, HS_BYTES(id.bytes, 16)) == there);
    }
    return there;
}

/* ---- a hub's receipt ---- */

static void prepare_receipt(struct attempt *attempt)
{
    struct hs_commit commit;
    prepare_segment(attempt);
    assert_int_equal(hs_store_begin(attempt->node->store), HS_OK);
    assert_int_equal(perform_segment(attempt), HS_OK);
    assert_int_equal(hs_store_commit(attempt->node->store, &commit), HS_OK);
    assert_int_equal(commit.receipt_count, 1);
    attempt->receipt = commit.receipts[0];
    attempt->node = &attempt->place->hall;
}

static enum hs_err perform_receipt(struct attempt *attempt)
{
    return hs_store_put_receipt(attempt->node->store, &attempt->receipt, attempt->place->hub.options.certificate);
}

static bool is_receipt_there(struct attempt *attempt)
{
    struct hs_view *view = world_view(attempt->node);
    enum hs_safety safety = hs_view_safety(view, &attempt->receipt.stream, attempt->receipt.n);
    hs_view_close(view);
    return safety == HS_SAFETY_HUB;
}

/* ---- a fork and what came loose ---- */

static enum hs_err perform_fork(struct attempt *attempt)
{
    struct hs_loose loose = {.segment = attempt->segment, .start = hs_chain_start(&attempt->segment.stream)};
    enum hs_err err = put_origin(attempt);
    if (err == HS_OK)
        err = hs_store_put_fork(attempt->node->store, &attempt->segment.stream, 2, TEXT("proof"));
    return err == HS_OK ? hs_store_put_loose(attempt->node->store, &loose) : err;
}

static bool is_fork_there(struct attempt *attempt)
{
    struct hs_buf loose = {0};
    struct hs_stream stream = money_of(attempt->origin);
    struct hs_record_name name = {.id = HS_BYTES_NONE};
    uint8_t key[HS_STREAM_KEY_BYTES];
    hs_stream_key(&stream, key);
    name.id = HS_BYTES(key, sizeof key);
    struct hs_view *view = world_view(attempt->node);
    bool there = hs_view_listed(view, HS_LIST_FORK, &name);
    assert_int_equal(hs_view_loose(view, &stream, note_loose, &loose), HS_OK);
    hs_view_close(view);
    assert_true(there == (loose.size > 0));
    hs_buf_fini(&loose);
    struct hs_id id = world_fact_id(&attempt->place->hall, attempt->place->hall.made);
    assert_true(has_record(attempt->node, 3201, HS_LANE_MONEY, WORLD_KIND_FACT, HS_BYTES(id.bytes, 16)) == there);
    return there;
}

/* ---- a newer certificate, a join token ---- */

static void prepare_papers(struct attempt *attempt)
{
    attempt->node = &attempt->place->hub;
    attempt->place->hall.draft.issued_ms = 100 + attempt->number;
    world_certify(&attempt->place->hall);
    memset(attempt->secret.bytes, 0, sizeof attempt->secret.bytes);
    hs_be64(attempt->secret.bytes, attempt->number);
}

static enum hs_err perform_papers(struct attempt *attempt)
{
    struct hs_enrolment enrolment = {.node_id = "nj-east", .role = HS_ROLE_HALL, .expires_ms = attempt->number};
    enum hs_err err = hs_store_put_certificate(attempt->node->store, attempt->place->hall.options.certificate);
    return err == HS_OK ? hs_store_put_enrolment(attempt->node->store, &attempt->secret, &enrolment) : err;
}

static bool are_papers_there(struct attempt *attempt)
{
    struct hs_enrolment enrolment;
    struct hs_bytes held;
    struct hs_view *view = world_view(attempt->node);
    enum hs_err err = hs_view_enrolment(view, &attempt->secret, &enrolment);
    assert_true(err == HS_OK || err == HS_ETOKEN);
    enum hs_err found = hs_view_certificate(view, &attempt->place->hall.draft.node_key, &held);
    bool newest = found == HS_OK && hs_bytes_equal(held, attempt->place->hall.options.certificate);
    hs_view_close(view);
    assert_true(newest == (err == HS_OK));
    return newest;
}

/* ---- a key revoked, and some of what it has signed released ---- */

static void prepare_revoking(struct attempt *attempt)
{
    struct world_region *region = &attempt->place->region;
    struct hs_authority root = {HS_BYTES_NONE, &region->root};
    struct hs_release release = {.time_ms = 7, .reason = "counted", .name = "Wang Li", .count = 1};
    struct world_node node;
    world_add(region, &node, "nj-east", HS_ROLE_HALL);
    attempt->node = &attempt->place->hub;
    attempt->revoked = release.node_key = node.draft.node_key;
    hs_buf_reset(&attempt->revocation);
    hs_buf_reset(&attempt->release);
    assert_int_equal(hs_revocation_sign(node.options.certificate, "stolen", 5, &root, &attempt->revocation), HS_OK);
    release.heads[0] = (struct hs_released){money_of(attempt->number), 4, {{7}}};
    assert_int_equal(hs_release_sign(&release, &root, &attempt->release), HS_OK);
    world_drop(&node);
}

static enum hs_err perform_revoking(struct attempt *attempt)
{
    enum hs_err err = hs_store_put_revocation(attempt->node->store, hs_buf_bytes(&attempt->revocation));
    return err == HS_OK ? hs_store_put_release(attempt->node->store, hs_buf_bytes(&attempt->release)) : err;
}

struct sought_release {
    struct hs_bytes encoded;
    bool found;
};

static enum hs_err look_for_release(void *ctx, struct hs_bytes key, struct hs_bytes encoded)
{
    struct sought_release *sought = ctx;
    (void)key;
    sought->found = sought->found || hs_bytes_equal(encoded, sought->encoded);
    return HS_OK;
}

static bool is_revoking_there(struct attempt *attempt)
{
    struct sought_release sought = {.encoded = hs_buf_bytes(&attempt->release)};
    struct hs_bytes held;
    struct hs_view *view = world_view(attempt->node);
    enum hs_err err = hs_view_revocation(view, &attempt->revoked, &held);
    bool there = err == HS_OK && hs_bytes_equal(held, hs_buf_bytes(&attempt->revocation));
    assert_true(there || err == HS_ENOTFOUND);
    err = hs_view_certificate(view, &attempt->revoked, &held);
    assert_true(err == (there ? HS_OK : HS_ENOTFOUND)); /* which says whose key it is */
    assert_int_equal(hs_view_releases(view, look_for_release, &sought), HS_OK);
    hs_view_close(view);
    assert_true(sought.found == there);
    return there;
}

/* ---- an origin struck out, and the next one opened ---- */

static void prepare_strike(struct attempt *attempt)
{
    attempt->node = &attempt->place->hall;
    attempt->origin = world_group(attempt->node, 1).origin;
    attempt->fact = ++attempt->node->made;
}

static enum hs_err perform_strike(struct attempt *attempt)
{
    struct world_fact fact = world_money(attempt->fact);
    struct hs_dot dot;
    enum hs_err err = hs_store_strike(attempt->node->store, "for a test");
    return err == HS_OK ? world_write(attempt->node, &fact, &dot) : err;
}

static bool is_strike_there(struct attempt *attempt)
{
    struct hs_id id = world_fact_id(attempt->node, attempt->fact);
    bool there = has_record(attempt->node, 3201, HS_LANE_MONEY, WORLD_KIND_FACT, HS_BYTES(id.bytes, 16));
    if (there)
        assert_true(world_current_origin(attempt->node) != attempt->origin);
    return there;
}

/* ---- the body ---- */

static enum hs_err run_group(struct attempt *attempt)
{
    struct hs_store *store = attempt->node->store;
    struct hs_commit commit;
    enum hs_err err = hs_store_begin(store);
    if (err != HS_OK)
        return err;
    err = attempt->deed->perform(attempt);
    if (err == HS_OK)
        return hs_store_commit(store, &commit);
    hs_store_abort(store);
    return err;
}

/* It takes the very next group. */
static void assert_goes_on(struct world_node *node)
{
    struct hs_dot dot = world_group(node, 1);
    struct hs_stream stream = money_of(dot.origin);
    assert_int_equal(world_head(node, &stream), dot.n);
}

static void attempt_once(void *ctx)
{
    struct attempt *attempt = ctx;
    attempt->number++;
    attempt->deed->prepare(attempt);
    struct hs_hash before = holdings(attempt->node);
    fault_begin();
    enum hs_err err = run_group(attempt);
    for (int i = 0; attempt->retries && err != HS_OK && i < 100; i++)
        err = run_group(attempt);
    enum hs_err flushed = err == HS_OK ? hs_store_flush(attempt->node->store) : HS_OK;
    fault_end();
    fault_assert_named(err);
    fault_assert_named(flushed);
    assert_true(!attempt->retries || err == HS_OK);
    bool dead = store_failed(attempt->node->store) != HS_OK;
    if (!dead) {
        assert_int_equal(hs_store_begin(attempt->node->store), HS_OK); /* what is over is over */
        hs_store_abort(attempt->node->store);
        assert_true(attempt->deed->is_there(attempt) == (err == HS_OK));
        struct hs_hash after = holdings(attempt->node);
        assert_true(err == HS_OK || hs_hash_equal(&before, &after));
        assert_goes_on(attempt->node);
        before = holdings(attempt->node);
    }
    world_reopen(attempt->node);
    bool there = attempt->deed->is_there(attempt);
    struct hs_hash after = holdings(attempt->node);
    assert_true(there || err != HS_OK);
    assert_true(!there || err == HS_OK || dead);
    assert_true((there && dead) || hs_hash_equal(&before, &after));
    assert_goes_on(attempt->node);
}

static void run_deed(struct place *place, const struct deed *deed, bool retries)
{
    struct attempt attempt = {.deed = deed, .place = place, .retries = retries};
    world_group(&place->hall, 1);
    if (retries)
        fault_each_while(deed->name, FAULT_BIT(FAULT_DB_FULL), 3, attempt_once, &attempt);
    else
        fault_each(deed->name, DEED_KINDS, attempt_once, &attempt);
    assert_rebuilt_the_same(&place->hall);
    assert_rebuilt_the_same(&place->hub);
    for (size_t i = 0; i < COUNT(attempt.messages); i++)
        hs_buf_fini(&attempt.messages[i]);
    hs_buf_fini(&attempt.body);
    hs_buf_fini(&attempt.certificate);
    hs_buf_fini(&attempt.opening);
    hs_buf_fini(&attempt.revocation);
    hs_buf_fini(&attempt.release);
}

static const struct deed OWN = {"own writes", prepare_own, perform_own, is_own_there};
static const struct deed SEGMENT = {"a segment", prepare_segment, perform_segment, is_segment_there};
static const struct deed RECEIPT = {"a receipt", prepare_receipt, perform_receipt, is_receipt_there};
static const struct deed FORK = {"a fork", prepare_segment, perform_fork, is_fork_there};
static const struct deed PAPERS = {"papers", prepare_papers, perform_papers, are_papers_there};
static const struct deed REVOKING = {"a revocation", prepare_revoking, perform_revoking, is_revoking_there};
static const struct deed STRIKE = {"a strike", prepare_strike, perform_strike, is_strike_there};

static void own_writes_are_whole_or_not_there(void **state)
{
    run_deed(*state, &OWN, false);
}

static void a_segment_is_taken_whole_or_not(void **state)
{
    run_deed(*state, &SEGMENT, false);
}

static void a_receipt_is_kept_or_not(void **state)
{
    run_deed(*state, &RECEIPT, false);
}

static void a_fork_is_kept_with_what_came_loose_or_not(void **state)
{
    run_deed(*state, &FORK, false);
}

static void papers_are_kept_or_not(void **state)
{
    run_deed(*state, &PAPERS, false);
}

static void a_revocation_is_kept_or_not(void **state)
{
    run_deed(*state, &REVOKING, false);
}

static void a_strike_and_the_next_origin_are_one(void **state)
{
    run_deed(*state, &STRIKE, false);
}

static void a_disk_that_is_full_for_a_while_loses_and_doubles_nothing(void **state)
{
    run_deed(*state, &OWN, true);
    run_deed(*state, &SEGMENT, true);
    run_deed(*state, &RECEIPT, true);
    run_deed(*state, &PAPERS, true);
    run_deed(*state, &REVOKING, true);
}

/* ---- single promises ---- */

static void look_once(void *ctx)
{
    struct place *place = ctx;
    struct hs_store *store = place->hall.store;
    struct hs_stored stored;
    fault_begin();
    enum hs_err err = hs_store_begin(store);
    if (err == HS_OK) {
        err = hs_view_find(hs_store_view(store), HS_KIND_PAYMENT, TEXT("0123456789abcdef"), &stored);
        hs_store_abort(store);
    }
    fault_end();
    fault_assert_named(err == HS_ENOTFOUND ? HS_OK : err);
    if (store_failed(store) != HS_OK) /* no transaction could be begun, again and again */
        world_reopen(&place->hall);
    assert_goes_on(&place->hall);
}

static void a_read_that_failed_refuses_no_later_group(void **state)
{
    struct place *place = *state;
    world_group(&place->hall, 3);
    fault_each("a look", FAULT_OF_READING | FAULT_BIT(FAULT_DB_ODD), look_once, place);
}

struct papers {
    struct place *place;
    struct hs_buf older;
};

static void put_older_once(void *ctx)
{
    struct papers *papers = ctx;
    struct world_node *hub = &papers->place->hub;
    struct hs_commit commit;
    struct hs_bytes held;
    assert_int_equal(hs_store_begin(hub->store), HS_OK);
    fault_begin();
    enum hs_err err = hs_store_put_certificate(hub->store, hs_buf_bytes(&papers->older));
    fault_end();
    fault_assert_named(err);
    if (err == HS_OK)
        assert_int_equal(hs_store_commit(hub->store, &commit), HS_OK);
    hs_store_abort(hub->store);
    struct hs_view *view = world_view(hub);
    assert_int_equal(hs_view_certificate(view, &papers->place->hall.draft.node_key, &held), HS_OK);
    assert_true(hs_bytes_equal(held, papers->place->hall.options.certificate));
    hs_view_close(view);
}

static void an_older_certificate_never_replaces_a_newer(void **state)
{
    struct papers papers = {.place = *state};
    struct world_node *hall = &papers.place->hall;
    struct world_node *hub = &papers.place->hub;
    struct hs_commit commit;
    hs_buf_put_bytes(&papers.older, hall->options.certificate);
    hall->draft.issued_ms++;
    world_certify(hall);
    assert_int_equal(hs_store_begin(hub->store), HS_OK);
    assert_int_equal(hs_store_put_certificate(hub->store, hall->options.certificate), HS_OK);
    assert_int_equal(hs_store_commit(hub->store, &commit), HS_OK);
    fault_each("an older certificate", FAULT_OF_MEMORY, put_older_once, &papers);
    hs_buf_fini(&papers.older);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(own_writes_are_whole_or_not_there),
        IN_PLACE(a_segment_is_taken_whole_or_not),
        IN_PLACE(a_receipt_is_kept_or_not),
        IN_PLACE(a_fork_is_kept_with_what_came_loose_or_not),
        IN_PLACE(papers_are_kept_or_not),
        IN_PLACE(a_revocation_is_kept_or_not),
        IN_PLACE(a_strike_and_the_next_origin_are_one),
        IN_PLACE(a_disk_that_is_full_for_a_while_loses_and_doubles_nothing),
        IN_PLACE(a_read_that_failed_refuses_no_later_group),
        IN_PLACE(an_older_certificate_never_replaces_a_newer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
