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
        words = re.search(r"^    (mdb_load .*)$", readme.read(), re.M).group(1).split()
    subprocess.run(words, cwd=node.dir, check=True)
    node.start()
    equal(node.digests(), said, f"{node.name}: what the older program says")
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
        check(agree(*everybody), "digests")


for old_hub in (False, True):
    region_of(old_hub)
a_decision_passes_older_nodes()
