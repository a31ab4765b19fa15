"""A room's row is changed by hand so that none of its messages can be stored: other rooms go on."""

import contextlib
import sqlite3
import time

from faults.crowd import chat_with_faults
from faults.scale import scaled
from harness.load import Senders, stored

GOOD = [f"good{number}" for number in range(4)]


def change_by_hand(database, statement):
    with contextlib.closing(sqlite3.connect(database, isolation_level=None, timeout=20)) as operator:
        operator.execute(statement)


def test_one_room_that_takes_no_message(servers, figure):
    chat = chat_with_faults(servers, "GC0230")
    apache = chat.apache
    apache.client.say("bad", "first")
    change_by_hand(apache.database, "UPDATE grip_chat_room SET last_event_id = 0 WHERE name = 'bad'")
    good = Senders(apache.port, GOOD, count=8)
    bad = Senders(apache.port, ["bad"], count=2)
    time.sleep(scaled(3, 30))
    for senders in (good, bad):
        senders.stop()
    assert not good.failures, good.failures[:3]
    counts = {room: len(good.acknowledged[room]) for room in GOOD}
    assert min(counts.values()) > 0
    kept = stored(apache.database)
    assert {room: len(kept[room]) for room in GOOD} == counts
    assert not bad.acknowledged and len(bad.failures) > 10
    assert {failure.status for failure in bad.failures} == {503}
    assert apache.error_log.count("GC0230.*'bad'") == 1
    assert apache.error_log.count("GC0203") == 0
    # Mended by hand, it goes on at once.
    change_by_hand(apache.database, "UPDATE grip_chat_room SET last_event_id = 1 WHERE name = 'bad'")
    apache.client.say("bad", "second")
    figure(f"{sum(counts.values())} posts to other rooms all 200, {len(bad.failures)} to it 503")
