#!/usr/bin/env python3
"""The power fails while a hub is made and while a hall joins: the same command, given again, brings either to its end.  Keys that the hub
has signed for are never lost, and a store is there whole or not at all.

As power_loss.py, for the two commands: what is left of the directory at any moment is opened by running them once more.  Seen failing with
a log made in its place, with keys, their names or those of their folders not synced, and with a hub's half made keys refused.
"""
import os
import shutil
import signal
import subprocess
import tempfile

from power_loss import LONG, Recording
from region import Failed, Node, Region, check, tool

CUTS = {"none": 0, "all": 1, "subset": 2, "torn": 3}
TRIES = 60  # images of each command, about


class Images:
    """What power cuts leave of one folder, in a range of the journal."""

    def __init__(self, region, recording, folder, moments):
        self.region, self.recording, self.folder = region, recording, folder
        self.place = tempfile.mkdtemp(prefix="hallsync-power.", dir="/dev/shm")
        self.dir, self.where = os.path.join(self.place, folder), ""
        every = [(moment, cut) for moment in moments for cut in CUTS]
        self.chosen = every if LONG else sorted(region.random.sample(every, min(TRIES, len(every))))

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        shutil.rmtree(self.place)
        if isinstance(error, Failed):
            raise Failed(f"{self.where}: {error}") from None

    def __iter__(self):
        for moment, cut in self.chosen:
            shutil.rmtree(self.dir, ignore_errors=True)
            seed = str(self.region.random.randrange(1 << 32))
            self.where = f"cut before entry {moment} of {self.folder}, {cut}, seed {seed}"
            done = subprocess.run([tool("hallsync-power-check"), "image", self.recording.file, self.folder, str(moment), str(CUTS[cut]),
                                   seed, self.dir], check=False)
            check(done.returncode in (0, 3), f"image: {done.returncode}")
            yield moment

    def whole(self):
        open_store(self.dir)

    def read(self, name):
        return read_key(self.dir, name)


def read_key(directory, name):
    try:
        with open(os.path.join(directory, "keys", name), encoding="ascii") as file:
            return file.read()
    except FileNotFoundError:
        return None


def init(name, directory):
    return subprocess.run([tool("hallsync"), "init", "--role", "hub", "--id", name, "--region", "test", "--district", "3200", "--data", directory,
                           "--listen", "tcp://127.0.0.1:0"], capture_output=True, text=True, check=False)


def init_again(region, recording, moments):
    with Images(region, recording, "nj-hub", moments) as images:
        for _ in images:
            secrets = {name: images.read(name) for name in ("root.key", "issuer.key", "node.key", "curve.key")}
            done = init("nj-hub", images.dir)
            if done.returncode != 0:
                check("nothing was changed" in done.stderr, f"init again: {done.stdout} {done.stderr}")
            images.whole()
            for name, before in secrets.items():
                check(before in (None, images.read(name)), f"{name} was replaced")
        return len(images.chosen)


def join_again(region, recording, moments, token, asked, original):
    with Images(region, recording, "nj-gulou", moments) as images:
        for moment in images:
            keys = {name: images.read(name) for name in original}
            for name, key in keys.items():
                check(key in (None, original[name]), f"{name} was altered")
            if None in keys.values():
                check(moment < asked, "the hub has signed for a key that is gone")
                continue  # this hub has: not for a new key
            done = region.join(token, images.dir)
            check(done.status == 0, f"join again: {done.out} {done.err}")
            images.whole()
            check(keys == {name: images.read(name) for name in original}, "a key was replaced")
        return len(images.chosen)


KEYS = ("node.key", "curve.key")


def join_killed(region, hub):
    """Joins that are killed after some name is in its place and before it is on disk, and given again: the second finds the keys of the
    first, and the hub signs for them."""
    for number in range(1, 13):
        node = Node(region, f"nj-killed{number}")
        token = region.enroll(hub, node.name, ["3201"])
        os.environ["HS_RECORD_DIE_NAME"] = str(number)
        answer = region.join(token, node.dir)
        del os.environ["HS_RECORD_DIE_NAME"]
        check(answer.status == -signal.SIGKILL, f"join {number} was not killed: {answer.status}")
        answer = region.join(token, node.dir)
        check(answer.status == 0, f"join {number} again: {answer.out} {answer.err}")
        yield node


def open_store(directory):
    done = subprocess.run([tool("hallsync-power-check"), "open", directory], capture_output=True, text=True, check=False)
    check(done.returncode == 0, f"{done.stdout} {done.stderr}")


def check_killed(region, recording, entries, nodes):
    """Where the hub's answer comes, the keys that it has signed for are on disk."""
    for node in nodes:
        asked = next(i for i, entry in enumerate(entries) if entry.startswith(f"{node.name}/keys/root.pub"))
        with Images(region, recording, node.name, [asked]) as images:
            images.chosen = [(asked, "none")]
            for _ in images:
                for name in KEYS:
                    check(images.read(name) == read_key(node.dir, name), f"{name} of {node.name} is not on disk")
        open_store(node.dir)


def moments_of(entries, folder, begun, ended):
    """Before each entry of the folder, and behind the last; of the many writes ahead of a new log only some."""
    own = [i for i in range(begun, ended) if entries[i].split("/")[0] == folder]
    return [i for i in own if LONG or i % 16 == 0 or any("/" in entry for entry in entries[i - 4:i + 1])] + [ended]


def main():
    with Region("power cuts in the middle of init and join: the same command again finishes either") as region:
        recording = Recording(region)
        hub = region.hub("nj-hub")
        token = region.enroll(hub, "nj-gulou", ["3201"])
        recording.client("tell", "join")
        node = Node(region, "nj-gulou")
        answer = region.join(token, node.dir)
        check(answer.status == 0, f"join: {answer.out} {answer.err}")
        recording.client("tell", "joined")
        killed = list(join_killed(region, hub))
        recording.end()
        original = {name: read_key(node.dir, name) for name in KEYS}
        entries = recording.output("list", recording.file).splitlines()
        begun, ended = entries.index("- join"), entries.index("- joined")
        # the first thing that a hub's answer brings into the directory
        asked = next(i for i in range(begun, ended) if entries[i].startswith("nj-gulou/keys/root.pub"))
        inits = init_again(region, recording, moments_of(entries, "nj-hub", 0, begun))
        joins = join_again(region, recording, moments_of(entries, "nj-gulou", begun, ended), token, asked, original)
        check_killed(region, recording, entries, killed)
        open_store(node.dir)
        print(f"{inits} images of init and {joins} of join, of {ended} entries")


if __name__ == "__main__":
    main()
