#!/usr/bin/env python3
"""A stranger gets nothing but a refusal: unknown, used and expired tokens, a hall of another region, a hub that is not ours."""
import os
import re

from region import Node, Region, check, equal, until


def held(hub):
    """Besides its own word of whom it has enrolled, nothing."""
    return [(line["partition"], line["kind"]) for line in hub.json("digest").lines()]


with Region("strangers are refused") as region:
    hub = region.hub("nj-hub")

    token = region.enroll(hub, "nj-gulou", ["3201"])
    directory = os.path.join(region.dir, "first")
    equal(region.join(token, directory).status, 0, "a fresh token")
    first = Node(region, "first")
    region.nodes.append(first)
    first.start()
    used = region.join(token, os.path.join(region.dir, "second"))
    check(used.status == 4 and "token-used" in used.err, f"a used token: {used.status} {used.err}")
    check(not os.path.exists(os.path.join(region.dir, "second", "hallsync.yaml")), "a refused join left a node behind")

    expired = region.enroll(hub, "nj-late", ["3201"], "--ttl", "1s")
    until("the token expires", lambda: hub.json("node", "list").out.count('"expired"'), 10)
    late = region.join(expired, os.path.join(region.dir, "late"))
    check(late.status == 4 and "token-expired" in late.err, f"an expired token: {late.status} {late.err}")

    broken = region.join(token[:-6], os.path.join(region.dir, "broken"))
    check(broken.status in (2, 4) and "bad-token" in broken.err, f"a cut token: {broken.status} {broken.err}")

    # A node with a certificate, of another region.
    other = region.hub("sh-hub")
    foreign = region.hall("sh-xuhui", other, ["3201"], start=False)
    ours = re.search(r'key: "([0-9a-f]{64})"', open(os.path.join(directory, "hallsync.yaml")).read()).group(1)
    theirs = re.search(r'key: "([0-9a-f]{64})"', open(foreign.conf).read()).group(1)
    foreign.rewrite_conf(lambda text: re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{hub.port}", text).replace(theirs, ours))
    foreign.start()
    until("the stranger is refused", lambda: "session-refused" in open(hub.log).read(), 20)
    foreign.json("customer", "put", "account=3201000001", "name=Stranger")
    equal(held(hub), [("region", "audit")], "a stranger's record came in")
    foreign.refused("not-a-hub", "node", "enroll", "x", "--district", "3201")

    # The right address with the wrong key: the handshake fails, and the cause is told.
    foreign.rewrite_conf(lambda text: text.replace(ours, theirs))
    foreign.restart()
    told = until("the cause is told", lambda: [p for p in foreign.status()["peers"] if p["state"] != "live" and p.get("why")], 20)
    check("another key" in told[0]["why"], f"the cause is the key: {told}")
    equal(held(hub), [("region", "audit")], "a stranger's record came in")
