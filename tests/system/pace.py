#!/usr/bin/env python3
"""How fast a session goes, and when it will have caught up: said right on a line of a known speed, and nothing once it has."""
import os
import re
import subprocess
import time

from region import SLOW, Region, check, tool, until

BYTES_PER_S = 16000
BILLS = 6000
QUICK = {"backoff_max_ms": 300}


def peer(node):
    return [peer for peer in node.status()["peers"] if peer["state"] == "live"][0]


def others(node):
    shown = subprocess.run([tool("hallsync"), "-c", node.conf, "status"], capture_output=True, text=True,
                           env={**os.environ, "COLUMNS": "200"}).stdout
    return [line for line in shown.splitlines() if line.startswith("others")][0]


def bills(region, hub):
    path = os.path.join(region.dir, "bills.csv")
    with open(path, "w") as out:
        out.write("bill_id,account,period,amount_fen,due_date\n")
        for number in range(BILLS):
            out.write(f"B-{region.random.getrandbits(64):x},3201{number % 100:06},2026-11,{region.random.randint(1, 99999)},2026-12-25\n")
    hub.json("bill", "import", path, seconds=300)


with Region("rates and forecasts on a line of a known speed") as region:
    hub = region.hub("nj-hub", **QUICK)
    hall = region.hall("nj-gulou", hub, ["3201"], **QUICK)
    hall.synced()
    hall.stop()
    hall.rewrite_conf(lambda text: re.sub(r"( *)- address: (.*)\n", rf"\1- address: \2\n\1  bytes_per_second: {BYTES_PER_S}\n", text))
    hall.start()
    until("the limit is told", lambda: hub.live() and peer(hub).get("rate_max") == BYTES_PER_S, 20)
    check("caught_up_ms" not in peer(hub), f"nothing waits: {peer(hub)}")
    bills(region, hub)
    until("the bills wait", lambda: peer(hub)["lag_out_ops"] != 0, 20)

    # While it comes: at the limit's speed, and by that speed the end.
    told, texts = [], []
    while (now := peer(hub))["lag_out_ops"] != 0:
        if "caught_up_ms" in now:
            told.append((time.time(), now["caught_up_ms"] / 1000))
            check(now.get("out_ops_per_s", 0) > 0, f"a forecast without a rate: {now}")
        if told and not texts:
            texts.append(others(hub))
        time.sleep(0.2)
    end = time.time()
    right = [said for at, said in told if abs(said - end) <= max(2 * SLOW, (end - at) / 2)]
    check(told, "nothing was forecast")
    print(f"{len(right)} of {len(told)} forecasts right, the first {end - told[0][0]:.1f} s before the end")
    check(len(right) >= 0.7 * len(told), f"caught up at {end:.1f}; it said {[(round(end - at, 1), round(said - at, 1)) for at, said in told]}")
    check(re.search(r"caught up at \d\d:\d\d at this speed|caught up at \S+ \d\d:\d\d", texts[0]), texts[0])
    check("caught_up_ms" not in peer(hub) and "caught up" not in others(hub), "it has caught up, and says when it will have")
    lane = [lane for lane in peer(hub)["lanes"] if lane["lane"] == "bulk"][0]
    check(lane["out_ops"] == 0 and lane["out_ops_per_s"] > 1, f"what went in the last minute shows: {lane}")
