#!/usr/bin/env python3
"""Two hubs that dial each other keep one session, through kills and cuts of either: no hammering, nothing lost."""
import os
import re
import time

from region import SLOW, Region, check, until
from witness import Clients, Witness

ROUNDS = int(os.environ.get("HS_ROUNDS") or (30 if os.environ.get("HS_LONG") else 3))
QUIET_S = 20 if os.environ.get("HS_LONG") else 2
QUICK = {"heartbeat_ms": 300, "backoff_max_ms": 500}

with Region(f"two hubs dial each other; {ROUNDS} kills") as region:
    one = region.hub("hub-a", **QUICK)
    two = region.further_hub("hub-b", one, **QUICK)
    one.dials(two)
    one.restart()
    halls = [region.hall(name, one, ["3201"], start=False, **QUICK) for name in ("hall-1", "hall-2")]
    for hall, hubs in zip(halls, ((one, two), (two, one))):
        hall.dials(*hubs)
        hall.start()
    accounts = region.customers(one, 100)
    witness = Witness(region)
    for node in (two, *halls):
        node.synced()
    counters = [Clients(witness, hall, accounts, 2, pause=0.01).start() for hall in halls]

    def both_live():
        return two.name in one.live() and one.name in two.live()

    def begun():
        """How often a session of the two came about, as both tell."""
        return sum(len(re.findall(rf'event=session-live .*text="{other.name}', open(hub.log).read()))
                   for hub, other in ((one, two), (two, one)))

    def dialled():
        return sum(counter["value"] for hub in (one, two) for counter in hub.status()["counters"] if counter["name"] == "dialled")

    def quiet():
        """One session, which stays; that the other hub dials too is no hammering."""
        until("the hubs have each other", both_live)
        sessions, dials, end = begun(), dialled(), time.monotonic() + QUIET_S
        while time.monotonic() < end:
            for clients in counters:
                clients.more(2)
        until("the hubs have each other still", both_live)
        # Both may have dialled at once: then one of the two sessions ends, and that is all.
        check(begun() - sessions <= 4, f"{begun() - sessions} sessions in {QUIET_S} s, of hubs that had one")
        check(dialled() - dials <= 4 * QUIET_S * SLOW, f"{dialled() - dials} attempts in {QUIET_S} s, of hubs that had each other")

    quiet()
    for _ in range(ROUNDS):
        victims = region.random.choice(([one], [two], [one, two]))
        for hub in victims:
            hub.kill()
            witness.write("killed", hub)
        for hub in region.random.sample(victims, len(victims)):
            hub.start(ready=False)
        for hub in victims:
            until(f"{hub.name} answers", hub.answers)
        quiet()
    for clients in counters:
        clients.stop()
    for node in (*halls, one, two, *halls):
        node.synced()
    until("the hubs are equal", lambda: one.digests() == two.digests())
    witness.verify(one, two, *halls)
    print(f"{begun()} times a session began, as the hubs' logs count, over {ROUNDS} kills")
