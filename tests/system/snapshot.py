"""A copy of a node, and ways in which it comes back: as a restored directory, or as a machine's snapshot does, with the files in their old
places and what lay in memory beside them."""
import os
import shutil


class Snapshot:
    def __init__(self, node):
        """Stops the node."""
        self.node, self.dir = node, f"{node.dir}.{node.status()['commit']}.copy"
        self.note = f"/dev/shm/hallsync-{node.status()['store_id']}.note"
        node.stop()
        shutil.copytree(node.dir, self.dir, ignore=shutil.ignore_patterns("hallsync.sock"))
        with open(self.note, "rb") as note:
            self.noted = note.read()

    def copied_back(self):
        """What a restored directory is: other files with the old bytes.  The node does not run."""
        shutil.rmtree(self.node.dir)
        shutil.copytree(self.dir, self.node.dir)

    def set_back(self):
        """What the snapshot of a machine is: the same files with the old bytes, and the continuity note of then."""
        for directory, _, files in os.walk(self.dir):
            for name in files:
                path = os.path.join(directory, name)
                there = os.path.join(self.node.dir, os.path.relpath(path, self.dir))
                with open(path, "rb") as old, open(there, "r+b" if os.path.exists(there) else "wb") as new:
                    new.truncate(0)
                    shutil.copyfileobj(old, new)
        with open(self.note, "r+b") as note:
            note.write(self.noted)
