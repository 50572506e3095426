#!/usr/bin/env python3
"""A hall off line for many payments catches up in one go, with bounded memory at both ends."""
import json
import os
import threading
import time

from region import SLOW, Region, check, equal, payment

COUNT = int(os.environ.get("HS_BACKLOG") or 100000)
GROWTH_KIB = 96 * 1024  # of each daemon, beyond what it had: credit, groups and caches, not the backlog


class Watch(threading.Thread):
    """The greatest anonymous memory of a daemon while it runs."""

    def __init__(self, node):
        super().__init__(daemon=True)
        self.node, self.peak, self.over = node, node.memory_kib(), threading.Event()

    def run(self):
        while not self.over.wait(0.02):
            self.peak = max(self.peak, self.node.memory_kib())


with Region(f"{COUNT} payments made off line come over in one go") as region:
    hub = region.hub("nj-hub")
    hall = region.hall("nj-gulou", hub, ["3201"], relay=True)
    accounts = region.customers(hall, 1000)
    hall.synced()
    hall.relay.cut()
    hall.restart()  # it comes up without its link

    path = os.path.join(region.dir, "payments.json")
    with open(path, "w") as out:
        for number in range(COUNT):
            out.write(json.dumps(payment(accounts[number % 1000], number)) + "\n")
    started = time.monotonic()
    answers = hall.json("payment", "add", "-", data=open(path).read(), seconds=600).out
    equal(answers.count('"created"'), COUNT, "payments taken off line")
    taken = time.monotonic() - started
    equal(hub.totals()["count"], 0, "the hub heard of them before")

    watches = [Watch(hall), Watch(hub)]
    before = [watch.peak for watch in watches]
    for watch in watches:
        watch.start()
    started = time.monotonic()
    hall.relay.heal()
    hall.synced(300)
    healed = time.monotonic() - started
    for watch in watches:
        watch.over.set()
        watch.join()
    equal(hub.totals(), hall.totals(), "totals")
    equal(hub.totals()["count"], COUNT, "payments at the hub")
    print(f"{COUNT} payments: taken in {taken:.1f} s, at the hub {healed:.1f} s after the link came back (backoff included); "
          f"anonymous memory hall {before[0]} -> {watches[0].peak} KiB, hub {before[1]} -> {watches[1].peak} KiB")
    for watch, had in zip(watches, before):
        check(watch.peak - had < GROWTH_KIB * max(1, SLOW), f"{watch.node.name} grew by {watch.peak - had} KiB")
