#!/usr/bin/env python3
"""collect-support: what helps is in the file, and no secret, no customer and no amount of one is."""
import json
import os
import re
import tarfile

from ops import Ops, recovery
from peek import Peek, Table, overwrite
from region import Region, check, equal, payment, until

CUSTOMER = {"account": "3201000777", "name": "Ouyang Xiaoming", "phone": "13851234567", "identity_no": "320102197501012345",
            "card_no": "8800123456", "address": "Zhongshan Beilu 77"}
NEIGHBOUR = "3201000778"
PERSONAL = "name phone identity_no card_no remark summary note clerk account customer record_id receipt tag".split()


def rot(hall, account):
    """A byte of the stopped hall's record of the customer."""
    with Table(Peek(hall).state, "state") as table:
        ((key, row),) = [(key, row) for key, row in table.rows() if key.endswith(account.encode())]
    overwrite(Peek(hall).state, "state", key, row[:-1] + bytes([row[-1] ^ 4]))


def unpack(region, path):
    """name -> text"""
    place = os.path.join(region.dir, "unpacked")
    with tarfile.open(path) as tar:
        names = [member.name for member in tar.getmembers() if member.isfile()]
        tar.extractall(place)
    return {os.path.basename(name): open(os.path.join(place, name), errors="replace").read() for name in names}


with Region("collect-support has what helps and nothing that is secret or private") as region:
    ops = Ops(region)
    hub = region.hub("nj-hub")
    hall = region.hall("nj-gulou", hub, ["3201"], start=False)
    secret = recovery(ops, hall)
    ops.unit(hall)
    ops.systemctl("start", hall)
    hall.put_lines(["customer", "put"], [CUSTOMER, {"account": NEIGHBOUR, "name": "Nobody"}])
    paid = hall.put_lines(["payment", "add"], [payment(CUSTOMER["account"], 7, 98765)])[0]
    hall.synced()
    hall.json("backup")  # the daemon notes count and sum of what is in it
    ops.strange(hall, "beads-1", CUSTOMER["account"], 43210, "beads", 3)  # listed with whose it is and how much
    parked = hall.json("conflict", "list", "--type", "parked").object()["text"]
    check(CUSTOMER["name"] in parked and "432.10 yuan" in parked, parked)
    token = region.enroll(hub, "nj-later", ["3202"])
    later = region.join(token, os.path.join(region.dir, "nj-later"))
    check(later.status == 0, f"join: {later.err}")
    said = 'stolen, says "Xiaoming" of 9 Hunan Lu'
    hub.json("node", "revoke", "nj-later", "--reason", said)
    until("the hall knows", lambda: "event=revoked" in open(hall.log).read())
    check("Xiaoming" not in open(hall.log).read(), "what people wrote for a reason is not in the log")
    with open(hall.log, "a") as log:  # what has no business there, and might come there some day
        log.write(f"event=x account={CUSTOMER['account']} name=\"{CUSTOMER['name']}\" phone={CUSTOMER['phone']} address=\"{CUSTOMER['address']}\" token {token}\n")
        log.write(f"json {json.dumps({**CUSTOMER, 'amount_fen': 43210})} receipt {paid['receipt']}\n")
        log.write(" ".join(f'{word}="Xu {word}"' for word in PERSONAL) + f" {json.dumps({word: f'Xu {word}' for word in PERSONAL})}\n")
        log.write(f"accounts {NEIGHBOUR},{NEIGHBOUR} {NEIGHBOUR} {parked}\n")
    for out in ("out", "out2"):
        os.mkdir(os.path.join(region.dir, out))

    hall.stop()
    rot(hall, NEIGHBOUR)
    ops.systemctl("start", hall)

    ops.faces("collect-support", hall, "--out", "out", "--daemon-log", hall.log)
    equal(os.listdir(os.path.join(region.dir, "out")), [], "what a dry run left")
    ops.refused(2, "no such directory", "collect-support", hall, "--out", "/nowhere")
    ops.done("collect-support", hall, "--out", "out", "--daemon-log", hall.log)

    recovery_key = re.search(r"hsr1-[\w-]{16,}", open(hall.conf).read()).group()

    def look(out, running):
        (name,) = os.listdir(os.path.join(region.dir, out))
        files = unpack(region, os.path.join(region.dir, out, name))
        everything = "\n".join(files.values())
        keys = [open(os.path.join(hall.dir, "keys", key), "rb").read().hex() for key in os.listdir(os.path.join(hall.dir, "keys"))]
        forbidden = [value for key, value in CUSTOMER.items()] + ["Xiaoming", "Hunan Lu", token, paid["receipt"], hall.curve_key(), "98765", *keys,
                                                                  open(secret).read().strip(), recovery_key, NEIGHBOUR, "Xu ", "432.10", "43210",
                                                                  NEIGHBOUR.encode().hex()]
        equal([text for text in forbidden if text in everything], [], f"{out}: what must not be there")
        check("(struck out)" in files["daemon.log"] and "event=started" in files["daemon.log"], "the log is there")
        check("address=tcp://127.0.0.1:" in files["daemon.log"], "addresses of nodes are")
        check("node.id" in files["hallsync.yaml"] or 'id: "nj-gulou"' in files["hallsync.yaml"], "the configuration is there")
        check("log/data.mdb" in files["files.txt"] and "keys/node.key" in files["files.txt"], "names and sizes of files")
        check("hallsync 0" in files["versions.txt"], "versions")
        equal("status.json" in files, running, "status")
        equal(files["check.txt"], "", "the configuration is sound")
        if running:
            equal(json.loads(files["status.json"])["store_id"], hall.status()["store_id"], "the status is whole")
            equal(json.loads(files["totals.txt"])["count"], 1, "how many payments")
            check("1 parked" in files["conflicts.txt"], f"how many conflicts: {files['conflicts.txt']}")
            rotten = [row for row in map(json.loads, files["verify.txt"].splitlines()[:-1]) if "sort" in row]
            check(("record", "customer") in [(row["sort"], row["kind"]) for row in rotten], f"what has rotted: {rotten}")
            counters = {counter["name"]: counter["value"] for counter in json.loads(files["status.json"])["counters"]}
            equal(counters.keys(), {counter["name"] for counter in hall.status()["counters"]}, "names of counters")
            (revoked,) = [node for node in map(json.loads, files["nodes.txt"].splitlines()) if node["node_id"] == "nj-later"]
            equal((revoked["state"], revoked["reason"]), ("revoked", "(struck out)"), "a node that was revoked")

    look("out", True)
    hall.kill()  # as it is when help is wanted
    done = ops.done("collect-support", hall, "--out", "out2", "--daemon-log", hall.log)
    check("did not answer" in done.out, done.out)
    look("out2", False)
