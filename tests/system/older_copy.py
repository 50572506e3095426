#!/usr/bin/env python3
"""A hall's store is replaced by an older copy of itself; it takes money off line, meets the hub, and nothing is lost or doubled."""
import os
import shutil

from region import Region, check, equal, payment

with Region("an older copy comes back: a fresh origin, the lost tail returns from the hub, no command given") as region:
    hub = region.hub("nj-hub")
    hall = region.hall("nj-gulou", hub, ["3201"], relay=True)
    accounts = region.customers(hall, 50)

    def pay(numbers):
        answers = hall.put_lines(["payment", "add"], [payment(accounts[n % 50], n) for n in numbers])
        for answer in answers:
            equal(answer["result"], "created", "a payment")
        return [answer["receipt"] for answer in answers]

    receipts = pay(range(0, 30))
    hall.stop()
    copy = os.path.join(region.dir, "copy")
    shutil.copytree(hall.dir, copy, ignore=shutil.ignore_patterns("hallsync.sock"))

    hall.start()
    receipts += pay(range(30, 80))  # handed in, and then forgotten by the copy
    hall.synced()
    before = hall.status()

    for again in (1, 2):  # the same copy twice, too
        hall.stop()
        hall.relay.cut()
        shutil.rmtree(hall.dir)
        shutil.copytree(copy, hall.dir)
        hall.start()
        equal(hall.totals()["count"], 30, "what the old copy knows")
        receipts += pay(range(80 + 20 * again, 90 + 20 * again))
        hall.relay.heal()
        hall.synced()
        for node in (hall, hub):
            equal(node.totals()["count"], 80 + 10 * again, f"{node.name}: payments after copy {again}")

    wanted = set(range(0, 80)) | set(range(100, 110)) | set(range(120, 130))
    for node in (hall, hub):
        held = {int(r["payment_id"], 16): r["amount_fen"] for r in node.json("payment", "list").lines()}
        equal(held, {n: payment("", n)["amount_fen"] for n in wanted}, f"{node.name}: payments")
    equal(len(set(receipts)), len(receipts), "a receipt number was given twice")
    check(hall.status()["origin"] != before.get("origin"), "no fresh origin was taken")
    equal(hall.digests(), "".join(line for line in hub.digests().splitlines(True) if '"3200"' not in line), "digests")
    equal([c for c in hall.json("conflict", "list").lines()], [], "nothing for people to decide")
