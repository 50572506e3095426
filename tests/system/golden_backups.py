#!/usr/bin/env python3
"""Backups of each schema are restored by this program and say what the node said; and every golden store, backed up and restored, too."""
import glob
import os
import shutil
import subprocess

from golden import GOLDEN, said, unpack, within
from region import Node, Region, check, equal, tool


def restored(region, name, file, secret):
    """Started alone, and with nobody to dial."""
    node = Node(region, f"{name}-restored")
    region.nodes.append(node)
    done = subprocess.run([tool("hallsync"), "restore", file, "--data", node.dir, "--secret", secret], capture_output=True, text=True)
    equal(done.returncode, 0, f"restore of {name}: {done.stdout} {done.stderr}")
    node.dials()
    return node.start()


def same(expected):
    """A level that a lost store gave is given no more."""
    return {key: value if key != "payments" else [{k: v for k, v in p.items() if k != "safe"} for p in value]
            for key, value in expected.items() if key in ("role", "digests", "totals", "payments", "tickets", "conflicts", "forks", "evicting")}


def own_key(region, name):
    path = os.path.join(region.dir, name)
    done = subprocess.run([tool("hallsync"), "backup-key", "new", path], capture_output=True, text=True, check=True)
    return path, done.stdout.strip()


def main():
    with Region("golden backups are restored") as region:
        archive = sorted(glob.glob(os.path.join(GOLDEN, "stores-*.tar.xz")))[-1]
        nodes, expected = unpack(region, archive, region.dir)
        for file in sorted(glob.glob(os.path.join(GOLDEN, "backup-*.backup"))):
            secret = os.path.join(region.dir, "golden.key")
            shutil.copyfile(os.path.join(GOLDEN, "backup.key"), secret)
            os.chmod(secret, 0o600)
            node = restored(region, "golden", file, secret)
            equal(within(same(expected["nj-hub"]), said(node)), [], f"{os.path.basename(file)}: what it says")
            node.stop()
            region.nodes.remove(node)
            shutil.rmtree(node.dir)
        secret, public = own_key(region, "recovery.key")
        for name, node in nodes.items():
            node.settings("backup", recipients=[public])
            region.shared.add(f"hallsync-{expected[name]['store_id']}.note")  # of the command's own opening
            made = node.json("backup").object()
            copy = restored(region, name, made["file"], secret)
            equal(within(same(expected[name]), said(copy)), [], f"{name}: what the restored node says")
            check(copy.status()["store_id"] != expected[name]["store_id"], f"{name}: a store of its own")
            copy.stop()
        print(f"{len(nodes)} stores backed up and restored", flush=True)


main()
