#!/usr/bin/env python3
"""What passes on the line between hall and hub shows no readable record."""
import os

from region import Region, check, payment

with Region("no byte on the line is readable") as region:
    hub = region.hub("nj-hub")
    tape = os.path.join(region.dir, "line")
    hall = region.hall("nj-gulou", hub, ["3201"], relay=["-r", tape])
    secrets = ["读不到的名字", "UNREADABLE-STREET-17", "3201777777", "nj-gulou", "hub-remark-secret"]
    hall.json("customer", "put", "account=3201777777", f"name={secrets[0]}", f"address={secrets[1]}")
    hall.json("payment", "add", *[f"{k}={v}" for k, v in payment("3201777777", 7).items()])
    hub.json("customer", "put", "account=3201000009", "name=另一位", f"remark={secrets[4]}")
    hall.synced()
    check(hall.json("customer", "get", "3201000009").object()["remark"] == secrets[4], "the hub's record came")
    bytes_passed = open(tape, "rb").read()
    check(len(bytes_passed) > 1000, "nothing was recorded")
    for secret in secrets:
        check(secret.encode() not in bytes_passed, f"'{secret}' is readable on the line")
    for key in ("node.key", "curve.key"):
        raw = bytes.fromhex(open(os.path.join(hall.dir, "keys", key)).read().strip()[:64])
        check(raw not in bytes_passed, f"{key} passed over the line")
