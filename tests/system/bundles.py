#!/usr/bin/env python3
"""A laptop hall works for days without a link and hands its work in by stick; receipts and what its district got come back the same
way.  A lost stick, one that comes twice, late, in parts or in another order does no harm; one that is somebody else's, damaged or cut
is refused, and so is what would leave a gap."""
import os
import shutil

from region import Region, agree, check, equal, payment, until


def pay(node, accounts, numbers):
    return node.put_lines(["payment", "add"], [payment(accounts[n % len(accounts)], n) for n in numbers])


def stick(region, name):
    path = os.path.join(region.dir, name)
    os.mkdir(path)
    return path


def export(node, receiver, directory, *words):
    return node.json("bundle", "export", "--for", receiver, "--out", directory, *words).object()


def take(node, *files, words=(), status=0):
    return node.json("bundle", "import", *files, *words, status=status).lines()


def refuse(node, error, path, status):
    before = node.digests()
    answer = node.run("bundle", "import", path, "--json")
    equal(answer.status, status, f"{error}: {answer.out} {answer.err}")
    check(error in answer.out + answer.err, f"no '{error}' in {answer.out} {answer.err}")
    equal(node.digests(), before, f"{error}, and yet the records are others")
    return answer


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)
    return path


with Region("a laptop hall hands in by stick, and gets back what it needs") as region:
    hub = region.hub("nj-hub")
    gulou = region.hall("nj-gulou", hub, ["3201"])
    laptop = region.hall("nj-laptop", hub, ["3201"], relay=True)
    accounts = region.customers(hub, 40)
    for hall in (gulou, laptop):
        hall.synced()
    laptop.relay.cut()
    laptop.stop()
    laptop.dials()  # no upstream at all: whatever comes, comes by stick
    laptop.start()

    # Days of work on both sides; the first stick is lost.
    first, second = stick(region, "first"), stick(region, "second")
    pay(laptop, accounts, range(0, 30))
    lost = export(laptop, "nj-hub", first)
    check(lost["operations"] >= 30 and lost["recipients"] == 1 and lost["left_out"] == 0, f"{lost}")
    laptop.restart()
    pay(laptop, accounts, range(30, 60))
    laptop.json("customer", "put", f"account={accounts[0]}", "phone=139-0000-0001")
    pay(gulou, accounts, range(1000, 1020))
    gulou.synced()
    equal(laptop.json("payment", "get", f"{7:032x}").object()["safe"], "here", "before any stick came back")

    # The last one alone is enough; the way back is made at once.
    sent = export(laptop, "nj-hub", second)
    back = stick(region, "back")
    said = take(hub, *sent["files"], words=["--answer", back])
    equal([line.get("result") for line in said], ["imported", None], "the import, and its answer")
    equal(said[0]["sender"], "nj-laptop", "who made it")
    equal((said[0]["new"], said[0]["held"], said[0]["left"]), (said[0]["operations"], 0, []), "all of it is new")
    equal(hub.totals()["count"], 80, "payments at the hub")
    until("the other hall has them, too", lambda: gulou.totals()["count"] == 80)

    # Twice, and the older one late.
    again = take(hub, *sent["files"])[0]
    equal((again["result"], again["new"], again["held"]), ("old", 0, again["operations"]), "the same again")
    late = take(hub, *lost["files"])[0]
    equal((late["result"], late["new"]), ("old", 0), "the older one behind the newer one")
    equal(hub.totals()["count"], 80, "nothing counts twice")

    # The way back: receipts, and what the district got.
    answer = said[1]
    equal((answer["receiver"], answer["left_out"], answer["pruned"]), ("nj-laptop", 0, 0), f"{answer}")
    check(20 <= answer["operations"] < 60, f"what the laptop has itself does not go along: {answer}")
    got = take(laptop, *answer["files"])[0]
    equal(got["result"], "imported", "the way back")
    check(got["receipts_new"] > 0, f"{got}")
    equal(laptop.json("payment", "get", f"{7:032x}").object()["safe"], "hub", "a hub has signed, by stick")
    equal(laptop.totals()["count"], 80, "payments of the district at the laptop")
    until("equal records", lambda: agree(hub, laptop, gulou))
    equal(export(laptop, "nj-hub", second, "--size", "1")["operations"], 0, "everything is signed for")

    # Who can open it, and who cannot.
    pay(laptop, accounts, range(60, 90))
    third = stick(region, "third")
    path = export(laptop, "nj-hub", third)["files"][0]
    shown = gulou.json("bundle", "show", path).object()
    equal((shown["sender"], shown["purpose"], shown["parts"]), ("nj-laptop", "bundle", 1), "seen by anybody")
    check("content" in shown and "operations" not in shown, f"and no more: {shown}")
    inside = hub.json("bundle", "show", path).object()
    check(inside["operations"] >= 30 and inside["receiver"] == "nj-hub" and inside["last"], f"{inside}")
    equal(hub.totals()["count"], 80, "showing takes nothing in")
    refuse(gulou, "other-recipient", path, 4)
    data = open(path, "rb").read()
    damaged = data[:len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1:]
    wrong = os.path.join(third, "wrong.hsb")
    refuse(hub, "damaged", write(wrong, damaged), 5)
    refuse(hub, "cut-short", write(wrong, data[:-7]), 5)
    refuse(hub, "not-sealed", write(wrong, b"GIF89a" + data), 4)
    refuse(hub, "newer-file", write(wrong, data.replace(b"sealed 1", b"sealed 2", 1)), 4)
    refuse(hub, "cut-short", write(wrong, b""), 5)
    check(laptop.run("bundle", "export", "--for", "nj-gulou", "--out", third).status != 0, "from hall to hall")
    check(laptop.run("bundle", "export", "--for", "nobody", "--out", third).status != 0, "for nobody")

    # A gap is named, and closed by what lies before it; in one command the order is no matter.
    pay(laptop, accounts, range(90, 100))
    tail = export(laptop, "nj-hub", stick(region, "tail"), "--from", "91")["files"]
    missing = take(hub, *tail, status=1)[0]
    equal(missing["result"], "incomplete", "a gap")
    left = missing["left"][0]
    equal((left["error"], left["node_id"], left["lane"], left["needs_last"]), ("gap", "nj-laptop", "money", left["first"] - 1), f"{left}")
    equal(hub.totals()["count"], 80, "nothing of it was taken")
    both = take(hub, *tail, path)
    equal([line["result"] for line in both], ["imported", "imported"], f"in the wrong order: {both}")
    rest = export(laptop, "nj-hub", stick(region, "rest"))["files"]
    take(hub, *rest)
    equal(hub.totals()["count"], 120, "payments at the hub")

    # Both stopped: the same commands.
    pay(laptop, accounts, range(200, 230))
    laptop.stop()
    hub.stop()
    gulou.kill()
    cold = export(laptop, "nj-hub", stick(region, "cold"))
    said = take(hub, *cold["files"], words=["--answer", back])
    equal((said[0]["result"], said[0]["left"]), ("imported", []), f"into a stopped store: {said}")
    taken = take(laptop, *said[1]["files"])[0]
    check(taken["receipts_new"] > 0, f"{taken}")
    gulou.start()
    hub.start()
    laptop.start()
    equal(hub.totals()["count"], 150, "payments at the hub")
    equal(laptop.json("payment", "get", f"{215:032x}").object()["safe"], "hub", "signed by the stopped hub")

    # Much: in parts, in files no larger than was asked for, taken in any order and in part.
    region.customers(laptop, 15000, edition=1)
    big = export(laptop, "nj-hub", stick(region, "big"), "--size", "1")
    files = big["files"]
    check(len(files) > 1 and big["parts"] > len(files), f"split by size: {big}")
    check(all(os.path.getsize(file) <= 1 << 20 for file in files), "no file is larger")
    part = take(hub, files[-1], status=1)[0]
    equal(part["result"], "incomplete", "the last file alone")
    check(part["left"][0]["error"] == "gap" and part["new"] == 0, f"{part}")
    half = take(hub, files[0])[0]
    equal((half["result"], half["last"]), ("imported", False), "the first file alone")
    done = take(hub, *reversed(files))
    equal({line["result"] for line in done} - {"imported", "old"}, set(), f"all of them, backwards: {done}")
    shutil.rmtree(os.path.join(region.dir, "big"))
    back2 = export(hub, "nj-laptop", stick(region, "back2"))
    take(laptop, *back2["files"])
    until("equal records", lambda: agree(hub, laptop))
    equal(export(laptop, "nj-hub", stick(region, "end"))["operations"], 0, "everything is signed for")
