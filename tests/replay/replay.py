#!/usr/bin/env python3
"""Real data through real daemons: bank accounts, a power company's field tickets, fines; halls go off line by turns.

    tests/replay/replay.py [bank] [fines] [outages] [--share 1.0] [--halls 4] [--phases 6]

A dataset is mapped to halls by district (branch, town, series of the fine).  Each district is held by two halls; some rows go in at the
one, some at the other, and in every phase some halls have no link.  In the end the cluster is checked against a plain computation from
the file: every payment exactly once, every account's balance to the fen, every ticket's history whole, all digests equal.

The data lie outside of this repository: HS_SHARED names the folder (default: ../shared).  Without them the test is skipped (status 77).
"""
import argparse
import collections
import csv
import hashlib
import json
import os
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "system"))
from region import Region, check, equal, tool  # noqa: E402

SHARED = os.environ.get("HS_SHARED") or os.path.join(HERE, "..", "..", "..", "shared")


def rows(name, share=1.0, key=None):
    """Rows of a dataset; with a share, those whose key falls into it, always the same ones."""
    process = subprocess.Popen(["zstd", "-dc", os.path.join(SHARED, "data", name)], stdout=subprocess.PIPE, text=True)
    for row in csv.DictReader(process.stdout):
        if share >= 1 or int(hashlib.md5(row[key].encode()).hexdigest()[:8], 16) < share * (1 << 32):
            yield row
    check(process.wait() == 0, f"{name} could not be read")


def fen(text):
    """Hundredths, exactly: "62.59" -> 6259."""
    whole, _, part = text.partition(".")
    return int(whole) * 100 + int((part + "00")[:2])


class Data:
    """What is to be done, and what must be true afterwards."""

    def __init__(self):
        self.customers = {}                                  # account -> name
        self.steps = []                                      # (district, main hall?, words, record), in order of the file
        self.payments = {}                                   # payment id -> (account, fen)
        self.bills = {}                                      # bill id -> (account, fen)
        self.events = collections.defaultdict(set)           # ticket id -> event ids
        self.skipped = 0

    def pay(self, main, number, account, amount, **more):
        self.payments[number] = (account, amount)
        self.steps.append((account[:4], main, ("payment", "add"),
                           {"payment_id": number, "account": account, "amount_fen": amount, "method": "cash", **more}))

    def bill(self, number, account, amount, period):
        self.bills[number] = (account, amount)
        self.steps.append((account[:4], True, ("bill", "put"),
                           {"bill_id": number, "account": account, "amount_fen": amount, "period": period}))


def bank(share):
    """Credits are payments, debits are bills: what an account has is the sum of the one less the sum of the other."""
    data = Data()
    account = {r["account_id"]: f"3{int(r['district_id']):03d}{int(r['account_id']):06d}" for r in rows("berka-bank/account.csv.zst")}
    owner = {r["account_id"]: r["client_id"] for r in rows("berka-bank/disp.csv.zst") if r["type"] == "OWNER"}
    for number, row in enumerate(rows("berka-bank/trans_1993.csv.zst", share, "account_id")):
        at, amount = account[row["account_id"]], fen(row["amount"])
        data.customers[at] = "客户" + owner[row["account_id"]]
        if amount == 0:
            data.skipped += 1
        elif row["type"] == "PRIJEM":
            data.pay(number % 3 != 0, f"bank-{row['trans_id']}", at, amount, window=number % 13 + 1)
        else:
            data.bill(f"bank-{row['trans_id']}", at, amount, row["date"][:7])
    return data


def fines(share):
    """A fine is a bill, which postage and penalty make larger; it is paid in parts, at one of two halls."""
    data = Data()
    account, expense = {}, {}
    for number, row in enumerate(rows("road-fines/fine_events.csv.zst", share, "case_id")):
        case = row["case_id"]
        if case not in account:
            account[case] = f"31{int(hashlib.md5(case.encode()).hexdigest()[:4], 16) % 40:02d}{len(account):06d}"
            data.customers[account[case]] = "车主" + case
        at, name = account[case], row["activity"]
        if name in ("Create Fine", "Send Fine", "Add penalty"):
            expense[case] = expense.get(case, 0) + (fen(row["expense"]) if row["expense"] else 0)
            base = fen(row["amount"]) if row["amount"] else data.bills.get(case, (at, 0))[1]
            amount = base + (expense[case] if row["amount"] else fen(row["expense"] or "0"))
            if amount > 0:
                data.bill(case, at, amount, row["date"][:7])
        elif name == "Payment" and fen(row["payment_amount"]) > 0:
            data.pay(number % 2 == 0, f"{case}-{row['seq']}", at, fen(row["payment_amount"]), bill_id=case, window=number % 13 + 1)
        else:
            data.skipped += 1
    return data


def outages(share):
    """A ticket is opened by its town's hall and moved on there; half of the notes come from the other hall that holds the town."""
    data = Data()
    towns, district, state = {}, {}, {}
    for row in rows("pge-outages/outages.csv.zst", share, "outage_id"):
        town = towns.setdefault(row["region"], len(towns))
        district[row["outage_id"]] = f"32{town % 60:02d}"
    for number, row in enumerate(rows("pge-outages/outage_events.csv.zst", share, "outage_id")):
        ticket, at = row["outage_id"], district[row["outage_id"]]
        if row["event"] == "OPEN":
            account = at + "000001"
            data.customers[account] = "片区" + at
            state[ticket] = "open"
            data.events[ticket] = set()
            data.steps.append((at, True, ("ticket", "open"), {"ticket_id": ticket, "service": "outage-report", "account": account,
                                                              "summary": f"停电 {row['cause']} {row['customers']}户"}))
            continue
        event = {"event_id": f"{ticket}-{number}", "ticket_id": ticket,
                 "note": " ".join((row["event"], row["crew_status"], row["cause"], row["etor"]))}
        wanted = ("resolved" if row["event"] == "CLEAR" else "working" if row["crew_status"].startswith("REPAIR") else
                  "assigned" if row["crew_status"].startswith("ASS") else None)
        allowed = {"open": ("assigned",), "assigned": ("assigned", "working"), "working": ("assigned", "working", "resolved"),
                   "resolved": ("working",)}[state[ticket]]
        moves = wanted in allowed and (wanted != state[ticket])
        if moves:
            event["state"] = state[ticket] = wanted
        data.events[ticket].add(event["event_id"])
        data.steps.append((at, moves or number % 2 == 0, ("ticket", "event"), event))
    return data


DATASETS = {"bank": bank, "fines": fines, "outages": outages}
FILES = {"bank": "berka-bank/trans_1993.csv.zst", "fines": "road-fines/fine_events.csv.zst",
         "outages": "pge-outages/outage_events.csv.zst"}


class Cluster:
    def __init__(self, region, data, count):
        districts = sorted({account[:4] for account in data.customers})
        self.region, self.hub = region, region.hub("hub")
        self.groups = {district: i % count for i, district in enumerate(districts)}
        self.halls = []
        for i in range(count):
            held = [d for d in districts if self.groups[d] in (i, (i + 1) % count)]
            self.halls.append(region.hall(f"hall-{i}", self.hub, held, relay=True))
            self.halls[-1].held = set(held)

    def hall_of(self, district, main):
        group = self.groups[district]
        return self.halls[group if main else (group - 1) % len(self.halls)]

    def synced(self):
        for _ in range(2):  # what the last hall hands in is on its way to the first
            for hall in self.halls:
                hall.synced(600)


ORDER = [("bill", "put"), ("ticket", "open"), ("payment", "add"), ("ticket", "event")]


def drive(hall, steps, problems):
    """All steps of one hall in a phase: command by command, the rows of each in the order of the file."""
    steps.sort(key=lambda step: ORDER.index(step[2]))
    try:
        at = 0
        while at < len(steps):
            words, batch = steps[at][2], []
            while at < len(steps) and steps[at][2] == words and len(batch) < 20000:
                batch.append(steps[at][3])
                at += 1
            for answer in hall.put_lines(list(words), batch):
                if "error" in answer:
                    problems.append(f"{hall.name}: {words}: {answer}")
    except Exception as error:  # told by the main thread
        problems.append(f"{hall.name}: {error}")


def run_phase(cluster, steps):
    """Each hall does its part, all at once.  A ticket's notes at the other hall come only in a phase after its opening."""
    problems, mine = [], collections.defaultdict(list)
    opened = {step[3]["ticket_id"] for step in steps if step[2] == ("ticket", "open")}
    for step in steps:
        here = step[1] or (step[2] == ("ticket", "event") and step[3]["ticket_id"] in opened)
        mine[cluster.hall_of(step[0], here).name].append(step)
    threads = [threading.Thread(target=drive, args=(hall, mine[hall.name], problems)) for hall in cluster.halls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(not problems, f"{len(problems)} problems, such as {problems[:3]}")


def run(cluster, data, phases):
    random, size = cluster.region.random, -(-len(data.steps) // phases)
    for phase in range(phases):
        off = [hall for hall in cluster.halls if random.random() < 0.4]
        for hall in off:
            hall.relay.cut()
        run_phase(cluster, data.steps[phase * size:(phase + 1) * size])
        for hall in off:
            hall.relay.heal()
        cluster.synced()
        print(f"  phase {phase + 1} of {phases}: {len(off)} of {len(cluster.halls)} halls were off line", flush=True)


def check_payments(node, data, districts):
    wanted = {number: value for number, value in data.payments.items() if value[0][:4] in districts}
    held = node.json("payment", "list", seconds=600).lines()
    equal(len(held), len(wanted), f"{node.name}: payments held")
    got = {record["payment_id"]: (record["account"], record["amount_fen"]) for record in held}
    equal(len(got), len(held), f"{node.name}: a payment stands twice")
    equal(got, wanted, f"{node.name}: payments")
    totals = node.totals()
    equal((totals["count"], totals["sum_fen"]), (len(wanted), sum(value[1] for value in wanted.values())), f"{node.name}: totals")


def check_balances(node, data, random):
    bills = {record["bill_id"]: (record["account"], record["amount_fen"]) for record in node.json("bill", "list", seconds=600).lines()}
    equal(bills, data.bills, f"{node.name}: bills")
    paid, due = collections.Counter(), collections.Counter()
    for account, amount in data.payments.values():
        paid[account] += amount
    for account, amount in data.bills.values():
        due[account] += amount
    accounts = sorted(data.customers)
    for account in random.sample(accounts, min(1200, len(accounts))):
        equal(node.totals("--account", account)["sum_fen"], paid[account], f"{node.name}: paid on {account}")
    return sum(paid.values()) - sum(due.values())


def id_of(text):
    """128 bits of a text id, as PROTOCOL.md says."""
    return hashlib.blake2b(b"hallsync id 1\0" + text.encode(), digest_size=16).hexdigest()


def check_events(node, data, wanted_tickets):
    process = subprocess.run([tool("hallsync-dump"), f"ipc://{node.dir}/hallsync.sock"], capture_output=True, text=True)
    equal(process.returncode, 0, f"dump of {node.name}: {process.stderr}")
    held = collections.defaultdict(set)
    count = 0
    for line in process.stdout.splitlines():
        event, ticket, state, _ = line.split("\t")
        held[ticket].add(event)
        count += state != "open"
    for ticket in wanted_tickets:
        missing = data.events[ticket] - held[id_of(ticket)]
        check(not missing, f"{node.name}: ticket {ticket} lacks {sorted(missing)[:3]}")
        equal(len(held[id_of(ticket)]), len(data.events[ticket]) + 1, f"{node.name}: events of ticket {ticket}, its opening included")
    equal(count, sum(len(data.events[ticket]) for ticket in wanted_tickets), f"{node.name}: events")


def check_digests(cluster):
    lines = cluster.hub.digests().splitlines()
    for hall in cluster.halls:
        equal(hall.digests().splitlines(), [line for line in lines if json.loads(line)["partition"] in hall.held | {"region"}],
              f"digests of {hall.name} and of the hub")


def replay(name, arguments):
    started = time.monotonic()
    data = DATASETS[name](arguments.share)
    print(f"{name}: {len(data.customers)} customers, {len(data.payments)} payments, {len(data.bills)} bills, {len(data.events)} tickets, "
          f"{sum(map(len, data.events.values()))} events; {data.skipped} rows are neither", flush=True)
    with Region(f"{name}: {arguments.share:.0%} of the data") as region:
        cluster = Cluster(region, data, arguments.halls)
        path = os.path.join(region.dir, "customers.csv")
        with open(path, "w") as out:
            csv.writer(out).writerows([("account", "name"), *data.customers.items()])
        cluster.hub.json("customer", "import", path, seconds=600)
        cluster.synced()
        run(cluster, data, arguments.phases)
        driven = time.monotonic() - started
        everything = set(cluster.groups)
        for node, districts in [(cluster.hub, everything)] + [(hall, hall.held) for hall in cluster.halls]:
            check_payments(node, data, districts)
        if data.payments:
            net = check_balances(cluster.hub, data, region.random)
            print(f"  all balances agree; {net / 100:,.2f} in sum", flush=True)
        if data.events:
            by_district = {step[3]["ticket_id"]: step[0] for step in data.steps if step[2] == ("ticket", "open")}
            for node, districts in [(cluster.hub, everything)] + [(hall, hall.held) for hall in cluster.halls]:
                check_events(node, data, [ticket for ticket in data.events if by_district[ticket] in districts])
        check_digests(cluster)
    print(f"{name}: all there, once; {driven:.0f} s driven, {time.monotonic() - started:.0f} s in all", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", nargs="*", choices=[*DATASETS, []])
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--halls", type=int, default=4)
    parser.add_argument("--phases", type=int, default=6)
    arguments = parser.parse_args()
    chosen = arguments.dataset or list(DATASETS)
    missing = [name for name in chosen if not os.path.exists(os.path.join(SHARED, "data", FILES[name]))]
    if missing:
        print(f"skipped: no data for {', '.join(missing)} in {SHARED}/data (HS_SHARED names another place)")
        sys.exit(77)
    for name in chosen:
        replay(name, arguments)


if __name__ == "__main__":
    main()
