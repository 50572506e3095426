#!/usr/bin/env python3
"""A hall closes its day without a link: counted cash against the books, what comes after is of the next day; when the link is back, hub and
hall prove that their books agree, to the fen; and what an older copy had forgotten, and gets back, belongs to the next close."""
from region import Region, check, equal, until
from snapshot import Snapshot

ACCOUNT = "3201000001"

with Region("closes of windows and days, the hub's answers") as region:
    hub = region.hub("nj-hub", heartbeat_ms=500, backoff_max_ms=300)
    hall = region.hall("nj-gulou", hub, ["3201"], relay=True, heartbeat_ms=500, backoff_max_ms=300)
    hall.json("customer", "put", ACCOUNT, "name=陈")

    def pay(number, fen, window, method="cash"):
        words = [f"window={window}"] if window else []
        done = hall.json("payment", "add", f"payment_id=p-{number}", f"account={ACCOUNT}", f"amount_fen={fen}", f"method={method}",
                         "clerk=王芳", *words).object()
        equal(done["result"], "created", f"payment {number}")
        return done["receipt"]

    def day_of(receipt):
        return receipt.removeprefix("nj-gulou-")[:8]

    def books(node, **wanted):
        """The line of the hall and day, once it is so."""
        found = {}

        def so():
            lines = node.json("books", "--date", date).lines()
            found.update(next((line for line in lines if line["hall"] == "nj-gulou"), {}))
            return all(found.get(key) == value for key, value in wanted.items())

        until(f"{node.name}: books are {wanted}, and not {found}", so)
        return found

    def show(node):
        lines = node.json("books", "show", "nj-gulou", "--date", date).lines()
        return {line.get("window", "hall"): line for line in lines}

    # A day at two windows, and a kiosk without one.
    hall.json("window", "open", "1", "clerk=王芳", "float_fen=20000")
    hall.json("window", "open", "2", "clerk=李强")
    first = pay(1, 10000, 1)
    date = f"{day_of(first)[:4]}-{day_of(first)[4:6]}-{day_of(first)[6:]}"
    for number in range(2, 120):
        pay(number, 100 + number, 1 + number % 2)
    hall.synced()
    equal(books(hub)["books"], "open", "the day is open")
    equal(books(hub)["entries"], 119, "and its entries are at the hub")

    # The link goes, the day goes on, and is closed.
    hall.relay.cut()
    pay(200, 5000, 2, "cheque")
    pay(201, 700, 0)
    hall.json("payment", "reverse", "p-2", "reversal_id=r-1", "window=1", "clerk=王芳")
    answer = hall.json("day", "close", "clerk=王芳", status=4).object()
    equal(answer["error"], "open-window", "the day, with windows open")
    cash = {1: 20000 + 10000 - 102, 2: 0}
    for number in range(2, 120):
        cash[1 + number % 2] += 100 + number
    answer = hall.json("window", "close", "1", "clerk=王芳", f"counted_fen={cash[1] - 50}", f"date={date}", status=4).object()
    equal((answer["error"], answer["field"]), ("missing-field", "reason"), "fifty fen are missing")
    closed = hall.json("window", "close", "1", "clerk=王芳", f"counted_fen={cash[1] - 50}", "reason=找零差错", f"date={date}").object()
    check(closed["receipt"].startswith(f"nj-gulou-{day_of(first)}-01-"), f"the close: {closed}")
    hall.json("window", "close", "2", "clerk=李强", f"counted_fen={cash[2]}", f"date={date}")
    late = pay(202, 900, 2)
    check(day_of(late) > day_of(first), f"{late}: what comes after the close is of the next day")
    hall.json("day", "close", "clerk=王芳", f"date={date}")
    check(day_of(pay(203, 100, 0)) > day_of(first), "the same of the hall")
    line = books(hall, books="unanswered")
    equal((line["entries"], line["closed_entries"], line["later_entries"]), (122, 122, 0), "entries")
    sum_fen = 10000 + sum(100 + number for number in range(2, 120)) + 5000 + 700 - 102
    equal((line["sum_fen"], line["closed_fen"], line["cash_fen"]), (sum_fen, sum_fen, sum_fen - 5000), "sums")
    equal((line["difference_fen"], line["float_fen"]), (-50, 20000), "counted")
    equal(books(hub)["books"], "open", "the hub knows nothing of it")

    # Link up: one line that both can prove.
    hall.relay.heal()
    hall.synced()
    for node in (hub, hall):
        line = books(node, books="agrees")
        equal((line["closed_entries"], line["closed_fen"], line["later_entries"]), (122, sum_fen, 0), f"{node.name}: closed")
    shown = {node.name: show(node) for node in (hub, hall)}
    equal(shown["nj-hub"], shown["nj-gulou"], "both show the same")
    equal(set(shown["nj-hub"]), {"hall", 0, 1, 2}, "books of the hall and of its windows")
    for name in ("hall", 1, 2):
        close, = shown["nj-hub"][name]["closes"]
        answer, = close["answers"]
        equal((answer["verdict"], answer["hash"], answer["entries"]), ("agrees", close["hash"], close["entries"]), f"the answer for {name}")
        equal((close["node"], answer["node"]), ("nj-gulou", "nj-hub"), "who signed")
        check(close["n"] > 0 and answer["n"] > 0 and close["origin"] != answer["origin"], f"the operations that they signed: {close}")
    equal(len(hub.json("close", "list", "books=agrees").lines()), 3, "closes that are settled")
    equal(hub.json("close", "list", "books=differs").lines(), [], "and such as differ")
    check("agrees" in hub.run("books", "show", "nj-gulou", "--date", date).out, "for people")

    # The money is handed in.
    close, = shown["nj-hub"]["hall"]["closes"]
    handed = hall.json("handing-in", "add", f"date={date}", f"amount_fen={sum_fen - 5000}", "slip_no=S-1", "bank=工行", "clerk=王芳",
                       f"closes={close['close_id']}").object()
    equal(handed["result"], "created", "handed in")
    hall.synced()
    equal(books(hub, books="agrees", handed_fen=sum_fen - 5000)["closed_fen"] - (sum_fen - 5000), 5000, "a cheque is not in it")
    equal([slip["slip_no"] for slip in hub.json("handing-in", "list", f"closes={close['close_id']}").lines()], ["S-1"], "the slip")

    # What came late is open, for a day that has not come.
    date = f"{day_of(late)[:4]}-{day_of(late)[4:6]}-{day_of(late)[6:]}"
    equal(hall.json("day", "close", "clerk=王芳", f"date={date}", status=4).object()["error"], "bad-value", "the next day has not come")
    equal(books(hub, books="open")["later_entries"], 2, "it is open, with what came late")

    # An older copy of a hall closes what it knows, without a link; what it had forgotten comes back, and is closed then.
    other = region.hall("nj-pukou", hub, ["3202"], relay=True, heartbeat_ms=500, backoff_max_ms=300)
    other.json("customer", "put", "3202000001", "name=李")

    def take(numbers):
        receipts = [other.json("payment", "add", f"payment_id=q-{n}", "account=3202000001", f"amount_fen={n}").object()["receipt"]
                    for n in numbers]
        return receipts[0].removeprefix("nj-pukou-")[:8]

    def their(node, **wanted):
        def so():
            lines = [line for line in node.json("books", "--date", day).lines() if line["hall"] == "nj-pukou"]
            found.clear()
            found.update(lines[0])
            return all(found.get(key) == value for key, value in wanted.items())
        found = {}
        until(f"{node.name}: books are {wanted}", so)
        return found

    day = take(range(1, 11))
    day = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    other.synced()
    copy = Snapshot(other)
    other.start()
    take(range(11, 21))
    other.synced()
    other.stop()
    copy.copied_back()
    other.relay.cut()
    other.start()
    take(range(21, 23))
    other.json("day", "close", "clerk=赵敏", f"date={day}")
    equal(their(other, books="unanswered")["closed_entries"], 12, "what the copy knew")
    other.relay.heal()
    other.synced()
    for node in (hub, other):
        until(f"{node.name}: the first close is settled",
              lambda: [c["hall"] for c in node.json("close", "list", "books=agrees").lines()].count("nj-pukou") == 1)
        line = their(node, books="open", entries=22)
        equal((line["closed_entries"], line["later_entries"], line["later_fen"]), (12, 10, sum(range(11, 21))), f"{node.name}: came back")
    other.json("day", "close", "clerk=赵敏", f"date={day}")
    other.synced()
    for node in (hub, other):
        line = their(node, books="agrees", closed_entries=22)
        equal((line["later_entries"], line["twice_entries"], line["closed_fen"]), (0, 0, sum(range(1, 23))), f"{node.name}: all of it")
    equal(len(other.json("close", "list", "hall=nj-pukou", f"date={day}").lines()), 2, "two closes of a day")
    equal(other.json("day", "close", "clerk=赵敏", f"date={day}", status=4).object()["error"], "bad-window-state", "and no third one")
    equal(hub.json("conflict", "list").lines(), [], "nothing for people to decide")
