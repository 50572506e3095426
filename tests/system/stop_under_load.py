#!/usr/bin/env python3
"""SIGTERM under load: the daemon ends within two seconds, and everything acknowledged is there after the restart."""
import os
import threading
import time

from region import SLOW, Payers, Region, check, equal, until

with Region("SIGTERM under 13 paying clients and an import ends the hall within 2 s, and loses nothing") as region:
    hub = region.hub("nj-hub")
    hall = region.hall("nj-gulou", hub, ["3201"])
    accounts = region.customers(hall, 3000)
    stopping = threading.Event()
    payers = [Payers(hall, accounts, range(1 + 1000000 * i, 1000000 * (i + 1)), stopping) for i in range(13)]
    for payer in payers:
        payer.start()
    for _ in range(3):
        before = sum(len(payer.acknowledged) for payer in payers)
        until("payments go on", lambda: sum(len(p.acknowledged) for p in payers) > before + 30, 60)
        bulk = threading.Thread(target=hall.run, args=("customer", "import", os.path.join(region.dir, "customers.csv")))
        bulk.start()
        at = time.monotonic()
        hall.stop()
        took = time.monotonic() - at
        check(took < 2 * SLOW, f"it took {took:.1f} s")
        hall.start()
        bulk.join()
    stopping.set()
    for payer in payers:
        payer.join()
        if payer.error:
            raise payer.error
    acknowledged = {key: value for payer in payers for key, value in payer.acknowledged.items()}
    sent = {key for payer in payers for key in payer.sent}
    here = {row["payment_id"]: row["amount_fen"] for row in hall.json("payment", "list", "--limit", "100000").lines()}
    for key, amount in acknowledged.items():
        equal(here.get(key), amount, f"payment {key}")
    check(set(here) <= sent, "a payment that nobody sent")
    equal(hall.totals()["sum_fen"], sum(here.values()), "the sum")
    print(f"{len(acknowledged)} payments acknowledged over 3 stops; all there, once")
