#!/usr/bin/env python3
"""A hall's districts are changed while it works: the new one comes, the old one goes with its frontier, what the hall wrote stays its own.

In each round the hub issues its certificate anew; it may be cut off meanwhile, and be killed while it fetches and evicts."""
import os
import time

from peek import Peek, outside
from region import SLOW, Region, agree, check, equal, payment, until
from witness import Clients, Witness

LONG = bool(os.environ.get("HS_LONG"))
ROUNDS = int(os.environ.get("HS_ROUNDS") or (20 if LONG else 3))
CUSTOMERS = 30000 if LONG else 1500
QUICK = {"heartbeat_ms": 500, "backoff_max_ms": 300}

with Region(f"{ROUNDS} changes of a hall's districts, under load, cuts and kills") as region:
    hub = region.hub("nj-hub", **QUICK)
    mover = region.hall("mover", hub, ["3201", "3202"], relay=True, **QUICK)
    other = {district: region.hall(f"hall-{district}", hub, [district], **QUICK) for district in ("3202", "3203")}
    accounts = region.customers(hub, CUSTOMERS, ("3201", "3202", "3203"))
    of = {district: [account for account in accounts if account.startswith(district)] for district in ("3201", "3202", "3203")}
    for node in (mover, *other.values()):
        node.synced()
    witness = Witness(region)
    counters = [Clients(witness, mover, accounts, 3, pause=0.05, reverse=["3201"]).start()]
    counters += [Clients(witness, hall, of[district], 1, pause=0.05).start() for district, hall in other.items()]

    def customers(node, district):
        return sum(line["count"] for line in node.json("digest").lines() if (line["partition"], line["kind"]) == (district, "customer"))

    old, new = "3202", "3203"
    slowest = 0
    for round_number in range(ROUNDS):
        cut, kills = round_number % 2 == 1 or region.random.random() < 0.3, region.random.choice((0, 1, 2, 3))
        if cut:  # what it takes for the old district now has no receipt when that is to go
            mover.relay.cut()
            counters[0].more(30)
        # Before the change is known: a reversal in the district that goes would need the hub, to which the hall connects anew then.
        record = payment(of[old][0], next(witness.numbers))
        paid = [(ask, record, until("the hall answers", lambda: ask(mover, record))) for ask in (witness.pay, witness.reverse)]
        hub.json("node", "scope", "mover", "--district", f"3201,{new}")
        if cut:
            counters[0].more(10)
        if cut:
            mover.relay.heal()
        began = time.monotonic()
        for _ in range(kills):
            region.random.random() < 0.5 and until("the change has come", lambda: new in mover.status()["districts"])
            time.sleep(region.random.random() * 0.3)  # anywhere in what follows
            mover.kill()
            witness.write("killed", mover)
            mover.start()
        until("the hall has its new districts", lambda: mover.status()["districts"] == ["3201", new])
        for clients in counters:
            clients.more(10)
        until("what was of the old district alone is gone", lambda: not outside(mover, ["3201", new]), 150)  # it tidies up each minute
        check(Peek(mover).records()[int(old)] < len(of[old]), f"the customers of {old} are still there")
        for clients in counters:
            clients.more(5)
        until("the new district is there, whole", lambda: not mover.status()["fills"], 60)
        equal(customers(mover, new), len(of[new]), f"customers of {new}")
        # The answers were lost, and are asked for again when the district has gone.
        for ask, record, told in paid:
            again = until("the hall says it again", lambda: ask(mover, record))
            equal((again.get("result"), again.get("receipt")), ("exists", told["receipt"]), f"what was done, in {old}, which has gone")
        slowest = max(slowest, time.monotonic() - began)
        print(f"from {old} to {new}: cut {cut}, {kills} kills", flush=True)
        old, new = new, old
    for clients in counters:
        clients.stop()
    for node in (mover, *other.values(), mover):
        node.synced()
    until("all agree", lambda: agree(hub, mover, *other.values()), 60)
    equal(mover.json("customer", "get", of[old][0]).object()["account"], of[old][0], "a customer of the district that it has now")
    witness.verify(hub, mover, *other.values())
    check(max(clients.longest for clients in counters) < 5 * SLOW, "a payment had to wait for a change of districts")
    print(f"the slowest change took {slowest:.1f} s, the slowest payment {max(clients.longest for clients in counters):.2f} s")
