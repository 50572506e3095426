#!/usr/bin/env python3
"""A thousand halls at one hub: they come, they are idle, they pay, the hub is killed and comes back, one of them stops reading.

    tests/bench/halls.py [--halls 1000] [--rate 2000] [--seconds 30] [--per-district 1] [--repeat 3]

The halls are light (bench-halls: the real replica over real CURVE links, a small store in memory); the hub is a real daemon on this
machine, which the halls share with it.  Needs a Release build (HS_BIN).  Prints one row a figure: the median and all repetitions.
"""
import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "system"))
from region import Region, check, tool, until  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")


class Halls:
    def __init__(self, hub, halls, processes, per_district, seed=1):
        self.count = halls
        command = [tool("bench-halls"), hub.dir, f"tcp://127.0.0.1:{hub.port}", halls, processes, per_district, seed]
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pids = json.loads(self.process.stdout.readline())["processes"]

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def report(self):
        self.tell("report")
        return json.loads(self.process.stdout.readline())

    def all_live(self, seconds, count=None):
        until(f"{count or self.count} halls are live", lambda: self.report()["live"] >= (count or self.count), seconds)
        return self.report()

    def rest(self):
        """Nobody pays any more, and everything that was paid has its receipt."""
        def receipted():
            told = self.report()
            return told["receipted"] >= told["made"]

        self.tell("rate 0")
        until("everything has its receipt", receipted, 60)

    def end(self):
        for pid in self.pids:
            os.kill(pid, signal.SIGCONT)
        self.tell("quit")
        self.process.wait()


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def busy(pids, seconds):
    """Shares of a core that processes took meanwhile; the figures of a run are over these seconds."""
    before, began = [cpu_s(pid) for pid in pids], time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    return [(cpu_s(pid) - had) / took for pid, had in zip(pids, before)]


FIGURES = {}


def figure(name, value, unit):
    FIGURES.setdefault((name, unit), []).append(value)
    print(f"  {name}: {value:,.2f} {unit}", flush=True)


def paying(name, hub, halls, rate, seconds):
    """Payments for a while, the first of them not counted."""
    halls.tell("reset")
    halls.tell(f"rate {rate}")
    until("they pay", lambda: halls.report()["receipted"] > 2 * rate, 60)
    halls.tell("reset")
    hub_share, *shares = busy([hub.process.pid, *halls.pids], seconds)
    told = halls.report()
    figure(f"{name}: made", told["made"] / told["seconds"], "payments/s")
    figure(f"{name}: credited", told["credited"] / told["seconds"], "payments/s")
    figure(f"{name}: to the credit, p50", told["credit_ms"]["p50"], "ms")
    figure(f"{name}: to the credit, p99", told["credit_ms"]["p99"], "ms")
    figure(f"{name}: to the receipt, p50", told["receipt_ms"]["p50"], "ms")
    figure(f"{name}: to the receipt, p99", told["receipt_ms"]["p99"], "ms")
    figure(f"{name}: to the receipt, greatest", told["receipt_ms"]["max"], "ms")
    figure(f"{name}: the hub's share of a core", hub_share, "cores")
    figure(f"{name}: the halls' share", sum(shares), "cores")
    figure(f"{name}: anonymous memory of the hub", hub.memory_kib() / 1024, "MiB")
    check(told["damage"] == 0, f"differences were found: {told}")
    return told


def quickest(deciles, count):
    """Sessions a second while the quickest tenth of the halls came."""
    return max(count / 10 / max(late - early, 0.01) for early, late in zip(deciles, deciles[1:]))


def restart(name, hub, halls, away=0):
    """Times run from the hub's start; meanwhile the halls wait longer and longer before they dial again."""
    hub.kill()
    time.sleep(away)
    halls.tell("reset")
    began = time.monotonic()
    hub.start()
    figure(f"{name}: the hub answers after", time.monotonic() - began, "s")
    told = halls.all_live(120)
    for part, at in (("first", 0), ("half", 5), ("nine of ten", 9), ("last", 10)):
        figure(f"{name}: {part} of the halls live after", told["came_s"][at], "s")
    figure(f"{name}: the quickest tenth, a second", quickest(told["came_s"], halls.count), "halls/s")
    figure(f"{name}: sessions refused or ended", told["refused"] + told["ended"], "")


def bills(hub, count):
    """For the district of hall 0, by the hub: bulk that it has to send there."""
    path = os.path.join(hub.region.dir, "bills.csv")
    with open(path, "w") as out:
        out.write("bill_id,account,period,amount_fen,due_date\n")
        for number in range(count):
            out.write(f"S-{time.monotonic_ns()}-{number},3201{number % 1000:06},2026-11,{100 + number},2026-12-25\n")
    hub.json("bill", "import", path, seconds=300)


def stalled(hub, halls, rate, seconds, count):
    """The hub has a lot for hall 0: once it takes it, once it reads nothing any more."""
    for name in ("one is sent bills", "one is sent bills and reads nothing"):
        before = hub.memory_kib()
        if name.endswith("nothing"):
            os.kill(halls.pids[0], signal.SIGSTOP)
        bills(hub, count)
        paying(name, hub, halls, rate, seconds)
        figure(f"{name}: growth of the hub's memory", (hub.memory_kib() - before) / 1024, "MiB")
        os.kill(halls.pids[0], signal.SIGCONT)
        halls.rest()
    halls.all_live(60)


def run(arguments):
    with Region(f"{arguments.halls} light halls at one hub") as region:
        hub = region.hub("nj-hub")
        hub.digests()  # what it needs for clients is there
        empty = hub.memory_kib()
        halls = Halls(hub, arguments.halls, arguments.processes, arguments.per_district)
        region.endings.append(halls.end)
        told = halls.all_live(180)
        figure("first time: last of the halls live after", told["came_s"][10], "s")
        hub_share, *shares = busy([hub.process.pid, *halls.pids], 20)
        figure("idle: anonymous memory of the hub a hall", (hub.memory_kib() - empty) / arguments.halls, "KiB")
        figure("idle: the hub's share of a core", hub_share, "cores")
        figure("idle: the halls' share", sum(shares), "cores")
        paying("paying", hub, halls, arguments.rate, arguments.seconds)
        halls.rest()
        restart("hub killed, idle", hub, halls)
        halls.tell("reset")
        halls.tell(f"rate {arguments.rate}")
        until("they pay", lambda: halls.report()["receipted"] > 2 * arguments.rate, 60)
        restart("hub killed while they pay", hub, halls)
        halls.rest()
        restart("hub away for a minute", hub, halls, away=60)
        paying("after that", hub, halls, arguments.rate, arguments.seconds)
        stalled(hub, halls, arguments.rate, arguments.seconds, 20000)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--halls", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=5)
    parser.add_argument("--per-district", type=int, default=1)
    parser.add_argument("--rate", type=int, default=2000)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--repeat", type=int, default=1)
    arguments = parser.parse_args()
    for _ in range(arguments.repeat):
        print(f"load {os.getloadavg()[0]:.2f}")
        run(arguments)
    print(f"\n{arguments.halls} halls, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}")
    for (name, unit), values in FIGURES.items():
        print(f"{name:62} {statistics.median(values):12,.2f} {unit:12} {[round(v, 2) for v in values]}")


if __name__ == "__main__":
    main()
