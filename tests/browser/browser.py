"""A real Chromium for one test, and what a person does with it.

Waiting is for what is to be seen and never for time to pass.  Whatever the page says on the browser's console, every violation of its
content security policy and every address that it asked for is kept, for the end of the test to judge."""
import base64
import contextlib
import os
import shutil
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "system"))
from region import Failed, check, equal, until  # noqa: E402

try:
    from selenium import webdriver
    from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
except ImportError:
    print("python3-selenium is not installed: skipped")
    sys.exit(77)

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
if not CHROMIUM or not DRIVER:
    print("chromium or chromium-driver is not installed: skipped")
    sys.exit(77)

WATCH = """
window.violations = [];
addEventListener("securitypolicyviolation", event => violations.push(`${event.violatedDirective} ${event.blockedURI}`));

// Clocks that can be put forward (one that stood still while the computer slept, one that did not), and the lines that were dialled.
window.aheadMs = window.sleptMs = 0;
const date = Date.now, time = performance.now.bind(performance);
Date.now = () => date() + aheadMs + sleptMs;
performance.now = () => time() + aheadMs;
window.lines = [];
window.EventSource = class extends EventSource { constructor(...words) { super(...words); lines.push(this); } };
"""


class Browser:
    def __init__(self, region, base, width=1200, height=760):
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        profile = os.path.join(region.dir, f"chromium-{len(region.endings)}")
        flags = ["--headless=new", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-background-networking", "--disable-sync",
                 "--disable-component-update", "--disable-dev-shm-usage", "--lang=en-GB", "--force-color-profile=srgb", f"--user-data-dir={profile}"]
        if os.geteuid() == 0:
            flags.append("--no-sandbox")
        for flag in flags:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service(DRIVER), options=options)
        region.endings.append(self.driver.quit)
        self.base, self.said = base, []
        self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
        self.size(width, height)

    def size(self, width, height):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})

    def colours(self, scheme):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})

    # -- looking

    def js(self, script, *arguments):
        return self.driver.execute_script(f"return {script}", *arguments)

    def see(self, selector, seconds=20):
        """The first element of that selector that is there to be seen."""
        def found():
            try:
                return next((one for one in self.driver.find_elements(By.CSS_SELECTOR, selector) if one.is_displayed()), None)
            except StaleElementReferenceException:
                return None
        with self.telling():
            return until(f"'{selector}' is on the page", found, seconds)

    @contextlib.contextmanager
    def telling(self):
        """What was on the page instead."""
        try:
            yield
        except Failed:
            print(f"--- {self.driver.current_url}\n{self.text()[:1500]}", file=sys.stderr)
            raise

    def has(self, selector):
        return bool(self.driver.find_elements(By.CSS_SELECTOR, selector))

    def text(self, selector="body"):
        return self.js("document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def reads(self, words, selector="body", seconds=20):
        with self.telling():
            until(f"'{words}' in {selector}", lambda: words in self.text(selector), seconds)

    # -- doing

    def open(self, path=""):
        self.driver.get(self.base + path)

    def go(self, path):
        self.js("void (location.hash = arguments[0])", path)

    def click(self, selector):
        self.see(selector).click()

    def type(self, selector, text):
        element = self.see(selector)
        element.clear()
        element.send_keys(text)

    def press(self, *keys):
        self.driver.switch_to.active_element.send_keys(*keys)

    def log_in(self, user, password):
        self.type("input[name=username]", user)
        self.type("input[name=password]", password + Keys.ENTER)

    def ask(self, method, path, body=None, token=""):
        """What the node answers to a request that the page itself would not make: its status."""
        return self.driver.execute_async_script("""const [method, path, body, token, done] = arguments;
            fetch(path, {method, body: body && JSON.stringify(body), headers: {"Content-Type": "application/json", "X-CSRF-Token": token}})
              .then(answer => done(answer.status), error => done(String(error)));""", method, path, body, token)

    def script(self, text, *arguments):
        """What it hands to done()."""
        return self.driver.execute_async_script(f"const done = arguments[arguments.length - 1]; {text};", *arguments)

    # -- judging

    def loaded_bytes(self):
        """Of all that was fetched, as it came over the line."""
        return self.js("performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource')).reduce((sum, one) => sum + one.transferSize, 0)")

    def collect(self):
        """Before a page is left: what it did wrong is not told later."""
        foreign = [name for name in self.js("performance.getEntriesByType('resource').map(one => one.name)")
                   if urllib.parse.urlsplit(name).netloc != urllib.parse.urlsplit(self.base).netloc]
        check(not foreign, f"the page asked others: {foreign}")
        equal(self.js("violations"), [], "violations of the content security policy")
        self.said += [entry for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    def silent(self, *expected):
        """The page said nothing on the console but what was provoked."""
        self.collect()
        bad = [entry["message"] for entry in self.said if not any(words in entry["message"] for words in expected)]
        check(not bad, f"on the browser's console: {bad}")

    def picture(self, path):
        with open(path, "wb") as out:
            out.write(base64.b64decode(self.driver.get_screenshot_as_base64()))
