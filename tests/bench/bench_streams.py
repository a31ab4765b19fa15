"""The rows about event streams that Apache holds itself: beside other servers, and 10,000 at once."""

import time

from bench.bench_apache import BenchApache, tls_host
from bench.bench_centrifugo import Centrifugo
from bench.bench_crowd import Crowd, allow_open_files
from bench.bench_load import Load, median, ratios, request, side_by_side
from bench.bench_nchan import Nchan
from bench.bench_peer import Peer
from bench.bench_result import Result
from harness import paths
from harness.load_client import LoadClient
from harness.ports import free_port

# Of the 10,000, as in the rooms of a busy site.
_ROOMS = 50
_PLAIN_KB = 40
_TLS_KB = 70
_ROOM_P99_MS = 300
# Posts a second to those rooms while the static file is asked for.
_RATE = 10


class StreamsApache(BenchApache):
    """Two children, each with room for all readers: the kernel does not share them out evenly."""

    def __init__(self, readers, is_tls=False):
        self._share = readers + 100
        self._is_tls = is_tls
        self.tls_port = free_port()
        super().__init__(processes="two children", grip_urls=["none"], Streams="On",
                         MaxStreams=2 * self._share, MaxStreamsPerClient="Off")
        self.error_log.allow(
            "AH01873",  # a cache of TLS sessions, which nobody resumes here
            "AH00484")  # thousands who connect at once take all threads for that moment

    def _site(self, apache):
        modules = paths.apache_modules_dir()
        lines = [f"AsyncRequestWorkerFactor {self._share * 4 // 3 // 64 + 1}",
                 # As on a server of Debian's: it has a filter on each connection.
                 f'LoadModule reqtimeout_module "{modules}/mod_reqtimeout.so"',
                 f'LoadModule status_module "{modules}/mod_status.so"',
                 '<Location "/server-status">', "    SetHandler server-status",
                 "    Require all granted", "</Location>"]
        text = "\n".join(lines) + "\n" + super()._site(apache)
        if self._is_tls:
            text += tls_host(apache, self.tls_port)
        return text

    def busy_workers(self):
        """Besides the one that tells it."""
        text = self.client.get("/server-status?auto").text
        return next(int(line.split()[1]) for line in text.splitlines()
                    if line.startswith("BusyWorkers:")) - 1


def _readers(bench, count):
    return max(int(count * bench.scale.crowd), 1)


def _own(bench, readers, is_tls=False):
    apache = bench.servers.keep(StreamsApache(readers, is_tls), StreamsApache.stop).start()
    # The first request of each child takes memory that no stream takes.
    for _ in range(50):
        apache.client.get("/rooms/load-0/messages/")
    return apache


def _crowd(bench, apache, **options):
    return Crowd(bench, "Apache", apache.process, apache.port, **options)


def _peer(bench, peer, **options):
    bench.servers.keep(peer, Peer.stop).start()
    return Crowd(bench, peer.name, peer.process, peer.port, server=peer.name.lower(), **options)


def _nchan(bench, readers, posters):
    return _peer(bench, Nchan(allow_open_files(readers))).connect(readers, posters=posters)


def _centrifugo(bench, readers, posters):
    return _peer(bench, Centrifugo()).connect(readers, posters=posters)


def _pushpin(bench, readers, posters):
    # Where it has room for hardly more connections than there are, its condure panics.
    _, pushpin = bench.behind_pushpin(client_maxconn=4 * readers + 100, message_rate=0,
                                      message_hwm=100000000)
    # It asks the origin for each, and answers some with a 502 where they come faster. What is
    # published before it has noted a new stream passes that by (docs/pushpin.md).
    crowd = Crowd(bench, "Pushpin", pushpin.process, pushpin.publish_port, pushpin.port,
                  server="pushpin", may_lose=True)
    return crowd.connect(readers, posters=posters, rest=2, connect_rate=300)


# Of each family of rows: the yardstick first.
_BESIDE = {"nchan": (_nchan, _pushpin), "Centrifugo": (_centrifugo,)}


def _crowds(bench, readers, posters, beside):
    """Ours and those of others, connected."""
    allow_open_files(readers)
    return [_crowd(bench, _own(bench, readers)).connect(readers, posters=posters),
            *[one(bench, readers, posters) for one in beside]]


def _count(readers):
    return f"{readers:,} reader" + "s" * (readers != 1)


def _told(crowd, figures):
    return f"{crowd.name} {figures}" + (f" ({crowd.lost:.1%} lost)" if crowd.lost else "")


def latency(name, count, yardstick="nchan"):
    def row(bench):
        readers = _readers(bench, count)
        crowds = _crowds(bench, readers, 1, _BESIDE[yardstick])
        messages = bench.scale.alone
        measures = [(lambda crowd=crowd: crowd.latencies_of_many(messages * 20)) if count == 1
                    else (lambda crowd=crowd: crowd.latencies(messages)) for crowd in crowds]
        sides = side_by_side(measures, bench.scale.runs)
        parts = [_told(crowd, " / ".join(f"{median([one[of] for one in side]):.3g}"
                                         for of in ("p50", "p99")))
                 for crowd, side in zip(crowds, sides)]
        return Result(name, f"POST sent to event read, {_count(readers)} on own streams (p99)", yardstick,
                      ratios(sides[0], sides[1], "p99"), 1, False,
                      "p50 / p99 in ms: " + ", ".join(parts))
    return row


def burst(name, count, yardstick="nchan"):
    def row(bench):
        readers = _readers(bench, count)
        crowds = _crowds(bench, readers, 8, _BESIDE[yardstick])
        messages = bench.scale.burst * (20 if count == 1 else 1)
        sides = side_by_side([lambda crowd=crowd: crowd.burst(messages) for crowd in crowds],
                             bench.scale.runs)
        parts = [_told(crowd, f"{median([one['rate'] for one in side]):,.0f}")
                 for crowd, side in zip(crowds, sides)]
        return Result(name,
                      f"events a second to {_count(readers)} on own streams, burst of {messages:,} posts",
                      yardstick, ratios(sides[0], sides[1], "rate"), 2, True, ", ".join(parts))
    return row


def beside_others(bench):
    readers = _readers(bench, 4000)
    beside = [*_BESIDE["nchan"], *_BESIDE["Centrifugo"] * bool(paths.centrifugo())]
    crowds = _crowds(bench, readers, 1, beside)
    ours, *_ = found = [crowd.kb_each() for crowd in crowds]
    return Result("streams-memory-4000", f"memory for each of {_count(readers)} on own streams",
                  f"{_PLAIN_KB} KB", [ours / _PLAIN_KB], 1, False,
                  ", ".join(f"{crowd.name} {kb:.1f} KB" for crowd, kb in zip(crowds, found)))


def memory(name, is_tls):
    def row(bench):
        readers = _readers(bench, 10000)
        allow_open_files(readers)
        apache = _own(bench, readers, is_tls)
        crowd = _crowd(bench, apache, tls=is_tls, proxy_port=apache.tls_port if is_tls else None)
        each = crowd.connect(readers, rooms=_ROOMS, connect_rate=500 if is_tls else 2000).kb_each()
        busy = apache.busy_workers()
        limit = _TLS_KB if is_tls else _PLAIN_KB
        return Result(name, f"memory for each of {_count(readers)} in {_ROOMS} rooms"
                      + ", TLS" * is_tls, f"{limit} KB", [each / limit], 1, False,
                      f"{each:.1f} KB, {busy} workers busy", busy == 0)
    return row


def room(bench):
    readers = _readers(bench, 10000)
    allow_open_files(readers)
    crowd = _crowd(bench, _own(bench, readers)).connect(readers, posters=1)
    found = [crowd.latencies(bench.scale.alone) for _ in range(bench.scale.runs + 1)][1:]
    p50, p99 = (median([one[of] for one in found]) for of in ("p50", "p99"))
    return Result("streams-room-10000", f"POST sent to event read, {_count(readers)} of one room (p99)",
                  f"{_ROOM_P99_MS} ms", [one["p99"] / _ROOM_P99_MS for one in found], 1, False,
                  f"p50 {p50:.0f} ms, p99 {p99:.0f} ms")


def static(bench):
    """The same file of an Apache without readers, and of one whose readers get messages meanwhile."""
    readers = _readers(bench, 10000)
    allow_open_files(readers)
    idle, held = _own(bench, readers), _own(bench, readers)
    _crowd(bench, held).connect(readers, rooms=_ROOMS)
    content = b"x" * 6787
    loads = [Load(apache.port, [request(apache.static_file(content))], 1) for apache in (idle, held)]

    def beside_messages():
        posts = bench.servers.keep(LoadClient(held.port), LoadClient.close)
        posts.start(rooms=_ROOMS, rate=_RATE, seconds=60, settle=0)
        try:
            time.sleep(0.2)
            return loads[1].run(bench.scale.seconds)
        finally:
            posts.close()
    theirs, mine = side_by_side([lambda: loads[0].run(bench.scale.seconds), beside_messages],
                                bench.scale.runs)
    parts = [median([one["time"] for one in side]) for side in (theirs, mine)]
    return Result("streams-static", f"GET of a static file beside {_count(readers)} in {_ROOMS} rooms,"
                  f" {_RATE} posts a second", "the same file without them", ratios(mine, theirs, "time"),
                  1.5, False, f"{parts[0]:.3f} ms, and {parts[1]:.3f} ms")


def _family(prefix, yardstick="nchan"):
    return {f"{prefix}-{what}-{count}": row(f"{prefix}-{what}-{count}", count, yardstick)
            for what, row in (("latency", latency), ("burst", burst)) for count in (1, 1000, 4000)}


# Only where the program is.
ROWS_OF_CENTRIFUGO = _family("streams-centrifugo", "Centrifugo")
ROWS = {**_family("streams"), **ROWS_OF_CENTRIFUGO,
        "streams-memory-4000": beside_others,
        "streams-memory-plain": memory("streams-memory-plain", False),
        "streams-memory-tls": memory("streams-memory-tls", True),
        "streams-room-10000": room, "streams-static": static}
