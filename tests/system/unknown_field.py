#!/usr/bin/env python3
"""A hall of a newer version writes a field that the hub does not know; the hub keeps and forwards it to another newer hall.

The newer version is this tree with one more field in Customer and its row in the table of kinds, built beside it.
"""
import os
import shutil
import subprocess
import sys

import region
from region import Region, check, equal

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))


def newer(directory):
    """Build the programs with one more field; their folder."""
    source = os.path.join(directory, "newer")
    shutil.copytree(TOP, source, ignore=shutil.ignore_patterns("build", ".git", "__pycache__"))
    for path, wanted, more in (
            ("proto/records.proto", "  optional string remark = 9;\n", "  optional string nickname = 10;\n"),
            ("storage/model/kinds.c", "    {9, HS_FORM_TEXT, HS_POLICY_MERGE, false, 2048, NULL},\n",
             "    {10, HS_FORM_TEXT, HS_POLICY_MERGE, false, 64, NULL},\n")):
        with open(os.path.join(source, path)) as file:
            text = file.read()
        check(wanted in text, f"{path} has changed: mend this test")
        with open(os.path.join(source, path), "w") as file:
            file.write(text.replace(wanted, wanted + more))
    build = os.path.join(directory, "build")
    for command in (["cmake", "-S", source, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DHS_TESTS=OFF"],
                    ["ninja", "-C", build, "hallsyncd", "hallsync_cli"]):
        done = subprocess.run(command, capture_output=True, text=True)
        check(done.returncode == 0, f"{' '.join(command)}: {done.stdout[-2000:]} {done.stderr[-2000:]}")
    return os.path.join(build, "bin")


with Region("an older node keeps and forwards a field that it does not know") as place:
    hub = place.hub("nj-hub")
    with region.version(newer(place.dir)):
        one = place.hall("nj-chengbei", hub, ["3201"])
        two = place.hall("nj-gulou", hub, ["3201"])
    one.json("customer", "put", "account=3201000001", "name=甲", "nickname=小甲")
    one.synced()
    two.synced()
    equal(two.json("customer", "get", "3201000001").object().get("nickname"), "小甲", "the newer field at the other newer hall")

    # The older hub edits the record without losing what it does not know.
    hub.refused("unknown-field", "customer", "put", "account=3201000001", "nickname=x")
    hub.json("customer", "put", "account=3201000001", "phone=13900000000")
    check("nickname" not in hub.json("customer", "get", "3201000001").object(), "the hub is not an older version")
    hub.synced()
    two.synced()
    record = two.json("customer", "get", "3201000001").object()
    equal((record.get("nickname"), record.get("phone")), ("小甲", "13900000000"), "both fields at the newer hall")
    two.json("customer", "put", "account=3201000001", "nickname=阿甲")
    two.synced()
    one.synced()
    equal(one.json("customer", "get", "3201000001").object()["nickname"], "阿甲", "the newer field is edited")
    equal(one.digests(), two.digests(), "newer halls")
    equal(one.digests(), hub.digests(), "an older and a newer node")
    one.stop()
    two.stop()
