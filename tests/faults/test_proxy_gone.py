"""The proxy is killed, stopped or frozen: posts go on, and readers are whole when it is back."""

import signal
import time

from faults.crowd import Crowd, chat_with_faults, ms, p99
from faults.scale import scaled
from harness.processes import kill, session_members, wait_until

# The slack of posts during a fault of the proxy: they do not wait for it, but the machine is busy.
FACTOR, SLACK = 3, 0.25


def assert_posts_go_on(crowd, fault_begin, fault_end):
    """Returns the p99 before and during the fault, as text."""
    before = p99(crowd.senders.seconds(end=fault_begin))
    during = p99(crowd.senders.seconds(fault_begin, fault_end))
    assert during <= FACTOR * before + SLACK, f"p99 before {ms(before)}, during {ms(during)}"
    return f"posts' p99 {ms(before)} before, {ms(during)} during the fault"


def test_proxy_kills(servers, figure, chance):
    """kill -9 of all of Pushpin, started again on the same ports."""
    times = scaled(1, 30)
    chat = chat_with_faults(servers)
    crowd = Crowd.at(chat, pause=0.05)
    for _ in range(times):
        crowd.run(chance.uniform(0.2, 1))
        chat.pushpin.kill()
        crowd.run(chance.uniform(0.2, 1))
        chat.pushpin.start()
    crowd.run(0.5)
    outcome = crowd.settle(timeout=60)
    assert not crowd.senders.failures, crowd.senders.failures[:3]
    figure(f"{times} kills; {outcome}")


def test_proxy_stopped(servers, figure):
    """It is away for long, and comes back to many messages."""
    seconds, count = scaled((3, 300), (60, 5000))
    chat = chat_with_faults(servers)
    crowd = Crowd.at(chat, pause=0.02)
    crowd.run(scaled(1, 10))
    begin, before = time.monotonic(), crowd.total
    chat.pushpin.stop(forget=False)
    wait_until(lambda: time.monotonic() > begin + seconds and crowd.total >= before + count,
               seconds + 60, f"{count} posts while the proxy was away")
    end, missed = time.monotonic(), crowd.total - before
    chat.pushpin.start()
    crowd.run(1)
    outcome = crowd.settle(timeout=60)
    assert not crowd.senders.failures, crowd.senders.failures[:3]
    figure(f"{end - begin:.0f} s, {missed:,} messages meanwhile; "
           f"{assert_posts_go_on(crowd, begin, end)}; {outcome}")


def test_proxy_frozen(servers, figure):
    """SIGSTOP: connects succeed, and nothing is answered until SIGCONT."""
    chat = chat_with_faults(servers)
    crowd = Crowd.at(chat, pause=0.02)
    crowd.run(scaled(1, 10))
    frozen = session_members(chat.pushpin.process.pid)
    begin = time.monotonic()
    for pid in frozen:
        kill(pid, signal.SIGSTOP)
    try:
        crowd.run(scaled(6, 60))
    finally:
        for pid in frozen:
            kill(pid, signal.SIGCONT)
    end = time.monotonic()
    crowd.run(1)
    outcome = crowd.settle(timeout=60)
    assert not crowd.senders.failures, crowd.senders.failures[:3]
    figure(f"{end - begin:.0f} s; {assert_posts_go_on(crowd, begin, end)}; {outcome}")
