#!/usr/bin/env python3
"""What nodes do by themselves: a late ticket is shown to a superior though nobody runs anything; two halls that are alone each take a
part of what a customer owes who is cut off, and when they meet again he has his reconnection, once; so has who paid in another district."""
from region import Region, agree, equal, until

QUICK = {"heartbeat_ms": 500, "backoff_max_ms": 300}
BOTH, AWAY, OWING = "3201000001", "3201000002", "3201000003"


def reconnections(node, account):
    return [one for one in node.json("ticket", "list", "--account", account).lines() if one["service"] == "reconnection"]


with Region("what is done by itself") as region:
    hub = region.hub("hub", **QUICK)
    halls = []
    for name in ("hall-a", "hall-b"):
        hall = region.hall(name, hub, ["3201"], start=False, relay=True, **QUICK)
        hall.settings("rules", reconnect_on_payment="yes")
        hall.start()
        halls.append(hall)
    other = region.hall("hall-3203", hub, ["3203"], **QUICK)
    for account in (BOTH, AWAY, OWING):
        hub.json("customer", "put", account, "name=王", "supply_status=off")
        for bill in ("1", "2"):
            hub.json("bill", "put", f"{account}-{bill}", f"account={account}", "amount_fen=5000", "due_date=2026-01-31")
    until("the bills are at the halls", lambda: all(len(h.json("bill", "list", "--account", OWING).lines()) == 2 for h in halls))

    # Without their links.
    for hall in halls:
        hall.relay.cut()
    halls[0].json("ticket", "open", "ticket_id=T-late", "service=complaint", "summary=无人受理", "due_ms=1000")
    until("a superior is shown it", lambda: halls[0].json("ticket", "get", "T-late").object().get("escalated") == 1)
    for number, hall in enumerate(halls, 1):
        hall.json("payment", "add", f"payment_id=p-{number}", f"account={BOTH}", f"bill_id={BOTH}-{number}", "amount_fen=5000", "window=1")
        equal(reconnections(hall, BOTH), [], "half of it is not all")
    for bill in ("1", "2"):
        other.json("payment", "add", f"payment_id=away-{bill}", f"account={AWAY}", f"bill_id={AWAY}-{bill}", "amount_fen=5000", "window=1")
    other.json("payment", "add", "payment_id=part", f"account={OWING}", f"bill_id={OWING}-1", "amount_fen=5000", "window=1")

    # With them again.
    for hall in halls:
        hall.relay.heal()
    until("both have their reconnection", lambda: all(reconnections(hub, account) for account in (BOTH, AWAY)))
    for node in (*halls, other):
        node.synced()
    until("all say the same", lambda: agree(hub, *halls, other))
    for node in (hub, *halls):
        for account, count in ((BOTH, 1), (AWAY, 1), (OWING, 0)):
            made = reconnections(node, account)
            equal([(one["urgency"], one["state"]) for one in made], [("urgent", "open")] * count, f"the work orders of {account}")
        equal(node.json("ticket", "get", "T-late").object()["escalated"], 1, "told once")
        equal(node.json("conflict", "list").lines(), [], "what two have made at once is one")
    for hall in halls:
        hall.stop()
        hall.start()
    until("they are there again", lambda: all(len(reconnections(hall, BOTH)) == 1 for hall in halls))
    for node in (hub, *halls, other):
        node.json("verify", "--full")
