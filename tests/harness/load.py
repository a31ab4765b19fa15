"""Senders that post from several threads, and what the database has afterwards."""

import collections
import contextlib
import http.client
import sqlite3
import threading
import time
import uuid

from .client import Connection, FORM, form_body, messages_path

# Where nothing listens a post fails at once: senders then wait this long, in seconds, not to spin.
_PAUSE_AFTER_FAILURE = 0.02
# How long a sender that repeats goes on after `stop`, in seconds.
_PATIENCE = 20


class Senders:
    """Posts until `stop`, or until each has posted `each` texts.

    A text is posted once: an answer that got lost in a fault leaves it open whether it was stored,
    so what must hold is that every acknowledged one was, and none twice. But the first `repeating`
    of the senders give each text an Idempotency-Key, and repeat it until it is acknowledged.

    With keep=False each post has a connection of its own.
    """

    def __init__(self, port, rooms, count=8, each=None, pause=0.0, keep=True, repeating=0):
        self.acknowledged = collections.defaultdict(dict)
        self.failures = []  # of a single request, also where a repeat succeeded
        self.given_up = []  # the texts that were to be repeated, and never acknowledged
        # Of each request when it began, on the monotonic clock, and how many seconds it took.
        self.timings = []
        self._port = port
        self._rooms = rooms
        self._each = each
        self._pause = pause
        self._keep = keep
        self._repeating = repeating
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True)
                         for number in range(count)]
        for thread in self._threads:
            thread.start()

    def _run(self, number):
        with Connection(self._port) as connection:
            posted = 0
            while not self._stopping.is_set() and posted != self._each:
                room = self._rooms[(number + posted) % len(self._rooms)]
                text = f"{number}-{posted}"
                posted += 1
                if number < self._repeating:
                    self._repeat(connection, room, number, text)
                else:
                    self._post(connection, room, number, text)
                self._stopping.wait(self._pause)

    def _repeat(self, connection, room, number, text):
        key = f'"{uuid.uuid4()}"'
        deadline = None
        while not self._post(connection, room, number, text, {"Idempotency-Key": key}):
            if self._stopping.is_set():
                deadline = deadline or time.monotonic() + _PATIENCE
                if time.monotonic() > deadline:
                    self.given_up.append(f"{room}: {text}")
                    return
                time.sleep(_PAUSE_AFTER_FAILURE)

    def _post(self, connection, room, number, text, headers=None):
        """Whether it was acknowledged."""
        begin = time.monotonic()
        try:
            answer = connection.request(
                "POST", messages_path(room), form_body({"from": f"s{number}", "text": text}),
                {"Content-Type": FORM, **(headers or {})})
        except (OSError, http.client.HTTPException) as problem:
            connection.close()  # the next request opens another
            self._note(begin, repr(problem))
            self._stopping.wait(_PAUSE_AFTER_FAILURE)
            return False
        if answer.status == 200:
            with self._lock:
                self.acknowledged[room][text] = answer.json["id"]
        self._note(begin, None if answer.status == 200 else answer)
        if not self._keep:
            connection.close()
        return answer.status == 200

    def _note(self, begin, failure):
        with self._lock:
            self.timings.append((begin, time.monotonic() - begin))
            if failure:
                self.failures.append(failure)

    def seconds(self, begin=0.0, end=float("inf")):
        """How long the posts took that began between two moments of the monotonic clock."""
        with self._lock:
            return [seconds for start, seconds in self.timings if begin <= start < end]

    @contextlib.contextmanager
    def acknowledged_now(self):
        """What was acknowledged so far, while nothing is added to it."""
        with self._lock:
            yield self.acknowledged

    @property
    def total(self):
        with self._lock:
            return sum(len(texts) for texts in self.acknowledged.values())

    def join(self, timeout=60):
        for thread in self._threads:
            thread.join(timeout)
            assert not thread.is_alive(), "a sender is stuck"
        return self

    def stop(self):
        self._stopping.set()
        return self.join()


def base_of(database):
    """What is added to each position, since the database took another's place."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10) as connection:
        row = connection.execute("SELECT value FROM grip_chat_meta"
                                 " WHERE site = '' AND name = 'event-id-base'").fetchone()
    return int(row[0]) if row else 0


def stored(database):
    """The rows of each room, by position as it is stored: (position, id, text)."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10) as connection:
        rows = connection.execute(
            "SELECT r.name, m.event_id, m.id, m.body FROM grip_chat_message m"
            " JOIN grip_chat_room r ON r.id = m.room_id ORDER BY r.name, m.event_id").fetchall()
    rooms = collections.defaultdict(list)
    for room, *row in rows:
        rooms[room].append(tuple(row))
    return rooms


def assert_kept(senders, rooms):
    """Nothing acknowledged is lost, nothing is there twice, and no position is left out."""
    for room, rows in rooms.items():
        assert [row[0] for row in rows] == list(range(1, len(rows) + 1)), f"gap in {room}"
        texts = {row[2]: row[1] for row in rows}
        assert len(texts) == len(rows), f"something was stored twice in {room}"
        for text, number in senders.acknowledged[room].items():
            assert texts.get(text) == number, f"{room}: {text} was acknowledged and is not there"
    acknowledged, kept = (sum(map(len, texts.values())) for texts in (senders.acknowledged, rooms))
    assert acknowledged <= kept <= acknowledged + len(senders.failures)
    assert not senders.given_up, f"repeated in vain: {senders.given_up[:3]}"


def assert_delivered(sources, room, rows, timeout=30):
    """Each reader that was there from the start has each row once, in order."""
    for source in sources:
        source.wait_messages(len(rows), timeout)
    for source in sources:
        assert source.numbers == [row[0] for row in rows], f"{room}: {source.describe()}"
        assert source.texts == [row[2] for row in rows]
