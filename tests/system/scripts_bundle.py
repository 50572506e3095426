#!/usr/bin/env python3
"""carry-bundle: a hall without a line works for days; one stick goes round, is lost, comes twice and comes damaged; nothing is lost or
counts twice, and each step proves what it did."""
import glob
import os

from ops import Ops
from region import Region, check, equal, payment, until

with Region("carry-bundle: one stick goes round") as region:
    ops = Ops(region)
    hub = ops.unit(region.hub("nj-hub"))
    laptop = ops.unit(region.hall("nj-laptop", hub, ["3201"]))
    gulou = region.hall("nj-gulou", hub, ["3201"])
    accounts = region.customers(hub, 40)
    for hall in (laptop, gulou):
        hall.synced()
    laptop.stop()
    laptop.dials()  # its line is gone for good
    ops.systemctl("start", laptop)

    def pay(node, numbers):
        node.put_lines(["payment", "add"], [payment(accounts[n % 40], n) for n in numbers])

    def stick(name):
        path = os.path.join(region.dir, name)
        os.makedirs(path, exist_ok=True)
        return path

    pay(laptop, range(30))
    pay(gulou, range(1000, 1010))
    gulou.synced()
    ops.faces("carry-bundle", laptop, "out", "--for", "nj-hub", "--stick", stick("one"))
    equal(os.listdir(stick("one")), [], "what a dry run wrote")
    ops.refused(2, "out or in", "carry-bundle", laptop, "--stick", stick("one"))
    ops.refused(1, "nothing for nj-laptop", "carry-bundle", laptop, "in", "--stick", stick("one"))
    ops.done("carry-bundle", laptop, "out", "--for", "nj-hub", "--stick", stick("one"))  # which is lost
    pay(laptop, range(30, 50))
    done = ops.done("carry-bundle", laptop, "out", "--for", "nj-hub", "--stick", stick("two"))
    check("NOT PROVEN" not in done.out and "to-nj-hub-" in done.out, done.out)

    with open(os.path.join(stick("two"), "to-nj-hub-east-20261122T101500123Z-1.hsb"), "w") as file:
        file.write("for another, whose name only begins like this one's")

    # At the hub, twice; then the lost one is found.
    done = ops.done("carry-bundle", hub, "in", "--stick", stick("two"))
    check("imported from nj-laptop" in done.out, done.out)
    equal(hub.totals()["count"], 60, "payments at the hub")
    done = ops.done("carry-bundle", hub, "in", "--stick", stick("two"))
    check("old from nj-laptop: 0 new" in done.out, done.out)
    ops.done("carry-bundle", hub, "in", "--stick", stick("one"))
    equal(hub.totals()["count"], 60, "nothing counts twice")

    # And back.
    equal(laptop.json("payment", "get", f"{7:032x}").object()["safe"], "here", "before anything came back")
    done = ops.done("carry-bundle", laptop, "in", "--stick", stick("two"))
    equal(laptop.json("payment", "get", f"{7:032x}").object()["safe"], "hub", "signed for, by stick")
    equal(laptop.totals()["count"], 60, "payments of the district")
    until("the other hall has them", lambda: gulou.totals()["count"] == 60)

    # A damaged file is refused, and said so.
    pay(laptop, range(50, 60))
    ops.done("carry-bundle", laptop, "out", "--for", "nj-hub", "--stick", stick("three"))
    (path,) = glob.glob(os.path.join(stick("three"), "to-nj-hub-*.hsb"))
    with open(path, "r+b") as file:
        file.seek(os.path.getsize(path) // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))
    ops.refused(5, "damaged", "carry-bundle", hub, "in", "--stick", stick("three"))
    equal(hub.totals()["count"], 60, "nothing of it counts")
