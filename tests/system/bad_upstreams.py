#!/usr/bin/env python3
"""Wrong upstreams are told by name: in the node's log and status, and where the other side can know of it, there too."""
import re
import socket
import subprocess

from region import SLOW, Region, check, equal, tool, until

QUICK = {"heartbeat_ms": 300, "backoff_max_ms": 300}


def log_of(node):
    return open(node.log, errors="replace").read()


def told(node, *words):
    """One line of its log has all of these."""
    return until(f"{node.name} logs {words}", lambda: [line for line in log_of(node).splitlines() if all(w in line for w in words)], 20)


def upstream(node, address):
    return [peer for peer in node.status()["peers"] if peer.get("address") == address][0]


def does_not_start(node, *words):
    """It says why, and ends at once."""
    for check_only in ([], ["--check"]):
        done = subprocess.run([tool("hallsyncd"), "-c", node.conf, *check_only], capture_output=True, text=True, timeout=30 * SLOW)
        equal(done.returncode, 2, f"{words}: {done.stderr}")
        for word in words:
            check(word in done.stderr, f"'{word}' is not in: {done.stderr}")


with Region("wrong upstreams are told by name") as region:
    hub = region.hub("nj-hub", **QUICK)
    hall = region.hall("nj-gulou", hub, ["3201"], start=False, **QUICK)
    good = open(hall.conf).read()
    address, key = f"tcp://127.0.0.1:{hub.port}", hub.curve_key()
    other_key = "11" * 32

    # What the file alone shows: the daemon does not start, and names the line.
    def with_upstreams(*entries):
        rows = "".join("  - " + "\n    ".join(entry) + "\n" for entry in entries)
        hall.rewrite_conf(lambda _: re.sub(r"^upstreams:\n(?:[ ].*\n)*", "", good, flags=re.M) + f"\nupstreams:\n{rows}")

    def entry(where, what, *more):
        return [f'address: "{where}"', f'key: "{what}"', *more]

    with_upstreams(entry(address, key), entry(address, key))
    does_not_start(hall, "is there twice", "line:")
    with_upstreams(entry(address, key), entry("tcp://localhost:1", key, "group: far"))
    does_not_start(hall, "one key and so are one node", "line:")
    with_upstreams(entry(address, key, "bytes_per_second: 8000", 'limited_hours: "8-18"'))
    does_not_start(hall, "limited_hours", "line:")
    with_upstreams(entry("tcp://nowhere", key))
    does_not_start(hall, "tcp://nowhere")
    hall.rewrite_conf(lambda _: good + 'scope:\n  districts: ["3201", "3201"]\n')
    does_not_start(hall, "3201 is there twice", "line:")

    # A hub that is not there: told once, however often it is tried.
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"tcp://127.0.0.1:{closed.getsockname()[1]}"
        with_upstreams(entry(nobody, key), entry(address, key))
        hall.start()
        told(hall, "upstream-failed", nobody, "reason=unreachable")
        until("the second hub is taken", lambda: hall.live(), 20)
        equal(upstream(hall, nobody)["state"], "down", "the one that is not there")
        check("connect" in upstream(hall, nobody)["why"], f"why: {upstream(hall, nobody)}")
        equal(upstream(hall, address)["group"], "hub", "the group has its default")
        hall.stop()

    # The key of another: the hall is told to look at the key, the hub who it was.
    with_upstreams(entry(address, other_key))
    hall.start()
    told(hall, "upstream-failed", address, "another key", "see its key in upstreams")
    told(hub, "handshake-failed", "tcp://127.0.0.1:", "expects another key")
    until("status has it", lambda: "another key" in upstream(hall, address).get("why", ""), 10)
    until("it is tried often", lambda: hall.json("status").object()["counters"]
          and [c["value"] for c in hall.status()["counters"] if c["name"] == "dialled"][0] > 4, 20)
    equal(log_of(hall).count("see its key in upstreams"), 1, "told once")
    equal(log_of(hub).count("from tcp://127.0.0.1"), 1, "told once by the minute")
    hall.stop()

    # A hub that dials itself: it works on, with the others.
    second = region.further_hub("nj-second", hub, start=False, **QUICK)
    second.rewrite_conf(lambda text: text.replace(
        "\nupstreams:\n", f'\nupstreams:\n  - address: "tcp://localhost:9"\n    key: "{second.curve_key()}"\n'))
    region.open(second)
    told(second, "level=error", "upstream-failed", "its own upstream")
    equal(upstream(second, "tcp://localhost:9")["state"], "refused", "its own upstream")
    check("own upstream" in "".join(second.status()["problems"]), f"problems: {second.status()['problems']}")
    until("the other one is live", lambda: "nj-hub" in second.live(), 20)
