"""Single faults, looked at closely; tests/faults has those that strike under load."""

import os
import shutil
import signal
import socket
import sqlite3
import time

import pytest

from harness import grip
from harness.chat import Chat
from harness.client import FORM, events_path, messages_path
from harness.httpd import run_user
from harness.processes import kill, wait_until
from harness.sites import chat_site

# What the module says of a keeper that died, and of publishes that were cut off.
FAULTS = r"\[grip_chat:warn\]"


@pytest.mark.mpm
def test_a_post_in_a_child_of_the_old_generation_reaches_everyone(servers):
    chat = Chat(servers)
    readers = [chat.reader("x").wait_open() for _ in range(3)]
    body = b"from=al&text=from+the+old+generation"
    head = (f"POST {messages_path('x')} HTTP/1.1\r\nHost: localhost\r\n"
            f"Content-Type: {FORM}\r\nContent-Length: {len(body)}\r\n\r\n")
    old = set(chat.apache.children())
    with socket.create_connection(("127.0.0.1", chat.apache.port), 10) as connection:
        connection.sendall(head.encode() + body[:8])
        # The request must have reached a child before its generation is told to end.
        wait_until(lambda: any(_has_connection_from(pid, connection) for pid in old), 5,
                   "child with the request")
        chat.apache.graceful()
        chat.apache.client.say("x", "from the new generation")
        assert old & set(chat.apache.children()), "no child of the old generation is left"
        connection.sendall(body[8:])
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200"), answer
    for reader in readers:
        reader.wait_messages(2)
        assert reader.numbers == [1, 2]
        assert reader.texts == ["from the new generation", "from the old generation"]
    # Worker's children do not hear of a stop while they end gracefully.
    wait_until(lambda: not old & set(chat.apache.children()), 20, "end of the old generation")


def _has_connection_from(pid, connection):
    """Whether a process has accepted a connection, found by the inode of its socket."""
    port = f":{connection.getsockname()[1]:04X}"
    with open("/proc/net/tcp", encoding="ascii") as table:
        inodes = {line.split()[9] for line in table if line.split()[2].endswith(port)}
    folder = f"/proc/{pid}/fd"
    try:
        links = {os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder)}
    except OSError:
        return False
    return any(f"socket:[{inode}]" in links for inode in inodes if inode != "0")


def test_what_one_keeper_could_not_publish_the_next_one_hints(servers):
    """Also where nothing was ever published before."""
    proxy = servers.listener()
    proxy.decide = lambda publish: 503
    apache = servers.apache(lambda a: chat_site(a.database, proxy.url))
    apache.error_log.allow(FAULTS)
    apache.client.say("x", "nobody hears this")
    wait_until(lambda: proxy.publishes, 10, "first try")
    apache.kill_keeper()
    proxy.decide = lambda publish: 200
    wait_until(lambda: any(item["formats"]["http-stream"].get("action") == "hint"
                           for publish in proxy.publishes if publish.status == 200
                           for item in publish.items), 10, "hint")


def test_a_database_that_was_taken_away_begins_anew(servers):
    proxy = servers.listener()
    apache = servers.apache(lambda a: chat_site(a.database, proxy.url + "?key=changeme"))
    apache.error_log.allow(FAULTS, r"\[grip_chat:error\]")
    apache.client.say("x", "before")
    assert apache.client.get(events_path("x"), Grip_Sig=grip.token()).header("Grip-Hold")
    for suffix in ("", "-wal", "-shm"):
        os.remove(f"{apache.database}{suffix}")
    assert apache.client.say("x", "after")["text"] == "after"
    listed = apache.client.get(messages_path("x")).json["messages"]
    assert [message["text"] for message in listed] == ["after"]
    held = apache.client.get(events_path("x"), Grip_Sig=grip.token())
    assert held.header("Grip-Hold") == "stream", held


def test_a_database_that_somebody_reads_while_the_keeper_starts_is_no_error(servers):
    """As a child does that answers a reader in a new site's first moments."""
    held = {}

    def site(apache):
        held["reader"] = sqlite3.connect(apache.database, isolation_level=None)
        held["reader"].execute("CREATE TABLE somebodys (x)")
        shutil.chown(apache.database, run_user())
        held["reader"].execute("BEGIN")
        held["reader"].execute("SELECT * FROM somebodys").fetchall()
        return chat_site(apache.database, "none")
    apache = servers.apache(site)
    apache.error_log.allow(r"\[grip_chat:warn\].*GC0202")
    time.sleep(0.5)
    held["reader"].close()
    assert apache.client.say("x", "hello")["text"] == "hello"
    assert not apache.error_log.count("GC0203"), apache.error_log.tail()


def test_a_keeper_that_hangs_is_a_503_and_reading_goes_on(servers):
    proxy = servers.listener()
    apache = servers.apache(lambda a: chat_site(a.database, proxy.url))
    apache.error_log.allow(FAULTS, r"\[grip_chat:error\]")
    apache.client.say("x", "before")
    keeper = apache.keeper()
    kill(keeper, signal.SIGSTOP)
    try:
        begin = time.monotonic()
        answer = apache.client.form(messages_path("x"), {"from": "al", "text": "meanwhile"})
        assert answer.status == 503 and 1 < time.monotonic() - begin < 20
        assert int(answer.header("Retry-After")) >= 1
        assert set(answer.json["error"]) == {"code", "message"}
        listed = apache.client.get(messages_path("x"))
        assert listed.status == 200 and listed.json["last-event-id"] == "room-x:1"
    finally:
        kill(keeper, signal.SIGCONT)
    assert apache.client.say("x", "after")["text"] == "after"
    listed = apache.client.get(messages_path("x")).json["messages"]
    assert [message["text"] for message in listed] == ["after", "before"]


def test_the_keeper_ends_with_the_parent(servers):
    proxy = servers.listener()
    apache = servers.apache(lambda a: chat_site(a.database, proxy.url))
    apache.client.say("x", "y")
    keeper = apache.keeper()
    kill(apache.process.pid)
    wait_until(lambda: not os.path.exists(f"/proc/{keeper}"), 5, "end of the keeper")
    apache.kill()


def test_hundreds_of_keepers_leave_nothing_behind(servers):
    """Descriptors of the parent, and memory and descriptors of the keeper, do not grow."""
    proxy = servers.listener()
    apache = servers.apache(lambda a: chat_site(a.database, proxy.url))
    apache.error_log.allow(FAULTS)
    apache.client.say("x", "y")

    def usage():
        keeper = apache.keeper()
        apache.client.say("x", "y")
        return (_descriptors(apache.process.pid), _descriptors(keeper), _resident_kb(keeper),
                _resident_kb(apache.process.pid))
    for _ in range(20):
        apache.kill_keeper()
    early = usage()
    for _ in range(200):
        apache.kill_keeper()
    late = usage()
    # The keeper's go with the children that happen to be connected.
    assert late[0] == early[0] and late[1] <= early[1] + 4, "descriptors are left behind"
    assert late[2] <= early[2] + 1024 and late[3] <= early[3] + 1024, (early, late)


def _descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def _resident_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
