#!/usr/bin/env python3
"""docs/region.md does what it says: its commands and its configurations, in their order, with directories and ports of this test."""
import os
import re
import socket
import subprocess

from page import blocks
from region import BIN, SLOW, Node, Region, agree, check, equal, until

GUIDE = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "region.md")
DATA = "/var/lib/hallsync"


with Region("docs/region.md does what it says") as region:
    nodes, taken = {}, []

    def node(name):
        if name not in nodes:
            nodes[name] = Node(region, name)
            nodes[name].socket = socket.socket()  # kept until the node starts, so that no other test gets the port
            nodes[name].socket.bind(("127.0.0.1", 0))
            nodes[name].port = nodes[name].socket.getsockname()[1]
            region.nodes.append(nodes[name])
        return nodes[name]

    def local(text, owner):
        """As in this test's directory, at its ports."""
        text = text.replace(DATA, node(owner).dir).replace("tcp://0.0.0.0:7400", f"tcp://127.0.0.1:{node(owner).port}")
        return re.sub(r"tcp://([a-z][a-z0-9-]*):7400", lambda match: f"tcp://127.0.0.1:{node(match.group(1)).port}", text)

    def run(owner, command):
        taken.append(command)
        if command.startswith("hallsyncd "):
            node(owner).socket.close()
            return node(owner).start()
        if command == "systemctl restart hallsync":
            return node(owner).restart()
        done = subprocess.run(["bash", "-c", local(command, owner)], cwd=region.dir, capture_output=True, text=True, timeout=120 * SLOW,
                              env={**os.environ, "PATH": f"{os.path.abspath(BIN)}:{os.environ['PATH']}", "HALLSYNC_CONFIG": node(owner).conf})
        check(done.returncode == 0, f"{owner}$ {command}: {done.stdout} {done.stderr}")
        return done.stdout

    def configure(owner, text):
        """Its sections take the place of those that are there."""
        text = re.sub(r"<key of ([a-z0-9-]+)>", lambda match: node(match.group(1)).curve_key(), local(text, owner))
        for section in re.findall(r"^(\w+):$", text, re.M):
            node(owner).rewrite_conf(lambda before: re.sub(rf"^{section}:\n(?:[ #-].*\n)*", "", before + "\n", flags=re.M))
        node(owner).rewrite_conf(lambda before: f"{before}\n{text}")

    shown = {}
    with open(GUIDE, encoding="utf-8") as file:
        page = file.read()
    for kind, owners, text in blocks(page):
        for owner in owners if kind == "yaml" else []:
            configure(owner, text)
        for line in text.splitlines() if kind == "sh" else []:
            owner, command = re.fullmatch(r"([a-z0-9-]+)\$ (.*)", line).groups()
            shown[owner, command] = run(owner, command)
    check(len(taken) > 25, f"{len(taken)} commands")

    # What it promises.
    for hub in ("nj-hub-a", "nj-hub-b"):
        until(f"{hub} has the province", lambda: "province" in nodes[hub].live(), 30)
    check("nj-hub-b" in nodes["nj-hub-a"].live(), "the hubs are peers")
    until("the hall has a hub and the witness", lambda: set(nodes["nj-gulou"].live()) == {"nj-hub-a", "nj-gulou-pc"}, 30)
    until("the other hall has the other hub", lambda: set(nodes["nj-xuanwu"].live()) == {"nj-hub-b"}, 30)
    equal(nodes["nj-xuanwu"].status()["peers"][0]["limited_hours"], "08:00-18:00", "its hours")
    equal(nodes["nj-xuanwu"].status()["retention_days"], 30, "its retention")
    until("it has its new district", lambda: nodes["nj-xuanwu"].status()["districts"] == ["3201", "3202"], 30)
    check(nodes["nj-hub-b"].curve_key() in shown["province", "hallsync node show nj-hub-b"], "the key that node show names")
    for name in nodes:
        equal(nodes[name].status()["problems"], [], f"problems of {name}")

    nodes["nj-gulou"].json("customer", "put", "account=3201000001", "name=Li Wei")
    paid = nodes["nj-gulou"].json("payment", "add", "account=3201000001", "amount_fen=100").object()["id"]
    until("it is safe", lambda: nodes["nj-gulou"].json("payment", "get", paid).object()["safe"] == "safe", 30)
    for name in ("nj-xuanwu", "nj-hub-b", "province"):
        until(f"{name} has it", lambda: nodes[name].run("payment", "get", paid).status == 0, 30)
    until("all agree", lambda: agree(*(nodes[name] for name in ("nj-gulou", "nj-hub-a", "nj-hub-b"))), 30)

    # A hub dies: its hall is at the other one.
    nodes["nj-hub-a"].kill()
    until("the hall is at the other hub", lambda: "nj-hub-b" in nodes["nj-gulou"].live(), 30)
