#!/usr/bin/env python3
"""A hall that stands still in the middle of a flood, and one that comes and goes, slow nobody else: measured against the same without them.

Measured is how long a payment takes from the counter to the hub's signature and back, at two other halls, while a third keeps
everybody busy and the hub imports customers."""
import itertools
import os
import signal
import statistics
import threading
import time

from region import SLOW, Region, check, payment, until
from witness import Clients, Witness

LONG = bool(os.environ.get("HS_LONG"))
ROUNDS = 150 if LONG else 40  # payments at each measured hall
CUSTOMERS = 4000
SESSION_BYTES = 2 << 20  # that a session may hold at the hub, the stalled one's too
FACTOR, MORE_S = 2.0, 0.05  # of the medians; of the slowest tenth more

with Region("a stalled and a flapping hall do not slow the others") as region:
    hub = region.hub("nj-hub")
    busy, bad, first, second = [region.hall(name, hub, ["3201"], relay=name == "bad") for name in ("busy", "bad", "first", "second")]
    accounts = region.customers(hub, CUSTOMERS)
    for hall in (busy, bad, first, second):
        hall.synced()
    witness = Witness(region)
    phases = itertools.count(1)
    clients = Clients(witness, busy, accounts, 3, pause=0.01).start()

    def pay_and_wait(hall, number, took):
        try:
            for i in range(ROUNDS):
                began = time.monotonic()
                witness.pay(hall, payment(accounts[i], number + i))
                hall.synced()
                took.append(time.monotonic() - began)
        except Exception as error:  # told by the test's own thread
            took.append(error)

    def measure(phase):
        """The seconds that each payment took, sorted."""
        tables, threads = ([], []), []
        for i, hall in enumerate((first, second)):
            threads.append(threading.Thread(target=pay_and_wait, args=(hall, (phase * 10 + i + 1) * 1000000, tables[i])))
        threads.append(threading.Thread(target=region.customers, args=(hub, CUSTOMERS), kwargs={"edition": phase}))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for error in tables[0] + tables[1]:
            if isinstance(error, Exception):
                raise error
        return sorted(tables[0] + tables[1])

    def flap(stopping):
        while not stopping.is_set():
            bad.relay.cut()
            bad.process.kill()
            bad.process.wait()
            bad.process = None
            bad.relay.heal()
            bad.start(ready=region.random.random() < 0.5)
            stopping.wait(region.random.random() / 2)

    def tenth(took):
        return took[len(took) * 9 // 10]

    def show(name, took):
        print(f"{name}: median {statistics.median(took) * 1000:.0f} ms, slowest tenth above {tenth(took) * 1000:.0f} ms", flush=True)

    def measured(name):
        took = measure(next(phases))
        show(name, took)
        return took

    def compare(name, disturbed):
        """Who is slowed by another hall is so each time; by a neighbour of this machine's, in one of the two measurements only."""
        for last in (False, False, True):
            base, took = measured("all well"), disturbed(name)
            if statistics.median(took) < (FACTOR * statistics.median(base) + MORE_S) * SLOW and \
                    tenth(took) < (FACTOR * tenth(base) + 4 * MORE_S) * SLOW:
                return
            check(not last, f"{name}: the others were slowed, each time")

    def stalled(name):
        bad.process.send_signal(signal.SIGSTOP)
        took = measured(name)
        held = {counter["name"]: counter["value"] for counter in hub.status()["counters"]}["session-bytes-max"]
        check(held < SESSION_BYTES, f"the stalled hall's session holds {held} bytes at the hub")
        bad.process.send_signal(signal.SIGCONT)
        bad.synced()
        return took

    def flapping(name):
        stopping = threading.Event()
        flapper = threading.Thread(target=flap, args=(stopping,))
        flapper.start()
        try:
            took = measured(name)
        finally:
            stopping.set()
            flapper.join()
        until("the flapping hall answers", bad.answers)
        bad.synced()
        return took

    compare("one stalled", stalled)
    compare("one flapping", flapping)

    clients.more(10)
    clients.stop()
    for hall in (busy, first, second, bad, busy):
        hall.synced()
    witness.verify(hub, busy, bad, first, second)
