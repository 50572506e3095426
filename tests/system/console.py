"""The console of a node: hallsync-admin run beside it, and a browser's part of the conversation."""
import http.client
import json
import os
import re
import signal
import subprocess

from region import SLOW, check, equal, tool, until

PASSWORD = "drei Birnen am Zaun"


def user(node, name, role="administrator", password=PASSWORD):
    node.json("user", "add", name, "--role", role, data=password + "\n")


class Console:
    """hallsync-admin of a node, at a port of the system's choice."""

    def __init__(self, node, under=(), **settings):
        self.node, self.process, self.under = node, None, under  # a command that starts it
        self.log = node.log.removesuffix(".log") + ".admin.log"
        node.settings("admin", **{"listen": "127.0.0.1:0", **settings})

    def start(self):
        begin = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([*self.under, tool("hallsync-admin"), "-c", self.node.conf], stderr=log, stdout=log,
                                            env={**os.environ, **self.node.region.env})

        def listens():
            check(self.process.poll() is None, f"hallsync-admin ended by itself with {self.process.returncode}:\n{self.tail()}")
            with open(self.log, errors="replace") as log:
                log.seek(begin)
                return re.search(r"event=listening .*\bport=(\d+)", log.read())

        self.port = int(until("hallsync-admin listens", listens).group(1))
        return self

    def tail(self):
        with open(self.log, errors="replace") as log:
            return "".join(log.readlines()[-12:])

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            code = self.process.wait(15 * SLOW)
            self.process = None
            equal(code, 0, f"hallsync-admin's end:\n{self.tail()}")

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, error, trace):
        if error is None:
            self.stop()
        else:
            print(f"--- hallsync-admin\n{self.tail()}")
            self.process.kill()
            self.process.wait()

    def browser(self, **more):
        return Browser(self, **more)


class Reply:
    def __init__(self, got):
        self.status, self.headers, self.body = got.status, got.headers, got.read()

    def json(self):
        return json.loads(self.body)

    def error(self):
        return self.json().get("error")


class Browser:
    """One connection for each request; it keeps its cookie and the session's token."""

    def __init__(self, console, address="127.0.0.1", tls=None, host="127.0.0.1"):
        self.console, self.address, self.tls, self.host = console, address, tls, host
        self.cookie, self.csrf = None, None

    def connect(self):
        where = {"host": self.host, "port": self.console.port, "timeout": 30 * SLOW, "source_address": (self.address, 0)}
        return http.client.HTTPSConnection(context=self.tls, **where) if self.tls else http.client.HTTPConnection(**where)

    def ask(self, method, path, body=None, headers=None):
        connection = self.connect()
        all_headers = {"Cookie": self.cookie} if self.cookie else {}
        if method != "GET":
            all_headers["Content-Type"] = "application/json"
            if self.csrf:
                all_headers["X-CSRF-Token"] = self.csrf
        all_headers = {name: value for name, value in {**all_headers, **(headers or {})}.items() if value is not None}
        try:
            connection.request(method, path, body=json.dumps(body) if isinstance(body, dict) else body, headers=all_headers)
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, **more):
        return self.ask("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.ask("POST", path, body if body is not None else {}, **more)

    def login(self, name, password=PASSWORD):
        reply = self.post("/api/login", {"user": name, "password": password})
        if reply.status == 200:
            self.cookie = reply.headers["Set-Cookie"].split(";")[0]
            self.csrf = reply.json()["csrf"]
        return reply
