"""A network of the test's own: each node in a namespace, all on one bridge, and lines that can fail.

    network = Network()                      # at the top: the test starts again inside namespaces, or is skipped
    with network.region("goal") as region:
        hub = region.hub("nj-hub")
        hall = region.hall("nj-gulou", hub, ["3201"])
        hall.line.down()

The whole test runs in network, mount and process namespaces of its own: whatever becomes of it, kill -9 included, nothing is left of
its links, mounts, notes and daemons.  Nothing needs a kernel module but veth, bridge and (for rates) sch_tbf.
"""
import os
import re
import subprocess
import sys

from region import Region, check

SKIPPED = 77
INSIDE = "HS_TEST_INSIDE"
PREFIX = "10.77.0."
NOBODY = "02:00:00:00:00:ff"


def skip(why):
    print(f"{os.path.basename(sys.argv[0])}: skipped: {why}")
    sys.exit(SKIPPED)


def isolate():
    """Go on inside namespaces: this program is started anew as the first process of its own process namespace."""
    if os.environ.get(INSIDE):
        for directory in ("/run", "/dev/shm"):
            command("mount", "-t", "tmpfs", "none", directory)
        os.mkdir("/run/netns")
        command("ip", "link", "set", "lo", "up")
        return
    unshare = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc"]
    if os.geteuid() != 0:
        unshare.insert(1, "--map-root-user")
    for attempt in (["ip", "-V"], ["tc", "-V"], unshare + ["mount", "-t", "tmpfs", "none", "/run"],
                    unshare + ["ip", "link", "add", "one", "type", "veth", "peer", "name", "other"]):
        try:
            done = subprocess.run(attempt, capture_output=True, text=True)
        except FileNotFoundError:
            skip(f"no {attempt[0]}")
        if done.returncode != 0:
            skip(f"no namespaces here: {' '.join(attempt)}: {done.stderr.strip()}")
    sys.stdout.flush()
    os.execvpe(unshare[0], unshare + [sys.executable, *sys.argv], {**os.environ, INSIDE: "1"})


def command(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    check(done.returncode == 0, f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def inside(space, *words):
    return command("nsenter", f"--net=/run/netns/{space}", *words)


class Line:
    """A node's line to the others.  Its own end is eth0; the other, named as the node, is a port of the bridge."""

    def __init__(self, network, name):
        self.network, self.name = network, name
        self.address = f"{PREFIX}{len(network.lines) + 1}"
        command("ip", "netns", "add", name)
        inside("switch", "ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        inside("switch", "ip", "link", "set", name, "master", "bridge", "up")
        inside(name, "ip", "address", "add", self.address + "/24", "dev", "eth0")
        inside(name, "ip", "link", "set", "eth0", "up")
        inside(name, "ip", "link", "set", "lo", "up")
        self.hardware = re.search(r"link/ether (\S+)", inside(name, "ip", "link", "show", "eth0")).group(1)

    def enter(self):
        return ["nsenter", f"--net=/run/netns/{self.name}"]

    def down(self):
        """Unplugged: no packet in either direction."""
        inside("switch", "ip", "link", "set", self.name, "down")

    def up(self):
        inside("switch", "ip", "link", "set", self.name, "up")

    def deaf_to(self, other):
        """What the other sends to this node vanishes, to a hardware address that nobody has; the other direction goes on."""
        inside(other.name, "ip", "neigh", "replace", self.address, "lladdr", NOBODY, "nud", "permanent", "dev", "eth0")

    def hears(self, other):
        inside(other.name, "ip", "neigh", "replace", self.address, "lladdr", self.hardware, "nud", "permanent", "dev", "eth0")

    def rate(self, text):
        """Both directions at most so fast ("64kbit"); what waits longer than 400 ms is dropped, as routers do."""
        shape = ["root", "tbf", "rate", text, "burst", "4kb", "latency", "400ms"]
        try:
            inside(self.name, "tc", "qdisc", "replace", "dev", "eth0", *shape)
        except Exception as error:
            if "unknown" in str(error):
                skip(f"this kernel has no tbf: {error}")
            raise
        inside("switch", "tc", "qdisc", "replace", "dev", self.name, *shape)

    def bytes(self):
        """So many were sent and received."""
        text = inside(self.name, "cat", "/proc/net/dev")
        fields = re.search(r"eth0:\s*(.*)", text).group(1).split()
        return int(fields[8]), int(fields[0])


class Network:
    def __init__(self):
        isolate()
        self.lines = {}
        command("ip", "netns", "add", "switch")
        inside("switch", "ip", "link", "add", "bridge", "type", "bridge")
        inside("switch", "ip", "link", "set", "bridge", "up")

    def line(self, name):
        if name not in self.lines:
            self.lines[name] = Line(self, name)
        return self.lines[name]

    def region(self, goal):
        return Region(goal, network=self)
