#!/usr/bin/env python3
"""A stolen hall and a stolen hub are revoked: no session, no operation beyond what a hub has signed for; what waits is
shown with its payments and released by a person; a hub that is set back hears of it before it lets anybody in."""
import os
import shutil

from region import Region, agree, check, equal, payment, until

QUICK = {"heartbeat_ms": 300, "backoff_max_ms": 300}
WHY = "the machine was stolen on Friday"


def pays(node, accounts, first, count):
    for number in range(first, first + count):
        answer = node.put_lines(("payment", "add"), [payment(accounts[number % len(accounts)], number, amount=100 + number)])
        check(answer[0]["result"] == "created", f"{node.name}: {answer}")


def state_of(node, name):
    """What node list says of each key of a node."""
    return [row["state"] for row in node.json("node", "list").lines() if row["node_id"] == name]


def upstream(node):
    return node.status()["peers"][0]


def peer(node, name):
    return next((row for row in node.status()["peers"] if row["node_id"] == name), {})


with Region("revoked nodes") as region:
    one = region.hub("hub-a", admit_after_ms=3000, **QUICK)
    two = region.further_hub("hub-b", one, admit_after_ms=3000, **QUICK)
    witness = region.witness("pc", one, ["3201"], **QUICK)
    stolen = region.hall("stolen", one, ["3201"], start=False, **QUICK)
    stolen.dials(one, (witness, "pc"))
    stolen.start()
    other = region.hall("other", one, ["3201"], start=False, **QUICK)
    other.dials(two)
    other.start()
    accounts = region.customers(one, 50)
    for node in (two, stolen, other):
        node.synced()
    pays(stolen, accounts, 0, 5)
    stolen.synced()
    until("the other hall has them", lambda: other.totals()["count"] == 5)

    # The line to the hubs is gone: three more payments are at the counter's PC only.
    one.stop()
    pays(stolen, accounts, 5, 3)
    until("the witness has them", lambda: peer(stolen, "pc").get("unsigned_ops") == 0)
    stolen.stop()
    witness.stop()
    thief = region.twin(stolen, "thief")  # all that the thief has
    one.start()

    # -- revoked

    one.refused("not-found", "node", "revoke", "nobody", "--reason", WHY)
    check(one.run("node", "revoke", "stolen").status == 2, "a reason is asked for")
    stolen_hall = one.json("node", "revoke", "stolen", "--reason", WHY).object()
    equal(stolen_hall["state"], "revoked", "the node is revoked")
    equal(one.json("node", "revoke", "stolen", "--reason", "again").object()["reason"], WHY, "once is enough")
    until("the other hub knows", lambda: state_of(two, "stolen") == ["revoked"])
    until("the other hall knows", lambda: state_of(other, "stolen") == ["revoked"])
    two.refused("not-a-hub", "node", "revoke", "stolen", "--reason", WHY)  # it has no issuing key

    thief.start()
    until("the thief is refused", lambda: "revoked" in upstream(thief).get("why", ""))
    equal(thief.status()["revoked"], WHY, "the thief's machine knows why")
    check("event=own-key-revoked" in thief.tail(200), "and its log has it")
    pays(thief, accounts, 100, 2)  # what is taken there stays there
    equal(thief.totals()["count"], 10, "it goes on taking payments here")
    equal(one.totals()["count"], 5, "of which no hub hears")
    one.refused("revoked", "node", "scope", "stolen", "--district", "3201,3202")

    # -- what waits, and is released

    witness.start()
    until("the hub has seen what waits", lambda: sum(row["payments"] for row in one.status().get("withheld", [])) == 3, 30)
    rows = one.status()["withheld"]
    equal(sum(row["payments_fen"] for row in rows), sum(100 + number for number in (5, 6, 7)), "their sum")
    equal({row["holder"] for row in rows}, {"pc"}, "where they wait")
    check("3" in one.run("status").out and "pc" in one.run("status").out, "people see it, too")
    until("the log has it", lambda: "event=revoked-waiting" in one.tail(400), 30)
    one.synced()  # nobody waits for them
    equal(one.totals()["count"], 5, "they are not taken")
    check(one.run("node", "release", "stolen", "--reason", "counted").status == 2, "a name is asked for")
    one.refused("not-found", "node", "release", "other", "--reason", "counted", "--name", "Wang Li")
    released = one.json("node", "release", "stolen", "--reason", "compared with the receipts", "--name", "Wang Li").lines()
    equal(sum(row["payments"] for row in released), 3, "payments released")
    for node in (one, two, other):
        until(f"{node.name} has them", lambda node=node: node.totals()["count"] == 8)
    until("nothing waits any more", lambda: not one.status().get("withheld"))
    until("all agree", lambda: agree(one, two, other), 60)
    payment_id = next(row["payment_id"] for row in other.json("payment", "list").lines() if row["amount_fen"] == 105)
    until("they are safe", lambda: other.json("payment", "get", payment_id).object().get("safe") == "safe")

    # -- H20 e: a hub that is set back to before the revocation hears of it before it lets anybody in

    three = region.further_hub("hub-c", one, admit_after_ms=3000, **QUICK)
    three.synced()
    three.stop()
    before = os.path.join(region.dir, "before")
    shutil.copytree(three.dir, before)  # it knows; what follows it does not know
    second = region.hall("second", one, ["3201"], **QUICK)
    second.synced()
    second.stop()  # it does not hear of it
    one.json("node", "revoke", "second", "--reason", "lost")
    three.start()
    until("hub-c knows", lambda: state_of(three, "second") == ["revoked"])
    three.stop()
    for part in ("log", "records"):
        shutil.rmtree(os.path.join(three.dir, part))
        shutil.copytree(os.path.join(before, part), os.path.join(three.dir, part))
    three.dials()  # no other hub in reach
    second.dials(three)
    other.stop()
    other.dials(three)
    three.start()
    check(three.status().get("admitting") is False, "it lets nobody in yet")
    check("admits" in three.run("status").out, "and says so")
    second.start()
    until("the revoked hall is not let in", lambda: "old copy" in upstream(second).get("why", ""))
    other.start()
    until("the gate opens", lambda: three.status().get("admitting") is not False)
    until("the other hall is let in", lambda: "hub-c" in other.live())
    equal(state_of(three, "second"), ["revoked"], "it has heard of it from a hall")
    until("the revoked hall is refused for good", lambda: "revoked" in upstream(second).get("why", ""))
    three.stop()
    three.dials(one)
    three.start()
    until("another hub opens the gate", lambda: "hub-a" in three.live() and three.status().get("admitting") is not False)

    # -- a stolen hub: by the root key only, and its receipts count for nothing

    pays(other, accounts, 200, 1)
    last = other.json("payment", "list").lines()
    payment_id = next(row["payment_id"] for row in last if row["amount_fen"] == 300)
    until("its payment is safe", lambda: other.json("payment", "get", payment_id).object().get("safe") == "safe")
    for hub in (one, three):
        hub.synced()
    one.refused("refused", "node", "revoke", "hub-c", "--reason", WHY)
    root = os.path.join(one.dir, "keys", "root.key")
    copy = os.path.join(region.dir, "root.key")
    shutil.copy(root, copy)
    equal(two.json("node", "revoke", "hub-c", "--reason", WHY, "--root", copy).object()["state"], "revoked",
          "any hub takes what the root key has signed")
    until("its hall hears of it", lambda: "revoked" in upstream(other).get("why", ""))
    until("the hub is cut off", lambda: "hub-c" not in one.live() and "hub-c" not in two.live())
    until("the stolen hub knows", lambda: three.status().get("revoked") == WHY)
    other.stop()
    other.dials(two)
    other.start()
    other.synced()
    pays(other, accounts, 201, 1)
    other.synced()
    payment_id = next(row["payment_id"] for row in other.json("payment", "list").lines() if row["amount_fen"] == 301)
    until("safe at the two hubs that are left", lambda: other.json("payment", "get", payment_id).object().get("safe") == "safe")
    held = other.json("payment", "get", payment_id).object().get("held_by", [])
    check("hub-c" not in held, f"held by {held}")
    until("all agree", lambda: agree(one, two, other), 60)
