#!/usr/bin/env python3
"""The auditor: holds what clients were told against what every node has in the end.  It shares no code with hallsync.

    audit.py HISTORY STATE...       prints the violations, and a line of figures; exit status 1 if there are any

The system tests write these files, and so may anything else that runs nodes, such as the simulator.  All are JSON objects, one a line.

HISTORY, in the order in which it happened to the clients:

    {"event":"invoked","node":N,"kind":K,"id":I,"district":D,"content":C,"fen":F}
        A client asks node N to keep the fact I of kind K ("payment", "reversal", or any other).  C is any JSON value: all that the
        client said; whoever holds the fact must hold exactly this.  F: its money, of a reversal that of its payment; absent: none.
        The same fact may be invoked again, here or elsewhere: it is still one.
    {"event":"acknowledged","node":N,"kind":K,"id":I,"level":L,"holders":[N...],"number":R}
        The client was told that it is kept, at level "here", "hub" or "safe".  The holders are the nodes that the level promises to have
        it on disk; absent: N alone.  R: the receipt number that was printed; absent: none.  A higher level may follow.
    {"event":"forgot","node":N}
        A fault took from N's disk what it had: it burnt, or an older copy came back.  What N holds by itself is owed no more.
    Any other event is passed over: "killed", "cut", "refused" tell the reader what happened.

STATE, a file for each node, in any order behind the first line:

    {"node":N,"scope":[D...]}               the districts that it holds in full ("region" as well); "everything" for a hub
    {"kind":K,"id":I,"content":C,"fen":F}   a fact that it holds, each time that it does; of a reversal without its payment no F
    {"entry":R,"of":I,"fen":F}              a cash entry that it holds; a reversal's is below zero
    {"totals":{"count":..,"sum_fen":..,"reversed_count":..,"reversed_fen":..}}      what it says its payments add up to
    {"digest":X,"district":D,"kind":K,"count":..}                                   its digests

What must hold is said at the functions below.
"""
import json
import sys
from collections import defaultdict

MONEY = ("payment", "reversal")


class Fact:
    def __init__(self):
        self.contents, self.numbers, self.nodes = [], set(), set()
        self.holders, self.level, self.district, self.fen = set(), None, None, None


class History:
    def __init__(self, lines):
        self.facts = defaultdict(Fact)  # (kind, id)
        self.forgetful = set()
        self.events = 0
        for line in lines:
            event = json.loads(line)
            self.events += 1
            take = {"invoked": self.invoked, "acknowledged": self.acknowledged, "forgot": self.forgot}.get(event["event"])
            if take:
                take(event)

    def invoked(self, event):
        fact = self.facts[event["kind"], event["id"]]
        fact.district, fact.fen = event["district"], event.get("fen")
        fact.nodes.add(event["node"])
        if event["content"] not in fact.contents:
            fact.contents.append(event["content"])

    def acknowledged(self, event):
        fact = self.facts[event["kind"], event["id"]]
        fact.level = event["level"]
        fact.holders |= set(event.get("holders", [event["node"]]))
        if event.get("number"):
            fact.numbers.add(event["number"])

    def forgot(self, event):
        self.forgetful.add(event["node"])
        for fact in self.facts.values():
            fact.holders.discard(event["node"])


class State:
    def __init__(self, lines):
        self.held, self.entries = defaultdict(list), defaultdict(list)  # (kind, id) -> facts; number -> entries
        self.totals, self.digests = None, {}
        self.name = None
        for line in lines:
            self.take(json.loads(line))

    def take(self, line):
        if "node" in line:
            self.name, self.scope = line["node"], line["scope"]
        elif "entry" in line:
            self.entries[line["entry"]].append(line)
        elif "totals" in line:
            self.totals = line["totals"]
        elif "digest" in line:
            self.digests[line["district"], line["kind"]] = (line["count"], line["digest"])
        else:
            self.held[line["kind"], line["id"]].append(line)

    def whole(self):
        return self.scope == "everything"

    def holds(self, district):
        return self.whole() or district in self.scope


# ---- what must hold ----

def nothing_lost(history, state):
    """What was acknowledged, and whose holders have not all forgotten, is at every full holder of its district."""
    for (kind, number), fact in history.facts.items():
        if fact.holders and state.holds(fact.district) and (kind, number) not in state.held:
            yield f"LOST: {kind} {number}, acknowledged as '{fact.level}'"


def nothing_doubled_or_altered(history, state):
    """What a node holds was asked for by a client, with just this content, and stands there once."""
    for (kind, number), found in state.held.items():
        if len(found) > 1:
            yield f"DOUBLED: {kind} {number} stands there {len(found)} times"
        fact = history.facts.get((kind, number))
        if fact is None:
            yield f"FORGED: {kind} {number} that nobody asked for"
            continue
        for one in found:
            unknown = kind == "reversal" and "fen" not in one  # of another district, whose payment is not here
            if one["content"] not in fact.contents or (one.get("fen") != fact.fen and not unknown):
                yield f"ALTERED: {kind} {number}: {one['content']} {one.get('fen')}, asked for: {fact.contents} {fact.fen}"


def money_adds_up(history, state):
    """A node's totals are those of the auditor's own sums over what it holds; with the above: over what was asked for.  A reversal without
    its payment gives nothing."""
    if state.totals is None:
        return
    paid = [found[0]["fen"] for (kind, _), found in state.held.items() if kind == "payment"]
    back = [found[0]["fen"] for (kind, _), found in state.held.items() if kind == "reversal" and "fen" in found[0]]
    wanted = {"count": len(paid), "sum_fen": sum(paid), "reversed_count": len(back), "reversed_fen": sum(back)}
    for name, value in wanted.items():
        if state.totals.get(name, 0) != value:
            yield f"TOTALS: {name} is {state.totals.get(name, 0)}, the facts held give {value}"


def entries_fit(history, state):
    """Each cash entry stands once, for one fact, with its money; a hub has one for each payment and reversal, and a second only where the
    fact was asked for at several nodes, or its node forgot; numbers that were printed are there."""
    of = defaultdict(list)
    for number, found in state.entries.items():
        if len(found) > 1:
            yield f"DOUBLED: cash entry {number} stands there {len(found)} times"
        of[found[0]["of"]].append(number)
    if not state.whole():
        return
    for (kind, number), found in state.held.items():
        fact = history.facts.get((kind, number))
        if kind not in MONEY or fact is None:
            continue
        several = len(fact.nodes) > 1 or fact.nodes & history.forgetful
        if not of[number] or len(of[number]) > 1 and not several:
            yield f"ENTRIES: {kind} {number} has {len(of[number])} cash entries: {of[number]}"
        wanted = found[0]["fen"] if kind == "payment" else -found[0]["fen"]
        for entry in of[number]:
            if state.entries[entry][0]["fen"] != wanted:
                yield f"ENTRIES: {entry} is of {state.entries[entry][0]['fen']} fen, {kind} {number} of {wanted}"
        for printed in fact.numbers if fact.holders else ():
            if printed not in of[number]:
                yield f"PRINTED: {printed} was printed for {kind} {number}, which has {of[number]}"
    known = {number for kind, number in state.held if kind in MONEY}
    for fact, numbers in of.items():
        if fact not in known:
            yield f"ENTRIES: {numbers} are of {fact}, which is not there"


def series_have_no_gap(history, state):
    """The numbers of a series that a hub holds are 1, 2, 3... without a gap."""
    series = defaultdict(set)
    for number in state.entries if state.whole() else ():
        name, counter = number.rsplit("-", 1)
        series[name].add(int(counter))
    for name, counters in series.items():
        missing = set(range(1, max(counters) + 1)) - counters
        if missing:
            yield f"GAP: series {name} lacks {sorted(missing)[:5]} of {max(counters)}"


def numbers_are_unique(history):
    """No number was printed for two facts."""
    owner = {}
    for (kind, number), fact in history.facts.items():
        for printed in fact.numbers:
            if owner.setdefault(printed, (kind, number)) != (kind, number):
                yield f"PRINTED TWICE: {printed}, for {owner[printed][1]} and {number}"


def digests_agree(one, other):
    """Any two nodes have equal digests, and so equal records, of every district that both hold."""
    for name in sorted(set(one.digests) | set(other.digests)):
        if one.holds(name[0]) and other.holds(name[0]) and one.digests.get(name) != other.digests.get(name):
            yield f"{one.name}, {other.name}: DIGESTS of {name}: {one.digests.get(name)} and {other.digests.get(name)}"


def audit(history, states):
    """All violations, as sentences."""
    found = list(numbers_are_unique(history))
    for state in states:
        for rule in (nothing_lost, nothing_doubled_or_altered, money_adds_up, entries_fit, series_have_no_gap):
            found += [f"{state.name}: {text}" for text in rule(history, state)]
    for i, one in enumerate(states):
        for other in states[i + 1:]:
            found += digests_agree(one, other)
    return found


def figures(history, states):
    facts = history.facts.values()
    acknowledged = sum(1 for fact in facts if fact.level)
    owed = sum(1 for fact in facts if fact.holders)
    return (f"audit: {history.events} events, {len(history.facts)} facts asked for, {acknowledged} acknowledged, {owed} owed; "
            + ", ".join(f"{state.name} holds {len(state.held)}" for state in states))


def audit_files(history_path, state_paths):
    with open(history_path) as lines:
        history = History(lines)
    states = []
    for path in state_paths:
        with open(path) as lines:
            states.append(State(lines))
    return audit(history, states), figures(history, states)


def main():
    if len(sys.argv) < 3:
        print("usage: audit.py HISTORY STATE...", file=sys.stderr)
        return 2
    violations, text = audit_files(sys.argv[1], sys.argv[2:])
    for violation in violations:
        print(violation)
    print(text)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
