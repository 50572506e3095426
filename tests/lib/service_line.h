/* service_line.h -- a hall and a hub, each with its local API, and between them a line on which the hall asks about
 * records of districts that it does not hold: the test's own, in the place of replica and link. */
#ifndef HS_TESTS_SERVICE_LINE_H
#define HS_TESTS_SERVICE_LINE_H

#include "tests/unit/service_world.h"

#include <semaphore.h>
#include <stdatomic.h>

struct line {
    struct office hall, hub;
    struct client at_hall, at_hub;
    /* Set by the test, used by the hall's thread, and the other way round. */
    _Atomic enum hs_err err; /* what the line says; HS_OK: the hub answers */
    atomic_bool silent;      /* nothing ever comes back */
    atomic_bool garbled;     /* states that are none */
    atomic_uint questions, given_up;
    sem_t asked;                  /* posted by each question */
    struct hs_asked records[600]; /* of the answer being made */
    size_t count;
    struct hs_arena arena;
};

static inline enum hs_err line_keep(void *ctx, const struct hs_asked *asked)
{
    static const uint8_t NONSENSE[] = {7, 7, 7};
    struct line *line = ctx;
    size_t asked_for = 0;
    for (size_t i = 0; i < line->count; i++)
        asked_for += !line->records[i].beside;
    if (asked_for == HS_ANSWER_RECORDS_MAX && !asked->beside)
        return HS_EEXISTS;
    assert_true(line->count < sizeof line->records / sizeof *line->records);
    struct hs_asked *to = &line->records[line->count++];
    *to = *asked;
    to->stored.name.id = hs_arena_copy(&line->arena, asked->stored.name.id);
    to->stored.state = line->garbled ? HS_BYTES(NONSENSE, sizeof NONSENSE)
                                     : hs_arena_copy(&line->arena, asked->stored.state);
    return HS_OK;
}

/* With everything that the hub has answered its clients; its writer sees to that. */
static inline struct hs_view *line_hub_view(struct line *line)
{
    struct hs_view *view = NULL;
    struct hs_store *store = line->hub.node.store;
    assert_int_equal(hs_view_open(store, hs_store_position(store).commit, ANSWER_MS, &view), HS_OK);
    return view;
}

static inline void line_answer(struct line *line, uint64_t token, const struct hs_ask *ask)
{
    struct hs_view *view = line_hub_view(line);
    line->count = 0;
    hs_arena_init(&line->arena, 0);
    enum hs_err err = hs_view_ask(view, ask, line_keep, line);
    struct hs_answer answer = {.records = line->records,
                               .count = line->count,
                               .last = err != HS_EEXISTS,
                               .as_of_ms = 1795240800000,
                               .node = "nj-hub"};
    hs_service_answered(line->hall.service, token, err == HS_EEXISTS ? HS_OK : err, &answer);
    hs_view_close(view);
    hs_arena_fini(&line->arena);
}

static inline enum hs_err line_ask(void *ctx, uint64_t token, const struct hs_ask *ask)
{
    struct line *line = ctx;
    line->questions++;
    sem_post(&line->asked);
    if (line->silent)
        return HS_OK;
    if (line->err != HS_OK)
        hs_service_answered(line->hall.service, token, line->err, NULL);
    else
        line_answer(line, token, ask);
    return HS_OK;
}

static inline void line_ask_end(void *ctx, uint64_t token)
{
    struct line *line = ctx;
    (void)token;
    line->given_up++;
}

static inline void line_open(struct line *line)
{
    memset(line, 0, sizeof *line);
    assert_int_equal(sem_init(&line->asked, 0, 0), 0);
    office_make(&line->hub, HS_ROLE_HUB, NULL);
    line->hub.options.accept_unknown_accounts = true;
    office_restart(&line->hub);
    office_make(&line->hall, HS_ROLE_HALL, line->hub.region);
    office_stop(&line->hall);
    world_open(&line->hall.node, false);
    world_fill_empty(&line->hall.node);
    world_close(&line->hall.node);
    line->hall.options.hooks = (struct hs_service_hooks){.ctx = line, .ask = line_ask, .ask_end = line_ask_end};
    office_start(&line->hall, false);
    client_open(&line->at_hall, &line->hall, ZMQ_DEALER);
    client_open(&line->at_hub, &line->hub, ZMQ_DEALER);
}

static inline void line_close(struct line *line)
{
    client_close(&line->at_hall);
    client_close(&line->at_hub);
    office_drop(&line->hall);
    office_drop(&line->hub);
    sem_destroy(&line->asked);
}

#endif
