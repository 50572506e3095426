#!/usr/bin/env python3
"""The line of a hall goes down and comes up again and again under load: its counters never wait, and everything is at the hub in the end."""
import os

from network import Network
from region import check, until
from witness import Clients, Witness

ROUNDS = int(os.environ.get("HS_ROUNDS") or (30 if os.environ.get("HS_LONG") else 4))

network = Network()
with network.region(f"{ROUNDS} times link down and up under load") as region:
    quick = {"heartbeat_ms": 200, "backoff_max_ms": 300}
    hub = region.hub("nj-hub", **quick)
    hall = region.hall("nj-gulou", hub, ["3201"], **quick)
    other = region.hall("nj-xuanwu", hub, ["3201"], **quick)
    accounts = region.customers(hub, 200)
    for node in (hall, other):
        node.synced()
    witness = Witness(region)
    counters = [Clients(witness, node, accounts, 5).start() for node in (hall, other)]

    def state():
        return [peer["state"] for peer in hall.status()["peers"]]

    for _ in range(ROUNDS):
        victim = region.random.choice([hall, hall, hub])
        victim.line.down()
        if region.random.random() < 0.5:  # long enough for both ends to notice; else the session lives through it
            until("the hall sees that the hub is gone", lambda: "live" not in state())
        for clients in counters:
            clients.more(region.random.randint(5, 60))
        victim.line.up()
        until("the session is back", lambda: "live" in state())
        for clients in counters:
            clients.more(region.random.randint(5, 30))
    for clients in counters:
        clients.stop()
    for node in (hall, other, hall):
        node.synced()
    witness.verify(hub, hall, other)
    longest = max(clients.longest for clients in counters)
    check(longest < 5, f"a payment took {longest:.1f} s")
    print(f"the slowest payment took {longest:.2f} s")
