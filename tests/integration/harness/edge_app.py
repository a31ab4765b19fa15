"""The edge app in the stand-in of edge/local, on a free port of loopback."""

from . import paths
from .client import Client
from .processes import end, free_port, remove_directory, run_directory, spawn, wait_until

MODULE = paths.ROOT / "edge" / "bin" / "main.wasm"


class EdgeApp:
    def __init__(self, origin_port, pushpin_port):
        self.port = free_port()
        self._ports = {"port": self.port, "origin": origin_port, "pushpin": pushpin_port}
        self._directory = run_directory()
        self._process = None

    def start(self):
        words = [str(word) for name, port in self._ports.items() for word in (f"--{name}", port)]
        self._process = spawn([paths.program("node"), "--no-warnings",
                               str(paths.ROOT / "edge" / "local" / "serve.mjs"), *words,
                               "--module", str(MODULE)], self._directory / "output.log", None)
        wait_until(lambda: "http://" in (self._directory / "output.log").read_text(), 20,
                   "the edge app's address")
        return self

    @property
    def client(self):
        return Client(self.port)

    def stop(self):
        leftovers = end(self._process, timeout=15)
        remove_directory(self._directory)
        assert not leftovers, f"processes that outlived the edge app: {leftovers}"
