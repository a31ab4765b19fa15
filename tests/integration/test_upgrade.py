"""The module is replaced on the disk while Apache runs, and then Apache reloads, as logrotate has it do
at night: other sites' hosts go on, and so does the chat."""

import os
import shutil
import signal
import socket
import threading

import pytest

from harness import paths
from harness.client import FORM, Client, form_body, messages_path
from harness.processes import kill, wait_until
from harness.sites import chat_site
from harness.sse import EventSource

ONE, OTHER = paths.module_path(), paths.other_layout_path()
# A child that is stopped may be in the middle of anything, and prefork's after a graceful restart at times
# has to be killed, whatever version of the module it has.
OF_HTTPD = (r"AH0004[56]", r"AH0005[12]: child pid", r"AH03490", r"AH00288")


def install(apache, build):
    """As `make install` does: another file under the name. Processes keep the file of before."""
    apache.module = apache.directory / "mod_grip_chat.so"
    new = apache.directory / "mod_grip_chat.new"
    shutil.copy(build, new)
    os.replace(new, apache.module)


def installed(build, **directives):
    def site(apache):
        install(apache, build)
        more = {name: value.format(apache.directory) for name, value in directives.items()}
        return chat_site(apache.database, "none", Streams="On", **more)
    return site


def socket_of(apache):
    found = list(apache.directory.glob("grip-chat*.sock"))
    assert len(found) == 1, found
    return found[0]


class Poster(threading.Thread):
    """Posts one message after the other, each until it is stored."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.stored = []
        self.refused = 0
        self._client = Client(port)
        self._is_over = threading.Event()

    def run(self):
        number = 0
        while not self._is_over.is_set():
            number += 1
            while not self._post(f"m{number}"):
                self.refused += 1

    def _post(self, text):
        try:
            answer = self._client.form(messages_path("x"), {"from": "al", "text": text},
                                       Idempotency_Key=text)
        except (OSError, ValueError):
            return False  # a hard restart cuts connections
        assert answer.status in (200, 503), answer
        if answer.status == 200:
            self.stored.append(text)
        return answer.status == 200

    def wait_for_more(self, count=5):
        wanted = len(self.stored) + count
        wait_until(lambda: len(self.stored) >= wanted, 60, "posts that are stored")

    def end(self):
        self._is_over.set()
        self.join(60)
        assert not self.is_alive()


def reload(apache, is_hard, times):
    before = apache.keeper()
    (apache.restart if is_hard else apache.graceful)()
    assert apache.error_log.count("GC0132") == times, apache.output()
    wait_until(lambda: apache.keepers() and before not in apache.keepers(), 20, "new keeper")


def texts(source):
    return [event.json["text"] for event in source.events if event.kind == "message"]


@pytest.mark.parametrize("build", [ONE, OTHER], ids=["this", "other-layout"])
def test_what_the_version_before_has_left_is_looked_for_under_its_name(build):
    """All versions have the name in common, from 0.1.0 on: one with another name finds neither socket nor memory."""
    with open(build, "rb") as file:
        assert b"\0mod_grip_chat_keeper\0" in file.read()


@pytest.mark.mpm
@pytest.mark.parametrize("directives", [{}, {"Socket": "{}/grip-chat.sock"}],
                         ids=["default-socket", "named-socket"])
@pytest.mark.parametrize("is_hard", [False, True], ids=["graceful", "hard"])
def test_another_layout_and_back_under_posts_and_readers(servers, is_hard, directives):
    apache = servers.apache(installed(ONE, **directives))
    apache.error_log.allow(*OF_HTTPD)
    readers = [servers.event_source(apache.port, "/rooms/x/events/?lastEventId=room-x:0",
                                    patient=True) for _ in range(5)]
    poster = Poster(apache.port)
    poster.start()
    poster.wait_for_more()
    made = socket_of(apache).stat().st_ctime_ns
    parent = apache.process.pid
    for times, build in enumerate([OTHER, ONE, OTHER], 1):
        install(apache, build)
        reload(apache, is_hard, times)
        poster.wait_for_more()
        assert socket_of(apache).stat().st_ctime_ns != made
        made = socket_of(apache).stat().st_ctime_ns
    poster.end()
    for reader in readers:
        wait_until(lambda r=reader: len(texts(r)) >= len(poster.stored), 30, "all messages")
        assert texts(reader) == poster.stored
    assert apache.process.pid == parent and apache.process.poll() is None
    # Everybody is told once; a reload of the same build has nothing to tell.
    apache.graceful()
    assert apache.error_log.count("GC0132") == 3
    path = socket_of(apache)
    apache.terminate()
    apache.process.wait(20)
    assert not path.exists()


def test_a_child_of_before_that_is_held_up_with_its_streams(servers):
    """It comes to itself when another version has long been at work, and its memory is still its own."""
    apache = servers.apache(installed(ONE))
    apache.error_log.allow(*OF_HTTPD)
    readers = [servers.event_source(apache.port, "/rooms/x/events/?lastEventId=room-x:0",
                                    patient=True) for _ in range(8)]
    apache.client.say("x", "before")
    for reader in readers:
        wait_until(lambda r=reader: texts(r) == ["before"], 20, "first message")
    old = apache.children()
    for pid in old:
        kill(pid, signal.SIGSTOP)
    try:
        install(apache, OTHER)
        reload(apache, False, 1)
        apache.client.say("x", "while they stand still")
        assert texts(readers[0]) == ["before"]
    finally:
        for pid in old:
            kill(pid, signal.SIGCONT)
    apache.client.say("x", "after")
    for reader in readers:
        wait_until(lambda r=reader: len(texts(r)) >= 3, 30, "all messages")
        assert texts(reader) == ["before", "while they stand still", "after"]
    wait_until(lambda: not set(old) & set(apache.children()), 30, "end of the children of before")


def test_a_post_that_a_child_of_before_has_begun_to_read(servers):
    """Is stored once and 200, or 503 and not there; the child does not wait for ever."""
    apache = servers.apache(installed(ONE))
    body = form_body({"from": "al", "text": "begun before"})
    with socket.create_connection(("127.0.0.1", apache.port), 20) as connection:
        connection.sendall((f"POST {messages_path('x')} HTTP/1.1\r\nHost: localhost\r\n"
                            f"Content-Type: {FORM}\r\nContent-Length: {len(body)}\r\n"
                            "Connection: close\r\n\r\n").encode() + body[:3])
        apache.client.say("x", "another")
        install(apache, OTHER)
        reload(apache, False, 1)
        connection.sendall(body[3:])
        answer = connection.makefile("rb").read()
    stored = [m["text"] for m in apache.client.get(messages_path("x")).json["messages"]]
    if answer.startswith(b"HTTP/1.1 200"):
        assert stored == ["begun before", "another"]
    else:
        assert answer.startswith(b"HTTP/1.1 503"), answer
        assert stored == ["another"]


def test_a_socket_that_a_reload_cannot_make_is_made_when_it_can_be(servers):
    """The server goes on; in its new memory no keeper has said yet which files may be read."""
    apache = servers.apache(installed(ONE, Socket="{}/grip-chat.sock"))
    apache.error_log.allow("GC0115", "GC0151")
    apache.client.say("x", "before")
    path = apache.directory / "grip-chat.sock"
    path.unlink()
    stranger = socket.socket(socket.AF_UNIX)
    stranger.bind(str(path))
    stranger.listen()
    install(apache, OTHER)
    apache.graceful()
    apache.error_log.wait_for("GC0115.*posts are answered 503")
    assert apache.client.get(messages_path("x")).status == 503
    stranger.close()
    path.unlink()
    apache.error_log.wait_for("GC0133", 20)
    wait_until(lambda: apache.client.form(messages_path("x"), {"from": "al", "text": "after"}).status
               == 200, 20, "post that is stored")
    listed = apache.client.get(messages_path("x")).json["messages"]
    assert [message["text"] for message in listed] == ["after", "before"]


def test_a_reload_without_chat_and_one_with_it_again(servers):
    apache = servers.apache(installed(ONE))
    apache.client.say("x", "before")
    path = socket_of(apache)
    apache.configure("")
    apache.graceful()
    wait_until(lambda: not path.exists(), 5, "end of the socket")
    apache.configure(installed(ONE)(apache))
    apache.graceful()
    apache.client.say("x", "after")
    apache.terminate()
    apache.process.wait(20)
    assert not path.exists()
