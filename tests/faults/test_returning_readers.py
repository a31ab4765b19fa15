"""Readers that leave at any moment and come back with their position miss nothing."""

import time

from faults.crowd import WARNINGS, Crowd, chat_with_faults
from faults.scale import scaled
from harness.sites import chat_site


def leave_and_return(crowd, chance, seconds):
    """Returns how many times a reader left; one may leave while it connects, or twice at once."""
    times, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        for follower in chance.sample(crowd.everyone, chance.randrange(1, 4)):
            follower.drop()
            times += 1
        time.sleep(chance.choice([0, 0.001, 0.01, 0.05, 0.2]))
        crowd.check_readers()
    return times


def test_returning_readers_of_a_proxy(servers, figure, chance):
    chat = chat_with_faults(servers)
    crowd = Crowd.at(chat, readers=5)
    times = leave_and_return(crowd, chance, scaled(4, 120))
    outcome = crowd.settle()
    assert not crowd.senders.failures, crowd.senders.failures[:3]
    figure(f"{times:,} times a reader left; {outcome}")


def test_returning_readers_that_poll(servers, figure, chance):
    apache = servers.apache(lambda a: chat_site(a.database, "none"))
    apache.error_log.allow(WARNINGS)
    crowd = Crowd.polling(servers, apache, readers=3)
    times = leave_and_return(crowd, chance, scaled(4, 120))
    outcome = crowd.settle()
    assert not crowd.senders.failures, crowd.senders.failures[:3]
    figure(f"{times:,} times a reader left; {outcome}")


def test_returning_readers_that_are_late(servers, figure, chance):
    """Where few events may be missed, those who missed more are told so."""
    chat = chat_with_faults(servers, Backlog=10)
    crowd = Crowd.at(chat, readers=3)
    for follower in crowd.everyone:
        follower.pause_before_return(lambda: chance.uniform(0, 1.5))
    times = leave_and_return(crowd, chance, scaled(4, 120))
    outcome = crowd.settle(resets=times)
    resets = sum(follower.resets for follower in crowd.everyone)
    assert resets, "nobody was too late"
    figure(f"{times:,} times a reader left; {resets:,} came back too late and had a stream-reset; "
           f"{outcome}")
