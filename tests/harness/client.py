"""An HTTP client that sends paths and bodies exactly as the test wrote them."""

import http.client
import json
import socket
import types
import urllib.parse

FORM = "application/x-www-form-urlencoded"


class Response:
    def __init__(self, answer, body):
        self.status = answer.status
        self.headers = answer.headers
        self.body = body

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    def header(self, name):
        """The value of a header that stands there at most once."""
        values = self.headers.get_all(name, [])
        assert len(values) <= 1, f"{name} stands there {len(values)} times: {values}"
        return values[0] if values else None

    def __repr__(self):
        return f"<{self.status} {dict(self.headers)} {self.body[:300]!r}>"


class Client:
    """One connection for each request, unless `keep` holds one open."""

    def __init__(self, port, timeout=20):
        self.port = port
        self.timeout = timeout

    def request(self, method, path, body=None, headers=None):
        with Connection(self.port, self.timeout) as connection:
            return connection.request(method, path, body, headers)

    def get(self, path, **headers):
        return self.request("GET", path, headers=_named(headers))

    def head(self, path, **headers):
        return self.request("HEAD", path, headers=_named(headers))

    def form(self, path, fields, **headers):
        """A POST as a page's form sends it; `fields` are a dict, pairs, or ready bytes."""
        return self.request("POST", path, form_body(fields),
                            {"Content-Type": FORM, **_named(headers)})

    def post_json(self, path, value, **headers):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.request("POST", path, body,
                            {"Content-Type": "application/json", **_named(headers)})

    def say(self, room, text, sender="al", **headers):
        """Posts a message and returns what the server stored; anything but 200 is a failure."""
        answer = self.form(messages_path(room), {"from": sender, "text": text}, **headers)
        assert answer.status == 200, answer
        return answer.json

    def raw(self, data):
        """Sends bytes as they are and returns everything until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), self.timeout) as connection:
            connection.sendall(data)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
            return answer


class ToldClient(Client):
    """What waits to be published is left out of holds; with this one nothing that it said waits."""

    def __init__(self, port, listener):
        super().__init__(port)
        self._listener = listener

    def say(self, room, text, sender="al", **headers):
        stored = super().say(room, text, sender, **headers)
        self._listener.wait_for_message(stored["id"])
        return stored


def pipeline(port, *heads, timeout=20):
    """Sends GET requests at once, each as `path` and header lines, and returns their answers.

    The server must answer each once, and nothing may stand between or behind the answers.
    """
    with socket.create_connection(("127.0.0.1", port), timeout) as connection:
        for number, (path, *lines) in enumerate(heads, 1):
            end = "close" if number == len(heads) else "keep-alive"
            head = [f"GET {path} HTTP/1.1", "Host: localhost", f"Connection: {end}", *lines]
            connection.sendall(("\r\n".join(head) + "\r\n\r\n").encode())
        with connection.makefile("rb") as stream:
            answers = [_read_answer(stream) for _ in heads]
            rest = stream.read()
    assert not rest, f"something stands behind the last answer: {rest[:300]}"
    return answers


def _read_answer(stream):
    version, _, rest = stream.readline().decode().partition(" ")
    assert version == "HTTP/1.1", f"no answer begins here: {version} {rest}"
    headers = http.client.parse_headers(stream)
    body = stream.read(int(headers["Content-Length"]))
    return Response(types.SimpleNamespace(status=int(rest[:3]), headers=headers), body)


class Connection:
    """A connection that is kept; `request` may be called again and again."""

    def __init__(self, port, timeout=20):
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def request(self, method, path, body=None, headers=None):
        try:
            self._http.request(method, path, body=body, headers=headers or {})
        except (BrokenPipeError, ConnectionResetError):
            # A server may refuse a large body before it has all come; its answer is there.
            pass
        answer = self._http.getresponse()
        return Response(answer, answer.read())

    def say(self, room, text, sender="al", **headers):
        answer = self.request("POST", messages_path(room),
                              form_body({"from": sender, "text": text}),
                              {"Content-Type": FORM, **_named(headers)})
        assert answer.status == 200, answer
        return answer.json

    def close(self):
        self._http.close()


def _named(headers):
    """Keyword arguments as header names: If_None_Match is If-None-Match."""
    return {name.replace("_", "-"): value for name, value in headers.items()}


def form_body(fields):
    return fields if isinstance(fields, bytes) else urllib.parse.urlencode(fields).encode()


def segment(room):
    """A room's name as one segment of a path."""
    return urllib.parse.quote(room, safe="")


def messages_path(room):
    return f"/rooms/{segment(room)}/messages/"


def events_path(room):
    return f"/rooms/{segment(room)}/events/"


def multipart(fields, boundary="x-boundary-x"):
    """Content type and body; a field is (name, value) or (name, value, more header lines)."""
    body = b""
    for name, value, *more in fields:
        head = [f'Content-Disposition: form-data; name="{name}"', *more]
        value = value if isinstance(value, bytes) else value.encode()
        body += (f"--{boundary}\r\n" + "\r\n".join(head) + "\r\n\r\n").encode() + value + b"\r\n"
    body += f"--{boundary}--\r\n".encode()
    return f"multipart/form-data; boundary={boundary}", body
