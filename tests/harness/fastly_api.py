"""Behaves where publishes are taken as api.fastly.com is documented to, and has a CA of its own.

The documentation names the address, the bearer token, 200 and 401 (Publishing), and 1,000 requests an hour
with 429 beyond (Fastly API). That bodies of errors are JSON with `msg` and `detail` is what other parts of
the API do.
"""

import datetime
import http.server
import ipaddress
import json
import os
import ssl
import subprocess
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from .ports import free_port
from .processes import wait_until
from .publish_listener import Publish

NAME = "api.fastly.com"
SYSTEM_CAS = "/etc/ssl/certs/ca-certificates.crt"


class Authority:
    """Signs certificates; `wrap` is how one Apache, and nobody else, comes to trust it."""

    def __init__(self, directory):
        self.directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA of a test")])
        certificate = self._begin(self._name, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.file = directory / "ca.pem"
        self.file.write_bytes(self._sign(certificate))

    def _begin(self, subject, public_key, days=1):
        now = datetime.datetime.utcnow()
        return x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(
            public_key).serial_number(x509.random_serial_number()).not_valid_before(
            now - datetime.timedelta(days=2)).not_valid_after(now + datetime.timedelta(days=days))

    def _sign(self, builder):
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def certificate(self, name=NAME, days=1):
        """A file with a certificate and its key; days below 0 for one that has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._begin(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
                              key.public_key(), days)
        names = x509.SubjectAlternativeName([x509.DNSName(name),
                                             x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
                                            if name != NAME else [x509.DNSName(name)])
        file = self.directory / f"{name}{days}.pem"
        file.write_bytes(self._sign(builder.add_extension(names, critical=False)) + key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return file

    def wrap(self, is_trusted=True):
        """Words before a command line: it finds Fastly's name on loopback, and may trust this CA."""
        hosts = self.directory / "hosts"
        hosts.write_text(f"127.0.0.1 localhost {NAME}\n")
        mounts = f"mount --bind {hosts} /etc/hosts"
        if is_trusted:
            mounts += f" && mount --bind {self.file} {SYSTEM_CAS}"
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                f'{mounts} && exec "$@"', "sh"]


def is_possible():
    """Whether a process may have mounts that no other one sees."""
    return os.geteuid() == 0 and os.path.exists(SYSTEM_CAS) and subprocess.run(
        ["unshare", "--mount", "true"], capture_output=True, timeout=10, check=False
    ).returncode == 0


def window_of(seconds):
    """The header fields of a limit that is used up, and begins anew after so many seconds."""
    return {"Fastly-RateLimit-Remaining": "0", "Fastly-RateLimit-Reset": str(int(time.time()) + seconds)}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        with self.server.owner.lock:
            self.server.owner.connections += 1

    def do_POST(self):  # pylint: disable=invalid-name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, answer, more = self.server.owner.take(Publish(self, body))
        kind = "text/plain" if status == 200 else "application/json"
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(answer)), **more}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        """Quiet: the record is what a test looks at."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    context = None

    def get_request(self):
        connection, address = self.socket.accept()
        # The handshake belongs to the connection's own thread.
        return self.context.wrap_socket(connection, server_side=True,
                                        do_handshake_on_connect=False), address

    def handle_error(self, request, client_address):
        """A client that does not trust the certificate is what some tests want, and no news."""


class FastlyApi:
    """`limited` answers 429 with these header fields, if not None; `refuses` is called with a Publish.

    `token` is what it accepts; it can be changed.
    """

    def __init__(self, certificate, service="SU1Z0isxPaozGVKXdv0eY", token="a-token-of-ours"):
        self.port = free_port()
        self.service = service
        self.token = token
        self.limited = None
        self.refuses = lambda publish: False
        self.connections = 0
        self.lock = threading.Lock()
        self._publishes = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._server = None

    @property
    def grip_url(self):
        return (f"https://{NAME}:{self.port}/service/{self.service}"
                f"?verify-iss=fastly:{self.service}&key={self.token}")

    def start(self):
        self._server = _Server(("127.0.0.1", self.port), _Handler)
        self._server.owner = self
        self._server.context = self._context
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def take(self, publish):
        """What it answers: status, body, more headers."""
        publish.status, detail, more = self._judge(publish)
        with self.lock:
            self._publishes.append(publish)
        if publish.status == 200:
            return 200, b"Published\n", more
        return publish.status, json.dumps({"msg": "no", "detail": detail}).encode(), more

    def _judge(self, publish):
        if publish.path != f"/service/{self.service}/publish/":
            return 404, "there is no such place", {}
        if publish.headers["Authorization"] != f"Bearer {self.token}":
            return 401, "Provided credentials are missing or invalid", {}
        if self.limited is not None:
            return 429, "You have exceeded your hourly rate limit", self.limited
        if self.refuses(publish):
            return 400, "cannot be published", {}
        return 200, "", {}

    @property
    def publishes(self):
        with self.lock:
            return list(self._publishes)

    def taken(self, channel=None):
        """The items that were answered 200, in order; of one channel, if named."""
        return [item for publish in self.publishes if publish.status == 200
                for item in publish.items if channel in (None, item["channel"])]

    def wait_for(self, condition, what, timeout=15):
        """Until `condition`, called with this object, holds."""
        return wait_until(lambda: condition(self), timeout, what)
