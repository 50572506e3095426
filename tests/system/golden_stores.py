#!/usr/bin/env python3
"""The golden stores of each schema: opened by this program they are migrated, say what they said, can go back, and work on as a region.

Signed bytes are never rewritten; what the migration changed lies beside the log, as it was."""
import glob
import os
import re
import shutil
import subprocess

from golden import GOLDEN, lies, said, unpack, within
from peek import Peek, number
from region import Region, agree, check, equal, payment, until

SCHEMA = int(re.search(r"#define LOG_SCHEMA (\d+)", open(os.path.join(GOLDEN, "../../storage/log/inside.h")).read()).group(1))
KEPT = ("certificate", "origin", "fork", "loose", "base", "fill", "fill_head", "evict", "fold", "series", "enrolment")
TIDIED = ("op", "receipt")  # of which a witness lets go what two hubs have signed for, as soon as it runs for a second
BEGINNING = 105  # bytes of the row of a checkpoint that is one; the last of them says so


def rows_of(node):
    peek = Peek(node)
    return {name: dict(peek.table(name)) for name in (*KEPT, *TIDIED)}


def nothing_rewritten(was, now, what):
    """Rows of these tables are never others; some may go."""
    for name in KEPT:
        equal(now[name], was[name], f"{what}: the rows of {name}")
    for name in TIDIED:
        for key, row in now[name].items():
            before = was[name].get(key)
            check(before == row or (len(row) == BEGINNING and before == row[:-1]), f"{what}: a row of {name} is another: {key.hex()}")


def schema(node):
    return number(dict(Peek(node).table("meta"))[b"schema"])


def alone(node, expected):
    """Opened by itself it says what it said; and so it does when its records are made anew, and when it has gone back."""
    rows, old = rows_of(node), schema(node)
    before = f"{node.dir}/before-{SCHEMA}"
    for attempt in ("as it was", "records made anew", "gone back"):
        node.start()
        equal(within({key: expected[key] for key in said(node)}, said(node)), [], f"{node.name}, {attempt}: what it says")
        equal(node.status()["store_id"], expected["store_id"], "its store")
        verified = node.run("verify", "--full")
        equal(verified.status, 0, f"{node.name}, {attempt}, running: {verified.out}{verified.err}")
        node.stop()
        verified = node.run("verify", "--full")
        equal(verified.status, 0, f"{node.name}, {attempt}, stopped: {verified.out}{verified.err}")
        nothing_rewritten(rows, rows_of(node), f"{node.name}, {attempt}")
        equal(within(expected["rows"], lies(node)["rows"]), [], f"{node.name}, {attempt}: rows")
        equal(schema(node), SCHEMA, "the schema now")
        check("damaged" not in open(node.log).read(), f"{node.name}, {attempt}: damage")
        if old == SCHEMA:
            check(not os.path.exists(before), "nothing to migrate, and yet something was kept")
        elif attempt == "as it was":
            equal(sorted(os.listdir(before)), ["README", "meta"], "what was kept")
            check(f"from_format={old}" in open(node.log).read(), "the log says that it was migrated")
            shutil.rmtree(os.path.join(node.dir, "records"))
        elif attempt == "records made anew" and shutil.which("mdb_load"):
            for words in re.findall(r"^    (.*)$", open(f"{before}/README").read(), re.M):
                subprocess.run(words.split(), cwd=node.dir, check=True)
            equal(schema(node), old, "the schema after going back")
            shutil.rmtree(before)


def together(nodes, expected):
    """They meet as a region of this program's: nothing is lost, and work goes on."""
    hub, other, win = nodes["nj-hub"], nodes["nj-other"], nodes["nj-win3"]
    for node in (hub, other, win):
        os.truncate(node.log, 0)  # its port is looked for there
        if node is not hub:
            node.dials(hub)
        node.region.open(node)
    halls = [nodes[name] for name in ("nj-gulou", "nj-xuanwu", "nj-jianye")]
    for hall in halls:
        hall.dials((hub, "hub"), (win, "counter")) if hall.name == "nj-xuanwu" else hall.dials(hub)
        hall.start()
    for number_, hall in enumerate(halls):
        account = expected[hall.name]["payments"][0]["account"]
        hall.put_lines(["payment", "add"], [payment(account, 5000 + 10 * number_ + i) for i in range(3)])
    until("the fill has gone on", lambda: not nodes["nj-jianye"].status().get("fills"), 60)
    for node in (*halls, other, *halls):
        node.synced()
    until("all agree", lambda: agree(hub, other, *halls), 60)
    return hub


for archive in sorted(glob.glob(os.path.join(GOLDEN, "stores-*.tar.xz"))):
    with Region(f"golden stores: {os.path.basename(archive)}") as region:
        nodes, expected = unpack(region, archive, region.dir)
        for name, node in nodes.items():
            alone(node, expected[name])
        everything = {p["payment_id"] for node in expected.values() for p in node["payments"]}
        hub = together(nodes, expected)
        held = {p["payment_id"] for p in hub.json("payment", "list", "--limit", "100000").lines()}
        equal(sorted(everything - held), [], "payments that the hub has not got")
        equal(len(held - everything), 9, "payments that are new")
        print(f"{os.path.basename(archive)}: {len(nodes)} stores, {len(everything)} payments", flush=True)
