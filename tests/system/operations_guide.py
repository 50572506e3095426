#!/usr/bin/env python3
"""docs/operations.md does what it says: for each symptom the test brings it about, runs the commands that stand there, answers "yes"
to those that ask, and looks whether it worked."""
import glob
import os
import pty
import re
import shutil
import subprocess
from collections import Counter

from ops import Ops
from peek import Peek, Table, overwrite
from region import SLOW, Region, check, equal, payment, until
from page import blocks

GUIDE = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "operations.md")
DATA = "/var/lib/hallsync"
MONEY = 2
QUICK = {"heartbeat_ms": 300, "backoff_max_ms": 300}


def sections():
    """heading -> its blocks, in their order"""
    with open(GUIDE, encoding="utf-8") as file:
        parts = re.split(r"^## (.*)$", file.read(), flags=re.M)
    found = {heading: list(blocks(text)) for heading, text in zip(parts[1::2], parts[2::2])}
    del found["The console"]  # admin.py runs it
    return found


with Region("docs/operations.md does what it says") as region:
    ops = Ops(region)
    hub = region.hub("hub", start=False, admit_after_ms=2000, **QUICK)
    region.open(hub)
    nodes = {"hub": ops.unit(hub)}
    for name, district in (("nj-gulou", "3201"), ("nj-xuanwu", "3202")):
        nodes[name] = ops.unit(region.hall(name, hub, [district], **QUICK))
    gulou, xuanwu = nodes["nj-gulou"], nodes["nj-xuanwu"]
    places = {place: os.path.join(region.dir, place.strip("/").replace("/", "-")) for place in ("/media/safe", "/media/move", "/media/stick", "/mnt/backup")}
    for place in places.values():
        os.mkdir(place)
    accounts = region.customers(hub, 60, ("3201", "3202"))
    for hall in (gulou, xuanwu):
        hall.synced()
    numbers = iter(range(1, 1 << 20))
    paid = {}  # what each hall acknowledged, and must never be gone

    def pay(hall, count=5, **more):
        """The last one's receipt."""
        district = hall.status()["districts"][0]
        own = [account for account in accounts if account.startswith(district)]
        for _ in range(count):
            record = payment(own[0], next(numbers), **more)
            answer, = hall.put_lines(["payment", "add"], [record])
            paid[record["payment_id"]] = record["amount_fen"]
        return answer["receipt"]

    def settled():
        for hall in (gulou, xuanwu):
            hall.synced()
        held = {record["payment_id"]: record["amount_fen"] for record in hub.json("payment", "list", "--limit", "100000").lines()}
        equal(held, paid, "payments at the hub")

    def local(text, owner):
        text = text.replace(DATA, nodes[owner].dir)
        for place, here in places.items():
            text = text.replace(place, here)
        newest = lambda match: sorted(glob.glob(f"{match.group(1)}-????????-*.backup"))[-1]
        return re.sub(r"(\S+)-\d{8}-\d{6}-[0-9a-f]{8}\.backup", newest, text)

    def run(owner, command):
        node = nodes[owner]
        unit = re.fullmatch(r"systemctl (\w+) hallsync", command)
        if unit:
            ops.systemctl(unit.group(1), node)
            return ""
        words = local(command, owner)
        question, answer = pty.openpty()  # whoever asks is answered
        os.write(question, b"yes\n")
        env = {**ops.env, "HALLSYNC_CONFIG": node.conf, "HALLSYNC_SERVICE": node.name}
        done = subprocess.run(["bash", "-c", words], cwd=region.dir, stdin=answer, capture_output=True, text=True, env=env, timeout=300 * SLOW)
        os.close(question)
        os.close(answer)
        check(done.returncode == 0, f"{owner}$ {command}: {done.returncode}: {done.stdout[-3000:]} {done.stderr[-1000:]}")
        ops.adopt(node)
        return done.stdout

    def configure(owner, text):
        with open(os.path.join(places["/media/safe"], "recovery.pub")) as file:
            text = local(text.replace("<recovery key>", file.read().strip()), owner).replace("-backup\"", f"-backup-{owner}\"")
        nodes[owner].rewrite_conf(lambda before: f"{before}\n{text}")

    # ---- what is seen first, by section ----

    def burnt(node):
        node.kill()
        shutil.rmtree(node.dir)

    def before_hall():
        pay(gulou)
        gulou.synced()  # behind the backup, and handed in
        burnt(gulou)

    def before_hub():
        pay(gulou)
        pay(xuanwu)
        settled()
        burnt(hub)
        pay(gulou)  # halls go on

    def before_stick():
        gulou.stop()
        gulou.dials()
        ops.systemctl("start", gulou)
        pay(gulou)

    def after_stick():
        equal(hub.totals()["count"], len(paid), "payments at the hub")
        equal(gulou.json("payment", "get", list(paid)[-1]).object()["safe"], "hub", "the level of the last one")
        gulou.stop()
        gulou.dials(hub)
        ops.systemctl("start", gulou)
        settled()

    def copied(node):
        copy = f"{node.dir}.older"
        node.stop()
        shutil.copytree(node.dir, copy, ignore=shutil.ignore_patterns("hallsync.sock"))
        ops.systemctl("start", node)
        return copy

    def set_back(node, copy):
        """The node is stopped."""
        for part in ("log", "records"):
            shutil.rmtree(os.path.join(node.dir, part))
            shutil.copytree(os.path.join(copy, part), os.path.join(node.dir, part))
        ops.systemctl("start", node)

    def before_copy():
        copy = copied(xuanwu)
        pay(xuanwu)
        xuanwu.synced()
        xuanwu.stop()
        set_back(xuanwu, copy)
        until("it notices", lambda: "OLDER COPY" in xuanwu.run("status").out, 30)

    def before_room():
        gulou.stop()
        free = os.statvfs(region.dir).f_bavail * os.statvfs(region.dir).f_frsize >> 20
        gulou.settings("limits", disk_reserve_mib=min(free, 1 << 20))
        ops.systemctl("start", gulou)
        until("it is seen", lambda: "ROOM" in gulou.run("status").out, 30)

    def after_room():
        gulou.stop()
        gulou.rewrite_conf(lambda text: re.sub(r"\nlimits:\n.*\n", "\n", text))
        ops.systemctl("start", gulou)
        check("ROOM" not in gulou.run("status").out, "there is room again")

    witness = region.witness("nj-xuanwu-pc", hub, ["3202"], **QUICK)

    def before_stolen():
        """Its last payments are at its witness, and at no hub; the witness is off for now."""
        settled()
        xuanwu.stop()
        xuanwu.dials(hub, (witness, "witness"))
        hub.stop()
        ops.systemctl("start", xuanwu)
        pay(xuanwu, 3)
        last = list(paid)[-1]
        until("the witness has them", lambda: witness.name in xuanwu.json("payment", "get", last).object().get("held_by", []), 30)
        witness.stop()
        xuanwu.stop()
        ops.systemctl("start", hub)

    def found():
        witness.start()
        until("what waits is named", lambda: any(row["node_id"] == "nj-xuanwu" for row in hub.status().get("withheld", [])), 30)

    def after_stolen():
        until("what was released is at the hub", lambda: hub.totals()["count"] == len(paid), 30)
        ops.systemctl("start", xuanwu)
        until("the hall is refused", lambda: "revoked" in xuanwu.run("status").out, 30)

    def before_parked():
        """A newer version's payments: one that is right, and one of nothing."""
        ops.strange(gulou, "W3-20261121-0042", accounts[0], 4200, "beads", 3)
        ops.strange(gulou, "W3-20261121-0043", accounts[0], 0, "cash", 3)
        gulou.synced()
        until("they are parked", lambda: hub.status()["parked"] == 2, 30)
        before_parked.count = hub.totals()["count"]

    def after_parked():
        equal((hub.totals()["count"], hub.status()["parked"]), (before_parked.count + 2, 0), "payments and parked ones at the hub")

    def books():
        return {line["hall"]: line for line in hub.json("books", "--date", places["2026-11-21"]).lines()}["nj-gulou"]

    def before_books():
        """A hall that was set back, off line, closes its day without a payment that the hub has."""
        copy = copied(gulou)
        receipt = pay(gulou, 1, window=3, amount=4200)
        day = places["2026-11-21"] = re.sub(r"nj-gulou-(\d{4})(\d\d)(\d\d)-.*", r"\1-\2-\3", receipt)
        gulou.synced()
        gulou.stop()
        gulou.dials()
        set_back(gulou, copy)
        cash = Counter()
        for entry in gulou.json("cash-entry", "list", "--limit", "100000").lines():
            window = re.fullmatch(rf"nj-gulou-{day.replace('-', '')}-(\d\d)-.*", entry["number"])
            if window:
                cash[int(window.group(1))] += entry["amount_fen"] if entry["method"] == "cash" else 0
        for window, fen in cash.items():
            gulou.json("window", "close", str(window), "clerk=07", f"counted_fen={fen}", f"date={day}")
        gulou.json("day", "close", "clerk=07", f"date={day}")
        gulou.stop()
        gulou.dials(hub)
        ops.systemctl("start", gulou)
        until("the hub has what came back", lambda: (books()["books"], books()["later_fen"]) == ("open", 4200), 30)

    def after_books():
        until("the hub agrees", lambda: (books()["books"], books()["later_fen"], books()["difference_fen"]) == ("agrees", 0, 0), 30)

    def before_stopped():
        """The hub's disk has changed a payment, and the hall that has it is off."""
        gulou.stop()
        hub.stop()
        peek = Peek(hub)
        of = peek.nodes()
        key, row = next((key, row) for key, row in peek.table("op")
                        if key[10] == MONEY and key[-1] == 0 and of[int.from_bytes(key[2:10], "big")] == "nj-gulou")
        overwrite(peek.log, "op", key, row[:-1] + bytes([row[-1] ^ 1]))
        ops.systemctl("start", hub)
        equal(hub.run("verify", seconds=120).status, 5, "verify at the hub")
        until("it is listed", lambda: "have rotted on this disk" in hub.run("conflict", "list", "--type", "stopped").out, 30)

    def connected():
        ops.systemctl("start", gulou)
        until("the hall has given it back", lambda: not hub.json("conflict", "list", "--type", "stopped").lines(), 60)

    def before_rot():
        gulou.synced()
        gulou.stop()
        with Table(Peek(gulou).state, "state") as table:
            key, row = region.random.choice(list(table.rows()))
        overwrite(os.path.join(gulou.dir, "records"), "state", key, row[:-1] + bytes([row[-1] ^ 1]))
        ops.systemctl("start", gulou)

    def after_rot():
        check(glob.glob(os.path.join(gulou.dir, "replaced", "*-rotten.jsonl")), "what was replaced is kept")
        gulou.synced()

    def all_well():
        settled()

    def moved():
        settled()
        check(os.path.isdir(os.path.join(hub.dir, "replaced")), "what was there is kept")

    def support():
        equal(len(glob.glob(os.path.join(places["/media/safe"], "hallsync-support-nj-gulou-*.tar.gz"))), 1, "files to send")

    nothing = lambda: None
    staged = {
        "Before anything happens": (lambda: (pay(gulou), pay(xuanwu), settled()), all_well),
        "Is everything all right?": (nothing, all_well),
        "Why is a hall behind?": (all_well, nothing),
        "A hall's disk is gone": (before_hall, all_well),
        "A hall's disk is gone, and no backup": (before_hall, all_well),
        "The hub is gone": (before_hub, all_well),
        "The hub moves": (lambda: pay(gulou), moved),
        "A hall has no line": (before_stick, after_stick),
        "An older copy came back": (before_copy, all_well),
        "The disk fills up": (before_room, after_room),
        "A machine was stolen": (before_stolen, after_stolen),
        "Records wait for a decision": (before_parked, after_parked),
        "The books of a hall do not agree": (before_books, after_books),
        "A stream does not go on": (before_stopped, gulou.synced),
        "Data may be damaged": (nothing, nothing),
        "Something has rotted": (before_rot, after_rot),
        "A drill": (nothing, nothing),
        "Help from afar": (nothing, support),
    }
    listings = iter((nothing, connected))
    # What happens between two commands of a section.
    first = {"hallsync node release": found, "hallsync conflict list --type stopped": lambda: next(listings)()}
    taken = 0
    for heading, parts in sections().items():
        check(heading in staged or not parts, f"'{heading}' has commands, and nothing brings about what is seen there")
        before, after = staged.get(heading, (nothing, nothing))
        before()
        for kind, owners, text in parts:
            for owner in owners if kind == "yaml" else []:
                configure(owner, text)
            for line in text.splitlines() if kind == "sh" else []:
                owner, command = re.fullmatch(r"([a-z0-9-]+)\$ (.*)", line).groups()
                for beginning, happens in first.items():
                    if command.startswith(beginning):
                        happens()
                run(owner, command)
                taken += 1
        after()
        print(f"{heading}: done", flush=True)
    equal(sorted(set(staged) - set(sections())), [], "sections that are gone")
    check(taken > 25, f"{taken} commands")
