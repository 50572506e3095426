/* top_pages.h -- the parts of a screen of `top`; top_draw() in top_view.h puts them together. */
#ifndef HS_CLI_TOP_PAGES_H
#define HS_CLI_TOP_PAGES_H

#include "node/cli/top_view.h"

/* Three lines: who the node is, its sums, what is shown or why it does not answer. */
void top_draw_node(const struct top_view *view, const struct top_model *model, const struct top_look *look,
                   struct top_frame *frame);

/* Pages below these, with their line of keys. */
void top_draw_peer(struct top_view *view, const struct top_model *model, const struct top_look *look,
                   struct top_frame *frame);
void top_draw_order(struct top_view *view, const struct top_model *model, struct top_frame *frame);
void top_draw_help(struct top_view *view, const struct top_look *look, struct top_frame *frame);

/* A moment that is not far away: "16:40" of today, "11-24" of another day. */
#define TOP_MOMENT_BYTES 16
const char *top_moment(const struct top_look *look, uint64_t ms, char text[static TOP_MOMENT_BYTES]);

const char *top_scarce(const char *level); /* of room on a disk; NULL: there is plenty */

#endif
