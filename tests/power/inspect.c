#include "tests/power/inspect.h"

#include "proto/msg/tlv.h"
#include "storage/model/kinds.h"
#include "storage/model/record.h"
#include "storage/store/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAP_BYTES ((size_t)1 << 30)
#define PROBES    2 /* groups written after the cut */

enum { ENTRY_NUMBER = 1, ENTRY_TIME, ENTRY_AMOUNT, ENTRY_FACT_KIND, ENTRY_FACT_ID, ENTRY_FACT_PARTITION };
enum { PAYMENT_ACCOUNT = 2, PAYMENT_AMOUNT = 3, PAYMENT_METHOD = 5, PAYMENT_WINDOW = 6 };
enum { CUSTOMER_REMARK = 9 };
enum { EDIT_SENT, EDIT_ACKED };

/* One look into one view. */
struct look {
    struct inspect *inspect;
    struct hs_store *store;
    struct hs_view *view;
    struct hs_arena arena;
    uint8_t *entries; /* of each fact, how many cash entries there are */
    uint64_t payments, reversals;
    int64_t payments_fen, reversals_fen;
};

static struct hs_why *why_of(const struct look *look)
{
    return &look->inspect->why;
}

static enum hs_err open_store(const struct inspect *inspect, struct hs_store **store, struct hs_why *why)
{
    struct hs_store_options options = {
        .dir = inspect->dir,
        .certificate = hs_buf_bytes(&inspect->keys->certificate),
        .signer = hs_signer_of(inspect->keys->node),
        .map_bytes = MAP_BYTES,
        .note_dir = inspect->notes,
        .utc_offset_minutes = 480,
    };
    return hs_store_open(&options, store, why);
}

static enum hs_err open_view(struct hs_store *store, struct hs_view **view)
{
    enum hs_err err = hs_store_flush(store);
    return err == HS_OK ? hs_view_open(store, hs_store_position(store).commit, 0, view) : err;
}

/* ---- facts ---- */

static enum hs_err read_fact(struct look *look, const struct hs_stored *stored, struct hs_bytes *bytes)
{
    struct hs_record record;
    hs_arena_reset(&look->arena);
    enum hs_err err = hs_record_decode(stored->state, &look->arena, &record);
    if (err == HS_OK && record.variant_count != 1)
        err = hs_fail(HS_EDIFFERS, why_of(look), "a fact of kind %u has %zu contents", stored->name.kind,
                      record.variant_count);
    if (err == HS_OK)
        *bytes = record.variants[0].bytes;
    return err;
}

static enum hs_err check_entry(struct look *look, const struct mark *mark)
{
    struct hs_stored stored;
    struct hs_bytes entry = HS_BYTES_NONE;
    enum hs_err err = hs_view_find(look->view, HS_KIND_CASH_ENTRY, HS_BYTES(mark->receipt, strlen(mark->receipt)),
                                   &stored);
    if (err == HS_OK)
        err = read_fact(look, &stored, &entry);
    if (err != HS_OK)
        return hs_fail(err, why_of(look), "the cash entry %s, which a client was told, is not here", mark->receipt);
    if (!hs_bytes_equal(hs_tlv_bytes(entry, ENTRY_FACT_ID), HS_BYTES(mark->id, sizeof mark->id)) ||
        hs_tlv_s64(entry, ENTRY_AMOUNT, 0) != mark->amount_fen)
        return hs_fail(HS_EDIFFERS, why_of(look), "the cash entry %s is of something else", mark->receipt);
    return HS_OK;
}

static enum hs_err check_acked(struct look *look, const struct mark *mark)
{
    struct hs_stored stored;
    struct hs_bytes bytes = HS_BYTES_NONE;
    enum hs_err err = hs_view_find(look->view, (uint16_t)mark->kind, HS_BYTES(mark->id, sizeof mark->id), &stored);
    if (err == HS_OK)
        err = read_fact(look, &stored, &bytes);
    if (err != HS_OK)
        return hs_fail(err, why_of(look), "write %u of client %u, of kind %u, was acknowledged and is not here: %s",
                       mark->number, mark->client, mark->kind, hs_err_name(err));
    if (!hs_bytes_equal(bytes, HS_BYTES(mark->fact, mark->fact_bytes)))
        return hs_fail(HS_EDIFFERS, why_of(look), "write %u of client %u was altered", mark->number, mark->client);
    return check_entry(look, mark);
}

static enum hs_err check_all_acked(struct look *look)
{
    const struct expect *expect = look->inspect->expect;
    enum hs_err err = HS_OK;
    for (uint32_t client = 0; client < expect->clients && err == HS_OK; client++) {
        for (uint32_t number = 0; number < expect->numbers && err == HS_OK; number++) {
            const struct mark *mark = expect_at(expect, client, number);
            if (mark != NULL && mark->step == MARK_ACKED && mark->kind != HS_KIND_CUSTOMER)
                err = check_acked(look, mark);
        }
    }
    return err;
}

/* Nothing that nobody sent. */
static enum hs_err visit_fact(void *ctx, const struct hs_stored *stored)
{
    struct look *look = ctx;
    struct hs_bytes bytes = HS_BYTES_NONE;
    enum hs_err err = read_fact(look, stored, &bytes);
    if (err != HS_OK)
        return err;
    const struct mark *mark = stored->name.id.size == 16 ? expect_fact(look->inspect->expect, stored->name.id.data)
                                                         : NULL;
    if (mark == NULL || mark->kind != stored->name.kind ||
        !hs_bytes_equal(bytes, HS_BYTES(mark->fact, mark->fact_bytes)))
        return hs_fail(HS_EDIFFERS, why_of(look), "a fact of kind %u that nobody sent", stored->name.kind);
    if (mark->kind == HS_KIND_PAYMENT) {
        look->payments++;
        look->payments_fen += mark->amount_fen;
    } else {
        look->reversals++;
        look->reversals_fen -= mark->amount_fen;
    }
    return HS_OK;
}

static size_t entry_index(const struct mark *mark)
{
    return (size_t)mark->client * MARK_NUMBERS_MAX + mark->number;
}

static enum hs_err visit_entry(void *ctx, const struct hs_stored *stored)
{
    struct look *look = ctx;
    struct hs_bytes bytes = HS_BYTES_NONE;
    struct hs_stored fact;
    enum hs_err err = read_fact(look, stored, &bytes);
    if (err != HS_OK)
        return err;
    struct hs_bytes id = hs_tlv_bytes(bytes, ENTRY_FACT_ID);
    const struct mark *mark = id.size == 16 ? expect_fact(look->inspect->expect, id.data) : NULL;
    if (mark == NULL || hs_tlv_s64(bytes, ENTRY_AMOUNT, 0) != mark->amount_fen)
        return hs_fail(HS_EDIFFERS, why_of(look), "a cash entry of nothing that was sent");
    if (++look->entries[entry_index(mark)] > 1)
        return hs_fail(HS_EDIFFERS, why_of(look), "write %u of client %u has two cash entries", mark->number,
                       mark->client);
    if (!look->inspect->is_hall)
        return HS_OK;
    err = hs_view_find(look->view, (uint16_t)mark->kind, id, &fact);
    return err == HS_OK ? HS_OK : hs_fail(err, why_of(look), "a cash entry without its fact");
}

static enum hs_err check_money(struct look *look)
{
    struct hs_totals totals;
    struct hs_totals_filter any = {0};
    const struct expect *expect = look->inspect->expect;
    enum hs_err err = hs_view_all(look->view, HS_KIND_PAYMENT, HS_BYTES_NONE, visit_fact, look);
    if (err == HS_OK)
        err = hs_view_all(look->view, HS_KIND_REVERSAL, HS_BYTES_NONE, visit_fact, look);
    if (err == HS_OK)
        err = hs_view_all(look->view, HS_KIND_CASH_ENTRY, HS_BYTES_NONE, visit_entry, look);
    if (err == HS_OK)
        err = hs_view_totals(look->view, &any, &totals);
    if (err != HS_OK)
        return err;
    if (totals.count != look->payments || totals.sum_fen != look->payments_fen ||
        totals.reversed_count != look->reversals || totals.reversed_fen != look->reversals_fen)
        return hs_fail(HS_EDIFFERS, why_of(look), "the totals are not those of the payments and reversals");
    uint64_t entries = 0;
    for (size_t i = 0; i < (size_t)expect->clients * MARK_NUMBERS_MAX; i++)
        entries += look->entries[i];
    if (look->inspect->is_hall && entries != look->payments + look->reversals)
        return hs_fail(HS_EDIFFERS, why_of(look), "%llu cash entries for %llu payments and %llu reversals",
                       (unsigned long long)entries, (unsigned long long)look->payments,
                       (unsigned long long)look->reversals);
    return HS_OK;
}

static enum hs_err check_lists(struct look *look)
{
    for (int list = HS_LIST_FIELD; list <= HS_LIST_FORK; list++) {
        if (hs_view_list_count(look->view, (enum hs_list)list) != 0)
            return hs_fail(HS_EDIFFERS, why_of(look), "list %d is not empty", list);
    }
    return HS_OK;
}

/* ---- customers ---- */

static enum hs_err check_customer(struct look *look, uint32_t client, uint32_t which)
{
    const int64_t *edits = look->inspect->expect->edits[client][which];
    char account[32];
    char text[24] = "";
    struct hs_record record;
    struct hs_stored stored;
    if (edits[EDIT_SENT] < 0)
        return HS_OK;
    snprintf(account, sizeof account, "3201%03u%03u", client, which);
    struct hs_record_name name = {
        .partition = 3201, .lane = HS_LANE_PEOPLE, .kind = HS_KIND_CUSTOMER, .id = HS_BYTES(account, 10)};
    enum hs_err err = hs_view_record(look->view, &name, &stored);
    bool must_be = look->inspect->is_hall && edits[EDIT_ACKED] >= 0;
    if (err == HS_ENOTFOUND && !must_be)
        return HS_OK;
    hs_arena_reset(&look->arena);
    if (err == HS_OK)
        err = hs_record_decode(stored.state, &look->arena, &record);
    if (err != HS_OK)
        return hs_fail(err, why_of(look), "customer %s: %s", account, hs_err_name(err));
    const struct hs_field_state *field = hs_record_field(&record, CUSTOMER_REMARK);
    const struct hs_live *live = field == NULL ? NULL : hs_field_shown(field);
    struct hs_bytes remark = live == NULL ? HS_BYTES_NONE : hs_tlv_bytes(live->value, CUSTOMER_REMARK);
    if (remark.size > 0 && remark.size < sizeof text)
        memcpy(text, remark.data, remark.size);
    int64_t number = strtoll(text, NULL, 10);
    if (live == NULL || hs_field_rivals(field) != 0 || number > edits[EDIT_SENT] ||
        (must_be && number < edits[EDIT_ACKED]))
        return hs_fail(HS_EDIFFERS, why_of(look), "customer %s has remark '%s'; sent %lld, acknowledged %lld", account,
                       text, (long long)edits[EDIT_SENT], (long long)edits[EDIT_ACKED]);
    return HS_OK;
}

static enum hs_err check_customers(struct look *look)
{
    enum hs_err err = HS_OK;
    for (uint32_t client = 0; client < look->inspect->expect->clients && err == HS_OK; client++) {
        for (uint32_t which = 0; which < EXPECT_ACCOUNTS && err == HS_OK; which++)
            err = check_customer(look, client, which);
    }
    return err;
}

/* ---- the log ---- */

/* What others wrote before a hall joined came as states, but for money: of that the log begins later. */
static uint64_t first_kept(struct look *look, const struct hs_head *head, const struct hs_opening *opening)
{
    const struct hs_key *own = &hs_store_certificate(look->store)->node_key;
    bool may_begin_later = head->stream.lane != HS_LANE_MONEY && !hs_key_equal(&opening->node_key, own);
    struct hs_segment segment;
    struct hs_buf body = {0};
    uint64_t n = 1;
    while (may_begin_later && n <= head->n && hs_view_cut(look->view, &head->stream, n, &body, &segment) == HS_EPRUNED)
        n++;
    hs_buf_fini(&body);
    return n;
}

static enum hs_err visit_stream(void *ctx, const struct hs_head *head)
{
    struct look *look = ctx;
    struct hs_buf body = {0};
    struct hs_segment segment;
    struct hs_opening opening = {0};
    struct hs_bytes certificate;
    struct hs_bytes encoded;
    enum hs_err err = hs_view_origin(look->view, head->stream.origin, &certificate, &encoded);
    if (err == HS_OK)
        err = hs_opening_verify(encoded, &opening);
    uint64_t first = err == HS_OK ? first_kept(look, head, &opening) : 0;
    for (uint64_t n = first; n <= head->n && err == HS_OK; n = segment.first + segment.count) {
        hs_buf_reset(&body);
        err = hs_view_cut(look->view, &head->stream, n, &body, &segment);
        if (err == HS_OK && look->inspect->deep)
            err = hs_checkpoint_verify(&segment.stream, segment.first + segment.count - 1, &segment.end,
                                       &opening.node_key, &segment.signature);
    }
    hs_buf_fini(&body);
    return err == HS_OK ? HS_OK
                        : hs_fail(err, why_of(look), "the chain of a stream does not hold: %s", hs_err_name(err));
}

static enum hs_err holds(struct look *look, const struct hs_stream *stream, uint64_t n, const struct hs_hash *hash,
                         const char *what)
{
    struct hs_hash here;
    enum hs_err err = hs_view_hash_at(look->view, stream, n, &here);
    if (err == HS_OK && !hs_hash_equal(&here, hash))
        err = HS_EFORK;
    return err == HS_OK ? HS_OK
                        : hs_fail(err, why_of(look), "%s op %llu of origin %016llx, partition %u, lane %u: %s", what,
                                  (unsigned long long)n, (unsigned long long)stream->origin, stream->partition,
                                  stream->lane, hs_err_name(err));
}

static enum hs_err check_peer(struct look *look)
{
    const struct inspect_peer *peer = look->inspect->peer;
    enum hs_err err = HS_OK;
    for (size_t i = 0; peer != NULL && i < peer->head_count && err == HS_OK; i++)
        err = holds(look, &peer->heads[i].stream, peer->heads[i].n, &peer->heads[i].hash, "sent, and not kept here:");
    for (size_t i = 0; peer != NULL && i < peer->receipt_count && err == HS_OK; i++) {
        const struct hs_receipt *receipt = &peer->receipts[i];
        if (receipt->store_id == hs_store_id(look->store))
            err = holds(look, &receipt->stream, receipt->n, &receipt->hash, "signed for, and not kept here:");
    }
    return err;
}

static enum hs_err check_log(struct look *look)
{
    if (hs_view_current_origin(look->view) != 0)
        return hs_fail(HS_EDIFFERS, why_of(look), "the origin goes on after a power cut");
    enum hs_err err = hs_view_heads(look->view, visit_stream, look);
    return err == HS_OK ? check_peer(look) : err;
}

/* ---- the records ---- */

static enum hs_err check_derived(struct look *look)
{
    struct hs_txn snapshot;
    enum hs_err err = hs_records_snapshot(look->store->records, &snapshot);
    if (err == HS_OK)
        err = hs_records_verify(&snapshot, why_of(look));
    hs_txn_abort(&snapshot);
    return err;
}

static enum hs_err add_digest(void *ctx, const struct hs_digest *digest)
{
    hs_buf_put_u16(ctx, digest->partition);
    hs_buf_put_u16(ctx, digest->kind);
    hs_buf_put_u64(ctx, digest->count);
    hs_buf_put(ctx, digest->sum.bytes, HS_HASH_BYTES);
    return HS_OK;
}

static enum hs_err digests_of(struct hs_store *store, struct hs_buf *digests)
{
    struct hs_view *view = NULL;
    enum hs_err err = open_view(store, &view);
    if (err == HS_OK)
        err = hs_view_digests(view, add_digest, digests);
    hs_view_close(view);
    return err;
}

/* The records are what the log adds up to. */
static enum hs_err check_rebuilt(struct inspect *inspect, struct hs_store *store)
{
    struct hs_buf before = {0};
    struct hs_buf after = {0};
    enum hs_err err = digests_of(store, &before);
    if (err == HS_OK)
        err = hs_store_rebuild(store);
    if (err == HS_OK)
        err = digests_of(store, &after);
    if (err == HS_OK && !hs_bytes_equal(hs_buf_bytes(&before), hs_buf_bytes(&after)))
        err = hs_fail(HS_EDIFFERS, &inspect->why, "the records are not what the log adds up to");
    hs_buf_fini(&before);
    hs_buf_fini(&after);
    return err;
}

/* ---- life after the cut ---- */

/* A payment with its cash entry, as the service writes them. */
static enum hs_err write_probe(struct inspect *inspect, struct hs_store *store, uint8_t probe,
                               char number[static HS_NUMBER_BYTES_MAX])
{
    uint8_t id[16] = {0xff, 0xff, 0xff, 0xff, probe};
    struct hs_buf payment = {0};
    struct hs_buf entry = {0};
    struct hs_stored stored;
    struct hs_commit commit;
    struct hs_dot dot;
    hs_stamp stamp;
    hs_partition home = hs_store_certificate(store)->home;
    enum hs_err err = hs_store_begin(store);
    if (err != HS_OK)
        return err;
    err = hs_store_number(store, 20261121, 1, number);
    if (err == HS_OK && hs_view_find(hs_store_view(store), HS_KIND_CASH_ENTRY, HS_BYTES(number, strlen(number)),
                                     &stored) != HS_ENOTFOUND)
        err = hs_fail(HS_EDIFFERS, &inspect->why, "the receipt number %s is given a second time", number);
    hs_tlv_put_text(&payment, PAYMENT_ACCOUNT, "3201000001");
    hs_tlv_put_u64(&payment, PAYMENT_AMOUNT, 100);
    hs_tlv_put_text(&payment, PAYMENT_METHOD, "cash");
    hs_tlv_put_u64(&payment, PAYMENT_WINDOW, 1);
    hs_tlv_put_text(&entry, ENTRY_NUMBER, number);
    hs_tlv_put_u64(&entry, ENTRY_TIME, 1795000000000);
    hs_tlv_put_s64(&entry, ENTRY_AMOUNT, 100);
    hs_tlv_put_u64(&entry, ENTRY_FACT_KIND, HS_KIND_PAYMENT);
    hs_tlv_put_bytes(&entry, ENTRY_FACT_ID, HS_BYTES(id, sizeof id));
    hs_tlv_put_u64(&entry, ENTRY_FACT_PARTITION, home);
    struct hs_write writes[] = {
        {.kind = HS_KIND_PAYMENT, .id = HS_BYTES(id, sizeof id), .is_fact = true, .fact = hs_buf_bytes(&payment)},
        {.kind = HS_KIND_CASH_ENTRY,
         .id = HS_BYTES(number, strlen(number)),
         .is_fact = true,
         .fact = hs_buf_bytes(&entry)},
    };
    struct hs_draft draft = {.partition = home, .lane = HS_LANE_MONEY, .writes = writes, .write_count = 2};
    if (err == HS_OK)
        err = hs_store_write(store, &draft, &dot, &stamp);
    if (err == HS_OK)
        err = hs_store_commit(store, &commit);
    if (err != HS_OK)
        hs_store_abort(store);
    hs_buf_fini(&payment);
    hs_buf_fini(&entry);
    return err;
}

static enum hs_err find_probe(struct hs_store *store, const char *number)
{
    struct hs_stored stored;
    struct hs_view *view = NULL;
    enum hs_err err = open_view(store, &view);
    if (err == HS_OK)
        err = hs_view_find(view, HS_KIND_CASH_ENTRY, HS_BYTES(number, strlen(number)), &stored);
    hs_view_close(view);
    return err;
}

static enum hs_err go_on(struct inspect *inspect, struct hs_store **store)
{
    char numbers[PROBES][HS_NUMBER_BYTES_MAX];
    enum hs_err err = HS_OK;
    for (uint8_t i = 0; i < PROBES && err == HS_OK; i++)
        err = write_probe(inspect, *store, i, numbers[i]);
    if (err == HS_OK && inspect->deep) {
        hs_store_close(*store);
        *store = NULL;
        err = open_store(inspect, store, &inspect->why);
    }
    for (size_t i = 0; i < PROBES && err == HS_OK; i++)
        err = find_probe(*store, numbers[i]);
    return err;
}

/* ---- all of it ---- */

static enum hs_err look_around(struct inspect *inspect, struct hs_store *store)
{
    struct look look = {.inspect = inspect, .store = store};
    hs_arena_init(&look.arena, 0);
    look.entries = calloc((size_t)MARK_CLIENTS_MAX * MARK_NUMBERS_MAX, 1);
    enum hs_err err = look.entries == NULL ? HS_ENOMEM : open_view(store, &look.view);
    if (err == HS_OK)
        err = check_log(&look);
    if (err == HS_OK && inspect->is_hall)
        err = check_all_acked(&look);
    if (err == HS_OK)
        err = check_money(&look);
    if (err == HS_OK)
        err = check_customers(&look);
    if (err == HS_OK)
        err = check_lists(&look);
    if (err == HS_OK && inspect->deep)
        err = check_derived(&look);
    hs_view_close(look.view);
    hs_arena_fini(&look.arena);
    free(look.entries);
    return err;
}

enum hs_err inspect_image(struct inspect *inspect)
{
    struct hs_store *store = NULL;
    inspect->why = (struct hs_why){0};
    enum hs_err err = open_store(inspect, &store, &inspect->why);
    inspect->store_id = err == HS_OK ? hs_store_id(store) : 0;
    if (err == HS_OK)
        err = look_around(inspect, store);
    if (err == HS_OK && inspect->deep)
        err = check_rebuilt(inspect, store);
    if (err == HS_OK)
        err = go_on(inspect, &store);
    hs_store_close(store);
    return err;
}

/* ---- the other node ---- */

struct reading {
    struct hs_view *view;
    struct hs_key of;
    struct inspect_peer *peer;
};

static enum hs_err read_receipt(void *ctx, const struct hs_receipt *receipt)
{
    struct inspect_peer *peer = ((struct reading *)ctx)->peer;
    struct hs_receipt *more = realloc(peer->receipts, (peer->receipt_count + 1) * sizeof *more);
    if (more == NULL)
        return HS_ENOMEM;
    peer->receipts = more;
    more[peer->receipt_count++] = *receipt;
    return HS_OK;
}

static enum hs_err read_head(void *ctx, const struct hs_head *head)
{
    struct reading *reading = ctx;
    struct inspect_peer *peer = reading->peer;
    struct hs_bytes certificate;
    struct hs_bytes encoded;
    struct hs_opening opening;
    enum hs_err err = hs_view_origin(reading->view, head->stream.origin, &certificate, &encoded);
    if (err == HS_OK)
        err = hs_opening_verify(encoded, &opening);
    if (err == HS_OK && hs_key_equal(&opening.node_key, &reading->of)) {
        struct hs_head *more = realloc(peer->heads, (peer->head_count + 1) * sizeof *more);
        if (more == NULL)
            return HS_ENOMEM;
        peer->heads = more;
        more[peer->head_count++] = *head;
    }
    return err == HS_OK ? hs_view_receipts(reading->view, &head->stream, read_receipt, reading) : err;
}

enum hs_err inspect_read_peer(const struct inspect *inspect, const struct hs_key *of, struct inspect_peer *peer)
{
    struct hs_store *store = NULL;
    struct hs_why why = {0};
    struct reading reading = {.of = *of, .peer = peer};
    inspect_peer_fini(peer);
    enum hs_err err = open_store(inspect, &store, &why);
    if (err == HS_OK)
        err = open_view(store, &reading.view);
    if (err == HS_OK)
        err = hs_view_heads(reading.view, read_head, &reading);
    hs_view_close(reading.view);
    hs_store_close(store);
    return err;
}

void inspect_peer_fini(struct inspect_peer *peer)
{
    free(peer->heads);
    free(peer->receipts);
    *peer = (struct inspect_peer){0};
}
