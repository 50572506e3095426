#!/usr/bin/env python3
"""Nothing is behind without a named cause: each cause of hallsync why is made to happen with real daemons, and told, with its evidence and
the next step, at the hall or at the hub."""
import ctypes
import glob
import os
import re
import shutil
import socket
import subprocess
import sys

import network
from disks import Disk
from peek import LMDB, Peek, miswrite, overwrite
from region import SLOW, Failed, Region, check, equal, payment, tool, until
from snapshot import Snapshot

QUICK = {"heartbeat_ms": 300, "backoff_max_ms": 300}
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "node", "status", "why.h")
FAKETIME = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
FAKE = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "FAKETIME_FORCE_MONOTONIC_FIX": "0"}
MONEY = 2
ALL_OF_IT = 1 << 20  # MiB: no disk has so much

TABLE = re.search(r"#define HS_CAUSES\(X\)(.*?)\n\nenum", open(SOURCE, encoding="utf-8").read(), re.S).group(1)
CAUSES = re.findall(r'X\(\w+, "([a-z-]+)", ([A-Z]+)', TABLE)
seen = set()


def why(node, *of):
    """What it says of the one that is asked for, and the exit status; 3: nobody has answered, as while a node opens its store anew."""
    answer = node.run("why", *of, "--json")
    check(answer.status in (0, 1, 3), f"{node.name}: why {of}: {answer.status} {answer.out} {answer.err}")
    rows = answer.lines() if answer.status != 3 else []
    return (rows[0] if rows else {"code": None, "behind": False}), answer.status


def told(cause, node, *of, evidence=(), seconds=30):
    """It comes to say so; what is told with it."""
    said = []

    def says():
        said[:] = why(node, *of)
        names = [item["name"] for item in said[0].get("evidence", [])]
        return said[0]["code"] == cause and all(name in names for name in evidence)

    try:
        until(f"{node.name}: why {of} says {cause}, with {evidence}", says, seconds, pause=0.1)
    except Failed as error:
        raise Failed(f"{error}: it says {said[0]} of {node.status()['peers']}") from error
    row, status = said
    sort = dict(CAUSES)[cause]
    equal((row["behind"], status), (sort != "WELL", int(sort != "WELL")), f"{cause}: is it behind")
    for item in row["evidence"]:
        check(item["en"] and item["zh"] and "{" not in item["en"] + item["zh"], f"{cause}: {item}")
    check(row["next"]["command"].startswith("hallsync ") and "{" not in row["next"]["command"], f"{cause}: {row['next']}")
    if cause not in seen:
        print(f"{cause}: {'; '.join(item['en'] for item in row['evidence'])}", flush=True)
    seen.add(cause)
    return row


def dials(hall, address, key, *more):
    """From its next start on only this."""
    rows = "".join(f"    {line}\n" for line in (f'key: "{key}"', *more))
    block = re.compile(r"^upstreams:\n(?:[ #-].*\n)*", re.M)
    hall.rewrite_conf(lambda text: block.sub("", text) + f'\nupstreams:\n  - address: "{address}"\n{rows}')


def pays(node, accounts, first, count):
    for answer in node.put_lines(["payment", "add"], [payment(accounts[n % len(accounts)], n) for n in range(first, first + count)]):
        equal(answer.get("result"), "created", f"a payment: {answer}")


def unsettled(hall, hub):
    """A hall that nobody lets in, or that finds nobody: one after the other."""
    address, key = f"tcp://127.0.0.1:{hub.port}", hub.curve_key()

    def with_upstream(cause, address, key, *more, evidence=("since", "error")):
        dials(hall, address, key, *more)
        hall.start()
        row = told(cause, hall, evidence=evidence)
        hall.stop()
        return row

    hall.dials()
    hall.start()
    told("no-upstream", hall)
    hall.stop()
    with_upstream("own", address, hall.curve_key())
    dials(hall, address, "11" * 32)
    hall.start()
    row = told("refused-key", hall, evidence=("error", "address"))
    check("another key" in row["evidence"][1]["text"], row)
    told("away", hub, hall.name, evidence=("not-seen", "stranger"))
    hall.stop()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        row = with_upstream("link-down", f"tcp://127.0.0.1:{closed.getsockname()[1]}", key, evidence=("since", "error", "address"))
        check("cannot connect" in row["evidence"][1]["text"], row)
    return with_upstream


def odd(hub, hall, with_upstream):
    """Somebody with the keys of a hub, who is none."""
    for manner, cause in (("version", "refused-version"), ("garbage", "protocol"), ("mute", "connecting")):
        process = subprocess.Popen([tool("hallsync-odd"), hub.conf, manner], stdout=subprocess.PIPE, text=True)
        port = int(process.stdout.readline())
        if manner == "mute":
            hall.rewrite_conf(lambda text: text.replace("heartbeat_ms: 300", "heartbeat_ms: 10000", 1))
        with_upstream(cause, f"tcp://127.0.0.1:{port}", hub.curve_key(),
                      evidence={"refused-version": ("error", "version"), "protocol": ("error",)}.get(cause, ()))
        if manner == "mute":
            hall.rewrite_conf(lambda text: text.replace("heartbeat_ms: 10000", "heartbeat_ms: 300", 1))
            hall.start()
            row = told("link-down", hall, evidence=("since", "error", "address"))
            check("nothing heard" in row["evidence"][1]["text"], row)
            codes = {why(hall)[0]["code"] for _ in range(40)}
            equal(codes, {"link-down"}, "and while it greets the next time, too")
            hall.stop()
        process.terminate()
        process.wait()
        process.stdout.close()


def clocks(region, hub):
    """Under sanitizers there is no other clock to be had: the rule has its unit test."""
    if not FAKETIME or SLOW != 1:
        seen.add("clock")
        return
    hall = region.hall("nj-clock", hub, ["3201"], start=False, **QUICK)
    hall.env = {**FAKE, "LD_PRELOAD": FAKETIME[0], "FAKETIME": "-2h"}
    hall.start()
    told("clock", hall, evidence=("ahead",))
    told("clock", hub, hall.name, evidence=("slow",))
    hall.stop()


def hubs(region, hub, with_upstream, hall):
    """A second hub: made anew on a narrow line, one of a group, one that has dialled back, one with other districts."""
    second = region.further_hub("nj-second", hub, start=False, **QUICK)
    narrow = "bytes_per_second: 3000"
    second.rewrite_conf(lambda text: re.sub(r"( *)- address: (.*)\n", rf"\1- address: \2\n\1  {narrow}\n", text))
    region.open(second)
    told("rebuilding", second, evidence=("rebuilt",))
    told("limited", hub, "nj-second", evidence=("rate", "lag-out"))
    second.stop()
    second.rewrite_conf(lambda text: text.replace(narrow, "bytes_per_second: 0"))
    second.start()
    told("not-behind", second, second.name, seconds=60)

    hall.dials(hub, second)
    hall.start()
    told("standby", hall, f"tcp://127.0.0.1:{second.port}")
    told("not-behind", hall)
    hall.stop()

    hub.stop()
    hub.dials(second)
    hub.start()
    until("the two have met", lambda: any(peer["state"] == "twin" for node in (hub, second) for peer in node.status()["peers"]), 30)
    node, other = (hub, second) if any(peer["state"] == "twin" for peer in hub.status()["peers"]) else (second, hub)
    told("twin", node, f"tcp://127.0.0.1:{other.port}")
    hub.stop()
    hub.dials()
    hub.start()

    second.stop()
    second.scope(["3209"])
    second.start()
    with_upstream("scope", f"tcp://127.0.0.1:{second.port}", second.curve_key())
    second.stop()


def lines(region, hub, accounts):
    """A new hall on a long line, then what it hands in on that, and on one with a limit."""
    hall = region.hall("nj-far", hub, ["3201"], start=False, relay=["-d", "120"], **{**QUICK, "heartbeat_ms": 10000})
    hall.start()
    told("transfer", hall, evidence=("states-in",))
    until("it has come", lambda: why(hall)[0]["code"] == "not-behind", 60)
    hall.relay.cut()  # which the hall does not find out soon
    pays(hall, accounts, 100000, 1100)
    told("backlog", hall, evidence=("lag-out",))
    hall.relay.heal()
    hall.synced()
    copy = os.path.join(region.dir, "copy")
    hall.stop()
    shutil.copytree(hall.dir, copy, ignore=shutil.ignore_patterns("hallsync.sock"))
    hall.start()
    pays(hall, accounts, 200000, 1100)
    hall.synced()
    hall.stop()
    shutil.rmtree(hall.dir)
    shutil.copytree(copy, hall.dir)
    hall.start()
    told("older-copy", hall, evidence=("older",))
    hall.synced()
    hall.stop()

    hall.rewrite_conf(lambda text: re.sub(r"( *)- address: (.*)\n", r"\1- address: \2\n\1  bytes_per_second: 2000\n", text))
    hall.start()
    pays(hall, accounts, 300000, 1100)
    row = told("limited", hall, evidence=("rate", "lag-out"))
    equal(row["evidence"][0]["numbers"][0], 2000, "the limit")
    hall.stop()


class Lock:
    """The hub's store stands still: somebody else has its log's write lock."""

    def __init__(self, node):
        self.env, self.txn = ctypes.c_void_p(), ctypes.c_void_p()
        LMDB.mdb_env_create(ctypes.byref(self.env))
        LMDB.mdb_env_set_maxdbs(self.env, 64)
        opened = LMDB.mdb_env_open(self.env, os.path.join(node.dir, "log").encode(), 0, 0o600)
        check(opened == 0 and LMDB.mdb_txn_begin(self.env, None, 0, ctypes.byref(self.txn)) == 0, f"the lock: {opened}")

    def release(self):
        LMDB.mdb_txn_abort(self.txn)
        LMDB.mdb_env_close(self.env)


def on_disk(region, hub, name, mib):
    """A hall on a disk of its own, smaller than a store's map or larger: the machine's own may be either."""
    disk = Disk(region, name + "-disk", mib=mib)
    hall = region.hall(name, hub, ["3201"], start=False, **QUICK)
    moved = os.path.join(disk.dir, "data")
    shutil.copytree(hall.dir, moved)
    hall.rewrite_conf(lambda text: text.replace(hall.dir, moved))
    hall.dir = moved
    hall.start()
    return hall


def stores(region, hub, hall, accounts):
    """A hub whose store stands still; a hall without room on its disk, one without room in its map; records that differ."""
    lock = Lock(hub)
    pays(hall, accounts, 400000, 3)
    told("hub-busy", hall, evidence=("credit",))
    lock.release()
    told("not-behind", hall)

    tight, roomy = on_disk(region, hub, "nj-tight", 1 << 12), on_disk(region, hub, "nj-roomy", 1 << 21)
    told("not-behind", tight, seconds=60)
    told("not-behind", roomy, seconds=60)
    for node in (tight, roomy):
        node.stop()
        node.settings("limits", disk_reserve_mib=ALL_OF_IT)
        node.start()
        until("there is a session", lambda node=node: hub.name in node.live())
    until("the hub has heard of it", lambda: all(hub.live().get(node.name, {}).get("held") for node in (tight, roomy)))
    region.customers(hub, 200, edition=7)
    told("disk", tight, evidence=("disk-here",))
    told("disk", hub, tight.name, evidence=("disk-there",))
    told("map-full", roomy, evidence=("map-here",))
    tight.stop()
    roomy.stop()
    hall.synced()

    phone = hall.json("customer", "get", accounts[3]).object()["phone"]
    hall.stop()
    miswrite(Peek(hall).state, phone.encode(), (phone[:-1] + chr(ord(phone[-1]) ^ 1)).encode())
    hall.start()
    told("damage", hall, evidence=("differs",))
    hall.run("verify", "--full", seconds=120)
    told("not-behind", hall, seconds=60)

    hall.stop()
    hub.stop()
    peek = Peek(hub)
    of = peek.nodes()
    key, row = next((key, row) for key, row in peek.table("op")
                    if key[10] == MONEY and key[-1] == 0 and of[int.from_bytes(key[2:10], "big")] == hall.name)
    overwrite(peek.log, "op", key, row[:-1] + bytes([row[-1] ^ 1]))
    hub.start()
    equal(hub.run("verify", seconds=120).status, 5, "verify at the hub")
    told("rotten", hub, hub.name, evidence=("rotten",))
    hall.start()
    until("the hall has given it back", lambda: why(hub, hub.name)[0]["code"] == "not-behind", 60)


def keys(region, hub, hall, accounts):
    """A hall whose key is revoked while a witness has more of it than any hub; one that is set back with its memory."""
    witness = region.witness("pc", hub, ["3201"], **QUICK)
    stolen = region.hall("nj-stolen", hub, ["3201"], start=False, **QUICK)
    stolen.dials((hub, "hub"), (witness, "witness"))
    stolen.start()
    told("not-behind", stolen)
    pays(stolen, accounts, 500000, 2)
    stolen.synced()
    hub.stop()
    pays(stolen, accounts, 500010, 3)
    until("the witness has them", lambda: stolen.live()["pc"].get("unsigned_ops") == 0)
    stolen.stop()
    witness.stop()
    hub.start()
    hub.json("node", "revoke", "nj-stolen", "--reason", "stolen")
    witness.start()
    told("stopped-stream", hub, "pc", evidence=("withheld",))
    stolen.start()
    told("refused-key", stolen, evidence=("own-revoked",))
    told("refused-key", hub, "nj-stolen", evidence=("revoked", "knocked", "key"))
    stolen.stop()
    witness.stop()
    told("away", hub, "pc", evidence=("seen",))

    snapshot = Snapshot(hall)
    hall.start()
    pays(hall, accounts, 600000, 5)
    hall.synced()
    hall.stop()
    hub.stop()
    snapshot.set_back()
    hall.start()
    pays(hall, accounts, 700000, 5)
    hub.start()
    told("fork", hub, hall.name, evidence=("disputed", "forks"), seconds=60)


def registry(region, hub):
    region.enroll(hub, "nj-new", ["3202"])
    told("not-joined", hub, "nj-new")
    answer = hub.run("why", "nobody", "--json")
    equal(answer.status, 1, "a node that there is not")
    check("not-found" in answer.out + answer.err, f"its error: {answer.out} {answer.err}")
    equal(hub.run("why", "one", "two").status, 2, "two of them")


def foreign(region, hub):
    """A hall of another region, and the hub where it knocks."""
    other = region.hub("zj-hub", **QUICK)
    hall = region.hall("zj-hall", other, ["3301"], start=False, **QUICK)
    other.stop()
    hall.dials(hub)
    hall.start()
    told("certificate", hall, evidence=("error",))
    refused = until("the hub has who knocks", lambda: [row for row in hub.status().get("refused", []) if row.get("key") == hall.curve_key()])
    equal(refused[0]["why"], "other-region", "why it is not let in")
    hall.stop()
    equal(hub.status()["problems"] if "problems" in hub.status() else [], [], "that is no problem of the hub's")


def in_doubt(hub, hall):
    """The hub's start is not proven: it hears first what keys are revoked."""
    note = f"/dev/shm/hallsync-{hub.status()['store_id']}.note"
    hub.stop()
    os.unlink(note)
    hub.rewrite_conf(lambda text: text.replace("heartbeat_ms: 300", "heartbeat_ms: 300\n  admit_after_ms: 3600000", 1))
    hub.start()
    told("not-admitting", hall, evidence=("error",))
    check("not-admitting" in hall.run("why").out, "in words")


network.isolate()
with Region("nothing is behind without a named cause") as region:
    hub = region.hub("nj-hub", **QUICK)
    hall = region.hall("nj-gulou", hub, ["3201"], **QUICK)
    told("not-behind", hall)
    told("not-behind", hub, hall.name)
    equal((hub.run("why").out, hub.run("why").status), ("nobody is behind\n", 0), "at the hub")
    registry(region, hub)
    foreign(region, hub)
    accounts = region.customers(hub, 2000)
    hall.synced()
    loose = region.hall("nj-loose", hub, ["3201"], start=False, **QUICK)
    with_upstream = unsettled(loose, hub)
    odd(hub, loose, with_upstream)
    clocks(region, hub)
    hubs(region, hub, with_upstream, loose)
    lines(region, hub, accounts)
    pays(hall, accounts, 1000, 20)
    hall.synced()
    stores(region, hub, hall, accounts)
    keys(region, hub, hall, accounts)
    rows = hub.json("why", status=1).lines()
    order = [name for name, _ in CAUSES]
    places = [order.index(row["code"]) for row in rows]
    check(places == sorted(places) and len(places) > 3, f"at the hub the worst come first: {[row['code'] for row in rows]}")
    in_doubt(hub, hall)
    equal(sorted(seen), sorted(order), "causes that were made to happen")
sys.exit(0)
