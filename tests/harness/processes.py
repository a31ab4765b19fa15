"""Starting, watching and ending processes; each is ended by its own number, never by name."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time


def wait_until(condition, timeout, what, every=0.02):
    """Polls `condition` until it is true and returns its value; fails saying `what` never came."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"within {timeout} s: no {what}")
        time.sleep(every)


def run_directory():
    """A new directory with a short path (Unix sockets lie in it) that the run user can enter."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="gc-", dir="/tmp"))
    path.chmod(0o755)
    return path


def remove_directory(path):
    if not os.environ.get("GRIP_CHAT_KEEP"):
        shutil.rmtree(path, ignore_errors=True)


def _live_processes(field, value):
    """Those whose /proc/{pid}/stat has `value` there, counted behind the name, zombies left out."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[field] == str(value) and fields[0] != "Z":
            found.append(int(entry.name))
    return sorted(found)


def children_of(pid):
    """The live processes whose parent is `pid`."""
    return _live_processes(1, pid)


def session_members(session):
    """The processes that belong to a session, that is, all that came from one `spawn`."""
    return _live_processes(3, session)


def spawn(argv, log, environment=None):
    """Starts a server in a session of its own, so that whatever it forks can be found again."""
    with open(log, "ab") as output:
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output,
                                stderr=subprocess.STDOUT, start_new_session=True,
                                env=environment)


def kill(pid, number=signal.SIGKILL):
    """Sends a signal; that the process has just ended is no error."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def end(process, timeout=10):
    """Ends a spawned server with SIGTERM; whatever of its session is left after that is killed.

    Returns the leftovers, which a well-behaved server does not have.
    """
    kill(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        pass
    deadline = time.monotonic() + 3
    while session_members(process.pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    leftovers = session_members(process.pid)
    kill_session(process)
    return leftovers


def kill_session(process):
    """SIGKILL to everything that came from one `spawn`; then its ports are free."""
    for pid in session_members(process.pid):
        kill(pid)
    process.wait(10)
    # A killed process with thousands of connections needs its time to end.
    wait_until(lambda: not session_members(process.pid), 10, "end of killed processes")
