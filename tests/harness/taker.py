"""A reader that counts what it gets, at the pace that a test gives it, and who fills a room for it."""

import contextlib
import re
import socket
import threading
import time

from .client import Connection, events_path
from .processes import wait_until
from .raw_stream import RawStream


def fill(apache, room, count, text="number {}"):
    """Has so many messages posted to a new room, by a few at the same time: numbered in any order."""
    numbers = iter(range(count))
    turn = threading.Lock()

    def post():
        with Connection(apache.port) as connection:
            while True:
                with turn:
                    number = next(numbers, None)
                if number is None:
                    return
                connection.say(room, text.format(number))

    posters = [threading.Thread(target=post) for _ in range(10)]
    for poster in posters:
        poster.start()
    for poster in posters:
        poster.join()


class Taker:
    """Reads a stream in a thread, from a position on, and knows which positions came, and when."""

    def __init__(self, port, room, after=0, pace=None, **options):
        self.numbers = []
        self.ended = None
        self.resets = 0
        self._pace = pace or (lambda: None)
        self._begin = time.monotonic()
        self._stream = RawStream(port, events_path(room), f"Last-Event-ID: room-{room}:{after}",
                                 **options)
        self._stream.socket.settimeout(60)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        rest = b""
        try:
            while data := self._stream.socket.recv(65536):
                rest += data
                whole, end, rest = rest.rpartition(b"\n\n")
                self.numbers += map(int, re.findall(rb"event: message\nid: [^\n]*:(\d+)\n",
                                                    whole + end))
                self.resets += whole.count(b"event: stream-reset")
                self._pace()
        except OSError:
            pass
        self.ended = time.monotonic()

    def wait(self, count, timeout=60):
        """Waits for so many messages, and returns how long they took since the request."""
        wait_until(lambda: len(self.numbers) >= count or self.ended, timeout,
                   f"message number {count}; there are {len(self.numbers)}")
        assert not self.ended, f"the stream ended after {len(self.numbers)} messages"
        came = list(self.numbers)  # more may come meanwhile
        assert came == list(range(came[0], came[0] + len(came))), f"not one after the other: {came}"
        return time.monotonic() - self._begin

    def close(self):
        """Ends the connection: a socket that is only closed lives on while the thread waits for it."""
        with contextlib.suppress(OSError):
            self._stream.socket.shutdown(socket.SHUT_RDWR)
        self._stream.socket.close()
