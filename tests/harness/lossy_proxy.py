"""A relay of HTTP that loses answers: the origin does the work, and the client never hears of it."""

import re
import threading

from .relay import Relay

_KEY = re.compile(rb'(?im)^idempotency-key: "([^"]*)"')


class LossyProxy(Relay):
    """What becomes of the answer to a post is its fate: None, CUT, HANG, or bytes in its place.

    `CUT` closes the connection, `HANG` leaves it open and silent. Browsers send a post again by
    themselves when a kept connection is cut, so only a fate for all posts fails for sure.
    """

    CUT = "cut"
    HANG = "hang"

    def __init__(self, target_port):
        super().__init__(target_port)
        self.keys = []        # of the posts, as they came; None for one without
        self.is_deaf = False  # events are held back, until one comes when it is no longer so
        self.fate = None      # of every post that `lose` has no other for
        self._plan = []
        self._lock = threading.Lock()

    def lose(self, *fates):
        """The fates of the next posts."""
        with self._lock:
            self._plan += fates

    def _fate_of(self, head):
        found = _KEY.search(head)
        with self._lock:
            self.keys.append(found and found[1].decode())
            return self._plan.pop(0) if self._plan else self.fate

    def _passers(self):
        now = {"fate": None, "is_stream": False, "held": b""}

        # A browser writes the head of a request at once, and the next one after the answer.
        def request(data):
            method, _, rest = data.partition(b" ")
            if method in (b"GET", b"POST"):
                now["fate"] = self._fate_of(data) if method == b"POST" else None
                now["is_stream"] = b"/events/" in rest.partition(b" ")[0]
            return data

        def answer(data):
            fate = now["fate"]
            if fate == self.CUT:
                raise ConnectionAbortedError("as planned")
            if fate == self.HANG:
                return b""
            if now["is_stream"]:
                data, now["held"] = now["held"] + data, b""
                if self.is_deaf:
                    data, now["held"] = b"", data
            if fate:
                now["fate"] = self.HANG  # the rest of the origin's answer, if there is more
                return fate
            return data
        return request, answer
