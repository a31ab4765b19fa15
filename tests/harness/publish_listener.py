"""Stands where a proxy takes what is published: records it, and answers what the test says."""

import http.server
import json
import socket
import threading
import time

from .ports import free_port
from .processes import wait_until


class Publish:
    """One request as it came."""

    def __init__(self, handler, body):
        self.time = time.monotonic()
        self.method = handler.command
        self.path = handler.path
        self.headers = handler.headers
        self.body = body
        self.status = None

    @property
    def items(self):
        return json.loads(self.body)["items"]


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):  # pylint: disable=invalid-name
        length = self.headers.get("Content-Length")
        body = self.rfile.read(int(length)) if length else b""
        self.server.owner.take(self, Publish(self, body))

    def log_message(self, *_):
        """Quiet: the record is what a test looks at."""


class PublishListener:
    """`status` is what it answers; CLOSE drops the connection unanswered; `delay` comes first.

    `decide`, if set, is called with the Publish and returns a status or CLOSE.
    """

    CLOSE = "close"

    def __init__(self, port=None):
        self.port = port or free_port()
        self.status = 200
        self.delay = 0
        self.decide = None
        self._publishes = []
        self._lock = threading.Lock()
        self._server = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def start(self):
        self._server = _Server(("127.0.0.1", self.port), _Handler)
        self._server.owner = self
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self):
        """From now on connections are refused; `start` listens on the same port again."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def take(self, handler, publish):
        # Decided before anyone can see the record, so that a test may then change the answer.
        status = self.decide(publish) if self.decide else self.status
        publish.status = status
        with self._lock:
            self._publishes.append(publish)
        time.sleep(self.delay)
        if status == self.CLOSE:
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        answer = b"Published\n" if status == 200 else b"no\n"
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        handler.wfile.write(answer)

    @property
    def publishes(self):
        with self._lock:
            return list(self._publishes)

    def clear(self):
        with self._lock:
            self._publishes.clear()

    def items(self, channel=None):
        """All items so far, in order; of one channel, if named."""
        return [item for publish in self.publishes for item in publish.items
                if channel in (None, item["channel"])]

    def wait_for_publishes(self, count, timeout=10):
        wait_until(lambda: len(self.publishes) >= count, timeout,
                   f"publish number {count}, only {len(self.publishes)}")
        return self.publishes

    def wait_for_items(self, count, channel=None, timeout=10):
        wait_until(lambda: len(self.items(channel)) >= count, timeout,
                   f"published item number {count} of {channel}")
        return self.items(channel)


    def wait_for_message(self, number, timeout=10):
        """Until the message of this id was published."""
        mark = f'\\"id\\": {number},'.encode()
        wait_until(lambda: any(mark in publish.body for publish in reversed(self.publishes)), timeout,
                   f"publish of message {number}")


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A publisher that gives up is what some tests want, and no news."""
