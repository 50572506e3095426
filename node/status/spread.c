#include "node/status/spread.h"

#include "proto/local.pb-c.h"
#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"

enum { STATUS_HISTOGRAMS = 70 };

void hs_spread_put(struct hs_buf *partial, const char *name, const char *kind, const struct hs_histogram *histogram)
{
    Hallsync__Histogram message = HALLSYNC__HISTOGRAM__INIT;
    const struct hs_bounds *from = histogram->bounds;
    double bounds[HS_BOUNDS_MAX];
    uint64_t counts[HS_BOUNDS_MAX + 1];
    struct hs_buf packed = {0};
    if (from == NULL)
        return;
    for (size_t i = 0; i < from->count; i++)
        bounds[i] = (double)from->us[i] / 1e6;
    for (size_t i = 0; i <= from->count; i++)
        counts[i] = atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
    message.name = (char *)(uintptr_t)name;
    message.unit = (char *)(uintptr_t) "seconds";
    message.kind = (char *)(uintptr_t)kind;
    message.bounds = bounds;
    message.n_bounds = from->count;
    message.counts = counts;
    message.n_counts = from->count + 1;
    message.sum = (double)atomic_load_explicit(&histogram->sum_us, memory_order_relaxed) / 1e6;
    hs_msg_pack(&message.base, &packed);
    hs_tlv_put_bytes(partial, STATUS_HISTOGRAMS, hs_buf_bytes(&packed));
    if (packed.err != HS_OK && partial->err == HS_OK)
        partial->err = packed.err;
    hs_buf_fini(&packed);
}
