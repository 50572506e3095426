"""A terminal for tests: a program runs in a pseudo terminal, and what it writes there ends up in rows of characters, as xterm, a Linux
console or a vt100 would show it.  What this does not know is a failure, so that nothing is overlooked."""
import codecs
import fcntl
import os
import pty
import re
import resource
import select
import signal
import struct
import subprocess
import termios
import time
import unicodedata

from region import SLOW, check

SEQUENCE = re.compile(r"\x1b(?:\[([?>]?)([0-9;]*)([@-~])|([()])(.)|([=>78M])|\](?:[^\x07]*)\x07)", re.S)
# Modes, colours and the like: nothing that moves a character.
SILENT = {"m", "h", "l", "t"}


class Screen:
    """Rows of cells; a wide character has an empty cell behind it."""

    def __init__(self, columns, rows):
        self.left = ""  # of a sequence that has not come whole
        self.overlong = []  # rows that something was written behind the end of
        self.gone = []  # rows that went out above
        self.last = " "
        self.resize(columns, rows)

    def resize(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.cells = [[" "] * columns for _ in range(rows)]
        self.x = self.y = 0
        self.first, self.end = 0, rows  # those that scroll

    def lines(self):
        return ["".join(row).rstrip() for row in self.cells]

    def text(self):
        return "\n".join(self.lines())

    def feed(self, text):
        text, at = self.left + text, 0
        self.left = ""
        while at < len(text):
            if text[at] != "\x1b":
                self.put(text[at])
                at += 1
                continue
            match = SEQUENCE.match(text, at)
            if match is None:
                check(len(text) - at < 32, f"what is this sequence: {text[at:at + 40]!r}")
                self.left = text[at:]
                return
            self.sequence(match)
            at = match.end()

    def put(self, one):
        width = 2 if unicodedata.east_asian_width(one) in "WF" else 1
        if one == "\r":
            self.x = 0
        elif one == "\n":
            self.feed_line()
        elif one == "\b":
            self.x = max(min(self.x, self.columns - 1) - 1, 0)
        elif one >= " ":
            if self.x + width > self.columns:
                self.overlong.append(self.lines()[self.y])
                self.x = 0
                self.feed_line()
            self.cells[self.y][self.x:self.x + width] = [one] + [""] * (width - 1)
            self.x += width
            self.last = one
        else:
            check(one in "\x07\x0e\x0f\0", f"what is {one!r}?")

    def feed_line(self):
        if self.y + 1 != self.end:
            self.y = min(self.y + 1, self.rows - 1)
            return
        self.cells.insert(self.end, [" "] * self.columns)
        self.gone.append("".join(self.cells.pop(self.first)).rstrip())

    def erase(self, row, first, end):
        self.cells[row][first:end] = [" "] * (min(end, self.columns) - first)

    def sequence(self, match):
        private, numbers, final, _, _, single = match.groups()
        if single == "M" and self.y == self.first:
            self.cells.pop(self.end - 1)
            self.cells.insert(self.first, [" "] * self.columns)
        elif single == "M":
            self.y = max(self.y - 1, 0)
        if final is None or private or final in SILENT:
            if final == "h" and private == "?" and "1049" in numbers:
                self.resize(self.columns, self.rows)
            return
        given = [int(number) if number else 0 for number in numbers.split(";")]
        count = max(given[0], 1)
        x, y = min(self.x, self.columns - 1), self.y
        if final in "Hf":
            self.y, self.x = count - 1, max(given[1], 1) - 1 if len(given) > 1 else 0
        elif final == "d":
            self.y = count - 1
        elif final == "G":
            self.x = count - 1
        elif final == "r":
            self.first, self.end = count - 1, given[1] if len(given) > 1 else self.rows
            self.x = self.y = 0
        elif final in "ABCD":
            self.y += {"A": -count, "B": count}.get(final, 0)
            self.x = x + {"C": count, "D": -count}.get(final, 0)
        elif final == "K":
            self.erase(y, *{0: (x, self.columns), 1: (0, x + 1), 2: (0, self.columns)}[given[0]])
        elif final == "J":
            for row in range(self.rows):
                if given[0] == 2 or (given[0] == 0 and row > y) or (given[0] == 1 and row < y):
                    self.erase(row, 0, self.columns)
            if given[0] != 2:
                self.erase(y, *{0: (x, self.columns), 1: (0, x + 1)}[given[0]])
        elif final == "X":
            self.erase(y, x, x + count)
        elif final == "b":
            for _ in range(count):
                self.put(self.last)
        elif final == "P":
            self.cells[y][x:] = self.cells[y][x + count:] + [" "] * min(count, self.columns - x)
        elif final == "@":
            self.cells[y][x:] = ([" "] * count + self.cells[y][x:])[:self.columns - x]
        elif final in "LM":
            for _ in range(count):
                self.cells.pop(y if final == "M" else self.end - 1)
                self.cells.insert(y if final == "L" else self.end - 1, [" "] * self.columns)
        else:
            check(False, f"what is this sequence: {match.group(0)!r}")
        self.y = min(max(self.y, 0), self.rows - 1)
        self.x = min(max(self.x, 0), self.columns)


class Terminal:
    """A program that has a terminal of its own."""

    def __init__(self, command, columns=80, rows=24, env=None, unset=()):
        self.screen = Screen(columns, rows)
        self.decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self.written = b""  # all that it wrote
        self.master, self.slave = pty.openpty()
        self.size(columns, rows)
        self.before = termios.tcgetattr(self.slave)
        env = {name: value for name, value in {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", **(env or {})}.items() if name not in unset}
        self.process = subprocess.Popen(command, stdin=self.slave, stdout=self.slave, stderr=self.slave, env=env, start_new_session=True,
                                        preexec_fn=self.own)

    def own(self):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def size(self, columns, rows):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns, rows):
        self.look()
        self.screen.resize(columns, rows)
        self.size(columns, rows)

    def redraw(self):
        """What was written for another size is of no account; what is drawn now is."""
        cleared = self.written.count(b"\x1b[2J")
        self.screen.overlong.clear()
        self.press("\x0c")
        self.until("everything anew", lambda _: self.written.count(b"\x1b[2J") > cleared)
        self.until("the last row", lambda text: text.rsplit("\n", 1)[1])

    def press(self, keys):
        os.write(self.master, keys.encode())

    def look(self):
        """The screen as it is now."""
        while select.select([self.master], [], [], 0)[0]:
            self.take()
        return self.screen.text()

    def take(self):
        data = os.read(self.master, 65536)
        self.written += data
        self.screen.feed(self.decoder.decode(data))

    def until(self, what, condition, seconds=10):
        """The screen, once the condition holds for it."""
        end = time.monotonic() + seconds * SLOW
        while True:
            text = self.look()
            if condition(text):
                return text
            check(self.process.poll() is None, f"it ended with {self.process.poll()}, and not: {what}\n{text}")
            check(time.monotonic() < end, f"not seen on the terminal: {what}\n{text}")
            select.select([self.master], [], [], 0.1)

    def ended(self, seconds=10):
        """Its status, once it has ended."""
        end = time.monotonic() + seconds * SLOW
        while self.process.poll() is None:
            check(time.monotonic() < end, f"it does not end:\n{self.look()}")
            if select.select([self.master], [], [], 0.05)[0]:
                self.take()
        self.look()
        return self.process.returncode

    def signal(self, name):
        self.process.send_signal(getattr(signal, name))

    def restored(self):
        """Modes as they were, not on the other screen, and with a cursor."""
        return (termios.tcgetattr(self.slave) == self.before and self.written.rfind(b"\x1b[?1049l") >= self.written.rfind(b"\x1b[?1049h")
                and self.written.rfind(b"\x1b[?25h") >= self.written.rfind(b"\x1b[?25l"))
