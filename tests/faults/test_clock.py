"""The clock is set while people chat."""

import time

from faults.crowd import Crowd, chat_with_faults
from faults.scale import scaled
from harness.clock import SettableClock, settable_clock_library


def test_clock_set(servers, figure):
    """An hour back, and right again: nothing that waits for a moment waits for the hour."""
    assert settable_clock_library(), "libfaketime is not installed; ./dev check installs it"
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
            # Of the best off: a room that is published all the time may stall for another reason.
            silence = min(follower.longest_silence(now - 1.5, now) for follower in crowd.everyone)
            assert silence < 1.5, f"no reader has anything since the clock was set to {ahead} s"
    outcome = crowd.settle(timeout=15)
    # Httpd itself goes by the clock that was set, when it ends kept connections.
    assert all(isinstance(failure, str) for failure in crowd.senders.failures), "only cut off"
    figure(f"an hour back and right again, {scaled(1, 10)} times; {outcome}")


def is_later(date, other, seconds):
    """Whether the module sees the clock that was set at all."""
    moments = [time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) for text in (date, other)]
    return abs(moments[0] - moments[1] - seconds) < 600
