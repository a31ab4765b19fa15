"""The rows over TLS: what a list takes there beside the same bytes of a file, asked for by h2load."""

import re
import subprocess

from bench.bench_apache import BenchApache, tls_host
from bench.bench_fill import with_rooms
from bench.bench_load import ratios, side_by_side
from bench.bench_result import Result
from harness import paths
from harness.client import messages_path
from harness.ports import free_port

_CONNECTIONS = 64


class TlsApache(BenchApache):

    def __init__(self, **options):
        self.tls_port = free_port()
        super().__init__(**options)
        self.error_log.allow("AH01873")  # a cache of TLS sessions, which nobody resumes here

    def _site(self, apache):
        return super()._site(apache) + tls_host(apache, self.tls_port)


def _run(url, options, seconds):
    answer = subprocess.run([paths.program("h2load"), "-t1", f"-c{_CONNECTIONS}", f"-D{seconds}",
                             *options, url], capture_output=True, text=True, timeout=seconds + 60,
                            check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    failed = re.search(r"(\d+) failed, (\d+) errored, (\d+) timeout", answer.stdout)
    bad = re.search(r"status codes: \d+ 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", answer.stdout)
    assert not any(map(int, failed.groups() + bad.groups())), answer.stdout
    return {"rate": float(re.search(r"finished in .*, ([\d.]+) req/s", answer.stdout)[1])}


def _row(name, what, options):
    def row(bench):
        url = bench.servers.listener().url + "?key=changeme"
        apache = bench.servers.keep(TlsApache(grip_urls=[url], fill=with_rooms(1, 50)),
                                    TlsApache.stop).start()
        listed = apache.client.get(messages_path("r1")).body
        base = f"https://127.0.0.1:{apache.tls_port}"
        theirs, mine = side_by_side(
            [lambda path=path: _run(base + path, options, max(int(bench.scale.seconds), 3))
             for path in (apache.static_file(listed), messages_path("r1"))], bench.scale.runs)
        return Result(name, what, f"static file of {len(listed):,} bytes, likewise",
                      ratios(mine, theirs, "rate"), 1, True)
    return row


ROWS = {
    "tls-messages": _row("tls-messages",
                         "GET messages, 50 in the room, over TLS, 64 connections (h2load)", ["--h1"]),
    "h2-messages": _row("h2-messages", "the same over HTTP/2, four streams on each", ["-m4"]),
}
