#!/usr/bin/python3
"""docs/api.md does what it says: its excerpts are those of docs/examples, word for word, and the two programs there, in C and in Python, do a
window's day at a counters' socket, say the same, and pay once, whatever becomes of the answers.  And the commands of README.md's day."""
import os
import re
import shlex
import subprocess
import sys
import textwrap
import threading

import zmq

from page import blocks
from region import BIN, Region, check, equal, tool

DOCS = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "docs"))
EXAMPLES, PROTO = os.path.join(DOCS, "examples"), os.path.join(DOCS, "..", "proto")
MANY = 1 << 20


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def stands_in(block, program):
    """As it is, but for the indentation."""
    wanted, lines = textwrap.dedent(block).splitlines(), read(EXAMPLES, program).splitlines()
    return any(textwrap.dedent("\n".join(lines[at:at + len(wanted)])).splitlines() == wanted for at in range(len(lines)))


class Line(threading.Thread):
    """Between a program and its node, and loses answers to what is written."""

    def __init__(self, region, endpoint):
        super().__init__(daemon=True)
        self.endpoint, self.lose, self.lost = f"ipc://{region.dir}/line.sock", 0, 0
        self.front, self.back = (zmq.Context.instance().socket(kind) for kind in (zmq.ROUTER, zmq.DEALER))
        self.front.bind(self.endpoint)
        self.back.connect(endpoint)
        self.start()

    def run(self):
        poller, asked = zmq.Poller(), {}
        for socket in (self.front, self.back):
            poller.register(socket, zmq.POLLIN)
        while True:
            ready = dict(poller.poll())
            if self.front in ready:
                who, data = self.front.recv_multipart()
                request = api.Request.FromString(data)
                asked[request.id] = who, request.WhichOneof("body") in ("put", "reverse")
                self.back.send(data)
            if self.back in ready:
                data = self.back.recv()
                who, is_write = asked[api.Reply.FromString(data).id]
                if is_write and self.lose > 0:
                    self.lose, self.lost = self.lose - 1, self.lost + 1
                else:
                    self.front.send_multipart([who, data])


class Program:
    def __init__(self, command, line):
        self.process = subprocess.Popen([*command, line.endpoint, "3", "07"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, "PYTHONPATH": generated}, cwd=generated)
        self.said = []

    def say(self, words):
        """The lines of the answer."""
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()
        lines = list(iter(lambda: self.process.stdout.readline().rstrip("\n"), "."))
        self.said += [f"> {words}", *lines]
        return lines

    def end(self):
        self.process.stdin.close()
        equal(self.process.wait(timeout=60), 0, "its exit status")


for kind, _, text in blocks(read(DOCS, "api.md")):
    if kind in ("c", "python"):
        programs = ("window.c", "counter.c") if kind == "c" else ("window.py",)
        check(any(stands_in(text, program) for program in programs), f"docs/api.md has what no program has:\n{text}")

with Region("a window's day, in C and in Python") as region:
    generated = region.dir
    command, = (text for kind, _, text in blocks(read(DOCS, "api.md")) if text.startswith("protoc "))
    subprocess.run(command.replace("/usr/share/hallsync/proto", PROTO), shell=True, cwd=generated, check=True)
    sys.path.insert(0, generated)
    import local_pb2 as api

    hub = region.hub("nj-hub", heartbeat_ms=300)
    hall = region.hall("nj-gulou", hub, ["3201"], start=False, heartbeat_ms=300)
    counters = f"ipc://{hall.dir}/counters.sock"
    hall.settings("listen", counters=counters)
    hall.start()
    line = Line(region, counters)

    def day(language, command):
        """All that is said, with the language's own numbers left out."""
        account, other = f"3201000{language}1", f"3201000{language}2"
        hall.json("customer", "put", account, "name=王芳", "address=草场门大街1号")
        hall.json("customer", "put", other, "name=李雷")
        for number, (owner, fen) in enumerate(((account, 10000), (account, 4150), (other, 700)), 1):
            hall.json("bill", "put", f"B-{language}{number}", f"account={owner}", f"amount_fen={fen}")
        hall.json("bill", "put", f"B-{language}1", "late_fees=2026-01-01:150")
        hall.json("payment", "add", f"payment_id=X-{language}", f"account={other}", "amount_fen=700", f"bill_id=B-{language}3", "window=5")
        for _ in range(2):
            drawn = hall.json("queue", "take", "A").object()

        count = hall.totals()["count"]
        program = Program(command, line)
        say, payment = program.say, f"P-{language}"

        shown = say(f"customer {account}")
        equal(shown, [f"customer {account} 王芳 草场门大街1号", f"bill B-{language}1 open, due now 10150 fen, late fees 150",
                      f"bill B-{language}2 open, due now 4150 fen, late fees 0"], "customer")
        check(say("customer 3201999999")[0].startswith("refused, not-found: "), "nobody")
        equal(say(f"pay {payment} {account} 14000"), ["refused, due now are 14300 fen"], "too little")
        done, change = say(f"pay {payment} {account} 20000")
        receipt = done.removeprefix("done ")
        check(receipt.startswith("nj-gulou-") and change == "change 5700 fen", f"paid: {done}, {change}")
        equal(say(f"pay {payment} {account} 20000"), [f"done before {receipt}"], "the clerk presses the key once more")
        slip = [f"凭证号 receipt {receipt}", "金额 amount 14300 fen", "方式 method cash", "补打 printed again 0", f"户号 account {account}",
                f"账单 bill B-{language}1 10150 fen", f"账单 bill B-{language}2 4150 fen", "收款 tendered 20000 fen", "找零 change 5700 fen",
                "营业员 clerk 07"]
        equal(say(f"receipt {receipt}"), slip, "its receipt")
        slip[3] = "补打 printed again 1"
        equal(say(f"reprint RP-{language} {receipt} it was torn"), ["done -", *slip], "printed again")
        equal(say(f"reprint RP-{language} {receipt} it was torn"), ["done before -", *slip], "asked once more, printed again once")

        done, = say(f"reverse R-{language} {payment}")
        shown = say(f"receipt {done.removeprefix('done ')}")
        equal(shown[1::3], ["金额 amount -14300 fen", f"户号 account {account}", "复核人 second -"], "a voucher of its own")
        check(say(f"reverse R2-{language} {payment}")[0].startswith("refused, already-reversed: "), "twice")
        check(say(f"reverse R3-{language} X-{language}")[0].startswith("refused, needs-second: "), "of another window, by one person")
        check(say(f"reverse R3-{language} X-{language} 08 wrong bill")[0].startswith("done nj-gulou-"), "by two")

        # An answer is lost, then all of them, then the node is away: nothing is paid twice.
        line.lose, line.lost = 1, 0
        done, change = say(f"pay {payment}-2 {account} 14300")
        check(done.startswith("done before nj-gulou-") and change == "change 0 fen" and line.lost == 1, f"{done}, {line.lost} lost")
        line.lose, line.lost = MANY, 0
        check(say(f"pay {payment}-3 {other} 700")[0].startswith("unknown, ") and line.lost > 1, "no answer")
        line.lose = 0
        check(say(f"pay {payment}-3 {other} 700")[0].startswith("done before nj-gulou-"), "asked again")
        equal(hall.totals()["count"], count + 3, "payments")
        hall.stop()
        check(say(f"customer {account}")[0].startswith("unknown, "), "no node")
        hall.start()
        equal(say(f"customer {account}")[1:], [f"bill B-{language}1 paid, due now 0 fen, late fees 150",
                                               f"bill B-{language}2 paid, due now 0 fen, late fees 0"], "paid once")

        # The queue: sent again, an event is about the same customer.
        equal(say("rate 5"), ["refused, nobody was called"], "nobody to rate")
        called = say(f"queue Q1-{language} called")
        check(called[0] == "done -" and re.fullmatch(r"number A\d{3}", called[1]), f"{called}")
        equal(say(f"queue Q1-{language} called"), ["done before -", called[1]], "called once")
        check(say(f"queue Q2-{language} called")[0].startswith("refused, bad-state: "), "one at a time")
        equal([say(f"queue {event}-{language} {event}")[1] for event in ("serving", "served")], [called[1]] * 2, "served")
        equal([say(f"rate {score}")[0].split(":")[0] for score in (5, 5, 3)], ["done -", "done before -", "refused, id-in-use"], "rated once")
        say(f"queue Q3-{language} called")
        say(f"queue Q4-{language} skipped")
        check(say(f"queue Q5-{language} called")[0].startswith("refused, not-found: "), "nobody waits")

        # A ticket, and the feed.
        shown = say(f"ticket T-{language} name-change {account} 更名 of the shop")
        check(shown[:2] == ["done -", "ticket open, marketing"] and shown[2].startswith("bring identity card"), f"opened: {shown}")
        equal(say(f"ticket T-{language} name-change {account} 更名 of the shop")[0], "done before -", "opened once")
        check(say(f"ticket T2-{language} gardening {account} 园艺")[0].startswith("refused, unknown-service: "), "no such service")
        equal(say(f"watch position-{language}"), [], "from now on")
        drawn = hall.json("queue", "take", "A").object()
        equal(say(f"watch position-{language}"), [f"changed 19 {drawn['id']}"], "a number was drawn")
        equal(say(f"watch position-{language}"), [], "and seen")
        hall.json("queue", "leave", f"number={drawn['number']}")
        check(say("dance")[0].startswith("? customer, pay, "), "what there is")
        program.end()
        said = "\n".join(program.said).replace(account, "ACCOUNT").replace(other, "OTHER").replace(drawn["id"], "DRAWN")
        return re.sub(r"nj-gulou-\d{8}-\S+|number A\d{3}|A\d{3}|\b[0-9a-f]{32}\b", "NUMBER", said.replace(f"-{language}", "-"))

    in_c = day("01", [tool("hallsync-example-window")])
    in_python = day("02", [sys.executable, os.path.join(EXAMPLES, "window.py")])
    equal(in_python.splitlines(), in_c.splitlines(), "what the two say")
    equal(len(hall.json("rating", "list").lines()), 2, "ratings")
    equal(subprocess.run([tool("hallsync-example-window")], capture_output=True).returncode, 2, "usage")

    # The commands of README.md, where there is what they are about.
    hub.json("customer", "put", "3201000001", "name=王芳", "card_no=C-77")
    hub.json("bill", "put", "B-1", "account=3201000001", "amount_fen=12345")
    hub.json("window", "open", "3", "clerk=07", f"float_fen={151200 - 12345}")
    hub.json("queue", "take", "A")
    commands = re.findall(r"^    hallsync (.*)$", read(DOCS, "..", "README.md").split("\n## Its day\n")[1].split("\n## ")[0], re.M)
    for command in commands:
        answer = hub.run(*shlex.split(command, comments=True))
        equal(answer.status, 0, f"{command}: {answer.out} {answer.err}")
    check(len(commands) > 5, f"{len(commands)} commands")
