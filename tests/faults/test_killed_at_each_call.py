"""The keeper dies at each of its system calls in turn, from a post's arrival to its publish.

strace counts the calls of each of the keeper's threads and puts SIGKILL in the place of the n-th. So
every moment that a file, a socket or another process can tell from the next is tried: before, within
and after the commit, before and after the answer, in the middle of a publish.
"""

import subprocess

from harness import paths
from harness.chat import Chat
from harness.load import stored
from harness.processes import wait_until

# Calls from a post to the last that follows from it, in the thread that makes more of them.
MOST_CALLS = 60


def kill_at(pid, number):
    """Has a process killed at the call of this number, counted from now; returns when it is set."""
    tracer = subprocess.Popen(
        [paths.program("strace"), "-f", "-q", "-o", "/dev/null", "-p", str(pid),
         "-e", f"inject=all:signal=SIGKILL:when={number}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: _is_traced(pid), 10, "strace")
    return tracer


def _is_traced(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            return "TracerPid:\t0\n" not in status.read()
    except FileNotFoundError:
        return True  # killed already: it makes calls without a post as well


def test_no_call_is_a_bad_one_to_die_at(servers):
    chat = Chat(servers)
    chat.apache.error_log.allow(r"\[grip_chat:warn\]")
    readers = [chat.reader("x").wait_open() for _ in range(3)]
    deaths = 0
    posted = 0
    for number in range(1, MOST_CALLS):
        old = chat.apache.keeper()
        tracer = kill_at(old, number)
        try:
            while chat.apache.keepers() == [old] and posted < 1000:
                posted += 1
                chat.apache.client.say("x", f"{posted}")
            deaths += 1
            chat.apache.keeper()
        finally:
            tracer.terminate()
            tracer.wait(10)
    rows = stored(chat.apache.database)["x"]
    assert [row[0] for row in rows] == list(range(1, posted + 1))
    assert [row[2] for row in rows] == [str(number) for number in range(1, posted + 1)]
    for reader in readers:
        reader.wait_messages(posted, 30)
        assert reader.numbers == list(range(1, posted + 1)), reader.describe()
    print(f"FIGURE killed-at-each-call: {deaths} deaths, {posted} posts stored and delivered once")
