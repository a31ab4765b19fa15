"""Processes are killed while people chat: nothing acknowledged is lost, nothing doubled."""

import shutil
import sqlite3
import time

import pytest

from faults.crowd import Crowd, chat_with_faults
from faults.scale import scaled
from harness.processes import kill, run_directory, remove_directory, wait_until

# The longest pause between two faults, in seconds; each is as long as chance says.
PAUSE = 0.3


@pytest.mark.mpm
def test_keeper_kills(servers, figure, chance):
    """The keeper, at random moments: a delay, but not one error."""
    times = scaled(10, 200)
    chat = chat_with_faults(servers)
    crowd = Crowd.at(chat, readers=5)
    for _ in range(times):
        time.sleep(chance.uniform(0, PAUSE))
        chat.apache.kill_keeper()
        crowd.wait_posts(8)
        crowd.check_readers()
    outcome = crowd.settle()
    assert not crowd.senders.failures, crowd.senders.failures[:3]
    figure(f"{times} kills; {outcome}")


@pytest.mark.mpm
def test_child_kills(servers, figure, chance):
    """One of the processes that serve requests: what it was answering is cut off, no more."""
    times = scaled(10, 100)
    chat = chat_with_faults(servers)
    crowd = Crowd.at(chat, readers=5)
    for _ in range(times):
        time.sleep(chance.uniform(0, PAUSE))
        victim = chance.choice(chat.apache.children())
        kill(victim)
        wait_until(lambda pid=victim: pid not in chat.apache.children(), 10, "end of a child")
        crowd.wait_posts(8)
        crowd.check_readers()
    outcome = crowd.settle()
    assert all(isinstance(failure, str) for failure in crowd.senders.failures), "only cut off"
    figure(f"{times} kills; {outcome}")


@pytest.mark.mpm
def test_everything_kills(servers, figure, chance):
    """Parent, keeper and children at once, as a loss of power looks to the files."""
    times = scaled(2, 50)
    chat = chat_with_faults(servers, "AH00098")  # the pid file of who was killed
    crowd = Crowd.at(chat)
    for _ in range(times):
        crowd.wait_posts(chance.randrange(20, 120))
        chat.apache.kill()
        with crowd.senders.acknowledged_now() as acknowledged:
            check_remains(chat.apache.database, acknowledged)
        chat.apache.start()
        crowd.wait_posts(8)
        crowd.check_readers()
    outcome = crowd.settle()
    assert all(isinstance(failure, str) for failure in crowd.senders.failures), "only cut off"
    figure(f"{times} kills, integrity_check ok after each; {outcome}")


def check_remains(database, acknowledged):
    """Of a copy: to open the files themselves would repair what Apache is to repair."""
    folder = run_directory()
    try:
        for suffix in ("", "-wal", "-shm"):
            shutil.copy(f"{database}{suffix}", folder / f"copy.db{suffix}")
        with sqlite3.connect(folder / "copy.db") as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            kept = set(connection.execute("SELECT id, body FROM grip_chat_message"))
    finally:
        remove_directory(folder)
    lost = {(number, text) for texts in acknowledged.values()
            for text, number in texts.items()} - kept
    assert not lost, f"acknowledged and not there: {sorted(lost)[:5]}"
