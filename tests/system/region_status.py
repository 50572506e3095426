#!/usr/bin/env python3
"""What status says of a region: groups and who stands by, what waits in which lane with a hub and without one, limits on both sides,
who is away, a witness in the wrong group."""
import os
import subprocess

from region import Region, check, equal, tool, until

QUICK = {"backoff_max_ms": 300}  # heartbeats as they are: a busy machine is silent for a second


def screen(node, columns=100):
    return subprocess.run([tool("hallsync"), "-c", node.conf, "status"], capture_output=True, text=True,
                          env={**os.environ, "COLUMNS": str(columns)}).stdout


def line(node, name):
    return [line for line in screen(node).splitlines() if line.startswith(name)][0]


def peers(node):
    return {peer["node_id"] or peer["address"]: peer for peer in node.status()["peers"]}


with Region("what status says of a region") as region:
    hub = region.hub("nj-hub", **QUICK)
    second = region.further_hub("nj-second", hub, **QUICK)
    witness = region.witness("nj-win3", hub, ["3201"], **QUICK)
    hall = region.hall("nj-gulou", hub, ["3201", "3202"], start=False, **QUICK)
    hall.dials(hub, second, (witness, "witness"))
    hall.settings("scope", districts=["3201"])
    hall.settings("retention", days=30)
    hall.rewrite_conf(lambda text: text.replace('    group: "witness"\n', '    group: "witness"\n    bytes_per_second: 64000\n'))
    hall.start()

    # Of each group one; a limit is known at both its ends; what is configured is shown.
    until("both are live", lambda: set(hall.live()) == {"nj-hub", "nj-win3"}, 20)
    until("the limit is told", lambda: peers(hall).get("nj-win3", {}).get("rate_max") == 64000
          and peers(witness).get("nj-gulou", {}).get("rate_max") == 64000, 20)
    shown = peers(hall)
    equal((shown["nj-hub"]["group"], shown["nj-win3"]["group"]), ("hub", "witness"), "groups")
    equal((shown["nj-hub"]["role"], shown["nj-win3"]["role"]), ("hub", "witness"), "roles")
    equal(shown[f"tcp://127.0.0.1:{second.port}"]["state"], "standby", "the other hub of the group")
    equal((hall.status()["scope"], hall.status()["retention_days"]), (["3201"], 30), "scope and retention")
    equal(hall.status()["districts"], ["3201", "3202"], "as certified")
    equal(hall.status()["problems"], [], "problems")
    check("(of the 2 that its certificate names)" in screen(hall), screen(hall))
    check("2 hubs" not in screen(hall) and "1 hub, 1 witness connected" in screen(hall), screen(hall))

    # The store of a hub that was just made may be the successor of one that is lost.
    told = hub.status()
    check(0 < told["rebuilding_until_ms"] - told["clock_ms"] <= 7 * 24 * 3600 * 1000, told)
    check("\nrebuilding  until " in screen(hub) and "rebuilding" not in screen(hall) + screen(witness), screen(hub))

    # With hubs: everything is handed in, and the witness has signed too.
    hall.json("customer", "put", "account=3201000001", "name=Li Wei")
    for n in range(5):
        hall.json("payment", "add", "account=3201000001", f"amount_fen={n + 1}")
    hall.synced()
    until("all is handed in", lambda: hall.status()["waiting"] == [], 20)
    until("the witness has signed", lambda: peers(hall)["nj-win3"]["unsigned_ops"] == 0, 20)
    check("everything is at a hub" in screen(hall), screen(hall))

    # Without: what waits, by lane, and since when; the witness goes on signing.
    second.stop()
    hub.stop()
    for n in range(3):
        hall.json("payment", "add", "account=3201000001", f"amount_fen={n + 1}")
    waiting = until("it waits", lambda: hall.status()["waiting"], 20)
    equal([(lane["lane"], lane["out_ops"]) for lane in waiting], [("money", 3)], "what waits for a hub")
    until("the witness has signed", lambda: peers(hall)["nj-win3"]["unsigned_ops"] == 0, 20)
    check("3 of lane money no hub has signed for" in screen(hall), screen(hall))
    until("the hub is told as gone", lambda: [p for p in hall.status()["peers"] if p["group"] == "hub" and p["state"] == "down"], 20)
    equal(peers(hall)["nj-hub"]["role"], "hub", "who it was is still known")
    hub.start()
    hall.synced()
    second.start()  # not before, or it might be the one that the hall finds
    until("all is handed in", lambda: hall.status()["waiting"] == [], 20)

    # Who has a session is never told as away, however new that is: the hall is synced through it.
    until("all have come back to the hub", lambda: set(hub.live()) == {"nj-second", "nj-win3", "nj-gulou"}, 20)
    for _ in range(4):
        told = screen(hub)
        check("\nothers      1 hub, 1 witness, 1 hall connected\n" in told, told)
        hall.restart()
        hall.synced()

    # A hub names those who are away.
    until("all have come back to the hub", lambda: set(hub.live()) == {"nj-second", "nj-win3", "nj-gulou"}, 20)
    hall.stop()
    until("away", lambda: " away " in line(hub, "nj-gulou"), 20)
    told = screen(hub)
    check("1 hub, 1 witness connected; 1 away" in told, told)

    # A witness among the hubs: told as what it is, in log and status, on a screen of eighty columns too.
    hall.dials(hub, witness)
    hall.start()
    until("the group is told as mixed", lambda: [p for p in hall.status()["problems"] if "a group of its own" in p], 20)
    check("event=mixed-group" in open(hall.log).read(), "in the log")
    check("PROBLEM" in screen(hall), screen(hall))
    for columns in (80, 100, 160):
        for node in (hall, hub, witness):
            widest = max(len(line) for line in screen(node, columns).splitlines())
            check(widest <= columns, f"{widest} columns on {columns}:\n{screen(node, columns)}")
