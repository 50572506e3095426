#!/usr/bin/env python3
"""repair of a stopped store: for each sort of damage it says what it would do, does what needs nobody else, keeps what it replaced, and says
what the node will get from others when it runs, or what people have to do instead."""
import glob
import json
import os

from peek import Peek, Table, overwrite
from region import Region, agree, check, equal, payment, until
from witness import signed_hall

MONEY = 2


def run(node, status, *words):
    """The findings, rows that were healed, and the last line."""
    done = node.run("repair", "--json", *words, seconds=120)
    equal(done.status, status, f"{node.name}: repair {words} says {done.out}{done.err}")
    rows = [json.loads(line) for line in done.out.splitlines()]
    return [row for row in rows if "sort" in row], [row for row in rows if "state" in row], rows[-1], done.err


def turn(node, part, table, key, row, at):
    """One bit of the row is another."""
    row = bytearray(row)
    row[at] ^= 4
    overwrite(os.path.join(node.dir, part), table, key, bytes(row))


def kept(node, row):
    """Is the row, as it was when it had rotted, in replaced/?"""
    lines = [json.loads(line) for name in glob.glob(os.path.join(node.dir, "replaced", "*-rotten.jsonl")) for line in open(name)]
    return [line for line in lines if bytes.fromhex(line["row"]) == row]


def of_log(node, table, wanted):
    """A row of the stopped node's log."""
    return next((key, row) for key, row in Peek(node).table(table) if wanted(key, row))


def damage(node, part, table, key, row, at, sort):
    """It is found, named and planned, and the plan changes nothing."""
    turn(node, part, table, key, row, at)
    bad = bytearray(row)
    bad[at] ^= 4
    for _ in range(2):
        found, _, last, _ = run(node, 5, "--dry-run")
        mine = [line for line in found if line["sort"] == sort]
        check(mine, f"{sort}: found {found}")
        check(last["dry_run"] and mine[0]["remedy"], f"{sort}: {last} {mine}")
    return bytes(bad), mine[0]


with Region("a stopped store is repaired") as region:
    hub, hall, accounts, witness = signed_hall(region, 10, 20)
    hall.stop()
    equal(run(hall, 0)[2], {"damaged": 0, "waiting": 0}, "a sound store")
    equal(run(hall, 0, "--dry-run")[2], {"damaged": 0, "dry_run": True}, "a sound store")

    # A record, and what follows from records: made anew from the log.
    with Table(Peek(hall).state, "state") as table:
        key, row = region.random.choice(list(table.rows()))
    bad, _ = damage(hall, "records", "state", key, row, len(row) - 1, "record")
    equal(run(hall, 0)[2], {"damaged": 0, "waiting": 0}, "a record")
    check(kept(hall, bad), "the record as it was is not kept")
    with Table(Peek(hall).state, "day") as table:
        key, row = next(iter(table.rows()))
    damage(hall, "records", "day", key, row, len(row) - 1, "derived")
    equal(run(hall, 0)[2], {"damaged": 0, "waiting": 0}, "sums")

    # The signature of one's own is given anew.
    key, row = of_log(hall, "op", lambda key, _: key[-1] == 1)
    bad, _ = damage(hall, "log", "op", key, row, 40, "signature")
    equal(run(hall, 0)[2], {"damaged": 0, "waiting": 0}, "a signature")
    check(kept(hall, bad), "the checkpoint as it was is not kept")

    # A receipt is dropped; the node has it again when it runs.
    key, row = of_log(hall, "receipt", lambda key, _: key[10] == MONEY)
    bad, _ = damage(hall, "log", "receipt", key, row, 100, "receipt")
    _, healed, last, _ = run(hall, 5)
    equal((last["damaged"], last["waiting"], healed[-1]["state"]), (0, 1, "waits"), "a receipt")
    check(kept(hall, bad), "the receipt as it was is not kept")
    hall.start()
    until("the receipt is there again", lambda: not hall.status().get("problems"), 60)
    witness.signed(hall)
    hall.stop()

    # An operation that the hub has, by its receipt: the node has it again when it runs.
    key, row = of_log(hall, "op", lambda key, _: key[10] == MONEY and key[-1] == 0)
    bad, _ = damage(hall, "log", "op", key, row, len(row) - 1, "operations")
    _, healed, last, _ = run(hall, 5)
    equal((last["waiting"], healed[-1]["state"] if healed[-1]["first"] else healed[0]["state"]), (1, "waits"), f"an operation: {healed}")
    hall.start()
    until("the operation is there again", lambda: not hall.status().get("problems"), 60)
    check(row in [held for _, held in Peek(hall).table("op")], "the operation is not what it was")
    check(kept(hall, bad), "the operation as it was is not kept")

    # One that only this node has is issued anew at once.
    hub.stop()
    witness.pay_all(hall, [payment(accounts[i % 10], next(witness.numbers)) for i in range(5)])
    totals = hall.totals()
    hall.stop()
    mine = [(key, row) for key, row in Peek(hall).table("op") if key[10] == MONEY and key[-1] == 0]
    key, row = mine[-2]
    damage(hall, "log", "op", key, row, len(row) - 1, "operations")
    _, healed, last, _ = run(hall, 0)
    check([line for line in healed if line["state"] == "anew"], f"healed {healed}")
    hall.start()
    equal(hall.totals(), totals, "what was paid at the hall")
    hub.start()
    hall.synced()
    witness.signed(hall)
    until("all agree", lambda: agree(hub, hall), 60)
    witness.verify(hub, hall)

    # While the node runs, the plan is the check's.
    found, _, last, _ = run(hall, 0, "--dry-run")
    equal((found, last), ([], {"damaged": 0, "dry_run": True}), "a running node")
    checked = hall.status()["checked"]["ended_ms"]
    until("the check is noted on the disk", lambda: [row for key, row in Peek(hall).table("meta") if key == b"checked" and
                                                     int.from_bytes(row[:8], "big") == checked], 30)
    hall.stop()
    hall.start()
    equal(hall.status()["checked"]["ended_ms"], checked, "the time of the last check, over a restart")
    hall.stop()

    # What cannot be mended in its place is left, and what people have to do is said.
    for table, wanted, at, sort in (("origin", lambda key, row: True, 40, "origin"), ("commit", lambda key, row: len(row) > 16, 16, "commits")):
        key, row = of_log(hall, table, wanted)
        bad, found = damage(hall, "log", table, key, row, at, sort)
        check(not found["mends"] and "restore" in found["remedy"], f"{sort}: {found}")
        done = hall.run("repair", seconds=120)
        check(done.status != 0 and "TO DO" in done.out and "restore" in done.out, f"{sort}: {done.out}{done.err}")
        overwrite(os.path.join(hall.dir, "log"), table, key, row)
    equal(run(hall, 0)[2], {"damaged": 0, "waiting": 0}, "as it was")
    hall.start()
    hall.synced()
    witness.verify(hub, hall)
