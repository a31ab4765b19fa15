"""Readers of the module's own streams who are behind: they get all that there is, on the stream that they
have, at the pace that they take."""

import os
import re
import sqlite3
import threading
import time

import pytest

from harness.client import events_path
from harness.httpd import MPM
from harness.processes import wait_until
from harness.raw_stream import RawStream
from harness.sites import chat_site
from harness.taker import Taker, fill

pytestmark = pytest.mark.skipif(MPM != "event", reason="only mpm_event can hold a stream")

SOAK = bool(os.environ.get("GRIP_CHAT_SOAK"))
# What a stream of 5,000 messages takes is well under a second; a reader who came back for each hundred
# of them took 74 s.
LONG = 20


def own_streams(apache, more="", **directives):
    directives.setdefault("MaxStreamsPerClient", "Off")
    return more + chat_site(apache.database, "none", Streams="On", **directives)


def slowly_until(event):
    """The pace of a reader who takes little: of one who takes nothing the stream ends after 30 s, and a busy
    machine takes that long for what happens meanwhile."""
    return lambda: event.wait(1)


@pytest.fixture
def taker(servers):
    def made(*args, **options):
        return servers.keep(Taker(*args, **options), Taker.close)
    return made


@pytest.fixture(scope="module")
def apache(module_servers):
    return module_servers.apache(own_streams)


@pytest.fixture(scope="module")
def long_room(apache):
    """A room of 5,000 messages."""
    fill(apache, "long", 5000)
    return "long"


def test_a_reader_far_behind_gets_all_on_one_connection(apache, long_room, taker):
    reader = taker(apache.port, long_room)
    assert reader.wait(5000, LONG) < LONG
    apache.client.say(long_room, "on")
    reader.wait(5001)
    assert reader.numbers == list(range(1, 5002))


def test_many_readers_far_behind_get_all_in_turn(apache, long_room, taker):
    readers = [taker(apache.port, long_room, after=n) for n in range(30)]
    times = [reader.wait(4900, 3 * LONG) for reader in readers]
    assert max(times) < 3 * LONG


def test_others_go_on_while_a_reader_is_behind(servers, apache, long_room, room, taker):
    live = servers.event_source(apache.port, events_path(room)).wait_open()
    stop = threading.Event()
    times = []

    def come_again():
        while not stop.is_set():
            reader = Taker(apache.port, long_room)
            times.append(reader.wait(5000, LONG))
            reader.close()

    behind = [threading.Thread(target=come_again) for _ in range(3)]
    for thread in behind:
        thread.start()
    delays = []
    for number in range(1, 51):
        began = time.monotonic()
        apache.client.say(room, str(number))
        delays.append(live.wait_messages(number)[-1].time - began)
        time.sleep(0.02)
    stop.set()
    for thread in behind:
        thread.join()
    assert len(times) >= 3 and len(live.connects) == 1 and sorted(delays)[45] < 1


@pytest.mark.parametrize("cache", ["On", "Off"])
def test_a_room_goes_on_while_its_readers_are_behind(servers, room, taker, cache):
    """Each sees every message once, whether it was stored before or after it came."""
    size = {"On": None, "Off": "Off"}[cache]
    apache = servers.apache(lambda a: own_streams(a, CacheSize=size))
    fill(apache, room, 600)
    stop = threading.Event()

    def go_on():
        while not stop.is_set():
            fill(apache, room, 50)

    posting = threading.Thread(target=go_on)
    posting.start()
    readers = [taker(apache.port, room, after=n * 10) for n in range(20)]
    for reader in readers:
        reader.wait(1000, 60)
    stop.set()
    posting.join()
    last = apache.client.say(room, "last")
    total = int(apache.client.get(f"/rooms/{room}/messages/").json["last-event-id"].rpartition(":")[2])
    assert last["text"] == "last"
    for n, reader in enumerate(readers):
        reader.wait(total - n * 10)
        assert reader.numbers == list(range(n * 10 + 1, total + 1))


@pytest.mark.parametrize("count", [99, 100, 101, 300])
def test_without_a_cache_a_newcomer_is_held(servers, room, count):
    apache = servers.apache(lambda a: own_streams(a, CacheSize="Off"))
    fill(apache, room, count)
    reader = servers.event_source(apache.port, events_path(room)).wait_open()
    apache.client.say(room, "hello")
    reader.wait_messages(1)
    apache.client.say(room, "again")
    reader.wait_messages(2)
    assert reader.texts == ["hello", "again"] and len(reader.connects) == 1


def test_a_slow_reader_has_all_on_one_connection(servers, room, taker):
    """It falls behind by more than the room's log keeps, and its kernel's buffers, while it takes nothing."""
    apache = servers.apache(own_streams)
    may_read = threading.Event()
    reader = taker(apache.port, room, pace=slowly_until(may_read), receive_buffer=4096)
    text = "{}" + "x" * 20000
    apache.client.say(room, "first")
    fill(apache, room, 299, text)
    may_read.set()
    reader.wait(300)
    apache.client.say(room, "last")
    reader.wait(301)
    assert reader.numbers == list(range(1, 302)) and not reader.resets


def test_readers_far_behind_outlast_a_locked_database(servers, room, taker):
    apache = servers.apache(lambda a: own_streams(a, KeepAlive="1s", CacheSize="Off"))
    apache.error_log.allow("GC0173", "GC0162", r"GC02\d\d")
    fill(apache, room, 3000)
    may_read = threading.Event()
    readers = [taker(apache.port, room, pace=slowly_until(may_read), receive_buffer=4096)
               for _ in range(5)]
    for reader in readers:
        reader.wait(1)
    holder = sqlite3.connect(apache.database, isolation_level=None, timeout=20)
    holder.execute("BEGIN EXCLUSIVE")
    holder.execute("PRAGMA locking_mode=EXCLUSIVE")
    assert max(len(reader.numbers) for reader in readers) < 3000
    may_read.set()
    time.sleep(3)
    holder.execute("ROLLBACK")
    holder.close()
    for reader in readers:
        reader.wait(3000)


def test_a_message_that_cannot_be_shown_stops_its_own_room_alone(servers, apache, long_room, taker):
    """Its row was changed by hand, and is no text. Who waits for it is no reason for others to wait."""
    apache.error_log.allow("GC0173", "GC0162")
    fill(apache, "bad", 1000)
    with sqlite3.connect(apache.database, timeout=20) as database:
        database.execute("UPDATE grip_chat_message SET body = CAST(x'ff' AS TEXT) WHERE event_id = 600 AND"
                         " room_id = (SELECT id FROM grip_chat_room WHERE name = 'bad')")
    database.close()
    bad = [RawStream(apache.port, events_path("bad"), f"Last-Event-ID: room-bad:{n}") for n in range(550, 599)]
    for stream in bad:
        servers.keep(stream, RawStream.close)
    apache.error_log.wait_for("GC0173", 20)
    for reader in [taker(apache.port, long_room, after=n) for n in range(10)]:
        reader.wait(4900, LONG)


def damage(path, text):
    """Makes the page of the database that a row's text lies on one that SQLite cannot read; what was there."""
    with sqlite3.connect(path, timeout=20) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        (size,) = database.execute("PRAGMA page_size").fetchone()
    database.close()
    with open(path, "r+b") as file:
        start = file.read().index(text) // size * size
        file.seek(start)
        was = file.read(1)
        file.seek(start)
        file.write(b"\xff")
    return start, was


def test_trouble_with_one_room_is_logged_once_however_well_another_goes(servers, taker):
    apache = servers.apache(own_streams)
    apache.error_log.allow("GC0173", "GC0162")
    fill(apache, "bad", 400, "{}" + "x" * 3500)
    start, was = damage(apache.database, b"250xxx")
    bad = taker(apache.port, "bad", after=50)
    good = servers.event_source(apache.port, events_path("good"))
    apache.error_log.wait_for("GC0173", 20)
    for number in range(1, 21):
        apache.client.say("good", f"{number}")
        time.sleep(0.2)
    good.wait_messages(20)
    assert apache.error_log.count("GC0173") == 1
    assert apache.error_log.count("GC0186") == 0
    with open(apache.database, "r+b") as file:
        file.seek(start)
        file.write(was)
    apache.client.say("good", "mended")
    bad.wait(350)
    apache.error_log.wait_for("GC0186", 20)
    assert apache.error_log.count("GC0173") == 1


def rss_kb(pid):
    status = open(f"/proc/{pid}/status", encoding="ascii").read()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])


def test_readers_behind_who_take_nothing_hold_little(servers, room):
    """40 MB are to go to each of them."""
    apache = servers.apache(own_streams)
    fill(apache, room, 2000, "{}" + "x" * 20000)
    before = sum(map(rss_kb, apache.children()))
    streams = [servers.keep(RawStream(apache.port, events_path(room), f"Last-Event-ID: room-{room}:0",
                                      receive_buffer=4096), RawStream.close) for _ in range(50)]
    time.sleep(3)  # what a broken program would need to fill the memory
    assert apache.client.get("/rooms/other/messages/").status == 200
    assert sum(map(rss_kb, apache.children())) - before < 50 * 1200
    for stream in streams[:3]:
        stream.read_until(b"id: room-" + room.encode() + b":150\n")


@pytest.mark.skipif(not SOAK, reason="in ./dev soak")
def test_a_hundred_thousand_events_come_on_one_connection(servers, taker):
    apache = servers.apache(lambda a: own_streams(a, Backlog=1000000))
    fill(apache, "long", 100000)
    before = sum(map(rss_kb, apache.children()))
    reader = taker(apache.port, "long")
    took = reader.wait(100000, 200)
    print(f"100,000 events in {took:.2f} s, and "
          f"{sum(map(rss_kb, apache.children())) - before} KB more")
    assert took < 100


def test_a_position_that_retention_passes_meanwhile_is_reset(servers, room, taker):
    apache = servers.apache(lambda a: own_streams(a, Retention="count=100"))
    may_read = threading.Event()
    reader = taker(apache.port, room, pace=slowly_until(may_read), receive_buffer=4096)
    apache.client.say(room, "first")
    fill(apache, room, 400, "{}" + "x" * 20000)
    wait_until(lambda: sqlite3.connect(apache.database).execute(
        "SELECT count(*) FROM grip_chat_message").fetchone()[0] <= 100, 60, "retention")
    may_read.set()
    wait_until(lambda: reader.resets, 30, "stream-reset")
    apache.client.say(room, "after")
    wait_until(lambda: reader.numbers[-1:] == [402], 30, "message after the reset")
    assert not reader.ended
