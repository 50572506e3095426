#!/usr/bin/env python3
"""replace-hub: a hub is lost with all its disks, another machine becomes it from last night's backup, and later the old machine becomes
it again; the halls lose nothing, and there are never two."""
import os

from ops import Ops, recovery
from region import Node, Region, agree, check, equal, payment, until

QUICK = {"heartbeat_ms": 300, "backoff_max_ms": 300}

with Region("replace-hub: failover and return") as region:
    ops = Ops(region)
    old = region.hub("nj-hub", start=False, admit_after_ms=2000, **QUICK)
    secret = recovery(ops, old)
    region.open(old)
    ops.unit(old)  # with the port that it was given: the backup has that
    halls = [region.hall(name, old, ["3201"], **QUICK) for name in ("nj-gulou", "nj-xuanwu")]
    accounts = region.customers(old, 50)
    for hall in halls:
        hall.synced()
    carried = os.path.join(region.dir, "carried")
    os.mkdir(carried)
    numbers = iter(range(1, 10000))

    def pay(count):
        for hall in halls:
            hall.put_lines(["payment", "add"], [payment(accounts[n % 50], next(numbers)) for n in range(count)])

    def newest(place):
        return os.path.join(place, sorted(os.listdir(place))[-1])

    pay(20)
    for hall in halls:
        hall.synced()
    ops.done("backup-node", old, "--to", carried)
    pay(20)  # the hub has it, and no backup
    for hall in halls:
        hall.synced()
    before = old.totals()
    equal(before["count"], 80, "payments")

    # The hub is lost.  Another machine: another directory, another unit; the address leads there.
    new = Node(region, "nj-hub-new")
    region.nodes.append(new)
    new.port = old.port
    ops.unit(new)
    words = ("failover", "--backup", newest(carried), "--secret", secret, "--address", f"127.0.0.1:{old.port}", "--data", new.dir)
    ops.refused(4, "somebody still listens", "replace-hub", new, *words)
    ops.refused(4, "runs here", "replace-hub", old, "failover", "--backup", newest(carried), "--secret", secret)
    ops.refused(2, "failover, hand-over or return", "replace-hub", None)
    old.kill()
    pay(5)  # halls go on
    ops.faces("replace-hub", new, *words)
    check(not os.path.exists(new.dir), "a dry run made a hub")
    halls[1].stop()
    ops.refused(3, "in vain for the halls", "replace-hub", new, *words, "--timeout", "3")  # and the one that is off is named
    with ops.failing("node", "list"):
        ops.refused(3, "in vain for the halls", "replace-hub", new, *words, "--timeout", "3")
    halls[1].start()
    store = new.status()["store_id"]
    done = ops.done("replace-hub", new, *words)
    check("already" in done.out and "nj-hub is the hub again" in done.out, done.out)
    equal(new.status()["store_id"], store, "run again it went on")
    for hall in halls:
        hall.synced()
    equal(new.totals()["count"], 90, "payments at the new hub: what was behind the backup came from the halls")
    until("all agree", lambda: agree(new, *halls), 30)

    # The move back: the new one ends with a last backup, the old machine becomes the hub, and its own store is laid aside.
    pay(5)
    for hall in halls:
        hall.synced()
    ops.refused(4, "has been nj-hub before", "replace-hub", old, "failover", "--backup", newest(carried), "--secret", secret)
    os.mkdir(os.path.join(region.dir, "moved"))
    moved = os.path.join(region.dir, "moved")
    done = ops.done("replace-hub", new, "hand-over", "--to", moved)
    check(new.process is None, "the new hub runs on")
    equal(open(os.path.join(ops.units, "nj-hub-new.boot")).read(), "disable\n", "and would start again")
    ops.done("replace-hub", new, "hand-over", "--to", moved)  # again: one more last backup
    pay(5)
    words = ("return", "--backup", newest(moved), "--secret", secret, "--address", f"127.0.0.1:{old.port}")
    halls[1].stop()
    done = ops.done("replace-hub", old, *words, "--away", "nj-xuanwu")
    check("away: hands in" in done.out, done.out)
    halls[1].start()
    for hall in halls:
        hall.synced()
    equal(old.totals()["count"], 110, "payments at the old machine")
    until("all agree again", lambda: agree(old, *halls), 30)
    check(os.path.isdir(os.path.join(old.dir, "replaced")), "what lay there is kept")
    held = {record["payment_id"] for record in old.json("payment", "list").lines()}
    equal(held, {f"{number:032x}" for number in range(1, 111)}, "each payment, once")
    for node in (old, *halls):
        equal(node.status()["forks"], 0, f"forks at {node.name}")
