#!/usr/bin/env python3
"""verify-region: all halls from the hub, as a table and an exit status; who is away, behind or damaged is named."""
import re

from ops import Ops
from peek import Peek, miswrite
from region import Region, check, equal, payment, until

QUICK = {"heartbeat_ms": 300, "backoff_max_ms": 300}


def rows(out):
    """hall -> its verdict"""
    lines = out[out.index("\nhall ") + 1:].splitlines()[1:]
    return {line.split()[0]: line for line in lines[:lines.index("")]}


with Region("verify-region") as region:
    ops = Ops(region)
    hub = ops.unit(region.hub("nj-hub", **QUICK))
    halls = [region.hall(name, hub, [district], **QUICK) for name, district in (("nj-gulou", "3201"), ("nj-xuanwu", "3202"))]
    accounts = region.customers(hub, 40, ("3201", "3202"))
    for hall in halls:
        hall.synced()
    for number, hall in enumerate(halls):
        own = [account for account in accounts if account.startswith(f"320{number + 1}")]
        hall.put_lines(["payment", "add"], [payment(own[0], 100 * number + n, 500) for n in range(7)])
    ops.unit(halls[0])
    ops.faces("verify-region", hub, asks=False)
    ops.refused(2, "asked at a hub", "verify-region", halls[0])

    done = ops.done("verify-region", hub, "--full")
    check("the region is equal" in done.out, done.out)
    check('"result":"equal"' in done.log, f"compared record by record: {done.log}")
    table = rows(done.out)
    equal(sorted(table), ["nj-gulou", "nj-xuanwu"], "halls in the table")
    for line in table.values():
        check(re.search(r" live .* 7 +35\.00  equal$", line), line)

    with ops.failing("node", "list"):  # no answer is not the answer that all is well
        ops.refused(3, "its nodes cannot be listed", "verify-region", hub)

    # One is off: told, unless it is known.
    halls[1].stop()
    until("the hub knows", lambda: "nj-xuanwu" not in hub.live())
    gone = ops.refused(1, "NOT PROVEN", "verify-region", hub)
    check(rows(gone.out)["nj-xuanwu"].endswith(" AWAY"), gone.out)
    check(rows(gone.out)["nj-gulou"].endswith(" equal"), gone.out)
    known = ops.done("verify-region", hub, "--away", "nj-xuanwu")
    check(rows(known.out)["nj-xuanwu"].endswith(" away"), known.out)
    halls[1].start()
    until("it is back", lambda: "nj-xuanwu" in hub.live())
    ops.done("verify-region", hub)

    # A hall has another content in one of its records.
    customer = halls[1].json("customer", "get", accounts[-1]).object()
    good, bad = customer["phone"], customer["phone"][:-1] + chr(ord(customer["phone"][-1]) ^ 1)
    halls[1].stop()
    miswrite(Peek(halls[1]).state, good.encode(), bad.encode())
    halls[1].start()
    until("it is connected", lambda: "nj-xuanwu" in hub.live())
    damaged = ops.refused(5, "NOT PROVEN", "verify-region", hub)
    check(rows(damaged.out)["nj-xuanwu"].endswith(" DAMAGED") and "DAMAGED at nj-xuanwu" in damaged.out, damaged.out)
    check('"fields":["phone"]' in damaged.log, f"what differs: {damaged.log}")
    equal([text for text in (good, bad, customer["name"]) if text in damaged.log + damaged.out], [], "what stands in it is not in the log")

    hub.stop()
    ops.refused(3, "does not answer", "verify-region", hub)
