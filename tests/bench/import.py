#!/usr/bin/env python3
"""The nightly import and the export of the marketing system: 350,000 customers and as many bills at a hub, in CSV.

    tests/bench/import.py [--rows 350000] [--changed 3500]

The first night everything is new, the second nothing, the third so many rows are.  Then everything is exported, then nothing, then what
1,000 payments changed.  Each is timed from the command to its end.  Needs a Release build in build/ (or HS_BIN).
"""
import argparse
import csv
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from run import flush_ms  # noqa: E402
from region import Region, check, equal, payment, tool  # noqa: E402


def figure(name, value, unit):
    print(f"{name:60} {value:12,.2f} {unit}", flush=True)


def timed(name, rows, action):
    began = time.monotonic()
    result = action()
    took = time.monotonic() - began
    figure(name, took, "s")
    if rows:
        figure(f"{name}: rows a second", rows / took, "/s")
    return result


def write_customers(path, count):
    with open(path, "w") as out:
        subprocess.run([tool("hallsync-gen"), "customers", "--count", str(count), "--seed", "7", "--districts", "3201"], stdout=out, check=True)
    with open(path, newline="") as rows:
        return [row["account"] for row in csv.DictReader(rows)]


def write_bills(path, accounts, changed):
    with open(path, "w") as out:
        print("bill_id,account,period,amount_fen,due_date,lines,source_no", file=out)
        for n, account in enumerate(accounts):
            amount = 5000 + n % 30000 + (1 if n < changed else 0)
            print(f"2026-11-{account},{account},2026-11,{amount},2026-12-05,电费:{n % 500}000:kWh:{amount},M{n:09}", file=out)


def nights(hub, kind, path, count, change, changed):
    one = timed(f"{kind}s: first night, all of them new", count, lambda: hub.json(kind, "import", path, seconds=900)).object()
    equal((one["created"], one["rejected"]), (count, 0), "first night")
    two = timed(f"{kind}s: second night, the same file", count, lambda: hub.json(kind, "import", path, seconds=900)).object()
    equal((two["unchanged"], two["created"] + two["changed"]), (count, 0), "second night")
    change()
    three = timed(f"{kind}s: third night, {changed} rows are others", count, lambda: hub.json(kind, "import", path, seconds=900)).object()
    equal((three["changed"], three["unchanged"]), (changed, count - changed), "third night")


def change_names(path, changed):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows[:changed]:
        row["name"] += "改"
    with open(path, "w", newline="") as file:
        out = csv.DictWriter(file, rows[0])
        out.writeheader()
        out.writerows(rows)


def export(hub, directory, name, wanted):
    os.makedirs(directory, exist_ok=True)
    told = timed(name, wanted, lambda: hub.json("export", "customer", "bill", "payment", "--out", directory, seconds=900)).object()
    check(told["rows"] >= wanted, f"{told} where {wanted} were wanted")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=350000)
    parser.add_argument("--changed", type=int, default=3500)
    arguments = parser.parse_args()
    print(f"one synced 4 KiB write: {flush_ms():.3f} ms; {os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}")
    with Region("import") as region:
        hub = region.hub("hub")
        customers, bills = (os.path.join(region.dir, name) for name in ("customers.csv", "bills.csv"))
        accounts = write_customers(customers, arguments.rows)
        write_bills(bills, accounts, 0)
        nights(hub, "customer", customers, arguments.rows, lambda: change_names(customers, arguments.changed), arguments.changed)
        nights(hub, "bill", bills, arguments.rows, lambda: write_bills(bills, accounts, arguments.changed), arguments.changed)
        figure("memory of the hub afterwards, anonymous", hub.memory_kib() / 1024, "MiB")
        out = os.path.join(region.dir, "out")
        export(hub, out, "export: everything", 2 * arguments.rows)
        export(hub, out, "export: nothing new", 0)
        hub.put_lines(("payment", "add"), [payment(accounts[n], n + 1) for n in range(1000)])
        export(hub, out, "export: what 1,000 payments changed", 1000)
        print(f"load at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
