#!/usr/bin/env python3
"""Over 64 kbit/s and 2 Mbit/s a backlog of both directions arrives, and urgent tickets pass it; measured."""
import json
import os
import subprocess
import time

from network import Network
from region import SLOW, check, payment, tool, until
from witness import Witness

LONG = bool(os.environ.get("HS_LONG"))
URGENT_S = 5  # a ticket, under any backlog of other lanes
TICKETS = 3


def bills(region, hub, accounts, month, count):
    path = os.path.join(region.dir, "bills.csv")
    with open(path, "w") as out:
        out.write("bill_id,account,period,amount_fen,due_date\n")
        for number in range(count):
            out.write(f"B{month}-{number},{accounts[number % len(accounts)]},2026-{month:02},{region.random.randint(1, 99999)},2026-12-25\n")
    hub.json("bill", "import", path, seconds=300)


def customers(region, hall, count):
    """Customers with names that do not compress to nothing."""
    path = os.path.join(region.dir, "customers.csv")
    with open(path, "w") as out:
        out.write("account,name\n")
        for number in range(count):
            out.write(f"32011{number:05},{region.random.getrandbits(256):x}\n")
    hall.json("customer", "import", path, seconds=300)


def behind(node, way):
    return sum(peer.get(f"lag_{way}_ops", 0) for peer in node.status()["peers"] if peer["state"] == "live")


def opened(name, node, account):
    node.json("ticket", "open", f"ticket_id={name}", "service=reconnection", f"account={account}", "summary=复电")


def ticket(name, writer, reader, account):
    """How long one takes to the other end."""
    began = time.monotonic()
    opened(name, writer, account)
    until(f"{writer.name}'s ticket is at {reader.name}", lambda: reader.run("ticket", "get", name).status == 0, 60)
    return time.monotonic() - began


def arrivals(node, position, kinds):
    """What came to the node since that position, in order, up to so many of each kind: the kinds, and of tickets the ids."""
    command = [tool("hallsync"), "-c", node.conf, "watch", *kinds, "--from", position, "--json"]
    left, order = dict(kinds), []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as feed:
        while any(count > 0 for count in left.values()):
            line = feed.stdout.readline()
            check(line, f"the feed of {node.name} ended, and {left} had not come")
            change = json.loads(line)
            left[change["kind"]] -= 1
            order.append(change["record"]["ticket_id"] if change["kind"] == "ticket" else change["kind"])
        feed.kill()
    return order


def share_behind(order, urgent, bulk):
    """How much of the bulk came after the last urgent one."""
    last = len(order) - 1 - order[::-1].index(urgent)
    return order[last:].count(bulk) / order.count(bulk)


network = Network()
with network.region("a narrow line: the order of lanes holds, all arrives") as region:
    hub = region.hub("nj-hub", backoff_max_ms=300)
    hall = region.hall("nj-gulou", hub, ["3201"], backoff_max_ms=300)
    accounts = region.customers(hub, 100)
    hall.synced()
    witness = Witness(region)
    count = 0

    for month, (rate, size) in enumerate([("64kbit", 5 if LONG else 1), ("2mbit", 60 if LONG else 8)], 1):
        hall.line.rate(rate)
        for number in range(5):  # each alone on the line: answered at once, and no measure of what it carries
            witness.pay(hall, payment(accounts[number], month * 1000000 + number))
            hall.synced()
        hall.synced()
        positions = [node.status()["position"] for node in (hub, hall)]
        hall.line.down()
        until("the cut is noticed", lambda: not hub.live() and not hall.live(), 60)
        bills(region, hub, accounts, month, size * 1500)
        customers(region, hall, size * 800)
        paid = [payment(accounts[i % 100], month * 1000000 + 100 + i) for i in range(size * 50)]
        witness.pay_all(hall, paid)
        for name, node in ((f"up{month}", hall), (f"down{month}", hub)):
            opened(name, node, accounts[0])
        before, began = hall.line.bytes(), time.monotonic()
        hall.line.up()
        until("the line is back", hall.live, 60)
        up, down, passed = [], [], []
        for number in range(TICKETS):
            up.append(ticket(f"up{month}-{number}", hall, hub, accounts[0]))
            down.append(ticket(f"down{month}-{number}", hub, hall, accounts[0]))
            passed.append((behind(hall, "out"), behind(hub, "out")))
        count += 5 + len(paid)
        until("the payments are at the hub", lambda: hub.totals()["count"] == count, 120)
        money = time.monotonic() - began
        hall.synced(300)
        until("the hub's bills are at the hall", lambda: behind(hub, "out") == 0, 300)
        whole = time.monotonic() - began
        sent, received = (now - then for now, then in zip(hall.line.bytes(), before))
        at_hub = arrivals(hub, positions[0], {"payment": len(paid), "ticket": 2 * TICKETS + 2, "customer": size * 800})
        at_hall = arrivals(hall, positions[1], {"ticket": 2 * TICKETS + 2, "bill": size * 1500})
        behind_money = share_behind(at_hub, "payment", "customer")
        behind_up, behind_down = share_behind(at_hub, f"up{month}", "payment"), share_behind(at_hall, f"down{month}", "bill")
        print(f"{rate}: tickets to the hub {max(up):.2f} s, to the hall {max(down):.2f} s at most, passing {passed}; {len(paid)} payments "
              f"at the hub after {money:.1f} s, {behind_money:.0%} of the customers behind them; all there after {whole:.1f} s, "
              f"{sent >> 10} KiB up, {received >> 10} KiB down", flush=True)
        check(max(up + down) < URGENT_S * SLOW, "the urgent tickets took too long")
        check(behind_money > 0.5, "money did not pass the customers")
        check(behind_up > 0.5, "the ticket that was opened last did not pass the payments")
        check(behind_down > 0.5, "the ticket that was opened last did not pass the bills")
    witness.verify(hub, hall)
