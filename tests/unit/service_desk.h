/* service_desk.h -- an office with one client, for the tests of the local API. */
#ifndef HS_TESTS_SERVICE_DESK_H
#define HS_TESTS_SERVICE_DESK_H

#include "tests/unit/service_world.h"

struct desk {
    struct office office;
    struct client client;
};

static inline struct desk *make_desk(enum hs_role role)
{
    struct desk *desk = calloc(1, sizeof *desk);
    assert_non_null(desk);
    office_make(&desk->office, role, NULL);
    client_open(&desk->client, &desk->office, ZMQ_DEALER);
    return desk;
}

static inline int open_hall(void **state)
{
    *state = make_desk(HS_ROLE_HALL);
    return 0;
}

static inline int open_hub(void **state)
{
    *state = make_desk(HS_ROLE_HUB);
    return 0;
}

/* Days are counted by the service's clock: the store's tells the same. */
static inline int open_hall_today(void **state)
{
    open_hall(state);
    ((struct desk *)*state)->office.region->now_ms = hs_now_ms();
    return 0;
}

static inline int open_hub_today(void **state)
{
    open_hub(state);
    ((struct desk *)*state)->office.region->now_ms = hs_now_ms();
    return 0;
}

static inline int close_desk(void **state)
{
    struct desk *desk = *state;
    client_close(&desk->client);
    office_drop(&desk->office);
    free(desk);
    return 0;
}

static inline void restart(struct desk *desk)
{
    client_close(&desk->client);
    office_restart(&desk->office);
    client_open(&desk->client, &desk->office, ZMQ_DEALER);
}

/* The store by itself, while nobody is at the desk. */
static inline struct world_node *leave(struct desk *desk)
{
    client_close(&desk->client);
    office_stop(&desk->office);
    world_open(&desk->office.node, false);
    return &desk->office.node;
}

static inline void come_back(struct desk *desk)
{
    world_close(&desk->office.node);
    office_start(&desk->office, false);
    client_open(&desk->client, &desk->office, ZMQ_DEALER);
}

#endif
