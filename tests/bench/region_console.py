#!/usr/bin/env python3
"""The console with a large region: how soon the overview is there, what it costs the node to be asked, what hallsync-admin takes.

    tests/bench/region_console.py [--halls 1000] [--rate 200] [--seconds 20] [--watchers 4] [--month]

A real hub, real sessions of light halls (bench-halls) that pay meanwhile, a real hallsync-admin, and browsers that ask for the overview
and for samples one behind the other while others watch the events.  --month: of all halls there is a month of made-up samples.
All on this machine.
"""
import argparse
import gzip
import json
import os
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "system"))
sys.path.append(os.path.dirname(__file__))
from console import Console, user  # noqa: E402
from halls import FIGURES, Halls, busy, figure  # noqa: E402
from region import Region, check, tool  # noqa: E402


def timed(ask):
    began = time.monotonic()
    reply = ask()
    return (time.monotonic() - began) * 1000, reply


def times(name, ask, count, pause=0.05):
    """Of the answers to one question; the last one."""
    took = []
    for _ in range(count):
        ms, reply = timed(ask)
        check(reply.status == 200, f"{name}: {reply.status} {reply.body[:200]}")
        took.append(ms)
        time.sleep(pause)
    took.sort()
    figure(f"{name}: p50", statistics.median(took), "ms")
    figure(f"{name}: p99", took[min(len(took) - 1, int(len(took) * 0.99))], "ms")
    figure(f"{name}: longest", took[-1], "ms")
    return reply


class Watcher(threading.Thread):
    """A page that is open: it reads the events as they come."""

    def __init__(self, browser):
        super().__init__(daemon=True)
        self.connection = browser.connect()
        self.connection.request("GET", "/api/events", headers={"Cookie": browser.cookie})
        self.bytes = self.events = self.rows = 0
        self.ended = False
        self.start()

    def run(self):
        reply = self.connection.getresponse()
        while not self.ended and (line := reply.readline()):
            self.bytes += len(line)
            if line.startswith(b"data: ") and b'"rows"' in line:
                self.events += 1
                self.rows += len(json.loads(line[6:])["rows"])


def resident_mib(pid):
    with open(f"/proc/{pid}/status") as status:
        return [int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS")][0]


def status_cost(hub, count=30):
    """What it costs to ask the node itself, as hallsync-admin does once a second."""
    took = []
    for _ in range(count):
        began = time.monotonic()
        size = len(hub.run("status", "--json").out)
        took.append((time.monotonic() - began) * 1000)
    figure("hallsync status --json, with its process: p50", statistics.median(took), "ms")
    figure("... its size", size / 1024, "KiB")


def run(arguments):
    with Region(f"the console of a hub with {arguments.halls} halls") as region:
        hub = region.hub("nj-hub")
        user(hub, "li")
        halls = Halls(hub, arguments.halls, arguments.processes, 1)
        region.endings.append(halls.end)
        halls.all_live(180)
        if arguments.month:
            os.makedirs(os.path.join(hub.dir, "admin"), exist_ok=True)
            names = [f"light-{number:04}" for number in range(arguments.halls)]
            subprocess.run([tool("hallsync-make-samples"), os.path.join(hub.dir, "admin", "samples"), "1", *names], check=True)
        console = Console(hub)
        hub_share, = busy([hub.process.pid], arguments.seconds)
        figure("nobody asks, idle: the hub's share of a core", hub_share, "cores")
        with console:
            browser = console.browser()
            check(browser.login("li").status == 200, "the login")
            time.sleep(3)
            hub_share, admin_share = busy([hub.process.pid, console.process.pid], arguments.seconds)
            figure("hallsync-admin asks, idle: the hub's share of a core", hub_share, "cores")
            figure("hallsync-admin asks, idle: its own share", admin_share, "cores")
            for rate in (0, arguments.rate):
                name = f"{rate} payments/s"
                if rate:
                    halls.tell(f"rate {rate}")
                    time.sleep(5)
                watchers = [Watcher(browser) for _ in range(arguments.watchers)]
                time.sleep(3)
                for watcher in watchers:
                    watcher.bytes = watcher.events = watcher.rows = 0
                began = time.monotonic()
                packed = times(f"{name}: overview, gzip", lambda: browser.get("/api/overview", headers={"Accept-Encoding": "gzip"}), 200)
                plain = times(f"{name}: overview, not compressed", lambda: browser.get("/api/overview"), 40)
                times(f"{name}: a hall", lambda: browser.get("/api/node/light-0007"), 40)
                for span in ("hour", "day", "month"):
                    times(f"{name}: samples of one, {span}", lambda: browser.get(f"/api/samples?node=light-0007&span={span}"), 40)
                took = time.monotonic() - began
                figure(f"{name}: to each that watches", sum(watcher.bytes for watcher in watchers) / len(watchers) / 1024 / took, "KiB/s")
                figure(f"{name}: rows to each that watches", sum(watcher.rows for watcher in watchers) / len(watchers) / took, "rows/s")
                hub_share, admin_share = busy([hub.process.pid, console.process.pid], arguments.seconds)
                figure(f"{name}, watched by {arguments.watchers}: the hub's share of a core", hub_share, "cores")
                figure(f"{name}, watched by {arguments.watchers}: hallsync-admin's share", admin_share, "cores")
                check(len(plain.json()["rows"]) == arguments.halls, f"{len(plain.json()['rows'])} rows")
                check(len(json.loads(gzip.decompress(packed.body))["rows"]) == arguments.halls, "rows of the compressed one")
                figure(f"{name}: the overview", len(plain.body) / 1024, "KiB")
                figure(f"{name}: the overview, gzip", len(packed.body) / 1024, "KiB")
            figure("hallsync-admin's resident memory", resident_mib(console.process.pid), "MiB")
            figure("the file of samples", os.stat(os.path.join(hub.dir, "admin", "samples")).st_size / (1 << 20), "MiB")
        status_cost(hub)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--halls", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=5)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--watchers", type=int, default=4)
    parser.add_argument("--month", action="store_true")
    arguments = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.2f}")
    run(arguments)
    print(f"\n{arguments.halls} halls, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}")
    for (name, unit), values in FIGURES.items():
        print(f"{name:70} {statistics.median(values):12,.2f} {unit}")


if __name__ == "__main__":
    main()
