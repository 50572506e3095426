"""The operators' scripts in a region of a test: under their installed names, with a systemctl of the test's own.

A unit is `NAME` for the node of that name.  Its daemon runs without the test as its parent, as a service does."""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import time

from region import BIN, SLOW, Answer, Failed, check, until

SCRIPTS = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "scripts"))


def is_ops(path):
    if not os.path.isfile(path):
        return False
    with open(path) as file:
        return "lib/ops.sh" in file.read(1000)


with open(os.path.join(SCRIPTS, "..", "node", "CMakeLists.txt")) as lists:
    INSTALLED = re.search(r"foreach\(script( [^)]*)\)", lists.read()).group(1)
NAMES = sorted(name for name in os.listdir(SCRIPTS) if is_ops(os.path.join(SCRIPTS, name)))

# What the scripts ask of systemd, and what it does; the log of the daemon is the test's.
SYSTEMCTL = """#!/usr/bin/env bash
set -eu
quiet=; verb=$1; shift
while [ $# -gt 0 ]; do case $1 in --quiet | --value | --now) shift ;; -p) shift 2 ;; *) unit=$1; shift ;; esac; done
pid=$(cat "$UNITS/$unit.pid" 2>/dev/null || true)
runs() { [ -n "$pid" ] && grep -qs '^State:.[^Z]' "/proc/$pid/status"; } # what has ended may not be reaped yet
[ ! -e "$UNITS/$unit.masked" ] || [ "$verb" != start ] || { echo "Unit $unit is masked." >&2; exit 5; }
case $verb in
is-active) runs ;;
show) echo ;;
enable | disable) echo "$verb" >"$UNITS/$unit.boot" ;;
stop)
    [ -n "$pid" ] || exit 0
    kill "$pid" 2>/dev/null || true
    while runs; do sleep 0.05; done
    rm -f "$UNITS/$unit.pid" ;;
start | restart)
    [ "$verb" = start ] || "$0" stop "$unit"
    [ "$verb" = restart ] || ! runs || exit 0
    exec >>"$UNITS/../../$unit.log" 2>&1 </dev/null
    setsid hallsyncd -c "$(cat "$UNITS/$unit.conf")" &
    echo $! >"$UNITS/$unit.pid" ;;
*) echo "systemctl: $verb?" >&2; exit 1 ;;
esac
"""


class Daemon:
    """Of a unit, where region.py keeps a Popen."""

    def __init__(self, units, name):
        self.path, self.returncode = os.path.join(units, name + ".pid"), None

    @property
    def pid(self):
        with open(self.path) as file:
            return int(file.read())

    def poll(self):
        return None if os.path.exists(self.path) and alive(self.pid) else 0

    def send_signal(self, number):
        os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def wait(self, seconds=30):
        end = time.monotonic() + seconds * SLOW
        while self.poll() is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired(self.path, seconds)
            time.sleep(0.02)
        return 0


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Ops:
    """with Region(...) as region: ops = Ops(region)"""

    def __init__(self, region):
        self.region = region
        self.bin, self.units = os.path.join(region.dir, "ops", "sbin"), os.path.join(region.dir, "ops", "units")
        self.logs, share = os.path.join(region.dir, "ops", "logs"), os.path.join(region.dir, "ops", "share", "hallsync")
        for directory in (self.bin, self.units, self.logs, share):
            os.makedirs(directory)
        for name in NAMES:  # as CMake installs them
            check(f" {name}" in INSTALLED, f"{name} is not installed by node/CMakeLists.txt")
            shutil.copy(os.path.join(SCRIPTS, name), os.path.join(self.bin, f"hallsync-{name}"))
        shutil.copy(os.path.join(SCRIPTS, "lib", "ops.sh"), share)
        with open(os.path.join(self.bin, "systemctl"), "w") as file:
            file.write(SYSTEMCTL)
        os.chmod(os.path.join(self.bin, "systemctl"), 0o755)
        self.env = {**os.environ, "PATH": f"{self.bin}:{os.path.abspath(BIN)}:{os.environ['PATH']}", "UNITS": self.units,
                    "TMPDIR": region.dir, "HALLSYNC_OPS_LOGS": self.logs}
        region.endings.insert(0, self.end)

    def end(self):
        for name in os.listdir(self.units):
            if name.endswith(".pid"):
                daemon = Daemon(self.units, name[:-4])
                if daemon.poll() is None:
                    daemon.kill()
                    daemon.wait()

    def unit(self, node):
        """From now on the node is a unit; it is started as one if it ran."""
        running = node.process is not None
        node.stop()
        with open(os.path.join(self.units, node.name + ".conf"), "w") as file:
            file.write(node.conf)
        if running:
            self.systemctl("start", node)
        return node

    def systemctl(self, verb, node):
        subprocess.run(["systemctl", verb, node.name], env=self.env, check=True)
        if verb in ("start", "restart"):
            self.adopt(node)
        else:
            node.process = None

    def strange(self, node, name, account, fen, method, window):
        """A payment as a newer version's counter writes it, past this one's rules, at a unit."""
        node.stop()
        done = subprocess.run(["hallsync-strange", node.conf, name, account, str(fen), method, str(window)], env=self.env, capture_output=True, text=True)
        check(done.returncode == 0, f"hallsync-strange: {done.stderr}")
        self.systemctl("start", node)

    def adopt(self, node):
        """A script may have started it, or stopped it."""
        daemon = Daemon(self.units, node.name)
        node.process = daemon if os.path.exists(daemon.path) and daemon.poll() is None else None
        if node.process is not None:
            until(f"{node.name} answers", node.answers, 30)

    @contextlib.contextmanager
    def failing(self, *words, done=False):
        """Meanwhile the scripts' commands that have these words in a row fail as when no node answers; done: and yet are done."""
        path, real = os.path.join(self.bin, "hallsync"), os.path.join(os.path.abspath(BIN), "hallsync")
        with open(path, "w") as file:
            file.write(f"""#!/usr/bin/env bash
case " $* " in *" {' '.join(words)} "*) {f'"{real}" "$@"; ' if done else ''}echo "hallsync: unreachable" >&2; exit 3 ;; esac
exec "{real}" "$@"
""")
        os.chmod(path, 0o755)
        yield
        os.unlink(path)

    @contextlib.contextmanager
    def masked(self, node):
        """Meanwhile its unit cannot be started."""
        path = os.path.join(self.units, node.name + ".masked")
        with open(path, "w"):
            yield
        os.unlink(path)

    def run(self, script, node, *words, data=None, seconds=120, answer=True):
        """One of the scripts at this node, as its operator would; answer: --yes."""
        log = os.path.join(self.logs, f"{script}-{time.monotonic_ns()}.log")
        command = [f"hallsync-{script}", *(["-c", node.conf, "--service", node.name] if node else []), "--log", log,
                   *(["--yes"] if answer else []), *words]
        program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env=self.env, cwd=self.region.dir, start_new_session=True)
        try:
            out, err = program.communicate(data, timeout=seconds * SLOW)
        except subprocess.TimeoutExpired:
            program.terminate()  # it cleans up behind itself
            try:
                out, err = program.communicate(timeout=20 * SLOW)
            except subprocess.TimeoutExpired:
                os.killpg(program.pid, signal.SIGKILL)
                out, err = program.communicate()
            raise Failed(f"{' '.join(command)} did not end in {seconds * SLOW:.0f} s: {out[-3000:]} {err[-1000:]}") from None
        done = subprocess.CompletedProcess(command, program.returncode, out, err)
        if node:
            self.adopt(node)
        result = Answer(done)
        result.log = open(log).read() if os.path.exists(log) else ""
        return result

    def done(self, script, node, *words, **more):
        """It must succeed, with a proof and a log."""
        answer = self.run(script, node, *words, **more)
        check(answer.status == 0, f"{script} {' '.join(words)}: status {answer.status}: {answer.out[-3000:]} {answer.err[-1000:]}")
        check("proof" in answer.out and answer.log, f"{script}: no proof or no log: {answer.out}")
        return answer

    def refused(self, status, text, script, node, *words, **more):
        """It must end so, and say this."""
        answer = self.run(script, node, *words, **more)
        check(answer.status == status, f"{script} {' '.join(words)}: status {answer.status}, not {status}: {answer.out} {answer.err}")
        check(text in answer.out + answer.err, f"{script}: no '{text}' in: {answer.out} {answer.err}")
        return answer

    def faces(self, script, node, *words, asks=True):
        """--help says how, a plan is shown and nothing done with --dry-run, and nothing is done when nobody can be asked."""
        helped = self.run(script, None, "--help", answer=False)
        check(helped.status == 0 and "usage:" in helped.out and "exit status" in helped.out, f"{script} --help: {helped.out}")
        check(not helped.log, "--help wrote a log")
        self.refused(2, "what is '--nonsense'", script, node, "--nonsense")
        dry = self.run(script, node, *words, "--dry-run", answer=False)
        check(dry.status == 0 and f"hallsync-{script} will\n  1. " in dry.out and "nothing was changed" in dry.out,
              f"{script} --dry-run: {dry.status} {dry.out} {dry.err}")
        check(not dry.log, f"{script} --dry-run wrote a log")
        if asks:
            self.refused(2, "nobody is there to ask", script, node, *words, answer=False)


def recovery(ops, node, *more):
    """The node gets a recovery key and a place for backups: the key's file."""
    secret = os.path.join(ops.region.dir, node.name + ".recovery")
    done = subprocess.run(["hallsync", "backup-key", "new", secret], env=ops.env, capture_output=True, text=True, check=True)
    node.settings("backup", recipients=[done.stdout.strip()], dir=os.path.join(ops.region.dir, node.name + "-backups"))
    return secret
