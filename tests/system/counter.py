"""A counter that keeps an outbox: hallsync-example-counter, driven over its standard input."""
import queue
import subprocess
import threading

from region import equal, tool


class Counter:
    """hallsync-example-counter, with an outbox."""

    def __init__(self, node, path):
        command = [tool("hallsync-example-counter"), f"ipc://{node.dir}/hallsync.sock", path]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lines, self.outbox = queue.Queue(), {}
        node.region.endings.append(self.kill)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            if line.startswith("outbox: "):
                self.outbox = {words.split(" ", 1)[1]: int(words.split(" ", 1)[0]) for words in line[8:].strip().split(", ")}
            else:
                self.lines.put(line.strip())

    def pay(self, account, fen, number):
        self.process.stdin.write(f"{account} {fen} {number}\n")
        self.process.stdin.flush()
        return self.lines.get(timeout=60)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        """It ends when its outbox is empty."""
        self.process.stdin.close()
        equal(self.process.wait(timeout=180), 0, "the counter's exit status")
