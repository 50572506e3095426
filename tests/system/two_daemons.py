#!/usr/bin/env python3
"""A second daemon on one directory is refused and harms nobody; a copied directory that runs beside the original loses nothing either."""
import subprocess
import threading

from region import SLOW, Region, check, equal, tool, until
from witness import Clients, Witness

QUICK = {"heartbeat_ms": 300, "backoff_max_ms": 300}

with Region("two daemons: on one directory, and on a copy of it") as region:
    hub = region.hub("nj-hub", **QUICK)
    hall = region.hall("nj-gulou", hub, ["3201"], **QUICK)
    accounts = region.customers(hall, 100)
    hall.synced()
    witness = Witness(region)
    clients = Clients(witness, hall, accounts, 4, pause=0.02).start()
    clients.more(20)

    # One directory: whoever comes second, ten at a time, is told so and ends; the first does not notice.
    def attempt(results):
        results.append(subprocess.run([tool("hallsyncd"), "-c", hall.conf], capture_output=True, text=True, timeout=30 * SLOW))

    refused = []
    attempts = [threading.Thread(target=attempt, args=(refused,)) for _ in range(10)]
    for one in attempts:
        one.start()
    for one in attempts:
        one.join()
    equal(len(refused), 10, "attempts")
    for done in refused:
        check(done.returncode == 1 and "in-use" in done.stderr, f"a second daemon: {done.returncode} {done.stderr}")
        check(str(hall.process.pid) in done.stderr and hall.dir in done.stderr, f"by whom, and which directory: {done.stderr}")
    clients.more(20)
    equal(hall.status()["origins_opened"], 1, "origins of the hall that went on")
    clients.stop()

    # A copy, taken while the hall stood still, as one restores an image to a second machine; both run, and both take money.
    hall.stop()
    twin = region.twin(hall, "twin")
    hall.start()
    twin.start()
    counters = [Clients(witness, node, accounts, 3, pause=0.02).start() for node in (hall, twin)]
    for clients in counters:
        clients.more(30)
    until("the hub is alarmed", lambda: "event=clone" in open(hub.log).read())
    for clients in counters:
        clients.more(30)
        clients.stop()
    for node in (hall, twin, hall):
        node.synced()
    until("both hold the same", lambda: hall.digests() == twin.digests())
    equal(hub.status()["forks"], 0, "forks: the copy must not go on with the original's origin")
    check(hall.status()["origin"] != twin.status()["origin"], "one origin, two processes")
    witness.verify(hub, hall, twin)
