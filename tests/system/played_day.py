#!/usr/bin/python3
"""A played day of a hall as Liu Ping's is: 13 windows, kiosks and a ticket machine, 1,500 payers and whatever else people come for; from 10:00 to
15:00 the line is down, and outside the hall a laptop without any line reconnects a customer and tops up cards; windows and hall close their
day; then the hub has all of it, to the fen, and every figure is that of plain books which the test keeps by itself.

    played_day.py [--halls 2]       two halls serve the same customers

The clock of all nodes is the test's: it stands still for a tick of three minutes, in which all desks work at once.

Its interpreter is Debian's, which has python3-zmq and python3-protobuf."""
import argparse
import collections
import concurrent.futures
import glob
import json
import os
import random
import re
import sys
import time
from types import SimpleNamespace

try:
    import zmq  # noqa: F401
    import google.protobuf  # noqa: F401
except ImportError:
    print("played_day.py: skipped: no python3-zmq, python3-protobuf")
    sys.exit(77)

import local_client
from day_books import Books, compare, compare_conflicts, same
from day_desks import COURSES, BackOffice, Caller, Desk, House
from day_plan import SHUT, TICK, Plan, played_date
from local_client import Counter
from region import SEED, SLOW, Region, agree, check, equal, until

FAKETIME = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
QUICK = {"heartbeat_ms": 500, "backoff_max_ms": 300}
PAYERS = int(os.environ.get("HS_PAYERS") or 1500)
FLOAT = 20000
MORNING, CUT, HEALED, BOUNCED, REMINDED = 7 * 60 + 30, 10 * 60, 15 * 60, 16 * 60 + 30, 16 * 60


class Day:
    """The region and its people, from the night import to the hub's answer."""

    def __init__(self, region, count):
        self.region, self.date = region, played_date()
        self.clock = os.path.join(region.dir, "clock")
        names = ["nj-chengbei", "nj-xuanwu"][:count]
        chance = random.Random(f"{SEED} plan")
        self.plan = Plan(chance, self.date, names, PAYERS * 21 // 20)  # some go before they are called
        self.books = Books(self.plan)
        self.at(6 * 60)
        region.env = {"LD_PRELOAD": FAKETIME[0], "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
                      "FAKETIME_FORCE_MONOTONIC_FIX": "0", "FAKETIME_TIMESTAMP_FILE": self.clock, "FAKETIME_NO_CACHE": "1", "TZ": "UTC"}
        self.hub = region.hub("nj-hub", **QUICK)
        # The second hall is of another district, and holds the first one's as well.
        homes = (["3201"], ["3202", "3201"])
        self.halls = [self.hall(name, home, f"ipc://{region.dir}/{name}/counters.sock") for name, home in zip(names, homes)]
        self.laptop = self.hall("nj-laptop", ["3201"], None)
        self.names = [node.name for node in (*self.halls, self.laptop)]
        self.everybody = [self.hub, *self.halls, self.laptop]
        self.eyes = [Counter(node, random.Random(f"{SEED} {node.name}")) for node in self.everybody]

    def hall(self, name, districts, counters):
        node = self.region.hall(name, self.hub, districts, start=False, relay=True, **QUICK)
        node.settings("rules", reconnect_on_payment="yes")
        if counters:
            node.settings("listen", counters=counters)
        return node.start()

    def at(self, minute):
        """It is that minute, and stays so."""
        self.minute = minute
        when = time.gmtime(Books(self.plan).ms(0, minute) // 1000)
        with open(self.clock + ".new", "w") as out:
            out.write(time.strftime("%Y-%m-%d %H:%M:%S", when) + "\n")
        os.rename(self.clock + ".new", self.clock)

    # ---- before the doors open

    def night(self):
        """The marketing system's records, and what the region says."""
        hub, plan = self.hub, self.plan
        hub.json("catalogue", "load")
        hub.json("grant", "add", "district=3201", f"owner={self.halls[0].name}", "granted_by=主任")
        self.files, self.nightly = {}, {}
        for kind, records in (("customer", plan.customers), ("bill", plan.bills)):
            self.files[kind] = os.path.join(self.region.dir, f"{kind}s.jsonl")
            with open(self.files[kind], "w") as out:
                out.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in records.values())
            self.nightly[kind] = len(records)
            equal(self.imported(kind, "created"), len(records), f"imported: {kind}s")
        hub.json("notice", "put", "N-1", "district=3201", "type=planned", "text=检修", "areas=鼓楼街", f"starts_ms={self.books.ms(0, 420)}",
                 f"ends_ms={self.books.ms(0, 1200)}")
        for node in self.everybody[1:]:
            node.synced()
        until("all have it", lambda: agree(*self.everybody))
        for node in self.halls:
            equal(len(node.json("catalogue", "list").lines()), 44, f"{node.name}: services")

    def imported(self, kind, result):
        return self.hub.json(kind, "import", self.files[kind], seconds=120).object()[result]

    def marketing(self):
        """What the marketing system takes of the day, in runs behind a cursor."""
        out = os.path.join(self.region.dir, "marketing")
        os.makedirs(out, exist_ok=True)
        check(self.hub.json("export", "payment", "reversal", "rating", "--out", out).object()["rows"] > 0, "nothing to take")
        self.rows = {}
        for path in sorted(glob.glob(f"{out}/*/*.jsonl")):
            with open(path) as lines:
                self.rows.update({(kind, line["record"][f"{kind}_id"]): line["record"] for line in map(json.loads, lines)
                                  for kind in [line["kind"]]})

    def marketing_agrees(self):
        """It has each payment once, reversal and rating; and the next night import undoes nothing that counters have changed."""
        self.marketing()
        payments = {number: (row["receipt"], row["amount_fen"]) for (kind, number), row in self.rows.items() if kind == "payment"}
        same(self.hub, "payments that the marketing system has", payments,
             {number: (payment.receipt, payment.fen) for number, payment in self.books.payments.items()})
        kinds = collections.Counter(kind for kind, _ in self.rows)
        equal((kinds["reversal"], kinds["rating"]), (len(self.books.reversals), len(self.books.ratings)), "its reversals and ratings")
        for kind, rows in self.nightly.items():
            equal(self.imported(kind, "unchanged"), rows, f"imported once more: {kind}s")
        for node in self.everybody[1:]:
            node.synced()

    def morning(self):
        self.at(MORNING)
        self.houses = [House(node, self.books) for node in self.halls]
        self.offices = [BackOffice(SimpleNamespace(node=self.hub, name="nj-hub", books=self.books), number) for number in range(3)]
        self.callers = [Caller(house) for house in self.houses]
        self.notices({"N-1"})
        chance = random.Random(f"{SEED} morning")
        for account in self.plan.subscribers:
            house, days = chance.choice(self.houses), chance.randint(0, 5)
            self.books.subscriptions[account] = SimpleNamespace(hall=house.name, days=days)
        for house in self.houses:
            wishes = [{"subscription_id": f"{account}-sms", "account": account, "channel": "sms", "days_before": wish.days}
                      for account, wish in self.books.subscriptions.items() if wish.hall == house.name]
            house.node.put_lines(["subscription", "put"], wishes)
            for window in house.windows:
                window.minute = self.minute
                window.open_window(FLOAT)
            self.appointments(house)

    def appointments(self, house):
        """Three slots; by telephone they are filled, one asks too late, one gives his seat back."""
        desk = self.callers[self.houses.index(house)]
        desk.minute = self.minute
        for begins in (570, 840, 930):
            slot = f"{house.name}-{begins}"
            desk.put("slot", slot_id=slot, hall=house.name, service="new-connection", date=self.books.today,
                     begins=f"{begins // 60:02}:{begins % 60:02}", minutes=30, capacity=3)
            seats = []
            for number in range(4):
                appointment, account = desk.client.id(), desk.chance.choice(self.plan.free)
                fields = {"slot_id": slot, "name": self.plan.customers[account]["name"], "account": account, "clerk": desk.clerk}
                if number == 3:
                    desk.client.refused("bad-state", desk.put, "appointment", id=appointment, **fields)
                    continue
                desk.put("appointment", id=appointment, **fields)
                self.books.appointments[appointment.hex()] = "booked"
                self.books.seats[appointment.hex()] = house.name
                seats.append((appointment, account))
            stays_away = seats.pop()[0]
            event = "missed" if begins == 930 else "cancelled"
            desk.put("appointment_event", id=desk.client.id(), appointment_id=stays_away, event=event)
            self.books.appointments[stays_away.hex()] = event
            house.coming.extend(SimpleNamespace(business="appointment", minute=begins, account=account, hall=house.name, kiosk=False, group="B",
                                                priority="appointment", appointment=appointment) for appointment, account in seats)
        house.coming = collections.deque(sorted(house.coming, key=lambda person: person.minute))

    def notices(self, known):
        for house in self.houses:
            house.notices = known

    # ---- the day

    def play(self):
        desks = [desk for house in self.houses for desk in house.desks()] + self.offices + self.callers
        with concurrent.futures.ThreadPoolExecutor(len(desks)) as pool:
            minute = 8 * 60 + 30
            while minute < SHUT or not all(house.idle() for house in self.houses):
                check(minute < 22 * 60, f"people wait still: {[len(house.waiting()) for house in self.houses]}")
                self.at(minute)
                self.happens(minute)
                list(pool.map(lambda desk: desk.tick(minute), desks))
                for house in self.houses:
                    house.check_order(minute)
                minute += TICK
            while any(office.orders for office in self.offices) or any(house.to_call for house in self.houses):
                self.at(minute)
                list(pool.map(lambda desk: desk.tick(minute), self.offices + self.callers))
                minute += TICK
        self.at(minute)

    def happens(self, minute):
        """What nobody at a desk does."""
        for at, what in ((CUT - 30, self.in_seconds), (CUT - 15, self.marketing), (CUT, self.cut), (CUT + 60, self.fault),
                         (CUT + 90, self.outside), (CUT + 120, self.apart), (CUT + 180, self.stick), (CUT + 240, self.power),
                         (HEALED, self.heal), (REMINDED, self.remind), (BOUNCED, self.bounce), (BOUNCED + 15, self.settle)):
            if at <= minute < at + TICK:
                self.tell(what.__name__)
                what()
        if minute >= HEALED:
            self.hand_over()

    def tell(self, what):
        done = f"{len(self.books.payments)} payments, {time.monotonic() - BEGAN:.0f} s"
        print(f"{self.minute // 60:02}:{self.minute % 60:02} {what}; {done}", flush=True)

    def hand_over(self):
        """Work orders that nobody has looked at yet go to the back office."""
        for order in list(self.books.tickets.values()):
            if order.state == "open" and order.service in COURSES and not hasattr(order, "given"):
                order.given = True
                self.offices[int(order.number, 16) % len(self.offices)].orders.append(order)

    def in_seconds(self):
        """While there is a link a reconnection is at the back office before the customer has put his change away."""
        house = self.houses[0]
        desk = Desk(house, "reconnection")
        desk.minute = self.minute
        desk.client.refused("operator-only", desk.client.find, "customer", "meter_no", self.plan.customers[self.plan.free[0]]["meter_no"])
        regretted, bill = self.plan.regretted
        self.regret = desk.pay(regretted, self.books.due(bill), gives=[(bill, self.books.due(bill))]).id
        account = self.plan.customer(supply_status="off")
        bill = self.plan.bill(account, -30)
        self.hub.put_lines(["customer", "put"], [self.plan.customers[account]])
        self.hub.put_lines(["bill", "put"], [self.plan.bills[bill]])
        for node in self.everybody[1:]:
            until("the bill is there", lambda: node.run("bill", "get", bill).status == 0)
        began = time.monotonic()
        desk.pay(account, self.books.due(bill), gives=[(bill, self.books.due(bill))])
        desk.expect_reconnection(account)
        order = next(order for order in self.books.tickets.values() if order.account == account)
        until("the hub has the reconnection", lambda: self.offices[0].sees(order))
        took = time.monotonic() - began
        check(took < 5 * SLOW, f"a reconnection took {took:.1f} s to the hub")

    def cut(self):
        for node in (*self.halls, self.laptop):
            node.relay.cut()
        for node in (*self.halls, self.laptop):
            until(f"{node.name} is alone", lambda: not node.live())

    def fault(self):
        """The hub's people announce a fault; nobody who is cut off can know."""
        self.hub.json("notice", "put", "N-2", "district=3201", "type=fault", "text=故障抢修", f"starts_ms={self.books.ms(0, 660)}",
                      f"ends_ms={self.books.ms(0, 1200)}")

    def outside(self):
        """In a closed-off estate, on a laptop: cards are topped up, and a customer without power pays what he owes."""
        house = SimpleNamespace(node=self.laptop, name=self.laptop.name, books=self.books, notices={"N-1"}, to_call=[])
        desk = Desk(house, "outside", "hallsync.sock")
        desk.minute, desk.window, desk.clerk = self.minute, 1, "刘平"
        self.field = desk
        desk.open_window(FLOAT)
        for account in self.plan.estate:
            card = desk.client.get("customer", account).card_no
            desk.pay(account, 5000, "cash", purpose="topup", card_no=card, card_counter=self.books.next_counter(card))
        desk.do_bills(SimpleNamespace(account=self.plan.dark[0], known_by="card_no", bills=self.plan.dark[1], part=False, method="cash"))

    def apart(self):
        """Two halls that do not hear of each other serve the same customers."""
        if len(self.houses) < 2:
            return
        desks, plan = [house.windows[7] for house in self.houses], self.plan
        for desk in desks:
            desk.minute = self.minute
            for account, bill in plan.twice:
                desk.pay(account, self.books.due(bill), gives=[(bill, self.books.due(bill))])
        for account, bill in plan.halves:
            half = self.books.due(bill) // 2
            for desk, fen in zip(desks, (half, self.books.due(bill) - half)):
                desk.pay(account, fen, gives=[(bill, fen)])
        for desk in desks:
            desk.take_back(self.regret, reason="not mine", second="c98")
        for account in plan.one_card:
            card = plan.customers[account]["card_no"]
            counter = self.books.next_counter(card)
            for desk in desks:
                desk.pay(account, 3000, purpose="topup", card_no=card, card_counter=counter)
        for account in plan.two_phones:
            for desk in desks:
                desk.put("customer", account=account, phone=f"13{desk.chance.randrange(10 ** 9):09}")
            self.books.contested.add(account)
        self.visitors = sorted(self.books.to_remind(self.houses[0].name))[:3]
        for account, bill, _ in self.visitors:  # he was in the other hall, and was told there
            desks[1].put("reminder", id=desks[1].client.id(), account=account, bill_id=bill, channel="sms", result="told", clerk=desks[1].clerk)
            self.books.reminders[account, bill] = [(self.houses[1].name, "told")]

    def decide(self):
        """What two halls did apart is listed at every node; a person at the hub decides which telephone it is."""
        if len(self.houses) < 2:
            return
        self.settled()
        wanted = {"overpaid": 2, "topup-twice": 4, "field": 2, "over-reversed": 1}
        equal(collections.Counter(sort for sort, _ in self.books.conflicts()), wanted, "what was planned")
        for client in self.eyes:
            if client.node is not self.laptop:
                compare_conflicts(self.books, client)
        for row in self.hub.json("conflict", "list", "--type", "field").lines():
            account = row["record_id"]
            phone = self.plan.customers[account]["phone"] = f"150{self.plan.chance.randrange(10 ** 8):08}"
            self.hub.json("conflict", "resolve", row["id"], f"phone={phone}", "--reason", "asked")
            self.books.contested.remove(account)

    def stick(self):
        """The laptop's work comes to the hub by hand; the hub's people reconnect, and the answer goes back the same way."""
        out = os.path.join(self.region.dir, "stick")
        back = os.path.join(self.region.dir, "stick-back")
        os.mkdir(out)
        os.mkdir(back)
        files = self.laptop.json("bundle", "export", "--for", "nj-hub", "--out", out).object()["files"]
        said = self.hub.json("bundle", "import", *files, "--answer", back).lines()
        equal((said[0]["result"], said[0]["left"]), ("imported", []), "the stick at the hub")
        order = next(order for order in self.books.tickets.values() if order.account == self.plan.dark[0])
        order.given = True
        office = self.offices[0]
        office.minute = self.minute
        office.work(order)
        order.house.to_call.clear()
        self.laptop.json("bundle", "import", *self.hub.json("bundle", "export", "--for", "nj-laptop", "--out", back).object()["files"])
        until("the laptop knows", lambda: self.field.client.get("customer", self.plan.dark[0]).supply_status == "on")
        self.field.event(order, state="called_back")
        self.field.event(order, state="archived")

    def power(self):
        """The hall's machine loses its power, while it is alone with four hours of work, and comes back."""
        self.halls[0].kill()
        self.halls[0].start()

    def heal(self):
        began = time.monotonic()
        for node in self.halls:
            node.relay.heal()
        for node in self.halls:
            until(f"{node.name} is back", node.live)
        for node in (*self.halls, *self.halls):
            node.synced()
        self.tell(f"what five hours were is at the hub after {time.monotonic() - began:.1f} s")
        until("all notices are there", lambda: all(node.run("notice", "get", "N-2").status == 0 for node in self.halls))
        self.notices({"N-1", "N-2"})
        self.decide()

    def settled(self):
        for node in (*self.halls, *self.halls):
            node.synced()
        until("hub and halls agree", lambda: agree(self.hub, *self.halls), 60)

    def remind(self):
        """Who has wished for it is told of his bill, by the hall that has the duty."""
        self.settled()
        told = collections.Counter()
        for house, caller in zip(self.houses, self.callers):
            caller.minute = self.minute

            def due():
                rows = house.node.json("reminder", "due").lines()
                return {(row["account"], row["bill_id"], row["state"]) for row in rows}

            wanted = self.books.to_remind(house.name)
            equal(due(), wanted, f"whom {house.name} has to tell")
            check(len(wanted) > 10, f"few wait for a reminder: {len(wanted)}")
            for account, bill, _ in sorted(wanted):
                result = caller.chance.choice(("told", "told", "told", "absent", "wrong_number"))
                caller.put("reminder", id=caller.client.id(), account=account, bill_id=bill, channel="sms", result=result, clerk=caller.clerk)
                self.books.reminders.setdefault((account, bill), []).append((house.name, result))
                told[account, bill] += 1
            equal(due(), self.books.to_remind(house.name), f"whom {house.name} has still to tell")
        check(set(told.values()) == {1}, f"told twice: {told}")

    def bounce(self):
        """The bank sends a slip back, hours later: two people take the payment back, and the bill is owed again."""
        slip = next(number for number, payment in self.books.payments.items() if payment.method == "bank_slip" and payment.gives
                    and payment.hall == self.houses[0].name and payment.reversed is None and payment.minute < HEALED)
        desk = self.houses[0].windows[-1]
        desk.minute = self.minute
        if self.books.payments[slip].window != desk.window:
            desk.client.refused("needs-second", desk.client.reverse, bytes.fromhex(slip), window=desk.window, clerk=desk.clerk, type="bounced",
                                reason="no funds")
        desk.take_back(slip, type="bounced", reason="no funds", second="c99")

    def settle(self):
        """Who owns the district gives back what was paid too much, and some of what was paid ahead; nobody else does."""
        desk = self.houses[0].windows[0]
        desk.minute = self.minute
        account, fen = next((payment.account, payment.fen // 2) for payment in self.books.payments.values() if payment.purpose == "advance")
        settlements = [{"type": "refund", "account": account, "amount_fen": fen}]
        over = {bill: fen for (sort, bill), fen in self.books.conflicts().items() if sort == "overpaid"}
        for (account, bill), sort in zip(self.plan.twice, ("refund", "credit")):
            if bill in over:
                settlements.append({"type": sort, "account": account, "bill_id": bill, "amount_fen": over[bill] - 7})
        for number, fields in enumerate(settlements):
            fields |= {"reason": "重复缴费", "clerk": desk.clerk, "form_no": f"F-{number}"}
            fields |= {"window": desk.window} if fields["type"] == "refund" else {}
            if len(self.houses) > 1:
                other = self.houses[1].windows[0].client
                other.refused("not-owner", other.put, "settlement", **fields)
            desk.client.refused("not-so-much", desk.put, "settlement", **{**fields, "amount_fen": 10 ** 9})
            self.books.settled(self.houses[0].name, self.minute, desk.put("settlement", **fields), fields)

    # ---- the evening

    def evening(self):
        """Drawers are counted and closed, with the line down once more; the money is handed in; the hub says that it agrees."""
        for node in self.halls:
            node.relay.cut()
        for house in self.houses:
            desk = house.windows[0]
            for window in house.windows:
                window.minute = self.minute
            for window in house.windows[1:]:
                window.close_window(missing=50 if window.window == 5 else 0)
            desk.client.refused("open-window", self.close_hall, desk)
            desk.close_window()
            house.close = self.close_hall(desk)
            house.cash = self.books.cash(house.name)
            desk.put("handing_in", id=desk.client.id(), date=self.books.today, amount_fen=house.cash, slip_no=f"H-{house.name}", bank="ICBC",
                     clerk=desk.clerk, closes=[{"close_id": house.close}])
        self.field.minute = self.minute
        self.field.close_window()
        self.close_hall(self.field)
        for node in (*self.halls, self.laptop):
            node.relay.heal()
            until(f"{node.name} is back", node.live)
        for node in (*self.halls, self.laptop, *self.halls, self.laptop):
            node.synced()
        until("all agree", lambda: agree(*self.everybody), 60)

    def close_hall(self, desk):
        return desk.put("window_event", id=desk.client.id(), event="close", clerk=desk.clerk).receipt

    def books_agree(self):
        """One line of each hall that both can prove."""
        for name in self.names:
            entries = self.books.entries(name)
            house = next((house for house in self.houses if house.name == name), None)
            wanted = {"books": "agrees", "entries": len(entries), "closed_entries": len(entries), "later_entries": 0,
                      "sum_fen": sum(fen for *_, fen in entries), "closed_fen": sum(fen for *_, fen in entries),
                      "cash_fen": self.books.cash(name), "difference_fen": -50 if house else 0, "handed_fen": house.cash if house else 0}
            for node in (self.hub, self.region_node(name)):
                said = {}

                def agrees():
                    lines = node.json("books", "--date", self.books.today).lines()
                    said.update(next((line for line in lines if line["hall"] == name), {}))
                    return said.get("books") == "agrees"

                until(f"{node.name}: the books of {name} agree: {said}", agrees)
                equal({field: said.get(field) for field in wanted}, wanted, f"{node.name}: the books of {name}")

    def region_node(self, name):
        return next(node for node in self.everybody if node.name == name)

    def slip(self):
        """The receipt of several bills, paid in cash with change, as the hub would print it."""
        payment = next(payment for payment in self.books.payments.values() if len(payment.gives) > 1 and payment.method == "cash")
        said = self.hub.json("receipt", "show", payment.receipt).object()
        wanted = {"kind": "payment", "account": payment.account, "amount_fen": payment.fen, "tendered_fen": payment.fields["tendered_fen"],
                  "change_fen": payment.fields["change_fen"], "name": self.plan.customers[payment.account]["name"],
                  "reprints": self.books.reprints[payment.receipt]}
        equal({name: said.get(name) for name in wanted}, wanted, "a receipt")
        check(payment.gives in [line["value"] for line in said["lines"]], f"its bills are named: {said['lines']}")

    def logs(self):
        """Nobody who was served that day is in a log: no name, account or telephone, no number of a card, a meter or an identity card."""
        fields = ("account", "name", "phone", "card_no", "identity_no", "meter_no")
        known = re.compile("|".join(sorted({re.escape(customer[field]) for customer in self.plan.customers.values() for field in fields})))
        for node in self.everybody:
            with open(node.log, errors="replace") as log:
                lines = [line for line in log if known.search(line)]
            equal(lines, [], f"{node.name}: people in its log")

    def prove(self):
        self.books_agree()
        self.logs()
        self.marketing_agrees()
        self.slip()
        paid = {id(person) for house in self.houses for desk in house.desks() for person in desk.paid}
        check(len(paid) >= PAYERS, f"only {len(paid)} people have paid")
        for client in self.eyes:
            node = client.node
            abroad = {self.halls[1].name} if node in (self.halls[0], self.laptop) and len(self.halls) > 1 else set()
            compare(self.books, client, self.names, [name for name in self.names if name not in abroad])
            equal(node.run("verify", "--full", "--json", seconds=120).status, 0, f"{node.name} verifies")


options = argparse.ArgumentParser()
options.add_argument("--halls", type=int, default=1)
count = options.parse_args().halls
if not FAKETIME:
    print("played_day.py: skipped: no libfaketime")
    sys.exit(77)

BEGAN = time.monotonic()
with Region(f"a played day of {count} halls and {PAYERS} payers") as region:
    local_client.load(region)
    day = Day(region, count)
    day.night()
    day.morning()
    day.play()
    day.tell("the last customer has gone")
    day.evening()
    day.prove()
    desks = [desk for house in day.houses for desk in house.desks()]
    asked, slowest = sum(desk.client.asked for desk in desks), max(desk.client.slowest for desk in desks)
    print(f"{sum(len(desk.paid) for desk in desks)} payers, {len(day.books.payments)} payments, {len(day.books.queue)} numbers, "
          f"{len(day.books.tickets)} work orders, {len(day.books.ratings)} ratings, {asked} requests, the slowest {slowest:.2f} s; "
          f"{time.monotonic() - BEGAN:.0f} s in all")
