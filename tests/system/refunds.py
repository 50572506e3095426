#!/usr/bin/env python3
"""Two halls take the same bill twice while apart; the node that owns the district gives the money back, without a link, and nobody else
does; the books agree after it.  The district is handed on, and two owners who do not know of each other refund the same money once."""
from region import Region, agree, check, equal, until

QUICK = {"heartbeat_ms": 500, "backoff_max_ms": 300}
ACCOUNT, OTHER = "3201000001", "3201000002"

with Region("refunds and credits by the owner of a district") as region:
    hub = region.hub("nj-hub", **QUICK)
    hall = region.hall("nj-gulou", hub, ["3201"], relay=True, **QUICK)
    second = region.hall("nj-chengbei", hub, ["3201"], relay=True, **QUICK)
    everyone = (hub, hall, second)
    far = region.hall("nj-lishui", hub, ["3202"], **QUICK)

    def settle(verb, fen, form, *words, account=ACCOUNT):
        return ("payment", verb, account, f"amount_fen={fen}", "reason=重复缴费", "clerk=王芳", f"form_no={form}", *words)

    def listed(node, type):
        return node.json("conflict", "list", "--type", type).lines()

    def bill(node, number="B-1"):
        return node.json("bill", "get", number).object()

    for account in (ACCOUNT, OTHER):
        hall.json("customer", "put", account, "name=陈")
    hall.json("bill", "put", "B-1", f"account={ACCOUNT}", "amount_fen=10000")
    hall.json("bill", "put", "B-2", f"account={ACCOUNT}", "amount_fen=3000")
    hall.synced()
    until("the other hall has them", lambda: second.json("bill", "list", "--account", ACCOUNT).lines()[1:])

    # Paid at both, with both links down.
    for node in (hall, second):
        node.relay.cut()
        node.json("payment", "add", f"payment_id=p-{node.name}", f"account={ACCOUNT}", "bill_id=B-1", "amount_fen=10000", "window=1")
    for node in (hall, second):
        node.relay.heal()
        node.synced()
    for node in everyone:
        until(f"{node.name}: paid too much", lambda: bill(node)["state"] == "overpaid" and len(listed(node, "overpaid")) == 1)

    # Nobody owns the district; then one does, by a hub's word.
    hub.refused("not-owner", "settlement", "add", "type=refund", *settle("refund", 100, "F-0")[3:], f"account={ACCOUNT}")
    hall.refused("not-a-hub", "grant", "add", "district=3201", "owner=nj-gulou", "granted_by=主任")
    hub.refused("not-found", "grant", "add", "district=3201", "owner=nobody", "granted_by=主任")
    hub.refused("bad-value", "grant", "add", "district=3201", "owner=nj-lishui", "granted_by=主任")
    equal(hub.json("grant", "add", "district=3201", "owner=nj-gulou", "granted_by=主任").object()["result"], "created", "granted")
    equal(hub.json("grant", "add", "district=3201", "owner=nj-gulou", "granted_by=主任").object()["result"], "exists", "granted once")
    for node in everyone:
        until(f"{node.name} knows the owner", lambda: [one["owner"] for one in node.json("grant", "list").lines()] == ["nj-gulou"])

    # Elsewhere it is refused, and the command line makes a work order of it, once.
    second.refused("not-owner", "settlement", "add", "type=refund", *settle("refund", 100, "F-0")[3:], f"account={ACCOUNT}")
    order = second.json(*settle("refund", 10000, "F-1", "bill_id=B-1")).object()
    check(order["result"] == "ticket" and "nj-gulou" in order["why"] and "receipt" not in order, f"a work order: {order}")
    equal(second.json(*settle("refund", 10000, "F-1", "bill_id=B-1")).object()["ticket_id"], order["ticket_id"], "the same work order")
    second.synced()
    until("the owner has the work order", lambda: hall.json("ticket", "list", "--account", ACCOUNT).lines())
    equal([one["service"] for one in hall.json("ticket", "list", "--account", ACCOUNT).lines()], ["refund"], "one of service refund")

    # At the owner, whose link is down: in two parts, each once, and no fen more than there is.
    hall.relay.cut()
    hall.json("window", "open", "1", "clerk=王芳", "float_fen=20000")
    equal(hall.json(*settle("refund", 10001, "F-1", "bill_id=B-1"), status=4).object()["error"], "not-so-much", "more than there is")
    done = hall.json(*settle("refund", 4000, "F-1", "bill_id=B-1", "window=1")).object()
    check(done["result"] == "created" and "-01-" in done["receipt"], f"its own voucher number: {done}")
    again = hall.json(*settle("refund", 4000, "F-1", "bill_id=B-1", "window=1")).object()
    equal((again["result"], again["receipt"], again["id"]), ("exists", done["receipt"], done["id"]), "sent again")
    equal(hall.json(*settle("refund", 4001, "F-1", "bill_id=B-1"), status=4).object()["error"], "id-in-use", "another amount on one form")
    equal(listed(hall, "overpaid")[0]["text"].count("60.00 yuan"), 1, "the rest is listed")
    check("40.00 yuan were settled" in listed(hall, "overpaid")[0]["text"], f"and what was settled: {listed(hall, 'overpaid')}")
    hall.refused("settled", "payment", "reverse", "p-nj-gulou", "window=1", "reason=mistyped", "clerk=王芳", "second=李强")
    equal(hall.json(*settle("credit", 3000, "C-1", "bill_id=B-1", "to_bill=B-2")).object()["result"], "created", "counted for the other bill")
    equal((bill(hall, "B-2")["state"], bill(hall, "B-2")["settled_fen"]), ("paid", -3000), "the other bill")
    equal(hall.json(*settle("credit", 1, "C-2", "bill_id=B-1", "to_bill=B-2"), status=4).object()["error"], "not-so-much", "it asks for no more")
    hall.json(*settle("credit", 1000, "C-3", "bill_id=B-1"))
    equal(hall.totals("--account", ACCOUNT)["settled_fen"], 4000, "money that went out")
    hall.json(*settle("refund", 2000, "F-2", "bill_id=B-1", "window=1"))
    equal((bill(hall)["state"], bill(hall)["settled_fen"]), ("paid", 10000), "nothing is left of it")
    equal(hall.json(*settle("refund", 1, "F-3", "bill_id=B-1"), status=4).object()["error"], "not-so-much", "nothing is left")
    equal(hall.json("payment", "totals", "--account", ACCOUNT).object()["advance_fen"], 1000, "paid ahead")
    slip = hall.json("receipt", "show", done["receipt"]).object()
    equal((slip["kind"], slip["amount_fen"], slip["bill_id"], slip["name"]), ("refund", -4000, "B-1", "陈"), "its slip")

    # The day is closed, and the books agree.
    date = f"{done['receipt'].split('-')[2]}"
    date = f"{date[:4]}-{date[4:6]}-{date[6:]}"
    hall.json("window", "close", "1", "clerk=王芳", f"counted_fen={20000 + 10000 - 6000}", f"date={date}")
    hall.json("day", "close", "clerk=王芳", f"date={date}")
    hall.relay.heal()
    hall.synced()

    def books(node):
        line, = (one for one in node.json("books", "--date", date).lines() if one["hall"] == "nj-gulou")
        return line["books"], line["closed_fen"], line["difference_fen"]

    for node in (hub, hall):
        until(f"{node.name}: the books agree", lambda: books(node) == ("agrees", 4000, 0))
    for node in everyone:
        until(f"{node.name}: refunded", lambda: bill(node)["settled_fen"] == 10000)
        equal((bill(node)["state"], listed(node, "overpaid"), listed(node, "not-owner")), ("paid", [], []), f"{node.name}: the bill")
        equal(node.totals()["settled_fen"], 6000, f"{node.name}: refunds")

    # A hall of another district sees through the hub what was settled, and of its bill no more than that.
    seen = far.json("bill", "get", "B-1").object()
    equal((seen["state"], seen["settled_fen"], seen["from"]), ("paid", 10000, "nj-hub"), "the bill, from another district")
    far.refused("settled", "payment", "reverse", "p-nj-gulou", "window=1", "reason=mistyped", "clerk=王芳", "second=李强")

    # Handed on while the old owner has no link: both refund the same money, of which one knows more, and one of them counts.
    second.json("bill", "put", "B-9", f"account={OTHER}", "amount_fen=100")
    second.json("payment", "add", "payment_id=p-9", f"account={OTHER}", "amount_fen=5100", "bill_id=B-9")
    second.synced()
    until("the owner has it", lambda: hall.json("payment", "list", "--account", OTHER, "--here").lines())
    until("and the bill", lambda: hall.json("bill", "list", "--account", OTHER, "--here").lines())
    hall.relay.cut()
    equal(hub.json("grant", "add", "district=3201", "owner=nj-hub", "granted_by=主任").object()["result"], "created", "handed on")
    second.json("payment", "add", "payment_id=p-10", f"account={OTHER}", "amount_fen=1000", "bill_id=B-9")
    second.synced()
    until("the hub has it", lambda: len(hub.json("payment", "list", "--account", OTHER).lines()) == 2)
    hall.json(*settle("refund", 5000, "F-5", "bill_id=B-9", account=OTHER))
    hub.json(*settle("refund", 4500, "F-6", "bill_id=B-9", "method=transfer", account=OTHER))
    hall.relay.heal()
    hall.synced()
    for node in everyone:
        until(f"{node.name}: one counts", lambda: node.totals("--account", OTHER).get("settled_fen") == 4500)
        until(f"{node.name}: the other is listed", lambda: [one["amount_fen"] for one in listed(node, "settled-twice")] == [5000])
    equal(far.json("bill", "get", "B-9").object()["settled_fen"], 4500, "another district is told of the one that counts")
    hall.refused("not-owner", "settlement", "add", "type=refund", *settle("refund", 100, "F-7")[3:], f"account={OTHER}")
    hub.json(*settle("refund", 1500, "F-8", "bill_id=B-9", "method=transfer", account=OTHER))
    hub.refused("not-so-much", "settlement", "add", "type=refund", *settle("refund", 1, "F-9", "bill_id=B-9")[3:], f"account={OTHER}")
    until("all hold the same", lambda: agree(*everyone))
    for node in everyone:
        equal(node.run("verify", "--full").status, 0, f"{node.name}: sums and lists are what the records say")
