#!/usr/bin/env python3
"""A machine is resumed with its memory, or its key is used elsewhere: one origin signs two contents under one number.  The
proof reaches every node, status and log say so, both branches' payments count, and a revocation ends it."""
import glob
import os

from region import Region, agree, check, equal, payment, until

QUICK = {"heartbeat_ms": 300, "backoff_max_ms": 300}
FILES = ("log/data.mdb", "records/data.mdb")


def pays(node, accounts, first, count):
    for number in range(first, first + count):
        answer = node.put_lines(("payment", "add"), [payment(accounts[number % len(accounts)], number, amount=100 + number)])
        check(answer[0]["result"] == "created", f"{node.name}: {answer}")


def picture(node, note):
    """The content of disk and memory of a stopped node."""
    return {path: open(path, "rb").read() for path in [os.path.join(node.dir, name) for name in FILES] + [note]}


def resume(saved):
    """Back into the very same files."""
    for path, content in saved.items():
        with open(path, "r+b" if os.path.exists(path) else "wb") as file:
            file.write(content)
            file.truncate()


with Region("one key, two contents under one number") as region:
    one = region.hub("hub-a", **QUICK)
    two = region.further_hub("hub-b", one, **QUICK)
    hall = region.hall("hall", one, ["3201"], start=False, **QUICK)
    hall.dials(one, two)
    hall.start()
    other = region.hall("other", one, ["3201"], start=False, **QUICK)
    other.dials(two)
    other.start()
    accounts = region.customers(one, 20)
    for node in (two, hall, other):
        node.synced()
    pays(hall, accounts, 0, 3)
    hall.synced()
    note = f"/dev/shm/hallsync-{hall.status()['store_id']}.note"
    check(os.path.exists(note), f"a note at {note}: {glob.glob('/dev/shm/hallsync-*.note')[:5]}")
    hall.stop()
    saved = picture(hall, note)

    hall.start()
    origin = hall.status()["origin"]
    pays(hall, accounts, 10, 2)
    hall.synced()
    until("all have the first branch", lambda: [node.totals()["count"] for node in (one, two, other)] == [5, 5, 5])
    hall.stop()

    # Nobody who knows the first branch is in reach when it writes the second.
    one.stop()
    two.stop()
    resume(saved)
    hall.start()
    pays(hall, accounts, 20, 2)
    equal(hall.status()["origin"], origin, "it goes on as if nothing had been")
    one.start()
    two.start()

    nodes = (one, two, hall, other)
    for node in nodes:
        until(f"{node.name} has the proof", lambda node=node: node.status()["forks"] > 0, 30)
        until(f"the log of {node.name} has it", lambda node=node: "event=fork" in node.tail(400))
        check("fork" in node.run("status").out, f"people see it at {node.name}")
        rows = node.json("conflict", "list", "--type", "fork").lines()
        check(rows, f"{node.name} lists it")
    for node in nodes:
        until(f"{node.name} has the facts of both branches", lambda node=node: node.totals()["count"] == 7, 30)
    check(hall.status().get("origin") != origin, "it writes no more under that origin")
    pays(hall, accounts, 30, 1)
    for node in nodes:
        until(f"{node.name} has what it writes since", lambda node=node: node.totals()["count"] == 8, 30)

    one.json("node", "revoke", "hall", "--reason", "somebody else has its key")
    until("it is refused", lambda: "revoked" in (hall.status()["peers"][0].get("why") or ""))
    pays(hall, accounts, 40, 1)
    other.synced()
    pays(other, accounts, 50, 1)
    for node in (one, two, other):
        until(f"{node.name} has what counts", lambda node=node: node.totals()["count"] == 9, 30)
    equal(hall.totals()["count"], 9, "and the hall what is its own")
    until("all agree", lambda: agree(one, two, other), 60)
