#!/usr/bin/env python3
"""What the systemd units forbid nobody needs: nodes, a hook, a backup and the console, each under its unit's filter of system calls,
address families and memory."""
import json
import os
import ssl
import subprocess
import sys

from confined import is_possible
from console import Console, user
from region import Region, check, equal, tool, until

HERE = os.path.dirname(os.path.abspath(__file__))
UNITS = os.path.join(HERE, "..", "..", "docs", "systemd")
HOOK = """#!/usr/bin/env python3
# As one that tells the desk: a name is looked up, TLS made ready, another program run.
import json, socket, ssl, subprocess, sys
document = json.load(sys.stdin)
socket.getaddrinfo("localhost", 443)
ssl.create_default_context()
subprocess.run(["sh", "-c", "exit 0"], check=True)
with open(%r, "a") as file:
    file.write(document["alarm"] + "\\n")
"""


def under(unit):
    return [sys.executable, os.path.join(HERE, "confined.py"), os.path.join(UNITS, unit)]


def is_forbidden(unit, *command):
    return subprocess.run([*under(unit), *command], capture_output=True).returncode != 0


def words(unit, key):
    with open(os.path.join(UNITS, unit)) as file:
        return [word for line in file if line.startswith(key + "=") for word in line.strip().partition("=")[2].split()]


# A unit does not start without a directory that it names and does not make itself.
for name in os.listdir(UNITS):
    ours = {f"/run/{word}" for word in words(name, "RuntimeDirectory")}
    missing = [path for path in words(name, "ReadWritePaths") if path.startswith("/run/") and path not in ours]
    check(not missing, f"{name}: {missing} may not be there: it needs a '-' before it")

if not is_possible():
    print("this machine's calls have other numbers")
    sys.exit(77)

with Region("the units' restrictions leave their programs what they need") as region:
    # They do forbid something.
    check(is_forbidden("hallsync-admin.service", "/bin/chown", "0", "/tmp"), "the console owns nothing else")
    check(is_forbidden("hallsync-backup.service", sys.executable, "-c", "import socket; socket.socket(socket.AF_INET)"), "a backup has no network")
    check(is_forbidden("hallsync.service", sys.executable, "-c", "import mmap; mmap.mmap(-1, 4096, prot=7)"), "nothing is written and run")

    told, hook = os.path.join(region.dir, "told"), os.path.join(region.dir, "hook")
    with open(hook, "w") as file:
        file.write(HOOK % told)
    os.chmod(hook, 0o755)
    hub = region.hub("hub-1", start=False)
    key = subprocess.run([tool("hallsync"), "backup-key", "new", os.path.join(region.dir, "key")], capture_output=True, text=True, check=True)
    hub.settings("hook", command=hook, file=told + ".jsonl")
    hub.settings("backup", recipients=[key.stdout.strip()])
    hub.under = under("hallsync.service")
    region.open(hub)
    hall = region.hall("hall-2", hub, ["3201"], start=False)
    hall.rewrite_conf(lambda text: text.replace("tcp://127.0.0.1:", "tcp://localhost:"))  # a name to look up
    hall.under = hub.under
    hall.start()
    hub.json("customer", "put", "account=3201000001", "name=A")
    until("the customer is at the hall", lambda: hall.run("customer", "get", "3201000001").status == 0)
    until("the hook has run", lambda: os.path.exists(told) and open(told).read() == "started\n")

    backup = subprocess.run([*under("hallsync-backup.service"), tool("hallsync"), "-c", hub.conf, "backup", "--json"], capture_output=True, text=True)
    equal(backup.returncode, 0, f"a backup: {backup.stdout} {backup.stderr}")

    certificate, secret = os.path.join(region.dir, "console.pem"), os.path.join(region.dir, "console.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=hub", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-keyout", secret, "-out", certificate], check=True, capture_output=True)
    os.chmod(secret, 0o600)
    user(hub, "li")
    with Console(hub, under=under("hallsync-admin.service"), tls_cert=certificate, tls_key=secret) as console:
        browser = console.browser(tls=ssl.create_default_context(cafile=certificate))
        browser.login("li")
        for path in ("/", "/api/overview", "/api/audit", "/metrics"):
            equal(browser.get(path).status, 200, path)
        until("the hall is there", lambda: "hall-2" in json.dumps(browser.get("/api/overview").json()))
    for node in (hall, hub):
        node.stop()
