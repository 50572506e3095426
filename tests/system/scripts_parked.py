#!/usr/bin/env python3
"""release-parked: a payment that breaks a rule is shown in business words, released or rejected at the hub, and counts, or does not, at
the halls too; twice is once.  And a newer version's payment stops nothing behind it."""
from ops import Ops
from region import Region, check, equal, payment, until

QUICK = {"heartbeat_ms": 300, "backoff_max_ms": 300}


with Region("release-parked") as region:
    ops = Ops(region)
    hub = ops.unit(region.hub("nj-hub", **QUICK))
    hall = ops.unit(region.hall("nj-gulou", hub, ["3201"], **QUICK))
    accounts = region.customers(hub, 10, ("3201",))
    hall.synced()
    hall.put_lines(["payment", "add"], [payment(accounts[0], 1, 700)])
    ops.strange(hall, "beads-1", accounts[0], 5000, "beads", 3)
    ops.strange(hall, "beads-2", accounts[1], 200, "beads", 4)
    ops.strange(hall, "nothing", accounts[1], -100, "cash", 4)
    hall.put_lines(["payment", "add"], [payment(accounts[0], 2, 300)])  # what is behind them in the stream goes on
    hall.synced()
    sums = lambda node: (node.totals()["count"], node.totals()["sum_fen"])
    equal(sums(hub), (2, 1000), "what counts at the hub")
    equal(hub.status()["parked"], 3, "parked at the hub")

    ops.faces("release-parked", hub, "release", "--all", "--reason", "slips", "--name", "Zhao")
    # In the words of those who decide: whose, how much, which window and hall, what is wrong; and what to do.
    listed = ops.run("release-parked", hub, "list").out
    for words in (f"payment beads-1 of account {accounts[0]} (", "50.00 yuan, window 3, written at nj-gulou", "'beads' is none of cash", "conflict release",
                  "payment nothing", "amount_fen: -100 is not above zero", "enter it again with right values"):
        check(words in listed, f"'{words}' in {listed}")
    ops.refused(2, "decided at a hub", "release-parked", hall, "release", "--all", "--reason", "slips", "--name", "Zhao")
    ops.refused(2, "say why", "release-parked", hub, "release", "--all")
    ops.refused(4, "cannot be released: amount_fen: -100", "release-parked", hub, "release", "parked:nothing", "--reason", "slips", "--name", "Zhao")
    ops.refused(4, "no such record", "release-parked", hub, "reject", "parked:beads-9", "--reason", "slips", "--name", "Zhao")
    with ops.failing("--type", "parked"):  # no answer is not the answer that nothing is
        ops.refused(3, "what is parked cannot be listed", "release-parked", hub, "release", "--all", "--reason", "slips", "--name", "Zhao")
    equal(hub.status()["parked"], 3, "parked after refusals")

    decide = lambda verb, *ids: ops.done("release-parked", hub, verb, *ids, "--reason", "the slips were seen", "--name", "Zhao")
    done = decide("release", "parked:beads-1", "parked:beads-2")
    check("that makes 2 payments, 52.00 yuan, more" in done.out, done.out)
    equal(sums(hub), (4, 6200), "what counts at the hub")
    equal(hub.status()["parked"], 1, "parked at the hub")
    hall.synced()
    until("the hall counts them", lambda: sums(hall) == (4, 6200))
    check("decided so before" in decide("release", "parked:beads-1").out, "twice is once")
    equal(sums(hub), (4, 6200), "what counts at the hub")

    decide("reject", "parked:nothing", "decided:beads-2")  # and a second thought
    equal((sums(hub), hub.status()["parked"]), ((3, 6000), 0), "what counts at the hub")
    ops.refused(4, "nothing is parked that can be released", "release-parked", hub, "release", "--all", "--reason", "slips", "--name", "Zhao")
    hall.synced()
    until("the hall does, too", lambda: sums(hall) == (3, 6000) and hall.status()["parked"] == 0)
    equal(hub.digests(), hall.digests(), "digests")
    history = hub.json("conflict", "list", "--type", "decided").lines()
    equal(sorted((row["record_id"], row["counts"]) for row in history),
          [("beads-1", True), ("beads-2", False), ("beads-2", False), ("nothing", False)], "what was decided, and what counts")
    check(all("by Zhao at nj-hub" in row["text"] and "the slips were seen" in row["text"] for row in history), history)
    hall.refused("not-a-hub", "conflict", "release", history[0]["id"], "--reason", "x", "--name", "y")
    equal(hub.json("verify", "--full").lines()[-1].get("damaged"), 0, "damage at the hub")
