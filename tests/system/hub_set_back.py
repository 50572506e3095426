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


def slow(hall, rate=1000):
    """Its line, from its next start on; None: as fast as it is."""
    def change(text):
        text = re.sub(r" *bytes_per_second: .*\n", "", text)
        return text if rate is None else re.sub(r"( *)- address: (.*)\n", rf"\1- address: \2\n\1  bytes_per_second: {rate}\n", text)
    hall.rewrite_conf(change)


def named(hub):
    """What the hub names as announced and not here, and its totals, of one moment."""
    before = hub.totals()
    rows = hub.status().get("announced", [])
    return (rows[0], before) if len(rows) == 1 and hub.totals() == before else None


def watch(hub, seen):
    """How far the region is rebuilt now; None: nothing is said of it."""
    rebuild = hub.status().get("rebuild")
    if rebuild:
        seen.append(rebuild)
    return rebuild


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
    until("xuanwu has the hub's receipt for it", lambda: safe(xuanwu, 29) == "hub")  # it is the proof that the hub was set back

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
    region.customers(gulou, 300, edition=1)
    gulou.synced()
    baixia = region.hall("nj-baixia", hub, ["3201"])  # gets people as states, and has no operations of them
    baixia.synced()
    baixia.stop()
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
    gulou.relay.cut()
    slow(gulou)
    gulou.start()
    pay(gulou, accounts, range(100, 2100))  # before a line is there: the first that the hub hears of them is their last number
    gulou.relay.heal()
    until("the hub has heard of all of them, and of how much they are",
          lambda: hub.live().get("nj-gulou", {}).get("own_payments") == 2030 and hub.live()["nj-gulou"].get("lag_in_ops", 0) > 100, 120)
    gulou.kill()
    until("gulou is gone", lambda: "nj-gulou" not in hub.live(), 120)
    row, here = until("what never came is named", lambda: named(hub), 60)
    equal(row["node_id"], "nj-gulou", "who had it")
    gone = 2030 - here["count"]
    fen = sum(payment("", n)["amount_fen"] for n in [*range(30), *range(100, 2100)]) - here["sum_fen"]
    equal({key: row.get(key) for key in ("operations", "money", "payments", "fen")},
          {"operations": gone, "money": gone, "payments": gone, "fen": fen}, "what is named")
    equal([(stream["lane"], stream["partition"]) for stream in row["streams"]], [("money", "3201")], "of which stream")
    equal(row["streams"][0]["last"] - row["streams"][0]["behind"], gone, "which numbers")
    words = hub.run("node", "show", "nj-gulou").out
    check(f"nj-gulou announced {gone} operations ({gone} payments" in words and "that nobody here has" in words, f"node show: {words}")
    equal(hub.json("node", "show", "nj-gulou").object()["announced"]["operations"], gone, "node show --json")
    check("NOT HERE" in hub.run("status").out, "status")
    stopped = [line for line in hub.json("conflict", "list", "--type", "stopped").lines() if line["reason"] == "gap"]
    equal(sum(line["operations"] for line in stopped), gone, "what is listed as a stream that does not go on")
    check("payments and cash entries of nj-gulou, district 32" in stopped[0]["text"] and "hallsync bundle" in stopped[0]["advice"], stopped)
    equal(hub.status()["stopped_streams"], len(stopped), "stopped streams")
    check("stopped stream" in hub.run("status").out, "status")

    print("burnt once more: how far the region is rebuilt, while a hall is held back", flush=True)
    xuanwu.stop()
    hub.stop()
    shutil.rmtree(hub.dir)
    shutil.copytree(empty, hub.dir)
    gulou.start()
    hub.start()
    first = until("the hub says how far it is", lambda: hub.status().get("rebuild"), 120)
    check(0 <= first["percent"] < 100 and first["held"] < first["named"], f"how far: {first}")
    seen = [first]
    until("it gets on", lambda: watch(hub, seen) and seen[-1]["percent"] > first["percent"], 120)
    check("region rebuilt" in hub.run("status").out, "status")
    gulou.stop()
    slow(gulou, None)
    gulou.start()
    until("all of it is there", lambda: not watch(hub, seen) and hub.totals()["count"] == 2030, 120)
    percents = [row["percent"] for row in seen]
    equal(percents, sorted(percents), "it never falls")
    check(percents[-1] < 100, f"it is gone when all is there: {percents}")
    gulou.synced()
    equal(hub.totals(), gulou.totals(), "totals")
    equal(hub.status().get("announced", []), [], "nothing is missing any more")

    print("burnt, and only a hall is there that has people as states: it says that its hub is being filled", flush=True)
    gulou.stop()
    hub.stop()
    shutil.rmtree(hub.dir)
    shutil.copytree(empty, hub.dir)
    slow(baixia)
    hub.start()
    baixia.start()
    until("baixia says so", lambda: baixia.live().get("nj-hub", {}).get("being_filled"), 120)
    check("nj-hub is still being filled itself" in " ".join(baixia.run("status").out.split()), "status at baixia")
    baixia.stop()
    slow(baixia, None)
    baixia.start()
    until("the hub has the people", lambda: hub.run("customer", "get", accounts[3]).status == 0, 120)
    until("baixia says it no more", lambda: "being_filled" not in baixia.live().get("nj-hub", {"being_filled": 1}), 120)
    check("incomplete" not in baixia.run("status").out, "status at baixia")
