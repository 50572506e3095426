"""What clients were told and what nodes hold, written down for the auditor (audit.py); and the clients whose words count.

    witness = Witness(region)
    clients = Clients(witness, hall, accounts).start()
    clients.more(100)              # so many more were acknowledged
    clients.stop()
    witness.verify(hub, hall)      # the auditor's verdict over these nodes
"""
import itertools
import json
import os
import random
import subprocess
import threading
import time

import audit
from region import SEED, SLOW, Failed, check, equal, payment, tool

CONTENT = ("account", "amount_fen", "bill_id", "method", "window", "clerk")


def content_of(record):
    return {name: record[name] for name in CONTENT if name in record}


class Witness:
    def __init__(self, region):
        self.dir = os.path.join(region.dir, "witness")
        os.mkdir(self.dir)
        self.path = os.path.join(self.dir, "history")
        self.out = open(self.path, "w")
        self.lock = threading.Lock()
        self.numbers = itertools.count(1)

    def write(self, event, node, **more):
        with self.lock:
            self.out.write(json.dumps({"event": event, "node": node.name, **more}) + "\n")

    def pay(self, node, record):
        """One payment at that node; its answer, or None: nobody there, or no answer, and it may have been done."""
        known = {"kind": "payment", "id": record["payment_id"]}
        self.write("invoked", node, **known, district=record["account"][:4], content=content_of(record), fen=record["amount_fen"])
        return self.told(node, known, node.run("payment", "add", *[f"{key}={value}" for key, value in record.items()], "--json"))

    def pay_all(self, node, records):
        """Many payments by one command, which the node must take."""
        for record in records:
            self.write("invoked", node, kind="payment", id=record["payment_id"], district=record["account"][:4],
                       content=content_of(record), fen=record["amount_fen"])
        for record, told in zip(records, node.put_lines(["payment", "add"], records)):
            self.write("acknowledged", node, kind="payment", id=record["payment_id"], level=told["safe"], number=told["receipt"])

    def reverse(self, node, record):
        number = f"{int(record['payment_id'], 16) | 1 << 64:032x}"
        known = {"kind": "reversal", "id": number}
        self.write("invoked", node, **known, district=record["account"][:4], fen=record["amount_fen"],
                   content={"payment_id": record["payment_id"], "account": record["account"], "reason": "wrong"})
        return self.told(node, known, node.run("payment", "reverse", record["payment_id"], f"reversal_id={number}", "reason=wrong",
                                               f"window={record['window']}", "--json"))

    def told(self, node, known, answer):
        if answer.status == 0:
            told = answer.object()
            # At a hub that has signed, or on its own disk if it is the hub's.
            signed = [node.hub.name] if told["safe"] != "here" and getattr(node, "hub", None) else []
            self.write("acknowledged", node, **known, level=told["safe"], number=told["receipt"], holders=[node.name, *signed])
            return told
        if answer.status == 3 and '"no-link"' not in answer.out:
            self.write("unanswered", node, **known)
            return None
        error = answer.lines()[-1]
        self.write("refused", node, **known, error=error["error"])
        return error

    def signed(self, node):
        """The level of everything that the node shows to be at a hub by now: who loses the hall's disk after this must not lose that."""
        for record in node.json("payment", "list", "--limit", "1000000").lines():
            if record["safe"] != "here":
                self.write("acknowledged", node, kind="payment", id=record["payment_id"], level=record["safe"], holders=[node.hub.name])

    def held(self, node, other):
        """Everything that the node has is on another's disk, too: who burns the one after this must not lose that."""
        for record in node.json("payment", "list", "--limit", "1000000", seconds=120).lines():
            self.write("acknowledged", node, kind="payment", id=record["payment_id"], level="here", holders=[node.name, other.name])

    def state(self, node):
        """The file with all that the node holds."""
        path = os.path.join(self.dir, node.name)
        districts = node.districts()
        payments = {}
        with open(path, "w") as out:
            def put(**line):
                out.write(json.dumps(line) + "\n")

            put(node=node.name, scope=districts + ["region"] if districts else "everything")
            for record in node.json("payment", "list", "--limit", "1000000", seconds=120).lines():
                payments[record["payment_id"]] = record["amount_fen"]
                put(kind="payment", id=record["payment_id"], content=content_of(record), fen=record["amount_fen"])
            for number, of, account, reason in dump(node, "reversals"):
                known = {"fen": payments[of]} if of in payments else {}  # the payment may lie in a district that is not held
                put(kind="reversal", id=number, content={"payment_id": of, "account": account, "reason": reason}, **known)
            for number, of, fen in dump(node, "entries"):
                put(entry=number, of=of, fen=int(fen))
            put(totals=node.totals())
            for digest in node.json("digest").lines():
                put(digest=digest["digest"], district=digest["partition"], kind=digest["kind"], count=digest["count"])
        return path

    def verify(self, *nodes):
        """The auditor's verdict.  Nodes must have met and be quiet: equal digests are part of it."""
        self.out.flush()
        violations, figures = audit.audit_files(self.path, [self.state(node) for node in nodes])
        print(figures, flush=True)
        check(not violations, "the auditor found:\n" + "\n".join(violations[:20]))


def signed_hall(region, customers, payments):
    """A hub and a hall with so many customers, and payments that the hub has signed for."""
    hub = region.hub("nj-hub", heartbeat_ms=300)
    hall = region.hall("nj-gulou", hub, ["3201"], heartbeat_ms=300, backoff_max_ms=300)
    accounts = region.customers(hall, customers)
    witness = Witness(region)
    witness.pay_all(hall, [payment(accounts[i % customers], next(witness.numbers)) for i in range(payments)])
    hall.synced()
    witness.signed(hall)
    return hub, hall, accounts, witness


def dump(node, kind):
    done = subprocess.run([tool("hallsync-dump"), f"ipc://{node.dir}/hallsync.sock", kind], capture_output=True, text=True)
    equal(done.returncode, 0, f"dump of {node.name}: {done.stderr}")
    return [line.split("\t") for line in done.stdout.splitlines()]


class Clients:
    """Counters that pay and pay: what got no answer is sent again until it has one, some payments are sent a second time, some
    reversed, if their district is among those of `reverse`.  An error that is named in `endure` is met by trying again as well; any
    other ends the test."""

    def __init__(self, witness, node, accounts, count=13, endure=(), pause=0, reverse=("",)):
        self.witness, self.node, self.accounts, self.pause = witness, node, accounts, pause
        self.endure = {"needs-second", *endure}  # a reversal, when midnight or a jump of the clock has come between
        self.reverse = tuple(reverse)
        self.stopping, self.changed = threading.Event(), threading.Condition()
        self.acknowledged, self.longest, self.error = 0, 0, None
        self.refused = {}
        self.threads = [threading.Thread(target=self.run, args=(random.Random(f"{SEED} {node.name} {i}"),), daemon=True)
                        for i in range(count)]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def stop(self):
        """No more payments; what is under way is not waited for, it may or may not have been done."""
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        if self.error:
            raise self.error
        return self

    def more(self, count, seconds=60):
        """Wait until so many more have been acknowledged."""
        with self.changed:
            wanted = self.acknowledged + count
            self.changed.wait_for(lambda: self.error or self.acknowledged >= wanted, seconds * SLOW)
            if self.error:
                raise self.error
            check(self.acknowledged >= wanted, f"{self.node.name}: {count} more payments did not come in {seconds * SLOW:.0f} s")

    # -- a client

    def run(self, chance):
        try:
            while not self.stopping.is_set():
                number = next(self.witness.numbers)
                record = payment(chance.choice(self.accounts), number, chance.randint(1, 100000))
                told = self.insist(self.witness.pay, record)
                if told and chance.random() < 0.1:  # the printer jammed, say
                    again = self.insist(self.witness.pay, record)
                    check(again is None or (again["result"], again["receipt"]) == ("exists", told["receipt"]),
                          f"a payment sent again: {told}, then {again}")
                if told and record["account"].startswith(self.reverse) and chance.random() < 0.1:
                    self.insist(self.witness.reverse, record, patient=False)  # else the clerk tells the customer to come back
        except (Failed, Exception) as error:  # told by the test's own thread
            with self.changed:
                self.error = error
                self.changed.notify_all()

    def insist(self, what, record, patient=True):
        began = time.monotonic()
        while True:
            told = what(self.node, record)
            if told and "error" not in told:
                with self.changed:
                    self.acknowledged += 1
                    self.longest = max(self.longest, time.monotonic() - began)
                    self.changed.notify_all()
                self.stopping.wait(self.pause)
                return told
            if told and told["error"] == "no-link":  # of another district, and no hub can be asked: the customer comes again
                with self.changed:
                    self.refused["no-link"] = self.refused.get("no-link", 0) + 1
                return None
            if told:
                check(told["error"] in self.endure, f"{self.node.name}: refused: {told}")
                with self.changed:
                    self.refused[told["error"]] = self.refused.get(told["error"], 0) + 1
                if not patient:
                    return None
            if self.stopping.wait(0.05):
                return None
