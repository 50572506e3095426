/* service_trail.h -- the audit trail, as tests of the local API read it. */
#ifndef HS_TESTS_SERVICE_TRAIL_H
#define HS_TESTS_SERVICE_TRAIL_H

#include "tests/unit/service_desk.h"

static inline Hallsync__Actor person(const char *name, const char *way)
{
    Hallsync__Actor actor = HALLSYNC__ACTOR__INIT;
    actor.name = TEXT(name);
    actor.role = TEXT("operator");
    actor.way = TEXT(way);
    return actor;
}

static inline const Hallsync__TrailReply *read_trail(struct client *client, Hallsync__TrailRequest *body)
{
    Hallsync__Request request = REQUEST(trail, TRAIL, body);
    const Hallsync__Reply *reply = client_ask(client, &request);
    if (reply->error != NULL)
        fail_msg("%s: %s", reply->error, reply->text);
    return reply->trail;
}

static inline size_t trail_size(struct client *client)
{
    Hallsync__TrailRequest body = HALLSYNC__TRAIL_REQUEST__INIT;
    return read_trail(client, &body)->n_records;
}

/* Entry @at of the trail, the newest is 0; freed by the caller. */
static inline Hallsync__Audit *trail_entry(struct client *client, size_t at)
{
    Hallsync__TrailRequest body = HALLSYNC__TRAIL_REQUEST__INIT;
    const Hallsync__TrailReply *trail = read_trail(client, &body);
    assert_true(at < trail->n_records);
    const Hallsync__Record *record = trail->records[at];
    assert_int_equal(record->kind, HS_KIND_AUDIT);
    Hallsync__Audit *audit = hallsync__audit__unpack(NULL, record->record.len, record->record.data);
    assert_non_null(audit);
    return audit;
}

/* The newest entry says so; NULL: has none. */
static inline void assert_told_of(struct client *client, Hallsync__Audit expected)
{
    Hallsync__Audit *audit = trail_entry(client, 0);
    const char *const both[][2] = {
        {audit->name, expected.name},           {audit->way, expected.way},
        {audit->action, expected.action},       {audit->node_id, expected.node_id},
        {audit->of_kind, expected.of_kind},     {audit->user, expected.user},
        {audit->record_id, expected.record_id}, {audit->detail, expected.detail},
        {audit->district, expected.district},   {audit->reason, expected.reason},
    };
    for (size_t i = 0; i < sizeof both / sizeof *both; i++) {
        if (both[i][1] == NULL)
            assert_null(both[i][0]);
        else if (both[i][0] == NULL)
            fail_msg("%s is missing", both[i][1]);
        else
            assert_string_equal(both[i][0], both[i][1]);
    }
    hallsync__audit__free_unpacked(audit, NULL);
}
#define TOLD(...) assert_told_of(client, (Hallsync__Audit){MESSAGE(audit), __VA_ARGS__})

#endif
