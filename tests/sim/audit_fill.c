/* audit_fill.c -- what comes as state instead of operations.
 *
 * While a (partition, lane) is filled, and until all operations that a hub ever had of it are held by number, a
 * machine's records may say more than these make: they are *blurred*, and compared again when they are sharp.  At the
 * end of a fill the frontier jumps: the operations below it count as held, and whoever claims them must show what they
 * make. */
#include "tests/sim/audit_inside.h"

#include <inttypes.h>
#include <sodium.h>
#include <string.h>

#define BLUR_KEY_BYTES 3

/* ---- blurred ---- */

static struct hs_bytes blur_key(hs_partition partition, uint8_t lane, uint8_t key[static BLUR_KEY_BYTES])
{
    hs_be16(key, partition);
    key[2] = lane;
    return HS_BYTES(key, BLUR_KEY_BYTES);
}

void audit_blur(struct audit_machine *machine, hs_partition partition, uint8_t lane)
{
    uint8_t key[BLUR_KEY_BYTES];
    *audit_map_at(&machine->blurred, blur_key(partition, lane, key)) = machine;
}

struct folded {
    struct audit_machine *machine;
    struct hs_txn *txn;
};

static enum hs_err visit_begun(void *ctx, const struct hs_head *head)
{
    const struct folded *folded = ctx;
    uint64_t beginning = 0;
    enum hs_err err = hs_log_beginning(folded->txn, &head->stream, &beginning);
    if (err == HS_OK && beginning > 0 && head->stream.lane != HS_LANE_MONEY)
        audit_blur(folded->machine, head->stream.partition, head->stream.lane);
    return HS_OK; /* what cannot be read is told by whoever follows the log */
}

void audit_blur_folded(struct audit_machine *machine, struct hs_txn *txn)
{
    struct folded folded = {machine, txn};
    struct hs_log_reader reader = {txn, NULL};
    (void)hs_log_heads(&reader, visit_begun, &folded);
}

bool audit_is_blurred(const struct audit_machine *machine, hs_partition partition, uint8_t lane)
{
    uint8_t key[BLUR_KEY_BYTES];
    return audit_map_get(&machine->blurred, blur_key(partition, lane, key)) != NULL;
}

bool audit_is_sharp(const struct audit_machine *machine)
{
    bool sharp = true;
    for (size_t i = 0; i < machine->blurred.count; i++)
        sharp = sharp && machine->blurred.entries[i].value == NULL;
    return sharp;
}

/* Kinds that nobody knows lie wherever their writer put them. */
bool audit_kind_blurred(const struct auditor *auditor, const struct audit_machine *machine, hs_partition partition,
                        uint16_t kind)
{
    bool blurred = false;
    for (size_t i = 0; i < auditor->records.count; i++) {
        const struct audit_record *record = auditor->records.entries[i].value;
        blurred = blurred || (record->partition == partition && record->kind == kind &&
                              audit_is_blurred(machine, partition, record->lane));
    }
    return blurred;
}

/* ---- sharp again ---- */

/* A supplier's records can have shown only what a hub once held. */
static bool has_what_hubs_had(const struct auditor *auditor, const struct audit_stream *stream,
                              const struct audit_machine *machine)
{
    bool has = true;
    for (uint64_t n = stream->head[machine->sim->index]; n < stream->room && stream->ops[n] != NULL; n++) {
        for (const struct audit_op *op = stream->ops[n]; op != NULL; op = op->other)
            has = has && !machine->node->hub && !audit_at_hubs(auditor, op, 1);
    }
    return has;
}

static bool has_all(const struct auditor *auditor, const struct audit_machine *machine, hs_partition partition,
                    uint8_t lane)
{
    bool all = true;
    for (size_t i = 0; i < auditor->streams.count; i++) {
        const struct audit_stream *stream = auditor->streams.entries[i].value;
        if (stream->name.partition == partition && stream->name.lane == lane)
            all = all && has_what_hubs_had(auditor, stream, machine);
    }
    return all;
}

static enum hs_err visit_fill(void *ctx, const struct hs_fill *fill)
{
    if (fill->lane != HS_LANE_MONEY)
        audit_blur(ctx, fill->partition, fill->lane);
    return HS_OK;
}

void audit_sharpen(struct auditor *auditor, struct audit_machine *machine, struct hs_view *view)
{
    for (size_t i = 0; i < machine->blurred.count; i++) {
        struct audit_entry *entry = &machine->blurred.entries[i];
        if (entry->value != NULL && has_all(auditor, machine, hs_from_be16(entry->key.data), entry->key.data[2]))
            entry->value = NULL;
    }
    enum hs_err err = hs_view_fills(view, visit_fill, machine);
    if (err != HS_OK)
        audit_fail(auditor, AUDIT_DAMAGE, "%s: its fills cannot be read: %s", machine->sim->name, hs_err_name(err));
}

/* ---- jumps ---- */

/* The log begins behind @n, or nothing of it is left: what is below came as state. */
static bool is_below(struct hs_txn *txn, const struct hs_stream *stream, uint64_t n)
{
    struct hs_log_reader reader = {txn, NULL};
    struct hs_bytes op;
    return hs_log_op(&reader, stream, n, &op) == HS_ENOTFOUND;
}

bool audit_in_log(const struct audit_machine *machine, const struct audit_op *op)
{
    struct hs_txn txn;
    if (hs_txn_begin(hs_log_env(hs_daemon_store(machine->sim->daemon)->log), false, &txn) != HS_OK)
        return true; /* nothing is concluded from that */
    bool there = !is_below(&txn, &op->stream->name, op->n);
    hs_txn_abort(&txn);
    return there;
}

static bool leads_to(const struct audit_op *op, const struct audit_op *next)
{
    crypto_generichash_state state;
    struct hs_hash hash;
    crypto_generichash_init(&state, NULL, 0, sizeof hash.bytes);
    crypto_generichash_update(&state, op->chain.bytes, sizeof op->chain.bytes);
    crypto_generichash_update(&state, next->bytes.data, next->bytes.size);
    crypto_generichash_final(&state, hash.bytes, sizeof hash.bytes);
    return memcmp(hash.bytes, next->chain.bytes, sizeof hash.bytes) == 0;
}

/* Of the contents under one number the one that is meant; where there is but one, that. */
static struct audit_op *content_at(const struct audit_stream *stream, uint64_t n, const struct audit_op *next,
                                   const struct hs_hash *hash)
{
    struct audit_op *op = n <= stream->room ? stream->ops[n - 1] : NULL;
    for (struct audit_op *at = op; at != NULL && op->other != NULL; at = at->other) {
        bool meant = next != NULL ? leads_to(at, next)
                                  : hash != NULL && memcmp(at->chain.bytes, hash->bytes, sizeof hash->bytes) == 0;
        if (meant)
            return at;
    }
    return op;
}

static void hold_below(struct auditor *auditor, struct audit_machine *machine, const struct audit_stream *stream,
                       uint64_t n, const struct hs_hash *hash)
{
    uint64_t from = stream->head[machine->sim->index] + 1;
    const struct audit_op *next = NULL;
    for (uint64_t at = n; at >= from; at--) {
        struct audit_op *op = content_at(stream, at, next, hash);
        bool shown = op != NULL && (machine->node->hub || audit_at_hubs(auditor, op, 1)); /* halls supply hubs only */
        if (!shown)
            audit_fail(auditor, AUDIT_FRONTIER,
                       "%s claims operation %" PRIu64 " of origin %016" PRIx64
                       " (%s) in %u lane %u, which it has not got by number, and which %s",
                       machine->sim->name, at, stream->name.origin, stream->author->id,
                       (unsigned)stream->name.partition, (unsigned)stream->name.lane,
                       op == NULL ? "nobody wrote" : "no hub can have shown it");
        audit_hold(auditor, machine, op, false);
        next = op;
    }
}

bool audit_jump(struct auditor *auditor, struct audit_machine *machine, struct hs_txn *txn, struct audit_stream *stream,
                const struct audit_claim *claim)
{
    uint64_t from = stream->head[machine->sim->index] + 1;
    bool below = from <= claim->n && is_below(txn, &stream->name, from) && is_below(txn, &stream->name, claim->n);
    if (below && machine->node->role != HS_ROLE_WITNESS && stream->name.lane == HS_LANE_MONEY)
        below = false;
    if (below && machine->node->role != HS_ROLE_WITNESS) /* a witness holds what lies behind, and nothing below */
        hold_below(auditor, machine, stream, claim->n, claim->hash);
    if (below)
        stream->head[machine->sim->index] = claim->n;
    machine->gained += below;
    return below;
}
