#!/usr/bin/env python3
"""Halls whose clocks stand in 2001, in 2090, or jump: their payments are right, the error is shown, and nobody else's clock follows."""
import glob
import os
import re
import sys
import time

from region import Region, check, equal, payment, until
from witness import Clients, Witness

FAKETIME = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
YEAR_MS = 365 * 24 * 3600 * 1000
QUICK = {"heartbeat_ms": 300, "backoff_max_ms": 300}

if not FAKETIME:
    print("wrong_clock.py: skipped: no libfaketime")
    sys.exit(77)

with Region("wrong clocks: money is right, the clock is told of, others are not infected") as region:
    hub = region.hub("nj-hub", **QUICK)
    halls = {name: region.hall(name, hub, ["3201"], start=False, **QUICK) for name in ("nj-past", "nj-future", "nj-jumping", "nj-right")}
    clock = os.path.join(region.dir, "clock")

    def set_clock(text):
        with open(clock + ".new", "w") as out:
            out.write(text + "\n")
        os.rename(clock + ".new", clock)

    fake = {"LD_PRELOAD": FAKETIME[0], "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "FAKETIME_FORCE_MONOTONIC_FIX": "0"}
    halls["nj-past"].env = {**fake, "FAKETIME": "@2001-02-03 04:05:06"}
    halls["nj-future"].env = {**fake, "FAKETIME": "@2090-01-02 03:04:05"}
    halls["nj-jumping"].env = {**fake, "FAKETIME_TIMESTAMP_FILE": clock, "FAKETIME_NO_CACHE": "1"}
    set_clock("+0")
    for hall in halls.values():
        hall.start()
    accounts = region.customers(hub, 50)
    for hall in halls.values():
        hall.synced()
        until(f"the customers are at {hall.name}", lambda: hall.digests().count('"customer"') == 1)

    def years_off(hall):
        offsets = [peer["clock_offset_ms"] for peer in hall.status()["peers"] if peer["state"] == "live"]
        return offsets[0] / YEAR_MS if offsets else 0

    this_year = time.gmtime().tm_year
    until("the hall in 2001 shows how far the hub's clock is off its own", lambda: abs(years_off(halls["nj-past"]) - (this_year - 2001)) <= 1)
    until("the hall in 2090, too", lambda: abs(years_off(halls["nj-future"]) - (this_year - 2090)) <= 1)
    shown = {peer["node_id"]: peer["clock_offset_ms"] for peer in hub.status()["peers"]}
    check(shown["nj-past"] < -10 * YEAR_MS and shown["nj-future"] > 10 * YEAR_MS and abs(shown["nj-right"]) < 60000,
          f"the hub shows whose clock is wrong: {shown}")

    def alarms(node):
        return [line for line in node.status().get("problems", []) if line.startswith("clocks differ")]

    def named(line):
        return sorted(re.findall(r"(nj-[a-z]+) is \d+ years (?:ahead|behind)", line))

    until("the hub alarms, and names the clocks", lambda: [named(line) for line in alarms(hub)] == [["nj-future", "nj-past"]], 60)
    until("the hall in 2001 alarms", lambda: [named(line) for line in alarms(halls["nj-past"])] == [["nj-hub"]], 60)
    equal(alarms(halls["nj-right"]), [], "a clock that is right")
    with open(hub.log) as log:
        check("event=clock" in log.read(), "the log does not tell of the clocks")
    check("PROBLEM" in hub.run("status").out, "status")

    witness = Witness(region)
    counters = [Clients(witness, hall, accounts, 2, pause=0.02).start() for hall in halls.values()]
    for jump in ("+30d", "-60d", "+0", "@1970-01-01 00:00:30", "@2090-12-31 23:59:58", "+0"):
        set_clock(jump)
        counters[2].more(10)
    for clients in counters:
        clients.more(20)

    # All four write one field: the value of 2090 is shown, for its stamp is the highest; and whoever edits what he sees replaces it.
    for hall in halls.values():
        hall.json("customer", "put", f"account={accounts[0]}", f"remark={hall.name}")
    for clients in counters:
        clients.stop()

    def settle():
        for hall in (*halls.values(), *halls.values()):
            hall.synced()
        until("all are equal", lambda: len({hall.digests() for hall in halls.values()}) == 1)

    settle()
    halls["nj-past"].json("customer", "put", f"account={accounts[0]}", "remark=decided in 2001")
    settle()
    for node in (hub, *halls.values()):
        equal(node.json("customer", "get", accounts[0]).object()["remark"], "decided in 2001", f"{node.name}: what was written last, knowingly")

    # The business date is the writer's clock's, on the receipt and in the totals; the money is the same everywhere.
    dates = {name: witness.pay(hall, payment(accounts[1], next(witness.numbers)))["receipt"].split("-")[2] for name, hall in halls.items()}
    check(dates["nj-past"].startswith("2001") and dates["nj-future"].startswith("2090"), f"business dates: {dates}")
    check(dates["nj-right"].startswith(str(this_year)), f"the right hall followed another's clock: {dates}")
    hub.json("customer", "put", f"account={accounts[2]}", "remark=at the hub")
    near = abs(hub.status()["clock_ms"] / 1000 - time.time())
    check(near < 60, "the hub's clock followed")

    # Set right again, each goes on, and no number is given twice.
    for name in ("nj-past", "nj-future", "nj-jumping"):
        halls[name].stop()
        halls[name].env = {}
        halls[name].start()
        told = witness.pay(halls[name], payment(accounts[1], next(witness.numbers)))
        check(told["receipt"].split("-")[2].startswith(str(this_year)), f"{name}: its clock is right, and the date is not: {told}")
    settle()
    witness.verify(hub, *halls.values())
    print(f"business dates: {dates}; clocks off at the hub: { {name: round(off / YEAR_MS) for name, off in shown.items()} } years")
