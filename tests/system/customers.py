#!/usr/bin/env python3
"""Customers at two halls of one district: looked up at a counter by what they bring, with the notices that are about them; an account handed on
while the link is down, at one hall and at both; who is to be told of a bill today, and that two halls do not both call."""
import datetime
import time

from region import Region, agree, check, equal, until

QUICK = {"heartbeat_ms": 300, "backoff_max_ms": 300}
ONE, TWO, THREE = "3201000001", "3201000002", "3201000003"


def day(days):
    """So many days from today, in the time of the region."""
    now = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8)))
    return (now + datetime.timedelta(days=days)).date().isoformat()


with Region("customers of two halls") as region:
    hub = region.hub("nj-hub", **QUICK)
    gulou = region.hall("nj-gulou", hub, ["3201"], start=False, relay=True, **QUICK)
    xuanwu = region.hall("nj-xuanwu", hub, ["3201"], **QUICK)
    counters = f"ipc://{gulou.dir}/counters.sock"
    gulou.settings("listen", counters=counters)
    gulou.start()

    def at_counter(*words, status=0):
        return gulou.json("-e", counters, *words, status=status)

    def get(node, kind, number):
        return node.json(kind, "get", number).object()

    def everywhere():
        for node in (gulou, xuanwu, gulou):
            node.synced()
        agree(hub, gulou, xuanwu)

    hub.json("customer", "put", ONE, "name=陈", "phone=13800000001", "card_no=C-1", "identity_no=I-1", "meter_no=M-1", "billing=postpaid",
             "contacts=赵电工:13700000000:电工;陈小", "authorised=陈小:I-9:2030-01-01", "bank_account=6222", "email=chen@example.org")
    hub.json("customer", "put", TWO, "name=李", "phone=13800000002", "card_no=C-2", "billing=prepaid")
    hub.json("customer", "put", THREE, "name=周", "phone=13800000003")
    for number, account in enumerate((ONE, TWO, THREE), 1):
        hub.json("bill", "put", f"B-{number}", f"account={account}", f"amount_fen={number}000", f"due_date={day(2)}")
    everywhere()

    # A counter: by account, card and identity number, with everything that is known; nobody is listed.
    customer = at_counter("customer", "get", ONE).object()
    equal(customer["contacts"], [{"name": "赵电工", "phone": "13700000000", "role": "电工"}, {"name": "陈小"}], "contacts")
    equal((customer["meter_no"], customer["billing"], customer["bank_account"]), ("M-1", "postpaid", "6222"), "what is known of him")
    for number in ("card_no=C-1", "identity_no=I-1", f"account={ONE}"):
        equal(at_counter("customer", "find", number).object()["account"], ONE, number)
    for words in (("customer", "export"), ("customer", "find", "meter_no=M-1"), ("bill", "list"), ("payment", "list"), ("reminder", "list"),
                  ("subscription", "list", "hall=nj-gulou"), ("reminder", "due"), ("node", "list"), ("conflict", "list"), ("digest",),
                  ("ticket", "list"), ("ticket", "list", "--state", "open"), ("appointment", "list"), ("cash-entry", "list"), ("rating", "export")):
        check("operator-only" in at_counter(*words, status=4).out, f"{words} at a counter")
    equal(gulou.json("customer", "find", "meter_no=M-1").object()["account"], ONE, "an operator looks a meter up")
    equal(len(gulou.json("customer", "export").lines()), 3, "an operator exports")
    equal(len(at_counter("bill", "list", "--account", ONE).lines()), 1, "bills of a customer who stands there")
    at_counter("customer", "import", "-", status=4)

    # What he is to be told: of his district, about his account; in force and to come.
    now = int(time.time() * 1000)
    hub.json("notice", "put", "N-1", "district=3201", "type=planned", "text=检修", "areas=鼓楼街", f"accounts={ONE[:9]}1,3201999",
             f"starts_ms={now - 1000}", f"ends_ms={now + 3600000}")
    hub.json("notice", "put", "N-2", "type=info", "text=新电价", f"starts_ms={now + 3600000}")
    hub.json("notice", "put", "N-3", "district=3202", "type=fault", "text=故障")
    until("the notices are at the hall", lambda: len(at_counter("customer", "get", ONE).object().get("notices", [])) == 2)
    equal(sorted(notice["notice_id"] for notice in gulou.json("notice", "list").lines()), ["N-1", "N-2"], "notices that concern the hall")
    notices = at_counter("customer", "find", "card_no=C-1").object()["notices"]
    equal([(notice["notice_id"], notice["state"]) for notice in notices], [("N-1", "active"), ("N-2", "planned")], "notices")
    equal([notice["notice_id"] for notice in at_counter("customer", "get", TWO).object()["notices"]], ["N-2"], "another street")
    check("检修" in gulou.run("customer", "get", ONE).out, "people see it")
    hub.json("notice", "put", "N-1", f"ends_ms={now - 500}")
    until("it is over", lambda: len(at_counter("customer", "get", ONE).object()["notices"]) == 1)

    # The line of one hall is down.  An account is handed on there, with its history, and what was his predecessor's ends.
    at_counter("reminder", "subscribe", TWO, "channel=sms", "days_before=3")
    everywhere()
    gulou.relay.cut()
    until("the hall is alone", lambda: not gulou.live())
    done = at_counter("customer", "transfer", ONE, "change_id=t-1", "name=王", "identity_no=I-2", "phone=13900000001", "clerk=07", "reason=sale").object()
    equal(done["result"], "created", "handed on without a link")
    again = at_counter("customer", "transfer", ONE, "change_id=t-1", "name=王", "identity_no=I-2", "phone=13900000001", "clerk=07", "reason=sale").object()
    equal(again["result"], "exists", "sent again")
    customer = at_counter("customer", "find", "identity_no=I-2").object()
    equal((customer["name"], customer["title_since"], customer["card_no"]), ("王", day(0), "C-1"), "the new holder, the old card")
    check(not {"contacts", "authorised", "bank_account", "email"} & set(customer), f"what was the other one's: {customer}")
    check("no-link" in at_counter("customer", "find", "identity_no=I-1", status=3).out, "nobody here has the other one's number any more")
    # At both halls at once: two changes, and a person decides about the name.
    gulou.json("customer", "transfer", TWO, "change_id=t-2", "name=吴")
    xuanwu.json("customer", "transfer", TWO, "change_id=t-3", "name=郑")

    # Reminders: each hall calls whose duty it is; one customer has gone to the other hall meanwhile and was told there.
    gulou.json("reminder", "subscribe", THREE, "channel=sms", "days_before=3", "contact=13700000003")
    xuanwu.json("reminder", "subscribe", ONE, "channel=phone", "days_before=3")

    def due(node, *words):
        return sorted((one["account"], one["channel"], one["state"]) for one in node.json("reminder", "due", *words).lines())

    equal(due(gulou), [(THREE, "sms", "due")], "of this hall; the subscription of the account handed on has ended")
    equal(due(gulou, "--date", day(-2)), [], "not yet")
    equal(due(xuanwu), [(ONE, "phone", "due")], "of the other one")
    at_counter("reminder", "done", THREE, "bill_id=B-3", "channel=sms", "result=absent", "clerk=07")
    equal(due(gulou), [], "nobody was there: tomorrow again")
    equal(due(gulou, "--date", day(1)), [(THREE, "sms", "again")], "tomorrow")

    gulou.relay.heal()
    until("the line is back", gulou.live)
    everywhere()
    for node in (hub, gulou, xuanwu):
        equal(get(node, "customer", ONE)["name"], "王", "the name")
        equal(get(node, "title-change", "t-1")["from_name"], "陈", "the one before")
        changes = node.json("title-change", "list", f"account={TWO}").lines()
        equal(sorted((change["from_name"], change["name"]) for change in changes), [("李", "吴"), ("李", "郑")], "both changes")
        equal(get(node, "subscription", f"{TWO}-sms")["active"], "no", "his predecessor's reminders")
        equal(due(node, "--hall", "all", "--date", day(1)), [(ONE, "phone", "due"), (THREE, "sms", "again")], f"the same at {node.name}")
    names = {get(node, "customer", TWO)["name"] for node in (hub, gulou, xuanwu)}
    check(len(names) == 1 and names < {"吴", "郑"}, f"one name is shown everywhere: {names}")
    conflicts = [one for one in hub.json("conflict", "list").lines() if one.get("record_id", one.get("record")) == TWO]
    check(conflicts, f"a person decides about it: {hub.json('conflict', 'list').out}")

    # The other hall meets the customer and tells him: the first one does not call.  Then the duty goes over.
    xuanwu.json("reminder", "done", THREE, "bill_id=B-3", "channel=sms", "result=told", "clerk=12")
    xuanwu.json("subscription", "put", f"{ONE}-phone", "hall=nj-gulou")
    everywhere()
    equal(due(gulou, "--date", day(1)), [(ONE, "phone", "due")], "told by the other hall; and a duty more")
    equal(due(xuanwu, "--hall", "nj-xuanwu", "--date", day(1)), [], "no duty any more")
    told = gulou.json("reminder", "list", f"account={THREE}").lines()
    equal(sorted((one["node"], one["clerk"], one["result"]) for one in told),
          [("nj-gulou", "07", "absent"), ("nj-xuanwu", "12", "told")], "who was told, when, by whom")
    # Paid, at the other hall: nobody is told of what he does not owe.
    xuanwu.json("payment", "add", "payment_id=p-1", f"account={ONE}", "bill_id=B-1", "amount_fen=1000")
    everywhere()
    equal(due(gulou, "--hall", "all", "--date", day(1)), [], "paid")
