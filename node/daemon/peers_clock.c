/* Clocks that differ: shown, and told once.  Nobody's is set by another's: which of them is wrong people find out. */
#include "node/daemon/peers_private.h"

#include "node/log/log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define APART_MS 60000 /* beyond what the way there and back may hide */
#define NAMED    3

static void put_span(uint64_t ms, struct hs_buf *text)
{
    static const struct {
        uint64_t ms;
        const char *name;
    } UNITS[] = {{365ULL * 86400000, "years"}, {86400000, "days"}, {3600000, "hours"}, {60000, "minutes"}};
    size_t i = 0;
    while (i + 1 < sizeof UNITS / sizeof *UNITS && ms < 2 * UNITS[i].ms)
        i++;
    hs_buf_put_format(text, "%llu %s", (unsigned long long)(ms / UNITS[i].ms), UNITS[i].name);
}

static bool is_apart(const struct hs_peer_status *peer, uint64_t *by_ms)
{
    *by_ms = peer->clock_offset_ms < 0 ? (uint64_t)0 - (uint64_t)peer->clock_offset_ms
                                       : (uint64_t)peer->clock_offset_ms;
    return peer->live && *by_ms > APART_MS + peer->round_trip_ms;
}

/* A hub whose own clock is wrong differs from all: a few are named. */
static size_t put_peers(const struct hs_peer_status *shown, size_t count, struct hs_buf *text)
{
    size_t apart = 0;
    uint64_t by_ms;
    for (size_t i = 0; i < count; i++) {
        if (!is_apart(&shown[i], &by_ms) || apart++ >= NAMED)
            continue;
        hs_buf_put_format(text, "%s%s is ", apart == 1 ? "" : ", ", shown[i].certificate.node_id);
        put_span(by_ms, text);
        hs_buf_put_format(text, " %s", shown[i].clock_offset_ms < 0 ? "behind" : "ahead");
    }
    if (apart > NAMED)
        hs_buf_put_format(text, ", and %zu more", apart - NAMED);
    return apart;
}

void peers_clock_look(struct hs_peers *peers, const struct hs_peer_status *shown, size_t count)
{
    struct hs_buf text = {0};
    bool was = peers->clocks[0] != '\0';
    bool is = put_peers(shown, count, &text) > 0;
    hs_buf_put_u8(&text, 0);
    peers->clocks[0] = '\0';
    if (is)
        snprintf(peers->clocks, sizeof peers->clocks,
                 "clocks differ by more than a minute: %.150s; set the one that is wrong: what is shown of times, and "
                 "which of two values written apart is shown, goes by them",
                 text.err == HS_OK ? (const char *)text.data : "?");
    if (is && !was)
        HS_LOG(CLOCK, HS_PROSE("text", peers->clocks));
    else if (was && !is)
        HS_LOG_AT(HS_LOG_INFO, HS_EV_CLOCK, HS_PROSE("text", "no clock differs any more"));
    hs_buf_fini(&text);
}

/* Between the two readings goes time: less than this is no clock that was set, and what stands must not be seen to
 * move. */
#define SLACK_MS 100

uint64_t peers_wall_ms(uint64_t mono_ms)
{
    static _Atomic uint64_t known_ms; /* how far the clocks are apart */
    uint64_t apart_ms = hs_now_ms() - hs_link_now_ms(), before_ms = atomic_load(&known_ms);
    if (apart_ms - before_ms + SLACK_MS > 2 * SLACK_MS) {
        atomic_store(&known_ms, apart_ms);
        before_ms = apart_ms;
    }
    return before_ms + mono_ms;
}
