#!/usr/bin/env python3
"""Thirteen clients pay at a hall while hall and hub are killed at random; every acknowledged payment is there once, at both."""
import os
import sys
import threading

from region import Payers, Region, check, equal, until

KILLS = int(os.environ.get("HS_KILLS") or (20 if len(sys.argv) < 2 else sys.argv[1]))

with Region(f"{KILLS} times kill -9 of hall and hub under 13 paying clients: nothing acknowledged is lost, nothing is doubled") as region:
    hub = region.hub("nj-hub")
    hall = region.hall("nj-gulou", hub, ["3201"])
    accounts = region.customers(hall, 200)
    hall.synced()

    stopping = threading.Event()
    payers = [Payers(hall, accounts, range(1 + 1000000 * i, 1000000 * (i + 1)), stopping) for i in range(13)]
    for payer in payers:
        payer.start()

    def paid():
        for payer in payers:
            if payer.error:
                raise payer.error
        return sum(len(payer.acknowledged) for payer in payers)

    for kill in range(KILLS):
        # a little traffic in between, so that a kill meets work in every state
        enough = paid() + region.random.randint(1, 40)
        until("payments go on", lambda: paid() >= enough, 60)
        victim = region.random.choice([hall, hall, hub])
        victim.kill()
        victim.start()
    stopping.set()
    for payer in payers:
        payer.join()
    paid()

    hall.synced()
    acknowledged = {i: fen for payer in payers for i, fen in payer.acknowledged.items()}
    sent = {i: fen for payer in payers for i, fen in payer.sent.items()}
    for node in (hall, hub):
        held = [record for record in node.json("payment", "list", seconds=120).lines()]
        amounts = {record["payment_id"]: record["amount_fen"] for record in held}
        equal(len(amounts), len(held), f"{node.name}: a payment stands twice")
        for number, fen in acknowledged.items():
            equal(amounts.get(number), fen, f"{node.name}: acknowledged payment {number}")
        for number, fen in amounts.items():
            equal(sent.get(number), fen, f"{node.name}: a payment that nobody sent: {number}")
        totals = node.totals()
        equal((totals["count"], totals["sum_fen"]), (len(amounts), sum(amounts.values())), f"{node.name}: totals")
        receipts = [record["receipt"] for record in held]
        equal(len(set(receipts)), len(receipts), f"{node.name}: a receipt number was given twice")
    equal(hall.digests(), "".join(line for line in hub.digests().splitlines(True) if '"3200"' not in line), "digests")
    check(len(acknowledged) >= KILLS, "hardly anything was paid")
    print(f"{len(acknowledged)} payments acknowledged over {KILLS} kills; all there, once")
