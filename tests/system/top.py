#!/usr/bin/env python3
"""The live view on real terminals: a hub with halls, one of which goes and comes; keys, sizes, a node that does not answer, every way
out.  No frame has a line that is wider than its terminal."""
import os
import re
import signal
import subprocess

from region import Region, check, equal, tool, until
from terminal import Terminal

QUICK = {"backoff_max_ms": 300}
HALLS = ["nj-gulou", "nj-xuanwu", "nj-jianye"]


def rows(text):
    """The rows of the table: from the titles to the empty line below it."""
    lines = text.splitlines()
    first = next((i for i, line in enumerate(lines) if line.startswith("peer ")), len(lines))
    return [line for line in lines[first + 1:-1] if line]


def names(text):
    return [row.split()[0] for row in rows(text)]


def state(text, name):
    return next((row.split()[1] for row in rows(text) if row.startswith(name + " ")), "")


def whole(terminal):
    equal(terminal.screen.overlong, [], "lines that are wider than the terminal")


with Region("the live view of a hub") as region:
    hub = region.hub("nj-hub", **QUICK)
    halls = [region.hall(name, hub, [f"32{i:02d}"], **QUICK) for i, name in enumerate(HALLS, 1)]
    top = [tool("hallsync"), "-c", hub.conf, "top", "--interval", "500ms"]

    # -- no terminal, or one that can do nothing: said, and nothing is written
    done = subprocess.run(top, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    equal((done.returncode, done.stdout, "needs a terminal" in done.stderr), (2, "", True), f"without a terminal: {done.stderr}")
    for kind in ("none-such", "dumb"):
        with Terminal(top, env={"TERM": kind}) as terminal:
            equal(terminal.ended(), 2, f"TERM={kind}")
            check("cannot do what top needs" in terminal.look() and terminal.restored(), terminal.look())

    # -- what a hub of three halls looks like on 80 x 24
    with Terminal(top) as terminal:
        text = terminal.until("three live halls", lambda text: [state(text, name) for name in HALLS] == ["live"] * 3 and
                              " 0 behind" in text, 20)
        lines = text.splitlines()
        check(lines[0].startswith("nj-hub   hub of test   hallsync ") and re.search(r"\d\d:\d\d:\d\d$", lines[0]), text)
        check(lines[1].startswith("3 live   0 behind   0 away") and "free" in lines[1], text)
        check(re.match(r"peer +(role +)?state +for +cause +to send +oldest +to come", lines[3]), text)
        check(lines[23].startswith("q quit  ? help"), text)

        # -- keys
        terminal.press("on")
        terminal.until("ordered by name", lambda text: "by peer" in text and names(text) == sorted(HALLS))
        terminal.press("r")
        terminal.until("and the other way round", lambda text: names(text) == sorted(HALLS, reverse=True))
        terminal.press("/xuan")
        terminal.until("filtered while it is typed", lambda text: names(text) == ["nj-xuanwu"] and "filter: xuan_" in text)
        terminal.press("\r\r")
        terminal.until("all about it", lambda text: re.search(r"^state +live for ", text, re.M) and re.search(r"^districts +3202", text, re.M))
        terminal.press("\x1b")
        terminal.until("back to the list", lambda text: names(text) == ["nj-xuanwu"])
        terminal.press("\x1b")
        terminal.until("all of them", lambda text: len(names(text)) == 3)
        terminal.press("?")
        terminal.until("help", lambda text: "reverse the order" in text)
        terminal.press("qow")
        terminal.until("the list, the worst first", lambda text: "by worst first" in text and len(names(text)) == 3)

        # -- a hall goes: it is told first; it comes back
        halls[0].stop()
        text = terminal.until("a hall is away", lambda text: state(text, "nj-gulou") not in ("", "live") and "1 away" in text, 20)
        equal(names(text)[0], "nj-gulou", "the worst first")
        terminal.press("b")
        terminal.until("only those behind", lambda text: names(text) == ["nj-gulou"] and "1 of 3" in text)
        terminal.press("b")
        halls[0].start()
        terminal.until("it is back", lambda text: state(text, "nj-gulou") == "live" and "3 live" in text, 20)

        # -- another size, smaller and larger
        for columns, height in ((46, 7), (132, 40)):
            terminal.resize(columns, height)
            terminal.until(f"drawn for {columns} x {height}", lambda text: len(names(text)) == min(3, height - 5) and
                           text.splitlines()[height - 1].startswith("q quit"))
            terminal.redraw()
            whole(terminal)

        # -- the node is gone, and comes back; keys are answered meanwhile
        hub.stop()
        terminal.until("no answer", lambda text: "node does not answer since " in text)
        terminal.press("?")
        terminal.until("help without a node", lambda text: "reverse the order" in text)
        terminal.press("q")
        hub.start()
        terminal.until("an answer", lambda text: "does not answer" not in text and "3 live" in text, 30)
        whole(terminal)
        hub.process.send_signal(signal.SIGSTOP)  # one that is there and says nothing
        terminal.press("?")
        terminal.until("help while the node is silent", lambda text: "reverse the order" in text)
        terminal.press("qq")
        equal(terminal.ended(), 0, "q")
        hub.process.send_signal(signal.SIGCONT)
        check(terminal.restored(), "the terminal after q")

    # -- other terminals: ASCII where the language has no more, no colour where none is wanted or there is none; every way out
    for env, name, status in (({"TERM": "vt100", "LC_ALL": "C"}, "SIGTERM", 143), ({"TERM": "linux", "NO_COLOR": "1"}, "SIGHUP", 129),
                              ({"TERM": "xterm-256color"}, "SIGINT", 0), ({"TERM": "xterm"}, "SIGABRT", -6)):
        with Terminal(top, 100, 30, env=env) as terminal:
            terminal.until(f"halls with {env}", lambda text: len(names(text)) == 3)
            terminal.signal(name)
            equal(terminal.ended(), status, name)
            check(terminal.restored(), f"the terminal after {name}")
            whole(terminal)
            coloured = re.search(rb"\x1b\[(?:[0-9]+;)*3[0-7](?:;[0-9]+)*m", terminal.written) is not None
            equal(coloured, "NO_COLOR" not in env and env["TERM"] != "vt100", f"colours with {env}")
            if env.get("LC_ALL") == "C":
                check(terminal.written.isascii(), "ASCII alone")
    with Terminal(top) as terminal:  # the terminal goes away
        terminal.until("halls", lambda text: len(names(text)) == 3)
        process = terminal.process
        os.close(terminal.master)
        until("it ends with its terminal", lambda: process.poll() is not None, 10)
        terminal.master = os.dup(terminal.slave)
