"""How many streams all children of event hold together, as it is configured out of the box."""

import os
import re
import socket
import time

import pytest

from harness.client import Client, events_path
from harness.httpd import MPM
from harness.processes import wait_until
from harness.raw_stream import RawStream
from harness.sites import chat_site, status_page

pytestmark = pytest.mark.skipif(MPM != "event", reason="only mpm_event can hold a stream")

SOAK = bool(os.environ.get("GRIP_CHAT_SOAK"))
# Debian's mpm_event.conf, and what it makes: six children, each with 25 x (1 + 2) x 3/4 places.
DEBIAN = """StartServers 2
MinSpareThreads 25
MaxSpareThreads 75
ThreadLimit 64
ThreadsPerChild 25
MaxRequestWorkers 150
"""
# The same in small, for every check: children of 5 threads with 11 places.
SMALL = """StartServers 2
MinSpareThreads 5
MaxSpareThreads 15
ThreadsPerChild 5
MaxRequestWorkers 30
"""
STOCK, PLACES = (DEBIAN, 336) if SOAK else (SMALL, 66)


class Readers:
    """Readers who come back until they are held."""

    def __init__(self, apache, room):
        self._apache, self._path = apache, events_path(room)
        self.held = []
        self.polls = 0

    def come(self, count=1):
        """So many at once. Returns how many of them are held."""
        before = len(self.held)
        for stream in [RawStream(self._apache.port, self._path) for _ in range(count)]:
            stream.read_until(b"stream-open")
            if "Content-Length" in stream.head:
                self.polls += 1
                stream.close()
            else:
                self.held.append(stream)
        return len(self.held) - before

    def come_until(self, count, timeout):
        """As a crowd does: of those that come one by one, the kernel gives most to the oldest child."""
        end = time.monotonic() + timeout
        while len(self.held) < count and time.monotonic() < end:
            if not self.come(min(30, count - len(self.held) + 10)):
                time.sleep(0.1)
        return len(self.held)

    def hear(self, text):
        """How many of those that are held are sent a message; the others are forgotten."""
        self._apache.client.say(re.search("/rooms/(.*)/events/", self._path)[1], text)
        self.held = [stream for stream in self.held if self._hears(stream, text.encode())]
        return len(self.held)

    @staticmethod
    def _hears(stream, text):
        try:
            return stream.read_until(text)
        except (AssertionError, OSError):
            return stream.close()

    def settle(self, count, timeout):
        """Until so many are held, and still are two seconds later: children may end while others begin."""
        end, steady = time.monotonic() + timeout, 0
        while steady < 2 and time.monotonic() < end:
            self.come_until(count, end - time.monotonic())
            time.sleep(2)
            steady = steady + 1 if self.hear(f"at {time.monotonic()}") == count else 0
        return len(self.held)

    def close(self, count=None):
        for stream in self.held[:count]:
            stream.close()
        del self.held[:count]


@pytest.fixture
def readers(servers, room):
    def made(apache):
        return servers.keep(Readers(apache, room), Readers.close)
    return made


def stock(apache, **directives):
    return STOCK + chat_site(apache.database, "none", Streams="On", MaxStreamsPerClient="Off",
                             **directives)


@pytest.mark.quiet
def test_all_places_of_a_stock_configuration_are_taken(servers, readers):
    """event starts the children that it may, though held streams make no thread busy."""
    apache = servers.apache(stock)
    apache.error_log.allow("GC0178")
    crowd = readers(apache)
    held = crowd.settle(PLACES, 90)
    print(f"{held} of {PLACES} held after {crowd.polls} polls, by {len(apache.children())} children")
    assert held == PLACES
    # No child ends for it, none is deaf, and one line tells that there are no more.
    end = time.monotonic() + 6
    while time.monotonic() < end:
        assert not crowd.come()
        assert Client(apache.port, timeout=5).get("/rooms/other/messages/").status == 200
    assert crowd.hear("to all") == PLACES and len(apache.children()) == 6
    log = (apache.directory / "error.log").read_text()
    assert log.count("GC0178") == 1 and "AH00484" not in log
    assert re.search(f"GC0178: there are {PLACES} streams, .* write AsyncRequestWorkerFactor 5, ", log)


def test_children_end_again_when_readers_have_left(servers, readers):
    apache = servers.apache(stock)
    apache.error_log.allow("GC0178")
    crowd = readers(apache)
    assert crowd.come_until(PLACES * 2 // 3, 60) >= PLACES * 2 // 3
    assert len(apache.children()) > 3
    crowd.close(len(crowd.held) - 4)
    wait_until(lambda: len(apache.children()) <= 3, 60, "end of children that are not needed")


def test_few_streams_for_all_children_start_no_others(servers, readers):
    apache = servers.apache(lambda a: stock(a, MaxStreams=20))
    apache.error_log.allow("GC0178")
    crowd = readers(apache)
    assert crowd.come_until(20, 30) == 20
    for _ in range(30):
        assert not crowd.come()
        time.sleep(0.1)
    assert len(apache.children()) <= 3
    assert "GC0178: there are 20 streams, and readers beyond poll: GripChatMaxStreams says so" in \
        (apache.directory / "error.log").read_text()


class Upload:
    """A connection that knows its child, and a post there that is under way from `begin` to `close`."""

    def __init__(self, apache):
        self._socket = socket.create_connection(("127.0.0.1", apache.port), 20)
        self._socket.sendall(b"GET /status?auto HTTP/1.1\r\nHost: localhost\r\n\r\n")
        told = b""
        while b"GripChatStreamsLimit" not in told:
            received = self._socket.recv(65536)
            assert received, told
            told += received
        self.child = int(re.search(rb"GripChatChild: (\d+)", told)[1])

    def begin(self):
        self._socket.sendall(b"POST /rooms/other/messages/ HTTP/1.1\r\nHost: localhost\r\n"
                             b"Content-Type: application/json\r\nContent-Length: 1000\r\n"
                             b"Expect: 100-continue\r\n\r\n")
        assert b" 100 " in self._socket.recv(65536)

    def close(self):
        self._socket.close()


def uploads_in(servers, apache, children):
    """An upload that is under way in each of the children. One whose idle connections are many takes no more, and
    the next comes to another; left to itself, one child may take all that come one by one. event ends a child
    that has nothing to do where there are many, so one may be gone before it is reached."""
    uploads, idle = {}, []
    end = time.monotonic() + 60
    while not children & set(apache.children()) <= set(uploads):
        assert time.monotonic() < end, f"only {set(uploads)} of {children} were reached"
        upload = servers.keep(Upload(apache), Upload.close)
        if upload.child in uploads:
            idle.append(upload)
        else:
            uploads[upload.child] = upload
            upload.begin()
    for upload in idle:
        upload.close()
    return uploads


@pytest.mark.parametrize("more", ["ServerLimit 6\n", ""], ids=["no row is free", "rows are free"])
def test_event_is_not_asked_for_children_that_it_cannot_start(servers, readers, more):
    """Children of before a graceful restart work on for long. event logs errors where it is asked."""
    apache = servers.apache(lambda a: more + status_page() + stock(a))
    apache.error_log.allow("GC0178")
    uploads = uploads_in(servers, apache, set(apache.children()))
    old = set(uploads)
    assert len(old) >= 2
    apache.graceful()
    wait_until(lambda: set(apache.children()) - old, 20, "children of the new configuration")
    crowd = readers(apache)
    crowd.come_until(PLACES, 10)
    end = time.monotonic() + 5
    while time.monotonic() < end:
        crowd.come()
        time.sleep(0.1)
    assert old <= set(apache.children())
    for upload in uploads.values():
        upload.close()
    assert crowd.settle(PLACES, 90) == PLACES


def test_an_address_that_has_as_many_as_it_may_is_told_once(servers, room):
    apache = servers.apache(lambda a: STOCK + chat_site(a.database, "none", Streams="On",
                                                        MaxStreamsPerClient=3))
    crowd = servers.keep(Readers(apache, room), Readers.close)
    assert crowd.come_until(3, 20) == 3
    assert not crowd.come() and not crowd.come()
    assert (apache.directory / "error.log").read_text().count("GC0179") == 1
