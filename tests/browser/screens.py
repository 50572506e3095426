#!/usr/bin/python3
"""The console in a real browser: a hub with three live halls and 500 simulated ones, and a hall's own console.

Pictures of the screens are kept in the build directory (browser/); HS_WRITE_DOCS=1 makes those of docs/console.md anew."""
import contextlib
import os
import re
import signal
import subprocess
import sys
import time

from browser import By, Browser, Keys, check, equal, until
from palette import shrink

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "bench"))
from halls import Halls, cpu_s  # noqa: E402
from console import PASSWORD, Console, user  # noqa: E402
from region import BIN, Region, tool  # noqa: E402

PICTURES = os.path.join(BIN, "..", "browser")
DOCS = os.path.join(HERE, "..", "..", "docs", "console")
PICTURE_BYTES_MAX = 60000
FIRST_LOAD_BYTES_MAX = 200 * 1000
SIMULATED = 500
QUICK = {"heartbeat_ms": 300, "backoff_max_ms": 300}
ACCOUNT, OTHER, PARKED, TWICE = "3201000001", "3201000002", "beads-1", "2-slips"
WIDTH, HEIGHT = 1280, 760
USERS = {"chen": "viewer", "zhao": "operator", "root": "administrator"}


def url(console):
    return f"http://127.0.0.1:{console.port}/"


def keep(browser, name, document=False):
    """A picture for people; document: also one for docs/console.md, if these are to be made."""
    os.makedirs(PICTURES, exist_ok=True)
    path = os.path.join(PICTURES, name + ".png")
    browser.picture(path)
    if document and os.environ.get("HS_WRITE_DOCS"):
        os.makedirs(DOCS, exist_ok=True)
        small = os.path.join(DOCS, name + ".png")
        shrink(path, small)
        check(os.path.getsize(small) < PICTURE_BYTES_MAX, f"{small} has {os.path.getsize(small)} bytes")


def level(browser, hall):
    """well, behind, away or trouble, as its row says it to those who see it and to those who do not."""
    return browser.js("document.querySelector(`tr[data-key='${arguments[0]}'] .mark .word`)?.textContent", hall)


def turns(browser, hall, wanted, seconds=30):
    until(f"{hall} is '{wanted}' on the page", lambda: level(browser, hall) == wanted, seconds)


# ---- what there is to see ----

def make_conflicts(hub, gulou, xuanwu):
    """Two customers are changed at two halls while neither can hear of the other; a bill is paid at both, and with what is no money.
    The business day of that."""
    for account in (ACCOUNT, OTHER):
        gulou.json("customer", "put", f"account={account}", "name=王小明", "phone=025-84000000")
    gulou.json("bill", "put", "B-7", f"account={ACCOUNT}", "amount_fen=6007", "period=2026-10")
    for hall in (gulou, xuanwu):
        hall.synced()
    hub.stop()
    for hall, phone in ((gulou, "13900000001"), (xuanwu, "13900000002")):
        for account in (ACCOUNT, OTHER):
            hall.json("customer", "put", f"account={account}", f"phone={phone}")
        paid = hall.json("payment", "add", f"account={ACCOUNT}", "amount_fen=6007", "method=cash", "window=3", "bill_id=B-7").object()
    xuanwu.stop()
    for name, fen, method in ((PARKED, "5034", "beads"), (TWICE, "1100", "cash"), (TWICE, "1200", "cash")):
        done = subprocess.run([tool("hallsync-strange"), xuanwu.conf, name, ACCOUNT, fen, method, "3"], capture_output=True, text=True)
        check(done.returncode == 0, f"hallsync-strange: {done.stderr}")
    xuanwu.start()
    hub.start()
    waits = lambda: [hub.status()[name] for name in ("conflicts", "overpayments", "parked")]
    until("the conflicts, the overpayment and the parked payment are known at the hub", lambda: waits() == [3, 1, 1], 60)
    return re.search(r"-(\d{8})-", paid["receipt"]).group(1)


def conflicts_at(node, account):
    return [one for one in node.json("conflict", "list", "--type", "field").lines() if one["record_id"] == account]


# ---- the steps ----

def wrong_password(browser):
    browser.open()
    browser.log_in("zhao", "not this one")
    browser.see(".failure")
    check(browser.has("input[name=password]") and not browser.has("nav"), "a wrong password leaves one outside")
    equal(browser.ask("GET", "api/overview"), 401, "the overview without a session")


def overview(browser, halls):
    browser.log_in("zhao", PASSWORD)
    browser.see("table.halls")
    if browser.js("document.documentElement.lang") != "en":
        browser.click("#language")
    until("all halls are counted", lambda: browser.js("[...document.querySelectorAll('.count .big')].reduce((sum, one) => sum + Number(one.textContent.replace(/\\D/g, '')), 0)") == halls, 60)
    loaded = browser.loaded_bytes()
    print(f"first load: {loaded} bytes with {halls} halls", flush=True)
    check(loaded < FIRST_LOAD_BYTES_MAX, f"the first load is {loaded} bytes")
    check(rows(browser) < 100, "rows out of sight are no elements")
    browser.js("void dispatchEvent(new Event('beforeprint'))")
    equal(rows(browser), halls, "rows on paper, which does not scroll")
    browser.js("void dispatchEvent(new Event('afterprint'))")
    has_room(browser)


def proven(browser, hub, hall):
    """Equal is what was proven, and when that was: a session alone is none. Amounts lose no fen on their way to the screen."""
    browser.type("#search", hall.name)
    turns(browser, hall.name, "Well")
    times = set()

    def says_when():
        times.add(time.strftime("%H:%M", time.gmtime(hub.live()[hall.name]["equal_as_of_ms"] / 1000 + 8 * 3600)))
        return browser.text(f"tr[data-key={hall.name}] .c-equal") in {f"equal as of {at}" for at in times}
    until("the page says when it was proven equal", says_when)
    browser.press(Keys.ESCAPE)
    browser.js("void document.activeElement.blur()")
    rows = [{"state": "live"}, {"state": "live", "equal_as_of_ms": 0}, {"state": "away"}, {"state": "live", "comparison": "damage", "equal_as_of_ms": 1795300000000}]
    shown = browser.script("import('./marks.js').then(page => done(arguments[0].map(row => page.proof(row).textContent ?? page.proof(row))), done)", rows)
    equal([text.startswith("equal") for text in shown], [False] * 4, f"what was not proven: {shown}")
    shown = browser.script("import('./format.js').then(page => done(arguments[0].map(page.yuan)), done)", [0, 5, 60, 6007, 123456789, -1, -123450, None])
    equal(shown, ["¥0.00", "¥0.05", "¥0.60", "¥60.07", "¥1,234,567.89", "−¥0.01", "−¥1,234.50", "–"], "amounts")


def rows(browser):
    return browser.js("document.querySelectorAll('table.halls tbody:not(.space) tr').length")


def has_room(browser):
    """At every width the cause is there to be read, and nothing runs out at the side."""
    for width in (1920, 1600, 1441, 1280, 1241, 1061, 861, 768, 601, 320):
        browser.size(width, 800)
        until(f"the page fits {width} pixels", lambda: browser.js("document.documentElement.scrollWidth") <= width, 5)
        room = browser.js("[...document.querySelectorAll('table.halls td.c-cause, table.halls .under')].find(one => one.offsetParent)?.clientWidth ?? 0")
        check(room >= min(200, width * 0.3), f"at {width} pixels the cause has {room}")
    browser.size(WIDTH, HEIGHT)


def goes_and_comes(browser, hub, hall):
    """Seen without a reload, and without losing what one is at."""
    browser.js("void (window.same = true)")
    browser.type("#search", "nj-")
    turns(browser, hall.name, "Well")
    browser.js("void (row => { row.focus(); getSelection().selectAllChildren(row.querySelector('th a')); })(document.querySelector(`tr[data-key='${arguments[0]}']`))", hall.name)
    hall.stop()
    turns(browser, hall.name, "Away")
    browser.reads("Away", f"tr[data-key={hall.name}]")
    until("it says why", lambda: browser.text(f"tr[data-key={hall.name}] .c-cause").strip(), 30)
    equal(browser.js("[document.querySelector('table.halls tbody:not(.space) tr').dataset.key, document.activeElement.dataset.key, String(getSelection())]"), [hall.name] * 3,
          "the worst is first, has kept the focus and is still selected")
    keep(browser, "away")
    browser.press("/")
    until("the search box has the focus", lambda: browser.js("document.activeElement.id") == "search")
    browser.press(Keys.ESCAPE)
    browser.js("void document.activeElement.blur()")
    equal(browser.js("document.querySelector('table.halls tbody:not(.space) tr').dataset.key"), hall.name, "the worst comes first")
    keep(browser, "overview", document=True)
    browser.go(f"#/hall/{hall.name}")
    browser.see(".why .next")
    browser.see(".timeline canvas")
    for span in ("Day", "Month"):
        browser.driver.find_element(By.XPATH, f"//*[@class='controls']//button[.='{span}']").click()
        until(f"the timeline of the {span.lower()} is drawn", lambda: browser.text(".timeline [aria-pressed=true]:is(.segments + .segments *)") == span
              and "at most" in browser.text(".timeline .note"))
        keep(browser, f"hall-{span.lower()}")
    keep(browser, "hall", document=True)
    check("size of its store, as it last said" in browser.js("document.querySelector('details.all').textContent"), "its figures are explained as its own")
    is_behind(browser, hub, hall)
    browser.go("#/")
    browser.type("#search", hall.name)
    turns(browser, hall.name, "Well")
    browser.press(Keys.ESCAPE)
    check(browser.js("window.same"), "the page was not loaded again")


def bills(hub, count):
    """Of one district, by the hub; what cannot be pressed to nothing."""
    path = os.path.join(hub.region.dir, "bills.csv")
    with open(path, "w") as out:
        out.write("bill_id,account,period,amount_fen,due_date\n")
        for number in range(count):
            out.write(f"B-{hub.region.random.getrandbits(64):x},3202{number % 100:06},2026-11,{hub.region.random.randint(1, 99999)},2026-12-25\n")
    hub.json("bill", "import", path)


def is_behind(browser, hub, hall):
    """On a narrow line it goes on by itself, and the page says with what, how much, and until when."""
    narrow = "bytes_per_second: 3000"
    hall.rewrite_conf(lambda text: re.sub(r"( *)- address: (.*)\n", rf"\1- address: \2\n\1  {narrow}\n", text))
    hall.start()
    browser.see(".why.calm", 30)
    bills(hub, 2500)
    browser.reads("limited by the configuration", ".why.moving", 30)
    until("the lane says how much", lambda: re.search(r"bulk\s+[\d,]+\s", browser.text(".hall table.plain")), 10)
    until("it says until when", lambda: re.search(r"Caught up\s+\d\d:\d\d", browser.text(".cards")), 30)
    keep(browser, "behind")
    hall.stop()
    hall.rewrite_conf(lambda text: text.replace(narrow, "bytes_per_second: 0"))
    hall.start()
    browser.see(".why.calm", 30)


def keyboard_only(browser, name):
    browser.js("void document.activeElement.blur()")
    browser.driver.find_element(By.TAG_NAME, "body").send_keys("/")
    until("the search box has the focus", lambda: browser.js("document.activeElement.id") == "search")
    browser.press(name)
    browser.reads("1 of", ".found")
    browser.press(Keys.ENTER)
    until("its row has the focus", lambda: browser.js("document.activeElement.dataset.key") == name)
    check(browser.js("getComputedStyle(document.activeElement).outlineStyle") != "none", "the focus is to be seen")
    browser.press(Keys.ENTER)
    browser.reads(name, "h1")
    browser.driver.find_element(By.TAG_NAME, "body").send_keys(Keys.ESCAPE)
    browser.see("table.halls")
    browser.press("/")
    browser.press(Keys.ESCAPE)
    browser.press(Keys.HOME, Keys.ARROW_DOWN)
    names = browser.js("[...document.querySelectorAll('table.halls tbody:not(.space) tr')].map(row => row.dataset.key)")
    until("the second row has the focus", lambda: browser.js("document.activeElement.dataset.key") == names[1])
    browser.press("?")
    browser.see("dialog[open]")
    browser.press(Keys.ESCAPE)
    until("the keys are away", lambda: not browser.has("dialog[open]"))
    missing = browser.js("[...document.querySelectorAll('button, input, a, select')].filter(one => !(one.innerText || one.getAttribute('aria-label') || one.labels?.length)).map(one => one.outerHTML)")
    equal(missing, [], "what has no name for those who do not see")
    equal(browser.js("['header', 'nav', 'main', 'footer'].filter(name => !document.querySelector(name))"), [], "landmarks that are missing")


def resolves(browser, hub, halls):
    browser.go("#/conflicts")
    browser.reads(ACCOUNT, "table")
    browser.reads("B-7", "table")
    keep(browser, "conflicts", document=True)
    browser.driver.find_element(By.LINK_TEXT, ACCOUNT).click()
    browser.see("table.versions")
    cells = browser.driver.find_elements(By.CSS_SELECTOR, "table.versions td:has(input)")
    taken = next(cell for cell in cells if "13900000001" in cell.text)
    taken.find_element(By.TAG_NAME, "input").click()
    browser.click("form button[type=submit]")
    check(browser.has("textarea:invalid"), "without a reason nothing is sent")
    browser.type("textarea", "客户来电确认: his number ends in 1")
    keep(browser, "conflict", document=True)
    browser.click("form button[type=submit]")
    browser.reads(f"{ACCOUNT} is resolved", ".done")
    until("it is gone at the hub and at the halls", lambda: not any(conflicts_at(node, ACCOUNT) for node in (hub, *halls)), 30)
    for node in halls:
        equal(node.json("customer", "get", ACCOUNT).object().get("phone"), "13900000001", f"the phone at {node.name}")
    browser.go("#/audit")
    browser.reads("his number ends in 1", "table")
    browser.reads("zhao", "table")
    keep(browser, "audit", document=True)


def compares(browser):
    """Two contents of one fact are shown side by side; which counts is not for anybody to choose."""
    browser.go("#/conflicts/fact")
    browser.reads(TWICE, "table")
    browser.driver.find_element(By.LINK_TEXT, TWICE).click()
    browser.reads("1200", "table.versions")
    equal(browser.js("document.querySelectorAll('main input, main textarea, main form').length"), 0, "what there is to choose")


def releases(browser, hub):
    browser.go("#/parked")
    browser.reads(PARKED, "table")
    browser.driver.find_element(By.LINK_TEXT, PARKED).click()
    browser.type("textarea", "the slip was seen")
    browser.reads("¥50.34", ".facts")
    keep(browser, "parked", document=True)
    browser.click("form button[type=submit]")
    browser.reads(f"{PARKED} is decided", ".done")
    until("it is not parked at the hub", lambda: hub.status()["parked"] == 0)
    decided = hub.json("conflict", "list", "--type", "decided").lines()
    check(any(one["record_id"] == PARKED and "zhao" in one["text"] for one in decided), f"who has decided it: {decided}")
    browser.go("#/conflicts/decided")
    browser.reads("zhao", "table")
    browser.driver.find_element(By.LINK_TEXT, PARKED).click()
    browser.reads("holds now", "ol")
    browser.reads("Reject", "form")  # who was wrong decides otherwise


def other_screens(browser, day):
    browser.go("#/books")
    browser.see(".tools")
    browser.go(f"#/books/{day}")  # a midnight may have passed
    browser.reads("nj-gulou", "table")
    keep(browser, "books", document=True)
    browser.driver.find_element(By.LINK_TEXT, "nj-gulou").click()
    browser.reads("¥60.07", "table")
    browser.go("#/tickets")
    browser.see(".asof")
    browser.go("#/registry")
    browser.reads("nj-xuanwu", "table")
    check(not browser.has(".acts"), "an operator may not change the registry")
    names = browser.js("[...document.querySelectorAll('tbody th')].map(one => one.textContent)")
    equal(names, sorted(names), "nodes in order")
    browser.go("#/books/20261399")
    check(browser.see("input[type=date]").get_attribute("value"), "instead of a day that there is not: today")
    browser.go("#/constructor")  # no screen, but something in every object
    browser.see("table.halls")
    browser.go("#/hall/nj-nowhere")
    browser.see(".failure")
    equal([browser.text("h1"), browser.see(".failure").text.lower(), browser.js("document.querySelector('.timeline').offsetParent")], ["nj-nowhere", "no node of that name is known here", None],
          "of a hall that nobody knows")


def both_languages(browser):
    browser.go("#/")
    browser.see("table.halls")
    browser.click("#language")
    browser.reads("正常", ".counts")
    equal(browser.js("document.documentElement.lang"), "zh-CN", "language of the page")
    browser.go("#/hall/nj-gulou")
    browser.reads("原因", ".why")
    browser.go("#/conflicts")
    browser.reads("字段有两个版本", "table")
    told = browser.js("[...document.querySelectorAll('td.prose, option')].map(one => one.textContent)")
    equal([text for text in told if not re.search("[\u4e00-\u9fff]", text) or re.search("[a-z]+ [a-z]+ [a-z]+", text)], [], "conflicts that are not told in Chinese")
    browser.click("tbody th a")
    browser.reads("处理办法", ".next")
    check(re.search("[\u4e00-\u9fff]{4}", browser.text(".next").split("：", 1)[1]), "what to do is told in Chinese")
    browser.go("#/conflicts")
    left = browser.js("[...document.querySelectorAll('nav a, button, th, label, h1')].filter(one => one.offsetParent).map(one => one.innerText).filter(text => /^[A-Za-z]{3,}/.test(text) && text !== 'English' && !text.startsWith('nj-'))")
    equal([text for text in left if not re.fullmatch(r"hallsync.*", text)], [], "words that are not Chinese")
    browser.colours("dark")
    browser.go("#/")
    browser.see("table.halls")
    keep(browser, "chinese", document=True)
    browser.colours("light")
    browser.driver.refresh()
    browser.reads("正常", ".counts")  # remembered
    browser.size(320, 640)
    for path in ("#/", "#/hall/nj-gulou", "#/conflicts", "#/books", "#/registry", "#/audit"):
        browser.go(path)
        browser.see("h1, table.halls")
        until(f"{path} fits a narrow screen", lambda: browser.js("document.documentElement.scrollWidth") <= 320, 5)
    browser.go("#/")
    browser.see("table.halls")
    keep(browser, "narrow")
    browser.size(WIDTH, HEIGHT)
    browser.click("#language")


def viewer_cannot(browser, hub):
    browser.click("#logout")
    browser.log_in("chen", PASSWORD)
    browser.see("table.halls")
    conflict = conflicts_at(hub, OTHER)[0]
    browser.go("#/conflicts")
    browser.driver.find_element(By.LINK_TEXT, until("the list is there", lambda: OTHER if OTHER in browser.text("main") else "")).click()
    browser.see("table.versions")
    check(not browser.has("main form") and not browser.has("main input"), "a viewer sees nothing to resolve with")
    token = browser.driver.execute_async_script("const done = arguments[0]; fetch('api/session').then(answer => answer.json()).then(one => done(one.csrf))")
    body = {"id": conflict["id"], "choices": [], "reason": "I may not"}
    equal(browser.ask("POST", "api/conflict", body, token), 403, "a viewer's resolution")
    equal(browser.ask("POST", "api/conflict", body), 403, "a change without the session's token")
    check(conflicts_at(hub, OTHER), "nothing was resolved")


def administrator_enrols(browser, hub):
    browser.click("#logout")
    browser.log_in("root", PASSWORD)
    browser.see("table.halls")
    browser.go("#/registry")
    browser.see(".acts")
    browser.click(".tools button")
    form = browser.see(".actions form")
    boxes = form.find_elements(By.CSS_SELECTOR, "input[type=text]")
    boxes[0].send_keys("nj-pukou")
    boxes[1].send_keys("3201")
    browser.type(".actions textarea", "a new hall opens")
    keep(browser, "registry", document=True)
    browser.click(".actions button[type=submit]")
    browser.reads("nj-pukou", ".token")
    token = browser.text(".token code")
    check(len(token) > 40, f"a token: {token!r}")
    browser.click(".token > button")
    check(token not in browser.text(), "it is shown once")
    known = lambda: {node["node_id"]: node for node in hub.json("node", "list").lines()}
    check("nj-pukou" in known(), "the hub knows it")
    row = browser.see("tr[data-key^='nj-qinhuai']")
    row.find_element(By.CSS_SELECTOR, ".acts button:first-child").click()
    browser.type(".actions input", "3202 3203")
    browser.type(".actions textarea", "two districts became one")
    browser.click(".actions button[type=submit]")
    browser.see(".actions .done")
    equal(known()["nj-qinhuai"]["districts"], ["3202", "3203"], "its districts at the hub")
    browser.see("tr[data-key^='nj-qinhuai']").find_element(By.CSS_SELECTOR, ".acts button:last-child").click()
    browser.type(".actions input", "nj-gulou")
    browser.type(".actions textarea", "a slip of the hand")
    browser.click(".actions button[type=submit]")
    browser.see(".actions .failure")
    equal(known()["nj-qinhuai"]["state"], "joined", "without its name typed nothing is revoked")


def somebody_was_quicker(browser, hub):
    """Decided at the command line while the page shows it: the page's own decision is not written."""
    conflict = conflicts_at(hub, OTHER)[0]
    browser.go("#/conflicts")
    browser.driver.find_element(By.LINK_TEXT, until("the list is there", lambda: OTHER if OTHER in browser.text("main") else "")).click()
    browser.type("textarea", "too late")
    hub.json("conflict", "resolve", conflict["id"], "phone=13900000002", "--reason", "he was here")
    browser.click("form button[type=submit]")
    browser.see(".failure")
    check(not browser.has("main form"), "there is nothing left to decide")
    equal(hub.json("customer", "get", OTHER).object().get("phone"), "13900000002", "what was decided first")


def administrator_revokes(browser, hub, hall):
    """For good, and with a reason; it stands in the audit trail, and the hall is not let in any more."""
    why = "it was stolen from the counter"
    browser.click("#logout")
    browser.log_in("root", PASSWORD)
    browser.see("table.halls")
    browser.go("#/registry")
    browser.see(f"tr[data-key^='{hall.name}']").find_element(By.CSS_SELECTOR, ".acts button:last-child").click()
    browser.type(".actions input", hall.name)
    browser.click(".actions button[type=submit]")
    check(browser.has(".actions textarea:invalid"), "without a reason nothing is revoked")
    browser.type(".actions textarea", why)
    browser.click(".actions button[type=submit]")
    browser.reads(f"The key of {hall.name} is revoked", ".done")
    browser.reads("revoked", f"tr[data-key^='{hall.name}']")
    check(not browser.has(f"tr[data-key^='{hall.name}'] .acts button"), "what is revoked is so for good")
    keep(browser, "revoked")
    until("its session has ended, and it knows why", lambda: hall.status().get("revoked") == why)
    check(not any(peer["node_id"] == hall.name and peer["state"] == "live" for peer in hub.status()["peers"]), "no session is left at the hub")
    browser.go("#/")
    turns(browser, hall.name, "Trouble")
    check(rows(browser) > 20, "the other halls are still there")
    browser.go("#/audit")
    browser.reads(why, "table")
    equal(browser.js("[...document.querySelectorAll('tbody tr')].find(row => row.innerText.includes(arguments[0])).children[1].innerText", why), "root", "who has revoked it")


def wakes_up(browser, console):
    """A computer that slept, or a line that died without a word: what is old is not shown as live, and the page dials anew by itself."""
    browser.go("#/")
    browser.see(".live.on")
    for clock in ("sleptMs", "aheadMs"):
        before = browser.js("lines.length")
        console.process.send_signal(signal.SIGSTOP)
        browser.js(f"void ({clock} += 3600000)")
        browser.see(".banner p", 5)
        until("it dials anew", lambda: browser.js("lines.length") > before, 15)
        console.process.send_signal(signal.SIGCONT)
        browser.see(".live.on")
        until("the banner is gone", lambda: not browser.has(".banner p"))


def leaves_room(browser):
    """A browser has six connections to a node: a page behind another one leaves them to it, and is live at once when it is seen."""
    dialled, page = browser.js("lines.length"), browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    browser.open("#/audit")
    browser.see(".live.on")
    browser.driver.close()
    browser.driver.switch_to.window(page)
    until("it has dialled anew", lambda: browser.js("lines.length") == dialled + 1, 5)
    check(not browser.has(".banner p"), "nobody is frightened")
    equal(browser.js("lines.at(-2).readyState === EventSource.CLOSED"), True, "it had hung up")
    until("it is live", lambda: browser.js("lines.at(-1).readyState === EventSource.OPEN") and browser.has(".live.on"), 5)


def never_stale_and_live(browser, console):
    browser.go("#/")
    browser.see(".live.on")
    port = console.port
    console.process.kill()
    console.process.wait()
    browser.see(".banner p")
    browser.reads("Not live since", ".banner")
    check(browser.has("body.stale"), "what is old looks old")
    keep(browser, "not-live", document=True)
    console.node.rewrite_conf(lambda text: text.replace('"127.0.0.1:0"', f'"127.0.0.1:{port}"'))  # the page looks for it there
    console.start()
    browser.see("input[name=username]", 30)  # sessions ended with it
    browser.log_in("zhao", PASSWORD)
    browser.see(".live.on")
    check(not browser.has("body.stale"), "live again")


def a_halls_own(browser, console, hub):
    hall = console.node
    browser.collect()
    browser.base = url(console)
    browser.open()
    browser.log_in("zhao", PASSWORD)
    browser.see("table.halls")
    if browser.js("document.documentElement.lang") != "en":
        browser.click("#language")
    turns(browser, hub.name, "Well")
    browser.see(".home .why")
    check(not browser.has("a[href='#/registry']"), "a hall has no registry")
    keep(browser, "own-hall", document=True)
    browser.go("#/conflicts")
    browser.reads("B-7", "table")
    browser.go("#/")
    hall.stop()
    browser.reads("Not live since", ".banner")  # the console is there, but what it says is old
    hall.start()
    until("it is live again", lambda: browser.has(".live.on") and not browser.has("body.stale"))


with Region("the console in a real browser") as region, contextlib.ExitStack() as stack:
    hub = region.hub("nj-hub", **QUICK)
    gulou, xuanwu = (region.hall(name, hub, ["3201"], **QUICK) for name in ("nj-gulou", "nj-xuanwu"))
    qinhuai = region.hall("nj-qinhuai", hub, ["3202"], **QUICK)
    day = make_conflicts(hub, gulou, xuanwu)
    simulated = Halls(hub, SIMULATED, 2, 1)
    stack.callback(simulated.end)
    simulated.all_live(60)
    for name, role in USERS.items():
        user(hub, name, role)
    user(gulou, "zhao", "operator")
    sampled = [tool("hallsync-make-samples"), os.path.join(hub.dir, "admin", "samples"), "7", "nj-qinhuai", "nj-gulou", "nj-xuanwu"]
    done = subprocess.run(sampled, capture_output=True, text=True)
    check(done.returncode == 0, f"hallsync-make-samples: {done.stderr}")
    console, own = stack.enter_context(Console(hub)), stack.enter_context(Console(gulou))
    browser = Browser(region, url(console), WIDTH, HEIGHT)

    wrong_password(browser)
    overview(browser, SIMULATED + 3)
    proven(browser, hub, gulou)
    goes_and_comes(browser, hub, qinhuai)
    keyboard_only(browser, "nj-gulou")
    compares(browser)
    resolves(browser, hub, (gulou, xuanwu))
    releases(browser, hub)
    other_screens(browser, day)
    both_languages(browser)
    viewer_cannot(browser, hub)
    administrator_enrols(browser, hub)
    somebody_was_quicker(browser, hub)
    wakes_up(browser, console)
    leaves_room(browser)
    never_stale_and_live(browser, console)
    administrator_revokes(browser, hub, xuanwu)
    a_halls_own(browser, own, hub)
    # What was provoked: no session, wrong passwords, what a viewer may not do, a hall that there is not, and a console that was killed.
    browser.silent("401 (Unauthorized)", "403 (Forbidden)", "404 (Not Found)", "409 (Conflict)", "ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE")
    print(f"processor: console {cpu_s(console.process.pid):.1f} s, hub {cpu_s(hub.process.pid):.1f} s", flush=True)
