/* audit_peers.c -- what nodes tell each other of streams: a hub's receipts name what its store holds, who was told of
 * more of his origin than he has is known to have read it, and a writer comes to know what hubs hold of it. */
#include "tests/sim/audit_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { STREAM_ORIGIN = 1, STREAM_PARTITION = 2, STREAM_LANE = 3 };
enum { ITEM_STREAM = 1, ITEM_N = 2 }; /* of heads, receipts, StreamAck, disputes */
enum { RECEIPT_HASH = 3, RECEIPT_STORE = 4 };
enum { ACK_STORED = 2, ACK_RECEIPTS = 3, SEGMENT_FIRST = 2, SEGMENT_COUNT = 3 };
enum { HELLO_HEADS = 8, FRONTIER_ENTRIES = 4, ENTRY_HEAD = 4, REPLY_HEADS = 2 };
enum { BEAT_CLOCK = 1, BEAT_ECHO = 2, BEAT_HEADS = 3 };

static struct hs_stream stream_in(struct hs_bytes message)
{
    struct hs_bytes name = audit_tlv_find(message, ITEM_STREAM).data;
    return (struct hs_stream){.origin = audit_tlv_find(name, STREAM_ORIGIN).value,
                              .partition = (hs_partition)audit_tlv_find(name, STREAM_PARTITION).value,
                              .lane = (uint8_t)audit_tlv_find(name, STREAM_LANE).value};
}

/* ---- receipts ---- */

/* They go on signing, and what they hold is not looked at. */
static unsigned damaged_hubs(const struct auditor *auditor)
{
    unsigned count = 0;
    for (unsigned i = 0; i < auditor->node_count; i++)
        count += auditor->nodes[i]->hub && auditor->nodes[i]->damaged;
    return count;
}

/* A witness's word stands for what it has dropped, or begun behind, which two hubs have signed for. */
static bool was_dropped(const struct auditor *auditor, const struct audit_machine *witness,
                        const struct audit_stream *stream, uint64_t n, struct hs_bytes hash)
{
    bool dropped = false;
    unsigned unseen = damaged_hubs(auditor);
    if (witness->node->role != HS_ROLE_WITNESS || stream == NULL || n == 0 || n > stream->room)
        return false;
    for (const struct audit_op *op = stream->ops[n - 1]; op != NULL; op = op->other)
        dropped = dropped || (op->hub_store_count + unseen >= 2 &&
                              hs_bytes_equal(hash, HS_BYTES(op->chain.bytes, sizeof op->chain.bytes)));
    return dropped;
}

static void check_receipt(struct auditor *auditor, struct audit_machine *hub, struct hs_bytes receipt)
{
    struct hs_stream name = stream_in(receipt);
    uint64_t n = audit_tlv_find(receipt, ITEM_N).value;
    struct hs_bytes hash = audit_tlv_find(receipt, RECEIPT_HASH).data;
    if (audit_tlv_find(receipt, RECEIPT_STORE).value != hub->store_id)
        return;
    const struct audit_stream *stream = audit_stream_find(auditor, &name);
    const struct audit_op *op = stream != NULL ? audit_held_at(stream, n, hub->bit) : NULL;
    if (op == NULL && audit_watched(hub)) { /* it may have come as state */
        audit_heads_check(auditor, hub);
        op = stream != NULL ? audit_held_at(stream, n, hub->bit) : NULL;
    }
    bool held = op != NULL && hs_bytes_equal(hash, HS_BYTES(op->chain.bytes, sizeof op->chain.bytes));
    if (!held && !was_dropped(auditor, hub, stream, n, hash))
        audit_fail(auditor, AUDIT_FRONTIER,
                   "%s sends a receipt of its store for number %" PRIu64 " of origin %016" PRIx64
                   " in %u lane %u, which it %s",
                   hub->sim->name, n, name.origin, (unsigned)name.partition, (unsigned)name.lane,
                   op == NULL ? "does not hold" : "holds with another chain");
}

static void check_receipts(struct auditor *auditor, struct audit_machine *from, struct hs_bytes ack)
{
    struct hs_cur cur = hs_cur_of(ack);
    struct audit_tlv tlv;
    while (audit_tlv_next(&cur, &tlv)) {
        if (tlv.number == ACK_RECEIPTS && from->node->role != HS_ROLE_HALL && from->store_id != 0)
            check_receipt(auditor, from, tlv.data);
    }
}

/* ---- named beyond ---- */

struct naming {
    const struct auditor *auditor;
    const struct audit_machine *to;
    struct audit_tale *tale;
};

static bool is_beyond(const struct naming *naming, const struct hs_stream *name, uint64_t n)
{
    const struct audit_stream *stream = audit_stream_find(naming->auditor, name);
    bool own = name->origin != 0 && name->origin == naming->to->life.origin;
    bool forked = stream != NULL && stream->forked; /* there n counts the operations of all branches */
    return own && !forked && n > (stream != NULL ? stream->head[naming->to->sim->index] : 0);
}

static void name(const struct naming *naming, const struct hs_stream *stream, uint64_t n)
{
    if (naming->tale->n == 0 && is_beyond(naming, stream, n))
        *naming->tale = (struct audit_tale){.stream = *stream, .n = n};
}

static void name_item(const struct naming *naming, struct hs_bytes item)
{
    struct hs_stream stream = stream_in(item);
    name(naming, &stream, audit_tlv_find(item, ITEM_N).value);
}

static bool names_streams(uint8_t type, uint32_t number)
{
    return (type == AUDIT_FRAME_HELLO && number == HELLO_HEADS) ||
           (type == AUDIT_FRAME_HEARTBEAT && number == BEAT_HEADS) ||
           (type == AUDIT_FRAME_PROBE_REPLY && number == REPLY_HEADS) ||
           (type == AUDIT_FRAME_ACK && (number == ACK_STORED || number == ACK_RECEIPTS));
}

static void name_all(const struct naming *naming, uint8_t type, struct hs_bytes body)
{
    struct hs_cur cur = hs_cur_of(body);
    struct audit_tlv tlv;
    if (type == AUDIT_FRAME_DISPUTE)
        name_item(naming, body);
    if (type == AUDIT_FRAME_SEGMENT) {
        struct hs_stream stream = stream_in(body);
        name(naming, &stream,
             audit_tlv_find(body, SEGMENT_FIRST).value + audit_tlv_find(body, SEGMENT_COUNT).value - 1);
    }
    while (audit_tlv_next(&cur, &tlv)) {
        if (names_streams(type, tlv.number))
            name_item(naming, tlv.data);
        else if (type == AUDIT_FRAME_FRONTIER && tlv.number == FRONTIER_ENTRIES)
            name_item(naming, audit_tlv_find(tlv.data, ENTRY_HEAD).data);
    }
}

/* A heartbeat is answered by its echo.  Sequence numbers have no gaps, so who echoes one has read all before it.  One
 * whose clock has been shown before, by a clock that stands or in another session, proves nothing. */
static void note_beat(struct audit_talk *talk, struct hs_bytes beat)
{
    uint64_t clock_ms = audit_tlv_find(beat, BEAT_CLOCK).value;
    if (audit_tlv_find(beat, BEAT_ECHO).raw.size != 0 || clock_ms <= *talk->clock_ms)
        return;
    *talk->clock_ms = clock_ms;
    if (talk->tale->n != 0 && talk->tale->asked_ms == 0)
        talk->tale->asked_ms = clock_ms;
}

/* What it has got since from others, it was told of; what it has written itself meanwhile, not. */
static bool was_beyond(const struct auditor *auditor, const struct audit_machine *machine,
                       const struct audit_tale *tale)
{
    const struct audit_stream *stream = audit_stream_find(auditor, &tale->stream);
    const struct audit_op *op = stream != NULL ? audit_held_at(stream, tale->n, machine->bit) : NULL;
    bool forked = stream != NULL && stream->forked;
    return machine->life.origin == tale->stream.origin && !forked && (op == NULL || (op->own & machine->bit) == 0);
}

static void note_echo(struct auditor *auditor, struct audit_machine *from, struct audit_tale *heard,
                      struct hs_bytes beat)
{
    struct audit_tlv echo = audit_tlv_find(beat, BEAT_ECHO);
    if (heard == NULL || heard->n == 0 || heard->asked_ms == 0 || echo.raw.size == 0 || echo.value != heard->asked_ms)
        return;
    if (was_beyond(auditor, from, heard) && from->life.told_origin != heard->stream.origin) {
        from->life.told_origin = heard->stream.origin;
        from->life.told_ms = auditor->sim->now_ms;
    }
    *heard = (struct audit_tale){0};
}

void audit_peers_sent(struct auditor *auditor, struct audit_talk *talk, uint8_t type, struct hs_bytes body)
{
    struct naming naming = {auditor, talk->to, talk->tale};
    audit_follow(auditor, talk->from);
    audit_follow(auditor, talk->to);
    if (talk->from->damaged || talk->to->damaged)
        return;
    if (type == AUDIT_FRAME_ACK)
        check_receipts(auditor, talk->from, body);
    if (talk->tale == NULL)
        return;
    name_all(&naming, type, body);
    if (type != AUDIT_FRAME_HEARTBEAT)
        return;
    note_beat(talk, body);
    note_echo(auditor, talk->from, talk->heard, body);
}

/* ---- levels ---- */

/* Has the machine all that was ever seen of the stream? */
static bool has_all(const struct audit_stream *stream, const struct audit_machine *machine)
{
    uint64_t head = stream->head[machine->sim->index];
    return head >= stream->room || stream->ops[head] == NULL;
}

/* Does a hub hold it, and is its receipt one that the writer can compare?  Of a stream in a district that he does not
 * hold, who was set back does not get back what a receipt may be about; and of a store only the highest one counts. */
static bool is_at_hub(const struct auditor *auditor, const struct audit_machine *writer, const struct audit_op *op)
{
    bool at_hub = false;
    for (unsigned i = 0; i < auditor->sim->machine_count; i++) {
        const struct audit_machine *hub = &auditor->machines[i];
        at_hub = at_hub || (hub->node->hub && audit_belongs(hub) && (op->held & hub->bit) != 0);
    }
    return at_hub && (audit_holds(writer, op->stream->name.partition) || has_all(op->stream, writer));
}

static bool levels_settled(const struct auditor *auditor, const struct audit_machine *writer, struct hs_view *view,
                           char why[static 200])
{
    for (size_t i = 0; i < auditor->op_count; i++) {
        const struct audit_op *op = auditor->ops[i];
        if ((op->own & op->held & writer->bit) == 0 || op->stream->forked || !is_at_hub(auditor, writer, op) ||
            hs_view_safety(view, &op->stream->name, op->n) >= HS_SAFETY_HUB)
            continue;
        snprintf(why, 200, "%s has no receipt for %s", writer->sim->name, audit_op_name(op));
        return false;
    }
    return true;
}

bool audit_levels_settled(struct auditor *auditor, char why[static 200])
{
    bool settled = true;
    for (unsigned i = 0; settled && i < auditor->sim->machine_count; i++) {
        const struct audit_machine *machine = &auditor->machines[i];
        struct hs_view *view;
        if (machine->node->hub || !audit_belongs(machine))
            continue;
        if (hs_view_open(hs_daemon_store(machine->sim->daemon), 0, 0, &view) != HS_OK) {
            snprintf(why, 200, "%s cannot be read", machine->sim->name);
            return false;
        }
        settled = levels_settled(auditor, machine, view, why);
        hs_view_close(view);
    }
    return settled;
}
