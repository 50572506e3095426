#!/usr/bin/env python3
"""The auditor finds what it is there for: a small history and three states that are in order, and each damage done to them by itself."""
import json
import os
import subprocess
import sys
import tempfile

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "audit.py")


def world():
    """Two payments and the reversal of one, at a hall; hub and both halls hold them."""
    one = {"account": "3201000001", "amount_fen": 500}
    two = {"account": "3201000002", "amount_fen": 700}
    back = {"payment_id": "p2"}
    invoked = {"event": "invoked", "node": "hall", "district": "3201"}
    told = {"event": "acknowledged", "node": "hall", "level": "here"}
    history = [
        {**invoked, "kind": "payment", "id": "p1", "content": one, "fen": 500},
        {**told, "kind": "payment", "id": "p1", "number": "hall-20261122-01-ABCDEF-000001"},
        {**invoked, "kind": "payment", "id": "p2", "content": two, "fen": 700},
        {**told, "kind": "payment", "id": "p2", "number": "hall-20261122-01-ABCDEF-000002", "holders": ["hall", "hub"]},
        {"event": "killed", "node": "hall"},
        {**invoked, "kind": "reversal", "id": "r1", "content": back, "fen": 700},
        {**told, "kind": "reversal", "id": "r1", "number": "hall-20261122-01-ABCDEF-000003"},
    ]
    held = [
        {"kind": "payment", "id": "p1", "content": one, "fen": 500},
        {"kind": "payment", "id": "p2", "content": two, "fen": 700},
        {"kind": "reversal", "id": "r1", "content": back, "fen": 700},
        {"totals": {"count": 2, "sum_fen": 1200, "reversed_count": 1, "reversed_fen": 700}},
        {"digest": "aa", "district": "3201", "kind": "payment", "count": 2},
        {"entry": "hall-20261122-01-ABCDEF-000001", "of": "p1", "fen": 500},
        {"entry": "hall-20261122-01-ABCDEF-000002", "of": "p2", "fen": 700},
        {"entry": "hall-20261122-01-ABCDEF-000003", "of": "r1", "fen": -700},
    ]
    scopes = {"hub": "everything", "hall": ["3201", "region"], "other": ["3201", "region"]}
    return history, {name: [{"node": name, "scope": scope}] + [dict(line) for line in held] for name, scope in scopes.items()}


def run(history, states):
    with tempfile.TemporaryDirectory(prefix="hallsync-test.") as directory:
        paths = []
        for name, lines in {"history": history, **states}.items():
            paths.append(os.path.join(directory, name))
            with open(paths[-1], "w") as out:
                out.writelines(json.dumps(line) + "\n" for line in lines)
        return subprocess.run([sys.executable, PROGRAM, *paths], capture_output=True, text=True)


def without(lines, **which):
    lines[:] = [line for line in lines if not all(line.get(key) == value for key, value in which.items())]


def change(lines, where, **what):
    for line in lines:
        if all(line.get(key) == value for key, value in where.items()):
            line.update(what)


def again(lines, **which):
    lines += [dict(line) for line in lines if all(line.get(key) == value for key, value in which.items())]


# name, damage, what the auditor must say of it
DAMAGES = [
    ("a payment is gone from the hub", lambda h, s: without(s["hub"], id="p1"), "hub: LOST: payment p1"),
    ("a payment is gone from a hall", lambda h, s: without(s["other"], id="p1"), "other: LOST: payment p1"),
    ("a reversal is gone", lambda h, s: without(s["hall"], id="r1"), "hall: LOST: reversal r1"),
    ("a hall burnt, the hub had signed", lambda h, s: (h.append({"event": "forgot", "node": "hall"}), without(s["hub"], id="p2")),
     "hub: LOST: payment p2"),
    ("a payment stands twice", lambda h, s: again(s["hub"], id="p1"), "hub: DOUBLED: payment p1"),
    ("a payment that nobody made", lambda h, s: without(h, id="p1"), "FORGED: payment p1"),
    ("its account is another", lambda h, s: change(s["hall"], {"id": "p1"}, content={"account": "3201000009", "amount_fen": 500}),
     "hall: ALTERED: payment p1"),
    ("its amount is another", lambda h, s: change(s["hall"], {"id": "p1"}, fen=501), "hall: ALTERED: payment p1"),
    ("the totals are off", lambda h, s: s["hub"][4]["totals"].update(sum_fen=1201), "hub: TOTALS: sum_fen is 1201"),
    ("a reversal is not in the totals", lambda h, s: s["hub"][4]["totals"].update(reversed_count=0), "hub: TOTALS: reversed_count is 0"),
    ("digests differ", lambda h, s: change(s["hall"], {"district": "3201"}, digest="bb"), "hub, hall: DIGESTS"),
    ("a hall has no digest", lambda h, s: without(s["hall"], district="3201"), "hub, hall: DIGESTS"),
    ("a number was printed twice", lambda h, s: h[3].update(number=h[1]["number"]), "PRINTED TWICE"),
    ("another number was printed", lambda h, s: h[3].update(number="hall-20261122-01-ABCDEF-000009"), "PRINTED: hall-20261122-01-ABCDEF-000009"),
    ("a cash entry is missing at the end", lambda h, s: without(s["hub"], of="r1"), "hub: ENTRIES: reversal r1 has 0"),
    ("and in the middle", lambda h, s: without(s["hub"], of="p2"), "hub: GAP: series hall-20261122-01-ABCDEF lacks [2]"),
    ("a second cash entry", lambda h, s: s["hub"].append({"entry": "hall-20261122-01-ABCDEF-000004", "of": "p1", "fen": 500}),
     "hub: ENTRIES: payment p1 has 2"),
    ("an entry of nothing", lambda h, s: s["hub"].append({"entry": "hall-20261122-01-ABCDEF-000004", "of": "p7", "fen": 500}),
     "hub: ENTRIES: ['hall-20261122-01-ABCDEF-000004'] are of p7"),
    ("an entry's money is another", lambda h, s: change(s["hub"], {"of": "r1"}, fen=700), "is of 700 fen, reversal r1 of -700"),
    ("one number, two entries", lambda h, s: again(s["hall"], of="p1"), "hall: DOUBLED: cash entry"),
]

# What is in order, though it looks odd.
ORDERLY = [
    ("nothing was done", lambda h, s: None),
    ("a hall burnt before anybody had its payment", lambda h, s: (h.append({"event": "forgot", "node": "hall"}),
                                                                 [(without(state, id="r1"), without(state, of="r1"),
                                                                   state[3]["totals"].update(reversed_count=0, reversed_fen=0))
                                                                  for state in s.values()])),
    ("asked for and never acknowledged", lambda h, s: h.append({"event": "invoked", "node": "hall", "kind": "payment", "id": "p9",
                                                                "district": "3201", "content": {}, "fen": 1})),
    ("out of a hall's scope", lambda h, s: (s["other"][0].update(scope=["3202"]), s["other"].__delitem__(slice(1, None)))),
]

print("auditor: every damage is found, and nothing else")
failed = []
for name, damage, wanted in DAMAGES:
    history, states = json.loads(json.dumps(world()))
    damage(history, states)
    done = run(history, states)
    if done.returncode != 1 or wanted not in done.stdout:
        failed.append(f"{name}: status {done.returncode}, no '{wanted}' in:\n{done.stdout}{done.stderr}")
for name, play in ORDERLY:
    history, states = json.loads(json.dumps(world()))
    play(history, states)
    done = run(history, states)
    if done.returncode != 0:
        failed.append(f"{name}: status {done.returncode}:\n{done.stdout}{done.stderr}")
print("\n".join(failed) or f"{len(DAMAGES)} damages found, {len(ORDERLY)} orderly histories passed")
sys.exit(1 if failed else 0)
