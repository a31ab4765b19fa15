"""Readers whose streams Apache itself holds, through everything that ends a stream or gets into its way."""

import sqlite3
import threading
import time

import pytest

from faults.crowd import ERRORS, WARNINGS, Crowd
from faults.follower import Follower
from faults.scale import scaled
from faults.test_returning_readers import leave_and_return
from harness.chat import Chat
from harness.client import events_path
from harness.httpd import MPM
from harness.processes import kill, wait_until
from harness.raw_stream import RawStream, reset
from harness.sites import chat_site
from harness.taker import Taker, fill

pytestmark = pytest.mark.skipif(MPM != "event", reason="only mpm_event can hold a stream")

# The longest pause between two faults, in seconds; each is as long as chance says.
PAUSE = 0.3


def apache_alone(servers, *allowed, more="", **directives):
    apache = servers.apache(lambda a: more + chat_site(a.database, "none", Streams="On",
                                                       **directives))
    apache.error_log.allow(WARNINGS, *allowed)
    return apache


def connects(crowd):
    return sum(len(follower.connects) for follower in crowd.everyone)


def check_few_came_back(crowd, before, most):
    """That readers were held: they came back no more often than a fault made them."""
    times = connects(crowd) - before
    assert times <= most, f"{times} connects where {most} were due: readers poll"
    return times


def test_without_a_fault(servers, figure):
    crowd = Crowd.direct(servers, apache_alone(servers), readers=5)
    crowd.run(scaled(3, 60))
    outcome = crowd.settle()
    assert connects(crowd) == len(crowd.everyone)
    figure(f"{outcome}")


def test_graceful_restarts(servers, figure):
    """Once a second."""
    times = scaled(6, 60)
    apache = apache_alone(servers)
    crowd = Crowd.direct(servers, apache, readers=5)
    before, due = connects(crowd), time.monotonic()
    for _ in range(times):
        apache.graceful()
        due += 1
        time.sleep(max(0.1, due - time.monotonic()))
        crowd.check_readers()
    outcome = crowd.settle()
    bad = [failure for failure in crowd.senders.failures if not isinstance(failure, str)]
    assert not bad, bad[:3]
    # A reader may come to a child that is just about to end.
    came = check_few_came_back(crowd, before, 3 * times * len(crowd.everyone))
    figure(f"{times} restarts, upon which readers came back {came:,} times; {outcome}")


def test_hard_restarts(servers, figure):
    times = scaled(3, 30)
    apache = apache_alone(servers, r"AH00045", r"AH0005[12]: child pid", r"AH03093")
    crowd = Crowd.direct(servers, apache, readers=5)
    for _ in range(times):
        apache.restart()
        crowd.wait_posts(8)
        crowd.run(0.3)
    figure(f"{times} restarts; {crowd.settle()}")


def test_connections_per_child(servers, figure):
    """Children that end after 50 connections each."""
    apache = apache_alone(servers, more="MaxConnectionsPerChild 50\n")
    first = set(apache.children())
    crowd = Crowd.direct(servers, apache, keep=False, pause=0.01)
    seen, end = set(first), time.monotonic() + scaled(4, 60)
    while time.monotonic() < end or first & set(apache.children()):
        crowd.run(1.5)
        seen |= set(apache.children())
        assert time.monotonic() < end + 60, "children live on"
    outcome = crowd.settle()
    assert not crowd.senders.failures, crowd.senders.failures[:3]
    figure(f"{len(seen)} children one after the other; {outcome}")


def test_child_kills(servers, figure, chance):
    times = scaled(10, 100)
    apache = apache_alone(servers)
    crowd = Crowd.direct(servers, apache, readers=5)
    for _ in range(times):
        time.sleep(chance.uniform(0, PAUSE))
        victim = chance.choice(apache.children())
        kill(victim)
        wait_until(lambda pid=victim: pid not in apache.children(), 10, "end of a child")
        crowd.wait_posts(8)
        crowd.check_readers()
    outcome = crowd.settle()
    assert all(isinstance(failure, str) for failure in crowd.senders.failures), "only cut off"
    figure(f"{times} kills; {outcome}")


def test_keeper_kills(servers, figure, chance):
    """No stream ends with the keeper."""
    times = scaled(10, 200)
    apache = apache_alone(servers)
    crowd = Crowd.direct(servers, apache, readers=5)
    before = connects(crowd)
    for _ in range(times):
        time.sleep(chance.uniform(0, PAUSE))
        apache.kill_keeper()
        crowd.wait_posts(8)
        crowd.check_readers()
    outcome = crowd.settle()
    assert not crowd.senders.failures, crowd.senders.failures[:3]
    check_few_came_back(crowd, before, 0)
    figure(f"{times} kills, no stream ended; {outcome}")


def test_returning_readers(servers, figure, chance):
    crowd = Crowd.direct(servers, apache_alone(servers), readers=5)
    times = leave_and_return(crowd, chance, scaled(4, 120))
    outcome = crowd.settle()
    assert not crowd.senders.failures, crowd.senders.failures[:3]
    figure(f"{times:,} times a reader left; {outcome}")


class Nuisance:
    """Opens streams and leaves them in every way there is, until the end of a `with`."""

    def __init__(self, port, chance, threads=4):
        self.times = 0
        self._port, self._chance = port, chance
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        for thread in self._threads:
            thread.join(30)

    def _run(self):
        while not self._stopping.is_set():
            room = self._chance.choice("abcdef")
            try:
                stream = RawStream(self._port, events_path(room), f"Last-Event-ID: room-{room}:1",
                                   receive_buffer=self._chance.choice([None, 2048]))
                self._leave(stream)
            except OSError:
                pass  # it was quicker than the server
            self.times += 1

    def _leave(self, stream):
        way = self._chance.randrange(6)
        if way == 0:
            reset(stream)
            return
        if way >= 2:
            stream.read_until(b"stream-open")
        if way >= 4:
            time.sleep(self._chance.uniform(0, 0.05))
        if way % 2:
            reset(stream)
        else:
            stream.close()


def test_resets_and_instant_ends(servers, figure, chance):
    apache = apache_alone(servers)
    crowd = Crowd.direct(servers, apache)
    before = connects(crowd)
    with Nuisance(apache.port, chance) as nuisance:
        crowd.run(scaled(4, 120))
    outcome = crowd.settle()
    assert not crowd.senders.failures, crowd.senders.failures[:3]
    assert nuisance.times > scaled(200, 10000)
    figure(f"{nuisance.times:,} streams that were left at once, readers came back"
           f" {connects(crowd) - before} times; {outcome}")


def test_slow_readers(servers, figure):
    """Some take nothing at all, and the others have each message in time."""
    apache = apache_alone(servers, MaxStreamsPerClient="Off")
    crowd = Crowd.direct(servers, apache, readers=3)
    slow = [servers.keep(RawStream(apache.port, events_path(room), receive_buffer=2048),
                         RawStream.close) for room in "abcde" for _ in range(5)]
    before, begin = connects(crowd), time.monotonic()
    for _ in range(scaled(60, 2000)):
        apache.client.say("e", "x" * 60000)
        crowd.check_readers()
    end = time.monotonic()
    outcome = crowd.settle()
    silence = max(follower.longest_silence(begin, end) for follower in crowd.everyone)
    assert silence < 3 and not check_few_came_back(crowd, before, 0)
    figure(f"{len(slow)} readers that take nothing; longest silence of the others"
           f" {silence * 1000:.0f} ms; {outcome}")


def test_readers_far_behind(servers, figure, chance):
    """Some come for everything there is while there is more of it, others leave in the middle of that."""
    apache = apache_alone(servers, MaxStreamsPerClient="Off", CacheSize="64K")
    stored, times = scaled(600, 5000), []
    for room in "abcdef":
        fill(apache, room, stored)
    with Nuisance(apache.port, chance) as nuisance:
        end = time.monotonic() + scaled(4, 60)
        while time.monotonic() < end:
            takers = [Taker(apache.port, room, after=chance.randrange(100)) for room in "abcd"]
            fill(apache, "a", 20)
            times += [taker.wait(stored - 100) for taker in takers]
            for taker in takers:
                taker.close()
    apache.client.say("a", "last")
    figure(f"{len(times)} readers took {stored} messages each, the slowest in {max(times):.2f} s;"
           f" {nuisance.times:,} others left at once")


def test_a_locked_database(servers, figure):
    """Streams wait for what cannot be stored, and stay alive."""
    seconds = scaled(4, 20)
    apache = apache_alone(servers, ERRORS, KeepAlive="1s")
    crowd = Crowd.direct(servers, apache)
    stream = servers.keep(RawStream(apache.port, events_path("quiet")), RawStream.close)
    crowd.run(0.5)
    before = connects(crowd)
    holder = sqlite3.connect(apache.database, isolation_level=None, timeout=20)
    holder.execute("BEGIN EXCLUSIVE")
    time.sleep(seconds)
    holder.execute("ROLLBACK")
    holder.close()
    crowd.wait_posts(8, timeout=15)
    outcome = crowd.settle()
    check_few_came_back(crowd, before, 0)
    stream.read_until(b"event: keep-alive\ndata:\n\n" * (seconds - 1))
    figure(f"{seconds} s, no stream ended; {outcome}")


def test_proxied_and_direct_readers_of_the_same_rooms(servers, figure):
    chat = Chat(servers, Streams="On")
    chat.apache.error_log.allow(WARNINGS)
    turn = iter(range(1000))

    def open_reader(room):
        if next(turn) % 2:
            return chat.reader(room, kind=Follower)
        return servers.event_source(chat.apache.port, events_path(room), kind=Follower)

    crowd = Crowd(chat.apache, open_reader, readers=4)
    crowd.run(scaled(3, 60))
    outcome = crowd.settle()
    assert not crowd.senders.failures, crowd.senders.failures[:3]
    assert connects(crowd) == len(crowd.everyone)
    figure(f"{outcome}")
