#!/usr/bin/env python3
"""backup-node and restore-node: a hall is backed up while it works, loses its disk, and comes back; each says what it will do, can be
run twice, and proves it."""
import os
import shutil

from ops import Ops, recovery
from region import Region, check, equal, payment

with Region("backup-node and restore-node") as region:
    ops = Ops(region)
    hub = region.hub("nj-hub")
    hall = region.hall("nj-gulou", hub, ["3201"], start=False)
    secret = recovery(ops, hall)
    ops.unit(hall)
    ops.systemctl("start", hall)
    accounts = region.customers(hall, 50)
    safe = os.path.join(region.dir, "safe")
    os.mkdir(safe)

    def pay(numbers):
        for answer in hall.put_lines(["payment", "add"], [payment(accounts[n % 50], n) for n in numbers]):
            equal(answer["result"], "created", "a payment")

    pay(range(30))
    hall.synced()

    # backup-node
    ops.faces("backup-node", hall, "--to", safe)
    equal(os.listdir(safe), [], "what a dry run left")
    check(not os.path.exists(os.path.join(region.dir, "nj-gulou-backups")), "a dry run made a backup")
    ops.refused(2, "no such directory", "backup-node", hall, "--to", "/nowhere")
    done = ops.done("backup-node", hall, "--to", safe, "--secret", secret)
    check("30 payments" in done.out and "read back whole" in done.out, done.out)
    check("proof" in done.log and "measured" in done.log, done.log)
    ops.done("backup-node", hall, "--to", safe)  # once more: one more
    equal(len(os.listdir(safe)), 2, "copies")
    newest = os.path.join(safe, sorted(os.listdir(safe))[-1])
    ops.refused(4, "other-recipient", "backup-node", hall, "--secret", recovery(ops, hub))

    pay(range(30, 50))  # handed in, and in no backup
    hall.synced()
    totals, digests = hall.totals(), hall.digests()

    # restore-node: not over a store that is there, not from what is damaged.
    words = ("--backup", newest, "--secret", secret)
    ops.refused(4, "has a store already", "restore-node", hall, *words)
    damaged = os.path.join(region.dir, "damaged.backup")
    with open(newest, "rb") as file:
        data = bytearray(file.read())
    data[len(data) // 2] ^= 1
    with open(damaged, "wb") as file:
        file.write(data)
    ops.refused(5, "nothing was changed", "restore-node", hall, "--backup", damaged, "--secret", secret, "--force")
    check(hall.process is not None, "the hall was stopped for nothing")
    ops.refused(2, "cannot be read", "restore-node", hall, "--backup", "/nowhere", "--secret", secret)

    # The disk is lost.
    hall.kill()
    shutil.rmtree(hall.dir)
    ops.faces("restore-node", hall, *words)
    check(not os.path.exists(hall.dir), "a dry run restored")
    done = ops.done("restore-node", hall, *words)
    check("nj-gulou is back" in done.out and "NOT" not in done.out, done.out)
    equal(hall.totals(), totals, "payments after the restore")
    equal(hall.digests(), digests, "digests after the restore")

    # Run again it finds its work done; with --force what is there is kept aside, and it comes back again; interrupted then, and run
    # again with the same words, it goes on.
    store = hall.status()["store_id"]
    done = ops.done("restore-node", hall, *words)
    check("already" in done.out, done.out)
    equal(hall.status()["store_id"], store, "it was left alone")
    pay(range(50, 60))
    hall.synced()
    with ops.masked(hall):
        ops.refused(4, "masked", "restore-node", hall, *words, "--force")
    ops.systemctl("start", hall)
    again = hall.status()["store_id"]
    check(again != store, "it was restored again")
    pay(range(200, 205))
    done = ops.done("restore-node", hall, *words, "--force")
    equal((hall.status()["store_id"], hall.totals()["count"]), (again, 65), "it goes on with what is there")
    ops.done("restore-node", hall, *words, "--force")
    check(hall.status()["store_id"] != again, "it was restored once more")
    check(os.path.isdir(os.path.join(hall.dir, "replaced")), "what was there is kept")
    equal(hall.totals()["count"], 65, "payments")
    pay(range(60, 61))

    # Without a link: not waited for anybody.
    hub.stop()
    done = ops.done("restore-node", hall, *words, "--force", "--alone")
    equal(hall.totals()["count"], 30, "payments of the backup")
    hub.start()
    hall.synced()
    check(hall.totals()["count"] in (65, 66), "the link brings the rest")
