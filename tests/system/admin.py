#!/usr/bin/env python3
"""hallsync-admin keeps its door: who may log in and how often, what a foreign page or a slow client can do, TLS, and the node being gone."""
import base64
import os
import re
import signal
import socket
import ssl
import subprocess
import termios
import threading
import time

from console import PASSWORD, Console, user
from page import blocks
from region import BIN, SLOW, Region, check, equal, tool, until
from terminal import Terminal


def error(reply, status, name, what):
    equal((reply.status, reply.error()), (status, name), what)


def openssl(directory, name):
    key, certificate = os.path.join(directory, name + ".key"), os.path.join(directory, name + ".pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
                    f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    os.chmod(key, 0o600)
    return certificate, key


# ---- users ----------------------------------------------------------------------------------------------------------------------

def prompt(hub):
    """A password that is typed: the terminal does not show it, and is as it was behind Ctrl-C, too.  Nobody waits for who is asked."""
    words = [tool("hallsync"), "-c", hub.conf, "user", "password", "wang"]
    with Terminal(words) as terminal:
        terminal.until("the question", lambda text: "Password:" in text)
        check(not termios.tcgetattr(terminal.slave)[3] & termios.ECHO, "the terminal would show what is typed")
        check(hub.run("--timeout", "2s", "user", "role", "wang", "--role", "viewer").status == 0, "the role that he has")
        terminal.press(PASSWORD[:5] + "\x03")
        equal(terminal.ended(), -signal.SIGINT, "Ctrl-C")
        equal(termios.tcgetattr(terminal.slave), terminal.before, "the terminal behind it")
    with Terminal(words) as terminal:
        terminal.until("the question", lambda text: "Password:" in text)
        terminal.press(PASSWORD[:5] + "\x1a")
        terminal.until("the question, behind Ctrl-Z", lambda text: text.count("Password:") == 2)
        for question in ("Password:", "The same again:"):
            terminal.until(question, lambda text: question in text)
            terminal.press(PASSWORD + "\n")
        equal(terminal.ended(), 0, "a password that was typed")
        equal(termios.tcgetattr(terminal.slave), terminal.before, "the terminal behind it")
        check(PASSWORD not in terminal.look(), "a password on the screen")
    told = [one["action"] for one in hub.json("audit").lines()]
    equal(told, ["user_password", "user_add", "user_add"], "and no entry where nothing has changed")


def users(hub, console):
    """The first one is made beside the running program; the file is the owner's alone, and what is no user is refused."""
    browser = console.browser()
    equal(browser.get("/api/session").json(), {"user": None, "any_user": False}, "before there is anybody")
    error(browser.login("li"), 401, "no-users", "a login before there is anybody")
    for words, data in ((["li"], PASSWORD), (["li", "--role", "king"], PASSWORD), (["Li", "--role", "viewer"], PASSWORD),
                        (["li", "--role", "viewer"], "short"), (["li", "--role", "viewer"], "x" * 300), (["li", "--role", "viewer"], "")):
        check(hub.run("user", "add", *words, data=data + "\n").status != 0, f"user add {words} with {data!r} was not refused")
    check("'king'" in hub.run("user", "add", "li", "--role", "king").err, "what is wrong with the role")
    user(hub, "li")
    user(hub, "wang", "viewer")
    check(hub.run("user", "add", "li", "--role", "viewer", data=PASSWORD + "\n").status == 4, "the same name twice")
    equal([(one["name"], one["role"]) for one in hub.json("user", "list").lines()], [("li", "administrator"), ("wang", "viewer")], "users")
    equal(os.stat(os.path.join(hub.dir, "admin", "users")).st_mode & 0o777, 0o600, "mode of the users' file")
    check(PASSWORD not in open(os.path.join(hub.dir, "admin", "users")).read(), "a password in the file")
    trail = [(one["action"], one["user"], one.get("detail")) for one in hub.json("audit").lines()]
    equal(trail, [("user_add", "wang", "viewer"), ("user_add", "li", "administrator")], "who was made, in the audit trail")
    prompt(hub)
    until("the first user is known", lambda: browser.get("/api/session").json() == {"user": None, "any_user": True})
    return browser


# ---- what is sent along ---------------------------------------------------------------------------------------------------------

def headers(console):
    browser = console.browser()
    for path in ("/", "/api/session", "/nothing", "/healthz"):
        got = browser.get(path).headers
        policy = got["Content-Security-Policy"]
        check("default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy, f"{path}: {policy}")
        equal((got["X-Content-Type-Options"], got["Referrer-Policy"], got["Node"]), ("nosniff", "no-referrer", "answers"), path)
        check("Server" not in got, f"{path}: {got}")
    page = browser.get("/", headers={"Accept-Encoding": "gzip"})
    equal((page.status, page.headers["Content-Encoding"], page.headers["Content-Type"]), (200, "gzip", "text/html; charset=utf-8"), "the page")
    plain = browser.get("/index.html")
    check(plain.body.lstrip().lower().startswith(b"<!doctype html>") and "Content-Encoding" not in plain.headers, plain.body[:40])
    equal(browser.get("/", headers={"If-None-Match": page.headers["ETag"]}).status, 304, "the page asked for again")
    for path in ("/../hallsync.yaml", "/%2e%2e/users", "//etc/passwd", "/api", "/api/", "/index.html/", "/x" * 200):
        equal(browser.get(path).status, 404, path)
    equal(browser.get("/api/login").status, 405, "login by GET")
    equal(browser.get("/api/login").headers["Allow"], "POST", "the method that it has")


# ---- passwords ------------------------------------------------------------------------------------------------------------------

def passwords(console):
    """One answer for a wrong password and for nobody; a growing delay, of the one address; and nobody is locked out by it."""
    home, elsewhere = console.browser(), console.browser(address="127.0.0.2")
    equal(home.login("li").status, 200, "login")
    wrong = [elsewhere.login("li", "not the password"), elsewhere.login("nobody", "not the password")]
    for reply in wrong:
        error(reply, 401, "denied", "a wrong password")
    equal(wrong[0].body, wrong[1].body, "of a user and of nobody")
    equal(elsewhere.login("' or 1=1 --", "x").status, 401, "no name at all")
    equal(elsewhere.login("li", "once more").status, 401, "the last free try")
    equal(elsewhere.login("li", "once more").status, 401, "the first that is followed by a pause")
    until("a pause that is longer than a verification takes here", lambda: elsewhere.login("li", "once more").status == 429)
    late = elsewhere.login("li")
    error(late, 429, "too-often", "then even the right one waits")
    check(int(late.headers["Retry-After"]) >= 1, late.headers["Retry-After"])
    equal(home.login("li").status, 200, "the same name from where it is known")
    equal(console.browser(address="127.0.0.3").login("wang").status, 200, "another name from elsewhere")
    until("and again where the tries came from", lambda: elsewhere.login("li").status == 200)
    return home


def cookies(browser):
    reply = browser.login("li")
    parts = {part.strip().lower() for part in reply.headers["Set-Cookie"].split(";")[1:]}
    equal(parts, {"path=/", "httponly", "samesite=strict"}, "the cookie")
    equal((reply.json()["user"], reply.json()["role"], reply.json()["node"]["node_id"]), ("li", "administrator", "nj-hub"), "the session")
    for cookie in ("hallsync=", "hallsync=x", browser.cookie + "x", f"{browser.cookie}; {browser.cookie}", "hallsync"):
        equal(browser.get("/api/session", headers={"Cookie": cookie}).json()["user"], None, cookie)
    equal(browser.get("/api/session", headers={"Cookie": f"a=b; {browser.cookie}; c=d"}).json()["user"], "li", "among others")


# ---- foreign pages --------------------------------------------------------------------------------------------------------------

def foreign(browser):
    port = browser.console.port
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "localhost.evil.example", "", "[::1", "127.0.0.1:x"):
        equal(browser.get("/api/session", headers={"Host": host}).status, 421, f"Host: {host}")
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", "localhost", f"[::1]:{port}", "console.example"):
        equal(browser.get("/api/session", headers={"Host": host}).status, 200, f"Host: {host}")
    for origin in ("http://evil.example", "null", f"https://127.0.0.1:{port}", "http://127.0.0.1:1"):
        error(browser.post("/api/logout", headers={"Origin": origin}), 403, "foreign-origin", f"Origin: {origin}")
    for site in ("cross-site", "same-site"):
        error(browser.post("/api/logout", headers={"Sec-Fetch-Site": site}), 403, "foreign-origin", f"Sec-Fetch-Site: {site}")
    error(browser.post("/api/logout", headers={"Content-Type": "text/plain"}), 415, "not-json", "a form's type")
    for token in (None, "", "x", browser.csrf[:-1], browser.csrf + "x"):
        error(browser.post("/api/logout", headers={"X-CSRF-Token": token}), 403, "no-token", f"token {token}")
    equal(browser.get("/api/session").json()["user"], "li", "after all that")
    mine = {"Origin": f"http://127.0.0.1:{port}", "Sec-Fetch-Site": "same-origin"}
    equal(browser.post("/api/logout", headers=mine).status, 200, "the page's own")
    equal(browser.get("/api/session").json()["user"], None, "after the logout")
    error(browser.get("/api/model"), 401, "no-session", "after the logout")


def roles(hub, console):
    viewer, chief = console.browser(), console.browser()
    equal((viewer.login("wang").status, chief.login("li").status), (200, 200), "logins")
    equal((viewer.get("/api/model").status, viewer.get("/api/overview").status), (200, 200), "a viewer looks")
    asked = {"id": "parked:x", "decision": "release", "reason": "because"}
    error(viewer.post("/api/parked", asked), 403, "not-allowed", "a viewer decides")
    error(viewer.post("/api/registry/enroll", {"node_id": "x"}), 403, "not-allowed", "a viewer enrols")
    with Watch(viewer) as watch:
        watch.until("event: beat")
        hub.json("user", "role", "wang", "--role", "operator")
        watch.until("event: bye")
    equal(viewer.get("/api/session").json()["user"], None, "a session whose role has changed")
    equal(viewer.login("wang").json()["role"], "operator", "the role of the next one")
    check(viewer.post("/api/parked", asked).status in (400, 404), "an operator may, if there is something to decide")
    error(viewer.post("/api/registry/enroll", {"node_id": "x"}), 403, "not-allowed", "an operator enrols")
    check(chief.post("/api/registry/enroll", {"node_id": "X"}).status == 400, "an administrator may, if it makes sense")
    hub.json("user", "password", "wang", data="eine ganz andere\n")
    until("a session whose password has changed ends", lambda: viewer.get("/api/session").json()["user"] is None)
    hub.json("user", "remove", "wang")
    until("nobody of this name", lambda: viewer.login("wang", "eine ganz andere").status in (401, 429))
    equal(chief.get("/api/session").json()["user"], "li", "the other session")


# ---- live -----------------------------------------------------------------------------------------------------------------------

class Watch:
    """A connection to /api/events."""

    def __init__(self, browser, last_id=None):
        self.connection = browser.connect()
        more = {"Last-Event-ID": last_id} if last_id else {}
        self.connection.request("GET", "/api/events", headers={"Cookie": browser.cookie, **more})
        self.reply = self.connection.getresponse()
        self.lines = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def until(self, wanted):
        end = time.monotonic() + 20 * SLOW
        while time.monotonic() < end:
            line = self.reply.readline()
            check(line, f"the stream ended before {wanted!r}: {self.lines}")
            self.lines.append(line.decode().rstrip("\n"))
            if self.lines[-1].startswith(wanted):
                return self.lines[-1]
        check(False, f"no {wanted!r}: {self.lines}")


def events(console):
    browser = console.browser()
    browser.login("li")
    with Watch(browser) as watch:
        equal((watch.reply.status, watch.reply.headers["Content-Type"]), (200, "text/event-stream"), "the stream")
        last = watch.until("id: ").removeprefix("id: ")
        check("as_of_ms" in watch.until("data: "), "a beat says as of when")
    with Watch(browser, last) as watch:
        following = watch.until("id: ").removeprefix("id: ")
        equal(int(following.split("-")[1]), int(last.split("-")[1]) + 1, "the one behind it")
        check("event: reload" not in watch.lines, watch.lines)
    for unknown in ("00000000-1", "x", last.split("-")[0] + "-999999"):
        with Watch(browser, unknown) as watch:
            watch.until("event: reload")
    watches = [Watch(browser) for _ in range(12)]
    equal(sorted({watch.reply.status for watch in watches}), [200, 503], "one user's many pages")
    for watch in watches:
        watch.connection.close()
    error(console.browser().get("/api/events"), 401, "no-session", "events without a session")


# ---- too much -------------------------------------------------------------------------------------------------------------------

def sizes(console):
    browser = console.browser()
    error(browser.post("/api/login", "x" * 70000), 413, "too-big", "a big body")
    chunks = (b"x" * 10000 for _ in range(8))
    error(browser.ask("POST", "/api/login", chunks), 413, "too-big", "one that does not say so")
    check(browser.get("/api/session", headers={"X-Big": "x" * 40000}).status in (413, 431), "big headers")
    equal(browser.get("/api/session?" + "&".join(f"a{i}=1" for i in range(40))).status, 400, "many parameters")
    for body in ("", "[", "[]", "1", '{"user":1}', '{"user":"li","user":"li","password":"x"}', '{"user":"li"}', '{"user":"li\\u0000","password":"x"}'):
        equal(browser.post("/api/login", body).status, 400, body)


def flood(console):
    """Many passwords at once: two are verified at a time, some wait, the rest come again; others are served, and memory is as before."""
    replies = []

    together = threading.Barrier(30)

    def attempt(number):
        browser = console.browser(address=f"127.0.1.{number}")
        together.wait(30 * SLOW)
        replies.append((browser.login(f"nobody{number}", "not the password").status, browser.get("/healthz").status))

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(1, 31)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal({health for _, health in replies}, {200}, "who asked for something else meanwhile")
    equal({login for login, _ in replies}, {401, 503}, "the logins")
    with open(f"/proc/{console.process.pid}/status") as status:
        peak = int(re.search(r"^VmHWM:\s+(\d+)", status.read(), re.M).group(1))
    check(peak < (400 if SLOW == 1 else 1400) * 1024, f"{peak} KiB at most: all at once would take 1,920 MiB")


def slow(console):
    """Who says a word now and then, or nothing, is not waited for; meanwhile others are served."""
    silent = [socket.create_connection(("127.0.0.1", console.port), source_address=("127.0.0.4", 0)) for _ in range(80)]
    dripping = socket.create_connection(("127.0.0.1", console.port), source_address=("127.0.0.5", 0))
    dripping.sendall(b"GET /healthz HTTP/1.1\r\n")
    equal(console.browser().get("/healthz").status, 200, "beside 80 that say nothing")
    yield
    dripping.settimeout(0.5)
    end = time.monotonic() + 30 * SLOW
    while time.monotonic() < end:
        try:
            dripping.sendall(b"X-A: b\r\n")
            if dripping.recv(100) == b"":
                break
        except TimeoutError:
            continue
        except OSError:
            break
    else:
        check(False, "a request that never ended was waited for")
    for one in silent:
        one.settimeout(30 * SLOW)
        try:
            equal(one.recv(1), b"", "a silent connection")
        except ConnectionResetError:
            pass
        one.close()
    equal(console.browser().get("/healthz").status, 200, "afterwards")


# ---- metrics, the node, a restart ----------------------------------------------------------------------------------------------

def metrics(console):
    got = console.browser().get("/metrics")
    check(got.status == 200 and b"\nhallsync_node_answers 1\n" in got.body and got.body.count(b"\nhallsync_") > 20, got.body[:200])
    equal(got.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8", "type of the metrics")
    refused = console.browser().get("/metrics", headers={"X-Forwarded-For": "203.0.113.1"})
    check(refused.status == 401 and refused.headers["WWW-Authenticate"].startswith("Basic "), "somebody behind a proxy")


def gone(hub, console):
    browser = console.browser()
    browser.login("li")
    hub.kill()
    before = hub.json("user", "list").lines()
    equal(hub.run("--timeout", "200ms", "user", "add", "zhao", "--role", "viewer", data=PASSWORD + "\n").status, 3, "a user whom nobody can write down")
    equal(hub.json("user", "list").lines(), before, "users, without the node")
    until("the node is said to be gone", lambda: browser.get("/healthz").status == 503)
    reply = browser.get("/api/session")
    equal((reply.status, reply.headers["Node"], reply.json()["user"]), (200, "gone", "li"), "meanwhile")
    check(b"hallsync_node_answers 0\n" in browser.get("/metrics").body, "the metrics tell it")
    hub.start()
    until("and to be back", lambda: browser.get("/healthz").status == 200)
    console.stop()
    console.start()
    equal(browser.get("/api/session").json()["user"], None, "a session of another life")


# ---- off the machine ------------------------------------------------------------------------------------------------------------

def refusals(region, hub):
    certificate, key = openssl(region.dir, "one")
    _, other = openssl(region.dir, "other")
    bare = hub.conf + ".bare"
    with open(hub.conf) as file:
        text = "\n".join(line for line in file.read().split("\nadmin:\n")[0].splitlines())

    def start(**settings):
        with open(bare, "w") as file:
            file.write(text + "\nadmin:\n" + "".join(f'  {name}: "{value}"\n' for name, value in settings.items()))
        return subprocess.run([tool("hallsync-admin"), "-c", bare], capture_output=True, text=True, timeout=30 * SLOW)

    for settings, words in (({"listen": "0.0.0.0:0"}, "in the clear"), ({"listen": "[::]:0"}, "in the clear"), ({"listen": "7480"}, "admin.listen"),
                            ({"listen": "localhost:1"}, "admin.listen"), ({"listen": "127.0.0.1:0", "tls_cert": certificate}, "without the other"),
                            ({"listen": "127.0.0.1:0", "tls_cert": certificate, "tls_key": key + "x"}, "there is no"),
                            ({"listen": "127.0.0.1:0", "tls_cert": certificate, "tls_key": other}, "tls_key")):
        done = start(**settings)
        check(done.returncode == 2 and words in done.stderr, f"{settings}: {done.returncode} {done.stderr}")
    os.chmod(key, 0o644)
    done = start(listen="127.0.0.1:0", tls_cert=certificate, tls_key=key)
    check(done.returncode == 1 and "chmod 600" in done.stderr, f"a key that others read: {done.returncode} {done.stderr}")
    os.chmod(key, 0o600)
    equal(start(listen="off").returncode, 0, "switched off")
    return text


def handshake(console, version):
    """What openssl says of a connection with that version alone."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{console.port}", f"-tls{version.replace('.', '_')}", "-cipher",
                           "ALL:@SECLEVEL=0"], input="", capture_output=True, text=True, timeout=30 * SLOW)
    found = re.search(r"New, (TLSv[0-9.]+), Cipher is", done.stdout)
    return found.group(1) if found else done.stdout


def basic(words):
    return {"Authorization": "Basic " + base64.b64encode(words.encode()).decode()} if words else {}


def shown(console):
    """The certificate that is served; None: a connection that came while it was changed was cut."""
    try:
        return ssl.get_server_certificate(("127.0.0.1", console.port)).split()
    except (ssl.SSLError, ConnectionError):
        return None


class Guide:
    """The section of docs/operations.md, its commands run as they stand there."""

    def __init__(self, hub, text):
        with open(os.path.join(os.path.dirname(__file__), "..", "..", "docs", "operations.md"), encoding="utf-8") as file:
            section = re.search(r"^## The console\n(.*?)^## ", file.read(), re.M | re.S).group(1)
        self.hub, self.text, self.console, self.parts = hub, text, Console(hub, listen="127.0.0.1:0"), blocks(section)

    def local(self, text):
        return text.replace("/var/lib/hallsync", self.hub.dir).replace(":7480", ":0")

    def step(self):
        """One block."""
        kind, _, text = next(self.parts)
        if kind == "yaml":
            self.hub.rewrite_conf(lambda _: f"{self.text}\n{self.local(text)}")
            return
        for line in text.splitlines():
            words = line.removeprefix("hub$ ")
            unit = re.fullmatch(r"systemctl (.*) hallsync-admin", words)
            if unit:
                self.systemctl(unit.group(1))
                continue
            env = {**os.environ, "PATH": f"{os.path.abspath(BIN)}:{os.environ['PATH']}", "HALLSYNC_CONFIG": self.hub.conf}
            done = subprocess.run(["bash", "-c", self.local(words)], input=PASSWORD + "\n", env=env, capture_output=True, text=True, timeout=60 * SLOW)
            equal(done.returncode, 0, f"{line}: {done.stderr}")

    def systemctl(self, verb):
        if verb == "restart":
            self.console.stop()
        if verb == "reload":
            self.console.process.send_signal(signal.SIGHUP)
        else:
            self.console.start()


def over_tls(region, hub, text):
    guide = Guide(hub, text)
    console, place = guide.console, os.path.join(hub.dir, "admin")
    key, certificate = os.path.join(place, "console.key"), os.path.join(place, "console.pem")
    guide.step()
    equal(console.browser().login("li").status, 200, "without a certificate, on the machine")
    for _ in range(3):
        guide.step()
    try:
        behind_tls(region, guide, key, certificate)
    finally:
        console.process.kill()
        console.process.wait()


def behind_tls(region, guide, key, certificate):
    console = guide.console
    browser = console.browser(tls=ssl.create_default_context(cafile=certificate))
    reply = browser.login("li")
    check(reply.headers["Set-Cookie"].startswith("__Host-hallsync=") and "; Secure" in reply.headers["Set-Cookie"], reply.headers["Set-Cookie"])
    check("Strict-Transport-Security" in reply.headers, "HSTS")
    equal(browser.get("/api/session", headers={"Host": "hub.example"}).status, 200, "the name that the guide gives it")
    equal(handshake(console, "1.2"), "TLSv1.2", "TLS 1.2")
    check(re.search(r"has read 0 bytes and written [1-9]", handshake(console, "1.1")), "TLS 1.1 is offered, and gets no answer")
    prometheus = console.browser(tls=browser.tls)
    for words, status in ((None, 401), ("li:wrong", 401), (f"li:{PASSWORD}", 200), (f"li:{PASSWORD}", 200), ("li:wrong", 401)):
        equal(prometheus.get("/metrics", headers=basic(words)).status, status, f"metrics for {words}")
    new, new_key = openssl(region.dir, "two")
    before = shown(console)
    os.rename(new, certificate)
    console.process.send_signal(signal.SIGHUP)
    until("what was taken is told", lambda: "event=reloaded log_level=info certificate=kept" in console.tail())
    check("reload-failed" in console.tail(), "a certificate without its key is refused")
    equal(shown(console), before, "the certificate meanwhile")
    os.rename(new_key, key)
    with Watch(browser) as watch:
        watch.until("event: beat")
        guide.step()
        until("the new certificate is served", lambda: shown(console) not in (None, before))
        until("and that is told, too", lambda: "event=reloaded log_level=info certificate=taken" in console.tail())
    browser.tls = ssl.create_default_context(cafile=certificate)
    equal(browser.get("/api/session").json()["user"], "li", "the session, with the new certificate")
    guide.step()
    until("he is gone", lambda: browser.get("/api/session").json() == {"user": None, "any_user": False})
    prometheus.tls = browser.tls
    equal(prometheus.get("/metrics", headers=basic(f"li:{PASSWORD}")).status, 401, "metrics for who is gone")
    guide.step()  # who has changed what


with Region("hallsync-admin: users, sessions, limits, TLS") as region:
    hub = region.hub("nj-hub")
    text = refusals(region, hub)
    with Console(hub, names=["console.example"]) as console:
        hanging = slow(console)
        next(hanging)
        users(hub, console)
        headers(console)
        home = passwords(console)
        cookies(home)
        foreign(home)
        roles(hub, console)
        events(console)
        sizes(console)
        flood(console)
        metrics(console)
        next(hanging, None)
        gone(hub, console)
    hub.rewrite_conf(lambda _: text + "\n")
    hub.json("user", "remove", "li")
    over_tls(region, hub, text)
