#!/usr/bin/env python3
"""What a payment costs on the wire, all headers counted: in a backlog (the test fails above 60 bytes), alone, and with nobody paying.

    tests/system/bytes.py [--backlog 20000] [--single 50] [--goal 60]

A payment is one with its cash entry.  Both directions of a pair of Ethernet devices: Ethernet, IP and TCP headers, acknowledgements,
CURVE, checkpoints, receipts and heartbeats.  The devices cut packets themselves, as a card does, so that each has its headers.
"""
import argparse
import json
import time

from network import Network, inside
from region import check, payment, until


def passed(line):
    return sum(line.bytes())


def drawn(region, accounts):
    """A payment as counters make them: ids, accounts and amounts that do not follow from one another."""
    return payment(region.random.choice(accounts), region.random.getrandbits(128), region.random.randint(100, 30000))


def take(region, hall, accounts, count):
    lines = [json.dumps(drawn(region, accounts)) for _ in range(count)]
    hall.json("payment", "add", "-", data="\n".join(lines) + "\n", seconds=600)


def take_one(region, hall, accounts):
    """Until its receipt is here; asked for at the hall, so that the asking costs nothing on the line."""
    record = drawn(region, accounts)
    hall.json("payment", "add", *(f"{key}={value}" for key, value in record.items()))
    until("its receipt", lambda: hall.json("payment", "get", record["payment_id"]).object()["safe"] != "here")


def quiet(line, seconds=4):
    """Bytes a second of heartbeats alone."""
    before, began = passed(line), time.monotonic()
    time.sleep(seconds)
    return (passed(line) - before) / (time.monotonic() - began)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backlog", type=int, default=20000)
    parser.add_argument("--single", type=int, default=50)
    parser.add_argument("--goal", type=float, default=60)
    asked = parser.parse_args()
    network = Network()
    with network.region("bytes on the wire per payment") as region:
        hub = region.hub("nj-hub", backoff_max_ms=300)
        hall = region.hall("nj-gulou", hub, ["3201"], backoff_max_ms=300)
        for name in (hub.name, hall.name):
            inside(name, "ip", "link", "set", "eth0", "gso_max_segs", "1")
            inside("switch", "ip", "link", "set", name, "gso_max_segs", "1")
        accounts = region.customers(hall, 1000)
        hall.synced()

        hall.line.down()
        until("the cut is noticed", lambda: all(peer["state"] != "live" for peer in hall.status()["peers"]), 60)
        take(region, hall, accounts, asked.backlog)
        before = passed(hall.line)
        hall.line.up()
        hall.synced(120)
        backlog = (passed(hall.line) - before) / asked.backlog

        idle = quiet(hall.line)
        before, began = passed(hall.line), time.monotonic()
        for _ in range(asked.single):
            take_one(region, hall, accounts)
        single = (passed(hall.line) - before - idle * (time.monotonic() - began)) / asked.single
        print(f"bytes on the wire: {backlog:.1f} a payment in a backlog of {asked.backlog}, {single:.0f} a payment alone "
              f"(each after the receipt of the one before), {idle:.0f} a second with nobody paying", flush=True)
        check(backlog <= asked.goal, f"{backlog:.1f} bytes a payment, more than {asked.goal}")


if __name__ == "__main__":
    main()
