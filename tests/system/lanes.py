#!/usr/bin/env python3
"""A work order made now passes a backlog of another lane, in either direction: the times of many of them, on narrow lines.

    tests/system/lanes.py [--rate 2mbit --goal 1] [--backlog 20000] [--tickets 100] [--way up|down|fill|all]

A backlog (payments of the hall, or bills of the hub) is made while the line is down; while it flows, tickets are opened one after
the other, and the change feed of the other end says when each arrives.  Way "fill": a new hall is filled with customers meanwhile.  Both
ends are on one machine, so one clock serves.
"""
import argparse
import itertools
import json
import os
import subprocess
import threading
import time

from network import Network
from region import SLOW, check, payment, tool, until

LONG = bool(os.environ.get("HS_LONG"))
ROUNDS = itertools.count()  # in names and numbers


class Arrivals(threading.Thread):
    """When each ticket came to a node, by its change feed."""

    def __init__(self, node):
        super().__init__(daemon=True)
        self.at = {}
        command = [tool("hallsync"), "-c", node.conf, "watch", "ticket", "--from", node.status()["position"], "--json"]
        self.feed = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.start()

    def run(self):
        for line in self.feed.stdout:
            self.at[json.loads(line)["record"]["ticket_id"]] = time.monotonic()

    def end(self):
        self.feed.kill()
        self.feed.wait()
        self.join()
        self.feed.stdout.close()


def quantile(values, part):
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def waiting(node):
    return sum(peer.get("lag_out_ops", 0) for peer in node.status()["peers"] if peer["state"] == "live")


def payments(region, hall, accounts, count, round):
    path = os.path.join(region.dir, "payments.json")
    with open(path, "w") as out:
        for number in range(count):
            out.write(json.dumps(payment(accounts[number % len(accounts)], round * 10000000 + number)) + "\n")
    hall.json("payment", "add", "-", data=open(path).read(), seconds=600)


def bills(region, hub, accounts, count, round):
    path = os.path.join(region.dir, "bills.csv")
    with open(path, "w") as out:
        out.write("bill_id,account,period,amount_fen,due_date\n")
        for number in range(count):
            account = accounts[number % len(accounts)]
            out.write(f"R{round}-{number},{account},2026-11,{region.random.randint(1, 99999)},2026-12-25\n")
    hub.json("bill", "import", path, seconds=600)


def tickets(writer, reader, count, account, pause, name, behind):
    """Open so many, one each @pause seconds, while something else is @behind; how long each took."""
    arrivals, opened = Arrivals(reader), {}
    while len(opened) < count and behind():
        ticket = f"{name}-{len(opened)}"
        began = time.monotonic()
        writer.json("ticket", "open", f"ticket_id={ticket}", "service=reconnection", f"account={account}", "summary=复电")
        opened[ticket] = began
        time.sleep(max(0, began + pause - time.monotonic()))
    until(f"all tickets are at {reader.name}", lambda: all(ticket in arrivals.at for ticket in opened), 120)
    arrivals.end()
    check(opened, "the backlog was gone before one ticket was opened")
    return [arrivals.at[ticket] - began for ticket, began in opened.items()]


def past_segments(region, hub, hall, accounts, line, way, count):
    """Times of up to so many tickets over a backlog of operations in one direction."""
    round = next(ROUNDS)
    hall.line.down()
    until("the cut is noticed", lambda: all(peer["state"] != "live" for peer in hall.status()["peers"]), 60)
    writer, reader = (hall, hub) if way == "up" else (hub, hall)
    (payments if way == "up" else bills)(region, writer, accounts, line["backlog"], round)
    hall.line.rate(line["rate"])
    hall.line.up()
    until(f"the backlog of {writer.name} flows", lambda: waiting(writer) > 0, 120)
    took = tickets(writer, reader, count, accounts[0], line["pause"], f"t{round}", lambda: waiting(writer) > 10)
    hall.line.rate("1gbit")
    hall.synced(300)
    return took


def customers_at(node):
    return sum(line["count"] for line in node.json("digest").lines() if line["kind"] == "customer")


def past_states(region, hub, accounts, line, count):
    """Times of up to so many tickets to a new hall that is being filled with the hub's customers."""
    round = next(ROUNDS)
    hall = region.hall(f"nj-new-{round}", hub, ["3201"], start=False, backoff_max_ms=300)
    hall.line.rate(line["rate"])
    hall.start()
    until("customers come", lambda: customers_at(hall) > 0, 60)
    took = tickets(hub, hall, count, accounts[0], line["pause"], f"f{round}", lambda: customers_at(hall) < len(accounts))
    hall.line.rate("1gbit")
    hall.synced(300)
    check(customers_at(hall) == len(accounts), "customers are missing")
    hall.stop()
    return took


def measured(line, way, past):
    """The times of as many tickets as are wanted: where this machine is slow and a backlog is gone too soon, over more than one."""
    took = []
    while len(took) < line["tickets"]:
        took += past(line["tickets"] - len(took))
    print(f"{line['rate']} {way}: {len(took)} tickets past a backlog: p50 {quantile(took, 0.5):.2f} s, "
          f"p99 {quantile(took, 0.99):.2f} s, greatest {max(took):.2f} s", flush=True)
    return took


def judge(line, way, past, alone):
    """Measured again, twice at most, where tickets that pass nothing take long too, for then this machine has no time for the test; and
    where it was not by far: the p99 of so few is the slowest one."""
    for last in (False, False, True):
        took = quantile(measured(line, way, past), 0.99)
        goal = line["goal"] * SLOW
        if took < goal:
            return
        idle = quantile(alone(), 0.99)
        check((idle > took / 3 or took < 3 * goal) and not last, f"the tickets took more than {goal} s; with nothing to pass {idle:.2f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate")
    parser.add_argument("--goal", type=float, default=5, help="seconds; the test fails if the p99 is above")
    parser.add_argument("--backlog", type=int, default=100000)
    parser.add_argument("--tickets", type=int, default=100)
    parser.add_argument("--pause", type=float, default=0.1)
    parser.add_argument("--way", choices=("up", "down", "fill", "all"), default="all")
    asked = parser.parse_args()
    lines = [{"rate": "2mbit", "goal": 1, "backlog": 100000 if LONG else 40000, "tickets": 100 if LONG else 40, "pause": 0.1},
             {"rate": "64kbit", "goal": 5, "backlog": 100000 if LONG else 10000, "tickets": 100 if LONG else 8, "pause": 1}]
    if asked.rate:
        lines = [{key: getattr(asked, key) for key in ("rate", "goal", "backlog", "tickets", "pause")}]
    network = Network()
    with network.region("work orders pass a backlog on a narrow line") as region:
        hub = region.hub("nj-hub", backoff_max_ms=300)
        hall = region.hall("nj-gulou", hub, ["3201"], backoff_max_ms=300)
        accounts = region.customers(hub, 40000 if LONG else 16000)
        hall.synced()

        def alone():
            """With nothing to pass, on a wide line."""
            return tickets(hub, hall, 20, accounts[0], 0.1, f"a{next(ROUNDS)}", lambda: True)

        for line in lines:
            for way in ("up", "down") if asked.way == "all" else {asked.way} - {"fill"}:
                judge(line, way, lambda count: past_segments(region, hub, hall, accounts, line, way, count), alone)
            if asked.way in ("fill", "all"):
                judge(line, "fill", lambda count: past_states(region, hub, accounts, line, count), alone)


if __name__ == "__main__":
    main()
