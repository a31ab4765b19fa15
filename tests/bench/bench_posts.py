"""The rows that write, against a handler that reads the body and stores nothing."""

import contextlib
import json
import time

from bench.bench_fill import BareCommits
from bench.bench_load import Load, median, ratios, request, side_by_side
from bench.bench_result import Result
from harness.client import Connection, events_path, form_body, messages_path, FORM

_TEXT = "a text of nearly sixty bytes, as people write, number 1000000"
_BODY = form_body({"from": "al", "text": _TEXT[:-7]}).decode() + "{n}"
_P99_MS = 10


def _posts(port, path, connections):
    return Load(port, [request(path, "POST", {"Content-Type": FORM}, _BODY)], connections)


def loads(apache, connections, room="r1"):
    """The yardstick's load, ours and the journal's, and that all are answered with about as many bytes."""
    sizes = []
    paths = ("/yardstick", messages_path(room), "/journal")
    for path in paths:
        answer = apache.client.request(
            "POST", path, form_body({"from": "al", "text": _TEXT}), {"Content-Type": FORM})
        assert answer.status == 200, answer
        sizes.append(len(answer.body))
    assert max(sizes) - min(sizes) <= 8, sizes
    return [_posts(apache.port, path, connections) for path in paths]


def _runs(bench, sides):
    return side_by_side([lambda load=load: load.run(bench.scale.seconds) for load in sides],
                        bench.scale.runs)


def _durable(bench, name, what, processes, target, p99_counts):
    theirs, mine, journal = _runs(
        bench, loads(bench.apache(grip_urls=["none"], processes=processes), 64))
    p99, empty = median([one["p99"] for one in mine]), median([one["p99"] for one in theirs])
    return Result(name, what, "a handler that stores nothing", ratios(mine, theirs, "rate"), target,
                  True, f"p99 {p99:.1f} ms, of the handler {empty:.1f} ms; a bare journal in another "
                  f"process reaches {median(ratios(journal, theirs, 'rate')):.2f} ×",
                  not p99_counts or p99 <= _P99_MS)


def one_child(bench):
    return _durable(bench, "posts", "POST, durable, 64 connections, one child", "one child", 0.65,
                    False)


def four_children(bench):
    return _durable(bench, "posts-four", "POST, durable, 64 connections, four children",
                    "four children", 0.6, True)


def prefork(bench):
    return _durable(bench, "posts-prefork", "POST, durable, 64 connections, prefork with 64 processes",
                    "prefork", 0.6, True)


def alone(bench):
    """One connection: what the empty handler and a commit take together, and what a post takes."""
    apache = bench.apache(grip_urls=["none"])
    with contextlib.closing(BareCommits(apache.directory / "commits.db")) as commits:
        empty, post, kept = loads(apache, 1)
        measures = [lambda: empty.run(bench.scale.seconds), lambda: commits.run(bench.scale.seconds),
                    lambda: post.run(bench.scale.seconds), lambda: kept.run(bench.scale.seconds)]
        empties, bare, posts, journal = side_by_side(measures, bench.scale.runs)
    found = [p["p50"] / (e["p50"] + b["p50"]) for e, b, p in zip(empties, bare, posts)]
    parts = [median([one["p50"] for one in side]) for side in (empties, bare, posts, journal)]
    return Result("post-alone", "POST, durable, 1 connection (p50)",
                  "the empty handler plus one bare commit", found, 1.25, False,
                  f"{parts[0]:.2f} + {parts[1]:.2f} ms, and {parts[2]:.2f} ms; with a bare journal in "
                  f"another process {parts[3]:.2f} ms")


class _Watch:
    """Waits for each new message of a room's stream; `begin` is when its clock starts."""

    def __init__(self, bench, chat_port, room):
        self.reader = bench.servers.event_source(chat_port, events_path(room))
        self.reader.wait_open()
        self._arrived = 0

    def wait(self, begin):
        """In ms from `begin`."""
        self._arrived += 1
        end = time.monotonic() + 10
        while len(self.reader.messages) < self._arrived:
            assert time.monotonic() < end, "an event did not come through Pushpin"
            time.sleep(0.0001)
        return (time.monotonic() - begin) * 1e3


def through_pushpin(bench):
    """One message at a time, far enough apart that nobody's pace counts."""
    apache, pushpin = bench.behind_pushpin()
    ours, theirs = (_Watch(bench, pushpin.port, room) for room in ("ours", "theirs"))
    # What is published before Pushpin has noted a new stream passes it by (docs/pushpin.md).
    time.sleep(2)
    with Connection(apache.port) as to_apache, Connection(pushpin.publish_port) as to_pushpin:
        def post():
            to_apache.say("ours", _TEXT)
            return ours.wait(time.monotonic())

        def publish():
            number = len(theirs.reader.messages) + 1
            event = (f"event: message\nid: room-theirs:{number}\n"
                     'data: {"id": 1, "from": "al", "text": "x"}\n\n')
            item = {"channel": "events-room-theirs", "id": str(number), "prev-id": str(number - 1),
                    "formats": {"http-stream": {"content": event}}}
            begin = time.monotonic()
            answer = to_pushpin.request("POST", "/publish/", json.dumps({"items": [item]}).encode(),
                                        {"Content-Type": "application/json"})
            assert answer.status == 200, answer
            return theirs.wait(begin)

        def p50(one):
            times = []
            for _ in range(bench.scale.samples):
                times.append(one())
                time.sleep(0.25)
            return {"p50": median(times)}
        straight, posted = side_by_side([lambda: p50(publish), lambda: p50(post)], bench.scale.runs)
    parts = [median([one["p50"] for one in side]) for side in (straight, posted)]
    return Result("pushpin", "POST answered to event seen through Pushpin (p50)",
                  "published straight to Pushpin", ratios(posted, straight, "p50"), 1.25, False,
                  f"{parts[0]:.1f} ms, and {parts[1]:.1f} ms")


ROWS = {"posts": one_child, "posts-four": four_children, "posts-prefork": prefork,
        "post-alone": alone, "pushpin": through_pushpin}
