#!/usr/bin/env python3
"""Too few file descriptors, too little memory: a hall that cannot run says so; one that runs short lives or starts again, and loses nothing."""
import os
import re
import resource
import socket
import threading

from region import Failed, Region, check, until
from witness import Clients, Witness

QUICK = {"heartbeat_ms": 300, "backoff_max_ms": 300}
TOLD = re.compile(r"Too many open files|out-of-memory|OUT OF MEMORY|Cannot allocate memory|Resource temporarily unavailable|failed to map")

with Region("too few descriptors and too little memory") as region:
    hub = region.hub("nj-hub", **QUICK)
    hall = region.hall("nj-gulou", hub, ["3201"], **QUICK)
    accounts = region.customers(hall, 500)
    hall.synced()
    witness = Witness(region)
    hall.lives = 1

    # At start: it runs, or ends by itself, with the reason in its last words.
    hall.stop()
    outcomes = []
    for limit in ("nofile=8", "nofile=16", "nofile=24", "nofile=40", "as=100000000", "as=1500000000000", "data=10000000", "data=40000000"):
        hall.under = ["prlimit", "--" + limit]
        open(hall.log, "w").close()
        try:
            hall.start()
            outcomes.append(f"{limit} runs")
            hall.kill()
        except Failed:
            ended = hall.process.poll()
            check(ended is not None, f"{limit}: it neither runs nor ends:\n{hall.tail()}")
            check(TOLD.search(hall.tail()), f"{limit}: ended with {ended}, and no clear word:\n{hall.tail()}")
            outcomes.append(f"{limit} told")
            hall.process = None
    check(sum("told" in text for text in outcomes) >= 5, f"the limits did not bite: {outcomes}")
    print(", ".join(outcomes))
    hall.under = []
    hall.start()

    clients = Clients(witness, hall, accounts, 8, pause=0.01).start()

    def go_on(count):
        """So many more payments, from a hall that is started again whenever it ended, as by a supervisor."""
        wanted = clients.acknowledged + count

        def enough():
            if hall.process.poll() is not None:
                check(TOLD.search(hall.tail()), f"it ended, and no clear word:\n{hall.tail()}")
                hall.process = None
                hall.start()
                hall.lives += 1
            return clients.acknowledged >= wanted or clients.error

        until(f"{count} more payments", enough, 60)

    def limit_to(what, most):
        resource.prlimit(hall.process.pid, what, (most, resource.prlimit(hall.process.pid, what)[1]))

    # Descriptors: programs that connect and never go, until there are none left; then they go.
    for _ in range(3):
        go_on(20)
        held = len(os.listdir(f"/proc/{hall.process.pid}/fd"))
        limit_to(resource.RLIMIT_NOFILE, held + 12)
        greedy = []
        for _ in range(40):
            one = socket.socket(socket.AF_UNIX)
            one.connect(os.path.join(hall.dir, "hallsync.sock"))
            greedy.append(one)
        hub.json("customer", "put", f"account={accounts[0]}", f"phone={region.random.randint(1, 10 ** 9)}")
        for one in greedy:
            one.close()
        go_on(1)
        limit_to(resource.RLIMIT_NOFILE, 1024)
        go_on(20)

    # Memory: a little more than it has, while it imports and its clients pay.
    for spare in (1 << 20, 4 << 20, 16 << 20):
        go_on(20)
        with open(f"/proc/{hall.process.pid}/status") as status:
            has = int(re.search(r"^VmData:\s+(\d+)", status.read(), re.M).group(1)) << 10
        limit_to(resource.RLIMIT_DATA, has + spare)
        rows = os.path.join(region.dir, "customers.csv")
        imports = [threading.Thread(target=hall.run, args=("customer", "import", rows)) for _ in range(4)]
        for one in imports:
            one.start()
        for one in imports:
            one.join()
        go_on(20)
    clients.stop()
    go_on(0)
    hall.restart()
    hall.synced()
    print(f"the hall had {hall.lives} lives")
    witness.verify(hub, hall)
