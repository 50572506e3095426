#!/usr/bin/env python3
"""Every command that may last says what it does: by lines where nobody watches, by a bar on a terminal, and nothing while it is short.
The list below has all commands that may last; what a command is not in it for is said beside it, and a new one has to be put somewhere."""
import os
import re
import signal
import subprocess
import time

from region import SLOW, Region, check, equal, tool, until
from terminal import Terminal

QUICK = {"backoff_max_ms": 300}
CUSTOMERS = 2500

# One call of the node, or none: cli_call() itself tells that it is waited for.  Whole commands, or groups of which no other is named above.
SHORT = """help version init backup-key status why top watch receipt queue appointment window day books slot catalogue notice reprint
    invoice-request handing-in grant calendar rating node user reissue""".split()
# Those of all kinds are the same code.
ALIKE = {"get": "customer get", "put": "customer put", "list": "ticket list", "find": "ticket list", "import": "customer import",
         "export": "customer export"}
ONE = {"customer get", "customer transfer", "reminder subscribe", "reminder done", "payment add", "payment reverse", "payment refund",
       "payment credit", "payment totals", "report day", "report queue", "conflict show", "conflict resolve", "conflict release",
       "conflict reject", *(f"ticket {word}" for word in "open event missing urge tick pass link attach consent reopen note".split())}
SAME = {"report overdue": "ticket list", "rebuild": "rebuild"}  # the list of late tickets


def run(conf, *words, progress="0ms", data=None):
    env = {**os.environ, "HALLSYNC_PROGRESS": progress} if progress else {k: v for k, v in os.environ.items() if k != "HALLSYNC_PROGRESS"}
    return subprocess.run([tool("hallsync"), "-c", conf, *words], input=data, capture_output=True, text=True, env=env, timeout=120 * SLOW)


with Region("long commands say what they do") as region:
    hub = region.hub("nj-hub", **QUICK)
    hall = region.hall("nj-gulou", hub, ["3201"], start=False, **QUICK)
    rows = os.path.join(region.dir, "customers.csv")
    with open(rows, "w") as file:
        file.write("account,name\n" + "".join(f"3201{i:06d},A\n" for i in range(CUSTOMERS)))
    secret, public = os.path.join(region.dir, "recovery"), None
    public = subprocess.run([tool("hallsync"), "backup-key", "new", secret], capture_output=True, text=True, check=True).stdout.strip()
    hall.settings("backup", recipients=[public])
    hall.start()
    hall.synced()
    said = {}

    def says(words, *texts, conf=hall.conf, data=None, status=0):
        """With the progress of each step told at once, in words that say what is done; standard output is as it is without."""
        done = run(conf, *words, data=data)
        equal(done.returncode, status, f"{' '.join(words)}: {done.stderr}")
        told = [line for line in done.stderr.splitlines() if line.startswith(f"hallsync: ")]
        for text in texts:
            check(any(re.search(text, line) for line in told), f"{' '.join(words)}: no line with '{text}':\n{done.stderr}")
        check("waiting for the node, for" not in done.stdout and "\r" not in done.stdout + done.stderr, "on standard output")
        said[tuple(words)] = texts
        return done

    # -- of a running node
    says(["customer", "import", rows], r"customer import: importing: \d+ %, \d+ rows, \d+/s")
    says(["customer", "put", "-"], r"customer put: writing, \d+ lines", data='{"account":"3201000001","name":"B"}\n')
    exported = says(["customer", "export"], r"customer export: reading: customer, \d+ records", r"reading: customer: 8\d %")
    equal(len(exported.stdout.splitlines()), CUSTOMERS + 1, "what was exported")
    out = os.path.join(region.dir, "out")
    os.mkdir(out)
    says(["export", "--out", out], r"export: reading")
    says(["customer", "put", "3201000002", "name=C"], r"waiting for the node")
    says(["export", "--out", out], r"export: reading what has changed")
    says(["conflict", "list"], r"conflict list: reading conflicts, 0 conflicts")
    says(["audit"], r"audit: reading the audit trail, 0 entries")
    says(["report", "arrears"], r"report arrears: reading arrears, 0 accounts")
    says(["reminder", "due"], r"reminder due: reading reminders")
    says(["ticket", "list", "--overdue"], r"ticket list: reading: ticket")
    says(["ticket", "escalate", "--overdue"], r"ticket escalate: reading: ticket")
    says(["digest"], r"digest: waiting for the node")
    says(["wait", "--synced", "--timeout", "60s"], r"wait: waiting until hub and node hold the same, for \d+ s of at most 60 s")
    says(["verify"], r"verify: (waiting for the check|reading the log)")
    says(["verify", "--remote"], r"verify: (comparing: \d+ %|waiting for)")
    says(["repair"], r"repair: (waiting for the check|reading the log)")
    says(["backup"], r"backup: (waiting|writing|reading)")
    bundle = says(["bundle", "export", "--for", "nj-hub", "--from", "1", "--out", region.dir], r"bundle export: writing the bundle")
    file = bundle.stdout.splitlines()[0]
    says(["bundle", "show", file], r"bundle show: reading the bundle: \d+ %")
    hub_says = says(["bundle", "import", file], r"bundle import: reading the bundle: \d+ %", conf=hub.conf)

    # -- on a terminal: a bar that makes way for what is said, and is gone in the end
    with Terminal([tool("hallsync"), "-c", hall.conf, "customer", "import", rows], env={"HALLSYNC_PROGRESS": "0ms"}) as terminal:
        equal(terminal.ended(60), 0, "an import on a terminal")
        check(re.search(rb"\[#* *\] +\d+ %  importing, \d+ rows, ", terminal.written), terminal.written)
        check("importing" not in terminal.screen.text() and "2500 rows" in terminal.screen.text(), terminal.screen.text())
        equal(terminal.screen.overlong, [], "lines that are too long")
    with Terminal([tool("hallsync"), "-c", hall.conf, "customer", "export"], columns=50, env={"HALLSYNC_PROGRESS": "0ms"}) as terminal:
        equal(terminal.ended(60), 0, "an export on a terminal")
        shown = [*terminal.screen.gone, *terminal.screen.lines()]
        check(all(re.fullmatch(r"[^%]*", line) for line in shown), "nothing of the bar is left among the lines")
        equal(sum(line.startswith("3201") for line in shown), CUSTOMERS, "each line is there")

    # -- stopped, and gone on with behind other commands: the terminal is theirs, and no bar stands in what they write
    with Terminal(["bash", "--norc", "--noprofile", "-i"], env={"HALLSYNC_PROGRESS": "0ms", "PS1": "$ "}) as terminal:
        hall.process.send_signal(signal.SIGSTOP)
        terminal.press(f"{tool('hallsync')} -c {hall.conf} --timeout 60s customer get 3201000001\n")
        terminal.until("a bar", lambda text: "waiting for the node" in text)
        terminal.press("\x1a")
        terminal.until("it is stopped", lambda text: "Stopped" in text)
        terminal.press("printf '\\033[2J\\033[H'; bg; echo be''hind\n")
        terminal.until("the next command", lambda text: "behind" in text.split())
        time.sleep(1)
        check("waiting for" not in terminal.look(), "a bar of what is in the background")
        hall.process.send_signal(signal.SIGCONT)
        terminal.press("fg\n")
        terminal.until("the answer", lambda text: re.search(r"account +3201000001", text))

    # -- short ones say nothing; one that waits for a silent node does after two seconds, and not before
    for words in (["status"], ["customer", "get", "3201000001"], ["customer", "export"], ["verify"], ["wait", "--synced"]):
        began = time.monotonic()
        done = run(hall.conf, *words, progress=None)
        check(done.stderr == "" or time.monotonic() - began > 2, f"{words}: {done.stderr}")
    hall.process.send_signal(signal.SIGSTOP)
    with Terminal([tool("hallsync"), "-c", hall.conf, "customer", "get", "3201000001"]) as terminal:
        began = time.monotonic()
        terminal.until("it waits for the node", lambda text: "waiting for the node, for " in text)
        check(time.monotonic() - began >= 1.9, "two seconds are not over")
        hall.process.send_signal(signal.SIGCONT)
        equal(terminal.ended(), 0, "it was answered")
        check("waiting" not in terminal.screen.text() and "3201000001" in terminal.screen.text(), terminal.screen.text())
    hall.process.send_signal(signal.SIGSTOP)
    silent = run(hall.conf, "customer", "get", "3201000001", "--timeout", "3s", progress=None)
    quiet = run(hall.conf, "customer", "get", "3201000001", "--timeout", "3s", progress="no")
    hall.process.send_signal(signal.SIGCONT)
    told = [line for line in silent.stderr.splitlines() if "waiting" in line]
    check(len(told) == 1 and re.fullmatch(r"hallsync: customer get: waiting for the node, for [2-9] s", told[0]), f"one line: {told}")
    check("waiting" not in quiet.stderr, "HALLSYNC_PROGRESS=no")

    # -- the operators' scripts, on a terminal: what a step does, and for how long
    ops = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts", "lib", "ops.sh")
    work = os.path.join(region.dir, "ops")
    os.mkdir(work)
    steps = f". {ops}; ops_work={work}; log={work}/log; run bash -c 'until [ -e {work}/one ]; do sleep 0.1; done'; echo behind; " \
            f"wait_for 'a while' test -e {work}/two; echo end"
    with Terminal(["bash", "-c", steps]) as terminal:
        terminal.until("the step is told of", lambda text: re.search(r"^   bash, \d+ s$", text, re.M))
        open(os.path.join(work, "one"), "w").close()
        terminal.until("the wait is told of", lambda text: re.search(r"^behind\n   waiting for a while, \d+ s$", text, re.M))
        open(os.path.join(work, "two"), "w").close()
        equal(terminal.ended(), 0, "steps of a script")
        equal(terminal.screen.text().split(), ["behind", "end"], "what is left of it")

    with open(os.path.join(work, "ninja"), "w") as stub:
        stub.write(f"#!/bin/sh\necho '[1/4] Building'\nuntil [ -e {work}/three ]; do sleep 0.1; done\n")
    os.chmod(os.path.join(work, "ninja"), 0o755)
    common = os.path.join(os.path.dirname(ops), "common.sh")
    with Terminal(["bash", "-c", f". {common}; top={work}; PATH={work}:$PATH; compile build; echo end"]) as terminal:
        terminal.until("how far a build is", lambda text: re.search(r"^   1 of 4, about \d+ s left$", text, re.M))
        open(os.path.join(work, "three"), "w").close()
        equal(terminal.ended(), 0, "a build")
        equal(terminal.screen.text().split(), ["end"], "what is left of it")
    for size, left in ((0, "0 %"), (250, "25 %, 31 s left"), (1000, "100 %")):
        open(os.path.join(work, "part"), "wb").write(b"x" * size)
        part = subprocess.run(["bash", "-c", f". {ops}; ops_part copying {work}/part 1000 10"], capture_output=True, text=True, check=True)
        equal(part.stdout, f"copying, {left}", "how much is copied")

    # -- of a stopped node
    hall.stop()
    says(["verify", "--full"], r"verify: reading the log: \d+ %, \d+ rows", r"holding the log against the records", r"reading the records")
    says(["repair"], r"repair: reading the log: \d+ %")
    says(["backup"], r"backup: opening the store", r"backup: (writing|reading)")
    says(["bundle", "export", "--for", "nj-hub", "--from", "1", "--out", region.dir], r"bundle export: writing the bundle")
    backup = max((os.path.join(hall.dir, "backups", name) for name in os.listdir(os.path.join(hall.dir, "backups"))), key=os.path.getmtime)
    says(["backup", "show", backup, "--secret", secret], r"backup show: \w+: \d+ %")
    says(["restore", backup, "--data", os.path.join(region.dir, "copy"), "--secret", secret], r"restore: \w+")
    token = hub.json("node", "enroll", "nj-new", "--district", "3209").object()["token"]
    says(["join", token, "--data", os.path.join(region.dir, "nj-new")], r"join: waiting for the hub, for \d+ s of at most 10 s")
    again = hub.json("node", "enroll", "nj-new", "--rebuild").object()["token"]
    says(["rebuild", again, "--data", os.path.join(region.dir, "nj-anew"), "--timeout", "500ms"], r"rebuild: waiting for the hub",
         r"rebuild: waiting for the node", status=3)

    # -- and no command is left out: each is above, or known for one call
    helped = subprocess.run([tool("hallsync"), "help"], capture_output=True, text=True, check=True).stdout
    commands = {match.group(1).strip() for match in re.finditer(r"^  ([a-z][a-z-]*(?: [a-z][a-z-]*(?![^ \n]))?)", helped, re.M)}
    walked = {" ".join(words[:count]) for words in said for count in (1, 2)} | ONE
    left = [command for command in commands if command not in walked and command.split()[0] not in SHORT
            and ALIKE.get(command.split()[-1]) not in walked and SAME.get(command) not in walked]
    check(len(commands) > 60, f"the list of commands: {commands}")
    equal(sorted(left), [], "commands that neither say what they do nor are known to be short")
