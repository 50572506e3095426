#!/usr/bin/env python3
"""Packets of one direction vanish, those of the other arrive: both ends end the session by their own heartbeats, halls go on, and heal."""
import time

from network import Network
from region import SLOW, check, until
from witness import Clients, Witness

HEARTBEAT_MS = 200
SILENCE_S = 3.5 * HEARTBEAT_MS / 1000

network = Network()
with network.region("one-way loss, either way, ends the session by itself and loses nothing") as region:
    quick = {"heartbeat_ms": HEARTBEAT_MS, "backoff_max_ms": 300}
    hub = region.hub("nj-hub", **quick)
    hall = region.hall("nj-gulou", hub, ["3201"], **quick)
    other = region.hall("nj-xuanwu", hub, ["3201"], **quick)
    accounts = region.customers(hub, 200)
    for node in (hall, other):
        node.synced()
    witness = Witness(region)
    counters = [Clients(witness, node, accounts, 4).start() for node in (hall, other)]

    def live(node, peer):
        return any(one["node_id"] == peer.name and one["state"] == "live" for one in node.status()["peers"])

    for deaf, heard in ((hall, hub), (hub, hall)):
        for clients in counters:
            clients.more(10)
        deaf.line.deaf_to(heard.line)
        began = time.monotonic()
        until(f"{deaf.name}, which hears nothing, ends the session", lambda: not live(deaf, heard))
        until(f"{heard.name}, which is not answered, ends the session", lambda: not live(heard, deaf))
        took = time.monotonic() - began
        print(f"{deaf.name} does not hear {heard.name}: the session was over at both ends after {took:.1f} s")
        # Whom nobody answers hears no heartbeat either: each end notices by itself, the second once the first is silent.
        check(took < (2 * SILENCE_S + 2) * SLOW, "that took too long")
        check(live(hub, other), "the other hall's session ended too")
        for clients in counters:
            clients.more(40)
        check(not live(hall, hub), "a session over half a line")
        deaf.line.hears(heard.line)
        until("the session is back", lambda: live(hall, hub) and live(hub, hall))
    for clients in counters:
        clients.stop()
    for node in (hall, other, hall):
        node.synced()
    witness.verify(hub, hall, other)
