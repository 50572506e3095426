#include "node/cli/top_view.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- the chosen row ---- */

static bool is_at(const struct top_model *model, size_t at, const char *key)
{
    return at < model->shown_count && strcmp(model->rows[model->shown[at]].key, key) == 0;
}

static void choose(struct top_view *view, const struct top_model *model, size_t at)
{
    size_t last = model->shown_count > 0 ? model->shown_count - 1 : 0;
    view->at = at < last ? at : last;
    const struct top_row *row = top_view_row(view, model);
    snprintf(view->chosen, sizeof view->chosen, "%s", row != NULL && view->at > 0 ? row->key : "");
}

const struct top_row *top_view_row(const struct top_view *view, const struct top_model *model)
{
    return view->at < model->shown_count ? &model->rows[model->shown[view->at]] : NULL;
}

/* Two rows may be of one node: the nearer one. */
void top_view_follow(struct top_view *view, const struct top_model *model)
{
    for (size_t off = 0; view->chosen[0] != '\0' && off < model->shown_count + view->at; off++) {
        if (is_at(model, view->at + off, view->chosen)) {
            view->at += off;
            return;
        }
        if (off <= view->at && is_at(model, view->at - off, view->chosen)) {
            view->at -= off;
            return;
        }
    }
    if (view->page == TOP_PAGE_PEER) /* what was read about is gone */
        view->page = TOP_PAGE_LIST;
    choose(view, model, view->at);
}

/* ---- keys ---- */

static void arrange(struct top_view *view, struct top_model *model)
{
    top_model_arrange(model);
    top_view_follow(view, model);
}

/* To the top: who orders anew wants to see what is first. */
static void order_by(struct top_view *view, struct top_model *model, size_t order)
{
    model->order = (enum top_order)(order % TOP_ORDER_COUNT);
    model->reverse = false;
    top_model_arrange(model);
    choose(view, model, 0);
}

/* By one, a page or to an end, in 0..@last. */
static size_t moved(size_t at, size_t last, size_t page, uint32_t key)
{
    page = page > 1 ? page - 1 : 1;
    switch (key) {
    case TOP_KEY_UP:
    case 'k':
        return at > 0 ? at - 1 : 0;
    case TOP_KEY_DOWN:
    case 'j':
        return at < last ? at + 1 : last;
    case TOP_KEY_PAGE_UP:
        return at > page ? at - page : 0;
    case TOP_KEY_PAGE_DOWN:
    case ' ':
        return at + page < last ? at + page : last;
    case TOP_KEY_HOME:
    case 'g':
        return 0;
    case TOP_KEY_END:
    case 'G':
        return last;
    default:
        return at;
    }
}

/* A character of a filter, at the end of it. */
static void type(char *filter, uint32_t key)
{
    char bytes[5] = "";
    size_t used = strlen(filter);
    if (key < 0x20 || key == 0x7f || key >= 0x110000)
        return;
    if (key < 0x80)
        bytes[0] = (char)key;
    else if (key < 0x800)
        snprintf(bytes, sizeof bytes, "%c%c", (int)(0xc0 | key >> 6), (int)(0x80 | (key & 0x3f)));
    else if (key < 0x10000)
        snprintf(bytes, sizeof bytes, "%c%c%c", (int)(0xe0 | key >> 12), (int)(0x80 | (key >> 6 & 0x3f)),
                 (int)(0x80 | (key & 0x3f)));
    else
        snprintf(bytes, sizeof bytes, "%c%c%c%c", (int)(0xf0 | key >> 18), (int)(0x80 | (key >> 12 & 0x3f)),
                 (int)(0x80 | (key >> 6 & 0x3f)), (int)(0x80 | (key & 0x3f)));
    if (used + strlen(bytes) < TOP_FILTER_MAX)
        memcpy(filter + used, bytes, strlen(bytes) + 1);
}

static void untype(char *filter)
{
    size_t used = strlen(filter);
    while (used > 0 && ((uint8_t)filter[used - 1] & 0xc0) == 0x80)
        used--;
    filter[used > 0 ? used - 1 : 0] = '\0';
}

static void key_typing(struct top_view *view, struct top_model *model, uint32_t key)
{
    if (key == TOP_KEY_ENTER || key == TOP_KEY_ESCAPE)
        view->typing = false;
    if (key == TOP_KEY_ESCAPE)
        memcpy(model->filter, view->before, sizeof model->filter);
    else if (key == TOP_KEY_BACKSPACE)
        untype(model->filter);
    else
        type(model->filter, key);
    arrange(view, model);
}

static void key_order(struct top_view *view, struct top_model *model, uint32_t key)
{
    bool taken = key == TOP_KEY_ENTER;
    for (size_t i = 0; i < TOP_ORDER_COUNT && !taken; i++) {
        taken = key == (uint32_t)TOP_ORDER_NAMES[i].letter;
        view->order = taken ? i : view->order;
    }
    if (taken)
        order_by(view, model, view->order);
    if (taken || key == TOP_KEY_ESCAPE || key == 'q')
        view->page = TOP_PAGE_LIST;
    else if (key != 'j' && key != 'k' && key != 'g' && key != 'G')
        view->order = moved(view->order, TOP_ORDER_COUNT - 1, view->rows, key);
}

/* A page about something else than all peers. */
static void key_page(struct top_view *view, uint32_t key)
{
    size_t last = view->page_lines > view->rows ? view->page_lines - view->rows : 0;
    if (key == TOP_KEY_ESCAPE || key == TOP_KEY_ENTER || key == 'q' || (view->page == TOP_PAGE_HELP && key == '?'))
        view->page = TOP_PAGE_LIST;
    else
        view->scroll = moved(view->scroll, last, view->rows, key);
}

static void open_page(struct top_view *view, const struct top_model *model, enum top_page page)
{
    view->page = page;
    view->scroll = 0;
    view->order = model->order;
}

static void key_list(struct top_view *view, struct top_model *model, uint32_t key)
{
    switch (key) {
    case 'q':
        view->done = true;
        break;
    case '?':
    case 'h':
        open_page(view, model, TOP_PAGE_HELP);
        break;
    case 'o':
        open_page(view, model, TOP_PAGE_ORDER);
        break;
    case TOP_KEY_ENTER:
        if (top_view_row(view, model) == NULL)
            break;
        snprintf(view->chosen, sizeof view->chosen, "%s", top_view_row(view, model)->key);
        open_page(view, model, TOP_PAGE_PEER);
        break;
    case '>':
        order_by(view, model, model->order + 1);
        break;
    case '<':
        order_by(view, model, model->order + TOP_ORDER_COUNT - 1);
        break;
    case 'r':
        model->reverse = !model->reverse;
        top_model_arrange(model);
        choose(view, model, 0);
        break;
    case 'b':
        model->behind_only = !model->behind_only;
        arrange(view, model);
        break;
    case '/':
        view->typing = true;
        memcpy(view->before, model->filter, sizeof view->before);
        break;
    case TOP_KEY_ESCAPE: /* back to all of them */
        model->filter[0] = '\0';
        model->behind_only = false;
        arrange(view, model);
        break;
    default:
        choose(view, model, moved(view->at, model->shown_count > 0 ? model->shown_count - 1 : 0, view->rows, key));
    }
}

void top_view_key(struct top_view *view, struct top_model *model, uint32_t key)
{
    if (view->typing)
        key_typing(view, model, key);
    else if (view->page == TOP_PAGE_LIST)
        key_list(view, model, key);
    else if (view->page == TOP_PAGE_ORDER)
        key_order(view, model, key);
    else
        key_page(view, key);
}
