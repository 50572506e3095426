#!/usr/bin/env python3
"""A slow line that breaks in mid-message, again and again, in three ways: sessions begin anew, nothing is lost, doubled or garbled."""
import os

from region import SEED, Region, check, until
from witness import Clients, Witness

ROUNDS = int(os.environ.get("HS_ROUNDS") or (400 if os.environ.get("HS_LONG") else 10))
QUICK = {"heartbeat_ms": 200, "backoff_max_ms": 100}

with Region(f"a line with delay, broken {ROUNDS} times in mid-message") as region:
    hub = region.hub("nj-hub", **QUICK)
    # From before the end of the greeting to some segments on; each break is a close, a reset, or silence.
    hall = region.hall("nj-gulou", hub, ["3201"], relay=["-d", "15", "-c", "60-40000", "-s", str(SEED)], **QUICK)
    other = region.hall("nj-xuanwu", hub, ["3201"], **QUICK)
    accounts = region.customers(other, 100)  # they come to the hall over the broken line as well
    witness = Witness(region)
    clients = Clients(witness, other, accounts, 2, pause=0.1).start()
    until("the customers are at the hall", lambda: len(hall.json("customer", "export").out.splitlines()) == len(accounts), 60)
    counters = [clients, Clients(witness, hall, accounts, 2, pause=0.1).start()]

    def broken():
        names = {one["name"]: one["value"] for one in hall.status()["counters"]}
        return names["disconnected"] + names["dialled"]

    began = broken()
    until(f"{ROUNDS} breaks", lambda: broken() - began >= 2 * ROUNDS, 60 + 3 * ROUNDS)
    for clients in counters:
        clients.stop()
    hall.synced(120)  # still broken now and then: what is left comes over piece by piece
    other.synced()
    until("the hall has what the other hall wrote", lambda: hall.digests() == other.digests(), 60)
    witness.verify(hub, hall, other)
    with open(hall.log) as log:
        text = log.read()
    reasons = {reason: text.count(f"reason={reason}") for reason in ("timed-out", "unreachable", "malformed", "bad-signature", "fork")}
    print(f"{broken()} dials and breaks; reasons at the hall: {reasons}")
    check(reasons["malformed"] + reasons["bad-signature"] + reasons["fork"] == 0, "a cut message was taken for another")
