"""strace on a process that runs."""

import contextlib
import pathlib
import subprocess

from . import paths
from .processes import wait_until


@contextlib.contextmanager
def traced(pid, log, expression):
    """Writes the calls of a process and its threads that `expression` names into a file, meanwhile."""
    tracer = subprocess.Popen([paths.program("strace"), "-f", "-q", "-o", log, "-p", str(pid), "-e", expression],
                              stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: "TracerPid:\t0\n" not in
                   pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii"), 10, "strace")
        yield
    finally:
        tracer.terminate()
        tracer.wait(10)
