"""A way to where a proxy takes what is published, which a test breaks and mends."""

import http.client
import io
import json
import socket
import threading
import time

from harness.ports import free_port
from harness.processes import wait_until

_GARBAGE = b"\x00\xff\x16\x03 not HTTP at all\r\n\r\n"
# More than the keeper waits for the answer to a publish, in seconds.
_LONGER_THAN_A_PUBLISH = 30


class Way:
    """Relays publishes to a port until `fault` says otherwise.

    `fault` is None, a status that is answered instead, a function of the items that returns None or
    a status, or one of these:

    garbage  what is answered is not HTTP
    slow     passed on, and the answer comes byte by byte, for longer than the keeper waits
    late     passed on, and answered after a second
    cut      passed on, and the connection ends in the middle of the answer
    refused  nothing listens
    silent   connections are taken, and nothing is ever answered
    full     the backlog is full, so that connects hang
    """

    def __init__(self, target_port):
        self.port = free_port()
        self.requests = 0  # that met the present fault
        self._target_port = target_port
        self._fault = None
        self._listener = None
        self._connections = set()
        self._lock = threading.Lock()

    @property
    def grip_url(self):
        return f"http://127.0.0.1:{self.port}/?key=changeme"

    def start(self):
        self._listen()
        return self

    def stop(self):
        self._unlisten()
        self._close_all()

    def break_as(self, fault):
        """From now on; None mends it. What was under way is cut off."""
        self._unlisten()
        self.judge(fault)
        self._close_all()
        if fault == "full":
            self._fill()
        elif fault != "refused":
            self._listen()

    def judge(self, fault):
        """As `break_as`, for a function of the items and its end; what is under way is not cut off."""
        with self._lock:
            self._fault, self.requests = fault, 0

    # -- the socket ----------------------------------------------------------------------------

    def _listen(self):
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _unlisten(self):
        if self._listener:
            # A close alone does not wake the thread that waits in accept.
            try:
                self._listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self._listener.close()
            self._listener = None

    def _fill(self):
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=0)
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            with self._lock:
                self._connections.add(filler)
        wait_until(self._connect_hangs, 5, "full backlog")

    def _connect_hangs(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 0.3).close()
        except TimeoutError:
            return True
        return False

    def _close_all(self):
        with self._lock:
            closing, self._connections = self._connections, set()
        for connection in closing:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    # -- a connection --------------------------------------------------------------------------

    def _serve(self, connection):
        try:
            with connection, connection.makefile("rb") as stream:
                while (request := _read_request(stream)) and self._answer(connection, *request):
                    pass
        except (OSError, http.client.HTTPException, ValueError):
            pass
        with self._lock:
            self._connections.discard(connection)

    def _answer(self, connection, path, headers, body):
        """Whether the connection may be used again."""
        with self._lock:
            fault = self._fault
            self.requests += 1
        if callable(fault):
            fault = fault(json.loads(body)["items"])
        if fault == "garbage":
            connection.sendall(_GARBAGE)
            return False
        if fault == "silent":
            time.sleep(_LONGER_THAN_A_PUBLISH)
            return False
        if isinstance(fault, int):
            connection.sendall(_answer_text(fault, b"no\n"))
            return True
        answer = _answer_text(*self._pass_on(path, headers, body))
        if fault == "cut":
            connection.sendall(answer[:len(answer) // 2])
            return False
        if fault == "late":
            time.sleep(1)
        if fault == "slow":
            for byte in answer:
                connection.sendall(bytes([byte]))
                time.sleep(_LONGER_THAN_A_PUBLISH / len(answer))
            return False
        connection.sendall(answer)
        return True

    def _pass_on(self, path, headers, body):
        onward = http.client.HTTPConnection("127.0.0.1", self._target_port, timeout=10)
        try:
            onward.request("POST", path, body, {"Content-Type": headers["Content-Type"]})
            answer = onward.getresponse()
            return answer.status, answer.read()
        finally:
            onward.close()


def _read_request(stream):
    line = stream.readline().split()
    if len(line) != 3:
        return None
    headers = http.client.parse_headers(io.BytesIO(_head(stream)))
    return line[1].decode(), headers, stream.read(int(headers["Content-Length"]))


def _head(stream):
    head = b""
    while (line := stream.readline()) not in (b"\r\n", b""):
        head += line
    return head + b"\r\n"


def _answer_text(status, body):
    return (f"HTTP/1.1 {status} {http.client.responses[status]}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body
