"""A reader that checks each event as it comes, however long the stream."""

import time

from harness.processes import wait_until
from harness.sse import EventSource


class Follower(EventSource):
    """Each message must be the next one, unless a stream-reset said that some are left out.

    What does not follow ends the stream and stands in `failed`.
    """

    def __init__(self, port, path, **options):
        self.position = None
        self.resets = 0
        self.first = None     # the position before the first of `texts`
        self.delivered = []   # since the last reset
        self.arrivals = []    # when each message came, on the monotonic clock
        self._pause = None
        super().__init__(port, path, **{"patient": True, **options})

    def _keep(self, events):
        for event in events:
            if event.kind == "message":
                self._take(event)
                continue
            self._events.append(event)
            if event.kind == "stream-reset":
                self.resets += 1
                self._begin_at(_number(event))
            elif event.kind == "stream-open" and event.id:
                if self.position is None:
                    self._begin_at(_number(event))
                assert _number(event) == self.position, f"opened elsewhere: {self.position} {event}"
            else:
                assert event.kind != "stream-error", event

    def pause_before_return(self, choose):
        """From now on it stays away as long as `choose` says, in seconds."""
        self._pause = choose

    def _return_after(self):
        return self._pause() if self._pause else super()._return_after()

    def _begin_at(self, position):
        self.position = self.first = position
        self.delivered = []

    def _take(self, event):
        assert _number(event) == self.position + 1, f"after {self.position} came {event}"
        self.position += 1
        self.delivered.append(event.json["text"])
        self.arrivals.append(event.time)

    def wait_position(self, position, timeout):
        wait_until(lambda: (self.position or 0) >= position or self.failed, timeout,
                   f"event {position} on {self.path}, which is at {self.position}; "
                   f"{self.describe()}")
        assert not self.failed, f"{self.path}: {self.failed}"

    def check(self, rows, base=0):
        """That it has all rows of its room since where it began, each once, in order."""
        assert not self.failed, f"{self.path}: {self.failed}"
        assert self.position == base + len(rows), f"{self.path}: {self.describe()}"
        assert self.delivered == [row[2] for row in rows[self.first - base:]], \
            f"{self.path}: other texts"

    def longest_silence(self, begin, end):
        """The longest time without a message between two moments, in seconds."""
        moments = [begin, *(m for m in self.arrivals if begin < m < end), end]
        return max(after - before for before, after in zip(moments, moments[1:]))


def _number(event):
    return int(event.id.rpartition(":")[2])


def seconds_until_whole(followers, positions, timeout):
    """Waits until each follower is where its room is, and returns how long that took."""
    begin = time.monotonic()
    for follower, position in zip(followers, positions):
        follower.wait_position(position, max(0.1, timeout - (time.monotonic() - begin)))
    return time.monotonic() - begin
