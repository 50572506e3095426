#!/usr/bin/env python3
"""A hall's disk burns; it is made anew under its old name: what hub, witness and counters have comes back, what nobody has is the only thing
that is lost, and both of its keys are known for what they are."""
import os
import re
import shutil
import subprocess
import threading

from counter import Counter
from region import SLOW, Answer, Region, agree, check, equal, payment, tool, until

QUICK = {"heartbeat_ms": 300, "backoff_max_ms": 300}

with Region("a hall that has lost its disk is made anew") as region:
    hub = region.hub("nj-hub", **QUICK)
    counter_node = region.witness("counter-3", hub, ["3201"], **QUICK)
    hall = region.hall("nj-gulou", hub, ["3201", "3202"], start=False, relay=True, **QUICK)
    other = region.hall("nj-xuanwu", hub, ["3201"], **QUICK)
    witness_relay = region.relay(counter_node)

    # The witness beside the hub, behind a relay of its own.
    further = (f'  - address: "tcp://127.0.0.1:{witness_relay.port}"\n    key: "{counter_node.curve_key()}"\n    group: "witness"\n')
    hall.rewrite_conf(lambda text: re.sub(r"(?m)^upstreams:\n((?:[ -].*\n)+)", lambda found: found.group(0) + further, text))
    hall.start()
    accounts = region.customers(hub, 60, ["3201", "3202"])
    hall.synced()
    until("the witness is there", lambda: counter_node.name in hall.live())
    path = os.path.join(region.dir, "outbox")
    counter = Counter(hall, path)
    receipts, wanted = [], {}

    def take(node, numbers):
        records = [payment(accounts[n % 60], n) for n in numbers]
        for record, answer in zip(records, node.put_lines(["payment", "add"], records)):
            equal(answer["result"], "created", "a payment")
            receipts.append(answer["receipt"])
            wanted[record["payment_id"]] = record["amount_fen"]
        return [record["payment_id"] for record in records]

    def held(node):
        return {r["payment_id"]: r["amount_fen"] for r in node.json("payment", "list", "--limit", "1000").lines()}

    take(hall, range(0, 50))  # at the hub
    hall.synced()
    hall.relay.cut()
    until("the hub is gone", lambda: hub.name not in hall.live())
    before = take(hall, range(50, 70))  # the witness has them
    until("the witness has them", lambda: hall.json("payment", "get", before[-1]).object().get("held_by") == [counter_node.name])
    witness_relay.cut()
    until("the witness is gone", lambda: counter_node.name not in hall.live())
    for n in range(70, 80):  # the counter has them
        said = counter.pay(accounts[n % 60], 1000 + n, f"C-{n}")
        check("taken, receipt" in said, said)
        receipts.append(said.split()[-1])
    gone = take(hall, range(80, 83))  # nobody has them
    for lost in gone:
        del wanted[lost]
    hall.kill()
    old_conf = open(hall.conf).read()
    burnt = hall.dir + ".burnt"
    os.rename(hall.dir, burnt)
    hall.relay.heal()
    witness_relay.heal()

    # At the hub: a token for a name that exists; nothing else is asked.
    hub.refused("not-found", "node", "enroll", "nj-nobody", "--rebuild")
    hub.refused("invalid", "node", "enroll", hall.name, "--rebuild", "--district", "3203")
    enrolled = hub.json("node", "enroll", hall.name, "--rebuild").object()
    equal(len(enrolled["replaced_keys"]), 1, "the keys that it had")
    old_key = enrolled["replaced_keys"][0]

    def rebuild(directory, *words):
        done = subprocess.run([tool("hallsync"), "--json", "rebuild", "-", "--data", directory, *words], input=enrolled["token"],
                              capture_output=True, text=True, timeout=300 * SLOW)
        return Answer(done)

    # Not into a directory with keys: those would be the old ones.
    refused = rebuild(burnt)
    check(refused.status != 0 and "move it aside" in refused.err, f"into the old directory: {refused.out} {refused.err}")
    joined = rebuild(hall.dir, "--no-wait")
    equal(joined.status, 0, f"rebuild --no-wait: {joined.err}")
    equal(sorted(hub.json("node", "show", hall.name).object()["districts"]), ["3201", "3202"], "the districts that it had")

    # The daemon is started while rebuild waits for it; the same token goes on.
    found = {}
    with open(hall.conf, "w") as conf:
        conf.write(old_conf)
    waiting = threading.Thread(target=lambda: found.update(answer=rebuild(hall.dir, "--timeout", "120s")))
    waiting.start()
    hall.start()
    waiting.join()
    answer = found["answer"]
    equal(answer.status, 0, f"rebuild: {answer.out} {answer.err}")
    told = answer.object()
    equal((told["whole"], told["before"], told["id"]), (True, True, hall.name), "what rebuild says")
    equal([life["key"] for life in told["came_back"]], [old_key], "of which lives something came back")
    life = told["came_back"][0]
    equal((life["payments"], life["sum_fen"]), (70, sum(wanted.values())), "what hub and witness had")
    equal(life["revoked"], False, "its old key")

    # The counter hands in what only it has.
    until("the counter's outbox is empty", lambda: counter.outbox.get("waiting") == 0, 180)
    equal(counter.outbox["done anew"], 10, "what the counter has done anew")
    counter.end()
    for n in range(70, 80):
        wanted[f"C-{n}"] = 1000 + n
    take(hall, range(100, 110))
    for node in (hall, other, hub):
        if node is not hub:
            node.synced()
    until("all agree", lambda: agree(hall, other, hub), 60)
    equal(held(hub), wanted, "the hub's payments")
    equal(held(hall), wanted, "the hall's payments")
    equal(hub.totals("--origin", hall.name)["count"], len(wanted), "both lives are one node's")
    equal([c["type"] for c in hub.json("conflict", "list").lines() if c["type"] != "no-bill"], [], "nothing to decide")

    # What a receipt's number was is never another one's; what the counter had printed is in its customer's hands twice, and one payment.
    known = [n for n in receipts if n]
    equal(len(set(known)), len(known), "a receipt number was given twice")

    # Two keys of one name, everywhere: in the list, and the newest is the one in use.
    listed = {node["key"]: node for node in hub.json("node", "list").lines() if node["node_id"] == hall.name}
    keys = list(listed)
    equal(len(keys), 2, "keys of one name")
    equal([listed[key].get("live", False) for key in sorted(keys, key=lambda key: key == old_key)], [True, False], "which of them is connected")
    gone_ms, here_ms = (listed[key].get("seen_ms", 0) for key in sorted(keys, key=lambda key: key != old_key))
    check(gone_ms < here_ms, f"the old key was last seen at {gone_ms}, the new one at {here_ms}")
    equal([row["state"] for row in hub.status()["peers"] if row["node_id"] == hall.name], ["live"], "in status it is one node")
    check("away" not in hub.run("status").out, "status, in words")
    equal(hub.json("node", "show", hall.name).object()["key"], next(key for key in keys if key != old_key), "the key in use")
    hub.json("node", "revoke", hall.name, "--key", old_key[:16], "--reason", "disk lost")
    states = {node["key"]: node["state"] for node in hub.json("node", "list").lines() if node["node_id"] == hall.name}
    equal(states[old_key], "revoked", "the lost disk's key")
    take(hall, range(110, 115))
    hall.synced()
    equal(held(hub), wanted, "the node goes on under its new key")
    equal(hub.json("node", "show", hall.name).object()["state"], "joined", "the node itself")

    # Who finds the old disk and starts it is not let in.
    burnt_node = region.twin(hall, "found")
    shutil.rmtree(burnt_node.dir)
    shutil.copytree(burnt, burnt_node.dir, ignore=shutil.ignore_patterns("hallsync.sock"))
    burnt_node.rewrite_conf(lambda text: text.replace(hall.dir, burnt_node.dir))
    burnt_node.start()
    until("it learns that its key is revoked", lambda: burnt_node.status().get("revoked") is not None, 60)
    equal(held(hub), wanted, "what it had and nobody else counts only when somebody releases it")
    equal(sorted(set(held(burnt_node)) - set(wanted)), sorted(gone), "it knows what nobody else knows")
