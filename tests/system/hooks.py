#!/usr/bin/env python3
"""Alarms of real nodes: to a program, a file and the log; a hook that hangs, fails or is missing holds nobody up, and is counted."""
import json
import os
import re

from region import Region, check, equal, until

QUICK = {"heartbeat_ms": 300, "backoff_max_ms": 300}
SECRET = "a hundred thousand volts"  # of a customer, in no document and no log


def script(region, name, text):
    path = os.path.join(region.dir, name)
    with open(path, "w") as file:
        file.write(f"#!/bin/sh\n{text}\n")
    os.chmod(path, 0o755)
    return path


def documented():
    """The members that docs/hooks.md names."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "hooks.md")) as file:
        table = file.read().split("| member | meaning |")[1].split("\n\n")[0]
    return {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1] if "|" in row else "")}


def documents(path):
    with open(path) as file:
        return [json.loads(line) for line in file]


def numbers(path):
    with open(path) as file:
        return [int(word) for word in file.read().split()]


def lives(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"  # one that nobody has asked for yet
    except OSError:
        return False


def count(node, name):
    return {row["name"]: row["value"] for row in node.status()["counters"]}[name]


def said(node, text):
    return text in open(node.log).read()


def differ(hub, hall, account):
    """Both sides change the telephone without knowing of each other."""
    for node in (hub, hall):
        equal(node.run("customer", "put", f"account={account}", f"phone=1390000{node.name[-1] * 4}").status, 0, "a new telephone")


def decide(hub, account):
    conflict = next(row for row in hub.json("conflict", "list").lines() if row["record_id"] == account)
    equal(hub.run("conflict", "resolve", conflict["id"], "--reason", "asked").status, 0, "decided")


with Region("alarms reach a program, a file and the log") as region:
    told, file, env, full, pids, lasts = (os.path.join(region.dir, name) for name in ("told", "file", "env", "full", "pids", "lasts"))
    hub = region.hub("hub-1", start=False, **QUICK)
    hub.settings("hook", command=script(region, "tell", f"cat >> {told}\nenv > {env}\nls /proc/self/fd | wc -l >> {env}"), file=file, per_hour=1)
    region.open(hub)
    hall = region.hall("hall-2", hub, ["3201"], relay=True, **QUICK)
    account, other = region.customers(hub, 2)
    hub.run("customer", "put", f"account={account}", f"address={SECRET}")
    until("the customers are at the hall", lambda: all(hall.run("customer", "get", one).status == 0 for one in (account, other)))

    # What is wrong when a node starts is told at once; a hook that is of no use holds nobody up.
    odd = {
        "hang": (script(region, "hang", f"sleep 1000 &\necho $$ $! >> {pids}\nwait"), "it took too long and was killed"),
        "fail": (script(region, "fail", "cat > /dev/null; exit 3"), "its exit status is 3"),
        "none": (os.path.join(region.dir, "none"), "No such file"),
        "last": (script(region, "last", f"sleep 1000 &\necho $$ $! >> {lasts}\nwait"), None),
    }
    nodes = {}
    for name, (command, _) in odd.items():
        nodes[name] = node = region.hall(f"hall-{name}", hub, ["3201"], start=False, **QUICK)
        node.settings("limits", disk_reserve_mib=1048576)
        node.settings("hook", command=command, timeout_s=600 if name == "last" else 1, **({"file": full} if name == "fail" else {}))
        if name == "none":
            node.settings("log", format="json")
        node.start()
    for name, (command, text) in odd.items():
        if text is not None:
            until(f"{name} is logged", lambda: said(nodes[name], text), 30)
            until(f"{name} is counted", lambda: count(nodes[name], "hooks-failed") >= 1)
    check(count(nodes["hang"], "hooks-told") == 0, "nothing was told by it")
    first, second = documents(full)[:2]
    equal({*first, *second, "of", "cut"}, documented(), "what the document says that there is")
    equal((first["alarm"], first["phase"]), ("started", "note"), "the first document")
    wanted = {"format": 1, "node": "hall-fail", "role": "hall", "region": "test", "alarm": "disk", "phase": "begins", "severity": "error",
              "about": "hall-fail", "count": 3, "detail": "full", "again": True, "text_en": "hall-fail has little room left: full",
              "text_zh": "hall-fail 的空间不足：full"}
    equal({name: second.get(name) for name in wanted}, wanted, "what was wrong at the start")
    lines = [json.loads(line) for line in open(nodes["none"].log)]
    check({"alarm": "disk", "about": "hall-none"}.items() <= next(line for line in lines if line["event"] == "begins").items(), "the log as JSON")
    until("the second that hangs is killed with what it has started", lambda: count(nodes["hang"], "hooks-failed") == 2)
    check(not any(lives(pid) for pid in numbers(pids)), "none of them is left")
    check(all(lives(pid) for pid in numbers(lasts)), "one that may take its time does")
    for node in nodes.values():
        node.stop(3)
    check(not any(lives(pid) for pid in numbers(lasts)), "it ends with its node")

    # It begins and ends, each once; of the next one in the same hour nothing is told.
    hall.relay.cut()
    until("the hub is away", lambda: hall.status()["peers"][0]["state"] != "live")
    seen_ms = hall.status()["peers"][0]["seen_ms"]
    differ(hub, hall, account)
    equal(hall.status()["peers"][0]["seen_ms"], seen_ms, "however often it is tried, that is when it was seen")
    hall.relay.heal()
    until("the conflict is told", lambda: any(row["alarm"] == "conflict" for row in documents(told)), 40)
    decide(hub, account)
    until("its end is told", lambda: any(row["phase"] == "ends" and row["alarm"] == "conflict" for row in documents(told)), 20)
    equal([row for row in documents(told) if row["alarm"] != "disk"], [row for row in documents(file) if row["alarm"] != "disk"],
          "the program and the file are told the same")
    left_out = count(hub, "hooks-left-out")
    hall.relay.cut()
    differ(hub, hall, other)
    hall.relay.heal()
    until("the next one is left out", lambda: count(hub, "hooks-left-out") == left_out + 1, 40)
    decide(hub, other)
    until("the log has both", lambda: len(re.findall("module=alarm event=ends alarm=conflict", open(hub.log).read())) == 2, 20)
    equal([(row["phase"], row["count"]) for row in documents(file) if row["alarm"] == "conflict"], [("begins", 1), ("ends", 1)], "in this hour")
    equal(count(hub, "hooks-failed"), 0, "none has failed")

    with open(env) as seen:
        lines = seen.read().splitlines()
    equal({line.split("=")[0] for line in lines[:-1]} - {"PWD", "_", "SHLVL", "OLDPWD"}, {"PATH", "LANG"}, "its environment")
    equal(int(lines[-1]), 4, "0, 1, 2 and the directory that ls reads")
    for path in (told, file, full, hub.log, hall.log):
        check(SECRET not in open(path).read() and account not in open(path).read(), f"{path}: nobody's data")
