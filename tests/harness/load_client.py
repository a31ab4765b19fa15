"""Drives chat_load (tests/load), which can do what Python threads cannot: thousands of readers."""

import json
import os
import select
import subprocess
import time

from . import paths
from .processes import wait_until


class LoadClient:
    """One run: `start`, perhaps `status` and `stop`, and `wait` for the report, a dict."""

    def __init__(self, origin_port, proxy_port=None):
        self._addresses = ["--origin", f"127.0.0.1:{origin_port}"]
        if proxy_port is not None:
            self._addresses += ["--proxy", f"127.0.0.1:{proxy_port}"]
        self._process = None
        self._unread = b""

    def start(self, **options):
        """`text_bytes=100` becomes `--text-bytes 100`, `key=True` becomes `--key`."""
        argv = [str(paths.load_client_path()), *self._addresses]
        for name, value in options.items():
            option = "--" + name.replace("_", "-")
            if value is True:
                argv.append(option)
            elif value is not None and value is not False:
                argv += [option, str(value)]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self

    def status(self, timeout=10):
        """What was counted so far; the last report, once it has ended."""
        try:
            self._command(b"status\n")
        except BrokenPipeError:
            pass
        return self._report(timeout)

    def wait_posting(self, timeout=90):
        """Until all readers are connected, and posting has begun."""
        wait_until(lambda: self.status()["state"] != "connecting", timeout, "begin of posting",
                   every=0.1)
        return self

    def post(self, messages):
        """With `on_command`: so many more."""
        self._command(b"post %d\n" % messages)

    def wait_for(self, condition, timeout, what):
        """Until a status meets a condition; returns it."""
        end = time.monotonic() + timeout
        while not condition(status := self.status()):
            assert time.monotonic() < end, f"within {timeout} s: no {what}, but {status}"
            time.sleep(0.1)
        return status

    def stop(self, timeout=120):
        """Ends posting, waits until the readers are whole or had their time, and reports."""
        try:
            self._command(b"stop\n")
        except BrokenPipeError:
            pass
        return self.wait(timeout)

    def wait(self, timeout=120):
        """The report of the end; an answer to `status` that nobody read is passed over."""
        end = time.monotonic() + timeout
        report = self._report(timeout)
        while report["state"] != "ended":
            report = self._report(end - time.monotonic())
        assert self._process.wait(10) == 0
        return report

    def close(self):
        """Whatever it is at: it ends."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(10)
        self._process.stdin.close()
        self._process.stdout.close()
        self._process = None

    def _command(self, line):
        # Unbuffered: a command that could not be sent must not be tried again by close().
        os.write(self._process.stdin.fileno(), line)

    def _report(self, timeout):
        end = time.monotonic() + timeout
        while b"\n" not in self._unread:
            left = max(end - time.monotonic(), 0)
            if not select.select([self._process.stdout], [], [], left)[0]:
                raise AssertionError(f"within {timeout} s: no report of the load client")
            data = os.read(self._process.stdout.fileno(), 65536)
            if not data:
                raise AssertionError(
                    f"the load client ended without a report: {self._process.wait(10)}")
            self._unread += data
        line, self._unread = self._unread.split(b"\n", 1)
        return json.loads(line)
