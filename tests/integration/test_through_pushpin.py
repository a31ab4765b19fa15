"""Readers and senders through a real Pushpin."""

import threading
import time

import pytest

from harness.chat import Chat
from harness.client import events_path
from harness.load import Senders, assert_delivered, assert_kept, stored
from harness.processes import wait_until
from harness.sites import chat_site


@pytest.fixture(scope="module")
def chat(module_servers):
    return Chat(module_servers)


@pytest.fixture
def reader(servers, chat):
    """Readers that end with the test."""
    def start(room, **options):
        return servers.event_source(chat.pushpin.port, events_path(room), **options)
    return start


def test_a_held_stream_gets_messages_in_order(chat, reader, room):
    sources = [reader(room).wait_open() for _ in range(3)]
    for number in range(20):
        chat.pushpin.client.say(room, f"m{number}")
    for source in sources:
        source.wait_messages(20)
        assert source.numbers == list(range(1, 21))
        assert source.texts == [f"m{number}" for number in range(20)]
        assert len(source.connects) == 1, "the stream was not held"


def test_what_the_proxy_can_do_is_logged_once(chat, reader, room):
    """Its Grip-Feature: a list that is longer with each version."""
    for _ in range(4):
        reader(room).wait_open()
    line = chat.apache.error_log.wait_for(r"GC0123: the proxy http://127\.0\.0\.1:\d+ can do: .*link:next")
    assert line
    assert chat.apache.error_log.count("GC0123") == 1


def test_a_message_arrives_at_once(chat, reader, room):
    source = reader(room).wait_open()
    waits = []
    for number in range(20):
        begin = time.monotonic()
        chat.pushpin.client.say(room, str(number))
        waits.append(source.wait_messages(number + 1)[-1].time - begin)
        time.sleep(0.05)
    # What no publish brings comes with the next link, after 20 s and more. `./dev bench` has the figure.
    assert max(waits) < 8 and len(source.connects) == 1, waits


def test_history_and_live_messages_meet_without_a_seam(chat, reader, room):
    for number in range(5):
        chat.apache.client.say(room, f"old{number}")
    source = reader(room, last_event_id=f"room-{room}:2").wait_open()
    chat.apache.client.say(room, "live")
    source.wait_messages(4)
    assert source.numbers == [3, 4, 5, 6]


@pytest.mark.parametrize("name", ["ü, ;\"'", "🎉 party", "100%", "it's"])
def test_a_room_of_any_name_is_live_and_resumes(chat, reader, name):
    source = reader(name).wait_open()
    chat.pushpin.client.say(name, "one")
    source.wait_messages(1)
    source.drop()
    chat.pushpin.client.say(name, "two")
    source.wait_messages(2)
    assert source.texts == ["one", "two"]


def test_a_large_message_arrives_whole(chat, reader, room):
    source = reader(room).wait_open()
    text = "ü\"\n🙂" * 6000
    chat.pushpin.client.say(room, text)
    chat.pushpin.client.say(room, "after")
    source.wait_messages(2)
    assert source.texts == [text, "after"]


def test_a_reader_that_was_away_gets_what_it_missed(chat, reader, room):
    source = reader(room, retry_cap=0.5).wait_open()
    chat.apache.client.say(room, "before")
    source.wait_messages(1)
    source.drop()
    for number in range(130):
        chat.apache.client.say(room, str(number))
    source.wait_messages(131)
    assert source.numbers == list(range(1, 132))


@pytest.mark.mpm
def test_a_thousand_messages_reach_twenty_readers_once_in_order(chat, servers):
    rooms = [f"busy{number}" for number in range(4)]
    sources = {room: [servers.event_source(chat.pushpin.port, events_path(room)).wait_open()
                      for _ in range(5)] for room in rooms}
    restless = [sources[room][0] for room in rooms] + [sources[rooms[0]][1], sources[rooms[1]][1]]
    done = threading.Event()

    def disturb():
        while not done.wait(0.15):
            for source in restless:
                source.drop()
    thread = threading.Thread(target=disturb, daemon=True)
    thread.start()
    try:
        senders = Senders(chat.pushpin.port, rooms, count=8, each=125, pause=0.005).join()
    finally:
        done.set()
        thread.join(10)
    assert not senders.failures and senders.total == 1000
    rows = {room: found for room, found in stored(chat.apache.database).items() if room in rooms}
    assert_kept(senders, rows)
    assert sum(map(len, rows.values())) == 1000
    for room in rooms:
        assert_delivered(sources[room], room, rows[room])
    assert all(len(source.connects) > 2 for source in restless)


def test_two_readers_page_through_one_backlog_at_once_with_a_slow_origin(servers):
    slow = Chat(servers, origin_delay=0.05)
    Senders(slow.apache.port, ["long"], count=4, each=200).join()
    starts = [0, 350, 17, 599]
    sources = [slow.reader("long", last_event_id=f"room-long:{start}") for start in starts]
    for start, source in zip(starts, sources):
        source.wait_messages(800 - start, 40)
    slow.apache.client.say("long", "live")
    for start, source in zip(starts, sources):
        source.wait_messages(801 - start)
        assert source.numbers == list(range(start + 1, 802))


def test_a_reader_from_before_what_is_kept_is_reset_and_goes_on(servers):
    small = Chat(servers, Backlog=100)
    live = small.reader("x").wait_open()
    for number in range(130):
        small.apache.client.say("x", str(number))
    live.wait_messages(130)  # what waits to be published does not count yet
    source = small.reader("x", last_event_id="room-x:1")
    reset, = source.wait_kind("stream-reset")
    assert reset.id == "room-x:130" and reset.json == {"channels": ["room-x"]}
    small.apache.client.say("x", "live")
    source.wait_messages(1)
    assert source.numbers == [131] and len(source.of_kind("stream-reset")) == 1


def test_a_backlog_of_events_larger_than_a_page_arrives(chat, reader, room):
    for number in range(4):
        chat.apache.client.say(room, f"{number}" + '"' * 60000)
    source = reader(room, last_event_id=f"room-{room}:0").wait_open()
    source.wait_messages(4, timeout=20)
    assert source.numbers == [1, 2, 3, 4]
    assert source.texts == [f"{number}" + '"' * 60000 for number in range(4)]
    assert len(source.connects) == 1, "Pushpin did not pass a page on"


def test_a_silent_stream_is_kept_alive(servers):
    quick = Chat(servers, KeepAlive=1)
    source = quick.reader("x").wait_open()
    source.wait_kind("keep-alive", count=2, timeout=10)
    assert all(event.data == "" and event.id is None for event in source.of_kind("keep-alive"))
    quick.apache.client.say("x", "live")
    source.wait_messages(1)


def test_a_silent_stream_asks_for_what_it_may_have_missed(servers):
    """The link's timeout: even where every publish is lost, a reader is whole in the end."""
    lost = Chat(servers, LinkTimeout=5)
    source = lost.reader("x").wait_open()
    # Pushpin asks once more about a second after a channel's first hold; not what is tested here.
    time.sleep(2)
    lost.apache.configure(chat_site(lost.apache.database, servers.listener().url + "?key=changeme",
                                    LinkTimeout=5))
    lost.apache.graceful()
    lost.apache.client.say("x", "published elsewhere")
    source.wait_messages(1, timeout=20)
    assert len(source.connects) == 1


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_readers_are_whole_after_pushpin_restarts(servers, how):
    chat = Chat(servers)
    chat.apache.error_log.allow(r"\[grip_chat:warn\]")
    sources = [chat.reader("x", patient=True).wait_open() for _ in range(4)]
    senders = Senders(chat.apache.port, ["x"], count=4, pause=0.02)
    wait_until(lambda: senders.total > 40, 10, "some messages")
    if how == "stop":
        chat.pushpin.stop(forget=False)
    else:
        chat.pushpin.kill()
    time.sleep(0.5)
    chat.pushpin.start()
    time.sleep(0.5)
    senders.stop()
    assert not senders.failures
    rows = stored(chat.apache.database)
    assert_kept(senders, rows)
    assert_delivered(sources, "x", rows["x"])
