"""The local API as a counter program in Python speaks it: python3-zmq, python3-protobuf, and the messages of proto/ as protoc makes them.

    with Region(...) as region:
        load(region)                                    # once
        window = Counter(hall, random.Random("window 3"))
        told = window.put("payment", account=..., amount_fen=500)
"""
import os
import re
import subprocess
import sys
import time

import zmq

from region import SLOW, Failed, check

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
LOCAL = RECORDS = None

with open(os.path.join(TOP, "node", "client", "hallsync.h")) as header:
    KINDS = {name.lower(): int(number) for name, number in re.findall(r"HALLSYNC_KIND_(\w+) = (\d+)", header.read())}
NAMES = {number: name for name, number in KINDS.items()}


def load(region):
    """The messages, made from the schemas into the region's directory."""
    global LOCAL, RECORDS
    out = os.path.join(region.dir, "messages")
    os.mkdir(out)
    subprocess.run(["protoc", "-I", os.path.join(TOP, "proto"), f"--python_out={out}", "local.proto", "records.proto"], check=True)
    sys.path.insert(0, out)
    import local_pb2
    import records_pb2
    LOCAL, RECORDS = local_pb2, records_pb2


def message_of(kind):
    return getattr(RECORDS, "".join(word.capitalize() for word in kind.split("_")))


class Refused(Exception):
    """The node has said no, by name."""

    def __init__(self, error, text):
        super().__init__(f"{error}: {text}")
        self.error = error


class Shown:
    """A record as the node shows it: its fields are attributes; `shown` is what stands around them."""

    def __init__(self, record):
        self.shown = record
        self.fields = message_of(NAMES[record.kind]).FromString(record.record)

    def __getattr__(self, name):
        return getattr(self.fields, name)


class Counter:
    """One program at a counter: a socket of its own, one request at a time."""

    context = zmq.Context.instance()

    def __init__(self, node, chance, socket="hallsync.sock"):
        self.node, self.chance, self.asked = node, chance, 0
        self.slowest = 0
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.connect(f"ipc://{node.dir}/{socket}")
        node.region.endings.append(self.socket.close)

    def id(self):
        return self.chance.getrandbits(128).to_bytes(16, "big")

    def ask(self, body, message=None, **fields):
        """The reply's part of that name."""
        request = LOCAL.Request(version=1, id=self.id())
        part = getattr(request, body)
        part.SetInParent()
        if message is not None:
            part.CopyFrom(message)
        for name, value in fields.items():
            setattr(part, name, value)
        began = time.monotonic()
        self.socket.send(request.SerializeToString())
        check(self.socket.poll(60000 * SLOW), f"{self.node.name}: no answer to {body}")
        reply = LOCAL.Reply.FromString(self.socket.recv())
        self.asked, self.slowest = self.asked + 1, max(self.slowest, time.monotonic() - began)
        check(reply.id == request.id, f"{self.node.name}: an answer to another question than {body}")
        if reply.HasField("error"):
            raise Refused(reply.error, reply.text)
        return getattr(reply, {"get": "records", "find": "records", "reverse": "put"}.get(body, body))

    # ---- writing

    def put(self, kind, id=None, partition=None, **fields):
        """One record; lists of dicts are lines.  What became of it."""
        content = message_of(kind)()
        for name, value in fields.items():
            if isinstance(value, list):
                for line in value:
                    getattr(content, name).add(**line)
            elif value is not None:
                setattr(content, name, value)
        message = LOCAL.PutRequest(kind=KINDS[kind])
        message.records.add(record=content.SerializeToString(), id=id, partition=partition)
        return self.only(self.ask("put", message))

    def reverse(self, payment, **fields):
        return self.only(self.ask("reverse", payment_id=payment.hex(), **fields))

    def only(self, reply):
        result, = reply.results
        if result.HasField("error"):
            raise Refused(result.error, result.text)
        return result

    def refused(self, error, what, *words, **fields):
        """It must be, with this name."""
        try:
            what(*words, **fields)
        except Refused as refusal:
            check(refusal.error == error, f"{self.node.name}: refused as {refusal}, not {error}")
            return
        raise Failed(f"{self.node.name}: not refused as {error}: {words} {fields}")

    # ---- reading

    def get(self, kind, id):
        record, = self.ask("get", kind=KINDS[kind], id=id.hex() if isinstance(id, bytes) else id).records
        return Shown(record)

    def find(self, kind, index=None, key=None, then=None):
        """All records of the kind, or those under the key."""
        message, found = LOCAL.FindRequest(kind=KINDS[kind], index=index, key=key, then=then, limit=1000), []
        while True:
            reply = self.ask("find", message)
            check(reply.complete or not reply.HasField("complete"), f"{self.node.name}: not all of {kind} is here")
            found += [Shown(record) for record in reply.records]
            if not reply.HasField("next"):
                return found
            message.after = reply.next
