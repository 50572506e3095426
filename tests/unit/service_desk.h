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

#endif
