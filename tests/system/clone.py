#!/usr/bin/env python3
"""Whatever comes back of a hall: a restored directory, the same one again, a clone beside the original, a machine set back with its memory.
Nothing is lost, doubled or to be decided, numbers never repeat, and what was found is shown and alarmed."""
from region import Region, agree, check, equal, payment, until
from snapshot import Snapshot

ACCOUNTS = 20

with Region("older copies and clones of a hall come back") as region:
    hub = region.hub("nj-hub")
    hall = region.hall("nj-gulou", hub, ["3201"], relay=True)
    other = region.hall("nj-xuanwu", hub, ["3201"])
    accounts = region.customers(hall, ACCOUNTS)
    receipts, wanted = [], {}

    def pay(node, numbers):
        records = [payment(accounts[n % ACCOUNTS], n) for n in numbers]
        for record, answer in zip(records, node.put_lines(["payment", "add"], records)):
            equal(answer["result"], "created", "a payment")
            receipts.append(answer["receipt"])
            wanted[record["payment_id"]] = record["amount_fen"]

    def prove(*nodes):
        until("all agree", lambda: agree(*nodes), 60)
        for node in nodes:
            held = {r["payment_id"]: r["amount_fen"] for r in node.json("payment", "list").lines()}
            equal(held, wanted, f"{node.name}: payments")
            equal(node.totals()["sum_fen"], sum(wanted.values()), f"{node.name}: their sum")
            equal([c["type"] for c in node.json("conflict", "list").lines() if c["type"] != "no-bill"], [], f"{node.name}: to be decided")
        equal(len(set(receipts)), len(receipts), "a receipt number was given twice")

    def found():
        return hall.status().get("older_copy", {"operations": 0})

    # Nothing of it is said of a hall that was merely started anew.
    pay(hall, range(30))
    hall.restart()
    pay(hall, range(30, 40))
    hall.synced()
    check("older_copy" not in hall.status(), "a start that is as it should be is taken for an older copy")

    # A restored directory: off line first, then with the hub.  And the same one again.
    snapshot = Snapshot(hall)
    hall.start()
    pay(hall, range(40, 60))
    hall.synced()
    for again in (1, 2):
        lost = len(wanted) - 40
        hall.stop()
        hall.relay.cut()
        snapshot.copied_back()
        hall.start()
        equal(hall.totals()["count"], 40, "what the old copy knows")
        pay(hall, range(100 * again, 100 * again + 10))
        hall.relay.heal()
        hall.synced()
        prove(hall, hub, other)
        equal((found()["money"], found()["from"]), (lost, hub.name), f"what came back, time {again}")
        shown = hall.run("status").out
        check("OLDER COPY" in shown and f"{lost} of them money" in shown, shown)
        # At first, and again when twice as much has come back: of two origins, say, in two pieces.
        lives = open(hall.log).read().split("event=started")
        equal(sum("event=older-copy" in life for life in lives), again, "it is alarmed, once it is one")

    # A clone is made while the hall stands still, and both are started: here the one, there the other.
    hall.stop()
    clone = region.twin(hall, "nj-gulou-2")
    hall.relay.cut()
    for node in (hall, clone):
        node.start()
    pay(hall, range(300, 310))
    pay(clone, range(400, 410))
    clone.stop()
    hall.relay.heal()
    hall.synced()
    hall.stop()
    clone.start()  # its turn, with the same keys
    pay(clone, range(410, 415))
    clone.synced()
    prove(clone, hub, other)
    clone.stop()
    hall.start()
    pay(hall, range(310, 315))
    hall.synced()
    prove(hall, hub, other)

    # The machine is set back with its memory, off line, and nobody is there who knows more: two contents under one number.  That is a
    # fork: proven, shown at every node, and the facts of both branches are kept.
    snapshot = Snapshot(hall)
    hall.start()
    pay(hall, range(500, 505))
    hall.synced()
    hall.stop()
    hall.relay.cut()
    snapshot.set_back()
    hall.start()
    pay(hall, range(600, 605))
    hall.relay.heal()
    for node in (hall, hub, other):
        until(f"{node.name} knows of the fork", lambda: node.status()["forks"] > 0, 60)
    until("both branches are everywhere", lambda: all(node.totals()["count"] == len(wanted) for node in (hall, hub, other)), 60)
    for node in (hall, hub, other):
        held = {r["payment_id"]: r["amount_fen"] for r in node.json("payment", "list").lines()}
        equal(held, wanted, f"{node.name}: payments of both branches")
    # "fact": the second branch gave out the first one's receipt numbers again.  Both slips are listed; the payments have ids of their own.
    equal({c["type"] for c in hub.json("conflict", "list").lines()} - {"no-bill"}, {"fork", "fact"}, "what is to be known")
    pay(hall, range(700, 705))
    hall.synced()
    equal(hub.totals()["count"], len(wanted), "it goes on")
