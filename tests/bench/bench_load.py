"""Drives wrk, and compares two of its runs that take turns."""

import json
import pathlib
import statistics
import subprocess
import tempfile

from harness import paths

_SCRIPT = pathlib.Path(__file__).with_name("requests.lua")


def request(path, method="GET", headers=None, body=None):
    return {"method": method, "path": path, "headers": headers or {}, "body": body}


def _lua(value):
    if value is None:
        return "nil"
    if isinstance(value, dict):
        return "{" + ", ".join(f"[{_lua(k)}] = {_lua(v)}" for k, v in value.items()) + "}"
    return '"' + "".join(c if c.isalnum() or c in " -_./:;=,{}&?" else f"\\{ord(c):03d}"
                         for c in value) + '"'


class Load:
    """Requests that take turns, over so many connections."""

    def __init__(self, port, requests, connections, cycle=None):
        self._port = port
        self._requests = requests
        self._connections = connections
        self._cycle = cycle
        self.sent = 0

    def run(self, seconds):
        """One run of wrk: rate (a second), p50 and p99 (ms), time (ms for each connection's turn)."""
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
            lines = [_lua(one) for one in self._requests]
            if self._cycle:
                lines.append(f"cycle = {self._cycle}")
            # A cycle goes on where the last run ended.
            lines.append(f"first = {self.sent % self._cycle if self._cycle else 0}")
            file.write("return {" + ",\n".join(lines) + "}\n")
            file.flush()
            answer = subprocess.run(
                [paths.program("wrk"), "-t1", f"-c{self._connections}", f"-d{seconds}s",
                 "--timeout", "10s", "-s", str(_SCRIPT), f"http://127.0.0.1:{self._port}",
                 "--", file.name],
                capture_output=True, text=True, timeout=seconds + 60, check=False)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        report = json.loads(answer.stdout.rpartition("RESULT ")[2])
        assert report["errors"] == 0, f"{report['errors']} requests failed:\n{answer.stdout}"
        assert report["requests"] > 0, answer.stdout
        self.sent += report["requests"]
        rate = report["requests"] * 1e6 / report["microseconds"]
        return {"rate": rate, "p50": report["p50"] / 1e3, "p99": report["p99"] / 1e3,
                "time": self._connections * 1e3 / rate}


def side_by_side(measures, runs):
    """Runs each measure in turn, `runs` times after one that does not count; a list for each."""
    results = [[] for _ in measures]
    for turn in range(runs + 1):
        for measure, kept in zip(measures, results):
            value = measure()
            if turn:
                kept.append(value)
    return results


def ratios(ours, yardstick, of):
    return [a[of] / b[of] for a, b in zip(ours, yardstick)]


def median(values):
    return statistics.median(values)
