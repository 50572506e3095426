#!/usr/bin/env python3
"""A witness on a counter's machine: the hall is cut off, takes money, and its disk burns; the hub gets every payment all the same.

Twice: once the witness hands it to the hub by itself, once it has no line to the hub, and the rebuilt hall fetches it there.  At each
step what is shown as safe is what is so."""
import os
import shutil

from network import Network
from peek import Peek
from region import agree, check, equal, payment, until
from witness import Clients, Witness

ROUNDS = 6 if os.environ.get("HS_LONG") else 2
PAID = 200 if os.environ.get("HS_LONG") else 40
QUICK = {"heartbeat_ms": 300, "backoff_max_ms": 300}

network = Network()
with network.region("a burnt hall's money is at its witness") as region:
    hub = region.hub("nj-hub", **QUICK)
    counter = region.witness("counter-3", hub, ["3201"], **QUICK)
    hall = region.hall("nj-gulou", hub, ["3201"], start=False, **QUICK)
    other = region.hall("nj-xuanwu", hub, ["3201"], **QUICK)
    hall.dials((hub, "hub"), (counter, "counter"))
    hall.start()
    accounts = region.customers(hub, 100)
    for node in (hall, other):
        node.synced()
    witness = Witness(region)

    def shown(record):
        told = hall.json("payment", "get", record["payment_id"]).object()
        return told["safe"], sorted(told.get("held_by", []))

    def pay(wanted, holders):
        """A payment that is soon shown so, and not as more."""
        record = payment(accounts[0], next(witness.numbers))
        witness.pay(hall, record)
        until(f"a payment is shown as {wanted}, held by {holders}", lambda: shown(record) == (wanted, sorted(holders)))
        return record

    def money(node, origin):
        """District -> the last number of that origin's money that lies on the node's disk."""
        return {stream.partition: stream.last for stream in Peek(node).streams() if stream.lane == "money" and stream.origin == origin}

    def all_there():
        origin = int(hall.status()["origin"], 16)
        return money(counter, origin) == money(hall, origin)

    pay("safe", [hub.name, counter.name])
    counter.stop()
    only_hub = pay("hub", [hub.name])
    counter.start()
    until("the witness has it too", lambda: shown(only_hub) == ("safe", sorted([hub.name, counter.name])))

    for round_number in range(ROUNDS):
        by_itself = round_number % 2 == 0
        if not by_itself:  # this witness's own line has never been there
            counter.stop()
            counter.dials()
            counter.start()
        hub.line.down()
        until("the hall knows that the hub is gone", lambda: hub.name not in hall.live())
        kept = pay("here", [counter.name])
        clients = Clients(witness, hall, accounts, 3).start()
        clients.more(PAID)
        counter.kill()
        witness.write("killed", counter)
        clients.more(PAID)
        equal(shown(kept)[0], "here", "what a witness alone has is not at a hub")
        counter.start()
        clients.more(PAID)
        hall.kill()
        witness.write("killed", hall)
        hall.start()
        clients.more(PAID)
        clients.stop()
        until("the witness has everything", all_there)
        witness.held(hall, counter)

        # The disk burns; then the line of the hub is there again, and somebody brings a new machine.
        paid = hall.totals()
        hall.kill()
        witness.write("forgot", hall)
        shutil.rmtree(hall.dir)
        hub.line.up()
        if by_itself:
            until("every payment is at the hub", lambda: hub.totals() == paid)
            other.synced()
        else:
            check(hub.totals() != paid, "the hub knows what nobody can have told it")
        answer = region.join(region.enroll(hub, hall.name, ["3201"]), hall.dir, hall.enter)
        check(answer.status == 0, f"join: {answer.out} {answer.err}")
        hall.settings("link", **QUICK)
        hall.dials((hub, "hub"), (counter, "counter"))
        hall.start()
        until("every payment is at the hub", lambda: hub.totals() == paid)
        for node in (hall, other, hall):
            node.synced()
        until("hub and halls agree", lambda: agree(hub, hall, other))
        equal(hall.totals(), paid, "what the rebuilt hall has")
        witness.verify(hub, hall, other)
        pay("safe", [hub.name, counter.name])
        by = "handed in by the witness" if by_itself else "fetched by the hall"
        print(f"burnt and rebuilt; {paid['count']} payments, {by}", flush=True)
