#!/usr/bin/env python3
"""What a node tells of itself and of others, as status and as metrics: a hall's own figures at its hub, who is away, ages of keys,
counters and histograms by the table, and promtool finds nothing to say against any of it."""
import json
import os
import re
import shutil
import subprocess
import sys
import time

from region import Region, check, equal, tool, until

QUICK = {"backoff_max_ms": 300}


def metrics(node):
    return subprocess.run([tool("hallsync"), "-c", node.conf, "status", "--prometheus"], capture_output=True, text=True,
                          check=True).stdout


def value(text, series):
    found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.M)
    return float(found.group(1)) if found else None


def peers(node):
    return {peer["node_id"]: peer for peer in node.status()["peers"]}


if shutil.which("promtool") is None:
    sys.exit(77)

# What is given to operators: rules that promtool has tried, each of them; and no metric that is none.
HERE = os.path.dirname(os.path.abspath(__file__))
DOCS = os.path.join(HERE, "..", "..", "docs")
MONITORING = os.path.join(DOCS, "monitoring")


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def promtool(*words, data=None):
    done = subprocess.run(["promtool", *words], input=data, capture_output=True, text=True, cwd=MONITORING)
    check(done.returncode == 0, f"promtool {' '.join(words)}: {done.stdout} {done.stderr}")
    return done.stdout + done.stderr


promtool("check", "rules", "alerts.yaml")
promtool("test", "rules", "alerts_test.yaml")
alerts, tried = read(MONITORING, "alerts.yaml"), read(MONITORING, "alerts_test.yaml")
for name in re.findall(r"alert: (\S+)", alerts):
    equal(len(re.findall(rf"alertname: {name}\n\s+exp_alerts:\n", tried)), 1, f"{name} goes on in the tests")
    check(re.findall(rf"alertname: {name}\n\s+exp_alerts: \[\]\n", tried), f"{name} stays off in the tests")
KNOWN = {"hallsync_info", "hallsync_peer_info", "hallsync_peers_left_out",
         *re.findall(r"^\| `(hallsync_\w+)` \|", read(DOCS, "metrics.md"), re.M)}
HISTOGRAMS = {f"{name}_{part}" for name in KNOWN if re.search(rf"`{name}` \| histogram", read(DOCS, "metrics.md"))
              for part in ("bucket", "sum", "count")}
dashboard = json.loads(read(MONITORING, "dashboard.json"))
check(len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"]), "panels have ids of their own")
queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
check(len(queries) > 20 and all(queries), queries)
for text in [*queries, *re.findall(r"expr: (.*)", alerts), *re.findall(r"series: (.*?), values", tried)]:
    for name in re.findall(r"\bhallsync_\w+", text):
        check(name in KNOWN | HISTOGRAMS, f"{name} is no metric of docs/metrics.md: {text}")

with Region("metrics") as region:
    begin_ms = int(time.time() * 1000)
    hub = region.hub("nj-hub", **QUICK)
    hall = region.hall("nj-gulou", hub, ["3201", "3202"], **QUICK)
    region.hall("nj-jianye", hub, ["3203"], start=False, **QUICK)

    hall.json("customer", "put", "account=3201000001", "name=Li Wei")
    for n in range(5):
        hall.json("payment", "add", "account=3201000001", f"amount_fen={n + 1}")
    hall.synced()

    # What a hall says of itself, at its hub.
    said = until("the hall has said how it is", lambda: peers(hub)["nj-gulou"].get("self_ms") and peers(hub)["nj-gulou"], 20)
    own = hall.status()
    equal(said["version"], own["version"], "version")
    check(said["store_bytes"] > 0 and said["disk_free_bytes"] > 0 and said["disk_level"] == "plenty", said)
    equal((said["conflicts"], said["parked"], said["problems"]), (0, 0, 0), "nothing to look at")
    check(begin_ms - 1000 <= own["key_ms"] <= own["certificate_ms"] <= own["started_ms"] <= said["seen_ms"], own)
    equal((said["certificate_ms"], said["key_ms"]), (own["certificate_ms"], own["key_ms"]), "ages of keys")
    equal((own["books"]["days"], own["overdue_tickets"]), (0, 0), "of yesterday, and late")

    # The metrics of the hub: the hall that never came is not live.
    text = metrics(hub)
    equal(value(text, 'hallsync_peer_live{peer="nj-gulou"}'), 1, "live")
    equal(value(text, 'hallsync_peer_live{peer="nj-jianye"}'), 0, "away")
    equal(value(text, "hallsync_peers_left_out"), 0, "left out")
    equal(value(metrics(hall), 'hallsync_peer_live{peer="nj-jianye"}'), None, "a hall does not look for other halls")
    equal(value(text, 'hallsync_peer_disk_level{peer="nj-gulou"}'), 0, "level")
    check(value(text, 'hallsync_peer_key_issued_timestamp_seconds{peer="nj-gulou"}') == own["key_ms"] / 1000, text)
    lag = value(text, 'hallsync_replication_lag_seconds_count{kind="money"}')
    check(lag is not None and lag >= 1, text)
    equal(value(metrics(hall), 'hallsync_replication_lag_seconds_count{kind="money"}'), 0, "a hall has all of its money first")
    check(value(text, 'hallsync_request_seconds_count{kind="status"}') >= 2, text)
    check(value(metrics(hall), 'hallsync_request_seconds_count{kind="put"}') == 6, metrics(hall))
    check(value(metrics(hall), "hallsync_commit_seconds_count") >= 2, metrics(hall))

    # And in words.
    words = subprocess.run([tool("hallsync"), "-c", hub.conf, "status"], capture_output=True, text=True,
                           env={**os.environ, "COLUMNS": "400"}).stdout
    check("its key is used for " in words and "the process runs for " in words, words)
    row = [line for line in words.splitlines() if line.startswith("nj-gulou")][0]
    check(own["version"] in row.split(), words)

    # Nothing is said by name that has no row in node/status/model.c.
    by_name = read(DOCS, "metrics.md").split("\n## counters\n")[1]
    rows = re.findall(r"^\| `hallsync_\w+` \| (?:counter|gauge|histogram) \| `([\w-]+)` \|", by_name, re.M)
    for node in (hub, hall):
        status = node.status()
        named = {counter["name"] for counter in status["counters"]} | {spread["name"] for spread in status["histograms"]}
        equal(named - set(rows), set(), "figures without a row")
        check(len(status["counters"]) > 20, status["counters"])

    # Away: what was last known stays.
    said = peers(hub)["nj-gulou"]
    hall.stop()
    gone = until("away", lambda: value(metrics(hub), 'hallsync_peer_live{peer="nj-gulou"}') == 0 and metrics(hub), 20)
    equal(value(gone, 'hallsync_peer_store_bytes{peer="nj-gulou"}'), said["store_bytes"], "what it said last")
    check(value(gone, 'hallsync_peer_seen_timestamp_seconds{peer="nj-gulou"}') >= own["started_ms"] / 1000, gone)
    check("nj-gulou" not in peers(hub), "only who asks for the region hears of them")

    for shown in (text, gone, metrics(hub)):
        equal(promtool("check", "metrics", data=shown), "", "promtool check metrics")
        told = {re.match(r"\w+", line).group(0) for line in shown.splitlines() if not line.startswith("#")}
        equal(told - KNOWN - HISTOGRAMS, set(), "metrics that docs/metrics.md has not")
