"""The edge app in front of an Apache and a Pushpin, on a free port of loopback."""

import shutil

from . import paths
from .client import Client
from .ports import free_port
from .processes import end, remove_directory, run_directory, spawn, wait_until

MODULE = paths.ROOT / "edge" / "bin" / "main.wasm"


class EdgeApp:
    """In the stand-in of edge/local."""

    def __init__(self, origin_port, pushpin_port):
        self.port = free_port()
        self.origin_port = origin_port
        self.pushpin_port = pushpin_port
        self.directory = run_directory()
        self._process = None

    def words(self):
        """The command line."""
        return [paths.program("node"), "--no-warnings", paths.ROOT / "edge" / "local" / "serve.mjs",
                "--port", self.port, "--origin", self.origin_port, "--pushpin", self.pushpin_port,
                "--module", MODULE]

    def start(self):
        self._process = spawn([str(word) for word in self.words()], self.directory / "output.log")
        wait_until(self._answers, 20, "answer of the edge app")
        return self

    def _answers(self):
        if self._process.poll() is not None:
            raise AssertionError(f"the edge app did not start:\n{self.log()}")
        try:
            return self.client.get("/.well-known/fastly/demo-manifest").status == 200
        except OSError:
            return False

    def log(self):
        return (self.directory / "output.log").read_text(errors="replace")

    @property
    def client(self):
        return Client(self.port)

    def stop(self):
        leftovers = end(self._process, timeout=15)
        remove_directory(self.directory)
        assert not leftovers, f"processes that outlived the edge app: {leftovers}"


class Viceroy(EdgeApp):
    """In Fastly's own host for development, where it is installed."""

    @staticmethod
    def is_installed():
        return shutil.which("viceroy") is not None

    def words(self):
        config = self.directory / "fastly.toml"
        config.write_text(f'''manifest_version = 3
name = "edge-app-of-a-test"
language = "other"
[local_server.backends.origin]
url = "http://127.0.0.1:{self.origin_port}/"
override_host = "127.0.0.1:{self.origin_port}"
''')
        return ["viceroy", "--addr", f"127.0.0.1:{self.port}", "-C", config,
                "--local-pushpin-proxy-port", self.pushpin_port, MODULE]
