#!/usr/bin/env python3
"""A new hall is filled over a narrow line while both ends work and are killed at random: it goes on where it was, at
another hub as well.

What the line carries is counted: a fill that was cut again and again costs what was on its way, and no more."""
import json
import os
import time

from network import Network
from peek import Peek
from region import agree, check, payment, until
from witness import Clients, Witness

LONG = bool(os.environ.get("HS_LONG"))
CUSTOMERS = 60000 if LONG else 6000
RATE = "2mbit"
KILLS = 30 if LONG else 5
LOST = 128 << 10  # bytes that a kill costs at most: what is in the line's queue (400 ms), and a greeting
QUICK = {"heartbeat_ms": 500, "backoff_max_ms": 300}

network = Network()
with network.region(f"a hall is filled through {KILLS} kills") as region:
    hub = region.hub("nj-hub", **QUICK)
    twin = region.further_hub("nj-twin", hub, **QUICK)
    first = region.hall("nj-first", hub, ["3201"], **QUICK)
    path = os.path.join(region.dir, "customers.csv")
    with open(path, "w") as out:
        out.write("account,name\n")
        for number in range(CUSTOMERS):  # names that do not compress to nothing
            out.write(f"3201{number:06},{region.random.getrandbits(256):x}\n")
    hub.json("customer", "import", path, seconds=300)
    accounts = [f"3201{number:06}" for number in range(100)]
    witness = Witness(region)
    witness.pay_all(first, [payment(accounts[i % 100], 1 << 40 | i) for i in range(500)])
    first.synced()

    def progress(hall):
        """How far its fills are: percents; none when there is none under way."""
        return hall.status().get("fills", [])

    def customers(hall):
        return sum(line["count"] for line in hall.json("digest").lines() if line["kind"] == "customer")

    def fill(name, kills):
        """A new hall, and what its line carried until it had everything."""
        hall = region.hall(name, hub, ["3201"], start=False, **QUICK)
        hall.line.rate(RATE)
        hall.start()
        clients = Clients(witness, hall, accounts, 1, endure=["no-link"], pause=0.05).start()
        clients.more(3)
        began, seen = time.monotonic(), False
        for number in range(kills):  # at even distances: who begins anew each time never comes to the end
            there = CUSTOMERS * region.random.uniform(number, number + 1) / (kills + 1)
            until(f"{name} has {there:.0f} customers", lambda: customers(hall) >= there, 60)
            seen = seen or bool(progress(hall))
            victim = region.random.choice((hall, hall, hub))
            victim.kill()
            witness.write("killed", victim)
            victim.start()
            check(customers(hall) >= there, "what had come was gone again")
            clients.more(2)
            at_work.more(5)
        until(f"{name} has everything", lambda: customers(hall) == CUSTOMERS and not progress(hall), 120)
        took = time.monotonic() - began
        carried = sum(hall.line.bytes())
        clients.more(3)
        clients.stop()
        hall.synced()
        came = {stream.lane: stream.first for stream in Peek(hall).streams() if stream.node == hub.name}
        check(came["people"] > 1, "the customers came as operations, and not as states")
        print(f"{name}: {carried >> 10} KiB in {took:.1f} s, {kills} kills", flush=True)
        return hall, carried, seen

    at_work = Clients(witness, first, accounts, 2, pause=0.02).start()
    whole, once, _ = fill("nj-whole", 0)
    cut, often, seen = fill("nj-cut", KILLS)
    at_work.stop()

    # Its hub dies for good in the middle: the other one goes on with it, from where it was.
    twin.synced()
    until("the hubs are equal", lambda: agree(hub, twin))
    moved = region.hall("nj-moved", hub, ["3201"], start=False, **QUICK)
    moved.dials(hub, twin)
    moved.line.rate(RATE)
    moved.start()
    there = CUSTOMERS * region.random.uniform(0.2, 0.8)
    until(f"nj-moved has {there:.0f} customers", lambda: customers(moved) >= there, 60)
    hub.kill()
    until("nj-moved has everything", lambda: customers(moved) == CUSTOMERS and not progress(moved), 120)
    carried = sum(moved.line.bytes())
    print(f"nj-moved: {carried >> 10} KiB, {there:.0f} of {CUSTOMERS} customers from the first hub", flush=True)
    check(carried < once + LOST, f"{carried} bytes from two hubs, {once} from one")
    hub.start()
    twin.synced()
    check(seen, "status never said that it was being filled")
    check(often < once + KILLS * LOST, f"{often} bytes with {KILLS} kills, {once} without")
    for node in (first, whole, cut, moved):
        node.synced()
    until("all agree", lambda: agree(hub, twin, first, whole, cut, moved), 60)
    for node in (whole, cut, moved):
        text = json.dumps(node.status()) + open(node.log).read()
        check("damaged" not in text, f"{node.name}: a fill is no damage: {text[-500:]}")
    witness.verify(hub, twin, first, whole, cut, moved)
