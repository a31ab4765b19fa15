"""Ports on loopback for the servers of tests that run at the same time."""

import fcntl
import os
import pathlib
import random
import socket
import tempfile

# Below those that outgoing connections take.
_RANGE = (15000, 32000)


class _Ports:
    """Ports that are this process's until it ends, though nothing listens on them yet.

    Many servers start at once in several processes. Between the choice of a port and its use, which may
    be a second on a busy machine, or while a server is down on purpose, another one must not take it:
    each port is a byte of a file, and locked.
    """

    def __init__(self):
        # The locks end when any descriptor of the file is closed: there is one, and it stays.
        self._file = None
        self._taken = set()

    def take(self):
        if self._file is None:
            path = pathlib.Path(tempfile.gettempdir()) / f"grip-chat-ports-{os.getuid()}"
            self._file = path.open("wb")
        for _ in range(2000):
            port = random.randint(*_RANGE)
            if port not in self._taken and self._lock(port) and _can_bind(port):
                self._taken.add(port)
                return port
        raise RuntimeError("no free port found")

    def _lock(self, port):
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
        except OSError:
            return False
        return True


def _can_bind(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


_ports = _Ports()


def free_port():
    """A port on loopback that nothing listens on; no other process of these tests is given it."""
    return _ports.take()
