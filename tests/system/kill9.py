#!/usr/bin/env python3
"""Thirteen clients pay at two halls while these and the hub are killed at random; the auditor finds every acknowledged payment once."""
import os
import time

from region import Region, check, until
from witness import Clients, Witness

ROUNDS = int(os.environ.get("HS_ROUNDS") or (200 if os.environ.get("HS_LONG") else 20))
QUICK = {"heartbeat_ms": 500, "backoff_max_ms": 300}

with Region(f"{ROUNDS} times kill -9 of halls and hub under 13 clients: nothing acknowledged is lost, nothing is doubled") as region:
    hub = region.hub("nj-hub", **QUICK)
    halls = [region.hall(name, hub, ["3201"], **QUICK) for name in ("nj-gulou", "nj-xuanwu")]
    accounts = region.customers(hub, 200)
    for hall in halls:
        hall.synced()
    witness = Witness(region)
    counters = [Clients(witness, halls[0], accounts, 7).start(), Clients(witness, halls[1], accounts, 6).start()]
    kills = {node.name: 0 for node in [hub, *halls]}
    began = time.monotonic()
    for _ in range(ROUNDS):
        # A little traffic in between, so that a kill meets work in every state; and sometimes two are down at a time.
        for clients in counters:
            clients.more(region.random.randint(0, 30))
        victims = region.random.sample([hub, *halls], region.random.choice([1, 1, 1, 2]))
        for node in victims:
            node.kill()
            witness.write("killed", node)
            kills[node.name] += 1
        for node in victims:
            running = [clients for clients in counters if clients.node not in victims]
            if running and region.random.random() < 0.3:  # it stays away while others go on
                region.random.choice(running).more(region.random.randint(1, 40))
            node.start(ready=region.random.random() < 0.8)  # else the next kill may meet it while it starts
    for node in (hub, *halls):
        until(f"{node.name} answers", node.answers)
    for clients in counters:
        clients.more(10)
        clients.stop()
    took = time.monotonic() - began
    for hall in (*halls, halls[0]):
        hall.synced(120)
    until("the halls are equal", lambda: halls[0].digests() == halls[1].digests())
    witness.verify(hub, *halls)
    acknowledged = sum(clients.acknowledged for clients in counters)
    check(acknowledged >= ROUNDS, "hardly anything was paid")
    print(f"kills: {kills}; {acknowledged} answers in {took:.0f} s; origins opened: "
          f"{ {node.name: node.status()['origins_opened'] for node in (hub, *halls)} }")
