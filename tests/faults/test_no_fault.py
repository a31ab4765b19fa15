"""The load itself, with no fault: what the other cases are compared with."""

import time

from crowd import Crowd, ms, p99
from harness.chat import Chat
from scale import scaled

# A room is published up to five times a second.
NOTICED = 1.5


def test_no_fault(servers, figure):
    """Messages reach readers all the time, also those of rooms that have used up their pace."""
    chat = Chat(servers)
    crowd = Crowd.at(chat)
    begin = time.monotonic()
    crowd.run(scaled(5, 60))
    silences = [crowd.followers[room][0].longest_silence(begin, time.monotonic())
                for room in crowd.followers]
    posts = p99(crowd.senders.seconds())
    outcome = crowd.settle()
    assert not crowd.senders.failures, crowd.senders.failures[:3]
    figure(f"{scaled(5, 60)} s; posts' p99 {ms(posts)}; longest silence "
           f"{max(silences):.2f} s; {outcome}")
    assert max(silences) < NOTICED, "readers had nothing for " + \
        ", ".join(f"{silence:.1f} s" for silence in silences) + " in a busy room each"
