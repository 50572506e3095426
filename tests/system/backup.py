#!/usr/bin/env python3
"""Hall and hub are backed up while they work, and restored from it: what the backups lack comes back from the others; a hub's
verified backup makes "safe"; what is damaged, cut or somebody else's is refused and changes nothing."""
import glob
import os
import shutil
import tempfile
import threading

from region import SLOW, Payers, Region, check, equal, payment, tool, until
import subprocess


def key(region, name):
    done = subprocess.run([tool("hallsync"), "backup-key", "new", os.path.join(region.dir, name)], capture_output=True, text=True)
    equal(done.returncode, 0, f"backup-key new: {done.stderr}")
    return done.stdout.strip()


def command(*words):
    done = subprocess.run([tool("hallsync"), *words], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


with Region("backups made hot, restored, verified; what they lack comes back") as region:
    elsewhere = tempfile.mkdtemp(prefix="hallsync-test-backups.", dir="/dev/shm")  # another file system than the data's
    region.endings.append(lambda: shutil.rmtree(elsewhere))
    public, secret = key(region, "recovery.key"), os.path.join(region.dir, "recovery.key")
    key(region, "other.key")
    hub = region.hub("nj-hub", start=False, admit_after_ms=2000)
    hub.settings("backup", recipients=[public], dir=elsewhere, keep=2, second_store="yes")
    region.open(hub)
    hub.restart()  # with the port that it was given: the backup has the configuration that it runs with
    hall = region.hall("nj-gulou", hub, ["3201"], relay=True)
    accounts = region.customers(hall, 50)
    hall.synced()

    # A node without recovery keys says what to do.
    answer = hall.run("backup", "--json")
    equal(answer.status, 4, "a backup without recipients")
    check("backup-key new" in answer.err, f"what to do: {answer.err}")
    hall.stop()
    hall.settings("backup", recipients=[public])
    hall.settings("listen", counters=f"ipc://{hall.dir}/counters.sock")
    hall.settings("hook", file=f"{hall.dir}/alarms.jsonl")
    hall.start()

    # A copy that cannot be: told before a backup is made, which would take the place of an older one.
    taken = os.path.join(region.dir, "recovery.key")
    for out, status, text in ((os.path.join(region.dir, "nowhere", "x"), 2, "no directory"), (region.dir + "/nowhere/", 2, "no directory"),
                              (taken, 4, "there already")):
        answer = hall.run("backup", "--out", out)
        equal(answer.status, status, f"--out {out}: {answer.err}")
        check(text in answer.err and out in answer.err, f"--out {out}: {answer.err}")
    check(not os.path.exists(os.path.join(hall.dir, "backups")), "no backup is made where none can be copied")
    again = command("backup-key", "new", taken)
    check(again[0] == 4 and "another file" in again[2], f"a recovery key over another: {again}")

    # Hot, with payments coming in all the time.
    stopping = threading.Event()
    payers = Payers(hall, accounts, range(0, 1_000_000), stopping)
    payers.start()
    until("some payments", lambda: len(payers.acknowledged) > 10)
    first = hall.json("backup").object()
    copy = os.path.join(region.dir, "hall.backup")
    second = hall.json("backup", "--out", copy).object()
    equal(second["file"], copy, "--out")
    check(second["commit"] > first["commit"] and second["payments"] >= first["payments"] > 0, f"{first} {second}")
    of_hub = hub.json("backup").object()
    until("payments behind the backups", lambda: len(payers.acknowledged) > second["payments"] + 10)
    stopping.set()
    payers.join()
    check(payers.error is None, f"payers: {payers.error}")
    hall.synced()
    paid = dict(payers.acknowledged)

    # What a hub's verified backup holds, two stores hold.
    status = hub.status()["backup"]
    equal((status["second_store"], status["last_commit"]), ("yes", of_hub["commit"]), "the hub's backup in its status")
    newest = f"{max(int(number, 16) for number in paid):032x}"
    equal(hall.json("payment", "get", newest).object()["safe"], "hub", "a payment behind the backup")
    hub.json("backup")
    until("the payment is safe at the hall", lambda: hall.json("payment", "get", newest).object()["safe"] == "safe")
    equal(hub.json("payment", "get", newest).object()["safe"], "safe", "and at the hub")
    hub.json("backup")
    equal(len(os.listdir(elsewhere)), 2, "backups that are kept")

    # What is in it, whole; with another key, damaged, cut, as a file of another sort.
    shown = command("backup", "show", copy, "--secret", secret, "--json")
    equal(shown[0], 0, f"backup show: {shown}")
    check('"nj-gulou"' in shown[1], f"the manifest: {shown[1]}")
    data = open(copy, "rb").read()
    wrong = os.path.join(region.dir, "wrong.backup")
    target = os.path.join(region.dir, "restored")
    for what, content, with_key, status, error in (
            ("damaged", data[:len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1:], secret, 5, "damaged"),
            ("cut", data[:-10], secret, 5, "cut-short"),
            ("another sort", b"PK\3\4" + data, secret, 4, "not-sealed"),
            ("of a later version", data.replace(b"sealed 1", b"sealed 2", 1), secret, 4, "newer-file"),
            ("another key", data, os.path.join(region.dir, "other.key"), 4, "other-recipient")):
        with open(wrong, "wb") as file:
            file.write(content)
        got = command("restore", wrong, "--data", target, "--secret", with_key, "--json")
        check(error in got[1], f"{what}: {got}")
        equal(got[0], status, f"{what}: {got}")
        check(not os.path.exists(os.path.join(target, "log")), f"{what} and yet there is a store")

    # The hall's disk is lost; off line it goes on from the backup, on line it gets back the rest.
    running = command("restore", copy, "--data", hall.dir, "--secret", secret, "--force")
    check(running[0] != 0 and "in-use" in running[2], f"a directory in use: {running}")
    before = hall.status()
    hall.kill()
    hall.relay.cut()
    refused = command("restore", copy, "--data", hall.dir, "--secret", secret)
    check(refused[0] != 0 and "--force" in refused[2], f"a directory that is not empty: {refused}")
    shutil.rmtree(hall.dir)
    done = command("restore", copy, "--data", hall.dir, "--secret", secret)
    equal(done[0], 0, f"restore: {done}")
    check("Missing is what happened after" in done[1], f"what it lacks: {done[1]}")
    moved = os.path.join(region.dir, "moved")
    done = command("restore", copy, "--data", moved, "--secret", secret)
    equal(done[0], 0, f"restore in another place: {done}")
    conf = open(os.path.join(moved, "hallsync.yaml"), encoding="utf-8").read()
    check(f"ipc://{moved}/counters.sock" in conf and f"{moved}/alarms.jsonl" in conf and hall.dir not in conf, f"what lay below the data lies there still: {conf}")
    hall.start()
    equal(hall.totals()["count"], second["payments"], "payments of the backup")
    check(hall.status()["store_id"] != before["store_id"], "the restored store is another one")
    receipts = [hall.json("payment", "add", *[f"{k}={v}" for k, v in payment(accounts[0], 2_000_000 + n).items()]).object()["receipt"]
                for n in range(5)]
    hall.relay.heal()
    hall.synced()
    for node in (hall, hub):
        held = {r["payment_id"]: r["amount_fen"] for r in node.json("payment", "list").lines()}
        missing = [number for number, amount in paid.items() if held.get(number) != amount]
        equal(missing, [], f"{node.name}: payments that are gone")
        equal(len(held), len(paid) + 5, f"{node.name}: payments")
    numbers = [r.get("receipt") for r in hub.json("payment", "list").lines()]
    equal(len(set(numbers)), len(numbers), "a receipt number was given twice")
    check(hall.status()["origin"] != before["origin"], "no fresh origin was taken")

    # The hub is set back to its backup over what it had; the hall gives it back what it lacks.
    payment_now = payment(accounts[1], 3_000_000)
    hall.json("payment", "add", *[f"{k}={v}" for k, v in payment_now.items()])
    hall.synced()
    hub.stop()
    file = sorted(os.listdir(elsewhere))[-1]
    done = command("restore", os.path.join(elsewhere, file), "--data", hub.dir, "--secret", secret, "--force", "--json")
    equal(done[0], 0, f"restore of the hub: {done}")
    check(os.path.isdir(os.path.join(hub.dir, "replaced")), "what was there is kept")
    check(not os.path.exists(os.path.join(hub.dir, "keys", "root.key")), "the root key is in no backup")
    equal(hub.json("bundle", "export", "--for", hall.name, "--out", region.dir).status, 0, "a command before its first start")
    before = os.path.getsize(hub.log)
    hub.start()
    hall.synced()
    for node in (hall, hub):
        equal(node.totals()["count"], len(paid) + 6, f"{node.name}: payments after the hub was restored")
    check(b"event=admitting" in open(hub.log, "rb").read()[before:], "a restored hub is closed until it has been told who was revoked")
    check(hub.status()["backup"]["second_store"] != "yes", "a restored hub vouches for nothing yet")
    equal(hub.json("payment", "get", newest).object()["safe"], "hub", "what a lost store and its backups had signed for counts no more")

    # The newest backup goes: it is not vouched for any more.
    hub.json("backup")
    equal(hub.status()["backup"]["second_store"], "yes", "the next backup counts again")
    hub.stop()
    for name in os.listdir(elsewhere):
        os.unlink(os.path.join(elsewhere, name))
    hub.start()
    until("the hub takes its word back", lambda: hub.status()["backup"]["second_store"] != "yes")
    check("last_ms" not in hub.status()["backup"], "a backup that is gone is not the last one")

    # A stopped node can be backed up, too.
    hall.stop()
    stopped = hall.json("backup").object()
    equal(stopped["payments"], len(paid) + 6, "payments in the backup of a stopped node")
    hall.start()
    check(hall.status()["origin"] is not None, "it goes on")

    # A timer that has stopped is seen.  (A sanitizer's runtime wants to be the first library itself.)
    for library in glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1") if SLOW == 1 else []:
        hall.stop()
        hall.env = {"LD_PRELOAD": library, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
                    "FAKETIME_FORCE_MONOTONIC_FIX": "0", "FAKETIME": "-5d"}
        for name in glob.glob(os.path.join(hall.dir, "backups", "*")):
            os.unlink(name)
        hall.start()
        hall.json("backup")
        hall.stop()
        hall.env = {}
        hall.start()
        until("the age is a problem", lambda: any("5 days old" in text for text in hall.status().get("problems", [])))

        # One that was made while the clock was ahead is not the newest for ever.
        hall.stop()
        hall.env = {"LD_PRELOAD": library, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
                    "FAKETIME_FORCE_MONOTONIC_FIX": "0", "FAKETIME": "+5d"}
        hall.start()
        ahead = hall.json("backup").object()
        hall.stop()
        hall.env = {}
        hall.start()
        made = hall.json("backup").object()
        check(made["commit"] > ahead["commit"], f"{ahead} {made}")
        last = hall.status()["backup"]
        equal((last["last_commit"], last["last_file"]), (made["commit"], made["file"]), "the newest backup, whatever the clock said")
