#include "node/service/survey.h"

#include "node/service/day_books.h"
#include "node/service/look.h"
#include "node/service/tickets.h"

#include "proto/msg/tlv.h"

#include <string.h>

enum { TICKET_DUE = 11 };

static bool is_stopped(const struct hs_survey *survey)
{
    return survey->stop != NULL && atomic_load(survey->stop);
}

/* ---- the books ---- */

static void count_book(const char *books, struct hs_books_count *count)
{
    count->days++;
    if (strcmp(books, "agrees") == 0)
        count->agree++;
    else if (strcmp(books, "differs") == 0)
        count->differ++;
    else if (strcmp(books, "open") == 0)
        count->open++;
    else
        count->waiting++;
}

static enum hs_err add_hall(struct hs_day_books *books, struct hs_books_count *count)
{
    Hallsync__Book book;
    hs_arena_reset(books->arena);
    enum hs_err err = hs_day_books_read(books);
    if (err != HS_OK || (books->closes == NULL && books->book.count == 0))
        return err;
    err = hs_day_books_fill(books, false, 0, &book);
    if (err == HS_OK)
        count_book(book.books, count);
    return err;
}

enum hs_err hs_survey_books(const struct hs_survey *survey, uint32_t date, struct hs_books_count *count)
{
    struct hs_arena arena, halls_arena;
    struct hs_halls halls = {.arena = &halls_arena};
    struct hs_day_books books = {.view = survey->view, .arena = &arena, .day = {.date = date}};
    *count = (struct hs_books_count){0};
    hs_arena_init(&arena, 0);
    hs_arena_init(&halls_arena, 0);
    enum hs_err err = hs_halls_read(survey->view, &halls);
    count->more = halls.count > HS_SURVEY_HALLS_MAX;
    for (size_t i = 0; i < halls.count && i < HS_SURVEY_HALLS_MAX && err == HS_OK; i++) {
        if (i > 0 && hs_hall_compare(&halls.list[i - 1], &halls.list[i]) == 0)
            continue; /* one that was made anew has several certificates */
        books.day.node = halls.list[i].id;
        books.day.home = halls.list[i].home;
        err = is_stopped(survey) ? HS_ESTOPPING : add_hall(&books, count);
    }
    hs_arena_fini(&halls_arena);
    hs_arena_fini(&arena);
    return err;
}

/* ---- tickets that are late ---- */

struct late {
    const struct hs_survey *survey;
    struct hs_look look;
    uint64_t now_ms, looked, count;
};

/* The head alone says of most that they are not late: waiting for the customer only puts it off. */
static enum hs_err is_late(struct late *late, const struct hs_stored *stored, bool *answer)
{
    struct hs_ticket_events events;
    struct hs_ticket_fold fold;
    struct hs_bytes head;
    *answer = false;
    enum hs_err err = hs_look_message(&late->look, stored, &head);
    uint64_t due_ms = err == HS_OK ? hs_tlv_u64(head, TICKET_DUE, 0) : 0;
    if (due_ms == 0 || due_ms >= late->now_ms)
        return err;
    err = hs_ticket_gather(&late->look, &stored->name, late->look.arena, &events);
    if (err != HS_OK)
        return err;
    struct hs_ticket_terms terms = hs_ticket_terms(head);
    hs_ticket_fold(&terms, events.list, events.count, &fold);
    *answer = hs_ticket_is_open(fold.state) && hs_ticket_due_ms(&fold, due_ms, late->now_ms) < late->now_ms;
    return HS_OK;
}

/* One that cannot be read is told elsewhere, and not late here. */
static enum hs_err look_at(void *ctx, const struct hs_stored *stored)
{
    struct late *late = ctx;
    bool answer;
    if (is_stopped(late->survey))
        return HS_ESTOPPING;
    if (late->looked++ == HS_SURVEY_TICKETS_MAX)
        return HS_EEXISTS;
    hs_arena_reset(late->look.arena);
    if (is_late(late, stored, &answer) == HS_OK)
        late->count += answer;
    return HS_OK;
}

enum hs_err hs_survey_overdue(const struct hs_survey *survey, uint64_t now_ms, uint64_t *count)
{
    const struct hs_kind *tickets = hs_kind_by_number(HS_KIND_TICKET);
    struct hs_arena arena;
    struct hs_desk desk = {.options = {.store = survey->store, .utc_offset_minutes = survey->utc_offset_minutes}};
    struct late late = {
        .survey = survey, .look = {.desk = &desk, .view = survey->view, .arena = &arena}, .now_ms = now_ms};
    enum hs_err err = HS_OK;
    hs_arena_init(&arena, 0);
    for (enum hs_ticket_state state = HS_TICKET_OPEN; state < HS_TICKET_STATE_COUNT && err == HS_OK; state++) {
        const char *text = hs_ticket_state_text(state);
        if (hs_ticket_is_open(state))
            err = hs_view_index(survey->view, HS_KIND_TICKET, hs_kind_index(tickets, "state")->number,
                                HS_BYTES(text, strlen(text)), HS_BYTES_NONE, look_at, &late);
    }
    hs_arena_fini(&arena);
    *count = late.count;
    return err == HS_EEXISTS ? HS_OK : err;
}

uint64_t hs_conflict_count(struct hs_view *view)
{
    return hs_view_list_count(view, HS_LIST_FIELD) + hs_view_list_count(view, HS_LIST_FACT) +
           hs_view_list_count(view, HS_LIST_OVER_REVERSED) + hs_view_list_count(view, HS_LIST_DOUBLE_ENTRY) +
           hs_view_list_count(view, HS_LIST_EVENT) + hs_view_list_count(view, HS_LIST_TOPUP_TWICE) +
           hs_view_list_count(view, HS_LIST_NOT_OWNER) + hs_view_list_count(view, HS_LIST_SETTLED_TWICE);
}
