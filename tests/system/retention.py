#!/usr/bin/env python3
"""Logs other than money go when they are old and a hub has them, whoever is slow, dead or retired; who was away longer gets states.

A clock that all nodes share goes on by months.  Of what a hall wrote itself while it was away nothing is lost."""
import glob
import os
import sys
import time

from peek import Peek
from region import Region, agree, check, equal, payment, until
from witness import Clients, Witness

FAKETIME = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
CUSTOMERS = 20000 if os.environ.get("HS_LONG") else 2000
QUICK = {"heartbeat_ms": 500, "backoff_max_ms": 300}
DAYS = 30

if not FAKETIME:
    print("retention.py: skipped: no libfaketime")
    sys.exit(77)

with Region("retention: what is old goes, with a dead hall, a retired one and one that was long away") as region:
    clock = os.path.join(region.dir, "clock")

    def set_days(days):
        with open(clock + ".new", "w") as out:
            out.write(f"+{days}d\n")
        os.rename(clock + ".new", clock)

    set_days(0)
    region.env = {"LD_PRELOAD": FAKETIME[0], "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "FAKETIME_FORCE_MONOTONIC_FIX": "0",
                  "FAKETIME_TIMESTAMP_FILE": clock, "FAKETIME_NO_CACHE": "1"}
    hub = region.hub("nj-hub", start=False, **QUICK)
    hub.settings("retention", days=DAYS)
    region.open(hub)
    names = ("nj-here", "nj-away", "nj-dead", "nj-retired")
    here, away, dead, retired = [region.hall(name, hub, ["3201"], start=False, relay=name == "nj-away", **QUICK) for name in names]
    for hall in (here, away, dead, retired):
        hall.settings("retention", days=DAYS)
        hall.start()
    accounts = region.customers(hub, CUSTOMERS)
    witness = Witness(region)
    for number, hall in enumerate((here, away, dead, retired)):
        hall.synced()
        witness.pay_all(hall, [payment(accounts[i], (number + 1 << 40) + i) for i in range(50)])
        hall.json("customer", "put", f"account={accounts[number]}", f"remark=by {hall.name}")
        hall.synced()
    for hall in (here, away):
        hall.synced()
    until("all agree", lambda: agree(hub, here, away, dead, retired))
    dead.kill()
    retired.stop()

    # One hall works on by itself for months; the others go on without it.
    away.relay.cut()
    until("it is alone", lambda: not away.live())
    witness.pay_all(away, [payment(accounts[i], (9 << 40) + i) for i in range(50)])
    away.json("customer", "put", f"account={accounts[10]}", "remark=while away")
    away.json("ticket", "open", "ticket_id=t1", "service=reconnection", f"account={accounts[11]}", "summary=复电")
    clients = Clients(witness, here, accounts, 2, pause=0.02).start()
    sizes = {}

    def kept(node):
        """Lanes -> operations whose rows are still there, and how many there were in all."""
        counts = {}
        for stream in Peek(node).streams():
            there, ever = counts.get(stream.lane, (0, 0))
            counts[stream.lane] = (there + stream.last - stream.first + 1, ever + stream.last)
        return counts


    for month in range(1, 4):
        set_days(31 * month)
        hub.json("customer", "put", f"account={accounts[month]}", f"remark=month {month}")
        here.json("ticket", "open", f"ticket_id=m{month}", "service=reconnection", f"account={accounts[month]}", "summary=复电")
        clients.more(20)
        here.synced()
    clients.stop()
    for node in (hub, here):  # a start tidies up at once, else each minute; killed once in the middle of that, and then let be
        for begun in (False, True):
            if begun:
                time.sleep(region.random.uniform(0.9, 1.6))
            node.kill()
            witness.write("killed", node)
            node.start()
    for node in (hub, here):
        until(f"the customers' log has gone at {node.name}", lambda: kept(node)["people"][0] < kept(node)["people"][1] / 10, 150)
        sizes[node.name] = kept(node)
        equal(sizes[node.name]["money"][0], sizes[node.name]["money"][1], f"{node.name}: the log of money stays whole")
    until("nothing else has changed", lambda: agree(hub, here))
    print(f"kept, of so many: {sizes}", flush=True)

    clients = Clients(witness, here, accounts, 2, pause=0.02).start()

    # What nobody has signed for stays, however old: the hall that is away prunes nothing of its own.
    own = {stream.lane: stream for stream in Peek(away).streams() if stream.node == away.name}
    check(own["work"].first <= 1 and own["money"].first == 1, f"own operations without a receipt have gone: {own}")
    away.relay.heal()
    until("it has a hub", lambda: hub.name in away.live())
    clients.more(20)
    clients.stop()
    for node in (away, here, away):
        node.synced()
    until("it has what it missed", lambda: agree(hub, here, away), 60)
    equal(hub.json("customer", "get", accounts[10]).object()["remark"], "while away", "what was written far away")
    equal(here.json("ticket", "get", "t1").object()["state"], "open", "its ticket")
    equal(away.json("ticket", "get", "m1").object()["state"], "open", "a ticket that it missed")

    # A hall that has never been there, the dead one, and the retired one after all.
    new = region.hall("nj-new", hub, ["3201"], **QUICK)
    dead.start()
    retired.start()
    everybody = (here, away, new, dead, retired)
    for node in (*everybody, here):
        node.synced()
    until("all agree", lambda: agree(hub, *everybody), 60)
    equal(new.json("customer", "get", accounts[2]).object()["remark"], "month 2", "the new hall")
    for node in (hub, *everybody):
        check("damaged" not in open(node.log).read(), f"{node.name} speaks of damage")
    witness.verify(hub, *everybody)
