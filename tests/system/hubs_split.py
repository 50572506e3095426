#!/usr/bin/env python3
"""The line between two hubs fails while both work; a hall changes hubs inside the split, and back; healed, all hold the same."""
import os
import time

from network import Network
from region import SLOW, agree, check, until
from witness import Clients, Witness

ROUNDS = int(os.environ.get("HS_ROUNDS") or (20 if os.environ.get("HS_LONG") else 2))
WITHIN_S = 5  # 3.5 heartbeats of silence, then 3 s at most for the address that does not answer
QUICK = {"heartbeat_ms": 200, "backoff_max_ms": 300}

network = Network()
with network.region(f"{ROUNDS} times a split between hubs, with a hall that changes sides inside it") as region:
    one = region.hub("hub-a", **QUICK)
    two = region.further_hub("hub-b", one, **QUICK)
    left, right, mover = [region.hall(name, one, ["3201"], start=False, **QUICK) for name in ("left", "right", "mover")]
    for hall, hubs in ((left, (one,)), (right, (two,)), (mover, (one, two))):
        hall.dials(*hubs)
        hall.start()
    accounts = region.customers(one, 200)
    for node in (two, left, right, mover):
        node.synced()
    witness = Witness(region)
    counters = [Clients(witness, hall, accounts, 2).start() for hall in (left, right, mover)]

    def apart(node, other):
        """Neither hears the other; all the rest goes on."""
        node.line.deaf_to(other.line)
        other.line.deaf_to(node.line)

    def together(node, other):
        node.line.hears(other.line)
        other.line.hears(node.line)

    def hub_of_mover():
        return next((hub for hub in (one, two) if hub.name in mover.live()), None)

    def more():
        for clients in counters:
            clients.more(region.random.randint(5, 25))

    for _ in range(ROUNDS):
        apart(one, two)
        until("the hubs have lost each other", lambda: two.name not in one.live() and one.name not in two.live())
        more()
        at = until("the mover is at a hub", hub_of_mover)
        to = two if at is one else one
        apart(mover, at)  # what it has handed in there is not at the other hub, but for what it brings itself
        until(f"the mover is at {to.name}", lambda: to.name in mover.live())
        more()
        if region.random.random() < 0.5:  # and back again, with what it got of the other side
            together(mover, at)
            apart(mover, to)
            until(f"the mover is at {at.name} again", lambda: at.name in mover.live())
            more()
        for hub in (one, two):
            together(mover, hub)
        if region.random.random() < 0.5:  # the one that was dialled may be gone for good when the split ends
            region.random.choice((one, two)).restart()
        together(one, two)
        until("the hubs have each other again", lambda: two.name in one.live() and one.name in two.live())
        more()
        print(f"mover went from {at.name} to {to.name}", flush=True)

    # A hub whose machine vanishes says nothing at all: its halls find out by themselves.
    for hall, hubs in ((right, (two, one)), (mover, (two, one))):
        hall.stop()
        hall.dials(*hubs)
        hall.start()
        until(f"{hall.name} is at {two.name}", lambda: two.name in hall.live())
    at = time.time()
    two.line.down()
    took = []
    for hall in (right, mover):
        peer = until(f"{hall.name} is at {one.name}", lambda: hall.live().get(one.name), 30)
        took.append(peer["since_ms"] / 1000 - at)
    print(f"a hub vanished: its halls were at the other after {', '.join(f'{seconds:.2f} s' for seconds in took)}", flush=True)
    check(max(took) < WITHIN_S * SLOW, "that took too long")
    more()
    two.line.up()
    until("the hubs have each other again", lambda: two.name in one.live() and one.name in two.live())
    for clients in counters:
        clients.stop()
    for node in (left, right, mover, two, left, right, mover):
        node.synced()
    until("all hold the same", lambda: agree(one, two, left, right, mover))
    longest = max(clients.longest for clients in counters)
    check(longest < 5, f"a payment took {longest:.1f} s")
    witness.verify(one, two, left, right, mover)
