#!/usr/bin/env python3
"""The queue of a hall with its link down: a ticket machine and 13 windows at once, a board that follows the feed; no number twice, none
left out, nobody called by two windows; then the hub has all of it, and its figures are those of a plain recomputation."""
import json
import random
import subprocess
import threading

from region import SEED, Region, check, equal, tool, until

WINDOWS, CUSTOMERS = 13, 60
ENDS = ("served", "skipped", "left")


class Board:
    """What a screen shows: of each number the last that the feed has told."""

    def __init__(self, node):
        self.numbers, since = {}, node.status()["position"]
        self.feed = subprocess.Popen([tool("hallsync"), "-c", node.conf, "watch", "queue", "--from", since],
                                     stdout=subprocess.PIPE, text=True)
        node.region.endings.append(self.end)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.feed.stdout:
            change = json.loads(line)
            shown = change["record"] if change["kind"] == "queue_ticket" else change["record"]["queue"]
            self.numbers[shown["number"]] = shown["state"], shown.get("window")

    def end(self):
        self.feed.kill()
        self.feed.wait()


class Window(threading.Thread):
    """Calls whoever is next until all are through; of some nobody comes, some are passed on once."""

    def __init__(self, hall, number, through):
        super().__init__()
        self.hall, self.number, self.through, self.failed = hall, number, through, None
        self.called, self.luck = [], random.Random(SEED + number)
        self.start()

    def do(self, verb, *words):
        return self.hall.json("queue", verb, str(self.number), *words).object()["number"]

    def serve(self, number):
        draw = self.luck.random()
        if draw < 0.1:
            equal(self.do("skip"), number, "skipped")
        elif draw < 0.2:
            equal(self.do("recall"), number, "recalled")
            equal(self.do("serve"), number, "served at the second call")
            equal(self.do("transfer", f"to_window={self.number % WINDOWS + 1}"), number, "passed on")
            return
        else:
            equal(self.do("serve"), number, "begun")
            equal(self.do("done"), number, "done")
        self.through.add(number)

    def run(self):
        try:
            while len(self.through) < CUSTOMERS:
                answer = self.hall.run("queue", "call", str(self.number), f"clerk=c{self.number}", "--json")
                if answer.status != 0:
                    check("not-found" in answer.out, f"window {self.number}: {answer.out} {answer.err}")
                    continue
                number = answer.object()["number"]
                self.called.append(number)
                self.serve(number)
        except Exception as failure:  # told by the main thread
            self.failed = failure
            self.through.update(range(CUSTOMERS))  # the others need not wait


def export(node, kind):
    return node.json(kind, "export").lines()


def recompute(tickets, events, hall):
    """States by number, and calls by window, from nothing but the exported records."""
    state, calls = {ticket["queue_id"]: "waiting" for ticket in tickets if ticket["hall"] == hall}, {}
    leads = {"called": "called", "recalled": "called", "serving": "serving", "served": "served", "skipped": "skipped",
             "transferred": "waiting", "left": "left"}
    for event in events:
        state[event["queue_id"]] = leads[event["event"]]
        if event["event"] == "called":
            calls[event["window"]] = calls.get(event["window"], 0) + 1
    return state, calls


with Region("the queue of a hall") as region:
    hub = region.hub("nj-hub")
    hall = region.hall("nj-gulou", hub, ["3201"], relay=True, heartbeat_ms=500, backoff_max_ms=300)
    hall.synced()
    hall.relay.cut()
    board, through = Board(hall), set()

    windows = [Window(hall, number, through) for number in range(1, WINDOWS + 1)]
    drawn = [hall.json("queue", "take", "A" if i % 3 else "B", *(["priority=elderly"] if i % 10 == 9 else [])).object()["number"]
             for i in range(CUSTOMERS)]
    for window in windows:
        window.join()
    for window in windows:
        check(window.failed is None, f"window {window.number}: {window.failed}")
    in_a, in_b = CUSTOMERS - (CUSTOMERS + 2) // 3, (CUSTOMERS + 2) // 3
    equal(sorted(drawn), [f"A{i:03}" for i in range(1, in_a + 1)] + [f"B{i:03}" for i in range(1, in_b + 1)], "numbers, without gaps")
    equal(through, set(drawn), "each number was called, none is left")

    # What is refused is named.
    hall.refused("bad-value", "queue", "take", "a1")
    hall.refused("not-found", "queue", "done", "3")
    hall.refused("unknown-ticket", "queue", "leave", "A999")
    hall.refused("bad-state", "queue", "leave", next(number for number in drawn if board.numbers.get(number, "?")[0] == "served"))

    # Somebody who was skipped comes back, somebody goes.
    late = hall.json("queue", "take", "B").object()["number"]
    equal(hall.json("queue", "leave", late).object()["number"], late, "gone")
    equal(hall.run("queue", "list").out.count("A0"), 0, "nobody waits")

    listed = {state: hall.json("queue", "list", "--state", state).lines() for state in ("waiting", "called", "serving", *ENDS)}
    equal(sum(len(rows) for rows in listed.values()), CUSTOMERS + 1, "each number is in one state")
    states = {row["number"]: state for state, rows in listed.items() for row in rows}
    until("the board shows the same", lambda: {number: shown[0] for number, shown in board.numbers.items()} == states)
    figures = hall.json("queue", "figures").object()
    tickets, events = export(hall, "queue-ticket"), export(hall, "queue-event")

    # The link is up: the hub has the same, to the digest, and its figures are the same.
    hall.relay.heal()
    hall.synced()
    until("the hub has all of it", lambda: len(export(hub, "queue-event")) == len(events))
    equal(sorted(json.dumps(one, sort_keys=True) for one in export(hub, "queue-ticket")),
          sorted(json.dumps(one, sort_keys=True) for one in tickets), "tickets at the hub")
    theirs = hub.json("queue", "figures", "nj-gulou").object()
    for part in ("all", "hours", "windows"):
        equal(theirs[part], figures[part], f"figures at the hub: {part}")

    by_id = {ticket["queue_id"]: ticket["number"] for ticket in tickets}
    shown = {one["queue_id"]: one for one in (hub.json("queue", "get", queue_id).object() for queue_id in by_id)}
    for one in shown.values():
        check(all(event["fits"] for event in one["events"]), f"all events of {one['number']} fit: {one['events']}")
        at = [event["window"] for event in one["events"] if event["event"] == "called"]
        equal(len(at), 1 + sum(event["event"] == "transferred" for event in one["events"]) if one["state"] != "left" else 0,
              f"calls of {one['number']}")
    in_order = [{**event, "queue_id": one["queue_id"]} for one in shown.values() for event in one["events"]]
    equal(len(in_order), len(events), "events, by ticket and in all")
    recomputed, calls = recompute(tickets, in_order, "nj-gulou")
    equal({by_id[queue_id]: state for queue_id, state in recomputed.items()}, states, "states")
    equal(sum(calls.values()), sum(len(window.called) for window in windows), "calls, as the windows counted them")
    for row in theirs["windows"]:
        equal(row["calls"], calls[row["window"]], f"calls of window {row['window']}")
    counts = {state: sum(one == state for one in states.values()) for state in ("waiting", *ENDS)}
    equal({state: theirs["all"][state] for state in counts}, counts, "tickets by state")
    check("wait s" in hub.run("queue", "figures", "nj-gulou").out, "figures for people")
    equal(hall.run("verify", "--full").status, 0, "indexes and lists are what the records say")
