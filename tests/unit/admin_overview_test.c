/* admin_overview_test.c -- the region as rows: what is in them, what is told of changes and how much at a time. */
#include "node/admin/inside.h"
#include "node/admin/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEERS_MAX 1000
#define BEGIN     1795300000000ULL

struct world {
    struct admin_overview *overview;
    Hallsync__StatusReply reply;
    Hallsync__PeerStatus peers[PEERS_MAX];
    Hallsync__PeerStatus *list[PEERS_MAX];
    char names[PEERS_MAX][32];
    uint64_t now_ms;
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    if (world == NULL || admin_overview_new(&world->overview) != HS_OK)
        return -1;
    hallsync__status_reply__init(&world->reply);
    world->reply.node_id = (char *)"nj-hub";
    world->reply.role = (char *)"hub";
    world->reply.region = (char *)"nj";
    world->reply.version = (char *)"1";
    world->reply.peers = world->list;
    world->now_ms = BEGIN;
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    admin_overview_free(world->overview);
    free(world);
    return 0;
}

/* That many halls, live and with nothing to do. */
static void halls(struct world *world, size_t count)
{
    world->reply.n_peers = count;
    for (size_t i = 0; i < count; i++) {
        Hallsync__PeerStatus *peer = &world->peers[i];
        hallsync__peer_status__init(peer);
        snprintf(world->names[i], sizeof world->names[i], "hall-%03zu", i);
        peer->node_id = world->names[i];
        peer->role = (char *)"hall";
        peer->state = (char *)"live";
        peer->has_lag_out_ops = peer->has_lag_in_ops = peer->has_lag_out_seconds = true;
        world->list[i] = peer;
    }
}

static void take(struct world *world)
{
    assert_int_equal(admin_overview_take(world->overview, &world->reply, world->now_ms), HS_OK);
}

/* A second later; what those who watch are told, or NULL. */
static json_t *news(struct world *world)
{
    struct hs_buf event = {0};
    json_t *told = NULL;
    world->now_ms += 1000;
    take(world);
    enum hs_err err = admin_overview_news(world->overview, &event);
    assert_true(err == HS_OK || err == HS_ENOTFOUND);
    if (err == HS_OK) {
        told = json_loadb((const char *)event.data, event.size, 0, NULL);
        assert_non_null(told);
        assert_null(memchr(event.data, '\n', event.size)); /* one line */
    }
    hs_buf_fini(&event);
    return told;
}

static size_t told_rows(struct world *world)
{
    json_t *told = news(world);
    size_t rows = told == NULL ? 0 : json_array_size(json_object_get(told, "rows"));
    json_decref(told);
    return rows;
}

/* As a browser gets it. */
static json_t *whole(struct world *world)
{
    struct hs_buf gzip = {0}, text = {0};
    size_t size;
    assert_int_equal(admin_overview_put(world->overview, world->now_ms, &gzip, &size), HS_OK);
    assert_int_equal(admin_gunzip(hs_buf_bytes(&gzip), size, &text), HS_OK);
    json_t *overview = json_loadb((const char *)text.data, text.size, 0, NULL);
    assert_non_null(overview);
    hs_buf_fini(&gzip);
    hs_buf_fini(&text);
    return overview;
}

/* Of the row with that number; borrowed. */
static json_t *cell(const json_t *overview, size_t row, const char *column)
{
    json_t *columns = json_object_get(overview, "columns"),
           *cells = json_array_get(json_object_get(overview, "rows"), row);
    assert_int_equal(json_array_size(columns), json_array_size(cells));
    for (size_t i = 0; i < json_array_size(columns); i++) {
        if (strcmp(json_string_value(json_array_get(columns, i)), column) == 0)
            return json_array_get(cells, i);
    }
    fail_msg("no column %s", column);
    return NULL;
}

/* ---- what is in it ---- */

static void before_the_first_status_there_is_none(void **state)
{
    struct world *world = *state;
    struct hs_buf gzip = {0};
    size_t size;
    assert_int_equal(admin_overview_put(world->overview, BEGIN, &gzip, &size), HS_ENOTHERE);
    hs_buf_fini(&gzip);
}

static void a_row_has_a_cell_for_each_column(void **state)
{
    struct world *world = *state;
    uint32_t districts[] = {3201, 3202};
    halls(world, 2);
    world->peers[1].lag_out_ops = 12;
    world->peers[1].has_out_ops_per_s = true;
    world->peers[1].out_ops_per_s = 1.25;
    world->peers[1].districts = districts;
    world->peers[1].n_districts = 2;
    world->peers[1].version = (char *)"0.1\"\\\n\xff"; /* as it says: from another machine */
    world->peers[1].has_clock_offset_ms = true;
    world->peers[1].clock_offset_ms = -1234;
    take(world);
    json_t *overview = whole(world);
    assert_string_equal(json_string_value(json_object_get(json_object_get(overview, "node"), "node_id")), "nj-hub");
    assert_null(json_object_get(json_object_get(overview, "node"), "peers"));
    assert_string_equal(json_string_value(cell(overview, 1, "node_id")), "hall-001");
    assert_string_equal(json_string_value(cell(overview, 0, "cause")), "not-behind");
    assert_int_equal(json_integer_value(cell(overview, 1, "lag_out_ops")), 12);
    assert_true(json_real_value(cell(overview, 1, "out_ops_per_s")) == 1.25);
    assert_true(json_is_null(cell(overview, 0, "out_ops_per_s")));
    assert_string_equal(json_string_value(json_array_get(cell(overview, 1, "districts"), 1)), "3202");
    assert_string_equal(json_string_value(cell(overview, 1, "version")), "0.1\"\\\n?");
    assert_int_equal(json_integer_value(cell(overview, 1, "clock_offset_ms")), -1200);
    assert_true(json_is_null(cell(overview, 1, "spark")));
    assert_int_equal(json_integer_value(json_object_get(overview, "as_of_ms")), BEGIN);
    json_decref(overview);
}

static void a_cell_is(const json_t *overview, const char *column, json_int_t wanted)
{
    const json_t *found = cell(overview, 0, column);
    if (!json_is_integer(found) || json_integer_value(found) != wanted)
        fail_msg("%s is not %lld", column, (long long)wanted);
}

/* Each figure under its own name, and equal only what was proven: a session alone proves nothing. */
static void figures_stand_under_their_names(void **state)
{
    struct world *world = *state;
    halls(world, 2);
    Hallsync__PeerStatus *peer = &world->peers[0];
    peer->has_lag_in_seconds = peer->has_in_ops_per_s = peer->has_caught_up_ms = peer->has_equal_as_of_ms = true;
    peer->has_conflicts = peer->has_parked = peer->has_disk_days = peer->has_backup_ms = peer->has_since_ms = true;
    peer->lag_out_ops = 11;
    peer->lag_in_ops = 12;
    peer->lag_out_seconds = 13;
    peer->lag_in_seconds = 14;
    peer->in_ops_per_s = 15;
    peer->caught_up_ms = BEGIN + 16000;
    peer->equal_as_of_ms = BEGIN - 17000;
    peer->comparison = (char *)"lag";
    peer->conflicts = 18;
    peer->parked = 19;
    peer->disk_days = 20;
    peer->disk_level = (char *)"low";
    peer->backup_ms = BEGIN - 21000;
    peer->since_ms = BEGIN - 22000;
    peer->reason = (char *)"none-such";
    peer->group = (char *)"hubs";
    take(world);
    json_t *overview = whole(world);
    static const struct {
        const char *column;
        json_int_t value;
    } NUMBERS[] = {{"lag_out_ops", 11},    {"lag_in_ops", 12},   {"lag_out_seconds", 13},
                   {"lag_in_seconds", 14}, {"in_ops_per_s", 15}, {"conflicts", 18},
                   {"parked", 19},         {"disk_days", 20},    {"equal_as_of_ms", (json_int_t)BEGIN - 17000}};
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++)
        a_cell_is(overview, NUMBERS[i].column, NUMBERS[i].value);
    a_cell_is(overview, "backup_ms", (json_int_t)BEGIN - 21000);
    a_cell_is(overview, "since_ms", (json_int_t)BEGIN - 22000);
    assert_in_range(json_integer_value(cell(overview, 0, "caught_up_ms")), BEGIN + 15000, BEGIN + 17000);
    static const char *const TEXTS[][2] = {{"comparison", "lag"}, {"disk_level", "low"}, {"reason", "none-such"},
                                           {"group", "hubs"},     {"role", "hall"},      {"state", "live"}};
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++)
        assert_string_equal(json_string_value(cell(overview, 0, TEXTS[i][0])), TEXTS[i][1]);
    assert_string_equal(json_string_value(cell(overview, 1, "state")), "live");
    assert_true(json_is_null(cell(overview, 1, "equal_as_of_ms")) && json_is_null(cell(overview, 1, "comparison")));
    json_decref(overview);
}

/* Of a node that was made anew there are two keys; of one that is dialled, no name yet. */
static void one_row_for_each_name(void **state)
{
    struct world *world = *state;
    halls(world, 3);
    world->peers[0].node_id = world->peers[1].node_id = (char *)"twice";
    world->peers[0].state = (char *)"away";
    world->peers[2].node_id = (char *)"";
    world->peers[2].address = (char *)"tcp://10.0.0.1:7400";
    take(world);
    json_t *overview = whole(world);
    assert_int_equal(json_array_size(json_object_get(overview, "rows")), 2);
    assert_string_equal(json_string_value(cell(overview, 0, "node_id")), "tcp://10.0.0.1:7400");
    assert_string_equal(json_string_value(cell(overview, 1, "state")), "live");
    json_decref(overview);
}

/* ---- what is told of it ---- */

static void what_gets_worse_is_told_at_once(void **state)
{
    struct world *world = *state;
    halls(world, 600);
    assert_int_equal(told_rows(world), 600); /* nothing was told of any yet */
    assert_int_equal(told_rows(world), 0);
    for (size_t i = 0; i < 500; i++)
        world->peers[i].state = (char *)"down";
    assert_int_equal(told_rows(world), 500);
    world->peers[7].state = (char *)"live";
    json_t *told = news(world);
    json_t *row = json_array_get(json_object_get(told, "rows"), 0);
    assert_string_equal(json_string_value(json_array_get(row, 0)), "hall-007");
    assert_int_equal(json_array_size(json_object_get(told, "rows")), 1);
    json_decref(told);
    assert_int_equal(told_rows(world), 0);
}

/* Each of them in its turn, and none more often than every five seconds. */
static void figures_are_told_in_turns(void **state)
{
    struct world *world = *state;
    size_t sum = 0, most = 0;
    halls(world, 600);
    json_decref(news(world));
    for (unsigned second = 0; second < 30; second++) {
        for (size_t i = 0; i < 600; i++)
            world->peers[i].lag_out_seconds = second + i;
        size_t rows = told_rows(world);
        most = rows > most ? rows : most;
        sum += rows;
    }
    assert_true(most <= ADMIN_FIGURES_ROWS);
    assert_true(sum >= (size_t)600 * 4 && sum <= (size_t)600 * 6);
}

static void who_is_gone_is_named_once(void **state)
{
    struct world *world = *state;
    halls(world, 3);
    json_decref(news(world));
    world->list[1] = world->list[2];
    world->reply.n_peers = 2;
    json_t *told = news(world);
    assert_string_equal(json_string_value(json_array_get(json_object_get(told, "gone"), 0)), "hall-001");
    json_decref(told);
    assert_null(news(world));
}

/* What was to be told, and was not, is told as that: the rows count as told by then. */
static void what_cannot_be_told_is_no_silence(void **state)
{
    struct world *world = *state;
    struct hs_buf event = {.err = HS_ENOMEM};
    halls(world, 3);
    json_decref(news(world));
    world->list[1]->state = (char *)"away";
    world->now_ms += 1000;
    take(world);
    assert_int_equal(admin_overview_news(world->overview, &event), HS_ENOMEM);
}

static void the_past_of_a_peer_is_its_causes(void **state)
{
    struct world *world = *state;
    struct hs_buf text = {0};
    halls(world, 2);
    json_decref(news(world));
    world->peers[1].state = (char *)"down";
    json_decref(news(world));
    admin_overview_put_past(world->overview, "hall-001", &text);
    json_t *past = json_loadb((const char *)text.data, text.size, 0, NULL);
    assert_int_equal(json_array_size(past), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(past, 0), "code")), "link-down");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(past, 0), "time_ms")), BEGIN + 2000);
    json_decref(past);
    hs_buf_fini(&text);
}

/* ---- numbers ---- */

static void is_real(double value, const char *wanted)
{
    struct hs_buf text = {0};
    admin_put_real(&text, true, value);
    hs_buf_put_u8(&text, 0);
    assert_string_equal((const char *)text.data, wanted);
    hs_buf_fini(&text);
}

static void numbers_are_short(void **state)
{
    (void)state;
    is_real(0, "0");
    is_real(-0.001, "0");
    is_real(0.05, "0.05");
    is_real(1.5, "1.5");
    is_real(-12.34, "-12.34");
    is_real(99.999, "100");
    is_real(123456.7, "123457");
    is_real(1e300, "1000000000000000000");
    is_real(NAN, "null");
}

#define OVERVIEW_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVERVIEW_TEST(before_the_first_status_there_is_none),
        OVERVIEW_TEST(a_row_has_a_cell_for_each_column),
        OVERVIEW_TEST(figures_stand_under_their_names),
        OVERVIEW_TEST(one_row_for_each_name),
        OVERVIEW_TEST(what_gets_worse_is_told_at_once),
        OVERVIEW_TEST(figures_are_told_in_turns),
        OVERVIEW_TEST(who_is_gone_is_named_once),
        OVERVIEW_TEST(what_cannot_be_told_is_no_silence),
        OVERVIEW_TEST(the_past_of_a_peer_is_its_causes),
        cmocka_unit_test(numbers_are_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
