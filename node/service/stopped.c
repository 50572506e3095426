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
static const char UNKNOWN[] = "an unknown node";                           /* in place of its id */
enum { STATUS_ANNOUNCED = 40, STATUS_WITHHELD = 51, STATUS_STOPPED = 60 }; /* of StatusReply */

/* Why a stream does not go on: what programs call it, and how it is told. */
struct hs_stop_cause {
    const char *name, *zh;
    void (*tell)(const struct hs_stop *stop, struct hs_sentence *said);
    void (*advise)(const struct hs_stop *stop, struct hs_sentence *said);
};

/* ---- in words ---- */

void hs_tell_lane(struct hs_sentence *sentence, uint8_t lane)
{
    static const struct hs_words WORDS[HS_LANE_COUNT] = {
        [HS_LANE_WORK] = {"tickets and notices", "工单和公告"},
        [HS_LANE_MONEY] = {"payments and cash entries", "交费和现金账"},
        [HS_LANE_PEOPLE] = {"customers", "客户资料"},
        [HS_LANE_BULK] = {"bills", "电费账单"}};
    bool known = lane < HS_LANE_COUNT && WORDS[lane].en != NULL;
    hs_tell_words(sentence, known ? WORDS[lane].en : "records", known ? WORDS[lane].zh : "记录");
}

static void tell_money(const struct hs_stop *stop, struct hs_sentence *said)
{
    char fen[HS_FEN_TEXT_BYTES];
    if (stop->payments != 0)
        hs_tell(said, ", %" PRIu64 " payments of %s yuan among them", "，其中交费 %" PRIu64 " 笔共 %s 元",
                stop->payments, hs_yuan_text(stop->fen, fen));
}

static void tell_where(const struct hs_stop *stop, struct hs_sentence *said)
{
    hs_tell(said, "stopped behind operation %" PRIu64 ": ", "在第 %" PRIu64 " 条操作之后中断：", stop->behind);
}

static void tell_chain(const struct hs_stop *stop, struct hs_sentence *said)
{
    tell_where(stop, said);
    hs_tell(said, "what %s sends of them (%" PRIu64 " more) does not continue what is here, by hash or signature",
            "%s 发来的后续内容（还有 %" PRIu64 " 条）与本机所存不相接，哈希或签名不符", stop->other, stop->operations);
}

static void advise_chain(const struct hs_stop *stop, struct hs_sentence *said)
{
    hs_tell(said,
            "run hallsync verify here and at %s: what is damaged comes back by itself (hallsync repair); "
            "if both are sound, somebody else has the key of %s: hallsync node revoke %s at a hub",
            "请在本机和 %s 上运行 hallsync verify：损坏的内容会自动恢复（hallsync repair）；"
            "若双方均完好，则有他人持有 %s 的密钥，请在区域中心运行 hallsync node revoke %s",
            stop->other, stop->node_id, stop->node_id);
}

static void tell_rot(const struct hs_stop *stop, struct hs_sentence *said)
{
    tell_where(stop, said);
    hs_tell(said, "the next %" PRIu64 " have rotted on this disk, and have not come back yet",
            "其后 %" PRIu64 " 条在本机磁盘上损坏，尚未恢复", stop->operations);
}

static void advise_rot(const struct hs_stop *stop, struct hs_sentence *said)
{
    (void)stop;
    hs_tell(said, "connect a node that has them, then hallsync repair; and look at the disk",
            "请连接持有这些操作的节点，再运行 hallsync repair；并检查磁盘");
}

static void tell_lost(const struct hs_stop *stop, struct hs_sentence *said)
{
    hs_tell(said, "the %" PRIu64 " operations behind %" PRIu64 " have rotted on this disk and are at no other node",
            "有 %" PRIu64 " 条操作（在第 %" PRIu64 " 条之后）在本机磁盘上损坏，其他节点也都没有", stop->operations,
            stop->behind);
}

static void advise_lost(const struct hs_stop *stop, struct hs_sentence *said)
{
    (void)stop;
    hs_tell(said, "compare with the tills' slips of that day, and enter again what is missing; look at the disk",
            "请与当日柜台凭证核对，补录缺失的内容；并检查磁盘");
}

static void tell_revoked(const struct hs_stop *stop, struct hs_sentence *said)
{
    tell_where(stop, said);
    hs_tell(said, "the key is revoked, and no hub has signed for the %" PRIu64 " that follow",
            "密钥已吊销，其后 %" PRIu64 " 条没有区域中心签收", stop->operations);
    tell_money(stop, said);
    if (stop->other != NULL)
        hs_tell(said, "; %s has them", "；%s 存有这些操作", stop->other);
    else
        hs_tell(said, "; nobody who is here has them", "；现有节点均没有这些操作");
}

static void advise_revoked(const struct hs_stop *stop, struct hs_sentence *said)
{
    hs_tell(said,
            "if the operations are right: hallsync node release %s --reason TEXT --name NAME at a hub; "
            "else leave them",
            "若这些操作属实，请在区域中心运行 hallsync node release %s --reason TEXT --name NAME；否则不予处理",
            stop->node_id);
}

static void tell_gap(const struct hs_stop *stop, struct hs_sentence *said)
{
    tell_where(stop, said);
    hs_tell(said, "the node has announced %" PRIu64 " more", "该节点通告还有 %" PRIu64 " 条", stop->operations);
    tell_money(stop, said);
    hs_tell(said, ", and nobody who is here has them", "，现有节点均没有");
}

static void advise_gap(const struct hs_stop *stop, struct hs_sentence *said)
{
    hs_tell(said,
            "connect %s, its witness or its counters, or carry its work in (hallsync bundle); if its disk "
            "is gone for good, compare with the tills' slips and enter again what is missing",
            "请连接 %s、其见证节点或其柜台程序，或用文件带入其数据（hallsync bundle）；"
            "若其磁盘已无法恢复，请与柜台凭证核对，补录缺失的内容",
            stop->node_id);
}

static const struct hs_stop_cause CHAIN = {"chain", "内容不相接", tell_chain, advise_chain};
static const struct hs_stop_cause ROT = {"rot", "磁盘数据损坏", tell_rot, advise_rot};
static const struct hs_stop_cause LOST = {"lost", "数据丢失", tell_lost, advise_lost};
static const struct hs_stop_cause REVOKED = {"revoked", "密钥已吊销", tell_revoked, advise_revoked};
static const struct hs_stop_cause GAP = {"gap", "后续操作未到", tell_gap, advise_gap};

/* ---- which there are ---- */

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
static struct hs_stop *add(struct taking *taking, const struct hs_stop_cause *cause, struct hs_bytes node_id)
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
    struct hs_stop *stop = row != NULL ? add(taking, &CHAIN, bytes_of(row->node_id)) : NULL;
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
    struct hs_stop *stop = row != NULL ? add(taking, &REVOKED, bytes_of(row->node_id)) : NULL;
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
        struct hs_stop *stop = add(taking, &GAP, bytes_of(row->node_id));
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
    struct hs_stop *stop = add(taking, is_lost ? &LOST : &ROT, writer.size != 0 ? writer : bytes_of(UNKNOWN));
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

/* ---- as a conflict ---- */

static enum hs_err put_words(const struct hs_stop *stop, struct hs_arena *arena, Hallsync__Conflict *conflict)
{
    struct hs_sentence text = {.en = {.is_cut = false}}, advice = {.en = {.is_cut = false}};
    char district[HS_PARTITION_TEXT_BYTES];
    hs_tell_lane(&text, stop->stream.lane);
    hs_tell(&text, " of ", "，节点 ");
    hs_tell_words(&text, stop->node_id, strcmp(stop->node_id, UNKNOWN) == 0 ? "未知" : stop->node_id);
    hs_tell(&text, ", district %s: ", "，供电区 %s：", hs_partition_text(stop->stream.partition, district));
    stop->cause->tell(stop, &text);
    stop->cause->advise(stop, &advice);
    enum hs_err err = hs_tell_keep(arena, &text, &conflict->text, &conflict->text_zh);
    return err == HS_OK ? hs_tell_keep(arena, &advice, &conflict->advice, &conflict->advice_zh) : err;
}

enum hs_err hs_stop_tell(const struct hs_stop *stop, struct hs_arena *arena, Hallsync__Conflict *conflict)
{
    uint8_t key[HS_STREAM_KEY_BYTES];
    hs_stream_key(&stop->stream, key);
    struct hs_conflict_name name = {.list = HS_LIST_STOPPED,
                                    .record = {.partition = stop->stream.partition, .id = HS_BYTES(key, sizeof key)}};
    if (stop->other != NULL)
        snprintf(name.extra, sizeof name.extra, "%s-%s", stop->cause->name, stop->other);
    else
        snprintf(name.extra, sizeof name.extra, "%s-%" PRIu64, stop->cause->name, stop->behind);
    conflict->id = hs_conflict_id(arena, &name);
    conflict->type = (char *)(uintptr_t)hs_conflict_row(HS_LIST_STOPPED)->name;
    conflict->partition = stop->stream.partition;
    conflict->record_id = hs_tell_text(arena, "%s/%s/%016" PRIx64, stop->node_id,
                                       hs_lane_text((enum hs_lane)stop->stream.lane), stop->stream.origin);
    conflict->reason = (char *)(uintptr_t)stop->cause->name; /* only read, as the next */
    conflict->reason_zh = (char *)(uintptr_t)stop->cause->zh;
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
    bool whole = conflict->id != NULL && conflict->record_id != NULL && conflict->origin != NULL;
    return whole ? put_words(stop, arena, conflict) : HS_ENOMEM;
}
