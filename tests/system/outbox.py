#!/usr/bin/env python3
"""A counter keeps what no hub has: its hall is set back, off line, and then its disk burns; the counter brings back what was lost, and
proves to the hall that it was set back."""
import os
import shutil

from counter import Counter
from region import Region, check, equal, until
from snapshot import Snapshot


with Region("a counter's outbox brings back what its hall has lost") as region:
    hub = region.hub("nj-hub")
    hall = region.hall("nj-gulou", hub, ["3201"], relay=True)
    accounts = region.customers(hall, 10)
    path = os.path.join(region.dir, "outbox")
    counter = Counter(hall, path)

    def pay(numbers):
        for n in numbers:
            said = counter.pay(accounts[n % 10], 100 + n, f"W1-{n}")
            check(f"W1-{n} taken, receipt nj-gulou-" in said, said)

    def paid(*nodes, count):
        total = sum(100 + n for n in range(count))
        for node in nodes:
            totals = node.totals()
            equal((totals["count"], totals["sum_fen"]), (count, total), f"{node.name}: payments")

    pay(range(10))
    until("everything is at the hub, and the outbox empty", lambda: counter.outbox["waiting"] == 0, 120)
    # Off line: the machine is set back to a snapshot, files, memory and all: the node itself cannot know.  Its counter does.
    hall.relay.cut()
    pay(range(10, 15))
    snapshot = Snapshot(hall)
    hall.start()
    pay(range(15, 30))
    before = hall.status()["origin"]
    hall.stop()
    snapshot.set_back()
    hall.start()
    until("the counter has done anew what was lost", lambda: counter.outbox["done anew"] == 15, 120)
    paid(hall, count=30)
    found = hall.status()
    check(found["origin"] != before, "no fresh origin was taken")
    equal((found["older_copy"]["why"], found["older_copy"]["operations"]), ("a client knows more than this store", 0), "what was found")
    check("OLDER COPY" in hall.run("status").out, "it is not shown")

    # The same once more, as a restored directory, and with a counter that was started anew since.
    hall.stop()
    snapshot.copied_back()
    counter.kill()
    hall.start()
    counter = Counter(hall, path)
    until("it is done anew once more", lambda: counter.outbox.get("done anew") == 15, 120)
    paid(hall, count=30)
    pay(range(30, 32))
    hall.relay.heal()
    until("the outbox is empty", lambda: counter.outbox["waiting"] == 0, 180)
    hall.synced()
    paid(hall, hub, count=32)

    # Off line again: the disk burns.  The hall is made anew, and the counter hands in what was only there.
    hall.relay.cut()
    pay(range(32, 40))
    hall.kill()
    shutil.rmtree(hall.dir)
    hall.relay.heal()
    answer = region.join(region.enroll(hub, hall.name, ["3201"]), hall.dir, hall.enter)
    check(answer.status == 0, f"join: {answer.out} {answer.err}")
    hall.start()
    pay(range(40, 42))
    counter.end()
    hall.synced()
    paid(hall, hub, count=42)
    equal([c for c in hub.json("conflict", "list").lines()], [], "nothing for people to decide")
    receipts = [e["number"] for e in hub.json("payment", "list").lines() if "number" in e]
    equal(len(set(receipts)), len(receipts), "a receipt number was given twice")
