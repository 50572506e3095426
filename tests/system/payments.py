#!/usr/bin/env python3
"""Bills and payments of two halls and their hub: one payment for several bills, late fees by their days, change, a prepaid card that two
halls top up without knowing of each other, who may take money back and when, receipts printed again, an invoice."""
import datetime
import re
import unicodedata

from region import Region, check, equal, until

QUICK = {"heartbeat_ms": 500, "backoff_max_ms": 300}
ACCOUNT, OTHER = "3201000001", "3202000001"


def day(days):
    """A business date, so many days from now, in Shanghai."""
    now = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8)))
    return (now + datetime.timedelta(days=days)).strftime("%Y-%m-%d")


def indents(card):
    """In which columns of a terminal the values of a card begin; Chinese characters take two."""
    titles = [re.match(r".*?  +", line).group() for line in card.splitlines()]
    return {sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in title) for title in titles}


with Region("bills and payments") as region:
    hub = region.hub("hub", **QUICK)
    hall = region.hall("hall-1", hub, ["3201", "3202"], **QUICK)
    other = region.hall("hall-2", hub, ["3202", "3201"], **QUICK)
    hall.json("customer", "put", ACCOUNT, "name=王芳", "address=草场门大街1号", "card_no=E-1")
    hall.json("customer", "put", OTHER, "name=李雷")

    # Bills with lines and late fees; what is due is of today.
    hall.json("bill", "put", "B-1", f"account={ACCOUNT}", "amount_fen=10000", "lines=电费:120000:kWh:9500;基金:::500",
              f"late_fees={day(-3)}:100;{day(0)}:50;{day(4)}:25")
    hall.json("bill", "put", "B-2", f"account={ACCOUNT}", "amount_fen=4000")
    equal(hall.json("payment", "totals", "--account", ACCOUNT).object()["due_fen"], 14150, "due today in all")
    bill = hall.json("bill", "get", "B-1").object()
    equal((bill["due_fen"], bill["late_fen"], bill["state"]), (10150, 150, "open"), "due today")
    equal([line["amount_fen"] for line in bill["lines"]], [9500, 500], "its lines")

    # One payment for both, with change and a rest that is advance.
    paid = hall.json("payment", "add", "payment_id=p-1", f"account={ACCOUNT}", "amount_fen=15000", "parts=B-1:10150;B-2:4000",
                     "tendered_fen=20000", "change_fen=5000", "method=cash", "window=3", "clerk=zhou").object()
    equal(hall.json("bill", "get", "B-1").object()["state"], "paid", "the first bill")
    equal(hall.json("bill", "get", "B-2").object()["due_fen"], 0, "the second bill")
    equal(hall.json("payment", "totals", "--account", ACCOUNT).object()["advance_fen"], 850, "paid ahead")
    equal([one["payment_id"] for one in hall.json("payment", "list", "--bill", "B-2").lines()], ["p-1"], "found by a part")
    hall.refused("bad-amount", "payment", "add", f"account={ACCOUNT}", "amount_fen=100", "parts=B-1:60;B-2:60")
    hall.refused("bad-amount", "payment", "add", f"account={ACCOUNT}", "amount_fen=100", "tendered_fen=200", "change_fen=50")
    hall.refused("bill-of-another-account", "payment", "add", f"account={OTHER}", "amount_fen=100", "parts=B-1:60")

    # Its receipt, in both languages, and printed again at the other hall.
    slip = hall.json("receipt", "show", paid["receipt"]).object()
    equal((slip["kind"], slip["name"], slip["amount_fen"], slip["change_fen"], slip["reprints"]), ("payment", "王芳", 15000, 5000, 0), "slip")
    check({"zh": "找零", "en": "change", "value": "50.00"} in slip["lines"], f"a line of it: {slip['lines']}")
    card = hall.run("receipt", "show", paid["receipt"]).out
    check("用电地址" in card and len(indents(card)) == 1, f"its values stand below each other:\n{card}")
    hall.synced()
    until("the other hall has it", lambda: other.json("payment", "get", "p-1").object()["amount_fen"] == 15000)
    again = other.json("reprint", "add", f"number={paid['receipt']}", "reason=lost", "clerk=wu").object()
    equal((again["result"], again["reprints"]), ("created", 1), "printed again")
    equal(other.json("reprint", "add", f"number={paid['receipt']}", "reason=torn", "replaced=yes").object()["reprints"], 2, "replaced")
    slip = other.json("receipt", "show", paid["receipt"]).object()
    equal((slip["reprints"], slip["replaced"]), (2, 1), "printed again, once in place of one that was handed back")
    other.refused("unknown-receipt", "reprint", "add", "number=hall-1-20200101-03-AAAAAA-000001", "reason=lost")
    other.synced()
    until("the hub counts it", lambda: hub.json("receipt", "show", paid["receipt"]).object()["reprints"] == 2)

    # Taken back: the same day at the window by anyone; from elsewhere by two people with a reason.
    other.refused("needs-second", "payment", "reverse", "p-1", "window=3", "clerk=wu")
    other.refused("needs-second", "payment", "reverse", "p-1", "window=3", "clerk=wu", "second=wu", "reason=mistyped")
    back = other.json("payment", "reverse", "p-1", "window=3", "clerk=wu", "second=sun", "reason=mistyped").object()
    equal(other.json("receipt", "show", back["receipt"]).object()["amount_fen"], -15000, "its own voucher")
    equal(other.json("bill", "get", "B-1").object()["due_fen"], 10150, "due again, with late fees")
    cheque = hall.json("payment", "add", "payment_id=p-2", f"account={ACCOUNT}", "amount_fen=4000", "bill_id=B-2", "method=cheque",
                       "slip_no=4711", "bank=ICBC", "window=3").object()
    hall.refused("bad-value", "payment", "reverse", "p-2", "window=3", "type=posted")
    check(cheque["receipt"] != paid["receipt"], "a number of its own")
    hall.json("payment", "reverse", "p-2", "window=3", "type=bounced", "reason=no funds")
    equal([one["payment_id"] for one in hall.json("payment", "list", "slip_no=4711").lines()], ["p-2"], "found by its slip")

    # What a window has closed is of another business day, be it the same by the calendar.
    hall.json("payment", "add", "payment_id=p-7", f"account={OTHER}", "amount_fen=700", "window=7", "clerk=zhou")
    hall.json("window", "close", "7", "clerk=zhou", "counted_fen=700")
    until("the hub has answered the close", lambda: hall.json("close", "list", "books=agrees").lines())
    hall.refused("needs-second", "payment", "reverse", "p-7", "window=7", "clerk=zhou", "reason=mistyped")
    hall.json("payment", "reverse", "p-7", "window=7", "clerk=zhou", "second=wu", "reason=mistyped")

    # Cancelled, or corrected by another bill: nothing more is taken for it.
    hub.json("bill", "put", "B-3", f"account={ACCOUNT}", "amount_fen=700")
    hub.json("bill", "put", "B-3", "status=corrected", "replaced_by=B-4")
    hub.json("bill", "put", "B-4", f"account={ACCOUNT}", "amount_fen=650")
    until("the hall knows", lambda: hall.json("bill", "list", "--account", ACCOUNT).out.count("B-4") == 2)
    hall.refused("bill-closed", "payment", "add", f"account={ACCOUNT}", "amount_fen=700", "bill_id=B-3")
    equal(hall.json("bill", "get", "B-3").object()["due_fen"], 0, "it asks for nothing")

    # A prepaid card: refused where the first is known, listed where two halls took one each.
    hall.synced()
    other.synced()
    topup = ("payment", "add", f"account={ACCOUNT}", "amount_fen=5000", "purpose=topup", "card_no=E-1")
    hall.json(*topup, "payment_id=t-4", "card_counter=4")
    hall.refused("topup-done", *topup, "card_counter=4")
    hall.synced()
    until("the other hall knows", lambda: "t-4" in other.json("payment", "list", "card_no=E-1").out)
    other.refused("topup-done", *topup, "card_counter=4")
    hub.stop()
    hall.json(*topup, "payment_id=t-5a", "card_counter=5", "window=1")
    other.json(*topup, "payment_id=t-5b", "card_counter=5", "window=1")
    hub.start()
    hall.synced()
    other.synced()
    for node in (hub, hall, other):
        until(f"{node.name} lists both", lambda: len(node.json("conflict", "list", "--type", "topup-twice").lines()) == 2)
    other.json("payment", "reverse", "t-5b", "window=1", "reason=not on the card")
    other.synced()
    for node in (hub, hall, other):
        until(f"{node.name} lists none", lambda: not node.json("conflict", "list", "--type", "topup-twice").lines())

    equal([entry["number"] for entry in hall.json("cash-entry", "list").lines()].count(paid["receipt"]), 1, "one entry for a receipt")

    # An invoice is asked for at one hall and issued at the other, once, and not of money that was taken back.
    hall.refused("already-reversed", "invoice-request", "put", "i-0", f"account={ACCOUNT}", f"number={paid['receipt']}", "title=草场门面包店")
    kept = hall.json("payment", "add", "payment_id=p-8", f"account={ACCOUNT}", "amount_fen=800", "window=3").object()
    hall.json("invoice-request", "put", "i-1", f"account={ACCOUNT}", f"number={kept['receipt']}", "title=草场门面包店")
    hall.synced()
    until("the other hall sees it", lambda: other.json("invoice-request", "list", f"account={ACCOUNT}").lines())
    other.refused("exists", "invoice-request", "put", "i-2", f"account={ACCOUNT}", f"number={kept['receipt']}", "title=面包店")
    other.refused("missing-field", "invoice-request", "put", "i-1", "state=issued")
    other.json("invoice-request", "put", "i-1", "state=issued", "invoice_no=00812345")
    other.refused("bad-state", "invoice-request", "put", "i-1", "state=refused")
    other.synced()
    until("issued", lambda: hall.json("invoice-request", "get", "i-1").object().get("state") == "issued")

    # All three hold the same, and what is derived follows from it.
    for node in (hub, hall, other):
        equal(node.totals(), hub.totals(), f"totals of {node.name}")
        equal(node.run("verify", "--full", "--json", seconds=120).status, 0, f"{node.name} verifies")
