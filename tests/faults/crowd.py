"""The steady load under which every fault is injected, and the check that ends every case."""

import time

from faults.follower import Follower, seconds_until_whole
from harness.chat import Chat
from harness.client import events_path
from harness.load import Senders, assert_kept, stored
from harness.processes import wait_until

ROOMS = ["a", "b", "c", "d"]
# What the module says of faults that it is made for: of a keeper that died, of publishes that were
# cut off, of a database that is locked.
WARNINGS = r"\[grip_chat:warn\]"
ERRORS = r"\[grip_chat:error\]"


class Crowd:
    """Posters and readers of an Apache; `open_reader` makes a Follower of a room.

    Half of the posters repeat, under an Idempotency-Key, what was not acknowledged.
    """

    def __init__(self, apache, open_reader, rooms=tuple(ROOMS), readers=3, senders=4, pause=0.02,
                 keep=True):
        self.apache = apache
        self.followers = {room: [open_reader(room) for _ in range(readers)] for room in rooms}
        for follower in self.everyone:
            follower.wait_open()
        self.senders = Senders(apache.port, list(rooms), count=senders, pause=pause, keep=keep,
                               repeating=senders // 2)

    @classmethod
    def at(cls, chat, **options):
        """Readers through the Pushpin of a Chat."""
        return cls(chat.apache, lambda room: chat.reader(room, kind=Follower), **options)

    @classmethod
    def polling(cls, servers, apache, **options):
        """Readers that ask Apache itself, again and again."""
        return cls.direct(servers, apache, **options)

    @classmethod
    def direct(cls, servers, apache, **options):
        """Readers at Apache itself: with `Streams="On"` it holds their streams, else they poll."""
        return cls(apache, lambda room: servers.event_source(
            apache.port, events_path(room), kind=Follower), **options)

    @property
    def everyone(self):
        return [follower for group in self.followers.values() for follower in group]

    @property
    def total(self):
        return self.senders.total

    def wait_posts(self, count, timeout=20):
        """Until so many more posts are acknowledged."""
        before = self.total
        wait_until(lambda: self.total >= before + count, timeout, f"{count} posts more")

    def run(self, seconds):
        """Lets the load go on; that it does is checked."""
        before, end = self.total, time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(0.02)
            self.check_readers()
        assert self.total > before, f"no post was acknowledged for {seconds} s"

    def check_readers(self):
        for follower in self.everyone:
            assert not follower.failed, f"{follower.path}: {follower.failed}"

    def settle(self, resets=0, timeout=30):
        """Acknowledged = stored = delivered to every reader, once, in order."""
        self.senders.stop()
        found = stored(self.apache.database)
        rows = {room: found[room] for room in self.followers}
        assert_kept(self.senders, rows)
        for room, kept in rows.items():
            assert [row[1] for row in kept] == sorted(row[1] for row in kept), f"{room}: ids go back"
        due = [(follower, rows[room])
               for room, group in self.followers.items() for follower in group]
        whole = seconds_until_whole([follower for follower, _ in due],
                                    [len(expected) for _, expected in due], timeout)
        for follower, expected in due:
            follower.check(expected)
            assert follower.resets <= resets, f"{follower.path}: a reset that nothing called for"
        return Outcome(self, sum(map(len, rows.values())), whole)


class Outcome:
    """The figures of a case that held."""

    def __init__(self, crowd, kept, whole):
        self.acknowledged = crowd.total
        self.kept = kept
        self.readers = len(crowd.everyone)
        self.worst = max(crowd.senders.seconds(), default=0.0)
        self.open = len(crowd.senders.failures)
        self.unanswered = sum(follower.unanswered for follower in crowd.everyone)
        self.whole = whole

    def __str__(self):
        equal = (f"{self.acknowledged:,} posts acknowledged = stored"
                 if self.acknowledged == self.kept else
                 f"{self.acknowledged:,} posts acknowledged, {self.kept:,} stored,"
                 f" {self.open:,} answers lost or 503; stored")
        lost = f"; {self.unanswered} streams asked for again" if self.unanswered else ""
        return (f"{equal} = delivered to {self.readers} readers, whole {self.whole:.1f} s after the"
                f" last post; worst post {ms(self.worst)}{lost}")


def ms(seconds):
    return f"{seconds * 1000:,.0f} ms"


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def p99(values):
    return quantile(values, 0.99)


def chat_with_faults(servers, *allowed, **options):
    """A Chat whose log may warn."""
    chat = Chat(servers, **options)
    chat.apache.error_log.allow(WARNINGS, *allowed)
    return chat
