#!/usr/bin/env python3
"""rebuild-hall: a hall loses its disk and has no backup; from a token it is made anew and filled, and says what came back."""
import os
import shutil

from ops import Ops
from region import Region, agree, check, equal, payment, until

with Region("rebuild-hall") as region:
    ops = Ops(region)
    hub = region.hub("nj-hub")
    hall = ops.unit(region.hall("nj-gulou", hub, ["3201"]))
    accounts = region.customers(hub, 50)
    hall.synced()

    def pay(numbers):
        return hall.put_lines(["payment", "add"], [payment(accounts[n % 50], n, 700) for n in numbers])

    def token(name):
        path = os.path.join(region.dir, name)
        with open(path, "w") as file:
            file.write(hub.json("node", "enroll", "nj-gulou", "--rebuild").object()["token"])
        return path

    receipts = [answer["receipt"] for answer in pay(range(30))]
    hall.synced()
    ops.refused(2, "cannot be read", "rebuild-hall", hall, "--token", "/nowhere")
    first = token("token-1")
    ops.refused(4, "is not empty", "rebuild-hall", hall, "--token", first)
    hall.kill()
    shutil.rmtree(hall.dir)
    ops.faces("rebuild-hall", hall, "--token", first)
    check(not os.path.exists(hall.dir), "a dry run made a hall")
    with ops.failing("--no-wait", done=True):  # interrupted when it has joined, the token used up
        ops.refused(3, "failed", "rebuild-hall", hall, "--token", first)
    with ops.masked(hall):  # and again
        ops.refused(4, "masked", "rebuild-hall", hall, "--token", first)
    done = ops.done("rebuild-hall", hall, "--token", first)
    check("its old lives had 30 payments here, 210.00 yuan" in done.out and "of the old disk" in done.out, done.out)
    equal(hall.totals()["count"], 30, "payments of the rebuilt hall")
    receipts += [answer["receipt"] for answer in pay(range(30, 40))]
    equal(len(set(receipts)), 40, "a receipt number was given twice")

    # Run again with the same token it goes on, and changes nothing.
    hall.synced()
    store = hall.status()["store_id"]
    done = ops.done("rebuild-hall", hall, "--token", first)
    check("go on with the rebuild" in done.out, done.out)
    equal(hall.status()["store_id"], store, "its store")

    # Another token, over what is there: moved aside.
    done = ops.done("rebuild-hall", hall, "--token", token("token-2"), "--force")
    check(any(name.startswith("nj-gulou.replaced-") for name in os.listdir(region.dir)), "what was there is kept")
    equal(hall.totals()["count"], 40, "payments")
    hall.synced()
    until("all agree", lambda: agree(hub, hall), 30)
    equal(hub.totals()["count"], 40, "payments at the hub")
