#!/usr/bin/env python3
"""The power fails at a hall and its hub while thirteen clients pay, reverse and edit: whatever was synced by then and whatever of the rest
reached the disk, the store opens, all that was acknowledged is there once, and no receipt number is given again.

A real run is recorded by a preloaded library (tests/power/recorder.c): every write, sync and change of a name below the data
directories, and what each client was told, in one order.  hallsync-power-check then cuts it off at a sample of all moments (HS_LONG=1: at
every one where something became certain) and opens what is left in several ways that a disk may leave it.  What threads and disks did in
between is not repeated by a seed: HS_KEEP=DIR keeps the recording of a failure, for hallsync-power-check alone.

Seen failing in copies of the tree with MDB_NOSYNC (both stores, the hub's alone, the records alone), with MDB_NOMETASYNC, with answers sent
before the commit, with an origin that goes on without its note, with a new log's names not synced, and without the sync of a start.
"""
import os
import re
import shutil
import subprocess
import sys
import threading

from region import SEED, Failed, Region, check, equal, tool

CLIENTS, WRITES = 13, 18
LONG = bool(os.environ.get("HS_LONG"))
CUTS = 100  # moments for each node, about
RETURNS = 12 if LONG else 2  # power cuts after which the daemons are started again
KINDS = range(5)  # of cuts; tests/power/disk.h


class Recording:
    """A journal of what happens below the region's directory from now on, until end()."""

    def __init__(self, region):
        region.dir = os.path.realpath(region.dir)
        self.region, self.file = region, os.path.join(region.dir, "journal")
        self.env = {"LD_PRELOAD": tool("hallsync-recorder.so"), "HS_RECORD_DIR": region.dir, "HS_RECORD_FILE": self.file,
                    "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
        self.client("make", region.dir)
        os.environ.update(self.env)

    def client(self, command, *words):
        subprocess.run([tool("hallsync-power-client"), command, self.file, *words], check=True)

    def pay(self, node, first, count, at):
        """All clients at once; at so many writes acknowledged, the function given is called."""
        command = [tool("hallsync-power-client"), "pay", self.file, f"ipc://{node.dir}/hallsync.sock", str(CLIENTS), str(first), str(count)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                for acknowledged in [number for number in at if number <= int(line)]:
                    at.pop(acknowledged)()
        check(process.returncode == 0, f"the clients ended with {process.returncode}")
        check(not at, f"too few writes: {at}")

    def end(self):
        for name in self.env:
            os.environ.pop(name)

    def output(self, *words):
        return subprocess.run([tool("hallsync-power-check"), *words], stdout=subprocess.PIPE, text=True, check=True).stdout

    def check(self, *words):
        done = subprocess.run([tool("hallsync-power-check"), *words], capture_output=True, text=True, env={**os.environ, "HS_SEED": str(SEED)})
        print(done.stdout, end="")
        print(done.stderr, end="", file=sys.stderr)
        return done


def again(node, stop):
    stop()
    node.start()


class Dying(threading.Thread):
    """A node that is killed after a commit is written and before it is known to be on disk, and is started again: the new process sees the
    commit, and nobody may hear of it before it has been synced.  Found that way: a start trusted what it saw."""

    def __init__(self, region, node):
        super().__init__(daemon=True)
        self.first, self.node, self.error = None, node, None
        os.environ["HS_RECORD_DIE"] = str(region.random.randrange(8, 20))
        node.start()
        del os.environ["HS_RECORD_DIE"]
        self.first = node.process
        self.start()

    def run(self):
        try:
            self.first.wait()
            self.node.process = None
            self.node.start()
        except Failed as error:  # told by the test's own thread
            self.error = error

    def end(self):
        self.first.kill()  # if it has not come so far
        self.join()
        if self.error:
            raise self.error


def record(region, recording, hub, hall, writes):
    recording.client("tell", "clients")
    some = [region.random.randrange(25, CLIENTS * writes // 2 - 25) for _ in range(3)]
    recording.pay(hall, 0, writes, {some[0]: lambda: again(hall, hall.kill), some[1]: lambda: again(hub, hub.stop)})
    recording.pay(hall, writes, writes // 2, {some[2] // 2: lambda: again(hub, hub.kill)})
    for first in range(2 * writes, 3 * writes, writes // 2):
        hub.stop()
        hall.stop()
        dying = [Dying(region, node) for node in (hub, hall)]
        recording.pay(hall, first, writes // 2, {})
        for node in dying:
            node.end()
    hall.synced()
    hall.stop()
    hub.stop()
    recording.end()


def check_images(region, recording, hub, hall):
    done = recording.check("run", recording.file, region.dir, hall.name, hub.name, str(CUTS), *(["all"] if LONG else []))
    if done.returncode != 0 and "HS_KEEP" in os.environ:  # the recording cannot be made a second time
        subprocess.run(["cp", "-r", "--sparse=always", region.dir, os.environ["HS_KEEP"]], check=True)
    check(done.returncode == 0, f"hallsync-power-check: {done.returncode}")
    images = sum(int(number) for number in re.findall(r"(\d+) images$", done.stdout, re.M))
    check(images >= CUTS, f"only {images} images were looked at")


def district(node):
    """Digests of what both hold whole."""
    return [line for line in node.digests().splitlines() if '"3201"' in line]


def come_back(region, recording, hub, hall, entry, conf):
    """The power of the whole region fails: what is left of both nodes starts again, and they agree on what was acknowledged."""
    for node in (hub, hall):
        kind, seed = region.random.choice(KINDS), region.random.randrange(1 << 32)
        print(f"  {node.name}: cut before entry {entry}, kind {kind}, seed {seed}", flush=True)
        shutil.rmtree(node.dir)
        done = recording.check("image", recording.file, node.name, str(entry), str(kind), str(seed), node.dir)
        check(done.returncode == 0, f"image: {done.returncode}")
    hub.rewrite_conf(lambda _: conf)
    hub.start()
    hall.start()
    hall.synced()
    told = dict(line.split() for line in recording.output("told", recording.file, str(entry)).splitlines())
    for node in (hall, hub):
        held = node.json("payment", "list", seconds=120).lines()
        amounts = {record["payment_id"]: str(record["amount_fen"]) for record in held}
        equal(len(amounts), len(held), f"{node.name}: a payment stands twice")
        for number, fen in told.items():
            equal(amounts.get(number), fen, f"{node.name}: acknowledged payment {number}")
    equal(district(hall), district(hub), "digests")
    hall.stop()
    hub.stop()
    return len(told)


def main():
    with Region("power cuts: what was acknowledged is there once, whatever the disk made of the rest") as region:
        recording = Recording(region)
        hub = region.hub("nj-hub", admit_after_ms=500)
        hall = region.hall("nj-gulou", hub, ["3201"])
        record(region, recording, hub, hall, WRITES * (4 if LONG else 1))
        check_images(region, recording, hub, hall)
        with open(hub.conf, encoding="utf-8") as file:
            conf = file.read()  # with the port that the halls know
        entries = recording.output("list", recording.file).splitlines()
        begun = entries.index("- clients")
        told = [come_back(region, recording, hub, hall, region.random.randrange(begun, len(entries)), conf) for _ in range(RETURNS)]
        print(f"{RETURNS} returns of the daemons, with {told} payments acknowledged")


if __name__ == "__main__":
    main()
