#!/usr/bin/env python3
"""Hubs, halls and a witness of the version before and of this one work together, in either place, and then the old ones are upgraded where
they stand.

The programs of the version before are looked for in HS_BIN_BEFORE, else in build/before/bin: scripts/build-before makes them.
Without them the test is skipped; what older programs have written and said is tested by golden_stores.py and the recorded sessions."""
import os
import re
import shutil
import subprocess
import sys

from peek import Peek, number
from region import BIN, Region, agree, check, equal, payment, until, version
from witness import Clients, Witness

HERE = os.path.dirname(os.path.abspath(__file__))
BEFORE = os.environ.get("HS_BIN_BEFORE") or os.path.join(HERE, "..", "..", "build", "before", "bin")
SCHEMA = int(re.search(r"#define LOG_SCHEMA (\d+)", open(os.path.join(HERE, "../../storage/log/inside.h")).read()).group(1))
QUICK = {"heartbeat_ms": 300, "backoff_max_ms": 300}

if not os.path.exists(os.path.join(BEFORE, "hallsyncd")):
    print("mixed_versions.py: skipped: no programs of the version before (scripts/build-before)")
    sys.exit(77)


def work(region, witness, hub, halls, accounts):
    """A day: both ways, over districts, with a hall cut off."""
    clients = [Clients(witness, hall, accounts[hall.district], 2, pause=0.02).start() for hall in halls]
    for one in clients:
        one.more(10)
    hub.json("customer", "put", f"account={accounts['3201'][0]}", "remark=from the hub")
    cut = region.random.choice(halls)
    cut.relay.cut()
    for one in clients:
        one.more(10)
    cut.relay.heal()
    for one in clients:
        one.more(10)
        one.stop()
    for hall in halls:  # another district's account is asked for at the hub
        other = accounts["3202" if hall.district == "3201" else "3201"][1]
        witness.pay(hall, payment(other, next(witness.numbers)))
        hall.json("ticket", "open", f"ticket_id=t-{hall.name}-{next(witness.numbers)}", "service=reconnection",
                  f"account={accounts[hall.district][1]}", "summary=复电")
    for hall in (*halls, *halls):
        hall.synced()


def schema(node):
    return number(dict(Peek(node).table("meta"))[b"schema"])


def goes_back(node):
    """The older program refuses the store that the newer one has migrated, and opens it again once that was taken back as its README says."""
    said = node.digests()
    node.stop()
    node.bin = BEFORE
    node.start(ready=False)
    equal(node.process.wait(60), 1, f"{node.name}: how the older program ends")
    node.process = None
    check("newer-schema" in node.tail(), f"why it ended: {node.tail()}")
    with open(os.path.join(node.dir, f"before-{SCHEMA}", "README")) as readme:
        commands = re.findall(r"^    (.*)$", readme.read(), re.M)
    equal([words.split()[0] for words in commands], ["mdb_load", "rm"], "what is to be done")
    for words in commands:
        subprocess.run(words.split(), cwd=node.dir, check=True)
    node.start()
    equal(node.digests().replace("kind-26", "audit"), said, f"{node.name}: what the older program says")  # a kind that it has no name for
    node.synced()
    node.stop()
    node.bin = BIN
    node.start()
    equal(schema(node), SCHEMA, f"{node.name}: the schema, upgraded once more")
    node.synced()


def no_session_ended_for(node, reasons):
    for line in open(node.log, errors="replace"):
        check("event=session-ended" not in line or not any(f"reason={reason} " in line for reason in reasons), f"{node.name}: {line}")


def region_of(old_hub):
    """A region whose hub is of one version, and in which each other role is there in both."""
    with Region(f"versions mixed: the hub is {'the older' if old_hub else 'the newer'} one") as region:
        witness = Witness(region)
        with version(BEFORE if old_hub else BIN):
            hub = region.hub("nj-hub", **QUICK)
        with version(BIN if old_hub else BEFORE):
            twin = region.further_hub("nj-twin", hub, **QUICK)
            win = region.witness("nj-win", hub, ["3201"], **QUICK)
        rows = {district: region.customers(hub, 150, (district,), edition=number_) for number_, district in enumerate(("3201", "3202"))}
        halls = []
        for name, district, programs in (("old-1", "3201", BEFORE), ("new-1", "3201", BIN), ("old-2", "3202", BEFORE), ("new-2", "3202", BIN)):
            with version(programs):
                hall = region.hall(name, hub, [district], relay=True, **QUICK)
            hall.district = district
            halls.append(hall)
        halls[1].stop()  # one that has hub and witness
        port = halls[1].relay.port
        halls[1].dials((hub, "hub"), (win, "counter"))
        halls[1].rewrite_conf(lambda text: text.replace(f"tcp://127.0.0.1:{hub.port}", f"tcp://127.0.0.1:{port}"))
        halls[1].start()
        for hall in halls:
            until(f"{hall.name} is filled", lambda: not hall.status().get("fills"), 60)
        work(region, witness, hub, halls, rows)
        until("all agree", lambda: agree(hub, twin, *halls), 60)
        everybody = [hub, twin, win, *halls]
        for node in everybody:
            no_session_ended_for(node, ("malformed", "version", "bad-signature", "credit"))

        # The older ones are upgraded, one after the other, while the others work.
        for node in [node for node in everybody if node.bin == BEFORE]:
            node.stop()
            equal(schema(node), SCHEMA - 1, f"{node.name}: the schema before")
            node.bin = BIN
            node.start()
            equal(schema(node), SCHEMA, f"{node.name}: the schema now")
        if shutil.which("mdb_load"):
            goes_back(halls[0])
        work(region, witness, hub, halls, rows)
        until("all agree", lambda: agree(hub, twin, *halls), 60)
        for node in everybody:
            no_session_ended_for(node, ("malformed", "version", "bad-signature", "credit"))
        witness.verify(hub, twin, *halls)


def a_decision_passes_older_nodes():
    """What is decided about a parked payment is kept and handed on by a node that does not know of decisions; it counts there from the upgrade on."""
    with Region("versions mixed: a decision about a parked payment") as region:
        hub = region.hub("nj-hub", **QUICK)
        accounts = region.customers(hub, 10, ("3201",))
        with version(BEFORE):
            old = region.hall("old-1", hub, ["3201"], **QUICK)
        new = region.hall("new-1", hub, ["3201"], **QUICK)
        new.stop()
        subprocess.run([os.path.join(BIN, "hallsync-strange"), new.conf, "beads-1", accounts[0], "5000", "beads", "3"], check=True)
        new.start()
        new.synced()
        old.synced()
        everybody = (hub, old, new)
        equal([node.status()["parked"] for node in everybody], [1, 1, 1], "parked everywhere")
        hub.json("conflict", "release", "parked:beads-1", "--reason", "the slip was seen", "--name", "Zhao")
        said = lambda node: sorted((row["partition"], row["count"], row["digest"]) for row in node.json("digest").lines())
        until("all have the same", lambda: said(hub) == said(old) == said(new), 60)
        sums = lambda: [(node.status()["parked"], node.totals()["count"], node.totals()["sum_fen"]) for node in everybody]
        equal(sums(), [(0, 1, 5000), (1, 0, 0), (0, 1, 5000)], "parked, payments and their sum")
        old.stop()
        old.bin = BIN
        old.start()
        equal(sums(), [(0, 1, 5000)] * 3, "parked, payments and their sum, upgraded")
        told = lambda node: [(entry["action"], entry.get("record_id", entry.get("node_id")), entry["node"]) for entry in node.json("audit").lines()]
        equal(told(old), told(hub), "the audit trail, upgraded")
        check(("release", "beads-1", hub.name) in told(old), f"who has decided it: {told(old)}")
        check(agree(*everybody), "digests")


def a_day_of_new_records(new, accounts):
    """Kinds and fields that the version before does not know.  Answers how much of the money an older node cannot read yet."""
    one, other = accounts[:2]
    for bill, fen in (("N-1", 4000), ("N-2", 3000)):
        new.json("bill", "put", f"bill_id={bill}", f"account={one}", "period=2026-11", f"amount_fen={fen}", "due_date=2099-01-01", "late_fees=2099-01-02:100")
    new.json("window", "open", "1", "clerk=王芳", "float_fen=1000")
    new.json("payment", "add", "payment_id=n-parts", f"account={one}", "amount_fen=7500", "parts=N-1:4000;N-2:3000", "method=cash", "tendered_fen=8000",
             "change_fen=500", "window=1", "clerk=王芳")
    new.json("payment", "add", "payment_id=n-topup", f"account={other}", "amount_fen=5000", "purpose=topup", "card_no=E-1", "card_counter=1", "window=1", "clerk=王芳")
    new.json("payment", "add", "payment_id=n-slip", f"account={other}", "amount_fen=2500", "method=bank_slip", "slip_no=S-7", "bank=ICBC", "window=1", "clerk=王芳")
    new.json("payment", "add", "payment_id=n-cheque", f"account={other}", "amount_fen=900", "method=cheque", "slip_no=C-1", "window=1", "clerk=王芳")
    new.json("payment", "reverse", "n-cheque", "reason=bounced", "type=bounced", "window=1", "clerk=王芳", "second=李强")
    new.json("window", "close", "1", "clerk=王芳", "counted_fen=13500")
    new.json("day", "close", "clerk=李强")
    new.json("queue", "take", "A", "priority=elderly")
    new.json("queue", "call", "2", "clerk=李强")
    new.json("slot", "put", "slot_id=S-1", f"hall={new.name}", "date=2099-01-05", "begins=09:30", "capacity=1")
    new.json("appointment", "book", "S-1", "appointment_id=a-1", "name=周")
    new.json("rating", "add", "of_kind=payment", "of_id=n-parts", "score=5", "clerk=王芳")
    new.json("customer", "put", f"account={one}", "meter_no=M-1", "email=zhou@example.org")
    new.json("customer", "transfer", other, "change_id=t-1", "name=王", "clerk=07")
    return {"count": 1, "fen": 2500}  # the bank slip: the older version knows no such method, and parks it


def a_day_of_new_records_is_there(node, old, accounts):
    """All of it, to the fen, and what an older hall has written since beside it."""
    one, other = accounts[:2]
    equal([node.json("bill", "get", bill).object()["state"] for bill in ("N-1", "N-2")], ["paid", "paid"], f"{node.name}: the bills")
    slip = node.json("payment", "get", "n-slip").object()
    equal((slip["amount_fen"], slip["method"], slip["slip_no"], slip["bank"]), (2500, "bank_slip", "S-7", "ICBC"), f"{node.name}: the slip")
    customer = node.json("customer", "get", one).object()
    equal((customer["meter_no"], customer["email"], customer["remark"]), ("M-1", "zhou@example.org", f"from {old.name}"), f"{node.name}: the customer")
    equal(node.json("customer", "get", other).object()["name"], "王", f"{node.name}: the title holder")
    equal(node.json("slot", "get", "S-1").object()["booked"], 1, f"{node.name}: seats")
    equal([row["number"] for row in node.json("queue", "list", "--state", "called").lines()], ["A001"], f"{node.name}: the queue")
    equal(node.json("rating", "list", "of_id=n-parts").lines()[0]["score"], 5, f"{node.name}: the rating")


def new_records_pass_older_nodes(old_hub):
    """What only this version knows is kept and handed on by older halls and by an older hub.  No money is lost or altered: what an older node cannot read
    is parked there, whole, and comes out when it is upgraded."""
    with Region(f"versions mixed: new records, {'an older' if old_hub else 'a newer'} hub") as region:
        with version(BEFORE if old_hub else BIN):
            hub = region.hub("nj-hub", **QUICK)
        accounts = region.customers(hub, 10, ("3201",))
        with version(BEFORE):
            old = region.hall("old-1", hub, ["3201"], **QUICK)
        new, far = [region.hall(name, hub, ["3201"], **QUICK) for name in ("new-1", "new-2")]
        everybody = (hub, old, new, far)
        for hall in everybody[1:]:
            until(f"{hall.name} is filled", lambda: not hall.status().get("fills"), 60)
        parked = a_day_of_new_records(new, accounts)
        new.synced()
        old.synced()
        old.json("customer", "put", f"account={accounts[0]}", f"remark=from {old.name}")
        old.json("payment", "add", "payment_id=o-1", f"account={accounts[0]}", "amount_fen=100", "method=cash", "window=1", "clerk=c01")
        old.synced()
        said = lambda node: sorted((row["partition"], row["count"], row["digest"]) for row in node.json("digest").lines())
        until("all have the same", lambda: len({str(said(node)) for node in everybody}) == 1, 60)
        whole = {"count": 4, "fen": 7500 + 5000 + 2500 + 100}
        for node in everybody:
            less = parked if node.bin == BEFORE else {"count": 0, "fen": 0}
            sums = node.totals()
            equal(node.status()["parked"], less["count"], f"{node.name}: parked")
            equal((sums["count"] - sums["reversed_count"], sums["sum_fen"] - sums["reversed_fen"]), (whole["count"] - less["count"], whole["fen"] - less["fen"]),
                  f"{node.name}: payments and their sum")
        for node in everybody:
            if node.bin == BEFORE:
                node.stop()
                node.bin = BIN
                node.start()
        until("all agree", lambda: agree(*everybody), 60)
        for node in everybody:
            sums = node.totals()
            equal((node.status()["parked"], sums["count"] - sums["reversed_count"], sums["sum_fen"] - sums["reversed_fen"]), (0, *whole.values()),
                  f"{node.name}: parked, payments and their sum, upgraded")
            a_day_of_new_records_is_there(node, old, accounts)
            until(f"{node.name}: the books", lambda: [line["books"] for line in node.json("books").lines() if line["hall"] == new.name] == ["agrees"], 60)
            equal(node.run("verify", "--full").status, 0, f"{node.name}: verify")
            no_session_ended_for(node, ("malformed", "version", "bad-signature", "credit"))


for old_hub in (False, True):
    region_of(old_hub)
a_decision_passes_older_nodes()
for old_hub in (False, True):
    new_records_pass_older_nodes(old_hub)
