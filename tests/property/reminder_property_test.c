/* reminder_property_test.c -- storage/model/reminder.h over random histories: the order in which reminders came does
 * not matter, one that came twice counts once, who was told is never told again, and more knowledge never makes a
 * second hall call.
 *
 * HS_SEED=N HS_WORLDS=M repeats a run. */
#include "tests/lib/random.h"

#include "storage/model/reminder.h"

#include <string.h>

#define DEFAULT_WORLDS 4000
#define DONE_MAX       8
#define TODAY_FIRST    20261110

struct world {
    struct hs_subscribed subscribed;
    struct hs_owed owed;
    struct hs_reminding done[DONE_MAX];
    size_t count;
    uint32_t today;
};

static struct hs_bytes bytes_of(const char *text)
{
    return HS_BYTES(text, strlen(text));
}

static void make_world(struct world *world)
{
    *world = (struct world){
        .subscribed = {.channel = bytes_of(PICK("sms", "phone")),
                       .active = chance(90),
                       .days_before = (uint32_t)random_below(31),
                       .contact_stamp = random_below(20)},
        .owed = {.bill_id = bytes_of(PICK("B1", "B2")),
                 .due_fen = (int64_t)random_below(4) - 1,
                 .due_date = chance(90) ? TODAY_FIRST + (uint32_t)random_below(20) : 0},
        .count = random_below(DONE_MAX),
        .today = TODAY_FIRST + (uint32_t)random_below(20),
    };
    for (size_t i = 0; i < world->count; i++) {
        world->done[i] = (struct hs_reminding){.bill_id = bytes_of(PICK("B1", "B2")),
                                               .channel = bytes_of(PICK("sms", "phone")),
                                               .result = (enum hs_reminded)random_below(3),
                                               .stamp = random_below(20),
                                               .date = TODAY_FIRST + (uint32_t)random_below(20)};
    }
}

static enum hs_reminder asked(const struct world *world)
{
    return hs_reminder_of(&world->subscribed, &world->owed, world->done, world->count, world->today);
}

static void shuffle(struct world *world)
{
    for (size_t i = world->count; i > 1; i--) {
        size_t other = random_below(i);
        struct hs_reminding kept = world->done[i - 1];
        world->done[i - 1] = world->done[other];
        world->done[other] = kept;
    }
}

static bool counts(const struct world *world, const struct hs_reminding *done)
{
    return hs_bytes_equal(done->bill_id, world->owed.bill_id) &&
           hs_bytes_equal(done->channel, world->subscribed.channel);
}

static void run_world(void *ctx)
{
    struct world *world = ctx;
    make_world(world);
    enum hs_reminder before = asked(world);
    struct world same = *world;
    shuffle(&same);
    assert_int_equal(asked(&same), before);
    if (same.count > 0)
        same.done[same.count] = same.done[random_below(same.count)];
    same.count += same.count > 0;
    assert_int_equal(asked(&same), before);

    bool told = false;
    for (size_t i = 0; i < world->count; i++)
        told = told || (counts(world, &world->done[i]) && world->done[i].result == HS_REMINDED_TOLD);
    bool wanted = world->subscribed.active && world->owed.due_fen > 0 && world->owed.due_date != 0;
    if (told || !wanted)
        assert_int_equal(before, HS_REMINDER_NOT);
    /* A day later everything that was to be told is to be told still. */
    same = *world;
    same.today++;
    if (before != HS_REMINDER_NOT)
        assert_int_not_equal(asked(&same), HS_REMINDER_NOT);
    /* One reminder more, told: nobody calls. */
    same.done[same.count++] = (struct hs_reminding){
        .bill_id = same.owed.bill_id, .channel = same.subscribed.channel, .result = HS_REMINDED_TOLD};
    shuffle(&same);
    assert_int_equal(asked(&same), HS_REMINDER_NOT);
}

static void histories(void **state)
{
    struct world world;
    (void)state;
    run_worlds(1, DEFAULT_WORLDS, run_world, &world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(histories)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
