#!/usr/bin/env python3
"""A hall of a newer version writes a field, and a kind of record, that the hub does not know; the hub keeps and forwards both to
another newer hall.

The newer version is this tree with one more field in Customer and one more kind: a message and a row of the table of kinds, nothing
else.  Writing, finding, CSV and JSON of the new kind, its lines among them, follow from these.
"""
import os
import re
import shutil
import subprocess
import sys

import region
from region import Region, check, equal

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))

MESSAGES = """
message LentPart {
  optional string part = 1;
  optional uint32 count = 2;
}

message Lent {
  optional string lent_id = 1;
  optional string account = 2;
  repeated LentPart parts = 3;
  optional string clerk = 4;
}
"""

FIELDS = """
static const struct hs_field_rule LENT_PART[] = {
    FIELD(1, TEXT, FIXED, true, 64, NULL, NULL, "what", "物品"),
    FIELD(2, COUNT, FIXED, true, 100, NULL, NULL, "how many", "数量"),
};
static const struct hs_field_rule LENT_FIELDS[] = {
    FIELD(1, TEXT, FIXED, true, ID_BYTES, NULL, NULL, "number", "编号"),
    FIELD(2, ACCOUNT, FIXED, true, 0, NULL, NULL, "account", "户号"),
    LINES(3, REVIEW, false, 4, LENT_PART, "what was lent", "借出物品"),
    FIELD(4, TEXT, MERGE, false, 64, NULL, NULL, "clerk", "营业员"),
};
static const struct hs_index LENT_INDEXES[] = {{1, "parts", 3, 1, 0}, {2, "account", 2, 0, 4}};
"""

KIND = """
    {.number = 900, .name = "lent_thing", .en = "Lent thing", .zh = "借物", .about = "Lent.", .about_zh = "借物。",
     .shape = HS_SHAPE_REGISTER, .lane = HS_LANE_PEOPLE, .id_form = HS_ID_FIELD, .id_field = 1, .home_form = HS_HOME_ACCOUNT,
     .home_field = 2, .message = &hallsync__lent__descriptor, FIELDS(LENT_FIELDS), INDEXES(LENT_INDEXES)},
"""


def insert(source, path, behind, text):
    """Put @text behind the one place that the pattern @behind finds."""
    path = os.path.join(source, path)
    with open(path) as file:
        whole = file.read()
    places = list(re.finditer(behind, whole, re.DOTALL))
    check(len(places) == 1, f"{path} has changed: mend this test")
    at = places[0].end()
    with open(path, "w") as file:
        file.write(whole[:at] + text + whole[at:])


def newer(directory):
    """Build the programs with one more field and one more kind; their folder."""
    source = os.path.join(directory, "newer")
    shutil.copytree(TOP, source, ignore=shutil.ignore_patterns("build", ".git", "__pycache__"))
    insert(source, "proto/records.proto", r"message Customer \{[^}]*\n(?=\})", "  optional string nickname = 31;\n")
    insert(source, "proto/records.proto", r"package hallsync;\n", MESSAGES)
    insert(source, "storage/model/kinds.c", r" CUSTOMER_FIELDS\[\] = \{.*?\n(?=\};)",
           '    FIELD(31, TEXT, MERGE, false, 64, NULL, NULL, "nickname", "小名"),\n')
    insert(source, "storage/model/kinds.c", r"\n/\* clang-format off \*/\n", FIELDS)
    insert(source, "storage/model/kinds.c", r"const struct hs_kind HS_KINDS\[\] = \{\n", KIND)
    build = os.path.join(directory, "build")
    for command in (["cmake", "-S", source, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DHS_TESTS=OFF"],
                    ["ninja", "-C", build, "hallsyncd", "hallsync_cli"]):
        done = subprocess.run(command, capture_output=True, text=True)
        check(done.returncode == 0, f"{' '.join(command)}: {done.stdout[-2000:]} {done.stderr[-2000:]}")
    return os.path.join(build, "bin")


def lent(node, number):
    record = node.json("lent-thing", "get", number).object()
    return record["account"], [(part["part"], part["count"]) for part in record.get("parts", [])], record.get("clerk")


with Region("an older node keeps and forwards a field and a kind that it does not know") as place:
    hub = place.hub("nj-hub")
    with region.version(newer(place.dir)):
        one = place.hall("nj-chengbei", hub, ["3201"])
        two = place.hall("nj-gulou", hub, ["3201"])
    one.json("customer", "put", "account=3201000001", "name=甲", "nickname=小甲")
    one.json("lent-thing", "put", "lent_id=L-1", "account=3201000001", "parts=meter:1;cable\\:long:20", "clerk=li")
    one.put_lines(["lent-thing", "put"], [{"lent_id": "L-2", "account": "3201000001", "clerk": "li", "parts": [{"part": "meter", "count": 2}]}])
    one.synced()
    two.synced()
    equal(two.json("customer", "get", "3201000001").object().get("nickname"), "小甲", "the newer field at the other newer hall")

    # A kind that needed no code of its own: checked, found by lines and by two fields, changed at both halls, exported.
    equal(lent(two, "L-1"), ("3201000001", [("meter", 1), ("cable:long", 20)], "li"), "the newer kind at the other newer hall")
    one.refused("bad-value", "lent-thing", "put", "lent_id=L-3", "account=3201000001", "parts=meter:0")
    one.refused("too-big", "lent-thing", "put", "lent_id=L-3", "account=3201000001", "parts=a:1;b:1;c:1;d:1;e:1")
    equal(sorted(record["lent_id"] for record in two.json("lent-thing", "list", "parts=meter").lines()), ["L-1", "L-2"], "found by a line")
    equal([record["lent_id"] for record in two.json("lent-thing", "list", "parts=cable:long").lines()], ["L-1"], "by a line's text")
    equal(len(two.json("lent-thing", "list", "account=3201000001", "clerk=li").lines()), 2, "found by two fields")
    two.json("lent-thing", "put", "lent_id=L-2", "parts=cable:3", "clerk=wang")
    equal(len(two.json("lent-thing", "list", "account=3201000001", "clerk=li").lines()), 1, "found by two fields, of which one changed")
    equal([record["lent_id"] for record in two.json("lent-thing", "list", "parts=meter").lines()], ["L-1"], "a line that is gone finds nothing")
    rows = two.run("lent-thing", "export").out.splitlines()
    equal(rows[0], "lent_id,account,parts,clerk", "header")
    equal(sorted(rows[1:]), ["L-1,3201000001,meter:1;cable\\:long:20,li", "L-2,3201000001,cable:3,wang"], "rows")

    # Lines are one value: written apart from each other at both halls, they are a conflict, and a person chooses one of them.
    hub.stop()
    one.json("lent-thing", "put", "lent_id=L-1", "parts=meter:7")
    two.json("lent-thing", "put", "lent_id=L-1", "parts=cable\\:long:19")
    hub.start()
    one.synced()
    two.synced()
    one.synced()
    conflict = [entry for entry in one.json("conflict", "list").lines() if entry["type"] == "field"]
    equal(len(conflict), 1, "one conflict")
    one.json("conflict", "resolve", conflict[0]["id"], "parts=cable\\:long:19")
    one.synced()
    two.synced()
    equal(lent(two, "L-1")[1], [("cable:long", 19)], "the chosen lines")
    equal([entry for entry in two.json("conflict", "list").lines() if entry["type"] == "field"], [], "no conflict is left")

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
    equal(one.digests().replace("lent_thing", "kind-900"), hub.digests(), "an older and a newer node")
    for node in (one, two, hub):
        check(node.run("verify", "--full").status == 0, f"{node.name}: verify")
    one.stop()
    two.stop()
