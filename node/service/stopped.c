/* Streams that do not go on, whatever the reason, in words: whose payments or customers, of which district, from where
 * on, how much is behind it, and what to do.  Everything else goes on. */
#include "node/service/announced.h"
#include "node/service/conflicts.h"
#include "node/service/show.h"
#include "node/service/telling.h"

#include "proto/base/text.h"
#include "proto/msg/tlv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STOPS_MAX 1024
enum { STATUS_ANNOUNCED = 40, STATUS_WITHHELD = 51, STATUS_STOPPED = 60 }; /* of StatusReply */

struct taking {
    struct hs_call *call;
    struct hs_view *view;
    struct hs_stops *stops;
    bool no_memory; /* a list without a stop that there is says that all goes on */
};

static char *copy(struct taking *taking, struct hs_bytes text)
{
    char *copied = hs_arena_text(&taking->call->arena, text);
    taking->no_memory = taking->no_memory || copied == NULL;
    return copied;
}

static struct hs_bytes bytes_of(const char *text)
{
    return HS_BYTES(text, strlen(text));
}

/* NULL: no memory, or there are enough. */
static struct hs_stop *add(struct taking *taking, const char *cause, struct hs_bytes node_id)
{
    struct hs_stops *stops = taking->stops;
    char *name = copy(taking, node_id);
    if (name == NULL || stops->count == STOPS_MAX)
        return NULL;
    struct hs_stop *stop = &stops->list[stops->count++];
    *stop = (struct hs_stop){.cause = cause, .node_id = name};
    return stop;
}

static struct hs_stream stream_of(uint64_t origin, uint32_t partition, const char *lane)
{
    struct hs_stream stream = {.origin = origin, .partition = (hs_partition)partition};
    hs_lane_parse(lane, &stream.lane); /* this node's own words */
    return stream;
}

static uint64_t origin_of(const char *hex)
{
    uint8_t raw[8] = {0};
    hs_text_from_hex(hex, strlen(hex), raw, sizeof raw);
    return hs_from_be64(raw);
}

/* ---- from the parts of a status ---- */

static void take_chain(struct taking *taking, struct hs_bytes bytes)
{
    Hallsync__StoppedStatus *row = hallsync__stopped_status__unpack(NULL, bytes.size, bytes.data);
    taking->no_memory = taking->no_memory || row == NULL; /* they were packed here */
    struct hs_stop *stop = row != NULL ? add(taking, "chain", bytes_of(row->node_id)) : NULL;
    if (stop != NULL) {
        stop->stream = stream_of(row->origin, row->partition, row->lane);
        stop->behind = row->behind;
        stop->operations = row->last > row->behind ? row->last - row->behind : 0;
        stop->since_ms = row->since_ms;
        stop->other = copy(taking, bytes_of(row->from));
    }
    hallsync__stopped_status__free_unpacked(row, NULL);
}

static void take_withheld(struct taking *taking, struct hs_bytes bytes)
{
    Hallsync__WithheldStatus *row = hallsync__withheld_status__unpack(NULL, bytes.size, bytes.data);
    taking->no_memory = taking->no_memory || row == NULL; /* they were packed here */
    struct hs_stop *stop = row != NULL ? add(taking, "revoked", bytes_of(row->node_id)) : NULL;
    if (stop != NULL) {
        stop->stream = stream_of(origin_of(row->origin), row->partition, row->lane);
        stop->behind = row->behind;
        stop->operations = row->last - row->behind;
        stop->payments = row->payments;
        stop->fen = row->payments_fen;
        if (row->holder != NULL)
            stop->other = copy(taking, bytes_of(row->holder));
    }
    hallsync__withheld_status__free_unpacked(row, NULL);
}

/* What a node that is connected has announced is on its way. */
static void take_announced(struct taking *taking, struct hs_bytes bytes)
{
    Hallsync__AnnouncedStatus *row = hallsync__announced_status__unpack(NULL, bytes.size, bytes.data);
    taking->no_memory = taking->no_memory || row == NULL; /* they were packed here */
    for (size_t i = 0; row != NULL && !row->live && i < row->n_streams; i++) {
        const Hallsync__AnnouncedStream *from = row->streams[i];
        struct hs_stop *stop = add(taking, "gap", bytes_of(row->node_id));
        if (stop == NULL)
            break;
        stop->stream = stream_of(origin_of(from->origin), from->partition, from->lane);
        stop->behind = from->behind;
        stop->operations = from->last - from->behind;
        stop->since_ms = row->time_ms;
        if (row->n_streams == 1) {
            stop->payments = row->payments;
            stop->fen = row->fen;
        }
    }
    hallsync__announced_status__free_unpacked(row, NULL);
}

/* ---- from the store ---- */

static enum hs_err take_rotten(void *ctx, const struct hs_healed *healed)
{
    struct taking *taking = ctx;
    bool is_lost = healed->state == HS_HEALING_GONE;
    if ((healed->state != HS_HEALING_WAITS && !is_lost) || healed->first == 0)
        return HS_OK; /* a receipt stops no stream */
    struct hs_bytes writer = hs_show_node(taking->view, healed->stream.origin);
    struct hs_stop *stop = add(taking, is_lost ? "lost" : "rot",
                               writer.size != 0 ? writer : bytes_of("an unknown node"));
    if (stop == NULL)
        return HS_OK;
    stop->stream = healed->stream;
    stop->behind = healed->first - 1;
    stop->operations = healed->last - healed->first + 1;
    stop->since_ms = healed->time_ms;
    return HS_OK;
}

enum hs_err hs_stops_take(struct hs_call *call, struct hs_view *view, struct hs_bytes partial, struct hs_stops *stops)
{
    struct taking taking = {.call = call, .view = view, .stops = stops};
    struct hs_cur cur = hs_cur_of(partial);
    struct hs_tlv tlv;
    *stops = (struct hs_stops){.list = hs_arena_array(&call->arena, STOPS_MAX, sizeof *stops->list)};
    if (stops->list == NULL)
        return HS_ENOMEM;
    while (hs_tlv_next(&cur, &tlv)) {
        if (tlv.number == STATUS_STOPPED)
            take_chain(&taking, tlv.bytes);
        else if (tlv.number == STATUS_WITHHELD)
            take_withheld(&taking, tlv.bytes);
        else if (tlv.number == STATUS_ANNOUNCED)
            take_announced(&taking, tlv.bytes);
    }
    hs_view_healed(view, take_rotten, &taking); /* a list that has rotted itself is told by verify */
    return taking.no_memory ? HS_ENOMEM : HS_OK;
}

enum hs_err hs_stops_find(struct hs_call *call, struct hs_view *view, struct hs_stops *stops)
{
    const struct hs_service_hooks *hooks = &call->desk->options.hooks;
    Hallsync__StatusReply status = HALLSYNC__STATUS_REPLY__INIT;
    struct hs_buf partial = {0};
    hs_announced_add(call, view, &status);
    for (size_t i = 0; i < status.n_announced; i++)
        hs_call_put(&partial, STATUS_ANNOUNCED, &status.announced[i]->base);
    if (hooks->status != NULL)
        hooks->status(hooks->ctx, &partial);
    enum hs_err err = partial.err != HS_OK ? partial.err : hs_stops_take(call, view, hs_buf_bytes(&partial), stops);
    hs_buf_fini(&partial);
    return err;
}

/* ---- in words ---- */

const char *hs_lane_words(uint8_t lane)
{
    static const char *const WORDS[HS_LANE_COUNT] = {[HS_LANE_WORK] = "tickets and notices",
                                                     [HS_LANE_MONEY] = "payments and cash entries",
                                                     [HS_LANE_PEOPLE] = "customers",
                                                     [HS_LANE_BULK] = "bills"};
    return lane < HS_LANE_COUNT && WORDS[lane] != NULL ? WORDS[lane] : "records";
}

static const char *text_of(const struct hs_stop *stop, struct hs_arena *arena)
{
    char district[HS_PARTITION_TEXT_BYTES], fen[HS_FEN_TEXT_BYTES];
    const char *other = stop->other != NULL ? stop->other : "nobody who is here";
    hs_partition_text(stop->stream.partition, district);
    const char *what = hs_tell_text(arena, "%s of %s, district %s: ", hs_lane_words(stop->stream.lane), stop->node_id,
                                    district);
    const char *money = "";
    if (what == NULL)
        return NULL;
    if (stop->payments != 0)
        money = hs_tell_text(arena, ", %" PRIu64 " payments of %s yuan among them", stop->payments,
                             hs_yuan_text(stop->fen, fen));
    if (money == NULL)
        return NULL;
    if (strcmp(stop->cause, "chain") == 0)
        return hs_tell_text(arena,
                            "%sstopped behind operation %" PRIu64 ": what %s sends of them (%" PRIu64
                            " more) does not continue what is here, by hash or signature",
                            what, stop->behind, other, stop->operations);
    if (strcmp(stop->cause, "rot") == 0)
        return hs_tell_text(arena,
                            "%sstopped behind operation %" PRIu64 ": the next %" PRIu64
                            " have rotted on this disk, and have not come back yet",
                            what, stop->behind, stop->operations);
    if (strcmp(stop->cause, "lost") == 0)
        return hs_tell_text(
            arena, "%sthe %" PRIu64 " operations behind %" PRIu64 " have rotted on this disk and are at no other node",
            what, stop->operations, stop->behind);
    if (strcmp(stop->cause, "revoked") == 0)
        return hs_tell_text(arena,
                            "%sstopped behind operation %" PRIu64
                            ": the key is revoked, and no hub has signed for the %" PRIu64
                            " that follow%s; %s has them",
                            what, stop->behind, stop->operations, money, other);
    return hs_tell_text(arena,
                        "%sstopped behind operation %" PRIu64 ": the node has announced %" PRIu64
                        " more%s, and nobody who is here has them",
                        what, stop->behind, stop->operations, money);
}

static const char *advice_of(const struct hs_stop *stop, struct hs_arena *arena)
{
    if (strcmp(stop->cause, "chain") == 0)
        return hs_tell_text(
            arena,
            "run hallsync verify here and at %s: what is damaged comes back by itself (hallsync repair); "
            "if both are sound, somebody else has the key of %s: hallsync node revoke %s at a hub",
            stop->other != NULL ? stop->other : "its sender", stop->node_id, stop->node_id);
    if (strcmp(stop->cause, "rot") == 0)
        return "connect a node that has them, then hallsync repair; and look at the disk";
    if (strcmp(stop->cause, "lost") == 0)
        return "compare with the tills' slips of that day, and enter again what is missing; look at the disk";
    if (strcmp(stop->cause, "revoked") == 0)
        return hs_tell_text(arena,
                            "if the operations are right: hallsync node release %s --reason TEXT --name NAME at a hub; "
                            "else leave them",
                            stop->node_id);
    return hs_tell_text(arena,
                        "connect %s, its witness or its counters, or carry its work in (hallsync bundle); if its disk "
                        "is gone for good, compare with the tills' slips and enter again what is missing",
                        stop->node_id);
}

enum hs_err hs_stop_tell(const struct hs_stop *stop, struct hs_arena *arena, Hallsync__Conflict *conflict)
{
    uint8_t key[HS_STREAM_KEY_BYTES];
    hs_stream_key(&stop->stream, key);
    struct hs_conflict_name name = {.list = HS_LIST_STOPPED,
                                    .record = {.partition = stop->stream.partition, .id = HS_BYTES(key, sizeof key)}};
    if (stop->other != NULL)
        snprintf(name.extra, sizeof name.extra, "%s-%s", stop->cause, stop->other);
    else
        snprintf(name.extra, sizeof name.extra, "%s-%" PRIu64, stop->cause, stop->behind);
    conflict->id = hs_conflict_id(arena, &name);
    conflict->type = (char *)(uintptr_t)hs_conflict_type_text(HS_LIST_STOPPED);
    conflict->partition = stop->stream.partition;
    conflict->record_id = hs_tell_text(arena, "%s/%s/%016" PRIx64, stop->node_id,
                                       hs_lane_text((enum hs_lane)stop->stream.lane), stop->stream.origin);
    conflict->text = (char *)(uintptr_t)text_of(stop, arena);
    conflict->advice = (char *)(uintptr_t)advice_of(stop, arena);
    conflict->reason = (char *)(uintptr_t)stop->cause;
    conflict->node = (char *)(uintptr_t)stop->node_id;
    conflict->lane = (char *)(uintptr_t)hs_lane_text((enum hs_lane)stop->stream.lane);
    conflict->origin = hs_tell_text(arena, "%016" PRIx64, stop->stream.origin);
    conflict->has_behind = conflict->has_operations = true;
    conflict->behind = stop->behind;
    conflict->operations = stop->operations;
    conflict->has_time_ms = stop->since_ms != 0;
    conflict->time_ms = stop->since_ms;
    conflict->has_amount_fen = stop->fen != 0;
    conflict->amount_fen = stop->fen;
    bool whole = conflict->id != NULL && conflict->record_id != NULL && conflict->text != NULL &&
                 conflict->advice != NULL && conflict->origin != NULL;
    return whole ? HS_OK : HS_ENOMEM;
}
