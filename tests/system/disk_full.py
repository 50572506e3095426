#!/usr/bin/env python3
"""The disk fills up, at a hall and then at a hub: what must wait is refused by name, money last; freed again it goes on as if nothing was."""
import json
import os

from disks import Disk
from network import Network
from region import check, equal, payment, until
from witness import Clients, Witness

RESERVE_MIB = 16

network = Network()

with network.region("disk full and freed again, at a hall and at a hub") as region:
    quick = {"heartbeat_ms": 300, "backoff_max_ms": 300}
    disks = {name: Disk(region, name) for name in ("nj-hub", "nj-gulou")}
    hub = region.hub("nj-hub", start=False, **quick)
    hub.settings("limits", disk_reserve_mib=RESERVE_MIB)
    region.open(hub)
    hall = region.hall("nj-gulou", hub, ["3201"], start=False, **quick)
    hall.settings("limits", disk_reserve_mib=RESERVE_MIB)
    alarms = os.path.join(hall.dir, "alarms.jsonl")  # on the same disk
    hall.settings("hook", file=alarms)
    hall.start()
    other = region.hall("nj-xuanwu", hub, ["3201"], **quick)
    accounts = region.customers(other, 100)
    for node in (other, hall):
        node.synced()
    until("the customers are at the hall", lambda: len(hall.json("customer", "export").out.splitlines()) == len(accounts))
    witness = Witness(region)
    counters = [Clients(witness, node, accounts, 3, endure=["disk-full"], pause=0.02).start() for node in (hall, other)]

    def tries(node, *words):
        answer = node.run(*words, "--json")
        return "taken" if answer.status == 0 else answer.lines()[-1]["error"]

    def customer(node):
        return tries(node, "customer", "put", f"account={accounts[0]}", f"phone={region.random.randint(1, 10 ** 9)}")

    def pay(node):
        record = payment(accounts[0], next(witness.numbers))
        told = witness.pay(node, record)
        return told.get("error", "taken")

    def customers(node):
        """Their digest."""
        return [line for line in node.json("digest").lines() if line["kind"] == "customer" and line["partition"] == "3201"]

    def told(node, level):
        """How often it said so since it was started."""
        return open(node.log).read().count(f"event=room room={level}")

    def phases(path):
        """Of the alarm that there is little room."""
        with open(path) as file:
            return [row["phase"] for row in map(json.loads, file) if row["alarm"] == "disk"]

    edition = []

    def peers_wait(node, disk, before):
        """What others hand in does not take the reserve: customers wait where they are, payments come."""
        peer = hub if node is hall else other
        until(f"{peer.name} knows that {node.name} has little room", lambda: peer.live()[node.name].get("held"))
        check("held there" in peer.run("status").out, "status tells it")
        region.customers(other, 4000, edition=1 + len(edition))
        edition.append(node.name)
        record = payment(accounts[1], next(witness.numbers))
        witness.pay(other, record)
        until(f"{node.name} has a payment of {other.name}", lambda: node.run("payment", "get", record["payment_id"]).status == 0)
        counters[1].more(20)
        equal(customers(node), before, f"customers at {node.name} while they must wait")
        check(disk.left() >= RESERVE_MIB << 20, f"{disk.left() >> 10} KiB are left: others' customers have taken the reserve")
        equal(node.status()["disk_level"], "low", "the level")

    def fill_and_free(node, disk, is_low=lambda: None):
        running = node.process.pid
        disk.leave(int(1.5 * RESERVE_MIB * 1024))
        until(f"{node.name} refuses customers", lambda: customer(node) == "disk-full")
        equal(pay(node), "taken", "money while customers must wait")
        others = customers(node)
        peers_wait(node, disk, others)
        is_low()  # who looks now and then has seen it before it is over
        disk.leave(RESERVE_MIB * 1024 * 3 // 16)
        until(f"{node.name} refuses money", lambda: pay(node) == "disk-full")
        equal(customer(node), "disk-full", "customers")
        until("it says why and where",
              lambda: f"MiB are free on the disk of {node.dir}" in node.run("payment", "add", f"account={accounts[0]}", "amount_fen=1").err)
        equal(node.run("customer", "get", accounts[0]).status, 0, "reading")
        check(node.status()["disk_free_bytes"] < RESERVE_MIB << 20, "status tells of it")
        equal(node.status()["disk_level"], "full", "the level")
        # To the last byte, and more money than the store has in hand comes from others: that cannot be kept, and is asked for again later.
        disk.leave(0)
        witness.pay_all(other, [payment(accounts[n % 100], next(witness.numbers)) for n in range(4000)])
        until(f"{node.name} tells that others' data find no room", lambda: "reason=disk-full" in open(node.log).read(), 60)
        counters[1].more(20)
        equal([told(node, level) for level in ("low", "scarce")], [1, 0], "how often it told of a level")
        disk.free()
        until(f"{node.name} takes money again", lambda: pay(node) == "taken")
        until(f"{node.name} takes customers again", lambda: customer(node) == "taken")
        until(f"{node.name} has got the customers that waited", lambda: others != customers(node) == customers(other), 60)
        until("the level is told", lambda: "disk_level" not in node.status() and told(node, "plenty") == 1)
        check(node.process.poll() is None and node.process.pid == running, f"{node.name} ended by itself:\n{node.tail()}")

    fill_and_free(hall, disks["nj-gulou"], lambda: until("the file says so", lambda: phases(alarms) == ["begins"]))
    until("the file says that it is over", lambda: phases(alarms)[-1:] == ["ends"])
    equal(phases(alarms).count("ends"), 1, "the alarm on the disk that was full")
    for clients in counters:
        clients.more(20)
    fill_and_free(hub, disks["nj-hub"])
    for clients in counters:
        clients.more(20)
        clients.stop()
    for node in (hall, other, hall):
        node.synced()
    print(f"refused at the hall: {counters[0].refused}, at the other: {counters[1].refused}")
    witness.verify(hub, hall, other)
