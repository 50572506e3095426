#!/usr/bin/env python3
"""Whoever reaches a node's sockets sends what he likes: random bytes, greetings of ZeroMQ with garbage behind them, lengths without end, and
connections that say nothing.  The node lives, its halls work on, and nothing is lost."""
import os
import socket
import struct

from region import Region, check, equal, until
from witness import Clients, Witness

ROUNDS = int(os.environ.get("HS_ROUNDS") or (2000 if os.environ.get("HS_LONG") else 150))
QUIET = 40  # connections that are opened and say nothing more
MEMORY_KIB = 96 * 1024  # more than before


def greeting(mechanism, server=0):
    """ZMTP 3.0: signature, version, mechanism, as-server, filler."""
    return b"\xff" + bytes(8) + b"\x7f\x03\x00" + mechanism.ljust(20, b"\0") + bytes([server]) + bytes(31)


def command(name, body):
    """A command of ZMTP: a long frame."""
    content = bytes([len(name)]) + name + body
    return b"\x06" + struct.pack(">Q", len(content)) + content


def hostile(chance, mechanism):
    """One of what a stranger might say first."""
    noise = chance.randbytes(chance.choice([1, 10, 64, 300, 5000]))
    kinds = [noise,
             greeting(mechanism)[:chance.randrange(1, 64)],
             greeting(mechanism) + noise,
             greeting(chance.choice([b"NULL", b"PLAIN", b"CURVE", b"GSSAPI"]), 1) + noise,
             greeting(mechanism) + command(b"HELLO", chance.randbytes(194)),
             greeting(mechanism) + command(b"INITIATE", noise),
             greeting(mechanism) + command(b"READY", b"\x0bSocket-Type" + struct.pack(">I", 6) + b"DEALER") + b"\x00\xff" + noise,
             greeting(mechanism) + b"\x02" + struct.pack(">Q", 1 << 62) + noise]
    return chance.choice(kinds)


def say(family, address, data):
    """Whoever says such things may be hung up on at any moment."""
    one = socket.socket(family)
    one.settimeout(5)
    try:
        one.connect(address)
        one.sendall(data)
    except OSError:
        pass
    return one


with Region("hostile bytes at every socket harm nobody") as region:
    hub = region.hub("nj-hub", heartbeat_ms=500)
    hall = region.hall("nj-gulou", hub, ["3201"], heartbeat_ms=500, backoff_max_ms=500)
    accounts = region.customers(hall, 50)
    hall.synced()
    witness = Witness(region)
    clients = Clients(witness, hall, accounts, 4).start()
    clients.more(10)
    processes = {node.name: (node.process.pid, node.memory_kib()) for node in (hub, hall)}
    doors = [(socket.AF_INET, (hub.address, hub.port), b"CURVE"),
             (socket.AF_UNIX, os.path.join(hub.dir, "hallsync.sock"), b"NULL"),
             (socket.AF_UNIX, os.path.join(hall.dir, "hallsync.sock"), b"NULL")]
    quiet = [say(family, address, greeting(mechanism)[:11]) for family, address, mechanism in doors for _ in range(QUIET)]
    for i in range(ROUNDS):
        for family, address, mechanism in doors:
            one = say(family, address, hostile(region.random, mechanism))
            if region.random.random() < 0.5:
                one.close()
            else:
                quiet.append(one)
                quiet.pop(region.random.randrange(len(quiet))).close()
        if i % 50 == 0:
            clients.more(5)
    clients.more(20)  # while those who say nothing hang on
    for node in (hub, hall):
        pid, before = processes[node.name]
        equal((node.process.pid, node.process.poll()), (pid, None), f"{node.name} runs as it did")
        check(node.memory_kib() < before + MEMORY_KIB, f"{node.name}: {before} KiB, and now {node.memory_kib()}")
    for one in quiet:
        one.close()
    clients.more(20)
    clients.stop()
    hall.synced()
    until("the hall is equal with its hub", lambda: hub.digests() == hall.digests())
    witness.verify(hub, hall)
