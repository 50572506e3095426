/* The pages about one peer, about what to order by, and about the keys. */
#include "node/cli/top_pages.h"

#include "node/cli/forms.h"
#include "proto/base/names.h"
#include "proto/base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define INDENT          14
#define BELOW           2 /* an empty line and the keys */
#define DISTRICTS_SHOWN 12

const char *top_moment(const struct top_look *look, uint64_t ms, char text[static TOP_MOMENT_BYTES])
{
    char whole[HS_TIME_TEXT_BYTES];
    hs_time_text(ms, look->utc_offset_minutes, whole);
    bool today = hs_date_of(ms, look->utc_offset_minutes) == hs_date_of(look->now_ms, look->utc_offset_minutes);
    snprintf(text, TOP_MOMENT_BYTES, "%.5s", whole + (today ? 11 : 5));
    return text;
}

const char *top_scarce(const char *level)
{
    return level != NULL && strcmp(level, "plenty") != 0 ? level : NULL;
}

/* ---- a page that may be longer than the screen ---- */

struct sheet {
    struct top_view *view;
    struct top_frame *frame;
    const struct top_look *look;
    size_t lines; /* of it so far, seen or not */
};

static struct sheet sheet_begin(struct top_view *view, const struct top_look *look, struct top_frame *frame)
{
    top_frame_line(frame);
    view->rows = frame->height > frame->count + BELOW ? frame->height - frame->count - BELOW : 0;
    return (struct sheet){.view = view, .frame = frame, .look = look};
}

/* NULL: not on the screen. */
static struct top_line *sheet_line(struct sheet *sheet)
{
    size_t line = sheet->lines++;
    bool seen = line >= sheet->view->scroll && line < sheet->view->scroll + sheet->view->rows;
    return seen ? top_frame_line(sheet->frame) : NULL;
}

static void sheet_end(struct sheet *sheet, const char *keys)
{
    struct top_view *view = sheet->view;
    size_t last = sheet->lines > view->rows ? sheet->lines - view->rows : 0;
    view->page_lines = sheet->lines;
    view->scroll = view->scroll < last ? view->scroll : last;
    while (sheet->frame->count + 1 < sheet->frame->height)
        top_frame_line(sheet->frame);
    top_put_format(sheet->frame, top_frame_line(sheet->frame), TOP_QUIET, "%s%s", keys,
                   last > 0 ? "   Up/Down scroll" : "");
}

static void put_wrapped(struct sheet *sheet, const char *title, enum top_style style, const char *text)
{
    size_t room = sheet->frame->width > INDENT + 10 ? sheet->frame->width - INDENT : 10;
    char piece[TOP_LINE_BYTES];
    do {
        size_t size = cli_wrap(text, room);
        struct top_line *line = sheet_line(sheet);
        snprintf(piece, sizeof piece, "%.*s", (int)size, text);
        top_cell(sheet->frame, line, TOP_STRONG, INDENT, false, title);
        top_put(sheet->frame, line, style, SIZE_MAX, piece);
        text += size;
        title = "";
    } while (*text != '\0');
}

static void put_fact(struct sheet *sheet, const char *title, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void put_fact(struct sheet *sheet, const char *title, const char *format, ...)
{
    char text[TOP_LINE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (hs_text_valid(HS_BYTES(text, strlen(text))))
        put_wrapped(sheet, title, TOP_PLAIN, text);
    else /* of a message that is not what it should be: shown as it can be, on one line */
        top_put_format(sheet->frame, sheet_line(sheet), TOP_PLAIN, "%-*s%s", INDENT, title, text);
}

/* ---- one peer ---- */

static const char *age_of(const struct sheet *sheet, uint64_t ms, char text[static CLI_AGE_BYTES])
{
    uint64_t now = sheet->look->now_ms;
    return cli_age_text(now > ms ? (now - ms) / 1000 : 0, text);
}

static void put_state(struct sheet *sheet, const Hallsync__PeerStatus *peer)
{
    char age[CLI_AGE_BYTES], seen[CLI_AGE_BYTES];
    if (peer->has_since_ms)
        put_fact(sheet, "state", "%s for %s", peer->state, age_of(sheet, peer->since_ms, age));
    else if (peer->has_seen_ms)
        put_fact(sheet, "state", "%s, last seen %s ago", peer->state, age_of(sheet, peer->seen_ms, seen));
    else
        put_fact(sheet, "state", "%s", peer->state);
}

/* As hallsync why has it. */
static void put_why(struct sheet *sheet, const Hallsync__StatusReply *status, const Hallsync__PeerStatus *peer)
{
    struct hs_cause cause;
    struct hs_buf text = {0};
    hs_why_peer(status, peer, &cause);
    const struct hs_cause_row *row = hs_cause_row(cause.id);
    put_fact(sheet, "why", "%s: %s", row->name, row->en);
    for (size_t i = 0; i < cause.evidence_count; i++) {
        hs_buf_reset(&text);
        hs_evidence_put(&cause.evidence[i], HS_ENGLISH, sheet->look->utc_offset_minutes, &text);
        hs_buf_put_u8(&text, 0);
        put_fact(sheet, i == 0 ? "evidence" : "", "%s", text.err == HS_OK ? (const char *)text.data : "?");
    }
    hs_buf_fini(&text);
    if (row->sort == HS_CAUSE_WELL)
        return;
    put_fact(sheet, "next", "%s", row->next_en);
    put_wrapped(sheet, "", TOP_STRONG, cause.command);
}

static void put_way(struct sheet *sheet, const char *title, uint64_t ops, uint64_t bytes, uint64_t seconds,
                    double ops_per_s, double bytes_per_s)
{
    char text[256], size[CLI_BYTES_BYTES], age[CLI_AGE_BYTES], rate[TOP_NUMBER_BYTES];
    int used = ops == 0 ? snprintf(text, sizeof text, "nothing")
                        : snprintf(text, sizeof text, "%" PRIu64 " operation%s", ops, ops == 1 ? "" : "s");
    if (ops != 0 && bytes != 0)
        used += snprintf(text + used, sizeof text - (size_t)used, ", %s", cli_bytes_text(bytes, size));
    if (ops != 0)
        used += snprintf(text + used, sizeof text - (size_t)used, ", the oldest waits for %s",
                         cli_age_text(seconds, age));
    if (ops_per_s > 0)
        used += snprintf(text + used, sizeof text - (size_t)used, "; %s a second", top_rate(ops_per_s, rate));
    if (bytes_per_s >= 1 && bytes_per_s < 1e18)
        snprintf(text + used, sizeof text - (size_t)used, ", %s/s", cli_bytes_text((uint64_t)bytes_per_s, size));
    put_fact(sheet, title, "%s", text);
}

static void put_lanes(struct sheet *sheet, const Hallsync__PeerStatus *peer)
{
    const char *title = "lanes";
    char out[TOP_NUMBER_BYTES], in[TOP_NUMBER_BYTES], out_age[CLI_AGE_BYTES], in_age[CLI_AGE_BYTES];
    for (size_t i = 0; i < peer->n_lanes; i++) {
        const Hallsync__LaneStatus *lane = peer->lanes[i];
        if (lane->out_ops == 0 && lane->in_ops == 0)
            continue; /* it has moved, and nothing waits in it */
        struct top_line *line = sheet_line(sheet);
        top_cell(sheet->frame, line, TOP_STRONG, INDENT, false, title);
        title = "";
        top_cell(sheet->frame, line, TOP_PLAIN, 8, false, lane->lane);
        top_put_format(sheet->frame, line, TOP_PLAIN, "to send %7s  %-7s to come %7s  %-7s",
                       top_number(lane->out_ops, out),
                       lane->out_ops != 0 ? cli_age_text(lane->out_seconds, out_age) : "", top_number(lane->in_ops, in),
                       lane->in_ops != 0 && lane->has_in_seconds ? cli_age_text(lane->in_seconds, in_age) : "");
    }
}

static void put_waiting(struct sheet *sheet, const struct top_model *model, const struct top_row *row)
{
    const Hallsync__PeerStatus *peer = row->peer;
    char at[TOP_MOMENT_BYTES], spark[TOP_SPARK_BYTES(TOP_SAMPLES)];
    uint32_t lag[TOP_SAMPLES];
    put_way(sheet, "to send", peer->lag_out_ops, peer->lag_out_bytes, peer->lag_out_seconds, peer->out_ops_per_s,
            peer->out_bytes_per_s);
    put_way(sheet, "to come", peer->lag_in_ops, peer->lag_in_bytes, peer->lag_in_seconds, peer->in_ops_per_s,
            peer->in_bytes_per_s);
    put_lanes(sheet, peer);
    if (peer->has_caught_up_ms)
        put_fact(sheet, "caught up", "at %s, at this speed", top_moment(sheet->look, peer->caught_up_ms, at));
    if (peer->unsigned_ops != 0)
        put_fact(sheet, "unsigned", "%" PRIu64 " operations of this node that it has not signed for",
                 peer->unsigned_ops);
    size_t count = sheet->frame->width > INDENT + TOP_SAMPLES ? TOP_SAMPLES : TOP_SAMPLES / 2;
    top_model_lag(model, row, lag, count);
    put_fact(sheet, count == TOP_SAMPLES ? "lag, 5 min" : "lag, 150 s", "%s",
             top_spark(lag, count, sheet->frame->utf8, spark));
}

static void put_states(struct sheet *sheet, const Hallsync__PeerStatus *peer)
{
    char age[CLI_AGE_BYTES];
    if (peer->has_equal_as_of_ms)
        put_fact(sheet, "equal", "proven %s ago%s%s", age_of(sheet, peer->equal_as_of_ms, age),
                 peer->comparison != NULL ? "; the last comparison: " : "",
                 peer->comparison != NULL ? peer->comparison : "");
    if (peer->filling != 0)
        put_fact(sheet, "filling", "%" PRIu32 " lists of records come from it as states", peer->filling);
    if (peer->supplying != 0)
        put_fact(sheet, "supplying", "%" PRIu64 " of about %" PRIu64 " records are there", peer->supplied_records,
                 peer->supplied_total);
    if (peer->held)
        put_fact(sheet, "held", "it takes no people and no bulk now: it has little room left");
}

static void put_link(struct sheet *sheet, const Hallsync__PeerStatus *peer)
{
    char rate[CLI_BYTES_BYTES];
    if (peer->address != NULL)
        put_fact(sheet, "address", "%s%s%s", peer->address, peer->group != NULL ? ", of group " : "",
                 peer->group != NULL ? peer->group : "");
    if (peer->has_round_trip_ms)
        put_fact(sheet, "link", "round trip %" PRIu64 " ms; its clock is %" PRId64 " ms off", peer->round_trip_ms,
                 peer->clock_offset_ms);
    if (peer->has_rate_max || peer->limited_hours != NULL)
        put_fact(sheet, "limit", "%s%s%s", peer->has_rate_max ? cli_bytes_text(peer->rate_max, rate) : "none now",
                 peer->has_rate_max ? " a second" : "", peer->limited_hours != NULL ? ", in hours" : "");
}

static void put_self(struct sheet *sheet, const Hallsync__PeerStatus *peer)
{
    char bytes[CLI_BYTES_BYTES], age[CLI_AGE_BYTES], store[CLI_BYTES_BYTES];
    if (peer->version != NULL)
        put_fact(sheet, "version", "hallsync %s", peer->version);
    const char *level = top_scarce(peer->disk_level);
    if (peer->has_disk_free_bytes)
        put_fact(sheet, "its disk", "%s free%s%s; its store has %s", cli_bytes_text(peer->disk_free_bytes, bytes),
                 level != NULL ? ", " : "", level != NULL ? level : "", cli_bytes_text(peer->store_bytes, store));
    if (peer->has_disk_days)
        put_fact(sheet, "", "lasts %.0f days without a link", peer->disk_days);
    if (peer->has_backup_ms)
        put_fact(sheet, "its backup", "verified %s ago", age_of(sheet, peer->backup_ms, age));
    if (peer->conflicts + peer->parked + peer->problems != 0)
        put_fact(sheet, "to look at", "%" PRIu64 " conflicts, %" PRIu64 " parked, %" PRIu64 " problems",
                 peer->conflicts, peer->parked, peer->problems);
    if (peer->has_self_ms)
        put_fact(sheet, "", "(as it said %s ago)", age_of(sheet, peer->self_ms, age));
    if (peer->has_certificate_ms)
        put_fact(sheet, "certificate", "issued %s ago", age_of(sheet, peer->certificate_ms, age));
    if (peer->has_key_ms)
        put_fact(sheet, "key", "for %s", age_of(sheet, peer->key_ms, age));
}

static void put_districts(struct sheet *sheet, const Hallsync__PeerStatus *peer)
{
    char text[(DISTRICTS_SHOWN + 2) * 16] = "", one[HS_PARTITION_TEXT_BYTES];
    int used = 0;
    for (size_t i = 0; i < peer->n_districts && i < DISTRICTS_SHOWN; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%s", i == 0 ? "" : ", ",
                         hs_partition_text((hs_partition)peer->districts[i], one));
    if (peer->n_districts > DISTRICTS_SHOWN)
        snprintf(text + used, sizeof text - (size_t)used, " and %zu more", peer->n_districts - DISTRICTS_SHOWN);
    put_fact(sheet, "districts", "%s", peer->n_districts > 0 ? text : "all");
}

void top_draw_peer(struct top_view *view, const struct top_model *model, const struct top_look *look,
                   struct top_frame *frame)
{
    struct sheet sheet = sheet_begin(view, look, frame);
    const struct top_row *row = top_view_row(view, model);
    struct top_line *line = sheet_line(&sheet);
    top_put(frame, line, TOP_STRONG, SIZE_MAX, row->key);
    top_put_format(frame, line, TOP_PLAIN, "  %s", row->peer->role);
    put_state(&sheet, row->peer);
    put_why(&sheet, model->reply->status, row->peer);
    put_waiting(&sheet, model, row);
    put_states(&sheet, row->peer);
    put_link(&sheet, row->peer);
    put_self(&sheet, row->peer);
    put_districts(&sheet, row->peer);
    sheet_end(&sheet, "Esc back");
}

/* ---- what to order by ---- */

void top_draw_order(struct top_view *view, const struct top_model *model, struct top_frame *frame)
{
    struct sheet sheet = sheet_begin(view, NULL, frame);
    if (view->order < view->scroll || view->rows <= 1)
        view->scroll = view->order;
    else if (view->order + 2 > view->scroll + view->rows) /* the heading, too */
        view->scroll = view->order + 2 - view->rows;
    top_put(frame, sheet_line(&sheet), TOP_TITLE, SIZE_MAX, "order by");
    for (size_t i = 0; i < TOP_ORDER_COUNT; i++) {
        struct top_line *line = sheet_line(&sheet);
        enum top_style style = i == view->order ? TOP_CHOSEN : TOP_PLAIN;
        char letter[2] = {TOP_ORDER_NAMES[i].letter, '\0'};
        top_put_format(frame, line, style, "%s%s  ", i == model->order ? "* " : "  ", letter);
        top_cell(frame, line, style, 14, false, TOP_ORDER_NAMES[i].name);
        top_put_format(frame, line, i == view->order ? TOP_CHOSEN : TOP_QUIET, "  %s", TOP_ORDER_NAMES[i].first);
    }
    sheet_end(&sheet, "Enter, or the letter, takes it   Esc back");
}

/* ---- keys ---- */

void top_draw_help(struct top_view *view, const struct top_look *look, struct top_frame *frame)
{
    static const char *const KEYS[][2] = {
        {"Up Down j k", "the row before, the next one; PgUp, PgDn, Home, End by more"},
        {"Enter", "all about the chosen row: lanes, rates, why, what to do"},
        {"o", "choose what the rows are ordered by"},
        {"< >", "by what stands before it in that list, or behind it"},
        {"r", "reverse the order"},
        {"/", "only rows with this text: peer, role, state, cause, version, district"},
        {"b", "only those that are behind, or away"},
        {"Esc", "all of them again"},
        {"^L", "draw everything anew"},
        {"q", "end"},
    };
    struct sheet sheet = sheet_begin(view, look, frame);
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++)
        put_fact(&sheet, KEYS[i][0], "%s", KEYS[i][1]);
    sheet_line(&sheet);
    put_fact(&sheet, "to send", "operations that are here and not there; oldest: so long the first one has waited");
    put_fact(&sheet, "to come", "operations that it has and that are not here yet");
    put_fact(&sheet, "equal", "so long ago its records were proven to be the same as those here");
    put_fact(&sheet, "lag", "what waits both ways, five seconds a character, the newest to the right: %s",
             frame->utf8 ? "\u2581 nothing, \u2588 the most there was, \u00b7 no link"
                         : "_ nothing, # the most there was, x no link");
    put_fact(&sheet, "look at", "conflicts and parked records that a hall has told of");
    if (look != NULL)
        put_fact(&sheet, "", "asked anew each %.1f s", (double)look->interval_ms / 1000);
    sheet_end(&sheet, "Esc back");
}
