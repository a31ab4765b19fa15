"""The samples of conf/layouts, run as they stand but for names, ports and paths."""

import pathlib
import re
import shutil
import socket
import subprocess

from . import paths
from .certificate import make_certificate
from .httpd import run_user
from .processes import end, remove_directory, run_directory, spawn, wait_until
from .pushpin import Pushpin

SAMPLES = paths.ROOT / "conf" / "layouts"
_BUNDLE = "/etc/ssl/chat.example/bundle.pem"

_NGINX = """\
daemon off;
user {user};
pid {directory}/nginx.pid;
error_log {directory}/error.log warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    include {directory}/chat.conf;
}}
"""


def replaced(text, words):
    """The text with each word replaced; a word that the sample does not have is an error."""
    for word, value in words.items():
        assert word in text, f"the sample has no {word!r}"
        text = text.replace(word, str(value))
    return text


def sample(name, words):
    return replaced((SAMPLES / name).read_text(), words)


def certificate_words(directory):
    """Makes a certificate, and says where it lies in the words of the samples."""
    certificate, key = make_certificate(directory)
    (directory / "bundle.pem").write_bytes(certificate.read_bytes() + key.read_bytes())
    for name in ("cert.pem", "key.pem", "bundle.pem"):
        (directory / name).chmod(0o644)
    return {"/etc/ssl/chat.example/fullchain.pem": certificate,
            "/etc/ssl/chat.example/privkey.pem": key,
            _BUNDLE: directory / "bundle.pem"}


def chat_conf(apache, grip_url):
    """conf/grip_chat.conf with the paths of a test; the file that the samples include."""
    htdocs = apache.directory / "htdocs"
    shutil.copytree(paths.HTDOCS, htdocs)
    for entry in [htdocs, *htdocs.rglob("*")]:
        entry.chmod(0o755 if entry.is_dir() else 0o644)
    text = replaced((paths.ROOT / "conf" / "grip_chat.conf").read_text(),
                    {"/var/lib/grip-chat/chat.db": apache.database,
                     "/usr/local/share/mod_grip_chat/htdocs": htdocs,
                     "/usr/local/share/mod_grip_chat/page.conf": paths.PAGE_CONF})
    text, found = re.subn(r"(?m)^GripChatGripURL .*$", lambda _: f'GripChatGripURL "{grip_url}"', text)
    assert found == 1
    target = apache.directory / "grip_chat.conf"
    target.write_text(text)
    return target


def pushpin_of_the_sample(origin_port, tls_port=None):
    """A Pushpin with the lines of conf/layouts/pushpin.conf; with `tls_port` it has TLS there."""
    options = dict(re.findall(r"(?m)^([a-z_]+)=(.*)$", sample("pushpin.conf", {})))
    # Ports and keys are the test's own.
    del options["http_port"], options["sig_key"]
    pushpin = Pushpin(origin_port, **options)
    if tls_port:
        config = pushpin.directory / "pushpin.conf"
        config.write_text(re.sub(r"(?m)^http_port=.*$",
                                 lambda found: f"{found[0]}\nhttps_ports=127.0.0.1:{tls_port}",
                                 config.read_text()))
        certificates = pushpin.directory / "runner" / "certs"
        certificates.mkdir(parents=True)
        certificate, key = make_certificate(pushpin.directory)
        certificate.rename(certificates / f"default_{tls_port}.crt")
        key.rename(certificates / f"default_{tls_port}.key")
    return pushpin


class Front:
    """nginx or HAProxy with a sample of conf/layouts; `port` speaks TLS."""

    def __init__(self, name, port, apache_port, pushpin_port=None):
        self.directory = run_directory()
        self.port = port
        self.process = None
        words = {"127.0.0.1:8080": f"127.0.0.1:{apache_port}"}
        if pushpin_port:
            words["127.0.0.1:7999"] = f"127.0.0.1:{pushpin_port}"
        certificate = certificate_words(self.directory)
        bundle = {_BUNDLE: certificate.pop(_BUNDLE)}
        if name.startswith("nginx"):
            self._argv = self._nginx(sample(name, {
                "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
                "server_name chat.example": "server_name localhost", **words, **certificate}))
        else:
            self._argv = self._haproxy(sample(name, {
                "bind :443 ssl": f"bind 127.0.0.1:{port} ssl", **words, **bundle}))

    def _nginx(self, text):
        (self.directory / "chat.conf").write_text(text)
        (self.directory / "nginx.conf").write_text(
            _NGINX.format(user=run_user(), directory=self.directory))
        return [paths.program("nginx"), "-p", str(self.directory), "-e",
                str(self.directory / "error.log"), "-c", str(self.directory / "nginx.conf")]

    def _haproxy(self, text):
        (self.directory / "haproxy.cfg").write_text(text)
        return [paths.program("haproxy"), "-db", "-f", str(self.directory / "haproxy.cfg")]

    def start(self):
        self.process = spawn(self._argv, self.directory / "output.log")
        wait_until(self._listens, 20, "answer of the server in front")
        return self

    def _listens(self):
        assert self.process.poll() is None, (self.directory / "output.log").read_text()
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        except OSError:
            return False

    def stop(self):
        if self.process is not None:
            end(self.process)
            self.process = None
        remove_directory(self.directory)


class Curl:
    """curl as a visitor from an address of his own, who sends a false X-Forwarded-For."""

    def __init__(self, port, address="127.0.0.7"):
        self._base = f"https://localhost:{port}"
        self._argv = [paths.program("curl"), "-sk", "--interface", address,
                      "--connect-to", f"localhost:{port}:127.0.0.1:{port}",
                      "-H", "X-Forwarded-For: 192.0.2.66"]

    def run(self, path, *options):
        """The answer's head and body as one text."""
        answer = subprocess.run([*self._argv, "--max-time", "30", "-i", *options, self._base + path],
                                capture_output=True, text=True, timeout=60, check=False)
        assert answer.returncode == 0, (answer.returncode, answer.stderr)
        return answer.stdout

    def stream(self, path, output: pathlib.Path):
        """Starts `curl -N`, which writes into `output`; returns the process."""
        return spawn([*self._argv, "-N", self._base + path], output)
