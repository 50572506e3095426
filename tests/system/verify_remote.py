#!/usr/bin/env python3
"""hallsync verify --remote: equal, on its way, damaged, and nobody to compare with, told apart; of what is damaged both contents are shown,
field by field."""
import re

from peek import Peek, miswrite
from region import Region, check, equal, payment, until

with Region("verify --remote says whether a node has what the others have") as region:
    hub = region.hub("nj-hub")
    gulou = region.hall("nj-gulou", hub, ["3201"])
    xuanwu = region.hall("nj-xuanwu", hub, ["3201"])
    accounts = region.customers(gulou, 50)
    for answer in gulou.put_lines(["payment", "add"], [payment(accounts[n % 50], n) for n in range(30)]):
        equal(answer["result"], "created", "a payment")
    gulou.synced()
    xuanwu.synced()

    rows = gulou.json("verify", "--remote").lines()
    equal([(row["node_id"], row["result"]) for row in rows], [("nj-hub", "equal")], "at the hall")
    check(rows[0]["equal_as_of_ms"] > 0, "as of when")
    rows = hub.json("verify", "--remote").lines()
    equal(sorted((row["node_id"], row["result"]) for row in rows), [("nj-gulou", "equal"), ("nj-xuanwu", "equal")], "at the hub")
    rows = hub.json("verify", "--remote", "--peer", "nj-xuanwu").lines()
    equal([row["node_id"] for row in rows], ["nj-xuanwu"], "one of them")
    words = gulou.run("verify", "--remote")
    check(words.status == 0 and re.search(r"equal with nj-hub as of \d\d:\d\d", words.out), f"in words: {words.out} {words.err}")
    equal(gulou.run("verify", "--remote", "--peer", "nj-nobody").status, 3, "somebody who is not there")
    equal(gulou.run("verify", "--peer", "nj-hub").status, 2, "--peer alone")

    print("a record has another content at the hall: both sides say so, and show both", flush=True)
    customer = gulou.json("customer", "get", accounts[7]).object()
    good, bad = customer["phone"], customer["phone"][:-1] + chr(ord(customer["phone"][-1]) ^ 1)
    gulou.stop()
    kind, record_id = miswrite(Peek(gulou).state, good.encode(), bad.encode())
    gulou.start()
    until("gulou is connected", lambda: "nj-hub" in gulou.live(), 60)
    for node, other, here, there in ((gulou, "nj-hub", bad, good), (hub, "nj-gulou", good, bad)):
        rows = node.json("verify", "--remote", "--peer", other, status=5).lines()
        equal([row.get("result") for row in rows], [None, "damage"], f"{node.name}: {rows}")
        row = rows[0]
        equal((row["differs_from"], row["kind"], row["partition"], row["record_id"]), (other, "customer", "3201", record_id.hex()), "which")
        equal(row["fields"], [{"field": "phone", "here": here, "there": there}], f"{node.name}: what differs")
        check(row["here_hash"] != row["there_hash"] and row["now"] == "damage", f"{node.name}: {row}")
        for side, phone in (("here", here), ("there", there)):
            equal({key: row[side][key] for key in ("account", "name", "phone")},
                  {"account": accounts[7], "name": customer["name"], "phone": phone}, f"{node.name}: {side}")
        equal((row["here_error"], row["there_error"]), (None, None), f"{node.name}: both are told")
        words = node.run("verify", "--remote", "--peer", other)
        equal(words.status, 5, "damage, in words")
        for text in (accounts[7], "phone", f"here     {here}", f"{other:<8} {there}"):
            check(text in words.out, f"{node.name}: {text!r} is not in\n{words.out}")
    equal(hub.json("verify", "--remote", "--peer", "nj-xuanwu").lines()[0]["result"], "equal", "the other hall has nothing of it")
    found = gulou.run("verify", "--full", "--json", seconds=120)
    check(found.status == 5 and record_id.hex() in found.out, f"verify --full at the hall: {found.out}{found.err}")
    until("the hall has made the record anew", lambda: gulou.run("verify", "--full", seconds=120).status == 0, 60)
    equal([row["result"] for row in gulou.json("verify", "--remote").lines()], ["equal"], "then")

    gulou.stop()
    gulou.rewrite_conf(lambda text: re.sub(r"( *)- address: (.*)\n", r"\1- address: \2\n\1  bytes_per_second: 1000\n", text))
    gulou.start()
    until("gulou is connected", lambda: "nj-hub" in gulou.live(), 60)
    gulou.put_lines(["payment", "add"], [payment(accounts[n % 50], n) for n in range(100, 2100)])
    rows = gulou.json("verify", "--remote", "--timeout", "5s", status=1).lines()
    equal([(row["node_id"], row["result"]) for row in rows], [("nj-hub", "lag")], "while operations wait")
