"""A region of real daemons for one test: real stores, real sockets, real kills.

Each test is a program of its own: it makes a Region in a fresh directory, drives it over the command line and the local API, and ends
with everything gone.  Ports are the system's choice, seeds are printed, waiting is for events and never for time to pass.

    with Region("goal of this test") as region:
        hub = region.hub("nj-hub")
        hall = region.hall("nj-gulou", hub, ["3201"])
        hall.json("customer", "put", "account=3201000001", "name=A")
"""
import contextlib
import csv
import glob
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zlib

BIN = os.environ.get("HS_BIN") or os.path.join(os.path.dirname(__file__), "..", "..", "build", "bin")


def first_seed():
    """HS_SEED; in a run of all tests one that follows from HS_TURN, so that the run can be had again; else a new one."""
    if "HS_TURN" in os.environ:
        drawn = zlib.crc32(f"{os.environ['HS_TURN']} {os.path.basename(sys.argv[0])}".encode())
    else:
        drawn = random.SystemRandom().randrange(1 << 32)
    return int(os.environ.get("HS_SEED") or drawn)


PROGRAMS = BIN  # where hallsync and hallsyncd of the nodes to be made are
SEED = first_seed()
SLOW = float(os.environ.get("HS_SLOW") or 1)  # sanitizer builds: every deadline times this


def tool(name):
    return os.path.join(PROGRAMS if name in ("hallsync", "hallsyncd") else BIN, name)


@contextlib.contextmanager
def version(directory):
    """What is made meanwhile is made by the programs there, and goes on with them."""
    global PROGRAMS
    PROGRAMS = directory
    try:
        yield
    finally:
        PROGRAMS = BIN


class Failed(Exception):
    pass


def check(condition, text):
    if not condition:
        raise Failed(text)


def equal(got, wanted, text):
    check(got == wanted, f"{text}: got {got!r}, wanted {wanted!r}")


def until(what, condition, seconds=20, pause=0.02):
    """Ask again until the condition holds; the deadline is a failure, not a pause."""
    end = time.monotonic() + seconds * SLOW
    while True:
        value = condition()
        if value:
            return value
        check(time.monotonic() < end, f"waited {seconds * SLOW:.0f} s in vain: {what}")
        time.sleep(pause)


def agree(*nodes):
    """Do they all say the same of each district that they hold in full?  By whatever name a kind goes there: an older node has none for a new one."""
    said = {}
    for node in nodes:
        scope, lines = node.districts(), {}
        for line in node.digests().splitlines():
            row = json.loads(line)
            lines.setdefault(row["partition"], []).append((row["count"], row["digest"]))
        for partition in {*scope, "region"} if scope else lines:
            if said.setdefault(partition, lines.get(partition, [])) != lines.get(partition, []):
                return False
    return True


def protobuf_fields(data):
    """Number -> the last value of that field; enough for messages of texts, bytes and numbers."""
    def varint(at):
        value = shift = 0
        while True:
            value |= (data[at] & 127) << shift
            at, shift = at + 1, shift + 7
            if data[at - 1] < 128:
                return value, at

    fields, at = {}, 0
    while at < len(data):
        tag, at = varint(at)
        size, at = varint(at) if tag & 7 in (0, 2) else ({1: 8, 5: 4}[tag & 7], at)
        if tag & 7:
            size, at = data[at:at + size], at + size
        fields[tag >> 3] = size
    return fields


class Answer:
    """What one command said."""

    def __init__(self, done):
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr

    def lines(self):
        return [json.loads(line) for line in self.out.splitlines() if line.strip()]

    def object(self):
        lines = self.lines()
        check(len(lines) == 1, f"one JSON object expected, got: {self.out!r} {self.err!r}")
        return lines[0]


class Node:
    def __init__(self, region, name):
        self.region, self.name, self.bin = region, name, PROGRAMS
        self.dir = os.path.join(region.dir, name)
        self.conf = os.path.join(self.dir, "hallsync.yaml")
        self.log = os.path.join(region.dir, name + ".log")
        self.process, self.scoped = None, None
        self.env, self.under = {}, []  # of its daemon alone: environment, and a command that starts it (prlimit ...)
        self.line = region.network.line(name) if region.network else None
        self.address = self.line.address if self.line else "127.0.0.1"
        self.enter = self.line.enter() if self.line else []  # the command that starts something where the node is

    # -- commands

    def run(self, *words, data=None, seconds=60):
        command = [os.path.join(self.bin, "hallsync"), "-c", self.conf, *words]
        done = subprocess.run(command, input=data, capture_output=True, text=True, timeout=seconds * SLOW)
        return Answer(done)

    def json(self, *words, data=None, seconds=60, status=0):
        answer = self.run(*words, "--json", data=data, seconds=seconds)
        check(answer.status == status, f"{self.name}: {' '.join(words)}: status {answer.status}, not {status}: "
                                       f"{answer.out[-500:]} {answer.err[-500:]}")
        return answer

    def refused(self, error, *words, data=None):
        """The command must be refused with this named error, and change nothing."""
        before = self.digests()
        answer = self.run(*words, "--json", data=data)
        check(answer.status != 0, f"{self.name}: {' '.join(words)} was not refused: {answer.out}")
        check(answer.status in (1, 2, 4), f"{self.name}: {' '.join(words)}: status {answer.status}: {answer.err}")
        check(error in answer.out + answer.err, f"{self.name}: {' '.join(words)}: no '{error}' in {answer.out} {answer.err}")
        equal(self.digests(), before, f"{' '.join(words)} was refused and yet changed the records")

    def put_lines(self, words, records, status=0):
        data = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        return self.json(*words, "-", data=data, status=status, seconds=300).lines()

    def digests(self):
        return self.json("digest").out

    def totals(self, *words):
        return self.json("payment", "totals", *words).object()

    def status(self):
        return self.json("status").object()

    def synced(self, seconds=60):
        answer = self.run("wait", "--synced", "--timeout", f"{int(seconds * SLOW)}s", seconds=seconds + 20)
        check(answer.status == 0, f"{self.name}: not synced: {answer.out} {answer.err}\n{self.tail()}")

    # -- its life

    def start(self, ready=True):
        check(self.process is None, f"{self.name} runs already")
        with open(self.log, "ab") as log:
            env = {**os.environ, **self.region.env, **self.env}
            self.process = subprocess.Popen([*self.enter, *self.under, os.path.join(self.bin, "hallsyncd"), "-c", self.conf], stderr=log, stdout=log, env=env)
        if "faketime" in env.get("LD_PRELOAD", ""):  # which leaves these behind when it is killed
            self.region.shared |= {f"faketime_shm_{self.process.pid}", f"sem.faketime_sem_{self.process.pid}"}
        if ready:
            until(f"{self.name} answers", self.answers, 30)
        return self

    def answers(self):
        check(self.process.poll() is None, f"{self.name} ended by itself with {self.process.returncode}:\n{self.tail()}")
        return self.run("status", "--json", "--timeout", f"{int(3 * SLOW)}s", seconds=20).status == 0

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self, seconds=5):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds * SLOW)
        except subprocess.TimeoutExpired:
            threads = self.threads()
            self.process.kill()
            raise Failed(f"{self.name} did not end {seconds * SLOW:.0f} s after SIGTERM:\n{self.tail()}\n{threads}")
        self.process = None
        check(code == 0, f"{self.name} ended with {code}:\n{self.tail()}")

    def restart(self):
        self.stop()
        self.start()

    def tail(self, lines=12):
        with open(self.log, errors="replace") as log:
            return "".join(log.readlines()[-lines:])

    def memory_kib(self, field="RssAnon"):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(rf"^{field}:\s+(\d+)", status.read(), re.M).group(1))

    def threads(self):
        """What each does: its name, state and where in the kernel it waits, ticks of processor it has had."""
        lines = ""
        for task in glob.glob(f"/proc/{self.process.pid}/task/*"):
            with open(f"{task}/stat") as stat, open(f"{task}/wchan") as wchan:
                name, rest = stat.read().split(" (", 1)[1].rsplit(") ", 1)
                fields = rest.split()
                lines += f"{name}: {fields[0]} {wchan.read()} ticks {fields[11]}+{fields[12]}\n"
        return lines

    def curve_key(self):
        """The public key of its link, 64 hex digits, as its certificate has it."""
        with open(os.path.join(self.dir, "keys", "node.cert"), "rb") as file:
            certificate = protobuf_fields(file.read())
        return protobuf_fields(protobuf_fields(certificate[2])[1])[4].hex()

    def dials(self, *upstreams):
        """From its next start on it dials these, in this order: nodes, or (node, group)."""
        rows = ""
        for upstream in upstreams:
            node, group = upstream if isinstance(upstream, tuple) else (upstream, None)
            rows += f'  - address: "tcp://{node.address}:{node.port}"\n    key: "{node.curve_key()}"\n'
            rows += f'    group: "{group}"\n' if group else ""
        block = re.compile(r"^upstreams:\n(?:[ #-].*\n)*", re.M)
        self.rewrite_conf(lambda text: block.sub("", text) + (f"\nupstreams:\n{rows}" if rows else ""))

    def scope(self, districts):
        """From its next start on it holds these districts only."""
        self.scoped = districts
        self.settings("scope", districts=districts)

    def districts(self):
        """What it holds in full; nothing: everything."""
        return self.scoped or self.status().get("districts")

    def live(self):
        """The peers that it has a session with: name -> what status says of it."""
        return {peer["node_id"]: peer for peer in self.status()["peers"] if peer["state"] == "live"}

    def settings(self, section, **values):
        """Keys of a section that the configuration does not have yet."""
        lines = "".join(f"  {key}: {json.dumps(value)}\n" for key, value in values.items())
        self.rewrite_conf(lambda text: f"{text}\n{section}:\n{lines}")

    def rewrite_conf(self, change):
        with open(self.conf) as conf:
            text = change(conf.read())
        with open(self.conf + ".new", "w") as conf:
            conf.write(text)
        os.rename(self.conf + ".new", self.conf)  # clients may read it now


def free_port():
    """Below those that outgoing connections get by themselves: none takes it while the hub that has it is stopped."""
    while True:
        port = random.SystemRandom().randrange(10000, 32768)
        with contextlib.suppress(OSError), socket.socket() as trial:
            trial.bind(("", port))
            return port


class Relay:
    """A tcp relay in the line of one node; cut() and heal() as when packets vanish; words: options of hallsync-relay."""

    def __init__(self, host, port, words=()):
        command = [tool("hallsync-relay"), *words, "0", host, str(port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def cut(self):
        self.process.send_signal(signal.SIGUSR1)

    def heal(self):
        self.process.send_signal(signal.SIGUSR2)

    def end(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


class Region:
    def __init__(self, goal, network=None):
        self.goal, self.network = goal, network
        self.nodes, self.relays, self.env = [], [], {}
        self.shared = set()  # names in /dev/shm
        self.endings = []  # what else to undo, when all daemons are gone
        self.random = random.Random(SEED)

    def __enter__(self):
        print(f"{os.path.basename(sys.argv[0])}: {self.goal}; HS_SEED={SEED}", flush=True)
        self.dir = tempfile.mkdtemp(prefix="hallsync-test.")
        return self

    def __exit__(self, kind, error, trace):
        if error is not None:
            for node in self.nodes:
                if os.path.exists(node.log):
                    print(f"--- {node.name}\n{node.tail()}", file=sys.stderr)
        for node in self.nodes:
            if node.process is not None:
                if error is None:
                    node.stop()
                else:
                    node.kill()
        for relay in self.relays:
            relay.end()
        for ending in self.endings:
            ending()
        self.shared |= self.notes()
        shutil.rmtree(self.dir)
        for name in self.shared:
            if os.path.exists(f"/dev/shm/{name}"):
                os.unlink(f"/dev/shm/{name}")
        if isinstance(error, Failed):
            print(f"FAILED: {error} (HS_SEED={SEED})", file=sys.stderr)
            sys.exit(1)
        return False

    def notes(self):
        """Continuity notes of all stores that daemons have had here: a store may get another id, and copies have their own."""
        notes = set()
        for directory, _, names in os.walk(self.dir):
            for name in names:
                if name.endswith(".log"):
                    with open(os.path.join(directory, name), errors="replace") as log:
                        notes |= {f"hallsync-{store}.note" for store in re.findall(r'event"?[=:]"?started"?[ ,].*\bstore"?[=:]"?([0-9a-f]{16})\b', log.read())}
        return notes

    def hub(self, name, start=True, **link):
        node = Node(self, name)
        self.nodes.append(node)
        done = subprocess.run([tool("hallsync"), "init", "--role", "hub", "--id", name, "--region", "test", "--district", "3200",
                               "--data", node.dir, "--listen", f"tcp://{node.address}:0"], capture_output=True, text=True)
        check(done.returncode == 0, f"init: {done.stdout} {done.stderr}")
        if link:
            node.settings("link", **link)
        return self.open(node) if start else node

    def further_hub(self, name, hub, start=True, **link):
        """One more hub of the region; it dials the one that let it in."""
        return self.listener(name, hub, "hub", ["3200"], start, link)

    def witness(self, name, hub, districts, start=True, **link):
        """A witness for halls of these districts; it dials the hub that let it in."""
        return self.listener(name, hub, "witness", districts, start, link)

    def listener(self, name, hub, role, districts, start, link):
        node = Node(self, name)
        self.nodes.append(node)
        token = self.enroll(hub, name, districts, "--role", role)
        answer = self.join(token, node.dir, node.enter, "--listen", f"tcp://{node.address}:0")
        check(answer.status == 0, f"join: {answer.out} {answer.err}")
        if link:
            node.settings("link", **link)
        return self.open(node) if start else node

    def open(self, hub):
        """Start a hub for the first time, at a port that it keeps: a restarted hub must come back where its halls look for it."""
        hub.port = free_port()
        hub.rewrite_conf(lambda text: text.replace(f"tcp://{hub.address}:0", f"tcp://{hub.address}:{hub.port}"))
        hub.start()
        return hub

    def enroll(self, hub, name, districts, *words, status=0):
        return hub.json("node", "enroll", name, "--district", ",".join(districts), *words, status=status).object()["token"]

    def join(self, token, directory, enter=(), *words):
        done = subprocess.run([*enter, tool("hallsync"), "join", "-", "--data", directory, *words], input=token,
                              capture_output=True, text=True)
        return Answer(done)

    def hall(self, name, hub, districts, start=True, relay=False, **link):
        """relay: a relay in its line, and the options of that, if it is a list.  link: settings of that section."""
        node = Node(self, name)
        self.nodes.append(node)
        answer = self.join(self.enroll(hub, name, districts), node.dir, node.enter)
        check(answer.status == 0, f"join: {answer.out} {answer.err}")
        node.hub, node.relay = hub, None
        if link:
            node.settings("link", **link)
        if relay is not False:
            node.relay = Relay("127.0.0.1", hub.port, [] if relay is True else relay)
            self.relays.append(node.relay)
            node.rewrite_conf(lambda text: re.sub(r"tcp://127\.0\.0\.1:\d+", f"tcp://127.0.0.1:{node.relay.port}", text))
        return node.start() if start else node

    def relay(self, hub):
        """A relay in a line to this hub, for the caller to put there."""
        self.relays.append(Relay("127.0.0.1", hub.port))
        return self.relays[-1]

    def twin(self, node, name):
        """A copy of a stopped node's directory, under that name, as a node that can be started beside it."""
        twin = Node(self, name)
        self.nodes.append(twin)
        shutil.copytree(node.dir, twin.dir, ignore=shutil.ignore_patterns("hallsync.sock"))
        twin.rewrite_conf(lambda text: text.replace(node.dir, twin.dir))
        twin.hub, twin.relay = node.hub, None
        return twin

    def customers(self, node, count, districts=("3201",), edition=0):
        """Import that many customers at the node, under other names in each edition; their account numbers."""
        path = os.path.join(self.dir, "customers.csv")
        with open(path, "w") as out:
            subprocess.run([tool("hallsync-gen"), "customers", "--count", str(count), "--seed", str(SEED % 1000 + 1 + edition),
                            "--districts", ",".join(districts)], stdout=out, check=True)
        node.json("customer", "import", path, seconds=300)
        with open(path) as rows:
            return [row["account"] for row in csv.DictReader(rows)]


def payment(account, number, amount=None, **more):
    return {"payment_id": f"{number:032x}", "account": account, "amount_fen": amount or 100 + number % 9000,
            "method": "cash", "window": number % 13 + 1, "clerk": "c01", **more}


class Payers(threading.Thread):
    """One client that pays and pays, sends again what got no answer, and keeps what was acknowledged."""

    def __init__(self, node, accounts, numbers, stopping):
        super().__init__(daemon=True)
        self.node, self.accounts, self.numbers, self.stopping = node, accounts, numbers, stopping
        self.acknowledged, self.sent, self.error = {}, {}, None

    def run(self):
        try:
            for number in self.numbers:
                record = payment(self.accounts[number % len(self.accounts)], number)
                while not self.pay(record):
                    if self.stopping.is_set():
                        return
                if self.stopping.is_set():
                    return
        except Exception as error:  # told by the test's own thread
            self.error = error

    def pay(self, record):
        self.sent[record["payment_id"]] = record["amount_fen"]
        words = [f"{key}={value}" for key, value in record.items()]
        answer = self.node.run("payment", "add", *words, "--json", seconds=60)
        if answer.status == 3:  # nobody there, or no answer: it may have been done
            time.sleep(0.05)
            return False
        check(answer.status == 0, f"a payment was refused: {answer.out} {answer.err}")
        self.acknowledged[record["payment_id"]] = record["amount_fen"]
        return True
