#!/usr/bin/env python3
"""A hub and then a hall stand still (SIGSTOP) and go on: the others take money meanwhile, sessions end and come back, nothing is lost."""
import os
import signal
import time

from region import Region, until
from witness import Clients, Witness

PAUSE_S = 60 if os.environ.get("HS_LONG") else 5
QUICK = {"heartbeat_ms": 300, "backoff_max_ms": 300}

with Region(f"hub and hall stand still for {PAUSE_S} s") as region:
    hub = region.hub("nj-hub", **QUICK)
    hall = region.hall("nj-gulou", hub, ["3201"], **QUICK)
    other = region.hall("nj-xuanwu", hub, ["3201"], **QUICK)
    accounts = region.customers(hub, 100)
    for node in (hall, other):
        node.synced()
    witness = Witness(region)
    counters = {node.name: Clients(witness, node, accounts, 3, pause=0.02).start() for node in (hall, other)}

    def live(node):
        return [peer["node_id"] for peer in node.status()["peers"] if peer["state"] == "live"]

    for victim in (hub, hall):
        victim.process.send_signal(signal.SIGSTOP)
        end = time.monotonic() + PAUSE_S
        running = [node for node in (hub, hall, other) if node is not victim]
        for node in running:
            until(f"{node.name} ends its session with {victim.name}", lambda: victim.name not in live(node))
        while time.monotonic() < end:  # counters go on all the while
            for node in running:
                if node is not hub:
                    counters[node.name].more(5)
        victim.process.send_signal(signal.SIGCONT)
        for node in running:
            if hub in (node, victim):
                until(f"{node.name} has its session with {victim.name} again", lambda: victim.name in live(node), 40)
        for clients in counters.values():
            clients.more(10)
    for clients in counters.values():
        clients.stop()
    for node in (hall, other, hall):
        node.synced()
    witness.verify(hub, hall, other)
    hall.stop()
    hub.stop()
    print(f"the longest payment took {max(clients.longest for clients in counters.values()):.1f} s")
