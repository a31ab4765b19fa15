"""Apache restarts while people chat, by an operator or by itself."""

import time

import pytest

from faults.crowd import WARNINGS, Crowd, chat_with_faults
from faults.scale import scaled
from faults.visitor import Visitor
from harness.chat import Chat


@pytest.mark.mpm
def test_graceful_restarts(servers, figure):
    """Once a second: at most a kept connection ends between two requests of it."""
    times = scaled(6, 60)
    chat = chat_with_faults(servers)
    crowd = Crowd.at(chat, readers=5)
    due = time.monotonic()
    with Visitor(chat.apache.client) as visitor:
        for _ in range(times):
            chat.apache.graceful()
            due += 1
            time.sleep(max(0.1, due - time.monotonic()))
            crowd.check_readers()
    outcome = crowd.settle()
    bad = [failure for failure in crowd.senders.failures if not isinstance(failure, str)]
    assert not bad, bad[:3]
    assert set(visitor.lists) == {200}, visitor.lists
    figure(f"{times} restarts, lists and events all 200 meanwhile; {outcome}")


@pytest.mark.mpm
def test_hard_restarts(servers, figure):
    """SIGHUP cuts off what is under way."""
    times = scaled(3, 30)
    # Httpd's own: a child that does not end at once under load is told again, and event has a race
    # when it stops, see harness/httpd.py, stop().
    chat = chat_with_faults(servers, r"AH00045", r"AH0005[12]: child pid")
    crowd = Crowd.at(chat, readers=5)
    for _ in range(times):
        chat.apache.restart()
        crowd.wait_posts(8)
        crowd.run(0.3)
    figure(f"{times} restarts; {crowd.settle()}")


@pytest.mark.mpm
def test_connections_per_child(servers, figure):
    """Children that end after 200 connections each: nobody notices."""
    chat = Chat(servers, apache_lines="MaxConnectionsPerChild 200")
    # Worker's own: a child that is ending waits for connections that proxies keep, also when Apache stops.
    chat.apache.error_log.allow(WARNINGS, r"AH00045")
    first = set(chat.apache.children())
    crowd = Crowd.at(chat, keep=False, pause=0.002)
    seen = set(first)
    end = time.monotonic() + scaled(4, 120)
    while time.monotonic() < end or first & set(chat.apache.children()):
        # Httpd looks once a second whether children are missing.
        crowd.run(1.5)
        seen |= set(chat.apache.children())
        assert time.monotonic() < end + 60, "children live on"
    outcome = crowd.settle()
    assert not crowd.senders.failures, crowd.senders.failures[:3]
    figure(f"{len(seen)} children one after the other; {outcome}")
