#!/usr/bin/env python3
"""What the console shows of a region is what is so: rows, a hall that goes and comes back, told as it happens; samples that outlive the
program and its being killed; an overview while the node is gone."""
import gzip
import json
import threading

from console import Console, user
from region import Region, check, equal, until

QUICK = {"heartbeat_ms": 500, "backoff_max_ms": 300}


class Watcher(threading.Thread):
    """Reads the events as a page does."""

    def __init__(self, browser):
        super().__init__(daemon=True)
        self.connection, self.told = browser.connect(), []
        self.connection.request("GET", "/api/events", headers={"Cookie": browser.cookie})
        self.start()

    def run(self):
        reply, name = self.connection.getresponse(), None
        try:
            while line := reply.readline().decode():
                if line.startswith("event: "):
                    name = line[7:].strip()
                elif line.startswith("data: ") and name:
                    self.told.append((name, json.loads(line[6:])))
        except OSError:
            pass  # the program was killed

    def rows(self, columns, node):
        return [dict(zip(columns, row)) for name, data in list(self.told) if name == "status" for row in data["rows"] if row[0] == node]


def overview(browser):
    told = browser.get("/api/overview").json()
    return told, {row[0]: dict(zip(told["columns"], row)) for row in told["rows"]}


def lags(browser, node):
    samples = browser.get(f"/api/samples?node={node}&span=hour").json()
    equal(len(samples["lag_ops"]), len(samples["link"]), "one of each")
    return samples["link"]


with Region("the console shows what is so") as region:
    hub = region.hub("nj-hub", **QUICK)
    hall = region.hall("nj-gulou", hub, ["3201"], relay=True, **QUICK)
    second = region.hall("nj-xuanwu", hub, ["3202"], **QUICK)
    account, = region.customers(hub, 1)
    for node in (hall, second):
        node.synced()
    user(hub, "li", "viewer")
    console = Console(hub)
    with console:
        browser = console.browser()
        equal(browser.get("/api/overview").status, 401, "nobody has logged in")
        equal(browser.login("li").status, 200, "the login")
        until("both are rows and live", lambda: all(overview(browser)[1].get(node.name, {}).get("state") == "live" for node in (hall, second)), 20)
        told, rows = overview(browser)
        equal((told["node"]["node_id"], "peers" in told["node"]), ("nj-hub", False), "the node")
        equal((rows["nj-gulou"]["districts"], rows["nj-gulou"]["role"], rows["nj-gulou"]["cause"]), (["3201"], "hall", "not-behind"), "a row")
        packed = browser.get("/api/overview", headers={"Accept-Encoding": "gzip"})
        equal(packed.headers["Content-Encoding"], "gzip", "compressed")
        check("rows" in json.loads(gzip.decompress(packed.body)), "the compressed one")

        # It goes and comes back, and who watches is told.
        watcher = Watcher(browser)
        second.kill()
        def is_away(row):
            return row["state"] != "live"
        until("it is seen to go", lambda: any(map(is_away, watcher.rows(told["columns"], "nj-xuanwu"))), 20)
        about = browser.get("/api/node/nj-xuanwu").json()
        check(about["why"]["code"] not in ("not-behind",) and about["why"]["next"]["command"], f"{about['why']}")
        second.start()
        until("it is seen to come", lambda: watcher.rows(told["columns"], "nj-xuanwu")[-1]["state"] == "live", 20)
        equal([event["code"] for event in browser.get("/api/node/nj-xuanwu").json()["events"]][-1], "not-behind", "its past begins well")
        equal(browser.get("/api/node/nobody").error(), "not-found", "a node that nobody knows")
        equal(browser.get("/api/node/nj-hub").json()["why"]["node_id"], "nj-hub", "the node itself")

        # What somebody should decide is told by itself, in both languages.
        hall.relay.cut()
        for node, phone in ((hub, "111"), (hall, "222")):
            node.json("customer", "put", f"account={account}", f"phone={phone}")
        hall.relay.heal()
        alarm = until("the alarm", lambda: [data for name, data in list(watcher.told) if name == "alarm" and data["code"] == "conflict"], 40)[0]
        equal((alarm["phase"], alarm["node_id"]), ("begins", "nj-hub"), "the alarm")
        equal([data for name, data in list(watcher.told) if name == "alarm" and data["code"] == "disk"], [], "there is room everywhere")
        check("nj-hub" in alarm["text_en"] and "nj-hub" in alarm["text_zh"], f"{alarm}")

        # Who is away has samples, too: without a link.
        second.kill()
        until("the gap is sampled", lambda: lags(browser, "nj-xuanwu")[-2:].count(0) > 0, 40)

        # Samples are on disk: the program that is killed shows them afterwards.
        until("there are samples", lambda: 1 in lags(browser, "nj-gulou"), 30)
        before = [link for link in lags(browser, "nj-gulou") if link is not None]
        equal(browser.get("/api/samples?node=nobody&span=hour").error(), "not-found", "samples of nobody")
        equal(browser.get("/api/samples?node=nj-gulou&span=year").error(), "invalid", "a span that there is not")
        console.process.kill()
        console.process.wait()
        console.process = None
    with open(f"{hub.dir}/admin/samples", "rb") as samples:
        check(samples.read(8) == b"hssample", "the file of samples")
    with console:
        browser = console.browser()
        browser.login("li")
        after = [link for link in lags(browser, "nj-gulou") if link is not None]
        check(len(after) >= len(before), f"samples before {before}, after {after}")
        until("it is answered", lambda: browser.get("/api/overview").status == 200, 20)

        # The node is gone: what is shown says as of when.
        hub.kill()
        until("the node is known to be gone", lambda: browser.get("/healthz").status == 503, 20)
        def is_old():
            told = overview(browser)[0]
            return told["now_ms"] - told["as_of_ms"] > 2000
        until("the overview says that it is old", is_old, 20)
        hub.start()
        until("and is fresh again", lambda: not is_old(), 20)

    # A file that was spoilt is made anew, and says so.
    with open(f"{hub.dir}/admin/samples", "r+b") as samples:
        samples.write(b"garbage!")
    with console:
        check("event=samples-anew" in console.tail(), console.tail())
