"""Somebody who comes by again and again while something is at fault."""

import collections
import threading

from harness.client import events_path, messages_path


class Visitor:
    """Asks Apache for a list and for events, as somebody who comes by, all through a fault.

    Events must always be answered 200 with `retry:`, so that browsers come back; a list may be
    answered 503 only with Retry-After.
    """

    def __init__(self, client, room="a"):
        self.lists = collections.Counter()
        self.events = 0
        self.bad = []
        self._client = client
        self._room = room
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        self._thread.join(30)
        assert not self._thread.is_alive(), "a visitor got no answer"
        assert not self.bad, self.bad[:3]
        assert self.events, "nobody asked for events"

    def _run(self):
        while not self._stopping.is_set():
            answer = self._client.get(messages_path(self._room))
            self.lists[answer.status] += 1
            if answer.status != 200 and not is_clear_503(answer):
                self.bad.append(answer)
            answer = self._client.get(events_path(self._room))
            self.events += 1
            if answer.status != 200 or b"retry:" not in answer.body:
                self.bad.append(answer)
            self._stopping.wait(0.05)


def is_clear_503(answer):
    return (answer.status == 503 and int(answer.header("Retry-After")) >= 1 and
            answer.json["error"]["code"] == "database-unavailable")
