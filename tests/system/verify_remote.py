#!/usr/bin/env python3
"""hallsync verify --remote: equal, on its way, and nobody to compare with, told apart."""
import re

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

    gulou.stop()
    gulou.rewrite_conf(lambda text: re.sub(r"( *)- address: (.*)\n", r"\1- address: \2\n\1  bytes_per_second: 1000\n", text))
    gulou.start()
    until("gulou is connected", lambda: "nj-hub" in gulou.live(), 60)
    gulou.put_lines(["payment", "add"], [payment(accounts[n % 50], n) for n in range(100, 2100)])
    rows = gulou.json("verify", "--remote", "--timeout", "1s", status=1).lines()
    equal([(row["node_id"], row["result"]) for row in rows], [("nj-hub", "lag")], "while operations wait")
