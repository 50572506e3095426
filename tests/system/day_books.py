"""The plain books of the played day: what counters did and were told, in dicts and lists, and what must follow from that at every node.  All
sums here are made from what was handed over at the counters; nothing of them comes from a node but ids and receipt numbers."""
import collections
import datetime
import threading
from types import SimpleNamespace

from region import check, equal

HOUR = 60
MINUTE_MS = 60000


class Books:
    def __init__(self, plan):
        self.plan, self.today = plan, plan.date.isoformat()
        self.lock = threading.Lock()
        self.payments, self.reversals, self.reprints = {}, {}, collections.Counter()
        self.settlements = []
        self.cards = collections.Counter()  # card -> counter of the last top-up
        self.queue, self.tickets, self.ratings, self.reminders = {}, {}, {}, {}
        self.appointments, self.seats = {}, {}  # state; hall
        self.invoices, self.transfers, self.subscriptions, self.phones = {}, {}, {}, {}
        self.resolved, self.drawers = collections.Counter(), {}
        self.contested = set()  # accounts of which two halls have changed the same

    def ms(self, days, minute):
        """A local time so many days after the day, as nodes keep it."""
        midnight = datetime.datetime.combine(self.plan.date, datetime.time(), datetime.timezone(datetime.timedelta(hours=8)))
        return int(midnight.timestamp() * 1000) + (days * 24 * HOUR + minute) * MINUTE_MS

    # ---- money

    def next_counter(self, card):
        """As the card counts by itself, wherever it is put into a machine."""
        with self.lock:
            self.cards[card] += 1
            return self.cards[card]

    def paid(self, hall, minute, told, fields):
        gives = fields.get("parts") or ([{"bill_id": fields["bill_id"], "amount_fen": fields["amount_fen"]}] if fields.get("bill_id") else [])
        payment = SimpleNamespace(hall=hall, minute=minute, receipt=told.receipt, fields=fields, gives=gives, fen=fields["amount_fen"],
                                  window=fields.get("window", 0), method=fields.get("method", "cash"), account=fields["account"],
                                  purpose=fields.get("purpose", "bill"), reversed=None)
        self.payments[told.id] = payment
        return payment

    def took_back(self, hall, minute, window, payment_id, told):
        payment = self.payments[payment_id]
        payment.reversed = told.id
        self.reversals[told.id] = SimpleNamespace(hall=hall, minute=minute, window=window, fen=payment.fen, method=payment.method,
                                                  receipt=told.receipt, payment=payment_id)

    def settled(self, hall, minute, told, fields):
        self.settlements.append(SimpleNamespace(hall=hall, minute=minute, receipt=told.receipt, id=told.id, bill=fields.get("bill_id", ""),
                                                fen=fields["amount_fen"], refund=fields["type"] == "refund", window=fields.get("window", 0)))

    def refunds(self, hall, window=None):
        return [one for one in self.settlements if one.refund and one.hall == hall and window in (None, one.window)]

    def paid_by_bill(self):
        """What was given and not taken back; below zero where it was taken back twice."""
        paid = collections.Counter()
        given = [(1, payment) for payment in self.payments.values()]
        for sign, payment in given + [(-1, self.payments[back.payment]) for back in self.reversals.values()]:
            for part in payment.gives:
                paid[part["bill_id"]] += sign * part["amount_fen"]
        for settlement in self.settlements:
            if settlement.bill:
                paid[settlement.bill] -= settlement.fen
        return paid

    def late(self, bill):
        """Nothing is paid before the day: every late fee up to it counts."""
        return sum(fee["amount_fen"] for fee in bill["late_fees"] if fee["date"] <= self.today)

    def due(self, bill_id, paid=0):
        bill = self.plan.bills[bill_id]
        return bill["amount_fen"] + self.late(bill) - paid

    def entries(self, hall):
        """(receipt, minute, window, method, fen) of everything that went into a drawer of the hall, or out of it."""
        rows = [(p.receipt, p.minute, p.window, p.method, p.fen) for p in self.payments.values() if p.hall == hall]
        rows += [(r.receipt, r.minute, r.window, r.method, -r.fen) for r in self.reversals.values() if r.hall == hall]
        return rows + [(r.receipt, r.minute, r.window, "cash", -r.fen) for r in self.refunds(hall)]

    def cash(self, hall, window=None):
        return sum(fen for _, _, at, method, fen in self.entries(hall) if method == "cash" and window in (None, at))

    # ---- the queue

    def drew(self, hall, minute, number, person):
        check((hall, number) not in self.queue, f"{hall}: {number} was given out twice")
        self.queue[hall, number] = SimpleNamespace(hall=hall, number=number, taken=minute, person=person, state="waiting", window=None,
                                                   called=None, begun=None, calls=[], recalls=[], ended=[], skips=[], passed=[])
        return self.queue[hall, number]

    def figures(self, hall):
        """What the hall's figures of the queue must be: all, hours, windows."""
        def sums(tickets):
            states = collections.Counter(ticket.state for ticket in tickets)
            waits = [(ticket.called - ticket.taken) * MINUTE_MS for ticket in tickets if ticket.called is not None]
            row = {"taken": len(tickets), **{state: states[state] for state in ("waiting", "called", "serving", "served", "skipped", "left")}}
            return {**row, **({"wait_ms": sum(waits) // len(waits), "wait_most_ms": max(waits)} if waits else {})}

        tickets = [ticket for ticket in self.queue.values() if ticket.hall == hall]
        by_hour = collections.defaultdict(list)
        for ticket in tickets:
            by_hour[ticket.taken // HOUR].append(ticket)
        windows = {}
        for window in sorted({window for ticket in tickets for window in ticket.calls}):
            ended = [ms for ticket in tickets for at, ms in ticket.ended if at == window]
            row = {"calls": sum(ticket.calls.count(window) for ticket in tickets),
                   "recalls": sum(ticket.recalls.count(window) for ticket in tickets), "served": len(ended),
                   "skipped": sum(ticket.skips.count(window) for ticket in tickets),
                   "transferred": sum(ticket.passed.count(window) for ticket in tickets)}
            windows[window] = {**row, **({"serve_ms": sum(ended) // len(ended), "serve_most_ms": max(ended)} if ended else {})}
        return sums(tickets), {hour: sums(by_hour[hour]) for hour in sorted(by_hour)}, windows

    # ---- what people have to decide

    def conflicts(self):
        """(type, record) -> what is too much, or None."""
        found = {("field", account): None for account in self.contested}
        for bill, paid in self.paid_by_bill().items():
            if self.due(bill, paid) < 0:
                found["overpaid", bill] = -self.due(bill, paid)
        times = collections.Counter(reversal.payment for reversal in self.reversals.values())
        for number, count in times.items():
            if count > 1:
                found["over-reversed", number] = (count - 1) * self.payments[number].fen
        cards = collections.defaultdict(list)
        for number, payment in self.payments.items():
            if payment.purpose == "topup" and payment.reversed is None:
                cards[payment.fields["card_no"], payment.fields["card_counter"]].append(number)
        for numbers in cards.values():
            for number in numbers if len(numbers) > 1 else ():
                found["topup-twice", number] = self.payments[number].fen
        return found

    # ---- reminders

    def to_remind(self, hall):
        """(account, bill, channel, state) that the hall's people have to tell today."""
        paid, found = self.paid_by_bill(), set()
        bills = collections.defaultdict(list)
        for bill in self.plan.bills.values():
            bills[bill["account"]].append(bill)
        for account, wish in self.subscriptions.items():
            for bill in bills[account] if wish.hall == hall else ():
                results = self.reminders.get((account, bill["bill_id"]), [])
                last = results[-1][1] if results else None
                if bill["due_date"] <= self.plan.day(wish.days) and self.due(bill["bill_id"], paid[bill["bill_id"]]) > 0 \
                        and last not in ("told", "absent"):
                    found.add((account, bill["bill_id"], "wrong_number" if last else "due"))
        return found


# ---- what nodes say, held against that ----

def of_records(found):
    return {record.shown.id: record for record in found}


def same(node, what, got, wanted):
    """Dicts or sets; says which differ, not all of them."""
    if got != wanted:
        keys = [key for key in {*got, *wanted} if isinstance(got, set) or got.get(key) != wanted.get(key)]
        pairs = [(key, got.get(key), wanted.get(key)) if isinstance(got, dict) else (key, key in got, key in wanted)
                 for key in keys if isinstance(got, set) or got.get(key) != wanted.get(key)]
        pairs = [pair for pair in pairs if pair[1] != pair[2]]
        check(False, f"{node.name}: {what}: {len(pairs)} differ (key, there, in the plain books): {pairs[:5]}")


def compare_payments(books, client, halls):
    """Every payment, reversal and receipt as it was taken, no other, none twice.  A receipt lies in the district of its hall."""
    node = client.node

    def receipt(one):
        return one.receipt if one.hall in halls else ""

    def told(fields):
        return {name: value for name, value in fields.items() if value is not None and name != "parts"}

    payments = of_records(client.find("payment"))
    same(node, "payments", {number: (record.shown.receipt, record.shown.reversed, record.shown.node) for number, record in payments.items()},
         {number: (receipt(payment), payment.reversed is not None, payment.hall) for number, payment in books.payments.items()})
    for number, payment in books.payments.items():
        record, wanted = payments[number], told(payment.fields)
        equal({name: getattr(record.fields, name) for name in wanted}, wanted, f"{node.name}: payment {number}")
        equal([(part.bill_id, part.amount_fen) for part in record.parts],
              [(part["bill_id"], part["amount_fen"]) for part in payment.fields.get("parts") or []], f"{node.name}: parts of {number}")
    reversals = of_records(client.find("reversal"))
    same(node, "reversals", {number: (record.payment_id.hex(), record.shown.receipt) for number, record in reversals.items()},
         {number: (reversal.payment, receipt(reversal)) for number, reversal in books.reversals.items()})
    same(node, "refunds and credits", {number: (record.type, record.bill_id, record.amount_fen, record.shown.receipt)
                                       for number, record in of_records(client.find("settlement")).items()},
         {one.id: ("refund" if one.refund else "credit", one.bill, one.fen, receipt(one)) for one in books.settlements})


def compare_entries(books, client, halls):
    """Money by hall, window, method and hour; receipt numbers without gaps; reprints."""
    node = client.node
    got, wanted, series = collections.Counter(), collections.Counter(), collections.defaultdict(list)
    for record in client.find("cash_entry"):
        hall, date, window, letters, counter = record.number.rsplit("-", 4)
        equal(date, books.today.replace("-", ""), f"{node.name}: {record.number}: business date")
        hour = (record.time_ms - books.ms(0, 0)) // MINUTE_MS // HOUR
        got[hall, int(window), record.method or "cash", hour] += record.amount_fen
        got[record.number] += 1
        series[hall, window, letters].append(int(counter))
        equal(record.shown.reprints, books.reprints[record.number], f"{node.name}: {record.number}: reprints")
    for hall in halls:
        for receipt, minute, window, method, fen in books.entries(hall):
            wanted[hall, window, method, minute // HOUR] += fen
            wanted[receipt] += 1
    same(node, "money by hall, window, method and hour; receipts", got, wanted)
    for name, counters in series.items():
        equal(sorted(counters), list(range(1, len(counters) + 1)), f"{node.name}: receipt numbers of series {name}")


def compare_totals(books, client, halls):
    """The node's own sums, of halls and of windows."""
    for hall in halls:
        windows = {payment.window for payment in books.payments.values() if payment.hall == hall}
        for window in (None, *windows):
            taken = [p for p in books.payments.values() if p.hall == hall and window in (None, p.window)]
            back = [r for r in books.reversals.values() if r.hall == hall and window in (None, r.window)]
            more = {} if window is None else {"window": window}
            reply = client.ask("totals", date=int(books.today.replace("-", "")), origin=hall, **more)
            refunds = books.refunds(hall, window)
            equal((reply.count, reply.sum_fen, reply.reversed_count, reply.reversed_fen, reply.settled_count, reply.settled_fen),
                  (len(taken), sum(p.fen for p in taken), len(back), sum(r.fen for r in back), len(refunds), sum(r.fen for r in refunds)),
                  f"{client.node.name}: totals of {hall}, window {window}")


def compare_bills(books, client):
    """What each bill was paid and still asks for."""
    paid = books.paid_by_bill()

    def state(bill_id):
        due = books.due(bill_id, paid[bill_id])
        return "overpaid" if due < 0 else "paid" if due == 0 else "part-paid" if paid[bill_id] > 0 else "open"

    got = {record.bill_id: (record.shown.bill.paid_fen, record.shown.bill.due_fen, record.shown.bill.state) for record in client.find("bill")}
    same(client.node, "bills (paid, due, state)", got,
         {bill_id: (paid[bill_id], books.due(bill_id, paid[bill_id]), state(bill_id)) for bill_id in books.plan.bills})


def compare_queue(books, client, halls):
    """Numbers without gaps, each in the state that it was left in, and the figures."""
    node = client.node
    same(node, "queue numbers", {(record.hall, record.number): record.shown.queue.state for record in client.find("queue_ticket")},
         {key: ticket.state for key, ticket in books.queue.items() if ticket.hall in halls})
    groups = collections.defaultdict(list)
    for hall, number in books.queue:
        groups[hall, number[0]].append(int(number[1:]))
    for name, counters in groups.items():
        equal(sorted(counters), list(range(1, len(counters) + 1)), f"numbers of {name}")
    for hall in halls:
        everything, hours, windows = books.figures(hall)
        reply = client.ask("queue_figures", hall=hall, date=int(books.today.replace("-", "")))

        def told(row, wanted):
            return {name: getattr(row, name) for name in wanted}

        equal(told(reply.all, everything), everything, f"{node.name}: figures of {hall}")
        same(node, f"figures of {hall} by hour", {row.hour: told(row, hours.get(row.hour, everything)) for row in reply.hours}, hours)
        same(node, f"figures of {hall} by window", {row.window: told(row, windows.get(row.window, {})) for row in reply.windows}, windows)


def compare_tickets(books, client):
    """Every work order, with its service, state and how often it was urged; what is missing of its documents."""
    got = {record.shown.id: (record.service, record.shown.ticket.state, record.shown.ticket.urged, sorted(record.shown.ticket.missing))
           for record in client.find("ticket")}
    same(client.node, "work orders", got,
         {number: (ticket.service, ticket.state, ticket.urged, sorted(ticket.missing)) for number, ticket in books.tickets.items()})


def compare_ratings(books, client, halls):
    ratings, wanted = client.find("rating"), {key: rating for key, rating in books.ratings.items() if rating[0] in halls}
    same(client.node, "ratings", {(record.of_kind, record.of_id.hex()): (record.shown.node, record.window, record.clerk, record.score)
                                  for record in ratings}, wanted)
    equal(len(ratings), len(wanted), f"{client.node.name}: ratings, one a service")


def compare_rest(books, client, halls):
    """Reminders, appointments, changes of title, invoices, telephone numbers."""
    node = client.node
    reminders = collections.defaultdict(list)
    for record in sorted(client.find("reminder"), key=lambda record: record.shown.time_ms):
        reminders[record.account, record.bill_id].append((record.shown.node, record.result))
    same(node, "reminders", dict(reminders), books.reminders)
    same(node, "appointments", {record.shown.id: record.shown.appointment.state for record in client.find("appointment")},
         {number: state for number, state in books.appointments.items() if books.seats[number] in halls})
    same(node, "changes of title", {record.account: (record.from_name, record.name) for record in client.find("title_change")}, books.transfers)
    same(node, "invoices", {record.shown.id: (record.number, record.state) for record in client.find("invoice_request")}, books.invoices)
    equal({record.notice_id for record in client.find("notice")}, {"N-1", "N-2"}, f"{node.name}: notices")
    customers = {record.account: record for record in client.find("customer")}
    equal(len(customers), len(books.plan.customers), f"{node.name}: customers")
    for account, wanted in books.plan.customers.items():
        shown = {name: getattr(customers[account].fields, name) for name in wanted}
        equal(shown, wanted, f"{node.name}: customer {account}")


def report_of(books, hall):
    """What the report of the hall's day must say."""
    entries, everything = books.entries(hall), books.figures(hall)[0]
    taken = [payment for payment in books.payments.values() if payment.hall == hall]
    back = [(reversal, books.payments[reversal.payment]) for reversal in books.reversals.values() if reversal.hall == hall]
    topups = [payment.fen for payment in taken if payment.purpose == "topup"]
    waits = sorted((ticket.called - ticket.taken) * MINUTE_MS for ticket in books.queue.values() if ticket.hall == hall and ticket.called is not None)
    scores = [score for at, _, _, score in books.ratings.values() if at == hall]
    results = collections.Counter(result for told in books.reminders.values() for at, result in told if at == hall)
    seats = collections.Counter(books.appointments[number] for number, at in books.seats.items() if at == hall)
    wanted = {
        "entries": len(entries), "sum_fen": sum(fen for *_, fen in entries), "cash_fen": books.cash(hall), "books": "agrees",
        "closed_entries": len(entries), "later_entries": 0,
        "payments": len(taken), "payments_fen": sum(payment.fen for payment in taken),
        "reversals": len(back), "reversals_fen": sum(reversal.fen for reversal, _ in back),
        "refunds": len(books.refunds(hall)), "refunds_fen": sum(refund.fen for refund in books.refunds(hall)),
        "topups": len(topups), "topups_fen": sum(topups),
        "advance_fen": sum(payment.fen - sum(part["amount_fen"] for part in payment.gives) for payment in taken
                           if payment.purpose in ("bill", "advance")),
        "reprints": sum(count for receipt, count in books.reprints.items() if receipt.startswith(hall + "-")),
        "tickets_opened": sum(order.house.name == hall for order in books.tickets.values()), "tickets_resolved": books.resolved[hall],
        "tickets_overdue": 0, "queue_printed": everything["taken"],
        **{f"queue_{state}": everything[state] for state in ("served", "skipped", "left", "waiting")},
        "ratings": len(scores), "rating_sum": sum(scores), "scores": [scores.count(score) for score in range(1, 6)],
        "appointments_booked": seats["booked"] + seats["kept"] + seats["missed"],
        **{f"appointments_{state}": seats[state] for state in ("kept", "missed", "cancelled")},
        "reminders_told": results["told"], "reminders_absent": results["absent"], "reminders_wrong": results["wrong_number"]}
    if waits:
        wanted |= {"wait_ms": sum(waits) // len(waits), "wait_median_ms": waits[(len(waits) + 1) // 2 - 1],
                   "wait_90_ms": waits[-(-len(waits) * 9 // 10) - 1], "wait_most_ms": waits[-1]}
    money = collections.defaultdict(lambda: (0, 0))
    for what, sign, payments in (("payment", 1, taken), ("reversal", -1, [payment for _, payment in back])):
        for payment in payments:
            count, fen = money[what, payment.method, payment.purpose]
            money[what, payment.method, payment.purpose] = count + 1, fen + sign * payment.fen
    for refund in books.refunds(hall):
        count, fen = money["refund", "cash", ""]
        money["refund", "cash", ""] = count + 1, fen - refund.fen
    return wanted, dict(money)


def compare_report(books, client, hall):
    """The report of a hall's day, figure by figure, and its windows."""
    node, (wanted, money) = client.node, report_of(books, hall)
    reply = client.ask("day_report", date=int(books.today.replace("-", "")), hall=hall)
    said = {field: getattr(reply, field) for field in wanted}
    same(node, f"report of {hall}", {**said, "scores": list(said["scores"])}, wanted)
    same(node, f"money in the report of {hall}", {(row.what, row.method, row.purpose): (row.count, row.sum_fen) for row in reply.money}, money)
    windows = {row.window: row for row in reply.windows if row.window}
    equal(set(windows), {window for at, window in books.drawers if at == hall}, f"{node.name}: windows in the report of {hall}")
    for number, row in windows.items():
        drawer, entries = books.drawers[hall, number], [fen for _, _, at, _, fen in books.entries(hall) if at == number]
        scores = [score for at, window, _, score in books.ratings.values() if (at, window) == (hall, number)]
        equal((row.opened, row.closed, row.paused, row.opened_ms, row.closed_ms, row.entries, row.sum_fen, row.float_fen, row.counted_fen,
               row.difference_fen, row.reason, row.books, row.ratings, row.rating_sum),
              (1, 1, drawer.paused, books.ms(0, drawer.opened), books.ms(0, drawer.closed), len(entries), sum(entries), drawer.float_fen,
               drawer.counted, -drawer.missing, drawer.reason, "agrees", len(scores), sum(scores)),
              f"{node.name}: window {number} in the report of {hall}")


def compare_arrears(books, node):
    """Who has not paid in time, how much, of how many bills, since when."""
    paid, wanted = books.paid_by_bill(), {}
    for bill in books.plan.bills.values():
        due = books.due(bill["bill_id"], paid[bill["bill_id"]])
        if bill["due_date"] < books.today and due > 0:
            fen, bills, oldest = wanted.get(bill["account"], (0, 0, "9"))
            wanted[bill["account"]] = fen + due, bills + 1, min(oldest, bill["due_date"])
    rows = node.json("report", "arrears").lines()
    same(node, "arrears", {row["account"]: (row["due_fen"], row["bills"], row["oldest"]) for row in rows}, wanted)
    equal(len(rows), len(wanted), f"{node.name}: accounts in arrears, each once")


def compare_conflicts(books, client):
    got = {(row.type, row.record_id): row.amount_fen if row.HasField("amount_fen") else None for row in client.ask("conflicts").conflicts}
    same(client.node, "what people have to decide", got, books.conflicts())


def compare(books, client, everybody, halls):
    """All of it, at one node that holds the customers' district, and those of these halls among everybody's."""
    compare_payments(books, client, halls)
    compare_entries(books, client, halls)
    compare_totals(books, client, everybody)
    compare_bills(books, client)
    compare_queue(books, client, halls)
    compare_tickets(books, client)
    compare_ratings(books, client, halls)
    compare_rest(books, client, halls)
    compare_conflicts(books, client)
    compare_arrears(books, client.node)
    for hall in halls:
        compare_report(books, client, hall)
