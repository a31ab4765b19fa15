"""Two proxies, one of them at fault: what hangs on the other notices nothing."""

import time

import pytest

from faults.crowd import ERRORS, WARNINGS, Crowd
from faults.follower import Follower
from faults.scale import scaled
from faults.ways import Way
from harness.client import events_path
from harness.sites import chat_site

# With the load of these tests a room is published some four times a second.
NOTICED = 1.5
PAUSE = 0.25


def test_one_of_two_proxies_down(servers, figure):
    """The readers of the other are neither cut nor slower; those of the first are whole soon."""
    pushpins = []

    def site(apache):
        pushpins.extend(servers.pushpin(apache.port) for _ in range(2))
        return chat_site(apache.database, *(pushpin.grip_url for pushpin in pushpins))
    apache = servers.apache(site)
    apache.error_log.allow(WARNINGS)
    turns = {}

    def open_reader(room):
        """The first of a room on the first proxy, the second on the second, and so on."""
        turns[room] = turns.get(room, -1) + 1
        return servers.event_source(pushpins[turns[room] % 2].port, events_path(room),
                                    kind=Follower)
    crowd = Crowd(apache, open_reader, readers=4, pause=PAUSE)
    untouched = [group[n] for group in crowd.followers.values() for n in (1, 3)]
    crowd.run(scaled(1, 10))
    # Pushpin itself cuts a stream now and then in its first bytes, see docs/pushpin.md.
    connects = [len(follower.connects) for follower in untouched]
    begin = time.monotonic()
    pushpins[0].kill()
    crowd.run(scaled(3, 60))
    pushpins[0].start()
    crowd.run(scaled(1, 10))
    end = time.monotonic()
    outcome = crowd.settle(timeout=60)
    assert not crowd.senders.failures, crowd.senders.failures[:3]
    assert [len(follower.connects) for follower in untouched] == connects, "the other's were cut"
    silence = max(follower.longest_silence(begin, end) for follower in untouched)
    assert silence < NOTICED, f"the other's readers had nothing for {silence:.1f} s"
    figure(f"one down for {end - begin:.0f} s; the other's readers never cut, longest silence "
           f"{silence:.2f} s; {outcome}")


@pytest.mark.parametrize("refused", ["events", "all"])
def test_one_channel_refused(servers, figure, refused):
    """A proxy answers 400 to whatever has an item of one channel: all others pass."""
    made = {}

    def site(apache):
        made["pushpin"] = servers.pushpin(apache.port)
        made["way"] = servers.keep(Way(made["pushpin"].publish_port), Way.stop).start()
        return chat_site(apache.database, made["way"].grip_url, LinkTimeout="2s")

    def judge(items):
        return 400 if any(item["channel"] == "events-room-bad" and
                          (refused == "all" or "content" in item["formats"]["http-stream"])
                          for item in items) else None
    apache = servers.apache(site)
    apache.error_log.allow(WARNINGS, ERRORS + ".*GC0304.*events-room-bad")
    crowd = Crowd(apache, lambda room: servers.event_source(
        made["pushpin"].port, events_path(room), kind=Follower), rooms=["a", "bad", "c", "d"], pause=PAUSE)
    good = [follower for room in "acd" for follower in crowd.followers[room]]
    begin = time.monotonic()
    made["way"].break_as(judge)
    crowd.run(scaled(2, 60))
    end = time.monotonic()
    outcome = crowd.settle(timeout=20)
    assert not crowd.senders.failures, crowd.senders.failures[:3]
    silence = max(follower.longest_silence(begin, end) for follower in good)
    assert silence < NOTICED, f"other rooms had nothing for {silence:.1f} s"
    figure(f"{end - begin:.0f} s; the other rooms' longest silence {silence:.2f} s; {outcome}")
