/* "Wait until all is synced": the rest of the daemon is asked with a token and answers with it; we keep the time. */
#include "node/service/handlers.h"

#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"

#include <inttypes.h>
#include <string.h>

#define WAIT_MS_MAX  3600000
#define STATUS_PEERS 9
enum { PEER_NODE = 1, PEER_STATE = 4, PEER_OUT_OPS = 7, PEER_IN_OPS = 9 };

static void answer(struct hs_call *call, bool synced, const char *missing)
{
    Hallsync__WaitReply reply = HALLSYNC__WAIT_REPLY__INIT;
    reply.synced = synced;
    reply.missing = (char *)(uintptr_t)missing;
    hs_msg_pack(&reply.base, &call->body);
    call->position = hs_store_position(call->desk->options.store);
}

enum hs_err hs_wait_park(struct hs_call *call)
{
    const struct hs_service_hooks *hooks = &call->desk->options.hooks;
    uint64_t wait_ms = call->request->wait->timeout_ms;
    if (call->token != 0) {
        answer(call, true, NULL);
        return HS_OK;
    }
    call->token = ++call->desk->next_token;
    call->deadline_tick = hs_tick_ms() + (wait_ms < WAIT_MS_MAX ? wait_ms : WAIT_MS_MAX);
    call->parked = true;
    if (hooks->probe != NULL)
        hooks->probe(hooks->ctx, call->token);
    return HS_OK;
}

/* One peer's part of the sentence: what of ours it lacks, what of its we lack. */
static void tell_peer(struct hs_bytes peer, struct hs_buf *text)
{
    struct hs_bytes node = hs_tlv_bytes(peer, PEER_NODE);
    struct hs_bytes state = hs_tlv_bytes(peer, PEER_STATE);
    uint64_t out = hs_tlv_u64(peer, PEER_OUT_OPS, 0);
    uint64_t in = hs_tlv_u64(peer, PEER_IN_OPS, 0);
    hs_buf_put_format(text, "%s%.*s is %.*s: %" PRIu64 " operations to send, %" PRIu64 " to receive",
                      text->size == 0 ? "" : "; ", (int)node.size, (const char *)node.data, (int)state.size,
                      (const char *)state.data, out, in);
}

static void tell_missing(struct hs_bytes status, struct hs_buf *text)
{
    struct hs_cur cur = hs_cur_of(status);
    struct hs_tlv tlv;
    while (hs_tlv_next(&cur, &tlv)) {
        if (tlv.number == STATUS_PEERS && tlv.wire == HS_WIRE_BYTES)
            tell_peer(tlv.bytes, text);
    }
    if (text->size == 0)
        hs_buf_put_format(text, "no peer is known");
    hs_buf_put_u8(text, 0);
}

void hs_wait_late(struct hs_call *call)
{
    const struct hs_service_hooks *hooks = &call->desk->options.hooks;
    struct hs_buf status = {0};
    struct hs_buf text = {0};
    if (hooks->probe_end != NULL)
        hooks->probe_end(hooks->ctx, call->token);
    if (hooks->status != NULL)
        hooks->status(hooks->ctx, &status);
    tell_missing(hs_buf_bytes(&status), &text);
    answer(call, false, text.err == HS_OK ? (const char *)text.data : NULL);
    hs_buf_fini(&status);
    hs_buf_fini(&text);
}
