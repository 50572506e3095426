#!/usr/bin/env python3
"""Appointments: a hall offers slots, another one books them through the hub and without a link; the last seat is asked for on both sides of
a cut line, and all nodes agree who has it."""
from region import Region, check, equal, until

QUICK = {"heartbeat_ms": 500, "backoff_max_ms": 300}

with Region("appointments across halls") as region:
    hub = region.hub("nj-hub", **QUICK)
    here = region.hall("nj-gulou", hub, ["3201"], relay=True, **QUICK)
    there = region.hall("nj-xuanwu", hub, ["3202"], **QUICK)
    for node in (here, there):
        node.synced()

    here.json("slot", "put", "slot_id=G-0930", "hall=nj-gulou", "date=2026-11-25", "begins=09:30", "minutes=30", "capacity=3", "service=new-connection")
    there.refused("invalid", "slot", "put", "slot_id=G-1000", "hall=nj-gulou", "date=2026-11-25", "begins=10:00", "capacity=3")
    here.synced()

    # With a link: the slot is the hub's word, and so is who has a seat.
    until("the slot is at the hub", lambda: hub.run("slot", "get", "G-0930").status == 0)
    free = there.json("slot", "list", "hall=nj-gulou", "date=2026-11-25").lines()
    equal([(one["slot_id"], one["free"]) for one in free], [("G-0930", 3)], "free seats, as another hall sees them")
    there.json("appointment", "book", "G-0930", "appointment_id=a-1", "name=周", "phone=13900000001")
    until("with a link it is certain", lambda: there.json("appointment", "get", "a-1").object()["state"] == "booked")
    here.json("appointment", "book", "G-0930", "appointment_id=a-2", "name=陈")
    there.synced()
    until("both are at the slot's hall", lambda: here.json("slot", "get", "G-0930").object()["booked"] == 2)

    # One seat is left, and the line of its hall is cut: both sides give it away.
    here.synced()
    here.relay.cut()
    until("the hall knows that it is alone", lambda: not here.live())
    there.json("appointment", "book", "G-0930", "appointment_id=a-3", "name=王")
    here.json("appointment", "book", "G-0930", "appointment_id=a-4", "name=李")
    equal(here.json("appointment", "get", "a-4").object()["state"], "booked", "as far as is known here")
    check("bad-state" in here.json("appointment", "book", "G-0930", "name=赵", status=4).out, "here it is full")

    # A hall that cannot ask anybody takes it on trust, if it is told where the slot is.
    check("no-link" in here.json("appointment", "book", "X-0900", "name=孙", status=3).out, "unknown, and nobody to ask")
    equal(here.json("appointment", "book", "X-0900", "appointment_id=a-5", "name=孙", "--district", "3202").object()["result"], "created", "on trust")
    equal(here.json("appointment", "get", "a-5").object()["state"], "asked", "nobody knows yet")
    there.json("slot", "put", "slot_id=X-0900", "hall=nj-xuanwu", "date=2026-11-25", "begins=09:00", "capacity=1")

    here.relay.heal()
    for node in (here, there):
        node.synced()
    until("a-4 is at the hub", lambda: hub.run("appointment", "get", "a-4").status == 0)

    def states(node):
        return {one["appointment_id"]: one["state"] for one in node.json("slot", "get", "G-0930").object()["bookings"]}

    told = states(hub)
    equal({told["a-1"], told["a-2"]}, {"booked"}, "who was first")
    equal(sorted((told["a-3"], told["a-4"])), ["booked", "full"], "the last seat has one owner")
    for node in (here, there):
        until(f"{node.name} agrees", lambda: states(node) == told)
    row = here.json("slot", "list", "hall=nj-gulou", "date=2026-11-25").lines()[0]
    equal((row["booked"], row["free"], row["full"]), (3, 0, 1), "one is to be told that he has no seat")
    until("what was taken on trust has its seat", lambda: there.json("appointment", "get", "a-5").object()["state"] == "booked")

    # A seat that is given back is for who asks next; what became of the others.
    there.json("appointment", "cancel", "a-1", "clerk=qian")
    there.synced()
    until("it is free again", lambda: here.json("slot", "get", "G-0930").object()["free"] == 1)
    here.json("appointment", "keep", "a-2")
    here.refused("bad-state", "appointment", "keep", "a-1")
    here.json("appointment", "miss", "a-2")
    here.json("appointment", "keep", "a-2", "note=had only been late")
    here.json("appointment", "book", "G-0930", "appointment_id=a-6", "name=吴")
    here.synced()
    wanted = {**told, "a-1": "cancelled", "a-2": "kept", "a-6": "booked"}
    for node in (hub, here, there):
        until(f"{node.name} agrees again", lambda: states(node) == wanted)
    check("kept" in hub.run("appointment", "get", "a-2").out, "for people")
    queued = here.json("queue", "take", "A", "priority=appointment", "appointment_id=a-6")
    equal(queued.object()["number"], "A001", "who has booked draws a number")
    for node in (hub, here, there):
        equal(node.run("verify", "--full").status, 0, f"{node.name}: sound")
