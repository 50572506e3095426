#!/usr/bin/env python3
"""drill: on copies of last night's backups each disaster is played; nothing is gone, but where the disk, the witness and the link were
missing together, and there exactly what the tills took is named.  The live region notices nothing.

HS_DRILL_CUSTOMERS=350000 HS_DRILL_PAYMENTS=100000 makes it as large as the issue asks for."""
import os
import re
import time

from ops import Ops, recovery
from peek import Peek
from region import SLOW, Region, check, equal, payment, until

CUSTOMERS = int(os.environ.get("HS_DRILL_CUSTOMERS") or 300)
PAYMENTS = int(os.environ.get("HS_DRILL_PAYMENTS") or 90)
SCENARIOS = ["outage", "old-hub", "empty-hub", "old-hall", "lost-hall", "witness", "outbox", "no-witness"]
SECONDS = 600 if CUSTOMERS < 10000 else 3600


def table(out):
    """scenario -> (at stake, gone, fen gone, as promised)"""
    rows = re.findall(r"^(\S+) +(\d+) +(\d+) +(\d+)\.(\d\d) +\d+  (\S+)$", out, re.M)
    return {row[0]: (int(row[1]), int(row[2]), int(row[3]) * 100 + int(row[4]), row[5]) for row in rows}


def state(node):
    return node.digests(), node.status()["commit"], node.status()["store_id"]


def check_now(node):
    """A background check leaves a row in the store: the next one is hours away then."""
    node.json("verify", seconds=SECONDS)
    until(f"{node.name} notes its check", lambda: b"checked" in dict(Peek(node).table("meta")), SECONDS)


with Region("a recovery drill on copies of a hub and three halls") as region:
    ops = Ops(region)
    hub = region.hub("nj-hub", start=False)
    secret = recovery(ops, hub)
    region.open(hub)
    homes = {"nj-chengbei": "3201", "nj-gulou": "3202", "nj-xuanwu": "3203"}
    halls, secrets, dirs = [], [secret], [os.path.join(region.dir, "nj-hub-backups")]
    for name, district in homes.items():
        hall = region.hall(name, hub, [district], start=False)
        secrets.append(recovery(ops, hall))
        dirs.append(os.path.join(region.dir, f"{name}-backups"))
        halls.append(hall.start())
    accounts = region.customers(hub, CUSTOMERS, sorted(homes.values()))
    for number, hall in enumerate(halls):
        own = [account for account in accounts if account.startswith(homes[hall.name])]
        for first in range(0, PAYMENTS // 3, 5000):
            hall.put_lines(["payment", "add"], [payment(own[n % len(own)], 10_000_000 * number + n)
                                                for n in range(first, min(first + 5000, PAYMENTS // 3))])
    for node in halls:
        node.synced(600)
    for node in (hub, *halls):
        node.json("backup", seconds=600)

    words = [word for secret in secrets for word in ("--secret", secret)] + [word for path in dirs for word in ("--from", path)]
    ops.unit(hub)
    for node in (hub, *halls):
        check_now(node)
    before = {node.name: state(node) for node in (hub, *halls)}
    ops.faces("drill", hub, *words)
    ops.refused(2, "which scenario", "drill", hub, *words, "--only", "flood")
    ops.refused(4, "other-recipient", "drill", hub, "--secret", secrets[1])

    place = os.path.join(region.dir, "copies")
    began = time.monotonic()
    done = ops.done("drill", hub, *words, "--place", place, "--payments", "26", "--days", "2", seconds=SECONDS)
    print(done.out if CUSTOMERS > 10000 else f"{time.monotonic() - began:.0f} s", flush=True)
    rows = table(done.out)
    equal(list(rows), SCENARIOS, "what was played")
    for name in SCENARIOS:
        stake, gone, fen, promised = rows[name]
        check(stake > 0, f"{name}: nothing was at stake")
        equal(promised, "yes", f"{name}: as promised")
        equal((gone, fen > 0), (52, True) if name == "no-witness" else (0, False), f"{name}: what is gone")
    receipts = set(re.findall(r"^ +(nj-chengbei-\d{8}-\d{2}-[A-Z2-7]{6}-\d+) ([\d.]+)$", done.out, re.M))
    equal(len({number for number, _ in receipts}), 52, "slips that are named")
    equal(round(sum(float(amount) * 100 for _, amount in receipts)), rows["no-witness"][2], "and their sum")
    check(not os.path.exists(place), "the copies were left behind")
    closes = re.findall(r"^ +gone: nj-chengbei, [\d-]{10}, window \d+: (\d+) payments, ([\d.]+) yuan$", done.out, re.M)
    equal((sum(int(count) for count, _ in closes), round(sum(float(yuan) * 100 for _, yuan in closes))), (52, rows["no-witness"][2]),
          "what is gone, by windows and days")
    stores = set(re.findall(r'"store_id": *"([0-9a-f]{16})"', done.log))
    check(len(stores) > len(halls), f"stores of the copies: {stores}")
    equal([store for store in stores if os.path.exists(f"/dev/shm/hallsync-{store}.note")], [], "their notes are left")

    # The live region has noticed nothing.
    equal({node.name: state(node) for node in (hub, *halls)}, before, "the live nodes")
    for node in (hub, *halls):
        equal(node.status()["forks"], 0, f"forks at {node.name}")

    # Few payments, at days and windows at which the halls had taken others before.
    done = ops.done("drill", hub, *words, "--only", "no-witness", "--payments", "4", "--days", "3", seconds=SECONDS)
    equal({name: row[1:2] + row[3:] for name, row in table(done.out).items()}, {"no-witness": (12, "yes")}, "few payments")

    # With the hub's backup alone it plays with halls of its own.
    done = ops.done("drill", hub, "--secret", secrets[0], "--only", "no-witness", "--payments", "13", "--days", "1",
                    seconds=SECONDS)
    equal({name: row[1:2] + row[3:] for name, row in table(done.out).items()}, {"no-witness": (13, "yes")},
          "with the hub's backup alone")
