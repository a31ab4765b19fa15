"""A reader that missed the last message of a room does not wait for the next one.

The way from the keeper to Pushpin swallows one publish and says that it was taken, as a full queue of a
proxy does. And what the cure costs: how many requests one hint makes, and how much of the processor.
"""

import os
import re
import statistics
import time

import pytest

from faults.crowd import chat_with_faults, ms
from faults.scale import scaled
from faults.ways import Way
from harness.client import Client, events_path
from harness.processes import children_of, wait_until
from harness.sites import chat_site

# The trailing hint comes a second after the publish; then a proxy asks, and is answered.
WHOLE_WITHIN = 2.0


def test_a_reader_that_missed_the_last_message_is_whole_in_a_moment(servers, figure):
    tries = scaled(3, 30)
    state = {}

    def site(apache):
        state["pushpin"] = servers.pushpin(apache.port)
        way = Way(state["pushpin"].publish_port)
        state["way"] = servers.keep(way, Way.stop).start()
        return chat_site(apache.database, way.grip_url)
    apache = servers.apache(site)
    port, way = state["pushpin"].port, state["way"]
    first = servers.event_source(port, events_path("x")).wait_open()
    apache.client.say("x", "before")
    first.wait_messages(1)
    seconds = []
    for number in range(tries):
        # Who has just come may have been registered as the message passed: so the room is hinted.
        late = servers.event_source(port, events_path("x")).wait_open()
        before = len(first.messages)
        way.judge(lambda items: 200 if "content" in str(items) else None)
        begin = time.monotonic()
        apache.client.say("x", f"swallowed {number}")
        for reader, count in ((first, before + 1), (late, 1)):
            reader.wait_messages(count, 10)
            seconds.append(reader.messages[-1].time - begin)
        way.judge(None)
        late.close()
        # Until nobody counts as new, and no hint is due.
        time.sleep(0.2)
    assert first.numbers == list(range(1, tries + 2))
    assert max(seconds) < WHOLE_WITHIN
    figure(f"{tries} messages swallowed: their readers were whole after"
           f" {ms(statistics.median(seconds))} (median), {ms(max(seconds))} (worst)")


def busy_seconds(root):
    """What a process and all below it have used of the processor."""
    total, waiting = 0, [root]
    while waiting:
        pid = waiting.pop()
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
                fields = stat.read().rpartition(")")[2].split()
        except FileNotFoundError:
            continue
        total += int(fields[11]) + int(fields[12])
        waiting += children_of(pid)
    return total / os.sysconf("SC_CLK_TCK")


def next_requests(apache):
    log = (apache.directory / "access.log").read_text()
    return len(re.findall(r"GET [^ ]*link=next", log))


@pytest.mark.parametrize("rooms, readers", [(1, 10), (1, scaled(200, 1000)),
                                            (scaled(20, 400), scaled(20, 400))])
def test_what_a_hint_costs(servers, figure, rooms, readers):
    chat = chat_with_faults(servers, LinkTimeout="1h")
    load = servers.load(chat.apache.port, chat.pushpin.port, rooms=rooms, readers=readers,
                        posters=0, seconds=600)
    load.wait_posting(60)
    items = [{"channel": f"events-room-load-{number}",
              "formats": {"http-stream": {"action": "hint"}}} for number in range(rooms)]
    # Pushpin asks once more for a channel that is new to it.
    wait_until_calm(lambda: next_requests(chat.apache))
    asked, busy = next_requests(chat.apache), [busy_seconds(chat.pushpin.process.pid),
                                               busy_seconds(chat.apache.process.pid)]
    messages = load.status()["messages"]
    begin = time.monotonic()
    answer = Client(chat.pushpin.publish_port).post_json("/publish/",
                                                         {"items": items})
    assert answer.status == 200
    wait_until(lambda: next_requests(chat.apache) > asked, 20, "first request after a hint")
    took = wait_until_calm(lambda: next_requests(chat.apache)) - begin
    used = [busy_seconds(chat.pushpin.process.pid) - busy[0],
            busy_seconds(chat.apache.process.pid) - busy[1]]
    count = next_requests(chat.apache) - asked
    assert load.status()["messages"] == messages, "to readers who miss nothing a hint brings nothing"
    report = load.stop()
    assert report["not_whole"] == 0 and report["gaps"] == report["duplicates"] == 0
    assert rooms <= count <= max(rooms * 3, readers / 20)
    figure(f"{rooms} rooms, {readers} readers: {count} requests within {took:.1f} s,"
           f" {ms(used[0])} of Pushpin's processor and {ms(used[1])} of Apache's")


def wait_until_calm(count, calm=1.5, timeout=90):
    """Until a number has not changed for a while; returns when it last did."""
    last, changed, end = count(), time.monotonic(), time.monotonic() + timeout
    while time.monotonic() - changed < calm:
        assert time.monotonic() < end, "it does not become calm"
        time.sleep(0.1)
        now = count()
        if now != last:
            last, changed = now, time.monotonic()
    return changed
