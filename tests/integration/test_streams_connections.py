"""What becomes of the connections of the module's own streams: races, slow readers, resets, TLS."""

import re
import ssl
import subprocess
import time

import pytest

from harness import paths, sse
from harness.client import events_path
from harness.httpd import MPM
from harness.processes import wait_until
from harness.raw_stream import RawStream, reset
from harness.sites import chat_site
from harness.tls import tls_port
from harness.tracing import traced

pytestmark = pytest.mark.skipif(MPM != "event", reason="only mpm_event can hold a stream")


def own_streams(apache, more="", **directives):
    return more + chat_site(apache.database, "none", Streams="On", **directives)


def logged(apache, path):
    log = (apache.directory / "access.log").read_text()
    return [line for line in log.splitlines() if f'"GET {path} ' in line]


# -- the race at parking ----------------------------------------------------------------------------


def slow_parking(apache, pause_ms, late_ms=0):
    return own_streams(apache, f'LoadModule slow_parking_module "{paths.slow_parking_path()}"\n'
                               f"SlowParking {pause_ms}\nLateParking {late_ms}\n")


@pytest.mark.parametrize("leave", [RawStream.close, reset])
def test_a_connection_lives_until_its_worker_has_let_go_of_it(servers, room, leave):
    apache = servers.apache(lambda a: slow_parking(a, 400))
    for _ in range(10):
        stream = RawStream(apache.port, events_path(room)).read_until(b"stream-open")
        leave(stream)
    wait_until(lambda: len(logged(apache, events_path(room))) == 10, 15, "end of ten streams")
    apache.client.say(room, "alive")


def test_a_stream_is_written_to_while_its_worker_is_still_at_it(servers, room):
    apache = servers.apache(lambda a: slow_parking(a, 1500))
    stream = RawStream(apache.port, events_path(room)).read_until(b"stream-open")
    began = time.monotonic()
    apache.client.say(room, "hello")
    stream.read_until(b"hello")
    assert time.monotonic() - began < 1.2
    stream.close()


@pytest.mark.parametrize("before", [0, 1, 3, 150])
def test_nothing_is_lost_that_comes_while_a_stream_is_parked(servers, room, before):
    """Of a room that has so many messages already, in which others may be reading."""
    apache = servers.apache(lambda a: slow_parking(a, 0, late_ms=500))
    for number in range(before):
        apache.client.say(room, f"before {number};")
    first = RawStream(apache.port, events_path(room)).read_until(b"stream-open")
    apache.client.say(room, "one;")
    second = RawStream(apache.port, events_path(room)).read_until(b"stream-open")
    apache.client.say(room, "two;")
    first.read_until(b"two;")
    second.read_until(b"two;")
    apache.client.say(room, "three;")
    for stream, texts in ((first, ["one;", "two;", "three;"]), (second, ["two;", "three;"])):
        stream.read_until(b"three;").read_until(b"}\n\n")
        _, events = sse.parse(stream.body[:stream.body.rindex(b"\n\n") + 2])
        assert [event.json["text"] for event in events if event.kind == "message"] == texts
        stream.close()


def test_streams_end_well_though_workers_are_slow_to_let_go_of_them(servers, room):
    apache = servers.apache(lambda a: slow_parking(a, 700))
    streams = [RawStream(apache.port, events_path(room)) for _ in range(10)]
    for stream in streams:
        stream.read_until(b"stream-open")
    apache.graceful()
    for stream in streams:
        assert stream.read_all().body.endswith(b"\n\n")
        stream.close()
    assert len(logged(apache, events_path(room))) == 10


# -- TLS and HTTP/2 ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tls(module_servers):
    """HTTP/1.1 and 2 over TLS, with a mod_reqtimeout that is impatient."""
    def site(apache):
        return own_streams(apache, f'''{tls_port(apache)}
LoadModule reqtimeout_module "{paths.apache_modules_dir()}/mod_reqtimeout.so"
RequestReadTimeout header=2-3,minrate=500
RequestReadTimeout body=2,minrate=500
''', KeepAlive="1s")
    return module_servers.apache(site)


def over_tls(version):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    return lambda connection: context.wrap_socket(connection)


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def tls_stream(request, servers, tls, room):
    return servers.keep(RawStream(tls.tls_port, events_path(room), wrap=over_tls(request.param)),
                        RawStream.close).read_until(b"stream-open")


def test_small_messages_come_at_once_over_tls(tls, room, tls_stream):
    for number in range(20):
        began = time.monotonic()
        tls.client.say(room, f"number {number};")
        tls_stream.read_until(f"number {number};".encode())
        assert time.monotonic() - began < 0.5


def test_large_messages_come_whole_over_tls(tls, room, tls_stream):
    texts = [str(n) * 60000 for n in range(5)]
    for text in texts:
        tls.client.say(room, text)
    tls_stream.read_until(texts[-1].encode())
    _, events = sse.parse(tls_stream.body[:tls_stream.body.rindex(b"\n\n") + 2])
    assert [event.json["text"] for event in events if event.kind == "message"] == texts


def test_a_silent_stream_over_tls_outlives_the_timeouts_of_requests(tls, room, tls_stream):
    end = time.monotonic() + 5
    while time.monotonic() < end:
        tls_stream.bytes = b""
        tls_stream.read_until(b"event: keep-alive\ndata:\n\n")
    tls.client.say(room, "hello")
    tls_stream.read_until(b"hello")


def test_a_stream_over_tls_ends_in_order(tls, room, tls_stream):
    tls.graceful()
    parser, _ = sse.parse(tls_stream.read_all().body)  # an end without close_notify would raise
    assert 250 <= parser.retry_ms <= 1250


def test_over_http_2_readers_poll(tls, room):
    tls.client.say(room, "hello")
    answer = subprocess.run(
        [paths.program("curl"), "-sk", "--http2", "-m", "10", "-w", "%{http_version}",
         "-H", f"Last-Event-ID: room-{room}:0",
         f"https://127.0.0.1:{tls.tls_port}{events_path(room)}"],
        capture_output=True, text=True, timeout=20, check=True)
    assert '"hello"' in answer.stdout and answer.stdout.endswith("\n\n2")


# -- filters and limits of others --------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["deflate", "brotli"])
def test_compression_does_not_keep_events_back(servers, room, encoding):
    filters = {"deflate": "DEFLATE", "brotli": "BROTLI_COMPRESS"}
    apache = servers.apache(lambda a: own_streams(
        a, f'LoadModule filter_module "{paths.apache_modules_dir()}/mod_filter.so"\n'
           f'LoadModule {encoding}_module "{paths.apache_modules_dir()}/mod_{encoding}.so"\n'
           f"SetOutputFilter {filters[encoding]}\n"))
    stream = servers.keep(RawStream(apache.port, events_path(room), "Accept-Encoding: gzip, br"),
                          RawStream.close).read_until(b"stream-open")
    apache.client.say(room, "hello")
    stream.read_until(b"hello")
    assert "Content-Encoding" not in stream.head


def test_past_filters_that_do_nothing_events_go_straight_to_the_socket(servers, room):
    """On a server with what Debian loads: mod_reqtimeout has a filter on each connection."""
    apache = servers.apache(lambda a: own_streams(a, "".join(
        f'LoadModule {name}_module "{paths.apache_modules_dir()}/mod_{name}.so"\n'
        for name in ("deflate", "filter", "reqtimeout", "status"))
        + "AddOutputFilterByType DEFLATE text/html text/plain\nServerLimit 1\nStartServers 1\n"
          "MaxRequestWorkers 25\nMinSpareThreads 1\nMaxSpareThreads 25\n"))
    stream = RawStream(apache.port, events_path(room), "Accept-Encoding: gzip").read_until(b"stream-open")
    child, = apache.children()
    log = apache.directory / "calls"
    with traced(child, log, "trace=sendmsg,writev"):
        apache.client.say(room, "hello-to-the-socket")
        stream.read_until(b"hello-to-the-socket")
    stream.close()
    # Longer texts are cut in strace's log.
    assert re.search(r'sendmsg\(.*"event: message', log.read_text()), log.read_text()


def test_other_filters_see_events_too(servers, room):
    apache = servers.apache(lambda a: own_streams(
        a, f'LoadModule substitute_module "{paths.apache_modules_dir()}/mod_substitute.so"\n'
           'SetOutputFilter SUBSTITUTE\nSubstitute "s/damn/d--n/q"\n'))
    stream = servers.keep(RawStream(apache.port, events_path(room)),
                          RawStream.close).read_until(b"stream-open")
    for _ in range(2):
        apache.client.say(room, "damn")
    stream.read_until(b"d--n").read_until(b"id: ")
    assert b"damn" not in stream.bytes


@pytest.mark.parametrize("threshold", [0, 1, 100, 2000, 1000000])
def test_large_messages_come_whole_whatever_the_core_flushes_at(servers, room, threshold):
    apache = servers.apache(lambda a: own_streams(a, f"FlushMaxThreshold {threshold}\n"))
    reader = servers.event_source(apache.port, events_path(room)).wait_open()
    texts = [str(n) * 60000 for n in range(5)]
    for text in texts:
        apache.client.say(room, text)
    reader.wait_messages(5)
    assert reader.texts == texts and (len(reader.connects) == 1 or threshold == 0)


# -- slow readers ------------------------------------------------------------------------------------


def rss_kb(pid):
    status = open(f"/proc/{pid}/status", encoding="ascii").read()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])


def test_slow_readers_hold_neither_memory_nor_the_others(servers, room):
    apache = servers.apache(own_streams)
    slow = [servers.keep(RawStream(apache.port, events_path(room), receive_buffer=4096),
                         RawStream.close) for _ in range(20)]
    for stream in slow:
        stream.read_until(b"stream-open")
    reader = servers.event_source(apache.port, events_path(room)).wait_open()
    text = "x" * 60000
    for number in range(1, 301):
        apache.client.say(room, text)
        if number % 20 == 0:
            reader.wait_messages(number)
        if number == 100:  # the room itself has come to its full size in memory
            before = sum(map(rss_kb, apache.children()))
    assert reader.numbers == list(range(1, 301)) and len(reader.connects) == 1
    # 12 MB more were to go to each of 20 readers who took nothing.
    assert sum(map(rss_kb, apache.children())) - before < 30000


def test_a_slow_reader_misses_nothing(servers, room):
    apache = servers.apache(own_streams)
    reader = servers.event_source(apache.port, events_path(room), kind=Dawdler).wait_open()
    for number in range(1, 401):
        apache.client.say(room, f"{number};" + "x" * 4000)
    reader.wait_messages(400, timeout=60)
    assert reader.numbers == list(range(1, 401))


class Dawdler(sse.EventSource):
    """Takes 100 KB a second, at first."""

    def _keep(self, events):
        super()._keep(events)
        if len(self._events) < 150:
            time.sleep(0.02 * len(events))
