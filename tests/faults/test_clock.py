"""The clock is set while people chat."""

import time

import pytest

from crowd import Crowd, chat_with_faults
from harness.clock import SettableClock, settable_clock_library
from scale import scaled


def test_clock_set(servers, figure):
    """An hour back, and right again: nothing that waits for a moment waits for the hour."""
    if not settable_clock_library():
        pytest.skip("libfaketime is not installed")
    clock = servers.keep(SettableClock(), SettableClock.remove)
    chat = chat_with_faults(servers, environment=clock.environment)
    crowd = Crowd.at(chat)
    for _ in range(scaled(1, 10)):
        # Long enough that rooms have used up their pace, and wait for their next turn.
        crowd.run(scaled(2, 5))
        date = chat.apache.client.say("clock", "before")["date"]
        for ahead in (-3600, 0):
            clock.set_ahead(ahead)
            crowd.run(2)
            assert is_later(chat.apache.client.say("clock", "after")["date"], date, ahead)
            now = time.monotonic()
            silence = max(follower.longest_silence(now - 1.5, now) for follower in crowd.everyone)
            assert silence < 1.5, f"readers have nothing since the clock was set to {ahead} s"
    outcome = crowd.settle(timeout=15)
    assert not crowd.senders.failures, crowd.senders.failures[:3]
    figure(f"an hour back and right again, {scaled(1, 10)} times; {outcome}")


def is_later(date, other, seconds):
    """Whether the module sees the clock that was set at all."""
    moments = [time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) for text in (date, other)]
    return abs(moments[0] - moments[1] - seconds) < 600
