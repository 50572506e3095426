#!/usr/bin/env python3
"""The marketing system and a region: its customers and bills come in by night, in CSV and in JSON lines, twice, and undo nothing that a
counter changed; what was paid and changed goes out in runs with a cursor, by kind, district and field, and whatever an export is killed in
nothing is left out: not between its files and its cursor either."""
import csv
import fcntl
import json
import os
import pty
import random
import signal
import subprocess
import threading
import time

from region import Payers, Region, check, equal, first_seed, tool, until

QUICK = {"heartbeat_ms": 500, "backoff_max_ms": 300}
ACCOUNTS = [f"320100{n:04}" for n in range(1, 21)]


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def write_csv(path, rows):
    with open(path, "w", newline="") as file:
        out = csv.DictWriter(file, rows[0])
        out.writeheader()
        out.writerows(rows)


class Runs:
    """What the marketing system's side does: takes the runs in the order of their numbers, each whole."""

    def __init__(self, node, directory, *words, json_lines=True):
        self.node, self.dir, self.words, self.taken, self.json_lines = node, directory, words, 0, json_lines
        os.makedirs(directory, exist_ok=True)

    def export(self, status=0):
        if self.json_lines:
            return self.node.json("export", *self.words, "--out", self.dir, status=status).lines()[0]
        answer = self.node.run("export", *self.words, "--out", self.dir)
        equal(answer.status, status, f"export: {answer.err}")
        told = dict(line.split(maxsplit=1) for line in answer.out.splitlines())
        return {"rows": int(told["rows"]), **({"run": int(told["run"]), "whole": told["everything"] == "yes"} if "run" in told else {})}

    def names(self):
        return sorted(name for name in os.listdir(self.dir) if name.isdigit())

    def take(self):
        """Rows of all new runs, as (kind, row)."""
        taken = []
        for name in self.names():
            if int(name) <= self.taken:
                continue
            run = os.path.join(self.dir, name)
            with open(os.path.join(run, "manifest.json")) as file:
                manifest = json.load(file)
            equal(manifest["run"], int(name), "number of the run")
            equal(sorted(os.listdir(run)), sorted([one["name"] for one in manifest["files"]] + ["manifest.json"]), "its files")
            for one in manifest["files"]:
                rows = self.read(os.path.join(run, one["name"]))
                equal(len(rows), one["rows"], f"rows of {one['name']}")
                equal(sum(int(row.get("amount_fen") or 0) for row in rows), one["sum_fen"], f"sum of {one['name']}")
                taken += [(one["kind"], row) for row in rows]
            self.taken = int(name)
        return taken

    def read(self, path):
        if path.endswith(".csv"):
            return rows_of(path)
        with open(path) as file:
            return [{"change": one["change"], **one["record"]} for one in map(json.loads, file)]

    def cursor(self):
        with open(os.path.join(self.dir, "cursor")) as file:
            return json.load(file)

    def start(self, **more):
        return subprocess.Popen([tool("hallsync"), "-c", self.node.conf, "export", *self.words, "--out", self.dir], **more)


def ids(taken, kind, field):
    return sorted(row[field] for of, row in taken if of == kind)


def import_twice(region, hall):
    """Customers in CSV, bills in JSON lines; a second time nothing is written; what a counter changed stays."""
    customers = os.path.join(region.dir, "customers.csv")
    bills = os.path.join(region.dir, "bills.jsonl")
    rows = [{"account": account, "name": f"客户{n}", "phone": f"025-{n:04}"} for n, account in enumerate(ACCOUNTS)]
    write_csv(customers, rows + [{"account": "12", "name": "短", "phone": ""}])
    with open(bills, "w") as file:
        for n, account in enumerate(ACCOUNTS):
            print(json.dumps({"bill_id": f"B-{n}", "account": account, "amount_fen": 1000 + n, "period": "2026-11"}), file=file)
        print('{"bill_id":"B-x","account":"3201000001","amount_fen":-5}', file=file)
    first = hall.json("customer", "import", customers, status=1).object()
    equal((first["created"], first["rejected"]), (20, 1), "customers of the first night")
    rejects = rows_of(customers + ".rejects.csv")
    equal([(row["line"], row["field"], row["error"]) for row in rejects], [("22", "account", "bad-account")], "what was refused, and why")
    first = hall.json("bill", "import", bills, status=1).object()
    equal((first["created"], first["rejected"]), (20, 1), "bills of the first night")
    equal(rows_of(bills + ".rejects.csv")[0]["line"], "21", "line of the bad bill")

    hall.json("customer", "put", ACCOUNTS[0], "phone=13800000000")
    before = hall.digests()
    for words, path in (("customer", customers), ("bill", bills)):
        again = hall.json(words, "import", path, status=1).object()
        equal((again["unchanged"], again["created"] + again["changed"]), (20, 0), f"{words}s of the second night")
    equal(hall.digests(), before, "the second night writes nothing")
    rows[0]["name"] = "改名"
    rows[1]["phone"] = "025-9999"
    write_csv(customers, rows)
    third = hall.json("customer", "import", customers).object()
    equal((third["changed"], third["unchanged"], third["rejected"]), (2, 18, 0), "customers of the third night")
    check(not os.path.exists(customers + ".rejects.csv"), "rejects of an earlier night are still there")
    customer = hall.json("customer", "get", ACCOUNTS[0]).object()
    equal((customer["phone"], customer["name"]), ("13800000000", "改名"), "the counter's number, the marketing system's name")


def shown_on_a_terminal(region, hall):
    """A bar with rate on a terminal, lines elsewhere."""
    path = os.path.join(region.dir, "customers.csv")
    for progress, bars in (("0ms", True), ("", False)):  # one that is over at once has none, if nobody wants it
        ours, theirs = pty.openpty()
        subprocess.run([tool("hallsync"), "-c", hall.conf, "customer", "import", path], stderr=theirs, stdout=subprocess.DEVNULL, check=True,
                       env={**os.environ, "TERM": "xterm", "HALLSYNC_PROGRESS": progress})
        os.close(theirs)
        drawn = os.read(ours, 65536).decode()
        os.close(ours)
        equal("\r[####################] 100 %  importing, 20 rows, " in drawn, bars, f"the bar: {drawn!r}")
        check("/s, 0 rejected" in drawn, f"the end: {drawn!r}")
    plain = hall.run("customer", "import", path).err
    check(plain.startswith("20 rows, ") and "/s, 0 rejected\n" in plain and "\r" not in plain and "\033" not in plain, f"plain lines: {plain!r}")


def pay(hall, number, account=ACCOUNTS[0], amount=100, **more):
    hall.json("payment", "add", f"payment_id=x-{number}", f"account={account}", f"amount_fen={amount}", "window=1", "clerk=wu",
              *[f"{key}={value}" for key, value in more.items()])


def runs_one_after_the_other(runs, hall):
    equal(runs.export()["whole"], True, "the first run is of everything")
    first = runs.take()
    equal(ids(first, "customer", "account"), ACCOUNTS, "customers")
    equal(ids(first, "bill", "bill_id"), sorted(f"B-{n}" for n in range(20)), "bills")
    equal(runs.export(), {"rows": 0}, "nothing is new")
    equal(len(runs.names()), 1, "no run of nothing")
    pay(hall, 1, amount=1000, bill_id="B-0")
    pay(hall, 2, amount=77)
    hall.json("payment", "reverse", "x-2", "reason=错", "window=1", "clerk=wu")
    answer = runs.export()
    equal((answer["run"], answer["whole"]), (2, False), "the second run")
    second = runs.take()
    paid = {row["payment_id"]: row for kind, row in second if kind == "payment"}
    equal(sorted(paid), ["x-1", "x-2"], "payments")
    equal((paid["x-1"]["amount_fen"], paid["x-1"]["bill_id"], paid["x-1"]["reversed"], paid["x-2"]["reversed"]),
          ("1000", "B-0", "false", "true"), "as they stand now")
    check(paid["x-1"]["receipt"].startswith("hall-"), f"its receipt: {paid['x-1']}")
    check(ids(second, "customer", "account") == [], "customers did not change")


def writes_to(process):
    """The file that it waits to write to, by the first argument of its system call; or None."""
    with open(f"/proc/{process.pid}/syscall") as file:
        words = file.read().split()
    return int(words[1], 16) if len(words) > 2 else None


def killed_before_its_cursor(runs, hall):
    """Who is to be told does not listen: the files are there, the cursor waits; and then the process is gone."""
    pay(hall, 3)
    before = runs.cursor()
    out, into = os.pipe()
    room = fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, 4096)
    os.write(into, b"x" * room)
    process = runs.start(stdout=into)
    until("the run is there, and the answer is kept waiting", lambda: len(runs.names()) == 3 and writes_to(process) == 1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    os.close(out)
    os.close(into)
    cursor = runs.cursor()
    equal((cursor["position"], cursor["run"]), (before["position"], 3), "the cursor stands, the number is given away")
    third = runs.take()
    pay(hall, 4)
    equal(runs.export()["run"], 4, "the next number")
    fourth = runs.take()
    equal(ids(third, "payment", "payment_id"), ["x-3"], "payments of the run that was cut")
    equal(ids(fourth, "payment", "payment_id"), ["x-3", "x-4"], "they come again")
    changes = [{row["payment_id"]: row["change"] for kind, row in taken if kind == "payment"} for taken in (third, fourth)]
    equal(changes[0]["x-3"], changes[1]["x-3"], "and can be told from what is new")


def killed_anywhere(runs, hall):
    """Payments go on, exports are killed at random: what was acknowledged is in some run."""
    stopping, dice = threading.Event(), random.Random(first_seed())
    payers = Payers(hall, ACCOUNTS, range(1, 1 << 30), stopping)
    payers.start()
    for _ in range(25):
        process = runs.start(stdout=subprocess.DEVNULL)
        time.sleep(dice.uniform(0.001, 0.06))
        process.kill()
        process.wait()
    stopping.set()
    payers.join()
    check(payers.error is None, f"paying: {payers.error}")
    runs.export()
    check(not [name for name in os.listdir(runs.dir) if name.endswith(".part")], "something half is left")
    taken = set(ids(runs.take(), "payment", "payment_id"))
    missing = set(payers.acknowledged) - taken
    check(len(payers.acknowledged) > 0 and not missing, f"{len(missing)} payments were left out")


def narrow(region, hall):
    """JSON lines of one kind, district and field; another question needs another cursor."""
    directory = os.path.join(region.dir, "narrow")
    runs = Runs(hall, directory, "payment", "--district", "3201", "--where", "amount_fen=4321", "--where", "method=card",
                "--where", "method=cash")
    runs.export()
    runs.take()
    pay(hall, "n1", amount=4321, method="cash")
    pay(hall, "n2", amount=4322, method="cash")
    pay(hall, "n3", amount=4321, method="cheque", slip_no="S-1", bank="ICBC")
    pay(hall, "n4", amount=4321, method="card", account=ACCOUNTS[1])
    equal(runs.export()["rows"], 2, "those that fit")
    equal(ids(runs.take(), "payment", "payment_id"), ["x-n1", "x-n4"], "those that fit")
    before = runs.cursor()["position"]
    pay(hall, "n5", amount=1)
    equal(runs.export()["rows"], 0, "nothing fits")
    check(runs.cursor()["position"] != before, "what does not fit is gone over once")
    refused = hall.run("export", "bill", "--out", directory)
    equal(refused.status, 2, "another question with the same cursor")
    check("--cursor" in refused.err, refused.err)
    lock = os.open(directory, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    check("in-use" in json.dumps(runs.export(status=4)), "two at a time")
    os.close(lock)
    refused = hall.run("watch", "payment", "--where", "colour=red")
    check(refused.status == 4 and "colour" in refused.err, f"a field that there is not: {refused.status} {refused.err}")


def watched(hall):
    """A feed by field; and of what never fits, how far it was looked."""
    since = hall.status()["position"]
    feed = subprocess.Popen([tool("hallsync"), "-c", hall.conf, "watch", "bill", "--where", "state=paid", "--from", since],
                            stdout=subprocess.PIPE, text=True)
    try:
        pay(hall, "w1", account=ACCOUNTS[5], amount=1, bill_id="B-5")
        pay(hall, "w2", account=ACCOUNTS[5], amount=1004, bill_id="B-5")
        line = json.loads(feed.stdout.readline())
        equal((line["kind"], line["record"]["bill_id"], line["record"]["paid_fen"]), ("bill", "B-5", 1005), "the bill that is paid")
        check(len(line["change"]) == 32 and ":" in line["position"], f"{line}")
    finally:
        feed.kill()
        feed.wait()
        feed.stdout.close()


def refunded(hub, hall):
    """What was paid too much is given back, and the bill is told of, too."""
    hub.json("grant", "add", "district=3201", "owner=hall-1", "granted_by=chief")
    pay(hall, "r1", account=ACCOUNTS[7], amount=1307, bill_id="B-7")
    since = hall.status()["position"]
    feed = subprocess.Popen([tool("hallsync"), "-c", hall.conf, "watch", "bill", "--where", "state=paid", "--from", since],
                            stdout=subprocess.PIPE, text=True)
    try:
        until("the hall knows that it is the owner", lambda: hall.json("grant", "list").out)
        hall.json("payment", "refund", ACCOUNTS[7], "bill_id=B-7", "amount_fen=300", "reason=错", "clerk=wu", "form_no=F-1", "window=1")
        equal(json.loads(feed.stdout.readline())["record"]["bill_id"], "B-7", "the bill that is no more than paid")
    finally:
        feed.kill()
        feed.wait()
        feed.stdout.close()


def restored(runs):
    """A node that does not know the place: everything, once more."""
    cursor = runs.cursor()
    number, tag = cursor["position"].split("@")[0].split("+")[0].split(":")
    cursor["position"] = f"{number}:{int(tag, 16) ^ 1:016x}"
    with open(os.path.join(runs.dir, "cursor"), "w") as file:
        json.dump(cursor, file)
    runs.take()
    equal(runs.export()["whole"], True, "everything again")
    equal(ids(runs.take(), "bill", "bill_id"), sorted(f"B-{n}" for n in range(20)), "bills")


with Region("in by night, out by day, and nothing is left out") as region:
    hub = region.hub("hub", **QUICK)
    hall = region.hall("hall-1", hub, ["3201"], **QUICK)
    import_twice(region, hall)
    shown_on_a_terminal(region, hall)
    runs = Runs(hall, os.path.join(region.dir, "out"), json_lines=False)
    runs_one_after_the_other(runs, hall)
    killed_before_its_cursor(runs, hall)
    killed_anywhere(runs, hall)
    narrow(region, hall)
    watched(hall)
    refunded(hub, hall)
    restored(runs)
    hall.synced()
    region_wide = Runs(hub, os.path.join(region.dir, "hub"), "payment", "reversal")
    region_wide.export()
    equal(len(set(ids(region_wide.take(), "payment", "payment_id"))), hub.totals()["count"], "payments of the region at the hub")
