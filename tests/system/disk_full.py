#!/usr/bin/env python3
"""The disk fills up, at a hall and then at a hub: what must wait is refused by name, money last; freed again it goes on as if nothing was."""
import os

from network import Network, command
from region import check, equal, payment, until
from witness import Clients, Witness

DISK_MIB, RESERVE_MIB = 80, 16

network = Network()


class Disk:
    """A small disk under a node's directory, and a file that takes its room."""

    def __init__(self, region, name):
        self.dir = os.path.join(region.dir, name)
        os.mkdir(self.dir)
        command("mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "none", self.dir)
        region.endings.append(lambda: command("umount", self.dir))
        self.ballast = os.path.join(self.dir, "ballast")

    def leave(self, kibibytes):
        """Only so much stays free."""
        disk = os.statvfs(self.dir)
        take = disk.f_bavail * disk.f_frsize - (kibibytes << 10)
        with open(self.ballast, "ab") as out:
            os.posix_fallocate(out.fileno(), out.tell(), take) if take > 0 else out.truncate(out.tell() + take)

    def free(self):
        os.unlink(self.ballast)


with network.region("disk full and freed again, at a hall and at a hub") as region:
    quick = {"heartbeat_ms": 300, "backoff_max_ms": 300}
    disks = {name: Disk(region, name) for name in ("nj-hub", "nj-gulou")}
    hub = region.hub("nj-hub", start=False, **quick)
    hub.settings("limits", disk_reserve_mib=RESERVE_MIB)
    region.open(hub)
    hall = region.hall("nj-gulou", hub, ["3201"], start=False, **quick)
    hall.settings("limits", disk_reserve_mib=RESERVE_MIB)
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

    def fill_and_free(node, disk):
        running = node.process.pid
        disk.leave(int(1.5 * RESERVE_MIB * 1024))
        until(f"{node.name} refuses customers", lambda: customer(node) == "disk-full")
        equal(pay(node), "taken", "money while customers must wait")
        disk.leave(RESERVE_MIB * 1024 * 3 // 16)
        until(f"{node.name} refuses money", lambda: pay(node) == "disk-full")
        equal(customer(node), "disk-full", "customers")
        until("it says why and where",
              lambda: f"MiB are free on the disk of {node.dir}" in node.run("payment", "add", f"account={accounts[0]}", "amount_fen=1").err)
        equal(node.run("customer", "get", accounts[0]).status, 0, "reading")
        check(node.status()["disk_free_bytes"] < RESERVE_MIB << 20, "status tells of it")
        # To the last byte, and more than the store has in hand comes from others: that cannot be kept, and is asked for again later.
        disk.leave(0)
        region.customers(other, 4000, edition=1 + running)
        until(f"{node.name} tells that others' data find no room", lambda: "reason=disk-full" in open(node.log).read(), 60)
        counters[1].more(20)
        disk.free()
        until(f"{node.name} takes money again", lambda: pay(node) == "taken")
        until(f"{node.name} takes customers again", lambda: customer(node) == "taken")
        check(node.process.poll() is None and node.process.pid == running, f"{node.name} ended by itself:\n{node.tail()}")

    fill_and_free(hall, disks["nj-gulou"])
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
