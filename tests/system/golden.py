"""What a node says, and what lies in its store: for golden stores (tests/golden), which must say and be the same for ever."""
import json
import os
import re
import tarfile

from peek import Peek
from region import Node

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden")


def said(node):
    """What the version says of a node that is alone."""
    status = node.status()
    return {
        "role": status["role"],
        "digests": node.json("digest").lines(),
        "totals": node.totals(),
        "payments": node.json("payment", "list", "--limit", "100000").lines(),
        "tickets": node.json("ticket", "list").lines(),
        "conflicts": node.json("conflict", "list").lines(),
        "forks": status["forks"],
        "fills": status.get("fills", []),
        "evicting": status.get("evicting", []),
    }


def lies(node):
    """What lies in its store, read by no code of hallsync."""
    peek = Peek(node)
    return {
        "streams": [list(stream) for stream in peek.streams()],
        "receipts": sorted([partition, f"{origin:016x}", str(lane)] for partition, origin, lane in peek.receipts()),
        "rows": {name: len(peek.table(name)) for name in ("certificate", "origin", "fork", "loose", "base", "fill", "fill_head", "evict",
                                                          "fold", "enrolment", "series")},
    }


NAMES_AND_NUMBERS = re.compile(r"[\w-]*\d[\w-]*|\w+-[\w-]+")  # in a sentence


def within(old, new, where=""):
    """What of the old is not in the new one, as texts; a newer version may say more, and say a sentence in other words."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [text for key in old for text in (within(old[key], new[key], f"{where}.{key}") if key in new else [f"{where}.{key} is gone"])]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [text for i, (a, b) in enumerate(zip(old, new)) for text in within(a, b, f"{where}[{i}]")]
    if where.endswith(".text") and set(NAMES_AND_NUMBERS.findall(old)) <= set(NAMES_AND_NUMBERS.findall(new)):
        return []
    return [] if old == new else [f"{where}: {old!r} became {new!r}"]


def unpack(region, archive, directory):
    """The nodes of an archive, in a directory, not started, and what was said of them; nothing becomes too old to be kept while this runs."""
    with tarfile.open(archive) as tar:
        tar.extractall(directory)
    with open(os.path.join(directory, "expected.json")) as file:
        expected = json.load(file)["nodes"]
    nodes = {}
    for name in expected:
        nodes[name] = node = Node(region, name)
        region.nodes.append(node)
        node.dir = os.path.join(directory, name)
        node.conf = os.path.join(node.dir, "hallsync.yaml")
        node.rewrite_conf(lambda text: re.sub(r"\nretention:\n.*\n", "\n", text.replace("@DIR@", directory)))
        node.settings("retention", days=36500)
    return nodes, expected
