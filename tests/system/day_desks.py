"""The programs of a hall on the played day, each with a socket of its own: windows, kiosks, the ticket machine, the back office.

Each does its part of a tick in a thread of its own; what it did and was told goes into the plain books (day_books.py)."""
import collections
import random
import threading
from types import SimpleNamespace

from day_plan import TICK
from local_client import Counter, Refused
from region import SEED, check, equal, until

MINUTE_MS = 60000
EXISTS = 2
DOCUMENTS = ["identity card 身份证", "proof of title 房产证明"]  # that a new connection needs
RESULT = [{"name": "error in percent 误差", "value": "0.4"}, {"name": "verdict 结论", "value": "合格"}]
WINDOWS, KIOSKS, ALL_GROUPS_FROM = 13, 2, 10
# What becomes of a work order at the back office, and then at the hall.
COMPLAINT, QUICK = ("accepted", "working", "resolved"), ("resolved",)
COURSES = {"complaint": COMPLAINT, "opinion-book": COMPLAINT, "meter-check": COMPLAINT, "reconnection": ("accepted", "working", "resolved"),
           "consultation": QUICK, "hazard": ("accepted", "assigned", "working", "resolved")}


class House:
    """A hall, and everybody who works there."""

    def __init__(self, node, books):
        self.node, self.books, self.name = node, books, node.name
        self.windows = [Window(self, number) for number in range(1, WINDOWS + 1)]
        self.kiosks = [Kiosk(self, number) for number in range(KIOSKS)]
        self.machine = Machine(self)
        self.lock = threading.Lock()
        self.coming = collections.deque(person for person in books.plan.people if person.hall == node.name)
        self.back = []  # (minute, ticket) of such as were skipped and come after all; (minute, person) who come once more
        self.called_now = []
        self.to_call = collections.deque()  # (minute, work order) whose customers are to be called back

    def desks(self):
        return [self.machine, *self.kiosks, *self.windows]

    def waiting(self):
        return [ticket for ticket in self.books.queue.values() if ticket.hall == self.name and ticket.state == "waiting"]

    def idle(self):
        return not self.coming and not self.back and not self.waiting() and all(window.ticket is None for window in self.windows)

    def returns(self, minute, whom):
        with self.lock:
            self.back.append((minute, whom))

    def who_returned(self, minute, sort):
        """The first who is back by now, of that sort: a skipped ticket, or a person."""
        with self.lock:
            for row in self.back:
                if row[0] <= minute and hasattr(row[1], "number") == (sort == "ticket"):
                    self.back.remove(row)
                    return row[1]
        return None

    def check_order(self, minute):
        """Nobody was called before somebody with a better right, who was there before this tick and waits still."""
        def right(ticket):
            return (ticket.person.priority is None, ticket.taken)

        for ticket, groups in self.called_now:
            passed_over = [one.number for one in self.waiting() if one.window is None and one.taken < minute
                           and (groups is None or one.number[0] in groups) and right(one) < right(ticket)]
            check(not passed_over, f"{self.name}: {ticket.number} was called, and {passed_over} waited longer")
        self.called_now.clear()
        self.machine.leave()


class Desk:
    def __init__(self, house, name, socket="counters.sock"):
        self.house, self.books, self.plan, self.name = house, house.books, house.books.plan, name
        self.chance = random.Random(f"{SEED} {house.name} {name}")
        self.client = Counter(house.node, self.chance, socket)
        self.window, self.clerk, self.minute = None, None, None
        self.paid = []  # people

    def put(self, kind, **fields):
        return self.client.put(kind, **fields)

    def known(self, person):
        """The customer, by what he has with him; and what he is to be told."""
        wanted = self.plan.customers[person.account]
        if person.known_by == "account":
            record = self.client.get("customer", person.account)
        else:
            record, = self.client.find("customer", person.known_by, wanted[person.known_by])
        equal((record.account, record.name, record.supply_status), (person.account, wanted["name"], wanted["supply_status"]), "the customer")
        equal({notice.notice_id for notice in record.shown.notices}, self.house.notices, f"{self.house.name}: what {person.account} is told")
        return record

    # ---- the drawer

    def state(self, event, **fields):
        return self.put("window_event", id=self.client.id(), event=event, window=self.window, clerk=self.clerk, **fields)

    def open_window(self, float_fen):
        self.state("open", float_fen=float_fen)
        self.drawer = SimpleNamespace(opened=self.minute, closed=None, float_fen=float_fen, counted=None, missing=0, reason="", paused=0)
        self.books.drawers[self.house.name, self.window] = self.drawer

    def close_window(self, missing=0):
        """Counts its cash: some may be missing."""
        drawer = self.drawer
        drawer.counted = drawer.float_fen + self.books.cash(self.house.name, self.window) - missing
        if missing:
            self.client.refused("missing-field", self.state, "close", counted_fen=drawer.counted)
            drawer.reason, drawer.missing = "找零差错", missing
        self.state("close", counted_fen=drawer.counted, reason=drawer.reason or None)
        drawer.closed = self.minute

    # ---- money

    def pay(self, account, fen, method="cash", gives=(), **more):
        """One payment, of bills: (bill, fen); its id."""
        fields = {"account": account, "amount_fen": fen, "method": method, "window": self.window, "clerk": self.clerk, **more}
        if len(gives) == 1 and gives[0][1] == fen:
            fields["bill_id"] = gives[0][0]
        elif gives:
            fields["parts"] = [{"bill_id": bill, "amount_fen": part} for bill, part in gives]
        if method == "cash":
            fields["tendered_fen"] = -(-fen // 10000) * 10000
            fields["change_fen"] = fields["tendered_fen"] - fen
        if method in ("cheque", "bank_slip"):
            fields["slip_no"], fields["bank"] = f"S{self.chance.randrange(10 ** 9)}", "ICBC"
        fields = {name: value for name, value in fields.items() if value is not None}
        number = self.client.id()
        told = self.put("payment", id=number, **fields)
        if self.chance.random() < 0.04:  # no answer, say: once more
            again = self.put("payment", id=number, **fields)
            equal((again.result, again.receipt), (EXISTS, told.receipt), "a payment sent again")
        self.books.paid(self.house.name, self.minute, told, fields)
        return told

    def take_back(self, payment_id, **more):
        told = self.client.reverse(bytes.fromhex(payment_id), reversal_id=self.client.id().hex(), window=self.window, clerk=self.clerk, **more)
        self.books.took_back(self.house.name, self.minute, self.window, payment_id, told)

    def do_bills(self, person):
        self.known(person)
        shown = {bill.bill_id: bill.shown.bill for bill in self.client.find("bill", "account", person.account)}
        dues = {bill: self.books.due(bill) for bill in person.bills}
        equal({bill: shown[bill].due_fen for bill in dues}, dues, f"{self.house.name}: what {person.account} owes")
        gives = [(bill, due // 2 if person.part else due) for bill, due in dues.items()]
        over = self.chance.randint(1, 5000) if len(gives) > 1 and self.chance.random() < 0.3 else 0
        fen = sum(part for _, part in gives) + over
        if self.window and person.method == "cash" and self.chance.random() < 0.02:  # mistyped, seen at once
            self.take_back(self.pay(person.account, fen + 100, gives=gives).id)
        told = self.pay(person.account, fen, person.method, gives)
        if self.plan.customers[person.account]["supply_status"] == "off":
            self.expect_reconnection(person.account)
        self.paid.append(person)
        return "payment", told

    def do_topup(self, person):
        card = self.known(person).card_no
        fields = {"purpose": "topup", "card_no": card, "card_counter": self.books.next_counter(card)}
        told = self.pay(person.account, 1000 * self.chance.randint(1, 50), person.method, **fields)
        if self.chance.random() < 0.1:  # the card was not taken out
            self.client.refused("topup-done", self.put, "payment", id=self.client.id(), account=person.account, amount_fen=1000,
                                method="cash", **fields)
        self.paid.append(person)
        return "payment", told

    def do_advance(self, person):
        self.known(person)
        told = self.pay(person.account, self.chance.randint(1000, 90000), person.method, purpose=person.business)
        self.paid.append(person)
        return "payment", told

    do_fee = do_advance

    def expect_reconnection(self, account):
        """The work order is there as soon as the payment is acknowledged."""
        found = [ticket for ticket in self.client.find("ticket", "account", account) if ticket.service == "reconnection"]
        equal([(ticket.urgency, ticket.shown.ticket.state, ticket.department) for ticket in found], [("urgent", "open", "repair")],
              f"{self.house.name}: reconnection of {account}")
        self.order(found[0].shown.id, "reconnection", account)

    # ---- work orders

    def order(self, number, service, account, consent=True, missing=()):
        order = SimpleNamespace(id=bytes.fromhex(number), number=number, service=service, account=account, state="open", urged=0,
                                missing=list(missing), consent=consent, house=self.house)
        self.books.tickets[number] = order
        return order

    def open(self, person, service, consent=True, missing=(), **more):
        self.known(person)
        number = self.client.id()
        self.put("ticket", id=number, service=service, account=person.account, summary=f"{service} {person.account}",
                 contact=self.plan.customers[person.account]["phone"], customer_consent="yes" if consent else "no", **more)
        return self.order(number.hex(), service, person.account, consent, missing)

    def event(self, order, **fields):
        told = self.put("ticket_event", id=self.client.id(), ticket_id=order.id, clerk=self.clerk, **fields)
        order.state = fields.get("state", order.state)
        self.books.resolved[self.house.name] += fields.get("state") == "resolved"
        return told

    def rate(self, kind, number):
        if self.chance.random() < 0.6:
            score = self.chance.choice((5, 5, 5, 4, 4, 3, 2, 1))
            self.put("rating", of_kind=kind, of_id=bytes.fromhex(number), score=score, window=self.window, clerk=self.clerk)
            self.books.ratings[kind, number] = (self.house.name, self.window, self.clerk, score)


class Machine(Desk):
    """Prints numbers; and there somebody says that he goes."""

    def __init__(self, house):
        super().__init__(house, "machine")

    def tick(self, minute):
        house, self.minute = self.house, minute
        while house.coming and house.coming[0].minute <= minute:
            person = house.coming.popleft()
            if person.kiosk:
                self.chance.choice(house.kiosks).waiting.append(person)
            else:
                self.print(person)
        while (person := house.who_returned(minute, "person")) is not None:
            self.print(person)

    def print(self, person):
        number = self.client.id()
        told = self.put("queue_ticket", id=number, group=person.group, priority=person.priority, service=person.business,
                        printed_by="machine-1", appointment_id=getattr(person, "appointment", None))
        ticket = self.books.drew(self.house.name, self.minute, told.number, person)
        ticket.id = number

    def leave(self):
        """Somebody has waited long enough."""
        waiting = [ticket for ticket in self.house.waiting() if ticket.window is None]
        if waiting and self.chance.random() < 0.1:
            ticket = self.chance.choice(waiting)
            self.put("queue_event", id=self.client.id(), event="left", queue_id=ticket.id)
            ticket.state = "left"


class Kiosk(Desk):
    def __init__(self, house, number):
        super().__init__(house, f"kiosk {number}")
        self.waiting = collections.deque()

    def tick(self, minute):
        self.minute = minute
        while self.waiting:
            person = self.waiting.popleft()
            getattr(self, f"do_{person.business}")(person)


class Window(Desk):
    def __init__(self, house, number):
        super().__init__(house, f"window {number}")
        self.window, self.clerk = number, f"c{number:02}"
        self.groups = "A" if number < ALL_GROUPS_FROM else None
        self.ticket, self.until, self.service, self.paused = None, 0, None, 0
        self.lunch = 11 * 60 + 30 + (number - 1) % 6 * 5 * TICK

    def say(self, event, **fields):
        return self.put("queue_event", id=self.client.id(), event=event, window=self.window, clerk=self.clerk, **fields)

    def tick(self, minute):
        self.minute = minute
        if self.ticket is not None and minute >= self.until:
            self.finish()
        if self.ticket is None and not self.paused and 0 <= minute - self.lunch < TICK:
            self.state("pause", reason="午休")
            self.drawer.paused += 1
            self.client.refused("bad-window-state", self.say, "called", groups=self.groups)
            self.paused = minute + 5 * TICK
        if self.paused and minute >= self.paused:
            self.state("resume")
            self.paused = 0
        if self.ticket is None and not self.paused:
            self.call()

    def call(self):
        back = self.house.who_returned(self.minute, "ticket")
        try:
            told = self.say("called", number=back.number) if back else self.say("called", groups=self.groups)
        except Refused as refusal:
            equal(refusal.error, "not-found", f"{self.house.name}: window {self.window} calls")
            return
        key = self.house.name, told.number
        until(f"the machine knows whom it gave {told.number}", lambda: hasattr(self.books.queue.get(key), "id"), 10)
        ticket = self.books.queue[key]
        equal(told.of, ticket.id.hex(), "the queue ticket called")
        check(ticket.state == ("skipped" if back else "waiting"), f"{told.number} was called, and is {ticket.state}")
        if back is None and ticket.window is None:
            self.house.called_now.append((ticket, self.groups))
        check(ticket.window in (None, self.window) or back, f"{told.number} was passed on to window {ticket.window}, and called to {self.window}")
        ticket.calls.append(self.window)
        ticket.called = self.minute if ticket.called is None else ticket.called
        ticket.state, ticket.window = "called", self.window
        self.serve(ticket)

    def serve(self, ticket):
        draw = self.chance.random()
        if draw < 0.03 and not ticket.skips:
            self.say("skipped")
            ticket.state = "skipped"
            ticket.skips.append(self.window)
            if self.chance.random() < 0.5:
                self.house.returns(self.minute + 4 * TICK, ticket)
            return
        if draw < 0.06:
            self.say("recalled")
            ticket.recalls.append(self.window)
        self.say("serving")
        ticket.state, ticket.begun = "serving", self.minute
        if draw > 0.97 and not ticket.passed:
            to = self.chance.choice([number for number in range(1, WINDOWS + 1) if number != self.window])
            ticket.state, ticket.window = "waiting", to  # written first: the other window may be quicker than the answer
            ticket.passed.append(self.window)
            ticket.ended.append((self.window, 0))
            self.say("transferred", to_window=to)
            return
        self.ticket = ticket
        self.service = getattr(self, f"do_{ticket.person.business}")(ticket.person)
        self.until = self.minute + TICK * (1 if ticket.number[0] == "A" else self.chance.randint(1, 4))

    def finish(self):
        ticket, self.ticket = self.ticket, None
        self.say("served")
        ticket.state = "served"
        ticket.ended.append((self.window, (self.minute - ticket.begun) * MINUTE_MS))
        kind, told = self.service or ("queue_ticket", SimpleNamespace(id=ticket.id.hex()))
        self.rate(kind, told.id)
        if kind == "payment" and told.receipt:
            self.paper(told)

    def paper(self, told):
        """Receipts printed again, and invoices."""
        draw = self.chance.random()
        payment = self.books.payments[told.id]
        if draw < 0.02:
            again = self.put("reprint", id=self.client.id(), number=told.receipt, reason="torn", clerk=self.clerk, window=self.window)
            self.books.reprints[told.receipt] += 1
            equal(again.reprints, self.books.reprints[told.receipt], "reprints")
        elif draw < 0.04:
            number = self.client.id()
            self.put("invoice_request", id=number, account=payment.account, number=told.receipt, title="草场门面包店", state="asked")
            self.books.invoices[number.hex()] = (told.receipt, "asked")

    # ---- business of section B

    def do_complaint(self, person):
        order = self.open(person, "complaint")
        if 9 * 60 < self.minute < 17 * 60:  # 56 hours of work are seven working days, with a week-end between
            equal(self.client.get("ticket", order.id).due_ms, self.books.ms(9, self.minute), "time limit of a complaint")
        return "ticket", SimpleNamespace(id=order.number, receipt="")

    def do_complaint_silent(self, person):
        self.open(person, "complaint", consent=False)

    def do_opinion(self, person):
        self.open(person, "opinion-book", consent=False)

    def do_meter_check(self, person):
        self.open(person, "meter-check", missing=DOCUMENTS[:1])

    def do_hazard(self, person):
        self.open(person, "hazard")

    def do_consultation(self, person):
        order = self.open(person, "consultation")
        self.event(order, type="pass", department="metering")
        self.event(order, type="urge", note="催办")
        order.urged += 1

    def do_outage(self, person):
        order = self.open(person, "outage-query")
        self.event(order, state="resolved", note="已告知停电原因")
        self.event(order, state="archived")

    def do_invoice_later(self, person):
        order = self.open(person, "invoice", missing=["receipt 收费凭证"])
        self.tick_document(order)
        self.event(order, state="resolved")
        self.event(order, state="archived")

    def do_new_connection(self, person):
        """Told once of everything that is missing; one is there, for the other he comes again."""
        order = self.open(person, "new-connection", missing=DOCUMENTS)
        equal(sorted(self.client.get("ticket", order.id).shown.ticket.missing), sorted(DOCUMENTS), "the missing-documents notice")
        self.tick_document(order)
        again = SimpleNamespace(**{**vars(person), "business": "documents", "order": order})
        self.house.returns(self.minute + 60, again)

    def tick_document(self, order):
        self.event(order, type="tick", documents=[{"name": order.missing.pop(0)}])

    def do_documents(self, person):
        self.tick_document(person.order)
        equal(list(self.client.get("ticket", person.order.id).shown.ticket.missing), [], "nothing is missing any more")
        self.event(person.order, state="accepted")

    def do_title(self, person):
        self.known(person)
        customer = self.plan.customers[person.account]
        new = {"name": "王" + customer["name"], "identity_no": f"N{person.account}", "phone": f"138{self.chance.randrange(10 ** 8):08}"}
        self.put("title_change", id=self.client.id(), account=person.account, clerk=self.clerk, reason="sale", **new)
        self.books.transfers[person.account] = (customer["name"], new["name"])
        customer.update(new)

    def do_subscribe(self, person):
        self.known(person)
        self.put("subscription", subscription_id=f"{person.account}-sms", account=person.account, channel="sms", days_before=3)
        self.books.subscriptions[person.account] = SimpleNamespace(hall=self.house.name, days=3)

    def do_data(self, person):
        self.known(person)
        phone = f"137{self.chance.randrange(10 ** 8):08}"
        self.put("customer", account=person.account, phone=phone)
        self.plan.customers[person.account]["phone"] = phone

    def do_appointment(self, person):
        self.put("appointment_event", id=self.client.id(), appointment_id=person.appointment, event="kept", clerk=self.clerk)
        self.books.appointments[person.appointment.hex()] = "kept"


class BackOffice(Desk):
    """At the hub: takes up work orders, each some ticks after it is there; and their halls call the customers back."""

    def __init__(self, house, number):
        super().__init__(house, f"back office {number}", "hallsync.sock")
        self.clerk, self.orders = f"b{number:02}", collections.deque()

    def tick(self, minute):
        self.minute = minute
        for _ in range(min(4, len(self.orders))):
            self.work(self.orders.popleft())

    def work(self, order):
        until(f"work order {order.number} is at {self.house.name}", lambda: self.sees(order))
        for state in COURSES[order.service]:
            more = {}
            if state == "resolved" and order.service == "meter-check":
                self.client.refused("missing-field", self.event, order, state=state)
                more = {"result": RESULT}
            self.event(order, state=state, **more)
        if order.service == "reconnection":
            self.put("customer", account=order.account, supply_status="on")
            self.plan.customers[order.account]["supply_status"] = "on"
        order.house.to_call.append((self.minute, order))

    def sees(self, order):
        try:
            self.client.get("ticket", order.id)
        except Refused:
            return False
        return True


class Caller(Desk):
    """Calls customers back for their hall, whose work orders are done."""

    def __init__(self, house):
        super().__init__(house, "caller", "hallsync.sock")
        self.clerk = "c00"

    def tick(self, minute):
        self.minute = minute
        while self.house.to_call and self.house.to_call[0][0] < minute:
            order = self.house.to_call.popleft()[1]
            until(f"{self.house.name} sees that {order.number} is done",
                  lambda: self.client.get("ticket", order.id).shown.ticket.state == "resolved")
            if order.consent:
                self.event(order, state="called_back")
            else:
                self.client.refused("no-consent", self.event, order, state="called_back")
            self.event(order, state="archived")
