"""A real Pushpin on ports of its own, with the configuration of `./dev run`."""

import socket

import pytest

from . import paths, templates
from .client import Client
from .ports import free_port
from .processes import end, kill_session, remove_directory, run_directory, spawn, wait_until


class Pushpin:
    def __init__(self, origin_port, sig_key="changeme", sig_iss="pushpin", **options):
        if not paths.pushpin():
            pytest.skip("there is no Pushpin here")
        self.directory = run_directory()
        self.port = free_port()
        self.publish_port = free_port()
        self.process = None
        self._write_config(origin_port, sig_key, sig_iss, options)

    def _write_config(self, origin_port, sig_key, sig_iss, options):
        values = {"PUSHPIN_DIR": self.directory, "PORT": self.port,
                  "PUBLISH_PORT": self.publish_port, "ORIGIN_PORT": origin_port,
                  "SIG_KEY": sig_key, "SIG_ISS": sig_iss, "SERVICES": paths.pushpin_services()}
        config = templates.set_options(templates.fill("pushpin.conf.in", values), options)
        (self.directory / "pushpin.conf").write_text(config)
        (self.directory / "routes").write_text(templates.fill("routes.in", values))
        internal = paths.pushpin_internal_conf().read_text().replace(
            "ipc:///var/run/zurl/zurl-", "ipc://{rundir}/{ipc_prefix}zurl-")
        (self.directory / "internal.conf").write_text(internal)
        (self.directory / "log").mkdir()

    @property
    def publish_url(self):
        return f"http://127.0.0.1:{self.publish_port}/"

    @property
    def grip_url(self):
        """As a GRIP_URL for the default key."""
        return self.publish_url + "?key=changeme"

    @property
    def client(self):
        return Client(self.port)

    def start(self):
        # The kernel may still be at the thousands of streams of one that was killed.
        wait_until(self._can_listen, 20, "ports of Pushpin")
        self.process = spawn(
            [paths.pushpin(), f"--config={self.directory / 'pushpin.conf'}"],
            self.directory / "output.log", paths.pushpin_environment())
        try:
            wait_until(self._is_ready, 20, "answer of Pushpin")
        except AssertionError as problem:
            raise AssertionError(f"{problem}\n{self.log()}") from problem
        return self

    def _can_listen(self):
        try:
            for port in (self.port, self.publish_port):
                with socket.create_server(("127.0.0.1", port)):
                    pass
        except OSError:
            return False
        return True

    def _is_ready(self):
        """It holds streams and hears zurl (see conf/dev/routes.in), and publishing connects."""
        if self.process.poll() is not None:
            raise AssertionError(f"Pushpin ended with {self.process.returncode}")
        try:
            if not self._answers("stream", 200) or not self._answers("origin", 502):
                return False
            with socket.create_connection(("127.0.0.1", self.publish_port), 2):
                return True
        except OSError:
            return False

    def _answers(self, question, status):
        request = (f"GET /.well-known/pushpin-is-ready/{question} HTTP/1.1\r\n"
                   "Host: localhost\r\n\r\n")
        # An answer that was lost never comes.
        with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
            connection.sendall(request.encode())
            return connection.recv(100).startswith(f"HTTP/1.1 {status} ".encode())

    def log(self):
        return "\n".join(path.read_text(errors="replace")[-3000:]
                         for path in [self.directory / "output.log",
                                      *sorted((self.directory / "log").glob("*.log"))]
                         if path.exists())

    def stop(self, forget=True):
        """Ends it in order; with forget=False it can be started again on the same ports."""
        if self.process is not None:
            end(self.process)
            self.process = None
        if forget:
            remove_directory(self.directory)

    def kill(self):
        """SIGKILL to all its processes at once; killing the runner alone leaves ports taken."""
        kill_session(self.process)
        self.process = None
