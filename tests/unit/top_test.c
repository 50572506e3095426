/* top_test.c -- the live view without a terminal: rows, their order, filters, columns, sparks, keys. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "node/cli/forms.h"
#include "node/cli/top_view.h"
#include "proto/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW_MS  ((uint64_t)1795000000000)
#define TICK_MS ((uint64_t)1000000)

static const struct top_look LOOK = {.now_ms = NOW_MS, .interval_ms = 2000, .utc_offset_minutes = 480};

/* ---- a node that answers ---- */

struct peer {
    const char *id, *role, *state;
    uint64_t since_ms, out_ops, out_seconds, in_ops;
};

static char *copy(const char *text)
{
    char *own = strdup(text);
    assert_non_null(own);
    return own;
}

static Hallsync__PeerStatus *make_peer(const struct peer *from)
{
    Hallsync__PeerStatus *peer = calloc(1, sizeof *peer);
    assert_non_null(peer);
    hallsync__peer_status__init(peer);
    peer->node_id = copy(from->id);
    peer->role = copy(from->role != NULL ? from->role : "hall");
    peer->state = copy(from->state != NULL ? from->state : "live");
    peer->address = copy("tcp://10.0.0.1:7400");
    peer->has_since_ms = true;
    peer->since_ms = from->since_ms != 0 ? from->since_ms : NOW_MS - 60000;
    peer->has_lag_out_ops = peer->has_lag_out_seconds = peer->has_lag_in_ops = true;
    peer->lag_out_ops = from->out_ops;
    peer->lag_out_seconds = from->out_seconds;
    peer->lag_in_ops = from->in_ops;
    return peer;
}

static Hallsync__Reply *make_reply(const struct peer *peers, size_t count)
{
    Hallsync__Reply *reply = calloc(1, sizeof *reply);
    Hallsync__StatusReply *status = calloc(1, sizeof *status);
    assert_non_null(reply);
    assert_non_null(status);
    hallsync__reply__init(reply);
    hallsync__status_reply__init(status);
    reply->body_case = HALLSYNC__REPLY__BODY_STATUS;
    reply->status = status;
    status->node_id = copy("nj-hub");
    status->role = copy("hub");
    status->region = copy("\u5357\u4eac\u5e02");
    status->version = copy("0.1.0");
    status->clock_ms = NOW_MS;
    status->disk_free_bytes = 81900000000;
    status->conflicts = 3;
    status->peers = calloc(count + 1, sizeof *status->peers);
    assert_non_null(status->peers);
    for (size_t i = 0; i < count; i++)
        status->peers[i] = make_peer(&peers[i]);
    status->n_peers = count;
    return reply;
}

static const struct peer FIVE[] = {
    {"nj-gulou", .out_ops = 3, .out_seconds = 1, .in_ops = 9},   {"nj-jianye", .out_ops = 5000, .out_seconds = 70},
    {"nj-qinhuai", .state = "down", .since_ms = NOW_MS - 5000},  {"nj-xuanwu", .out_ops = 7, .out_seconds = 50},
    {"nj-yuhua", .state = "away", .since_ms = NOW_MS - 3600000},
};
#define COUNT(array) (sizeof(array) / sizeof *(array))

static void take(struct top_model *model, const struct peer *peers, size_t count, uint64_t tick_ms)
{
    assert_int_equal(top_model_take(model, make_reply(peers, count), NOW_MS, tick_ms), HS_OK);
}

/* The ids that are shown, in their order, with a space between. */
static const char *shown(const struct top_model *model)
{
    static char text[512];
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < model->shown_count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i == 0 ? "" : " ",
                                 model->rows[model->shown[i]].key + 3);
    return text;
}

static void press(struct top_view *view, struct top_model *model, const char *keys)
{
    for (; *keys != '\0'; keys++)
        top_view_key(view, model, (uint32_t)(unsigned char)*keys);
}

/* ---- rows ---- */

static void the_worst_come_first(void **state)
{
    (void)state;
    struct top_model model = {0};
    take(&model, FIVE, COUNT(FIVE), TICK_MS);
    assert_string_equal(shown(&model), "qinhuai yuhua jianye xuanwu gulou");
    assert_int_equal(model.live, 3);
    assert_int_equal(model.behind, 2);
    assert_int_equal(model.away, 2);
    model.reverse = true;
    top_model_arrange(&model);
    assert_string_equal(shown(&model), "gulou xuanwu jianye yuhua qinhuai");
    top_model_fini(&model);
}

static void every_column_orders(void **state)
{
    (void)state;
    static const struct {
        enum top_order order;
        const char *shown;
    } CASES[] = {
        {TOP_ORDER_PEER, "gulou jianye qinhuai xuanwu yuhua"},
        {TOP_ORDER_STATE, "yuhua qinhuai gulou jianye xuanwu"},
        {TOP_ORDER_SINCE, "qinhuai gulou jianye xuanwu yuhua"},
        {TOP_ORDER_OUT_OPS, "jianye xuanwu gulou qinhuai yuhua"},
        {TOP_ORDER_OUT_AGE, "jianye xuanwu gulou qinhuai yuhua"},
        {TOP_ORDER_IN_OPS, "gulou jianye qinhuai xuanwu yuhua"},
        {TOP_ORDER_RATE, "yuhua gulou jianye qinhuai xuanwu"},
        {TOP_ORDER_CAUGHT_UP, "xuanwu gulou jianye qinhuai yuhua"},
        {TOP_ORDER_EQUAL, "gulou jianye qinhuai yuhua xuanwu"},
        {TOP_ORDER_LOOK, "gulou jianye qinhuai xuanwu yuhua"},
        {TOP_ORDER_VERSION, "gulou qinhuai xuanwu yuhua jianye"},
    };
    struct top_model model = {0};
    take(&model, FIVE, COUNT(FIVE), TICK_MS);
    Hallsync__PeerStatus **peers = model.reply->status->peers;
    peers[4]->out_ops_per_s = 3;
    peers[3]->caught_up_ms = NOW_MS + 1000;
    peers[3]->equal_as_of_ms = NOW_MS - 1000;
    peers[0]->conflicts = 1;
    peers[1]->version = copy("0.2.0");
    for (size_t i = 0; i < COUNT(CASES); i++) {
        model.order = CASES[i].order;
        top_model_arrange(&model);
        assert_string_equal(shown(&model), CASES[i].shown);
    }
    assert_int_equal(COUNT(CASES), TOP_ORDER_COUNT - 1); /* the worst: above */
    top_model_fini(&model);
}

static void rows_are_filtered(void **state)
{
    (void)state;
    struct top_model model = {0};
    struct top_view view = {0};
    take(&model, FIVE, COUNT(FIVE), TICK_MS);
    Hallsync__PeerStatus *peer = model.reply->status->peers[3];
    peer->districts = calloc(1, sizeof *peer->districts);
    assert_non_null(peer->districts);
    peer->districts[peer->n_districts++] = 3207;
    press(&view, &model, "b");
    assert_string_equal(shown(&model), "qinhuai yuhua jianye xuanwu");
    press(&view, &model, "/JIAN");
    assert_string_equal(shown(&model), "jianye"); /* while it is typed */
    top_view_key(&view, &model, TOP_KEY_ENTER);
    assert_false(view.typing);
    press(&view, &model, "b");
    assert_string_equal(shown(&model), "jianye");
    press(&view, &model, "/zzz");
    assert_string_equal(shown(&model), "");
    top_view_key(&view, &model, TOP_KEY_ESCAPE); /* what it was before */
    assert_string_equal(shown(&model), "jianye");
    top_view_key(&view, &model, TOP_KEY_ESCAPE); /* all */
    assert_int_equal(model.shown_count, 5);
    press(&view, &model, "/3207");
    assert_string_equal(shown(&model), "xuanwu");
    top_view_key(&view, &model, TOP_KEY_ESCAPE);
    press(&view, &model, "/away");
    assert_string_equal(shown(&model), "yuhua");
    top_model_fini(&model);
}

static void a_filter_takes_chinese_and_gives_whole_characters_back(void **state)
{
    (void)state;
    struct top_model model = {0};
    struct top_view view = {0};
    press(&view, &model, "/a");
    top_view_key(&view, &model, 0x00e9);
    top_view_key(&view, &model, 0x5357);
    top_view_key(&view, &model, 0x20000);
    assert_string_equal(model.filter, "a\u00e9\u5357\U00020000");
    for (size_t i = 0; i < 3; i++)
        top_view_key(&view, &model, TOP_KEY_BACKSPACE);
    assert_string_equal(model.filter, "a");
    for (size_t i = 0; i < 3; i++)
        top_view_key(&view, &model, TOP_KEY_BACKSPACE);
    assert_string_equal(model.filter, "");
    for (size_t i = 0; i < TOP_FILTER_MAX; i++)
        top_view_key(&view, &model, 0x5357);
    assert_int_equal(strlen(model.filter), (TOP_FILTER_MAX - 1) / 3 * 3); /* none is halved */
    assert_true(hs_text_valid(HS_BYTES(model.filter, strlen(model.filter))));
}

/* ---- the chosen row ---- */

static const char *chosen(const struct top_view *view, const struct top_model *model)
{
    const struct top_row *row = top_view_row(view, model);
    return row != NULL ? row->key : "";
}

static void the_chosen_row_stays_chosen(void **state)
{
    (void)state;
    struct top_model model = {0};
    struct top_view view = {0};
    struct peer peers[COUNT(FIVE)];
    memcpy(peers, FIVE, sizeof peers);
    take(&model, peers, COUNT(peers), TICK_MS);
    top_view_follow(&view, &model);
    press(&view, &model, "jjj");
    assert_string_equal(chosen(&view, &model), "nj-xuanwu");
    peers[3].state = "down"; /* it is among the first now */
    take(&model, peers, COUNT(peers), TICK_MS);
    top_view_follow(&view, &model);
    assert_string_equal(chosen(&view, &model), "nj-xuanwu");
    top_view_key(&view, &model, TOP_KEY_ENTER);
    assert_int_equal(view.page, TOP_PAGE_PEER);
    take(&model, peers, 3, TICK_MS); /* it is gone: nobody reads of another under its name */
    top_view_follow(&view, &model);
    assert_int_equal(view.page, TOP_PAGE_LIST);
    assert_string_not_equal(chosen(&view, &model), "");
    take(&model, peers, 0, TICK_MS);
    top_view_follow(&view, &model);
    assert_string_equal(chosen(&view, &model), "");
    top_view_key(&view, &model, TOP_KEY_ENTER);
    assert_int_equal(view.page, TOP_PAGE_LIST);
    top_model_fini(&model);
}

/* Who has chosen nothing looks at the worst, whichever that is. */
static void the_first_row_is_the_first(void **state)
{
    (void)state;
    struct top_model model = {0};
    struct top_view view = {0};
    struct peer peers[COUNT(FIVE)];
    memcpy(peers, FIVE, sizeof peers);
    take(&model, peers + 3, 2, TICK_MS);
    top_view_follow(&view, &model);
    assert_string_equal(chosen(&view, &model), "nj-yuhua");
    take(&model, peers, COUNT(peers), TICK_MS);
    top_view_follow(&view, &model);
    assert_string_equal(chosen(&view, &model), "nj-qinhuai");
    top_view_key(&view, &model, TOP_KEY_ENTER); /* of this one he reads */
    peers[0].state = "refused";
    peers[0].since_ms = NOW_MS;
    take(&model, peers, COUNT(peers), TICK_MS);
    top_view_follow(&view, &model);
    assert_string_equal(chosen(&view, &model), "nj-qinhuai");
    assert_int_equal(view.page, TOP_PAGE_PEER);
    top_model_fini(&model);
}

/* Two sessions of one node: one history, and no row that cannot be left. */
static void rows_of_one_node_are_passed(void **state)
{
    (void)state;
    static const struct peer SAME[] = {{.id = "nj-gulou"}, {"nj-gulou", .state = "twin"}, {.id = "nj-xuanwu"}};
    struct top_model model = {0};
    struct top_view view = {0};
    take(&model, SAME, COUNT(SAME), TICK_MS);
    assert_int_equal(model.history_count, 2);
    for (size_t i = 0; i < 2; i++) {
        press(&view, &model, "j");
        take(&model, SAME, COUNT(SAME), TICK_MS);
        top_view_follow(&view, &model);
        assert_int_equal(view.at, i + 1);
    }
    top_model_fini(&model);
}

static void keys_move_within_the_rows(void **state)
{
    (void)state;
    struct top_model model = {0};
    struct top_view view = {.rows = 3};
    take(&model, FIVE, COUNT(FIVE), TICK_MS);
    static const struct {
        uint32_t key;
        size_t at;
    } CASES[] = {{TOP_KEY_UP, 0}, {TOP_KEY_PAGE_DOWN, 2}, {TOP_KEY_PAGE_DOWN, 4}, {TOP_KEY_DOWN, 4},
                 {'k', 3},        {TOP_KEY_PAGE_UP, 1},   {TOP_KEY_END, 4},       {TOP_KEY_HOME, 0}};
    for (size_t i = 0; i < COUNT(CASES); i++) {
        top_view_key(&view, &model, CASES[i].key);
        assert_int_equal(view.at, CASES[i].at);
    }
    press(&view, &model, "q");
    assert_true(view.done);
    top_model_fini(&model);
}

static void the_order_is_chosen_from_a_menu(void **state)
{
    (void)state;
    struct top_model model = {0};
    struct top_view view = {0};
    take(&model, FIVE, COUNT(FIVE), TICK_MS);
    press(&view, &model, "on");
    assert_int_equal(model.order, TOP_ORDER_PEER);
    assert_int_equal(view.page, TOP_PAGE_LIST);
    press(&view, &model, "o");
    top_view_key(&view, &model, TOP_KEY_DOWN);
    top_view_key(&view, &model, TOP_KEY_ENTER);
    assert_int_equal(model.order, TOP_ORDER_STATE);
    press(&view, &model, "o");
    top_view_key(&view, &model, TOP_KEY_DOWN);
    top_view_key(&view, &model, TOP_KEY_ESCAPE);
    assert_int_equal(model.order, TOP_ORDER_STATE);
    press(&view, &model, ">");
    assert_int_equal(model.order, TOP_ORDER_SINCE);
    press(&view, &model, "<<<<");
    assert_int_equal(model.order, TOP_ORDER_COUNT - 1);
    press(&view, &model, "r");
    assert_true(model.reverse);
    press(&view, &model, ">");
    assert_false(model.reverse);
    for (size_t i = 0; i < TOP_ORDER_COUNT; i++) { /* a letter chooses one, and none that moves */
        assert_null(strchr("jkgGq", TOP_ORDER_NAMES[i].letter));
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(TOP_ORDER_NAMES[i].letter, TOP_ORDER_NAMES[k].letter);
    }
    top_model_fini(&model);
}

/* ---- what was ---- */

static void lag_is_remembered_for_five_minutes(void **state)
{
    (void)state;
    struct top_model model = {0};
    struct peer peer = {"nj-gulou", .out_ops = 2, .in_ops = 1};
    uint32_t lag[TOP_SAMPLES + 2];
    take(&model, &peer, 1, TICK_MS);
    peer.out_ops = 40;
    take(&model, &peer, 1, TICK_MS + 2000);
    peer.out_ops = 5; /* the greatest counts */
    take(&model, &peer, 1, TICK_MS + 4000);
    peer.out_ops = 6;
    take(&model, &peer, 1, TICK_MS + 15000);
    peer.state = "down";
    take(&model, &peer, 1, TICK_MS + 20000);
    top_model_lag(&model, &model.rows[0], lag, COUNT(lag));
    const uint32_t wanted[] = {TOP_NOT_SEEN, 41, TOP_NOT_SEEN, TOP_NOT_SEEN, 7, TOP_NO_LINK};
    for (size_t i = 0; i < COUNT(wanted); i++)
        assert_int_equal(lag[COUNT(lag) - COUNT(wanted) + i], wanted[i]);
    assert_int_equal(lag[0], TOP_NOT_SEEN);

    const struct peer other = {.id = "nj-xuanwu"};
    take(&model, &other, 1, TICK_MS + 20000 + (TOP_SAMPLES - 2) * TOP_SAMPLE_MS);
    assert_int_equal(model.history_count, 2);
    take(&model, &other, 1, TICK_MS + 20000 + TOP_SAMPLES * TOP_SAMPLE_MS);
    assert_int_equal(model.history_count, 1); /* nothing is kept of who is gone */
    top_model_fini(&model);
}

static void sparks_have_a_character_a_sample(void **state)
{
    (void)state;
    char text[TOP_SPARK_BYTES(6)];
    const uint32_t lag[] = {TOP_NOT_SEEN, TOP_NO_LINK, 0, 1, 300, 1000000};
    assert_string_equal(top_spark(lag, 6, true, text), " \u00b7\u2581\u2582\u2585\u2588");
    assert_string_equal(top_spark(lag, 6, false, text), " x_.=#");
    const uint32_t small[] = {0, 0, 1, 0, 2, 0}; /* three operations are no mountain */
    assert_string_equal(top_spark(small, 6, false, text), "__:_-_");
    const uint32_t most[] = {TOP_LAG_MAX, 0, 0, 0, 0, 0};
    assert_string_equal(top_spark(most, 6, false, text), "#_____");
}

static void numbers_are_short(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        const char *text;
    } CASES[] = {{0, "0"},
                 {1234567, "1234567"},
                 {9999999, "9999999"},
                 {10000000, "10.0M"},
                 {12345678, "12.3M"},
                 {999960000, "1.0G"},
                 {UINT64_MAX, "18.4E"}};
    static const struct {
        double value;
        const char *text;
    } RATES[] = {{-1, "0.0"},  {0, "0.0"},       {0.44, "0.4"},    {9.96, "10"},
                 {38.2, "38"}, {9999.4, "9999"}, {12345, "12.3k"}, {1e300, "?"}};
    char text[TOP_NUMBER_BYTES];
    for (size_t i = 0; i < COUNT(CASES); i++)
        assert_string_equal(top_number(CASES[i].value, text), CASES[i].text);
    for (size_t i = 0; i < COUNT(RATES); i++)
        assert_string_equal(top_rate(RATES[i].value, text), RATES[i].text);
}

/* ---- frames ---- */

static void check_frame(const struct top_frame *frame)
{
    assert_true(frame->count <= frame->height);
    for (size_t i = 0; i < frame->count; i++) {
        const struct top_line *line = &frame->lines[i];
        size_t bytes = 0;
        assert_int_equal(strlen(line->text), line->bytes);
        assert_true(hs_text_valid(HS_BYTES(line->text, line->bytes)));
        assert_int_equal(cli_width(line->text), line->width);
        assert_true(line->width <= frame->width);
        for (size_t s = 0; s < line->span_count; s++)
            bytes += line->spans[s].bytes;
        assert_int_equal(bytes, line->bytes);
        for (const char *at = line->text; !frame->utf8 && *at != '\0'; at++)
            assert_true((uint8_t)*at >= 0x20 && (uint8_t)*at < 0x7f);
    }
}

/* What a peer could say at worst. */
static void fill_widely(struct top_model *model)
{
    Hallsync__PeerStatus *peer = model->reply->status->peers[1];
    free(peer->address);
    peer->address = copy("tcp://\xff\x1b[2J:1");
    peer->why = copy(
        "\u533a\u57df\u533a\u57df \x1b]0;x\a and a long sentence that does not stand on one line of a narrow terminal");
    peer->version = copy("\u7248\u672c\u7248\u672c\u7248\u672c\u7248\u672c\u7248\u672c");
    peer->has_out_ops_per_s = peer->has_in_ops_per_s = peer->has_caught_up_ms = peer->has_equal_as_of_ms = true;
    peer->out_ops_per_s = 1e17;
    peer->in_ops_per_s = 12345.6;
    peer->out_bytes_per_s = 1e17;
    peer->caught_up_ms = UINT64_MAX;
    peer->equal_as_of_ms = 1;
    peer->lag_out_ops = peer->lag_in_ops = peer->lag_out_seconds = peer->lag_out_bytes = UINT64_MAX;
    peer->conflicts = UINT64_MAX / 2;
    peer->disk_days = 1e300;
    peer->has_disk_days = peer->has_disk_free_bytes = peer->has_backup_ms = peer->has_self_ms = true;
    peer->has_round_trip_ms = peer->has_clock_offset_ms = true;
    peer->clock_offset_ms = INT64_MIN;
    peer->filling = peer->supplying = UINT32_MAX;
    peer->districts = calloc(100, sizeof *peer->districts);
    assert_non_null(peer->districts);
    for (peer->n_districts = 0; peer->n_districts < 100; peer->n_districts++)
        peer->districts[peer->n_districts] = 3201;
}

static void no_line_is_wider_than_the_terminal(void **state)
{
    (void)state;
    struct top_model model = {0};
    struct top_view view = {0};
    struct top_frame frame = {0};
    struct peer peers[COUNT(FIVE)];
    memcpy(peers, FIVE, sizeof peers);
    peers[0].id = "nj-of-thirty-two-characters-long";
    take(&model, peers, COUNT(peers), TICK_MS);
    fill_widely(&model);
    top_model_arrange(&model);
    for (size_t width = 1; width < 170; width++) {
        for (enum top_page page = TOP_PAGE_LIST; page <= TOP_PAGE_HELP; page++) {
            for (size_t at = 0; at < 6; at++) {
                view.page = page;
                view.at = at % 5;
                view.scroll = at;
                snprintf(model.error, sizeof model.error, "%s",
                         at == 5 ? "\u6ca1\u6709 such file, \xc3( and more" : "");
                view.typing = at == 5;
                assert_true(top_frame_begin(&frame, width, 3 + (width * 7 + at) % 40, (width + at) % 2 == 0));
                top_draw(&view, &model, &LOOK, &frame);
                check_frame(&frame);
            }
        }
    }
    top_frame_fini(&frame);
    top_model_fini(&model);
}

static const char *line_with(const struct top_frame *frame, const char *text)
{
    for (size_t i = 0; i < frame->count; i++) {
        if (strstr(frame->lines[i].text, text) != NULL)
            return frame->lines[i].text;
    }
    return "";
}

static void draw(struct top_view *view, const struct top_model *model, size_t width, size_t height,
                 struct top_frame *frame)
{
    assert_true(top_frame_begin(frame, width, height, true));
    top_draw(view, model, &LOOK, frame);
    check_frame(frame);
}

static void columns_fall_away_by_their_rank(void **state)
{
    (void)state;
    static const struct {
        size_t width;
        const char *titles;
    } CASES[] = {
        {80, "peer        role  state     for  cause      to send  oldest  to come  lag 50 s  "},
        {77, "peer        state     for  cause      to send  oldest  to come  lag 65 s     "},
        {71, "peer        state     for  cause      to send  oldest  to come         "},
        {52, "peer        state     for  cause      to send       "},
        {30, "peer        state     for     "},
        {16, "peer            "},
    };
    struct top_model model = {0};
    struct top_view view = {0};
    struct top_frame frame = {0};
    take(&model, FIVE, COUNT(FIVE), TICK_MS);
    for (size_t i = 0; i < COUNT(CASES); i++) {
        draw(&view, &model, CASES[i].width, 24, &frame);
        assert_string_equal(line_with(&frame, "peer"), CASES[i].titles);
        assert_int_equal(frame.count, 24);
    }
    draw(&view, &model, 200, 24, &frame);
    assert_non_null(strstr(line_with(&frame, "peer"), "role"));
    top_frame_fini(&frame);
    top_model_fini(&model);
}

static void the_frame_says_what_is_to_be_seen(void **state)
{
    (void)state;
    struct top_model model = {.asked_ms = NOW_MS};
    struct top_view view = {0};
    struct top_frame frame = {0};
    draw(&view, &model, 80, 24, &frame);
    assert_string_not_equal(line_with(&frame, "asking the node"), "");
    top_model_miss(&model, "no such file");
    draw(&view, &model, 80, 24, &frame);
    assert_string_not_equal(line_with(&frame, "node does not answer since"), "");

    take(&model, FIVE, COUNT(FIVE), TICK_MS);
    draw(&view, &model, 80, 24, &frame);
    assert_string_equal(line_with(&frame, "does not answer"), "");
    assert_string_not_equal(line_with(&frame, "hub of \u5357\u4eac\u5e02"), "");
    assert_string_not_equal(
        line_with(&frame, "3 live   2 behind   2 away   to look at: 3 conflicts   disk 81.9 GB free"), "");
    assert_non_null(strstr(line_with(&frame, "nj-jianye"), "   5000    70 s"));
    assert_non_null(strstr(line_with(&frame, "nj-qinhuai"), "down"));
    Hallsync__LaneStatus lane = HALLSYNC__LANE_STATUS__INIT, *lanes[] = {&lane};
    lane.out_ops = 12;
    model.reply->status->waiting = lanes;
    model.reply->status->n_waiting = 1;
    draw(&view, &model, 80, 24, &frame);
    assert_string_not_equal(line_with(&frame, "2 away   12 not handed in   to look at"), "");
    model.reply->status->waiting = NULL; /* ours */
    model.reply->status->n_waiting = 0;
    press(&view, &model, "/nobody");
    draw(&view, &model, 80, 24, &frame);
    assert_string_not_equal(line_with(&frame, "none of them fits"), "");
    assert_string_not_equal(line_with(&frame, "filter: nobody_"), "");
    top_frame_fini(&frame);
    top_model_fini(&model);
}

static void many_rows_scroll(void **state)
{
    (void)state;
    struct peer peers[100];
    char ids[100][16];
    struct top_model model = {.order = TOP_ORDER_PEER};
    struct top_view view = {0};
    struct top_frame frame = {0};
    for (size_t i = 0; i < COUNT(peers); i++) {
        snprintf(ids[i], sizeof ids[i], "hall-%03zu", i);
        peers[i] = (struct peer){.id = ids[i]};
    }
    take(&model, peers, COUNT(peers), TICK_MS);
    draw(&view, &model, 80, 24, &frame);
    assert_int_equal(view.rows, 19);
    assert_string_not_equal(line_with(&frame, "1-19 of 100"), "");
    top_view_key(&view, &model, TOP_KEY_END);
    draw(&view, &model, 80, 24, &frame);
    assert_string_not_equal(line_with(&frame, "82-100 of 100"), "");
    assert_string_not_equal(line_with(&frame, "hall-099"), "");
    draw(&view, &model, 80, 50, &frame); /* a larger terminal is filled */
    assert_string_not_equal(line_with(&frame, "56-100 of 100"), "");
    draw(&view, &model, 80, 6, &frame);
    assert_string_not_equal(line_with(&frame, "hall-099"), "");
    top_frame_fini(&frame);
    top_model_fini(&model);
}

static void a_page_about_one_peer(void **state)
{
    (void)state;
    struct top_model model = {0};
    struct top_view view = {0};
    struct top_frame frame = {0};
    take(&model, FIVE, COUNT(FIVE), TICK_MS);
    press(&view, &model, "/jianye");
    top_view_key(&view, &model, TOP_KEY_ENTER);
    top_view_key(&view, &model, TOP_KEY_ENTER);
    draw(&view, &model, 80, 24, &frame);
    assert_string_not_equal(line_with(&frame, "5000 operations, the oldest waits for 70 s"), "");
    assert_string_not_equal(line_with(&frame, "live for 60 s"), "");
    draw(&view, &model, 80, 10, &frame); /* it does not stand on it: it scrolls, and no further than its end */
    assert_string_equal(line_with(&frame, "districts"), "");
    for (size_t i = 0; i < 100; i++)
        top_view_key(&view, &model, TOP_KEY_DOWN);
    draw(&view, &model, 80, 10, &frame);
    assert_string_not_equal(line_with(&frame, "districts"), "");
    press(&view, &model, "q"); /* back to the list, and no further */
    assert_int_equal(view.page, TOP_PAGE_LIST);
    assert_false(view.done);
    top_frame_fini(&frame);
    top_model_fini(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worst_come_first),
        cmocka_unit_test(every_column_orders),
        cmocka_unit_test(rows_are_filtered),
        cmocka_unit_test(a_filter_takes_chinese_and_gives_whole_characters_back),
        cmocka_unit_test(the_chosen_row_stays_chosen),
        cmocka_unit_test(the_first_row_is_the_first),
        cmocka_unit_test(rows_of_one_node_are_passed),
        cmocka_unit_test(keys_move_within_the_rows),
        cmocka_unit_test(the_order_is_chosen_from_a_menu),
        cmocka_unit_test(lag_is_remembered_for_five_minutes),
        cmocka_unit_test(sparks_have_a_character_a_sample),
        cmocka_unit_test(numbers_are_short),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
        cmocka_unit_test(columns_fall_away_by_their_rank),
        cmocka_unit_test(the_frame_says_what_is_to_be_seen),
        cmocka_unit_test(many_rows_scroll),
        cmocka_unit_test(a_page_about_one_peer),
    };
    return cmocka_run_group_tests_name("top", tests, NULL, NULL);
}
