#!/usr/bin/env python3
"""A hall gets other districts at the hub: everybody who should hears of it, who may not is refused, and nothing is done twice."""
from region import Region, check, equal, until

QUICK = {"heartbeat_ms": 300, "backoff_max_ms": 300}


def districts(node, name):
    """As that node knows; none before it has heard of it."""
    answer = node.run("node", "show", name, "--json")
    return answer.object()["districts"] if answer.status == 0 else None


with Region("a hall gets other districts") as region:
    hub = region.hub("nj-hub", **QUICK)
    second = region.further_hub("nj-second", hub, **QUICK)
    hall = region.hall("nj-gulou", hub, ["3201"], **QUICK)
    other = region.hall("nj-xuanwu", hub, ["3202"], **QUICK)
    witness = region.witness("nj-win3", hub, ["3201"], **QUICK)

    # What is asked wrongly.
    hub.refused("must stay among them", "node", "scope", "nj-gulou", "--district", "3202")
    hub.refused("not-found", "node", "scope", "nobody", "--district", "3201")
    hub.refused("is a hub", "node", "scope", "nj-second", "--district", "3200")
    hub.refused("is a hub", "node", "scope", "nj-hub", "--district", "3200")
    hall.refused("not-a-hub", "node", "scope", "nj-gulou", "--district", "3201,3203")
    equal(districts(hub, "nj-gulou"), ["3201"], "before")

    # Asked rightly, and once more: one record.
    before = hub.json("node", "show", "nj-gulou").object()
    for _ in range(2):
        done = hub.json("node", "scope", "nj-gulou", "--district", "3203,3201,3203").object()
        equal(done["districts"], ["3201", "3203"], "what it has now")
        equal((done["key"], done["curve_key"], done["home"]), (before["key"], before["curve_key"], before["home"]), "what it keeps")
        check(done["since_ms"] > before["since_ms"], "a later certificate")
    reissues = [line for line in hub.json("digest").lines() if line["kind"] == "reissue"]
    equal(len(reissues), 1, f"one kind in one partition: {reissues}")
    equal(reissues[0]["count"], 1, "one record")

    # Whoever holds the region's records goes by it: the other hub, the hall itself, and the one beside it.
    for node in (second, hall, other):
        until(f"{node.name} hears of it", lambda: districts(node, "nj-gulou") == ["3201", "3203"], 20)

    # The hall itself starts its rooms anew with it, in one process, and gets what is there; its clients ask on.
    pid = hall.process.pid
    hub.json("customer", "put", "account=3203000001", "name=There")
    until("the new district's records come", lambda: hall.run("customer", "get", "3203000001", "--here").status == 0, 20)
    equal(hall.status()["districts"], ["3201", "3203"], "what it says of itself")
    hall.json("customer", "put", "account=3201000001", "name=Here")
    hall.synced()
    equal(hall.process.pid, pid, "the process")
    check(hall.process.poll() is None, "it runs")

    until("the other hub has it too", lambda: second.digests() == hub.digests(), 20)

    # Only a hub with an issuing key can; and the later one wins.
    second.refused("no issuing key", "node", "scope", "nj-gulou", "--district", "3201,3204")
    hub.json("node", "scope", "nj-gulou", "--district", "3201,3204")
    for node in (second, hall, other):
        until(f"{node.name} hears of the later one", lambda: districts(node, "nj-gulou") == ["3201", "3204"], 20)

    # A witness holds no records: it hears of it from the hub that it dials.
    hub.json("node", "scope", "nj-win3", "--district", "3202,3201")
    until("the witness goes by it", lambda: witness.status()["districts"] == ["3201", "3202"], 20)

    # Lists for people.
    listed = {row["node_id"]: row for row in hub.json("node", "list").lines()}
    equal(sorted(listed), ["nj-gulou", "nj-hub", "nj-second", "nj-win3", "nj-xuanwu"], "nodes")
    equal([listed[name]["role"] for name in sorted(listed)], ["hall", "hub", "hub", "witness", "hall"], "roles")
    until("the hall is seen", lambda: {row["node_id"]: row for row in hub.json("node", "list").lines()}["nj-gulou"].get("seen_ms"), 10)
    shown = hub.run("node", "show", "nj-win3").out
    check(witness.curve_key() in shown and 'group: "witness"' in shown, f"how to dial a witness: {shown}")
