#!/usr/bin/env python3
"""The commands of docs/records.md run as they stand there, in their order, on other days and with receipts of their own."""
import datetime
import os
import re
import shlex

from region import Region, check, equal

GUIDE = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "records.md")
ACCOUNT = "3201000001"


def commands():
    with open(GUIDE, encoding="utf-8") as file:
        text = file.read().split("\n<!-- From here on")[0].replace("\\\n", "")
    return re.findall(r"^    hallsync (.*)$", text, re.M)


def day(days):
    now = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8)))
    return (now + datetime.timedelta(days=days)).date().isoformat()


with Region("docs/records.md does what it says") as region:
    hub = region.hub("nj-gulou")
    receipts, skipped = [], []

    def pay(fen, *words):
        answer = hub.json("payment", "add", f"account={ACCOUNT}", f"amount_fen={fen}", "method=cash", "window=3", *words).object()
        receipts.append(answer["receipt"])

    def a_customer():
        hub.json("customer", "put", ACCOUNT, "name=王芳", "phone=13800000000", "card_no=C-77", "identity_no=320102199001011234")
        for bill, fen in (("B-1", 10150), ("B-2", 4000)):
            hub.json("bill", "put", bill, f"account={ACCOUNT}", f"amount_fen={fen}", f"due_date={day(2)}")

    def paid_too_much():
        pay(25000, "bill_id=B-1")

    def cash_as_counted():
        taken = sum(entry["amount_fen"] for entry in hub.json("cash-entry", "list").lines())
        pay(151200 - 20000 - taken, "purpose=advance")

    def somebody_is_called():
        hub.json("queue", "take", "A")
        hub.json("queue", "call", "3")

    def somebody_was_skipped():
        hub.json("queue", "call", "5")
        skipped.append(hub.json("queue", "skip", "5").object()["number"])

    before = {"customer get": a_customer, "payment refund": paid_too_much, "window close": cash_as_counted,
              "queue transfer": somebody_is_called, "queue call 3 number": somebody_was_skipped}

    def local(command):
        close = next((close["close_id"] for close in hub.json("close", "list").lines() if "-hall-" in close["close_id"]), "")
        for words, here in (("nj-gulou-20261121-03-K7Q2ZD-000017", receipts[-1] if receipts else ""), ("number=A001", f"number={''.join(skipped)}"),
                            ("nj-chengbei-20261121-hall-K7Q2ZDAA", close), ("nj-chengbei", hub.name), ("nj-hub", hub.name),
                            ("2026-11-21", day(0)), ("2026-11-25", day(4)), ("HASH", "ab" * 32)):
            command = command.replace(words, here)
        return shlex.split(command, comments=True)

    taken = 0
    for command in commands():
        for beginning, happens in before.items():
            if command.startswith(beginning):
                happens()
        if command.startswith("watch "):  # for ever; hall_queue.py follows it
            continue
        answer = hub.run(*local(command), "--json")
        equal(answer.status, 0, f"{command}: {answer.out} {answer.err}")
        if command.startswith("payment add "):
            receipts.append(answer.object()["receipt"])
        taken += 1
    check(taken > 45, f"{taken} commands")
