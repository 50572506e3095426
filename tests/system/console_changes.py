#!/usr/bin/env python3
"""What the console lists and changes: a conflict resolved over HTTP is gone at the halls, and the audit trail says who did it, to what and why, at each node."""
import re
import subprocess

from console import Console, user
from region import Region, check, equal, tool, until

WHY = "客户来电确认"


def error(reply, status, name, what):
    equal((reply.status, reply.error()), (status, name), what)


def conflict(browser):
    """As the page does it: the list, then one of them with its values, and what was shown of it."""
    listed = browser.get("/api/conflicts?type=field").json()["conflicts"]
    equal(len(listed), 1, f"conflicts: {listed}")
    shown = browser.post("/api/conflict/look", {"id": listed[0]["id"]}).json()["conflict"]
    seen = [{"field": field["number"], "dots": [value["dot"] for value in field["values"]]} for field in shown["fields"]]
    return shown, seen


def apart(one, two, account, phones):
    """Both ends write one field without knowing of each other."""
    two.relay.cut()
    one.json("customer", "put", f"account={account}", f"phone={phones[0]}")
    two.json("customer", "put", f"account={account}", f"phone={phones[1]}")
    two.relay.heal()
    for hall in (two, one, two):
        hall.synced()


def entries(node, *words):
    return node.json("audit", *words).lines()


def resolving(hub, one, two, operator, viewer, account):
    apart(one, two, account, ("111", "222"))
    shown, seen = conflict(viewer)
    choice = {"id": shown["id"], "choices": [{"field": "phone", "value": "222"}], "seen": seen, "reason": WHY}
    equal(viewer.post("/api/conflict", choice).status, 403, "a viewer decides")
    error(operator.post("/api/conflict", {**choice, "reason": " "}), 400, "missing-field", "without a reason")
    error(operator.post("/api/conflict", {**choice, "seen": []}), 400, "bad-value", "without what was shown")
    error(operator.post("/api/conflict", {**choice, "id": "nonsense"}), 400, "bad-value", "of no conflict")
    many = [{"field": seen[0]["field"], "dots": [{"origin": f"{n:016x}", "n": n} for n in range(1, 201)]}]
    error(operator.post("/api/conflict", {**choice, "seen": many}), 409, "changed-meanwhile", "of a field that 200 halls have written to")
    equal(len(conflict(viewer)[0]["fields"][0]["values"]), 2, "nothing was decided")
    equal(entries(hub, "--by", "li"), [], "what was refused is told of nowhere")

    reply = operator.post("/api/conflict", choice)
    equal((reply.status, reply.json().get("result", {}).get("result")), (200, "changed"), "the decision")
    meanwhile = operator.post("/api/conflict", choice)
    error(meanwhile, 409, "changed-meanwhile", "decided once more")
    equal(meanwhile.json()["conflict"], None, "which is over")
    for hall in (one, two):
        until(f"{hall.name}: the conflict is gone", lambda: not hall.json("conflict", "list", "--type", "field").lines())
        equal(hall.json("customer", "get", account).object()["phone"], "222", f"{hall.name}: what was chosen")
    for node in (hub, one, two):
        entry = until(f"{node.name}: it is told of", lambda: entries(node, "--by", "li"))[0]
        equal({name: entry.get(name) for name in ("name", "role", "way", "action", "of_kind", "record_id", "district", "detail", "reason", "node")},
              {"name": "li", "role": "operator", "way": "console", "action": "resolve", "of_kind": "customer", "record_id": account, "district": "3201",
               "detail": "phone", "reason": WHY, "node": hub.name}, f"{node.name}: the entry")
        check("222" not in str(entry["detail"]), "what a record says is in no entry")


def stale(one, two, operator, account):
    """Somebody else's value has come since the page was drawn."""
    apart(one, two, account, ("333", "444"))
    shown, seen = conflict(operator)
    apart(one, two, account, ("555", "666"))
    reply = operator.post("/api/conflict", {"id": shown["id"], "choices": [{"field": "phone", "value": "333"}], "seen": seen, "reason": WHY})
    error(reply, 409, "changed-meanwhile", "of what is not so any more")
    fresh = reply.json()["conflict"]
    equal(fresh["id"], shown["id"], "the conflict as it is now")
    seen = [{"field": field["number"], "dots": [value["dot"] for value in field["values"]]} for field in fresh["fields"]]
    equal(operator.post("/api/conflict", {"id": fresh["id"], "choices": [], "seen": seen, "reason": WHY}).status, 200, "looked at again")


def parked(hub, hall, operator, viewer):
    listed = viewer.get("/api/conflicts?type=parked").json()["conflicts"]
    equal([(one["record_id"], one["may_release"]) for one in listed], [("beads-1", True)], "what breaks a rule")
    wanted = {"id": listed[0]["id"], "decision": "release", "seen": 0, "reason": "凭条已核"}
    equal(viewer.post("/api/parked", wanted).status, 403, "a viewer decides")
    error(operator.post("/api/parked", {**wanted, "reason": ""}), 400, "missing-field", "without a reason")
    error(operator.post("/api/parked", {**wanted, "decision": "perhaps"}), 400, "bad-value", "no decision")
    error(operator.post("/api/parked", {**wanted, "seen": 1}), 409, "changed-meanwhile", "others have decided than were shown")
    equal(operator.post("/api/parked", wanted).status, 200, "the release")
    error(operator.post("/api/parked", {**wanted, "decision": "reject"}), 409, "changed-meanwhile", "who has not seen that")
    equal([(entry["action"], entry["record_id"], entry["name"], entry["reason"]) for entry in entries(hub)[:1]], [("release", "beads-1", "li", "凭条已核")],
          "the newest entry")
    until("it counts at the hall", lambda: hall.totals()["sum_fen"] == hub.totals()["sum_fen"] == 5000)


def registry(hub, operator, administrator):
    wanted = {"node_id": "nj-qixia", "role": "hall", "districts": [3203], "ttl_ms": 3600000, "reason": "新厅"}
    equal(operator.post("/api/registry/enroll", wanted).status, 403, "an operator lets a node in")
    error(administrator.post("/api/registry/enroll", {**wanted, "reason": ""}), 400, "missing-field", "without a reason")
    error(administrator.post("/api/registry/enroll", {**wanted, "districts": "3203"}), 400, "bad-value", "districts that are none")
    token = administrator.post("/api/registry/enroll", wanted).json()
    check(token["token"] and token["expires_ms"], f"a token: {token}")
    nodes = {node["node_id"]: node for node in administrator.get("/api/registry").json()["nodes"]}
    equal((nodes["nj-qixia"]["state"], nodes["nj-chengbei"]["state"]), ("enrolled", "joined"), "the registry")
    check("certificate" not in nodes["nj-chengbei"], "certificates are not shown")
    node = administrator.post("/api/registry/scope", {"node_id": "nj-gulou", "districts": [3201, 3202], "reason": "代管"}).json()["node"]
    equal(node["districts"], ["3201", "3202"], "other districts")
    node = administrator.post("/api/registry/revoke", {"node_id": "nj-far", "reason": "被盗"}).json()["node"]
    equal((node["state"], node["reason"]), ("revoked", "被盗"), "a key that is revoked")
    told = [(entry["action"], entry["node_id"], entry["reason"]) for entry in entries(hub, "--by", "wang")]
    equal(told, [("revoke", "nj-far", "被盗"), ("scope", "nj-gulou", "代管"), ("enroll", "nj-qixia", "新厅")], "the trail, the newest first")
    check(token["token"] not in str(entries(hub)), "a token stands in no entry")


def trail(hub, viewer):
    listed = viewer.get("/api/audit").json()["entries"]
    equal([entry["what"] for entry in listed[:3]], ["revoke", "scope", "enroll"], "the newest first")
    check(all(entry["what_en"] and entry["what_zh"] for entry in listed), f"in both languages: {listed[0]}")
    equal([entry["id"] for entry in listed], [entry["audit_id"] for entry in entries(hub)], "page and command")
    equal(viewer.get("/api/audit?next=zz").status, 400, "a page that there is none of")
    equal(viewer.get("/api/audit?name=none-such").json()["entries"], [], "of somebody else")


def lists(hub, viewer, account):
    for path in ("/api/conflicts?type=overpaid", "/api/conflicts?type=parked", "/api/books", "/api/books?date=2026-11-22", "/api/overdue"):
        equal(viewer.get(path).status, 200, path)
    for path in ("/api/conflicts?type=none-such", "/api/conflicts?next=abc", "/api/books?date=yesterday"):
        equal(viewer.get(path).status, 400, path)
    equal(viewer.post("/api/conflict/look", {"id": "field:3201:1:3209999999"}).status, 404, "a conflict that there is none of")
    hub.json("bill", "put", "B-1", f"account={account}", "amount_fen=5000")
    for number in (1, 2):
        paid = hub.json("payment", "add", f"payment_id=P-{number}", f"account={account}", "amount_fen=5000", "bill_id=B-1", "window=3").object()
    over = viewer.get("/api/conflicts?type=overpaid").json()["conflicts"]
    equal([(one["account"], one["record_id"], one["amount_fen"]) for one in over], [(account, "B-1", 5000)], "paid twice")
    check("yuan paid too much" in over[0]["text"] and "元" in over[0]["text_zh"], f"in both languages: {over[0]}")
    check("reverse" in over[0]["advice"] and "冲正" in over[0]["advice_zh"], f"what may be done: {over[0]}")
    model = viewer.get("/api/model").json()
    equal((model["conflicts"]["overpaid"], model["kinds"][over[0]["kind"]]["zh"]), ({"en": "overpaid", "zh": "多交"}, "电费账单"), "what they are called")
    day = re.search(r"-(\d{4})(\d\d)(\d\d)-", paid["receipt"])  # a midnight may pass before the books are asked for
    books = viewer.get(f"/api/books?date={'-'.join(day.groups())}").json()["books"]
    equal([(book["hall"], book["sum_fen"]) for book in books], [(hub.name, 10000)], "books of the day")
    hub.json("ticket", "open", "ticket_id=t-1", "service=outage-report", f"account={account}", "summary=没电 13800000000", "due_ms=1767225600000")
    late = viewer.get("/api/overdue")
    equal([(one["type"], one["district"], one["hall"]) for one in late.json()["tickets"]], [("outage-report", "3201", hub.name)], "a late ticket")
    equal([(one["hall"], one["count"]) for one in late.json()["halls"]], [(hub.name, 1)], "by hall")
    check(b"13800000000" not in late.body, "what a customer has said is not in the list")


with Region("conflicts, registry and audit trail over HTTP") as region:
    hub = region.hub("nj-hub")
    one = region.hall("nj-chengbei", hub, ["3201"])
    two = region.hall("nj-gulou", hub, ["3201"], relay=True)
    far = region.hall("nj-far", hub, ["3209"])
    account, other = region.customers(hub, 2)
    for hall in (one, two, far):
        hall.synced()
    one.stop()
    subprocess.run([tool("hallsync-strange"), one.conf, "beads-1", other, "5000", "beads", "3"], check=True, capture_output=True)
    one.start()
    one.synced()
    for name, role in (("li", "operator"), ("wang", "administrator"), ("sun", "viewer")):
        user(hub, name, role)
    with Console(hub) as console:
        operator, administrator, viewer = (console.browser() for _ in range(3))
        for browser, name in ((operator, "li"), (administrator, "wang"), (viewer, "sun")):
            equal(browser.login(name).status, 200, f"login of {name}")
        resolving(hub, one, two, operator, viewer, account)
        stale(one, two, operator, other)
        parked(hub, one, operator, viewer)
        lists(hub, viewer, account)
        registry(hub, operator, administrator)
        trail(hub, viewer)
