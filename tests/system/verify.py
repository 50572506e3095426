#!/usr/bin/env python3
"""verify finds what has rotted in log and records; operations come back from the other store that has them, or, where only this node had
them, are issued anew: no payment is lost, none counts twice."""
import json
import os
import shutil

from peek import Peek, Table, overwrite
from region import Region, agree, check, equal, payment, until
from witness import signed_hall

MONEY = 2


def ops(node):
    """(key, row) of the node's own money operations, as they lie in its log."""
    peek = Peek(node)
    origins = {origin for origin, name in peek.nodes().items() if name == node.name}
    return [(key, row) for key, row in peek.table("op")
            if key[10] == MONEY and key[-1] == 0 and int.from_bytes(key[2:10], "big") in origins]


def rot(region, node, part, table, key, row):
    """A few bytes of the row are others."""
    row = bytearray(row)
    for _ in range(3):
        row[region.random.randrange(len(row))] ^= 1 + region.random.randrange(255)
    overwrite(os.path.join(node.dir, part), table, key, bytes(row))


def verify(node, status, *words):
    """What it finds, and its figures."""
    done = node.run("verify", "--json", *words, seconds=120)
    equal(done.status, status, f"{node.name}: verify says {done.out}{done.err}")
    rows = [json.loads(line) for line in done.out.splitlines()]
    equal(rows[-1]["damaged"], len(rows) - 1, f"{node.name}: {rows}")
    return rows[:-1], rows[-1]


def sound(node, seconds=60):
    """Until nothing that rotted waits any more; then all is as it was written."""
    until(f"{node.name} has what rotted again",
          lambda: not [line for line in node.status().get("problems", []) if "rotted" in line], seconds)
    verify(node, 0, "--full")


with Region("rotten operations and records are found, and put right") as region:
    hub, hall, accounts, witness = signed_hall(region, 20, 40)
    verify(hall, 0, "--full")
    verify(hub, 0)

    # What the hub has comes back from there; without records that are older than the rot the hall starts all the same.
    hall.stop()
    key, row = ops(hall)[17]
    rot(region, hall, "log", "op", key, row)
    found, figures = verify(hall, 5)
    check([line for line in found if line["sort"] == "operations" and line["first"] <= 18 <= line["last"]], f"found {found}")
    shutil.rmtree(os.path.join(hall.dir, "records"))
    hall.start()
    sound(hall)
    check(row in [held for _, held in ops(hall)], "the operation is not what it was")
    witness.verify(hub, hall)

    # The same at the hub, while it runs: what it cannot read any more the hall has.  Until that comes people are told what does not go on.
    hub.stop()
    hall.stop()
    key, row = next((key, row) for key, row in Peek(hub).table("op") if key[10] == MONEY and key[-1] == 0)
    rot(region, hub, "log", "op", key, row)
    hub.start()
    verify(hub, 5)
    stopped = until("it is listed", lambda: hub.json("conflict", "list", "--type", "stopped").lines(), 30)
    equal([(line["reason"], line["node"]) for line in stopped], [("rot", "nj-gulou")], "streams that do not go on")
    check(0 < stopped[0]["operations"] <= 40, stopped)
    check("district 3201: stopped behind operation" in stopped[0]["text"] and "hallsync repair" in stopped[0]["advice"], stopped)
    hall.start()
    hall.synced()
    done = hub.run("repair", "--json", seconds=120)
    equal(done.status, 0, f"repair says {done.out}{done.err}")
    check('"state":"healed"' in done.out.replace(" ", ""), f"repair says {done.out}")
    sound(hub)
    witness.verify(hub, hall)

    # Beyond every receipt: nobody else has it.  What the records have of it is issued anew, under another origin.
    hub.stop()
    witness.pay_all(hall, [payment(accounts[i % 20], next(witness.numbers)) for i in range(30)])
    origin = hall.status()["origin"]
    totals = hall.totals()
    hall.stop()
    mine = ops(hall)
    rot(region, hall, "log", "op", *mine[50])
    found, _ = verify(hall, 5)
    check([line for line in found if line["sort"] == "operations" and line["first"] <= 51 <= line["last"]], f"found {found}")
    hall.start()
    # What the check finds is issued anew at once.  If that cuts the check short, it is begun again behind it: only then is all sound.
    done = hall.run("verify")
    check(done.status == 5 or (done.status == 0 and hall.status()["origin"] != origin), f"verify: {done.status}, {done.out}{done.err}")
    until("what rotted is issued anew", lambda: hall.status().get("origin", origin) != origin, 60)
    sound(hall)
    equal(hall.totals(), totals, "what was paid at the hall")
    check(witness.pay(hall, payment(accounts[0], next(witness.numbers))), "no more money is taken")
    hub.start()
    hall.synced()
    until("all agree", lambda: agree(hub, hall), 60)
    witness.signed(hall)
    witness.verify(hub, hall)

    # A record is made anew from the log.
    hall.stop()
    with Table(Peek(hall).state, "state") as table:
        key, row = region.random.choice(list(table.rows()))
    rot(region, hall, "records", "state", key, row)
    found, _ = verify(hall, 5)
    check([line for line in found if line["sort"] == "record"], f"found {found}")
    hall.start()
    verify(hall, 5)
    until("the record is made anew", lambda: hall.run("verify", "--full").status == 0, 60)
    until("all agree", lambda: agree(hub, hall), 60)
    witness.verify(hub, hall)
