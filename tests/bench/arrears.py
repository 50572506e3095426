#!/usr/bin/env python3
"""How long the arrears list takes: a hub with a city's customers, each with a bill that should have been paid; all of them, a few of
them, and when some have paid.  And the report of the day on which they did.

    HS_BIN=build/bin tests/bench/arrears.py [--customers 350000] [--payments 20000]
"""
import argparse
import csv
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "system"))
from region import Region, equal, tool  # noqa: E402


def figure(what, value, unit):
    print(f"{what:70} {value:12.2f} {unit}", flush=True)


def timed(what, work):
    begin = time.monotonic()
    done = work()
    figure(what, time.monotonic() - begin, "s")
    return done


def generate(region, what, count, *words):
    path = os.path.join(region.dir, what + ".csv")
    with open(path, "w") as out:
        subprocess.run([tool("hallsync-gen"), what, "--count", str(count), "--districts", "3201", "--seed", "1", *words], stdout=out, check=True)
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=350000)
    parser.add_argument("--payments", type=int, default=20000, help="by the hall, today: as many as a day report looks at")
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}")
    with Region("arrears") as region:
        hub = region.hub("nj-hub")
        timed("customers imported", lambda: hub.json("customer", "import", generate(region, "customers", arguments.customers), seconds=1200))
        bills = generate(region, "bills", arguments.customers, "--period", "2026-08")
        timed("bills imported", lambda: hub.json("bill", "import", bills, seconds=1200))
        with open(bills) as rows:
            owed = [(row["account"], row["bill_id"], int(row["amount_fen"])) for row in csv.DictReader(rows)]

        def arrears(what, *words):
            lines = timed(what, lambda: hub.json("report", "arrears", *words, seconds=1200)).lines()
            figure("  accounts told", len(lines), "")
            return lines

        everybody = arrears("report arrears, everybody owes")
        equal(sum(line["due_fen"] for line in everybody), sum(fen for *_, fen in owed), "what they owe")
        arrears("report arrears --amount, a few of them", "--amount", str(sorted(fen for *_, fen in owed)[-100]))
        paid = owed[:arguments.payments]
        timed("payments", lambda: hub.put_lines(["payment", "add"], [
            {"account": account, "bill_id": bill, "amount_fen": fen, "method": "cash", "window": n % 13 + 1, "clerk": "c1"}
            for n, (account, bill, fen) in enumerate(paid)]))
        lines = arrears("report arrears, after that")
        equal(len(lines), len(everybody) - len({account for account, *_ in paid}), "who is left")
        day = timed("report day, of the hub's own counters", lambda: hub.json("report", "day", seconds=60)).object()
        equal(day["payments_fen"], sum(fen for *_, fen in paid), "what was paid")


if __name__ == "__main__":
    main()
