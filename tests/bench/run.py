#!/usr/bin/env python3
"""The first figures: durable writes at a hall, a backlog after a cut, the first record, bytes on the wire.

    tests/bench/run.py [--repeat 3] [--backlog 100000] [--customers 10000]

As root hall and hub run in two network namespaces joined by a veth pair, whose counters give the bytes with every header; else over
loopback, and the bytes are not measured.  A cut takes the pair down.  Each figure is the median of the repetitions, printed with all of
them; the machine's own flush time is printed for comparison.  Needs a Release build in build/ (cmake --build build).
"""
import argparse
import datetime
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "system"))
from region import Node, Region, check, payment, tool, until  # noqa: E402


class Namespaces:
    """hall (10.98.0.1) - hub (10.98.0.2), or nothing where they cannot be made."""

    def __init__(self):
        self.tag = f"hs{os.getpid() % 100000}"
        self.hall, self.hub = self.tag + "a", self.tag + "b"

    def __enter__(self):
        for name in (self.hall, self.hub):
            self.ip("netns", "add", name)
        self.ip("link", "add", self.hall, "netns", self.hall, "type", "veth", "peer", self.hub, "netns", self.hub)
        for name, address in ((self.hall, "10.98.0.1/24"), (self.hub, "10.98.0.2/24")):
            self.ip("-n", name, "addr", "add", address, "dev", name)
            self.ip("-n", name, "link", "set", name, "gso_max_segs", "1", "up")
            self.ip("-n", name, "link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        for name in (self.hall, self.hub):
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)

    def ip(self, *words):
        subprocess.run(["ip", *words], check=True)

    def inside(self, name, command):
        return ["ip", "netns", "exec", name, *command]

    def link(self, state):
        self.ip("-n", self.hub, "link", "set", self.hub, state)

    def bytes_passed(self):
        read = self.inside(self.hall, ["cat", f"/sys/class/net/{self.hall}/statistics/rx_bytes",
                                       f"/sys/class/net/{self.hall}/statistics/tx_bytes"])
        return sum(int(line) for line in subprocess.run(read, capture_output=True, text=True, check=True).stdout.split())


class Placed(Node):
    """A node whose daemon runs in a namespace."""

    def start(self, ready=True):
        popen = subprocess.Popen
        space = self.space
        try:
            subprocess.Popen = lambda command, **more: popen(["ip", "netns", "exec", space, *command], **more)
            super().start(ready=False)
        finally:
            subprocess.Popen = popen
        until(f"{self.name} answers", self.answers, 30)
        return self


def flush_ms():
    """What one small synced write costs here."""
    with tempfile.NamedTemporaryFile(dir=os.environ.get("TMPDIR")) as file:
        times = []
        for _ in range(200):
            file.write(b"x" * 4096)
            file.flush()
            at = time.monotonic()
            os.fdatasync(file.fileno())
            times.append(time.monotonic() - at)
    return statistics.median(times) * 1e3


def pay(node, clients, each, accounts, rate=None):
    command = [tool("bench-pay"), f"ipc://{node.dir}/hallsync.sock", str(clients), str(each), accounts]
    done = subprocess.run(command + ([str(rate)] if rate else []), capture_output=True, text=True)
    check(done.returncode == 0, f"bench-pay: {done.stdout} {done.stderr}")
    return json.loads(done.stdout)


def row(name, values, unit):
    print(f"{name:52} {statistics.median(values):12,.2f} {unit:12} {[round(v, 2) for v in values]}", flush=True)


def region_of(region, spaces):
    hub = Placed(region, "nj-hub")
    hub.space = spaces.hub
    region.nodes.append(hub)
    subprocess.run([tool("hallsync"), "init", "--role", "hub", "--id", "nj-hub", "--region", "bench", "--district", "3200", "--data", hub.dir,
                    "--listen", "tcp://10.98.0.2:7400"], check=True, capture_output=True)
    hub.start()
    hall = Placed(region, "nj-gulou")
    hall.space = spaces.hall
    region.nodes.append(hall)
    token = region.enroll(hub, "nj-gulou", ["3201"])
    subprocess.run(spaces.inside(spaces.hall, [tool("hallsync"), "join", "-", "--data", hall.dir]), input=token, text=True, check=True,
                   capture_output=True)
    hall.rewrite_conf(lambda text: text + '\nlog:\n  level: "debug"\n')
    return hub, hall.start()


def backlog(region, spaces, hub, hall, accounts, count, figures):
    spaces.link("down")
    until("the cut is noticed", lambda: all(p["state"] != "live" for p in hall.status()["peers"]), 60)
    before = hub.totals()["count"]
    pay(hall, 13, count // 13, accounts)
    made = count // 13 * 13
    passed = spaces.bytes_passed()
    spaces.link("up")
    up = time.monotonic()
    first = until_count(hub, before + 1)
    first_wall = time.time()
    done = until_count(hub, before + made)
    figures["backlog: link-up until all durable at the hub"].append(done - up)
    figures["backlog: link-up until the first (backoff included)"].append(first - up)
    figures["backlog: seconds after the first"].append(done - first)
    hall.synced()
    figures["backlog: bytes on the wire per payment"].append((spaces.bytes_passed() - passed) / made)
    figures["first record at the hub, from the TCP connection"].append(first_wall - connected_at(hall))


def connected_at(hall):
    """When the hall's last TCP connection was there, by its own log."""
    lines = re.findall(r'^(\S+)Z level=debug module=link event=monitor text="[^"]*: connected"', open(hall.log).read(), re.M)
    check(lines, "no connection in the log")
    return datetime.datetime.fromisoformat(lines[-1] + "+00:00").timestamp()


def until_count(node, wanted):
    end = time.monotonic() + 120
    while node.totals()["count"] < wanted:
        check(time.monotonic() < end, "the backlog did not come over")
    return time.monotonic()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--backlog", type=int, default=100000)
    parser.add_argument("--customers", type=int, default=10000)
    parser.add_argument("--payments", type=int, default=26000, help="of the thirteen clients, each time")
    arguments = parser.parse_args()
    check(os.geteuid() == 0, "network namespaces need root")
    print(f"one synced 4 KiB write: {flush_ms():.3f} ms; {os.cpu_count()} cores")
    with Namespaces() as spaces, Region("figures") as region:
        hub, hall = region_of(region, spaces)
        region.customers(hall, arguments.customers)
        accounts = os.path.join(region.dir, "customers.csv")
        hall.synced()
        spaces.link("down")
        until("the cut is noticed", lambda: all(p["state"] != "live" for p in hall.status()["peers"]), 60)
        for clients, each in ((1, arguments.payments // 13), (13, arguments.payments // 13)):
            runs = [pay(hall, clients, each, accounts) for _ in range(arguments.repeat)]
            row(f"durable payments at the hall, {clients} clients", [run["per_second"] for run in runs], "payments/s")
            row(f"  p99 of the answers, {clients} clients", [run["p99_ms"] for run in runs], "ms")
        spaces.link("up")
        hall.synced(120)
        figures = {name: [] for name in ("backlog: link-up until all durable at the hub", "backlog: seconds after the first",
                                         "backlog: link-up until the first (backoff included)",
                                         "first record at the hub, from the TCP connection",
                                         "backlog: bytes on the wire per payment")}
        for _ in range(arguments.repeat):
            backlog(region, spaces, hub, hall, accounts, arguments.backlog, figures)
        for name, values in figures.items():
            row(name, values, "bytes" if "bytes" in name else "s")
        row("memory of the hall's daemon, anonymous", [hall.memory_kib() / 1024], "MiB")
        row("memory of the hub's daemon, anonymous", [hub.memory_kib() / 1024], "MiB")


if __name__ == "__main__":
    main()
