/* What a hall has and no hub: its own operations that no hub's receipt reaches. */
#include "node/service/handlers.h"

#include "proto/msg/op.h"
#include "proto/msg/tlv.h"

enum { SIGNED_BODY = 1, OPENING_NODE_KEY = 2 };

struct waiting {
    struct hs_call *call;
    struct hs_view *view;
    uint64_t origin; /* looked up last */
    bool own;        /* it is this node's */
    uint64_t ops[HS_LANE_COUNT];
    uint64_t oldest_ms[HS_LANE_COUNT]; /* wall clock of the writer, which is this node; 0: none */
};

/* Not verified once more: that was when it came, and there are thousands after some years. */
static bool is_own(struct waiting *waiting, uint64_t origin)
{
    const struct hs_certificate *own = hs_store_certificate(waiting->call->desk->options.store);
    struct hs_bytes certificate, opening = HS_BYTES_NONE;
    if (waiting->origin == origin)
        return waiting->own;
    waiting->origin = origin;
    waiting->own = hs_view_origin(waiting->view, origin, &certificate, &opening) == HS_OK &&
                   hs_bytes_equal(hs_tlv_bytes(hs_tlv_bytes(opening, SIGNED_BODY), OPENING_NODE_KEY),
                                  HS_BYTES(own->node_key.bytes, HS_KEY_BYTES));
    return waiting->own;
}

/* The lowest number that no hub has: receipts reach from the first on. */
static uint64_t first_alone(struct waiting *waiting, const struct hs_head *head)
{
    uint64_t low = 1, high = head->n + 1;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (hs_view_safety(waiting->view, &head->stream, middle) >= HS_SAFETY_HUB)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum hs_err add_head(void *ctx, const struct hs_head *head)
{
    struct waiting *waiting = ctx;
    struct hs_bytes bytes;
    struct hs_op op;
    uint8_t lane = head->stream.lane;
    if (head->n == 0 || !is_own(waiting, head->stream.origin) ||
        hs_view_safety(waiting->view, &head->stream, head->n) >= HS_SAFETY_HUB)
        return HS_OK;
    uint64_t first = first_alone(waiting, head);
    waiting->ops[lane] += head->n - first + 1;
    if (hs_view_op(waiting->view, &head->stream, first, &bytes) != HS_OK ||
        hs_op_decode(bytes, &waiting->call->scratch, &op) != HS_OK)
        return HS_OK; /* counted, and no age known */
    uint64_t written_ms = hs_stamp_ms(op.stamp);
    if (waiting->oldest_ms[lane] == 0 || written_ms < waiting->oldest_ms[lane])
        waiting->oldest_ms[lane] = written_ms;
    return HS_OK;
}

void hs_waiting_add(struct hs_call *call, struct hs_view *view, Hallsync__StatusReply *status)
{
    struct waiting waiting = {.call = call, .view = view};
    uint64_t now = hs_now_ms();
    if (hs_store_certificate(call->desk->options.store)->role != HS_ROLE_HALL ||
        hs_view_heads(view, add_head, &waiting) != HS_OK)
        return; /* damage is told by who needs what is damaged */
    status->waiting = hs_arena_array(&call->scratch, HS_LANE_COUNT, sizeof *status->waiting);
    for (unsigned lane = HS_LANE_WORK; lane <= HS_LANE_BULK && status->waiting != NULL; lane++) {
        Hallsync__LaneStatus *row = waiting.ops[lane] == 0 ? NULL : hs_arena_alloc(&call->scratch, sizeof *row);
        if (row == NULL)
            continue;
        hallsync__lane_status__init(row);
        row->lane = (char *)(uintptr_t)hs_lane_text((enum hs_lane)lane);
        row->out_ops = waiting.ops[lane];
        row->out_seconds = waiting.oldest_ms[lane] != 0 && now > waiting.oldest_ms[lane]
                               ? (now - waiting.oldest_ms[lane]) / 1000
                               : 0;
        status->waiting[status->n_waiting++] = row;
    }
}
