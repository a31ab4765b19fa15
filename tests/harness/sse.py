"""A strict reader of event streams, and an EventSource as browsers have it."""

import http.client
import json
import re
import socket
import threading
import time

from .processes import wait_until

# A stream that is this long without a byte, in seconds, is cut: keep-alives come far sooner.
STALLED = 60
# What Pushpin answers in its first moments.
NOT_YET_STARTED = b"Accept service unavailable"


class Event:
    def __init__(self, kind, data, event_id):
        self.kind = kind
        self.data = data
        self.id = event_id
        self.time = time.monotonic()
        self.connection = None

    @property
    def json(self):
        return json.loads(self.data)

    def __repr__(self):
        return f"<{self.kind} {self.id} {self.data[:200]!r}>"


class EventParser:
    """Takes bytes as they come, gives whole events; what the module never sends is an error."""

    def __init__(self):
        self._buffer = b""
        self._fields = {}
        self.last_event_id = None
        self.retry_ms = None
        self.comments = []

    def feed(self, data):
        self._buffer += data
        events = []
        while b"\n" in self._buffer:
            line, self._buffer = self._buffer.split(b"\n", 1)
            event = self._line(line)
            if event:
                events.append(event)
        return events

    @property
    def is_between_events(self):
        return not self._buffer and not self._fields

    def _line(self, raw):
        assert b"\r" not in raw and b"\0" not in raw, f"stray control character: {raw!r}"
        line = raw.decode("utf-8")
        if not line:
            return self._dispatch()
        if line.startswith(":"):
            self.comments.append(line[1:])
            return None
        name, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        assert name in ("event", "id", "data", "retry"), f"unknown field: {line!r}"
        if name == "retry":
            assert re.fullmatch(r"[0-9]+", value), f"retry that is no number: {line!r}"
            self.retry_ms = int(value)
            return None
        assert name not in self._fields, f"field {name} stands twice in one event: {line!r}"
        self._fields[name] = value
        return None

    def _dispatch(self):
        fields, self._fields = self._fields, {}
        if "id" in fields:
            self.last_event_id = fields["id"]
        if "data" not in fields:
            assert not fields, f"an event without data is lost in browsers: {fields}"
            return None
        return Event(fields.get("event", "message"), fields["data"], fields.get("id"))


def parse(body):
    """A finished body: its parser and its events."""
    parser = EventParser()
    events = parser.feed(body)
    assert parser.is_between_events, f"the body ends inside an event: {body[-200:]!r}"
    return parser, events


class EventSource:
    """Reads a stream in a thread and comes back with Last-Event-ID, as a browser does.

    `retry_cap` bounds the wait before it comes back, so that tests need not wait as people do.
    A browser gives up on any status but 200; a `patient` one comes back, as the page's script does.

    A Pushpin that has just started may lose its first requests. So until the stream was open once,
    one that is silent for `first_answer` seconds is asked again, and the silence not counted.
    Later ones are counted in `unanswered`.
    """

    def __init__(self, port, path, last_event_id=None, retry_cap=0.2, headers=None,
                 patient=False, first_answer=5):
        self.port = port
        self.path = path
        self.last_event_id = last_event_id
        self.connects = []
        self.comments = []
        self.unanswered = 0
        self.failed = None
        self.bytes = 0
        self._retry = 1.0
        self._retry_cap = retry_cap
        self._headers = headers or {}
        self._patient = patient
        self._first_answer = first_answer
        self._was_open = False
        self._events = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._http = None
        self._socket = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    # -- what a test asks ----------------------------------------------------------------------

    @property
    def events(self):
        with self._lock:
            return list(self._events)

    def of_kind(self, kind):
        return [event for event in self.events if event.kind == kind]

    @property
    def messages(self):
        return self.of_kind("message")

    @property
    def numbers(self):
        """The event numbers of the messages, in the order in which they came."""
        return [int(event.id.rpartition(":")[2]) for event in self.messages]

    @property
    def texts(self):
        return [event.json["text"] for event in self.messages]

    def wait_open(self, timeout=25):
        wait_until(lambda: self.of_kind("stream-open") or self.failed, timeout,
                   f"stream-open on {self.path}; {self.describe()}")
        assert not self.failed, self.failed
        return self

    def wait_messages(self, count, timeout=20):
        wait_until(lambda: len(self.messages) >= count or self.failed, timeout,
                   f"message number {count} on {self.path}; {self.describe()}")
        assert not self.failed, self.failed
        return self.messages

    def wait_kind(self, kind, timeout=20, count=1):
        wait_until(lambda: len(self.of_kind(kind)) >= count or self.failed, timeout,
                   f"{kind} on {self.path}; {self.describe()}")
        return self.of_kind(kind)

    def wait_failed(self, timeout=15):
        return wait_until(lambda: self.failed, timeout, f"end of the stream {self.path}")

    def describe(self):
        return (f"{len(self.connects)} connects, last {self.connects[-1:]}, "
                f"last events {self.events[-3:]}")

    # -- what a test does ----------------------------------------------------------------------

    def drop(self):
        """Cuts the connection, as a bad network does; the thread then comes back."""
        current = self._socket
        if current is not None:
            try:
                current.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self._stopping.set()
        self.drop()
        self._thread.join(10)

    # -- the thread ----------------------------------------------------------------------------

    def _run(self):
        while not self._stopping.is_set() and not self.failed:
            try:
                self._connect_and_read()
            except (OSError, http.client.HTTPException):
                pass
            except (AssertionError, UnicodeDecodeError) as problem:
                self.failed = f"bad stream: {problem}"
            self._stopping.wait(self._return_after())

    def _return_after(self):
        """How long it stays away when a stream has ended, in seconds."""
        return min(self._retry, self._retry_cap)

    def _connect_and_read(self):
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-cache", **self._headers}
        if self.last_event_id:
            headers["Last-Event-ID"] = self.last_event_id
        self._http = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=self._first_answer)
        before = len(self.connects)
        answer = None
        try:
            self._http.request("GET", self.path, headers=headers)
            # Kept for `drop`: http.client forgets the socket of an answer that ends with it.
            self._socket = self._http.sock
            with self._http.getresponse() as answer:
                self.connects.append((time.monotonic(), answer.status, dict(answer.headers)))
                if self._was_open:
                    self._socket.settimeout(STALLED)
                kind = answer.headers.get("Content-Type", "").partition(";")[0]
                if answer.status == 200 and kind == "text/event-stream":
                    self._read(answer)
                elif not self._was_open and NOT_YET_STARTED in answer.read():
                    del self.connects[before:]
                elif not self._patient:
                    self.failed = f"answer {answer.status} of type {kind!r}"
        except TimeoutError:
            if not self._was_open:
                del self.connects[before:]
            elif not answer:
                self.unanswered += 1
        finally:
            self._socket = None
            self._http.close()

    def _keep(self, events):
        """Called with the lock held; another kind of reader may look at them instead."""
        self._events += events

    def _read(self, answer):
        parser = EventParser()
        while not self._stopping.is_set() and (data := answer.read1(65536)):
            events = parser.feed(data)
            if not self._was_open and any(event.kind == "stream-open" for event in events):
                self._was_open = True
                self._socket.settimeout(STALLED)
            for event in events:
                event.connection = len(self.connects)
            with self._lock:
                self.bytes += len(data)
                self._keep(events)
            self.comments += parser.comments
            parser.comments = []
            if parser.last_event_id is not None:
                self.last_event_id = parser.last_event_id
            if parser.retry_ms is not None:
                self._retry = parser.retry_ms / 1000
