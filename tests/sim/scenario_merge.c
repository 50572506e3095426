/* scenario_merge.c -- records written at two places: no value disappears but under a write whose author had it, and all
 * come to the same.
 *
 * Counterexamples H2, H4, H8 to H12, H16, H17 and of their second round: merge, versions, stamps, compare, imports. */
#include "tests/sim/scenarios.h"

#include "proto/msg/tlv.h"

#include <stdio.h>
#include <string.h>

enum { CUSTOMER_NAME = 2, CUSTOMER_PHONE = 3, BILL_ID = 1, BILL_ACCOUNT = 2, BILL_PERIOD = 3, BILL_AMOUNT = 4 };
enum { NEWER_FIELD = 97 };
#define YEAR_MS ((int64_t)31556952 * 1000)

/* A write of one text field past the service, naming what it likes; nothing: a clear. */
static struct hs_dot write_field(struct stage *stage, struct sim_machine *machine, uint32_t number, const char *text,
                                 const struct hs_dot *over, size_t over_count)
{
    struct hs_buf value = {0};
    if (text != NULL)
        hs_tlv_put_text(&value, number, text);
    struct hs_field_write field = {
        .number = number, .value = hs_buf_bytes(&value), .over = over, .over_count = over_count};
    struct hs_write write = {
        .kind = HS_KIND_CUSTOMER, .id = HS_BYTES(ACCOUNT, strlen(ACCOUNT)), .fields = &field, .field_count = 1};
    struct hs_draft draft = {.partition = DISTRICT, .lane = HS_LANE_PEOPLE, .writes = &write, .write_count = 1};
    struct hs_dot dot = stage_write(stage, machine, &draft);
    hs_buf_fini(&value);
    return dot;
}

/* ---- registers ---- */

/* H2.  The hall's first name is at hub 1; set back, the hall writes another at hub 2, and one more over that one.
 * Nobody who wrote the last had seen the first: both stay, and people are told. */
static void an_abandoned_branch_loses_no_value(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    stage_pay(stage, cast.hall, "before", ACCOUNT, 100, "");
    stage_settle(stage);
    sim_snapshot(cast.hall, 0);
    stage_part(stage, cast.hub, cast.other_hub, true);
    stage_name(stage, cast.hall, ACCOUNT, "first");
    stage_run(stage, 2000);
    stage_part(stage, cast.hall, cast.hub, true);
    stage_restore(stage, cast.hall, 0);
    stage_name(stage, cast.hall, ACCOUNT, "second");
    stage_name(stage, cast.hall, ACCOUNT, "third");
    stage_run(stage, 15000);
    stage_part(stage, cast.hub, cast.other_hub, false);
    stage_part(stage, cast.hall, cast.hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_show(stage, ACCOUNT, "third") && all_conflicts(stage, "field") == 1);
}

/* H4; bdr#109.  A clock goes back to 1970 after a write: what its owner writes over the older value still replaces it,
 * for a write says what it overwrites, whatever the time. */
static void a_clock_set_back_loses_no_write(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    stage_name(stage, cast.hall, ACCOUNT, "of-2026");
    stage_settle(stage);
    set_clock(cast.other_hall, -56 * YEAR_MS);
    stage_name(stage, cast.other_hall, ACCOUNT, "of-1970");
    stage_settle(stage);
    STAGE_CHECK(stage, all_show(stage, ACCOUNT, "of-1970") && all_conflicts(stage, "field") == 0);
    set_clock(cast.hall, -25 * YEAR_MS);
    stage_name(stage, cast.hall, ACCOUNT, "of-2001");
    stage_settle(stage);
    STAGE_CHECK(stage, all_show(stage, ACCOUNT, "of-2001") && all_conflicts(stage, "field") == 0);
}

/* H4; yugabyte-db#10628, actualbudget#8905.  A clock stands in 2090 for a while.  What was written then can be
 * replaced by anybody, and nobody else's time is carried away: another record's rivals still show by their own. */
static void a_clock_far_ahead_is_contained(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    set_clock(cast.hall, 64 * YEAR_MS);
    stage_name(stage, cast.hall, ACCOUNT, "of-2090");
    stage_settle(stage);
    set_clock(cast.hall, 0);
    stage_name(stage, cast.other_hall, ACCOUNT, "of-today");
    stage_settle(stage);
    STAGE_CHECK(stage, all_show(stage, ACCOUNT, "of-today") && all_conflicts(stage, "field") == 0);
    stage_part(stage, cast.hall, cast.hub, true);
    stage_part(stage, cast.other_hall, cast.hub, true);
    stage_name(stage, cast.hall, NEIGHBOR, "sooner");
    stage_run(stage, 1000);
    stage_name(stage, cast.other_hall, NEIGHBOR, "later");
    stage_part(stage, cast.hall, cast.hub, false);
    stage_part(stage, cast.other_hall, cast.hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_show(stage, NEIGHBOR, "later") && all_conflicts(stage, "field") == 1);
}

/* H4, second round: a hostile hall names the other's coming operations as overwritten, far ahead.  Nothing that the
 * other writes from then on may vanish, at any node. */
static void a_name_of_the_future_silences_nobody(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    struct hs_dot first = write_field(stage, cast.hall, CUSTOMER_NAME, "first", NULL, 0);
    struct hs_dot ahead[20];
    for (unsigned i = 0; i < 20; i++)
        ahead[i] = (struct hs_dot){first.origin, first.n + i};
    stage_settle(stage);
    auditor_damaged(stage->auditor, cast.other_hall);
    write_field(stage, cast.other_hall, CUSTOMER_NAME, "lie", ahead, 20);
    write_field(stage, cast.other_hall, CUSTOMER_PHONE, "also a lie", ahead, 20);
    stage_run(stage, 2000);
    STAGE_CHECK(stage, all_show(stage, ACCOUNT, "lie"));
    stage_name(stage, cast.hall, ACCOUNT, "second");
    stage_settle(stage);
    STAGE_CHECK(stage, all_show(stage, ACCOUNT, "second"));
    stage_part(stage, cast.hall, cast.hub, true);
    stage_name(stage, cast.hall, ACCOUNT, "third");
    stage_part(stage, cast.hall, cast.hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_show(stage, ACCOUNT, "third"));
}

/* Second round: a name of what never wrote that field, met by one node before and by another after the operation named:
 * no trace of it may make their records differ. */
static void a_name_of_what_never_was_leaves_no_trace(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    stage_part(stage, cast.hub, cast.other_hub, true);
    struct hs_dot phone = write_field(stage, cast.hall, CUSTOMER_PHONE, "123", NULL, 0);
    stage_run(stage, 2000);
    auditor_damaged(stage->auditor, cast.other_hall);
    write_field(stage, cast.other_hall, CUSTOMER_NAME, "lie", &phone, 1);
    stage_run(stage, 2000);
    stage_part(stage, cast.hub, cast.other_hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_show(stage, ACCOUNT, "lie"));
}

static size_t live_names(struct stage *stage, struct sim_machine *machine)
{
    Hallsync__Reply *reply = stage_get(stage, machine, HS_KIND_CUSTOMER, ACCOUNT);
    const Hallsync__Record *record = reply->records->records[0];
    size_t count = 0;
    for (size_t i = 0; i < record->n_dots; i++)
        count += record->dots[i]->field == CUSTOMER_NAME ? record->dots[i]->n_dots : 0;
    hallsync__reply__free_unpacked(reply, NULL);
    return count;
}

/* H10; couchdb#1507: rivals stay, listed, until a person decides; the decision leaves one value, however often it goes
 * on like that. */
static void a_conflict_stays_until_a_person_decides(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    for (unsigned round = 1; round <= 3; round++) {
        char names[2][32];
        snprintf(names[0], sizeof names[0], "hall-%u", round);
        snprintf(names[1], sizeof names[1], "other-%u", round);
        stage_part(stage, cast.hall, cast.hub, true);
        stage_name(stage, cast.hall, ACCOUNT, names[0]);
        stage_name(stage, cast.other_hall, ACCOUNT, names[1]);
        stage_part(stage, cast.hall, cast.hub, false);
        stage_settle(stage);
        STAGE_CHECK(stage, all_conflicts(stage, "field") == 1);
        stage_resolve(stage, cast.hub, "field");
        stage_settle(stage);
        STAGE_CHECK(stage, all_conflicts(stage, "field") == 0);
        STAGE_CHECK(stage, live_names(stage, cast.hall) == 1);
    }
}

/* H10; couchbase-lite-ios#1217: two people decide at once, each at his own node.  It ends: at worst once more. */
static void two_people_resolve_one_conflict(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    stage_part(stage, cast.hall, cast.hub, true);
    stage_name(stage, cast.hall, ACCOUNT, "one");
    stage_name(stage, cast.other_hall, ACCOUNT, "two");
    stage_part(stage, cast.hall, cast.hub, false);
    stage_settle(stage);
    stage_part(stage, cast.hall, cast.hub, true);
    stage_resolve(stage, cast.hall, "field");
    stage_resolve(stage, cast.hub, "field");
    stage_part(stage, cast.hall, cast.hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_conflicts(stage, "field") == 0 && all_show(stage, ACCOUNT, "two"));
}

/* H10: one list imported at two halls is no 350,000 conflicts. */
static void equal_values_are_no_conflict(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    stage_part(stage, cast.hall, cast.hub, true);
    stage_name(stage, cast.hall, ACCOUNT, "same");
    stage_name(stage, cast.other_hall, ACCOUNT, "same");
    stage_part(stage, cast.hall, cast.hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_show(stage, ACCOUNT, "same") && all_conflicts(stage, NULL) == 0);
}

/* couchdb#1994, pouchdb#8356: conflicts with no two writers.  Who changes what he has seen is alone. */
static void values_seen_and_changed_are_no_conflict(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    for (unsigned i = 0; i < 6; i++) {
        char name[16];
        snprintf(name, sizeof name, "name-%u", i);
        stage_name(stage, i % 2 == 0 ? cast.hall : cast.other_hall, ACCOUNT, name);
        stage_settle(stage);
        STAGE_CHECK(stage, all_show(stage, ACCOUNT, name) && all_conflicts(stage, NULL) == 0);
    }
}

/* H17.  A name is put, its answer is lost, another one is put elsewhere, the first is sent again: it was done, and
 * undoes nothing.  After the node has lost its disk it cannot know that: then it is at worst a rival, never a loss. */
static void a_late_retry_of_a_name_undoes_nothing(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    struct deed_told told;
    stage_name(stage, cast.hall, ACCOUNT, "zero");
    Hallsync__Reply *shown = stage_get(stage, cast.hall, HS_KIND_CUSTOMER, ACCOUNT);
    struct deed_fields fields = {.name = "one", .shown = shown->records->records[0]};
    struct deed *deed = deed_customer(&stage->random, ACCOUNT, &fields);
    hallsync__reply__free_unpacked(shown, NULL);
    stage_do(stage, cast.hall, deed);
    stage_settle(stage);
    stage_name(stage, cast.other_hall, ACCOUNT, "two");
    stage_settle(stage);
    told = stage_do(stage, cast.hall, deed);
    STAGE_CHECK(stage, told.result == HALLSYNC__RESULT__RESULT_UNCHANGED);
    STAGE_CHECK(stage, all_show(stage, ACCOUNT, "two") && all_conflicts(stage, NULL) == 0);
    stage_part(stage, cast.hall, cast.hub, true);
    stage_wipe(stage, cast.hall);
    stage_do(stage, cast.hall, deed);
    stage_part(stage, cast.hall, cast.hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_conflicts(stage, "field") == 1);
}

/* couchdb#4844, syncthing#3441: a value that is taken away is gone for who was away as well, and does not rise again.
 */
static void a_clear_reaches_who_was_away(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    struct hs_dot name = write_field(stage, cast.hall, CUSTOMER_NAME, "gone", NULL, 0);
    stage_settle(stage);
    STAGE_CHECK(stage, all_show(stage, ACCOUNT, "gone"));
    sim_stop(cast.other_hall);
    write_field(stage, cast.hall, CUSTOMER_NAME, NULL, &name, 1);
    stage_run(stage, 60000);
    sim_start(cast.other_hall);
    stage_settle(stage);
    STAGE_CHECK(stage, all_show(stage, ACCOUNT, ""));
}

/* Second round.  The nightly import says again what it said yesterday: what a counter of another hall changed
 * meanwhile stays, and nothing is written. */
static void a_nightly_import_keeps_what_a_counter_changed(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    struct deed_fields fields = {.name = "imported", .phone = "1", .source = "marketing"};
    stage_do(stage, cast.hall, deed_customer(&stage->random, ACCOUNT, &fields));
    stage_settle(stage);
    stage_name(stage, cast.other_hall, ACCOUNT, "corrected");
    stage_settle(stage);
    struct deed_told told = stage_do(stage, cast.hall, deed_customer(&stage->random, ACCOUNT, &fields));
    STAGE_CHECK(stage, told.result == HALLSYNC__RESULT__RESULT_UNCHANGED);
    stage_settle(stage);
    STAGE_CHECK(stage, all_show(stage, ACCOUNT, "corrected") && all_conflicts(stage, NULL) == 0);
    fields.name = "renamed"; /* the source has news of its own, and has not seen the counter's */
    stage_do(stage, cast.hub, deed_customer(&stage->random, ACCOUNT, &fields));
    stage_settle(stage);
    STAGE_CHECK(stage, all_conflicts(stage, "field") == 1);
}

/* ---- rules and versions ---- */

static void write_bill(struct stage *stage, struct sim_machine *machine, const char *id, int64_t amount)
{
    struct hs_buf values[4] = {{0}};
    struct hs_field_write fields[4];
    size_t count = amount > 0 ? 4 : 3;
    hs_tlv_put_text(&values[0], BILL_ID, id);
    hs_tlv_put_text(&values[1], BILL_ACCOUNT, ACCOUNT);
    hs_tlv_put_text(&values[2], BILL_PERIOD, "2026-05");
    hs_tlv_put_u64(&values[3], BILL_AMOUNT, (uint64_t)amount);
    for (size_t i = 0; i < count; i++)
        fields[i] = (struct hs_field_write){.number = (uint32_t)i + 1, .value = hs_buf_bytes(&values[i])};
    struct hs_write write = {
        .kind = HS_KIND_BILL, .id = HS_BYTES(id, strlen(id)), .fields = fields, .field_count = count};
    struct hs_draft draft = {.partition = DISTRICT, .lane = HS_LANE_BULK, .writes = &write, .write_count = 1};
    stage_write(stage, machine, &draft);
    for (size_t i = 0; i < 4; i++)
        hs_buf_fini(&values[i]);
}

/* H8.  A record that breaks a rule is merged like any other, kept out of look-ups and totals, listed everywhere, and is
 * whole again as soon as it is mended; nothing behind it waits. */
static void a_record_that_breaks_a_rule_is_merged(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    write_bill(stage, cast.hall, "bill-1", 0);
    stage_bill(stage, cast.hall, "bill-2", ACCOUNT, 500);
    stage_settle(stage);
    STAGE_CHECK(stage, all_conflicts(stage, "parked") == 1);
    STAGE_CHECK(stage, stage_has(stage, cast.other_hall, HS_KIND_BILL, "bill-2"));
    write_bill(stage, cast.other_hall, "bill-1", 700);
    stage_settle(stage);
    STAGE_CHECK(stage, all_conflicts(stage, "parked") == 0);
}

static void write_newer(struct stage *stage, struct sim_machine *machine, uint16_t kind, uint8_t value)
{
    struct hs_buf bytes = {0};
    hs_tlv_put_u64(&bytes, NEWER_FIELD, value);
    struct hs_field_write field = {.number = NEWER_FIELD, .value = hs_buf_bytes(&bytes)};
    struct hs_write write = {.kind = kind, .id = HS_BYTES(ACCOUNT, strlen(ACCOUNT))};
    struct hs_draft draft = {.partition = DISTRICT, .lane = HS_LANE_PEOPLE, .writes = &write, .write_count = 1};
    if (kind == DEED_NEWER_FACT) {
        write.is_fact = true;
        write.fact = hs_buf_bytes(&bytes);
        draft.lane = HS_LANE_WORK;
    } else {
        write.fields = &field;
        write.field_count = 1;
    }
    stage_write(stage, machine, &draft);
    hs_buf_fini(&bytes);
}

static bool has_newer_field(struct stage *stage, struct sim_machine *machine)
{
    Hallsync__Reply *reply = stage_get(stage, machine, HS_KIND_CUSTOMER, ACCOUNT);
    const Hallsync__Record *record = reply->records->records[0];
    bool has = hs_tlv_u64(HS_BYTES(record->record.data, record->record.len), NEWER_FIELD, 0) == 3;
    hallsync__reply__free_unpacked(reply, NULL);
    return has;
}

/* H8, H11 and the second round's versions: kinds and fields that this version does not know come from a newer node.
 * All keep, forward and hash them, a hall that comes later gets them, and a write of the rest of the record leaves the
 * unknown field alone. */
static void what_only_a_newer_version_knows_is_kept(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    stage_name(stage, cast.hall, ACCOUNT, "known");
    write_newer(stage, cast.hall, DEED_NEWER_FACT, 1);
    write_newer(stage, cast.hall, DEED_NEWER_REGISTER, 2);
    write_newer(stage, cast.hall, HS_KIND_CUSTOMER, 3);
    stage_settle(stage);
    stage_name(stage, cast.other_hall, ACCOUNT, "changed");
    stage_settle(stage);
    struct sim_machine *late = stage_hall(stage, "hall-3", DISTRICT, cast.other_hub, NULL);
    stage_settle(stage);
    STAGE_CHECK(stage, has_newer_field(stage, late) && has_newer_field(stage, cast.other_hall));
    STAGE_CHECK(stage, all_show(stage, ACCOUNT, "changed") && all_conflicts(stage, NULL) == 0);
}

/* ---- tickets ---- */

/* H16.  A ticket is moved on at both ends of a cut: all fold the same events to one state, and list the move that came
 * too late. */
static void concurrent_moves_have_one_outcome(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    char state[3][32];
    const struct deed *ticket = stage_ticket(stage, cast.hall, "ticket-1", ACCOUNT);
    stage_settle(stage);
    stage_part(stage, cast.hall, cast.hub, true);
    stage_move(stage, cast.hall, "accept", ticket, "accepted");
    stage_run(stage, 100);
    stage_move(stage, cast.other_hall, "assign", ticket, "assigned");
    stage_move(stage, cast.hall, "wait", ticket, "waiting");
    stage_run(stage, 100);
    stage_move(stage, cast.other_hall, "work", ticket, "working");
    stage_part(stage, cast.hall, cast.hub, false);
    stage_settle(stage);
    stage_state(stage, cast.hub, "ticket-1", state[0]);
    stage_state(stage, cast.hall, "ticket-1", state[1]);
    stage_state(stage, cast.other_hall, "ticket-1", state[2]);
    STAGE_CHECK(stage, strcmp(state[0], "working") == 0);
    STAGE_CHECK(stage, strcmp(state[0], state[1]) == 0 && strcmp(state[0], state[2]) == 0);
    STAGE_CHECK(stage, all_conflicts(stage, "event") == 0);
    stage_part(stage, cast.hall, cast.hub, true);
    stage_move(stage, cast.hall, "resolve", ticket, "resolved");
    stage_move(stage, cast.hall, "archive", ticket, "archived");
    stage_run(stage, 100);
    stage_move(stage, cast.other_hall, "wait-again", ticket, "waiting");
    stage_part(stage, cast.hall, cast.hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_conflicts(stage, "event") == 1);
}

/* Second round: hall 2's clock is an hour slow.  What it does with a ticket that hall 1 opened still comes after the
 * opening. */
static void a_slow_clock_accepts_after_the_opening(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    char state[32];
    set_clock(cast.other_hall, -3600000);
    const struct deed *ticket = stage_ticket(stage, cast.hall, "ticket-1", ACCOUNT);
    stage_settle(stage);
    stage_move(stage, cast.other_hall, "accept", ticket, "accepted");
    stage_settle(stage);
    stage_state(stage, cast.hall, "ticket-1", state);
    STAGE_CHECK(stage, strcmp(state, "accepted") == 0 && all_conflicts(stage, NULL) == 0);
}

/* Second round: an event is handed in, the hall is set back, its client sends it again, the clock has gone on: the
 * same fact under two names and stamps.  Hub 1 meets the older first, hub 2 the newer: all must fold alike. */
static void the_same_event_under_two_names(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    char state[2][32];
    const struct deed *ticket = stage_ticket(stage, cast.hall, "ticket-1", ACCOUNT);
    stage_settle(stage);
    sim_snapshot(cast.hall, 0);
    stage_part(stage, cast.hub, cast.other_hub, true);
    struct deed *accept = deed_event(&stage->random, "accept", ticket, "accepted", NULL, NULL);
    stage_do(stage, cast.hall, accept);
    stage_run(stage, 2000);
    stage_part(stage, cast.hall, cast.hub, true);
    stage_restore(stage, cast.hall, 0);
    stage_move(stage, cast.hall, "assign", ticket, "assigned");
    stage_run(stage, 100);
    stage_do(stage, cast.hall, accept);
    stage_run(stage, 15000);
    stage_part(stage, cast.hub, cast.other_hub, false);
    stage_part(stage, cast.hall, cast.hub, false);
    stage_settle(stage);
    stage_state(stage, cast.hub, "ticket-1", state[0]);
    stage_state(stage, cast.other_hub, "ticket-1", state[1]);
    STAGE_CHECK(stage, strcmp(state[0], "assigned") == 0 && strcmp(state[1], "assigned") == 0);
}

const struct scenario SCENARIOS_MERGE[] = {
    {"an-abandoned-branch-loses-no-value", an_abandoned_branch_loses_no_value},
    {"a-clock-set-back-loses-no-write", a_clock_set_back_loses_no_write},
    {"a-clock-far-ahead-is-contained", a_clock_far_ahead_is_contained},
    {"a-name-of-the-future-silences-nobody", a_name_of_the_future_silences_nobody},
    {"a-name-of-what-never-was-leaves-no-trace", a_name_of_what_never_was_leaves_no_trace},
    {"a-conflict-stays-until-a-person-decides", a_conflict_stays_until_a_person_decides},
    {"two-people-resolve-one-conflict", two_people_resolve_one_conflict},
    {"equal-values-are-no-conflict", equal_values_are_no_conflict},
    {"values-seen-and-changed-are-no-conflict", values_seen_and_changed_are_no_conflict},
    {"a-late-retry-of-a-name-undoes-nothing", a_late_retry_of_a_name_undoes_nothing},
    {"a-clear-reaches-who-was-away", a_clear_reaches_who_was_away},
    {"a-nightly-import-keeps-what-a-counter-changed", a_nightly_import_keeps_what_a_counter_changed},
    {"a-record-that-breaks-a-rule-is-merged", a_record_that_breaks_a_rule_is_merged},
    {"what-only-a-newer-version-knows-is-kept", what_only_a_newer_version_knows_is_kept},
    {"concurrent-moves-have-one-outcome", concurrent_moves_have_one_outcome},
    {"a-slow-clock-accepts-after-the-opening", a_slow_clock_accepts_after_the_opening},
    {"the-same-event-under-two-names", the_same_event_under_two_names},
    {0},
};
