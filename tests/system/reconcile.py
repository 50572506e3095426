#!/usr/bin/env python3
"""A hall goes on without its link; both ends edit one customer, both take money for one bill; when the link is back all have the same."""
import os

from region import Region, check, equal, payment, until

with Region("cut, go on, heal, reconcile") as region:
    hub = region.hub("nj-hub")
    one = region.hall("nj-chengbei", hub, ["3201"])
    two = region.hall("nj-gulou", hub, ["3201"], relay=True)
    far = region.hall("nj-jiangning", hub, ["3209"])
    accounts = region.customers(hub, 100)
    rows = os.path.join(region.dir, "bills.csv")
    with open(rows, "w") as out:
        out.write("bill_id,account,period,amount_fen,due_date\n")
        for number, account in enumerate(accounts):
            out.write(f"B{number},{account},2026-10,{5000 + number},2026-10-25\n")
    hub.json("bill", "import", rows)
    for hall in (one, two, far):
        hall.synced()
    outside = [(line["partition"], line["kind"]) for line in far.json("digest").lines()]
    equal(outside, [("region", "audit")], "what is outside a scope was sent")
    equal(one.digests(), two.digests(), "halls of equal scope")
    equal(one.json("bill", "get", "B1").object()["safe"], "hub", "what a hub wrote")

    two.relay.cut()
    down = until("the cut is noticed", lambda: [p for p in two.status()["peers"] if p["state"] == "down" and p["why"]], 30)
    equal(len(down), 1, "the hub is shown as down, and why")
    one.json("customer", "put", f"account={accounts[0]}", "tariff=试验甲", "remark=at one")
    two.json("customer", "put", f"account={accounts[0]}", "tariff=试验乙", "remark=at two")
    one.json("payment", "add", *[f"{k}={v}" for k, v in payment(accounts[1], 1, 5001, bill_id="B1").items()])
    paid = two.json("payment", "add", *[f"{k}={v}" for k, v in payment(accounts[1], 2, 5001, bill_id="B1").items()]).object()
    equal(paid["safe"], "here", "a payment off line")
    two.json("ticket", "open", "ticket_id=t1", "service=reconnection", f"account={accounts[2]}", "summary=复电")
    # A payment for another district goes to where it belongs.
    far.json("payment", "add", *[f"{k}={v}" for k, v in payment(accounts[3], 3, 700).items()])

    two.relay.heal()
    for hall in (two, one, far):
        hall.synced()
    two.synced()
    equal(two.json("payment", "get", f"{2:032x}").object()["safe"], "hub", "the payment after the link came back")
    equal(one.digests(), two.digests(), "halls of equal scope after healing")
    hub_lines = [line for line in hub.digests().splitlines(True) if '"3201"' in line]
    equal([line for line in one.digests().splitlines(True) if '"3201"' in line], hub_lines, "hub and hall")
    for node in (hub, one, two):
        equal(node.json("customer", "get", accounts[0]).object()["tariff"],
              hub.json("customer", "get", accounts[0]).object()["tariff"], "the shown value")
        kinds = sorted(c["type"] for c in node.json("conflict", "list").lines())
        equal(kinds, ["field", "overpaid"], f"{node.name}: conflicts")
        equal(node.json("ticket", "get", "t1").object()["state"], "open", "the ticket")
        equal(node.totals("--account", accounts[1])["count"], 2, "both payments of the bill")
    equal(hub.totals()["sum_fen"], 5001 * 2 + 700, "the money of all halls")
    check('"3201"' not in far.digests(), "a hall's digests speak of a district that it does not hold")

    conflict = next(c for c in one.json("conflict", "list").lines() if c["type"] == "field")
    shown = one.json("conflict", "show", conflict["id"]).object()
    values = {value["text"] for field in shown["fields"] for value in field["values"]}
    check({"试验甲", "试验乙"} <= values, f"both values are shown: {values}")
    one.json("conflict", "resolve", conflict["id"], "tariff=试验乙", "--reason", "asked the customer")
    one.synced()
    until("the decision is everywhere", lambda: all(c["type"] != "field" for c in two.json("conflict", "list").lines()) and
          two.json("customer", "get", accounts[0]).object()["tariff"] == "试验乙")
