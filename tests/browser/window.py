"""A Chromium window with the chat page, and what a person does in it."""

import shutil
import tempfile
import time
import urllib.parse

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from harness.processes import wait_until

_FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
          "--disable-background-networking", "--disable-component-update", "--disable-sync",
          "--disable-dev-shm-usage", "--lang=en"]

# Of a text, before its reader asks for all of it (row.js).
SHOWN_CHARS = 2000

# Noted by the page itself: what a driver asks for and is told takes it longer than a message takes.
_NOTE_TIMES = """
(() => {
  const now = () => performance.timeOrigin + performance.now();
  const times = window.noted = { enter: 0, rows: [] };
  addEventListener('keydown', (event) => {
    times.enter = event.key === 'Enter' ? now() : times.enter;
  }, true);
  new MutationObserver((records) => {
    for (const node of records.flatMap((record) => [...record.addedNodes])) {
      for (const text of node.querySelectorAll?.('[data-testid="message-text"]') ?? []) {
        times.rows.push([text.textContent, now()]);
      }
    }
  }).observe(document, { childList: true, subtree: true });
})();
"""


class Window:
    """A browser of its own: its own profile, its own connections."""

    def __init__(self, port, size=(1100, 800), dark=False, scheme="http"):
        self.port = port
        self._scheme = scheme
        self._profile = tempfile.mkdtemp(prefix="gc-browser-")
        options = Options()
        options.binary_location = shutil.which("chromium")
        for flag in [*_FLAGS, f"--user-data-dir={self._profile}",
                     "--window-size={},{}".format(*size)]:
            options.add_argument(flag)
        if scheme == "https":
            options.add_argument("--ignore-certificate-errors")
        if dark:
            options.add_argument("--force-dark-mode")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service(shutil.which("chromedriver")),
                                       options=options)
        self.driver.set_page_load_timeout(20)
        self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _NOTE_TIMES})

    def close(self):
        try:
            self.driver.quit()
        finally:
            shutil.rmtree(self._profile, ignore_errors=True)

    # -- finding -------------------------------------------------------------------------------

    def all(self, name):
        return self.driver.find_elements(By.CSS_SELECTOR, f'[data-testid="{name}"]')

    def one(self, name, timeout=10):
        """The visible element of that name."""
        return wait_until(lambda: self._visible(name), timeout,
                          f"visible {name} at {self.driver.current_url}")

    def _visible(self, name):
        try:
            return next((element for element in self.all(name) if element.is_displayed()), None)
        except StaleElementReferenceException:
            return None  # the page has just gone to the next

    def is_visible(self, name):
        return any(element.is_displayed() for element in self.all(name))

    @property
    def url(self):
        return urllib.parse.urlsplit(self.driver.current_url)

    # -- doing ---------------------------------------------------------------------------------

    def open(self, path):
        self.driver.get(f"{self._scheme}://localhost:{self.port}{path}")
        return self

    def enter(self, room, nickname):
        """Opens the room and joins it as a person does, by typing."""
        self.open("/" + urllib.parse.quote(room, safe=""))
        self.one("nickname").send_keys(nickname)
        self.one("join-button").click()
        return self

    def join(self, room, nickname):
        return self.enter(room, nickname).wait_connected()

    def wait_connected(self, timeout=20):
        return self.wait_state("connected", timeout)

    def wait_state(self, state, timeout=20):
        wait_until(lambda: self.state == state, timeout, f"state {state}, it is {self.state}")
        return self

    @property
    def state(self):
        try:
            return self.one("status").get_attribute("data-state")
        except StaleElementReferenceException:
            return ""

    def write(self, text):
        """Puts text into the composer; unlike typed keys, inserted text may be any character."""
        self.one("text").click()
        self.driver.execute_cdp_cmd("Input.insertText", {"text": text})

    def send_by_enter(self, text):
        """Writes and sends; when the page was told of the key, in milliseconds of the machine's clock."""
        self.write(text)
        self.one("text").send_keys("\n")
        return self.driver.execute_script("return window.noted.enter")

    def send(self, text):
        """Writes and sends; the time at which it was sent."""
        self.write(text)
        begin = time.monotonic()
        self.one("send").click()
        return begin

    @property
    def draft(self):
        return self.one("text").get_property("value")

    def set_offline(self, is_offline):
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {
            "offline": is_offline, "latency": 0, "downloadThroughput": -1,
            "uploadThroughput": -1})

    # -- seeing --------------------------------------------------------------------------------

    @property
    def progress(self):
        """What the page says about a message that takes its time; empty if nothing."""
        return "".join(self._read("send-progress"))

    def _read(self, name):
        return self.driver.execute_script(
            "return [...document.querySelectorAll(arguments[0])].map((each) => each.textContent)",
            f'[data-testid="{name}"]')

    @property
    def texts(self):
        return self._read("message-text")

    @property
    def senders(self):
        return self._read("message-from")

    @property
    def ids(self):
        return self.driver.execute_script(
            "return [...document.querySelectorAll('[data-testid=message]')]"
            ".map((each) => Number(each.dataset.messageId))")

    def wait_text(self, text, timeout=10):
        wait_until(lambda: text in self.texts, timeout, f"message {text[:60]!r}", every=0.005)
        return time.monotonic()

    def shown_at(self, text):
        """When the row of a message came into the page, in milliseconds of the machine's clock."""
        self.wait_text(text)
        return self.driver.execute_script(
            "return window.noted.rows.find(([text]) => text === arguments[0])[1]", text)

    def screenshot(self, path):
        self.driver.save_screenshot(str(path))

    def problems(self):
        """What the browser's console complains of: errors of ours, blocked content."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] == "SEVERE"]
