/* records_queue_test.c -- storage/records/queue.c: the index of queue tickets by state and day, and the list of events
 * that did not fit, whatever the order in which tickets and events come. */
#include "tests/unit/records_world.h"

#include "storage/model/queue.h"

#include <time.h>

#define DAY         "2026-11-21"
#define MANY_EVENTS 10000

static struct hs_dot put_number(struct world *world, uint64_t number, const char *date)
{
    struct hs_buf message = {0};
    struct hs_id id = id_of(number);
    hs_tlv_put_text(&message, 2, "A001");
    if (date != NULL)
        hs_tlv_put_text(&message, 3, date);
    hs_tlv_put_text(&message, 4, "nj-gulou");
    hs_tlv_put_text(&message, 5, "A");
    struct hs_dot dot = world_fact(world, 1, 3201, HS_KIND_QUEUE_TICKET, HS_BYTES(id.bytes, sizeof id.bytes), &message);
    hs_buf_fini(&message);
    return dot;
}

static void put_move(struct world *world, uint64_t number, uint64_t ticket, const char *what, uint32_t window)
{
    struct hs_buf message = {0};
    struct hs_id id = id_of(number);
    struct hs_id ticket_id = id_of(ticket);
    hs_tlv_put_bytes(&message, 2, HS_BYTES(ticket_id.bytes, sizeof ticket_id.bytes));
    hs_tlv_put_text(&message, 3, what);
    hs_tlv_put_u64(&message, 4, window);
    world_fact(world, 1, 3201, HS_KIND_QUEUE_EVENT, HS_BYTES(id.bytes, sizeof id.bytes), &message);
    hs_buf_fini(&message);
}

static size_t in_state(struct world *world, const char *state, const char *date)
{
    struct hs_buf key = {0};
    hs_index_pair(&key, HS_BYTES(state, strlen(state)), HS_BYTES(date, strlen(date)));
    size_t count = count_index(world, HS_KIND_QUEUE_TICKET, "state", hs_buf_bytes(&key));
    hs_buf_fini(&key);
    return count;
}

static void states_are_indexed_by_day(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    put_number(&world, 1, DAY);
    put_number(&world, 2, "2026-11-22");
    put_number(&world, 3, NULL); /* of no day: it is in no queue */
    assert_int_equal(in_state(&world, "waiting", DAY), 1);
    assert_int_equal(in_state(&world, "waiting", "2026-11-22"), 1);
    put_move(&world, 11, 1, "called", 3);
    assert_int_equal(in_state(&world, "waiting", DAY), 0);
    assert_int_equal(in_state(&world, "called", DAY), 1);
    put_move(&world, 12, 1, "called", 4);
    assert_int_equal(look_at_list(&world, HS_LIST_EVENT).count, 1);
    put_move(&world, 13, 1, "skipped", 3);
    put_move(&world, 14, 1, "called", 4);
    assert_int_equal(in_state(&world, "called", DAY), 1);
    assert_int_equal(look_at_list(&world, HS_LIST_EVENT).count, 1);
    world_verify(&world);
    world_close(&world);
}

static void events_may_come_before_their_ticket(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world.stamp += 10 << 16;
    put_move(&world, 12, 1, "served", 3);
    world.stamp -= 5 << 16;
    put_move(&world, 11, 1, "called", 3);
    put_move(&world, 13, 2, "called", 3); /* of one that never comes */
    assert_int_equal(in_state(&world, "served", DAY), 0);
    assert_int_equal(look_at_list(&world, HS_LIST_EVENT).count, 0);
    world.stamp -= 6 << 16;
    put_number(&world, 1, DAY);
    assert_int_equal(in_state(&world, "served", DAY), 1);
    assert_int_equal(look_at_list(&world, HS_LIST_EVENT).count, 0);
    world_verify(&world);
    world_close(&world);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Of a bad node or a broken program: the ticket has left, and each further event costs what the first ones did. */
static void too_many_events_hold_up_nobody(void **state)
{
    (void)state;
    struct world world;
    double eighth[8];
    world_open(&world);
    put_number(&world, 1, DAY);
    put_move(&world, 10, 1, "called", 3);
    put_move(&world, 11, 1, "called", 4); /* listed, until nobody looks any more */
    for (uint64_t i = 2; i < HS_QUEUE_EVENTS_MAX; i++)
        put_move(&world, 10 + i, 1, "recalled", 3);
    assert_int_equal(in_state(&world, "called", DAY), 1);
    assert_int_equal(look_at_list(&world, HS_LIST_EVENT).count, 1);
    put_move(&world, 99, 1, "recalled", 3);
    assert_int_equal(in_state(&world, "called", DAY), 0);
    assert_int_equal(in_state(&world, "left", DAY), 1);
    assert_int_equal(look_at_list(&world, HS_LIST_EVENT).count, 0);
    world_verify(&world);
    for (size_t part = 0; part < 8; part++) {
        double begun = seconds();
        for (uint64_t i = 0; i < MANY_EVENTS / 8; i++)
            put_move(&world, 1000 + part * (MANY_EVENTS / 8) + i, 1, "recalled", 3);
        eighth[part] = seconds() - begun;
    }
    if (eighth[7] > 8 * eighth[0] + 0.05)
        fail_msg("the first events took %.3f s, the last %.3f s", eighth[0], eighth[7]);
    world.stamp = NOON_MS << 16;
    put_number(&world, 1, DAY); /* the ticket again, earlier */
    assert_int_equal(in_state(&world, "left", DAY), 1);
    world_verify(&world);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_are_indexed_by_day),
        cmocka_unit_test(events_may_come_before_their_ticket),
        cmocka_unit_test(too_many_events_hold_up_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
