/* scenario_revoke.c -- keys that are not their nodes' any more: stolen halls, stolen hubs, hubs that have forgotten it.
 *
 * Counterexamples H19 and H20 (c, e); row "stolen hall computer" of the design's section 7. */
#include "tests/sim/scenarios.h"

#include <string.h>

/* H19.  Revoked at one hub, while the other, which does not know it, takes what the hall hands in: all take that, by
 * the other hub's receipts, and nothing that comes later.  The hall goes on taking payments; they stay there. */
static void a_hall_is_revoked_at_one_hub(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    pay_many(stage, cast.hall, "before", 3);
    stage_settle(stage);
    stage_part(stage, cast.hub, cast.other_hub, true);
    stage_part(stage, cast.hub, cast.hall, true);
    stage_revoke(stage, cast.hub, cast.hall, false);
    stage_run(stage, 40000);
    pay_many(stage, cast.hall, "meanwhile", 2);
    stage_run(stage, 5000);
    STAGE_CHECK(stage, stage_safe(stage, cast.hall, HS_KIND_PAYMENT, "meanwhile-2") == HUB);
    STAGE_CHECK(stage, has_payments(stage, cast.hub, 3));
    stage_part(stage, cast.hub, cast.other_hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 5));
    STAGE_CHECK(stage, stage_safe(stage, cast.hub, HS_KIND_PAYMENT, "meanwhile-2") == SAFE);
    stage_part(stage, cast.hub, cast.hall, false);
    pay_many(stage, cast.hall, "late", 2);
    stage_run(stage, 60000);
    stage_settle(stage);
    STAGE_CHECK(stage, has_payments(stage, cast.hall, 7));
    STAGE_CHECK(stage, has_payments(stage, cast.hub, 5) && has_payments(stage, cast.other_hall, 5));
    STAGE_CHECK(stage, stage_safe(stage, cast.hall, HS_KIND_PAYMENT, "late-2") == HERE);
}

/* H19, honest payments made before the theft and delivered late: they wait where they are, are named with count and
 * sum, and count when a person has released them. */
static void what_no_hub_has_signed_for_is_released(struct stage *stage)
{
    struct sim_machine *hub = stage_hub(stage, "hub-1", NULL);
    struct sim_machine *witness = witness_of(stage, hub);
    struct sim_machine *other = stage_hall(stage, "hall-2", DISTRICT, hub, NULL);
    struct sim_plan plan = hall_beside(hub, witness);
    struct sim_machine *hall = stage_add(stage, &plan);
    stage_run(stage, 1000);
    pay_many(stage, hall, "before", 2);
    stage_settle(stage);
    stage_part(stage, hall, hub, true);
    stage_part(stage, witness, hub, true);
    pay_many(stage, hall, "alone", 3);
    stage_run(stage, 3000);
    stage_revoke(stage, hub, hall, false);
    stage_part(stage, witness, hub, false);
    stage_run(stage, 60000);
    STAGE_CHECK(stage, has_payments(stage, hub, 2) && has_payments(stage, other, 2));
    STAGE_CHECK(stage, stage_withheld(stage, hub) == 3);
    stage_release(stage, hub, hall);
    stage_settle(stage);
    STAGE_CHECK(stage, has_payments(stage, hub, 5) && has_payments(stage, other, 5));
    STAGE_CHECK(stage, stage_withheld(stage, hub) == 0);
}

/* H20 (c).  Whoever has a hub's issuer key revokes no other hub with it: that takes the root key, and then all know. */
static void hubs_do_not_revoke_each_other(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    pay_many(stage, cast.other_hall, "before", 2);
    stage_settle(stage);
    STAGE_CHECK(stage, !sim_revoke(cast.hub, cast.other_hub, false));
    STAGE_CHECK(stage, !sim_revoke(cast.other_hub, cast.hub, false));
    pay_many(stage, cast.other_hall, "between", 2);
    stage_settle(stage);
    stage_revoke(stage, cast.hub, cast.other_hub, true);
    stage_run(stage, 60000);
    pay_many(stage, cast.other_hall, "after", 2);
    stage_settle(stage);
    STAGE_CHECK(stage, has_payments(stage, cast.hub, 6));
}

/* A stolen hub's receipts: what only that hub has signed for is no safer than here, and is handed in at the next one;
 * what two had signed for is at one. */
static void a_stolen_hubs_receipts_count_for_nothing(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    pay_many(stage, cast.other_hall, "both", 1);
    stage_settle(stage);
    STAGE_CHECK(stage, stage_safe(stage, cast.other_hall, HS_KIND_PAYMENT, "both-1") == SAFE);
    stage_part(stage, cast.hub, cast.other_hub, true);
    stage_part(stage, cast.hub, cast.other_hall, true);
    pay_many(stage, cast.other_hall, "one", 1);
    stage_run(stage, 5000);
    STAGE_CHECK(stage, stage_safe(stage, cast.other_hall, HS_KIND_PAYMENT, "one-1") == HUB);
    sim_kill(cast.other_hub); /* somebody carries it away */
    stage_revoke(stage, cast.hub, cast.other_hub, true);
    stage_part(stage, cast.hub, cast.other_hall, false);
    stage_run(stage, 60000);
    STAGE_CHECK(stage, has_payments(stage, cast.hub, 2));
    STAGE_CHECK(stage, stage_safe(stage, cast.other_hall, HS_KIND_PAYMENT, "both-1") == HUB);
    STAGE_CHECK(stage, stage_safe(stage, cast.other_hall, HS_KIND_PAYMENT, "one-1") == HUB);
    stage_settle(stage);
}

/* H20 (e).  The only hub is set back to before the revocation.  The thief, who has a copy from before it as well, comes
 * first; the hub hears from a hall what it has forgotten before it lets anybody in. */
static void a_hub_that_forgot_a_revocation_hears_of_it_first(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    pay_many(stage, cast.hall, "before", 2);
    stage_settle(stage);
    sim_snapshot(cast.hub, 0);
    sim_snapshot(cast.hall, 0);
    stage_revoke(stage, cast.hub, cast.hall, false);
    stage_run(stage, 5000);
    stage_set_back(stage, cast.hall, 0, (struct sim_restore){.log = true, .records = true});
    stage_part(stage, cast.hub, cast.other_hall, true);
    stage_restore(stage, cast.hub, 0);
    sim_start(cast.hall);
    pay_many(stage, cast.hall, "thief", 2);
    stage_run(stage, 20000); /* the other halls come within half a minute of that */
    STAGE_CHECK(stage, has_payments(stage, cast.hub, 2));
    stage_part(stage, cast.hub, cast.other_hall, false);
    stage_run(stage, 150000);
    stage_settle(stage);
    STAGE_CHECK(stage, has_payments(stage, cast.hub, 2) && has_payments(stage, cast.other_hall, 2));
    pay_many(stage, cast.other_hall, "after", 1);
    stage_settle(stage);
    STAGE_CHECK(stage, has_payments(stage, cast.hub, 3));
}

/* A stolen key at work beside its owner: two contents under one number.  The proof reaches everybody, the facts of both
 * are kept, and what comes after the revocation is not. */
static void a_stolen_key_forks_and_is_revoked(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    pay_many(stage, cast.hall, "before", 2);
    stage_settle(stage);
    sim_snapshot(cast.hall, 0);
    stage_part(stage, cast.hub, cast.other_hub, true);
    stage_part(stage, cast.hall, cast.other_hub, true);
    pay_many(stage, cast.hall, "one", 2);
    stage_run(stage, 5000);
    auditor_fork_possible(stage->auditor, cast.hall);
    stage_set_back(stage, cast.hall, 0,
                   (struct sim_restore){.log = true, .records = true, .notes = true, .same_files = true});
    stage_part(stage, cast.hall, cast.other_hub, false);
    stage_part(stage, cast.hall, cast.hub, true);
    sim_start(cast.hall);
    pay_many(stage, cast.hall, "two", 2);
    stage_run(stage, 40000);
    stage_part(stage, cast.hub, cast.other_hub, false);
    stage_run(stage, 20000);
    STAGE_CHECK(stage, stage_conflicts(stage, cast.hub, "fork") == stage_conflicts(stage, cast.other_hall, "fork"));
    STAGE_CHECK(stage, stage_conflicts(stage, cast.hub, "fork") > 0);
    stage_revoke(stage, cast.hub, cast.hall, false);
    stage_run(stage, 20000);
    stage_part(stage, cast.hall, cast.hub, false);
    pay_many(stage, cast.hall, "late", 1);
    stage_run(stage, 40000);
    stage_settle(stage);
    STAGE_CHECK(stage, has_payments(stage, cast.hub, 6) && has_payments(stage, cast.other_hall, 6));
}

const struct scenario SCENARIOS_REVOKE[] = {
    {"a-hall-is-revoked-at-one-hub", a_hall_is_revoked_at_one_hub},
    {"what-no-hub-has-signed-for-is-released", what_no_hub_has_signed_for_is_released},
    {"hubs-do-not-revoke-each-other", hubs_do_not_revoke_each_other},
    {"a-stolen-hubs-receipts-count-for-nothing", a_stolen_hubs_receipts_count_for_nothing},
    {"a-hub-that-forgot-a-revocation-hears-of-it-first", a_hub_that_forgot_a_revocation_hears_of_it_first},
    {"a-stolen-key-forks-and-is-revoked", a_stolen_key_forks_and_is_revoked},
    {0},
};
