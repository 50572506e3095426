/* The page with all peers: two lines about the node, one about what is shown, a table, and what keys there are. */
#include "node/cli/forms.h"
#include "node/cli/top_pages.h"
#include "proto/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define GAP       2
#define NUMBER    7 /* columns of a number */
#define AGE       6
#define SPARK_MIN 8
#define ABOVE     4 /* lines above the rows, and below */
#define BELOW     1

/* In the order in which they stand; those with the highest rank go first where there is little room. */
enum column {
    COLUMN_PEER,
    COLUMN_ROLE,
    COLUMN_STATE,
    COLUMN_FOR,
    COLUMN_CAUSE,
    COLUMN_OUT,
    COLUMN_OLDEST,
    COLUMN_IN,
    COLUMN_OUT_RATE,
    COLUMN_IN_RATE,
    COLUMN_CAUGHT_UP,
    COLUMN_EQUAL,
    COLUMN_LOOK,
    COLUMN_VERSION,
    COLUMN_LAG,
    COLUMN_COUNT
};

static const struct {
    const char *title;
    size_t least, most; /* columns that it takes; by what is in it, if they differ */
    bool right;
    unsigned rank;
} COLUMNS[COLUMN_COUNT] = {
    [COLUMN_PEER] = {"peer", 8, 32, false, 0},
    [COLUMN_ROLE] = {"role", 4, 7, false, 14},
    [COLUMN_STATE] = {"state", 5, 10, false, 1},
    [COLUMN_FOR] = {"for", AGE, AGE, true, 2},
    [COLUMN_CAUSE] = {"cause", 9, 24, false, 3},
    [COLUMN_OUT] = {"to send", NUMBER, NUMBER, true, 4},
    [COLUMN_OLDEST] = {"oldest", AGE, AGE, true, 5},
    [COLUMN_IN] = {"to come", NUMBER, NUMBER, true, 6},
    [COLUMN_OUT_RATE] = {"out/s", 5, 6, true, 10},
    [COLUMN_IN_RATE] = {"in/s", 5, 6, true, 11},
    [COLUMN_CAUGHT_UP] = {"caught up", 9, 9, true, 9},
    [COLUMN_EQUAL] = {"equal", AGE, AGE, true, 8},
    [COLUMN_LOOK] = {"look at", NUMBER, NUMBER, true, 12},
    [COLUMN_VERSION] = {"version", 7, 16, false, 13},
    [COLUMN_LAG] = {"lag", SPARK_MIN, TOP_SAMPLES, false, 7},
};

struct layout {
    size_t widths[COLUMN_COUNT]; /* 0: not shown */
};

/* ---- cells ---- */

#define CELL_BYTES (TOP_SPARK_BYTES(TOP_SAMPLES) + 64)

static uint64_t seconds_since(const struct top_look *look, uint64_t ms)
{
    return look->now_ms > ms ? (look->now_ms - ms) / 1000 : 0;
}

static void put_age(const struct top_look *look, uint64_t ms, char text[static CELL_BYTES])
{
    if (ms != 0)
        cli_age_text(seconds_since(look, ms), text);
}

/* Of a rate that is told: a hub of an older version tells none. */
static void put_rate(bool told, double rate, char text[static CELL_BYTES])
{
    if (told && rate > 0)
        top_rate(rate, text);
}

static void put_count(uint64_t count, char text[static CELL_BYTES])
{
    if (count != 0)
        top_number(count, text);
}

static void put_lag(const struct top_model *model, const struct top_row *row, size_t width, bool utf8,
                    char text[static CELL_BYTES])
{
    uint32_t lag[TOP_SAMPLES];
    width = width < TOP_SAMPLES ? width : TOP_SAMPLES;
    top_model_lag(model, row, lag, width);
    top_spark(lag, width, utf8, text);
}

static void number_cell(const Hallsync__PeerStatus *peer, const struct top_look *look, enum column column,
                        char text[static CELL_BYTES])
{
    switch (column) {
    case COLUMN_FOR:
        put_age(look, peer->has_since_ms ? peer->since_ms : peer->seen_ms, text);
        break;
    case COLUMN_OUT:
        put_count(peer->lag_out_ops, text);
        break;
    case COLUMN_OLDEST:
        if (peer->lag_out_ops != 0)
            cli_age_text(peer->lag_out_seconds, text);
        break;
    case COLUMN_IN:
        put_count(peer->lag_in_ops, text);
        break;
    case COLUMN_OUT_RATE:
        put_rate(peer->has_out_ops_per_s, peer->out_ops_per_s, text);
        break;
    case COLUMN_IN_RATE:
        put_rate(peer->has_in_ops_per_s, peer->in_ops_per_s, text);
        break;
    case COLUMN_CAUGHT_UP:
        if (peer->has_caught_up_ms)
            top_moment(look, peer->caught_up_ms, text);
        break;
    case COLUMN_EQUAL:
        put_age(look, peer->equal_as_of_ms, text);
        break;
    case COLUMN_LOOK:
        put_count(peer->conflicts + peer->parked, text);
        break;
    default:
        break;
    }
}

static void cell_text(const struct top_model *model, const struct top_row *row, const struct top_look *look,
                      enum column column, char text[static CELL_BYTES])
{
    const Hallsync__PeerStatus *peer = row->peer;
    text[0] = '\0';
    if (column == COLUMN_PEER)
        snprintf(text, CELL_BYTES, "%s", row->key);
    else if (column == COLUMN_ROLE)
        snprintf(text, CELL_BYTES, "%s", peer->role);
    else if (column == COLUMN_STATE)
        snprintf(text, CELL_BYTES, "%s", peer->state);
    else if (column == COLUMN_CAUSE)
        snprintf(text, CELL_BYTES, "%s", top_cause(row));
    else if (column == COLUMN_VERSION)
        snprintf(text, CELL_BYTES, "%s", peer->version != NULL ? peer->version : "");
    else
        number_cell(peer, look, column, text);
    (void)model;
}

/* ---- which columns, how wide ---- */

static void measure(const struct top_model *model, const struct top_look *look, struct layout *layout)
{
    char text[CELL_BYTES];
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        size_t width = COLUMNS[c].least;
        bool used = COLUMNS[c].rank < 8; /* others only where there is something in them */
        for (size_t i = 0; i < model->count && (!used || COLUMNS[c].most > width) && c != COLUMN_LAG; i++) {
            cell_text(model, &model->rows[i], look, (enum column)c, text);
            size_t wide = cli_width(text);
            used = used || wide > 0;
            width = wide > width ? wide : width;
        }
        size_t title = strlen(COLUMNS[c].title);
        width = width > COLUMNS[c].most ? COLUMNS[c].most : width;
        layout->widths[c] = !used ? 0 : width > title ? width : title;
    }
}

static size_t width_of(const struct layout *layout)
{
    size_t width = 0;
    for (size_t c = 0; c < COLUMN_COUNT; c++)
        width += layout->widths[c] == 0 ? 0 : layout->widths[c] + (width > 0 ? GAP : 0);
    return width;
}

static void lay_out(const struct top_model *model, const struct top_look *look, size_t room, struct layout *layout)
{
    measure(model, look, layout);
    for (unsigned rank = COLUMN_COUNT - 1; rank > 0 && width_of(layout) > room; rank--) {
        for (size_t c = 0; c < COLUMN_COUNT; c++) {
            if (COLUMNS[c].rank == rank)
                layout->widths[c] = 0;
        }
    }
    size_t width = width_of(layout);
    size_t *lag = &layout->widths[COLUMN_LAG];
    if (*lag != 0 && width < room)
        *lag += room - width < TOP_SAMPLES - *lag ? room - width : TOP_SAMPLES - *lag;
}

/* ---- the table ---- */

static void draw_titles(const struct layout *layout, struct top_frame *frame)
{
    struct top_line *line = top_frame_line(frame);
    char title[32];
    for (size_t c = 0; line != NULL && c < COLUMN_COUNT; c++) {
        if (layout->widths[c] == 0)
            continue;
        snprintf(title, sizeof title, "%s", COLUMNS[c].title);
        if (c == COLUMN_LAG)
            snprintf(title, sizeof title, layout->widths[c] < 14 ? "lag %zu s" : "lag, last %zu s",
                     layout->widths[c] * TOP_SAMPLE_MS / 1000);
        if (line->width > 0)
            top_pad(frame, line, TOP_TITLE, GAP);
        top_cell(frame, line, TOP_TITLE, layout->widths[c], COLUMNS[c].right, title);
    }
    if (line != NULL)
        top_pad(frame, line, TOP_TITLE, frame->width - line->width);
}

static enum top_style style_of(const struct top_row *row)
{
    static const enum top_style STYLES[] = {
        [HS_CAUSE_TROUBLE] = TOP_BAD, [HS_CAUSE_MOVING] = TOP_LATE, [HS_CAUSE_WELL] = TOP_PLAIN};
    return STYLES[hs_cause_row(row->cause)->sort];
}

static void draw_row(const struct top_model *model, const struct top_row *row, const struct top_look *look,
                     const struct layout *layout, bool chosen, struct top_frame *frame)
{
    struct top_line *line = top_frame_line(frame);
    char text[CELL_BYTES];
    for (size_t c = 0; line != NULL && c < COLUMN_COUNT; c++) {
        size_t width = layout->widths[c];
        enum top_style plain = chosen ? TOP_CHOSEN : TOP_PLAIN;
        bool marked = c == COLUMN_STATE || c == COLUMN_CAUSE;
        if (width == 0)
            continue;
        if (c == COLUMN_LAG)
            put_lag(model, row, width, frame->utf8, text);
        else
            cell_text(model, row, look, (enum column)c, text);
        if (line->width > 0)
            top_pad(frame, line, plain, GAP);
        top_cell(frame, line, marked && !chosen ? style_of(row) : plain, width, COLUMNS[c].right, text);
    }
    if (line != NULL && chosen)
        top_pad(frame, line, TOP_CHOSEN, frame->width - line->width);
}

static void draw_none(const struct top_model *model, struct top_frame *frame)
{
    const char *text = model->reply == NULL ? "asking the node ..."
                       : model->count == 0  ? "it is connected with nobody"
                                            : "none of them fits; Esc shows all";
    top_put_format(frame, top_frame_line(frame), TOP_PLAIN, "%s", text);
}

/* So that the chosen row is on the screen. */
static void scroll(struct top_view *view, const struct top_model *model, size_t height)
{
    view->rows = height > ABOVE + BELOW ? height - ABOVE - BELOW : 0;
    if (view->first > view->at)
        view->first = view->at;
    if (view->at >= view->first + view->rows)
        view->first = view->at + 1 - view->rows;
    if (view->first + view->rows > model->shown_count)
        view->first = model->shown_count > view->rows ? model->shown_count - view->rows : 0;
}

static void draw_rows(struct top_view *view, const struct top_model *model, const struct top_look *look,
                      struct top_frame *frame)
{
    struct layout layout = {0};
    lay_out(model, look, frame->width, &layout);
    draw_titles(&layout, frame);
    for (size_t i = view->first; i < model->shown_count && i < view->first + view->rows; i++)
        draw_row(model, &model->rows[model->shown[i]], look, &layout, i == view->at, frame);
    if (model->shown_count == 0)
        draw_none(model, frame);
}

/* ---- about the node ---- */

/* A piece that stands whole, or not at all. */
static void put_piece(const struct top_frame *frame, struct top_line *line, enum top_style style, const char *text)
{
    size_t width = cli_width(text);
    size_t gap = line != NULL && line->width > 0 ? 3 : 0;
    if (line == NULL || width == 0 || line->width + gap + width > frame->width)
        return;
    top_pad(frame, line, TOP_PLAIN, gap);
    top_put(frame, line, style, width, text);
}

static void draw_name(const struct top_model *model, const struct top_look *look, struct top_frame *frame)
{
    const Hallsync__StatusReply *status = model->reply->status;
    struct top_line *line = top_frame_line(frame);
    char clock[HS_TIME_TEXT_BYTES];
    char text[256];
    hs_time_text(status->clock_ms, look->utc_offset_minutes, clock);
    clock[10] = ' ';
    clock[19] = '\0';
    top_put(frame, line, TOP_STRONG, SIZE_MAX, status->node_id);
    snprintf(text, sizeof text, "%s of %s", status->role, status->region);
    put_piece(frame, line, TOP_PLAIN, text);
    snprintf(text, sizeof text, "hallsync %s", status->version);
    put_piece(frame, line, TOP_PLAIN, text);
    size_t width = strlen(clock);
    if (line != NULL && line->width + 2 + width <= frame->width) {
        top_pad(frame, line, TOP_PLAIN, frame->width - line->width - width);
        top_put(frame, line, TOP_PLAIN, width, clock);
    }
}

static void put_looks(const Hallsync__StatusReply *status, const struct top_frame *frame, struct top_line *line)
{
    const struct {
        uint64_t count;
        const char *name, *names;
    } ROWS[] = {
        {status->n_problems, "problem", "problems"},
        {status->stopped_streams + status->forks, "stopped stream", "stopped streams"},
        {status->conflicts, "conflict", "conflicts"},
        {status->parked, "parked", "parked"},
        {status->overpayments, "overpaid", "overpaid"},
    };
    char text[160] = "";
    size_t used = 0;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        if (ROWS[i].count != 0)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%" PRIu64 " %s",
                                     used == 0 ? "to look at: " : ", ", ROWS[i].count,
                                     ROWS[i].count == 1 ? ROWS[i].name : ROWS[i].names);
    }
    put_piece(frame, line, TOP_STRONG, text);
}

/* A hall's own, that only it has. */
static void put_waiting(const Hallsync__StatusReply *status, const struct top_frame *frame, struct top_line *line)
{
    char text[64];
    uint64_t ops = 0;
    for (size_t i = 0; i < status->n_waiting; i++)
        ops += status->waiting[i]->out_ops;
    snprintf(text, sizeof text, "%" PRIu64 " not handed in", ops);
    put_piece(frame, line, TOP_LATE, ops > 0 ? text : "");
}

static void draw_sums(const struct top_model *model, struct top_frame *frame)
{
    const Hallsync__StatusReply *status = model->reply->status;
    struct top_line *line = top_frame_line(frame);
    const char *level = top_scarce(status->disk_level);
    char text[128], bytes[CLI_BYTES_BYTES];
    snprintf(text, sizeof text, "%zu live", model->live);
    put_piece(frame, line, TOP_PLAIN, text);
    snprintf(text, sizeof text, "%zu behind", model->behind);
    put_piece(frame, line, model->behind > 0 ? TOP_LATE : TOP_PLAIN, text);
    snprintf(text, sizeof text, "%zu away", model->away);
    put_piece(frame, line, model->away > 0 ? TOP_BAD : TOP_PLAIN, text);
    put_waiting(status, frame, line);
    put_looks(status, frame, line);
    int used = snprintf(text, sizeof text, "disk %s%s%s free", level != NULL ? level : "", level != NULL ? ", " : "",
                        cli_bytes_text(status->disk_free_bytes, bytes));
    if (status->has_disk_days && status->disk_days < 3650)
        snprintf(text + used, sizeof text - (size_t)used, ", %.0f days", status->disk_days);
    put_piece(frame, line, level != NULL ? TOP_BAD : TOP_PLAIN, text);
}

static void draw_silence(const struct top_model *model, const struct top_look *look, struct top_frame *frame)
{
    char since[HS_TIME_TEXT_BYTES];
    hs_time_text(model->answered_ms != 0 ? model->answered_ms : model->asked_ms, look->utc_offset_minutes, since);
    since[19] = '\0';
    top_put_format(frame, top_frame_line(frame), TOP_BAD, "node does not answer since %s: %s", since + 11,
                   model->error);
}

static void draw_choice(const struct top_view *view, const struct top_model *model, struct top_frame *frame)
{
    struct top_line *line = top_frame_line(frame);
    char text[TOP_FILTER_MAX + 64];
    snprintf(text, sizeof text, "by %s%s", TOP_ORDER_NAMES[model->order].name, model->reverse ? ", reversed" : "");
    put_piece(frame, line, TOP_QUIET, text);
    snprintf(text, sizeof text, "filter: %s", model->filter);
    put_piece(frame, line, TOP_STRONG, model->filter[0] != '\0' ? text : "");
    put_piece(frame, line, TOP_STRONG, model->behind_only ? "only those behind" : "");
    snprintf(text, sizeof text, "%zu of %zu", model->shown_count, model->count);
    put_piece(frame, line, TOP_QUIET, model->shown_count < model->count ? text : "");
    if (view->page != TOP_PAGE_LIST || model->shown_count <= view->rows)
        return;
    size_t width = (size_t)snprintf(text, sizeof text, "%zu-%zu of %zu", view->first + 1, view->first + view->rows,
                                    model->shown_count);
    if (line != NULL && line->width + 2 + width <= frame->width) {
        top_pad(frame, line, TOP_PLAIN, frame->width - line->width - width);
        top_put(frame, line, TOP_QUIET, width, text);
    }
}

void top_draw_node(const struct top_view *view, const struct top_model *model, const struct top_look *look,
                   struct top_frame *frame)
{
    if (model->reply != NULL) {
        draw_name(model, look, frame);
        draw_sums(model, frame);
    } else {
        top_put(frame, top_frame_line(frame), TOP_STRONG, SIZE_MAX, "hallsync");
        top_frame_line(frame);
    }
    if (model->error[0] != '\0')
        draw_silence(model, look, frame);
    else
        draw_choice(view, model, frame);
}

/* ---- keys ---- */

static void draw_keys(const struct top_view *view, const struct top_model *model, struct top_frame *frame)
{
    static const char *const KEYS[][2] = {{"q", "quit"},  {"?", "help"},    {"/", "filter"},     {"b", "behind"},
                                          {"o", "order"}, {"r", "reverse"}, {"Enter", "details"}};
    struct top_line *line = top_frame_line(frame);
    if (view->typing) {
        top_put_format(frame, line, TOP_STRONG, "filter: %s_", model->filter);
        put_piece(frame, line, TOP_QUIET, "Enter keeps it, Esc takes it back");
        return;
    }
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        if (line != NULL && i > 0)
            top_pad(frame, line, TOP_PLAIN, 2);
        top_put_format(frame, line, TOP_STRONG, "%s", KEYS[i][0]);
        top_put_format(frame, line, TOP_QUIET, " %s", KEYS[i][1]);
    }
}

static void draw_list(struct top_view *view, const struct top_model *model, const struct top_look *look,
                      struct top_frame *frame)
{
    draw_rows(view, model, look, frame);
    while (frame->count + BELOW < frame->height)
        top_frame_line(frame);
    draw_keys(view, model, frame);
}

void top_draw(struct top_view *view, const struct top_model *model, const struct top_look *look,
              struct top_frame *frame)
{
    scroll(view, model, frame->height);
    top_draw_node(view, model, look, frame);
    if (view->page == TOP_PAGE_PEER && top_view_row(view, model) != NULL)
        top_draw_peer(view, model, look, frame);
    else if (view->page == TOP_PAGE_ORDER)
        top_draw_order(view, model, frame);
    else if (view->page == TOP_PAGE_HELP)
        top_draw_help(view, look, frame);
    else
        draw_list(view, model, look, frame);
}
