"""GripChatRetention: what is beyond it goes, and who stood there is told."""

import os
import sqlite3

from harness.chat import Chat
from harness.client import events_path, messages_path
from harness.load import Senders
from harness.processes import wait_until
from harness.sites import chat_site
from harness.sse import parse

ROOMS = [f"r{number}" for number in range(5)]


def kept(database, room):
    """The positions of a room that are stored, and the first that should be."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10) as connection:
        positions = [row[0] for row in connection.execute(
            "SELECT m.event_id FROM grip_chat_message m JOIN grip_chat_room r ON r.id = m.room_id"
            " WHERE r.name = ? ORDER BY 1", (room,))]
        first = connection.execute(
            "SELECT first_kept_event_id FROM grip_chat_room WHERE name = ?", (room,)).fetchone()
    return positions, first[0]


def polled(apache, room, position):
    answer = apache.client.get(events_path(room), Last_Event_ID=f"room-{room}:{position}")
    assert answer.status == 200
    return parse(answer.body)[1]


def test_a_room_keeps_its_newest_and_resets_exactly_at_the_edge(servers):
    chat = Chat(servers, Retention="count=10")
    apache = chat.apache
    for number in range(1, 26):
        apache.client.say("x", f"{number}")
    assert [e.kind for e in polled(apache, "x", 0)] == ["stream-open"] + ["message"] * 25
    wait_until(lambda: kept(apache.database, "x") == (list(range(16, 26)), 16), 25, "retention")
    listed = apache.client.get(messages_path("x")).json
    assert [m["text"] for m in listed["messages"]] == [str(n) for n in range(25, 15, -1)]
    assert listed["last-event-id"] == "room-x:25"
    at_edge = polled(apache, "x", 15)
    assert [e.kind for e in at_edge] == ["stream-open"] + ["message"] * 10
    assert [e.json["text"] for e in at_edge[1:]] == [str(n) for n in range(16, 26)]
    for position in (14, 0):
        beyond = polled(apache, "x", position)
        assert [e.kind for e in beyond] == ["stream-open", "stream-reset"]
        assert beyond[0].id is None and beyond[1].id == "room-x:25"
    late = chat.reader("x", last_event_id="room-x:3")
    late.wait_kind("stream-reset")
    exact = chat.reader("x", last_event_id="room-x:15").wait_open()
    apache.client.say("x", "26")
    late.wait_messages(1)
    exact.wait_messages(11)
    assert late.numbers == [26]
    assert exact.numbers == list(range(16, 27))


def test_an_age_empties_a_room_that_then_counts_on(servers):
    proxy = servers.listener()
    apache = servers.apache(lambda a: chat_site(a.database, proxy.url, Retention="age=10s"))
    apache.error_log.allow(r"GC020[58]")
    apache.client.say("x", "one")
    apache.client.say("x", "two")
    wait_until(lambda: kept(apache.database, "x") == ([], 3), 25, "retention")
    listed = apache.client.get(messages_path("x"))
    assert listed.json == {"messages": [], "last-event-id": "room-x:2"}
    assert [e.kind for e in polled(apache, "x", 2)] == ["stream-open"]
    assert [e.kind for e in polled(apache, "x", 1)] == ["stream-open", "stream-reset"]
    apache.client.say("x", "three")
    after = apache.client.get(messages_path("x"))
    assert after.json["last-event-id"] == "room-x:3"
    assert after.header("ETag") != listed.header("ETag")
    # Another file counts anew, and is swept from its start.
    os.unlink(apache.database)
    apache.client.say("x", "in a new file")
    assert kept(apache.database, "x") == ([1], 1)
    wait_until(lambda: kept(apache.database, "x") == ([], 2), 25, "retention in the new file")


def rooms(database):
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10) as connection:
        return [row[0] for row in connection.execute("SELECT name FROM grip_chat_room ORDER BY 1")]


def test_an_empty_room_goes_after_a_day_and_comes_back_above_all_that_readers_have(servers):
    proxy = servers.listener()
    apache = servers.apache(lambda a: chat_site(a.database, proxy.url, Retention="age=10s"))
    for text in ("one", "two", "three"):
        apache.client.say("x", text)
    wait_until(lambda: kept(apache.database, "x") == ([], 4), 25, "retention")
    # A day passes.
    with sqlite3.connect(apache.database, timeout=10) as connection:
        connection.execute("UPDATE grip_chat_room SET written_ms = written_ms - 24 * 3600 * 1000")
    connection.close()
    apache.graceful()
    wait_until(lambda: rooms(apache.database) == [], 25, "end of the empty room")
    listed = apache.client.get(messages_path("x"))
    assert listed.json == {"messages": [], "last-event-id": "room-x:3"}
    assert [e.kind for e in polled(apache, "x", 3)] == ["stream-open"]
    assert [e.kind for e in polled(apache, "x", 1)] == ["stream-open", "stream-reset"]
    apache.client.say("x", "four")
    assert [e.json["text"] for e in polled(apache, "x", 3)[1:]] == ["four"]
    assert [e.kind for e in polled(apache, "x", 2)] == ["stream-open", "stream-reset"]
    assert apache.client.get(messages_path("x")).json["last-event-id"] == "room-x:4"


def test_readers_and_senders_notice_nothing_while_much_is_deleted(servers):
    chat = Chat(servers, Retention="count=50")
    readers = {room: [chat.reader(room).wait_open() for _ in range(2)] for room in ROOMS}
    senders = Senders(chat.apache.port, ROOMS, count=4, each=1000)
    senders.join()
    assert not senders.failures
    last = {room: int(chat.apache.client.get(messages_path(room)).json["last-event-id"]
                      .rpartition(":")[2]) for room in ROOMS}
    assert sum(last.values()) == 4000
    for room in ROOMS:
        for reader in readers[room]:
            reader.wait_messages(last[room], 30)
            assert reader.numbers == list(range(1, last[room] + 1)), reader.describe()
    wait_until(lambda: all(kept(chat.apache.database, room)
                           == (list(range(last[room] - 49, last[room] + 1)), last[room] - 49)
                           for room in ROOMS), 25, "retention")
