#!/usr/bin/python3
"""window.py ENDPOINT WINDOW CLERK: what a window of a hall does all day, with python3-zmq and python3-protobuf.

    protoc --python_out=. -I /usr/share/hallsync/proto local.proto records.proto
    ./window.py ipc:///var/lib/hallsync/hallsync.sock 3 07

Each line of standard input is a command; the table of them is at the end.  docs/api.md goes through it; window.c is the same in C."""
import os
import sys
import time

import zmq

import local_pb2 as api
import records_pb2 as records

CUSTOMER, BILL, PAYMENT, CASH_ENTRY, REVERSAL, TICKET, REPRINT, QUEUE_TICKET, QUEUE_EVENT, RATING, NOTICE = 1, 2, 3, 4, 5, 6, 10, 19, 20, 25, 1001
BILLS_MAX = 32  # of one payment
PATIENCE, TIMEOUT = 0.5, 3.0  # seconds: until it is sent again, at first; and so long a customer waits
RETRY = "busy", "stopping", "no-link", "timed-out", "out-of-memory"


class Refused(Exception):
    """Nothing was done.  The same again is in vain, but where `error` is one of RETRY."""

    def __init__(self, said):
        super().__init__(f"{said.error}: {said.text}")
        self.error = said.error


class Unknown(Exception):
    """It may have been done: the same again, under the same id, until there is an answer."""


class Node:
    def __init__(self, endpoint):
        self.endpoint, self.seen = endpoint, None
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.setsockopt(zmq.IMMEDIATE, 1)  # nothing queues for a node that is not there
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.connect(endpoint)

    def call(self, **body):
        request = api.Request(version=1, id=os.urandom(16), seen=self.seen, **body)
        data, end, patience = request.SerializeToString(), time.monotonic() + TIMEOUT, PATIENCE
        while time.monotonic() < end:  # the same bytes each time
            if self.socket.poll(100, zmq.POLLOUT):
                self.socket.send(data)
            reply = self.receive(request.id, min(end, time.monotonic() + patience))
            patience *= 2
            if reply is not None and reply.HasField("error"):
                raise Refused(reply)
            if reply is not None:
                return reply
        raise Unknown(f"{self.endpoint}: no answer")

    def receive(self, request_id, until):
        while self.socket.poll(max(0, until - time.monotonic()) * 1000):
            reply = api.Reply.FromString(self.socket.recv())
            if reply.id == request_id:  # others are answers to earlier sendings
                if reply.HasField("position"):
                    self.seen = reply.position  # proof, should an older copy of the node come back
                return reply
        return None

    def put(self, kind, record):
        return written(self.call(put=api.PutRequest(kind=kind, records=[api.PutRecord(record=record.SerializeToString())])))

    def get(self, kind, record_id, **how):
        return self.call(get=api.GetRequest(kind=kind, id=record_id, **how)).records.records[0]

    def find(self, kind, index, key):
        return self.call(find=api.FindRequest(kind=kind, index=index, key=key, limit=1000)).records.records


def written(reply):
    """Of a request with one record: each record has an answer of its own."""
    result, = reply.put.results
    if result.HasField("error"):
        raise Refused(result)
    return result


def tell(result):
    print("done before" if result.result == api.RESULT_EXISTS else "done", result.receipt or "-")


class Window:
    def __init__(self, endpoint, number, clerk):
        self.node, self.number, self.clerk = Node(endpoint), int(number), clerk
        self.called = None  # the queue ticket of who was called last

    # -- customers and bills

    def customer(self, account):
        record = self.node.get(CUSTOMER, account)
        customer = records.Customer.FromString(record.record)
        print("customer", account, customer.name or "-", customer.address or "-")
        for notice in record.notices:  # what he is to be told before anything else
            print("notice", notice.state, notice.text)
        for record in self.node.find(BILL, "account", account):
            print(f"bill {record.id} {record.bill.state}, due now {record.bill.due_fen} fen, late fees {record.bill.late_fen}")

    # -- payments

    def pay(self, payment_id, account, tendered):
        """All that is due now, in cash."""
        taken = self.taken(payment_id)
        if taken is not None:
            print("done before", taken.receipt)
            return
        bills = [record for record in self.node.find(BILL, "account", account) if record.bill.due_fen > 0]
        owed = {record.id: record.bill.due_fen for record in bills[:BILLS_MAX]}
        due, tendered = sum(owed.values()), int(tendered)
        if not owed or tendered < due:
            print(f"refused, due now are {due} fen")
            return
        payment = records.Payment(payment_id=payment_id, account=account, amount_fen=due, tendered_fen=tendered,
                                  change_fen=tendered - due, method="cash", window=self.number, clerk=self.clerk)
        for bill_id, fen in owed.items():
            payment.parts.add(bill_id=bill_id, amount_fen=fen)
        tell(self.node.put(PAYMENT, payment))
        print(f"change {tendered - due} fen")

    def taken(self, payment_id):
        """Was it taken already, and its answer lost?  What this node has written is here, with a link and without one."""
        try:
            return self.node.get(PAYMENT, payment_id, here=True)
        except Refused as refused:
            if refused.error == "not-found":
                return None
            raise

    def reverse(self, reversal_id, payment_id, second=None, reason=None):
        """Later, or from elsewhere: another person and a reason, else needs-second."""
        reverse = api.ReverseRequest(reversal_id=reversal_id, payment_id=payment_id, second=second, reason=reason,
                                     window=self.number, clerk=self.clerk)
        tell(written(self.node.call(reverse=reverse)))

    # -- receipts

    def receipt(self, number):
        record = self.node.get(CASH_ENTRY, number)
        entry = records.CashEntry.FromString(record.record)
        print(f"凭证号 receipt {number}\n金额 amount {entry.amount_fen} fen\n方式 method {entry.method or '-'}")
        print(f"补打 printed again {record.reprints}")
        fact = self.node.get(entry.fact_kind, entry.fact_id.hex()).record
        if entry.fact_kind == PAYMENT:
            payment = records.Payment.FromString(fact)
            print("户号 account", payment.account)
            for part in payment.parts:
                print(f"账单 bill {part.bill_id} {part.amount_fen} fen")
            print(f"收款 tendered {payment.tendered_fen} fen\n找零 change {payment.change_fen} fen\n营业员 clerk {payment.clerk or '-'}")
        elif entry.fact_kind == REVERSAL:
            reversal = records.Reversal.FromString(fact)
            print(f"户号 account {reversal.account}\n原因 reason {reversal.reason or '-'}\n营业员 clerk {reversal.clerk or '-'}\n"
                  f"复核人 second {reversal.second or '-'}")

    def reprint(self, reprint_id, number, reason):
        tell(self.node.put(REPRINT, records.Reprint(reprint_id=reprint_id, number=number, reason=reason, clerk=self.clerk)))
        self.receipt(number)

    # -- the queue, ratings

    def queue(self, event_id, event):
        """called: the node says who is next; else it is about who is at the window."""
        result = self.node.put(QUEUE_EVENT, records.QueueEvent(event_id=event_id, event=event, window=self.number, clerk=self.clerk))
        tell(result)
        print("number", result.number)
        self.called = bytes.fromhex(result.of)

    def rate(self, score):
        """Of who was at the window last.  The record's id follows from what is rated: once for good."""
        if self.called is None:
            print("refused, nobody was called")
            return
        tell(self.node.put(RATING, records.Rating(of_kind="queue_ticket", of_id=self.called, score=int(score),
                                                  window=self.number, clerk=self.clerk)))

    # -- tickets

    def ticket(self, ticket_id, service, account, summary):
        """Machine, department, deadline and documents come from the catalogue."""
        tell(self.node.put(TICKET, records.Ticket(ticket_id=ticket_id, service=service, account=account, summary=summary)))
        ticket = self.node.get(TICKET, ticket_id).ticket
        print(f"ticket {ticket.state}, {ticket.department}")
        for document in ticket.missing:  # all at once
            print("bring", document)

    # -- the feed

    def watch(self, path):
        """What has changed behind the position in a file; from now on, where there is none."""
        position = api.Position.FromString(open(path, "rb").read()) if os.path.exists(path) else None
        more = True
        while more:
            what = api.WatchRequest(kinds=[QUEUE_TICKET, NOTICE], **{"from": position})
            changed = self.node.call(watch=what).watch  # "reset": this store has another history; find everything anew
            for record in changed.records:
                print("changed", record.kind, record.id)
            with open(path + ".new", "wb") as file:
                file.write(changed.position.SerializeToString())
            os.rename(path + ".new", path)  # fails, and what was shown comes once more
            more = len(changed.records) > 0 or position is None or changed.position.commit != position.commit
            position = changed.position


# name -> how many words it needs, and may have
COMMANDS = {"customer": (1, 1), "pay": (3, 3), "reverse": (2, 4), "receipt": (1, 1), "reprint": (3, 3), "queue": (2, 2),
            "rate": (1, 1), "ticket": (4, 4), "watch": (1, 1)}


def run(window, line):
    name, _, rest = line.partition(" ")
    least, most = COMMANDS.get(name, (1, 0))
    words = rest.split(maxsplit=max(0, most - 1))  # the last one may have blanks in it
    if not least <= len(words) <= most:
        print("?", ", ".join(COMMANDS))
        return
    try:
        getattr(window, name)(*words)
    except Refused as refused:
        print("later," if refused.error in RETRY else "refused,", refused)
    except Unknown as unknown:
        print("unknown,", unknown)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(f"usage: {sys.argv[0]} ENDPOINT WINDOW CLERK")
    window = Window(*sys.argv[1:])
    for line in sys.stdin:
        run(window, line.strip())
        print(".", flush=True)  # the end of an answer
