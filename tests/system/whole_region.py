#!/usr/bin/env python3
"""A whole region under random faults: a province, two city hubs that are each other's peers, halls of both, one of which has a witness.

Faults follow one another and overlap: kills, lines down, one-way loss, machines that stand still, districts given and taken, a burnt
disk.  In the end all is healed, everything agrees, and the auditor finds every payment once."""
import os
import shutil
import signal
import time

from network import Network
from peek import Peek, outside
from region import SLOW, agree, check, equal, until
from witness import Clients, Witness

LONG = bool(os.environ.get("HS_LONG"))
FAULTS = int(os.environ.get("HS_ROUNDS") or (300 if LONG else 12))
AT_ONCE = 3
QUICK = {"heartbeat_ms": 300, "backoff_max_ms": 300}
CITY = ["3201", "3202"]

network = Network()
with network.region(f"a whole region under {FAULTS} faults") as region:
    chance = region.random
    province = region.hub("province", **QUICK)
    cities = []
    for name in ("city-a", "city-b"):
        hub = region.further_hub(name, province, start=False, **QUICK)
        hub.scope(CITY)
        cities.append(region.open(hub))
    for hub, other in (cities, reversed(cities)):
        hub.stop()
        hub.dials((province, "province"), (other, "city"))
        hub.start()
    counter = region.witness("counter", province, ["3201"], **QUICK)
    counter.stop()
    counter.dials(*cities)
    counter.start()
    plan = {"hall-1": ["3201"], "hall-2": ["3202"], "hall-3": ["3201", "3202"], "mover": ["3201", "3202"]}
    halls, scope = {}, dict(plan)
    for name, districts in plan.items():
        hall = region.hall(name, province, districts, start=False, **QUICK)
        hubs = chance.sample([(hub, "city") for hub in cities], 2)
        hall.dials(*hubs, *([(counter, "counter")] if name == "hall-1" else []))
        halls[name] = hall.start()
    everybody = [province, *cities, counter, *halls.values()]
    accounts = region.customers(province, 600, CITY)
    for node in (*cities, *halls.values()):
        node.synced()
    witness = Witness(region)
    # A payment of a district that has left is asked of the hub at hand, which the other city's has not told of it yet.
    endure = ["no-link", "unknown-payment"]
    counters = {name: Clients(witness, hall, accounts, 1, pause=0.02, endure=endure).start() for name, hall in halls.items()}

    # ---- faults; each returns what undoes it ----

    def wake(node):
        if node.process is None:
            node.start(ready=chance.random() < 0.5)

    def kill(node):
        if node.process is None:
            return None
        node.kill()
        witness.write("killed", node)
        return lambda: wake(node)

    def unplug(node):
        node.line.down()
        return node.line.up

    def half(node):
        other = chance.choice([other for other in everybody if other is not node])
        node.line.deaf_to(other.line)
        return lambda: node.line.hears(other.line)

    def freeze(node):
        if node.process is None:
            return None
        process = node.process
        process.send_signal(signal.SIGSTOP)
        return lambda: process.send_signal(signal.SIGCONT)

    def rescope(_):
        """The certificate that counts is issued again in the end: the province may be down, or stand still."""
        scope["mover"] = CITY if scope["mover"] == CITY[:1] else CITY[:1]
        issue()
        return None

    def issue():
        return province.run("node", "scope", "mover", "--district", ",".join(scope["mover"]), "--timeout", "2s").status == 0

    FAULT = [(kill, everybody), (kill, everybody), (unplug, everybody), (half, everybody), (freeze, everybody), (rescope, [province])]

    def settle():
        """All is undone: everything that there is comes to where it belongs."""
        for node in everybody:
            until(f"{node.name} answers", node.answers, 60)
        until("the mover's districts are decided", issue)
        for node in (*halls.values(), *cities, *halls.values()):
            node.synced(120)
        until("the mover has its districts", lambda: halls["mover"].status()["districts"] == scope["mover"], 60)
        until("all agree", lambda: agree(province, *cities, *halls.values()), 120)

    undo, counts, began = [], {}, time.monotonic()
    for number in range(FAULTS):
        fault, victims = chance.choice(FAULT)
        victim = chance.choice(victims)
        ending = fault(victim)
        counts[fault.__name__] = counts.get(fault.__name__, 0) + 1
        if ending:
            undo.append(ending)
        time.sleep(chance.random())  # in the middle of what follows, or behind it
        while len(undo) > chance.randint(0, AT_ONCE):
            undo.pop(chance.randrange(len(undo)))()
        for clients in counters.values():
            check(clients.error is None, f"a client: {clients.error}")
    while undo:
        undo.pop()()
    for clients in counters.values():
        clients.more(10)
        clients.stop()
    print(f"{counts} in {time.monotonic() - began:.0f} s", flush=True)
    scope["mover"] = CITY[:1]  # whatever it had: there is something that has to go
    settle()
    for name, hall in halls.items():
        until(f"{name} has nothing outside of its scope", lambda: not outside(hall, scope[name]), 150)  # it tidies up each minute
    witness.verify(province, *cities, *halls.values())

    def handed_in():
        there = {(stream.partition, stream.origin, stream.lane): stream.last for stream in Peek(province).streams()}
        return all(there.get((stream.partition, stream.origin, stream.lane), 0) >= stream.last for stream in Peek(counter).streams())

    # And a disk burns behind cut lines: the witness has what nobody else has.
    burnt = halls["hall-1"]
    for hub in (province, *cities):
        hub.line.down()
    clients = Clients(witness, burnt, accounts, 2, reverse=["3201"]).start()
    clients.more(20)
    clients.stop()
    until("the witness has signed for everything", lambda: burnt.live().get(counter.name, {}).get("unsigned_ops") == 0)
    witness.held(burnt, counter)
    burnt.kill()
    witness.write("forgot", burnt)
    shutil.rmtree(burnt.dir)
    for hub in (province, *cities):
        hub.line.up()
    until("the province has what the witness has", handed_in, 60)
    answer = region.join(region.enroll(province, burnt.name, ["3201"]), burnt.dir, burnt.enter)
    equal(answer.status, 0, f"join: {answer.err}")
    burnt.settings("link", **QUICK)
    burnt.dials(*[(hub, "city") for hub in cities], (counter, "counter"))
    burnt.start()
    settle()
    witness.verify(province, *cities, *halls.values())
    check(max(clients.longest for clients in counters.values()) < 60 * SLOW, "a payment waited for ever")
