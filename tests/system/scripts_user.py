#!/usr/bin/env python3
"""The operators' scripts as root, beside a service of another user: a stick that is root's alone, a backup of the stopped node, a restore and
a rebuild, all from cron; and nothing is left in the data that the service cannot read.  Skipped where the test is not root."""
import os
import pwd
import shutil
import subprocess
import sys

from ops import Ops, recovery
from region import BIN, Region, agree, check, equal, payment, until

USER = "nobody"

if os.geteuid() != 0 or not shutil.which("runuser"):
    print("scripts_user.py: skipped: only root works for another user")
    sys.exit(77)


def give(path):
    """To the service's user."""
    user = pwd.getpwnam(USER)
    for directory, _, names in os.walk(path):
        for entry in [directory, *(os.path.join(directory, name) for name in names)]:
            os.lchown(entry, user.pw_uid, user.pw_gid)


def of_others(path):
    uid = pwd.getpwnam(USER).pw_uid
    return [entry for directory, _, names in os.walk(path) for entry in [directory, *(os.path.join(directory, name) for name in names)]
            if os.lstat(entry).st_uid != uid]


def programs(region, ops):
    """Where that user gets at them; and daemons run as that user."""
    os.chmod(region.dir, 0o755)
    place = os.path.join(region.dir, "bin")
    os.mkdir(place)
    for name in ("hallsync", "hallsyncd"):
        shutil.copy(os.path.join(BIN, name), place)
    with open(os.path.join(ops.bin, "hallsyncd"), "w") as file:
        file.write(f'#!/bin/sh\nexec setpriv --reuid {USER} --clear-groups {place}/hallsyncd "$@"\n')
    os.chmod(os.path.join(ops.bin, "hallsyncd"), 0o755)
    ops.env["PATH"] = f"{ops.bin}:{place}:/usr/bin:/bin"  # as cron has it


def stranger(region, hall):
    """Who may not read the node's data is told that, whatever else might be the matter with a node that does not answer."""
    conf, out = shutil.copy(hall.conf, region.dir), os.path.join(region.dir, "out")
    os.mkdir(out)
    os.chmod(out, 0o777)
    for words in (["bundle", "export", "--for", "nj-hub", "--out", out], ["backup"], ["verify"], ["repair"]):
        done = subprocess.run(["setpriv", "--reuid", "65533", "--regid", "65533", "--clear-groups", os.path.join(region.dir, "bin", "hallsync"),
                               "-c", conf, "--timeout", "100ms", *words], capture_output=True, text=True)
        equal(done.returncode, 4, done.stderr)
        check("permission: " in done.stderr and "as its user" in done.stderr, done.stderr)


def who(region, hall):
    """Behind `sudo -u USER` as behind sudo alone the audit trail names who has called it."""
    command = ["setpriv", "--reuid", USER, "--clear-groups", os.path.join(region.dir, "bin", "hallsync"), "-c", hall.conf]
    for words, caller in ((["user", "add", "zhao", "--role", "viewer"], {"SUDO_USER": "li"}), (["user", "remove", "zhao"], {})):
        subprocess.run([*command, *words], input="drei Birnen am Zaun\n", text=True, check=True, env={**os.environ, **caller})
    equal([(one["action"], one["name"]) for one in hall.json("audit").lines()][:2], [("user_remove", USER), ("user_add", "li")], "who")


with Region("the operators' scripts work for a service's user") as region:
    ops = Ops(region)
    programs(region, ops)
    hub = region.hub("nj-hub")
    hall = region.hall("nj-gulou", hub, ["3201"], start=False)
    secret = recovery(ops, hall)
    backups, stick = os.path.join(region.dir, "nj-gulou-backups"), os.path.join(region.dir, "stick")
    os.mkdir(backups)
    os.mkdir(stick, 0o700)
    give(hall.dir)
    give(backups)
    ops.unit(hall)
    ops.systemctl("start", hall)
    accounts = region.customers(hub, 10)
    hall.synced()
    who(region, hall)

    def pay(numbers):
        hall.put_lines(["payment", "add"], [payment(accounts[n % 10], n) for n in numbers])

    def whole(count):
        hall.synced()
        until("hub and hall agree", lambda: agree(hub, hall), 60)
        equal(hub.totals()["count"], count, "payments")
        equal(of_others(hall.dir), [], "what the service does not own of its data")

    pay(range(10))
    ops.done("carry-bundle", hall, "out", "--for", "nj-hub", "--stick", stick)
    check(os.listdir(stick), "the stick is empty")
    whole(10)
    hall.stop()
    ops.done("backup-node", hall)  # stopped: the command itself opens the store
    equal(of_others(hall.dir) + of_others(backups), [], "what a backup of a stopped node leaves")
    stranger(region, hall)
    ops.systemctl("start", hall)
    pay(range(10, 15))
    whole(15)

    (backup,) = os.listdir(backups)
    hall.kill()
    shutil.rmtree(hall.dir)
    ops.done("restore-node", hall, "--backup", os.path.join(backups, backup), "--secret", secret, "--user", USER)
    pay(range(15, 20))
    whole(20)

    hall.kill()
    shutil.rmtree(hall.dir)
    token = os.path.join(region.dir, "token")
    with open(token, "w") as file:
        file.write(hub.json("node", "enroll", "nj-gulou", "--rebuild").object()["token"])
    ops.done("rebuild-hall", hall, "--token", token, "--user", USER)
    pay(range(20, 25))
    whole(25)
