"""A server of event streams that the module's own are measured beside."""

import socket

from harness.ports import free_port
from harness.processes import (end, remove_directory, run_directory, session_members, spawn,
                               wait_until)


class Peer:
    """Runs in the foreground, in a session and a directory of its own; says how it is started, and with how
    many processes it is there."""

    name = None
    processes = 1

    def __init__(self):
        self.directory = run_directory()
        self.port = free_port()
        self.process = None

    def words(self):
        """The command line."""
        raise NotImplementedError

    def start(self):
        self.process = spawn(self.words(), self.directory / "output.log")
        wait_until(self._listens, 10, f"answer of {self.name}")
        return self

    def _listens(self):
        assert self.process.poll() is None, self._log()
        # A master listens before its workers are there.
        if len(session_members(self.process.pid)) < self.processes:
            return False
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _log(self):
        return "".join(path.read_text(errors="replace")
                       for path in sorted(self.directory.glob("*.log")))

    def stop(self):
        if self.process is not None:
            end(self.process)
            self.process = None
        remove_directory(self.directory)
