"""What one client, or a long outage, costs all others: repeats, rooms without end, what waits."""

import contextlib
import socket
import sqlite3
import threading
import time
import uuid

import pytest

from faults.crowd import WARNINGS, ms
from faults.scale import SOAK, scaled
from harness.client import Connection, FORM, form_body, messages_path
from harness.load import Senders
from harness.processes import wait_until
from harness.sites import chat_site

QUIET_ROOMS = 100


class Repeater(threading.Thread):
    """One connection that repeats a post of each quiet room under its key, as fast as it is answered."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.count = 0
        self.ending = threading.Event()
        self._port = port

    def run(self):
        key = f'"{uuid.uuid4()}"'
        with Connection(self._port) as connection:
            while not self.ending.is_set():
                with contextlib.suppress(OSError):
                    answer = connection.request(
                        "POST", messages_path(f"quiet{self.count % QUIET_ROOMS}"),
                        form_body({"from": "al", "text": "again"}),
                        {"Content-Type": FORM, "Idempotency-Key": key})
                    assert answer.status == 200, answer
                    self.count += 1


@pytest.mark.skipif(not SOAK, reason="it takes a minute; test_idempotency_key counts the hints")
@pytest.mark.quiet
def test_repeated_posts(servers, figure):
    """A repeat costs what a read costs: readers of another room, through a real Pushpin, are not later."""
    state = {}

    def site(apache):
        state["pushpin"] = servers.pushpin(apache.port)
        return chat_site(apache.database, state["pushpin"].grip_url)
    apache = servers.apache(site)
    apache.error_log.allow(WARNINGS)
    readers = 350

    def p99():
        report = servers.load(apache.port, state["pushpin"].port, rest=2, readers=readers, posters=8,
                              rate=50, seconds=30, settle=30).wait(180)
        assert report["whole"] == report["opened"] == readers, report
        return report["live_ms"]
    alone = p99()
    repeater = Repeater(apache.port)
    repeater.start()
    beside = p99()
    repeater.ending.set()
    repeater.join(30)
    assert repeater.count > 2 * QUIET_ROOMS
    figure(f"{readers} readers, 50 messages a second, {repeater.count:,} repeats: p99"
           f" {alone['p99']:,.0f} ms alone, {beside['p99']:,.0f} ms beside them,"
           f" worst {beside['max']:,.0f} ms")
    assert beside["p99"] <= 3 * alone["p99"] + 1500


def behind(database, count):
    """Stores messages that nobody published, while Apache is down. Returns how many there are."""
    with contextlib.closing(sqlite3.connect(database, timeout=60)) as connection, connection:
        site, = connection.execute("SELECT site FROM grip_chat_room LIMIT 1").fetchone()
        last, = connection.execute("SELECT max(id) FROM grip_chat_message").fetchone()
        rooms = []
        for number in range(1000):
            rooms.append(connection.execute(
                "INSERT INTO grip_chat_room (site, name, last_event_id) VALUES (?, ?, ?)",
                (site, f"waits{number}", count // 1000)).lastrowid)
        connection.executemany(
            "INSERT INTO grip_chat_message (id, room_id, event_id, sender, body, created_ms, job_key)"
            " VALUES (?, ?, ?, 'al', 'hi', ?, ?)",
            ((last + 1 + number, rooms[number % 1000], number // 1000 + 1, int(time.time() * 1000),
              f"waits{number:012}") for number in range(count)))
        return connection.execute("SELECT count(*) FROM grip_chat_message").fetchone()[0]


def worst_post_of_a_restart(apache):
    senders = Senders(apache.port, ["a"], count=4, pause=0.01, repeating=4)
    time.sleep(1)
    begin = time.monotonic()
    apache.graceful(60)
    time.sleep(scaled(1, 3))
    senders.stop()
    assert not senders.given_up
    return max(senders.seconds(begin - 0.1))


@pytest.mark.parametrize("count", scaled([100_000], [1_000_000, 4_000_000]))
def test_start_behind(servers, figure, count):
    """The proxy was down for long, and a new keeper looks at what it missed: that holds no posts."""
    proxy = servers.listener()
    apache = servers.apache(lambda a: chat_site(a.database, proxy.url))
    apache.error_log.allow(WARNINGS)
    apache.client.say("a", "published")
    proxy.wait_for_items(1)
    proxy.stop()
    before = worst_post_of_a_restart(apache)
    apache.terminate()
    wait_until(lambda: apache.process.poll() is not None, 60, "end of Apache")
    assert behind(apache.database, count) > count
    apache.start()
    after = worst_post_of_a_restart(apache)
    figure(f"{count:,} messages: worst post at a graceful restart {ms(before)} before,"
           f" {ms(after)} behind them")
    assert apache.error_log.count("GC0308")
    if SOAK:
        assert after <= 3 * before + 0.5


def make_rooms(port, number, ending, counts):
    """Posts to ever new rooms, 50 requests at a time."""
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        while not ending.is_set():
            first, counts[number] = counts[number], counts[number] + 50
            connection.sendall("".join(
                f"POST {messages_path(f'r{number}-{room}')} HTTP/1.1\r\nHost: a\r\n"
                f"Content-Type: {FORM}\r\nContent-Length: 15\r\n\r\nfrom=al&text=hi"
                for room in range(first, first + 50)).encode())
            answers = b""
            while answers.count(b"HTTP/1.1 200") < 50:
                piece = connection.recv(65536)
                assert piece, answers[-500:]
                answers += piece


def resident_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


@pytest.mark.skipif(not SOAK, reason="it takes half a minute")
def test_rooms_without_end(servers, figure):
    """One client makes rooms while the proxy is down; what the keeper remembers of them is bounded."""
    proxy = servers.listener()
    apache = servers.apache(lambda a: chat_site(a.database, proxy.url) +
                            "MaxKeepAliveRequests 0\n")
    apache.error_log.allow(WARNINGS)
    apache.client.say("a", "published")
    proxy.wait_for_items(1)
    proxy.stop()
    before = resident_kb(apache.keeper())
    ending, counts = threading.Event(), [0] * 32
    threads = [threading.Thread(target=make_rooms, args=(apache.port, number, ending, counts))
               for number in range(len(counts))]
    for thread in threads:
        thread.start()
    time.sleep(30)
    ending.set()
    for thread in threads:
        thread.join(60)
    after = resident_kb(apache.keeper())
    figure(f"{sum(counts):,} rooms in 30 s: keeper {before:,} KB before, {after:,} KB after")
    assert after - before < 24 * 1024
