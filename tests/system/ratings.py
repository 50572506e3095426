#!/usr/bin/env python3
"""Ratings from the satisfaction device at two halls: one a service, never changed, at the hub and in its feed; found by service,
window and clerk; as CSV and JSON lines.  A kind without code of its own: the commands come from the table of kinds.
"""
import csv
import io
import json

import subprocess

from region import Region, check, equal, tool, until


def feed(node, start, count):
    """The first changes of ratings behind a position."""
    watch = subprocess.Popen([tool("hallsync"), "-c", node.conf, "watch", "rating", "--from", start], stdout=subprocess.PIPE, text=True)
    try:
        return [json.loads(watch.stdout.readline()) for _ in range(count)]
    finally:
        watch.kill()
        watch.wait()
        watch.stdout.close()


with Region("a service is rated once, and the hub has every rating") as place:
    hub = place.hub("nj-hub")
    one = place.hall("nj-chengbei", hub, ["3201"])
    two = place.hall("nj-gulou", hub, ["3202"])
    start = hub.status()["position"]

    # At the window: the device sends what the customer pressed, and sends it again when it is not sure.
    for node, account in ((one, "3201000001"), (two, "3202000001")):
        node.json("customer", "put", f"account={account}", "name=甲")
        node.json("payment", "add", f"payment_id=p-{account}", f"account={account}", "amount_fen=100", "window=3", "clerk=li")
    words = ["rating", "add", "of_kind=payment", "of_id=p-3201000001", "score=5", "window=3", "clerk=li", "comment=很好，谢谢"]
    first = one.json(*words).object()
    equal(first["result"], "created", "first")
    again = one.json(*words).object()
    equal((again["result"], again["id"]), ("exists", first["id"]), "sent again")
    one.refused("id-in-use", *words[:4], "score=1", "window=3", "clerk=li")
    one.refused("overflow", "rating", "add", "of_kind=payment", "of_id=p-x", "score=6")
    one.refused("missing-field", "rating", "add", "of_kind=payment", "of_id=p-x")
    one.refused("bad-value", "rating", "add", "of_kind=weather", "of_id=p-x", "score=1")
    one.refused("bad-value", "rating", "add", "rating_id=mine", "of_kind=payment", "of_id=p-x", "score=1")
    check(one.run("rating", "put", "score=5").status == 2, "a rating can be changed")

    # The other hall, with its line down meanwhile: all of it comes later.
    hub.stop()
    scores = [{"of_kind": "ticket", "of_id": f"t-{n}", "score": 1 + n % 5, "window": 1 + n % 2, "clerk": "wang"} for n in range(20)]
    equal({line["result"] for line in two.put_lines(["rating", "add"], scores)}, {"created"}, "rated without a link")
    equal({line["result"] for line in two.put_lines(["rating", "add"], scores)}, {"exists"}, "the same once more")
    hub.start()
    one.synced()
    two.synced()

    # At the hub, by every index; each rating is in the district of the hall that was rated.
    equal(len(hub.json("rating", "list").lines()), 21, "ratings at the hub")
    equal(len(hub.json("rating", "list", "window=1").lines()), 10, "of window 1")
    equal(len(hub.json("rating", "list", "clerk=wang").lines()), 20, "of a clerk")
    found = hub.json("rating", "list", "of_id=p-3201000001").lines()
    equal([(rating["score"], rating["comment"], rating["partition"], rating["node"]) for rating in found],
          [(5, "很好，谢谢", "3201", "nj-chengbei")], "of a payment")
    equal(hub.json("rating", "get", first["id"]).object()["clerk"], "li", "one of them")
    asked = two.json("rating", "list", "of_id=p-3201000001").lines()
    equal([(rating["score"], rating["from"]) for rating in asked], [(5, "nj-hub")], "asked from the other hall: what the hub says")
    equal(two.json("rating", "list", "window=3").lines(), [], "window 3 of the other hall is not this one's")
    check(one.run("rating", "list", "score=5").status == 2, "there is no such index")
    equal(len({change["record"]["rating_id"] for change in feed(hub, start, 21)}), 21, "ratings in the feed of the hub")

    # As CSV and as JSON lines: the same, and what is read back in changes nothing.
    rows = list(csv.DictReader(io.StringIO(hub.run("rating", "export").out)))
    lines = [json.loads(line) for line in hub.run("rating", "export", "--json").out.splitlines()]
    equal(len(rows), 21, "rows")
    equal(sorted((row["rating_id"], row["score"]) for row in rows), sorted((line["rating_id"], str(line["score"])) for line in lines),
          "CSV and JSON")
    own = [line for line in lines if line["of_kind"] == "ticket"]
    equal({line["result"] for line in two.put_lines(["rating", "add"], own)}, {"exists"}, "an export read back in")

    # For people: columns of the table, and what its fields mean.
    table = hub.run("rating", "list", "of_id=p-3201000001").out
    check("score" in table and "很好" in table, f"a table: {table}")
    check("满意度" in hub.run("help", "rating").out, "help has no Chinese")

    until("hub and halls agree", lambda: one.json("digest", "--partition", "3201").out == hub.json("digest", "--partition", "3201").out)
    equal(two.json("digest", "--partition", "3202").out, hub.json("digest", "--partition", "3202").out, "the other district")
    for node in (hub, one, two):
        check(node.run("verify", "--full").status == 0, f"{node.name}: verify")
