#!/usr/bin/env python3
"""Work orders: the catalogue and the calendar come from the region; a hall without its link opens, urges, ticks and passes on to another
district, whose hall finds the linked ticket when the link is back, and whose result comes home; a paid bill makes the reconnection."""
import hashlib

from region import Region, agree, check, equal, until

QUICK = {"heartbeat_ms": 500, "backoff_max_ms": 300}
HERE, THERE = "3201000001", "3203000001"

with Region("work orders") as region:
    hub = region.hub("hub", **QUICK)
    hall = region.hall("hall-3201", hub, ["3201"], start=False, relay=True, **QUICK)
    hall.settings("rules", reconnect_on_payment="yes", escalate_overdue="no")
    hall.start()
    other = region.hall("hall-3203", hub, ["3203"], **QUICK)

    # The catalogue: loaded once, changed at the hub by version, never undone by loading it again.
    equal(hub.json("catalogue", "load").object(), {"created": 44, "changed": 0, "unchanged": 0}, "the default services")
    equal(hub.json("catalogue", "put", "invoice", "department=mail room").object()["result"], "changed", "a change")
    equal(hub.json("catalogue", "load").object(), {"created": 0, "changed": 0, "unchanged": 44}, "loaded again")
    hub.json("catalogue", "put", "praise", "name=Praise", "name_zh=表扬", "machine=quick", "deadline_hours=8")
    hub.json("calendar", "put", "2026-10-01", "working=no", "remark=国庆节")
    until("the catalogue is at the halls", lambda: all(len(n.json("catalogue", "list").lines()) == 45 for n in (hall, other)))
    until("the calendar is there", lambda: len(hall.json("calendar", "list").lines()) == 1)
    equal(hall.json("catalogue", "get", "invoice").object()["version"], 2, "its version")
    hall.refused("not-a-hub", "catalogue", "put", "invoice", "department=cellar")

    # Without the link.
    hall.relay.cut()
    hall.json("ticket", "open", "ticket_id=T-praise", "service=praise", "summary=谢谢")
    hall.json("ticket", "open", "ticket_id=T-name", "service=name-change", f"account={HERE}", "summary=更名", "contact=王 138")
    opened = hall.json("ticket", "get", "T-name").object()
    equal((opened["machine"], opened["department"], opened["catalogue_version"]), ("general", "marketing", 1), "of the catalogue")
    check(opened["missing"] and opened["overdue"] is False, f"what is missing: {opened['missing']}")
    for name in opened["missing"]:
        hall.json("ticket", "tick", "T-name", f"documents={name}")
    equal(hall.json("ticket", "missing", "T-name").lines(), [], "all has come in")
    equal(hall.json("ticket", "get", "T-praise").object()["catalogue_version"], 1, "of the region's own service")

    digest = hashlib.blake2b(b"photo", digest_size=32).hexdigest()
    hall.json("ticket", "open", "ticket_id=T-lost", "service=complaint", f"account={HERE}", "summary=无人受理", "due_ms=1000")
    for _ in range(2):
        hall.json("ticket", "urge", "T-lost", "note=催办", "clerk=李")
    hall.json("ticket", "attach", "T-lost", f"attachments=a.jpg:5:{digest}:share/a.jpg")
    equal([one["ticket_id"] for one in hall.json("ticket", "list", "--overdue").lines()], ["T-lost"], "what is late")
    equal(hall.json("ticket", "escalate", "--overdue", "note=逾期").object(), {"escalated": 1}, "somebody above is told")
    equal(hall.json("ticket", "escalate", "--overdue", "note=逾期").object(), {"escalated": 0}, "once")
    equal(hall.json("ticket", "get", "T-lost").object()["escalated"], 1, "and it is counted")
    hall.json("ticket", "link", "T-lost", "to_district=3203", "department=repair", "note=贵区办理")
    linked = hall.json("ticket", "get", "T-lost").object()["events"][-1]["linked_ticket"]

    hall.json("ticket", "escalate", "T-lost", "note=已超期")

    # A meter check is resolved with its result only; whoever does not want to be called back is not.
    hall.json("ticket", "open", "ticket_id=T-meter", "service=meter-check", f"account={HERE}", "summary=校表")
    for state in ("accepted", "working"):
        hall.json("ticket", "event", "T-meter", f"state={state}")
    hall.json("ticket", "pass", "T-meter", "department=laboratory")
    hall.refused("missing-field", "ticket", "event", "T-meter", "state=resolved")
    hall.json("ticket", "event", "T-meter", "state=resolved", "result=error in percent 误差:0.4;verdict 结论:合格")
    hall.json("ticket", "consent", "T-meter", "consent=no")
    hall.refused("no-consent", "ticket", "event", "T-meter", "state=called_back")
    hall.json("ticket", "event", "T-meter", "state=archived")
    checked = hall.json("ticket", "get", "T-meter").object()
    equal((checked["state"], checked["department"], checked["no_call_back"]), ("archived", "laboratory", True), "the meter check")

    hall.json("customer", "put", HERE, "name=王", "supply_status=off")
    hall.json("bill", "put", "B-1", f"account={HERE}", "amount_fen=5000")
    hall.json("payment", "add", "payment_id=p-1", f"account={HERE}", "bill_id=B-1", "amount_fen=5000", "window=1")
    urgent = [one for one in hall.json("ticket", "list", "--account", HERE).lines() if one["service"] == "reconnection"]
    equal([(one["urgency"], one["state"], one["department"]) for one in urgent], [("urgent", "open", "repair")], "the work order")

    # With it again.
    hall.relay.heal()
    until("the reconnection is at the hub",
          lambda: urgent[0]["ticket_id"] in [one["ticket_id"] for one in hub.json("ticket", "list", "--department", "repair").lines()])
    until("the linked ticket is there",
          lambda: linked in [one["ticket_id"] for one in other.json("ticket", "list", "--department", "repair").lines()])
    theirs = other.json("ticket", "get", linked).object()
    equal((theirs["linked_account"], theirs["linked_district"], theirs["attachments"][0]["hash"]), (HERE, "3201", digest), "what it carries")
    for state in ("accepted", "working"):
        other.json("ticket", "event", linked, f"state={state}")
    other.json("ticket", "event", linked, "state=resolved", "note=已办", "result=原因:线路;处理:已修复")
    until("the result is back", lambda: hall.json("ticket", "get", "T-lost").object()["events"][-1].get("type") == "result")
    mine = hall.json("ticket", "get", "T-lost").object()
    equal((mine["events"][-1]["note"], mine["events"][-1]["result"], mine["urged"]), ("已办", "原因:线路;处理:已修复", 2), "what it says")

    # Done, reopened at the hub, and done again.
    for node in (hall, hub):
        node.json("ticket", "event", "T-praise", "state=resolved")
        if node is hall:
            node.synced()
            until("it is resolved at the hub", lambda: hub.json("ticket", "get", "T-praise").object()["state"] == "resolved")
            hub.json("ticket", "reopen", "T-praise", "note=once more")
    for node in (hall, other):
        node.synced()
    until("all say the same", lambda: agree(hub, hall, other))
    equal(hub.json("ticket", "get", "T-praise").object()["state"], "resolved", "its state at the hub")
    until("and at the hall", lambda: hall.json("ticket", "get", "T-praise").object()["reopened"] == 1)
    check(hall.json("ticket", "get", "T-praise").object()["rate"] is True, "the customer is to be asked what he thinks")
    for node in (hub, hall, other):
        node.json("verify", "--full")
