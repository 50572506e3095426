#!/usr/bin/env python3
"""Backup and restore of a hall and of its hub with 350,000 customers and 100,000 payments, until the link has brought back what the
backup lacks.

    tests/bench/restore.py [--customers 350000] [--payments 100000] [--late 1000]

A restore's time runs from its command, with the node's directory gone, to the end of `wait --synced`: the file is verified whole, the
log made, the records replayed and held against the manifest, the daemon started, and the payments taken after the backup come back.
Needs a Release build in build/ (or HS_BIN).
"""
import argparse
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from run import flush_ms, pay  # noqa: E402
from region import Region, check, equal, tool  # noqa: E402


def figure(name, value, unit):
    print(f"{name:60} {value:12,.2f} {unit}", flush=True)


def timed(name, action):
    began = time.monotonic()
    result = action()
    took = time.monotonic() - began
    figure(name, took, "s")
    return took, result


def backup(node, secret):
    took, made = timed(f"{node.name}: backup, read back", lambda: node.json("backup", seconds=600).object())
    figure(f"{node.name}: rows", made["rows"], "rows")
    figure(f"{node.name}: file", made["bytes"] / 1e6, "MB")
    figure(f"{node.name}: the log on the disk", os.path.getsize(os.path.join(node.dir, "log", "data.mdb")) / 1e6, "MB")
    figure(f"{node.name}: snapshot open", made["open_ms"], "ms")
    return made


def restore(region, node, made, secret):
    kept = os.path.join(region.dir, node.name + ".backup")
    shutil.move(made["file"], kept)
    node.kill()
    shutil.rmtree(node.dir)
    words = ["restore", kept, "--data", node.dir, "--secret", secret]
    command, done = timed(f"{node.name}: restore, records replayed and compared", lambda: subprocess.run(
        [tool("hallsync"), *words], capture_output=True, text=True))
    equal(done.returncode, 0, f"restore: {done.stdout} {done.stderr}")

    def back():
        node.start()
        node.synced(600)
    link, _ = timed(f"{node.name}: start and link, until synced", back)
    figure(f"{node.name}: RESTORED, LINK INCLUDED", command + link, "s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=350000)
    parser.add_argument("--payments", type=int, default=100000)
    parser.add_argument("--late", type=int, default=1000, help="payments between backup and loss")
    arguments = parser.parse_args()
    print(f"one synced 4 KiB write: {flush_ms():.3f} ms; {os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}")
    with Region("restore") as region:
        secret = os.path.join(region.dir, "recovery.key")
        public = subprocess.run([tool("hallsync"), "backup-key", "new", secret], capture_output=True, text=True, check=True).stdout.strip()
        hub = region.hub("nj-hub")
        hub.settings("backup", recipients=[public])
        hub.restart()
        hall = region.hall("nj-gulou", hub, ["3201"], start=False)
        hall.settings("backup", recipients=[public])
        hall.start()
        region.customers(hall, arguments.customers)
        paid = pay(hall, 13, arguments.payments // 13, os.path.join(region.dir, "customers.csv"))
        hall.synced(900)
        figure("payments", hall.totals()["count"], "payments")
        figure("taken", paid["per_second"], "payments/s")
        for node in (hall, hub):
            made = backup(node, secret)
            pay(hall, 13, arguments.late // 13, os.path.join(region.dir, "customers.csv"))
            hall.synced(600)
            count = hall.totals()["count"]
            check(count > made["payments"], "nothing happened behind the backup")
            restore(region, node, made, secret)
            hall.synced(600)
            for held in (hall, hub):
                equal(held.totals()["count"], count, f"{held.name}: payments")
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
