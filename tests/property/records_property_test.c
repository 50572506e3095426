/* records_property_test.c -- random ops of all kinds from several origins, true and strange ones, put into three
 * environments: one in the order of writing, the others in other orders (of one stream in its own), some ops again
 * and again, with commits, aborts and replays between.  All derived tables must come out equal byte for byte, the
 * verification must pass after each step, and the money must be what an oracle without any table says. HS_SEED=N
 * HS_WORLDS=M (or M as argument) repeats a run. */
#include "storage/model/bill_due.h"
#include "tests/property/money_oracle.h"
#include "tests/property/random_writes.h"
#include "tests/unit/records_world.h"

#include <inttypes.h>

#define DEFAULT_SEED   20261121
#define DEFAULT_WORLDS 60
#define ACTS_MAX       90
#define ORIGINS        3
#define ENVS           3
#define WINDOWS        3

static uint64_t world_seed;
static size_t world_count = DEFAULT_WORLDS;

/* ---- acts: ops that were written ---- */

struct act {
    struct hs_stream stream;
    uint64_t n;
    struct hs_bytes bytes;
    const struct hs_certificate *writer;
};

struct environment {
    struct world world;
    bool taken[ACTS_MAX];
    bool committed[ACTS_MAX];
};

struct history {
    struct hs_arena arena;
    struct act acts[ACTS_MAX];
    size_t act_count;
    hs_stamp clock;
    struct environment envs[ENVS];
    struct hs_id settlements[ACTS_MAX]; /* that were made, for others to follow */
    size_t settlement_count;
};

/* Of each origin, as NODES says. */
static const struct hs_certificate HUBS[] = {{.role = HS_ROLE_HUB, .node_id = "nj-1"},
                                             {.role = HS_ROLE_HUB, .node_id = "nj-2"},
                                             {.role = HS_ROLE_HUB, .node_id = "nj-1"}};
static const struct hs_certificate HALLS[] = {{.role = HS_ROLE_HALL, .node_id = "nj-1"},
                                              {.role = HS_ROLE_HALL, .node_id = "nj-2"},
                                              {.role = HS_ROLE_HALL, .node_id = "nj-1"}};

/* ---- random records of every kind ---- */

static struct hs_bytes payment_fact(struct history *history)
{
    struct hs_buf fact = {0};
    if (chance(95))
        hs_tlv_put_text(&fact, 2, some_account());
    hs_tlv_put_u64(&fact, 3, chance(95) ? 1 + random_below(200) : 0);
    if (chance(80))
        hs_tlv_put_text(&fact, 4, some_bill());
    if (chance(20))
        hs_tlv_put_text(&fact, 5, PICK("cash", "shells", "beads"));
    if (chance(80))
        hs_tlv_put_u64(&fact, 6, random_below(WINDOWS));
    for (uint64_t i = chance(30) ? random_below(4) : 0; i > 0; i--)
        put_part(&fact, 8, some_bill(), chance(97) ? 1 + random_below(90) : 0);
    if (chance(40))
        hs_tlv_put_text(&fact, 14, PICK("C1", "C2"));
    if (chance(40))
        hs_tlv_put_u64(&fact, 15, 1 + random_below(2));
    return keep(&history->arena, &fact);
}

static struct hs_bytes reversal_fact(struct history *history)
{
    struct hs_buf fact = {0};
    if (chance(95))
        hs_tlv_put_bytes(&fact, 2, small_id(&history->arena, 8));
    hs_tlv_put_u64(&fact, 5, random_below(3));
    return keep(&history->arena, &fact);
}

/* Most of them of one bill, by true and false owners, each after some other one or none. */
static struct hs_bytes settlement_fact(struct history *history)
{
    struct hs_buf fact = {0}, payment = {0};
    hs_tlv_put_text(&fact, 2, chance(80) ? ACCOUNTS[0] : some_account());
    if (chance(70))
        hs_tlv_put_text(&fact, 3, chance(80) ? "B1" : some_bill());
    hs_tlv_put_bytes(&payment, 1, small_id(&history->arena, 4));
    if (chance(50))
        hs_tlv_put_bytes(&fact, 4, hs_buf_bytes(&payment));
    hs_tlv_put_u64(&fact, 5, chance(97) ? 1 + random_below(40) : 0);
    hs_tlv_put_text(&fact, 6, PICK("refund", "refund", "credit"));
    hs_tlv_put_text(&fact, 7, "paid twice");
    hs_tlv_put_text(&fact, 8, "li");
    hs_tlv_put_text(&fact, 9, "F-1");
    hs_tlv_put_u64(&fact, 10, random_below(WINDOWS));
    if (history->settlement_count != 0 && chance(60)) {
        const struct hs_id *after = &history->settlements[random_below(history->settlement_count)];
        hs_tlv_put_bytes(&fact, 12, HS_BYTES(after->bytes, sizeof after->bytes));
    }
    hs_tlv_put_u64(&fact, 13, 1 + random_below(2));
    if (chance(40))
        hs_tlv_put_text(&fact, 14, some_bill());
    hs_buf_fini(&payment);
    return keep(&history->arena, &fact);
}

static struct hs_bytes grant_fact(struct history *history)
{
    struct hs_buf fact = {0};
    hs_tlv_put_text(&fact, 2, PICK("3201", "3201", "3301", "9"));
    hs_tlv_put_u64(&fact, 3, 1 + random_below(2));
    hs_tlv_put_text(&fact, 4, NODES[random_below(2)]);
    hs_tlv_put_text(&fact, 5, "Wang");
    return keep(&history->arena, &fact);
}

/* The id that its kind gives it, but for a few. */
static void name_by_hash(struct history *history, struct hs_write *write)
{
    struct hs_id id;
    struct hs_buf bytes = {0};
    if (chance(3))
        return;
    hs_kind_id(hs_kind_by_number(write->kind), write->fact, &id);
    hs_buf_put(&bytes, id.bytes, sizeof id.bytes);
    write->id = keep(&history->arena, &bytes);
    if (write->kind == HS_KIND_SETTLEMENT && history->settlement_count < ACTS_MAX)
        history->settlements[history->settlement_count++] = id;
}

static struct hs_bytes entry_fact(struct history *history, struct hs_bytes number)
{
    struct hs_buf fact = {0};
    hs_tlv_put_bytes(&fact, 1, number);
    hs_tlv_put_u64(&fact, 2, 1795233600000);
    hs_tlv_put_s64(&fact, 3, (int64_t)random_below(200) - 50);
    hs_tlv_put_u64(&fact, 4, chance(80) ? HS_KIND_PAYMENT : HS_KIND_REVERSAL);
    hs_tlv_put_bytes(&fact, 5, small_id(&history->arena, 4));
    hs_tlv_put_u64(&fact, 6, chance(90) ? 3201 : 77777);
    return keep(&history->arena, &fact);
}

static struct hs_bytes event_fact(struct history *history)
{
    struct hs_buf fact = {0};
    hs_tlv_put_bytes(&fact, 2, small_id(&history->arena, 3));
    if (chance(80))
        hs_tlv_put_text(&fact, 3,
                        PICK("open", "open", "accepted", "assigned", "working", "resolved", "archived", "gone"));
    if (chance(40))
        hs_tlv_put_text(&fact, 4, PICK("zhao", "qian"));
    if (chance(40))
        hs_tlv_put_text(&fact, 7, PICK("move", "urge", "pass", "consent", "reopen", "reopen", "frown"));
    if (chance(30))
        hs_tlv_put_text(&fact, 10, PICK("repair", "metering"));
    if (chance(30))
        hs_tlv_put_text(&fact, 14, PICK("yes", "no"));
    return keep(&history->arena, &fact);
}

static struct hs_bytes queue_ticket_fact(struct history *history)
{
    struct hs_buf fact = {0};
    if (chance(90))
        hs_tlv_put_text(&fact, 2, PICK("A001", "A002"));
    if (chance(90))
        hs_tlv_put_text(&fact, 3, PICK("2026-11-21", "2026-11-22"));
    hs_tlv_put_text(&fact, 4, PICK("nj-1", "nj-2"));
    hs_tlv_put_text(&fact, 5, chance(95) ? "A" : "ABCDEF");
    return keep(&history->arena, &fact);
}

static struct hs_bytes queue_event_fact(struct history *history)
{
    struct hs_buf fact = {0};
    if (chance(95))
        hs_tlv_put_bytes(&fact, 2, small_id(&history->arena, 2));
    hs_tlv_put_text(&fact, 3,
                    PICK("called", "called", "recalled", "serving", "served", "skipped", "transferred", "left"));
    if (chance(90))
        hs_tlv_put_u64(&fact, 4, 1 + random_below(2));
    return keep(&history->arena, &fact);
}

/* ---- decisions, as a hub makes them: about what is parked in the first environment ---- */

struct pick {
    struct hs_arena *arena;
    struct hs_record_name name;
    size_t count;
};

static enum hs_err pick_one(void *ctx, const struct hs_listed *listed)
{
    struct pick *pick = ctx;
    if (random_below(++pick->count) == 0) {
        pick->name = listed->name;
        struct hs_buf id = {0};
        hs_buf_put_bytes(&id, listed->name.id);
        pick->name.id = keep(pick->arena, &id);
    }
    return HS_OK;
}

static enum hs_err follow(void *ctx, const struct hs_decided *decided)
{
    hs_buf_put(ctx, decided->id.bytes, sizeof decided->id.bytes);
    return HS_OK;
}

static struct hs_bytes decision_fact(struct history *history)
{
    struct hs_txn *txn = world_txn(&history->envs[0].world);
    struct pick pick = {.arena = &history->arena,
                        .name = {3201, HS_LANE_MONEY, HS_KIND_PAYMENT, small_id(&history->arena, 8)}};
    struct hs_standing standing = {0};
    struct hs_stored stored;
    struct hs_buf fact = {0}, follows = {0};
    enum hs_list list = chance(50) ? HS_LIST_PARKED : HS_LIST_DECISION;
    if (chance(80)) /* else about one that may be right as it is */
        assert_int_equal(hs_records_list(txn, list, HS_BYTES_NONE, pick_one, &pick), HS_OK);
    if (hs_records_get(txn, &pick.name, &stored) == HS_OK)
        assert_int_equal(hs_records_standing(txn, &stored, &standing), HS_OK);
    if (chance(70))
        assert_int_equal(hs_records_decisions(txn, &pick.name, follow, &follows), HS_OK);
    hs_tlv_put_u64(&fact, 2, pick.name.lane);
    hs_tlv_put_u64(&fact, 3, pick.name.kind);
    hs_tlv_put_bytes(&fact, 4, pick.name.id);
    hs_tlv_put_text(&fact, 5, chance(95) ? PICK("release", "release", "reject") : "forget");
    hs_tlv_put_bytes(&fact, 6, HS_BYTES(standing.contents.bytes, chance(97) ? HS_HASH_BYTES : 7));
    if (chance(70))
        hs_tlv_put_bytes(&fact, 7, HS_BYTES(standing.flaw.bytes, HS_HASH_BYTES));
    if (follows.size != 0)
        hs_tlv_put_bytes(&fact, 8, hs_buf_bytes(&follows));
    hs_tlv_put_text(&fact, 9, PICK("zhao", "qian"));
    hs_tlv_put_text(&fact, 10, "as it was seen");
    hs_buf_fini(&follows);
    return keep(&history->arena, &fact);
}

/* A dot of some op before; that it may be of another stream or record is the point. */
static struct hs_dot *some_dot(struct history *history)
{
    struct hs_dot *dot = take(&history->arena, 1, sizeof *dot);
    const struct act *act = &history->acts[random_below(history->act_count)];
    *dot = (struct hs_dot){act->stream.origin, act->n};
    return dot;
}

static void register_write(struct history *history, struct hs_write *write)
{
    uint32_t most = write->kind == HS_KIND_BILL ? 9 : 6;
    struct hs_field_write *fields = take(&history->arena, most, sizeof *fields);
    write->fields = fields;
    static const uint32_t OF_TICKET[] = {2, 3, 4, 6, 9, 14};
    for (uint32_t i = 0; i < most; i++) {
        uint32_t number = write->kind == HS_KIND_TICKET ? OF_TICKET[i] : i + 1;
        if (!chance(i < 6 ? 70 : 20) && !(i + 1 == most && write->field_count == 0))
            continue;
        struct hs_field_write *field = &fields[write->field_count++];
        field->number = number;
        field->value = field_value(&history->arena, write->kind, number, write->id);
        if (history->act_count != 0 && chance(40)) {
            field->over = some_dot(history);
            field->over_count = 1;
        }
    }
}

static struct hs_bytes id_for(struct history *history, uint16_t kind)
{
    switch (kind) {
    case HS_KIND_CUSTOMER:
        return keep_text(&history->arena, some_account());
    case HS_KIND_BILL:
        return keep_text(&history->arena, some_bill());
    case HS_KIND_CASH_ENTRY:
        return keep_text(&history->arena, PICK("nj-1", "nj-2", "nj-3", "nj-4", "nj-5"));
    case HS_KIND_NOTICE:
        return keep_text(&history->arena, PICK("N1", "N2", "N3"));
    case HS_KIND_TICKET:
        return small_id(&history->arena, 3);
    case HS_KIND_QUEUE_TICKET:
        return small_id(&history->arena, 2);
    default:
        return chance(97) ? small_id(&history->arena, 8) : keep_text(&history->arena, "short");
    }
}

static void fact_write(struct history *history, struct hs_write *write)
{
    struct hs_buf other = {0};
    write->is_fact = true;
    if (write->kind == HS_KIND_PAYMENT)
        write->fact = payment_fact(history);
    else if (write->kind == HS_KIND_REVERSAL)
        write->fact = reversal_fact(history);
    else if (write->kind == HS_KIND_CASH_ENTRY)
        write->fact = entry_fact(history, write->id);
    else if (write->kind == HS_KIND_TICKET_EVENT)
        write->fact = event_fact(history);
    else if (write->kind == HS_KIND_QUEUE_TICKET)
        write->fact = queue_ticket_fact(history);
    else if (write->kind == HS_KIND_QUEUE_EVENT)
        write->fact = queue_event_fact(history);
    else if (write->kind == HS_KIND_DECISION)
        write->fact = decision_fact(history);
    else if (write->kind == HS_KIND_SETTLEMENT || write->kind == HS_KIND_GRANT) {
        write->fact = write->kind == HS_KIND_GRANT ? grant_fact(history) : settlement_fact(history);
        name_by_hash(history, write);
    } else {
        hs_buf_put_u8(&other, (uint8_t)random_below(3));
        write->fact = keep(&history->arena, &other);
    }
}

static void random_write(struct history *history, struct hs_write *write)
{
    static const uint16_t KINDS[] = {HS_KIND_CUSTOMER,     HS_KIND_BILL,         HS_KIND_PAYMENT,
                                     HS_KIND_PAYMENT,      HS_KIND_CASH_ENTRY,   HS_KIND_REVERSAL,
                                     HS_KIND_TICKET,       HS_KIND_TICKET_EVENT, HS_KIND_REVERSAL,
                                     HS_KIND_TICKET_EVENT, HS_KIND_QUEUE_TICKET, HS_KIND_QUEUE_EVENT,
                                     HS_KIND_QUEUE_EVENT,  HS_KIND_DECISION,     HS_KIND_DECISION,
                                     HS_KIND_DECISION,     HS_KIND_DECISION,     77,
                                     HS_KIND_NOTICE,       HS_KIND_NOTICE,       HS_KIND_SETTLEMENT,
                                     HS_KIND_SETTLEMENT,   HS_KIND_SETTLEMENT,   HS_KIND_SETTLEMENT,
                                     HS_KIND_GRANT};
    write->kind = KINDS[random_below(COUNT_OF(KINDS))];
    write->id = id_for(history, write->kind);
    const struct hs_kind *kind = hs_kind_by_number(write->kind);
    bool is_fact = kind != NULL ? kind->shape == HS_SHAPE_FACT : chance(50);
    if (chance(97) == is_fact) /* else in the other shape */
        fact_write(history, write);
    else
        register_write(history, write);
}

/* One to three writes of one lane, for the most part that of their kinds. */
static void random_act(struct history *history)
{
    struct act *act = &history->acts[history->act_count];
    struct hs_write *writes = take(&history->arena, 3, sizeof *writes);
    struct hs_op op = {.writes = writes, .write_count = 1};
    struct hs_buf bytes = {0};
    history->clock += random_below(4) << 16;
    op.stamp = history->clock + (random_below(20) << 32); /* clocks differ; some of them by days */
    random_write(history, &writes[0]);
    const struct hs_kind *kind = hs_kind_by_number(writes[0].kind);
    uint8_t lane = kind == NULL || chance(2) ? (uint8_t)(1 + random_below(4)) : (uint8_t)kind->lane;
    if (chance(30)) {
        random_write(history, &writes[1]);
        const struct hs_kind *second = hs_kind_by_number(writes[1].kind);
        op.write_count += second != NULL && second->lane == lane;
    }
    if (op.write_count == 2 && hs_op_check(&op) != HS_OK)
        op.write_count = 1; /* the same record twice */
    act->stream = (struct hs_stream){1 + random_below(ORIGINS), chance(85) ? 3201 : 3301, lane};
    if (writes[0].kind == HS_KIND_GRANT && chance(97))
        act->stream.partition = HS_PARTITION_REGION;
    act->n = 1;
    for (size_t i = 0; i < history->act_count; i++)
        act->n += hs_stream_equal(&history->acts[i].stream, &act->stream);
    act->writer = chance(3) ? NULL : (chance(60) ? HUBS : HALLS) + act->stream.origin - 1;
    hs_op_encode(&op, &bytes);
    if (chance(3))
        bytes.size--;
    act->bytes = keep(&history->arena, &bytes);
    history->act_count++;
}

/* ---- environments ---- */

static void apply(struct history *history, struct environment *env, size_t index)
{
    const struct act *act = &history->acts[index];
    struct hs_records_op op = {.stream = act->stream, .n = act->n, .bytes = act->bytes, .writer = act->writer};
    assert_int_equal(hs_records_apply(env->world.records, &op), HS_OK);
    env->taken[index] = true;
}

static void commit(struct environment *env)
{
    struct hs_txn snapshot;
    struct hs_why why = {{0}};
    world_commit(&env->world);
    memcpy(env->committed, env->taken, sizeof env->taken);
    assert_int_equal(hs_records_snapshot(env->world.records, &snapshot), HS_OK);
    if (hs_records_verify(&snapshot, &why) != HS_OK)
        fail_msg("verify in a snapshot: %s", why.text);
    hs_txn_abort(&snapshot);
}

static void give_up(struct environment *env)
{
    assert_int_equal(hs_records_abort(env->world.records), HS_OK);
    memcpy(env->taken, env->committed, sizeof env->taken);
}

/* Is every earlier op of the stream there? */
static bool is_next(const struct history *history, const struct environment *env, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (!env->taken[i] && hs_stream_equal(&history->acts[i].stream, &history->acts[index].stream))
            return false;
    }
    return true;
}

/* The next op of a stream, or one that came before. */
static void deliver_some(struct history *history, struct environment *env)
{
    size_t index = random_below(history->act_count);
    if (env->taken[index] ? chance(20) : is_next(history, env, index))
        apply(history, env, index);
    if (chance(20))
        world_verify(&env->world);
    if (chance(3))
        commit(env);
    if (chance(2))
        give_up(env);
}

static void deliver_all(struct history *history, struct environment *env)
{
    for (size_t i = 0; i < 6 * history->act_count; i++)
        deliver_some(history, env);
    for (size_t i = 0; i < history->act_count; i++) {
        if (!env->taken[i])
            apply(history, env, i);
    }
    world_verify(&env->world);
}

/* ---- equality ---- */

static bool is_shared(hs_table table, struct hs_bytes key)
{
    return table != HS_TABLE_META || key.data[0] == 'l'; /* the counts of lists; the position is the node's own */
}

static bool next_shared(struct hs_scan *scan, hs_table table)
{
    bool more = hs_scan_next(scan);
    while (more && !is_shared(table, scan->key))
        more = hs_scan_next(scan);
    return more;
}

static void print_row(const char *side, hs_table table, const struct hs_scan *scan, bool there)
{
    fprintf(stderr, "%s %s:", side, HS_RECORDS_TABLES[table]);
    for (size_t i = 0; there && i < scan->key.size; i++)
        fprintf(stderr, " %02x", scan->key.data[i]);
    fprintf(stderr, " ->");
    for (size_t i = 0; there && i < scan->value.size; i++)
        fprintf(stderr, " %02x", scan->value.data[i]);
    fprintf(stderr, "\n");
}

static void expect_same_table(struct environment *a, struct environment *b, hs_table table)
{
    struct hs_scan left, right;
    bool more = true;
    hs_scan_begin(&left, world_txn(&a->world), table, HS_BYTES_NONE, HS_BYTES_NONE);
    hs_scan_begin(&right, world_txn(&b->world), table, HS_BYTES_NONE, HS_BYTES_NONE);
    while (more) {
        more = next_shared(&left, table);
        bool other = next_shared(&right, table);
        if (more == other &&
            (!more || (hs_bytes_equal(left.key, right.key) && hs_bytes_equal(left.value, right.value))))
            continue;
        print_row("a", table, &left, more);
        print_row("b", table, &right, other);
        fail_msg("the tables differ");
    }
    hs_scan_end(&left);
    hs_scan_end(&right);
}

static void expect_same(struct environment *a, struct environment *b)
{
    world_verify(&a->world); /* writes what is cached */
    world_verify(&b->world);
    for (hs_table table = 0; table < HS_TABLE_COUNT; table++)
        expect_same_table(a, b, table);
}

/* ---- an oracle of the money: the totals from the facts alone ---- */

static bool allowed(const struct act *act, const struct hs_op *op)
{
    bool ok = act->writer != NULL;
    for (size_t i = 0; i < op->write_count; i++)
        ok = ok && hs_certificate_allows(act->writer, op->writes[i].kind, act->stream.partition);
    return ok;
}

static void collect(struct history *history, struct oracle *oracle)
{
    for (size_t i = 0; i < history->act_count; i++) {
        const struct act *act = &history->acts[i];
        struct hs_op op;
        if (hs_op_decode(act->bytes, &history->arena, &op) != HS_OK || !allowed(act, &op))
            continue;
        for (size_t j = 0; j < op.write_count; j++) {
            uint8_t lane = op.writes[j].kind == HS_KIND_GRANT ? HS_LANE_PEOPLE : HS_LANE_MONEY;
            if (op.writes[j].is_fact && op.writes[j].kind != HS_KIND_CASH_ENTRY && act->stream.lane == lane)
                add_fact(oracle, &act->stream, &op.writes[j], op.stamp);
        }
    }
    for (size_t i = 0; i < oracle->count; i++) {
        struct fact *fact = &oracle->facts[i];
        int verdict = verdict_of(oracle, fact);
        fact->counts = verdict >= 0 && keeps_rules(fact, verdict > 0);
    }
}

/* What each bill was paid, part by part. */
static void expect_bills(struct hs_txn *txn, const struct oracle *oracle)
{
    static const char *const BILLS[] = {"B1", "B2", "B11", "B12"};
    for (size_t i = 0; i < COUNT_OF(ACCOUNTS) * COUNT_OF(BILLS); i++) {
        const char *account = ACCOUNTS[i / COUNT_OF(BILLS)];
        struct hs_bytes bill = HS_BYTES(BILLS[i % COUNT_OF(BILLS)], strlen(BILLS[i % COUNT_OF(BILLS)]));
        struct hs_bill_sums sums;
        int64_t paid = 0;
        for (size_t j = 0; j < oracle->count; j++) {
            const struct fact *fact = &oracle->facts[j];
            if (!fact->counts || fact->write.kind != HS_KIND_PAYMENT ||
                !hs_bytes_equal(hs_tlv_bytes(fact->write.fact, 2), HS_BYTES(account, strlen(account))))
                continue;
            int64_t given = hs_payment_gives(fact->write.fact, bill);
            paid += given - given * (int64_t)reversals_of(oracle, fact);
        }
        assert_int_equal(hs_records_bill(txn, account, bill, &sums), HS_OK);
        assert_int_equal(sums.settled_fen, settled_of(oracle, account, bill));
        assert_int_equal(sums.paid_fen, paid - sums.settled_fen);
    }
}

static bool is_topup(const struct oracle *oracle, const struct fact *fact, const char *card, uint64_t counter)
{
    return fact->counts && fact->write.kind == HS_KIND_PAYMENT && reversals_of(oracle, fact) == 0 &&
           hs_bytes_equal(hs_tlv_bytes(fact->write.fact, 14), HS_BYTES(card, strlen(card))) &&
           hs_tlv_u64(fact->write.fact, 15, 0) == counter;
}

/* Each that stands beside another of its card and counter. */
static void expect_topups(struct hs_txn *txn, const struct oracle *oracle)
{
    uint64_t listed = 0;
    for (int i = 0; i < 4; i++) {
        uint64_t count = 0;
        for (size_t j = 0; j < oracle->count; j++)
            count += is_topup(oracle, &oracle->facts[j], i % 2 == 0 ? "C1" : "C2", 1 + (uint64_t)i / 2);
        listed += count > 1 ? count : 0;
    }
    assert_int_equal(hs_records_list_count(txn, HS_LIST_TOPUP_TWICE), listed);
}

static void add_totals(struct hs_totals *to, const struct hs_totals *more)
{
    to->count += more->count;
    to->sum_fen += more->sum_fen;
    to->reversed_count += more->reversed_count;
    to->reversed_fen += more->reversed_fen;
    to->settled_count += more->settled_count;
    to->settled_fen += more->settled_fen;
}

/* By account, and by window: each way of narrowing comes to the whole. */
static void expect_parts(struct hs_txn *txn, const struct hs_totals *whole)
{
    struct hs_totals part;
    struct hs_totals accounts = {0};
    struct hs_totals windows = {0};
    struct hs_totals both = {0};
    for (size_t i = 0; i < COUNT_OF(ACCOUNTS); i++) {
        assert_int_equal(hs_records_totals(txn, &(struct hs_totals_filter){.account = ACCOUNTS[i]}, &part), HS_OK);
        add_totals(&accounts, &part);
        for (uint32_t j = 0; j < WINDOWS; j++) {
            struct hs_totals_filter filter = {.account = ACCOUNTS[i], .has_window = true, .window = j};
            assert_int_equal(hs_records_totals(txn, &filter, &part), HS_OK);
            add_totals(&both, &part);
        }
    }
    for (uint32_t i = 0; i < WINDOWS; i++) {
        assert_int_equal(hs_records_totals(txn, &(struct hs_totals_filter){.has_window = true, .window = i}, &part),
                         HS_OK);
        add_totals(&windows, &part);
    }
    assert_memory_equal(&accounts, whole, sizeof *whole);
    assert_memory_equal(&windows, whole, sizeof *whole);
    assert_memory_equal(&both, whole, sizeof *whole);
}

static void expect_money(struct history *history)
{
    struct oracle oracle = {.count = 0};
    struct hs_totals expected = {0};
    struct hs_totals totals;
    struct hs_txn *txn = world_txn(&history->envs[0].world);
    collect(history, &oracle);
    sum_up(&oracle, &expected);
    assert_int_equal(hs_records_totals(txn, &(struct hs_totals_filter){0}, &totals), HS_OK);
    assert_memory_equal(&totals, &expected, sizeof totals);
    expect_parts(txn, &totals);
    expect_bills(txn, &oracle);
    expect_topups(txn, &oracle);
}

/* ---- tests ---- */

static void run(uint64_t seed)
{
    static struct history history;
    random_state = seed;
    memset(&history, 0, sizeof history);
    hs_arena_init(&history.arena, 0);
    history.clock = (uint64_t)1795233600000 << 16;
    for (size_t i = 0; i < ENVS; i++)
        world_open(&history.envs[i].world);
    for (size_t left = 10 + random_below(ACTS_MAX - 10); left > 0; left--) {
        random_act(&history);
        apply(&history, &history.envs[0], history.act_count - 1);
        world_verify(&history.envs[0].world);
        if (chance(50))
            expect_money(&history);
    }
    for (size_t i = 1; i < ENVS; i++) {
        deliver_all(&history, &history.envs[i]);
        expect_same(&history.envs[0], &history.envs[i]);
    }
    expect_money(&history);
    for (size_t i = 0; i < ENVS; i++)
        world_close(&history.envs[i].world);
    hs_arena_fini(&history.arena);
}

static void order_does_not_matter(void **state)
{
    uint64_t seed = *(const uint64_t *)*state;
    for (size_t i = 0; i < world_count; i++) {
        world_seed = seed + i;
        run(world_seed);
    }
}

int main(int argc, char **argv)
{
    uint64_t seed = number_of(getenv("HS_SEED"), DEFAULT_SEED);
    world_count = (size_t)number_of(argc > 1 ? argv[1] : getenv("HS_WORLDS"), DEFAULT_WORLDS);
    printf("HS_SEED=%" PRIu64 " HS_WORLDS=%zu\n", seed, world_count);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(order_does_not_matter, &seed),
    };
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    if (failures != 0)
        printf("repeat with HS_SEED=%" PRIu64 " HS_WORLDS=1\n", world_seed);
    return failures;
}
