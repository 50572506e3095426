#!/usr/bin/env python3
"""Bad input of every kind gets a named error and changes nothing."""
import os
import subprocess

from region import Region, check, equal, tool

with Region("bad input is refused by name and changes nothing") as region:
    hub = region.hub("nj-hub")
    node = region.hall("nj-gulou", hub, ["3201"])
    node.json("customer", "put", "account=3201000001", "name=甲")
    node.json("customer", "put", "account=3201000002", "name=乙")
    rows = os.path.join(region.dir, "bills.csv")
    with open(rows, "w") as out:
        out.write("bill_id,account,period,amount_fen,due_date\nB1,3201000001,2026-10,5000,2026-10-25\n")
    node.json("bill", "import", rows)
    node.json("ticket", "open", "ticket_id=t1", "service=outage-report", "account=3201000001", "summary=停电")

    pay = ["payment", "add", "window=1", "clerk=c01", "method=cash"]
    node.refused("bad-account", *pay, "account=320100000", "amount_fen=100")
    node.refused("bad-account", *pay, "account=320100000x", "amount_fen=100")
    node.refused("unknown-account", *pay, "account=3201999999", "amount_fen=100")
    node.refused("bad-amount", *pay, "account=3201000001", "amount_fen=-100")
    node.refused("bad-amount", *pay, "account=3201000001", "amount_fen=0")
    node.refused("overflow", *pay, "account=3201000001", "amount_fen=99999999999999999999999")
    node.refused("overflow", *pay, "account=3201000001", f"amount_fen={2**63 - 1}")
    node.refused("amount_fen", *pay, "account=3201000001", "amount_fen=12.50")
    node.refused("missing-field", *pay, "amount_fen=100")
    node.refused("bill-of-another-account", *pay, "account=3201000002", "amount_fen=100", "bill_id=B1")
    node.refused("unknown-field", *pay, "account=3201000001", "amount_fen=100", "colour=red")
    node.refused("bad-value", "payment", "add", "account=3201000001", "amount_fen=100", "method=barter")
    node.refused("unknown-payment", "payment", "reverse", "0" * 32)

    node.json(*pay, "payment_id=p1", "account=3201000001", "amount_fen=100")
    node.refused("id-in-use", *pay, "payment_id=p1", "account=3201000001", "amount_fen=200")
    equal(node.json(*pay, "payment_id=p1", "account=3201000001", "amount_fen=100").object()["result"], "exists", "sent twice")
    node.json("payment", "reverse", "p1", "reason=mistake", "window=1", "clerk=c02")
    node.refused("already-reversed", "payment", "reverse", "p1", "reason=again", "window=1", "clerk=c02")

    node.refused("unknown-service", "ticket", "open", "service=teleport", "account=3201000001", "summary=x")
    node.refused("bad-state", "ticket", "event", "ticket_id=t1", "state=archived")
    node.refused("bad-state", "ticket", "event", "ticket_id=t1", "state=vanished")
    node.refused("unknown-ticket", "ticket", "event", "ticket_id=t99", "state=accepted")

    node.refused("bad-account", "customer", "put", "account=12", "name=x")
    node.refused("missing-field", "customer", "put", "account=3201000003")
    node.refused("too-big", "customer", "put", "account=3201000003", "name=" + "x" * 100000)

    # Bytes that are not text, and a field of ten million of them, by way of standard input.
    for data, error in ((b'{"account":"3201000003","name":"\xff\xfe"}\n', "bad-utf8"),
                        (b'{"account":"3201000003","name":"' + b"y" * 10_000_000 + b'"}\n', "too-big"),
                        (b'{"account":"3201000003","name":\n', "")):
        before = node.digests()
        done = subprocess.run([tool("hallsync"), "-c", node.conf, "customer", "put", "-", "--json"], input=data, capture_output=True)
        check(done.returncode in (1, 2, 4), f"{data[:40]}: status {done.returncode} {done.stderr[:200]}")
        check(error.encode() in done.stdout + done.stderr, f"{data[:40]}: no '{error}' in {done.stdout[:300]} {done.stderr[:300]}")
        equal(node.digests(), before, "a refused record changed something")

    # A CSV with good and bad rows: the good ones go in, the bad ones are named with line, field and reason.
    path = os.path.join(region.dir, "mixed.csv")
    with open(path, "wb") as out:
        out.write("account,name,phone\n3201000010,好,13800000000\n32010,短,1\n3201000011,\xe9\xe9\n".encode("utf-8"))
        out.write(b"3201000012,\xff\xff,1\n3201000013,\xe5\xa5\xbd,13900000000\n3201000014,\"cut")
    answer = node.run("customer", "import", path, "--json")
    equal(answer.status, 1, "an import with rejects")
    rejects = open(path + ".rejects.csv", errors="replace").read()
    for wanted in ("3,", "bad-account", "bad-utf8"):
        check(wanted in rejects, f"no {wanted!r} in the rejects:\n{rejects}")
    node.json("customer", "get", "3201000010")
    node.json("customer", "get", "3201000013")
    node.json("customer", "get", "3201000014", status=1)
    before = node.digests()
    node.run("customer", "import", path, "--json")
    equal(node.digests(), before, "the same import again changed something")

    node.refused("unknown-field", "customer", "put", "account=3201000003", "name=x", "nonsense=1")
    equal(node.run("no-such-command").status, 2, "an unknown command")
    equal(node.run("payment", "get", "nothing", "--json").status, 1, "get of what is not there")
