#!/usr/bin/env python3
"""Two hubs, peers of each other: one is killed under load, its halls are at the other within seconds, and what is there is not sent again.

Each round kills one hub, waits for all halls at the other, takes money there, and starts the killed one anew.  Then the same in quiet:
what the change of hubs costs is counted in operations (none) and bytes."""
import os
import statistics
import time

from region import SLOW, Region, agree, check, equal, payment, until
from witness import Clients, Witness

LONG = bool(os.environ.get("HS_LONG"))
HALLS = 20 if LONG else 6
ROUNDS = int(os.environ.get("HS_ROUNDS") or (20 if LONG else 2))
BACKLOG = 3000  # operations that a hall wrote long ago: sent again they would show
UNDER_WAY = 300
WITHIN_S = 5
QUIET_BYTES = 16384  # for a hall that changes hubs and has nothing to say, both directions
QUICK = {"heartbeat_ms": 1000, "backoff_max_ms": 500}


def came_to(halls, hub, since):
    """How many seconds after `since` (wall clock) each hall's session with the hub began."""
    took = []
    for hall in halls:
        peer = until(f"{hall.name} is at {hub.name}", lambda: hall.live().get(hub.name), 30)
        took.append(max(0.0, peer["since_ms"] / 1000 - since))
    return took


def spread(took):
    return f"median {statistics.median(took):.2f} s, slowest {max(took):.2f} s of {len(took)}"


def received(hub, halls):
    """Operations that the hub took from halls in the sessions that it has now."""
    live = hub.live()
    return sum(live[hall.name]["received_ops"] for hall in halls if hall.name in live)


def link_bytes(node):
    counters = {counter["name"]: counter["value"] for counter in node.status()["counters"]}
    return counters["bytes-in"] + counters["bytes-out"]


with Region(f"{ROUNDS} times one of two hubs is killed: its {HALLS} halls go to the other, nothing lost, doubled or sent twice") as region:
    one = region.hub("hub-a", **QUICK)
    two = region.further_hub("hub-b", one, **QUICK)
    halls = [region.hall(f"hall-{i}", one, ["3201"], start=False, **QUICK) for i in range(HALLS)]
    for i, hall in enumerate(halls):
        hall.dials(*((one, two) if i % 2 == 0 else (two, one)))
        hall.start()
    accounts = region.customers(halls[0], BACKLOG)
    for node in (*halls, two):
        node.synced()
    until("the hubs are equal", lambda: one.digests() == two.digests())

    witness = Witness(region)
    counters = [Clients(witness, hall, accounts, 1).start() for hall in halls]
    all_took = []
    for round_number in range(ROUNDS):
        victim, other = ((one, two), (two, one))[round_number % 2]
        before, paid = received(other, halls), sum(clients.acknowledged for clients in counters)
        for clients in counters:
            clients.more(5)
        at = time.time()
        victim.kill()
        witness.write("killed", victim)
        took = came_to(halls, other, at)
        all_took += took
        for clients in counters:
            clients.more(10)
        # An answer is one operation at most; what came in this round was made in it, or was under way when it began.
        came = received(other, halls) - before
        made = sum(clients.acknowledged for clients in counters) - paid
        check(came < made + UNDER_WAY, f"{other.name} took {came} operations, of {made} made")
        victim.start()
        until(f"{victim.name} is back", lambda: other.name in victim.live())
        for clients in counters:
            clients.more(5)
        print(f"{victim.name} killed: halls at {other.name} after {spread(took)}; {came} operations came, {made} answers were given",
              flush=True)
    for clients in counters:
        clients.stop()
    for hall in halls:
        hall.synced()
    for node in (one, two):
        node.synced()
    check(max(all_took) < WITHIN_S * SLOW, f"a hall was without a hub for {max(all_took):.1f} s")

    # In quiet: both hubs hold all; whoever changes has nothing to send and nothing to get.
    until("all hold the same", lambda: agree(one, two, *halls))
    for node in (two, *halls):
        node.synced()
    victim, other = (two, one) if two.live().keys() - {one.name} else (one, two)
    moving = [hall for hall in halls if victim.name in hall.live()]
    check(moving, "no hall to move")
    bytes_before = {hall: link_bytes(hall) for hall in moving}
    at = time.time()
    victim.kill()
    took = came_to(moving, other, at)
    for hall in moving:
        hall.synced()
    costs = [link_bytes(hall) - bytes_before[hall] for hall in moving]
    peers = [hall.live()[other.name] for hall in moving]
    print(f"in quiet: {spread(took)}; {statistics.median(costs):.0f} bytes a hall at the median, {max(costs)} at most")
    equal([(peer["sent_ops"], peer["received_ops"]) for peer in peers], [(0, 0)] * len(peers), "operations sent and received again")
    check(max(costs) < QUIET_BYTES, "the change of hubs cost more bytes than that")

    # What one hub has is not safe yet; when the other is there again, it is.
    record = payment(accounts[0], next(witness.numbers))
    witness.pay(moving[0], record)

    def level():
        return moving[0].json("payment", "get", record["payment_id"]).object()["safe"]

    until(f"{other.name} has signed", lambda: level() != "here")
    moving[0].synced()
    equal(level(), "hub", "a payment that one hub has")
    victim.start()
    until(f"{victim.name} is back", lambda: other.name in victim.live())
    until("two hubs have signed", lambda: level() == "safe")
    victim.synced()
    until("all hold the same", lambda: agree(one, two, *halls))
    witness.verify(one, two, *halls)
