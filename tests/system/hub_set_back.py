#!/usr/bin/env python3
"""A hub is set back to yesterday, and later burnt: halls bring it back what it lacks, others' streams included; what it signed before
counts no more; what nobody has is named."""
import os
import re
import shutil

from region import Region, check, equal, payment, until


def pay(hall, accounts, numbers):
    for answer in hall.put_lines(["payment", "add"], [payment(accounts[n % len(accounts)], n) for n in numbers]):
        equal(answer["result"], "created", "a payment")


def safe(hall, number):
    return hall.json("payment", "get", f"{number:032x}").object()["safe"]


with Region("a hub set back, and burnt: what is missing comes from halls, levels are true, what is gone is named") as region:
    hub = region.hub("nj-hub", admit_after_ms=500)
    hub.stop()
    empty = os.path.join(region.dir, "empty")
    shutil.copytree(hub.dir, empty, ignore=shutil.ignore_patterns("hallsync.sock"))
    hub.start()
    gulou = region.hall("nj-gulou", hub, ["3201"], relay=True, heartbeat_ms=200)
    xuanwu = region.hall("nj-xuanwu", hub, ["3201"])
    accounts = region.customers(gulou, 20)
    gulou.synced()
    pay(gulou, accounts, range(0, 10))
    gulou.synced()

    hub.stop()
    yesterday = os.path.join(region.dir, "yesterday")
    shutil.copytree(hub.dir, yesterday, ignore=shutil.ignore_patterns("hallsync.sock"))
    hub.start()
    pay(gulou, accounts, range(10, 30))
    gulou.synced()
    xuanwu.synced()
    store = hub.status()["store_id"]
    until("gulou's payment is hub", lambda: safe(gulou, 29) == "hub")

    print("set back: the other hall brings back what gulou had handed in", flush=True)
    gulou.relay.cut()
    hub.stop()
    shutil.rmtree(hub.dir)
    shutil.copytree(yesterday, hub.dir)
    hub.start()
    until("the hub has all payments again", lambda: hub.totals()["count"] == 30, 120)
    until("it goes on as another store", lambda: hub.status()["store_id"] != store, 120)
    with open(hub.log) as log:
        text = log.read()
    check("event=store-set-back" in text and "event=renewed" in text, "the log does not say what was found")
    check(hub.status()["older_copy"]["why"], "status does not say that it was an older copy")
    until("xuanwu is connected again", lambda: "nj-hub" in xuanwu.live(), 120)

    gulou.relay.heal()
    until("gulou's payments are hub again, by a receipt of the new store", lambda: safe(gulou, 5) == safe(gulou, 29) == "hub", 120)
    gulou.synced()
    equal(hub.totals(), gulou.totals(), "totals")
    equal([row for row in hub.status().get("announced", [])], [], "nothing is missing")

    print("burnt: both halls fill it", flush=True)
    store = hub.status()["store_id"]
    hub.stop()
    shutil.rmtree(hub.dir)
    shutil.copytree(empty, hub.dir)
    hub.start()
    until("the hub has all payments again", lambda: hub.totals()["count"] == 30, 120)
    until("it goes on as another store", lambda: hub.status()["store_id"] != store, 120)
    until("gulou's payments are hub, by the store that is there", lambda: safe(gulou, 5) == safe(gulou, 29) == "hub", 120)
    xuanwu.synced()
    gulou.synced()
    equal(hub.totals(), gulou.totals(), "totals")

    print("lost for good: what was announced and never came is named", flush=True)
    gulou.stop()
    gulou.rewrite_conf(lambda text: re.sub(r"( *)- address: (.*)\n", r"\1- address: \2\n\1  bytes_per_second: 1000\n", text))
    gulou.start()
    until("gulou is connected", lambda: "nj-hub" in gulou.live(), 120)
    pay(gulou, accounts, range(100, 2100))
    until("the hub has heard of them", lambda: hub.live().get("nj-gulou", {}).get("lag_in_ops", 0) > 100, 120)
    gulou.kill()
    until("gulou is gone", lambda: "nj-gulou" not in hub.live(), 120)
    here = hub.totals()["count"]
    row = until("what never came is named", lambda: next(iter(hub.status().get("announced", [])), None), 30)
    equal(row["node_id"], "nj-gulou", "who had it")
    check(0 < row["operations"] <= 2030 - here, f"operations: {row}")
    check(row["money"] == row["operations"] and row["streams"][0]["lane"] == "money", f"what is named: {row}")
    check(0 <= row.get("payments", 0) <= 2030 - here and row.get("fen", 0) >= 0, f"payments, as of its last heartbeat: {row}")
    words = hub.run("node", "show", "nj-gulou").out
    check("nj-gulou announced" in words and "that nobody here has" in words, f"node show: {words}")
    check(hub.json("node", "show", "nj-gulou").object()["announced"]["operations"] == row["operations"], "node show --json")
    check("NOT HERE" in hub.run("status").out, "status")
