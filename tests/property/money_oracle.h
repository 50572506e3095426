/* money_oracle.h -- what payments, reversals and settlements add up to, from the facts alone and without any table; for
 * records_property_test.c. */
#ifndef MONEY_ORACLE_H
#define MONEY_ORACLE_H

#include "storage/model/bill_due.h"
#include "tests/property/random_writes.h"
#include "tests/unit/records_world.h"

#define ORACLE_FACTS_MAX 256

/* The node of each origin, from 1 on: two of them are lives of one. */
static const char *const NODES[] = {"nj-1", "nj-2", "nj-1"};

struct fact {
    struct hs_write write;
    hs_partition partition;
    hs_stamp stamp;  /* the lowest of this content */
    uint64_t origin; /* of that */
    bool counts;
};

struct oracle {
    struct fact facts[ORACLE_FACTS_MAX];
    size_t count;
};

static inline struct hs_hash fact_hash(const struct fact *fact)
{
    return hs_hash_domain("hallsync fact 1", fact->write.fact);
}

/* One content of each id counts, if it keeps the rules. */
static inline void add_fact(struct oracle *oracle, const struct hs_stream *stream, const struct hs_write *write,
                            hs_stamp stamp)
{
    hs_partition partition = stream->partition;
    struct fact fact = {
        .write = *write, .partition = partition, .stamp = stamp, .origin = stream->origin, .counts = true};
    struct hs_hash hash = fact_hash(&fact);
    for (size_t i = 0; i < oracle->count; i++) {
        struct fact *other = &oracle->facts[i];
        if (other->partition != partition || other->write.kind != write->kind ||
            !hs_bytes_equal(other->write.id, write->id))
            continue;
        struct hs_hash others = fact_hash(other);
        int order = hs_hash_compare(&hash, &others);
        bool earlier = stamp < other->stamp || (stamp == other->stamp && stream->origin < other->origin);
        if (order < 0)
            other->write.fact = write->fact;
        if (order < 0 || (order == 0 && earlier)) {
            other->stamp = stamp;
            other->origin = stream->origin;
        }
        return;
    }
    oracle->facts[oracle->count++] = fact;
}

/* Keeps the rules, but for how it was paid if @soft. */
static inline bool keeps_rules(const struct fact *fact, bool soft)
{
    const struct hs_kind *kind = hs_kind_by_number(fact->write.kind);
    struct hs_bytes method = hs_tlv_bytes(fact->write.fact, 5);
    struct hs_buf mended = {0};
    uint32_t field;
    struct hs_cur cur = hs_cur_of(fact->write.fact);
    struct hs_tlv tlv;
    if (kind == NULL || fact->write.id.size != HS_ID_BYTES || !is_at_home(kind, fact->partition, fact->write.fact))
        return false;
    while (hs_tlv_next(&cur, &tlv)) {
        bool is_method = soft && kind->number == HS_KIND_PAYMENT && tlv.number == 5 && method.size != 0;
        if (!is_method)
            hs_buf_put_bytes(&mended, tlv.raw);
    }
    enum hs_err err = hs_kind_check(kind, hs_buf_bytes(&mended), (struct hs_check){.complete = true}, &field, NULL);
    hs_buf_fini(&mended);
    struct hs_id made;
    if (err == HS_OK && kind->id_form == HS_ID_HASH) {
        hs_kind_id(kind, fact->write.fact, &made);
        err = hs_bytes_equal(fact->write.id, HS_BYTES(made.bytes, sizeof made.bytes)) ? HS_OK : HS_EVALUE;
    }
    return err == HS_OK;
}

/* By the latest decision about this content: 0 none, 1 released, -1 rejected. */
static inline int verdict_of(const struct oracle *oracle, const struct fact *fact)
{
    const struct fact *latest = NULL;
    struct hs_hash contents = hs_hash_domain("hallsync contents 1", fact->write.fact);
    for (size_t i = 0; i < oracle->count; i++) {
        const struct fact *one = &oracle->facts[i];
        if (one->write.kind != HS_KIND_DECISION || one->partition != fact->partition || !keeps_rules(one, false) ||
            hs_tlv_u64(one->write.fact, 2, 0) != HS_LANE_MONEY ||
            hs_tlv_u64(one->write.fact, 3, 0) != fact->write.kind ||
            !hs_bytes_equal(hs_tlv_bytes(one->write.fact, 4), fact->write.id) ||
            !hs_bytes_equal(hs_tlv_bytes(one->write.fact, 6), HS_BYTES(contents.bytes, sizeof contents.bytes)))
            continue;
        bool releases = hs_bytes_equal(hs_tlv_bytes(one->write.fact, 5), TEXT("release"));
        if (releases && !keeps_rules(fact, true))
            continue; /* it cannot be counted, whoever says so */
        bool later = latest == NULL || one->stamp > latest->stamp ||
                     (one->stamp == latest->stamp && hs_bytes_compare(one->write.id, latest->write.id) > 0);
        latest = later ? one : latest;
    }
    if (latest == NULL)
        return 0;
    return hs_bytes_equal(hs_tlv_bytes(latest->write.fact, 5), TEXT("release")) ? 1 : -1;
}

/* ---- settlements: each by itself, and not along the chain ---- */

static inline bool is_granted(const struct oracle *oracle, const struct fact *settlement)
{
    char district[HS_PARTITION_TEXT_BYTES];
    struct hs_bytes node = HS_BYTES(NODES[settlement->origin - 1], strlen(NODES[settlement->origin - 1]));
    hs_partition_text(settlement->partition, district);
    bool granted = false;
    for (size_t i = 0; i < oracle->count; i++) {
        const struct fact *grant = &oracle->facts[i];
        granted = granted ||
                  (grant->counts && grant->write.kind == HS_KIND_GRANT &&
                   hs_bytes_equal(hs_tlv_bytes(grant->write.fact, 2), HS_BYTES(district, strlen(district))) &&
                   hs_tlv_u64(grant->write.fact, 3, 0) == hs_tlv_u64(settlement->write.fact, 13, 0) &&
                   hs_bytes_equal(hs_tlv_bytes(grant->write.fact, 4), node));
    }
    return granted;
}

static inline bool same_field(const struct fact *a, const struct fact *b, uint32_t field)
{
    return hs_bytes_equal(hs_tlv_bytes(a->write.fact, field), hs_tlv_bytes(b->write.fact, field));
}

static inline bool has_precedence(const struct fact *a, const struct fact *b)
{
    uint64_t left = hs_tlv_u64(a->write.fact, 13, 0), right = hs_tlv_u64(b->write.fact, 13, 0);
    return left != right ? left > right : hs_bytes_compare(a->write.id, b->write.id) < 0;
}

static inline bool stands(const struct oracle *oracle, const struct fact *settlement)
{
    struct hs_bytes after = hs_tlv_bytes(settlement->write.fact, 12);
    bool follows = after.size == 0;
    if (!settlement->counts || !is_granted(oracle, settlement))
        return false;
    for (size_t i = 0; i < oracle->count; i++) {
        const struct fact *other = &oracle->facts[i];
        if (other->write.kind != HS_KIND_SETTLEMENT || other == settlement || !other->counts ||
            other->partition != settlement->partition || !same_field(other, settlement, 2) ||
            !same_field(other, settlement, 3))
            continue;
        if (hs_bytes_equal(other->write.id, after))
            follows = stands(oracle, other);
        if (same_field(other, settlement, 12) && has_precedence(other, settlement) && is_granted(oracle, other))
            return false;
    }
    return follows;
}

static inline void sum_up_settled(const struct oracle *oracle, struct hs_totals *totals)
{
    for (size_t i = 0; i < oracle->count; i++) {
        const struct fact *settlement = &oracle->facts[i];
        bool refund = settlement->write.kind == HS_KIND_SETTLEMENT && stands(oracle, settlement) &&
                      hs_bytes_equal(hs_tlv_bytes(settlement->write.fact, 6), TEXT("refund"));
        totals->settled_count += refund;
        totals->settled_fen += refund ? hs_tlv_i64(settlement->write.fact, 5, 0) : 0;
    }
}

/* ---- the sums ---- */

static inline void sum_up(const struct oracle *oracle, struct hs_totals *totals)
{
    sum_up_settled(oracle, totals);
    for (size_t i = 0; i < oracle->count; i++) {
        const struct fact *payment = &oracle->facts[i];
        if (!payment->counts || payment->write.kind != HS_KIND_PAYMENT)
            continue;
        int64_t fen = hs_tlv_i64(payment->write.fact, 3, 0);
        totals->count++;
        totals->sum_fen += fen;
        for (size_t j = 0; j < oracle->count; j++) {
            const struct fact *reversal = &oracle->facts[j];
            bool of_it = reversal->counts && reversal->write.kind == HS_KIND_REVERSAL &&
                         reversal->partition == payment->partition &&
                         hs_bytes_equal(hs_tlv_bytes(reversal->write.fact, 2), payment->write.id);
            totals->reversed_count += of_it;
            totals->reversed_fen += of_it ? fen : 0;
        }
    }
}

static inline size_t reversals_of(const struct oracle *oracle, const struct fact *payment)
{
    size_t count = 0;
    for (size_t i = 0; i < oracle->count; i++) {
        const struct fact *reversal = &oracle->facts[i];
        count += reversal->counts && reversal->write.kind == HS_KIND_REVERSAL &&
                 reversal->partition == payment->partition &&
                 hs_bytes_equal(hs_tlv_bytes(reversal->write.fact, 2), payment->write.id);
    }
    return count;
}

static inline int64_t settled_of(const struct oracle *oracle, const char *account, struct hs_bytes bill)
{
    int64_t fen = 0;
    for (size_t i = 0; i < oracle->count; i++) {
        const struct fact *one = &oracle->facts[i];
        if (one->write.kind != HS_KIND_SETTLEMENT || !stands(oracle, one) ||
            !hs_bytes_equal(hs_tlv_bytes(one->write.fact, 2), HS_BYTES(account, strlen(account))))
            continue;
        bool credit = hs_bytes_equal(hs_tlv_bytes(one->write.fact, 6), TEXT("credit"));
        int64_t amount = hs_tlv_i64(one->write.fact, 5, 0);
        fen += hs_bytes_equal(hs_tlv_bytes(one->write.fact, 3), bill) ? amount : 0;
        fen -= credit && hs_bytes_equal(hs_tlv_bytes(one->write.fact, 14), bill) ? amount : 0;
    }
    return fen;
}

#endif
