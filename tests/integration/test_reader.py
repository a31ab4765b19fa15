"""The reader that the other tests trust: it forgives a slow start, and nothing after it."""

import socket
import threading
import time

import pytest

OPEN = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
        b"event: stream-open\nid: room-x:0\ndata:\n\n")
NOT_YET = (b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 27\r\n\r\n"
           b"Accept service unavailable\n")


class Scripted:
    """Answers the first connections as given, later ones as the last; None is silence."""

    def __init__(self, *answers):
        self.accepted = 0
        self._answers = answers
        self._connections = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            answer = self._answers[min(self.accepted, len(self._answers) - 1)]
            self.accepted += 1
            connection.recv(65536)
            if answer:
                connection.sendall(answer)
            if answer == NOT_YET:
                connection.close()

    def cut(self):
        self._connections[-1].shutdown(socket.SHUT_RDWR)

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            connection.close()


@pytest.fixture
def scripted(servers):
    """A server with these answers, and a reader of it that waits 0.3 s at first."""
    started = []

    def start(*answers):
        server = Scripted(*answers)
        started.append(server)
        return server, servers.event_source(server.port, "/", first_answer=0.3, retry_cap=0.05)
    yield start
    for server in started:
        server.close()


@pytest.mark.parametrize("slow", [[None, None], [OPEN[:60]], [NOT_YET, NOT_YET], [None, NOT_YET]])
def test_a_slow_start_is_asked_again_and_not_counted(scripted, slow):
    server, reader = scripted(*slow, OPEN)
    reader.wait_open(timeout=10)
    assert server.accepted == len(slow) + 1 and len(reader.connects) == 1


def test_a_silence_after_the_start_is_waited_for(scripted):
    server, reader = scripted(OPEN)
    reader.wait_open(timeout=10)
    time.sleep(0.8)
    assert server.accepted == len(reader.connects) == 1


def test_a_cut_after_the_start_is_counted(scripted):
    server, reader = scripted(OPEN)
    reader.wait_open(timeout=10)
    server.cut()
    reader.wait_kind("stream-open", count=2)
    assert server.accepted == len(reader.connects) == 2


def test_an_error_after_the_start_is_not_forgiven(scripted):
    server, reader = scripted(OPEN, NOT_YET)
    reader.wait_open(timeout=10)
    server.cut()
    assert "500" in reader.wait_failed()
    assert len(reader.connects) == 2


def test_another_error_at_the_start_is_not_forgiven(scripted):
    _, reader = scripted(NOT_YET.replace(b"Accept", b"Update"), OPEN)
    assert "500" in reader.wait_failed()
