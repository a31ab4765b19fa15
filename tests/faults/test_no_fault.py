"""The load itself, with no fault: what the other cases are compared with."""

import time

import pytest

from faults.crowd import Crowd, ms, p99
from faults.scale import scaled
from harness.chat import Chat

# A room is published several times a second.
NOTICED = 1.5


@pytest.mark.parametrize("rooms", [4, 24])
def test_no_fault(servers, figure, rooms):
    """Messages reach readers all the time, also in rooms that have used up their pace."""
    chat = Chat(servers)
    crowd = Crowd.at(chat, rooms=[f"room{n}" for n in range(rooms)], readers=12 // rooms or 1,
                     pause=0.01)
    # Every room is beyond its pace by then.
    crowd.run(3)
    begin = time.monotonic()
    crowd.run(scaled(4, 60))
    end = time.monotonic()
    silences = sorted(group[0].longest_silence(begin, end) for group in crowd.followers.values())
    posts = p99(crowd.senders.seconds())
    outcome = crowd.settle()
    assert not crowd.senders.failures, crowd.senders.failures[:3]
    figure(f"{scaled(4, 60)} s; posts' p99 {ms(posts)}; longest silence {silences[-1]:.2f} s in one "
           f"of {rooms} busy rooms; {outcome}")
    assert silences[-1] < NOTICED, \
        f"readers had nothing for {silences[0]:.1f} to {silences[-1]:.1f} s in a busy room"
