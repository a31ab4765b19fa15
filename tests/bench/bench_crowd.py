"""A crowd of readers of one server, posts on command, and what the server takes for it."""

import resource
import time

from bench.bench_load import median
from harness.load_client import LoadClient
from harness.processes import session_members

# No more messages come after so many seconds without any.
_SILENCE = 5


def allow_open_files(readers):
    """Raises the limit for all that is started from here on; returns how many files each may have."""
    need = readers + 2000
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < need:
        raise SystemExit(f"bench: {readers:,} readers need {need:,} open files in one process, and the hard"
                         f" limit is {hard:,}: raise it (ulimit -Hn, or LimitNOFILE of the session)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (need, hard))
    return need


def memory_kb(process):
    """What all processes of a server have in memory, what they share counted once. The kernel's own part
    of a connection is nobody's."""
    total = 0
    for pid in session_members(process.pid):
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        except (FileNotFoundError, ProcessLookupError):
            pass  # it has just ended
    return total


class Crowd:
    """Readers of `process`, a server that was spawned; posts go to `origin_port`.

    One that `may_lose` may end streams, and messages may miss readers; `lost` says how many did."""

    def __init__(self, bench, name, process, origin_port, proxy_port=None, may_lose=False, **options):
        self.name = name
        self._may_lose = may_lose
        self._expected = 0
        self._arrived = 0
        self.readers = 0
        self._process = process
        self._options = options
        self._client = bench.servers.keep(LoadClient(origin_port, proxy_port), LoadClient.close)
        self._before_kb = None
        self._connects = None

    def connect(self, readers, rooms=1, posters=8, **options):
        self.readers = readers
        self._before_kb = memory_kb(self._process)
        self._client.start(readers=readers, rooms=rooms, posters=posters, on_command=True, settle=1,
                           source_addresses=20, open_timeout=60,
                           **{"connect_rate": 2000, **self._options, **options})
        self._client.wait_posting(90)
        self._connects = self._client.status()["connects"]
        # Readers that poll, or are refused, connect again and again.
        time.sleep(0.5)
        self._check_streams(self._client.status())
        return self

    def _check_streams(self, status):
        assert self._may_lose or status["open"] == self.readers and status["connects"] == self._connects, (
            f"{self.name}: {status['open']} of {self.readers} readers have a stream, after"
            f" {self._connects} connects and then {status['connects']} ({status['statuses']})")

    def kb_each(self):
        return (memory_kb(self._process) - self._before_kb) / self.readers

    def post(self, messages):
        """Posts so many to the one room, waits until all readers have them, and returns the report."""
        before = self._client.status()["messages"]
        expected = messages * self.readers
        self._client.post(messages)
        status = self._wait_for(before + expected)
        arrived = status["messages"] - before
        assert self._may_lose or arrived == expected, f"{self.name}: {arrived} of {expected} messages"
        self._check_streams(status)
        self._expected += expected
        self._arrived += arrived
        return {**status, "arrived": arrived}

    def _wait_for(self, expected):
        """Until so many messages came, or for some time none; looks seldom, for each look takes time that
        is measured."""
        last, moved = None, time.monotonic()
        while True:
            status = self._client.status()
            if status["messages"] != last:
                last, moved = status["messages"], time.monotonic()
            if last >= expected or time.monotonic() > moved + _SILENCE:
                return status
            time.sleep(0.1)

    @property
    def lost(self):
        return 1 - self._arrived / self._expected

    def latencies(self, messages):
        """p50 and p99 over the readers of one message, in ms: the medians of so many messages."""
        found = []
        for _ in range(messages):
            found.append(self.post(1)["live_ms"])
            time.sleep(0.1)
        return {of: median([one[of] for one in found]) for of in ("p50", "p99")}

    def latencies_of_many(self, messages):
        """The same over messages that follow each other, where there are few readers."""
        return self.post(messages)["live_ms"]

    def burst(self, messages):
        """Events a second, from the first post to the last reader's last event."""
        status = self.post(messages)
        return {"rate": status["arrived"] * 1e3 / status["order_ms"] if status["arrived"] else 0}
