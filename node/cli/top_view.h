/* top_view.h -- how `top` is looked at: which page, which row is chosen, what keys do.  Pure. */
#ifndef HS_CLI_TOP_VIEW_H
#define HS_CLI_TOP_VIEW_H

#include "node/cli/top_frame.h"
#include "node/cli/top_model.h"

/* Keys that are no character; all others are Unicode's number of theirs. */
enum top_key {
    TOP_KEY_UP = 0x110000,
    TOP_KEY_DOWN,
    TOP_KEY_PAGE_UP,
    TOP_KEY_PAGE_DOWN,
    TOP_KEY_HOME,
    TOP_KEY_END,
    TOP_KEY_ENTER,
    TOP_KEY_ESCAPE,
    TOP_KEY_BACKSPACE,
    TOP_KEY_REDRAW, /* control-L: the terminal has forgotten what was on it */
};

enum top_page { TOP_PAGE_LIST, TOP_PAGE_PEER, TOP_PAGE_ORDER, TOP_PAGE_HELP };

struct top_view {
    enum top_page page;
    bool typing;                 /* a filter */
    char before[TOP_FILTER_MAX]; /* what it was */
    char chosen[TOP_KEY_BYTES];  /* key of the row; "": the first, whichever it is */
    size_t at;                   /* its place among those shown */
    size_t first;                /* the first one on the screen */
    size_t order;                /* chosen in the menu */
    size_t scroll;               /* of a page that is longer than the screen */
    size_t rows, page_lines;     /* on the screen, and of the whole page: as last drawn */
    bool done;
};

/* What a key does, to the order and filter of @model too, which is arranged then. */
void top_view_key(struct top_view *view, struct top_model *model, uint32_t key);
/* The rows have changed: stay with the one that was chosen. */
void top_view_follow(struct top_view *view, const struct top_model *model);
const struct top_row *top_view_row(const struct top_view *view, const struct top_model *model); /* NULL: none */

struct top_look {
    uint64_t now_ms; /* wall clock of this machine */
    uint64_t interval_ms;
    int utc_offset_minutes;
};

/* The whole screen, at the size that top_frame_begin() was given. */
void top_draw(struct top_view *view, const struct top_model *model, const struct top_look *look,
              struct top_frame *frame);

#endif
