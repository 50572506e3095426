#!/usr/bin/env python3
"""A node that cannot run says which thing, why and what to do; SIGTERM ends it cleanly, SIGHUP re-reads, one node a directory."""
import os
import shutil
import signal
import socket
import subprocess
import time

from region import SLOW, Region, check, equal, tool, until


def attempt(conf):
    return subprocess.run([tool("hallsyncd"), "-c", conf], capture_output=True, text=True, timeout=20 * SLOW)


with Region("clear errors at start; clean ends") as region:
    hub = region.hub("nj-hub")
    hall = region.hall("nj-gulou", hub, ["3201"])

    second = attempt(hall.conf)
    check(second.returncode == 1 and "in-use" in second.stderr, f"a second daemon: {second.returncode} {second.stderr}")

    started = time.monotonic()
    hall.stop()
    check(time.monotonic() - started < 2 * SLOW, "SIGTERM took over two seconds")

    def with_conf(change, error):
        path = os.path.join(region.dir, "bad.yaml")
        with open(path, "w") as out:
            out.write(change(open(hall.conf).read()))
        done = attempt(path)
        check(done.returncode in (1, 2) and error in done.stderr, f"wanted '{error}': {done.returncode} {done.stderr}")
        return done.stderr

    text = with_conf(lambda conf: conf + "\ncolour: red\n", "colour")
    check("line" in text, f"an unknown key is named without its line: {text}")
    with_conf(lambda conf: conf.replace('role: "hall"', 'role: "king"'), "role")
    with_conf(lambda conf: conf.replace("nj-gulou", "nj-other", 1), "nj-other")
    with_conf(lambda conf: conf + "\nlog:\n  level: \"loud\"\n", "loud")
    with_conf(lambda conf: conf + "\nlimits:\n  credit_kib: 1\n", "credit_kib")
    with_conf(lambda conf: conf.replace("tcp://127", "udp://127"), "udp://")
    missing = attempt(os.path.join(region.dir, "nothing.yaml"))
    check(missing.returncode == 2 and "nothing.yaml" in missing.stderr, f"no file: {missing.stderr}")

    # A port that another program has.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        hub.stop()
        conf = open(hub.conf).read()
        hub.rewrite_conf(lambda text: text.replace(str(hub.port), str(port)))
        done = attempt(hub.conf)
        check(done.returncode == 1 and "address-in-use" in done.stderr and str(port) in done.stderr, f"a used port: {done.stderr}")
        hub.rewrite_conf(lambda text: conf)
    hub.start()

    # The store of another node.
    stolen = os.path.join(region.dir, "stolen")
    other = region.hall("nj-xuanwu", hub, ["3202"])
    other.stop()
    shutil.copytree(other.dir, stolen, ignore=shutil.ignore_patterns("hallsync.sock"))
    for part in ("log", "records"):
        shutil.rmtree(os.path.join(stolen, part))
        shutil.copytree(os.path.join(hall.dir, part), os.path.join(stolen, part))
    with_conf(lambda conf: open(other.conf).read().replace(other.dir, stolen), "foreign-store")

    # Keys that everybody may read.
    key = os.path.join(hall.dir, "keys", "node.key")
    os.chmod(key, 0o644)
    done = attempt(hall.conf)
    check(done.returncode == 1 and "node.key" in done.stderr and "chmod" in done.stderr, f"an open key file: {done.stderr}")
    os.chmod(key, 0o600)

    hall.start()
    hall.rewrite_conf(lambda conf: conf + "\nlog:\n  level: \"debug\"\n")
    hall.process.send_signal(signal.SIGHUP)
    until("the configuration is re-read", lambda: "event=reloaded" in open(hall.log).read())
    hall.rewrite_conf(lambda conf: conf + "\nnonsense: 1\n")
    hall.process.send_signal(signal.SIGHUP)
    until("a bad one is told", lambda: "event=reload-failed" in open(hall.log).read())
    hall.rewrite_conf(lambda conf: conf.replace("\nnonsense: 1\n", ""))
    equal(hall.run("status", "--json").status, 0, "and changes nothing")

    # Ready only when it answers: sd_notify.
    path = os.path.join(region.dir, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(path)
        notify.settimeout(20 * SLOW)
        hall.stop()
        region.env["NOTIFY_SOCKET"] = path
        hall.start()
        equal(notify.recv(100), b"READY=1", "sd_notify")
        hall.stop()
        equal(notify.recv(100), b"STOPPING=1", "sd_notify")
        del region.env["NOTIFY_SOCKET"]
