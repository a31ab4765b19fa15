"""The rows about the page: from Enter in one browser to the row of the message in another."""

import itertools

from bench.bench_load import median, ratios, side_by_side
from bench.bench_result import Result
from harness.processes import wait_until

# A display of 60 Hz shows a row up to 17 ms after its event.
_RATIO = 3
_LISTEN = """
window.heard = new Map();
new EventSource('rooms/bare/events/').addEventListener('message', (event) => {
  heard.set(JSON.parse(event.data).text, performance.timeOrigin + performance.now());
});
"""
_POST = """
const [text, done] = arguments;
const begin = performance.timeOrigin + performance.now();
fetch('rooms/bare/messages/', {method: 'POST', body: new URLSearchParams({from: 'alice', text})})
  .then(() => done(begin));
"""


class Pair:
    """Two browsers with the page, and in the same pages a POST and an EventSource without it."""

    def __init__(self, bench, port):
        from browser.window import Window  # pylint: disable=import-outside-toplevel,import-error
        self._alice, self._bob = (bench.servers.keep(Window(port), Window.close).join("default", name)
                                  for name in ("alice", "bob"))
        self._texts = (f"message {number}" for number in itertools.count())
        self._bob.driver.execute_script(_LISTEN)
        wait_until(lambda: self._bare("begin") is not None, 30, "stream of events")

    def _bare(self, text, timeout=1):
        begin = self._alice.driver.execute_async_script(_POST, text)
        try:
            end = wait_until(lambda: self._bob.driver.execute_script(
                "return window.heard.get(arguments[0]) ?? null", text), timeout, text)
        except AssertionError:
            return None
        return end - begin

    def bare(self, count):
        return {"p50": median([self._bare(next(self._texts), 60) for _ in range(count)])}

    def page(self, count):
        took = []
        for text in itertools.islice(self._texts, count):
            begin = self._alice.send_by_enter(text)
            took.append(self._bob.shown_at(text) - begin)
        return {"p50": median(took), "most": max(took)}


def _row(name, way, start):
    def row(bench):
        pair = Pair(bench, start(bench))
        theirs, mine = side_by_side([lambda: pair.bare(bench.scale.alone),
                                     lambda: pair.page(bench.scale.alone)], bench.scale.runs)
        return Result(name, f"Enter in one browser to the row in another, {way} (p50)",
                      "fetch and EventSource in the same two browsers, without the page",
                      ratios(mine, theirs, "p50"), _RATIO, False,
                      f"{median([one['p50'] for one in theirs]):.0f} ms, and "
                      f"{median([one['p50'] for one in mine]):.0f} ms, "
                      f"at most {max(one['most'] for one in mine):.0f} ms")
    return row


def _own_streams(bench):
    return bench.servers.apache(lambda apache: apache.page_site("none")).port


def _through_pushpin(bench):
    pushpin = []

    def site(apache):
        pushpin.append(bench.servers.pushpin(apache.port))
        return apache.page_site(pushpin[0].grip_url)
    bench.servers.apache(site)
    return pushpin[0].port


ROWS = {"page": _row("page", "own streams", _own_streams),
        "page-pushpin": _row("page-pushpin", "through Pushpin", _through_pushpin)}
