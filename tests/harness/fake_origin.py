"""Stands where Apache and Pushpin stand, and answers what no good server does."""

import http.server
import socket
import ssl
import threading
import time
import urllib.parse

from .ports import free_port


def event(kind, position, data="{}", room="load-0"):
    """An event as it goes over the wire; without a position it has no id."""
    id_line = f"id: room-{room}:{position}\n" if position is not None else ""
    return f"event: {kind}\n{id_line}data: {data}\n\n"


def message(position, text="x", room="load-0"):
    return event("message", position, f'{{"id": {position}, "from": "al", "text": "{text}"}}', room)


class FakeOrigin:
    """`streams` are the bodies for one request for events after the other; the last is repeated.

    A body is text; `step` bytes are sent at a time, as chunks unless `is_chunked` is false. A held
    stream stays open when its body is sent. A number instead of a body is a status. `last` is the
    position that lists tell. `decide` is called with each post, and returns a status or CLOSE. With
    `certificate`, two files, it speaks TLS.
    """

    CLOSE = "close"

    def __init__(self, *streams, last=0, held=True, step=65536, is_chunked=True,
                 certificate=None):
        self.port = free_port()
        self.streams = list(streams)
        self.last = last
        self.held = held
        self.step = step
        self.is_chunked = is_chunked
        self.certificate = certificate
        self.addresses = set()  # of those who asked for events
        self.asked = set()      # what they asked for
        self.decide = lambda post: 200
        self.posts = []
        self.last_event_ids = []
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self._server = None

    def start(self):
        self._server = _Server(("127.0.0.1", self.port), _Handler)
        self._server.owner = self
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self):
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()

    def next_stream(self, request):
        with self.lock:
            self.addresses.add(request.client_address[0])
            self.asked.add(request.path)
            self.last_event_ids.append(request.headers.get("Last-Event-ID"))
            return self.streams.pop(0) if len(self.streams) > 1 else self.streams[0]


class Post:
    def __init__(self, path, headers, body):
        self.time = time.monotonic()
        self.path = path
        self.headers = headers
        self.body = body.decode()
        self.key = headers.get("Idempotency-Key")
        self.fields = dict(urllib.parse.parse_qsl(body.decode()))


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):  # pylint: disable=invalid-name
        fake = self.server.owner
        if not self.path.endswith("/events/") and not self.path.startswith("/connection/"):
            self._answer(200, f'{{"messages": [], "last-event-id": "room-load-0:{fake.last}"}}')
            return
        body = fake.next_stream(self)
        if isinstance(body, int):
            self._answer(body, "no")
        else:
            self._stream(fake, body.encode())

    def _stream(self, fake, body):
        coding = "Transfer-Encoding: chunked" if fake.is_chunked else "Connection: close"
        self.wfile.write("\r\n".join(["HTTP/1.1 200 OK", "Content-Type: text/event-stream",
                                      coding, "", ""]).encode())
        for start in range(0, len(body), fake.step):
            piece = body[start:start + fake.step]
            if fake.is_chunked:
                piece = b"%x\r\n%s\r\n" % (len(piece), piece)
            self.wfile.write(piece)
        if fake.held:
            fake.ended.wait(30)
        elif fake.is_chunked:
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def do_POST(self):  # pylint: disable=invalid-name
        fake = self.server.owner
        post = Post(self.path, self.headers, self.rfile.read(int(self.headers["Content-Length"])))
        with fake.lock:
            fake.posts.append(post)
            status = fake.decide(post)
            fake.last += status == 200
        if status == fake.CLOSE:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._answer(status, f'{{"id": {fake.last}, "from": "load", "text": "x"}}',
                     **({"Retry-After": "1"} if status == 503 else {}))

    def _answer(self, status, text, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        """Quiet: the records are what a test looks at."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A client that gives up is what some tests want, and no news."""
