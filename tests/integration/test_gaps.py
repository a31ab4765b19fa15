"""Rows that an operator deletes by hand leave gaps in the positions: readers get all that is there."""

import sqlite3
import time

import pytest

from harness import sse
from harness.chat import Chat
from harness.client import events_path, messages_path
from harness.httpd import MPM
from harness.processes import wait_until
from harness.sites import chat_site

LAST = 400
GAPS = {"one in the middle": (200, 200), "50 in the middle": (201, 250), "150 in the middle": (101, 250),
        "150 at the front": (1, 150), "150 at the end": (251, 400), "all": (1, 400)}


def fill_with_gap(apache, room, gap):
    """400 messages of which some are deleted, all by hand; what is left, and the list shows it."""
    first, last = gap
    apache.client.say(room, "1")
    left = [n for n in range(1, LAST + 1) if not first <= n <= last]
    with sqlite3.connect(apache.database, timeout=20) as database:
        (room_id,) = database.execute("SELECT id FROM grip_chat_room WHERE name = ?",
                                      (room,)).fetchone()
        database.execute("DELETE FROM grip_chat_message WHERE room_id = ?", (room_id,))
        database.executemany(
            "INSERT INTO grip_chat_message (room_id, event_id, sender, body, created_ms, job_key)"
            " VALUES (?, ?, 'al', ?, 1795492997336, ?)",
            [(room_id, n, str(n), f"{room}-{n}") for n in left])
        database.execute("UPDATE grip_chat_room SET last_event_id = ? WHERE id = ?",
                         (LAST, room_id))
    database.close()
    newest = [str(n) for n in left[:-51:-1]]

    def is_seen():
        answer = apache.client.get(messages_path(room)).json
        return answer["last-event-id"].endswith(f":{LAST}") and \
            [m["text"] for m in answer["messages"]] == newest
    wait_until(is_seen, 20, "the list without what was deleted")
    return left


def polled(client, room, position):
    """All that polls give until one gives nothing more, and where they lead."""
    seen, last = [], position
    for _ in range(20):
        answer = client.get(events_path(room), Last_Event_ID=f"room-{room}:{last}")
        events = sse.parse(answer.body)[1]
        assert events[0].kind == "stream-open", events
        found = [event for event in events if event.kind == "message"]
        if not found:
            return seen
        seen += [int(event.json["text"]) for event in found]
        last = int(found[-1].id.rpartition(":")[2])
    raise AssertionError("polls without end")


def positions(gap):
    """Before, in, at the ends of and behind the gap."""
    first, last = gap
    return sorted({0, max(first - 2, 0), first - 1, first, (first + last) // 2, last,
                   min(last + 1, LAST), LAST})


@pytest.mark.parametrize("size", ["Off", "32M"])
@pytest.mark.parametrize("gap", GAPS.values(), ids=GAPS.keys())
def test_polls_give_all_that_is_there(servers, size, gap):
    apache = servers.apache(lambda a: chat_site(a.database, "none", CacheSize=size))
    left = fill_with_gap(apache, "x", gap)
    for position in positions(gap):
        assert polled(apache.client, "x", position) == [n for n in left if n > position], position
    apache.client.say("x", "401")
    assert polled(apache.client, "x", LAST) == [401]


@pytest.mark.skipif(MPM != "event", reason="only mpm_event can hold a stream")
@pytest.mark.parametrize("size", ["Off", "32M"])
@pytest.mark.parametrize("gap", GAPS.values(), ids=GAPS.keys())
def test_own_streams_give_all_that_is_there_and_go_on(servers, size, gap):
    apache = servers.apache(lambda a: chat_site(a.database, "none", Streams="On", CacheSize=size))
    left = fill_with_gap(apache, "x", gap)
    readers = {position: servers.event_source(apache.port, events_path("x"),
                                              last_event_id=f"room-x:{position}")
               for position in positions(gap)}
    check_readers(apache, readers, left)


@pytest.mark.parametrize("gap", GAPS.values(), ids=GAPS.keys())
def test_readers_behind_pushpin_get_all_that_is_there_and_are_held(servers, gap):
    chat = Chat(servers)
    left = fill_with_gap(chat.apache, "x", gap)
    readers = {position: servers.event_source(chat.pushpin.port, events_path("x"),
                                              last_event_id=f"room-x:{position}")
               for position in positions(gap)}
    check_readers(chat.apache, readers, left)
    # A proxy that is not told to hold asks hundreds of times a second.
    assert all(len(reader.connects) == 1 for reader in readers.values())


def check_readers(apache, readers, left):
    for position, reader in readers.items():
        reader.wait_messages(sum(n > position for n in left))
    apache.client.say("x", "401")
    for position, reader in readers.items():
        wanted = [str(n) for n in left if n > position] + ["401"]
        reader.wait_messages(len(wanted))
        assert reader.texts == wanted, position


@pytest.mark.skipif(MPM != "event", reason="only mpm_event can hold a stream")
def test_a_room_with_a_position_below_all_does_not_have_its_streams_reset_without_end(servers):
    apache = servers.apache(lambda a: chat_site(a.database, "none", Streams="On"))
    apache.client.say("low", "1")
    reader = servers.event_source(apache.port, events_path("low")).wait_open()
    with sqlite3.connect(apache.database, timeout=20) as database:
        database.execute("UPDATE grip_chat_room SET last_event_id = -7 WHERE name = 'low'")
    database.close()
    reader.wait_kind("stream-reset")
    time.sleep(1)
    assert len(reader.of_kind("stream-reset")) < 20
