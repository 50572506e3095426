#!/usr/bin/env python3
"""A stopped hall's files are damaged: it says so or shows what is true, and neither the hub nor another hall gets anything false."""
import os
import shutil

from region import Failed, Region, check, equal, payment, until
from witness import Witness

ROUNDS = int(os.environ.get("HS_ROUNDS") or (300 if os.environ.get("HS_LONG") else 8))
PAYMENTS = 300
DAMAGED = 5  # the status with which verify ends


def data(node, env):
    return os.path.join(node.dir, env, "data.mdb")


def flip(chance, path, count):
    """So many bits, where the pages are (behind them lie zeros that nobody reads)."""
    with open(path, "r+b") as file:
        used = len(file.read().rstrip(b"\0"))
        for _ in range(count):
            at = chance.randrange(used)
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 1 << chance.randrange(8)]))


def cut(chance, path, _):
    os.truncate(path, chance.randrange(1, os.path.getsize(path)))


def empty(_, path, __):
    os.truncate(path, 0)


def gone(_, path, __):
    os.unlink(path)


def another(chance, path, _):
    with open(path, "r+b") as file:
        file.write(chance.randbytes(os.path.getsize(path)))


def damage(chance, node):
    """One damage of the log or of the records; or of the log, with records that have to be made anew from it."""
    where = chance.choice([["log"], ["records"], ["log", "records"]])
    how = chance.choice([flip, flip, flip, cut, empty, gone, another])
    count = chance.choice([1, 5, 30, 300])
    how(chance, data(node, where[0]), count)
    if len(where) > 1:
        os.unlink(data(node, "records"))
    return f"{where} {how.__name__}" + (f" {count}" if how is flip else "")


def look(node):
    """Read everything; what it refused to answer."""
    reads = [("payment", "totals"), ("payment", "list", "--limit", "100000"), ("customer", "export"), ("digest",)]
    answers = [node.run(*words, "--timeout", "3s") for words in reads]
    return [answer.err.strip() for answer in answers if answer.status != 0]


def over_records(node):
    """Has it ended because the records were to be made anew for too long?"""
    return (node.process.poll() or 0) > 0 and "reason=timed-out" in node.tail()


def start(node):
    """Start it and look, several times if need be: records that cannot be read are made anew from the log, and a process that ends over
    them is started again, as a supervisor does.  The first refusals, and the last."""
    first = None
    for _ in range(20):
        try:
            if node.process is None:
                node.start()
        except Failed:
            return first or ["start"], ["start"]
        last = look(node)
        first = last if first is None else first
        if not last:
            break
        if over_records(node):
            node.process = None
        elif node.process.poll() is not None:
            break
    return first, last


def tells_of_rot(hall):
    return any("rotted" in problem for problem in hall.status()["problems"])


def check_finds(hall):
    """A node that has just started reads itself whole only when the rush is over; here it is asked to do so now."""
    return hall.run("verify", "--json", seconds=120).status == DAMAGED and hall.process.poll() is None


def all_is_well(witness, hub, hall, other):
    for node in (hall, other):
        node.synced()
    witness.signed(hall)
    witness.verify(hub, hall, other)


def go_on(witness, hub, hall, other, account):
    """It has shown everything and said nothing: then all is well, to the last digest, and it goes on taking money; or its status says
    what has rotted and does not come again, or a check says it."""
    answer = witness.pay(hall, payment(account, next(witness.numbers)))
    if answer is None:
        until("the hall answers no more because it has ended", lambda: hall.process.poll() is not None, 60)
    if answer and answer.get("error") == "damaged":
        return "told at writing"
    check(answer and "receipt" in answer, f"{answer}")
    try:
        until("what rotted has come again", lambda: not tells_of_rot(hall), 20)
        all_is_well(witness, hub, hall, other)
    except Failed:
        if hall.process.poll() is not None or not (tells_of_rot(hall) or check_finds(hall)):
            raise
        return "told by status"
    return None


def said(what, hall, first, refused):
    """It did not say that all is well: what it said instead."""
    ended = hall.process.poll()
    if ended is None:
        check(all("damaged" in text or "timed-out" in text for text in first + refused), f"{what}: {first}, {refused}")
        return "told at reading"
    if ended < 0:
        return f"ended by signal {-ended}"  # LMDB has no checksums: a damaged page may lead it anywhere in the map
    check(any(word in hall.tail() for word in ("damaged", "no-store", "foreign-store", "newer-schema")),
          f"{what}: no clear word:\n{hall.tail()}")
    return "told at start, or when it ended"


def live(what, witness, hub, hall, other, account):
    """From a start until it is clear what came of the damage; None: it ended to be started again."""
    first, refused = start(hall)
    if hall.process.poll() is None and not refused:
        try:
            told = go_on(witness, hub, hall, other, account)
            return told or ("made anew" if first else "nothing amiss")
        except Failed:  # over what it had not read before?
            if hall.process.poll() is None:
                print(what)
                raise
            if over_records(hall):
                hall.process = None
                return None
    return said(what, hall, first, refused)


with Region(f"{ROUNDS} damages of a stopped hall's store are told of, or harmless") as region:
    chance = region.random
    hub = region.hub("nj-hub")
    hall = region.hall("nj-gulou", hub, ["3201"], heartbeat_ms=300, backoff_max_ms=300)
    other = region.hall("nj-xuanwu", hub, ["3201"])
    accounts = region.customers(hall, 100)
    witness = Witness(region)
    witness.pay_all(hall, [payment(accounts[i % 100], next(witness.numbers)) for i in range(PAYMENTS)])
    for node in (hall, other):
        node.synced()
    witness.signed(hall)
    hall.stop()
    whole = hall.dir + ".whole"
    shutil.copytree(hall.dir, whole)
    outcomes = {}

    for _ in range(ROUNDS):
        shutil.rmtree(hall.dir)
        shutil.copytree(whole, hall.dir)
        open(hall.log, "w").close()
        what = damage(chance, hall)
        witness.write("forgot", hall)
        lives = (live(what, witness, hub, hall, other, accounts[0]) for _ in range(5))
        outcome = next((outcome for outcome in lives if outcome), None)
        check(outcome, f"{what}: it ends over its records at each start")
        outcomes.setdefault(outcome, []).append(what)
        if hall.process.poll() is None:
            hall.kill()
        hall.process = None
    for outcome, whats in outcomes.items():
        print(f"{outcome}: {len(whats)}: {', '.join(sorted(set(whats)))}")
    # Whatever it was, it stayed there.
    other.synced()
    witness.verify(hub, other)
    equal([node.status()["forks"] for node in (hub, other)], [0, 0], "forks")
