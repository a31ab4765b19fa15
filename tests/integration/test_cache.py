"""Rooms in memory: nothing on the wire tells, but that it goes on when the database does not."""

import os
import re
import signal
import socket
import sqlite3
import threading
import time

import pytest

from harness import grip
from harness.client import Connection, FORM, events_path, form_body, messages_path, segment
from harness.processes import kill, wait_until
from harness.sites import chat_site

FAULTS = r"\[grip_chat:(warn|error)\]"
# Rooms of few and many events, of short and long texts, and one that does not exist.
SHORT, LONG, ODD, NONE = "short", "long", "caf\u00e9: x", "none"


def site(proxy, **directives):
    return lambda apache: chat_site(apache.database, proxy.url + "?key=changeme", **directives)


def say(connection, room, text):
    return connection.request("POST", messages_path(room), form_body({"from": "al", "text": text}),
                              {"Content-Type": FORM})


# -- the wire --------------------------------------------------------------------------------------

def requests_of(room, last):
    """Every kind of read, at positions from before the room's start to behind its end."""
    encoded = segment(room)
    yield "GET", messages_path(room), {}
    yield "HEAD", messages_path(room), {}
    yield "GET", events_path(room), {}
    yield "GET", events_path(room), {"Grip-Sig": grip.token()}
    near = {position for edge in (0, last - 500, last - 200, last - 100, last - 50, last)
            for position in range(edge - 2, edge + 3) if position >= 0}
    for position in sorted(near | set(range(0, last, 37))):
        behind = {"Last-Event-ID": f"room-{encoded}:{position}"}
        yield "GET", events_path(room), behind
        yield "HEAD", events_path(room), behind
        yield "GET", events_path(room), {**behind, "Grip-Sig": grip.token()}
        yield "GET", f"/rooms/{encoded}/from/{position}/events/", {"Grip-Sig": grip.token()}


def next_requests(connection, room, last):
    """A proxy's requests through the link that it was given."""
    answer = connection.request("GET", events_path(room), headers={"Grip-Sig": grip.token()})
    path, _ = grip.parse_link(answer.header("Grip-Link"))
    channel, _ = grip.parse_channel(answer.header("Grip-Channel"))
    for position in {0, 1, last // 2, max(last - 101, 0), max(last - 1, 0), last, last + 1}:
        yield "GET", path, {"Grip-Sig": grip.token(),
                            "Grip-Last": f"{channel}; last-id={position}"}


def dump(apache, rooms):
    """What each request is answered, but for what is never the same."""
    answers = []
    with Connection(apache.port) as connection:
        for room, last in rooms.items():
            for method, path, headers in [*requests_of(room, last),
                                          *next_requests(connection, room, last)]:
                answer = connection.request(method, path, headers=headers)
                kept = [(name, value) for name, value in answer.headers.items()
                        if name not in ("Date", "Keep-Alive", "Connection")]
                body = re.sub(rb"^retry: \d{4}$", b"retry: ", answer.body, flags=re.M)
                answers.append((method, path, sorted(set(headers) - {"Grip-Sig"}),
                                headers.get("Last-Event-ID"), answer.status, kept, body))
            again = connection.request("GET", messages_path(room))
            not_again = connection.request("GET", messages_path(room),
                                           headers={"If-None-Match": again.header("ETag")})
            assert not_again.status == 304 and not not_again.body
    return answers


@pytest.mark.mpm
def test_the_wire_is_the_same_with_and_without_it(servers):
    proxy = servers.listener()
    proxy.decide = lambda publish: 200
    apache = servers.apache(site(proxy, History=30, PublishRate="Off"))
    rooms = {SHORT: 0, LONG: 0, ODD: 0, NONE: 0}
    with Connection(apache.port) as connection:
        def post(room, text):
            rooms[room] += 1
            assert say(connection, room, text).status == 200
        for number in range(620):
            post(SHORT, f"text {number} \u2603 \"quoted\\\n")
            if number % 9 == 0:  # so that rooms grow in memory
                connection.request("GET", messages_path(SHORT))
                connection.request("GET", events_path(SHORT))
        for number in range(60):
            post(LONG, f"{number} " + "x" * (1 + 9973 * number % 40000))
            connection.request("GET", messages_path(LONG))
        post(ODD, "one")
    warm = dump(apache, rooms)
    again = dump(apache, rooms)
    apache.configure(site(proxy, History=30, PublishRate="Off", CacheSize="Off")(apache))
    apache.restart()
    without = dump(apache, rooms)
    for one, two, three in zip(warm, again, without):
        assert one == two == three
    assert len(warm) == len(again) == len(without) > 250
    apache.configure(site(proxy, History=30, PublishRate="Off", CacheSize="64K")(apache))
    apache.restart()
    assert dump(apache, rooms) == without


@pytest.mark.mpm
def test_whoever_asks_after_an_answer_sees_what_was_stored(servers):
    """In whichever process, while other readers keep all of them reading."""
    proxy = servers.listener()
    apache = servers.apache(site(proxy))
    stopping = threading.Event()
    problems = []

    def read():
        with Connection(apache.port) as connection:
            newest = 0
            while not stopping.is_set():
                answer = connection.request("GET", messages_path("x"))
                number = int(answer.json["last-event-id"].rpartition(":")[2])
                if answer.status != 200 or number < newest:
                    problems.append((newest, answer))
                newest = number
    readers = [threading.Thread(target=read, daemon=True) for _ in range(6)]
    for reader in readers:
        reader.start()
    connections = [Connection(apache.port) for _ in range(4)]
    for number in range(1, 201):
        assert say(connections[number % 4], "x", f"{number}").status == 200
        for connection in connections:
            answer = connection.request("GET", messages_path("x")).json
            assert answer["last-event-id"] == f"room-x:{number}"
            assert answer["messages"][0]["text"] == f"{number}"
            assert len(answer["messages"]) == min(number, 50)
    stopping.set()
    for thread in readers:
        thread.join(10)
    for connection in connections:
        connection.close()
    assert not problems, problems[:3]


def test_more_rooms_than_there_is_memory_for(servers):
    proxy = servers.listener()
    apache = servers.apache(site(proxy, CacheSize="64K"))
    for _ in range(3):
        for number in range(30):
            apache.client.say(f"r{number}", f"{number} " + "x" * 3000)
    for _ in range(3):
        for number in range(30):
            listed = apache.client.get(messages_path(f"r{number}")).json
            assert listed["last-event-id"] == f"room-r{number}:3"
            assert {m["text"][:4].split()[0] for m in listed["messages"]} == {str(number)}


@pytest.mark.mpm
def test_a_slow_reader_gets_what_it_was_promised(servers):
    """Long after the room has moved on in memory, and another has pushed it out."""
    proxy = servers.listener()
    apache = servers.apache(site(proxy, CacheSize="8M", ListSize="4M"))
    for number in range(50):
        apache.client.say("x", f"{number} " + "x" * 60000)
    wanted = apache.client.get(messages_path("x")).body
    assert len(wanted) > 3000000
    slow = []
    for _ in range(4):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", apache.port))
        connection.sendall(f"GET {messages_path('x')} HTTP/1.1\r\nHost: localhost\r\n"
                           "Connection: close\r\n\r\n".encode())
        slow.append((connection, connection.recv(1000)))
    for number in range(50):
        apache.client.say("x", f"later {number} " + "y" * 60000)
        apache.client.get(messages_path("x"))
        apache.client.say("y", f"{number} " + "z" * 60000)
        apache.client.get(messages_path("y"))
    for connection, answer in slow:
        with connection, connection.makefile("rb") as stream:
            answer += stream.read()
        assert answer.partition(b"\r\n\r\n")[2] == wanted


def test_a_list_of_which_retention_cut_the_end_is_another(servers):
    """Though its newest message is the same: an ETag of before is not its own."""
    proxy = servers.listener()
    apache = servers.apache(site(proxy, Retention="count=5"))
    for number in range(1, 100):
        apache.client.say("x", f"{number}")
        before = apache.client.get(messages_path("x"))
        if len(before.json["messages"]) == 20:
            break
    etag = {"If_None_Match": before.header("ETag")}
    assert apache.client.get(messages_path("x"), **etag).status in (200, 304)
    wait_until(lambda: len(apache.client.get(messages_path("x")).json["messages"]) == 5, 40,
               "retention")
    after = apache.client.get(messages_path("x"), **etag)
    assert after.status == 200 and len(after.json["messages"]) == 5
    assert after.json["last-event-id"] == before.json["last-event-id"]


# -- without the database --------------------------------------------------------------------------

@pytest.mark.mpm
def steady(body):
    """Without the `retry:`, which is another each time."""
    return re.sub(rb"retry: [0-9]+\n\n", b"", body)


def test_a_room_in_memory_needs_no_database(servers):
    """Not even its file: which is moved away while the keeper cannot notice and make another."""
    proxy = servers.listener()
    apache = servers.apache(site(proxy, PublishRate="Off"), told=proxy)
    apache.error_log.allow(FAULTS)
    for number in range(20):
        apache.client.say("x", f"{number}")
    apache.client.say("y", "of a room that nobody reads")
    signed = {"Grip-Sig": grip.token()}
    behind = {"Last-Event-ID": "room-x:5"}
    # One connection, so that all of it is answered by one process.
    with Connection(apache.port) as connection:
        asked = [(messages_path("x"), {}), (events_path("x"), signed),
                 (events_path("x"), {**signed, **behind})]
        warm = [steady(connection.request("GET", path, headers=headers).body)
                for path, headers in asked]
        keeper = apache.keeper()
        kill(keeper, signal.SIGSTOP)
        os.rename(apache.database, f"{apache.database}.away")
        try:
            begin = time.monotonic()
            for (path, headers), body in zip(asked, warm):
                answer = connection.request("GET", path, headers=headers)
                assert answer.status == 200 and steady(answer.body) == body
            polled = connection.request("GET", events_path("x"), headers=behind)
            assert polled.body.count(b"event: message") == 15
            assert time.monotonic() - begin < 5, "somebody was asked who does not answer"
            # What the keeper had open when it said so last is read on, wherever that is.
            assert connection.request("GET", messages_path("y")).status == 200
            # This ends its connection.
            assert say(connection, "x", "meanwhile").status == 503
        finally:
            os.rename(f"{apache.database}.away", apache.database)
            kill(keeper, signal.SIGCONT)
        wait_until(lambda: say(connection, "x", "again").status == 200, 10, "recovery")


def test_reading_goes_on_while_the_database_is_locked(servers):
    proxy = servers.listener()
    apache = servers.apache(site(proxy))
    apache.error_log.allow(FAULTS)
    apache.client.say("x", "before")
    with sqlite3.connect(apache.database, isolation_level=None, timeout=10) as shell:
        shell.execute("BEGIN EXCLUSIVE")
        assert say(Connection(apache.port), "x", "meanwhile").status == 503
        begin = time.monotonic()
        for _ in range(20):
            assert apache.client.get(messages_path("x")).json["last-event-id"] == "room-x:1"
            held = apache.client.get(events_path("x"), Grip_Sig=grip.token())
            assert held.header("Grip-Hold") == "stream"
        assert time.monotonic() - begin < 20, "somebody waited for the lock"
        shell.execute("ROLLBACK")
    apache.client.say("x", "after")
    assert apache.client.get(messages_path("x")).json["last-event-id"] == "room-x:2"


# -- what the keeper sees for all ------------------------------------------------------------------

def texts(apache):
    return [m["text"] for m in apache.client.get(messages_path("x")).json["messages"]]


def wait_texts(apache, wanted):
    """Until whoever answers knows: a process that had not read the room yet is there at once."""
    wait_until(lambda: all(texts(apache) == wanted for _ in range(20)), 5, f"{wanted} everywhere")


def test_a_database_that_was_put_in_the_place_is_seen_without_a_post(servers):
    proxy = servers.listener()
    apache = servers.apache(site(proxy))
    apache.error_log.allow(FAULTS)
    apache.client.say("x", "one")
    backup = f"{apache.database}.backup"
    with sqlite3.connect(apache.database) as shell, sqlite3.connect(backup) as copy:
        shell.backup(copy)
    copy.close()
    shell.close()
    os.chown(backup, os.stat(apache.database).st_uid, os.stat(apache.database).st_gid)
    apache.client.say("x", "two")
    for _ in range(10):
        assert texts(apache) == ["two", "one"]
    os.rename(backup, apache.database)
    wait_texts(apache, ["one"])
    wait_until(lambda: apache.error_log.count("GC0205"), 5, "the keeper's word")


def test_a_message_that_was_changed_by_hand_is_seen(servers):
    proxy = servers.listener()
    apache = servers.apache(site(proxy))
    apache.client.say("x", "an insult")
    for _ in range(10):
        assert texts(apache) == ["an insult"]
    with sqlite3.connect(apache.database, timeout=10) as shell:
        shell.execute("UPDATE grip_chat_message SET body = 'moderated'")
    shell.close()
    wait_texts(apache, ["moderated"])
