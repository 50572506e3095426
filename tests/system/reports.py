#!/usr/bin/env python3
"""Reports at the command line: the day of a hall, drawn by a seed, against a plain recomputation from what is exported, at the hall and
at its hub, as JSON, CSV and for people; queue figures, tickets that are late, and who has not paid in time."""
import collections
import csv
import datetime
import io
import random

from region import SEED, Region, check, equal, until

METHODS = ("cash", "cheque", "card", "transfer", "bank_slip")
HERE, THERE = [f"3201{n:06}" for n in range(1, 13)], [f"3202{n:06}" for n in range(1, 6)]
WINDOWS = (1, 2, 3)
luck = random.Random(SEED)
ZONE = datetime.timezone(datetime.timedelta(hours=8))
until("a day that does not end under the test", lambda: datetime.datetime.now(ZONE).strftime("%H:%M") < "23:57", 240)
today = datetime.datetime.now(ZONE).date()


def day(offset):
    return (today + datetime.timedelta(days=offset)).isoformat()


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def draw_payment(number):
    """What a payment may be: of a bill, of parts, a top-up, ahead, a fee, or without a word of what it is for."""
    account = luck.choice(HERE * 4 + THERE)
    fen = luck.randrange(100, 100000)
    said = {"payment_id": f"{number:032x}", "account": account, "amount_fen": fen, "method": luck.choice(METHODS + ("cash",) * 4),
            "clerk": "c1", "window": luck.choice(WINDOWS)}
    if said["method"] in ("cheque", "bank_slip"):
        said["slip_no"] = f"S-{number}"
    sort = luck.choice(("bill", "parts", "topup", "advance", "fee", "ahead", "none"))
    if sort == "bill":
        said["bill_id"] = f"B-{account}"
    elif sort == "parts":
        said["parts"] = [{"bill_id": f"B-{account}", "amount_fen": luck.randrange(1, fen + 1)}]
        said["purpose"] = "bill"
    elif sort == "topup":
        said |= {"purpose": "topup", "card_no": f"E-{account}", "card_counter": number}
    elif sort in ("advance", "fee"):
        said["purpose"] = sort
    return said


def recompute(payments, reversals, date):
    """The money of the hall and day, from its receipts' numbers alone."""
    prefix = f"nj-gulou-{date.replace('-', '')}-"
    money, advance, by_id = collections.Counter(), 0, {one["payment_id"]: one for one in payments}

    def given(payment):
        return payment["amount_fen"] if payment.get("bill_id") else sum(part["amount_fen"] for part in payment.get("parts", []))

    def purpose(payment):
        return payment.get("purpose") or ("bill" if given(payment) else "advance")

    for payment in payments:
        if not payment["receipt"].startswith(prefix):
            continue
        money["payment", payment["method"], purpose(payment), "count"] += 1
        money["payment", payment["method"], purpose(payment), "fen"] += payment["amount_fen"]
        if purpose(payment) in ("bill", "advance"):
            advance += payment["amount_fen"] - given(payment)
    for reversal in reversals:
        payment = by_id[reversal["payment_id"]]
        if reversal["receipt"].startswith(prefix):
            money["reversal", payment["method"], purpose(payment), "count"] += 1
            money["reversal", payment["method"], purpose(payment), "fen"] -= payment["amount_fen"]
    return money, advance


with Region("reports") as region:
    hub = region.hub("nj-hub")
    hall = region.hall("nj-gulou", hub, ["3201"], relay=True)
    other = region.hall("nj-pukou", hub, ["3202"])
    hub.json("grant", "add", "district=3201", "owner=nj-gulou", "granted_by=主任")
    hall.put_lines(["customer", "put"], [{"account": a, "name": f"客户{a}", "phone": f"138{a[2:]}", "supply_status": "on"} for a in HERE])
    other.put_lines(["customer", "put"], [{"account": a, "name": "乙"} for a in THERE])
    hall.put_lines(["bill", "put"], [{"bill_id": f"B-{a}", "account": a, "amount_fen": 5000, "due_date": day(30)} for a in HERE])
    other.put_lines(["bill", "put"], [{"bill_id": f"B-{a}", "account": a, "amount_fen": 5000, "due_date": day(30)} for a in THERE])
    other.synced()
    hall.synced()

    # A day: windows, money, paper, tickets, the queue, people.
    for window in WINDOWS:
        hall.json("window", "open", str(window), f"clerk=c{window}", "float_fen=1000")
    hall.json("window", "pause", "2", "clerk=c2")
    hall.json("window", "resume", "2", "clerk=c2")
    paid = [draw_payment(number) for number in range(1, 61)]
    for done in hall.put_lines(["payment", "add"], paid):
        equal(done["result"], "created", f"paid: {done}")
    other.json("payment", "add", "payment_id=o-1", f"account={HERE[0]}", "amount_fen=77", "method=cash")
    for payment in luck.sample(paid, 6):
        hall.json("payment", "reverse", payment["payment_id"], "reason=差错", "clerk=c9", "second=c8", f"window={payment['window']}")
    ahead = {"payment_id": f"{1000:032x}", "account": HERE[5], "amount_fen": 200000, "method": "cash", "purpose": "advance", "window": 1}
    hall.put_lines(["payment", "add"], [ahead])
    until("the hall may give money back", lambda: hall.json("grant", "list").lines())
    hall.json("payment", "refund", HERE[5], "amount_fen=1234", "reason=退预收", "clerk=c1", "form_no=F-1", "window=1")
    receipt = hall.json("payment", "get", paid[0]["payment_id"]).object()["receipt"]
    date = f"{receipt[9:13]}-{receipt[13:15]}-{receipt[15:17]}"
    for replaced in ("yes", "no", "no"):
        hall.json("reprint", "add", f"number={receipt}", "reason=卡纸", f"replaced={replaced}")
    scores = [luck.randrange(1, 6) for _ in range(20)]
    hall.put_lines(["rating", "add"], [{"of_kind": "payment", "of_id": paid[n]["payment_id"], "score": score, "window": paid[n]["window"]}
                                       for n, score in enumerate(scores)])
    other.json("rating", "add", "of_kind=payment", "of_id=o-1", "score=1")
    for ticket in ("T-1", "T-2", "T-3"):
        hall.json("ticket", "open", f"ticket_id={ticket}", "service=complaint", f"account={HERE[0]}", "summary=停电", "due_ms=1000")
    for state in ("accepted", "assigned", "working", "resolved"):
        hall.json("ticket", "event", "T-2", f"state={state}", "assignee=赵")
    other.json("ticket", "open", "ticket_id=T-o", "service=complaint", f"account={THERE[0]}", "summary=停电", "due_ms=1000")
    # One more is resolved at the hall and at the hub, which do not know of each other: the later one has resolved nothing.
    hall.json("ticket", "open", "ticket_id=T-4", "service=complaint", f"account={HERE[0]}", "summary=停电")
    hall.synced()
    hall.relay.cut()
    for node, ends in ((hall, ("called_back", "archived")), (hub, ())):
        for state in ("accepted", "assigned", "working", "resolved", *ends):
            node.json("ticket", "event", "T-4", f"state={state}", "assignee=赵")
    hall.relay.heal()
    for _ in range(6):
        hall.json("queue", "take", "A")
    for verbs in (("serve", "done"), ("serve", "done"), ("skip",)):
        hall.json("queue", "call", "1")
        for verb in verbs:
            hall.json("queue", verb, "1")
    hall.json("queue", "leave", "A006")
    hall.json("slot", "put", "slot_id=G-1", "hall=nj-gulou", f"date={date}", "begins=09:30", "capacity=3")
    for booking in range(1, 5):
        hall.run("appointment", "book", "G-1", f"appointment_id=a-{booking}", "name=周")
    hall.json("appointment", "keep", "a-1")
    hall.json("appointment", "cancel", "a-2")
    hall.json("reminder", "subscribe", HERE[0], "channel=phone", "days_before=30")
    hall.json("reminder", "done", HERE[0], f"bill_id=B-{HERE[0]}", "channel=phone", "result=told")
    hall.json("reminder", "done", HERE[1], f"bill_id=B-{HERE[1]}", "channel=phone", "result=absent")
    for window in WINDOWS:
        entries = [one for one in hall.json("cash-entry", "export").lines()
                   if one["number"].split("-")[3] == f"{window:02}" and one["number"].startswith("nj-gulou")]
        cash = 1000 + sum(one["amount_fen"] for one in entries if one.get("method", "cash") == "cash")
        words = ["reason=少找五分"] if window == 3 else []
        hall.json("window", "close", str(window), f"clerk=c{window}", f"counted_fen={cash - (5 if window == 3 else 0)}", f"date={date}", *words)
    hall.json("day", "close", "clerk=c1", f"date={date}")
    late = hall.json("payment", "add", "payment_id=p-late", f"account={HERE[2]}", "amount_fen=4711", "method=cash").object()["receipt"]
    check(not late.startswith(receipt[:17]), "what comes behind the close is of another day")
    hall.synced()
    other.synced()

    # The hall and the hub say the same, and it is what was written.
    def report(node, *words):
        return node.json("report", "day", "--date", date, *words).object()

    until("the hub agrees", lambda: report(hub, "--hall", "nj-gulou")["books"] == "agrees")
    until("the hall has heard of it", lambda: report(hall)["books"] == "agrees")
    said = report(hall)
    equal(report(hub, "--hall", "nj-gulou"), said, "the hub's report of the hall")
    check("complete" not in said, f"all of it is here: {said}")
    payments = [one for one in hub.json("payment", "list").lines()]
    money, advance = recompute(payments, hub.json("reversal", "list").lines(), date)
    found = collections.Counter()
    for row in said["money"]:
        found[row["what"], row["method"], row.get("purpose"), "count"] += row["count"]
        found[row["what"], row["method"], row.get("purpose"), "fen"] += row["sum_fen"]
    equal((found.pop(("refund", "cash", None, "count")), found.pop(("refund", "cash", None, "fen"))), (1, -1234), "given back")
    equal(found, money, "money by what, method and purpose")
    equal(said["advance_fen"], advance, "paid ahead")
    for what in ("payment", "reversal"):
        sign = 1 if what == "payment" else -1
        equal(said[f"{what}s"], sum(n for key, n in money.items() if key[0] == what and key[3] == "count"), f"{what}s")
        equal(said[f"{what}s_fen"], sign * sum(n for key, n in money.items() if key[0] == what and key[3] == "fen"), f"sum of {what}s")
    topups = [payment for payment in paid if payment.get("purpose") == "topup"]
    equal((said["topups"], said["topups_fen"]), (len(topups), sum(one["amount_fen"] for one in topups)), "top-ups")
    equal((said["refunds"], said["refunds_fen"]), (1, 1234), "refunds")

    # ... and what books and totals say.
    book = next(line for line in hub.json("books", "--date", date).lines() if line["hall"] == "nj-gulou")
    for key in ("entries", "sum_fen", "books", "closed_entries", "closed_fen", "cash_fen", "later_entries", "counted_fen", "difference_fen"):
        equal(said[key], book[key], f"{key} of the books")
    equal((said["entries"], said["difference_fen"], said["counted_fen"] - said["float_fen"]), (68, -5, said["counted_fen"] - 3000), "entries")
    totals = hub.totals("--date", date, "--origin", "nj-gulou")
    equal((totals["count"] - 1, totals["sum_fen"] - 4711, totals["reversed_count"], totals["reversed_fen"]),
          (said["payments"], said["payments_fen"], said["reversals"], said["reversals_fen"]), "totals, which go by the clock, have the late one too")
    windows = {one["window"]: one for one in said["windows"]}
    shown = {line["window"]: line for line in hub.json("books", "show", "nj-gulou", "--date", date).lines() if "window" in line}
    equal(set(windows), set(WINDOWS), "windows")
    for number, window in windows.items():
        for key in ("entries", "sum_fen", "books", "counted_fen", "difference_fen", "float_fen"):
            equal(window[key], shown[number][key], f"{key} of window {number}")
        rated = [score for n, score in enumerate(scores) if paid[n]["window"] == number]
        equal((window["ratings"], window["rating_sum"]), (len(rated), sum(rated)), f"ratings at window {number}")
        equal((window["opened"], window["closed"], window["paused"], window["state"], window["clerk"]),
              (1, 1, int(number == 2), "closed", f"c{number}"), f"window {number}")
    equal([windows[n].get("reason") for n in WINDOWS], [None, None, "少找五分"], "reasons")

    # What else people did.
    equal((said["reprints"], said["replaced"]), (3, 1), "reprints")
    equal((said["ratings"], said["rating_sum"], said["scores"]), (20, sum(scores), [scores.count(n) for n in range(1, 6)]), "ratings")
    equal((said["tickets_opened"], said["tickets_resolved"], said["tickets_overdue"]), (4, 2, 2), "tickets")
    until("the later of two resolved nothing", lambda: report(hub, "--hall", "nj-hub")["tickets_resolved"] == 0)
    equal([said[f"queue_{key}"] for key in ("printed", "served", "skipped", "left", "waiting")], [6, 2, 1, 1, 2], "queue")
    def ms(text):
        return round(datetime.datetime.fromisoformat(text).timestamp() * 1000)

    waits = sorted(ms(one["called"]) - ms(one["taken"]) for one in
                   (hall.json("queue", "get", line["queue_id"]).object() for state in ("served", "skipped")
                    for line in hall.json("queue", "list", "--state", state, "--date", date).lines()))
    equal([said[key] for key in ("wait_ms", "wait_median_ms", "wait_90_ms", "wait_most_ms")],
          [sum(waits) // 3, waits[1], waits[2], waits[2]], "waiting")
    equal([said[f"appointments_{key}"] for key in ("booked", "kept", "missed", "cancelled")], [2, 1, 0, 1], "appointments")
    equal([said[f"reminders_{key}"] for key in ("told", "absent", "wrong")], [1, 1, 0], "reminders")

    # The other hall's day is its own; a day of nothing has nothing; a hall that nobody knows is none.
    there = report(hub, "--hall", "nj-pukou")
    equal((there["payments"], there["payments_fen"], there["ratings"], there["tickets_opened"], there["tickets_overdue"]), (1, 77, 1, 1, 1),
          "the other hall")
    check(report(hall, "--hall", "nj-pukou")["complete"] is False, "a hall does not have all that another did")
    before = hall.json("report", "day", "--date", day(-2)).object()
    equal((before["entries"], before["money"], before["windows"], before["queue_printed"]), (0, [], [], 0), "the day before yesterday")
    equal(hub.json("report", "day", "--hall", "nj-nowhere", status=1).object()["error"], "not-found", "no such hall")
    equal(hall.run("report", "day", "--date", "yesterday").status, 2, "no date")
    equal(hall.run("report", "day", "--json", "--csv").status, 2, "one of the two")

    # The same as CSV, and for people.
    table = rows(hall.run("report", "day", "--date", date, "--csv").out)
    equal(sum(int(row["sum_fen"]) for row in table if row["what"] in ("payment", "reversal", "refund")), said["sum_fen"], "rows of CSV")
    equal([row["sum_fen"] for row in table if (row["what"], row["item"]) == ("money", "in all")], [str(said["sum_fen"])], "their sum")
    text = hall.run("report", "day", "--date", date).out
    check(f"nj-gulou, {date}: books agrees" in text and "window 3" in text and "少找五分" in text, text)

    # The queue's figures, and tickets that are late.
    figures = rows(hub.run("report", "queue", "--hall", "nj-gulou", "--date", date, "--csv").out)
    equal(sum(int(row["taken"]) for row in figures if row["hour"]), 6, "taken, by the hour")
    equal([(row["window"], row["calls"]) for row in figures if row["window"]], [("1", "3")], "by window")
    equal(hub.json("report", "queue", "--hall", "nj-gulou", "--date", date).object()["all"]["taken"], 6, "as JSON")
    equal({one["ticket_id"] for one in hub.json("report", "overdue").lines()}, {"T-1", "T-3", "T-o"}, "late")
    equal([one["ticket_id"] for one in rows(hub.run("report", "overdue", "--district", "3202", "--csv").out)], ["T-o"], "late in a district")

    # Who has not paid in time.
    bills = []
    for account in HERE + THERE:
        for number in range(luck.randrange(4)):
            bill = {"bill_id": f"A-{account}-{number}", "account": account, "amount_fen": luck.randrange(100, 9000),
                    "due_date": day(luck.choice((-40, -20, -3, -1, 0, 5)))}
            if luck.random() < 0.3:
                bill["late_fees"] = [{"date": day(-1), "amount_fen": 30}, {"date": day(9), "amount_fen": 40}]
            if luck.random() < 0.2:
                bill["status"] = "cancelled"
            bills.append(bill)
    for node, start in ((hall, "3201"), (other, "3202")):
        mine = [bill for bill in bills if bill["account"].startswith(start)]
        node.put_lines(["bill", "put"], mine)
        for bill in mine:
            if "status" not in bill and luck.random() < 0.4:
                node.json("payment", "add", f"account={bill['account']}", f"bill_id={bill['bill_id']}", "purpose=bill",
                          f"amount_fen={luck.choice((bill['amount_fen'], 50, bill['amount_fen'] + 30))}")
        node.synced()

    def owed(days=1, fen=0, district=""):
        """The same from the bills, one by one."""
        owes = {}
        for line in hub.json("bill", "list").lines():
            if not line["account"].startswith(district) or line.get("due_date", "9") >= day(0) or line["due_fen"] <= 0:
                continue
            one = owes.setdefault(line["account"], {"due": 0, "bills": 0, "oldest": "9"})
            one["due"] += line["due_fen"]
            one["bills"] += 1
            one["oldest"] = min(one["oldest"], line["due_date"])
        return [(account, one["due"], one["bills"], one["oldest"]) for account, one in sorted(owes.items())
                if one["due"] >= fen and one["oldest"] <= day(-days)]

    def arrears(node, *words):
        return [(one["account"], one["due_fen"], one["bills"], one["oldest"]) for one in node.json("report", "arrears", *words).lines()]

    equal(arrears(hub), owed(), "all that is late")
    equal(arrears(hall), owed(district="3201"), "what a hall knows of")
    equal(arrears(hub, "--district", "3202"), owed(district="3202"), "of a district")
    equal(arrears(hub, "--days", "20", "--amount", "3000"), owed(days=20, fen=3000), "long ago, and much")
    equal(arrears(hub, "--limit", "2"), owed()[:2], "the first two")
    for one in hub.json("report", "arrears").lines():
        equal(one["days"], (today - datetime.date.fromisoformat(one["oldest"])).days, "days late")
    equal([row["account"] for row in rows(hub.run("report", "arrears", "--csv").out)], [row[0] for row in owed()], "as CSV")
    equal(hub.run("report", "arrears", "--days", "0").status, 2, "no number of days")
