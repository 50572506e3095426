#!/usr/bin/env python3
"""What keeps room from a running node: a dead reader's snapshot is given up, and a store that finds no room to be migrated is read until
there is some."""
import ctypes
import os
import re
import signal
import subprocess
import sys

from disks import Disk
from golden import GOLDEN, unpack
from network import Network
from peek import LMDB, Peek, Table, number
from region import check, equal, payment, until

HOLD = """
import sys
sys.path.insert(0, {here!r})
from peek import Table
with Table({log!r}, "op") as table:
    print("reading", flush=True)
    sys.stdin.read()
"""


def readers(directory):
    """Process ids in LMDB's table of readers."""
    found = []
    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)

    def line(text, _):
        match = re.match(rb"\s*(\d+)\s", text)
        if match:
            found.append(int(match.group(1)))
        return 0

    with Table(directory, "meta") as table:
        LMDB.mdb_reader_list.argtypes = [ctypes.c_void_p, callback, ctypes.c_void_p]
        LMDB.mdb_reader_list(table.env, callback(line), None)
    return found


def schema(node):
    return number(dict(Peek(node).table("meta"))[b"schema"])


network = Network()
with network.region("room: dead readers, and a migration on a full disk") as region:
    hub = region.hub("nj-alone")
    accounts = region.customers(hub, 10)
    here = os.path.dirname(os.path.abspath(__file__))
    child = subprocess.Popen([sys.executable, "-c", HOLD.format(here=here, log=os.path.join(hub.dir, "log"))], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
    equal(child.stdout.readline(), "reading\n", "the reader")
    check(child.pid in readers(os.path.join(hub.dir, "log")), "it is not in the table")
    child.send_signal(signal.SIGKILL)
    child.wait()
    until("the dead reader is cleared away", lambda: child.pid not in readers(os.path.join(hub.dir, "log")), 30)
    check(hub.status().get("problems", []) == [], "a problem is shown")

    # A store of the first schema, on a disk without a free byte.
    disk = Disk(region, "golden")
    nodes, expected = unpack(region, os.path.join(GOLDEN, "stores-1.tar.xz"), disk.dir)
    hall = nodes["nj-xuanwu"]
    hall.settings("limits", disk_reserve_mib=1)
    account = expected[hall.name]["payments"][0]["account"]
    disk.leave(0)
    hall.start(ready=False)  # there is not even room for a lock
    equal(hall.process.wait(60), 1, "how it ends")
    hall.process = None
    check("disk-full" in hall.tail(), f"why it ended: {hall.tail()}")
    disk.free()
    for part in ("log", "records"):
        with open(os.path.join(hall.dir, part, "lock.mdb"), "ab") as lock:
            os.posix_fallocate(lock.fileno(), 0, 64 << 10)
    disk.leave(0)
    hall.start()
    equal(hall.totals(), expected[hall.name]["totals"], "what is read")
    equal(schema(hall), 1, "the schema without room for the copy")
    check("disk-full" in hall.run("payment", "add", f"account={account}", "amount_fen=5", "method=cash", "window=1").err, "a payment was taken")
    equal(hall.status()["disk_level"], "full", "the level")
    disk.free()
    until("there is room", lambda: "disk_level" not in hall.status())
    equal(hall.put_lines(["payment", "add"], [payment(account, 7001)])[0]["result"], "created", "a payment")
    equal(schema(hall), 2, "the schema after the first write that fits")
    equal(sorted(os.listdir(os.path.join(hall.dir, "before-2"))), ["README", "meta"], "what was kept")
    hall.restart()
    equal(hall.totals()["count"], expected[hall.name]["totals"]["count"] + 1, "payments")
