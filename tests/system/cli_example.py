#!/usr/bin/env python3
"""The example of docs/programming.md does what it says: built against libhallsync, it pays once, however often it is run."""
import subprocess

from region import Region, check, equal, tool

with Region("the example program pays") as region:
    hub = region.hub("nj-hub")
    endpoint = f"ipc://{hub.dir}/hallsync.sock"

    def pay(*words):
        return subprocess.run([tool("hallsync-example-pay"), *words], capture_output=True, text=True)

    hub.json("customer", "put", "account=3201000001", "name=\u738b\u5c0f\u660e")
    first = pay(endpoint, "3201000001", "12345", "W3-1")
    equal(first.returncode, 0, first.stderr)
    check("\u738b\u5c0f\u660e" in first.stdout and "taken, receipt nj-hub-" in first.stdout, first.stdout)
    again = pay(endpoint, "3201000001", "12345", "W3-1")
    equal(again.returncode, 0, again.stderr)
    check("taken before" in again.stdout, again.stdout)
    equal(hub.totals()["sum_fen"], 12345, "paid once")
    other = pay(endpoint, "3201000001", "99", "W3-1")
    check(other.returncode == 1 and "id-in-use" in other.stderr, f"another payment under this id: {other.stderr}")
    equal(pay(endpoint, "3201999999", "1", "W3-2").returncode, 1, "no such customer")
    equal(pay().returncode, 2, "usage")
