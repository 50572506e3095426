#!/usr/bin/env python3
"""A new hall is filled with 350,000 customers, beside rsync of the same bytes and PostgreSQL's initial copy, between the same namespaces.

    tests/bench/fill.py [--customers 350000] [--repeat 3] [--cuts 5]

Root, for two network namespaces joined by a veth pair.  A hall's time runs from the start of its daemon, just joined, to equal digests.
Then: fills while both ends take payments, and one that is cut again and again at random points.
"""
import argparse
import csv
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(__file__))
from peers import Postgres, Rsync  # noqa: E402
from run import Namespaces, Placed, flush_ms, pay  # noqa: E402
from region import Region, check, equal, tool, until  # noqa: E402

FIGURES = {}


def figure(name, value, unit):
    FIGURES.setdefault((name, unit), []).append(value)
    print(f"  {name}: {value:,.2f} {unit}", flush=True)


class Fills:
    def __init__(self, region, spaces, count):
        self.region, self.spaces, self.halls = region, spaces, 0
        self.hub = Placed(region, "nj-hub")
        self.hub.space = spaces.hub
        region.nodes.append(self.hub)
        subprocess.run([tool("hallsync"), "init", "--role", "hub", "--id", "nj-hub", "--region", "bench", "--district", "3200", "--data",
                        self.hub.dir, "--listen", "tcp://10.98.0.2:7400"], check=True, capture_output=True)
        self.hub.start()
        region.customers(self.hub, count)
        self.csv = os.path.join(region.dir, "customers.csv")
        self.wanted = self.own_district(self.hub)

    @staticmethod
    def own_district(node):
        """The hub's own cash entries lie in its home district, which no hall holds."""
        return [line for line in node.digests().splitlines() if json.loads(line)["partition"] == "3201"]

    def joined(self):
        self.halls += 1
        hall = Placed(self.region, f"nj-hall-{self.halls}")
        hall.space = self.spaces.hall
        self.region.nodes.append(hall)
        token = self.region.enroll(self.hub, hall.name, ["3201"])
        subprocess.run(self.spaces.inside(self.spaces.hall, [tool("hallsync"), "join", "-", "--data", hall.dir]), input=token, text=True,
                       check=True, capture_output=True)
        return hall

    def leave(self, hall):
        hall.stop()
        self.region.nodes.remove(hall)
        shutil.rmtree(hall.dir)

    def timed(self):
        hall = self.joined()
        before, began = self.spaces.bytes_passed(), time.monotonic()
        hall.start()
        hall.synced(300)
        figure("fill", time.monotonic() - began, "s")
        self.bytes = self.spaces.bytes_passed() - before
        figure("fill: bytes on the wire", self.bytes / 1e6, "MB")
        figure("fill: anonymous memory of the hall afterwards", hall.memory_kib() / 1024, "MiB")
        equal(self.own_district(hall), self.wanted, "digests")
        self.leave(hall)

    def under_load(self):
        """Payments at both ends meanwhile, four clients each."""
        hall = self.joined()
        alone = pay(self.hub, 4, 2000, self.csv)
        figure("payments at the hub, nobody filled", alone["per_second"], "payments/s")
        told, stopping = {self.hub: [], hall: []}, threading.Event()
        began = time.monotonic()
        hall.start()

        def payer(node):
            while not stopping.is_set():
                told[node].append(pay(node, 4, 250, self.csv))
        threads = [threading.Thread(target=payer, args=(node,)) for node in told]
        for thread in threads:
            thread.start()
        hall.synced(300)  # what a probe finds: the fill is part of it
        took = time.monotonic() - began
        stopping.set()
        for thread in threads:
            thread.join()
        hall.synced(300)
        figure("fill while both ends take payments", took, "s")
        for node, name in ((self.hub, "hub"), (hall, "hall")):
            runs = told[node]
            figure(f"payments at the {name} meanwhile", statistics.median(run["per_second"] for run in runs), "payments/s")
            figure(f"payments at the {name} meanwhile, p99", max(run["p99_ms"] for run in runs), "ms")
        self.wanted = self.own_district(self.hub)
        equal(self.own_district(hall), self.wanted, "digests")
        self.leave(hall)

    def cut(self, cuts):
        hall = self.joined()
        before, began, away = self.spaces.bytes_passed(), time.monotonic(), 0
        hall.start()
        for share in sorted(self.region.random.uniform(0, 0.9) for _ in range(cuts)):  # anywhere in the fill
            until(f"{share:.0%} of the bytes", lambda: self.spaces.bytes_passed() - before >= share * self.bytes, 300)
            down = time.monotonic()
            hall.kill()
            hall.start()
            away += time.monotonic() - down
        hall.synced(300)
        figure(f"fill killed {cuts} times, without the time away", time.monotonic() - began - away, "s")
        figure(f"fill killed {cuts} times: bytes on the wire", (self.spaces.bytes_passed() - before) / 1e6, "MB")
        equal(self.own_district(hall), self.wanted, "digests")
        self.leave(hall)


def compare(fills, region, spaces, arguments):
    """Each once in turn, so that all of them meet the same neighbours."""
    others = []
    bytes_file = os.path.join(region.dir, "states")
    with open(fills.csv) as rows, open(bytes_file, "w") as out:
        for row in csv.DictReader(rows):  # about what the states of these records take
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    figure("rsync's file", os.path.getsize(bytes_file) / 1e6, "MB")
    if Rsync.present():
        others.append(Rsync(spaces, os.path.join(region.dir, "rsync"), bytes_file))
    if Postgres.present():
        others.append(Postgres(spaces, os.path.join(region.dir, "postgres"), fills.csv, arguments.customers))
    try:
        for _ in range(arguments.repeat):
            for other in others:
                figure(other.name, other.copy(), "s")
            fills.timed()
    finally:
        for other in others:
            other.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=350000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--cuts", type=int, default=5)
    arguments = parser.parse_args()
    check(os.geteuid() == 0, "network namespaces need root")
    print(f"one synced 4 KiB write: {flush_ms():.3f} ms; {os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}")
    with Namespaces() as spaces, Region("fills") as region:
        fills = Fills(region, spaces, arguments.customers)
        compare(fills, region, spaces, arguments)
        for _ in range(arguments.repeat):
            fills.cut(arguments.cuts)
        for _ in range(arguments.repeat):
            fills.under_load()
    print(f"\n{arguments.customers} customers, load {os.getloadavg()[0]:.1f}")
    for (name, unit), values in FIGURES.items():
        print(f"{name:60} {statistics.median(values):12,.2f} {unit:12} {[round(v, 2) for v in values]}")


if __name__ == "__main__":
    main()
