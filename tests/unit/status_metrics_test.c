/* status_metrics_test.c -- a status as Prometheus text: names, labels, base units, one series for each. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "node/status/metrics.h"
#include "node/status/spread.h"
#include "proto/msg/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S(text)    ((char *)(uintptr_t)(text))
#define PEERS_MOST (HS_METRICS_PEERS_MAX + 7)

struct scene {
    Hallsync__StatusReply status;
    Hallsync__PeerStatus peers[PEERS_MOST];
    Hallsync__PeerStatus *list[PEERS_MOST];
    char names[PEERS_MOST][16];
    struct hs_buf out;
};

static struct scene scene;

static int begin(void **state)
{
    (void)state;
    scene = (struct scene){.status = HALLSYNC__STATUS_REPLY__INIT};
    scene.status.node_id = S("nj-hub-1");
    scene.status.role = S("hub");
    scene.status.region = S("江苏");
    scene.status.version = S("1.2");
    scene.status.peers = scene.list;
    return 0;
}

static int end(void **state)
{
    (void)state;
    hs_buf_fini(&scene.out);
    return 0;
}

static Hallsync__PeerStatus *add_peer(const char *node_id, const char *live)
{
    Hallsync__PeerStatus *peer = &scene.peers[scene.status.n_peers];
    hallsync__peer_status__init(peer);
    peer->node_id = S(node_id);
    peer->role = S("hall");
    peer->state = S(live);
    scene.list[scene.status.n_peers++] = peer;
    return peer;
}

static const char *text_of(void)
{
    hs_buf_reset(&scene.out);
    assert_int_equal(hs_metrics_put(&scene.status, &scene.out), HS_OK);
    hs_buf_put_u8(&scene.out, 0);
    assert_int_equal(scene.out.err, HS_OK);
    return (const char *)scene.out.data;
}

static void assert_line(const char *line)
{
    char wanted[512];
    snprintf(wanted, sizeof wanted, "\n%s\n", line);
    const char *text = text_of();
    if (strstr(text, wanted) == NULL)
        fail_msg("no line %s in\n%s", line, text);
}

static size_t count_of(const char *part)
{
    size_t count = 0;
    for (const char *at = text_of(); (at = strstr(at, part)) != NULL; at++)
        count++;
    return count;
}

static void units_are_base_units(void **state)
{
    (void)state;
    scene.status.store_bytes = 12345678901234567;
    scene.status.clock_ms = 1763849123456;
    scene.status.has_disk_days = true;
    scene.status.disk_days = 1.5;
    scene.status.disk_level = S("scarce");
    Hallsync__RebuildStatus rebuild = HALLSYNC__REBUILD_STATUS__INIT;
    rebuild.percent = 7;
    scene.status.rebuild = &rebuild;
    assert_line("hallsync_store_bytes 12345678901234567");
    assert_line("hallsync_clock_timestamp_seconds 1763849123.456");
    assert_line("hallsync_disk_lasts_seconds 129600");
    assert_line("hallsync_disk_level 2");
    assert_line("hallsync_rebuild_ratio 0.07");
    assert_line("# TYPE hallsync_store_bytes gauge");
    assert_line("hallsync_revoked 0");
    assert_line("hallsync_info{node=\"nj-hub-1\",role=\"hub\",region=\"江苏\",version=\"1.2\"} 1");
    assert_int_equal(count_of("hallsync_certificate_issued"), 0); /* not known */
    scene.status.disk_level = NULL;
    scene.status.revoked = S("stolen");
    assert_line("hallsync_disk_level 0");
    assert_line("hallsync_revoked 1");
}

static void peers_and_lanes_are_labels(void **state)
{
    (void)state;
    Hallsync__LaneStatus money = HALLSYNC__LANE_STATUS__INIT;
    money.lane = S("money");
    money.out_ops = 3;
    Hallsync__LaneStatus *lanes[] = {&money};
    Hallsync__PeerStatus *a = add_peer("a", "live"), *b = add_peer("b", "down");
    a->has_clock_offset_ms = true;
    a->clock_offset_ms = -1500;
    a->has_sent_ops = b->has_sent_ops = true;
    a->sent_ops = 7;
    a->n_lanes = 1;
    a->lanes = lanes;
    a->comparison = S("damage");
    scene.status.n_waiting = 1;
    scene.status.waiting = lanes;
    assert_line("hallsync_peer_live{peer=\"a\"} 1");
    assert_line("hallsync_peer_live{peer=\"b\"} 0");
    assert_line("hallsync_peer_clock_offset_seconds{peer=\"a\"} -1.5");
    assert_line("# TYPE hallsync_peer_sent_operations_total counter");
    assert_line("hallsync_peer_sent_operations_total{peer=\"a\"} 7");
    assert_line("hallsync_peer_lane_out_operations{peer=\"a\",lane=\"money\"} 3");
    assert_line("hallsync_waiting_out_operations{lane=\"money\"} 3");
    assert_line("hallsync_peer_damaged{peer=\"a\"} 1");
    assert_int_equal(count_of("hallsync_peer_damaged{"), 1); /* b was never compared */
    assert_int_equal(count_of("# TYPE hallsync_peer_live "), 1);
}

static void labels_are_escaped(void **state)
{
    (void)state;
    Hallsync__PeerStatus *peer = add_peer("a\"b\\c\nd", "live");
    peer->version = S("\xff\xfe");
    assert_line("hallsync_peer_live{peer=\"a\\\"b\\\\c\\nd\"} 1");
    assert_line("hallsync_peer_info{peer=\"a\\\"b\\\\c\\nd\",role=\"hall\",version=\"?\"} 1");
}

static void a_peer_is_one_series(void **state)
{
    (void)state;
    add_peer("a", "away");
    add_peer("", "connecting");
    add_peer("a", "live");
    add_peer("a", "down");
    assert_line("hallsync_peer_live{peer=\"a\"} 1");
    assert_int_equal(count_of("hallsync_peer_live{"), 1);
}

/* Nobody waits for it, and an alert for it would never end. */
static void who_is_revoked_and_gone_is_no_peer(void **state)
{
    (void)state;
    add_peer("a", "away")->reason = S("revoked");
    add_peer("b", "away")->reason = S("version");
    add_peer("c", "refused")->reason = S("revoked"); /* dialled: it says that of us, or of itself */
    assert_int_equal(count_of("hallsync_peer_live{peer=\"a\"}"), 0);
    assert_int_equal(count_of("hallsync_peer_info{peer=\"a\""), 0);
    assert_line("hallsync_peer_live{peer=\"b\"} 0");
    assert_line("hallsync_peer_live{peer=\"c\"} 0");
}

static void peers_have_a_bound_and_are_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < PEERS_MOST; i++) {
        snprintf(scene.names[i], sizeof scene.names[i], "hall-%04zu", i);
        add_peer(scene.names[i], "live");
    }
    assert_line("hallsync_peers_left_out 7");
    assert_int_equal(count_of("hallsync_peer_live{"), HS_METRICS_PEERS_MAX);
}

static void counters_have_names_of_the_table(void **state)
{
    (void)state;
    Hallsync__Counter requests = HALLSYNC__COUNTER__INIT, unknown = HALLSYNC__COUNTER__INIT;
    requests.name = S("requests");
    requests.value = 42;
    unknown.name = S("of-another-version");
    Hallsync__Counter *counters[] = {&unknown, &requests, &requests};
    scene.status.counters = counters;
    scene.status.n_counters = 3;
    assert_line("# TYPE hallsync_requests_total counter");
    assert_line("hallsync_requests_total 42");
    assert_int_equal(count_of("hallsync_requests_total 42"), 1);
    assert_int_equal(count_of("another"), 0);
}

static void histograms_add_up(void **state)
{
    (void)state;
    double bounds[] = {0.005, 1};
    uint64_t counts[] = {2, 3, 4};
    Hallsync__Histogram put = HALLSYNC__HISTOGRAM__INIT, get = HALLSYNC__HISTOGRAM__INIT;
    put.name = get.name = S("request");
    put.unit = get.unit = S("seconds");
    put.kind = S("put");
    get.kind = S("get");
    put.bounds = get.bounds = bounds;
    put.n_bounds = get.n_bounds = 2;
    put.counts = get.counts = counts;
    put.n_counts = 3;
    get.n_counts = 2; /* malformed: left out */
    put.sum = 12.5;
    Hallsync__Histogram *list[] = {&put, &get};
    scene.status.histograms = list;
    scene.status.n_histograms = 2;
    assert_line("# TYPE hallsync_request_seconds histogram");
    assert_line("hallsync_request_seconds_bucket{kind=\"put\",le=\"0.005\"} 2");
    assert_line("hallsync_request_seconds_bucket{kind=\"put\",le=\"1\"} 5");
    assert_line("hallsync_request_seconds_bucket{kind=\"put\",le=\"+Inf\"} 9");
    assert_line("hallsync_request_seconds_sum{kind=\"put\"} 12.5");
    assert_line("hallsync_request_seconds_count{kind=\"put\"} 9");
    assert_int_equal(count_of("kind=\"get\""), 0);
}

/* Up to a bound is in its bucket, above all of them in the last; the sum in seconds. */
static void a_spread_is_what_was_counted(void **state)
{
    (void)state;
    static const struct hs_bounds BOUNDS = {.count = 2, .us = {5000, 1000000}};
    static struct hs_histogram times = {.bounds = &BOUNDS};
    static const uint64_t US[] = {0, 5000, 5001, 1000000, 1000001, 3989998};
    struct hs_buf packed = {0};
    for (size_t i = 0; i < sizeof US / sizeof *US; i++)
        hs_histogram_add(&times, US[i]);
    hs_msg_pack(&scene.status.base, &packed);
    hs_spread_put(&packed, "request", "put", &times);
    hs_spread_put(&packed, "commit", NULL, &(struct hs_histogram){.bounds = NULL}); /* counts nothing */
    assert_int_equal(packed.err, HS_OK);
    Hallsync__StatusReply *status = hallsync__status_reply__unpack(NULL, packed.size, packed.data);
    hs_buf_fini(&packed);
    assert_non_null(status);
    assert_int_equal(status->n_histograms, 1);
    scene.status.histograms = status->histograms;
    scene.status.n_histograms = status->n_histograms;
    assert_line("hallsync_request_seconds_bucket{kind=\"put\",le=\"0.005\"} 2");
    assert_line("hallsync_request_seconds_bucket{kind=\"put\",le=\"1\"} 4");
    assert_line("hallsync_request_seconds_bucket{kind=\"put\",le=\"+Inf\"} 6");
    assert_line("hallsync_request_seconds_sum{kind=\"put\"} 6");
    assert_line("hallsync_request_seconds_count{kind=\"put\"} 6");
    hallsync__status_reply__free_unpacked(status, NULL);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(units_are_base_units),
        EACH(peers_and_lanes_are_labels),
        EACH(labels_are_escaped),
        EACH(a_peer_is_one_series),
        EACH(who_is_revoked_and_gone_is_no_peer),
        EACH(peers_have_a_bound_and_are_counted),
        EACH(counters_have_names_of_the_table),
        EACH(histograms_add_up),
        EACH(a_spread_is_what_was_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
